import assert from "node:assert/strict";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import type { ErrorFacts } from "../../../src/core/errors";
import type { SavepointRecord } from "../../../src/core/ledger/record";
import { rejected } from "../../unit/rejected";
import { onDisk, savepointFolders } from "./disk";
import { until } from "./eyes";
import type { FaultBench, Subject } from "./faultBench";
import { patience } from "./testApp";

/** Disposals that are refused, fail halfway, or cannot be seen. */
export function describeDisposals(bench: FaultBench): void {
  describe("a disposal", () => {
    const refusedFor = async (record: SavepointRecord, typedJobName: string | null = null): Promise<string[]> => {
      const { facts } = await rejected(bench.test.app.disposals.dispose(record.id, { typedJobName }, patience()), "refused");
      assert.ok(savepointFolders(path.dirname(onDisk(record.path ?? ""))).some((folder) => folder.path === onDisk(record.path ?? "") && folder.hasMetadata), "the files are still there");
      assert.equal((await bench.test.savepoint(record.id)).disposal, null);
      return facts.refusals.map(({ rule }) => rule);
    };
    /** Two savepoints, so that neither is the only one. */
    const two = async (subject: Subject): Promise<[SavepointRecord, SavepointRecord]> => [await bench.test.app.savepoints.trigger(subject.ref, bench.request(subject), patience()), await bench.test.app.savepoints.trigger(subject.ref, bench.request(subject), patience())];

    it("is refused for a pinned one, and for the only completed one unless its job's name is typed", async () => {
      const subject = await bench.startJob();
      const record = await bench.test.app.savepoints.trigger(subject.ref, bench.request(subject), patience());
      await bench.test.app.savepoints.pin(record.id, true);
      assert.deepEqual(await refusedFor(record, subject.name), ["pinned"]);
      await bench.test.app.savepoints.pin(record.id, false);
      assert.deepEqual(await refusedFor(record), ["only-completed"]);
      assert.deepEqual(await refusedFor(record, "another name"), ["only-completed"]);
      assert.equal((await bench.test.app.disposals.dispose(record.id, { typedJobName: subject.name }, patience())).disposal?.state, "disposed");
      assert.deepEqual(savepointFolders(subject.savepoints), []);
    });

    it("is refused for the savepoint a running job was restored from by others, whatever their claim mode", async () => {
      const subject = await bench.startJob();
      const [first] = await two(subject);
      await bench.eyes.cancel(subject.jobId);
      await bench.eyes.run({ name: subject.name, args: subject.args.slice(2), savepointPath: first.path ?? "" });
      assert.deepEqual(await refusedFor(first, subject.name), ["restore-source"]);
    });

    it("C-26: is refused after a NO_CLAIM restore until the job has completed a checkpoint of its own", async () => {
      const subject = await bench.startJob("--checkpoint-interval", "1 s");
      const [first] = await two(subject);
      await bench.eyes.cancel(subject.jobId);
      subject.controls.slow(1_500);
      const restored = await bench.test.app.restores.start(await bench.restoreOf(subject, first), patience());
      assert.deepEqual(await refusedFor(first), ["no-claim-not-safe"]);
      subject.controls.off();
      await until("the start to be safe", async () => (await bench.test.restore(restored.id)).state === "safe");
      assert.equal((await bench.test.app.disposals.dispose(first.id, { typedJobName: null }, patience())).disposal?.state, "disposed");
      // The next failover does without it.
      subject.controls.on("fail-process");
      await bench.eyes.untilState(restored.id, "RESTARTING");
      subject.controls.off();
      await bench.eyes.untilRuns(restored.id);
    });

    it("C-27: is refused for a claimed one, and so is a second restore from it", async () => {
      const subject = await bench.startJob();
      const [first] = await two(subject);
      await bench.eyes.cancel(subject.jobId);
      const restored = await bench.test.app.restores.start(await bench.restoreOf(subject, first, { claimMode: "CLAIM" }), patience());
      assert.deepEqual(await refusedFor(first), ["claimed"]);
      await bench.eyes.cancel(restored.id);
      assert.deepEqual(await refusedFor(first), ["claimed"], "its checkpoints may live in it");
      const { facts } = await rejected(bench.restoreOf(subject, first).then((wanted) => bench.test.app.restores.start(wanted, patience())), "refused");
      assert.deepEqual(facts.refusals.map(({ rule }) => rule), ["claimed"]);
    });

    it("of a folder with a foreign file in it fails, tells what is left, and the row no longer counts as a savepoint", async () => {
      const subject = await bench.startJob();
      const [first, second] = await two(subject);
      writeFileSync(path.join(onDisk(first.path ?? ""), "notes.txt"), "mine");
      const error = await rejected(bench.test.app.disposals.dispose(first.id, { typedJobName: null }, patience()), "disposal-failed");
      assert.equal(error.facts.gone, "partly");
      assert.deepEqual(readdirSync(onDisk(first.path ?? "")), ["notes.txt"]);
      assert.deepEqual(await refusedFor(second), ["only-completed"], "what lost its _metadata is no savepoint to fall back on");
    });

    it("of a folder that somebody removed ends as disposed, because it is seen to be gone", async () => {
      const subject = await bench.startJob();
      const [first] = await two(subject);
      rmSync(onDisk(first.path ?? ""), { recursive: true });
      assert.equal((await bench.test.app.disposals.dispose(first.id, { typedJobName: null }, patience())).disposal?.state, "disposed");
      assert.equal(savepointFolders(subject.savepoints).length, 1);
      const { facts } = await rejected(bench.test.app.disposals.dispose(first.id, { typedJobName: null }, patience()), "refused");
      assert.deepEqual(facts.refusals, [{ rule: "already-disposed" }]);
    });

    it("asked for twice in the same moment is done once", async () => {
      const subject = await bench.startJob();
      const [first, second] = await two(subject);
      const outcomes = await Promise.allSettled([1, 2].map(() => bench.test.app.disposals.dispose(first.id, { typedJobName: null }, patience())));
      assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
      assert.equal(bench.proxy.sent("POST", /disposal/).filter(({ body }) => body.includes(path.basename(first.path ?? "-"))).length, 1);
      assert.deepEqual(savepointFolders(subject.savepoints).map(({ path: folder }) => folder), [onDisk(second.path ?? "")]);
    });
  });

  it("a machine that does not see the JobManager's files takes nothing for disposed because it sees nothing", async () => {
    const subject = await bench.startJob();
    const first = await bench.test.app.savepoints.trigger(subject.ref, bench.request(subject), patience());
    await bench.test.app.savepoints.trigger(subject.ref, bench.request(subject), patience());
    bench.proxy.fate = ({ method, route }) => (method === "POST" && /disposal$/.test(route) ? { forward: false } : undefined);
    const elsewhere = bench.inProcess({ verb: "dispose", recordId: first.id, typedJobName: null }, subject.savepoints);
    const told = await elsewhere.outcome();
    await elsewhere.end();
    assert.deepEqual(told.at === "failed" && [told.code, (told.facts as ErrorFacts["disposal-failed"]).gone], ["disposal-failed", "unknown"]);
    assert.equal((await bench.test.savepoint(first.id)).disposal?.state, "unknown");
    assert.equal(savepointFolders(subject.savepoints).length, 2);
  });
}
