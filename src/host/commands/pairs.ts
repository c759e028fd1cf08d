import type { PaimonSnapshotRef, PaimonTagRef, SavepointRef } from "../../core/contributions";
import type { SavepointRecord } from "../../core/ledger/record";
import { jobOf } from "../../core/ledger/record";
import type { JobRef } from "../../core/model/job";
import { oneLine } from "../../core/rowText";
import { askSavepoint, jobSummary, pickJob } from "./pick";
import { refuse } from "./refuse";
import { askInSteps, waitBefore } from "./steps";
import type { CommandWorld } from "./world";

/** *Open* on a tag or a snapshot of Paimon: its file, to be read. */
export async function openPaimon(world: CommandWorld, target?: PaimonTagRef | PaimonSnapshotRef): Promise<void> {
  if (target !== undefined) return (await world.paimon()).showFile(target);
  world.notify.refused("Choose a tag or a snapshot in the tree, below Paimon.", world.warehouses.list().length === 0 ? [{ title: "Add Warehouse…", command: "flinkSavepoints.addWarehouse" }] : []);
}

/** *Show Pairs*: the board of a job's savepoints over all Paimon tables that it writes. */
export async function showPairs(world: CommandWorld, target?: SavepointRef | JobRef): Promise<void> {
  if (world.warehouses.list().length === 0) return world.notify.refused("Pairs need a Paimon warehouse, and none is configured yet.", [{ title: "Add Warehouse…", command: "flinkSavepoints.addWarehouse" }]);
  if (target !== undefined && "jobId" in target) {
    const name = jobSummary(world, target)?.name ?? (await world.ledger.all()).find((record): record is SavepointRecord => record.kind === "savepoint" && record.job.id === target.jobId)?.job.name;
    return (await world.paimon()).showBoard({ job: target, jobName: name ?? target.jobId, recordId: null });
  }
  const record = await askSavepoint(world, target, "Show Pairs", { placeholder: "Which savepoint's pairs?", can: (row) => row.record !== null && row.path !== null });
  if (record !== undefined) (await world.paimon()).showBoard({ job: jobOf(record), jobName: record.job.name, recordId: record.id });
}

/** *Trigger Checkpoint*: one more checkpoint now, with which a savepoint's tags come (P-5; Flink 1.17 on). */
export async function triggerCheckpoint(world: CommandWorld, target?: JobRef): Promise<void> {
  const job = target ?? (await askInSteps("Trigger Checkpoint", 1, (ask) => pickJob(ask, world, "trigger")));
  if (job === undefined) return;
  const name = oneLine(jobSummary(world, job)?.name ?? job.jobId, 80);
  const done = await waitBefore(`Checkpoint of ${name}`, "Asking Flink", async (run) => {
    const info = await world.clusters.info(job.cluster, run.signal);
    if (!info.capabilities.checkpointTrigger) return { rule: "version-too-old", version: info.version.text, since: "1.17" } as const;
    await world.clusters.client(job.cluster).triggerCheckpoint(job.jobId, run.signal);
    return "asked" as const;
  });
  if (done === undefined) return;
  if (done !== "asked") return refuse(world, `No checkpoint of ${name} can be asked for.`, [done]);
  world.notify.done(`${name} takes a checkpoint; its row shows when it is complete.`);
}
