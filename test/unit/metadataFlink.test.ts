import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { decodeSubtasks } from "../../src/core/metadata/decode";
import type { StreamHandle } from "../../src/core/metadata/handles";
import { inMemory, type RandomAccess } from "../../src/core/metadata/randomAccess";
import { scanMetadata } from "../../src/core/metadata/scan";
import type { StateHeader } from "../../src/core/metadata/states/serializer";
import { readKeyedStates, readOperatorStates } from "../../src/core/metadata/states/stateFile";
import { ownSnapshotFolders } from "./metadataFiles";

/** What Flink's own reader found when the snapshot was made. */
interface FlinkFacts {
  readonly checkpointId: number;
  readonly masterStates: number;
  readonly operators: readonly {
    readonly id: string;
    readonly parallelism: number;
    readonly maxParallelism: number;
    readonly fullyFinished: boolean;
    readonly coordinatorBytes: number;
    readonly sizeBytes: number;
    /** Index, size, checkpointed size, finished. */
    readonly subtasks: readonly (readonly [number, number, number, boolean])[];
    /** Subtask, name, type, class of the value serializer's snapshot. */
    readonly states: readonly (readonly [number, string, string, string])[];
  }[];
}

const folders = ownSnapshotFolders();

test("there are snapshots of four releases, canonical, native and checkpoints", () => {
  assert.ok(folders.length >= 12);
});

test("checkpoints that were not aligned have channel state, merged from metadata version 6 on", async () => {
  const kinds = new Map<number, readonly string[]>();
  for (const { folder } of folders.filter(({ name }) => name.endsWith("unaligned-checkpoint"))) {
    const { metadata } = await scanMetadata(inMemory(await fs.readFile(path.join(folder, "_metadata"))));
    assert.ok(metadata);
    kinds.set(metadata.version, [...metadata.handleCounts.keys()].filter((kind) => kind.endsWith("Channel")));
  }
  assert.deepEqual([...kinds.keys()].sort(), [3, 4, 5, 6]);
  for (const [version, found] of kinds) assert.ok(found.length > 0 && found.every((kind) => kind.startsWith("merged") === version >= 6), `${version}: ${found.join(" ")}`);
});

for (const { name, folder } of folders) {
  test(`${name} holds what Flink's own reader finds in it`, async () => {
    const expected = JSON.parse(await fs.readFile(path.join(folder, "flink.json"), "utf8")) as FlinkFacts;
    const file = await fs.readFile(path.join(folder, "_metadata"));
    const input = inMemory(file);
    const { metadata, problems } = await scanMetadata(input);
    assert.deepEqual(problems, []);
    assert.ok(metadata?.whole);
    assert.equal(metadata.checkpointId, BigInt(expected.checkpointId));
    assert.equal(metadata.masterStates.length, expected.masterStates);
    assert.equal(metadata.kind, metadata.version === 3 && name.endsWith("native") ? "checkpoint or native savepoint" : name.endsWith("checkpoint") ? "checkpoint" : `${path.basename(name)} savepoint`);
    const found = [];
    for (const operator of metadata.operators) {
      const { subtasks } = await decodeSubtasks(input, metadata, { row: operator.row });
      const states = [];
      for (const subtask of subtasks) {
        const known = (header: StateHeader | undefined): unknown[] => (header?.states ?? []).map((state) => [subtask.index, state.name, state.type, state.serializers["VALUE_SERIALIZER"]?.className]);
        if (subtask.managedKeyed?.type === "keyGroups") states.push(...known((await readKeyedStates(await open(file, folder, subtask.managedKeyed.delegate), subtask.managedKeyed.keyGroups)).header));
        for (const handle of subtask.managedOperator) if (handle !== null) states.push(...known((await readOperatorStates(await open(file, folder, handle.delegate), handle)).header));
      }
      found.push({
        id: operator.id, parallelism: operator.parallelism, maxParallelism: operator.maxParallelism, fullyFinished: operator.fullyFinished, coordinatorBytes: Number(operator.sizes.coordinator), sizeBytes: Number(operator.sizeBytes),
        subtasks: subtasks.map(({ index, sizeBytes, finished }) => [index, Number(sizeBytes), finished]).sort(([a], [b]) => Number(a) - Number(b)), states,
      });
    }
    const wanted = expected.operators.map((operator) => ({ ...operator, subtasks: operator.subtasks.map(([index, size, , finished]) => [index, size, finished]) }));
    const byId = <T extends { readonly id: string }>(list: readonly T[]): T[] => [...list].sort((a, b) => (a.id < b.id ? -1 : 1));
    assert.deepEqual(byId(found), byId(wanted));
  });
}

test("six keys have one entry each, and their maps four, in every snapshot of every release", async () => {
  for (const { name, folder } of folders) {
    const file = await fs.readFile(path.join(folder, "_metadata"));
    const { metadata } = await scanMetadata(inMemory(file));
    assert.ok(metadata);
    const totals = new Map<string, number>();
    for (const operator of metadata.operators) {
      for (const { managedKeyed } of (await decodeSubtasks(inMemory(file), metadata, { row: operator.row })).subtasks) {
        if (managedKeyed?.type !== "keyGroups") continue;
        const { entries, problems } = await readKeyedStates(await open(file, folder, managedKeyed.delegate), managedKeyed.keyGroups, { entries: true });
        assert.deepEqual(problems, [], name);
        for (const [state, { total }] of entries) totals.set(state, (totals.get(state) ?? 0) + total);
      }
    }
    // The heap's own format has a map as one entry, the canonical one each of its pairs.
    assert.deepEqual([totals.get("recent"), totals.get("blob")], [6, name.endsWith("canonical") ? 24 : 6], `${name}: ${JSON.stringify([...totals])}`);
  }
});

async function open(file: Buffer, folder: string, handle: StreamHandle): Promise<RandomAccess> {
  if (handle.type === "bytes") return inMemory(file.subarray(handle.dataOffset, handle.dataOffset + Number(handle.sizeBytes)));
  assert.ok(handle.type === "relativeFile" || handle.type === "file");
  return inMemory(await fs.readFile(path.join(folder, path.basename(handle.path))));
}
