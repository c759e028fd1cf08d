import { Backoff, isAbort, unlessAborted } from "../core/base/async";
import { Emitter } from "../core/base/event";
import { isFlinkError } from "../core/errors";
import { jobOf, type SavepointRecord } from "../core/ledger/record";
import type { Ledger } from "../core/ledger/store";
import { savepointsIn, type CheckpointOverview, type CheckpointStats } from "../core/model/checkpoint";
import { isSameJob, isTerminal, type JobRef, type JobState } from "../core/model/job";
import { liesIn, placeKey, shortJobId } from "../core/model/location";
import type { Clock, ClusterClient, FlinkFailure, FoundFolder, Log, StorageLook } from "../core/ports";
import { shortId } from "../core/wording";
import type { ClusterService } from "./clusters";
import { withStatistics, type JobService } from "./jobs";
import { readRecord } from "./ledgerReads";

/** How far a savepoint is, for whoever watches. */
export interface FollowStep {
  readonly message: string;
  /** Share of subtasks that acknowledged, 0 to 100. */
  readonly percent?: number;
}

interface Following {
  readonly outcome: Promise<SavepointRecord>;
  readonly watchers: Set<(step: FollowStep) => void>;
}

/**
 * Follows savepoint operations to their end, however long that takes, and writes the end into the ledger: first what is certain
 * (the path), then what is nice to know (number, size). One follower per record and process; read-only towards Flink.
 */
export class SavepointFollower {
  readonly #clusters: ClusterService;
  readonly #jobs: JobService;
  readonly #ledger: Ledger;
  readonly #look: StorageLook;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #following = new Map<string, Following>();
  /** Records that this process is at work on besides following them, and how many are. */
  readonly #held = new Map<string, number>();
  readonly #settled = new Emitter<SavepointRecord>((error) => this.#log.error("a listener to savepoints", error));
  readonly #life = new AbortController();
  /** How long a request may still be on its way when its sender has died, milliseconds. */
  readonly receiveGraceMs: number;

  /** Fires when an operation has ended, whichever way, and whoever began it. */
  readonly onDidSettle = this.#settled.event;

  constructor(clusters: ClusterService, jobs: JobService, ledger: Ledger, look: StorageLook, clock: Clock, log: Log, receiveGraceMs: number) {
    this.#clusters = clusters;
    this.#jobs = jobs;
    this.#ledger = ledger;
    this.#look = look;
    this.#clock = clock;
    this.#log = log;
    this.receiveGraceMs = receiveGraceMs;
  }

  /** Ends with this process; requests to Flink use it rather than a caller's signal, so that a caller who stops waiting cuts nothing off. */
  get life(): AbortSignal {
    return this.#life.signal;
  }

  dispose(): void {
    this.#life.abort();
    this.#settled.dispose();
  }

  /** True while this process is at work on a record, so that nobody else in it takes the record for left behind. */
  isHeld(recordId: string): boolean {
    return this.#following.has(recordId) || this.#held.has(recordId);
  }

