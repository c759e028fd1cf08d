import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import type { HistoryRow } from "../../core/overview/overview";
import { operatorSeries, type OperatorSeries } from "../../core/overview/taskHistory";
import { ageText, countText, durationText, sizeText } from "../../core/wording";
import { useAnswer } from "../inspector/useAnswer";
import type { Host } from "./overviewPage";
import { numberOf } from "./words";

const mostShown = 12;

/** What each task did, for one checkpoint as bars, or over time as lines: the largest first, with their numbers. `row` is undefined while nothing is to be drawn yet. */
export function OperatorBars({ host, row, newest, nowMs }: { readonly host: Host; readonly row: HistoryRow | null | undefined; readonly newest: string | null; readonly nowMs: number }): JSX.Element {
  const [isOverTime, setOverTime] = useState(false);
  const shown = row === null || row === undefined ? "" : `, ${row.kind} ${numberOf(row)}`;
  return (
    <figure class="chart operators">
      <figcaption>By operator{isOverTime ? "" : shown}
        <span class="choice" role="group" aria-label="What is shown of the operators">
          {[false, true].map((each) => <button key={String(each)} type="button" class="chip" aria-pressed={each === isOverTime} onClick={() => setOverTime(each)}>{each ? "Over time" : "One checkpoint"}</button>)}
        </span>
      </figcaption>
      {row === undefined ? null : row === null ? <p class="quiet empty">Nothing is complete yet.</p> : isOverTime ? <OverTime host={host} newest={newest} nowMs={nowMs} /> : <OneCheckpoint host={host} row={row} />}
    </figure>
  );
}

function OneCheckpoint({ host, row }: { readonly host: Host; readonly row: HistoryRow }): JSX.Element {
  const { value, failure, busy } = useAnswer(row.checkpointId === null ? null : row.key, (signal) => host.call("tasks", { checkpointId: row.checkpointId ?? 0 }, signal));
  const tasks = [...(value ?? [])].sort((a, b) => b.sizeBytes - a.sizeBytes || (b.durationMs ?? 0) - (a.durationMs ?? 0));
  const largest = Math.max(1, ...tasks.map(({ sizeBytes }) => sizeBytes));
  const longest = Math.max(1, ...tasks.map(({ durationMs }) => durationMs ?? 0));
  if (failure !== undefined || (busy && value === undefined) || value === null) return <p class="quiet empty">{failure ?? (value === null ? "Flink keeps the parts of its last ten only." : "Asking Flink…")}</p>;
  return (
    <Operators more={tasks.length - mostShown}>
      {tasks.slice(0, mostShown).map((task) => (
        <tr key={task.vertexId}>
          <th scope="row" title={task.name ?? task.vertexId}>{task.name ?? task.vertexId.slice(0, 8)}</th>
          <td><Bar share={task.sizeBytes / largest} text={sizeText(task.sizeBytes)} /></td>
          <td>{task.durationMs === null ? "–" : <Bar share={task.durationMs / longest} text={durationText(task.durationMs)} />}</td>
        </tr>
      ))}
    </Operators>
  );
}

/** Asked for when it is looked at, and again with each checkpoint that completes. */
function OverTime({ host, newest, nowMs }: { readonly host: Host; readonly newest: string | null; readonly nowMs: number }): JSX.Element {
  const { value, failure } = useAnswer(newest ?? "none", (signal) => host.call("taskHistory", {}, signal));
  if (failure !== undefined || value === undefined || value.length === 0) return <p class="quiet empty">{failure ?? (value === undefined ? "Asking Flink…" : "Flink tells the operators of none of its checkpoints.")}</p>;
  const series = operatorSeries(value);
  return (
    <>
      <Operators more={series.length - mostShown}>
        {series.slice(0, mostShown).map((each) => (
          <tr key={each.vertexId}>
            <th scope="row" title={each.name ?? each.vertexId}>{each.name ?? each.vertexId.slice(0, 8)}</th>
            <td><Line series={each} value={({ sizeBytes }) => sizeBytes} text={sizeText} what="size" /></td>
            <td><Line series={each} value={({ durationMs }) => durationMs} text={durationText} what="duration" /></td>
          </tr>
        ))}
      </Operators>
      <p class="quiet">{countText(value.length, "checkpoint")} since {ageText(value[0]?.atMs ?? nowMs, nowMs)}: those that Flink tells apart, and those that were seen while this page was open. Each line begins at zero.</p>
    </>
  );
}

function Operators({ more, children }: { readonly more: number; readonly children: ComponentChildren }): JSX.Element {
  return (
    <>
      <table>
        <thead><tr><th scope="col">Operator</th><th scope="col">Size</th><th scope="col">Duration</th></tr></thead>
        <tbody>{children}</tbody>
      </table>
      {more > 0 ? <p class="quiet">{more} smaller ones are not shown.</p> : null}
    </>
  );
}

function Bar({ share, text }: { readonly share: number; readonly text: string }): JSX.Element {
  return <span class="barcell"><span class="track" aria-hidden="true"><span style={{ width: `${Math.max(share > 0 ? 2 : 0, share * 100)}%` }} /></span><span class="figure">{text}</span></span>;
}

const lineHeight = 20;

/** One operator's values from left, oldest, to right, and the newest as a figure. */
function Line({ series: { points }, value, text, what }: { readonly series: OperatorSeries; value(point: OperatorSeries["points"][number]): number | null; text(value: number): string; readonly what: string }): JSX.Element {
  const values = points.flatMap((point) => value(point) ?? []);
  const last = values.at(-1);
  if (last === undefined) return <>–</>;
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const x = (at: number): string => (values.length === 1 ? "50" : ((100 * at) / (values.length - 1)).toFixed(1));
  const y = (each: number): string => (lineHeight - 2 - (most === 0 ? 0 : (each / most) * (lineHeight - 4))).toFixed(1);
  const path = values.length === 1 ? `M0 ${y(last)}H100` : values.map((each, at) => `${at === 0 ? "M" : "L"}${x(at)} ${y(each)}`).join("");
  const range = `${what} from ${text(least)} to ${text(most)} in ${countText(values.length, "checkpoint")}`;
  return (
    <span class="barcell" title={range}>
      <svg class="spark" role="img" aria-label={range} viewBox={`0 0 100 ${lineHeight}`} preserveAspectRatio="none"><path class="sparkline" d={path} /></svg>
      <span class="figure">{text(last)}</span>
    </span>
  );
}
