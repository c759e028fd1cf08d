import assert from "node:assert/strict";
import type { WorkbenchPage } from "../../rig/page";

/** Drives a workbench with the keyboard and nothing else. */
export class Keys {
  readonly #page: WorkbenchPage;

  constructor(page: WorkbenchPage) {
    this.#page = page;
  }

  /** Presses keys one after another. */
  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#page.page.keyboard.press(key);
  }

  async type(text: string): Promise<void> {
    await this.#page.page.keyboard.type(text);
  }

  /** Runs a command from the palette by its title. */
  async command(title: string): Promise<void> {
    await this.press("F1");
    const widget = this.#page.page.locator(".quick-input-widget:visible");
    await this.#page.waitFor("the palette", (timeout) => widget.waitFor({ timeout }));
    await this.type(title);
    const first = widget.locator(".monaco-list-row.focused").filter({ hasText: title });
    await this.#page.waitFor(`${title} to be the first in the palette`, (timeout) => first.waitFor({ timeout }));
    await this.press("Enter");
  }

  /** The accessible label of the row that has the keyboard, or an empty text. */
  async focusedRow(): Promise<string> {
    return this.#page.page.evaluate(() => document.querySelector(".monaco-list:focus-within .monaco-list-row.focused[role=treeitem]")?.getAttribute("aria-label") ?? "");
  }

  /** Moves through the tree with arrow keys, from its top, until a row like this has the keyboard. Rows may come and go meanwhile, so it begins anew twice. */
  async goTo(row: RegExp): Promise<void> {
    await this.#page.row(row);
    let last = "";
    for (let tries = 0; tries < 3; tries++) {
      await this.press("Home");
      for (let moves = 0; moves < 60; moves++) {
        last = await this.focusedRow();
        if (row.test(last)) return;
        await this.press("ArrowDown");
        const hasMoved = await this.#page.waitFor(`the focus to leave ${last}`, (timeout) => this.#moved(last, timeout), 2_000).then(() => true, () => false);
        if (!hasMoved) break;
      }
    }
    assert.fail(`the arrow keys found no row ${row.source}; they ended on ${last}`);
  }

  /** Waits for a question by its title, and by what it asks if that is given, until keys reach it. Resolves to its text. */
  async question(title: RegExp, asks = ""): Promise<string> {
    const { page } = this.#page;
    const widget = page.locator(".quick-input-widget:visible").filter({ has: page.locator(".quick-input-title").filter({ hasText: title }) });
    const asking = widget.filter({ has: page.locator(`.quick-input-message:has-text("${asks}"), input[placeholder*="${asks}"]`) });
    await this.#page.waitFor(`the question ${title.source} ${asks}`, async (timeout) => {
      await asking.waitFor({ timeout });
      // A tree that is drawn again in the moment when it loses the focus takes it back (`CustomTreeView.doRefresh`): a person clicks into the question.
      const focused = asking.locator("input:focus").first();
      for (const start = Date.now(); await focused.count() === 0 && Date.now() - start < timeout; await focused.waitFor({ timeout: 1_000 }).catch(() => undefined)) await asking.locator("input[type=text], input[type=password]").first().focus({ timeout });
    });
    const list = widget.locator(".quick-input-list");
    if (await list.isVisible()) await this.#page.waitFor(`an entry of ${title.source} to be chosen`, (timeout) => list.locator(".monaco-list-row.focused").waitFor({ timeout }));
    return widget.innerText();
  }

  /** Answers a question's steps with Enter, one after the other, up to the last of them. */
  async enterThrough(title: string, from: number, to: number, total: number): Promise<void> {
    for (let step = from; step <= to; step++) {
      await this.question(new RegExp(`${title}.*\\(${step}/${total}\\)`));
      await this.enter();
    }
  }

  /** Presses Enter in the question that is open. */
  async enter(): Promise<void> {
    await this.#page.page.locator(".quick-input-widget:visible input[type=text], .quick-input-widget:visible input[type=password]").first().press("Enter");
  }

  /** Chooses from the context menu of the row that has the keyboard, with arrow keys. */
  async contextMenu(entry: string): Promise<void> {
    await this.press("Shift+F10");
    const items = this.#page.page.locator(".monaco-menu .action-item");
    await this.#page.waitFor("the context menu", (timeout) => items.first().waitFor({ timeout }));
    const focused = this.#page.page.locator(".monaco-menu .action-item.focused");
    for (let moves = 0; moves < 30; moves++) {
      await this.press("ArrowDown");
      if ((await focused.innerText({ timeout: 2_000 })).trim().startsWith(entry)) {
        await this.press("Enter");
        await this.#page.waitFor("the menu to close", (timeout) => this.#page.page.locator(".monaco-menu").first().waitFor({ state: "detached", timeout }));
        return;
      }
    }
    assert.fail(`the context menu has no entry ${entry}`);
  }

  /** Answers a modal with the button of this name: Tab until it has the keyboard, then Enter. */
  async answer(button: string): Promise<void> {
    const box = this.#page.page.locator(".monaco-dialog-box");
    await this.#page.waitFor("a modal question", (timeout) => box.waitFor({ timeout }), 60_000);
    const focused = box.locator(".monaco-button:focus");
    for (let moves = 0; moves < 10; moves++) {
      if (await focused.count() > 0 && (await focused.innerText()).trim() === button) {
        await this.press("Enter");
        await this.#page.waitFor("the question to close", (timeout) => box.waitFor({ state: "detached", timeout }));
        return;
      }
      await this.press("Tab");
    }
    assert.fail(`the question has no button ${button}`);
  }

  async #moved(from: string, timeoutMs: number): Promise<void> {
    for (const endMs = Date.now() + timeoutMs; await this.focusedRow() === from; await this.#page.page.waitForTimeout(10)) if (Date.now() > endMs) throw new Error(`the focus is still on ${from}`);
  }
}

/** Counts presses of a mouse or finger from now on; ask with the result. */
export async function watchForMouse(page: WorkbenchPage): Promise<() => Promise<number>> {
  await page.page.evaluate(() => {
    const counts = window as unknown as { presses: number };
    counts.presses = 0;
    for (const kind of ["mousedown", "pointerdown", "contextmenu"]) window.addEventListener(kind, (event) => (counts.presses += (event as MouseEvent).button === 0 && kind === "contextmenu" ? 0 : 1), true);
  });
  return () => page.page.evaluate(() => (window as unknown as { presses: number }).presses);
}
