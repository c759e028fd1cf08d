import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { localFlinkVersions } from "../../src/core/settings";
import { rootFolder, startFlink, until } from "../rig/flink";
import { inWorkbench } from "../rig/page";
import { darkTheme } from "../rig/workbench";
import { Eyes } from "../e2e/support/eyes";
import { onDisk } from "../e2e/support/disk";
import { Keys, watchForMouse } from "./support/keys";

test("the main job is done with the keyboard only, in the dark theme", async (context) => {
  const root = await rootFolder();
  const flink = await startFlink(localFlinkVersions[0]);
  context.after(() => flink.stop());
  const eyes = new Eyes(flink);
  const first = await flink.runTestJob({ "job-name": "orders", "checkpoint-interval": "1 s" });
  const other = await flink.runTestJob({ "job-name": "other", "checkpoint-interval": "1 s", window: false, broadcast: false });
  await Promise.all([flink.waitUntilRunning(first), flink.waitUntilRunning(other)]);
  const settings = { ...darkTheme, "flinkSavepoints.clusters": [{ name: "sandbox", url: flink.url }] };

  await inWorkbench({ extensionsFrom: process.env["RIG_VSIX"] ?? root, workspace: path.join(root, "test", "rig", "workspace"), settings, name: "keyboard" }, async (page, workbench) => {
    const keys = new Keys(page);
    /** Presses keys while the extension host is at a standstill, which stands for one that is busy. */
    const whileTheHostHangs = async (press: () => Promise<void>): Promise<void> => {
      const hosts = workbench.extensionHostPids();
      assert.equal(hosts.length, 1);
      for (const pid of hosts) process.kill(pid, "SIGSTOP");
      try {
        await press();
      } finally {
        for (const pid of hosts) process.kill(pid, "SIGCONT");
      }
    };
    const presses = await watchForMouse(page);
    const tab = page.page.locator(".activitybar").getByRole("tab", { name: "Flink Savepoints" });
    await page.waitFor("the extension's tab", (timeout) => tab.waitFor({ timeout }));

    // The first time there is nothing yet that could take the focus.
    await keys.command("Flink Savepoints: Focus on Flink Savepoints View");
    await page.row(/^orders/);
    await keys.command("Flink Savepoints: Focus on Flink Savepoints View");

    await keys.goTo(/^other/);
    await keys.press("Enter");
    // At once, so that Enter is still on its way to the extension while the arrow keys move on.
    await keys.goTo(/^orders/);
    await keys.press("ArrowRight");
    await page.row(/^Savepoints/);
    await keys.press("Control+Alt+s");
    assert.match(await keys.question(/Savepoint of/), /Savepoint of orders \(1\/3\)/, "the key is about the row with the focus, not the one that was selected before");
    await keys.press("Enter");
    await keys.question(/Savepoint of orders \(2\/3\)/);
    await page.picture("1 question");
    await keys.press("Escape");

    await whileTheHostHangs(async () => {
      await keys.press("Control+Alt+s");
      await keys.goTo(/^other/);
    });
    assert.match(await keys.question(/Savepoint of/), /Savepoint of orders \(1\/3\)/, "the row that the key was pressed on, wherever the focus went while nobody answered");
    await keys.press("Escape");
    await keys.goTo(/^orders/);

    await keys.press("Control+Alt+s");
    await keys.enterThrough("Savepoint of orders", 1, 2, 3);
    await keys.question(/Savepoint of orders \(3\/3\)/);
    await keys.type("by keys");
    await keys.press("Enter");
    await page.toast(/Savepoint #\d+ of orders/);
    const [taken, more] = await eyes.savepoints(first);
    assert.ok(taken !== undefined && more === undefined, "Escape sent nothing, and Enter sent one");
    const takenRow = new RegExp(`^#${taken.id} by keys`);

    await keys.goTo(takenRow);
    await keys.press("Control+c");
    await until("the path in the clipboard", async () => await page.clipboard() === taken.path);
    await keys.goTo(/^orders/);
    await keys.press("Control+c");
    await keys.question(/Copy Path/);
    await keys.press("Escape");
    await keys.goTo(takenRow);
    await keys.press("F2");
    await keys.question(/Description/);
    await keys.type("before v2");
    await keys.press("Enter");
    await page.row(new RegExp(`^#${taken.id} before v2`));
    await page.picture("2 savepoint");

    await keys.goTo(/^orders/);
    await keys.contextMenu("Stop with Savepoint");
    await keys.enterThrough("Stop orders with a savepoint", 1, 4, 4);
    await page.toast(/orders is stopped/, 60_000);
    assert.equal(await eyes.state(first), "FINISHED");
    const last = (await eyes.savepoints(first)).at(-1);
    assert.ok(last !== undefined && last.id > taken.id);

    // Two keys on two rows, and a third row with the focus, before anybody answers.
    await whileTheHostHangs(async () => {
      await keys.goTo(new RegExp(`^#${taken.id}`));
      await keys.press("Control+c");
      await keys.goTo(new RegExp(`^#${last.id}`));
      await keys.press("F2");
      await keys.goTo(/^other/);
    });
    assert.match(await keys.question(/Description/), new RegExp(`#${last.id}`));
    await keys.press("Escape");
    await until("the path of the first row in the clipboard", async () => await page.clipboard() === taken.path);

    await keys.goTo(new RegExp(`^#${last.id}`));
    await keys.press("Control+Alt+r");
    for (const asks of ["Which program", "Arguments", "Parallelism", "Whose", "All is set"]) {
      await keys.question(new RegExp(`Restore orders from #${last.id}`), asks);
      if (asks === "Arguments") await keys.type(`--job-name orders --checkpoint-interval '1 s'`);
      await keys.press("Enter");
    }
    await page.toast(/orders runs, restored from/, 60_000);
    const running = (await eyes.jobsNamed("orders")).find((job) => job.state === "RUNNING");
    assert.ok(running);
    assert.equal((await eyes.restored(running.jobId)).path, last.path);

    await keys.command("Flink Savepoints: Dispose…");
    assert.match(await keys.question(/Dispose/), /#\d+/);
    await keys.type(`#${taken.id}`);
    await keys.press("Enter");
    await page.modal(60_000);
    await page.picture("3 dispose");
    await keys.answer("Dispose");
    await page.row(new RegExp(`^#${taken.id} before v2.*disposed`), 60_000);
    assert.ok(taken.path !== null && last.path !== null);
    assert.deepEqual([existsSync(onDisk(taken.path)), existsSync(onDisk(last.path))], [false, true]);

    await page.page.evaluate(() => void ((window as unknown as { sameWindow: boolean }).sameWindow = true));
    await keys.command("Flink Savepoints: Focus on Flink Savepoints View");
    await keys.press("F5");
    await page.row(/^sandbox/);
    assert.equal(await page.page.evaluate(() => (window as unknown as { sameWindow?: boolean }).sameWindow), true, "F5 in the tree refreshes the tree, not the window");
    await page.picture("4 end");
    assert.equal(await presses(), 0, "the mouse was not used");
  });
});
