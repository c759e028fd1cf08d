import * as vscode from "vscode";
import { DisposableStore, type Disposable } from "../../core/base/disposable";
import { once } from "../../core/base/once";
import type { PaimonControl } from "../commands/world";
import type { PairBoards } from "./boards";
import type { PaimonDocuments } from "./paimonDocuments";

/** Of the panel of a job's pairs; VS Code remembers it over a reload. */
export const boardViewType = "flinkSavepoints.pairs";

/** Scheme of the files of tags and snapshots. */
export const paimonScheme = "flink-paimon";

/** What shows Paimon's files and pairs. */
export interface PaimonViews {
  readonly boards: PairBoards;
  readonly documents: PaimonDocuments;
}

/** Tells VS Code who fills the panels that it remembers, and who has the texts; `make` is called by the first of these, or of `paimon()`. */
export function registerPaimon(make: (textChanged: vscode.EventEmitter<vscode.Uri>) => Promise<PaimonViews>): Disposable & { paimon(): Promise<PaimonControl> } {
  const store = new DisposableStore();
  const textChanged = store.add(new vscode.EventEmitter<vscode.Uri>());
  const views = once(() => make(textChanged));
  store.add(vscode.window.registerWebviewPanelSerializer(boardViewType, { deserializeWebviewPanel: async (panel, state) => (await views()).boards.revive(panel, state) }));
  store.add(vscode.workspace.registerTextDocumentContentProvider(paimonScheme, { onDidChange: textChanged.event, provideTextDocumentContent: async (uri) => (await views()).documents.textOf(uri) }));
  const paimon = async (): Promise<PaimonControl> => {
    const { boards, documents } = await views();
    return { showFile: (ref) => documents.show(ref), showBoard: (about) => boards.show(about) };
  };
  return { paimon, dispose: () => store.dispose() };
}
