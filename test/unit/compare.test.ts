import assert from "node:assert/strict";
import { test } from "node:test";
import { compareSnapshots, type Comparison, type OperatorDifference } from "../../src/core/metadata/compare";
import type { Metadata } from "../../src/core/metadata/metadata";
import { operatorIdOf } from "../../src/core/metadata/operatorId";
import { inMemory } from "../../src/core/metadata/randomAccess";
import { scanMetadata } from "../../src/core/metadata/scan";
import type { Serializer } from "../../src/core/metadata/states/serializer";
import type { OperatorStateEntry } from "../../src/core/metadata/states/stateTable";
import { ByteWriter } from "./metadataWriter";

interface Operator {
  readonly name?: string;
  readonly uid?: string;
  readonly id?: string;
  readonly parallelism?: number;
  readonly maxParallelism?: number;
  readonly bytes?: number;
}

/** A metadata with operators that have nothing but a coordinator's state. */
async function snapshot(operators: readonly Operator[], version = 6): Promise<Metadata> {
  const out = new ByteWriter().i32(0x4960672d).i32(version).i64(1).i32(0).i32(operators.length);
  for (const { name = "", uid = "", id = operatorIdOf(uid), parallelism = 4, maxParallelism = 128, bytes = 10 } of operators) {
    if (version >= 5) out.utf(name).utf(uid);
    out.raw(Buffer.from(id, "hex")).i32(parallelism).i32(maxParallelism).u8(1).utf("").i32(bytes).raw(Buffer.alloc(bytes)).i32(0);
  }
  const { metadata, problems } = await scanMetadata(inMemory(out.raw(Buffer.from("aced000570", "hex")).finish()));
  assert.deepEqual(problems, []);
  assert.ok(metadata);
  return metadata;
}

async function compared(left: readonly Operator[], right: readonly Operator[], versions: readonly [number, number] = [6, 6]): Promise<Comparison> {
  return compareSnapshots({ metadata: await snapshot(left, versions[0]) }, { metadata: await snapshot(right, versions[1]) });
}

const brief = ({ change, matchedBy, changes, left, right, deltaBytes }: OperatorDifference): unknown => [change, matchedBy, left?.uid ?? left?.name ?? null, right?.uid ?? right?.name ?? null, changes.join(" "), Number(deltaBytes)];

test("operators are matched by their ids, whatever the order, and what differs in them is named", async () => {
  const { operators, counts, deltaBytes } = await compared([{ uid: "a" }, { uid: "b" }, { uid: "gone" }, { uid: "c" }], [{ uid: "c", parallelism: 8, bytes: 15 }, { uid: "new", bytes: 7 }, { uid: "a" }, { uid: "b", maxParallelism: 256 }]);
  assert.deepEqual(operators.map(brief), [
    ["changed", "id", "c", "c", "size parallelism", 5],
    ["added", null, null, "new", "", 7],
    ["same", "id", "a", "a", "", 0],
    ["changed", "id", "b", "b", "maxParallelism", 0],
    ["removed", null, "gone", null, "", -10],
  ]);
  assert.deepEqual(counts, { added: 1, removed: 1, changed: 2, same: 1 });
  assert.equal(deltaBytes, 2n);
});

test("a changed uid is found by the operator's name, unless several have it", async () => {
  const { operators } = await compared(
    [{ uid: "old", name: "Count" }, { uid: "x1", name: "Map" }, { uid: "x2", name: "Map" }],
    [{ uid: "renamed", name: "Count" }, { uid: "y1", name: "Map" }, { uid: "y2", name: "Map" }],
  );
  assert.deepEqual(operators.map(({ change, matchedBy, changes }) => [change, matchedBy, changes.join(" ")]), [["changed", "name", "id uid"], ["removed", null, ""], ["removed", null, ""], ["added", null, ""], ["added", null, ""]]);
});

test("a uid on one side and its hash on the other are one operator", async () => {
  const automatic = "bc764cd8ddf7a0cff126f51c16239658";
  const same = await compared([{ id: operatorIdOf("a") }], [{ uid: "a" }], [4, 6]);
  assert.deepEqual(same.operators.map(brief), [["same", "id", null, "a", "", 0]]);
  const { operators } = await compared([{ uid: "a", id: automatic }], [{ id: operatorIdOf("a"), name: "n" }]);
  assert.deepEqual(operators.map(({ matchedBy, changes }) => [matchedBy, changes.join(" ")]), [["uid", "id uid name"]]);
});

const serializer = (name: string, nested: readonly Serializer[] = []): Serializer => ({ className: `org.apache.flink.${name}`, name, version: 3, outerVersion: null, facts: {}, nested, opaqueBytes: null });
const state = (name: string, kind: string, value: Serializer): OperatorStateEntry => ({
  name, kind, type: "KEY_VALUE", role: "managedKeyedState", ttl: false, keySerializer: serializer("LongSerializer"), serializers: { VALUE_SERIALIZER: value }, subtasks: 1, entries: null,
});

test("states that were added, removed, or changed in kind or serializer are named, with their serializers in words", async () => {
  const metadata = await snapshot([{ uid: "a" }, { uid: "b" }]);
  const long = serializer("LongSerializer");
  const text = serializer("StringSerializer");
  const before = [state("same", "VALUE", long), state("gone", "VALUE", long), state("kind", "VALUE", long), state("value", "LIST", serializer("ListSerializer", [long]))];
  const after = [state("value", "LIST", serializer("ListSerializer", [text])), state("kind", "MAP", long), state("same", "VALUE", { ...long, version: 2, facts: { serializerClass: "x" } }), state("new", "VALUE", text)];
  const { operators } = compareSnapshots({ metadata, states: (row) => (row === 0 ? before : undefined) }, { metadata, states: (row) => (row === 0 ? after : []) });
  assert.deepEqual(operators[0]?.changes, ["states"]);
  assert.deepEqual(operators[0]?.states?.map(({ name, change, kindChanged, serializers }) => [name, change, kindChanged, ...serializers]), [
    ["gone", "removed", false],
    ["kind", "changed", true],
    ["value", "changed", false, { key: "VALUE", left: "list<long>", right: "list<string>" }],
    ["new", "added", false],
  ]);
  assert.equal(operators[1]?.states, null);
});

test("two large snapshots are compared in a moment, even when nothing matches", async () => {
  const many = (prefix: string): Operator[] => Array.from({ length: 5000 }, (_, i) => ({ uid: `${prefix}${i}`, bytes: 0 }));
  const start = performance.now();
  const { counts } = await compared(many("a"), many("b"));
  assert.deepEqual(counts, { added: 5000, removed: 5000, changed: 0, same: 0 });
  assert.ok(performance.now() - start < 50_000);
});
