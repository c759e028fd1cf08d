import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { isAbort } from "../../src/core/base/async";
import { FlinkError } from "../../src/core/errors";
import type { RestoreRecord } from "../../src/core/ledger/record";
import type { JobRef } from "../../src/core/model/job";
import type { RestoreRequest } from "../../src/services/restores";
import { endWorld, oneCluster, openWindow, toDefault, until, watchedRun, type Window } from "./fakes";
import { savepointRecord } from "./ledgerSamples";
import { refusals, rejected } from "./rejected";
import { clusterInfo, jobId, restoreRecord, stats } from "./samples";
import { failureOf } from "./simulatedFlink";

const path = "file:/sp/savepoint-ab12cd-000000000009";
let { clock, storage, flink, world } = oneCluster();
let window: Window;
let job: JobRef;

beforeEach(() => {
  ({ clock, storage, flink, world } = oneCluster());
  window = openWindow(world);
  job = { cluster: flink.url, jobId };
  storage.put(path, clock.now());
});

afterEach(() => endWorld(world));

const from = { path, recordId: null, checkpointId: null };
const request = (changes: Partial<RestoreRequest> = {}): RestoreRequest => ({
  cluster: flink.url, jobName: "Word count", savepoint: from, jar: { id: "1_words.jar", name: "words.jar" }, programArgs: ["--password", "secret"], claimMode: "NO_CLAIM", allowNonRestoredState: false, ...changes,
});
const start = (changes: Partial<RestoreRequest> = {}, run = watchedRun(), from = window): Promise<RestoreRecord> => from.restores.start(request(changes), run);
const only = (): RestoreRecord => {
  const [record, second] = world.disk.restores();
  assert.ok(record !== undefined && second === undefined);
  return record;
};
const lost = (): FlinkError => new FlinkError("answer-lost", { url: flink.url, reason: "ECONNRESET" });
const runs = (): string[] => flink.sent("runJar");

