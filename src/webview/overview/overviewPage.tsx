import type { JSX } from "preact";
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import type { HistoryRow, Overview } from "../../core/overview/overview";
import type { OverviewAction, OverviewPageApi, OverviewPageEvents, OverviewTab } from "../../core/overview/overviewPage";
import type { Client } from "../../core/rpc";
import { stateWord } from "../../core/rowText";
import { ageText, durationText, sizeText, spanText } from "../../core/wording";
import { savedState, saveState } from "../inspector/vscode";
import { Ago } from "./ago";
import { TimeChart, type ChartPoint } from "./charts";
import { CleanupTab } from "./cleanupTab";
import { HistoryTable } from "./historyTable";
import { OperatorBars } from "./operatorBars";
import { usePainted } from "./painted";
import { Sections } from "./sections";
import { numberOf, verbTitles } from "./words";

/** The other side of this page. */
export type Host = Client<OverviewPageApi, OverviewPageEvents>;

const stateVersion = 1;

/** The page of a job: where one can go back to, what happened lately, how it went over time, and what the rules do. */
export function OverviewPage({ host }: { readonly host: Host }): JSX.Element {
  const [overview, setOverview] = useState<Overview>();
  const [failure, setFailure] = useState<string>();
  const [tab, setTab] = useState<OverviewTab>(() => restoredTab() ?? "overview");
  const [selected, setSelected] = useState<string | null>(restoredSelection);
  const select = useCallback((key: string | null) => {
    setSelected(key);
    keep({ selected: key });
  }, []);
  const show = useCallback((next: OverviewTab) => {
    setTab(next);
    keep({ tab: next });
  }, []);
  useEffect(() => {
    host.on("changed", setOverview);
    host.on("show", ({ tab: wanted }) => show(wanted));
    host.call("about", {}).then((about) => {
      if (restoredTab() === undefined) setTab(about.tab);
      keep({ about });
    }, () => undefined);
    host.call("overview", {}).then(setOverview, (error: unknown) => setFailure(error instanceof Error ? error.message : String(error)));
  }, [host]);
  const run = useCallback((action: OverviewAction, key: string | null = null) => void host.call("run", { action, key }).catch(() => undefined), [host]);

  if (failure !== undefined) return <p class="whole" role="alert">{failure}</p>;
  if (overview === undefined) return <p class="whole" role="status">Asking Flink and reading the ledger…</p>;
  return (
    <>
      <Head overview={overview} run={run} />
      <div class="tabs" role="tablist" aria-label="Parts of the page" onKeyDown={(event) => {
        if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
        show(tab === "overview" ? "cleanup" : "overview");
        event.currentTarget.querySelector<HTMLElement>("[aria-selected=false]")?.focus();
      }}>
        {(["overview", "cleanup"] as const).map((each) => (
          <button key={each} type="button" role="tab" id={`tab-${each}`} class="tab" aria-selected={each === tab} aria-controls="tabpanel" tabIndex={each === tab ? 0 : -1} onClick={() => show(each)}>{each === "overview" ? "Overview" : "Cleanup"}</button>
        ))}
      </div>
      <div class="scroll" role="tabpanel" id="tabpanel" aria-labelledby={`tab-${tab}`}>
        {tab === "overview" ? <Overall overview={overview} host={host} run={run} selected={selected} select={select} /> : <CleanupTab host={host} overview={overview} run={run} />}
      </div>
    </>
  );
}

function Head({ overview, run }: { readonly overview: Overview; run(action: OverviewAction): void }): JSX.Element {
  const { state, sinceMs, atMs } = overview;
  const since = sinceMs === null ? "" : state === "RUNNING" ? ` ${spanText(atMs - sinceMs)}` : ` ${ageText(sinceMs, atMs)}`;
  return (
    <header class="head">
      <div class="title">
        <h1>{overview.jobName}</h1>
        <div class="buttons">
          {overview.verbs.map((verb, at) => <button key={verb} type="button" class={at === 0 ? "button" : "button secondary"} onClick={() => run(verb)}>{verbTitles[verb]}</button>)}
        </div>
      </div>
      <p class="line">{overview.cluster}{overview.flinkVersion === null ? "" : ` · Flink ${overview.flinkVersion}`} · {state === "gone" ? "no longer in Flink" : stateWord(state)}{state === "gone" ? "" : since} · job {overview.jobId.slice(0, 6)}</p>
      {overview.error === null ? null : <p class="note" role="alert">{overview.error} What is shown is what was known before.</p>}
      <WayBack overview={overview} />
    </header>
  );
}

/** The one question at three in the morning. */
function WayBack({ overview }: { readonly overview: Overview }): JSX.Element {
  const { wayBack, checkpoint, restore, atMs } = overview;
  const how = { "now": "The job has ended and can be restored now.", "stop-first": "The job runs: Restore offers to stop it first.", "wait": "The job is neither running nor ended; Restore waits for that." }[restore];
  const failover = checkpoint.completed === null || restore === "now" ? "" : ` By itself Flink fails over to checkpoint ${numberOf(checkpoint.completed)}, ${ageText(checkpoint.completed.atMs, atMs)}.`;
  if (wayBack === null) return <p class="answer bad">No savepoint to go back to. <span class="how">{how}{failover}</span></p>;
  return <p class="answer">Go back to {numberOf(wayBack)}{wayBack.description === "" ? "" : ` “${wayBack.description}”`}, <Ago atMs={wayBack.atMs} nowMs={atMs} />{wayBack.sizeBytes === null ? "" : `, ${sizeText(wayBack.sizeBytes)}`}. <span class="how">{how}{failover}</span></p>;
}

