import { isAbort, unlessAborted } from "../core/base/async";
import { Emitter } from "../core/base/event";
import { FlinkError, isFlinkError, type Refusal } from "../core/errors";
import { explain } from "../core/explain";
import { savepointsAt } from "../core/ledger/queries";
import { filesOf, isBeingCleanedUp, isUsable, recordVersion, type RollbackRecord, type RollbackTableRecord, type SavepointRecord } from "../core/ledger/record";
import { placeKey, requireLocation } from "../core/model/location";
import { scanMetadata } from "../core/metadata/scan";
import { actionText, tableAddress, type PaimonAction, type PaimonActions, type SentStatement, type StatementStanding } from "../core/paimon/actions";
import { paimonCommitters } from "../core/paimon/committers";
import { rollbackName } from "../core/paimon/ourNames";
import { isBrokenOff, latestOf, missingFileOf, snapshotTextOf, tableFacts, type TableFacts } from "../core/paimon/rollback/facts";
import { differenceFrom, isTarget, planRollback, stepsFor, type OtherSavepoint, type RollbackPlan, type RollbackSavepoint, type RollbackWarehouse, type WarehouseAway } from "../core/paimon/rollback/plan";
import { pairRecordId, pairRecordsIn, rememberedOf, withRemembered } from "../core/paimon/remembered";
import { branchesOf, optionsOf, snapshotFile, tableNamed, tagFile, type PaimonTable, type WarehouseReader } from "../core/paimon/warehouse";
import type { Liveness, OpenFile, OpenMetadata, ProcessIdentity, Run, StorageLook } from "../core/ports";
import { savepointName } from "../core/wording";
import { followedPlaces } from "./realPlaces";
import { refuseIf } from "./requestErrors";
import type { RestoreRequest, RestoreService } from "./restores";
import { writersOf } from "./rollbackWriters";
import type { SavepointWorld } from "./savepoints";
import { mayBeAtWork } from "./takeover";

/** The tables of the world, as a rollback sees them. */
export interface RollbackTables {
  /** The warehouses that are configured: those that can be read from here, and those that can't be now. */
  warehouses(): Promise<{ readonly found: readonly RollbackWarehouse[]; readonly away: readonly WarehouseAway[] }>;
  /** What acts on a warehouse's tables. Throws `warehouse-unknown`. */
  actions(location: string): PaimonActions;
  /** Writes a file of a warehouse in one step, over what is there. */
  write(file: string, text: string): Promise<void>;
  readonly openMetadata: OpenMetadata;
  readonly openFile: OpenFile;
  /** When a savepoint's `_metadata` was written, epoch milliseconds; undefined when it can't be looked at. */
  writtenMs(location: string): Promise<number | undefined>;
  /** How a statement stands that the SQL Gateway at this address was sent. Rejects only when it is aborted. */
  statementAt(gateway: string, statement: SentStatement, signal: AbortSignal): Promise<StatementStanding>;
  /** Bytes that are free where a warehouse lies, or undefined. */
  freeBytes(folder: string): Promise<number | undefined>;
}

/** What was found before a rollback is offered. */
export interface RollbackCheck {
  readonly plan: RollbackPlan;
  /** Those of the plan, and running writers. */
  readonly refusals: readonly Refusal[];
  /** Clusters that do not answer: whether a job there writes to the tables is not known. */
  readonly unchecked: readonly { readonly cluster: string; readonly reason: string }[];
  /** Smallest free space of the warehouses, or null. */
  readonly freeBytes: number | null;
}

/** A statement of which nobody can tell whether it has ended, with how its table stands now. */
export interface Doubt {
  readonly refusal: Refusal;
  readonly table: string;
  /** How the table differs from its tag, or null when it is there. */
  readonly difference: string | null;
}

/** What a person chooses before a rollback begins. */
export interface RollbackOptions {
  /** Keep each table as it is in a branch. */
  readonly safetyCopy: boolean;
  /** The start that follows, or null for the tables only. */
  readonly restore: RestoreRequest | null;
  /** Names of the clusters that did not answer (`RollbackCheck.unchecked`), of which the person was told. */
  readonly unchecked: readonly string[];
}

/** How a table's step tells and acts. */
interface TableStep {
  say(message: string): void;
  act(action: PaimonAction): Promise<void>;
}

/** Below so many free bytes a rollback is warned of: what follows it writes. */
export const littleFreeBytes = 256 << 20;

/** A table as it was found. */
interface Looked {
  readonly facts: TableFacts;
  readonly table: PaimonTable;
  readonly reader: WarehouseReader;
}

/** How long a statement that a SQL Gateway was sent counts as at work when nobody waits for its answer any more, and no handle of it is known. */
const gatewayPatienceMs = 30_000;
/** How long gateways are asked before a rollback is given up, milliseconds. */
const patienceOfDropMs = 10_000;

/** Rolls back all Paimon tables of a job to a savepoint and starts the job again from it, as a plan that survives its process (P-10…P-12, P-15; rule 5). */
export class RollbackService {
  readonly #world: SavepointWorld;
  readonly #restores: RestoreService;
  readonly #tables: RollbackTables;
  readonly #places: Pick<StorageLook, "real">;
  readonly #liveness: (owner: ProcessIdentity) => Liveness;
  readonly #stillMs: number;
  readonly #changed = new Emitter<RollbackRecord>((error) => this.#world.log.error("a listener to rollbacks", error));
  /** Rollbacks that this process is at work on. */
  readonly #flows = new Map<string, Promise<RollbackRecord>>();

