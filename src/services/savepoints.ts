import { Backoff, isAbort, unlessAborted } from "../core/base/async";
import { FlinkError, isFlinkError, type Refusal } from "../core/errors";
import { explain } from "../core/explain";
import { savepointRefusals, savepointWarnings, type JobFacts, type Warning } from "../core/guards";
import { isBeingCleanedUp, isOpen, recordVersion, type SavepointRecord } from "../core/ledger/record";
import type { Ledger } from "../core/ledger/store";
import type { SavepointFormat } from "../core/model/checkpoint";
import type { ClusterInfo } from "../core/model/cluster";
import { allTasksRun, isSameJob, type JobRef } from "../core/model/job";
import { parentLocation, placeKey, requireLocation } from "../core/model/location";
import type { Clock, FoundFolder, Log, PinMarks, ProcessIdentity, Run, Vault, WorkspaceCommit } from "../core/ports";
import { type Operation, operationsIn } from "../core/ledger/queries";
import type { ClusterService } from "./clusters";
import { notReceived, type SavepointFollower } from "./following";
import type { JobService } from "./jobs";
import { failureOf, mayHaveArrived, refuseIf, unlessUnwritable } from "./requestErrors";

/** What a person chooses for a savepoint (C-6, C-7, A-7). */
export interface SavepointRequest {
  /** Parent directory, absolute or with a scheme; null = the cluster's own. */
  readonly directory: string | null;
  readonly format: SavepointFormat;
  readonly description: string;
}

/** The tick of a schedule that a savepoint is taken for. */
export interface TickAttempt {
  /** `tickId` of it: 32 hex digits, the same for everyone who has the schedule. */
  readonly recordId: string;
  readonly name: string;
  readonly tickAtMs: number;
  readonly attempt: number;
  /** Asked last before sending; throws when it may not be sent any more. */
  mayGoOn(): Promise<void>;
}

/** Whether a verb can be done now, and what to know before. */
export interface Readiness {
  readonly refusals: readonly Refusal[];
  readonly warnings: readonly Warning[];
  readonly info: ClusterInfo;
  readonly jobName: string;
}

/** What the verbs on savepoints need of the world. */
export interface SavepointWorld {
  readonly clusters: ClusterService;
  readonly jobs: JobService;
  readonly follower: SavepointFollower;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Log;
  readonly self: ProcessIdentity;
  /** How long a program's `main` may take to hand its job to Flink before the start's outcome counts as unknown, milliseconds. */
  readonly programGraceMs: number;
  /** 32 random lower-case hex digits. */
  newId(): string;
  workspaceCommit(): Promise<WorkspaceCommit | null>;
  readonly vault: Vault;
  readonly pins: PinMarks;
}

/** What is to be taken, and how. */
interface Taking {
  readonly id: string;
  readonly job: JobRef;
  readonly request: SavepointRequest;
  readonly stop: { readonly drain: boolean } | null;
  readonly tick?: TickAttempt;
  readonly mayGoOn?: (() => Promise<void>) | undefined;
}

/** A request that is written down and not yet sent. */
interface Asked {
  readonly id: string;
  readonly atMs: number;
  readonly job: JobRef;
  readonly jobName: string;
  readonly isStop: boolean;
  readonly mayGoOn: (() => Promise<void>) | undefined;
}

/** How long after the first attempt a request whose answer was lost may be sent again; Flink starts nothing twice for an id that it still knows. */
const resendForMs = 60_000;

/** Takes savepoints and stops jobs with them. Always detached, always written down first, never timed out (C-8, C-10; safety rules 6 and 7). */
export class SavepointService {
  readonly #world: SavepointWorld;

  constructor(world: SavepointWorld) {
    this.#world = world;
  }

  get onDidSettle(): SavepointFollower["onDidSettle"] {
    return this.#world.follower.onDidSettle;
  }

