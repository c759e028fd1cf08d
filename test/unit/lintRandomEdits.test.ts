import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { loadSyntax } from "../../src/clients/syntax/treeSitter";
import { compareEdits } from "./lintRandomEdits";

const syntax = await loadSyntax(path.join(process.cwd(), "dist"));
const count = 100;

for (const language of ["java", "kotlin", "scala", "python"] as const) {
  test(`${language}: after each of ${count} edits drawn from a seed the findings are those of files read and followed anew`, () => {
    assert.ok(compareEdits(syntax, language, count, 11) > count);
  });
}
