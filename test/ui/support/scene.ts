import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { openLedger } from "../../../src/clients/ledgerFiles";
import { systemClock } from "../../../src/core/base/async";
import type { LedgerRecord, SavepointRecord } from "../../../src/core/ledger/record";
import type { Ledger } from "../../../src/core/ledger/store";
import { quietLog } from "../../rig/flink";
import type { WorkbenchPage } from "../../rig/page";
import { darkTheme, lightTheme, type Workbench } from "../../rig/workbench";

/** Settings with which the theme follows the browser's, so that `pictures` can show both. */
export const bothThemes = {
  "window.autoDetectColorScheme": true, "workbench.preferredDarkColorTheme": darkTheme["workbench.colorTheme"], "workbench.preferredLightColorTheme": lightTheme["workbench.colorTheme"],
} as const;

/** Pictures of the window as it is, in the dark and in the light theme. The workbench needs `bothThemes`. */
export async function pictures(page: WorkbenchPage, name: string): Promise<void> {
  for (const [scheme, mark] of [["light", "vs"], ["dark", "vs-dark"]] as const) {
    await page.page.emulateMedia({ colorScheme: scheme });
    await page.waitFor(`the ${scheme} theme`, (timeout) => page.page.locator(`.monaco-workbench.${mark}`).waitFor({ timeout }));
    await page.picture(`${name} ${scheme}`);
  }
}

/** What a workbench keeps on the disk, seen from outside: settings, ledger and log. */
export class Scene {
  readonly #workbench: Workbench;
  readonly ledger: Ledger;

  constructor(workbench: Workbench) {
    this.#workbench = workbench;
    this.ledger = openLedger({ folder: this.ledgerFolder, log: quietLog, clock: systemClock });
  }

  get ledgerFolder(): string {
    return path.join(this.#workbench.userDataDir, "User", "globalStorage", "flink-savepoints.flink-savepoints", "ledger");
  }

  /** Everything the extension has logged, of all windows and hosts. */
  log(): string {
    const logs = path.join(this.#workbench.userDataDir, "logs");
    return filesBelow(logs).filter((file) => file.endsWith("Flink Savepoints.log")).map((file) => readFileSync(file, "utf8")).join("\n");
  }

  settings(): Record<string, unknown> {
    return JSON.parse(readFileSync(this.#settingsFile, "utf8")) as Record<string, unknown>;
  }

  /** Changes user settings on the disk; a window takes them over when it is loaded anew. */
  setSettings(change: Readonly<Record<string, unknown>>): void {
    writeFileSync(this.#settingsFile, JSON.stringify({ ...this.settings(), ...change }, null, 2));
  }

  async records<K extends LedgerRecord["kind"]>(kind: K): Promise<readonly Extract<LedgerRecord, { kind: K }>[]> {
    return (await this.ledger.all()).filter((record): record is Extract<LedgerRecord, { kind: K }> => record.kind === kind);
  }

  /** The savepoints of a job in the ledger, newest first. */
  async savepoints(jobId: string): Promise<readonly SavepointRecord[]> {
    return (await this.records("savepoint")).filter((record) => record.job.id === jobId).sort((a, b) => b.requestedAtMs - a.requestedAtMs);
  }

  /** Files of the workbench (its storages, settings and logs) that hold one of the texts. */
  filesWith(...texts: readonly string[]): string[] {
    const home = path.dirname(this.#workbench.userDataDir);
    const files = [this.#workbench.userDataDir, path.join(home, "server")].flatMap(filesBelow);
    return files.filter((file) => {
      const content = readFileSync(file);
      return texts.some((text) => content.includes(text));
    });
  }

  get #settingsFile(): string {
    return path.join(this.#workbench.userDataDir, "User", "settings.json");
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true }).map((name) => path.join(folder, String(name))).filter((file) => {
    try {
      return statSync(file).isFile();
    } catch {
      return false;
    }
  });
}
