import type { JobNamed, Refusal } from "../errors";
import { disposalVerdict, runningFrom, type JobSeen } from "../guards";
import { claimedPlaces, newestUsable, startsByPlace, vacatedPlaces } from "../ledger/queries";
import { isUsable, liesAside, lostItsMetadata, type LedgerRecord, type SavepointRecord } from "../ledger/record";
import { stableId } from "../base/murmur3";
import { placeKey } from "../model/location";
import type { CleanupRules } from "./rules";

/** A rule that a savepoint falls under. `position` counts from the newest, which is 1. */
export type Hit =
  | { readonly rule: "keep"; readonly keep: number; readonly position: number }
  | { readonly rule: "age"; readonly maxAgeMs: number; readonly ageMs: number };

/** Why a savepoint stays. */
export type Spare =
  /** No rule hits it. */
  | { readonly spare: "within-rules" }
  /** Not taken by a schedule of ours; an unknown origin counts as a person's. */
  | { readonly spare: "not-scheduled"; readonly origin: SavepointRecord["origin"] }
  /** A person took it off the list, and answers for its files since. */
  | { readonly spare: "forgotten" }
  /** The newest one that the job can go back to, whatever its age. */
  | { readonly spare: "last-completed" }
  /** A job that runs was restored from it, however long ago. */
  | { readonly spare: "restore-source"; readonly by: JobNamed }
  /** Somebody keeps a Paimon tag that belongs to it. */
  | { readonly spare: "tag-needed"; readonly tags: readonly string[] }
  /** A cluster could not be asked whether a job there needs it, and nobody is there to answer for that. */
  | { readonly spare: "cluster-unchecked"; readonly cluster: string; readonly reason: string }
  /** Ages, and the time to undo, can't be believed; see the refusal of that name. */
  | { readonly spare: "clock-differs"; readonly aheadMs: number | null }
  /** A record of the ledger can't be read, and may say that a job needs it. */
  | { readonly spare: "ledger-unread"; readonly file: string }
  /** *Dispose* would be refused, by the same rules. */
  | { readonly spare: "refused"; readonly refusals: readonly Refusal[] }
  /** The rules ask for a time in which it can be put back, and its folder is on a disk and can't be moved aside; `reason` is the system's code, or words of ours. */
  | { readonly spare: "no-undo"; readonly reason: string }
  /** It is not what the preview showed, or was not in it. */
  | { readonly spare: "changed" };

/** How a victim goes: its folder is moved aside first and can be put back, or Flink disposes of it at once, because that is wanted, or because its storage is no disk of ours. */
export type Removal = "aside" | "at-once";

/** One savepoint of the job, and what becomes of it. */
export interface CleanupRow {
  readonly record: SavepointRecord;
  /** Milliseconds since it was asked for. */
  readonly ageMs: number;
  /** Rules that it falls under; empty when it is none of theirs. */
  readonly hits: readonly Hit[];
  /** Why it stays; empty for a victim. */
  readonly spares: readonly Spare[];
  /** Set for victims once the storage was looked at. */
  readonly removal?: Removal;
}

/** What the rules would do to the savepoints of one job. Nothing is done by it. */
export interface CleanupPlan {
  readonly cluster: string;
  readonly jobName: string;
  readonly rules: CleanupRules;
  readonly atMs: number;
  /** Every savepoint of the job that is there or may be, newest first. */
  readonly rows: readonly CleanupRow[];
  /**
   * Set when nothing was taken for longer than the age rule allows, up to the newest or since, so that all older ones would go at once: how
   * long the pause was, milliseconds. Such a plan waits for a person.
   */
  readonly pauseMs: number | null;
}

/** What a plan is made of. */
export interface CleanupFacts {
  readonly cluster: string;
  readonly jobName: string;
  readonly rules: CleanupRules;
  readonly records: readonly LedgerRecord[];
  /** Every job that runs, on any cluster. */
  readonly jobs: readonly JobSeen[];
  /** Clusters that did not answer. */
  readonly unchecked: readonly { readonly cluster: string; readonly reason: string }[];
  /** Files of the ledger that can't be read. */
  readonly unread: readonly string[];
  /** Places, by their keys, where savepoints of the job lay and are no more: nothing to count on. */
  readonly vanished: ReadonlySet<string>;
  /** How far this machine's clock is ahead of the cluster's, milliseconds; null when nothing tells, which only rules that act by themselves mind. */
  readonly clockAheadMs: number | null;
  /** True when nobody looks on. */
  readonly isByItself: boolean;
  /** Names of the Paimon tags that somebody keeps and that belong to a savepoint. */
  tagsNeeded(record: SavepointRecord): readonly string[];
  /** Marks of pins beside a savepoint, of ledgers that are not this one. */
  pinnedBeside(record: SavepointRecord): readonly Refusal[];
  /** Epoch milliseconds. */
  readonly nowMs: number;
}

/** Clocks that are further apart than this make no ages, milliseconds: a clock that jumped ahead would make all savepoints old at once. A machine that was suspended agrees with its cluster when it wakes. */
const clockToleranceMs = 10 * 60_000;

