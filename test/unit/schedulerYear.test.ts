import assert from "node:assert/strict";
import { test } from "node:test";
import { blackoutAt } from "../../src/core/schedule/blackout";
import { readCron } from "../../src/core/schedule/cron";
import { cronRuns, effectiveRuns } from "../../src/core/schedule/cronRuns";
import { tickId, type ScheduleInForce } from "../../src/core/schedule/tick";
import { Scheduler, type AttemptEnd, type Tick } from "../../src/services/scheduler";
import { seeded } from "./seeded";
import { inForce, SharedLeases, SharedStates, WallClock } from "./scheduleFakes";
import { savepointRecord } from "./ledgerSamples";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const startMs = Date.parse("2027-01-01T00:00:30Z");
const graceMs = 45 * 60_000;

const schedules: readonly ScheduleInForce[] = [
  inForce({ name: "hourly", cron: "0 * * * *" }),
  inForce({ name: "night in Berlin", cron: "30 2 * * *", timeZone: "Europe/Berlin" }),
  inForce({ name: "working hours", cron: "*/5 9-17 * * MON-FRI", timeZone: "America/New_York", blackouts: [{ from: "12:00", to: "13:00" }, { firstDay: "2027-12-24", lastDay: "2027-12-26" }] }),
  inForce({ name: "either day", cron: "0 12 1 * 5", timeZone: "Australia/Lord_Howe", blackouts: [{ days: "FRI", from: "00:00", to: "00:00" }] }),
];

/** What a schedule declares, thinned out, in a stretch of time. */
function expected({ schedule }: ScheduleInForce, fromMs: number, toMs: number): number[] {
  const { cron } = readCron(schedule.cron);
  assert.ok(cron !== undefined);
  const runs: number[] = [];
  for (const run of effectiveRuns(cronRuns(cron, schedule.timeZone, fromMs))) {
    if (run > toMs) break;
    runs.push(run);
  }
  return runs;
}

/** Three processes that share schedules, leases, states and what was taken. */
function company(clock: WallClock, isRunning: (atMs: number) => boolean) {
  const alive = new Set<string>();
  const leases = new SharedLeases(alive);
  const states = new SharedStates();
  /** Savepoints by the id of their attempt, with when they were sent. */
  const sent = new Map<string, number[]>();
  let number = 0;
  const attempt = async (tick: Tick): Promise<AttemptEnd> => {
    await Promise.resolve();
    const id = tickId(tick.inForce.key, tick.atMs, 0);
    const record = savepointRecord(id);
    if (sent.has(id)) return { end: "taken", record };
    if (clock.now() > tick.firstUntilMs) return { end: "late" };
    if (!isRunning(clock.now())) return { end: "skipped", why: "The job was not running." };
    sent.set(id, [...(sent.get(id) ?? []), clock.now()]);
    return { end: "taken", record };
  };
  const open = () => {
    const name = `process-${++number}`;
    alive.add(name);
    const silent = { trace: () => undefined, debug: () => undefined, info: () => undefined, warn: () => undefined, error: (message: unknown, ...more: unknown[]) => assert.fail(`${String(message)} ${more.map(String).join(" ")}`) };
    const life = { dead: false };
    // A process that is killed does nothing more: its clock never wakes it.
    const own = { now: () => clock.now(), sleep: async (ms: number, signal?: AbortSignal) => {
      await clock.sleep(ms, signal);
      if (life.dead) await new Promise(() => undefined);
    } };
    const scheduler = new Scheduler({ clock: own, log: silent, states, lease: (lease) => leases.open(lease, name), attempt, timing: { roundMs: 20 * 60_000, graceMs } });
    scheduler.setSchedules(schedules);
    return { scheduler, kill: () => {
      life.dead = true;
      alive.delete(name);
    } };
  };
  return { states, sent, open };
}

