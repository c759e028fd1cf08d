import type { JSX } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { ageText, timeText } from "../../core/wording";

/** One value at a time. */
export interface ChartPoint {
  readonly key: string;
  readonly atMs: number;
  readonly value: number;
  /** Each has a shape of its own. */
  readonly kind: "checkpoint" | "savepoint" | "failed";
  readonly name: string;
}

const heightPx = 150;
const left = 64;
const right = 12;
const top = 10;
const bottom = 22;

const none: readonly ChartPoint[] = [];

/** Values over time, and their place while they are undefined: checkpoints are dots on a line, savepoints diamonds, failures crosses below. The table of the history has the same values, for whoever does not see. */
export function TimeChart({ title, points: given, text, selected, select, nowMs }: {
  readonly title: string; readonly points: readonly ChartPoint[] | undefined; text(value: number): string; readonly selected: string | null; select(key: string): void; readonly nowMs: number;
}): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const points = given ?? none;
  // Nothing is drawn before it is measured.
  const [widthPx, setWidthPx] = useState(0);
  const [hovered, setHovered] = useState<ChartPoint | null>(null);
  const good = points.filter(({ kind }) => kind !== "failed");
  const isEmpty = given !== undefined && good.length === 0;
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => setWidthPx(Math.max(200, element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, [isEmpty]);
  const drawing = useMemo(() => draw(points, widthPx), [points, widthPx]);
  if (isEmpty) return <figure class="chart"><figcaption>{title}</figcaption><p class="quiet empty">Nothing is complete yet.</p></figure>;
  const { x, y, most, from, to } = drawing;
  const values = good.map(({ value }) => value);
  const label = `${title}: ${good.length} complete from ${text(Math.min(...values))} to ${text(Math.max(...values))}${points.length > good.length ? `, ${points.length - good.length} failed` : ""}. The history below has every value.`;
  const marked = hovered ?? points.find(({ key }) => key === selected) ?? null;
  const nearest = (event: MouseEvent): ChartPoint | null => {
    const at = event.clientX - (box.current?.getBoundingClientRect().left ?? 0);
    return points.reduce<ChartPoint | null>((best, point) => (best === null || Math.abs(x(point.atMs) - at) < Math.abs(x(best.atMs) - at) ? point : best), null);
  };
  return (
    <figure class="chart">
      <figcaption>{title}<span class="legend"><span class="key dot" aria-hidden="true" />checkpoint<span class="key diamond" aria-hidden="true" />savepoint{points.length > good.length ? <><span class="key cross" aria-hidden="true" />failed</> : null}</span></figcaption>
      <div ref={box} class="plot">
        {given === undefined || widthPx === 0 ? null : <svg width={widthPx} height={heightPx} role="img" aria-label={label} onMouseMove={(event) => setHovered(nearest(event))} onMouseLeave={() => setHovered(null)} onClick={(event) => {
          const point = nearest(event);
          if (point !== null) select(point.key);
        }}>
          {[0, 0.5, 1].map((part) => (
            <g key={part}>
              <line class="gridline" x1={left} x2={widthPx - right} y1={y(most * part)} y2={y(most * part)} />
              <text class="axis" x={left - 6} y={y(most * part) + 4} text-anchor="end">{text(most * part)}</text>
            </g>
          ))}
          <text class="axis" x={left} y={heightPx - 5}>{ageText(from, nowMs)}</text>
          <text class="axis" x={widthPx - right} y={heightPx - 5} text-anchor="end">{nowMs - to < 60_000 ? "now" : ageText(to, nowMs)}</text>
          <path class="series" d={drawing.line} />
          <path class="dots" d={drawing.dots} />
          <path class="diamonds" d={drawing.diamonds} />
          <path class="crosses" d={drawing.crosses} />
          {marked === null ? null : <circle class="marked" cx={x(marked.atMs)} cy={marked.kind === "failed" ? heightPx - bottom : y(marked.value)} r={6} />}
        </svg>}
      </div>
      <p class="quiet read">{marked === null ? " " : `${marked.name} ${marked.kind === "failed" ? "failed" : text(marked.value)} · ${timeText(marked.atMs)}`}</p>
    </figure>
  );
}

interface Drawing {
  x(atMs: number): number;
  y(value: number): number;
  readonly most: number;
  readonly from: number;
  readonly to: number;
  readonly line: string;
  readonly dots: string;
  readonly diamonds: string;
  readonly crosses: string;
}

/** One path for each kind: a thousand elements would take longer than all else in the page. */
function draw(points: readonly ChartPoint[], widthPx: number): Drawing {
  const times = points.map(({ atMs }) => atMs);
  const [from, to] = times.length === 0 ? [0, 0] : [Math.min(...times), Math.max(...times)];
  const most = niceAbove(Math.max(0, ...points.map(({ value }) => value)));
  const x = (atMs: number): number => (to === from ? (left + widthPx - right) / 2 : left + ((atMs - from) / (to - from)) * (widthPx - left - right));
  const y = (value: number): number => heightPx - bottom - (value / most) * (heightPx - top - bottom);
  const of = (kind: ChartPoint["kind"]): readonly ChartPoint[] => points.filter((point) => point.kind === kind);
  const at = ({ atMs, value }: ChartPoint): string => `${x(atMs).toFixed(1)} ${y(value).toFixed(1)}`;
  const checkpoints = [...of("checkpoint")].sort((a, b) => a.atMs - b.atMs);
  return {
    x, y, most, from, to,
    line: checkpoints.map((point, index) => `${index === 0 ? "M" : "L"}${at(point)}`).join(""),
    dots: checkpoints.length > 200 ? "" : checkpoints.map((point) => `M${at(point)}h0`).join(""),
    diamonds: of("savepoint").map((point) => `M${x(point.atMs).toFixed(1)} ${(y(point.value) - 5).toFixed(1)}l5 5l-5 5l-5 -5z`).join(""),
    crosses: of("failed").map(({ atMs }) => `M${(x(atMs) - 3.5).toFixed(1)} ${heightPx - bottom - 3.5}l7 7m0 -7l-7 7`).join(""),
  };
}

/** A round number that is not below a value: 1, 2 or 5 and zeros. */
function niceAbove(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) ?? 10 * power;
}
