import * as vscode from "vscode";
import type { ScheduleRef } from "../../core/contributions";
import { oneLine } from "../../core/rowText";
import { exportSchedule as exported, type ExportKind } from "../../core/schedule/exports";
import { askSchedule } from "./schedules";
import { askInSteps, type Choice } from "./steps";
import type { CommandWorld } from "./world";

const kinds: readonly Choice<ExportKind>[] = [
  { label: "Flink Kubernetes Operator", detail: "FlinkDeployment with the operator's own periodic savepoints, in Quartz's dialect.", value: "operator" },
  { label: "Kubernetes CronJob", detail: "Calls the REST API from a pod, in the schedule's time zone.", value: "cronjob" },
  { label: "crontab", detail: "A line for cron, and the program it runs.", value: "crontab" },
  { label: "GitLab CI", detail: "A job that a pipeline schedule starts, in the schedule's time zone.", value: "gitlab" },
  { label: "GitHub Actions", detail: "A workflow on a schedule, in the schedule's time zone.", value: "github" },
];

/** *Export Schedule*: for a scheduler that runs without an editor, as a text to review. Nothing is applied. */
export async function exportSchedule(world: CommandWorld, target?: ScheduleRef): Promise<void> {
  const found = await askSchedule(world, target, "Export Schedule", "Which schedule is exported?", () => true);
  if (found === undefined) return;
  const kind = await askInSteps(`Export schedule ${oneLine(found.schedule.name, 60)} of ${oneLine(found.schedule.job, 60)}`, 1, (ask) => ask.choose({ placeholder: "What runs it? The text opens in an editor, and nothing is applied.", choices: kinds }));
  if (kind === undefined) return;
  const reach = world.clusters.get(found.cluster)?.reach;
  const { text, language } = exported(kind, { schedule: found.schedule, url: found.cluster, flink: reach?.state === "online" ? [reach.info.version.major, reach.info.version.minor] : null });
  await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ language, content: text }));
}
