import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Backoff, isAbort, KeyedQueue, mapLimit, systemClock } from "../../src/core/base/async";
import { DisposableStore } from "../../src/core/base/disposable";
import { Emitter } from "../../src/core/base/event";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("the machine's clock", () => {
  test("sleeps for the time given", async () => {
    const began = performance.now();
    await systemClock.sleep(15);
    assert.ok(performance.now() - began >= 14);
  });

  test("stops sleeping when it is aborted, with the signal's reason, and at once when it was aborted before", async () => {
    const abort = new AbortController();
    const sleep = systemClock.sleep(60_000, abort.signal);
    abort.abort();
    await assert.rejects(sleep, isAbort);
    await assert.rejects(systemClock.sleep(60_000, abort.signal), isAbort);
  });
});

test("only the error of an aborted signal is an abort", () => {
  assert.ok(isAbort(AbortSignal.abort().reason));
  for (const other of [new Error("AbortError"), "AbortError", undefined, null, { name: "AbortError" }]) assert.equal(isAbort(other), false);
});

test("waits grow by half up to the longest, with a fifth of jitter, and begin anew after a reset", () => {
  const pause = new Backoff(200, 2_000);
  const waits = Array.from({ length: 12 }, () => pause.next());
  const expected = [200, 300, 450, 675, 1_012.5, 1_518.75, 2_000, 2_000, 2_000, 2_000, 2_000, 2_000];
  waits.forEach((wait, at) => assert.ok(wait >= (expected[at] ?? 0) * 0.89 && wait <= (expected[at] ?? 0) * 1.11, `${at}: ${wait}`));
  pause.reset();
  assert.ok(pause.next() <= 220);
});

describe("mapLimit", () => {
  test("keeps the order, and never has more calls running than the limit", async () => {
    let running = 0;
    let most = 0;
    const results = await mapLimit([5, 4, 3, 2, 1, 0], 2, async (n) => {
      most = Math.max(most, ++running);
      for (let i = 0; i < n; i++) await turn();
      running--;
      return n * 10;
    });
    assert.deepEqual(results, [50, 40, 30, 20, 10, 0]);
    assert.equal(most, 2);
    assert.deepEqual(await mapLimit([], 4, () => Promise.reject(new Error("never called"))), []);
  });

  test("rejects with the first failure, and begins nothing after it", async () => {
    const begun: number[] = [];
    await assert.rejects(mapLimit([0, 1, 2, 3, 4, 5, 6, 7], 2, async (n) => {
      begun.push(n);
      await turn();
      if (n === 1) throw new Error("one");
    }), /one/);
    for (let i = 0; i < 20; i++) await turn();
    assert.ok(begun.length <= 3, `went on with ${begun.join(" ")}`);
  });
});

describe("a keyed queue", () => {
  test("runs the tasks of a key one after another, and those of other keys beside them", async () => {
    const queue = new KeyedQueue();
    const order: string[] = [];
    const task = (name: string, turns: number) => async (): Promise<string> => {
      order.push(`+${name}`);
      for (let i = 0; i < turns; i++) await turn();
      order.push(`-${name}`);
      return name;
    };
    assert.deepEqual(await Promise.all([queue.run("a", task("a1", 3)), queue.run("a", task("a2", 0)), queue.run("b", task("b1", 1))]), ["a1", "a2", "b1"]);
    assert.ok(order.indexOf("-a1") < order.indexOf("+a2"));
    assert.ok(order.indexOf("+b1") < order.indexOf("-a1"));
  });

  test("goes on after a task that failed or threw at once", async () => {
    const queue = new KeyedQueue();
    const failed = queue.run("a", () => Promise.reject(new Error("first")));
    const threw = queue.run("a", () => {
      throw new Error("second");
    });
    const third = queue.run("a", () => Promise.resolve(3));
    await assert.rejects(failed, /first/);
    await assert.rejects(threw, /second/);
    assert.equal(await third, 3);
  });
});

test("an emitter calls every listener though one throws, and none that has left", () => {
  const emitter = new Emitter<number>();
  const heard: string[] = [];
  const first = emitter.event((n) => heard.push(`a${n}`));
  emitter.event(() => {
    throw new Error("listener");
  });
  emitter.event((n) => heard.push(`b${n}`));
  assert.throws(() => emitter.fire(1), /listener/);
  first.dispose();
  assert.throws(() => emitter.fire(2), /listener/);
  emitter.dispose();
  emitter.fire(3);
  assert.deepEqual(heard, ["a1", "b1", "b2"]);
});

test("a store disposes newest first, and at once what arrives too late", () => {
  const store = new DisposableStore();
  const gone: string[] = [];
  for (const name of ["a", "b"]) store.add({ dispose: () => void gone.push(name) });
  store.dispose();
  store.dispose();
  store.add({ dispose: () => void gone.push("late") });
  assert.deepEqual(gone, ["b", "a", "late"]);
});