describe("a start", () => {
  test("from a savepoint is followed until all tasks run, and is what was asked for", async () => {
    const run = watchedRun();
    const record = await start({}, run);
    assert.deepEqual([record.state, record.savepoint, record.jobName, record.argumentCount], ["running", { ...from, checkpointId: 9 }, "Word count", 2]);
    assert.equal(flink.jobs.get(record.id)?.restored?.path, path);
    assert.deepEqual([runs(), window.settled], [[record.id], [record.id]]);
    assert.ok(run.steps.includes("Flink starts the program"));
    assert.ok(!JSON.stringify(world.disk.restores()).includes("secret"));
  });

  test("is written down before Flink is called, under the id that the job gets", async () => {
    let known: string | undefined;
    flink.fault = (call) => {
      if (call.name === "runJar") known = world.disk.restores().find(({ id }) => id === call.about)?.state;
      return undefined;
    };
    await start();
    assert.equal(known, "requested");
  });

  test("without state is another verb, and says so", async () => {
    const record = await start({ savepoint: null });
    assert.deepEqual([record.state, record.savepoint, flink.jobs.get(record.id)?.restored], ["running", null, null]);
    assert.match(record.trail.at(-1)?.event ?? "", /started without state/);
  });

  test("never sends a blank, relative or padded path", async () => {
    for (const bad of ["", " ", "savepoints/savepoint-1", "\n"]) await rejected(start({ savepoint: { ...from, path: bad } }), "location-invalid");
    assert.deepEqual([runs(), world.disk.restores()], [[], []]);
    const record = await start({ savepoint: { ...from, path: ` ${path} ` } });
    assert.equal(record.savepoint?.path, path);
  });

  test("that Flink runs without the state it was to have is a failure, said within seconds", async () => {
    flink.program = { losesState: true };
    const { facts } = await rejected(start(), "restore-failed");
    assert.match(facts.message, /restored nothing/);
    assert.equal(only().state, "failed");
  });

  test("is refused by clusters that take no jars, and from what is claimed or disposed of", async () => {
    flink.info = clusterInfo("1.20.1", { kind: "application" });
    assert.deepEqual(await refusals(start()), ["cluster-reads-only"]);
    flink.info = clusterInfo();
    await window.clusters.reconnect(flink.url, new AbortController().signal);
    world.disk.put(restoreRecord("a", { claimMode: "CLAIM", state: "running", savepoint: from }));
    assert.deepEqual(await refusals(start()), ["claimed"]);
    assert.deepEqual((await window.restores.readiness(flink.url, path, new AbortController().signal)).warnings.map(({ warning }) => warning), ["already-restored"]);
    assert.deepEqual(runs(), []);
  });

  test("is refused also under another path of the folder, by a link above it", async () => {
    storage.links.set("file:/data/sp", "file:/sp");
    world.disk.put(restoreRecord("a", { claimMode: "CLAIM", state: "running", savepoint: from }));
    assert.deepEqual(await refusals(start({ savepoint: { ...from, path: path.replace("file:/sp/", "file:/data/sp/") } })), ["claimed"]);
  });

  test("with an upload takes the jar's id from the cluster, and nothing is started when that breaks off", async () => {
    const record = await start({ jar: { file: "/tmp/words.jar", name: "words.jar" } });
    assert.equal(record.jar.id, "2_uploaded.jar");
    flink.fault = (call) => (call.name === "uploadJar" ? { after: lost() } : undefined);
    await rejected(start({ jar: { file: "/tmp/words.jar", name: "words.jar" } }), "cluster-unreachable");
    assert.equal(world.disk.restores()[1]?.state, "failed");
    assert.equal(runs().length, 1);
    assert.equal(window.settled.length, 2, "its end is told");
  });

  test("given up while the jar is uploaded starts nothing", async () => {
    const run = watchedRun();
    flink.fault = (call) => (call.name === "uploadJar" ? { takesMs: 10_000 } : undefined);
    const starting = start({ jar: { file: "/tmp/words.jar", name: "words.jar" } }, run);
    await clock.sleep(1_000);
    run.abort();
    await assert.rejects(starting, isAbort);
    await clock.sleep(20_000);
    assert.deepEqual([only().state, runs()], ["dropped", []]);
  });

  test("that another process has settled while the jar was uploaded is not sent", async () => {
    flink.fault = (call) => {
      if (call.name !== "uploadJar") return undefined;
      world.disk.put({ ...only(), state: "unknown" });
      return undefined;
    };
    await rejected(start({ jar: { file: "/tmp/words.jar", name: "words.jar" } }), "outcome-unknown");
    assert.deepEqual(runs(), []);
  });

  test("no longer waited for goes on, and its end is told", async () => {
    const run = watchedRun();
    flink.program = { startsInMs: 20_000 };
    const starting = start({}, run);
    await until(clock, "the request", () => runs().length === 1);
    run.abort();
    await assert.rejects(starting, isAbort);
    await until(clock, "its end", () => window.settled.length === 1);
    assert.equal(only().state, "running");
  });

  test("of a program that ends at once is no failure, and of one that fails is one, with the job's own reason", async () => {
    flink.program = { ends: "FINISHED" };
    const record = await start();
    assert.ok(record.state === "running" || record.state === "safe");
    await until(clock, "its end", () => only().endedAtMs !== null);
    flink.program = { failure: failureOf("cannot read state"), ends: "FAILED" };
    assert.equal((await rejected(start({ savepoint: null }), "restore-failed")).facts.message, "cannot read state");
  });
});

