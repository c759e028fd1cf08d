import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { runAll } from "./harness";

/** Called by the extension host. Every `*.test.js` beside this file is found, so none can be forgotten; `RIG_ONLY` narrows by file name. */
export async function run(): Promise<void> {
  const only = process.env["RIG_ONLY"] ?? "";
  const files = readdirSync(__dirname, { recursive: true }).map(String).filter((name) => name.endsWith(".test.js") && name.includes(only)).sort();
  const load = createRequire(__filename);
  for (const file of files) load(join(__dirname, file));
  await runAll((line) => console.log(line));
}
