import type { ComponentChildren, JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Rows } from "./rows";
import { rowsInSight, scrollTopFor } from "./windowing";

/** A column of a grid. */
export interface GridColumn<T> {
  readonly id: string;
  readonly title: string;
  /** What a pointer on the heading tells. */
  readonly hint?: string;
  /** Width in pixels at least, and the part of what is left that it grows by. */
  readonly width: number;
  readonly grow?: number;
  readonly isNumber?: boolean;
  readonly canSort?: boolean;
  cell(row: T, index: number): ComponentChildren;
}

interface GridProps<T> {
  readonly label: string;
  readonly columns: readonly GridColumn<T>[];
  readonly rows: Rows<T>;
  readonly selectedAt: number | null;
  onSelect(row: T, index: number): void;
  onOpen?(row: T, index: number): void;
  readonly sort?: { readonly by: string; readonly descending: boolean };
  onSort?(column: string): void;
  /** Names the list; another one begins at its top. */
  readonly listKey?: string;
  readonly scrollTop?: number;
  onScroll?(scrollTop: number): void;
  /** What stands there when the list is empty. */
  readonly empty: ComponentChildren;
}

/** Pixels that columns need at least, with their gaps and the edges. */
export function leastWidthPx(columns: readonly GridColumn<never>[]): number {
  return columns.reduce((sum, { width }) => sum + width + gapPx, 2 * edgePx - gapPx);
}

const rowPx = 24;
const gapPx = 12;
const edgePx = 16;

