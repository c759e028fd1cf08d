import type { CheckpointRef, ClusterRef, CommandArgs, CommandId, FileRef, FindingRef, PaimonSnapshotRef, PaimonTagRef, PairRef, RollbackRef, SavepointRef, ScheduleRef, SnapshotPair, SnapshotRef, TableRef, ToTagRef, WarehouseRef } from "../../core/contributions";
import type { JobRef } from "../../core/model/job";

/** What a command may be aimed at, by name. */
interface Targets {
  checkpoint: CheckpointRef;
  job: JobRef;
  cluster: ClusterRef;
  savepoint: SavepointRef;
  restore: { restoreId: string };
  node: { nodeId: string };
  warehouse: WarehouseRef;
  table: TableRef;
  paimonTag: PaimonTagRef;
  paimonSnapshot: PaimonSnapshotRef;
  toTag: ToTagRef;
  rollback: RollbackRef;
  pair: PairRef;
  file: FileRef;
  finding: FindingRef;
  schedule: ScheduleRef;
}
type TargetName = keyof Targets;

/** The fields that make a target, with their types; nothing else of an argument is passed on. */
const fields: { readonly [N in TargetName]: Readonly<Record<string, "string" | "number">> } = {
  checkpoint: { cluster: "string", jobId: "string", path: "string", checkpointId: "number" },
  job: { cluster: "string", jobId: "string" },
  cluster: { cluster: "string" },
  savepoint: { recordId: "string" },
  restore: { restoreId: "string" },
  node: { nodeId: "string" },
  warehouse: { warehouse: "string" },
  table: { warehouse: "string", table: "string" },
  paimonTag: { warehouse: "string", table: "string", tag: "string" },
  paimonSnapshot: { warehouse: "string", table: "string", snapshotId: "number" },
  toTag: { warehouse: "string", table: "string", snapshotId: "number", tagName: "string" },
  rollback: { rollbackId: "string" },
  pair: { recordId: "string", warehouse: "string", pairTable: "string" },
  file: { scheme: "string", fsPath: "string" },
  finding: { document: "string", offset: "number" },
  schedule: { scheduleKey: "string" },
};

/** The targets that fit a command's argument type. */
type Fitting<Id extends CommandId> = { [N in TargetName]: CommandArgs[Id] extends [] ? never : Targets[N] extends NonNullable<CommandArgs[Id][0]> ? N : never }[TargetName];

/** What each command takes, the most exact first. A command that is not named here takes nothing. */
const takes: { readonly [Id in CommandId]?: readonly Fitting<Id>[] } = {
  "flinkSavepoints.removeCluster": ["cluster"],
  "flinkSavepoints.setCredentials": ["cluster"],
  "flinkSavepoints.forgetCredentials": ["cluster"],
  "flinkSavepoints.reconnect": ["cluster"],
  "flinkSavepoints.trigger": ["job"],
  "flinkSavepoints.stop": ["job"],
  "flinkSavepoints.cancel": ["job"],
  "flinkSavepoints.restore": ["savepoint", "checkpoint", "cluster"],
  "flinkSavepoints.startWithoutState": ["cluster"],
  "flinkSavepoints.continueRestore": ["restore"],
  "flinkSavepoints.dropRestore": ["restore"],
  "flinkSavepoints.inspect": ["savepoint", "checkpoint"],
  "flinkSavepoints.openRow": ["pair", "savepoint", "checkpoint", "paimonTag", "paimonSnapshot"],
  "flinkSavepoints.clickRow": ["pair", "savepoint", "checkpoint", "paimonTag", "paimonSnapshot"],
  "flinkSavepoints.removeWarehouse": ["warehouse"],
  "flinkSavepoints.storeWarehouseSecrets": ["warehouse"],
  "flinkSavepoints.openPaimon": ["paimonTag", "paimonSnapshot"],
  "flinkSavepoints.showPairs": ["savepoint", "job"],
  "flinkSavepoints.showOverview": ["job"],
  "flinkSavepoints.previewCleanup": ["job"],
  "flinkSavepoints.triggerCheckpoint": ["job"],
  "flinkSavepoints.createTag": ["toTag", "paimonSnapshot", "paimonTag", "table"],
  "flinkSavepoints.pinPair": ["savepoint"],
  "flinkSavepoints.copyAutoTag": ["savepoint", "table"],
  "flinkSavepoints.deleteTag": ["paimonTag"],
  "flinkSavepoints.renameTag": ["paimonTag"],
  "flinkSavepoints.compareTags": ["paimonTag"],
  "flinkSavepoints.copyTagCommand": ["paimonTag"],
  "flinkSavepoints.rollback": ["savepoint"],
  "flinkSavepoints.continueRollback": ["rollback"],
  "flinkSavepoints.dropRollback": ["rollback"],
  "flinkSavepoints.openRunbook": ["savepoint"],
  "flinkSavepoints.dispose": ["savepoint"],
  "flinkSavepoints.forget": ["savepoint"],
  "flinkSavepoints.pin": ["savepoint"],
  "flinkSavepoints.unpin": ["savepoint"],
  "flinkSavepoints.editDescription": ["savepoint"],
  "flinkSavepoints.adopt": ["savepoint"],
  "flinkSavepoints.copyPath": ["savepoint", "checkpoint"],
  "flinkSavepoints.copyTriggerId": ["savepoint"],
  "flinkSavepoints.copyCli": ["savepoint", "checkpoint", "job"],
  "flinkSavepoints.copyJson": ["savepoint"],
  "flinkSavepoints.openWebUi": ["job", "cluster"],
  "flinkSavepoints.showMore": ["node"],
  "flinkSavepoints.runSampleJob": ["cluster"],
  "flinkSavepoints.compare": ["savepoint", "checkpoint", "file"],
  "flinkSavepoints.compareAsText": ["savepoint", "checkpoint", "file"],
  "flinkSavepoints.showAsText": ["savepoint", "checkpoint", "file"],
  "flinkSavepoints.keepState": ["finding"],
  "flinkSavepoints.newSchedule": ["job"],
  "flinkSavepoints.editSchedule": ["schedule"],
  "flinkSavepoints.agreeSchedule": ["schedule"],
  "flinkSavepoints.pauseSchedule": ["schedule"],
  "flinkSavepoints.resumeSchedule": ["schedule"],
  "flinkSavepoints.runSchedule": ["schedule"],
  "flinkSavepoints.exportSchedule": ["schedule"],
  "flinkSavepoints.openSchedules": ["schedule"],
};

