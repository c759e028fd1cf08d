import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import type { FrameLocator, Locator } from "playwright-core";
import { asideFolder } from "../../src/core/cleanup/aside";
import type { SavepointRecord } from "../../src/core/ledger/record";
import { rootFolder, startFlink, type TestFlink } from "../rig/flink";
import { inWorkbench, type WorkbenchPage } from "../rig/page";
import { onDisk, savepointFolders, scratchFolder } from "../e2e/support/disk";
import { savepointRecord } from "../unit/ledgerSamples";
import { Keys } from "./support/keys";
import { bothThemes, pictures, Scene } from "./support/scene";

const extensionsFrom = process.env["RIG_VSIX"] ?? await rootFolder();
const hour = 3_600_000;
const jobName = "enrich-orders";

const pageOf = (page: WorkbenchPage): FrameLocator => page.page.frameLocator("iframe.webview.ready:visible").frameLocator("#active-frame");
const rowsOf = (view: FrameLocator): Locator => view.getByRole("grid", { name: "History" }).locator(".rows [role=row]");

/** Savepoints as a month of schedules, persons and failures leaves them; the files of those that are complete are real. */
async function month(flink: TestFlink, jobId: string, scene: Scene, directory: string): Promise<void> {
  const put = async (id: string, hoursAgo: number, changes: Partial<SavepointRecord>): Promise<void> => {
    const requestedAtMs = Date.now() - hoursAgo * hour;
    await scene.ledger.create(savepointRecord(id, { cluster: { name: "prod", url: flink.url }, job: { id: jobId, name: jobName }, description: "", directory, requestedAtMs, sentAtMs: requestedAtMs, endedAtMs: requestedAtMs + 4_000, ...changes }));
  };
  for (const [at, hoursAgo] of [2, 26, 50, 74, 98].entries()) {
    const path_ = await flink.savepoint(jobId, "savepoints", { "target-directory": `file://${directory}`, formatType: at === 3 ? "NATIVE" : "CANONICAL" });
    await put(`scheduled-${at}`, hoursAgo, { state: "completed", origin: "scheduled", format: at === 3 ? "native" : "canonical", path: path_, checkpointId: 5_000 - at * 40, sizeBytes: (4 + at * 0.1) * 2 ** 30, durationMs: 78_000 - at * 900, pinned: at === 2 });
  }
  await put("by-hand", 40 * 24, { state: "completed", origin: "manual", format: "canonical", path: "s3://state/savepoints/savepoint-ab12cd-0123456789ab", checkpointId: 2_017, sizeBytes: 3.9 * 2 ** 30, durationMs: 71_000, description: "before v2" });
  await put("failed", 27, { state: "failed", origin: "scheduled", failure: { message: "Checkpoint expired before completing.", exception: "CheckpointException" }, durationMs: 600_000 });
}