  /** Holds a record until the returned function is called. */
  hold(recordId: string): () => void {
    this.#held.set(recordId, (this.#held.get(recordId) ?? 0) + 1);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      const left = (this.#held.get(recordId) ?? 1) - 1;
      if (left > 0) this.#held.set(recordId, left);
      else this.#held.delete(recordId);
    };
  }

  /** Follows a record to its end; a second call joins the first. Aborting `signal` ends the waiting only. */
  async follow(recordId: string, watch?: (step: FollowStep) => void, signal?: AbortSignal): Promise<SavepointRecord> {
    let following = this.#following.get(recordId);
    if (following === undefined) {
      const watchers = new Set<(step: FollowStep) => void>();
      const outcome = this.#run(recordId, watchers).finally(() => this.#following.delete(recordId));
      outcome.catch(() => undefined);
      following = { outcome, watchers };
      this.#following.set(recordId, following);
    }
    if (watch) following.watchers.add(watch);
    try {
      return await unlessAborted(following.outcome, signal);
    } finally {
      if (watch) following.watchers.delete(watch);
    }
  }

  /** Folders that may be the result of an operation whose outcome Flink forgot; undefined when the directory can't be seen from here, or is not known while the cluster is away. */
  async candidates(record: SavepointRecord): Promise<readonly FoundFolder[] | undefined> {
    try {
      return await this.#candidates(record);
    } catch (error) {
      if (!isFlinkError(error)) throw error;
      this.#log.debug(`looking for what ${record.id} wrote`, error);
      return undefined;
    }
  }

  async #candidates(record: SavepointRecord): Promise<readonly FoundFolder[] | undefined> {
    const folders = await this.#foldersOf(record);
    if (folders === undefined) return undefined;
    // One that was found in the history may be this one; the others are somebody's.
    const others = new Set((await this.#ledger.all()).flatMap((other) => (other.kind === "savepoint" && other.id !== record.id && other.origin !== "found" && other.path !== null ? [placeKey(other.path)] : [])));
    return folders.filter((folder) => shortJobId(folder.location) === shortId(record.job.id) && folder.modifiedAtMs >= record.requestedAtMs - clockSlackMs && !others.has(placeKey(folder.location)));
  }

  async #run(recordId: string, watchers: ReadonlySet<(step: FollowStep) => void>): Promise<SavepointRecord> {
    const tell = (step: FollowStep): void => {
      for (const watch of watchers) {
        try {
          watch(step);
        } catch (error) {
          this.#log.warn(`telling of ${recordId}`, error);
        }
      }
    };
    const pause = new Backoff(200, 2_000);
    const down = new Backoff(1_000, 30_000);
    for (;;) {
      const record = await readRecord(this.#ledger, "savepoint", recordId);
      try {
        if (record.state !== "requested" && record.state !== "running") return this.#settle(await this.#afterwards(record));
        const client = this.#clusters.client(record.cluster.url);
        const status = await client.savepointStatus(record.job.id, record.id, this.life);
        down.reset();
        if (status.state === "completed") {
          await this.#change(record.id, `${reportedComplete} ${status.path}`, (open) => ({ ...open, state: "completed", path: status.path, endedAtMs: this.#clock.now() }));
        } else if (status.state === "failed") {
          await this.#settleFailure(record, status.failure, client);
        } else if (status.state === "forgotten") {
          await this.#settleForgotten(record, client);
        } else {
          if (record.state === "requested") await this.#change(record.id, "Flink has it", (open) => ({ ...open, state: "running" }));
          await this.#progress(record, tell);
          await this.#clock.sleep(pause.next(), this.life);
        }
      } catch (error) {
        if (isAbort(error) || isFlinkError(error, "ledger-record-damaged")) throw error;
        this.#log.debug(`following ${recordId}`, error);
        // Flink goes on whatever becomes of our disk: what it says is written down as soon as that can be.
        tell({ message: isFlinkError(error, "ledger-unwritable") ? `The ledger can't be written (${error.facts.reason}); trying again` : "The cluster does not answer; still looking" });
        await this.#clock.sleep(down.next(), this.life);
      }
    }
  }

  async #progress(record: SavepointRecord, tell: (step: FollowStep) => void): Promise<void> {
    const job: JobRef = { cluster: record.cluster.url, jobId: record.job.id };
    const last = this.#jobs.observation(job);
    if (last === undefined || this.#clock.now() - last.atMs > 1_500) await this.#jobs.observe(job, this.life);
    const row = (await this.#jobs.savepoints(job)).find(({ id }) => id === record.id);
    if (row !== undefined && row.progress !== null) tell({ message: `#${row.checkpointId}: ${row.progress.acknowledged} of ${row.progress.total} tasks have written their state`, percent: (100 * row.progress.acknowledged) / Math.max(1, row.progress.total) });
    else tell({ message: "Flink has the request" });
  }

  /** A failure, unless Flink names a savepoint in it: then that is complete and only the stop went wrong (StopWithSavepointStoppingException). */
  async #settleFailure(record: SavepointRecord, failure: FlinkFailure, client: ClusterClient, known: Partial<SavepointRecord> = {}): Promise<void> {
    const written = /A savepoint has been created at: (.+?), but the corresponding job/s.exec(failure.trace)?.[1];
    if (written !== undefined && record.stop !== null) {
      await this.#change(record.id, `Flink wrote ${written}, but the job failed while stopping`, (open) => ({
        ...open, state: "completed", path: written, endedAtMs: this.#clock.now(), failure: { message: failure.message, exception: failure.exception },
      }));
      return;
    }
    const { restarted, cause } = await this.#effectOnJob(record, client);
    const told = /Coordinator is suspending|CheckpointCoordinator shutdown|FailoverRegion is restarting/.test(failure.message) && cause ? cause : failure;
    await this.#change(record.id, `Flink reports it failed: ${told.message}`, (open) => ({
      ...open, ...known, state: "failed", endedAtMs: this.#clock.now(), failure: { message: told.message, exception: told.exception }, jobRestarted: restarted,
    }));
  }

  /** Whether the failed attempt took the job down, and the reason the job itself gives: the operation's own text often hides it. */
  async #effectOnJob(record: SavepointRecord, client: ClusterClient): Promise<{ restarted: boolean; cause: FlinkFailure | undefined }> {
    try {
      const skewMs = await this.#skewMs(record, client);
      for (let attempt = 0; ; attempt++) {
        const [state, failure] = await Promise.all([client.jobState(record.job.id, this.life), client.latestFailure(record.job.id, this.life)]);
        const recent = failure !== undefined && failure.atMs >= record.requestedAtMs + skewMs - 500;
        if (recent) return { restarted: true, cause: failure };
        if (state !== undefined && state !== "RUNNING" && !isTerminal(state) && attempt < 10) await this.#clock.sleep(300, this.life);
        else return { restarted: state === "RESTARTING" || state === "FAILING" || state === "FAILED", cause: undefined };
      }
    } catch (error) {
      if (isAbort(error)) throw error;
      return { restarted: false, cause: undefined };
    }
  }

  /**
   * Flink no longer (or not yet, or never did) know the trigger id. In this order: still on its way; the job's history, where a savepoint of
   * the same kind, format and directory that began right after the request is ours if it is the only one; a history that reaches back before
   * the request and holds none proves that there is none; what lies in the directory; else `unknown`. Never triggers again.
   */
  async #settleForgotten(record: SavepointRecord, client: ClusterClient): Promise<void> {
    const sinceMs = this.#clock.now() - record.sentAtMs;
    // A clock goes back a little by itself.
    const wasSetBack = sinceMs < -this.receiveGraceMs;
    if (sinceMs < this.receiveGraceMs && !wasSetBack) return this.#clock.sleep(Math.min(500, this.receiveGraceMs), this.life);
    const overview = await unlessUnknown(client.checkpoints(record.job.id, this.life));
    if (wasSetBack) return this.#settleUnknown(record, savepointsIn(overview).flatMap((entry) => (entry.path !== null && (entry.kind === "stop-savepoint") === (record.stop !== null) ? [entry.path] : [])));
    if (overview !== undefined && (await client.jobState(record.job.id, this.life)) !== undefined) {
      const skewMs = await this.#skewMs(record, client);
      const { ours, late } = await this.#inHistory(record, overview, skewMs);
      const [match, second] = ours;
      if (match !== undefined && second === undefined) return this.#settleFromHistory(record, match, client);
      // Which is which may show when they have ended: then they have a place.
      if ([...ours, ...late].some((entry) => entry.status === "in-progress")) return this.#clock.sleep(1_000, this.life);
      const job = await client.job(record.job.id, this.life);
      const entries = [...overview.history].sort((a, b) => a.triggeredAtMs - b.triggeredAtMs);
      const { completed, failed, inProgress } = overview.counts;
      const whole = completed + failed + inProgress <= entries.length;
      const reachesBack = job.startTimeMs < record.requestedAtMs + skewMs && (whole || (entries[0]?.triggeredAtMs ?? Infinity) < record.requestedAtMs + skewMs);
      if (match !== undefined || late.length > 0) return this.#settleUnknown(record, [...ours, ...late].flatMap((entry) => (entry.path === null ? [] : [entry.path])));
      if (reachesBack) {
        if (this.#clock.now() - record.sentAtMs <= 4_000) return this.#clock.sleep(500, this.life); // statistics are up to three seconds old
        await this.#change(record.id, "Flink does not know the request, and the job's history from then on holds no such savepoint", (open) => ({
          ...open, state: "failed", endedAtMs: this.#clock.now(), failure: { message: notReceived, exception: "" },
        }));
        return;
      }
    }
    const folders = await this.#candidates(record);
    if (folders !== undefined && !folders.some((folder) => folder.hasMetadata) && (await this.#seesWhatFlinkWrites(record))) {
      await this.#change(record.id, "Flink no longer knows the request, and no savepoint was written to the directory", (open) => ({
        ...open, state: "failed", endedAtMs: this.#clock.now(), failure: { message: "The JobManager was lost before the savepoint was complete.", exception: "" },
      }));
      return;
    }
    await this.#settleUnknown(record, (folders ?? []).filter((folder) => folder.hasMetadata).map((folder) => folder.location));
  }

  /** Whether the directory seen from here is the one that Flink writes to, and not another machine's of the same name: it shows what Flink wrote. */
  async #seesWhatFlinkWrites(record: SavepointRecord): Promise<boolean> {
    if (this.#clusters.get(record.cluster.url)?.profile.local === true) return true;
    const written = new Set((await this.#ledger.all()).flatMap((other) => (other.kind === "savepoint" && other.cluster.url === record.cluster.url && other.path !== null ? [placeKey(other.path)] : [])));
    return ((await this.#foldersOf(record)) ?? []).some((folder) => shortJobId(folder.location) === shortId(record.job.id) || written.has(placeKey(folder.location)));
  }

  /** Savepoint folders in the directory that a savepoint was to go to; undefined when that can't be seen from here. */
  async #foldersOf(record: SavepointRecord): Promise<readonly FoundFolder[] | undefined> {
    const directory = record.directory ?? (await this.#savepointDirectory(record));
    return directory === null ? undefined : this.#look.list(directory);
  }

  /**
   * Entries of the job's history that may be the record's: of its kind and format, in its directory, nobody else's, and triggered since the
   * request. `late` ones were triggered so long after it that it would have to have been held up on its way.
   */
  async #inHistory(record: SavepointRecord, overview: CheckpointOverview, skewMs: number): Promise<{ readonly ours: readonly CheckpointStats[]; readonly late: readonly CheckpointStats[] }> {
    const taken = (await this.#ledger.all()).filter((other): other is SavepointRecord => other.kind === "savepoint" && isSameJob(jobOf(other), jobOf(record)) && other.id !== record.id && other.origin !== "found");
    // The number of one that is complete may be used again by the next life of an application; its place may not.
    const ids = new Set(taken.flatMap((other) => (other.path === null ? [other.checkpointId] : [])));
    const paths = new Set(taken.flatMap((other) => (other.path === null ? [] : [placeKey(other.path)])));
    const directory = record.directory ?? (await this.#savepointDirectory(record));
    const since = savepointsIn(overview).filter((entry) =>
      (entry.kind === "stop-savepoint") === (record.stop !== null) && entry.triggeredAtMs >= record.requestedAtMs + skewMs - 2_000 &&
      (entry.format === null || record.format === null || entry.format === record.format) && !ids.has(entry.checkpointId) &&
      (entry.path === null || (!paths.has(placeKey(entry.path)) && (directory === null || liesIn(directory, entry.path)))));
    const inTime = (entry: CheckpointStats): boolean => entry.triggeredAtMs <= record.sentAtMs + skewMs + 10_000;
    return { ours: since.filter(inTime), late: since.filter((entry) => !inTime(entry)) };
  }

  async #settleFromHistory(record: SavepointRecord, entry: CheckpointStats, client: ClusterClient): Promise<void> {
    if (entry.status === "in-progress") {
      if (record.state === "requested") await this.#change(record.id, `the job's history shows it under way as #${entry.checkpointId}`, (open) => ({ ...open, state: "running", checkpointId: entry.checkpointId }));
      return this.#clock.sleep(1_000, this.life);
    }
    const { path, checkpointId } = entry;
    if (entry.status === "failed" || path === null) return this.#settleFailure(record, { message: entry.failure ?? "Flink gives no reason.", exception: "", trace: "" }, client, { checkpointId });
    await this.#change(record.id, `the job's history shows it as #${checkpointId}, the only one of its kind triggered then`, (open) => ({
      ...open, state: "completed", path, checkpointId, sizeBytes: entry.sizeBytes, durationMs: entry.durationMs, endedAtMs: this.#clock.now(),
    }));
  }

  async #settleUnknown(record: SavepointRecord, candidates: string[]): Promise<void> {
    await this.#change(record.id, "Flink forgot the outcome", (open) => ({ ...open, state: "unknown", candidates, endedAtMs: this.#clock.now() }));
  }

  /** What remains once the savepoint's own outcome is written: the end of the stopped job, and number and size for the row. */
  async #afterwards(settled: SavepointRecord): Promise<SavepointRecord> {
    let record = settled;
    if (record.stop?.job === "pending") record = await this.#settleStop(record);
    if (record.state === "completed" && record.checkpointId === null) record = await this.#enrich(record);
    return record;
  }

  async #settleStop(record: SavepointRecord): Promise<SavepointRecord> {
    const pause = new Backoff(200, 2_000);
    const until = this.#clock.now() + 60_000;
    for (;;) {
      let state: JobState | "gone" | "away" | "silent";
      try {
        state = (await this.#clusters.client(record.cluster.url).jobState(record.job.id, this.life)) ?? "gone";
      } catch (error) {
        if (isAbort(error)) throw error;
        state = isFlinkError(error, "cluster-unreachable") ? "away" : "silent";
      }
      // A job that Flink forgot with the request will not come back.
      const job = endOfStop(record, state, this.#clock.now() > until || (state === "gone" && record.state === "unknown"));
      if (job !== undefined) return this.#ledger.update<SavepointRecord>(record.id, `the job is ${state}`, (open) => (open.stop?.job === "pending" ? { ...open, stop: { ...open.stop, job } } : open));
      await this.#clock.sleep(pause.next(), this.life);
    }
  }

  /** Number, size and duration come from the job's statistics, which lag up to three seconds and may be gone with the cluster. */
  async #enrich(record: SavepointRecord): Promise<SavepointRecord> {
    const job: JobRef = { cluster: record.cluster.url, jobId: record.job.id };
    const path = placeKey(record.path ?? "");
    for (let attempt = 0; attempt < 12; attempt++) {
      await this.#jobs.observe(job, this.life);
      const seen = this.#jobs.observation(job);
      const entry = savepointsIn(seen?.overview).find((candidate) => candidate.path !== null && placeKey(candidate.path) === path);
      if (entry) return this.#ledger.update<SavepointRecord>(record.id, `it is #${entry.checkpointId} of the job`, (done) => withStatistics(done, entry));
      if (seen?.error !== null && seen?.error !== undefined) break;
      await this.#clock.sleep(350, this.life);
    }
    return record;
  }

  #settle(record: SavepointRecord): SavepointRecord {
    this.#settled.fire(record);
    return record;
  }

  async #change(id: string, event: string, change: (open: SavepointRecord) => SavepointRecord): Promise<void> {
    await this.#ledger.update<SavepointRecord>(id, event, (record) => (record.state === "requested" || record.state === "running" ? change(record) : record));
  }

  /** A cluster that has just come back may answer here before it was asked for its configuration: throws the connection's errors instead of taking it for one without a directory. */
  async #savepointDirectory(record: SavepointRecord): Promise<string | null> {
    return (await this.#clusters.info(record.cluster.url, this.life)).savepointDirectory;
  }

  /** JobManager's clock minus ours, milliseconds; 0 when it can't be learned. */
  async #skewMs(record: SavepointRecord, client: ClusterClient): Promise<number> {
    const before = this.#clock.now();
    const job = await unlessUnknown(client.job(record.job.id, this.life));
    return job === undefined ? 0 : Math.round(job.nowMs - (before + this.#clock.now()) / 2);
  }
}

