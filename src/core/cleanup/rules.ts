import { stableId } from "../base/murmur3";

/** What of a job's scheduled savepoints goes (A-30): either rule is enough. Both null = nothing goes. */
export interface CleanupRules {
  /** How many are kept, the newest first; at least one. */
  readonly keep: number | null;
  /** How old one may become, milliseconds. */
  readonly maxAgeMs: number | null;
  /** How long a removed one lies aside where its storage allows, milliseconds; 0 = it is deleted at once. */
  readonly undoMs: number;
}

/** What is set for one job, and where. */
export interface JobCleanup {
  /** False: the rules are written and not switched on. */
  readonly enabled: boolean;
  /** Null when nothing is set for the job. */
  readonly rules: CleanupRules | null;
  /** Where it is written, for a person; null when nothing is. */
  readonly source: string | null;
}

/** Finds what is set for a job: by its cluster's address and its name, since ids change with every restart. */
export type FindCleanup = (cluster: string, jobName: string) => JobCleanup;

/** The rules as one text that is equal for equal rules: what a person agreed to. */
export function rulesKey({ keep, maxAgeMs, undoMs }: CleanupRules): string {
  return JSON.stringify([keep, maxAgeMs, undoMs]);
}

/** The id of the ledger's record of one job's cleanup: the same in every window and after every restart of the job. */
export function cleanupRecordId(cluster: string, jobName: string): string {
  return `cleanup-${stableId(`${cluster}\n${jobName}`)}`;
}
