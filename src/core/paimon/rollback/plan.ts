import type { OpenFile } from "../../ports";
import type { Refusal } from "../../errors";
import type { RandomAccess } from "../../metadata/randomAccess";
import { scanMetadata } from "../../metadata/scan";
import { nameFault, tableAddress, type PaimonAction, type TableAddress } from "../actions";
import { readBoard, type BoardPair, type BoardSavepoint } from "../board";
import { paimonCommitters } from "../committers";
import { rollbackName } from "../ourNames";
import type { Pairing } from "../pairing";
import { wantedBy } from "../sinkTables";
import type { PaimonSnapshot } from "../snapshot";
import type { TableSource } from "../tableSource";
import type { PaimonTable, WarehouseReader } from "../warehouse";
import { isBrokenOff, latestOf, type TableFacts } from "./facts";

/** A warehouse that is looked through. */
export interface RollbackWarehouse {
  /** Its location, the key of the warehouse everywhere. */
  readonly location: string;
  readonly tables: TableSource;
  /** Where its files are read from and written; undefined where only a SQL Gateway reaches them. */
  readonly files?: { readonly folder: string; readonly reader: WarehouseReader };
}

/** A warehouse that is configured and can't be read now; `reason` as in `warehouse-unreachable`. */
export interface WarehouseAway {
  readonly location: string;
  readonly reason: string;
}

/** The savepoint that one wants to go back to. */
export interface RollbackSavepoint {
  readonly path: string;
  readonly recordId: string | null;
  readonly jobName: string | null;
  /** When it was complete, epoch milliseconds. */
  readonly completedMs: number;
}

/** Another savepoint, by what its state says: which of the tags that a rollback deletes is its pair. */
export interface OtherSavepoint {
  /** What it is called, such as `#12 of orders`. */
  readonly name: string;
  readonly checkpointId: bigint;
  /** Null when its state can't be read: then its number alone says that a tag may be its pair. */
  readonly commitUsers: readonly string[] | null;
}

/** A tag that a rollback deletes. */
export interface TagVictim {
  readonly name: string;
  readonly snapshotId: number;
  /** Savepoints that lose their pair with it. */
  readonly savepoints: readonly string[];
}

/** What becomes of one table. */
export interface TableRollback {
  readonly warehouse: string;
  readonly table: PaimonTable;
  readonly address: TableAddress;
  readonly pairing: Pairing;
  readonly committer: BoardPair["committer"];
  /** The state that belongs to the savepoint. */
  readonly target: PaimonSnapshot;
  /** The tag to roll back to; `isNew` when it is made first, since no tag keeps the snapshot. */
  readonly tag: { readonly name: string; readonly isNew: boolean };
  /** Newest snapshot now; null for a table without any. */
  readonly latestId: number | null;
  /** A rollback broke off here earlier; Paimon can't read the table before it is mended. */
  readonly isBrokenOff: boolean;
  /** Snapshots that are deleted, by id. */
  readonly snapshots: readonly PaimonSnapshot[];
  /** Commit users of deleted snapshots that are not this job's: what others wrote goes too. */
  readonly strangers: readonly string[];
  readonly tags: readonly TagVictim[];
  /** Consumers that have read further than the target: they would skip or repeat rows. */
  readonly consumers: readonly { readonly id: string; readonly nextSnapshot: number }[];
  readonly branches: readonly string[];
  /** The table has a newer schema than the target was written with; the rollback leaves it. */
  readonly schema: { readonly target: number; readonly newest: number } | null;
}

/** What a rollback would do and what forbids it. */
export interface RollbackPlan {
  readonly savepoint: RollbackSavepoint & { readonly checkpointId: number };
  readonly tables: readonly TableRollback[];
  readonly refusals: readonly Refusal[];
}

/** What is looked through for a plan. */
export interface PlanInput {
  readonly savepoint: RollbackSavepoint;
  readonly metadata: RandomAccess;
  readonly open: OpenFile;
  readonly warehouses: readonly RollbackWarehouse[];
  /** Those that would be looked through, too. */
  readonly away: readonly WarehouseAway[];
  /** Those of the given numbers; asked once it is known which tags would be deleted. */
  others(checkpointIds: ReadonlySet<bigint>): Promise<readonly OtherSavepoint[]>;
}

