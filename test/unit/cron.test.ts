import assert from "node:assert/strict";
import { test } from "node:test";
import { CronExpressionParser } from "cron-parser";
import { cronFields, readCron, withoutQuestionMarks, type Cron } from "../../src/core/schedule/cron";
import { cronRuns, effectiveRuns, firstOf, isTimeZone, shortestGapMs } from "../../src/core/schedule/cronRuns";
import { cronFaultText, cronMeaning } from "../../src/core/schedule/cronText";
import { quartzOf } from "../../src/core/schedule/quartz";
import { randomCron } from "./randomCron";
import { seeded } from "./seeded";

function valid(text: string): Cron {
  const { cron, faults } = readCron(text);
  assert.ok(cron !== undefined, `${text}: ${JSON.stringify(faults)}`);
  return cron;
}

/** `field code` of each fault. */
const faultsOf = (text: string): string[] => readCron(text).faults.map(({ field, code }) => `${field} ${code}`);
const runs = (text: string, zone: string, from: string, count: number): string[] => firstOf(count, cronRuns(valid(text), zone, Date.parse(from))).map((run) => new Date(run).toISOString().slice(0, 16));

test("each of the eleven examples means what its page says (A-20)", () => {
  const meanings: Readonly<Record<string, string>> = {
    "15 10 * * *": "At 10:15 every day",
    "0 12 * * *": "At 12:00 every day",
    "0 10,14,16 * * *": "At 10:00, 14:00 and 16:00 every day",
    "0/30 9-17 * * *": "Every 30 minutes, from 09:00 to 17:59 every day",
    "* 14 * * *": "Every minute, from 14:00 to 14:59 every day",
    "0-5 14 * * *": "Every minute from minute 0 to 5, from 14:00 to 14:59 every day",
    "0/5 14 * * *": "Every 5 minutes, from 14:00 to 14:59 every day",
    "0/5 14,18 * * *": "Every 5 minutes, in the hours 14 and 18 every day",
    "0 12 * * WED": "At 12:00 on every Wednesday",
    "15 10 15 * *": "At 10:15 on day 15 of the month",
    "10,44 14 * 3 WED": "At 14:10 and 14:44 on every Wednesday in March",
  };
  for (const [text, meaning] of Object.entries(meanings)) assert.equal(cronMeaning(valid(text)), meaning);
  assert.deepEqual(runs("0/30 9-17 * * *", "UTC", "2027-01-01T17:00:00Z", 2), ["2027-01-01T17:30", "2027-01-02T09:00"]);
});

test("runs less than ten minutes apart are declared as written and thinned out to ten minutes (A-10, A-11)", () => {
  const from = Date.parse("2027-01-01T13:00:00Z");
  const effective = (text: string, count: number): string[] => firstOf(count, effectiveRuns(cronRuns(valid(text), "UTC", from))).map((run) => new Date(run).toISOString().slice(8, 16));
  assert.deepEqual(effective("* 14 * * *", 7), ["01T14:00", "01T14:10", "01T14:20", "01T14:30", "01T14:40", "01T14:50", "02T14:00"]);
  assert.deepEqual(effective("0-5 14 * * *", 2), ["01T14:00", "02T14:00"]);
  assert.deepEqual(effective("0/5 14 * * *", 3), ["01T14:00", "01T14:10", "01T14:20"]);
  assert.deepEqual(effective("0/5 14,18 * * *", 7).slice(5), ["01T14:50", "01T18:00"]);
  const minutes = (text: string): number => shortestGapMs(valid(text)) / 60_000;
  assert.deepEqual(["*/10 * * * *", "*/9 * * * *", "*/7 * * * *", "0,55 * * * *", "0,59 0,23 * * *", "3,58 9,17 * * *", "0 12 * * *"].map(minutes), [10, 6, 4, 5, 1, 55, 1440]);
  // Both declared an hour apart, five minutes apart when the hour between is left out.
  const berlin = [...firstOf(2, cronRuns(valid("0,55 1,3 * * *"), "Europe/Berlin", Date.parse("2027-03-28T00:30:00Z")))];
  assert.equal((berlin[1] ?? 0) - (berlin[0] ?? 0), 5 * 60_000);
  assert.equal(firstOf(1, effectiveRuns(berlin)).length, 1);
});

