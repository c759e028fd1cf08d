import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { purgeText } from "../../src/core/cleanup/cleanupText";
import { isVictim, shownVictims, type CleanupPlan, type Shown } from "../../src/core/cleanup/plan";
import { asidePlace } from "../../src/core/cleanup/aside";
import { waitingText } from "../../src/core/cleanup/waiting";
import { FlinkError } from "../../src/core/errors";
import type { CleanupRules } from "../../src/core/cleanup/rules";
import type { CleanupRecord, SavepointRecord } from "../../src/core/ledger/record";
import { normaliseLocation } from "../../src/core/model/location";
import type { CleanupOutcome } from "../../src/services/cleanup";
import { endWorld, openWindow, toDefault, twoClusters, watchedRun, type Window } from "./fakes";
import { savepointRecord } from "./ledgerSamples";
import { refusals, rejected } from "./rejected";
import { jobId, jobName, restoreFrom } from "./samples";

const hour = 3_600_000;
const day = 24 * hour;
let { clock, storage, flink, other, world } = twoClusters();
let window: Window;

beforeEach(() => {
  ({ clock, storage, flink, other, world } = twoClusters());
  flink.addJob(jobId);
  window = openWindow(world);
  for (let number = 1; number <= 5; number++) put(number);
  setRules({ keep: 2 });
});

afterEach(() => endWorld(world));

const place = (number: number): string => `file:/sp/savepoint-ab12cd-${String(number).padStart(12, "0")}`;
const at = (location: string): string => normaliseLocation(location);
/** The savepoint taken `number` hours ago. */
function put(number: number, changes: Partial<SavepointRecord> = {}): void {
  const path = changes.path ?? place(number);
  storage.put(path, clock.now());
  world.disk.put(savepointRecord(`s${number}`, { cluster: { name: "local", url: flink.url }, job: { id: jobId, name: jobName }, origin: "scheduled", state: "completed", path, checkpointId: 100 - number, sizeBytes: 10, requestedAtMs: clock.now() - number * hour, ...changes }));
}
function setRules(changes: Partial<CleanupRules>, enabled = true): void {
  world.cleanup = { enabled, rules: { keep: null, maxAgeMs: null, undoMs: day, ...changes }, source: "/w/flink-savepoints.json" };
}
const job = (): { cluster: string; jobName: string } => ({ cluster: flink.url, jobName });
const preview = async (from = window): Promise<CleanupPlan> => (await from.cleanup.preview(job(), watchedRun())).plan;
const run = (shown: readonly Shown[], from = window): Promise<CleanupOutcome> => from.cleanup.run(job(), shown, watchedRun());
const record = (number: number): SavepointRecord => world.disk.savepoints().find(({ id }) => id === `s${number}`)!;
const cleanupRecord = async (): Promise<CleanupRecord> => (await window.ledger.all()).find((one): one is CleanupRecord => one.kind === "cleanup")!;
const victims = (plan: CleanupPlan): string[] => plan.rows.filter(isVictim).map(({ record: { id } }) => id);
const whyStays = (plan: CleanupPlan, number: number): string[] => plan.rows.find(({ record: { id } }) => id === `s${number}`)!.spares.map(({ spare }) => spare);
const folders = (): string[] => [...storage.folders.keys()].sort();

