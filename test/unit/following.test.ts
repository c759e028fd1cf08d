import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { isAbort } from "../../src/core/base/async";
import { FlinkError } from "../../src/core/errors";
import type { SavepointRecord } from "../../src/core/ledger/record";
import type { CheckpointStats } from "../../src/core/model/checkpoint";
import { endWorld, oneCluster, openWindow, until, type Window } from "./fakes";
import { savepointRecord } from "./ledgerSamples";
import { clusterInfo, jobId, stats } from "./samples";

let { clock, storage, flink, world } = oneCluster();
let window: Window;
const id = "f".repeat(32);

beforeEach(async () => {
  ({ clock, storage, flink, world } = oneCluster());
  flink.addJob(jobId);
  window = openWindow(world);
  await window.clusters.info(flink.url, new AbortController().signal);
});

afterEach(() => endWorld(world));

/** A record that a process which died had written `agoMs` ago. */
function leftBehind(agoMs: number, changes: Partial<SavepointRecord> = {}): SavepointRecord {
  const atMs = clock.now() - agoMs;
  const record = savepointRecord(id, {
    cluster: { name: "local", url: flink.url }, job: { id: jobId, name: "Word count" }, directory: null, requestedAtMs: atMs, sentAtMs: atMs, owner: { host: "here", pid: 1, instance: "dead" }, ...changes,
  });
  world.disk.put(record);
  return record;
}

/** Puts a savepoint into the job's history, `agoMs` ago by our clock. */
function inHistory(agoMs: number, changes: Partial<CheckpointStats> = {}): CheckpointStats {
  const job = flink.jobs.get(jobId)!;
  const number = job.nextCheckpoint++;
  const entry = stats(number, { triggeredAtMs: flink.now() - agoMs, ...changes });
  job.history.unshift(entry);
  if (entry.path !== null && entry.status === "completed") storage.put(entry.path, entry.triggeredAtMs);
  return entry;
}

const follow = (): Promise<SavepointRecord> => window.follower.follow(id);
const posts = (): string[] => flink.sent();

describe("a request that Flink no longer knows", () => {
  for (const skewMs of [-3_600_000, -7_000, 0, 7_000, 3_600_000]) {
    test(`is the only savepoint of its kind that began right after it, by the JobManager's clock (${skewMs / 1_000} s off)`, async () => {
      flink.skewMs = skewMs;
      flink.jobs.get(jobId)!.startTimeMs = flink.now() - 7_200_000;
      inHistory(500_000);
      const ours = inHistory(399_500);
      inHistory(300_000);
      leftBehind(400_000);
      const record = await follow();
      assert.deepEqual([record.state, record.path, record.checkpointId, record.sizeBytes], ["completed", ours.path, ours.checkpointId, ours.sizeBytes]);
      assert.deepEqual(window.settled, [id]);
      assert.deepEqual(posts(), []);
    });
  }

  test("is not somebody else's: of another kind, another format, another directory, or known as another record's", async () => {
    inHistory(399_000, { kind: "stop-savepoint" });
    inHistory(399_100, { format: "native" });
    inHistory(399_200, { path: "s3://elsewhere/savepoint-ab12cd-0000000000aa" });
    const taken = inHistory(399_300);
    const known = inHistory(399_400);
    world.disk.put(savepointRecord("other", { state: "completed", job: { id: jobId, name: "Word count" }, path: taken.path }));
    world.disk.put(savepointRecord("another", { state: "failed", job: { id: jobId, name: "Word count" }, checkpointId: known.checkpointId }));
    const ours = inHistory(398_000);
    leftBehind(400_000);
    assert.equal((await follow()).path, ours.path);
  });

  test("is found where Flink put its own host into the directory's URI", async () => {
    flink.info = clusterInfo("1.20.1", { savepointDirectory: "hdfs:///sp" });
    await window.clusters.reconnect(flink.url, new AbortController().signal);
    const ours = inHistory(399_000, { path: "hdfs://name:8020/sp/savepoint-ab12cd-00000000000b" });
    leftBehind(400_000);
    assert.equal((await follow()).path, ours.path);
  });

  test("is found though it was recorded as found before", async () => {
    const ours = inHistory(399_000);
    world.disk.put(savepointRecord(`found-${jobId}-${ours.checkpointId}`, { origin: "found", state: "completed", job: { id: jobId, name: "Word count" }, path: ours.path, checkpointId: ours.checkpointId }));
    leftBehind(400_000);
    assert.equal((await follow()).path, ours.path);
    assert.equal((await window.jobs.savepoints({ cluster: flink.url, jobId })).filter(({ path }) => path === ours.path).length, 1);
  });

  test("is followed while the history shows it running, and failed for the reason given there", async () => {
    const running = inHistory(29_000, { status: "in-progress", path: null });
    leftBehind(30_000);
    const following = follow();
    await until(clock, "its number", () => world.disk.savepoints()[0]?.checkpointId === running.checkpointId);
    const job = flink.jobs.get(jobId)!;
    job.history[0] = { ...running, status: "failed", failure: "Checkpoint expired before completing." };
    const record = await following;
    assert.deepEqual([record.state, record.failure?.message, record.checkpointId], ["failed", "Checkpoint expired before completing.", running.checkpointId]);
  });

  test("is unknown, and nothing is guessed, when two may be it; both are shown", async () => {
    const [one, two] = [inHistory(399_000), inHistory(398_000)];
    leftBehind(400_000);
    const record = await follow();
    assert.deepEqual([record.state, record.path], ["unknown", null]);
    assert.deepEqual([...record.candidates].sort(), [one.path, two.path].sort());
  });

  test("is not decided while one of two still runs", async () => {
    inHistory(29_000);
    const running = inHistory(28_000, { status: "in-progress", path: null });
    leftBehind(30_000);
    const following = follow();
    await clock.sleep(30_000);
    assert.equal(world.disk.savepoints().find((record) => record.id === id)?.state, "requested");
    flink.jobs.get(jobId)!.history[0] = { ...running, status: "completed", path: "file:/sp/savepoint-ab12cd-0000000000cc" };
    const record = await following;
    assert.equal(record.state, "unknown");
    assert.equal(record.candidates.length, 2);
  });

  test("never arrived when the history reaches back and holds none: then it failed for certain", async () => {
    leftBehind(400_000);
    const record = await follow();
    assert.deepEqual([record.state, record.failure?.message], ["failed", "Flink never received the request, or refused it before it began. No savepoint was written."]);
  });

  for (const aheadMs of [20_000, 86_400_000]) {
    test(`is unknown when our clock was set back by ${aheadMs / 1_000} s since: what was written by the old one tells nothing`, async () => {
      const ours = inHistory(400_000);
      leftBehind(400_000 - aheadMs - 400_000);
      const startedMs = clock.now();
      const record = await follow();
      assert.deepEqual([record.state, record.candidates], ["unknown", [ours.path]]);
      assert.ok(clock.now() - startedMs < 60_000);
    });
  }

  test("may have been held up on its way when a savepoint began much later: then it is unknown", async () => {
    const late = inHistory(300_000);
    leftBehind(400_000);
    const record = await follow();
    assert.deepEqual([record.state, record.candidates], ["unknown", [late.path]]);
  });

  test("is unknown when the history does not reach back", async () => {
    const job = flink.jobs.get(jobId)!;
    job.history.splice(0);
    for (let at = 0; at < 15; at++) job.history.push(stats(90 - at, { kind: "checkpoint", path: null, triggeredAtMs: flink.now() - at * 1_000 }));
    storage.visible = false;
    leftBehind(400_000);
    assert.equal((await follow()).state, "unknown");
  });

  test("is given time to arrive, and statistics time to show it, before anything is concluded", async () => {
    leftBehind(100);
    const following = follow();
    await clock.sleep(9_000);
    assert.equal(world.disk.savepoints()[0]?.state, "requested");
    inHistory(8_900);
    assert.equal((await following).state, "completed");
  });
});