/** Whether two clocks are too far apart for one to tell the age of what the other took. */
export function clocksDiffer(aheadMs: number): boolean {
  return Math.abs(aheadMs) > clockToleranceMs;
}

/** True for a savepoint that goes. */
export function isVictim(row: CleanupRow): boolean {
  return row.spares.length === 0;
}

/**
 * Weighs every savepoint of a job, followed by its name over restarts, against the rules and against everything that forbids
 * *Dispose* (safety rule 1), and more strictly where a person would be asked: what is in doubt stays. Pure: the same facts give the same plan.
 */
export function planCleanup(facts: CleanupFacts): CleanupPlan {
  const { cluster, jobName, rules, records, nowMs } = facts;
  const mine = records.filter((record): record is SavepointRecord => record.kind === "savepoint" && record.cluster.url === cluster && record.job.name === jobName);
  const claimed = new Set([...claimedPlaces(records), ...vacatedPlaces(records), ...facts.vanished]);
  const places = placesOf(records);
  const kept = mine.filter((record) => !isForgotten(record, places));
  // The clock may have run ahead: then those of that time only look newer than what was taken since.
  const newestPlaces = new Set([kept, kept.filter(({ requestedAtMs }) => requestedAtMs <= nowMs)].flatMap((some) => newestUsable(some, claimed)?.path ?? []).map(placeKey));
  const shown = mine.filter((record) => mayBeThere(record) && !isFoundTwin(record, places)).sort(newestFirst);
  // What another may take away, or is on its way out, is nothing to count on.
  const counted = shown.filter((record) => isScheduled(record, places) && isUsable(record) && record.disposal?.state !== "unknown" && !isForgotten(record, places) && !claimed.has(placeKey(record.path ?? "")) && record.requestedAtMs <= nowMs);
  const position = new Map(counted.map((record, at) => [record.id, at + 1]));
  const guard = guardOf(facts, mine, places, claimed);
  const rows = shown.map((record): CleanupRow => {
    const ageMs = Math.max(0, nowMs - record.requestedAtMs);
    if (!isScheduled(record, places)) return { record, ageMs, hits: [], spares: [{ spare: "not-scheduled", origin: originOf(record, places) }] };
    const hits = hitsOf(record, ageMs, position.get(record.id), rules);
    const spares = hits.length === 0 ? [{ spare: "within-rules" } as const] : sparesOf(record, { isForgotten: isForgotten(record, places), newestPlaces, refusals: [...guard(record), ...facts.pinnedBeside(record)] }, facts);
    return { record, ageMs, hits, spares };
  });
  return { cluster, jobName, rules, atMs: nowMs, rows, pauseMs: pauseOf(counted, rules, rows, nowMs) };
}

/** What a preview showed of one victim; equal as long as nothing about it has changed. */
export interface Shown {
  readonly recordId: string;
  readonly stamp: string;
}

/** The victims of a plan as a person saw them. */
export function shownVictims(plan: CleanupPlan): Shown[] {
  return plan.rows.filter(isVictim).map((row) => ({ recordId: row.record.id, stamp: stampOf(row) }));
}

/** A plan made now, cut down to what was shown before: what has changed since, or is new, stays. */
export function limitedTo(shown: readonly Shown[], plan: CleanupPlan): CleanupPlan {
  const stamps = new Map(shown.map(({ recordId, stamp }) => [recordId, stamp]));
  return { ...plan, rows: plan.rows.map((row) => (isVictim(row) && stamps.get(row.record.id) !== stampOf(row) ? { ...row, spares: [{ spare: "changed" }] } : row)) };
}

/** Names what a plan would do: the same as long as it would do the same. */
export function planMark(plan: CleanupPlan): string {
  return stableId(JSON.stringify([plan.cluster, plan.jobName, plan.rules, shownVictims(plan)])).slice(0, 12);
}

/** Sum of what goes, bytes; savepoints of unknown size do not count. */
export function freedBytes(rows: readonly CleanupRow[]): number {
  return rows.filter(isVictim).reduce((sum, { record }) => sum + (record.sizeBytes ?? 0), 0);
}

function stampOf({ record: { path, origin, state, pinned, forgotten, description, disposal, cleanup, sizeBytes }, removal }: CleanupRow): string {
  return JSON.stringify([removal ?? null, path, origin, state, pinned, forgotten, description, disposal?.state ?? null, cleanup?.aside ?? null, sizeBytes]);
}

function hitsOf(record: SavepointRecord, ageMs: number, position: number | undefined, { keep, maxAgeMs }: CleanupRules): Hit[] {
  const hits: Hit[] = [];
  // One that is not counted, say because its disposal failed before, stays under the rule that it fell under then.
  if (keep !== null && position !== undefined && position > keep) hits.push({ rule: "keep", keep, position });
  if (maxAgeMs !== null && ageMs > maxAgeMs) hits.push({ rule: "age", maxAgeMs, ageMs });
  if (hits.length === 0 && position === undefined && record.cleanup !== undefined) return [...record.cleanup.hits];
  return hits;
}

