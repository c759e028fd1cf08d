import { Backoff, isAbort, unlessAborted } from "../core/base/async";
import { Emitter } from "../core/base/event";
import { FlinkError, isFlinkError } from "../core/errors";
import { latestCheckpoint } from "../core/guards";
import type { RestoreRecord } from "../core/ledger/record";
import { allTasksRun, isTerminal } from "../core/model/job";
import { placeKey } from "../core/model/location";
import { isIntendedFailure } from "../core/paimon/failures";
import type { ClusterClient, Run } from "../core/ports";
import { unlessUnknown } from "./following";
import { readRecord } from "./ledgerReads";
import type { SavepointWorld } from "./savepoints";

/**
 * Follows starts of jobs to their outcome, however long that takes, and writes it into the ledger; then until the savepoint is dispensable. One
 * follower per record and process; read-only towards Flink.
 */
export class StartFollower {
  /** Starts that this process is about to send: Flink need not know them yet. */
  readonly sending = new Set<string>();
  readonly #world: SavepointWorld;
  readonly #settled = new Emitter<RestoreRecord>((error) => this.#world.log.error("a listener to starts", error));
  readonly #following = new Map<string, Promise<RestoreRecord>>();
  readonly #watching = new Set<string>();

  /** Fires when a started job runs or has failed. */
  readonly onDidSettle = this.#settled.event;

  constructor(world: SavepointWorld) {
    this.#world = world;
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
    let missed = 0;
    try {
      for (;;) {
        const record = await readRecord(ledger, "restore", restoreId);
        if (record.state !== "running" || record.endedAtMs !== null) return;
        try {
          const client = clusters.client(record.cluster.url);
          const [overview, state] = await Promise.all([unlessUnknown(client.checkpoints(record.id, follower.life)), client.jobState(record.id, follower.life)]);
          const completed = overview === undefined ? null : latestCheckpoint(overview);
          const restored = overview?.latest.restored ?? null;
          if (completed !== null && (restored === null || completed.checkpointId > restored.checkpointId)) {
            await ledger.update<RestoreRecord>(restoreId, `checkpoint #${completed.checkpointId} of its own is complete`, (open) => (open.state === "running" ? { ...open, state: "safe" } : open));
            return;
          }
          // A JobManager that has just come back does not list its jobs at once.
          missed = state === undefined ? missed + 1 : 0;
          if (missed > 3 || (state !== undefined && isTerminal(state))) {
            await ledger.update<RestoreRecord>(restoreId, `the job is ${state ?? "gone"}`, (open) => ({ ...open, endedAtMs: clock.now() }));
            return;
          }
        } catch (error) {
          if (isAbort(error)) return;
          this.#world.log.debug(`watching ${restoreId}`, error);
        }
        await clock.sleep(pause.next(), follower.life);
      }
    } catch (error) {
      if (!isAbort(error)) this.#world.log.warn(`watching ${restoreId}`, error);
    } finally {
      this.#watching.delete(restoreId);
    }
  }

  /** Tells listeners how a start ended. */
  tell(record: RestoreRecord): void {
    this.#settled.fire(record);
  }

