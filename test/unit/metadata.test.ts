import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import * as fs from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { scanMetadata } from "../../src/core/metadata/scan";
import { inMemory } from "../../src/core/metadata/randomAccess";
import { plainMetadata, snapshotFolders } from "./metadataFiles";

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
