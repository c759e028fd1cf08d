import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { javaFlags } from "../../src/core/localFlink/java";
import { anyFreePort } from "../../src/clients/localFlink/freePort";
import { findJava } from "../../src/clients/localFlink/java";
import { paimonJars, rootFolder, startFlink, until, type RunOptions, type TestFlink } from "./flink";

/** The Flink releases that tests run with Paimon: 1.20 with Paimon 1.3, 2.0 with Paimon 1.4. */
export const paimonFlinks = ["1.20.5", "2.0.2"] as const;

/** Paimons that long tests run on `paimonFlinks[0]` in place of its own. */
export const olderPaimons = ["0.9.0", "1.0.1", "1.2.0"] as const;

/** Arguments of the job that writes, see `test/jobs/paimonjob/PaimonJob.java`. */
export type PaimonJobArguments = Readonly<Record<string, string | number | boolean>>;

/** What Paimon's own reader finds in a table of the job: exact when all three are the same and the smallest is 1. */
export interface TableRows {
  readonly rows: number;
  readonly different: number;
  readonly smallest: number;
  readonly largest: number;
}

/** The number of a savepoint, from its metadata: magic, version, then the number. */
export async function checkpointIdOf(savepoint: string): Promise<number> {
  return Number((await fs.readFile(path.join(savepoint, "_metadata"))).readBigInt64BE(8));
}

/** A Flink with SQL and Paimon, and a warehouse in its folder. */
export interface TestPaimon {
  readonly flink: TestFlink;
  /** Absolute path of the warehouse. */
  readonly warehouse: string;
  readonly jobJar: string;
  /** Starts the job that writes; resolves to its id when all of it runs. */
  runJob(args?: PaimonJobArguments, options?: RunOptions): Promise<string>;
  /** Takes a savepoint, or stops with one; resolves to its folder. */
  savepoint(jobId: string, kind?: "savepoints" | "stop"): Promise<string>;
  /** Waits until so many more checkpoints of the job are complete; savepoints count as well. */
  checkpoints(jobId: string, more: number): Promise<void>;
  /** Waits until a savepoint has its tag in tables of the warehouse (`sales.orders`): with the next checkpoint. */
  tagged(savepoint: string, ...tables: readonly string[]): Promise<void>;
  /** Cancels a job and waits for its end. */
  cancel(jobId: string): Promise<void>;
  /** Reads tables (`sales.orders`, or one at a tag, `sales.orders@savepoint-3`) whole, without Flink. */
  read(...tables: readonly string[]): Promise<readonly TableRows[]>;
  /** A SQL Gateway of this Flink, started with the first call; resolves to its address. */
  gateway(): Promise<string>;
  stop(): Promise<void>;
}

/** Starts a Flink with Paimon, of another release than its own where `bundle` names one; see `startFlink`. */
export async function startPaimon(version: string, bundle?: string): Promise<TestPaimon> {
  const root = await rootFolder();
  const flink = await startFlink(version, { paimon: bundle ?? true, extraConfig: { "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": "3", "restart-strategy.fixed-delay.delay": "500 ms" } });
  const warehouse = path.join(flink.folder, "warehouse");
  await fs.mkdir(warehouse);
  const jobJar = path.join(root, "dist", "paimon-job.jar");
  let gateway: ReturnType<typeof startGateway> | undefined;
  const completed = async (jobId: string): Promise<number> => (await flink.rest<{ counts: { completed: number } }>("GET", `/jobs/${jobId}/checkpoints`)).counts.completed;
  return {
    flink,
    warehouse,
    jobJar,
    async runJob(args = {}, options = {}) {
      const jarId = await flink.upload(jobJar);
      const programArgsList = Object.entries({ warehouse, ...args }).flatMap(([key, value]) => [`--${key}`, String(value)]);
      const { jobid } = await flink.rest<{ jobid: string }>("POST", `/jars/${jarId}/run`, { ...options, programArgsList });
      await flink.waitUntilRunning(jobid);
      return jobid;
    },
    savepoint: async (jobId, kind) => (await flink.savepoint(jobId, kind)).replace(/^file:(\/\/)?/, ""),
    async checkpoints(jobId, more) {
      const wanted = (await completed(jobId)) + more;
      await until(`${more} checkpoints of ${jobId}`, async () => (await completed(jobId)) >= wanted);
    },
    async tagged(savepoint, ...tables) {
      const name = `tag-savepoint-${await checkpointIdOf(savepoint)}`;
      for (const table of tables) await until(`${name} of ${table}`, () => fs.stat(path.join(warehouse, table.replace(".", ".db/"), "tag", name)).then(() => true, () => false));
    },
    async cancel(jobId) {
      await flink.rest("PATCH", `/jobs/${jobId}?mode=cancel`);
      await flink.waitForState(jobId, "CANCELED");
    },
    async read(...tables) {
      const { stdout } = await promisify(execFile)(flink.java, ["-Xmx256m", ...javaFlags, "-cp", [jobJar, ...flink.jars].join(path.delimiter), "paimonjob.TableRows", warehouse, ...tables], { env: { ...process.env, HADOOP_USER_NAME: "test" } });
      const lines = stdout.trim().split("\n").map((line) => line.split(" "));
      return tables.map((table) => {
        const [, ...numbers] = lines.find(([name]) => name === table) ?? [];
        const [rows = NaN, different = NaN, smallest = NaN, largest = NaN] = numbers.map(Number);
        return { rows, different, smallest, largest };
      });
    },
    async gateway() {
      gateway ??= startGateway(flink);
      return (await gateway).url;
    },
    async stop() {
      if (gateway !== undefined) await (await gateway).kill();
      await flink.stop();
    },
  };
}

