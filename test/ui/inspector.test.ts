import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import type { FrameLocator, Locator } from "playwright-core";
import { rootFolder } from "../rig/flink";
import { inWorkbench, type WorkbenchPage } from "../rig/page";
import { wideMetadata } from "../unit/wideMetadata";
import { bothThemes, pictures } from "./support/scene";

const root = await rootFolder();
const extensionsFrom = process.env["RIG_VSIX"] ?? root;

/** A folder with a savepoint of each kind. */
const workspace = mkdtempSync(path.join(tmpdir(), "flink-savepoints-inspector-"));
after(() => rmSync(workspace, { recursive: true, force: true }));
for (const kind of ["canonical", "unaligned-checkpoint"]) cpSync(path.join(root, "test", "fixtures", "metadata", "2.3.0", kind), path.join(workspace, kind), { recursive: true });
const put = (name: string, bytes: Uint8Array): void => {
  mkdirSync(path.join(workspace, name), { recursive: true });
  writeFileSync(path.join(workspace, name, "_metadata"), bytes);
};
put("huge", wideMetadata({ operators: 10_000, subtasks: 10, files: 10 }));
put("ten-megabytes", wideMetadata({ operators: 1_000, subtasks: 12, files: 10 }));
const whole = wideMetadata({ operators: 40, subtasks: 8, files: 6 });
put("damaged", whole.subarray(0, Math.floor(whole.length * 0.7)));

/** The inspector's page in the active editor. */
function inspectorOf(page: WorkbenchPage): FrameLocator {
  return page.page.frameLocator("iframe.webview.ready:visible").frameLocator("#active-frame");
}

async function fileBelow(page: WorkbenchPage, folder: string): Promise<Locator> {
  await page.expand(folder);
  // Rows come in the order of the tree, so the first file after its folder is the one below it.
  const file = page.page.locator(`.explorer-folders-view [role=treeitem][aria-label="${folder}"] ~ [role=treeitem][aria-label="_metadata"], .explorer-folders-view [role=treeitem][aria-label^="_metadata"]`).first();
  await page.waitFor(`the file below ${folder}`, (timeout) => file.waitFor({ timeout }));
  return file;
}

/** Opens a folder's metadata with a click, and closes the folder so that the next one's is the only one in sight. */
async function openFolder(page: WorkbenchPage, folder: string): Promise<FrameLocator> {
  const file = await fileBelow(page, folder);
  await file.dblclick();
  const inspector = inspectorOf(page);
  await page.waitFor(`the inspector of ${folder}`, (timeout) => inspector.getByRole("heading", { level: 1 }).waitFor({ timeout }));
  const row = await page.row(folder);
  await row.click();
  return inspector;
}

/** Rows of a grid by its name, headings left out. */
const rowsOf = (inspector: FrameLocator, grid: string): Locator => inspector.getByRole("grid", { name: grid, exact: true }).locator(".rows [role=row]");

test("the inspector in the workbench", async (context) => {
  await inWorkbench({ extensionsFrom, workspace, settings: bothThemes, name: "inspector" }, async (page) => {
    await page.openView("Explorer");

    await context.test("a small savepoint shows its head, its operators, and one's states, subtasks, key groups", async () => {
      const inspector = await openFolder(page, "canonical");
      await page.waitFor("the operators", (timeout) => rowsOf(inspector, "Operators").nth(2).waitFor({ timeout }));
      assert.match(await inspector.getByRole("heading", { level: 1 }).innerText(), /^#1 · canonical savepoint · Flink 2\.1 to 2\.3 \(format 6\)$/);
      await page.waitFor("the files to be checked", (timeout) => inspector.getByText("4 files, all present").waitFor({ timeout }));
      await page.waitFor("the verdict", (timeout) => inspector.getByText("Self-contained: the folder can be moved").waitFor({ timeout }));
      await pictures(page, "small");
      await rowsOf(inspector, "Operators").filter({ hasText: "keyed" }).first().click();
      await page.waitFor("its states", (timeout) => rowsOf(inspector, "States").filter({ hasText: "recent" }).waitFor({ timeout }));
      await pictures(page, "small states");
      await inspector.getByRole("button", { name: "Count entries" }).click();
      await page.waitFor("entries", (timeout) => inspector.getByRole("button", { name: "Count entries" }).waitFor({ state: "detached", timeout }));
      await inspector.getByRole("tab", { name: "Subtasks and files" }).click();
      await page.waitFor("handles", (timeout) => rowsOf(inspector, "Handles").first().waitFor({ timeout }));
      await pictures(page, "small subtasks");
      await inspector.getByRole("tab", { name: "Key groups" }).click();
      await page.waitFor("bars", (timeout) => inspector.getByRole("img").waitFor({ timeout }));
      await pictures(page, "small key groups");
      await inspector.getByRole("tab", { name: "Facts" }).click();
      await pictures(page, "small facts");
    });

    await context.test("a damaged savepoint shows what could be read, and where it breaks off", async () => {
      const inspector = await openFolder(page, "damaged");
      await page.waitFor("the problem", (timeout) => inspector.getByText("The file ends here").waitFor({ timeout }));
      await page.waitFor("the operators", (timeout) => rowsOf(inspector, "Operators").nth(2).waitFor({ timeout }));
      await pictures(page, "damaged");
    });

    await context.test("a huge savepoint answers at once", async () => {
      const inspector = await openFolder(page, "huge");
      await page.waitFor("the operators", (timeout) => rowsOf(inspector, "Operators").nth(2).waitFor({ timeout }));
      await pictures(page, "huge");
      await rowsOf(inspector, "Operators").nth(3).click();
      await page.waitFor("its detail", (timeout) => inspector.getByRole("tab", { name: "Facts" }).waitFor({ timeout }));
      await inspector.getByRole("tab", { name: "Subtasks and files" }).click();
      await page.waitFor("handles", (timeout) => rowsOf(inspector, "Handles").first().waitFor({ timeout }));
      await pictures(page, "huge subtasks");
    });
  });
});
