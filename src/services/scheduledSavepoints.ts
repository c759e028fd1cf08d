import { isAbort } from "../core/base/async";
import { isFlinkError } from "../core/errors";
import { explain } from "../core/explain";
import { operationsIn } from "../core/ledger/queries";
import type { SavepointRecord } from "../core/ledger/record";
import { savepointsIn } from "../core/model/checkpoint";
import { isSameJob, isTerminal, type JobRef } from "../core/model/job";
import { tickDescription, tickId } from "../core/schedule/tick";
import type { AttemptEnd, Tick } from "./scheduler";
import { unlessUnknown } from "./following";
import type { SavepointService, SavepointWorld } from "./savepoints";

/** Takes the savepoints of schedules: finds the job by its name, waits or skips when it is busy, and never takes a run's savepoint twice. */
export class ScheduledSavepoints {
  readonly #world: Pick<SavepointWorld, "clusters" | "ledger" | "clock" | "log">;
  readonly #savepoints: SavepointService;
  /** Takes over what dead processes left open in the ledger. */
  readonly #reconcile: () => Promise<unknown>;
  readonly #pollMs: number;
  /** Runs of this process that are about to be written down, by job. */
  readonly #beginning = new Map<string, object>();

  constructor(world: Pick<SavepointWorld, "clusters" | "ledger" | "clock" | "log">, savepoints: SavepointService, reconcile: () => Promise<unknown>, pollMs = 2_000) {
    this.#world = world;
    this.#savepoints = savepoints;
    this.#reconcile = reconcile;
    this.#pollMs = pollMs;
  }

  /** One attempt at a run's savepoint; one that was begun before, by whichever process, is followed instead. Rejects only when aborted. */
  async attempt(tick: Tick, signal: AbortSignal): Promise<AttemptEnd> {
    try {
      return await this.#attempt(tick, signal);
    } catch (error) {
      if (isAbort(error) || signal.aborted) throw error;
      return failed(error);
    }
  }

