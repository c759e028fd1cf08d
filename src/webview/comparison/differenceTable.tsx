import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { ComparisonPageApi } from "../../core/comparison/comparisonPage";
import type { DifferenceColumn, DifferenceRow } from "../../core/comparison/protocol";
import type { Client } from "../../core/rpc";
import { countText } from "../../core/wording";
import { Grid, type GridColumn } from "../inspector/grid";
import { Size } from "../inspector/operatorTable";
import { useRows } from "../inspector/rows";
import type { PageState } from "./pageState";
import { changeSigns, changeText, deltaText, nameParts, pairText, statesText } from "./texts";

/** The other side of this page. */
export type Host = Client<ComparisonPageApi, Record<never, never>>;

interface DifferenceTableProps {
  readonly host: Host;
  readonly page: PageState;
  /** Changes when the states are there. */
  readonly reading: number;
  /** Operators on both sides together, whether they changed or not. */
  readonly all: number;
  readonly mostBytes: number;
  readonly statesRead: boolean;
  change(part: Partial<PageState>): void;
}

/** The operators of both sides, in any order, those that changed or all. */
export function DifferenceTable({ host, page, reading, all, mostBytes, statesRead, change }: DifferenceTableProps): JSX.Element {
  const { swapped, changesOnly, sort, filter } = page;
  const [selectedAt, setSelectedAt] = useState<number | null>(null);
  const order = `${swapped} ${changesOnly} ${sort.by} ${sort.descending} ${filter}`;
  const rows = useRows<DifferenceRow>(`${reading} ${order}`, async (from, limit, signal) => {
    const answer = await host.call("rows", { swapped, changesOnly, sort, filter, from, limit, selected: page.selected }, signal);
    setSelectedAt(answer.selectedAt);
    return answer;
  });
  const columns = useMemo(() => columnsOf(mostBytes, statesRead), [mostBytes, statesRead]);
  return (
    <section class="operators" aria-label="Operators">
      <div class="tools">
        <input class="filter" type="search" spellcheck={false} aria-label="Filter operators" placeholder="Filter by name, uid or id…" value={filter} onInput={(event) => change({ filter: event.currentTarget.value, scrollTop: 0 })} />
        <label class="check"><input type="checkbox" checked={changesOnly} onChange={(event) => change({ changesOnly: event.currentTarget.checked, scrollTop: 0 })} /> Only changes</label>
        <span class="count" role="status">{rows.total === all ? countText(all, "operator") : `${rows.total.toLocaleString("en")} of ${countText(all, "operator")}`}</span>
      </div>
      <Grid label="Operators of both savepoints" listKey={order} columns={columns} rows={rows} selectedAt={selectedAt} sort={sort}
        onSort={(column) => change({ sort: { by: column as DifferenceColumn, descending: sort.by === column ? !sort.descending : column !== "name" }, scrollTop: 0 })}
        onSelect={(row, index) => {
          setSelectedAt(index);
          change({ selected: row.at });
        }}
        scrollTop={page.scrollTop} onScroll={(scrollTop) => change({ scrollTop })}
        empty={rows.failure ?? (filter !== "" ? "No operator fits the filter." : changesOnly && all > 0 ? "No operator has changed." : "There are no operators in these savepoints.")} />
    </section>
  );
}

function columnsOf(mostBytes: number, statesRead: boolean): readonly GridColumn<DifferenceRow>[] {
  return [
    { id: "change", title: "Change", hint: "What is new, gone or another", width: 150, grow: 1.3, canSort: true, cell: (row) => <span class={`change ${row.change}`} title={changeText(row)}><span class="sign" aria-hidden="true">{changeSigns[row.change]}</span>{changeText(row)}</span> },
    { id: "name", title: "Operator", width: 160, grow: 2, canSort: true, cell: (row) => <Name row={row} /> },
    { id: "delta", title: "Δ size", hint: "Growth of the operator's state", width: 140, grow: 1.2, isNumber: true, canSort: true, cell: ({ deltaBytes }) => <Delta bytes={deltaBytes} mostBytes={mostBytes} /> },
    { id: "left", title: "Before", hint: "State on the left", width: 76, isNumber: true, canSort: true, cell: ({ left }) => (left === null ? <Nothing /> : <Size bytes={left.sizeBytes} />) },
    { id: "right", title: "After", hint: "State on the right", width: 76, isNumber: true, canSort: true, cell: ({ right }) => (right === null ? <Nothing /> : <Size bytes={right.sizeBytes} />) },
    { id: "parallelism", title: "Parallelism", width: 88, isNumber: true, canSort: true, cell: (row) => <Pair row={row} of="parallelism" /> },
    { id: "maxParallelism", title: "Max par.", hint: "Max parallelism: the number of key groups", width: 88, isNumber: true, canSort: true, cell: (row) => <Pair row={row} of="maxParallelism" /> },
    { id: "states", title: "States", hint: "States that are new, gone, or of another kind or type", width: 120, grow: 1, canSort: true, cell: ({ states, change }) => (states !== null ? statesText(states) || <Nothing /> : !statesRead && change !== "added" && change !== "removed" ? <span class="none">reading…</span> : <Nothing />) },
  ];
}

function Nothing(): JSX.Element {
  return <span class="none">–</span>;
}

function Name({ row }: { readonly row: DifferenceRow }): JSX.Element {
  const { label, before, second } = nameParts(row);
  const side = row.right ?? row.left;
  return (
    <span class="name" title={[label, second === null ? null : `uid ${second}`, side?.id ?? null].filter((part) => part !== null).join("\n")}>
      {before === null ? null : <span class="second">{before} → </span>}
      <span class={label === side?.id ? "id" : ""}>{label}</span>
      {second === null ? null : <span class="second"> ({second})</span>}
    </span>
  );
}

function Pair({ row: { left, right }, of }: { readonly row: DifferenceRow; readonly of: "parallelism" | "maxParallelism" }): JSX.Element {
  const differs = left !== null && right !== null && left[of] !== right[of];
  return <span class={differs ? "strong" : ""}>{pairText(left?.[of] ?? null, right?.[of] ?? null)}</span>;
}

/** Growth to the right of the middle, shrinking to the left, against the largest change in the table. */
function Delta({ bytes, mostBytes }: { readonly bytes: number; readonly mostBytes: number }): JSX.Element {
  const width = mostBytes === 0 ? 0 : (Math.abs(bytes) / mostBytes) * 50;
  return (
    <span class="delta">
      <span class="track" aria-hidden="true">{bytes === 0 ? null : <span class={bytes > 0 ? "grown" : "shrunk"} style={{ width: `${width}%` }} />}</span>
      <span class={bytes === 0 ? "none" : ""} title={`${bytes.toLocaleString("en")} bytes`}>{deltaText(bytes)}</span>
    </span>
  );
}
