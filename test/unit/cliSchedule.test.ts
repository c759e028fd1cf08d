import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { until } from "../rig/flink";
import { programFile, runProgram } from "./program";

const folder = mkdtempSync(path.join(tmpdir(), "flink-savepoints-cli-schedule-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const nightly = { name: "nightly", cluster: "http://localhost:1", job: "orders", cron: "0 3 * * *", timeZone: "Europe/Berlin" };

function fileWith(name: string, content: unknown): string {
  const file = path.join(folder, name);
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content, null, 2));
  return file;
}

test("schedule check tells each problem with line and column, and ends with 1; a file without one ends with 0", async () => {
  const wrong = fileWith("wrong.json", { schedules: [{ ...nightly, cron: "0 3 ? * 8" }, nightly] });
  const { code, out, err } = await runProgram(["schedule", "check", wrong]);
  assert.deepEqual([code, out], [1, ""]);
  assert.deepEqual(err.trim().split("\n"), [`${wrong}:7:20: ? is not supported. Use * to leave a field to the others.`, `${wrong}:7:24: 8 is outside 1 to 7.`]);
  const right = await runProgram(["schedule", "check", fileWith("right.json", { schedules: [nightly] })]);
  assert.deepEqual([right.code, right.err], [0, ""]);
  assert.match(right.out, /right\.json: 1 schedule, nothing wrong/);
  const ruled = await runProgram(["schedule", "check", fileWith("ruled.json", { cleanup: { default: { keep: 2 } } })]);
  assert.match(ruled.out, /ruled\.json: 0 schedules, cleanup rules \(not enabled\), nothing wrong/);
});

test("schedule next tells the runs in the schedule's zone, without an argument of the file in the working folder (A-22)", async () => {
  fileWith("flink-savepoints.json", { schedules: [{ ...nightly, cron: "* * * * *", blackouts: [{ from: "00:00", to: "00:00" }] }] });
  const { code, out, err } = await runProgram(["schedule", "next", "--count", "3"], { cwd: folder });
  assert.equal(code, 0);
  assert.match(err, /^warning: nightly declares runs less than 10 minutes apart/);
  assert.match(out, /^nightly {2}orders on http:\/\/localhost:1\n {2}Every minute \(Europe\/Berlin\)\n( {4}\d{4}-\d\d-\d\d \d\d:\d\d GMT\+[12] {2}left out: blackout 00:00 to 00:00\n){3}$/);
});

test("arguments that make no sense, a file that is not there, and secrets that others can read end with 2", async () => {
  const right = fileWith("right.json", { schedules: [nightly] });
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["schedule"], /^usage: check, next or run is missing/], [["schedule", "start"], /no start/], [["schedule", "check", right, "--count", "3"], /--count belongs to next/], [["schedule", "next", "--state", "x"], /belong to run/],
    [["schedule", "run", right, "--state", ""], /--state takes a folder, and is empty/], [["schedule", "run", right, "--credentials="], /--credentials takes a file, and is empty/],
    [["schedule", "run", "--cluster", "prod"], /--cluster takes a name and its address/], [["schedule", "check", path.join(folder, "none.json")], /^file-unreadable: /],
    [["schedule", "run", right, "--credentials", fileWith("open.json", { "http://localhost:1": { token: "hidden" } })], /^setting-invalid: .*chmod 600/],
  ];
  for (const [args, says] of cases) {
    const { code, err } = await runProgram(args);
    assert.equal(code, 2, args.join(" "));
    assert.match(err, says);
  }
  const broken = fileWith("broken.json", '{ "http://localhost:1": { "token": "hidden" ');
  chmodSync(broken, 0o600);
  const { code, out, err } = await runProgram(["schedule", "run", right, "--credentials", broken]);
  assert.equal(code, 2);
  assert.ok(!`${out}${err}`.includes("hidden"), err);
});

