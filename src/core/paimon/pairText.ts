import { joinText, oneLine } from "../rowText";
import { countText, durationText, spanText, timeText } from "../wording";
import { endOfInput, type SnapshotFault } from "./snapshot";
import type { PairGrade, PairReason } from "./pairing";
import type { SinkPair } from "./savepointPairs";
import type { WarehouseProblem } from "./warehouse";

/** What a grade means for the one who wants to go back (P-9). */
export function pairGradeText(grade: PairGrade): string {
  return grades[grade];
}

/** What speaks for a grade, as a sentence. */
export function pairReasonText(reason: PairReason): string {
  switch (reason.code) {
    case "files-match": return reason.files === 1 ? "The only file of the commit is named in the savepoint." : `All ${countText(reason.files, "file")} of the commit are named in the savepoint.`;
    case "files-differ": return `The commit changed ${countText(reason.files, "file")}, of which the savepoint names ${reason.matching === 0 ? "none" : reason.matching}.`;
    case "committed-after": return `It was committed ${reason.afterMs < 1_000 ? `${Math.round(reason.afterMs)} ms` : durationText(reason.afterMs)} after the savepoint, with its commit user and number.`;
    case "committed-before": return `It was committed ${durationText(reason.beforeMs)} before the savepoint's file was written: an earlier life of the job, or the savepoint was copied.`;
    case "gone-on-since": return `Snapshot ${reason.snapshotId}, number ${reason.commitIdentifier}, was committed after the savepoint: the job went on from an older state, and what the savepoint saw may be gone.`;
    case "other-life": return `Snapshot ${reason.snapshotId} has the same commit user and number, but is not this savepoint's.`;
    case "named-otherwise": return `The tag that keeps it is called ${reason.tag}.`;
    case "decoy": return `The tag ${reason.tag} is of commit user ${reason.commitUser}, number ${numberText(reason.commitIdentifier)}, and not of this savepoint.`;
    case "no-tag": return "No tag keeps it; it goes when the table's snapshots expire.";
    case "auto-tag-off": return "sink.savepoint.auto-tag was off, so nothing tagged it; it goes when the table's snapshots expire.";
    case "nothing-pending": return "Nothing was written to the table since its commit before the savepoint, which is the same state.";
    case "not-committed-yet": return "The savepoint holds files that are not committed yet. The next checkpoint commits them, or restoring from the savepoint does.";
    case "skipped": return `The savepoint's files were never committed: the job went on from an earlier checkpoint to number ${numberText(reason.next)}. Restoring from the savepoint commits them.`;
    case "expired": return "Snapshots from that time have expired, so it can't be told which state it was.";
    case "end-of-input": return "It was stopped with drain, so its last files were committed as the end of the input.";
    case "base-jumps": return reason.lateMs === null
      ? `It was committed right after number ${numberText(reason.from)}, and the savepoint's file is a copy, so its time does not tell whether commits between them are missing from it.`
      : `It was committed ${durationText(reason.lateMs)} after the savepoint, right after number ${numberText(reason.from)}: commits between them are missing from it.`;
    case "base-unseen": return reason.lateMs === null
      ? "The commit before it can no longer be seen, and the savepoint's file is a copy, so its time does not tell whether it lacks what lay between."
      : `It was committed ${durationText(reason.lateMs)} after the savepoint, later than the job itself does, and the commit before it can no longer be seen: it may lack what lay between.`;
    case "differs": return `When the pair was first seen, ${timeText(reason.seenAtMs)}, it was snapshot ${reason.snapshotId} of ${timeText(reason.timeMs)}: the table was rolled back and written again since.`;
    case "remembered": return `It is what was proven when the pair was first seen, ${timeText(reason.seenAtMs)}.`;
    case "rolled-back": return `The table was rolled back to snapshot ${reason.snapshotId}, so commits that the savepoint saw may be gone.`;
    case "never-committed": return "This writer never committed to the table, as far as its snapshots tell.";
    case "proof-untold": return `Snapshot ${reason.snapshotId} has its commit user and number. Whether its files are the savepoint's can't be told through the SQL Gateway: the snapshot before it has expired, or it changed none.`;
    case "tag-untold": return `The tag ${reason.tag} keeps snapshot ${reason.snapshotId}, which has expired otherwise: the SQL Gateway does not tell whose commit it is.`;
    case "expired-untold": return "Snapshots from that time have expired, and whose commits the tags keep is not told through the SQL Gateway.";
    case "base-untold": return `Nothing was written to the table after snapshot ${reason.snapshotId}, which would be the same state. Whether the table was rolled back to it since is not told through the SQL Gateway.`;
    case "state-unread": return { missing: "The committer's state is in a file that can't be read from here.", malformed: "The committer's state is not in a form that is known." }[reason.why];
  }
}

