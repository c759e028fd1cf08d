import type { SavepointRecord } from "../../core/ledger/record";
import type { JobRef } from "../../core/model/job";
import type { OverviewTab } from "../../core/overview/overviewPage";
import { jobSummary, pickJob } from "./pick";
import { askInSteps } from "./steps";
import type { CommandWorld } from "./world";

/** *Show Overview* and *Preview Cleanup*: the page of one job, on one of its parts. */
export async function showOverview(world: CommandWorld, tab: OverviewTab, target?: JobRef): Promise<void> {
  const job = target ?? (await askInSteps(tab === "cleanup" ? "Preview Cleanup" : "Show Overview", 1, (ask) => pickJob(ask, world, "trigger")));
  if (job === undefined) return;
  const name = jobSummary(world, job)?.name ?? (await world.ledger.all()).find((record): record is SavepointRecord => record.kind === "savepoint" && record.job.id === job.jobId && record.cluster.url === job.cluster)?.job.name;
  (await world.overviews()).show({ job, jobName: name ?? job.jobId, tab });
}