describe("a preview", () => {
  test("shows what goes, what stays and why, and changes nothing", async () => {
    const before = folders();
    const plan = await preview();
    assert.deepEqual(victims(plan), ["s3", "s4", "s5"]);
    assert.deepEqual(plan.rows.map(({ removal }) => removal), [undefined, undefined, "aside", "aside", "aside"]);
    assert.deepEqual(folders(), before);
    assert.deepEqual([flink.sent(), world.disk.writes.filter((write) => !write.endsWith("put"))], [[], []]);
  });

  test("is what happens: those go, oldest first, and nothing else", async () => {
    const outcome = await run(shownVictims(await preview()));
    assert.deepEqual([outcome.removed, outcome.failed], [["s5", "s4", "s3"], []]);
    assert.deepEqual(folders(), [...[1, 2].map((number) => at(place(number))), ...[3, 4, 5].map((number) => at(asidePlace(place(number))))].sort());
    assert.deepEqual(flink.sent(), [], "nothing is deleted while it can be undone");
    assert.deepEqual((await cleanupRecord()).lastRun, { atMs: clock.now(), why: "asked", removed: 3, failed: 0, freedBytes: 30, held: null, waiting: null });
    assert.equal((await cleanupRecord()).running, null);
  });

  test("is told in full also when the disk is full by the end of it, and the next run is not held up", async () => {
    const shown = shownVictims(await preview());
    world.disk.beforeWrite = (_id, event) => {
      if (event === "ended") throw new FlinkError("ledger-unwritable", { folder: "/ledger", reason: "ENOSPC" });
    };
    assert.deepEqual((await run(shown)).removed, ["s5", "s4", "s3"]);
    world.disk.beforeWrite = () => undefined;
    assert.deepEqual((await run(shownVictims(await preview()))).removed, []);
    assert.equal((await cleanupRecord()).running, null);
  });

  test("holds against what changed since: a pin, a description, a storage that no longer allows to undo, a new savepoint", async () => {
    const shown = shownVictims(await preview());
    await window.savepoints.pin("s3", true);
    await window.savepoints.describe("s4", "before the audit");
    put(0);
    const { plan, removed } = await run(shown);
    assert.deepEqual(removed, ["s5"]);
    assert.deepEqual([whyStays(plan, 3), whyStays(plan, 4), whyStays(plan, 2)], [["refused"], ["changed"], ["changed"]]);
    storage.obstacle = "EROFS";
    assert.deepEqual((await run(shown)).plan.rows.find(({ record: { id } }) => id === "s4")?.spares, [{ spare: "no-undo", reason: "EROFS" }]);
  });

  test("counts no savepoint whose folder a person deleted: the newest that are there are kept", async () => {
    storage.folders.delete(at(place(1)));
    assert.deepEqual(victims(await preview()), ["s4", "s5"]);
    for (const number of [2, 3, 4]) storage.folders.delete(at(place(number)));
    const plan = await preview();
    assert.deepEqual([victims(plan), whyStays(plan, 5)], [[], ["within-rules"]]);
    setRules({ maxAgeMs: hour });
    assert.equal(whyStays(await preview(), 5).includes("last-completed"), true);
    setRules({ maxAgeMs: hour, undoMs: 0 });
    assert.equal(victims(await preview()).includes("s5"), false);
  });

  test("says that a record can't be read, such as a start of another version, and then nothing goes: it may say who needs what", async () => {
    const shown = shownVictims(await preview());
    world.disk.unread = [{ file: "/ledger/r1.000001.json", reason: "written by a newer version (format 2)" }];
    assert.deepEqual([victims(await preview()), whyStays(await preview(), 5)], [[], ["ledger-unread"]]);
    assert.deepEqual((await run(shown)).removed, []);
    assert.deepEqual(await refusals(window.disposals.checkByRule("s5", watchedRun())), ["ledger-unread"]);
    const check = await window.disposals.check("s5", watchedRun());
    assert.deepEqual([check.refusals, check.unread], [[], ["/ledger/r1.000001.json"]], "a person is told, and decides");
  });

  test("says that a cluster could not be asked, and then nothing goes; without the job's own cluster there is none", async () => {
    other.down = true;
    assert.deepEqual(victims(await preview()), []);
    assert.deepEqual(whyStays(await preview(), 5), ["cluster-unchecked"]);
    other.down = false;
    flink.down = true;
    await rejected(preview(), "cluster-unreachable");
  });
});

