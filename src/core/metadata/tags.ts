/** Handle tags, one number space for all families and all versions (`MetadataV2V3SerializerBase`). */
export const tags = {
  null: 0,
  bytes: 1,
  file: 2,
  keyGroups: 3,
  partitionable: 4,
  incremental: 5,
  relativeFile: 6,
  savepointKeyGroups: 7,
  changelog: 8,
  changelogBytes: 9,
  changelogFiles: 10,
  incrementalV2: 11,
  keyGroupsV2: 12,
  changelogFilesV2: 13,
  changelogV2: 14,
  segment: 15,
  emptySegment: 16,
  segmentPartitionable: 17,
} as const;

/** The highest tag that a Flink is known to write. */
export const highestTag = 17;

/** Versions 3 to 5 left room for layouts that the file does not name; a file is tried in this order until one fits to its last byte. */
export type Layout =
  /** As the version says. */
  | "usual"
  /** Flink 1.11: channel handles without the subtask's index. */
  | "1.11"
  /** Flink 1.14: changelog handles with fewer fields. */
  | "1.14";

/** Which Flink releases write a metadata version; undefined for one that no release up to 2.3 writes. */
export function releasesOf(version: number, layout: Layout = "usual"): { readonly from: string; readonly to: string } | undefined {
  if (layout !== "usual") return { from: layout, to: layout };
  return writers[version];
}

const writers: Readonly<Record<number, { from: string; to: string }>> = {
  1: { from: "1.2", to: "1.2" },
  2: { from: "1.3", to: "1.10" },
  3: { from: "1.11", to: "1.15" },
  4: { from: "1.16", to: "1.20" },
  5: { from: "2.0", to: "2.0" },
  6: { from: "2.1", to: "2.3" },
};

/** Which Flink releases read a metadata version; undefined for none that is known. Version 2 only without state of the `Checkpointed` interface. */
export function readersOf(version: number): { readonly from: string; readonly to: string | null } | undefined {
  return readers[version];
}

const readers: Readonly<Record<number, { from: string; to: string | null }>> = {
  1: { from: "1.2", to: "1.10" },
  2: { from: "1.3", to: null },
  3: { from: "1.11", to: null },
  4: { from: "1.16", to: null },
  5: { from: "2.0", to: null },
  6: { from: "2.1", to: null },
};
