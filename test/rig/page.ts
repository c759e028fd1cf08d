import { mkdirSync } from "node:fs";
import path from "node:path";
import type { Locator, Page } from "playwright-core";
import { rigFromEnvironment, startBrowser } from "./server";
import { startWorkbench, type Workbench, type WorkbenchOptions } from "./workbench";

const waitMs = 20_000;
const startMs = 60_000;
/** Until a window that was loaded anew shows what it showed before. */
const settleMs = 3_000;
/** How long one attempt may take where another one helps: the workbench redraws under the pointer, and a menu ignores a click right after it opened. */
const attemptMs = 2_000;
/** What a verb asks that was not told its row. */
const asksWhich = ["hich savepoint", "hich job", "hich schedule", "hich cluster is", "hich cluster are", "hich operation's", "hich restore", "hich planned"].map((words) => `input[placeholder*="${words}"]`).join(", ");

type Name = string | RegExp;

/** A window of the workbench, driven as a person would. Every wait has a limit; when it fails it names what it waited for and leaves a picture. */
export class WorkbenchPage {
  readonly page: Page;
  readonly #pictures: string;
  readonly #close: () => Promise<void>;
  #failures = 0;
  /** Loaded anew, and no view was opened since. */
  #isFresh = false;

  constructor(page: Page, pictures: string, close: () => Promise<void>) {
    this.page = page;
    this.#pictures = pictures;
    this.#close = close;
  }

  /** Ends the browser; the extension host is told that its window is gone. */
  async close(): Promise<void> {
    await this.#close();
  }

  /** Waits for anything; fails with `what` in words and a picture. */
  async waitFor<T>(what: string, work: (timeoutMs: number) => Promise<T>, timeoutMs = waitMs): Promise<T> {
    try {
      return await work(timeoutMs);
    } catch (error) {
      const file = await this.picture(`failed-${++this.#failures}-${what}`).catch(() => "no picture");
      throw new Error(`waited ${timeoutMs / 1000} s for ${what} (${file})`, { cause: error });
    }
  }

  /** Where something is, in pixels of the window. The editor draws its lines anew after a change, and then what is on them is nowhere for a moment. */
  async placeOf(what: string, locator: Locator): Promise<{ readonly x: number; readonly y: number; readonly width: number; readonly height: number }> {
    return this.waitFor(`the place of ${what}`, async (timeout) => {
      for (const untilMs = Date.now() + timeout; ; await this.page.waitForTimeout(50)) {
        const left = Math.max(1, untilMs - Date.now());
        await locator.first().waitFor({ state: "attached", timeout: left });
        const box = await locator.first().boundingBox({ timeout: left }).catch(() => null);
        if (box !== null) return box;
        if (left === 1) throw new Error(`${what} is not on the screen`);
      }
    });
  }

