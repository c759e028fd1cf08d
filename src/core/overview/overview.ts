import { isUsable, lostItsMetadata, type LedgerRecord, type SavepointRecord } from "../ledger/record";
import { claimedPlaces, newestUsable } from "../ledger/queries";
import { checkpointsIn, type CheckpointConfig, type CheckpointOverview, type CheckpointStats, type StateParameter } from "../model/checkpoint";
import { isTerminal } from "../model/job";
import { savepointRows, type JobRow, type SavepointRow } from "../rows";
import type { OverviewAction } from "./overviewPage";

/** What happened to a job's state, once: a checkpoint of Flink's, or a savepoint. */
export interface HistoryRow {
  /** The savepoint's record id, or `chk-<job>-<number>`; equal for the same thing for ever. */
  readonly key: string;
  readonly kind: "checkpoint" | "savepoint";
  readonly checkpointId: number | null;
  readonly jobId: string;
  readonly state: SavepointRow["state"];
  readonly atMs: number;
  readonly durationMs: number | null;
  readonly sizeBytes: number | null;
  readonly format: "canonical" | "native" | null;
  /** Of a savepoint; null for checkpoints. */
  readonly origin: SavepointRecord["origin"] | null;
  readonly description: string;
  /** Why it failed, in Flink's words. */
  readonly failure: string | null;
  readonly failedAtMs: number | null;
  readonly pinned: boolean;
  /** Who took it over, or that it lies aside or is half gone; null for nothing of the kind. */
  readonly note: string | null;
  readonly path: string | null;
  readonly actions: readonly OverviewAction[];
}

/** The newest good one and the newest failed one (A-23, A-24). */
export interface LastOf {
  readonly completed: HistoryRow | null;
  readonly failed: HistoryRow | null;
}

/** What the savepoints of one origin take. */
export interface StorageShare {
  readonly origin: SavepointRecord["origin"] | "aside";
  readonly count: number;
  readonly sizeBytes: number;
  /** How many are of unknown size. */
  readonly unsized: number;
}

/** A schedule of the job, in words. */
export interface ScheduleLine {
  readonly name: string;
  readonly meaning: string;
  readonly nextMs: number | null;
  readonly timeZone: string;
  readonly enabled: boolean;
  /** True while it does not run, since nobody agreed to it here as it is now. */
  readonly waits: boolean;
  /** False when another window, or none, fires it. */
  readonly runsHere: boolean;
  readonly last: string | null;
}

/** One job in a page. */
export interface Overview {
  readonly jobName: string;
  readonly jobId: string;
  readonly cluster: string;
  readonly flinkVersion: string | null;
  readonly state: JobRow["state"];
  readonly sinceMs: number | null;
  readonly atMs: number;
  /** Why Flink could not be asked; what is shown is then older. */
  readonly error: string | null;
  readonly checkpoint: LastOf;
  readonly savepoint: LastOf;
  /** The newest savepoint that one can go back to. */
  readonly wayBack: HistoryRow | null;
  /** Newest first. */
  readonly history: readonly HistoryRow[];
  /** How many checkpoints of the history were kept by this page, since Flink keeps ten entries only. */
  readonly keptCheckpoints: number;
  /** How long savepoints take, against what the checkpoint timeout allows. */
  readonly budget: { readonly expectedMs: number; readonly timeoutMs: number } | null;
  readonly intervalMs: number | null;
  readonly storage: readonly StorageShare[];
  /** Savepoints taken by hand that are old and not pinned (A-33), oldest first. */
  readonly oldManual: readonly HistoryRow[];
  readonly schedules: readonly ScheduleLine[] | null;
  readonly parameters: readonly (StateParameter & { readonly link: string })[];
  /** Whether the job can be restored now, or what comes first (A-27). */
  readonly restore: "now" | "stop-first" | "wait";
  /** How many savepoints rules would take into account; see `CleanupView`. */
  readonly cleanup: { readonly text: string; readonly key: string } | null;
  readonly verbs: readonly OverviewAction[];
}

