import { countUnread, stepMasters, stepOperators } from "./frames";
import type { ScanState } from "./scanState";

// The grammar of the file's head and of its master states.

const magic = 0x4960672d;
const masterMagic = 0xc96b1696 | 0;

/** Magic number, version and checkpoint id, after which master states (from version 2) and operators follow. */
export function head(scan: ScanState): void {
  const { cursor, frames } = scan;
  if (cursor.fileBytes < 8) cursor.fail("not-metadata", 0, "magic", { start: cursor.hex(0, 8), hint: cursor.fileBytes === 0 ? "empty" : "short" });
  cursor.need(8, "magic");
  const found = cursor.i32("magic");
  if (found !== magic) cursor.fail("not-metadata", 0, "magic", { start: cursor.hex(0, 8), hint: hintOf(found >>> 0) });
  const version = cursor.i32("version");
  scan.version = version;
  if (version < 1 || version > 7) cursor.fail("version-unknown", 4, "version", { version });
  const at = cursor.fixed(8, "checkpointId");
  const id = cursor.view.getBigInt64(at);
  scan.checkpointId = id;
  if (id < 0n) scan.warn("value-invalid", at, "checkpointId", { value: Number(id) });
  frames.pop();
  frames.push(stepOperators, "operators", countUnread);
  if (version >= 2) frames.push(stepMasters, "masterStates", countUnread);
}

function hintOf(start: number): "swapped" | "java" | "zip" | "gzip" | "none" {
  if (start === 0x2d676049) return "swapped";
  const half = start >>> 16;
  return half === 0xaced ? "java" : half === 0x504b ? "zip" : half === 0x1f8b ? "gzip" : "none";
}

/** The next state of a hook of the checkpoint coordinator (`MasterState`), with a frame of its own. */
export function masters(scan: ScanState): void {
  if (!scan.counted(18)) return;
  const { cursor, frames } = scan;
  const { done } = frames;
  if (done === frames.count) return frames.pop();
  if (done >= scan.limits.masterStates) scan.failLimit("masterStates");
  const start = cursor.at;
  const found = cursor.i32("magic");
  if (found !== masterMagic) cursor.fail("value-invalid", start, "magic", { value: found });
  const length = cursor.length("length");
  const from = cursor.at;
  const version = cursor.i32("version");
  const name = cursor.string("name");
  const dataBytes = cursor.length("bytes");
  const used = cursor.at - from + dataBytes;
  if (used !== length) cursor.fail("length-mismatch", start, "length", { expected: length, actual: used });
  scan.masterStates.push({ name, version, dataOffset: cursor.base + cursor.at, dataBytes });
  cursor.skip(dataBytes);
  frames.done = done + 1;
}
