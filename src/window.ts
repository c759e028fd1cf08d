import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import * as path from "node:path";
import * as vscode from "vscode";
import { createApp } from "./app";
import { createHttp } from "./clients/http";
import { localWarehouse } from "./clients/paimon/localWarehouse";
import type { PaimonSettings } from "./clients/paimon/paimonTables";
import { startThread } from "./clients/workerThread";
import { workspaceCommit } from "./clients/workspaceCommit";
import { systemClock } from "./core/base/async";
import type { DisposableStore } from "./core/base/disposable";
import { once } from "./core/base/once";
import { FlinkError, isFlinkError } from "./core/errors";
import { explain } from "./core/explain";
import { CachedWarehouse } from "./core/paimon/cachedWarehouse";
import type { Thread, WorkspaceCommit } from "./core/ports";
import { tellEndsOfEarlier } from "./host/commands/outcomes";
import type { CommandWorld } from "./host/commands/world";
import { registerComparisons } from "./host/comparison/registration";
import { onFirstLinted } from "./host/diagnostics/lintedDocuments";
import { runCommand, type CommandBoundary } from "./host/platform/commandBoundary";
import type { Called } from "./host/platform/commands";
import type { Inspector } from "./host/inspector/editor";
import { joinOverview } from "./host/overview/registration";
import { joinPaimon } from "./host/paimon/registration";
import { LifecycleSources } from "./host/lifecycle/sources";
import { Notify } from "./host/platform/notify";
import { Progress } from "./host/platform/progress";
import { StoredCredentials, vaultOf } from "./host/platform/secrets";
import { SettingsReader } from "./host/platform/settings";
import { openSecretsRemarks, problemsText } from "./host/platform/settingsCheck";
import { Explorer } from "./host/views/explorer";
import { Operations } from "./host/views/operations";
import { ScheduleRows } from "./host/views/scheduleRows";
import { operationsStatus } from "./host/views/statusBar";
import { keptTags } from "./services/keptTags";

/** Everything of one window of VS Code, joined. */
export interface Window {
  readonly explorer: Explorer;
  inspector(): Promise<Inspector>;
  /** Runs a command; never rejects. */
  run(called: Called<CommandWorld>): Promise<void>;
  /** Begins what goes on by itself: reads the ledger, follows what is open in it, looks for a local Flink. To be called once. */
  begin(): Promise<void>;
  /** Stops the local Flink of this window, unless it is kept, and closes its sessions at SQL Gateways. */
  leave(): Promise<void>;
}

