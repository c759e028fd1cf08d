// Writes the JSON Schemas of the program's JSON, and of the file of schedules and cleanup rules, from the types: npm run schema.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { schemaFiles } from "../../src/core/inspector/reportSchema";
import { lifecycleJsonSchema } from "../../src/core/lifecycle/lifecycleFile";

const folder = path.join(process.cwd(), "docs", "schema");
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries({ ...schemaFiles(), "flink-savepoints.schema.json": lifecycleJsonSchema() })) writeFileSync(path.join(folder, name), text);