  /** Saves a picture of the window and resolves to its file. */
  async picture(name: string): Promise<string> {
    mkdirSync(this.#pictures, { recursive: true });
    const file = path.join(this.#pictures, `${name.replaceAll(/[^\p{L}\p{N}]+/gu, "-").replaceAll(/^-|-$/g, "").slice(0, 80)}.png`);
    await this.page.screenshot({ path: file });
    return file;
  }

  /**
   * Waits until VS Code has written down what is open, with this in it: a part of the JSON that a panel keeps. It does so some seconds after a change, and a
   * window that is loaded anew before shows what was open earlier.
   */
  async editorsKept(text: string): Promise<void> {
    let seen: readonly string[] = [];
    await this.waitFor(`VS Code to write down ${text}`, async (timeout) => {
      for (const untilMs = Date.now() + timeout; ; await this.page.waitForTimeout(200)) {
        // It is text within text within text.
        seen = (await this.page.evaluate(openEditorsOf)).map((one) => one.replaceAll("\\", ""));
        if (seen.some((one) => one.includes(text))) return;
        if (Date.now() > untilMs) throw new Error(`it wrote ${seen.join("\n").slice(0, 2_000)}`);
      }
    }, startMs);
  }

  /** Loads the window anew, as *Reload Window* does. */
  async reload(): Promise<void> {
    await this.page.reload({ timeout: startMs });
    this.#isFresh = true;
    await this.ready();
  }

  /** Waits until the workbench stands and knows the extension's view. */
  async ready(): Promise<void> {
    await this.waitFor("the workbench", (timeout) => this.page.locator(".monaco-workbench").waitFor({ timeout }), startMs);
    await this.waitFor("the activity bar", (timeout) => this.page.locator(".activitybar [role=tab]").first().waitFor({ timeout }), startMs);
  }

  /** Shows a view container by its name in the activity bar. */
  async openView(name: Name = "Flink Savepoints"): Promise<void> {
    const isFresh = this.#isFresh;
    const tab = this.page.locator(".activitybar").getByRole("tab", { name }).first();
    await this.waitFor(`the tab ${name} of the activity bar`, (timeout) => tab.waitFor({ timeout }), startMs);
    const shown = this.page.locator(".part.sidebar").getByRole("heading", { name });
    // A window that is loaded anew shows by itself what it showed before, and a click on what is shown hides it.
    await this.waitFor(`the view container ${name}`, (timeout) => again(async () => {
      if (await tab.getAttribute("aria-selected") !== "true") await tab.click({ timeout: attemptMs });
      await this.page.locator("[aria-selected=true]").and(tab).waitFor({ timeout: attemptMs });
      await shown.first().waitFor({ timeout: attemptMs });
      if (!isFresh) return;
      // What it shows by itself may come after a click, and instead of what was clicked.
      await this.page.waitForTimeout(settleMs);
      if (await tab.getAttribute("aria-selected") !== "true") throw new Error("the window showed another view again");
      this.#isFresh = false;
    }, timeout), startMs);
  }

  /** Drags the side bar to a width in pixels, so that long rows can be read. */
  async widenSideBar(width: number): Promise<void> {
    await this.waitFor("the edge of the side bar", async (timeout) => {
      const bar = await this.page.locator(".part.sidebar").boundingBox({ timeout });
      if (bar === null) throw new Error("the side bar is hidden");
      const edge = { x: bar.x + bar.width, y: bar.y + bar.height / 2 };
      await this.page.mouse.move(edge.x, edge.y);
      await this.page.mouse.down();
      await this.page.mouse.move(bar.x + width, edge.y, { steps: 4 });
      await this.page.mouse.up();
    });
  }

  /** A row of a tree by its accessible label, the first one that fits. */
  treeItem(name: Name): Locator {
    return this.page.getByRole("treeitem", { name }).first();
  }

  /** Waits for a row and resolves to it. */
  async row(name: Name, timeoutMs = waitMs): Promise<Locator> {
    const row = this.treeItem(name);
    await this.waitFor(`the row ${name}`, (timeout) => row.waitFor({ timeout }), timeoutMs);
    return row;
  }

  /** Waits until no row fits. */
  async rowGone(name: Name, timeoutMs = waitMs): Promise<void> {
    await this.waitFor(`the row ${name} to go`, (timeout) => this.treeItem(name).waitFor({ state: "detached", timeout }), timeoutMs);
  }

  /** Accessible labels of the visible rows, top to bottom. */
  async rows(): Promise<string[]> {
    const rows = await this.page.getByRole("treeitem").all();
    return (await Promise.all(rows.map((row) => row.getAttribute("aria-label")))).map((label) => label ?? "");
  }

  /** Opens a row unless it is open. A click goes nowhere in the moment when rows are drawn anew, so it is made again. */
  async expand(name: Name): Promise<Locator> {
    const row = await this.row(name);
    await this.waitFor(`the row ${name} to open`, (timeout) => again(async () => {
      const expanded = await row.getAttribute("aria-expanded", { timeout: attemptMs });
      if (expanded === null) return;
      if (expanded === "false") await row.locator(".monaco-tl-twistie").click({ timeout: attemptMs });
      await this.page.locator("[role=treeitem][aria-expanded=true]").and(row).waitFor({ timeout: attemptMs });
    }, timeout));
    return row;
  }

  /** Clicks a button that stands in a row, which shows while the pointer is on the row, and waits for what the verb shows then; see `#aimed`. */
  async inlineAction(name: Name, button: Name, shows: Locator): Promise<void> {
    await this.row(name);
    await this.#aimed(`the button ${button} in the row ${name}`, async (timeout) => {
      const row = this.treeItem(name);
      await row.hover({ timeout });
      await row.getByRole("button", { name: button }).click({ timeout });
    }, shows);
  }

