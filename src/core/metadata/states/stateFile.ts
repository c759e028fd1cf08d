import { ByteReader } from "../byteReader";
import type { KeyGroupOffsets, OperatorHandle } from "../handles";
import { ProblemError, type Problem } from "../problem";
import type { RandomAccess } from "../randomAccess";
import { UnknownSnapshot } from "./catalogue";
import { EntryCounter, formatOf, type DataFormat, type EntryCount, type StoppedAt } from "./entries";
import { readKeyedHeader, readOperatorHeader, readStateMetaInfo } from "./header";
import type { StateDescription, StateHeader } from "./serializer";
import { unsnappy } from "./snappy";
import { addRawTimers, type RawTimers, type TimerCount } from "./timers";
import { NotWalkable } from "./values";

/** Bounds for reading state files. */
export interface StateLimits {
  /** Bytes of a header, which real files have some ten kB of at most. */
  readonly headerBytes: number;
  /** Bytes of one key group, also uncompressed. */
  readonly stateBytes: number;
  /** Objects within objects. */
  readonly depth: number;
  /** Bytes asked for at a time. */
  readonly windowBytes: number;
}

/** Ample for files that Flink writes. */
const defaultStateLimits: StateLimits = { headerBytes: 4 << 20, stateBytes: 64 << 20, depth: 64, windowBytes: 2 << 20 };

/** How to read. */
export interface StateOptions {
  readonly limits?: Partial<StateLimits>;
  readonly signal?: AbortSignal;
  /** Also counts entries, for which the whole file is read; otherwise only the header is. */
  readonly entries?: boolean;
}

/** A keyed state file. */
export interface KeyedStates {
  /** Undefined when not even the header can be read. */
  readonly header: StateHeader | undefined;
  /** Null when entries were not asked for, or the file has none (incremental snapshots). */
  readonly format: DataFormat | null;
  /** By state, empty when not asked for. */
  readonly entries: ReadonlyMap<string, EntryCount>;
  readonly stoppedAt: readonly StoppedAt[];
  readonly problems: readonly Problem[];
}

/** An operator state file. */
export interface OperatorStates {
  readonly header: StateHeader | undefined;
  /** Elements per state, as the metadata has them. */
  readonly partitions: ReadonlyMap<string, number>;
  readonly problems: readonly Problem[];
}

/** Raw keyed state, as far as it is timers. */
export interface RawKeyedStates {
  /** Undefined: something of the user's own. */
  readonly timers: { readonly version: number | null; readonly services: ReadonlyMap<string, TimerCount> } | undefined;
  /** Class of a key that nobody can pass over, where there is one. */
  readonly stoppedAt: string | null;
}

/** Reads a keyed state stream whose key groups lie at `offsets`: its header, and on demand how many entries each state has. Throws what reading throws. */
export async function readKeyedStates(input: RandomAccess, keyGroups: KeyGroupOffsets, options: StateOptions = {}): Promise<KeyedStates> {
  const limits = { ...defaultStateLimits, ...options.limits };
  const groups = groupsOf(keyGroups, input.sizeBytes, 1n);
  const end = groups[0]?.offset;
  const { header, problems } = await headerOf(input, limits, options.signal, (reader) => readKeyedHeader(reader, limits.depth, (at) => end === undefined ? true : at === end), end);
  const nothing = { header, format: null, entries: new Map<string, EntryCount>(), stoppedAt: [], problems };
  if (header === undefined || options.entries !== true) return nothing;
  const found = [...problems];
  if (end !== undefined && header.endOffset !== end) found.push({ code: "length-mismatch", severity: "warning", offset: header.endOffset, path: "header", facts: { expected: end, actual: header.endOffset } });
  let counter: EntryCounter | undefined;
  let format: DataFormat | null = null;
  try {
    const isComplete = groups.length === keyGroups.count;
    for await (const page of pagesOf(input, groups, limits, options.signal)) {
      format ??= isComplete ? formatOf(header, page, limits.stateBytes) : "canonical";
      counter ??= new EntryCounter(header, format, limits.stateBytes);
      for (const { keyGroup, bytes, offset } of page) counter.keyGroup(keyGroup, bytes, offset);
    }
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    found.push(error.problem("keyGroups"));
  }
  return { header, format: format ?? "canonical", entries: counter?.counts ?? nothing.entries, stoppedAt: counter?.stopped ?? [], problems: found };
}

