/** A rectangle in pixels, with what it stands for. */
export interface Tile<T> {
  readonly item: T;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Lays items out in a rectangle, areas in proportion to their sizes, as square as possible (Bruls, Huizing, van Wijk: squarified treemaps). Items
 * come largest first; those without a size are left out.
 */
export function squarify<T>(items: readonly T[], sizeOf: (item: T) => number, width: number, height: number): Tile<T>[] {
  const sized = items.map((item) => ({ item, size: sizeOf(item) })).filter(({ size }) => size > 0);
  const total = sized.reduce((sum, { size }) => sum + size, 0);
  if (total <= 0 || width <= 0 || height <= 0) return [];
  const areas = sized.map(({ item, size }) => ({ item, area: size / total * width * height }));
  const tiles: Tile<T>[] = [];
  let free = { x: 0, y: 0, width, height };
  for (let at = 0; at < areas.length; ) {
    const side = Math.min(free.width, free.height);
    let end = at;
    let sum = 0;
    let worst = Infinity;
    // The row takes one more as long as that makes its worst shape better.
    for (const largest = areas[at]?.area ?? 0; end < areas.length; end++) {
      const smallest = areas[end]?.area ?? 0;
      const next = sum + smallest;
      const shape = Math.max(side ** 2 * largest / next ** 2, next ** 2 / (side ** 2 * smallest));
      if (shape > worst) break;
      worst = shape;
      sum = next;
    }
    free = place(areas.slice(at, end), sum, free, tiles);
    at = end;
  }
  return tiles;
}

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Puts a row along the shorter side of what is free; returns what is left. */
function place<T>(row: readonly { readonly item: T; readonly area: number }[], sum: number, free: Rectangle, tiles: Tile<T>[]): Rectangle {
  const isWide = free.width >= free.height;
  const depth = Math.min(isWide ? free.width : free.height, sum / (isWide ? free.height : free.width));
  let along = isWide ? free.y : free.x;
  for (const { item, area } of row) {
    const length = area / depth;
    tiles.push(isWide ? { item, x: free.x, y: along, width: depth, height: length } : { item, x: along, y: free.y, width: length, height: depth });
    along += length;
  }
  return isWide ? { ...free, x: free.x + depth, width: free.width - depth } : { ...free, y: free.y + depth, height: free.height - depth };
}
