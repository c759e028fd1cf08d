import type { RandomAccess } from "./metadata/randomAccess";
import type { Port } from "./rpc";
import type { CheckpointConfig, CheckpointOverview, SavepointFormat, StateParameter, TaskCheckpointStats } from "./model/checkpoint";
import type { ClusterInfo, ClusterProfile } from "./model/cluster";
import type { JobDetails, JobState, JobSummary } from "./model/job";
import type { Capabilities } from "./model/version";
import type { ScheduleState } from "./schedule/scheduleState";

/** Time, so that tests run an hour in a millisecond. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The five level methods of VS Code's `LogOutputChannel`; the channel itself is passed. */
export interface Log {
  trace(message: string, ...args: unknown[]): void;
  debug(message: string, ...args: unknown[]): void;
  info(message: string, ...args: unknown[]): void;
  warn(message: string, ...args: unknown[]): void;
  error(message: string | Error, ...args: unknown[]): void;
}

/** How long work is watched: cancelled through the signal, reported step by step. */
export interface Run {
  readonly signal: AbortSignal;
  report(step: { message: string; percent?: number }): void;
}

/** A way to prove who we are, kept in SecretStorage under the origin it is for and sent to no other. */
export type Credential =
  | { readonly kind: "basic"; readonly user: string; readonly password: string }
  | { readonly kind: "bearer"; readonly token: string }
  | { readonly kind: "certificate"; readonly certPem: string; readonly keyPem: string; readonly passphrase?: string };

/** Credentials by origin (`https://host:port`). */
export interface Credentials {
  get(origin: string): Promise<readonly Credential[]>;
  /** Replaces the credential of the same kind. */
  set(origin: string, credential: Credential): Promise<void>;
  delete(origin: string): Promise<void>;
}

/** Keeps short texts that may hold secrets, such as the arguments of a planned start, where VS Code's SecretStorage keeps them. Each throws `secrets-unavailable`. */
export interface Vault {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
}

/** How an asynchronous savepoint operation stands (`SavepointStatusHandlers`). */
export type OperationStatus =
  | { readonly state: "in-progress" }
  | { readonly state: "completed"; readonly path: string }
  | { readonly state: "failed"; readonly failure: FlinkFailure }
  /** Flink does not know the trigger id: never received, expired, or forgotten by a restart. */
  | { readonly state: "forgotten" };

/** How a disposal stands. */
export type DisposalStatus =
  | { readonly state: "in-progress" }
  | { readonly state: "completed" }
  | { readonly state: "failed"; readonly failure: FlinkFailure }
  | { readonly state: "forgotten" };

/** A failure in Flink's words. `message` and `exception` are the deepest cause; `trace` is for the log and for recognising. */
export interface FlinkFailure {
  readonly message: string;
  readonly exception: string;
  readonly trace: string;
}

/** Who owns the restored savepoint's files (C-25…C-30; `RestoreMode`, from 2.0 `RecoveryClaimMode`). */
export type ClaimMode = "NO_CLAIM" | "CLAIM" | "LEGACY";

/** A jar run request. `savepointPath` absent means "without state"; it is never empty. */
export interface RunJarRequest {
  /** Chosen by us and written down before the call, so that the job can be found whatever becomes of the answer. */
  readonly jobId: string;
  readonly entryClass?: string;
  readonly programArgs?: readonly string[];
  readonly parallelism?: number;
  readonly savepointPath?: string;
  readonly claimMode?: ClaimMode;
  readonly allowNonRestoredState?: boolean;
}

/** A jar on the cluster (`GET /jars`). */
export interface JarSummary {
  readonly jarId: string;
  readonly name: string;
  readonly uploadedAtMs: number;
  /** Main classes named in its manifest. */
  readonly entryClasses: readonly string[];
}

