import type { FlinkError } from "./errors";
import { isFlinkError } from "./errors";
import { explain, reasonText } from "./explain";
import { liesAside, type SavepointRecord } from "./ledger/record";
import type { CheckpointStats } from "./model/checkpoint";
import type { JobRow, SavepointRow } from "./rows";
import { ageText, countText, durationText, savepointName, shortId, sizeText, spanText } from "./wording";

/** Parts of a row's description, empty ones left out. */
export function joinText(...parts: readonly (string | null | false)[]): string {
  return parts.filter((part): part is string => typeof part === "string" && part !== "").join(" · ");
}

/** A text of strangers as one plain line: control and direction characters go, white space becomes one blank, the rest is cut at `limit`. */
export function oneLine(text: string, limit = 200): string {
  // A name may be as long as its owner likes; only its beginning is worth the work.
  const line = text.slice(0, limit * 10).replace(/\s+/gu, " ").replace(/[\p{Cc}\p{Cf}]/gu, "").trim();
  return line.length > limit ? `${line.slice(0, limit - 1).trimEnd()}…` : line;
}

/**
 * A message or question with strangers' words in it, as VS Code may get it: in those it makes of `[x](command:y)` a link that runs any command.
 * Control and direction characters go, line breaks stay, and the end of what nobody reads is cut.
 */
export function plainMessage(text: string): string {
  return text.slice(0, 10_000).replace(/(?!\n)[\p{Cc}\p{Cf}]/gu, "").replaceAll("](", "] (");
}

/** What a savepoint's row is called: `#1042`, with the description beside it, or what it is while it has no number. */
export function savepointTitle(row: SavepointRow): string {
  const described = (name: string): string => joinNames(name, oneLine(row.description, 60));
  switch (row.state) {
    case "requested": case "running":
      return described(row.record?.stop ? "stop with savepoint" : "savepoint");
    case "failed":
      return described(joinNames(row.checkpointId === null ? "" : `#${row.checkpointId}`, "failed"));
    default:
      return described(oneLine(savepointName(row), 80));
  }
}

/** A savepoint's row after its name, in the one order: age · size · format · origin · flags. `expectedMs` is how long earlier ones took. */
export function savepointText(row: SavepointRow, nowMs: number, expectedMs: number | null = null): string {
  const age = ageText(row.startedAtMs, nowMs);
  const since = durationText(Math.max(0, nowMs - row.startedAtMs));
  switch (row.state) {
    case "requested":
      return `asking Flink ${since}`;
    case "running":
      return joinText(`writing ${since}`, expectedMs !== null && `usually ${durationText(expectedMs)}`, row.progress !== null && `${row.progress.acknowledged} of ${countText(row.progress.total, "task")}`);
    case "failed":
      return joinText(age, oneLine(row.failure ?? "Flink gives no reason", 160), row.record?.jobRestarted === true && "restarted the job");
    case "unknown":
      return joinText(age, "outcome unknown, look here");
    case "disposing":
      return joinText(`disposing ${durationText(Math.max(0, nowMs - (row.record?.disposal?.requestedAtMs ?? nowMs)))}`, size(row));
    case "disposed":
      return joinText(age, "disposed");
    case "completed":
      if (row.record !== null && liesAside(row.record)) return joinText(age, size(row), asideText(row.record, nowMs));
      if (row.claimedBy !== null) return joinText(age, `claimed by ${oneLine(row.claimedBy.name, 60)} (${shortId(row.claimedBy.jobId)})`);
      return joinText(age, size(row), row.format, row.origin, ...flags(row));
  }
}

/**
 * A job's row after its name. `seen` is false while its cluster does not answer: what it does now is not known. `asked` is true once Flink
 * told of the job's savepoints: before that, none in the ledger does not mean that there is none.
 */
