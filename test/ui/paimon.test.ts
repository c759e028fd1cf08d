import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { scratchFolder } from "../e2e/support/disk";
import { rootFolder } from "../rig/flink";
import { inWorkbench } from "../rig/page";
import { paimonSet } from "../unit/paimonSets";
import { foundSavepoints } from "./support/foundSavepoints";
import { bothThemes, pictures, Scene } from "./support/scene";

test("Paimon in the window: warehouse, tables and tags with what they pair with; pairs below savepoints; the board with its evidence", async (context) => {
  const root = await rootFolder();
  const set = paimonSet("rolled-back");
  const workspace = path.join(scratchFolder("paimon"), "workspace");
  mkdirSync(workspace);
  context.after(() => set.remove());
  const tags = path.join(set.warehouse, "d.db", "app", "tag");
  writeFileSync(path.join(tags, "tag-torn"), "{ \"version\" : 3, ");
  writeFileSync(path.join(set.warehouse, "d.db", "pk", "tag", "tag-before-backfill"), "{ \"version\" : 9 }");
  const settings = { ...bothThemes, "flinkSavepoints.refresh.intervalSeconds": 1, "flinkSavepoints.clusters": [{ name: "orders-prod", url: "http://127.0.0.1:9" }], "flinkSavepoints.warehouses": [{ name: "lake", path: set.warehouse }, { path: "s3://bucket/elsewhere" }] };
  await inWorkbench({ extensionsFrom: process.env["RIG_VSIX"] ?? root, workspace, settings, name: "paimon" }, async (page, workbench) => {
    const scene = new Scene(workbench);
    for (const record of foundSavepoints(set)) await scene.ledger.create(record);
    await page.openView();
    await page.widenSideBar(560);
    await page.expand(/^ingest, job/);
    await page.row(/^#6, savepoint, completed, .*2 tables paired/);
    await page.row(/^#11, savepoint, completed, .*2 tables without a pair/);
    await page.expand(/^#6, savepoint, completed/);
    await page.row(/^d\.app, pair, exact, tag savepoint-6, proven/);
    // Before its pairs are read there is nothing to unfold.
    await page.row(/^#19, savepoint, completed, .*not committed/);
    await page.expand(/^#19, savepoint, completed/);
    await page.row(/^d\.app, pair, waiting, not committed/);
    await page.expand(/^d, database/);
    await page.row(/^s3:\/\/bucket\/elsewhere, Paimon warehouse/);
    await page.expand(/^app, table, .*savepoint tags/);
    await page.row(/^savepoint-6, tag, pairs with #6/);
    await page.row(/^savepoint-11, tag, looks like #11, and is not/);
    await page.row(/^torn, tag, can't be read/);
    await pictures(page, "1 tree");
    await page.expand(/^Snapshots/);
    await page.row(/^snapshot 6, Paimon snapshot, pairs with #6/);
    await pictures(page, "2 snapshots");

    // A double click opens the file, to be read only.
    await (await page.row(/^savepoint-6, tag, /)).dblclick();
    await page.waitFor("the tag's file", (timeout) => page.page.getByRole("tab", { name: /d\.app tag savepoint-6\.json/ }).waitFor({ timeout }));
    assert.ok((await scene.records("pair")).length >= 4);

    const view = page.page.frameLocator("iframe.webview.ready").frameLocator("iframe#active-frame");
    await page.contextMenu(/^#6, savepoint, completed/, /^Show Pairs/, view.getByRole("heading", { name: "Pairs of ingest" }));
    await page.waitFor("the answer", (timeout) => view.getByText(/The newest savepoint with a proven tag in every table is #15/).waitFor({ timeout }));
    await pictures(page, "3 board");
    const cell = (name: RegExp) => view.getByRole("button", { name });
    await page.waitFor("the cell", (timeout) => cell(/^#11, d\.app: changed/).click({ timeout }));
    await page.waitFor("its evidence", (timeout) => view.getByText(/right after number 6: commits between them are missing from it\./).waitFor({ timeout }));
    await pictures(page, "4 evidence");
    // Arrows go from cell to cell, Enter selects.
    await page.page.keyboard.press("ArrowDown");
    await page.page.keyboard.press("Enter");
    await page.waitFor("the pair below", (timeout) => view.getByRole("heading", { name: /#6 in d\.app: exact/ }).waitFor({ timeout }));
    await page.waitFor("the button", (timeout) => view.getByRole("button", { name: "Copy SQL" }).click({ timeout }));
    await page.statusBar(/Copied the statement/);
    assert.match(await page.clipboard(), /^CALL `paimon`\.sys\.rollback_to\(`table` => 'd\.app', tag => 'savepoint-6'\);$/);
    const six = (await scene.savepoints("62dc41".padEnd(32, "0"))).find(({ checkpointId }) => checkpointId === 6);
    await page.editorsKept(`"selected":{"recordId":"${six?.id ?? "none"}"`);
    await page.reload();
    await page.waitFor("the board after a reload", (timeout) => view.getByRole("heading", { name: /#6 in d\.app: exact/ }).waitFor({ timeout }), 40_000);
    await pictures(page, "5 reloaded");
  });
});
