import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { backendJars, rootFolder } from "./flink";

/** The releases that tests run with every state backend, the last 1.x and the newest; as in `jars.mjs`. */
export const backendReleases = ["1.20.5", "2.3.0"] as const;

/** A release with all state backends. */
export type BackendRelease = (typeof backendReleases)[number];

/**
 * What Flink's own reader of a release finds in snapshots, in the order of the folders: see test/jobs/peer. Rejects when Flink fails, except for
 * a `_metadata` that it refuses, which is `{ refused }`.
 */
export async function readWithFlink(version: BackendRelease, folders: readonly string[]): Promise<unknown[]> {
  const { stdout } = await java([await classPath(version, `peer-${version}`, "state-job", "test-job"), "peer.Peer", ...folders], "256m");
  return stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as unknown);
}

/** A `-cp` of our own jars and all of a release. */
export async function classPath(version: BackendRelease, ...own: readonly string[]): Promise<string> {
  const root = await rootFolder();
  return [...own.map((name) => path.join(root, "dist", `${name}.jar`)), ...(await backendJars(version))].join(path.delimiter);
}

/** Runs a class: the class path, its name, its arguments. Rejects with what it wrote to standard error. */
export async function java([classes = "", ...rest]: readonly string[], heap: string): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const home = process.env["JAVA_HOME"];
  const command = home === undefined ? "java" : path.join(home, "bin", "java");
  return promisify(execFile)(command, [`-Xmx${heap}`, "-cp", classes, ...rest], { maxBuffer: 256 << 20 }).catch((error: unknown) => {
    // Its message is the whole class path.
    throw new Error(`${rest.join(" ").slice(0, 300)}: ${(error as { stderr?: string }).stderr ?? String(error)}`);
  });
}
