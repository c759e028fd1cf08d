import type { FlinkError } from "../../core/errors";
import { explain } from "../../core/explain";
import type { CleanupWaiting } from "../../core/cleanup/waiting";
import type { CheckpointRef, ContextWord } from "../../core/contributions";
import { isBeingCleanedUp, liesAside, type RestoreRecord } from "../../core/ledger/record";
import type { CheckpointConfig, CheckpointStats, RestoredFrom } from "../../core/model/checkpoint";
import type { JobRef } from "../../core/model/job";
import { checkpointText, clusterSentence, joinText, jobText, oneLine, savepointText, savepointTitle, shortReason, stateWord } from "../../core/rowText";
import type { JobRow, SavepointRow } from "../../core/rows";
import type { TickOutcome } from "../../core/schedule/scheduleState";
import { ageText, countText, sizeText, spanText } from "../../core/wording";
import type { ClusterView } from "../../services/clusters";
import { pairsFlag } from "../../core/paimon/pairText";
import { renderPaimonRow, type PaimonNode } from "./paimonRows";
import type { ScheduleView } from "../../services/schedules";
import { row, type Row, type RowCommand } from "./row";

/** Everything the explorer shows. An `id` names the same thing for ever and is made of its parents' ids, see `nodeId`. */
export type ExplorerNode =
  | { readonly kind: "cluster"; readonly id: string; readonly view: ClusterView; readonly open: boolean }
  | { readonly kind: "job"; readonly id: string; readonly row: JobRow; readonly seen: boolean; readonly asked: boolean; readonly plans?: JobPlans }
  | { readonly kind: "restored"; readonly id: string; readonly from: RestoredFrom }
  | { readonly kind: "schedule"; readonly id: string; readonly view: ScheduleView; readonly waiting: CleanupWaiting | null }
  | { readonly kind: "savepoints"; readonly id: string; readonly job: JobRef; readonly rows: readonly SavepointRow[]; readonly expectedMs: number | null }
  | { readonly kind: "savepoint"; readonly id: string; readonly row: SavepointRow; readonly expectedMs: number | null; readonly pairs: readonly Extract<PaimonNode, { kind: "pair" }>[]; readonly pinnedBy: readonly string[] }
  | { readonly kind: "checkpoints"; readonly id: string; readonly job: JobRef; readonly stats: readonly CheckpointStats[]; readonly config: CheckpointConfig | undefined; readonly asked: boolean }
  | { readonly kind: "checkpoint"; readonly id: string; readonly job: JobRef; readonly stats: CheckpointStats }
  | { readonly kind: "planned"; readonly id: string; readonly record: RestoreRecord; readonly stopped: boolean }
  | { readonly kind: "damaged"; readonly id: string; readonly file: string; readonly reason: string }
  | { readonly kind: "message"; readonly id: string; readonly text: string; readonly detail: string; readonly tone: "quiet" | "busy" | "warning"; readonly click: RowCommand | null }
  | { readonly kind: "more"; readonly id: string; readonly listId: string; readonly step: number; readonly left: number; readonly noun: string }
  | PaimonNode;

/** What takes savepoints of a job by itself, and removes them. */
export interface JobPlans {
  readonly schedules: readonly ScheduleView[];
  /** The cleanup rules in words; null when there are none. */
  readonly rules: string | null;
  /** What the rules would have taken by themselves, and why it waits. */
  readonly waiting: CleanupWaiting | null;
}

/** Ids of rows: the way down from the cluster, joined by blanks, which no part contains. */
export const nodeId = {
  cluster: (cluster: string): string => cluster,
  job: (job: JobRef): string => `${job.cluster} ${job.jobId}`,
  savepoints: (job: JobRef): string => `${job.cluster} ${job.jobId} savepoints`,
  schedule: (job: JobRef, key: string): string => `${job.cluster} ${job.jobId} schedule-${encodeURIComponent(key)}`,
  savepoint: (job: JobRef, recordId: string): string => `${job.cluster} ${job.jobId} savepoints ${recordId}`,
  checkpoints: (job: JobRef): string => `${job.cluster} ${job.jobId} checkpoints`,
  /** The ids of the rows above, from the cluster down, and the row's own. */
  path: (id: string): string[] => id.split(" ").map((_part, index, parts) => parts.slice(0, index + 1).join(" ")),
};

