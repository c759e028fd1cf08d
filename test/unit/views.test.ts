import assert from "node:assert/strict";
import { test } from "node:test";
import type { CleanupWaiting } from "../../src/core/cleanup/waiting";
import { FlinkError, type ErrorCode, type ErrorFacts } from "../../src/core/errors";
import type { RestoreRecord, SavepointRecord } from "../../src/core/ledger/record";
import type { CheckpointStats } from "../../src/core/model/checkpoint";
import type { ClusterInfo } from "../../src/core/model/cluster";
import type { JobState } from "../../src/core/model/job";
import { capabilitiesOf } from "../../src/core/model/version";
import { jobRows, savepointRows, type JobRow, type SavepointRow } from "../../src/core/rows";
import { checkpointNodes, failureNode, nodeId, renderRow, type ExplorerNode } from "../../src/host/views/explorerRows";
import { escapeMarkdown, renderTooltip } from "../../src/host/views/explorerTooltips";
import type { ClusterView, Reach } from "../../src/services/clusters";
import { savepointRecord } from "./ledgerSamples";
import type { ScheduleView } from "../../src/services/schedules";
import { inForce } from "./scheduleFakes";

const now = Date.UTC(2026, 10, 20, 12, 0, 0);
const minute = 60_000, hour = 60 * minute, day = 24 * hour, gigabyte = 1024 ** 3;
const cluster = "http://flink:8081";
const job = { cluster, jobId: "ab12cd34ab12cd34ab12cd34ab12cd34" };

const info: ClusterInfo = {
  version: { major: 1, minor: 20, text: "1.20.3" }, capabilities: capabilitiesOf({ major: 1, minor: 20, text: "1.20.3" }), kind: "session",
  savepointDirectory: "s3://state/savepoints", checkpointDirectory: null, triggerResultsKeptMs: 300_000, cancelAllowed: true,
};
const clusterNode = (reach: Reach, more: Partial<ClusterView> = {}): ExplorerNode => ({ kind: "cluster", id: cluster, open: true, view: { profile: { name: "orders-prod", url: cluster }, reach, jobs: [], removed: false, ...more } });
const offline = <C extends ErrorCode>(code: C, facts: ErrorFacts[C]): Reach => ({ state: "offline", error: new FlinkError(code, facts) as unknown as FlinkError, nextTryAtMs: now + 27_500 });

/** A row's icon, label and description in one line, as a person reads it. */
function line(node: ExplorerNode): string {
  const row = renderRow(node, now);
  return `${row.icon?.id ?? ""} | ${row.label} | ${row.description}`;
}

function savepoint(changes: Partial<SavepointRecord>, others: readonly RestoreRecord[] = []): SavepointRow {
  const record = savepointRecord("5".repeat(32), { job: { id: job.jobId, name: "enrich-orders" }, description: "", state: "completed", requestedAtMs: now - 2 * hour, checkpointId: 1042, path: "s3://state/savepoints/savepoint-ab12cd-0123456789ab", sizeBytes: 4.2 * gigabyte, durationMs: 78_000, ...changes });
  const [row] = savepointRows(job.jobId, [record, ...others], undefined);
  assert.ok(row);
  return row;
}
const savepointLine = (changes: Partial<SavepointRecord>, expectedMs: number | null = null, others: readonly RestoreRecord[] = []): string => line({ kind: "savepoint", id: "x", row: savepoint(changes, others), expectedMs, pairs: [], pinnedBy: [] });

function jobRow(state: JobState | "gone", changes: Partial<JobRow> = {}, records: readonly SavepointRecord[] = []): JobRow {
  const [row] = jobRows(cluster, [{ jobId: job.jobId, name: "enrich-orders", state: state === "gone" ? "FINISHED" : state, startTimeMs: now - 4 * day, endTimeMs: null, tasks: { total: 8, running: 8 } }], records);
  assert.ok(row);
  return { ...row, state, ...changes };
}
const jobLine = (state: JobState | "gone", changes: Partial<JobRow> = {}, seen = true, asked = true): string => line({ kind: "job", id: "x", row: jobRow(state, changes), seen, asked });
const latest = savepointRecord("1", { state: "completed", checkpointId: 77, path: "file:/s/savepoint-ab12cd-1", requestedAtMs: now - 40 * minute });

