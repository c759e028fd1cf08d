import assert from "node:assert/strict";
import { test } from "node:test";
import { main } from "../../src/cli/main";

/** The program with these arguments, in this process. */
async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await main(args, { out: (text) => out.push(text), write: (text) => Promise.resolve(void out.push(text)), err: (text) => err.push(text), signal: new AbortController().signal, workingFolder: process.cwd() });
  return { code, out: out.join("\n"), err: err.join("\n") };
}
const json = async (...args: string[]): Promise<{ code: number; report: Record<string, unknown> }> => {
  const { code, out } = await run("cron", ...args, "--json");
  return { code, report: JSON.parse(out) as Record<string, unknown> };
};
const declared = async (...args: string[]): Promise<unknown> => (await json(...args)).report["declaredRuns"];

test("cron --json has exactly the keys that it promises, valid or not, and its instants are ISO 8601 in UTC", async () => {
  const good = await json("*/5 3 * * *", "--from", "2026-11-29T00:00:00Z", "--count", "3", "--tz", "Europe/Berlin");
  assert.deepEqual(good, { code: 0, report: {
    valid: true, errors: [], description: "Every 5 minutes, from 03:00 to 03:59 every day",
    declaredRuns: ["2026-11-29T02:00:00.000Z", "2026-11-29T02:05:00.000Z", "2026-11-29T02:10:00.000Z"], effectiveRuns: ["2026-11-29T02:00:00.000Z", "2026-11-29T02:10:00.000Z", "2026-11-29T02:20:00.000Z"], quartz: ["0 */5 3 * * ?"],
  } });
  const bad = await json("60 * ? * 0");
  assert.deepEqual(bad, { code: 1, report: {
    valid: false, errors: [
      { field: "minute", message: "60 is outside 0 to 59." }, { field: "day-of-month", message: "? is not supported. Use * to leave a field to the others." }, { field: "day-of-week", message: "0 is no day. Days are 1 = Monday to 7 = Sunday." },
    ], description: "", declaredRuns: [], effectiveRuns: [], quartz: [],
  } });
});

test("an expression is told its fault also when it begins like an option, and whatever the field is", async () => {
  const faults: Readonly<Record<string, string>> = {
    "-1 * * * *": "minute", "-1-5 * * * *": "minute", "1.5 * * * *": "minute", "*/0 * * * *": "minute", "*/60 * * * *": "minute", "0 24 * * *": "hour", "0 22-2 * * *": "hour", "0 0 L * *": "day-of-month", "0 0 15W * *": "day-of-month",
    "0 0 30 2 *": "day-of-month", "0 0 * january *": "month", "0 0 * 0 *": "month", "0 0 * * 5#2": "day-of-week", "0 0 * * FRI-MON": "day-of-week", "": "expression", "0 0 0 * * *": "expression", "@daily": "expression", "* * * *": "expression",
  };
  for (const [text, field] of Object.entries(faults)) {
    const { code, report } = await json(text);
    assert.deepEqual([code, report["valid"], (report["errors"] as { field: string }[]).map((each) => each.field)], [1, false, [field]], text);
  }
});

test("--from is strict: a time with its offset, or without one in the zone that is asked for; a day that no calendar has is none", async () => {
  const midnight = ["0 0 * * *", "--count", "1"];
  assert.deepEqual(await declared(...midnight, "--tz", "Asia/Tokyo", "--from", "2026-01-01T00:00:01"), ["2026-01-01T15:00:00.000Z"], "a second after midnight in Tokyo");
  assert.deepEqual(await declared(...midnight, "--from", "2026-01-01"), ["2026-01-02T00:00:00.000Z"], "runs come after it");
  assert.deepEqual(await declared(...midnight, "--from", "2026-01-01T00:00:00+09:00"), ["2026-01-01T00:00:00.000Z"]);
  assert.deepEqual(await declared(...midnight, "--from", "2026-01-01 00:00:00.5-0330"), ["2026-01-02T00:00:00.000Z"]);
  assert.deepEqual(await declared("0 0 29 2 *", "--count", "2", "--from", "2027-01-01T00:00Z"), ["2028-02-29T00:00:00.000Z", "2032-02-29T00:00:00.000Z"]);
  for (const wrong of ["2026-02-30T00:00:00Z", "2026-13-01", "yesterday", "2026", "", "2026-01-01T25:00Z", "1e12"]) assert.equal((await run("cron", "0 0 * * *", "--from", wrong)).code, 2, wrong);
});

test("where clocks go forward a run in the hour that is left out comes later, where they go back it comes once unless it runs every hour", async () => {
  const berlin = ["--tz", "Europe/Berlin", "--count", "2"];
  assert.deepEqual(await declared("30 2 * * *", ...berlin, "--from", "2027-03-27T12:00:00Z"), ["2027-03-28T01:30:00.000Z", "2027-03-29T00:30:00.000Z"]);
  assert.deepEqual(await declared("0 2,3 * * *", ...berlin, "--from", "2027-03-27T12:00:00Z"), ["2027-03-28T01:00:00.000Z", "2027-03-29T00:00:00.000Z"]);
  assert.deepEqual(await declared("30 2 * * *", ...berlin, "--from", "2027-10-30T12:00:00Z"), ["2027-10-31T00:30:00.000Z", "2027-11-01T01:30:00.000Z"]);
  assert.deepEqual(await declared("30 * * * *", ...berlin, "--from", "2027-10-31T00:00:00Z"), ["2027-10-31T00:30:00.000Z", "2027-10-31T01:30:00.000Z"]);
  const { report } = await json("0,55 1,3 * * *", "--tz", "Europe/Berlin", "--from", "2027-03-28T00:00:00Z", "--count", "2");
  assert.deepEqual([report["declaredRuns"], (report["effectiveRuns"] as string[])[0]], [["2027-03-28T00:55:00.000Z", "2027-03-28T01:00:00.000Z"], "2027-03-28T00:55:00.000Z"]);
  assert.notEqual((report["effectiveRuns"] as string[])[1], "2027-03-28T01:00:00.000Z", "five minutes apart that night");
});

test("counts, zones and dialects that make no sense end with 2, and without a zone it is UTC", async () => {
  for (const args of [["--count", "10001"], ["--count", "-1"], ["--count", "1e3"], ["--count", "0x10"], ["--count", ""], ["--count=99999999999999999999"], ["--tz", "Nowhere/X"], ["--tz", "+02:00"], ["--tz", ""], ["--to", "unix"], ["more"]]) {
    const { code, out, err } = await run("cron", "0 0 * * *", ...args);
    assert.deepEqual([code, out], [2, ""], args.join(" "));
    assert.match(err, /^usage: /);
  }
  const { out } = await run("cron", "0 0 * * *", "--from", "2026-01-01", "--count", "1");
  assert.equal(out, "At 00:00 every day (UTC)\n  2026-01-02 00:00 UTC");
  assert.deepEqual((await run("cron", "0 0 13 * 5", "--to", "quartz")).out, "0 0 0 13 * ?\n0 0 0 ? * FRI");
  assert.deepEqual(await declared("0 0 * * *", "--count", "0"), []);
});
