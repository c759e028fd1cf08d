import { isAbort, unlessAborted } from "../../core/base/async";
import { FlinkError, isFlinkError, isOfGateway } from "../../core/errors";
import { tableAddress } from "../../core/paimon/actions";
import {
  branchesStatement, changedFilesStatement, consumersStatement, heldFileStatement, readingConfig, schemasStatement, showDatabases, showTables, snapshotsStatement, tagsStatement, useCatalog, writtenStatement,
} from "../../core/paimon/catalogStatements";
import { fileNamesIn } from "../../core/paimon/manifest";
import type { TableFacts } from "../../core/paimon/rollback/facts";
import { readRetention, type PaimonSnapshot } from "../../core/paimon/snapshot";
import type { ListedRow, Part, TableContents, TableSource, TableSummary, TableText, TagRow } from "../../core/paimon/tableSource";
import type { PaimonTable, WarehouseProblem } from "../../core/paimon/warehouse";
import type { Clock } from "../../core/ports";
import { shortReason } from "../../core/rowText";
import { spanText } from "../../core/wording";
import type { SqlGateway, StatementResult } from "./sqlGateway";

/** What asking through a gateway takes. */
export interface GatewayTablesWorld {
  readonly gateway: Pick<SqlGateway, "run">;
  /** The catalog's name in the gateway's session, the gateway's address, and what the warehouse is called. */
  readonly catalog: string;
  readonly url: string;
  readonly warehouse: string;
  readonly clock: Clock;
}

/** What was asked within this time is not asked again, milliseconds: savepoints of a job are paired one after another. */
const keptMs = 30_000;
/** A statement that has no rows by then is given up, milliseconds: a cluster without a free slot keeps it waiting. */
const patienceMs = 120_000;
/** Rows of one list at most: what pairing reads of a table. */
const mostRows = 10_000;
/** Tables that one statement looks through for a writer, and all that are at most. */
const searchedAtOnce = 32;
const mostSearched = 320;
/** Statements of one search: tables that can't be read take some more. */
const mostSearches = 16;
/** Where a writer was looked for is not looked again within this time, milliseconds. */
const searchedMs = 10 * 60_000;
/** Commits whose files are kept. */
const mostCommits = 500;

/**
 * The tables of a catalog as a SQL Gateway tells of them: `SHOW`, and Paimon's system tables. Each question is a statement, and all but lists of names are jobs of
 * the gateway's cluster; so nothing is asked but what somebody looks at, and what was asked lately is not asked again.
 */
export class GatewayTables implements TableSource {
  readonly way = "gateway";
  readonly #world: GatewayTablesWorld;
  readonly #kept = new Map<string, { readonly atMs: number; readonly rows: Promise<readonly Row[]> }>();
  /** Tables that some writers were found in, by the writers. */
  readonly #searches = new Map<string, { readonly atMs: number; readonly found: Promise<ReadonlySet<string>> }>();
  #names: readonly PaimonTable[] = [];
  /** A commit never changes. */
  readonly #commits = new Map<string, ReadonlySet<string>>();

  constructor(world: GatewayTablesWorld) {
    this.#world = world;
  }

  /** Lets go of what was asked: something was changed, or a person wants to see it anew. */
  forget(): void {
    this.#kept.clear();
    this.#searches.clear();
  }

  async databases(signal?: AbortSignal): Promise<Part<string>> {
    await this.#rows(useCatalog(this.#world.catalog), signal, "catalog");
    const rows = await this.#rows(showDatabases, signal, "catalog");
    return { items: rows.map((row) => textIn(row, 0)).sort(), more: 0, problems: [] };
  }

