import type { JobRef } from "./model/job";

/** Points at a savepoint row: by its ledger record. */
export interface SavepointRef {
  readonly recordId: string;
}

/** Points at a checkpoint of a job, by location. */
export interface CheckpointRef extends JobRef {
  readonly path: string;
  readonly checkpointId: number;
}

/** Points at a `_metadata` in the window's file system, as its `Uri` has it. */
export interface FileRef {
  readonly scheme: string;
  readonly fsPath: string;
}

/** Points at anything that has a `_metadata`. */
export type SnapshotRef = SavepointRef | CheckpointRef | FileRef;

/** Two snapshots that are compared, the older one first where that is known. */
export interface SnapshotPair {
  readonly left: SnapshotRef;
  readonly right: SnapshotRef;
}

/** Points at a finding of the lint in an open document: by the document's address and the finding's offset. */
export interface FindingRef {
  readonly document: string;
  readonly offset: number;
}

/** Points at a Paimon warehouse by its key, see `WarehouseProfile.path`. */
export interface WarehouseRef {
  readonly warehouse: string;
}

/** Points at a Paimon table, `database.table`, or at a branch of one, `database.table$branch_name`. */
export interface TableRef extends WarehouseRef {
  readonly table: string;
}

/** Points at a tag of a table. */
export interface PaimonTagRef extends TableRef {
  readonly tag: string;
}

/** Points at a snapshot of a table. */
export interface PaimonSnapshotRef extends TableRef {
  readonly snapshotId: number;
}

/** Points at a snapshot that is to get a tag, with the name that is proposed for it. */
export interface ToTagRef extends PaimonSnapshotRef {
  readonly tagName: string;
}

/** Points at a rollback by its ledger record. */
export interface RollbackRef {
  readonly rollbackId: string;
}

/** Points at a savepoint's pair in one table; `pairTable` is empty where the sink's table is not known. */
export interface PairRef extends SavepointRef {
  readonly warehouse: string;
  readonly pairTable: string;
}

/** Points at a cluster by its base address. */
export interface ClusterRef {
  readonly cluster: string;
}

/** Points at a schedule by its key, see `ScheduleInForce`. */
export interface ScheduleRef {
  readonly scheduleKey: string;
}

/**
 * Every command with the argument its handler takes. Arguments come from strangers (palette: none; a keybinding: anything), so handlers
 * check them and ask when they are missing. `manifest.test` compares the ids with package.json both ways.
 */
