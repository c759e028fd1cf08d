import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";

interface Counts { passed: number; failed: number; files?: Record<string, { passed: number; failed: number }> }

/** The rig must not lie: counts that are true, one setup at a time, nothing left behind. */
const rig = path.resolve("test", "rig");
const folder = mkdtempSync(path.join(tmpdir(), "flink-savepoints-rig-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("a file without a test, a skipped test, a crash and a failure in a suite count as failed, containers not at all", () => {
  const samples = {
    "ok.mjs": 'import { test, describe } from "node:test"; test("a", async (t) => { await t.test("b", () => {}); await t.test("c", () => {}); }); describe("d", () => { test("e", () => {}); });',
    "failed.mjs": 'import { test, describe } from "node:test"; describe("a", () => { test("b", () => { throw new Error("x"); }); });',
    "skipped.mjs": 'import { test } from "node:test"; test.skip("a", () => {}); test.todo("b", () => {});',
    "none.mjs": "export const nothing = 1;",
    "crash.mjs": 'throw new Error("at load");',
  };
  for (const [name, source] of Object.entries(samples)) writeFileSync(path.join(folder, name), source);
  const { status, counts } = reported(Object.keys(samples));
  assert.equal(status, 1);
  const files = { ok: { passed: 3, failed: 0 }, failed: { passed: 0, failed: 1 }, skipped: { passed: 0, failed: 2 }, none: { passed: 0, failed: 1 }, crash: { passed: 0, failed: 1 } };
  assert.deepEqual(counts, { passed: 3, failed: 5, files, ended: true });
});

test("tests that a module registers count for the file that has it do so, so that this file gets its second chance", () => {
  const samples = {
    "suite.mjs": 'import { describe, test } from "node:test"; export const suite = (fails) => describe("a", () => { test("b", () => { if (fails) throw new Error("x"); }); });',
    "fine.test.mjs": 'import { suite } from "./suite.mjs"; suite(false);',
    "wrong.test.mjs": 'import { suite } from "./suite.mjs"; suite(true);',
  };
  for (const [name, source] of Object.entries(samples)) writeFileSync(path.join(folder, name), source);
  const { counts } = reported(["--test-concurrency=1", "fine.test.mjs", "wrong.test.mjs"]);
  assert.deepEqual(counts, { passed: 1, failed: 1, files: { "fine.test": { passed: 1, failed: 0 }, "wrong.test": { passed: 0, failed: 1 } }, ended: true });
});

/** Runs test files of the folder under the reporter. */
function reported(args: readonly string[]): { status: number | null; counts: Counts } {
  const file = path.join(folder, "counts.json");
  const { status } = spawnSync(process.execPath, ["--test", `--test-reporter=${path.join(rig, "reporter.mjs")}`, "--test-reporter-destination=stdout", ...args], {
    cwd: folder,
    env: { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => name !== "NODE_TEST_CONTEXT")), RIG_COUNTS: file },
  });
  return { status, counts: JSON.parse(readFileSync(file, "utf8")) as Counts };
}

test("a file that failed has one second chance, what fails twice stays failed, and many that fail have none", async (t) => {
  // What it says is about files that are none.
  t.mock.method(console, "log", () => undefined);
  const { secondChance } = await import(pathToFileURL(path.join(rig, "secondChance.mjs")).href) as { secondChance: (counts: Counts, files: string[], run: (files: string[]) => Promise<Counts>) => Promise<Counts> };
  const bundles = ["a", "b", "c", "d"].map((name) => `/dist/${name}.test.mjs`);
  const once = { passed: 1, failed: 1 };
  const ran: string[] = [];
  const run = (files: string[]): Promise<Counts> => {
    ran.push(...files);
    return Promise.resolve(files[0]?.includes("/a.") === true ? { passed: 2, failed: 0 } : { passed: 1, failed: 1 });
  };
  assert.deepEqual(await secondChance({ passed: 5, failed: 2, files: { "a.test": once, "b.test": once, "c.test": { passed: 3, failed: 0 } } }, bundles, run), { passed: 6, failed: 1 });
  assert.deepEqual(ran, bundles.slice(0, 2));
  const all = { passed: 4, failed: 4, files: Object.fromEntries(["a", "b", "c", "d"].map((name) => [`${name}.test`, once])) };
  assert.deepEqual(await secondChance(all, bundles, run), { passed: 4, failed: 4 });
  assert.equal(ran.length, 2);
});

test("a lock lets one process in at a time and is taken over from a dead one", async () => {
  const lock = path.join(folder, "lock");
  const log = path.join(folder, "log");
  mkdirSync(lock);
  writeFileSync(path.join(lock, "owner.json"), JSON.stringify({ pid: spawnSync(process.execPath, ["-e", ""]).pid }));
  const source = `import { appendFileSync } from "node:fs"; import { withLock } from ${JSON.stringify(path.join(rig, "lock.mjs"))};
    await withLock(${JSON.stringify(lock)}, async () => { appendFileSync(${JSON.stringify(log)}, "in "); await new Promise((done) => setTimeout(done, 50)); appendFileSync(${JSON.stringify(log)}, "out "); });`;
  const codes = await Promise.all(Array.from({ length: 4 }, () => exitCode(spawn(process.execPath, ["--input-type=module", "-e", source]))));
  assert.deepEqual(codes, [0, 0, 0, 0]);
  assert.equal(readFileSync(log, "utf8"), "in out ".repeat(4));
  assert.equal(existsSync(lock), false);
});

test("what the guard runs ends with all it started, and its folder goes, when whoever started the guard is killed", async () => {
  const home = path.join(folder, "home");
  const pids = path.join(folder, "pids");
  mkdirSync(home);
  // A program that starts another one; both would run for a minute.
  const inner = "setTimeout(() => undefined, 60000)";
  const outer = `const child = require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(inner)}]); require("node:fs").writeFileSync(${JSON.stringify(pids)}, process.pid + " " + child.pid); ${inner}`;
  const starter = spawn(process.execPath, ["-e", `require("node:child_process").spawn(process.execPath, ${JSON.stringify([path.join(rig, "guard.cjs"), home, process.execPath, "-e", outer])}, { stdio: ["pipe", "ignore", "ignore"] }); ${inner}`]);
  await until(() => existsSync(pids) && readFileSync(pids, "utf8").includes(" "));
  const started = readFileSync(pids, "utf8").split(" ").map(Number);
  starter.kill("SIGKILL");
  await until(() => !started.some(isAlive) && !existsSync(home));
});

function exitCode(child: ReturnType<typeof spawn>): Promise<number | null> {
  return new Promise((resolve) => child.once("exit", resolve));
}

async function until(holds: () => boolean): Promise<void> {
  for (const start = Date.now(); !holds(); await sleep(20)) assert.ok(Date.now() - start < 10_000, "did not happen within 10 s");
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A process that nobody has waited for yet is no longer running.
    return process.platform !== "linux" || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
