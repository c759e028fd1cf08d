import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { isAbort } from "../../src/core/base/async";
import { FlinkError } from "../../src/core/errors";
import type { SavepointRecord } from "../../src/core/ledger/record";
import type { JobRef } from "../../src/core/model/job";
import { endWorld, oneCluster, openWindow, toDefault, until, watchedRun, type Window } from "./fakes";
import { savepointRecord } from "./ledgerSamples";
import { refusals, rejected } from "./rejected";
import { clusterInfo, jobId, stats } from "./samples";
import { failureOf } from "./simulatedFlink";

let { clock, storage, flink, world } = oneCluster();
let window: Window;
let job: JobRef;

beforeEach(() => {
  ({ clock, storage, flink, world } = oneCluster());
  flink.addJob(jobId);
  window = openWindow(world);
  job = { cluster: flink.url, jobId };
});

afterEach(() => endWorld(world));

const trigger = (changes: Partial<typeof toDefault> = {}, run = watchedRun(), from = window): Promise<SavepointRecord> => from.savepoints.trigger(job, { ...toDefault, ...changes }, run);
const stop = (changes: Partial<typeof toDefault & { drain: boolean }> = {}, run = watchedRun(), from = window): Promise<SavepointRecord> => from.savepoints.stop(job, { ...toDefault, drain: false, ...changes }, run);
const only = (): SavepointRecord => {
  const [record, second] = world.disk.savepoints();
  assert.ok(record !== undefined && second === undefined, `records: ${world.disk.savepoints().map(({ id, state }) => `${id} ${state}`).join(", ")}`);
  return record;
};
const lost = (): FlinkError => new FlinkError("answer-lost", { url: flink.url, reason: "ECONNRESET" });

