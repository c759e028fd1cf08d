import { spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs/promises";
import path from "node:path";
import { configurationFile, configurationOf, log4jProperties } from "../../core/localFlink/configuration";
import { javaArguments, roles, type Role } from "../../core/localFlink/java";
import { lastWords, type LocalFlinkState } from "../../core/localFlink/state";

/** What a process is started from. */
export interface Launch {
  /** The local Flink's folder. */
  readonly folder: string;
  readonly state: Pick<LocalFlinkState, "instance" | "java">;
  /** The classpath. */
  readonly jars: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** The JobManager's log, below the local Flink's folder. */
export function logFileOf(folder: string, role: Role = "jobManager"): string {
  return path.join(folder, "log", `${roles[role].logName}.log`);
}

/** The folder of one start, for its configuration and temporary files. */
export function runFolderOf(folder: string, instance: string): string {
  return path.join(folder, "run", instance);
}

/** Where Flink reads its configuration from. */
export function configFolderOf(folder: string, instance: string): string {
  return path.join(runFolderOf(folder, instance), "conf");
}

/** Writes all a start needs on disk: its configuration, and folders for logs, temporary files, savepoints and checkpoints. */
export async function prepareFolders(folder: string, state: LocalFlinkState, rpcPort: number, extra: Readonly<Record<string, string>>): Promise<void> {
  const config = configFolderOf(folder, state.instance);
  const folders = [config, path.join(runFolderOf(folder, state.instance), "tmp"), path.join(folder, "log")];
  for (const name of folders) await fs.mkdir(name, { recursive: true, mode: 0o700 });
  for (const name of ["savepoints", "checkpoints"]) await fs.mkdir(path.join(state.dataFolder, name), { recursive: true });
  const { version, port, dataFolder } = state;
  const file = configurationFile(version, configurationOf({ version, restPort: port, rpcPort, dataFolder, extra }));
  await fs.writeFile(path.join(config, file.name), file.text, { mode: 0o600 });
  await fs.writeFile(path.join(config, "log4j2.properties"), log4jProperties);
}

/** Starts a JVM in a process group of its own, which does not end with this process. Its last log becomes `<name>.previous.log`. */
export async function launchProcess(role: Role, launch: Launch): Promise<ChildProcess> {
  const log = logFileOf(launch.folder, role);
  const out = outFileOf(log);
  await rotate(log);
  await rotate(out);
  const runFolder = runFolderOf(launch.folder, launch.state.instance);
  const output = await fs.open(out, "a", 0o600);
  try {
    const child = spawn(launch.state.java, javaArguments({
      role,
      instance: launch.state.instance,
      jars: launch.jars,
      configFolder: configFolderOf(launch.folder, launch.state.instance),
      tempFolder: path.join(runFolder, "tmp"),
      logFolder: path.dirname(log),
      pathSeparator: path.delimiter,
    }), { cwd: runFolder, env: withoutFlink(launch.env), stdio: ["ignore", output.fd, output.fd], detached: true });
    child.unref();
    // Without a listener a failed start would end this process; that it did not start shows in the missing pid.
    child.on("error", () => undefined);
    return child;
  } finally {
    await output.close();
  }
}

/** What a process wrote last, the JVM's own words before the log's. */
export async function lastLines(folder: string, role: Role): Promise<string> {
  const log = logFileOf(folder, role);
  const [out, text] = await Promise.all([outFileOf(log), log].map((file) => fs.readFile(file, "utf8").catch(() => "")));
  return lastWords(`${out?.slice(-16_384)}\n${text?.slice(-65_536)}`);
}

function outFileOf(log: string): string {
  return log.replace(/\.log$/, ".out");
}

async function rotate(file: string): Promise<void> {
  const { dir, name, ext } = path.parse(file);
  await fs.rename(file, path.join(dir, `${name}.previous${ext}`)).catch(() => undefined);
}

/** Another Flink's environment variables would win over our configuration. */
function withoutFlink(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^_?FLINK_/.test(name)));
}
