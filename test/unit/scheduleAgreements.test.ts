import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { changesSince, agreementText } from "../../src/core/schedule/agreement";
import { LifecycleFiles } from "../../src/services/lifecycleFiles";
import { ScheduleAgreements } from "../../src/services/scheduleAgreements";
import { ScheduledSavepoints } from "../../src/services/scheduledSavepoints";
import { Scheduler } from "../../src/services/scheduler";
import { Schedules } from "../../src/services/schedules";
import { JumpingClock, oneCluster, openWindow } from "./fakes";
import { jobId } from "./samples";
import { inForce, SharedLeases, SharedStates } from "./scheduleFakes";

const minuteMs = 60_000;
let { clock, flink, world } = oneCluster();
let leases: SharedLeases;
let states: SharedStates;
let closing: (() => void)[];

beforeEach(() => {
  ({ clock, flink, world } = oneCluster(new JumpingClock(Date.parse("2026-11-20T11:59:30Z"))));
  flink.addJob(jobId);
  [leases, states, closing] = [new SharedLeases(world.alive), new SharedStates(), []];
});

afterEach(() => {
  for (const close of closing) close();
  clock.stop();
});

/** A window with a file of its workspace, as it opens one. */
async function open(level: "workspace" | "user" = "workspace") {
  const window = openWindow(world);
  const scheduled = new ScheduledSavepoints({ ...window, clock }, window.savepoints, () => window.reconciler.reconcile());
  const scheduler = new Scheduler({ clock, log: window.log, states, lease: (name) => leases.open(name, window.self.instance), attempt: (tick, signal) => scheduled.attempt(tick, signal) });
  const agreements = new ScheduleAgreements(window.shared);
  await agreements.read();
  const files = new LifecycleFiles(window.log);
  const schedules = new Schedules(files, scheduler, window.clusters, clock, window.log, agreements);
  closing.push(() => [scheduler, agreements, schedules, window].forEach((each) => each.dispose()));
  const fileOf = (of: "workspace" | "user", changes: object) => ({ path: `/${of}/flink-savepoints.json`, level: of, text: JSON.stringify({ schedules: [{ name: "hourly", cluster: flink.url, job: "Word count", cron: "0 * * * *", ...changes }] }) });
  const set = (changes: object): void => files.set([fileOf(level, changes)]);
  const setBoth = (ofUser: object, ofWorkspace: object): void => files.set([fileOf("user", ofUser), fileOf("workspace", ofWorkspace)]);
  return { window, agreements, schedules, set, setBoth };
}
const taken = (): number => world.disk.savepoints().filter(({ state }) => state === "completed").length;
const pass = (ms: number): Promise<void> => clock.sleep(ms);

test("a schedule of a workspace's file runs only once somebody agreed to it here, and what is changed then asks again and says what changed (rule 9)", async () => {
  const { agreements, schedules, set } = await open();
  set({ directory: "s3://team/sp" });
  assert.deepEqual((await schedules.views()).map(({ waits, nextMs }) => [waits, nextMs]), [[true, null]]);
  await pass(130 * minuteMs);
  assert.equal(taken(), 0);

  const [first] = schedules.waiting;
  assert.ok(first);
  assert.equal(agreements.changes(first), null);
  await agreements.agree(first);
  assert.deepEqual((await schedules.views()).map(({ waits, nextMs }) => [waits, nextMs !== null]), [[false, true]]);
  await pass(60 * minuteMs);
  assert.equal(taken(), 1);

  set({ directory: "s3://elsewhere/sp", retries: 5 });
  await pass(120 * minuteMs);
  assert.equal(taken(), 1, "a directory of somebody else's choosing gets nothing");
  const [changed] = schedules.waiting;
  assert.ok(changed);
  assert.deepEqual(agreements.changes(changed), ["directory: s3://team/sp → s3://elsewhere/sp", "retries: 3 → 5"]);

  set({ directory: "s3://team/sp" });
  assert.deepEqual(schedules.waiting, [], "as it was agreed to before");
  set({ directory: "s3://team/sp", enabled: false });
  assert.deepEqual(schedules.waiting, [], "one that is paused runs nothing");
  await pass(60 * minuteMs);
  assert.equal(taken(), 1);
});

test("an agreement in one window counts in every other, and after a restart", async () => {
  const [one, two] = [await open(), await open()];
  one.set({});
  two.set({});
  await one.agreements.agree(one.schedules.waiting[0]!);
  await two.window.ledger.all();
  await two.agreements.read();
  assert.deepEqual([one.schedules.waiting, two.schedules.waiting], [[], []]);
  const later = await open();
  later.set({});
  assert.deepEqual(later.schedules.waiting, []);
});

test("a user's own file is agreed to by being there", async () => {
  const { schedules, set } = await open("user");
  set({});
  assert.deepEqual(schedules.waiting, []);
  await pass(2 * minuteMs);
  assert.equal(taken(), 1);
});

test("a workspace's schedule that nobody agreed to does not stop a user's own of the same name: it takes its place once it is agreed to", async () => {
  const { agreements, schedules, setBoth } = await open();
  const files = (): (string | undefined)[] => [schedules.schedules, schedules.waiting].map(([first]) => first?.file);
  for (const planted of [{ directory: "s3://team/sp" }, { directory: "s3://team/sp", enabled: false }]) {
    setBoth({}, planted);
    assert.deepEqual(schedules.schedules.map(({ file }) => file), ["/user/flink-savepoints.json"]);
    assert.deepEqual((await schedules.views()).map(({ waits, nextMs }) => [waits, nextMs !== null]), [[false, true]]);
  }
  assert.deepEqual([schedules.waiting, schedules.leftOut.map(({ path }) => path)], [[], ["/workspace/flink-savepoints.json"]], "one that is paused asks nothing");
  setBoth({}, { directory: "s3://team/sp" });
  await pass(2 * minuteMs);
  assert.equal(taken(), 1, "the user's own ran");
  assert.deepEqual([files(), schedules.leftOut], [["/user/flink-savepoints.json", "/workspace/flink-savepoints.json"], []]);

  await agreements.agree(schedules.waiting[0]!);
  assert.deepEqual([files(), schedules.leftOut.map(({ path }) => path)], [["/workspace/flink-savepoints.json", undefined], ["/user/flink-savepoints.json"]]);
  setBoth({}, { directory: "s3://elsewhere/sp" });
  assert.deepEqual(files(), ["/user/flink-savepoints.json", "/workspace/flink-savepoints.json"], "changed, it asks anew, and the user's own goes on");
});

test("what is agreed to is all that a schedule says but its pause, whatever the order it is written in", () => {
  assert.equal(agreementText(inForce({ enabled: false, retries: 1 })), agreementText(inForce({ retries: 1 })));
  assert.deepEqual(changesSince(agreementText(inForce({})), inForce({ blackouts: [{ from: "08:00", to: "09:00" }], directory: "/sp" })), ['blackouts: [] → [{"from":"08:00","to":"09:00"}]', "directory: not set → /sp"]);
});
