import { spawn } from "node:child_process";
import path from "node:path";

/** What a run of the program left. */
export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The bundled program, as it is installed. */
export const programFile = path.join(process.cwd(), "dist", "flink-savepoints.mjs");

/** Runs the bundled program as a process of its own, without a cache unless one is named. It fails when the program has not ended after `limitMs`. */
export function runProgram(args: readonly string[], { limitMs = 30_000, cwd = process.cwd(), cache = "off" } = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [programFile, ...args], { cwd, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, FLINK_SAVEPOINTS_CACHE: cache } });
    const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
    let [out, err] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      if (signal === null) resolve({ code, out, err });
      else reject(new Error(`flink-savepoints ${args.join(" ")} was ended by ${signal}: ${err}`));
    });
  });
}
