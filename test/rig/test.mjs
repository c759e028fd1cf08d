// npm test [-- RING...] [-- TEXT]: sets up, builds, and runs the rings one after another. Without a ring: check unit fuzz integration e2e ui.
// A word that names no ring narrows the run to test files whose name holds it. Each ring closes with "N passed, N failed" alone on a line,
// and so does the whole run.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { packageExtension } from "./package.mjs";
import { secondChance } from "./secondChance.mjs";
import { Failed, seconds, show, step } from "./processes.mjs";
import { build, buildJobs, cache, fail, repository, scratch, setUp } from "./setup.mjs";

const minutes = (count) => count * 60_000;
const special = /\.(long|matrix)\.test\.mjs$/;
const plain = (file) => file.endsWith(".test.mjs") && !special.test(file);

/** What each ring runs, and what it needs of the machine. `limitMs` is for one file; files of a ring with `again` get a second chance (secondChance.mjs). */
const rings = {
  check: { run: check },
  unit: { run: nodeTests, folders: ["unit"], files: plain, limitMs: minutes(5), parallel: true },
  fuzz: { run: nodeTests, folders: ["unit"], files: (file) => file.endsWith(".fuzz.mjs"), limitMs: minutes(10) },
  integration: { run: integration, workbench: true, java: true },
  e2e: { run: nodeTests, folders: ["e2e"], files: plain, limitMs: minutes(20), again: true, java: true, backends: true, paimon: true },
  ui: { run: nodeTests, folders: ["ui"], files: plain, limitMs: minutes(15), again: true, java: true, paimon: true, workbench: true, package: true },
  long: { run: nodeTests, folders: ["unit", "e2e", "ui"], files: (file) => file.endsWith(".long.test.mjs"), limitMs: minutes(180), java: true, paimon: true, workbench: true, package: true },
  pictures: { run: bench, folders: ["rig"], files: (file) => file === "readmePictures.mjs", workbench: true },
  matrix: { run: nodeTests, folders: ["e2e"], files: (file) => file.endsWith(".matrix.test.mjs"), limitMs: minutes(90), java: true },
  bench: { run: bench, folders: ["unit", "e2e", "ui"], files: (file) => file.endsWith(".bench.mjs"), java: true, backends: true, paimon: true, sql: true, workbench: true, package: true },
};
const everyRun = ["check", "unit", "fuzz", "integration", "e2e", "ui"];

async function main(args) {
  const began = Date.now();
  const named = args.filter((arg) => arg in rings);
  const chosen = named.length > 0 ? named : everyRun;
  const only = args.find((arg) => !(arg in rings)) ?? "";
  const needs = (what) => chosen.some((name) => rings[name][what] === true);

  const paths = await setUp({ workbench: needs("workbench"), java: needs("java") });
  const env = environment(paths, only);
  // A narrowed run leaves the pictures of the others, and of the tour.
  if (chosen.includes("ui") && only === "") rmSync(path.join(scratch, "pictures"), { recursive: true, force: true });
  if (chosen.some((name) => name !== "check")) await step("build", build);
  if (needs("java")) await step("jobs and Flink's jars", () => buildJobs(paths.java, { backends: needs("backends"), paimon: needs("paimon"), sql: needs("sql") }));

  const results = [];
  for (const name of chosen) {
    const start = Date.now();
    console.log(`\n${name}`);
    const counts = await outcome(async () => {
      if (rings[name].package) env.RIG_VSIX ??= await step("package", async () => (await packageExtension(path.join(scratch, "package"))).file);
      return rings[name].run(rings[name], name, env);
    });
    const tookMs = Date.now() - start;
    console.log(`${name} took ${seconds(tookMs)}`);
    console.log(closing(counts));
    results.push({ name, tookMs, ...counts });
  }
  const sum = { passed: total(results, "passed"), failed: total(results, "failed") };
  if (results.length > 1) {
    console.log(`\n${results.map((result) => `${result.name} ${seconds(result.tookMs)}${result.failed > 0 ? " FAILED" : ""}`).join(" · ")} · all ${seconds(Date.now() - began)}`);
    console.log(closing(sum));
  }
  process.exitCode = sum.failed > 0 ? 1 : 0;
}

