import { ProblemError } from "../problem";

const identifier = [0xff, 0x06, 0x00, 0x00, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59];

/** What came out of a framed stream. */
export interface Uncompressed {
  readonly bytes: Uint8Array;
  /** Compressed bytes that were used. */
  readonly usedBytes: number;
}

/**
 * Undoes snappy's framing format: an identifier, then chunks. It ends with the bytes, or before another identifier, where the next stream of a
 * key group starts. Checksums are not checked. Throws `ProblemError` for what is broken, or longer than `limitBytes`.
 */
export function unsnappy(bytes: Uint8Array, offset: number, limitBytes: number, startsInside = false): Uncompressed {
  const fail = (at: number, reason: number): never => {
    throw new ProblemError("value-invalid", offset + at, "snappy", { value: reason });
  };
  const parts: Uint8Array[] = [];
  let total = 0;
  let at = 0;
  if (!startsInside) {
    if (!isIdentifier(bytes, 0)) fail(0, bytes[0] ?? -1);
    at = identifier.length;
  }
  while (at < bytes.length && !isIdentifier(bytes, at)) {
    const type = bytes[at] ?? 0;
    const length = (bytes[at + 1] ?? 0) | ((bytes[at + 2] ?? 0) << 8) | ((bytes[at + 3] ?? 0) << 16);
    const start = at + 4;
    if (start + length > bytes.length) throw new ProblemError("truncated", offset + at, "snappy", { missingBytes: start + length - bytes.length });
    if (type === 0 || type === 1) {
      if (length < 4) fail(at, length);
      const part = type === 1 ? bytes.subarray(start + 4, start + length) : unsnappyBlock(bytes.subarray(start + 4, start + length), offset + start + 4, limitBytes - total);
      total += part.length;
      if (total > limitBytes) throw new ProblemError("limit", offset + at, "snappy", { limit: "stateBytes", value: limitBytes });
      parts.push(part);
    } else if (type < 0x80) fail(at, type);
    at = start + length;
  }
  const out = new Uint8Array(total);
  let to = 0;
  for (const part of parts) {
    out.set(part, to);
    to += part.length;
  }
  return { bytes: out, usedBytes: at };
}

function isIdentifier(bytes: Uint8Array, at: number): boolean {
  return identifier.every((byte, i) => bytes[at + i] === byte);
}

/** One compressed block without a frame: its length, then literals and copies. Throws `ProblemError` as `unsnappy` does. */
export function unsnappyBlock(bytes: Uint8Array, offset: number, limitBytes: number): Uint8Array {
  const fail = (at: number): never => {
    throw new ProblemError("value-invalid", offset + at, "snappy", { value: bytes[at] ?? -1 });
  };
  let at = 0;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] ?? fail(at);
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
    if (shift > 28) fail(at);
  }
  // A block is at most 64 kB, and no byte of it becomes more than 64.
  if (length > 65_536 || length > limitBytes || length > bytes.length * 64) throw new ProblemError("limit", offset, "snappy", { limit: "stateBytes", value: length });
  const out = new Uint8Array(length);
  let to = 0;
  while (at < bytes.length) {
    const tag = bytes[at++] ?? 0;
    let count = (tag >> 2) + 1;
    let back = 0;
    switch (tag & 3) {
      case 0:
        if (count > 60) {
          const extra = count - 60;
          count = 1;
          for (let i = 0; i < extra; i++) count += (bytes[at++] ?? fail(at)) * 2 ** (8 * i);
        }
        if (at + count > bytes.length || to + count > length) fail(at);
        out.set(bytes.subarray(at, at + count), to);
        at += count;
        to += count;
        continue;
      case 1:
        count = ((tag >> 2) & 7) + 4;
        back = ((tag >> 5) << 8) | (bytes[at++] ?? fail(at));
        break;
      case 2:
        back = (bytes[at++] ?? fail(at)) | ((bytes[at++] ?? fail(at)) << 8);
        break;
      default:
        back = ((bytes[at++] ?? fail(at)) | ((bytes[at++] ?? fail(at)) << 8) | ((bytes[at++] ?? fail(at)) << 16)) + (bytes[at++] ?? fail(at)) * 2 ** 24;
    }
    if (back === 0 || back > to || to + count > length) fail(at);
    for (let i = 0; i < count; i++, to++) out[to] = out[to - back] ?? 0;
  }
  if (to !== length) fail(at);
  return out;
}
