import * as z from "zod";
import type { JobRef } from "../model/job";

/**
 * Version of the record format. A newer one is shown as "written by a newer version" and left alone. A new field that may be left out needs no new version:
 * versions that do not know it keep it when they change the record. A new value of a field does: they would take the record for a damaged one.
 */
export const recordVersion = 1;

const clusterNamed = z.lazy(() => z.object({ name: z.string(), url: z.string() }));
const jobNamed = z.lazy(() => z.object({ id: z.string(), name: z.string() }));
const processIdentity = z.lazy(() => z.object({ host: z.string(), pid: z.number(), instance: z.string() }));
const failure = z.lazy(() => z.object({ message: z.string(), exception: z.string() }));
const epochMs = z.number();

/** What happened to a record, for a person who reads the file. */
const trail = z.lazy(() => z.array(z.object({ atMs: epochMs, event: z.string() })));

/** A rule of `core/cleanup/plan.ts` that a savepoint fell under. */
const cleanupHit = z.lazy(() => z.discriminatedUnion("rule", [
  z.object({ rule: z.literal("keep"), keep: z.number(), position: z.number() }),
  z.object({ rule: z.literal("age"), maxAgeMs: z.number(), ageMs: z.number() }),
]));

/** What cleanup did to a savepoint. */
const cleanupOfSavepoint = z.lazy(() => z.object({
  hits: z.array(cleanupHit),
  /** When it was last tried to remove it. */
  triedAtMs: epochMs,
  attempts: z.number(),
  /** Why the last attempt failed; it is tried again. */
  failure: z.string().nullable(),
  /**
   * Where its folder was moved to, on the same file system. `moving` and `restoring` are written before the folder is renamed, `aside` after.
   * At `untilMs` it is disposed of.
   */
  aside: z.object({ path: z.string(), state: z.enum(["moving", "aside", "restoring"]), sinceMs: epochMs, untilMs: epochMs, owner: processIdentity }).nullable(),
}));

/**
 * One savepoint, from the moment it is asked for until long after it is gone. For those we ask for, `id` is the trigger id sent to Flink;
 * for those found in a job's history it is `found-<jobId>-<checkpointId>`, so that two windows that find the same one write the same record.
 */
export const savepointRecordSchema = z.lazy(() => z.object({
  kind: z.literal("savepoint"),
  version: z.literal(recordVersion),
  id: z.string(),
  cluster: clusterNamed,
  job: jobNamed,
  /** Unknown origin counts as manual wherever rules delete. */
  origin: z.enum(["manual", "stop", "scheduled", "upgrade", "found"]),
  /** The tick of a schedule that it was taken for, and the how-manieth attempt at it, from 0. */
  schedule: z.object({ name: z.string(), tickAtMs: epochMs, attempt: z.number() }).optional(),
  format: z.enum(["canonical", "native"]).nullable(),
  description: z.string(),
  /** Where it was asked to go; null = the cluster's own directory. */
  directory: z.string().nullable(),
  flinkVersion: z.string(),
  /**
   * `requested`: written down, the call may or may not have been made. `running`: Flink has it. `completed`: `path` is known.
   * `failed`: it is certain that there is none. `unknown`: Flink forgot, and nothing else tells (C-31; safety rule 2).
   */
  state: z.enum(["requested", "running", "completed", "failed", "unknown"]),
  requestedAtMs: epochMs,
  /** When the request was last announced: later than `requestedAtMs` after a lost answer made us send it again. */
  sentAtMs: epochMs,
  endedAtMs: epochMs.nullable(),
  checkpointId: z.number().nullable(),
  path: z.string().nullable(),
  sizeBytes: z.number().nullable(),
  durationMs: z.number().nullable(),
  failure: failure.nullable(),
  /** Present when it was taken by stop-with-savepoint: what became of the job. */
  stop: z.object({
    drain: z.boolean(),
    job: z.enum(["pending", "stopped", "failed", "running-on", "unknown"]),
  }).nullable(),
  /** True when the failed attempt restarted the job. */
  jobRestarted: z.boolean(),
  pinned: z.boolean(),
  /** True when a mark beside its files tells other programs of the pin, too. */
  pinMarked: z.boolean().optional(),
  /** Hidden by *Forget*; the files are kept. */
  forgotten: z.boolean(),
  /** `requested`: written down before the call. `disposed`: Flink said so, or the files are seen to be gone. */
  disposal: z.object({
    state: z.enum(["requested", "disposed", "failed", "unknown"]),
    requestedAtMs: epochMs,
    requestId: z.string().nullable(),
    endedAtMs: epochMs.nullable(),
    message: z.string().nullable(),
    owner: processIdentity,
    /** True when its files were seen from the owner's machine before the call; only then does it prove anything that they are seen no more. */
    seen: z.boolean().optional(),
  }).nullable(),
  /** Present once a cleanup rule chose it: which rules hit, why the last attempt failed, and where its files lie while that can be undone. */
  cleanup: cleanupOfSavepoint.optional(),
  /** Folders that may be the result when the state is `unknown`. */
  candidates: z.array(z.string()),
  workspace: z.object({ commit: z.string(), branch: z.string().nullable(), dirty: z.boolean() }).nullable(),
  /** When its tags in Paimon were there, or it was clear that they will not come; absent while that is open, and where it writes no Paimon. */
  tagsSettledAtMs: epochMs.optional(),
  owner: processIdentity,
  trail,
}));

