import type { ScheduleLine } from "../../core/overview/overview";
import type { TickOutcome } from "../../core/schedule/scheduleState";
import { oneLine } from "../../core/rowText";
import { ageText, countText } from "../../core/wording";
import type { ScheduleView } from "../../services/schedules";

/** A job's schedules as the page of the job has them. */
export function scheduleLines(views: readonly ScheduleView[], nowMs: number): ScheduleLine[] {
  return views.map(({ inForce: { schedule }, meaning, nextMs, last, runsHere, waits }) => ({
    name: schedule.name, meaning, nextMs, timeZone: schedule.timeZone, enabled: schedule.enabled, waits, runsHere, last: last === null ? null : outcomeText(last, nowMs),
  }));
}

function outcomeText(outcome: TickOutcome, nowMs: number): string {
  const when = ageText(outcome.atMs, nowMs);
  switch (outcome.what) {
    case "taken": return `last taken ${when}`;
    case "skipped": return `last run skipped ${when}: ${oneLine(outcome.why, 200)}`;
    case "failed": return `last run failed ${when}: ${oneLine(outcome.why, 200)}`;
    case "missed": return `${countText(outcome.count, "run")} missed ${when}, nothing ran here`;
  }
}
