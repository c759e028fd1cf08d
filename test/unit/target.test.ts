import assert from "node:assert/strict";
import { test } from "node:test";
import { targetOf } from "../../src/host/platform/target";

test("a command gets the target its type names and nothing else, whatever it is called with", () => {
  const job = { cluster: "http://a", jobId: "j" };
  assert.deepEqual(targetOf("flinkSavepoints.trigger", { ...job, extra: 1 }), job);
  assert.deepEqual(targetOf("flinkSavepoints.trigger", { id: "x", ref: job, parent: {} }), job);
  assert.equal(targetOf("flinkSavepoints.trigger", { recordId: "r" }), undefined);
  assert.equal(targetOf("flinkSavepoints.trigger", { cluster: 1, jobId: "j" }), undefined);
  for (const junk of [undefined, null, 1, "job", [], { ref: null }]) assert.equal(targetOf("flinkSavepoints.trigger", junk), undefined);
  assert.deepEqual(targetOf("flinkSavepoints.openWebUi", job), job);
  assert.deepEqual(targetOf("flinkSavepoints.openWebUi", { cluster: "http://a" }), { cluster: "http://a" });
  assert.deepEqual(targetOf("flinkSavepoints.restore", { ...job, path: "p", checkpointId: 3 }), { ...job, path: "p", checkpointId: 3 });
  // A title button passes the row that has the focus.
  assert.equal(targetOf("flinkSavepoints.refresh", { ref: job }), undefined);
});
