/** Canonical is portable between state backends; native is faster and backend-specific (C-7, C-20). */
export type SavepointFormat = "canonical" | "native";

/** One entry of a job's checkpoint statistics (`CheckpointStatistics`), savepoints included. */
export interface CheckpointStats {
  /** The checkpoint id: a number counted up within a job and continued by the job restored from it. */
  readonly checkpointId: number;
  /** `stop-savepoint` is what a stop-with-savepoint takes (SYNC_SAVEPOINT). */
  readonly kind: "checkpoint" | "savepoint" | "stop-savepoint";
  readonly status: "in-progress" | "completed" | "failed";
  /** Null for checkpoints, and below Flink 1.17. */
  readonly format: SavepointFormat | null;
  /** Epoch milliseconds by the JobManager's clock. */
  readonly triggeredAtMs: number;
  /** End-to-end duration in milliseconds, or null before the first acknowledgement. */
  readonly durationMs: number | null;
  /** Full size of the state in bytes. */
  readonly sizeBytes: number;
  readonly subtasks: { readonly acknowledged: number; readonly total: number };
  /** Location of a completed one, or null when it has no address (JobManagerCheckpointStorage). */
  readonly path: string | null;
  /** True when Flink already deleted it. */
  readonly discarded: boolean;
  /** Why it failed, in Flink's words. */
  readonly failure: string | null;
}

/** What a job was restored from (`RestoredCheckpointStatistics`). `isSavepoint` is false after a CLAIM restore of a savepoint. */
export interface RestoredFrom {
  readonly checkpointId: number;
  readonly restoredAtMs: number;
  readonly isSavepoint: boolean;
  readonly path: string | null;
}

/** `GET /jobs/:id/checkpoints`. In memory of the JobManager: at most ten entries, up to three seconds stale, lost when it restarts. */
export interface CheckpointOverview {
  readonly counts: { readonly restored: number; readonly completed: number; readonly failed: number; readonly inProgress: number };
  readonly latest: {
    readonly completed: CheckpointStats | null;
    readonly savepoint: CheckpointStats | null;
    readonly failed: CheckpointStats | null;
    readonly restored: RestoredFrom | null;
  };
  /** Newest first. */
  readonly history: readonly CheckpointStats[];
}

/** `GET /jobs/:id/checkpoints/config`, as far as it is used. */
export interface CheckpointConfig {
  /** Milliseconds between checkpoints, or null when periodic checkpointing is off. */
  readonly intervalMs: number | null;
  /** Milliseconds after which a checkpoint, and a savepoint too, expires. */
  readonly timeoutMs: number;
  /** Whether the last checkpoint stays when the job is cancelled (`externalization`); absent when that is not known. */
  readonly keptOnCancel?: boolean;
}

/** What one task, an operator or a chain of them, did for a checkpoint (`TaskCheckpointStatistics`). */
export interface TaskCheckpointStats {
  /** JobVertexID, and its name where the job's plan tells it. */
  readonly vertexId: string;
  readonly name: string | null;
  /** Full size of its state in bytes. */
  readonly sizeBytes: number;
  /** End-to-end duration in milliseconds, or null before the first acknowledgement. */
  readonly durationMs: number | null;
  readonly subtasks: { readonly acknowledged: number; readonly total: number };
}

/** A parameter of state and checkpoints that is in force. */
export interface StateParameter {
  /** Flink's name of it, as of Flink 1.20. */
  readonly key: string;
  readonly value: string;
  /** `job`: what Flink says of the job's coordinator. `cluster`: the JobManager's configuration, which a job may override. */
  readonly setBy: "job" | "cluster";
}

/** Savepoints in a job's statistics, newest first, each once. */
export function savepointsIn(overview: CheckpointOverview | undefined): CheckpointStats[] {
  if (overview === undefined) return [];
  const found = new Map<number, CheckpointStats>();
  for (const entry of [overview.latest.savepoint, ...overview.history]) if (entry !== null && entry.kind !== "checkpoint") found.set(entry.checkpointId, entry);
  return [...found.values()].sort((a, b) => b.checkpointId - a.checkpointId);
}

/** A job's own checkpoints, running, completed and failed, newest first. */
export function checkpointsIn(overview: CheckpointOverview | undefined): CheckpointStats[] {
  if (overview === undefined) return [];
  const found = new Map<number, CheckpointStats>();
  for (const entry of [overview.latest.completed, overview.latest.failed, ...overview.history]) if (entry !== null && entry.kind === "checkpoint") found.set(entry.checkpointId, entry);
  return [...found.values()].sort((a, b) => b.checkpointId - a.checkpointId);
}
