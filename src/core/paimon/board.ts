import type { OpenFile } from "../ports";
import type { Metadata } from "../metadata/metadata";
import { scanMetadata } from "../metadata/scan";
import type { RandomAccess } from "../metadata/randomAccess";
import { paimonCommitters, type PaimonCommitter } from "./committers";
import { deltaFiles } from "./manifest";
import { pairWith, type Pairing } from "./pairing";
import type { PaimonSnapshot, PaimonTag } from "./snapshot";
import { snapshotsOf, tablesOf, tagsOf, type PaimonTable, type WarehouseProblem, type WarehouseReader } from "./warehouse";

/** A savepoint to be paired. */
export interface BoardSavepoint {
  /** Its folder, as a location. */
  readonly path: string;
  readonly metadata: RandomAccess;
  /** Epoch milliseconds. */
  readonly completedMs: number;
}

/** A table with what it keeps. */
export interface BoardTable {
  readonly table: PaimonTable;
  readonly tags: readonly PaimonTag[];
  readonly snapshots: readonly PaimonSnapshot[];
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
    for (const committer of await paimonCommitters(savepoint.metadata, metadata, { folder: savepoint.path, open }, signal)) {
      const written = tablesWrittenBy(committer, tables);
      for (const { table, tags, snapshots } of written) {
        const pairing = await pairWith(paired, committer, { tags, snapshots, deltaFiles: (snapshot) => deltaFiles(reader, table, snapshot, signal) });
        pairs.push({ savepoint: savepoint.path, committer, table, pairing });
      }
      if (written.length === 0) pairs.push({ savepoint: savepoint.path, committer, table: undefined, pairing: { grade: "none", snapshot: null, tags: [], decoy: null, reasons: [{ code: "never-committed" }] } });
    }
  }
  return { tables, pairs, problems };
}

/** Whether it was taken by stop-with-savepoint, drained or not (`SavepointType.getPostCheckpointAction`). */
export function isStop({ properties }: Metadata): boolean | undefined {
  const type = properties?.snapshotType;
  return type === undefined ? undefined : type.kind === "savepoint" && type.postCheckpointAction !== "NONE";
}

/**
 * Tables in which the committer's user has a snapshot or a tag; without any, the only one that has the name in the operator's. A branch that was made
 * of a tag has that tag's snapshot too and is not written for that: it counts where the operator's name says so, or where its table has none.
 */
export function tablesWrittenBy<T extends BoardTable>({ commitUser, objectName }: Pick<PaimonCommitter, "commitUser" | "objectName">, tables: readonly T[]): readonly T[] {
  const byUser = tables.filter(({ tags, snapshots }) => commitUser !== null && [...snapshots, ...tags.map((tag) => tag.snapshot)].some((snapshot) => snapshot.commitUser === commitUser));
  const named = byUser.filter(({ table }) => table.objectName === objectName);
  if (named.length > 0) return named;
  if (byUser.length > 0) {
    const mains = new Set(byUser.flatMap(({ table }) => (table.home === table.folder ? [table.folder] : [])));
    return tables.filter((each) => (each.table.home === each.table.folder ? byUser.some(({ table }) => table.folder === each.table.folder) : byUser.includes(each) && !mains.has(each.table.folder)));
  }
  const byName = tables.filter(({ table }) => table.objectName === objectName);
  return byName.length === 1 ? byName : [];
}
