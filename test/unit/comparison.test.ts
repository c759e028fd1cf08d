import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { openLocalFile } from "../../src/clients/localFiles";
import { Compared } from "../../src/core/comparison/compared";
import { differenceOrder, weightOf } from "../../src/core/comparison/differenceOrder";
import { LoadedSnapshot } from "../../src/core/comparison/loadedSnapshot";
import type { DifferenceQuery, DifferenceRow, SideOperator } from "../../src/core/comparison/protocol";
import type { DiffReport } from "../../src/core/inspector/report";
import { inMemory } from "../../src/core/metadata/randomAccess";
import { fileAccess } from "./metadataFiles";

const fixtures = path.join(process.cwd(), "test", "fixtures", "metadata");
const never = new AbortController().signal;

/** Two of the project's own snapshots as the thread holds them. */
function compared(left: string, right: string): Compared {
  const load = (name: string) => async (): Promise<LoadedSnapshot> => {
    const folder = path.join(fixtures, name);
    return LoadedSnapshot.load({ input: await fileAccess(path.join(folder, "_metadata")), folder, open: openLocalFile });
  };
  return new Compared(load(left), load(right));
}

const all: DifferenceQuery = { swapped: false, changesOnly: false, filter: "", from: 0, limit: 1000, selected: null, sort: { by: "name", descending: false } };

test("two savepoints of one job differ in sizes, and in no state", async () => {
  const { handlers } = compared("2.3.0/canonical", "2.3.0/native");
  const head = await handlers.open({ swapped: false }, never);
  assert.deepEqual([head.left.snapshot?.kind, head.right.snapshot?.kind], ["canonical savepoint", "native savepoint"]);
  assert.deepEqual(await handlers.states({}, never), { unread: 0, notes: [] });
  const { rows, total } = await handlers.rows(all, never);
  assert.equal(total, 9);
  for (const { left, right, states, changes, deltaBytes } of rows) {
    assert.equal(left?.id, right?.id);
    assert.deepEqual(states, { added: 0, removed: 0, changed: 0 });
    assert.equal(deltaBytes, (right?.sizeBytes ?? 0) - (left?.sizeBytes ?? 0));
    assert.deepEqual(changes.filter((change) => change !== "size"), []);
  }
  const changed = await handlers.rows({ ...all, changesOnly: true }, never);
  assert.equal(changed.total, head.counts?.changed);
  const keyed = rows.find(({ right }) => right?.name === "keyed");
  const detail = await handlers.row({ swapped: false, at: keyed?.at ?? -1 }, never);
  assert.deepEqual(detail?.states?.map(({ name, change, right }) => `${name} ${change} ${right?.kind} ${right?.types.map(({ of, text }) => `${of} ${text}`).join(", ")}`), [
    "_timer_state/event_user-timers same timers key long, value timer<long, void>", "_timer_state/processing_user-timers same timers key long, value timer<long, void>",
    "blob same map key long, value map<long, bytes>", "count same value key long, value long", "recent same list key long, value list<long>",
  ]);
});

test("from the other side what was added is removed, each operator at its place", async () => {
  const { handlers } = compared("2.0.2/canonical", "2.3.0/unaligned-checkpoint");
  await handlers.states({}, never);
  const [there, back] = await Promise.all([handlers.open({ swapped: false }, never), handlers.open({ swapped: true }, never)]);
  assert.ok((there.counts?.changed ?? 0) > 0 && (there.counts?.removed ?? 0) > 0);
  assert.deepEqual([back.counts?.added, back.counts?.removed, back.deltaBytes], [there.counts?.removed, there.counts?.added, -there.deltaBytes]);
  const other = { added: "removed", removed: "added", changed: "changed", same: "same" };
  const [rows, turned] = [(await handlers.rows(all, never)).rows, (await handlers.rows({ ...all, swapped: true }, never)).rows];
  const byPlace = new Map(turned.map((row) => [row.at, row]));
  for (const row of rows) {
    const twin = byPlace.get(row.at);
    assert.deepEqual([twin?.change, twin?.left, twin?.right, twin?.deltaBytes], [other[row.change], row.right, row.left, -row.deltaBytes + 0]);
  }
});

