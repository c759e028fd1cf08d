import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
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

async function openFromFiles(page: WorkbenchPage, folder: string): Promise<Locator> {
  await page.expand(folder);
  const file = page.page.locator(".explorer-folders-view").getByRole("treeitem", { name: "_metadata" }).first();
  await page.waitFor(`the file below ${folder}`, (timeout) => file.waitFor({ timeout }));
  return file;
}

test("a small savepoint opens from the files with its head, its operators and one of them selected", async () => {
  await inWorkbench({ extensionsFrom, workspace, settings: bothThemes, name: "inspector" }, async (page) => {
    await page.openView("Explorer");
    const file = await openFromFiles(page, "canonical");
    await file.click();
    const inspector = inspectorOf(page);
    await page.waitFor("the operators", (timeout) => inspector.getByRole("row").nth(2).waitFor({ timeout }));
    await pictures(page, "small");
    assert.match(await inspector.getByRole("heading", { level: 1 }).innerText(), /canonical savepoint/);
  });
});
assert.ok(readdirSync(workspace).length > 3);
