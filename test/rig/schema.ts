// Writes the JSON Schemas of the program's JSON from the types: npm run schema.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { schemaFiles } from "../../src/core/inspector/reportSchema";

const folder = path.join(process.cwd(), "docs", "schema");
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(schemaFiles())) writeFileSync(path.join(folder, name), text);
