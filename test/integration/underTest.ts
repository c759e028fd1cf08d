import * as vscode from "vscode";
import type { Api } from "../../src/extension";

/** The extension that these tests run in. */
const extensionId = "flink-savepoints.flink-savepoints";

/** The extension; throws when the host has none. */
export function extensionUnderTest(): vscode.Extension<Api> {
  const extension = vscode.extensions.getExtension<Api>(extensionId);
  if (extension === undefined) throw new Error(`${extensionId} is not installed`);
  return extension;
}

/** The extension's interface for tests; activates it. */
export function api(): Thenable<Api> {
  return extensionUnderTest().activate();
}

/** Writes a setting of ours to the user's settings; undefined takes it out. */
export async function set(key: string, value: unknown): Promise<void> {
  await vscode.workspace.getConfiguration("flinkSavepoints").update(key, value, vscode.ConfigurationTarget.Global);
}

/** Waits until `look` returns something, asking every 100 ms; fails with the last thing seen. */
export async function eventually<T>(what: string, look: () => T | undefined | Promise<T | undefined>, limitMs = 15_000): Promise<T> {
  const endMs = Date.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > endMs) throw new Error(`${what}: not within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
