import * as vscode from "vscode";
import { endingOf, mayBeLinted } from "../../core/lint/fileNames";
import type { LintFolder } from "../../core/lint/protocol";

/** Names of documents in the lint, by which files find each other: `<number of the folder>/src/Job.java`; whatever lies outside of the workspace begins with `-/`. */
export class Places {
  readonly #outside = new Map<string, vscode.Uri>();

  /** The folders on disk. */
  get folders(): readonly LintFolder[] {
    return (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === "file").map(({ uri, index }) => ({ prefix: `${index}/`, folder: uri.fsPath }));
  }

  /** The path of a document that is linted; undefined for every other, such as one side of a comparison with a commit. */
  pathOf(document: vscode.TextDocument): string | undefined {
    const { uri, languageId } = document;
    if (vscode.workspace.getWorkspaceFolder(uri) === undefined && uri.scheme !== "file" && uri.scheme !== "untitled") return undefined;
    const path = this.pathOfUri(uri);
    if (mayBeLinted(path)) return path;
    const ending = uri.scheme === "untitled" ? endingOf[languageId] : undefined;
    if (ending === undefined) return undefined;
    this.#outside.set(path + ending, uri);
    return path + ending;
  }

  pathOfUri(uri: vscode.Uri): string {
    const folder = vscode.workspace.getWorkspaceFolder(uri);
    if (folder !== undefined) return `${folder.index}/${uri.path.slice(folder.uri.path.length).replace(/^\//, "")}`;
    const path = `-/${uri.scheme}${uri.path.startsWith("/") ? "" : "/"}${uri.path}`;
    this.#outside.set(path, uri);
    return path;
  }

  /** Where a path lies; undefined when its folder is gone. */
  uriOf(path: string): vscode.Uri | undefined {
    const outside = this.#outside.get(path);
    if (outside !== undefined) return outside;
    const folder = vscode.workspace.workspaceFolders?.[Number(path.slice(0, path.indexOf("/")))];
    return folder === undefined ? undefined : vscode.Uri.joinPath(folder.uri, path.slice(path.indexOf("/") + 1));
  }
}

/** What patterns of the settings are about: the path within its folder. */
export function withinFolder(path: string): string {
  return path.slice(path.indexOf("/") + 1);
}
