import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { FlinkError } from "../../src/core/errors";
import type { RestoreRecord, SavepointRecord } from "../../src/core/ledger/record";
import { endWorld, oneCluster, openWindow, toDefault, until, watchedRun, type Window } from "./fakes";
import { savepointRecord } from "./ledgerSamples";
import { clusterInfo, jobId, restoreRecord } from "./samples";

const id = "d".repeat(32);
const dead = { host: "here", pid: 1, instance: "dead" };
const never = new AbortController().signal;
let { clock, storage, flink, world } = oneCluster();
let window: Window;

beforeEach(() => {
  ({ clock, storage, flink, world } = oneCluster());
  flink.addJob(jobId);
  window = openWindow(world);
});

afterEach(() => endWorld(world));

function left(changes: Partial<SavepointRecord> = {}): void {
  world.disk.put(savepointRecord(id, { cluster: { name: "local", url: flink.url }, job: { id: jobId, name: "Word count" }, directory: null, requestedAtMs: clock.now() - 1_000, sentAtMs: clock.now() - 1_000, trail: [{ atMs: clock.now() - 1_000, event: "requested" }], owner: dead, ...changes }));
}

const record = (): SavepointRecord => world.disk.savepoints()[0]!;
const owner = (): string => record().owner.instance;

/** What the process that died had sent. */
async function sentBefore(stop = false): Promise<void> {
  const client = flink.client();
  if (stop) await client.stopWithSavepoint(jobId, { triggerId: id, format: "canonical", drain: false }, never);
  else await client.triggerSavepoint(jobId, { triggerId: id, format: "canonical" }, never);
  flink.calls.splice(0);
}

describe("what a dead process left open", () => {
  test("is taken over, followed to its end and told, and nothing is sent", async () => {
    await sentBefore();
    left({ state: "running" });
    assert.equal(await window.reconciler.reconcile(), 1);
    assert.equal(owner(), window.self.instance);
    await window.reconciler.settled();
    assert.deepEqual([record().state, window.settled, flink.sent()], ["completed", [id], []]);
    assert.equal(await window.reconciler.reconcile(), 0);
  });

  for (const stop of [null, { drain: false, job: "pending" as const }]) {
    test(`of a ${stop === null ? "savepoint" : "stop"} written down and perhaps never sent is found out, and never sent`, async () => {
      left({ stop });
      await window.reconciler.reconcile();
      await window.reconciler.settled();
      assert.deepEqual([record().state, flink.sent()], ["failed", []]);
      assert.equal(flink.jobs.get(jobId)?.state, "RUNNING");
      if (stop) assert.equal(record().stop?.job, "running-on");
    });
  }

  test("of a stop whose savepoint was complete is followed to the job's end", async () => {
    await sentBefore(true);
    await clock.sleep(2_000);
    await flink.client().jobs(never);
    left({ state: "completed", path: storage.complete()[0] ?? "", stop: { drain: false, job: "pending" }, trail: [{ atMs: 0, event: "Flink reports it complete at x" }] });
    flink.calls.splice(0);
    await window.reconciler.reconcile();
    await window.reconciler.settled();
    assert.deepEqual([record().stop?.job, flink.sent()], ["stopped", []]);
  });

  test("of a disposal and of a start is found out, and neither is sent again", async () => {
    const place = "file:/sp/savepoint-ab12cd-000000000001";
    storage.put(place, clock.now());
    left({ state: "completed", path: place, checkpointId: 1, owner: { host: "elsewhere", pid: 9, instance: "long ago" }, disposal: { state: "requested", requestedAtMs: clock.now() - 60_000, requestId: null, endedAtMs: null, message: null, owner: dead, seen: true } });
    const restores: [string, Partial<RestoreRecord>][] = [["e".repeat(32), { state: "requested", requestedAtMs: clock.now() - 300_000 }], ["f".repeat(32), { state: "submitted", requestedAtMs: clock.now() - 300_000 }]];
    for (const [name, changes] of restores) world.disk.put(restoreRecord(name, { cluster: { name: "local", url: flink.url }, owner: dead, ...changes }));
    await flink.client().runJar("1_words.jar", { jobId: "f".repeat(32) }, clusterInfo().capabilities, never);
    flink.calls.splice(0);
    assert.equal(await window.reconciler.reconcile(), 3);
    await window.reconciler.settled();
    assert.deepEqual([record().disposal?.state, ...world.disk.restores().map(({ state }) => state)], ["failed", "unknown", "running"]);
    assert.deepEqual(flink.sent(), []);
  });

  test("of a job that runs from a savepoint is watched until that is dispensable", async () => {
    const name = "e".repeat(32);
    flink.program = { checkpointEveryMs: 20_000 };
    await flink.client().runJar("1_words.jar", { jobId: name, savepointPath: "file:/sp/savepoint-ab12cd-000000000001" }, clusterInfo().capabilities, never);
    world.disk.put(restoreRecord(name, { cluster: { name: "local", url: flink.url }, state: "running", savepoint: { path: "file:/sp/savepoint-ab12cd-000000000001", recordId: null, checkpointId: 1 }, owner: dead }));
    await window.reconciler.reconcile();
    await window.reconciler.settled();
    assert.equal(world.disk.restores()[0]?.state, "safe");
  });

  test("of a cluster that is no longer in the settings waits for it", async () => {
    left({ cluster: { name: "gone", url: "http://gone" } });
    assert.equal(await window.reconciler.reconcile(), 1);
    assert.equal(owner(), "dead");
  });

  test("of a plan waits for a person", async () => {
    world.disk.put(restoreRecord("e".repeat(32), { state: "planned", owner: dead }));
    assert.equal(await window.reconciler.reconcile(), 0);
  });
});

