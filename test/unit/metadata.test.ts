import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import * as fs from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { scanMetadata } from "../../src/core/metadata/scan";
import { inMemory } from "../../src/core/metadata/randomAccess";
import { ownSnapshotFolders, plainMetadata, snapshotFolders } from "./metadataFiles";

for (const { name, folder } of snapshotFolders()) {
  if (!existsSync(path.join(folder, "expected.json"))) continue;
  test(`the metadata of ${name} holds what is known to be in it`, async () => {
    const input = inMemory(await fs.readFile(path.join(folder, "_metadata")));
    const { metadata, problems } = await scanMetadata(input);
    assert.deepEqual(problems, []);
    assert.ok(metadata);
    const expected = JSON.parse(await fs.readFile(path.join(folder, "expected.json"), "utf8")) as { file: string; kindEvidence?: unknown };
    // Why a kind was found is told in words, which differ.
    delete expected.kindEvidence;
    assert.deepEqual(await plainMetadata(input, metadata, expected.file), expected);
  });
}

test("in the project's own snapshots the scan and the handles add up to the same", async () => {
  const folders = ownSnapshotFolders();
  assert.ok(folders.length > 0);
  for (const { name, folder } of folders) {
    const input = inMemory(await fs.readFile(path.join(folder, "_metadata")));
    const { metadata } = await scanMetadata(input);
    assert.ok(metadata);
    // Throws when an operator's sum differs.
    await plainMetadata(input, metadata, name);
    const { totals, operators } = metadata;
    assert.equal([...operators].reduce((sum, operator) => sum + operator.sizeBytes, 0n), totals.stateBytes);
    for (const { row } of operators) assert.notEqual(operators.uidMatches(row), false, `${name}: the uid of operator ${row}`);
  }
});