/** Joins the app and VS Code. Without any request or file: those follow in `begin`, when a view is shown, or when a verb is run. What it makes goes with `held`. */
export function openWindow(context: vscode.ExtensionContext, held: DisposableStore): Window {
  const log = vscode.window.createOutputChannel("Flink Savepoints", { log: true });
  const clock = systemClock;
  const storage = context.globalStorageUri.fsPath;
  const settings = new SettingsReader();
  const [credentials, vault] = [new StoredCredentials(context.secrets, log), vaultOf(context.secrets)];
  const notify = new Notify(log);
  const progress = new Progress(log);
  const requestTimeoutMs = (): number => settings.current["requests.timeoutSeconds"] * 1_000;

  const paimonSettings: PaimonSettings = {
    warehouses: () => settings.warehouses, javaHome: () => settings.current["localFlink.javaHome"], mavenRepository: () => settings.current["localFlink.mavenRepository"], listsFolder: context.asAbsolutePath("media/paimon"), cacheFolder: path.join(storage, "flink"), homeFolder: homedir(), env: process.env, mavenHttp: { send: async (request, signal) => (await mavenHttp()).send(request, signal) },
  };
  const app = createApp({ ledgerFolder: path.join(storage, "ledger"), credentials, vault, requestTimeoutMs, log, clock, workspaceCommit: openCommit, inspectionThread: context.asAbsolutePath("dist/worker/inspection.js"), comparisonThread: context.asAbsolutePath("dist/worker/comparison.js"), paimon: paimonSettings });
  // Its own connections, and none of our credentials: it speaks to Maven repositories only.
  const mavenHttp = once(() => Promise.resolve(held.add(createHttp({ credentials: { get: () => Promise.resolve([]) }, requestTimeoutMs, log, readCa: (file) => readFile(file, "utf8") }))));
  const localFlink = once(async () => {
    const { createLocalFlink } = await import("./clients/localFlink/localFlink");
    return createLocalFlink({ folder: path.join(storage, "localFlink"), cacheFolder: path.join(storage, "flink"), listsFolder: context.asAbsolutePath("media/flink"), clock, log, http: await mavenHttp() });
  });

  const pages = { uri: vscode.Uri.joinPath(context.extensionUri, "dist", "webview") };
  const { clusters, jobs, savepoints, restores, disposals, inspection, otherPins, ledger, reconciler } = app;
  const paimon = joinPaimon(held, { reader: new CachedWarehouse(localWarehouse), asked: async (profile) => (await app.paimonTables()).askedTables(profile), startPairing: () => startThread(context.asAbsolutePath("dist/worker/pairing.js"), {}, { heapMb: 1024 }), ledger, clusters, jobs, pages, clock, log });
  const { warehouses, pairs } = paimon;
  const operations = new Operations(jobs, ledger, log);
  const scheduleRows = new ScheduleRows(log);
  const sources = new LifecycleSources(context.globalStorageUri, log);
  const lifecycle = once(async () => {
    const [{ Lifecycle }, scheduler, agreements] = await Promise.all([import("./host/lifecycle/lifecycle"), app.scheduler(), app.scheduleAgreements()]);
    return held.add(await Lifecycle.open({ sources, rows: scheduleRows, scheduler, agreements, clusters, ledger, notify, log, clock, afterSavepoint: (record) => overview.afterSavepoint(record) }));
  });
  const explorer = new Explorer({ clusters, jobs, savepoints, restores, warehouses, pairs, otherPins, ledger, operations, schedules: scheduleRows, intervalMs: () => settings.current["refresh.intervalSeconds"] * 1_000, clock, log });
  const inspector = once(async () => new (await import("./host/inspector/editor")).Inspector({ inspect: app.inspect, ledger, pairs, clock, pages, log }));
  const comparing = registerComparisons(async (textChanged) => new (await import("./host/comparison/comparisons")).Comparisons({ comparison: app.comparison, inspection: await inspection(), pages, textChanged, log }));
  const overview = joinOverview(held, {
    ledger, clusters, jobs, savepoints, lifecycle, makeCleanup: (find) => app.cleanup({ find, tagsNeeded: keptTags(pairs, warehouses) }), hasPairs: () => pairs.isUsed, reveal: (id) => explorer.reveal(id), pages, intervalMs: () => settings.current["refresh.intervalSeconds"] * 1_000, notify, clock, log,
  });
  const linting = once(async () => {
    const { Linting } = await import("./host/diagnostics/linting");
    const start = (): Thread => startThread(context.asAbsolutePath("dist/worker/lint.js"), { grammars: context.asAbsolutePath("dist"), cache: storage }, { heapMb: 1024 });
    return held.add(new Linting({ start, settings, pages: vscode.Uri.joinPath(context.extensionUri, "docs", "rules"), ledger, inspection: await inspection(), clock, log }));
  });
  const world: CommandWorld = { clusters, jobs, savepoints, restores, disposals, inspection, otherPins, warehouses, pairs, paimonJobs: paimon.paimonJobs, paimon: paimon.paimon, overviews: overview.overviews, cleanup: overview.cleanup, rollbacks: app.rollbacks, paimonTables: app.paimonTables, comparisons: comparing.comparisons, linting, lifecycle, ledger, localFlink, sampleJar: context.asAbsolutePath("dist/sample-job.jar"), credentials, vault, settings, notify, progress, explorer, log, clock };

  const applySettings = (): void => {
    for (const { warehouse, cause, explanation } of openSecretsRemarks(settings.warehouses)) notify.background(cause, explanation, { warehouse });
    clusters.setProfiles(settings.clusters);
    warehouses.setProfiles(settings.warehouses);
    if (settings.problems.length > 0) notify.background(`settings: ${problemsText(settings.problems)}`, { message: problemsText(settings.problems), action: { title: "Open Settings", command: "flinkSavepoints.editClusters" } });
  };
  for (const each of [
    log, app, settings, credentials, operations, scheduleRows, sources, explorer, operationsStatus(operations, clock), comparing, tellEndsOfEarlier(world),
    onFirstLinted(() => void linting().catch((error: unknown) => log.error("loading the lint", error))),
    // The job's row is looked at again before anything is said of its end.
    savepoints.onDidSettle((record) => void clusters.refresh(record.cluster.url, AbortSignal.timeout(10_000))),
    settings.onDidChange(() => {
      applySettings();
      void Promise.all([app.closeSessions("unused"), recall()]);
    }),
  ]) held.add(each);
  applySettings();

  /** Reads the ledger: clusters that only it remembers, what is under way, what could not be read. */
  async function recall(): Promise<void> {
    try {
      await clusters.remember();
      await operations.look();
      for (const { file, reason } of ledger.damaged()) notify.background(file, explain(new FlinkError("ledger-record-damaged", { file, reason })));
    } catch (error) {
      log.error("reading the ledger", error);
      if (isFlinkError(error)) notify.background("ledger", explain(error));
    }
  }
  async function begin(): Promise<void> {
    await recall();
    held.add(ledger.watch());
    reconciler.start();
    paimon.watch(world);
    await overview.watch();
    sources.watchFor(() => void lifecycle().catch((error: unknown) => log.error("loading schedules", error)));
    if ((await ledger.all()).some(({ kind }) => kind === "rollback")) await import("./host/commands/rollback").then(({ tellUnfinished }) => tellUnfinished(world)).catch((error: unknown) => log.error("looking for rollbacks", error));
    await import("./host/commands/localFlink").then(({ watchLocalFlink }) => watchLocalFlink(world)).then((watch) => held.add(watch), (error: unknown) => log.error("looking for a local Flink", error));
    if (settings.current["lint.workspaceOnOpen"]) await import("./host/commands/lint").then(({ lintOnOpen }) => lintOnOpen(world)).catch((error: unknown) => log.error("linting the workspace", error));
  }
  const boundary: CommandBoundary = { log, notify, pressed: () => explorer.pressed() };
  return {
    explorer, inspector,
    run: (called) => runCommand(world, boundary, called),
    begin, leave: async () => void (await Promise.all([app.closeSessions("all"), localFlink().then((local) => local.leave())])),
  };
}

/** The commit of the first folder on disk, in a workspace whose programs may be run. */
async function openCommit(): Promise<WorkspaceCommit | null> {
  const folder = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === "file");
  return folder === undefined || !vscode.workspace.isTrusted ? null : workspaceCommit(folder.uri.fsPath, AbortSignal.timeout(5_000));
}
