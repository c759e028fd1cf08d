import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { isAbort } from "../../src/core/base/async";
import { FlinkError } from "../../src/core/errors";
import type { SavepointRecord } from "../../src/core/ledger/record";
import { endWorld, openWindow, twoClusters, until, watchedRun, type Window } from "./fakes";
import { savepointRecord } from "./ledgerSamples";
import { refusals, rejected } from "./rejected";
import { jobId, restoreFrom, stats } from "./samples";
import { failureOf } from "./simulatedFlink";

const path = "file:/sp/savepoint-ab12cd-000000000009";
const id = "a".repeat(32);
let { clock, storage, flink, other, world } = twoClusters();
let window: Window;

beforeEach(() => {
  ({ clock, storage, flink, other, world } = twoClusters());
  flink.addJob(jobId);
  window = openWindow(world);
  put(id, path);
  put("b".repeat(32), "file:/sp/savepoint-ab12cd-000000000010");
});

afterEach(() => endWorld(world));

function put(recordId: string, place: string, changes: Partial<SavepointRecord> = {}): void {
  storage.put(place, clock.now());
  world.disk.put(savepointRecord(recordId, { cluster: { name: "local", url: flink.url }, job: { id: jobId, name: "Word count" }, state: "completed", path: place, checkpointId: 9, ...changes }));
}

const dispose = (run = watchedRun(), typedJobName: string | null = null, from = window): Promise<SavepointRecord> => from.disposals.dispose(id, { typedJobName }, run);
const record = (): SavepointRecord => world.disk.savepoints().find((one) => one.id === id)!;
const lost = (): FlinkError => new FlinkError("answer-lost", { url: flink.url, reason: "ECONNRESET" });

