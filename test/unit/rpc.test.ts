import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, serve, type Handlers, type Port } from "../../src/core/rpc";

interface Api {
  double(params: { value: number }): number;
  fail(params: Record<never, never>): null;
  wait(params: Record<never, never>): null;
}

/** Two ends that deliver like a page and its host: later, and as copies. */
function pair(): [Port, Port] {
  const listeners: [Set<(message: unknown) => void>, Set<(message: unknown) => void>] = [new Set(), new Set()];
  const end = (own: 0 | 1): Port => ({
    post: (message) => { const copy: unknown = JSON.parse(JSON.stringify(message)); setImmediate(() => { for (const listener of listeners[own === 0 ? 1 : 0]) listener(copy); }); },
    onMessage: (listener) => { listeners[own].add(listener); return { dispose: () => void listeners[own].delete(listener) }; },
  });
  return [end(0), end(1)];
}

function started(more: Partial<Handlers<Api>> = {}) {
  const [here, there] = pair();
  const server = serve<Api, { told: { word: string } }>(there, {
    double: ({ value }) => Promise.resolve(value * 2),
    fail: () => Promise.reject(new RangeError("too far")),
    wait: (_, signal) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
    ...more,
  }, (error) => ({ code: error instanceof RangeError ? "range" : "other", sentence: String(error) }));
  return { server, client: connect<Api, { told: { word: string } }>(here) };
}

test("a call gets its answer, and several at once get each their own", async () => {
  const { client } = started();
  assert.deepEqual(await Promise.all([1, 2, 3].map((value) => client.call("double", { value }))), [2, 4, 6]);
});

test("a handler that throws, also before it promises anything, and a method that is only inherited, reject with a code", async () => {
  const { client } = started({ double: () => { throw new Error("at once"); } });
  await assert.rejects(client.call("fail", {}), { code: "range" });
  await assert.rejects(client.call("double", { value: 1 }), { code: "other" });
  await assert.rejects(client.call("toString" as "fail", {}), { code: "range", message: /no method toString/ });
});

test("giving up rejects at once and stops the work on the other side", async () => {
  let tell: (word: string) => void = () => {};
  const stopped = new Promise<string>((resolve) => { tell = resolve; });
  const { client } = started({ wait: (_, signal) => new Promise(() => signal.addEventListener("abort", () => tell("stopped"))) });
  const abort = new AbortController();
  const call = client.call("wait", {}, abort.signal);
  abort.abort(new Error("enough"));
  await assert.rejects(call, /enough/);
  assert.equal(await stopped, "stopped");
});

test("closing either end leaves nobody waiting", async () => {
  const { client, server } = started();
  const call = client.call("wait", {});
  client.dispose({ code: "gone", sentence: "It is gone." });
  await assert.rejects(call, { code: "gone", message: "It is gone." });
  await assert.rejects(client.call("double", { value: 1 }), { code: "gone" });
  server.dispose();
});

test("an event reaches its listener", async () => {
  const { client, server } = started();
  const word = new Promise((resolve) => client.on("told", (payload) => resolve(payload.word)));
  server.emit("told", { word: "changed" });
  assert.equal(await word, "changed");
});
