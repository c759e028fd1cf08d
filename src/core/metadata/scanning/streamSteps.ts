import { decodeModifiedUtf8 } from "../modifiedUtf8";
import { tags } from "../tags";
import type { Cursor } from "./cursor";
import { keyGroups } from "./keyGroups";
import type { ScanState } from "./scanState";

// The grammar of stream handles: where bytes are.

/** The slot of `handleCounts` for tag 3 where it stands for a stream. */
const keyGroupsStream = 22;

/** A stream handle with a frame of its own. Its size is added where it is `counted`; the note is how deep it lies. */
export function stream(scan: ScanState, counted: boolean): void {
  const { frames } = scan;
  const depth = frames.note;
  if (depth > scan.limits.depth) scan.failLimit("depth");
  if (streamHandle(scan, counted)) frames.pop();
  else frames.note = depth + 1;
}

/** One handle from its tag on. False when it only led to another one (tag 3), which then follows. It may put the position beyond the window. */
export function streamHandle(scan: ScanState, counted: boolean): boolean {
  const { cursor, recorder } = scan;
  const start = cursor.at;
  const tag = cursor.peek("tag");
  cursor.at = start + 1;
  switch (tag) {
    case tags.bytes: {
      cursor.text("name");
      const length = cursor.length("length");
      cursor.skip(length);
      recorder.inlineBytes += length;
      if (counted) recorder.add(0, length);
      break;
    }
    case tags.file: {
      const at = cursor.fixed(8, "size");
      scan.files.path(0);
      file(scan, at, counted);
      break;
    }
    case tags.relativeFile: {
      scan.files.path(1);
      const at = cursor.fixed(8, "size");
      if (isSuspect(cursor, start + 3, at)) checkRelative(scan, start + 1, at);
      file(scan, at, counted);
      break;
    }
    case tags.segment:
      segment(scan, counted);
      break;
    case tags.emptySegment:
      break;
    case tags.keyGroups: {
      const groups = keyGroups(scan, 8);
      recorder.countHandle(keyGroupsStream);
      cursor.skip(groups * 8);
      return false;
    }
    default:
      cursor.failTag(start, tag);
  }
  recorder.countHandle(tag);
  return true;
}

function file({ cursor: { view }, files, recorder }: ScanState, sizeAt: number, counted: boolean): void {
  const high = view.getInt32(sizeAt);
  const low = view.getUint32(sizeAt + 4);
  files.file(high, low);
  if (counted) recorder.add(high, low);
}

function segment({ cursor, files, recorder }: ScanState, counted: boolean): void {
  const { view } = cursor;
  const at = cursor.fixed(20, "scope");
  const scope = view.getInt32(at + 16);
  if (scope !== 0 && scope !== 1) cursor.fail("value-invalid", at + 16, "scope", { value: scope });
  files.path(0);
  cursor.text("logicalFileId");
  files.segment(at);
  if (counted) recorder.add(view.getInt32(at + 8), view.getUint32(at + 12));
}

/** A relative path is a bare name in practice; any other could lead elsewhere. */
function isSuspect({ bytes }: Cursor, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === 0x2f || byte === 0x5c || byte === 0x3a) return true;
  }
  return end === start || (end === start + 2 && bytes[start] === 0x2e && bytes[start + 1] === 0x2e);
}

/** Tells a path that leaves the snapshot's folder; its length is at `start` in the window. */
function checkRelative(scan: ScanState, start: number, end: number): void {
  const path = decodeModifiedUtf8(scan.cursor.bytes, start + 2, end) ?? "";
  if (!/^[\\/]|^[A-Za-z][A-Za-z0-9+.-]*:|(^|[\\/])\.\.([\\/]|$)|^$/.test(path)) return;
  scan.warn("path-unsafe", start, "path", { path: path.length > 200 ? `${path.slice(0, 200)}…` : path });
}
