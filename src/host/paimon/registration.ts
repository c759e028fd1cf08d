import * as vscode from "vscode";
import type { DisposableStore } from "../../core/base/disposable";
import { once } from "../../core/base/once";
import type { Ledger } from "../../core/ledger/store";
import type { WarehouseReader } from "../../core/paimon/warehouse";
import type { Clock, Log, Thread } from "../../core/ports";
import type { ClusterService } from "../../services/clusters";
import type { JobService } from "../../services/jobs";
import { PaimonJobs } from "../../services/paimonJobs";
import { PairService } from "../../services/pairs";
import { WarehouseService, type AskedTables } from "../../services/warehouses";
import type { CommandWorld, PaimonControl } from "../commands/world";
import type { PageFolder } from "../inspector/webviewPage";

/** Of the panel of a job's pairs; VS Code remembers it over a reload. */
export const boardViewType = "flinkSavepoints.pairs";

/** Scheme of the files of tags and snapshots. */
export const paimonScheme = "flink-paimon";

/** What Paimon's part of a window works with. */
export interface PaimonParts {
  readonly reader: WarehouseReader;
  /** For warehouses that only a SQL Gateway reaches. */
  readonly asked: AskedTables;
  startPairing(): Thread;
  readonly ledger: Ledger;
  readonly clusters: ClusterService;
  readonly jobs: JobService;
  readonly pages: PageFolder;
  readonly clock: Clock;
  readonly log: Log;
}

/** Paimon's part of a window. What shows it is loaded when it is first asked for. */
export interface Paimon {
  readonly warehouses: WarehouseService;
  readonly pairs: PairService;
  readonly paimonJobs: PaimonJobs;
  paimon(): Promise<PaimonControl>;
  /** From the first warehouse on, savepoints are watched until their tags are there. */
  watch(world: CommandWorld): void;
}

/** Joins Paimon's part, and tells VS Code who fills the panels that it remembers and who has the texts. What it makes goes with `held`. */
export function joinPaimon(held: DisposableStore, { reader, asked, startPairing, ledger, clusters, jobs, pages, clock, log }: PaimonParts): Paimon {
  const warehouses = held.add(new WarehouseService(reader, asked));
  const pairs = held.add(new PairService(startPairing, warehouses, ledger, clock, log));
  const textChanged = held.add(new vscode.EventEmitter<vscode.Uri>());
  const boards = once(async () => new (await import("./boards")).PairBoards({ ledger, clusters, jobs, pairs, warehouses, pages, clock, log }));
  const documents = once(async () => new (await import("./paimonDocuments")).PaimonDocuments(warehouses, textChanged, clock, log));
  held.add(vscode.window.registerWebviewPanelSerializer(boardViewType, { deserializeWebviewPanel: async (panel, state) => (await boards()).revive(panel, state) }));
  held.add(vscode.workspace.registerTextDocumentContentProvider(paimonScheme, { onDidChange: textChanged.event, provideTextDocumentContent: async (uri) => (await documents()).textOf(uri) }));
  const watch = (world: CommandWorld): void => {
    const watching = once(async () => {
      const [{ PairWatch }, { tellPairs }] = await Promise.all([import("../../services/pairWatch"), import("./pairOutcomes")]);
      const service = held.add(new PairWatch({ ledger, pairs, clusters, jobs, clock, log }));
      held.add(tellPairs(world, service));
      await service.start();
    });
    const ifUsed = (): void => {
      if (pairs.isUsed) watching().catch((error: unknown) => log.error("watching for Paimon's tags", error));
    };
    held.add(warehouses.onDidChange(ifUsed));
    ifUsed();
  };
  return {
    warehouses, pairs, watch, paimonJobs: new PaimonJobs(clusters, ledger, pairs, warehouses, log),
    paimon: async () => ({ showFile: async (ref) => (await documents()).show(ref), showCompared: async (ref, other) => (await documents()).showCompared(ref, other), showBoard: (about) => void boards().then((shown) => shown.show(about), (error: unknown) => log.error("the board of pairs", error)) }),
  };
}
