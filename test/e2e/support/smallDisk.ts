import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readFileSync, readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Makes a folder that Flink may not write to: a read-only file system of its own for root, who may write anywhere else; permissions for others. Returns what undoes it. */
export function makeUnwritable(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const unmount = mount(folder, "ro");
  if (unmount !== undefined) return unmount;
  chmodSync(folder, 0o555);
  return () => chmodSync(folder, 0o755);
}

/** Makes a folder with what it holds read-only, also for root: nothing in it can be written or deleted. Returns what undoes it. */
export function freeze(folder: string): () => void {
  try {
    execFileSync("mount", ["--bind", folder, folder], { stdio: "ignore" });
  } catch {
    chmodSync(folder, 0o555);
    return () => chmodSync(folder, 0o755);
  }
  const thaw = unmounting(folder);
  execFileSync("mount", ["-o", "remount,ro,bind", folder], { stdio: "ignore" });
  return thaw;
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
  return unmounting(folder);
}

/** A folder with what it holds on a disk of its own, which is full but for as many pages of 4 kB as were given it. */
export interface CrowdedFolder {
  /** So many pages are free from now on. */
  leave(pages: number): void;
  undo(): void;
}

/** Moves a folder of less than 8 MB to a disk of its own that is full. Needs the right to mount. */
export function crowd(folder: string): CrowdedFolder {
  const kept = `${folder}.kept`;
  cpSync(folder, kept, { recursive: true, preserveTimestamps: true });
  const undo = mount(folder, "size=8m");
  if (undo === undefined) throw new Error("mounting is not allowed here");
  cpSync(kept, folder, { recursive: true, preserveTimestamps: true });
  rmSync(kept, { recursive: true });
  const filler = path.join(folder, "filler");
  return {
    leave(pages) {
      rmSync(filler, { force: true });
      const { bavail, bsize } = statfsSync(folder);
      writeFileSync(filler, Buffer.alloc(Math.max(0, bavail - pages) * bsize));
    },
    undo,
  };
}

function unmounting(folder: string): () => void {
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
