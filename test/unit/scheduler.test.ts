import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { Schedule } from "../../src/core/lifecycle/lifecycleFile";
import type { SavepointRecord } from "../../src/core/ledger/record";
import type { TickOutcome } from "../../src/core/schedule/scheduleState";
import { tickDescription, tickId, type ScheduleInForce } from "../../src/core/schedule/tick";
import { ScheduledSavepoints } from "../../src/services/scheduledSavepoints";
import { Scheduler, type GivenUp } from "../../src/services/scheduler";
import { JumpingClock, oneCluster, openWindow, type Window } from "./fakes";
import { jobId } from "./samples";
import { inForce, SharedLeases, SharedStates } from "./scheduleFakes";
import { failureOf } from "./simulatedFlink";

const minuteMs = 60_000;
let { clock, storage, flink, world } = oneCluster();
let states: SharedStates;
let leases: SharedLeases;
let closing: (() => void)[];

beforeEach(() => {
  ({ clock, storage, flink, world } = oneCluster(new JumpingClock(Date.parse("2026-11-20T11:59:30Z"))));
  flink.addJob(jobId);
  states = new SharedStates();
  leases = new SharedLeases(world.alive);
  closing = [];
});

afterEach(() => {
  for (const close of closing) close();
  clock.stop();
});

interface Process {
  readonly window: Window;
  readonly scheduler: Scheduler;
  readonly givenUp: GivenUp[];
  readonly taken: SavepointRecord[];
  /** As `kill -9`. */
  kill(): void;
}

function start(...schedules: readonly ScheduleInForce[]): Process {
  const window = openWindow(world);
  const scheduled = new ScheduledSavepoints({ ...window, clock }, window.savepoints, () => window.reconciler.reconcile());
  const scheduler = new Scheduler({ clock, log: window.log, states, lease: (name) => leases.open(name, window.self.instance), attempt: (tick, signal) => scheduled.attempt(tick, signal) });
  const givenUp: GivenUp[] = [];
  const taken: SavepointRecord[] = [];
  scheduler.onDidGiveUp((each) => givenUp.push(each));
  scheduler.onDidTake((each) => taken.push(each));
  scheduler.setSchedules(schedules);
  const kill = (): void => {
    scheduler.dispose();
    window.dispose();
  };
  closing.push(kill);
  return { window, scheduler, givenUp, taken, kill };
}

const hourly = (changes: Partial<Schedule> = {}): ScheduleInForce => inForce(changes);
const outcomes = (): TickOutcome[] => states.outcomes.map(({ outcome }) => outcome);
const whats = (): string[] => outcomes().map((outcome) => `${new Date(outcome.tickAtMs).toISOString().slice(11, 16)} ${outcome.what}${"why" in outcome ? `: ${outcome.why}` : ""}`);
const pass = (ms: number): Promise<void> => clock.sleep(ms);

test("a run takes one savepoint as its schedule says, with origin and tick in its record", async () => {
  const schedule = hourly({ format: "native", directory: "s3://b/sp", timeZone: "Asia/Tokyo", description: "{schedule} of {job}, {date} {time} {unknown}" });
  const { taken } = start(schedule);
  await pass(65 * minuteMs);
  const [first, second] = world.disk.savepoints();
  assert.deepEqual([first?.origin, first?.format, first?.directory, first?.description, first?.state], ["scheduled", "native", "s3://b/sp", "hourly of Word count, 2026-11-20 21:00 {unknown}", "completed"]);
  assert.deepEqual(first?.schedule, { name: "hourly", tickAtMs: Date.parse("2026-11-20T12:00:00Z"), attempt: 0 });
  assert.equal(first?.id, tickId(schedule.key, Date.parse("2026-11-20T12:00:00Z"), 0));
  assert.deepEqual(whats(), ["12:00 taken", "13:00 taken"]);
  assert.deepEqual(taken.map(({ id }) => id), [first?.id, second?.id]);
  assert.deepEqual(flink.sent("triggerSavepoint"), [first?.id, second?.id]);
});

test("the job is followed by its name over restarts", async () => {
  start(hourly());
  await pass(10 * minuteMs);
  Object.assign(flink.jobs.get(jobId) ?? {}, { state: "FINISHED" });
  flink.addJob("ff".repeat(16));
  await pass(60 * minuteMs);
  assert.deepEqual(world.disk.savepoints().map(({ job }) => job.id), [jobId, "ff".repeat(16)]);
});

