import assert from "node:assert/strict";
import { test } from "node:test";
import type { SavepointRecord } from "../../src/core/ledger/record";
import type { JobSummary } from "../../src/core/model/job";
import { jobRows, savepointRows } from "../../src/core/rows";
import { nodeId, renderRow, type ExplorerNode } from "../../src/host/views/explorerRows";
import type { Row } from "../../src/host/views/row";
import { Tree, type Element } from "../../src/host/views/tree";
import { savepointRecord } from "./ledgerSamples";

interface Node {
  readonly id: string;
  readonly text: string;
}

/** A tree over a table of lists that a test changes, counting what is fetched. */
function treeOver(lists: Record<string, readonly Node[]>): { tree: Tree<Node>; fetched: string[]; told: string[][] } {
  const fetched: string[] = [];
  const told: string[][] = [];
  const tree = new Tree<Node>({
    children: (parent) => {
      fetched.push(parent?.id ?? "root");
      return Promise.resolve(lists[parent?.id ?? "root"] ?? []);
    },
    render: (node): Row => ({ label: node.text, description: "", icon: null, contextValue: "", spoken: node.text, children: "closed", ref: { id: node.id }, click: null }),
  }, (changed) => told.push(changed === "root" ? ["root"] : changed.map(({ id }) => id)));
  return { tree, fetched, told };
}

const child = (list: readonly Element<Node>[], id: string): Element<Node> => {
  const found = list.find((element) => element.id === id);
  assert.ok(found, id);
  return found;
};

test("a row keeps its identity when lists change, so that selection and expansion survive", async () => {
  const lists: Record<string, readonly Node[]> = { root: [{ id: "a", text: "A" }, { id: "b", text: "B" }], a: [{ id: "a1", text: "one" }] };
  const { tree, told } = treeOver(lists);
  const before = await tree.children();
  const a1 = child(await tree.children(child(before, "a")), "a1");
  lists["root"] = [{ id: "c", text: "C" }, { id: "b", text: "B" }, { id: "a", text: "A" }];
  await tree.update();
  const after = await tree.children();
  assert.equal(child(after, "a"), child(before, "a"));
  assert.equal(child(await tree.children(child(after, "a")), "a1"), a1);
  assert.deepEqual(told, [["root"]]);
});

test("only rows that look different are told to change", async () => {
  const lists: Record<string, readonly Node[]> = { root: [{ id: "a", text: "A" }, { id: "b", text: "B" }], a: [{ id: "a1", text: "one" }, { id: "a2", text: "two" }] };
  const { tree, told } = treeOver(lists);
  const roots = await tree.children();
  await tree.children(child(roots, "a"));
  await tree.update();
  assert.deepEqual(told, []);
  lists["a"] = [{ id: "a1", text: "one" }, { id: "a2", text: "TWO" }];
  await tree.update();
  assert.deepEqual(told, [["a2"]]);
  lists["a"] = [{ id: "a2", text: "TWO" }];
  await tree.update();
  assert.deepEqual(told.at(-1), ["a"]);
});

test("a row that changes together with its own list is told once, not again below", async () => {
  const lists: Record<string, readonly Node[]> = { root: [{ id: "a", text: "A" }], a: [{ id: "a1", text: "one" }] };
  const { tree, told } = treeOver(lists);
  await tree.children(child(await tree.children(), "a"));
  lists["root"] = [{ id: "a", text: "AA" }];
  lists["a"] = [{ id: "a1", text: "ONE" }, { id: "a2", text: "two" }];
  await tree.update();
  assert.deepEqual(told, [["a"]]);
  assert.deepEqual((await tree.children(child(await tree.children(), "a"))).map(({ row }) => row.label), ["ONE", "two"]);
});

test("looking at one row again fetches its list and what is open below it, not its neighbours", async () => {
  const lists: Record<string, readonly Node[]> = { root: [{ id: "a", text: "A" }, { id: "b", text: "B" }], a: [{ id: "a1", text: "one" }], b: [{ id: "b1", text: "one" }] };
  const { tree, fetched, told } = treeOver(lists);
  const roots = await tree.children();
  await tree.children(child(roots, "a"));
  await tree.children(child(roots, "b"));
  fetched.length = 0;
  lists["root"] = [{ id: "a", text: "A" }, { id: "b", text: "BB" }];
  lists["b"] = [{ id: "b1", text: "ONE" }];
  await tree.update("b");
  assert.deepEqual(fetched, ["root", "b"]);
  assert.deepEqual(told, [["b"]]);
});

