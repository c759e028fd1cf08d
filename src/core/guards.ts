import type { TableRef } from "./contributions";
import type { JobNamed, Refusal } from "./errors";
import { claimedPlaces, operationsIn, restoresFrom, savepointsAt, vacatedPlaces } from "./ledger/queries";
import { isUsable, type LedgerRecord, type RestoreRecord, type RollbackRecord, type SavepointRecord } from "./ledger/record";
import { savepointsIn, type CheckpointConfig, type CheckpointOverview, type CheckpointStats, type RestoredFrom } from "./model/checkpoint";
import type { ClusterInfo } from "./model/cluster";
import { isSameJob, isTerminal, type JobState } from "./model/job";
import { folderName, localPath, placeKey } from "./model/location";
import type { ClaimMode } from "./ports";

/** Something a person should know before a verb; it does not forbid it. `explainWarning` turns it into a sentence. */
export type Warning =
  /** The job has no completed checkpoint, so a savepoint attempt that restarts it starts it from scratch, or from what it was started from. */
  | { warning: "restart-from-scratch"; checkpointing: boolean; startedFrom: string | null }
  /** A directory on one machine: JobManager and TaskManagers must all reach it (C-38). */
  | { warning: "local-directory"; directory: string }
  /** Earlier savepoints took nearly as long as the checkpoint timeout, which limits savepoints too. */
  | { warning: "may-expire"; expectedMs: number; timeoutMs: number }
  /** A savepoint of the job is being taken; stopping now may make it fail. */
  | { warning: "savepoint-running" }
  /** The savepoint was taken with drain: timers and windows have fired, results of a restored job are wrong (C-13). */
  | { warning: "drained" }
  /** A job of the same name runs on the cluster. */
  | { warning: "job-runs"; job: JobNamed }
  /** Other jobs were started from this savepoint; two jobs on one timeline may commit twice (C-12). */
  | { warning: "already-restored"; jobs: readonly JobNamed[] }
  /** The attempt that wrote this savepoint left the job FAILED. */
  | { warning: "uncommitted"; jobState: string }
  /** The job writes Paimon, so this savepoint is committed and tagged only with the checkpoint after it (P-2…P-6); `intervalMs` null: there is none. `tagged` false: none of the tables gets a tag. */
  | { warning: "paimon-later"; tables: readonly string[]; intervalMs: number | null; tagged: boolean }
  /** Savepoints are not tagged in these tables (P-7): by the job as it runs, or by the tables' options, which a hint of the job may override. `places`: where that can be set. */
  | { warning: "paimon-untagged"; tables: readonly string[]; by: "job" | "table"; places: readonly TableRef[] }
  /** Drained, the job's tables get no tag (P-5). */
  | { warning: "paimon-drain"; tables: readonly string[] }
  /** A restore into Paimon tables (P-1, P-20): `moved` went on since the savepoint, `unproven` have no proven state of it, `ready` are as they were. */
  | { warning: "paimon-restore"; moved: readonly string[]; unproven: readonly string[]; ready: readonly string[] };

/** What is known of a job when a verb is asked for. */
export interface JobFacts {
  readonly cluster: string;
  readonly jobId: string;
  readonly state: JobState;
  readonly overview: CheckpointOverview | undefined;
  readonly config: CheckpointConfig | undefined;
  readonly records: readonly LedgerRecord[];
  readonly info: ClusterInfo;
  /** Median duration of the job's earlier savepoints, milliseconds. */
  readonly expectedMs: number | null;
  /** Epoch milliseconds. */
  readonly nowMs: number;
}

/**
 * Why a savepoint, or a stop with savepoint, can't be asked for now (A-5, C-37 is left to the directory picker). A second stop makes both
 * fail and restarts the job; a savepoint during a stop fails, so both are refused while a stop runs.
 */
export function savepointRefusals(facts: JobFacts): Refusal[] {
  const refusals = clusterRefusals(facts.info);
  if (facts.state !== "RUNNING") refusals.push({ rule: "job-not-running", state: facts.state });
  const stop = stopUnderWay(facts);
  if (stop !== undefined) refusals.push({ rule: "operation-running", what: "stop", forMs: facts.nowMs - stop });
  return refusals;
}

