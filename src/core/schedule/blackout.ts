import type { Blackout } from "../lifecycle/lifecycleFile";
import { readCron } from "./cron";
import { localMs } from "./cronRuns";

const dayMs = 86_400_000;

/** The blackout that an instant falls into, by the zone's clocks and calendar, or undefined. A time of the day counts from its first minute up to, without, its last. */
export function blackoutAt(instant: number, zone: string, blackouts: readonly Blackout[]): Blackout | undefined {
  if (blackouts.length === 0) return undefined;
  const local = localMs(instant, zone);
  return blackouts.find((blackout) => ("firstDay" in blackout ? isWithinDays(local, blackout) : isWithinHours(local, blackout)));
}

/** A blackout in words: `22:00 to 06:00 on SAT,SUN`. */
export function blackoutText(blackout: Blackout): string {
  if ("firstDay" in blackout) return blackout.firstDay === blackout.lastDay ? blackout.firstDay : `${blackout.firstDay} to ${blackout.lastDay}`;
  return `${blackout.from} to ${blackout.to}${blackout.days === undefined ? "" : ` on ${blackout.days}`}`;
}

function isWithinDays(local: number, { firstDay, lastDay }: Extract<Blackout, { readonly firstDay: string }>): boolean {
  const day = new Date(local).toISOString().slice(0, 10);
  return firstDay <= day && day <= lastDay;
}

function isWithinHours(local: number, { days, from, to }: Extract<Blackout, { readonly from: string }>): boolean {
  const minute = Math.floor((local % dayMs) / 60_000);
  const [first, last] = [minuteOf(from), minuteOf(to)];
  const beginsOn = (day: number): boolean => days === undefined || (readCron(`0 0 * * ${days}`).cron?.["day-of-week"].values.includes(weekday(day)) ?? false);
  if (first < last) return minute >= first && minute < last && beginsOn(local);
  return (minute >= first && beginsOn(local)) || (minute < last && beginsOn(local - dayMs));
}

function minuteOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
}

/** 1 = Monday … 7 = Sunday. */
function weekday(local: number): number {
  const day = new Date(local).getUTCDay();
  return day === 0 ? 7 : day;
}