/** A table of any length: only the rows in sight are in the page. One tab stop, arrows move, the selection follows. */
export function Grid<T>(props: GridProps<T>): JSX.Element {
  const { columns, rows, selectedAt } = props;
  const box = useRef<HTMLDivElement>(null);
  const [scrollTop, setScrollTop] = useState(props.scrollTop ?? 0);
  const [heightPx, setHeightPx] = useState(600);
  const [active, setActive] = useState(0);
  const [isMore, setIsMore] = useState(false);
  const focusNext = useRef(false);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => {
      setHeightPx(element.clientHeight);
      setIsMore(isMoreAtRight(element));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  // Once there are rows: before, nothing can be scrolled, and what is drawn would lie out of sight.
  const placed = useRef(false);
  useLayoutEffect(() => {
    const element = box.current;
    if (placed.current || element === null || rows.total === 0) return;
    placed.current = true;
    // Asking where it is has the whole page laid out at once.
    if (props.scrollTop === undefined) return;
    element.scrollTop = props.scrollTop;
    setScrollTop(element.scrollTop);
  }, [rows.total === 0]);

  const [first, last] = rowsInSight({ scrollTop, heightPx: heightPx - rowPx, rowPx, total: rows.total });
  useEffect(() => {
    if (rows.total > 0) rows.show(first, Math.max(first, last - 1));
  });
  const before = useRef(props.listKey);
  useEffect(() => {
    if (before.current === props.listKey) return;
    before.current = props.listKey;
    setActive(selectedAt ?? 0);
    if (box.current !== null) box.current.scrollTop = 0;
  }, [props.listKey]);
  const shownOnce = useRef(false);
  useEffect(() => {
    if (selectedAt === null || rows.total === 0) return;
    setActive(selectedAt);
    // What was scrolled to is kept when the page comes back; after that the selection is followed.
    if (shownOnce.current || props.scrollTop === undefined) bring(selectedAt);
    shownOnce.current = true;
  }, [selectedAt, rows.total === 0]);
  useEffect(() => {
    if (!focusNext.current) return;
    focusNext.current = false;
    box.current?.querySelector<HTMLElement>("[role=row][tabindex='0']")?.focus({ preventScroll: true });
  });

  const bring = (index: number): void => {
    const element = box.current;
    if (element !== null) element.scrollTop = scrollTopFor(index, { scrollTop: element.scrollTop, heightPx: element.clientHeight - rowPx, rowPx, total: rows.total });
  };
  const go = (index: number): void => {
    const to = Math.max(0, Math.min(rows.total - 1, index));
    setActive(to);
    focusNext.current = true;
    bring(to);
    const row = rows.at(to);
    if (row !== undefined) props.onSelect(row, to);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(heightPx / rowPx) - 2);
    const steps: Readonly<Record<string, number>> = { ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page, Home: 0, End: rows.total - 1 };
    const to = steps[event.key];
    const row = rows.at(active);
    if (to !== undefined && !event.ctrlKey && !event.metaKey && !event.altKey) go(to);
    else if (event.key === "Enter" && row !== undefined && props.onOpen !== undefined) props.onOpen(row, active);
    else return;
    event.preventDefault();
  };

  const shown = new Set(Array.from({ length: last - first }, (_, i) => first + i));
  // The row with the focus stays in the page while it is scrolled away, or the focus would be lost.
  const activeRow = Math.min(active, Math.max(0, rows.total - 1));
  if (rows.total > 0) shown.add(activeRow);
  // Heading and rows are boxes of their own, so their columns agree only when no width depends on the content.
  const template = columns.map(({ width, grow }) => (grow === undefined ? `${width}px` : `minmax(${width}px, ${grow}fr)`)).join(" ");
  const leastPx = leastWidthPx(columns);
  return (
    <div class={isMore ? "grid more" : "grid"} ref={box} role="grid" aria-label={props.label} aria-rowcount={rows.total + 1} aria-colcount={columns.length} aria-busy={!rows.current} onScroll={(event) => {
      setScrollTop(event.currentTarget.scrollTop);
      setIsMore(isMoreAtRight(event.currentTarget));
    }} onScrollEnd={(event) => props.onScroll?.(event.currentTarget.scrollTop)}>
      <Heading {...props} template={template} leastPx={leastPx} />
      {rows.total === 0 ? <div class="empty">{props.empty}</div> : null}
      <div role="rowgroup" class="rows" style={{ height: `${rows.total * rowPx}px`, minWidth: `${leastPx}px` }} onKeyDown={onKeyDown}>
        {[...shown].sort((a, b) => a - b).map((index) => {
          const row = rows.at(index);
          return (
            <div key={index} role="row" class={`row${index === selectedAt ? " selected" : ""}`} aria-rowindex={index + 2} aria-selected={index === selectedAt} tabIndex={index === activeRow ? 0 : -1}
              style={{ top: `${index * rowPx}px`, gridTemplateColumns: template }}
              onClick={() => {
                setActive(index);
                if (row !== undefined) props.onSelect(row, index);
              }}
              onDblClick={() => {
                if (row !== undefined) props.onOpen?.(row, index);
              }}>
              {columns.map((column, at) => <div key={column.id} role="gridcell" aria-colindex={at + 1} class={column.isNumber === true ? "cell number" : "cell"}>{row === undefined ? "" : column.cell(row, index)}</div>)}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function isMoreAtRight({ scrollLeft, clientWidth, scrollWidth }: HTMLElement): boolean {
  return scrollLeft + clientWidth < scrollWidth - 1;
}

function Heading<T>({ columns, sort, onSort, template, leastPx }: GridProps<T> & { readonly template: string; readonly leastPx: number }): JSX.Element {
  const line = useRef<HTMLDivElement>(null);
  // One of the headings is the tab stop, left and right go to the others.
  const stop = Math.max(0, columns.findIndex(({ id }) => id === sort?.by));
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const buttons = [...(line.current?.querySelectorAll("button") ?? [])];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    if (step === 0 || at < 0) return;
    buttons[at + step]?.focus();
    event.preventDefault();
  };
  return (
    <div role="row" class="row heading" aria-rowindex={1} ref={line} style={{ gridTemplateColumns: template, minWidth: `${leastPx}px` }} onKeyDown={onKeyDown}>
      {columns.map((column, at) => {
        const sorted = column.id === sort?.by;
        const direction = sort?.descending === true ? "descending" : "ascending";
        return (
          <div key={column.id} role="columnheader" aria-colindex={at + 1} class={column.isNumber === true ? "cell number" : "cell"} {...(column.canSort === true ? { "aria-sort": sorted ? direction : "none" } : {})} title={column.hint}>
            {column.canSort === true ? (
              <button type="button" tabIndex={at === stop ? 0 : -1} onClick={() => onSort?.(column.id)}>{column.title}{sorted ? <span aria-hidden="true" class="arrow">{sort?.descending === true ? " ▾" : " ▴"}</span> : null}</button>
            ) : column.title}
          </div>
        );
      })}
    </div>
  );
}