test("the page of a job in the workbench", async (context) => {
  const flink = await startFlink("2.3.0", { extraConfig: { "execution.checkpointing.savepoint-dir": "file:///tmp/savepoints" } });
  context.after(() => flink.stop());
  const directory = path.join(scratchFolder("overview"), "savepoints");
  mkdirSync(directory, { recursive: true });
  const jobId = await flink.runTestJob({ "job-name": jobName, "checkpoint-interval": "1 s" });
  await flink.waitUntilRunning(jobId);
  const workspace = scratchFolder("overview-workspace");
  const rulesFile = path.join(workspace, "flink-savepoints.json");
  writeFileSync(rulesFile, JSON.stringify({ cleanup: { enabled: true, undo: "24h", jobs: [{ job: jobName, keep: 2, maxAge: "30d" }] } }, null, 2));

  await inWorkbench({ extensionsFrom, workspace, settings: { ...bothThemes, "flinkSavepoints.clusters": [{ name: "prod", url: flink.url }] }, name: "overview" }, async (page, workbench) => {
    const scene = new Scene(workbench);
    await month(flink, jobId, scene, directory);
    await page.openView();

    await context.test("A-23, A-24: Show Overview on the job's row answers where one can go back to, and names the last good and failed ones", async () => {
      await page.contextMenu(new RegExp(`^${jobName}`), "Show Overview", page.page.locator(".tabs-container .tab").filter({ hasText: jobName }));
      const view = pageOf(page);
      await page.waitFor("the page", (timeout) => view.getByRole("heading", { level: 1, name: jobName }).waitFor({ timeout }));
      await page.waitFor("the answer", (timeout) => view.getByText(/^Go back to #5000, .*4\.0 GB/).waitFor({ timeout }));
      assert.match(await view.getByRole("region", { name: "Last failed savepoint" }).innerText(), /Checkpoint expired before completing/);
      await page.waitFor("a checkpoint", (timeout) => view.getByRole("region", { name: "Last checkpoint", exact: true }).getByText(/took/).waitFor({ timeout }));
      await page.waitFor("operators", (timeout) => view.getByRole("table").filter({ hasText: "Operator" }).getByRole("row").nth(2).waitFor({ timeout }));
      await page.waitFor("parameters", (timeout) => view.getByRole("link", { name: "execution.checkpointing.timeout" }).waitFor({ timeout }));
      await pictures(page, "overview");
      const wide = page.page.viewportSize() ?? { width: 1_400, height: 900 };
      await page.page.setViewportSize({ width: 860, height: 900 });
      const [name, buttons] = [await view.getByRole("heading", { level: 1, name: jobName }).boundingBox(), await view.getByRole("button", { name: "Open in Web UI" }).boundingBox()];
      assert.ok(name !== null && name.height < 40 && buttons !== null && buttons.x + buttons.width < 860, "the job's name stays on a line, and every button in sight");
      assert.ok(await view.locator(".scroll").evaluate((element) => element.scrollWidth <= element.clientWidth), "nothing is cut off at the side");
      await pictures(page, "overview narrow");
      await page.page.setViewportSize(wide);
      await view.getByRole("button", { name: "Over time" }).click();
      await page.waitFor("lines of the operators", (timeout) => view.getByRole("img", { name: /^size from .* in \d+ checkpoint/ }).nth(1).waitFor({ timeout }));
      await pictures(page, "overview operators over time");
      await view.getByRole("button", { name: "One checkpoint" }).click();
      await view.locator(".scroll").evaluate((element) => element.scrollTo(0, 420));
      await pictures(page, "overview history");
      await view.locator(".scroll").evaluate((element) => element.scrollTo(0, 10_000));
      await pictures(page, "overview below");
    });

    await context.test("A-25: a row of the history offers its verbs, by mouse and by keyboard", async () => {
      const view = pageOf(page);
      await view.locator(".scroll").evaluate((element) => element.scrollTo(0, 420));
      await view.getByRole("button", { name: "Savepoints", exact: true }).click();
      await rowsOf(view).filter({ hasText: "#5000" }).click();
      const verbs = view.getByRole("toolbar");
      assert.deepEqual(await verbs.getByRole("button").allInnerTexts(), ["Restore…", "Inspect", "Compare with…", "Pin", "Edit Description…", "Dispose…", "Copy Path", "Show in Tree"]);
      await page.page.keyboard.press("ArrowDown");
      await page.waitFor("the next row", (timeout) => view.locator("[role=row][aria-selected=true]").filter({ hasText: "#4960" }).waitFor({ timeout }));
      await verbs.getByRole("button", { name: "Pin", exact: true }).click();
      await page.waitFor("the pin", (timeout) => verbs.getByRole("button", { name: "Unpin" }).waitFor({ timeout }));
      assert.equal((await scene.savepoints(jobId)).find(({ id }) => id === "scheduled-1")?.pinned, true);
      await verbs.getByRole("button", { name: "Unpin" }).click();
      await page.waitFor("no pin", (timeout) => verbs.getByRole("button", { name: "Pin", exact: true }).waitFor({ timeout }));
      await verbs.getByRole("button", { name: "Inspect" }).click();
      await page.waitFor("the inspector", (timeout) => page.page.locator(".tabs-container .tab").filter({ hasText: "_metadata" }).waitFor({ timeout }));
      await page.page.locator(".tabs-container .tab").filter({ hasText: jobName }).click();
    });

    await context.test("cleanup shows what goes, what stays and why; what the preview said is what happens, and one is put back", async () => {
      const view = pageOf(page);
      await page.waitFor("the page again", (timeout) => view.getByRole("tab", { name: "Cleanup" }).waitFor({ timeout }));
      await view.getByRole("tab", { name: "Cleanup" }).click();
      await page.waitFor("the preview", (timeout) => view.getByText(/^2 savepoints go when you say so/).waitFor({ timeout }));
      assert.deepEqual(await view.getByRole("region", { name: "Goes" }).getByRole("rowheader").allInnerTexts().then((texts) => texts.map((text) => text.trim())), ["#4880", "#4840"]);
      assert.match(await view.getByRole("region", { name: "Stays" }).innerText(), /#4920[\s\S]*It is pinned[\s\S]*#2017 before v2[\s\S]*Taken by hand/);
      await pictures(page, "cleanup preview");
      await view.getByRole("button", { name: "Remove 2 savepoints…" }).click();
      assert.match(await page.modal(), /Remove 2 savepoints of enrich-orders\?[\s\S]*#4880[\s\S]*moved aside/);
      await page.answer("Remove");
      await page.waitFor("the outcome", (timeout) => view.getByText("2 savepoints removed.").waitFor({ timeout }));
      assert.equal(savepointFolders(directory).length, 3);
      assert.equal(readdirSync(path.join(directory, asideFolder)).length, 2);
      await pictures(page, "cleanup done");
      const wide = page.page.viewportSize() ?? { width: 1_400, height: 900 };
      await page.page.setViewportSize({ width: 860, height: 900 });
      await pictures(page, "cleanup narrow");
      await page.page.setViewportSize(wide);
      await view.getByRole("region", { name: "Moved aside" }).getByRole("row").filter({ hasText: "#4880" }).getByRole("button", { name: "Put Back and Pin" }).click();
      await page.waitFor("it is back", (timeout) => view.getByText(/^#4880 is back where Flink wrote it, and pinned/).waitFor({ timeout }));
      const back = (await scene.savepoints(jobId)).find(({ id }) => id === "scheduled-3");
      assert.ok(back?.pinned === true && existsSync(path.join(onDisk(back.path ?? ""), "_metadata")));
    });

    await context.test("rules act by themselves only once they are switched on here, and that is said", async () => {
      const view = pageOf(page);
      await view.getByRole("button", { name: "Switch On Here" }).click();
      await page.waitFor("the switch", (timeout) => view.getByText(/Rules also act by themselves after each scheduled savepoint/).waitFor({ timeout }));
      assert.equal((await scene.records("cleanup"))[0]?.agreed?.rules, "[2,2592000000,86400000]");
      await view.getByRole("button", { name: "Switch Off Here" }).click();
      await page.waitFor("it is off", (timeout) => view.getByRole("button", { name: "Switch On Here" }).waitFor({ timeout }));
    });

    await context.test("A-31: before a job that did not run for longer than its rules allow is restored, the question names what they would take, and that the source stays", async () => {
      const view = pageOf(page);
      writeFileSync(rulesFile, JSON.stringify({ cleanup: { enabled: true, undo: "24h", jobs: [{ job: jobName, keep: 2, maxAge: "1h" }] } }, null, 2));
      await page.waitFor("the preview of the new rules", (timeout) => view.getByText(/^1 savepoint goes when you say so/).waitFor({ timeout }));
      await view.getByRole("button", { name: "Switch On Here" }).click();
      await page.waitFor("the switch", (timeout) => view.getByText(/Rules also act by themselves after each scheduled savepoint/).waitFor({ timeout }));
      await flink.rest("PATCH", `/jobs/${jobId}?mode=cancel`);
      await flink.waitForState(jobId, "CANCELED");
      await view.getByRole("tab", { name: "Overview" }).click();
      await view.getByRole("button", { name: "Savepoints", exact: true }).click();
      await rowsOf(view).filter({ hasText: "#5000" }).click();
      await view.getByRole("toolbar").getByRole("button", { name: "Restore…" }).click();
      const keys = new Keys(page);
      for (const asks of ["Which program", "Arguments", "Parallelism", "Whose", "All is set"]) {
        await keys.question(/Restore enrich-orders from #5000/, asks);
        await keys.enter();
      }
      assert.match(await page.modal(), /Its cleanup rules \(keeps the newest 2, none older than 1 h\) take 1 savepoint of it once it runs and its next scheduled savepoint is complete: #4960\. What it is restored from stays\. Since it has paused for longer than they allow, they wait until you have looked at their preview\./);
      await pictures(page, "restore after a pause");
      await page.answer("Cancel");
      await page.waitFor("the question to close", (timeout) => page.dialog.waitFor({ state: "detached", timeout }));
    });

    await context.test("a panel comes back after a reload, and in high contrast everything has its line", async () => {
      scene.setSettings({ "window.autoDetectColorScheme": false, "workbench.colorTheme": "Default High Contrast" });
      await page.reload();
      const view = pageOf(page);
      await page.waitFor("high contrast", (timeout) => page.page.locator(".monaco-workbench.hc-black").waitFor({ timeout }));
      // Which tab was in front last, the workbench may not have written down yet.
      const tab = page.page.locator(".tabs-container .tab").filter({ hasText: jobName });
      await page.waitFor("the tab of the page", (timeout) => tab.waitFor({ timeout }), 40_000);
      await tab.click();
      await page.waitFor("the page", (timeout) => view.getByRole("tab", { name: "Cleanup" }).waitFor({ timeout }), 40_000);
      await view.getByRole("tab", { name: "Cleanup" }).click();
      await page.waitFor("the preview", (timeout) => view.getByRole("region", { name: "Stays" }).waitFor({ timeout }));
      await page.picture("cleanup high contrast");
      await view.getByRole("tab", { name: "Overview" }).click();
      await page.waitFor("a checkpoint", (timeout) => view.getByRole("region", { name: "Last checkpoint", exact: true }).getByText(/took/).waitFor({ timeout }));
      await page.waitFor("a chart", (timeout) => view.locator("svg path.series").first().waitFor({ state: "attached", timeout }));
      await page.picture("overview high contrast");
      await view.getByRole("button", { name: "Over time" }).click();
      await page.waitFor("lines of the operators", (timeout) => view.getByRole("img", { name: /^size from/ }).first().waitFor({ timeout }));
      await page.picture("overview operators high contrast");
    });
  });
});
