import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { HandleRow, OperatorRow, SubtaskRow } from "../../core/inspector/protocol";
import { countText } from "../../core/wording";
import { Grid, type GridColumn } from "./grid";
import type { Host } from "./inspector";
import { Size } from "./operatorTable";
import { useRows } from "./rows";

/** The subtasks of an operator and, for one of them, every handle. */
export function SubtaskTables({ host, operator, reading }: { readonly host: Host; readonly operator: OperatorRow; readonly reading: number }): JSX.Element {
  const { row } = operator;
  const [subtask, setSubtask] = useState<number>(0);
  const [handle, setHandle] = useState<{ readonly at: number; readonly row: HandleRow } | null>(null);
  const [problem, setProblem] = useState("");
  const subtasks = useRows<SubtaskRow>(`${reading} ${row}`, (from, limit, signal) => host.call("subtasks", { row, from, limit }, signal));
  const handles = useRows<HandleRow>(`${reading} ${row} ${subtask}`, async (from, limit, signal) => {
    const answer = await host.call("handles", { row, subtask, from, limit }, signal);
    setProblem(answer.problems.map(({ text }) => text).join(" "));
    return answer;
  });
  const mean = operator.sizeBytes / Math.max(1, operator.parallelism);
  const columns: readonly GridColumn<SubtaskRow>[] = [
    { id: "index", title: "Subtask", width: 60, isNumber: true, cell: ({ index }) => index },
    { id: "size", title: "State", width: 76, isNumber: true, cell: ({ sizeBytes, finished }) => (finished ? "finished" : <Size bytes={sizeBytes} />) },
    { id: "against", title: "Of the mean", width: 80, grow: 1, isNumber: true, cell: ({ sizeBytes }) => (mean > 0 ? `${(sizeBytes / mean).toFixed(1)}×` : "–") },
  ];
  const path = handle?.row.path ?? null;
  return (
    <div class="halves">
      <div class="half narrow"><Grid label="Subtasks" columns={columns} rows={subtasks} selectedAt={subtask} onSelect={(_, at) => {
        setSubtask(at);
        setHandle(null);
      }} empty={subtasks.failure ?? (subtasks.current ? "No subtask of this operator is in the file." : "")} /></div>
      <div class="half">
        <div class="tools">
          <span class="count start" role="status">{problem === "" ? `${countText(handles.total, "handle")} of subtask ${subtasks.at(subtask)?.index ?? subtask}` : problem}</span>
          <span class="buttons">
            <button type="button" class="link" disabled={path === null} onClick={() => void host.call("copy", { what: "path", text: path ?? "" })}>Copy path</button>
            <button type="button" class="link" disabled={path === null} onClick={() => void host.call("reveal", { path }).catch((error: unknown) => setProblem(error instanceof Error ? error.message : String(error)))}>Reveal file</button>
          </span>
        </div>
        <Grid label="Handles" columns={handleColumns} rows={handles} selectedAt={handle?.at ?? null} onSelect={(one, at) => setHandle({ at, row: one })} empty={handles.failure ?? (handles.current ? "This subtask has no state." : "")} />
      </div>
    </div>
  );
}

const handleColumns: readonly GridColumn<HandleRow>[] = [
  { id: "part", title: "Part", width: 110, grow: 1, cell: ({ part }) => <span title={part}>{part}</span> },
  { id: "form", title: "Form", width: 140, grow: 1, cell: ({ form }) => <span title={form}>{form}</span> },
  { id: "detail", title: "Holds", width: 120, grow: 1, cell: ({ detail }) => <span title={detail}>{detail}</span> },
  { id: "size", title: "Size", width: 72, isNumber: true, cell: ({ sizeBytes }) => <Size bytes={sizeBytes} /> },
  { id: "path", title: "File", width: 220, grow: 3, cell: ({ path }) => (path === null ? <span class="none">inside the metadata</span> : <span class="path" title={path}><bdi>{path}</bdi></span>) },
];
