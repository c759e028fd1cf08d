import { type ErrorCode, type ErrorFacts, FlinkError } from "../../src/core/errors";
import type { CheckpointOverview, CheckpointStats, RestoredFrom } from "../../src/core/model/checkpoint";
import type { ClusterInfo } from "../../src/core/model/cluster";
import { isTerminal, type JobState } from "../../src/core/model/job";
import { normaliseLocation } from "../../src/core/model/location";
import { atLeast } from "../../src/core/model/version";
import type { ClusterClient, DisposalStatus, FlinkFailure, OperationStatus, RunJarRequest } from "../../src/core/ports";
import type { JumpingClock, SharedStorage } from "./fakes";
import { clusterInfo } from "./samples";

/** A call that a cluster received. */
export interface Call {
  readonly name: keyof ClusterClient;
  /** True for what changes something: these are counted to show that nothing is sent twice. */
  readonly acts: boolean;
  /** Job, jar, path or request that it is about. */
  readonly about: string;
}

/** What becomes of a call: Flink never sees it, or sees it and the answer is lost. Undefined = nothing special. */
export type Fault = (call: Call) => { readonly before?: FlinkError; readonly after?: FlinkError; readonly takesMs?: number } | undefined;

/** How a savepoint operation goes. */
export interface SavepointPlan {
  readonly takesMs?: number;
  readonly fails?: FlinkFailure;
  /** What the failure does to the job. */
  readonly jobThen?: "restarts" | "fails" | "untouched";
  /** For a stop: the savepoint is written, then the job FAILED while committing. */
  readonly commitFails?: boolean;
  /** For a stop: the savepoint is written, but the job goes on. */
  readonly jobStays?: boolean;
  /** Flink refuses it before it gets a number: no entry in the history. */
  readonly withoutEntry?: boolean;
}

/** How a disposal goes. */
export interface DisposalPlan {
  readonly takesMs?: number;
  readonly fails?: FlinkFailure;
  readonly files?: "gone" | "partly" | "there";
}

/** How a program runs. */
export interface ProgramPlan {
  /** How long its main takes to hand the job over, milliseconds. */
  readonly mainTakesMs?: number;
  readonly refuses?: FlinkError;
  /** Tasks run after this, milliseconds. */
  readonly startsInMs?: number;
  /** The tasks fail this often, each time after `startsInMs`, before they run. */
  readonly failsTimes?: number;
  readonly failure?: FlinkFailure;
  /** The job ends by itself as soon as it ran; FAILED: before it ran. */
  readonly ends?: JobState;
  /** Flink starts it without the state that was asked for. */
  readonly losesState?: boolean;
  readonly checkpointEveryMs?: number;
}

export interface SimulatedJob {
  readonly jobId: string;
  name: string;
  state: JobState;
  startTimeMs: number;
  endTimeMs: number | null;
  ready: boolean;
  readonly history: CheckpointStats[];
  restored: RestoredFrom | null;
  readonly failures: (FlinkFailure & { readonly atMs: number })[];
  checkpointing: boolean;
  nextCheckpoint: number;
  /** Things that happen by themselves. */
  readonly events: { readonly atMs: number; readonly happen: () => unknown }[];
  shown: { readonly atMs: number; readonly overview: CheckpointOverview } | undefined;
  /** Names of its operators. */
  readonly vertices: readonly string[];
}

interface Operation {
  readonly stop: boolean;
  status: OperationStatus;
  endedAtMs: number | null;
}

/**
 * A JobManager as real ones were seen to be: trigger ids are known until some time after the end, statistics are three seconds
 * old and by its own clock, a second stop breaks the first, and a restart forgets everything.
 */
export class SimulatedFlink {
  readonly url: string;
  readonly name: string;
  readonly clock: JumpingClock;
  readonly storage: SharedStorage;
  readonly jobs = new Map<string, SimulatedJob>();
  readonly calls: Call[] = [];
  info: ClusterInfo;
  /** The JobManager's clock minus ours, milliseconds. */
  skewMs = 0;
  /** Nothing answers. */
  down = false;
  /** Age that statistics reach before they are made anew, milliseconds. */
  staleMs = 3_000;
  fault: Fault = () => undefined;
  savepoint: SavepointPlan = {};
  disposal: DisposalPlan = {};
  program: ProgramPlan = {};
  readonly #operations = new Map<string, Operation>();
  readonly #disposals = new Map<string, { status: DisposalStatus; endedAtMs: number | null }>();
  readonly #jars = new Set(["1_words.jar"]);
  #folders = 0;
  #disposed = 0;

