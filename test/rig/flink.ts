import { execFile } from "node:child_process";
import * as fs from "node:fs/promises";
import { openAsBlob } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { createHttp } from "../../src/clients/http";
import { prepareJars, readJarList } from "../../src/clients/localFlink/jars";
import { configFolderOf, launchProcess } from "../../src/clients/localFlink/launch";
import { createLocalFlink } from "../../src/clients/localFlink/localFlink";
import { processesOf, signalProcess } from "../../src/clients/localFlink/processTable";
import { StateFile } from "../../src/clients/localFlink/stateFile";
import { systemClock } from "../../src/core/base/async";
import { jarName, type JarList } from "../../src/core/localFlink/jarList";
import { javaFlags, type Role } from "../../src/core/localFlink/java";
import type { Log, Run } from "../../src/core/ports";

/** The oldest Flink with CALL, which knows arguments by their places only, with the oldest Paimon that it takes: 0.8. Long tests run its SQL Gateway. */
export const oldestPaimonFlink = "1.18.1";

/** Flink's jars, shared by all tests and the same as in `jars.mjs`. */
export const cacheFolder = path.join(homedir(), ".cache", "flink-savepoints");

/** Notes nothing but warnings and errors. */
export const quietLog: Log = { trace: () => undefined, debug: () => undefined, info: () => undefined, warn: console.warn, error: console.error };

/** A run that nobody cancels and nobody watches. */
export function unwatched(signal: AbortSignal = new AbortController().signal): Run {
  return { signal, report: () => undefined };
}

/** An HTTP client without credentials. */
export function plainHttp(log: Log = quietLog): ReturnType<typeof createHttp> {
  return createHttp({ credentials: { get: () => Promise.resolve([]) }, requestTimeoutMs: () => 30_000, log, readCa: (file) => fs.readFile(file, "utf8") });
}

/** The repository's folder: the nearest one upwards from the working directory that holds the jar lists. */
export async function rootFolder(): Promise<string> {
  for (let folder = process.cwd(); ; folder = path.dirname(folder)) {
    if (await fs.stat(path.join(folder, "media", "flink")).then(() => true, () => false)) return folder;
    if (folder === path.dirname(folder)) throw new Error(`The working directory ${process.cwd()} is not in the repository.`);
  }
}

/** How to start a Flink for a test. */
export interface TestFlinkOptions {
  /** Wanted REST port, default a random one between 20000 and 30000; the next free one is taken. */
  readonly port?: number;
  /** Wins over ours; an empty value removes a key. */
  readonly extraConfig?: Readonly<Record<string, string>>;
  /** With RocksDB, the changelog, Avro and (2.x) ForSt; for the releases in `test/rig/backends`. */
  readonly backends?: boolean;
  /** With SQL and Paimon; for the releases in `test/rig/paimon`. A text: another Paimon than the list's, of `test/rig/paimon/bundles`. */
  readonly paimon?: boolean | string;
}

/** How to run a job: `savepointPath` restores it. */
export interface RunOptions {
  readonly jar?: string;
  readonly entryClass?: string;
  readonly savepointPath?: string;
  readonly parallelism?: number;
  readonly allowNonRestoredState?: boolean;
  /** `NO_CLAIM` when absent. */
  readonly claimMode?: string;
}

/** Arguments of the test job by name, see `test/jobs/testjob/TestJob.java`; a list repeats its key. */
export type JobArguments = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** A running Flink: one JobManager, one TaskManager with eight slots, all in a temporary folder. */
export interface TestFlink {
  readonly url: string;
  readonly version: string;
  readonly folder: string;
  /** Absolute paths. */
  readonly savepointDir: string;
  readonly checkpointDir: string;
  readonly jarPath: string;
  /** Flink's own configuration, and the jars it runs with. */
  readonly configFolder: string;
  readonly jars: readonly string[];
  readonly java: string;
  /** Asks the REST API; rejects with status and text when that is not 2xx. The answer is parsed JSON and taken for a `T` unchecked. */
  rest<T>(method: "GET" | "POST" | "PATCH" | "DELETE", route: string, body?: object): Promise<T>;
  /** Uploads a jar (default: the test job) and resolves to its id; once per jar. */
  upload(jar?: string): Promise<string>;
  /** Runs the test job with `control` pointing at this Flink's control folder, and resolves to the job's id. */
  runTestJob(args?: JobArguments, options?: RunOptions): Promise<string>;
  /** Waits until the job and all its tasks run. */
  waitUntilRunning(jobId: string, timeoutMs?: number): Promise<void>;
  /** Waits until the job has this state. */
  waitForState(jobId: string, state: string, timeoutMs?: number): Promise<void>;
  /** Takes a savepoint (or stops with one) as any client would; resolves to its location. */
  savepoint(jobId: string, kind?: "savepoints" | "stop", body?: object): Promise<string>;
  /** Creates a control file, see `Controls.java`; `undefined` removes it. */
  control(name: string, content: string | undefined): Promise<void>;
  /** A folder for the test job's `out`. */
  outFolder(name: string): string;
  /** SIGKILL, and waits until it is gone. */
  killJobManager(): Promise<void>;
  killTaskManager(): Promise<void>;
  /** Starts it again on the same port; resolves when REST answers. Jobs are gone, as always without high availability. */
  startJobManager(): Promise<void>;
  /** Starts it again; resolves when its slots are offered. */
  startTaskManager(): Promise<void>;
  /** Flink's own command line (`CliFrontend`), pointed at this cluster. */
  cli(...args: readonly string[]): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }>;
  /** Kills both processes and removes the folder. */
  stop(): Promise<void>;
}