describe("after the JobManager was lost", () => {
  test("a savepoint of which the directory shows an unfinished folder was not written", async () => {
    flink.restart();
    storage.put(`file:/sp/savepoint-${jobId.slice(0, 6)}-0000000000dd`, clock.now() - 29_000, false);
    leftBehind(30_000);
    const record = await follow();
    assert.deepEqual([record.state, record.failure?.message], ["failed", "The JobManager was lost before the savepoint was complete."]);
  });

  test("an empty directory proves nothing, since it may be another machine's", async () => {
    flink.restart();
    leftBehind(30_000);
    assert.equal((await follow()).state, "unknown");
  });

  test("an empty directory that showed an earlier savepoint of the cluster proves that none was written", async () => {
    flink.restart();
    storage.put("file:/sp/savepoint-999999-000000000001", clock.now() - 900_000);
    world.disk.put(savepointRecord("earlier", { state: "completed", cluster: { name: "local", url: flink.url }, job: { id: "9".repeat(32), name: "Other" }, path: "file:/sp/savepoint-999999-000000000001" }));
    leftBehind(30_000);
    assert.equal((await follow()).state, "failed");
  });

  test("a complete folder of the job is shown, and nobody takes it for the result without being asked", async () => {
    flink.restart();
    const place = `file:/sp/savepoint-${jobId.slice(0, 6)}-0000000000ee`;
    storage.put(place, clock.now() - 20_000);
    storage.put("file:/sp/savepoint-123456-0000000000ff", clock.now() - 20_000);
    leftBehind(30_000);
    const record = await follow();
    assert.deepEqual([record.state, record.path, record.candidates], ["unknown", null, [place]]);
    assert.deepEqual((await window.savepoints.candidates(id)).map(({ location }) => location), [place]);
  });

  test("a complete folder is shown, too, where the trigger id is asked for before the cluster has told its savepoint directory again", async () => {
    flink.restart();
    const place = `file:/sp/savepoint-${jobId.slice(0, 6)}-0000000000ee`;
    storage.put(place, clock.now() - 20_000);
    leftBehind(30_000);
    const fresh = openWindow(world);
    const record = await fresh.follower.follow(id);
    assert.deepEqual([record.state, record.candidates], ["unknown", [place]]);
    fresh.dispose();
  });

  test("folders are looked for as far as is known while the cluster is away, and nothing fails", async () => {
    flink.restart();
    leftBehind(30_000);
    await follow();
    flink.down = true;
    const fresh = openWindow(world);
    assert.deepEqual(await fresh.savepoints.candidates(id), []);
    fresh.dispose();
  });

  for (const skewMs of [-3_500_000, 3_500_000]) {
    test(`a complete folder is seen though the storage's clock is ${skewMs / 60_000} minutes off`, async () => {
      flink.restart();
      storage.put(`file:/sp/savepoint-${jobId.slice(0, 6)}-0000000000ee`, clock.now() - 20_000 + skewMs);
      leftBehind(30_000);
      assert.equal((await follow()).state, "unknown");
    });
  }

  test("with storage that can't be seen the outcome is unknown", async () => {
    flink.restart();
    storage.visible = false;
    leftBehind(30_000);
    assert.equal((await follow()).state, "unknown");
  });

  test("a stop of unknown outcome says what became of the job where Flink still knows it", async () => {
    inHistory(399_000, { kind: "stop-savepoint" });
    inHistory(398_000, { kind: "stop-savepoint" });
    leftBehind(400_000, { stop: { drain: false, job: "pending" } });
    const record = await follow();
    assert.deepEqual([record.state, record.stop?.job], ["unknown", "running-on"]);
  });

  test("and with it the stopped job, the record ends at once and claims nothing of it", async () => {
    flink.restart();
    storage.visible = false;
    leftBehind(30_000, { stop: { drain: false, job: "pending" } });
    const began = clock.now();
    const record = await follow();
    assert.deepEqual([record.state, record.stop?.job], ["unknown", "unknown"]);
    assert.ok(clock.now() - began < 5_000);
  });
});

