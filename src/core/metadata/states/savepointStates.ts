import { isAbort } from "../../base/async";
import { isFlinkError } from "../../errors";
import type { OpenFile } from "../../ports";
import { filePlaceOf, type FilePlace } from "../filePlace";
import type { KeyedHandle, KeyGroupOffsets, OperatorHandle, StreamHandle } from "../handles";
import type { MetadataLimits } from "../limits";
import type { Metadata } from "../metadata";
import { ProblemError, type Problem } from "../problem";
import type { RandomAccess } from "../randomAccess";
import { flatKeyed, innermost, subtaskPages, withWindow, type StateRole } from "../streams";
import type { DataFormat, EntryCount, StoppedAt } from "./entries";
import type { Serializer, StateDescription } from "./serializer";
import { readChangelogFile, readChanges, readIncrementalStates, readKeyedStates, readOperatorStates, readRawKeyedStates, type ChangelogStates, type KeyedStates, type StateLimits } from "./stateFile";
import type { TimerCount } from "./timers";

/** What one state stream of a subtask tells of its states. */
export interface StateReading {
  /** The operator's position in the metadata. */
  readonly row: number;
  readonly operatorId: string;
  readonly subtask: number;
  readonly role: Extract<StateRole, "managedOperatorState" | "managedKeyedState" | "rawKeyedState">;
  /** `rawTimers` is raw keyed state, as far as it is timers. */
  readonly kind: "keyed" | "operator" | "rawTimers" | "changelog";
  /** As the handle names it; null for state inside the metadata. */
  readonly path: string | null;
  /** Of the header or of the timers' form; null where there is none, or it can't be read. */
  readonly version: number | null;
  readonly compressed: boolean | null;
  /** Where the header ends. */
  readonly headerEnd: number | null;
  readonly keySerializer: Serializer | null;
  readonly states: readonly StateDescription[];
  /** Null when no data was read. */
  readonly format: DataFormat | null;
  /** Entries of each state, with those of key groups; null when they were not counted. A state without any may be absent. */
  readonly entries: ReadonlyMap<string, EntryCount> | null;
  /** States whose values can't be passed over, after which counting stopped. */
  readonly stoppedAt: readonly StoppedAt[];
  /** Operator state: elements of each. */
  readonly partitions: ReadonlyMap<string, number> | null;
  /** Raw timers by service; null where the raw state is the user's own. */
  readonly timers: ReadonlyMap<string, TimerCount> | null;
  /** Changes in a changelog by number of the state and operation. */
  readonly operations: ReadonlyMap<number, ReadonlyMap<string, number>> | null;
  /** Bytes asked of the storage for this stream. */
  readonly readBytes: number;
  /** Their offsets are in the stream. */
  readonly problems: readonly Problem[];
}

/** How states are read. */
export interface StatesOptions {
  readonly limits?: Partial<MetadataLimits & StateLimits>;
  readonly signal?: AbortSignal;
  /** Operators, by their position in the metadata; all by default. */
  readonly rows?: Iterable<number>;
  /** Subtasks looked at per operator; all by default. Those of one operator nearly always have the same states. */
  readonly subtasksPerOperator?: number;
  /** Streams of up to so many bytes are read whole and their entries counted (64 kB by default, which is what a header is read with); of longer ones only the header is read. Infinity counts all. */
  readonly countUpToBytes?: number;
  /** Bytes asked of the storage in all, Infinity by default; beyond them reading ends with problem `limit`. */
  readonly readBytes?: number;
}

/**
 * Reads what all state streams of a snapshot tell, one after the other in the file's order: names, kinds and serializers from their headers,
 * by range. Files are looked for where `filePlaceOf` says and nowhere else. What can't be read becomes a problem of its reading; only the signal's
 * reason, and what reading the metadata itself throws, is thrown.
 */
