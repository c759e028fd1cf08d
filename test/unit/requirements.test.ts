import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

test("every requirement that a source or a test cites has a line in docs/requirements.md", () => {
  const explained = new Set([...readFileSync(path.join("docs", "requirements.md"), "utf8").matchAll(/^\| ([ACOP]-\d+|rule \d+) \|/gm)].map(([, id]) => id));
  const cited = new Map<string, string>();
  for (const folder of ["src", "test"]) {
    for (const name of readdirSync(folder, { recursive: true }).map(String).filter((file) => /\.tsx?$/.test(file))) {
      const file = path.join(folder, name);
      for (const id of citedIn(readFileSync(file, "utf8"))) cited.set(id, file);
    }
  }
  assert.ok(cited.size > 30);
  assert.deepEqual([...cited].filter(([id]) => !explained.has(id)), []);
});

/** Ids as they are written: `C-26`, `C-25…C-30`, `rule 6`, `rules 6 and 7`. */
function citedIn(text: string): string[] {
  const single = [...text.matchAll(/\b[ACO]-\d+\b|\bP-\d{1,2}\b/g)].map(([id]) => id);
  const ranges = [...text.matchAll(/\b([ACOP])-(\d+)…(?:\1-)?(\d+)/g)].flatMap(([, letter, from, to]) => Array.from({ length: Number(to) - Number(from) + 1 }, (_, at) => `${letter}-${Number(from) + at}`));
  const rules = [...text.matchAll(/\brules? (\d+)(?: and (\d+))?/g)].flatMap(([, ...numbers]) => numbers.filter((number) => number !== undefined).map((number) => `rule ${number}`));
  return [...single, ...ranges, ...rules];
}
