import * as vscode from "vscode";
import { DisposableStore, type Disposable } from "../../core/base/disposable";
import { once } from "../../core/base/once";
import type { Comparisons } from "./comparisons";

/** Of the panel that compares two; VS Code remembers it over a reload. */
export const comparisonViewType = "flinkSavepoints.comparison";

/** Scheme of snapshots as text; their language follows from the ending. */
export const textScheme = "flink-savepoint";

/** Tells VS Code who fills panels that it remembers, and who has the texts of snapshots; `make` is called by the first of these, or of `comparisons()`. */
export function registerComparisons(make: (textChanged: vscode.EventEmitter<vscode.Uri>) => Promise<Comparisons>): Disposable & { comparisons(): Promise<Comparisons> } {
  const store = new DisposableStore();
  const textChanged = store.add(new vscode.EventEmitter<vscode.Uri>());
  const comparisons = once(() => make(textChanged));
  store.add(vscode.window.registerWebviewPanelSerializer(comparisonViewType, { deserializeWebviewPanel: async (panel, state) => (await comparisons()).revive(panel, state) }));
  store.add(vscode.workspace.registerTextDocumentContentProvider(textScheme, { onDidChange: textChanged.event, provideTextDocumentContent: async (uri, token) => (await comparisons()).textOf(uri, token) }));
  return { comparisons, dispose: () => store.dispose() };
}