describe("a savepoint", () => {
  test("is taken: requested, written, with its number, size and path, and told once", async () => {
    const run = watchedRun();
    flink.savepoint = { takesMs: 6_000 };
    const record = await trigger({ description: " before v2 ", directory: "s3://b/sp/", format: "native" }, run);
    assert.equal(record.state, "completed");
    assert.deepEqual([record.origin, record.format, record.description, record.directory, record.stop, record.checkpointId, record.sizeBytes, record.durationMs], ["manual", "native", "before v2", "s3://b/sp/", null, 2, 4_096, 6_000]);
    assert.ok(record.path?.startsWith("s3://b/sp/savepoint-ab12cd-"));
    assert.deepEqual(flink.sent(), [`triggerSavepoint ${record.id}`]);
    assert.deepEqual(window.settled, [record.id]);
    assert.ok(run.steps.some((step) => step.includes("1 of 4 tasks")), run.steps.join("\n"));
    assert.deepEqual(only(), record);
  });

  test("rule 6: is written down before Flink is called", async () => {
    let known: string | undefined;
    flink.fault = (call) => {
      if (call.acts) known = world.disk.savepoints().find(({ id }) => id === call.about)?.state;
      return undefined;
    };
    await trigger();
    assert.equal(known, "requested");
  });

  test("that cannot be written down is not asked for", async () => {
    world.disk.beforeWrite = () => {
      throw new FlinkError("ledger-unwritable", { folder: "/x", reason: "ENOSPC" });
    };
    await rejected(trigger(), "ledger-unwritable");
    assert.deepEqual(flink.sent(), []);
  });

  test("is not asked for at a place that Flink would take for another", async () => {
    for (const directory of ["", " ", "rel/dir", "C:\\sp", "/a\nb"]) await rejected(trigger({ directory }), "location-invalid");
    assert.deepEqual([flink.sent(), world.disk.savepoints()], [[], []]);
  });

  test("C-37: needs a directory of its own where the cluster has none", async () => {
    flink.info = clusterInfo("1.20.1", { savepointDirectory: null });
    assert.deepEqual(await refusals(trigger()), ["no-directory"]);
    assert.equal((await trigger({ directory: "/sp" })).state, "completed");
  });

  test("A-5: is not asked of a job that does not run, and of one that Flink does not know", async () => {
    flink.jobs.get(jobId)!.state = "RESTARTING";
    assert.deepEqual(await refusals(trigger()), ["job-not-running"]);
    flink.jobs.clear();
    await rejected(trigger(), "job-not-found");
    assert.deepEqual([flink.sent(), world.disk.savepoints()], [[], []]);
  });

  test("waits until all tasks run, and is refused when they do not within half a minute", async () => {
    const run = watchedRun();
    flink.jobs.get(jobId)!.ready = false;
    const taking = trigger({}, run);
    await clock.sleep(3_000);
    assert.deepEqual(flink.sent(), []);
    flink.jobs.get(jobId)!.ready = true;
    assert.equal((await taking).state, "completed");
    assert.match(run.steps[0] ?? "", /Waiting until all tasks run \(0 of 1\)/);
    flink.jobs.get(jobId)!.ready = false;
    assert.deepEqual(await refusals(trigger()), ["tasks-not-running"]);
  });

  test("takes as long as it takes: nothing here times it out", async () => {
    flink.savepoint = { takesMs: 3_600_000 };
    const record = await trigger();
    assert.equal(record.durationMs, 3_600_000);
    assert.equal(flink.sent().length, 1);
  });

  test("that fails gives Flink's reason, and says that the job was hit", async () => {
    flink.savepoint = { fails: failureOf("Asynchronous task checkpoint failed."), jobThen: "restarts" };
    const { facts } = await rejected(trigger(), "savepoint-failed");
    assert.deepEqual([facts.message, facts.jobRestarted], ["Asynchronous task checkpoint failed.", true]);
    assert.deepEqual([only().state, only().jobRestarted, only().path], ["failed", true, null]);
    assert.deepEqual(window.settled, [only().id]);
  });

  test("that fails behind a general text gives the job's own reason", async () => {
    flink.savepoint = { fails: failureOf("Checkpoint Coordinator is suspending."), jobThen: "restarts" };
    const job = flink.jobs.get(jobId)!;
    const taking = trigger();
    await clock.sleep(900);
    job.failures.unshift({ ...failureOf("Could not perform checkpoint 2 for operator dedupe: no disk"), atMs: flink.now() + 50 });
    flink.savepoint = {};
    const { facts } = await rejected(taking, "savepoint-failed");
    assert.match(facts.message, /no disk|suspending/);
  });

  test("that fails while the job stays untouched is told without a word about the job", async () => {
    flink.savepoint = { fails: failureOf("Checkpoint expired before completing.") };
    assert.equal((await rejected(trigger(), "savepoint-failed")).facts.jobRestarted, false);
    assert.equal(only().jobRestarted, false);
  });

  test("an earlier failure of the job is not taken for its effect, whatever the JobManager's clock says", async () => {
    for (const skewMs of [-3_600_000, 0, 3_600_000]) {
      flink.skewMs = skewMs;
      const other = `${skewMs < 0 ? "a" : skewMs === 0 ? "b" : "c"}`.repeat(32);
      flink.addJob(other, { failures: [{ ...failureOf("yesterday's"), atMs: flink.now() - 60_000 }] });
      flink.savepoint = { fails: failureOf("expired") };
      const { facts } = await rejected(window.savepoints.trigger({ ...job, jobId: other }, toDefault, watchedRun()), "savepoint-failed");
      assert.deepEqual([facts.jobRestarted, facts.message], [false, "expired"], String(skewMs));
    }
  });

  test("goes on when the person stops waiting, and its end is told all the same", async () => {
    const run = watchedRun();
    const taking = trigger({}, run);
    await until(clock, "the request", () => flink.sent().length === 1);
    run.abort();
    await assert.rejects(taking, isAbort);
    await until(clock, "its end", () => window.settled.length > 0);
    assert.equal(only().state, "completed");
    assert.equal(flink.sent().length, 1);
  });

  test("given up before anything was written is not asked for", async () => {
    const run = watchedRun();
    flink.jobs.get(jobId)!.ready = false;
    const taking = trigger({}, run);
    await clock.sleep(1_000);
    run.abort();
    await assert.rejects(taking, isAbort);
    flink.jobs.get(jobId)!.ready = true;
    await clock.sleep(5_000);
    assert.deepEqual([flink.sent(), world.disk.savepoints()], [[], []]);
  });

  test("is taken although the workspace's commit cannot be read", async () => {
    const broken = openWindow(world);
    Object.assign((broken.savepoints as unknown as Record<string, unknown>), {});
    assert.equal((await trigger({}, watchedRun(), broken)).workspace, null);
  });

  test("beside another of the same job is one of two, each with its own outcome", async () => {
    flink.savepoint = { takesMs: 5_000 };
    const [first, second] = await Promise.all([trigger({ directory: "/one" }), trigger({ directory: "/two" })]);
    assert.ok(first.path?.startsWith("file:/one/") && second.path?.startsWith("file:/two/"), `${first.path} ${second.path}`);
    assert.notEqual(first.checkpointId, second.checkpointId);
    assert.equal(flink.sent().length, 2);
  });

  test("a watcher that throws does not keep the outcome from being written", async () => {
    const record = await trigger({}, { signal: new AbortController().signal, report: ({ message }) => {
      if (message !== "Asking Flink") throw new Error("progress is gone");
    }, steps: [], abort: () => undefined });
    assert.equal(record.state, "completed");
    assert.ok(clock.now() < Date.UTC(2026, 10, 20, 12, 0, 10), "and does not look like a cluster that is down");
  });

  test("a listener that throws does not turn success into failure", async () => {
    window.savepoints.onDidSettle(() => {
      throw new Error("listener");
    });
    assert.equal((await trigger()).state, "completed");
  });
});

