import { isAbort, mapLimit } from "../core/base/async";
import type { Disposable } from "../core/base/disposable";
import { Emitter } from "../core/base/event";
import { asidePlace } from "../core/cleanup/aside";
import { freedBytes, isVictim, limitedTo, planCleanup, type CleanupFacts, type CleanupPlan, type CleanupRow, type Hit, type Shown } from "../core/cleanup/plan";
import { cleanupRecordId, rulesKey, type CleanupRules, type FindCleanup, type JobCleanup } from "../core/cleanup/rules";
import { hitText } from "../core/cleanup/cleanupText";
import { waitingIn, type CleanupWaiting } from "../core/cleanup/waiting";
import { localPath } from "../core/model/location";
import { filesOf, lostItsMetadata, recordVersion, type CleanupRecord, type SavepointRecord } from "../core/ledger/record";
import type { AsideStorage, Liveness, ProcessIdentity, Run, StorageLook } from "../core/ports";
import { savepointName } from "../core/wording";
import type { DisposalService } from "./disposals";
import { readRecord } from "./ledgerReads";
import { pinnedBeside } from "./pinnedBeside";
import { realPlaces, vanishedPlaces } from "./realPlaces";
import { failureOf, refuseIf, unlessUnwritable } from "./requestErrors";
import type { SavepointWorld } from "./savepoints";
import { mayBeAtWork } from "./takeover";

/** A job as cleanup follows it: by its name, since ids change with every restart. */
export interface CleanupJob {
  readonly cluster: string;
  readonly jobName: string;
}

/** What cleanup needs of the world. */
export interface CleanupWorld {
  readonly shared: SavepointWorld;
  readonly disposals: DisposalService;
  readonly look: StorageLook;
  readonly aside: AsideStorage;
  /** Whether a savepoint is whole and can be moved without breaking; see `InspectionService.isRelocatable`. */
  isRelocatable(location: string, signal: AbortSignal): Promise<boolean>;
  readonly find: FindCleanup;
  /** Names of Paimon tags that somebody keeps and that belong to a savepoint, by the savepoint's record id. */
  tagsNeeded(records: readonly SavepointRecord[], signal: AbortSignal): Promise<ReadonlyMap<string, readonly string[]>>;
  liveness(owner: ProcessIdentity): Liveness;
}

/** What the rules would do now. */
export interface CleanupPreview {
  readonly plan: CleanupPlan;
  readonly state: CleanupState;
}

/** How cleanup of one job stands. */
export interface CleanupState {
  readonly set: JobCleanup;
  /** True when a person saw what these very rules do and switched them on, here. */
  readonly isAgreed: boolean;
  readonly record: CleanupRecord | null;
  /** Savepoints that lie aside and can be put back, newest first. */
  readonly aside: readonly SavepointRecord[];
  /** Savepoints whose removal failed and is tried again. */
  readonly failed: readonly SavepointRecord[];
  /** Removed for good by a rule, newest first. */
  readonly removed: readonly SavepointRecord[];
}

/** What one run did. */
export interface CleanupOutcome {
  readonly job: CleanupJob;
  readonly plan: CleanupPlan;
  /** Record ids, in the order in which they went. */
  readonly removed: readonly string[];
  /** Record ids that were to go, and did not. */
  readonly failed: readonly string[];
  readonly held: "not-agreed" | "pause" | null;
  /** What would have gone by itself and waits; null when nothing does. */
  readonly waiting: CleanupWaiting | null;
}

/** A removal that failed is tried again by itself no sooner. */
const retryAfterMs = 3_600_000;
/** How often it is looked whether something that lies aside is due. */
const lookEveryMs = 300_000;

/**
 * Applies cleanup rules (A-29…A-31). Every removal is weighed again by the guards of *Dispose*, written down, done, and seen, before it is called
 * done. One process works on a job at a time: who does stands in the job's cleanup record, changed by compare-and-swap.
 *
 * A victim's record says `moving`, rivals are looked for once more, its folder is renamed, the record is written again. After a crash the storage
 * tells at which of the two places the folder is: a rename is never at both. When the time to undo is over, Flink disposes of the folder where it lies,
 * whose pointers are relative to it; that was looked up before anything was moved. A folder that a person moved back counts as put back.
 */
