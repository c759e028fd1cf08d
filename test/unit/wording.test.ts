import assert from "node:assert/strict";
import { test } from "node:test";
import { joinText, oneLine } from "../../src/core/rowText";
import { problemsText, readClusters, validateSetting } from "../../src/host/platform/settingsCheck";
import { targetOf } from "../../src/host/platform/target";
import { ageText, countText, durationText, savepointName, sizeText, spanText } from "../../src/core/wording";

test("sizes are in binary units with one decimal", () => {
  assert.deepEqual([0, 812, 1024, 4.2 * 1024 ** 3, 3 * 1024 ** 5].map(sizeText), ["0 B", "812 B", "1.0 kB", "4.2 GB", "3.0 PB"]);
});

test("durations read like a clock, ages like a word", () => {
  assert.deepEqual([250, 41_000, 723_000, 3_723_000].map(durationText), ["250 ms", "0:41", "12:03", "1:02:03"]);
  assert.deepEqual([12_000, 180_000, 4 * 3_600_000, 9 * 86_400_000].map(spanText), ["12 s", "3 min", "4 h", "9 d"]);
  assert.equal(ageText(1_000, 500), "0 s ago");
});

test("a savepoint is called by its number, else by its folder", () => {
  assert.equal(savepointName({ checkpointId: 1042, path: "file:/a/savepoint-1" }), "#1042");
  assert.equal(savepointName({ checkpointId: null, path: "file:/a/savepoint-1" }), "savepoint-1");
  assert.equal(countText(1, "job") + countText(1_200, "job"), "1 job1,200 jobs");
});

test("parts of a row that are missing leave no gap", () => {
  assert.equal(joinText("a", null, false, "", "b"), "a · b");
});

test("a stranger's text becomes one plain line of bounded length", () => {
  assert.equal(oneLine(" a\r\n\tb\u0000\u202e c "), "a b c");
  assert.equal(oneLine("x".repeat(300)).length, 200);
  assert.equal(oneLine("👍 日本語"), "👍 日本語");
});

test("a setting that is wrong has its default, and the others keep their values", () => {
  assert.deepEqual(validateSetting("refresh.intervalSeconds", 10), { value: 10, problem: null });
  const wrong = validateSetting("refresh.intervalSeconds", 0);
  assert.equal(wrong.value, 3);
  assert.equal(wrong.problem, "must be at least 1");
  assert.equal(validateSetting("refresh.intervalSeconds", "often").problem, "must be a number");
  assert.equal(validateSetting("localFlink.port", 8081.5).problem, "must be a whole number");
  assert.match(validateSetting("localFlink.version", "0.9").problem ?? "", /^must be one of .*2\.2\.1/);
  assert.equal(validateSetting("localFlink.keepRunning", "yes").value, false);
});

test("a cluster entry that is wrong is named, and the others work", () => {
  const { profiles, problems } = readClusters("flinkSavepoints.clusters", [{ level: "user", entries: [
    { name: "prod", url: "https://flink.example.com/gw/" }, { name: "staging", url: "flink:8081" }, { url: "http://a" }, 7, { name: "leaky", url: "http://user:secret@host" }, { name: "again", url: "HTTPS://flink.example.com/gw" },
  ] }]);
  assert.deepEqual(profiles, [{ name: "prod", url: "https://flink.example.com/gw" }]);
  assert.deepEqual(problems.map(({ setting }) => setting.slice("flinkSavepoints.clusters, ".length)), ["“staging”", "entry 3", "entry 4", "“leaky”", "“again”"]);
  const text = problemsText(problems);
  assert.match(text, /“staging”: url: must be an http:\/\/ or https:\/\/ address without user name and password\./);
  assert.match(text, /“again”: has the same address as “prod” and is not shown\./);
  assert.ok(!text.includes("secret"));
});

test("a workspace adds clusters and names those it knows, and takes none away", () => {
  const { profiles, problems } = readClusters("flinkSavepoints.clusters", [
    { level: "user", entries: [{ name: "mine", url: "http://a" }, { name: "ours?", url: "http://b" }] },
    { level: "workspace", entries: [{ name: "ours", url: "http://b", caFile: "/ca.pem" }] },
    { level: "folder", entries: "nonsense" },
  ]);
  assert.deepEqual(profiles, [{ name: "mine", url: "http://a" }, { name: "ours", url: "http://b", caFile: "/ca.pem" }]);
  assert.deepEqual(problems, [{ setting: "flinkSavepoints.clusters (folder)", problem: "is no list" }]);
});

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