/** Starts a Flink for a test in about three seconds. It also ends with this process, unless that is killed. */
export async function startFlink(version: string, options: TestFlinkOptions = {}): Promise<TestFlink> {
  const root = await rootFolder();
  const folder = await fs.mkdtemp(path.join(tmpdir(), `flink-${version}-`));
  const added = [...(options.backends === true ? ["test/rig/backends"] : []), ...(options.paimon === undefined || options.paimon === false ? [] : ["test/rig/paimon"])];
  const listsFolder = await mergedLists(root, version, folder, added, typeof options.paimon === "string" ? options.paimon : undefined);
  const local = createLocalFlink({ folder, cacheFolder, listsFolder, clock: systemClock, log: quietLog, http: plainHttp() });
  const port = options.port ?? 20_000 + Math.floor(Math.random() * 10_000);
  const extraConfig = {
    // Crashes are noticed soon, and uploaded jars survive the JobManager.
    "heartbeat.interval": "2000",
    "heartbeat.timeout": "10000",
    "web.upload.dir": path.join(folder, "upload"),
    ...options.extraConfig,
  };
  const running = await local.start({ version, port, javaHome: "", mavenRepository: "", keep: false, extraConfig }, unwatched());
  const { state } = await new StateFile(folder).read();
  if (state === undefined) throw new Error("No state was written.");
  const { instance } = state;
  const jars = (await readJarList(listsFolder, version)).jars.map((jar) => path.join(cacheFolder, version, "lib", jarName(jar)));
  const pids = new Set((await processesOf(instance)).map((row) => row.pid));
  const killAll = (): void => {
    for (const pid of pids) signalProcess(pid, "SIGKILL", true);
  };
  process.once("exit", killAll);

  const uploaded = new Map<string, Promise<string>>();
  const controlFolder = path.join(folder, "control");
  await fs.mkdir(controlFolder);

  const rest = async <T>(method: string, route: string, body?: object): Promise<T> => {
    const init = body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    const response = await fetch(`${running.url}${route}`, { method, redirect: "manual", ...init });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${route}: ${response.status} ${text.slice(0, 2000)}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  };
  const kill = async (role: Role): Promise<void> => {
    const all = (await processesOf(instance)).filter((row) => row.role === role);
    for (const row of all) {
      signalProcess(row.pid, "SIGKILL", true);
      pids.delete(row.pid);
    }
    await until(`the ${role} to end`, async () => !(await processesOf(instance)).some((row) => row.role === role));
  };
  const launch = async (role: Role): Promise<void> => {
    const child = await launchProcess(role, { folder, state, jars, env: process.env });
    if (child.pid !== undefined) pids.add(child.pid);
  };
  const overview = (): Promise<{ "slots-total": number }> => rest("GET", "/overview");

  const flink: TestFlink = {
    url: running.url,
    version,
    folder,
    savepointDir: path.join(folder, "savepoints"),
    checkpointDir: path.join(folder, "checkpoints"),
    jarPath: path.join(root, "dist", "test-job.jar"),
    configFolder: configFolderOf(folder, instance),
    jars,
    java: state.java,
    rest,
    upload(jar = flink.jarPath) {
      const send = async (): Promise<string> => {
        const form = new FormData();
        form.append("jarfile", await openAsBlob(jar), path.basename(jar));
        const response = await fetch(`${running.url}/jars/upload`, { method: "POST", body: form });
        if (!response.ok) throw new Error(`Upload of ${jar}: ${response.status} ${await response.text()}`);
        return path.posix.basename(((await response.json()) as { filename: string }).filename);
      };
      const before = uploaded.get(jar) ?? send();
      uploaded.set(jar, before);
      return before;
    },
    async runTestJob(args = {}, { jar, ...options } = {}) {
      const jarId = await flink.upload(jar);
      const programArgsList = argumentList({ control: controlFolder, ...args });
      const { claimMode, ...request } = options;
      // Below 1.20 the field has another name, and unknown fields are refused.
      const claim = claimMode === undefined ? {} : /^1\.1\d\./.test(version) ? { restoreMode: claimMode } : { claimMode };
      const { jobid } = await rest<{ jobid: string }>("POST", `/jars/${jarId}/run`, { ...request, ...claim, programArgsList });
      return jobid;
    },
    async waitUntilRunning(jobId, timeoutMs) {
      await until(`all tasks of ${jobId} to run`, async () => {
        const job: { state: string; vertices: { status: string }[] } = await rest("GET", `/jobs/${jobId}`);
        if (job.state === "FAILED") throw new Failed(`Job ${jobId} failed.`);
        return job.state === "RUNNING" && job.vertices.every((vertex) => vertex.status === "RUNNING" || vertex.status === "FINISHED");
      }, timeoutMs);
    },
    async waitForState(jobId, state, timeoutMs) {
      await until(`job ${jobId} to be ${state}`, async () => (await rest<{ state: string }>("GET", `/jobs/${jobId}`)).state === state, timeoutMs);
    },
    async savepoint(jobId, kind = "savepoints", body = {}) {
      const { "request-id": id } = await rest<{ "request-id": string }>("POST", `/jobs/${jobId}/${kind}`, body);
      let location: string | undefined;
      await until(`the savepoint of ${jobId}`, async () => {
        const answer: { status: { id: string }; operation?: { location?: string; "failure-cause"?: { "stack-trace": string } } } = await rest("GET", `/jobs/${jobId}/savepoints/${id}`);
        if (answer.operation?.["failure-cause"] !== undefined) throw new Failed(answer.operation["failure-cause"]["stack-trace"]);
        location = answer.operation?.location;
        return answer.status.id === "COMPLETED";
      });
      if (location === undefined) throw new Error("The savepoint has no location.");
      return location;
    },
    async control(name, content) {
      const file = path.join(controlFolder, name);
      if (content === undefined) return fs.rm(file, { force: true });
      // In one step, since the job reads it at any moment.
      await fs.writeFile(`${file}.new`, content);
      await fs.rename(`${file}.new`, file);
    },
    outFolder: (name) => path.join(folder, "out", name),
    killJobManager: () => kill("jobManager"),
    killTaskManager: () => kill("taskManager"),
    async startJobManager() {
      await launch("jobManager");
      await until("the JobManager to answer", async () => (await overview()) !== undefined);
    },
    async startTaskManager() {
      await launch("taskManager");
      await until("slots", async () => (await overview())["slots-total"] > 0);
    },
    async cli(...args) {
      const config = configFolderOf(folder, instance);
      const java = [`-Xmx256m`, ...javaFlags, `-Dlog.file=${path.join(folder, "log", "cli.log")}`, `-Dlog4j2.configurationFile=${path.join(config, "log4j2.properties")}`];
      const all = [...java, "-cp", jars.join(path.delimiter), "org.apache.flink.client.cli.CliFrontend", ...args];
      try {
        const { stdout, stderr } = await promisify(execFile)(state.java, all, { env: { ...process.env, FLINK_CONF_DIR: config }, maxBuffer: 16 << 20 });
        return { exitCode: 0, stdout, stderr };
      } catch (error) {
        const { code, stdout = "", stderr = "" } = error as { code?: number; stdout?: string; stderr?: string };
        if (typeof code !== "number") throw error;
        return { exitCode: code, stdout, stderr };
      }
    },
    async stop() {
      killAll();
      process.off("exit", killAll);
      await until("Flink to end", async () => (await processesOf(instance)).length === 0);
      await fs.rm(folder, { recursive: true, force: true });
    },
  };
  return flink;
}

