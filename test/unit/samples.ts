import { type RestoreRecord, restoreRecordSchema } from "../../src/core/ledger/record";
import type { CheckpointOverview, CheckpointStats } from "../../src/core/model/checkpoint";
import type { ClusterInfo } from "../../src/core/model/cluster";
import type { JobSummary } from "../../src/core/model/job";
import { capabilitiesOf, type FlinkVersion, parseFlinkVersion } from "../../src/core/model/version";

/** The cluster and the job that the samples of records are about. */
export const clusterUrl = "http://localhost:8081";
export const jobId = "ab12cd34ab12cd34ab12cd34ab12cd34";
export const jobName = "Word count";

/** A Flink version, given as text. */
export function flinkVersion(text: string): FlinkVersion {
  const version = parseFlinkVersion(text);
  if (version === undefined) throw new Error(`no version: ${text}`);
  return version;
}

/** A session cluster with a savepoint directory. */
export function clusterInfo(version = "1.20.1", changes: Partial<ClusterInfo> = {}): ClusterInfo {
  return {
    version: flinkVersion(version), capabilities: capabilitiesOf(flinkVersion(version)), kind: "session", savepointDirectory: "file:/sp", checkpointDirectory: "file:/cp",
    triggerResultsKeptMs: 300_000, cancelAllowed: true, ...changes,
  };
}

/** A restore of a job as it is written before the call to Flink. */
export function restoreRecord(id: string, changes: Partial<RestoreRecord> = {}): RestoreRecord {
  return restoreRecordSchema.parse({
    kind: "restore", version: 1, id, cluster: { name: "local", url: clusterUrl }, jobName, savepoint: null, afterStop: null,
    jar: { id: "1_words.jar", file: null, name: "words.jar" }, entryClass: null, argumentCount: 0, parallelism: null, claimMode: "NO_CLAIM",
    allowNonRestoredState: false, state: "requested", requestedAtMs: 1_700_000_100_000, endedAtMs: null, failure: null,
    owner: { host: "here", pid: 1, instance: "0-0-0-0-0" }, trail: [], ...changes,
  });
}

/** A start from a savepoint. */
export function restoreFrom(path: string, id: string, changes: Partial<RestoreRecord> = {}): RestoreRecord {
  return restoreRecord(id, { savepoint: { path, recordId: null, checkpointId: null }, ...changes });
}

/** An entry of the job's statistics: a completed savepoint unless told otherwise. */
export function stats(checkpointId: number, changes: Partial<CheckpointStats> = {}): CheckpointStats {
  return {
    checkpointId, kind: "savepoint", status: "completed", format: "canonical", triggeredAtMs: 1_700_000_000_000 + checkpointId * 1_000, durationMs: 800, sizeBytes: 4_096,
    subtasks: { acknowledged: 4, total: 4 }, path: `file:/sp/savepoint-ab12cd-${String(checkpointId).padStart(12, "0")}`, discarded: false, failure: null, ...changes,
  };
}

/** Statistics with the given history, newest first; counts and latest follow from it. */
export function overview(history: readonly CheckpointStats[] = [], changes: Partial<CheckpointOverview["latest"]> = {}): CheckpointOverview {
  const count = (status: CheckpointStats["status"]): number => history.filter((entry) => entry.status === status).length;
  return {
    counts: { restored: changes.restored ? 1 : 0, completed: count("completed"), failed: count("failed"), inProgress: count("in-progress") },
    latest: {
      completed: history.find((entry) => entry.kind === "checkpoint" && entry.status === "completed") ?? null,
      savepoint: history.find((entry) => entry.kind !== "checkpoint" && entry.status === "completed") ?? null,
      failed: history.find((entry) => entry.status === "failed") ?? null,
      restored: null, ...changes,
    },
    history,
  };
}

/** A running job in a cluster's list. */
export function jobSummary(id = jobId, changes: Partial<JobSummary> = {}): JobSummary {
  return { jobId: id, name: jobName, state: "RUNNING", startTimeMs: 1_700_000_000_000, endTimeMs: null, tasks: { total: 4, running: 4 }, ...changes };
}
