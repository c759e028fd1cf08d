import { operatorIdOf } from "../metadata/operatorId";
import type { PaimonCommitter } from "./committers";
import { deltaFiles } from "./manifest";
import { checkpointIntervalMs, pairWith, type PairedSavepoint, type PairedTable, type Pairing } from "./pairing";
import type { PaimonSnapshot, PaimonTag } from "./snapshot";
import { optionsOf, snapshotFile, type PaimonTable, type WarehouseReader } from "./warehouse";

/** A table with what it keeps. */
export interface BoardTable {
  readonly table: PaimonTable;
  readonly tags: readonly PaimonTag[];
  readonly snapshots: readonly PaimonSnapshot[];
}

/** A committer of a savepoint in one of the tables that it may write to; `table` is undefined when none of these is. */
export interface SinkPairing<T extends BoardTable> {
  readonly committer: PaimonCommitter;
  readonly table: T | undefined;
  readonly pairing: Pairing;
}

/** The option with which Paimon gives its operators uids. */
const suffixOption = "sink.operator-uid.suffix";
/** Clocks of two machines may differ by so much. */
const skewMs = 2_000;
/** Folders of a table that are looked through for a file. */
const mostFolders = 2_000;

/**
 * Pairs all committers of a savepoint with the tables that they write. What one table tells helps with the others, since a job commits all of them with
 * the same checkpoint: how long it takes between two, and that a savepoint was complete before its own commit, whatever the time of a copied file says.
 */
export async function pairAll<T extends BoardTable>(reader: WarehouseReader, savepoint: PairedSavepoint, committers: readonly PaimonCommitter[], tables: readonly T[], signal?: AbortSignal): Promise<readonly SinkPairing<T>[]> {
  const places: { readonly committer: PaimonCommitter; readonly written: readonly T[] }[] = [];
  for (const committer of committers) places.push({ committer, written: await tablesWrittenBy(reader, committer, tables, signal) });
  const intervals = places.flatMap(({ committer, written }) => written.flatMap((table) => (committer.commitUser === null ? [] : (checkpointIntervalMs(pairedTable(reader, table, signal), committer.commitUser) ?? [])))).sort((a, b) => a - b);
  const known: PairedSavepoint = { ...savepoint, ...(intervals.length === 0 ? {} : { intervalMs: intervals[Math.floor(intervals.length / 2)] as number }) };
  const first = await pairEach(reader, known, places, signal);
  const proven = first.flatMap(({ pairing: { snapshot, reasons } }) => (snapshot !== null && reasons.some(({ code }) => code === "files-match") ? [snapshot.timeMs] : []));
  const committedMs = Math.min(...proven);
  if (!(committedMs < savepoint.completedMs - skewMs)) return first;
  return pairEach(reader, { ...known, completedMs: committedMs, isCopy: true }, places, signal);
}

async function pairEach<T extends BoardTable>(reader: WarehouseReader, savepoint: PairedSavepoint, places: readonly { readonly committer: PaimonCommitter; readonly written: readonly T[] }[], signal: AbortSignal | undefined): Promise<SinkPairing<T>[]> {
  const pairs: SinkPairing<T>[] = [];
  for (const { committer, written } of places) {
    const own: SinkPairing<T>[] = [];
    for (const table of written) own.push({ committer, table, pairing: await pairWith(savepoint, committer, pairedTable(reader, table, signal)) });
    // A table that was renamed keeps its commits, and another may have its name by now: the one whose files are proven is meant.
    const named = own.filter(({ table }) => table?.table.objectName === committer.objectName);
    const isProven = ({ pairing }: SinkPairing<T>): boolean => pairing.reasons.some(({ code }) => code === "files-match");
    const meant = named.length === 0 ? own : own.some(isProven) && !named.some(isProven) ? own.filter(isProven) : named;
    pairs.push(...meant);
    if (own.length === 0) pairs.push({ committer, table: undefined, pairing: { grade: "none", snapshot: null, tags: [], decoy: null, reasons: [{ code: "never-committed" }] } });
  }
  return pairs;
}

function pairedTable(reader: WarehouseReader, { table, tags, snapshots }: BoardTable, signal: AbortSignal | undefined): PairedTable {
  return { tags, snapshots, deltaFiles: (snapshot) => deltaFiles(reader, table, snapshot, signal), holds: (files) => holdsFile(reader, table, files, signal), isRolledBack: () => isRolledBack(reader, table, snapshots.at(-1)?.id) };
}

/**
 * Tables in which the committer's user has a snapshot or a tag; without any, the ones whose uid is the operator's, which hold a file that the savepoint names,
 * or the only one that has the name in the operator's. A branch that was made of a tag has that tag's snapshot too and is not written for that: it counts
 * where the operator's name says so, or where its table has none.
 */
export async function tablesWrittenBy<T extends BoardTable>(reader: WarehouseReader, committer: PaimonCommitter, tables: readonly T[], signal?: AbortSignal): Promise<readonly T[]> {
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
    const suffix = (await optionsOf(reader, each.table, [], signal))?.[suffixOption];
    if (suffix !== undefined && operatorIdOf(`Global Committer_${each.table.objectName}_${suffix}`) === committer.operatorId) byUid.push(each);
  }
  if (byUid.length === 1) return byUid;
  const files = new Set([...committer.files.values()].flatMap((names) => [...names]));
  const holding: T[] = [];
  if (files.size > 0) for (const each of byUid.length > 0 ? byUid : tables) if (each.table.home === each.table.folder && (await holdsFile(reader, each.table, files, signal))) holding.push(each);
  if (holding.length === 1) return holding;
  const byName = tables.filter(({ table }) => table.objectName === objectName);
  return byName.length === 1 ? byName : [];
}

/** A commit writes its snapshot and then `LATEST`, at once; a rollback writes `LATEST` alone (`RollbackHelper`). */
async function isRolledBack(reader: WarehouseReader, table: PaimonTable, newest: number | undefined): Promise<boolean> {
  if (newest === undefined) return false;
  const [hint, snapshot] = await Promise.all([`${table.home}/snapshot/LATEST`, snapshotFile(table, newest)].map((file) => reader.look(file).catch(() => undefined)));
  return hint !== undefined && snapshot !== undefined && hint.modifiedMs - snapshot.modifiedMs > skewMs;
}

/** Whether one of these files lies in a bucket of the table: below folders of its partitions, `key=value`. */
async function holdsFile(reader: WarehouseReader, { folder }: PaimonTable, files: ReadonlySet<string>, signal: AbortSignal | undefined): Promise<boolean> {
  const open = [folder];
  for (let looked = 0; looked < mostFolders; looked++) {
    const next = open.pop();
    if (next === undefined) return false;
    const entries = (await reader.list(next, signal).catch(() => undefined)) ?? [];
    for (const { name, isFolder } of entries) {
      if (isFolder && (name.startsWith("bucket-") || name.includes("="))) open.push(`${next}/${name}`);
      const unique = isFolder ? undefined : /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-\d+/.exec(name)?.[0];
      if (unique !== undefined && files.has(unique)) return true;
    }
  }
  return false;
}
