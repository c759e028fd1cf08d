import { isAbort, KeyedQueue } from "../core/base/async";
import type { Disposable } from "../core/base/disposable";
import { Emitter } from "../core/base/event";
import { isFlinkError } from "../core/errors";
import { explain } from "../core/explain";
import type { SavepointRecord } from "../core/ledger/record";
import { stableId } from "../core/base/murmur3";
import type { Clock, Lease, Log, ScheduleStates } from "../core/ports";
import { blackoutAt, blackoutText } from "../core/schedule/blackout";
import { readCron } from "../core/schedule/cron";
import { cronRuns, effectiveRuns, shortestIntervalMs } from "../core/schedule/cronRuns";
import { withOutcome, type ScheduleState, type TickOutcome } from "../core/schedule/scheduleState";
import type { ScheduleInForce } from "../core/schedule/tick";

/** A run of a schedule that is due. */
export interface Tick {
  readonly inForce: ScheduleInForce;
  /** When it is due, epoch milliseconds. */
  readonly atMs: number;
  /** The first attempt may begin until then. */
  readonly firstUntilMs: number;
  /** Another attempt, or the first after waiting for another savepoint, may begin until then. */
  readonly laterUntilMs: number;
  /** How late a request may leave after it was decided on, milliseconds. */
  readonly graceMs: number;
  /** Whether this process still is the one that runs the schedule. */
  isOurs(): Promise<boolean>;
}

/** How an attempt to take a tick's savepoint ended. `again`: another may do better. `late`: it was too late to begin, so nothing was sent. */
export type AttemptEnd =
  | { readonly end: "taken"; readonly record: SavepointRecord }
  | { readonly end: "skipped"; readonly why: string }
  | { readonly end: "failed"; readonly why: string; readonly again: boolean }
  | { readonly end: "late" };

/** The times that a scheduler keeps. */
export interface SchedulerTiming {
  /** Between two looks at lease and clock, milliseconds. */
  readonly roundMs: number;
  /** How late a run may begin, milliseconds: another process may have to take over first. What is later is missed, and not made up for (rule 9). */
  readonly graceMs: number;
  /** Before a failed savepoint is tried again, milliseconds; each further time twice as long. */
  readonly firstRetryMs: number;
  /** The declared runs after an instant, thinned out; `previousMs` is the last one before. */
  runs(schedule: ScheduleInForce, afterMs: number, previousMs: number | null): Iterable<number>;
  /** Until when a run's savepoint is tried: usually until the next is due. */
  triedUntil(tickAtMs: number, nextMs: number): number;
}

/** What the scheduler needs of the world. */
export interface SchedulerWorld {
  readonly clock: Clock;
  readonly log: Log;
  readonly states: ScheduleStates;
  lease(name: string): Lease;
  attempt(tick: Tick, signal: AbortSignal): Promise<AttemptEnd>;
  readonly timing?: Partial<SchedulerTiming>;
}

/** A run whose savepoint was given up; told once until one succeeds again. */
export interface GivenUp {
  readonly inForce: ScheduleInForce;
  readonly tickAtMs: number;
  readonly why: string;
}

const usual: SchedulerTiming = {
  roundMs: 5_000,
  graceMs: 60_000,
  firstRetryMs: 60_000,
  runs: ({ schedule }, afterMs, previousMs) => {
    const { cron } = readCron(schedule.cron);
    return cron === undefined ? [] : effectiveRuns(cronRuns(cron, schedule.timeZone, afterMs), previousMs ?? -Infinity, shortestIntervalMs);
  },
  triedUntil: (_, nextMs) => nextMs,
};

/** A schedule that this process runs. */
interface Entry {
  inForce: ScheduleInForce;
  state: ScheduleState;
  /** The next run as of `state`, so that it is not computed at every look. */
  nextMs: number | undefined;
  readonly ticks: Map<number, { readonly stop: AbortController; readonly done: Promise<void> }>;
}

/**
 * Runs schedules: of all processes that know a schedule the holder of its lease follows the clock, begins each run when it is due and writes
 * down how it ended. What was due while nobody ran it is missed and never made up for (A-21, rule 9). That no run takes two savepoints does
 * not rest on the lease but on the ids of its attempts (`tickId`), which can be written to the ledger once only.
 */
export class Scheduler implements Disposable {
  readonly #world: SchedulerWorld;
  readonly #timing: SchedulerTiming;
  readonly #life = new AbortController();
  readonly #leases = new Map<string, Lease>();
  readonly #entries = new Map<string, Entry>();
  /** Changes of a schedule's state come one after another, so that the end of a run is not lost to the beginning of another. */
  readonly #writes = new KeyedQueue();
  readonly #changed: Emitter<string>;
  readonly #taken: Emitter<SavepointRecord>;
  readonly #givenUp: Emitter<GivenUp>;
  #schedules: readonly ScheduleInForce[] = [];
  #wake = new AbortController();
  #rounds: Promise<void> | undefined;
  #trouble = "";