/** The rows below *Checkpoints*: one for each that Flink still keeps or that failed, and one for all that it has discarded: nothing can be done with those. */
export function checkpointNodes(parentId: string, job: JobRef, stats: readonly CheckpointStats[]): ExplorerNode[] {
  const there = stats.filter((entry) => !entry.discarded);
  const discarded = stats.length - there.length;
  const nodes: ExplorerNode[] = there.map((entry) => ({ kind: "checkpoint", id: `${parentId} ${entry.checkpointId}`, job, stats: entry }));
  if (discarded > 0) nodes.push({ kind: "message", id: `${parentId} discarded`, text: `${discarded} ${there.length === 0 ? "" : "older, "}discarded by Flink`, detail: "Flink keeps the newest only, and deletes the files of the others. Nothing can be restored from those.", tone: "quiet", click: null });
  return nodes;
}

/** How a node looks at a moment. Pure: the same node and time give the same row. */
export function renderRow(node: ExplorerNode, nowMs: number): Row {
  switch (node.kind) {
    case "cluster": return clusterRow(node.view, node.open, nowMs);
    case "job": return jobRow(node.row, node.seen, node.asked, nowMs);
    case "restored": return restoredRow(node.from, nowMs);
    case "schedule": return scheduleRow(node.view, node.waiting, nowMs);
    case "savepoints": return savepointsRow(node.rows);
    case "savepoint": return savepointRow(node, nowMs);
    case "checkpoints": return checkpointsRow(node.stats, node.config, node.asked, nowMs);
    case "checkpoint": return checkpointRow(node.job, node.stats, nowMs);
    case "planned": return plannedRow(node.record, node.stopped);
    case "damaged": return row(`Ledger record set aside: ${fileName(node.file)}`, oneLine(node.reason, 120), { icon: warningIcon, click: { command: "flinkSavepoints.showLog", title: "Show Log", args: [] } });
    case "message": return row(node.text, "", { icon: messageIcons[node.tone], click: node.click });
    case "more": return row(`Show ${Math.min(node.step, node.left).toLocaleString("en")} more`, `${node.left.toLocaleString("en")} ${node.noun}`, { icon: { id: "ellipsis" }, click: { command: "flinkSavepoints.showMore", title: "Show More", args: [{ nodeId: node.listId }] } });
    default: return renderPaimonRow(node, nowMs);
  }
}

const green = "testing.iconPassed";
const red = "testing.iconFailed";
const yellow = "problemsWarningIcon.foreground";
const grey = "disabledForeground";
const warningIcon = { id: "warning", color: yellow };
const messageIcons = { quiet: { id: "info", color: grey }, busy: { id: "loading~spin" }, warning: warningIcon } as const;

function clusterRow(view: ClusterView, open: boolean, nowMs: number): Row {
  const { profile, reach, removed } = view;
  const words: ContextWord[] = ["cluster"];
  if (profile.local === true) words.push("local");
  else if (!removed) words.push("configured");
  if (reach.state === "online") words.push("online");
  const state = clusterState(view, nowMs);
  return row(oneLine(profile.name, 80), state.text, {
    icon: state.icon, words, ref: { cluster: profile.url }, children: open ? "open" : "closed", noun: "Flink cluster",
  });
}

function clusterState({ reach, jobs, removed }: ClusterView, nowMs: number): { readonly text: string; readonly icon: NonNullable<Row["icon"]> } {
  if (removed) return { text: "not in the settings any more", icon: { id: "archive", color: grey } };
  switch (reach.state) {
    case "unasked": case "connecting":
      return { text: "connecting", icon: { id: "loading~spin" } };
    case "online": {
      const { info } = reach;
      const kind = info.kind === "application" ? "application" : info.kind === "history" ? "history server" : null;
      return { text: joinText(`Flink ${oneLine(info.version.text, 40)}`, kind, countText(jobs.length, "job")), icon: { id: info.kind === "history" ? "history" : "vm-active", color: green } };
    }
    case "offline": {
      const waitMs = reach.nextTryAtMs === null ? null : reach.nextTryAtMs - nowMs;
      return { text: joinText(shortReason(reach.error), waitMs !== null && (waitMs > 0 ? `next try in ${spanText(waitMs + 999)}` : "trying now")), icon: { id: "debug-disconnect", color: yellow } };
    }
  }
}

function jobRow(job: JobRow, seen: boolean, asked: boolean, nowMs: number): Row {
  const words: ContextWord[] = ["job", ...(job.state === "RUNNING" && seen ? (["running"] as const) : [])];
  return row(oneLine(job.name, 120), jobText(job, nowMs, seen, asked), { icon: jobIcon(job, seen), words, ref: { cluster: job.cluster, jobId: job.jobId }, children: "closed", noun: "job" });
}

