import type { Disposable } from "../core/base/disposable";
import { mapLimit } from "../core/base/async";
import { Emitter } from "../core/base/event";
import { FlinkError } from "../core/errors";
import type { PaimonSnapshotRef, PaimonTagRef, TableRef } from "../core/contributions";
import { localPath } from "../core/model/location";
import type { WarehouseProfile } from "../core/model/warehouse";
import type { PaimonSnapshot, PaimonTag } from "../core/paimon/snapshot";
import {
  autoTagOption, branchesOf, databasesOf, optionsOf, snapshotFile, snapshotIdsOf, snapshotOf, tableAt, tableFoldersOf, tableNamed, tagFile, tagNamesOf, tagOf, type PaimonTable, type WarehouseProblem, type WarehouseReader,
} from "../core/paimon/warehouse";

/** The beginning of a list, and how many more there are. */
export interface Part<T> {
  readonly items: readonly T[];
  readonly more: number;
  /** What of it can't be read. */
  readonly problems: readonly WarehouseProblem[];
}

/** A table or branch, with what its folders alone tell. */
export interface TableSummary {
  readonly table: PaimonTable;
  readonly savepointTags: number;
  readonly tags: number;
  readonly snapshots: number;
  readonly hasBranches: boolean;
  readonly problems: readonly WarehouseProblem[];
}

/** A tag or snapshot by its file; `content` is undefined when it can't be read, and `problem` says why. */
export interface FileRow<T> {
  readonly name: string;
  readonly file: string;
  readonly content: T | undefined;
  readonly problem: WarehouseProblem | undefined;
  /** When the file was written, epoch milliseconds; for tags about when they were made. */
  readonly modifiedMs: number | null;
}

const readsAtOnce = 16;
const textLimitBytes = 1 << 20;

/** Paimon warehouses as the tree asks for them: every answer reads what is shown of it, and only what changed since it was read last. */
export class WarehouseService implements Disposable {
  readonly #reader: WarehouseReader;
  readonly #changed = new Emitter<undefined>();
  #profiles: readonly WarehouseProfile[] = [];

  /** Fires when the list of warehouses is another. */
  readonly onDidChange = this.#changed.event;

  constructor(reader: WarehouseReader) {
    this.#reader = reader;
  }

  list(): readonly WarehouseProfile[] {
    return this.#profiles;
  }

  setProfiles(profiles: readonly WarehouseProfile[]): void {
    if (JSON.stringify(profiles) === JSON.stringify(this.#profiles)) return;
    this.#profiles = profiles;
    this.#changed.fire(undefined);
  }

  /** Throws `warehouse-unknown`. */
  profile(path: string): WarehouseProfile {
    const profile = this.#profiles.find((each) => each.path === path);
    if (profile === undefined) throw new FlinkError("warehouse-unknown", { warehouse: path });
    return profile;
  }

  /** The warehouse's folder. Throws `warehouse-unreachable` with what keeps it from being read. */
  async folderOf({ path }: Pick<WarehouseProfile, "path">): Promise<string> {
    const folder = localPath(path);
    if (folder === undefined) throw new FlinkError("warehouse-unreachable", { warehouse: path, reason: "elsewhere" });
    const look = await this.#reader.look(folder).catch((error: unknown) => {
      throw new FlinkError("warehouse-unreachable", { warehouse: path, reason: error instanceof Error ? error.message : String(error) }, { cause: error });
    });
    if (look === undefined) throw new FlinkError("warehouse-unreachable", { warehouse: path, reason: "missing" });
    if (!look.isFolder) throw new FlinkError("warehouse-unreachable", { warehouse: path, reason: "file" });
    return folder;
  }

