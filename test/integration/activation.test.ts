import assert from "node:assert/strict";
import * as vscode from "vscode";
import { test } from "./harness";

const id = "flink-savepoints.flink-savepoints";

test("the extension activates in a real extension host", async () => {
  const extension = vscode.extensions.getExtension(id);
  assert.ok(extension, `${id} is not installed`);
  await extension.activate();
  assert.equal(extension.isActive, true);
});
