import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  cancelRefusals, directoryWarning, disposalVerdict, type DisposalVerdict, type JobFacts, type JobSeen, restoreRefusals, restoreWarnings, savepointRefusals, savepointWarnings,
} from "../../src/core/guards";
import { rollbackRecordSchema, type LedgerRecord, type SavepointRecord } from "../../src/core/ledger/record";
import type { RestoredFrom } from "../../src/core/model/checkpoint";
import { savepointRecord } from "./ledgerSamples";
import { clusterInfo, clusterUrl, jobId, jobName, overview, restoreFrom, restoreRecord, stats } from "./samples";

const path = "file:/sp/savepoint-ab12cd-000000000001";
const completed = (id: string, changes: Partial<SavepointRecord> = {}): SavepointRecord =>
  savepointRecord(id, { state: "completed", path: `file:/sp/savepoint-ab12cd-${id}`, endedAtMs: 1_700_000_001_000, ...changes });
const checkpoint = stats(9, { kind: "checkpoint", format: null, path: "file:/cp/chk-9" });
const facts = (changes: Partial<JobFacts> = {}): JobFacts => ({
  cluster: clusterUrl, jobId, state: "RUNNING", overview: overview([checkpoint]), config: { intervalMs: 60_000, timeoutMs: 600_000 }, records: [], info: clusterInfo(), expectedMs: null, nowMs: 12_005, ...changes,
});

describe("a savepoint or a stop", () => {
  const rules = (changes: Partial<JobFacts>): string[] => savepointRefusals(facts(changes)).map(({ rule }) => rule);

  test("A-5: is for running jobs only", () => {
    assert.deepEqual(rules({}), []);
    for (const state of ["INITIALIZING", "CREATED", "RESTARTING", "FAILING", "CANCELLING", "FINISHED", "FAILED", "CANCELED", "SUSPENDED", "RECONCILING"] as const) assert.deepEqual(savepointRefusals(facts({ state })), [{ rule: "job-not-running", state }]);
  });

  test("is refused below 1.15, where a trigger id of ours would be ignored, and by a history server", () => {
    assert.deepEqual(savepointRefusals(facts({ info: clusterInfo("1.14.6") })), [{ rule: "version-too-old", version: "1.14.6", since: "1.15" }]);
    assert.deepEqual(savepointRefusals(facts({ info: clusterInfo("1.20.1", { kind: "history" }) })), [{ rule: "cluster-reads-only", kind: "history" }]);
    assert.deepEqual(rules({ info: clusterInfo("1.20.1", { kind: "application" }) }), []);
  });

  test("is refused while a stop is under way, ours or anybody's: a second one makes both fail and restarts the job", () => {
    const stopping = savepointRecord("a", { state: "running", stop: { drain: false, job: "pending" }, requestedAtMs: 5 });
    assert.deepEqual(savepointRefusals(facts({ records: [stopping] })), [{ rule: "operation-running", what: "stop", forMs: 12_000 }]);
    assert.deepEqual(rules({ records: [{ ...stopping, state: "completed", path }] }), ["operation-running"], "its savepoint is written, the job not yet ended");
    assert.deepEqual(rules({ overview: overview([stats(10, { kind: "stop-savepoint", status: "in-progress", triggeredAtMs: 7 }), checkpoint]) }), ["operation-running"]);
    assert.deepEqual(rules({ records: [{ ...stopping, job: { id: "other", name: jobName } }] }), [], "another job's stop is its own affair");
    assert.deepEqual(rules({ records: [{ ...stopping, cluster: { name: "b", url: "http://b" } }] }), ["operation-running"], "the same job, seen through another address");
    assert.deepEqual(rules({ records: [{ ...stopping, state: "failed", stop: { drain: false, job: "running-on" } }] }), []);
  });

  test("beside another savepoint goes on", () => {
    assert.deepEqual(rules({ records: [savepointRecord("a", { state: "running" })], overview: overview([stats(10, { status: "in-progress" })]) }), []);
  });
});

