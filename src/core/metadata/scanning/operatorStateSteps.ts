import { tags } from "../tags";
import { countUnread, stepOperatorHandle, stepOperatorStates, stepSegmentStateTail, stepStream } from "./frames";
import type { ScanState } from "./scanState";

// The grammar of operator state, and of state of the `Checkpointed` interface.

/** The next state of the `Checkpointed` interface: one per chained operator (version 1), none or one (version 2). */
export function legacyStreams(scan: ScanState): void {
  if (!scan.counted(1)) return;
  const { cursor, frames } = scan;
  if (frames.done === frames.count) return frames.pop();
  const tag = cursor.peek("tag");
  frames.done++;
  if (tag === tags.null) cursor.at++;
  else frames.push(stepStream, "handle");
}

/** The next handle of operator state, one per chained operator (version 1). */
export function operatorHandles(scan: ScanState): void {
  if (!scan.counted(1)) return;
  const { frames } = scan;
  if (frames.done === frames.count) return frames.pop();
  frames.done++;
  frames.push(stepOperatorHandle, "handle");
}

/** From version 2 on a handle of operator state, or none. */
export function flaggedOperatorHandle(scan: ScanState): void {
  const { cursor, frames } = scan;
  const at = cursor.at;
  const flag = cursor.i32("flag");
  if (flag === 0) return frames.pop();
  if (flag !== 1) cursor.fail("value-invalid", at, "flag", { value: flag });
  operatorHandle(scan);
}

/** A handle of operator state: what states it has and where they begin, then the handle of their bytes. */
export function operatorHandle({ cursor, frames, recorder }: ScanState): void {
  const tag = cursor.peek("tag");
  if (tag !== tags.null && tag !== tags.partitionable && tag !== tags.segmentPartitionable) cursor.failTag(cursor.at, tag);
  cursor.at++;
  if (tag === tags.null) return frames.pop();
  recorder.countHandle(tag);
  frames.scope();
  if (tag === tags.partitionable) frames.push(stepStream, "delegate");
  else frames.push(stepSegmentStateTail, "");
  frames.push(stepOperatorStates, "states", countUnread);
}

/** Names, distribution modes and offsets of states. */
export function operatorStates(scan: ScanState): void {
  if (!scan.counted(7)) return;
  const { cursor, frames } = scan;
  const { count } = frames;
  for (let { done } = frames; done < count; frames.done = ++done) {
    scan.mark();
    cursor.text("name");
    const mode = cursor.peek("mode");
    if (mode > 2) cursor.fail("value-invalid", cursor.at, "mode", { value: mode });
    cursor.at++;
    cursor.skip(cursor.count(8, "offsets") * 8);
  }
  frames.pop();
}

/** What follows the states of operator state in a segment of a shared file. */
export function segmentStateTail({ cursor, frames }: ScanState): void {
  cursor.text("taskOwnedDirectory");
  cursor.text("sharedDirectory");
  cursor.need(2, "empty");
  const tag = cursor.bytes[cursor.at + 1] ?? 0;
  if (tag !== tags.segment && tag !== tags.emptySegment) cursor.failTag(cursor.at + 1, tag, "delegate.tag");
  cursor.at++;
  frames.replace(stepStream, "delegate");
}
