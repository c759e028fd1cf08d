import * as vscode from "vscode";
import type { Disposable } from "../../core/base/disposable";
import { endingOf, watchedFiles } from "../../core/lint/fileNames";

/** Documents that may have findings of ours. */
export const lintedDocuments: vscode.DocumentSelector = [{ pattern: watchedFiles }, ...Object.keys(endingOf).map((language) => ({ scheme: "untitled", language }))];

/** Calls `act` once, as soon as a document is open that may be linted. */
export function onFirstLinted(act: () => void): Disposable {
  const isLinted = (document: vscode.TextDocument): boolean => vscode.languages.match(lintedDocuments, document) > 0;
  const waiting = vscode.workspace.onDidOpenTextDocument((document) => {
    if (isLinted(document)) found();
  });
  const found = (): void => {
    waiting.dispose();
    act();
  };
  if (vscode.workspace.textDocuments.some(isLinted)) found();
  return waiting;
}
