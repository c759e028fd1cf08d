import assert from "node:assert/strict";
import { statSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { paimonJars, rootFolder } from "../rig/flink";
import { inWorkbench } from "../rig/page";
import { checkpointIdOf, paimonFlinks, startPaimon } from "../rig/paimon";
import { savepointRecord } from "../unit/ledgerSamples";
import { Keys } from "./support/keys";
import { bothThemes, pictures, Scene } from "./support/scene";

test("P-10, P-15: a rollback in the window: tables and what goes, a copy, the program, every victim by name, the typed name, and the job runs again", async (context) => {
  const root = await rootFolder();
  const [version] = paimonFlinks;
  const paimon = await startPaimon(version);
  context.after(() => paimon.stop());
  const { flink, warehouse } = paimon;
  const job = await paimon.runJob();
  await paimon.checkpoints(job, 2);
  const savepoint = await paimon.savepoint(job);
  await paimon.tagged(savepoint, "sales.orders", "sales.events");
  const later = await paimon.savepoint(job);
  await paimon.tagged(later, "sales.orders", "sales.events");

  const jars = [path.dirname((await paimonJars(version))[0] ?? "")];
  const settings = { ...bothThemes, "flinkSavepoints.refresh.intervalSeconds": 1, "flinkSavepoints.clusters": [{ name: "orders-prod", url: flink.url }], "flinkSavepoints.warehouses": [{ name: "lake", path: warehouse, jars }] };
  await inWorkbench({ extensionsFrom: process.env["RIG_VSIX"] ?? root, workspace: path.join(root, "test", "rig", "workspace"), settings, name: "rollback" }, async (page, workbench) => {
    const scene = new Scene(workbench);
    const numbers = new Map([[savepoint, await checkpointIdOf(savepoint)], [later, await checkpointIdOf(later)]]);
    const numberOf = (folder: string): number => numbers.get(folder) ?? 0;
    for (const folder of [savepoint, later]) {
      const { mtimeMs } = statSync(path.join(folder, "_metadata"));
      await scene.ledger.create(savepointRecord(`found-${job}-${numberOf(folder)}`, { cluster: { name: "orders-prod", url: flink.url }, job: { id: job, name: "orders" }, origin: "found", description: "", state: "completed", path: `file:${folder}`, checkpointId: numberOf(folder), requestedAtMs: mtimeMs - 300, sentAtMs: mtimeMs - 300, endedAtMs: mtimeMs, sizeBytes: 33_000, durationMs: 300 }));
    }
    const point = new RegExp(`^#${numberOf(savepoint)}, savepoint, completed`);
    const keys = new Keys(page);
    await page.openView();
    await page.widenSideBar(560);
    await page.expand(/^orders-prod/);
    await page.expand(/^orders, job/);
    const wizard = page.question(/Go back to #\d+ of orders/);

    // While the job runs the verb says why not.
    await page.contextMenu(point, /^Roll Back and Restore/, wizard);
    await keys.question(/Go back to/, "can't be done");
    await pictures(page, "1 refused");
    await page.choose(/Go back to/, "Say what forbids it");
    assert.match(await page.modal(), /The tables of orders can't be rolled back to #\d+\.\s+orders \([0-9a-f]+\) writes to sales\.events and sales\.orders/);
    await pictures(page, "1 why");
    await page.answer(/^Close$/);
    await paimon.cancel(job);

    await page.contextMenu(point, /^Roll Back and Restore/, wizard);
    await keys.question(/Go back to/, "each goes back");
    await pictures(page, "2 tables");
    await keys.enter();
    await keys.question(/Go back to/, "Keep the tables");
    await pictures(page, "3 copy");
    await keys.enter();
    await keys.question(/Go back to/, "then start");
    await pictures(page, "4 start");
    await keys.enter();
    await keys.question(/Go back to/, "Which program");
    await pictures(page, "5 program");
    await page.choose(/Go back to/, "paimon-job.jar");
    await keys.question(/Go back to/, "Arguments");
    await keys.type(`--warehouse ${warehouse}`);
    await keys.enter();
    for (const asks of ["Parallelism", "Whose"]) {
      await keys.question(/Go back to/, asks);
      await keys.enter();
    }
    const victims = await page.modal();
    assert.match(victims, /Roll back 2 tables of orders to #\d+\?/);
    assert.match(victims, new RegExp(`sales\\.orders: tag savepoint-${numberOf(later)} of snapshot \\d+, pair of #${numberOf(later)} of orders`));
    assert.match(victims, /sales\.events: snapshots \d+ to \d+ \(/);
    await pictures(page, "6 victims");
    await page.answer(/^Roll Back/);
    await page.waitFor("the name to be typed", (timeout) => page.question(/Roll back 2 tables of orders/).waitFor({ timeout }));
    await pictures(page, "7 name");
    await page.type(/Roll back 2 tables of orders/, "orders");
    await page.toast(/Rollback of orders/);
    await page.picture("8 progress");
    await page.toast(/orders runs from #\d+, its 2 tables rolled back, and has completed a checkpoint/, 120_000);
    await pictures(page, "9 done");
    const [record] = await scene.records("rollback");
    assert.deepEqual(record?.tables.map(({ state }) => state), ["rolled-back", "rolled-back"]);
    for (const table of await paimon.read("sales.orders", "sales.events")) assert.deepEqual(table, { rows: table.largest, different: table.largest, smallest: 1, largest: table.largest });
    await page.contextMenu(point, /^Open Runbook/, page.page.locator(".tab.active").filter({ hasText: /Untitled/ }));
    await page.picture("10 runbook");
  });
});