describe("following", () => {
  test("ends when its result expired meanwhile: the history tells", async () => {
    flink.info = clusterInfo("1.20.1", { triggerResultsKeptMs: 1_000 });
    await flink.strangerTriggers(jobId, id);
    leftBehind(0);
    let silent = true;
    flink.fault = (call) => (call.name === "savepointStatus" && silent ? { before: new FlinkError("no-leader", { url: flink.url }) } : undefined);
    const following = follow();
    await clock.sleep(30_000);
    silent = false;
    const record = await following;
    assert.deepEqual([record.state, record.checkpointId], ["completed", 2]);
  });

  test("is done once, however many wait for it, and the end is told once", async () => {
    await flink.strangerTriggers(jobId, id);
    leftBehind(0);
    const steps: string[] = [];
    const records = await Promise.all([follow(), window.follower.follow(id, (step) => steps.push(step.message)), follow()]);
    assert.equal(new Set(records.map(({ path }) => path)).size, 1);
    assert.deepEqual(window.settled, [id]);
    assert.ok(steps.length > 0);
    assert.equal(window.follower.isHeld(id), false);
  });

  test("goes on when one who waited gives up", async () => {
    await flink.strangerTriggers(jobId, id);
    leftBehind(0);
    const impatient = new AbortController();
    const [given, patient] = [window.follower.follow(id, undefined, impatient.signal), follow()];
    impatient.abort();
    await assert.rejects(given, isAbort);
    assert.equal((await patient).state, "completed");
  });

  test("ends with the window, and leaves the record open for the next", async () => {
    flink.savepoint = { takesMs: 60_000 };
    await flink.strangerTriggers(jobId, id);
    leftBehind(0);
    const following = follow();
    await clock.sleep(5_000);
    window.dispose();
    await assert.rejects(following, isAbort);
    assert.equal(world.disk.savepoints()[0]?.state, "running");
  });

  test("polls a cluster that is down for a day every half minute and not more", async () => {
    leftBehind(0);
    flink.down = true;
    void follow().catch(() => undefined);
    await clock.sleep(24 * 3_600_000);
    assert.ok(flink.calls.length < 3_400, `${flink.calls.length} calls`);
    assert.deepEqual(posts(), []);
  });

  test("of a cluster that was taken out of the settings waits for it to come back", async () => {
    await flink.strangerTriggers(jobId, id);
    leftBehind(0);
    window.clusters.setProfiles([]);
    const following = follow();
    await clock.sleep(60_000);
    window.clusters.setProfiles([{ name: "local", url: flink.url }]);
    assert.equal((await following).state, "completed");
  });

  test("gives a savepoint its number and size when the statistics catch up, and does not wait for those of a cluster that has gone", async () => {
    const job = flink.jobs.get(jobId)!;
    await flink.client().checkpoints(jobId, new AbortController().signal);
    await flink.strangerTriggers(jobId, id);
    leftBehind(0);
    assert.deepEqual([(await follow()).checkpointId, job.history[0]?.checkpointId], [2, 2]);
  });

  test("holds a record until everybody at work on it has let go", () => {
    const [one, two] = [window.follower.hold("a"), window.follower.hold("a")];
    one();
    one();
    assert.ok(window.follower.isHeld("a"));
    two();
    assert.equal(window.follower.isHeld("a"), false);
  });
});
