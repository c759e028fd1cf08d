import assert from "node:assert/strict";
import { mkdtempSync, rmSync, cpSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import * as vscode from "vscode";
import { test } from "./harness";
import { api, eventually, extensionUnderTest } from "./underTest";

const fixture = (name: string): string => path.join(extensionUnderTest().extensionPath, "test", "fixtures", "metadata", name);
const metadata = (name: string): vscode.Uri => vscode.Uri.file(path.join(fixture(name), "_metadata"));

/** The tab in front, once its title is this. */
async function tab(title: RegExp): Promise<vscode.Tab> {
  return eventually(`a tab ${title.source}`, () => {
    const active = vscode.window.tabGroups.activeTabGroup.activeTab;
    return active !== undefined && title.test(active.label) ? active : undefined;
  });
}

test("a _metadata is shown as text in its own language, the same as the command of the thread gives, and folds by operator", async () => {
  await api();
  await vscode.commands.executeCommand("flinkSavepoints.showAsText", metadata("2.3.0/native"));
  const editor = await eventually("the text", () => (vscode.window.activeTextEditor?.document.uri.scheme === "flink-savepoint" ? vscode.window.activeTextEditor : undefined));
  const { document } = editor;
  assert.equal(document.languageId, "flink-savepoint");
  const golden = await vscode.workspace.fs.readFile(vscode.Uri.file(path.join(fixture("2.3.0/native"), "text.flink-savepoint")));
  assert.equal(document.getText(), new TextDecoder().decode(golden));
  assert.equal(document.isDirty, false);
  const ranges = await vscode.commands.executeCommand<vscode.FoldingRange[]>("vscode.executeFoldingRangeProvider", document.uri);
  const folded = (ranges ?? []).map(({ start }) => document.lineAt(start).text).filter((line) => !line.startsWith(" "));
  assert.deepEqual(folded, document.getText().split("\n").filter((line) => /^(snapshot|operator)/.test(line)));
  await vscode.commands.executeCommand("workbench.action.closeActiveEditor");
}, 30_000);

test("two of them are compared as text in VS Code's diff, by id where one has no names", async () => {
  await vscode.commands.executeCommand("flinkSavepoints.compareAsText", { left: metadata("1.20.5/canonical"), right: metadata("2.3.0/canonical") });
  const { input } = await tab(/^canonical ↔ canonical$/);
  assert.ok(input instanceof vscode.TabInputTextDiff);
  const texts = await Promise.all([input.original, input.modified].map(async (uri) => (await vscode.workspace.openTextDocument(uri)).getText()));
  const ids = texts.map((text) => [...text.matchAll(/^ {2}id +([0-9a-f]{32})/gm)].map((match) => match[1]));
  for (const list of ids) assert.deepEqual(list, [...list].sort());
  assert.deepEqual(ids[0], ids[1], "uids give the same ids in every release");
  await vscode.commands.executeCommand("workbench.action.closeActiveEditor");
}, 30_000);

test("comparing two opens one panel for the pair, whichever comes first", async () => {
  const pair = { left: metadata("2.3.0/canonical"), right: metadata("2.3.0/native") };
  await vscode.commands.executeCommand("flinkSavepoints.compare", pair);
  const { input } = await tab(/^canonical ↔ native$/);
  assert.ok(input instanceof vscode.TabInputWebview && input.viewType.endsWith("flinkSavepoints.comparison"));
  await vscode.commands.executeCommand("flinkSavepoints.compareSelected", { left: pair.right, right: pair.left });
  assert.equal(vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs).filter(({ label }) => / ↔ /.test(label)).length, 1);
  await vscode.commands.executeCommand("workbench.action.closeActiveEditor");
}, 30_000);

test("what can't be read from here opens nothing", async () => {
  const before = vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs).length;
  const far = { cluster: "http://localhost:1", jobId: "j", path: "s3://state/savepoint-ab12cd-0123456789ab", checkpointId: 3 };
  for (const target of [far, vscode.Uri.file("/no/such/savepoint/_metadata"), vscode.Uri.parse("memfs:/savepoint/_metadata")]) {
    await vscode.commands.executeCommand("flinkSavepoints.showAsText", target);
    await vscode.commands.executeCommand("flinkSavepoints.compare", { left: metadata("2.3.0/native"), right: target });
  }
  assert.equal(vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs).length, before);
}, 30_000);

test("a text whose file is gone says so in its place when it is read again", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "savepoint-"));
  cpSync(fixture("2.3.0/native"), folder, { recursive: true });
  await vscode.commands.executeCommand("flinkSavepoints.showAsText", vscode.Uri.file(path.join(folder, "_metadata")));
  const { uri } = (await eventually("the text", () => vscode.window.activeTextEditor))?.document ?? assert.fail();
  rmSync(folder, { recursive: true });
  const provider = await vscode.workspace.openTextDocument(uri.with({ query: uri.query.replace(/"order":"\w+"/, '"order":"id"') }));
  assert.match(provider.getText(), /^# There is no _metadata at /);
  await vscode.commands.executeCommand("workbench.action.closeActiveEditor");
}, 30_000);
