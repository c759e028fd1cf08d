import type { Clock, Lease, ScheduleStates } from "../../src/core/ports";
import { scheduleSchema, type Schedule } from "../../src/core/lifecycle/lifecycleFile";
import { scheduleStateSchema, type ScheduleState, type TickOutcome } from "../../src/core/schedule/scheduleState";
import { scheduleKey, type ScheduleInForce } from "../../src/core/schedule/tick";

/** A schedule as a file has it, in force on a cluster. */
export function inForce(changes: Partial<Schedule>, cluster = "http://localhost:8081"): ScheduleInForce {
  const schedule = scheduleSchema.parse({ name: "hourly", cluster, job: "Word count", cron: "0 * * * *", ...changes });
  return { key: scheduleKey(cluster, schedule), cluster, schedule, file: "/work/flink-savepoints.json" };
}

/** Leases that processes share, as the files are: terms, and silence counted in calls. */
export class SharedLeases {
  readonly #terms = new Map<string, { term: number; holder: string | null; touched: number }>();
  readonly alive: Set<string>;
  /** Fails every look, as a folder that may not be read does. */
  unreadable = false;
  looks = 0;

  constructor(alive: Set<string>) {
    this.alive = alive;
  }

  open(name: string, self: string, patience = 6): Lease {
    let mine = 0;
    let seen = { term: 0, touched: -1, times: 0 };
    const now = () => this.#terms.get(name) ?? { term: 0, holder: null, touched: 0 };
    return {
      hold: async () => {
        await Promise.resolve();
        this.looks++;
        if (this.unreadable) throw new Error("EACCES");
        const { term, holder, touched } = now();
        if (mine > 0 && mine === term) {
          this.#terms.set(name, { term, holder, touched: touched + 1 });
          return true;
        }
        mine = 0;
        if (holder !== null && this.alive.has(holder)) {
          seen = { term, touched, times: seen.term === term && seen.touched === touched ? seen.times + 1 : 0 };
          if (seen.times < patience) return false;
        }
        mine = term + 1;
        this.#terms.set(name, { term: mine, holder: self, touched: 0 });
        return true;
      },
      isHeld: async () => {
        await Promise.resolve();
        return mine > 0 && now().term === mine;
      },
      release: async () => {
        await Promise.resolve();
        if (mine > 0 && now().term === mine) this.#terms.set(name, { term: mine + 1, holder: null, touched: 0 });
        mine = 0;
      },
    };
  }
}

/** The folder of states, shared by processes; each is checked against its schema when it is written. */
export class SharedStates implements ScheduleStates {
  readonly #states = new Map<string, string>();
  /** Every outcome ever written, in order, each once. */
  readonly outcomes: { readonly key: string; readonly outcome: TickOutcome }[] = [];
  readonly #known = new Set<string>();
  /** Fails every write. */
  full = false;
  /** What happens before a state is on the disk. */
  beforePut: (state: ScheduleState) => Promise<void> = () => Promise.resolve();

  async get(key: string): Promise<ScheduleState | undefined> {
    await Promise.resolve();
    const text = this.#states.get(key);
    return text === undefined ? undefined : scheduleStateSchema.parse(JSON.parse(text));
  }

  async put(state: ScheduleState): Promise<void> {
    await Promise.resolve();
    if (this.full) throw new Error("disk full");
    await this.beforePut(state);
    this.#states.set(state.key, JSON.stringify(scheduleStateSchema.parse(state)));
    for (const outcome of state.outcomes) {
      const text = JSON.stringify([state.key, outcome]);
      if (this.#known.has(text)) continue;
      this.#known.add(text);
      this.outcomes.push({ key: state.key, outcome });
    }
  }
}

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

/** Wall time that can be set, over time that only passes: sleepers wake by the latter, as real ones do. */
export class WallClock implements Clock {
  #passedMs = 0;
  #offsetMs: number;
  #sleepers: Sleeper[] = [];

  constructor(startMs: number) {
    this.#offsetMs = startMs;
  }

  now(): number {
    return this.#passedMs + this.#offsetMs;
  }

  /** Sets the wall clock forward or back; so does a machine that was suspended. */
  jump(ms: number): void {
    this.#offsetMs += ms;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const onAbort = (): void => {
        this.#sleepers = this.#sleepers.filter((each) => each !== sleeper);
        reject(signal?.reason as Error);
      };
      const sleeper = {
        dueMs: this.#passedMs + ms,
        wake: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Lets time pass to the next sleeper and that one wake; resolves when nobody has anything to do but sleep. */
  async step(): Promise<void> {
    if (this.#sleepers.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const next = this.#sleepers.reduce<Sleeper | undefined>((best, each) => (best === undefined || each.dueMs < best.dueMs ? each : best), undefined);
    if (next === undefined) throw new Error("nobody sleeps");
    this.#sleepers = this.#sleepers.filter((each) => each !== next);
    this.#passedMs = Math.max(this.#passedMs, next.dueMs);
    next.wake();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
