import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import type { FrameLocator } from "playwright-core";
import type { DiffReport } from "../../src/core/inspector/report";
import { savepointRecordSchema } from "../../src/core/ledger/record";
import { localFlinkVersions } from "../../src/core/settings";
import { scratchFolder } from "../e2e/support/disk";
import { rootFolder, startFlink } from "../rig/flink";
import { inWorkbench, type WorkbenchPage } from "../rig/page";
import { bothThemes, pictures, Scene } from "./support/scene";

/** What a webview shows: VS Code puts a page into a frame in a frame. */
function pageIn(page: WorkbenchPage): FrameLocator {
  return page.page.frameLocator("iframe.webview.ready").frameLocator("iframe#active-frame");
}

test("two savepoints of a job before and after a change are compared: rows selected together, page, details, text, JSON, and what can't be read", async (context) => {
  const root = await rootFolder();
  const scratch = scratchFolder("compare");
  mkdirSync(path.join(scratch, "workspace"));
  const flink = await startFlink(localFlinkVersions[0]);
  context.after(() => flink.stop());

  const before = await flink.runTestJob({ "job-name": "orders", parallelism: 2, "max-parallelism": 128, keys: 50 });
  await flink.waitUntilRunning(before);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const older = await flink.savepoint(before, "savepoints", { formatType: "CANONICAL" });
  await flink.rest("PATCH", `/jobs/${before}`);
  await flink.waitForState(before, "CANCELED");
  // No uid any more for "keyed", whose values have another type; no broadcast; one more operator; twice the subtasks.
  const after = await flink.runTestJob(
    { "job-name": "orders", parallelism: 4, "max-parallelism": 128, keys: 50, "keyed-uid": false, "state-type": "pojo", broadcast: false, "extra-map": true },
    { savepointPath: older, allowNonRestoredState: true },
  );
  await flink.waitUntilRunning(after);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const newer = await flink.savepoint(after, "savepoints", { formatType: "NATIVE" });
  assert.notEqual(newer, older);

  const settings = { ...bothThemes, "flinkSavepoints.refresh.intervalSeconds": 1, "flinkSavepoints.clusters": [{ name: "sandbox", url: flink.url }] };
  await inWorkbench({ extensionsFrom: process.env["RIG_VSIX"] ?? root, workspace: path.join(scratch, "workspace"), settings, name: "compare" }, async (page, workbench) => {
    await page.openView();
    await page.widenSideBar(300);
    await page.expand(/^orders, job, cancelled/);
    await page.expand(/^orders, job, (running|starting)/);
    const old = /^#1, savepoint, completed/;
    const young = /^#2, savepoint, completed/;
    await page.row(old);
    await page.row(young);

    // The newer one first: the older one is on the left all the same.
    await (await page.row(young)).click();
    await (await page.row(old)).click({ modifiers: ["Control"] });
    await page.contextMenu(old, /Dispose/, page.notification(/2 rows are selected, and this is done to one at a time\. Select that one alone\./));
    await page.command("Notifications: Clear All Notifications");
    await (await page.row(young)).click();
    await (await page.row(old)).click({ modifiers: ["Control"] });
    const view = pageIn(page);
    await page.contextMenu(old, /^Compare Selected/, view.getByRole("heading", { name: "#1 → #2 · orders" }));
    const row = (name: RegExp) => view.getByRole("row", { name });
    await page.waitFor("the states of both", (timeout) => row(/keyed .*added, .*changed|keyed .*changed/).first().waitFor({ timeout }));
    const grid = view.getByRole("grid", { name: "Operators of both savepoints" });
    const rows = await grid.locator(".rows [role=row]").allInnerTexts();
    const changeOf = (name: string): string => rows.find((text) => new RegExp(`\\n${name}(\\n|$| )`).test(text))?.split("\n").filter((part) => !/^[+−≠=]$/.test(part))[0] ?? "";
    assert.match(changeOf("keyed"), /id, uid, parallelism/);
    assert.match(changeOf("broadcast"), /removed/);
    assert.match(changeOf("extra"), /added/);
    assert.match(changeOf("union"), /parallelism/);
    await pictures(page, "1 comparison");

    await page.waitFor("the row of keyed to take a click", (timeout) => grid.getByText("keyed", { exact: true }).first().click({ timeout }));
    const detail = view.getByRole("region", { name: /^keyed, / });
    await page.waitFor("its details", (timeout) => detail.waitFor({ timeout }));
    await page.waitFor("its states", (timeout) => detail.getByText(/POJO testjob\./).first().waitFor({ timeout }));
    assert.match(await detail.innerText(), /has the same name and another uid and id, so its state is not found by a restore\./);
    await pictures(page, "2 details");

    // The keyboard goes on from the clicked row.
    const selected = grid.locator(".rows [role=row][aria-selected=true]");
    const first = await selected.innerText();
    await page.page.keyboard.press("ArrowDown");
    await page.waitFor("the next row", async (timeout) => {
      for (const end = Date.now() + timeout; (await selected.innerText()) === first;) if (Date.now() > end) throw new Error("the same row");
    });

    await view.getByRole("checkbox", { name: "Only changes" }).uncheck();
    await page.waitFor("all operators", (timeout) => view.getByText(/^\d+ operators$/).waitFor({ timeout }));
    await view.getByRole("button", { name: "Swap sides" }).click();
    await page.waitFor("the other direction", (timeout) => view.getByRole("heading", { name: "#2 → #1 · orders" }).waitFor({ timeout }));
    await page.waitFor("broadcast as added", (timeout) => view.getByRole("row", { name: /added.* broadcast/ }).first().waitFor({ timeout }));
    await view.getByRole("button", { name: "Swap sides" }).click();
    await page.waitFor("the first direction", (timeout) => view.getByRole("heading", { name: "#1 → #2 · orders" }).waitFor({ timeout }));

    await view.getByRole("button", { name: "Copy as JSON" }).click();
    await page.statusBar(/Copied the comparison/);
    const report = JSON.parse(await page.clipboard()) as DiffReport;
    assert.equal(report.operators.find(({ right }) => right?.name === "keyed")?.matchedBy, "name");

    await view.getByRole("button", { name: "Compare as text" }).click();
    const diff = page.page.locator(".monaco-diff-editor");
    await page.waitFor("the text diff", (timeout) => diff.locator(".editor.modified .view-line").filter({ hasText: "parallelism" }).first().waitFor({ timeout }));
    await page.page.locator(".tab.active").filter({ hasText: "#1 ↔ #2 · orders" }).waitFor({ timeout: 10_000 });
    await page.waitFor("colours", (timeout) => diff.locator(".editor.modified .view-line .mtk5, .editor.modified .view-line .mtk6, .editor.modified .view-line .mtk8, .editor.modified .view-line .mtk11").first().waitFor({ timeout }));
    await pictures(page, "3 text diff");

    const editor = page.page.locator(".editor-instance > .monaco-editor[data-uri^='flink-savepoint'], .editor-instance .monaco-editor[data-uri^='flink-savepoint']");
    await (await page.row(young)).click();
    await page.contextMenu(young, /Show as Text/, editor.locator(".view-line").filter({ hasText: "snapshot" }).first());
    await page.waitFor("folding", (timeout) => editor.locator(".codicon-folding-expanded").first().waitFor({ state: "attached", timeout }));
    await page.command("Fold All");
    await page.waitFor("folded operators", (timeout) => editor.locator(".codicon-folding-collapsed").nth(3).waitFor({ timeout }));
    await pictures(page, "4 folded text");

    // Of one row the other is asked for.
    await page.contextMenu(young, /^Compare with/, page.question(/Compare: #2 of orders/));
    const choices = await page.picker(/Compare: #2 of orders/);
    assert.match(choices.join("\n"), /#1[\s\S]*Choose a file/);
    await page.picture("5 compare with");
    await page.page.keyboard.press("Escape");

    // On another storage.
    const scene = new Scene(workbench);
    const [known] = await scene.savepoints(after);
    assert.ok(known);
    await scene.ledger.create(savepointRecordSchema.parse({ ...known, id: "far-away", origin: "manual", checkpointId: 77, path: "s3://state/savepoints/savepoint-ab12cd-0123456789ab", requestedAtMs: known.requestedAtMs + 1 }));
    await page.row(/^#77, savepoint, completed/);
    await page.contextMenu(/^#77, savepoint/, /Show as Text/, page.notification(/is not reachable from here yet/));
    await page.toastAction(/s3:\/\/state\/savepoints\/savepoint-ab12cd-0123456789ab is not reachable from here yet/, "Copy Path");
    await page.statusBar(/Copied the path/);
    assert.equal(await page.clipboard(), "s3://state/savepoints/savepoint-ab12cd-0123456789ab");

    // The panel comes back with the window.
    const tab = page.page.locator(".tab").filter({ hasText: "#1 ↔ #2 · orders" }).first();
    await tab.click();
    await page.waitFor("the page again", (timeout) => pageIn(page).getByRole("heading", { name: "#1 → #2 · orders" }).waitFor({ timeout }));
    await page.reload();
    // Which tab was in front last, the workbench may not have written down yet.
    await page.waitFor("its tab", (timeout) => tab.click({ timeout }), 60_000);
    await page.waitFor("the page after a reload", (timeout) => pageIn(page).getByRole("heading", { name: "#1 → #2 · orders" }).waitFor({ timeout }), 40_000);
    await page.waitFor("its rows", (timeout) => pageIn(page).getByRole("gridcell", { name: "extra" }).first().waitFor({ timeout }));
  });
});
