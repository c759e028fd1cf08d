import * as vscode from "vscode";
import { DisposableStore } from "../../core/base/disposable";
import { Emitter } from "../../core/base/event";
import { FlinkError, isFlinkError } from "../../core/errors";
import { explain } from "../../core/explain";
import { pageParams, type InspectorPageApi, type InspectorPageEvents, type PairsSeen, type SavepointFacts } from "../../core/inspector/inspectorPage";
import type { InspectionApi } from "../../core/inspector/protocol";
import { isUsable, type SavepointRecord } from "../../core/ledger/record";
import type { Ledger } from "../../core/ledger/store";
import { checkpointOwner, localPath, normaliseLocation, shortJobId } from "../../core/model/location";
import { pairReasonText, pairRowText, pairTitle } from "../../core/paimon/pairText";
import type { Clock, Log } from "../../core/ports";
import { RemoteError, serve, type Handlers, type WireError } from "../../core/rpc";
import type { Inspection } from "../../services/inspectionSession";
import type { PairService } from "../../services/pairs";
import { copyText } from "../commands/copy";
import { showPage, type PageFolder } from "./webviewPage";

/** What the inspector needs. */
export interface InspectorWorld {
  inspect(location: string): Inspection;
  readonly ledger: Ledger;
  readonly pairs: PairService;
  readonly clock: Clock;
  readonly pages: PageFolder;
  readonly log: Log;
}

/** One `_metadata`, read once for all its panels; it and its thread go when the last panel is closed. */
export class InspectorDocument implements vscode.CustomDocument {
  readonly uri: vscode.Uri;
  /** The folder that holds the metadata, as Flink writes it. */
  readonly location: string;
  readonly inspection: Inspection;
  readonly #held = new DisposableStore();
  readonly #changed = this.#held.add(new Emitter<"replaced" | "deleted">());
  readonly onDidChange = this.#changed.event;

  constructor(uri: vscode.Uri, inspect: (location: string) => Inspection) {
    this.uri = uri;
    this.location = uri.scheme === "file" ? normaliseLocation(uri.fsPath) : uri.toString();
    this.inspection = this.#held.add(inspect(this.location));
    if (uri.scheme !== "file") return;
    const watcher = this.#held.add(vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(vscode.Uri.joinPath(uri, ".."), "_metadata")));
    const tell = (reason: "replaced" | "deleted") => (): void => {
      this.inspection.forget();
      this.#changed.fire(reason);
    };
    this.#held.add(watcher.onDidChange(tell("replaced")));
    this.#held.add(watcher.onDidCreate(tell("replaced")));
    this.#held.add(watcher.onDidDelete(tell("deleted")));
  }

  dispose(): void {
    this.#held.dispose();
  }
}

/** Opens `_metadata` files in the inspector; see `registerInspector`. */
export class Inspector {
  readonly #world: InspectorWorld;

  constructor(world: InspectorWorld) {
    this.#world = world;
  }