/** What to know before a savepoint or a stop. */
export function savepointWarnings(facts: JobFacts, verb: "trigger" | "stop"): Warning[] {
  const warnings: Warning[] = [];
  const { overview, config } = facts;
  if (overview !== undefined && latestCheckpoint(overview) === null) {
    const started = overview.latest.restored;
    warnings.push({ warning: "restart-from-scratch", checkpointing: config?.intervalMs !== null && config !== undefined, startedFrom: started?.path ?? null });
  }
  if (facts.expectedMs !== null && config !== undefined && facts.expectedMs > config.timeoutMs * 0.7) warnings.push({ warning: "may-expire", expectedMs: facts.expectedMs, timeoutMs: config.timeoutMs });
  // Statistics are up to three seconds old, our own records are not.
  const running = operationsIn(facts.records).some((operation) => operation.what === "savepoint" && isSameJob(operation, facts))
    || savepointsIn(overview).some((entry) => entry.status === "in-progress" && entry.kind === "savepoint");
  if (verb === "stop" && running) warnings.push({ warning: "savepoint-running" });
  return warnings;
}

/** Why a job can't be cancelled from here. */
export function cancelRefusals(state: JobState | undefined, info: ClusterInfo): Refusal[] {
  const refusals: Refusal[] = [];
  if (info.kind === "history") refusals.push({ rule: "cluster-reads-only", kind: "history" });
  if (!info.cancelAllowed) refusals.push({ rule: "cancel-switched-off" });
  if (state === undefined || isTerminal(state)) refusals.push({ rule: "job-not-running", state: state ?? "gone" });
  return refusals;
}

/** Whether a savepoint is one of the job whose tables are being rolled back: restored from any, it finds a part of them as they were, and the others as they are. */
function isOfSameJob(rollback: RollbackRecord, path: string, records: readonly LedgerRecord[]): boolean {
  const own = records.find((record): record is SavepointRecord => record.kind === "savepoint" && record.id === rollback.savepoint.recordId);
  return own !== undefined && savepointsAt(path, records).some(({ cluster, job }) => cluster.url === own.cluster.url && job.name === own.job.name);
}

/**
 * Why no job can be started on a cluster, or not from this savepoint (C-27: a claimed one starts no second job). `claimMode`, once it is
 * chosen: CLAIM would delete what is pinned, or what another job would need when it fails over (safety rule 1, C-26).
 */
export function restoreRefusals(info: ClusterInfo, savepointPath: string | null, records: readonly LedgerRecord[], claimMode?: ClaimMode): Refusal[] {
  const refusals: Refusal[] = [];
  if (info.kind !== "session") refusals.push({ rule: "cluster-reads-only", kind: info.kind });
  if (info.capabilities.claimModeField === "none") refusals.push({ rule: "version-too-old", version: info.version.text, since: "1.15" });
  if (savepointPath === null) return refusals;
  const path = placeKey(savepointPath);
  for (const { disposal, cleanup } of savepointsAt(path, records)) {
    if ((cleanup?.aside ?? null) !== null && disposal?.state !== "disposed") refusals.push({ rule: "moved-aside" });
    if (disposal?.state === "disposed") refusals.push({ rule: "already-disposed" });
    else if (disposal?.state === "requested") refusals.push({ rule: "disposal-running" });
  }
  for (const record of records) {
    if (record.kind !== "rollback" || record.state !== "rolling" || !(placeKey(record.savepoint.path) === path || isOfSameJob(record, path, records))) continue;
    refusals.push({ rule: "rollback-unfinished", done: record.tables.filter(({ state }) => state === "rolled-back").length, total: record.tables.length });
  }
  const claimer = restoresFrom(path, records).find((restore) => restore.claimMode === "CLAIM");
  if (claimer) refusals.push({ rule: "claimed", by: named(claimer) });
  else if (claimMode === "CLAIM") {
    if (savepointsAt(path, records).some(({ pinned }) => pinned)) refusals.push({ rule: "claim-of-pinned" });
    const needing = restoresFrom(path, records).find((restore) => restore.endedAtMs === null && (restore.state !== "safe" || restore.claimMode === "LEGACY"));
    if (needing) refusals.push({ rule: "claim-of-needed", by: named(needing) });
  }
  return refusals;
}

/** What to know before a restore. */
export function restoreWarnings(savepointPath: string | null, records: readonly LedgerRecord[]): Warning[] {
  if (savepointPath === null) return [];
  const path = placeKey(savepointPath);
  const warnings: Warning[] = [];
  const [source] = savepointsAt(path, records);
  if (source?.stop?.drain === true) warnings.push({ warning: "drained" });
  if (source?.stop?.job === "failed") warnings.push({ warning: "uncommitted", jobState: "FAILED" });
  const earlier = restoresFrom(path, records);
  if (earlier.length > 0) warnings.push({ warning: "already-restored", jobs: earlier.map(named) });
  return warnings;
}

