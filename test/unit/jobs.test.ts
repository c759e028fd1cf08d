import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { isAbort } from "../../src/core/base/async";
import { type ErrorCode, FlinkError, isFlinkError } from "../../src/core/errors";
import type { JobRef } from "../../src/core/model/job";
import { endWorld, oneCluster, openWindow, toDefault, until, watchedRun, type Window } from "./fakes";
import { savepointRecord } from "./ledgerSamples";
import { clusterInfo, jobId, stats } from "./samples";
import { failureOf } from "./simulatedFlink";

let { clock, flink, world } = oneCluster();
let window: Window;
let job: JobRef;
let changes: string[];
const never = new AbortController().signal;

beforeEach(async () => {
  ({ clock, flink, world } = oneCluster());
  flink.staleMs = 0;
  flink.addJob(jobId);
  window = openWindow(world);
  job = { cluster: flink.url, jobId };
  changes = [];
  window.jobs.onDidChange((changed) => changes.push(changed.jobId));
  await window.clusters.refresh(flink.url, never);
});

afterEach(() => endWorld(world));

const observe = (): Promise<void> => window.jobs.observe(job, never);
const ids = async (): Promise<string[]> => (await window.jobs.savepoints(job)).map(({ id }) => id);
const code = (expected: ErrorCode) => (error: unknown): boolean => isFlinkError(error, expected);

describe("a look at a job", () => {
  test("shows its checkpoints, its savepoints and what it was restored from, and tells when something is new", async () => {
    const simulated = flink.jobs.get(jobId)!;
    simulated.restored = { checkpointId: 1, restoredAtMs: 0, isSavepoint: true, path: "file:/sp/savepoint-1" };
    assert.deepEqual([window.jobs.observation(job), window.jobs.checkpoints(job), window.jobs.restoredFrom(job)], [undefined, [], null]);
    await observe();
    await observe();
    assert.deepEqual(changes, [jobId]);
    assert.deepEqual(window.jobs.checkpoints(job).map(({ checkpointId }) => checkpointId), [1]);
    assert.equal(window.jobs.restoredFrom(job)?.path, "file:/sp/savepoint-1");
    assert.equal(flink.calls.filter(({ name }) => name === "checkpointConfig").length, 1, "what does not change is asked once");
    assert.equal(window.jobs.observation(job)?.config?.timeoutMs, 600_000);
  });

  test("keeps what it saw before when the cluster does not answer, and never throws", async () => {
    await observe();
    flink.down = true;
    await observe();
    const seen = window.jobs.observation(job);
    assert.ok(isFlinkError(seen?.error, "cluster-unreachable"));
    assert.equal(seen?.overview?.history.length, 1);
    await observe();
    assert.equal(changes.length, 2, "the same error is told once");
    flink.down = false;
    await observe();
    assert.equal(window.jobs.observation(job)?.error, null);
  });

  test("that was given up changes nothing", async () => {
    await observe();
    const before = window.jobs.observation(job);
    await window.jobs.observe(job, AbortSignal.abort());
    assert.equal(window.jobs.observation(job), before);
  });

  test("that takes long does not undo a later one", async () => {
    let slow = true;
    flink.fault = (call) => {
      if (call.name !== "checkpointConfig" || !slow) return undefined;
      slow = false;
      return { takesMs: 5_000 };
    };
    const first = observe();
    await clock.sleep(100);
    flink.jobs.get(jobId)!.history.unshift(stats(7, { kind: "checkpoint", path: "file:/cp/chk-7" }));
    await observe();
    await first;
    assert.equal(window.jobs.checkpoints(job)[0]?.checkpointId, 7);
  });

  test("at a job that is gone shows nothing as running any more", async () => {
    flink.jobs.get(jobId)!.history.unshift(stats(7, { status: "in-progress", path: null }));
    await observe();
    assert.equal((await window.jobs.savepoints(job))[0]?.state, "running");
    flink.restart();
    await observe();
    assert.ok(isFlinkError(window.jobs.observation(job)?.error, "job-not-found"));
    assert.deepEqual((await window.jobs.savepoints(job)).map(({ state }) => state), []);
    assert.equal(window.jobs.checkpoints(job).length, 1);
  });

  test("whose find cannot be written down is shown all the same, with the reason", async () => {
    flink.jobs.get(jobId)!.history.unshift(stats(7));
    world.disk.beforeWrite = () => {
      throw new FlinkError("ledger-unwritable", { folder: "/x", reason: "ENOSPC" });
    };
    await observe();
    const seen = window.jobs.observation(job);
    assert.ok(isFlinkError(seen?.error, "ledger-unwritable"));
    assert.equal(seen?.overview?.history.length, 2);
  });

  test("at thousands of jobs that come and go keeps only those the cluster still has", async () => {
    for (let at = 0; at < 3_000; at++) {
      const passing = at.toString(16).padStart(32, "c");
      flink.addJob(passing);
      await window.jobs.observe({ ...job, jobId: passing }, never);
      flink.jobs.delete(passing);
      if (at % 100 === 0) await window.clusters.refresh(flink.url, never);
    }
    let kept = 0;
    for (let at = 0; at < 3_000; at++) if (window.jobs.observation({ ...job, jobId: at.toString(16).padStart(32, "c") })) kept++;
    assert.ok(kept <= 1_000, `${kept} observations`);
  });

  test("does not forget jobs that are still there, however many", async () => {
    for (let at = 0; at < 1_200; at++) flink.addJob(at.toString(16).padStart(32, "c"));
    await window.clusters.refresh(flink.url, never);
    for (let at = 0; at < 1_200; at++) await window.jobs.observe({ ...job, jobId: at.toString(16).padStart(32, "c") }, never);
    for (let at = 0; at < 1_200; at++) assert.ok(window.jobs.observation({ ...job, jobId: at.toString(16).padStart(32, "c") }), String(at));
  });

  test("is no failure when a listener throws", async () => {
    window.jobs.onDidChange(() => {
      throw new Error("view");
    });
    await observe();
    assert.equal(window.jobs.observation(job)?.error, null);
  });
});

