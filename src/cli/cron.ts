import { readCron, withoutQuestionMarks } from "../core/schedule/cron";
import { cronRuns, effectiveRuns, firstOf, instantAt, isTimeZone, shortestGapMs, shortestIntervalMs } from "../core/schedule/cronRuns";
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
      declaredRuns: firstOf(count, runs()).map(iso),
      effectiveRuns: firstOf(count, effectiveRuns(runs())).map(iso),
      quartz: read === undefined ? [] : quartzOf(read),
    };
    if (read !== undefined && !quartz && shortestGapMs(read) < shortestIntervalMs) terminal.err("warning: It declares runs less than 10 minutes apart; those that come too early are left out.");
    if (json) terminal.out(JSON.stringify(report, null, 2));
    else if (read === undefined) tellFaults(report.errors, expression, terminal);
    else tell(report, quartz, zone, terminal);
    return Promise.resolve(report.valid ? 0 : 1);
  },
};

type Report = { readonly description: string; readonly effectiveRuns: readonly string[]; readonly quartz: readonly string[] };

function tell(report: Report, quartz: boolean, zone: string, terminal: Terminal): void {
  if (quartz) return report.quartz.forEach((line) => terminal.out(line));
  terminal.out(`${report.description} (${zone})`);
  for (const run of report.effectiveRuns) terminal.out(`  ${timeInZone(Date.parse(run), zone)}`);
}

function tellFaults(errors: readonly { readonly field: string; readonly message: string }[], expression: string, terminal: Terminal): void {
  for (const { field, message } of errors) terminal.err(`${field}: ${printable(message)}`);
  const mended = withoutQuestionMarks(expression);
  if (mended !== undefined && readCron(mended).cron !== undefined) terminal.err(`With * instead: "${printable(mended)}"`);
}

function asked(given: readonly string[]) {
  // An expression may begin with a hyphen, if only to be told so.
  const isExpression = (arg: string): boolean => /^-[^-]\S*\s/.test(arg);
  const args = [...given.filter((arg) => !isExpression(arg)), ...(given.some(isExpression) ? ["--", ...given.filter(isExpression)] : [])];
  const { flags, values, rest } = readArguments(args, { flags: ["json"], values: ["tz", "from", "count", "to"] });
  const [expression, ...more] = rest;
  if (expression === undefined) throw new UsageError("The expression is missing.");
  if (more.length > 0) throw new UsageError('Put the expression in quotes: "0 12 * * *".');
  // As in a file of schedules.
  const zone = values.tz ?? "UTC";
  if (!isTimeZone(zone)) throw new UsageError(`${zone} is no time zone. Use a name such as Europe/Berlin.`);
  const fromMs = values.from === undefined ? Date.now() : instantOf(values.from, zone);
  if (fromMs === undefined) throw new UsageError(`${values.from ?? ""} is no time. Write it as 2026-01-31T12:00:00Z, or without Z for a time in ${zone}.`);
  const count = /^\d{1,6}$/.test(values.count ?? "10") ? Number(values.count ?? 10) : NaN;
  if (!(count <= mostRuns)) throw new UsageError(`--count is a number from 0 to ${mostRuns}.`);
  if (values.to !== undefined && values.to !== "quartz") throw new UsageError(`${values.to} is no dialect; quartz is.`);
  return { expression, zone, fromMs, count, quartz: values.to === "quartz", json: flags.json };
}

/** An instant in ISO 8601, epoch milliseconds; without an offset it is a time of a zone. Undefined for any other text, and for a day that no calendar has. */
function instantOf(text: string, zone: string): number | undefined {
  const [, day = "", time = "00:00", offset] = /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)([Zz]|[+-]\d{2}(?::?\d{2})?)?)?$/.exec(text) ?? [];
  const wallMs = Date.parse(`${day}T${time.replace(",", ".")}Z`);
  if (Number.isNaN(wallMs) || new Date(Date.parse(`${day}T00:00Z`)).toISOString().slice(0, 10) !== day) return undefined;
  if (offset === undefined) return instantAt(wallMs, zone);
  const [, sign, hours = "0", minutes = "0"] = /^([+-])(\d{2}):?(\d{2})?$/.exec(offset) ?? [];
  return sign === undefined ? wallMs : wallMs - (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

const iso = (instant: number): string => new Date(instant).toISOString();
