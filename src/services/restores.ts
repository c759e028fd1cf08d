import { isAbort, unlessAborted } from "../core/base/async";
import { FlinkError, isFlinkError, type ErrorFacts, type Refusal } from "../core/errors";
import { restoreRefusals, restoreWarnings } from "../core/guards";
import { recordVersion, type LedgerRecord, type RestoreRecord, type SavepointRecord } from "../core/ledger/record";
import type { ClusterInfo } from "../core/model/cluster";
import { isTerminal, type JobRef, type JobSummary } from "../core/model/job";
import { checkpointOwner, requireLocation } from "../core/model/location";
import type { ClaimMode, ProcessIdentity, Run, RunJarRequest, StorageLook } from "../core/ports";
import { readRecord } from "./ledgerReads";
import { pinnedBeside } from "./pinnedBeside";
import { followedPlaces } from "./realPlaces";
import { failureOf, mayHaveArrived, refuseIf, unlessUnwritable } from "./requestErrors";
import { outcomeError, type Readiness, type SavepointRequest, type SavepointService, type SavepointWorld } from "./savepoints";
import { isUnsent, StartFollower } from "./startFollower";

/** What a person chooses for a start of a job (C-22…C-30). */
export interface RestoreRequest {
  readonly cluster: string;
  /** What the job is called in the ledger until Flink names it. */
  readonly jobName: string;
  /** Null = start without state, a separate verb. */
  readonly savepoint: { readonly path: string; readonly recordId: string | null; readonly checkpointId: number | null } | null;
  /** A jar on the cluster, or one on disk that is uploaded first. */
  readonly jar: { readonly id: string; readonly name: string } | { readonly file: string; readonly name: string };
  readonly entryClass?: string;
  readonly programArgs: readonly string[];
  readonly parallelism?: number;
  readonly claimMode: ClaimMode;
  readonly allowNonRestoredState: boolean;
}

/** Starts jobs, from a savepoint or without state, under a job id chosen and written down before the call. */
export class RestoreService {
  readonly #world: SavepointWorld;
  readonly #savepoints: SavepointService;
  readonly #look: Pick<StorageLook, "real">;
  /** Plans that this process is at work on. */
  readonly #flows = new Set<string>();

  /** What becomes of the jobs that were started. */
  readonly starts: StartFollower;

  constructor(world: SavepointWorld, savepoints: SavepointService, look: Pick<StorageLook, "real">) {
    this.#world = world;
    this.starts = new StartFollower(world);
    this.#savepoints = savepoints;
    this.#look = look;
  }

