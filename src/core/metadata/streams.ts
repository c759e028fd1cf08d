import { decodeSubtasks, type SubtaskResult } from "./decode";
import type { KeyedHandle, StreamHandle, Subtask } from "./handles";
import type { MetadataLimits } from "./limits";
import type { Metadata } from "./metadata";
import type { RandomAccess } from "./randomAccess";

/** Which of a subtask's fields a handle belongs to, under the names of `OperatorSubtaskState`. */
export type StateRole =
  | "legacyOperatorState" | "managedOperatorState" | "rawOperatorState" | "managedKeyedState" | "rawKeyedState" | "inputChannelState" | "resultSubpartitionState";

/** A stream handle and what it is for. */
export interface StreamUse {
  readonly role: StateRole;
  /** What the stream holds: `shared` and `private` files of a database, its `meta` stream, `changelog` increments, or the state itself. */
  readonly part: "data" | "meta" | "shared" | "private" | "changelog";
  readonly handle: StreamHandle;
}

/** Every stream handle of a subtask, in the file's order; those in handles are taken out. */
export function* streamsOf(subtask: Subtask): Generator<StreamUse> {
  for (const handle of subtask.legacy) if (handle !== null) yield { role: "legacyOperatorState", part: "data", handle: innermost(handle) };
  for (const handle of subtask.managedOperator) if (handle !== null) yield { role: "managedOperatorState", part: "data", handle: innermost(handle.delegate) };
  for (const handle of subtask.rawOperator) if (handle !== null) yield { role: "rawOperatorState", part: "data", handle: innermost(handle.delegate) };
  if (subtask.managedKeyed !== null) yield* keyedStreams("managedKeyedState", subtask.managedKeyed);
  if (subtask.rawKeyed !== null) yield* keyedStreams("rawKeyedState", subtask.rawKeyed);
  for (const { delegate } of subtask.inputChannels) yield { role: "inputChannelState", part: "data", handle: innermost(delegate) };
  for (const { delegate } of subtask.outputChannels) yield { role: "resultSubpartitionState", part: "data", handle: innermost(delegate) };
}

/** The handle that has the bytes, below key-groups handles that stand where a stream should. */
export function innermost(handle: StreamHandle): Exclude<StreamHandle, { readonly type: "keyGroups" }> {
  let inner = handle;
  while (inner.type === "keyGroups") inner = inner.delegate;
  return inner;
}

/** Keyed handles with the parts of changelogs one by one. */
export function* flatKeyed(handle: KeyedHandle): Generator<Exclude<KeyedHandle, { readonly type: "changelog" }>> {
  if (handle.type !== "changelog") return yield handle;
  for (const part of handle.materialized) yield* flatKeyed(part);
  for (const part of handle.nonMaterialized) yield* flatKeyed(part);
}

function* keyedStreams(role: StateRole, keyed: KeyedHandle): Generator<StreamUse> {
  for (const handle of flatKeyed(keyed)) {
    switch (handle.type) {
      case "keyGroups":
        yield { role, part: "data", handle: innermost(handle.delegate) };
        break;
      case "incremental":
        yield { role, part: "meta", handle: innermost(handle.metaHandle) };
        for (const file of handle.shared) yield { role, part: "shared", handle: innermost(file.handle) };
        for (const file of handle.private) yield { role, part: "private", handle: innermost(file.handle) };
        break;
      case "changelogFiles":
        for (const part of handle.parts) yield { role, part: "changelog", handle: innermost(part.handle) };
        break;
      case "changelogBytes":
        break;
    }
  }
}

/** How much is decoded at a time. */
const pageBytes = 2 << 20;

/** Bounds and a way to stop. */
export interface PageOptions {
  readonly limits?: Partial<MetadataLimits>;
  readonly signal?: AbortSignal;
  /** Subtasks at most, Infinity by default. */
  readonly subtasks?: number;
}

/** The subtasks of an operator with their handles, a page of some megabytes of the file at a time. A subtask that can't be decoded is a problem, and the next ones follow. */
export async function* subtaskPages(input: RandomAccess, metadata: Metadata, row: number, options: PageOptions = {}): AsyncGenerator<SubtaskResult> {
  const count = Math.min(metadata.operators.get(row).subtaskCount, options.subtasks ?? Infinity);
  for (let from = 0; from < count; ) {
    const entries = metadata.operators.subtasks(row, from, Math.min(count - from, 1024));
    let limit = 0;
    for (let bytes = 0; limit < entries.length; limit++) {
      bytes += entries[limit]?.lengthBytes ?? 0;
      if (limit > 0 && bytes > pageBytes) break;
    }
    const page = await decodeSubtasks(input, metadata, { row, from, limit }, options);
    yield page;
    from += page.problems.length > 0 ? page.subtasks.length + 1 : limit;
  }
}

/** The same bytes, of which the last piece that was read is kept, so that many small reads one after the other become a few. */
export function withWindow(input: RandomAccess, windowBytes = 1 << 20): RandomAccess {
  let start = 0;
  let kept = new Uint8Array(0);
  return {
    sizeBytes: input.sizeBytes,
    async read(offset, length, signal) {
      if (length > windowBytes) return input.read(offset, length, signal);
      if (offset < start || offset + length > start + kept.length) {
        const bytes = await input.read(offset, Math.min(windowBytes, input.sizeBytes - offset), signal);
        [start, kept] = [offset, bytes as Uint8Array<ArrayBuffer>];
      }
      return kept.subarray(offset - start, offset - start + length);
    },
  };
}
