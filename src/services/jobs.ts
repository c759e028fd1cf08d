import { isAbort } from "../core/base/async";
import { Emitter } from "../core/base/event";
import { FlinkError, isFlinkError, type Refusal } from "../core/errors";
import { cancelRefusals } from "../core/guards";
import { recordVersion, type SavepointRecord } from "../core/ledger/record";
import type { Ledger } from "../core/ledger/store";
import type { CheckpointConfig, CheckpointOverview, CheckpointStats, RestoredFrom } from "../core/model/checkpoint";
import { isTerminal, type JobRef, type JobState } from "../core/model/job";
import { normaliseLocation, parentLocation } from "../core/model/location";
import type { Clock, Log, ProcessIdentity, Run } from "../core/ports";
import { checkpointsIn, jobRows, operationsIn, savepointRows, savepointsIn, type JobRow, type Operation, type SavepointRow } from "../core/rows";
import type { ClusterService } from "./clusters";

/** What a job's checkpoint statistics said when last asked. */
export interface JobObservation {
  readonly overview: CheckpointOverview | undefined;
  readonly config: CheckpointConfig | undefined;
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** Why the last attempt failed; `overview` is then of the one before. */
  readonly error: FlinkError | null;
}

/** Jobs and their savepoints as rows: Flink's answers and the ledger in one. */
export class JobService {
  readonly #clusters: ClusterService;
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #self: ProcessIdentity;
  readonly #observations = new Map<string, JobObservation>();
  readonly #changed = new Emitter<JobRef>();

  /** Fires when a look at a job showed something new. */
  readonly onDidChange = this.#changed.event;

  constructor(clusters: ClusterService, ledger: Ledger, clock: Clock, log: Log, self: ProcessIdentity) {
    this.#clusters = clusters;
    this.#ledger = ledger;
    this.#clock = clock;
    this.#log = log;
    this.#self = self;
  }

