import { mapLimit } from "../core/base/async";
import type { JobSeen } from "../core/guards";
import { filesOf, isBeingCleanedUp, isUsable, type LedgerRecord, type SavepointRecord } from "../core/ledger/record";
import { localPath, placeKey } from "../core/model/location";
import type { ListedFolders, StorageLook } from "../core/ports";

/** Records and jobs whose places compare equal when they are one folder. For weighing only: shown, moved and sent to Flink are places as they were written. */
export interface RealPlaces {
  readonly records: readonly LedgerRecord[];
  readonly jobs: readonly JobSeen[];
}

/**
 * Follows the symbolic links in every `file:` place before something is removed: `/data/sp/savepoint-x` and `/mnt/sp/savepoint-x` can be one folder,
 * and what protects it under one path has to protect it under the other (safety rule 1). Places of other storages, and those that this machine does not
 * see, keep their spelling.
 */
export async function realPlaces(look: Pick<StorageLook, "real">, records: readonly LedgerRecord[], jobs: readonly JobSeen[]): Promise<RealPlaces> {
  const written = new Set([...records.map(savepointPathOf), ...jobs.map(({ seen }) => ("restored" in seen ? (seen.restored?.path ?? null) : null))]);
  const real = new Map<string, string>();
  await mapLimit([...written].filter((place) => place !== null && localPath(place) !== undefined) as string[], 16, async (place) => void real.set(place, await look.real(place)));
  const followed = (place: string): string => real.get(place) ?? place;
  return {
    records: records.map((record): LedgerRecord => {
      if (record.kind === "savepoint") return record.path === null ? record : { ...record, path: followed(record.path) };
      if (record.kind === "restore") return record.savepoint === null ? record : { ...record, savepoint: { ...record.savepoint, path: followed(record.savepoint.path) } };
      return record.kind === "rollback" ? { ...record, savepoint: { ...record.savepoint, path: followed(record.savepoint.path) } } : record;
    }),
    jobs: jobs.map(({ job, seen }) => ({ job, seen: "restored" in seen && seen.restored !== null && seen.restored.path !== null ? { ...seen, restored: { ...seen.restored, path: followed(seen.restored.path) } } : seen })),
  };
}

/**
 * Places, by their keys, where savepoints of a job were written and are seen to be no longer: a person deleted them, and nobody can go back to them. Known only
 * where this machine sees another savepoint of the job; else it may not see what Flink writes at all.
 */
export async function vanishedPlaces(look: StorageLook, records: readonly LedgerRecord[], cluster: string, jobName: string): Promise<ReadonlySet<string>> {
  const mine = records.filter((record): record is SavepointRecord => record.kind === "savepoint" && record.cluster.url === cluster && record.job.name === jobName && (isUsable(record) || isBeingCleanedUp(record)));
  const local = mine.filter((record) => localPath(filesOf(record)) !== undefined);
  const listed: ListedFolders = new Map();
  const sights = await mapLimit(local, 16, async (record) => ({ record, sight: await look.savepoint(filesOf(record), listed) }));
  if (!sights.some(({ sight }) => sight === "metadata")) return new Set();
  return new Set(sights.flatMap(({ record, sight }) => (isUsable(record) && (sight === "missing" || sight === "partly") ? [placeKey(filesOf(record))] : [])));
}

/** A savepoint's place and the records that it is compared with, both with symbolic links followed. */
export async function followedPlaces<P extends string | null>(look: Pick<StorageLook, "real">, path: P, records: readonly LedgerRecord[]): Promise<{ readonly path: P | string; readonly records: readonly LedgerRecord[] }> {
  const [real, followed] = await Promise.all([realPlaces(look, records, []), path === null || localPath(path) === undefined ? path : look.real(path)]);
  return { path: followed, records: real.records };
}

function savepointPathOf(record: LedgerRecord): string | null {
  if (record.kind === "savepoint") return record.path;
  return record.kind === "restore" || record.kind === "rollback" ? (record.savepoint?.path ?? null) : null;
}