test("a year of three processes that die and take over: each run takes one savepoint or tells why not; none is taken twice, missed or made up for (A-21, rule 9)", async () => {
  const clock = new WallClock(startMs);
  const random = seeded(7);
  const down = (atMs: number): boolean => Math.floor((atMs - startMs) / (3 * hourMs)) % 40 === 17;
  const { states, sent, open } = company(clock, (atMs) => !down(atMs));
  const processes = [open(), open(), open()];
  let kills = 0;
  for (let nextMs = startMs + dayMs; clock.now() < startMs + 365 * dayMs;) {
    await clock.step();
    if (clock.now() < nextMs) continue;
    const at = Math.floor(random() * 3);
    if (random() < 0.5) processes[at]?.kill();
    else void processes[at]?.scheduler.stop();
    processes[at] = open();
    kills++;
    nextMs = clock.now() + random() * 5 * dayMs;
  }
  const endMs = clock.now() - hourMs;
  for (const each of schedules) {
    const taken = new Set<number>();
    const skipped = new Set<number>();
    for (const { key, outcome } of states.outcomes) {
      if (key !== each.key) continue;
      assert.ok(outcome.what === "taken" || outcome.what === "skipped", `${each.schedule.name}: ${JSON.stringify(outcome)}`);
      (outcome.what === "taken" ? taken : skipped).add(outcome.tickAtMs);
    }
    const runs = expected(each, startMs, endMs);
    for (const run of runs) {
      const inBlackout = blackoutAt(run, each.schedule.timeZone, each.schedule.blackouts) !== undefined;
      assert.equal(skipped.has(run), inBlackout || (skipped.has(run) && [run, run + graceMs].some(down)), `${each.schedule.name} at ${new Date(run).toISOString()}`);
      assert.notEqual(taken.has(run), skipped.has(run), `${each.schedule.name} at ${new Date(run).toISOString()}`);
      const times = sent.get(tickId(each.key, run, 0)) ?? [];
      assert.equal(times.length, taken.has(run) ? 1 : 0);
      if (times[0] !== undefined) assert.ok(times[0] >= run && times[0] <= run + graceMs);
    }
    const known = new Set(runs);
    assert.deepEqual([...taken, ...skipped].filter((run) => run <= endMs && !known.has(run)), []);
    assert.ok(each.schedule.name !== "hourly" || (runs.length > 8_700 && skipped.size > 100));
  }
  assert.ok(kills > 100);
});

test("clocks that are set and machines that sleep: what passed meanwhile is missed and told, what comes again is not taken again", async () => {
  const clock = new WallClock(startMs);
  const { states, sent, open } = company(clock, () => true);
  open();
  open();
  const random = seeded(3);
  const gaps: { fromMs: number; toMs: number }[] = [];
  let back = 0;
  for (let nextMs = clock.now() + 6 * hourMs, passed = 0; passed < 8_000; passed++) {
    await clock.step();
    if (clock.now() < nextMs) continue;
    const ms = Math.round((random() < 0.3 ? -random() * 3 : random() * 12) * hourMs);
    if (ms > 0) gaps.push({ fromMs: clock.now(), toMs: clock.now() + ms });
    else back++;
    clock.jump(ms);
    nextMs = clock.now() + random() * 30 * hourMs;
  }
  assert.ok(back > 10 && gaps.length > 25);
  for (const each of schedules) {
    const outcomes = states.outcomes.filter(({ key }) => key === each.key).map(({ outcome }) => outcome);
    const taken = outcomes.filter(({ what }) => what === "taken").map(({ tickAtMs }) => tickAtMs);
    const missed = outcomes.filter((outcome) => outcome.what === "missed");
    for (const { tickAtMs, lastTickAtMs } of missed) assert.ok(gaps.some(({ fromMs, toMs }) => tickAtMs >= fromMs - graceMs && lastTickAtMs <= toMs), `${each.schedule.name}: missed ${new Date(tickAtMs).toISOString()} without a gap`);
    for (const run of new Set(taken)) {
      const times = sent.get(tickId(each.key, run, 0)) ?? [];
      assert.equal(times.length, 1, `${each.schedule.name} at ${new Date(run).toISOString()}`);
      assert.ok((times[0] ?? 0) <= run + graceMs, "made up for");
    }
    if (each.schedule.name !== "hourly") continue;
    for (const run of expected(each, startMs, clock.now() - hourMs)) {
      const isMissed = missed.some(({ tickAtMs, lastTickAtMs }) => tickAtMs <= run && run <= lastTickAtMs);
      assert.ok(taken.includes(run) || isMissed, `neither taken nor missed: ${new Date(run).toISOString()}`);
    }
    assert.ok(missed.length > 10);
  }
});
