/**
 * The operator id that Flink gives to `uid("…")`: murmur3 x64 128 with seed 0 of the UTF-8 bytes, 32 hex digits as Flink prints them
 * (`StreamGraphHasherV2`). An unpaired surrogate counts as `?`, as Java encodes it.
 */
export function operatorIdOf(uid: string): string {
  return murmur3(new TextEncoder().encode(uid.replace(/\p{Surrogate}/gu, "?")));
}

/** 16 bytes as Flink prints an operator id: hex in file order. */
export function hexOf(bytes: Uint8Array): string {
  let hex = "";
  for (const byte of bytes) hex += hexOfByte[byte];
  return hex;
}

const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** A 64-bit number as two halves; numbers of the language are too short for it, and its big ones too slow for ten thousand uids. */
class Word {
  high = 0;
  low = 0;

  set(high: number, low: number): this {
    this.high = high | 0;
    this.low = low | 0;
    return this;
  }

  xor({ high, low }: Word): this {
    return this.set(this.high ^ high, this.low ^ low);
  }

  add({ high, low }: Word): this {
    const sum = (this.low >>> 0) + (low >>> 0);
    return this.set(this.high + high + (sum > 0xffff_ffff ? 1 : 0), sum);
  }

  multiply({ high, low }: Word): this {
    const a0 = this.low & 0xffff;
    const a1 = this.low >>> 16;
    const b0 = low & 0xffff;
    const b1 = low >>> 16;
    const middle = a1 * b0 + ((a0 * b0) >>> 16);
    const upper = a1 * b1 + Math.floor(middle / 0x1_0000) + Math.floor(((middle & 0xffff) + a0 * b1) / 0x1_0000);
    return this.set(Math.imul(this.high, low) + Math.imul(this.low, high) + upper, Math.imul(this.low, low));
  }

  rotateLeft(by: number): this {
    const [high, low] = by < 32 ? [this.high, this.low] : [this.low, this.high];
    const bits = by & 31;
    return this.set((high << bits) | (low >>> (32 - bits)), (low << bits) | (high >>> (32 - bits)));
  }

  /** The word shifted right by 33 bits, mixed in. */
  fold(): this {
    return this.set(this.high, this.low ^ (this.high >>> 1));
  }
}

const word = (high: number, low: number): Word => new Word().set(high, low);
const c1 = word(0x87c37b91, 0x114253d5);
const c2 = word(0x4cf5ad43, 0x2745937f);
const five = word(0, 5);

/** Murmur3 x64 128, seed 0; h1 then h2, each little-endian, as Guava's `HashCode.asBytes` gives them. */
function murmur3(data: Uint8Array): string {
  const h1 = new Word();
  const h2 = new Word();
  const k1 = new Word();
  const k2 = new Word();
  const whole = data.length - (data.length % 16);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const load = (from: DataView, at: number): void => {
    k1.set(from.getUint32(at + 4, true), from.getUint32(at, true)).multiply(c1).rotateLeft(31).multiply(c2);
    k2.set(from.getUint32(at + 12, true), from.getUint32(at + 8, true)).multiply(c2).rotateLeft(33).multiply(c1);
  };
  for (let at = 0; at < whole; at += 16) {
    load(view, at);
    h1.xor(k1).rotateLeft(27).add(h2).multiply(five).add(word(0, 0x52dce729));
    h2.xor(k2).rotateLeft(31).add(h1).multiply(five).add(word(0, 0x38495ab5));
  }
  const tail = new DataView(new ArrayBuffer(16));
  for (let at = whole; at < data.length; at++) tail.setUint8(at - whole, data[at] ?? 0);
  load(tail, 0);
  h2.xor(k2);
  h1.xor(k1);

  const length = word(0, data.length);
  h1.xor(length);
  h2.xor(length);
  h1.add(h2);
  h2.add(h1);
  finalMix(h1);
  finalMix(h2);
  h1.add(h2);
  h2.add(h1);
  const out = new DataView(new ArrayBuffer(16));
  [h1.low, h1.high, h2.low, h2.high].forEach((half, at) => out.setInt32(at * 4, half, true));
  return hexOf(new Uint8Array(out.buffer));
}

function finalMix(hash: Word): void {
  hash.fold().multiply(word(0xff51afd7, 0xed558ccd)).fold().multiply(word(0xc4ceb9fe, 0x1a85ec53)).fold();
}