  /** The cluster's jobs, those that only the ledger remembers included. */
  async rows(cluster: string): Promise<JobRow[]> {
    return jobRows(cluster, this.#clusters.get(cluster)?.jobs ?? [], await this.#ledger.all());
  }

  /** A job's savepoints, newest first. */
  async savepoints(job: JobRef): Promise<SavepointRow[]> {
    return savepointRows(job.jobId, await this.#ledger.all(), this.observation(job)?.overview);
  }

  /** Checkpoints of the last observation, newest first. */
  checkpoints(job: JobRef): readonly CheckpointStats[] {
    return checkpointsIn(this.observation(job)?.overview);
  }

  restoredFrom(job: JobRef): RestoredFrom | null {
    return this.observation(job)?.overview?.latest.restored ?? null;
  }

  observation(job: JobRef): JobObservation | undefined {
    return this.#observations.get(key(job));
  }

  /** Asks Flink for a job's checkpoint statistics and writes savepoints it finds into the ledger. Never throws: `error` says what happened. */
  async observe(job: JobRef, signal: AbortSignal): Promise<void> {
    const before = this.observation(job);
    let after: JobObservation;
    try {
      const client = this.#clusters.client(job.cluster);
      const [overview, config] = await Promise.all([client.checkpoints(job.jobId, signal), before?.config ?? client.checkpointConfig(job.jobId, signal)]);
      after = { overview, config, atMs: this.#clock.now(), error: null };
      await this.#keepFound(job, overview);
    } catch (error) {
      if (signal.aborted || isAbort(error)) return;
      if (!isFlinkError(error)) this.#log.error(`looking at job ${job.jobId}`, error);
      const known = isFlinkError(error) ? error : new FlinkError("unexpected-reply", { url: job.cluster, detail: String(error) }, { cause: error });
      after = { overview: before?.overview, config: before?.config, atMs: this.#clock.now(), error: known };
    }
    this.#observations.set(key(job), after);
    if (JSON.stringify([before?.overview, before?.error?.code]) !== JSON.stringify([after.overview, after.error?.code])) this.#changed.fire(job);
  }

  /** Everything under way on all clusters, oldest first. */
  async operations(): Promise<Operation[]> {
    return operationsIn(await this.#ledger.all());
  }

  async record(recordId: string): Promise<SavepointRecord | undefined> {
    const record = await this.#ledger.get(recordId);
    return record?.kind === "savepoint" ? record : undefined;
  }

  /** Directories that savepoints of this cluster were written to, newest first, each once. */
  async recentDirectories(cluster: string): Promise<string[]> {
    const records = (await this.#ledger.all()).filter((record): record is SavepointRecord => record.kind === "savepoint" && record.cluster.url === cluster && record.path !== null);
    records.sort((a, b) => b.requestedAtMs - a.requestedAtMs);
    return [...new Set(records.map((record) => record.directory ?? parentLocation(record.path ?? "")))].slice(0, 10);
  }

  /** Why the job can't be cancelled. Throws the connection's errors. */
  async cancelRefusals(job: JobRef, signal: AbortSignal): Promise<Refusal[]> {
    const info = await this.#clusters.info(job.cluster, signal);
    return cancelRefusals(await this.#clusters.client(job.cluster).jobState(job.jobId, signal), info);
  }

  /** Cancels without a savepoint and waits until the job has ended. A lost answer is looked up, never sent again blindly: cancelling twice is harmless. */
  async cancel(job: JobRef, run: Run): Promise<JobState> {
    const client = this.#clusters.client(job.cluster);
    run.report({ message: "Cancelling" });
    try {
      await client.cancelJob(job.jobId, run.signal);
    } catch (error) {
      if (!isFlinkError(error, "answer-lost")) throw error;
      this.#log.warn(`the answer to cancelling ${job.jobId} was lost; looking at the job`);
    }
    for (;;) {
      const state = await client.jobState(job.jobId, run.signal);
      if (state === undefined) throw new FlinkError("job-not-found", { jobId: job.jobId });
      if (isTerminal(state)) {
        void this.#clusters.refresh(job.cluster, run.signal);
        return state;
      }
      await this.#clock.sleep(300, run.signal);
    }
  }

  /**
   * What Flink will forget, we keep. The record's id follows from job and checkpoint, so that windows finding it at once write the same one.
   * While one of our own operations on the job is open its savepoint is not taken for a stranger's.
   */
  async #keepFound(job: JobRef, overview: CheckpointOverview | undefined): Promise<void> {
    const entries = savepointsIn(overview).filter((entry) => entry.status === "completed" && entry.path !== null && !entry.discarded);
    if (entries.length === 0) return;
    const records = (await this.#ledger.all()).filter((record): record is SavepointRecord => record.kind === "savepoint" && record.job.id === job.jobId);
    if (records.some((record) => record.state === "requested" || record.state === "running")) return;
    const known = new Map(records.flatMap((record) => (record.path === null ? [] : [[normaliseLocation(record.path), record]])));
    const view = this.#clusters.get(job.cluster);
    if (view === undefined || view.reach.state !== "online") return;
    const name = view.jobs.find((summary) => summary.jobId === job.jobId)?.name ?? records[0]?.job.name ?? job.jobId;
    for (const entry of entries) {
      if (entry.path === null) continue;
      const kept = known.get(normaliseLocation(entry.path));
      // Whoever followed it was gone before the statistics showed it.
      if (kept?.checkpointId === null) await this.#ledger.update<SavepointRecord>(kept.id, `it is #${entry.checkpointId} of the job`, (record) => withStatistics(record, entry));
      if (kept !== undefined) continue;
      const atMs = this.#clock.now();
      await this.#ledger.create({
        kind: "savepoint", version: recordVersion, id: `found-${job.jobId}-${entry.checkpointId}`, cluster: { name: view.profile.name, url: job.cluster }, job: { id: job.jobId, name },
        origin: "found", format: entry.format, description: "", directory: null, flinkVersion: view.reach.info.version.text, state: "completed",
        requestedAtMs: entry.triggeredAtMs, sentAtMs: entry.triggeredAtMs, endedAtMs: entry.triggeredAtMs + (entry.durationMs ?? 0), checkpointId: entry.checkpointId, path: entry.path,
        sizeBytes: entry.sizeBytes, durationMs: entry.durationMs, failure: null, stop: entry.kind === "stop-savepoint" ? { drain: false, job: "unknown" } : null,
        jobRestarted: false, pinned: false, forgotten: false, disposal: null, candidates: [], workspace: null, owner: this.#self,
        trail: [{ atMs, event: "found in the job's checkpoint history" }],
      });
    }
  }
}

/** Adds to a completed savepoint what only the job's statistics know; nothing to do when it is there. */
export function withStatistics(record: SavepointRecord, { checkpointId, sizeBytes, durationMs }: CheckpointStats): SavepointRecord {
  return record.checkpointId === null ? { ...record, checkpointId, sizeBytes, durationMs } : record;
}

function key(job: JobRef): string {
  return `${job.cluster} ${job.jobId}`;
}