  constructor(clock: JumpingClock, storage: SharedStorage, url = "http://localhost:8081", name = "local") {
    this.clock = clock;
    this.storage = storage;
    this.url = url;
    this.name = name;
    this.info = clusterInfo();
    storage.beforeLook.push(() => this.#settle());
  }

  /** The JobManager's clock. */
  now(): number {
    return this.clock.now() + this.skewMs;
  }

  /** A job that runs for a while already, with a completed checkpoint. */
  addJob(jobId: string, changes: Partial<SimulatedJob> = {}): SimulatedJob {
    const job: SimulatedJob = {
      jobId, name: "Word count", state: "RUNNING", startTimeMs: this.now() - 3_600_000, endTimeMs: null, ready: true, history: [], restored: null, failures: [], checkpointing: true, nextCheckpoint: 2, events: [], shown: undefined, vertices: ["v"], ...changes,
    };
    if (job.checkpointing) job.history.unshift(this.#entry(1, { kind: "checkpoint", format: null, status: "completed", path: `file:/cp/${jobId}/chk-1`, triggeredAtMs: job.startTimeMs + 60_000, durationMs: 50 }));
    this.jobs.set(jobId, job);
    return job;
  }

  /** Calls that changed something, with what they were about. */
  sent(name?: keyof ClusterClient): string[] {
    return this.calls.filter((call) => call.acts && (name === undefined || call.name === name)).map((call) => (name === undefined ? `${call.name} ${call.about}` : call.about));
  }

  /** The JobManager dies and comes back: jobs (without high availability), trigger ids and statistics are gone. */
  restart(options: { readonly keepsJobs?: boolean } = {}): void {
    this.#settle();
    this.#operations.clear();
    this.#disposals.clear();
    if (options.keepsJobs !== true) this.jobs.clear();
    for (const job of this.jobs.values()) {
      Object.assign(job, { startTimeMs: this.now(), shown: undefined });
      job.history.splice(0);
      job.events.splice(0);
    }
  }

  /** Somebody else takes a savepoint of the job. */
  async strangerTriggers(jobId: string, triggerId: string, directory = "file:/sp"): Promise<void> {
    this.#begin(jobId, triggerId, false, directory, "canonical");
    await Promise.resolve();
  }

  client(): ClusterClient {
    const call = <T>(name: keyof ClusterClient, about: string, acts: boolean, answer: () => T) => async (signal: AbortSignal): Promise<T> => {
      signal.throwIfAborted();
      await Promise.resolve();
      const made: Call = { name, about, acts };
      this.calls.push(made);
      if (this.down) throw this.error("cluster-unreachable", { url: this.url, reason: "ECONNREFUSED" });
      const fault = this.fault(made);
      if (fault?.takesMs !== undefined) await this.clock.sleep(fault.takesMs, signal);
      if (fault?.before) throw fault.before;
      this.#settle();
      const result = answer();
      await Promise.resolve();
      if (fault?.after) throw fault.after;
      return result;
    };
    return {
      connect: call("connect", "", false, () => this.info),
      jobs: call("jobs", "", false, () => [...this.jobs.values()].map((job) => ({ jobId: job.jobId, name: job.name, state: job.state, startTimeMs: job.startTimeMs, endTimeMs: job.endTimeMs, tasks: { total: 4, running: job.ready ? 4 : 0 } }))),
      job: (jobId, signal) => call("job", jobId, false, () => {
        const job = this.#known(jobId);
        return { jobId, name: job.name, state: job.state, startTimeMs: job.startTimeMs, nowMs: this.now(), maxParallelism: -1, // Before the graph is made there is none to show.
          vertices: job.state === "INITIALIZING" ? [] : job.vertices.map((name) => ({ id: "v", name, parallelism: 4, ready: job.ready })) };
      })(signal),
      jobState: (jobId, signal) => call("jobState", jobId, false, () => this.jobs.get(jobId)?.state)(signal),
      checkpoints: (jobId, signal) => call("checkpoints", jobId, false, () => this.#overview(this.#known(jobId)))(signal),
      checkpointConfig: (jobId, signal) => call("checkpointConfig", jobId, false, () => ({ intervalMs: this.#known(jobId).checkpointing ? 60_000 : null, timeoutMs: 600_000 }))(signal),
      checkpointTasks: (jobId, checkpointId, signal) => call("checkpointTasks", jobId, false, () => this.#known(jobId).history.some((entry) => entry.checkpointId === checkpointId) ? [{ vertexId: "v", name: "v", sizeBytes: 4_096, durationMs: 50, subtasks: { acknowledged: 4, total: 4 } }] : undefined)(signal),
      stateParameters: (jobId, signal) => call("stateParameters", jobId, false, () => [])(signal),
      latestFailure: (jobId, signal) => call("latestFailure", jobId, false, () => this.jobs.get(jobId)?.failures[0])(signal),
      triggerSavepoint: (jobId, request, signal) => call("triggerSavepoint", request.triggerId, true, () => this.#begin(jobId, request.triggerId, false, request.directory, request.format))(signal),
      triggerCheckpoint: (jobId, signal) => call("triggerCheckpoint", jobId, true, () => undefined)(signal),
      stopWithSavepoint: (jobId, request, signal) => call("stopWithSavepoint", request.triggerId, true, () => this.#begin(jobId, request.triggerId, true, request.directory, request.format))(signal),
      savepointStatus: (_jobId, triggerId, signal) => call("savepointStatus", triggerId, false, (): OperationStatus => this.#operations.get(triggerId)?.status ?? { state: "forgotten" })(signal),
      cancelJob: (jobId, signal) => call("cancelJob", jobId, true, () => {
        const job = this.#known(jobId);
        if (isTerminal(job.state)) return;
        job.state = "CANCELLING";
        this.#later(job, 400, () => this.#end(job, "CANCELED"));
      })(signal),
      dispose: (path, signal) => call("dispose", path, true, () => this.#dispose(path))(signal),
      disposalStatus: (requestId, signal) => call("disposalStatus", requestId, false, (): DisposalStatus => this.#disposals.get(requestId)?.status ?? { state: "forgotten" })(signal),
      jars: call("jars", "", false, () => [...this.#jars].map((jarId) => ({ jarId, name: jarId, uploadedAtMs: 0, entryClasses: [] }))),
      uploadJar: (file, run) => call("uploadJar", file, true, () => {
        this.#jars.add("2_uploaded.jar");
        return "2_uploaded.jar";
      })(run.signal),
      deleteJar: (jarId, signal) => call("deleteJar", jarId, true, () => void this.#jars.delete(jarId))(signal),
      runJar: (_jarId, request, _capabilities, signal) => this.#runJar(call, request, signal),
    };
  }

  error<C extends ErrorCode>(code: C, facts: ErrorFacts[C]): FlinkError<C> {
    return new FlinkError(code, facts);
  }

  #known(jobId: string): SimulatedJob {
    const job = this.jobs.get(jobId);
    if (job === undefined) throw new FlinkError("job-not-found", { jobId });
    return job;
  }

  /** Lets happen what was due by now, and forgets results that were kept long enough. */
  #settle(): void {
    for (let busy = true; busy;) {
      busy = false;
      for (const job of this.jobs.values()) {
        const at = job.events.findIndex(({ atMs }) => atMs <= this.now());
        if (at < 0) continue;
        busy = true;
        job.events.splice(at, 1)[0]?.happen();
      }
    }
    for (const kept of [this.#operations, this.#disposals]) {
      for (const [id, { endedAtMs }] of kept) if (endedAtMs !== null && this.info.triggerResultsKeptMs > 0 && this.now() - endedAtMs > this.info.triggerResultsKeptMs) kept.delete(id);
    }
  }

  #later(job: SimulatedJob, inMs: number, happen: () => unknown, atMs = this.now() + inMs): void {
    job.events.push({ atMs, happen });
    job.events.sort((a, b) => a.atMs - b.atMs);
  }

  #begin(jobId: string, triggerId: string, stop: boolean, directory: string | undefined, format: "canonical" | "native"): void {
    if (this.#operations.has(triggerId)) return;
    const job = this.jobs.get(jobId);
    const operation: Operation = { stop, status: { state: "in-progress" }, endedAtMs: null };
    this.#operations.set(triggerId, operation);
    const fail = (failure: FlinkFailure): void => void Object.assign(operation, { status: { state: "failed", failure }, endedAtMs: this.now() });
    if (job === undefined || isTerminal(job.state)) return fail(failureOf(`Could not find Flink job (${jobId})`, "org.apache.flink.runtime.messages.FlinkJobNotFoundException"));
    if (job.state !== "RUNNING" || !job.ready) return fail(failureOf("Not all required tasks are currently running.", "org.apache.flink.runtime.checkpoint.CheckpointException"));

    const plan = this.savepoint;
    const rival = [...this.#operations.values()].find((other) => other !== operation && other.stop && other.status.state === "in-progress");
    const failJob = (failure: FlinkFailure, then: "restarts" | "fails" | "untouched"): void => {
      if (then === "untouched") return;
      job.failures.unshift({ ...failure, atMs: this.now() });
      if (then === "fails") return this.#end(job, "FAILED");
      job.state = "RESTARTING";
      this.#later(job, 1_000, () => {
        job.state = "RUNNING";
      });
    };
    if (stop && rival) {
      // Both fail, and the job restarts.
      const suspended = failureOf("Checkpoint Coordinator is suspending.");
      Object.assign(rival, { status: { state: "failed", failure: suspended }, endedAtMs: this.now() });
      fail(failureOf("FailoverRegion is restarting."));
      return failJob(failureOf("Stop-with-savepoint failed."), "restarts");
    }
    const id = job.nextCheckpoint++;
    const entry = this.#entry(id, { kind: stop ? "stop-savepoint" : "savepoint", format: atLeast(this.info.version, 1, 17) ? format : null, status: "in-progress", triggeredAtMs: this.now() });
    if (plan.withoutEntry !== true) job.history.unshift(entry);
    const change = (changes: Partial<CheckpointStats>): void => {
      const at = job.history.findIndex(({ checkpointId }) => checkpointId === id);
      if (at >= 0) job.history[at] = { ...entry, ...changes };
    };
    const takesMs = plan.takesMs ?? 1_000;
    // The folder is there from the start; a JobManager that dies leaves it without _metadata.
    const path = `${normaliseLocation(directory ?? this.info.savepointDirectory ?? "")}/savepoint-${jobId.slice(0, 6)}-${(++this.#folders).toString(16).padStart(12, "0")}`;
    this.storage.put(path, this.now(), false);
    this.#later(job, takesMs, () => {
      if (operation.status.state !== "in-progress") return this.storage.folders.delete(path);
      if (plan.fails) {
        this.storage.folders.delete(path);
        change({ status: "failed", failure: plan.fails.message });
        fail(plan.fails);
        return failJob(plan.fails, plan.jobThen ?? "untouched");
      }
      this.storage.put(path, this.now());
      change({ status: "completed", path, durationMs: takesMs, sizeBytes: 4_096, subtasks: { acknowledged: 4, total: 4 } });
      if (stop && plan.commitFails) {
        fail({
          message: `A savepoint has been created at: ${path}, but the corresponding job ${jobId} failed during stopping. The savepoint is consistent, but might have uncommitted transactions.`,
          exception: "org.apache.flink.runtime.scheduler.stopwithsavepoint.StopWithSavepointStoppingException",
          trace: `StopWithSavepointStoppingException: A savepoint has been created at: ${path}, but the corresponding job ${jobId} failed during stopping.`,
        });
        return failJob(failureOf("commit failed"), "fails");
      }
      Object.assign(operation, { status: { state: "completed", path }, endedAtMs: this.now() });
      if (stop && plan.jobStays !== true) this.#end(job, "FINISHED");
    });
  }

  #end(job: SimulatedJob, state: JobState): void {
    Object.assign(job, { state, endTimeMs: this.now(), ready: false });
    job.events.splice(0);
  }

  #dispose(path: string): string {
    const requestId = `disposal-${++this.#disposed}`;
    const plan = this.disposal;
    const place = normaliseLocation(path);
    const kept: { status: DisposalStatus; endedAtMs: number | null } = { status: { state: "in-progress" }, endedAtMs: null };
    this.#disposals.set(requestId, kept);
    const finish = (): void => {
      const there = this.storage.folders.get(place);
      const files = plan.files ?? (plan.fails ? "there" : "gone");
      const failure = plan.fails ?? (there === undefined ? failureOf(`Cannot find checkpoint or savepoint file/directory '${path}' on file system 'file'.`, "java.io.FileNotFoundException") : undefined);
      if (files === "gone") this.storage.folders.delete(place);
      else if (files === "partly" && there) there.hasMetadata = false;
      Object.assign(kept, { status: failure ? { state: "failed", failure } : { state: "completed" }, endedAtMs: this.now() });
    };
    const someJob = [...this.jobs.values()][0];
    if (someJob && (plan.takesMs ?? 500) > 0) this.#later(someJob, plan.takesMs ?? 500, finish);
    else finish();
    return requestId;
  }

  async #runJar(call: <T>(name: keyof ClusterClient, about: string, acts: boolean, answer: () => T) => (signal: AbortSignal) => Promise<T>, request: RunJarRequest, signal: AbortSignal): Promise<void> {
    const plan = this.program;
    const runs = call("runJar", request.jobId, true, () => undefined);
    const submit = (): void => {
      if (plan.refuses) throw plan.refuses;
      if (this.jobs.has(request.jobId)) throw new FlinkError("flink-failed", { url: this.url, status: 400, message: "Job has already been submitted.", exception: "org.apache.flink.runtime.client.DuplicateJobSubmissionException", trace: "" });
      const number = /(\d+)$/.exec(request.savepointPath ?? "")?.[1];
      const restored = request.savepointPath === undefined || plan.losesState ? null : { checkpointId: Number(number ?? 4), restoredAtMs: this.now(), isSavepoint: request.claimMode !== "CLAIM", path: normaliseLocation(request.savepointPath) };
      const job = this.addJob(request.jobId, { state: "INITIALIZING", ready: false, startTimeMs: this.now(), checkpointing: false, restored, nextCheckpoint: (restored?.checkpointId ?? 0) + 1 });
      let fails = plan.failsTimes ?? 0;
      const begin = (): void => {
        if (fails-- > 0) {
          job.failures.unshift({ ...(plan.failure ?? failureOf("task failed")), atMs: this.now() });
          job.state = "RESTARTING";
          return this.#later(job, 1_000, () => {
            job.state = "RUNNING";
            this.#later(job, plan.startsInMs ?? 500, begin);
          });
        }
        if (plan.ends === "FAILED") {
          job.failures.unshift({ ...(plan.failure ?? failureOf("it failed")), atMs: this.now() });
          return this.#end(job, "FAILED");
        }
        Object.assign(job, { state: "RUNNING", ready: true });
        const { ends } = plan;
        if (ends !== undefined) return this.#later(job, 100, () => this.#end(job, ends));
        if (plan.checkpointEveryMs !== undefined) this.checkpointsEvery(job, plan.checkpointEveryMs);
      };
      this.#later(job, plan.startsInMs ?? 500, begin);
    };
    // The request is received whether or not its answer is, and main goes on whatever becomes of the connection.
    const made: Call = { name: "runJar", about: request.jobId, acts: true };
    const lost = this.fault(made)?.before !== undefined || this.down;
    if (lost) return runs(signal);
    if ((plan.mainTakesMs ?? 0) > 0) {
      void this.clock.sleep(plan.mainTakesMs ?? 0).then(() => {
        try {
          submit();
        } catch {
          // Nobody is told: its answer is what the caller waits for below.
        }
      });
      await runs(signal);
      await this.clock.sleep((plan.mainTakesMs ?? 0) + 1, signal);
      if (plan.refuses) throw plan.refuses;
      return;
    }
    let refusal: unknown;
    try {
      this.#settle();
      submit();
    } catch (error) {
      refusal = error;
    }
    await runs(signal);
    if (refusal !== undefined) throw refusal;
  }

  /** The job completes a checkpoint at this interval from now on. */
  checkpointsEvery(job: SimulatedJob, everyMs: number): void {
    this.#later(job, everyMs, () => {
      const id = job.nextCheckpoint++;
      job.history.unshift(this.#entry(id, { kind: "checkpoint", format: null, status: "completed", path: `file:/cp/${job.jobId}/chk-${id}`, triggeredAtMs: this.now(), durationMs: 20 }));
      this.checkpointsEvery(job, everyMs);
    });
  }

  #overview(job: SimulatedJob): CheckpointOverview {
    if (job.shown !== undefined && this.now() - job.shown.atMs < this.staleMs) return job.shown.overview;
    const history = job.history.slice(0, 10);
    const newest = (match: (entry: CheckpointStats) => boolean): CheckpointStats | null => history.find(match) ?? null;
    const count = (status: CheckpointStats["status"]): number => job.history.filter((entry) => entry.status === status).length;
    const overview: CheckpointOverview = {
      counts: { restored: job.restored === null ? 0 : 1, completed: count("completed"), failed: count("failed"), inProgress: count("in-progress") },
      latest: {
        completed: newest((entry) => entry.kind === "checkpoint" && entry.status === "completed"), savepoint: newest((entry) => entry.kind !== "checkpoint" && entry.status === "completed"),
        failed: newest((entry) => entry.status === "failed"), restored: job.restored,
      },
      history,
    };
    job.shown = { atMs: this.now(), overview };
    return overview;
  }

  #entry(checkpointId: number, changes: Partial<CheckpointStats>): CheckpointStats {
    return {
      checkpointId, kind: "savepoint", status: "in-progress", format: "canonical", triggeredAtMs: this.now(), durationMs: null, sizeBytes: 0, subtasks: { acknowledged: 1, total: 4 }, path: null, discarded: false, failure: null, ...changes,
    };
  }
}

/** A failure as the client reads it from Flink. */
export function failureOf(message: string, exception = "org.apache.flink.runtime.checkpoint.CheckpointException"): FlinkFailure {
  return { message, exception, trace: `${exception}: ${message}` };
}
