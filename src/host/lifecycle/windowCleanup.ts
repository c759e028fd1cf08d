import type { DisposableStore, Disposable } from "../../core/base/disposable";
import { planText } from "../../core/cleanup/cleanupText";
import { isVictim } from "../../core/cleanup/plan";
import type { CleanupRules, FindCleanup } from "../../core/cleanup/rules";
import { waitingText } from "../../core/cleanup/waiting";
import type { Clock, Log } from "../../core/ports";
import { oneLine } from "../../core/rowText";
import { countText, spanText } from "../../core/wording";
import type { CleanupOutcome, CleanupService } from "../../services/cleanup";
import type { ClusterService } from "../../services/clusters";
import type { LifecycleFiles } from "../../services/lifecycleFiles";
import type { Notify } from "../platform/notify";
import { rulesIn } from "./rulesIn";

/** What cleanup needs of a window. */
export interface WindowCleanupWorld {
  readonly files: LifecycleFiles;
  readonly clusters: ClusterService;
  readonly notify: Notify;
  readonly log: Log;
  readonly clock: Clock;
  make(find: FindCleanup): Promise<CleanupService>;
}

/** Cleanup by the rules of the files that count in this window; what it did by itself, or waits for, is told once. */
export async function openWindowCleanup(world: WindowCleanupWorld, held: DisposableStore): Promise<CleanupService> {
  const { files, clusters, log } = world;
  const service = held.add(await world.make(rulesIn(files, clusters)));
  held.add(tellRuns(service, world));
  void service.start().catch((error: unknown) => log.error("cleanup", error));
  return service;
}

function tellRuns(service: CleanupService, { notify, log }: WindowCleanupWorld): Disposable {
  const told = new Set<string>();
  return service.onDidRunByItself((outcome) => {
    const { job, plan, removed, failed, held, waiting } = outcome;
    const name = oneLine(job.jobName, 80);
    if (held === null) {
      if (removed.length + failed.length > 0) log.info(`cleanup of ${job.jobName}: ${removed.length} removed, ${failed.length} failed`);
      if (waiting !== null) log.warn(`cleanup of ${job.jobName}: ${waitingText(waiting, { preview: "Preview Cleanup" })}`);
      if (failed.length > 0) once(`failed ${job.jobName}`, `${countText(failed.length, "savepoint")} of ${name} could not be removed by its cleanup rules. They are tried again, and listed with the reason.`, "Show Cleanup");
      return;
    }
    if (!plan.rows.some(isVictim)) return;
    const why = held === "pause" ? `${name} had no scheduled savepoint for ${spanText(plan.pauseMs ?? 0)}, so its cleanup rules wait before they take the older ones.` : `Cleanup rules for ${name} are switched on in a file and have not been seen here.`;
    once(`${held} ${job.cluster} ${job.jobName} ${rulesOf(plan.rules)}`, `${why} ${planText(plan)} once you say so.`, "Preview Cleanup");

    function once(key: string, message: string, title: string): void {
      if (told.has(key)) return;
      told.add(key);
      notify.done(message, [{ title, command: "flinkSavepoints.previewCleanup", ...targetOf(outcome) }]);
    }
  });
}

function rulesOf({ keep, maxAgeMs }: CleanupRules): string {
  return `${keep ?? ""} ${maxAgeMs ?? ""}`;
}

/** The job as its newest savepoint has it. */
function targetOf({ job, plan }: CleanupOutcome): { readonly args?: [{ cluster: string; jobId: string }] } {
  const record = plan.rows[0]?.record;
  return record === undefined ? {} : { args: [{ cluster: job.cluster, jobId: record.job.id }] };
}
