import { spawn } from "node:child_process";
import * as fs from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { downloadedJar, mavenFailure, pomFor, type ListedJar } from "../../core/localFlink/jarList";
import type { Log, Run } from "../../core/ports";

/**
 * Fetches jars into a folder with the `mvn` on the `PATH`, which honours the user's settings, mirrors, proxies and credentials. Resolves, when
 * `mvn` ended, to what was tried, in words; which jars arrived is for the caller to see. Rejects only with the signal's reason.
 */
export async function fetchByMaven(jars: readonly ListedJar[], where: { folder: string; env: NodeJS.ProcessEnv; log: Log }, run: Run, downloaded: (name: string) => void): Promise<string> {
  const pom = path.join(where.folder, "pom.xml");
  await fs.writeFile(pom, pomFor(jars));
  run.signal.throwIfAborted();
  const args = ["-B", "-U", "-f", pom, "dependency:copy-dependencies", `-DoutputDirectory=${where.folder}`];
  // A group of its own, so that cancelling ends Java too where mvn is a script that waits for it.
  const child = spawn("mvn", args, { cwd: where.folder, env: where.env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const end = (): void => {
    if (child.pid !== undefined) killGroup(child.pid);
  };
  const output: string[] = [];
  const listen = (line: string): void => {
    const name = downloadedJar(line);
    if (name !== undefined) downloaded(name);
    else if (!/^\[INFO\]|^Download(ing|ed) from/.test(line)) output.push(line);
  };
  createInterface(child.stdout).on("line", listen);
  createInterface(child.stderr).on("line", listen);
  run.signal.addEventListener("abort", end, { once: true });
  const ended = await new Promise<string | undefined>((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ENOENT" ? "mvn is not on the PATH" : `mvn (${error.code ?? error.message})`));
    child.once("close", (code, signal) => resolve(code === 0 ? undefined : `mvn (${mavenFailure(output.join("\n")) ?? `ended with ${code ?? signal}`})`));
  });
  run.signal.removeEventListener("abort", end);
  run.signal.throwIfAborted();
  if (ended !== undefined) where.log.warn(`Maven could not fetch Flink's jars: ${ended}`);
  return ended ?? "mvn";
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGTERM");
  } catch {
    // It has ended by itself.
  }
}
