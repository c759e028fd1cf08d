import type { Disposable } from "../../core/base/disposable";
import { isFlinkError, type FlinkError } from "../../core/errors";
import { explain } from "../../core/explain";
import { isUsable, type PairRecord, type SavepointRecord } from "../../core/ledger/record";
import type { Ledger } from "../../core/ledger/store";
import { placeKey } from "../../core/model/location";
import type { WarehouseProfile } from "../../core/model/warehouse";
import type { SinkPair } from "../../core/paimon/savepointPairs";
import { endOfInput, type PaimonSnapshot } from "../../core/paimon/snapshot";
import type { CatalogReach } from "../../core/paimon/catalogReach";
import type { WarehouseProblem } from "../../core/paimon/warehouse";
import { warehouseProblemText, type PairedJob } from "../../core/paimon/pairText";
import type { Clock, Log } from "../../core/ports";
import { gatewaySentence } from "../../core/rowText";
import { countText } from "../../core/wording";
import { pairedPlace, type PairService } from "../../services/pairs";
import type { Part, TableSummary, ToldTag } from "../../core/paimon/tableSource";
import type { WarehouseService } from "../../services/warehouses";
import { AskedLists } from "./askedLists";
import type { ExplorerNode } from "./explorerRows";
import type { PaimonNode, TagOwner } from "./paimonRows";
import type { RowCommand } from "./row";

/** Rows of a list that are shown at first, and added by *Show more*. */
export const paimonPage = 50;
/** Pairs that nobody asked for since are looked at again after so long. */
const pairsFreshMs = 60_000;
/** Savepoints that are paired because a tag in sight may be theirs, at a time. */
const mostCandidates = 20;
/** Problems of one list that are shown. */
const mostProblems = 5;

/** Where Paimon's rows come from. */
export interface PaimonWorld {
  readonly warehouses: WarehouseService;
  readonly pairs: PairService;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Log;
}

/** Ids of Paimon's rows. Names may hold blanks, which join the parts of an id. */
export const paimonId = {
  root: "paimon",
  warehouse: (path: string): string => `paimon ${encodeURIComponent(path)}`,
  /** The row of a table by its name in the warehouse; for a branch the row below its table's. */
  table: (path: string, name: string): string => {
    const [, database = "", plain = "", branch] = /^([^.]+)\.(.+?)(?:\$branch_(.+))?$/.exec(name) ?? [];
    const table = `paimon ${encodeURIComponent(path)} ${encodeURIComponent(database)} ${encodeURIComponent(plain)}`;
    return branch === undefined ? table : `${table} branch:${encodeURIComponent(branch)}`;
  },
};

/** The nodes below Paimon's. */
export class PaimonSource implements Disposable {
  readonly #world: PaimonWorld;
  readonly #lengthOf: (listId: string) => number;
  readonly #asked: AskedLists;

  /** Fires with the id of a row whose list has come from a gateway. */
  readonly onDidChange;

  constructor(world: PaimonWorld, lengthOf: (listId: string) => number) {
    this.#world = world;
    this.#lengthOf = lengthOf;
    this.#asked = new AskedLists(world.clock, world.log);
    this.onDidChange = this.#asked.onDidChange;
  }

  /** Has everything that gateways told asked anew. */
  async forget(): Promise<void> {
    await this.#world.warehouses.forget();
    this.#asked.forget();
  }

  /** Gives up what gateways are asked for rows that are closed by now. */
  keep(isOpen: (id: string) => boolean): void {
    this.#asked.keep(isOpen);
  }

  dispose(): void {
    this.#asked.dispose();
  }

  /** The row that all warehouses are below; none without any. */
  root(): ExplorerNode[] {
    const count = this.#world.warehouses.list().length;
    return count === 0 ? [] : [{ kind: "paimon", id: paimonId.root, count }];
  }

