import { FileSet } from "../fileSet";
import type { Cursor } from "./cursor";

/** Counts each file, and the bytes of each segment of a file, once, however many handles name it. */
export class FileTally {
  distinctFiles = 0;
  /** Handles whose size is not known (negative). */
  unknownSizes = 0;
  readonly #cursor: Cursor;
  readonly #mostFiles: number;
  readonly #files = new FileSet();
  /** Of the path that was read last. */
  #hashLow = 0;
  #hashHigh = 0;
  #distinctHigh = 0;
  #distinctLow = 0;

  constructor(cursor: Cursor, mostFiles: number) {
    this.#cursor = cursor;
    this.#mostFiles = mostFiles;
  }

  /** Bytes in distinct files (segments by segment), without those of unknown size. */
  get distinctFileBytes(): bigint {
    return (BigInt(this.#distinctHigh) << 32n) + BigInt(this.#distinctLow);
  }

  /** Reads a path: checks it, and remembers its hash for `file` or `segment`. Paths with another `salt` are other files. */
  path(salt: number): void {
    const cursor = this.#cursor;
    cursor.need(2, "path");
    const start = cursor.at;
    const { view } = cursor;
    const length = view.getUint16(start);
    cursor.need(length + 2, "path");
    const last = start + 2 + length;
    let a = this.#files.seed ^ salt;
    let b = length;
    let any = 0;
    let at = start + 2;
    for (; at + 8 <= last; at += 8) {
      const left = view.getInt32(at, true);
      const right = view.getInt32(at + 4, true);
      any |= left | right;
      a = (Math.imul(a ^ left, 0x85ebca6b) + b) | 0;
      b = Math.imul(b ^ right, 0xc2b2ae35) ^ ((a << 15) | (a >>> 17));
    }
    for (; at < last; at++) {
      const byte = view.getInt8(at);
      any |= byte;
      a = (Math.imul(a ^ byte, 0x85ebca6b) + b) | 0;
      b = Math.imul(b ^ byte, 0xc2b2ae35) ^ ((a << 15) | (a >>> 17));
    }
    if ((any & 0x80808080) !== 0) cursor.checkText(start, last, "path");
    this.#hashLow = a;
    this.#hashHigh = b;
    this.#mix(0x2545f491, 0x4f6cdd1d);
    cursor.at = last;
  }

  /** A file at the path read last, with the upper and lower half of its size. */
  file(high: number, low: number): void {
    if (high < 0) this.unknownSizes++;
    if (this.#files.add(this.#hashLow, this.#hashHigh)) this.#distinct(true, high, low);
  }

  /** A segment of the file at the path read last; its start and size, 8 bytes each, are at `at` in the window. */
  segment(at: number): void {
    const { view } = this.#cursor;
    const fileIsNew = this.#files.add(this.#hashLow, this.#hashHigh);
    // The same segment again has the same start and size.
    for (let i = at; i < at + 16; i += 4) this.#mix(view.getInt32(i), view.getInt32(i) ^ 0x5bd1e995);
    if (this.#files.add(this.#hashLow, this.#hashHigh)) this.#distinct(fileIsNew, view.getInt32(at + 8), view.getUint32(at + 12));
  }

  #distinct(fileIsNew: boolean, high: number, low: number): void {
    if (this.#files.size > this.#mostFiles) this.#cursor.fail("limit", this.#cursor.at, "", { limit: "distinctFiles", value: this.#mostFiles });
    if (fileIsNew) this.distinctFiles++;
    if (high < 0) return;
    this.#distinctHigh += high;
    this.#distinctLow += low;
  }

  #mix(left: number, right: number): void {
    let a = (Math.imul(this.#hashLow ^ left, 0x9e3779b1) + this.#hashHigh) | 0;
    a ^= a >>> 15;
    const b = Math.imul(this.#hashHigh ^ right, 0xc2b2ae35) ^ ((a << 13) | (a >>> 19));
    this.#hashLow = a;
    this.#hashHigh = b ^ (b >>> 16);
  }
}
