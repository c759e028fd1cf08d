/**
 * Whether a failure is the one that Paimon's committer throws on purpose after it has committed what a restored savepoint held (P-20;
 * `RestoreAndFailCommittableStateManager`): once for each table, and then the job runs.
 */
export function isIntendedFailure(message: string): boolean {
  return /intentionally thrown after committing the restored checkpoints/.test(message);
}

/** What a failure of a job that writes Paimon calls for (P-20, P-22); null when it is none of Paimon's. `text` is Flink's own, class and message. */
export function paimonAdvice(text: string): string | null {
  if (isIntendedFailure(text)) return "Paimon throws this once on purpose, after it committed what the savepoint held, and the job has no restart strategy to go on with. Nothing is damaged: start it once more from the same savepoint.";
  if (/Cannot recover from this checkpoint because some files in the snapshot that need to be resubmitted have been deleted/.test(text)) return "The savepoint holds files that were never committed, and an orphan cleaning has deleted them. Choose a savepoint with a proven tag in every table (Show Pairs).";
  if (/(?:File deletion|LSM) conflicts detected! Give up committing|Trying to delete file \S+ for table \S+ which is not previously added/.test(text)) return conflictAdvice(text);
  if (/The next expected snapshot is too big/.test(text)) return "The table was rolled back behind what this reader has read. Reset its consumer, or start it anew.";
  return null;
}

/** The message names both commit users: two that differ are two writers, the same one twice a job that went back while the table did not. */
function conflictAdvice(text: string): string {
  const base = /Base commit user is: (\S+?)[;,\s]/.exec(text)?.[1];
  const current = /Current commit user is: (\S+?)[;,.\s]/.exec(`${text} `)?.[1];
  if (base !== undefined && current !== undefined && base !== current) return "Two writers changed the same files: another job, or a compaction, writes this table. Stop one of them. The table is not damaged.";
  return "The job goes on from an older state than its table, or was started twice from one savepoint; Paimon stops it to protect the table, which is not damaged. Roll the table back to the tag of the savepoint (Roll Back…), or restore from the newest savepoint.";
}
