import * as z from "zod";
import { savepointName, spanText, ageText, timeText, countText } from "../wording";
import type { SavepointRecord } from "../ledger/record";
import { joinText, oneLine } from "../rowText";
import type { PairGrade } from "./pairing";
import { pairGradeText, pairReasonText, pairRowText, pairTitle, type PairedJob } from "./pairText";
import type { SavepointPairs, SinkPair } from "./savepointPairs";
import { endOfInput } from "./snapshot";

/** What the board's page asks its host. */
export interface PairsPageApi {
  /** Everything that is shown. What is not paired yet is paired then, and told by `changed`. */
  board(params: Record<string, never>): BoardView;
  /** What the panel is about, to be opened again after a reload. */
  about(params: Record<string, never>): AboutBoard;
  run(params: { readonly action: PairAction; readonly recordId: string; readonly column: string | null }): null;
  copy(params: { readonly what: string; readonly text: string }): null;
}

/** What the host tells the page. */
export interface PairsPageEvents {
  changed: BoardView;
}

/** What can be done about a pair. */
export type PairAction = "tag" | "pin" | "checkpoint" | "sql" | "rollback" | "inspect" | "openTag" | "look";

/** Parameters come from a page that another version may have left open. */
export const pairsPageParams = {
  run: z.object({ action: z.enum(["tag", "pin", "checkpoint", "sql", "rollback", "inspect", "openTag", "look"]), recordId: z.string(), column: z.string().nullable() }),
  copy: z.object({ what: z.string().max(100), text: z.string().max(100_000) }),
} as const;

/** What a board is about, as it is kept over a reload. */
export const aboutBoardSchema = z.object({ job: z.object({ cluster: z.string(), jobId: z.string() }), jobName: z.string(), recordId: z.string().nullable() });

/** A job whose pairs are shown, and the savepoint that was asked for. */
export type AboutBoard = z.infer<typeof aboutBoardSchema>;

/** A job's savepoints over the tables that it writes. */
export interface BoardView {
  readonly jobName: string;
  readonly cluster: string;
  /** What has to be done first, or is known of all; null for nothing. */
  readonly note: string | null;
  readonly columns: readonly BoardColumn[];
  /** The newest first. */
  readonly rows: readonly BoardRow[];
  /** Savepoints that are not shown. */
  readonly more: number;
}

/** A table that the job writes; `warehouse` is the name of its warehouse in the settings, null when it is in none. */
export interface BoardColumn {
  /** Tells it from others of the board. */
  readonly key: string;
  readonly table: string;
  readonly warehouse: string | null;
}

/** A savepoint. */
export interface BoardRow {
  readonly recordId: string;
  readonly name: string;
  readonly taken: string;
  readonly takenTitle: string;
  /** `looking` until it was paired once. */
  readonly state: "looking" | "read" | "unread";
  /** Why it could not be paired, or what it lacks. */
  readonly note: string | null;
  /** By column key; a table that the savepoint's job did not write has none. */
  readonly cells: Readonly<Record<string, BoardCell>>;
  /** True when every table has a proven state that a tag keeps. */
  readonly isComplete: boolean;
}

/** A savepoint in a table. */
export interface BoardCell {
  readonly grade: PairGrade;
  readonly text: string;
  readonly meaning: string;
  readonly reasons: readonly string[];
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly actions: readonly PairAction[];
}

/** Which verbs the job's cluster takes now, beside those that always are. */
export interface BoardVerbs {
  readonly checkpoint: boolean;
}

/** A savepoint of the ledger with what is known of its pairs. */
export interface BoardSource {
  readonly record: SavepointRecord;
  readonly pairs: SavepointPairs | undefined;
  readonly failure: string | undefined;
}

