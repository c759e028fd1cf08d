import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { localFlinkVersions } from "../../src/core/settings";
import { Controls, savepointFolders, scratchFolder } from "../e2e/support/disk";
import { Eyes } from "../e2e/support/eyes";
import { FaultyProxy } from "../e2e/support/faultyProxy";
import { rootFolder, startFlink } from "../rig/flink";
import { inWorkbench, openPage, type WorkbenchPage } from "../rig/page";
import { Scene } from "./support/scene";
import { Verbs } from "./support/verbs";

test("a second window shows what the first one does, refuses to stop the job again, and both see the end", async (context) => {
  const root = await rootFolder();
  const scratch = scratchFolder("second-window");
  for (const folder of ["workspace", "control"]) mkdirSync(path.join(scratch, folder));
  const controls = new Controls(path.join(scratch, "control"));
  const flink = await startFlink(localFlinkVersions[0], { extraConfig: { "web.refresh-interval": "200" } });
  context.after(() => flink.stop());
  const eyes = new Eyes(flink);
  const proxy = await FaultyProxy.open(flink.url);
  context.after(() => proxy.close());
  const jobId = await eyes.run({ name: "orders", args: ["--window", "false", "--broadcast", "false", "--checkpoint-interval", "1s", "--control", controls.folder] });
  await eyes.untilCheckpointed(jobId);
  const settings = { "flinkSavepoints.refresh.intervalSeconds": 1, "flinkSavepoints.clusters": [{ name: "sandbox", url: proxy.url }] };

  await inWorkbench({ extensionsFrom: process.env["RIG_VSIX"] ?? root, workspace: path.join(scratch, "workspace"), settings, name: "secondWindow-first" }, async (first, workbench) => {
    const second = await openPage(workbench, { name: "secondWindow-second" });
    try {
      const both = async <T>(work: (page: WorkbenchPage) => Promise<T>): Promise<void> => void (await Promise.all([first, second].map(work)));
      await both(async (page) => {
        await page.openView();
        await page.widenSideBar(620);
        await page.expand(/^orders, job, running/);
      });
      assert.equal(workbench.extensionHostPids().length, 2, "each window has an extension host of its own");

      await new Verbs(second).trigger(/^orders, job/, "from the second");
      await both((page) => page.row(/^#\d+ from the second, savepoint, completed/));

      controls.on("hold-snapshot");
      await new Verbs(first).stop(/^orders, job/);
      await both(async (page) => {
        await page.row(/^orders, job, stopping with savepoint/);
        await page.row(/^stop with savepoint, savepoint, running, writing/);
        await page.statusBar(/Stop with savepoint of orders/);
      });
      await second.inlineAction(/^orders, job/, /Stop with Savepoint/, second.notification(/orders can't be stopped now\. A stop with savepoint has been under way for \d+ s; another request now would fail, and a second stop would also fail the first/));
      await second.picture("1 refused");
      await second.inlineAction(/^orders, job/, /Trigger Savepoint/, second.notification(/orders can't be saved now\. A stop with savepoint has been under way/));
      controls.off();

      await first.toast(/orders is stopped · savepoint #\d+/, 60_000);
      await both(async (page) => {
        await page.row(/^orders, job, finished with savepoint/);
        await page.row(/^#\d+, savepoint, completed, .*stop$/);
        await page.waitFor("the status bar to be quiet", (timeout) => page.page.locator(".statusbar-item").filter({ hasText: "Stop with savepoint" }).waitFor({ state: "detached", timeout }));
      });
      await both((page) => page.picture("2 the end"));
      assert.equal(await second.page.locator(".notification-toast").filter({ hasText: "orders is stopped" }).count(), 0, "the end is told where it was asked for");
    } finally {
      await second.close();
    }
    const records = await new Scene(workbench).savepoints(jobId);
    assert.deepEqual(records.map((record) => [record.origin, record.state, record.stop?.job]), [["stop", "completed", "stopped"], ["manual", "completed", undefined]]);
  });
  assert.equal(await eyes.state(jobId), "FINISHED");
  assert.equal(proxy.sent("POST", /\/stop$/).length, 1);
  assert.equal(savepointFolders(flink.savepointDir).length, 2);
});
