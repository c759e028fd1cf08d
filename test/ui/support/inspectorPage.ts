import type { FrameLocator, Locator } from "playwright-core";
import type { WorkbenchPage } from "../../rig/page";

/** The inspector's page in the active editor. */
export function inspectorOf(page: WorkbenchPage): FrameLocator {
  return page.page.frameLocator("iframe.webview.ready:visible").frameLocator("#active-frame");
}

/** The row of the `_metadata` in a folder of VS Code's own explorer, which it opens. */
export async function fileBelow(page: WorkbenchPage, folder: string): Promise<Locator> {
  await page.expand(folder);
  // Rows are drawn in any order; their index is that of the tree.
  const index = await page.waitFor(`the file below ${folder}`, async (timeout) => (await page.page.waitForFunction((name) => {
    const rows = [...document.querySelectorAll<HTMLElement>(".explorer-folders-view .monaco-list-row")].map((row) => ({ index: Number(row.dataset["index"]), label: row.getAttribute("aria-label") ?? "" }));
    const above = rows.find(({ label }) => label === name);
    return rows.filter((row) => above !== undefined && row.index > above.index && row.label.startsWith("_metadata")).map((row) => row.index).sort((left, right) => left - right)[0];
  }, folder, { timeout })).jsonValue());
  return page.page.locator(`.explorer-folders-view .monaco-list-row[data-index="${index}"]`);
}

/** Rows of a grid by its name, headings left out. */
export const rowsOf = (inspector: FrameLocator, grid: string): Locator => inspector.getByRole("grid", { name: grid, exact: true }).locator(".rows [role=row]");

/** Milliseconds from a click in the workbench to the first rows on the screen, by the browser's one clock. */
export async function clickToRows(page: WorkbenchPage, folder: string): Promise<number> {
  const file = await fileBelow(page, folder);
  await file.hover();
  await page.page.evaluate(() => window.addEventListener("mousedown", () => (Object.assign(window, { pressedAtMs: performance.timeOrigin + performance.now() })), { once: true, capture: true }));
  await file.dblclick();
  const inspector = inspectorOf(page);
  await page.waitFor(`the rows of ${folder}`, (timeout) => rowsOf(inspector, "Operators").nth(2).waitFor({ timeout }));
  const shownAtMs = await inspector.locator("body").evaluate(() => performance.timeOrigin + (performance.getEntriesByName("operators-shown")[0]?.startTime ?? Number.NaN));
  const pressedAtMs = await page.page.evaluate(() => (window as unknown as { pressedAtMs: number }).pressedAtMs);
  await (await page.row(folder)).click();
  return shownAtMs - pressedAtMs;
}
