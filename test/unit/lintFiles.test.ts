import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, describe, test } from "node:test";
import { loadSyntax } from "../../src/clients/syntax/treeSitter";
import { expectedIn, fixtures, foundIn, workspaceOf } from "./lintFixtures";

for (const language of ["python", "shell", "config", "sql"]) {
  describe(`Fixtures of ${language} are found to have what their comments say, and nothing else`, async () => {
    const folder = path.join(fixtures, language);
    const { workspace, files } = await workspaceOf(folder);
    after(() => workspace.dispose());
    for (const file of files) {
      test(`${language}: ${file}`, () => {
        assert.deepEqual(foundIn(workspace.findings(file)), expectedIn(readFileSync(path.join(folder, file), "utf8")));
      });
    }
  });
}

test("every Python fixture parses without an error", async () => {
  const syntax = await loadSyntax(path.resolve("dist"), ["python"]);
  const { workspace, files } = await workspaceOf(path.join(fixtures, "python"));
  workspace.dispose();
  for (const file of files) assert.equal(syntax.parse("python", readFileSync(path.join(fixtures, "python", file), "utf8"), ({ rootNode }) => rootNode.hasError), false, file);
});
