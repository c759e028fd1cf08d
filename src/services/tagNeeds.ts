import { isBeingCleanedUp, isUsable, type SavepointRecord } from "../core/ledger/record";
import type { Ledger } from "../core/ledger/store";
import { placeKey } from "../core/model/location";
import { pairRecordId } from "../core/paimon/remembered";
import { isUntold } from "../core/paimon/pairing";
import type { PaimonSnapshot } from "../core/paimon/snapshot";
import { pairedPlace, type PairService } from "./pairs";

/** A tag, by its table and name. */
export interface NamedTag {
  readonly warehouse: string;
  /** `database.table`. */
  readonly table: string;
  readonly tag: string;
}

/** Savepoints that lose something with a tag. */
export interface TagNeeds {
  /** Their pair is the tag. */
  readonly pairs: readonly SavepointRecord[];
  /** They have the tag's number, and they or tables that may be theirs can't be read from here: their pair it may be. */
  readonly unread: readonly SavepointRecord[];
}

/** Pairs that were looked at so lately are not read again, milliseconds. */
const freshMs = 60_000;

/**
 * Savepoints of the ledger that pair with a tag, those included that cleanup moved aside and that can be put back. Pairs that nobody has looked at yet are looked
 * at, which remembers them. `snapshot` is what the tag keeps, undefined when it can't be read. Rejects with the signal's reason, and `file-unreadable` for the ledger.
 */
export async function whoNeedsTag(pairs: Pick<PairService, "pairsOf" | "failure">, ledger: Pick<Ledger, "all">, tag: NamedTag, snapshot: PaimonSnapshot | undefined, signal: AbortSignal): Promise<TagNeeds> {
  const number = snapshot === undefined ? /^savepoint-(\d{1,15})$/.exec(tag.tag)?.[1] : String(snapshot.commitIdentifier);
  const there = (await ledger.all()).filter((record): record is SavepointRecord => record.kind === "savepoint" && (isUsable(record) || isBeingCleanedUp(record)));
  const unread: SavepointRecord[] = [];
  const realPaths = new Map<string, string>();
  for (const record of there) {
    if (number === undefined || String(record.checkpointId) !== number) continue;
    const place = pairedPlace(record);
    const found = place === undefined ? undefined : await pairs.pairsOf(place, freshMs, signal);
    if (found !== undefined) realPaths.set(record.id, found.realPath);
    const isOpen = found?.pairs.some(({ place: table, pairing }) => (table === null || (table.warehouse === tag.warehouse && table.table === tag.table)) && isUntold(pairing)) === true;
    if (found === undefined || isOpen || found.problems.length > 0 || pairs.failure(found.path) !== undefined) unread.push(record);
  }
  const records = await ledger.all();
  const remembered = ({ id, path }: SavepointRecord) => records.flatMap((pair) => {
    const isOf = pair.kind === "pair" && pair.warehouse === tag.warehouse && pair.table === tag.table && (placeKey(pair.savepoint.path) === placeKey(path ?? "") || pair.id === pairRecordId(realPaths.get(id) ?? "", tag.warehouse, tag.table));
    return isOf ? [pair] : [];
  });
  const isPair = (record: SavepointRecord): boolean => remembered(record).some((pair) => (snapshot === undefined ? pair.tags.includes(tag.tag) : pair.snapshot.id === snapshot.id && pair.snapshot.commitUser === snapshot.commitUser && pair.snapshot.timeMs === snapshot.timeMs));
  return { pairs: there.filter(isPair), unread: unread.filter((record) => remembered(record).length === 0) };
}
