import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toStateParameters } from "../../src/clients/flink/configuration";
import type { SavepointRecord } from "../../src/core/ledger/record";
import { checkpointsIn, type CheckpointStats } from "../../src/core/model/checkpoint";
import { operatorSeries, TaskHistory } from "../../src/core/overview/taskHistory";
import { CheckpointHistory } from "../../src/core/overview/checkpointHistory";
import { overviewOf, type Overview, type OverviewFacts } from "../../src/core/overview/overview";
import type { JobRow } from "../../src/core/rows";
import { savepointRecord } from "./ledgerSamples";
import { clusterUrl, jobId, jobName, overview as statistics, restoreFrom, stats } from "./samples";

const day = 86_400_000;
const nowMs = 1_700_000_000_000;
const row = (changes: Partial<JobRow> = {}): JobRow => ({ cluster: clusterUrl, jobId, name: jobName, state: "RUNNING", startTimeMs: nowMs - day, endTimeMs: null, tasks: null, operations: [], latestSavepoint: null, restoredFrom: null, ...changes });
const taken = (id: string, daysAgo: number, changes: Partial<SavepointRecord> = {}): SavepointRecord =>
  savepointRecord(id, { state: "completed", path: `file:/sp/savepoint-ab12cd-${id}`, checkpointId: 100, sizeBytes: 10, durationMs: 5, requestedAtMs: nowMs - daysAgo * day, endedAtMs: nowMs - daysAgo * day, description: "", ...changes });
const checkpoint = (id: number, changes: Partial<CheckpointStats> = {}): CheckpointStats => stats(id, { kind: "checkpoint", format: null, path: `file:/cp/${jobId}/chk-${id}`, triggeredAtMs: nowMs - (100 - id) * 60_000, ...changes });
function over(changes: Partial<OverviewFacts> = {}): Overview {
  const told = changes.statistics;
  return overviewOf({ row: row(), clusterName: "local", flinkVersion: "1.20.1", records: [], statistics: told, config: { intervalMs: 60_000, timeoutMs: 600_000 }, checkpoints: checkpointsIn(told), error: null, expectedMs: null, parameters: [], schedules: null, cleanup: null, hasPairs: false, nowMs, ...changes });
}

describe("an overview", () => {
  test("A-23, A-24: names the last good and the last failed checkpoint and savepoint, with why and when it failed; Flink itself keeps no last failed savepoint", () => {
    const { checkpoint: of, savepoint } = over({
      statistics: statistics([checkpoint(9, { status: "failed", failure: "expired", durationMs: 3_000 }), stats(8, { status: "failed", failure: "disk full", triggeredAtMs: nowMs - 8 * day }), checkpoint(7)]),
      records: [taken("a", 2), taken("b", 1, { state: "failed", path: null, failure: { message: "declined", exception: "E" } })],
    });
    assert.deepEqual([of.completed?.checkpointId, of.failed?.checkpointId, of.failed?.failure, of.failed?.failedAtMs], [7, 9, "expired", nowMs - 91 * 60_000 + 3_000]);
    assert.deepEqual([savepoint.completed?.key, savepoint.failed?.key, savepoint.failed?.failure], ["a", "b", "declined"]);
  });

  test("A-25, A-26: follows the job by its name over restarts, and offers on each row what can be done with it", () => {
    const { history } = over({ records: [taken("a", 3, { job: { id: "f".repeat(32), name: jobName } }), taken("b", 2, { pinned: true }), taken("c", 1, { disposal: { state: "disposed", requestedAtMs: 0, requestId: null, endedAtMs: 0, message: null, owner: taken("x", 1).owner } }), taken("d", 1, { job: { id: "e".repeat(32), name: "Another" } })], statistics: statistics([checkpoint(9)]) });
    assert.deepEqual(history.map(({ key }) => key), [`chk-${jobId}-9`, "c", "b", "a"]);
    assert.deepEqual(history[2]?.actions, ["restore", "inspect", "compare", "unpin", "editDescription", "dispose", "copyPath", "revealRow"]);
    assert.deepEqual(history[1]?.actions, ["editDescription", "revealRow"]);
    assert.deepEqual(history[0]?.actions, ["restore", "inspect", "compare", "copyPath"]);
  });

  test("C-27: offers nothing that would harm a claimed one", () => {
    const { history, wayBack } = over({ records: [taken("a", 1), taken("b", 2), restoreFrom("file:/sp/savepoint-ab12cd-a", "1".repeat(32), { claimMode: "CLAIM", state: "running" })] });
    assert.deepEqual([history[0]?.note, history[0]?.actions.includes("dispose"), history[0]?.actions.includes("restore"), wayBack?.key], ["claimed by Word count", false, false, "b"]);
  });

  test("A-27: says in which states the job can be restored", () => {
    const said = (["RUNNING", "CANCELED", "FINISHED", "FAILED", "RESTARTING", "gone"] as const).map((state) => over({ row: row({ state }) }).restore);
    assert.deepEqual(said, ["stop-first", "now", "now", "now", "wait", "now"]);
  });

  test("A-33: lists what was taken by hand long ago and is not pinned, oldest first, and what each origin takes", () => {
    const made = over({ records: [taken("a", 40), taken("b", 50), taken("c", 60, { pinned: true }), taken("d", 70, { origin: "scheduled", sizeBytes: null }), taken("e", 5)] });
    assert.deepEqual(made.oldManual.map(({ key }) => key), ["b", "a"]);
    assert.deepEqual(made.storage, [{ origin: "manual", count: 4, sizeBytes: 40, unsized: 0 }, { origin: "scheduled", count: 1, sizeBytes: 0, unsized: 1 }]);
  });

  test("A-34, A-35: shows parameters with Flink's explanation of its own release, and nothing else of the configuration", () => {
    const parameters = toStateParameters({ interval: 9.223372036854776e18, timeout: 600_000, state_backend: "HashMapStateBackend", unaligned_checkpoints: false }, [{ key: "state.backend.incremental", value: "true" }, { key: "s3.secret-key", value: "x" }, { key: "table.exec.state.ttl", value: "129600000" }, { key: "execution.checkpointing.timeout", value: "5 min" }]);
    assert.deepEqual(parameters.map(({ key, value, setBy }) => `${key}=${value} ${setBy}`), ["execution.checkpointing.interval=off job", "execution.checkpointing.timeout=600000 ms job", "execution.checkpointing.unaligned.enabled=false job", "state.backend.type=HashMapStateBackend job", "state.backend.incremental=true cluster", "table.exec.state.ttl=129600000 cluster"]);
    assert.equal(over({ parameters }).parameters[1]?.link, "https://nightlies.apache.org/flink/flink-docs-release-1.20/docs/deployment/config/#execution-checkpointing-timeout");
  });
});

