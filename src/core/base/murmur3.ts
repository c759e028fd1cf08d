import { hexOf } from "./hex";

const mask = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotateLeft = (value: bigint, by: bigint): bigint => mask((value << by) | (value >> (64n - by)));

/**
 * Murmur3 x64 128 with seed 0 of a text's UTF-8 bytes, 32 hex digits; h1 then h2, each little-endian, as Guava's `HashCode.asBytes` gives them. An
 * unpaired surrogate counts as `?`, as Java encodes it.
 */
export function murmur3(text: string): string {
  const data = new TextEncoder().encode(text.replace(/\p{Surrogate}/gu, "?"));
  const c1 = 0x87c37b91114253d5n;
  const c2 = 0x4cf5ad432745937fn;
  const mix1 = (k: bigint): bigint => mask(rotateLeft(mask(k * c1), 31n) * c2);
  const mix2 = (k: bigint): bigint => mask(rotateLeft(mask(k * c2), 33n) * c1);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let h1 = 0n;
  let h2 = 0n;
  let at = 0;
  for (; at + 16 <= data.length; at += 16) {
    h1 ^= mix1(view.getBigUint64(at, true));
    h1 = mask(mask(rotateLeft(h1, 27n) + h2) * 5n + 0x52dce729n);
    h2 ^= mix2(view.getBigUint64(at + 8, true));
    h2 = mask(mask(rotateLeft(h2, 31n) + h1) * 5n + 0x38495ab5n);
  }
  const tail = new DataView(new ArrayBuffer(16));
  for (let i = at; i < data.length; i++) tail.setUint8(i - at, data[i] ?? 0);
  h2 ^= mix2(tail.getBigUint64(8, true));
  h1 ^= mix1(tail.getBigUint64(0, true));

  const length = BigInt(data.length);
  h1 = mask((h1 ^ length) + (h2 ^ length));
  h2 = mask((h2 ^ length) + h1);
  h1 = finalMix(h1);
  h2 = finalMix(h2);
  h1 = mask(h1 + h2);
  h2 = mask(h2 + h1);
  const out = new DataView(new ArrayBuffer(16));
  out.setBigUint64(0, h1, true);
  out.setBigUint64(8, h2, true);
  return hexOf(new Uint8Array(out.buffer));
}

function finalMix(hash: bigint): bigint {
  let k = hash ^ (hash >> 33n);
  k = mask(k * 0xff51afd7ed558ccdn);
  k ^= k >> 33n;
  k = mask(k * 0xc4ceb9fe1a85ec53n);
  return k ^ (k >> 33n);
}

/**
 * Stands for a text in names of files and ids of records, 32 hex digits: the same on every machine and in every release, since ledgers and leases
 * hold it. Not secret, and no proof against one who wants two texts to meet.
 */
export function stableId(text: string): string {
  return murmur3(text);
}
