import { tags } from "../tags";
import { startChangelog, startChangelogBytes, startChangelogFiles } from "./changelogSteps";
import { countUnread, stepFiles, stepStream, stepText } from "./frames";
import { keyGroups } from "./keyGroups";
import type { ScanState } from "./scanState";
import { streamHandle } from "./streamSteps";

// The grammar of keyed state.

/** A handle of keyed state, or null. */
export function keyed(scan: ScanState): void {
  const { cursor, frames } = scan;
  const start = cursor.at;
  const tag = cursor.peek("tag");
  cursor.at++;
  switch (tag) {
    case tags.null: return frames.pop();
    case tags.keyGroups:
    case tags.savepointKeyGroups:
    case tags.keyGroupsV2: return startKeyGroups(scan, tag);
    case tags.incremental:
    case tags.incrementalV2: return startIncremental(scan, tag);
    case tags.changelog:
    case tags.changelogV2: return startChangelog(scan, tag, start);
    case tags.changelogBytes: return startChangelogBytes(scan);
    case tags.changelogFiles:
    case tags.changelogFilesV2: return startChangelogFiles(scan, tag);
    default: return cursor.failTag(start, tag);
  }
}

/** A range of key groups with the offset of each in one stream. */
function startKeyGroups(scan: ScanState, tag: number): void {
  const { cursor, frames, recorder } = scan;
  const groups = keyGroups(scan, 8);
  recorder.countHandle(tag);
  frames.scope();
  cursor.skip(groups * 8);
  if (tag === tags.keyGroupsV2) frames.push(stepText, "stateHandleId");
  frames.push(stepStream, "delegate");
}

/** Files of an incremental checkpoint. */
function startIncremental(scan: ScanState, tag: number): void {
  const { cursor, frames, recorder } = scan;
  cursor.fixed(8, "checkpointId");
  cursor.text("backendId");
  keyGroups(scan, 0);
  if (tag === tags.incrementalV2) cursor.fixed(8, "checkpointedSize");
  recorder.countHandle(tag);
  frames.scope();
  if (tag === tags.incrementalV2) frames.push(stepText, "stateHandleId");
  frames.push(stepFiles, "privateState", countUnread);
  frames.push(stepFiles, "sharedState", countUnread);
  frames.push(stepStream, "metaHandle");
}

/** The files of an incremental checkpoint, each with the name it has in the backend: most of what there is in a large file. */
export function files(scan: ScanState): void {
  if (!scan.counted(3)) return;
  const { cursor, frames } = scan;
  const { count } = frames;
  for (let { done } = frames; done < count; ) {
    scan.mark();
    cursor.text("localPath");
    const whole = streamHandle(scan, true);
    frames.done = ++done;
    if (!whole) return frames.push(stepStream, "handle", 0, 1);
  }
  frames.pop();
}
