// Brings a fresh clone to where it can build and test itself. Needs nothing but Node; a second run only looks. Each step that
// does something prints one line with its seconds. By itself: node test/rig/setup.mjs
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { withLock } from "./lock.mjs";
import { checkMachine, checkNode, Missing, provide } from "./machine.mjs";
import { Failed, run, step } from "./processes.mjs";
import { findWorkbench, installWorkbench, noWorkbench } from "./workbenchInstall.mjs";

/** The clone. */
export const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");
/** Scratch of test runs in the clone: pictures, logs, counts. */
export const scratch = path.join(repository, ".rig");
/** What is shared by all clones of one user: the workbench, a downloaded VS Code, Flink's jars. */
export const cache = path.join(homedir(), ".cache", "flink-savepoints");

/**
 * Installs what is missing and returns where things are: `{ java, maven, git, node, server, chrome }`, the first two with `java`, the last
 * three with `workbench`. Throws `Missing` when only a person can provide it.
 */
export async function setUp({ workbench = false, java = false } = {}) {
  checkNode();
  if (workbench && noWorkbench() !== undefined) throw new Missing(noWorkbench());
  const compile = workbench && findWorkbench(cache) === undefined;
  const names = ["git", "python", ...(java ? ["java", "maven"] : []), ...(workbench ? ["chrome"] : []), ...(compile ? ["compiler"] : [])];
  checkMachine(names);
  mkdirSync(scratch, { recursive: true });

  // Two clones that start together must not run apt twice.
  const tools = withLock(path.join(cache, "machine.lock"), () => provide(names));
  const [paths, place] = await allSettled([
    tools,
    workbench ? findWorkbench(cache) ?? withLock(path.join(cache, "workbench.lock"), () => findWorkbench(cache) ?? installWorkbench(cache, tools)) : {},
    installPackages(),
  ]);
  return { ...paths, ...place };
}

/** Bundles the extension, its tests and the tools of the rig. Two builds at once would write the same files. */
export async function build() {
  await withLock(path.join(scratch, "build.lock"), () => run(process.execPath, ["esbuild.mjs"], { cwd: repository }));
}

/**
 * Builds the sample job and the jobs of the tests, and fetches the Flink releases that every run uses: the default one and the last 1.x. With
 * `backends` also what runs and reads every state backend, with `paimon` what runs SQL and Paimon, with `sql` what asks SQL about a savepoint.
 */
export async function buildJobs(javaHome, { backends = false, paimon = false, sql = false } = {}) {
  const { backendReleases, buildJars, fetchBackends, fetchFlink, fetchPaimon, fetchSql, paimonReleases } = await import("./jars.mjs");
  const { properties } = JSON.parse(readFileSync(path.join(repository, "package.json"), "utf8")).contributes.configuration;
  const { default: newest, enum: known } = properties["flinkSavepoints.localFlink.version"];
  process.env.JAVA_HOME = javaHome;
  await withLock(path.join(scratch, "build.lock"), async () => {
    for (const version of [newest, known.find((each) => each.startsWith("1."))]) await fetchFlink(repository, version);
    if (backends) for (const version of backendReleases) await fetchBackends(repository, version);
    if (paimon) for (const version of paimonReleases) await fetchPaimon(repository, version);
    if (sql) await fetchSql(repository, newest);
    await buildJars(repository, { backends, paimon, sql });
  });
}

/** `npm ci` when package-lock.json is not the one that node_modules was made from. The mark lies in node_modules, so an interrupted `npm ci` leaves none. */
async function installPackages() {
  const file = path.join(repository, "node_modules", ".made-from");
  const wanted = `${createHash("sha256").update(readFileSync(path.join(repository, "package-lock.json"))).digest("hex")} ${process.platform}-${process.arch}`;
  const present = () => {
    try {
      return readFileSync(file, "utf8") === wanted;
    } catch {
      return false;
    }
  };
  if (present()) return;
  await withLock(path.join(scratch, "packages.lock"), async () => {
    if (present()) return;
    await step("packages (npm ci)", () => run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: repository }));
    writeFileSync(file, wanted);
  });
}

/** Waits for all before failing, so that no step goes on behind an error message. */
async function allSettled(works) {
  const results = await Promise.allSettled(works);
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return results.map((result) => result.value);
}

/** Ends the process for an error of the rig: exit code 2 when a person must provide something, else 1; a stack only for what is our own fault. */
export function fail(error) {
  console.error(error instanceof Missing || error instanceof Failed ? error.message : error);
  process.exit(error instanceof Missing ? 2 : 1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setUp({ workbench: true, java: true }).then((paths) => console.log(JSON.stringify(paths, null, 2)), fail);