describe("a disposal", () => {
  test("is written down, sent once, and believed when Flink says so; the record is kept", async () => {
    let known: string | undefined;
    flink.fault = (call) => {
      if (call.acts) known = record().disposal?.state;
      return undefined;
    };
    const disposed = await dispose();
    assert.deepEqual([known, disposed.disposal?.state, disposed.path], ["requested", "disposed", path]);
    assert.deepEqual(flink.sent(), [`dispose ${path}`]);
    assert.equal(storage.folders.has(path), false);
  });

  test("is never reported from an accepted request alone", async () => {
    flink.disposal = { takesMs: 60_000 };
    const disposing = dispose();
    await clock.sleep(30_000);
    assert.equal(record().disposal?.state, "requested");
    assert.equal((await disposing).disposal?.state, "disposed");
  });

  test("asks every running job of every cluster what it was restored from", async () => {
    flink.addJob("c".repeat(32), { restored: { checkpointId: 9, restoredAtMs: 0, isSavepoint: true, path } });
    assert.deepEqual(await refusals(dispose()), ["restore-source"]);
    flink.jobs.delete("c".repeat(32));
    other.addJob("d".repeat(32), { restored: { checkpointId: 9, restoredAtMs: 0, isSavepoint: false, path } });
    assert.deepEqual(await refusals(dispose()), ["claimed"]);
    other.jobs.get("d".repeat(32))!.state = "CANCELED";
    assert.equal((await dispose()).disposal?.state, "disposed");
    assert.equal(flink.sent().length, 1);
  });

  test("does not take a savepoint of the restored job for a checkpoint of its own", async () => {
    flink.addJob("c".repeat(32), { checkpointing: false, restored: { checkpointId: 9, restoredAtMs: 0, isSavepoint: true, path }, history: [stats(12)] });
    const overview = await flink.client().checkpoints("c".repeat(32), new AbortController().signal);
    flink.jobs.get("c".repeat(32))!.shown = { atMs: flink.now() + 60_000, overview: { ...overview!, latest: { ...overview!.latest, completed: stats(12) } } };
    assert.deepEqual(await refusals(dispose()), ["restore-source"]);
  });

  test("C-30: is refused while a job is only starting, by hand or by a rule: what it starts from can't be seen yet", async () => {
    for (const state of ["INITIALIZING", "CREATED"] as const) {
      // As Flink answers then: no statistics, or empty ones.
      const starting = flink.addJob("c".repeat(32), { state, ready: false, checkpointing: false });
      assert.deepEqual(await refusals(dispose()), ["job-unchecked"]);
      assert.deepEqual(await refusals(window.disposals.checkByRule(id, watchedRun())), ["job-unchecked"]);
      Object.assign(starting, { state: "RUNNING", ready: true, restored: { checkpointId: 9, restoredAtMs: clock.now(), isSavepoint: true, path }, shown: undefined });
      assert.deepEqual(await refusals(dispose()), ["restore-source"]);
    }
    assert.deepEqual(flink.sent(), []);
  });

  test("is refused when a running job can't be asked, in words", async () => {
    flink.fault = (call) => (call.name === "checkpoints" ? { before: new FlinkError("no-answer", { url: flink.url, afterMs: 30_000 }) } : undefined);
    const { facts } = await rejected(dispose(), "refused");
    const [refusal] = facts.refusals;
    assert.ok(refusal?.rule === "job-unchecked");
    assert.doesNotMatch(refusal.reason, /no-answer/);
    assert.deepEqual(flink.sent(), []);
  });

  test("names other clusters that can't be asked, and goes on only when no job there may need it for ever", async () => {
    other.down = true;
    const check = await window.disposals.check(id, watchedRun());
    assert.deepEqual([check.unreachable, check.refusals], [["staging"], []]);
    world.disk.put(restoreFrom(path, "e".repeat(32), { cluster: { name: "staging", url: other.url }, claimMode: "LEGACY", state: "safe" }));
    const { facts } = await rejected(dispose(), "refused");
    assert.equal(facts.refusals[0]?.rule, "cluster-unchecked");
    flink.down = true;
    await rejected(dispose(), "cluster-unreachable");
  });

  test("asks again when a cluster has stopped answering since the person was told which do not", async () => {
    const { unreachable } = await window.disposals.check(id, watchedRun());
    other.down = true;
    assert.deepEqual(await refusals(window.disposals.dispose(id, { typedJobName: null, unreachable }, watchedRun())), ["cluster-unchecked"]);
    assert.deepEqual(flink.sent(), []);
    assert.equal((await window.disposals.dispose(id, { typedJobName: null, unreachable: ["staging"] }, watchedRun())).disposal?.state, "disposed");
  });

  test("asks its clusters beside each other: ten that hang take no longer than one", async () => {
    window.clusters.setProfiles([{ name: "local", url: flink.url }, { name: "staging", url: other.url }]);
    for (const one of [flink, other]) one.fault = (call) => (call.name === "jobs" ? { takesMs: 30_000 } : undefined);
    const began = clock.now();
    await window.disposals.check(id, watchedRun());
    assert.equal(clock.now() - began, 30_000);
  });

  test("of the only completed one wants the job's name typed, exactly", async () => {
    world.disk.put({ ...world.disk.savepoints().find((one) => one.id !== id)!, state: "failed" });
    assert.equal((await window.disposals.check(id, watchedRun())).typing, "only-completed");
    assert.deepEqual(await refusals(dispose()), ["only-completed"]);
    assert.deepEqual(await refusals(dispose(watchedRun(), "word count")), ["only-completed"]);
    assert.equal((await dispose(watchedRun(), "Word count")).disposal?.state, "disposed");
  });

  test("wants the name typed, too, when all others are gone from where they lay: nobody can go back to those", async () => {
    storage.folders.delete("file:/sp/savepoint-ab12cd-000000000010");
    assert.equal((await window.disposals.check(id, watchedRun())).typing, "only-completed");
    assert.deepEqual(await refusals(window.disposals.checkByRule(id, watchedRun())), ["only-completed"]);
    storage.put("file:/sp/savepoint-ab12cd-000000000010", clock.now(), false);
    assert.equal((await window.disposals.check(id, watchedRun())).typing, "only-completed", "without its metadata it is none either");
    storage.folders.clear();
    assert.equal((await window.disposals.check(id, watchedRun())).typing, null, "a machine that sees nothing of it knows nothing");
  });

  test("pinned in the moment before is not done", async () => {
    const second = openWindow(world);
    flink.fault = (call) => {
      if (call.name === "checkpoints") void second.savepoints.pin(id, true);
      return undefined;
    };
    // By its mark or by its record, whichever is there first.
    assert.match((await refusals(dispose())).join(), /^pinned(-beside)?$/);
    assert.deepEqual([flink.sent(), record().disposal], [[], null]);
  });

  test("asked for twice at once is done once", async () => {
    const outcomes = await Promise.allSettled([dispose(), dispose(watchedRun(), null, openWindow(world))]);
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    assert.equal(flink.sent().length, 1);
  });

  test("and a restore from it in the same moment never both go on", async () => {
    for (const [slowDisposal, slowRestore] of [[0, 0], [200, 0], [0, 200], [50, 60], [60, 50]]) {
      put(id, path, { disposal: null });
      flink.calls.splice(0);
      world.disk.beforeWrite = async (_id, event) => clock.sleep(event === "disposal requested" ? (slowDisposal ?? 0) : event === "created" ? (slowRestore ?? 0) : 0);
      const outcomes = await Promise.allSettled([dispose(), openWindow(world).restores.start({
        cluster: flink.url, jobName: "Word count", savepoint: { path, recordId: id, checkpointId: 9 }, jar: { id: "1_words.jar", name: "words.jar" }, programArgs: [], claimMode: "NO_CLAIM", allowNonRestoredState: false,
      }, watchedRun())]);
      world.disk.beforeWrite = () => undefined;
      assert.ok(flink.sent().length <= 1, `${slowDisposal}/${slowRestore}: ${flink.sent().join(", ")}`);
      assert.ok(outcomes.some(({ status }) => status === "rejected"));
      assert.notEqual(record().disposal?.state, "requested");
      for (const [key, job] of flink.jobs) if (job.restored !== null) flink.jobs.delete(key);
      for (const restore of world.disk.restores()) world.disk.put({ ...restore, state: "dropped" });
    }
  });

  test("no longer waited for goes on to its outcome", async () => {
    const run = watchedRun();
    flink.disposal = { takesMs: 20_000 };
    const disposing = dispose(run);
    await until(clock, "the request", () => flink.sent().length === 1);
    run.abort();
    await assert.rejects(disposing, isAbort);
    await until(clock, "the outcome", () => record().disposal?.state === "disposed");
  });
});

