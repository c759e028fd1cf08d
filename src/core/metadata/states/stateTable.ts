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
      this.#merge(reading, { name, kind, type, role, ttl, keySerializer, serializers, subtasks: 1, entries: entriesOf(reading, name) });
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

/** Entries of a state in one stream; null where they are not known, also because counting stopped before it in some key group. */
function entriesOf({ partitions, entries, stoppedAt }: StateReading, name: string): number | null {
  if (partitions !== null) return partitions.get(name) ?? 0;
  if (entries === null) return null;
  const count = entries.get(name);
  if (stoppedAt.length === 0) return count?.total ?? 0;
  const groups = Math.max(0, ...[...entries.values()].map(({ countedGroups }) => countedGroups));
  return count?.countedGroups === groups ? count.total : null;
}
