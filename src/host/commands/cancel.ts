import { latestCheckpoint } from "../../core/guards";
import type { LedgerRecord, SavepointRecord } from "../../core/ledger/record";
import { isSameJob, type JobRef } from "../../core/model/job";
import { oneLine } from "../../core/rowText";
import { claimedPlaces, newestUsable, operationsIn } from "../../core/ledger/queries";
import { ageText, savepointName } from "../../core/wording";
import { cancelOnlyStopsWaiting, waitFor } from "./outcomes";
import { jobSummary, pickJob } from "./pick";
import { refuse } from "./refuse";
import { stop } from "./savepoints";
import { askInSteps, typeName } from "./steps";
import type { CommandWorld } from "./world";

const withoutSavepoint = "Cancel without Savepoint";
const withSavepoint = "Stop with Savepoint…";

/** *Cancel without Savepoint*: says what is lost, and wants the job's name typed when that is everything. */
export async function cancel(world: CommandWorld, target?: JobRef): Promise<void> {
  const plan = await askInSteps("Cancel without Savepoint", 1, async (ask) => {
    const job = target ?? (await pickJob(ask, world, "cancel"));
    if (job === undefined) return undefined;
    const refusals = await ask.wait("Looking at the job", async (signal) => {
      const found = await world.jobs.cancelRefusals(job, signal);
      if (found.length === 0) await world.jobs.observe(job, signal);
      return found;
    });
    return { job, refusals };
  });
  if (plan === undefined) return;
  const { job, refusals } = plan;
  const name = jobSummary(world, job)?.name ?? job.jobId;
  const shown = oneLine(name, 80);
  if (refusals.length > 0) return refuse(world, `${shown} can't be cancelled.`, refusals);

  const loss = await lossOf(world, job, name);
  const answer = await world.notify.choose({ title: `Cancel ${shown} without a savepoint?`, detail: loss.text, buttons: [withSavepoint, withoutSavepoint], close: "Keep Running" });
  if (answer === withSavepoint) return stop(world, job);
  if (answer !== withoutSavepoint) return;
  if (loss.everything !== null && (await typeName(`Cancel ${shown} without a savepoint`, name, loss.everything)) === undefined) return;

  const state = await waitFor(world, `Cancelling ${shown} ${cancelOnlyStopsWaiting}`, (run) => world.jobs.cancel(job, run));
  if (state === undefined) return world.notify.done(`${shown} is told to end; its row shows when it has.`);
  if (state !== "CANCELED") world.notify.refused(`${shown} ended ${state} before it could be cancelled.`);
}

interface Loss {
  readonly text: string;
  /** The sentence for it when neither checkpoint nor savepoint is known to be left, else null. */
  readonly everything: string | null;
}

async function lossOf(world: CommandWorld, job: JobRef, name: string): Promise<Loss> {
  const now = world.clock.now();
  const seen = world.jobs.observation(job);
  const overview = seen?.overview;
  const checkpoint = overview === undefined ? null : latestCheckpoint(overview);
  const kept = checkpoint !== null && checkpoint.path !== null ? seen?.config?.keptOnCancel : false;
  const records = await world.ledger.all();
  const savepoint = newestUsable(records.filter((record): record is SavepointRecord => record.kind === "savepoint" && record.cluster.url === job.cluster && record.job.name === name), claimedPlaces(records));
  const sentences: string[] = [];
  const asked = seen !== undefined && seen.error === null;
  if (!asked) sentences.push("What checkpoints the job has could not be learned.");
  else if (checkpoint === null) sentences.push(overview === undefined ? "The job takes no checkpoints." : "The job has no completed checkpoint.");
  else if (kept === true) sentences.push(`What came after checkpoint #${checkpoint.checkpointId}, ${ageText(checkpoint.triggeredAtMs, now)}, has to be read again. That checkpoint is kept at ${checkpoint.path ?? ""}; a restore can begin there.`);
  else if (kept === false) sentences.push(`Its last checkpoint, #${checkpoint.checkpointId} of ${ageText(checkpoint.triggeredAtMs, now)}, is deleted with it.`);
  else sentences.push(`Its last checkpoint is #${checkpoint.checkpointId}, ${ageText(checkpoint.triggeredAtMs, now)}; unless the job is set to retain it, Flink deletes it.`);
  sentences.push(savepoint === null ? "There is no savepoint of it." : `The last savepoint is ${savepointName(savepoint)}, ${ageText(savepoint.requestedAtMs, now)}; ${kept === true ? "it stays too" : "all state since then is lost"}.`);
  const everything = savepoint !== null || kept === true ? null : kept === undefined || !asked ? "All of its state may be lost for good." : "All of its state is lost for good.";
  if (everything !== null) sentences.push(everything);
  for (const { savepoint: open, tables } of await world.paimonJobs.waiting(job, AbortSignal.timeout(10_000)).catch(() => [])) {
    sentences.push(`${savepointName(open)} has no tag yet in ${tables.map((table) => oneLine(table, 80)).join(", ")}: that comes with the next checkpoint, and not at all when the job is cancelled.`);
  }
  if (operationRuns(world, job, records)) sentences.push("A savepoint or stop of this job is under way; cancelling makes it fail.");
  sentences.push("Stop with Savepoint loses nothing.");
  return { text: sentences.join(" "), everything };
}

/** By our own records, which are not stale, or by the job's statistics, which know of strangers. */
function operationRuns(world: CommandWorld, job: JobRef, records: readonly LedgerRecord[]): boolean {
  if (operationsIn(records).some((operation) => (operation.what === "stop" || operation.what === "savepoint") && isSameJob(operation, job))) return true;
  return (world.jobs.observation(job)?.overview?.history ?? []).some((entry) => entry.kind !== "checkpoint" && entry.status === "in-progress");
}
