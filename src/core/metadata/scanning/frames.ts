/** What is still to be read, as the steps of the machine. The numbers have no meaning but to be apart and dense. */
export const stepHead = 1;
/** Nothing: the frame is only kept for the path while its parts are read. */
export const stepScope = 2;
export const stepMasters = 3;
export const stepOperators = 4;
export const stepCoordinator = 5;
export const stepSubtasks = 6;
export const stepOperatorEnd = 7;
export const stepSubtaskEnd = 8;
/** From here on sizes are of the kind in the frame's note. */
export const stepKind = 9;
export const stepOperatorHandle = 10;
/** After a flag that tells whether there is one. */
export const stepOperatorHandleFlagged = 11;
export const stepOperatorHandles = 12;
export const stepOperatorStates = 13;
export const stepSegmentStateTail = 14;
export const stepKeyed = 15;
export const stepKeyedList = 16;
export const stepStream = 17;
/** Its size is in the handle around it. */
export const stepStreamNotCounted = 18;
export const stepStreams = 19;
export const stepFiles = 20;
export const stepText = 21;
export const stepChanges = 22;
export const stepChangelogParts = 23;
export const stepChangelogFilesTail = 24;
export const stepChangelogTail = 25;
export const stepChannels = 26;
export const stepMergedOffsets = 27;
export const stepReference = 28;
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
