import * as vscode from "vscode";
import type { Disposable } from "../../core/base/disposable";
import { DisposableStore } from "../../core/base/disposable";
import { lifecycleFileName } from "../../core/lifecycle/fileName";
import { readLifecycleFile, type LifecycleFile, type PlacedSchedule } from "../../core/lifecycle/readLifecycleFile";
import type { Clock } from "../../core/ports";
import { readCron } from "../../core/schedule/cron";
import { cronMeaning } from "../../core/schedule/cronText";
import { previewOf } from "../../core/schedule/preview";
import type { LifecycleFiles } from "../../services/lifecycleFiles";
import type { Schedules } from "../../services/schedules";
import { escapeMarkdown } from "../views/explorerTooltips";
import type { LifecycleSources } from "./sources";

const documents: vscode.DocumentSelector = [{ pattern: `**/${lifecycleFileName}` }];
const source = "Flink Savepoints";

/** How many runs a hover lists. */
const hoverRuns = 10;

/** What looks after the file in editors: what is wrong in it, what a cron expression means, and what mends it. Beside the JSON Schema, which says the rest. */
export function registerFileLanguage(lifecycle: { readonly files: LifecycleFiles; readonly schedules: Schedules; readonly sources: LifecycleSources }, clock: Clock): Disposable {
  const held = new DisposableStore();
  const collection = held.add(vscode.languages.createDiagnosticCollection("flink-savepoints schedules"));
  const read = new Map<string, { readonly version: number; readonly file: LifecycleFile }>();
  const isOurs = (document: vscode.TextDocument): boolean => vscode.languages.match(documents, document) > 0;
  const fileOf = (document: vscode.TextDocument): LifecycleFile => {
    const key = document.uri.toString();
    const known = read.get(key);
    if (known?.version === document.version) return known.file;
    const file = readLifecycleFile(document.getText());
    read.set(key, { version: document.version, file });
    return file;
  };
  const show = (document: LaidOut, file: LifecycleFile, isOpen: boolean): void => {
    const uri = document.uri.toString();
    // What the JSON Schema says too, the editor says of open files by itself.
    const found = file.problems.filter(({ bySchema }) => !bySchema || !isOpen).map(({ offset, length, message }) => diagnostic(document, offset, length, message, vscode.DiagnosticSeverity.Error));
    if (!lifecycle.sources.list().some((each) => each.uri.toString() === uri)) {
      const why = vscode.workspace.isTrusted ? "This file does not count: it must lie in the root of a workspace folder." : "This file does not count while the workspace is not trusted.";
      found.push(diagnostic(document, 0, 1, why, vscode.DiagnosticSeverity.Information));
    } else if (!document.isDirty) {
      const path = document.uri.scheme === "file" ? document.uri.fsPath : uri;
      for (const { placed, why } of lifecycle.schedules.leftOut.filter((each) => each.path === path)) found.push(diagnostic(document, placed.cron.offset, placed.cron.length, why, vscode.DiagnosticSeverity.Warning));
      for (const { file: of, schedule: { name, job } } of lifecycle.schedules.waiting) {
        const placed = of === path ? file.schedules.find(({ schedule }) => schedule.name === name && schedule.job === job) : undefined;
        if (placed !== undefined) found.push(diagnostic(document, placed.cron.offset, placed.cron.length, "It runs here once you agree to it: Agree to Schedule, in the job's row or the palette.", vscode.DiagnosticSeverity.Information));
      }
    }
    for (const placed of file.schedules) found.push(...remarks(document, placed, clock.now()));
    collection.set(document.uri, found);
  };
  const look = (document: vscode.TextDocument): void => {
    if (isOurs(document)) show(document, fileOf(document), true);
  };
  /** What is wrong in a file that counts is told whether it is open or not. */
  const lookAll = (): void => {
    const open = new Set(vscode.workspace.textDocuments.filter((document) => !document.isClosed && isOurs(document)).map(({ uri }) => uri.toString()));
    const told: vscode.Uri[] = [];
    collection.forEach((uri) => told.push(uri));
    for (const uri of told) if (!open.has(uri.toString())) collection.delete(uri);
    vscode.workspace.textDocuments.forEach(look);
    for (const { path, text } of lifecycle.files.texts()) {
      const uri = path.includes("://") ? vscode.Uri.parse(path) : vscode.Uri.file(path);
      const file = lifecycle.files.files().find((each) => each.path === path)?.file;
      if (file !== undefined && !open.has(uri.toString())) show(laidOut(uri, text), file, false);
    }
  };
  held.add(vscode.workspace.onDidOpenTextDocument(look));
  held.add(vscode.workspace.onDidChangeTextDocument(({ document }) => look(document)));
  held.add(vscode.workspace.onDidSaveTextDocument(look));
  held.add(vscode.workspace.onDidCloseTextDocument((document) => {
    if (!isOurs(document)) return;
    read.delete(document.uri.toString());
    lookAll();
  }));
  held.add(lifecycle.files.onDidChange(lookAll));
  held.add(vscode.workspace.onDidGrantWorkspaceTrust(lookAll));
  held.add(lifecycle.schedules.onDidChange(lookAll));
  held.add(vscode.languages.registerHoverProvider(documents, { provideHover: (document, position) => hoverOf(document, fileOf(document), document.offsetAt(position), clock.now()) }));
  held.add(vscode.languages.registerCodeActionsProvider(documents, { provideCodeActions: (document, range) => actionsOf(document, fileOf(document), range) }, { providedCodeActionKinds: [vscode.CodeActionKind.QuickFix] }));
  lookAll();
  return held;
}

