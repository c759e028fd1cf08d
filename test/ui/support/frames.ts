import type { Page } from "playwright-core";

/** How fluid a page was since the last look, milliseconds. */
export interface Fluidity {
  /** The longest time between two frames. */
  readonly slowestFrameMs: number;
  /** The longest time that the page's main thread was blocked by one task; 0 when none took 50 ms. */
  readonly longestTaskMs: number;
  readonly frames: number;
}

interface Watched {
  flinkFrames?: { slowest: number; task: number; count: number };
}

/** Watches a page's frames from now on; each call of what it resolves to tells of the time since the last. A new page needs a new watch. */
export async function watchFrames(page: Page): Promise<() => Promise<Fluidity>> {
  await page.evaluate(() => {
    const seen = { slowest: 0, task: 0, count: 0 };
    (globalThis as Watched).flinkFrames = seen;
    let last = performance.now();
    const frame = (nowMs: number): void => {
      seen.slowest = Math.max(seen.slowest, nowMs - last);
      seen.count++;
      last = nowMs;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) seen.task = Math.max(seen.task, duration);
    }).observe({ entryTypes: ["longtask"] });
  });
  return () => page.evaluate(() => {
    const seen = (globalThis as Watched).flinkFrames ?? { slowest: NaN, task: NaN, count: 0 };
    const { slowest, task, count } = seen;
    Object.assign(seen, { slowest: 0, task: 0, count: 0 });
    return { slowestFrameMs: slowest, longestTaskMs: task, frames: count };
  });
}
