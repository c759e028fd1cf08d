import { FlinkError, type JobNamed, type Refusal } from "../../core/errors";
import { explainRefusal } from "../../core/explain";
import type { SavepointRecord } from "../../core/ledger/record";
import type { Step } from "../platform/notify";
import type { CommandWorld } from "./world";

/** Says why a verb can't be done, and offers what helps: the rule's own remedy, at most two. */
export function refuse(world: CommandWorld, title: string, refusals: readonly Refusal[], about: { readonly recordId?: string } = {}, steps: readonly Step[] = []): void {
  const remedies = refusals.flatMap((refusal) => remedy(world, refusal, about));
  const unique = [...new Map([...steps, ...remedies].map((step) => [step.title, step])).values()];
  // A message without a button is cut off after one line.
  if (unique.length === 0) unique.push({ title: "Show Log", command: "flinkSavepoints.showLog" });
  world.notify.refused(`${title} ${refusals.map(explainRefusal).join(" ")}`, unique.slice(0, 2));
}

/** The ledger's record of a row that a verb was aimed at. Throws `refused` for a row that only Flink's history shows: it has no record, so nothing can be done with it. */
export async function recordOf(world: CommandWorld, recordId: string, verb: string): Promise<SavepointRecord> {
  const record = await world.jobs.record(recordId);
  if (record === undefined) throw new FlinkError("refused", { verb, subject: "This savepoint", refusals: [{ rule: "no-path" }] });
  return record;
}

function remedy(world: CommandWorld, refusal: Refusal, about: { readonly recordId?: string }): Step[] {
  switch (refusal.rule) {
    case "operation-running": case "disposal-running":
      return [{ title: "Show Operations", command: "flinkSavepoints.showOperations" }];
    case "job-not-running":
      return ["FINISHED", "FAILED", "CANCELED", "gone"].includes(refusal.state) ? [{ title: "Restore…", command: "flinkSavepoints.restore" }] : [];
    case "pinned":
      return about.recordId === undefined ? [] : [{ title: "Unpin", command: "flinkSavepoints.unpin", args: [{ recordId: about.recordId }] }];
    case "claimed": case "no-claim-not-safe": case "restore-source": case "in-use":
      return showJob(world, refusal.by);
    case "job-unchecked":
      return showJob(world, refusal.job);
    default:
      return [];
  }
}

function showJob(world: CommandWorld, job: JobNamed): Step[] {
  const view = world.clusters.list().find(({ jobs }) => jobs.some(({ jobId }) => jobId === job.jobId));
  return view === undefined ? [] : [{ title: "Show Job in Web UI", command: "flinkSavepoints.openWebUi", args: [{ cluster: view.profile.url, jobId: job.jobId }] }];
}
