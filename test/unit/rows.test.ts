import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { operationsIn } from "../../src/core/ledger/queries";
import type { LedgerRecord, SavepointRecord } from "../../src/core/ledger/record";
import { checkpointsIn, savepointsIn, type CheckpointOverview } from "../../src/core/model/checkpoint";
import { jobRows, savepointRows, type SavepointRow } from "../../src/core/rows";
import { savepointRecord } from "./ledgerSamples";
import { clusterUrl, jobId, jobName, jobSummary, overview, restoreFrom, restoreRecord, stats } from "./samples";

const at = 1_700_000_000_000;
const completed = (checkpointId: number, changes: Partial<SavepointRecord> = {}): SavepointRecord => savepointRecord(`r${checkpointId}`, {
  state: "completed", checkpointId, path: stats(checkpointId).path, requestedAtMs: at + checkpointId * 1_000, sentAtMs: at + checkpointId * 1_000, endedAtMs: at + checkpointId * 1_000 + 800, ...changes,
});
const found = (checkpointId: number, changes: Partial<SavepointRecord> = {}): SavepointRecord => completed(checkpointId, { id: `found-${jobId}-${checkpointId}`, origin: "found", ...changes });
const running = (id: string, sentAtMs: number, changes: Partial<SavepointRecord> = {}): SavepointRecord => savepointRecord(id, { state: "running", requestedAtMs: sentAtMs, sentAtMs, ...changes });
const writing = (checkpointId: number, acknowledged: number, kind: "savepoint" | "stop-savepoint" = "savepoint") => stats(checkpointId, { kind, status: "in-progress", path: null, durationMs: null, subtasks: { acknowledged, total: 4 } });
const rowsOf = (records: readonly LedgerRecord[], seen?: CheckpointOverview): SavepointRow[] => savepointRows(jobId, records, seen);
const ids = (records: readonly LedgerRecord[], seen?: CheckpointOverview): string[] => rowsOf(records, seen).map(({ id }) => id);

describe("the savepoints of a job", () => {
  test("are one row each, newest first, whoever took them", () => {
    assert.deepEqual(ids([completed(1), found(3), completed(2)], overview([stats(3), stats(2), stats(1)])), [`found-${jobId}-3`, "r2", "r1"]);
  });

  test("are those of this job only", () => {
    assert.deepEqual(ids([completed(1, { job: { id: "other", name: jobName } }), restoreRecord(jobId)]), []);
  });

  test("found in the history and ours at the same place are one, and ours says more", () => {
    assert.deepEqual(ids([found(1, { path: "file:///sp/savepoint-ab12cd-000000000001/" }), completed(1)]), ["r1"]);
    assert.deepEqual(ids([found(1), completed(1, { forgotten: true })]), [], "forgetting ours does not bring the other back");
  });

  test("that were forgotten are not shown, and do not come back from the history", () => {
    assert.deepEqual(ids([completed(1, { forgotten: true }), savepointRecord("r2", { state: "failed", checkpointId: 2, forgotten: true })], overview([stats(2, { status: "failed", path: null }), stats(1)])), []);
  });

  test("of others that run or failed are shown from the history alone", () => {
    const [second, first] = rowsOf([], overview([writing(8, 1), stats(7, { status: "failed", path: null, failure: "expired" })]));
    assert.deepEqual([first?.id, first?.state, first?.failure, first?.sizeBytes, first?.record, first?.origin], [`history-${jobId}-7`, "failed", "expired", null, null, "found"]);
    assert.deepEqual([second?.id, second?.state, second?.progress], [`history-${jobId}-8`, "running", { acknowledged: 1, total: 4 }]);
  });

  test("that failed are told once: the history's entry of ours is no row of its own", () => {
    const failed = savepointRecord("r7", { state: "failed", checkpointId: 7, failure: { message: "expired", exception: "" }, endedAtMs: at });
    const seen = overview([stats(7, { status: "failed", path: null })]);
    assert.deepEqual(ids([failed], seen), ["r7"]);
    assert.deepEqual(ids([{ ...failed, checkpointId: null, requestedAtMs: at + 7_400 }], seen), ["r7"], "its number is not known yet, and the time is near");
    assert.deepEqual(ids([{ ...failed, checkpointId: null, requestedAtMs: at + 3_600_000 }], seen), ["r7", `history-${jobId}-7`], "somebody else's");
  });

  test("complete in the history are left to the ledger, where they are written at the same look", () => {
    assert.deepEqual(ids([], overview([stats(1)])), []);
  });

  test("say what became of them", () => {
    const disposal = { requestedAtMs: 1, requestId: null, endedAtMs: null, message: null, owner: completed(1).owner };
    assert.deepEqual(rowsOf([
      completed(5, { disposal: { ...disposal, state: "requested" } }), completed(4, { disposal: { ...disposal, state: "disposed" } }), completed(3, { disposal: { ...disposal, state: "failed" } }),
      savepointRecord("r2", { state: "unknown", requestedAtMs: at + 2_000 }), savepointRecord("r1", { state: "failed", requestedAtMs: at + 1_000, failure: { message: "no disk", exception: "" } }),
    ]).map(({ state, failure }) => [state, failure]), [["disposing", null], ["disposed", null], ["completed", null], ["unknown", null], ["failed", "no disk"]]);
  });

  test("know who was restored from them, and who claimed them", () => {
    const path = completed(1).path ?? "";
    const [row] = rowsOf([
      completed(1), restoreFrom(path, "a".repeat(32), { state: "safe" }), restoreFrom(`${path}/_metadata`, "b".repeat(32), { state: "running", claimMode: "CLAIM" }),
      restoreFrom(path, "c", { state: "failed" }), restoreFrom(path, "d", { state: "dropped" }), restoreFrom(path, "e", { state: "planned" }), restoreFrom("file:/elsewhere", "f"),
    ]);
    assert.deepEqual(row?.restored.map((job) => job.jobId), ["a".repeat(32), "b".repeat(32)]);
    assert.deepEqual(row?.claimedBy, { jobId: "b".repeat(32), name: jobName });
  });
});