test("steps, lists, ranges and names read as documented, overlaps and all (A-13, A-14, A-17, A-18)", () => {
  const values = (text: string, field: (typeof cronFields)[number]): readonly number[] => valid(text)[field].values;
  const minute = (text: string): readonly number[] => values(`${text} * * * *`, "minute");
  const week = (text: string): readonly number[] => values(`0 0 * * ${text}`, "day-of-week");
  assert.deepEqual(minute("0/15"), [0, 15, 30, 45]);
  assert.deepEqual(minute("3/20"), [3, 23, 43]);
  assert.deepEqual(minute("59/2"), [59]);
  assert.deepEqual(minute("5-20/5,7"), [5, 7, 10, 15, 20]);
  assert.deepEqual(minute("*/15,30"), [0, 15, 30, 45]);
  assert.deepEqual(minute("1-5,3"), [1, 2, 3, 4, 5]);
  assert.deepEqual(minute("1,1"), [1]);
  assert.deepEqual(week("MON,1"), [1]);
  assert.deepEqual(week("SUN,7"), [7]);
  assert.deepEqual(week("*/2"), [1, 3, 5, 7]);
  assert.deepEqual(week("1/2"), [1, 3, 5, 7]);
  assert.deepEqual(week("SAT-SUN"), [6, 7]);
  assert.deepEqual(week("fri-Sun"), [5, 6, 7]);
  assert.deepEqual(values("0 0 1 jan,FEB,12 *", "month"), [1, 2, 12]);
});

test("what is no such expression is refused on the field at fault, every fault at once (A-12 to A-16)", () => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    "": ["expression field-count"], "*": ["expression field-count"], "* * * *": ["expression field-count"], "0 * * * * *": ["expression field-count"],
    "0 0 12 * * ? 2027": ["expression field-count"], "   ": ["expression field-count"], "@daily": ["expression macro"],
    "*/90 * * * *": ["minute step"], "0/60 * * * *": ["minute step"], "0/0 * * * *": ["minute step"], "5/ * * * *": ["minute unreadable"],
    "0 0 * * 0": ["day-of-week out-of-range"], "0 0 * * 8": ["day-of-week out-of-range"], "60 24 0 13 *": ["minute out-of-range", "hour out-of-range", "day-of-month out-of-range", "month out-of-range"],
    "0 22-2 * * *": ["hour backwards"], "0 0 * * FRI-MON": ["day-of-week backwards"], "0 0 * * 7-2": ["day-of-week backwards"],
    "0 0 * * MONDAY": ["day-of-week unreadable"], "0 0 * JANUARY *": ["month unreadable"], "0 0 MON * *": ["day-of-month unreadable"],
    "0 0 30 2 *": ["day-of-month never"], "0 0 31 4,6 *": ["day-of-month never"],
    "0 0 ? * MON": ["day-of-month question-mark"], "0 0 L * *": ["day-of-month special"], "0 0 15W * *": ["day-of-month special"], "0 0 * * 5L": ["day-of-week special"],
    "0 0 * * 5#2": ["day-of-week special"], "0 0 LW * *": ["day-of-month special"], "H 0 * * *": ["minute unreadable"],
    "*,5 * * * *": ["minute star-in-list"], "*-5 * * * *": ["minute unreadable"],
  };
  for (const [text, expected] of Object.entries(cases)) assert.deepEqual(faultsOf(text), expected, text);
  for (const junk of ["1.5", "0x10", "1e1", "+5", "-1", "5-", ",5", "5,", "1,,2", "５", "1--2", "1/2/3", "1-2-3", "٣"]) assert.deepEqual(faultsOf(`${junk} * * * *`), ["minute unreadable"], junk);
  assert.deepEqual(faultsOf(`${"9".repeat(400)} * * * *`), ["minute unreadable"]);
  valid("0 0 30 2 1");
  assert.equal(withoutQuestionMarks("0 12 ? * MON"), "0 12 * * MON");
  assert.equal(withoutQuestionMarks("0 12 * * MON"), undefined);
  for (const text of Object.keys(cases)) for (const fault of readCron(text).faults) assert.match(cronFaultText(fault), /^[^\n]+\.$/);
});

test("both day fields restricted mean either, one of them alone means that one (A-19)", () => {
  assert.deepEqual(runs("0 12 1 * 5", "UTC", "2027-01-01T00:00:00Z", 3), ["2027-01-01T12:00", "2027-01-08T12:00", "2027-01-15T12:00"]);
  assert.deepEqual(runs("0 0 13 * 5", "UTC", "2027-01-01T12:00:00Z", 3), ["2027-01-08T00:00", "2027-01-13T00:00", "2027-01-15T00:00"]);
  assert.equal(runs("0 0 */1 * 5", "UTC", "2027-01-01T12:00:00Z", 1)[0], "2027-01-02T00:00");
  assert.deepEqual(runs("0 0 29 2 *", "UTC", "2027-01-01T00:00:00Z", 2), ["2028-02-29T00:00", "2032-02-29T00:00"]);
  assert.deepEqual(runs("0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", 1), ["2104-02-29T00:00"]);
});