describe("a disposal that fails", () => {
  test("with the files there says so, and may be tried again", async () => {
    flink.disposal = { fails: failureOf("Permission denied") };
    const { facts } = await rejected(dispose(), "disposal-failed");
    assert.deepEqual([facts.gone, record().disposal?.state], ["there", "failed"]);
    assert.match(facts.message, /Permission denied/);
    flink.disposal = {};
    assert.equal((await dispose()).disposal?.state, "disposed");
  });

  test("with a foreign file left has taken the metadata, and is no savepoint any more", async () => {
    flink.disposal = { fails: failureOf("Directory is not empty"), files: "partly" };
    assert.equal((await rejected(dispose(), "disposal-failed")).facts.gone, "partly");
    assert.equal((await window.jobs.rows(flink.url))[0]?.latestSavepoint?.id, "b".repeat(32));
  });

  test("with the files gone is done", async () => {
    flink.disposal = { fails: failureOf("Something at the end"), files: "gone" };
    assert.equal((await dispose()).disposal?.state, "disposed");
  });

  test("where this machine sees nothing is of unknown outcome", async () => {
    storage.visible = false;
    flink.disposal = { fails: failureOf("Permission denied") };
    assert.equal((await rejected(dispose(), "disposal-failed")).facts.gone, "unknown");
    assert.equal(record().disposal?.state, "unknown");
  });

  test("where this machine has an empty directory of the same name proves nothing", async () => {
    storage.folders.delete(path);
    flink.disposal = { fails: failureOf("Permission denied") };
    assert.equal((await rejected(dispose(), "disposal-failed")).facts.gone, "unknown");
  });

  test("because Flink finds nothing there either is done", async () => {
    storage.folders.delete(path);
    assert.equal((await dispose()).disposal?.state, "disposed");
  });
});