  /** Fires with a schedule's key when its state changed here, and when this process begins or ceases to run it. */
  readonly onDidChange;
  /** Fires after a run's savepoint completed. */
  readonly onDidTake;
  readonly onDidGiveUp;

  constructor(world: SchedulerWorld) {
    this.#world = world;
    this.#timing = { ...usual, ...world.timing };
    const failed = (error: unknown): void => world.log.error("a listener to schedules", error);
    this.#changed = new Emitter(failed);
    this.#taken = new Emitter(failed);
    this.#givenUp = new Emitter(failed);
    this.onDidChange = this.#changed.event;
    this.onDidTake = this.#taken.event;
    this.onDidGiveUp = this.#givenUp.event;
  }

  /** The schedules to run from now on, each key once. The first call starts the clock. */
  setSchedules(schedules: readonly ScheduleInForce[]): void {
    this.#schedules = schedules;
    this.#wake.abort();
    if (schedules.length > 0) this.#rounds ??= this.#goRound();
  }

  /** Whether this process runs the schedule: it has its lease. */
  runsHere(key: string): boolean {
    return this.#entries.has(key);
  }

  /** What is known of a schedule, whichever process runs it. */
  async state(key: string): Promise<ScheduleState | undefined> {
    return this.#entries.get(key)?.state ?? this.#world.states.get(key);
  }

  /** The runs after an instant as they will be, the declared ones thinned out. */
  runs(inForce: ScheduleInForce, state: ScheduleState | undefined, afterMs: number): Iterable<number> {
    return this.#timing.runs(inForce, afterMs, state?.lastTickAtMs ?? null);
  }

