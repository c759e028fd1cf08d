import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { createFlinkClient } from "./clients/flink/restClient";
import { createHttp } from "./clients/http";
import { openLedger, type LedgerFiles } from "./clients/ledgerFiles";
import { localPins } from "./clients/localPins";
import { localStorageLook } from "./clients/localStorageLook";
import type { PaimonSettings, PaimonTables } from "./clients/paimon/paimonTables";
import { isAlive, thisProcess } from "./clients/processIdentity";
import { startThread } from "./clients/workerThread";
import { systemClock } from "./core/base/async";
import { once } from "./core/base/once";
import { DisposableStore, type Disposable } from "./core/base/disposable";
import type { Clock, Credentials, Log, PinMarks, Vault, WorkspaceCommit } from "./core/ports";
import type { CleanupService, CleanupWorld } from "./services/cleanup";
import { ClusterService } from "./services/clusters";
import { ComparisonService } from "./services/comparisons";
import { DisposalService } from "./services/disposals";
import { SavepointFollower } from "./services/following";
import type { InspectionService } from "./services/inspection";
import { Inspection } from "./services/inspectionSession";
import { JobService } from "./services/jobs";
import { OtherPins } from "./services/otherPins";
import { Reconciler } from "./services/reconciler";
import { RestoreService } from "./services/restores";
import type { RollbackService } from "./services/rollbacks";
import { SavepointService, type SavepointWorld } from "./services/savepoints";
import type { ScheduleAgreements } from "./services/scheduleAgreements";
import type { Scheduler, SchedulerTiming } from "./services/scheduler";

/** What the app needs of whoever hosts it: VS Code, or a plain process. */
export interface AppWorld {
  /** Folder of the ledger; made on first use. What is kept of schedules lies beside it, in `schedules`. */
  readonly ledgerFolder: string;
  readonly credentials: Credentials;
  readonly vault: Vault;
  requestTimeoutMs(): number;
  readonly log: Log;
  readonly clock?: Clock;
  /** The commit of the code that is open, stored with each savepoint. */
  workspaceCommit(): Promise<WorkspaceCommit | null>;
  /** How long a request may still be on its way after its sender died, milliseconds; 10 s unless told. */
  readonly receiveGraceMs?: number;
  /** See `SavepointWorld.programGraceMs`; two minutes unless told. */
  readonly programGraceMs?: number;
  /** Other times for schedules than the usual ones, for tests that can't wait ten minutes. */
  readonly schedulerTiming?: Partial<SchedulerTiming>;
  /** The bundled file of the thread that reads savepoints. */
  readonly inspectionThread: string;
  /** The bundled file of the thread that compares two. */
  readonly comparisonThread: string;
  /** Warehouses and what acts on them; none unless told. */
  readonly paimon?: PaimonSettings;
}

/** Every service, joined. Building it does no I/O. */
export interface App extends Disposable {
  readonly ledger: LedgerFiles;
  readonly clusters: ClusterService;
  readonly jobs: JobService;
  readonly savepoints: SavepointService;
  readonly restores: RestoreService;
  readonly disposals: DisposalService;
  readonly reconciler: Reconciler;
  readonly pins: PinMarks;
  readonly otherPins: OtherPins;
  /** Loaded when it is asked for first. */
  inspection(): Promise<InspectionService>;
  readonly comparison: ComparisonService;
  /** Makes what applies cleanup rules; `rules` finds them and what Paimon keeps. Whoever asked disposes of it. */
  cleanup(rules: Pick<CleanupWorld, "find" | "tagsNeeded">): Promise<CleanupService>;
  /** Loaded when they are asked for first. */
  rollbacks(): Promise<RollbackService>;
  paimonTables(): Promise<PaimonTables>;
  /** Closes sessions at SQL Gateways: those of warehouses that are no longer configured, or all, which a window that closes waits for. */
  closeSessions(which: "unused" | "all"): Promise<void>;
  /** Runs schedules, together with the other processes of this user. Loaded when it is asked for first. */
  scheduler(): Promise<Scheduler>;
  /** Which schedules of shared files were agreed to. Loaded when it is asked for first. */
  scheduleAgreements(): Promise<ScheduleAgreements>;
  /** Begins to inspect a savepoint, on a thread of its own. Whoever asked disposes of it. */
  inspect(location: string): Inspection;
}

/** For how many looks of another process, five seconds apart, the one that runs schedules may be silent. */
const silentRounds = 6;