  /** Whether the job can be saved, or stopped, now. Throws the connection's errors and `job-not-found`. */
  async readiness(job: JobRef, verb: "trigger" | "stop", signal: AbortSignal): Promise<Readiness> {
    const { facts, jobName } = await this.#facts(job, signal);
    return { refusals: savepointRefusals(facts), warnings: savepointWarnings(facts, verb), info: facts.info, jobName };
  }

  /** Takes a savepoint. Aborting `run` ends the waiting; Flink goes on and the outcome is still recorded. */
  async trigger(job: JobRef, request: SavepointRequest, run: Run): Promise<SavepointRecord> {
    const record = await this.#take({ id: this.#world.newId(), job, request, stop: null }, run);
    if (record.state === "completed") return record;
    throw outcomeError(record);
  }

  /** As `trigger`, for a tick of a schedule: when its record exists already, whoever wrote it, nothing is sent and that one is followed. */
  async triggerForTick(job: JobRef, request: SavepointRequest, tick: TickAttempt, run: Run): Promise<SavepointRecord> {
    const record = await this.#take({ id: tick.recordId, job, request, stop: null, tick }, run);
    if (record.state === "completed") return record;
    throw outcomeError(record);
  }

  /**
   * Stops the job with a savepoint (`POST /stop`). Throws `stopped-uncleanly` when the savepoint is complete but the job FAILED.
   * `recordId`, 32 hex digits, is given by a plan that was written down with it; `mayGoOn` is asked last before sending, and throws when not.
   */
  async stop(job: JobRef, request: SavepointRequest & { readonly drain: boolean }, run: Run, recordId = this.#world.newId(), mayGoOn?: () => Promise<void>): Promise<SavepointRecord> {
    const record = await this.#take({ id: recordId, job, request, stop: { drain: request.drain }, mayGoOn }, run);
    if (record.state !== "completed") throw outcomeError(record);
    const unclean = uncleanStop(record);
    if (unclean !== undefined) throw unclean;
    return record;
  }

  /** Median duration of the job's earlier savepoints in milliseconds (over restarts, by name), or null. */
  async expectedMs(job: JobRef): Promise<number | null> {
    const records = await this.#world.ledger.all();
    const name = this.#nameOf(job);
    const times = records.flatMap((record) => (record.kind === "savepoint" && record.cluster.url === job.cluster && (record.job.id === job.jobId || record.job.name === name) && record.durationMs !== null ? [record.durationMs] : []));
    return times.length === 0 ? null : (times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? null);
  }

  /**
   * Keeps a savepoint from being disposed of, or no longer. Resolves to why no mark beside its files tells other programs of that (`elsewhere`, or the
   * system's code), or to null. Throws `refused` when it is too late for that.
   */
  async pin(recordId: string, pinned: boolean): Promise<string | null> {
    const { ledger, pins, log } = this.#world;
    const found = await ledger.get(recordId);
    const path = found?.kind === "savepoint" ? found.path : null;
    const put = !pinned || path === null ? null : await pins.put(path);
    const unmark = (): Promise<void> => (path === null ? Promise.resolve() : pins.remove(path)).catch((error: unknown) => log.warn(`the mark of ${recordId} stays beside it`, error));
    try {
      await ledger.update<SavepointRecord>(recordId, pinned ? "pinned" : "unpinned", (record) => {
        const { state } = record.disposal ?? {};
        if (pinned && (state === "requested" || state === "disposed")) refuseIf("pinned", `The savepoint of ${record.job.name}`, [{ rule: state === "requested" ? "disposal-running" : "already-disposed" }]);
        return { ...record, pinned, pinMarked: put?.marked === true };
      });
    } catch (error) {
      if (pinned && found?.kind === "savepoint" && !found.pinned) await unmark();
      throw error;
    }
    if (!pinned) await unmark();
    return put === null || put.marked ? null : put.reason;
  }

  async describe(recordId: string, description: string): Promise<void> {
    await this.#world.ledger.update<SavepointRecord>(recordId, "description changed", (record) => ({ ...record, description: description.trim() }));
  }

