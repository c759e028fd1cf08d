import * as vscode from "vscode";
import { isAbort } from "../../core/base/async";
import { DisposableStore, type Disposable } from "../../core/base/disposable";
import { isFlinkError } from "../../core/errors";
import { mayMatter, speaksOfFlink, watchedFiles } from "../../core/lint/fileNames";
import type { Finding, TextEdit } from "../../core/lint/finding";
import { takenUids } from "../../core/lint/fixes";
import { lintChoiceOf, type LintChoice } from "../../core/lint/lintSettings";
import type { RuleId } from "../../core/lint/rules";
import type { Clock, Log, Run } from "../../core/ports";
import type { LintApi } from "../../core/lint/protocol";
import { RemoteError } from "../../core/rpc";
import type { LintService, LintThread } from "../../services/linting";
import type { SettingsReader } from "../platform/settings";
import { diagnosticOf, diagnosticSource } from "./diagnostic";
import { Places, withinFolder } from "./places";

/** A pause in typing of this length is waited for. */
const typingMs = 150;
/** Other documents may depend on what was typed; they are looked at again after a longer pause. */
const othersMs = 1_000;
/** Files of the disk whose changes come together are taken in together. */
const diskMs = 300;
/** Files that are asked about at once, when the whole workspace is linted. */
const pageSize = 50;

type Indexed = ReturnType<LintApi["index"]>;

/** What came of linting a workspace; `left` are files that were not looked at, since they are more than the thread may keep. */
export interface LintedWorkspace {
  readonly files: number;
  readonly findings: number;
  readonly left: number;
}

/** What the linter needs. */
export interface LinterWorld {
  readonly service: LintService;
  readonly settings: SettingsReader;
  /** The folder of the pages of rules, in the extension. */
  readonly pages: vscode.Uri;
  readonly clock: Clock;
  readonly log: Log;
}

interface OpenDocument {
  readonly document: vscode.TextDocument;
  readonly path: string;
  /** The thread it is open in. */
  thread: LintThread | undefined;
  /** What that thread was not told yet; undefined when it needs the whole text. */
  pending: TextEdit[] | undefined;
  eol: vscode.EndOfLine;
  wait: AbortController | undefined;
  running: Promise<void> | undefined;
  again: boolean;
  linted: { readonly version: number; readonly findings: readonly Finding[] } | undefined;
}

/**
 * Lints what is open, as it is typed, and the workspace when it is asked to. Nothing is started before a document speaks of Flink.
 *
 * A keystroke is kept as an edit; after a pause all edits go to the thread at once, and an answer about a text that has changed meanwhile is dropped.
 * Once the first document is linted the thread reads the folders, and open documents are looked at again, since other files may set a uid or declare
 * the state. Severities and exclusions are applied here, so that the analysis does not know them.
 */
export class Linter implements Disposable {
  readonly #world: LinterWorld;
  readonly #held = new DisposableStore();
  readonly #diagnostics = this.#held.add(vscode.languages.createDiagnosticCollection(diagnosticSource));
  readonly #places = new Places();
  readonly #open = new Map<string, OpenDocument>();
  readonly #touched = new Set<string>();
  #choice: LintChoice;
  #chosen: string;
  #watcher: Disposable | undefined;
  #index: { readonly thread: LintThread; readonly done: Promise<Indexed>; readonly ended: boolean } | undefined;
  #pages: Promise<ReadonlySet<string>> | undefined;
  #others: AbortController | undefined;
  #disk: AbortController | undefined;
  #wholeWorkspace = false;