describe("a program that Flink refuses", () => {
  const refuses = (status: number, exception = "x.ProgramInvocationException"): FlinkError => new FlinkError("flink-failed", { url: "u", status, message: "Cannot map checkpoint/savepoint state for operator ab", exception, trace: "" });

  test("fails at once with Flink's reason, and its end is told", async () => {
    flink.program = { refuses: refuses(400) };
    const { facts } = await rejected(start(), "restore-failed");
    assert.deepEqual([facts.message, facts.savepoint], ["Cannot map checkpoint/savepoint state for operator ab", path]);
    assert.deepEqual([only().state, only().failure?.message, runs().length], ["failed", facts.message, 1]);
    assert.deepEqual(window.settled, [only().id]);
    assert.deepEqual((await window.restores.readiness(flink.url, path, new AbortController().signal)).warnings, [], "nothing was started from it");
  });

  test("for an entry class that is not there (500) fails alike", async () => {
    flink.program = { refuses: refuses(500, "java.lang.ClassNotFoundException") };
    await rejected(start(), "restore-failed");
    assert.equal(only().state, "failed");
  });

  test("but has a job of that id, because only its answer timed out, is not failed: the job is followed", async () => {
    flink.fault = (call) => (call.name === "runJar" ? { after: refuses(500, "akka.pattern.AskTimeoutException") } : undefined);
    assert.equal((await start()).state, "running");
  });

  test("because it has the job already is not failed", async () => {
    flink.fault = (call) => (call.name === "runJar" ? { after: refuses(400, "org.apache.flink.runtime.client.DuplicateJobSubmissionException") } : undefined);
    assert.equal((await start()).state, "running");
    assert.equal(runs().length, 1);
  });

  test("without being reached fails, and says why", async () => {
    flink.fault = (call) => (call.name === "runJar" ? { before: new FlinkError("no-leader", { url: "u" }) } : undefined);
    await rejected(start(), "no-leader");
    assert.equal(only().state, "failed");
  });
});

describe("an answer to a start that was lost", () => {
  const ways = [new FlinkError("answer-lost", { url: "u", reason: "ECONNRESET" }), new FlinkError("not-flink", { url: "u", status: 502, contentType: "", title: null }), new FlinkError("no-answer", { url: "u", afterMs: 1 })];
  for (const error of ways) {
    test(`(${error.code}) after Flink acted: the job is found, and no other is started`, async () => {
      flink.fault = (call) => (call.name === "runJar" ? { after: error } : undefined);
      const record = await start();
      assert.deepEqual([record.state, runs().length, flink.jobs.size], ["running", 1, 1]);
    });

    test(`(${error.code}) before Flink acted: the outcome is unknown, and nothing is sent on a guess`, async () => {
      flink.fault = (call) => (call.name === "runJar" ? { before: error } : undefined);
      await rejected(start(), "outcome-unknown");
      assert.deepEqual([only().state, runs().length], ["unknown", 1]);
    });
  }

  test("while main still runs is waited for, as long as a program may take", async () => {
    flink.program = { mainTakesMs: 90_000 };
    flink.fault = (call) => (call.name === "runJar" ? { after: lost() } : undefined);
    assert.equal((await start()).state, "running");
    assert.ok(clock.now() - Date.UTC(2026, 10, 20, 12) >= 90_000);
  });

  test("of a long upload before it is not held against the program", async () => {
    flink.fault = (call) => (call.name === "uploadJar" ? { takesMs: 600_000 } : call.name === "jobState" && clock.now() < Date.UTC(2026, 10, 20, 12, 10, 5) ? { before: lost() } : undefined);
    flink.program = { startsInMs: 3_000 };
    assert.equal((await start({ jar: { file: "/x.jar", name: "x.jar" } })).state, "running");
  });
});

describe("a job that starts and restarts", () => {
  test("once is given its chance", async () => {
    flink.program = { failsTimes: 1 };
    assert.equal((await start()).state, "running");
  });

  test("once, slowly, is not declared failed for one failure seen many times", async () => {
    flink.program = { failsTimes: 1, startsInMs: 8_000, failure: failureOf("no slots yet") };
    const run = watchedRun();
    const record = await start({}, run);
    assert.equal(record.state, "running");
    assert.ok(run.steps.some((step) => step.includes("no slots yet")));
  });

  test("twice for the same reason has failed for that reason", async () => {
    flink.program = { failsTimes: 1_000, failure: failureOf("StateMigrationException: the new state serializer must not be incompatible") };
    const { facts } = await rejected(start(), "restore-failed");
    assert.match(facts.message, /must not be incompatible/);
    assert.equal(only().state, "failed");
  });
});

