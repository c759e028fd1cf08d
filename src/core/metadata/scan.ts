import { ByteReader } from "./byteReader";
import { defaultLimits, type MetadataLimits } from "./limits";
import { OperatorTable, type Metadata, type MetadataTotals } from "./metadata";
import { ProblemError, type Problem } from "./problem";
import { readProperties, type CheckpointProperties } from "./properties";
import type { RandomAccess } from "./randomAccess";
import { sizeKinds, type SizeKind } from "./scanIndex";
import { Scanner } from "./scanning/scanner";
import type { ScanState } from "./scanning/scanState";
import { handleCountsOf, kindOf } from "./kind";
import type { Layout } from "./tags";

/** Bounds, and a way to stop between two windows. */
export interface ScanOptions {
  readonly limits?: Partial<MetadataLimits>;
  readonly signal?: AbortSignal;
}

/** What could be read, and what was wrong with it. */
export interface ScanResult {
  /** Undefined when not even the head could be read; with `whole: false` when the file broke off. */
  readonly metadata: Metadata | undefined;
  /** The first ones up to the limit; an error, if there is one, is the last. */
  readonly problems: readonly Problem[];
  /** All, listed or not. */
  readonly problemCount: number;
}

/**
 * Reads a `_metadata` of version 1 to 7 once from its start to its end (`Checkpoints.loadCheckpointMetadata`), a window at a time, and keeps
 * an index of operators and subtasks. None is read ahead: a cold scan waits for the processor, and took as long with it. Whatever is wrong with the bytes becomes a problem in the result; only errors of reading itself and the
 * signal's reason are thrown.
 */
export async function scanMetadata(input: RandomAccess, options: ScanOptions = {}): Promise<ScanResult> {
  const limits = { ...defaultLimits, ...options.limits };
  const first = await scanAs("usual", input, limits, options.signal);
  if (first.version !== 3 || !isSuspect(first) || first.result.problems.at(-1)?.code === "limit") return first.result;
  for (const layout of ["1.11", "1.14"] as const) {
    const other = await scanAs(layout, input, limits, options.signal);
    if (!isSuspect(other)) return other.result;
  }
  return first.result;
}

interface Attempt {
  readonly version: number;
  readonly result: ScanResult;
}

/** Another layout is worth trying when this one does not fit to the last byte. */
function isSuspect({ result: { metadata } }: Attempt): boolean {
  return metadata?.whole !== true || metadata.trailingBytes !== 0;
}

async function scanAs(layout: Layout, input: RandomAccess, limits: MetadataLimits, signal: AbortSignal | undefined): Promise<Attempt> {
  const scanner = new Scanner(input.sizeBytes, limits, layout);
  const { state } = scanner;
  const problems: Problem[] = [];
  let properties: CheckpointProperties | null | undefined;
  let end = 0;
  let whole = false;
  try {
    const limited = new LimitedInput(input, limits, signal);
    end = await structure(scanner, limited, limits.windowBytes);
    if (state.version >= 4) ({ properties, end } = await propertiesAt(end, input.sizeBytes - end, limited, limits));
    whole = true;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    problems.push(error.problem());
    scanner.close();
  }
  const { wrapped, index } = state.recorder;
  // Before what ended the reading, which is the last.
  if (wrapped !== undefined) problems.unshift({ code: "sizes-wrapped", severity: "warning", offset: wrapped === "file" ? 0 : index.operatorOffsets.at(wrapped), path: wrapped === "file" ? "" : `operators[${wrapped}]`, facts: {} });
  const trailingBytes = whole ? input.sizeBytes - end : 0;
  if (trailingBytes > 0) problems.push({ code: "trailing-bytes", severity: "warning", offset: end, path: "", facts: { bytes: trailingBytes } });
  const metadata = state.checkpointId === undefined ? undefined : metadataOf(state, { layout, sizeBytes: input.sizeBytes, properties, trailingBytes, whole });
  return { version: state.version, result: { metadata, problems: [...state.problems, ...problems], problemCount: state.problemCount + problems.length } };
}

/** The file, of which no more than a limit is asked for. What is asked for again, because a field crossed a window's end, counts once. */
class LimitedInput {
  readonly #input: RandomAccess;
  readonly #limits: MetadataLimits;
  readonly #signal: AbortSignal | undefined;
  #leftBytes: number;
  #readTo = 0;
  /** Every window is read into the same bytes. */
  #room: Uint8Array | undefined;

