import { spawn } from "node:child_process";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { FlinkError } from "../../core/errors";
import { actionArguments, actionText, hideSecrets, tableName, type PaimonAction, type PaimonActions, type TableAddress } from "../../core/paimon/actions";
import type { WarehouseProfile } from "../../core/model/warehouse";
import type { Log, ProcessIdentity, Run } from "../../core/ports";
import { failureOfTrace } from "../flink/failures";
import { childProcess } from "../processIdentity";

/** What Paimon's action command is run with. */
export interface ActionCommandWorld {
  readonly warehouse: Pick<WarehouseProfile, "path" | "catalogOptions">;
  /** The java to run. Throws `local-flink-java-missing`. */
  java(signal: AbortSignal): Promise<string>;
  /** The class path: Paimon's bundle and Flink's jars. Throws `paimon-jars-missing`, and what fetching jars throws. */
  jars(run: Run): Promise<readonly string[]>;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
}

/** The class inside of the bundle `paimon-flink-<version>.jar`; it says nothing when all went well. */
const mainClass = "org.apache.paimon.flink.action.FlinkActions";
/** What is kept of its words. */
const mostOutput = 256 * 1024;

/** Acts through Paimon's action command: one small JVM for each action, and no cluster. */
export function actionCommand(world: ActionCommandWorld): PaimonActions {
  return {
    way: "command",
    async act(table, action, run, started) {
      const java = await world.java(run.signal);
      const jars = await world.jars(run);
      run.signal.throwIfAborted();
      await runJava(world, java, jars, table, action, started);
    },
  };
}

/** Jars that a person named: files, and folders with all jars in them. Throws `paimon-jars-missing` with the first that is not there, or has none. */
export async function namedJars(places: readonly string[]): Promise<readonly string[]> {
  const jars: string[] = [];
  for (const place of places) {
    const isFolder = await stat(place).then((found) => found.isDirectory(), () => undefined);
    const found = isFolder === undefined ? [] : isFolder ? (await readdir(place)).filter((name) => name.endsWith(".jar")).sort().map((name) => path.join(place, name)) : [place];
    if (found.length === 0) throw new FlinkError("paimon-jars-missing", { path: place });
    jars.push(...found);
  }
  return jars;
}

/** A shell that becomes the JVM, with the same pid, at a line from us; when we are gone before that, it ends instead. */
const heldBack = ["-c", "read -r _ && exec \"$@\"", "sh"];

/** Once it is started it is left to end: one that is killed may leave a table rolled back by half. */
function runJava({ warehouse, env, log }: ActionCommandWorld, java: string, jars: readonly string[], table: TableAddress, action: PaimonAction, started: ((process: ProcessIdentity) => Promise<void>) | undefined): Promise<void> {
  const facts = { table: tableName(table), what: actionText(action) };
  const args = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", jars.join(path.delimiter), mainClass, ...actionArguments(warehouse, table, action)];
  log.info(`Paimon is to ${facts.what} of ${facts.table}.`);
  return new Promise((resolve, reject) => {
    let output = "";
    const isHeld = process.platform !== "win32";
    const child = spawn(isHeld ? "/bin/sh" : java, isHeld ? [...heldBack, java, ...args] : args, { env: withoutFlink(env), stdio: ["pipe", "pipe", "pipe"] });
    // A child that has ended already says so by its exit code.
    child.stdin.on("error", () => undefined);
    let unwritten: unknown;
    const written = child.pid === undefined ? undefined : started?.(childProcess(child.pid));
    Promise.resolve(written).then(() => child.stdin.end("\n"), (error: unknown) => {
      unwritten = error;
      child.stdin.end();
    });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output = (output + chunk.toString("utf8")).slice(-mostOutput)));
    child.on("error", (error) => reject(new FlinkError("local-flink-java-missing", { looked: java, found: null }, { cause: error })));
    child.on("close", (code, signal) => {
      if (code === 0) return resolve();
      if (unwritten !== undefined) return reject(unwritten instanceof Error ? unwritten : new Error(String(unwritten)));
      if (isHeld && (code === 126 || code === 127)) return reject(new FlinkError("local-flink-java-missing", { looked: java, found: null }));
      output = hideSecrets(output, warehouse.catalogOptions);
      log.warn(`Paimon's action command ended with ${signal ?? code}: ${output}`);
      if (code === null) return reject(new FlinkError("paimon-action-lost", { ...facts, reason: `the JVM was ended by ${signal ?? "the system"}` }));
      const thrown = output.slice(Math.max(0, output.indexOf("Exception in thread \"main\""))).replace(/^Exception in thread "main" /, "");
      const { message, exception } = failureOfTrace(thrown);
      reject(new FlinkError("paimon-action-failed", { ...facts, message: message === "" ? `exit code ${code}` : message, exception }));
    });
  });
}

/** Another Flink's environment would win over what the command is told. */
function withoutFlink(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^_?FLINK_/.test(name)));
}