const restore = (changes: Partial<RestoreRecord>): RestoreRecord => ({
  kind: "restore", version: 1, id: "b1c2f0".padEnd(32, "0"), cluster: { name: "orders-prod", url: cluster }, jobName: "enrich-orders", savepoint: { path: "s3://state/savepoints/savepoint-ab12cd-0123456789ab", recordId: null, checkpointId: 1042 },
  afterStop: null, jar: { id: "1_orders.jar", file: null, name: "orders.jar" }, entryClass: null, programArgs: [], parallelism: null, claimMode: "NO_CLAIM", allowNonRestoredState: false,
  state: "running", requestedAtMs: now - hour, endedAtMs: null, failure: null, owner: { host: "here", pid: 1, instance: "i" }, trail: [], ...changes,
} as RestoreRecord);
const stats = (changes: Partial<CheckpointStats>): CheckpointStats => ({
  checkpointId: 1050, kind: "checkpoint", status: "completed", format: null, triggeredAtMs: now - 14_000, durationMs: 900, sizeBytes: 4.2 * gigabyte, subtasks: { acknowledged: 8, total: 8 },
  path: "s3://state/checkpoints/chk-1050", discarded: false, failure: null, ...changes,
});

test("a cluster's row says what it is, or why it does not answer and when it is asked again", () => {
  const twelve = Array.from({ length: 12 }, (_, index) => ({ jobId: String(index), name: "j", state: "RUNNING" as const, startTimeMs: 0, endTimeMs: null, tasks: { total: 1, running: 1 } }));
  assert.equal(line(clusterNode({ state: "online", info }, { jobs: twelve })), "vm-active | orders-prod | Flink 1.20.3 · 12 jobs");
  assert.equal(line(clusterNode({ state: "online", info: { ...info, kind: "application" } }, { jobs: twelve.slice(0, 1) })), "vm-active | orders-prod | Flink 1.20.3 · application · 1 job");
  assert.equal(line(clusterNode({ state: "online", info: { ...info, kind: "history" } })), "history | orders-prod | Flink 1.20.3 · history server · 0 jobs");
  assert.equal(line(clusterNode({ state: "unasked" })), "loading~spin | orders-prod | connecting");
  assert.equal(line(clusterNode(offline("cluster-unreachable", { url: cluster, reason: "ECONNREFUSED" }))), "debug-disconnect | orders-prod | connection refused · next try in 28 s");
  assert.equal(line(clusterNode(offline("unauthorized", { url: cluster, status: 401 }))), "debug-disconnect | orders-prod | credentials not accepted (401) · next try in 28 s");
  assert.equal(line(clusterNode(offline("not-flink", { url: cluster, status: 200, contentType: "text/html", title: "Sign in" }))), "debug-disconnect | orders-prod | not a Flink REST API · next try in 28 s");
  assert.equal(line(clusterNode({ state: "unasked" }, { removed: true })), "archive | orders-prod | not in the settings any more");
});

test("menus can tell clusters apart by what they are", () => {
  const words = (node: ExplorerNode): string => renderRow(node, now).contextValue;
  assert.equal(words(clusterNode({ state: "online", info })), "cluster configured online");
  assert.equal(words(clusterNode({ state: "online", info: { ...info, kind: "history" } }, { profile: { name: "a", url: cluster, local: true } })), "cluster local online");
  assert.equal(words(clusterNode({ state: "unasked" }, { removed: true })), "cluster");
});

test("a failure in the tree is its sentence, and a click is the next step", () => {
  const click = (error: FlinkError): string | undefined => failureNode("x", error, cluster).click?.command;
  const refused = failureNode("x", new FlinkError("cluster-unreachable", { url: `${cluster}/config`, reason: "ECONNREFUSED" }) as unknown as FlinkError, cluster);
  assert.equal(line(refused), "warning | Could not reach it: connection refused. Check that the cluster runs and that its address is right. | ");
  assert.equal(refused.click?.command, "flinkSavepoints.editClusters");
  assert.equal(click(new FlinkError("unauthorized", { url: cluster, status: 401 }) as unknown as FlinkError), "flinkSavepoints.setCredentials");
  assert.equal(click(new FlinkError("no-answer", { url: cluster, afterMs: 30_000 }) as unknown as FlinkError), "flinkSavepoints.reconnect");
});