/** Lays a job's savepoints out over the tables that any of them wrote. A job that was restored since has another id: of that one's savepoints only the newest job's can still wait. */
export function boardView(about: AboutBoard, cluster: string, sources: readonly BoardSource[], more: number, verbs: BoardVerbs, job: PairedJob, nowMs: number): BoardView {
  const columns = new Map<string, BoardColumn>();
  for (const { pairs } of sources) for (const pair of pairs?.pairs ?? []) columns.set(columnKey(pair), { key: columnKey(pair), table: pairTitle(pair), warehouse: pair.place?.warehouse ?? null });
  const list = [...columns.values()].sort((a, b) => (a.table < b.table ? -1 : 1));
  const jobOf = (record: SavepointRecord): PairedJob => (record.job.id === about.job.jobId ? job : { ...job, runs: job.runs === null ? null : false });
  const rows = sources.map(({ record, pairs, failure }): BoardRow => {
    const cells = Object.fromEntries((pairs?.pairs ?? []).map((pair) => [columnKey(pair), cellOf(pair, verbs, jobOf(record), nowMs)]));
    const state = pairs !== undefined ? "read" : failure !== undefined ? "unread" : "looking";
    return {
      recordId: record.id, name: joinText(oneLine(savepointName(record), 80), record.description !== "" && oneLine(record.description, 60)), taken: ageText(record.requestedAtMs, nowMs), takenTitle: timeText(record.requestedAtMs), state, cells,
      note: state === "unread" ? (failure ?? null) : state === "looking" ? null : pairs?.pairs.length === 0 ? "No sink of Paimon is in it." : null,
      isComplete: Object.values(cells).length > 0 && Object.values(cells).every(({ grade }) => grade === "exact"),
    };
  });
  return { jobName: oneLine(about.jobName, 120), cluster, columns: list, rows, more, note: noteOf(sources, rows) };
}

/** The key of a pair's column. */
export function columnKey({ place, sink }: SinkPair): string {
  return place === null ? `sink ${sink.operatorId}` : `${place.warehouse} ${place.table}`;
}

function noteOf(sources: readonly BoardSource[], rows: readonly BoardRow[]): string | null {
  if (rows.length === 0) return "No savepoint of this job is known that can be read.";
  const newest = rows.find(({ isComplete }) => isComplete);
  if (newest !== undefined) return `The newest savepoint with a proven tag in every table is ${newest.name}, ${newest.taken}.`;
  return sources.every(({ pairs }) => pairs !== undefined) ? "No savepoint has a proven tag in every table that it wrote." : null;
}

function cellOf(pair: SinkPair, verbs: BoardVerbs, job: PairedJob, nowMs: number): BoardCell {
  const { pairing, sink, place, latestSnapshotId, snapshotExpiresMs, tagsExpireMs, tableAutoTag } = pair;
  const { grade, snapshot, tags } = pairing;
  const facts: (readonly [string, string])[] = [];
  if (place !== null) facts.push(["Table", place.table], ["Warehouse", place.warehouse]);
  if (snapshot !== null) {
    facts.push(["Snapshot", String(snapshot.id)], ["Committed", timeText(snapshot.timeMs)]);
    if (snapshot.totalRecordCount !== null) facts.push(["Rows, not merged", snapshot.totalRecordCount.toLocaleString("en")]);
    if (latestSnapshotId !== null) facts.push(["Since then", latestSnapshotId > snapshot.id ? countText(latestSnapshotId - snapshot.id, "later snapshot") : "nothing was committed"]);
  }
  if (tags.length > 0) facts.push([tags.length === 1 ? "Tag" : "Tags", tags.map(({ name }) => name).join(", ")], ["Kept", tagsExpireMs === null ? "until it is deleted" : tagsExpireMs > nowMs ? `for ${spanText(tagsExpireMs - nowMs)} more` : "no longer: it expires with the next commit"]);
  else if (snapshotExpiresMs !== null) facts.push(["May expire", snapshotExpiresMs > nowMs ? `in ${spanText(snapshotExpiresMs - nowMs)}` : "any time"]);
  if (sink.commitUser !== null) facts.push(["Commit user", sink.commitUser]);
  if (snapshot !== null) facts.push(["Commit identifier", snapshot.commitIdentifier === endOfInput ? "end of the input" : String(snapshot.commitIdentifier)]);
  facts.push(["Tags for savepoints", sink.autoTag ? "on when it was taken" : "off when it was taken"]);
  if (tableAutoTag !== null && tableAutoTag !== sink.autoTag) facts.push(["", `${tableAutoTag ? "on" : "off"} on the table now`]);
  const actions: PairAction[] = [];
  const canTag = place !== null && snapshot !== null && grade !== "changed" && grade !== "stale-tag";
  if (canTag && tags.length === 0) actions.push("tag");
  if (canTag) actions.push("pin");
  if (grade === "waiting" && verbs.checkpoint) actions.push("checkpoint");
  if (grade === "exact") actions.push("rollback");
  if (canTag) actions.push("sql");
  if (tags.length > 0) actions.push("openTag");
  return { grade, text: pairRowText(pair, nowMs, job), meaning: pairGradeText(grade), reasons: pairing.reasons.map(pairReasonText), facts, actions };
}