  /** Whether a job can be started there, and from that savepoint (in that way, once it is chosen). Throws the connection's errors. */
  async readiness(cluster: string, savepointPath: string | null, signal: AbortSignal, claimMode?: ClaimMode): Promise<Readiness> {
    const info = await this.#world.clusters.info(cluster, signal);
    const { path, records } = await followedPlaces(this.#look, savepointPath, await this.#world.ledger.all());
    return { refusals: await this.#refusals(info, [path, savepointPath], records, claimMode), warnings: restoreWarnings(path, records), info, jobName: "" };
  }

  /** What speaks against a start; CLAIM also where a mark beside the savepoint says that somebody pinned it. `paths`: with links followed first, then as it was written. */
  async #refusals(info: ClusterInfo, paths: readonly [string | null, string | null], records: readonly LedgerRecord[], claimMode: ClaimMode | undefined): Promise<readonly Refusal[]> {
    const refusals = restoreRefusals(info, paths[0], records, claimMode);
    if (claimMode !== "CLAIM" || refusals.some(({ rule }) => rule === "claim-of-pinned")) return refusals;
    return [...refusals, ...(await pinnedBeside(this.#world.pins, paths))];
  }

  /** Jobs of that name that have not ended, as of the last look at the cluster. */
  runningJobsNamed(cluster: string, jobName: string): readonly JobSummary[] {
    return (this.#world.clusters.get(cluster)?.jobs ?? []).filter((job) => job.name === jobName && !isTerminal(job.state));
  }

  /** Starts the job and follows it until all its tasks run. Throws `restore-failed` with Flink's reason, `refused`, `outcome-unknown`. */
  async start(request: RestoreRequest, run: Run): Promise<RestoreRecord> {
    await this.#check(request.cluster, request.savepoint?.path ?? null, request.claimMode, run.signal);
    const record = this.#recordOf(request, "requested", null);
    const release = this.#world.follower.hold(record.id);
    try {
      await this.#world.ledger.create(record);
      await this.#refuseRivals(record, "dropped", run.signal);
      return await this.#submit(record, request.programArgs, run);
    } finally {
      release();
    }
  }

  /**
   * Stops a job with a savepoint and starts it again, from that savepoint or (`request.savepoint` given) from an older one, as one plan: written
   * down whole before the first step, so that a reload in the middle finds it and `continue` goes on with the step where it was.
   */
  async stopThenRestore(job: JobRef, stop: SavepointRequest, request: RestoreRequest, run: Run): Promise<RestoreRecord> {
    await this.#check(request.cluster, request.savepoint?.path ?? null, request.claimMode, run.signal);
    const { path } = request.savepoint ?? { path: "" };
    if (checkpointOwner(path) === job.jobId) refuseIf("restored from", path, [{ rule: "checkpoint-of-stopped", by: { jobId: job.jobId, name: request.jobName } }]);
    const { ledger } = this.#world;
    const stopId = this.#world.newId();
    const plan = this.#recordOf(request, "planned", { stopId, jobId: job.jobId });
    if (request.programArgs.length > 0) await this.#world.vault.set(argumentsKey(plan.id), JSON.stringify(request.programArgs));
    this.#flows.add(plan.id);
    try {
      await ledger.create(plan);
      const stopped = await this.#savepoints.stop(job, { ...stop, drain: false }, run, stopId, async () => {
        if ((await readRecord(ledger, "restore", plan.id)).state !== "planned") refuseIf("stopped", plan.jobName, [{ rule: "operation-running", what: "restore", forMs: this.#world.clock.now() - plan.requestedAtMs }]);
      });
      return await this.#fromStop(plan.id, stopped, run);
    } catch (error) {
      // What may still be continued stays a plan: a stop that goes on, a savepoint that is complete, or an outcome that a person can tell.
      const stopRecord = await ledger.get(stopId).catch(() => undefined);
      const wasStopped = stopRecord?.kind === "savepoint" && stopRecord.state !== "failed";
      if (!wasStopped || isFlinkError(error, "stop-failed")) {
        await this.drop(plan.id).catch(async (failed: unknown) => {
          this.#world.log.warn(`dropping ${plan.id}`, failed);
          await this.#forgetArguments(plan.id);
        });
      }
      throw error;
    } finally {
      this.#flows.delete(plan.id);
    }
  }

  /** Plans that wait for a person: begun before a reload or in another window, or left when the job failed while stopping. One that belongs to a rollback goes on with that. */
  async planned(): Promise<RestoreRecord[]> {
    return (await this.#world.ledger.all()).filter((record): record is RestoreRecord => record.kind === "restore" && record.state === "planned" && record.afterStop !== null && !this.#flows.has(record.id));
  }

  /** Writes down a start that follows a rollback of the job's tables (P-12). Its arguments are kept in the vault. Resolves to its id. Throws `refused`, `ledger-unwritable`. */
  async planAfterRollback(request: RestoreRequest, run: Run): Promise<string> {
    await this.#check(request.cluster, request.savepoint?.path ?? null, request.claimMode, run.signal);
    const plan = this.#recordOf(request, "planned", null);
    if (request.programArgs.length > 0) await this.#world.vault.set(argumentsKey(plan.id), JSON.stringify(request.programArgs));
    await this.#world.ledger.create({ ...plan, trail: [{ atMs: plan.requestedAtMs, event: "planned: roll back its tables, then restore" }] }).catch(async (error: unknown) => {
      await this.#forgetArguments(plan.id);
      throw error;
    });
    return plan.id;
  }

  /**
   * Starts what `planAfterRollback` wrote down, once; a second call, in this window or another, follows. `isGone`: whether a process has ended that was about to
   * start it. `isReady` looks at the tables, last before the request is sent; what it throws leaves a plan. Throws what `start` throws, and `plan-arguments-lost`.
   */
  async startPlanned(restoreId: string, run: Run, when: { isGone(owner: ProcessIdentity): boolean; isReady(): Promise<void> }): Promise<RestoreRecord> {
    // The window that had it may have died before it sent anything: then it is a plan again.
    for (;;) {
      const started = await this.#startUnsent(restoreId, run, when);
      if (started.state !== "planned") return started;
    }
  }

  async #startUnsent(restoreId: string, run: Run, { isGone, isReady }: Parameters<RestoreService["startPlanned"]>[2]): Promise<RestoreRecord> {
    const { ledger, clock, follower, self } = this.#world;
    const isOpen = (open: RestoreRecord): boolean => open.state === "planned" || (open.state === "requested" && isUnsent(open) && isGone(open.owner));
    const plan = await readRecord(ledger, "restore", restoreId);
    if (!isOpen(plan)) return this.starts.follow(restoreId, run);
    await this.#check(plan.cluster.url, plan.savepoint?.path ?? null, plan.claimMode, run.signal);
    const programArgs = await this.#keptArguments(plan);
    const release = follower.hold(restoreId);
    try {
      let mine = false;
      const record = await ledger.update<RestoreRecord>(restoreId, "its tables are rolled back", (open) => {
        mine = isOpen(open);
        return mine ? { ...open, state: "requested", requestedAtMs: clock.now(), owner: self } : open;
      });
      if (!mine) return await this.starts.follow(restoreId, run);
      await this.#refuseRivals(record, "planned", run.signal);
      return await this.#submit(record, programArgs, run, isReady);
    } finally {
      release();
    }
  }

  /**
   * Goes on with a plan at the step where it was. Throws `refused` when its stop has not written a savepoint, and `plan-arguments-lost` when the
   * arguments are no longer kept here and `programArgs` does not give them anew.
   */
  async continue(restoreId: string, run: Run, programArgs?: readonly string[]): Promise<RestoreRecord> {
    const { follower } = this.#world;
    const plan = await readRecord(this.#world.ledger, "restore", restoreId);
    if (plan.state !== "planned" || plan.afterStop === null) return this.starts.follow(restoreId, run);
    if (this.#flows.has(restoreId)) refuseIf("restored", plan.jobName, [{ rule: "operation-running", what: "restore", forMs: this.#world.clock.now() - plan.requestedAtMs }]);
    this.#flows.add(restoreId);
    try {
      const stop = (await this.#stopOf(plan)) ?? (await this.#dropUnlessStopped(plan));
      const open = stop.state === "requested" || stop.state === "running" || stop.stop?.job === "pending";
      return await this.#fromStop(restoreId, open ? await follower.follow(stop.id, (step) => run.report(step), run.signal) : stop, run, programArgs);
    } finally {
      this.#flows.delete(restoreId);
    }
  }

  async #stopOf(plan: RestoreRecord): Promise<SavepointRecord | undefined> {
    const stop = plan.afterStop === null ? undefined : await this.#world.ledger.get(plan.afterStop);
    return stop?.kind === "savepoint" ? stop : undefined;
  }

  /**
   * A plan whose stop was never written down is dropped. Should its window live and be about to stop, then either it sees the plan dropped
   * before it sends, or its record is seen here now.
   */
  async #dropUnlessStopped(plan: RestoreRecord): Promise<SavepointRecord> {
    const { ledger, clock } = this.#world;
    await ledger.update<RestoreRecord>(plan.id, "plan dropped", (open) => (open.state === "planned" ? { ...open, state: "dropped", endedAtMs: clock.now() } : open));
    const stop = await this.#stopOf(plan);
    if (stop === undefined) {
      await this.#forgetArguments(plan.id);
      throw new FlinkError("never-received", { what: "stop with savepoint", jobName: plan.jobName });
    }
    await ledger.update<RestoreRecord>(plan.id, "its stop is under way after all", (open) => (open.state === "dropped" ? { ...open, state: "planned", endedAtMs: null } : open));
    return stop;
  }

  /** Gives a plan up. The savepoint that its stop wrote stays. */
  async drop(restoreId: string): Promise<void> {
    const record = await this.#world.ledger.update<RestoreRecord>(restoreId, "plan dropped", (open) => (open.state === "planned" ? { ...open, state: "dropped", endedAtMs: this.#world.clock.now() } : open));
    if (record.state === "dropped") await this.#forgetArguments(restoreId);
  }

  /** The job that lives and has its checkpoint there: whoever claims it has Flink delete files that this job needs. */
  #runningOwner(path: string): JobSummary | undefined {
    const jobId = checkpointOwner(path);
    return jobId === undefined ? undefined : this.#world.clusters.list().flatMap(({ jobs }) => jobs).find((job) => job.jobId === jobId && !isTerminal(job.state));
  }

  async #check(cluster: string, path: string | null, claimMode: ClaimMode, signal: AbortSignal): Promise<void> {
    if (path !== null) requireLocation(path);
    const { refusals } = await this.readiness(cluster, path, signal, claimMode);
    const owner = path === null || claimMode !== "CLAIM" ? undefined : this.#runningOwner(path);
    if (owner) refuseIf("restored from", path ?? "", [{ rule: "claim-of-needed", by: owner }]);
    refuseIf(path === null ? "started" : "restored from", path ?? "The job", refusals);
  }

  async #fromStop(restoreId: string, stopped: SavepointRecord, run: Run, givenArgs?: readonly string[]): Promise<RestoreRecord> {
    const { clusters, ledger, clock, follower, self } = this.#world;
    if (stopped.state !== "completed" || stopped.path === null) {
      if (stopped.state === "failed") await this.drop(restoreId);
      throw outcomeError(stopped);
    }
    const state = await clusters.client(stopped.cluster.url).jobState(stopped.job.id, run.signal);
    if (state !== undefined && !isTerminal(state)) refuseIf("restored", stopped.job.name, [{ rule: "in-use", by: { jobId: stopped.job.id, name: stopped.job.name }, how: "has written its savepoint but still runs" }]);
    const plan = await readRecord(this.#world.ledger, "restore", restoreId);
    const savepoint = plan.savepoint ?? { path: stopped.path, recordId: stopped.id, checkpointId: stopped.checkpointId };
    await this.#check(plan.cluster.url, savepoint.path, plan.claimMode, run.signal);
    const programArgs = givenArgs ?? (await this.#keptArguments(plan));
    const release = follower.hold(restoreId);
    try {
      let mine = false;
      const record = await ledger.update<RestoreRecord>(restoreId, `continues from ${savepoint.path}`, (open) => {
        mine = open.state === "planned";
        return mine ? { ...open, state: "requested", savepoint, requestedAtMs: clock.now(), owner: self } : open;
      });
      // Another window continued the same plan in the same moment: follow what it started.
      if (!mine) return await this.starts.follow(restoreId, run);
      await this.#refuseRivals(record, "planned", run.signal);
      return await this.#submit(record, programArgs, run);
    } finally {
      release();
    }
  }

  /**
   * Two starts that claim one savepoint, or a start and a disposal, each look only after both have written down what they are about to do: so
   * at least one sees the other, and steps back.
   */
  async #refuseRivals(record: RestoreRecord, back: "dropped" | "planned", signal: AbortSignal): Promise<void> {
    const { clusters, ledger, clock } = this.#world;
    if (record.savepoint === null) return;
    const { path } = record.savepoint;
    try {
      const info = await clusters.info(record.cluster.url, signal);
      const real = await followedPlaces(this.#look, path, (await ledger.all()).filter(({ id }) => id !== record.id));
      refuseIf("restored from", path, await this.#refusals(info, [real.path, path], real.records, record.claimMode));
    } catch (error) {
      await ledger.update<RestoreRecord>(record.id, "not sent", (open) => (open.state === "requested" ? { ...open, state: back, endedAtMs: back === "dropped" ? clock.now() : null } : open));
      throw error;
    }
  }

  /** The arguments of a plan. Throws `plan-arguments-lost`. */
  async #keptArguments(plan: RestoreRecord): Promise<readonly string[]> {
    if (plan.argumentCount === 0) return [];
    const kept = await this.#world.vault.get(argumentsKey(plan.id));
    if (kept === undefined) throw new FlinkError("plan-arguments-lost", { jobName: plan.jobName });
    return JSON.parse(kept) as string[];
  }

  /** The arguments of a plan are of no more use. A vault that fails then keeps them, and holds nothing up: the record already says what is done. */
  async #forgetArguments(planId: string): Promise<void> {
    await this.#world.vault.delete(argumentsKey(planId)).catch((error: unknown) => this.#world.log.warn(`forgetting the arguments of ${planId}`, error));
  }

  /** Uploads when needed, sends the run request once, and follows. The job id makes a lost answer harmless: Flink refuses a second job of the same id. */
  async #submit(record: RestoreRecord, programArgs: readonly string[], run: Run, isReady?: () => Promise<void>): Promise<RestoreRecord> {
    const { clusters, ledger, clock, follower, log, self } = this.#world;
    const client = clusters.client(record.cluster.url);
    const work = async (): Promise<void> => {
      let sent = false;
      try {
        const info = await clusters.info(record.cluster.url, follower.life);
        let jarId = record.jar.id;
        if (jarId === null) {
          run.report({ message: `Uploading ${record.jar.name}` });
          jarId = await client.uploadJar(record.jar.file ?? "", run);
          const uploaded = jarId;
          await ledger.update<RestoreRecord>(record.id, `uploaded as ${uploaded}`, (open) => ({ ...open, jar: { ...open.jar, id: uploaded } }));
        }
        run.signal.throwIfAborted();
        await isReady?.();
        // An upload takes long: another process may have settled the record meanwhile, and then it stays so.
        let mine = false;
        await ledger.update<RestoreRecord>(record.id, "is sent", (open) => {
          mine = open.state === "requested" && open.owner.instance === self.instance;
          return mine ? { ...open, sentAtMs: clock.now() } : open;
        });
        if (!mine) return;
        await this.#forgetArguments(record.id);
        run.report({ message: "Flink starts the program" });
        sent = true;
        await client.runJar(jarId, runRequest(record, programArgs), info.capabilities, follower.life);
        await unlessUnwritable(ledger.update<RestoreRecord>(record.id, "Flink accepted the job", (open) => (open.state === "requested" ? { ...open, state: "submitted" } : open)), log);
      } catch (caught) {
        // An upload whose answer was lost may have left a jar on the cluster, but it started nothing.
        const error: unknown = !sent && isFlinkError(caught, "answer-lost") ? new FlinkError("cluster-unreachable", caught.facts, { cause: caught }) : caught;
        if (isFlinkError(error, "ledger-unwritable")) throw error;
        if (isAbort(error) && follower.life.aborted) throw error;
        // A 400 or 500 in Flink's own words is its verdict on the program, unless the job is there: then the words were of a time-out, or of a
        // second request. Anything else that broke off may hide a started job.
        const verdict = !sent || isAbort(error) || !mayHaveArrived(error) || isFlinkError(error, "flink-failed");
        if (verdict && !(sent && isFlinkError(error, "flink-failed") && (await this.#isThere(record, error.facts)))) {
          // A step of something larger is a plan again: that goes on with it.
          const back = isReady !== undefined && !sent ? "planned" : isAbort(error) ? "dropped" : "failed";
          const ended = await ledger.update<RestoreRecord>(record.id, back === "planned" ? "not sent" : back === "dropped" ? "given up before it was sent" : "Flink refused it, or it was not sent", (open) => (open.state !== "requested" || open.owner.instance !== self.instance ? open
            : back === "planned" ? { ...open, state: back } : { ...open, state: back, endedAtMs: clock.now(), failure: back === "dropped" ? null : failureOf(error) }));
          if (ended.state === "failed") this.starts.tell(ended);
          if (isFlinkError(error, "flink-failed")) throw new FlinkError("restore-failed", { savepoint: record.savepoint?.path ?? null, message: error.facts.message, exception: error.facts.exception }, { cause: error });
          throw error;
        }
        log.warn(`the answer to starting ${record.id} was lost; looking for the job`, error);
      }
    };
    this.starts.sending.add(record.id);
    const release = follower.hold(record.id);
    const outcome = work().finally(() => this.starts.sending.delete(record.id)).then(() => this.starts.follow(record.id, { signal: follower.life, report: (step) => run.report(step) })).finally(release);
    outcome.catch(() => undefined);
    return unlessAborted(outcome, run.signal);
  }

  /** Whether Flink has the job although it answered with a failure: after a time-out of its own, or because the request came twice. */
  async #isThere(record: RestoreRecord, facts: ErrorFacts["flink-failed"]): Promise<boolean> {
    if (facts.status < 500 && !facts.exception.endsWith("DuplicateJobSubmissionException")) return false;
    try {
      return (await this.#world.clusters.client(record.cluster.url).jobState(record.id, this.#world.follower.life)) !== undefined;
    } catch (error) {
      if (isAbort(error)) throw error;
      return false;
    }
  }

  #recordOf(request: RestoreRequest, state: "planned" | "requested", after: { readonly stopId: string; readonly jobId: string } | null): RestoreRecord {
    const { clusters, clock, self } = this.#world;
    const atMs = clock.now();
    return {
      kind: "restore", version: recordVersion, id: this.#world.newId(), cluster: { name: clusters.get(request.cluster)?.profile.name ?? request.cluster, url: request.cluster },
      jobName: request.jobName, savepoint: request.savepoint && { ...request.savepoint, path: request.savepoint.path.trim() }, afterStop: after?.stopId ?? null,
      jar: "id" in request.jar ? { id: request.jar.id, file: null, name: request.jar.name } : { id: null, file: request.jar.file, name: request.jar.name },
      entryClass: request.entryClass ?? null, argumentCount: request.programArgs.length, parallelism: request.parallelism ?? null,
      claimMode: request.claimMode, allowNonRestoredState: request.allowNonRestoredState, state, requestedAtMs: atMs, sentAtMs: null, endedAtMs: null, failure: null, owner: self,
      trail: [{ atMs, event: after === null ? "requested" : `planned: stop ${after.jobId} with a savepoint, then restore from it` }],
    };
  }

}

function argumentsKey(planId: string): string {
  return `plan ${planId}`;
}

function runRequest(record: RestoreRecord, programArgs: readonly string[]): RunJarRequest {
  return {
    jobId: record.id,
    ...(record.entryClass === null ? {} : { entryClass: record.entryClass }),
    ...(programArgs.length === 0 ? {} : { programArgs }),
    ...(record.parallelism === null ? {} : { parallelism: record.parallelism }),
    ...(record.savepoint === null ? {} : { savepointPath: record.savepoint.path, claimMode: record.claimMode, allowNonRestoredState: record.allowNonRestoredState }),
  };
}
