import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ShareTile } from "../../core/inspector/protocol";
import { kindNames } from "../../core/inspector/sizes";
import { sizeText } from "../../core/wording";
import type { Host } from "./inspector";
import type { PageState } from "./pageState";
import { squarify, type Tile } from "./squarify";
import { useAnswer } from "./useAnswer";

interface TreemapProps {
  readonly host: Host;
  readonly reading: number;
  readonly page: PageState;
  change(part: Partial<PageState>): void;
}

type Piece = ShareTile | { readonly others: number; readonly label: string; readonly sizeBytes: number };

const mostTiles = 160;

/** State as areas: operators, what is in one, and its subtasks. The table holds the same as text. */
export function Treemap({ host, reading, page, change }: TreemapProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [active, setActive] = useState(0);
  const focusNext = useRef(false);
  const { inside, selected } = page;
  const key = `${reading} ${inside?.row ?? ""} ${inside?.kind ?? ""}`;
  const { value, failure, busy } = useAnswer(key, (signal) => host.call("shares", { row: inside?.row ?? null, kind: inside?.kind ?? null, limit: mostTiles }, signal));
  const operator = useAnswer(inside === null ? null : `${reading} ${inside.row}`, (signal) => host.call("operator", { row: inside?.row ?? 0 }, signal));

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const tiles = useMemo(() => {
    const pieces: Piece[] = [...(value?.tiles ?? [])];
    if (value?.others) pieces.push({ others: value.others.count, label: `${value.others.count.toLocaleString("en")} smaller`, sizeBytes: value.others.sizeBytes });
    return squarify(pieces, ({ sizeBytes }) => sizeBytes, size.width, size.height);
  }, [value, size]);
  useEffect(() => setActive(0), [key]);
  useEffect(() => {
    if (inside !== null || selected === null) return;
    const at = tiles.findIndex(({ item }) => "row" in item && item.row === selected);
    if (at >= 0) setActive(at);
  }, [selected, tiles]);
  // With the tiles, not after them: a key pressed in between would be meant for the next tiles, and the focus go with the old ones.
  useLayoutEffect(() => {
    if (!focusNext.current || busy) return;
    focusNext.current = false;
    box.current?.querySelector<HTMLElement>("[tabindex='0']")?.focus();
  });

  const total = value?.totalBytes ?? 0;
  const enter = (piece: Piece): void => {
    if (!("row" in piece) || piece.into === null) return;
    focusNext.current = true;
    box.current?.focus();
    change({ inside: piece.into, selected: piece.row });
  };
  const leave = (): void => {
    if (inside === null) return;
    focusNext.current = true;
    // Keys go on working while what was around is fetched.
    box.current?.focus();
    change({ inside: inside.kind === null ? null : { row: inside.row, kind: null } });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const piece = tiles[active];
    const to = { ArrowRight: neighbour(tiles, active, 1, 0), ArrowLeft: neighbour(tiles, active, -1, 0), ArrowDown: neighbour(tiles, active, 0, 1), ArrowUp: neighbour(tiles, active, 0, -1), Home: 0, End: tiles.length - 1 }[event.key];
    if (to !== undefined && !event.ctrlKey && !event.metaKey && !event.altKey) {
      setActive(to);
      focusNext.current = true;
      const next = tiles[to]?.item;
      if (inside === null && next !== undefined && "row" in next) change({ selected: next.row });
    } else if (event.key === "Enter" && piece !== undefined) enter(piece.item);
    else if (event.key === "Backspace" || event.key === "Escape") leave();
    else return;
    event.preventDefault();
  };

  return (
    <section class="picture" aria-label="State by size">
      <nav class="crumbs" aria-label="Shown">
        {inside === null ? <span>All state</span> : <button type="button" class="link" onClick={() => change({ inside: null })}>All state</button>}
        {inside === null ? null : <span aria-hidden="true"> › </span>}
        {inside === null ? null : inside.kind === null ? <span>{nameOf(operator.value?.operator)}</span> : <button type="button" class="link" onClick={leave}>{nameOf(operator.value?.operator)}</button>}
        {inside?.kind === null || inside === null ? null : <span> › {kindNameOf(inside.kind)}</span>}
        <span class="count">{value === undefined ? "" : sizeText(total)}</span>
      </nav>
      <div class="tiles" ref={box} role="listbox" tabIndex={-1} aria-label="State by size; Enter looks into it, Backspace goes back" aria-busy={busy} onKeyDown={onKeyDown}>
        {failure !== undefined ? <p class="empty">{failure}</p> : value !== undefined && tiles.length === 0 && size.width > 0 ? <p class="empty">There is no state to draw.</p> : null}
        {tiles.map((tile, at) => <TileBox key={`${key} ${at}`} tile={tile} at={at} total={total} selected={inside === null && "row" in tile.item && tile.item.row === selected} active={at === active}
          onClick={() => {
            setActive(at);
            if ("row" in tile.item && inside === null) change({ selected: tile.item.row });
          }} onOpen={() => enter(tile.item)} />)}
      </div>
    </section>
  );
}

function TileBox({ tile, at, total, selected, active, onClick, onOpen }: { readonly tile: Tile<Piece>; readonly at: number; readonly total: number; readonly selected: boolean; readonly active: boolean; onClick(): void; onOpen(): void }): JSX.Element {
  const { item, x, y, width, height } = tile;
  const percent = total > 0 ? `${(item.sizeBytes / total * 100).toFixed(1)}%` : "";
  const isOthers = !("row" in item);
  const text = `${item.label}, ${sizeText(item.sizeBytes)}, ${percent}`;
  return (
    <div role="option" aria-selected={selected} aria-label={text} title={text} tabIndex={active ? 0 : -1} class={`tile hue${isOthers ? "-others" : at % 5}${selected ? " selected" : ""}`}
      style={{ left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` }} onClick={onClick} onDblClick={onOpen}>
      {width > 44 && height > 18 ? <span class="label">{item.label}</span> : null}
      {width > 44 && height > 36 ? <span class="bytes">{sizeText(item.sizeBytes)}</span> : null}
    </div>
  );
}

/** A kind of state in words, or the name of an operator state (`state:…`). */
function kindNameOf(kind: string): string {
  return Object.hasOwn(kindNames, kind) ? kindNames[kind as keyof typeof kindNames] : kind.replace(/^state:/, "");
}

function nameOf(operator: { readonly name: string | null; readonly uid: string | null; readonly id: string } | undefined): string {
  return operator?.name ?? operator?.uid ?? operator?.id.slice(0, 8) ?? "…";
}

/** The nearest tile in a direction, by the middles; the tile itself at the edge. */
function neighbour<T>(tiles: readonly Tile<T>[], from: number, dx: number, dy: number): number {
  const here = tiles[from];
  if (here === undefined) return 0;
  const middle = ({ x, y, width, height }: Tile<T>): readonly [number, number] => [x + width / 2, y + height / 2];
  const [x, y] = middle(here);
  let best = from;
  let least = Infinity;
  tiles.forEach((tile, at) => {
    const [tx, ty] = middle(tile);
    const ahead = (tx - x) * dx + (ty - y) * dy;
    const aside = Math.abs((tx - x) * dy) + Math.abs((ty - y) * dx);
    const cost = ahead + aside * 2;
    if (at !== from && ahead > 1 && cost < least) {
      least = cost;
      best = at;
    }
  });
  return best;
}
