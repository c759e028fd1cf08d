import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { StateRow } from "../../core/inspector/protocol";
import { sizeText } from "../../core/wording";
import { Grid, type GridColumn } from "./grid";
import type { Host } from "./inspector";
import { listRows } from "./rows";
import { useAnswer } from "./useAnswer";

/** Arrow keys run over operators faster than files can be read. */
const pauseMs = 120;

/** The states of an operator with their serializers; entries are counted when that is asked for. */
export function StateTable({ host, row, reading, hasState }: { readonly host: Host; readonly row: number; readonly reading: number; readonly hasState: boolean }): JSX.Element {
  const [count, setCount] = useState(false);
  const { value, failure, busy } = useAnswer(hasState ? `${reading} ${row} ${count}` : null, (signal) => host.call("states", { row, count }, signal), count ? 0 : pauseMs);
  const [selected, setSelected] = useState<number | null>(null);
  if (!hasState) return <p class="empty">This operator has no keyed and no operator state.</p>;
  const states = value?.states ?? [];
  return (
    <>
      <div class="tools">
        <span class="count start" role="status">{busy ? (count ? "Counting entries…" : "Reading state files…") : failure ?? (value === undefined ? "" : `${value.notes.join(" ")}${value.notes.length > 0 ? " " : ""}${sizeText(value.readBytes)} of state files read.`)}</span>
        {count && busy ? <button type="button" class="link" onClick={() => setCount(false)}>Stop</button> : count || states.length === 0 ? null : <button type="button" class="link" title="Reads the state files whole" onClick={() => setCount(true)}>Count entries</button>}
      </div>
      <Grid label="States" columns={columns} rows={listRows(states)} selectedAt={selected} onSelect={(_, index) => setSelected(index)} empty={busy || failure !== undefined ? "" : "No state could be named."} />
    </>
  );
}

const columns: readonly GridColumn<StateRow>[] = [
  { id: "name", title: "State", width: 140, grow: 2, cell: ({ name }) => <span title={name}>{name}</span> },
  { id: "kind", title: "Kind", width: 100, grow: 1, cell: ({ kind }) => kind },
  { id: "key", title: "Key", width: 80, grow: 1, cell: ({ key }) => <span title={key}>{key === "" ? "–" : key}</span> },
  { id: "namespace", title: "Namespace", width: 80, grow: 1, cell: ({ namespace }) => <span title={namespace}>{namespace === "" ? "–" : namespace}</span> },
  { id: "value", title: "Value serializer", width: 180, grow: 3, cell: ({ value }) => <span title={value}>{value === "" ? "–" : value}</span> },
  { id: "entries", title: "Entries", width: 80, isNumber: true, cell: ({ entries }) => (entries === null ? <span class="none">–</span> : entries.toLocaleString("en")) },
  { id: "subtasks", title: "Subtasks", hint: "Subtasks, of those that were looked at, that have the state", width: 68, isNumber: true, cell: ({ subtasks }) => subtasks.toLocaleString("en") },
];
