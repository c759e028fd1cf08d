import { Backoff, isAbort } from "../core/base/async";
import { Emitter } from "../core/base/event";
import { FlinkError, isFlinkError, type Refusal } from "../core/errors";
import { cancelRefusals } from "../core/guards";
import { operationsIn, type Operation } from "../core/ledger/queries";
import { jobOf, recordVersion, type SavepointRecord } from "../core/ledger/record";
import type { Ledger } from "../core/ledger/store";
import { checkpointsIn, savepointsIn, type CheckpointConfig, type CheckpointOverview, type CheckpointStats, type RestoredFrom } from "../core/model/checkpoint";
import { isSameJob, isTerminal, type JobRef, type JobState } from "../core/model/job";
import { folderName, parentLocation, placeKey } from "../core/model/location";
import type { Clock, Log, ProcessIdentity, Run } from "../core/ports";
import { jobRows, savepointRows, type JobRow, type SavepointRow } from "../core/rows";
import type { ClusterService } from "./clusters";
import { mayHaveArrived, refuseIf } from "./requestErrors";

/** What a job's checkpoint statistics said when last asked. */
export interface JobObservation {
  readonly overview: CheckpointOverview | undefined;
  readonly config: CheckpointConfig | undefined;
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** Why the last attempt failed; `overview` is then of the one before. */
  readonly error: FlinkError | null;
}

interface Seen extends JobObservation {
  readonly job: JobRef;
  readonly turn: number;
}

/** How long the cluster may be silent while a cancelled job is waited for, milliseconds. */
const cancelPatienceMs = 60_000;

/** Jobs and their savepoints as rows: Flink's answers and the ledger in one. */
export class JobService {
  readonly #clusters: ClusterService;
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #self: ProcessIdentity;
  readonly #observations = new Map<string, Seen>();
  readonly #changed = new Emitter<JobRef>((error) => this.#log.error("a listener to jobs", error));
  /** Counts the looks, so that a slow one does not undo a later one. */
  #turns = 0;
  /** With more observations than this those of jobs that are gone are dropped. */
  #pruneAbove = 500;

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
    const rows = jobRows(cluster, this.#clusters.get(cluster)?.jobs ?? [], await this.#ledger.all());
    return rows.map((row) => (row.restoredFrom === null ? { ...row, restoredFrom: this.restoredFrom(row) } : row));
  }