describe("before a savepoint or a stop a person is told", () => {
  test("that a job without a completed checkpoint restarts from scratch, or from what it was started from", () => {
    const warned = (changes: Partial<JobFacts>): unknown => savepointWarnings(facts(changes), "trigger");
    assert.deepEqual(warned({}), []);
    assert.deepEqual(warned({ overview: overview() }), [{ warning: "restart-from-scratch", checkpointing: true, startedFrom: null }]);
    assert.deepEqual(warned({ overview: overview(), config: { intervalMs: null, timeoutMs: 600_000 } }), [{ warning: "restart-from-scratch", checkpointing: false, startedFrom: null }]);
    assert.deepEqual(warned({ overview: overview([], { restored: { checkpointId: 1, restoredAtMs: 0, isSavepoint: true, path } }) }), [{ warning: "restart-from-scratch", checkpointing: true, startedFrom: path }]);
  });

  test("that it still does when only savepoints are complete: Flink never fails over to one", () => {
    const savepoint = stats(3);
    assert.deepEqual(savepointWarnings(facts({ overview: overview([savepoint], { completed: savepoint }) }), "trigger").map(({ warning }) => warning), ["restart-from-scratch"]);
  });

  test("that it may expire, once earlier ones took most of the checkpoint timeout", () => {
    assert.deepEqual(savepointWarnings(facts({ expectedMs: 500_000 }), "trigger"), [{ warning: "may-expire", expectedMs: 500_000, timeoutMs: 600_000 }]);
    assert.deepEqual(savepointWarnings(facts({ expectedMs: 400_000 }), "trigger"), []);
  });

  test("that a savepoint is being taken which a stop may break, ours or anybody's", () => {
    const running = { overview: overview([stats(10, { status: "in-progress" }), checkpoint]) };
    assert.deepEqual(savepointWarnings(facts(running), "stop"), [{ warning: "savepoint-running" }]);
    assert.deepEqual(savepointWarnings(facts(running), "trigger"), []);
    assert.deepEqual(savepointWarnings(facts({ records: [savepointRecord("a", { state: "running" })] }), "stop"), [{ warning: "savepoint-running" }], "statistics are up to three seconds old");
  });

  test("C-38: that a directory on one machine must be on all of them, unless the cluster is on this one", () => {
    assert.deepEqual(directoryWarning("file:///sp", "http://flink:8081"), { warning: "local-directory", directory: "file:///sp" });
    assert.deepEqual(directoryWarning("/sp", "https://10.0.0.1"), { warning: "local-directory", directory: "/sp" });
    for (const url of ["http://localhost:8081", "http://127.0.0.1:8081", "http://[::1]:8081"]) assert.equal(directoryWarning("/sp", url), undefined);
    assert.equal(directoryWarning("s3://b/sp", "http://flink:8081"), undefined);
  });
});

test("a job is cancelled only while it lives, where its cluster's owner left that on", () => {
  assert.deepEqual(cancelRefusals("RUNNING", clusterInfo()), []);
  assert.deepEqual(cancelRefusals("RESTARTING", clusterInfo()), []);
  assert.deepEqual(cancelRefusals("FAILED", clusterInfo()), [{ rule: "job-not-running", state: "FAILED" }]);
  assert.deepEqual(cancelRefusals(undefined, clusterInfo()), [{ rule: "job-not-running", state: "gone" }]);
  assert.deepEqual(cancelRefusals("RUNNING", clusterInfo("1.20.1", { cancelAllowed: false, kind: "history" })).map(({ rule }) => rule), ["cluster-reads-only", "cancel-switched-off"]);
});

