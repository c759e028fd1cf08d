import assert from "node:assert/strict";
import { test } from "node:test";
import { joinText, oneLine } from "../../src/core/rowText";
import { ageText, countText, durationText, savepointName, shortId, sizeText, spanText, timeText } from "../../src/core/wording";

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

test("a size never reads as a thousand of the smaller unit", () => {
  assert.deepEqual([1023, 1024, 1024 ** 2 - 1, 1024 ** 2, 1024 ** 3 - 1, 1024 ** 4 - 1].map(sizeText), ["1023 B", "1.0 kB", "1.0 MB", "1.0 MB", "1.0 GB", "1.0 TB"]);
  assert.deepEqual([0, 0.4, -1, 5000 * 1024 ** 5].map(sizeText), ["0 B", "0 B", "0 B", "5000.0 PB"]);
});

test("a duration below a second is in milliseconds, and never a thousand of them", () => {
  assert.deepEqual([0, -5, 999, 999.6, 1_000, 59_999, 60_000, 3_599_999, 3_600_000, 100 * 3_600_000].map(durationText), ["0 ms", "0 ms", "999 ms", "0:01", "0:01", "0:59", "1:00", "59:59", "1:00:00", "100:00:00"]);
});

test("a span goes over to the next unit where the old one gets long", () => {
  assert.deepEqual([0, 59_999, 60_000, 3_599_999, 3_600_000, 48 * 3_600_000 - 1, 48 * 3_600_000].map(spanText), ["0 s", "59 s", "1 min", "59 min", "1 h", "47 h", "2 d"]);
});

test("what another clock puts into the future happened just now", () => {
  assert.equal(ageText(2_000, 1_000), "0 s ago");
});

test("a savepoint without a number is called by its folder, also when the path names its _metadata or ends in a slash", () => {
  for (const path of ["s3://b/savepoint-ab12cd-01", "s3://b/savepoint-ab12cd-01/", "s3://b/savepoint-ab12cd-01/_metadata"]) assert.equal(savepointName({ checkpointId: null, path }), "savepoint-ab12cd-01");
  assert.equal(savepointName({ checkpointId: null, path: null }), "savepoint");
  assert.equal(savepointName({ checkpointId: 0, path: null }), "#0");
});

test("one thing is singular, and thousands have a comma", () => {
  assert.deepEqual([0, 1, 2, 1_000].map((count) => countText(count, "job")), ["0 jobs", "1 job", "2 jobs", "1,000 jobs"]);
  assert.equal(shortId("ab12cd34ab12cd34ab12cd34ab12cd34"), "ab12cd");
  assert.match(timeText(Date.UTC(2026, 10, 20, 12, 0, 5)), /^2026-11-2[01] \d\d:\d\d:05 (?:UTC|GMT[+-]\d+(?::\d\d)?)$/);
});

test("parts of a row that are missing leave no gap", () => {
  assert.equal(joinText("a", null, false, "", "b"), "a · b");
});

test("a stranger's text becomes one plain line of bounded length", () => {
  assert.equal(oneLine(" a\r\n\tb\u0000\u202e c "), "a b c");
  assert.equal(oneLine("x".repeat(300)).length, 200);
  assert.equal(oneLine("👍 日本語"), "👍 日本語");
});
