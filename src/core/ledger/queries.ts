import { placeKey } from "../model/location";
import { isUsable, liesAside, mayHaveStarted, type LedgerRecord, type RestoreRecord, type SavepointRecord } from "./record";

/** Something under way: what a status bar and a job's row show. */
export interface Operation {
  readonly what: "savepoint" | "stop" | "restore" | "disposal";
  readonly recordId: string;
  readonly cluster: string;
  readonly jobId: string;
  readonly jobName: string;
  readonly sinceMs: number;
}

/** Everything that has not ended, oldest first. */
export function operationsIn(records: readonly LedgerRecord[]): Operation[] {
  const operations: Operation[] = [];
  for (const record of records) {
    if (record.kind === "restore") {
      if (record.state === "requested" || record.state === "submitted") operations.push({ what: "restore", recordId: record.id, cluster: record.cluster.url, jobId: record.id, jobName: record.jobName, sinceMs: record.requestedAtMs });
      continue;
    }
    if (record.kind !== "savepoint") continue;
    const base = { recordId: record.id, cluster: record.cluster.url, jobId: record.job.id, jobName: record.job.name };
    if (record.state === "requested" || record.state === "running" || record.stop?.job === "pending") operations.push({ ...base, what: record.stop === null ? "savepoint" : "stop", sinceMs: record.requestedAtMs });
    if (record.disposal?.state === "requested") operations.push({ ...base, what: "disposal", sinceMs: record.disposal.requestedAtMs });
  }
  return operations.sort((a, b) => a.sinceMs - b.sinceMs);
}

/** Savepoints of the ledger at a place, by its key: one place may have several records. */
export function savepointsAt(place: string, records: readonly LedgerRecord[]): SavepointRecord[] {
  return records.filter((record): record is SavepointRecord => record.kind === "savepoint" && record.path !== null && placeKey(record.path) === place);
}

/** Starts of ours from a savepoint at a place, by its key, that reached Flink, or may have. */
export function restoresFrom(place: string, records: readonly LedgerRecord[]): RestoreRecord[] {
  return records.filter((record): record is RestoreRecord => record.kind === "restore" && record.savepoint !== null && placeKey(record.savepoint.path) === place && mayHaveStarted(record));
}

/** Starts that reached Flink, or may have, by the key of the place they began from. */
export function startsByPlace(records: readonly LedgerRecord[]): Map<string, RestoreRecord[]> {
  const starts = new Map<string, RestoreRecord[]>();
  for (const record of records) {
    if (record.kind !== "restore" || record.savepoint === null || !mayHaveStarted(record)) continue;
    const place = placeKey(record.savepoint.path);
    const list = starts.get(place);
    if (list) list.push(record);
    else starts.set(place, [record]);
  }
  return starts;
}

/** Locations that a job took over with CLAIM: Flink deletes them when it likes, so that nobody can count on them (C-27). */
export function claimedPlaces(records: readonly LedgerRecord[]): ReadonlySet<string> {
  const claims = records.filter((record): record is RestoreRecord => record.kind === "restore" && record.claimMode === "CLAIM" && mayHaveStarted(record));
  return new Set(claims.flatMap(({ savepoint }) => (savepoint === null ? [] : [placeKey(savepoint.path)])));
}

/** Where Flink wrote savepoints that cleanup has moved aside: nothing is there. */
export function vacatedPlaces(records: readonly LedgerRecord[]): ReadonlySet<string> {
  return new Set(records.flatMap((record) => (record.kind === "savepoint" && record.path !== null && liesAside(record) ? [placeKey(record.path)] : [])));
}

/** Newest savepoint that one can go back to, or null: complete, there as far as we know, not forgotten and in nobody else's hands. */
export function newestUsable(records: readonly SavepointRecord[], claimed: ReadonlySet<string>): SavepointRecord | null {
  let newest: SavepointRecord | null = null;
  for (const record of records) {
    if (!isUsable(record) || record.forgotten || record.disposal?.state === "unknown" || (newest !== null && record.requestedAtMs <= newest.requestedAtMs)) continue;
    if (claimed.size === 0 || !claimed.has(placeKey(record.path ?? ""))) newest = record;
  }
  return newest;
}
