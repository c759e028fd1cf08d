import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { loadSyntax } from "../../src/clients/syntax/treeSitter";
import { scala } from "../../src/core/lint/jvm/analyser";
import { LintWorkspace } from "../../src/core/lint/lintWorkspace";
import { severityOf } from "../../src/core/lint/report";

/** Each folder is a workspace. What is to be found stands behind the line: `expect: missing-uid`; several are separated by commas. */
const root = path.join(process.cwd(), "test", "fixtures", "lint");
const syntax = await loadSyntax(path.join(process.cwd(), "dist"));

for (const folder of ["java", "java-parsed", "kotlin", "scala"]) {
  const files = readdirSync(path.join(root, folder)).sort();
  const workspace = new LintWorkspace(syntax);
  for (const file of files) workspace.put(file, readFileSync(path.join(root, folder, file), "utf8"));
  for (const file of files) {
    test(`${folder}/${file}: everything expected is found, and nothing else`, () => {
      const text = readFileSync(path.join(root, folder, file), "utf8");
      const expected = text.split("\n").flatMap((line, at) => (/expect: ([\w-]+(?:, [\w-]+)*)/.exec(line)?.[1]?.split(", ") ?? []).map((rule) => `${at + 1} ${rule}`));
      const found = workspace.findings(file).filter((finding) => severityOf(finding, new Map()) !== undefined).map(({ rule, range }) => `${range.start.line + 1} ${rule}`);
      assert.deepEqual(found, expected);
    });
  }
}

test("only the files that are half typed have syntax errors", () => {
  for (const [folder, grammar] of [["java", "java"], ["java-parsed", "java"], ["kotlin", "kotlin"], ["scala", "scala"]] as const) {
    for (const file of readdirSync(path.join(root, folder))) {
      const text = readFileSync(path.join(root, folder, file), "utf8");
      const forms = grammar === "scala" ? [scala.masked?.(text) ?? text, scala.repaired?.(text) ?? text] : [text];
      const broken = forms.every((form) => syntax.parse(grammar, form, (tree) => tree.rootNode.hasError));
      assert.equal(broken, file.startsWith("HalfTyped"), `${folder}/${file}`);
    }
  }
});

test("in batch mode, which takes no savepoints, a missing uid is information", () => {
  const workspace = new LintWorkspace(syntax);
  for (const [name, folder] of [["Batch.java", "java"], ["Batch.kt", "kotlin"], ["Batch.scala", "scala"], ["batch.py", "python"]] as const) workspace.put(name, readFileSync(path.join(root, folder, name), "utf8"));
  const severities = (name: string): readonly string[] => workspace.findings(name).filter(({ rule }) => rule === "missing-uid").map(({ severity }) => severity);
  assert.deepEqual(severities("Batch.java").slice(0, 3), ["info", "info", "warning"]);
  for (const name of ["Batch.kt", "Batch.scala"]) assert.deepEqual(severities(name), ["info", "warning"]);
  assert.deepEqual(severities("batch.py"), ["info", "warning", "warning"]);
});