export interface CommandArgs {
  "flinkSavepoints.addCluster": [];
  "flinkSavepoints.removeCluster": [target?: ClusterRef];
  "flinkSavepoints.editClusters": [];
  "flinkSavepoints.setCredentials": [target?: ClusterRef];
  "flinkSavepoints.forgetCredentials": [target?: ClusterRef];
  "flinkSavepoints.addWarehouse": [];
  "flinkSavepoints.removeWarehouse": [target?: WarehouseRef];
  "flinkSavepoints.editWarehouses": [];
  "flinkSavepoints.storeWarehouseSecrets": [target?: WarehouseRef];
  "flinkSavepoints.openPaimon": [target?: PaimonTagRef | PaimonSnapshotRef];
  "flinkSavepoints.showPairs": [target?: SavepointRef | JobRef];
  "flinkSavepoints.triggerCheckpoint": [target?: JobRef];
  "flinkSavepoints.createTag": [target?: ToTagRef | PaimonSnapshotRef | PaimonTagRef | TableRef];
  "flinkSavepoints.pinPair": [target?: SavepointRef];
  "flinkSavepoints.copyAutoTag": [target?: SavepointRef | TableRef];
  "flinkSavepoints.deleteTag": [target?: PaimonTagRef];
  "flinkSavepoints.renameTag": [target?: PaimonTagRef];
  "flinkSavepoints.compareTags": [target?: PaimonTagRef];
  "flinkSavepoints.copyTagCommand": [target?: PaimonTagRef];
  "flinkSavepoints.rollback": [target?: SavepointRef];
  "flinkSavepoints.continueRollback": [target?: RollbackRef];
  "flinkSavepoints.dropRollback": [target?: RollbackRef];
  "flinkSavepoints.openRunbook": [target?: SavepointRef];
  "flinkSavepoints.showOverview": [target?: JobRef];
  "flinkSavepoints.previewCleanup": [target?: JobRef];
  "flinkSavepoints.refresh": [];
  "flinkSavepoints.reconnect": [target?: ClusterRef];
  "flinkSavepoints.trigger": [target?: JobRef];
  "flinkSavepoints.stop": [target?: JobRef];
  "flinkSavepoints.cancel": [target?: JobRef];
  "flinkSavepoints.restore": [target?: SavepointRef | CheckpointRef | ClusterRef];
  "flinkSavepoints.startWithoutState": [target?: ClusterRef];
  "flinkSavepoints.continueRestore": [target?: { restoreId: string }];
  "flinkSavepoints.dropRestore": [target?: { restoreId: string }];
  "flinkSavepoints.dispose": [target?: SavepointRef];
  "flinkSavepoints.forget": [target?: SavepointRef];
  "flinkSavepoints.pin": [target?: SavepointRef];
  "flinkSavepoints.unpin": [target?: SavepointRef];
  "flinkSavepoints.editDescription": [target?: SavepointRef];
  "flinkSavepoints.adopt": [target?: SavepointRef];
  "flinkSavepoints.copyPath": [target?: SavepointRef | CheckpointRef];
  "flinkSavepoints.copyTriggerId": [target?: SavepointRef];
  "flinkSavepoints.copyCli": [target?: SavepointRef | CheckpointRef | JobRef];
  "flinkSavepoints.copyJson": [target?: SavepointRef];
  "flinkSavepoints.openWebUi": [target?: JobRef | ClusterRef];
  "flinkSavepoints.inspect": [target?: SavepointRef | CheckpointRef];
  "flinkSavepoints.openRow": [target?: PairRef | SavepointRef | CheckpointRef | PaimonTagRef | PaimonSnapshotRef];
  "flinkSavepoints.clickRow": [target?: PairRef | SavepointRef | CheckpointRef | PaimonTagRef | PaimonSnapshotRef];
  "flinkSavepoints.compare": [target?: SnapshotPair | SnapshotRef];
  "flinkSavepoints.compareSelected": [target?: SnapshotPair];
  "flinkSavepoints.compareAsText": [target?: SnapshotPair | SnapshotRef];
  "flinkSavepoints.showAsText": [target?: SnapshotRef];
  "flinkSavepoints.showLog": [];
  "flinkSavepoints.showOperations": [];
  "flinkSavepoints.showMore": [target?: { nodeId: string }];
  "flinkSavepoints.startLocalFlink": [];
  "flinkSavepoints.stopLocalFlink": [];
  "flinkSavepoints.runSampleJob": [target?: ClusterRef];
  "flinkSavepoints.newSchedule": [target?: JobRef];
  "flinkSavepoints.editSchedule": [target?: ScheduleRef];
  "flinkSavepoints.agreeSchedule": [target?: ScheduleRef];
  "flinkSavepoints.pauseSchedule": [target?: ScheduleRef];
  "flinkSavepoints.resumeSchedule": [target?: ScheduleRef];
  "flinkSavepoints.runSchedule": [target?: ScheduleRef];
  "flinkSavepoints.exportSchedule": [target?: ScheduleRef];
  "flinkSavepoints.openSchedules": [target?: ScheduleRef];
  "flinkSavepoints.lintWorkspace": [];
  "flinkSavepoints.keepState": [target?: FindingRef];
}

/** The id of a command, as in package.json. */
export type CommandId = keyof CommandArgs;

/** Views by id. */
export const views = { explorer: "flinkSavepoints.explorer" } as const;

/** The custom editor of `_metadata` files. */
export const inspectorViewType = "flinkSavepoints.inspector";

/** The activity-bar container. */
export const viewContainer = "flinkSavepoints";

/** Words in a row's `contextValue`, separated by spaces; menus test them with `viewItem =~ /\bword\b/`. */
export type ContextWord =
  | "cluster" | "online" | "local" | "configured"
  | "job" | "running"
  | "savepoint" | "completed" | "pinned" | "unpinned" | "marked" | "unknown"
  | "checkpoint" | "restorePlanned"
  | "paimon" | "warehouse" | "table" | "tag" | "snapshot" | "pair" | "rollback"
  | "schedule" | "active" | "paused" | "waiting";

/** Context keys for `when` clauses, set by the extension. */
export const contextKeys = {
  /** `none` no cluster is configured, `some` there are clusters. */
  clusters: "flinkSavepoints.clusters",
  localFlink: "flinkSavepoints.localFlink",
  /** `some` when a Paimon warehouse is in the settings, else `none`. */
  warehouses: "flinkSavepoints.warehouses",
} as const;