describe("an answer that was lost", () => {
  const ways: [string, () => FlinkError][] = [
    ["the connection broke", lost], ["no answer came", () => new FlinkError("no-answer", { url: flink.url, afterMs: 30_000 })],
    ["a proxy said 502", () => new FlinkError("not-flink", { url: flink.url, status: 502, contentType: "text/html", title: "Bad Gateway" })],
    ["Flink said 500", () => new FlinkError("flink-failed", { url: flink.url, status: 500, message: "timeout", exception: "AskTimeoutException", trace: "" })],
  ];
  for (const [how, error] of ways) {
    for (const verb of ["trigger", "stop"] as const) {
      test(`of a ${verb}, because ${how} after Flink acted: it is found, and nothing is sent again`, async () => {
        flink.fault = (call) => (call.acts ? { after: error() } : undefined);
        const record = await (verb === "trigger" ? trigger() : stop());
        assert.equal(record.state, "completed");
        assert.deepEqual(flink.sent().length, 1);
        assert.equal(storage.complete().length, 1);
      });

      test(`of a ${verb}, because ${how} before Flink acted: it is sent again under the same id, and done once`, async () => {
        let times = 0;
        flink.fault = (call) => (call.acts && ++times === 1 ? { before: error() } : undefined);
        const record = await (verb === "trigger" ? trigger() : stop());
        assert.equal(record.state, "completed");
        assert.deepEqual(new Set(flink.sent(verb === "trigger" ? "triggerSavepoint" : "stopWithSavepoint")), new Set([record.id]));
        assert.equal(storage.complete().length, 1);
        assert.ok(record.sentAtMs > record.requestedAtMs);
      });
    }
  }

  test("while the cluster stays away for an hour is looked for without haste, and found", async () => {
    flink.savepoint = { takesMs: 2 * 3_600_000 };
    flink.fault = (call) => {
      if (!call.acts) return undefined;
      flink.down = true;
      return { after: lost() };
    };
    const taking = trigger();
    await clock.sleep(3_600_000);
    const asked = flink.calls.length;
    assert.ok(asked < 800, `asked ${asked} times in an hour`);
    flink.down = false;
    flink.fault = () => undefined;
    assert.equal((await taking).state, "completed");
    assert.equal(flink.sent().length, 1);
  });

  test("and lost again is sent again only while Flink still remembers every id it ever got", async () => {
    flink.fault = (call) => (call.acts ? { before: lost() } : undefined);
    const { facts } = await rejected(trigger(), "savepoint-failed");
    assert.match(facts.message, /never received/);
    const sent = flink.sent().length;
    assert.ok(sent > 1 && sent < 40, `sent ${sent} times`);
    assert.equal(only().state, "failed");
    assert.ok(only().sentAtMs - only().requestedAtMs <= 60_000);
    assert.equal(storage.complete().length, 0);
  });

  test("is not sent again once its result may have expired", async () => {
    flink.info = clusterInfo("1.20.1", { triggerResultsKeptMs: 2_000 });
    flink.fault = (call) => (call.acts ? { after: lost() } : call.name === "savepointStatus" && clock.now() < began + 4_000 ? { before: lost() } : undefined);
    const began = clock.now();
    const record = await trigger();
    assert.equal(flink.sent().length, 1);
    assert.deepEqual([record.state, record.checkpointId], ["completed", 2], "found in the job's history");
    assert.equal(storage.complete().length, 1);
  });

  test("is not sent again after the JobManager was replaced, which forgot the id and may have done the work", async () => {
    flink.fault = (call) => {
      if (!call.acts) return undefined;
      queueMicrotask(() => void clock.sleep(1_100).then(() => flink.restart({ keepsJobs: true })));
      flink.down = true;
      void clock.sleep(5_000).then(() => (flink.down = false));
      return { after: lost() };
    };
    await rejected(trigger(), "outcome-unknown");
    assert.equal(flink.sent().length, 1);
    assert.equal(only().state, "unknown");
    assert.deepEqual(only().candidates, storage.complete());
  });

  test("whose record another process has settled meanwhile is not sent again", async () => {
    let times = 0;
    flink.fault = (call) => {
      if (!call.acts) return undefined;
      if (++times === 1) {
        flink.down = true;
        void clock.sleep(20_000).then(() => {
          world.disk.put({ ...only(), state: "failed", endedAtMs: clock.now(), failure: { message: "settled elsewhere", exception: "" } });
          flink.down = false;
        });
      }
      return times === 1 ? { before: lost() } : undefined;
    };
    await rejected(trigger(), "savepoint-failed");
    assert.equal(times, 1);
    assert.equal(storage.complete().length, 0);
  });
});