/** What an overview is made of. */
export interface OverviewFacts {
  readonly row: JobRow;
  readonly clusterName: string;
  readonly flinkVersion: string | null;
  readonly records: readonly LedgerRecord[];
  readonly statistics: CheckpointOverview | undefined;
  readonly config: CheckpointConfig | undefined;
  /** Checkpoints that were seen while somebody watched, those of `statistics` included. */
  readonly checkpoints: readonly CheckpointStats[];
  readonly error: string | null;
  readonly expectedMs: number | null;
  readonly parameters: readonly StateParameter[];
  readonly schedules: readonly ScheduleLine[] | null;
  readonly cleanup: { readonly text: string; readonly key: string } | null;
  readonly hasPairs: boolean;
  readonly nowMs: number;
}

/** From this age on a savepoint taken by hand is listed as old (A-33). */
export const oldManualDays = 30;

/** One job's state over time, from what Flink says and what the ledger remembers. Pure. */
export function overviewOf(facts: OverviewFacts): Overview {
  const { row, records, statistics, config, nowMs } = facts;
  const mine = records.filter((record): record is SavepointRecord => record.kind === "savepoint" && record.cluster.url === row.cluster && record.job.name === row.name);
  // A job that was restored has another id and, as a rule, its name.
  const runs = new Set([row.jobId, ...mine.map((record) => record.job.id)]);
  const isLive = !isTerminal(row.state === "gone" ? "FINISHED" : row.state);
  const savepoints = [...runs].flatMap((jobId) => savepointRows(jobId, records.filter((record) => record.kind !== "savepoint" || (record.job.id === jobId && record.cluster.url === row.cluster)), jobId === row.jobId ? statistics : undefined).map((each) => savepointHistory(each, jobId)));
  const told = new Set(checkpointsIn(statistics).map(({ checkpointId }) => checkpointId));
  const checkpoints = facts.checkpoints.map((stats) => checkpointHistory(stats, row.jobId, { isTold: told.has(stats.checkpointId), isLive }));
  const history = [...savepoints, ...checkpoints].sort((a, b) => b.atMs - a.atMs || (b.checkpointId ?? 0) - (a.checkpointId ?? 0));
  const newest = newestUsable(mine, claimedPlaces(records));
  return {
    jobName: row.name, jobId: row.jobId, cluster: facts.clusterName, flinkVersion: facts.flinkVersion, state: row.state, sinceMs: isLive ? row.startTimeMs : row.endTimeMs, atMs: nowMs, error: facts.error,
    checkpoint: lastOf(history, "checkpoint"), savepoint: lastOf(history, "savepoint"),
    wayBack: newest === null ? null : (history.find(({ key }) => key === newest.id) ?? null),
    history, keptCheckpoints: facts.checkpoints.filter(({ checkpointId }) => !told.has(checkpointId)).length,
    budget: facts.expectedMs === null || config === undefined ? null : { expectedMs: facts.expectedMs, timeoutMs: config.timeoutMs },
    intervalMs: config?.intervalMs ?? null,
    storage: storageOf(mine),
    oldManual: history.filter((each) => each.kind === "savepoint" && each.origin === "manual" && each.state === "completed" && !each.pinned && nowMs - each.atMs > oldManualDays * 86_400_000).reverse(),
    schedules: facts.schedules, cleanup: facts.cleanup,
    parameters: facts.parameters.map((parameter) => ({ ...parameter, link: parameterLink(parameter.key, facts.flinkVersion) })),
    restore: row.state === "RUNNING" ? "stop-first" : row.state === "gone" || row.state === "FINISHED" || row.state === "CANCELED" || row.state === "FAILED" ? "now" : "wait",
    verbs: [...(row.state === "RUNNING" ? (["trigger", "stop"] as const) : []), "restoreAny", ...(facts.hasPairs ? (["showPairs"] as const) : []), ...(row.state === "gone" ? [] : (["openWebUi"] as const))],
  };
}

