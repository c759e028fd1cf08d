import type { OpenFile } from "../ports";
import { scanMetadata } from "../metadata/scan";
import type { RandomAccess } from "../metadata/randomAccess";
import { isStop } from "./board";
import { paimonCommitters, type PaimonCommitter } from "./committers";
import type { Pairing } from "./pairing";
import { pairAll, tablesFor, wantedBy, type BoardTable, type PairedCatalog } from "./sinkTables";
import type { PaimonTag } from "./snapshot";
import { autoTagOption, type WarehouseProblem } from "./warehouse";

/** What the thread that pairs is asked. */
export interface PairsApi {
  /** `known`: the location by which the savepoint is known, wherever its files are now. */
  pairs(query: PairsQuery & { readonly known: string }): PlacedPairs;
}

/** Pairs with the one place that the savepoint is at, whichever path names it: its location with every symbolic link followed. */
export interface PlacedPairs extends SavepointPairs {
  readonly realPath: string;
}

/** A savepoint, and where its job may have written. */
export interface PairsQuery {
  /** Location of its folder. */
  readonly savepoint: string;
  /** When it was complete, epoch milliseconds; null: when its file was written. */
  readonly completedMs: number | null;
  /** Keys of warehouses, with their folders; null where only the one who asks reaches the tables. */
  readonly warehouses: readonly { readonly path: string; readonly folder: string | null }[];
  /** Tables that are looked at first, as `database.table`. */
  readonly likely: readonly string[];
}

/** A savepoint's pairs in all tables that its job writes. */
export interface SavepointPairs {
  readonly checkpointId: bigint;
  readonly isStop: boolean | undefined;
  /** One for each sink and table; a sink that writes to no table of the warehouses has one without. Empty: no sink of Paimon is in the savepoint. */
  readonly pairs: readonly SinkPair[];
  readonly problems: readonly WarehouseProblem[];
}

/** A sink's committer, without the names of its files. */
export type Sink = Omit<PaimonCommitter, "files">;

/** What a table has to do with a savepoint. */
export interface SinkPair {
  readonly sink: Sink;
  /** Null when no table of the warehouses is this sink's. */
  readonly place: { readonly warehouse: string; readonly table: string } | null;
  readonly pairing: Pairing;
  /** Id of the table's newest snapshot. */
  readonly latestSnapshotId: number | null;
  /** When the snapshot may expire if no tag keeps it, epoch milliseconds (P-18). */
  readonly snapshotExpiresMs: number | null;
  /** When the last of the tags expires, epoch milliseconds; null: never, or there is none (P-17). */
  readonly tagsExpireMs: number | null;
  /** `sink.savepoint.auto-tag` on the table as it is now; a hint of the job may say otherwise. Null: not set there, or not readable. */
  readonly tableAutoTag: boolean | null;
}

/** Paimon's default of `snapshot.time-retained`. */
const defaultRetainedMs = 3_600_000;

/** Pairs one savepoint with the tables that its job writes; reads no more of a warehouse than it takes to find them. Throws what reading the metadata throws. */
export async function readPairs(catalogs: readonly PairedCatalog[], metadataBytes: RandomAccess, query: Pick<PairsQuery, "savepoint" | "likely"> & { readonly completedMs: number }, open: OpenFile, signal?: AbortSignal): Promise<SavepointPairs> {
  const problems: WarehouseProblem[] = [];
  const { metadata } = await scanMetadata(metadataBytes, signal === undefined ? {} : { signal });
  if (metadata === undefined) return { checkpointId: 0n, isStop: undefined, pairs: [], problems };
  const committers = await paimonCommitters(metadataBytes, metadata, { folder: query.savepoint, open }, signal);
  const savepoint = { checkpointId: metadata.checkpointId, completedMs: query.completedMs, isStop: isStop(metadata) };
  const wanted = wantedBy(committers, query.likely, savepoint.checkpointId);
  const tables = committers.length === 0 ? [] : await tablesFor(catalogs, wanted, problems, signal);
  const pairs: SinkPair[] = [];
  for (const { committer, table: found, pairing } of await pairAll(savepoint, committers, tables, signal)) {
    const { operatorId, operatorName, objectName, commitUser, pending, autoTag, unread } = committer;
    const sink: Sink = { operatorId, operatorName, objectName, commitUser, pending, autoTag, unread };
    if (found === undefined) {
      pairs.push({ sink, place: null, pairing, latestSnapshotId: null, snapshotExpiresMs: null, tagsExpireMs: null, tableAutoTag: null });
      continue;
    }
    const { warehouse, table, snapshots, source } = found;
    const options = await source.options(table, problems, signal);
    const isAlive = pairing.snapshot !== null && snapshots.some(({ id, timeMs }) => id === pairing.snapshot?.id && timeMs === pairing.snapshot.timeMs);
    pairs.push({
      sink, place: { warehouse, table: table.name }, pairing, latestSnapshotId: snapshots.at(-1)?.id ?? null,
      snapshotExpiresMs: isAlive && pairing.snapshot !== null ? pairing.snapshot.timeMs + (optionDurationMs(options?.["snapshot.time-retained"]) ?? defaultRetainedMs) : null,
      tagsExpireMs: await lastExpiry(found, pairing.tags),
      tableAutoTag: options?.[autoTagOption] === undefined ? null : options[autoTagOption] === "true",
    });
  }
  return { checkpointId: savepoint.checkpointId, isStop: savepoint.isStop, pairs, problems };
}

async function lastExpiry({ source, table }: BoardTable, tags: readonly PaimonTag[]): Promise<number | null> {
  let last: number | null = null;
  for (const { name, retainedMs } of tags) {
    if (retainedMs === null) return null;
    const madeMs = await source.madeMs(table, name);
    if (madeMs !== undefined) last = Math.max(last ?? 0, madeMs + retainedMs);
  }
  return last;
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, milli: 1, millis: 1, s: 1_000, sec: 1_000, second: 1_000, min: 60_000, m: 60_000, minute: 60_000, h: 3_600_000, hour: 3_600_000, d: 86_400_000, day: 86_400_000 };

/** A duration as Paimon's options have it (`TimeUtils.parseDuration`): a number with a unit, milliseconds without. */
export function optionDurationMs(text: string | undefined): number | undefined {
  const [, number, unit = ""] = /^\s*(\d+)\s*([a-z]*)\s*$/i.exec(text ?? "") ?? [];
  if (number === undefined) return undefined;
  const name = unit.toLowerCase();
  const factor = name === "" ? 1 : (unitsMs[name] ?? unitsMs[name.replace(/s$/, "")]);
  return factor === undefined ? undefined : Number(number) * factor;
}
