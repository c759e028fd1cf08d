import assert from "node:assert/strict";
import * as vscode from "vscode";
import type { RowData } from "../../src/host/views/explorer";
import { localPins } from "../../src/clients/localPins";
import { startFlink, type TestFlink } from "../rig/flink";
import { recordOf } from "./asked";
import { test } from "./harness";
import { api, eventually, extensionUnderTest, set } from "./underTest";

/** One Flink for all tests of this file; the last one ends it. */
let flink: TestFlink;
let jobId: string;

const rows = async (parent?: string): Promise<readonly RowData[]> => (await api()).rows(parent);
/** Other tests' clusters, which the ledger remembers, stand beside it. */
const cluster = async (url: string): Promise<RowData | undefined> => (await rows()).find(({ id }) => id === url);
const texts = (list: readonly RowData[]): string[] => list.map(({ label, description }) => `${label} | ${description}`.replace(/\d+ (s|min)\b/g, "# $1"));

test("a cluster opens to its jobs, a job to its savepoints and checkpoints", async () => {
  process.chdir(extensionUnderTest().extensionPath);
  flink = await startFlink("1.20.5");
  jobId = await flink.runTestJob({ "checkpoint-interval": "2 s" });
  await flink.waitUntilRunning(jobId);
  const path = await flink.savepoint(jobId);
  await set("clusters", [{ name: "prod", url: `${flink.url}/` }, { name: "down", url: "http://localhost:19395" }]);
  await eventually("both clusters", async () => ((await rows()).filter(({ contextValue }) => contextValue.includes("configured")).length === 2 ? true : undefined));

  const jobs = await rows(flink.url);
  assert.deepEqual(texts(jobs), ["test job | running # s · 5 tasks"]);
  assert.equal((await cluster(flink.url))?.description, "Flink 1.20.5 · 1 job");
  assert.equal((await cluster(flink.url))?.contextValue, "cluster configured online");
  assert.equal(jobs[0]?.contextValue, "job running");
  assert.deepEqual(jobs[0]?.ref, { cluster: flink.url, jobId });

  const folders = await rows(`${flink.url} ${jobId}`);
  assert.deepEqual(folders.map(({ label }) => label), ["Savepoints", "Checkpoints"]);
  const [savepoint] = await rows(folders[0]?.id);
  assert.match(savepoint?.description ?? "", /^\d+ s ago · \d+\.\d kB · canonical · found$/);
  assert.equal(savepoint?.contextValue, "savepoint completed unpinned");
  assert.ok(savepoint?.tooltip.replaceAll("\\", "").includes(path));
  const checkpoints = await eventually("a checkpoint", async () => {
    const list = await rows(folders[1]?.id);
    return list.length > 0 ? list : undefined;
  });
  assert.match(checkpoints[0]?.label ?? "", /^#\d+$/);
}, 60_000);

test("a cluster that does not answer says why in its row and opens to a sentence with a next step", async () => {
  const below = await rows("http://localhost:19395");
  assert.deepEqual(below.map(({ label, command }) => [label, command]), [["Could not reach it: connection refused. Check that the cluster runs and that its address is right.", "flinkSavepoints.editClusters"]]);
  const row = (await rows()).find(({ label }) => label === "down");
  assert.match(row?.description ?? "", /^connection refused · (next try in \d+ s|trying now)$/);
  assert.equal(row?.contextValue, "cluster configured");
});

test("a description and a pin show in the row at once, without Flink", async () => {
  const [folder] = await rows(`${flink.url} ${jobId}`);
  const [before] = await rows(folder?.id);
  assert.ok(before?.ref && "recordId" in before.ref);
  await vscode.commands.executeCommand("flinkSavepoints.pin", { ref: before.ref });
  const [pinned] = await rows(folder?.id);
  assert.equal(pinned?.contextValue, "savepoint completed pinned");
  assert.match(pinned?.description ?? "", / · pinned$/);
  await vscode.commands.executeCommand("flinkSavepoints.unpin", before.ref);
  assert.equal((await rows(folder?.id))[0]?.contextValue, "savepoint completed unpinned");

  // Another ledger's pin shows there, and stays when this one's goes.
  const { path } = await recordOf(before);
  const others = localPins("/var/lib/elsewhere/ledger");
  assert.deepEqual(await others.put(path ?? ""), { marked: true });
  for (const command of ["flinkSavepoints.pin", "flinkSavepoints.unpin", "flinkSavepoints.unpin"]) await vscode.commands.executeCommand(command, before.ref);
  const [marked] = await rows(folder?.id);
  assert.equal(marked?.contextValue, "savepoint completed unpinned marked");
  assert.match(marked?.description ?? "", / · pinned by others$/);
  assert.ok(marked?.tooltip.replaceAll("\\", "").includes("Pinned by others: /"));
  assert.equal((await others.at(path ?? "")).length, 1);
  await others.remove(path ?? "");
  await vscode.commands.executeCommand("flinkSavepoints.unpin", before.ref);
  assert.equal((await rows(folder?.id))[0]?.contextValue, "savepoint completed unpinned");
});

test("the visible tree learns of a new job by itself", async () => {
  await vscode.commands.executeCommand("flinkSavepoints.explorer.focus");
  await set("refresh.intervalSeconds", 1);
  const second = await flink.runTestJob({ "checkpoint-interval": "60 s" });
  await flink.waitUntilRunning(second);
  await vscode.commands.executeCommand("flinkSavepoints.refresh", { ref: { cluster: "a row that had the focus" } });
  // Only the roots are read here, which asks no cluster: what they say was learned by polling.
  await eventually("two jobs in the cluster's row", async () => ((await cluster(flink.url))?.description.endsWith("2 jobs") === true ? true : undefined));
  await set("refresh.intervalSeconds", undefined);
}, 40_000);

test("a job that was stopped, and a cluster that left the settings, stay reachable with their savepoints", async () => {
  await flink.savepoint(jobId, "stop");
  await flink.waitForState(jobId, "FINISHED");
  const job = await eventually("the job to be finished", async () => (await rows(flink.url)).find(({ id, description }) => id === `${flink.url} ${jobId}` && description.startsWith("finished")));
  assert.equal(job.contextValue, "job");
  const savepoints = (await rows(`${flink.url} ${jobId}`)).find(({ label }) => label === "Savepoints");
  assert.equal((await rows(savepoints?.id)).length, 2);

  await flink.stop();
  await set("clusters", undefined);
  const removed = await eventually("the remembered cluster", async () => (await rows()).find(({ id, description }) => id === flink.url && description === "not in the settings any more"));
  assert.equal(removed.id, flink.url);
  const [kept] = await rows(flink.url);
  assert.match(kept?.description ?? "", /^not seen · last good #\d+, /);
  const [folder] = await rows(kept?.id);
  assert.equal((await rows(folder?.id)).length, 2);
}, 60_000);
