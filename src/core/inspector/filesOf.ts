import { decodeSubtasks } from "../metadata/decode";
import type { Metadata } from "../metadata/metadata";
import type { RandomAccess } from "../metadata/randomAccess";
import { streamsOf } from "./handleRows";

/** A file that the metadata names, and how many bytes of it are needed. */
export interface NamedFile {
  readonly path: string;
  /** Below the savepoint's folder. */
  readonly relative: boolean;
  /** Null where the writer did not know. */
  readonly neededBytes: number | null;
}

/** Files of all subtasks, each once. Ends at a problem; throws what reading throws. */
export async function* filesOf(input: RandomAccess, metadata: Metadata, signal?: AbortSignal): AsyncGenerator<NamedFile> {
  const seen = new Set<string>();
  for (let row = 0; row < metadata.operators.count; row++) {
    const count = metadata.operators.get(row).subtaskCount;
    for (let from = 0; from < count; from += subtasksAtOnce) {
      const { subtasks, problems } = await decodeSubtasks(input, metadata, { row, from, limit: subtasksAtOnce }, signal === undefined ? {} : { signal });
      for (const subtask of subtasks) {
        for (let stream of streamsOf(subtask)) {
          while (stream.type === "keyGroups") stream = stream.delegate;
          if (stream.type === "bytes" || stream.type === "emptySegment") continue;
          const key = `${stream.type === "relativeFile" ? "r" : "a"}${stream.path}`;
          if (seen.has(key)) continue;
          seen.add(key);
          const end = stream.type === "segment" ? stream.startOffset + stream.sizeBytes : stream.sizeBytes;
          yield { path: stream.path, relative: stream.type === "relativeFile", neededBytes: stream.sizeBytes < 0n ? null : Number(end) };
        }
      }
      if (problems.length > 0) break;
    }
  }
}

const subtasksAtOnce = 64;
