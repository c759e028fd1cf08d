import { isUntold } from "../core/paimon/pairing";
import type { CleanupWorld } from "./cleanup";
import { pairedPlace, type PairService } from "./pairs";
import type { WarehouseService } from "./warehouses";

/** Pairs that were looked at so lately are not read again, milliseconds. */
const freshMs = 60_000;

/**
 * The Paimon tags that somebody keeps and that belong to savepoints: all but the one that Paimon makes by itself of every savepoint. Where the tables
 * can't be read, nobody knows; that is told as a tag, so that the savepoint stays: when its own file can't be read from here, when something of the tables that
 * were looked through can't be read, and when a table that it wrote is found in no warehouse while not everything in one of them can be read.
 */
export function keptTags(pairs: Pick<PairService, "isUsed" | "pairsOf" | "failure">, warehouses: Pick<WarehouseService, "list" | "reach">): CleanupWorld["tagsNeeded"] {
  return async (records, signal) => {
    const kept = new Map<string, readonly string[]>();
    const partly = pairs.isUsed && records.length > 0 ? await partlyRead(warehouses) : [];
    for (const record of pairs.isUsed ? records : []) {
      const place = pairedPlace(record);
      if (place === undefined) continue;
      const known = await pairs.pairsOf(place, freshMs, signal);
      const failure = pairs.failure(place.path) ?? (known === undefined ? "its storage can't be read from here" : undefined);
      const byItself = `savepoint-${record.checkpointId ?? ""}`;
      const tags = known?.pairs.flatMap(({ place: table, pairing }) => pairing.tags.filter(({ name }) => name !== byItself).map(({ name }) => `tag ${name} of ${table?.table ?? "a table"}`)) ?? [];
      const [problem] = known?.problems ?? [];
      if (failure !== undefined) tags.push(`tags that could not be read (${failure})`);
      else if (problem !== undefined) tags.push(`tags that could not be read (${problem.path})`);
      else if (known?.pairs.some(({ pairing }) => isUntold(pairing))) tags.push("tags of which the SQL Gateway does not tell whether they belong to it");
      else if (known?.pairs.some(({ place: table }) => table === null)) tags.push(...partly.map((name) => `tags that could not be read (not everything in the warehouse ${name} can be read from here)`));
      if (tags.length > 0) kept.set(record.id, tags);
    }
    return kept;
  };
}

/** Names of the warehouses that can't be reached now, or of which a gateway tells no more than was asked for. */
async function partlyRead(warehouses: Pick<WarehouseService, "list" | "reach">): Promise<readonly string[]> {
  const names = await Promise.all(warehouses.list().map((profile) => warehouses.reach(profile).then(({ way }) => (way === "files" ? [] : [profile.name]), () => [profile.name])));
  return names.flat();
}