test("a running job says since when, how large, and how old its last savepoint is", () => {
  assert.equal(jobLine("RUNNING", { latestSavepoint: { ...latest, requestedAtMs: now - 2 * hour } }), "play | enrich-orders | running 4 d · last savepoint 2 h ago · 8 tasks");
  assert.equal(jobLine("RUNNING"), "play | enrich-orders | running 4 d · no savepoint yet · 8 tasks");
  assert.equal(jobLine("RUNNING", { tasks: { total: 8, running: 3 } }), "loading~spin | enrich-orders | starting 3 of 8 tasks · no savepoint yet");
  assert.equal(jobLine("RUNNING", { operations: [{ what: "stop", recordId: "r", cluster, jobId: job.jobId, jobName: "enrich-orders", sinceMs: now }] }), "play | enrich-orders | stopping with savepoint · running 4 d · no savepoint yet · 8 tasks");
  assert.equal(jobLine("RESTARTING", { latestSavepoint: latest }), "sync | enrich-orders | restarting · last good #77, 40 min ago");
});

test("a job that ended says how, when, and where one can go back to", () => {
  assert.equal(jobLine("FINISHED", { endTimeMs: now - 26 * hour, latestSavepoint: { ...latest, stop: { drain: false, job: "stopped" } } }), "debug-stop | enrich-orders | finished with savepoint · 26 h ago");
  assert.equal(jobLine("FINISHED", { endTimeMs: now - hour }), "debug-stop | enrich-orders | finished 1 h ago · no savepoint");
  assert.equal(jobLine("FAILED", { endTimeMs: now - 12 * minute, latestSavepoint: latest }), "error | enrich-orders | failed 12 min ago · last good #77, 40 min ago");
  assert.equal(jobLine("CANCELED", { endTimeMs: now - 3 * hour }), "circle-slash | enrich-orders | cancelled 3 h ago · no savepoint");
  assert.equal(jobLine("gone", { latestSavepoint: latest }), "circle-outline | enrich-orders | no longer in Flink · last good #77, 40 min ago");
});

test("while a cluster does not answer, nothing is claimed about its jobs", () => {
  assert.equal(jobLine("RUNNING", { latestSavepoint: latest }, false), "circle-outline | enrich-orders | running when last seen · last good #77, 40 min ago");
  assert.equal(jobLine("gone", {}, false), "circle-outline | enrich-orders | not seen · no savepoint");
});

test("before Flink told of a job's savepoints, none known is not none", () => {
  assert.equal(jobLine("RUNNING", {}, true, false), "play | enrich-orders | running 4 d · 8 tasks");
  assert.equal(jobLine("FAILED", { endTimeMs: now - hour }, true, false), "error | enrich-orders | failed 1 h ago · no savepoint known");
});

test("a savepoint's row reads age, size, format, origin, flags", () => {
  assert.equal(savepointLine({ origin: "scheduled" }), "pass | #1042 | 2 h ago · 4.2 GB · canonical · scheduled");
  assert.equal(savepointLine({ checkpointId: 1017, description: "before v2", requestedAtMs: now - 3 * day, sizeBytes: 4 * gigabyte, format: "native", pinned: true }), "pass | #1017 before v2 | 3 d ago · 4.0 GB · native · manual · pinned");
  assert.equal(savepointLine({ checkpointId: null, format: null, origin: "found", sizeBytes: null }), "pass | savepoint-ab12cd-0123456789ab | 2 h ago · found");
  assert.equal(savepointLine({ origin: "stop", stop: { drain: true, job: "stopped" } }), "pass | #1042 | 2 h ago · 4.2 GB · canonical · stop · drained");
  assert.equal(savepointLine({ origin: "stop", stop: { drain: false, job: "failed" } }), "pass | #1042 | 2 h ago · 4.2 GB · canonical · stop · job ended failed");
});