test("nothing is fetched below a closed row, and opening it again looks at once", async () => {
  const lists: Record<string, readonly Node[]> = { root: [{ id: "a", text: "A" }], a: [{ id: "a1", text: "one" }] };
  const { tree, fetched, told } = treeOver(lists);
  const a = child(await tree.children(), "a");
  await tree.children(a);
  tree.setOpen(a, false);
  fetched.length = 0;
  lists["a"] = [{ id: "a1", text: "changed while closed" }];
  await tree.update();
  assert.deepEqual(fetched, ["root"]);
  tree.setOpen(a, true);
  // Comes after the look that opening began, and looks at nothing itself.
  await tree.update("no such row");
  assert.deepEqual(fetched, ["root", "root", "a"]);
  assert.deepEqual(told, [["a1"]]);
});

test("drawing again fetches nothing", async () => {
  const lists = { root: [{ id: "a", text: "A" }] };
  const { tree, fetched } = treeOver(lists);
  await tree.children();
  fetched.length = 0;
  tree.rerender();
  assert.deepEqual(fetched, []);
});

test("updates that arrive at once run one after another", async () => {
  let running = 0;
  let most = 0;
  const tree = new Tree<Node>({
    children: async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return [{ id: "a", text: "A" }];
    },
    render: (node): Row => ({ label: node.text, description: "", icon: null, contextValue: "", spoken: "", children: "none", ref: null, click: null }),
  }, () => undefined);
  await tree.children();
  await Promise.all(Array.from({ length: 10 }, () => tree.update()));
  assert.equal(most, 1);
});

test("1,000 jobs and 10,000 savepoints: a change of one costs one list per open row and one row to draw", async () => {
  const cluster = "http://flink:8081";
  const now = Date.UTC(2026, 10, 20);
  const jobs: JobSummary[] = Array.from({ length: 1_000 }, (_, index) => ({ jobId: index.toString(16).padStart(32, "0"), name: `job ${index}`, state: "RUNNING", startTimeMs: now - index, endTimeMs: null, tasks: { total: 4, running: 4 } }));
  let records: SavepointRecord[] = jobs.flatMap((job, at) => Array.from({ length: 10 }, (_, index) => savepointRecord(`${job.jobId}-${index}`, {
    cluster: { name: "c", url: cluster }, job: { id: job.jobId, name: job.name }, state: "completed", checkpointId: index, path: `file:/s/savepoint-${at}-${index}`, requestedAtMs: now - index * 60_000 - 1_000,
  })));
  let fetched = 0;
  let rendered = 0;
  const told: string[][] = [];
  const tree = new Tree<ExplorerNode>({
    children: (parent) => {
      fetched++;
      if (parent === undefined) return Promise.resolve(jobRows(cluster, jobs, records).map((row): ExplorerNode => ({ kind: "job", id: nodeId.job(row), row, seen: true, asked: false })));
      if (parent.kind !== "job") return Promise.resolve([]);
      return Promise.resolve(savepointRows(parent.row.jobId, records, undefined).map((row): ExplorerNode => ({ kind: "savepoint", id: nodeId.savepoint(parent.row, row.id), row, expectedMs: null, pairs: [], pinnedBy: [] })));
    },
    render: (node) => {
      rendered++;
      return renderRow(node, now);
    },
  }, (changed) => told.push(changed === "root" ? ["root"] : changed.map(({ id }) => id)));
  const roots = await tree.children();
  assert.equal(roots.length, 1_000);
  const [first, second] = roots;
  assert.ok(first && second);
  await tree.children(first);
  await tree.children(second);
  fetched = 0;
  rendered = 0;

  const changed = records.find((record) => record.job.id === second.node.id.split(" ")[1] && record.checkpointId === 5);
  assert.ok(changed);
  records = records.map((record) => (record === changed ? { ...record, pinned: true } : record));
  await tree.update();
  assert.deepEqual(told, [[`${second.id} savepoints ${changed.id}`]]);
  assert.equal(fetched, 3, "the jobs, and the two open ones");
  assert.equal(rendered, 1_020, "each row in sight once");
});