export function jobText(row: JobRow, nowMs: number, seen: boolean, asked = false): string {
  const operation = row.operations.at(-1);
  const latest = row.latestSavepoint;
  if (row.state === "gone" || !seen) return joinText(seen ? "no longer in Flink" : row.state === "gone" ? "not seen" : `${stateWord(row.state)} when last seen`, lastSavepoint(latest, nowMs, asked));
  switch (row.state) {
    case "RUNNING": {
      const starting = row.tasks !== null && row.tasks.running < row.tasks.total;
      const state = starting && row.tasks !== null ? `starting ${row.tasks.running} of ${countText(row.tasks.total, "task")}` : `running ${spanText(nowMs - (row.startTimeMs ?? nowMs))}`;
      const tasks = !starting && row.tasks !== null && countText(row.tasks.total, "task");
      // A side bar is narrow: what one looks for stands before what rarely matters.
      return joinText(operation !== undefined && operationWords[operation.what], state, latest === null ? asked && "no savepoint yet" : `last savepoint ${ageText(latest.requestedAtMs, nowMs)}`, tasks,
        row.restoredFrom !== null && `restored from ${oneLine(savepointName(row.restoredFrom), 60)}`);
    }
    case "FINISHED":
      if (latest?.stop?.job === "stopped") return joinText("finished with savepoint", ended(row, nowMs));
      return joinText(`finished ${ended(row, nowMs)}`.trim(), lastSavepoint(latest, nowMs, asked));
    case "FAILED": case "CANCELED":
      return joinText(`${stateWord(row.state)} ${ended(row, nowMs)}`.trim(), lastSavepoint(latest, nowMs, asked));
    default:
      return joinText(operation !== undefined && operationWords[operation.what], stateWord(row.state), lastSavepoint(latest, nowMs, asked));
  }
}

/** What cleanup did to a savepoint that can still be put back. */
function asideText({ cleanup }: SavepointRecord, nowMs: number): string {
  const untilMs = cleanup?.aside?.untilMs ?? nowMs;
  return joinText(`moved aside by cleanup, ${untilMs > nowMs ? `gone for good in ${spanText(untilMs - nowMs)}` : "gone for good soon"}`, cleanup?.failure !== null && "could not be removed");
}

/** A checkpoint's row after its number. */
export function checkpointText(stats: CheckpointStats, nowMs: number): string {
  const age = ageText(stats.triggeredAtMs, nowMs);
  if (stats.status === "failed") return joinText(age, oneLine(stats.failure ?? "failed", 160));
  if (stats.status === "in-progress") return joinText(`writing ${durationText(Math.max(0, nowMs - stats.triggeredAtMs))}`, `${stats.subtasks.acknowledged} of ${countText(stats.subtasks.total, "task")}`);
  return joinText(age, sizeText(stats.sizeBytes), stats.discarded ? "deleted by Flink" : stats.path === null && "kept in memory only");
}

/** The sentence for a cluster's error. An error names the address of one request; a person knows the cluster's. */
export function clusterSentence(error: FlinkError, cluster: string): string {
  const { message } = explain(error);
  return "url" in error.facts && error.facts.url.startsWith(cluster) ? message.replaceAll(error.facts.url, cluster) : message;
}

/** The sentence for what a warehouse's SQL Gateway could not do, in a row below the warehouse: it has little room, so it does not begin with an address. */
export function gatewaySentence(error: FlinkError): string {
  const { message } = explain(error);
  const url = "gateway" in error.facts ? error.facts.gateway : "url" in error.facts ? error.facts.url : "";
  const named = `he SQL Gateway at ${url}`;
  return url === "" || !message.includes(named) ? message : message.replaceAll(`the SQL Gateway at ${url}`, "its SQL Gateway").replaceAll(`T${named}`, "Its SQL Gateway");
}

/** Why a cluster does not answer, in as few words as a row has room for. */
export function shortReason(error: FlinkError): string {
  if (isFlinkError(error, "cluster-unreachable", "answer-lost")) return reasonText(error.facts.reason);
  if (isFlinkError(error, "tls-failed", "tls-expected")) return "no secure connection";
  if (isFlinkError(error, "unauthorized")) return `credentials not accepted (${error.facts.status})`;
  if (isFlinkError(error, "not-flink")) return error.facts.server === undefined ? "not a Flink REST API" : `not a SQL Gateway's answer (${error.facts.status})`;
  if (isFlinkError(error, "redirected")) return "sends us to another address";
  if (isFlinkError(error, "no-answer")) return `no answer in ${spanText(error.facts.afterMs)}`;
  if (isFlinkError(error, "no-leader")) return "no leading JobManager";
  if (isFlinkError(error, "no-such-route")) return "lacks a function that is needed";
  return "unexpected answer";
}

