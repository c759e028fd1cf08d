import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { channelBytes, rawBytes } from "../../core/inspector/sizes";
import type { OperatorColumn, OperatorRow, SnapshotHead } from "../../core/inspector/protocol";
import { countText, sizeText } from "../../core/wording";
import { Grid, type GridColumn } from "./grid";
import type { Host } from "./inspector";
import { keepState, type PageState } from "./pageState";
import { useRows } from "./rows";
import { useAnswer } from "./useAnswer";

interface OperatorTableProps {
  readonly host: Host;
  readonly snapshot: SnapshotHead;
  readonly reading: number;
  readonly page: PageState;
  change(part: Partial<PageState>): void;
  select(row: OperatorRow | null): void;
  sort(by: OperatorColumn): void;
}

/** The operators, in any order, with a filter over them. */
export function OperatorTable({ host, snapshot, reading, page, change, select, sort }: OperatorTableProps): JSX.Element {
  const key = `${reading} ${page.sort.by} ${page.sort.descending} ${page.filter}`;
  const query = { sort: page.sort, filter: page.filter };
  const rows = useRows<OperatorRow>(key, (from, limit, signal) => host.call("operators", { ...query, from, limit, selected: null }, signal));
  // Where the selected one stands, whoever selected it; known at once when it was a row of this table.
  const [clicked, setClicked] = useState<{ readonly key: string; readonly at: number }>();
  const selection = `${key} ${page.selected}`;
  const found = useAnswer(page.selected === null || clicked?.key === selection ? null : selection, (signal) => host.call("operators", { ...query, from: 0, limit: 0, selected: page.selected }, signal));
  const selectedAt = page.selected === null ? null : clicked?.key === selection ? clicked.at : (found.value?.selectedAt ?? null);
  // For whoever measures: when the first rows were on the screen.
  const there = rows.total > 0;
  useEffect(() => {
    if (there) requestAnimationFrame(() => performance.mark("operators-shown"));
  }, [there]);
  const columns = useMemo(() => columnsOf(page.uids, snapshot), [page.uids, snapshot]);
  return (
    <section class="operators" aria-label="Operators">
      <div class="tools">
        <input class="filter" type="search" spellcheck={false} aria-label="Filter operators" placeholder="Filter by name, uid or id…" value={page.filter} onInput={(event) => change({ filter: event.currentTarget.value, scrollTop: 0 })} />
        <span class="count" role="status">{countText(rows.total, "operator")}</span>
      </div>
      <Grid label="Operators" columns={columns} rows={rows} selectedAt={selectedAt} listKey={key} sort={page.sort} onSort={(column) => sort(column as OperatorColumn)}
        onSelect={(row, index) => {
          setClicked({ key: `${key} ${row.row}`, at: index });
          select(row);
        }}
        scrollTop={page.scrollTop} onScroll={(scrollTop) => void keepState({ scrollTop })}
        empty={rows.failure ?? (page.filter === "" ? "There are no operators in this savepoint." : "No operator fits the filter.")} />
    </section>
  );
}

/** Columns of sizes are left out where no operator has any. */
export function columnsOf(uids: PageState["uids"], snapshot: SnapshotHead): readonly GridColumn<OperatorRow>[] {
  const size = (id: OperatorColumn, title: string, hint: string, bytes: (of: Pick<OperatorRow, "sizes">) => number, width = 68): readonly GridColumn<OperatorRow>[] =>
    (bytes(snapshot) === 0 ? [] : [{ id, title, hint, width, isNumber: true, canSort: true, cell: (row) => <Size bytes={bytes(row)} /> }]);
  return [
    { id: "name", title: "Operator", width: 150, grow: 3, canSort: true, cell: (row) => <Name row={row} typed={uids[row.id]} /> },
    { id: "size", title: "State", hint: "All state of the operator, as Flink counts it", width: 68, isNumber: true, canSort: true, cell: ({ sizeBytes }) => <Size bytes={sizeBytes} /> },
    { id: "share", title: "Share", hint: "Part of the whole state", width: 84, grow: 1, cell: (row) => <Share share={row.share} /> },
    { id: "skew", title: "Skew", hint: "Largest subtask against the mean", width: 46, isNumber: true, canSort: true, cell: ({ skew }) => (skew === null ? <span class="none">–</span> : <span class={skew >= 2 ? "strong" : ""}>{skew.toFixed(1)}×</span>) },
    { id: "parallelism", title: "Par. / max", hint: "Parallelism and max parallelism", width: 72, isNumber: true, canSort: true, cell: (row) => `${row.parallelism} / ${row.maxParallelism}` },
    { id: "subtasks", title: "Subtasks", hint: "Subtasks in the file; those without state may be left out", width: 72, isNumber: true, canSort: true, cell: (row) => (row.finished ? "finished" : row.subtasks.toLocaleString("en")) },
    ...size("managedKeyed", "Keyed", "Managed keyed state", ({ sizes }) => sizes.managedKeyed),
    ...size("managedOperator", "Non-keyed", "Managed operator state: lists, unions, broadcasts", ({ sizes }) => sizes.managedOperator, 76),
    ...size("raw", "Raw", "Raw keyed and raw operator state", rawBytes),
    ...size("channels", "Channels", "Buffers in flight of an unaligned checkpoint", channelBytes),
    ...size("coordinator", "Coord.", "State of the operator's coordinator", ({ sizes }) => sizes.coordinator),
  ];
}

/** A size, or a dash for nothing. */
export function Size({ bytes }: { readonly bytes: number }): JSX.Element {
  return bytes === 0 ? <span class="none">–</span> : bytes < 0 ? <span class="none">unknown</span> : <span title={`${bytes.toLocaleString("en")} bytes`}>{sizeText(bytes)}</span>;
}

function Share({ share }: { readonly share: number }): JSX.Element {
  const percent = share * 100;
  return (
    <span class="share">
      <span class="bar" aria-hidden="true"><span style={{ width: percent === 0 ? "0" : `max(1px, ${Math.min(100, percent)}%)` }} /></span>
      <span class="percent">{percent === 0 ? "–" : percent < 0.1 ? "<0.1%" : `${percent.toFixed(percent < 10 ? 1 : 0)}%`}</span>
    </span>
  );
}

function Name({ row, typed }: { readonly row: OperatorRow; readonly typed: string | undefined }): JSX.Element {
  const uid = row.uid ?? typed ?? null;
  const label = row.name ?? uid;
  return (
    <span class="name" title={[row.name, uid === null ? null : `uid ${uid}`, row.id].filter((part) => part !== null).join("\n")}>
      {label === null ? null : <span>{label}</span>}
      {uid !== null && uid !== label ? <span class="second"> ({uid})</span> : null}
      {uid === null ? <span class="id"> {row.id}</span> : null}
    </span>
  );
}
