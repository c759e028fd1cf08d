import { readCron, withoutQuestionMarks } from "../core/schedule/cron";
import { cronRuns, effectiveRuns, firstOf, isTimeZone, shortestGapMs, shortestIntervalMs } from "../core/schedule/cronRuns";
import { cronFaultText, cronMeaning } from "../core/schedule/cronText";
import { quartzOf } from "../core/schedule/quartz";
import { timeInZone } from "../core/schedule/zoneTime";
import { readArguments } from "./arguments";
import { UsageError, type Command, type Terminal } from "./command";
import { printable } from "./printable";

const mostRuns = 10_000;

/** `cron "EXPR"`: is it valid, what does it mean, when does it run (A-10…20); exit code 0 for a valid expression, 1 for any other. */
export const cron: Command = {
  usage: '"EXPR" [--tz ZONE] [--from ISO] [--count N] [--to quartz] [--json]',
  about: "Checks a schedule's five-field cron expression, tells its next runs, and translates it.",
  run(args, terminal) {
    const { expression, zone, fromMs, count, quartz, json } = asked(args);
    const { cron: read, faults } = readCron(expression);
    const runs = (): Iterable<number> => (read === undefined ? [] : cronRuns(read, zone, fromMs));
    const report = {
      valid: read !== undefined,
      errors: faults.map((fault) => ({ field: fault.field, message: cronFaultText(fault) })),
      description: read === undefined ? "" : cronMeaning(read),
      timeZone: zone,
      declaredRuns: firstOf(count, runs()).map(iso),
      effectiveRuns: firstOf(count, effectiveRuns(runs())).map(iso),
      warnings: read !== undefined && shortestGapMs(read) < shortestIntervalMs ? ["It declares runs less than 10 minutes apart; those that come too early are left out."] : [],
      quartz: read === undefined ? [] : quartzOf(read),
    };
    if (json) terminal.out(JSON.stringify(report, null, 2));
    else if (read === undefined) tellFaults(report.errors, expression, terminal);
    else tell(report, quartz, terminal);
    return Promise.resolve(report.valid ? 0 : 1);
  },
};

type Report = { readonly description: string; readonly timeZone: string; readonly declaredRuns: readonly string[]; readonly effectiveRuns: readonly string[]; readonly warnings: readonly string[]; readonly quartz: readonly string[] };

function tell(report: Report, quartz: boolean, terminal: Terminal): void {
  if (quartz) return report.quartz.forEach((line) => terminal.out(line));
  terminal.out(`${report.description} (${report.timeZone})`);
  for (const warning of report.warnings) terminal.err(`warning: ${warning}`);
  for (const run of report.effectiveRuns) terminal.out(`  ${timeInZone(Date.parse(run), report.timeZone)}`);
}

function tellFaults(errors: readonly { readonly field: string; readonly message: string }[], expression: string, terminal: Terminal): void {
  for (const { field, message } of errors) terminal.err(`${field}: ${printable(message)}`);
  const mended = withoutQuestionMarks(expression);
  if (mended !== undefined && readCron(mended).cron !== undefined) terminal.err(`With * instead: "${printable(mended)}"`);
}

function asked(args: readonly string[]) {
  const { flags, values, rest } = readArguments(args, { flags: ["json"], values: ["tz", "from", "count", "to"] });
  const [expression, ...more] = rest;
  if (expression === undefined) throw new UsageError("The expression is missing.");
  if (more.length > 0) throw new UsageError('Put the expression in quotes: "0 12 * * *".');
  const zone = values.tz ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!isTimeZone(zone)) throw new UsageError(`${zone} is no time zone. Use a name such as Europe/Berlin.`);
  const fromMs = values.from === undefined ? Date.now() : Date.parse(values.from);
  if (!/^\d{4}-\d{2}-\d{2}/.test(values.from ?? "2000-01-01") || Number.isNaN(fromMs)) throw new UsageError(`${values.from ?? ""} is no time. Write it as 2026-01-31T12:00:00Z.`);
  const count = Number(values.count ?? 10);
  if (values.count?.trim() === "" || !Number.isInteger(count) || count < 0 || count > mostRuns) throw new UsageError(`--count is a number from 0 to ${mostRuns}.`);
  if (values.to !== undefined && values.to !== "quartz") throw new UsageError(`${values.to} is no dialect; quartz is.`);
  return { expression, zone, fromMs, count, quartz: values.to === "quartz", json: flags.json };
}

const iso = (instant: number): string => new Date(instant).toISOString();
