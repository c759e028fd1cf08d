import { hexOf } from "../base/hex";
import { operatorIdOf } from "./operatorId";
import type { CheckpointProperties } from "./properties";
import { flagCoordinator, flagFullyFinished, flagWhole, sizeKinds, type ScanIndex, type SizeKind } from "./scanIndex";
import type { MasterStateEntry } from "./scanning/scanState";
import type { Layout } from "./tags";

/** What is in a `_metadata`, without its handles: those are decoded from the file when they are asked for (`decodeSubtasks`). */
export interface Metadata {
  readonly sizeBytes: number;
  readonly version: number;
  readonly layout: Layout;
  readonly checkpointId: bigint;
  /** Null: Flink wrote none. Undefined: before version 4, or the file broke off earlier. */
  readonly properties: CheckpointProperties | null | undefined;
  readonly masterStates: readonly MasterStateEntry[];
  readonly operators: OperatorTable;
  readonly totals: MetadataTotals;
  /** Handles by kind: `bytes`, `incremental/11`, `inputChannel` …, in the order of tags; kinds that do not occur are absent. */
  readonly handleCounts: ReadonlyMap<string, number>;
  readonly kind: SnapshotKind;
  /** Bytes after the end, which Flink ignores. */
  readonly trailingBytes: number;
  /** False when the file broke off and this is its head only. */
  readonly whole: boolean;
}

/** What was taken, from the properties, else from the handles; `unknown` where neither can tell. */
export type SnapshotKind = "canonical savepoint" | "native savepoint" | "checkpoint" | "checkpoint or native savepoint" | "unknown";

/** Sums over the file. Sizes are as Flink counts them, wrapped around at 64 bits (`sizes-wrapped`): a file that two handles name counts twice, except in `distinctFileBytes`, which is exact. */
export interface MetadataTotals {
  /** Operators that the file announces; more than are in the table when it broke off. */
  readonly operators: number;
  readonly fullyFinishedOperators: number;
  readonly coordinators: number;
  readonly subtasks: number;
  readonly finishedSubtasks: number;
  readonly subtasksWithState: number;
  readonly sizes: Readonly<Record<SizeKind, bigint>>;
  /** Sum of `OperatorState.getStateSize`, coordinators included. */
  readonly stateBytes: bigint;
  /** Files outside the metadata, each counted once. */
  readonly distinctFiles: number;
  /** Their bytes; of merged files only the segments in use. */
  readonly distinctFileBytes: bigint;
  /** Keyed, operator and channel state inside the metadata. */
  readonly inlineBytes: number;
  /** Handles whose writer did not know the size; they count −1 as in Flink, and not at all in `distinctFileBytes`. */
  readonly unknownSizes: number;
}

/** An operator without its subtasks. */
export interface OperatorEntry {
  /** Position in the file. */
  readonly row: number;
  /** 32 hex digits; of the job vertex in version 1. */
  readonly id: string;
  /** Null before version 5 and where the job gave none. */
  readonly name: string | null;
  readonly uid: string | null;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly chainLength: number;
  /** Subtasks in the file; those without state may be left out. */
  readonly subtaskCount: number;
  readonly fullyFinished: boolean;
  readonly hasCoordinatorState: boolean;
  readonly sizes: Readonly<Record<SizeKind, bigint>>;
  /** `OperatorState.getStateSize`, coordinator included. */
  readonly sizeBytes: bigint;
  /** Where it is in the file. */
  readonly offset: number;
  readonly lengthBytes: number;
  /** False for the one that the file broke off in. */
  readonly whole: boolean;
}

/** A subtask without its handles. */
export interface SubtaskEntry {
  readonly index: number;
  readonly finished: boolean;
  /** Exact below 2^53. */
  readonly sizeBytes: number;
  readonly offset: number;
  readonly lengthBytes: number;
}

/** All operators, in columns; rows become objects when they are asked for. */
export class OperatorTable {
  readonly count: number;
  readonly #names: readonly string[];
  readonly #uids: readonly string[];
  readonly #offsets: Float64Array;
  readonly #ends: Float64Array;
  readonly #ids: Uint8Array;
  readonly #parallelisms: Int32Array;
  readonly #maxParallelisms: Int32Array;
  readonly #chainLengths: Int32Array;
  readonly #firstSubtasks: Uint32Array;
  readonly #flags: Uint8Array;
  readonly #sizesHigh: Int32Array;
  readonly #sizesLow: Uint32Array;
  readonly #subtaskOffsets: Float64Array;
  readonly #subtaskIndexes: Int32Array;
  readonly #subtaskSizes: Float64Array;