test("schedule run tells what runs next and which cluster does not answer, sends credentials to their origin only, never tells them, and ends in peace when it is told to", async () => {
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(503).end();
  }).listen(0);
  const address = `http://localhost:${(server.address() as AddressInfo).port}`;
  const file = fileWith("run.json", { schedules: [{ ...nightly, cluster: address, cron: "* * * * *" }, { ...nightly, cluster: "prod" }] });
  const secrets = fileWith("secrets.json", { [address]: { token: "hidden-token" }, "http://elsewhere:1": { token: "other-token" } });
  chmodSync(secrets, 0o600);
  const state = path.join(folder, "state");
  const child = spawn(process.execPath, [programFile, "schedule", "run", file, "--credentials", secrets, "--state", state], { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  child.stdout.on("data", (data: Buffer) => (text += data.toString()));
  child.stderr.on("data", (data: Buffer) => (text += data.toString()));
  const ended = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  const lease = (): boolean => existsSync(path.join(state, "schedules")) && readdirSync(path.join(state, "schedules")).some((name) => name.endsWith(".lease"));
  await until("its first lines and its lease", () => Promise.resolve(text.includes("can't be asked now") && lease()), 60_000);
  child.kill("SIGTERM");
  assert.equal(await ended, 0, text);
  server.close();
  assert.match(text, /runs 1 of 2 schedules/);
  assert.match(text, /info schedule “nightly” of orders runs next \d{4}-\d\d-\d\d \d\d:\d\d GMT\+[12]\n/);
  assert.ok(text.includes(`warn ${address} can't be asked now, and is asked again when a schedule is due: `), text);
  assert.match(text, /warn schedule “nightly” of orders does not run: No cluster is known here as prod: give its address with --cluster prod=ADDRESS\./);
  assert.ok(!text.includes("hidden-token") && !text.includes("other-token"));
  assert.ok(seen.every((header) => header === undefined || header === "Bearer hidden-token"));
  assert.ok(lease());
});

test("cleanup tells arguments that make no sense, and with no rule or an open problem says so; a file with a problem in its rules removes nothing", async () => {
  const right = fileWith("cleanup.json", { schedules: [nightly], cleanup: { enabled: true, default: { keep: 2 } } });
  const state = path.join(folder, "cleanup-state");
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["cleanup"], /^usage: preview, agree, withdraw, run, undo, pin or unpin is missing/], [["cleanup", "delete"], /no delete/], [["cleanup", "preview", right, "--seen", "x"], /--seen belongs to run/], [["cleanup", "undo", "--state", state], /id of what is to be put back is missing/],
    [["cleanup", "undo", "none", "--state", state], /No savepoint has the id none/], [["cleanup", "pin", "--state", state], /path of the savepoint to pin is missing/], [["cleanup", "run", path.join(folder, "none.json")], /^file-unreadable: /], [["cleanup", "run", right, "--state", state, "--warehouse", "s3://bucket/w"], /^file-unreadable: /],
  ];
  for (const [args, says] of cases) {
    const { code, err } = await runProgram(args);
    assert.equal(code, 2, args.join(" "));
    assert.match(err, says);
  }
  const none = await runProgram(["cleanup", "run", fileWith("cleanup-none.json", { schedules: [nightly] }), "--state", state]);
  assert.deepEqual([none.code, none.out], [0, "No job has cleanup rules here.\n"]);
  const nameless = { ...nightly, cluster: "prod" };
  const unknown = await runProgram(["cleanup", "preview", fileWith("cleanup-unknown.json", { schedules: [nameless, { ...nameless, name: "twice" }], cleanup: { enabled: true, default: { keep: 2 } } }), "--state", state]);
  assert.deepEqual([unknown.code, unknown.err], [1, "No cluster is known here as prod: give its address with --cluster prod=ADDRESS.\n"]);
  const noRule = await runProgram(["cleanup", "preview", fileWith("cleanup-no-rule.json", { schedules: [nameless] }), "--state", state]);
  assert.deepEqual([noRule.code, noRule.err], [0, ""]);
  const away = await runProgram(["cleanup", "run", right, "--state", state, "--json"]);
  const [job] = (JSON.parse(away.out) as { jobs: { job: string; held: string; victims: unknown[]; error: { code: string } }[] }).jobs;
  assert.deepEqual([away.code, job?.job, job?.error.code, job?.victims], [1, "orders", "cluster-unreachable", []]);
  const wrong = await runProgram(["cleanup", "run", fileWith("cleanup-wrong.json", { schedules: [nightly], cleanup: { enabled: true, default: { keep: 0 } } }), "--state", state]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /cleanup-wrong\.json:\d+:\d+: keep must be at least 1/);
});