function Overall({ overview, host, run, selected, select }: { readonly overview: Overview; readonly host: Host; run(action: OverviewAction, key?: string | null): void; readonly selected: string | null; select(key: string | null): void }): JSX.Element {
  const row = overview.history.find(({ key }) => key === selected) ?? null;
  // Where one can go back to and what happened lately come first.
  const isPainted = usePainted();
  const sizes = useMemo(() => (isPainted ? pointsOf(overview.history, ({ sizeBytes }) => sizeBytes) : undefined), [overview.history, isPainted]);
  const durations = useMemo(() => (isPainted ? pointsOf(overview.history, ({ durationMs }) => durationMs) : undefined), [overview.history, isPainted]);
  const tasksOf = row?.jobId === overview.jobId && row.checkpointId !== null && row.state === "completed" ? row : overview.checkpoint.completed;
  return (
    <>
      <div class="cards">
        <Card title="Last checkpoint" row={overview.checkpoint.completed} nowMs={overview.atMs} none={overview.intervalMs === null ? "Periodic checkpointing is off." : "None is complete."} select={select} />
        <Card title="Last failed checkpoint" row={overview.checkpoint.failed} nowMs={overview.atMs} none="None failed, as far as is known." select={select} />
        <Card title="Last savepoint" row={overview.savepoint.completed} nowMs={overview.atMs} none="None yet." select={select} />
        <Card title="Last failed savepoint" row={overview.savepoint.failed} nowMs={overview.atMs} none="None failed, as far as is known." select={select} />
      </div>
      {overview.budget === null ? null : <Budget budget={overview.budget} />}
      <div class="charts">
        <TimeChart title="Size over time" points={sizes} text={sizeText} selected={selected} select={select} nowMs={overview.atMs} />
        <TimeChart title="Duration over time" points={durations} text={durationText} selected={selected} select={select} nowMs={overview.atMs} />
        <OperatorBars host={host} row={isPainted ? tasksOf : undefined} newest={overview.checkpoint.completed?.key ?? null} nowMs={overview.atMs} />
      </div>
      <HistoryTable overview={overview} selected={selected} select={select} run={run} />
      {isPainted ? <Sections overview={overview} host={host} run={run} select={select} /> : null}
    </>
  );
}

function Card({ title, row, nowMs, none, select }: { readonly title: string; readonly row: HistoryRow | null; readonly nowMs: number; readonly none: string; select(key: string): void }): JSX.Element {
  const isBad = row?.state === "failed";
  return (
    <section class={isBad ? "card failed" : row === null ? "card none" : "card good"} aria-label={title}>
      <h2><span aria-hidden="true" class="glyph">{row === null ? "–" : isBad ? "✖" : "✔"}</span>{title}</h2>
      {row === null ? <p class="quiet">{none}</p> : (
        <>
          <p><button type="button" class="link number" onClick={() => select(row.key)}>{numberOf(row)}</button> <Ago atMs={row.failedAtMs ?? row.atMs} nowMs={nowMs} /></p>
          <p class="quiet">{[row.durationMs === null ? null : `took ${durationText(row.durationMs)}`, row.sizeBytes === null ? null : sizeText(row.sizeBytes), row.format, row.origin, row.note].filter((part) => part !== null).join(" · ")}</p>
          {isBad ? <p class="reason" title={row.failure ?? undefined}>{row.failure ?? "Flink gives no reason."}</p> : null}
        </>
      )}
    </section>
  );
}

/** How long a savepoint takes, against the checkpoint timeout, which ends savepoints too. */
function Budget({ budget: { expectedMs, timeoutMs } }: { readonly budget: NonNullable<Overview["budget"]> }): JSX.Element {
  const share = Math.min(1, expectedMs / timeoutMs);
  const isTight = share > 0.7;
  return (
    <p class={isTight ? "budget tight" : "budget"}>
      {isTight ? <span aria-hidden="true" class="glyph">⚠</span> : null}A savepoint usually takes {durationText(expectedMs)} of the {durationText(timeoutMs)} that <code>execution.checkpointing.timeout</code> allows
      <span class="meter" aria-hidden="true"><span style={{ width: `${share * 100}%` }} /></span>{Math.round(share * 100)} %
    </p>
  );
}

/** Points of the history that have the value, failed ones apart. */
function pointsOf(history: readonly HistoryRow[], value: (row: HistoryRow) => number | null): readonly ChartPoint[] {
  return history.flatMap((row): ChartPoint[] => {
    const y = value(row);
    if (row.state === "failed") return [{ key: row.key, atMs: row.atMs, value: 0, kind: "failed", name: numberOf(row) }];
    return y === null || (row.state !== "completed" && row.state !== "disposed") ? [] : [{ key: row.key, atMs: row.atMs, value: y, kind: row.kind, name: numberOf(row) }];
  });
}

function restoredSelection(): string | null {
  const state = savedState();
  return isKept(state) && typeof state.selected === "string" ? state.selected : null;
}

function restoredTab(): OverviewTab | undefined {
  const state = savedState();
  return isKept(state) && (state.tab === "overview" || state.tab === "cleanup") ? state.tab : undefined;
}

function keep(part: object): void {
  const state = savedState();
  saveState({ ...(isKept(state) ? state : {}), version: stateVersion, ...part });
}

function isKept(state: unknown): state is { readonly version: number; readonly selected?: unknown; readonly tab?: unknown } {
  return typeof state === "object" && state !== null && "version" in state && state.version === stateVersion;
}
