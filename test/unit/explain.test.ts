import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { type ErrorCode, type ErrorFacts, FlinkError, isFlinkError, type Refusal } from "../../src/core/errors";
import { explain, explainRefusal, explainWarning, reasonText } from "../../src/core/explain";
import type { Warning } from "../../src/core/guards";
import { jobId } from "./samples";
import { gatewaySentence, plainMessage } from "../../src/core/rowText";

const url = "http://flink:8081";
const by = { jobId, name: "orders" };

/** Facts of every code, more than one where the sentence depends on them. Adding a code without an example here does not compile. */
const errors: { readonly [C in ErrorCode]: readonly ErrorFacts[C][] } = {
  "cluster-unreachable": [{ url, reason: "ECONNREFUSED" }, { url, reason: "EWHATEVER" }, { url, reason: "ECONNREFUSED", server: "sql-gateway" }],
  "tls-failed": [{ url, reason: "CERT_HAS_EXPIRED" }, { url, reason: "ERR_X" }],
  "tls-expected": [{ url }],
  "unauthorized": [{ url, status: 401 }, { url, status: 403 }],
  "not-flink": [{ url, status: 200, contentType: "text/html", title: "Log in" }, { url, status: 502, contentType: "", title: null }, { url, status: 429, contentType: "", title: null, server: "sql-gateway" }],
  "redirected": [{ url, status: 302, target: "https://login" }, { url, status: 302, target: null }],
  "unexpected-reply": [{ url, detail: "jobs: expected array" }],
  "reply-too-large": [{ url, limitBytes: 64 * 1024 ** 2 }],
  "no-answer": [{ url, afterMs: 30_000 }],
  "answer-lost": [{ url, reason: "ECONNRESET" }],
  "no-such-route": [{ url }],
  "no-leader": [{ url }],
  "flink-failed": [{ url, status: 400, message: "No jobs included in application.", exception: "x", trace: "secret trace" }, { url, status: 500, message: "boom", exception: "", trace: "" }],
  "job-not-found": [{ jobId }],
  "setting-invalid": [{ setting: "flinkSavepoints.clusters", problem: "entry 2: url: must be an address" }, { setting: "a", problem: "is wrong." }],
  "cluster-unknown": [{ cluster: url }],
  "refused": [{ verb: "disposed of", subject: "#7 of orders", refusals: [{ rule: "pinned" }] }, { verb: "saved", subject: "orders", refusals: [{ rule: "no-directory" }, { rule: "job-not-running", state: "FAILED" }] }],
  "savepoint-failed": [{ jobName: "orders", message: "Checkpoint expired before completing.", exception: "x", jobRestarted: false }, { jobName: "orders", message: "no more disk", exception: "", jobRestarted: true }],
  "stop-failed": ["FAILED", "RUNNING", "restarting", "running on", "ended", "unknown"].map((jobState) => ({ jobName: "orders", message: "no more disk", exception: "", jobState })),
  "stopped-uncleanly": [{ jobName: "orders", path: "s3://b/savepoint-1", jobState: "FAILED" }],
  "restore-failed": [{ savepoint: "s3://b/savepoint-1", message: "java.io.EOFException", exception: "java.io.EOFException" }, { savepoint: null, message: "boom", exception: "" }],
  "catalog-secret-missing": [{ warehouse: "s3://lake/w", name: "lake", options: ["s3.access-key", "s3.secret-key"] }],
  "plan-arguments-lost": [{ jobName: "orders" }],
  "secrets-unavailable": [{ reason: "Cannot unlock the keyring" }],
  "disposal-failed": (["gone", "partly", "there", "unknown"] as const).map((gone) => ({ path: "s3://b/savepoint-1", message: "denied", gone })),
  "outcome-unknown": [{ what: "savepoint", jobName: "orders", lookIn: "s3://b" }, { what: "stop", jobName: "orders", lookIn: null }, { what: "start", jobName: "orders", lookIn: null }],
  "never-received": [{ what: "stop with savepoint", jobName: "orders" }],
  "location-invalid": [{ location: "", fault: "empty" }, { location: "rel", fault: "relative" }, { location: "/a\nb", fault: "unreadable" }],
  "ledger-unwritable": [{ folder: "/home/x", reason: "ENOSPC" }],
  "ledger-record-damaged": [{ file: "/home/x/a.json", reason: "not JSON" }],
  "file-unreadable": [{ path: "/ca.pem", reason: "ENOENT" }],
  "move-failed": [{ from: "/sp/savepoint-ab12cd-1", to: "/sp/.removed/savepoint-ab12cd-1", reason: "EACCES" }],
  "file-not-a-jar": [{ path: "/a.zip" }],
  "metadata-elsewhere": [{ location: "s3://b/savepoint-1" }],
  "metadata-missing": [{ location: "file:/s/savepoint-1", reason: "ENOENT" }, { location: "file:/s/savepoint-1", reason: "EACCES" }],
  "warehouse-unreachable": ["elsewhere", "missing", "file", "permission denied"].map((reason) => ({ warehouse: "file:/w", reason })),
  "catalog-unreadable": (["catalog", "table"] as const).map((at) => ({ warehouse: "lake", gateway: "http://g:8083", at, reason: "no suitable driver found" })),
  "lint-ended": [{ reason: "memory" }, { reason: "crash" }, { reason: "silence" }],
  "inspection-ended": [{ location: "file:/s/savepoint-1", reason: "memory" }, { location: "file:/s/savepoint-1", reason: "crash" }],
  "paimon-action-failed": [{ table: "sales.orders", what: "rename the tag a to b", message: "Unknown action \"rename_tag\".", exception: "" }, { table: "sales.orders", what: "roll back to the tag savepoint-3", message: "Tag 'savepoint-3' doesn't exist.", exception: "java.lang.IllegalArgumentException" }],
  "paimon-action-lost": [{ table: "sales.orders", what: "delete the tag a", reason: "the JVM was ended by SIGKILL" }],
  "paimon-jars-missing": [{ path: "/opt/flink/lib" }],
  "warehouse-unknown": [{ warehouse: "file:/w" }],
  "statement-failed": [{ url, message: "No match found for function signature x", exception: "" }, { url, message: "Could not find any factory for identifier 'paimon' that implements 'org.apache.flink.table.factories.CatalogFactory' in the classpath.", exception: "", catalogOf: "lake" }, { url, message: "Not found: /v1/info", exception: "" }],
  "gateway-too-old": [{ url, version: "1.17.2", since: "1.18" }],
  "table-unwritable": [{ table: "sales.orders", file: "/w/sales.db/orders/snapshot/LATEST", reason: "ENOSPC" }],
  "rollback-unverified": [{ table: "sales.orders", tag: "savepoint-3", difference: "its newest snapshot is 7, not 3" }],
  "local-flink-java-missing": [{ looked: "JAVA_HOME", found: null }, { looked: "/usr/bin/java", found: "1.8" }],
  "local-flink-jars-missing": [{ what: "Flink 2.2.1", missing: ["a.jar", "b.jar"], tried: "mvn" }, { what: "Paimon 1.4.2", missing: ["a.jar"], tried: "mvn" }],
  "local-flink-jar-corrupt": [{ file: "/a.jar", expected: "ab12", actual: "cd34" }],
  "local-flink-port-taken": [{ port: 8081 }],
  "local-flink-died": [{ exitCode: 1, logFile: "/log", lastLines: "x\nException in thread main" }, { exitCode: null, logFile: "/log", lastLines: "" }],
  "local-flink-already-running": [{ url }],
  "local-flink-unsupported": [{ platform: "win32" }],
};