test("the JSON is the report of the command line, with sizes as decimal strings", async () => {
  const { handlers } = compared("2.3.0/canonical", "2.3.0/native");
  const report = JSON.parse(await handlers.json({ swapped: false }, never)) as DiffReport;
  assert.equal(report.operators.length, 9);
  assert.match(report.deltaBytes, /^-?\d+$/);
  const back = JSON.parse(await handlers.json({ swapped: true }, never)) as DiffReport;
  assert.equal(BigInt(back.deltaBytes), -BigInt(report.deltaBytes));
});

test("a file that is no metadata, or broke off, leaves a comparison that says so", async () => {
  const folder = path.join(fixtures, "2.3.0", "native");
  const input = await fileAccess(path.join(folder, "_metadata"));
  const good = (): Promise<LoadedSnapshot> => LoadedSnapshot.load({ input, folder, open: openLocalFile });
  const bytes = await input.read(0, 3000);
  const broken = new Compared(good, () => LoadedSnapshot.load({ input: inMemory(bytes), folder, open: openLocalFile }));
  assert.equal((await broken.handlers.open({ swapped: false }, never)).incomplete, true);
  const none = new Compared(good, () => LoadedSnapshot.load({ input: inMemory(Buffer.from("no such thing")), folder, open: openLocalFile }));
  const head = await none.handlers.open({ swapped: false }, never);
  assert.equal(head.right.snapshot, null);
  assert.equal(head.counts, null);
  assert.equal((await none.handlers.rows(all, never)).total, 0);
  assert.equal(await none.handlers.json({ swapped: false }, never), "null");
});

test("a side that could not be read is tried again with the next question", async () => {
  let tries = 0;
  const load = async (): Promise<LoadedSnapshot> => {
    if (tries++ === 0) throw new Error("the disk is away");
    const folder = path.join(fixtures, "2.3.0", "native");
    return LoadedSnapshot.load({ input: await fileAccess(path.join(folder, "_metadata")), folder, open: openLocalFile });
  };
  const { handlers } = new Compared(load, load);
  await assert.rejects(handlers.open({ swapped: false }, never), /the disk is away/);
  assert.deepEqual((await handlers.open({ swapped: false }, never)).counts, { added: 0, removed: 0, changed: 0, same: 9 });
});

test("what says most comes first: gone and new operators, then changed shape, then states, then sizes", () => {
  const side = (name: string, sizeBytes = 0): SideOperator => ({ id: name, name, uid: null, parallelism: 1, maxParallelism: 1, subtasks: 1, finished: false, sizeBytes });
  const row = (at: number, change: DifferenceRow["change"], changes: DifferenceRow["changes"], deltaBytes: number, changedStates = 0): DifferenceRow =>
    ({ at, change, left: change === "added" ? null : side(`o${at}`), right: change === "removed" ? null : side(`o${at}`), matchedBy: "id", changes, deltaBytes, states: { added: 0, removed: 0, changed: changedStates } });
  const rows = [row(0, "same", [], 0), row(1, "changed", ["size"], 10), row(2, "changed", ["size"], -500), row(3, "changed", ["states"], 0, 1), row(4, "changed", ["parallelism"], 0), row(5, "removed", [], -1), row(6, "added", [], 3)];
  assert.deepEqual(rows.map(weightOf), [0, 1, 1, 2, 3, 4, 4]);
  assert.deepEqual(differenceOrder(rows, { sort: { by: "change", descending: true }, filter: "", changesOnly: true }), [6, 5, 4, 3, 2, 1]);
  assert.deepEqual(differenceOrder(rows, { sort: { by: "delta", descending: false }, filter: "", changesOnly: false })[0], 2);
  assert.deepEqual(differenceOrder(rows, { sort: { by: "name", descending: false }, filter: "O3", changesOnly: false }), [3]);
});
