import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { freedBytes, isVictim, limitedTo, planCleanup, shownVictims, type CleanupFacts, type CleanupPlan } from "../../src/core/cleanup/plan";
import type { CleanupRules } from "../../src/core/cleanup/rules";
import type { JobSeen } from "../../src/core/guards";
import type { LedgerRecord, SavepointRecord } from "../../src/core/ledger/record";
import { savepointRecord } from "./ledgerSamples";
import { clusterUrl, jobName, restoreFrom } from "./samples";
import { seeded } from "./seeded";

const hour = 3_600_000;
const nowMs = 1_700_000_000_000;
const place = (number: number): string => `file:/sp/savepoint-ab12cd-${String(number).padStart(12, "0")}`;
/** The savepoint taken `number` hours ago. */
const taken = (number: number, changes: Partial<SavepointRecord> = {}): SavepointRecord =>
  savepointRecord(`s${number}`, { state: "completed", origin: "scheduled", path: place(number), checkpointId: 1000 - number, sizeBytes: 100, requestedAtMs: nowMs - number * hour, description: "", ...changes });
const rules = (changes: Partial<CleanupRules> = {}): CleanupRules => ({ keep: null, maxAgeMs: null, undoMs: 0, ...changes });
const seen = (jobId: string, path: string | null, changes: Partial<{ isSavepoint: boolean; completedCheckpointId: number | null }> = {}): JobSeen =>
  ({ job: { jobId, name: "Other" }, seen: { restored: path === null ? null : { checkpointId: 5, restoredAtMs: 0, isSavepoint: changes.isSavepoint ?? true, path }, completedCheckpointId: changes.completedCheckpointId ?? null, checkpointIntervalMs: 60_000 } });

function plan(records: readonly LedgerRecord[], with_: CleanupRules, changes: Partial<CleanupFacts> = {}): CleanupPlan {
  return planCleanup({ cluster: clusterUrl, jobName, rules: with_, records, jobs: [], unchecked: [], unread: [], vanished: new Set(), clockAheadMs: 0, isByItself: true, tagsNeeded: () => [], pinnedBeside: () => [], nowMs, ...changes });
}
const victims = (made: CleanupPlan): string[] => made.rows.filter(isVictim).map(({ record }) => record.id);
const spares = (made: CleanupPlan, id: string): string[] => made.rows.find(({ record }) => record.id === id)!.spares.map((spare) => (spare.spare === "refused" ? spare.refusals.map(({ rule }) => rule).join() : spare.spare));

