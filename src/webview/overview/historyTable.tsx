import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { HistoryRow, Overview } from "../../core/overview/overview";
import type { OverviewAction } from "../../core/overview/overviewPage";
import { countText, durationText, sizeText } from "../../core/wording";
import { Grid, type GridColumn } from "../inspector/grid";
import { Ago } from "./ago";
import { numberOf, verbTitles } from "./words";

type Kinds = "all" | "savepoint" | "checkpoint";

/** Everything that happened, newest first; the verbs are about the row that is selected. */
export function HistoryTable({ overview, selected, select, run }: { readonly overview: Overview; readonly selected: string | null; select(key: string | null): void; run(action: OverviewAction, key: string): void }): JSX.Element {
  const [kinds, setKinds] = useState<Kinds>("all");
  const rows = useMemo(() => (kinds === "all" ? overview.history : overview.history.filter(({ kind }) => kind === kinds)), [overview.history, kinds]);
  const at = rows.findIndex(({ key }) => key === selected);
  const row = at < 0 ? undefined : rows[at];
  const columns = useMemo(() => columnsAt(overview.atMs), [overview.atMs]);
  const list = useMemo(() => ({ total: rows.length, current: true, failure: undefined, at: (index: number) => rows[index], show: () => undefined }), [rows]);
  return (
    <section class="history" aria-labelledby="history">
      <div class="tools">
        <h2 id="history">History</h2>
        <span class="choice" role="group" aria-label="What is listed">
          {(["all", "savepoint", "checkpoint"] as const).map((each) => <button key={each} type="button" class="chip" aria-pressed={each === kinds} onClick={() => setKinds(each)}>{{ all: "All", savepoint: "Savepoints", checkpoint: "Checkpoints" }[each]}</button>)}
        </span>
        <span class="count">{countText(rows.length, "row")}</span>
      </div>
      <div class="verbs" role="toolbar" aria-label={row === undefined ? "Select a row" : `${row.kind} ${numberOf(row)}`}>
        {row === undefined ? <span class="quiet">Select a row to do something with it.</span> : (
          <>
            <span class="chosen">{row.kind} {numberOf(row)}</span>
            {row.actions.length === 0 ? <span class="quiet">{row.failure ?? row.note ?? "Nothing can be done with it."}</span> : row.actions.map((action) => <button key={action} type="button" class="link" onClick={() => run(action, row.key)}>{verbTitles[action]}</button>)}
          </>
        )}
      </div>
      <div class="tableBox">
        <Grid label="History" columns={columns} rows={list} selectedAt={at < 0 ? null : at} onSelect={({ key }) => select(key)} onOpen={(opened) => {
          if (opened.actions.includes("inspect")) run("inspect", opened.key);
        }} listKey={kinds} empty="Nothing is known yet." />
      </div>
      <p class="quiet">Flink tells its last ten checkpoints only, and none once the JobManager restarted. {overview.keptCheckpoints > 0 ? `${countText(overview.keptCheckpoints, "older one")} of this list ${overview.keptCheckpoints === 1 ? "was" : "were"} seen while this page was open. ` : "Older ones are kept here while this page is open. "}Savepoints are in the ledger for good.</p>
    </section>
  );
}

const marks: { readonly [S in HistoryRow["state"]]: readonly [glyph: string, word: string] } = {
  requested: ["…", "asking Flink"], running: ["…", "being written"], completed: ["✔", "complete"], failed: ["✖", "failed"], unknown: ["?", "outcome unknown"], disposing: ["…", "being disposed of"], disposed: ["–", "disposed of"],
};

function columnsAt(nowMs: number): readonly GridColumn<HistoryRow>[] {
  return [
    { id: "name", title: "What", width: 130, grow: 1.5, cell: (row) => <><span class={`glyph is-${row.state}`} aria-hidden="true">{marks[row.state][0]}</span> {numberOf(row)} <span class="second">{row.kind === "savepoint" ? row.description : ""}</span></> },
    { id: "when", title: "When", width: 90, cell: (row) => <Ago atMs={row.atMs} nowMs={nowMs} /> },
    { id: "kind", title: "Kind", width: 240, cell: (row) => (row.kind === "checkpoint" ? "checkpoint" : ["savepoint", row.format, row.origin].filter((part) => part !== null).join(" · ")) },
    { id: "size", title: "Size", width: 70, isNumber: true, cell: (row) => (row.sizeBytes === null ? "–" : sizeText(row.sizeBytes)) },
    { id: "duration", title: "Duration", width: 70, isNumber: true, cell: (row) => (row.durationMs === null ? "–" : durationText(row.durationMs)) },
    { id: "state", title: "State", width: 140, grow: 2, cell: (row) => <span class={row.state === "failed" ? "bad" : ""} title={row.failure ?? undefined}>{[marks[row.state][1], row.pinned ? "pinned" : null, row.note, row.failure].filter((part) => part !== null).join(" · ")}</span> },
  ];
}
