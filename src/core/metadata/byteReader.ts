import { decodeModifiedUtf8 } from "./modifiedUtf8";
import { ProblemError, type ProblemCode, type ProblemFacts } from "./problem";

/** Big-endian numbers and texts out of bytes, as `java.io.DataInput` reads them. Every read is checked and names its field when it fails. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  /** Where the bytes start in their file, for the offsets of problems. */
  readonly #base: number;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, base = 0, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#base = base;
    this.#at = start;
    this.#end = end;
  }

  /** Position in `bytes`. */
  get at(): number {
    return this.#at;
  }

  /** Position in the file. */
  get offset(): number {
    return this.#base + this.#at;
  }

  get leftBytes(): number {
    return this.#end - this.#at;
  }

  /** Goes to a position in `bytes`, which lies within the reader's part. */
  seek(at: number): void {
    this.#at = at;
  }

  u8(field: string): number {
    return this.#view.getUint8(this.#take(1, field));
  }

  /** Any other value than 0 is true, as for Java. */
  bool(field: string): boolean {
    return this.u8(field) !== 0;
  }

  u16(field: string): number {
    return this.#view.getUint16(this.#take(2, field));
  }

  i16(field: string): number {
    return this.#view.getInt16(this.#take(2, field));
  }

  i32(field: string): number {
    return this.#view.getInt32(this.#take(4, field));
  }

  i64(field: string): bigint {
    return this.#view.getBigInt64(this.#take(8, field));
  }

  /** A text of at most 65,535 bytes (`readUTF`). */
  utf(field: string): string {
    const start = this.#at;
    const length = this.u16(field);
    const from = this.#take(length, field);
    const text = decodeModifiedUtf8(this.bytes, from, from + length);
    return text ?? this.failAt("text-malformed", start, field, {});
  }

  /** A count of things of at least `elementBytes` each, so that no array is made for more than can be there. */
  count(elementBytes: number, field: string): number {
    const start = this.#at;
    const count = this.i32(field);
    return count < 0 || count * elementBytes > this.leftBytes ? this.failAt("count-impossible", start, field, { count, leftBytes: this.leftBytes }) : count;
  }

  /** Passes over bytes; returns where they start. */
  skip(length: number, field: string): number {
    return this.#take(length, field);
  }

  /** A part of the bytes, not copied. */
  slice(length: number, field: string): Uint8Array {
    const from = this.#take(length, field);
    return this.bytes.subarray(from, from + length);
  }

  /** A reader of the next `length` bytes, which this one passes over. */
  part(length: number, field: string): ByteReader {
    const from = this.#take(length, field);
    return new ByteReader(this.bytes, this.#base, from, from + length);
  }

  /** Throws a `ProblemError` at the position. */
  fail<C extends ProblemCode>(code: C, field: string, facts: ProblemFacts[C]): never {
    return this.failAt(code, this.#at, field, facts);
  }

  /** Throws a `ProblemError` at a position in `bytes`. */
  failAt<C extends ProblemCode>(code: C, at: number, field: string, facts: ProblemFacts[C]): never {
    throw new ProblemError(code, this.#base + at, field, facts);
  }

  #take(length: number, field: string): number {
    const at = this.#at;
    if (length < 0 || length > this.#end - at) this.fail("truncated", field, { missingBytes: length - (this.#end - at) });
    this.#at = at + length;
    return at;
  }
}