type Examples<U, K extends keyof U & string> = { readonly [R in U[K] & string]: readonly Extract<U, Record<K, R>>[] };

const refusals: Examples<Refusal, "rule"> = {
  "job-not-running": [{ rule: "job-not-running", state: "RESTARTING" }, { rule: "job-not-running", state: "gone" }],
  "tasks-not-running": [{ rule: "tasks-not-running", running: 1, total: 4 }],
  "operation-running": (["stop", "savepoint", "cancel", "restore"] as const).map((what) => ({ rule: "operation-running", what, forMs: 12_000 })),
  "statement-unknown": [{ rule: "statement-unknown", table: "sales.orders", gateway: "http://gateway:8083", reason: "session-gone" }, { rule: "statement-unknown", table: "sales.orders", gateway: "http://gateway:8083", reason: "handle-lost" }, { rule: "statement-unknown", table: "sales.orders", gateway: "http://gateway:8083", reason: { message: "no answer in 30 s" } }],
  "action-running": [{ rule: "action-running", table: "sales.orders", process: { host: "here", pid: 4711 }, forMs: 12_000 }, { rule: "action-running", table: "sales.orders", process: { host: "http://gateway:8083", pid: 0 }, forMs: 60_000 }],
  "files-elsewhere": [{ rule: "files-elsewhere", tables: ["sales.orders"] }],
  "table-twice": [{ rule: "table-twice", tables: ["sales.orders"], warehouses: ["/w", "/copy"] }],
  "no-directory": [{ rule: "no-directory" }],
  "cluster-reads-only": [{ rule: "cluster-reads-only", kind: "application" }, { rule: "cluster-reads-only", kind: "history" }],
  "version-too-old": [{ rule: "version-too-old", version: "1.14.6", since: "1.15" }],
  "cancel-switched-off": [{ rule: "cancel-switched-off" }],
  "not-completed": [{ rule: "not-completed", state: "failed" }, { rule: "not-completed", state: "still being taken" }],
  "outcome-known": [{ rule: "outcome-known", state: "completed" }],
  "already-disposed": [{ rule: "already-disposed" }],
  "moved-aside": [{ rule: "moved-aside" }],
  "not-aside": [{ rule: "not-aside" }],
  "forgotten": [{ rule: "forgotten" }],
  "preview-outdated": [{ rule: "preview-outdated" }],
  "cleanup-running": [{ rule: "cleanup-running", forMs: 12_000 }],
  "disposal-running": [{ rule: "disposal-running" }],
  "no-path": [{ rule: "no-path" }],
  "pinned": [{ rule: "pinned" }],
  "claim-of-pinned": [{ rule: "claim-of-pinned" }],
  "checkpoint-of-stopped": [{ rule: "checkpoint-of-stopped", by: { jobId, name: "orders" } }],
  "claim-of-needed": [{ rule: "claim-of-needed", by: { jobId, name: "orders" } }],
  "claimed": [{ rule: "claimed", by }],
  "no-claim-not-safe": [{ rule: "no-claim-not-safe", by, checkpointIntervalMs: 60_000 }, { rule: "no-claim-not-safe", by, checkpointIntervalMs: null }],
  "restore-source": [{ rule: "restore-source", by }],
  "in-use": [{ rule: "in-use", by, how: "is being restored from it" }],
  "only-completed": [{ rule: "only-completed" }],
  "not-a-savepoint": [{ rule: "not-a-savepoint", folder: "chk-12" }],
  "job-unchecked": [{ rule: "job-unchecked", job: by, reason: "connection refused" }],
  "pair-unproven": [{ rule: "pair-unproven", tables: ["sales.orders"], grade: "waiting" }, { rule: "pair-unproven", tables: ["sales.orders"], grade: "foreign" }],
  "table-unknown": [{ rule: "table-unknown", sink: "Global Committer : orders", away: [] }, { rule: "table-unknown", sink: "Global Committer : orders", away: [{ warehouse: "file:/w", reason: "missing" }, { warehouse: "file:/v", reason: "permission denied" }] }],
  "no-paimon-sink": [{ rule: "no-paimon-sink" }],
  "writer-running": [{ rule: "writer-running", table: "sales.orders", by }],
  "writers-unchecked": [{ rule: "writers-unchecked", cluster: "staging", reason: "connection refused" }],
  "two-sinks": [{ rule: "two-sinks", tables: ["sales.orders"] }, { rule: "two-sinks", tables: ["sales.events", "sales.orders"] }],
  "clusters-silent": [{ rule: "clusters-silent", clusters: ["staging"] }, { rule: "clusters-silent", clusters: ["staging", "test"] }],
  "table-moves": [{ rule: "table-moves", table: "sales.orders", from: 7, to: 8 }, { rule: "table-moves", table: "sales.orders", from: 8, to: 8 }],
  "tag-needed": [{ rule: "tag-needed", tags: ["tag audit of sales.orders"] }],
  "ledger-unread": [{ rule: "ledger-unread", file: "/l/damaged/a.000002.json" }],
  "tags-appeared": [{ rule: "tags-appeared", table: "sales.orders", tags: ["audit-2026"] }],
  "tag-damaged": [{ rule: "tag-damaged", table: "sales.orders", tag: "savepoint-3", file: "manifest/manifest-list-1" }],
  "target-changed": [{ rule: "target-changed", table: "sales.orders", target: { tag: "savepoint-3" }, wasRemade: false }, { rule: "target-changed", table: "sales.orders", target: { snapshotId: 12 }, wasRemade: true }],
  "rollback-taken-over": [{ rule: "rollback-taken-over" }],
  "tag-unnameable": [{ rule: "tag-unnameable", table: "sales.orders", tag: "12", fault: "is a number" }],
  "table-damaged": [{ rule: "table-damaged", table: "sales.orders", file: "/w/sales.db/orders/snapshot/snapshot-3" }],
  "rollback-unfinished": [{ rule: "rollback-unfinished", done: 1, total: 2 }],
  "pinned-beside": [{ rule: "pinned-beside", file: "/sp/.pinned-by-flink-savepoints/savepoint-1.0a" }],
  "clock-differs": [{ rule: "clock-differs", aheadMs: 365 * 86_400_000 }, { rule: "clock-differs", aheadMs: -3_600_000 }, { rule: "clock-differs", aheadMs: null }],
  "cluster-unchecked": [{ rule: "cluster-unchecked", cluster: "staging", reason: "connection refused" }],
};