/** Reads the meta stream of an incremental snapshot, which is a header and nothing else. Throws what reading throws. */
export async function readIncrementalStates(input: RandomAccess, options: StateOptions = {}): Promise<KeyedStates> {
  const limits = { ...defaultStateLimits, ...options.limits };
  const end = input.sizeBytes;
  const { header, problems } = await headerOf(input, limits, options.signal, (reader) => readKeyedHeader(reader, limits.depth, (at) => at === end), end);
  return { header, format: null, entries: new Map(), stoppedAt: [], problems };
}

/** Reads the header of an operator state stream. Throws what reading throws. */
export async function readOperatorStates(input: RandomAccess, handle: Pick<OperatorHandle, "states">, options: StateOptions = {}): Promise<OperatorStates> {
  const limits = { ...defaultStateLimits, ...options.limits };
  const partitions = new Map(handle.states.map(({ name, offsets }) => [name, offsets.length]));
  let first: number | undefined;
  for (const { offsets } of handle.states) for (const offset of offsets) first = first === undefined ? Number(offset) : Math.min(first, Number(offset));
  // The identifier of a compressed stream comes between the header and the first element, the counts of old versions after both.
  const mayEnd = (at: number): boolean => first === undefined || at === first || at === first - 10;
  const { header, problems } = await headerOf(input, limits, options.signal, (reader) => readOperatorHeader(reader, limits.depth, mayEnd), first);
  return { header, partitions, problems };
}

/** Counts timers in raw keyed state. Throws what reading throws. */
export async function readRawKeyedStates(input: RandomAccess, keyGroups: KeyGroupOffsets, options: StateOptions = {}): Promise<RawKeyedStates> {
  const limits = { ...defaultStateLimits, ...options.limits };
  const timers: RawTimers = { version: null, services: new Map() };
  try {
    for await (const page of pagesOf(input, groupsOf(keyGroups, input.sizeBytes, 0n), limits, options.signal)) {
      for (const { bytes, offset } of page) addRawTimers(new ByteReader(bytes, offset), timers, limits.depth);
    }
  } catch (error) {
    if (error instanceof NotWalkable || error instanceof UnknownSnapshot) return { timers, stoppedAt: error.className };
    if (error instanceof ProblemError) return { timers: undefined, stoppedAt: null };
    throw error;
  }
  return { timers, stoppedAt: null };
}

/** What the changes of a changelog tell. */
export interface ChangelogStates {
  /** States that it describes, by their numbers in it. */
  readonly states: readonly StateDescription[];
  /** Changes by number of the state and operation (`StateChangeOperation`), descriptions not counted. */
  readonly operations: ReadonlyMap<number, ReadonlyMap<string, number>>;
  readonly problems: readonly Problem[];
}

const operations = ["CLEAR", "SET", "SET_INTERNAL", "ADD", "MERGE_NS", "ADD_ELEMENT", "ADD_OR_UPDATE_ELEMENT", "REMOVE_ELEMENT", "METADATA"];

/** Reads changes: those inside the metadata, or those of a part of a changelog file. Ends with a problem at the first that can't be read. */
export function readChanges(changes: Iterable<{ readonly bytes: Uint8Array; readonly offset: number }>, maxDepth = defaultStateLimits.depth): ChangelogStates {
  const states: StateDescription[] = [];
  const counts = new Map<number, Map<string, number>>();
  try {
    for (const { bytes, offset } of changes) {
      const reader = new ByteReader(bytes, offset);
      const code = reader.u8("operation");
      const operation = operations[code] ?? reader.failAt("value-invalid", 0, "operation", { value: code });
      if (operation !== "METADATA") {
        const id = reader.i16("stateId");
        const ofState = counts.get(id) ?? new Map<string, number>();
        counts.set(id, ofState.set(operation, (ofState.get(operation) ?? 0) + 1));
        continue;
      }
      const state = readStateMetaInfo(reader, maxDepth);
      // Its number and kind are the last three bytes, whatever is between.
      if (reader.leftBytes < 3) reader.fail("truncated", "stateId", { missingBytes: 3 - reader.leftBytes });
      reader.seek(bytes.length - 3);
      states.push({ ...state, id: reader.i16("stateId") });
    }
  } catch (error) {
    if (error instanceof UnknownSnapshot) return { states, operations: counts, problems: [new ProblemError("properties-unexpected", 0, "serializer", { className: error.className }).problem("changes")] };
    if (error instanceof ProblemError) return { states, operations: counts, problems: [error.problem("changes")] };
    throw error;
  }
  return { states, operations: counts, problems: [] };
}

