import { systemClock } from "../core/base/async";
import { planText } from "../core/cleanup/cleanupText";
import { isVictim } from "../core/cleanup/plan";
import { FlinkError } from "../core/errors";
import type { Log } from "../core/ports";
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
    scheduler.onDidGiveUp(({ inForce, why }) => log.error(`schedule “${inForce.schedule.name}” of ${inForce.schedule.job} took no savepoint: ${why}`));
    scheduler.onDidTake((record) => void cleanup.afterScheduled(record));
    cleanup.onDidRunByItself(({ job, plan, removed, failed, held }) => {
      if (held === null) log.info(`cleanup of ${job.jobName}: ${removed.length} removed, ${failed.length} failed`);
      else if (plan.rows.some(isVictim)) log.warn(`cleanup of ${job.jobName} waits: ${held === "pause" ? "the job had paused for longer than its age rule; look at it with cleanup preview" : "nobody has agreed to its rules here; look at them with cleanup preview, then cleanup agree"}. ${planText(plan)} then.`);
    });
    for (const { placed: { schedule }, why, isClusterUnknown } of schedules.leftOut) log.warn(`schedule “${schedule.name}” of ${schedule.job} does not run: ${isClusterUnknown ? clusterUnknownText(schedule.cluster) : why}`);
    app.reconciler.start();
    void cleanup.start().catch((error: unknown) => log.error("cleanup", error));
    log.info(`runs ${schedules.schedules.filter(({ schedule }) => schedule.enabled).length} of ${schedules.schedules.length + schedules.leftOut.length} schedules; its records are in ${state}`);
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

/** One line for each thing that happens; what is only of use for finding a fault is left out. */
function lineLog(terminal: Terminal): Log {
  const line = (level: string) => (message: string | Error, ...more: unknown[]): void => {
    const text = [message, ...more].map((part) => (part instanceof FlinkError ? part.code : part instanceof Error ? part.message : String(part))).join(" ");
    terminal.out(printable(`${new Date().toISOString()} ${level} ${text}`));
  };
  const silent = (): void => undefined;
  return { trace: silent, debug: silent, info: line("info"), warn: line("warn"), error: line("error") };
}
