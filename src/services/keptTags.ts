import type { CleanupWorld } from "./cleanup";
import { pairedPlace, type PairService } from "./pairs";

/** Pairs that were looked at so lately are not read again, milliseconds. */
const freshMs = 60_000;

/**
 * The Paimon tags that somebody keeps and that belong to savepoints: all but the one that Paimon makes by itself of every savepoint. Where the tables
 * can't be read, nobody knows; that is told as a tag, so that the savepoint stays.
 */
export function keptTags(pairs: Pick<PairService, "isUsed" | "pairsOf" | "failure">): CleanupWorld["tagsNeeded"] {
  return async (records, signal) => {
    const kept = new Map<string, readonly string[]>();
    for (const record of pairs.isUsed ? records : []) {
      const place = pairedPlace(record);
      if (place === undefined) continue;
      const known = await pairs.pairsOf(place, freshMs, signal);
      const failure = pairs.failure(place.path);
      const byItself = `savepoint-${record.checkpointId ?? ""}`;
      const tags = known?.pairs.flatMap(({ place: table, pairing }) => pairing.tags.filter(({ name }) => name !== byItself).map(({ name }) => `tag ${name} of ${table?.table ?? "a table"}`)) ?? [];
      if (failure !== undefined) tags.push(`tags that could not be read (${failure})`);
      if (tags.length > 0) kept.set(record.id, tags);
    }
    return kept;
  };
}
