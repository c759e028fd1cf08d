import * as vscode from "vscode";
import type { PaimonSnapshotRef, PaimonTagRef } from "../../core/contributions";
import { isFlinkError } from "../../core/errors";
import { explain } from "../../core/explain";
import { comparedTags, schemaFields } from "../../core/paimon/tagText";
import type { Clock, Log } from "../../core/ports";
import type { WarehouseService } from "../../services/warehouses";
import { paimonScheme } from "./registration";

/** The files of tags and snapshots, to be read only: Paimon alone writes them. */
export class PaimonDocuments {
  readonly #warehouses: WarehouseService;
  readonly #log: Log;
  readonly #changed: vscode.EventEmitter<vscode.Uri>;
  readonly #clock: Clock;

  constructor(warehouses: WarehouseService, changed: vscode.EventEmitter<vscode.Uri>, clock: Clock, log: Log) {
    this.#warehouses = warehouses;
    this.#changed = changed;
    this.#clock = clock;
    this.#log = log;
  }

  /** Opens a tag's or a snapshot's JSON, which may have a remark above it; one that is open already is read anew. */
  async show(ref: PaimonTagRef | PaimonSnapshotRef): Promise<void> {
    await this.#show(`${ref.table} ${"tag" in ref ? `tag ${ref.tag}` : `snapshot ${ref.snapshotId}`}`, "jsonc", ref);
  }

  /** Opens a page about two tags of a table. */
  async showCompared(ref: PaimonTagRef, other: string): Promise<void> {
    await this.#show(`${ref.table} ${ref.tag} and ${other}`, "md", { ...ref, other });
  }

  async #show(name: string, extension: string, query: object): Promise<void> {
    const uri = vscode.Uri.from({ scheme: paimonScheme, path: `/${name.replace(/[\\/]/g, "∕")}.${extension}`, query: JSON.stringify(query) });
    if (vscode.workspace.textDocuments.some((document) => document.uri.toString() === uri.toString())) this.#changed.fire(uri);
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), { preview: true });
  }

  /** A text that can't be made says why in its place: an editor that VS Code restores has nobody to ask. */
  async textOf(uri: vscode.Uri): Promise<string> {
    try {
      const { ref, other } = refIn(uri.query);
      const text = "tag" in ref && other !== null ? await this.#compared(ref, other) : await this.#warehouses.textOf(ref);
      return text ?? "// It is gone, or can't be read.\n";
    } catch (error) {
      this.#log.warn(`the text of ${uri.query}`, error);
      return `// ${isFlinkError(error) ? explain(error).message : "This can't be shown; the log has the reason."}\n`;
    }
  }

  /** Undefined when one of them is gone, or can't be read. */
  async #compared(ref: PaimonTagRef, other: string): Promise<string | undefined> {
    const read = async (name: string): Promise<Parameters<typeof comparedTags>[1] | undefined> => {
      const tag = (await this.#warehouses.tag({ ...ref, tag: name }))?.content;
      if (tag === undefined) return undefined;
      const fields = await this.#warehouses.fields(ref, tag.snapshot.schemaId);
      return { tag, fields: fields === undefined ? undefined : schemaFields(fields) };
    };
    const [left, right] = [await read(ref.tag), await read(other)];
    return left === undefined || right === undefined ? undefined : comparedTags(ref.table, left, right, this.#clock.now());
  }
}

/** Editors are restored with whatever an earlier version wrote there. */
function refIn(query: string): { readonly ref: PaimonTagRef | PaimonSnapshotRef; readonly other: string | null } {
  const { warehouse, table, tag, snapshotId, other } = JSON.parse(query) as Readonly<Record<string, unknown>>;
  const place = { warehouse: String(warehouse), table: String(table) };
  return { ref: typeof tag === "string" ? { ...place, tag } : { ...place, snapshotId: Number(snapshotId) }, other: typeof other === "string" ? other : null };
}
