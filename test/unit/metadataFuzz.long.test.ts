import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { ownSnapshotFolders } from "./metadataFiles";
import { cutEverywhere, fuzz, fuzzStates } from "./metadataFuzz";

test("as many mutated files as asked for, 100,000 by default, end in a result or a typed problem", async () => {
  const count = Number(process.env["FUZZ_COUNT"] ?? "100000");
  const seed = Number(process.env["FUZZ_SEED"] ?? String(Date.now() % 1_000_000_000));
  console.log(`${count} inputs from seed ${seed}`);
  const { whole, codes } = await fuzz(count, seed);
  console.log(`${whole} read whole, ${[...codes].map(([code, number]) => `${number} ${code}`).join(", ")}`);
  assert.ok(codes.size >= 6);
});

test("as many mutated state files, a fifth of that number, end in a result or a typed problem", async () => {
  const count = Math.ceil(Number(process.env["FUZZ_COUNT"] ?? "100000") / 5);
  const seed = Number(process.env["FUZZ_SEED"] ?? String(Date.now() % 1_000_000_000));
  console.log(`${count} inputs from seed ${seed}`);
  const { clean, codes, slowestMs } = await fuzzStates(count, seed);
  console.log(`${clean} without a problem, ${[...codes].map(([code, number]) => `${number} ${code}`).join(", ")}; the slowest took ${slowestMs.toFixed(0)} ms`);
  assert.ok(codes.size >= 4);
});

test("a snapshot of a real Flink, cut at any byte, is never taken for a whole one", async () => {
  for (const { folder } of ownSnapshotFolders()) await cutEverywhere(await fs.readFile(path.join(folder, "_metadata")));
});