test("a run that the clocks leave out comes later by the jump, and one that they repeat comes once unless it runs every hour", () => {
  assert.deepEqual(runs("30 2 * * *", "Europe/Berlin", "2027-03-27T12:00:00Z", 2), ["2027-03-28T01:30", "2027-03-29T00:30"]);
  assert.deepEqual(runs("0 2,3 * * *", "Europe/Berlin", "2027-03-27T12:00:00Z", 2), ["2027-03-28T01:00", "2027-03-29T00:00"]);
  assert.deepEqual(runs("30 2 * * *", "Europe/Berlin", "2027-10-30T12:00:00Z", 2), ["2027-10-31T00:30", "2027-11-01T01:30"]);
  assert.deepEqual(runs("*/30 * * * *", "Europe/Berlin", "2027-10-30T23:45:00Z", 5), ["2027-10-31T00:00", "2027-10-31T00:30", "2027-10-31T01:00", "2027-10-31T01:30", "2027-10-31T02:00"]);
  assert.deepEqual(runs("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", 2), ["2026-10-03T15:45", "2026-10-04T15:15"]);
  assert.deepEqual(runs("*/15 1 * * *", "Australia/Lord_Howe", "2027-04-03T14:00:00Z", 4), ["2027-04-03T14:15", "2027-04-03T14:30", "2027-04-03T14:45", "2027-04-04T14:30"]);
  assert.deepEqual(["Europe/Berlin", "UTC", "Nowhere/X", "+02:00", ""].map(isTimeZone), [true, true, false, false, false]);
});

const zones = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/Havana"];

test("10,000 random expressions run at the minutes that a look at every minute of sixty days finds, and 300 over five years, in six zones", () => {
  const random = seeded(20_261_121);
  const windows = zones.flatMap((zone) => ["2027-02-20", "2027-09-20"].map((day) => minutesOf(zone, Date.parse(`${day}T00:00:00Z`), 60)));
  for (let at = 0; at < 10_000; at++) compare(randomCron(random), windows[at % windows.length]);
  const years = zones.map((zone) => minutesOf(zone, Date.parse("2027-01-01T00:00:00Z"), 5 * 365));
  for (let at = 0; at < 300; at++) compare(randomCron(random), years[at % years.length]);
});

test("where cron-parser reads the same expression, both run at the same times", () => {
  const random = seeded(7);
  let compared = 0;
  for (let at = 0; at < 400; at++) {
    const cron = randomCron(random);
    const clean = cronFields.map((field) => (cron[field].restricted ? cron[field].values.join(",") : "*")).join(" ");
    const from = Date.parse("2027-01-15T00:00:00Z");
    const peer = CronExpressionParser.parse(clean, { currentDate: new Date(from), tz: "Asia/Tokyo" });
    assert.deepEqual(firstOf(20, cronRuns(cron, "Asia/Tokyo", from)), peer.take(20).map((date) => date.getTime()), cron.text);
    compared++;
  }
  assert.equal(compared, 400);
});

test("Quartz gets seconds, exactly one question mark, days by name, and two triggers where either day counts", () => {
  assert.deepEqual(quartzOf(valid("0 12 1 * 5")), ["0 0 12 1 * ?", "0 0 12 ? * FRI"]);
  assert.deepEqual(quartzOf(valid("0 12 * * 6-7")), ["0 0 12 ? * SAT,SUN"]);
  assert.deepEqual(quartzOf(valid("3/20 9-17 * JAN *")), ["0 3/20 9-17 * JAN ?"]);
});

/** Every minute of some days in a zone: its local time, and the local minutes that were left out with the instants that stand for them. */
interface Minutes {
  readonly zone: string;
  readonly from: number;
  readonly count: number;
  /** The local day of each minute, as a place in `days` (local midnights as if they were UTC). */
  readonly day: Uint16Array;
  /** Where the minutes of the same local day end. */
  readonly dayEnd: Uint32Array;
  readonly days: readonly number[];
  readonly minuteOfDay: Uint16Array;
  /** 1 where the local minute was there before. */
  readonly again: Uint8Array;
  readonly skipped: readonly { readonly local: number; readonly instant: number }[];
}

