import * as vscode from "vscode";
import type { Disposable } from "../../core/base/disposable";
import type { CommandId } from "../../core/contributions";
import type { Finding, TextEdit } from "../../core/lint/finding";
import { fixAll, fixOf, keepsState, suppressionOf } from "../../core/lint/fixes";
import { unexplained, type SavepointContents } from "../../services/savepointContents";
import { diagnosticSource, rangeOf } from "./diagnostic";
import { lintedDocuments } from "./lintedDocuments";
import type { Linter } from "./linter";

/** Offers what ends a finding: the uid, the uid with the state of a savepoint, the uids of the whole file, a comment. */
export function registerQuickFixes(linter: Pick<Linter, "findingsOf" | "pathOf" | "takenUids">, savepointContents: SavepointContents): Disposable {
  const provider: vscode.CodeActionProvider = {
    async provideCodeActions(document, _range, { diagnostics, only }, token) {
      const ours = diagnostics.filter(({ source }) => source === diagnosticSource);
      if (ours.length === 0 || (only !== undefined && !only.contains(vscode.CodeActionKind.QuickFix))) return [];
      const findings = await linter.findingsOf(document);
      const path = linter.pathOf(document);
      if (findings === undefined || path === undefined || token.isCancellationRequested) return [];
      const matched = ours.flatMap((diagnostic) => {
        const finding = findings.find(({ rule, range }) => rule === ruleOf(diagnostic) && rangeOf(range).isEqual(diagnostic.range));
        return finding === undefined ? [] : [{ diagnostic, finding }];
      });
      const taken = await linter.takenUids(document);
      if (token.isCancellationRequested) return [];
      const text = document.getText();
      const actions: vscode.CodeAction[] = [];
      for (const { diagnostic, finding } of matched) {
        const fix = fixOf(finding, text, path, taken);
        // First where there is a savepoint with automatic ids: a uid alone would lose what it holds of this operator.
        const keeps = fix?.uid !== undefined && keepsState(finding, path) && unexplained(await savepointContents.list(), taken).length > 0;
        if (keeps) {
          const action = actionOf(`Set uid "${fix.uid}" and keep the state of a savepoint…`, diagnostic, undefined, true);
          action.command = { title: action.title, command: "flinkSavepoints.keepState" satisfies CommandId, arguments: [{ document: document.uri.toString(), offset: finding.range.start.offset }] };
          actions.push(action);
        }
        if (fix !== undefined) actions.push(actionOf(fix.title, diagnostic, editOf(document, fix.edits), !keeps));
      }
      const all = matched.some(({ finding }) => finding.fix?.kind === "insert-uid") ? fixAll(findings, text, path, taken) : undefined;
      const [first] = matched;
      if (all !== undefined && first !== undefined) actions.push(actionOf(all.title, first.diagnostic, editOf(document, all.edits)));
      for (const { diagnostic, finding } of matched) actions.push(actionOf(matched.length === 1 ? "Ignore here…" : `Ignore ${finding.rule} here…`, diagnostic, ignoreEdit(document, finding, path)));
      return actions;
    },
  };
  return vscode.languages.registerCodeActionsProvider(lintedDocuments, provider, { providedCodeActionKinds: [vscode.CodeActionKind.QuickFix] });
}

/** Edits of the text as it stands in a document. */
export function editOf(document: vscode.TextDocument, edits: readonly TextEdit[]): vscode.WorkspaceEdit {
  const edit = new vscode.WorkspaceEdit();
  for (const { start, end, text } of edits) edit.replace(document.uri, new vscode.Range(document.positionAt(start), document.positionAt(end)), text);
  return edit;
}

function ruleOf({ code }: vscode.Diagnostic): unknown {
  return typeof code === "object" ? code.value : code;
}

function actionOf(title: string, diagnostic: vscode.Diagnostic, edit?: vscode.WorkspaceEdit, preferred = false): vscode.CodeAction {
  const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
  action.diagnostics = [diagnostic];
  if (edit !== undefined) action.edit = edit;
  if (preferred) action.isPreferred = true;
  return action;
}

/** The reason is typed in place. */
function ignoreEdit(document: vscode.TextDocument, finding: Finding, path: string): vscode.WorkspaceEdit {
  const { line, indent, comment } = suppressionOf(finding, document.getText(), path);
  const snippet = new vscode.SnippetString().appendText(indent + comment).appendPlaceholder("reason").appendText("\n");
  const edit = new vscode.WorkspaceEdit();
  edit.set(document.uri, [vscode.SnippetTextEdit.insert(new vscode.Position(line, 0), snippet)]);
  return edit;
}