  async tables(database: string, most: number, signal?: AbortSignal): Promise<Part<TableSummary>> {
    const names = await this.#namesIn(database, signal);
    return { items: names.slice(0, most).map((name) => this.#summary(tableOf(`${database}.${name}`))), more: Math.max(0, names.length - most), problems: [] };
  }

  async branches(table: PaimonTable, signal?: AbortSignal): Promise<Part<TableSummary>> {
    const rows = await this.#rows(branchesStatement(this.#world.catalog, table), signal);
    return { items: rows.map((row) => this.#summary(tableOf(`${table.name}$branch_${textIn(row, "branch_name")}`))), more: 0, problems: [] };
  }

  async table(name: string, signal?: AbortSignal): Promise<PaimonTable | undefined> {
    const [, database, plain] = /^([^.]+)\.(.+?)(?:\$branch_(.+))?$/.exec(name) ?? [];
    if (database === undefined || plain === undefined) return undefined;
    return (await this.#namesIn(database, signal)).includes(plain) ? tableOf(name) : undefined;
  }

  async tags(table: PaimonTable, most: number, signal?: AbortSignal): Promise<Part<TagRow>> {
    return partOf(`${table.name}$tags`, await this.#rows(tagsStatement(this.#world.catalog, table, { most: Math.min(most, mostRows) }), signal), tagIn);
  }

  async tag(table: PaimonTable, name: string, signal?: AbortSignal): Promise<TagRow | undefined> {
    const [row] = await this.#rows(tagsStatement(this.#world.catalog, table, { most: 1, name }), signal);
    return row === undefined ? undefined : tagIn(row);
  }

  async snapshots(table: PaimonTable, most: number, signal?: AbortSignal): Promise<Part<ListedRow<PaimonSnapshot>>> {
    return partOf(`${table.name}$snapshots`, await this.#rows(snapshotsStatement(this.#world.catalog, table, { most: Math.min(most, mostRows) }), signal), (row) => {
      const content = snapshotIn(row);
      return content === undefined ? undefined : { name: String(content.id), file: null, content, problem: undefined, modifiedMs: content.timeMs };
    });
  }

  async text(table: PaimonTable, what: TableText, signal?: AbortSignal): Promise<string | undefined> {
    const statement = "tag" in what ? tagsStatement(this.#world.catalog, table, { most: 1, name: what.tag }) : snapshotsStatement(this.#world.catalog, table, { most: 1, id: what.snapshotId });
    const [row] = await this.#rows(statement, signal);
    if (row === undefined) return undefined;
    const told = "tag" in what ? tagIn(row) : { content: snapshotIn(row) };
    const shown = told === undefined ? {} : "told" in told ? { name: told.name, ...(told.content?.snapshot ?? told.told), retainedMs: told.content?.retainedMs ?? told.told?.retainedMs ?? null, madeMs: told.modifiedMs } : told.content;
    return `// As the SQL Gateway at ${this.#world.url} tells it;\n// the file itself can't be read from here.\n${JSON.stringify(shown, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value), 2)}\n`;
  }

  async fields(table: PaimonTable, schemaId: number, signal?: AbortSignal): Promise<readonly unknown[] | undefined> {
    const [row] = await this.#rows(schemasStatement(this.#world.catalog, table, { id: schemaId }), signal);
    const fields = row === undefined ? undefined : jsonIn(textIn(row, "fields"));
    return Array.isArray(fields) ? fields : undefined;
  }

  async facts(table: PaimonTable, signal?: AbortSignal): Promise<TableFacts> {
    const problems: WarehouseProblem[] = [];
    const { tags, snapshots, told } = await this.contents(table, problems, signal);
    // Whose they are is not told, and by their ids they may be deleted.
    const untold = told.map(({ name, snapshotId, schemaId, timeMs, totalRecordCount, retainedMs }) => ({
      name, retainedMs, snapshot: { id: snapshotId, schemaId, timeMs, totalRecordCount, commitUser: "", commitIdentifier: -1n, commitKind: "", deltaManifestList: null, uuid: null },
    }));
    const { catalog } = this.#world;
    const asked = async <T>(statement: string, read: (row: Row) => T): Promise<readonly T[]> => (await this.#orProblem(table, problems, signal, () => this.#rows(statement, signal)))?.map(read) ?? [];
    const consumers = await asked(consumersStatement(catalog, table), (row) => ({ id: textIn(row, "consumer_id"), nextSnapshot: numberIn(row, "next_snapshot_id") ?? 0 }));
    const branches = await asked(branchesStatement(catalog, table), (row) => textIn(row, "branch_name"));
    const [schemaId] = await asked(schemasStatement(catalog, table), (row) => numberIn(row, "schema_id"));
    return { table, tags: [...tags, ...untold], snapshots, pointers: { latest: null, earliest: null }, consumers, branches, schemaId: schemaId ?? null, problems };
  }

  missingFile(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async all(problems: WarehouseProblem[], signal?: AbortSignal): Promise<readonly PaimonTable[]> {
    const found: PaimonTable[] = [];
    try {
      for (const database of (await this.databases(signal)).items) for (const name of await this.#namesIn(database, signal)) found.push(tableOf(`${database}.${name}`));
    } catch (error) {
      const reason = absence(error);
      if (reason === undefined) throw error;
      problems.push({ path: this.#world.warehouse, problem: { code: "unreadable", reason } });
    }
    this.#names = found;
    return found;
  }

  /** Some tens of tables are looked through by one statement, a few hundred at most: which of them a writer has a snapshot in that is alive. */
  async mayBeOf(table: PaimonTable, users: ReadonlySet<string>, _tag: string, signal?: AbortSignal): Promise<boolean> {
    if (users.size === 0) return false;
    const wanted = [...users].sort();
    const key = wanted.join(" ");
    let search = this.#searches.get(key);
    if (search === undefined || this.#world.clock.now() - search.atMs >= searchedMs) {
      search = { atMs: this.#world.clock.now(), found: this.#searchFor(wanted, this.#names.slice(0, mostSearched)) };
      this.#searches.set(key, search);
    }
    return (await unlessAborted(search.found, signal)).has(table.name);
  }

  async #searchFor(users: readonly string[], tables: readonly PaimonTable[]): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    let left = mostSearches;
    const look = async (some: readonly PaimonTable[]): Promise<void> => {
      if (some.length === 0 || left-- <= 0) return;
      try {
        for (const row of await this.#rows(writtenStatement(this.#world.catalog, some, users), undefined)) if (numberIn(row, "newest") !== undefined) found.add(textIn(row, "table_name"));
      } catch (error) {
        if (!isFlinkError(error, "catalog-unreadable") || error.facts.at !== "table" || some.length === 1) return;
        // One of them keeps the others from being read.
        const half = Math.ceil(some.length / 2);
        await look(some.slice(0, half));
        await look(some.slice(half));
      }
    };
    for (let at = 0; at < tables.length; at += searchedAtOnce) await look(tables.slice(at, at + searchedAtOnce));
    return found;
  }

  async contents(table: PaimonTable, problems: WarehouseProblem[], signal?: AbortSignal): Promise<TableContents> {
    const whole = async <T>(list: string, ask: () => Promise<Part<T>>): Promise<readonly T[]> => {
      const part = await this.#orProblem(table, problems, signal, ask);
      if (part === undefined) return [];
      problems.push(...part.problems);
      if (part.more > 0) problems.push({ path: table.name + list, problem: { code: "unreadable", reason: `it has ${part.more} more rows than the ${mostRows} that are asked for` } });
      return part.items;
    };
    const tags = await whole("$tags", () => this.tags(table, mostRows, signal));
    const snapshots = await whole("$snapshots", () => this.snapshots(table, mostRows, signal));
    return {
      tags: tags.flatMap(({ content }) => content ?? []),
      told: tags.flatMap(({ name, told }) => (told === undefined ? [] : [{ name, ...told }])),
      snapshots: snapshots.flatMap(({ content }) => content ?? []).sort((a, b) => a.id - b.id),
    };
  }

  async options(table: PaimonTable, problems: WarehouseProblem[], signal?: AbortSignal): Promise<Readonly<Record<string, string>> | undefined> {
    const [row] = (await this.#orProblem(table, problems, signal, () => this.#rows(schemasStatement(this.#world.catalog, table), signal))) ?? [];
    const options = row === undefined ? undefined : jsonIn(textIn(row, "options"));
    if (typeof options !== "object" || options === null) return undefined;
    return Object.fromEntries(Object.entries(options).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  }

  /** Undefined when the snapshot before it has expired, or either can't be read. */
  async changedFiles(table: PaimonTable, snapshot: PaimonSnapshot, signal?: AbortSignal): Promise<ReadonlySet<string> | undefined> {
    const key = JSON.stringify([table.name, snapshot.id, snapshot.commitUser, snapshot.timeMs]);
    const known = this.#commits.get(key);
    if (known !== undefined) return known;
    const rows = await this.#orProblem(table, [], signal, () => this.#rows(changedFilesStatement(this.#world.catalog, table, snapshot.id), signal));
    if (rows === undefined) return undefined;
    const files = new Set(rows.flatMap((row) => [...fileNamesIn(new TextEncoder().encode(textIn(row, "file_path")))]));
    // The id may be another's by now.
    const [still] = (await this.#orProblem(table, [], signal, () => this.#fresh(snapshotsStatement(this.#world.catalog, table, { most: 1, id: snapshot.id }), signal))) ?? [];
    const same = still === undefined ? undefined : snapshotIn(still);
    if (same?.commitUser !== snapshot.commitUser || same.timeMs !== snapshot.timeMs) return undefined;
    this.#commits.set(key, files);
    for (const oldest of this.#commits.keys()) {
      if (this.#commits.size <= mostCommits) break;
      this.#commits.delete(oldest);
    }
    return files;
  }

  async holds(table: PaimonTable, files: ReadonlySet<string>, signal?: AbortSignal): Promise<boolean> {
    const statement = heldFileStatement(this.#world.catalog, table, files);
    return statement !== undefined && ((await this.#orProblem(table, [], signal, () => this.#rows(statement, signal))) ?? []).length > 0;
  }

  isRolledBack(): Promise<false> {
    return Promise.resolve(false);
  }

  async madeMs(table: PaimonTable, tag: string): Promise<number | undefined> {
    const rows = await this.#orProblem(table, [], undefined, () => this.tags(table, mostRows));
    return rows?.items.find(({ name }) => name === tag)?.modifiedMs ?? undefined;
  }

  #summary(table: PaimonTable): TableSummary {
    return { table, savepointTags: null, tags: null, snapshots: null, hasBranches: table.folder === table.home ? null : false, problems: [] };
  }

  async #namesIn(database: string, signal: AbortSignal | undefined): Promise<readonly string[]> {
    return (await this.#rows(showTables(this.#world.catalog, database), signal)).map((row) => textIn(row, 0)).sort();
  }

  /** What one table is refused is a problem of it; what keeps the whole catalog away is as well, so that others can be told of. */
  async #orProblem<T>(table: PaimonTable, problems: WarehouseProblem[], signal: AbortSignal | undefined, ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask();
    } catch (error) {
      signal?.throwIfAborted();
      const reason = isFlinkError(error, "catalog-secret-missing", "secrets-unavailable") ? "its catalog lacks a secret" : absence(error);
      if (reason === undefined) throw error;
      problems.push({ path: table.name, problem: { code: "unreadable", reason } });
      return undefined;
    }
  }

  async #rows(statement: string, signal: AbortSignal | undefined, at: "catalog" | "table" = "table"): Promise<readonly Row[]> {
    const known = this.#kept.get(statement);
    if (known !== undefined && this.#world.clock.now() - known.atMs < keptMs) {
      // Whoever asked first may have left, and what they asked with them.
      const rows = await known.rows.catch((error: unknown) => (isAbort(error) ? undefined : Promise.reject(error as Error)));
      signal?.throwIfAborted();
      if (rows !== undefined) return rows;
    }
    const rows = this.#fresh(statement, signal, at);
    const kept = { atMs: this.#world.clock.now(), rows };
    for (const [old, { atMs }] of this.#kept) if (kept.atMs - atMs >= keptMs) this.#kept.delete(old);
    this.#kept.set(statement, kept);
    rows.catch(() => {
      if (this.#kept.get(statement) === kept) this.#kept.delete(statement);
    });
    return rows;
  }

  async #fresh(statement: string, signal: AbortSignal | undefined, at: "catalog" | "table" = "table"): Promise<readonly Row[]> {
    const { gateway, warehouse, url } = this.#world;
    const patience = AbortSignal.timeout(patienceMs);
    let wasSent = false;
    try {
      return rowsIn(await gateway.run(statement, signal === undefined ? patience : AbortSignal.any([signal, patience]), { config: readingConfig, sent: () => Promise.resolve(void (wasSent = true)) }));
    } catch (error) {
      signal?.throwIfAborted();
      const refused = (where: "catalog" | "table", reason: string): FlinkError => new FlinkError("catalog-unreadable", { warehouse, gateway: url, at: where, reason }, { cause: error });
      if (patience.aborted) throw refused(at, `no answer within ${spanText(patienceMs)}; its cluster may have no free slot`);
      if (!isFlinkError(error)) throw error;
      if (isFlinkError(error, "catalog-secret-missing", "secrets-unavailable")) throw error;
      // What forbids a session, and what the connection is about, is told as that.
      if (isFlinkError(error, "statement-failed") && error.facts.catalogOf !== null) throw refused(error.facts.catalogOf === undefined && wasSent ? at : "catalog", error.facts.message);
      throw error;
    }
  }
}

/** Why a catalog can't be asked, in a few words; undefined for what is another fault. */
function absence(error: unknown): string | undefined {
  if (isFlinkError(error, "catalog-unreadable")) return error.facts.reason;
  if (isFlinkError(error, "statement-failed")) return error.facts.message;
  return isFlinkError(error) && isOfGateway(error) ? shortReason(error) : undefined;
}

/** A row by the names of its columns. */
interface Row {
  readonly columns: readonly string[];
  readonly values: readonly unknown[];
}

function rowsIn({ columns, rows }: StatementResult): readonly Row[] {
  return rows.map((values) => ({ columns, values }));
}

function valueIn({ columns, values }: Row, column: string | number): unknown {
  return values[typeof column === "number" ? column : columns.indexOf(column)];
}

function textIn(row: Row, column: string | number): string {
  const value = valueIn(row, column);
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}

function numberIn(row: Row, column: string): number | undefined {
  const value = Number(valueIn(row, column) ?? NaN);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Epoch milliseconds of what `catalogStatements` splits into seconds and milliseconds. */
function instantIn(row: Row, column: string): number | undefined {
  const seconds = numberIn(row, column);
  return seconds === undefined ? undefined : seconds * 1_000 + (numberIn(row, `${column}_ms`) ?? 0);
}

function snapshotIn(row: Row, id = numberIn(row, "snapshot_id"), records = "total_record_count"): PaimonSnapshot | undefined {
  const identifier = textIn(row, "commit_identifier");
  const timeMs = instantIn(row, "committed");
  const commitUser = valueIn(row, "commit_user");
  if (id === undefined || timeMs === undefined || typeof commitUser !== "string" || !/^-?\d{1,19}$/.test(identifier)) return undefined;
  const list = valueIn(row, "delta_manifest_list");
  return { id, schemaId: numberIn(row, "schema_id") ?? 0, commitUser, commitIdentifier: BigInt(identifier), commitKind: textIn(row, "commit_kind"), timeMs, totalRecordCount: numberIn(row, records) ?? null, deltaManifestList: typeof list === "string" ? list : null, uuid: null };
}

function tagIn(row: Row): TagRow | undefined {
  const name = textIn(row, "tag_name");
  const snapshotId = numberIn(row, "snapshot_id");
  const timeMs = instantIn(row, "committed");
  if (name === "" || snapshotId === undefined || timeMs === undefined) return undefined;
  const retainedMs = readRetention(valueIn(row, "time_retained"));
  const snapshot = snapshotIn(row, snapshotId, "record_count");
  const content = snapshot === undefined ? undefined : { name, snapshot, retainedMs };
  const told = snapshot !== undefined ? undefined : { snapshotId, schemaId: numberIn(row, "schema_id") ?? 0, timeMs, totalRecordCount: numberIn(row, "record_count") ?? null, retainedMs };
  return { name, file: null, content, told, problem: undefined, modifiedMs: instantIn(row, "made") ?? null };
}

/** The rows of a list, each of which has the number of all; those that are not understood are a problem, since what they tell of is there. */
function partOf<T>(path: string, rows: readonly Row[], read: (row: Row) => T | undefined): Part<T> {
  const [first] = rows;
  const items = rows.flatMap((row) => read(row) ?? []);
  const unread = rows.length - items.length;
  return {
    items,
    more: first === undefined ? 0 : Math.max(0, (numberIn(first, "total") ?? rows.length) - rows.length),
    problems: unread === 0 ? [] : [{ path, problem: { code: "unreadable", reason: `${unread} of its rows ${unread === 1 ? "is" : "are"} not as Paimon has them` } }],
  };
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function tableOf(name: string): PaimonTable {
  const { table } = tableAddress(name);
  return { name, objectName: table, folder: name.replace(/\$branch_.*$/, ""), home: name };
}
