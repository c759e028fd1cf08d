import { Backoff, isAbort, mapLimit, unlessAborted } from "../core/base/async";
import { clocksDiffer } from "../core/cleanup/plan";
import { FlinkError, isFlinkError, type ErrorFacts, type JobNamed, type Refusal } from "../core/errors";
import { disposalVerdict, latestCheckpoint, runningFrom, type JobSeen, type TypingReason } from "../core/guards";
import { filesOf, lostItsMetadata, mayHaveStarted, metadataGone, type LedgerRecord, type SavepointRecord } from "../core/ledger/record";
import { isStarting, isTerminal, type JobSummary } from "../core/model/job";
import { savepointsAt } from "../core/ledger/queries";
import { placeKey } from "../core/model/location";
import type { ClusterClient, Run, StorageLook } from "../core/ports";
import { shortReason } from "../core/rowText";
import { savepointName, shortId } from "../core/wording";
import { unlessUnknown } from "./following";
import { readRecord } from "./ledgerReads";
import { pinnedBeside } from "./pinnedBeside";
import { realPlaces, vanishedPlaces } from "./realPlaces";
import { failureOf, mayHaveArrived, refuseIf, unlessUnwritable } from "./requestErrors";
import type { SavepointWorld } from "./savepoints";

/** What a person must know, and may have to do, before a savepoint is disposed of. */
export interface DisposalCheck {
  readonly record: SavepointRecord;
  readonly refusals: readonly Refusal[];
  /** Null when the job's name need not be typed. */
  readonly typing: TypingReason | null;
  /** Names of other clusters that could not be asked whether a job of theirs came from it. */
  readonly unreachable: readonly string[];
  /** Files of the ledger that can't be read, and may say who needs it. */
  readonly unread: readonly string[];
  /** Jobs that were started from it at any time, as far as we know. */
  readonly restored: readonly JobNamed[];
}

/** Jobs that run, and the clusters that could not be asked for theirs. */
export interface WhoRuns {
  readonly jobs: readonly JobSeen[];
  readonly unreachable: readonly { readonly name: string; readonly url: string; readonly reason: string }[];
  /** How far this machine's clock is ahead of that of the cluster that it is about, milliseconds; null when no job there tells the time. */
  readonly clockAheadMs: number | null;
}

/** A check with what it was made from. */
export interface RuleCheck extends DisposalCheck {
  /** The savepoint, all records and all jobs, with the links in their places followed. */
  readonly weighed: { readonly record: SavepointRecord; readonly records: readonly LedgerRecord[]; readonly jobs: readonly JobSeen[] };
  readonly jobs: readonly JobSeen[];
  readonly unchecked: WhoRuns["unreachable"];
  readonly clockAheadMs: WhoRuns["clockAheadMs"];
}

type Gone = ErrorFacts["disposal-failed"]["gone"];

/** Disposes of savepoints through the cluster that took them (C-31…C-34): checked, written down, then called; believed only when seen. */
export class DisposalService {
  readonly #world: SavepointWorld;
  readonly #look: StorageLook;
  readonly #following = new Map<string, Promise<SavepointRecord>>();

  constructor(world: SavepointWorld, look: StorageLook) {
    this.#world = world;
    this.#look = look;
  }

  /** Asks every running job of every cluster what it was restored from, and weighs the answer (safety rule 1). Throws when the savepoint's own cluster can't be asked. */
  async check(recordId: string, run: Run): Promise<DisposalCheck> {
    return this.#weigh(recordId, run);
  }

  /**
   * As `check`, for a rule that acts with nobody there to answer a question: a cluster that could not be asked, a name that would have to be typed,
   * and a job that runs and came from the savepoint, however long ago, refuse too. Throws `refused`.
   */
  async checkByRule(recordId: string, run: Run): Promise<RuleCheck> {
    const check = await this.#weigh(recordId, run);
    refuseIf("removed by a rule", subjectOf(check.record), ruleRefusals(check));
    return check;
  }

