import { operatorIdOf } from "../../src/core/metadata/operatorId";
import type { Layout } from "../../src/core/metadata/tags";

/** Random numbers from a seed (mulberry32), the same on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 0 to `below` - 1. */
  int(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below);
  }

  chance(percent: number): boolean {
    return this.int(100) < percent;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(list.length)] as T;
  }

  hex(digits: number): string {
    let text = "";
    while (text.length < digits) text += this.int(0x1000000).toString(16).padStart(6, "0");
    return text.slice(0, digits);
  }

  uuid(): string {
    const hex = this.hex(32);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }
}

/** Big-endian bytes as `java.io.DataOutput` writes them. */
export class ByteWriter {
  #bytes = Buffer.alloc(1 << 16);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The bytes so far, not copied. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  u8(value: number): this {
    const at = this.#room(1);
    this.#bytes.writeUInt8(value & 0xff, at);
    return this;
  }

  i32(value: number): this {
    const at = this.#room(4);
    this.#bytes.writeInt32BE(value, at);
    return this;
  }

  i64(value: number | bigint): this {
    const at = this.#room(8);
    this.#bytes.writeBigInt64BE(BigInt(value), at);
    return this;
  }

  raw(bytes: Uint8Array): this {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** Modified UTF-8 with its length. */
  utf(text: string): this {
    const at = this.#room(2);
    const start = this.#length;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit !== 0 && unit < 0x80) this.u8(unit);
      else if (unit < 0x800) this.u8(0xc0 | (unit >> 6)).u8(0x80 | (unit & 0x3f));
      else this.u8(0xe0 | (unit >> 12)).u8(0x80 | ((unit >> 6) & 0x3f)).u8(0x80 | (unit & 0x3f));
    }
    this.#bytes.writeUInt16BE(this.#length - start, at);
    return this;
  }

  /** Where the next `count` bytes go. */
  #room(count: number): number {
    const at = this.#length;
    if (at + count > this.#bytes.length) {
      const grown = Buffer.alloc(Math.max(this.#bytes.length * 2, at + count));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    this.#length += count;
    return at;
  }
}

/** What the writer adds up by itself while it writes, as a second opinion on the reader. */
export interface WrittenFacts {
  operators: number;
  subtasks: number;
  stateBytes: bigint;
  readonly files: Map<string, number>;
}

/** Which layout of `_metadata`, and from which seed. */
export interface WriteOptions {
  readonly version: number;
  readonly layout?: Layout;
  readonly seed: number;
  readonly operators?: number;
}

/** Writes a `_metadata` of any version with every kind of handle that the grammar allows in it, at random from a seed. */
export function writeMetadata(options: WriteOptions): { readonly bytes: Buffer; readonly facts: WrittenFacts } {
  const writer = new MetadataWriter(options);
  return { bytes: writer.write(options.operators ?? 6), facts: writer.facts };
}

class MetadataWriter {
  readonly facts: WrittenFacts = { operators: 0, subtasks: 0, stateBytes: 0n, files: new Map() };
  readonly #out = new ByteWriter();
  readonly #random: Random;
  readonly #version: number;
  readonly #layout: Layout;
  #counting = true;
  #maxParallelism = 128;

  constructor({ version, layout = "usual", seed }: WriteOptions) {
    this.#version = version;
    this.#layout = layout;
    this.#random = new Random(seed);
  }

  write(operators: number): Buffer {
    const out = this.#out;
    const random = this.#random;
    out.i32(0x4960672d).i32(this.#version).i64(random.int(1_000_000));
    if (this.#version >= 2) {
      const masters = random.int(3);
      out.i32(masters);
      for (let i = 0; i < masters; i++) {
        const size = random.int(40);
        out.i32(0xc96b1696 | 0).i32(4 + 2 + 6 + 4 + size).i32(1).utf(`hook-${i}`).i32(size).raw(Buffer.alloc(size, i));
      }
    }
    out.i32(operators);
    for (let i = 0; i < operators; i++) this.#operator(i);
    if (this.#version >= 4) out.raw(Buffer.from([0xac, 0xed, 0, 5, 0x70]));
    this.facts.operators = operators;
    return Buffer.from(out.finish());
  }

  #operator(i: number): void {
    const out = this.#out;
    const random = this.#random;
    const uid = `operator-${i}-é中😀`;
    if (this.#version >= 5) out.utf(random.chance(80) ? `Operator ${i}\0` : "").utf(uid);
    const parallelism = 1 + random.int(4);
    out.raw(Buffer.from(operatorIdOf(uid), "hex")).i32(parallelism).i32(this.#maxParallelism);
    if (this.#version < 3) out.i32(1);
    else {
      const finished = random.chance(10);
      if (finished) {
        out.u8(0).i32(-1);
        return;
      }
      if (random.chance(30)) this.#stream("bytes");
      else out.u8(0);
    }
    out.i32(parallelism);
    for (let s = 0; s < parallelism; s++) this.#subtask(s);
  }

  #subtask(index: number): void {
    const out = this.#out;
    const random = this.#random;
    this.facts.subtasks++;
    if (this.#version >= 3 && random.chance(10)) {
      out.i32(-index - 1);
      return;
    }
    out.i32(index);
    if (this.#version < 3) {
      out.i64(-1);
      const legacy = this.#version === 1 ? 2 : random.int(2);
      out.i32(legacy);
      for (let i = 0; i < legacy; i++) this.#stream();
    }
    for (let i = 0; i < 2; i++) {
      const has = random.chance(50);
      out.i32(has ? 1 : 0);
      if (has) this.#operatorHandle();
    }
    this.#keyed(0);
    if (random.chance(20)) this.#keyed(0);
    else out.u8(0);
    if (this.#version >= 3) {
      this.#channels(1);
      this.#channels(2);
    }
    if (this.#version >= 7) {
      if (random.chance(50)) out.u8(1).i64(42);
      else out.u8(0);
    }
  }

  #operatorHandle(): void {
    const out = this.#out;
    const random = this.#random;
    const segment = random.chance(20);
    out.u8(segment ? 17 : 4);
    const states = random.int(3);
    out.i32(states);
    for (let i = 0; i < states; i++) {
      out.utf(`state-${i}`).u8(random.int(3));
      this.#longs(random.int(5));
    }
    if (segment) out.utf("file:/owned").utf("file:/shared").u8(0);
    this.#stream(segment ? random.pick(["segment", "empty"] as const) : undefined);
  }

  #keyed(depth: number, only?: readonly number[]): void {
    const out = this.#out;
    const random = this.#random;
    const tag = random.pick(only ?? (depth > 2 ? [0, 3, 12, 11] : [0, 3, 7, 12, 5, 11, 14, 8]));
    out.u8(tag);
    const range = (): void => void out.i32(0).i32(4);
    switch (tag) {
      case 0:
        return;
      case 3:
      case 7:
      case 12:
        out.i32(0);
        this.#longs(4);
        this.#stream(random.chance(5) ? "keyGroups" : undefined);
        break;
      case 5:
      case 11:
        out.i64(5).utf(random.uuid());
        range();
        if (tag === 11) out.i64(100);
        this.#stream();
        for (const list of ["sst", "own"]) {
          const count = random.int(4);
          out.i32(count);
          for (let i = 0; i < count; i++) {
            out.utf(`00000${i}.${list}`);
            this.#stream();
          }
        }
        break;
      case 8:
      case 14: {
        const short = tag === 8 && this.#layout === "1.14";
        range();
        if (!short) out.i64(100);
        const materialized = random.int(3);
        out.i32(materialized);
        for (let i = 0; i < materialized; i++) this.#keyed(depth + 1);
        const others = random.int(3);
        out.i32(others);
        for (let i = 0; i < others; i++) this.#keyed(depth + 1, this.#layout === "1.14" ? [0, 9, 10] : [0, 9, 10, 13]);
        if (!short) {
          out.i64(1);
          if (tag === 14) out.i64(5);
          out.utf(random.uuid());
        }
        return;
      }
      case 9: {
        range();
        out.i64(0).i64(9);
        const changes = random.int(4);
        out.i32(changes);
        for (let i = 0; i < changes; i++) {
          const size = random.int(30);
          out.i32(i - 1).i32(size).raw(Buffer.alloc(size, 1));
          this.#count(size);
        }
        if (this.#layout !== "1.14") out.utf(random.uuid());
        return;
      }
      default: {
        range();
        const parts = random.int(3);
        out.i32(parts);
        const counting = this.#counting;
        this.#counting = false;
        for (let i = 0; i < parts; i++) {
          out.i64(i);
          this.#stream();
        }
        this.#counting = counting;
        out.i64(77);
        this.#count(77);
        if (this.#layout !== "1.14") out.i64(7).utf(random.uuid());
        if (tag === 13) out.utf("filesystem");
        return;
      }
    }
    if (tag === 11 || tag === 12) out.utf(random.uuid());
  }

  #channels(kind: number): void {
    const out = this.#out;
    const random = this.#random;
    const count = random.chance(30) || this.#layout === "1.11" ? 1 + random.int(3) : 0;
    out.i32(count);
    for (let i = 0; i < count; i++) {
      const merged = this.#version >= 6 && random.chance(70);
      if (this.#version >= 6) out.u8(merged ? kind + 2 : kind);
      const counting = this.#counting;
      this.#counting = false;
      if (merged) {
        out.i32(0).i64(20);
        this.#stream("relative");
        const list = new ByteWriter().i32(1).i32(0).i32(i).i64(20).i32(1).i64(0).finish();
        out.i32(list.length).raw(list);
      } else {
        if (this.#layout !== "1.11") out.i32(0);
        out.i32(0).i32(i);
        this.#longs(random.int(3));
        out.i64(20);
        this.#stream("relative");
      }
      this.#counting = counting;
      this.#count(20);
    }
  }

  #stream(kind: "bytes" | "file" | "relative" | "segment" | "empty" | "keyGroups" = this.#random.pick(["bytes", "file", "relative", "segment", "empty"])): void {
    const out = this.#out;
    const random = this.#random;
    const size = random.int(200);
    switch (kind) {
      case "bytes":
        out.u8(1).utf(random.uuid()).i32(size).raw(Buffer.alloc(size, 0x5a));
        return this.#count(size);
      case "file": {
        // Some are shared by several handles.
        const path = random.chance(30) ? `s3://bucket/shared/${random.int(3)}` : `s3://bucket/${random.uuid()}`;
        const known = this.facts.files.get(path) ?? size;
        out.u8(2).i64(known).utf(path);
        this.facts.files.set(path, known);
        return this.#count(known);
      }
      case "relative": {
        const path = random.uuid();
        out.u8(6).utf(path).i64(size);
        this.facts.files.set(path, size);
        return this.#count(size);
      }
      case "segment": {
        const path = `s3://bucket/merged/${random.uuid()}`;
        out.u8(15).i64(10).i64(size).i32(random.int(2)).utf(path).utf(random.uuid());
        this.facts.files.set(path, size);
        return this.#count(size);
      }
      case "empty":
        out.u8(16);
        return;
      case "keyGroups":
        out.u8(3).i32(0);
        this.#longs(2);
        return this.#stream();
    }
  }

  #longs(count: number): void {
    this.#out.i32(count);
    for (let i = 0; i < count; i++) this.#out.i64(i * 100 + 1);
  }

  #count(size: number): void {
    if (this.#counting) this.facts.stateBytes += BigInt(size);
    else return;
  }
}
