import * as vscode from "vscode";
import { DisposableStore, type Disposable } from "../../core/base/disposable";
import { speaksOfFlink } from "../../core/lint/fileNames";
import { literalUids } from "../../core/lint/literalUids";
import { operatorIdOf } from "../../core/metadata/operatorId";
import { oneLine } from "../../core/rowText";
import { savepointName, sizeText } from "../../core/wording";
import type { SavepointContents } from "../../services/savepointContents";
import type { SettingsReader } from "../platform/settings";
import { lintedDocuments } from "./lintedDocuments";

/** Savepoints that a hover names. */
const namedLimit = 5;

/** Says what Flink makes of a uid: the operator's id, and the savepoints that hold its state; on pointing at it, and above each when the setting says so. */
export function registerUids(settings: SettingsReader, savepoints: Pick<SavepointContents, "holding">): Disposable {
  const store = new DisposableStore();
  const changed = store.add(new vscode.EventEmitter<void>());
  store.add(settings.onDidChange(() => changed.fire()));
  store.add(vscode.languages.registerHoverProvider(lintedDocuments, {
    async provideHover(document, position) {
      if (!settings.current["lint.enable"]) return undefined;
      const text = document.getText();
      const offset = document.offsetAt(position);
      const found = speaksOfFlink(text) ? literalUids(text).find(({ start, end }) => start <= offset && offset <= end) : undefined;
      if (found === undefined) return undefined;
      const id = operatorIdOf(found.uid);
      const holders = await savepoints.holding(id);
      const hover = new vscode.MarkdownString();
      hover.appendMarkdown(`Operator id \`${id}\``);
      for (const { record, sizeBytes } of holders.slice(0, namedLimit)) {
        hover.appendMarkdown("\n\n");
        hover.appendText(`${savepointName(record)} of ${oneLine(record.job.name)} holds ${sizeText(sizeBytes)} of its state.`);
      }
      if (holders.length > namedLimit) hover.appendMarkdown(`\n\nSo do ${holders.length - namedLimit} older savepoints.`);
      return new vscode.Hover(hover, new vscode.Range(document.positionAt(found.start), document.positionAt(found.end)));
    },
  }));
  store.add(vscode.languages.registerCodeLensProvider(lintedDocuments, {
    onDidChangeCodeLenses: changed.event,
    provideCodeLenses(document) {
      const text = document.getText();
      if (!settings.current["lint.enable"] || !settings.current["lint.codeLens"] || !speaksOfFlink(text)) return [];
      return literalUids(text).map(({ uid, start, end }) => new vscode.CodeLens(new vscode.Range(document.positionAt(start), document.positionAt(end)), { title: `uid ${oneLine(uid)} · operator ${operatorIdOf(uid)}`, command: "" }));
    },
  }));
  return store;
}
