import type { FileSet } from "../fileSet";
import { flagCoordinator, flagFullyFinished, flagWhole } from "../scanIndex";
import { tags } from "../tags";
import {
  countUnread, stepChannels, stepCoordinator, stepKeyed, stepKind, stepOperatorEnd, stepOperatorHandleFlagged, stepOperatorHandles, stepReference,
  stepStreams, stepSubtaskEnd, stepSubtasks,
} from "./frames";
import { kindInputChannel, kindLegacy, kindManagedKeyed, kindManagedOperator, kindOutputChannel, kindRawKeyed, kindRawOperator } from "./recorder";
import type { ScanState } from "./scanState";
import { streamHandle } from "./streamSteps";

// The grammar of operators and their subtasks.

/** The next operator: its head; what it consists of follows. `ids` are those of the operators before. */
export function operators(scan: ScanState, ids: FileSet): void {
  const { version, cursor, frames } = scan;
  if (!scan.counted(version < 3 ? 32 : version < 5 ? 29 : 33)) return;
  const { done } = frames;
  scan.operatorCount = frames.count;
  if (done === frames.count) return frames.pop();
  if (done >= scan.limits.operators) scan.failLimit("operators");
  const start = cursor.at;
  const name = version >= 5 ? cursor.string("name") : "";
  const uid = version >= 5 ? cursor.string("uid") : "";
  const idAt = cursor.fixed(16, "id");
  const parallelism = cursor.i32("parallelism");
  const maxParallelism = cursor.i32("maxParallelism");
  const chainLength = version < 3 ? cursor.i32("chainLength") : 1;
  if (!addId(scan, ids, idAt)) scan.warn("operator-repeated", idAt, "id", { id: cursor.hex(idAt, 16) });
  if (parallelism < 0 || parallelism > maxParallelism || maxParallelism > 32_768) scan.warn("parallelism-invalid", idAt + 16, "parallelism", { parallelism, maxParallelism });
  scan.recorder.startOperator({ offset: cursor.base + start, id: cursor.bytes.subarray(idAt, idAt + 16), name, uid, parallelism, maxParallelism, chainLength });
  frames.done = done + 1;
  frames.push(stepOperatorEnd, "");
  frames.push(stepSubtasks, "subtasks", countUnread);
  if (version >= 3) frames.push(stepCoordinator, "coordinatorState");
}

function addId({ cursor: { view } }: ScanState, ids: FileSet, at: number): boolean {
  return ids.add(view.getInt32(at) ^ Math.imul(view.getInt32(at + 8), 0x9e3779b1), view.getInt32(at + 4) ^ Math.imul(view.getInt32(at + 12), 0x85ebca6b));
}

/** State of the operator's coordinator (from version 3), null or inlined. */
export function coordinator(scan: ScanState): void {
  const { cursor, frames, recorder } = scan;
  const tag = cursor.peek("tag");
  if (tag === tags.null) cursor.at++;
  else {
    if (tag !== tags.bytes) cursor.failTag(cursor.at, tag);
    const { inlineBytes } = recorder;
    streamHandle(scan, true);
    recorder.inlineBytes = inlineBytes;
    recorder.flags |= flagCoordinator;
  }
  frames.pop();
}

/** The operator was read to its end. */
export function operatorEnd({ cursor, frames, recorder }: ScanState): void {
  recorder.flags |= flagWhole;
  recorder.endOperator(cursor.base + cursor.at);
  frames.pop();
}

/** The count of subtasks, or the next subtask: its head; its state follows. */
export function subtasks(scan: ScanState): void {
  const { version, cursor, frames, recorder } = scan;
  if (frames.count === countUnread) return subtaskCount(scan);
  if (frames.done === frames.count) return frames.pop();
  if (recorder.index.subtaskOffsets.length >= scan.limits.subtasks) scan.failLimit("subtasks");
  const start = cursor.at;
  const number = cursor.i32("index");
  const finished = number < 0 && version >= 3;
  if (version < 3) cursor.fixed(8, "duration");
  const { parallelism } = recorder;
  const real = finished ? -1 - number : number;
  if (real < 0 || real >= parallelism) scan.warn("subtask-out-of-range", start, "index", { index: real, parallelism });
  else if (recorder.isRepeated(real)) scan.warn("subtask-repeated", start, "index", { index: real });
  frames.done++;
  if (finished) return recorder.finishedSubtask(cursor.base + start, number);
  recorder.startSubtask(cursor.base + start, number);
  frames.push(stepSubtaskEnd, "");
  if (version >= 7) frames.push(stepReference, "reference");
  if (version < 3 || !passesEmptySubtask(scan)) pushState(scan);
}

/** Negative for a fully finished operator (from version 3). */
function subtaskCount(scan: ScanState): void {
  const { version, cursor, frames, recorder } = scan;
  const at = cursor.at;
  const count = cursor.i32("count");
  if (count < 0 && version >= 3) {
    if (count !== -1) scan.warn("value-invalid", at, "count", { value: count });
    if ((recorder.flags & flagCoordinator) !== 0) cursor.fail("value-invalid", at, "count", { value: count });
    recorder.flags |= flagFullyFinished;
    return frames.pop();
  }
  cursor.at = at;
  scan.counted(version >= 3 ? 4 : 26);
}

/** A subtask without any state, as most are in wide jobs, is taken as one piece. */
function passesEmptySubtask({ cursor }: ScanState): boolean {
  const { at, view } = cursor;
  if (at + 18 > cursor.end) return false;
  if (view.getInt32(at) !== 0 || view.getInt32(at + 4) !== 0 || view.getInt32(at + 8) !== 0 || view.getInt32(at + 12) !== 0 || view.getUint16(at + 16) !== 0) return false;
  cursor.at = at + 18;
  return true;
}

/** The parts of a subtask's state in their order, the last one pushed first. */
function pushState({ version, frames }: ScanState): void {
  const part = (step: number, label: string, kind: number, count = 0, note = 0): void => {
    frames.push(step, label, count, note);
    frames.push(stepKind, "", 0, kind);
  };
  if (version >= 3) {
    part(stepChannels, "outputChannelState", kindOutputChannel, countUnread, kindOutputChannel);
    part(stepChannels, "inputChannelState", kindInputChannel, countUnread, kindInputChannel);
  }
  part(stepKeyed, "rawKeyedState", kindRawKeyed);
  part(stepKeyed, "managedKeyedState", kindManagedKeyed);
  const operatorHandle = version === 1 ? stepOperatorHandles : stepOperatorHandleFlagged;
  const count = version === 1 ? countUnread : 0;
  part(operatorHandle, "rawOperatorState", kindRawOperator, count);
  part(operatorHandle, "managedOperatorState", kindManagedOperator, count);
  if (version < 3) part(stepStreams, "legacyOperatorState", kindLegacy, countUnread);
}

/** Whether the subtask's state is a reference to another checkpoint's (version 7). */
export function reference({ cursor, frames }: ScanState): void {
  const marker = cursor.peek("marker");
  cursor.at++;
  if (marker !== 0) cursor.fixed(8, "checkpointId");
  frames.pop();
}
