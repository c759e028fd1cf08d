import { decompress } from "fzstd";

/** What decoders are advised to take (RFC 8878 §3.1.1.1.2); levels up to 19 need no more. */
const mostWindowBytes = 8 << 20;
/** The decoder moves its whole window for each block, so so many bytes are some seconds. */
const mostMovedBytes = 2 ** 34;
const mostBlockBytes = 128 << 10;

/** Unpacks Zstandard, but nothing that would take much more memory or time than its `limitBytes` of output allow, whatever the frames say. */
export class Unpacker {
  readonly #limitBytes: number;
  #movedBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Undefined for what is no Zstandard, breaks off, is too large or too laborious. Throws what the decoder does for damage within blocks. */
  unpack(bytes: Uint8Array): Uint8Array | undefined {
    let mostBytes = 0;
    for (let at = 0; at < bytes.length;) {
      const frame = frameAt(bytes, at);
      if (frame === undefined) return undefined;
      mostBytes += Math.max(frame.mostBytes, frame.sizeBytes);
      this.#movedBytes += frame.blocks * frame.windowBytes;
      if (frame.windowBytes > mostWindowBytes || mostBytes > this.#limitBytes || this.#movedBytes > mostMovedBytes) return undefined;
      at = frame.end;
    }
    return decompress(bytes);
  }
}

interface Frame {
  readonly end: number;
  readonly blocks: number;
  /** 0 where the size is known and the output is written in place. */
  readonly windowBytes: number;
  /** As the head tells; 0 where it does not. */
  readonly sizeBytes: number;
  /** What the blocks give at the most. */
  readonly mostBytes: number;
}

/** What the heads of a frame and of its blocks tell (RFC 8878 §3.1.1); undefined when they break off, or are none. */
function frameAt(bytes: Uint8Array, start: number): Frame | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (start + 9 > bytes.length || view.getUint32(start, true) !== 0xfd2fb528) return undefined;
  const flags = bytes[start + 4] ?? 0;
  const isSingle = (flags & 0x20) !== 0;
  let at = start + (isSingle ? 5 : 6) + ([0, 1, 2, 4][flags & 3] ?? 0);
  const sizeLength = flags >> 6 === 0 ? (isSingle ? 1 : 0) : 1 << (flags >> 6);
  let sizeBytes = sizeLength === 2 ? 256 : 0;
  for (let i = 0; i < sizeLength; i++) sizeBytes += (bytes[at + i] ?? 0) * 2 ** (8 * i);
  at += sizeLength;
  const window = bytes[start + 5] ?? 0;
  const windowBytes = isSingle || sizeBytes > 0 ? 0 : 2 ** (10 + (window >> 3)) * (1 + (window & 7) / 8);
  let mostBytes = 0;
  let blocks = 0;
  for (let isLast = false; !isLast; blocks++) {
    if (at + 3 > bytes.length) return undefined;
    const head = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
    const [size, type] = [head >> 3, (head >> 1) & 3];
    isLast = (head & 1) === 1;
    at += 3 + (type === 1 ? 1 : size);
    mostBytes += type === 2 ? mostBlockBytes : size;
    if (at > bytes.length) return undefined;
  }
  return { end: at + ((flags & 4) === 0 ? 0 : 4), blocks, windowBytes, sizeBytes, mostBytes };
}
