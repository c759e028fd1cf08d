import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { snapshotFolders } from "./metadataFiles";
import { cutEverywhere, fuzz, fuzzStates } from "./metadataFuzz";
import { writeMetadata } from "./metadataWriter";

test("a file cut at any byte is never taken for a whole one", async () => {
  const real = await Promise.all(snapshotFolders().map(({ folder }) => fs.readFile(path.join(folder, "_metadata"))));
  const files = real.filter((bytes) => bytes.length < 2000).slice(0, 3);
  for (let seed = 3; files.length < 10; seed++) files.push(writeMetadata({ version: 1 + (seed % 7), seed, operators: 1 }).bytes);
  for (const bytes of files) await cutEverywhere(bytes);
});

test("1,000 mutated files end in a result or a typed problem", async () => {
  const seed = Number(process.env["FUZZ_SEED"] ?? "20000");
  const { whole, codes } = await fuzz(1000, seed);
  console.log(`seed ${seed}: ${whole} read whole, ${[...codes].map(([code, count]) => `${count} ${code}`).join(", ")}`);
  assert.ok(codes.size >= 6);
});

test("200 mutated state files end in a result or a typed problem", async () => {
  const seed = Number(process.env["FUZZ_SEED"] ?? "30000");
  const { clean, codes, slowestMs } = await fuzzStates(200, seed);
  console.log(`seed ${seed}: ${clean} without a problem, ${[...codes].map(([code, count]) => `${count} ${code}`).join(", ")}; the slowest took ${slowestMs.toFixed(0)} ms`);
  assert.ok(codes.size >= 4);
});
