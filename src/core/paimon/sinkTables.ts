import { operatorIdOf } from "../metadata/operatorId";
import type { PaimonCommitter } from "./committers";
import { checkpointIntervalMs, pairWith, type PairedSavepoint, type PairedTable, type Pairing } from "./pairing";
import type { PaimonSnapshot, PaimonTag } from "./snapshot";
import type { PairingTables, ToldTag } from "./tableSource";
import { skewMs, type PaimonTable, type WarehouseProblem } from "./warehouse";

/** A table with what it keeps. */
export interface BoardTable {
  readonly table: PaimonTable;
  readonly tags: readonly PaimonTag[];
  readonly snapshots: readonly PaimonSnapshot[];
  /** Tags of which it is not told whose commit they keep. */
  readonly told: readonly (ToldTag & { readonly name: string })[];
  /** Whence it is known. */
  readonly source: PairingTables;
}

/** A committer of a savepoint in one of the tables that it may write to; `table` is undefined when none of these is. */
export interface SinkPairing<T extends BoardTable> {
  readonly committer: PaimonCommitter;
  readonly table: T | undefined;
  readonly pairing: Pairing;
}

/** The option with which Paimon gives its operators uids. */
const suffixOption = "sink.operator-uid.suffix";

/** Which tables may be a savepoint's. */
export interface Wanted {
  /** Commit users and, without their database, tables of its committers. */
  readonly users: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
  /** Tables that are looked at first, as `database.table`. */
  readonly likely: readonly string[];
  readonly checkpointId: bigint;
}

/** What committers of a savepoint may have written. */
export function wantedBy(committers: readonly PaimonCommitter[], likely: readonly string[], checkpointId: bigint): Wanted {
  return { users: new Set(committers.flatMap(({ commitUser }) => commitUser ?? [])), names: new Set(committers.flatMap(({ objectName }) => objectName ?? [])), likely, checkpointId };
}

/** A catalog that a savepoint's job may have written into, by the key of its warehouse. */
export interface PairedCatalog {
  readonly path: string;
  readonly tables: PairingTables;
}

/** A table, and the warehouse it is in. */
export interface PlacedTable extends BoardTable {
  readonly warehouse: string;
}

/**
 * The tables that may be the committers', read whole: first those that are likely, then those whose newest commit or tag of this number is one of theirs, and
 * all only when that finds too few, and not through a gateway.
 */
export async function tablesFor(catalogs: readonly PairedCatalog[], { users, names, likely, checkpointId }: Wanted, problems: WarehouseProblem[], signal?: AbortSignal): Promise<readonly PlacedTable[]> {
  interface Place { readonly warehouse: string; readonly source: PairingTables; readonly table: PaimonTable }
  const all: Place[] = [];
  for (const { path, tables } of catalogs) for (const table of await tables.all(problems, signal)) all.push({ warehouse: path, source: tables, table });
  const isLikely = ({ table }: Place): boolean => likely.includes(table.name) || names.has(table.objectName);
  const read: PlacedTable[] = [];
  const found = new Set<string>();
  const take = async (place: Place): Promise<void> => {
    const taken = { ...place, ...(await place.source.contents(place.table, problems, signal)) };
    read.push(taken);
    for (const { commitUser } of [...taken.snapshots, ...taken.tags.map(({ snapshot }) => snapshot)]) if (users.has(commitUser)) found.add(commitUser);
  };
  const late: Place[] = [];
  for (const place of all.filter(isLikely)) await take(place);
  for (const place of all) {
    if (isLikely(place)) continue;
    const isCostly = place.source.way === "gateway";
    // Where each look is a job, only what is still missing is looked for, and never by reading everything.
    if (isCostly && found.size >= users.size) continue;
    if (await place.source.mayBeOf(place.table, users, `savepoint-${checkpointId}`, signal)) await take(place);
    else if (!isCostly) late.push(place);
  }
  // Branches of what was found belong to the picture, and a writer whose newest commit is another's is found by reading everything.
  for (const place of late) if (found.size < users.size || read.some(({ table }) => table.folder === place.table.folder)) await take(place);
  return read;
}

/**
 * Pairs all committers of a savepoint with the tables that they write. What one table tells helps with the others, since a job commits all of them with
 * the same checkpoint: how long it takes between two, and that a savepoint was complete before its own commit, whatever the time of a copied file says.
 */
