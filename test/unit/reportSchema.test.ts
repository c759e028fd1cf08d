import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { schemaFiles } from "../../src/core/inspector/reportSchema";
import { lifecycleJsonSchema } from "../../src/core/lifecycle/lifecycleFile";

const folder = path.join(process.cwd(), "docs", "schema");

test("the JSON Schemas in docs/schema are those of the types: npm run schema writes them", () => {
  const kept = Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(path.join(folder, name), "utf8")]));
  assert.deepEqual(kept, { ...schemaFiles(), "flink-savepoints.schema.json": lifecycleJsonSchema() });
});

test("the program does not carry what only the schemas need", () => {
  const program = readFileSync(path.join(process.cwd(), "dist", "flink-savepoints.mjs"), "utf8");
  assert.ok(!program.includes("flink-savepoints diff --json"));
});
