import { tags } from "../tags";
import { countUnread, stepChanges, stepChangelogFilesTail, stepChangelogParts, stepChangelogTail, stepKeyed, stepKeyedList, stepStreamNotCounted, stepText } from "./frames";
import { keyGroups } from "./keyGroups";
import type { ScanState } from "./scanState";
import { streamHandle } from "./streamSteps";

// The grammar of keyed state of the changelog backend: what was materialized, and changes since, in memory or in files.

/** Keyed state with handles in it, after its tag at `start`. */
export function startChangelog(scan: ScanState, tag: number, start: number): void {
  const { cursor, frames, recorder } = scan;
  const depth = frames.note;
  if (depth >= scan.limits.depth) scan.failLimit("depth", start);
  keyGroups(scan, 0);
  const old = tag === tags.changelog && scan.layout === "1.14";
  if (!old) cursor.fixed(8, "checkpointedSize");
  recorder.countHandle(tag);
  frames.scope();
  if (!old) frames.push(stepChangelogTail, "", 0, tag);
  frames.push(stepKeyedList, "nonMaterialized", countUnread, -1);
  frames.push(stepKeyedList, "materialized", countUnread, depth + 1);
}

/** The next handle of a list. The note is how deep it lies, or -1 where only changes may stand. */
export function keyedList(scan: ScanState): void {
  if (!scan.counted(1)) return;
  const { cursor, frames } = scan;
  if (frames.done === frames.count) return frames.pop();
  const depth = frames.note;
  if (depth < 0) {
    const tag = cursor.peek("tag");
    if (tag !== tags.null && tag !== tags.changelogBytes && tag !== tags.changelogFiles && tag !== tags.changelogFilesV2) cursor.failTag(cursor.at, tag);
  }
  frames.done++;
  frames.push(stepKeyed, "handle", 0, Math.max(depth, 0));
}

/** What follows the lists; the note is the tag. */
export function changelogTail({ cursor, frames }: ScanState): void {
  cursor.fixed(frames.note === tags.changelogV2 ? 16 : 8, "materializationId");
  cursor.text("stateHandleId");
  frames.pop();
}

/** Changes that lie in the metadata. */
export function startChangelogBytes(scan: ScanState): void {
  const { cursor, frames, recorder } = scan;
  keyGroups(scan, 0);
  cursor.fixed(16, "from");
  recorder.countHandle(tags.changelogBytes);
  frames.scope();
  if (scan.layout !== "1.14") frames.push(stepText, "stateHandleId");
  frames.push(stepChanges, "changes", countUnread);
}

/** The changes themselves. */
export function changes(scan: ScanState): void {
  if (!scan.counted(8)) return;
  const { cursor, frames, recorder } = scan;
  const { count } = frames;
  for (let { done } = frames; done < count; frames.done = ++done) {
    scan.mark();
    cursor.i32("keyGroup");
    const length = cursor.length("length");
    recorder.add(0, length);
    cursor.skip(length);
  }
  frames.pop();
}

/** Changes in files. */
export function startChangelogFiles(scan: ScanState, tag: number): void {
  const { frames, recorder } = scan;
  keyGroups(scan, 0);
  recorder.countHandle(tag);
  frames.scope();
  frames.push(stepChangelogFilesTail, "", 0, tag);
  frames.push(stepChangelogParts, "parts", countUnread);
}

/** The files, each with where in it the changes begin. */
export function changelogParts(scan: ScanState): void {
  if (!scan.counted(9)) return;
  const { cursor, frames } = scan;
  const { count } = frames;
  for (let { done } = frames; done < count; ) {
    scan.mark();
    cursor.fixed(8, "offset");
    const whole = streamHandle(scan, false);
    frames.done = ++done;
    if (!whole) return frames.push(stepStreamNotCounted, "handle", 0, 1);
  }
  frames.pop();
}

/** What follows the files, their size as a whole among it; the note is the tag. */
export function changelogFilesTail(scan: ScanState): void {
  const { cursor, frames, recorder } = scan;
  const tag = frames.note;
  const at = cursor.fixed(8, "size");
  if (tag !== tags.changelogFiles || scan.layout !== "1.14") {
    cursor.fixed(8, "checkpointedSize");
    cursor.text("stateHandleId");
  }
  if (tag === tags.changelogFilesV2) cursor.text("storageIdentifier");
  recorder.add(cursor.view.getInt32(at), cursor.view.getUint32(at + 4));
  frames.pop();
}