test("a savepoint that is being taken says for how long, and how long it usually takes", () => {
  const running = { state: "running", requestedAtMs: now - 41_000, checkpointId: null, path: null, sizeBytes: null } as const;
  assert.equal(savepointLine(running, 80_000), "loading~spin | savepoint | writing 0:41 · usually 1:20");
  assert.equal(savepointLine({ ...running, stop: { drain: false, job: "pending" } }, 80_000), "loading~spin | stop with savepoint | writing 0:41 · usually 1:20");
  assert.equal(savepointLine({ ...running, state: "requested", requestedAtMs: now - 2_000 }), "loading~spin | savepoint | asking Flink 0:02");
  const live: SavepointRow = { ...savepoint(running), progress: { acknowledged: 3, total: 8 } };
  assert.equal(line({ kind: "savepoint", id: "x", row: live, expectedMs: null, pairs: [], pinnedBy: [] }), "loading~spin | savepoint | writing 0:41 · 3 of 8 tasks");
});

test("a savepoint that can't be used says why in its row", () => {
  assert.equal(savepointLine({ state: "failed", checkpointId: null, path: null, requestedAtMs: now - 5 * day, failure: { message: "Checkpoint expired before\ncompleting.", exception: "" }, jobRestarted: true }), "error | failed | 5 d ago · Checkpoint expired before completing. · restarted the job");
  assert.equal(savepointLine({ checkpointId: 998, requestedAtMs: now - 9 * day }, null, [restore({ claimMode: "CLAIM" })]), "circle-slash | #998 | 9 d ago · claimed by enrich-orders (b1c2f0)");
  assert.equal(savepointLine({ requestedAtMs: now - 9 * day, disposal: { state: "disposed", requestedAtMs: now, requestId: "r", endedAtMs: now, message: null, owner: { host: "h", pid: 1, instance: "i" } } }), "trash | #1042 | 9 d ago · disposed");
  assert.equal(savepointLine({ disposal: { state: "requested", requestedAtMs: now - 3_000, requestId: "r", endedAtMs: null, message: null, owner: { host: "h", pid: 1, instance: "i" } } }), "loading~spin | #1042 | disposing 0:03 · 4.2 GB");
  const unknown: ExplorerNode = { kind: "savepoint", id: "x", row: savepoint({ state: "unknown", checkpointId: null, path: null }), expectedMs: null, pairs: [], pinnedBy: [] };
  assert.equal(line(unknown), "question | savepoint | 2 h ago · outcome unknown, look here");
  assert.equal(renderRow(unknown, now).click?.command, "flinkSavepoints.adopt");
});

test("menus can tell savepoints apart, and one that only Flink's history shows has none", () => {
  const node = (changes: Partial<SavepointRecord>, pinnedBy: readonly string[] = []): ExplorerNode => ({ kind: "savepoint", id: "x", row: savepoint(changes), expectedMs: null, pairs: [], pinnedBy });
  const words = (changes: Partial<SavepointRecord>, pinnedBy: readonly string[] = []): string => renderRow(node(changes, pinnedBy), now).contextValue;
  assert.equal(words({}), "savepoint completed unpinned");
  assert.equal(words({ pinned: true }), "savepoint completed pinned");
  assert.equal(words({}, ["/sp/mark"]), "savepoint completed unpinned marked");
  assert.equal(words({ state: "failed" }), "savepoint");
  assert.equal(words({ state: "running" }), "savepoint");

  // A pin that another ledger marked beside it holds here too.
  assert.match(line(node({}, ["/sp/mark"])), / · canonical · manual · pinned by others$/);
  assert.match(line(node({ pinned: true }, ["/sp/mark"])), / · pinned · also by others$/);
  assert.match(renderTooltip(node({}, ["/sp/mark"])).replaceAll("\\", ""), /Pinned by others: \/sp\/mark\. Nothing here removes the savepoint while that is there\./);
  assert.equal(renderRow({ kind: "savepoint", id: "x", row: { ...savepoint({}), record: null }, expectedMs: null, pairs: [], pinnedBy: [] }, now).contextValue, "");
});

