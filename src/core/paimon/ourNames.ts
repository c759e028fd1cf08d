/*
 * Names of the tags and branches that we make for a savepoint, all `fsp-…`, which Paimon itself never touches: of an aborted checkpoint it deletes
 * the tag `savepoint-<number>`, whoever made it.
 */

/** The tag of a pinned pair, `fsp-<job>-<number>`. */
export function pinName(jobId: string, checkpointId: number | null): string {
  return `fsp-${jobId.slice(0, 8)}-${checkpointId ?? "x"}`;
}

/** The tag that a rollback makes where none keeps the pair, `fsp-<job>-<number>`: the job as the savepoint's folder names it, which also a savepoint without a record has; `fsp-<number>` where the folder names none. */
export function rollbackName(savepointPath: string, checkpointId: number | bigint): string {
  const short = /savepoint-([0-9a-f]{6})-/.exec(savepointPath)?.[1] ?? "";
  return ["fsp", short, String(checkpointId)].filter((part) => part !== "").join("-");
}

/** Whether we named it so for a savepoint of this number. */
export function isOurName(name: string, checkpointId: bigint): boolean {
  return new RegExp(`^fsp-([0-9a-f]{6,8}-)?${checkpointId}$`).test(name);
}