function jobIcon(job: JobRow, seen: boolean): NonNullable<Row["icon"]> {
  if (job.state === "gone" || !seen) return { id: "circle-outline", color: grey };
  switch (job.state) {
    case "RUNNING": return job.tasks !== null && job.tasks.running < job.tasks.total ? { id: "loading~spin" } : { id: "play", color: green };
    case "FINISHED": return { id: "debug-stop", color: grey };
    case "FAILED": return { id: "error", color: red };
    case "CANCELED": return { id: "circle-slash", color: grey };
    case "RESTARTING": case "FAILING": return { id: "sync", color: yellow };
    case "SUSPENDED": return { id: "debug-pause", color: yellow };
    default: return { id: "loading~spin" };
  }
}

function restoredRow(from: RestoredFrom, nowMs: number): Row {
  return row(`restored from #${from.checkpointId}`, joinText(ageText(from.restoredAtMs, nowMs), from.isSavepoint ? "savepoint" : "checkpoint"), { icon: { id: "debug-restart", color: grey } });
}

// A folder can always be opened: VS Code does not open a row that begins to have children.
function scheduleRow({ inForce, nextMs, last, waits }: ScheduleView, waiting: CleanupWaiting | null, nowMs: number): Row {
  const { schedule } = inForce;
  const troubled = last !== null && (last.what === "failed" || last.what === "missed");
  const icon = waits ? { id: "question", color: "notificationsWarningIcon.foreground" } : !schedule.enabled ? { id: "debug-pause", color: grey } : troubled || waiting !== null ? warningIcon : { id: "calendar" };
  const words: ContextWord[] = ["schedule", schedule.enabled ? "active" : "paused", ...(waits ? (["waiting"] as const) : [])];
  return row(`Schedule ${oneLine(schedule.name, 80)}`, joinText(waits ? "waits for your agreement" : schedule.enabled ? nextMs !== null && `next in ${spanText(Math.max(0, nextMs - nowMs))}` : "paused", last !== null && outcomeText(last, nowMs), waiting !== null && `cleanup waits, ${spanText(Math.max(0, nowMs - waiting.sinceMs))}`), {
    icon, words, ref: { scheduleKey: inForce.key }, click: { command: "flinkSavepoints.openSchedules", title: "Open Schedules", args: [{ scheduleKey: inForce.key }] },
  });
}

function outcomeText(last: TickOutcome, nowMs: number): string {
  const words = { taken: "last taken", skipped: "last skipped", failed: "last failed", missed: last.what === "missed" && last.count > 1 ? `last ${last.count} missed` : "last missed" } as const;
  return `${words[last.what]} ${ageText(last.what === "missed" ? last.lastTickAtMs : last.tickAtMs, nowMs)}`;
}

function savepointsRow(rows: readonly SavepointRow[]): Row {
  const aside = rows.filter(({ record }) => record !== null && isBeingCleanedUp(record)).length;
  const failed = rows.filter(({ record }) => record?.cleanup !== undefined && record.cleanup.failure !== null && record.disposal?.state !== "disposed").length;
  const usable = rows.filter(({ state, record }) => state === "completed" && (record === null || !liesAside(record)));
  const bytes = usable.reduce((sum, savepoint) => sum + (savepoint.sizeBytes ?? 0), 0);
  const text = rows.length === 0 ? "none yet" : usable.length === 0 ? "none usable" : joinText(usable.length.toLocaleString("en"), bytes > 0 && sizeText(bytes), aside > 0 && `${aside} moved aside by cleanup`, failed > 0 && `${failed} not removed`);
  return row("Savepoints", text, { icon: { id: "save-all" }, children: "open" });
}

function savepointRow({ row: savepoint, expectedMs, pairs, pinnedBy }: Extract<ExplorerNode, { kind: "savepoint" }>, nowMs: number): Row {
  const { record } = savepoint;
  const words: ContextWord[] = [];
  if (record !== null) {
    words.push("savepoint");
    if (savepoint.state === "completed" && !liesAside(record)) words.push("completed", savepoint.pinned ? "pinned" : "unpinned", ...(pinnedBy.length > 0 ? (["marked"] as const) : []));
    else if (savepoint.state === "unknown") words.push("unknown");
  }
  return row(savepointTitle(savepoint), joinText(savepointText(savepoint, nowMs, expectedMs), pinnedBy.length > 0 && (savepoint.pinned ? "also by others" : "pinned by others"), pairsFlag(pairs.map(({ pair }) => pair), pairs[0]?.job)), {
    children: pairs.length > 0 ? "closed" : "none",
    icon: savepointIcon(savepoint), words, ref: record === null ? null : { recordId: record.id }, noun: `savepoint, ${record !== null && savepoint.state === "completed" && liesAside(record) ? "moved aside" : savepoint.claimedBy !== null && savepoint.state === "completed" ? "claimed" : savepoint.state}`,
    click: savepoint.state === "unknown" && record !== null ? { command: "flinkSavepoints.adopt", title: "Look for It", args: [{ recordId: record.id }] }
      : savepoint.path !== null && record !== null ? { command: "flinkSavepoints.clickRow", title: "Inspect on Double Click", args: [{ recordId: record.id }] } : null,
  });
}