describe("a restore", () => {
  test("is for session clusters from 1.15 on", () => {
    assert.deepEqual(restoreRefusals(clusterInfo(), path, []), []);
    assert.deepEqual(restoreRefusals(clusterInfo(), null, []), []);
    for (const kind of ["application", "history"] as const) assert.deepEqual(restoreRefusals(clusterInfo("1.20.1", { kind }), path, []), [{ rule: "cluster-reads-only", kind }]);
    assert.deepEqual(restoreRefusals(clusterInfo("1.14.0"), path, []), [{ rule: "version-too-old", version: "1.14.0", since: "1.15" }]);
  });

  test("C-27: never begins from a savepoint that a job claimed, however its path is spelled", () => {
    const claim = restoreFrom(`${path}/_metadata`, "b".repeat(32), { claimMode: "CLAIM", state: "running" });
    const claimed = [{ rule: "claimed", by: { jobId: claim.id, name: jobName } }];
    assert.deepEqual(restoreRefusals(clusterInfo(), path.replace("file:/", "file:///"), [claim]), claimed);
    for (const state of ["requested", "submitted", "safe", "unknown"] as const) assert.deepEqual(restoreRefusals(clusterInfo(), path, [{ ...claim, state }]), claimed, state);
    for (const state of ["planned", "dropped", "failed"] as const) assert.deepEqual(restoreRefusals(clusterInfo(), path, [{ ...claim, state }]), [], state);
    assert.deepEqual(restoreRefusals(clusterInfo(), path, [{ ...claim, claimMode: "NO_CLAIM" }]), []);
    const s3 = restoreFrom("s3a://b/sp/savepoint-ab12cd-01", "b".repeat(32), { claimMode: "CLAIM" });
    assert.deepEqual(restoreRefusals(clusterInfo(), "s3://b/sp/savepoint-ab12cd-01", [s3]), claimed, "the same bucket under another name of its file system");
  });

  test("never claims what is pinned, or what a job would need when it fails over: Flink would delete it", () => {
    const claims = (...records: readonly LedgerRecord[]): readonly string[] => restoreRefusals(clusterInfo(), path, records, "CLAIM").map(({ rule }) => rule);
    const pinned = savepointRecord("a", { state: "completed", path, pinned: true });
    assert.deepEqual(claims(pinned), ["claim-of-pinned"]);
    assert.deepEqual(restoreRefusals(clusterInfo(), path, [pinned], "NO_CLAIM"), []);
    for (const state of ["requested", "submitted", "running", "unknown"] as const) assert.deepEqual(claims(restoreFrom(path, "r", { state })), ["claim-of-needed"], state);
    for (const state of ["planned", "dropped", "failed", "safe"] as const) assert.deepEqual(claims(restoreFrom(path, "r", { state })), [], state);
    assert.deepEqual(claims(restoreFrom(path, "r", { state: "safe", claimMode: "LEGACY" })), ["claim-of-needed"], "its checkpoints refer to the savepoint for ever");
    assert.deepEqual(claims(restoreFrom(path, "r", { state: "running", endedAtMs: 1 })), []);
  });

  test("never begins from a savepoint that is, or is being, disposed of", () => {
    const disposal = (state: "requested" | "disposed" | "failed" | "unknown", message: string | null = null): LedgerRecord => completed("1", { path, disposal: { state, requestedAtMs: 1, requestId: null, endedAtMs: null, message, owner: { host: "", pid: 1, instance: "" } } });
    assert.deepEqual(restoreRefusals(clusterInfo(), path, [disposal("disposed")]), [{ rule: "already-disposed" }]);
    assert.deepEqual(restoreRefusals(clusterInfo(), path, [disposal("requested")]), [{ rule: "disposal-running" }]);
    assert.deepEqual(restoreRefusals(clusterInfo(), path, [disposal("failed", "the files are still there: no")]), []);
    assert.deepEqual(restoreRefusals(clusterInfo(), path, [disposal("unknown")]), [], "Flink says whether it is there");
  });

  test("C-13, C-12: warns of a drained savepoint, an unclean stop, and jobs started from it before", () => {
    assert.deepEqual(restoreWarnings(path, [completed("1", { path, stop: { drain: true, job: "stopped" } })]), [{ warning: "drained" }]);
    assert.deepEqual(restoreWarnings(path, [completed("1", { path, stop: { drain: false, job: "failed" } })]), [{ warning: "uncommitted", jobState: "FAILED" }]);
    assert.deepEqual(restoreWarnings(path, [restoreFrom(path, "c".repeat(32), { state: "safe" }), restoreFrom(path, "d", { state: "failed" })]), [{ warning: "already-restored", jobs: [{ jobId: "c".repeat(32), name: jobName }] }]);
    assert.deepEqual(restoreWarnings(null, [restoreRecord("a")]), []);
  });
});