/** Commands about two snapshots, and what each of the two may be. */
const takesPair: ReadonlySet<CommandId> = new Set(["flinkSavepoints.compare", "flinkSavepoints.compareSelected", "flinkSavepoints.compareAsText"] satisfies CommandId[]);
const snapshot = ["savepoint", "checkpoint", "file"] as const;

/** Verbs that end or delete something: with several rows selected one could take them for verbs on all of these. */
const oneAtATime: ReadonlySet<CommandId> = new Set([
  "flinkSavepoints.dispose", "flinkSavepoints.forget", "flinkSavepoints.cancel", "flinkSavepoints.stop", "flinkSavepoints.dropRestore", "flinkSavepoints.removeCluster", "flinkSavepoints.forgetCredentials", "flinkSavepoints.removeWarehouse",
  "flinkSavepoints.deleteTag", "flinkSavepoints.rollback",
] satisfies CommandId[]);

/**
 * The argument a handler gets: exactly the fields of its type, or nothing. Arguments come from strangers: a tree row passes its element
 * (whose `ref` is the target), a title button passes whatever row has the focus, a keybinding passes what it likes.
 */
export function targetOf<Id extends CommandId>(command: Id, argument: unknown): CommandArgs[Id][0] | undefined {
  const pair = takesPair.has(command) && isRecord(argument) && "left" in argument && "right" in argument ? pairOf(argument.left, argument.right) : undefined;
  return (pair ?? refOf(takes[command] ?? [], argument)) as CommandArgs[Id][0] | undefined;
}

/**
 * The argument of a command that was chosen from the menu of a row while `selection` were selected. Two rows make a pair for the commands that
 * compare; every other command is about the row itself.
 */
export function targetOfSelection<Id extends CommandId>(command: Id, argument: unknown, selection: unknown): CommandArgs[Id][0] | undefined {
  const [left, right, third] = takesPair.has(command) && Array.isArray(selection) ? (selection as readonly unknown[]) : [];
  const pair = right !== undefined && third === undefined ? pairOf(left, right) : undefined;
  return (pair as CommandArgs[Id][0] | undefined) ?? targetOf(command, argument);
}

/** How many rows are selected where a command may only be about one, else undefined. */
export function tooManySelected(command: CommandId, selection: unknown): number | undefined {
  return oneAtATime.has(command) && Array.isArray(selection) && selection.length > 1 ? selection.length : undefined;
}

function pairOf(left: unknown, right: unknown): SnapshotPair | undefined {
  const [one, other] = [refOf(snapshot, left), refOf(snapshot, right)] as readonly (SnapshotRef | undefined)[];
  return one === undefined || other === undefined ? undefined : { left: one, right: other };
}

function refOf(names: readonly TargetName[], argument: unknown): object | undefined {
  const ref = isRecord(argument) && "ref" in argument ? argument.ref : argument;
  if (!isRecord(ref)) return undefined;
  for (const name of names) {
    const wanted = Object.entries(fields[name]);
    if (wanted.every(([field, type]) => typeof ref[field] === type)) return Object.fromEntries(wanted.map(([field]) => [field, ref[field]]));
  }
  return undefined;
}

/** True for a keybinding's argument `{ "pressed": true }`: the command is about the row that the key was pressed on. */
export function isOfPressedRow(argument: unknown): boolean {
  return isRecord(argument) && argument.pressed === true;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