/** A SQL Gateway for tests, which can be killed and started again at the same address. */
export interface TestGateway {
  readonly url: string;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it again; `config` wins over what it was started with. */
  start(config?: Readonly<Record<string, string>>): Promise<void>;
  /** Its process, to be stopped and continued. */
  pid(): number;
  /** Sessions that are open, by their handles, as its log tells: asking for one would keep it open. */
  sessions(): Promise<ReadonlySet<string>>;
}

/** Starts a SQL Gateway beside a Flink; resolves when it answers. */
async function startGateway(flink: TestFlink): Promise<TestGateway> {
  const text = await fs.readFile(path.join(flink.configFolder, "config.yaml"), "utf8");
  return gatewayIn(path.join(flink.folder, "gateway"), flink.java, flink.jars, text, { "execution.target": "remote" });
}

/** Starts a SQL Gateway of a release that `test/rig/paimon` lists, without a Flink: what needs a job runs inside of it. `folder` is made; `jars`: others than the release's. */
export async function gatewayAlone(version: string, folder: string, config: Readonly<Record<string, string>> = {}, jars?: readonly string[]): Promise<TestGateway> {
  const { executable } = await findJava("", process.env, AbortSignal.timeout(20_000));
  return gatewayIn(folder, executable, jars ?? (await paimonJars(version)), "", { "execution.target": "local", "rest.address": "localhost", "rest.bind-port": "0", ...config });
}

async function gatewayIn(folder: string, java: string, jars: readonly string[], text: string, first: Readonly<Record<string, string>>): Promise<TestGateway> {
  const port = await anyFreePort();
  await fs.mkdir(folder);
  const ours = { "sql-gateway.endpoint.rest.address": "localhost", "sql-gateway.endpoint.rest.port": String(port), "sql-gateway.endpoint.rest.bind-port": String(port) };
  const log4j = path.join(folder, "log4j2.properties");
  const logFile = path.join(folder, "gateway.log");
  await fs.writeFile(log4j, "rootLogger.level = INFO\nrootLogger.appenderRef.file.ref = file\nappender.file.type = File\nappender.file.name = file\nappender.file.fileName = ${sys:log.file}\nappender.file.layout.type = PatternLayout\nappender.file.layout.pattern = %d %-5p %c{1} - %m%n\n");
  const args = ["-Xmx384m", ...javaFlags, `-Dlog.file=${logFile}`, `-Dlog4j2.configurationFile=${log4j}`, "-cp", jars.join(path.delimiter), "org.apache.flink.table.gateway.SqlGateway"];
  const url = `http://localhost:${port}`;
  let child: ReturnType<typeof spawn> | undefined;
  process.once("exit", () => void child?.kill("SIGKILL"));
  const gateway: TestGateway = {
    url,
    pid: () => child?.pid ?? 0,
    async kill() {
      const gone = child;
      child = undefined;
      if (gone !== undefined && gone.exitCode === null && gone.signalCode === null) {
        const ended = once(gone, "exit");
        gone.kill("SIGKILL");
        await ended;
      }
      // The sessions that it tells of went with it.
      await fs.rm(logFile, { force: true });
    },
    async start(config = {}) {
      // Both spellings: from Flink 1.19 on the first is read, before it the second.
      const lines = Object.entries({ ...first, ...ours, ...config }).map(([key, value]) => `${key}: "${value}"\n`).join("");
      await Promise.all(["config.yaml", "flink-conf.yaml"].map((name) => fs.writeFile(path.join(folder, name), name === "config.yaml" ? text + lines : lines.replaceAll("\"", ""))));
      const out = await fs.open(path.join(folder, "gateway.out"), "a");
      child = spawn(java, args, { stdio: ["ignore", out.fd, out.fd], env: { ...process.env, FLINK_CONF_DIR: folder, HADOOP_USER_NAME: "test" } });
      await out.close();
      await until("the SQL Gateway to answer", async () => (await fetch(`${url}/v1/info`)).ok);
    },
    async sessions() {
      const lines = await fs.readFile(logFile, "utf8");
      const open = new Set([...lines.matchAll(/Session ([0-9a-f-]{36}) is opened/g)].map(([, handle]) => handle ?? ""));
      for (const [, handle] of lines.matchAll(/Session: ?([0-9a-f-]{36}) is closed/g)) open.delete(handle ?? "");
      return open;
    },
  };
  await gateway.start();
  return gateway;
}