test("a run is skipped and told, and not made up for, while the job does not run, or several have its name (A-21)", async () => {
  start(hourly());
  const job = flink.jobs.get(jobId);
  Object.assign(job ?? {}, { state: "RESTARTING" });
  await pass(20 * minuteMs);
  Object.assign(job ?? {}, { state: "CANCELED" });
  await pass(60 * minuteMs);
  Object.assign(job ?? {}, { state: "RUNNING" });
  flink.addJob("ee".repeat(16));
  await pass(60 * minuteMs);
  flink.jobs.delete("ee".repeat(16));
  await pass(30 * minuteMs);
  assert.deepEqual(whats(), [
    "12:00 skipped: The job was RESTARTING.", "13:00 skipped: No job named Word count was running.",
    "14:00 skipped: 2 jobs named Word count were running, and which one is meant is not known.",
  ]);
  assert.deepEqual(flink.sent(), []);
});

test("a run that falls into a blackout is left out", async () => {
  start(hourly({ timeZone: "Asia/Tokyo", blackouts: [{ from: "21:00", to: "22:00" }] }));
  await pass(65 * minuteMs);
  assert.deepEqual(whats(), ["12:00 skipped: It fell into the blackout 21:00 to 22:00.", "13:00 taken"]);
});

test("a run waits for another savepoint of the job, or is skipped, as chosen", async () => {
  flink.savepoint = { takesMs: 5 * minuteMs };
  await flink.strangerTriggers(jobId, "aa".repeat(16));
  start(hourly({ name: "waits" }), hourly({ name: "skips", whenBusy: "skip" }));
  await pass(20 * minuteMs);
  assert.deepEqual(whats(), ["12:00 skipped: Another savepoint of the job was under way.", "12:00 taken"]);
  assert.equal(flink.sent("triggerSavepoint").length, 1);
});

test("two runs that are due at once are taken one after the other", async () => {
  flink.savepoint = { takesMs: 2 * minuteMs };
  start(hourly({ name: "one" }), hourly({ name: "two" }));
  await pass(20 * minuteMs);
  const [one, two] = world.disk.savepoints();
  assert.ok((two?.requestedAtMs ?? 0) >= (one?.endedAtMs ?? Infinity));
});

test("a run that waits is skipped when the next is due", async () => {
  flink.savepoint = { takesMs: 70 * minuteMs };
  await flink.strangerTriggers(jobId, "aa".repeat(16));
  start(hourly());
  await pass(90 * minuteMs);
  assert.deepEqual(whats()[0], "12:00 skipped: Another savepoint of the job was under way until the next run was due.");
});

test("a failed savepoint is tried again after one, two and four minutes, under an id of its own each, and then given up, which is told once until one succeeds", async () => {
  flink.savepoint = { fails: failureOf("disk full") };
  const schedule = hourly();
  const { givenUp } = start(schedule);
  await pass(130 * minuteMs);
  const first = Date.parse("2026-11-20T12:00:00Z");
  const ofFirst = world.disk.savepoints().filter((record) => record.schedule?.tickAtMs === first);
  assert.deepEqual(ofFirst.map(({ id, state }) => [id, state]), [0, 1, 2, 3].map((attempt) => [tickId(schedule.key, first, attempt), "failed"]));
  assert.deepEqual(ofFirst.map(({ requestedAtMs }) => Math.floor((requestedAtMs - first) / minuteMs)), [0, 1, 3, 7]);
  assert.deepEqual(outcomes().slice(0, 2).map((outcome) => [outcome.what, outcome.what === "failed" && outcome.attempts]), [["failed", 4], ["failed", 4]]);
  assert.deepEqual(givenUp.map(({ tickAtMs, why }) => [tickAtMs, /disk full/.test(why)]), [[first, true]]);
  flink.savepoint = {};
  await pass(60 * minuteMs);
  flink.savepoint = { fails: failureOf("disk full") };
  await pass(60 * minuteMs);
  assert.equal(givenUp.length, 2);
});

test("a cluster that does not answer is asked again, and the run is taken when it is back in time", async () => {
  flink.down = true;
  start(hourly());
  await pass(2 * minuteMs);
  flink.down = false;
  await pass(10 * minuteMs);
  assert.deepEqual(whats(), ["12:00 taken"]);
});

test("an outcome that nobody knows is not tried again: it may be there", async () => {
  flink.savepoint = { takesMs: 30_000 };
  start(hourly());
  storage.visible = false;
  await pass(40_000);
  flink.restart({ keepsJobs: true });
  await pass(20 * minuteMs);
  assert.equal(flink.sent("triggerSavepoint").length, 1);
  const [outcome] = outcomes();
  assert.ok(outcome?.what === "failed", JSON.stringify(outcome));
});

