import { lifecycleFileName } from "../core/lifecycle/fileName";
import { readLifecycleFile } from "../core/lifecycle/readLifecycleFile";
import { lineAndColumn } from "../core/lifecycle/lineAndColumn";
import { blackoutAt, blackoutText } from "../core/schedule/blackout";
import { readCron } from "../core/schedule/cron";
import { cronRuns, effectiveRuns, firstOf, shortestGapMs, shortestIntervalMs } from "../core/schedule/cronRuns";
import { cronMeaning } from "../core/schedule/cronText";
import { timeInZone } from "../core/schedule/zoneTime";
import { countText } from "../core/wording";
import { readArguments, wholeNumber } from "./arguments";
import { UsageError, type Command, type Terminal } from "./command";
import { filesNamed, headlessLists, headlessOptions, headlessValues, textOf, type HeadlessOptions } from "./lifecycleArguments";
import { printable } from "./printable";

/** `schedule check`, `schedule next` and `schedule run`. Exit code 0; 1 when something in a file is wrong. */
export const schedule: Command = {
  usage: "check|next|run [FILE…] [--count N] [--state DIR] [--credentials FILE] [--cluster NAME=ADDRESS…] [--warehouse DIR…]",
  about: `Checks ${lifecycleFileName}, tells the next runs of its schedules, or runs them, and cleanup that was agreed to, until it is stopped.`,
  async run(args, terminal) {
    const { verb, files, count, rest } = asked(args, terminal);
    if (verb === "run") return (await import("./scheduleRun")).runSchedules(files, rest, terminal);
    let faults = 0;
    for (const file of files) {
      const text = await textOf(file);
      const { schedules, cleanup, problems } = readLifecycleFile(text);
      faults += problems.length;
      for (const { offset, message } of problems) terminal.err(printable(`${file}:${lineAndColumn(text, offset)}: ${message}`));
      if (verb === "check") {
        if (problems.length === 0) terminal.out(printable(`${file}: ${countText(schedules.length, "schedule")}${cleanup === undefined ? "" : `, cleanup rules${cleanup.enabled ? "" : " (not enabled)"}`}, nothing wrong`));
        continue;
      }
      for (const each of schedules) tellNext(each.schedule, count, terminal);
    }
    return faults > 0 ? 1 : 0;
  },
};

function tellNext(schedule: ReturnType<typeof readLifecycleFile>["schedules"][number]["schedule"], count: number, terminal: Terminal): void {
  const { cron } = readCron(schedule.cron);
  if (cron === undefined) return;
  const { name, job, cluster, timeZone, enabled, blackouts } = schedule;
  terminal.out(printable(`${name}  ${job} on ${cluster}${enabled ? "" : "  (paused)"}`));
  terminal.out(`  ${cronMeaning(cron)} (${timeZone})`);
  if (shortestGapMs(cron) < shortestIntervalMs) terminal.err(printable(`warning: ${name} declares runs less than 10 minutes apart; those that come too early are left out.`));
  for (const run of firstOf(count, effectiveRuns(cronRuns(cron, timeZone, Date.now())))) {
    const blackout = blackoutAt(run, timeZone, blackouts);
    terminal.out(printable(`    ${timeInZone(run, timeZone)}${blackout === undefined ? "" : `  left out: blackout ${blackoutText(blackout)}`}`));
  }
}

function asked(args: readonly string[], terminal: Terminal): { readonly verb: "check" | "next" | "run"; readonly files: readonly string[]; readonly count: number; readonly rest: HeadlessOptions } {
  const { values, lists, rest: [verb, ...files] } = readArguments(args, { flags: [], values: ["count", ...headlessValues], lists: headlessLists });
  if (verb !== "check" && verb !== "next" && verb !== "run") throw new UsageError(verb === undefined ? "check, next or run is missing." : `There is check, next and run, and no ${verb}.`);
  const rest = headlessOptions(values, lists, terminal.workingFolder);
  if (verb !== "run" && Object.values({ ...values, count: undefined, clusters: lists.cluster[0], warehouses: lists.warehouse[0] }).some((value) => value !== undefined)) throw new UsageError("--state, --credentials, --cluster and --warehouse belong to run.");
  if (verb !== "next" && values.count !== undefined) throw new UsageError("--count belongs to next.");
  return { verb, files: filesNamed(files, terminal.workingFolder), count: wholeNumber("count", values.count) ?? 10, rest };
}
