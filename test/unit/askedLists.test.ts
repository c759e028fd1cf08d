import assert from "node:assert/strict";
import { test } from "node:test";
import { FlinkError } from "../../src/core/errors";
import type { Part } from "../../src/core/paimon/tableSource";
import { AskedLists } from "../../src/host/views/askedLists";
import { JumpingClock } from "./fakes";

const log = { trace: () => undefined, debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const part = (...items: readonly string[]): Part<string> => ({ items, more: 0, problems: [] });

/** Lists whose answers come when they are told to. */
function lists() {
  const clock = new JumpingClock();
  const asked = new AskedLists(clock, log);
  const changed: string[] = [];
  asked.onDidChange((id) => changed.push(id));
  const open: { readonly signal: AbortSignal; tell(part: Part<string>): void; fail(error: Error): void }[] = [];
  const of = (most = 50, id = "row") => asked.of<string>(id, most, (signal) => new Promise((resolve, reject) => open.push({ signal, tell: resolve, fail: reject })));
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { clock, asked, changed, open, of, settled };
}

test("a list is asked for once while it is looked at, and its row drawn again when the answer is there", async () => {
  const { of, open, changed, settled, clock, asked } = lists();
  assert.deepEqual(of(), { part: undefined, failure: undefined, isAsking: true });
  of();
  assert.equal(open.length, 1);
  open[0]?.tell(part("a"));
  await settled();
  assert.deepEqual(changed, ["row"]);
  assert.deepEqual(of(), { part: part("a"), failure: undefined, isAsking: false });
  clock.skip(9 * 60_000);
  of();
  assert.equal(open.length, 1);
  clock.skip(60_000);
  // What is known stands there until the new answer comes.
  assert.deepEqual(of(), { part: part("a"), failure: undefined, isAsking: true });
  open[1]?.tell(part("b"));
  await settled();
  asked.forget();
  assert.deepEqual(of(), { part: part("b"), failure: undefined, isAsking: true });
  assert.equal(open.length, 3);
  asked.dispose();
  assert.ok(open[2]?.signal.aborted);
});

test("more of a list, or a row that was closed, gives up what was asked before; a late answer of that is none", async () => {
  const { of, open, changed, settled, asked } = lists();
  of();
  of(100);
  assert.ok(open[0]?.signal.aborted);
  open[0].tell(part("old"));
  await settled();
  assert.deepEqual([changed, of(100).part], [[], undefined]);
  asked.keep(() => false);
  assert.ok(open[1]?.signal.aborted);
  of();
  assert.equal(open.length, 3);
});

test("a failure is shown on the row, and not tried again with each drawing", async () => {
  const { of, open, settled, asked } = lists();
  const error = new FlinkError("catalog-unreadable", { warehouse: "w", gateway: "g", at: "catalog", reason: "refused" });
  of();
  open[0]?.fail(error);
  await settled();
  assert.deepEqual(of(), { part: undefined, failure: error, isAsking: false });
  assert.equal(open.length, 1);
  asked.forget();
  assert.equal(of().isAsking, true);
  open[1]?.fail(new TypeError("a fault of ours"));
  await settled();
  assert.equal(of().failure?.code, "unexpected-reply");
});
