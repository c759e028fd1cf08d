import type { Disposable } from "../core/base/disposable";
import { Emitter } from "../core/base/event";
import { FlinkError } from "../core/errors";
import type { PaimonSnapshotRef, PaimonTagRef, TableRef } from "../core/contributions";
import type { WarehouseProfile } from "../core/model/warehouse";
import { reachOf, type CatalogReach } from "../core/paimon/catalogReach";
import { FileTables } from "../core/paimon/fileTables";
import type { PaimonSnapshot } from "../core/paimon/snapshot";
import type { ListedRow, Part, TableSource, TableSummary, TagRow } from "../core/paimon/tableSource";
import { autoTagOption, type PaimonTable, type WarehouseReader } from "../core/paimon/warehouse";

/** The tables of a warehouse as its SQL Gateway tells of them. Throws `warehouse-unknown`. */
export type AskedTables = (profile: WarehouseProfile) => Promise<TableSource & { forget(): void }>;

/** Paimon warehouses as the tree asks for them: every answer reads what is shown of it, of files only what changed since they were read last. */
export class WarehouseService implements Disposable {
  readonly #reader: WarehouseReader;
  readonly #asked: AskedTables;
  readonly #changed = new Emitter<undefined>();
  #profiles: readonly WarehouseProfile[] = [];

  /** Fires when the list of warehouses is another. */
  readonly onDidChange = this.#changed.event;

  /** `asked`: for warehouses that only a SQL Gateway reaches. */
  constructor(reader: WarehouseReader, asked: AskedTables = ({ path }) => Promise.reject(new FlinkError("warehouse-unreachable", { warehouse: path, reason: "elsewhere" }))) {
    this.#reader = reader;
    this.#asked = asked;
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

  /** Where a warehouse's tables are read. Throws `warehouse-unreachable` with what keeps it from being read. */
  reach(profile: WarehouseProfile): Promise<CatalogReach> {
    return reachOf(this.#reader, profile);
  }

  /** The tables of a warehouse. Throws `warehouse-unreachable`. */
  async tablesOf(profile: WarehouseProfile): Promise<TableSource> {
    const reach = await this.reach(profile);
    return reach.way === "files" ? new FileTables(this.#reader, reach.folder) : this.#asked(profile);
  }

  /** Has what was asked of gateways asked anew: something was changed, or a person wants to see it. */
  async forget(): Promise<void> {
    for (const profile of this.#profiles) {
      const reach = profile.sqlGateway === undefined ? undefined : await this.reach(profile).catch(() => undefined);
      if (reach?.way === "gateway") (await this.#asked(profile)).forget();
    }
  }

  /** Databases by name. Throws `warehouse-unreachable`, `catalog-unreadable`; so do all that follow. */
  async databases(profile: WarehouseProfile, signal?: AbortSignal): Promise<Part<string>> {
    return (await this.tablesOf(profile)).databases(signal);
  }

  /** The first `most` tables of a database, by name. `more` counts folders, some of which may be no tables. */
  async tables(profile: WarehouseProfile, database: string, most: number, signal?: AbortSignal): Promise<Part<TableSummary>> {
    return (await this.tablesOf(profile)).tables(database, most, signal);
  }

  /** The branches of a table, by name. */
  async branches(warehouse: string, table: PaimonTable, signal?: AbortSignal): Promise<Part<TableSummary>> {
    return (await this.#of(warehouse)).branches(table, signal);
  }

  /** The first `most` tags: those of savepoints with the highest number first, then the others by name. */
  async tags(warehouse: string, table: PaimonTable, most: number, signal?: AbortSignal): Promise<Part<TagRow>> {
    return (await this.#of(warehouse)).tags(table, most, signal);
  }

  /** The newest `most` snapshots. */
  async snapshots(warehouse: string, table: PaimonTable, most: number, signal?: AbortSignal): Promise<Part<ListedRow<PaimonSnapshot>>> {
    return (await this.#of(warehouse)).snapshots(table, most, signal);
  }

  /** A table by its reference; undefined when there is none. Throws `warehouse-unknown`. */
  async table(ref: TableRef, signal?: AbortSignal): Promise<PaimonTable | undefined> {
    return (await this.#of(ref.warehouse)).table(ref.table, signal);
  }

  /** A tag by its reference; undefined when there is none. One of files that can't be read has a `problem`. Throws `warehouse-unknown`. */
  async tag(ref: PaimonTagRef, signal?: AbortSignal): Promise<TagRow | undefined> {
    const source = await this.#of(ref.warehouse);
    const table = await source.table(ref.table, signal);
    return table === undefined ? undefined : source.tag(table, ref.tag, signal);
  }

  /** The tables of a name, in any database of any warehouse that can be read, and whether their options have savepoints tagged. */
  async tablesCalled(objectName: string, signal?: AbortSignal): Promise<readonly (TableRef & { readonly autoTag: boolean })[]> {
    const found: (TableRef & { readonly autoTag: boolean })[] = [];
    for (const profile of this.#profiles) {
      const source = await this.tablesOf(profile).catch(() => undefined);
      if (source === undefined) continue;
      const databases = await source.databases(signal).catch((error: unknown) => {
        signal?.throwIfAborted();
        if (source.way === "files") throw error;
        return { items: [] };
      });
      for (const database of databases.items) {
        const table = await source.table(`${database}.${objectName}`, signal);
        const options = table === undefined ? undefined : await source.options(table, [], signal);
        if (table !== undefined && options !== undefined) found.push({ warehouse: profile.path, table: table.name, autoTag: options[autoTagOption] === "true" });
      }
    }
    return found;
  }

  /** A tag or snapshot as a text; undefined when it is not there. Throws `warehouse-unknown`, and what reading throws. */
  async textOf(ref: PaimonTagRef | PaimonSnapshotRef, signal?: AbortSignal): Promise<string | undefined> {
    const source = await this.#of(ref.warehouse);
    const table = await source.table(ref.table, signal);
    return table === undefined ? undefined : source.text(table, ref, signal);
  }

  /** The columns of one of the table's schemas, as the JSON of its `fields`; undefined when it is not there. Throws as `textOf`. */
  async fields(ref: TableRef, schemaId: number, signal?: AbortSignal): Promise<readonly unknown[] | undefined> {
    const source = await this.#of(ref.warehouse);
    const table = await source.table(ref.table, signal);
    return table === undefined ? undefined : source.fields(table, schemaId, signal);
  }

  dispose(): void {
    this.#changed.dispose();
  }

  #of(warehouse: string): Promise<TableSource> {
    return this.tablesOf(this.profile(warehouse));
  }
}
