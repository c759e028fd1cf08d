import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { startFlink, type TestFlink } from "../rig/flink";
import { enterThrough, isThere, onlyCluster, recordOf, runningJobs, savepointsOf } from "./asked";
import { test } from "./harness";
import { extensionUnderTest, set } from "./underTest";

let flink: TestFlink;
let jobId: string;
let stopped: string;

const restoredFrom = async (id: string): Promise<string | undefined> => (await flink.rest<{ latest: { restored: { external_path: string } | null } }>("GET", `/jobs/${id}/checkpoints`)).latest.restored?.external_path;

test("a stopped job is restored from its savepoint's row by pressing Enter at every question", async () => {
  process.chdir(extensionUnderTest().extensionPath);
  flink = await startFlink("1.20.5", { extraConfig: { "web.refresh-interval": "200" } });
  jobId = await flink.runTestJob({ "checkpoint-interval": "1 s" });
  await flink.waitUntilRunning(jobId);
  stopped = await flink.savepoint(jobId, "stop");
  await flink.waitForState(jobId, "FINISHED");
  await onlyCluster(flink);

  const [row] = await savepointsOf(flink, jobId);
  assert.equal((await recordOf(row)).path, stopped);
  await enterThrough("flinkSavepoints.restore", row?.ref ?? undefined);
  const running = await runningJobs(flink);
  assert.equal(running.length, 1);
  assert.notEqual(running[0], jobId);
  assert.equal(await restoredFrom(running[0] ?? ""), stopped);
}, 90_000);

test("while the job runs, Enter at every question takes it on from where it stops, and loses nothing", async () => {
  const [before] = await runningJobs(flink);
  assert.ok(before);
  const [row] = await savepointsOf(flink, jobId);
  await enterThrough("flinkSavepoints.restore", row?.ref ?? undefined);
  const running = await runningJobs(flink);
  assert.equal(running.length, 1);
  assert.notEqual(running[0], before);
  const [own] = await savepointsOf(flink, before);
  const record = await recordOf(own);
  assert.equal(record.origin, "stop");
  assert.notEqual(record.path, stopped);
  assert.equal(await restoredFrom(running[0] ?? ""), record.path);
  assert.ok(await isThere(stopped) && await isThere(record.path), "with NO_CLAIM both savepoints stay");
}, 60_000);

test("a checkpoint's row restores too, and a savepoint that was damaged since starts nothing", async () => {
  for (const id of await runningJobs(flink)) await flink.savepoint(id, "stop");
  const copy = `${flink.savepointDir}/savepoint-${jobId.slice(0, 6)}-0123456789ab`;
  const damaged = `${flink.savepointDir}/savepoint-${jobId.slice(0, 6)}-ba9876543210`;
  for (const folder of [copy, damaged]) await fs.cp(stopped.replace(/^file:/, ""), folder, { recursive: true });
  await enterThrough("flinkSavepoints.restore", { cluster: flink.url, jobId, path: `file:${copy}`, checkpointId: 7 });
  const [running] = await runningJobs(flink);
  assert.ok(running);
  assert.equal(await restoredFrom(running), `file:${copy}`);
  await flink.rest("PATCH", `/jobs/${running}`);
  await flink.waitForState(running, "CANCELED");

  await fs.truncate(`${damaged}/_metadata`, 10);
  const failed = async (): Promise<number> => (await flink.rest<{ jobs: { status: string }[] }>("GET", "/jobs")).jobs.filter(({ status }) => status === "FAILED").length;
  const before = await failed();
  await enterThrough("flinkSavepoints.restore", { cluster: flink.url, jobId, path: `file:${damaged}`, checkpointId: 7 });
  assert.equal(await failed(), before + 1, "Flink was asked, and refused");
  await enterThrough("flinkSavepoints.restore", { cluster: flink.url, jobId, path: "savepoints/relative", checkpointId: 7 });
  await enterThrough("flinkSavepoints.restore", { cluster: flink.url, jobId, path: "", checkpointId: 7 });
  assert.deepEqual(await runningJobs(flink), []);
}, 90_000);

test("a job is not started without state unless the person says so", async () => {
  await enterThrough("flinkSavepoints.startWithoutState", { cluster: flink.url });
  await enterThrough("flinkSavepoints.startWithoutState");
  assert.deepEqual(await runningJobs(flink), []);
}, 40_000);

test("Flink ends", async () => {
  await flink.stop();
  await set("clusters", undefined);
});