describe("a savepoint in a job's history", () => {
  test("that nobody knows is written down once, by whichever window sees it", async () => {
    flink.jobs.get(jobId)!.history.unshift(stats(7, { format: "native" }));
    const second = openWindow(world);
    await second.clusters.refresh(flink.url, never);
    await Promise.all([observe(), second.jobs.observe(job, never)]);
    await observe();
    const [record, none] = world.disk.savepoints();
    assert.deepEqual([none, record?.id, record?.origin, record?.state, record?.checkpointId, record?.format, record?.job.name], [undefined, `found-${jobId}-7`, "found", "completed", 7, "native", "Word count"]);
    second.dispose();
  });

  test("is not written down while one of ours is open, since it may be that", async () => {
    world.disk.put(savepointRecord("a", { state: "running", job: { id: jobId, name: "Word count" } }));
    flink.jobs.get(jobId)!.history.unshift(stats(7));
    await observe();
    assert.equal(world.disk.savepoints().length, 1);
  });

  test("that is gone, or has no place, or is ours, is not written down", async () => {
    const own = stats(7);
    world.disk.put(savepointRecord("a", { state: "completed", job: { id: jobId, name: "Word count" }, path: own.path?.replace("file:/", "file:///") ?? null, checkpointId: 7 }));
    flink.jobs.get(jobId)!.history.unshift(own, stats(6, { discarded: true }), stats(5, { path: null }), stats(4, { status: "failed", path: null }));
    await observe();
    assert.deepEqual(world.disk.savepoints().map(({ id }) => id), ["a"]);
  });

  test("that was forgotten stays forgotten", async () => {
    flink.jobs.get(jobId)!.history.unshift(stats(7));
    await observe();
    await window.savepoints.forget(`found-${jobId}-7`);
    await observe();
    assert.deepEqual(await ids(), []);
  });

  for (const skewMs of [-3_600_000, 0, 3_600_000]) {
    test(`that failed and was ours is one row, by the JobManager's clock (${skewMs / 1_000} s off)`, async () => {
      flink.skewMs = skewMs;
      flink.jobs.get(jobId)!.history.unshift(stats(90, { status: "failed", path: null, failure: "a stranger's", triggeredAtMs: flink.now() - 900_000 }));
      flink.savepoint = { fails: failureOf("Checkpoint expired before completing.") };
      await assert.rejects(window.savepoints.trigger(job, toDefault, watchedRun()), code("savepoint-failed"));
      await observe();
      const rows = await window.jobs.savepoints(job);
      assert.deepEqual(rows.filter(({ failure }) => failure !== "a stranger's").map(({ checkpointId, failure }) => [checkpointId, failure]), [[2, "Checkpoint expired before completing."]]);
      assert.equal(rows.filter(({ failure }) => failure === "a stranger's").length, 1);
    });
  }

  test("that failed is not ours when it began at another time, or is of another kind", async () => {
    flink.savepoint = { fails: failureOf("rejected"), withoutEntry: true };
    await assert.rejects(window.savepoints.trigger(job, toDefault, watchedRun()), code("savepoint-failed"));
    flink.jobs.get(jobId)!.history.unshift(stats(90, { status: "failed", path: null, triggeredAtMs: flink.now() - 1_800_000 }), stats(91, { kind: "stop-savepoint", status: "failed", path: null, triggeredAtMs: flink.now() - 500 }));
    await observe();
    assert.equal(world.disk.savepoints()[0]?.checkpointId, null);
  });
});

