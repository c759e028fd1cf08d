import type { ScanState } from "./scanState";

/** Reads a range of key groups; returns how many, each of which has `elementBytes` more in what is left of the file. */
export function keyGroups(scan: ScanState, elementBytes: number): number {
  const { cursor } = scan;
  const { maxParallelism } = scan.recorder;
  const start = cursor.at;
  const first = cursor.i32("keyGroupRange");
  const count = elementBytes > 0 ? cursor.count(elementBytes, "keyGroupRange") : cursor.i32("keyGroupRange");
  if (first < 0 || count < 0 || (count > 0 && first + count > maxParallelism)) {
    scan.warn("key-groups-out-of-range", start, "keyGroupRange", { first, count, maxParallelism });
  }
  return count;
}
