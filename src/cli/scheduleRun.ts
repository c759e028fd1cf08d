import { isAbort, systemClock } from "../core/base/async";
import { waitingText } from "../core/cleanup/waiting";
import { FlinkError, isFlinkError } from "../core/errors";
import { isTerminal } from "../core/model/job";
import type { Log } from "../core/ports";
import { clusterSentence } from "../core/rowText";
import type { ScheduleInForce } from "../core/schedule/tick";
import { timeInZone } from "../core/schedule/zoneTime";
import type { ClusterService } from "../services/clusters";
import { Schedules } from "../services/schedules";
import type { Terminal } from "./command";
import { openHeadless } from "./headlessApp";
import { clusterUnknownText, type HeadlessOptions } from "./lifecycleArguments";
import { printable } from "./printable";

/** How often the files are looked at for changes, milliseconds. */
const lookEveryMs = 10_000;

/** Runs the schedules of files, and the cleanup that was agreed to after each savepoint, until it is told to end. Resolves to the exit code. Throws as `openHeadless`. */
export async function runSchedules(files: readonly string[], options: HeadlessOptions, terminal: Terminal): Promise<number> {
  const log = lineLog(terminal);
  const { app, lifecycle, cleanup, state, read, dispose } = await openHeadless(files, options, log);
  try {
    const scheduler = await app.scheduler();
    const schedules = new Schedules(lifecycle, scheduler, app.clusters, systemClock, log);
    scheduler.onDidGiveUp(({ inForce, why }) => log.error(`${nameOf(inForce.schedule)} took no savepoint: ${why}`));
    scheduler.onDidTake((record) => void cleanup.afterScheduled(record));
    cleanup.onDidRunByItself(({ job, removed, failed, held, waiting }) => {
      if (held === null && (waiting === null || removed.length + failed.length > 0)) log.info(`cleanup of ${job.jobName}: ${removed.length} removed, ${failed.length} failed`);
      if (waiting !== null) log.warn(`cleanup of ${job.jobName}: ${waitingText(waiting, "program")}`);
    });
    for (const { placed: { schedule }, why, isClusterUnknown } of schedules.leftOut) log.warn(`schedule “${schedule.name}” of ${schedule.job} does not run: ${isClusterUnknown ? clusterUnknownText(schedule.cluster) : why}`);
    app.reconciler.start();
    void cleanup.start().catch((error: unknown) => log.error("cleanup", error));
    log.info(`runs ${schedules.schedules.filter(({ schedule }) => schedule.enabled).length} of ${schedules.schedules.length + schedules.leftOut.length} schedules; its records are in ${state}`);
    let told = "";
    const tellPlans = (): void => {
      const plans = JSON.stringify(schedules.schedules.map(({ key, schedule }) => [key, schedule]));
      if (plans === told) return;
      told = plans;
      void tellNextRuns(schedules, app.clusters, log, terminal.signal).catch((error: unknown) => isAbort(error) || log.warn("looking at clusters", error));
    };
    schedules.onDidChange(tellPlans);
    tellPlans();
    while (!terminal.signal.aborted) {
      await systemClock.sleep(lookEveryMs, terminal.signal).catch(() => undefined);
      // What was read last counts while a file is away, as it is while it is saved.
      if (!terminal.signal.aborted) await read().catch((error: unknown) => log.warn(`a file of schedules can't be read; it counts as it was`, error));
    }
    await scheduler.stop();
    log.info("ended");
    return 0;
  } finally {
    dispose();
  }
}

/** When each schedule runs next, and whether its cluster and its job are there now: a wrong address is better seen at once than at 3 a.m. Throws when `signal` aborts. */
async function tellNextRuns(schedules: Schedules, clusters: ClusterService, log: Log, signal: AbortSignal): Promise<void> {
  const views = await schedules.views();
  for (const { inForce: { schedule }, nextMs } of views) log.info(`${nameOf(schedule)} ${!schedule.enabled ? "is paused" : nextMs === null ? "has no next run" : `runs next ${timeInZone(nextMs, schedule.timeZone)}`}`);
  const active = views.map(({ inForce }) => inForce).filter(({ schedule }) => schedule.enabled);
  await Promise.all([...new Set(active.map(({ cluster }) => cluster))].map(async (cluster) => {
    const name = clusters.get(cluster)?.profile.name ?? cluster;
    try {
      await clusters.info(cluster, signal);
      const jobs = await clusters.client(cluster).jobs(signal);
      for (const { cluster: on, schedule } of active) {
        if (on === cluster && !jobs.some((job) => job.name === schedule.job && !isTerminal(job.state))) log.warn(`no job ${schedule.job} runs on ${name} now: ${nameOf(schedule)} is skipped until one does`);
      }
    } catch (error) {
      if (!isFlinkError(error)) throw error;
      log.warn(`${name} can't be asked now, and is asked again when a schedule is due: ${clusterSentence(error, cluster)}`);
    }
  }));
}

function nameOf({ name, job }: ScheduleInForce["schedule"]): string {
  return `schedule “${name}” of ${job}`;
}

/** One line for each thing that happens; what is only of use for finding a fault is left out. */
function lineLog(terminal: Terminal): Log {
  const line = (level: string) => (message: string | Error, ...more: unknown[]): void => {
    const text = [message, ...more].map((part) => (part instanceof FlinkError ? part.code : part instanceof Error ? part.message : String(part))).join(" ");
    terminal.out(printable(`${new Date().toISOString()} ${level} ${text}`));
  };
  const silent = (): void => undefined;
  return { trace: silent, debug: silent, info: line("info"), warn: line("warn"), error: line("error") };
}