export async function pairAll<T extends BoardTable>(savepoint: PairedSavepoint, committers: readonly PaimonCommitter[], tables: readonly T[], signal?: AbortSignal): Promise<readonly SinkPairing<T>[]> {
  const places: { readonly committer: PaimonCommitter; readonly written: readonly T[] }[] = [];
  for (const committer of committers) places.push({ committer, written: await tablesWrittenBy(committer, tables, signal) });
  const intervals = places.flatMap(({ committer, written }) => written.flatMap((table) => (committer.commitUser === null ? [] : (checkpointIntervalMs(pairedTable(table, signal), committer.commitUser) ?? [])))).sort((a, b) => a - b);
  const known: PairedSavepoint = { ...savepoint, ...(intervals.length === 0 ? {} : { intervalMs: intervals[Math.floor(intervals.length / 2)] as number }) };
  const first = await pairEach(known, places, signal);
  const proven = first.flatMap(({ pairing: { snapshot, reasons } }) => (snapshot !== null && reasons.some(({ code }) => code === "files-match") ? [snapshot.timeMs] : []));
  const committedMs = Math.min(...proven);
  if (!(committedMs < savepoint.completedMs - skewMs)) return first;
  return pairEach({ ...known, completedMs: committedMs, isCopy: true }, places, signal);
}

async function pairEach<T extends BoardTable>(savepoint: PairedSavepoint, places: readonly { readonly committer: PaimonCommitter; readonly written: readonly T[] }[], signal: AbortSignal | undefined): Promise<SinkPairing<T>[]> {
  const pairs: SinkPairing<T>[] = [];
  for (const { committer, written } of places) {
    const own: SinkPairing<T>[] = [];
    for (const table of written) own.push({ committer, table, pairing: await pairWith(savepoint, committer, pairedTable(table, signal)) });
    // A table that was renamed keeps its commits, and another may have its name by now: the one whose files are proven is meant.
    const named = own.filter(({ table }) => table?.table.objectName === committer.objectName);
    const isProven = ({ pairing }: SinkPairing<T>): boolean => pairing.reasons.some(({ code }) => code === "files-match");
    const meant = named.length === 0 ? own : own.some(isProven) && !named.some(isProven) ? own.filter(isProven) : named;
    pairs.push(...meant);
    if (own.length === 0) pairs.push({ committer, table: undefined, pairing: { grade: "none", snapshot: null, tags: [], decoy: null, reasons: [{ code: "never-committed" }] } });
  }
  return pairs;
}

function pairedTable({ table, tags, snapshots, told, source }: BoardTable, signal: AbortSignal | undefined): PairedTable {
  return {
    tags, snapshots, told, isAsked: source.way === "gateway",
    deltaFiles: (snapshot) => source.changedFiles(table, snapshot, signal), holds: (files) => source.holds(table, files, signal), isRolledBack: () => source.isRolledBack(table, snapshots.at(-1)?.id),
  };
}

/**
 * Tables in which the committer's user has a snapshot or a tag; without any, the ones whose uid is the operator's, which hold a file that the savepoint names,
 * or the only one that has the name in the operator's. A branch that was made of a tag has that tag's snapshot too and is not written for that: it counts
 * where the operator's name says so, or where its table has none.
 */
export async function tablesWrittenBy<T extends BoardTable>(committer: PaimonCommitter, tables: readonly T[], signal?: AbortSignal): Promise<readonly T[]> {
  const { commitUser, objectName } = committer;
  const byUser = tables.filter(({ tags, snapshots }) => commitUser !== null && [...snapshots, ...tags.map((tag) => tag.snapshot)].some((snapshot) => snapshot.commitUser === commitUser));
  if (byUser.length > 0) {
    const folders = new Set(byUser.map(({ table }) => table.folder));
    return [...folders].flatMap((folder) => {
      const found = byUser.filter(({ table }) => table.folder === folder);
      const named = found.filter(({ table }) => table.objectName === objectName);
      const main = tables.filter(({ table }) => table.folder === folder && table.home === folder);
      return named.length > 0 ? named : found.some(({ table }) => table.home === folder) ? main : found;
    });
  }
  const byUid: T[] = [];
  for (const each of tables) {
    const suffix = (await each.source.options(each.table, [], signal))?.[suffixOption];
    if (suffix !== undefined && operatorIdOf(`Global Committer_${each.table.objectName}_${suffix}`) === committer.operatorId) byUid.push(each);
  }
  if (byUid.length === 1) return byUid;
  const files = new Set([...committer.files.values()].flatMap((names) => [...names]));
  const holding: T[] = [];
  if (files.size > 0) for (const each of byUid.length > 0 ? byUid : tables) if (each.table.home === each.table.folder && (await each.source.holds(each.table, files, signal))) holding.push(each);
  if (holding.length === 1) return holding;
  const byName = tables.filter(({ table }) => table.objectName === objectName);
  return byName.length === 1 ? byName : [];
}
