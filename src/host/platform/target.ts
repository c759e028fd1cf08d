import type { CheckpointRef, ClusterRef, CommandArgs, CommandId, SavepointRef } from "../../core/contributions";
import type { JobRef } from "../../core/model/job";

/** What a command may be aimed at, by name. */
interface Targets {
  checkpoint: CheckpointRef;
  job: JobRef;
  cluster: ClusterRef;
  savepoint: SavepointRef;
  restore: { restoreId: string };
  node: { nodeId: string };
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
  "flinkSavepoints.openRow": ["savepoint", "checkpoint"],
  "flinkSavepoints.clickRow": ["savepoint", "checkpoint"],
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
};

/**
 * The argument a handler gets: exactly the fields of its type, or nothing. Arguments come from strangers: a tree row passes its element
 * (whose `ref` is the target), a title button passes whatever row has the focus, a keybinding passes what it likes.
 */
export function targetOf<Id extends CommandId>(command: Id, argument: unknown): CommandArgs[Id][0] | undefined {
  const ref = isRecord(argument) && "ref" in argument ? argument.ref : argument;
  if (!isRecord(ref)) return undefined;
  for (const name of (takes[command] ?? []) as readonly TargetName[]) {
    const wanted = Object.entries(fields[name]);
    if (wanted.every(([field, type]) => typeof ref[field] === type)) return Object.fromEntries(wanted.map(([field]) => [field, ref[field]])) as CommandArgs[Id][0];
  }
  return undefined;
}

/** True for a keybinding's argument that stands for the row that has the keyboard: `{ "selected": true }`. */
export function isSelection(argument: unknown): boolean {
  return isRecord(argument) && argument.selected === true;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
