import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { inMemory } from "../../src/core/metadata/randomAccess";
import { scanMetadata } from "../../src/core/metadata/scan";
import { snapshotFolders } from "./metadataFiles";
import { fuzz } from "./metadataFuzz";
import { writeMetadata } from "./metadataWriter";

test("a file cut at any byte is never taken for a whole one", async () => {
  const files: Buffer[] = [];
  for (const version of [1, 2, 3, 4, 5, 6, 7]) files.push(writeMetadata({ version, seed: 3, operators: 1 }).bytes);
  const real = await Promise.all(snapshotFolders().map(({ folder }) => fs.readFile(path.join(folder, "_metadata"))));
  files.push(...real.filter((bytes) => bytes.length < 7000).sort((a, b) => a.length - b.length).slice(0, 4));
  assert.ok(files.length >= 10);
  for (const bytes of files) {
    for (let length = 0; length < bytes.length; length++) {
      const { metadata, problems } = await scanMetadata(inMemory(bytes.subarray(0, length)));
      if (metadata?.whole === true || problems.at(-1)?.severity !== "error") assert.fail(`The first ${length} of ${bytes.length} bytes of version ${bytes[7]} pass for a file.`);
    }
  }
});

test("5,000 mutated files end in a result or a typed problem", async () => {
  const seed = Number(process.env["FUZZ_SEED"] ?? "20000");
  const { whole, codes } = await fuzz(5000, seed);
  console.log(`seed ${seed}: ${whole} read whole, ${[...codes].map(([code, count]) => `${count} ${code}`).join(", ")}`);
  assert.ok(codes.size >= 6);
});
