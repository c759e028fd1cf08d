import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import * as vscode from "vscode";
import { startFlink, type TestFlink } from "../rig/flink";
import { enterThrough, escapeFrom, isThere, onlyCluster, recordOf, runningJobs, savepointsOf } from "./asked";
import { test } from "./harness";
import { api, eventually, extensionUnderTest, set } from "./underTest";

/** One Flink for all tests of this file; the last one ends it. */
let flink: TestFlink;
let jobId: string;

const job = (): { cluster: string; jobId: string } => ({ cluster: flink.url, jobId });
/** Savepoints that Flink has written, whoever asked for them. */
const written = async (): Promise<number> => (await fs.readdir(flink.savepointDir)).length;

test("a savepoint is triggered by pressing Enter at every question, and lies in the cluster's own directory", async () => {
  process.chdir(extensionUnderTest().extensionPath);
  flink = await startFlink("2.2.1", { port: 19410 });
  jobId = await flink.runTestJob({ "checkpoint-interval": "1 s" });
  await flink.waitUntilRunning(jobId);
  await onlyCluster(flink);
  await eventually("a checkpoint", async () => ((await flink.rest<{ counts: { completed: number } }>("GET", `/jobs/${jobId}/checkpoints`)).counts.completed > 0 ? true : undefined));

  await enterThrough("flinkSavepoints.trigger");
  const rows = await savepointsOf(flink, jobId);
  assert.equal(rows.length, 1);
  const record = await recordOf(rows[0]);
  assert.equal(record.state, "completed");
  assert.equal(record.origin, "manual");
  assert.equal(record.format, "canonical");
  assert.equal(record.directory, null);
  assert.ok(record.path?.includes(flink.savepointDir));
  assert.ok(await isThere(record.path));
  assert.match(rows[0]?.description ?? "", /^\d+ s ago · \d+\.\d kB · canonical · manual$/);
}, 90_000);

test("a question that is dismissed, whichever it is, sends nothing", async () => {
  for (const enters of [0, 1, 2]) {
    await escapeFrom("flinkSavepoints.trigger", job(), enters);
    await escapeFrom("flinkSavepoints.stop", job(), enters);
    await escapeFrom("flinkSavepoints.restore", undefined, enters + 2);
  }
  await escapeFrom("flinkSavepoints.trigger");
  await escapeFrom("flinkSavepoints.startWithoutState");
  assert.equal((await savepointsOf(flink, jobId)).length, 1);
  assert.deepEqual(await runningJobs(flink), [jobId]);
  assert.equal(await written(), 1);
}, 60_000);

test("an argument from a stranger reaches no address that is not configured", async () => {
  for (const argument of [{ cluster: "http://localhost:19499", jobId }, { cluster: 7, jobId: {} }, { cluster: flink.url, jobId: "../../jars" }, { recordId: "../../../etc/passwd" }]) {
    await escapeFrom("flinkSavepoints.trigger", argument);
    await escapeFrom("flinkSavepoints.cancel", argument);
    await escapeFrom("flinkSavepoints.dispose", argument);
  }
  assert.deepEqual(await runningJobs(flink), [jobId]);
  assert.equal((await savepointsOf(flink, jobId)).length, 1);
}, 60_000);

test("a job without a completed checkpoint is not saved unless the person says so", async () => {
  const fresh = await flink.runTestJob({ "checkpoint-interval": "10 min" });
  await flink.waitUntilRunning(fresh);
  // The host of these tests answers no modal question, which is as good as Cancel.
  await enterThrough("flinkSavepoints.trigger", { cluster: flink.url, jobId: fresh });
  await enterThrough("flinkSavepoints.stop", { cluster: flink.url, jobId: fresh });
  assert.equal((await savepointsOf(flink, fresh)).length, 0);
  assert.ok((await runningJobs(flink)).includes(fresh));

  await enterThrough("flinkSavepoints.cancel", { cluster: flink.url, jobId: fresh });
  assert.ok((await runningJobs(flink)).includes(fresh), "cancelled without being asked");
  await flink.rest("PATCH", `/jobs/${fresh}`);
  await flink.waitForState(fresh, "CANCELED");
}, 60_000);

test("cancelling the cluster's job is asked for even when a savepoint is there", async () => {
  await enterThrough("flinkSavepoints.cancel", job());
  assert.deepEqual(await runningJobs(flink), [jobId]);
});

test("a stop by Enter is without drain, ends the job, and a second one is refused", async () => {
  await enterThrough("flinkSavepoints.stop", job());
  await flink.waitForState(jobId, "FINISHED");
  const [newest, second] = await savepointsOf(flink, jobId);
  const record = await recordOf(newest);
  assert.deepEqual(record.stop, { drain: false, job: "stopped" });
  assert.ok(await isThere(record.path));
  assert.ok(second);

  await enterThrough("flinkSavepoints.stop", job());
  await enterThrough("flinkSavepoints.trigger", job());
  await enterThrough("flinkSavepoints.cancel", job());
  assert.equal((await savepointsOf(flink, jobId)).length, 2);
}, 60_000);

test("verbs say that there is no cluster, and end", async () => {
  await flink.stop();
  await set("clusters", undefined);
  await eventually("no configured cluster", async () => ((await (await api()).rows()).every(({ contextValue }) => !contextValue.includes("configured")) ? true : undefined));
  for (const command of ["flinkSavepoints.trigger", "flinkSavepoints.stop", "flinkSavepoints.cancel", "flinkSavepoints.startWithoutState", "flinkSavepoints.runSampleJob", "flinkSavepoints.continueRestore", "flinkSavepoints.dropRestore"]) {
    await vscode.commands.executeCommand(command);
  }
}, 60_000);
