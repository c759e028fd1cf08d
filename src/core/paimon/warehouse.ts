import { mapLimit } from "../base/async";
import { parseLossless, readSnapshot, readTag, type PaimonSnapshot, type PaimonTag, type SnapshotFault } from "./snapshot";

/** The option that makes Paimon tag savepoints (P-7). */
export const autoTagOption = "sink.savepoint.auto-tag";

/** What is in a folder. */
export interface FolderEntry {
  readonly name: string;
  readonly isFolder: boolean;
}

/** A file or folder without its content. */
export interface PlaceLook {
  readonly isFolder: boolean;
  /** Epoch milliseconds. */
  readonly modifiedMs: number;
  /** Differs when the content may be another. */
  readonly stamp: string;
}

/** Reads a file system or an object store. All throw what keeps them from reading. */
export interface WarehouseReader {
  /** What is at a place; undefined when there is nothing. */
  look(place: string): Promise<PlaceLook | undefined>;
  /** Undefined when there is no such folder. */
  list(folder: string, signal?: AbortSignal): Promise<readonly FolderEntry[] | undefined>;
  /** Undefined when there is no such file. Throws when it is longer than `limitBytes`. */
  read(file: string, limitBytes: number, signal?: AbortSignal): Promise<Uint8Array | undefined>;
}

/** A table, or a branch of one, of a file-system catalog. */
export interface PaimonTable {
  /** `database.table`, for a branch `database.table$branch_name`. */
  readonly name: string;
  /** What the writer calls it in operator names: without the database. */
  readonly objectName: string;
  /** Folder with data and manifests; through a gateway a text that a table shares with its branches only. */
  readonly folder: string;
  /** Folder with `snapshot`, `tag` and `schema`: that of the table, or of the branch. Through a gateway its name. */
  readonly home: string;
}

/** Something in a warehouse that can't be read, by its place. */
export interface WarehouseProblem {
  readonly path: string;
  readonly problem: SnapshotFault | { readonly code: "unreadable"; readonly reason: string };
}

/** Files that are read at a time. */
export const readsAtOnce = 16;
/** What is read of a file of JSON at most, bytes: ample for what Paimon writes, some kilobytes. */
export const jsonLimitBytes = 1 << 20;
/** Clocks of two machines may differ by so much, milliseconds. */
export const skewMs = 2_000;
/** Folders of a table that are looked through for a file. */
const mostFolders = 2_000;

