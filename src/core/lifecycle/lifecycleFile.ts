import * as z from "zod";
import { normaliseClusterUrl } from "../model/cluster";
import { locationFault } from "../model/location";
import { readCron } from "../schedule/cron";
import { isTimeZone } from "../schedule/cronRuns";
import { cronFaultText } from "../schedule/cronText";
import { durationMs } from "./duration";

/** At most this often is a failed scheduled savepoint tried again. */
const mostRetries = 5;

const nonEmpty = z.string().refine((text) => text.trim() !== "", { error: "must not be empty" });
const timeOfDay = z.string().refine((text) => /^([01]\d|2[0-3]):[0-5]\d$/.test(text), { error: "must be a time such as 22:30" });
const calendarDay = z.string().refine(isDay, { error: "must be a day such as 2026-12-24" });

const cronText = z.string().superRefine((text, context) => {
  for (const fault of readCron(text).faults) context.addIssue({ code: "custom", message: cronFaultText(fault), params: { cron: fault } });
});

const duration = (leastMs: number, least: string): z.ZodType<string> => z.string().superRefine((text, context) => {
  const ms = durationMs(text);
  if (ms === undefined) context.addIssue({ code: "custom", message: "must be a duration such as 90m, 36h or 7d" });
  else if (ms < leastMs) context.addIssue({ code: "custom", message: `must be at least ${least}` });
});

const clusterName = nonEmpty.refine((text) => !text.includes("://") || normaliseClusterUrl(text) !== undefined, { error: "must be an http:// or https:// address without user name and password, or the name of a cluster of the settings" })
  .meta({ description: "Base address of the cluster's REST API, or its name in the settings." });
const jobName = nonEmpty.meta({ description: "Name of the job. It is followed over restarts, whatever its id is." });

const dailyBlackout = z.strictObject({
  days: z.string().superRefine((text, context) => {
    for (const fault of readCron(`0 0 * * ${text.trim() === "" ? "," : text}`).faults) context.addIssue({ code: "custom", message: cronFaultText(fault) });
  }).optional().meta({ description: "Days of the week on which it begins, as in a cron expression: SAT,SUN or 1-5. Every day when absent." }),
  from: timeOfDay.meta({ description: "Time of day at which it begins, in the schedule's time zone." }),
  to: timeOfDay.meta({ description: "Time of day at which it is over. Earlier than `from`: on the next day." }),
}).meta({ title: "Times of the day" });
const datedBlackout = z.strictObject({
  firstDay: calendarDay.meta({ description: "First day without runs, such as 2026-12-24." }),
  lastDay: calendarDay.meta({ description: "Last day without runs." }),
}).refine(({ firstDay, lastDay }) => lastDay >= firstDay, { error: "must not be before firstDay", path: ["lastDay"] }).meta({ title: "Days of the calendar" });

/** A time in which a schedule does not run: hours of some days of the week, or days of the calendar. */
export const blackoutSchema = z.union([dailyBlackout, datedBlackout]);

/** One schedule as it is written in the file. */
export const scheduleSchema = z.strictObject({
  name: nonEmpty.max(80).meta({ description: "Tells this schedule from others of the job; stands in messages and in the ledger." }),
  cluster: clusterName,
  job: jobName,
  cron: cronText.meta({ description: "Five fields: minute, hour, day of the month, month, day of the week (1 or MON = Monday). Runs are at least ten minutes apart; a day field that is not * and the other one mean either." }),
  timeZone: z.string().refine(isTimeZone, { error: "must be a time zone such as Europe/Berlin or UTC" }).default("UTC").meta({ description: "Time zone that the cron expression and the blackouts are in, such as Europe/Berlin." }),
  enabled: z.boolean().default(true).meta({ description: "false pauses the schedule." }),
  format: z.enum(["canonical", "native"]).default("canonical").meta({ description: "canonical fits every state backend, native is faster and fits its own." }),
  directory: z.string().refine((text) => locationFault(text) === undefined, { error: "must be an absolute path or an address with a scheme, such as s3://bucket/savepoints" }).optional().meta({ description: "Where savepoints go. The cluster's own savepoint directory when absent." }),
  description: z.string().max(500).default("{schedule} of {date} {time}").meta({ description: "What is noted with each savepoint; {schedule}, {job}, {date} and {time} are filled in." }),
  blackouts: z.array(blackoutSchema).default([]).meta({ description: "Times in which it does not run. What falls into one is left out, not put off." }),
  whenBusy: z.enum(["wait", "skip"]).default("wait").meta({ description: "When another savepoint of the job is under way: wait for its end, at most until the next run, or skip this run." }),
  retries: z.int().min(0).max(mostRetries).default(3).meta({ description: "How often a failed savepoint is tried again, after one minute, then two, four and so on." }),
}).meta({
  id: "schedule", description: "Takes savepoints of a job by the clock, while VS Code or flink-savepoints schedule run runs.",
  // What VS Code offers to write.
  defaultSnippets: [{ label: "Schedule", body: { name: "${1:nightly}", cluster: "${2:http://localhost:8081}", job: "${3:job name}", cron: "${4:0 3 * * *}", timeZone: "${5:Europe/Berlin}" } }],
});

const keep = z.int().min(1).optional().meta({ description: "How many completed scheduled savepoints are kept; older ones are removed." });
const maxAge = duration(3_600_000, "1h").optional().meta({ description: "Scheduled savepoints older than this are removed: 36h, 7d." });

/** Rules for removing what schedules made. */
export const cleanupSchema = z.strictObject({
  enabled: z.boolean().default(false).meta({ description: "Whether rules are applied at all." }),
  undo: duration(0, "0").default("24h").meta({ description: "How long a removed savepoint lies aside where its storage allows that; 0 removes at once." }),
  default: z.strictObject({ keep, maxAge }).default({}).meta({ description: "For jobs without rules of their own. A savepoint goes as soon as one rule says so; without a rule nothing goes." }),
  jobs: z.array(z.strictObject({
    job: jobName,
    cluster: clusterName.optional(),
    keep,
    maxAge,
    enabled: z.boolean().default(true).meta({ description: "false: this job is left alone." }),
  })).default([]).meta({ description: "Rules of single jobs, each instead of the default as a whole." }),
}).meta({ id: "cleanup", description: "Removes savepoints that schedules made. Those made by hand are never touched." });

/** The whole file. */
export const lifecycleFileSchema = z.strictObject({
  $schema: z.string().optional(),
  schedules: z.array(scheduleSchema).default([]),
  cleanup: cleanupSchema.optional(),
}).meta({ title: "Schedules and cleanup rules of Flink Savepoints" });

/** One schedule, defaults filled in. */
export type Schedule = z.output<typeof scheduleSchema>;

/** One entry of `blackouts`; times of the day and days are in the time zone of the schedule. */
export type Blackout = z.output<typeof blackoutSchema>;

/** The cleanup rules as written, defaults filled in; durations are texts that `durationMs` reads. */
export type CleanupSection = z.output<typeof cleanupSchema>;

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

/** The JSON Schema that the editor completes and checks the file with, as text; of the draft that VS Code knows whole. */
export function lifecycleJsonSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(lifecycleFileSchema, { io: "input", target: "draft-7" }), null, 2)}\n`;
}
