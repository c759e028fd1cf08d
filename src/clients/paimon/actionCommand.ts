import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { devNull, tmpdir } from "node:os";
import path from "node:path";
import { FlinkError } from "../../core/errors";
import { actionArguments, actionText, hideSecrets, tableName, type PaimonAction, type PaimonActions, type TableAddress } from "../../core/paimon/actions";
import type { WarehouseProfile } from "../../core/model/warehouse";
import type { Log, ProcessIdentity, Run } from "../../core/ports";
import { argumentFile } from "../../core/localFlink/java";
import { failureOfTrace } from "../flink/failures";
import { childProcess } from "../processIdentity";

/** What Paimon's action command is run with. */
export interface ActionCommandWorld {
  /** With all secrets among its options; what it throws the action throws. */
  warehouse(): Promise<Pick<WarehouseProfile, "path" | "catalogOptions">>;
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
      // First: no jars are fetched for an action that lacks a secret.
      const warehouse = await world.warehouse();
      const java = await world.java(run.signal);
      const jars = await world.jars(run);
      run.signal.throwIfAborted();
      await runJava(world, warehouse, java, jars, table, action, started);
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

/**
 * A shell that becomes the JVM, with the same pid, at a line from us; when we are gone before that, it ends instead. What follows the line are the JVM's
 * further arguments, to the last line or not at all: everyone may read the arguments of a process, and a catalog's options hold keys. A here-document,
 * since a socket can't be opened by name. `unset`: a variable that the environment has would go to the JVM with its new value.
 */
const lastLine = "# all of it";
const heldBack = ["-c", `read -r _ && unset args && args=$(cat) && case $args in *"${lastLine}") exec "$@" @/dev/stdin <<END\n$args\nEND\n;; esac; exit 1`, "sh"];

/** Memory for one action. Neither what the JVM tells other processes of itself nor what it writes when it crashes may hold its arguments. */
const jvmFlags = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", `-XX:ErrorFile=${devNull}`];

/** Once it is started it is left to end: one that is killed may leave a table rolled back by half. */
async function runJava(world: ActionCommandWorld, warehouse: Pick<WarehouseProfile, "path" | "catalogOptions">, java: string, jars: readonly string[], table: TableAddress, action: PaimonAction, started: ((process: ProcessIdentity) => Promise<void>) | undefined): Promise<void> {
  const { log } = world;
  const facts = { table: tableName(table), what: actionText(action) };
  const args = actionArguments(warehouse, table, action);
  if (args.some((arg) => arg.includes("\0"))) throw new FlinkError("setting-invalid", { setting: "catalogOptions", problem: "holds a NUL, which no program takes" });
  // What a person sees of it in a list of processes.
  const shown = [...jvmFlags, `-Dpaimon.action=${action.kind} ${facts.table}`, "-cp", jars.join(path.delimiter)];
  const hidden = argumentFile([mainClass, ...args]);
  log.info(`Paimon is to ${facts.what} of ${facts.table}.`);
  const isHeld = process.platform !== "win32";
  // Without a shell a file of our own must do, in the user's own folder for such.
  const folder = isHeld ? undefined : await mkdtemp(path.join(tmpdir(), "flink-savepoints-"));
  try {
    const file = folder === undefined ? "" : path.join(folder, "arguments");
    if (folder !== undefined) await writeFile(file, hidden, { mode: 0o600 });
    await runProcess(world, warehouse, facts, isHeld ? ["/bin/sh", ...heldBack, java, ...shown] : [java, ...shown, `@${file}`], java, hidden, started);
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

function runProcess({ env, log }: ActionCommandWorld, warehouse: Pick<WarehouseProfile, "catalogOptions">, facts: { readonly table: string; readonly what: string }, [command = "", ...args]: readonly string[], java: string, hidden: string, started: ((process: ProcessIdentity) => Promise<void>) | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = "";
    const child = spawn(command, args, { env: environmentOf(env), stdio: ["pipe", "pipe", "pipe"] });
    // A child that has ended already says so by its exit code.
    child.stdin.on("error", () => undefined);
    let unwritten: unknown;
    const written = child.pid === undefined ? undefined : started?.(childProcess(child.pid));
    Promise.resolve(written).then(() => child.stdin.end(`\n${hidden}${lastLine}\n`), (error: unknown) => {
      unwritten = error;
      child.stdin.end();
    });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output = (output + chunk.toString("utf8")).slice(-mostOutput)));
    child.on("error", (error) => reject(new FlinkError("local-flink-java-missing", { looked: java, found: null }, { cause: error })));
    child.on("close", (code, signal) => {
      if (code === 0) return resolve();
      if (unwritten !== undefined) return reject(unwritten instanceof Error ? unwritten : new Error(String(unwritten)));
      if (command !== java && (code === 126 || code === 127)) return reject(new FlinkError("local-flink-java-missing", { looked: java, found: null }));
      output = hideSecrets(output, warehouse.catalogOptions);
      log.warn(`Paimon's action command ended with ${signal ?? code}: ${output}`);
      if (code === null) return reject(new FlinkError("paimon-action-lost", { ...facts, reason: `the JVM was ended by ${signal ?? "the system"}` }));
      const thrown = output.slice(Math.max(0, output.indexOf("Exception in thread \"main\""))).replace(/^Exception in thread "main" /, "");
      const { message, exception } = failureOfTrace(thrown);
      reject(new FlinkError("paimon-action-failed", { ...facts, message: message === "" ? `exit code ${code}` : message, exception }));
    });
  });
}

/**
 * Another Flink's environment would win over what the command is told. Java starts itself anew, with all arguments in the open, where the environment names
 * the libraries of a JVM (`RequiresSetenv` of its launcher). And it reads names in the locale's characters: without one all but ASCII becomes question marks.
 */
function environmentOf(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.fromEntries(Object.entries(env).filter(([name]) => !/^_?FLINK_/.test(name)));
  const libraries = kept["LD_LIBRARY_PATH"]?.split(":").filter((folder) => !/lib\/(server|client)/.test(folder)).join(":");
  const locale = kept["LC_ALL"] || kept["LC_CTYPE"] || kept["LANG"] || "";
  return { ...kept, ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries }), ...(/utf-?8/i.test(locale) ? {} : { LC_ALL: "C.UTF-8" }) };
}
