import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { type ErrorCode, FlinkError, isFlinkError } from "../../src/core/errors";
import type { SavepointRecord } from "../../src/core/ledger/record";
import type { JobRef } from "../../src/core/model/job";
import type { RestoreRequest } from "../../src/services/restores";
import { endWorld, oneCluster, openWindow, toDefault, until, watchedRun, type Window } from "./fakes";
import { jobId } from "./samples";

let { clock, flink, world } = oneCluster();
let job: JobRef;

beforeEach(() => {
  ({ clock, flink, world } = oneCluster());
  flink.addJob(jobId);
  job = { cluster: flink.url, jobId };
});

afterEach(() => endWorld(world));

/** Two savepoints, so that the first is not the last one of its job. */
async function savepoint(window: Window): Promise<SavepointRecord> {
  const first = await window.savepoints.trigger(job, toDefault, watchedRun());
  await window.savepoints.trigger(job, toDefault, watchedRun());
  return first;
}

function from(record: SavepointRecord, changes: Partial<RestoreRequest> = {}): RestoreRequest {
  return { cluster: flink.url, jobName: record.job.name, savepoint: { path: record.path ?? "", recordId: record.id, checkpointId: record.checkpointId }, jar: { id: "1_words.jar", name: "words.jar" }, programArgs: [], claimMode: "NO_CLAIM", allowNonRestoredState: false, ...changes };
}

async function outcome<T>(work: Promise<T>): Promise<T | ErrorCode> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof FlinkError) return error.code;
    throw error;
  }
}

/** Keeps writes from being made until they are released: what was read before them is old by then. */
function holdWrites(events: readonly string[]): { readonly held: number; release(): void } {
  let release = (): void => undefined;
  let held = 0;
  const released = new Promise<void>((resolve) => (release = resolve));
  world.disk.beforeWrite = (_id, event) => {
    if (!events.includes(event)) return undefined;
    held++;
    return released;
  };
  return {
    get held() {
      return held;
    },
    release: () => {
      world.disk.beforeWrite = () => undefined;
      release();
    },
  };
}

describe("in the same moment, in two windows", () => {
  for (const late of ["disposal", "restore"] as const) {
    test(`a savepoint is disposed of or restored from, never both, when the ${late} was checked first and is written last`, async () => {
      const [here, there] = [openWindow(world), openWindow(world)];
      const record = await savepoint(here);
      const dispose = (): Promise<unknown> => outcome(here.disposals.dispose(record.id, { typedJobName: null }, watchedRun()));
      const restore = (): Promise<unknown> => outcome(there.restores.start(from(record), watchedRun()));
      const writes = holdWrites([late === "disposal" ? "disposal requested" : "created"]);
      const first = late === "disposal" ? dispose() : restore();
      await until(clock, "it is about to be written", () => writes.held === 1);
      const second = late === "disposal" ? restore() : dispose();
      await clock.sleep(5_000);
      writes.release();
      const ends = await Promise.all([first, second]);
      assert.equal(ends[0], "refused");
      assert.deepEqual([flink.sent("dispose").length, flink.sent("runJar").length], late === "disposal" ? [0, 1] : [1, 0]);
    });
  }

  test("C-27: one savepoint is claimed once at most: of two that see each other both may step back", async () => {
    const [here, there] = [openWindow(world), openWindow(world)];
    const record = await savepoint(here);
    const writes = holdWrites(["created"]);
    const both = [here, there].map((window) => outcome(window.restores.start(from(record, { claimMode: "CLAIM" }), watchedRun())));
    await until(clock, "both are about to be written", () => writes.held === 2);
    writes.release();
    const started = (await Promise.all(both)).filter((end) => typeof end !== "string");
    assert.ok(started.length <= 1);
    assert.equal(flink.sent("runJar").length, started.length);
  });

  test("a savepoint that was pinned meanwhile, under another record of its place, is not disposed of", async () => {
    const [here, there] = [openWindow(world), openWindow(world)];
    const record = await savepoint(here);
    world.disk.put({ ...record, id: "found-twin", origin: "found" });
    const writes = holdWrites(["disposal requested"]);
    const disposing = outcome(here.disposals.dispose(record.id, { typedJobName: null }, watchedRun()));
    await clock.sleep(2_000);
    await there.savepoints.pin("found-twin", true);
    writes.release();
    assert.equal(await disposing, "refused");
    assert.deepEqual(flink.sent("dispose"), []);
  });
});

