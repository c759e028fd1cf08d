#!/usr/bin/env node
/**
 * Flink's jars and our own: fetches a release into the cache that all tests share, and builds from source
 *
 *   dist/sample-job.jar   media/sampleJob, ships
 *   dist/test-job.jar     test/jobs/testjob
 *   dist/no-main.jar      the same classes without a main class in the manifest
 *
 * against the oldest Flink, so that one jar runs on all; and for reading metadata, with the jars of every state backend,
 *
 *   dist/state-job.jar    test/jobs/statejob, against the last 1.x
 *   dist/peer-1.20.5.jar  test/jobs/peer, Flink's own readers, against that release; so for the newest one
 *   dist/bench.jar        test/jobs/bench, large files and Flink's own reader timed, against the newest release
 *
 * and for Paimon
 *
 *   dist/paimon-job.jar   test/jobs/paimonjob, against the last 1.x with SQL and Paimon
 *
 * and for SQL on savepoints
 *
 *   dist/sql-peer.jar     test/jobs/sqlpeer, `savepoint_metadata` timed, against the newest release
 *
 * Does nothing when nothing changed.
 *
 *   node test/rig/jars.mjs [--backends] [--paimon] [--sql] [version …]     builds (all of them), after fetching these releases
 */
import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The release that jobs are compiled against. */
const oldestFlink = "1.15.4";

/** The releases that tests run with every state backend: the last 1.x and the newest. */
export const backendReleases = ["1.20.5", "2.3.0"];

/** The releases that tests run with Paimon. */
export const paimonReleases = ["1.20.5", "2.0.2"];

/** Flink's jars, one folder per version, shared by everything that is tested on this machine. */
export const cacheFolder = path.join(homedir(), ".cache", "flink-savepoints");

/** Fetches the jars of a Flink release, as the extension does; resolves to their paths. A report on standard output each ten percent. */
export async function fetchFlink(rootFolder, version, lists = "media/flink") {
  const { readJarList, prepareJars, createHttp } = await clients(rootFolder);
  const log = Object.fromEntries(["trace", "debug", "info", "warn", "error"].map((level) => [level, level === "warn" || level === "error" ? console.error : () => undefined]));
  const http = createHttp({ credentials: { get: async () => [] }, requestTimeoutMs: () => 30_000, log, readCa: async () => "" });
  let next = 0;
  const report = ({ message, percent = 0 }) => {
    if (percent < next) return;
    next = percent - (percent % 10) + 10;
    console.log(message);
  };
  const list = await readJarList(path.join(rootFolder, lists), version);
  const sources = { cacheFolder, mavenRepository: "", homeFolder: homedir(), env: process.env, http, log };
  return prepareJars(list, sources, { signal: new AbortController().signal, report });
}

/** Fetches a release with the jars of every state backend; resolves to the paths of all. */
export async function fetchBackends(rootFolder, version) {
  return [...(await fetchFlink(rootFolder, version)), ...(await fetchFlink(rootFolder, version, "test/rig/backends"))];
}

/** Fetches a release with SQL, a SQL Gateway and Paimon, the first also with a driver for catalogs in a database; resolves to the paths of all. */
export async function fetchPaimon(rootFolder, version) {
  if (version === paimonReleases[0]) await fetchFlink(rootFolder, version, "test/rig/jdbc");
  return [...(await fetchFlink(rootFolder, version)), ...(await fetchFlink(rootFolder, version, "test/rig/paimon"))];
}

/** Fetches a release with SQL and its functions on savepoints; resolves to the paths of all. */
export async function fetchSql(rootFolder, version) {
  return [...(await fetchFlink(rootFolder, version)), ...(await fetchFlink(rootFolder, version, "test/rig/sql"))];
}

/**
 * Builds the jars that are missing or older than their sources; resolves to what was built. With `backends` also those for reading metadata, with
 * `paimon` the job that writes Paimon's tables, with `sql` what asks SQL about a savepoint. Needs a JDK, not only a Java.
 */
