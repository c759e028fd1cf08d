import { decodeModifiedUtf8, isModifiedUtf8 } from "../modifiedUtf8";
import { ProblemError, type ProblemCode, type ProblemFacts } from "../problem";
import { highestTag } from "../tags";

/** Thrown to say that the window ends inside a field, whose bytes the file still has; `Scanner.run` takes the step again in the next window. */
export const windowEnd = new Error("the window ends here");

/** Reads fields from a window of the file and checks each against what the file has left; a problem's path is the field alone. */
export class Cursor {
  readonly fileBytes: number;
  /** The window, its offset in the file, its length, and the position in it (which a skip may put beyond its end). */
  bytes: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  base = 0;
  end = 0;
  at = 0;

  constructor(fileBytes: number) {
    this.fileBytes = fileBytes;
  }

  /** Goes on at the start of a window that begins at `base` in the file. */
  enter(window: Uint8Array, base: number): void {
    this.bytes = window;
    this.view = new DataView(window.buffer, window.byteOffset, window.byteLength);
    this.base = base;
    this.end = window.length;
    this.at = 0;
  }

  /** To be called before bytes are taken: throws `windowEnd`, or `ProblemError` when the file itself ends within them. */
  need(length: number, field: string): void {
    if (this.at + length > this.end) this.#miss(length, field);
  }

  #miss(length: number, field: string): never {
    const missingBytes = this.base + this.at + length - this.fileBytes;
    if (missingBytes <= 0) throw windowEnd;
    return this.fail("truncated", this.at, field, { missingBytes });
  }

  /** The next byte, without taking it. */
  peek(field: string): number {
    this.need(1, field);
    return this.bytes[this.at] ?? 0;
  }

  i32(field: string): number {
    this.need(4, field);
    const value = this.view.getInt32(this.at);
    this.at += 4;
    return value;
  }

  /** Passes over a field of a fixed length; returns where it is in the window. */
  fixed(length: number, field: string): number {
    this.need(length, field);
    const at = this.at;
    this.at = at + length;
    return at;
  }

  /** A count of elements; `elementBytes` is the least that one takes. */
  count(elementBytes: number, field: string): number {
    const at = this.at;
    const count = this.i32(field);
    const leftBytes = this.fileBytes - this.base - this.at;
    if (count < 0 || count * elementBytes > leftBytes) this.fail("count-impossible", at, field, { count, leftBytes });
    return count;
  }

  /** A length of bytes that are all there. */
  length(field: string): number {
    return this.count(1, field);
  }

  /** Passes over bytes that `count` or `length` has checked; the last thing of a step. */
  skip(length: number): void {
    this.at += length;
  }

  /** A text that is only checked. */
  text(field: string): void {
    this.need(2, field);
    const start = this.at;
    const length = this.view.getUint16(start);
    this.need(length + 2, field);
    const { view } = this;
    const last = start + 2 + length;
    let any = 0;
    let at = start + 2;
    for (; at + 4 <= last; at += 4) any |= view.getInt32(at, true);
    for (; at < last; at++) any |= view.getInt8(at);
    if ((any & 0x80808080) !== 0) this.checkText(start, last, field);
    this.at = last;
  }

  /** To be called for a text with bytes beyond ASCII. */
  checkText(start: number, end: number, field: string): void {
    if (!isModifiedUtf8(this.bytes, start + 2, end)) this.fail("text-malformed", start, field, {});
  }

  /** A text. */
  string(field: string): string {
    this.need(2, field);
    const start = this.at;
    const length = this.view.getUint16(start);
    this.need(length + 2, field);
    this.at = start + 2 + length;
    return decodeModifiedUtf8(this.bytes, start + 2, this.at) ?? this.fail("text-malformed", start, field, {});
  }

  /** Up to `most` bytes from `at` in the window, as hex. */
  hex(at: number, most: number): string {
    let hex = "";
    for (let i = at; i < Math.min(at + most, this.end); i++) hex += (this.bytes[i] ?? 0).toString(16).padStart(2, "0");
    return hex;
  }

  /** Ends the scan with a problem at a position in the window. */
  fail<C extends ProblemCode>(code: C, at: number, field: string, facts: ProblemFacts[C]): never {
    throw new ProblemError(code, this.base + at, field, facts);
  }

  /** A tag that may not stand here. */
  failTag(at: number, tag: number, field = "tag"): never {
    return this.fail(tag > highestTag ? "tag-unknown" : "handle-misplaced", at, field, { tag });
  }
}