  async #untilSettled(restoreId: string, run?: Run): Promise<RestoreRecord> {
    const { clusters, clock, follower, programGraceMs, self } = this.#world;
    const pause = new Backoff(250, 2_000);
    const down = new Backoff(1_000, 30_000);
    /** Failures of the starting job by their time: what it failed with. */
    const failures = new Map<number, string>();
    let missingSinceMs: number | undefined;
    let emptySinceMs: number | undefined;
    for (;;) {
      const record = await readRecord(this.#world.ledger, "restore", restoreId);
      if (record.state !== "requested" && record.state !== "submitted") return this.#settle(record);
      if (isUnsent(record) && record.owner.instance === self.instance && !this.sending.has(restoreId)) {
        if (await this.#isPlan(record)) await this.#end(record, "taken over before it was sent: planned again", { state: "planned" });
        else await this.#end(record, "taken over before it was sent, so nothing was started", { state: "failed", endedAtMs: clock.now(), failure: { message: "It was given up before it was sent, so nothing was started.", exception: "" } });
        continue;
      }
      try {
        const client = clusters.client(record.cluster.url);
        const state = await client.jobState(record.id, follower.life);
        down.reset();
        if (state === undefined) {
          missingSinceMs ??= clock.now();
          // The program's main may still run: its job appears when it returns. A JobManager that has just come back lists its jobs a little later.
          // Whose start it is knows better, while it lives; when it has died, somebody takes the record over.
          const mainMayRun = record.owner.instance !== self.instance || this.sending.has(restoreId) || (record.state === "requested" && clock.now() - record.requestedAtMs <= programGraceMs);
          if (!mainMayRun && clock.now() - missingSinceMs > Math.min(10_000, programGraceMs)) await this.#end(record, "Flink does not know the job", { state: "unknown" });
          else run?.report({ message: "Waiting for the job to appear" });
        } else if (isTerminal(state) || state === "RESTARTING" || state === "FAILING") {
          missingSinceMs = undefined;
          const failure = await client.latestFailure(record.id, follower.life);
          // Paimon ends the job once for each table on purpose, always with the same words.
          const isIntended = failure !== undefined && isIntendedFailure(failure.message);
          if (failure !== undefined && !isIntended) failures.set(failure.atMs, failure.message);
          const again = failures.size > 2 || new Set(failures.values()).size < failures.size;
          // One failure may be an accident of deployment; a second with the same reason is the job's answer (Flink restarts for ever).
          if (state === "FINISHED" || state === "CANCELED") await this.#end(record, `the job is ${state}`, { state: "running", endedAtMs: clock.now() });
          else if (isTerminal(state) || again) await this.#end(record, `the job is ${state}: ${failure?.message ?? ""}`, { state: "failed", endedAtMs: clock.now(), failure: { message: failure?.message ?? `the job is ${state}`, exception: failure?.exception ?? "" } });
          else run?.report({ message: isIntended ? "Paimon committed what the savepoint held, and has the job restarted for that" : `Flink restarts the job: ${failure?.message ?? "no reason given yet"}` });
        } else {
          missingSinceMs = undefined;
          const job = await client.job(record.id, follower.life);
          const ready = job.vertices.filter((vertex) => vertex.ready).length;
          run?.report({ message: `${job.state.toLowerCase()}: ${ready} of ${job.vertices.length} operators run` });
          if (allTasksRun(job) && !(await this.#runs(record, job.name, client))) {
            emptySinceMs ??= clock.now();
            if (clock.now() - emptySinceMs > 10_000) {
              await this.#end(record, "the job runs without the state it was to have", { state: "failed", endedAtMs: clock.now(), failure: { message: "The job runs, but Flink restored nothing: it started without state. Cancel it before it writes results.", exception: "" } });
            }
          }
        }
        await clock.sleep(pause.next(), follower.life);
      } catch (error) {
        if (isAbort(error) || isFlinkError(error, "ledger-record-damaged")) throw error;
        this.#world.log.debug(`following start ${restoreId}`, error);
        if (isFlinkError(error, "ledger-unwritable")) run?.report({ message: `The ledger can't be written (${error.facts.reason}); trying again` });
        await clock.sleep(down.next(), follower.life);
      }
    }
  }

  /**
   * All tasks run. What Flink says it restored must be what was asked for: a silent start without state would be the worst outcome of all.
   * Resolves to false while Flink shows nothing restored; its statistics are up to three seconds old.
   */
  async #runs(record: RestoreRecord, jobName: string, client: ClusterClient): Promise<boolean> {
    const overview = await unlessUnknown(client.checkpoints(record.id, this.#world.follower.life));
    const restored = overview?.latest.restored ?? null;
    const asked = record.savepoint?.path ?? null;
    if (asked !== null && overview !== undefined && overview.counts.restored === 0) return false;
    const exact = restored !== null && restored.path !== null && asked !== null && placeKey(restored.path) === placeKey(asked) ? restored : null;
    const proof = exact !== null ? `restored from #${exact.checkpointId}` : asked === null ? "started without state" : `restored from ${restored?.path ?? "an unnamed place"}`;
    await this.#world.ledger.update<RestoreRecord>(record.id, `all tasks run; ${proof}`, (open) => (open.state === "requested" || open.state === "submitted"
      ? { ...open, state: "running", jobName, savepoint: open.savepoint && { ...open.savepoint, checkpointId: exact?.checkpointId ?? open.savepoint.checkpointId } } : open));
    void this.#world.clusters.refresh(record.cluster.url, this.#world.follower.life);
    return true;
  }

  /** Whether a person waits for it as a step of something larger, which goes on with it: its arguments are kept until it is sent. */
  async #isPlan({ id, afterStop }: RestoreRecord): Promise<boolean> {
    return afterStop !== null || (await this.#world.ledger.all()).some((record) => record.kind === "rollback" && record.restoreId === id);
  }

  async #end(record: RestoreRecord, event: string, change: Partial<RestoreRecord>): Promise<void> {
    await this.#world.ledger.update<RestoreRecord>(record.id, event, (open) => (open.state === "requested" || open.state === "submitted" ? { ...open, ...change } : open));
  }

  #settle(record: RestoreRecord): RestoreRecord {
    if (record.state !== "dropped" && record.state !== "planned") this.tell(record);
    if (record.state === "running" && record.endedAtMs === null) void this.watchUntilSafe(record.id);
    if (record.state === "failed") throw new FlinkError("restore-failed", { savepoint: record.savepoint?.path ?? null, message: record.failure?.message ?? "Flink gives no reason", exception: record.failure?.exception ?? "" });
    if (record.state === "dropped") throw new FlinkError("restore-failed", { savepoint: record.savepoint?.path ?? null, message: "It was given up before it was sent, perhaps in another window.", exception: "" });
    if (record.state === "unknown") throw new FlinkError("outcome-unknown", { what: "start", jobName: record.jobName, lookIn: null });
    return record;
  }
}

/** True for a start that certainly never reached Flink. */
export function isUnsent({ sentAtMs, jar }: RestoreRecord): boolean {
  return sentAtMs === null || (sentAtMs === undefined && jar.id === null);
}
