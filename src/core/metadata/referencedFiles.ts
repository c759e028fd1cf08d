import { filePlaceOf, type FileRelation } from "./filePlace";
import type { MetadataLimits } from "./limits";
import type { Metadata } from "./metadata";
import type { RandomAccess } from "./randomAccess";
import { streamsOf, subtaskPages, withWindow, type StreamUse } from "./streams";

/** A file that a snapshot refers to. */
export interface ReferencedFile {
  /** In one spelling (`filePlaceOf`). */
  readonly location: string;
  readonly relation: FileRelation;
  /** Where to look for it. */
  readonly candidates: readonly string[];
  /** As the metadata has it, null where its writer did not know. Of a merged file the end of the last part in use; of a changelog file the length of its content, which is not that of the file. */
  readonly sizeBytes: bigint | null;
  /** Handles that name it. */
  readonly handles: number;
  /** What the first of them holds. */
  readonly part: StreamUse["part"];
  /** Position of the first operator that names it. */
  readonly row: number;
}

/** The files, in the order in which the metadata names them. */
export interface ReferencedFiles {
  readonly files: readonly ReferencedFile[];
  /** False when there are more than the limit, or some handles could not be decoded, or the metadata broke off. */
  readonly complete: boolean;
}

type Mutable = { -readonly [K in keyof ReferencedFile]: ReferencedFile[K] };

/** Every file that a snapshot refers to, each once, at most `maxFiles` (200,000 by default, some 300 bytes each). Throws what reading throws, and the signal's reason. */
export async function referencedFiles(input: RandomAccess, metadata: Metadata, folder: string, options: { limits?: Partial<MetadataLimits>; signal?: AbortSignal; maxFiles?: number } = {}): Promise<ReferencedFiles> {
  const maxFiles = options.maxFiles ?? 200_000;
  const files = new Map<string, Mutable>();
  let complete = metadata.whole;
  const file = withWindow(input);
  for (let row = 0; row < metadata.operators.count; row++) {
    for await (const page of subtaskPages(file, metadata, row, options)) {
      options.signal?.throwIfAborted();
      if (page.problems.length > 0) complete = false;
      for (const subtask of page.subtasks) {
        for (const { part, handle } of streamsOf(subtask)) {
          if (!("path" in handle)) continue;
          const { location, relation, candidates } = filePlaceOf(folder, handle);
          const size = handle.sizeBytes < 0n ? null : handle.type === "segment" ? handle.startOffset + handle.sizeBytes : handle.sizeBytes;
          const known = files.get(location);
          if (known !== undefined) {
            known.handles++;
            if (size !== null && (known.sizeBytes === null || size > known.sizeBytes)) known.sizeBytes = size;
          } else if (files.size >= maxFiles) complete = false;
          else files.set(location, { location, relation, candidates, sizeBytes: size, handles: 1, part, row });
        }
      }
    }
  }
  return { files: [...files.values()], complete };
}
