import type { TableFacts } from "./rollback/facts";
import type { PaimonSnapshot, PaimonTag } from "./snapshot";
import type { PaimonTable, WarehouseProblem } from "./warehouse";

/** The beginning of a list, and how many more there are. */
export interface Part<T> {
  readonly items: readonly T[];
  readonly more: number;
  /** What of it can't be read. */
  readonly problems: readonly WarehouseProblem[];
}

/** A table or branch, with what is known of it before it is opened. Null is what only opening tells. */
export interface TableSummary {
  readonly table: PaimonTable;
  readonly savepointTags: number | null;
  readonly tags: number | null;
  readonly snapshots: number | null;
  readonly hasBranches: boolean | null;
  readonly problems: readonly WarehouseProblem[];
}

/** A tag or snapshot as a list shows it; `content` is undefined when it can't be read, and `problem` says why. */
export interface ListedRow<T> {
  readonly name: string;
  /** Its file, or null where that is not read. */
  readonly file: string | null;
  readonly content: T | undefined;
  readonly problem: WarehouseProblem | undefined;
  /** When it was made, epoch milliseconds. */
  readonly modifiedMs: number | null;
}

/** A tag in a list. */
export interface TagRow extends ListedRow<PaimonTag> {
  /** What is told of a tag whose commit is not: `$tags` has no commit user, and its snapshot has expired. */
  readonly told: ToldTag | undefined;
}

/** A tag without the commit that made its snapshot. */
export interface ToldTag {
  readonly snapshotId: number;
  readonly schemaId: number;
  /** Of the commit, epoch milliseconds. */
  readonly timeMs: number;
  readonly totalRecordCount: number | null;
  /** Milliseconds; null for ever. */
  readonly retainedMs: number | null;
}

/** One thing of a table that can be shown as a text. */
export type TableText = { readonly tag: string } | { readonly snapshotId: number };

/** What a table keeps, whole. */
export interface TableContents {
  readonly tags: readonly PaimonTag[];
  /** Those still there, by id. */
  readonly snapshots: readonly PaimonSnapshot[];
  /** Tags of which it is not told whose commit they keep. */
  readonly told: readonly (ToldTag & { readonly name: string })[];
}

/** What pairing asks of the tables of one catalog. What can't be read is put into `problems`; only the signal's reason and what reaching the catalog throws is thrown. */
export interface PairingTables {
  /** `files`: the tables' own. `gateway`: what a SQL Gateway tells, each question a statement, with times by the gateway's zone. */
  readonly way: "files" | "gateway";
  /** All tables by name; branches only where they cost nothing. */
  all(problems: WarehouseProblem[], signal?: AbortSignal): Promise<readonly PaimonTable[]>;
  /** Whether the newest snapshot, or the tag of this name, is of one of the writers; through a gateway, whether a snapshot of theirs is alive. */
  mayBeOf(table: PaimonTable, users: ReadonlySet<string>, tag: string, signal?: AbortSignal): Promise<boolean>;
  contents(table: PaimonTable, problems: WarehouseProblem[], signal?: AbortSignal): Promise<TableContents>;
  /** The options of the newest schema, as they are set; undefined when they can't be read. */
  options(table: PaimonTable, problems: WarehouseProblem[], signal?: AbortSignal): Promise<Readonly<Record<string, string>> | undefined>;
  /** Data files that a snapshot's commit changed, by the unique part of their names; undefined when they can't be told. */
  changedFiles(table: PaimonTable, snapshot: PaimonSnapshot, signal?: AbortSignal): Promise<ReadonlySet<string> | undefined>;
  /** Whether one of these data files lies in the table. */
  holds(table: PaimonTable, files: ReadonlySet<string>, signal?: AbortSignal): Promise<boolean>;
  /** Whether the table was rolled back to its newest snapshot, and nothing was committed since; always false through a gateway. */
  isRolledBack(table: PaimonTable, newest: number | undefined): Promise<boolean>;
  /** When a tag was made, epoch milliseconds. */
  madeMs(table: PaimonTable, tag: string): Promise<number | undefined>;
}

/**
 * The tables of one catalog, from its files or through a SQL Gateway; the tree, pairing, the verbs on tags and rollbacks have them from here only.
 * What keeps the catalog from being reached is thrown: `warehouse-unreachable`, `catalog-unreadable`, and what a connection to a gateway and its session throw.
 */
export interface TableSource extends PairingTables {
  /** By name. */
  databases(signal?: AbortSignal): Promise<Part<string>>;
  /** The first `most` tables of a database, by name. From files `more` counts folders, some of which may be no tables. */
  tables(database: string, most: number, signal?: AbortSignal): Promise<Part<TableSummary>>;
  /** By name. */
  branches(table: PaimonTable, signal?: AbortSignal): Promise<Part<TableSummary>>;
  /** The table of a name, `database.table` or `database.table$branch_name`; undefined when there is none. */
  table(name: string, signal?: AbortSignal): Promise<PaimonTable | undefined>;
  /** The first `most` tags: those of savepoints with the highest number first, then the others by name. */
  tags(table: PaimonTable, most: number, signal?: AbortSignal): Promise<Part<TagRow>>;
  /** One tag; undefined when there is none. */
  tag(table: PaimonTable, name: string, signal?: AbortSignal): Promise<TagRow | undefined>;
  /** The newest `most` snapshots. */
  snapshots(table: PaimonTable, most: number, signal?: AbortSignal): Promise<Part<ListedRow<PaimonSnapshot>>>;
  /** A tag or snapshot as a text to be read by people; undefined when it is not there. */
  text(table: PaimonTable, what: TableText, signal?: AbortSignal): Promise<string | undefined>;
  /** The columns of one of the table's schemas, as the JSON of its `fields`; undefined when it is not there. */
  fields(table: PaimonTable, schemaId: number, signal?: AbortSignal): Promise<readonly unknown[] | undefined>;
  /** A table as it stands, as far as a rollback goes. */
  facts(table: PaimonTable, signal?: AbortSignal): Promise<TableFacts>;
  /** The first file that a tag or snapshot needs and that is gone, below the table's folder; undefined when all are there, and always through a gateway. */
  missingFile(table: PaimonTable, what: TableText, signal?: AbortSignal): Promise<string | undefined>;
}