const warnings: Examples<Warning, "warning"> = {
  "restart-from-scratch": [{ warning: "restart-from-scratch", checkpointing: true, startedFrom: null }, { warning: "restart-from-scratch", checkpointing: false, startedFrom: "s3://b/savepoint-1" }],
  "local-directory": [{ warning: "local-directory", directory: "/sp" }],
  "may-expire": [{ warning: "may-expire", expectedMs: 500_000, timeoutMs: 600_000 }],
  "savepoint-running": [{ warning: "savepoint-running" }],
  "drained": [{ warning: "drained" }],
  "job-runs": [{ warning: "job-runs", job: by }],
  "already-restored": [{ warning: "already-restored", jobs: [by] }, { warning: "already-restored", jobs: [by, by] }],
  "paimon-later": [{ warning: "paimon-later", tables: ["orders", "daily"], intervalMs: 180_000, tagged: true }, { warning: "paimon-later", tables: ["orders"], intervalMs: null, tagged: true }],
  "paimon-untagged": [{ warning: "paimon-untagged", tables: ["orders"], by: "job", places: [] }, { warning: "paimon-untagged", tables: ["orders"], by: "table", places: [] }],
  "paimon-drain": [{ warning: "paimon-drain", tables: ["a", "b", "c", "d", "e", "f", "g"] }],
  "paimon-restore": [
    { warning: "paimon-restore", moved: ["d.orders"], unproven: [], ready: [] }, { warning: "paimon-restore", moved: ["d.orders", "d.daily"], unproven: ["d.audit"], ready: [] },
    { warning: "paimon-restore", moved: [], unproven: [], ready: ["d.orders"] }, { warning: "paimon-restore", moved: [], unproven: ["d.audit"], ready: ["d.orders", "d.daily"] },
  ],
  "uncommitted": [{ warning: "uncommitted", jobState: "FAILED" }],
};

