import { cronRanges, type Cron } from "./cron";

/**
 * The same runs as Quartz triggers (`CronExpression`), for the Flink Kubernetes Operator: seconds first, one of the day fields `?`, days of the
 * week by name because Quartz counts from Sunday. Both day fields restricted are two triggers, which together run on either; on a day that
 * both name, both run.
 */
export function quartzOf(cron: Cron): readonly string[] {
  const names = cronRanges["day-of-week"].names;
  const week = cron["day-of-week"].values.map((day) => names[day - 1] ?? "").join(",");
  const head = `0 ${cron.minute.text} ${cron.hour.text}`;
  // Behind a month's name Quartz reads neither a step nor a number.
  const month = /[-/]/.test(cron.month.text) ? cron.month.values.join(",") : cron.month.text.toUpperCase();
  const dayOfMonth = `${head} ${cron["day-of-month"].text} ${month} ?`;
  const dayOfWeek = `${head} ? ${month} ${week}`;
  if (!cron["day-of-week"].restricted) return [dayOfMonth];
  return cron["day-of-month"].restricted ? [dayOfMonth, dayOfWeek] : [dayOfWeek];
}