/** All tables and their branches, by name: folders with `schema/schema-*` below folders that end in `.db` (file-system and JDBC catalogs). */
export async function tablesOf(reader: WarehouseReader, warehouse: string, problems: WarehouseProblem[], signal?: AbortSignal): Promise<readonly PaimonTable[]> {
  const tables: PaimonTable[] = [];
  for (const database of await databasesOf(reader, warehouse, problems, signal)) {
    for (const folder of await tableFoldersOf(reader, warehouse, database, problems, signal)) {
      const table = await tableAt(reader, warehouse, database, folder, problems, signal);
      if (table === undefined) continue;
      tables.push(table);
      if (table.hasBranches) tables.push(...(await branchesOf(reader, table, problems, signal)));
    }
  }
  return tables.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The databases of a warehouse, by name. */
export async function databasesOf(reader: WarehouseReader, warehouse: string, problems: WarehouseProblem[], signal?: AbortSignal): Promise<readonly string[]> {
  return (await foldersIn(reader, warehouse, problems, signal)).filter((name) => name.endsWith(".db") && name.length > 3).map((name) => name.slice(0, -3));
}

/** What may be tables of a database, by name: `tableAt` says which are. */
export function tableFoldersOf(reader: WarehouseReader, warehouse: string, database: string, problems: WarehouseProblem[], signal?: AbortSignal): Promise<readonly string[]> {
  return foldersIn(reader, `${warehouse}/${database}.db`, problems, signal);
}

/** The table in a folder of a database, or undefined when it holds none. */
export async function tableAt(reader: WarehouseReader, warehouse: string, database: string, name: string, problems: WarehouseProblem[], signal?: AbortSignal): Promise<(PaimonTable & { readonly hasBranches: boolean }) | undefined> {
  const folder = `${warehouse}/${database}.db/${name}`;
  const inside = await foldersIn(reader, folder, problems, signal);
  return inside.includes("schema") ? { name: `${database}.${name}`, objectName: name, folder, home: folder, hasBranches: inside.includes("branch") } : undefined;
}

/** The branches of a table, by name. */
export async function branchesOf(reader: WarehouseReader, { name, objectName, folder }: PaimonTable, problems: WarehouseProblem[], signal?: AbortSignal): Promise<readonly PaimonTable[]> {
  const branches = (await foldersIn(reader, `${folder}/branch`, problems, signal)).filter((branch) => branch.startsWith("branch-"));
  return branches.map((branch) => {
    const suffix = `$branch_${branch.slice("branch-".length)}`;
    return { name: name + suffix, objectName: objectName + suffix, folder, home: `${folder}/branch/${branch}` };
  });
}

/** The table of a name, `database.table` or `database.table$branch_name`; undefined when there is none. */
export async function tableNamed(reader: WarehouseReader, warehouse: string, name: string, problems: WarehouseProblem[], signal?: AbortSignal): Promise<PaimonTable | undefined> {
  const [, database, plain, branch] = /^([^./\\]+)\.([^/\\]+?)(?:\$branch_([^/\\]+))?$/.exec(name) ?? [];
  if (database === undefined || plain === undefined || plain === "..") return undefined;
  const table = await tableAt(reader, warehouse, database, plain, problems, signal);
  if (branch === undefined || table === undefined) return table;
  return (await branchesOf(reader, table, problems, signal)).find((found) => found.name === name);
}

/** Names of the tags of a table: those of savepoints first, the highest number first, then the others by name. Nothing but the folder is read. */
export async function tagNamesOf(reader: WarehouseReader, table: PaimonTable, problems: WarehouseProblem[], signal?: AbortSignal): Promise<readonly string[]> {
  const names = (await filesIn(reader, `${table.home}/tag`, problems, signal)).filter((name) => name.startsWith("tag-")).map((name) => name.slice("tag-".length));
  const number = (name: string): number => (/^savepoint-\d{1,15}$/.test(name) ? Number(name.slice("savepoint-".length)) : -1);
  return names.map((name) => ({ name, order: number(name) })).sort((a, b) => b.order - a.order || (a.name < b.name ? -1 : 1)).map(({ name }) => name);
}

/** Ids of the snapshots that are still there, the newest first. Nothing but the folder is read. */
export async function snapshotIdsOf(reader: WarehouseReader, table: PaimonTable, problems: WarehouseProblem[], signal?: AbortSignal): Promise<readonly number[]> {
  return (await snapshotFilesOf(reader, table, problems, signal)).map((name) => Number(name.slice("snapshot-".length))).sort((a, b) => b - a);
}

/** One tag; undefined when it is gone, or when it can't be read, which `problems` then says. */
export function tagOf(reader: WarehouseReader, table: PaimonTable, name: string, problems: WarehouseProblem[], signal?: AbortSignal): Promise<PaimonTag | undefined> {
  return readJson(reader, tagFile(table, name), (text) => readTag(name, text), problems, signal);
}

/** One snapshot; undefined as a tag is. */
export function snapshotOf(reader: WarehouseReader, table: PaimonTable, id: number, problems: WarehouseProblem[], signal?: AbortSignal): Promise<PaimonSnapshot | undefined> {
  return readJson(reader, snapshotFile(table, id), readSnapshot, problems, signal);
}

/** Where a tag lies. */
export const tagFile = (table: PaimonTable, name: string): string => `${table.home}/tag/tag-${name}`;

/** Where a snapshot lies. */
export const snapshotFile = (table: PaimonTable, id: number): string => `${table.home}/snapshot/snapshot-${id}`;

/** The options of a table's newest schema (`schema-<n>`), as they are set; undefined when it can't be read, which `problems` then says. */
export async function optionsOf(reader: WarehouseReader, table: PaimonTable, problems: WarehouseProblem[], signal?: AbortSignal): Promise<Readonly<Record<string, string>> | undefined> {
  const ids = (await filesIn(reader, `${table.home}/schema`, problems, signal)).flatMap((name) => (/^schema-\d{1,15}$/.test(name) ? [Number(name.slice("schema-".length))] : []));
  if (ids.length === 0) return undefined;
  const schema = await readJson(reader, `${table.home}/schema/schema-${Math.max(...ids)}`, readOptions, problems, signal);
  return schema?.options;
}

function readOptions(text: string): { readonly options: Readonly<Record<string, string>> } | SnapshotFault {
  const json = parseLossless(text);
  if (json === undefined) return { code: "not-json" };
  const { options } = json;
  const entries = typeof options === "object" && options !== null ? Object.entries(options).filter((entry): entry is [string, string] => typeof entry[1] === "string") : [];
  return { options: Object.fromEntries(entries) };
}

/** The tags of a table by name. Folders are none: `tag-success-file`, and what a `/` in a tag's name made. */
export async function tagsOf(reader: WarehouseReader, table: PaimonTable, problems: WarehouseProblem[], signal?: AbortSignal): Promise<readonly PaimonTag[]> {
  const names = [...(await tagNamesOf(reader, table, problems, signal))].sort();
  const tags = await mapLimit(names, readsAtOnce, (name) => tagOf(reader, table, name, problems, signal));
  return tags.filter((tag) => tag !== undefined);
}

/** The snapshots that are still there, by id. Names that are no `snapshot-<digits>`, such as hints and half-written files, are passed over. */
export async function snapshotsOf(reader: WarehouseReader, table: PaimonTable, problems: WarehouseProblem[], signal?: AbortSignal): Promise<readonly PaimonSnapshot[]> {
  const ids = await snapshotIdsOf(reader, table, problems, signal);
  const snapshots = await mapLimit(ids, readsAtOnce, (id) => snapshotOf(reader, table, id, problems, signal));
  return snapshots.filter((snapshot) => snapshot !== undefined).sort((a, b) => a.id - b.id);
}

/** A commit writes its snapshot and then `LATEST`, at once; a rollback writes `LATEST` alone (`RollbackHelper`). */
export async function isRolledBack(reader: WarehouseReader, table: PaimonTable, newest: number | undefined): Promise<boolean> {
  if (newest === undefined) return false;
  const [hint, snapshot] = await Promise.all([`${table.home}/snapshot/LATEST`, snapshotFile(table, newest)].map((file) => reader.look(file).catch(() => undefined)));
  return hint !== undefined && snapshot !== undefined && hint.modifiedMs - snapshot.modifiedMs > skewMs;
}

/** Whether one of these files lies in a bucket of the table: below folders of its partitions, `key=value`. */
export async function holdsFile(reader: WarehouseReader, { folder }: PaimonTable, files: ReadonlySet<string>, signal?: AbortSignal): Promise<boolean> {
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

async function snapshotFilesOf(reader: WarehouseReader, table: PaimonTable, problems: WarehouseProblem[], signal: AbortSignal | undefined): Promise<string[]> {
  return (await filesIn(reader, `${table.home}/snapshot`, problems, signal)).filter((name) => /^snapshot-\d{1,15}$/.test(name));
}

async function readJson<T extends object>(reader: WarehouseReader, file: string, parse: (text: string) => T | SnapshotFault, problems: WarehouseProblem[], signal: AbortSignal | undefined): Promise<T | undefined> {
  try {
    const bytes = await reader.read(file, jsonLimitBytes, signal);
    // A file that was there when the folder was listed, and is gone: it was deleted meanwhile.
    if (bytes === undefined) return undefined;
    const parsed = parse(new TextDecoder().decode(bytes));
    if (!("code" in parsed)) return parsed;
    problems.push({ path: file, problem: parsed });
  } catch (error) {
    signal?.throwIfAborted();
    problems.push({ path: file, problem: { code: "unreadable", reason: reasonOf(error) } });
  }
  return undefined;
}

async function foldersIn(reader: WarehouseReader, folder: string, problems: WarehouseProblem[], signal: AbortSignal | undefined): Promise<string[]> {
  return (await listed(reader, folder, problems, signal)).filter(({ isFolder }) => isFolder).map(({ name }) => name).sort();
}

async function filesIn(reader: WarehouseReader, folder: string, problems: WarehouseProblem[], signal: AbortSignal | undefined): Promise<string[]> {
  return (await listed(reader, folder, problems, signal)).filter(({ isFolder }) => !isFolder).map(({ name }) => name);
}

async function listed(reader: WarehouseReader, folder: string, problems: WarehouseProblem[], signal: AbortSignal | undefined): Promise<readonly FolderEntry[]> {
  signal?.throwIfAborted();
  try {
    return (await reader.list(folder, signal)) ?? [];
  } catch (error) {
    signal?.throwIfAborted();
    problems.push({ path: folder, problem: { code: "unreadable", reason: reasonOf(error) } });
    return [];
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