/** Joins clients and services; the one place that knows both. */
export function createApp(world: AppWorld): App {
  const { log, clock = systemClock } = world;
  const self = thisProcess();
  const store = new DisposableStore();
  const http = store.add(createHttp({ credentials: world.credentials, requestTimeoutMs: () => world.requestTimeoutMs(), log, readCa: (file) => readFile(file, "utf8") }));
  const ledger = openLedger({ folder: world.ledgerFolder, log, clock });
  const clusters = new ClusterService((profile) => createFlinkClient(http, profile), ledger, clock, log);
  const jobs = new JobService(clusters, ledger, clock, log, self);
  const follower = store.add(new SavepointFollower(clusters, jobs, ledger, localStorageLook, clock, log, world.receiveGraceMs ?? 10_000));
  const shared: SavepointWorld = {
    clusters, jobs, follower, ledger, clock, log, self, programGraceMs: world.programGraceMs ?? 120_000,
    newId: () => randomBytes(16).toString("hex"), workspaceCommit: () => world.workspaceCommit(), vault: world.vault, pins: localPins(world.ledgerFolder),
  };
  const savepoints = new SavepointService(shared);
  const restores = new RestoreService(shared, savepoints, localStorageLook);
  const disposals = new DisposalService(shared, localStorageLook);
  const reconciler = store.add(new Reconciler(shared, restores, disposals, (owner) => isAlive(owner, self)));
  let openTables: PaimonTables | undefined;
  const paimonTables = once(async () => {
    const { PaimonTables: Tables } = await import("./clients/paimon/paimonTables");
    return (openTables = store.add(new Tables({ ...(world.paimon ?? noWarehouses), http, vault: world.vault, clock, log })));
  });
  const rollbacks = once(async () => {
    const [{ RollbackService: Service }, tables] = await Promise.all([import("./services/rollbacks"), paimonTables()]);
    return new Service(shared, restores, tables, localStorageLook, (owner) => isAlive(owner, self), world.paimon?.stillMs);
  });
  const inspect = (location: string): Inspection => new Inspection(location, (place) => startThread(world.inspectionThread, { location: place }, { heapMb: 2048 }), clock, log);
  const comparison = new ComparisonService((locations) => startThread(world.comparisonThread, locations, { heapMb: 2048 }), clock, log);
  const inspection = once(async () => {
    const [{ InspectionService }, { openLocalMetadata }, { openLocalFile }] = await Promise.all([import("./services/inspection"), import("./clients/localMetadata"), import("./clients/localFiles")]);
    return new InspectionService(openLocalMetadata, openLocalFile, log);
  });
  const cleanup: App["cleanup"] = async (rules) => {
    const [{ CleanupService: Service }, { localAside }, look] = await Promise.all([import("./services/cleanup"), import("./clients/localAside"), inspection()]);
    return new Service({ ...rules, shared, disposals, look: localStorageLook, aside: localAside, isRelocatable: (location, signal) => look.isRelocatable(location, signal), liveness: (owner) => isAlive(owner, self) });
  };
  const scheduler = once(async () => {
    const [{ Scheduler }, { ScheduledSavepoints }, { openLease }, { openScheduleStates }] = await Promise.all([
      import("./services/scheduler"), import("./services/scheduledSavepoints"), import("./clients/leaseFiles"), import("./clients/scheduleFiles"),
    ]);
    const folder = path.join(path.dirname(world.ledgerFolder), "schedules");
    const scheduled = new ScheduledSavepoints(shared, savepoints, () => reconciler.reconcile());
    return store.add(new Scheduler({
      clock, log, states: openScheduleStates(folder, log), lease: (name) => openLease({ folder, name, patience: silentRounds, log }),
      attempt: (tick, signal) => scheduled.attempt(tick, signal), ...(world.schedulerTiming === undefined ? {} : { timing: world.schedulerTiming }),
    }));
  });
  const scheduleAgreements = once(async () => store.add(new (await import("./services/scheduleAgreements")).ScheduleAgreements(shared)));
  return { scheduler, scheduleAgreements, inspect, comparison, cleanup, rollbacks, paimonTables, closeSessions: async (which) => openTables?.closeSessions(which), ledger, clusters, jobs, savepoints, restores, disposals, reconciler, pins: shared.pins, otherPins: store.add(new OtherPins(shared.pins, localStorageLook, clock, log)), inspection, dispose: () => store.dispose() };
}

const noWarehouses: PaimonSettings = {
  warehouses: () => [], javaHome: () => "", mavenRepository: () => "", listsFolder: "", cacheFolder: "", homeFolder: "", env: {},
  mavenHttp: { send: () => Promise.reject(new Error("There is no warehouse.")) },
};