describe("cleanup rules", () => {
  test("A-30: either rule is enough, and each victim names those that hit it", () => {
    const made = plan([taken(1), taken(2), taken(3), taken(50)], rules({ keep: 3, maxAgeMs: 2.5 * hour }));
    assert.deepEqual(victims(made), ["s3", "s50"]);
    assert.deepEqual(made.rows.map(({ hits }) => hits.map(({ rule }) => rule)), [[], [], ["age"], ["keep", "age"]]);
    assert.equal(freedBytes(made.rows), 200);
    assert.deepEqual(victims(plan([taken(1), taken(2)], rules())), [], "no rule, no victim");
  });

  test("A-8, A-29: touch only what our schedules took, whatever its age; an unknown origin counts as a person's", () => {
    const made = plan([taken(1), ...(["manual", "stop", "upgrade", "found"] as const).map((origin, at) => taken(100 + at, { origin }))], rules({ keep: 1, maxAgeMs: hour }));
    assert.deepEqual(victims(made), []);
    assert.deepEqual(spares(made, "s103"), ["not-scheduled"]);
  });

  test("follow a job by its name over restarts, on its own cluster", () => {
    const made = plan([taken(1), taken(2, { job: { id: "f".repeat(32), name: jobName } }), taken(3, { job: { id: "e".repeat(32), name: "Another" } }), taken(4, { cluster: { name: "x", url: "http://x" } })], rules({ keep: 1 }));
    assert.deepEqual(made.rows.map(({ record }) => record.id), ["s1", "s2"]);
    assert.deepEqual(victims(made), ["s2"]);
  });

  test("rule 1: a clock that ran ahead makes nothing older than it is: what was taken since it was set right stays, and so do the newest by either clock", () => {
    const ahead = [taken(-900), taken(-899), taken(-898)];
    assert.deepEqual(victims(plan([...ahead, taken(1), taken(2), taken(3)], rules({ keep: 2 }))), ["s3"]);
    assert.deepEqual(victims(plan([...ahead, taken(50), taken(51)], rules({ maxAgeMs: hour }))), ["s51"]);
  });

  test("rule 1: spare the newest that the job can go back to, however old, and one of a person does not replace it", () => {
    assert.deepEqual(victims(plan([taken(900), taken(901)], rules({ maxAgeMs: hour }))), ["s901"]);
    assert.deepEqual(spares(plan([taken(900)], rules({ maxAgeMs: hour })), "s900"), ["last-completed", "only-completed"]);
    assert.deepEqual(spares(plan([taken(900), taken(950, { origin: "manual" })], rules({ maxAgeMs: hour })), "s900"), ["last-completed"]);
  });

  test("rule 1, C-26, C-27: spare what a person pinned, a job claimed, needs until its first checkpoint, or was ever restored from", () => {
    const made = plan([
      taken(1), taken(10, { pinned: true }), taken(11), taken(12), taken(13), taken(14), taken(15),
      restoreFrom(place(11), "a".repeat(32), { claimMode: "CLAIM", state: "safe" }),
      restoreFrom(place(12), "b".repeat(32), { state: "running" }),
      restoreFrom(place(14), "c".repeat(32), { state: "planned", afterStop: "f" }),
      restoreFrom(place(15), "d".repeat(32), { state: "safe" }),
    ], rules({ keep: 1, maxAgeMs: 5 * hour }), { jobs: [seen("9".repeat(32), place(13), { completedCheckpointId: 99 }), seen("d".repeat(32), null)] });
    assert.deepEqual(["s10", "s11", "s12", "s13", "s14", "s15"].flatMap((id) => spares(made, id)), ["pinned", "claimed", "no-claim-not-safe", "restore-source", "in-use", "restore-source"]);
    assert.deepEqual(victims(made), []);
  });

  test("spare everything that would go while a cluster, or a job, can't be asked", () => {
    const all = [taken(1), taken(2)];
    assert.deepEqual(spares(plan(all, rules({ keep: 1 }), { unchecked: [{ cluster: "staging", reason: "refused" }] }), "s2"), ["cluster-unchecked"]);
    assert.deepEqual(spares(plan(all, rules({ keep: 1 }), { jobs: [{ job: { jobId: "1", name: "x" }, seen: { error: "no answer" } }] }), "s2"), ["job-unchecked"]);
  });

  test("spare what belongs to a tag that somebody keeps", () => {
    assert.deepEqual(spares(plan([taken(1), taken(2)], rules({ keep: 1 }), { tagsNeeded: ({ id }) => (id === "s2" ? ["release"] : []) }), "s2"), ["tag-needed"]);
  });

  test("count only what one can go back to: what is claimed, forgotten or half gone keeps no other from its place", () => {
    const made = plan([taken(1), taken(2, { forgotten: true }), taken(3), taken(4, { disposal: { state: "unknown", requestedAtMs: 0, requestId: null, endedAtMs: 0, message: null, owner: taken(1).owner } }), taken(5), restoreFrom(place(3), "a".repeat(32), { claimMode: "CLAIM", state: "safe" })], rules({ keep: 2 }));
    assert.deepEqual(victims(made), []);
  });

  test("A-31: after a pause that is longer than the age rule the plan waits for a person", () => {
    assert.equal(plan([taken(1), taken(800), taken(801)], rules({ maxAgeMs: 24 * hour })).pauseMs, 799 * hour);
    assert.equal(plan([taken(1), taken(23), taken(25)], rules({ maxAgeMs: 24 * hour })).pauseMs, null);
    assert.equal(plan([taken(1), taken(800)], rules({ keep: 1 })).pauseMs, null);
    assert.equal(plan([taken(30), taken(31), taken(60)], rules({ maxAgeMs: 24 * hour })).pauseMs, 30 * hour, "it goes on, or the clock jumped");
  });

  test("after a preview only that goes which was shown and has not changed", () => {
    const before = [taken(1), taken(2), taken(3), taken(4)];
    const shown = shownVictims(plan(before, rules({ keep: 2 })));
    const now = limitedTo(shown, plan([taken(0), ...before.map((record) => (record.id === "s3" ? { ...record, description: "keep" } : record))], rules({ keep: 2 })));
    assert.deepEqual(victims(now), ["s4"]);
    assert.deepEqual([spares(now, "s3"), spares(now, "s2")], [["changed"], ["changed"]]);
  });
});

