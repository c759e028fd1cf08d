import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { loadSyntax } from "../../src/clients/syntax/treeSitter";
import { compareEdits } from "./lintRandomEdits";

/** Random edits by the thousand; `EDITS` and `SEED` take others. */
const syntax = await loadSyntax(path.join(process.cwd(), "dist"));
const count = Number(process.env["EDITS"] ?? "2000");
const seed = Number(process.env["SEED"] ?? String(Date.now() % 1_000_000));

for (const language of ["java", "kotlin", "scala", "python"] as const) {
  test(`${language}: after each of ${count} edits from seed ${seed} the findings are those of files read and followed anew`, () => {
    const compared = compareEdits(syntax, language, count, seed);
    console.log(`${language}: ${count} edits from seed ${seed}, ${compared} findings compared`);
    assert.ok(compared > 0);
  });
}
