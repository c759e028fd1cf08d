import assert from "node:assert/strict";
import { test } from "node:test";
import { findCleanup, type RulesFile } from "../../src/core/cleanup/findCleanup";
import { readLifecycleFile } from "../../src/core/lifecycle/readLifecycleFile";

const hour = 3_600_000;
const file = (level: RulesFile["level"], cleanup: object): RulesFile => ({ path: `/${level}/flink-savepoints.json`, level, file: readLifecycleFile(JSON.stringify({ cleanup })) });
const find = (...files: readonly RulesFile[]): ReturnType<typeof findCleanup> => findCleanup(files, (name) => ({ "prod": "http://prod:8081", "http://prod:8081": "http://prod:8081" })[name]);

test("A-30: a job's own entry counts before a default, a workspace's before a user's, one with the cluster before one without", () => {
  const user = file("user", { enabled: true, default: { keep: 9 }, jobs: [{ job: "orders", keep: 8 }, { job: "bills", keep: 7 }] });
  const workspace = file("workspace", { enabled: true, undo: "2h", default: { keep: 6, maxAge: "7d" }, jobs: [{ job: "orders", maxAge: "36h" }, { job: "orders", cluster: "prod", keep: 5 }] });
  const rules = find(user, workspace);
  assert.deepEqual(rules("http://prod:8081", "orders"), { enabled: true, rules: { keep: 5, maxAgeMs: null, undoMs: 2 * hour }, source: "/workspace/flink-savepoints.json" });
  assert.deepEqual(rules("http://other", "orders").rules, { keep: null, maxAgeMs: 36 * hour, undoMs: 2 * hour });
  assert.deepEqual(rules("http://other", "bills").rules, { keep: 7, maxAgeMs: null, undoMs: 24 * hour });
  assert.deepEqual(rules("http://other", "else").rules, { keep: 6, maxAgeMs: 168 * hour, undoMs: 2 * hour });
});

test("is off when nothing is written, when the section or the job is switched off, and an entry without rules takes nothing", () => {
  assert.deepEqual(find()("http://prod:8081", "orders"), { enabled: false, rules: null, source: null });
  assert.equal(find(file("workspace", { default: { keep: 1 } }))("x", "orders").enabled, false);
  assert.equal(find(file("workspace", { enabled: true, default: { keep: 1 }, jobs: [{ job: "orders", keep: 1, enabled: false }] }), file("user", { enabled: true, jobs: [{ job: "orders", keep: 2 }] }))("x", "orders").enabled, false);
  assert.deepEqual(find(file("workspace", { enabled: true, default: { keep: 1 }, jobs: [{ job: "orders" }] }))("x", "orders").rules, null);
  assert.equal(find(file("user", { enabled: true, undo: "0", default: { keep: 1 } }))("x", "orders").rules?.undoMs, 0);
});
