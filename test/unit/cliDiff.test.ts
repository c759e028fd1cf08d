import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { diffSchema } from "../../src/core/inspector/reportSchema";
import { ownSnapshotFolders } from "./metadataFiles";
import { runProgram } from "./program";

const folderOf = (name: string): string => ownSnapshotFolders().find((one) => one.name === name)?.folder ?? assert.fail(name);

test("a savepoint compared with itself is the same, states included", async () => {
  const folder = folderOf("2.3.0/canonical");
  const { code, out, err } = await runProgram(["diff", folder, path.join(folder, "_metadata"), "--json"]);
  assert.deepEqual([code, err], [0, ""]);
  const report = diffSchema.parse(JSON.parse(out));
  assert.deepEqual([report.deltaBytes, report.counts.added + report.counts.removed + report.counts.changed, report.incomplete], ["0", 0, false]);
  assert.ok(report.operators.every(({ states }) => states?.length === 0));
});

test("savepoints of two releases are compared by operator, and people see what differs", async () => {
  const [left, right] = [folderOf("1.20.5/canonical"), folderOf("2.3.0/native")];
  const [text, json] = await Promise.all([runProgram(["diff", left, right]), runProgram(["diff", left, right, "--json"])]);
  assert.deepEqual([text.code, json.code], [0, 0]);
  const report = diffSchema.parse(JSON.parse(json.out));
  assert.equal(report.left.version, 4);
  assert.equal(report.right.version, 6);
  assert.ok(report.operators.filter(({ matchedBy }) => matchedBy === "id").length >= 4);
  assert.match(text.out, /^A {2}#\d+ · canonical savepoint[^]*^B {2}#\d+ · native savepoint[^]*^. *OPERATOR/m);
});

test("when one of them can't be read nothing is compared", async () => {
  const { code, out, err } = await runProgram(["diff", folderOf("2.3.0/canonical"), "package.json"]);
  assert.deepEqual([code, out], [2, ""]);
  assert.match(err, /^not-metadata: /);
});