export async function buildJars(rootFolder, { backends = false, paimon = false, sql = false } = {}) {
  const [last1, newest] = backendReleases;
  const sample = { sources: "media/sampleJob", mainClass: "orders.OrdersJob" };
  const test = { sources: "test/jobs/testjob", mainClass: "testjob.TestJob" };
  const ofBackends = [
    { jar: "state-job.jar", sources: "test/jobs/statejob", mainClass: "statejob.StateJob", backends: last1 },
    ...backendReleases.map((version) => ({ jar: `peer-${version}.jar`, sources: "test/jobs/peer", backends: version })),
    { jar: "bench.jar", sources: "test/jobs/bench", backends: newest },
  ];
  const wanted = [
    ...(backends ? ofBackends : []),
    ...(paimon ? [{ jar: "paimon-job.jar", sources: "test/jobs/paimonjob", mainClass: "paimonjob.PaimonJob", paimon: paimonReleases[0] }] : []),
    ...(sql ? [{ jar: "sql-peer.jar", sources: "test/jobs/sqlpeer", sql: newest }] : []),
    { jar: "sample-job.jar", ...sample },
    { jar: "test-job.jar", ...test },
    { jar: "no-main.jar", ...test, mainClass: undefined },
  ];
  const stampFile = path.join(rootFolder, "dist", "jars.json");
  const stamps = existsSync(stampFile) ? JSON.parse(readFileSync(stampFile, "utf8")) : {};
  const stale = wanted.filter((item) => !existsSync(path.join(rootFolder, "dist", item.jar)) || stamps[item.jar] !== stampOf(rootFolder, item));
  if (stale.length === 0) return [];
  mkdirSync(path.join(rootFolder, "dist"), { recursive: true });
  for (const item of stale) {
    const fetched = item.paimon !== undefined ? fetchPaimon(rootFolder, item.paimon)
      : item.sql !== undefined ? fetchSql(rootFolder, item.sql)
      : item.backends !== undefined ? fetchBackends(rootFolder, item.backends)
      : fetchFlink(rootFolder, oldestFlink);
    compile(rootFolder, item, await fetched);
    stamps[item.jar] = stampOf(rootFolder, item);
    writeFileSync(stampFile, JSON.stringify(stamps, null, 2));
  }
  return stale.map((item) => item.jar);
}

function compile(rootFolder, item, classpath) {
  const scratch = mkdtempSync(path.join(tmpdir(), "jars-"));
  try {
    const classes = path.join(scratch, "classes");
    const files = javaFiles(rootFolder, item.sources).map((file) => path.join(rootFolder, file));
    run("javac", ["--release", "11", "-encoding", "UTF-8", "-Xlint:all,-processing,-classfile,-serial", "-cp", classpath.join(path.delimiter), "-d", classes, ...files]);
    const jar = path.join(scratch, item.jar);
    run("jar", ["--create", "--file", jar, ...(item.mainClass === undefined ? [] : ["--main-class", item.mainClass]), "-C", classes, "."]);
    // Next to its target before it gets its name, since the scratch folder may be on another disk.
    const near = path.join(rootFolder, "dist", `.${item.jar}.${process.pid}`);
    writeFileSync(near, readFileSync(jar));
    renameSync(near, path.join(rootFolder, "dist", item.jar));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Changes when a source, the way of compiling or the compiler changes. */
function stampOf(rootFolder, item) {
  const hash = createHash("sha256").update(JSON.stringify(item)).update(readFileSync(fileURLToPath(import.meta.url))).update(javacVersion());
  for (const file of javaFiles(rootFolder, item.sources)) hash.update(file).update(readFileSync(path.join(rootFolder, file)));
  return hash.digest("hex");
}

function javaFiles(rootFolder, folder) {
  const names = readdirSync(path.join(rootFolder, folder), { recursive: true }).map(String);
  return names.filter((name) => name.endsWith(".java")).sort().map((name) => path.join(folder, name));
}

let version;
function javacVersion() {
  return (version ??= run("javac", ["-version"]));
}

/** A tool of the JDK in `JAVA_HOME`, else on the `PATH`. */
function run(tool, args) {
  const home = process.env.JAVA_HOME;
  const command = home !== undefined && existsSync(path.join(home, "bin", tool)) ? path.join(home, "bin", tool) : tool;
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    if (error.code === "ENOENT") throw new Error(`${tool} is missing: install a JDK, 11 or newer (Debian: apt-get install openjdk-17-jdk-headless).`);
    throw new Error(`${tool} failed:\n${error.stdout ?? ""}${error.stderr ?? error.message}`);
  }
}

/** The extension's own code that fetches jars, bundled for Node. */
async function clients(rootFolder) {
  const outfile = path.join(rootFolder, "dist", "rig", "clients.mjs");
  const contents = 'export { prepareJars, readJarList } from "./src/clients/localFlink/jars"; export { createHttp } from "./src/clients/http";';
  await build({ stdin: { contents, resolveDir: rootFolder, loader: "ts" }, outfile, bundle: true, platform: "node", target: "node20", format: "esm", logLevel: "warning" });
  return import(pathToFileURL(outfile).href);
}

if (process.argv[1] !== undefined && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
  const [backends, paimon, sql, versions] = [process.argv.includes("--backends"), process.argv.includes("--paimon"), process.argv.includes("--sql"), process.argv.slice(2).filter((arg) => !arg.startsWith("--"))];
  for (const wanted of versions) await fetchFlink(root, wanted);
  if (backends) for (const wanted of backendReleases) await fetchBackends(root, wanted);
  if (paimon) for (const wanted of paimonReleases) await fetchPaimon(root, wanted);
  if (sql) await fetchSql(root, backendReleases[1]);
  const built = await buildJars(root, { backends, paimon, sql });
  console.log(built.length === 0 ? "All jars are up to date." : `Built ${built.join(", ")}.`);
}
