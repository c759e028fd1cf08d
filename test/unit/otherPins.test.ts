import assert from "node:assert/strict";
import { test } from "node:test";
import { OtherPins } from "../../src/services/otherPins";
import { until } from "../rig/flink";
import { JumpingClock } from "./fakes";

test("marks of other ledgers are looked at for rows in sight only, not again and again, by every path of a savepoint, and what is new is told", async () => {
  const clock = new JumpingClock();
  const marks = new Map<string, readonly string[]>();
  const asked: string[] = [];
  const pins = new OtherPins({ others: (location) => {
    asked.push(location);
    return Promise.resolve(marks.get(location) ?? []);
  } }, { real: (location) => Promise.resolve(location.replace("/link/", "/sp/")) }, clock, { trace: () => undefined, debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined });
  let told = 0;
  pins.onDidChange(() => told++);
  const seen = (what: string, is: () => boolean) => until(what, () => Promise.resolve(is()));

  marks.set("file:/sp/a", ["/sp/mark.a"]);
  pins.keepCurrent(["file:/link/a", "s3://bucket/b"]);
  // Asked for while a look is under way: it comes after.
  pins.keepCurrent(["file:/sp/c"]);
  await seen("both looks", () => asked.length === 3);
  assert.deepEqual([asked, pins.known("file:/link/a"), pins.known("file:/sp/c"), told], [["file:/link/a", "file:/sp/a", "file:/sp/c"], ["/sp/mark.a"], [], 1]);
  pins.keepCurrent(["file:/link/a", "file:/sp/c"]);
  assert.equal(asked.length, 3);

  clock.skip(60_000);
  marks.clear();
  pins.keepCurrent(["file:/sp/c", "file:/link/a"]);
  await seen("that they are gone", () => told === 2);
  assert.deepEqual([pins.known("file:/link/a"), told], [[], 2]);
  pins.dispose();
});