/** One JobManager's REST API. Every call may throw the connection errors of `ErrorFacts`; calls that act say so when the answer was lost (`answer-lost`). */
export interface ClusterClient {
  /** Learns version and kind. Throws `not-flink` for anything else that answers. */
  connect(signal: AbortSignal): Promise<ClusterInfo>;
  jobs(signal: AbortSignal): Promise<readonly JobSummary[]>;
  /** Throws `job-not-found`. Up to three seconds stale. */
  job(jobId: string, signal: AbortSignal): Promise<JobDetails>;
  /** The state, uncached where the version allows (1.16); undefined when Flink does not know the job. */
  jobState(jobId: string, signal: AbortSignal): Promise<JobState | undefined>;
  /** Undefined when the job has no checkpoint coordinator, throws `job-not-found`. */
  checkpoints(jobId: string, signal: AbortSignal): Promise<CheckpointOverview | undefined>;
  checkpointConfig(jobId: string, signal: AbortSignal): Promise<CheckpointConfig | undefined>;
  /** What each task did for a checkpoint or savepoint; undefined once it has left Flink's history of ten. */
  checkpointTasks(jobId: string, checkpointId: number, signal: AbortSignal): Promise<readonly TaskCheckpointStats[] | undefined>;
  /** What is in force for the job's state; of the cluster's configuration only what state and checkpoints are about. */
  stateParameters(jobId: string, signal: AbortSignal): Promise<readonly StateParameter[]>;
  /** Newest failure of the job, or undefined. */
  latestFailure(jobId: string, signal: AbortSignal): Promise<(FlinkFailure & { readonly atMs: number }) | undefined>;
  triggerSavepoint(jobId: string, request: { triggerId: string; directory?: string; format: SavepointFormat }, signal: AbortSignal): Promise<void>;
  /** `POST /jobs/:id/stop`, never `cancel-job` (safety rule 7). */
  stopWithSavepoint(jobId: string, request: { triggerId: string; directory?: string; format: SavepointFormat; drain: boolean }, signal: AbortSignal): Promise<void>;
  /** `POST /jobs/:id/checkpoints`, of the kind that the job is configured for (1.17); returns when Flink has the request. */
  triggerCheckpoint(jobId: string, signal: AbortSignal): Promise<void>;
  savepointStatus(jobId: string, triggerId: string, signal: AbortSignal): Promise<OperationStatus>;
  cancelJob(jobId: string, signal: AbortSignal): Promise<void>;
  /** Resolves to Flink's own request id: disposals take none of ours. */
  dispose(path: string, signal: AbortSignal): Promise<string>;
  disposalStatus(requestId: string, signal: AbortSignal): Promise<DisposalStatus>;
  jars(signal: AbortSignal): Promise<readonly JarSummary[]>;
  /** Streams a jar from disk; resolves to its id on the cluster. */
  uploadJar(file: string, run: Run): Promise<string>;
  deleteJar(jarId: string, signal: AbortSignal): Promise<void>;
  /** Returns when the program's `main` returned and the job was initialised: as long as that takes. */
  runJar(jarId: string, request: RunJarRequest, capabilities: Capabilities, signal: AbortSignal): Promise<void>;
}

/** Makes clients; holds one connection pool per origin. */
export type ClientFactory = (profile: ClusterProfile) => ClusterClient;

/** Names in folders that were listed, by path. */
export type ListedFolders = Map<string, Promise<ReadonlySet<string>>>;

/** What lies at a storage location, as far as this machine can see. Only `file:` today; other storages answer `unreachable`. */
export interface StorageLook {
  /**
   * `metadata` = a savepoint is there; `partly` = files but no `_metadata`; `missing` = nothing is there, in a folder that was seen. That folder is listed for it, which
   * with thousands in one takes long: who looks at many passes one `listed` for all, and takes its names for what they were then.
   */
  savepoint(location: string, listed?: ListedFolders): Promise<"metadata" | "partly" | "missing" | "unreachable">;
  /** Savepoint folders directly below a target directory, or undefined when it cannot be seen from here. */
  list(directory: string): Promise<readonly FoundFolder[] | undefined>;
  /** The location with every symbolic link in it followed, as far as this machine sees it; what is not there, or on another storage, keeps its spelling. Never rejects. */
  real(location: string): Promise<string>;
}

