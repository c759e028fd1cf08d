import * as z from "zod";
import type { FoundLocalFlink, RunningLocalFlink } from "./localFlink";
import { dataDirectories } from "./configuration";
import { normaliseLocation } from "../model/location";

/**
 * What is written down about the local Flink, before its processes are started and at each change. Its processes are not in it: they
 * carry `instance` on their command line and are looked up in the process table, so that a crash at any moment leaves none unknown.
 */
export const localFlinkStateSchema = z.lazy(() => z.object({
  format: z.literal(1),
  /** Random; names this start. */
  instance: z.uuid(),
  phase: z.enum(["starting", "running", "stopping", "stopped"]),
  version: z.string(),
  port: z.number().int(),
  startedAtMs: z.number(),
  /** Who started or adopted it, or who stops it. */
  owner: z.object({ host: z.string(), pid: z.number().int(), instance: z.string() }),
  keep: z.boolean(),
  /** Holds `savepoints` and `checkpoints`. */
  dataFolder: z.string(),
  /** The `java` it runs with. */
  java: z.string(),
}));

/** A written state that was read and checked. */
export type LocalFlinkState = z.infer<typeof localFlinkStateSchema>;

/** What living processes say about a written state. */
export interface Signs {
  readonly jobManagerAlive: boolean;
  readonly ownerAlive: boolean;
  readonly mine: boolean;
  readonly logFile: string;
}

/**
 * Judges a written state by the processes that live. Without a JobManager there is no local Flink, except in the moment between the
 * writing and the starting of it, while the owner lives. What is being stopped counts as gone.
 */
export function judge(state: LocalFlinkState | undefined, signs: Signs): FoundLocalFlink {
  if (state === undefined || state.phase === "stopped" || state.phase === "stopping") return { state: "none" };
  const flink = describe(state, signs);
  if (state.phase === "starting") {
    if (signs.ownerAlive) return { state: "starting", flink };
    return signs.jobManagerAlive ? { state: "left-over", flink } : { state: "none" };
  }
  if (!signs.jobManagerAlive) return { state: "none" };
  return { state: signs.ownerAlive || state.keep ? "running" : "left-over", flink };
}

/** The running Flink that a state describes. */
export function describe(state: LocalFlinkState, signs: Pick<Signs, "mine" | "logFile">): RunningLocalFlink {
  const { savepoints, checkpoints } = dataDirectories(state.dataFolder);
  return {
    url: `http://localhost:${state.port}`,
    version: state.version,
    startedAtMs: state.startedAtMs,
    savepointDirectory: normaliseLocation(savepoints),
    checkpointDirectory: normaliseLocation(checkpoints),
    logFile: signs.logFile,
    keep: state.keep,
    mine: signs.mine,
  };
}

/** One row of the process table. */
export interface ListedProcess {
  readonly pid: number;
  /** The command line; its arguments may be separated by spaces or by NUL. */
  readonly command: string;
}

/** Reads the lines of `ps -o pid=,command=`. */
export function parseProcesses(text: string): readonly ListedProcess[] {
  return text.split("\n").flatMap((line) => {
    const found = /^\s*(\d+)\s+(.*)$/.exec(line);
    return found ? [{ pid: Number(found[1]), command: found[2] ?? "" }] : [];
  });
}

/** The end of a log without stack frames, so that its last line names the deepest cause; at most twelve lines. */
export function lastWords(log: string): string {
  const lines = log.split(/\r?\n/).filter((line) => line.trim() !== "" && !/^\s+(at |\.\.\. \d+ )/.test(line));
  return lines.slice(-12).map((line) => line.slice(0, 500)).join("\n");
}

/** True when a log says that Flink could not have a port. */
export function lostItsPort(log: string): boolean {
  return /BindException|Address already in use|Could not start rest endpoint on any port/.test(log);
}
