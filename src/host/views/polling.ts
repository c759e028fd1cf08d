import { isAbort } from "../../core/base/async";
import type { Disposable } from "../../core/base/disposable";
import type { Clock, Log } from "../../core/ports";

/** Something that is asked again and again while it is visible. */
export interface PollTarget {
  /** The same thing keeps its key and with it its pace. */
  readonly key: string;
  /** Asked at the slowest pace: visible, but closed or ended. */
  readonly slow: boolean;
  /** Asks once; never rejects but when aborted. What it found is told through `changed`. */
  ask(signal: AbortSignal): Promise<void>;
  /** When it is asked again, epoch milliseconds, if it has a time of its own (a cluster that is down), or null. Read after each question. */
  nextMs(): number | null;
}

/** What the polling follows. */
export interface PollingWorld {
  /** What is visible now. Empty while nothing is: then nothing at all is asked. */
  targets(): readonly PollTarget[];
  /** Pace while something changes, milliseconds. */
  intervalMs(): number;
  readonly clock: Clock;
  readonly log: Log;
}

interface Pace {
  waitMs: number;
  dueAtMs: number;
  asking: boolean;
  changed: boolean;
}

const atOnce = 4;
const slowest = 10;
/** Without anything to ask it sleeps until it is woken; a timer cannot be longer than 24.8 days. */
const longestNapMs = 3_600_000;
const afterFaultMs = 10_000;

/**
 * Asks for what is visible: at the set interval while it changes, half as long again each time it did not, up to ten times; at most four
 * questions at a time. Asleep while there is nothing to ask.
 */
export class Polling implements Disposable {
  readonly #world: PollingWorld;
  readonly #paces = new Map<string, Pace>();
  readonly #life = new AbortController();
  #nap = new AbortController();

  constructor(world: PollingWorld) {
    this.#world = world;
    void this.#run();
  }

  /** Tells that what is visible may be another now. */
  wake(): void {
    this.#nap.abort();
  }

  /** A person asked: everything visible is asked at once. */
  hurry(): void {
    for (const pace of this.#paces.values()) Object.assign(pace, { waitMs: this.#world.intervalMs(), dueAtMs: this.#world.clock.now() });
    this.wake();
  }

  /** Tells that something is different from before, so that it is asked at the quick pace again. */
  changed(key: string): void {
    const pace = this.#paces.get(key);
    if (pace === undefined) return;
    pace.changed = true;
    const soonMs = this.#world.clock.now() + this.#world.intervalMs();
    if (!pace.asking && pace.dueAtMs > soonMs) {
      pace.dueAtMs = soonMs;
      pace.waitMs = this.#world.intervalMs();
      this.wake();
    }
  }

  dispose(): void {
    this.#life.abort();
    this.#nap.abort();
    this.#paces.clear();
  }

  async #run(): Promise<void> {
    while (!this.#life.signal.aborted) {
      this.#nap = new AbortController();
      const nextMs = this.#askDueOrLater();
      const waitMs = Math.min(Math.max(0, nextMs - this.#world.clock.now()), longestNapMs);
      try {
        await this.#world.clock.sleep(waitMs, this.#nap.signal);
      } catch (error) {
        if (!isAbort(error)) throw error;
      }
    }
  }

  /** One fault in telling what is visible must not end the asking for as long as the window lives. */
  #askDueOrLater(): number {
    const { clock, log } = this.#world;
    try {
      return this.#askDue() ?? clock.now() + longestNapMs;
    } catch (error) {
      log.error("looking for what to ask", error);
      return clock.now() + afterFaultMs;
    }
  }

  /** Starts what is due and returns when the next one is, or null when that depends on an answer or on what becomes visible. */
  #askDue(): number | null {
    const { clock } = this.#world;
    const targets = this.#world.targets();
    const visible = new Set(targets.map(({ key }) => key));
    for (const [key, pace] of this.#paces) if (!visible.has(key) && !pace.asking) this.#paces.delete(key);
    let asking = [...this.#paces.values()].filter((pace) => pace.asking).length;
    let nextMs: number | null = null;
    for (const target of targets) {
      const pace = this.#paces.get(target.key) ?? this.#newPace(target);
      if (pace.asking) continue;
      if (pace.dueAtMs > clock.now()) nextMs = Math.min(nextMs ?? Infinity, pace.dueAtMs);
      else if (asking < atOnce) {
        asking++;
        void this.#ask(target, pace);
      }
    }
    return nextMs;
  }

  #newPace(target: PollTarget): Pace {
    const { clock, intervalMs } = this.#world;
    const pace: Pace = { waitMs: intervalMs(), dueAtMs: Math.max(clock.now(), target.nextMs() ?? 0), asking: false, changed: false };
    this.#paces.set(target.key, pace);
    return pace;
  }

  async #ask(target: PollTarget, pace: Pace): Promise<void> {
    const { clock, log, intervalMs } = this.#world;
    pace.asking = true;
    pace.changed = false;
    try {
      await target.ask(this.#life.signal);
    } catch (error) {
      if (!isAbort(error)) log.error(`asking ${target.key}`, error);
    }
    pace.asking = false;
    const firstMs = intervalMs();
    const lastMs = firstMs * slowest;
    pace.waitMs = target.slow ? lastMs : pace.changed ? firstMs : Math.min(lastMs, Math.max(firstMs, pace.waitMs * 1.5));
    pace.dueAtMs = target.nextMs() ?? clock.now() + Math.round(pace.waitMs * (0.9 + Math.random() * 0.2));
    this.wake();
  }
}

/** Calls `tick` again and again until disposed; `nextMs` says how long to wait each time. */
export function every(clock: Clock, nextMs: () => number, tick: () => void): Disposable {
  const life = new AbortController();
  void (async () => {
    while (!life.signal.aborted) {
      try {
        await clock.sleep(nextMs(), life.signal);
      } catch {
        return;
      }
      tick();
    }
  })();
  return { dispose: () => life.abort() };
}