/** A savepoint and its life. */
export type SavepointRecord = z.infer<typeof savepointRecordSchema>;

/**
 * One start of a job through us: from a savepoint, or without state. `id` is the job id that we chose before the call.
 * `planned` waits for the stop named in `afterStop`; `safe` means a checkpoint of its own is complete (C-26).
 */
export const restoreRecordSchema = z.lazy(() => z.object({
  kind: z.literal("restore"),
  version: z.literal(recordVersion),
  id: z.string(),
  cluster: clusterNamed,
  jobName: z.string(),
  /** Null = started without state. */
  savepoint: z.object({ path: z.string(), recordId: z.string().nullable(), checkpointId: z.number().nullable() }).nullable(),
  /** Record id of the stop-with-savepoint that must end first, or null. */
  afterStop: z.string().nullable(),
  jar: z.object({ id: z.string().nullable(), file: z.string().nullable(), name: z.string() }),
  entryClass: z.string().nullable(),
  /** How many arguments the program gets. They may hold secrets: those of a plan lie in the vault under the record's id, until it is sent. */
  argumentCount: z.number(),
  parallelism: z.number().nullable(),
  claimMode: z.enum(["NO_CLAIM", "CLAIM", "LEGACY"]),
  allowNonRestoredState: z.boolean(),
  state: z.enum(["planned", "requested", "submitted", "running", "safe", "failed", "unknown", "dropped"]),
  requestedAtMs: epochMs,
  /** When its request was about to be sent; null: certainly not yet. Absent in records of before. */
  sentAtMs: epochMs.nullable().optional(),
  /** When the start failed, or the started job ended. */
  endedAtMs: epochMs.nullable(),
  failure: failure.nullable(),
  owner: processIdentity,
  trail,
}));

/** A start of a job and its life. */
export type RestoreRecord = z.infer<typeof restoreRecordSchema>;

/**
 * Which state of a Paimon table belongs to a savepoint, as it was when that was first proven. `id` follows from savepoint and table, so that two
 * windows that see the same pair write the same record. A rollback and a restore can give table and tag of the same names another content.
 */
export const pairRecordSchema = z.lazy(() => z.object({
  kind: z.literal("pair"),
  version: z.literal(recordVersion),
  id: z.string(),
  savepoint: z.object({ path: z.string(), recordId: z.string().nullable(), checkpointId: z.string() }),
  /** The warehouse's location and `database.table` in it. */
  warehouse: z.string(),
  table: z.string(),
  /** The pair at first; 64-bit numbers are decimal texts. `uuid` from Paimon 2.0 on. */
  snapshot: z.object({ id: z.number(), commitUser: z.string(), commitIdentifier: z.string(), timeMs: epochMs, totalRecordCount: z.number().nullable(), uuid: z.string().nullable() }),
  /** Names of the tags that kept it then. */
  tags: z.array(z.string()),
  seenAtMs: epochMs,
  trail,
}));

