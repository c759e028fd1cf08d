import { FileSet } from "../fileSet";
import type { MetadataLimits } from "../limits";
import { ProblemError } from "../problem";
import type { Layout } from "../tags";
import { changelogFilesTail, changelogParts, changelogTail, changes, keyedList } from "./changelogSteps";
import { channels, channelTail, mergedOffsets } from "./channelSteps";
import { windowEnd } from "./cursor";
import { head, masters } from "./fileSteps";
import * as step from "./frames";
import { files, keyed } from "./keyedSteps";
import { flaggedOperatorHandle, legacyStreams, operatorHandle, operatorHandles, operatorStates, segmentStateTail } from "./operatorStateSteps";
import { coordinator, operatorEnd, operators, reference, subtasks } from "./operatorSteps";
import { ScanState } from "./scanState";
import { stream } from "./streamSteps";

/**
 * Reads the structure of `_metadata` once, window by window: checks it, sums sizes as Flink counts them, and notes where operators and
 * subtasks are. It makes no objects of handles and passes over inlined state. The grammar is a machine with a stack of its own; a field that
 * crosses the window's end is simply read again in the next window.
 */
export class Scanner {
  /** What was found so far. */
  readonly state: ScanState;
  readonly #ids = new FileSet();

  constructor(fileBytes: number, limits: MetadataLimits, layout: Layout) {
    this.state = new ScanState(fileBytes, limits, layout);
    this.state.frames.push(step.stepHead, "");
  }

  /** Where the next window must start. */
  get offset(): number {
    const { cursor } = this.state;
    return cursor.base + cursor.at;
  }

  /** Reads on in a window that starts at `offset`. True when the structure was read to its end; throws `ProblemError` when it can't go on. */
  run(window: Uint8Array, base: number): boolean {
    const { state } = this;
    const { frames } = state;
    state.cursor.enter(window, base);
    try {
      while (frames.top >= 0) {
        state.mark();
        this.#step(state);
      }
      return true;
    } catch (error) {
      if (error instanceof ProblemError) throw new ProblemError(error.code, error.offset, frames.pathOf(error.field), error.facts);
      if (error !== windowEnd) throw error;
      state.rewind();
      return false;
    }
  }

  /** Takes what is known of an operator that the file breaks off in; to be called once, after an error. */
  close(): void {
    const { recorder, markOffset, cursor } = this.state;
    recorder.close(Math.min(markOffset, cursor.fileBytes));
  }

  #step(state: ScanState): void {
    const { frames } = state;
    switch (frames.step) {
      case step.stepHead: return head(state);
      case step.stepScope: return frames.pop();
      case step.stepMasters: return masters(state);
      case step.stepOperators: return operators(state, this.#ids);
      case step.stepCoordinator: return coordinator(state);
      case step.stepSubtasks: return subtasks(state);
      case step.stepOperatorEnd: return operatorEnd(state);
      case step.stepSubtaskEnd: state.recorder.endSubtask(); return frames.pop();
      case step.stepKind: state.recorder.kind = frames.note; return frames.pop();
      case step.stepOperatorHandle: return operatorHandle(state);
      case step.stepOperatorHandleFlagged: return flaggedOperatorHandle(state);
      case step.stepOperatorHandles: return operatorHandles(state);
      case step.stepOperatorStates: return operatorStates(state);
      case step.stepSegmentStateTail: return segmentStateTail(state);
      case step.stepKeyed: return keyed(state);
      case step.stepKeyedList: return keyedList(state);
      case step.stepStream: return stream(state, true);
      case step.stepStreamNotCounted: return stream(state, false);
      case step.stepStreams: return legacyStreams(state);
      case step.stepFiles: return files(state);
      case step.stepText: state.cursor.text(""); return frames.pop();
      case step.stepChanges: return changes(state);
      case step.stepChangelogParts: return changelogParts(state);
      case step.stepChangelogFilesTail: return changelogFilesTail(state);
      case step.stepChangelogTail: return changelogTail(state);
      case step.stepChannels: return channels(state);
      case step.stepChannelTail: return channelTail(state);
      case step.stepMergedOffsets: return mergedOffsets(state);
      case step.stepReference: return reference(state);
    }
  }
}