  /** Chooses from a row's context menu, and waits for what the verb shows then; see `#aimed`. */
  async contextMenu(name: Name, entry: Name, shows: Locator): Promise<void> {
    await this.row(name);
    const item = this.#menu.getByRole("menuitem", { name: entry }).first();
    await this.#aimed(`the entry ${entry} in the context menu of ${name}`, (timeout) => again(async () => {
      await this.#openMenu(name);
      await item.waitFor({ timeout: attemptMs });
      await again(async () => {
        if (await item.isVisible()) await item.click({ timeout: attemptMs });
        await this.#menu.waitFor({ state: "detached", timeout: attemptMs });
      }, timeout);
    }, timeout), shows);
  }

  /** The modal question that is open, if any. */
  get dialog(): Locator {
    return this.page.locator(".monaco-dialog-box");
  }

  /** Waits for a modal question and resolves to its text, detail included. */
  async modal(timeoutMs = waitMs): Promise<string> {
    const box = this.dialog;
    return this.waitFor("a modal question", async (timeout) => {
      await box.waitFor({ timeout });
      return box.locator(".dialog-message-container").innerText({ timeout });
    }, timeoutMs);
  }

  /** Answers a modal question by the name of a button. */
  async answer(button: Name): Promise<void> {
    await this.waitFor(`the button ${button} of the question`, async (timeout) => {
      // Another question may stand there the moment this one closes.
      const asked = await this.dialog.elementHandle({ timeout });
      await this.dialog.getByRole("button", { name: button }).click({ timeout });
      await asked?.waitForElementState("hidden", { timeout });
    });
  }

  /** The notification that says this, if there is one. */
  notification(text: Name): Locator {
    return this.page.locator(".notification-toast").filter({ hasText: text }).first();
  }

  /** Waits for a notification that says this. */
  async toast(text: Name, timeoutMs = waitMs): Promise<Locator> {
    const toast = this.notification(text);
    await this.waitFor(`the notification ${text}`, (timeout) => toast.waitFor({ timeout }), timeoutMs);
    return toast;
  }

  /** Clicks a button of a notification. */
  async toastAction(text: Name, button: Name): Promise<void> {
    const toast = await this.toast(text);
    await this.waitFor(`the button ${button} of the notification ${text}`, async (timeout) => {
      await toast.hover({ timeout });
      await toast.getByRole("button", { name: button }).click({ timeout });
    });
  }

  /** The picker or input with this title, if it is open. */
  question(title: Name): Locator {
    return this.page.locator(".quick-input-widget:visible").filter({ has: this.page.locator(".quick-input-titlebar, .quick-input-header, .quick-input-message").filter({ hasText: title }) });
  }

  /** Waits for a picker or an input with this title and resolves to its rows. */
  async picker(title: Name): Promise<string[]> {
    const widget = this.question(title);
    await this.waitFor(`the picker ${title}`, (timeout) => widget.waitFor({ timeout }));
    return widget.locator(".quick-input-list .monaco-list-row").allInnerTexts();
  }

  /** Chooses the row that says this in the picker with this title. */
  async choose(title: Name, row: Name): Promise<void> {
    const widget = this.question(title);
    await this.waitFor(`the entry ${row} of the picker ${title}`, async (timeout) => {
      await widget.waitFor({ timeout });
      await widget.locator(".quick-input-list .monaco-list-row").filter({ hasText: row }).first().click({ timeout });
    });
  }

  /** Types into the input or picker with this title, over what stands there, and accepts it. */
  async type(title: Name, text: string, accept = true): Promise<void> {
    const widget = this.question(title);
    await this.waitFor(`the input ${title}`, async (timeout) => {
      await widget.waitFor({ timeout });
      await widget.locator("input[type=text], input[type=password]").first().fill(text, { timeout });
    });
    if (accept) await this.page.keyboard.press("Enter");
  }

  /** Runs a command from the palette by its full title, `Flink Savepoints: Refresh`. */
  async command(title: string): Promise<void> {
    const widget = this.page.locator(".quick-input-widget:visible");
    await this.waitFor(`the command ${title} in the palette`, async (timeout) => {
      // A menu or question that is just closing swallows the key.
      for (const start = Date.now(); !await widget.isVisible() && Date.now() - start < timeout; await this.page.waitForTimeout(500)) await this.page.keyboard.press("F1");
      await widget.locator("input").first().fill(`>${title}`, { timeout });
      await widget.locator(".quick-input-list .monaco-list-row").filter({ hasText: title }).first().click({ timeout });
    });
  }

  /** Waits for an entry of the status bar that says this. */
  async statusBar(text: Name, timeoutMs = waitMs): Promise<Locator> {
    const item = this.page.locator(".statusbar-item").filter({ hasText: text }).first();
    await this.waitFor(`the status bar to say ${text}`, (timeout) => item.waitFor({ timeout }), timeoutMs);
    return item;
  }

  /** What the clipboard holds. */
  async clipboard(): Promise<string> {
    return this.page.evaluate(() => navigator.clipboard.readText());
  }

  get #menu(): Locator {
    return this.page.locator(".monaco-menu").first();
  }

  /**
   * Runs a verb on a row and waits for what it shows. While VS Code draws rows again it knows none of them, and a verb that is chosen then gets no
   * row and asks which one is meant: that question is left, and the verb chosen again.
   */
  async #aimed(what: string, choose: (timeoutMs: number) => Promise<void>, shows: Locator): Promise<void> {
    const aimless = this.page.locator(".quick-input-widget:visible").filter({ has: this.page.locator(asksWhich) });
    await this.waitFor(what, (timeout) => again(async () => {
      await choose(timeout);
      // What it shows may lie in a frame, which `or` would look for both in.
      for (const untilMs = Date.now() + timeout; !(await aimless.isVisible()); await this.page.waitForTimeout(50)) {
        if (await shows.first().isVisible()) return;
        if (Date.now() > untilMs) throw new Error("the verb showed nothing");
      }
      await this.page.keyboard.press("Escape");
      await aimless.waitFor({ state: "hidden", timeout });
      throw new Error("the row was lost on the way: the verb asked which one is meant");
    }, timeout), startMs);
  }

  /** Opens a row's context menu, once. Rows may move between aiming and clicking: throws, with no menu left open, unless it is that row's. */
  async #openMenu(name: Name): Promise<void> {
    if (await this.#menu.isVisible()) await this.#closeMenu();
    await this.treeItem(name).click({ button: "right", timeout: attemptMs });
    await this.#menu.waitFor({ timeout: attemptMs });
    if (await this.page.getByRole("treeitem", { name }).and(this.page.locator(".monaco-list-row.focused")).count() > 0) return;
    await this.#closeMenu();
    throw new Error("the menu is another row's");
  }

  async #closeMenu(): Promise<void> {
    await this.page.keyboard.press("Escape");
    await this.#menu.waitFor({ state: "detached", timeout: attemptMs });
  }
}

