import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzz } from "./metadataFuzz";

test("as many mutated files as asked for, 100,000 by default, end in a result or a typed problem", async () => {
  const count = Number(process.env["FUZZ_COUNT"] ?? "100000");
  const seed = Number(process.env["FUZZ_SEED"] ?? String(Date.now() % 1_000_000_000));
  console.log(`${count} inputs from seed ${seed}`);
  const { whole, codes } = await fuzz(count, seed);
  console.log(`${whole} read whole, ${[...codes].map(([code, number]) => `${number} ${code}`).join(", ")}`);
  assert.ok(codes.size >= 6);
});
