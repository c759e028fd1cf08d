import { waitingText, type CleanupWaiting } from "../../core/cleanup/waiting";
import { clusterSentence, oneLine, shortReason } from "../../core/rowText";
import { standingLines } from "../../core/paimon/rollback/standing";
import { pairGradeText, pairReasonText, warehouseProblemText } from "../../core/paimon/pairText";
import type { SinkPair } from "../../core/paimon/savepointPairs";
import { endOfInput, type PaimonSnapshot } from "../../core/paimon/snapshot";
import type { JobRow, SavepointRow } from "../../core/rows";
import { durationText, shortId, sizeText, timeText } from "../../core/wording";
import type { TickOutcome } from "../../core/schedule/scheduleState";
import { blackoutAt } from "../../core/schedule/blackout";
import { timeInZone } from "../../core/schedule/zoneTime";
import type { ClusterView } from "../../services/clusters";
import type { ScheduleView } from "../../services/schedules";
import { stateText, type ExplorerNode, type JobPlans } from "./explorerRows";
import type { PaimonNode } from "./paimonRows";

/** A row's tooltip in Markdown. Every text that is not ours is escaped: names and reasons come from strangers. */
export function renderTooltip(node: ExplorerNode): string {
  switch (node.kind) {
    case "cluster": return clusterTooltip(node.view);
    case "job": return jobTooltip(node.row, node.plans);
    case "restored":
      return lines(`**Restored from ${node.from.isSavepoint ? "savepoint" : "checkpoint"} #${node.from.checkpointId}**`, ["When", timeText(node.from.restoredAtMs)], ["Path", node.from.path]);
    case "savepoint": return savepointTooltip(node.row, node.pinnedBy);
    case "schedule": return scheduleTooltip(node.view, node.waiting);
    case "savepoints": return lines("**Savepoints**", "Taken by hand, by a stop, or found in the job's history. Flink forgets them; this list does not.");
    case "checkpoints": return lines("**Checkpoints**", "Taken and deleted by Flink. The last ones it remembers.", ["Timeout", node.config === undefined ? null : durationText(node.config.timeoutMs)]);
    case "checkpoint":
      return lines(`**Checkpoint #${node.stats.checkpointId}**`, ["Triggered", timeText(node.stats.triggeredAtMs)], ["Took", node.stats.durationMs === null ? null : durationText(node.stats.durationMs)], ["Path", node.stats.path], ["Reason", node.stats.failure]);
    case "planned":
      return lines(`**Planned restore of ${escapeMarkdown(node.record.jobName)}**`, node.stopped ? "The job was stopped with a savepoint. Continue starts it from there." : "Continues when the stop with savepoint has ended.",
        ["Asked for", timeText(node.record.requestedAtMs)], ["Jar", node.record.jar.name], ["From", node.record.savepoint?.path ?? null], ["Claim mode", node.record.claimMode]);
    case "damaged": return lines("**A ledger record could not be read**", "It was set aside and not deleted.", ["File", node.file], ["Reason", node.reason]);
    case "message": return lines(escapeMarkdown(node.text), node.detail === "" ? null : escapeMarkdown(node.detail));
    case "more": return "";
    default: return paimonTooltip(node);
  }
}