export async function* savepointStates(input: RandomAccess, metadata: Metadata, source: { readonly folder: string; readonly open: OpenFile }, options: StatesOptions = {}): AsyncGenerator<StateReading> {
  const budget = new Budget(options.readBytes ?? Infinity);
  const file = withWindow(input);
  const { signal } = options;
  const open = new StreamOpener(input, source, budget);
  for (const row of options.rows ?? rowsOf(metadata)) {
    const operatorId = metadata.operators.get(row).id;
    const pages = subtaskPages(file, metadata, row, { ...pick(options), ...(options.subtasksPerOperator === undefined ? {} : { subtasks: options.subtasksPerOperator }) });
    for await (const page of pages) {
      for (const subtask of page.subtasks) {
        for (const part of partsOf(subtask.managedOperator, subtask.managedKeyed, subtask.rawKeyed)) {
          signal?.throwIfAborted();
          const before = budget.used;
          const found = await readPart(part, open, options);
          yield { ...nothing, row, operatorId, subtask: subtask.index, role: part.role, ...found, readBytes: budget.used - before };
          if (budget.isSpent) return;
        }
      }
      if (page.problems.length > 0) yield { ...nothing, row, operatorId, subtask: -1, role: "managedKeyedState", kind: "keyed", path: null, readBytes: 0, problems: page.problems };
    }
  }
}

const nothing = {
  version: null, compressed: null, headerEnd: null, keySerializer: null, states: [], format: null, entries: null, stoppedAt: [], partitions: null, timers: null, operations: null,
} as const;

type Found = Pick<StateReading, "kind" | "path" | "problems"> & Partial<StateReading>;

type Part =
  | { readonly role: "managedOperatorState"; readonly handle: OperatorHandle }
  | { readonly role: "managedKeyedState"; readonly handle: Exclude<KeyedHandle, { readonly type: "changelog" }> }
  | { readonly role: "rawKeyedState"; readonly handle: Extract<KeyedHandle, { readonly type: "keyGroups" }> };

function* partsOf(operator: readonly (OperatorHandle | null)[], keyed: KeyedHandle | null, raw: KeyedHandle | null): Generator<Part> {
  for (const handle of operator) if (handle !== null && innermost(handle.delegate).type !== "emptySegment") yield { role: "managedOperatorState", handle };
  if (keyed !== null) for (const handle of flatKeyed(keyed)) yield { role: "managedKeyedState", handle };
  if (raw?.type === "keyGroups") yield { role: "rawKeyedState", handle: raw };
}

async function readPart(part: Part, open: StreamOpener, options: StatesOptions): Promise<Found> {
  if (part.role === "managedOperatorState") return readOperator(part.handle, open, options);
  if (part.role === "rawKeyedState") return readRaw(part.handle, open, options);
  const { handle } = part;
  switch (handle.type) {
    case "keyGroups":
      return open.with("keyed", handle.delegate, async (stream) => {
        const entries = stream.sizeBytes <= limitOf(options);
        return keyedFacts(await readKeyedStates(stream, handle.keyGroups, { ...pick(options), entries }), entries);
      });
    case "incremental":
      return open.with("keyed", handle.metaHandle, async (stream) => keyedFacts(await readIncrementalStates(stream, pick(options)), false));
    case "changelogBytes": {
      const changes = [];
      for (const { dataOffset, lengthBytes } of handle.changes) changes.push({ offset: dataOffset, bytes: await open.inline(dataOffset, lengthBytes) });
      return { kind: "changelog", path: null, ...changelogFacts([readChanges(changes, options.limits?.depth)]) };
    }
    case "changelogFiles": {
      const read: ChangelogStates[] = [];
      const problems: Problem[] = [];
      for (const { offset, handle: stream } of handle.parts) {
        const one = await open.with("changelog", stream, async (input) => {
          read.push(await readChangelogFile(input, offset, pick(options)));
          return { problems: [] };
        }, "any size");
        problems.push(...one.problems);
        if (open.budget.isSpent) break;
      }
      const [first] = handle.parts;
      const facts = changelogFacts(read);
      return { kind: "changelog", path: first === undefined ? null : pathOf(first.handle), ...facts, problems: [...problems, ...facts.problems] };
    }
  }
}

