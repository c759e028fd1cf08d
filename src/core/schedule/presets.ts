/** Schedules that people want most, the likeliest first. `name` is what such a schedule is called unless told otherwise. */
export const presets: readonly { readonly label: string; readonly cron: string; readonly name: string }[] = [
  { label: "Every day at 03:00", cron: "0 3 * * *", name: "nightly" },
  { label: "Every hour", cron: "0 * * * *", name: "hourly" },
  { label: "Every 6 hours", cron: "0 0/6 * * *", name: "every 6 hours" },
  { label: "Every 30 minutes", cron: "0/30 * * * *", name: "every 30 minutes" },
  { label: "Every 10 minutes", cron: "0/10 * * * *", name: "every 10 minutes" },
  { label: "Every week, Sunday at 03:00", cron: "0 3 * * SUN", name: "weekly" },
  { label: "Every month, on the 1st at 03:00", cron: "0 3 1 * *", name: "monthly" },
];
