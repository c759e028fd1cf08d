import type { OpenFile } from "../ports";
import type { Metadata } from "../metadata/metadata";
import { scanMetadata } from "../metadata/scan";
import type { RandomAccess } from "../metadata/randomAccess";
import { paimonCommitters, type PaimonCommitter } from "./committers";
import type { Pairing } from "./pairing";
import { pairAll, tablesFor, type BoardTable, type Wanted } from "./sinkTables";
import type { PairingTables } from "./tableSource";
import type { PaimonTable, WarehouseProblem } from "./warehouse";

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

/** Reads the tables of a catalog, those that are wanted or all, and pairs savepoints with them. Only the signal's reason, and what reading a savepoint's metadata throws, is thrown. */
export async function readBoard(source: PairingTables, savepoints: AsyncIterable<BoardSavepoint>, open: OpenFile, signal?: AbortSignal, wanted?: Wanted): Promise<Board> {
  const problems: WarehouseProblem[] = [];
  const tables: BoardTable[] = [];
  if (wanted !== undefined) tables.push(...(await tablesFor([{ path: "", tables: source }], wanted, problems, signal)));
  else for (const table of await source.all(problems, signal)) tables.push({ table, source, ...(await source.contents(table, problems, signal)) });
  const pairs: BoardPair[] = [];
  for await (const savepoint of savepoints) {
    const { metadata } = await scanMetadata(savepoint.metadata, signal === undefined ? {} : { signal });
    if (metadata === undefined) continue;
    const paired = { checkpointId: metadata.checkpointId, completedMs: savepoint.completedMs, isStop: isStop(metadata) };
    const committers = await paimonCommitters(savepoint.metadata, metadata, { folder: savepoint.path, open }, signal);
    for (const { committer, table, pairing } of await pairAll(paired, committers, tables, signal)) pairs.push({ savepoint: savepoint.path, committer, table: table?.table, pairing });
  }
  return { tables, pairs, problems };
}

/** Whether it was taken by stop-with-savepoint, drained or not (`SavepointType.getPostCheckpointAction`). */
export function isStop({ properties }: Metadata): boolean | undefined {
  const type = properties?.snapshotType;
  return type === undefined ? undefined : type.kind === "savepoint" && type.postCheckpointAction !== "NONE";
}