describe("progress", () => {
  const progress = (records: readonly LedgerRecord[], seen: CheckpointOverview): unknown => Object.fromEntries(rowsOf(records, seen).map((row) => [row.id, row.progress?.acknowledged ?? null]));

  test("of our savepoint is the history's, and not a second row", () => {
    assert.deepEqual(progress([running("a", at)], overview([writing(5, 2)])), { a: 2 });
  });

  test("of two savepoints at once is each its own, in the order they were asked for", () => {
    assert.deepEqual(progress([running("late", at + 9), running("early", at + 1)], overview([writing(6, 1), writing(5, 3)])), { early: 3, late: 1 });
  });

  test("goes by the number once that is known", () => {
    assert.deepEqual(progress([running("a", at + 1, { checkpointId: 6 }), running("b", at + 2)], overview([writing(6, 1), writing(5, 3)])), { a: 1, b: 3 });
  });

  test("of the first of two is shown while the second is not in the statistics yet", () => {
    assert.deepEqual(progress([running("a", at + 1), running("b", at + 2)], overview([writing(5, 3)])), { a: 3, b: null });
  });

  test("of a stop is not that of a savepoint", () => {
    const stop = running("stop", at, { stop: { drain: false, job: "pending" } });
    assert.deepEqual(progress([stop], overview([writing(6, 1, "stop-savepoint"), writing(5, 3)])), { stop: 1, [`history-${jobId}-5`]: 3 });
  });

  test("of others' savepoints beside ours has rows of its own", () => {
    assert.deepEqual(progress([running("a", at)], overview([writing(6, 1), writing(5, 3)])), { a: 1, [`history-${jobId}-5`]: 3 });
  });

  test("is not shown for a request that Flink has not confirmed, and its entry is no second row", () => {
    assert.deepEqual(progress([savepointRecord("a", { state: "requested" })], overview([writing(5, 2)])), { a: null });
  });
});

test("checkpoints are the job's own, newest first, and no savepoint that completed last", () => {
  const list = checkpointsIn(overview([stats(9), stats(8, { kind: "checkpoint" }), stats(7, { kind: "checkpoint", status: "failed" })], { completed: stats(9) }));
  assert.deepEqual(list.map(({ checkpointId }) => checkpointId), [8, 7]);
  assert.deepEqual(checkpointsIn(undefined), []);
  assert.deepEqual(savepointsIn(undefined), []);
  assert.deepEqual(savepointsIn(overview([stats(9)], { savepoint: stats(4) })).map(({ checkpointId }) => checkpointId), [9, 4], "the last savepoint may have left the history");
});

