import type { SnapshotKind } from "./metadata";
import type { CheckpointProperties } from "./properties";
import { tags } from "./tags";

/** What the scanner counts handles under. */
const countNames: Readonly<Record<number, string>> = {
  1: "bytes",
  2: "file",
  3: "keyGroups/3",
  4: "partitionable/4",
  5: "incremental/5",
  6: "relativeFile",
  7: "savepointKeyGroups/7",
  8: "changelog/8",
  9: "changelogBytes/9",
  10: "changelogFiles/10",
  11: "incremental/11",
  12: "keyGroups/12",
  13: "changelogFiles/13",
  14: "changelog/14",
  15: "segment",
  16: "emptySegment",
  17: "segmentPartitionable/17",
  18: "inputChannel",
  19: "outputChannel",
  20: "mergedInputChannel",
  21: "mergedOutputChannel",
  22: "keyGroupsStream",
};

/** Handle counts by name, without those that do not occur. */
export function handleCountsOf(counts: Float64Array): ReadonlyMap<string, number> {
  return new Map(Object.entries(countNames).flatMap(([slot, name]) => ((counts[Number(slot)] ?? 0) > 0 ? [[name, counts[Number(slot)] ?? 0]] : [])));
}

/**
 * What was taken. The properties decide where there are any; else tag 7 is a canonical savepoint, changelog, segments and channel state are
 * those of checkpoints, tag 5 too, 11 and 12 (Flink 1.15) may be a native savepoint as well, and tag 3 was written for both.
 */
export function kindOf(version: number, properties: CheckpointProperties | null | undefined, counts: Float64Array): SnapshotKind {
  if (version >= 4 && properties !== null && properties !== undefined) {
    const type = properties.snapshotType;
    return type.kind === "checkpoint" ? "checkpoint" : type.formatType === "NATIVE" ? "native savepoint" : "canonical savepoint";
  }
  const has = (...slots: readonly number[]): boolean => slots.some((slot) => (counts[slot] ?? 0) > 0);
  if (has(tags.changelog, tags.changelogBytes, tags.changelogFiles, tags.changelogFilesV2, tags.changelogV2, tags.segment, tags.emptySegment, tags.segmentPartitionable, 18, 19, 20, 21)) return "checkpoint";
  if (has(tags.savepointKeyGroups)) return "canonical savepoint";
  if (has(tags.incremental)) return "checkpoint";
  if (has(tags.incrementalV2, tags.keyGroupsV2)) return "checkpoint or native savepoint";
  return "unknown";
}