/** What is wrong with a file of a warehouse. */
export function warehouseProblemText({ path, problem }: WarehouseProblem): string {
  return problem.code === "unreadable" ? `${path} can't be read: ${problem.reason}.` : `${path} ${faultText(problem)}`;
}

function faultText(fault: SnapshotFault): string {
  switch (fault.code) {
    case "not-json": return "is not valid JSON.";
    case "format": return `has format version ${fault.version}, which a newer Paimon than 2.0 wrote.`;
    case "field": return `lacks a valid ${fault.field}.`;
  }
}

/** What a pair's row is called: the table, or what is known of the sink. */
export function pairTitle({ place, sink }: SinkPair): string {
  return oneLine(place?.table ?? sink.objectName ?? `sink ${sink.operatorId.slice(0, 6)}`, 120);
}

/** What becomes of a savepoint's job: a pair that waits depends on it. */
export interface PairedJob {
  /** Milliseconds between checkpoints; null when there are none, or that is not known. */
  readonly intervalMs: number | null;
  /** False once it has ended, null when that can't be seen. */
  readonly runs: boolean | null;
}

/** A pair's row after its name: what keeps the state, how sure it is, and what is due. */
export function pairRowText(pair: SinkPair, nowMs: number, job: PairedJob = { intervalMs: null, runs: null }): string {
  const { pairing: { grade, snapshot, tags, decoy }, place, snapshotExpiresMs, tagsExpireMs } = pair;
  const at = snapshot === null ? null : `snapshot ${snapshot.id}`;
  const expiry = snapshotExpiresMs === null ? null : snapshotExpiresMs > nowMs ? `may expire in ${spanText(snapshotExpiresMs - nowMs)}` : "may expire any time";
  switch (grade) {
    case "exact": return joinText(`tag ${oneLine(tags[0]?.name ?? "", 80)}${tags.length > 1 ? ` and ${tags.length - 1} more` : ""}`, "proven", tagsExpireMs !== null && (tagsExpireMs > nowMs ? `${spanText(tagsExpireMs - nowMs)} left` : "expired"));
    case "unprotected": return joinText(at, "proven, no tag", expiry);
    case "waiting": return waitingText(job);
    case "idle": return joinText(at, "the same state, nothing was written since", tags.length > 0 && `tag ${oneLine(tags[0]?.name ?? "", 80)}`);
    case "drained": return joinText(at, "committed as the end of the input", tags.length === 0 ? "no tag" : `tag ${oneLine(tags[0]?.name ?? "", 80)}`);
    case "foreign": return joinText(`tag ${oneLine(decoy?.name ?? "", 80)} is another's`, at !== null && `${at} is the right one, no tag`, at !== null && expiry);
    case "stale-tag": return `tag ${oneLine(decoy?.name ?? "", 80)} is of an earlier life of the job`;
    case "changed": return joinText(at, "looks right, and the table was changed below it");
    case "none": return place === null ? "writes to no table of the warehouses here" : "can't be told";
  }
}

function waitingText({ intervalMs, runs }: PairedJob): string {
  if (runs === false) return "not committed: the job ended before its next checkpoint";
  if (runs === null) return "not committed: that comes with the next checkpoint, if the job runs";
  return intervalMs === null ? "tag after the next checkpoint" : `tag after the next checkpoint (≈ ${spanText(Math.max(intervalMs, 1_000))})`;
}

/** A commit user, cut to what tells it from others: Paimon's are long random names. */
export function commitUserText(user: string): string {
  return oneLine(user.replace(/([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/, "$1…"), 40);
}

/** What the pairs of a savepoint say in two words of its row, or null for none. */
export function pairsFlag(pairs: readonly SinkPair[], { runs }: Pick<PairedJob, "runs"> = { runs: null }): string | null {
  if (pairs.length === 0) return null;
  const of = (...grades: readonly PairGrade[]): number => pairs.filter(({ pairing }) => grades.includes(pairing.grade)).length;
  const bad = of("foreign", "stale-tag", "changed", "none");
  if (bad > 0) return `${countText(bad, "table")} without a pair`;
  if (of("waiting") > 0) return runs === true ? "tags to come" : "not committed";
  const open = of("unprotected", "drained");
  return open > 0 ? `${countText(open, "table")} without a tag` : `${countText(pairs.length, "table")} paired`;
}

const numberText = (identifier: bigint): string => (identifier === endOfInput ? "for the end of the input" : String(identifier));

const grades: Readonly<Record<PairGrade, string>> = {
  "exact": "proven, and kept by a tag",
  "unprotected": "proven, but no tag keeps it",
  "waiting": "comes with the next checkpoint",
  "idle": "nothing was written; an earlier state is the same",
  "drained": "committed as the end of the input",
  "foreign": "the tag of this name belongs to another",
  "stale-tag": "the tag is of an earlier life of the job",
  "changed": "the tag fits, but not what it was built on",
  "none": "can't be told",
};