  constructor(world: LinterWorld) {
    this.#world = world;
    this.#choice = lintChoiceOf(world.settings.current);
    this.#chosen = this.#wanted();
    this.#held.add(vscode.workspace.onDidOpenTextDocument((document) => this.#opened(document)));
    this.#held.add(vscode.workspace.onDidCloseTextDocument((document) => this.#closed(document)));
    this.#held.add(vscode.workspace.onDidChangeTextDocument((event) => this.#changed(event)));
    this.#held.add(vscode.workspace.onDidChangeWorkspaceFolders(() => this.#begin()));
    this.#held.add(world.settings.onDidChange(() => {
      if (this.#wanted() !== this.#chosen) this.#begin();
    }));
    this.#held.add(world.service.onDidEnd(() => this.#lintAll(typingMs)));
    for (const document of vscode.workspace.textDocuments) this.#opened(document);
  }

  /** What is wrong in a document as it stands, loud enough to be shown; undefined when it is not linted, or was changed meanwhile. */
  async findingsOf(document: vscode.TextDocument): Promise<readonly Finding[] | undefined> {
    const open = this.#open.get(document.uri.toString());
    if (open === undefined) return undefined;
    if (open.linted?.version !== document.version) await this.#lint(open);
    return open.linted?.version === document.version ? open.linted.findings.filter((finding) => this.#choice.severityOf(finding) !== undefined) : undefined;
  }

  /** What a document is called in the lint; undefined when it is not linted. */
  pathOf(document: vscode.TextDocument): string | undefined {
    return this.#open.get(document.uri.toString())?.path;
  }

  /** Names that a new uid in a document must not have: what the document and every file of the workspace that was read set already. */
  async takenUids(document: vscode.TextDocument): Promise<Set<string>> {
    const elsewhere = await this.#open.get(document.uri.toString())?.thread?.ask("uids", {}).catch((error: unknown) => this.#tell("uids of the workspace", error));
    return takenUids(document.getText(), elsewhere ?? []);
  }

  /** Lints every file of the workspace; from now on findings of files that are not open are shown too. Resolves to how many findings there are. */
  async lintWorkspace(run: Run): Promise<LintedWorkspace> {
    if (this.#watcher === undefined) this.#watch();
    const thread = this.#world.service.thread();
    const heard = this.#world.service.onIndexing(({ done, total }) => run.report({ message: `reading ${done} of ${total} files`, percent: Math.floor((done / Math.max(1, total)) * 50) }));
    let left = 0;
    try {
      // A watcher may miss files in folders that have just been made.
      if (this.#index?.ended === true) this.#index = undefined;
      ({ left } = await this.#indexed(thread));
    } finally {
      heard.dispose();
    }
    run.signal.throwIfAborted();
    this.#wholeWorkspace = true;
    const paths = (await thread.ask("paths", {}, run.signal)).filter((path) => !this.#choice.excludes(withinFolder(path)));
    let findings = 0;
    for (let at = 0; at < paths.length; at += pageSize) {
      run.report({ message: `${at} of ${paths.length} files`, percent: 50 + Math.floor((at / paths.length) * 50) });
      findings += await this.#showFiles(thread, paths.slice(at, at + pageSize), run.signal);
    }
    return { files: paths.length, findings, left };
  }

  dispose(): void {
    for (const { wait } of this.#open.values()) wait?.abort();
    this.#others?.abort();
    this.#disk?.abort();
    this.#watcher?.dispose();
    this.#open.clear();
    this.#held.dispose();
  }

  /** Forgets everything and begins again with what is open: settings or folders changed. */
  #begin(): void {
    this.#chosen = this.#wanted();
    this.#choice = lintChoiceOf(this.#world.settings.current);
    this.#world.service.stop();
    this.#diagnostics.clear();
    for (const { wait } of this.#open.values()) wait?.abort();
    this.#open.clear();
    for (const document of vscode.workspace.textDocuments) this.#opened(document);
  }

  #wanted(): string {
    const { current } = this.#world.settings;
    return JSON.stringify([current["lint.enable"], current["lint.exclude"], current["lint.rules"]]);
  }

  #opened(document: vscode.TextDocument): void {
    if (!this.#choice.enabled) return;
    const path = this.#places.pathOf(document);
    if (path === undefined || this.#choice.excludes(withinFolder(path))) return;
    const open: OpenDocument = { document, path, thread: undefined, pending: undefined, eol: document.eol, wait: undefined, running: undefined, again: false, linted: undefined };
    this.#open.set(document.uri.toString(), open);
    this.#lintLater(open, 0);
  }

  #closed(document: vscode.TextDocument): void {
    const key = document.uri.toString();
    const open = this.#open.get(key);
    if (open === undefined) return;
    open.wait?.abort();
    this.#open.delete(key);
    this.#diagnostics.delete(document.uri);
    const { thread, path } = open;
    if (thread === undefined) return;
    thread.ask("close", { path }).then(() => (this.#wholeWorkspace && !this.#open.has(key) ? this.#showFiles(thread, [path]) : undefined)).catch((error: unknown) => this.#tell(`closing ${path}`, error));
  }

  #changed({ document, contentChanges }: vscode.TextDocumentChangeEvent): void {
    const open = this.#open.get(document.uri.toString());
    if (open === undefined || (contentChanges.length === 0 && open.eol === document.eol)) return;
    if (open.eol !== document.eol) {
      open.eol = document.eol;
      open.pending = undefined;
    } else open.pending?.push(...contentChanges.map(({ rangeOffset, rangeLength, text }) => ({ start: rangeOffset, end: rangeOffset + rangeLength, text })));
    this.#lintLater(open, typingMs);
  }

  #lintLater(open: OpenDocument, waitMs: number): void {
    open.wait?.abort();
    const wait = new AbortController();
    open.wait = wait;
    this.#after(waitMs, wait, () => this.#lint(open));
  }

  #lintAll(waitMs: number): void {
    for (const open of this.#open.values()) this.#lintLater(open, waitMs);
  }

  /** One run at a time for each document; what changed meanwhile is another run. */
  #lint(open: OpenDocument): Promise<void> {
    open.wait?.abort();
    open.again = true;
    return open.running ??= (async () => {
      try {
        while (open.again && this.#open.get(open.document.uri.toString()) === open) {
          open.again = false;
          await this.#lintOnce(open);
        }
      } finally {
        open.running = undefined;
      }
    })();
  }

  async #lintOnce(open: OpenDocument): Promise<void> {
    const { document, path } = open;
    if (this.#watcher === undefined) {
      if (!speaksOfFlink(document.getText())) return;
      this.#watch();
      // Whatever else is open was passed over until now.
      for (const other of this.#open.values()) if (other !== open) this.#lintLater(other, typingMs);
    }
    const { version } = document;
    try {
      const thread = this.#world.service.thread();
      const known = open.thread === thread ? open.pending : undefined;
      open.thread = thread;
      open.pending = [];
      const answer = known === undefined ? await thread.ask("open", { path, text: document.getText() })
        : known.length > 0 ? await thread.ask("edit", { path, edits: known })
          : (await thread.ask("findings", { paths: [path] }))[0];
      if (known === undefined || known.length > 0) this.#lintOthers(open);
      void this.#indexed(thread);
      if (answer === undefined || document.version !== version || this.#open.get(document.uri.toString()) !== open) return;
      open.linted = { version, findings: answer.findings };
      await this.#show(document.uri, answer.findings);
    } catch (error) {
      open.pending = undefined;
      this.#tell(`linting ${path}`, error);
    }
  }

  #lintOthers(edited: OpenDocument): void {
    this.#others?.abort();
    if (this.#open.size < 2) return;
    this.#others = new AbortController();
    this.#after(othersMs, this.#others, () => {
      for (const other of this.#open.values()) if (other !== edited && other.thread !== undefined) this.#lintLater(other, 0);
    });
  }

  /** Resolves once the thread knows the files of the workspace; documents that are open are looked at again then. */
  #indexed(thread: LintThread): Promise<Indexed> {
    if (this.#index?.thread === thread) return this.#index.done;
    const index = { thread, ended: false, done: thread.ask("index", { folders: this.#places.folders }).then((indexed) => {
      const { files, unreadable, parsed, left } = indexed;
      this.#world.log.info(`lint: ${files - left} files of the workspace are known, ${parsed} of them parsed anew, ${unreadable} could not be read${left === 0 ? "" : `; ${left} are left out, for what is known of the others takes all the room there is`}`);
      this.#lintAll(0);
      return indexed;
    }).finally(() => (index.ended = true)) };
    index.done.catch((error: unknown) => this.#tell("reading the workspace", error));
    this.#index = index;
    return index.done;
  }

  /** From the first document that speaks of Flink on. */
  #watch(): void {
    const watcher = this.#held.add(vscode.workspace.createFileSystemWatcher(watchedFiles));
    const touch = (uri: vscode.Uri): void => {
      const path = this.#places.pathOfUri(uri);
      if (this.#open.has(uri.toString()) || !mayMatter(path)) return;
      this.#touched.add(path);
      this.#disk?.abort();
      this.#disk = new AbortController();
      this.#after(diskMs, this.#disk, () => this.#takeIn());
    };
    watcher.onDidChange(touch);
    watcher.onDidCreate(touch);
    watcher.onDidDelete(touch);
    this.#watcher = watcher;
  }

  async #takeIn(): Promise<void> {
    const paths = [...this.#touched];
    this.#touched.clear();
    const thread = this.#index?.thread;
    if (thread === undefined) return;
    try {
      await thread.ask("changed", { paths });
      this.#lintAll(0);
      if (this.#wholeWorkspace) await this.#showFiles(thread, paths);
    } catch (error) {
      this.#tell("files that changed on disk", error);
    }
  }

  /** Shows findings of files that are not open; resolves to how many there are, those of open documents included. */
  async #showFiles(thread: LintThread, paths: readonly string[], signal?: AbortSignal): Promise<number> {
    let count = 0;
    for (const { path, findings } of await thread.ask("findings", { paths: paths.filter((path) => !this.#choice.excludes(withinFolder(path))) }, signal)) {
      count += findings.filter((finding) => this.#choice.severityOf(finding) !== undefined).length;
      const uri = this.#places.uriOf(path);
      if (uri !== undefined && !this.#open.has(uri.toString())) await this.#show(uri, findings);
    }
    return count;
  }

  async #show(uri: vscode.Uri, findings: readonly Finding[]): Promise<void> {
    const pages = await (this.#pages ??= this.#readPages());
    const pageOf = (rule: RuleId): vscode.Uri | undefined => (pages.has(`${rule}.md`) ? vscode.Uri.joinPath(this.#world.pages, `${rule}.md`) : undefined);
    this.#diagnostics.set(uri, findings.flatMap((finding) => {
      const severity = this.#choice.severityOf(finding);
      return severity === undefined ? [] : [diagnosticOf(finding, severity, pageOf, (path) => this.#places.uriOf(path))];
    }));
  }

  async #readPages(): Promise<ReadonlySet<string>> {
    return new Set((await vscode.workspace.fs.readDirectory(this.#world.pages).then((found) => found, () => [])).map(([name]) => name));
  }

  #after(waitMs: number, wait: AbortController, act: () => void | Promise<void>): void {
    this.#world.clock.sleep(waitMs, wait.signal).then(act).catch((error: unknown) => this.#tell("the lint", error));
  }

  /** A thread that ended has been told of by the service, and whatever was cancelled needs no word. */
  #tell(doing: string, error: unknown): void {
    if (isAbort(error) || (isFlinkError(error) && error.code === "lint-ended") || (error instanceof RemoteError && error.code === "closed")) return;
    this.#world.log.error(doing, error);
  }
}
