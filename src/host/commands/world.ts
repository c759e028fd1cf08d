import type { LocalFlink } from "../../core/localFlink/localFlink";
import type { Clock, Credentials, Log, Vault } from "../../core/ports";
import type { PaimonSnapshotRef, PaimonTagRef } from "../../core/contributions";
import type { Ledger } from "../../core/ledger/store";
import type { AboutBoard } from "../../core/paimon/boardPage";
import type { PaimonJobs } from "../../services/paimonJobs";
import type { PairService } from "../../services/pairs";
import type { WarehouseService } from "../../services/warehouses";
import type { AboutJob } from "../../core/overview/overviewPage";
import type { CleanupService } from "../../services/cleanup";
import type { ClusterService } from "../../services/clusters";
import type { DisposalService } from "../../services/disposals";
import type { InspectionService } from "../../services/inspection";
import type { JobService } from "../../services/jobs";
import type { OtherPins } from "../../services/otherPins";
import type { PaimonActions } from "../../core/paimon/actions";
import type { FlinkVersion } from "../../core/model/version";
import type { RollbackService } from "../../services/rollbacks";
import type { RestoreService } from "../../services/restores";
import type { SavepointService } from "../../services/savepoints";
import type { Linting } from "../diagnostics/linting";
import type { Lifecycle } from "../lifecycle/lifecycle";
import type { Notify } from "../platform/notify";
import type { Progress } from "../platform/progress";
import type { SettingsReader } from "../platform/settings";
import type { Snapshot, Snapshots } from "./snapshots";
import type { TableSource } from "../../core/paimon/tableSource";
import type { WarehouseProfile } from "../../core/model/warehouse";

/** What the tree offers to verbs. */
export interface ExplorerControl {
  /** Looks again at what is visible, now. */
  refresh(): void;
  /** Selects a row, opening what it lies in; false when there is none with this id. */
  reveal(nodeId: string): Promise<boolean>;
  /** True for the second click of a double click on a row. */
  isSecondClick(row: string): boolean;
  /** Lengthens a list that ended in *Show more*. */
  showMore(nodeId: string): void;
}

/** Where snapshots are shown. */
export interface ComparisonControl {
  /** Opens the page that compares two. */
  show(pair: Snapshots): void;
  /** Opens two in VS Code's diff. */
  showTexts(pair: Snapshots): Promise<void>;
  /** Opens one as text. */
  showText(snapshot: Snapshot): Promise<void>;
}

/** What acts on the tables of a warehouse. */
export interface PaimonActing {
  /** Throws `warehouse-unknown`. */
  actions(warehouse: string): PaimonActions;
  /** The tables of a warehouse as its gateway tells of them; it may be one that is only being added. */
  askedTables(profile: WarehouseProfile): Pick<TableSource, "databases">;
  /** Closes idle sessions at gateways, so that the next statement begins with what is kept by then. */
  closeSessions(which: "all"): Promise<void>;
  /** Its SQL Gateway, or undefined. */
  gateway(warehouse: string): { version(signal: AbortSignal): Promise<FlinkVersion> } | undefined;
}

/** Where jobs are shown. */
export interface OverviewControl {
  /** Opens the page of a job, or brings it to the front. */
  show(about: AboutJob): void;
}

/** Where what belongs to Paimon is shown. */
export interface PaimonControl {
  /** Opens the file of a tag or snapshot, to be read. */
  showFile(ref: PaimonTagRef | PaimonSnapshotRef): Promise<void>;
  /** What two tags of a table keep, and how its columns changed between them. */
  showCompared(ref: PaimonTagRef, other: string): Promise<void>;
  /** Opens the board of the pairs of a job, or of one savepoint. */
  showBoard(about: AboutBoard): void;
}


/**
 * Everything a verb may use. Verbs are functions of this and their target; they hold nothing themselves. What is a function here is loaded when
 * it is called first.
 */
export interface CommandWorld {
  readonly clusters: ClusterService;
  readonly jobs: JobService;
  readonly savepoints: SavepointService;
  readonly restores: RestoreService;
  readonly disposals: DisposalService;
  inspection(): Promise<InspectionService>;
  readonly otherPins: OtherPins;
  readonly warehouses: WarehouseService;
  readonly pairs: PairService;
  readonly paimonJobs: PaimonJobs;
  paimon(): Promise<PaimonControl>;
  rollbacks(): Promise<RollbackService>;
  /** What acts on Paimon's tables. */
  paimonTables(): Promise<PaimonActing>;
  overviews(): Promise<OverviewControl>;
  cleanup(): Promise<CleanupService>;
  readonly ledger: Ledger;
  localFlink(): Promise<LocalFlink>;
  /** Path of the sample job's jar. */
  readonly sampleJar: string;
  readonly credentials: Credentials;
  readonly vault: Vault;
  readonly settings: SettingsReader;
  readonly notify: Notify;
  readonly progress: Progress;
  readonly explorer: ExplorerControl;
  comparisons(): Promise<ComparisonControl>;
  linting(): Promise<Linting>;
  /** Schedules and cleanup rules. */
  lifecycle(): Promise<Lifecycle>;
  readonly log: Log & { show(): void };
  readonly clock: Clock;
}
