import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { FlinkError } from "../../src/core/errors";
import { savepointRefusals } from "../../src/core/guards";
import { isSameJob } from "../../src/core/model/job";
import { JumpingClock, makeWorld, openWindow, SharedStorage, toDefault, until, watchedRun, type Window, type World } from "./fakes";
import { savepointRecord } from "./ledgerSamples";
import { clusterInfo, jobId, stats } from "./samples";
import { SimulatedFlink } from "./simulatedFlink";

/** What every application with high availability gives its job. */
const zeros = "0".repeat(32);

let clock: JumpingClock;
let storage: SharedStorage;
let orders: SimulatedFlink;
let payments: SimulatedFlink;
let world: World;
let window: Window;

beforeEach(async () => {
  clock = new JumpingClock();
  storage = new SharedStorage();
  orders = new SimulatedFlink(clock, storage, "http://orders:8081", "orders");
  payments = new SimulatedFlink(clock, storage, "http://payments:8081", "payments");
  orders.addJob(zeros, { name: "Orders" });
  payments.addJob(zeros, { name: "Payments" });
  world = makeWorld(clock, storage, orders, payments);
  window = openWindow(world);
  for (const flink of [orders, payments]) await window.clusters.refresh(flink.url, watchedRun().signal);
});

afterEach(() => {
  window.dispose();
  clock.stop();
});

const at = (flink: SimulatedFlink): { cluster: string; jobId: string } => ({ cluster: flink.url, jobId: zeros });
const observe = (flink: SimulatedFlink): Promise<void> => window.jobs.observe(at(flink), watchedRun().signal);
const paths = async (flink: SimulatedFlink): Promise<(string | null)[]> => (await window.jobs.savepoints(at(flink))).map(({ path }) => path);

describe("two applications whose jobs have the same id", () => {
  test("are two jobs, and an id that is no such is one job under every address", () => {
    assert.equal(isSameJob(at(orders), at(payments)), false);
    assert.equal(isSameJob(at(orders), at(orders)), true);
    assert.equal(isSameJob({ cluster: "http://localhost:8081", jobId }, { cluster: "http://127.0.0.1:8081", jobId }), true);
  });

  test("both keep the savepoints that Flink's history shows, also those of the same number", async () => {
    orders.jobs.get(zeros)?.history.unshift(stats(5, { path: "file:/sp/savepoint-000000-0a0a0a0a0a0a" }));
    payments.jobs.get(zeros)?.history.unshift(stats(5, { path: "file:/sp/savepoint-000000-0b0b0b0b0b0b" }));
    for (const flink of [orders, payments, orders, payments]) await observe(flink);
    assert.deepEqual(world.disk.savepoints().map(({ cluster, job, path }) => [cluster.name, job.name, path]), [
      ["orders", "Orders", "file:/sp/savepoint-000000-0a0a0a0a0a0a"], ["payments", "Payments", "file:/sp/savepoint-000000-0b0b0b0b0b0b"],
    ]);
    assert.deepEqual([await paths(orders), await paths(payments)], [["file:/sp/savepoint-000000-0a0a0a0a0a0a"], ["file:/sp/savepoint-000000-0b0b0b0b0b0b"]]);
  });

  test("are not in each other's way: an operation of one hides nothing of the other", async () => {
    world.disk.put(savepointRecord("aa", { state: "running", cluster: { name: "orders", url: orders.url }, job: { id: zeros, name: "Orders" } }));
    payments.jobs.get(zeros)?.history.unshift(stats(5, { path: "file:/sp/savepoint-000000-0b0b0b0b0b0b" }));
    await observe(payments);
    assert.equal(world.disk.savepoints().length, 2);
    assert.deepEqual(await paths(payments), ["file:/sp/savepoint-000000-0b0b0b0b0b0b"]);
  });

  test("a savepoint whose answer was lost is found, though the other has one of the same number", async () => {
    const other = await window.savepoints.trigger(at(orders), toDefault, watchedRun());
    payments.info = { ...payments.info, triggerResultsKeptMs: 1 };
    payments.fault = (call) => (call.name === "triggerSavepoint" ? { after: new FlinkError("answer-lost", { url: payments.url, reason: "ECONNRESET" }) } : undefined);
    const taking = window.savepoints.trigger(at(payments), toDefault, watchedRun());
    // Others ask too, so that the result has expired before we look.
    for (let asked = 0; asked < 300; asked++) await clock.sleep(10).then(() => payments.client().jobs(watchedRun().signal));
    const mine = await taking;
    assert.deepEqual([mine.state, mine.checkpointId, other.checkpointId], ["completed", 2, 2]);
  });
});

test("an application that was deployed anew keeps the savepoints of its first life, and those of the second of the same numbers", async () => {
  orders.jobs.get(zeros)?.history.unshift(stats(5, { path: "file:/sp/savepoint-000000-0a0a0a0a0a0a" }));
  await observe(orders);
  orders.restart();
  orders.addJob(zeros, { name: "Orders" }).history.unshift(stats(5, { path: "file:/sp/savepoint-000000-0c0c0c0c0c0c" }));
  await clock.sleep(10_000);
  await observe(orders);
  await observe(orders);
  assert.deepEqual(world.disk.savepoints().map(({ path }) => path), ["file:/sp/savepoint-000000-0a0a0a0a0a0a", "file:/sp/savepoint-000000-0c0c0c0c0c0c"]);
});

describe("a cluster under two addresses", () => {
  test("has one stop at a time", async () => {
    const flink = new SimulatedFlink(clock, storage, "http://localhost:8081", "by name");
    const same = new SimulatedFlink(clock, storage, "http://127.0.0.1:8081", "by number");
    Object.assign(same, { client: () => flink.client() });
    flink.addJob(jobId);
    flink.savepoint = { takesMs: 5_000 };
    world = makeWorld(clock, storage, flink, same);
    const [here, there] = [openWindow(world), openWindow(world)];
    const first = here.savepoints.stop({ cluster: flink.url, jobId }, { ...toDefault, drain: false }, watchedRun());
    await until(clock, "the first is sent", () => flink.sent("stopWithSavepoint").length === 1);
    await assert.rejects(there.savepoints.stop({ cluster: same.url, jobId }, { ...toDefault, drain: false }, watchedRun()), (error) => error instanceof FlinkError && error.code === "refused");
    assert.equal((await first).stop?.job, "stopped");
    assert.equal(flink.sent("stopWithSavepoint").length, 1);
    for (const one of [here, there]) one.dispose();
  });

  test("shows a stop of the one to the other before its statistics do", () => {
    const stop = savepointRecord("aa", { state: "running", stop: { drain: false, job: "pending" } });
    const facts = { cluster: "http://127.0.0.1:8081", jobId, state: "RUNNING", records: [stop], overview: undefined, config: undefined, info: clusterInfo(), expectedMs: null, nowMs: 0 } as const;
    assert.deepEqual(savepointRefusals(facts).map(({ rule }) => rule), ["operation-running"]);
  });
});