  /** A job's savepoints, newest first. */
  async savepoints(job: JobRef): Promise<SavepointRow[]> {
    const records = (await this.#ledger.all()).filter((record) => record.kind !== "savepoint" || isSameJob(jobOf(record), job));
    return savepointRows(job.jobId, records, this.observation(job)?.overview);
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
    const turn = ++this.#turns;
    const before = this.observation(job);
    const failed = (error: unknown): FlinkError => {
      if (isFlinkError(error)) return error;
      this.#log.error(`looking at job ${job.jobId}`, error);
      return new FlinkError("unexpected-reply", { url: job.cluster, detail: String(error) }, { cause: error });
    };
    let after: JobObservation;
    try {
      const client = this.#clusters.client(job.cluster);
      const [overview, config] = await Promise.all([client.checkpoints(job.jobId, signal), before?.config ?? client.checkpointConfig(job.jobId, signal)]);
      after = { overview, config, atMs: this.#clock.now(), error: null };
    } catch (error) {
      if (signal.aborted || isAbort(error)) return;
      const known = failed(error);
      after = { overview: isFlinkError(known, "job-not-found") ? withoutRunning(before?.overview) : before?.overview, config: before?.config, atMs: this.#clock.now(), error: known };
    }
    if (after.error === null) {
      try {
        await this.#keepFound(job, after.overview);
        await this.#numberFailed(job, after.overview, signal);
      } catch (error) {
        if (signal.aborted || isAbort(error)) return;
        after = { ...after, error: failed(error) };
      }
    }
    const now = this.#observations.get(key(job));
    if (now !== undefined && now.turn > turn) return;
    this.#observations.set(key(job), { ...after, job, turn });
    this.#prune();
    if (JSON.stringify([now?.overview, now?.config, now?.error?.code]) !== JSON.stringify([after.overview, after.config, after.error?.code])) this.#changed.fire(job);
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
    const directories = new Map<string, string>();
    for (const record of records) {
      const directory = record.directory ?? parentLocation(record.path ?? "");
      if (!directories.has(placeKey(directory))) directories.set(placeKey(directory), directory);
    }
    return [...directories.values()].slice(0, 10);
  }

  /** Why the job can't be cancelled. Throws the connection's errors. */
  async cancelRefusals(job: JobRef, signal: AbortSignal): Promise<Refusal[]> {
    const info = await this.#clusters.info(job.cluster, signal);
    return cancelRefusals(await this.#clusters.client(job.cluster).jobState(job.jobId, signal), info);
  }

  /**
   * Cancels without a savepoint and waits until the job has ended; resolves to how. While it is not known whether Flink got the request it is
   * sent again, which is harmless. Throws `refused`, `job-not-found`, and the connection's errors once those last.
   */
  async cancel(job: JobRef, run: Run): Promise<JobState> {
    const client = this.#clusters.client(job.cluster);
    const name = this.#clusters.get(job.cluster)?.jobs.find(({ jobId }) => jobId === job.jobId)?.name ?? job.jobId;
    refuseIf("cancelled", name, await this.cancelRefusals(job, run.signal));
    run.report({ message: "Cancelling" });
    let told = await this.#tellToCancel(job, run.signal);
    const pause = new Backoff(300, 2_000);
    let answeredMs = this.#clock.now();
    for (;;) {
      try {
        const state = await client.jobState(job.jobId, run.signal);
        if (state === undefined) throw new FlinkError("job-not-found", { jobId: job.jobId });
        if (isTerminal(state)) {
          void this.#clusters.refresh(job.cluster, run.signal);
          return state;
        }
        told ||= state === "CANCELLING" || (await this.#tellToCancel(job, run.signal));
        if (told) answeredMs = this.#clock.now();
      } catch (error) {
        if (isAbort(error) || isFlinkError(error, "job-not-found") || this.#clock.now() - answeredMs > cancelPatienceMs) throw error;
        this.#log.debug(`waiting for ${job.jobId} to end`, error);
      }
      await this.#clock.sleep(pause.next(), run.signal);
    }
  }

  /** True when Flink has the request, false when that is not known. */
  async #tellToCancel(job: JobRef, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#clusters.client(job.cluster).cancelJob(job.jobId, signal);
      return true;
    } catch (error) {
      if (isAbort(error)) throw error;
      // 409: it has just ended in another way; its state says how.
      if (isFlinkError(error, "flink-failed") && error.facts.status === 409) return true;
      if (!mayHaveArrived(error)) throw error;
      this.#log.warn(`the answer to cancelling ${job.jobId} was lost; looking at the job`, error);
      return false;
    }
  }

  /**
   * What Flink will forget, we keep. The record's id follows from job and checkpoint, so that windows finding it at once write the same one.
   * While one of our own operations on the job is open its savepoint is not taken for a stranger's.
   */
  async #keepFound(job: JobRef, overview: CheckpointOverview | undefined): Promise<void> {
    const entries = savepointsIn(overview).filter((entry) => entry.status === "completed" && entry.path !== null && !entry.discarded);
    if (entries.length === 0) return;
    const all = await this.#ledger.all();
    const records = all.filter((record): record is SavepointRecord => record.kind === "savepoint" && isSameJob(jobOf(record), job));
    if (records.some((record) => record.state === "requested" || record.state === "running")) return;
    const known = new Map(records.flatMap((record) => (record.path === null ? [] : [[placeKey(record.path), record]])));
    const view = this.#clusters.get(job.cluster);
    if (view === undefined || view.reach.state !== "online") return;
    const name = view.jobs.find((summary) => summary.jobId === job.jobId)?.name ?? records[0]?.job.name ?? job.jobId;
    for (const entry of entries) {
      if (entry.path === null) continue;
      const kept = known.get(placeKey(entry.path));
      // Whoever followed it was gone before the statistics showed it.
      if (kept?.checkpointId === null) await this.#ledger.update<SavepointRecord>(kept.id, `it is #${entry.checkpointId} of the job`, (record) => withStatistics(record, entry));
      if (kept !== undefined) continue;
      const atMs = this.#clock.now();
      // An application that was deployed anew, or another one, may have the same id and count from the same number: then the folder's own part of its name tells them apart.
      const id = `found-${job.jobId}-${entry.checkpointId}`;
      const isTaken = all.some((other) => other.id === id);
      await this.#ledger.create({
        kind: "savepoint", version: recordVersion, id: isTaken ? `${id}-${folderName(entry.path).replaceAll(/[^A-Za-z0-9]/g, "-").slice(-40)}` : id, cluster: { name: view.profile.name, url: job.cluster }, job: { id: job.jobId, name },
        origin: "found", format: entry.format, description: "", directory: null, flinkVersion: view.reach.info.version.text, state: "completed",
        requestedAtMs: entry.triggeredAtMs, sentAtMs: entry.triggeredAtMs, endedAtMs: entry.triggeredAtMs + (entry.durationMs ?? 0), checkpointId: entry.checkpointId, path: entry.path,
        sizeBytes: entry.sizeBytes, durationMs: entry.durationMs, failure: null, stop: entry.kind === "stop-savepoint" ? { drain: false, job: "unknown" } : null,
        jobRestarted: false, pinned: false, forgotten: false, disposal: null, candidates: [], workspace: null, owner: this.#self,
        trail: [{ atMs, event: "found in the job's checkpoint history" }],
      });
    }
  }

  /**
   * Gives failed savepoints of ours the number that the history has for them, so that each is told once: Flink names no trigger there, only the
   * time by its own clock. Some fail before they get a number.
   */
  async #numberFailed(job: JobRef, overview: CheckpointOverview | undefined, signal: AbortSignal): Promise<void> {
    const failed = savepointsIn(overview).filter((entry) => entry.status === "failed");
    if (failed.length === 0) return;
    const records = (await this.#ledger.all()).filter((record): record is SavepointRecord => record.kind === "savepoint" && isSameJob(jobOf(record), job));
    const known = new Set(records.map((record) => record.checkpointId));
    const nameless = records.filter((record) => record.state === "failed" && record.checkpointId === null && !record.forgotten).sort((a, b) => a.requestedAtMs - b.requestedAtMs);
    const sameKind = (entry: CheckpointStats, record: SavepointRecord): boolean => (entry.kind === "stop-savepoint") === (record.stop !== null);
    const unclaimed = failed.filter((entry) => !known.has(entry.checkpointId) && nameless.some((record) => sameKind(entry, record) && Math.abs(entry.triggeredAtMs - record.requestedAtMs) < 2 * 3_600_000));
    if (unclaimed.length === 0) return;
    const details = await this.#clusters.client(job.cluster).job(job.jobId, signal);
    const skewMs = details.nowMs - this.#clock.now();
    for (const entry of unclaimed.reverse()) {
      const atMs = entry.triggeredAtMs - skewMs;
      const at = nameless.findIndex((record) => sameKind(entry, record) && atMs >= record.requestedAtMs - 2_000 && atMs <= (record.endedAtMs ?? record.sentAtMs) + 2_000);
      const [record] = at < 0 ? [] : nameless.splice(at, 1);
      if (record) await this.#ledger.update<SavepointRecord>(record.id, `it was #${entry.checkpointId} of the job`, (open) => (open.checkpointId === null ? { ...open, checkpointId: entry.checkpointId } : open));
    }
  }

  /** Drops what was seen of jobs that their cluster no longer has; rarely, since it looks at all. */
  #prune(): void {
    if (this.#observations.size <= this.#pruneAbove) return;
    const alive = new Set(this.#clusters.list().flatMap((view) => view.jobs.map((job) => key({ cluster: view.profile.url, jobId: job.jobId }))));
    const newest = this.#turns - 100;
    for (const [name, { turn }] of this.#observations) if (!alive.has(name) && turn < newest) this.#observations.delete(name);
    this.#pruneAbove = Math.max(500, 2 * this.#observations.size);
  }
}

/** What is left to show of a job that Flink no longer knows: nothing runs there any more. */
function withoutRunning(overview: CheckpointOverview | undefined): CheckpointOverview | undefined {
  return overview && { ...overview, history: overview.history.filter((entry) => entry.status !== "in-progress") };
}

/** Adds to a completed savepoint what only the job's statistics know; nothing to do when it is there. */
export function withStatistics(record: SavepointRecord, { checkpointId, sizeBytes, durationMs }: CheckpointStats): SavepointRecord {
  return record.checkpointId === null ? { ...record, checkpointId, sizeBytes, durationMs } : record;
}

function key(job: JobRef): string {
  return `${job.cluster} ${job.jobId}`;
}