test("another process takes over at once from one that died, follows what it began, and takes the run again only when Flink certainly never had it", async () => {
  const schedule = hourly();
  const first = start(schedule);
  const second = start(schedule);
  await pass(20_000);
  let died = false;
  // After the record is written and before the request is sent.
  world.disk.beforeWrite = (_, event) => {
    if (event === "created" && !died) {
      died = true;
      setImmediate(() => undefined);
    }
  };
  flink.fault = ({ name }) => {
    if (name !== "jobState" || !died || !world.alive.has(first.window.self.instance)) return undefined;
    first.kill();
    return { takesMs: 1_000_000_000 };
  };
  await pass(5 * minuteMs);
  assert.deepEqual(whats(), ["12:00 taken"]);
  assert.deepEqual(world.disk.savepoints().map(({ state, schedule: tick }) => [tick?.attempt, state]), [[0, "failed"], [1, "completed"]]);
  assert.equal(flink.sent("triggerSavepoint").length, 1);
  assert.ok(second.scheduler.runsHere(schedule.key));
});

test("a process that slept between writing and sending sends nothing when it wakes", async () => {
  start(hourly());
  let slept = false;
  flink.fault = ({ name }) => {
    if (name !== "jobState" || world.disk.savepoints().length === 0 || slept) return undefined;
    slept = true;
    clock.skip(3 * 60 * minuteMs);
    return undefined;
  };
  await pass(30_000 + 4 * 60 * minuteMs);
  assert.deepEqual(whats().slice(0, 3), ["12:00 missed", "13:00 missed", "15:00 taken"]);
  const early = world.disk.savepoints().filter((record) => (record.schedule?.tickAtMs ?? 0) < Date.parse("2026-11-20T15:00:00Z"));
  assert.deepEqual(early.map(({ state, forgotten }) => [state, forgotten]), [["failed", true]]);
});

test("a pause and a change of the expression begin anew; nothing that lay between is missed", async () => {
  const { scheduler } = start(hourly());
  await pass(10 * minuteMs);
  scheduler.setSchedules([hourly({ enabled: false })]);
  await pass(120 * minuteMs);
  scheduler.setSchedules([hourly({ cron: "30 * * * *" })]);
  await pass(60 * minuteMs);
  assert.deepEqual(whats(), ["12:00 taken", "14:30 taken"]);
});

test("a change does not bring two runs closer than ten minutes (A-10)", async () => {
  const { scheduler } = start(hourly());
  await pass(2 * minuteMs);
  scheduler.setSchedules([hourly({ cron: "*/5 * * * *" })]);
  await pass(20 * minuteMs);
  assert.deepEqual(whats(), ["12:00 taken", "12:10 taken", "12:20 taken"]);
});

test("a run that ends while the beginning of the next is being written down keeps its outcome", async () => {
  flink.savepoint = { takesMs: 60 * minuteMs + 2_000 };
  states.beforePut = async ({ open }) => {
    if (open.includes(Date.parse("2026-11-20T13:00:00Z"))) await clock.sleep(10_000);
  };
  const { scheduler } = start(hourly());
  await pass(130 * minuteMs);
  assert.deepEqual(whats(), ["12:00 taken", "13:00 taken"]);
  assert.deepEqual((await scheduler.state(hourly().key))?.open, [Date.parse("2026-11-20T14:00:00Z")]);
});

test("nothing is sent while it can't be written down, and the run comes as soon as it can be, unless that is too late", async () => {
  states.full = true;
  start(hourly());
  await pass(50_000);
  assert.deepEqual(flink.sent(), []);
  states.full = false;
  await pass(minuteMs);
  assert.deepEqual(whats(), ["12:00 taken"]);
});

test("a lease that can't be looked at is looked at again at the usual pace, also when a run is due, which comes as soon as it can", async () => {
  const { scheduler } = start(hourly());
  await pass(10_000);
  assert.ok(scheduler.runsHere(hourly().key));
  leases.unreadable = true;
  await pass(29_000);
  const looks = leases.looks;
  await pass(20_000);
  assert.ok(leases.looks - looks <= 5, `${leases.looks - looks} looks in 20 s`);
  leases.unreadable = false;
  await pass(minuteMs);
  assert.deepEqual(whats(), ["12:00 taken"]);
});

test("who shows a schedule is told when this process takes it on, long before its first run", async () => {
  const told: string[] = [];
  const schedule = hourly({ cron: "0 0 1 1 *" });
  const { scheduler } = start(schedule);
  scheduler.onDidChange((key) => told.push(key));
  await pass(10_000);
  assert.deepEqual([told, scheduler.runsHere(schedule.key)], [[schedule.key], true]);
});

test("a description says schedule, job, date and time in the schedule's zone", () => {
  const { schedule } = inForce({ timeZone: "America/New_York" });
  assert.equal(tickDescription(schedule, Date.parse("2026-11-20T03:00:00Z")), "hourly of 2026-11-19 22:00");
});
