// What is still to be read, as the steps of the machine. The numbers have no meaning but to be apart and dense.

/** The magic number, the version and the id of the checkpoint. */
export const stepHead = 1;
/** Nothing: the frame is only kept for the path while its parts are read. */
export const stepScope = 2;
/** States of hooks of the job master, from version 2 on (`MasterState`). */
export const stepMasters = 3;
/** The next operator of the file. */
export const stepOperators = 4;
/** State of the operator's coordinator, from version 3 on. */
export const stepCoordinator = 5;
/** The count of subtasks, or the next one. */
export const stepSubtasks = 6;
/** Nothing is left of the operator: its sums are written down. */
export const stepOperatorEnd = 7;
/** Nothing is left of the subtask: its size is written down. */
export const stepSubtaskEnd = 8;
/** From here on sizes are of the kind in the frame's note. */
export const stepKind = 9;
/** One handle of operator state, from its tag on (`OperatorStreamStateHandle`). */
export const stepOperatorHandle = 10;
/** After a flag that tells whether there is one. */
export const stepOperatorHandleFlagged = 11;
/** The handles of operator state, one per chained operator (version 1). */
export const stepOperatorHandles = 12;
/** Names, distribution modes and offsets in a handle of operator state (`StateMetaInfo`). */
export const stepOperatorStates = 13;
/** The directories and the stream of operator state that lies in a merged file (`FileMergingOperatorStreamStateHandle`). */
export const stepSegmentStateTail = 14;
/** One handle of keyed state, from its tag on; the note is how deep it lies in others (`KeyedStateHandle`). */
export const stepKeyed = 15;
/** The handles in a changelog handle; the note is how deep they lie, or -1 where only changes may stand. */
export const stepKeyedList = 16;
/** One stream handle, from its tag on (`StreamStateHandle`). */
export const stepStream = 17;
/** Its size is in the handle around it. */
export const stepStreamNotCounted = 18;
/** The streams of the `Checkpointed` interface (versions 1 and 2). */
export const stepStreams = 19;
/** The files of an incremental checkpoint (`IncrementalRemoteKeyedStateHandle`). */
export const stepFiles = 20;
/** A text that nobody asks for. */
export const stepText = 21;
/** Changes that lie in the metadata (`InMemoryChangelogStateHandle`). */
export const stepChanges = 22;
/** Files of changes, each with an offset (`ChangelogStateHandleStreamImpl`). */
export const stepChangelogParts = 23;
/** Their size as a whole, after the files; the note is the tag. */
export const stepChangelogFilesTail = 24;
/** The materialization's id, after the lists of a changelog handle; the note is the tag (`ChangelogStateBackendHandleImpl`). */
export const stepChangelogTail = 25;
/** Handles of channel state of unaligned checkpoints; the note is the kind, input or output. */
export const stepChannels = 26;
/** Offsets of channels that share a handle, after its stream (from version 6 on). */
export const stepMergedOffsets = 27;
/** Whether the subtask's state is a reference to another checkpoint's (from version 7 on). */
export const stepReference = 28;
/** The size and the stream of a channel, after its offsets. */
export const stepChannelTail = 29;

/** The count of a list whose count is still to be read. */
export const countUnread = -1;

/**
 * The machine's stack: a frame per thing that is under way, the next one on top. Nesting in the file costs a few numbers here and never the
 * call stack.
 */
export class Frames {
  top = -1;
  readonly #steps: Int32Array;
  readonly #counts: Int32Array;
  readonly #dones: Int32Array;
  readonly #notes: Int32Array;
  /** Whether a frame that is not on top is part of the path. */
  readonly #opens: Uint8Array;
  readonly #labels: string[] = [];

  /** `depth` is how deep handles may lie in handles. */
  constructor(depth: number) {
    // A subtask takes some twenty frames, a handle in a handle four.
    const most = depth * 8 + 64;
    this.#steps = new Int32Array(most);
    this.#counts = new Int32Array(most);
    this.#dones = new Int32Array(most);
    this.#notes = new Int32Array(most);
    this.#opens = new Uint8Array(most);
  }

  /** The step on top. */
  get step(): number {
    return this.#steps[this.top] ?? stepScope;
  }

  /** Elements of the list on top, or `countUnread`. */
  get count(): number {
    return this.#counts[this.top] ?? 0;
  }

  /** Its elements that are done, or under way in the frames above. */
  get done(): number {
    return this.#dones[this.top] ?? 0;
  }

  set done(done: number) {
    this.#dones[this.top] = done;
  }

  /** A number that the step on top was given. */
  get note(): number {
    return this.#notes[this.top] ?? 0;
  }

  set note(note: number) {
    this.#notes[this.top] = note;
  }

  push(step: number, label: string, count = 0, note = 0): void {
    const top = ++this.top;
    this.#steps[top] = step;
    this.#counts[top] = count;
    this.#dones[top] = 0;
    this.#notes[top] = note;
    this.#opens[top] = 0;
    this.#labels[top] = label;
  }

  pop(): void {
    this.top--;
  }

  replace(step: number, label: string): void {
    this.pop();
    this.push(step, label);
  }

  /** The frame stays below its parts, for the path. */
  scope(): void {
    this.#steps[this.top] = stepScope;
    this.#opens[this.top] = 1;
  }

  /** The list on top has so many elements. */
  setCount(count: number): void {
    this.#counts[this.top] = count;
    this.#opens[this.top] = 1;
  }

  /** The path of a field: the parts that are under way, and the field. */
  pathOf(field: string): string {
    const parts: string[] = [];
    for (let i = 0; i <= this.top; i++) {
      const isTop = i === this.top;
      const label = this.#labels[i] ?? "";
      if ((!isTop && this.#opens[i] !== 1) || label === "") continue;
      const isList = this.#opens[i] === 1 && this.#steps[i] !== stepScope;
      parts.push(isList ? `${label}[${(this.#dones[i] ?? 0) - (isTop ? 0 : 1)}]` : label);
    }
    if (field !== "") parts.push(field);
    return parts.join(".");
  }
}