/** Marks beside savepoints, by which everything that sees their disk knows that somebody pinned them. Only `file:` on this machine. A mark spares, and does nothing else. */
export interface PinMarks {
  /** Files that say that the savepoint is pinned, whoever put them there; what can't be looked into counts as one. Never rejects. */
  at(location: string): Promise<readonly string[]>;
  /** Those of `at` that this ledger did not put there. Never rejects. */
  others(location: string): Promise<readonly string[]>;
  /** Puts a mark of our own beside it. `reason`: `elsewhere` when the savepoint can't be seen from here, else the system's code such as EACCES. Never rejects. */
  put(location: string): Promise<{ readonly marked: true } | { readonly marked: false; readonly reason: string }>;
  /** Takes our own mark away; quiet when there is none. Rejects with Node's error. */
  remove(location: string): Promise<void>;
}

/** Moves savepoint folders aside and back. Only `file:` on this machine. */
export interface AsideStorage {
  /** Undefined when the folder can be moved to a place beside it, else why not: the system's code such as EACCES, or words of ours. */
  obstacle(location: string): Promise<string | undefined>;
  /**
   * Renames a folder, within its file system and never onto anything; the folder that it goes into is made. When it resolves the change would
   * survive a power cut. Throws `move-failed`.
   */
  move(from: string, to: string): Promise<void>;
  /** Removes the folder that things were moved into, once it is empty; quiet when it is not. */
  tidy(location: string): Promise<void>;
}

/** Opens the metadata of a savepoint for reading by range; undefined when it can't be read from here. The caller closes it. */
export type OpenMetadata = (location: string) => Promise<(RandomAccess & { close(): Promise<void> }) | undefined>;

/**
 * Opens one file that a savepoint refers to, `within` a folder that it must not be led out of by links (`FilePlace.within`); undefined when it is not
 * there, or on a storage that can't be reached from here. Rejects when it can't be read. The caller closes it.
 */
export type OpenFile = (location: string, within: string) => Promise<(RandomAccess & { close(): Promise<void> }) | undefined>;

/** A thread of ours that answers over a port. */
export interface Thread {
  readonly port: Port;
  /** Settles when the thread is gone; `ended` when it was told to. */
  readonly gone: Promise<ThreadEnd>;
  end(): void;
}

/** How a thread ended: told to, out of the memory it may have, or by an error of its own. */
export type ThreadEnd = { readonly how: "ended" } | { readonly how: "memory" | "crash"; readonly error: unknown };

/** Starts the thread that reads the savepoint at a location. Does not wait for it. */
export type StartInspection = (location: string) => Thread;

/** A folder `savepoint-…` seen on storage. */
export interface FoundFolder {
  readonly location: string;
  /** False for an orphan that Flink never finished. */
  readonly hasMetadata: boolean;
  /** Modification time of `_metadata` (or of the folder), epoch milliseconds. */
  readonly modifiedAtMs: number;
  /** Bytes of all files in it. */
  readonly sizeBytes: number;
}

/** The commit of the code that is open in the editor, stored with each savepoint. */
export interface WorkspaceCommit {
  readonly commit: string;
  readonly branch: string | null;
  /** True when files differed from the commit. */
  readonly dirty: boolean;
}

/** One of many processes of a user holds it, and does what only one may do. */
export interface Lease {
  /** Takes it, or tells that we still hold it; false while somebody else does. To be called again and again: whoever is silent for some calls of the others loses it. Rejects with `ledger-unwritable`. */
  hold(): Promise<boolean>;
  /** Whether it is ours at this moment; asked last before what only the holder may do. */
  isHeld(): Promise<boolean>;
  /** Gives it up, so that another takes it at once. */
  release(): Promise<void>;
}

/** What is remembered of schedules from one process to the next. Only the holder of a schedule's lease writes. */
export interface ScheduleStates {
  /** Undefined for a schedule never seen, or whose file is damaged (which is logged). */
  get(key: string): Promise<ScheduleState | undefined>;
  /** Durable when it resolves. Throws `ledger-unwritable`. */
  put(state: ScheduleState): Promise<void>;
}

/** Names a process in records, so that another can tell whether it still runs. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** Tells this start of the process from every other, so that a re-used pid is not taken for it; see `thisProcess`. */
  readonly instance: string;
}

/** What is known about a process named in a record. `other-host` = it cannot be looked at from here. */
export type Liveness = "self" | "alive" | "dead" | "other-host";