describe("rule 1: a savepoint is disposed of", () => {
  const target = completed("1", { path });
  const other = completed("2");
  const job = { jobId: "e".repeat(32), name: "Restored" };
  const verdict = (records: readonly LedgerRecord[] = [], jobs: readonly JobSeen[] = [], record = target): DisposalVerdict => disposalVerdict(record, [record, other, ...records], jobs);
  const rules = (...given: Parameters<typeof verdict>): string[] => verdict(...given).refusals.map(({ rule }) => rule);
  const seen = (completedCheckpointId: number | null, restored: Partial<RestoredFrom> = {}): JobSeen => ({
    job, seen: { restored: { checkpointId: 4, restoredAtMs: 0, isSavepoint: true, path, ...restored }, completedCheckpointId, checkpointIntervalMs: 60_000 },
  });
  const restore = (changes: Parameters<typeof restoreFrom>[2] = {}): LedgerRecord => restoreFrom(path, job.jobId, { jobName: job.name, state: "running", ...changes });

  test("when nothing speaks against it", () => {
    assert.deepEqual(verdict(), { refusals: [], typing: null });
  });

  test("never when it is not a completed savepoint with a path, or is gone already", () => {
    for (const state of ["requested", "running", "failed", "unknown"] as const) assert.deepEqual(verdict([], [], { ...target, state }).refusals, [{ rule: "not-completed", state }]);
    assert.deepEqual(rules([], [], { ...target, path: null }), ["no-path"]);
    const disposal = { requestedAtMs: 1, requestId: null, endedAtMs: null, message: null, owner: target.owner };
    assert.deepEqual(rules([], [], { ...target, disposal: { ...disposal, state: "disposed" } }), ["already-disposed"]);
    assert.deepEqual(rules([], [], { ...target, disposal: { ...disposal, state: "requested" } }), ["disposal-running"]);
    for (const state of ["failed", "unknown"] as const) assert.deepEqual(rules([], [], { ...target, disposal: { ...disposal, state } }), [], "a second try is allowed");
  });

  test("P-12: never while a rollback of Paimon tables to it is planned or under way", () => {
    const rollback = (state: string): LedgerRecord => rollbackRecordSchema.parse({
      kind: "rollback", version: 1, id: "r", jobName: "Orders", savepoint: { path, recordId: "1", checkpointId: 4 }, tables: [], safetyName: null, restoreId: null, state, requestedAtMs: 0, endedAtMs: null, owner: target.owner, trail: [],
    });
    for (const state of ["planned", "rolling", "rolled-back", "restoring"]) assert.deepEqual(rules([rollback(state)]), ["in-use"], state);
    for (const state of ["done", "dropped"]) assert.deepEqual(rules([rollback(state)]), [], state);
  });

  test("P-12: after a rollback whose job did not start, only until the job has run from it and is safe, or it is given up", () => {
    const ended = rollbackRecordSchema.parse({
      kind: "rollback", version: 1, id: "r", jobName: "Orders", savepoint: { path, recordId: "1", checkpointId: 4 }, tables: [], safetyName: null, restoreId: null, state: "rolled-back", requestedAtMs: 5, endedAtMs: 6, owner: target.owner, trail: [],
    });
    assert.deepEqual(verdict([ended]).refusals, [{ rule: "in-use", by: { jobId: "r", name: "Orders" }, how: "was rolled back to it and has not been seen to run from it since; give up the rollback if it did" }]);
    assert.deepEqual(rules([ended, restore({ state: "safe", requestedAtMs: 4 })]), ["in-use"], "before the rollback");
    assert.deepEqual(rules([ended, restore({ state: "safe", requestedAtMs: 7 })]), []);
    assert.deepEqual(rules([{ ...ended, state: "dropped" }]), []);
  });

  test("what cleanup moved aside is no way back for another, and can't be restored from before it is put back", () => {
    const aside = { ...other, cleanup: { hits: [], triedAtMs: 0, attempts: 1, failure: null, aside: { path: "file:/sp/aside", state: "aside" as const, sinceMs: 0, untilMs: 1, owner: other.owner } } };
    assert.equal(disposalVerdict(target, [target, aside], []).typing, "only-completed");
    assert.deepEqual(restoreRefusals(clusterInfo(), aside.path, [aside]).map(({ rule }) => rule), ["moved-aside"]);
  });

  test("never when its folder is not a savepoint's: a checkpoint's files may be shared with a job", () => {
    assert.deepEqual(verdict([], [], { ...target, path: "s3://b/cp/chk-12" }).refusals, [{ rule: "not-a-savepoint", folder: "chk-12" }]);
  });

  test("never when it is pinned, under any record of the same place", () => {
    assert.deepEqual(rules([], [], { ...target, pinned: true }), ["pinned"]);
    assert.deepEqual(rules([completed("3", { path: "file:///sp/savepoint-ab12cd-000000000001/", origin: "found", pinned: true })]), ["pinned"]);
    assert.deepEqual(rules([completed("3", { path: "s3n://b/sp/savepoint-ab12cd-01", pinned: true })], [], { ...target, path: "s3a://b/sp/savepoint-ab12cd-01" }), ["pinned"]);
  });

  test("never while another record of the same place is being disposed of, or was", () => {
    const twin = (state: "requested" | "disposed"): LedgerRecord => completed("3", { path, disposal: { state, requestedAtMs: 1, requestId: null, endedAtMs: null, message: null, owner: target.owner } });
    assert.deepEqual(rules([twin("requested")]), ["disposal-running"]);
    assert.deepEqual(rules([twin("disposed")]), ["already-disposed"]);
  });

  test("never while the stop that wrote it has not ended", () => {
    assert.deepEqual(verdict([], [], { ...target, stop: { drain: false, job: "pending" } }).refusals, [{ rule: "in-use", by: { jobId, name: jobName }, how: "is being stopped with it" }]);
  });

  test("C-27: never when a job claimed it, by our record or by what Flink shows", () => {
    assert.deepEqual(verdict([restore({ claimMode: "CLAIM" })]).refusals, [{ rule: "claimed", by: job }]);
    assert.deepEqual(rules([restore({ claimMode: "CLAIM", state: "safe" })]), ["claimed"]);
    assert.deepEqual(rules([restore({ claimMode: "CLAIM", state: "unknown" })]), ["claimed"], "it may have started");
    assert.deepEqual(rules([restore({ claimMode: "CLAIM", state: "failed" })]), []);
    assert.deepEqual(verdict([], [seen(9, { isSavepoint: false })]).refusals, [{ rule: "claimed", by: job }]);
  });

  test("C-26: not before a job restored with NO_CLAIM has completed a checkpoint of its own", () => {
    assert.deepEqual(verdict([restore()], [seen(null)]).refusals, [{ rule: "no-claim-not-safe", by: job, checkpointIntervalMs: 60_000 }]);
    assert.deepEqual(rules([restore()], [seen(4)]), ["no-claim-not-safe"], "the number is the savepoint's own");
    assert.deepEqual(verdict([restore({ state: "safe" })], [seen(5)]), { refusals: [], typing: null });
  });

  test("C-26: not while a job restored from it may run where nobody can look", () => {
    assert.deepEqual(rules([restore()]), ["no-claim-not-safe"]);
    assert.deepEqual(rules([restore({ endedAtMs: 5 })]), []);
    assert.deepEqual(rules([restore({ state: "safe" })]), []);
  });

  test("not while a job of others runs that was restored from it, and only after typing once that has a checkpoint", () => {
    assert.deepEqual(verdict([], [seen(null)]).refusals, [{ rule: "restore-source", by: job }]);
    assert.deepEqual(verdict([], [seen(5)]), { refusals: [], typing: "restored-elsewhere" });
  });

  test("C-30: never while a job restored with LEGACY runs, also after its first checkpoint and its first failover", () => {
    const legacy = restore({ claimMode: "LEGACY", state: "safe" });
    assert.deepEqual(verdict([legacy], [seen(99)]).refusals, [{ rule: "restore-source", by: job }]);
    assert.deepEqual(verdict([legacy], [seen(99, { path: "file:/cp/chk-98", isSavepoint: false, checkpointId: 98 })]).refusals, [{ rule: "restore-source", by: job }]);
    assert.deepEqual(rules([restore({ claimMode: "LEGACY" })]), ["restore-source"], "it may run where nobody can look");
    assert.deepEqual(rules([legacy]), [], "it no longer runs");
  });

  test("not while it is being restored from, or a plan waits to", () => {
    for (const state of ["requested", "submitted"] as const) assert.deepEqual(verdict([restore({ state })]).refusals, [{ rule: "in-use", by: job, how: "is being restored from it" }]);
    const planned = [{ rule: "in-use", by: job, how: "is planned to be restored from it" }];
    assert.deepEqual(verdict([restore({ state: "planned", afterStop: "f" })]).refusals, planned, "a plan that goes back to it");
    assert.deepEqual(verdict([restoreRecord(job.jobId, { jobName: job.name, state: "planned", afterStop: target.id })]).refusals, planned, "a plan whose stop wrote it");
    assert.deepEqual(verdict([restore({ state: "planned" })]).refusals, [], "a plan of a rollback whose process died before it wrote that down: nobody can go on with it, nor drop it");
    assert.deepEqual(rules([restore({ state: "dropped" })]), []);
  });

  test("not when a running job could not be asked", () => {
    assert.deepEqual(verdict([], [{ job, seen: { error: "no answer" } }]).refusals, [{ rule: "job-unchecked", job, reason: "no answer" }]);
  });

  test("though jobs run that came from elsewhere, or from nothing", () => {
    assert.deepEqual(verdict([], [seen(null, { path: "file:/sp/savepoint-ab12cd-000000000002" }), seen(null, { path: null }), { job, seen: { restored: null, completedCheckpointId: null, checkpointIntervalMs: null } }]), { refusals: [], typing: null });
  });

  test("after the job's name was typed when it is the only one left to fall back on", () => {
    const only = (...others: readonly LedgerRecord[]): boolean => disposalVerdict(target, [target, ...others], []).typing === "only-completed";
    assert.ok(only());
    assert.equal(only(other), false);
    const disposal = { requestedAtMs: 1, requestId: null, endedAtMs: null, owner: target.owner, message: null };
    const useless: [string, LedgerRecord][] = [
      ["failed", completed("2", { state: "failed" })], ["of another job", completed("2", { job: { id: "z", name: "Another" } })], ["on another cluster", completed("2", { cluster: { name: "b", url: "http://b" } })],
      ["the same place", completed("2", { path: `${path}/` })], ["disposed", completed("2", { disposal: { ...disposal, state: "disposed" } })], ["being disposed", completed("2", { disposal: { ...disposal, state: "requested" } })],
      ["perhaps gone", completed("2", { disposal: { ...disposal, state: "unknown" } })], ["without metadata", completed("2", { disposal: { ...disposal, state: "failed", message: "_metadata is gone, other files are left: no" } })],
    ];
    for (const [why, record] of useless) assert.ok(only(record), why);
    assert.ok(only(other, restoreFrom(other.path ?? "", "f".repeat(32), { claimMode: "CLAIM", state: "safe" })), "Flink deletes a claimed one when it likes");
    assert.equal(only(completed("2", { job: { id: "earlier run", name: jobName } })), false, "an earlier run of the same job counts");
  });

  test("and a job is named once, for its strongest reason", () => {
    assert.deepEqual(rules([restore({ claimMode: "CLAIM" })], [seen(null, { isSavepoint: false })]), ["claimed"]);
  });
});