  /** Lets go of what this process runs, so that another takes over at once; savepoints under way go on at Flink. */
  async stop(): Promise<void> {
    this.#life.abort();
    this.#wake.abort();
    await this.#rounds;
    const ticks = [...this.#entries.values()].flatMap((entry) => [...entry.ticks.values()]);
    for (const { stop } of ticks) stop.abort();
    await Promise.all(ticks.map(({ done }) => done));
    for (const lease of this.#leases.values()) await lease.release().catch((error: unknown) => this.#world.log.debug("giving up a lease", error));
  }

  dispose(): void {
    void this.stop().finally(() => {
      this.#changed.dispose();
      this.#taken.dispose();
      this.#givenUp.dispose();
    });
  }

  async #goRound(): Promise<void> {
    const { clock, log } = this.#world;
    while (!this.#life.signal.aborted) {
      // Whatever was set before counts in this round.
      this.#wake = new AbortController();
      let isBroken = false;
      try {
        await this.#round();
        this.#trouble = "";
      } catch (error) {
        isBroken = true;
        const trouble = isFlinkError(error) ? explain(error).message : String(error);
        if (trouble !== this.#trouble) log.warn(`schedules: ${trouble}`, error);
        this.#trouble = trouble;
      }
      // A run that is due and can't be begun is no reason to look again at once, and again.
      const nextMs = isBroken ? Infinity : Math.min(...[...this.#entries.values()].map((entry) => entry.nextMs ?? Infinity));
      await clock.sleep(Math.max(0, Math.min(this.#timing.roundMs, nextMs - clock.now())), this.#wake.signal).catch(() => undefined);
    }
  }

  async #round(): Promise<void> {
    const groups = new Map<string, ScheduleInForce[]>();
    for (const inForce of this.#schedules) {
      const name = leaseName(inForce);
      groups.set(name, [...(groups.get(name) ?? []), inForce]);
    }
    const keys = new Set(this.#schedules.map(({ key }) => key));
    for (const [key, entry] of this.#entries) if (!keys.has(key)) this.#letGo(key, entry);
    for (const [name, lease] of this.#leases) {
      if (groups.has(name)) continue;
      this.#leases.delete(name);
      await lease.release();
    }
    for (const [name, schedules] of groups) {
      const lease = this.#leases.get(name) ?? this.#world.lease(name);
      this.#leases.set(name, lease);
      const held = await lease.hold();
      for (const inForce of schedules) {
        const entry = this.#entries.get(inForce.key);
        if (held) await this.#advance(inForce, lease);
        else if (entry !== undefined) this.#letGo(inForce.key, entry);
      }
    }
  }

  /** Another process runs it from now on, or nobody. */
  #letGo(key: string, entry: Entry): void {
    this.#entries.delete(key);
    for (const { stop } of entry.ticks.values()) stop.abort();
    this.#changed.fire(key);
  }

  async #advance(inForce: ScheduleInForce, lease: Lease): Promise<void> {
    const entry = this.#entries.get(inForce.key) ?? (await this.#takeOn(inForce, lease));
    const nowMs = this.#world.clock.now();
    if (entry.inForce.schedule !== inForce.schedule) entry.nextMs = undefined;
    entry.inForce = inForce;
    let late: readonly number[] = [];
    let begun: readonly number[] = [];
    // Written down before anything is sent, so that whoever takes over knows of it.
    const changed = await this.#write(entry, (before) => {
      const decided = this.#decide(entry, before, nowMs);
      ({ late, begun } = decided);
      return decided.state;
    });
    if (!changed) return;
    if (late.length > 0) this.#world.log.warn(`${nameOf(inForce)}: ${late.length} ${late.length === 1 ? "run was" : "runs were"} missed, since nothing ran the schedule then`);
    for (const atMs of begun) this.#begin(entry, atMs, lease);
    this.#changed.fire(inForce.key);
  }

  /** The state as of now, with the runs that are due, and those of them that are too late. */
  #decide(entry: Entry, before: ScheduleState, nowMs: number): { readonly state: ScheduleState; readonly late: readonly number[]; readonly begun: readonly number[] } {
    const { inForce } = entry;
    const state = asOf(before, inForce, nowMs);
    if (state === before && (state.paused || (entry.nextMs !== undefined && nowMs < entry.nextMs))) return { state, late: [], begun: [] };
    const due: number[] = [];
    entry.nextMs = undefined;
    if (!state.paused) {
      for (const run of this.#timing.runs(inForce, state.decidedUpToMs, state.lastTickAtMs)) {
        entry.nextMs = run;
        if (run > nowMs) break;
        due.push(run);
        entry.nextMs = undefined;
      }
    }
    const late = due.filter((run) => run < nowMs - this.#timing.graceMs);
    const begun = due.slice(late.length);
    let next = state;
    const [firstLate] = late;
    if (firstLate !== undefined) next = withOutcome(next, { what: "missed", tickAtMs: firstLate, atMs: nowMs, count: late.length, lastTickAtMs: late.at(-1) ?? firstLate });
    const last = due.at(-1);
    if (last !== undefined) next = { ...next, decidedUpToMs: last, lastTickAtMs: last, open: [...next.open, ...begun] };
    return { state: next, late, begun };
  }

  /** Changes a state and writes it down; false when there is nothing to change. What could not be written has not happened. */
  #write(entry: Entry, change: (state: ScheduleState) => ScheduleState): Promise<boolean> {
    return this.#writes.run(entry.inForce.key, async () => {
      const next = change(entry.state);
      if (next === entry.state) return false;
      try {
        await this.#world.states.put(next);
      } catch (error) {
        entry.nextMs = undefined;
        throw error;
      }
      entry.state = next;
      return true;
    });
  }

  /** Reads what the process before us left, and goes on with its runs. */
  async #takeOn(inForce: ScheduleInForce, lease: Lease): Promise<Entry> {
    const state = (await this.#world.states.get(inForce.key)) ?? begunAt(inForce, this.#world.clock.now());
    const entry: Entry = { inForce, state, nextMs: undefined, ticks: new Map() };
    this.#entries.set(inForce.key, entry);
    this.#changed.fire(inForce.key);
    for (const atMs of state.open) this.#begin(entry, atMs, lease);
    return entry;
  }

  #begin(entry: Entry, atMs: number, lease: Lease): void {
    if (entry.ticks.has(atMs)) return;
    const stop = new AbortController();
    const done = this.#run(entry, atMs, lease, stop.signal).catch((error: unknown) => {
      if (!isAbort(error)) this.#world.log.error(`${nameOf(entry.inForce)}, run of ${new Date(atMs).toISOString()}`, error);
    }).finally(() => entry.ticks.delete(atMs));
    entry.ticks.set(atMs, { stop, done });
  }

  async #run(entry: Entry, atMs: number, lease: Lease, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#world;
    const { graceMs, firstRetryMs } = this.#timing;
    const { inForce } = entry;
    const { schedule } = inForce;
    const blackout = blackoutAt(atMs, schedule.timeZone, schedule.blackouts);
    if (blackout !== undefined) return this.#end(entry, lease, { what: "skipped", tickAtMs: atMs, atMs: clock.now(), why: `It fell into the blackout ${blackoutText(blackout)}.` });
    const [nextMs = Infinity] = this.#timing.runs(inForce, atMs, atMs);
    const untilMs = this.#timing.triedUntil(atMs, nextMs);
    // Whoever takes over goes on as long as the one before would have tried at most.
    let laterUntilMs = Math.min(untilMs, atMs + graceMs + firstRetryMs * (2 ** schedule.retries - 1));
    for (let attempts = 1; ; attempts++) {
      const tick: Tick = { inForce, atMs, firstUntilMs: attempts === 1 ? atMs + graceMs : laterUntilMs, laterUntilMs, graceMs, isOurs: () => lease.isHeld() };
      const ended = await this.#world.attempt(tick, signal);
      signal.throwIfAborted();
      if (ended.end === "taken") {
        await this.#end(entry, lease, { what: "taken", tickAtMs: atMs, atMs: clock.now(), recordId: ended.record.id });
        this.#taken.fire(ended.record);
        return;
      }
      if (ended.end === "skipped") return this.#end(entry, lease, { what: "skipped", tickAtMs: atMs, atMs: clock.now(), why: ended.why });
      if (ended.end === "late") return this.#end(entry, lease, { what: "missed", tickAtMs: atMs, atMs: clock.now(), count: 1, lastTickAtMs: atMs });
      const pauseMs = firstRetryMs * 2 ** (attempts - 1);
      const againMs = clock.now() + pauseMs;
      if (!ended.again || attempts > schedule.retries || againMs > untilMs) return this.#end(entry, lease, { what: "failed", tickAtMs: atMs, atMs: clock.now(), why: ended.why, attempts });
      log.warn(`${nameOf(inForce)}: attempt ${attempts} failed and is repeated in ${Math.round(pauseMs / 1_000)} s: ${ended.why}`);
      await clock.sleep(pauseMs, signal);
      if (!entry.inForce.schedule.enabled) return this.#end(entry, lease, { what: "failed", tickAtMs: atMs, atMs: clock.now(), why: `${ended.why} The schedule was paused before it was tried again.`, attempts });
      laterUntilMs = Math.min(untilMs, againMs + graceMs);
    }
  }

  async #end(entry: Entry, lease: Lease, outcome: TickOutcome): Promise<void> {
    const { log, clock } = this.#world;
    let tellsFailure = false;
    const text = `${nameOf(entry.inForce)}, run of ${new Date(outcome.tickAtMs).toISOString()}: ${outcome.what}`;
    if (outcome.what === "taken") log.info(`${text}, ${outcome.recordId}`);
    else log.warn("why" in outcome ? `${text}: ${outcome.why}` : text);
    while (await lease.isHeld()) {
      try {
        await this.#write(entry, (state) => {
          tellsFailure = outcome.what === "failed" && !state.failureTold;
          return { ...withOutcome(state, outcome), failureTold: outcome.what === "failed" || (state.failureTold && outcome.what !== "taken") };
        });
        break;
      } catch (error) {
        log.warn(`${text}; it can't be written down yet`, error);
        await clock.sleep(this.#timing.roundMs, this.#life.signal);
      }
    }
    if (tellsFailure && outcome.what === "failed") this.#givenUp.fire({ inForce: entry.inForce, tickAtMs: outcome.tickAtMs, why: outcome.why });
    this.#changed.fire(entry.inForce.key);
  }
}

