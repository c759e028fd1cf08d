import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { scratchFolder } from "../e2e/support/disk";
import { jdbcCatalog } from "../e2e/support/jdbcCatalog";
import { rootFolder } from "../rig/flink";
import { inWorkbench } from "../rig/page";
import { paimonSet } from "../unit/paimonSets";
import { foundSavepoints } from "./support/foundSavepoints";
import { Keys } from "./support/keys";
import { bothThemes, pictures, Scene } from "./support/scene";

// Each statement is a job inside the gateway.
const answerMs = 150_000;

test("P-25: a catalog that only a SQL Gateway reaches, in the window: added step by step, unfolded to tags and snapshots, refused a rollback with its runbook; a gateway that is gone says so and offers to try again", async (context) => {
  const root = await rootFolder();
  const set = paimonSet("rolled-back");
  context.after(() => set.remove());
  const folder = scratchFolder("gatewayCatalog");
  const workspace = path.join(folder, "workspace");
  mkdirSync(workspace);
  // The gateway knows the place by its Hadoop configuration, as it does where files are on a cluster's disks.
  const hadoop = path.join(folder, "hadoop");
  const lakeFolder = path.join(folder, "lake");
  mkdirSync(hadoop);
  mkdirSync(lakeFolder);
  writeFileSync(path.join(hadoop, "core-site.xml"), `<configuration><property><name>fs.viewfs.mounttable.lake.link./warehouse</name><value>file://${path.join(lakeFolder, "files")}</value></property></configuration>`);
  process.env["HADOOP_CONF_DIR"] = hadoop;
  const lake = await jdbcCatalog(lakeFolder);
  context.after(() => lake.stop());
  await lake.adopt(set.warehouse, "d", ["app", "pk", "re", "re2"]);
  // Few more than a page: each that has no files keeps a search for writers from some others.
  await lake.register("many", Array.from({ length: 60 }, (_, at) => `t${String(at).padStart(3, "0")}`));
  const uri = lake.profile.catalogOptions["uri"] ?? assert.fail();

  const settings = {
    ...bothThemes, "flinkSavepoints.refresh.intervalSeconds": 1, "flinkSavepoints.clusters": [{ name: "orders-prod", url: "http://127.0.0.1:9" }],
    "flinkSavepoints.warehouses": [{ name: "lake-dr", path: "hdfs://dr/warehouse", sqlGateway: "http://localhost:9", catalogOptions: { metastore: "hive", uri: "thrift://dr:9083" } }],
  };
  await inWorkbench({ extensionsFrom: process.env["RIG_VSIX"] ?? root, workspace, settings, name: "gatewayWindow" }, async (page, workbench) => {
    const scene = new Scene(workbench);
    const keys = new Keys(page);
    for (const record of foundSavepoints(set)) await scene.ledger.create(record);
    await page.openView();
    await page.widenSideBar(560);
    await page.row(/^Could not reach its SQL Gateway: connection refused/, answerMs);
    await pictures(page, "1 gone");

    // Added with an address where nothing answers at first.
    const wizard = /Add Paimon warehouse/;
    await page.command("Flink Savepoints: Add Warehouse");
    await keys.question(wizard, "Location");
    await page.type(wizard, lake.profile.path, false);
    await page.waitFor("the remark on a place elsewhere", (timeout) => page.question(wizard).getByText(/listed through a Flink SQL Gateway/).waitFor({ timeout }));
    await pictures(page, "2 location");
    await keys.enter();
    await keys.question(wizard, "Address of a Flink SQL Gateway");
    await page.type(wizard, "http://localhost:9", false);
    await pictures(page, "3 gateway");
    await keys.enter();
    await keys.question(wizard, "Where does the catalog");
    await pictures(page, "4 metastore");
    await page.choose(wizard, "JDBC catalog");
    await keys.question(wizard, "Its address");
    await page.type(wizard, uri, false);
    await pictures(page, "5 uri");
    await keys.enter();
    await keys.question(wizard, "could not be listed");
    await pictures(page, "6 not listed");
    await page.choose(wizard, "Say why");
    assert.match(await page.modal(), /Could not reach the SQL Gateway at http:\/\/localhost:9: connection refused\. Check that it runs and that its address is right\./);
    await pictures(page, "7 why");
    await page.answer(/^Close$/);
    await keys.question(wizard, "could not be listed");
    await page.choose(wizard, "Change what was entered");
    for (const asks of ["Its address", "Where does the catalog"]) {
      await keys.question(wizard, asks);
      await page.waitFor("the step before", (timeout) => page.question(wizard).getByRole("button", { name: "Back" }).click({ timeout }));
    }
    await keys.question(wizard, "Address of a Flink SQL Gateway");
    await page.type(wizard, lake.server.url);
    await keys.question(wizard, "Where does the catalog");
    await page.choose(wizard, "JDBC catalog");
    await keys.question(wizard, "Its address");
    await page.type(wizard, uri, false);
    await keys.enter();
    await pictures(page, "8 asking");
    await page.waitFor("the name to be asked for", (timeout) => page.question(wizard).getByText("Name in the tree").waitFor({ timeout }), answerMs);
    await keys.type("lake");
    await pictures(page, "9 name");
    await keys.enter();
    await page.row(/^lake, Paimon warehouse/);
    await page.row(/^many, database/, answerMs);
    assert.deepEqual((scene.settings()["flinkSavepoints.warehouses"] as readonly unknown[])[1], { path: lake.profile.path, sqlGateway: lake.server.url, catalogOptions: { metastore: "jdbc", uri }, name: "lake" });
    await pictures(page, "10 added");

    await page.expand(/^d, database/);
    await page.picture("11 asking for tables");
    await page.row(/^app, table/, answerMs);
    await pictures(page, "12 tables");
    // Tables of a database page by page; that one has no files is told below it.
    await page.expand(/^many, database/);
    await page.row(/^t000, table/, answerMs);
    await page.page.keyboard.press("End");
    await page.row(/^Show 10 more/);
    await pictures(page, "12 a page of tables");
    await page.page.keyboard.press("Home");
    await page.expand(/^t000, table/);
    await page.row(/^Its SQL Gateway could not read it/, answerMs);
    await pictures(page, "12 a table without files");
    await page.expand(/^app, table/);
    await page.picture("13 asking for tags");
    await page.row(/^savepoint-6, tag/, answerMs);
    await page.row(/^savepoint-15, tag, pairs with #15/, answerMs);
    await page.expand(/^Snapshots/);
    await page.row(/^snapshot 6, Paimon snapshot/, answerMs);
    await page.expand(/^Branches/);
    await page.row(/^No branches/, answerMs);
    await pictures(page, "14 table");
    await (await page.row(/^savepoint-6, tag, /)).dblclick();
    await page.waitFor("what the gateway tells of the tag", (timeout) => page.page.getByRole("tab", { name: /d\.app tag savepoint-6\.jsonc/ }).waitFor({ timeout }), answerMs);
    await pictures(page, "15 tag opened");
    await page.statusBar(/^\s*0\s*0\s*$/);

    await page.expand(/^ingest, job/);
    const point = /^#15, savepoint, completed/;
    await page.row(/^#15, savepoint, completed, .*2 tables paired/, answerMs);
    await page.expand(point);
    await pictures(page, "16 pairs");
    const view = page.question(/Go back to #15 of ingest/);
    await page.contextMenu(point, /^Roll Back and Restore/, view);
    await page.waitFor("that it can't be done", (timeout) => page.page.locator(`.quick-input-widget:visible input[placeholder*="can't be done"]`).waitFor({ timeout }), 2 * answerMs);
    await pictures(page, "17 refused");
    await page.choose(/Go back to/, "Say what forbids it");
    assert.match(await page.modal(), /can't be read from here, only asked for through the SQL Gateway/);
    await pictures(page, "18 why");
    await page.answer(/^Open Runbook/);
    await page.waitFor("the runbook", (timeout) => page.page.getByRole("tab", { name: /[Rr]unbook|Go back|Roll/ }).first().waitFor({ timeout }), answerMs);
    await pictures(page, "19 runbook");

    await lake.server.kill();
    await page.command("Flink Savepoints: Refresh");
    const gone = page.page.getByRole("treeitem", { name: /^Could not reach its SQL Gateway/ }).nth(1);
    await page.waitFor("that the gateway is gone", (timeout) => gone.waitFor({ timeout }), answerMs);
    await pictures(page, "21 gone meanwhile");
    await lake.server.start();
    await page.waitFor("the row to be clicked", (timeout) => gone.click({ timeout }));
    await page.row(/^d, database/, answerMs);
    await pictures(page, "22 back");
  });
});
