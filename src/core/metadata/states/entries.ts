import { ByteReader } from "../byteReader";
import { ProblemError } from "../problem";
import type { Serializer, StateDescription, StateHeader } from "./serializer";
import { unsnappy } from "./snappy";
import { NotWalkable, skipValue } from "./values";

/** How a keyed state file lays out its key groups: the same for all backends, or the heap backend's own. */
export type DataFormat = "canonical" | "heap";

/** Entries of one state. */
export interface EntryCount {
  readonly total: number;
  readonly perKeyGroup: ReadonlyMap<number, number>;
  /** Key groups in which it was reached; in fewer than all where counting stopped before it. */
  readonly countedGroups: number;
}

/** Where counting stopped in a key group, and for the class of which serializer. */
export interface StoppedAt {
  readonly state: string;
  readonly className: string;
  readonly keyGroups: number;
}

/** Counts entries key group by key group. States that come after one whose values nobody can pass over are not counted in that group. */
export class EntryCounter {
  readonly #header: StateHeader;
  readonly #format: DataFormat;
  readonly #limitBytes: number;
  readonly #counts = new Map<string, { total: number; perKeyGroup: Map<number, number>; countedGroups: number; lastGroup: number }>();
  readonly #stopped = new Map<string, { state: string; className: string; keyGroups: number }>();

  constructor(header: StateHeader, format: DataFormat, limitBytes: number) {
    this.#header = header;
    this.#format = format;
    this.#limitBytes = limitBytes;
  }

  get counts(): ReadonlyMap<string, EntryCount> {
    return this.#counts;
  }

  get stopped(): readonly StoppedAt[] {
    return [...this.#stopped.values()];
  }

  /** Counts in the bytes of one key group, which start at `offset` of the file. Throws `ProblemError`. */
  keyGroup(keyGroup: number, bytes: Uint8Array, offset: number): void {
    if (this.#format === "canonical") this.#canonical(keyGroup, bytes, offset);
    else this.#heap(keyGroup, bytes, offset);
  }

  #canonical(keyGroup: number, bytes: Uint8Array, offset: number): void {
    const reader = this.#header.compressed ? new ByteReader(unsnappy(bytes, offset, this.#limitBytes).bytes, offset) : new ByteReader(bytes, offset);
    let stateId = reader.u16("stateId");
    for (;;) {
      const state = this.#header.states[stateId] ?? reader.fail("value-invalid", "stateId", { value: stateId });
      const keyBytes = reader.count(1, "keyLength");
      const first = reader.skip(keyBytes, "key");
      const isLast = keyBytes > 0 && ((reader.bytes[first] ?? 0) & 0x80) !== 0;
      reader.skip(reader.count(1, "valueLength"), "value");
      this.#count(state.name, keyGroup, 1);
      if (!isLast) continue;
      stateId = reader.u16("stateId");
      if (stateId === 0xffff) return;
    }
  }

  #heap(keyGroup: number, bytes: Uint8Array, offset: number): void {
    const outer = new ByteReader(bytes, offset);
    const number = outer.i32("keyGroup");
    if (number !== keyGroup) outer.failAt("value-invalid", 0, "keyGroup", { value: number });
    let at = 4;
    for (let i = 0; i < this.#header.states.length; i++) {
      let reader = new ByteReader(bytes, offset, at);
      if (this.#header.compressed) {
        const { bytes: plain, usedBytes } = unsnappy(bytes.subarray(at), offset + at, this.#limitBytes);
        reader = new ByteReader(plain, offset + at);
        at += usedBytes;
      }
      const stateId = reader.i16("stateId");
      const state = this.#header.states[stateId] ?? reader.fail("value-invalid", "stateId", { value: stateId });
      try {
        this.#heapState(keyGroup, reader, state);
      } catch (error) {
        if (!(error instanceof NotWalkable)) throw error;
        this.#stop(state.name, error.className);
        // Compressed states are framed, so the next one can be found all the same.
        if (!this.#header.compressed) return;
      }
      if (!this.#header.compressed) at = reader.at;
    }
  }

  #heapState(keyGroup: number, reader: ByteReader, state: StateDescription): void {
    const value = state.serializers["VALUE_SERIALIZER"];
    const namespace = state.serializers["NAMESPACE_SERIALIZER"];
    const key = this.#header.keySerializer;
    if (this.#header.version === 1) {
      if (reader.u8("present") === 0) return this.#count(state.name, keyGroup, 0);
      const namespaces = reader.count(5, "namespaces");
      for (let i = 0; i < namespaces; i++) {
        skip(reader, namespace);
        this.#entries(keyGroup, reader, state.name, [key, value]);
      }
      return;
    }
    if (state.type === "PRIORITY_QUEUE") return this.#entries(keyGroup, reader, state.name, [value]);
    const serializers = [namespace, key, value];
    // ForSt's own kind of map state has a serializer for its keys instead of one for the map.
    if (state.type === "KEY_VALUE_V2" && state.serializers["USER_KEY_SERIALIZER"] !== undefined) serializers.push(state.serializers["USER_KEY_SERIALIZER"]);
    return this.#entries(keyGroup, reader, state.name, serializers);
  }

  #entries(keyGroup: number, reader: ByteReader, name: string, serializers: readonly (Serializer | null | undefined)[]): void {
    const count = reader.count(1, "entries");
    this.#count(name, keyGroup, count);
    for (let i = 0; i < count; i++) for (const serializer of serializers) skip(reader, serializer);
  }

  #count(name: string, keyGroup: number, entries: number): void {
    const count = this.#counts.get(name) ?? { total: 0, perKeyGroup: new Map<number, number>(), countedGroups: 0, lastGroup: -1 };
    this.#counts.set(name, count);
    if (count.lastGroup !== keyGroup) count.countedGroups++;
    count.lastGroup = keyGroup;
    count.total += entries;
    if (entries > 0) count.perKeyGroup.set(keyGroup, (count.perKeyGroup.get(keyGroup) ?? 0) + entries);
  }

  #stop(state: string, className: string): void {
    const key = `${state} ${className}`;
    const known = this.#stopped.get(key) ?? { state, className, keyGroups: 0 };
    known.keyGroups++;
    this.#stopped.set(key, known);
  }
}

function skip(reader: ByteReader, serializer: Serializer | null | undefined): void {
  if (serializer === null || serializer === undefined) throw new NotWalkable("");
  skipValue(reader, serializer);
}

/**
 * Tells the two formats apart: the heap's key groups begin with their numbers. Group 0 alone may look like both, and is taken for the canonical
 * format when it can be read to its end in it.
 */
export function formatOf(header: StateHeader, groups: readonly { readonly keyGroup: number; readonly bytes: Uint8Array }[], limitBytes: number): DataFormat {
  const numbered = groups.every(({ keyGroup, bytes }) => bytes.length >= 4 && new DataView(bytes.buffer, bytes.byteOffset).getInt32(0) === keyGroup);
  if (!numbered) return "canonical";
  if (groups.some(({ keyGroup }) => keyGroup !== 0)) return "heap";
  try {
    for (const { keyGroup, bytes } of groups) new EntryCounter(header, "canonical", limitBytes).keyGroup(keyGroup, bytes, 0);
    return groups.length === 0 ? "heap" : "canonical";
  } catch (error) {
    if (error instanceof ProblemError) return "heap";
    throw error;
  }
}