/** What a record says of a request that Flink never had. */
export const notReceived = "Flink never received the request, or refused it before it began. No savepoint was written.";

/** How a record's trail says that Flink itself called the operation complete, which the job's history alone does not. */
const reportedComplete = "Flink reports it complete at";

/** How far the clock of a storage, or of a JobManager, may be off from ours, milliseconds. */
const clockSlackMs = 3_600_000;

type StopEnd = NonNullable<SavepointRecord["stop"]>["job"];

/**
 * What became of a job that was to be stopped, or undefined while that is open. Flink reports a stop complete only once every task has
 * finished (`StopWithSavepointTerminationManager`), so that a cluster which goes away then took the finished job with it; the job's history
 * shows the savepoint before that.
 */
function endOfStop(record: SavepointRecord, state: JobState | "gone" | "away" | "silent", late: boolean): StopEnd | undefined {
  const written = record.state === "completed";
  switch (state) {
    case "FAILED": return "failed";
    case "FINISHED": case "CANCELED": return "stopped";
    case "gone": case "away": case "silent": {
      const reported = !written ? undefined : record.failure !== null ? "failed" : record.trail.some(({ event }) => event.startsWith(reportedComplete)) ? "stopped" : undefined;
      return reported !== undefined && (late || state !== "silent") ? reported : late ? "unknown" : undefined;
    }
    default: return !written ? "running-on" : late ? "running-on" : undefined;
  }
}

/** The value, or undefined when Flink does not know the job. */
export async function unlessUnknown<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isFlinkError(error, "job-not-found")) return undefined;
    throw error;
  }
}
