import { FlinkError } from "../errors";
import { capabilitiesOf, parseFlinkVersion } from "../model/version";

/** What a local Flink's configuration is made of. */
export interface ConfigurationFacts {
  readonly version: string;
  readonly restPort: number;
  readonly rpcPort: number;
  /** Absolute path of the folder that holds `savepoints` and `checkpoints`. */
  readonly dataFolder: string;
  readonly extra: Readonly<Record<string, string>>;
}

/** Savepoint and checkpoint directory below a data folder, as Flink locations. Flink takes them as they are, without percent-encoding. */
export function dataDirectories(dataFolder: string): { readonly savepoints: string; readonly checkpoints: string } {
  return { savepoints: `file://${dataFolder}/savepoints`, checkpoints: `file://${dataFolder}/checkpoints` };
}

/** Flink's configuration as keys and values: everything on localhost, checkpoints kept when a job is cancelled, small memory. */
export function configurationOf(facts: ConfigurationFacts): Readonly<Record<string, string>> {
  const newKeys = can(facts.version, "newConfigurationKeys");
  const { savepoints, checkpoints } = dataDirectories(facts.dataFolder);
  const all: Record<string, string> = {
    "jobmanager.rpc.address": "localhost",
    "jobmanager.rpc.port": String(facts.rpcPort),
    "jobmanager.bind-host": "localhost",
    "taskmanager.host": "localhost",
    "taskmanager.bind-host": "localhost",
    "rest.address": "localhost",
    "rest.bind-address": "localhost",
    "rest.port": String(facts.restPort),
    // Without it Flink quietly moves on to another port when this one is taken.
    "rest.bind-port": String(facts.restPort),
    // Flink allows every web page to call it by default, and who calls it runs code.
    "web.access-control-allow-origin": `http://localhost:${facts.restPort}`,
    // A savepoint shows in the history after this long; 3 s by default.
    "web.refresh-interval": "1000",
    // Default 10 s: what a TaskManager waits that came up before its JobManager.
    "cluster.registration.error-delay": "500",
    [newKeys ? "execution.checkpointing.savepoint-dir" : "state.savepoints.dir"]: savepoints,
    [newKeys ? "execution.checkpointing.dir" : "state.checkpoints.dir"]: checkpoints,
    "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
    "taskmanager.numberOfTaskSlots": "8",
    // Started without Flink's shell scripts, a TaskManager wants its memory spelled out.
    "taskmanager.cpu.cores": "1.0",
    "taskmanager.memory.framework.heap.size": "64m",
    "taskmanager.memory.task.heap.size": "192m",
    "taskmanager.memory.framework.off-heap.size": "64m",
    "taskmanager.memory.task.off-heap.size": "0m",
    "taskmanager.memory.managed.size": "32m",
    "taskmanager.memory.network.min": "64m",
    "taskmanager.memory.network.max": "64m",
    "taskmanager.memory.jvm-metaspace.size": "128m",
    "taskmanager.memory.jvm-overhead.min": "64m",
    "taskmanager.memory.jvm-overhead.max": "64m",
    ...facts.extra,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
}

/**
 * The configuration file: standard YAML in `config.yaml` from 1.19 on, before that `flink-conf.yaml`, which knows no quoting. Throws
 * `location-invalid` for a value that the old format cannot hold.
 */
export function configurationFile(version: string, configuration: Readonly<Record<string, string>>): { readonly name: string; readonly text: string } {
  const entries = Object.entries(configuration);
  if (can(version, "standardYaml")) {
    return { name: "config.yaml", text: entries.map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`).join("") };
  }
  const unfit = entries.find(([, value]) => /[#\r\n]/.test(value));
  if (unfit) throw new FlinkError("location-invalid", { location: unfit[1], fault: "unreadable" });
  return { name: "flink-conf.yaml", text: entries.map(([key, value]) => `${key}: ${value}\n`).join("") };
}

function can(version: string, what: "newConfigurationKeys" | "standardYaml"): boolean {
  const parsed = parseFlinkVersion(version);
  return parsed !== undefined && capabilitiesOf(parsed)[what];
}

/** Logs to the file in `log.file`, where Flink's web UI looks, in at most three files of 10 MB. */
export const log4jProperties = [
  "rootLogger.level = INFO",
  "rootLogger.appenderRef.file.ref = File",
  "appender.file.name = File",
  "appender.file.type = RollingFile",
  "appender.file.fileName = ${sys:log.file}",
  "appender.file.filePattern = ${sys:log.file}.%i",
  "appender.file.layout.type = PatternLayout",
  "appender.file.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n",
  "appender.file.policies.type = Policies",
  "appender.file.policies.start.type = OnStartupTriggeringPolicy",
  "appender.file.policies.size.type = SizeBasedTriggeringPolicy",
  "appender.file.policies.size.size = 10MB",
  "appender.file.strategy.type = DefaultRolloverStrategy",
  "appender.file.strategy.max = 2",
  // Warnings about every key that a newer release renamed; we write the names of all releases on purpose.
  "logger.configuration.name = org.apache.flink.configuration.Configuration",
  "logger.configuration.level = ERROR",
  "",
].join("\n");