describe("the jobs of a cluster", () => {
  test("are those Flink lists, what runs first, then the newest, then those only the ledger remembers", () => {
    const rows = jobRows(clusterUrl, [
      jobSummary("done", { state: "FINISHED", endTimeMs: at + 5 }), jobSummary("old", { startTimeMs: at }), jobSummary("new", { startTimeMs: at + 1 }), jobSummary("failed", { state: "FAILED", endTimeMs: at + 9 }), jobSummary("again", { state: "RESTARTING", startTimeMs: at - 1 }),
    ], [completed(1), completed(2, { job: { id: "old", name: jobName } })]);
    assert.deepEqual(rows.map((row) => [row.jobId, row.state]), [["new", "RUNNING"], ["old", "RUNNING"], ["again", "RESTARTING"], ["failed", "FAILED"], ["done", "FINISHED"], [jobId, "gone"]]);
    assert.equal(rows[1]?.latestSavepoint?.id, "r2");
    assert.deepEqual([rows[5]?.name, rows[5]?.endTimeMs, rows[5]?.tasks], [jobName, at + 1_000, null]);
  });

  test("that are gone have the name of their newest savepoint, and none once all are forgotten", () => {
    assert.equal(jobRows(clusterUrl, [], [completed(1), completed(2, { job: { id: jobId, name: "Renamed" } })])[0]?.name, "Renamed");
    assert.deepEqual(jobRows(clusterUrl, [], [completed(1, { forgotten: true })]), []);
  });

  test("have no savepoint to go back to in one that a job claimed", () => {
    const claim = restoreFrom(completed(2).path ?? "", "a".repeat(32), { claimMode: "CLAIM", state: "running" });
    assert.equal(jobRows(clusterUrl, [jobSummary()], [completed(1), completed(2), claim])[0]?.latestSavepoint?.id, "r1");
    assert.equal(jobRows(clusterUrl, [jobSummary()], [completed(1), completed(2), { ...claim, state: "failed" }])[0]?.latestSavepoint?.id, "r2");
  });

  test("of another cluster are not theirs", () => {
    assert.deepEqual(jobRows("http://other", [], [completed(1)]), []);
    assert.deepEqual(jobRows("http://other", [jobSummary()], [completed(1), running("a", at)]).map((row) => [row.latestSavepoint, row.operations]), [[null, []]]);
  });

  test("have the newest savepoint that can be restored from, and what is under way", () => {
    const disposal = { requestedAtMs: 1, requestId: null, endedAtMs: null, message: null, owner: completed(1).owner };
    const [row] = jobRows(clusterUrl, [jobSummary()], [
      completed(1), completed(2), completed(3, { disposal: { ...disposal, state: "disposed" } }), completed(4, { forgotten: true }), completed(5, { state: "failed" }), running("a", at + 2, { stop: { drain: false, job: "pending" } }), restoreRecord(jobId, { state: "submitted", requestedAtMs: at + 1 }),
    ]);
    assert.equal(row?.latestSavepoint?.id, "r2");
    assert.deepEqual(row?.operations.map(({ what }) => what), ["restore", "stop"]);
  });
});

test("what is under way is listed once, oldest first, with what it is", () => {
  const disposal = { requestedAtMs: at + 5, requestId: null, endedAtMs: null, message: null, owner: completed(1).owner };
  const list = operationsIn([
    completed(1, { disposal: { ...disposal, state: "requested" } }), running("sp", at + 3), running("stop", at + 2, { stop: { drain: false, job: "pending" } }),
    completed(9, { id: "stopping", requestedAtMs: at + 1, stop: { drain: false, job: "pending" } }), completed(8), restoreRecord("start", { state: "requested", requestedAtMs: at + 4 }), restoreRecord("runs", { state: "running" }), restoreRecord("plan", { state: "planned" }),
  ]);
  assert.deepEqual(list.map(({ what, recordId }) => [what, recordId]), [["stop", "stopping"], ["stop", "stop"], ["savepoint", "sp"], ["restore", "start"], ["disposal", "r1"]]);
});

describe("the work grows with the records, and no faster", () => {
  /** Counts every look at a record. */
  function counted(records: readonly LedgerRecord[]): { readonly records: readonly LedgerRecord[]; readonly looks: () => number } {
    let looks = 0;
    return { looks: () => looks, records: records.map((record) => new Proxy(record, { get: (target, key) => (looks++, Reflect.get(target, key) as unknown) })) };
  }
  const grows = (work: (size: number) => number): void => {
    const [small, large] = [work(1), work(4)];
    assert.ok(large < small * 6, `four times the records, ${(large / small).toFixed(1)} times the looks`);
  };

  test("for a job with 10,000 savepoints and a start from every tenth", () => {
    grows((size) => {
      const savepoints = Array.from({ length: 2_500 * size }, (_, n) => completed(n));
      const { records, looks } = counted([...savepoints, ...savepoints.filter((_, n) => n % 10 === 0).map((record, n) => restoreFrom(record.path ?? "", String(n), { state: "safe" }))]);
      assert.equal(rowsOf(records, overview([writing(99_999, 1)])).length, 2_500 * size + 1);
      return looks();
    });
  });

  test("for 1,000 jobs with 10,000 savepoints, one operation under way on each", () => {
    grows((size) => {
      const jobs = Array.from({ length: 250 * size }, (_, n) => jobSummary(`job-${n}`));
      let operations = 0;
      const { records, looks } = counted(Array.from({ length: 2_500 * size }, (_, n) => completed(n, { job: { id: `job-${n % jobs.length}`, name: jobName }, state: n < jobs.length ? "running" : "completed" })));
      const rows = jobRows(clusterUrl, jobs, records);
      for (const row of rows) operations += row.operations.length;
      assert.deepEqual([rows.length, operations], [jobs.length, jobs.length]);
      return looks();
    });
  });
});