export class CleanupService implements Disposable {
  readonly #world: CleanupWorld;
  /** Cleanup records that this process works under. */
  readonly #held = new Set<string>();
  readonly #life = new AbortController();
  readonly #ran: Emitter<CleanupOutcome>;

  constructor(world: CleanupWorld) {
    this.#world = world;
    this.#ran = new Emitter((error) => world.shared.log.error("a listener to cleanup", error));
  }

  /** Fires when a run that nobody asked for has ended, or was held back. */
  get onDidRunByItself(): Emitter<CleanupOutcome>["event"] {
    return this.#ran.event;
  }

  dispose(): void {
    this.#life.abort();
    this.#ran.dispose();
  }

  /** Takes over what a dead process left in the middle, and from then on disposes of what has lain aside for long enough. */
  async start(): Promise<void> {
    const { clock, log } = this.#world.shared;
    try {
      for (;;) {
        await this.settleLeftovers().catch((error: unknown) => log.warn("looking for what cleanup left in the middle", error));
        await this.removeDue().catch((error: unknown) => log.warn("removing what lies aside", error));
        await clock.sleep(lookEveryMs, this.#life.signal);
      }
    } catch (error) {
      if (!isAbort(error)) throw error;
    }
  }

  /** What the rules would do now, all of it looked up and nothing changed. Throws when the job's cluster can't be asked. */
  async preview(job: CleanupJob, run: Run): Promise<CleanupPreview> {
    const state = await this.state(job);
    return { plan: await this.#plan(job, state.set.rules ?? nothing, run, false), state };
  }

  /** How cleanup of a job stands, from the ledger alone. */
  async state({ cluster, jobName }: CleanupJob): Promise<CleanupState> {
    const records = await this.#world.shared.ledger.all();
    const record = records.find((one): one is CleanupRecord => one.kind === "cleanup" && one.id === cleanupRecordId(cluster, jobName)) ?? null;
    const set = this.#world.find(cluster, jobName);
    const touched = records.filter((one): one is SavepointRecord => one.kind === "savepoint" && one.cluster.url === cluster && one.job.name === jobName && one.cleanup !== undefined).sort((a, b) => b.requestedAtMs - a.requestedAtMs);
    const there = touched.filter(({ disposal }) => disposal?.state !== "disposed");
    return {
      set, isAgreed: set.rules !== null && record?.agreed?.rules === rulesKey(set.rules),
      record,
      aside: there.filter(({ cleanup }) => cleanup?.aside?.state === "aside"),
      // Of one whose process died in the middle only the disposal tells.
      failed: there.filter(({ cleanup, disposal }) => cleanup?.failure !== null || disposal?.state === "failed" || disposal?.state === "unknown"),
      removed: touched.filter(({ disposal }) => disposal?.state === "disposed"),
    };
  }

  /** Lets rules act by themselves, as a person who saw their preview wants, or no longer (`null`). */
  async agree(job: CleanupJob, rules: CleanupRules | null): Promise<void> {
    const { clock } = this.#world.shared;
    await this.#update(job, rules === null ? "switched off" : "switched on after a preview", ({ lastRun, ...record }) => ({
      ...record, agreed: rules === null ? null : { rules: rulesKey(rules), atMs: clock.now() }, lastRun: lastRun?.waiting?.for === "not-agreed" ? { ...lastRun, waiting: null } : lastRun,
    }));
  }

  /** Removes what a preview showed; what has changed since stays, and the outcome's plan says so. Throws `refused` while another process cleans up after the job. */
  async run(job: CleanupJob, shown: readonly Shown[], run: Run): Promise<CleanupOutcome> {
    return this.#holding(job, "asked", async () => {
      const plan = limitedTo(shown, await this.#plan(job, this.#world.find(job.cluster, job.jobName).rules ?? nothing, run, false));
      return this.#remove(job, plan, run);
    });
  }

  /**
   * Applies the rules of a job that are switched on and agreed to, and nothing else; undefined when none are switched on. After a pause they wait
   * for a person: `isSeen` tells whether somebody saw this very plan. Throws `refused` while another process cleans up after the job.
   */
  async runAgreed(job: CleanupJob, why: "scheduled" | "asked", run: Run, isSeen: (plan: CleanupPlan) => boolean = () => false): Promise<CleanupOutcome | undefined> {
    const set = this.#world.find(job.cluster, job.jobName);
    if (!set.enabled || set.rules === null) return undefined;
    const { rules } = set;
    return this.#holding(job, why, async () => {
      // The file may say something else by now.
      const isAgreed = (await this.state(job)).record?.agreed?.rules === rulesKey(rules);
      const plan = await this.#plan(job, rules, run, true);
      const held = !isAgreed ? "not-agreed" : plan.pauseMs !== null && !isSeen(plan) ? "pause" : null;
      const waits = waitingIn(plan, held);
      const before = (await this.state(job)).record?.lastRun?.waiting ?? null;
      const waiting = waits === undefined ? null : { ...waits, sinceMs: before?.for === waits.for ? before.sinceMs : this.#world.shared.clock.now() };
      return held === null ? { ...(await this.#remove(job, plan, run)), waiting } : { job, plan, removed: [], failed: [], held, waiting };
    });
  }

  /** After a scheduled savepoint completed: applies the rules that are switched on and agreed to. Never throws. */
  async afterScheduled(record: SavepointRecord): Promise<CleanupOutcome | undefined> {
    const job = { cluster: record.cluster.url, jobName: record.job.name };
    const { log } = this.#world.shared;
    const run: Run = { signal: this.#life.signal, report: ({ message }) => log.debug(`cleanup of ${job.jobName}: ${message}`) };
    try {
      const outcome = await this.runAgreed(job, "scheduled", run);
      if (outcome !== undefined) this.#ran.fire(outcome);
      return outcome;
    } catch (error) {
      if (!isAbort(error)) log.warn(`cleaning up after ${job.jobName}`, failureOf(error).message);
      return undefined;
    }
  }

  /** Tries once more to remove a savepoint whose removal failed. Throws what speaks against it. */
  async retry(recordId: string, run: Run): Promise<void> {
    const record = await readRecord(this.#world.shared.ledger, "savepoint", recordId);
    if (record.cleanup === undefined) refuseIf("removed", nameOf(record), [{ rule: "not-aside" }]);
    const job = { cluster: record.cluster.url, jobName: record.job.name };
    await this.#exclusively(job, async () => {
      if (record.cleanup?.aside?.state === "aside") return this.#finish(record, run, false);
      const rules = this.#world.find(job.cluster, job.jobName).rules ?? nothing;
      const plan = await this.#plan(job, rules, run, false);
      const row = plan.rows.find((one) => one.record.id === recordId);
      if (row === undefined || !isVictim(row)) return this.#letGo(record);
      await this.#removeOne(row, rules, run);
    });
  }

  /** Puts a savepoint that lies aside back where Flink wrote it, and pins it: else the next run would take it again. Throws `refused`, `move-failed`. */
  async undo(recordId: string): Promise<SavepointRecord> {
    const { ledger, clock, self } = this.#world.shared;
    const record = await readRecord(ledger, "savepoint", recordId);
    const mayGoBack = ({ cleanup, disposal }: SavepointRecord): boolean => cleanup?.aside?.state === "aside" && disposal?.state !== "requested" && disposal?.state !== "disposed";
    if (!mayGoBack(record) || lostItsMetadata(record)) refuseIf("put back", nameOf(record), [{ rule: record.disposal?.state === "requested" ? "disposal-running" : "not-aside" }]);
    return this.#exclusively({ cluster: record.cluster.url, jobName: record.job.name }, async () => {
      if (await this.#wasPutBack(record)) return readRecord(this.#world.shared.ledger, "savepoint", recordId);
      const going = await ledger.update<SavepointRecord>(recordId, "being put back", (now) => {
        if (!mayGoBack(now)) refuseIf("put back", nameOf(now), [{ rule: now.disposal?.state === "requested" ? "disposal-running" : "not-aside" }]);
        return withAside(now, { state: "restoring", sinceMs: clock.now(), owner: self });
      });
      try {
        await this.#world.aside.move(filesOf(going), going.path ?? "");
      } catch (error) {
        await this.#settle(going);
        throw error;
      }
      const back = await this.#pinBack(going, putBack, ({ cleanup }) => cleanup?.aside?.state === "restoring");
      await this.#world.aside.tidy(filesOf(going));
      return back;
    });
  }

  /** Disposes of what has lain aside for long enough, weighed once more. */
  async removeDue(): Promise<void> {
    const { ledger, clock, log } = this.#world.shared;
    const nowMs = clock.now();
    for (const record of await ledger.all()) {
      if (record.kind !== "savepoint" || record.cleanup?.aside?.state !== "aside" || record.cleanup.aside.untilMs > nowMs) continue;
      if (record.disposal?.state === "requested" || record.disposal?.state === "disposed") continue;
      // A time that lies ahead is one of a clock that was wrong.
      if (record.cleanup.failure !== null && nowMs >= record.cleanup.triedAtMs && nowMs - record.cleanup.triedAtMs < retryAfterMs) continue;
      try {
        const run: Run = { signal: this.#life.signal, report: () => undefined };
        await this.#exclusively({ cluster: record.cluster.url, jobName: record.job.name }, () => this.#finish(record, run, true));
      } catch (error) {
        if (isAbort(error)) throw error;
        log.info(`${nameOf(record)} stays aside`, failureOf(error).message);
      }
    }
  }

  /** Settles moves that a dead process began: the storage says how far they came. */
  async settleLeftovers(): Promise<void> {
    const { ledger, clock, log } = this.#world.shared;
    for (const record of await ledger.all()) {
      if (record.kind !== "savepoint") continue;
      const aside = record.cleanup?.aside ?? null;
      if (aside === null || aside.state === "aside" || record.disposal?.state === "disposed") continue;
      if (this.#isAtWork(aside.owner, aside.sinceMs, cleanupRecordId(record.cluster.url, record.job.name), clock.now())) continue;
      try {
        await this.#exclusively({ cluster: record.cluster.url, jobName: record.job.name }, () => this.#settle(record));
      } catch (error) {
        if (isAbort(error)) throw error;
        log.info(`${nameOf(record)} was being moved`, failureOf(error).message);
      }
    }
  }

  async #plan({ cluster, jobName }: CleanupJob, rules: CleanupRules, run: Run, isByItself: boolean): Promise<CleanupPlan> {
    const { shared: { ledger, clock, pins }, disposals } = this.#world;
    const { jobs, unreachable, clockAheadMs } = await disposals.whoRuns(cluster, run);
    const records = await ledger.all();
    const asWritten = new Map(records.flatMap((record) => (record.kind === "savepoint" ? [[record.id, record]] : [])));
    const written = (record: SavepointRecord): SavepointRecord => asWritten.get(record.id) ?? record;
    const real = await realPlaces(this.#world.look, records, jobs);
    const vanished = await vanishedPlaces(this.#world.look, real.records, cluster, jobName);
    const facts: Omit<CleanupFacts, "tagsNeeded" | "pinnedBeside"> = { cluster, jobName, rules, ...real, vanished, unchecked: unreachable.map(({ name, reason }) => ({ cluster: name, reason })), unread: ledger.damaged().map(({ file }) => file), clockAheadMs, isByItself, nowMs: clock.now() };
    // Tables and marks are looked at for what would go without them only.
    const going = planCleanup({ ...facts, tagsNeeded: () => [], pinnedBeside: () => [] }).rows.filter(isVictim).map(({ record }) => record);
    const tags = await this.#world.tagsNeeded(going.map(written), run.signal);
    const pinned = new Map(await mapLimit(going, 16, async (record) => [record.id, await pinnedBeside(pins, [record.path, written(record).path])] as const));
    const plan = planCleanup({ ...facts, tagsNeeded: ({ id }) => tags.get(id) ?? [], pinnedBeside: ({ id }) => pinned.get(id) ?? [] });
    const rows = plan.rows.map((row) => ({ ...row, record: written(row.record) }));
    return { ...plan, rows: await mapLimit(rows, 8, async (row) => (isVictim(row) ? { ...row, ...(await this.#removal(row.record, rules, run.signal)) } : row)) };
  }

  /** On disks nothing goes that could not be put back, unless that is not wanted; on other storages Flink disposes of it at once. */
  async #removal({ path }: SavepointRecord, { undoMs }: CleanupRules, signal: AbortSignal): Promise<Pick<CleanupRow, "removal"> | Pick<CleanupRow, "spares">> {
    if (undoMs === 0 || path === null || localPath(path) === undefined) return { removal: "at-once" };
    const sight = await this.#world.look.savepoint(path);
    const obstacle = sight !== "metadata" ? sightText[sight] : (await this.#world.aside.obstacle(path)) ?? ((await this.#world.isRelocatable(path, signal)) ? undefined : "it names files by absolute paths, or could not be read whole");
    return obstacle === undefined ? { removal: "aside" } : { spares: [{ spare: "no-undo", reason: obstacle }] };
  }

  /** Removes the victims of a plan, oldest first: what goes wrong in the middle leaves the newer ones. */
  async #remove(job: CleanupJob, plan: CleanupPlan, run: Run): Promise<CleanupOutcome> {
    const victims = plan.rows.filter(isVictim).reverse();
    const removed: string[] = [];
    const failed: string[] = [];
    for (const [at, row] of victims.entries()) {
      run.signal.throwIfAborted();
      run.report({ message: `${at + 1} of ${victims.length}: ${savepointName(row.record)}`, percent: (100 * at) / victims.length });
      try {
        await this.#removeOne(row, plan.rules, run);
        removed.push(row.record.id);
      } catch (error) {
        if (isAbort(error)) throw error;
        this.#world.shared.log.warn(`${nameOf(row.record)} could not be removed`, failureOf(error).message);
        failed.push(row.record.id);
      }
      await this.#update(job, "at work", (record) => (record.running === null ? record : { ...record, running: { ...record.running, sinceMs: this.#world.shared.clock.now() } }));
    }
    return { job, plan, removed, failed, held: null, waiting: null };
  }

  async #removeOne(row: CleanupRow, rules: CleanupRules, run: Run): Promise<void> {
    const { id } = row.record;
    await this.#note(id, `a cleanup rule chose it: ${row.hits.map(hitText).join(", ")}`, row.hits, null);
    try {
      if (row.removal === "aside") await this.#moveAside(id, rules.undoMs, run);
      else await this.#world.disposals.dispose(id, "rule", run);
    } catch (error) {
      if (!isAbort(error)) await this.#note(id, "the removal failed", row.hits, failureOf(error).message);
      throw error;
    }
  }

  async #moveAside(recordId: string, undoMs: number, run: Run): Promise<void> {
    const { shared: { ledger, clock, self }, disposals } = this.#world;
    const check = await disposals.checkByRule(recordId, run);
    const path = check.record.path ?? "";
    const moving = await ledger.update<SavepointRecord>(recordId, "about to be moved aside", (now) => {
      if (now.disposal?.state === "requested") refuseIf("moved aside", nameOf(now), [{ rule: "disposal-running" }]);
      if (now.disposal?.state === "disposed") refuseIf("moved aside", nameOf(now), [{ rule: "already-disposed" }]);
      if (now.pinned) refuseIf("moved aside", nameOf(now), [{ rule: "pinned" }]);
      if (now.forgotten) refuseIf("moved aside", nameOf(now), [{ rule: "forgotten" }]);
      const nowMs = clock.now();
      return now.cleanup === undefined ? now : { ...now, cleanup: { ...now.cleanup, aside: { path: asidePlace(path), state: "moving", sinceMs: nowMs, untilMs: nowMs + undoMs, owner: self } } };
    });
    try {
      refuseIf("moved aside", nameOf(moving), await disposals.rivals(check));
      run.report({ message: `Moving ${savepointName(moving)} aside` });
      await this.#world.aside.move(path, filesOf(moving));
    } catch (error) {
      await this.#settle(moving);
      throw error;
    }
    await ledger.update<SavepointRecord>(recordId, "moved aside", (now) => withAside(now, { state: "aside", sinceMs: clock.now() }));
  }

  /** Disposes of one that lies aside. What speaks against it now, such as a pin, is noted, and it stays aside. */
  async #finish(record: SavepointRecord, run: Run, isByItself: boolean): Promise<void> {
    const { disposals, aside } = this.#world;
    const hits = record.cleanup?.hits ?? [];
    if (await this.#wasPutBack(record)) return;
    try {
      if (isByItself && (await disposals.checkByRule(record.id, run)).clockAheadMs === null) refuseIf("removed by a rule", nameOf(record), [{ rule: "clock-differs", aheadMs: null }]);
      const tags = (await this.#world.tagsNeeded([record], run.signal)).get(record.id) ?? [];
      refuseIf("removed by a rule", nameOf(record), tags.length === 0 ? [] : [{ rule: "tag-needed", tags }]);
      await disposals.dispose(record.id, "rule", run);
    } catch (error) {
      if (!isAbort(error)) await this.#note(record.id, "the removal failed", hits, failureOf(error).message);
      throw error;
    }
    await aside.tidy(filesOf(record));
  }

  /** A person may have moved its folder back by hand, and counts on it: nothing is disposed of then, not even what still lies aside. */
  async #wasPutBack(record: SavepointRecord): Promise<boolean> {
    const { look } = this.#world;
    const [path, aside] = [record.path ?? "", filesOf(record)];
    if (path === aside || (await look.savepoint(path)) !== "metadata") return false;
    const event = (await look.savepoint(aside)) === "missing" ? "moved back by hand, and pinned" : `copied back by hand, and pinned; what lies in ${aside} is left alone`;
    await this.#pinBack(record, event, ({ cleanup, disposal }) => cleanup?.aside?.state === "aside" && disposal?.state !== "requested");
    return true;
  }

  /** It lies where Flink wrote it again because a person wants it, and is pinned there: else the next run of the rules would take it again. */
  async #pinBack(record: SavepointRecord, event: string, isStillSo: (now: SavepointRecord) => boolean): Promise<SavepointRecord> {
    const { ledger, pins } = this.#world.shared;
    const pinMarked = (await pins.put(record.path ?? "")).marked;
    return ledger.update<SavepointRecord>(record.id, event, (now) => (now.cleanup !== undefined && isStillSo(now) ? { ...now, pinned: true, pinMarked, cleanup: { ...now.cleanup, aside: null, failure: null } } : now));
  }

  /** Looks which of its two places a savepoint is at, and writes that down. A rename is at one of them, never at both. */
  async #settle(record: SavepointRecord): Promise<void> {
    const { ledger } = this.#world.shared;
    const path = record.path ?? "";
    const [there, aside] = [await this.#world.look.savepoint(path), await this.#world.look.savepoint(record.cleanup?.aside?.path ?? "")];
    const isAside = aside === "metadata" && there === "missing";
    const isThere = there === "metadata" && aside === "missing";
    const isMoving = ({ cleanup }: SavepointRecord): boolean => (cleanup?.aside ?? null) !== null && cleanup?.aside?.state !== "aside";
    // A person put it back: the pin must not be lost with the process that did so.
    if (isThere && record.cleanup?.aside?.state === "restoring") return void (await this.#pinBack(record, putBack, isMoving));
    const event = isAside ? "it lies aside" : isThere ? "it lies where Flink wrote it" : "where it lies can't be seen";
    await ledger.update<SavepointRecord>(record.id, event, (now) => {
      if (now.cleanup === undefined || now.cleanup.aside === null || !isMoving(now)) return now;
      if (isAside) return withAside(now, { state: "aside" });
      if (isThere) return { ...now, cleanup: { ...now.cleanup, aside: null } };
      const failure = `It was being moved between ${path} and ${now.cleanup.aside.path}, and neither place can be seen to hold it alone.`;
      // Looked at every few minutes: what is written down already is no news.
      return now.cleanup.failure === failure ? now : { ...now, cleanup: { ...now.cleanup, failure } };
    });
  }

  /** No rule wants it any more: it leaves the list of failures. */
  async #letGo(record: SavepointRecord): Promise<void> {
    await this.#world.shared.ledger.update<SavepointRecord>(record.id, "no rule takes it any more", (now) => (now.cleanup === undefined || now.cleanup.failure === null ? now : { ...now, cleanup: { ...now.cleanup, failure: null } }));
  }

  async #note(recordId: string, event: string, hits: readonly Hit[], failure: string | null): Promise<void> {
    const { ledger, clock } = this.#world.shared;
    await ledger.update<SavepointRecord>(recordId, failure === null ? event : `${event}: ${failure}`, (now) => ({
      ...now, cleanup: { ...now.cleanup, hits: [...hits], triedAtMs: clock.now(), attempts: (now.cleanup?.attempts ?? 0) + (failure === null ? 1 : 0), failure, aside: now.cleanup?.aside ?? null },
    }));
  }

  /** Holds a job for one run and writes down what came of it. */
  async #holding(job: CleanupJob, why: "scheduled" | "asked", work: () => Promise<CleanupOutcome>): Promise<CleanupOutcome> {
    return this.#exclusively(job, async () => {
      const outcome = await work();
      const { plan, removed, failed, held, waiting } = outcome;
      const gone = new Set(removed);
      const freed = freedBytes(plan.rows.filter(({ record }) => gone.has(record.id)));
      await this.#update(job, held === null ? `${removed.length} removed, ${failed.length} failed` : `held back: ${held}`, (record) => ({ ...record, lastRun: { atMs: this.#world.shared.clock.now(), why, removed: removed.length, failed: failed.length, freedBytes: freed, held, waiting } }));
      return outcome;
    });
  }

  /** Works on a job while no other process does; throws `refused` (`cleanup-running`) when one does. */
  async #exclusively<T>(job: CleanupJob, work: () => Promise<T>): Promise<T> {
    const { clock, self, log } = this.#world.shared;
    const id = cleanupRecordId(job.cluster, job.jobName);
    const busy = (sinceMs: number): void => refuseIf("cleaned up after", job.jobName, [{ rule: "cleanup-running", forMs: clock.now() - sinceMs }]);
    if (this.#held.has(id)) busy(clock.now());
    this.#held.add(id);
    try {
      await this.#update(job, "begun", (record) => {
        const { running } = record;
        if (running !== null && running.owner.instance !== self.instance && this.#isAtWork(running.owner, running.sinceMs, id, clock.now())) busy(running.sinceMs);
        return { ...record, running: { owner: self, sinceMs: clock.now() } };
      });
      try {
        return await work();
      } finally {
        // What was removed must be told, whether or not the end of it can be written down.
        await unlessUnwritable(this.#update(job, "ended", (record) => (record.running?.owner.instance === self.instance ? { ...record, running: null } : record)), log);
      }
    } finally {
      this.#held.delete(id);
    }
  }

  #isAtWork(owner: ProcessIdentity, sinceMs: number, id: string, nowMs: number): boolean {
    const liveness = this.#world.liveness(owner);
    return liveness === "self" ? this.#held.has(id) : mayBeAtWork(liveness, nowMs - sinceMs);
  }

  async #update(job: CleanupJob, event: string, change: (record: CleanupRecord) => CleanupRecord): Promise<void> {
    const { ledger, clusters, clock, self } = this.#world.shared;
    const id = cleanupRecordId(job.cluster, job.jobName);
    const fresh: CleanupRecord = {
      kind: "cleanup", version: recordVersion, id, cluster: { name: clusters.get(job.cluster)?.profile.name ?? job.cluster, url: job.cluster }, jobName: job.jobName,
      agreed: null, running: null, lastRun: null, owner: self, trail: [{ atMs: clock.now(), event: "first seen" }],
    };
    if ((await ledger.get(id)) === undefined) await ledger.create(fresh);
    await ledger.update<CleanupRecord>(id, event, change);
  }
}

const sightText = { partly: "its _metadata is gone", missing: "it is not on this machine", unreachable: "it can't be seen from here" } as const;
const putBack = "put back, and pinned so that rules leave it alone";
const nothing: CleanupRules = { keep: null, maxAgeMs: null, undoMs: 0 };

function withAside(record: SavepointRecord, changes: Partial<NonNullable<NonNullable<SavepointRecord["cleanup"]>["aside"]>>): SavepointRecord {
  const { cleanup } = record;
  return cleanup === undefined || cleanup.aside === null ? record : { ...record, cleanup: { ...cleanup, aside: { ...cleanup.aside, ...changes } } };
}

function nameOf(record: SavepointRecord): string {
  return `${savepointName(record)} of ${record.job.name}`;
}
