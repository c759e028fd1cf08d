import type { JobNamed } from "./errors";
import { claimedPlaces, newestUsable, operationsIn, startsByPlace, type Operation } from "./ledger/queries";
import { mayHaveStarted, type LedgerRecord, type RestoreRecord, type SavepointRecord } from "./ledger/record";
import { savepointsIn, type CheckpointOverview, type CheckpointStats, type SavepointFormat } from "./model/checkpoint";
import type { JobState, JobSummary } from "./model/job";
import { placeKey } from "./model/location";

/** A job as one row: from Flink, or, once Flink has forgotten it, from our ledger. */
export interface JobRow {
  readonly cluster: string;
  readonly jobId: string;
  readonly name: string;
  /** `gone`: only the ledger remembers it. */
  readonly state: JobState | "gone";
  readonly startTimeMs: number | null;
  readonly endTimeMs: number | null;
  readonly tasks: { readonly total: number; readonly running: number } | null;
  /** Savepoint and restore operations on it that have not ended. */
  readonly operations: readonly Operation[];
  /** Newest usable savepoint that we know of. */
  readonly latestSavepoint: SavepointRecord | null;
  /** What it was started from, by our own record of the start; what Flink says of jobs that others restored is in their statistics. */
  readonly restoredFrom: { readonly checkpointId: number | null; readonly path: string | null } | null;
}

/** A savepoint as one row, merged from the ledger and the job's history. */
export interface SavepointRow {
  /** Ledger id, or `history-<jobId>-<checkpointId>` for what only the history shows (running or failed ones of others). */
  readonly id: string;
  readonly record: SavepointRecord | null;
  readonly checkpointId: number | null;
  readonly state: SavepointRecord["state"] | "disposing" | "disposed";
  readonly startedAtMs: number;
  readonly durationMs: number | null;
  readonly sizeBytes: number | null;
  readonly format: SavepointFormat | null;
  readonly origin: SavepointRecord["origin"];
  readonly description: string;
  readonly path: string | null;
  readonly failure: string | null;
  /** Subtasks that have written their part, while it is being taken. */
  readonly progress: { readonly acknowledged: number; readonly total: number } | null;
  readonly pinned: boolean;
  /** The job that took it over with CLAIM, as far as we know. */
  readonly claimedBy: JobNamed | null;
  /** Jobs that we started from it. */
  readonly restored: readonly JobNamed[];
}

/** The rows of a job's savepoints, newest first: one per savepoint, whoever took it. Forgotten ones are left out. */
export function savepointRows(jobId: string, records: readonly LedgerRecord[], overview: CheckpointOverview | undefined): SavepointRow[] {
  const mine = records.filter((record): record is SavepointRecord => record.kind === "savepoint" && record.job.id === jobId);
  if (mine.length === 0 && overview === undefined) return [];
  const restores = startsByPlace(records);
  const written = progressByRecord(mine, overview);
  const rows = withoutTwins(mine).filter((record) => !record.forgotten).map((record) => recordRow(record, restores, written.get(record.id)));
  const ours = new Set([...mine.map((record) => record.checkpointId), ...[...written.values()].map((entry) => entry.checkpointId)]);
  const oursFailed = mine.filter((record) => record.state === "failed" && record.checkpointId === null);
  for (const entry of savepointsIn(overview)) {
    if (entry.status === "completed" || ours.has(entry.checkpointId)) continue;
    const twin = entry.status === "failed" ? nearest(oursFailed, entry.triggeredAtMs) : undefined;
    if (twin !== undefined) oursFailed.splice(oursFailed.indexOf(twin), 1);
    else rows.push(historyRow(jobId, entry));
  }
  return rows.sort((a, b) => b.startedAtMs - a.startedAtMs);
}

/** The failed attempt of ours that a failed entry of the history most likely is: Flink names no trigger there, only the time by its own clock. */
function nearest(failed: readonly SavepointRecord[], triggeredAtMs: number): SavepointRecord | undefined {
  const distance = (record: SavepointRecord): number => Math.abs(record.requestedAtMs - triggeredAtMs);
  const best = failed.reduce<SavepointRecord | undefined>((near, record) => (near === undefined || distance(record) < distance(near) ? record : near), undefined);
  return best !== undefined && distance(best) < 60_000 ? best : undefined;
}

/**
 * Which running entry of the job's statistics is which record's: by its number where that is known, else in the order of the requests.
 * With fewer entries than records the later requests are not in the statistics yet; with more, the earlier entries are of others.
 */
function progressByRecord(mine: readonly SavepointRecord[], overview: CheckpointOverview | undefined): Map<string, CheckpointStats> {
  const found = new Map<string, CheckpointStats>();
  const running = savepointsIn(overview).filter((entry) => entry.status === "in-progress").reverse();
  if (running.length === 0) return found;
  const open = mine.filter((record) => record.state === "requested" || record.state === "running").sort((a, b) => a.sentAtMs - b.sentAtMs);
  for (const record of open) {
    const entry = running.find((candidate) => candidate.checkpointId === record.checkpointId);
    if (entry) found.set(record.id, entry);
  }
  const taken = new Set(found.values());
  for (const stop of [false, true]) {
    const records = open.filter((record) => (record.stop !== null) === stop && !found.has(record.id));
    const entries = running.filter((entry) => (entry.kind === "stop-savepoint") === stop && !taken.has(entry));
    const skip = Math.max(0, entries.length - records.length);
    for (const [at, record] of records.entries()) {
      const entry = entries[skip + at];
      if (entry) found.set(record.id, entry);
    }
  }
  return found;
}