/** Plans the rollback of every table that a savepoint's job writes (P-10, P-11, P-15). Reads only. Throws what reading the savepoint's metadata throws. */
export async function planRollback(input: PlanInput, signal?: AbortSignal): Promise<RollbackPlan> {
  const { savepoint, metadata, open, warehouses, away } = input;
  const scanned = (await scanMetadata(metadata, signal === undefined ? {} : { signal })).metadata;
  const checkpointId = Number(scanned?.checkpointId ?? 0n);
  const refusals: Refusal[] = [];
  const committers = scanned === undefined ? [] : await paimonCommitters(metadata, scanned, { folder: savepoint.path, open }, signal);
  if (committers.length === 0) return { savepoint: { ...savepoint, checkpointId }, tables: [], refusals: [{ rule: "no-paimon-sink" }] };

  const seen: FoundPair[] = [];
  for (const warehouse of warehouses) {
    const wanted = warehouse.files === undefined ? wantedBy(committers, [], BigInt(checkpointId)) : undefined;
    const board = await readBoard(warehouse.tables, once({ path: savepoint.path, metadata, completedMs: savepoint.completedMs }), open, signal, wanted);
    for (const pair of board.pairs) if (pair.table !== undefined) seen.push({ pair: { ...pair, table: pair.table }, warehouse });
  }
  const found = committers.flatMap(({ operatorId }) => inOneWarehouse(seen.filter(({ pair }) => pair.committer.operatorId === operatorId), refusals));
  // Every sink must have its table: rolling back a part loses or doubles rows in the rest (rule 5).
  for (const committer of committers) {
    if (!seen.some(({ pair }) => pair.committer.operatorId === committer.operatorId)) refusals.push({ rule: "table-unknown", sink: committer.operatorName ?? committer.operatorId, away: away.map(({ location, reason }) => ({ warehouse: location, reason })) });
  }
  const tables: PlannedTable[] = [];
  for (const { pair, warehouse } of found) {
    const facts = await warehouse.tables.facts(pair.table, signal);
    const planned = await planTable(warehouse, pair, facts, { path: savepoint.path, checkpointId }, refusals, signal);
    if (planned !== undefined) tables.push(planned);
  }
  const asked = tables.filter(({ warehouse }) => warehouses.some(({ location, files }) => location === warehouse && files === undefined)).map(({ table }) => table.name);
  if (asked.length > 0) refusals.push({ rule: "files-elsewhere", tables: asked.sort() });
  const names = tables.map(({ warehouse, table }) => `${warehouse} ${table.name}`);
  const shared = tables.filter((_, at) => names.indexOf(names[at] ?? "") !== at).map(({ table }) => table.name);
  if (shared.length > 0) refusals.push({ rule: "two-sinks", tables: [...new Set(shared)].sort() });
  const identifiers = new Set(tables.flatMap(({ tags }) => tags.map(({ commitIdentifier }) => commitIdentifier)));
  const others = identifiers.size === 0 ? [] : await input.others(identifiers);
  const named = tables.map(({ tags, ...rest }): TableRollback => ({
    ...rest,
    tags: tags.map(({ name, snapshotId, commitUser, commitIdentifier }) => ({
      name, snapshotId, savepoints: others.filter((other) => other.checkpointId === commitIdentifier && (other.commitUsers?.includes(commitUser) ?? true)).map((other) => other.name),
    })),
  }));
  return { savepoint: { ...savepoint, checkpointId }, tables: named.sort((a, b) => (a.table.name < b.table.name ? -1 : 1)), refusals: grouped(refusals) };
}

