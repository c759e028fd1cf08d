import * as vscode from "vscode";
import { DisposableStore } from "../../core/base/disposable";
import { once } from "../../core/base/once";
import type { FindCleanup } from "../../core/cleanup/rules";
import { isBeingCleanedUp, type SavepointRecord } from "../../core/ledger/record";
import type { CleanupService } from "../../services/cleanup";
import type { OverviewControl } from "../commands/world";
import type { Lifecycle } from "../lifecycle/lifecycle";
import type { OverviewsWorld } from "./overviews";

/** Of the panel of one job; VS Code remembers it over a reload. */
export const overviewViewType = "flinkSavepoints.overview";

/** What the pages of jobs, and cleanup, work with. */
export interface OverviewParts extends Omit<OverviewsWorld, "cleanup" | "schedules" | "onDidChangeFiles"> {
  lifecycle(): Promise<Lifecycle>;
  makeCleanup(find: FindCleanup): Promise<CleanupService>;
}

/** Pages of jobs, and cleanup by rules. What does the work is loaded when it is first asked for. */
export interface OverviewPart {
  overviews(): Promise<OverviewControl>;
  cleanup(): Promise<CleanupService>;
  /** Applies the rules after a scheduled savepoint. Never throws. */
  afterSavepoint(record: SavepointRecord): void;
  /** What lies aside is put away in time, whoever moved it there; what was being moved is settled. */
  watch(): Promise<void>;
}

/** Listens once the files were read; quiet before, and when they can't be. */
function watchFiles(lifecycle: () => Promise<Lifecycle>, listener: () => void): DisposableStore {
  const held = new DisposableStore();
  lifecycle().then(({ files }) => held.add(files.onDidChange(listener)), () => undefined);
  return held;
}

/** Joins both, and tells VS Code who fills the panels that it remembers. What it makes goes with `held`. */
export function joinOverview(held: DisposableStore, parts: OverviewParts): OverviewPart {
  const { ledger, log, lifecycle, makeCleanup } = parts;
  const cleanup = once(async () => {
    const [{ openWindowCleanup }, { files }] = await Promise.all([import("../lifecycle/windowCleanup"), lifecycle()]);
    return openWindowCleanup({ ...parts, files, make: makeCleanup }, held);
  });
  const overviews = once(async () => new (await import("./overviews")).Overviews({ ...parts, cleanup, schedules: async (cluster, jobName) => (await lifecycle()).schedules.ofJob(cluster, jobName), onDidChangeFiles: (listener) => watchFiles(lifecycle, listener) }));
  held.add(vscode.window.registerWebviewPanelSerializer(overviewViewType, { deserializeWebviewPanel: async (panel, state) => (await overviews()).revive(panel, state) }));
  return {
    overviews, cleanup,
    afterSavepoint: (record) => void cleanup().then((service) => service.afterScheduled(record)).catch((error: unknown) => log.error("cleanup", error)),
    watch: async () => void (await ledger.all().then((records) => (records.some(isBeingCleanedUp) ? cleanup() : undefined)).catch((error: unknown) => log.error("looking for what cleanup left", error))),
  };
}
