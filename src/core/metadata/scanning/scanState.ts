import type { MetadataLimits } from "../limits";
import type { Problem, ProblemCode, ProblemFacts } from "../problem";
import type { Layout } from "../tags";
import { Cursor } from "./cursor";
import { FileTally } from "./fileTally";
import { countUnread, Frames } from "./frames";
import { Recorder } from "./recorder";

/** A hook's state in the metadata (`MasterState`); its bytes are opaque. */
export interface MasterStateEntry {
  readonly name: string;
  readonly version: number;
  /** Where its bytes are in the file. */
  readonly dataOffset: number;
  readonly dataBytes: number;
}

/** What the steps of a scan share: where it is, what is still to be read, and what was found. */
export class ScanState {
  readonly limits: MetadataLimits;
  readonly layout: Layout;
  readonly cursor: Cursor;
  readonly frames: Frames;
  readonly files: FileTally;
  readonly recorder = new Recorder();
  readonly masterStates: MasterStateEntry[] = [];
  /** Warnings, the first ones up to the limit, and how many there were. */
  readonly problems: Problem[] = [];
  problemCount = 0;
  version = 0;
  /** Undefined until it was read. */
  checkpointId: bigint | undefined;
  /** As the file says. */
  operatorCount = 0;
  /** Where the element under way began in the window, and the warnings before it: where to go back to when the window ends within it. */
  #markAt = 0;
  #markCount = 0;

  constructor(fileBytes: number, limits: MetadataLimits, layout: Layout) {
    this.limits = limits;
    this.layout = layout;
    this.cursor = new Cursor(fileBytes);
    this.frames = new Frames(limits.depth);
    this.files = new FileTally(this.cursor, limits.distinctFiles);
  }

  /** An element begins, and what was read before it is done. Until the next mark nothing may be changed before all bytes are there. */
  mark(): void {
    this.#markAt = this.cursor.at;
    this.#markCount = this.problemCount;
  }

  /** Goes back to the mark; the element will be read again, and the same found again. */
  rewind(): void {
    this.cursor.at = this.#markAt;
    this.problemCount = this.#markCount;
    this.problems.length = Math.min(this.problems.length, this.#markCount);
  }

  /** The offset of the mark in the file. */
  get markOffset(): number {
    return this.cursor.base + this.#markAt;
  }

  /** Reads the count of the list on top when that is still to be done, which is a step of its own: false then. */
  counted(elementBytes: number): boolean {
    const { frames } = this;
    if (frames.count !== countUnread) return true;
    frames.setCount(this.cursor.count(elementBytes, "count"));
    return false;
  }

  /** Notes something that Flink accepts or never writes, at a position in the window. */
  warn<C extends ProblemCode>(code: C, at: number, field: string, facts: ProblemFacts[C]): void {
    this.problemCount++;
    if (this.problems.length >= this.limits.problems) return;
    this.problems.push({ code, severity: "warning", offset: this.cursor.base + at, path: this.frames.pathOf(field), facts });
  }

  /** Ends the scan since a bound is reached. */
  failLimit(limit: keyof MetadataLimits, at = this.cursor.at): never {
    return this.cursor.fail("limit", at, "", { limit, value: this.limits[limit] });
  }
}
