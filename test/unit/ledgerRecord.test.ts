import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isOpen, isUsable, ledgerRecordSchema, type RestoreRecord, restoreRecordSchema, type SavepointRecord, savepointRecordSchema } from "../../src/core/ledger/record";
import { savepointRecord } from "./ledgerSamples";
import { restoreRecord } from "./samples";

const disposal = (state: "requested" | "disposed" | "failed" | "unknown", message: string | null = null): SavepointRecord["disposal"] =>
  ({ state, requestedAtMs: 1, requestId: null, endedAtMs: null, message, owner: { host: "h", pid: 1, instance: "i" } });

describe("a record of the ledger", () => {
  test("survives being written and read", () => {
    for (const record of [savepointRecord("a", { stop: { drain: true, job: "pending" }, disposal: disposal("requested"), workspace: { commit: "c", branch: null, dirty: true } }), restoreRecord("b")]) {
      assert.deepEqual(ledgerRecordSchema.parse(JSON.parse(JSON.stringify(record))), record);
    }
  });

  test("of a newer format, or of no known kind, is not taken for one of ours", () => {
    assert.equal(ledgerRecordSchema.safeParse({ ...savepointRecord("a"), version: 2 }).success, false);
    assert.equal(ledgerRecordSchema.safeParse({ ...savepointRecord("a"), kind: "checkpoint" }).success, false);
    assert.equal(savepointRecordSchema.safeParse({ ...savepointRecord("a"), state: "done" }).success, false);
    assert.equal(restoreRecordSchema.safeParse({ ...restoreRecord("a"), claimMode: "claim" }).success, false);
  });

  test("has no place for the program's arguments, which may hold secrets (rule 10)", () => {
    const written = restoreRecordSchema.parse({ ...restoreRecord("a"), programArgs: ["--password", "secret"] });
    assert.ok(!JSON.stringify(written).includes("secret"));
  });
});

test("what is under way is open, and what waits for a person is not", () => {
  const savepoints: [Partial<SavepointRecord>, boolean][] = [
    [{ state: "requested" }, true], [{ state: "running" }, true], [{ state: "completed" }, false], [{ state: "failed" }, false], [{ state: "unknown" }, false],
    [{ state: "completed", stop: { drain: false, job: "pending" } }, true], [{ state: "completed", stop: { drain: false, job: "unknown" } }, false],
    [{ state: "completed", disposal: disposal("requested") }, true], [{ state: "completed", disposal: disposal("failed") }, false],
  ];
  for (const [changes, open] of savepoints) assert.equal(isOpen(savepointRecord("a", changes)), open, JSON.stringify(changes));
  const restores: [Partial<RestoreRecord>, boolean][] = [
    [{ state: "planned" }, false], [{ state: "requested" }, true], [{ state: "submitted" }, true], [{ state: "running" }, true], [{ state: "running", endedAtMs: 1 }, false],
    [{ state: "safe" }, false], [{ state: "failed", endedAtMs: 1 }, false], [{ state: "unknown" }, false], [{ state: "dropped" }, false],
  ];
  for (const [changes, open] of restores) assert.equal(isOpen(restoreRecord("a", changes)), open, JSON.stringify(changes));
});

test("a savepoint is usable while, as far as we know, it is there and whole", () => {
  const usable = (changes: Partial<SavepointRecord>): boolean => isUsable(savepointRecord("a", { state: "completed", path: "file:/sp/savepoint-ab12cd-01", ...changes }));
  assert.ok(usable({}));
  assert.ok(usable({ disposal: disposal("failed", "the files are still there: permission denied") }));
  assert.ok(usable({ disposal: disposal("unknown", "no answer") }), "Flink says, when it is asked");
  assert.ok(usable({ stop: { drain: false, job: "failed" } }), "the job failed while it stopped, the savepoint is whole");
  const not: [string, Partial<SavepointRecord>][] = [
    ["running", { state: "running" }], ["failed", { state: "failed" }], ["without path", { path: null }], ["disposed", { disposal: disposal("disposed") }], ["being disposed", { disposal: disposal("requested") }],
    ["without metadata", { disposal: disposal("failed", "_metadata is gone, other files are left: not empty") }],
  ];
  for (const [why, changes] of not) assert.equal(usable(changes), false, why);
});