describe("a record is followed once", () => {
  test("of a start after a rollback that was never written down is dropped, and keeps its savepoint no longer; one that a rollback names, or whose process lives, is not", async () => {
    const place = "file:/sp/savepoint-ab12cd-000000000001";
    const planned = (letter: string, changes: Partial<RestoreRecord> = {}): void => world.disk.put(restoreRecord(letter.repeat(32), { state: "planned", cluster: { name: "local", url: flink.url }, savepoint: { path: place, recordId: null, checkpointId: 1 }, owner: dead, ...changes }));
    planned("a");
    planned("b", { owner: { host: "elsewhere", pid: 1, instance: "other" }, trail: [{ atMs: clock.now() - 1_000, event: "planned" }] });
    planned("c");
    world.disk.put({ kind: "rollback", version: 1, id: "e".repeat(32), jobName: "Word count", savepoint: { path: place, recordId: null, checkpointId: 1 }, tables: [], safetyName: null, restoreId: "c".repeat(32), state: "planned", requestedAtMs: 0, endedAtMs: null, owner: dead, trail: [] });
    await window.reconciler.reconcile();
    assert.deepEqual(world.disk.restores().map(({ id: each, state }) => `${each[0] ?? ""} ${state}`).sort(), ["a dropped", "b planned", "c planned"]);
  });

  test("of a start after a rollback whose record can't be read may be one that goes on: it is kept as long as any record is damaged, or of a newer version", async () => {
    world.disk.put(restoreRecord("a".repeat(32), { state: "planned", cluster: { name: "local", url: flink.url }, savepoint: { path: "file:/sp/savepoint-ab12cd-000000000001", recordId: null, checkpointId: 1 }, owner: dead }));
    world.disk.unread = [{ file: "e.2.json", reason: "it was written by a newer version" }];
    await window.reconciler.reconcile();
    assert.deepEqual(world.disk.restores().map(({ state }) => state), ["planned"]);
    world.disk.unread = [];
    await window.reconciler.reconcile();
    assert.deepEqual(world.disk.restores().map(({ state }) => state), ["dropped"]);
  });

  test("by one of two windows that find it in the same moment", async () => {
    await sentBefore();
    left({ state: "running" });
    const second = openWindow(world);
    await Promise.all([window.reconciler.reconcile(), second.reconciler.reconcile()]);
    await Promise.all([window.reconciler.settled(), second.reconciler.settled()]);
    assert.deepEqual([...window.settled, ...second.settled], [id]);
    assert.equal(record().trail.filter(({ event }) => event.startsWith("taken over")).length, 1);
  });

  test("by one window that looks twice in the same moment", async () => {
    left({ state: "completed", path: "file:/sp/savepoint-ab12cd-000000000001", checkpointId: 1, disposal: { state: "requested", requestedAtMs: clock.now() - 60_000, requestId: null, endedAtMs: null, message: null, owner: dead, seen: true } });
    await Promise.all([window.reconciler.reconcile(), window.reconciler.reconcile()]);
    await window.reconciler.settled();
    assert.equal(world.disk.writes.filter((line) => line.includes("taken over")).length, 1);
    assert.equal(world.disk.writes.filter((line) => line.includes("the files are gone")).length, 1);
  });

  test("and not taken from a window that lives", async () => {
    const second = openWindow(world);
    flink.savepoint = { takesMs: 60_000 };
    const taking = second.savepoints.trigger({ cluster: flink.url, jobId }, toDefault, watchedRun());
    await until(clock, "the request", () => flink.sent().length === 1);
    assert.equal(await window.reconciler.reconcile(), 1);
    assert.equal(owner(), second.self.instance);
    await taking;
    assert.deepEqual(window.settled, []);
  });

  test("nor from a process on another machine before that has had time to finish what it sends", async () => {
    left({ owner: { host: "elsewhere", pid: 1, instance: "far" } });
    await window.reconciler.reconcile();
    assert.equal(owner(), "far");
    await clock.sleep(11 * 60_000);
    await window.reconciler.reconcile();
    assert.equal(owner(), window.self.instance);
  });

  test("nor by the reconciler while this window itself is still about to send it", async () => {
    flink.fault = (call) => {
      if (!call.acts) return undefined;
      flink.down = true;
      return { before: new FlinkError("answer-lost", { url: flink.url, reason: "x" }) };
    };
    const taking = window.savepoints.trigger({ cluster: flink.url, jobId }, toDefault, watchedRun());
    await until(clock, "the request", () => flink.sent().length === 1);
    await clock.sleep(20_000);
    flink.fault = () => undefined;
    flink.down = false;
    await window.reconciler.reconcile();
    const done = await taking;
    assert.equal(done.state, "completed");
    assert.equal(storage.complete().length, 1);
  });
});

