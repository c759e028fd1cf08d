import { recordVersion, type LedgerRecord, type PairRecord } from "../ledger/record";
import { stableId } from "../base/murmur3";
import { placeKey } from "../model/location";
import type { Pairing, PairReason } from "./pairing";
import type { SinkPair } from "./savepointPairs";
import type { PaimonSnapshot } from "./snapshot";

/** Id of the record that remembers a savepoint's pair in a table: the same in every window, and by whichever path it is reached, since links in it are followed. */
export function pairRecordId(savepointPath: string, warehouse: string, table: string): string {
  return `pair-${stableId([placeKey(savepointPath), warehouse, table].join("\n"))}`;
}

/** What is remembered of a savepoint's pair in a table: by its place with links followed, or by how it is written, as records of before have it. */
export function rememberedOf(records: ReadonlyMap<string, PairRecord>, places: readonly string[], { warehouse, table }: { readonly warehouse: string; readonly table: string }): PairRecord | undefined {
  return places.map((place) => records.get(pairRecordId(place, warehouse, table))).find((record) => record !== undefined);
}

/** What to remember of a pair that is proven; undefined for every other. `realPath`: its place with links followed. */
export function pairRecord(savepoint: { readonly path: string; readonly realPath: string; readonly recordId: string | null; readonly checkpointId: bigint }, { place, pairing }: SinkPair, atMs: number): PairRecord | undefined {
  const { grade, snapshot, tags } = pairing;
  if (place === null || snapshot === null || (grade !== "exact" && grade !== "unprotected")) return undefined;
  const { id, commitUser, commitIdentifier, timeMs, totalRecordCount, uuid } = snapshot;
  return {
    kind: "pair", version: recordVersion, id: pairRecordId(savepoint.realPath, place.warehouse, place.table),
    savepoint: { path: savepoint.path, recordId: savepoint.recordId, checkpointId: String(savepoint.checkpointId) }, ...place,
    snapshot: { id, commitUser, commitIdentifier: String(commitIdentifier), timeMs, totalRecordCount, uuid },
    tags: tags.map(({ name }) => name), seenAtMs: atMs, trail: [{ atMs, event: `${grade} when first seen` }],
  };
}

/**
 * A pairing in the light of what was seen first. Another snapshot in the same place was put there by a rollback and a restore since: `changed`. The
 * same one dispels the doubts that come from what has expired meanwhile.
 */
export function withRemembered(pairing: Pairing, before: PairRecord | undefined): Pairing {
  if (before === undefined) return pairing;
  const differs: PairReason = { code: "differs", snapshotId: before.snapshot.id, timeMs: before.snapshot.timeMs, seenAtMs: before.seenAtMs };
  // What was committed once neither waits nor is the same as an earlier state: a rollback has taken it.
  if (pairing.grade === "waiting" || pairing.grade === "idle") return { ...pairing, grade: "none", snapshot: null, tags: [], reasons: [differs, ...pairing.reasons] };
  if (pairing.snapshot === null || (pairing.grade !== "exact" && pairing.grade !== "unprotected" && pairing.grade !== "changed" && pairing.grade !== "foreign")) return pairing;
  if (!isRemembered(pairing.snapshot, before)) {
    // Paimon commits an APPEND and a COMPACT under one number, and a tag may keep either.
    const isTwin = Math.abs(pairing.snapshot.id - before.snapshot.id) === 1 && String(pairing.snapshot.commitIdentifier) === before.snapshot.commitIdentifier && pairing.snapshot.commitUser === before.snapshot.commitUser && Math.abs(pairing.snapshot.timeMs - before.snapshot.timeMs) < 60_000;
    if (isTwin) return pairing;
    return { ...pairing, grade: "changed", reasons: [differs, ...pairing.reasons] };
  }
  const isDoubt = ({ code }: { readonly code: string }): boolean => code === "base-jumps" || code === "base-unseen";
  if (pairing.grade !== "changed" || !pairing.reasons.some(isDoubt)) return pairing;
  return { ...pairing, grade: pairing.tags.length > 0 ? "exact" : pairing.decoy === null ? "unprotected" : "foreign", reasons: [{ code: "remembered", seenAtMs: before.seenAtMs }, ...pairing.reasons.filter((reason) => !isDoubt(reason))] };
}

/** Remembered pairs by id. */
export function pairRecordsIn(records: readonly LedgerRecord[]): ReadonlyMap<string, PairRecord> {
  return new Map(records.flatMap((record) => (record.kind === "pair" ? [[record.id, record] as const] : [])));
}

function isRemembered(snapshot: PaimonSnapshot, { snapshot: before }: PairRecord): boolean {
  return snapshot.id === before.id && snapshot.commitUser === before.commitUser && String(snapshot.commitIdentifier) === before.commitIdentifier && snapshot.timeMs === before.timeMs
    && (snapshot.uuid === null || before.uuid === null || snapshot.uuid === before.uuid);
}
