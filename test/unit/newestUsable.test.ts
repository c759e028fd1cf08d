import assert from "node:assert/strict";
import { test } from "node:test";
import { claimedPlaces, newestUsable } from "../../src/core/ledger/queries";
import type { SavepointRecord } from "../../src/core/ledger/record";
import { jobRows } from "../../src/core/rows";
import { savepointRecord } from "./ledgerSamples";
import { clusterUrl, jobId, restoreFrom } from "./samples";

function completed(id: string, ageMs: number, changes: Partial<SavepointRecord> = {}): SavepointRecord {
  return savepointRecord(id, { state: "completed", path: `file:/sp/savepoint-ab12cd-${id}`, requestedAtMs: 1_700_000_000_000 - ageMs, ...changes });
}

test("the savepoint to go back to is the newest complete one that is there and in nobody else's hands", () => {
  const good = completed("good", 5_000);
  const records = [
    good, completed("older", 9_000),
    completed("claimed", 1_000), completed("disposed", 2_000, { disposal: { state: "disposed", requestedAtMs: 0, requestId: null, endedAtMs: 0, message: null, owner: good.owner } }),
    completed("unsure", 2_500, { disposal: { state: "unknown", requestedAtMs: 0, requestId: null, endedAtMs: 0, message: null, owner: good.owner } }),
    completed("forgotten", 3_000, { forgotten: true }), savepointRecord("running", { state: "running" }), savepointRecord("failed", { state: "failed" }),
  ];
  const claim = restoreFrom("file:///sp/savepoint-ab12cd-claimed/", "c1", { claimMode: "CLAIM", state: "running" });
  assert.equal(newestUsable(records, claimedPlaces([...records, claim]))?.id, "good");
  assert.equal(jobRows(clusterUrl, [], [...records, claim])[0]?.latestSavepoint?.id, "good");
  assert.equal(good.job.id, jobId);
});

test("a claim that never reached Flink takes nothing away, and NO_CLAIM never does", () => {
  const records = [completed("one", 1_000)];
  for (const state of ["planned", "dropped", "failed"] as const) {
    const claim = restoreFrom("file:/sp/savepoint-ab12cd-one", "c1", { claimMode: "CLAIM", state });
    assert.equal(newestUsable(records, claimedPlaces([...records, claim]))?.id, "one", state);
  }
  assert.equal(newestUsable(records, claimedPlaces([...records, restoreFrom("file:/sp/savepoint-ab12cd-one", "n1", { state: "running" })]))?.id, "one");
  for (const state of ["requested", "submitted", "running", "safe", "unknown"] as const) {
    const claim = restoreFrom("file:/sp/savepoint-ab12cd-one", "c1", { claimMode: "CLAIM", state });
    assert.equal(newestUsable(records, claimedPlaces([...records, claim])), null, state);
  }
});