/** The jars of a release with some more, as one list; resolves to its folder. */
async function mergedLists(root: string, version: string, folder: string, added: readonly string[], bundle: string | undefined): Promise<string> {
  const merged = path.join(folder, "lists");
  await fs.mkdir(merged);
  await fs.writeFile(path.join(merged, `${version}.json`), JSON.stringify(await listOf(root, version, added, bundle)));
  return merged;
}

/** The jars of a release with some more; `bundle` takes the place of the Paimon among them. */
async function listOf(root: string, version: string, added: readonly string[], bundle?: string): Promise<JarList> {
  const lists = await Promise.all(["media/flink", ...added].map((lists) => readJarList(path.join(root, lists), version)));
  const jars = lists.flatMap((list) => list.jars);
  if (bundle === undefined) return { version, jars };
  const other = await readJarList(path.join(root, "test/rig/paimon/bundles"), `paimon-${bundle}`);
  return { version, jars: [...jars.filter((jar) => !jarName(jar).startsWith("paimon-flink-")), ...other.jars] };
}

/** Where the jars of a release lie, with those of every state backend. */
export function backendJars(version: string): Promise<readonly string[]> {
  return jarsOf(version, ["test/rig/backends"]);
}

/** Where the jars of a release lie, with those of SQL and Paimon: the Paimon that the list has, or another of `test/rig/paimon/bundles`. Of what not every run has they are fetched first. */
export async function paimonJars(version: string, bundle?: string): Promise<readonly string[]> {
  if (bundle === undefined && version !== oldestPaimonFlink) return jarsOf(version, ["test/rig/paimon"]);
  const list = await listOf(await rootFolder(), version, ["test/rig/paimon"], bundle);
  return prepareJars(list, { cacheFolder, mavenRepository: "", homeFolder: homedir(), env: process.env, http: plainHttp(), log: quietLog }, unwatched());
}

