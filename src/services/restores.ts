import { Backoff, isAbort } from "../core/base/async";
import { Emitter } from "../core/base/event";
import { FlinkError, isFlinkError } from "../core/errors";
import { restoreRefusals, restoreWarnings } from "../core/guards";
import { recordVersion, type RestoreRecord, type SavepointRecord } from "../core/ledger/record";
import { allTasksRun, isTerminal, type JobRef, type JobSummary } from "../core/model/job";
import { normaliseLocation } from "../core/model/location";
import type { ClaimMode, ClusterClient, Run, RunJarRequest } from "../core/ports";
import { unlessAborted, unlessUnknown } from "./following";
import { failureOf, mayHaveArrived, refuseIf, requireLocation } from "./requests";
import type { Readiness, SavepointRequest, SavepointService, SavepointWorld } from "./savepoints";

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
  readonly #settled = new Emitter<RestoreRecord>((error) => this.#world.log.error("a listener to starts", error));
  readonly #following = new Map<string, Promise<RestoreRecord>>();
  readonly #watching = new Set<string>();
  /** Starts that this process is about to send. */
  readonly #sending = new Set<string>();

  /** Fires when a started job runs or has failed. */
  readonly onDidSettle = this.#settled.event;

  constructor(world: SavepointWorld, savepoints: SavepointService) {
    this.#world = world;
    this.#savepoints = savepoints;
  }

  /** Whether a job can be started there, and from that savepoint. Throws the connection's errors. */
  async readiness(cluster: string, savepointPath: string | null, signal: AbortSignal): Promise<Readiness> {
    const info = await this.#world.clusters.info(cluster, signal);
    const records = await this.#world.ledger.all();
    return { refusals: restoreRefusals(info, savepointPath, records), warnings: restoreWarnings(savepointPath, records), info, jobName: "" };
  }

  /** Jobs of that name that have not ended, as of the last look at the cluster. */
  runningJobsNamed(cluster: string, jobName: string): readonly JobSummary[] {
    return (this.#world.clusters.get(cluster)?.jobs ?? []).filter((job) => job.name === jobName && !isTerminal(job.state));
  }

  /** Starts the job and follows it until all its tasks run. Throws `restore-failed` with Flink's reason, `refused`, `outcome-unknown`. */
  async start(request: RestoreRequest, run: Run): Promise<RestoreRecord> {
    await this.#check(request.cluster, request.savepoint?.path ?? null, run.signal);
    const record = this.#recordOf(request, "requested", null);
    await this.#world.ledger.create(record);
    return this.#submit(record, request.programArgs, run);
  }

  /**
   * Stops a job with a savepoint and starts it again, from that savepoint or (`request.savepoint` given) from an older one, as one plan: written
   * down whole before the first step, so that a reload in the middle finds it and `continue` goes on with the step where it was.
   */
  async stopThenRestore(job: JobRef, stop: SavepointRequest, request: RestoreRequest, run: Run): Promise<RestoreRecord> {
    await this.#check(request.cluster, request.savepoint?.path ?? null, run.signal);
    const { ledger } = this.#world;
    const stopId = this.#world.newId();
    const plan = this.#recordOf(request, "planned", { stopId, jobId: job.jobId });
    if (request.programArgs.length > 0) await this.#world.vault.set(argumentsKey(plan.id), JSON.stringify(request.programArgs));
    await ledger.create(plan);
    let stopped: SavepointRecord;
    try {
      stopped = await this.#savepoints.stop(job, { ...stop, drain: false }, run, stopId);
    } catch (error) {
      if (!isAbort(error) && !isFlinkError(error, "stopped-uncleanly", "outcome-unknown")) await this.drop(plan.id);
      throw error;
    }
    return this.#fromStop(plan.id, stopped, run);
  }

  /** Plans that wait for a person: begun before a reload, or left when the job failed while stopping. */
  async planned(): Promise<RestoreRecord[]> {
    return (await this.#world.ledger.all()).filter((record): record is RestoreRecord => record.kind === "restore" && record.state === "planned");
  }

  /**
   * Goes on with a plan at the step where it was. Throws `refused` when its stop has not written a savepoint, and `plan-arguments-lost` when the
   * arguments are no longer kept here and `programArgs` does not give them anew.
   */
  async continue(restoreId: string, run: Run, programArgs?: readonly string[]): Promise<RestoreRecord> {
    const { ledger, follower } = this.#world;
    const plan = await this.#read(restoreId);
    if (plan.state !== "planned") return this.follow(restoreId, run);
    const stop = (await ledger.all()).find((record): record is SavepointRecord => record.kind === "savepoint" && record.id === plan.afterStop);
    if (stop === undefined) {
      await this.drop(restoreId);
      throw new FlinkError("never-received", { what: "stop with savepoint", jobName: plan.jobName });
    }
    const stopped = stop.state === "requested" || stop.state === "running" || stop.stop?.job === "pending" ? await follower.follow(stop.id, (step) => run.report(step), run.signal) : stop;
    return this.#fromStop(restoreId, stopped, run, programArgs);
  }

  /** Gives a plan up. The savepoint that its stop wrote stays. */
  async drop(restoreId: string): Promise<void> {
    const record = await this.#world.ledger.update<RestoreRecord>(restoreId, "plan dropped", (open) => (open.state === "planned" ? { ...open, state: "dropped", endedAtMs: this.#world.clock.now() } : open));
    if (record.state === "dropped") await this.#world.vault.delete(argumentsKey(restoreId));
  }

  /** Follows a start to its outcome; used by the caller and, after a restart, by the reconciler. Two callers share one. */
  follow(restoreId: string, run?: Run): Promise<RestoreRecord> {
    let following = this.#following.get(restoreId);
    if (following === undefined) {
      following = this.#untilSettled(restoreId, run).finally(() => this.#following.delete(restoreId));
      following.catch(() => undefined);
      this.#following.set(restoreId, following);
    }
    return unlessAborted(following, run?.signal);
  }

  /** Watches a running job until its first own checkpoint makes the savepoint dispensable (C-26) or the job ends. */
  async watchUntilSafe(restoreId: string): Promise<void> {
    if (this.#watching.has(restoreId)) return;
    this.#watching.add(restoreId);
    const { clusters, ledger, clock, follower } = this.#world;
    const pause = new Backoff(1_000, 30_000);
    try {
      for (;;) {
        const record = await this.#read(restoreId);
        if (record.state !== "running" || record.endedAtMs !== null) return;
        try {
          const client = clusters.client(record.cluster.url);
          const [overview, state] = await Promise.all([unlessUnknown(client.checkpoints(record.id, follower.life)), client.jobState(record.id, follower.life)]);
          const completed = overview?.latest.completed ?? null;
          const restored = overview?.latest.restored ?? null;
          if (completed !== null && (restored === null || completed.checkpointId > restored.checkpointId)) {
            await ledger.update<RestoreRecord>(restoreId, `checkpoint #${completed.checkpointId} of its own is complete`, (open) => (open.state === "running" ? { ...open, state: "safe" } : open));
            return;
          }
          if (state === undefined || isTerminal(state)) {
            await ledger.update<RestoreRecord>(restoreId, `the job is ${state ?? "gone"}`, (open) => ({ ...open, endedAtMs: clock.now() }));
            return;
          }
        } catch (error) {
          if (isAbort(error)) return;
        }
        await clock.sleep(pause.next(), follower.life);
      }
    } catch (error) {
      if (!isAbort(error)) this.#world.log.warn(`watching ${restoreId}`, error);
    } finally {
      this.#watching.delete(restoreId);
    }
  }

  async #check(cluster: string, path: string | null, signal: AbortSignal): Promise<void> {
    if (path !== null) requireLocation(path);
    const { refusals } = await this.readiness(cluster, path, signal);
    refuseIf(path === null ? "started" : "restored from", path ?? "The job", refusals);
  }

  async #fromStop(restoreId: string, stopped: SavepointRecord, run: Run, givenArgs?: readonly string[]): Promise<RestoreRecord> {
    const { ledger, clock } = this.#world;
    if (stopped.state !== "completed" || stopped.path === null) {
      if (stopped.state === "failed") await this.drop(restoreId);
      throw stopped.state === "failed"
        ? new FlinkError("stop-failed", { jobName: stopped.job.name, message: stopped.failure?.message ?? "Flink gives no reason", exception: stopped.failure?.exception ?? "", jobState: "running on" })
        : new FlinkError("outcome-unknown", { what: "stop with savepoint", jobName: stopped.job.name, lookIn: stopped.directory });
    }
    if (stopped.stop?.job === "running-on") refuseIf("restored", stopped.job.name, [{ rule: "in-use", by: { jobId: stopped.job.id, name: stopped.job.name }, how: "has written its savepoint but still runs" }]);
    const plan = await this.#read(restoreId);
    const savepoint = plan.savepoint ?? { path: stopped.path, recordId: stopped.id, checkpointId: stopped.checkpointId };
    await this.#check(plan.cluster.url, savepoint.path, run.signal);
    const programArgs = givenArgs ?? (await this.#keptArguments(plan));
    const record = await ledger.update<RestoreRecord>(restoreId, `continues from ${savepoint.path}`, (open) => (open.state === "planned"
      ? { ...open, state: "requested", savepoint, requestedAtMs: clock.now(), owner: this.#world.self }
      : open));
    // Another window continued the same plan in the same moment: follow what it started.
    if (record.owner.instance !== this.#world.self.instance || record.state !== "requested") return this.follow(restoreId, run);
    await this.#world.vault.delete(argumentsKey(restoreId));
    return this.#submit(record, programArgs, run);
  }

  /** The arguments of a plan. Throws `plan-arguments-lost`. */
  async #keptArguments(plan: RestoreRecord): Promise<readonly string[]> {
    if (plan.argumentCount === 0) return [];
    const kept = await this.#world.vault.get(argumentsKey(plan.id));
    if (kept === undefined) throw new FlinkError("plan-arguments-lost", { jobName: plan.jobName });
    return JSON.parse(kept) as string[];
  }

  /** Uploads when needed, sends the run request once, and follows. The job id makes a lost answer harmless: Flink refuses a second job of the same id. */
  async #submit(record: RestoreRecord, programArgs: readonly string[], run: Run): Promise<RestoreRecord> {
    const { clusters, ledger, clock, follower, log } = this.#world;
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
        run.report({ message: "Flink starts the program" });
        sent = true;
        await client.runJar(jarId, runRequest(record, programArgs), info.capabilities, follower.life);
        await ledger.update<RestoreRecord>(record.id, "Flink accepted the job", (open) => (open.state === "requested" ? { ...open, state: "submitted" } : open));
      } catch (caught) {
        // An upload whose answer was lost may have left a jar on the cluster, but it started nothing.
        const error: unknown = !sent && isFlinkError(caught, "answer-lost") ? new FlinkError("cluster-unreachable", caught.facts, { cause: caught }) : caught;
        if (isFlinkError(error, "ledger-unwritable")) throw error;
        if (isAbort(error) && follower.life.aborted) throw error;
        // A 400 or 500 in Flink's own words is its verdict on the program; anything else that broke off may hide a started job.
        if (!sent || isAbort(error) || isFlinkError(error, "flink-failed", "file-unreadable", "file-not-a-jar") || !mayHaveArrived(error)) {
          await ledger.update<RestoreRecord>(record.id, isAbort(error) ? "given up before it was sent" : "Flink refused it, or it was not sent", (open) => (open.state === "requested" ? { ...open, state: isAbort(error) ? "dropped" : "failed", endedAtMs: clock.now(), failure: isAbort(error) ? null : failureOf(error) } : open));
          if (isFlinkError(error, "flink-failed")) throw new FlinkError("restore-failed", { savepoint: record.savepoint?.path ?? null, message: error.facts.message, exception: error.facts.exception }, { cause: error });
          throw error;
        }
        log.warn(`the answer to starting ${record.id} was lost; looking for the job`, error);
      }
    };
    this.#sending.add(record.id);
    const outcome = work().finally(() => this.#sending.delete(record.id)).then(() => this.follow(record.id, { signal: follower.life, report: (step) => run.report(step) }));
    outcome.catch(() => undefined);
    return unlessAborted(outcome, run.signal);
  }

  async #untilSettled(restoreId: string, run?: Run): Promise<RestoreRecord> {
    const { clusters, clock, follower, programGraceMs, self } = this.#world;
    const pause = new Backoff(250, 2_000);
    const down = new Backoff(1_000, 30_000);
    let failuresSeen = 0;
    for (;;) {
      const record = await this.#read(restoreId);
      if (record.state !== "requested" && record.state !== "submitted") return this.#settle(record);
      if (record.jar.id === null && record.owner.instance === self.instance && !this.#sending.has(restoreId)) {
        await this.#end(record, "taken over before the jar was on the cluster, so nothing was started", { state: "failed", endedAtMs: clock.now(), failure: { message: "The jar was not uploaded to its end, so nothing was started.", exception: "" } });
        continue;
      }
      try {
        const client = clusters.client(record.cluster.url);
        const state = await client.jobState(record.id, follower.life);
        down.reset();
        if (state === undefined) {
          // The program's main may still run: its job appears when it returns. Nothing is sent again.
          if (clock.now() - record.requestedAtMs > (record.state === "submitted" ? 10_000 : programGraceMs)) await this.#end(record, "Flink does not know the job", { state: "unknown" });
          else run?.report({ message: "Waiting for the job to appear" });
        } else if (isTerminal(state) || state === "RESTARTING" || state === "FAILING") {
          const failure = await client.latestFailure(record.id, follower.life);
          failuresSeen++;
          // One restart may be an accident of deployment; a second with the same reason is the job's answer (flink-api §6: it restarts for ever).
          if (state === "FINISHED" || state === "CANCELED") await this.#end(record, `the job is ${state}`, { state: "running", endedAtMs: clock.now() });
          else if (isTerminal(state) || (failure !== undefined && failuresSeen > 2)) await this.#end(record, `the job is ${state}: ${failure?.message ?? ""}`, { state: "failed", endedAtMs: clock.now(), failure: { message: failure?.message ?? `the job is ${state}`, exception: failure?.exception ?? "" } });
          else run?.report({ message: `Flink restarts the job: ${failure?.message ?? "no reason given yet"}` });
        } else {
          const job = await client.job(record.id, follower.life);
          const ready = job.vertices.filter((vertex) => vertex.ready).length;
          run?.report({ message: `${job.state.toLowerCase()}: ${ready} of ${job.vertices.length} operators run` });
          if (allTasksRun(job)) await this.#runs(record, job.name, client);
        }
        await clock.sleep(pause.next(), follower.life);
      } catch (error) {
        if (isAbort(error) || isFlinkError(error, "ledger-unwritable")) throw error;
        this.#world.log.debug(`following start ${restoreId}`, error);
        await clock.sleep(down.next(), follower.life);
      }
    }
  }

  /** All tasks run. What Flink says it restored must be what was asked for: a silent start without state would be the worst outcome of all. */
  async #runs(record: RestoreRecord, jobName: string, client: ClusterClient): Promise<void> {
    const overview = await unlessUnknown(client.checkpoints(record.id, this.#world.follower.life));
    const restored = overview?.latest.restored ?? null;
    const asked = record.savepoint?.path ?? null;
    if (asked !== null && overview !== undefined && overview.counts.restored === 0) return; // statistics lag; looked at again
    const proof = restored?.path !== undefined && restored.path !== null && asked !== null && normaliseLocation(restored.path) === normaliseLocation(asked) ? `restored from #${restored.checkpointId}` : asked === null ? "started without state" : `restored from ${restored?.path ?? "an unnamed place"}`;
    await this.#world.ledger.update<RestoreRecord>(record.id, `all tasks run; ${proof}`, (open) => (open.state === "requested" || open.state === "submitted"
      ? { ...open, state: "running", jobName, savepoint: open.savepoint && { ...open.savepoint, checkpointId: restored?.checkpointId ?? open.savepoint.checkpointId } } : open));
    void this.#world.clusters.refresh(record.cluster.url, this.#world.follower.life);
  }

  async #end(record: RestoreRecord, event: string, change: Partial<RestoreRecord>): Promise<void> {
    await this.#world.ledger.update<RestoreRecord>(record.id, event, (open) => (open.state === "requested" || open.state === "submitted" ? { ...open, ...change } : open));
  }

  #settle(record: RestoreRecord): RestoreRecord {
    this.#settled.fire(record);
    if (record.state === "running" && record.endedAtMs === null) void this.watchUntilSafe(record.id);
    if (record.state === "failed") throw new FlinkError("restore-failed", { savepoint: record.savepoint?.path ?? null, message: record.failure?.message ?? "Flink gives no reason", exception: record.failure?.exception ?? "" });
    if (record.state === "unknown") throw new FlinkError("outcome-unknown", { what: "start", jobName: record.jobName, lookIn: null });
    return record;
  }

  #recordOf(request: RestoreRequest, state: "planned" | "requested", after: { readonly stopId: string; readonly jobId: string } | null): RestoreRecord {
    const { clusters, clock, self } = this.#world;
    const atMs = clock.now();
    return {
      kind: "restore", version: recordVersion, id: this.#world.newId(), cluster: { name: clusters.get(request.cluster)?.profile.name ?? request.cluster, url: request.cluster },
      jobName: request.jobName, savepoint: request.savepoint, afterStop: after?.stopId ?? null,
      jar: "id" in request.jar ? { id: request.jar.id, file: null, name: request.jar.name } : { id: null, file: request.jar.file, name: request.jar.name },
      entryClass: request.entryClass ?? null, argumentCount: request.programArgs.length, parallelism: request.parallelism ?? null,
      claimMode: request.claimMode, allowNonRestoredState: request.allowNonRestoredState, state, requestedAtMs: atMs, endedAtMs: null, failure: null, owner: self,
      trail: [{ atMs, event: after === null ? "requested" : `planned: stop ${after.jobId} with a savepoint, then restore from it` }],
    };
  }

  async #read(id: string): Promise<RestoreRecord> {
    const record = await this.#world.ledger.get(id);
    if (record?.kind !== "restore") throw new FlinkError("ledger-record-damaged", { file: id, reason: "the record vanished" });
    return record;
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