  /**
   * What speaks against removing a savepoint once that is written down, from those that were faster: a restore from it may have begun, or its
   * place been pinned, since it was weighed. Each side looks only after it has written: at least one sees the other, and steps back.
   */
  async rivals({ record: { id, disposal }, jobs }: RuleCheck): Promise<readonly Refusal[]> {
    const records = (await this.#world.ledger.all()).map((other) => (other.id === id && other.kind === "savepoint" ? { ...other, disposal } : other));
    const real = await realPlaces(this.#look, records, jobs);
    const record = real.records.find((other): other is SavepointRecord => other.id === id && other.kind === "savepoint");
    return record === undefined ? [] : [...disposalVerdict(record, real.records, real.jobs).refusals, ...(await this.#pinsAt(record, records))];
  }

  /** Every job that runs, on any cluster, with what it was restored from, and the clusters that did not answer. Throws when the cluster that it is about can't be asked. */
  async whoRuns(cluster: string, run: Run): Promise<WhoRuns> {
    const { clusters } = this.#world;
    await clusters.info(cluster, run.signal);
    const unreachable: { readonly name: string; readonly url: string; readonly reason: string }[] = [];
    const running: { cluster: string; job: JobSummary }[] = [];
    let clockAheadMs: number | null = null;
    run.report({ message: "Asking every cluster for its jobs" });
    await mapLimit(clusters.list().filter(({ removed }) => !removed), 8, async ({ profile }) => {
      try {
        const found = await clusters.client(profile.url).jobs(run.signal);
        for (const job of found) if (!isTerminal(job.state)) running.push({ cluster: profile.url, job });
        if (profile.url === cluster) clockAheadMs = await this.#clockAhead(clusters.client(cluster), found, run.signal);
      } catch (error) {
        if (isAbort(error) || profile.url === cluster) throw error;
        unreachable.push({ name: profile.name, url: profile.url, reason: isFlinkError(error) ? shortReason(error) : String(error) });
      }
    });
    let asked = 0;
    const jobs = await mapLimit(running, 8, async ({ cluster: url, job }): Promise<JobSeen> => {
      const seen = await this.#lookAt(clusters.client(url), job, run.signal);
      run.report({ message: `${++asked} of ${running.length} running jobs checked`, percent: (100 * asked) / running.length });
      return { job: { jobId: job.jobId, name: job.name }, seen };
    });
    return { jobs, unreachable, clockAheadMs };
  }

  /** Any job tells what its JobManager's clock says (`now` of `GET /jobs/:id`). */
  async #clockAhead(client: ClusterClient, jobs: readonly JobSummary[], signal: AbortSignal): Promise<number | null> {
    const job = jobs.find(({ state }) => !isTerminal(state)) ?? jobs[0];
    if (job === undefined) return null;
    try {
      const askedMs = this.#world.clock.now();
      const { nowMs } = await client.job(job.jobId, signal);
      return (askedMs + this.#world.clock.now()) / 2 - nowMs;
    } catch (error) {
      if (isAbort(error)) throw error;
      return null;
    }
  }

  async #weigh(recordId: string, run: Run): Promise<RuleCheck> {
    const record = await readRecord(this.#world.ledger, "savepoint", recordId);
    const { jobs, unreachable, clockAheadMs } = await this.whoRuns(record.cluster.url, run);
    const real = await realPlaces(this.#look, [record, ...(await this.#world.ledger.all()).filter(({ id }) => id !== recordId)], jobs);
    const { records } = real;
    const weighed = { ...real, record: records[0] as SavepointRecord };
    const verdict = disposalVerdict(weighed.record, records, real.jobs, await vanishedPlaces(this.#look, records, record.cluster.url, record.job.name));
    const path = weighed.record.path === null ? null : placeKey(weighed.record.path);
    const restored = records.flatMap((other) => (other.kind === "restore" && path !== null && other.savepoint !== null && mayHaveStarted(other) && placeKey(other.savepoint.path) === path ? [{ jobId: other.id, name: other.jobName }] : []));
    // A job that was restored with LEGACY may refer to its files for as long as it lives.
    const legacy = unreachable.filter(({ url }) => path !== null && records.some((other) => other.kind === "restore" && other.claimMode === "LEGACY" && other.endedAtMs === null && mayHaveStarted(other) && other.cluster.url === url && other.savepoint !== null && placeKey(other.savepoint.path) === path));
    const refusals = [...verdict.refusals, ...(await this.#pinsAt(weighed.record, [record])), ...legacy.map(({ name, reason }): Refusal => ({ rule: "cluster-unchecked", cluster: name, reason }))];
    return { record, refusals, typing: verdict.typing, unreachable: unreachable.map(({ name }) => name), unchecked: unreachable, unread: this.#world.ledger.damaged().map(({ file }) => file), restored, jobs, weighed, clockAheadMs };
  }

  /**
   * Checks again, writes the intention down, calls Flink, and reports "disposed" only when Flink says so or the files are seen to be gone. `by` is a
   * person who confirmed it, and was told of the clusters that do not answer (`unreachable`), or a rule, for which `checkByRule` decides. Throws `refused`, `disposal-failed`.
   */
  async dispose(recordId: string, by: { readonly typedJobName: string | null; readonly unreachable?: readonly string[] } | "rule", run: Run): Promise<SavepointRecord> {
    const { ledger, clock, follower, self } = this.#world;
    const check = await (by === "rule" ? this.checkByRule(recordId, run) : this.#weigh(recordId, run));
    const subject = subjectOf(check.record);
    const refusals = [...check.refusals];
    if (by !== "rule" && check.typing !== null && by.typedJobName !== check.record.job.name && refusals.length === 0) refusals.push({ rule: "only-completed" });
    if (by !== "rule" && by.unreachable !== undefined) for (const { name, reason } of check.unchecked) if (!by.unreachable.includes(name)) refusals.push({ rule: "cluster-unchecked", cluster: name, reason });
    refuseIf("disposed of", subject, refusals);
    const seen = (await this.#look.savepoint(filesOf(check.record))) === "metadata";
    await ledger.update<SavepointRecord>(recordId, "disposal requested", (record) => {
      if (record.disposal?.state === "requested") refuseIf("disposed of", subject, [{ rule: "disposal-running" }]);
      if (record.disposal?.state === "disposed") refuseIf("disposed of", subject, [{ rule: "already-disposed" }]);
      if (record.pinned) refuseIf("disposed of", subject, [{ rule: "pinned" }]);
      return { ...record, disposal: { state: "requested", requestedAtMs: clock.now(), requestId: null, endedAtMs: null, message: null, owner: self, seen } };
    });
    await this.#refuseRivals(check, subject);
    run.report({ message: "Flink disposes of it" });
    const release = follower.hold(recordId);
    const outcome = this.#send(recordId).then(() => this.follow(recordId)).finally(release);
    outcome.catch(() => undefined);
    return unlessAborted(outcome, run.signal);
  }

  /** Follows a disposal to its outcome, also one begun before a restart; a second call joins the first. Flink takes no id of ours for it, so nothing is ever sent again: the files tell. */
  follow(recordId: string): Promise<SavepointRecord> {
    let following = this.#following.get(recordId);
    if (following === undefined) {
      following = this.#untilSettled(recordId).finally(() => this.#following.delete(recordId));
      following.catch(() => undefined);
      this.#following.set(recordId, following);
    }
    return following;
  }

  async #untilSettled(recordId: string): Promise<SavepointRecord> {
    const { clusters, clock, follower } = this.#world;
    const pause = new Backoff(200, 2_000);
    const down = new Backoff(1_000, 30_000);
    for (;;) {
      const record = await readRecord(this.#world.ledger, "savepoint", recordId);
      if (record.disposal?.state !== "requested") return this.#settle(record);
      const { requestId } = record.disposal;
      try {
        if (requestId === null) {
          await this.#settleByLooking(record, record.disposal.message ?? "The answer to the request was lost.");
          continue;
        }
        const status = await clusters.client(record.cluster.url).disposalStatus(requestId, follower.life);
        down.reset();
        if (status.state === "completed") await this.#end(record, "Flink reports it disposed", "disposed", null);
        else if (status.state === "failed") await this.#settleByLooking(record, status.failure.message);
        else if (status.state === "forgotten") await this.#settleByLooking(record, "Flink no longer knows the request.");
        else await clock.sleep(pause.next(), follower.life);
      } catch (error) {
        if (isAbort(error) || isFlinkError(error, "ledger-record-damaged", "refused")) throw error;
        this.#world.log.debug(`following the disposal of ${recordId}`, error);
        await clock.sleep(down.next(), follower.life);
      }
    }
  }

  async #refuseRivals(check: RuleCheck, subject: string): Promise<void> {
    try {
      refuseIf("disposed of", subject, await this.rivals(check));
    } catch (error) {
      await this.#world.ledger.update<SavepointRecord>(check.record.id, "not sent", (open) => ({ ...open, disposal: check.record.disposal }));
      throw error;
    }
  }

  async #send(recordId: string): Promise<void> {
    const { clusters, ledger, follower } = this.#world;
    const record = await readRecord(this.#world.ledger, "savepoint", recordId);
    try {
      const requestId = await clusters.client(record.cluster.url).dispose(filesOf(record), follower.life);
      await unlessUnwritable(ledger.update<SavepointRecord>(recordId, "Flink accepted the disposal", (open) => (open.disposal === null ? open : { ...open, disposal: { ...open.disposal, requestId } })), this.#world.log);
    } catch (error) {
      if (isAbort(error) || isFlinkError(error, "ledger-unwritable")) throw error;
      if (!mayHaveArrived(error)) {
        await ledger.update<SavepointRecord>(recordId, "the disposal did not reach Flink, or Flink refused it", (open) => ({ ...open, disposal: null }));
        throw error;
      }
      this.#world.log.warn(`the answer to disposing of ${recordId} was lost; looking at the files`, failureOf(error));
      if (!isFlinkError(error, "flink-failed")) return;
      const { message } = error.facts;
      await unlessUnwritable(ledger.update<SavepointRecord>(recordId, "Flink answered with a failure", (open) => (open.disposal === null ? open : { ...open, disposal: { ...open.disposal, message } })), this.#world.log);
    }
  }

  /**
   * Disposal can report failure with the data gone (a foreign file in the folder), and its answer can be lost: what lies there decides. That
   * nothing lies there decides only where something was seen before, since another machine may have a directory of the same name, or where
   * Flink itself finds nothing.
   */
  async #settleByLooking(record: SavepointRecord, message: string): Promise<void> {
    const { clock, follower } = this.#world;
    let gone: Gone;
    // A request whose answer was lost may still be on its way, or at work: files that are there now are looked at again for a while.
    const lost = record.disposal !== null && record.disposal.requestId === null ? record.disposal : undefined;
    const untilMs = lost === undefined ? 0 : Math.max(lost.requestedAtMs + follower.receiveGraceMs, clock.now() + 4_000);
    for (;;) {
      gone = goneOf[await this.#look.savepoint(filesOf(record))];
      if (gone === "gone" || clock.now() >= untilMs) break;
      await clock.sleep(500, follower.life);
    }
    if (gone !== "there" && record.disposal?.seen !== true) gone = flinkFindsNothing(message) ? "gone" : "unknown";
    if (gone === "gone") await this.#end(record, `the files are gone (${message})`, "disposed", null);
    else if (gone === "unknown") await this.#end(record, `outcome unknown: ${message}`, "unknown", message);
    else await this.#end(record, `failed: ${message}`, "failed", `${gone === "partly" ? `${metadataGone}, other files are left` : "the files are still there"}: ${message}`);
  }

  #settle(record: SavepointRecord): SavepointRecord {
    const disposal = record.disposal;
    if (disposal?.state === "disposed") return record;
    const gone: Gone = disposal?.state === "unknown" || disposal === null ? "unknown" : lostItsMetadata(record) ? "partly" : "there";
    throw new FlinkError("disposal-failed", { path: filesOf(record), message: disposal?.message ?? "Flink gives no reason", gone });
  }

  async #end(record: SavepointRecord, event: string, state: "disposed" | "failed" | "unknown", message: string | null): Promise<void> {
    const { ledger, clock } = this.#world;
    await ledger.update<SavepointRecord>(record.id, event, (open) => (open.disposal?.state === "requested" ? { ...open, disposal: { ...open.disposal, state, endedAtMs: clock.now(), message } } : open));
  }

  /** Marks of pins beside it, under each path that it is known by and where it lies aside, unless its own record says so already. */
  async #pinsAt(record: SavepointRecord, asWritten: readonly LedgerRecord[]): Promise<readonly Refusal[]> {
    if (record.pinned) return [];
    const own = asWritten.find(({ id }) => id === record.id);
    return pinnedBeside(this.#world.pins, [record, own].flatMap((one) => (one?.kind === "savepoint" ? [one.path, filesOf(one)] : [])));
  }

  async #lookAt(client: ClusterClient, job: JobSummary, signal: AbortSignal): Promise<JobSeen["seen"]> {
    try {
      const overview = await unlessUnknown(client.checkpoints(job.jobId, signal));
      if (isStarting(job.state) && (overview?.latest.restored ?? null) === null) return { error: "it is only starting" };
      if (overview === undefined) return { restored: null, completedCheckpointId: null, checkpointIntervalMs: null };
      const { restored } = overview.latest;
      const config = restored === null ? undefined : await unlessUnknown(client.checkpointConfig(job.jobId, signal));
      return { restored, completedCheckpointId: latestCheckpoint(overview)?.checkpointId ?? null, checkpointIntervalMs: config?.intervalMs ?? null };
    } catch (error) {
      if (isAbort(error)) throw error;
      return { error: isFlinkError(error) ? shortReason(error) : `job ${shortId(job.jobId)} did not answer` };
    }
  }
}

function subjectOf(record: SavepointRecord): string {
  return `${savepointName(record)} of ${record.job.name}`;
}

/** What refuses a rule, where a person would be asked. */
function ruleRefusals(check: RuleCheck): Refusal[] {
  const { record, records, jobs } = check.weighed;
  const refusals = [...check.refusals];
  if (check.typing === "only-completed") refusals.push({ rule: "only-completed" });
  if (record.forgotten || (record.path !== null && savepointsAt(placeKey(record.path), records).some(({ forgotten }) => forgotten))) refusals.push({ rule: "forgotten" });
  for (const by of runningFrom(record, records, jobs)) if (!refusals.some((refusal) => "by" in refusal && refusal.by.jobId === by.jobId)) refusals.push({ rule: "restore-source", by });
  if (check.clockAheadMs !== null && clocksDiffer(check.clockAheadMs)) refusals.push({ rule: "clock-differs", aheadMs: check.clockAheadMs });
  for (const file of check.unread) refusals.push({ rule: "ledger-unread", file });
  for (const { name, reason } of check.unchecked) if (!refusals.some((refusal) => refusal.rule === "cluster-unchecked" && refusal.cluster === name)) refusals.push({ rule: "cluster-unchecked", cluster: name, reason });
  return refusals;
}

/** How Flink says that there is no savepoint at a path (`AbstractFsCheckpointStorageAccess.resolveCheckpointPointer`). */
function flinkFindsNothing(message: string): boolean {
  return /Cannot find checkpoint or savepoint file\/directory /.test(message);
}

const goneOf: Record<Awaited<ReturnType<StorageLook["savepoint"]>>, Gone> = { metadata: "there", partly: "partly", missing: "gone", unreachable: "unknown" };
