import * as vscode from "vscode";
import { FlinkError, isFlinkError } from "../../core/errors";
import { explain } from "../../core/explain";
import type { Log } from "../../core/ports";
import { RemoteError } from "../../core/rpc";
import { titleOf, type Snapshot, type Snapshots } from "../commands/snapshots";
import { textScheme } from "./registration";

/** Where texts come from. */
export interface TextWorld {
  /** See `metadataText`. */
  textOf(location: string, order: "name" | "id", signal: AbortSignal): Promise<string>;
  /** Version of the metadata's format; undefined when it can't be read. */
  formatOf(location: string): Promise<number | undefined>;
  /** Tells VS Code that a text is to be read anew. */
  readonly changed: vscode.EventEmitter<vscode.Uri>;
  readonly log: Log;
}

/** Formats from this one on have names of operators. */
const namedFormat = 5;

/** Snapshots as virtual text documents, read when one is opened. */
export class TextDocuments {
  readonly #world: TextWorld;

  constructor(world: TextWorld) {
    this.#world = world;
  }

  /** Opens one. */
  async show(snapshot: Snapshot): Promise<void> {
    const uri = this.#fresh(snapshot, "name");
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), { preview: true });
  }

  /** Opens two in VS Code's diff. By id, when one of them has no names to go by. */
  async diff(pair: Snapshots): Promise<void> {
    const formats = await Promise.all([pair.left, pair.right].map(({ location }) => this.#world.formatOf(location)));
    const order = formats.every((format) => (format ?? 0) >= namedFormat) ? "name" : "id";
    await vscode.commands.executeCommand("vscode.diff", this.#fresh(pair.left, order), this.#fresh(pair.right, order), titleOf(pair), { preview: true } satisfies vscode.TextDocumentShowOptions);
  }

  /** The address of a text; one that is open already is read anew. */
  #fresh({ name, jobName, location }: Snapshot, order: "name" | "id"): vscode.Uri {
    const title = [name, jobName].filter((part) => part !== null).join(" ").replace(/[\\/]/g, "∕");
    const uri = vscode.Uri.from({ scheme: textScheme, path: `/${title}.flink-savepoint`, query: JSON.stringify({ location, order }) });
    if (vscode.workspace.textDocuments.some((document) => document.uri.toString() === uri.toString())) this.#world.changed.fire(uri);
    return uri;
  }

  /** A text that can't be made says why in its place: an editor that VS Code restores has nobody to ask. */
  async content(uri: vscode.Uri, token: vscode.CancellationToken): Promise<string> {
    const abort = new AbortController();
    const subscription = token.onCancellationRequested(() => abort.abort());
    try {
      const { location, order } = JSON.parse(uri.query) as { readonly location?: unknown; readonly order?: unknown };
      if (typeof location !== "string") throw new FlinkError("location-invalid", { location: uri.query, fault: "unreadable" });
      return await this.#world.textOf(location, order === "id" ? "id" : "name", abort.signal);
    } catch (error) {
      this.#world.log.warn(`the text of ${uri.query}`, error);
      return `# ${isFlinkError(error) ? explain(error).message : error instanceof RemoteError ? error.message : "This can't be shown; the log has the reason."}\n`;
    } finally {
      subscription.dispose();
    }
  }
}
