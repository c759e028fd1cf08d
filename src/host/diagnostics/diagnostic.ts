import * as vscode from "vscode";
import type { Finding, TextRange } from "../../core/lint/finding";
import type { RuleId, Severity } from "../../core/lint/rules";

/** Whose the diagnostics are. */
export const diagnosticSource = "Flink Savepoints";

const levels: Readonly<Record<Exclude<Severity, "off">, vscode.DiagnosticSeverity>> = {
  error: vscode.DiagnosticSeverity.Error, warning: vscode.DiagnosticSeverity.Warning, info: vscode.DiagnosticSeverity.Information, hint: vscode.DiagnosticSeverity.Hint,
};

/** A finding as VS Code shows it; its code opens the page of the rule where there is one. */
export function diagnosticOf(finding: Finding, severity: Exclude<Severity, "off">, pageOf: (rule: RuleId) => vscode.Uri | undefined, uriOf: (path: string) => vscode.Uri | undefined): vscode.Diagnostic {
  const diagnostic = new vscode.Diagnostic(rangeOf(finding.range), finding.message, levels[severity]);
  diagnostic.source = diagnosticSource;
  const page = pageOf(finding.rule);
  // A file: links to commands are not followed from the hover of a diagnostic.
  diagnostic.code = page === undefined ? finding.rule : { value: finding.rule, target: page };
  diagnostic.relatedInformation = finding.related.flatMap(({ path, range, text }) => {
    const uri = uriOf(path);
    return uri === undefined ? [] : [new vscode.DiagnosticRelatedInformation(new vscode.Location(uri, rangeOf(range)), text)];
  });
  return diagnostic;
}

/** A stretch of a text as VS Code counts. */
export function rangeOf({ start, end }: TextRange): vscode.Range {
  return new vscode.Range(start.line, start.character, end.line, end.character);
}
