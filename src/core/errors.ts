import type { LocationFault } from "./model/location";
import type { StatementStanding } from "./paimon/actions";
import type { PairGrade } from "./paimon/pairing";

/** The address that was asked, and what is there: a cluster unless told. Of a SQL Gateway it is the base address, since its routes tell a person nothing. */
interface Asked {
  url: string;
  server?: "sql-gateway";
}

/** What each error knows. Facts are data for sentences and logs, never sentences and never secrets. */
export interface ErrorFacts {
  /** The connection failed before an answer came; `reason` is the network's code, such as ECONNREFUSED. */
  "cluster-unreachable": Asked & { reason: string };
  /** TLS could not be agreed on; `reason` is the library's code, such as SELF_SIGNED_CERT_IN_CHAIN. */
  "tls-failed": Asked & { reason: string };
  /** A plain-http address whose server speaks TLS. */
  "tls-expected": Asked;
  "unauthorized": Asked & { status: number };
  /** An answer that is not Flink's: a proxy's page, a login form, another program. */
  "not-flink": Asked & { status: number; contentType: string; title: string | null };
  /** A redirect we do not follow: to another origin, or of a request that must not be repeated. */
  "redirected": Asked & { status: number; target: string | null };
  /** Flink answered, in JSON, but not in the shape of any version we know. */
  "unexpected-reply": { url: string; detail: string };
  "reply-too-large": { url: string; limitBytes: number };
  "no-answer": Asked & { afterMs: number };
  /**
   * The request left, the connection broke, and no answer came: Flink may or may not have acted. `acted`: an answer of success came, but
   * it does not name what we asked for, so that the same request sent again could do it twice.
   */
  "answer-lost": Asked & { reason: string; acted?: true };
  /** Flink has no such route: an older version, or one that was switched off. */
  "no-such-route": { url: string };
  /** No JobManager leads at the moment. */
  "no-leader": { url: string };
  /** Flink refused or failed; `message` is its deepest cause, `trace` the rest (log only). */
  "flink-failed": { url: string; status: number; message: string; exception: string; trace: string };
  "job-not-found": { jobId: string };
  "setting-invalid": { setting: string; problem: string };
  "cluster-unknown": { cluster: string };
  /** A verb was refused by a rule of ours; `refusals` name the rules. */
  "refused": { verb: string; subject: string; refusals: readonly Refusal[] };
  "savepoint-failed": { jobName: string; message: string; exception: string; jobRestarted: boolean };
  "stop-failed": { jobName: string; message: string; exception: string; jobState: string };
  /** A stop wrote its savepoint, but the job ended FAILED instead of FINISHED. */
  "stopped-uncleanly": { jobName: string; path: string; jobState: string };
  "restore-failed": { savepoint: string | null; message: string; exception: string };
  /** A plan's arguments are no longer in SecretStorage, so it can't go on. */
  "plan-arguments-lost": { jobName: string };
  /** The editor's SecretStorage can't be read or written: its keyring is locked, or there is none. */
  "secrets-unavailable": { reason: string };
  "disposal-failed": { path: string; message: string; gone: "gone" | "partly" | "there" | "unknown" };
  /** Flink forgot the outcome and nothing else tells it. */
  "outcome-unknown": { what: string; jobName: string; lookIn: string | null };
  /** The call never reached Flink, so nothing happened there. */
  "never-received": { what: string; jobName: string };
  "location-invalid": { location: string; fault: LocationFault };
  "ledger-unwritable": { folder: string; reason: string };
  "ledger-record-damaged": { file: string; reason: string };
  "file-unreadable": { path: string; reason: string };
  /** A folder could not be renamed; `reason` is the system's code, such as EACCES. */
  "move-failed": { from: string; to: string; reason: string };
  "file-not-a-jar": { path: string };
  /** A savepoint on a storage that this machine does not read. */
  "metadata-elsewhere": { location: string };
  /** No `_metadata` is there, or it may not be read; `reason` is the system's code, such as ENOENT. */
  "metadata-missing": { location: string; reason: string };
  /** No warehouse of this path is in the settings. */
  "warehouse-unknown": { warehouse: string };
  /** `elsewhere` on a storage that is not read from here, `missing`, `file` in place of a folder, or the system's words. */
  "warehouse-unreachable": { warehouse: string; reason: string };
  /** A SQL Gateway did not list a catalog's tables: the catalog can't be made or asked, or one table can't. */
  "catalog-unreadable": { warehouse: string; gateway: string; at: "catalog" | "table"; reason: string };
  /** The thread that lints ended more than once: out of memory, on its own, or because it did not answer. */
  "lint-ended": { reason: "memory" | "crash" | "silence" };
  /** The thread that reads a savepoint ended: out of memory, or on its own. */
  "inspection-ended": { location: string; reason: "memory" | "crash" };
  /** The settings say that values of catalog options are kept in SecretStorage, which lacks these `options` for the warehouse at this path with its present other options. */
  "catalog-secret-missing": { warehouse: string; name: string; options: readonly string[] };
  /** Paimon refused or failed to act on a table; `what` as in "create the tag a". Nothing or a part may have been done. `at`: through this SQL Gateway, which looks for the warehouse at that path. */
  "paimon-action-failed": { table: string; what: string; message: string; exception: string; at?: { gateway: string; warehouse: string } };
  /** It broke off without an answer: Paimon may or may not have acted. */
  "paimon-action-lost": { table: string; what: string; reason: string };
  /** A jar, or a folder of jars, that a warehouse's setting names is not there. */
  "paimon-jars-missing": { path: string };
  /** A statement failed in the SQL Gateway; `message` is its deepest cause. `catalogOf` when that was before the statement, of which nothing was done: the name of the warehouse whose catalog a new session was to be told, null when there was no session. */
  "statement-failed": { url: string; message: string; exception: string; catalogOf?: string | null };
  /** The SQL Gateway's Flink has no `CALL`. */
  "gateway-too-old": { url: string; version: string; since: string };
  /** A pointer of a table whose rollback broke off can't be mended; `reason` is the system's code, such as ENOSPC. */
  "table-unwritable": { table: string; file: string; reason: string };
  /** A table was rolled back, and is not what its tag is. */
  "rollback-unverified": { table: string; tag: string; difference: string };
  "local-flink-java-missing": { looked: string; found: string | null };
  "local-flink-jars-missing": { what: string; missing: readonly string[]; tried: string };
  "local-flink-jar-corrupt": { file: string; expected: string; actual: string };
  "local-flink-port-taken": { port: number };
  "local-flink-died": { exitCode: number | null; logFile: string; lastLines: string };
  "local-flink-already-running": { url: string };
  /** Flink runs on Unix-like systems only. */
  "local-flink-unsupported": { platform: string };
}

