import type { OpenFile } from "../ports";
import type { Metadata } from "../metadata/metadata";
import { scanMetadata } from "../metadata/scan";
import type { RandomAccess } from "../metadata/randomAccess";
import { paimonCommitters, type PaimonCommitter } from "./committers";
import type { Pairing } from "./pairing";
import { pairAll, type BoardTable } from "./sinkTables";
import { snapshotsOf, tablesOf, tagsOf, type PaimonTable, type WarehouseProblem, type WarehouseReader } from "./warehouse";

/** A savepoint to be paired. */
export interface BoardSavepoint {
  /** Its folder, as a location. */
  readonly path: string;
  readonly metadata: RandomAccess;
  /** Epoch milliseconds. */
  readonly completedMs: number;
}

/** A savepoint in one of the tables that its job writes; `table` is undefined when none of the warehouse is. */
export interface BoardPair {
  readonly savepoint: string;
  readonly committer: PaimonCommitter;
  readonly table: PaimonTable | undefined;
  readonly pairing: Pairing;
}

/** All tables of a warehouse, and what of them belongs to each savepoint. */
export interface Board {
  readonly tables: readonly BoardTable[];
  readonly pairs: readonly BoardPair[];
  readonly problems: readonly WarehouseProblem[];
}

/** Reads a warehouse and pairs savepoints with it. Only the signal's reason, and what reading a savepoint's metadata throws, is thrown. */
export async function readBoard(reader: WarehouseReader, warehouse: string, savepoints: AsyncIterable<BoardSavepoint>, open: OpenFile, signal?: AbortSignal): Promise<Board> {
  const problems: WarehouseProblem[] = [];
  const tables: BoardTable[] = [];
  for (const table of await tablesOf(reader, warehouse, problems, signal)) {
    tables.push({ table, tags: await tagsOf(reader, table, problems, signal), snapshots: await snapshotsOf(reader, table, problems, signal) });
  }
  const pairs: BoardPair[] = [];
  for await (const savepoint of savepoints) {
    const { metadata } = await scanMetadata(savepoint.metadata, signal === undefined ? {} : { signal });
    if (metadata === undefined) continue;
    const paired = { checkpointId: metadata.checkpointId, completedMs: savepoint.completedMs, isStop: isStop(metadata) };
    const committers = await paimonCommitters(savepoint.metadata, metadata, { folder: savepoint.path, open }, signal);
    for (const { committer, table, pairing } of await pairAll(reader, paired, committers, tables, signal)) pairs.push({ savepoint: savepoint.path, committer, table: table?.table, pairing });
  }
  return { tables, pairs, problems };
}

/** Whether it was taken by stop-with-savepoint, drained or not (`SavepointType.getPostCheckpointAction`). */
export function isStop({ properties }: Metadata): boolean | undefined {
  const type = properties?.snapshotType;
  return type === undefined ? undefined : type.kind === "savepoint" && type.postCheckpointAction !== "NONE";
}
