import * as vscode from "vscode";
import { DisposableStore } from "../../core/base/disposable";
import { comparedNamesSchema, comparisonPageParams, type ComparisonPageApi } from "../../core/comparison/comparisonPage";
import type { ComparisonApi } from "../../core/comparison/protocol";
import { inspectorViewType } from "../../core/contributions";
import { isFlinkError } from "../../core/errors";
import { explain } from "../../core/explain";
import { localPath } from "../../core/model/location";
import type { Log } from "../../core/ports";
import { RemoteError, serve, type Handlers, type WireError } from "../../core/rpc";
import type { ComparisonService } from "../../services/comparisons";
import type { InspectionService } from "../../services/inspection";
import { copyText } from "../commands/copy";
import { titleOf, type Snapshot, type Snapshots } from "../commands/snapshots";
import type { ComparisonControl } from "../commands/world";
import { showPage, type PageFolder } from "../inspector/webviewPage";
import { comparisonViewType } from "./registration";
import { TextDocuments } from "./textDocuments";

/** What comparing needs. */
export interface ComparisonsWorld {
  readonly comparison: ComparisonService;
  readonly inspection: InspectionService;
  readonly pages: PageFolder;
  /** Tells VS Code that a text is to be read anew. */
  readonly textChanged: vscode.EventEmitter<vscode.Uri>;
  readonly log: Log;
}

/** Panels that compare two snapshots, and their texts; see `registerComparisons`. */
export class Comparisons implements ComparisonControl {
  readonly #world: ComparisonsWorld;
  readonly #texts: TextDocuments;
  readonly #panels = new Map<string, vscode.WebviewPanel>();

  constructor(world: ComparisonsWorld) {
    this.#world = world;
    const { comparison, inspection, textChanged, log } = world;
    this.#texts = new TextDocuments({ textOf: (...args) => comparison.textOf(...args), formatOf: (location) => inspection.formatOf(location), changed: textChanged, log });
  }

  /** Fills a panel of before a reload. */
  revive(panel: vscode.WebviewPanel, state: unknown): void {
    const kept = comparedNamesSchema.safeParse(typeof state === "object" && state !== null && "names" in state ? state.names : undefined);
    // Without its names a panel of another version has nothing to show.
    if (kept.success) this.#fill(panel, kept.data);
    else panel.dispose();
  }

  /** The text of a virtual document. */
  textOf(uri: vscode.Uri, token: vscode.CancellationToken): Promise<string> {
    return this.#texts.content(uri, token);
  }

  show(pair: Snapshots): void {
    const open = this.#panels.get(keyOf(pair));
    if (open !== undefined) return open.reveal();
    this.#fill(vscode.window.createWebviewPanel(comparisonViewType, titleOf(pair), vscode.ViewColumn.Active), pair);
  }

  showTexts(pair: Snapshots): Promise<void> {
    return this.#texts.diff(pair);
  }

  showText(snapshot: Snapshot): Promise<void> {
    return this.#texts.show(snapshot);
  }

  #fill(panel: vscode.WebviewPanel, pair: Snapshots): void {
    const { comparison, pages, log } = this.#world;
    const held = new DisposableStore();
    const session = held.add(comparison.compare({ left: pair.left.location, right: pair.right.location }));
    // Reading begins while the page is still loading; the page asks again and is told of what goes wrong.
    session.ask("open", { swapped: false }).catch(() => undefined);
    const pass = <K extends Exclude<keyof ComparisonApi, "text">>(method: K): Handlers<ComparisonPageApi>[K] =>
      ((params: unknown, signal: AbortSignal) => session.ask(method, comparisonPageParams[method].parse(params) as Parameters<ComparisonApi[K]>[0], signal)) as unknown as Handlers<ComparisonPageApi>[K];
    panel.title = titleOf(pair);
    held.add(serve<ComparisonPageApi>(showPage(panel.webview, pages, "comparison", "Compare savepoints"), {
      open: pass("open"), states: pass("states"), rows: pass("rows"), row: pass("row"), json: pass("json"),
      names: () => Promise.resolve(pair),
      copyJson: async (params, signal) => {
        await copyText("comparison", await session.ask("json", comparisonPageParams.copyJson.parse(params), signal));
        return null;
      },
      copy: async (params) => {
        const { what, text } = comparisonPageParams.copy.parse(params);
        await copyText(what, text);
        return null;
      },
      run: async (params) => {
        const { action, swapped } = comparisonPageParams.run.parse(params);
        const { left, right } = swapped ? { left: pair.right, right: pair.left } : pair;
        if (action === "asText") await this.showTexts({ left, right });
        else await openInspector(action === "inspectLeft" ? left : right);
        return null;
      },
    }, (error) => wireError(error, log)));
    const key = keyOf(pair);
    this.#panels.set(key, panel);
    panel.onDidDispose(() => {
      if (this.#panels.get(key) === panel) this.#panels.delete(key);
      held.dispose();
    });
  }
}

function keyOf({ left, right }: Snapshots): string {
  return [left.location, right.location].sort().join("\n");
}

async function openInspector({ location }: Snapshot): Promise<void> {
  const place = localPath(location);
  if (place !== undefined) await vscode.commands.executeCommand("vscode.openWith", vscode.Uri.joinPath(vscode.Uri.file(place), "_metadata"), inspectorViewType);
}

function wireError(error: unknown, log: Log): WireError {
  if (error instanceof RemoteError) return { code: error.code, sentence: error.message };
  if (isFlinkError(error)) return { code: error.code, sentence: explain(error).message };
  log.error("comparing", error);
  return { code: "unexpected", sentence: "Something unexpected went wrong. The log has the details." };
}
