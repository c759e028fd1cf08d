/** The oldest Java that runs it: the jobs are compiled for 11, and Flink 2 needs it. There is no newest: 25 runs all releases from 1.15 to 2.3. */
export const oldestJava = 11;

/** The major version in what `java -version` prints (`openjdk version "17.0.15"`, `java version "1.8.0_392"`); undefined for anything else. */
export function parseJavaVersion(text: string): number | undefined {
  const found = /version "(\d+)(?:\.(\d+))?/.exec(text);
  if (!found) return undefined;
  return found[1] === "1" ? Number(found[2]) : Number(found[1]);
}

/** Packages that Flink opens by reflection; from 1.18 on its own default configuration lists the same. */
const opened = [
  "java.util", "java.lang", "java.net", "java.io", "java.nio", "sun.nio.ch", "java.lang.reflect", "java.text", "java.time",
  "java.util.concurrent", "java.util.concurrent.atomic", "java.util.concurrent.locks",
];

/** The two processes of a local Flink, with Flink's own main classes and a heap that fits a laptop. */
export const roles = {
  jobManager: { mainClass: "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint", heapMb: 512, logName: "jobmanager" },
  taskManager: { mainClass: "org.apache.flink.runtime.taskexecutor.TaskManagerRunner", heapMb: 384, logName: "taskmanager" },
} as const;

/** One of them. */
export type Role = keyof typeof roles;

/** Flags every JVM gets. The export is fatal to leave out up to 1.17; the compiler flags halve the processor time of a start. */
export const javaFlags: readonly string[] = [
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  ...opened.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
  "--add-exports=java.base/sun.net.util=ALL-UNNAMED",
];

/** Marks our JVMs on their command line, so that they are found again, and a re-used process id is never taken for one of them. */
export function markerOf(instance: string): string {
  return `-DflinkSavepoints.localFlink=${instance}`;
}

/** Marks the role beside `markerOf`. */
export function roleMarkerOf(role: Role): string {
  return `-DflinkSavepoints.role=${role}`;
}

/** Arguments of `java` for one of the two processes. */
export function javaArguments(launch: {
  readonly role: Role;
  readonly instance: string;
  readonly jars: readonly string[];
  readonly configFolder: string;
  readonly tempFolder: string;
  readonly logFolder: string;
  readonly pathSeparator: string;
}): readonly string[] {
  const { mainClass, heapMb, logName } = roles[launch.role];
  return [
    markerOf(launch.instance),
    roleMarkerOf(launch.role),
    `-Xmx${heapMb}m`,
    ...javaFlags,
    `-Djava.io.tmpdir=${launch.tempFolder}`,
    `-XX:ErrorFile=${launch.logFolder}/crash_%p.log`,
    `-Dlog.file=${launch.logFolder}/${logName}.log`,
    `-Dlog4j2.configurationFile=${launch.configFolder}/log4j2.properties`,
    "-cp", launch.jars.join(launch.pathSeparator),
    mainClass,
    "--configDir", launch.configFolder,
  ];
}

/** Arguments as a text that `java @file` reads, one a line: its own quoting rules, which know no way to write a NUL (JDK 9 and later, `java(1)`, "Argument files"). */
export function argumentFile(args: readonly string[]): string {
  const escapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f" };
  return args.map((arg) => `"${arg.replace(/[\n\r\t\f"\\]/g, (one) => escapes[one] ?? `\\${one}`)}"\n`).join("");
}