async function readOperator(handle: OperatorHandle, open: StreamOpener, options: StatesOptions): Promise<Found> {
  return open.with("operator", handle.delegate, async (stream) => {
    const { header, partitions, problems } = await readOperatorStates(stream, handle, pick(options));
    return { ...headerFacts(header), partitions, problems };
  });
}

async function readRaw(handle: Extract<KeyedHandle, { readonly type: "keyGroups" }>, open: StreamOpener, options: StatesOptions): Promise<Found> {
  return open.with("rawTimers", handle.delegate, async (stream) => {
    const whole = stream.sizeBytes <= limitOf(options);
    const { timers, stoppedAt } = await readRawKeyedStates(stream, whole ? handle.keyGroups : firstGroup(handle.keyGroups), pick(options));
    const stopped = stoppedAt === null ? [] : [{ state: "", className: stoppedAt, keyGroups: 1 }];
    return { version: timers?.version ?? null, timers: timers?.services ?? null, stoppedAt: stopped, problems: [] };
  });
}

/** Only the first key group that has data: it names all services, and counts some of their timers. */
function firstGroup({ first, offsets }: KeyGroupOffsets): KeyGroupOffsets {
  let at = -1;
  offsets.forEach((offset, i) => {
    if (offset >= 0n && (at < 0 || offset < (offsets[at] ?? 0n))) at = i;
  });
  return at < 0 ? { first, count: 0, offsets: new BigInt64Array(0) } : { first: first + at, count: 1, offsets: offsets.subarray(at, at + 1) };
}

function keyedFacts({ header, format, entries, stoppedAt, problems }: KeyedStates, counted: boolean): Partial<StateReading> & { problems: readonly Problem[] } {
  return { ...headerFacts(header), format, entries: counted && header !== undefined ? entries : null, stoppedAt, problems };
}

function headerFacts(header: KeyedStates["header"]): Partial<StateReading> {
  if (header === undefined) return {};
  const { version, compressed, endOffset, keySerializer, states } = header;
  return { version, compressed, headerEnd: endOffset, keySerializer, states };
}

function changelogFacts(all: readonly ChangelogStates[]): Pick<StateReading, "states" | "operations" | "problems"> {
  const operations = new Map<number, Map<string, number>>();
  for (const one of all) {
    for (const [id, counts] of one.operations) {
      const sums = operations.get(id) ?? new Map<string, number>();
      operations.set(id, sums);
      for (const [operation, count] of counts) sums.set(operation, (sums.get(operation) ?? 0) + count);
    }
  }
  return { states: all.flatMap(({ states }) => states), operations, problems: all.flatMap(({ problems }) => problems) };
}

/** Opens streams, inside the metadata and in files, and counts what is read of them. */
class StreamOpener {
  readonly budget: Budget;
  readonly #input: RandomAccess;
  readonly #folder: string;
  readonly #open: OpenFile;

  constructor(input: RandomAccess, source: { readonly folder: string; readonly open: OpenFile }, budget: Budget) {
    this.#input = input;
    this.#folder = source.folder;
    this.#open = source.open;
    this.budget = budget;
  }

