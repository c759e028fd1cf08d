import type { Run } from "../ports";

/** What to start. */
export interface LocalFlinkOptions {
  /** One of `localFlinkVersions`. */
  readonly version: string;
  /** Wanted REST port; the next free one is taken when it is in use. */
  readonly port: number;
  /** Java to run with; empty: `JAVA_HOME`, then `java` on the `PATH`. */
  readonly javaHome: string;
  /** Maven repository (http or https) to take missing jars from; empty: `mvn`. */
  readonly mavenRepository: string;
  /** True when it shall go on running after this process ended. */
  readonly keep: boolean;
  /** Absolute path of the folder that gets `savepoints` and `checkpoints`; default: the local Flink's own folder. Nothing in it is ever deleted. */
  readonly dataFolder?: string;
  /** Further Flink configuration; an empty value removes one of ours. */
  readonly extraConfig?: Readonly<Record<string, string>>;
}

/** A local Flink that runs. */
export interface RunningLocalFlink {
  /** Base address of its REST API: `http://localhost:<port>`. */
  readonly url: string;
  readonly version: string;
  /** Epoch milliseconds. */
  readonly startedAtMs: number;
  /** Its savepoint and checkpoint directories, as Flink locations (`file:/…`). */
  readonly savepointDirectory: string;
  readonly checkpointDirectory: string;
  /** The JobManager's log. */
  readonly logFile: string;
  readonly keep: boolean;
  /** True when this process started or adopted it, so that it ends with this process unless kept. */
  readonly mine: boolean;
}

/**
 * What was found in the local Flink's folder. `starting` and `running` belong to a living process or are kept; the owner of a
 * `left-over` is gone (a crash, a kill), so nobody will stop it unless somebody adopts it.
 */
export type FoundLocalFlink =
  | { readonly state: "none" }
  | { readonly state: "starting" | "running" | "left-over"; readonly flink: RunningLocalFlink };

/** One local Flink per folder, shared by every window and process that uses the same folder. */
export interface LocalFlink {
  /**
   * Gets the jars, starts JobManager and TaskManager and waits until they offer slots. Throws `local-flink-already-running`,
   * `local-flink-java-missing`, `local-flink-jars-missing`, `local-flink-jar-corrupt`, `local-flink-port-taken`, `local-flink-died`, `local-flink-unsupported`,
   * `setting-invalid`. When cancelled or failed, nothing stays running.
   */
  start(options: LocalFlinkOptions, run: Run): Promise<RunningLocalFlink>;
  /** Looks, and changes nothing. */
  find(): Promise<FoundLocalFlink>;
  /** Takes over what was found, so that it ends with this process; starts a missing TaskManager. Throws `local-flink-died` when its JobManager is gone. */
  adopt(options: { readonly keep: boolean }, run: Run): Promise<RunningLocalFlink>;
  /** Ends it, whoever started it: asks (SIGTERM), and after ten seconds forces. Savepoints and checkpoints stay. Does nothing when none runs. */
  stop(run: Run): Promise<void>;
  /** Sets whether it outlives its owner. Does nothing when none runs. */
  keep(keep: boolean): Promise<void>;
  /** For the end of this process: stops what is `mine` unless kept. Signals at once and waits three seconds at most, since a window that closes has little time. */
  leave(): Promise<void>;
}
