import assert from "node:assert/strict";
import * as vscode from "vscode";
import { test } from "./harness";
import { api, eventually, set } from "./underTest";

const java = `import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

public class PaymentsJob {
  static void build(StreamExecutionEnvironment env, KafkaSource<String> source) {
    env.fromSource(source, WatermarkStrategy.noWatermarks(), "Payments").uid("payments-source")
        .keyBy(payment -> payment)
        .reduce((one, other) -> other)
        .print();
  }
}
`;

/** Opens a new file of the workspace. */
async function openFile(name: string, text: string): Promise<vscode.TextDocument> {
  const folder = vscode.workspace.workspaceFolders?.[0];
  assert.ok(folder);
  const uri = vscode.Uri.joinPath(folder.uri, name);
  await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
  const document = await vscode.workspace.openTextDocument(uri);
  await vscode.window.showTextDocument(document);
  return document;
}

const ours = (uri: vscode.Uri): vscode.Diagnostic[] => vscode.languages.getDiagnostics(uri).filter(({ source }) => source === "Flink Savepoints");
const ruleOf = ({ code }: vscode.Diagnostic): unknown => (typeof code === "object" ? code.value : code);
const found = (uri: vscode.Uri, what: string): Promise<vscode.Diagnostic[]> => eventually(what, () => (ours(uri).length > 0 ? ours(uri) : undefined));
const clean = (uri: vscode.Uri, what: string): Promise<true> => eventually(what, () => (ours(uri).length === 0 ? true : undefined));

/** Puts a text behind the first occurrence of another, as typing does. */
async function typeBehind(document: vscode.TextDocument, place: string, text: string): Promise<void> {
  const edit = new vscode.WorkspaceEdit();
  edit.insert(document.uri, document.positionAt(document.getText().indexOf(place) + place.length), text);
  assert.ok(await vscode.workspace.applyEdit(edit));
}

test("a stateful operator without a uid is underlined where it is written, and no more once the uid is typed", async () => {
  await api();
  const document = await openFile("PaymentsJob.java", java);
  const [diagnostic, ...more] = await found(document.uri, "a diagnostic of the reduce");
  assert.ok(diagnostic);
  assert.deepEqual(more, []);
  assert.equal(document.getText(diagnostic.range), "reduce");
  assert.equal(ruleOf(diagnostic), "missing-uid");
  assert.equal(diagnostic.severity, vscode.DiagnosticSeverity.Warning);
  const [related] = diagnostic.relatedInformation ?? [];
  assert.equal(related && document.getText(related.location.range), "keyBy");

  await typeBehind(document, ".reduce((one, other) -> other)", '.uid("latest")');
  await clean(document.uri, "the diagnostic to go");
  await typeBehind(document, '.uid("latest")', ".setParallelism(2)");
  await typeBehind(document, "other)", ".name(\"Latest\")");
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assert.deepEqual(ours(document.uri), []);
  await vscode.commands.executeCommand("undo");
  await vscode.commands.executeCommand("workbench.action.revertAndCloseActiveEditor");
}, 60_000);

test("severities and exclusions of the settings count at once, and a file that is closed has no diagnostics", async () => {
  const document = await openFile("PaymentsJob.java", java);
  await found(document.uri, "a diagnostic");
  try {
    await set("lint.rules", { "missing-uid": "error" });
    await eventually("an error", () => (ours(document.uri)[0]?.severity === vscode.DiagnosticSeverity.Error ? true : undefined));
    await set("lint.rules", { "missing-uid": "off" });
    await clean(document.uri, "a rule that is off");
    await set("lint.rules", undefined);
    await found(document.uri, "the rule again");
    await set("lint.exclude", ["*.java"]);
    await clean(document.uri, "an excluded file");
    await set("lint.exclude", undefined);
    await found(document.uri, "the file again");
    await set("lint.enable", false);
    await clean(document.uri, "a lint that is off");
  } finally {
    for (const key of ["lint.rules", "lint.exclude", "lint.enable"]) await set(key, undefined);
  }
  await found(document.uri, "the lint again");
  await vscode.languages.setTextDocumentLanguage(document, "java");
  await vscode.commands.executeCommand("workbench.action.revertAndCloseActiveEditor");
}, 90_000);

test("Lint Workspace finds what no editor shows", async () => {
  const folder = vscode.workspace.workspaceFolders?.[0];
  assert.ok(folder);
  const uri = vscode.Uri.joinPath(folder.uri, "src", "main", "java", "OrdersJob.java");
  await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(java.replace("PaymentsJob", "OrdersJob")));
  await vscode.commands.executeCommand("flinkSavepoints.lintWorkspace");
  await found(uri, "a diagnostic of a file that is not open");
  await vscode.workspace.fs.delete(uri);
  await clean(uri, "the diagnostics of a deleted file to go");
}, 60_000);