describe("cancelling a job", () => {
  test("tells Flink once, and waits for the end", async () => {
    assert.equal(await window.jobs.cancel(job, watchedRun()), "CANCELED");
    assert.deepEqual(flink.sent(), [`cancelJob ${jobId}`]);
  });

  test("is refused where its owner switched that off, and when the job has ended", async () => {
    flink.info = clusterInfo("1.20.1", { cancelAllowed: false });
    await window.clusters.reconnect(flink.url, never);
    assert.deepEqual(await window.jobs.cancelRefusals(job, never), [{ rule: "cancel-switched-off" }]);
    await assert.rejects(window.jobs.cancel(job, watchedRun()), code("refused"));
    flink.jobs.get(jobId)!.state = "FAILED";
    assert.equal((await window.jobs.cancelRefusals(job, never)).length, 2);
    assert.deepEqual(flink.sent(), []);
  });

  for (const error of [new FlinkError("answer-lost", { url: "u", reason: "x" }), new FlinkError("not-flink", { url: "u", status: 502, contentType: "", title: null })]) {
    test(`of which the answer was lost (${error.code}) waits for the job's end`, async () => {
      flink.fault = (call) => (call.acts ? { after: error } : undefined);
      assert.equal(await window.jobs.cancel(job, watchedRun()), "CANCELED");
    });

    test(`that never arrived (${error.code}) is told again, which is harmless, instead of waiting for ever`, async () => {
      let times = 0;
      flink.fault = (call) => (call.acts && ++times === 1 ? { before: error } : undefined);
      assert.equal(await window.jobs.cancel(job, watchedRun()), "CANCELED");
      assert.equal(flink.sent().length, 2);
    });
  }

  test("goes on waiting while the cluster does not answer for a moment, and says so after a minute", async () => {
    let silent = 0;
    flink.fault = (call) => (call.name === "jobState" && flink.sent().length > 0 && ++silent < 4 ? { before: new FlinkError("no-leader", { url: "u" }) } : undefined);
    assert.equal(await window.jobs.cancel(job, watchedRun()), "CANCELED");
    flink.jobs.get(jobId)!.state = "RUNNING";
    flink.fault = (call) => {
      if (call.acts) flink.down = true;
      return undefined;
    };
    const began = clock.now();
    await assert.rejects(window.jobs.cancel(job, watchedRun()), code("cluster-unreachable"));
    assert.ok(clock.now() - began < 120_000);
  });

  test("of a job that ended by itself in the same moment says how", async () => {
    flink.fault = (call) => {
      if (!call.acts) return undefined;
      flink.jobs.get(jobId)!.state = "FINISHED";
      return { before: new FlinkError("flink-failed", { url: "u", status: 409, message: "already reached another terminal state (FINISHED)", exception: "", trace: "" }) };
    };
    assert.equal(await window.jobs.cancel(job, watchedRun()), "FINISHED");
  });

  test("of a job that is lost with its JobManager says that Flink does not know it", async () => {
    const run = watchedRun();
    const cancelling = window.jobs.cancel(job, run);
    await until(clock, "the request", () => flink.sent().length === 1);
    flink.restart();
    await assert.rejects(cancelling, code("job-not-found"));
  });

  test("that is no longer waited for ends the waiting only", async () => {
    const run = watchedRun();
    const cancelling = window.jobs.cancel(job, run);
    await until(clock, "the request", () => flink.sent().length === 1);
    run.abort();
    await assert.rejects(cancelling, isAbort);
    await window.clusters.refresh(flink.url, never);
    assert.equal(flink.jobs.get(jobId)?.state, "CANCELLING");
  });
});

test("directories used before are offered once each, however they were spelled, newest first", async () => {
  const record = (id: string, atMs: number, directory: string | null, path: string): void => world.disk.put(savepointRecord(id, { cluster: { name: "local", url: flink.url }, state: "completed", requestedAtMs: atMs, directory, path }));
  record("a", 1, "s3://b/old", "s3://b/old/savepoint-ab12cd-01");
  record("b", 3, "/sp/", "file:/sp/savepoint-ab12cd-02");
  record("c", 2, null, "file:/sp/savepoint-ab12cd-03");
  record("d", 4, null, "file:/new/savepoint-ab12cd-04");
  assert.deepEqual(await window.jobs.recentDirectories(flink.url), ["file:/new", "/sp/", "s3://b/old"]);
  assert.deepEqual(await window.jobs.recentDirectories("http://other"), []);
});

test("rows are the cluster's jobs with what is under way; a record is found by its id, and a start is none", async () => {
  world.disk.put(savepointRecord("a", { state: "running", cluster: { name: "local", url: flink.url }, job: { id: jobId, name: "Word count" } }));
  assert.deepEqual((await window.jobs.rows(flink.url)).map((row) => [row.jobId, row.operations.length]), [[jobId, 1]]);
  assert.equal((await window.jobs.operations())[0]?.recordId, "a");
  assert.equal((await window.jobs.record("a"))?.id, "a");
  assert.equal(await window.jobs.record("b"), undefined);
});