  /** Begins to read while the page is still loading; the page asks again and is told of what goes wrong. */
  open(uri: vscode.Uri): InspectorDocument {
    const document = new InspectorDocument(uri, (location) => this.#world.inspect(location));
    document.inspection.ask("open", {}).catch(() => undefined);
    return document;
  }

  /** Fills a panel with the inspector's page. */
  show(document: InspectorDocument, panel: vscode.WebviewPanel): void {
    showInspector(this.#world, document, panel);
  }
}

function showInspector(world: InspectorWorld, document: InspectorDocument, panel: vscode.WebviewPanel): void {
  const held = new DisposableStore();
  const pass = <K extends keyof InspectionApi>(method: K): Handlers<InspectorPageApi>[K] =>
    ((params: unknown, signal: AbortSignal) => document.inspection.ask(method, pageParams[method].parse(params) as Parameters<InspectionApi[K]>[0], signal)) as unknown as Handlers<InspectorPageApi>[K];
  const port = showPage(panel.webview, world.pages, "inspector", "Savepoint");
  const server = held.add(serve<InspectorPageApi, InspectorPageEvents>(port, {
    open: pass("open"), operators: pass("operators"), operator: pass("operator"), subtasks: pass("subtasks"), handles: pass("handles"), shares: pass("shares"), keyGroups: pass("keyGroups"), files: pass("files"),
    states: pass("states"), selfContained: pass("selfContained"), json: pass("json"),
    facts: () => factsOf(world.ledger, document.location),
    pairs: () => pairsSeen(world, document.location),
    copyJson: async (params, signal) => {
      await copyText("report", await document.inspection.ask("json", pageParams.copyJson.parse(params), signal));
      return null;
    },
    copy: async (params) => {
      const { what, text } = pageParams.copy.parse(params);
      await copyText(what, text);
      return null;
    },
    reveal: async (params) => {
      const { path } = pageParams.reveal.parse(params);
      await reveal(path === null ? document.uri : fileOf(document.location, path));
      return null;
    },
    run: async (params) => {
      const { action } = pageParams.run.parse(params);
      if (action === "addWarehouse") await vscode.commands.executeCommand("flinkSavepoints.addWarehouse");
      else if (action === "showPairs") await vscode.commands.executeCommand("flinkSavepoints.showPairs", { recordId: (await recordAt(world.ledger, document.location))?.id });
      else if (action === "openWith") await vscode.commands.executeCommand("workbench.action.reopenWithEditor");
      else await vscode.commands.executeCommand("flinkSavepoints.restore", { recordId: (await recordAt(world.ledger, document.location))?.id });
      return null;
    },
  }, (error) => wireError(error, world.log)));
  held.add(document.onDidChange((reason) => server.emit("changed", { reason })));
  held.add(world.ledger.onDidChange(() => {
    factsOf(world.ledger, document.location).then((facts) => server.emit("facts", facts), (error: unknown) => world.log.warn("reading the ledger", error));
  }));
  panel.onDidDispose(() => held.dispose());
}

/** A local file that the metadata names. Throws `metadata-elsewhere`. */
function fileOf(folder: string, path: string): vscode.Uri {
  const place = localPath(path.includes(":") || path.startsWith("/") ? path : `${folder}/${path}`);
  if (place === undefined) throw new FlinkError("metadata-elsewhere", { location: path });
  return vscode.Uri.file(place);
}

/** In the explorer of the window when it is in a folder of it, else in the system's. */
async function reveal(uri: vscode.Uri): Promise<void> {
  await vscode.commands.executeCommand(vscode.workspace.getWorkspaceFolder(uri) === undefined ? "revealFileInOS" : "revealInExplorer", uri);
}

async function recordAt(ledger: Ledger, location: string): Promise<SavepointRecord | undefined> {
  return (await ledger.all()).find((record): record is SavepointRecord => record.kind === "savepoint" && record.path !== null && normaliseLocation(record.path) === location);
}

async function factsOf(ledger: Ledger, location: string): Promise<SavepointFacts> {
  const record = await recordAt(ledger, location);
  if (record === undefined) return { job: { id: checkpointOwner(location) ?? shortJobId(location) ?? null, name: null, cluster: null }, takenAtMs: null, description: "", origin: null, pinned: false, actions: [] };
  const { job, cluster, endedAtMs, description, origin, pinned } = record;
  return { job: { id: job.id, name: job.name, cluster: cluster.name }, takenAtMs: endedAtMs, description, origin, pinned, actions: isUsable(record) ? ["restore"] : [] };
}

async function pairsSeen({ ledger, pairs, clock }: InspectorWorld, location: string): Promise<PairsSeen | null> {
  const record = await recordAt(ledger, location);
  const found = await pairs.pairsOf({ path: location, recordId: record?.id ?? null, completedMs: record?.endedAtMs ?? null }, 10_000);
  if (found === undefined || found.pairs.length === 0) return null;
  const rows = found.pairs.map((pair) => ({ title: pairTitle(pair), grade: pair.pairing.grade, text: pairs.isUsed ? pairRowText(pair, clock.now()) : "no Paimon warehouse is configured to look for it in", reasons: pair.pairing.reasons.map(pairReasonText) }));
  return { rows, action: !pairs.isUsed ? "addWarehouse" : record === undefined ? null : "showPairs" };
}

function wireError(error: unknown, log: Log): WireError {
  if (error instanceof RemoteError) return { code: error.code, sentence: error.message };
  if (isFlinkError(error)) return { code: error.code, sentence: explain(error).message };
  log.error("the inspector", error);
  return { code: "unexpected", sentence: "Something unexpected went wrong. The log has the details." };
}