function savepointHistory(row: SavepointRow, jobId: string): HistoryRow {
  const { record } = row;
  const isThere = record !== null && isUsable(record);
  const actions: OverviewAction[] = [];
  if (isThere && row.claimedBy === null) actions.push("restore");
  if (isThere) actions.push("inspect", "compare", row.pinned ? "unpin" : "pin");
  if (record !== null) actions.push("editDescription");
  if (isThere && row.claimedBy === null) actions.push("dispose");
  if (row.path !== null && row.state === "completed") actions.push("copyPath");
  if (record !== null) actions.push("revealRow");
  const note = row.claimedBy !== null ? `claimed by ${row.claimedBy.name}` : record === null ? null : record.cleanup?.aside ? "moved aside by cleanup" : lostItsMetadata(record) ? "half deleted" : record.disposal?.state === "failed" ? "disposal failed" : null;
  return {
    key: row.id, kind: "savepoint", checkpointId: row.checkpointId, jobId, state: row.state, atMs: row.startedAtMs, durationMs: row.durationMs, sizeBytes: row.sizeBytes, format: row.format, origin: row.origin,
    description: row.description, failure: row.failure, failedAtMs: row.state === "failed" ? (record?.endedAtMs ?? (row.durationMs === null ? null : row.startedAtMs + row.durationMs)) : null, pinned: row.pinned, note, path: row.path, actions,
  };
}

function checkpointHistory(stats: CheckpointStats, jobId: string, { isTold, isLive }: { readonly isTold: boolean; readonly isLive: boolean }): HistoryRow {
  const isThere = stats.status === "completed" && stats.path !== null && !stats.discarded && isTold;
  return {
    key: `chk-${jobId}-${stats.checkpointId}`, kind: "checkpoint", checkpointId: stats.checkpointId, jobId, state: stats.status === "in-progress" ? "running" : stats.status, atMs: stats.triggeredAtMs, durationMs: stats.durationMs,
    sizeBytes: stats.status === "failed" ? null : stats.sizeBytes, format: null, origin: null, description: "", failure: stats.failure, failedAtMs: stats.status === "failed" && stats.durationMs !== null ? stats.triggeredAtMs + stats.durationMs : null,
    pinned: false, note: stats.discarded ? "deleted by Flink" : !isTold && stats.status === "completed" ? "no longer in Flink's list" : isThere && isLive ? "Flink deletes it with a later one" : null, path: stats.path, actions: isThere ? ["restore", "inspect", "compare", "copyPath"] : [],
  };
}

function lastOf(history: readonly HistoryRow[], kind: HistoryRow["kind"]): LastOf {
  const of = (state: "completed" | "failed"): HistoryRow | null => history.find((row) => row.kind === kind && (row.state === state || (state === "completed" && (row.state === "disposed" || row.state === "disposing")))) ?? null;
  return { completed: of("completed"), failed: of("failed") };
}

function storageOf(mine: readonly SavepointRecord[]): StorageShare[] {
  const shares = new Map<StorageShare["origin"], { count: number; sizeBytes: number; unsized: number }>();
  for (const record of mine) {
    const aside = record.cleanup?.aside ?? null;
    if (record.state !== "completed" || record.disposal?.state === "disposed") continue;
    const key = aside === null ? record.origin : "aside";
    const share = shares.get(key) ?? { count: 0, sizeBytes: 0, unsized: 0 };
    share.count++;
    if (record.sizeBytes === null) share.unsized++;
    else share.sizeBytes += record.sizeBytes;
    shares.set(key, share);
  }
  return [...shares].map(([origin, share]) => ({ origin, ...share })).sort((a, b) => b.sizeBytes - a.sizeBytes);
}

/** Where Flink explains an option, in the documentation of the cluster's release. */
function parameterLink(key: string, version: string | null): string {
  const release = /^\d+\.\d+/.exec(version ?? "")?.[0];
  return `https://nightlies.apache.org/flink/flink-docs-${release === undefined ? "stable" : `release-${release}`}/docs/${key === "table.exec.state.ttl" ? "dev/table/config" : "deployment/config"}/#${key.replaceAll(".", "-")}`;
}
