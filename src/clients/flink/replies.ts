import type { CheckpointStats } from "../../core/model/checkpoint";
import type { WireCheckpoint } from "./endpoints";

/** What a HistoryServer says to everything that it did not archive. */
export const fileNotFound = "File not found.";

/** True for Flink's ways of saying that it does not know a job; some versions say it with status 500. */
export function saysJobUnknown(failure: { status: number; message: string; trace: string }): boolean {
  if (failure.status === 404) return failure.message === fileNotFound || /^Job [0-9a-f]{32} not found|^Job could not be found|FlinkJobNotFoundException/m.test(`${failure.message}\n${failure.trace}`);
  return failure.status === 500 && failure.trace.includes("FlinkJobNotFoundException");
}

/** Flink's -1 is our null. */
export function positive(value: number | null | undefined): number | null {
  return typeof value === "number" && value >= 0 ? value : null;
}

/** A location, or null: checkpoints in the JobManager's memory have a name in brackets instead. */
export function toPath(path: string | null | undefined): string | null {
  return path === undefined || path === null || path === "" || path.startsWith("<") ? null : path;
}

/** One entry of the checkpoint statistics in our words. */
export function toStats(wire: WireCheckpoint): CheckpointStats {
  const statuses = { IN_PROGRESS: "in-progress", COMPLETED: "completed", FAILED: "failed" } as const;
  const savepoint = wire.is_savepoint === true || wire.checkpoint_type === "SAVEPOINT";
  return {
    checkpointId: wire.id,
    kind: wire.checkpoint_type === "SYNC_SAVEPOINT" ? "stop-savepoint" : savepoint ? "savepoint" : "checkpoint",
    status: statuses[wire.status],
    format: wire.savepointFormat === "CANONICAL" ? "canonical" : wire.savepointFormat === "NATIVE" ? "native" : null,
    triggeredAtMs: wire.trigger_timestamp,
    durationMs: positive(wire.end_to_end_duration),
    sizeBytes: wire.state_size ?? 0,
    subtasks: { acknowledged: wire.num_acknowledged_subtasks ?? 0, total: wire.num_subtasks ?? 0 },
    path: toPath(wire.external_path),
    discarded: wire.discarded === true,
    failure: wire.failure_message ?? null,
  };
}