/** Processes that know the same file and the same cluster of it compete for one lease. */
function leaseName({ file, cluster }: ScheduleInForce): string {
  return stableId(JSON.stringify([file, cluster])).slice(0, 16);
}

/** A schedule seen for the first time counts from now on. */
function begunAt({ key, schedule }: ScheduleInForce, nowMs: number): ScheduleState {
  return { version: 1, key, timing: timingOf(schedule), paused: !schedule.enabled, decidedUpToMs: nowMs, lastTickAtMs: null, open: [], outcomes: [], failureTold: false };
}

/** The state as it counts now: paused, begun anew after a pause or a change, or after the clock was set back; the same object when nothing of it holds. */
function asOf(state: ScheduleState, { schedule }: ScheduleInForce, nowMs: number): ScheduleState {
  if (!schedule.enabled) return state.paused ? state : { ...state, paused: true };
  const timing = timingOf(schedule);
  if (state.paused || state.timing !== timing) return { ...state, paused: false, timing, decidedUpToMs: nowMs };
  if (state.decidedUpToMs <= nowMs) return state;
  // What the clock ran ahead of is not decided: it comes again, and what was taken has its id in the ledger.
  const earlier = state.outcomes.flatMap((outcome) => (outcome.tickAtMs <= nowMs ? [outcome.what === "missed" ? Math.min(nowMs, outcome.lastTickAtMs) : outcome.tickAtMs] : []));
  return { ...state, decidedUpToMs: nowMs, lastTickAtMs: earlier.length === 0 ? null : Math.max(...earlier) };
}

function timingOf({ cron, timeZone }: ScheduleInForce["schedule"]): string {
  return `${cron} ${timeZone}`;
}

function nameOf({ schedule }: ScheduleInForce): string {
  return `schedule “${schedule.name}” of ${schedule.job}`;
}