describe("after a start", () => {
  test("C-26: the savepoint is needed until the job has completed a checkpoint of its own", async () => {
    flink.program = { checkpointEveryMs: 30_000 };
    const record = await start();
    assert.equal(record.state, "running");
    await clock.sleep(20_000);
    assert.equal(only().state, "running");
    await clock.sleep(60_000);
    assert.equal(only().state, "safe");
  });

  test("C-26: a savepoint that the job completes is no checkpoint of its own", async () => {
    const record = await start();
    flink.jobs.get(record.id)!.history.unshift(stats(12));
    await clock.sleep(120_000);
    assert.equal(only().state, "running");
  });

  test("the job's end is noticed, and a JobManager that has just come back is given time to list it", async () => {
    const { id } = await start();
    const simulated = flink.jobs.get(id)!;
    flink.jobs.delete(id);
    await clock.sleep(3_000);
    flink.jobs.set(id, simulated);
    await clock.sleep(120_000);
    assert.equal(only().endedAtMs, null);
    flink.jobs.delete(id);
    await clock.sleep(300_000);
    assert.ok(only().endedAtMs !== null);
  });

  test("a cluster that is down for hours is asked twice a minute at most, each time for two things", async () => {
    await start();
    flink.down = true;
    flink.calls.splice(0);
    await clock.sleep(6 * 3_600_000);
    assert.ok(flink.calls.length < 1_750, `${flink.calls.length} calls`);
  });
});

describe("two starts that claim one savepoint in the same moment", () => {
  test("never both go on, and neither leaves anything open", async () => {
    const second = openWindow(world);
    world.disk.beforeWrite = async (_id, event) => {
      if (event === "created") await clock.sleep(10);
    };
    const outcomes = await Promise.allSettled([start({ claimMode: "CLAIM" }), start({ claimMode: "CLAIM" }, watchedRun(), second)]);
    assert.ok(outcomes.some(({ status }) => status === "rejected"));
    assert.ok(runs().length <= 1, `${runs().length} sent`);
    assert.deepEqual(await window.jobs.operations(), []);
  });
});

