import * as fs from "node:fs/promises";
import * as vscode from "vscode";
import type { CommandId } from "../../src/core/contributions";
import type { SavepointRecord } from "../../src/core/ledger/record";
import type { RowData } from "../../src/host/views/explorer";
import type { TestFlink } from "../rig/flink";
import { api, eventually, set } from "./underTest";

/** Runs a command and takes the first entry of every list and the text of every input that it shows, as Enter does. */
export async function enterThrough(command: CommandId, target?: object): Promise<void> {
  let ended = false;
  const running = Promise.resolve(vscode.commands.executeCommand(command, target)).finally(() => (ended = true));
  running.catch(() => undefined);
  while (!ended) {
    await new Promise((resolve) => setTimeout(resolve, 150));
    if (!ended) await vscode.commands.executeCommand("workbench.action.acceptSelectedQuickOpenItem");
  }
  await running;
}

/** Runs a command, answers at most so many questions with Enter, and dismisses what it asks after that until it has ended. */
export async function escapeFrom(command: CommandId, target?: object, enters = 0): Promise<void> {
  let ended = false;
  const running = Promise.resolve(vscode.commands.executeCommand(command, target)).finally(() => (ended = true));
  running.catch(() => undefined);
  for (let left = enters; !ended; left--) {
    await new Promise((resolve) => setTimeout(resolve, 400));
    if (!ended) await vscode.commands.executeCommand(left > 0 ? "workbench.action.acceptSelectedQuickOpenItem" : "workbench.action.closeQuickOpen");
  }
  await running;
}

/** Makes this Flink the only cluster. */
export async function onlyCluster(flink: TestFlink): Promise<void> {
  await set("clusters", [{ name: "orders-prod", url: flink.url }]);
  await eventually("the cluster", async () => ((await (await api()).rows()).some(({ id }) => id === flink.url) ? true : undefined));
}

/** Rows of a job's savepoints, newest first. */
export async function savepointsOf(flink: TestFlink, jobId: string): Promise<readonly RowData[]> {
  const { rows } = await api();
  await rows(flink.url);
  const folder = (await rows(`${flink.url} ${jobId}`)).find(({ label }) => label === "Savepoints");
  return folder === undefined ? [] : (await rows(folder.id)).filter(({ ref }) => ref !== null && "recordId" in ref);
}

/** The ledger's record behind a row, as *Copy as JSON* gives it. */
export async function recordOf(row: RowData | undefined): Promise<SavepointRecord> {
  if (row?.ref === null || row === undefined) throw new Error("there is no such row");
  await vscode.commands.executeCommand("flinkSavepoints.copyJson", row.ref);
  return JSON.parse(await vscode.env.clipboard.readText()) as SavepointRecord;
}

/** Whether a `file:` savepoint is there and whole. */
export async function isThere(path: string | null): Promise<boolean> {
  return path !== null && fs.stat(new URL(`${path.replace(/^file:\/*/, "file:///")}/_metadata`)).then(() => true, () => false);
}

/** Ids of the jobs that have not ended, by Flink's own word. */
export async function runningJobs(flink: TestFlink): Promise<string[]> {
  const { jobs } = await flink.rest<{ jobs: { id: string; status: string }[] }>("GET", "/jobs");
  return jobs.filter(({ status }) => !["FINISHED", "CANCELED", "FAILED"].includes(status)).map(({ id }) => id);
}