  async #attempt(tick: Tick, signal: AbortSignal): Promise<AttemptEnd> {
    const { inForce, atMs } = tick;
    const { schedule } = inForce;
    let why = "";
    for (let attempt = 0; ; attempt++) {
      const begun = await this.#world.ledger.get(tickId(inForce.key, atMs, attempt));
      if (begun?.kind !== "savepoint") return attempt <= schedule.retries ? this.#begin(tick, attempt, why, signal) : { end: "failed", why, again: false };
      const record = await this.#ended(begun, signal);
      if (record.state === "completed") return { end: "taken", record };
      why = record.failure?.message ?? "";
      if (record.state === "unknown") return { end: "failed", why: "Flink forgot how it ended, so it is not tried again.", again: false };
    }
  }

  async #begin(tick: Tick, attempt: number, lastFailure: string, signal: AbortSignal): Promise<AttemptEnd> {
    const { clock, clusters } = this.#world;
    const { inForce, atMs } = tick;
    const { schedule, cluster } = inForce;
    let waited = false;
    for (;;) {
      if (clock.now() > (attempt === 0 && !waited ? tick.firstUntilMs : tick.laterUntilMs)) {
        if (waited) return { end: "skipped", why: "Another savepoint of the job was under way until the next run was due." };
        return attempt === 0 ? { end: "late" } : { end: "failed", why: lastFailure, again: false };
      }
      const jobs = (await clusters.client(cluster).jobs(signal)).filter(({ name, state }) => name === schedule.job && !isTerminal(state));
      const [found, second] = jobs;
      if (found === undefined) return { end: "skipped", why: `No job named ${schedule.job} was running.` };
      if (second !== undefined) return { end: "skipped", why: `${jobs.length} jobs named ${schedule.job} were running, and which one is meant is not known.` };
      if (found.state !== "RUNNING") return { end: "skipped", why: `The job was ${found.state}.` };
      const job: JobRef = { cluster, jobId: found.jobId };
      const { isFirst, done } = this.#announce(job);
      try {
        if (isFirst && !(await this.#isBusy(job, signal))) return await this.#take(tick, job, attempt, done, signal);
      } finally {
        done();
      }
      if (schedule.whenBusy === "skip") return { end: "skipped", why: "Another savepoint of the job was under way." };
      waited = true;
      await clock.sleep(this.#pollMs, signal);
      if (!(await tick.isOurs())) return { end: "late" };
      this.#world.log.debug(`schedule “${schedule.name}”: the run of ${new Date(atMs).toISOString()} waits for another savepoint`);
    }
  }

  async #take(tick: Tick, job: JobRef, attempt: number, written: () => void, signal: AbortSignal): Promise<AttemptEnd> {
    const { clock, ledger } = this.#world;
    const { inForce, atMs } = tick;
    const { schedule } = inForce;
    const decidedMs = clock.now();
    let late = false;
    const mayGoOn = async (): Promise<void> => {
      // This process, or the machine, may have slept since; then another has taken over, or the time is gone.
      late = clock.now() > decidedMs + tick.graceMs || !(await tick.isOurs());
      written();
      if (late) throw new DOMException("too late", "AbortError");
    };
    const recordId = tickId(inForce.key, atMs, attempt);
    try {
      const record = await this.#savepoints.triggerForTick(
        job, { directory: schedule.directory ?? null, format: schedule.format, description: tickDescription(schedule, atMs) },
        { recordId, name: schedule.name, tickAtMs: atMs, attempt, mayGoOn }, { signal, report: () => undefined },
      );
      return { end: "taken", record };
    } catch (error) {
      if (late) return { end: "late" };
      if (isAbort(error) || signal.aborted) throw error;
      if (isFlinkError(error, "refused")) {
        const rules = error.facts.refusals.map(({ rule }) => rule);
        if (rules.some((rule) => rule === "job-not-running" || rule === "operation-running")) return { end: "skipped", why: explain(error).message };
        return { end: "failed", why: explain(error).message, again: rules.includes("tasks-not-running") };
      }
      const record = await ledger.get(recordId);
      return failed(error, record?.kind !== "savepoint" || record.state !== "unknown");
    }
  }

  /** Whether a savepoint, a stop or a start of the job is under way, ours or somebody else's. */
  async #isBusy(job: JobRef, signal: AbortSignal): Promise<boolean> {
    const operations = operationsIn(await this.#world.ledger.all());
    if (operations.some((operation) => operation.what !== "disposal" && isSameJob(operation, job))) return true;
    const overview = await unlessUnknown(this.#world.clusters.client(job.cluster).checkpoints(job.jobId, signal));
    return savepointsIn(overview).some(({ status }) => status === "in-progress");
  }

  /** Two runs that are due at once must not both find the job idle: the later one sees the earlier until that is in the ledger. */
  #announce(job: JobRef): { readonly isFirst: boolean; done(): void } {
    const key = keyOf(job);
    if (this.#beginning.has(key)) return { isFirst: false, done: () => undefined };
    const mine = {};
    this.#beginning.set(key, mine);
    return { isFirst: true, done: () => void (this.#beginning.get(key) === mine && this.#beginning.delete(key)) };
  }

  /** Waits for the end of a savepoint that some process takes; when that one died it is taken over. */
  async #ended(record: SavepointRecord, signal: AbortSignal): Promise<SavepointRecord> {
    const { ledger, clock, log } = this.#world;
    for (let now = record; ; ) {
      if (now.state !== "requested" && now.state !== "running") return now;
      await this.#reconcile().catch((error: unknown) => log.warn("taking over what another process left", error));
      await clock.sleep(this.#pollMs, signal);
      const read = await ledger.get(record.id);
      if (read?.kind === "savepoint") now = read;
    }
  }
}

function failed(error: unknown, again = true): AttemptEnd {
  return { end: "failed", why: isFlinkError(error) ? explain(error).message : String(error), again: again && !isFlinkError(error, "cluster-unknown", "location-invalid", "unauthorized") };
}

const keyOf = (job: JobRef): string => `${job.cluster} ${job.jobId}`;
