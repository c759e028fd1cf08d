import { FlinkError, type JobNamed, type Refusal } from "../../core/errors";
import { explainRefusal } from "../../core/explain";
import { liesAside, lostItsMetadata, type SavepointRecord } from "../../core/ledger/record";
import type { JobRef } from "../../core/model/job";
import type { Step } from "../platform/notify";
import type { CommandWorld } from "./world";

/** What a verb was aimed at, for a remedy that acts on it. */
interface About {
  readonly recordId?: string;
  readonly job?: JobRef;
}

/** Says why a verb can't be done, and offers what helps: the rule's own remedy, at most two. */
export function refuse(world: CommandWorld, title: string, refusals: readonly Refusal[], about: About = {}, steps: readonly Step[] = []): void {
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

/** Why one can't go back to a savepoint that is not usable. */
export function whyUnusable(record: SavepointRecord): Refusal {
  if (record.disposal?.state === "disposed" || lostItsMetadata(record)) return { rule: "already-disposed" };
  if (record.disposal?.state === "requested") return { rule: "disposal-running" };
  if (liesAside(record)) return { rule: "moved-aside" };
  return record.state === "completed" ? { rule: "no-path" } : { rule: "not-completed", state: record.state };
}

function remedy(world: CommandWorld, refusal: Refusal, about: About): Step[] {
  switch (refusal.rule) {
    case "operation-running": case "disposal-running":
      return [{ title: "Show Operations", command: "flinkSavepoints.showOperations" }];
    case "job-not-running":
      return ["FINISHED", "FAILED", "CANCELED", "gone"].includes(refusal.state) ? [{ title: "Restore…", command: "flinkSavepoints.restore" }] : [];
    case "pinned":
      return about.recordId === undefined ? [] : [{ title: "Unpin", command: "flinkSavepoints.unpin", args: [{ recordId: about.recordId }] }];
    case "claimed": case "no-claim-not-safe": case "restore-source": case "in-use":
      return showJob(world, refusal.by);
    case "moved-aside":
      return about.job === undefined ? [] : [{ title: "Preview Cleanup", command: "flinkSavepoints.previewCleanup", args: [about.job] }];
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
