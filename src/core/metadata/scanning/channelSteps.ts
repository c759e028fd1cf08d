import { stepChannelTail, stepMergedOffsets, stepStreamNotCounted } from "./frames";
import { kindInputChannel } from "./recorder";
import type { ScanState } from "./scanState";

// The grammar of channel state: what was under way between tasks in an unaligned checkpoint.

/** The next handle of a list; the note is which kind of channels it is of. */
export function channels(scan: ScanState): void {
  const { layout, cursor, frames, recorder } = scan;
  const tagged = scan.version >= 6;
  if (!scan.counted(tagged ? 18 : layout === "1.11" ? 21 : 25)) return;
  if (frames.done === frames.count) return frames.pop();
  const kind = tagged ? channelKind(scan) : frames.note === kindInputChannel ? 1 : 2;
  if (kind > 2) return mergedChannels(scan, kind);
  cursor.fixed(layout === "1.11" ? 8 : 12, "channel");
  const offsetBytes = cursor.count(8, "offsets") * 8;
  frames.done++;
  recorder.countHandle(17 + kind);
  cursor.skip(offsetBytes);
  frames.push(stepChannelTail, "");
}

/** Of version 6 on: 1 and 2 for a channel of the input and the output, 3 and 4 for all of them in one handle. */
function channelKind({ cursor, frames }: ScanState): number {
  const start = cursor.at;
  const kind = cursor.peek("tag");
  cursor.at++;
  if (kind < 1 || kind > 4) cursor.fail("tag-unknown", start, "tag", { tag: kind });
  if ((kind & 1) !== (frames.note === kindInputChannel ? 1 : 0)) cursor.fail("handle-misplaced", start, "tag", { tag: kind });
  return kind;
}

function mergedChannels({ cursor, frames, recorder }: ScanState, kind: number): void {
  cursor.i32("subtaskIndex");
  const at = cursor.fixed(8, "size");
  frames.done++;
  recorder.countHandle(17 + kind);
  recorder.add(cursor.view.getInt32(at), cursor.view.getUint32(at + 4));
  frames.push(stepMergedOffsets, "");
  frames.push(stepStreamNotCounted, "delegate");
}

/** What follows the stream of merged channels: their offsets, which only Flink can read. */
export function mergedOffsets({ cursor, frames }: ScanState): void {
  cursor.skip(cursor.length("offsets"));
  frames.pop();
}

/** What follows the offsets of a channel: its size, and the stream. */
export function channelTail({ cursor, frames, recorder }: ScanState): void {
  const at = cursor.fixed(8, "size");
  recorder.add(cursor.view.getInt32(at), cursor.view.getUint32(at + 4));
  frames.replace(stepStreamNotCounted, "delegate");
}
