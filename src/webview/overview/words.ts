import type { HistoryRow } from "../../core/overview/overview";
import type { OverviewAction } from "../../core/overview/overviewPage";

/** What the page's buttons are called. */
export const verbTitles: { readonly [A in OverviewAction]: string } = {
  trigger: "Trigger Savepoint…", stop: "Stop with Savepoint…", restoreAny: "Restore…", showPairs: "Show Pairs", openWebUi: "Open in Web UI", newSchedule: "New Schedule…", openSchedules: "Open Schedules and Rules",
  restore: "Restore…", inspect: "Inspect", compare: "Compare with…", pin: "Pin", unpin: "Unpin", editDescription: "Edit Description…", dispose: "Dispose…", copyPath: "Copy Path", revealRow: "Show in Tree",
};

/** What a row is called: its checkpoint number, as Flink's logs and a Paimon tag say it. */
export function numberOf(row: Pick<HistoryRow, "checkpointId" | "kind">): string {
  return row.checkpointId === null ? row.kind : `#${row.checkpointId}`;
}

/** The origins of savepoints in a table. */
export const originTitles = { manual: "By hand", scheduled: "By a schedule", stop: "By a stop", upgrade: "For an upgrade", found: "Found, origin unknown", aside: "Moved aside by cleanup" } as const;