const everyError = Object.entries(errors).flatMap(([code, those]) => (those as ErrorFacts[ErrorCode][]).map((facts) => new FlinkError(code as ErrorCode, facts)));
const sentences: [string, string][] = [
  ...everyError.map((error): [string, string] => [error.code, explain(error).message]),
  ...Object.values(refusals).flat().map((refusal: Refusal): [string, string] => [refusal.rule, explainRefusal(refusal)]),
  ...Object.values(warnings).flat().map((warning: Warning): [string, string] => [warning.warning, explainWarning(warning)]),
];

describe("what a person reads", () => {
  test("ends as a sentence does, once", () => {
    for (const [code, text] of sentences) {
      assert.match(text, /[.”]$/, `${code}: ${text}`);
      assert.doesNotMatch(text.replaceAll("…", ""), /\.\.|[.:;,] [.:;,]| {2}|\s$|^\s|: \.|:\.|\( ?\)/, `${code}: ${text}`);
      assert.match(text, /^[A-Z“#/chjos0-9_]/, `${code}: ${text}`);
    }
  });

  test("has no gap where a fact is missing", () => {
    for (const [code, text] of sentences) assert.doesNotMatch(text, /undefined|null|NaN|\[object|Infinity/, `${code}: ${text}`);
  });

  test("is plain: no pleading, no cheering, no shouting, no blame", () => {
    for (const [code, text] of sentences) assert.doesNotMatch(text, /please|oops|sorry|success|!|invalid|illegal|abort|fatal|simply|just /i, `${code}: ${text}`);
  });

  test("holds no stack trace and no control character", () => {
    for (const [code, text] of sentences) {
      assert.ok(!text.includes("secret trace"), code);
      assert.doesNotMatch(text, /[\u0000-\u001f]/, code);
    }
  });

  test("is different for every code", () => {
    assert.equal(new Set(sentences.map(([, text]) => text)).size, sentences.length);
  });

  test("offers only commands that exist", () => {
    const manifest = JSON.parse(readFileSync("package.json", "utf8")) as { contributes: { commands: { command: string }[] } };
    const commands = new Set(manifest.contributes.commands.map(({ command }) => command));
    for (const error of everyError) {
      const { action } = explain(error);
      if (action) assert.ok(action.command === "retry" || commands.has(action.command), `${error.code}: ${action.command}`);
    }
  });
});

describe("the sentence", () => {
  const told = <C extends ErrorCode>(code: C, facts: ErrorFacts[C]): string => explain(new FlinkError(code, facts)).message;

  test("of a failed savepoint says that the job was hit only when it is known, and never that it runs on", () => {
    const facts = { jobName: "orders", message: "Disk full", exception: "" };
    assert.equal(told("savepoint-failed", { ...facts, jobRestarted: false }), "The savepoint of orders failed: Disk full.");
    assert.match(told("savepoint-failed", { ...facts, jobRestarted: true }), /restarted/);
  });

  test("of a failed stop says what became of the job", () => {
    const facts = { jobName: "orders", message: "Disk full.", exception: "" };
    const of = (jobState: string): string => told("stop-failed", { ...facts, jobState });
    assert.equal(of("running on"), "The stop of orders failed: Disk full. The job is running on.");
    assert.match(of("FAILED"), /The job is FAILED\.$/);
    assert.match(of("ended"), /The job has ended all the same\.$/);
    assert.match(of("unknown"), /What became of the job is not known\.$/);
  });

  test("of an unknown outcome speaks of adopting only where there may be a savepoint", () => {
    assert.match(told("outcome-unknown", { what: "savepoint", jobName: "orders", lookIn: "s3://b" }), /Look in s3:\/\/b: .*adopted/);
    assert.doesNotMatch(told("outcome-unknown", { what: "start", jobName: "orders", lookIn: null }), /savepoint|adopt/);
  });

  test("of a stop under way says since when, in words that fit together", () => {
    assert.equal(explainRefusal({ rule: "operation-running", what: "stop", forMs: 12_000 }), "A stop with savepoint has been under way for 12 s; another request now would fail, and a second stop would also fail the first and restart the job.");
    assert.match(explainRefusal({ rule: "operation-running", what: "stop", forMs: -3_600_000 }), /for 0 s/, "the JobManager's clock may be ahead");
  });

  test("of a refused adoption does not say that what is completed is not completed", () => {
    assert.equal(told("refused", { verb: "adopted", subject: "file:/sp/savepoint-1", refusals: [{ rule: "outcome-known", state: "completed" }] }), "file:/sp/savepoint-1 can't be adopted. The outcome of the savepoint is known: it is completed.");
  });
});

test("a network's code becomes words, and an unknown one stays", () => {
  assert.equal(reasonText("ECONNREFUSED"), "connection refused");
  assert.equal(reasonText("EWEIRD"), "EWEIRD");
});

test("an error is told apart by its code, and carries what lay beneath", () => {
  const error = new FlinkError("job-not-found", { jobId }, { cause: new Error("deep") });
  assert.ok(isFlinkError(error) && isFlinkError(error, "job-not-found") && isFlinkError(error, "refused", "job-not-found"));
  assert.equal(isFlinkError(error, "refused"), false);
  assert.equal(isFlinkError(new Error("job-not-found"), "job-not-found"), false);
  assert.match(String(error.cause), /deep/);
});

test("what strangers write stays text in a message: VS Code would make a link of it, and commands of links", () => {
  assert.equal(plainMessage("Savepoint of [orders](command:x) is done.\n\nIt\u202E is \u001b[31mthere."), "Savepoint of [orders] (command:x) is done.\n\nIt is [31mthere.");
  assert.equal(plainMessage("[a]\u200b(command:x)"), "[a] (command:x)");
  assert.ok(plainMessage("x".repeat(10_000_000)).length <= 10_000);
});

test("a row below a warehouse has room for what is wrong with its SQL Gateway, so it does not begin with the gateway's address", () => {
  assert.match(gatewaySentence(new FlinkError("cluster-unreachable", { url, reason: "ECONNREFUSED", server: "sql-gateway" })), /^Could not reach its SQL Gateway: connection refused\. /);
  assert.match(gatewaySentence(new FlinkError("tls-expected", { url, server: "sql-gateway" })), /^Its SQL Gateway speaks TLS\. /);
  assert.match(gatewaySentence(new FlinkError("catalog-unreadable", { warehouse: "lake", gateway: url, at: "table", reason: "boom" })), /^Its SQL Gateway could not read it: /);
  assert.equal(gatewaySentence(new FlinkError("cluster-unknown", { cluster: url })), explain(new FlinkError("cluster-unknown", { cluster: url })).message);
});

test("what opens no catalog is changed in the settings; what could not be read of one table is asked again", () => {
  const of = (at: "catalog" | "table") => explain(new FlinkError("catalog-unreadable", { warehouse: "lake", gateway: url, at, reason: "boom" })).action?.title;
  assert.deepEqual([of("catalog"), of("table")], ["Edit Warehouses", "Try Again"]);
});
