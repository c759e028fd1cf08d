import assert from "node:assert/strict";
import { test } from "node:test";
import type { SavepointRecord } from "../../src/core/ledger/record";
import type { PairGrade } from "../../src/core/paimon/pairing";
import type { SinkPair } from "../../src/core/paimon/savepointPairs";
import type { PairService } from "../../src/services/pairs";
import { PairWatch, type PairsSettled } from "../../src/services/pairWatch";
import { missingText } from "../../src/host/paimon/pairOutcomes";
import type { LedgerDisk} from "./fakes";
import { JumpingClock, makeWorld, openWindow, SharedStorage, until } from "./fakes";
import { savepointRecord } from "./ledgerSamples";
import { SimulatedFlink, type SimulatedJob } from "./simulatedFlink";

function pair(grade: PairGrade, atMs: number, autoTag = true): SinkPair {
  const snapshot = { id: 4, schemaId: 0, commitUser: "u", commitIdentifier: 7n, commitKind: "APPEND", timeMs: atMs, totalRecordCount: 1, deltaManifestList: null, uuid: null };
  return {
    sink: { operatorId: "a".repeat(32), operatorName: null, objectName: "t", commitUser: "u", pending: [7n], autoTag, unread: null }, place: { warehouse: "file:/w", table: "d.t" },
    pairing: { grade, snapshot: grade === "waiting" ? null : snapshot, tags: grade === "exact" ? [{ name: "savepoint-7", snapshot, retainedMs: null }] : [], decoy: null, reasons: [] },
    latestSnapshotId: 4, snapshotExpiresMs: null, tagsExpireMs: null, tableAutoTag: null,
  };
}

/** A window with a job and a savepoint whose pair is what `grade` says. */
async function watched(grade: () => PairGrade, prepare: (job: SimulatedJob) => void = () => undefined, changes: Partial<SavepointRecord> = {}): Promise<{ readonly told: PairsSettled[]; readonly clock: JumpingClock; readonly record: () => SavepointRecord | undefined; readonly reload: () => Promise<PairsSettled[]> }> {
  const clock = new JumpingClock();
  const storage = new SharedStorage();
  const flink = new SimulatedFlink(clock, storage);
  const job = flink.addJob("ab12cd34ab12cd34ab12cd34ab12cd34", { name: "orders" });
  prepare(job);
  const world = makeWorld(clock, storage, flink);
  const disk: LedgerDisk = world.disk;
  disk.put(savepointRecord("s", { cluster: { name: "c", url: flink.url }, job: { id: job.jobId, name: "orders" }, state: "completed", checkpointId: 7, path: "file:/sp/savepoint-1", endedAtMs: clock.now(), ...changes }));
  const open = async (): Promise<PairsSettled[]> => {
    const window = openWindow(world);
    await window.clusters.refresh(flink.url, AbortSignal.timeout(10_000));
    const pairs = { isUsed: true, pairsOf: () => Promise.resolve({ checkpointId: 7n, isStop: false, pairs: [pair(grade(), clock.now() - 60_000)], problems: [], path: "", atMs: 0 }) } as unknown as PairService;
    const watch = new PairWatch({ ledger: window.ledger, pairs, clusters: window.clusters, jobs: window.jobs, clock, log: window.log });
    const told: PairsSettled[] = [];
    watch.onDidSettle((settled) => told.push(settled));
    await watch.start();
    return told;
  };
  return { told: await open(), clock, record: () => disk.savepoints()[0], reload: open };
}

test("P-5: a savepoint is watched until its tags are there; that is written down and told once, over a reload too", async () => {
  let grade: PairGrade = "waiting";
  const { told, clock, record, reload } = await watched(() => grade);
  await clock.sleep(60_000);
  assert.equal(record()?.tagsSettledAtMs, undefined);
  grade = "exact";
  await until(clock, "the tags are noticed", () => told.length > 0);
  assert.deepEqual(told[0]?.missing, []);
  assert.ok(record()?.tagsSettledAtMs !== undefined);
  const again = await reload();
  await clock.sleep(60_000);
  assert.deepEqual(again, []);
});

test("P-6: tags that will not come are told with what can be done: the job ended, or takes no checkpoints", async () => {
  const ended = await watched(() => "waiting", (job) => Object.assign(job, { state: "CANCELED", endTimeMs: 0, ready: false }));
  await until(ended.clock, "the end is noticed", () => ended.told.length > 0);
  assert.deepEqual(ended.told[0]?.missing, [{ why: "job-ended", tables: ["d.t"] }]);
  const without = await watched(() => "waiting", (job) => Object.assign(job, { checkpointing: false }));
  await until(without.clock, "that no checkpoint comes is noticed", () => without.told.length > 0);
  assert.deepEqual(without.told[0]?.missing, [{ why: "no-checkpoints", tables: ["d.t"] }]);
  for (const [grade, why] of [["unprotected", "not-tagged"], ["drained", "drained"], ["none", "unproven"], ["changed", "unproven"]] as const) {
    const other = await watched(() => grade);
    await until(other.clock, `${grade} is noticed`, () => other.told.length > 0);
    assert.deepEqual(other.told[0]?.missing, [{ why, tables: ["d.t"] }]);
    assert.match(missingText(other.told[0]?.missing ?? []), /d\.t.*\.$/);
  }
  const idle = await watched(() => "idle");
  await until(idle.clock, "idle is settled", () => idle.told.length > 0);
  assert.deepEqual(idle.told[0]?.missing, []);
});

test("a savepoint of days ago is settled on its row and told to nobody, and one on a storage that can't be read is left alone", async () => {
  const old = await watched(() => "none", undefined, { endedAtMs: Date.UTC(2026, 10, 20, 12) - 20 * 3_600_000 });
  await until(old.clock, "it is settled", () => old.record()?.tagsSettledAtMs !== undefined);
  await old.clock.sleep(60_000);
  assert.deepEqual(old.told, []);
  const far = await watched(() => "none", undefined, { path: "s3://bucket/savepoint-1" });
  await far.clock.sleep(600_000);
  assert.equal(far.record()?.tagsSettledAtMs, undefined);
});