/** Text that Markdown shows as it is: nothing in it becomes markup, a link or an icon. */
export function escapeMarkdown(text: string): string {
  return oneLine(text, 2_000).replace(/[&<>]/g, (char) => (char === "&" ? "&amp;" : char === "<" ? "&lt;" : "&gt;")).replace(/[!-%'-/:=?@[-`{-~]/g, "\\$&");
}

function clusterTooltip({ profile, reach, removed }: ClusterView): string {
  const head = `**${escapeMarkdown(profile.name)}**`;
  if (removed) return lines(head, "Not in the settings any more; its savepoints are remembered.", ["Address", profile.url]);
  if (reach.state === "offline") return lines(head, escapeMarkdown(clusterSentence(reach.error, profile.url)), ["Address", profile.url], ["Reason", shortReason(reach.error)]);
  if (reach.state !== "online") return lines(head, ["Address", profile.url]);
  const { info } = reach;
  return lines(head, ["Address", profile.url], ["Version", `Flink ${info.version.text}`], ["Kind", kindTexts[info.kind]], ["Savepoint directory", info.savepointDirectory ?? "none configured"], ["Checkpoint directory", info.checkpointDirectory]);
}

const kindTexts = { session: "session cluster", application: "application cluster: it runs one program and takes no jars", history: "history server: it only reads" } as const;

function jobTooltip(job: JobRow, plans: JobPlans | undefined): string {
  const latest = job.latestSavepoint;
  return lines(`**${escapeMarkdown(job.name)}**`, ["State", stateText(job)], ["Job id", job.jobId], ["Started", job.startTimeMs === null ? null : timeText(job.startTimeMs)],
    ["Ended", job.endTimeMs === null || job.state === "gone" ? null : timeText(job.endTimeMs)], ["Tasks", job.tasks === null ? null : `${job.tasks.running} of ${job.tasks.total} running`],
    ["Restored from", job.restoredFrom === null ? null : [job.restoredFrom.checkpointId === null ? null : `#${job.restoredFrom.checkpointId}`, job.restoredFrom.path].filter((part) => part !== null).join(", ")],
    ["Last savepoint", latest === null ? "none known" : `${latest.path ?? ""} (${timeText(latest.requestedAtMs)})`],
    ...(plans?.schedules ?? []).map(({ inForce: { schedule }, meaning, nextMs, waits }): [string, string] => [`Schedule ${schedule.name}`, `${meaning} (${schedule.timeZone}), ${waits ? "waits for your agreement" : !schedule.enabled ? "paused" : nextMs === null ? "no next run" : `next ${timeInZone(nextMs, schedule.timeZone)}`}`]),
    ["Cleanup", plans?.rules ?? null], waitingLine(plans?.waiting ?? null));
}

function waitingLine(waiting: CleanupWaiting | null): string | null {
  return waiting === null ? null : escapeMarkdown(waitingText(waiting, { preview: "Preview Cleanup" }));
}

function scheduleTooltip({ inForce, meaning, nextMs, last, runsHere, waits }: ScheduleView, waiting: CleanupWaiting | null): string {
  const { schedule, file } = inForce;
  const how = waits ? "Came with a file of the workspace, or was changed there, and runs here once you agree to it." : !schedule.enabled ? "Paused." : `Runs while VS Code runs, ${runsHere ? "by this window" : "by another window, or in half a minute by this one"}. An editor is no server: Export Schedule makes one for a server.`;
  return lines(`**Schedule ${escapeMarkdown(schedule.name)}**`, escapeMarkdown(how), ["When", `${meaning} (${schedule.timeZone})`], ["Cron", schedule.cron],
    ["Next", nextMs === null ? null : `${timeInZone(nextMs, schedule.timeZone)}${blackoutAt(nextMs, schedule.timeZone, schedule.blackouts) === undefined ? "" : ", left out: it falls into a blackout"}`],
    ["Last", last === null ? "none yet" : lastText(last, schedule.timeZone)], ["Format", schedule.format], ["Directory", schedule.directory ?? "the cluster's savepoint directory"], ["When busy", schedule.whenBusy === "wait" ? "waits for the other savepoint" : "skips"], ["File", file], waitingLine(waiting));
}

function lastText(last: TickOutcome, timeZone: string): string {
  switch (last.what) {
    case "taken": return `taken, ${timeInZone(last.tickAtMs, timeZone)}`;
    case "skipped": return `skipped, ${timeInZone(last.tickAtMs, timeZone)}: ${last.why}`;
    case "failed": return `failed, ${timeInZone(last.tickAtMs, timeZone)}, after ${last.attempts === 1 ? "1 attempt" : `${last.attempts} attempts`}: ${last.why}`;
    case "missed": return `${last.count === 1 ? `missed, ${timeInZone(last.tickAtMs, timeZone)}` : `${last.count} missed, ${timeInZone(last.tickAtMs, timeZone)} to ${timeInZone(last.lastTickAtMs, timeZone)}`}: nothing ran the schedule then`;
  }
}

function savepointTooltip(row: SavepointRow, pinnedBy: readonly string[]): string {
  const { record } = row;
  return lines(
    `**Savepoint${row.checkpointId === null ? "" : ` #${row.checkpointId}`}**${row.description === "" ? "" : ` ${escapeMarkdown(row.description)}`}`,
    ["Path", row.path], ["Asked for", timeText(row.startedAtMs)], ["Took", row.durationMs === null ? null : durationText(row.durationMs)], ["Size", row.sizeBytes === null ? null : sizeText(row.sizeBytes)],
    ["Format", row.format], ["Origin", originTexts[row.origin]], ["Reason", row.failure], ["Claimed by", row.claimedBy === null ? null : `${row.claimedBy.name} (${shortId(row.claimedBy.jobId)})`],
    ["Started from it", row.restored.length === 0 ? null : row.restored.map((job) => `${job.name} (${shortId(job.jobId)})`).join(", ")],
    ["Stop", record?.stop ? stopTexts[record.stop.job] : null], ["Pinned", record?.pinned !== true ? null : record.pinMarked === true ? "here, and for everything that sees its disk" : "here only: other programs do not know of it"], ["Pinned by others", pinnedBy.length === 0 ? null : `${pinnedBy.join(", ")}. Nothing here removes the savepoint while that is there.`], ["Disposal", disposalText(row)], ["Written by", record === null ? null : `Flink ${record.flinkVersion}`],
    ["Workspace commit", record?.workspace ? `${record.workspace.commit.slice(0, 10)}${record.workspace.branch === null ? "" : ` (${record.workspace.branch})`}${record.workspace.dirty ? ", with changes" : ""}` : null],
    ["Look in", row.state === "unknown" ? (record?.directory ?? "the cluster's savepoint directory") : null], ["Trigger id", record !== null && record.origin !== "found" ? record.id : null],
  );
}

function paimonTooltip(node: PaimonNode): string {
  switch (node.kind) {
    case "paimon": return lines("**Paimon**", "Tables whose state belongs to savepoints. A job that writes them is restored from a savepoint only after they are rolled back to the tags that pair with it.");
    case "warehouse": return lines(`**${escapeMarkdown(node.profile.name)}**`, ["Path", node.profile.path], ["SQL Gateway", node.profile.sqlGateway ?? null]);
    case "rollback": return lines(`**Rollback of ${escapeMarkdown(node.record.jobName)}**`, "It waits to be continued, or is at work in another window.", ...standingLines(node.record).map((line) => escapeMarkdown(line)), ["Asked for", timeText(node.record.requestedAtMs)], ["Back to", node.record.savepoint.path]);
    case "database": return lines(`**Database ${escapeMarkdown(node.name)}**`);
    case "table": return lines(`**${escapeMarkdown(node.summary.table.name)}**`, ["Folder", node.summary.table.home === node.summary.table.name ? null : node.summary.table.home], ["Tags", node.summary.tags?.toLocaleString("en") ?? null], ["Snapshots", node.summary.snapshots?.toLocaleString("en") ?? null]);
    case "branches": return lines("**Branches**", "Copies of the table with tags and snapshots of their own.");
    case "snapshots": return lines("**Snapshots**", "The table's states that have not expired, an hour's or the last ten by default. A tag keeps one for longer.");
    case "tag": {
      const { content, told, problem, name } = node.row;
      if (content === undefined && told !== undefined) return lines(`**Tag ${escapeMarkdown(name)}**`, "Its snapshot has expired, and the SQL Gateway does not tell whose commit it is.", ["Snapshot", String(told.snapshotId)], ["Committed", timeText(told.timeMs)], ["Made", node.row.modifiedMs === null ? null : timeText(node.row.modifiedMs)], ["Kept for", told.retainedMs === null ? "ever, until it is deleted" : durationText(told.retainedMs)]);
      if (content === undefined) return lines(`**Tag ${escapeMarkdown(name)}**`, problem === undefined ? "It was deleted meanwhile." : escapeMarkdown(warehouseProblemText(problem)));
      return lines(`**Tag ${escapeMarkdown(name)}**`, ...snapshotFacts(content.snapshot), ["Made", node.row.modifiedMs === null ? null : timeText(node.row.modifiedMs)], ["Kept for", content.retainedMs === null ? "ever, until it is deleted" : durationText(content.retainedMs)],
        node.owner.kind === "proven" ? ["Pairs with", `#${node.owner.pair.savepoint.checkpointId} at ${node.owner.pair.savepoint.path}`] : null, ["File", node.row.file]);
    }
    case "snapshot": {
      const { content, problem, name } = node.row;
      if (content === undefined) return lines(`**Snapshot ${escapeMarkdown(name)}**`, problem === undefined ? "It expired meanwhile." : escapeMarkdown(warehouseProblemText(problem)));
      return lines(`**Snapshot ${content.id}**`, ...snapshotFacts(content), ["File", node.row.file]);
    }
    case "pair": return pairTooltip(node.pair);
  }
}

function snapshotFacts(snapshot: PaimonSnapshot): readonly (readonly [string, string | null])[] {
  return [
    ["Snapshot", String(snapshot.id)], ["Committed", timeText(snapshot.timeMs)], ["Commit user", snapshot.commitUser], ["Commit identifier", snapshot.commitIdentifier === endOfInput ? "end of the input" : String(snapshot.commitIdentifier)],
    ["Kind", snapshot.commitKind], ["Rows, not merged", snapshot.totalRecordCount === null ? null : snapshot.totalRecordCount.toLocaleString("en")], ["Schema", String(snapshot.schemaId)],
  ];
}

function pairTooltip({ pairing, place, sink, tagsExpireMs, snapshotExpiresMs }: SinkPair): string {
  return lines(`**${escapeMarkdown(pairing.grade)}**: ${escapeMarkdown(pairGradeText(pairing.grade))}`, ...pairing.reasons.map((reason) => escapeMarkdown(pairReasonText(reason))),
    ["Table", place?.table ?? null], ["Warehouse", place?.warehouse ?? null], ["Snapshot", pairing.snapshot === null ? null : `${pairing.snapshot.id}, ${timeText(pairing.snapshot.timeMs)}`],
    ["Tags", pairing.tags.length === 0 ? null : pairing.tags.map(({ name }) => name).join(", ")], ["Tags expire", tagsExpireMs === null ? null : timeText(tagsExpireMs)],
    ["May expire", pairing.tags.length > 0 || snapshotExpiresMs === null ? null : timeText(snapshotExpiresMs)], ["Commit user", sink.commitUser], ["Operator", sink.operatorName ?? sink.operatorId]);
}

const originTexts: Record<SavepointRow["origin"], string> = { manual: "taken by hand", stop: "taken by a stop with savepoint", scheduled: "taken on a schedule", upgrade: "taken for an upgrade", found: "found in the job's history" };
const stopTexts = { pending: "the job is stopping", stopped: "the job stopped", failed: "the job ended FAILED", "running-on": "the job was not stopped", unknown: "what became of the job is not known" } as const;

function disposalText(row: SavepointRow): string | null {
  const disposal = row.record?.disposal;
  if (!disposal) return null;
  const words = { requested: "under way", disposed: "done", failed: "failed", unknown: "outcome unknown" } as const;
  return `${words[disposal.state]}${disposal.endedAtMs === null ? "" : `, ${timeText(disposal.endedAtMs)}`}${disposal.message === null ? "" : `: ${disposal.message}`}`;
}

/** Paragraphs; a pair becomes one line with a name, or nothing when its value is missing. */
function lines(...parts: readonly (string | null | readonly [string, string | null])[]): string {
  const paragraphs: string[] = [];
  let facts: string[] = [];
  for (const part of parts) {
    if (part === null) continue;
    if (typeof part !== "string") {
      if (part[1] !== null && part[1] !== "") facts.push(`${part[0]}: ${escapeMarkdown(part[1])}`);
      continue;
    }
    if (facts.length > 0) paragraphs.push(facts.join("  \n"));
    facts = [];
    paragraphs.push(part);
  }
  if (facts.length > 0) paragraphs.push(facts.join("  \n"));
  return paragraphs.join("\n\n");
}