function sparesOf(record: SavepointRecord, of: { readonly isForgotten: boolean; readonly newestPlaces: ReadonlySet<string>; readonly refusals: readonly Refusal[] }, facts: CleanupFacts): Spare[] {
  const { newestPlaces, refusals } = of;
  const spares: Spare[] = [];
  if (of.isForgotten) spares.push({ spare: "forgotten" });
  if (newestPlaces.size === 0 || record.path === null || newestPlaces.has(placeKey(record.path))) spares.push({ spare: "last-completed" });
  if (refusals.length > 0) spares.push({ spare: "refused", refusals });
  for (const by of runningFrom(record, facts.records, facts.jobs)) if (!refusals.some((refusal) => "by" in refusal && refusal.by.jobId === by.jobId)) spares.push({ spare: "restore-source", by });
  const tags = facts.tagsNeeded(record);
  if (tags.length > 0) spares.push({ spare: "tag-needed", tags });
  for (const { cluster, reason } of facts.unchecked) spares.push({ spare: "cluster-unchecked", cluster, reason });
  if (facts.clockAheadMs === null ? facts.isByItself : clocksDiffer(facts.clockAheadMs)) spares.push({ spare: "clock-differs", aheadMs: facts.clockAheadMs });
  for (const file of facts.unread) spares.push({ spare: "ledger-unread", file });
  return spares;
}

/**
 * The rules of *Dispose*, asked of one savepoint after the other. Each gets only the records that can matter to it: starts, those at its place, and
 * the newest others of its job, of which one is enough to go back to. What asks a person to type stays.
 */
function guardOf({ records, jobs }: CleanupFacts, mine: readonly SavepointRecord[], places: Places, claimed: ReadonlySet<string>): (record: SavepointRecord) => readonly Refusal[] {
  const starts = [...startsByPlace(records).values()].flat();
  const plans = records.filter((record) => record.kind === "rollback" || (record.kind === "restore" && record.state === "planned"));
  const ways = mine.filter((record) => newestUsable([record], claimed) !== null).sort(newestFirst).slice(0, 2);
  return (record) => {
    const here = record.path === null ? [record] : (places.get(placeKey(record.path)) ?? [record]);
    const verdict = disposalVerdict(record, [...starts, ...plans, ...here, ...ways.filter((way) => !here.includes(way))], jobs);
    if (verdict.refusals.length > 0 || verdict.typing === null) return verdict.refusals;
    return verdict.typing === "only-completed" ? [{ rule: "only-completed" }] : [];
  };
}

/** Before the newest or since: also the clock of a machine that jumped ahead makes a pause, when Flink runs on the same one. */
function pauseOf(counted: readonly SavepointRecord[], { maxAgeMs }: CleanupRules, rows: readonly CleanupRow[], nowMs: number): number | null {
  const [latest, before] = counted;
  if (latest === undefined || before === undefined || maxAgeMs === null || !rows.some((row) => isVictim(row) && row.hits.some(({ rule }) => rule === "age"))) return null;
  const pauseMs = Math.max(nowMs - latest.requestedAtMs, latest.requestedAtMs - before.requestedAtMs);
  return pauseMs > maxAgeMs ? pauseMs : null;
}

type Places = ReadonlyMap<string, readonly SavepointRecord[]>;

function placesOf(records: readonly LedgerRecord[]): Places {
  const places = new Map<string, SavepointRecord[]>();
  for (const record of records) {
    if (record.kind !== "savepoint" || record.path === null) continue;
    const place = placeKey(record.path);
    const list = places.get(place);
    if (list) list.push(record);
    else places.set(place, [record]);
  }
  return places;
}

/** False for what failed, what is gone, and what lies aside. */
function mayBeThere(record: SavepointRecord): boolean {
  return !liesAside(record) && record.state !== "failed" && (record.disposal?.state !== "disposed" || lostItsMetadata(record));
}

/** What the history shows of one that we took is the same one, and ours says more. */
function isFoundTwin(record: SavepointRecord, places: Places): boolean {
  return record.origin === "found" && record.path !== null && (places.get(placeKey(record.path)) ?? []).some(({ origin }) => origin !== "found");
}

/** The origin that counts: of several records at one place, one that is not of a schedule. */
function originOf(record: SavepointRecord, places: Places): SavepointRecord["origin"] {
  if (record.path === null) return record.origin;
  return (places.get(placeKey(record.path)) ?? []).find(({ origin }) => origin !== "found" && origin !== "scheduled")?.origin ?? record.origin;
}

function isForgotten(record: SavepointRecord, places: Places): boolean {
  return record.forgotten || (record.path !== null && (places.get(placeKey(record.path)) ?? []).some(({ forgotten }) => forgotten));
}

function isScheduled(record: SavepointRecord, places: Places): boolean {
  return originOf(record, places) === "scheduled";
}

function newestFirst(a: SavepointRecord, b: SavepointRecord): number {
  return b.requestedAtMs - a.requestedAtMs || (a.id < b.id ? 1 : -1);
}
