import type * as vscode from "vscode";
import { systemClock } from "./core/base/async";
import { DisposableStore } from "./core/base/disposable";
import { once } from "./core/base/once";
import { commandTable } from "./host/commands/table";
import { registerInspector } from "./host/inspector/registration";
import { registerCommands } from "./host/platform/commands";
import type { RowData } from "./host/views/explorer";
import type { Window } from "./window";

/** What tests in the extension host see of the extension; it changes nothing. */
export interface Api {
  /** The rows below a row of the explorer (or its roots), as if it had just been opened: its cluster and job are asked first. */
  rows(parentId?: string): Promise<readonly RowData[]>;
}

/** What `activate` began; undefined until it is joined. */
let opened: Window | undefined;

/**
 * Tells VS Code who answers its commands and opens its files; nothing else belongs here, since every window waits for it. What does the work
 * is joined in `window.ts`, which is loaded once this has returned, or by the first command.
 */
export function activate(context: vscode.ExtensionContext): Api {
  const held = new DisposableStore();
  const window = once(async () => (opened = (await import("./window")).openWindow(context, held)));
  context.subscriptions.push(
    held,
    registerCommands(commandTable, async (called) => (await window()).run(called)),
    registerInspector(async () => (await window()).inspector()),
  );
  void systemClock.sleep(0).then(window).then((now) => now.begin());
  return { rows: async (parentId) => (await window()).explorer.rows(parentId) };
}

/** Stops the local Flink of this window, unless it is kept, and closes its sessions at SQL Gateways. */
export async function deactivate(): Promise<void> {
  await opened?.leave();
}