describe("stop, then restore", () => {
  beforeEach(() => {
    flink.addJob(jobId);
  });
  const stopThenRestore = (changes: Partial<RestoreRequest> = {}, run = watchedRun()): Promise<RestoreRecord> => window.restores.stopThenRestore(job, toDefault, request({ savepoint: null, ...changes }), run);

  test("is one plan: the stop, then the start from its savepoint, with the arguments that were given", async () => {
    const record = await stopThenRestore();
    const stop = world.disk.savepoints()[0];
    assert.deepEqual([record.state, record.savepoint?.path, record.savepoint?.recordId, record.afterStop], ["running", stop?.path, stop?.id, stop?.id]);
    assert.deepEqual(flink.sent(), [`stopWithSavepoint ${stop?.id}`, `runJar ${record.id}`]);
    assert.deepEqual([world.vault.kept.size, await window.restores.planned()], [0, []]);
  });

  test("may go back to an older savepoint: the new one is the way back", async () => {
    const record = await stopThenRestore({ savepoint: from });
    assert.equal(record.savepoint?.path, path);
    assert.equal(world.disk.savepoints()[0]?.state, "completed");
  });

  test("is written down whole before the first step, its arguments in the vault", async () => {
    let seen: unknown;
    flink.fault = (call) => {
      if (call.name === "stopWithSavepoint") seen = [only().state, only().afterStop === call.about, [...world.vault.kept.values()]];
      return undefined;
    };
    await stopThenRestore();
    assert.deepEqual(seen, ["planned", true, [JSON.stringify(["--password", "secret"])]]);
  });

  test("whose stop fails is dropped, and leaves the job and no secret", async () => {
    flink.savepoint = { fails: failureOf("no disk") };
    await rejected(stopThenRestore(), "stop-failed");
    assert.deepEqual([only().state, flink.jobs.get(jobId)?.state, world.vault.kept.size, runs()], ["dropped", "RUNNING", 0, []]);
  });

  test("that is refused before it begins leaves nothing open", async () => {
    flink.jobs.get(jobId)!.state = "RESTARTING";
    assert.deepEqual(await refusals(stopThenRestore()), ["job-not-running"]);
    assert.deepEqual([only().state, world.vault.kept.size], ["dropped", 0]);
  });

  test("whose job failed while committing waits for a person, who may go on from the complete savepoint", async () => {
    flink.savepoint = { commitFails: true };
    await rejected(stopThenRestore(), "stopped-uncleanly");
    const [plan] = await window.restores.planned();
    assert.equal(plan?.state, "planned");
    assert.deepEqual(runs(), []);
    assert.equal((await window.restores.continue(plan?.id ?? "", watchedRun())).state, "running");
  });

  test("whose stop has an unknown outcome waits, and goes on once a person has adopted the savepoint", async () => {
    flink.savepoint = { takesMs: 3_000 };
    const restoring = stopThenRestore();
    await until(clock, "the request", () => flink.sent().length === 1);
    await clock.sleep(500);
    const simulated = flink.jobs.get(jobId)!;
    flink.restart();
    storage.visible = false;
    await rejected(restoring, "outcome-unknown");
    const [plan] = await window.restores.planned();
    assert.ok(plan);
    await rejected(window.restores.continue(plan.id, watchedRun()), "outcome-unknown");
    await window.savepoints.adopt(plan.afterStop ?? "", path);
    simulated.events.splice(0);
    flink.jobs.set(jobId, Object.assign(simulated, { state: "RUNNING" }));
    assert.deepEqual(await refusals(window.restores.continue(plan.id, watchedRun())), ["in-use"], "the job still runs: two would read and write the same data");
    simulated.state = "CANCELED";
    assert.equal((await window.restores.continue(plan.id, watchedRun())).savepoint?.path, path);
  });

  test("no longer waited for during the stop waits, as a plan, for a person", async () => {
    const run = watchedRun();
    flink.savepoint = { takesMs: 20_000 };
    const restoring = stopThenRestore({}, run);
    await until(clock, "the request", () => flink.sent().length === 1);
    assert.deepEqual(await window.restores.planned(), [], "it is at work");
    run.abort();
    await assert.rejects(restoring, isAbort);
    const [plan] = await window.restores.planned();
    const going = window.restores.continue(plan?.id ?? "", watchedRun());
    assert.deepEqual(await refusals(window.restores.continue(plan?.id ?? "", watchedRun())), ["operation-running"], "once is enough");
    assert.equal((await going).state, "running");
    assert.deepEqual(flink.sent().map((call) => call.split(" ")[0]), ["stopWithSavepoint", "runJar"]);
  });

  describe("after a reload", () => {
    /** What a window that died had written. */
    function planOf(changes: Partial<RestoreRecord> = {}): RestoreRecord {
      const plan = restoreRecord("e".repeat(32), { cluster: { name: "local", url: flink.url }, jobName: "Word count", state: "planned", afterStop: "d".repeat(32), argumentCount: 2, requestedAtMs: clock.now() - 1_000, owner: { host: "here", pid: 1, instance: "dead" }, ...changes });
      world.disk.put(plan);
      world.vault.kept.set(`plan ${plan.id}`, JSON.stringify(["a", "b"]));
      return plan;
    }
    const stopRecord = (changes: Parameters<typeof savepointRecord>[1]) => savepointRecord("d".repeat(32), { cluster: { name: "local", url: flink.url }, job: { id: jobId, name: "Word count" }, stop: { drain: false, job: "pending" }, requestedAtMs: clock.now() - 1_000, sentAtMs: clock.now() - 1_000, directory: null, owner: { host: "here", pid: 1, instance: "dead" }, ...changes });

    test("before the stop was written down, nothing happened: the plan is dropped and says so", async () => {
      const plan = planOf();
      await rejected(window.restores.continue(plan.id, watchedRun()), "never-received");
      assert.deepEqual([only().state, flink.sent(), world.vault.kept.size], ["dropped", [], 0]);
    });

    test("while the stop is under way, it is followed, and then the job restored", async () => {
      const plan = planOf();
      world.disk.put(stopRecord({ state: "running" }));
      await flink.client().stopWithSavepoint(jobId, { triggerId: "d".repeat(32), format: "canonical", drain: false }, new AbortController().signal);
      flink.calls.splice(0);
      const record = await window.restores.continue(plan.id, watchedRun());
      assert.deepEqual([record.state, flink.sent()], ["running", [`runJar ${plan.id}`]]);
    });

    test("after the stop, the job is restored from its savepoint", async () => {
      const plan = planOf();
      flink.jobs.clear();
      world.disk.put(stopRecord({ state: "completed", path, checkpointId: 9, stop: { drain: false, job: "stopped" } }));
      assert.equal((await window.restores.continue(plan.id, watchedRun())).savepoint?.path, path);
      assert.deepEqual([flink.sent(), world.vault.kept.size], [[`runJar ${plan.id}`], 0]);
    });

    test("after the start was sent, the job is followed, and nothing is sent again", async () => {
      const plan = planOf({ state: "requested", savepoint: from });
      const client = flink.client();
      await client.runJar("1_words.jar", { jobId: plan.id, savepointPath: path, claimMode: "NO_CLAIM" }, clusterInfo().capabilities, new AbortController().signal);
      flink.calls.splice(0);
      assert.equal((await window.restores.continue(plan.id, watchedRun())).state, "running");
      assert.deepEqual(flink.sent(), []);
    });

    test("with its arguments gone, it asks for them, and stays a plan until they are given", async () => {
      const plan = planOf();
      flink.jobs.clear();
      world.vault.kept.clear();
      world.disk.put(stopRecord({ state: "completed", path, checkpointId: 9, stop: { drain: false, job: "stopped" } }));
      await rejected(window.restores.continue(plan.id, watchedRun()), "plan-arguments-lost");
      assert.equal(only().state, "planned");
      assert.equal((await window.restores.continue(plan.id, watchedRun(), ["a", "b"])).state, "running");
    });

    test("with a stop that failed, the plan is dropped", async () => {
      const plan = planOf();
      world.disk.put(stopRecord({ state: "failed", failure: { message: "no disk", exception: "" }, stop: { drain: false, job: "running-on" } }));
      const { facts } = await rejected(window.restores.continue(plan.id, watchedRun()), "stop-failed");
      assert.deepEqual([facts.message, facts.jobState, only().state], ["no disk", "running on", "dropped"]);
    });

    test("in two windows at once, it goes on in one, and the other follows", async () => {
      const plan = planOf();
      flink.jobs.clear();
      world.disk.put(stopRecord({ state: "completed", path, checkpointId: 9, stop: { drain: false, job: "stopped" } }));
      const records = await Promise.all([window, openWindow(world)].map((one) => one.restores.continue(plan.id, watchedRun())));
      assert.deepEqual(records.map(({ id, state }) => [id, state]), [[plan.id, "running"], [plan.id, "running"]]);
      assert.deepEqual(flink.sent(), [`runJar ${plan.id}`]);
    });

    test("a plan that was dropped is not started, and is no success", async () => {
      const plan = planOf();
      await window.restores.drop(plan.id);
      await rejected(window.restores.continue(plan.id, watchedRun()), "restore-failed");
      assert.deepEqual([flink.sent(), window.settled, world.vault.kept.size], [[], [], 0]);
    });
  });

  describe("beside a vault that is locked", () => {
    const alone = { isGone: () => false, isReady: () => Promise.resolve() };
    const locked = new FlinkError("secrets-unavailable", { reason: "the keyring is locked" });

    test("goes on to its start when only forgetting the arguments fails", async () => {
      Object.assign(world.vault, { delete: () => Promise.reject(locked) });
      assert.equal((await stopThenRestore()).state, "running");
      const id = await window.restores.planAfterRollback(request(), watchedRun());
      assert.equal((await window.restores.startPlanned(id, watchedRun(), alone)).state, "running");
      await window.restores.drop(await window.restores.planAfterRollback(request(), watchedRun()));
    });

    test("has not been sent when the credentials of its cluster can't be read: that is a failure, and nothing is left to be found out", async () => {
      flink.fault = (call) => (call.name === "runJar" ? { before: locked } : undefined);
      const { facts } = await rejected(start(), "secrets-unavailable");
      assert.equal(facts.reason, "the keyring is locked");
      assert.deepEqual([only().state, flink.jobs.has(only().id)], ["failed", false]);
    });

    test("is a plan still when the arguments can't be read, and starts once they can", async () => {
      const { get } = world.vault;
      const id = await window.restores.planAfterRollback(request(), watchedRun());
      Object.assign(world.vault, { get: () => Promise.reject(locked) });
      await rejected(window.restores.startPlanned(id, watchedRun(), alone), "secrets-unavailable");
      assert.deepEqual([only().state, runs()], ["planned", []]);
      Object.assign(world.vault, { get });
      assert.equal((await window.restores.startPlanned(id, watchedRun(), alone)).state, "running");
    });
  });

  test("dropped in another window before the stop was sent stops nothing", async () => {
    const second = openWindow(world);
    let dropped = false;
    world.disk.beforeWrite = async (_id, event) => {
      if (event !== "created" || dropped || world.disk.restores().length === 0) return;
      dropped = true;
      await rejected(second.restores.continue(only().id, watchedRun()), "never-received");
    };
    assert.deepEqual(await refusals(stopThenRestore()), ["operation-running"]);
    assert.deepEqual([flink.sent(), only().state, flink.jobs.get(jobId)?.state], [[], "dropped", "RUNNING"]);
  });
});

