import assert from "node:assert/strict";
import * as vscode from "vscode";
import type { RowData } from "../../src/host/views/explorer";
import { enterThrough } from "./asked";
import { test } from "./harness";
import { api, eventually, set } from "./underTest";

const wantedPort = 19470;
let url: string;

const local = async (): Promise<RowData | undefined> => (await (await api()).rows()).find(({ contextValue }) => /\blocal\b/.test(contextValue));
const jobs = async (): Promise<{ id: string; status: string }[]> => ((await (await fetch(`${url}/jobs`)).json()) as { jobs: { id: string; status: string }[] }).jobs;

test("a local Flink starts by Enter, shows in the tree, and is not started twice", async () => {
  await set("localFlink.port", wantedPort);
  await enterThrough("flinkSavepoints.startLocalFlink");
  const row = await eventually("the local Flink's row", local);
  assert.equal(row.label, "Local Flink");
  url = row.id;
  assert.equal((await fetch(`${url}/overview`)).status, 200);
  await enterThrough("flinkSavepoints.startLocalFlink");
  const [first, second] = (await (await api()).rows()).filter(({ contextValue }) => /\blocal\b/.test(contextValue));
  assert.equal(first?.id, url);
  assert.equal(second, undefined);
}, 180_000);

test("the sample job runs once, and a savepoint of it lies in the local Flink's own directory", async () => {
  await vscode.commands.executeCommand("flinkSavepoints.runSampleJob");
  await vscode.commands.executeCommand("flinkSavepoints.runSampleJob", { cluster: url });
  const running = (await jobs()).filter(({ status }) => status === "RUNNING");
  assert.equal(running.length, 1);
  await eventually("a checkpoint", async () => {
    const { counts } = (await (await fetch(`${url}/jobs/${running[0]?.id ?? ""}/checkpoints`)).json()) as { counts: { completed: number } };
    return counts.completed > 0 ? true : undefined;
  }, 30_000);
  await enterThrough("flinkSavepoints.trigger", { cluster: url, jobId: running[0]?.id ?? "" });
  const [folder] = await (await api()).rows(`${url} ${running[0]?.id ?? ""}`);
  const [row] = await (await api()).rows(folder?.id);
  assert.match(row?.description ?? "", / · canonical · manual$/);
}, 90_000);

test("a local Flink with a running job is not stopped without a person's word, and without one it stops at once", async () => {
  await vscode.commands.executeCommand("flinkSavepoints.stopLocalFlink");
  const [job] = (await jobs()).filter(({ status }) => status === "RUNNING");
  assert.ok(job, "stopped without being asked");
  await fetch(`${url}/jobs/${job.id}`, { method: "PATCH" });
  await eventually("the job to end", async () => ((await jobs()).every(({ status }) => status === "CANCELED") ? true : undefined));
  // An answer that was asked for before the job ended tells that it runs.
  await eventually("the window to know", async () => ((await (await api()).rows(url)).every(({ description }) => !/^running/.test(description)) ? true : undefined));
  await vscode.commands.executeCommand("flinkSavepoints.stopLocalFlink");
  assert.equal(await local(), undefined);
  await assert.rejects(fetch(`${url}/overview`));
  await set("localFlink.port", undefined);
}, 60_000);
