import assert from "node:assert/strict";
import * as vscode from "vscode";
import { startFlink, type TestFlink } from "../rig/flink";
import { enterThrough, onlyCluster, recordOf, savepointsOf } from "./asked";
import { test } from "./harness";
import { eventually, extensionUnderTest, set } from "./underTest";

let flink: TestFlink;
let jobId: string;

/** What a command puts on the clipboard; "nothing" when it leaves it alone. */
async function copied(command: "copyPath" | "copyTriggerId" | "copyCli", target?: object): Promise<string> {
  await vscode.env.clipboard.writeText("nothing");
  await enterThrough(`flinkSavepoints.${command}`, target);
  return vscode.env.clipboard.readText();
}

test("path, trigger id and record of a savepoint are copied as Flink knows them", async () => {
  process.chdir(extensionUnderTest().extensionPath);
  flink = await startFlink("1.20.5");
  jobId = await flink.runTestJob({ "checkpoint-interval": "1 s" });
  await flink.waitUntilRunning(jobId);
  await onlyCluster(flink);
  await eventually("a checkpoint", async () => ((await flink.rest<{ counts: { completed: number } }>("GET", `/jobs/${jobId}/checkpoints`)).counts.completed > 0 ? true : undefined));
  await enterThrough("flinkSavepoints.trigger", { cluster: flink.url, jobId });
  const [row] = await savepointsOf(flink, jobId);
  const record = await recordOf(row);

  assert.equal(await copied("copyPath", row?.ref ?? undefined), record.path);
  assert.equal(await copied("copyPath"), record.path, "the palette asks, and the newest comes first");
  const triggerId = await copied("copyTriggerId", row?.ref ?? undefined);
  const known = await flink.rest<{ operation: { location: string } }>("GET", `/jobs/${jobId}/savepoints/${triggerId}`);
  assert.equal(known.operation.location, record.path);
  assert.equal(await copied("copyPath", { cluster: flink.url, jobId, path: "file:/cp/chk-3", checkpointId: 3 }), "file:/cp/chk-3");
}, 90_000);

test("the CLI line of each verb is one that this version's own command line accepts", async () => {
  const trigger = await copied("copyCli", { cluster: flink.url, jobId });
  assert.equal(trigger, `flink savepoint -type canonical -detached -m localhost:${new URL(flink.url).port} ${jobId}`);
  const { exitCode, stdout } = await flink.cli(...trigger.split(" ").slice(1));
  assert.equal(exitCode, 0, stdout);
  assert.match(stdout, /triggerId: [0-9a-f]{32}/);

  const [row] = await savepointsOf(flink, jobId);
  const { path } = await recordOf(row);
  assert.equal(await copied("copyCli", row?.ref ?? undefined), `flink run -d -m localhost:${new URL(flink.url).port} -s ${path ?? ""} -claimMode NO_CLAIM job.jar`);
  assert.equal(await copied("copyCli", { cluster: flink.url, jobId, path: "s3://b/chk 1", checkpointId: 1 }), `flink run -d -m localhost:${new URL(flink.url).port} -s 's3://b/chk 1' -claimMode NO_CLAIM job.jar`);
}, 60_000);

test("what has no trigger id or no command leaves the clipboard alone", async () => {
  await flink.savepoint(jobId);
  const found = await eventually("the savepoint that another client took", async () => {
    for (const row of await savepointsOf(flink, jobId)) if (row.description.includes("found")) return row;
    return undefined;
  });
  assert.equal(await copied("copyTriggerId", found.ref ?? undefined), "nothing");
  assert.equal(await copied("copyCli", { recordId: "none" }), "nothing");
  assert.equal(await copied("copyPath", { recordId: "none" }), "nothing");
}, 40_000);

test("Flink ends", async () => {
  await flink.stop();
  await set("clusters", undefined);
});