describe("a record of this window", () => {
  test("whose ledger can't be written for a while is followed all the same, and its end written as soon as that can be", async () => {
    flink.savepoint = { takesMs: 5_000 };
    let full = false;
    world.disk.beforeWrite = () => {
      if (full) throw new FlinkError("ledger-unwritable", { folder: "/x", reason: "ENOSPC" });
    };
    const taking = window.savepoints.trigger({ cluster: flink.url, jobId }, toDefault, watchedRun());
    await until(clock, "it to run", () => world.disk.savepoints()[0]?.state === "running");
    full = true;
    await clock.sleep(600_000);
    assert.equal(record().state, "running");
    full = false;
    assert.deepEqual([(await taking).state, flink.sent().length], ["completed", 1]);
  });

  test("that nobody in it is at work on any more is taken up again", async () => {
    await sentBefore();
    left({ state: "running", owner: window.self });
    await window.reconciler.reconcile();
    await window.reconciler.settled();
    assert.deepEqual([record().state, window.settled, flink.sent()], ["completed", [id], []]);
  });
});

describe("the reconciler at work", () => {
  test("looks at once, when a cluster comes back, and every half minute while anything is open", async () => {
    await sentBefore();
    flink.down = true;
    left({ state: "running", owner: { host: "here", pid: 2, instance: "living" } });
    world.alive.add("living");
    window.reconciler.start();
    await clock.sleep(5_000);
    assert.equal(owner(), "living");
    world.alive.delete("living");
    await clock.sleep(40_000);
    assert.equal(owner(), window.self.instance);
    flink.down = false;
    await until(clock, "its end", () => record().state === "completed");
    assert.deepEqual(flink.sent(), []);
  });

  test("takes up at once what a cluster that comes online has open", async () => {
    window.reconciler.start();
    await clock.sleep(1_000);
    await sentBefore();
    left({ state: "running" });
    await window.clusters.refresh(flink.url, never);
    await clock.sleep(100);
    assert.equal(owner(), window.self.instance);
  });

  test("goes on after a ledger that could not be read, and nothing is left unhandled", async () => {
    const real = window.ledger.all.bind(window.ledger);
    let broken = true;
    Object.assign(window.ledger, { all: () => (broken ? Promise.reject(new FlinkError("file-unreadable", { path: "/x", reason: "EIO" })) : real()) });
    window.reconciler.start();
    await window.clusters.refresh(flink.url, never);
    await clock.sleep(1_000);
    broken = false;
    left();
    await clock.sleep(400_000);
    assert.equal(owner(), window.self.instance);
    assert.ok(window.log.lines.some((line) => line.startsWith("warn")));
  });

  test("stops with its window", async () => {
    window.reconciler.start();
    await clock.sleep(1_000);
    window.dispose();
    left();
    await clock.sleep(3_600_000);
    assert.equal(owner(), "dead");
  });

  test("does nothing while nothing is open", async () => {
    window.reconciler.start();
    await clock.sleep(24 * 3_600_000);
    assert.deepEqual(flink.calls, []);
    assert.ok(clock.jumps < 400);
  });
});
