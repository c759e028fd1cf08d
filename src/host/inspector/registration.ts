import * as vscode from "vscode";
import type { Disposable } from "../../core/base/disposable";
import { inspectorViewType } from "../../core/contributions";
import type { Inspector, InspectorDocument } from "./editor";

/** Tells VS Code who opens `_metadata` files; the inspector itself is loaded when the first one is opened. */
export function registerInspector(inspector: () => Promise<Inspector>): Disposable {
  const provider: vscode.CustomReadonlyEditorProvider<InspectorDocument> = {
    openCustomDocument: async (uri) => (await inspector()).open(uri),
    resolveCustomEditor: async (document, panel) => (await inspector()).show(document, panel),
  };
  return vscode.window.registerCustomEditorProvider(inspectorViewType, provider, { supportsMultipleEditorsPerDocument: true, webviewOptions: { retainContextWhenHidden: false } });
}