  constructor(index: ScanIndex) {
    this.count = index.operatorOffsets.length;
    this.#names = index.names;
    this.#uids = index.uids;
    this.#offsets = index.operatorOffsets.finish();
    this.#ends = index.operatorEnds.finish();
    this.#ids = index.operatorIds.finish();
    this.#parallelisms = index.parallelisms.finish();
    this.#maxParallelisms = index.maxParallelisms.finish();
    this.#chainLengths = index.chainLengths.finish();
    this.#firstSubtasks = index.firstSubtasks.finish();
    this.#flags = index.operatorFlags.finish();
    this.#sizesHigh = index.sizesHigh.finish();
    this.#sizesLow = index.sizesLow.finish();
    this.#subtaskOffsets = index.subtaskOffsets.finish();
    this.#subtaskIndexes = index.subtaskIndexes.finish();
    this.#subtaskSizes = index.subtaskSizes.finish();
  }

  /** Throws a `RangeError` for a row that is not there. */
  get(row: number): OperatorEntry {
    if (!(row >= 0 && row < this.count)) throw new RangeError(`There is no operator ${row}.`);
    const sizes = this.#sizes(row);
    const flags = this.#flags[row] ?? 0;
    const offset = this.#offsets[row] ?? 0;
    return {
      row,
      id: hexOf(this.#ids.subarray(row * 16, row * 16 + 16)),
      name: this.#names[row] || null,
      uid: this.#uids[row] || null,
      parallelism: this.#parallelisms[row] ?? 0,
      maxParallelism: this.#maxParallelisms[row] ?? 0,
      chainLength: this.#chainLengths[row] ?? 0,
      subtaskCount: this.#afterSubtasks(row) - (this.#firstSubtasks[row] ?? 0),
      fullyFinished: (flags & flagFullyFinished) !== 0,
      hasCoordinatorState: (flags & flagCoordinator) !== 0,
      sizes,
      sizeBytes: BigInt.asIntN(64, sizeKinds.reduce((sum, kind) => sum + sizes[kind], 0n)),
      offset,
      lengthBytes: (this.#ends[row] ?? 0) - offset,
      whole: (flags & flagWhole) !== 0,
    };
  }

  /** Subtasks of an operator in the file's order, at most `limit` from `from` on. */
  subtasks(row: number, from = 0, limit = Infinity): SubtaskEntry[] {
    const after = this.#afterSubtasks(row);
    const entries: SubtaskEntry[] = [];
    for (let at = (this.#firstSubtasks[row] ?? 0) + from; at < after && entries.length < limit; at++) {
      const number = this.#subtaskIndexes[at] ?? 0;
      const offset = this.#subtaskOffsets[at] ?? 0;
      const end = at + 1 < after ? (this.#subtaskOffsets[at + 1] ?? 0) : (this.#ends[row] ?? 0);
      entries.push({ index: number < 0 ? -1 - number : number, finished: number < 0, sizeBytes: this.#subtaskSizes[at] ?? 0, offset, lengthBytes: end - offset });
    }
    return entries;
  }

  /** Sizes of an operator's subtasks, in the file's order; a view that is not to be written to. */
  subtaskSizes(row: number): Float64Array {
    return this.#subtaskSizes.subarray(this.#firstSubtasks[row] ?? 0, this.#afterSubtasks(row));
  }

  /** True when the uid in the file hashes to the id in the file; undefined when the file has no uid. */
  uidMatches(row: number): boolean | undefined {
    const { uid, id } = this.get(row);
    return uid === null ? undefined : operatorIdOf(uid) === id;
  }

  /** All operators, one after the other. */
  *[Symbol.iterator](): Iterator<OperatorEntry> {
    for (let row = 0; row < this.count; row++) yield this.get(row);
  }

  #afterSubtasks(row: number): number {
    return row + 1 < this.count ? (this.#firstSubtasks[row + 1] ?? 0) : this.#subtaskOffsets.length;
  }

  #sizes(row: number): Record<SizeKind, bigint> {
    const at = row * sizeKinds.length;
    const size = (kind: number): bigint => (BigInt(this.#sizesHigh[at + kind] ?? 0) << 32n) + BigInt(this.#sizesLow[at + kind] ?? 0);
    return {
      coordinator: size(0), managedOperator: size(1), rawOperator: size(2), managedKeyed: size(3),
      rawKeyed: size(4), inputChannel: size(5), outputChannel: size(6), legacy: size(7),
    };
  }
}