describe("what certainly did not arrive", () => {
  const errors: FlinkError[] = [
    new FlinkError("cluster-unreachable", { url: "u", reason: "ECONNREFUSED" }), new FlinkError("unauthorized", { url: "u", status: 401 }), new FlinkError("no-leader", { url: "u" }),
    new FlinkError("flink-failed", { url: "u", status: 400, message: "Config key is not set", exception: "", trace: "" }), new FlinkError("no-such-route", { url: "u" }), new FlinkError("tls-failed", { url: "u", reason: "x" }),
    new FlinkError("redirected", { url: "u", status: 302, target: null }), new FlinkError("location-invalid", { location: "x", fault: "relative" }),
  ];
  for (const error of errors) {
    test(`(${error.code}) ends at once, is sent once, and its end is told`, async () => {
      flink.fault = (call) => (call.acts ? { before: error } : undefined);
      assert.equal((await rejected(trigger(), error.code)).code, error.code);
      assert.equal(flink.sent().length, 1);
      assert.deepEqual([only().state, only().endedAtMs !== null], ["failed", true]);
      assert.deepEqual(window.settled, [only().id]);
    });
  }

  test("leaves a job that was to be stopped running on", async () => {
    flink.fault = (call) => (call.acts ? { before: new FlinkError("unauthorized", { url: "u", status: 403 }) } : undefined);
    await rejected(stop(), "unauthorized");
    assert.deepEqual([only().state, only().stop?.job], ["failed", "running-on"]);
    assert.equal(flink.jobs.get(jobId)?.state, "RUNNING");
  });
});

