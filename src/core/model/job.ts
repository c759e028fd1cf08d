/** Points at one job of one cluster. Jobs are followed over restarts by name, since every restart has a new id. */
export interface JobRef {
  /** Key of the cluster: its normalised base address. */
  readonly cluster: string;
  /** 32 lower-case hex digits (`org.apache.flink.api.common.JobID`). */
  readonly jobId: string;
}

/**
 * Whether two mentions are of one job. Ids are random, so the same id under two addresses is one job seen through both; only applications with
 * high availability all have an id of zeros, each on its own cluster (`ApplicationDispatcherBootstrap.ZERO_JOB_ID`).
 */
export function isSameJob(a: JobRef, b: JobRef): boolean {
  return a.jobId === b.jobId && (a.cluster === b.cluster || !/^0+$/.test(a.jobId));
}

/** `org.apache.flink.api.common.JobStatus`, spelled as on the wire. */
export type JobState =
  | "INITIALIZING" | "CREATED" | "RUNNING" | "FAILING" | "FAILED" | "CANCELLING" | "CANCELED"
  | "FINISHED" | "RESTARTING" | "SUSPENDED" | "RECONCILING";

/** True once the job can never run again (`JobStatus.isGloballyTerminalState`). */
export function isTerminal(state: JobState): boolean {
  return state === "FINISHED" || state === "FAILED" || state === "CANCELED";
}

/** True while Flink shows neither the graph of a job nor what it starts from (`ArchivedExecutionGraph.createSparseArchivedExecutionGraph`). */
export function isStarting(state: JobState): boolean {
  return state === "INITIALIZING" || state === "CREATED";
}

/** One row of `GET /jobs/overview`. */
export interface JobSummary {
  readonly jobId: string;
  readonly name: string;
  readonly state: JobState;
  /** Epoch milliseconds. */
  readonly startTimeMs: number;
  /** Epoch milliseconds, or null while the job is not terminal. */
  readonly endTimeMs: number | null;
  /** Subtasks in all and running. */
  readonly tasks: { readonly total: number; readonly running: number };
}

/** `GET /jobs/:id`, as far as it is used. */
export interface JobDetails {
  readonly jobId: string;
  readonly name: string;
  readonly state: JobState;
  readonly startTimeMs: number;
  /** The JobManager's clock when it answered, epoch milliseconds: compares its times with ours. */
  readonly nowMs: number;
  readonly maxParallelism: number;
  /** One per job vertex. `running` counts its subtasks that run or have finished. */
  readonly vertices: readonly { readonly id: string; readonly name: string; readonly parallelism: number; readonly ready: boolean }[];
}

/** True when every task runs (or has finished): before that Flink refuses a savepoint with "Not all required tasks are currently running". */
export function allTasksRun(job: JobDetails): boolean {
  return job.state === "RUNNING" && job.vertices.length > 0 && job.vertices.every((vertex) => vertex.ready);
}