/** One refusal for all tables that it says the same of. */
function grouped(refusals: readonly Refusal[]): readonly Refusal[] {
  const groups = new Map<string, Refusal>();
  for (const refusal of refusals) {
    const key = refusal.rule === "pair-unproven" ? `${refusal.rule} ${refusal.grade}` : refusal.rule === "table-twice" ? [refusal.rule, ...refusal.warehouses].join(" ") : `${groups.size}`;
    const before = groups.get(key);
    groups.set(key, (refusal.rule === "pair-unproven" || refusal.rule === "table-twice") && before?.rule === refusal.rule ? { ...refusal, tables: [...new Set([...before.tables, ...refusal.tables])].sort() } : refusal);
  }
  return [...groups.values()];
}

interface FoundPair {
  readonly pair: BoardPair & { readonly table: PaimonTable };
  readonly warehouse: RollbackWarehouse;
}

/**
 * A sink writes into one warehouse. Found in several, as after a copy, its tables are those of the only one whose commit is of the very files that the
 * savepoint names; else none is rolled back, since the names and numbers of a copy are those of the original.
 */
function inOneWarehouse(found: readonly FoundPair[], refusals: Refusal[]): readonly FoundPair[] {
  const places = [...new Set(found.map(({ warehouse }) => warehouse.location))];
  if (places.length < 2) return found;
  const proven = places.filter((place) => found.some(({ pair, warehouse }) => warehouse.location === place && isProven(pair.pairing.grade) && pair.pairing.reasons.some(({ code }) => code === "files-match")));
  if (proven.length === 1) return found.filter(({ warehouse }) => warehouse.location === proven[0]);
  refusals.push({ rule: "table-twice", tables: [...new Set(found.map(({ pair }) => pair.table.name))], warehouses: places });
  return [];
}

interface PlannedTable extends Omit<TableRollback, "tags"> {
  readonly tags: readonly { readonly name: string; readonly snapshotId: number; readonly commitUser: string; readonly commitIdentifier: bigint }[];
}

async function planTable(warehouse: RollbackWarehouse, pair: BoardPair & { readonly table: PaimonTable }, facts: TableFacts, savepoint: { readonly path: string; readonly checkpointId: number }, refusals: Refusal[], signal: AbortSignal | undefined): Promise<PlannedTable | undefined> {
  const { table, pairing, committer } = pair;
  const { grade, snapshot: target } = pairing;
  // Not committed yet, and nothing was committed since: the table is where the savepoint left it, and the restore commits the rest.
  const isUntouched = grade === "waiting" && target !== null && latestOf(facts) === target.id && !isBrokenOff(facts);
  if (target === null || !(isProven(grade) || isUntouched)) {
    refusals.push({ rule: "pair-unproven", tables: [table.name], grade });
    return undefined;
  }
  const [problem] = facts.problems;
  if (problem !== undefined) refusals.push({ rule: "table-damaged", table: table.name, file: problem.path });
  const own = rollbackName(savepoint.path, savepoint.checkpointId);
  const kept = pairing.tags.find(({ name }) => name === `savepoint-${savepoint.checkpointId}`) ?? pairing.tags.find(({ name }) => nameFault(name) === undefined) ?? pairing.tags[0];
  const tag = { name: kept?.name ?? own, isNew: kept === undefined };
  const fault = nameFault(tag.name);
  if (fault !== undefined) refusals.push({ rule: "tag-unnameable", table: table.name, tag: tag.name, fault });
  const missing = await warehouse.tables.missingFile(table, tag.isNew ? { snapshotId: target.id } : { tag: tag.name }, signal);
  if (missing !== undefined) refusals.push({ rule: "tag-damaged", table: table.name, tag: tag.name, file: missing });
  const snapshots = facts.snapshots.filter(({ id }) => id > target.id);
  return {
    warehouse: warehouse.location, table, address: tableAddress(table.name), pairing, committer, target, tag, snapshots,
    latestId: latestOf(facts),
    isBrokenOff: isBrokenOff(facts),
    strangers: [...new Set(snapshots.map(({ commitUser }) => commitUser))].filter((user) => user !== target.commitUser),
    tags: facts.tags.filter(({ snapshot }) => snapshot.id > target.id).map(({ name, snapshot }) => ({ name, snapshotId: snapshot.id, commitUser: snapshot.commitUser, commitIdentifier: snapshot.commitIdentifier })),
    consumers: facts.consumers.filter(({ nextSnapshot }) => nextSnapshot > target.id + 1),
    branches: facts.branches,
    schema: facts.schemaId !== null && facts.schemaId > target.schemaId ? { target: target.schemaId, newest: facts.schemaId } : null,
  };
}