/** A pair as it was first seen. */
export type PairRecord = z.infer<typeof pairRecordSchema>;

/**
 * Cleanup of one job, followed by its name. `id` follows from cluster and name (`cleanupRecordId`), so that all windows mean the same record.
 * `agreed` is the rules that a person saw the preview of and switched on, as `rulesKey` writes them. `running` is who works on it.
 */
export const cleanupRecordSchema = z.lazy(() => z.object({
  kind: z.literal("cleanup"),
  version: z.literal(recordVersion),
  id: z.string(),
  cluster: clusterNamed,
  jobName: z.string(),
  agreed: z.object({ rules: z.string(), atMs: epochMs }).nullable(),
  /** A run that ended keeps its owner nowhere; one whose owner died is taken over. */
  running: z.object({ owner: processIdentity, sinceMs: epochMs }).nullable(),
  lastRun: z.object({
    atMs: epochMs,
    why: z.enum(["scheduled", "asked"]),
    removed: z.number(),
    failed: z.number(),
    freedBytes: z.number(),
    /** Why a run by itself did nothing: nobody had agreed to these rules, or the job had paused for longer than the age rule. */
    held: z.enum(["not-agreed", "pause"]).nullable(),
    /** Savepoints that its rules would take and that wait; `sinceMs`: since the first run that they waited in for the same. See `core/cleanup/waiting.ts`. */
    waiting: z.object({ for: z.enum(["not-agreed", "pause", "clock-differs", "clock-unknown", "ledger-unread", "cluster-unchecked"]), sinceMs: epochMs, count: z.number(), why: z.string() }).nullable().optional(),
  }).nullable(),
  owner: processIdentity,
  trail,
}));

/** Cleanup of one job. */
export type CleanupRecord = z.infer<typeof cleanupRecordSchema>;

/**
 * Agreement to run a schedule that came with a file of a workspace, as it said then. `id` follows from the schedule's key (`agreementRecordId`), so that all
 * windows mean the same record. `agreed` is what a person saw, as `agreementText` writes it, newest last.
 */
export const agreementRecordSchema = z.lazy(() => z.object({
  kind: z.literal("agreement"),
  version: z.literal(recordVersion),
  id: z.string(),
  cluster: clusterNamed,
  jobName: z.string(),
  scheduleName: z.string(),
  agreed: z.array(z.object({ text: z.string(), atMs: epochMs })).min(1),
  owner: processIdentity,
  trail,
}));

/** Agreement to one schedule. */
export type AgreementRecord = z.infer<typeof agreementRecordSchema>;

/**
 * A rollback of all Paimon tables of a job to what belongs to a savepoint, written down whole before the first table is touched (P-10…P-12).
 * `planned`: nothing was touched. `rolling`: some tables may be. `rolled-back`: all are, and seen to be so. `restoring`: the job was started from the
 * savepoint, see `restoreId`. `done`: it has completed a checkpoint, nothing was to be started, or it was given up while the job was being started. `dropped`: given up; `tables` says what was done.
 */
