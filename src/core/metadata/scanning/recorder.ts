import { ScanIndex } from "../scanIndex";

// Which part of an operator's state sizes are of, as places in `sizeKinds` and by the getters of `OperatorSubtaskState`; 0, where an operator begins, is the coordinator's.

/** What a backend keeps for the operator as a whole (`getManagedOperatorState`). */
export const kindManagedOperator = 1;
/** What an operator writes itself, without the backend (`getRawOperatorState`). */
export const kindRawOperator = 2;
/** What a keyed state backend keeps (`getManagedKeyedState`). */
export const kindManagedKeyed = 3;
/** What an operator writes itself by key group, such as timers (`getRawKeyedState`). */
export const kindRawKeyed = 4;
/** What was under way to the subtask in an unaligned checkpoint (`getInputChannelState`). */
export const kindInputChannel = 5;
/** What was under way from it (`getResultSubpartitionState`). */
export const kindOutputChannel = 6;
/** State of the `Checkpointed` interface (versions 1 and 2). */
export const kindLegacy = 7;
const kindCount = 8;

const two32 = 4_294_967_296;

/** What the head of an operator says. */
export interface OperatorHead {
  readonly offset: number;
  readonly id: Uint8Array;
  readonly name: string;
  readonly uid: string;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly chainLength: number;
}

/** Adds up sizes as Flink counts them, and writes operators and subtasks into the index. */
export class Recorder {
  readonly index = new ScanIndex();
  /** Handles seen, by tag; 18 to 21 are input and output channels and their merged forms, 22 a stream handle with tag 3. */
  readonly handleCounts = new Float64Array(24);
  /** State inside the metadata, coordinators' not counted. */
  inlineBytes = 0;
  subtasksWithState = 0;
  finishedSubtasks = 0;
  /** Of the operator under way. */
  flags = 0;
  parallelism = 0;
  maxParallelism = 0;
  /** Where sizes go from here on. */
  kind = 0;
  /** Upper and lower halves of the sums of the operator, by kind. */
  readonly #high = new Float64Array(kindCount);
  readonly #low = new Float64Array(kindCount);
  /** Upper and lower halves of the sum of the file. */
  #fileHigh = 0;
  #fileLow = 0;
  /** Row of the first operator whose sum does not fit into 64 bits. */
  #firstWrapped: number | undefined;
  #subtaskHigh = 0;
  #subtaskLow = 0;
  #subtaskHasState = false;
  /** Subtasks seen of the operator. */
  #seen = new Uint8Array(0);

  startOperator(head: OperatorHead): void {
    const { index } = this;
    index.operatorOffsets.push(head.offset);
    for (const byte of head.id) index.operatorIds.push(byte);
    index.parallelisms.push(head.parallelism);
    index.maxParallelisms.push(head.maxParallelism);
    index.chainLengths.push(head.chainLength);
    index.firstSubtasks.push(index.subtaskOffsets.length);
    index.names.push(head.name);
    index.uids.push(head.uid);
    this.parallelism = head.parallelism;
    this.maxParallelism = head.maxParallelism;
    const mostSubtasks = Math.min(Math.max(head.parallelism, 0), 32_768);
    if (mostSubtasks > this.#seen.length) this.#seen = new Uint8Array(mostSubtasks);
    else this.#seen.fill(0, 0, mostSubtasks);
    this.flags = 0;
    this.kind = 0;
    this.#high.fill(0);
    this.#low.fill(0);
  }

  /** The operator ends at this offset in the file. */
  endOperator(end: number): void {
    const { index } = this;
    index.operatorEnds.push(end);
    index.operatorFlags.push(this.flags);
    let [operatorHigh, operatorLow] = [0, 0];
    for (let kind = 0; kind < kindCount; kind++) {
      const low = this.#low[kind] ?? 0;
      const high = this.#high[kind] ?? 0;
      const carry = Math.floor(low / two32);
      index.sizesHigh.push((high + carry) | 0);
      index.sizesLow.push(low - carry * two32);
      operatorHigh += high;
      operatorLow += low;
    }
    if (!fits(operatorHigh, operatorLow)) this.#firstWrapped ??= index.operatorEnds.length - 1;
    this.#fileHigh += operatorHigh;
    this.#fileLow += operatorLow;
  }

  /** Where sums left 64 bits, and wrapped around as Flink's do: the row of an operator, or `file` for their sum only; undefined where none did. */
  get wrapped(): number | "file" | undefined {
    return this.#firstWrapped ?? (fits(this.#fileHigh, this.#fileLow) ? undefined : "file");
  }

  /** True when the subtask, which is below the parallelism, was there before. */
  isRepeated(subtask: number): boolean {
    if (subtask >= 32_768) return false;
    const seen = this.#seen[subtask] === 1;
    this.#seen[subtask] = 1;
    return seen;
  }

  /** A subtask that has finished and has no state, at this offset in the file; `number` as there, which is negative. */
  finishedSubtask(offset: number, number: number): void {
    this.index.subtaskOffsets.push(offset);
    this.index.subtaskIndexes.push(number);
    this.index.subtaskSizes.push(0);
    this.finishedSubtasks++;
  }

  /** A subtask at this offset in the file, whose handles come next. */
  startSubtask(offset: number, number: number): void {
    this.index.subtaskOffsets.push(offset);
    this.index.subtaskIndexes.push(number);
    this.#subtaskHigh = 0;
    this.#subtaskLow = 0;
    this.#subtaskHasState = false;
  }

  endSubtask(): void {
    this.index.subtaskSizes.push(this.#subtaskHigh * two32 + this.#subtaskLow);
    if (this.#subtaskHasState) this.subtasksWithState++;
  }

  /** Takes what is known of an operator that the file breaks off in, at this offset; to be called once, after an error. */
  close(end: number): void {
    const { index } = this;
    if (index.subtaskOffsets.length > index.subtaskSizes.length) this.endSubtask();
    if (index.operatorOffsets.length > index.operatorEnds.length) this.endOperator(end);
  }

  countHandle(slot: number): void {
    this.#subtaskHasState = true;
    this.handleCounts[slot] = (this.handleCounts[slot] ?? 0) + 1;
  }

  /** Adds the upper and lower half of a size. */
  add(high: number, low: number): void {
    const { kind } = this;
    this.#high[kind] = (this.#high[kind] ?? 0) + high;
    this.#low[kind] = (this.#low[kind] ?? 0) + low;
    this.#subtaskHigh += high;
    this.#subtaskLow += low;
  }
}

/** True when the sum of these halves, which are exact, is a number of 64 bits. */
function fits(high: number, low: number): boolean {
  const whole = high + Math.floor(low / two32);
  return whole >= -two32 / 2 && whole < two32 / 2;
}