/** The stable name of an error; `ErrorFacts` says what each one carries, `explain.ts` what is said of it. */
export type ErrorCode = keyof ErrorFacts;

/** One rule that forbids a verb, with the facts its sentence needs. */
export type Refusal =
  | { rule: "job-not-running"; state: string }
  | { rule: "tasks-not-running"; running: number; total: number }
  /** `forMs`: how long it has been under way when it forbids. */
  | { rule: "operation-running"; what: "stop" | "savepoint" | "cancel" | "restore" | "rollback"; forMs: number }
  /** A process of an earlier window that acts on a table. `forMs`: since when nothing was heard of it. */
  /** Of a SQL Gateway `pid` is 0 and `host` its address. */
  | { rule: "action-running"; table: string; process: { readonly host: string; readonly pid: number }; forMs: number }
  /** A statement that a SQL Gateway was sent by an earlier window may still be at work: the gateway can't tell. */
  | { rule: "statement-unknown"; table: string; gateway: string; reason: Extract<StatementStanding, { state: "unknown" }>["reason"] }
  | { rule: "no-directory" }
  | { rule: "cluster-reads-only"; kind: "application" | "history" }
  | { rule: "version-too-old"; version: string; since: string }
  | { rule: "cancel-switched-off" }
  | { rule: "not-completed"; state: string }
  /** Adopting is for operations whose outcome nobody knows. */
  | { rule: "outcome-known"; state: string }
  | { rule: "already-disposed" }
  | { rule: "disposal-running" }
  /** Cleanup moved its folder, and it can be moved back. */
  | { rule: "moved-aside" }
  | { rule: "not-aside" }
  /** A person took it off the list, and was told that its files are kept. */
  | { rule: "forgotten" }
  /** Another window, or another process, is cleaning up after this job. */
  | { rule: "cleanup-running"; forMs: number }
  /** The page showed an earlier preview than the last. */
  | { rule: "preview-outdated" }
  | { rule: "no-path" }
  | { rule: "pinned" }
  /** A file beside it says that somebody pinned it, in another window's or program's ledger. */
  | { rule: "pinned-beside"; file: string }
  /** With CLAIM Flink deletes the savepoint, which somebody pinned, or another job needs. */
  | { rule: "claim-of-pinned" }
  | { rule: "claim-of-needed"; by: JobNamed }
  /** Going back to a checkpoint of the job that is stopped for it: Flink deletes it with the job. */
  | { rule: "checkpoint-of-stopped"; by: JobNamed }
  | { rule: "claimed"; by: JobNamed }
  | { rule: "no-claim-not-safe"; by: JobNamed; checkpointIntervalMs: number | null }
  | { rule: "restore-source"; by: JobNamed }
  | { rule: "in-use"; by: JobNamed; how: string }
  | { rule: "only-completed" }
  | { rule: "not-a-savepoint"; folder: string }
  /** A table's state that belongs to the savepoint is not proven, so that rolling back to it could lose or double rows. */
  | { rule: "pair-unproven"; tables: readonly string[]; grade: PairGrade }
  /** A sink of the savepoint writes to no table of the warehouses that can be read. `away`: those that are configured and can't be, with the reasons of `warehouse-unreachable`. */
  | { rule: "table-unknown"; sink: string; away: readonly { readonly warehouse: string; readonly reason: string }[] }
  /** Tables whose files can't be read from here: what a rollback must look at before, between and after its steps would not be seen. */
  | { rule: "files-elsewhere"; tables: readonly string[] }
  /** What a sink writes was found in several warehouses, of which one must be a copy. */
  | { rule: "table-twice"; tables: readonly string[]; warehouses: readonly string[] }
  | { rule: "no-paimon-sink" }
  | { rule: "writer-running"; table: string; by: JobNamed }
  /** The table's newest snapshot changed since it was looked at; with equal numbers it is another one of that number. */
  | { rule: "table-moves"; table: string; from: number; to: number }
  /** Somebody keeps Paimon tags that belong to it. */
  | { rule: "tag-needed"; tags: readonly string[] }
  /** A record of the ledger can't be read, and may say who needs it. */
  | { rule: "ledger-unread"; file: string }
  /** Tags that would be deleted, made since a person saw what would be. */
  | { rule: "tags-appeared"; table: string; tags: readonly string[] }
  /** A file that a tag needs is gone or damaged. */
  | { rule: "tag-damaged"; table: string; tag: string; file: string }
  /** What a table was to go back to is gone, or was made again of another state, since a person saw it. */
  | { rule: "target-changed"; table: string; target: { readonly tag: string } | { readonly snapshotId: number }; wasRemade: boolean }
  /** Another window goes on with the rollback, or gave it up. */
  | { rule: "rollback-taken-over" }
  | { rule: "tag-unnameable"; table: string; tag: string; fault: string }
  | { rule: "table-damaged"; table: string; file: string }
  /** Tables of the savepoint's job are not all rolled back. */
  | { rule: "rollback-unfinished"; done: number; total: number }
  | { rule: "writers-unchecked"; cluster: string; reason: string }
  | { rule: "two-sinks"; tables: readonly string[] }
  | { rule: "clusters-silent"; clusters: readonly string[] }
  /** Nothing of the warehouse can be read from here. */
  | { rule: "job-unchecked"; job: JobNamed; reason: string }
  | { rule: "cluster-unchecked"; cluster: string; reason: string }
  /** Ages can't be believed: this machine's clock is that far ahead of the cluster's (negative: behind); null when no job there tells the time. */
  | { rule: "clock-differs"; aheadMs: number | null };

/** A job in a sentence. */
export interface JobNamed {
  readonly jobId: string;
  readonly name: string;
}

/** The only error thrown on purpose. `explain` turns it into words; `cause` keeps what lay beneath for the log. */
export class FlinkError<C extends ErrorCode = ErrorCode> extends Error {
  readonly code: C;
  readonly facts: ErrorFacts[C];

  constructor(code: C, facts: ErrorFacts[C], options?: { cause?: unknown }) {
    super(code, options);
    this.name = "FlinkError";
    this.code = code;
    this.facts = facts;
  }
}

/** Whether it is about the connection to a SQL Gateway. */
export function isOfGateway(error: FlinkError): boolean {
  return "server" in error.facts && error.facts.server === "sql-gateway";
}

/** Narrows to a `FlinkError` of one of the given codes, or of any code when none is given. */
export function isFlinkError<C extends ErrorCode>(error: unknown, ...codes: readonly C[]): error is { [K in C]: FlinkError<K> }[C] {
  return error instanceof FlinkError && (codes.length === 0 || (codes as readonly string[]).includes(error.code));
}
