import type { JSX } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { BoardCell, BoardRow, BoardView, PairAction, PairsPageApi, PairsPageEvents } from "../../core/paimon/boardPage";
import type { PairGrade } from "../../core/paimon/pairing";
import type { Client } from "../../core/rpc";
import { savedState, saveState } from "../inspector/vscode";

/** The other side of this page. */
export type Host = Client<PairsPageApi, PairsPageEvents>;

interface Selected {
  readonly recordId: string;
  readonly column: string;
}

const stateVersion = 1;

/** The page: which savepoint one can go back to, then each savepoint in each table, then one of them with its evidence. */
export function BoardPage({ host }: { readonly host: Host }): JSX.Element {
  const [view, setView] = useState<BoardView>();
  const [failure, setFailure] = useState<string>();
  const [selected, setSelected] = useState<Selected | null>(restored);
  const select = useCallback((next: Selected | null) => {
    setSelected(next);
    keep({ selected: next });
  }, []);
  useEffect(() => {
    host.on("changed", setView);
    host.call("about", {}).then((about) => keep({ about }), () => undefined);
    host.call("board", {}).then(setView, (error: unknown) => setFailure(error instanceof Error ? error.message : String(error)));
  }, [host]);

  if (failure !== undefined) return <p class="whole" role="alert">{failure}</p>;
  if (view === undefined) return <p class="whole" role="status">Reading the ledger…</p>;
  const row = view.rows.find(({ recordId }) => recordId === selected?.recordId);
  const cell = selected === null ? undefined : row?.cells[selected.column];
  return (
    <>
      <header class="head">
        <div class="title"><h1>Pairs of {view.jobName}</h1></div>
        <p class="line">{view.cluster} · {view.rows.length} savepoint{view.rows.length === 1 ? "" : "s"} · {view.columns.length} table{view.columns.length === 1 ? "" : "s"}{view.more > 0 ? ` · ${view.more} older savepoints are not shown` : ""}</p>
        {view.note === null ? null : <p class="line answer" role="status">{view.note}</p>}
      </header>
      <main class={cell === undefined ? "main stacked" : "main stacked withDetail"}>
        <Board view={view} selected={selected} select={select} host={host} />
        {cell === undefined || row === undefined || selected === null ? null : <Detail row={row} column={selected.column} cell={cell} table={view.columns.find(({ key }) => key === selected.column)?.table ?? ""} host={host} close={() => select(null)} />}
      </main>
    </>
  );
}