  /** Hides the savepoint and keeps its files. One that is still being taken or disposed of stays, and so does one that cleanup moved aside, whose files would go. Throws `refused`. */
  async forget(recordId: string): Promise<void> {
    await this.#world.ledger.update<SavepointRecord>(recordId, "forgotten; the files are kept", (record) => {
      if (isOpen(record)) {
        throw new FlinkError("refused", { verb: "forgotten", subject: `The savepoint of ${record.job.name}`, refusals: [record.disposal?.state === "requested" ? { rule: "disposal-running" } : { rule: "not-completed", state: "still being taken" }] });
      }
      if (isBeingCleanedUp(record)) refuseIf("forgotten", `The savepoint of ${record.job.name}`, [{ rule: "moved-aside" }]);
      return { ...record, forgotten: true };
    });
  }

  /** Complete folders that may be the result of an operation whose outcome is unknown. */
  async candidates(recordId: string): Promise<readonly FoundFolder[]> {
    const record = await this.#world.jobs.record(recordId);
    if (record === undefined) return [];
    return ((await this.#world.follower.candidates(record)) ?? []).filter((folder) => folder.hasMetadata);
  }

  /** Takes a person's word that `location` is the result of an operation whose outcome is unknown. Throws `location-invalid`, `refused`. */
  async adopt(recordId: string, location: string): Promise<void> {
    requireLocation(location);
    const { ledger, clock } = this.#world;
    const path = placeKey(location);
    const folder = (await this.candidates(recordId)).find((candidate) => placeKey(candidate.location) === path);
    const found = (await ledger.all()).filter((other): other is SavepointRecord => other.kind === "savepoint" && other.id !== recordId && other.origin === "found" && other.path !== null && placeKey(other.path) === path);
    const twin = found[0];
    await ledger.update<SavepointRecord>(recordId, `adopted ${path}`, (record) => {
      if (record.state !== "unknown") throw new FlinkError("refused", { verb: "adopted", subject: path, refusals: [{ rule: "outcome-known", state: record.state }] });
      return {
        ...record, state: "completed", path, sizeBytes: folder?.sizeBytes ?? twin?.sizeBytes ?? null, endedAtMs: folder?.modifiedAtMs ?? twin?.endedAtMs ?? clock.now(), candidates: [],
        checkpointId: twin?.checkpointId ?? null, durationMs: twin?.durationMs ?? null, pinned: record.pinned || found.some(({ pinned }) => pinned), description: record.description === "" ? (twin?.description ?? "") : record.description,
      };
    });
    // The row that the history made of it is this one now, and what a person said of it went over.
    for (const { id } of found) await ledger.update<SavepointRecord>(id, `known as ${recordId}`, (record) => ({ ...record, forgotten: true, pinned: false }));
  }

  async #take({ id, job, request, stop, tick, mayGoOn = tick?.mayGoOn }: Taking, run: Run): Promise<SavepointRecord> {
    const { ledger, follower, clock, self } = this.#world;
    if (request.directory !== null) requireLocation(request.directory);
    const { facts, jobName } = await this.#facts(job, run.signal);
    const subject = jobName;
    refuseIf(stop === null ? "saved" : "stopped", subject, savepointRefusals(facts));
    if (request.directory === null && facts.info.savepointDirectory === null) refuseIf(stop === null ? "saved" : "stopped", subject, [{ rule: "no-directory" }]);
    await this.#untilTasksRun(job, subject, stop === null ? "saved" : "stopped", run);

    const view = this.#world.clusters.get(job.cluster);
    const workspace = await this.#world.workspaceCommit().catch((error: unknown) => {
      this.#world.log.warn("the workspace's commit", error);
      return null;
    });
    run.signal.throwIfAborted();
    const atMs = clock.now();
    const release = follower.hold(id);
    let handedOver = false;
    try {
      const created = await ledger.create({
        kind: "savepoint", version: recordVersion, id, cluster: { name: view?.profile.name ?? job.cluster, url: job.cluster }, job: { id: job.jobId, name: jobName },
        origin: stop !== null ? "stop" : tick === undefined ? "manual" : "scheduled", ...(tick === undefined ? {} : { schedule: { name: tick.name, tickAtMs: tick.tickAtMs, attempt: tick.attempt } }), format: request.format, description: request.description.trim(), directory: request.directory?.trim() ?? null,
        flinkVersion: facts.info.version.text, state: "requested", requestedAtMs: atMs, sentAtMs: atMs, endedAtMs: null, checkpointId: null, path: null, sizeBytes: null,
        durationMs: null, failure: null, stop: stop && { drain: stop.drain, job: "pending" }, jobRestarted: false, pinned: false, forgotten: false, disposal: null,
        candidates: [], workspace, owner: self, trail: [{ atMs, event: "requested" }],
      });
      if (created) await this.#beforeSending({ id, atMs, job, jobName, isStop: stop !== null, mayGoOn }, run.signal);
      run.report({ message: "Asking Flink" });
      // Not awaited step by step: when the caller stops waiting, sending and following go on.
      const outcome = (created ? this.#send(id, job, request, stop, facts.info) : Promise.resolve(undefined)).then((unanswered) => this.#outcome(id, run, unanswered)).finally(release);
      outcome.catch(() => undefined);
      handedOver = true;
      return await unlessAborted(outcome, run.signal);
    } finally {
      if (!handedOver) release();
    }
  }

  /** Follows to the end. A request that never arrived failed for the reason that Flink gave last. */
  async #outcome(id: string, run: Run, unanswered: FlinkError | undefined): Promise<SavepointRecord> {
    const record = await this.#world.follower.follow(id, (step) => run.report(step));
    if (record.state !== "failed" || record.failure?.message !== notReceived || !isFlinkError(unanswered, "flink-failed")) return record;
    return this.#world.ledger.update<SavepointRecord>(id, "the last answer of Flink", (failed) => ({ ...failed, failure: failureOf(unanswered) }));
  }

  /** Between the record and the request: a rival may have been faster, the job may have ended, the person may have given up. Then nothing is sent, and no row stays. */
  async #beforeSending(asked: Asked, signal: AbortSignal): Promise<void> {
    try {
      await this.#yieldToRival(asked);
      const state = await this.#world.clusters.client(asked.job.cluster).jobState(asked.job.jobId, signal);
      if (state !== "RUNNING") refuseIf(asked.isStop ? "stopped" : "saved", asked.jobName, [{ rule: "job-not-running", state: state ?? "gone" }]);
      await asked.mayGoOn?.();
      signal.throwIfAborted();
    } catch (error) {
      const why = isFlinkError(error) ? explain(error).message : "It was given up before it was sent.";
      await this.#world.ledger.update<SavepointRecord>(asked.id, "not sent", (record) => ({
        ...record, state: "failed", endedAtMs: this.#world.clock.now(), forgotten: true, failure: { message: why, exception: "" }, stop: record.stop && { ...record.stop, job: "unknown" },
      }));
      throw error;
    }
  }

  /**
   * Two windows may stop a job in the same moment: each has written its record before it looks for the other's. The later one steps back. The
   * earlier one may have been written too late for the other to see it, so it waits until that one has stepped back, and does so itself when
   * the other goes on.
   */
  async #yieldToRival({ id, atMs, job, jobName, isStop }: Asked): Promise<void> {
    const { ledger, clock, follower } = this.#world;
    const untilMs = clock.now() + 5_000;
    for (;;) {
      const records = await ledger.all();
      const rivals = operationsIn(records).filter((operation) => operation.what === "stop" && isSameJob(operation, job) && operation.recordId !== id);
      const [rival] = rivals;
      if (rival === undefined) return;
      const isAhead = (operation: Operation): boolean => operation.sinceMs < atMs || (operation.sinceMs === atMs && operation.recordId < id);
      const goesOn = (operation: Operation): boolean => records.some((record) => record.kind === "savepoint" && record.id === operation.recordId && record.state !== "requested");
      const winner = rivals.find((operation) => !isStop || isAhead(operation) || goesOn(operation)) ?? (clock.now() >= untilMs ? rival : undefined);
      if (winner !== undefined) refuseIf(isStop ? "stopped" : "saved", jobName, [{ rule: "operation-running", what: "stop", forMs: clock.now() - winner.sinceMs }]);
      await clock.sleep(100, follower.life);
    }
  }

  /**
   * Sends the request. What Flink certainly refused ends the record here. When the answer was lost, Flink is asked for the trigger id, and only
   * while the same JobManager still remembers every id it ever got (its expiry, a minute at most) is the same request sent again. Resolves to
   * the last error when it stays unknown whether Flink has it.
   */
  async #send(id: string, job: JobRef, request: SavepointRequest, stop: { readonly drain: boolean } | null, info: ClusterInfo): Promise<FlinkError | undefined> {
    const { clusters, ledger, clock, log, follower } = this.#world;
    const client = clusters.client(job.cluster);
    const body = { triggerId: id, format: request.format, ...(request.directory === null ? {} : { directory: request.directory.trim() }) };
    const firstMs = clock.now();
    const lastMs = firstMs + Math.min(resendForMs, info.triggerResultsKeptMs === 0 ? resendForMs : info.triggerResultsKeptMs * 0.8);
    const again = new Backoff(300, 5_000);
    for (;;) {
      try {
        if (stop === null) await client.triggerSavepoint(job.jobId, body, follower.life);
        else await client.stopWithSavepoint(job.jobId, { ...body, drain: stop.drain }, follower.life);
        await unlessUnwritable(ledger.update<SavepointRecord>(id, "Flink accepted it", (record) => (record.state === "requested" ? { ...record, state: "running" } : record)), log);
        return undefined;
      } catch (error) {
        if (isAbort(error)) throw error;
        if (!mayHaveArrived(error)) {
          await ledger.update<SavepointRecord>(id, "it did not reach Flink, or Flink refused it", (record) => (record.state === "requested" ? { ...record, state: "failed", endedAtMs: clock.now(), failure: failureOf(error), stop: record.stop && { ...record.stop, job: "running-on" } } : record));
          await follower.follow(id); // tells the end
          throw error;
        }
        log.warn(`the answer to ${stop === null ? "savepoint" : "stop"} ${id} was lost; asking Flink for it`, error);
        const unanswered = isFlinkError(error) ? error : undefined;
        if (await this.#isKnown(job, id)) return undefined;
        // Flink did something under another id: history and storage tell what.
        if (isFlinkError(error, "answer-lost") && error.facts.acted === true) return unanswered;
        await clock.sleep(again.next(), follower.life);
        // Past that, the follower settles it from history and storage, and sends nothing.
        if (clock.now() > lastMs || !(await this.#isSameJobManager(job, firstMs))) return unanswered;
        const sentAtMs = clock.now();
        const record = await ledger.update<SavepointRecord>(id, "answer lost, and Flink does not know the request: sending it again", (open) => (open.state === "requested" ? { ...open, sentAtMs } : open));
        if (record.sentAtMs !== sentAtMs || record.owner.instance !== this.#world.self.instance) return unanswered;
      }
    }
  }

  /** Waits for the cluster to answer whether it knows the trigger id. */
  async #isKnown(job: JobRef, id: string): Promise<boolean> {
    const { clusters, clock, follower } = this.#world;
    const pause = new Backoff(300, 15_000);
    for (let forgotten = 0; ;) {
      try {
        if ((await clusters.client(job.cluster).savepointStatus(job.jobId, id, follower.life)).state !== "forgotten") return true;
        if (++forgotten > 2) return false;
      } catch (error) {
        if (isAbort(error)) throw error;
      }
      await clock.sleep(pause.next(), follower.life);
    }
  }

  /** Whether the job has had one JobManager since then: a new one has forgotten the trigger ids of the old one, and what those did. */
  async #isSameJobManager(job: JobRef, sinceMs: number): Promise<boolean> {
    const { clusters, clock, follower } = this.#world;
    try {
      const details = await clusters.client(job.cluster).job(job.jobId, follower.life);
      return details.startTimeMs < sinceMs + (details.nowMs - clock.now());
    } catch (error) {
      if (isAbort(error)) throw error;
      return false;
    }
  }

  /** Right after RUNNING tasks may still be deploying, and Flink would refuse: waits for them, as long as the job is RUNNING. */
  async #untilTasksRun(job: JobRef, jobName: string, verb: string, run: Run): Promise<void> {
    const { clusters, clock } = this.#world;
    for (let round = 0; ; round++) {
      const details = await clusters.client(job.cluster).job(job.jobId, run.signal);
      if (allTasksRun(details)) return;
      if (details.state !== "RUNNING") refuseIf(verb, jobName, [{ rule: "job-not-running", state: details.state }]);
      const ready = details.vertices.filter((vertex) => vertex.ready).length;
      if (round > 60) refuseIf(verb, jobName, [{ rule: "tasks-not-running", running: ready, total: details.vertices.length }]);
      run.report({ message: `Waiting until all tasks run (${ready} of ${details.vertices.length})` });
      await clock.sleep(500, run.signal);
    }
  }

  async #facts(job: JobRef, signal: AbortSignal): Promise<{ facts: JobFacts; jobName: string }> {
    const { clusters, ledger } = this.#world;
    const info = await clusters.info(job.cluster, signal);
    const client = clusters.client(job.cluster);
    const [details, state, overview, config, records] = await Promise.all([
      client.job(job.jobId, signal), client.jobState(job.jobId, signal), client.checkpoints(job.jobId, signal), client.checkpointConfig(job.jobId, signal), ledger.all(),
    ]);
    return { jobName: details.name, facts: { cluster: job.cluster, jobId: job.jobId, state: state ?? details.state, overview, config, records, info, expectedMs: await this.expectedMs(job), nowMs: this.#world.clock.now() } };
  }

  #nameOf(job: JobRef): string | undefined {
    return this.#world.clusters.get(job.cluster)?.jobs.find((summary) => summary.jobId === job.jobId)?.name;
  }
}