export const rollbackRecordSchema = z.lazy(() => z.object({
  kind: z.literal("rollback"),
  version: z.literal(recordVersion),
  id: z.string(),
  jobName: z.string(),
  savepoint: z.object({ path: z.string(), recordId: z.string().nullable(), checkpointId: z.number() }),
  tables: z.array(z.object({
    /** The warehouse's location and `database.table` in it. */
    warehouse: z.string(),
    table: z.string(),
    tag: z.object({ name: z.string(), isNew: z.boolean() }),
    /** The snapshot that the table must be at; 64-bit numbers are decimal texts. */
    target: z.object({ id: z.number(), commitUser: z.string(), commitIdentifier: z.string(), timeMs: epochMs }),
    /** Newest snapshot when it was planned; null for a table without any. */
    latestId: z.number().nullable(),
    /** What else a person saw before agreeing: when the newest snapshot was made, and every tag that goes. Absent in records of before. */
    seen: z.object({ latestMs: epochMs.nullable(), tags: z.array(z.string()) }).optional(),
    /** `rolling` is written down before Paimon is asked; what came of it, the table tells. */
    state: z.enum(["planned", "rolling", "rolled-back", "failed"]),
    message: z.string().nullable(),
    /** Paimon's action command, written down before it acts: it may outlive the window that started it. Of a SQL Gateway `pid` is 0 and `host` its address. */
    process: processIdentity.nullable().default(null),
    /** The handles of the statement, where a SQL Gateway acts (`process` has pid 0 and the gateway's address). Absent in records of before. */
    statement: z.object({ session: z.string(), operation: z.string().nullable() }).nullable().optional(),
  })),
  /** Names of the clusters that did not answer when a person agreed to it, all the same. Absent in records of before. */
  unchecked: z.array(z.string()).optional(),
  /** Name of the branch that keeps each table as it was; null when none was wanted. */
  safetyName: z.string().nullable(),
  /** The start that follows, planned with it; null when only the tables are rolled back. */
  restoreId: z.string().nullable(),
  state: z.enum(["planned", "rolling", "rolled-back", "restoring", "done", "dropped"]),
  requestedAtMs: epochMs,
  endedAtMs: epochMs.nullable(),
  owner: processIdentity,
  trail,
}));

/** A rollback and how far it is. */
export type RollbackRecord = z.infer<typeof rollbackRecordSchema>;
/** One table of a rollback. */
export type RollbackTableRecord = RollbackRecord["tables"][number];

/** The job that a savepoint is of. */
export function jobOf(record: SavepointRecord): JobRef {
  return { cluster: record.cluster.url, jobId: record.job.id };
}

/** Any record of the ledger. */
export const ledgerRecordSchema = z.lazy(() => z.discriminatedUnion("kind", [savepointRecordSchema, restoreRecordSchema, pairRecordSchema, cleanupRecordSchema, agreementRecordSchema, rollbackRecordSchema]));

/** A savepoint, a start of a job, a pair of a savepoint and a table, the cleanup of a job, the agreement to a schedule, or a rollback. */
export type LedgerRecord = z.infer<typeof ledgerRecordSchema>;

/** A record with something still under way, to be reconciled after a restart. A planned restore waits for a person instead. */
export function isOpen(record: LedgerRecord): boolean {
  if (record.kind === "restore") return record.endedAtMs === null && (record.state === "requested" || record.state === "submitted" || record.state === "running");
  if (record.kind !== "savepoint") return false;
  return record.state === "requested" || record.state === "running" || record.stop?.job === "pending" || record.disposal?.state === "requested";
}

/** True for a start that reached Flink, or may have. */
export function mayHaveStarted({ state }: RestoreRecord): boolean {
  return state !== "planned" && state !== "dropped" && state !== "failed";
}

/** A completed savepoint that, as far as we know, is still there and whole. */
export function isUsable(record: SavepointRecord): boolean {
  return record.state === "completed" && record.path !== null && record.disposal?.state !== "disposed" && record.disposal?.state !== "requested" && !liesAside(record) && !lostItsMetadata(record);
}

/** True while its folder is not where Flink wrote it: cleanup moved it, and it can be moved back. */
export function liesAside(record: SavepointRecord): boolean {
  return (record.cleanup?.aside ?? null) !== null;
}

/** True while cleanup has something left to do with it: to settle a move, or to dispose of what lies aside. */
export function isBeingCleanedUp(record: LedgerRecord): boolean {
  return record.kind === "savepoint" && liesAside(record) && record.disposal?.state !== "disposed";
}

/** Where a savepoint's files are: where Flink wrote them, or where cleanup moved them. */
export function filesOf(record: SavepointRecord): string {
  return record.cleanup?.aside?.path ?? record.path ?? "";
}

/** How the message of a failed disposal begins that took the `_metadata` and left other files. */
export const metadataGone = "_metadata is gone";

/** True for what a failed disposal left behind: files that are no savepoint any more. */
export function lostItsMetadata(record: SavepointRecord): boolean {
  return record.disposal?.state === "failed" && record.disposal.message?.startsWith(metadataGone) === true;
}