test("jobs of a name that run are named, and those that have ended are not", async () => {
  flink.addJob(jobId);
  flink.addJob("b".repeat(32), { state: "FINISHED" });
  flink.addJob("c".repeat(32), { name: "Other" });
  await window.clusters.refresh(flink.url, new AbortController().signal);
  assert.deepEqual(window.restores.runningJobsNamed(flink.url, "Word count").map((job) => job.jobId), [jobId]);
  assert.deepEqual(window.restores.runningJobsNamed("http://unknown", "Word count"), []);
});

describe("a checkpoint of a job that runs", () => {
  const checkpoint = { path: `file:/cp/${jobId}/chk-1/_metadata`, recordId: null, checkpointId: 1 };

  test("is gone once the job is stopped, so that the job is not stopped to go back to it", async () => {
    flink.addJob(jobId);
    assert.deepEqual(await refusals(window.restores.stopThenRestore(job, toDefault, request({ savepoint: checkpoint }), watchedRun())), ["checkpoint-of-stopped"]);
    assert.deepEqual([flink.sent(), world.disk.restores(), world.vault.kept.size], [[], [], 0]);
  });

  test("starts a second job, which does not take over what the first one needs", async () => {
    flink.addJob(jobId);
    await window.clusters.refresh(flink.url, watchedRun().signal);
    assert.deepEqual(await refusals(start({ savepoint: checkpoint, claimMode: "CLAIM" })), ["claim-of-needed"]);
    assert.equal((await start({ savepoint: checkpoint })).state, "running");
  });
});