describe("a stop", () => {
  test("ends the job once its savepoint is complete, and drains only when told to", async () => {
    const record = await stop();
    assert.deepEqual([record.state, record.stop, record.origin, record.checkpointId], ["completed", { drain: false, job: "stopped" }, "stop", 2]);
    assert.equal(flink.jobs.get(jobId)?.state, "FINISHED");
    assert.deepEqual(flink.sent(), [`stopWithSavepoint ${record.id}`], "rule 7: never cancel-job");
  });

  test("whose job fails while committing is complete all the same, and says so", async () => {
    flink.savepoint = { commitFails: true };
    const { facts } = await rejected(stop(), "stopped-uncleanly");
    assert.deepEqual([only().state, only().stop?.job, only().path], ["completed", "failed", facts.path]);
    assert.deepEqual(storage.complete(), [facts.path]);
  });

  test("whose savepoint fails leaves the job running on, or restarts it", async () => {
    flink.savepoint = { fails: failureOf("IO-problem detected.") };
    assert.equal((await rejected(stop(), "stop-failed")).facts.jobState, "running on");
    flink.savepoint = { fails: failureOf("expired"), jobThen: "restarts" };
    assert.equal((await rejected(stop(), "stop-failed")).facts.jobState, "restarting");
    assert.deepEqual(world.disk.savepoints().map((record) => [record.state, record.stop?.job]), [["failed", "running-on"], ["failed", "running-on"]]);
  });

  test("whose failure ended the job says so", async () => {
    flink.savepoint = { fails: failureOf("no disk"), jobThen: "fails" };
    assert.equal((await rejected(stop(), "stop-failed")).facts.jobState, "FAILED");
  });

  test("during which somebody cancels the job says that it has ended", async () => {
    flink.savepoint = { takesMs: 5_000, fails: failureOf("CheckpointCoordinator shutdown.") };
    const stopping = stop();
    await until(clock, "the request", () => flink.sent().length === 1);
    Object.assign(flink.jobs.get(jobId)!, { state: "CANCELED", endTimeMs: flink.now(), ready: false });
    const { facts } = await rejected(stopping, "stop-failed");
    assert.equal(facts.jobState, "ended");
  });

  test("whose job does not stop within a minute after its savepoint is told, and is not the job's last word", async () => {
    flink.savepoint = { jobStays: true };
    const { facts } = await rejected(stop(), "stop-failed");
    assert.match(facts.message, /the job did not stop/);
    assert.deepEqual([only().state, only().stop?.job], ["completed", "running-on"]);
  });

  test("is not called finished on the word of a cluster that does not answer for a moment", async () => {
    flink.savepoint = { jobStays: true };
    let silent = true;
    void clock.sleep(20_000).then(() => (silent = false));
    flink.fault = (call) => (call.name === "jobState" && silent && clock.now() > Date.UTC(2026, 10, 20, 12, 0, 1) ? { before: new FlinkError("no-answer", { url: "u", afterMs: 1 }) } : undefined);
    await rejected(stop(), "stop-failed");
    assert.equal(only().stop?.job, "running-on");
  });

  test("of an application whose cluster goes away with it is finished: Flink had reported it complete", async () => {
    flink.fault = (call) => {
      if (call.name === "savepointStatus" && storage.complete().length > 0) queueMicrotask(() => queueMicrotask(() => queueMicrotask(() => (flink.down = true))));
      return undefined;
    };
    const record = await stop();
    assert.deepEqual([record.state, record.stop?.job], ["completed", "stopped"]);
    assert.ok(clock.now() < Date.UTC(2026, 10, 20, 12, 0, 15), "and that takes no minute");
  });

  test("is refused while another runs, ours or a stranger's, and nothing is sent", async () => {
    flink.savepoint = { takesMs: 20_000 };
    const first = stop();
    await until(clock, "the request", () => flink.sent().length === 1);
    assert.deepEqual(await refusals(stop()), ["operation-running"]);
    assert.deepEqual(await refusals(trigger()), ["operation-running"]);
    assert.deepEqual(await refusals(stop({}, watchedRun(), openWindow(world))), ["operation-running"]);
    assert.equal((await first).stop?.job, "stopped");
    assert.equal(flink.sent().length, 1);
  });

  test("by a stranger is seen in the job's statistics", async () => {
    flink.jobs.get(jobId)!.history.unshift(stats(9, { kind: "stop-savepoint", status: "in-progress", path: null, triggeredAtMs: flink.now() }));
    assert.deepEqual(await refusals(stop()), ["operation-running"]);
  });

  test("from two windows in the same moment is sent once, however their writes and reads fall", async () => {
    // Delays before each window's record is on the disk: whoever asked first may be the last to have it written.
    for (const [slowFirst, slowSecond] of [[0, 0], [300, 0], [0, 300], [40, 41], [300, 299], [1_500, 0], [0, 1_500]]) {
      flink.calls.splice(0);
      const own = `${(slowFirst ?? 0).toString(16).padStart(6, "0")}${(slowSecond ?? 0).toString(16).padStart(6, "0")}`.padStart(32, "d");
      flink.addJob(own);
      const second = openWindow(world);
      const slow = new Map([[window.self.instance, slowFirst ?? 0], [second.self.instance, slowSecond ?? 0]]);
      let created = 0;
      world.disk.beforeWrite = async (_id, event) => {
        if (event === "created") await clock.sleep([...slow.values()][created++] ?? 0);
      };
      const target = { ...job, jobId: own };
      const outcomes = await Promise.allSettled([window, second].map((one) => one.savepoints.stop(target, { ...toDefault, drain: false }, watchedRun())));
      world.disk.beforeWrite = () => undefined;
      const stopped = outcomes.filter(({ status }) => status === "fulfilled").length;
      assert.ok(flink.sent().length <= 1, `${slowFirst}/${slowSecond}: sent ${flink.sent().length} times`);
      assert.equal(stopped, flink.sent().length, `${slowFirst}/${slowSecond}: ${JSON.stringify(outcomes)}`);
      assert.equal(flink.jobs.get(own)?.failures.length, 0, "the job never restarted");
      if (slowFirst === slowSecond) assert.equal(stopped, 1, "and one of them does it");
      for (const record of world.disk.savepoints().filter(({ job: { id } }) => id === own)) assert.ok(record.state === "completed" || record.forgotten, record.state);
    }
  });

  test("that steps back leaves nothing open and no row", async () => {
    const second = openWindow(world);
    const outcomes = await Promise.allSettled([window, second].map((one) => one.savepoints.stop(job, { ...toDefault, drain: false }, watchedRun())));
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    assert.deepEqual(await window.jobs.operations(), []);
    assert.equal((await window.jobs.savepoints(job)).length, 1);
  });
});

