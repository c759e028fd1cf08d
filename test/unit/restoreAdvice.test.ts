import assert from "node:assert/strict";
import { test } from "node:test";
import { restoreAdvice } from "../../src/core/restoreAdvice";

test("each way in which Flink refuses a restore has a next step", () => {
  const cases: [string, string, RegExp][] = [
    ["java.lang.IllegalStateException", "Failed to rollback to checkpoint/savepoint file:/sp/savepoint-1a2b3c-0123456789ab. Cannot map checkpoint/savepoint state for operator 0a448493b4782967b150582570326227 to the new program, because the operator is not available in the new program. If you want to allow to skip this, you can set the --allowNonRestoredState option on the CLI.", /no operator for part of the state/],
    ["java.lang.IllegalStateException", "Failed to rollback to checkpoint/savepoint Checkpoint Metadata. Max parallelism mismatch between checkpoint/savepoint state and new program. Cannot map operator x with max parallelism 16 to new program with max parallelism 128.", /parallelism/],
    ["java.lang.IllegalStateException", "The state for task 0a44 can not be restored. The maximum parallelism (16) of the restored state is lower than the configured parallelism (20).", /parallelism/],
    ["java.io.FileNotFoundException", "Cannot find meta data file '_metadata' in directory 'file:/sp'.", /folder above/],
    ["java.io.FileNotFoundException", "Cannot find checkpoint or savepoint file/directory '/nope' on file system 'file'.", /Check the path/],
    ["java.lang.IllegalArgumentException", "Unrecognized checkpoint version number: 6", /newer Flink/],
    ["java.io.EOFException", "", /damaged/],
    ["java.io.IOException", "Unexpected magic number. Found: 0x1", /damaged/],
    ["org.apache.flink.util.StateMigrationException", "For heap backends, the new state serializer (x) must not be incompatible with the old state serializer (y).", /type of the state/],
    ["org.apache.flink.util.FlinkRuntimeException", "No jobs included in application.", /execute/],
    ["java.lang.RuntimeException", "This exception is intentionally thrown after committing the restored checkpoints. By restarting the job we hope that writers can start writing based on these new commits.", /once on purpose.*start it once more/],
    ["java.lang.RuntimeException", "File deletion conflicts detected! Give up committing. 2. You're recovering from an old savepoint … Base commit user is: 8ca90c61-3f06; Current commit user is: 8ca90c61-3f06", /older state than its table.*Roll Back/],
    ["java.lang.RuntimeException", "File deletion conflicts detected! Give up committing. Base commit user is: 8ca90c61-3f06; Current commit user is: 11111111-3f06", /Two writers/],
    ["java.lang.RuntimeException", "Cannot recover from this checkpoint because some files in the snapshot that need to be resubmitted have been deleted: a The most likely reason is", /never committed/],
    ["java.lang.IllegalStateException", "Trying to delete file data-1.parquet for table t which is not previously added.", /older state/],
    ["java.lang.ClassNotFoundException", "com.acme.Main", /main class/],
  ];
  for (const [exception, message, expected] of cases) assert.match(restoreAdvice(message, exception) ?? "", expected, message);
});

test("words that are not known get no advice", () => {
  assert.equal(restoreAdvice("something else", "java.lang.RuntimeException"), null);
});