/** A running job of any cluster, and what it was restored from, or why that could not be learned. */
export interface JobSeen {
  readonly job: JobNamed;
  readonly seen:
    | { readonly restored: RestoredFrom | null; readonly completedCheckpointId: number | null; readonly checkpointIntervalMs: number | null }
    | { readonly error: string };
}

/** Why a savepoint goes only after its job's name was typed: it is the job's only completed one, or a running job came from it in a claim mode we did not see. */
export type TypingReason = "only-completed" | "restored-elsewhere";

/** The outcome of weighing a disposal. */
export interface DisposalVerdict {
  readonly refusals: Refusal[];
  readonly typing: TypingReason | null;
}

/**
 * Whether a savepoint may be disposed of: rule 1, with C-26, C-27, C-30 (disposing what a
 * running job was restored from succeeds, and breaks the job's next failover). What could not be checked refuses. `vanished` are places, by their
 * keys, where a savepoint lay and none is any more.
 */
export function disposalVerdict(record: SavepointRecord, records: readonly LedgerRecord[], jobs: readonly JobSeen[], vanished: ReadonlySet<string> = new Set()): DisposalVerdict {
  if (record.disposal?.state === "disposed") return refused({ rule: "already-disposed" });
  if (record.disposal?.state === "requested") return refused({ rule: "disposal-running" });
  if (record.state !== "completed") return refused({ rule: "not-completed", state: record.state });
  if (record.path === null) return refused({ rule: "no-path" });

  const path = placeKey(record.path);
  const here = savepointsAt(path, records);
  if (here.some((twin) => twin.disposal?.state === "disposed")) return refused({ rule: "already-disposed" });
  if (here.some((twin) => twin.disposal?.state === "requested")) return refused({ rule: "disposal-running" });
  const refusals: Refusal[] = [];
  if (!/^savepoint-/.test(folderName(path))) refusals.push({ rule: "not-a-savepoint", folder: folderName(path) });
  if (record.pinned || here.some((twin) => twin.pinned)) refusals.push({ rule: "pinned" });

  const restores = restoresFrom(path, records);
  let typing: TypingReason | null = null;
  const told = new Set<string>();
  const tell = (refusal: Refusal & { by: JobNamed }): void => {
    if (told.has(refusal.by.jobId)) return;
    told.add(refusal.by.jobId);
    refusals.push(refusal);
  };
  if (record.stop?.job === "pending") tell({ rule: "in-use", by: { jobId: record.job.id, name: record.job.name }, how: "is being stopped with it" });
  const seenJobs = new Set(jobs.map(({ job }) => job.jobId));
  for (const restore of restores) {
    if (restore.claimMode === "CLAIM") tell({ rule: "claimed", by: named(restore) });
    else if (restore.state === "requested" || restore.state === "submitted") tell({ rule: "in-use", by: named(restore), how: "is being restored from it" });
    // Its checkpoints may refer to the savepoint's files for ever, whatever it was restored from since.
    else if (restore.claimMode === "LEGACY" && seenJobs.has(restore.id)) tell({ rule: "restore-source", by: named(restore) });
  }
  for (const plan of records) {
    if (plan.kind !== "restore" || plan.state !== "planned") continue;
    // One that follows a rollback counts with that; without it, its process died before that was written down.
    if (plan.afterStop === null && !records.some((rollback) => rollback.kind === "rollback" && rollback.restoreId === plan.id && rollback.endedAtMs === null)) continue;
    const source = plan.savepoint === null ? plan.afterStop === record.id : placeKey(plan.savepoint.path) === path;
    if (source) tell({ rule: "in-use", by: named(plan), how: "is planned to be restored from it" });
  }
  // Its tables go back to what belongs to it, and a start of the job follows.
  for (const rollback of records) {
    if (rollback.kind !== "rollback" || rollback.state === "done" || rollback.state === "dropped" || placeKey(rollback.savepoint.path) !== path) continue;
    const ended = rollback.endedAtMs;
    if (ended !== null && restores.some((restore) => restore.state === "safe" && restore.requestedAtMs >= ended)) continue;
    tell({ rule: "in-use", by: { jobId: rollback.restoreId ?? rollback.id, name: rollback.jobName }, how: ended === null ? "has a rollback to it under way" : "was rolled back to it and has not been seen to run from it since; give up the rollback if it did" });
  }
  for (const { job, seen } of jobs) {
    const mode = restores.find((restore) => restore.id === job.jobId)?.claimMode;
    if ("error" in seen) {
      refusals.push({ rule: "job-unchecked", job, reason: seen.error });
      continue;
    }
    if (seen.restored?.path === undefined || seen.restored.path === null || placeKey(seen.restored.path) !== path) continue;
    if (!seen.restored.isSavepoint) tell({ rule: "claimed", by: job });
    else if (seen.completedCheckpointId === null || seen.completedCheckpointId <= seen.restored.checkpointId) {
      tell(mode === "NO_CLAIM" ? { rule: "no-claim-not-safe", by: job, checkpointIntervalMs: seen.checkpointIntervalMs } : { rule: "restore-source", by: job });
    } else if (mode === undefined) typing = "restored-elsewhere";
  }
  // Restored by us, not yet seen to have completed a checkpoint, and no longer visible anywhere: it may still run where we can't look.
  for (const restore of restores) {
    if (restore.state !== "running" || restore.endedAtMs !== null || seenJobs.has(restore.id)) continue;
    tell(restore.claimMode === "LEGACY" ? { rule: "restore-source", by: named(restore) } : { rule: "no-claim-not-safe", by: named(restore), checkpointIntervalMs: null });
  }

  const notOurs = new Set([path, ...claimedPlaces(records), ...vacatedPlaces(records), ...vanished]);
  if (!records.some((other) => other.kind === "savepoint" && isWayBack(other, record, notOurs))) typing = "only-completed";
  return { refusals, typing };
}

