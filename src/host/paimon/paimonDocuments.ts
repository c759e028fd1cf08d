import * as vscode from "vscode";
import type { PaimonSnapshotRef, PaimonTagRef } from "../../core/contributions";
import { isFlinkError } from "../../core/errors";
import { explain } from "../../core/explain";
import type { Log } from "../../core/ports";
import type { WarehouseService } from "../../services/warehouses";
import { paimonScheme } from "./registration";

/** The files of tags and snapshots, to be read only: Paimon alone writes them. */
export class PaimonDocuments {
  readonly #warehouses: WarehouseService;
  readonly #log: Log;
  readonly #changed: vscode.EventEmitter<vscode.Uri>;

  constructor(warehouses: WarehouseService, changed: vscode.EventEmitter<vscode.Uri>, log: Log) {
    this.#warehouses = warehouses;
    this.#changed = changed;
    this.#log = log;
  }

  /** Opens a tag's or a snapshot's JSON; one that is open already is read anew. */
  async show(ref: PaimonTagRef | PaimonSnapshotRef): Promise<void> {
    const name = "tag" in ref ? `tag ${ref.tag}` : `snapshot ${ref.snapshotId}`;
    const uri = vscode.Uri.from({ scheme: paimonScheme, path: `/${`${ref.table} ${name}`.replace(/[\\/]/g, "∕")}.json`, query: JSON.stringify(ref) });
    if (vscode.workspace.textDocuments.some((document) => document.uri.toString() === uri.toString())) this.#changed.fire(uri);
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), { preview: true });
  }

  /** A text that can't be made says why in its place: an editor that VS Code restores has nobody to ask. */
  async textOf(uri: vscode.Uri): Promise<string> {
    try {
      const text = await this.#warehouses.textOf(refIn(uri.query));
      return text ?? "// It is gone, or can't be read.\n";
    } catch (error) {
      this.#log.warn(`the text of ${uri.query}`, error);
      return `// ${isFlinkError(error) ? explain(error).message : "This can't be shown; the log has the reason."}\n`;
    }
  }
}

/** Editors are restored with whatever an earlier version wrote there. */
function refIn(query: string): PaimonTagRef | PaimonSnapshotRef {
  const { warehouse, table, tag, snapshotId } = JSON.parse(query) as Readonly<Record<string, unknown>>;
  const place = { warehouse: String(warehouse), table: String(table) };
  return typeof tag === "string" ? { ...place, tag } : { ...place, snapshotId: Number(snapshotId) };
}
