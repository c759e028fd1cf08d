import { execFile, spawn } from "node:child_process";
import * as fs from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { javaFlags } from "../../src/core/localFlink/java";
import { anyFreePort } from "../../src/clients/localFlink/freePort";
import { rootFolder, startFlink, until, type RunOptions, type TestFlink } from "./flink";

/** The Flink releases that tests run with Paimon: 1.20 with Paimon 1.3, 2.0 with Paimon 1.4. */
export const paimonFlinks = ["1.20.5", "2.0.2"] as const;

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

/** Starts a Flink with Paimon; see `startFlink`. */
export async function startPaimon(version: string): Promise<TestPaimon> {
  const root = await rootFolder();
  const flink = await startFlink(version, { paimon: true, extraConfig: { "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": "3", "restart-strategy.fixed-delay.delay": "500 ms" } });
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
      if (gateway !== undefined) (await gateway).kill();
      await flink.stop();
    },
  };
}

async function startGateway(flink: TestFlink): Promise<{ url: string; kill(): void }> {
  const port = await anyFreePort();
  const config = path.join(flink.folder, "gateway");
  await fs.mkdir(config);
  const ours = { "sql-gateway.endpoint.rest.address": "localhost", "sql-gateway.endpoint.rest.port": port, "sql-gateway.endpoint.rest.bind-port": port, "execution.target": "remote" };
  const text = await fs.readFile(path.join(flink.configFolder, "config.yaml"), "utf8");
  await fs.writeFile(path.join(config, "config.yaml"), text + Object.entries(ours).map(([key, value]) => `${key}: "${value}"\n`).join(""));
  const log = await fs.open(path.join(flink.folder, "log", "gateway.out"), "a");
  const log4j = path.join(flink.configFolder, "log4j2.properties");
  const args = ["-Xmx384m", ...javaFlags, `-Dlog.file=${path.join(flink.folder, "log", "gateway.log")}`, `-Dlog4j2.configurationFile=${log4j}`, "-cp", flink.jars.join(path.delimiter), "org.apache.flink.table.gateway.SqlGateway"];
  const child = spawn(flink.java, args, { stdio: ["ignore", log.fd, log.fd], env: { ...process.env, FLINK_CONF_DIR: config, HADOOP_USER_NAME: "test" } });
  await log.close();
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  const url = `http://localhost:${port}`;
  await until("the SQL Gateway to answer", async () => (await fetch(`${url}/v1/info`)).ok);
  return { url, kill };
}
