import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, readdirSync } from "node:fs";

/** Makes a folder that Flink may not write to: a read-only file system of its own for root, who may write anywhere else; permissions for others. Returns what undoes it. */
export function makeUnwritable(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const unmount = mount(folder, "ro");
  if (unmount !== undefined) return unmount;
  chmodSync(folder, 0o555);
  return () => chmodSync(folder, 0o755);
}

/**
 * Makes a folder on a disk without room: a file system of 16 kB (ENOSPC). Where mounting is not allowed, the TaskManager instead gets a
 * limit of 16 kB per file, which the kernel answers with EFBIG at the same place of Flink's code. Returns what undoes it.
 */
export function makeFull(folder: string, flinkFolder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const unmount = mount(folder, "size=16k");
  if (unmount !== undefined) return unmount;
  const pid = taskManagerOf(flinkFolder);
  execFileSync("prlimit", ["--pid", pid, "--fsize=16384:unlimited"]);
  return () => execFileSync("prlimit", ["--pid", pid, "--fsize=unlimited:unlimited"]);
}

function mount(folder: string, option: string): (() => void) | undefined {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", option, "tmpfs", folder], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  let mounted = true;
  const unmount = (): void => {
    if (mounted) execFileSync("umount", ["-l", folder], { stdio: "ignore" });
    mounted = false;
  };
  process.once("exit", unmount);
  return unmount;
}

function taskManagerOf(flinkFolder: string): string {
  const found = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).find((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      return command.includes("TaskManagerRunner") && command.includes(flinkFolder);
    } catch {
      return false;
    }
  });
  if (found === undefined) throw new Error(`no TaskManager of ${flinkFolder} runs`);
  return found;
}
