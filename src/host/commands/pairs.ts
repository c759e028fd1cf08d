import type { PaimonSnapshotRef, PaimonTagRef, SavepointRef } from "../../core/contributions";
import type { SavepointRecord } from "../../core/ledger/record";
import { jobOf } from "../../core/ledger/record";
import type { JobRef } from "../../core/model/job";
import { pinName } from "../../core/paimon/ourNames";
import { pairTitle } from "../../core/paimon/pairText";
import type { SinkPair } from "../../core/paimon/savepointPairs";
import { oneLine } from "../../core/rowText";
import { savepointName } from "../../core/wording";
import { pairedPlace } from "../../services/pairs";
import { askSavepoint, jobSummary, pickJob } from "./pick";
import { refuse } from "./refuse";
import { askInSteps, waitBefore } from "./steps";
import { askRetention, tagSnapshots } from "./tags";
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

/** *Pin Pair*: a tag of our own in every table whose state is proven, which Paimon never touches: of an aborted checkpoint it deletes the tag of that number, whoever made it. */
export async function pinPair(world: CommandWorld, target?: SavepointRef): Promise<void> {
  const record = await askSavepoint(world, target, "Pin Pair", { placeholder: "Which savepoint's pair is pinned?", can: (row) => row.record !== null && row.path !== null });
  const place = record === undefined ? undefined : pairedPlace(record);
  if (record === undefined || place === undefined) return;
  const name = `${savepointName(record)} of ${oneLine(record.job.name, 80)}`;
  const tag = pinName(record.job.id, record.checkpointId);
  const found = await waitBefore(`Pin the pair of ${name}`, "Reading the tables", (run) => world.pairs.pairsOf(place, 0, run.signal));
  const pairs = found?.pairs ?? [];
  const refs = pairs.flatMap((pair) => taggableIn(pair, tag));
  const left = pairs.filter(({ place: table, pairing }) => table === null || pairing.snapshot === null || !isKnown(pairing.grade));
  if (refs.length === 0) {
    const why = pairs.length === 0 ? "No table of Paimon is known to belong to it." : left.length === 0 ? `Every table has the tag ${tag} already.` : `What belongs to it in ${left.map(pairTitle).join(", ")} is not proven.`;
    return world.notify.refused(`There is nothing to pin of ${name}. ${why}`, [{ title: "Show Pairs", command: "flinkSavepoints.showPairs", args: [{ recordId: record.id }] }]);
  }
  const retention = await askInSteps(`Pin the pair of ${name} as ${tag}`, 1, (ask) => askRetention(ask).then((retainedMs) => ({ retainedMs })));
  if (retention === undefined || !(await tagSnapshots(world, `Pinning the pair of ${name}`, refs, tag, retention.retainedMs))) return;
  await world.pairs.pairsOf(place, 0);
  const rest = left.length === 0 ? "" : ` Not in ${left.map(pairTitle).join(", ")}: what belongs to it there is not proven.`;
  world.notify.done(`The tag ${tag} keeps what belongs to ${name} in ${refs.map(({ table }) => table).join(", ")}.${rest}`);
}

/** The snapshot that a pin keeps; none where it is not proven, or kept by that tag already. */
function taggableIn({ place, pairing: { grade, snapshot, tags } }: SinkPair, tag: string): PaimonSnapshotRef[] {
  return place === null || snapshot === null || !isKnown(grade) || tags.some(({ name }) => name === tag) ? [] : [{ ...place, snapshotId: snapshot.id }];
}

/** Grades whose snapshot is the savepoint's state. */
function isKnown(grade: SinkPair["pairing"]["grade"]): boolean {
  return grade === "exact" || grade === "unprotected" || grade === "foreign" || grade === "drained" || grade === "idle";
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
