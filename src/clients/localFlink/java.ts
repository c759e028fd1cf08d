import { execFile } from "node:child_process";
import path from "node:path";
import { FlinkError } from "../../core/errors";
import { javaFault, parseJavaVersion } from "../../core/localFlink/java";

/** A Java that can run Flink. */
export interface FoundJava {
  readonly executable: string;
  readonly major: number;
}

/**
 * Finds the Java to run Flink with: the configured home if one is given, else `JAVA_HOME`, else the `PATH`; the first that is new enough.
 * Throws `sandbox-java-missing` with what was looked at and found.
 */
export async function findJava(javaHome: string, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<FoundJava> {
  const inherited = env["JAVA_HOME"] ?? "";
  const candidates = javaHome !== ""
    ? [{ name: javaHome, executable: path.join(javaHome, "bin", "java") }]
    : [
        ...(inherited === "" ? [] : [{ name: `JAVA_HOME (${inherited})`, executable: path.join(inherited, "bin", "java") }]),
        { name: "PATH", executable: "java" },
      ];
  const found: string[] = [];
  for (const { name, executable } of candidates) {
    const major = parseJavaVersion(await versionText(executable, env, signal));
    const fault = major === undefined ? undefined : javaFault(major);
    if (major !== undefined && fault === undefined) return { executable, major };
    if (major !== undefined) found.push(`Java ${major} of ${name} ${fault}`);
  }
  throw new FlinkError("sandbox-java-missing", { looked: candidates.map((candidate) => candidate.name).join(", "), found: found.length === 0 ? null : found.join("; ") });
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