/** A text whose offsets have lines: a document, or the text of a file that is not open. */
type LaidOut = Pick<vscode.TextDocument, "uri" | "isDirty" | "positionAt">;

function laidOut(uri: vscode.Uri, text: string): LaidOut {
  const positionAt = (offset: number): vscode.Position => {
    const before = text.slice(0, offset).split(/\r\n|\r|\n/);
    return new vscode.Position(before.length - 1, before.at(-1)?.length ?? 0);
  };
  return { uri, isDirty: false, positionAt };
}

function diagnostic(document: LaidOut, offset: number, length: number, message: string, severity: vscode.DiagnosticSeverity): vscode.Diagnostic {
  const found = new vscode.Diagnostic(rangeOf(document, offset, length), message, severity);
  found.source = source;
  return found;
}

/** What is valid and yet to be known. */
function remarks(document: LaidOut, { schedule, cron: place }: PlacedSchedule, nowMs: number): vscode.Diagnostic[] {
  const { cron } = readCron(schedule.cron);
  const warning = cron === undefined ? null : previewOf(cron, schedule.timeZone, schedule.blackouts, nowMs, 1).warning;
  return warning === null ? [] : [diagnostic(document, place.offset, place.length, warning, vscode.DiagnosticSeverity.Warning)];
}

function hoverOf(document: vscode.TextDocument, file: LifecycleFile, offset: number, nowMs: number): vscode.Hover | undefined {
  const placed = file.schedules.find(({ cron: place }) => offset >= place.offset - 1 && offset <= place.offset + place.length + 1);
  const cron = placed && readCron(placed.schedule.cron).cron;
  if (placed === undefined || cron === undefined) return undefined;
  const { timeZone, blackouts, enabled } = placed.schedule;
  const { effective, declared, warning } = previewOf(cron, timeZone, blackouts, nowMs, hoverRuns);
  const text = new vscode.MarkdownString();
  text.appendMarkdown(`**${escapeMarkdown(cronMeaning(cron))}** (${escapeMarkdown(timeZone)})${enabled ? "" : ", paused"}\n\n`);
  if (warning !== null) text.appendMarkdown(`${escapeMarkdown(warning)}\n\n`);
  text.appendMarkdown(`Next runs:\n\n${effective.map(({ time }) => `- ${escapeMarkdown(time)}`).join("\n")}\n\n`);
  const leftOut = declared.filter((run) => run.leftOut !== null);
  if (leftOut.length > 0) text.appendMarkdown(`Left out:\n\n${leftOut.map((run) => `- ${escapeMarkdown(run.time)}: ${escapeMarkdown(run.leftOut ?? "")}`).join("\n")}\n`);
  return new vscode.Hover(text, rangeOf(document, placed.cron.offset, placed.cron.length));
}

function actionsOf(document: vscode.TextDocument, file: LifecycleFile, range: vscode.Range): vscode.CodeAction[] {
  const actions = new Map<string, vscode.CodeAction>();
  for (const { offset, length, message, fix } of file.problems) {
    if (fix === undefined || rangeOf(document, offset, length).intersection(range) === undefined) continue;
    const action = new vscode.CodeAction(fix.title, vscode.CodeActionKind.QuickFix);
    action.diagnostics = [diagnostic(document, offset, length, message, vscode.DiagnosticSeverity.Error)];
    action.isPreferred = true;
    action.edit = new vscode.WorkspaceEdit();
    action.edit.replace(document.uri, rangeOf(document, fix.offset, fix.length), fix.text);
    actions.set(`${fix.offset}`, action);
  }
  return [...actions.values()];
}

function rangeOf(document: LaidOut, offset: number, length: number): vscode.Range {
  return new vscode.Range(document.positionAt(offset), document.positionAt(offset + length));
}
