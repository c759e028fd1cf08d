import { execFile } from "node:child_process";
import path from "node:path";
import { FlinkError } from "../../core/errors";
import { oldestJava, parseJavaVersion } from "../../core/localFlink/java";

/** A Java that can run Flink. */
export interface FoundJava {
  readonly executable: string;
  readonly major: number;
}

/**
 * Finds the Java to run Flink with: the configured home if one is given, else `JAVA_HOME`, else the `PATH`; the first that is new enough.
 * Throws `local-flink-java-missing` with the first that is too old, else with all places looked at.
 */
export async function findJava(javaHome: string, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<FoundJava> {
  const inherited = env["JAVA_HOME"] ?? "";
  const candidates = javaHome !== ""
    ? [{ name: javaHome, executable: path.join(javaHome, "bin", "java") }]
    : [
        ...(inherited === "" ? [] : [{ name: `JAVA_HOME (${inherited})`, executable: path.join(inherited, "bin", "java") }]),
        { name: "PATH", executable: "java" },
      ];
  let tooOld: { looked: string; found: string } | undefined;
  for (const { name, executable } of candidates) {
    const major = parseJavaVersion(await versionText(executable, env, signal));
    if (major === undefined) continue;
    if (major >= oldestJava) return { executable, major };
    tooOld ??= { looked: name, found: `Java ${major}` };
  }
  throw new FlinkError("local-flink-java-missing", tooOld ?? { looked: candidates.map((candidate) => candidate.name).join(", "), found: null });
}

/** What `java -version` prints, empty when it cannot be run. */
function versionText(executable: string, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(executable, ["-version"], { env, signal, timeout: 20_000 }, (_error, stdout, stderr) => {
      if (signal.aborted) reject(signal.reason as Error);
      else resolve(stderr + stdout);
    });
  });
}
