import type { Schedule } from "../lifecycle/lifecycleFile";
import { stableId } from "../base/murmur3";
import { localMs } from "./cronRuns";

/** A schedule with the address of its cluster instead of a name. */
export interface ScheduleInForce {
  /** What tells it from every other, on every machine: see `scheduleKey`. */
  readonly key: string;
  /** Normalised address of the cluster. */
  readonly cluster: string;
  readonly schedule: Schedule;
  /** Path or address of the file that it stands in. */
  readonly file: string;
}

/** The same for everyone who has the same schedule: what its ticks' ids are made of. */
export function scheduleKey(cluster: string, { job, name }: Schedule): string {
  return JSON.stringify([cluster, job, name]);
}

/**
 * The id, for ledger and Flink alike, of an attempt to take the savepoint of a tick. Whoever has the same schedule gets the same id, so that
 * neither the ledger nor Flink (while it remembers the id) takes it twice. `attempt` counts from 0.
 */
export function tickId(key: string, tickAtMs: number, attempt: number): string {
  return stableId(JSON.stringify(["tick", key, tickAtMs, attempt]));
}

/** A schedule's description of the savepoint of a tick: `{schedule}`, `{job}`, and `{date}` and `{time}` in the schedule's zone. */
export function tickDescription({ description, name, job, timeZone }: Schedule, tickAtMs: number): string {
  const local = new Date(localMs(tickAtMs, timeZone)).toISOString();
  const values: Readonly<Record<string, string>> = { schedule: name, job, date: local.slice(0, 10), time: local.slice(11, 16) };
  return description.replace(/\{(schedule|job|date|time)\}/g, (_, word: string) => values[word] ?? "");
}