/** An operation as a thing: `Savepoint of orders`. */
export function operationTitle(operation: { readonly what: keyof typeof operationNames; readonly jobName: string }): string {
  return `${operationNames[operation.what]} of ${oneLine(operation.jobName, 80)}`;
}

const operationNames = { savepoint: "Savepoint", stop: "Stop with savepoint", restore: "Restore", disposal: "Disposal" } as const;
const operationWords = { savepoint: "writing savepoint", stop: "stopping with savepoint", restore: "being restored", disposal: "disposing of a savepoint" } as const;

/** Flink's state as a word of ours. */
export function stateWord(state: JobRow["state"]): string {
  return state === "CANCELED" ? "cancelled" : state.toLowerCase();
}

function ended(row: JobRow, nowMs: number): string {
  return row.endTimeMs === null ? "" : ageText(row.endTimeMs, nowMs);
}

function lastSavepoint(latest: SavepointRecord | null, nowMs: number, asked: boolean): string {
  return latest === null ? (asked ? "no savepoint" : "no savepoint known") : `last good ${oneLine(savepointName(latest), 60)}, ${ageText(latest.requestedAtMs, nowMs)}`;
}

function size(row: SavepointRow): string | null {
  return row.sizeBytes === null ? null : sizeText(row.sizeBytes);
}

function flags(row: SavepointRow): (string | null)[] {
  const { record } = row;
  if (record === null) return [];
  return [
    record.stop?.drain === true ? "drained" : null,
    record.stop?.job === "pending" ? "job is stopping" : record.stop?.job === "failed" ? "job ended failed" : record.stop?.job === "running-on" ? "job not stopped" : null,
    record.cleanup !== undefined && record.cleanup.failure !== null && record.disposal?.state !== "failed" ? "cleanup failed" : null,
    record.disposal?.state === "failed" ? "disposal failed" : record.disposal?.state === "unknown" ? "disposal unknown" : null,
    row.pinned ? "pinned" : null,
  ];
}

function joinNames(...names: readonly string[]): string {
  return names.filter((name) => name !== "").join(" ");
}

/** How many operators a question names before it sums up the rest. */
export const namedOperators = 12;

/** An operator as a question lists it; `states` are names of its states, where they are known. */
export interface ListedOperator {
  readonly id: string;
  readonly name: string | null;
  readonly uid: string | null;
  readonly sizeBytes: number;
  readonly states?: readonly string[] | undefined;
}

/** Names of states for a line: `states count, recent and 3 more`; empty when there are none. */
export function stateNamesText(names: readonly string[] | undefined): string {
  if (names === undefined || names.length === 0) return "";
  const shown = names.slice(0, 3).map((name) => oneLine(name, 30)).join(", ");
  return `${names.length === 1 ? "state" : "states"} ${shown}${names.length > 3 ? ` and ${names.length - 3} more` : ""}`;
}

/** The state in a savepoint as a list for a question, one operator a line, largest first: what a restore that drops state may drop (C-23, safety rule 3). */
export function stateList(operators: readonly ListedOperator[]): string {
  const lines = operators.slice(0, namedOperators).map(({ id, name, uid, sizeBytes, states }) => `• ${joinText(name !== null && oneLine(name, 60), uid === null ? `id ${id}` : `uid “${oneLine(uid, 60)}”`, sizeText(sizeBytes), stateNamesText(states))}`);
  const rest = operators.slice(namedOperators);
  if (rest.length > 0) lines.push(`• ${countText(rest.length, "more operator")} · ${sizeText(rest.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))}`);
  return lines.join("\n");
}