/** The jobs of a cluster: those Flink lists, then those only the ledger remembers; what runs comes first, then the newest. */
export function jobRows(cluster: string, jobs: readonly JobSummary[], records: readonly LedgerRecord[]): JobRow[] {
  const rows = new Map<string, JobRow>();
  const savepoints = new Map<string, SavepointRecord[]>();
  for (const record of records) {
    if (record.kind !== "savepoint" || record.cluster.url !== cluster) continue;
    const list = savepoints.get(record.job.id);
    if (list) list.push(record);
    else savepoints.set(record.job.id, [record]);
  }
  const claimed = claimedPlaces(records);
  const operations = new Map<string, Operation[]>();
  for (const operation of operationsIn(records)) {
    if (operation.cluster !== cluster) continue;
    const list = operations.get(operation.jobId);
    if (list) list.push(operation);
    else operations.set(operation.jobId, [operation]);
  }
  // Our record of a start has the id of the job that it started.
  const starts = new Map(records.flatMap((record) => (record.kind === "restore" && record.savepoint !== null && mayHaveStarted(record) ? [[record.id, record.savepoint]] : [])));
  for (const job of jobs) rows.set(job.jobId, { ...job, cluster, operations: operations.get(job.jobId) ?? [], latestSavepoint: newestUsable(savepoints.get(job.jobId) ?? [], claimed), restoredFrom: starts.get(job.jobId) ?? null });
  for (const [jobId, list] of savepoints) {
    if (rows.has(jobId)) continue;
    const newest = list.reduce<SavepointRecord | null>((best, record) => (!record.forgotten && (best === null || record.requestedAtMs > best.requestedAtMs) ? record : best), null);
    if (newest === null) continue;
    rows.set(jobId, { cluster, jobId, name: newest.job.name, state: "gone", startTimeMs: null, endTimeMs: newest.requestedAtMs, tasks: null, operations: operations.get(jobId) ?? [], latestSavepoint: newestUsable(list, claimed), restoredFrom: starts.get(jobId) ?? null });
  }
  const rank = (row: JobRow): number => (row.state === "gone" ? 2 : row.state === "FINISHED" || row.state === "FAILED" || row.state === "CANCELED" ? 1 : 0);
  return [...rows.values()].sort((a, b) => rank(a) - rank(b) || (b.endTimeMs ?? b.startTimeMs ?? 0) - (a.endTimeMs ?? a.startTimeMs ?? 0) || a.name.localeCompare(b.name));
}

/** A savepoint found in the history and one of ours at the same place are one: ours says more. */
function withoutTwins(records: readonly SavepointRecord[]): SavepointRecord[] {
  const ours = new Set(records.flatMap((record) => (record.origin !== "found" && record.path !== null ? [placeKey(record.path)] : [])));
  return records.filter((record) => record.origin !== "found" || record.path === null || !ours.has(placeKey(record.path)));
}

function recordRow(record: SavepointRecord, starts: ReadonlyMap<string, readonly RestoreRecord[]>, live: CheckpointStats | undefined): SavepointRow {
  const from = (record.path === null ? undefined : starts.get(placeKey(record.path))) ?? [];
  const claimer = from.find((restore) => restore.claimMode === "CLAIM");
  return {
    id: record.id, record, checkpointId: record.checkpointId ?? (record.state === "running" ? (live?.checkpointId ?? null) : null),
    state: record.disposal?.state === "disposed" ? "disposed" : record.disposal?.state === "requested" ? "disposing" : record.state,
    startedAtMs: record.requestedAtMs, durationMs: record.durationMs, sizeBytes: record.sizeBytes, format: record.format, origin: record.origin,
    description: record.description, path: record.path, failure: record.failure?.message ?? null, progress: record.state === "running" ? (live?.subtasks ?? null) : null, pinned: record.pinned,
    claimedBy: claimer ? { jobId: claimer.id, name: claimer.jobName } : null,
    restored: from.map((restore) => ({ jobId: restore.id, name: restore.jobName })),
  };
}

function historyRow(jobId: string, entry: CheckpointStats): SavepointRow {
  return {
    id: `history-${jobId}-${entry.checkpointId}`, record: null, checkpointId: entry.checkpointId,
    state: entry.status === "in-progress" ? "running" : entry.status, startedAtMs: entry.triggeredAtMs, durationMs: entry.durationMs,
    sizeBytes: entry.status === "failed" ? null : entry.sizeBytes, format: entry.format, origin: "found", description: "", path: entry.path, failure: entry.failure,
    progress: entry.status === "in-progress" ? entry.subtasks : null, pinned: false, claimedBy: null, restored: [],
  };
}