/** Grades whose snapshot is known to hold what the savepoint saw. What is only waiting or merely fits is none. */
function isProven(grade: Pairing["grade"]): boolean {
  return grade === "exact" || grade === "unprotected" || grade === "idle" || grade === "drained";
}

/** Tables that hold more than the savepoint saw: restored without a rollback, their rows are doubled or lost without a word. */
export function movedOn(plan: Pick<RollbackPlan, "tables">): readonly TableRollback[] {
  return plan.tables.filter(({ latestId, target, snapshots }) => latestId !== target.id || snapshots.length > 0);
}

/** What is done to a table, in this order. */
export function stepsFor(table: { readonly tag: { readonly name: string; readonly isNew: boolean }; readonly target: { readonly id: number }; readonly latestId: number | null }, safetyName: string | null): readonly PaimonAction[] {
  const safety: PaimonAction[] = safetyName === null || table.latestId === null ? [] : [
    { kind: "create-tag", tag: safetyName, snapshotId: table.latestId, retainedMs: null },
    { kind: "create-branch", branch: safetyName, tag: safetyName },
  ];
  const tag: PaimonAction[] = table.tag.isNew ? [{ kind: "create-tag", tag: table.tag.name, snapshotId: table.target.id, retainedMs: null }] : [];
  return [...safety, ...tag, { kind: "roll-back", tag: table.tag.name }];
}

/** What a rolled-back table must be. 64-bit numbers are decimal texts, as in the ledger. */
export interface ExpectedTable {
  readonly id: number;
  readonly commitUser: string;
  readonly commitIdentifier: string;
  readonly timeMs: number;
}

/** Whether a snapshot is the one that is expected; its number alone proves nothing, since a rollback has numbers used again. */
export function isTarget(expected: ExpectedTable, snapshot: PaimonSnapshot): boolean {
  return snapshot.id === expected.id && snapshot.commitUser === expected.commitUser && String(snapshot.commitIdentifier) === expected.commitIdentifier && snapshot.timeMs === expected.timeMs;
}

/** How a table differs from what it must be after the rollback, as the end of a sentence; undefined when it does not. */
export function differenceFrom(expected: ExpectedTable, facts: Pick<TableFacts, "snapshots" | "tags" | "pointers" | "problems">): string | undefined {
  const latest = latestOf(facts);
  if (latest !== expected.id) return `its newest snapshot is ${latest ?? "none"}, not ${expected.id}`;
  const snapshot = facts.snapshots.find(({ id }) => id === expected.id);
  if (snapshot === undefined) return `the file of snapshot ${expected.id} is missing`;
  if (!isTarget(expected, snapshot)) return `snapshot ${expected.id} is another one of that number`;
  const later = facts.snapshots.find(({ id }) => id > expected.id);
  if (later !== undefined) return `snapshot ${later.id} is still there`;
  const tag = facts.tags.find((each) => each.snapshot.id > expected.id);
  if (tag !== undefined) return `the later tag ${tag.name} is still there`;
  // It may be a later one.
  const [problem] = facts.problems;
  return problem === undefined ? undefined : `${problem.path} can't be read`;
}

/** The table's name without its database in the name of a running operator that writes to it, compacts it or tags it. */
export function writtenBy(operatorName: string): readonly string[] {
  return [...operatorName.matchAll(/(?:Writer(?:\(write-only\))?|Global Committer|Compact (?:Coordinator|Worker)|Changelog Compact \w+|dynamic-bucket-assigner|cross-partition-bucket-assigner) ?: ?([^\s,)\]]+)/g)].map(([, name]) => name ?? "");
}

async function* once(savepoint: BoardSavepoint): AsyncGenerator<BoardSavepoint> {
  await Promise.resolve();
  yield savepoint;
}