const dayMs = 86_400_000;

function minutesOf(zone: string, from: number, daysLong: number): Minutes {
  const format = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" });
  const localOf = (instant: number): number => {
    const [, day = "", month = "", year = "", hour = "", minute = ""] = /(\d+)\/(\d+)\/(\d+), (\d+):(\d+)/.exec(format.format(instant)) ?? [];
    return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute));
  };
  const count = daysLong * 1440;
  const local = new Float64Array(count);
  const again = new Uint8Array(count);
  const skipped: { local: number; instant: number }[] = [];
  let highest = -Infinity;
  for (let at = 0; at < count; at++) {
    const instant = from + at * 60_000;
    // Clocks change at quarters of an hour only.
    const now = at % 15 === 0 ? localOf(instant) : (local[at - 1] ?? 0) + 60_000;
    for (let missing = (local[at - 1] ?? now) + 60_000; missing < now; missing += 60_000) skipped.push({ local: missing, instant: instant + missing - ((local[at - 1] ?? 0) + 60_000) });
    local[at] = now;
    if (now <= highest) again[at] = 1;
    highest = Math.max(highest, now);
  }
  const first = Math.floor((local[0] ?? 0) / dayMs);
  const days = Array.from({ length: daysLong + 2 }, (_, at) => first + at);
  const dayEnd = new Uint32Array(count).fill(count);
  for (let at = count - 2; at >= 0; at--) dayEnd[at] = Math.floor((local[at] ?? 0) / dayMs) === Math.floor((local[at + 1] ?? 0) / dayMs) ? (dayEnd[at + 1] ?? 0) : at + 1;
  return {
    zone, from, count, again, skipped, dayEnd, days: days.map((each) => each * dayMs),
    day: Uint16Array.from(local, (each) => Math.floor(each / dayMs) - first), minuteOfDay: Uint16Array.from(local, (each) => (each % dayMs) / 60_000),
  };
}

function compare(cron: Cron, minutes: Minutes | undefined): void {
  assert.ok(minutes !== undefined);
  const sets = cronFields.map((field) => new Uint8Array(61).map((_, value) => Number(cron[field].values.includes(value))));
  const everyHour = cron.hour.text === "*";
  const either = cron["day-of-month"].text !== "*" && cron["day-of-week"].text !== "*";
  const { count, day, dayEnd, days, minuteOfDay, again, from, skipped, zone } = minutes;
  const dayFits = Uint8Array.from(days, (midnight) => {
    const date = new Date(midnight);
    const byMonth = sets[2]?.[date.getUTCDate()] === 1;
    const byWeek = sets[4]?.[((date.getUTCDay() + 6) % 7) + 1] === 1;
    return Number(sets[3]?.[date.getUTCMonth() + 1] === 1 && (either ? byMonth || byWeek : byMonth && byWeek));
  });
  const minuteFits = Uint8Array.from({ length: 1440 }, (_, minute) => Number(sets[1]?.[Math.floor(minute / 60)] === 1 && sets[0]?.[minute % 60] === 1));
  const fits = (local: number): boolean => dayFits[days.indexOf(Math.floor(local / dayMs) * dayMs)] === 1 && minuteFits[(local % dayMs) / 60_000] === 1;
  const expected: number[] = [];
  for (let at = 1; at < count; at++) {
    // A day that does not fit is left at once.
    if (dayFits[day[at] as number] === 0) at = Math.max(at, (dayEnd[at] as number) - 1);
    else if (minuteFits[minuteOfDay[at] as number] === 1 && (again[at] === 0 || everyHour)) expected.push(from + at * 60_000);
  }
  const late = skipped.filter((each) => fits(each.local)).map(({ instant }) => instant);
  const all = late.length === 0 ? expected : [...new Set([...expected, ...late])].sort((a, b) => a - b);
  let at = 0;
  for (const run of cronRuns(cron, zone, from)) {
    if (run >= from + count * 60_000) break;
    if (run !== all[at++]) assert.fail(`${cron.text} in ${zone}: ${new Date(run).toISOString()} instead of ${new Date(all[at - 1] ?? 0).toISOString()}`);
  }
  if (at !== all.length) assert.fail(`${cron.text} in ${zone}: ${all.length - at} runs are missing from ${new Date(all[at] ?? 0).toISOString()} on`);
}
