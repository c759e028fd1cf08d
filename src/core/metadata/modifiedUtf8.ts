/**
 * Modified UTF-8 as `DataInputStream.readUTF` takes it: UTF-16 units of one to three bytes, U+0000 as `C0 80` or `00`, over-long forms and
 * unpaired surrogates allowed, four-byte forms not. Undefined when malformed.
 */
export function decodeModifiedUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (isAscii(bytes, start, end)) return asciiText(bytes, start, end);
  let text = "";
  for (let at = start; at < end; ) {
    const first = bytes[at] ?? 0;
    const length = lengthOf(first);
    if (length === 0 || at + length > end) return undefined;
    let unit = length === 1 ? first : first & (length === 2 ? 0x1f : 0x0f);
    for (let i = 1; i < length; i++) {
      const next = bytes[at + i] ?? 0;
      if ((next & 0xc0) !== 0x80) return undefined;
      unit = (unit << 6) | (next & 0x3f);
    }
    text += String.fromCharCode(unit);
    at += length;
  }
  return text;
}

/** True when the bytes are well-formed modified UTF-8; nothing is allocated. */
export function isModifiedUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; ) {
    const length = lengthOf(bytes[at] ?? 0);
    if (length === 0 || at + length > end) return false;
    for (let i = 1; i < length; i++) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return false;
    at += length;
  }
  return true;
}

function lengthOf(first: number): number {
  return first < 0x80 ? 1 : (first & 0xe0) === 0xc0 ? 2 : (first & 0xf0) === 0xe0 ? 3 : 0;
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((bytes[at] ?? 0) >= 0x80) return false;
  return true;
}

const ascii = new TextDecoder();

function asciiText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > 24) return ascii.decode(bytes.subarray(start, end));
  let text = "";
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at] ?? 0);
  return text;
}