function savepointIcon(savepoint: SavepointRow): NonNullable<Row["icon"]> {
  switch (savepoint.state) {
    case "requested": case "running": case "disposing": return { id: "loading~spin" };
    case "failed": return { id: "error", color: red };
    case "unknown": return { id: "question", color: yellow };
    case "disposed": return { id: "trash", color: grey };
    case "completed":
      if (savepoint.record !== null && liesAside(savepoint.record)) return { id: "archive", color: grey };
      if (savepoint.claimedBy !== null) return { id: "circle-slash", color: grey };
      return savepoint.record?.stop?.job === "failed" || savepoint.record?.stop?.job === "running-on" ? { id: "pass", color: yellow } : { id: "pass", color: green };
  }
}

function checkpointsRow(stats: readonly CheckpointStats[], config: CheckpointConfig | undefined, asked: boolean, nowMs: number): Row {
  const last = stats.find((entry) => entry.status === "completed");
  const pace = config === undefined ? null : config.intervalMs === null ? "not periodic" : `every ${spanText(config.intervalMs)}`;
  const text = !asked ? "asking Flink" : joinText(last === undefined ? "none completed yet" : `last ${ageText(last.triggeredAtMs, nowMs)}`, last !== undefined && sizeText(last.sizeBytes), pace);
  return row("Checkpoints", text, { icon: { id: "history" }, children: "closed" });
}

function checkpointRow(job: JobRef, stats: CheckpointStats, nowMs: number): Row {
  const usable = stats.status === "completed" && stats.path !== null && !stats.discarded;
  const ref: CheckpointRef | null = stats.path === null ? null : { ...job, path: stats.path, checkpointId: stats.checkpointId };
  const words: ContextWord[] = ref === null ? [] : usable ? ["checkpoint", "completed"] : ["checkpoint"];
  const icon = stats.status === "failed" ? { id: "error", color: red } : stats.status === "in-progress" ? { id: "loading~spin" } : stats.discarded ? { id: "circle-outline", color: grey } : { id: "pass", color: green };
  const click: RowCommand | null = usable && ref !== null ? { command: "flinkSavepoints.clickRow", title: "Inspect on Double Click", args: [ref] } : null;
  return row(`#${stats.checkpointId}`, checkpointText(stats, nowMs), { icon, words, ref, click, noun: "checkpoint" });
}

function plannedRow(record: RestoreRecord, stopped: boolean): Row {
  const from = record.savepoint?.checkpointId;
  return row(`restore of ${oneLine(record.jobName, 80)}`, joinText(stopped ? "stopped with its savepoint" : "waits for its stop with savepoint", from !== undefined && from !== null && `from #${from}`), {
    icon: { id: "debug-continue", color: yellow }, words: ["restorePlanned"], ref: { restoreId: record.id }, noun: "planned",
  });
}

/** The sentence for a cluster's or a job's failure, and what a click on it does. */
export function failureNode(id: string, error: FlinkError, cluster: string): Extract<ExplorerNode, { kind: "message" }> {
  const { message, action } = explain(error);
  // The row stands below its cluster and has little room, so it begins with what matters and not with the address.
  const named = "url" in error.facts && error.facts.url.startsWith(cluster) && error.code !== "no-such-route" && error.code !== "reply-too-large";
  const text = named ? capital(message.replaceAll(error.facts.url, "it")) : clusterSentence(error, cluster);
  const again: RowCommand = { command: "flinkSavepoints.reconnect", title: "Try Again", args: [{ cluster }] };
  const click: RowCommand = action?.command === "flinkSavepoints.setCredentials" ? { command: action.command, title: action.title, args: [{ cluster }] }
    : action?.command === "flinkSavepoints.editClusters" || action?.command === "flinkSavepoints.showLog" ? { command: action.command, title: action.title, args: [] }
      : again;
  return { kind: "message", id, text, detail: `Click: ${click.title}.`, tone: "warning", click };
}

/** Spoken form of a job's state for tooltips. */
export function stateText(job: JobRow): string {
  return job.state === "gone" ? "Flink no longer lists it" : stateWord(job.state);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function fileName(file: string): string {
  return file.split(/[\\/]/).at(-1) ?? file;
}
