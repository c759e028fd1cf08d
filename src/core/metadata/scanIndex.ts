import { Column } from "./columns";

/** What sizes are kept apart, in the order of the index's columns. */
export const sizeKinds = ["coordinator", "managedOperator", "rawOperator", "managedKeyed", "rawKeyed", "inputChannel", "outputChannel", "legacy"] as const;

/** Which part of an operator's state a size belongs to; `legacy` is state of the `Checkpointed` interface (versions 1 and 2). */
export type SizeKind = (typeof sizeKinds)[number];

const float64 = (length: number): Float64Array => new Float64Array(length);
const int32 = (length: number): Int32Array => new Int32Array(length);
const uint32 = (length: number): Uint32Array => new Uint32Array(length);
const uint8 = (length: number): Uint8Array => new Uint8Array(length);

/** The columns of the index while the scan fills them. One row per operator and one per subtask, in the file's order. */
export class ScanIndex {
  readonly operatorOffsets = new Column(float64);
  /** Where the operator ends in the file, in the row of the operator. */
  readonly operatorEnds = new Column(float64);
  readonly operatorIds = new Column(uint8);
  readonly parallelisms = new Column(int32);
  readonly maxParallelisms = new Column(int32);
  /** Operators per chain (versions 1 and 2), else 1. */
  readonly chainLengths = new Column(int32);
  /** Row of the operator's first subtask. */
  readonly firstSubtasks = new Column(uint32);
  /** Bit 0: fully finished, bit 1: has coordinator state, bit 2: read to its end. */
  readonly operatorFlags = new Column(uint8);
  /** Eight sizes per operator, upper and lower half. */
  readonly sizesHigh = new Column(int32);
  readonly sizesLow = new Column(uint32);
  readonly names: string[] = [];
  readonly uids: string[] = [];

  readonly subtaskOffsets = new Column(float64);
  /** As in the file: negative for a finished subtask. */
  readonly subtaskIndexes = new Column(int32);
  /** `OperatorSubtaskState.getStateSize`; exact below 2^53. */
  readonly subtaskSizes = new Column(float64);
}

/** A bit of an operator's flags: all its subtasks had finished. */
export const flagFullyFinished = 1;
/** A bit of an operator's flags: it has state of a coordinator. */
export const flagCoordinator = 2;
/** A bit of an operator's flags: it was read to its end. */
export const flagWhole = 4;
