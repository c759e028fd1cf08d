import * as vscode from "vscode";
import type { ClusterRef } from "../../core/contributions";
import { FlinkError } from "../../core/errors";
import { normaliseClusterUrl } from "../../core/model/cluster";
import { isTerminal, type JobRef } from "../../core/model/job";
import { operationTitle } from "../../core/rowText";
import type { Operation } from "../../core/ledger/queries";
import { durationText } from "../../core/wording";
import { nodeId } from "../views/explorerRows";
import { clusterName, jobSummary, pickCluster } from "./pick";
import { askInSteps } from "./steps";
import type { CommandWorld } from "./world";

/** *Refresh*: looks again at everything visible. */
export function refresh(world: CommandWorld): void {
  world.explorer.refresh();
}

/** *Show Log*: opens the output channel. */
export function showLog(world: CommandWorld): void {
  world.log.show();
}

/** *Show More*: lengthens a list. */
export function showMore(world: CommandWorld, target?: { readonly nodeId: string }): void {
  if (target !== undefined) world.explorer.showMore(target.nodeId);
}

/** *Show Running Operations*: goes to the row of the one that is chosen; a single one is gone to at once. */
export async function showOperations(world: CommandWorld): Promise<void> {
  const operations = await world.jobs.operations();
  const [only, second] = operations;
  if (only === undefined) return world.notify.done("No savepoint, stop, restore or disposal is under way.");
  const now = world.clock.now();
  const chosen = second === undefined ? only : await askInSteps("Running operations", 1, (ask) => ask.choose({
    placeholder: "Go to", choices: operations.map((operation) => ({ label: operationTitle(operation), description: `${durationText(Math.max(0, now - operation.sinceMs))} · ${clusterName(world, operation.cluster)}`, value: operation })),
  }));
  if (chosen !== undefined && !(await world.explorer.reveal(rowOf(chosen)))) await world.explorer.reveal(chosen.cluster);
}

/** *Open in Web UI*: the job's page in Flink's own web interface, or the cluster's. */
export async function openWebUi(world: CommandWorld, target?: JobRef | ClusterRef): Promise<void> {
  const about = target ?? (await askCluster(world));
  if (about === undefined) return;
  // An address may come from a keybinding, or from a ledger that somebody edited; the editor opens files and programs as well.
  if (normaliseClusterUrl(about.cluster) === undefined) throw new FlinkError("cluster-unknown", { cluster: about.cluster });
  const page = isJob(about) ? jobPage(world, about) : "#/overview";
  await vscode.env.openExternal(vscode.Uri.parse(`${about.cluster}/${page}`, true));
}

async function askCluster(world: CommandWorld): Promise<ClusterRef | undefined> {
  const cluster = await askInSteps("Open in Web UI", 1, (ask) => pickCluster(ask, world, "Which cluster's web UI is opened?"));
  return cluster === undefined ? undefined : { cluster };
}

function isJob(target: JobRef | ClusterRef): target is JobRef {
  return "jobId" in target;
}

/** Flink's web UI has running and ended jobs at different addresses. */
function jobPage(world: CommandWorld, job: JobRef): string {
  const summary = jobSummary(world, job);
  return `#/job/${summary !== undefined && isTerminal(summary.state) ? "completed" : "running"}/${job.jobId}/overview`;
}

function rowOf(operation: Operation): string {
  return operation.what === "restore" ? nodeId.job(operation) : nodeId.savepoint(operation, operation.recordId);
}
