import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { durationMs } from "../../src/core/lifecycle/duration";
import { lifecycleFileName } from "../../src/core/lifecycle/fileName";
import { lifecycleJsonSchema } from "../../src/core/lifecycle/lifecycleFile";
import { readLifecycleFile } from "../../src/core/lifecycle/readLifecycleFile";

const nightly = { name: "nightly", cluster: "http://flink:8081", job: "orders", cron: "0 3 * * *" };

/** `place: message` of each problem, the place as the text that it marks. */
function problemsOf(text: string): string[] {
  return readLifecycleFile(text).problems.map(({ offset, length, message, at }) => `${at} «${text.slice(offset, offset + length)}» ${message}`);
}

const fileOf = (...schedules: unknown[]): string => JSON.stringify({ schedules });

test("a schedule needs a name, a cluster, a job and a cron expression; the rest has its default", () => {
  const text = `// of the team\n{ "schedules": [ ${JSON.stringify(nightly)}, ], }`;
  const { schedules: [first], problems, cleanup } = readLifecycleFile(text);
  assert.deepEqual(problems, []);
  assert.equal(cleanup, undefined);
  assert.deepEqual(first?.schedule, { ...nightly, timeZone: "UTC", enabled: true, format: "canonical", description: "{schedule} of {date} {time}", blackouts: [], whenBusy: "wait", retries: 3 });
  assert.equal(text.slice(first?.cron.offset, (first?.cron.offset ?? 0) + (first?.cron.length ?? 0)), "0 3 * * *");
});

test("an entry that is wrong is left out with its place, and the others count", () => {
  const { schedules, problems } = readLifecycleFile(fileOf(nightly, { ...nightly, name: "hourly", cron: "0 * * *" }, { ...nightly, name: "weekly" }));
  assert.deepEqual(schedules.map(({ schedule, index }) => [schedule.name, index]), [["nightly", 0], ["weekly", 2]]);
  assert.equal(problems.length, 1);
});

test("each problem says what is wrong on the piece of text that is at fault (A-12 to A-16)", () => {
  const one = (change: object): string[] => problemsOf(fileOf({ ...nightly, ...change }));
  assert.deepEqual(one({ cron: "0 25 ? * MON" }), [
    "schedules[0].cron «25» 25 is outside 0 to 23.",
    "schedules[0].cron «?» ? is not supported. Use * to leave a field to the others.",
  ]);
  assert.deepEqual(one({ cron: "@daily" }), ['schedules[0].cron «"@daily"» @daily is not supported. Write the five fields, such as "0 12 * * *" for every day at 12:00.']);
  assert.deepEqual(one({ timeZone: "Berlin" }), ['schedules[0].timeZone «"Berlin"» timeZone must be a time zone such as Europe/Berlin or UTC.']);
  assert.deepEqual(one({ retrys: 3 }), ['schedules[0].retrys «"retrys"» retrys is not known here.']);
  assert.deepEqual(one({ retries: 6 }), ["schedules[0].retries «6» retries must be at most 5."]);
  assert.deepEqual(one({ retries: "many" }), ['schedules[0].retries «"many"» retries must be a number.']);
  assert.deepEqual(one({ format: "legacy" }), ['schedules[0].format «"legacy"» format must be one of canonical, native.']);
  assert.deepEqual(one({ job: " " }), ['schedules[0].job «" "» job must not be empty.']);
  assert.deepEqual(one({ job: undefined }), ["schedules[0].job «{» job is missing."]);
  assert.deepEqual(one({ directory: "savepoints" }), ['schedules[0].directory «"savepoints"» directory must be an absolute path or an address with a scheme, such as s3://bucket/savepoints.']);
  assert.match(one({ cluster: "http://user:secret@flink:8081" })[0] ?? "", /cluster must be an http:\/\/ or https:\/\/ address without user name and password/);
  assert.deepEqual(problemsOf(fileOf(nightly, nightly)), ['schedules[1].name «"nightly"» Another schedule of orders has this name too; this one does not count.']);
  assert.deepEqual(problemsOf(JSON.stringify({ schedule: [] })), ['schedule «"schedule"» schedule is not known here.']);
  assert.deepEqual(problemsOf('{"schedules": {}}'), ["schedules «{}» schedules must be an array."]);
  assert.deepEqual(problemsOf("[]"), [" «[]» The file must be an object."]);
});

