import assert from "node:assert/strict";
import { test } from "node:test";
import { targetOf, targetOfSelection, tooManySelected } from "../../src/host/platform/target";

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

test("two selected rows make a pair for the commands that compare, whatever a third would be", () => {
  const [one, other] = [{ ref: { recordId: "a" } }, { ref: { cluster: "http://a", jobId: "j", path: "p", checkpointId: 3 } }];
  assert.deepEqual(targetOfSelection("flinkSavepoints.compareSelected", one, [one, other]), { left: one.ref, right: other.ref });
  assert.deepEqual(targetOfSelection("flinkSavepoints.compareAsText", one, [one, other]), { left: one.ref, right: other.ref });
  assert.deepEqual(targetOfSelection("flinkSavepoints.compare", one, [one, other, one]), { recordId: "a" });
  assert.deepEqual(targetOfSelection("flinkSavepoints.compare", one, [one, { ref: { cluster: "http://a" } }]), { recordId: "a" });
  assert.deepEqual(targetOfSelection("flinkSavepoints.compare", { left: one, right: other.ref }, undefined), { left: one.ref, right: other.ref });
  assert.deepEqual(targetOf("flinkSavepoints.compare", { scheme: "file", fsPath: "/sp/_metadata", path: "/sp/_metadata", authority: "" }), { scheme: "file", fsPath: "/sp/_metadata" });
  // The row itself, and no other, is what every other command gets.
  assert.deepEqual(targetOfSelection("flinkSavepoints.pin", one, [other, one]), { recordId: "a" });
});

test("what ends or deletes is not done with several rows selected", () => {
  for (const verb of ["dispose", "forget", "cancel", "stop", "dropRestore", "removeCluster", "forgetCredentials"] as const) assert.equal(tooManySelected(`flinkSavepoints.${verb}`, [{}, {}]), 2, verb);
  assert.equal(tooManySelected("flinkSavepoints.dispose", [{}]), undefined);
  assert.equal(tooManySelected("flinkSavepoints.dispose", undefined), undefined);
  assert.equal(tooManySelected("flinkSavepoints.copyPath", [{}, {}]), undefined);
});