  /** Databases by name. Throws `warehouse-unreachable`. */
  async databases(profile: WarehouseProfile, signal?: AbortSignal): Promise<Part<string>> {
    const problems: WarehouseProblem[] = [];
    return { items: await databasesOf(this.#reader, await this.folderOf(profile), problems, signal), more: 0, problems };
  }

  /** The first `most` tables of a database, by name. `more` counts folders, some of which may be no tables. Throws `warehouse-unreachable`. */
  async tables(profile: WarehouseProfile, database: string, most: number, signal?: AbortSignal): Promise<Part<TableSummary>> {
    const problems: WarehouseProblem[] = [];
    const warehouse = await this.folderOf(profile);
    const folders = await tableFoldersOf(this.#reader, warehouse, database, problems, signal);
    const items: TableSummary[] = [];
    let at = 0;
    while (items.length < most && at < folders.length) {
      const next = folders.slice(at, at + most - items.length);
      at += next.length;
      const found = await mapLimit(next, readsAtOnce, async (folder) => {
        const table = await tableAt(this.#reader, warehouse, database, folder, problems, signal);
        return table === undefined ? undefined : this.#summary(table, table.hasBranches, signal);
      });
      items.push(...found.filter((each) => each !== undefined));
    }
    return { items, more: folders.length - at, problems };
  }

  /** The branches of a table, by name. */
  async branches(table: PaimonTable, signal?: AbortSignal): Promise<Part<TableSummary>> {
    const problems: WarehouseProblem[] = [];
    const branches = await branchesOf(this.#reader, table, problems, signal);
    return { items: await mapLimit(branches, readsAtOnce, (branch) => this.#summary(branch, false, signal)), more: 0, problems };
  }

  /** The first `most` tags: those of savepoints with the highest number first, then the others by name. */
  async tags(table: PaimonTable, most: number, signal?: AbortSignal): Promise<Part<FileRow<PaimonTag>>> {
    const problems: WarehouseProblem[] = [];
    const names = await tagNamesOf(this.#reader, table, problems, signal);
    const items = await mapLimit(names.slice(0, most), readsAtOnce, (name) => this.#row(name, tagFile(table, name), (into) => tagOf(this.#reader, table, name, into, signal)));
    return { items, more: Math.max(0, names.length - most), problems };
  }

  /** The newest `most` snapshots. */
  async snapshots(table: PaimonTable, most: number, signal?: AbortSignal): Promise<Part<FileRow<PaimonSnapshot>>> {
    const problems: WarehouseProblem[] = [];
    const ids = await snapshotIdsOf(this.#reader, table, problems, signal);
    const items = await mapLimit(ids.slice(0, most), readsAtOnce, (id) => this.#row(String(id), snapshotFile(table, id), (into) => snapshotOf(this.#reader, table, id, into, signal)));
    return { items, more: Math.max(0, ids.length - most), problems };
  }

  /** A table by its reference; undefined when there is none. Throws `warehouse-unknown`, `warehouse-unreachable`. */
  async table(ref: TableRef, signal?: AbortSignal): Promise<PaimonTable | undefined> {
    return tableNamed(this.#reader, await this.folderOf(this.profile(ref.warehouse)), ref.table, [], signal);
  }

  /** The tables of a name, in any database of any warehouse that can be read, and whether their options have savepoints tagged. */
  async tablesCalled(objectName: string, signal?: AbortSignal): Promise<readonly (TableRef & { readonly autoTag: boolean })[]> {
    const found: (TableRef & { readonly autoTag: boolean })[] = [];
    for (const profile of this.#profiles) {
      const folder = await this.folderOf(profile).catch(() => undefined);
      if (folder === undefined) continue;
      for (const database of await databasesOf(this.#reader, folder, [], signal)) {
        const table = await tableNamed(this.#reader, folder, `${database}.${objectName}`, [], signal);
        const options = table === undefined ? undefined : await optionsOf(this.#reader, table, [], signal);
        if (table !== undefined && options !== undefined) found.push({ warehouse: profile.path, table: table.name, autoTag: options[autoTagOption] === "true" });
      }
    }
    return found;
  }

  /** The text of a tag's or snapshot's file; undefined when it is not there. Throws `warehouse-unknown`, `warehouse-unreachable`, and what reading throws. */
  async textOf(ref: PaimonTagRef | PaimonSnapshotRef, signal?: AbortSignal): Promise<string | undefined> {
    const table = await this.table(ref, signal);
    if (table === undefined) return undefined;
    // A name in an address is anything: it must not lead out of the table.
    if ("tag" in ref && /[\\/]|^\.\.?$/.test(ref.tag)) return undefined;
    const bytes = await this.#reader.read("tag" in ref ? tagFile(table, ref.tag) : snapshotFile(table, ref.snapshotId), textLimitBytes, signal);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  }

  /** The text of one of the table's schemas; undefined when it is not there. Throws as `textOf`. */
  async schemaText(ref: TableRef, schemaId: number, signal?: AbortSignal): Promise<string | undefined> {
    const table = await this.table(ref, signal);
    const bytes = table === undefined ? undefined : await this.#reader.read(`${table.home}/schema/schema-${schemaId}`, textLimitBytes, signal);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  }

  dispose(): void {
    this.#changed.dispose();
  }

  async #summary(table: PaimonTable, hasBranches: boolean, signal: AbortSignal | undefined): Promise<TableSummary> {
    const problems: WarehouseProblem[] = [];
    const [tags, snapshots] = await Promise.all([tagNamesOf(this.#reader, table, problems, signal), snapshotIdsOf(this.#reader, table, problems, signal)]);
    return { table, savepointTags: tags.filter((name) => /^savepoint-\d+$/.test(name)).length, tags: tags.length, snapshots: snapshots.length, hasBranches, problems };
  }

  async #row<T>(name: string, file: string, read: (problems: WarehouseProblem[]) => Promise<T | undefined>): Promise<FileRow<T>> {
    const problems: WarehouseProblem[] = [];
    const content = await read(problems);
    const look = await this.#reader.look(file).catch(() => undefined);
    return { name, file, content, problem: problems[0], modifiedMs: look?.modifiedMs ?? null };
  }
}
