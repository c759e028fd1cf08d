import { folderName } from "./model/location";

/** Texts for sizes, times and names, in one order and one spelling everywhere. */

/** Binary units, one decimal: `4.2 GB` (1 GB = 1024 MB), `812 B`. */
export function sizeText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let value = Math.max(0, bytes);
  let unit = 0;
  // 1023.96 would be rounded to 1024.0.
  while (value >= (unit === 0 ? 1024 : 1023.95) && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${Math.round(value)} B` : `${value.toFixed(1)} ${units[unit]}`;
}

/** A duration as a clock: `0:41`, `12:03`, `1:02:03`; below a second in milliseconds. */
export function durationText(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  if (whole < 1000) return `${whole} ms`;
  const seconds = Math.floor(whole / 1000);
  const two = (n: number): string => String(n).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes}:${two(seconds % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** A span in one word: `12 s`, `3 min`, `4 h`, `9 d`. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

/** How long ago: `12 s ago`. */
export function ageText(thenMs: number, nowMs: number): string {
  return `${spanText(nowMs - thenMs)} ago`;
}

let times: Intl.DateTimeFormat | undefined;

/**
 * The exact local time with its zone, wherever a time is written out and in every language alike: `2026-11-30 03:00:12 GMT+1`, as the next runs of
 * schedules are. One formatter: `toLocaleString` makes one each time, which takes as long as a whole row of a table.
 */
export function timeText(atMs: number): string {
  times ??= new Intl.DateTimeFormat("sv", { dateStyle: "short", timeStyle: "medium" });
  return `${times.format(atMs)} ${zoneText(-new Date(atMs).getTimezoneOffset())}`;
}

/** An offset from UTC, minutes: `UTC`, `GMT+1`, `GMT-3:30`. */
function zoneText(offsetMinutes: number): string {
  const minutes = Math.abs(offsetMinutes);
  if (minutes === 0) return "UTC";
  return `GMT${offsetMinutes < 0 ? "-" : "+"}${Math.floor(minutes / 60)}${minutes % 60 === 0 ? "" : `:${String(minutes % 60).padStart(2, "0")}`}`;
}

/** What a savepoint is called: its checkpoint number, or its folder while that is unknown. */
export function savepointName(savepoint: { readonly checkpointId: number | null; readonly path: string | null }): string {
  if (savepoint.checkpointId !== null) return `#${savepoint.checkpointId}`;
  return savepoint.path === null ? "savepoint" : folderName(savepoint.path);
}

/** The first six digits of a job id, as in a savepoint's folder name. */
export function shortId(jobId: string): string {
  return jobId.slice(0, 6);
}

/** A whole number with a comma after each three digits; by hand, since the first use of a locale costs a short-lived process a tenth of its time. */
export function numberText(count: number): string {
  return String(count).replace(/\d(?=(?:\d{3})+$)/g, "$&,");
}

/** One of several things: `1 job`, `12 jobs`. */
export function countText(count: number, noun: string): string {
  return `${numberText(count)} ${noun}${count === 1 ? "" : "s"}`;
}