  /** Fires at each step that is written down. */
  readonly onDidChange = this.#changed.event;

  /** `stillMs`: how long tables are watched for a writer that no cluster tells of, milliseconds. */
  constructor(world: SavepointWorld, restores: RestoreService, tables: RollbackTables, look: Pick<StorageLook, "real">, liveness: (owner: ProcessIdentity) => Liveness, stillMs = 3_000) {
    this.#world = world;
    this.#liveness = liveness;
    this.#places = look;
    this.#restores = restores;
    this.#tables = tables;
    this.#stillMs = stillMs;
  }

  /** Plans a rollback and looks for what forbids it. Changes nothing. Throws `metadata-missing`, `metadata-elsewhere`, and what reading metadata throws. */
  async check(savepoint: { readonly path: string; readonly recordId: string | null; readonly jobName: string | null }, run: Run): Promise<RollbackCheck> {
    requireLocation(savepoint.path);
    run.report({ message: "Reading the savepoint and the tables" });
    const record = await this.#recordAt(savepoint.path);
    const metadata = await this.#tables.openMetadata(savepoint.path);
    if (metadata === undefined) throw new FlinkError("metadata-elsewhere", { location: savepoint.path });
    try {
      const completedMs = record?.endedAtMs ?? (await this.#tables.writtenMs(savepoint.path)) ?? 0;
      const asked: RollbackSavepoint = { path: savepoint.path, recordId: savepoint.recordId ?? record?.id ?? null, jobName: savepoint.jobName ?? record?.job.name ?? null, completedMs };
      const { found: warehouses, away } = await this.#tables.warehouses();
      const plan = await planRollback({ savepoint: asked, metadata, open: this.#tables.openFile, warehouses, away, others: (ids) => this.#others(ids, asked, run.signal) }, run.signal);
      const { path: realPath, records } = await followedPlaces(this.#places, savepoint.path, await this.#world.ledger.all());
      const remembered = unlikeRemembered(plan, realPath, pairRecordsIn(records));
      run.report({ message: "Looking for jobs that write to the tables" });
      const { refusals, unchecked } = await writersOf(this.#world, this.#places, plan.tables.map(({ warehouse, table }) => ({ warehouse, table: table.name })), record?.cluster.url ?? null, run.signal);
      const free = (await Promise.all([...new Set(plan.tables.map(({ table }) => table.folder))].map((folder) => this.#tables.freeBytes(folder)))).filter((bytes) => bytes !== undefined);
      return { plan: { ...plan, refusals: [...remembered, ...plan.refusals] }, refusals: [...remembered, ...plan.refusals, ...(plan.tables.length === 0 ? [] : refusals)], unchecked, freeBytes: free.length === 0 ? null : Math.min(...free) };
    } finally {
      await metadata.close();
    }
  }

  /** Writes the plan down, whole, then does it; see `continue`. The plan's tables must still be as they were seen. Throws `refused`. */
  async begin(plan: RollbackPlan, options: RollbackOptions, run: Run): Promise<RollbackRecord> {
    const { ledger, clock, self } = this.#world;
    const jobName = plan.savepoint.jobName ?? savepointName(plan.savepoint);
    refuseIf("rolled back", jobName, plan.refusals);
    await this.#refuseRivals(null, jobName, plan.tables.map(({ warehouse, table }) => ({ warehouse, table: table.name })));
    const restoreId = options.restore === null ? null : await this.#restores.planAfterRollback(options.restore, run);
    const atMs = clock.now();
    const id = this.#world.newId();
    const record: RollbackRecord = {
      kind: "rollback", version: recordVersion, id, jobName, restoreId,
      savepoint: { path: plan.savepoint.path, recordId: plan.savepoint.recordId, checkpointId: plan.savepoint.checkpointId },
      tables: plan.tables.map(({ warehouse, table, tag, target, latestId, snapshots, tags }) => ({
        warehouse, table: table.name, tag, latestId, state: "planned", message: null,
        seen: { latestMs: [target, ...snapshots].find(({ id: each }) => each === latestId)?.timeMs ?? null, tags: tags.map(({ name }) => name) },
        process: null,
        target: { id: target.id, commitUser: target.commitUser, commitIdentifier: String(target.commitIdentifier), timeMs: target.timeMs },
      })),
      unchecked: [...options.unchecked],
      safetyName: options.safetyCopy ? `${rollbackName(plan.savepoint.path, plan.savepoint.checkpointId)}-before-${id.slice(0, 6)}` : null,
      state: "planned", requestedAtMs: atMs, endedAtMs: null, owner: self, trail: [{ atMs, event: `planned: ${plan.tables.map(({ table }) => table.name).join(", ")}` }],
    };
    await ledger.create(record).catch(async (error: unknown) => {
      if (restoreId !== null) await this.#restores.drop(restoreId).catch((failed: unknown) => this.#world.log.warn(`dropping ${restoreId}`, failed));
      throw error;
    });
    this.#changed.fire(record);
    return this.continue(id, run);
  }

  /** Rollbacks that are not at their end: begun before a reload, stopped by a failure, or left while Paimon is at a step of theirs. */
  async unfinished(): Promise<RollbackRecord[]> {
    return (await this.#world.ledger.all()).filter((record): record is RollbackRecord => record.kind === "rollback" && record.endedAtMs === null);
  }

  /** Rollbacks that can be given up: those that are not at their end, and those whose tables are back while the job did not start, to which a person may have seen. */
  async droppable(): Promise<RollbackRecord[]> {
    return (await this.#world.ledger.all()).filter((record): record is RollbackRecord => record.kind === "rollback" && isDroppable(record));
  }

  /**
   * Goes on with a rollback where it was: looks for writers, keeps each table, rolls it back, sees that it is so, then starts the job and follows
   * it to its first checkpoint. Throws `refused`, `paimon-action-failed`, `rollback-unverified`, and what a start throws; the record then says what is done.
   * The signal ends the waiting at once, and the work after the step that Paimon is at; a call meanwhile joins it. `unchecked`: names of clusters that do not
   * answer, of which the person was told since it was begun. `despite`: the person has seen `doubts` and goes on all the same.
   */
  continue(rollbackId: string, run: Run, unchecked: readonly string[] = [], despite = false): Promise<RollbackRecord> {
    let flow = this.#flows.get(rollbackId);
    if (flow === undefined) {
      flow = this.#settleStatements(rollbackId, run.signal, despite).then(() => this.#go(rollbackId, run, unchecked)).finally(() => this.#flows.delete(rollbackId));
      flow.catch(() => undefined);
      this.#flows.set(rollbackId, flow);
    }
    return unlessAborted(flow, run.signal);
  }

  /** What keeps a rollback from being gone on with that a person may decide: statements of which the gateway can't say whether they have ended. */
  async doubts(rollbackId: string, signal: AbortSignal): Promise<readonly Doubt[]> {
    const record = await this.#world.ledger.get(rollbackId);
    if (record?.kind !== "rollback" || this.#flows.has(rollbackId)) return [];
    const doubts: Doubt[] = [];
    for (const table of record.tables) {
      const standing = await this.#standingOf(table, signal);
      if (standing?.state !== "unknown") continue;
      const difference = await this.#difference(table, signal).catch((error: unknown) => (isFlinkError(error) ? explain(error).message : String(error)));
      doubts.push({ refusal: unknownStatement(table, standing), table: table.table, difference: difference ?? null });
    }
    return doubts;
  }

  /** Gives a rollback up. Tables that were rolled back stay so; the record says which. Throws `refused` while it is at work. */
  async drop(rollbackId: string): Promise<RollbackRecord> {
    if (!this.#flows.has(rollbackId)) await this.#settleStatements(rollbackId, AbortSignal.timeout(patienceOfDropMs), "later");
    const record = await this.#update(rollbackId, "given up", (open) => (isDroppable(open) ? { ...(open.endedAtMs === null ? this.#notAtWork(open, this.#flows.has(rollbackId)) : open), state: open.state === "restoring" ? "done" : "dropped", endedAtMs: open.endedAtMs ?? this.#world.clock.now() } : open));
    // A start whose record was set aside as damaged, or deleted by hand, is no plan any more.
    if (record.restoreId !== null && (await this.#world.ledger.get(record.restoreId)) !== undefined) await this.#restores.drop(record.restoreId);
    return record;
  }

  /** How a table's statement stands; undefined when none was sent, or no handle of it was kept. */
  async #standingOf({ process, statement }: RollbackTableRecord, signal: AbortSignal): Promise<StatementStanding | undefined> {
    return process?.pid !== 0 || (statement ?? null) === null ? undefined : this.#tables.statementAt(process.host, statement as SentStatement, signal);
  }

  /**
   * Asks the gateways how the statements stand that were sent and whose end nobody saw. What has ended is no longer at work. Throws `refused` for what runs,
   * and, unless `despite`, for what can't be told; `later` leaves that to time.
   */
  async #settleStatements(id: string, signal: AbortSignal, despite: boolean | "later"): Promise<void> {
    const record = await this.#world.ledger.get(id);
    if (record?.kind !== "rollback" || record.endedAtMs !== null) return;
    for (const [at, table] of record.tables.entries()) {
      const standing = await this.#standingOf(table, signal);
      if (standing === undefined || (standing.state === "unknown" && despite === "later")) continue;
      this.#notOthers(record);
      if (standing.state === "running") refuseIf("rolled back", record.jobName, [{ rule: "action-running", table: table.table, process: { host: table.process?.host ?? "", pid: 0 }, forMs: this.#silentMs(record) }]);
      if (standing.state === "unknown" && despite !== true) refuseIf("rolled back", record.jobName, [unknownStatement(table, standing)]);
      const event = standing.state === "ended" ? `the SQL Gateway says that its statement has ended (${standing.how})` : "gone on with, although whether its statement has ended is not known";
      await this.#update(id, `${table.table}: ${event}`, (open) => (open.tables[at]?.statement?.operation === table.statement?.operation ? { ...open, tables: open.tables.map((each, index) => (index === at ? { ...each, process: null, statement: null } : each)) } : open));
    }
  }

  async #go(id: string, run: Run, unchecked: readonly string[]): Promise<RollbackRecord> {
    let record = await this.#claim(id, unchecked);
    if (record.endedAtMs !== null) return record;
    if (record.state === "planned" || record.state === "rolling") {
      await this.#requireSavepoint(record);
      await this.#refuseWriters(record, run);
      for (let at = 0; at < record.tables.length; at++) record = await this.#rollTable(record, at, run);
      // All again, since the first may have been written to while the last was rolled back, or a job have begun that will.
      await this.#requireStill(record, run.signal);
      record = await this.#step(id, "all tables are rolled back", (open) => ({ ...open, state: "rolled-back" }));
      if (record.restoreId === null) return this.#end(id, "nothing is to be started");
    } else if (record.state === "rolled-back") {
      // However long ago that was.
      await this.#requireStill(record, run.signal);
      if (record.restoreId === null) return this.#end(id, "nothing is to be started");
    }
    if (record.restoreId !== null) {
      const { restoreId } = record;
      if (record.state === "rolled-back") record = await this.#step(id, `starts ${record.jobName}`, (open) => ({ ...open, state: "restoring" }));
      run.report({ message: `Starting ${record.jobName}` });
      try {
        const started = record;
        await this.#restores.startPlanned(restoreId, run, { isGone: (owner) => this.#liveness(owner) === "dead", isReady: () => this.#requireStill(started, run.signal) });
      } catch (error) {
        if (isFlinkError(error, "ledger-record-damaged") && (await this.#world.ledger.get(restoreId)) === undefined) return this.#endUntold(record);
        // The tables are right, and stay so: the job can be started again from the savepoint.
        if (isFlinkError(error, "restore-failed", "plan-arguments-lost")) await this.#end(id, "the job did not start", "rolled-back");
        else if (await this.#isUnsent(restoreId)) await this.#step(id, "the job was not started", (open) => ({ ...open, state: "rolled-back" }));
        throw error;
      }
      run.report({ message: `Waiting for the first checkpoint of ${record.jobName}` });
      record = await this.#untilSafe(record, run);
    }
    return record;
  }

  /** Whether the start that follows is still a plan. */
  async #isUnsent(restoreId: string): Promise<boolean> {
    const restore = await this.#world.ledger.get(restoreId);
    return restore?.kind === "restore" && restore.state === "planned";
  }

  /** The last look before a start: no job writes to the tables, and each is at its tag (rule 5). Throws `refused`, `rollback-unverified`. */
  async #requireStill(record: RollbackRecord, signal: AbortSignal): Promise<void> {
    await this.#refuseJobs(record, signal);
    for (const table of record.tables) await this.#verify(table, signal);
  }

  /** Makes this process the one at work on it. Throws `refused` while another is that lives. */
  async #claim(id: string, unchecked: readonly string[]): Promise<RollbackRecord> {
    const { self } = this.#world;
    const told = (open: RollbackRecord): RollbackRecord => (unchecked.length === 0 ? open : { ...open, unchecked: [...new Set([...(open.unchecked ?? []), ...unchecked])] });
    return this.#update(id, "gone on with", (open) => told(open.owner.instance === self.instance ? this.#notActing(open) : { ...(open.endedAtMs === null ? this.#notAtWork(open) : open), owner: self }));
  }

  /** Passes a rollback on that nobody works on. Throws `refused` while another process lives that may, or for `here`, while this one does. */
  #notAtWork(open: RollbackRecord, here = false): RollbackRecord {
    this.#notOthers(open, here);
    return this.#notActing(open);
  }

  #notOthers(open: RollbackRecord, here = false): void {
    const isOthers = open.owner.instance !== this.#world.self.instance && this.#mayLive(open, open.owner);
    if (here || isOthers) refuseIf("rolled back", open.jobName, [{ rule: "operation-running", what: "rollback", forMs: this.#world.clock.now() - open.requestedAtMs }]);
  }

  /** Passes a rollback on that no process of Paimon acts for. Throws `refused` while one does that an earlier window began: it may roll back what is written by then. */
  #notActing(open: RollbackRecord): RollbackRecord {
    for (const { table, process } of open.tables) {
      if (process !== null && this.#mayLive(open, process)) refuseIf("rolled back", open.jobName, [{ rule: "action-running", table, process: { host: process.host, pid: process.pid }, forMs: this.#silentMs(open) }]);
    }
    return open;
  }

  #mayLive(open: RollbackRecord, process: ProcessIdentity): boolean {
    return mayBeAtWork(this.#liveness(process), this.#silentMs(open), process.pid === 0 ? gatewayPatienceMs : undefined);
  }

  #silentMs(open: RollbackRecord): number {
    return this.#world.clock.now() - (open.trail.at(-1)?.atMs ?? open.requestedAtMs);
  }

  /** Refuses while another rollback has touched one of the tables and is not at its end, whichever path of the warehouse it has them under. */
  async #refuseRivals(id: string | null, jobName: string, tables: readonly Pick<RollbackTableRecord, "warehouse" | "table">[]): Promise<void> {
    const keysOf = (of: typeof tables): Promise<readonly string[]> => Promise.all(of.map(async ({ warehouse, table }) => `${placeKey(await this.#places.real(warehouse))} ${table}`));
    const own = new Set(await keysOf(tables));
    for (const open of await this.#world.ledger.all()) {
      if (open.kind !== "rollback" || open.id === id || open.endedAtMs !== null || open.state === "planned") continue;
      if ((await keysOf(open.tables)).some((key) => own.has(key))) refuseIf("rolled back", jobName, [{ rule: "rollback-unfinished", done: doneOf(open), total: open.tables.length }]);
    }
  }

  /** Waits until the restored job has a checkpoint of its own, or has ended. */
  async #untilSafe(record: RollbackRecord, run: Run): Promise<RollbackRecord> {
    const { ledger, clock } = this.#world;
    for (;;) {
      const restore = await ledger.get(record.restoreId ?? "");
      if (restore?.kind !== "restore") return this.#endUntold(record);
      if (restore.state === "safe") return this.#end(record.id, "the job has completed a checkpoint");
      if (restore.endedAtMs !== null || restore.state === "failed") return this.#end(record.id, `the job ended before a checkpoint of its own (${restore.state})`, "rolled-back");
      if (restore.state === "running") void this.#restores.starts.watchUntilSafe(restore.id);
      await clock.sleep(500, run.signal);
    }
  }

  /** The end of one whose start has no record any more, since that was set aside as damaged, or deleted by hand: nobody can tell what became of the job. Throws `outcome-unknown`. */
  async #endUntold(record: RollbackRecord): Promise<never> {
    await this.#end(record.id, "the record of its start is gone", "rolled-back");
    throw new FlinkError("outcome-unknown", { what: "start", jobName: record.jobName, lookIn: null });
  }

  async #rollTable(record: RollbackRecord, at: number, run: Run): Promise<RollbackRecord> {
    const table = record.tables[at] as RollbackTableRecord;
    if (table.state === "rolled-back") {
      await this.#verify(table, run.signal);
      return record;
    }
    run.signal.throwIfAborted();
    if (table.state === "planned" && (await this.#difference(table, run.signal)) === undefined) return this.#setTable(record.id, at, { state: "rolled-back" }, `${table.table}: is at snapshot ${table.target.id} as it is`);
    const step: TableStep = {
      say: (message) => run.report({ message: `${table.table} (${at + 1} of ${record.tables.length}): ${message}`, percent: (100 * at) / record.tables.length }),
      act: (action) => this.#act(record.id, at, table, action, run),
    };
    const { facts, table: found } = await this.#keep(record, table, step, run.signal);
    // Others took their time before this one, and so did the copy.
    refuseIf("rolled back", record.jobName, [...damages(table, facts, found, []), ...targetFaults(table, facts, false), ...unseen(record, table, facts)]);
    run.signal.throwIfAborted();
    await this.#setTable(record.id, at, { state: "rolling", message: null }, `${table.table}: is rolled back to ${table.tag.name}`);
    try {
      // Each looks after it has written: of two that begin at once at least one sees the other, and steps back.
      await this.#refuseRivals(record.id, record.jobName, record.tables);
    } catch (error) {
      await this.#step(record.id, `${table.table}: not touched`, (open) => ({ ...open, state: record.state, tables: open.tables.map((each, index) => (index === at ? table : each)) }));
      throw error;
    }
    try {
      step.say(`rolling back to ${table.tag.name}`);
      if (isBrokenOff(facts)) await this.#mend(table, run);
      await step.act({ kind: "roll-back", tag: table.tag.name });
      await this.#verify(table, run.signal);
    } catch (error) {
      if (isAbort(error)) throw error;
      // What it says may be older than what it did: only the table tells.
      const difference = await this.#difference(table, run.signal);
      if (difference !== undefined) {
        await this.#setTable(record.id, at, { state: "failed", message: isFlinkError(error) ? explain(error).message : String(error) }, `${table.table}: failed: ${difference}`);
        throw error;
      }
    }
    return this.#setTable(record.id, at, { state: "rolled-back", process: null, statement: null, message: null }, `${table.table}: is at snapshot ${table.target.id}`);
  }

  /**
   * Makes the copy that was wanted of a table, and the tag to roll back to where none keeps it, and sees that they are there, whole: what a full disk or a killed
   * JVM left of an earlier try is made anew. Resolves to the table as it is then.
   */
  async #keep(record: RollbackRecord, table: RollbackTableRecord, { say, act }: TableStep, signal: AbortSignal): Promise<Looked> {
    let looked = await this.#look(table, signal);
    for (const step of stepsFor(table, record.safetyName)) {
      // A table whose rollback has begun is no longer what the copy was to keep.
      if (step.kind === "roll-back" || table.state !== "planned" || isBrokenOff(looked.facts)) break;
      let made = await madeOf(step, looked, signal);
      if (made === "whole") continue;
      say(step.kind === "create-branch" ? "keeping it as it is" : "making a tag");
      if (step.kind === "create-branch" && made === "half") await act({ kind: "delete-branch", branch: step.branch });
      await act(step.kind === "create-tag" && made === "half" ? { kind: "replace-tag", tag: step.tag, snapshotId: step.snapshotId } : step);
      looked = await this.#look(table, signal);
      made = await madeOf(step, looked, signal);
      if (made !== "whole") throw new FlinkError("paimon-action-failed", { table: table.table, what: actionText(step), message: `Paimon calls it done, and it is ${made === "half" ? "there by half" : "not there"}.`, exception: "" });
    }
    return looked;
  }

  /** Has Paimon act on a table; who does is written down before it does. */
  async #act(id: string, at: number, table: RollbackTableRecord, action: PaimonAction, run: Run): Promise<void> {
    const note = (event: string, process: ProcessIdentity | null, statement: SentStatement | null = null): Promise<unknown> => this.#step(id, `${table.table}: ${event}`, (open) => ({ ...open, tables: open.tables.map((each, index) => (index === at ? { ...each, process, statement } : each)) }));
    let told: ProcessIdentity | undefined;
    try {
      const { location } = await this.#warehouseAt(table.warehouse);
      await this.#tables.actions(location).act(tableAddress(table.table), action, run, async (process, statement) => {
        const handle = statement?.operation ?? null;
        await note(`${process.pid === 0 ? process.host : `process ${process.pid}`} is to ${actionText(action)}${handle === null ? "" : ` (operation ${handle})`}`, process, statement);
        told = process;
      });
    } catch (error) {
      // Paimon has answered: nothing of it is at work any more. Where its answer was lost it may be.
      if (told !== undefined && !isFlinkError(error, "paimon-action-lost")) await note("has ended", null);
      throw error;
    }
  }

  /**
   * Gives a table whose rollback broke off pointers that hold, so that Paimon can read it and roll it back again: to the newest
   * snapshot that is left, or, where none is, to the tag's, whose file is written as Paimon itself would have.
   */
  async #mend(record: RollbackTableRecord, run: Run): Promise<void> {
    const { table, facts, reader } = await this.#look(record, run.signal);
    if (!isBrokenOff(facts)) return;
    const write = async (name: string, text: string): Promise<void> => {
      const file = `${table.home}/snapshot/${name}`;
      await this.#tables.write(file, text).catch((error: Error & { readonly code?: string }) => {
        throw new FlinkError("table-unwritable", { table: record.table, file, reason: error.code ?? error.message }, { cause: error });
      });
    };
    const newest = facts.snapshots[facts.snapshots.length - 1];
    if (newest === undefined) {
      const text = await snapshotTextOf(reader, table, record.tag.name, run.signal);
      if (text === undefined) throw new FlinkError("refused", { verb: "mended", subject: record.table, refusals: [{ rule: "tag-damaged", table: record.table, tag: record.tag.name, file: `tag/tag-${record.tag.name}` }] });
      await write(`snapshot-${record.target.id}`, text);
      await write("EARLIEST", String(record.target.id));
      await write("LATEST", String(record.target.id));
      return;
    }
    const earliest = facts.snapshots[0]?.id ?? newest.id;
    await write("EARLIEST", String(earliest));
    await write("LATEST", String(newest.id));
  }

  /** What comes later than the savepoint goes: it has to be there before any table is touched, however long ago that was planned. */
  async #requireSavepoint({ savepoint: { path }, jobName }: RollbackRecord): Promise<void> {
    const real = await followedPlaces(this.#places, path, await this.#world.ledger.all());
    for (const { disposal, cleanup } of savepointsAt(placeKey(real.path), real.records)) {
      if (disposal?.state === "disposed") refuseIf("rolled back", jobName, [{ rule: "already-disposed" }]);
      if (disposal?.state === "requested") refuseIf("rolled back", jobName, [{ rule: "disposal-running" }]);
      if ((cleanup?.aside ?? null) !== null) refuseIf("rolled back", jobName, [{ rule: "moved-aside" }]);
    }
    const metadata = await this.#tables.openMetadata(path);
    if (metadata === undefined) throw new FlinkError("metadata-missing", { location: path, reason: "ENOENT" });
    await metadata.close();
  }

  /** Refuses while a job writes to one of the tables, or one of them changed since it was planned, or changes while it is watched (P-11, rule 5). */
  async #refuseWriters(record: RollbackRecord, run: Run): Promise<void> {
    const { clock } = this.#world;
    run.report({ message: "Looking for writers" });
    await this.#refuseJobs(record, run.signal);
    // All of them before the first is touched: half a rollback is worse than none.
    for (const table of record.tables) {
      if (table.state === "rolled-back") continue;
      const { facts, table: found, reader } = await this.#look(table, run.signal);
      const isThere = differenceFrom(table.target, facts) === undefined;
      refuseIf("rolled back", record.jobName, damages(table, facts, found, [record.safetyName, table.tag.isNew ? table.tag.name : null]));
      refuseIf("rolled back", record.jobName, isThere ? [] : targetFaults(table, facts, true));
      refuseIf("rolled back", record.jobName, unseen(record, table, facts));
      if (isThere) continue;
      const missing = await missingFileOf(reader, found, facts.tags.some(({ name }) => name === table.tag.name) ? { tag: table.tag.name } : { snapshotId: table.target.id }, run.signal);
      refuseIf("rolled back", record.jobName, missing === undefined ? [] : [{ rule: "tag-damaged", table: table.table, tag: table.tag.name, file: missing }]);
    }
    const newest = async (): Promise<(number | null)[]> => Promise.all(record.tables.map(async (table) => latestOf((await this.#look(table, run.signal)).facts)));
    const before = await newest();
    await clock.sleep(this.#stillMs, run.signal);
    const after = await newest();
    record.tables.forEach(({ table }, at) => {
      if (before[at] !== after[at]) refuseIf("rolled back", record.jobName, [{ rule: "table-moves", table, from: before[at] ?? 0, to: after[at] ?? 0 }]);
    });
  }

  /** Refuses while a job writes to one of the tables, or its cluster does not tell. */
  async #refuseJobs(record: RollbackRecord, signal: AbortSignal): Promise<void> {
    const savepoint = await this.#recordAt(record.savepoint.path);
    const { refusals, unchecked } = await writersOf(this.#world, this.#places, record.tables, savepoint?.cluster.url ?? null, signal);
    refuseIf("rolled back", record.jobName, refusals);
    const silent = unchecked.map(({ cluster }) => cluster).filter((cluster) => record.unchecked?.includes(cluster) === false);
    refuseIf("rolled back", record.jobName, silent.length === 0 ? [] : [{ rule: "clusters-silent", clusters: silent }]);
  }

  /** The ledger's record of a savepoint, under whichever path of its folder it was written down. */
  async #recordAt(path: string): Promise<SavepointRecord | undefined> {
    const records = await this.#world.ledger.all();
    const real = await followedPlaces(this.#places, path, records);
    const at = real.records.findIndex((each) => each.kind === "savepoint" && each.path !== null && placeKey(each.path) === placeKey(real.path));
    const found = records[at];
    return found?.kind === "savepoint" ? found : undefined;
  }

  /**
   * Savepoints of the ledger with one of these numbers, those included that can be put back, by what their state says; else by what is remembered of their
   * pairs; else, of the same job, by their number alone.
   */
  async #others(checkpointIds: ReadonlySet<bigint>, { path, jobName }: RollbackSavepoint, signal: AbortSignal): Promise<readonly OtherSavepoint[]> {
    const found = new Map<string, OtherSavepoint>();
    const records = await this.#world.ledger.all();
    const own = (await followedPlaces(this.#places, path, [])).path;
    for (const record of records) {
      if (record.kind !== "savepoint" || !(isUsable(record) || isBeingCleanedUp(record)) || record.path === null || record.checkpointId === null || !checkpointIds.has(BigInt(record.checkpointId))) continue;
      const real = (await followedPlaces(this.#places, record.path, [])).path;
      const place = placeKey(real);
      if (found.has(place) || place === placeKey(own)) continue;
      const name = `${savepointName(record)} of ${record.job.name}`;
      const checkpointId = BigInt(record.checkpointId);
      const remembered = records.flatMap((pair) => (pair.kind === "pair" && (placeKey(pair.savepoint.path) === placeKey(record.path ?? "") || pair.id === pairRecordId(real, pair.warehouse, pair.table)) ? [pair.snapshot.commitUser] : []));
      const commitUsers = (await this.#commitUsersOf(filesOf(record), signal)) ?? (remembered.length === 0 ? undefined : remembered);
      if (commitUsers !== undefined) found.set(place, { name, checkpointId, commitUsers });
      else if (record.job.name === jobName) found.set(place, { name: `${name} (could not be read)`, checkpointId, commitUsers: null });
    }
    return [...found.values()];
  }

  /** The commit users in a savepoint's state; undefined when it can't be read. */
  async #commitUsersOf(location: string, signal: AbortSignal): Promise<readonly string[] | undefined> {
    const metadata = await this.#tables.openMetadata(location).catch(() => undefined);
    if (metadata === undefined) return undefined;
    try {
      const scanned = (await scanMetadata(metadata, { signal })).metadata;
      return scanned === undefined ? undefined : (await paimonCommitters(metadata, scanned, { folder: location, open: this.#tables.openFile }, signal)).flatMap(({ commitUser }) => commitUser ?? []);
    } catch (error) {
      signal.throwIfAborted();
      this.#world.log.debug(`looking into ${location}`, error);
      return undefined;
    } finally {
      await metadata.close();
    }
  }

  async #look(record: Pick<RollbackTableRecord, "warehouse" | "table">, signal: AbortSignal): Promise<Looked> {
    const { files } = await this.#warehouseAt(record.warehouse);
    if (files === undefined) throw new FlinkError("refused", { verb: "rolled back", subject: record.table, refusals: [{ rule: "files-elsewhere", tables: [record.table] }] });
    const table = await tableNamed(files.reader, files.folder, record.table, [], signal);
    if (table === undefined) throw new FlinkError("refused", { verb: "rolled back", subject: record.table, refusals: [{ rule: "table-damaged", table: record.table, file: `${files.folder}/${record.table}` }] });
    return { facts: await tableFacts(files.reader, table, signal), table, reader: files.reader };
  }

  /** A warehouse by its location, also where the settings have it under another path by now. Throws `warehouse-unknown`, and `warehouse-unreachable` for one that can't be read now. */
  async #warehouseAt(location: string): Promise<RollbackWarehouse> {
    const { found, away } = await this.#tables.warehouses();
    const place = placeKey(await this.#places.real(location));
    const at = async <T extends { readonly location: string }>(all: readonly T[]): Promise<T | undefined> => {
      const known = all.find((each) => each.location === location);
      if (known !== undefined) return known;
      for (const each of all) if (placeKey(await this.#places.real(each.location)) === place) return each;
      return undefined;
    };
    const known = await at(found);
    if (known !== undefined) return known;
    const missing = await at(away);
    throw missing === undefined ? new FlinkError("warehouse-unknown", { warehouse: location }) : new FlinkError("warehouse-unreachable", { warehouse: missing.location, reason: missing.reason });
  }

  async #difference(table: RollbackTableRecord, signal: AbortSignal): Promise<string | undefined> {
    return differenceFrom(table.target, (await this.#look(table, signal)).facts);
  }

  async #verify(table: RollbackTableRecord, signal: AbortSignal): Promise<void> {
    const difference = await this.#difference(table, signal);
    if (difference !== undefined) throw new FlinkError("rollback-unverified", { table: table.table, tag: table.tag.name, difference });
  }

  #setTable(id: string, at: number, change: Partial<RollbackTableRecord>, event: string): Promise<RollbackRecord> {
    return this.#step(id, event, (open) => ({ ...open, state: "rolling", tables: open.tables.map((table, index) => (index === at ? { ...table, ...change } : table)) }));
  }

  #end(id: string, event: string, state: RollbackRecord["state"] = "done"): Promise<RollbackRecord> {
    return this.#step(id, event, (open) => ({ ...open, state, endedAtMs: this.#world.clock.now() }));
  }

  /** A step of this process. Throws `refused` when another took the rollback over, or gave it up, while this one was taken for dead: a machine that slept, a clock that jumped. */
  #step(id: string, event: string, change: (open: RollbackRecord) => RollbackRecord): Promise<RollbackRecord> {
    return this.#update(id, event, (open) => {
      if (open.owner.instance !== this.#world.self.instance || open.endedAtMs !== null) refuseIf("rolled back", open.jobName, [{ rule: "rollback-taken-over" }]);
      return change(open);
    });
  }

  async #update(id: string, event: string, change: (open: RollbackRecord) => RollbackRecord): Promise<RollbackRecord> {
    const record = await this.#world.ledger.update<RollbackRecord>(id, event, change);
    this.#changed.fire(record);
    return record;
  }

}

/** How much is there of a tag or branch that a step makes. */
async function madeOf(step: PaimonAction, { facts, table, reader }: Looked, signal: AbortSignal): Promise<"whole" | "half" | "none"> {
  if (step.kind === "create-tag") return facts.tags.some(({ name }) => name === step.tag) ? "whole" : facts.problems.some(({ path }) => path === tagFile(table, step.tag)) ? "half" : "none";
  if (step.kind !== "create-branch" || !facts.branches.includes(step.branch)) return "none";
  const branch = (await branchesOf(reader, table, [], signal)).find(({ name }) => name === `${table.name}$branch_${step.branch}`);
  const copied = branch === undefined ? undefined : await tableFacts(reader, branch, signal);
  const kept = facts.tags.find(({ name }) => name === step.tag)?.snapshot;
  if (branch === undefined || copied === undefined || kept === undefined || copied.problems.length > 0) return "half";
  const expected = { id: kept.id, commitUser: kept.commitUser, commitIdentifier: String(kept.commitIdentifier), timeMs: kept.timeMs };
  const hasBoth = copied.snapshots.some((snapshot) => isTarget(expected, snapshot)) && copied.tags.some(({ name, snapshot }) => name === step.tag && isTarget(expected, snapshot));
  // Schemas are copied last, the newest at the end.
  return hasBoth && (copied.schemaId ?? -1) >= kept.schemaId && (await optionsOf(reader, branch, [], signal)) !== undefined ? "whole" : "half";
}

/** Files of a table that can't be read: what goes with them can't be told. Paimon itself breaks off in the middle of a rollback at such a tag. `own`: tags that are made anew. */
function damages({ table, target }: RollbackTableRecord, facts: TableFacts, found: PaimonTable, own: readonly (string | null)[]): Refusal[] {
  const mended = [...own.flatMap((tag) => (tag === null ? [] : [tagFile(found, tag)])), ...(isBrokenOff(facts) ? [snapshotFile(found, target.id)] : [])];
  const problem = facts.problems.find(({ path }) => !mended.includes(path));
  return problem === undefined ? [] : [{ rule: "table-damaged", table, file: problem.path }];
}

/** What was written since a person saw the table and would go with its rollback, also when one goes on that failed: its numbers are given out again. */
function unseen(record: RollbackRecord, table: RollbackTableRecord, facts: TableFacts): Refusal[] {
  const moves = (to: number | null): Refusal => ({ rule: "table-moves", table: table.table, from: table.latestId ?? 0, to: to ?? 0 });
  const tags = unseenTags(record, table, facts);
  if (tags.length > 0) return tags;
  if (table.state !== "planned") {
    const later = facts.snapshots.filter(({ id, timeMs }) => id > (table.latestId ?? 0) || (id > table.target.id && timeMs > record.requestedAtMs)).at(-1);
    return later === undefined ? [] : [moves(later.id)];
  }
  const latest = latestOf(facts);
  if (latest !== table.latestId) return [moves(latest)];
  const newest = facts.snapshots.find(({ id }) => id === latest);
  return newest === undefined || newest.timeMs === (table.seen?.latestMs ?? newest.timeMs) ? [] : [moves(latest)];
}

/** What a table goes back to is no longer what was seen: its tag, or, while that may still be made (`early`), the snapshot. */
function targetFaults({ table, tag, target }: RollbackTableRecord, facts: TableFacts, early: boolean): Refusal[] {
  const kept = facts.tags.find(({ name }) => name === tag.name)?.snapshot ?? (tag.isNew && early ? facts.snapshots.find(({ id }) => id === target.id) : undefined);
  if (kept !== undefined && isTarget(target, kept)) return [];
  return [{ rule: "target-changed", table, target: tag.isNew ? { snapshotId: target.id } : { tag: tag.name }, wasRemade: kept !== undefined }];
}

/** Tags that go with a table's rollback and were not there when a person saw what goes; our own copy is none of them. */
function unseenTags({ safetyName }: RollbackRecord, { table, target, seen }: RollbackTableRecord, { tags }: TableFacts): Refusal[] {
  const unseen = seen === undefined ? [] : tags.filter(({ name, snapshot }) => snapshot.id > target.id && name !== safetyName && !seen.tags.includes(name)).map(({ name }) => name);
  return unseen.length === 0 ? [] : [{ rule: "tags-appeared", table, tags: unseen }];
}

/** True until it is done or given up; the savepoint is kept for it so long. */
function isDroppable({ state, endedAtMs }: RollbackRecord): boolean {
  return endedAtMs === null || state === "rolled-back";
}

function unknownStatement({ table, process }: RollbackTableRecord, { reason }: Extract<StatementStanding, { state: "unknown" }>): Refusal {
  return { rule: "statement-unknown", table, gateway: process?.host ?? "", reason };
}

/** How many tables of a rollback are at their tag. */
function doneOf(record: RollbackRecord): number {
  return record.tables.filter(({ state }) => state === "rolled-back").length;
}

/** Tables whose pair is another than when it was first proven: they were rolled back, and perhaps written again, since. */
function unlikeRemembered(plan: RollbackPlan, realPath: string, records: ReturnType<typeof pairRecordsIn>): readonly Refusal[] {
  const unlike = plan.tables.filter(({ warehouse, table, pairing }) => ["changed", "none"].includes(withRemembered(pairing, rememberedOf(records, [realPath, plan.savepoint.path], { warehouse, table: table.name })).grade));
  return unlike.length === 0 ? [] : [{ rule: "pair-unproven", tables: unlike.map(({ table }) => table.name), grade: "changed" }];
}