test("a savepoint that is being disposed of is not pinned: that would promise what nobody can keep", async () => {
  const window = openWindow(world);
  const record = await savepoint(window);
  flink.disposal = { takesMs: 10_000 };
  const disposing = window.disposals.dispose(record.id, { typedJobName: null }, watchedRun());
  await until(clock, "it is sent", () => flink.sent("dispose").length === 1);
  await assert.rejects(window.savepoints.pin(record.id, true), (error) => isFlinkError(error, "refused"));
  await disposing;
});

test("an answer with another id means that Flink took a savepoint: no second one is asked for", async () => {
  const window = openWindow(world);
  let other = 0;
  flink.fault = (call) => {
    if (call.name !== "triggerSavepoint") return undefined;
    void flink.strangerTriggers(jobId, `other-${++other}`);
    return { before: new FlinkError("answer-lost", { url: flink.url, reason: "another id came back", acted: true }) };
  };
  const result = await outcome(window.savepoints.trigger(job, toDefault, watchedRun()));
  assert.equal(flink.sent("triggerSavepoint").length, 1);
  assert.equal(typeof result === "string" ? result : result.state, "completed");
});

test("a start that is still being uploaded is not called lost by another window that watches it", async () => {
  const [here, there] = [openWindow(world), openWindow(world)];
  const record = await savepoint(here);
  flink.fault = (call) => (call.name === "uploadJar" ? { takesMs: 300_000 } : undefined);
  const starting = outcome(here.restores.start(from(record, { jar: { file: "/x/words.jar", name: "words.jar" } }), watchedRun()));
  await until(clock, "it is written", () => world.disk.restores().length === 1);
  const watching = outcome(there.restores.starts.follow(world.disk.restores()[0]?.id ?? ""));
  const states = (await Promise.all([starting, watching])).map((end) => (typeof end === "string" ? end : end.state));
  assert.deepEqual([flink.sent("runJar").length, states], [1, ["running", "running"]]);
});

describe("a disk that is full for a while, after the request was sent,", () => {
  const fill = async (): Promise<void> => {
    world.disk.beforeWrite = () => {
      throw new FlinkError("ledger-unwritable", { folder: "/x", reason: "ENOSPC" });
    };
    await clock.sleep(60_000);
    world.disk.beforeWrite = () => undefined;
  };

  test("loses no savepoint, and nobody is told that nothing was sent", async () => {
    const window = openWindow(world);
    flink.savepoint = { takesMs: 20_000 };
    const run = watchedRun();
    const taking = outcome(window.savepoints.trigger(job, toDefault, run));
    await until(clock, "it is sent", () => flink.sent("triggerSavepoint").length === 1);
    await fill();
    const end = await taking;
    assert.equal(typeof end === "string" ? end : end.state, "completed");
    assert.ok(run.steps.some((step) => step.includes("ENOSPC")), run.steps.join("\n"));
  });

  test("loses no end of a stop", async () => {
    const window = openWindow(world);
    flink.savepoint = { takesMs: 1_000 };
    const stopping = outcome(window.savepoints.stop(job, { ...toDefault, drain: false }, watchedRun()));
    await until(clock, "the savepoint is written down", () => world.disk.savepoints()[0]?.state === "completed");
    await fill();
    const end = await stopping;
    assert.equal(typeof end === "string" ? end : end.stop?.job, "stopped");
  });

  test("loses no start", async () => {
    const window = openWindow(world);
    const record = await savepoint(window);
    const starting = outcome(window.restores.start(from(record), watchedRun()));
    await until(clock, "it is sent", () => flink.sent("runJar").length === 1);
    await fill();
    const end = await starting;
    assert.equal(typeof end === "string" ? end : end.state, "running");
  });

  test("loses no disposal", async () => {
    const window = openWindow(world);
    const record = await savepoint(window);
    const disposing = outcome(window.disposals.dispose(record.id, { typedJobName: null }, watchedRun()));
    await until(clock, "it is sent", () => flink.sent("dispose").length === 1);
    await fill();
    const end = await disposing;
    assert.equal(typeof end === "string" ? end : end.disposal?.state, "disposed");
  });
});
