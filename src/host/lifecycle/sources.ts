import * as vscode from "vscode";
import { DisposableStore, type Disposable } from "../../core/base/disposable";
import { Emitter } from "../../core/base/event";
import { lifecycleFileName } from "../../core/lifecycle/fileName";
import type { Log } from "../../core/ports";

/** A file of schedules and cleanup rules, as it lies on disk. */
export interface LifecycleSource {
  readonly uri: vscode.Uri;
  readonly level: "user" | "workspace";
}

/** The files that count in this window: in the root of each workspace folder, of a trusted workspace only, and the user's own. */
export class LifecycleSources implements Disposable {
  readonly user: vscode.Uri;
  readonly #log: Log;
  readonly #held = new DisposableStore();
  readonly #changed: Emitter<undefined>;
  #watched = new DisposableStore();

  /** Fires when a file came, went or changed on disk, or other files count. */
  readonly onDidChange;

  constructor(userFolder: vscode.Uri, log: Log) {
    this.user = vscode.Uri.joinPath(userFolder, lifecycleFileName);
    this.#log = log;
    this.#changed = this.#held.add(new Emitter<undefined>((error) => log.error("a listener to files of schedules", error)));
    this.onDidChange = this.#changed.event;
  }

  watch(): void {
    const anew = (): void => {
      this.#watched.dispose();
      this.#watched = new DisposableStore();
      for (const { uri } of this.list()) {
        const watcher = this.#watched.add(vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(vscode.Uri.joinPath(uri, ".."), lifecycleFileName)));
        for (const event of [watcher.onDidCreate, watcher.onDidChange, watcher.onDidDelete]) event(() => this.#changed.fire(undefined));
      }
      this.#changed.fire(undefined);
    };
    this.#held.add(vscode.workspace.onDidChangeWorkspaceFolders(anew));
    this.#held.add(vscode.workspace.onDidGrantWorkspaceTrust(anew));
    // A file that was just saved here counts at once, whatever the watcher thinks of its folder.
    this.#held.add(vscode.workspace.onDidSaveTextDocument(({ uri }) => this.list().some((source) => source.uri.toString() === uri.toString()) && this.#changed.fire(undefined)));
    this.#held.add({ dispose: () => this.#watched.dispose() });
    anew();
  }

  list(): LifecycleSource[] {
    const folders = vscode.workspace.isTrusted ? (vscode.workspace.workspaceFolders ?? []) : [];
    return [...folders.map(({ uri }) => ({ uri: vscode.Uri.joinPath(uri, lifecycleFileName), level: "workspace" as const })), { uri: this.user, level: "user" as const }];
  }

  /** The files that are there, with their texts. */
  async read(): Promise<{ readonly path: string; readonly level: "user" | "workspace"; readonly text: string }[]> {
    const texts = await Promise.all(this.list().map(async ({ uri, level }) => {
      try {
        const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
        return [{ path: uri.scheme === "file" ? uri.fsPath : uri.toString(), level, text }];
      } catch (error) {
        if (!(error instanceof vscode.FileSystemError && error.code === "FileNotFound")) this.#log.warn(`${uri.toString()} can't be read`, error);
        return [];
      }
    }));
    return texts.flat();
  }

  /** Watches, and calls `found` as soon as one of the files is there, or open in an editor, once. */
  watchFor(found: () => void): void {
    let isFound = false;
    const look = async (): Promise<void> => {
      if (isFound || (!vscode.workspace.textDocuments.some(({ fileName }) => fileName.endsWith(lifecycleFileName)) && (await this.read()).length === 0)) return;
      isFound = true;
      found();
    };
    this.#held.add(this.onDidChange(() => void look()));
    this.#held.add(vscode.workspace.onDidOpenTextDocument(() => void look()));
    this.watch();
  }

  dispose(): void {
    this.#held.dispose();
  }
}
