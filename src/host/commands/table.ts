import type { CommandTable } from "../platform/commands";
import { cancel } from "./cancel";
import { addCluster, editClusters, forgetCredentials, reconnect, removeCluster, setCredentials } from "./clusters";
import { compare, compareAsText, showAsText } from "./compare";
import { copyCli, copyJson, copyPath, copyTriggerId } from "./copy";
import { dispose, forget } from "./dispose";
import { clickRow, inspect, openRow } from "./inspect";
import { keepState } from "./keepState";
import { lintWorkspace } from "./lint";
import { runSampleJob, startLocalFlink, stopLocalFlink } from "./localFlink";
import { restore } from "./restore";
import { continueRestore, dropRestore } from "./restorePlans";
import { adopt, editDescription, pin, stop, trigger } from "./savepoints";
import { startWithoutState } from "./startWithoutState";
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
    "flinkSavepoints.trigger": (target) => trigger(world, target),
    "flinkSavepoints.stop": (target) => stop(world, target),
    "flinkSavepoints.cancel": (target) => cancel(world, target),
    "flinkSavepoints.restore": (target) => restore(world, target),
    "flinkSavepoints.startWithoutState": (target) => startWithoutState(world, target),
    "flinkSavepoints.continueRestore": (target) => continueRestore(world, target),
    "flinkSavepoints.dropRestore": (target) => dropRestore(world, target),
    "flinkSavepoints.dispose": (target) => dispose(world, target),
    "flinkSavepoints.forget": (target) => forget(world, target),
    "flinkSavepoints.pin": (target) => pin(world, target, true),
    "flinkSavepoints.unpin": (target) => pin(world, target, false),
    "flinkSavepoints.editDescription": (target) => editDescription(world, target),
    "flinkSavepoints.adopt": (target) => adopt(world, target),
    "flinkSavepoints.copyPath": (target) => copyPath(world, target),
    "flinkSavepoints.copyTriggerId": (target) => copyTriggerId(world, target),
    "flinkSavepoints.copyCli": (target) => copyCli(world, target),
    "flinkSavepoints.copyJson": (target) => copyJson(world, target),
    "flinkSavepoints.startLocalFlink": () => startLocalFlink(world),
    "flinkSavepoints.stopLocalFlink": () => stopLocalFlink(world),
    "flinkSavepoints.runSampleJob": (target) => runSampleJob(world, target),
    "flinkSavepoints.lintWorkspace": () => lintWorkspace(world),
    "flinkSavepoints.keepState": (target) => keepState(world, target),
    "flinkSavepoints.openWebUi": (target) => openWebUi(world, target),
    "flinkSavepoints.inspect": (target) => inspect(world, target),
    "flinkSavepoints.openRow": (target) => openRow(world, target),
    "flinkSavepoints.clickRow": (target) => clickRow(world, target),
    "flinkSavepoints.compare": (target) => compare(world, target),
    "flinkSavepoints.compareSelected": (target) => compare(world, target),
    "flinkSavepoints.compareAsText": (target) => compareAsText(world, target),
    "flinkSavepoints.showAsText": (target) => showAsText(world, target),
    "flinkSavepoints.showLog": () => showLog(world),
    "flinkSavepoints.showOperations": () => showOperations(world),
    "flinkSavepoints.showMore": (target) => showMore(world, target),
  } satisfies CommandTable;
}
