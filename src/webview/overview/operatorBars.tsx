import type { JSX } from "preact";
import type { HistoryRow } from "../../core/overview/overview";
import { durationText, sizeText } from "../../core/wording";
import { useAnswer } from "../inspector/useAnswer";
import type { Host } from "./overviewPage";
import { numberOf } from "./words";

const mostShown = 12;

/** What each task did for one checkpoint: the largest first, as bars with their numbers. */
export function OperatorBars({ host, row }: { readonly host: Host; readonly row: HistoryRow | null }): JSX.Element {
  const { value, failure, busy } = useAnswer(row === null || row.checkpointId === null ? null : row.key, (signal) => host.call("tasks", { checkpointId: row?.checkpointId ?? 0 }, signal));
  const tasks = [...(value ?? [])].sort((a, b) => b.sizeBytes - a.sizeBytes || (b.durationMs ?? 0) - (a.durationMs ?? 0));
  const largest = Math.max(1, ...tasks.map(({ sizeBytes }) => sizeBytes));
  const longest = Math.max(1, ...tasks.map(({ durationMs }) => durationMs ?? 0));
  return (
    <figure class="chart operators">
      <figcaption>By operator{row === null ? "" : `, ${row.kind} ${numberOf(row)}`}</figcaption>
      {row === null ? <p class="quiet empty">Nothing is complete yet.</p> : failure !== undefined ? <p class="quiet empty">{failure}</p> : busy && value === undefined ? <p class="quiet empty">Asking Flink…</p> : value === null ? <p class="quiet empty">Flink keeps the parts of its last ten only.</p> : (
        <table>
          <thead><tr><th scope="col">Operator</th><th scope="col">Size</th><th scope="col">Duration</th></tr></thead>
          <tbody>
            {tasks.slice(0, mostShown).map((task) => (
              <tr key={task.vertexId}>
                <th scope="row" title={task.name ?? task.vertexId}>{task.name ?? task.vertexId.slice(0, 8)}</th>
                <td><Bar share={task.sizeBytes / largest} text={sizeText(task.sizeBytes)} /></td>
                <td>{task.durationMs === null ? "–" : <Bar share={task.durationMs / longest} text={durationText(task.durationMs)} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {tasks.length > mostShown ? <p class="quiet">{tasks.length - mostShown} smaller ones are not shown.</p> : null}
    </figure>
  );
}

function Bar({ share, text }: { readonly share: number; readonly text: string }): JSX.Element {
  return <span class="barcell"><span class="track" aria-hidden="true"><span style={{ width: `${Math.max(share > 0 ? 2 : 0, share * 100)}%` }} /></span><span class="figure">{text}</span></span>;
}
