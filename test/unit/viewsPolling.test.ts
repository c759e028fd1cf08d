import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock, Log } from "../../src/core/ports";
import { every, Polling, type PollTarget } from "../../src/host/views/polling";

const log: Log = { trace: () => undefined, debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** A clock that moves only when told to. */
class HandClock implements Clock {
  #nowMs = 1_000_000;
  readonly #waiting = new Set<{ readonly atMs: number; readonly ring: () => void }>();

  now(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const entry = { atMs: this.#nowMs + ms, ring: resolve };
      this.#waiting.add(entry);
      signal?.addEventListener("abort", () => {
        this.#waiting.delete(entry);
        reject(signal.reason as Error);
      }, { once: true });
    });
  }

  get sleepers(): number {
    return this.#waiting.size;
  }

  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (;;) {
      await settle();
      const next = [...this.#waiting].sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      this.#waiting.delete(next);
      next.ring();
    }
    this.#nowMs = endMs;
    await settle();
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

interface Watched extends PollTarget {
  readonly askedAtMs: number[];
}

function setup(count: number, options: { readonly slow?: boolean; readonly answer?: (target: Watched) => Promise<void>; readonly nextMs?: () => number | null } = {}): { clock: HandClock; polling: Polling; targets: Watched[] } {
  const clock = new HandClock();
  const targets: Watched[] = [];
  const polling = new Polling({ targets: () => targets, intervalMs: () => 3_000, clock, log });
  for (let index = 0; index < count; index++) {
    const target: Watched = {
      key: `t${index}`, slow: options.slow ?? false, askedAtMs: [], nextMs: options.nextMs ?? (() => null),
      ask: async () => {
        target.askedAtMs.push(clock.now());
        await options.answer?.(target);
      },
    };
    targets.push(target);
  }
  polling.wake();
  return { clock, polling, targets };
}

const gapsOf = (target: Watched | undefined): number[] => (target?.askedAtMs ?? []).slice(1).map((atMs, index) => atMs - (target?.askedAtMs[index] ?? 0));

test("what does not change is asked less and less, down to a tenth of the pace", async () => {
  const { clock, polling, targets } = setup(1);
  await clock.advance(10 * 60_000);
  polling.dispose();
  const gaps = gapsOf(targets[0]);
  assert.ok((gaps[0] ?? 0) >= 3_000 && (gaps[0] ?? 0) <= 5_000, String(gaps[0]));
  for (const gap of gaps.slice(8)) assert.ok(gap >= 27_000 && gap <= 33_000, String(gap));
  assert.ok(gaps.length < 35, `${gaps.length} questions in ten minutes`);
});

test("a change brings the quick pace back", async () => {
  const { clock, polling, targets } = setup(1);
  await clock.advance(5 * 60_000);
  const before = targets[0]?.askedAtMs.length ?? 0;
  polling.changed("t0");
  await clock.advance(3_400);
  assert.equal((targets[0]?.askedAtMs.length ?? 0) - before, 1);
  polling.dispose();
});

test("what changes each time is asked at the set pace", async () => {
  const { clock, polling, targets } = setup(1, { answer: (target) => Promise.resolve(polling.changed(target.key)) });
  await clock.advance(60_000);
  polling.dispose();
  for (const gap of gapsOf(targets[0])) assert.ok(gap >= 2_700 && gap <= 3_300, String(gap));
});

test("nothing is asked while nothing is visible", async () => {
  const { clock, polling, targets } = setup(2);
  await clock.advance(1_000);
  const hidden = targets.splice(0);
  polling.wake();
  const before = hidden.map(({ askedAtMs }) => askedAtMs.length);
  await clock.advance(60 * 60_000);
  assert.deepEqual(hidden.map(({ askedAtMs }) => askedAtMs.length), before);
  polling.dispose();
});

test("at most four questions are under way at a time", async () => {
  let running = 0;
  let most = 0;
  const answers: (() => void)[] = [];
  const { clock, polling, targets } = setup(20, {
    answer: async () => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => answers.push(resolve));
      running--;
    },
  });
  await clock.advance(100);
  assert.equal(running, 4);
  for (let turn = 0; turn < 20; turn++) {
    answers.shift()?.();
    await clock.advance(1);
  }
  assert.equal(most, 4);
  assert.ok(targets.every(({ askedAtMs }) => askedAtMs.length >= 1));
  polling.dispose();
});

test("a cluster that is down is asked when its time has come, and by hand at once", async () => {
  let nextMs: number | null = null;
  const { clock, polling, targets } = setup(1, { nextMs: () => nextMs, answer: () => Promise.resolve(void (nextMs = clock.now() + 60_000)) });
  await clock.advance(30_000);
  assert.equal(targets[0]?.askedAtMs.length, 1);
  await clock.advance(31_000);
  assert.equal(targets[0]?.askedAtMs.length, 2);
  polling.hurry();
  await clock.advance(10);
  assert.equal(targets[0]?.askedAtMs.length, 3);
  polling.dispose();
});

test("a question that fails is asked again and stops nothing", async () => {
  const { clock, polling, targets } = setup(1, { answer: () => Promise.reject(new Error("broken")) });
  await clock.advance(20_000);
  assert.ok((targets[0]?.askedAtMs.length ?? 0) >= 3);
  polling.dispose();
});

test("what is visible can't be told for once, and the asking goes on", async () => {
  const clock = new HandClock();
  let faults = 1;
  let asked = 0;
  const target: PollTarget = { key: "t", slow: false, ask: () => Promise.resolve(void asked++), nextMs: () => null };
  const polling = new Polling({
    targets: () => {
      if (faults-- > 0) throw new Error("a row without a place");
      return [target];
    },
    intervalMs: () => 3_000, clock, log,
  });
  await clock.advance(60_000);
  assert.ok(asked > 2, `${asked} questions`);
  polling.dispose();
});

test("after disposal no timer is left and nothing is asked", async () => {
  const { clock, polling, targets } = setup(1);
  const ticking = every(clock, () => 1_000, () => undefined);
  await clock.advance(5_000);
  polling.dispose();
  ticking.dispose();
  await clock.advance(10);
  const asked = targets[0]?.askedAtMs.length;
  assert.equal(clock.sleepers, 0);
  await clock.advance(60_000);
  assert.equal(targets[0]?.askedAtMs.length, asked);
});
