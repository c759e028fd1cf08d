import { readFile } from "node:fs/promises";
import path from "node:path";
import { unreadableReason } from "../clients/localFiles";
import { FlinkError } from "../core/errors";
import { lifecycleFileName } from "../core/lifecycle/fileName";
import { readLifecycleFile } from "../core/lifecycle/readLifecycleFile";
import { placeOf } from "../core/lifecycle/placeText";
import { blackoutAt, blackoutText } from "../core/schedule/blackout";
import { readCron } from "../core/schedule/cron";
import { cronRuns, effectiveRuns, firstOf, shortestGapMs, shortestIntervalMs } from "../core/schedule/cronRuns";
import { cronMeaning } from "../core/schedule/cronText";
import { timeInZone } from "../core/schedule/zoneTime";
import { countText } from "../core/wording";
import { readArguments, wholeNumber } from "./arguments";
import { UsageError, type Command, type Terminal } from "./command";
import { printable } from "./printable";

/** `schedule check`, `schedule next` and `schedule run`. Exit code 0; 1 when something in a file is wrong. */
export const schedule: Command = {
  usage: "check|next|run [FILE…] [--count N] [--state DIR] [--credentials FILE] [--cluster NAME=ADDRESS…]",
  about: `Checks ${lifecycleFileName}, tells the next runs of its schedules, or runs them until it is stopped.`,
  async run(args, terminal) {
    const { verb, files, count, rest } = asked(args, terminal);
    if (verb === "run") return (await import("./scheduleRun")).runSchedules(files, rest, terminal);
    let faults = 0;
    for (const file of files) {
      const text = await textOf(file);
      const { schedules, cleanup, problems } = readLifecycleFile(text);
      faults += problems.length;
      for (const { offset, message } of problems) terminal.err(printable(`${file}:${placeOf(text, offset)}: ${message}`));
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

/** Reads a file of schedules. Throws `file-unreadable`. */
export async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new FlinkError("file-unreadable", { path: file, reason: unreadableReason(error) }, { cause: error });
  }
}

/** What `schedule run` takes besides files. */
export interface RunOptions {
  readonly state: string | undefined;
  readonly credentials: string | undefined;
  /** Clusters by the names that files use for them. */
  readonly clusters: ReadonlyMap<string, string>;
}

function asked(args: readonly string[], terminal: Terminal): { readonly verb: "check" | "next" | "run"; readonly files: readonly string[]; readonly count: number; readonly rest: RunOptions } {
  const clusters = new Map<string, string>();
  const others: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    const pair = arg === "--cluster" ? args[++at] : arg.startsWith("--cluster=") ? arg.slice("--cluster=".length) : undefined;
    if (pair === undefined && arg !== "--cluster") {
      others.push(arg);
      continue;
    }
    const [, name, address] = /^([^=]+)=(https?:\/\/.+)$/.exec(pair ?? "") ?? [];
    if (name === undefined || address === undefined) throw new UsageError("--cluster takes a name and its address, such as prod=https://flink.example.com.");
    clusters.set(name, address);
  }
  const { values, rest: [verb, ...files] } = readArguments(others, { flags: [], values: ["count", "state", "credentials"] });
  if (verb !== "check" && verb !== "next" && verb !== "run") throw new UsageError(verb === undefined ? "check, next or run is missing." : `There is check, next and run, and no ${verb}.`);
  if (verb !== "run" && (values.state !== undefined || values.credentials !== undefined || clusters.size > 0)) throw new UsageError("--state, --credentials and --cluster belong to run.");
  if (verb !== "next" && values.count !== undefined) throw new UsageError("--count belongs to next.");
  const named = files.length === 0 ? [lifecycleFileName] : files;
  return {
    verb, files: named.map((file) => path.resolve(terminal.workingFolder, file)), count: wholeNumber("count", values.count) ?? 10,
    rest: { state: values.state && path.resolve(terminal.workingFolder, values.state), credentials: values.credentials && path.resolve(terminal.workingFolder, values.credentials), clusters },
  };
}
