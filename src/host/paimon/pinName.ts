import type { SavepointRecord } from "../../core/ledger/record";

/** A tag of our own for a pair, under a name that Paimon never touches: of an aborted checkpoint it deletes the tag of that number, whoever made it. */
export function pinName(record: SavepointRecord): string {
  return `fsp-${record.job.id.slice(0, 8)}-${record.checkpointId ?? "x"}`;
}
