import assert from "node:assert/strict";
import path from "node:path";
import { after, test } from "node:test";
import { startThread } from "../../src/clients/workerThread";
import { systemClock } from "../../src/core/base/async";
import { FlinkError } from "../../src/core/errors";
import type { LintedFile } from "../../src/core/lint/protocol";
import { RemoteError } from "../../src/core/rpc";
import { LintService } from "../../src/services/linting";
import { keptLog } from "./ledgerSamples";

const thread = path.resolve("dist", "worker", "lint.js");
const text = `import org.apache.flink.streaming.api.datastream.DataStream;
class Job {
  static void build(DataStream<String> lines) {
    lines.keyBy(line -> line).reduce((a, b) -> b).print();
  }
}
`;
const rulesOf = ({ findings }: LintedFile): string[] => findings.map(({ rule }) => rule);

test("a document is opened, edited letter by letter, and asked about again on one thread", async () => {
  const log = keptLog();
  let starts = 0;
  const service = new LintService(() => {
    starts++;
    return startThread(thread, { grammars: path.resolve("dist") }, { heapMb: 512 });
  }, systemClock, log);
  after(() => service.dispose());
  assert.deepEqual(rulesOf(await service.thread().ask("open", { path: "0/Job.java", text })), ["missing-uid"]);
  let at = text.indexOf(".print()");
  let last: LintedFile | undefined;
  for (const letter of '.uid("a")') {
    last = await service.thread().ask("edit", { path: "0/Job.java", edits: [{ start: at, end: at, text: letter }] });
    at++;
  }
  assert.deepEqual(last && rulesOf(last), []);
  assert.deepEqual(await service.thread().ask("uids", {}), ["a"]);
  assert.deepEqual(rulesOf(await service.thread().ask("open", { path: "0/Job.java", text })), ["missing-uid"]);
  await assert.rejects(service.thread().ask("edit", { path: "0/Other.java", edits: [] }), RemoteError);
  await assert.rejects(service.thread().ask("edit", { path: "0/Job.java", edits: [{ start: 9_999, end: 9_999, text: "" }] }), /lies outside/);
  await service.thread().ask("close", { path: "0/Job.java" });
  assert.deepEqual((await service.thread().ask("findings", { paths: ["0/Job.java"] }))[0]?.findings, []);
  assert.equal(starts, 1);
});

test("a thread that dies is started once more, then the lint rests with a typed error until it is begun anew", async () => {
  const log = keptLog();
  let starts = 0;
  let gone: Promise<unknown> | undefined;
  let grammars = path.resolve("dist", "no-such-folder");
  const service = new LintService(() => {
    starts++;
    const started = startThread(thread, { grammars }, { heapMb: 512 });
    gone = started.gone;
    return started;
  }, systemClock, log);
  after(() => service.dispose());
  let ends = 0;
  service.onDidEnd(() => ends++);
  for (const dies of [1, 2]) {
    await assert.rejects(service.thread().ask("index", { folders: [] }), (error) => error instanceof RemoteError);
    assert.equal(starts, dies);
    // It answers that it can't read its grammars before it ends.
    await gone;
  }
  assert.equal(ends, 1);
  assert.throws(() => service.thread(), (error) => error instanceof FlinkError && error.code === "lint-ended");
  assert.throws(() => service.thread(), FlinkError);
  assert.equal(starts, 2);
  assert.equal(log.lines.filter((line) => line.includes("rests until")).length, 1);

  grammars = path.resolve("dist");
  service.stop();
  assert.deepEqual(rulesOf(await service.thread().ask("open", { path: "0/Job.java", text })), ["missing-uid"]);
});