describe("the history that a page keeps", () => {
  test("goes beyond the ten entries that Flink tells, and offers nothing on those that it no longer tells", () => {
    const kept = new CheckpointHistory();
    for (let newest = 10; newest <= 40; newest++) kept.see(Array.from({ length: 10 }, (_, at) => checkpoint(newest - at)));
    assert.equal(kept.all().length, 40);
    const made = over({ statistics: statistics(kept.all().slice(0, 10)), checkpoints: kept.all() });
    assert.deepEqual([made.keptCheckpoints, made.history[5]?.actions.length, made.history[20]?.actions, made.history[20]?.note], [30, 4, [], "no longer in Flink's list"]);
  });

  test("ends at a thousand, and drops what was being written and never seen again", () => {
    const kept = new CheckpointHistory();
    kept.see([checkpoint(1, { status: "in-progress" })]);
    for (let id = 2; id < 1_500; id++) kept.see([checkpoint(id)]);
    assert.deepEqual([kept.all().length, kept.all().at(-1)?.checkpointId], [1_000, 500]);
  });
});

describe("operators over time", () => {
  const task = (vertexId: string, sizeBytes: number, durationMs: number | null = 5) => ({ vertexId, name: vertexId === "v9" ? null : `operator ${vertexId}`, sizeBytes, durationMs, subtasks: { acknowledged: 1, total: 1 } });

  test("each complete checkpoint is asked for once, also one that Flink has forgotten; two hundred are kept", () => {
    const kept = new TaskHistory();
    const told = [checkpoint(3, { status: "in-progress" }), checkpoint(2), checkpoint(1)];
    assert.deepEqual(kept.missing(told).map(({ checkpointId }) => checkpointId), [2, 1]);
    kept.add(checkpoint(2), [task("v1", 10)]);
    kept.add(checkpoint(1), undefined);
    assert.deepEqual([kept.missing(told), kept.all().map(({ checkpointId }) => checkpointId)], [[], [2]]);
    for (let id = 3; id < 500; id++) kept.add(checkpoint(id), []);
    assert.deepEqual([kept.all().length, kept.all()[0]?.checkpointId], [200, 300]);
  });

  test("each has its values oldest first, and the largest of the newest checkpoint comes first; one that came later has fewer", () => {
    const kept = new TaskHistory();
    kept.add(checkpoint(2), [task("v1", 30), task("v2", 90), task("v9", 1, null)]);
    kept.add(checkpoint(1), [task("v1", 40), task("v2", 10)]);
    assert.deepEqual(operatorSeries(kept.all()).map(({ name, points }) => [name, points.map(({ checkpointId, sizeBytes, durationMs }) => [checkpointId, sizeBytes, durationMs])]), [
      ["operator v2", [[1, 10, 5], [2, 90, 5]]], ["operator v1", [[1, 40, 5], [2, 30, 5]]], [null, [[2, 1, null]]],
    ]);
  });
});