describe("a mark beside a savepoint says that another ledger pinned it, and", () => {
  test("no rule takes it, nor Dispose, nor the end of its time to undo; it names the file, and without it all goes on", async () => {
    const theirs = storage.pins("theirs");
    const shown = shownVictims(await preview());
    await theirs.put(place(4));
    assert.deepEqual([victims(await preview()), whyStays(await preview(), 4)], [["s3", "s5"], ["refused"]]);
    const { removed, plan } = await run(shown);
    assert.deepEqual([removed, plan.rows.find(({ record: { id } }) => id === "s4")?.spares], [["s5", "s3"], [{ spare: "refused", refusals: [{ rule: "pinned-beside", file: "file:/sp/.pinned-by-flink-savepoints/savepoint-ab12cd-000000000004.theirs" }] }]]);
    assert.deepEqual(await refusals(window.disposals.dispose("s4", { typedJobName: jobName }, watchedRun())), ["pinned-beside"]);
    assert.deepEqual(await refusals(window.disposals.checkByRule("s4", watchedRun())), ["pinned-beside"]);

    await theirs.put(place(5));
    await clock.sleep(2 * day);
    await window.cleanup.removeDue();
    assert.deepEqual([flink.sent("dispose"), (await window.cleanup.state(job())).failed.map(({ id }) => id)], [[asidePlace(place(3))], ["s5"]]);
    await theirs.remove(place(4));
    assert.deepEqual(victims(await preview()), ["s4"]);
  });

  test("put beside where it lies aside, it keeps it there", async () => {
    await run(shownVictims(await preview()));
    await storage.pins("theirs").put(asidePlace(place(5)));
    await clock.sleep(2 * day);
    await window.cleanup.removeDue();
    assert.deepEqual([(await window.cleanup.state(job())).failed.map(({ id }) => id), storage.folders.has(at(asidePlace(place(5))))], [["s5"], true]);
    assert.deepEqual(await refusals(window.disposals.dispose("s5", { typedJobName: jobName }, watchedRun())), ["pinned-beside"]);
  });

  test("CLAIM, which would let Flink delete it, is refused", async () => {
    await storage.pins("theirs").put(place(2));
    const request = { cluster: flink.url, jobName, savepoint: { path: place(2), recordId: "s2", checkpointId: 98 }, jar: { id: "jar", name: "job.jar" }, programArgs: [], allowNonRestoredState: false };
    assert.deepEqual(await refusals(window.restores.start({ ...request, claimMode: "CLAIM" }, watchedRun())), ["pinned-beside"]);
    assert.deepEqual((await window.restores.readiness(flink.url, place(2), new AbortController().signal, "NO_CLAIM")).refusals, []);
  });

  test("a pin and what is put back leave one for others, which unpinning takes away", async () => {
    await window.savepoints.pin("s3", true);
    assert.deepEqual([record(3).pinMarked, storage.marks.size], [true, 1]);
    await window.savepoints.pin("s3", false);
    assert.deepEqual([record(3).pinMarked, storage.marks.size], [false, 0]);
    await run(shownVictims(await preview()));
    await window.cleanup.undo("s4");
    assert.deepEqual([record(4).pinMarked, storage.marks.size], [true, 1]);
    storage.visible = false;
    assert.equal(await window.savepoints.pin("s2", true), "elsewhere");
    assert.deepEqual([record(2).pinned, record(2).pinMarked], [true, false]);
  });

  test("put there in the moment in which it is moved, it still wins", async () => {
    const shown = shownVictims(await preview());
    world.disk.beforeWrite = (id, event) => void (id === "s5" && event === "about to be moved aside" && storage.marks.add("file:/sp/.pinned-by-flink-savepoints/savepoint-ab12cd-000000000005.theirs"));
    const { failed } = await run(shown);
    assert.deepEqual([failed, storage.folders.has(at(place(5)))], [["s5"], true]);
  });
});

describe("a folder that has two paths, by a link above it,", () => {
  const linked = (number: number): string => place(number).replace("file:/sp/", "file:/data/sp/");
  beforeEach(() => {
    storage.links.set("file:/data/sp", "file:/sp");
    for (const number of [3, 4, 5]) put(number, { path: linked(number) });
  });

  test("is kept by a pin, a person's savepoint, or a job that runs from it under the other path", async () => {
    put(13, { path: place(3), pinned: true, origin: "found" });
    put(14, { path: place(4), origin: "manual" });
    world.disk.put(restoreFrom(place(5), "e".repeat(32), { cluster: { name: "local", url: flink.url } }));
    const plan = await preview();
    assert.deepEqual(victims(plan), []);
    assert.deepEqual(plan.rows.find(({ record: { id } }) => id === "s5")?.record.path, linked(5), "shown as it was written");
  });

  test("is not disposed of, nor moved, while it is pinned or restored from under the other path", async () => {
    put(13, { path: place(3), pinned: true, origin: "found" });
    assert.deepEqual(await refusals(window.disposals.dispose("s3", { typedJobName: null }, watchedRun())), ["pinned"]);
    const shown = shownVictims(await preview());
    world.disk.beforeWrite = (id, event) => {
      if (id === "s5" && event === "about to be moved aside") world.disk.put(restoreFrom(place(5), "e".repeat(32), { cluster: { name: "local", url: flink.url } }));
    };
    const outcome = await run(shown);
    assert.deepEqual([outcome.removed, outcome.failed], [["s4"], ["s5"]]);
    assert.equal(storage.folders.has(at(linked(5))), true);
  });

  test("is no second savepoint to go back to", async () => {
    for (const number of [1, 2, 3, 4, 5]) world.disk.put({ ...record(number), state: number === 5 ? "completed" : "failed" });
    put(15, { path: place(5), origin: "found" });
    assert.equal((await window.disposals.check("s5", watchedRun())).typing, "only-completed");
  });
});

