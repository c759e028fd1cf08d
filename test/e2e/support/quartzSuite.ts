import assert from "node:assert/strict";
import { cronRuns, localMs } from "../../../src/core/schedule/cronRuns";
import { quartzOf } from "../../../src/core/schedule/quartz";
import { quartzRuns, type QuartzQuestion } from "../../rig/schedulePeers";
import { randomCron } from "../../unit/randomCron";
import { seeded } from "../../unit/seeded";

/** Zones of every kind: none, European and American rules, half an hour, at midnight, and by decree. */
const zones = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/Havana"] as const;

const dayMs = 86_400_000;

/** A difference between Quartz's runs and ours. */
export interface Difference {
  readonly cron: string;
  readonly zone: string;
  readonly quartzOnly: readonly string[];
  readonly oursOnly: readonly string[];
}

/** Compares random expressions over `days` from each of some days on, and tells what differs. `atMost` runs of each are looked at. */
export async function compareWithQuartz(quartz: string, { count, seed, days, starts, atMost }: { readonly count: number; readonly seed: number; readonly days: number; readonly starts: readonly string[]; readonly atMost: number }): Promise<{ readonly runs: number; readonly differences: Difference[] }> {
  const random = seeded(seed);
  const asked: { readonly text: string; readonly question: QuartzQuestion; readonly ours: number[] }[] = [];
  for (let at = 0; at < count; at++) {
    const cron = randomCron(random);
    const zone = zones[at % zones.length] ?? "UTC";
    const fromMs = Date.parse(`${starts[Math.floor(at / zones.length) % starts.length] ?? ""}T00:00:00Z`);
    const untilMs = fromMs + days * dayMs;
    const ours: number[] = [];
    for (const run of cronRuns(cron, zone, fromMs)) {
      if (run >= untilMs || ours.length >= atMost) break;
      ours.push(run);
    }
    asked.push({ text: cron.text, ours, question: { zone, triggers: quartzOf(cron), fromMs, untilMs, atMost } });
  }
  const theirs = await quartzRuns(quartz, asked.map(({ question }) => question));
  const differences: Difference[] = [];
  const iso = (run: number): string => new Date(run).toISOString().slice(0, 16);
  let runs = 0;
  for (const [at, { text, question, ours }] of asked.entries()) {
    const found = theirs[at] ?? [];
    // Where one list is cut off, the other is cut at the same instant.
    const endMs = ours.length < atMost && found.length < atMost ? Infinity : Math.min(ours.at(-1) ?? Infinity, found.at(-1) ?? Infinity);
    const [mine, quartzs] = [ours, found].map((list) => new Set(list.filter((run) => run <= endMs)));
    const quartzOnly = [...(quartzs ?? [])].filter((run) => mine?.has(run) !== true);
    const oursOnly = [...(mine ?? [])].filter((run) => quartzs?.has(run) !== true);
    runs += mine?.size ?? 0;
    if (quartzOnly.length + oursOnly.length > 0) differences.push({ cron: text, zone: question.zone, quartzOnly: quartzOnly.map(iso), oursOnly: oursOnly.map(iso) });
  }
  return { runs, differences };
}

/** Throws for a difference at any other time than within three hours of a change of the zone's clocks, where Quartz decides for itself which pass counts. */
export function assertSameButAtChanges({ runs, differences }: { readonly runs: number; readonly differences: readonly Difference[] }): void {
  assert.ok(runs > 1_000);
  const isAtChange = (zone: string, run: string): boolean => {
    const at = Date.parse(`${run}Z`);
    return localMs(at - 3 * 3_600_000, zone) - (at - 3 * 3_600_000) !== localMs(at + 3 * 3_600_000, zone) - (at + 3 * 3_600_000);
  };
  const wrong = differences.filter(({ zone, quartzOnly, oursOnly }) => [...quartzOnly, ...oursOnly].some((run) => !isAtChange(zone, run)));
  assert.deepEqual(wrong, []);
}
