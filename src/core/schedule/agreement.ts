import { stableId } from "../base/murmur3";
import type { ScheduleInForce } from "./tick";

/** The id of the ledger's record of the agreement to one schedule: the same in every window, and wherever its file lies. */
export function agreementRecordId(key: string): string {
  return `agreement-${stableId(key)}`;
}

/** What a person agrees to: all that a schedule says but whether it is paused, as one text that is equal for equal schedules. */
export function agreementText({ cluster, schedule }: Pick<ScheduleInForce, "cluster" | "schedule">): string {
  return JSON.stringify(Object.fromEntries(Object.entries({ ...schedule, cluster }).filter(([name]) => name !== "enabled").sort(([a], [b]) => (a < b ? -1 : 1))));
}

/** What a schedule says otherwise than the text that was agreed to, a line for each property: `directory: s3://a → s3://b`. */
export function changesSince(agreed: string, inForce: Pick<ScheduleInForce, "cluster" | "schedule">): string[] {
  const before = JSON.parse(agreed) as Record<string, unknown>;
  const now = JSON.parse(agreementText(inForce)) as Record<string, unknown>;
  const text = (value: unknown): string => (value === undefined ? "not set" : typeof value === "string" ? value : JSON.stringify(value));
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].sort().filter((name) => text(before[name]) !== text(now[name])).map((name) => `${name}: ${text(before[name])} → ${text(now[name])}`);
}