describe("before the verb", () => {
  test("a person learns what speaks against it, what to know, and how long it took before", async () => {
    world.disk.put(savepointRecord("old", { state: "completed", durationMs: 550_000, job: { id: "earlier", name: "Word count" }, path: "file:/sp/savepoint-ab12cd-99" }));
    flink.jobs.get(jobId)!.history.splice(0);
    await window.clusters.refresh(flink.url, new AbortController().signal);
    const ready = await window.savepoints.readiness(job, "stop", new AbortController().signal);
    assert.deepEqual([ready.refusals, ready.jobName], [[], "Word count"]);
    assert.deepEqual(ready.warnings.map(({ warning }) => warning), ["restart-from-scratch", "may-expire"]);
    assert.equal(await window.savepoints.expectedMs(job), 550_000);
    assert.deepEqual(flink.sent(), []);
  });

  test("nothing is expected of a job that was never saved", async () => {
    assert.equal(await window.savepoints.expectedMs(job), null);
  });
});

describe("a record", () => {
  test("is pinned, described and forgotten, and its files stay", async () => {
    const { id } = await trigger();
    await window.savepoints.pin(id, true);
    await window.savepoints.describe(id, " why ");
    await window.savepoints.forget(id);
    assert.deepEqual([only().pinned, only().description, only().forgotten], [true, "why", true]);
    assert.equal(storage.complete().length, 1);
  });

  test("that is still at work is not forgotten", async () => {
    world.disk.put(savepointRecord("a", { state: "running" }));
    world.disk.put(savepointRecord("b", { state: "completed", path: "file:/sp/x", stop: { drain: false, job: "pending" } }));
    for (const id of ["a", "b"]) assert.deepEqual(await refusals(window.savepoints.forget(id)), ["not-completed"]);
  });

  test("of unknown outcome takes a folder at a person's word, and the same folder found in the history is one with it", async () => {
    const place = "file:/sp/savepoint-ab12cd-00000000000a";
    storage.put(place, clock.now());
    world.disk.put(savepointRecord("a".repeat(32), { state: "unknown", job: { id: jobId, name: "Word count" }, requestedAtMs: clock.now() - 1_000, directory: null, description: "" }));
    world.disk.put(savepointRecord(`found-${jobId}-7`, { origin: "found", state: "completed", job: { id: jobId, name: "Word count" }, path: place, checkpointId: 7, pinned: true, description: "mine", requestedAtMs: clock.now() }));
    await window.clusters.info(flink.url, new AbortController().signal);
    assert.deepEqual((await window.savepoints.candidates("a".repeat(32))).map(({ location }) => location), [place]);
    await window.savepoints.adopt("a".repeat(32), ` ${place}/ `);
    const rows = await window.jobs.savepoints(job);
    assert.equal(rows.length, 1);
    const adopted = world.disk.savepoints().find(({ id }) => id === "a".repeat(32));
    assert.deepEqual([adopted?.state, adopted?.path, adopted?.checkpointId, adopted?.pinned, adopted?.description, adopted?.candidates], ["completed", place, 7, true, "mine", []]);
  });

  test("of known outcome is not adopted, and no blank place is", async () => {
    const { id } = await trigger();
    assert.deepEqual(await refusals(window.savepoints.adopt(id, "file:/sp/savepoint-ab12cd-0000000000ff")), ["outcome-known"]);
    await rejected(window.savepoints.adopt(id, " "), "location-invalid");
  });
});
