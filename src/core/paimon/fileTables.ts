import { mapLimit } from "../base/async";
import { parseLossless, type PaimonSnapshot } from "./snapshot";
import type { ListedRow, Part, TableContents, TableSource, TableSummary, TableText, TagRow } from "./tableSource";
import {
  branchesOf, databasesOf, holdsFile, isRolledBack, jsonLimitBytes, optionsOf, readsAtOnce, snapshotFile, snapshotIdsOf, snapshotOf, snapshotsOf, tableAt, tableFoldersOf, tableNamed, tablesOf, tagFile, tagNamesOf, tagOf, tagsOf, type PaimonTable, type WarehouseProblem, type WarehouseReader,
} from "./warehouse";

/** The tables of a catalog whose files can be read, laid out as file-system and JDBC catalogs lay them out. */
export class FileTables implements TableSource {
  readonly way = "files";
  readonly #reader: WarehouseReader;
  readonly #folder: string;

  /** `folder`: that of the warehouse. */
  constructor(reader: WarehouseReader, folder: string) {
    this.#reader = reader;
    this.#folder = folder;
  }

  async databases(signal?: AbortSignal): Promise<Part<string>> {
    const problems: WarehouseProblem[] = [];
    return { items: await databasesOf(this.#reader, this.#folder, problems, signal), more: 0, problems };
  }

  async tables(database: string, most: number, signal?: AbortSignal): Promise<Part<TableSummary>> {
    const problems: WarehouseProblem[] = [];
    const folders = await tableFoldersOf(this.#reader, this.#folder, database, problems, signal);
    const items: TableSummary[] = [];
    let at = 0;
    while (items.length < most && at < folders.length) {
      const next = folders.slice(at, at + most - items.length);
      at += next.length;
      const found = await mapLimit(next, readsAtOnce, async (folder) => {
        const table = await tableAt(this.#reader, this.#folder, database, folder, problems, signal);
        return table === undefined ? undefined : this.#summary(table, table.hasBranches, signal);
      });
      items.push(...found.filter((each) => each !== undefined));
    }
    return { items, more: folders.length - at, problems };
  }

  async branches(table: PaimonTable, signal?: AbortSignal): Promise<Part<TableSummary>> {
    const problems: WarehouseProblem[] = [];
    const branches = await branchesOf(this.#reader, table, problems, signal);
    return { items: await mapLimit(branches, readsAtOnce, (branch) => this.#summary(branch, false, signal)), more: 0, problems };
  }

  table(name: string, signal?: AbortSignal): Promise<PaimonTable | undefined> {
    return tableNamed(this.#reader, this.#folder, name, [], signal);
  }

  async tags(table: PaimonTable, most: number, signal?: AbortSignal): Promise<Part<TagRow>> {
    const problems: WarehouseProblem[] = [];
    const names = await tagNamesOf(this.#reader, table, problems, signal);
    return { items: await mapLimit(names.slice(0, most), readsAtOnce, (name) => this.#tagRow(table, name, signal)), more: Math.max(0, names.length - most), problems };
  }

  async tag(table: PaimonTable, name: string, signal?: AbortSignal): Promise<TagRow | undefined> {
    if (!isPlainName(name)) return undefined;
    const row = await this.#tagRow(table, name, signal);
    return row.content === undefined && row.problem === undefined ? undefined : row;
  }

  async snapshots(table: PaimonTable, most: number, signal?: AbortSignal): Promise<Part<ListedRow<PaimonSnapshot>>> {
    const problems: WarehouseProblem[] = [];
    const ids = await snapshotIdsOf(this.#reader, table, problems, signal);
    const items = await mapLimit(ids.slice(0, most), readsAtOnce, (id) => this.#row(String(id), snapshotFile(table, id), (into) => snapshotOf(this.#reader, table, id, into, signal)));
    return { items, more: Math.max(0, ids.length - most), problems };
  }

  async text(table: PaimonTable, what: TableText, signal?: AbortSignal): Promise<string | undefined> {
    if ("tag" in what && !isPlainName(what.tag)) return undefined;
    return this.#textOf("tag" in what ? tagFile(table, what.tag) : snapshotFile(table, what.snapshotId), signal);
  }

  async fields(table: PaimonTable, schemaId: number, signal?: AbortSignal): Promise<readonly unknown[] | undefined> {
    const text = await this.#textOf(`${table.home}/schema/schema-${schemaId}`, signal);
    const fields = text === undefined ? undefined : parseLossless(text)?.["fields"];
    return Array.isArray(fields) ? fields : undefined;
  }

  async facts(table: PaimonTable, signal?: AbortSignal): ReturnType<TableSource["facts"]> {
    return (await import("./rollback/facts")).tableFacts(this.#reader, table, signal);
  }

  async missingFile(table: PaimonTable, what: TableText, signal?: AbortSignal): Promise<string | undefined> {
    return (await import("./rollback/facts")).missingFileOf(this.#reader, table, what, signal);
  }

  all(problems: WarehouseProblem[], signal?: AbortSignal): Promise<readonly PaimonTable[]> {
    return tablesOf(this.#reader, this.#folder, problems, signal);
  }

  /** Two files tell for most tables. */
  async mayBeOf(table: PaimonTable, users: ReadonlySet<string>, tag: string, signal?: AbortSignal): Promise<boolean> {
    const [newest] = await snapshotIdsOf(this.#reader, table, [], signal);
    const snapshot = newest === undefined ? undefined : await snapshotOf(this.#reader, table, newest, [], signal);
    if (snapshot !== undefined && users.has(snapshot.commitUser)) return true;
    const found = await tagOf(this.#reader, table, tag, [], signal);
    return found !== undefined && users.has(found.snapshot.commitUser);
  }

  async contents(table: PaimonTable, problems: WarehouseProblem[], signal?: AbortSignal): Promise<TableContents> {
    return { tags: await tagsOf(this.#reader, table, problems, signal), snapshots: await snapshotsOf(this.#reader, table, problems, signal), told: [] };
  }

  options(table: PaimonTable, problems: WarehouseProblem[], signal?: AbortSignal): Promise<Readonly<Record<string, string>> | undefined> {
    return optionsOf(this.#reader, table, problems, signal);
  }

  /** What reads manifests is not loaded with a window. */
  async changedFiles(table: PaimonTable, snapshot: PaimonSnapshot, signal?: AbortSignal): Promise<ReadonlySet<string> | undefined> {
    return (await import("./manifest")).deltaFiles(this.#reader, table, snapshot, signal);
  }

  holds(table: PaimonTable, files: ReadonlySet<string>, signal?: AbortSignal): Promise<boolean> {
    return holdsFile(this.#reader, table, files, signal);
  }

  isRolledBack(table: PaimonTable, newest: number | undefined): Promise<boolean> {
    return isRolledBack(this.#reader, table, newest);
  }

  /** The creation time in the file has no zone, and the file is written when the tag is made. */
  async madeMs(table: PaimonTable, tag: string): Promise<number | undefined> {
    return (await this.#reader.look(tagFile(table, tag)).catch(() => undefined))?.modifiedMs;
  }

  async #summary(table: PaimonTable, hasBranches: boolean, signal: AbortSignal | undefined): Promise<TableSummary> {
    const problems: WarehouseProblem[] = [];
    const [tags, snapshots] = await Promise.all([tagNamesOf(this.#reader, table, problems, signal), snapshotIdsOf(this.#reader, table, problems, signal)]);
    return { table, savepointTags: tags.filter((name) => /^savepoint-\d+$/.test(name)).length, tags: tags.length, snapshots: snapshots.length, hasBranches, problems };
  }

  async #tagRow(table: PaimonTable, name: string, signal: AbortSignal | undefined): Promise<TagRow> {
    return { ...(await this.#row(name, tagFile(table, name), (into) => tagOf(this.#reader, table, name, into, signal))), told: undefined };
  }

  async #row<T>(name: string, file: string, read: (problems: WarehouseProblem[]) => Promise<T | undefined>): Promise<ListedRow<T>> {
    const problems: WarehouseProblem[] = [];
    const content = await read(problems);
    const look = await this.#reader.look(file).catch(() => undefined);
    return { name, file, content, problem: problems[0], modifiedMs: look?.modifiedMs ?? null };
  }

  async #textOf(file: string, signal: AbortSignal | undefined): Promise<string | undefined> {
    const bytes = await this.#reader.read(file, jsonLimitBytes, signal);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  }
}

/** A name in an address is anything: it must not lead out of the table. */
function isPlainName(name: string): boolean {
  return !/[\\/]|^\.\.?$/.test(name);
}