  constructor(input: RandomAccess, limits: MetadataLimits, signal: AbortSignal | undefined) {
    this.#input = input;
    this.#limits = limits;
    this.#signal = signal;
    this.#leftBytes = limits.readBytes;
  }

  /** Up to `most` bytes, which last until the next call; fewer at the end of the file and where the limit is reached. Throws `ProblemError` when the limit leaves nothing new. */
  async read(offset: number, most: number): Promise<Uint8Array> {
    this.#signal?.throwIfAborted();
    const wanted = Math.max(0, Math.min(most, this.#input.sizeBytes - offset));
    const again = Math.max(0, this.#readTo - offset);
    const length = Math.min(wanted, again + this.#leftBytes);
    if (wanted > again && length <= again) this.fail(offset, "");
    this.#leftBytes -= Math.max(0, length - again);
    this.#readTo = Math.max(this.#readTo, offset + length);
    if (length === 0) return new Uint8Array(0);
    if (this.#room === undefined || this.#room.length < length) this.#room = new Uint8Array(length);
    return this.#input.read(offset, length, this.#signal, this.#room);
  }

  /** The limit is what ended the bytes. */
  fail(offset: number, path: string): never {
    throw new ProblemError("limit", offset, path, { limit: "readBytes", value: this.#limits.readBytes });
  }
}

/** Runs the scanner over the file; resolves to where the structure ends. */
async function structure(scanner: Scanner, input: LimitedInput, windowBytes: number): Promise<number> {
  let offset = 0;
  let window = Math.max(1, windowBytes);
  for (;;) {
    const bytes = await input.read(offset, window);
    if (scanner.run(bytes, offset)) return scanner.offset;
    // A field longer than the window, which is never more than two texts of 64 kB.
    if (scanner.offset === offset) window *= 2;
    offset = scanner.offset;
  }
}

async function propertiesAt(offset: number, leftBytes: number, input: LimitedInput, limits: MetadataLimits): Promise<{ properties: CheckpointProperties | null; end: number }> {
  const wanted = Math.min(leftBytes, limits.propertiesBytes);
  const bytes = await input.read(offset, wanted);
  const reader = new ByteReader(bytes, offset);
  try {
    const properties = readProperties(reader, limits.depth);
    return { properties, end: offset + reader.at };
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const path = error.field === "" ? "properties" : `properties.${error.field}`;
    if (error.code === "truncated" && bytes.length < wanted) input.fail(error.offset, path);
    if (error.code === "truncated" && wanted < leftBytes) throw new ProblemError("limit", error.offset, path, { limit: "propertiesBytes", value: limits.propertiesBytes });
    throw new ProblemError(error.code, error.offset, path, error.facts);
  }
}

type Ends = Pick<Metadata, "layout" | "sizeBytes" | "properties" | "trailingBytes" | "whole">;

function metadataOf(state: ScanState, ends: Ends): Metadata {
  const { index, handleCounts } = state.recorder;
  const subtasks = index.subtaskOffsets.length;
  const operators = new OperatorTable(index);
  return {
    ...ends,
    version: state.version,
    checkpointId: state.checkpointId ?? 0n,
    masterStates: state.masterStates,
    operators,
    totals: totalsOf(state, operators, subtasks),
    handleCounts: handleCountsOf(handleCounts),
    kind: kindOf(state.version, ends.properties, handleCounts),
  };
}

function totalsOf({ operatorCount, recorder, files }: ScanState, operators: OperatorTable, subtasks: number): MetadataTotals {
  const sizes = Object.fromEntries(sizeKinds.map((kind) => [kind, 0n])) as Record<SizeKind, bigint>;
  let fullyFinishedOperators = 0;
  let coordinators = 0;
  for (const operator of operators) {
    if (operator.fullyFinished) fullyFinishedOperators++;
    if (operator.hasCoordinatorState) coordinators++;
    for (const kind of sizeKinds) sizes[kind] = BigInt.asIntN(64, sizes[kind] + operator.sizes[kind]);
  }
  return {
    operators: operatorCount,
    fullyFinishedOperators,
    coordinators,
    subtasks,
    finishedSubtasks: recorder.finishedSubtasks,
    subtasksWithState: recorder.subtasksWithState,
    sizes,
    stateBytes: BigInt.asIntN(64, sizeKinds.reduce((sum, kind) => sum + sizes[kind], 0n)),
    distinctFiles: files.distinctFiles,
    distinctFileBytes: files.distinctFileBytes,
    inlineBytes: recorder.inlineBytes,
    unknownSizes: files.unknownSizes,
  };
}
