import type { Blackout } from "../lifecycle/lifecycleFile";
import { blackoutAt, blackoutText } from "./blackout";
import type { Cron } from "./cron";
import { cronRuns, effectiveRuns, firstOf, shortestGapMs, shortestIntervalMs } from "./cronRuns";
import { dayInZone } from "./zoneTime";

/** A declared run, and why it does not come; null when it does. */
export interface PreviewedRun {
  readonly atMs: number;
  /** With the zone's own clock, such as `Mon 2026-11-30 03:00 GMT+1`. */
  readonly time: string;
  readonly leftOut: string | null;
}

/** What a schedule will do: its next runs as declared, each with what becomes of it, and the next that come. */
export interface Preview {
  readonly declared: readonly PreviewedRun[];
  readonly effective: readonly PreviewedRun[];
  /** What to know about it, with full stop, or null. */
  readonly warning: string | null;
}

/** The next `count` runs after an instant, declared and effective. */
export function previewOf(cron: Cron, zone: string, blackouts: readonly Blackout[], afterMs: number, count: number): Preview {
  const looked = 2_000;
  const kept = new Set<number>();
  const effective: PreviewedRun[] = [];
  for (const atMs of firstOf(looked, effectiveRuns(cronRuns(cron, zone, afterMs)))) {
    kept.add(atMs);
    if (blackoutAt(atMs, zone, blackouts) === undefined) effective.push({ atMs, time: dayInZone(atMs, zone), leftOut: null });
    if (effective.length >= count && kept.size >= count) break;
  }
  const declared = firstOf(count, cronRuns(cron, zone, afterMs)).map((atMs): PreviewedRun => {
    const blackout = blackoutAt(atMs, zone, blackouts);
    return { atMs, time: dayInZone(atMs, zone), leftOut: !kept.has(atMs) ? "less than 10 minutes after the one before" : blackout === undefined ? null : `blackout ${blackoutText(blackout)}` };
  });
  const tooOften = shortestGapMs(cron) < shortestIntervalMs;
  const warning = tooOften ? "It declares runs less than 10 minutes apart; those that come too early are left out." : effective.length === 0 ? "Every one of its next runs falls into a blackout." : null;
  return { declared, effective, warning };
}