  async children(parent: PaimonNode): Promise<readonly ExplorerNode[]> {
    const { warehouses } = this.#world;
    switch (parent.kind) {
      case "paimon": return [
        ...(await this.#world.ledger.all()).flatMap((record): ExplorerNode[] => (record.kind === "rollback" && record.endedAtMs === null ? [{ kind: "rollback", id: `paimon-rollback-${record.id}`, record }] : [])),
        ...warehouses.list().map((profile): ExplorerNode => ({ kind: "warehouse", id: paimonId.warehouse(profile.path), profile, open: parent.count <= 3 })),
      ];
      case "warehouse": {
        const databases = await this.#reading(parent.id, parent.profile, (signal) => warehouses.databases(parent.profile, signal));
        const nodes = databases.items.map((name): ExplorerNode => ({ kind: "database", id: `${parent.id} ${encodeURIComponent(name)}`, warehouse: parent.profile.path, name }));
        return orEmpty(parent.id, [...databases.messages, ...problemNodes(parent.id, databases), ...nodes], "No databases", databases.way === "files" ? "A database of a file-system catalog is a folder that ends in .db." : "");
      }
      case "database": {
        const profile = warehouses.profile(parent.warehouse);
        const tables = await this.#reading(parent.id, profile, (signal) => warehouses.tables(profile, parent.name, this.#lengthOf(parent.id), signal));
        const nodes = tables.items.map((summary): ExplorerNode => ({ kind: "table", id: paimonId.table(parent.warehouse, summary.table.name), warehouse: parent.warehouse, summary, isBranch: false }));
        return orEmpty(parent.id, [...tables.messages, ...problemNodes(parent.id, tables), ...nodes, ...more(parent.id, tables.more, "tables")], "No tables", "");
      }
      case "table": return this.#belowTable(parent);
      case "snapshots": {
        const { table } = parent.summary;
        const owners = await this.#owners(parent.warehouse, table.name);
        const snapshots = await this.#reading(parent.id, warehouses.profile(parent.warehouse), (signal) => warehouses.snapshots(parent.warehouse, table, this.#lengthOf(parent.id), signal));
        const nodes = snapshots.items.map((row): ExplorerNode => ({ kind: "snapshot", id: `${parent.id} ${row.name}`, ref: { warehouse: parent.warehouse, table: table.name, snapshotId: Number(row.name) }, row, owner: row.content === undefined ? undefined : ownerIn(owners, row.content) }));
        return orEmpty(parent.id, [...snapshots.messages, ...problemNodes(parent.id, snapshots), ...nodes, ...more(parent.id, snapshots.more, "older")], "No snapshots", "Nothing was committed to the table yet.");
      }
      case "branches": {
        const { table } = parent.summary;
        const branches = await this.#reading(parent.id, warehouses.profile(parent.warehouse), (signal) => warehouses.branches(parent.warehouse, table, signal));
        return orEmpty(parent.id, [...branches.messages, ...problemNodes(parent.id, branches), ...branches.items.map((branch) => branchNode(parent.warehouse, branch))], "No branches", "");
      }
      default: return [];
    }
  }

  /** The pairs below a savepoint, as they are known; looks at them in the background. */
  pairNodes(id: string, record: SavepointRecord | null, job: PairedJob): readonly Extract<ExplorerNode, { kind: "pair" }>[] {
    const { pairs } = this.#world;
    if (record === null || !pairs.isUsed || !isUsable(record) || record.forgotten) return [];
    const place = pairedPlace(record);
    if (place === undefined) return [];
    pairs.pairsOf(place, pairsFreshMs, undefined, "later").catch((error: unknown) => this.#world.log.warn("pairing", error));
    return (pairs.known(place.path)?.pairs ?? []).map((pair, at) => ({ kind: "pair", id: `${id} pair:${at}`, recordId: record.id, pair, job }));
  }

  async #belowTable({ id, warehouse, summary, isBranch }: Extract<PaimonNode, { kind: "table" }>): Promise<ExplorerNode[]> {
    const { warehouses } = this.#world;
    const { table } = summary;
    const tags = await this.#reading(id, warehouses.profile(warehouse), (signal) => warehouses.tags(warehouse, table, this.#lengthOf(id), signal));
    const owners = await this.#owners(warehouse, table.name);
    const records = (await this.#world.ledger.all()).filter((record): record is SavepointRecord => record.kind === "savepoint" && isUsable(record));
    this.#lookForOwners(tags.items.flatMap(({ content }) => (content === undefined || ownerIn(owners, content.snapshot) !== undefined ? [] : [content.snapshot])), records);
    const known = records.flatMap((record) => this.#world.pairs.known(record.path ?? "")?.pairs ?? []);
    const nodes: ExplorerNode[] = [...tags.messages, ...problemNodes(id, summary), ...problemNodes(`${id} tags`, tags)];
    for (const row of tags.items) {
      const { name, content, told } = row;
      const owner: TagOwner = content === undefined ? ownerOfTold(name, told, owners, records) : ownerOf(warehouse, table.name, name, content.snapshot, owners, known, records);
      nodes.push({ kind: "tag", id: `${id} tag:${encodeURIComponent(name)}`, ref: { warehouse, table: table.name, tag: name }, row, owner });
    }
    nodes.push(...more(id, tags.more, "tags"));
    nodes.push({ kind: "snapshots", id: `${id} snapshots`, warehouse, summary });
    if (isBranch || summary.hasBranches === false) return nodes;
    // Only asking tells whether there are any.
    if (summary.hasBranches === null) return [...nodes, { kind: "branches", id: `${id} branches`, warehouse, summary }];
    const branches = await warehouses.branches(warehouse, table);
    return [...nodes, ...problemNodes(`${id} branches`, branches), ...branches.items.map((branch) => branchNode(warehouse, branch))];
  }

  /** Pairs the savepoints that tags in sight may belong to: those of the same number. */
  #lookForOwners(snapshots: readonly PaimonSnapshot[], records: readonly SavepointRecord[]): void {
    const numbers = new Set(snapshots.flatMap(({ commitIdentifier }) => (commitIdentifier === endOfInput ? [] : [Number(commitIdentifier)])));
    const seen = new Set<string>();
    for (const record of records) {
      const place = pairedPlace(record);
      if (place === undefined || record.checkpointId === null || !numbers.has(record.checkpointId) || seen.has(placeKey(place.path))) continue;
      seen.add(placeKey(place.path));
      if (seen.size > mostCandidates) return;
      this.#world.pairs.pairsOf(place, pairsFreshMs, undefined, "later").catch((error: unknown) => this.#world.log.warn("pairing", error));
    }
  }

  async #owners(warehouse: string, table: string): Promise<readonly PairRecord[]> {
    return (await this.#world.ledger.all()).filter((record): record is PairRecord => record.kind === "pair" && record.warehouse === warehouse && record.table === table);
  }

  /** A list with what is said of it: read at once from files; from a gateway what is known of it by now. `way` is null when it is not reached. */
  async #reading<T>(id: string, profile: WarehouseProfile, read: (signal: AbortSignal) => Promise<Part<T>>): Promise<Part<T> & { readonly way: CatalogReach["way"] | null; readonly messages: readonly ExplorerNode[] }> {
    const nothing = { items: [], more: 0, problems: [] };
    try {
      if ((await this.#world.warehouses.reach(profile)).way === "files") return { ...(await read(new AbortController().signal)), way: "files", messages: [] };
      const { part, failure, isAsking } = this.#asked.of(id, this.#lengthOf(id), read);
      if (failure !== undefined) return { ...nothing, way: "gateway", messages: [failureMessage(id, failure)] };
      const asking: ExplorerNode[] = isAsking ? [{ kind: "message", id: `${id} asking`, text: "Asking the SQL Gateway…", detail: "Close the row to give it up.", tone: "busy", click: null }] : [];
      return { ...(part ?? nothing), way: "gateway", messages: asking };
    } catch (error) {
      if (!isFlinkError(error)) throw error;
      return { ...nothing, way: null, messages: [failureMessage(id, error)] };
    }
  }
}

/** A row whose click is the error's own step, or asks again. */
function failureMessage(id: string, error: FlinkError): ExplorerNode {
  const { action } = explain(error);
  const click: RowCommand = action?.command === "flinkSavepoints.setCredentials" && "url" in error.facts ? { command: action.command, title: action.title, args: [{ cluster: error.facts.url }] }
    : isFlinkError(error, "catalog-secret-missing") ? { command: "flinkSavepoints.storeWarehouseSecrets", title: "Store Secrets…", args: [{ warehouse: error.facts.warehouse }] }
    // What may answer by now is asked again at once, not when the row is due.
    : action?.command === "retry" || isFlinkError(error, "cluster-unreachable", "answer-lost") ? { command: "flinkSavepoints.refresh", title: "Try Again", args: [] }
    : action?.command === "flinkSavepoints.showLog" ? { command: action.command, title: action.title, args: [] }
    : { command: "flinkSavepoints.editWarehouses", title: "Edit Warehouses", args: [] };
  return { kind: "message", id: `${id} failure`, text: gatewaySentence(error), detail: `Click: ${click.title}.`, tone: "warning", click };
}

function branchNode(warehouse: string, branch: TableSummary): ExplorerNode {
  return { kind: "table", id: paimonId.table(warehouse, branch.table.name), warehouse, summary: branch, isBranch: true };
}

/** `known`: the pairs of all savepoints, as they were found last. */
function ownerOf(warehouse: string, table: string, tag: string, snapshot: PaimonSnapshot, owners: readonly PairRecord[], known: readonly SinkPair[], records: readonly SavepointRecord[]): TagOwner {
  const decoyed = known.find(({ place, pairing }) => place?.warehouse === warehouse && place.table === table && ((pairing.grade === "changed" && pairing.tags.some(({ name }) => name === tag)) || pairing.decoy?.name === tag));
  if (decoyed !== undefined) return { kind: "changed", checkpointId: /^savepoint-(\d+)$/.exec(tag)?.[1] ?? String(snapshot.commitIdentifier) };
  const pair = ownerIn(owners, snapshot);
  if (pair !== undefined) return { kind: "proven", pair };
  return unprovenOwner(tag, records);
}

/** Whose a tag is that nothing proves: by its name a savepoint's, which may be known here all the same. */
function unprovenOwner(tag: string, records: readonly SavepointRecord[]): TagOwner {
  const number = /^savepoint-(\d+)$/.exec(tag)?.[1];
  if (number === undefined) return { kind: "hand" };
  return { kind: "unknown", checkpointId: records.some(({ checkpointId }) => String(checkpointId) === number) ? number : null };
}

/** Of a tag whose commit is not told what is remembered of its very snapshot. */
function ownerOfTold(tag: string, told: ToldTag | undefined, owners: readonly PairRecord[], records: readonly SavepointRecord[]): TagOwner {
  const pair = owners.find(({ snapshot }) => snapshot.id === told?.snapshotId && snapshot.timeMs === told.timeMs);
  return pair !== undefined ? { kind: "proven", pair } : unprovenOwner(tag, records);
}

function ownerIn(owners: readonly PairRecord[], { id, commitUser, commitIdentifier, timeMs }: PaimonSnapshot): PairRecord | undefined {
  // An APPEND and the COMPACT after it have one number and the same rows; either may be tagged.
  return owners.find(({ snapshot }) => snapshot.commitUser === commitUser && snapshot.commitIdentifier === String(commitIdentifier) && Math.abs(snapshot.id - id) <= 1 && Math.abs(snapshot.timeMs - timeMs) < 60_000);
}

function problemNodes(id: string, { problems }: { readonly problems: readonly WarehouseProblem[] }): ExplorerNode[] {
  // What is wrong with a file stands on the file's own row as well.
  const shown = problems.slice(0, mostProblems).map((problem, at): ExplorerNode => ({ kind: "message", id: `${id} problem:${at}`, text: warehouseProblemText(problem), detail: "Nothing was changed.", tone: "warning", click: null }));
  const left = problems.length - shown.length;
  return left <= 0 ? shown : [...shown, { kind: "message", id: `${id} problems`, text: `And ${countText(left, "problem")} more`, detail: "", tone: "warning", click: null }];
}

function more(listId: string, left: number, noun: string): ExplorerNode[] {
  return left <= 0 ? [] : [{ kind: "more", id: `${listId} more`, listId, step: paimonPage, left, noun }];
}

function orEmpty(id: string, nodes: readonly ExplorerNode[], text: string, detail: string): readonly ExplorerNode[] {
  return nodes.length > 0 ? nodes : [{ kind: "message", id: `${id} empty`, text, detail, tone: "quiet", click: null }];
}