/** Jobs that run and were restored from a savepoint, by what Flink says or by our own record of the start, however long ago: a rule leaves their source alone. */
export function runningFrom(record: SavepointRecord, records: readonly LedgerRecord[], jobs: readonly JobSeen[]): JobNamed[] {
  if (record.path === null || jobs.length === 0) return [];
  const place = placeKey(record.path);
  const starts = new Set(restoresFrom(place, records).map(({ id }) => id));
  return jobs.flatMap(({ job, seen }) => (starts.has(job.jobId) || ("restored" in seen && seen.restored !== null && seen.restored.path !== null && placeKey(seen.restored.path) === place) ? [job] : []));
}

/** Whether another savepoint of the same job is there to fall back on: whole, ours, and not given away to a job that may delete it (C-27). */
function isWayBack(other: SavepointRecord, record: SavepointRecord, notOurs: ReadonlySet<string>): boolean {
  if (other.cluster.url !== record.cluster.url || other.job.name !== record.job.name) return false;
  return isUsable(other) && other.disposal?.state !== "unknown" && other.path !== null && !notOurs.has(placeKey(other.path));
}

function refused(refusal: Refusal): DisposalVerdict {
  return { refusals: [refusal], typing: null };
}

/** The directory warning of C-38, for a cluster that is not on this machine. */
export function directoryWarning(directory: string, clusterUrl: string): Warning | undefined {
  const host = new URL(clusterUrl).hostname;
  const here = host === "localhost" || host === "[::1]" || host.startsWith("127.");
  return !here && localPath(directory) !== undefined ? { warning: "local-directory", directory } : undefined;
}

/** When the stop that is under way began (epoch ms): one of ours in the ledger, or anyone's in the job's statistics. */
function stopUnderWay(facts: Pick<JobFacts, "cluster" | "jobId" | "records" | "overview">): number | undefined {
  const ours = operationsIn(facts.records).find((operation) => operation.what === "stop" && isSameJob(operation, facts));
  if (ours) return ours.sinceMs;
  return savepointsIn(facts.overview).find((entry) => entry.status === "in-progress" && entry.kind === "stop-savepoint")?.triggeredAtMs;
}

/** The checkpoint a job would fail over to. A savepoint that completed last is none. */
export function latestCheckpoint(overview: CheckpointOverview): CheckpointStats | null {
  const latest = overview.latest.completed;
  if (latest === null || latest.kind === "checkpoint") return latest;
  return overview.history.find((entry) => entry.kind === "checkpoint" && entry.status === "completed" && !entry.discarded) ?? null;
}

function clusterRefusals(info: ClusterInfo): Refusal[] {
  if (info.kind === "history") return [{ rule: "cluster-reads-only", kind: "history" }];
  if (!info.capabilities.savepointFormats) return [{ rule: "version-too-old", version: info.version.text, since: "1.15" }];
  return [];
}

function named(restore: RestoreRecord): JobNamed {
  return { jobId: restore.id, name: restore.jobName };
}
