import assert from "node:assert/strict";
import * as vscode from "vscode";
import { startFlink, type TestFlink } from "../rig/flink";
import { enterThrough, isThere, onlyCluster, recordOf, savepointsOf } from "./asked";
import { test } from "./harness";
import { extensionUnderTest, set } from "./underTest";

let flink: TestFlink;
let jobId: string;

test("no savepoint is disposed of, and none forgotten, without a person's word", async () => {
  process.chdir(extensionUnderTest().extensionPath);
  flink = await startFlink("2.2.1", { port: 19420 });
  jobId = await flink.runTestJob({ "checkpoint-interval": "1 s" });
  await flink.waitUntilRunning(jobId);
  await flink.savepoint(jobId);
  await flink.savepoint(jobId);
  await onlyCluster(flink);

  const rows = await savepointsOf(flink, jobId);
  assert.equal(rows.length, 2);
  // The host of these tests answers no modal question, which is as good as Cancel.
  for (const row of rows) {
    await enterThrough("flinkSavepoints.dispose", row.ref ?? undefined);
    await enterThrough("flinkSavepoints.forget", row.ref ?? undefined);
  }
  await enterThrough("flinkSavepoints.dispose");
  await enterThrough("flinkSavepoints.forget");
  for (const row of await savepointsOf(flink, jobId)) {
    const record = await recordOf(row);
    assert.equal(record.disposal, null);
    assert.equal(record.forgotten, false);
    assert.ok(await isThere(record.path));
  }
  assert.equal((await savepointsOf(flink, jobId)).length, 2);
}, 90_000);

test("a pinned savepoint, and one that a running job was restored from, are refused before anything is asked", async () => {
  const [newest, oldest] = await savepointsOf(flink, jobId);
  await vscode.commands.executeCommand("flinkSavepoints.pin", newest?.ref);
  await vscode.commands.executeCommand("flinkSavepoints.dispose", newest?.ref);
  assert.equal((await recordOf(newest)).pinned, true);

  const source = await recordOf(oldest);
  const second = await flink.runTestJob({ "checkpoint-interval": "10 min" }, { savepointPath: source.path ?? "" });
  await flink.waitUntilRunning(second);
  await vscode.commands.executeCommand("flinkSavepoints.dispose", oldest?.ref);
  for (const row of [newest, oldest]) {
    const record = await recordOf(row);
    assert.equal(record.disposal, null);
    assert.ok(await isThere(record.path));
  }
}, 60_000);

test("Flink ends", async () => {
  await flink.stop();
  await set("clusters", undefined);
});