/** The error that tells how a savepoint, or a stop, ended that is not complete. */
export function outcomeError(record: SavepointRecord): FlinkError {
  if (record.state === "unknown") return new FlinkError("outcome-unknown", { what: record.stop === null ? "savepoint" : "stop", jobName: record.job.name, lookIn: record.directory ?? (record.candidates[0] === undefined ? null : parentLocation(record.candidates[0])) });
  const failure = record.failure ?? { message: "Flink gives no reason", exception: "" };
  if (record.stop === null) return new FlinkError("savepoint-failed", { jobName: record.job.name, ...failure, jobRestarted: record.jobRestarted });
  return new FlinkError("stop-failed", { jobName: record.job.name, ...failure, jobState: endOf(record, record.stop.job) });
}

/** What became of the job of a stop that failed, as `stop-failed` takes it. */
function endOf(record: SavepointRecord, job: NonNullable<SavepointRecord["stop"]>["job"]): string {
  switch (job) {
    case "failed": return "FAILED";
    case "stopped": return "ended";
    case "unknown": return "unknown";
    default: return record.jobRestarted ? "restarting" : "running on";
  }
}

/** The error of a stop whose savepoint is complete although the job did not end as it should; undefined for every other record. */
export function uncleanStop(record: SavepointRecord): FlinkError | undefined {
  if (record.state !== "completed") return undefined;
  if (record.stop?.job === "failed") return new FlinkError("stopped-uncleanly", { jobName: record.job.name, path: record.path ?? "", jobState: "FAILED" });
  if (record.stop?.job === "running-on") return new FlinkError("stop-failed", { jobName: record.job.name, message: `its savepoint was written to ${record.path ?? ""}, but the job did not stop; do not use it as the job's last`, exception: "", jobState: "RUNNING" });
  return undefined;
}
