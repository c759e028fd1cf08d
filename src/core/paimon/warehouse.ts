import { readSnapshot, readTag, type PaimonSnapshot, type PaimonTag, type SnapshotFault } from "./snapshot";

/** What is in a folder. */
export interface FolderEntry {
  readonly name: string;
  readonly isFolder: boolean;
}

/** Reads a file system or an object store. Both throw what keeps them from reading. */
export interface WarehouseReader {
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
  /** Folder with data and manifests. */
  readonly folder: string;
  /** Folder with `snapshot`, `tag` and `schema`: that of the table, or of the branch. */
  readonly home: string;
}

/** Something in a warehouse that can't be read, by its place. */
export interface WarehouseProblem {
  readonly path: string;
  readonly problem: SnapshotFault | { readonly code: "unreadable"; readonly reason: string };
}

/** Ample for what Paimon writes: some kilobytes. */
const jsonLimitBytes = 1 << 20;

/** All tables and their branches, by name: folders with `schema/schema-*` below folders that end in `.db` (file-system and JDBC catalogs). */
export async function tablesOf(reader: WarehouseReader, warehouse: string, problems: WarehouseProblem[], signal?: AbortSignal): Promise<readonly PaimonTable[]> {
  const tables: PaimonTable[] = [];
  for (const database of await foldersIn(reader, warehouse, problems, signal)) {
    if (!database.endsWith(".db")) continue;
    for (const table of await foldersIn(reader, `${warehouse}/${database}`, problems, signal)) {
      const folder = `${warehouse}/${database}/${table}`;
      const name = `${database.slice(0, -3)}.${table}`;
      const inside = await foldersIn(reader, folder, problems, signal);
      if (!inside.includes("schema")) continue;
      tables.push({ name, objectName: table, folder, home: folder });
      if (!inside.includes("branch")) continue;
      for (const branch of await foldersIn(reader, `${folder}/branch`, problems, signal)) {
        if (!branch.startsWith("branch-")) continue;
        const suffix = `$branch_${branch.slice("branch-".length)}`;
        tables.push({ name: name + suffix, objectName: table + suffix, folder, home: `${folder}/branch/${branch}` });
      }
    }
  }
  return tables.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The tags of a table by name. Folders are none: `tag-success-file`, and what a `/` in a tag's name made. */
export async function tagsOf(reader: WarehouseReader, table: PaimonTable, problems: WarehouseProblem[], signal?: AbortSignal): Promise<readonly PaimonTag[]> {
  const names = (await filesIn(reader, `${table.home}/tag`, problems, signal)).filter((name) => name.startsWith("tag-")).sort();
  const tags = await mapFew(names, (name) => readJson(reader, `${table.home}/tag/${name}`, (text) => readTag(name.slice("tag-".length), text), problems, signal));
  return tags.filter((tag) => tag !== undefined);
}

/** The snapshots that are still there, by id. Names that are no `snapshot-<digits>`, such as hints and half-written files, are passed over. */
export async function snapshotsOf(reader: WarehouseReader, table: PaimonTable, problems: WarehouseProblem[], signal?: AbortSignal): Promise<readonly PaimonSnapshot[]> {
  const names = (await filesIn(reader, `${table.home}/snapshot`, problems, signal)).filter((name) => /^snapshot-\d+$/.test(name));
  const snapshots = await mapFew(names, (name) => readJson(reader, `${table.home}/snapshot/${name}`, readSnapshot, problems, signal));
  return snapshots.filter((snapshot) => snapshot !== undefined).sort((a, b) => a.id - b.id);
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

/** Runs some at a time and keeps the order. */
async function mapFew<T, R>(items: readonly T[], work: (item: T) => Promise<R>, atOnce = 16): Promise<R[]> {
  const results: R[] = new Array<R>(items.length);
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, async () => {
    for (let at = next++; at < items.length; at = next++) results[at] = await work(items[at] as T);
  }));
  return results;
}
