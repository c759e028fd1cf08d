import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { openLease } from "../../src/clients/leaseFiles";
import { thisProcess } from "../../src/clients/processIdentity";
import { openScheduleStates } from "../../src/clients/scheduleFiles";
import { isFlinkError } from "../../src/core/errors";
import type { Lease } from "../../src/core/ports";
import type { ScheduleState } from "../../src/core/schedule/scheduleState";
import { keptLog } from "./ledgerSamples";

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), "flink-savepoints-lease-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (name = "ab"): Lease => openLease({ folder, name, patience: 3, log: keptLog() });
const terms = (): string[] => readdirSync(folder).filter((file) => file.endsWith(".lease")).sort();

test("one of two holds a lease, and the other gets it when it is given up", async () => {
  const [first, second] = [open(), open()];
  assert.equal(await first.hold(), true);
  assert.equal(await second.hold(), false);
  assert.equal(await first.hold(), true);
  assert.deepEqual([await first.isHeld(), await second.isHeld()], [true, false]);
  await first.release();
  assert.equal(await first.isHeld(), false);
  assert.equal(await second.hold(), true);
  assert.equal(await first.hold(), false);
  assert.equal(terms().length, 1);
});

test("of many who try at once one wins", async () => {
  const leases = Array.from({ length: 20 }, () => open());
  assert.equal((await Promise.all(leases.map((lease) => lease.hold()))).filter(Boolean).length, 1);
  assert.equal((await Promise.all(leases.map((lease) => lease.isHeld()))).filter(Boolean).length, 1);
});

test("a holder that is silent over three looks of another loses it, and knows when it wakes; one that gives signs keeps it", async () => {
  const [sleeper, other] = [open(), open()];
  await sleeper.hold();
  for (let look = 0; look < 10; look++) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    await sleeper.hold();
    assert.equal(await other.hold(), false);
  }
  const looks = [await other.hold(), await other.hold(), await other.hold(), await other.hold()];
  assert.ok(looks.slice(0, 2).every((held) => !held));
  assert.equal(looks.at(-1), true);
  assert.equal(await sleeper.isHeld(), false);
  assert.equal(await sleeper.hold(), false);
  assert.equal(await other.isHeld(), true);
});

test("a lease of a process that is gone is free at once, and a file that says nothing is a silent holder's", async () => {
  // Of this machine and its boot, with a pid that no process has.
  const { host, instance } = thisProcess();
  const gone = { host, pid: 4_194_305, instance };
  writeFileSync(path.join(folder, "ab.7.lease"), JSON.stringify({ holder: gone }));
  const lease = open();
  assert.equal(await lease.hold(), true);
  assert.deepEqual(terms(), ["ab.8.lease"]);
  writeFileSync(path.join(folder, "cd.1.lease"), "nonsense");
  const other = open("cd");
  assert.deepEqual([await other.hold(), await other.hold(), await other.hold(), await other.hold()], [false, false, false, true]);
});

test("leases of different names do not touch each other, and a folder that can't be written is told", async () => {
  assert.deepEqual([await open("ab").hold(), await open("abc").hold()], [true, true]);
  writeFileSync(path.join(folder, "file"), "");
  await assert.rejects(openLease({ folder: path.join(folder, "file"), name: "x", patience: 3, log: keptLog() }).hold(), (error) => isFlinkError(error, "ledger-unwritable"));
});

const state = (changes: Partial<ScheduleState> = {}): ScheduleState => ({ version: 1, key: '["a","b","c"]', timing: "0 * * * * UTC", paused: false, decidedUpToMs: 5, lastTickAtMs: null, open: [], outcomes: [], failureTold: false, ...changes });

test("a schedule's state is read as it was written last, and one that is damaged or another's is begun anew", async () => {
  const log = keptLog();
  const states = openScheduleStates(path.join(folder, "schedules"), log);
  assert.equal(await states.get(state().key), undefined);
  await states.put(state());
  await states.put(state({ open: [7], outcomes: [{ what: "skipped", tickAtMs: 1, atMs: 2, why: "so" }] }));
  assert.deepEqual(await states.get(state().key), state({ open: [7], outcomes: [{ what: "skipped", tickAtMs: 1, atMs: 2, why: "so" }] }));
  const [file = "", ...more] = readdirSync(path.join(folder, "schedules"));
  assert.deepEqual(more, []);
  for (const text of ["{", JSON.stringify(state({ key: "other" })), "[]"]) {
    writeFileSync(path.join(folder, "schedules", file), text);
    assert.equal(await states.get(state().key), undefined);
  }
  assert.ok(log.lines.length >= 3);
});