describe("rules by themselves", () => {
  const afterTick = (from = window): Promise<CleanupOutcome | undefined> => from.cleanup.afterScheduled(record(1));

  test("are off until they are switched on in the file, and agreed to after a preview, here", async () => {
    setRules({ keep: 2 }, false);
    assert.equal(await afterTick(), undefined);
    setRules({ keep: 2 });
    assert.equal((await afterTick())?.held, "not-agreed");
    assert.equal(folders().length, 5);
    await window.cleanup.agree(job(), world.cleanup.rules);
    assert.deepEqual((await afterTick())?.removed, ["s5", "s4", "s3"]);
  });

  test("that were changed since wait for another preview", async () => {
    await window.cleanup.agree(job(), world.cleanup.rules);
    setRules({ keep: 1 });
    assert.equal((await afterTick())?.held, "not-agreed");
    assert.equal((await cleanupRecord()).lastRun?.held, "not-agreed");
    await window.cleanup.agree(job(), null);
    assert.equal((await window.cleanup.state(job())).isAgreed, false);
  });

  test("are those that the file had when the run began: another branch that is checked out in that moment lends them no agreement", async () => {
    await window.cleanup.agree(job(), { keep: 4, maxAgeMs: null, undoMs: day });
    setRules({ keep: 1 });
    world.disk.beforeWrite = (_id, event) => event === "begun" ? setRules({ keep: 4 }) : undefined;
    assert.equal((await afterTick())?.held, "not-agreed");
    assert.equal(folders().length, 5);
  });

  test("A-31: wait for a person after a pause that is longer than the age rule", async () => {
    await clock.sleep(100 * day);
    put(0);
    setRules({ maxAgeMs: day });
    await window.cleanup.agree(job(), world.cleanup.rules);
    const outcome = await window.cleanup.afterScheduled(record(0));
    assert.equal(outcome?.held, "pause");
    assert.equal(folders().length, 6);
    assert.deepEqual((await run(shownVictims(await preview()))).removed, ["s5", "s4", "s3", "s2", "s1"], "whoever saw the preview may");
  });

  test("A-31: before a job is restored after a pause, what they would take is told, and what it is restored from is not among it", async () => {
    await clock.sleep(100 * day);
    setRules({ maxAgeMs: day });
    const plan = await preview();
    assert.deepEqual(victims(plan), ["s2", "s3", "s4", "s5"]);
    assert.equal(purgeText(plan, `${place(3)}/`), "Its cleanup rules (keeps those of the last 24 h) take 3 savepoints of it once it runs and its next scheduled savepoint is complete: #98, #96, #95. What it is restored from stays. Since it has paused for longer than they allow, they wait until you have looked at their preview.");
    assert.match(purgeText(plan, "s3://elsewhere") ?? "", /take 4 savepoints .*: #98, #97, #96, #95\. /);
    setRules({ keep: 10 });
    assert.equal(purgeText(await preview(), place(3)), undefined);
  });

  test("that wait say what for, since when and how many, until they go", async () => {
    const waiting = async () => (await cleanupRecord()).lastRun?.waiting ?? null;
    await afterTick();
    const firstMs = clock.now();
    assert.deepEqual(await waiting(), { for: "not-agreed", sinceMs: firstMs, count: 3, why: "Nobody here has seen what its rules do." });
    await clock.sleep(hour);
    const again = await afterTick();
    assert.deepEqual([again?.waiting?.sinceMs, (await waiting())?.sinceMs], [firstMs, firstMs]);
    await window.cleanup.agree(job(), world.cleanup.rules);
    assert.equal(await waiting(), null);

    clock.skip(3 * hour);
    flink.skewMs -= 3 * hour;
    const held = await afterTick();
    assert.equal(held?.waiting?.for, "clock-differs");
    assert.match(waitingText(held.waiting, { preview: "Preview Cleanup" }), /^3 savepoints that cleanup would take have been waiting since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+\. This machine's clock is 3 h ahead of the cluster's, so nobody knows how old they are\. They go after the next scheduled savepoint once both clocks agree; Preview Cleanup shows which\.$/);
    assert.equal((await waiting())?.sinceMs, clock.now());
    flink.skewMs += 3 * hour;
    assert.deepEqual([(await afterTick())?.removed.length, await waiting()], [3, null]);
  });

  test("say what lets them act, in words of the editor or of the program", () => {
    const told = (reason: "not-agreed" | "pause", where: Parameters<typeof waitingText>[1]): string => waitingText({ for: reason, count: 1, sinceMs: 0, why: "Why." }, where).replace(/since .* Why/, "since then. Why");
    const editor = { preview: "Preview Cleanup" };
    const head = "1 savepoint that cleanup would take has been waiting since then. Why.";
    assert.deepEqual([told("not-agreed", editor), told("pause", editor), told("not-agreed", "program"), told("pause", "program")], [
      `${head} Look at them with Preview Cleanup, and let the rules act there.`, `${head} Look at them with Preview Cleanup; after that they can go.`,
      `${head} Look at them with cleanup preview, then cleanup agree.`, `${head} Look at them with cleanup preview, then cleanup run --seen MARK.`,
    ]);
  });

  test("that have nothing to take wait for nothing, and what a savepoint's own reason spares is not waiting", async () => {
    setRules({ keep: 10 });
    assert.equal((await afterTick())?.waiting, null);
    setRules({ keep: 4 });
    await window.cleanup.agree(job(), world.cleanup.rules);
    put(5, { pinned: true });
    flink.jobs.clear();
    assert.equal((await afterTick())?.waiting, null);
    put(5);
    const waiting = (await afterTick())?.waiting;
    assert.deepEqual([waiting?.for, waiting?.count], ["clock-unknown", 1]);
    assert.match(waiting?.why ?? "", /no job on its cluster tells the time/);
  });

  test("never throw: a cluster that is down, or another window at work, is a line in the log", async () => {
    await window.cleanup.agree(job(), world.cleanup.rules);
    flink.down = true;
    assert.equal(await afterTick(), undefined);
    assert.match(window.log.lines.at(-1) ?? "", /^warn cleaning up after Word count Could not reach/);
  });

  test("act in exactly one of several windows", async () => {
    await window.cleanup.agree(job(), world.cleanup.rules);
    const windows = [window, openWindow(world), openWindow(world)];
    const outcomes = await Promise.all(windows.map((one) => afterTick(one)));
    assert.deepEqual(outcomes.filter((outcome) => outcome !== undefined && outcome.removed.length > 0).map((outcome) => outcome?.removed), [["s5", "s4", "s3"]]);
    for (const number of [3, 4, 5]) assert.equal(record(number).trail.filter(({ event }) => event === "moved aside").length, 1);
  });
});

describe("a clock that is wrong", () => {
  /** This machine's clock jumps, the cluster's does not. */
  const jump = (ms: number): void => {
    clock.skip(ms);
    flink.skewMs -= ms;
  };

  test("takes nothing, whoever asks, and says why; when it is right again rules go on", async () => {
    setRules({ keep: 3, maxAgeMs: 30 * day });
    await window.cleanup.agree(job(), world.cleanup.rules);
    jump(365 * day);
    const shown = await preview();
    assert.deepEqual([victims(shown), whyStays(shown, 2), whyStays(shown, 5)], [[], ["clock-differs"], ["clock-differs"]]);
    assert.deepEqual((await window.cleanup.runAgreed(job(), "asked", watchedRun(), () => true))?.removed, []);
    assert.deepEqual(await refusals(window.disposals.checkByRule("s5", watchedRun())), ["clock-differs"]);
    assert.equal(folders().length, 5);
    jump(-365 * day);
    assert.deepEqual((await window.cleanup.afterScheduled(record(1)))?.removed, ["s5", "s4"]);
  });

  test("does not end the time to undo, neither ahead nor back", async () => {
    setRules({ keep: 3 });
    await run(shownVictims(await preview()));
    jump(365 * day);
    await window.cleanup.removeDue();
    assert.deepEqual([flink.sent("dispose"), (await window.cleanup.state(job())).failed.map(({ cleanup }) => /clock is 365 d ahead/.test(cleanup?.failure ?? ""))], [[], [true, true]]);
    jump(-365 * day);
    await window.cleanup.removeDue();
    jump(-3 * hour);
    await clock.sleep(2 * day);
    await window.cleanup.removeDue();
    assert.deepEqual(flink.sent("dispose"), []);
    jump(3 * hour);
    await clock.sleep(2 * day);
    await window.cleanup.removeDue();
    assert.equal(flink.sent("dispose").length, 2, "after the time that was promised");
  });

  test("can't be told where no job runs: rules that act by themselves wait, and a person who looks decides", async () => {
    setRules({ keep: 3 });
    await window.cleanup.agree(job(), world.cleanup.rules);
    flink.jobs.clear();
    const alone = await window.cleanup.runAgreed(job(), "asked", watchedRun());
    assert.deepEqual([alone?.removed, alone && whyStays(alone.plan, 5)], [[], ["clock-differs"]]);
    assert.deepEqual((await run(shownVictims(await preview()))).removed, ["s5", "s4"]);
    await clock.sleep(2 * day);
    await window.cleanup.removeDue();
    assert.deepEqual(flink.sent("dispose"), []);
    await window.cleanup.retry("s5", watchedRun());
    assert.equal(flink.sent("dispose").length, 1);
  });

  test("is none after a machine was suspended for long: it agrees with the cluster's when it wakes (A-31)", async () => {
    setRules({ keep: 3 });
    await run(shownVictims(await preview()));
    clock.skip(400 * day);
    await window.cleanup.removeDue();
    assert.equal(flink.sent("dispose").length, 2);
  });
});

describe("the time to undo", () => {
  test("ends with Flink disposing of the folder where it lies, weighed once more", async () => {
    await run(shownVictims(await preview()));
    await clock.sleep(day - 1_000);
    await window.cleanup.removeDue();
    assert.deepEqual(flink.sent(), []);
    await clock.sleep(2_000);
    await window.cleanup.removeDue();
    assert.deepEqual(flink.sent("dispose"), [3, 4, 5].map((number) => asidePlace(place(number))));
    assert.deepEqual([3, 4, 5].map((number) => record(number).disposal?.state), ["disposed", "disposed", "disposed"]);
    assert.equal(folders().length, 2);
  });

  test("puts a savepoint back, whole and pinned, so that the next run leaves it alone", async () => {
    await run(shownVictims(await preview()));
    const back = await window.cleanup.undo("s4");
    assert.deepEqual([back.pinned, back.cleanup?.aside, storage.folders.has(at(place(4)))], [true, null, true]);
    assert.deepEqual(victims(await preview()), []);
    await clock.sleep(2 * day);
    await window.cleanup.removeDue();
    assert.equal(storage.folders.has(at(place(4))), true);
    assert.deepEqual(await refusals(window.cleanup.undo("s5")), ["not-aside"], "it is gone for good");
  });

  test("refuses a restore from what lies aside, and no savepoint aside counts as one to go back to", async () => {
    await run(shownVictims(await preview()));
    const readiness = await window.restores.readiness(flink.url, place(5), watchedRun().signal);
    assert.deepEqual(readiness.refusals, [{ rule: "moved-aside" }]);
    await window.disposals.dispose("s2", { typedJobName: null }, watchedRun());
    assert.deepEqual((await window.disposals.check("s1", watchedRun())).typing, "only-completed");
  });

  test("keeps aside what somebody pinned meanwhile, says so in the list of failures, and tries again later", async () => {
    await run(shownVictims(await preview()));
    await window.savepoints.pin("s5", true);
    await clock.sleep(day + 1);
    await window.cleanup.removeDue();
    const { failed, aside } = await window.cleanup.state(job());
    assert.deepEqual([failed.map(({ id }) => id), aside.map(({ id }) => id)], [["s5"], ["s5"]]);
    assert.match(record(5).cleanup?.failure ?? "", /It is pinned/);
    await window.savepoints.pin("s5", false);
    await window.cleanup.removeDue();
    assert.equal(record(5).disposal, null, "not at once again");
    await window.cleanup.retry("s5", watchedRun());
    assert.equal(record(5).disposal?.state, "disposed");
    assert.deepEqual((await window.cleanup.state(job())).failed, []);
  });

  test("does not end while somebody keeps a Paimon tag that belongs to it, made since", async () => {
    await run(shownVictims(await preview()));
    world.tags.set("s5", ["tag audit of d.app"]);
    await clock.sleep(day + 1);
    await window.cleanup.removeDue();
    assert.match(record(5).cleanup?.failure ?? "", /tag audit of d\.app/);
    assert.deepEqual(flink.sent("dispose"), [3, 4].map((number) => asidePlace(place(number))));
  });

  test("does not end for the last one that is there, when those that were kept are gone", async () => {
    await run(shownVictims(await preview()));
    for (const number of [1, 2]) storage.folders.delete(at(place(number)));
    await clock.sleep(day + 1);
    await window.cleanup.removeDue();
    assert.deepEqual(flink.sent("dispose"), []);
    assert.match(record(5).cleanup?.failure ?? "", /only completed/);
  });

  test("ends for a folder that a person moved back by hand: it counts as put back, and Flink is not asked to dispose of anything", async () => {
    await run(shownVictims(await preview()));
    await storage.aside.move(asidePlace(place(5)), place(5));
    await clock.sleep(day + 1);
    await window.cleanup.removeDue();
    assert.deepEqual([record(5).disposal, record(5).cleanup?.aside, record(5).pinned, storage.folders.has(at(place(5)))], [null, null, true, true]);
    assert.deepEqual(flink.sent("dispose"), [3, 4].map((number) => asidePlace(place(number))));
    assert.match(record(5).trail.at(-1)?.event ?? "", /moved back by hand/);
  });

  test("ends with Put Back, too, for a folder that a person moved back before", async () => {
    await run(shownVictims(await preview()));
    await storage.aside.move(asidePlace(place(4)), place(4));
    const back = await window.cleanup.undo("s4");
    assert.deepEqual([back.pinned, back.cleanup?.aside, storage.folders.has(at(place(4)))], [true, null, true]);
  });

  test("leaves a folder that was copied back, and what still lies aside, to the person who copied it", async () => {
    await run(shownVictims(await preview()));
    storage.put(place(5), clock.now());
    await window.cleanup.retry("s5", watchedRun());
    assert.deepEqual([record(5).disposal, record(5).cleanup?.aside, record(5).pinned], [null, null, true]);
    assert.deepEqual([place(5), asidePlace(place(5))].map((one) => storage.folders.has(at(one))), [true, true]);
    assert.deepEqual(flink.sent(), []);
  });

  test("is left out where it is not wanted, and on storages that are no disk of ours", async () => {
    setRules({ keep: 4, undoMs: 0 });
    await run(shownVictims(await preview()));
    assert.deepEqual(flink.sent("dispose"), [place(5)]);
    put(6, { path: "s3://bucket/sp/savepoint-ab12cd-000000000006" });
    setRules({ keep: 4 });
    await run(shownVictims(await preview()));
    assert.deepEqual(flink.sent("dispose"), [place(5), "s3://bucket/sp/savepoint-ab12cd-000000000006"]);
  });
});

describe("a removal that fails", () => {
  test("stays in the list with the reason, and leaves the others to go on", async () => {
    setRules({ keep: 2, undoMs: 0 });
    flink.fault = ({ about }) => {
      flink.disposal = about === place(4) ? { fails: { message: "disk on fire", exception: "IOException", trace: "" }, files: "there" } : {};
      return undefined;
    };
    const outcome = await run(shownVictims(await preview()));
    assert.deepEqual([outcome.removed, outcome.failed], [["s5", "s3"], ["s4"]]);
    const { failed, removed } = await window.cleanup.state(job());
    assert.deepEqual([failed.map(({ id }) => id), removed.map(({ id }) => id)], [["s4"], ["s3", "s5"]]);
    assert.match(failed[0]?.cleanup?.failure ?? "", /disk on fire/);
    flink.fault = () => undefined;
    flink.disposal = {};
    await window.cleanup.retry("s4", watchedRun());
    assert.deepEqual([record(4).disposal?.state, record(4).cleanup?.attempts], ["disposed", 2]);
  });

  test("a retry that no rule asks for any more only clears the list", async () => {
    setRules({ keep: 2, undoMs: 0 });
    flink.disposal = { fails: { message: "no", exception: "E", trace: "" }, files: "there" };
    await run(shownVictims(await preview()));
    setRules({ keep: 10, undoMs: 0 });
    flink.disposal = {};
    await window.cleanup.retry("s3", watchedRun());
    assert.deepEqual([record(3).disposal?.state, record(3).cleanup?.failure], ["failed", null]);
  });

  test("what was forgotten meanwhile stays, moved or disposed of at once", async () => {
    for (const undoMs of [day, 0]) {
      setRules({ keep: 2, undoMs });
      const number = undoMs === 0 ? 4 : 5;
      let raced = false;
      world.disk.beforeWrite = (id, event) => {
        if (id !== `s${number}` || !event.startsWith("a cleanup rule chose it") || raced) return;
        raced = true;
        world.disk.put({ ...record(number), forgotten: true });
      };
      const outcome = await run(shownVictims(await preview()).filter(({ recordId }) => recordId === `s${number}`));
      assert.ok(raced);
      assert.deepEqual([outcome.removed, outcome.failed], [[], [`s${number}`]]);
      assert.match(record(number).cleanup?.failure ?? "", /It was forgotten, and its files are kept on purpose\.$/);
      assert.equal(storage.folders.has(at(place(number))), true);
    }
  });

  test("what lies aside is not forgotten: its files would go all the same", async () => {
    await run(shownVictims(await preview()));
    assert.deepEqual(await refusals(window.savepoints.forget("s5")), ["moved-aside"]);
    await window.cleanup.undo("s5");
    await window.savepoints.forget("s5");
    assert.equal(record(5).forgotten, true);
  });

  test("a restore that began meanwhile wins over the move", async () => {
    const shown = shownVictims(await preview());
    let raced = false;
    world.disk.beforeWrite = (id, event) => {
      if (id !== "s5" || event !== "about to be moved aside" || raced) return;
      raced = true;
      world.disk.put({ ...restoreFrom(place(5), "e".repeat(32), { cluster: { name: "local", url: flink.url } }) });
    };
    const outcome = await run(shown);
    assert.ok(raced);
    assert.deepEqual([outcome.removed, outcome.failed], [["s4", "s3"], ["s5"]]);
    assert.equal(storage.folders.has(at(place(5))), true);
    assert.equal(record(5).cleanup?.aside, null);
  });
});

describe("a crash in the middle of a move", () => {
  for (const moment of ["before", "after"] as const) {
    test(`${moment} the folder is renamed is settled by what the storage shows, in another process`, async () => {
      let crashed: (() => void) | undefined;
      const dead = new Promise<void>((resolve) => (crashed = resolve));
      storage.moving = (now) => {
        if (now !== moment) return;
        crashed?.();
        storage.moving = () => undefined;
        return new Promise(() => undefined);
      };
      void run(shownVictims(await preview())).catch(() => undefined);
      await dead;
      world.alive.delete(window.self.instance);
      const next = openWindow(world);
      assert.equal(record(5).cleanup?.aside?.state, "moving");
      await next.cleanup.settleLeftovers();
      const aside = moment === "after" ? "aside" : undefined;
      assert.equal(record(5).cleanup?.aside?.state, aside);
      assert.deepEqual(folders().length, 5);
      assert.deepEqual((await next.cleanup.run(job(), shownVictims(await preview(next)), watchedRun())).removed, moment === "after" ? ["s4", "s3"] : ["s5", "s4", "s3"]);
    });
  }

  test("while it is put back is settled too, and a living process is left alone", async () => {
    await run(shownVictims(await preview()));
    let crashed: (() => void) | undefined;
    const dead = new Promise<void>((resolve) => (crashed = resolve));
    storage.moving = (now) => {
      if (now !== "after") return;
      crashed?.();
      storage.moving = () => undefined;
      return new Promise(() => undefined);
    };
    void window.cleanup.undo("s5").catch(() => undefined);
    await dead;
    const next = openWindow(world);
    await next.cleanup.settleLeftovers();
    assert.equal(record(5).cleanup?.aside?.state, "restoring");
    assert.deepEqual(await refusals(next.cleanup.undo("s4")), ["cleanup-running"]);
    world.alive.delete(window.self.instance);
    await next.cleanup.settleLeftovers();
    assert.deepEqual([record(5).cleanup?.aside, record(5).pinned], [null, true]);
    assert.equal((await next.cleanup.undo("s4")).pinned, true);
    // Rules leave both to the person who put them back.
    assert.deepEqual((await preview(next)).rows.filter(isVictim), []);
  });

  test("whose outcome can't be seen is told once, and not written down again at every look", async () => {
    await run(shownVictims(await preview()));
    world.disk.put({ ...record(5), cleanup: { ...record(5).cleanup!, aside: { ...record(5).cleanup!.aside!, state: "moving", owner: { ...window.self, instance: "gone" } } } });
    storage.put(place(5), clock.now());
    await window.cleanup.settleLeftovers();
    assert.match(record(5).cleanup?.failure ?? "", /neither place can be seen to hold it alone/);
    const { trail } = record(5);
    await window.cleanup.settleLeftovers();
    assert.deepEqual(record(5).trail, trail);
  });
});

test("a savepoint that was taken by a schedule is what rules are about: the next one taken by hand stays", async () => {
  await window.savepoints.trigger({ cluster: flink.url, jobId }, { ...toDefault, directory: "file:/by-hand" }, watchedRun());
  setRules({ keep: 1 });
  const plan = await preview();
  assert.deepEqual([plan.rows[0]?.record.origin, plan.rows[0]?.spares.map(({ spare }) => spare)], ["manual", ["not-scheduled"]]);
  assert.deepEqual(victims(plan), ["s2", "s3", "s4", "s5"]);
});
