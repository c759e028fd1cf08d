import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { decodeSubtasks } from "../../src/core/metadata/decode";
import type { StreamHandle } from "../../src/core/metadata/handles";
import { inMemory, type RandomAccess } from "../../src/core/metadata/randomAccess";
import { scanMetadata } from "../../src/core/metadata/scan";
import { readKeyedStates } from "../../src/core/metadata/states/stateFile";
import { ourFacts, withoutInventions, type Plain } from "./flinkFacts";
import { ownSnapshotFolders, stateSnapshotFolders } from "./metadataFiles";

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

for (const { name, folder } of [...folders, ...stateSnapshotFolders()]) {
  test(`${name} holds what Flink's own reader finds in it`, async () => {
    const ours = await ourFacts(folder);
    assert.deepEqual(ours, withoutInventions(ours, JSON.parse(await fs.readFile(path.join(folder, "flink.json"), "utf8")) as Plain));
  });
}

for (const { name, folder } of folders) {
  test(`${name} is told from other kinds of snapshots`, async () => {
    const { metadata } = await scanMetadata(inMemory(await fs.readFile(path.join(folder, "_metadata"))));
    assert.equal(metadata?.kind, metadata?.version === 3 && name.endsWith("native") ? "checkpoint or native savepoint" : name.endsWith("checkpoint") ? "checkpoint" : `${path.basename(name)} savepoint`);
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
