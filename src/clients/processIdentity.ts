import { createHash, randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import type { Liveness, ProcessIdentity } from "../core/ports";

let instance: string | undefined;

const self: ProcessIdentity = {
  host: hostname(),
  pid: process.pid,
  get instance() {
    return (instance ??= [machineId(), bootId(), pidNamespace(), statOf(process.pid)?.startTime ?? "0", randomBytes(4).toString("hex")].join("-"));
  },
};

/**
 * Names this process; nothing is read before `instance` is first asked for. That is `<machine>-<boot>-<pid namespace>-<start time>-<random>`,
 * the first four `0` where the system does not tell them (they are Linux's), so that a re-used pid, a reboot and a container with pids of its
 * own are told apart.
 */
export function thisProcess(): ProcessIdentity {
  return self;
}

/** Names a process that this one has started. */
export function childProcess(pid: number): ProcessIdentity {
  return { host: self.host, pid, instance: [machineId(), bootId(), pidNamespace(), statOf(pid)?.startTime ?? "0", randomBytes(4).toString("hex")].join("-") };
}

/**
 * Tells whether the process that `identity` names still runs. A pid that now belongs to another process reads as dead where the start
 * time is known (Linux); elsewhere any process with that pid reads as alive. Anything that cannot be looked at is `other-host`.
 */
export function isAlive(identity: ProcessIdentity, own: ProcessIdentity): Liveness {
  if (identity.host === own.host && identity.pid === own.pid && identity.instance === own.instance) return "self";
  if (identity.host !== own.host || identity.pid < 1) return "other-host";
  const [machine = "0", boot = "0", namespace = "0", startTime = "0"] = identity.instance.split("-");
  const [ownMachine = "0", ownBoot = "0", ownNamespace = "0"] = own.instance.split("-");
  if (machine !== ownMachine) return "other-host";
  if (boot !== ownBoot && boot !== "0" && ownBoot !== "0") return "dead";
  if (namespace !== ownNamespace) return "other-host";
  // Our own pid under another instance: whoever wrote it is gone, or we could not have the pid.
  if (identity.pid === own.pid) return "dead";
  const stat = statOf(identity.pid);
  if (stat !== undefined && startTime !== "0") return stat.ended || stat.startTime !== startTime ? "dead" : "alive";
  return answersSignals(identity.pid) ? "alive" : "dead";
}

/** Start time in clock ticks since boot, and whether only the exit status of the process is left (`/proc/<pid>/stat`, proc(5)). */
function statOf(pid: number): { readonly startTime: string; readonly ended: boolean } | undefined {
  const text = contentOf(`/proc/${pid}/stat`);
  // The second field is the program's name in parentheses and may hold anything, parentheses and spaces included.
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, startTime] = [fields?.[0], fields?.[19]];
  if (state === undefined || startTime === undefined || !/^\d+$/.test(startTime)) return undefined;
  return { startTime, ended: state === "Z" || state === "X" };
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** Tells cloned host names apart; hashed, because a machine id is not to be published (machine-id(5)). */
function machineId(): string {
  const id = contentOf("/etc/machine-id")?.trim();
  return id ? createHash("sha256").update(`flink-savepoints ${id}`).digest("hex").slice(0, 8) : "0";
}

function bootId(): string {
  return contentOf("/proc/sys/kernel/random/boot_id")?.slice(0, 8) ?? "0";
}

function pidNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
  } catch {
    return "0";
  }
}

/** Read at once: these files are made up by the kernel, no disk is involved (but `/etc/machine-id`, which is read once). */
function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return undefined;
  }
}
