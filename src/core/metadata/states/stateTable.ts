import type { StateReading } from "./savepointStates";
import type { Serializer, StateType } from "./serializer";

/** One state of an operator, from all of its subtasks that were read. Subtasks whose serializers differ have entries of their own. */
export interface OperatorStateEntry {
  readonly name: string;
  /** What a person calls it: `VALUE`, `LIST`, `MAP` … of keyed state, `UNION`, `BROADCAST`, `SPLIT_DISTRIBUTE` of operator state, `TIMERS`. */
  readonly kind: string;
  readonly type: StateType | "RAW_TIMERS";
  readonly role: StateReading["role"];
  readonly ttl: boolean;
  readonly keySerializer: Serializer | null;
  readonly serializers: Readonly<Record<string, Serializer>>;
  /** Subtasks that have it. */
  readonly subtasks: number;
  /** Entries in those subtasks; null when not all of them were counted. Of operator state its elements. */
  readonly entries: number | null;
}

type Mutable = { -readonly [K in keyof OperatorStateEntry]: OperatorStateEntry[K] } & { lastSubtask: number };

/** Merges readings into the states of operators. Bounded: beyond `maxStates` different ones it only says so. */
export class StateTable {
  readonly #maxStates: number;
  readonly #states = new Map<number, Map<string, Mutable>>();
  #count = 0;
  #isCut = false;

  constructor(maxStates = 100_000) {
    this.#maxStates = maxStates;
  }

  /** Some states were left out. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** States of an operator by its position, in the order in which they were found; empty for one that was not read, or has none. */
  of(row: number): readonly OperatorStateEntry[] {
    return [...(this.#states.get(row)?.values() ?? [])].map(({ lastSubtask: _, ...entry }) => entry);
  }

  /** Drops what is known of an operator. */
  forget(row: number): void {
    this.#count -= this.#states.get(row)?.size ?? 0;
    this.#states.delete(row);
  }

  add(reading: StateReading): void {
    const { role, keySerializer } = reading;
    for (const { name, type, options, ttl, serializers } of reading.states) {
      const kind = type === "PRIORITY_QUEUE" ? "TIMERS" : (options["KEYED_STATE_TYPE"] ?? options["OPERATOR_STATE_DISTRIBUTION_MODE"] ?? type);
      const entries = reading.partitions !== null ? (reading.partitions.get(name) ?? 0) : reading.entries === null || isStopped(reading, name) ? null : (reading.entries.get(name)?.total ?? 0);
      this.#merge(reading, { name, kind, type, role, ttl, keySerializer, serializers, subtasks: 1, entries });
    }
    for (const [name, { eventTime, processingTime }] of reading.timers ?? []) {
      this.#merge(reading, { name, kind: "TIMERS", type: "RAW_TIMERS", role, ttl: false, keySerializer: null, serializers: {}, subtasks: 1, entries: reading.stoppedAt.length > 0 ? null : eventTime + processingTime });
    }
  }

  #merge({ row, subtask }: StateReading, entry: OperatorStateEntry): void {
    const states = this.#states.get(row) ?? new Map<string, Mutable>();
    this.#states.set(row, states);
    const key = JSON.stringify([entry.role, entry.name, entry.type, entry.kind, entry.keySerializer, entry.serializers]);
    const known = states.get(key);
    if (known === undefined) {
      if (this.#count >= this.#maxStates) return void (this.#isCut = true);
      this.#count++;
      return void states.set(key, { ...entry, lastSubtask: subtask });
    }
    if (known.lastSubtask !== subtask) known.subtasks++;
    known.lastSubtask = subtask;
    known.entries = known.entries === null || entry.entries === null ? null : known.entries + entry.entries;
  }
}

/** Counting stopped at this state, or at one before it. */
function isStopped({ stoppedAt, entries }: StateReading, name: string): boolean {
  return stoppedAt.some(({ state }) => state === name) || (stoppedAt.length > 0 && entries?.has(name) !== true);
}