const closing = ({ passed, failed }) => `${passed} passed, ${failed} failed`;
const total = (results, key) => results.reduce((sum, result) => sum + result[key], 0);

/** A ring that breaks is a failure of that ring; the others still run. */
async function outcome(work) {
  try {
    return await work();
  } catch (error) {
    console.error(error instanceof Failed ? error.message : error);
    return { passed: 0, failed: 1 };
  }
}

/** What tests find in their environment. */
function environment(paths, only) {
  return {
    RIG_DIR: scratch,
    RIG_CACHE: cache,
    ...(only === "" ? {} : { RIG_ONLY: only }),
    ...(paths.server === undefined ? {} : { RIG_WORKBENCH_NODE: paths.node, RIG_WORKBENCH_SERVER: paths.server, RIG_CHROME: paths.chrome }),
    ...(paths.java === undefined ? {} : { JAVA_HOME: paths.java }),
  };
}

/** Types and lint, each counted as one. */
async function check() {
  const bin = (name) => path.join(repository, "node_modules", ".bin", name);
  const types = await show(bin("tsc"), ["-b"], { cwd: repository });
  console.log(`${types === 0 ? "ok    " : "FAILED"}  types`);
  const lint = await show(bin("eslint"), ["."], { cwd: repository });
  console.log(`${lint === 0 ? "ok    " : "FAILED"}  lint`);
  const failed = Number(types !== 0) + Number(lint !== 0);
  return { passed: 2 - failed, failed };
}

async function nodeTests(ring, name, env) {
  const files = bundles(ring, env);
  if (files.length === 0) return none(env);
  const run = (some) => counted(name, env, (more) => show(process.execPath, [
    "--enable-source-maps", "--test", `--test-timeout=${ring.limitMs}`, ...(ring.parallel ? [] : ["--test-concurrency=1"]),
    `--test-reporter=${path.join(repository, "test", "rig", "reporter.mjs")}`, "--test-reporter-destination=stdout", ...some,
  ], { cwd: repository, env: more }));
  const counts = await run(files);
  return ring.again ? secondChance(counts, files, run) : counts;
}

async function integration(_ring, name, env) {
  const { runInHost } = await import("./integration.mjs");
  return counted(name, env, runInHost);
}

/** Each benchmark prints what it measured; it fails by its exit code. */
async function bench(ring, _name, env) {
  const files = bundles(ring, env);
  if (files.length === 0) return none(env);
  let failed = 0;
  for (const file of files) if (await show(process.execPath, ["--enable-source-maps", file], { cwd: repository, env }) !== 0) failed++;
  return { passed: files.length - failed, failed };
}

function bundles(ring, env) {
  return ring.folders.flatMap((folder) => {
    const root = path.join(repository, "dist", "test", folder);
    const names = existsSync(root) ? readdirSync(root, { recursive: true }).map(String) : [];
    return names.filter((file) => ring.files(file) && file.includes(env.RIG_ONLY ?? "")).sort().map((file) => path.join(root, file));
  });
}

/** Nothing to run is a failure: it is how a ring would be lost. */
function none(env) {
  console.log(env.RIG_ONLY === undefined ? "FAILED  there is no test" : `FAILED  no test file has "${env.RIG_ONLY}" in its name`);
  return { passed: 0, failed: 1 };
}

/** Runs something that leaves its counts in a file. Without a file, or with one from a run that did not end, the ring failed. */
async function counted(name, env, work) {
  const file = path.join(scratch, "counts", `${name}.json`);
  mkdirSync(path.dirname(file), { recursive: true });
  rmSync(file, { force: true });
  const code = await work({ ...env, RIG_COUNTS: file });
  const { passed, failed, files, ended } = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { passed: 0, failed: 0, ended: false };
  if (!ended) console.log("FAILED  the run did not come to its end");
  else if (passed + failed === 0) console.log("FAILED  there is no test");
  const silent = !ended || passed + failed === 0 || (failed === 0 && code !== 0);
  return { passed, failed: failed + Number(silent), files };
}

main(process.argv.slice(2)).catch(fail);