test("a blackout is hours of days or days of the calendar, and what is wrong is told of the form that it is most like", () => {
  const one = (blackout: unknown): string[] => problemsOf(fileOf({ ...nightly, blackouts: [blackout] })).map((problem) => problem.replace("schedules[0].blackouts[0]", ""));
  assert.deepEqual(one({ from: "22:00", to: "06:00" }), []);
  assert.deepEqual(one({ days: "SAT,SUN", from: "00:00", to: "12:00" }), []);
  assert.deepEqual(one({ firstDay: "2026-12-24", lastDay: "2026-12-27" }), []);
  assert.deepEqual(one({ from: "22:00", to: "24:00" }), ['.to «"24:00"» to must be a time such as 22:30.']);
  assert.deepEqual(one({ days: "0", from: "22:00", to: "23:00" }), ['.days «"0"» 0 is no day. Days are 1 = Monday to 7 = Sunday.']);
  assert.deepEqual(one({ firstDay: "2026-02-30", lastDay: "2026-03-01" }), ['.firstDay «"2026-02-30"» firstDay must be a day such as 2026-12-24.']);
  assert.deepEqual(one({ firstDay: "2026-12-24", lastDay: "2026-12-23" }), ['.lastDay «"2026-12-23"» lastDay must not be before firstDay.']);
  assert.deepEqual(one({ firstDay: "2026-12-24" }), [".lastDay «{» lastDay is missing."]);
});

test("the quick fix writes * for each ?, where it stands (A-16)", () => {
  const text = fileOf({ ...nightly, cron: "0 12 ? * MON" });
  const fix = readLifecycleFile(text).problems[0]?.fix;
  assert.ok(fix !== undefined);
  const mended = text.slice(0, fix.offset) + fix.text + text.slice(fix.offset + fix.length);
  assert.equal(readLifecycleFile(mended).schedules[0]?.schedule.cron, "0 12 * * MON");
});

test("cleanup rules are off unless switched on, and with a problem in them none of them counts", () => {
  const cleanup = (value: unknown): unknown => readLifecycleFile(JSON.stringify({ cleanup: value })).cleanup;
  assert.deepEqual(cleanup({}), { enabled: false, undo: "24h", default: {}, jobs: [] });
  assert.deepEqual(cleanup({ enabled: true, default: { keep: 10 }, jobs: [{ job: "orders", maxAge: "7d" }] }), { enabled: true, undo: "24h", default: { keep: 10 }, jobs: [{ job: "orders", maxAge: "7d", enabled: true }] });
  assert.equal(cleanup({ enabled: true, default: { keep: 0 } }), undefined);
  assert.deepEqual(problemsOf(JSON.stringify({ cleanup: { default: { maxAge: "30m" } } })), ['cleanup.default.maxAge «"30m"» maxAge must be at least 1h.']);
  assert.deepEqual(problemsOf(JSON.stringify({ cleanup: { undo: "soon" } })), ['cleanup.undo «"soon"» undo must be a duration such as 90m, 36h or 7d.']);
  assert.deepEqual(problemsOf(JSON.stringify({ cleanup: { jobs: [{ job: "a" }, { job: "a", keep: 1 }] } })), ['cleanup.jobs[1] «{"job":"a","keep":1}» a has rules above already.']);
  assert.deepEqual(["0", "90m", "36h", "7d", "", "7", "-1d", "1w", "1.5h"].map(durationMs), [0, 5_400_000, 129_600_000, 604_800_000, undefined, undefined, undefined, undefined, undefined]);
});

test("a file that is empty says nothing, and of one that is no JSON nothing counts", () => {
  for (const text of ["", "  \n", "{}", "{ /* nothing yet */ }"]) assert.deepEqual(readLifecycleFile(text), { schedules: [], cleanup: undefined, problems: [] }, text);
  const cut = fileOf(nightly).slice(0, -3);
  for (const text of [cut, "{", "nonsense", "\u0000", `${"[".repeat(400_000)}`, `{"schedules":${" ".repeat(1_000_001)}[]}`]) {
    const { schedules, problems } = readLifecycleFile(text);
    assert.deepEqual(schedules, []);
    assert.equal(problems.length, 1, text.slice(0, 50));
    assert.match(problems[0]?.message ?? "", /^[A-Z].*\.$/);
  }
});

test("the editor is told of the file by its name", () => {
  const manifest = JSON.parse(readFileSync(path.join(process.cwd(), "package.json"), "utf8")) as { contributes: { jsonValidation: { fileMatch: string; url: string }[] } };
  const [contributed] = manifest.contributes.jsonValidation;
  assert.equal(contributed?.fileMatch, lifecycleFileName);
  assert.equal(readFileSync(path.join(process.cwd(), contributed.url), "utf8"), lifecycleJsonSchema());
});
