import type { Cron } from "./cron";

/** No schedule runs more often than this; what is declared more often is thinned out. */
export const shortestIntervalMs = 10 * 60_000;

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** 29 February comes at the latest after eight years. */
const longestSearchDays = 366 * 9;

/** Offset of local time from UTC at an instant, milliseconds. */
type OffsetMs = (instant: number) => number;

/** True when the editor's calendar knows the time zone, such as `Europe/Berlin`. */
export function isTimeZone(zone: string): boolean {
  try {
    // An offset such as +02:00 is accepted by newer engines, but knows no daylight saving and no place.
    return /^[A-Za-z]/.test(zone) && new Intl.DateTimeFormat("en", { timeZone: zone }) !== undefined;
  } catch {
    return false;
  }
}

/**
 * The instants at which an expression runs in a time zone, strictly after `afterMs` (epoch milliseconds), one after the other without end. Where
 * clocks go forward, a run in the hour that is left out comes as much later as the clocks jump, and once with what runs then. Where clocks go
 * back, an expression with `*` for the hour runs in both passes of the hour, so that its spacing stays; any other in the first only.
 * `zone` must be one that `isTimeZone` knows.
 */
export function* cronRuns(cron: Cron, zone: string, afterMs: number): Generator<number, void, undefined> {
  const offset = offsetOf(zone);
  const minutesOfDay = cron.hour.values.flatMap((hour) => cron.minute.values.map((minute) => (hour * 60 + minute) * minuteMs));
  const local = afterMs + offset(afterMs);
  // A run that was put off over midnight belongs to the day before.
  let day = Math.floor(local / dayMs) * dayMs - dayMs;
  let last = afterMs;
  let pending: number[] = [];
  for (let idleDays = 0; idleDays < longestSearchDays; day += dayMs) {
    const runsToday = isDay(cron, day);
    idleDays = runsToday ? 0 : idleDays + 1;
    if (!runsToday && pending.length === 0) continue;
    const steady = steadyOffset(offset, day);
    if (runsToday && steady !== undefined) for (const minute of minutesOfDay) pending.push(day + minute - steady);
    else if (runsToday) pending = [...pending, ...minutesOfDay.flatMap((minute) => instantsOf(day + minute, offset, !cron.hour.restricted))].sort((a, b) => a - b);
    // What lies in the next day's time may mix with the next day's runs.
    const border = day + dayMs - offset(day + 2 * dayMs) - 3_600_000;
    let at = 0;
    for (; at < pending.length && (pending[at] ?? 0) < border; at++) {
      const instant = pending[at] ?? 0;
      if (instant <= last) continue;
      last = instant;
      yield instant;
    }
    pending = pending.slice(at);
  }
}

/**
 * What remains of `runs` when each comes at least ten minutes after the one before it that remains. `previousMs`: the last one that
 * remained before these, epoch milliseconds; `shortestMs`: another distance than ten minutes, for tests that can't wait.
 */
export function* effectiveRuns(runs: Iterable<number>, previousMs = -Infinity, shortestMs = shortestIntervalMs): Generator<number, void, undefined> {
  let last = previousMs;
  for (const run of runs) {
    if (run - last < shortestMs) continue;
    last = run;
    yield run;
  }
}

/** The first `count` of something without end. */
export function firstOf<T>(count: number, items: Iterable<T>): T[] {
  const found: T[] = [];
  if (count <= 0) return found;
  for (const item of items) {
    found.push(item);
    if (found.length >= count) break;
  }
  return found;
}

/** Milliseconds between the two runs of a day, or of one day and the next, that are closest: what the expression declares, whatever the clocks do. */
export function shortestGapMs(cron: Cron): number {
  const minutes = cron.hour.values.flatMap((hour) => cron.minute.values.map((minute) => hour * 60 + minute));
  const gaps = minutes.map((minute, at) => (minutes[at + 1] ?? (minutes[0] ?? 0) + 24 * 60) - minute);
  return Math.min(...gaps) * minuteMs;
}

/** Local time at an instant, as if it were UTC, epoch milliseconds. `zone` must be one that `isTimeZone` knows. */
export function localMs(instant: number, zone: string): number {
  return instant + offsetOf(zone)(instant);
}

/** The instant at which a zone's clocks show a local time (given as if it were UTC), both epoch milliseconds: the first of two, and where clocks jump over it, as much later. */
export function instantAt(wallMs: number, zone: string): number {
  return instantsOf(wallMs, offsetOf(zone), false)[0] ?? wallMs;
}

/** Does the expression run on the day that begins at `day` (local midnight as if it were UTC)? Both day fields restricted: either. */
function isDay(cron: Cron, day: number): boolean {
  const date = new Date(day);
  if (!cron.month.values.includes(date.getUTCMonth() + 1)) return false;
  const byMonth = cron["day-of-month"].values.includes(date.getUTCDate());
  const byWeek = cron["day-of-week"].values.includes(date.getUTCDay() === 0 ? 7 : date.getUTCDay());
  return cron["day-of-month"].restricted && cron["day-of-week"].restricted ? byMonth || byWeek : byMonth && byWeek;
}

/** The zone's offset, when it is the same all over the local day and around it. */
function steadyOffset(offset: OffsetMs, day: number): number | undefined {
  const before = offset(day - dayMs);
  return before === offset(day + 2 * dayMs) ? before : undefined;
}

/** The instants of a local time (given as if it were UTC): none becomes the one after the jump, two are both or the first. */
function instantsOf(wall: number, offset: OffsetMs, both: boolean): number[] {
  const before = offset(wall - dayMs);
  const after = offset(wall + dayMs);
  const valid = [...new Set([wall - before, wall - after])].filter((instant) => instant + offset(instant) === wall).sort((a, b) => a - b);
  if (valid.length === 0) return [wall - before];
  return both ? valid : valid.slice(0, 1);
}

/** What each zone was asked before; formatting a date is slow. */
const knownOffsets = new Map<string, OffsetMs>();

function offsetOf(zone: string): OffsetMs {
  const offset = knownOffsets.get(zone) ?? measuredOffset(zone);
  knownOffsets.set(zone, offset);
  return offset;
}

function measuredOffset(zone: string): OffsetMs {
  const format = new Intl.DateTimeFormat("en", {
    timeZone: zone, calendar: "iso8601", numberingSystem: "latn", hourCycle: "h23", era: "short",
    year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
  });
  const known = new Map<number, number>();
  return (instant) => {
    const quarter = Math.floor(instant / 900_000);
    const seen = known.get(quarter);
    if (seen !== undefined) return seen;
    const parts: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(quarter * 900_000)) parts[type] = Number(value);
    const wall = Date.UTC(parts["year"] ?? 0, (parts["month"] ?? 1) - 1, parts["day"] ?? 1, parts["hour"] ?? 0, parts["minute"] ?? 0, parts["second"] ?? 0);
    // Clocks change at full quarters of an hour only, so one look serves fifteen minutes.
    const found = wall - quarter * 900_000;
    if (known.size > 50_000) known.clear();
    known.set(quarter, found);
    return found;
  };
}