describe("100,000 random histories", () => {
  test("never a manual, pinned, claimed, last, in-use or restore-source savepoint; and everything that the rules hit beside those", () => {
    const random = seeded(20_261_129);
    const upTo = (count: number): number => Math.floor(random() * count);
    const chance = (share: number): boolean => random() < share;
    let went = 0;
    for (let round = 0; round < 100_000; round++) {
      const history = randomHistory(upTo, chance);
      const made = plan(history.records, history.rules, { jobs: history.jobs, unchecked: history.unchecked, tagsNeeded: ({ id }) => (history.tagged.has(id) ? ["kept"] : []) });
      const gone = new Set(victims(made));
      went += gone.size;
      for (const truth of history.truths) {
        const forbidden = forbiddenFor(truth, history);
        if (gone.has(truth.record.id)) assert.equal(forbidden, null, `round ${round}: ${truth.record.id} goes, though it is ${forbidden}`);
        else assert.ok(forbidden !== null || !isHit(truth, history), `round ${round}: ${truth.record.id} stays for no reason`);
      }
    }
    assert.ok(went > 30_000, `only ${went} victims: the histories prove nothing`);
  });
});

/** What a made-up savepoint is, told apart from what the ledger says. */
interface Truth {
  readonly record: SavepointRecord;
  readonly bornMs: number;
  readonly byPerson: boolean;
  readonly whole: boolean;
  readonly claimed: boolean;
  /** A job runs, may run, starts or is planned that was, or will be, restored from it and may need it. */
  readonly needed: boolean;
  readonly tagged: boolean;
}

interface History {
  readonly truths: readonly Truth[];
  readonly records: readonly LedgerRecord[];
  readonly rules: CleanupRules;
  readonly jobs: readonly JobSeen[];
  readonly unchecked: readonly { cluster: string; reason: string }[];
  readonly tagged: ReadonlySet<string>;
}