/** What VS Code has written down of the editors of each window, in the browser, where this runs. */
async function openEditorsOf(): Promise<string[]> {
  const found: string[] = [];
  for (const { name = "" } of await indexedDB.databases()) {
    if (!name.startsWith("vscode-web-state-db-")) continue;
    const done = <T>(request: IDBRequest<T>): Promise<T> => new Promise((resolve, reject) => Object.assign(request, { onsuccess: () => resolve(request.result), onerror: () => reject(request.error ?? new Error("IndexedDB")) }));
    const database = await done(indexedDB.open(name));
    try {
      if (!database.objectStoreNames.contains("ItemTable")) continue;
      const value: unknown = await done(database.transaction("ItemTable").objectStore("ItemTable").get("memento/workbench.parts.editor"));
      if (typeof value === "string") found.push(value);
    } finally {
      database.close();
    }
  }
  return found;
}

/** Does something again until it works; throws its last failure once the time is over. */
async function again<T>(work: () => Promise<T>, timeoutMs: number): Promise<T> {
  for (const start = Date.now(); ;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() - start > timeoutMs) throw error;
    }
  }
}

/** Opens a workbench in a browser of its own. Pictures go to `.rig/pictures/<name>/`. */
export async function openPage(workbench: { readonly url: string }, options: { readonly name: string; readonly width?: number; readonly height?: number }): Promise<WorkbenchPage> {
  const rig = rigFromEnvironment();
  const browser = await startBrowser(rig);
  try {
    const context = await browser.newContext({ viewport: { width: options.width ?? 1400, height: options.height ?? 900 }, permissions: ["clipboard-read", "clipboard-write"] });
    const page = await context.newPage();
    const close = async (): Promise<void> => {
      // Leaving the page says goodbye to the extension host, which deactivates; ending the browser alone would leave it waiting.
      await page.goto("about:blank").catch(() => undefined);
      await browser.close();
    };
    const opened = new WorkbenchPage(page, path.join(rig.scratch, "pictures", options.name), close);
    await page.goto(workbench.url, { timeout: startMs });
    await opened.ready();
    return opened;
  } catch (error) {
    await browser.close();
    throw error;
  }
}

/** Starts a workbench and a page, hands them to `body`, and ends both whatever happens; a failure leaves a picture. */
export async function inWorkbench(options: WorkbenchOptions & { readonly name: string }, body: (page: WorkbenchPage, workbench: Workbench) => Promise<void>): Promise<void> {
  const workbench = await startWorkbench(options);
  try {
    const page = await openPage(workbench, { name: options.name });
    try {
      await body(page, workbench);
    } catch (error) {
      await page.picture("at-the-end").catch(() => undefined);
      throw error;
    } finally {
      await page.close();
    }
  } finally {
    await workbench.stop();
  }
}
