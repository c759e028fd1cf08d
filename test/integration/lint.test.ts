import assert from "node:assert/strict";
import * as vscode from "vscode";
import { operatorIdOf } from "../../src/core/metadata/operatorId";
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

/** What we offer on a diagnostic, in VS Code's order; a kind of action by itself names nobody. */
async function fixesOf(document: vscode.TextDocument, { range }: vscode.Diagnostic): Promise<vscode.CodeAction[]> {
  return (await vscode.commands.executeCommand<vscode.CodeAction[]>("vscode.executeCodeActionProvider", document.uri, range, vscode.CodeActionKind.QuickFix.value)).filter(({ title }) => /^(Set uid|Ignore)/.test(title));
}

async function apply(action: vscode.CodeAction | undefined): Promise<void> {
  assert.ok(action?.edit);
  assert.ok(await vscode.workspace.applyEdit(action.edit));
}

test("the preferred quick fix sets a uid where the chain wants it, and the file is clean", async () => {
  const document = await openFile("PaymentsFix.java", java.replace("PaymentsJob", "PaymentsFix"));
  const [diagnostic] = await found(document.uri, "a diagnostic");
  assert.ok(diagnostic);
  const fixes = await fixesOf(document, diagnostic);
  assert.deepEqual(fixes.map(({ title }) => title), ['Set uid "reduce"', "Ignore here…"]);
  assert.equal(fixes[0]?.isPreferred, true);
  await apply(fixes[0]);
  await clean(document.uri, "the diagnostic to go");
  assert.match(document.getText(), /\n {8}\.reduce\(\(one, other\) -> other\)\n {8}\.uid\("reduce"\)\n {8}\.print\(\);\n/);
  await vscode.commands.executeCommand("workbench.action.revertAndCloseActiveEditor");
}, 60_000);

test("a comment with a reason silences one finding", async () => {
  const document = await openFile("PaymentsIgnored.java", java.replace("PaymentsJob", "PaymentsIgnored"));
  const [diagnostic] = await found(document.uri, "a diagnostic");
  assert.ok(diagnostic);
  await apply((await fixesOf(document, diagnostic)).find(({ title }) => title === "Ignore here…"));
  await clean(document.uri, "the diagnostic to go");
  assert.match(document.getText(), /\n {8}\/\/ flink-lint: ignore\[missing-uid\] reason\n {8}\.reduce/);
  await vscode.commands.executeCommand("workbench.action.revertAndCloseActiveEditor");
}, 60_000);

const python = `from pyflink.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.state import ValueStateDescriptor
from pyflink.common import Types


class CustomerTotals(KeyedProcessFunction):
    def open(self, context: RuntimeContext):
        self.total = context.get_state(ValueStateDescriptor("total", Types.LONG()))

    def process_element(self, value, ctx):
        yield value


def main():
    env = StreamExecutionEnvironment.get_execution_environment()
    lines = env.from_collection([("a", 1), ("b", 2)])
    lines.key_by(lambda line: line[0]).process(CustomerTotals()).print()
    lines.key_by(lambda line: line[1]).process(CustomerTotals()).print()
    env.execute("totals")


main()
`;

test("in Python all uids of a file are set at once, each of its own", async () => {
  const document = await openFile("totals.py", python);
  const stateful = (): vscode.Diagnostic[] => ours(document.uri).filter((diagnostic) => ruleOf(diagnostic) === "missing-uid");
  const diagnostics = await eventually("two diagnostics", () => (stateful().length === 2 ? stateful() : undefined));
  const [first] = diagnostics;
  assert.ok(first);
  assert.deepEqual(diagnostics.map(({ range }) => document.getText(range)), ["process", "process"]);
  const fixes = await fixesOf(document, first);
  assert.deepEqual(fixes.map(({ title }) => title), ['Set uid "customer-totals"', "Set uids for all 2 operators in this file", "Ignore here…"]);
  await apply(fixes[1]);
  await eventually("the diagnostics to go", () => (stateful().length === 0 ? true : undefined));
  assert.match(document.getText(), /\.process\(CustomerTotals\(\)\)\.uid\("customer-totals"\)\.print\(\)\n.*\.process\(CustomerTotals\(\)\)\.uid\("customer-totals-2"\)\.print\(\)/);
  await vscode.commands.executeCommand("workbench.action.revertAndCloseActiveEditor");
}, 60_000);

test("pointing at a uid shows the operator id that Flink makes of it, and a lens does when it is asked for", async () => {
  const document = await openFile("PaymentsUid.java", java.replace("PaymentsJob", "PaymentsUid"));
  const at = document.positionAt(document.getText().indexOf("payments-source") + 3);
  const hovers = await vscode.commands.executeCommand<vscode.Hover[]>("vscode.executeHoverProvider", document.uri, at);
  const texts = hovers.flatMap(({ contents }) => contents.map((content) => (typeof content === "string" ? content : content.value)));
  const id = operatorIdOf("payments-source");
  assert.ok(texts.some((text) => text.includes(`Operator id \`${id}\``)), texts.join());
  const lenses = async (): Promise<string[]> => (await vscode.commands.executeCommand<vscode.CodeLens[]>("vscode.executeCodeLensProvider", document.uri)).map(({ command }) => command?.title ?? "");
  assert.deepEqual(await lenses(), []);
  try {
    await set("lint.codeLens", true);
    await eventually("a lens", async () => ((await lenses()).includes(`uid payments-source · operator ${id}`) ? true : undefined));
  } finally {
    await set("lint.codeLens", undefined);
  }
  await vscode.commands.executeCommand("workbench.action.revertAndCloseActiveEditor");
}, 60_000);

test("Lint Workspace finds what no editor shows", async () => {
  const folder = vscode.workspace.workspaceFolders?.[0];
  assert.ok(folder);
  const uri = vscode.Uri.joinPath(folder.uri, "OrdersJob.java");
  // VS Code tells of no file that came and went before it told of its coming.
  const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(folder, "OrdersJob.java"));
  let isTold = false;
  watcher.onDidCreate(() => (isTold = true));
  try {
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(java.replace("PaymentsJob", "OrdersJob")));
    await vscode.commands.executeCommand("flinkSavepoints.lintWorkspace");
    await found(uri, "a diagnostic of a file that is not open");
    await eventually("VS Code to tell of the file", () => (isTold ? true : undefined));
    await vscode.workspace.fs.delete(uri);
    await clean(uri, "the diagnostics of a deleted file to go");
  } finally {
    watcher.dispose();
  }
}, 60_000);
