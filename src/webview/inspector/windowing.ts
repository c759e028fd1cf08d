/** A scrolled list of rows of equal height, in pixels. */
export interface Scrolled {
  readonly scrollTop: number;
  readonly heightPx: number;
  readonly rowPx: number;
  readonly total: number;
}

const rowsBeyond = 6;

/** The rows to draw, first and one past the last: those in sight and some on either side. */
export function rowsInSight({ scrollTop, heightPx, rowPx, total }: Scrolled): readonly [number, number] {
  const first = Math.max(0, Math.floor(scrollTop / rowPx) - rowsBeyond);
  const last = Math.min(total, Math.ceil((scrollTop + Math.max(0, heightPx)) / rowPx) + rowsBeyond);
  return [Math.min(first, Math.max(0, total - 1)), Math.max(0, last)];
}

/** Where to scroll so that a row is in sight, moving as little as possible. */
export function scrollTopFor(index: number, { scrollTop, heightPx, rowPx }: Scrolled): number {
  const top = index * rowPx;
  if (top < scrollTop) return top;
  return top + rowPx > scrollTop + heightPx ? top + rowPx - heightPx : scrollTop;
}
