import type { CommandTable } from "../platform/commands";
import { addCluster, editClusters, forgetCredentials, reconnect, removeCluster, setCredentials } from "./clusters";
import { openWebUi, refresh, showLog, showMore, showOperations } from "./view";
import type { CommandWorld } from "./world";

/** Every command in one literal: a missing or mistyped one does not compile. */
export function commandTable(world: CommandWorld): CommandTable {
  return {
    "flinkSavepoints.addCluster": () => addCluster(world),
    "flinkSavepoints.removeCluster": (target) => removeCluster(world, target),
    "flinkSavepoints.editClusters": () => editClusters(),
    "flinkSavepoints.setCredentials": (target) => setCredentials(world, target),
    "flinkSavepoints.forgetCredentials": (target) => forgetCredentials(world, target),
    "flinkSavepoints.refresh": () => refresh(world),
    "flinkSavepoints.reconnect": (target) => reconnect(world, target),
    "flinkSavepoints.openWebUi": (target) => openWebUi(world, target),
    "flinkSavepoints.showLog": () => showLog(world),
    "flinkSavepoints.showOperations": () => showOperations(world),
    "flinkSavepoints.showMore": (target) => showMore(world, target),
  } satisfies CommandTable;
}