function randomHistory(upTo: (count: number) => number, chance: (share: number) => boolean): History {
  const truths: Truth[] = [];
  const records: LedgerRecord[] = [];
  const jobs: JobSeen[] = [];
  const tagged = new Set<string>();
  const count = 1 + upTo(8);
  let number = 0;
  for (let at = 0; at < count; at++) {
    number += 1 + upTo(12);
    const ofPerson = chance(0.25);
    const whole = chance(0.9);
    const state = whole ? "completed" : (["failed", "unknown", "running", "completed"] as const)[upTo(4)]!;
    const disposal = whole || state !== "completed" ? null : { state: chance(0.5) ? ("disposed" as const) : ("requested" as const), requestedAtMs: 0, requestId: null, endedAtMs: null, message: null, owner: taken(1).owner };
    const path = state === "completed" ? place(number) : null;
    const record = taken(number, { origin: ofPerson ? (["manual", "stop", "upgrade", "found"] as const)[upTo(4)]! : "scheduled", state, path, disposal, pinned: chance(0.1), forgotten: chance(0.05) });
    records.push(record);
    // Other windows may have written the same savepoint down as found, and a person may have adopted it.
    const twin = path !== null && chance(0.15) ? (chance(0.6) ? ("found" as const) : (["manual", "stop", "upgrade"] as const)[upTo(3)]!) : null;
    if (twin !== null) records.push({ ...record, id: `twin-of-${record.id}`, origin: twin, pinned: false, forgotten: false });
    const byPerson = ofPerson || (twin !== null && twin !== "found");
    let [claimed, needed] = [false, false];
    for (let starts = chance(0.35) ? 1 + upTo(2) : 0; starts > 0 && path !== null; starts--) {
      const id = `${upTo(1e9)}`.padStart(32, "0");
      switch (upTo(7)) {
        case 0: records.push(restoreFrom(path, id, { claimMode: "CLAIM", state: (["running", "safe", "unknown"] as const)[upTo(3)]! })); claimed = true; break;
        case 1: records.push(restoreFrom(path, id, { afterStop: "f", state: (["planned", "requested", "submitted", "running"] as const)[upTo(4)]! })); needed = true; break;
        case 2: records.push(restoreFrom(path, id, { state: "safe" })); break;
        case 3: records.push(restoreFrom(path, id, { state: "failed", endedAtMs: 1 })); break;
        case 4: records.push(restoreFrom(path, id, { state: "safe" })); jobs.push(seen(id, path, { completedCheckpointId: 9 })); needed = true; break;
        case 5: jobs.push(seen(id, path, { completedCheckpointId: chance(0.5) ? 9 : null })); needed = true; break;
        default: jobs.push(seen(id, path, { isSavepoint: false })); claimed = true;
      }
    }
    const isTagged = chance(0.08);
    if (isTagged) tagged.add(record.id);
    truths.push({ record, bornMs: record.requestedAtMs, byPerson, whole, claimed, needed, tagged: isTagged });
  }
  const unchecked = chance(0.05) ? [{ cluster: "staging", reason: "refused" }] : [];
  if (chance(0.03)) jobs.push({ job: { jobId: "x", name: "x" }, seen: { error: "no answer" } });
  for (let at = records.length - 1; at > 0; at--) {
    const other = upTo(at + 1);
    [records[at], records[other]] = [records[other]!, records[at]!];
  }
  return { truths, records, jobs, unchecked, tagged, rules: rules({ keep: chance(0.7) ? 1 + upTo(4) : null, maxAgeMs: chance(0.6) ? (1 + upTo(60)) * hour : null }) };
}

/** What forbids that a savepoint goes, by the truth alone. */
function forbiddenFor(truth: Truth, { truths, unchecked, jobs, records }: History): string | null {
  if (truth.byPerson) return "manual";
  if (!truth.whole) return "not there, or on its way out";
  if (truth.record.pinned) return "pinned";
  if (truth.record.forgotten) return "forgotten";
  if (truth.claimed) return "claimed";
  if (truth.needed) return "in use";
  if (truth.tagged) return "tagged";
  if (unchecked.length > 0 || jobs.some(({ seen: what }) => "error" in what)) return "not certain";
  const claims = new Set(records.flatMap((record) => (record.kind === "restore" && record.claimMode === "CLAIM" ? [record.savepoint?.path] : [])));
  const toGoBackTo = truths.filter(({ record, whole }) => whole && !record.forgotten && !claims.has(record.path ?? undefined));
  return toGoBackTo.every(({ bornMs }) => bornMs <= truth.bornMs) ? "last" : null;
}

/** Whether a rule hits, counted anew: how many scheduled ones that one can go back to are newer. */
function isHit(truth: Truth, { truths, rules: { keep, maxAgeMs }, records }: History): boolean {
  const claims = new Set(records.flatMap((record) => (record.kind === "restore" && record.claimMode === "CLAIM" ? [record.savepoint?.path] : [])));
  const counts = ({ record, byPerson, whole }: Truth): boolean => whole && !byPerson && !record.forgotten && !claims.has(record.path ?? undefined);
  const newer = truths.filter((other) => counts(other) && other.bornMs > truth.bornMs).length;
  return (keep !== null && counts(truth) && newer >= keep) || (maxAgeMs !== null && nowMs - truth.bornMs > maxAgeMs);
}