function Board({ view, selected, select, host }: { readonly view: BoardView; readonly selected: Selected | null; select(next: Selected): void; readonly host: Host }): JSX.Element {
  const grid = useRef<HTMLTableElement>(null);
  /** Arrow keys go from cell to cell. */
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = ({ ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] } as Readonly<Record<string, readonly [number, number]>>)[event.key];
    const [at, to] = /^(\d+) (\d+)$/.exec((event.target as HTMLElement).dataset["at"] ?? "")?.slice(1).map(Number) ?? [];
    if (step === undefined || at === undefined || to === undefined) return;
    event.preventDefault();
    for (let [r, c] = [at + step[0], to + step[1]]; r >= 0 && c >= 0 && r < view.rows.length && c < view.columns.length; r += step[0], c += step[1]) {
      const next = grid.current?.querySelector<HTMLElement>(`[data-at="${r} ${c}"]`);
      if (next !== null && next !== undefined) return next.focus();
    }
  };
  if (view.rows.length === 0) return <p class="empty">Take a savepoint of the job; its pairs are shown here.</p>;
  return (
    <div class="board">
      <table ref={grid} aria-label="Savepoints and tables" onKeyDown={onKeyDown}>
        <thead><tr><th scope="col">Savepoint</th>{view.columns.map(({ key, table, warehouse }) => <th scope="col" key={key} title={warehouse ?? undefined}>{table}</th>)}</tr></thead>
        <tbody>
          {view.rows.map((row, r) => (
            <tr key={row.recordId}>
              <th scope="row">
                <button type="button" class="link" onClick={() => void host.call("run", { action: "inspect", recordId: row.recordId, column: null })}>{row.name}</button>
                <span class="taken" title={row.takenTitle}>{row.taken}</span>
                {row.isComplete ? <span class="complete">all proven</span> : null}
              </th>
              {row.state === "looking" || row.note !== null ? <td class="note-cell" colSpan={Math.max(1, view.columns.length)}>{row.note ?? "Looking…"}</td> : view.columns.map(({ key, table }, c) => {
                const cell = row.cells[key];
                if (cell === undefined) return <td key={key} class="none">–</td>;
                const isSelected = selected?.recordId === row.recordId && selected.column === key;
                return (
                  <td key={key}>
                    <button type="button" class={`cell grade-${cell.grade}`} data-at={`${r} ${c}`} aria-pressed={isSelected} title={cell.text} aria-label={`${row.name}, ${table}: ${cell.grade}, ${cell.text}`} onClick={() => select({ recordId: row.recordId, column: key })}>
                      <span class="glyph" aria-hidden="true">{glyphs[cell.grade]}</span><span class="grade">{cell.grade}</span><span class="cell-text">{cell.text}</span>
                    </button>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Detail({ row, column, cell, table, host, close }: { readonly row: BoardRow; readonly column: string; readonly cell: BoardCell; readonly table: string; readonly host: Host; close(): void }): JSX.Element {
  const [failure, setFailure] = useState<string>();
  useEffect(() => setFailure(undefined), [row.recordId, column]);
  const run = (action: PairAction): void => void host.call("run", { action, recordId: row.recordId, column }).then(() => setFailure(undefined), (error: unknown) => setFailure(error instanceof Error ? error.message : String(error)));
  return (
    <section class="detail" aria-label={`${row.name} in ${table}`}>
      <div class="detailHead">
        <h2><span class={`glyph grade-${cell.grade}`} aria-hidden="true">{glyphs[cell.grade]}</span> {row.name} in {table}: {cell.grade}</h2>
        <span class="buttons">
          {cell.actions.map((action, at) => <button type="button" key={action} class={at === 0 ? "button" : "button secondary"} onClick={() => run(action)}>{actionTitles[action]}</button>)}
          <button type="button" class="button secondary" onClick={() => run("look")}>Look Again</button>
          <button type="button" class="link" onClick={close}>Close</button>
        </span>
      </div>
      {failure === undefined ? null : <p class="note inDetail" role="alert">{failure}</p>}
      <div class="evidence">
        <p class="meaning">{capital(cell.meaning)}.</p>
        <ul class="reasons">{cell.reasons.map((reason) => <li key={reason}>{reason}</li>)}</ul>
      </div>
      <dl class="facts">{cell.facts.map(([name, value]) => <div key={`${name} ${value}`}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
    </section>
  );
}

/** Shapes that differ without their colours. */
const glyphs: Readonly<Record<PairGrade, string>> = { "exact": "✔", "unprotected": "◑", "waiting": "…", "idle": "○", "drained": "■", "foreign": "✖", "stale-tag": "↺", "changed": "⚠", "none": "?" };

const actionTitles: Readonly<Record<PairAction, string>> = { tag: "Tag Now", pin: "Pin Pair", checkpoint: "Trigger Checkpoint", sql: "Copy SQL", rollback: "Roll Back and Restore…", inspect: "Inspect", openTag: "Show Tag", look: "Look Again" };

function keep(part: object): void {
  const before = savedState();
  saveState({ ...(typeof before === "object" && before !== null ? before : {}), ...part, version: stateVersion });
}

function restored(): Selected | null {
  const state = savedState() as { readonly version?: number; readonly selected?: Selected | null } | undefined;
  return state?.version === stateVersion ? (state.selected ?? null) : null;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