describe("a disposal's answer that was lost", () => {
  const errors = [lost, (): FlinkError => new FlinkError("not-flink", { url: "u", status: 502, contentType: "", title: null }), (): FlinkError => new FlinkError("flink-failed", { url: "u", status: 500, message: "boom", exception: "", trace: "" })];
  for (const [at, error] of errors.entries()) {
    test(`after Flink acted (${at}): the files tell, and nothing is sent again`, async () => {
      flink.fault = (call) => (call.acts ? { after: error() } : undefined);
      assert.equal((await dispose()).disposal?.state, "disposed");
      assert.equal(flink.sent().length, 1);
    });

    test(`before Flink acted (${at}): the files are still there, and that is said`, async () => {
      flink.fault = (call) => (call.acts ? { before: error() } : undefined);
      const { facts } = await rejected(dispose(), "disposal-failed");
      assert.equal(facts.gone, "there");
      if (at === 2) assert.match(facts.message, /boom/);
      assert.deepEqual([flink.sent().length, record().disposal?.state], [1, "failed"]);
    });
  }

  test("by Flink itself, which no longer knows the request, is told by the files", async () => {
    flink.disposal = { takesMs: 5_000 };
    const disposing = dispose();
    await until(clock, "the request", () => flink.sent().length === 1);
    await clock.sleep(6_000);
    flink.restart();
    storage.folders.delete(path);
    assert.equal((await disposing).disposal?.state, "disposed");
  });

  test("that never reached Flink ends at once, and the record is as before", async () => {
    flink.fault = (call) => (call.acts ? { before: new FlinkError("unauthorized", { url: "u", status: 403 }) } : undefined);
    await rejected(dispose(), "unauthorized");
    assert.deepEqual([record().disposal, flink.sent().length], [null, 1]);
  });
});

describe("a disposal left by a process that died", () => {
  const left = (requestId: string | null, seen: boolean): void => {
    world.disk.put({ ...record(), disposal: { state: "requested", requestedAtMs: clock.now() - 60_000, requestId, endedAtMs: null, message: null, owner: { host: "here", pid: 1, instance: "dead" }, seen } });
  };

  test("before the call is found not done, and nothing is sent", async () => {
    left(null, true);
    assert.equal((await rejected(window.disposals.follow(id), "disposal-failed")).facts.gone, "there");
    assert.deepEqual(flink.sent(), []);
  });

  test("after the call is found done", async () => {
    left(null, true);
    storage.folders.delete(path);
    assert.equal((await window.disposals.follow(id)).disposal?.state, "disposed");
  });

  test("after Flink's answer is asked for by its number", async () => {
    const requestId = await flink.client().dispose(path, new AbortController().signal);
    flink.calls.splice(0);
    left(requestId, true);
    assert.equal((await window.disposals.follow(id)).disposal?.state, "disposed");
    assert.deepEqual(flink.sent(), []);
  });

  test("is followed once by however many ask", async () => {
    left(null, true);
    storage.folders.delete(path);
    const writes = world.disk.writes.length;
    const outcomes = await Promise.all([window.disposals.follow(id), window.disposals.follow(id)]);
    assert.deepEqual(outcomes.map(({ disposal }) => disposal?.state), ["disposed", "disposed"]);
    assert.equal(world.disk.writes.length, writes + 1);
  });
});