/** Reads the changes of one part of a changelog file, at `offset` of its uncompressed content (`StateChangeFormat`). Throws what reading throws. */
export async function readChangelogFile(input: RandomAccess, offset: bigint, options: StateOptions = {}): Promise<ChangelogStates> {
  const limits = { ...defaultStateLimits, ...options.limits };
  const fail = (error: ProblemError): ChangelogStates => ({ states: [], operations: new Map(), problems: [error.problem("changelog")] });
  if (input.sizeBytes === 0 || input.sizeBytes > limits.stateBytes) return fail(new ProblemError("limit", 0, "", { limit: "stateBytes", value: limits.stateBytes }));
  options.signal?.throwIfAborted();
  const file = await input.read(0, input.sizeBytes, options.signal);
  const changes: { bytes: Uint8Array; offset: number }[] = [];
  try {
    const compressed = file[0] === 1;
    const content = compressed ? unsnappy(file.subarray(1), 1, limits.stateBytes).bytes : file.subarray(1);
    // Offsets of problems are in the uncompressed content.
    const reader = new ByteReader(content, compressed ? 0 : 1);
    if (offset < 0n || offset > BigInt(content.length)) reader.fail("value-invalid", "offset", { value: Number(offset) });
    reader.seek(Number(offset));
    const groups = reader.count(8, "groups");
    for (let g = 0; g < groups; g++) {
      const count = reader.count(4, "changes");
      reader.i32("keyGroup");
      for (let i = 0; i < count; i++) {
        const length = reader.count(1, "length");
        changes.push({ offset: reader.offset, bytes: reader.slice(length, "change") });
      }
    }
  } catch (error) {
    if (error instanceof ProblemError) return fail(error);
    throw error;
  }
  return readChanges(changes, limits.depth);
}

interface Group {
  readonly keyGroup: number;
  readonly offset: number;
  readonly lengthBytes: number;
}

/** Key groups that have data, in the order of their places. `least` is the smallest offset that means data. */
function groupsOf({ first, offsets }: KeyGroupOffsets, sizeBytes: number, least: bigint): Group[] {
  const starts: { keyGroup: number; offset: number }[] = [];
  offsets.forEach((offset, i) => {
    if (offset >= least && offset <= BigInt(sizeBytes)) starts.push({ keyGroup: first + i, offset: Number(offset) });
  });
  starts.sort((a, b) => a.offset - b.offset);
  return starts.map((start, i) => ({ ...start, lengthBytes: (starts[i + 1]?.offset ?? sizeBytes) - start.offset }));
}

/** The bytes of key groups, as many at a time as fit into a window. */
async function* pagesOf(input: RandomAccess, groups: readonly Group[], limits: StateLimits, signal: AbortSignal | undefined): AsyncGenerator<{ keyGroup: number; bytes: Uint8Array; offset: number }[]> {
  for (let at = 0; at < groups.length; ) {
    signal?.throwIfAborted();
    const first = groups[at];
    if (first === undefined) return;
    let length = 0;
    let next = at;
    for (; next < groups.length; next++) {
      const more = groups[next]?.lengthBytes ?? 0;
      if (next > at && length + more > limits.windowBytes) break;
      length += more;
    }
    if (length > Math.max(limits.stateBytes, limits.windowBytes)) throw new ProblemError("limit", first.offset, "", { limit: "stateBytes", value: limits.stateBytes });
    const bytes = await input.read(first.offset, length, signal);
    yield groups.slice(at, next).map(({ keyGroup, offset, lengthBytes }) => ({ keyGroup, offset, bytes: bytes.subarray(offset - first.offset, offset - first.offset + lengthBytes) }));
    at = next;
  }
}

/** Reads a header whose end is known or not, in growing pieces. */
async function headerOf(input: RandomAccess, limits: StateLimits, signal: AbortSignal | undefined, read: (reader: ByteReader) => StateHeader, end: number | undefined): Promise<{ header: StateHeader | undefined; problems: readonly Problem[] }> {
  const most = Math.min(end ?? input.sizeBytes, input.sizeBytes, limits.headerBytes);
  for (let length = Math.min(most, 64 << 10); ; length = Math.min(most, length * 4)) {
    signal?.throwIfAborted();
    try {
      return { header: read(new ByteReader(length === 0 ? new Uint8Array(0) : await input.read(0, length, signal), 0)), problems: [] };
    } catch (error) {
      if (error instanceof ProblemError && length < most) continue;
      if (error instanceof ProblemError) return { header: undefined, problems: [error.problem("header")] };
      throw error;
    }
  }
}