test("a failed attempt of ours and the same one in Flink's history are one row", () => {
  const ours = savepointRecord("f".repeat(32), { job: { id: job.jobId, name: "enrich-orders" }, state: "failed", requestedAtMs: now - minute, failure: { message: "disk full", exception: "" } });
  const history = [stats({ kind: "savepoint", status: "failed", checkpointId: 3, triggeredAtMs: now - minute + 900, failure: "Checkpoint Coordinator is suspending." }), stats({ kind: "savepoint", status: "failed", checkpointId: 2, triggeredAtMs: now - hour, failure: "expired" })];
  const overview = { counts: { restored: 0, completed: 0, failed: 2, inProgress: 0 }, latest: { completed: null, savepoint: null, failed: null, restored: null }, history };
  assert.deepEqual(savepointRows(job.jobId, [ours], overview).map((row) => row.failure), ["disk full", "expired"]);
});

test("a savepoint that cleanup moved aside is no place to go back to: its row says for how long it can be put back, and its folder counts it apart", () => {
  const owner = { host: "here", pid: 1, instance: "x" };
  const aside = savepoint({ origin: "scheduled", cleanup: { hits: [], triedAtMs: now, attempts: 1, failure: null, aside: { path: "file:/sp/aside", state: "aside", sinceMs: now, untilMs: now + 20 * hour, owner } } });
  const node: ExplorerNode = { kind: "savepoint", id: "x", row: aside, expectedMs: null, pairs: [], pinnedBy: [] };
  assert.match(line(node), /^archive \| #\d+.* \| .* · 4\.2 GB · moved aside by cleanup, gone for good in 20 h$/);
  assert.equal(renderRow(node, now).contextValue, "savepoint");
  assert.equal(line({ kind: "savepoints", id: "x", job, rows: [savepoint({}), aside], expectedMs: null }), "save-all | Savepoints | 1 · 4.2 GB · 1 moved aside by cleanup");
});

test("folders sum up what is in them", () => {
  const rows = [savepoint({}), savepoint({ sizeBytes: 26.8 * gigabyte }), savepoint({ state: "failed" })];
  assert.equal(line({ kind: "savepoints", id: "x", job, rows, expectedMs: null }), "save-all | Savepoints | 2 · 31.0 GB");
  assert.equal(line({ kind: "savepoints", id: "x", job, rows: [], expectedMs: null }), "save-all | Savepoints | none yet");
  assert.equal(line({ kind: "savepoints", id: "x", job, rows: [savepoint({ state: "running" })], expectedMs: null }), "save-all | Savepoints | none usable");
  const checkpoints = (more: Partial<Extract<ExplorerNode, { kind: "checkpoints" }>>): ExplorerNode => ({ kind: "checkpoints", id: "x", job, stats: [stats({})], config: { intervalMs: minute, timeoutMs: 600_000 }, asked: true, ...more });
  assert.equal(line(checkpoints({})), "history | Checkpoints | last 14 s ago · 4.2 GB · every 1 min");
  assert.equal(line(checkpoints({ stats: [], config: { intervalMs: null, timeoutMs: 600_000 } })), "history | Checkpoints | none completed yet · not periodic");
  assert.equal(line(checkpoints({ stats: [], config: undefined, asked: false })), "history | Checkpoints | asking Flink");
});

test("a checkpoint's row says whether it can still be used", () => {
  const text = (changes: Partial<CheckpointStats>): string => line({ kind: "checkpoint", id: "x", job, stats: stats(changes) });
  assert.equal(text({}), "pass | #1050 | 14 s ago · 4.2 GB");
  assert.equal(text({ discarded: true }), "circle-outline | #1050 | 14 s ago · 4.2 GB · deleted by Flink");
  assert.equal(text({ path: null }), "pass | #1050 | 14 s ago · 4.2 GB · kept in memory only");
  assert.equal(text({ status: "failed", failure: "Checkpoint expired before completing." }), "error | #1050 | 14 s ago · Checkpoint expired before completing.");
});

test("checkpoints that Flink discarded are one row below those it keeps", () => {
  const listed = (...all: readonly Partial<CheckpointStats>[]): string[] => checkpointNodes("x", job, all.map(stats)).map(line);
  const kept = [{ checkpointId: 9, status: "in-progress" as const, path: null }, { checkpointId: 8 }, { checkpointId: 7, status: "failed" as const, path: null, failure: "expired" }];
  assert.deepEqual(listed(...kept, { checkpointId: 6, discarded: true }, { checkpointId: 5, discarded: true }).slice(1), ["pass | #8 | 14 s ago · 4.2 GB", "error | #7 | 14 s ago · expired", "info | 2 older, discarded by Flink | "]);
  assert.deepEqual(listed({ discarded: true }), ["info | 1 discarded by Flink | "], "of a job that was cancelled");
  assert.equal(listed(...kept).length, 3);
});

test("a restored job's row and tooltip say what it was restored from, by the ledger or else by Flink", () => {
  const ours = restore({ id: job.jobId, savepoint: { path: "s3://state/savepoints/savepoint-1", recordId: null, checkpointId: 1042 } });
  const summary = { jobId: job.jobId, name: "enrich-orders", state: "RUNNING" as const, startTimeMs: now - 4 * day, endTimeMs: null, tasks: { total: 8, running: 8 } };
  const [row] = jobRows(cluster, [summary], [ours]);
  assert.ok(row);
  const node: ExplorerNode = { kind: "job", id: "x", row, seen: true, asked: true };
  assert.equal(line(node), "play | enrich-orders | running 4 d · no savepoint yet · 8 tasks · restored from #1042");
  assert.match(renderTooltip(node).replaceAll("\\", ""), /Restored from: #1042, s3:\/\/state\/savepoints\/savepoint-1/);
  assert.equal(jobRows(cluster, [summary], [{ ...ours, state: "failed" }])[0]?.restoredFrom, null);
  assert.equal(jobRows(cluster, [summary], [{ ...ours, cluster: { name: "b", url: "http://b" } }])[0]?.restoredFrom, row.restoredFrom, "the same job, seen through another address");
  assert.equal(jobLine("RUNNING", { restoredFrom: { checkpointId: null, path: "s3://state/savepoints/savepoint-2" } }), "play | enrich-orders | running 4 d · no savepoint yet · 8 tasks · restored from savepoint-2");
});

test("a job's tooltip sums up what takes its savepoints and what removes them", () => {
  const schedule = inForce({ name: "nightly", job: "enrich-orders", cron: "0 3 * * *", timeZone: "Europe/Berlin" });
  const view: ScheduleView = { inForce: schedule, meaning: "At 03:00 every day", nextMs: Date.UTC(2027, 0, 2, 2), last: null, runsHere: true, waits: false };
  const waiting: CleanupWaiting = { for: "clock-differs", sinceMs: now - 2 * day, count: 3, why: "This machine's clock is 3 h ahead of the cluster's, so nobody knows how old they are." };
  const tooltip = (schedules: readonly ScheduleView[], rules: string | null, waits: CleanupWaiting | null = null): string => renderTooltip({ kind: "job", id: "x", row: jobRow("RUNNING"), seen: true, asked: true, plans: { schedules, rules, waiting: waits } }).replaceAll("\\", "");
  assert.match(tooltip([view], "keeps the newest 10"), /Schedule nightly: At 03:00 every day \(Europe\/Berlin\), next 2027-01-02 03:00 GMT\+1[\s\S]*Cleanup: keeps the newest 10/);
  assert.match(tooltip([{ ...view, nextMs: null, waits: true }], null), /Schedule nightly: At 03:00 every day \(Europe\/Berlin\), waits for your agreement/);
  assert.doesNotMatch(tooltip([], null), /Cleanup|Schedule/);
  assert.match(tooltip([view], "keeps the newest 10", waiting), /3 savepoints that cleanup would take have been waiting since .*\. This machine's clock is 3 h ahead .*Preview Cleanup/);

  // A schedule whose savepoints are not removed any more says so itself.
  const node = (waits: CleanupWaiting | null): ExplorerNode => ({ kind: "schedule", id: "x", view: { ...view, nextMs: now + 2 * hour }, waiting: waits });
  assert.equal(line(node(null)), "calendar | Schedule nightly | next in 2 h");
  assert.equal(line(node(waiting)), "warning | Schedule nightly | next in 2 h · cleanup waits, 2 d");
  assert.match(renderTooltip(node(waiting)).replaceAll("\\", ""), /3 savepoints that cleanup would take have been waiting since /);
});

test("planned restores, where a job came from, damaged records and long lists have rows of their own", () => {
  assert.equal(line({ kind: "planned", id: "x", record: restore({ state: "planned" }), stopped: true }), "debug-continue | restore of enrich-orders | stopped with its savepoint · from #1042");
  assert.equal(line({ kind: "restored", id: "x", from: { checkpointId: 12, restoredAtMs: now - 2 * hour, isSavepoint: true, path: "s3://a" } }), "debug-restart | restored from #12 | 2 h ago · savepoint");
  assert.equal(line({ kind: "damaged", id: "x", file: "/home/u/ledger/damaged/5f.json", reason: "Unexpected end of JSON input" }), "warning | Ledger record set aside: 5f.json | Unexpected end of JSON input");
  assert.equal(line({ kind: "more", id: "x", listId: "l", step: 50, left: 9_950, noun: "older" }), "ellipsis | Show 50 more | 9,950 older");
  assert.equal(line({ kind: "more", id: "x", listId: "l", step: 50, left: 7, noun: "older" }), "ellipsis | Show 7 more | 7 older");
});

test("a screen reader hears the state that the icon shows", () => {
  assert.equal(renderRow({ kind: "savepoint", id: "x", row: savepoint({}), expectedMs: null, pairs: [], pinnedBy: [] }, now).spoken, "#1042, savepoint, completed, 2 h ago, 4.2 GB, canonical, manual");
  assert.equal(renderRow({ kind: "job", id: "x", row: jobRow("RUNNING"), seen: true, asked: true }, now).spoken, "enrich-orders, job, running 4 d, no savepoint yet, 8 tasks");
});

test("names of strangers stay names: one line in a row, no markup and no link in a tooltip", () => {
  const name = "evil\n**bold** [x](command:rm) <img src=x> http://a.b $(trash) `code` \u202egnp.exe";
  const node: ExplorerNode = { kind: "job", id: "x", row: { ...jobRow("RUNNING"), name }, seen: true, asked: true };
  assert.equal(renderRow(node, now).label, "evil **bold** [x](command:rm) <img src=x> http://a.b $(trash) `code` gnp.exe");
  const tooltip = renderTooltip(node);
  assert.ok(!/(^|[^\\])[[\]`$]/.test(tooltip) && !tooltip.includes("<img") && !tooltip.includes("http://") && !/[^\\]\*\*bold/.test(tooltip), tooltip);
  assert.equal(escapeMarkdown("a_b & <c> 1. #2 |"), "a\\_b &amp; &lt;c&gt; 1\\. \\#2 \\|");
  const long = renderRow({ ...node, row: { ...node.row, name: "n".repeat(5_000) } }, now);
  assert.equal(long.label.length, 120);
});

test("a tooltip holds what the row has no room for", () => {
  const text = renderTooltip({ kind: "savepoint", id: "x", row: savepoint({ workspace: { commit: "0123456789abcdef", branch: "main", dirty: true } }), expectedMs: null, pairs: [], pinnedBy: [] }).replaceAll("\\", "");
  assert.match(text, /Path: s3:\/\/state\/savepoints\/savepoint-ab12cd-0123456789ab/);
  assert.match(text, /Took: 1:18/);
  assert.match(text, /Workspace commit: 0123456789 \(main\), with changes/);
  assert.match(text, /Trigger id: 5{32}/);
});

test("a row's id leads down to it", () => {
  assert.deepEqual(nodeId.path(nodeId.savepoint(job, "r1")), [cluster, `${cluster} ${job.jobId}`, `${cluster} ${job.jobId} savepoints`, `${cluster} ${job.jobId} savepoints r1`]);
});
