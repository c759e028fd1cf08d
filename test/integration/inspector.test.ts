import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as vscode from "vscode";
import { test } from "./harness";
import { api, eventually, extensionUnderTest } from "./underTest";

const inspectorTabs = (): vscode.TabInputCustom[] => vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs).flatMap(({ input }) => (input instanceof vscode.TabInputCustom && input.viewType === "flinkSavepoints.inspector" ? [input] : []));
const closeAll = (): Thenable<unknown> => vscode.commands.executeCommand("workbench.action.closeAllEditors");

/** A copy of a savepoint of ours; gone after the body. */
async function withSavepoint(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "flink-savepoints-inspected-"));
  cpSync(path.join(extensionUnderTest().extensionPath, "test", "fixtures", "metadata", "2.3.0", "canonical"), folder, { recursive: true });
  try {
    await api();
    await body(folder);
  } finally {
    await closeAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

test("a _metadata opens in the inspector, and every savepoint and checkpoint by Inspect", () => withSavepoint(async (folder) => {
  const file = vscode.Uri.file(path.join(folder, "_metadata"));
  await vscode.commands.executeCommand("vscode.open", file);
  await eventually("the inspector as the editor of the file", () => (inspectorTabs().some(({ uri }) => uri.fsPath === file.fsPath) ? true : undefined));
  await closeAll();
  const ref = { cluster: "http://localhost:1", jobId: "ab".repeat(16), checkpointId: 3 };
  for (const location of [folder, `file:${folder}`, `file://${folder}/_metadata`]) {
    await vscode.commands.executeCommand("flinkSavepoints.inspect", { ...ref, path: location });
    await eventually(`the inspector of ${location}`, () => (inspectorTabs().some(({ uri }) => uri.fsPath === file.fsPath) ? true : undefined));
    assert.equal(inspectorTabs().length, 1, "the same file has one editor");
    await closeAll();
  }
}), 40_000);

test("what is not here opens no editor", () => withSavepoint(async (folder) => {
  const ref = { cluster: "http://localhost:1", jobId: "ab".repeat(16), checkpointId: 3 };
  for (const location of ["s3://state/savepoint-1", path.join(folder, "nothing")]) await vscode.commands.executeCommand("flinkSavepoints.inspect", { ...ref, path: location });
  assert.deepEqual(inspectorTabs(), []);
}));