/** Where the jars of the last 1.x lie, with those of SQL, Paimon and a driver for catalogs in a database, which is the last. */
export function jdbcJars(version: string): Promise<readonly string[]> {
  return jarsOf(version, ["test/rig/paimon", "test/rig/jdbc"]);
}

/** Where the jars of the newest release lie, with those of SQL and its functions on savepoints. */
export function sqlJars(version: string): Promise<readonly string[]> {
  return jarsOf(version, ["test/rig/sql"]);
}

async function jarsOf(version: string, added: readonly string[]): Promise<readonly string[]> {
  return (await listOf(await rootFolder(), version, added)).jars.map((jar) => path.join(cacheFolder, version, "lib", jarName(jar)));
}

/** Ends waiting at once. */
class Failed extends Error {}

/** Looks again and again until `done`; what `done` throws counts as not yet, except for its own verdict. Rejects after `timeoutMs`. */
export async function until(what: string, done: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      if (await done()) return;
    } catch (error) {
      if (error instanceof Failed) throw error;
      last = error;
    }
    if (Date.now() > deadlineMs) throw new Error(`Waited ${timeoutMs} ms for ${what}.`, { cause: last });
    await systemClock.sleep(100);
  }
}

/**
 * Reads the test job's exactly-once output and checks that each key was counted 1, 2, 3 … without gaps or repetitions, which holds when no
 * state was lost or doubled. Resolves to the number of lines; rejects with the first keys at fault.
 */
export async function checkExactlyOnce(outFolder: string): Promise<number> {
  const counts = new Map<string, number[]>();
  let lines = 0;
  for (const name of (await fs.readdir(outFolder)).filter((file) => !file.endsWith(".tmp"))) {
    for (const line of (await fs.readFile(path.join(outFolder, name), "utf8")).split("\n")) {
      const [key, count] = line.split(" ");
      if (key === undefined || count === undefined || count === "-1") continue;
      const known = counts.get(key) ?? [];
      known.push(Number(count));
      counts.set(key, known);
      lines++;
    }
  }
  const faults = [...counts].flatMap(([key, all]) => {
    const sorted = all.sort((left, right) => left - right);
    const at = sorted.findIndex((count, index) => count !== index + 1);
    return at < 0 ? [] : [`key ${key}: ${sorted[at - 1] ?? "nothing"} is followed by ${sorted[at]}`];
  });
  if (faults.length > 0) throw new Error(`${faults.length} of ${counts.size} keys are wrong: ${faults.slice(0, 3).join("; ")}`);
  return lines;
}

function argumentList(args: JobArguments): readonly string[] {
  return Object.entries(args).flatMap(([key, value]) => (Array.isArray(value) ? (value as readonly string[]) : [String(value)]).flatMap((one) => [`--${key}`, one]));
}
