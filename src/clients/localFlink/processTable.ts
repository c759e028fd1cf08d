import { execFile } from "node:child_process";
import * as fs from "node:fs/promises";
import { promisify } from "node:util";
import { markerOf, roleMarkerOf, type Role } from "../../core/localFlink/java";
import { parseProcesses, type ListedProcess } from "../../core/localFlink/state";

/** One of our JVMs. */
export interface LocalFlinkProcess {
  readonly pid: number;
  readonly role: Role;
}

/** All living JVMs of one start, found by the mark on their command line. One that has ended but was not reaped has none and is not found. */
export async function processesOf(instance: string): Promise<readonly LocalFlinkProcess[]> {
  const marker = markerOf(instance);
  const found = (await allProcesses()).filter((row) => row.command.includes(marker));
  return found.map((row) => ({ pid: row.pid, role: row.command.includes(roleMarkerOf("taskManager")) ? "taskManager" : "jobManager" }));
}

/** Signals a process just found by `processesOf`, with `group` also what a job's code started in it. That it ended meanwhile is no error. */
export function signalProcess(pid: number, signal: NodeJS.Signals, group = false): void {
  try {
    process.kill(group ? -pid : pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** From `/proc` where there is one, since slim containers lack `ps`. */
async function allProcesses(): Promise<readonly ListedProcess[]> {
  if (process.platform !== "linux") {
    const { stdout } = await promisify(execFile)("ps", ["-axww", "-o", "pid=,command="], { maxBuffer: 32 << 20 });
    return parseProcesses(stdout);
  }
  const pids = (await fs.readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  return Promise.all(pids.map(async (pid) => ({ pid, command: await fs.readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "") })));
}