  inline(offset: number, length: number): Promise<Uint8Array> {
    return length === 0 ? Promise.resolve(new Uint8Array(0)) : this.budget.counting(this.#input).read(offset, length);
  }

  /** Runs `read` on a stream; what keeps it from being read becomes a problem. Changelog files have another size than their handles say. */
  async with(kind: StateReading["kind"], handle: StreamHandle, read: (stream: RandomAccess) => Promise<Partial<StateReading> & { readonly problems: readonly Problem[] }>, size: "any size" | "as recorded" = "as recorded"): Promise<Found> {
    const inner = innermost(handle);
    const path = pathOf(inner);
    const failed = (error: ProblemError): Found => ({ kind, path, problems: [error.problem()] });
    try {
      if (inner.type === "bytes") return { kind, path, ...(await read(part(this.budget.counting(this.#input), inner.dataOffset, Number(inner.sizeBytes)))) };
      if (inner.type === "emptySegment") return { kind, path, problems: [] };
      const place = filePlaceOf(this.#folder, inner);
      const { relation, location } = place;
      if (relation === "unsafe") return failed(new ProblemError("path-unsafe", 0, "", { path: shortened(inner.path) }));
      const opened = await this.#first(place);
      if (opened === undefined) return failed(new ProblemError(relation === "elsewhere" ? "file-elsewhere" : "file-missing", 0, "", { path: shortened(location) }));
      try {
        const stream = this.budget.counting(opened);
        if (inner.type === "segment") {
          const end = inner.startOffset + inner.sizeBytes;
          if (inner.startOffset < 0n || inner.sizeBytes < 0n || end > BigInt(opened.sizeBytes)) return failed(new ProblemError("file-too-short", 0, "", { path: shortened(location), expected: Number(end), actual: opened.sizeBytes }));
          return { kind, path, ...(await read(part(stream, Number(inner.startOffset), Number(inner.sizeBytes)))) };
        }
        if (size === "as recorded" && inner.sizeBytes > BigInt(opened.sizeBytes)) return failed(new ProblemError("file-too-short", 0, "", { path: shortened(location), expected: Number(inner.sizeBytes), actual: opened.sizeBytes }));
        return { kind, path, ...(await read(stream)) };
      } finally {
        await opened.close();
      }
    } catch (error) {
      if (isAbort(error)) throw error;
      if (error instanceof ProblemError) return failed(error);
      return failed(new ProblemError("file-unreadable", 0, "", { path: shortened(path ?? "_metadata"), reason: reasonOf(error) }));
    }
  }

  async #first({ candidates, within }: FilePlace): ReturnType<OpenFile> {
    for (const candidate of candidates) {
      const opened = await this.#open(candidate, within);
      if (opened !== undefined) return opened;
    }
    return undefined;
  }
}

/** Bytes that may still be asked for. */
class Budget {
  readonly #most: number;
  #used = 0;
  #isSpent = false;

  constructor(most: number) {
    this.#most = most;
  }

  get used(): number {
    return this.#used;
  }

  get isSpent(): boolean {
    return this.#isSpent;
  }

  counting(input: RandomAccess): RandomAccess {
    return {
      sizeBytes: input.sizeBytes,
      read: async (offset, length, signal) => {
        if (this.#used + length > this.#most) {
          this.#isSpent = true;
          throw new ProblemError("limit", offset, "", { limit: "readBytes", value: this.#most });
        }
        this.#used += length;
        return input.read(offset, length, signal);
      },
    };
  }
}

function* rowsOf(metadata: Metadata): Generator<number> {
  for (let row = 0; row < metadata.operators.count; row++) yield row;
}

function part(input: RandomAccess, start: number, sizeBytes: number): RandomAccess {
  return { sizeBytes, read: (offset, length, signal) => input.read(start + offset, length, signal) };
}

function pathOf(handle: StreamHandle): string | null {
  const inner = innermost(handle);
  return "path" in inner ? inner.path : null;
}

function shortened(path: string): string {
  return path.length > 300 ? `${path.slice(0, 300)}…` : path;
}

function limitOf(options: StatesOptions): number {
  return options.countUpToBytes ?? 64 << 10;
}

function pick({ limits, signal }: StatesOptions): { limits?: Partial<MetadataLimits & StateLimits>; signal?: AbortSignal } {
  return { ...(limits === undefined ? {} : { limits }), ...(signal === undefined ? {} : { signal }) };
}

function reasonOf(error: unknown): string {
  if (isFlinkError(error, "file-unreadable")) return error.facts.reason;
  return error instanceof Error ? error.message : String(error);
}
