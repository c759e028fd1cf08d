import assert from "node:assert/strict";
import path from "node:path";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { explain } from "../../../src/core/explain";
import { isFlinkError } from "../../../src/core/errors";
import { checkExactlyOnce } from "../../rig/flink";
import { rejected } from "../../unit/rejected";
import { savepointFolders } from "./disk";
import { until } from "./eyes";
import { type FaultBench, own, type Subject } from "./faultBench";
import { openApp, patience } from "./testApp";

/** Jobs that fail, hang or are stopped twice while a savepoint of them is taken. */
export function describeJobs(bench: FaultBench): void {
  describe("the job", () => {
    it("without checkpoints fails in a savepoint: the warning came before, Flink's real reason after, and nothing is left on the disk", async () => {
      const subject = await bench.startJob();
      assert.deepEqual((await bench.test.app.savepoints.readiness(subject.ref, "trigger", patience().signal)).warnings, [{ warning: "restart-from-scratch", checkpointing: false, startedFrom: null }]);
      subject.controls.on("fail-snapshot");
      const error = await rejected(bench.test.app.savepoints.trigger(subject.ref, bench.request(subject), patience()), "savepoint-failed");
      assert.match(error.facts.message, /fail-snapshot requested/);
      assert.equal(error.facts.jobRestarted, true);
      assert.match(explain(error).message, /restarted the job/);
      assert.equal((await bench.onlyRecordOf(subject)).jobRestarted, true);
      assert.deepEqual(savepointFolders(subject.savepoints), []);
      subject.controls.off();
      await bench.eyes.untilRuns(subject.jobId);
      assert.equal((await bench.eyes.restored(subject.jobId)).count, 0, "as warned, it began from bench.scratch");
    });

    it("with a completed checkpoint fails in a savepoint: no warning, and it goes on from the checkpoint", async () => {
      const subject = await bench.startJob("--checkpoint-interval", "500 ms", "--conf", "execution.checkpointing.tolerable-failed-checkpoints=0");
      await bench.eyes.untilCheckpointed(subject.jobId);
      assert.deepEqual((await bench.test.app.savepoints.readiness(subject.ref, "trigger", patience().signal)).warnings, []);
      subject.controls.on("fail-snapshot");
      // A periodic checkpoint may fail first; then the job restarts just as it is asked for a savepoint, which is refused.
      const error = await rejected(bench.test.app.savepoints.trigger(subject.ref, bench.request(subject), patience()), "savepoint-failed", "refused");
      if (isFlinkError(error, "savepoint-failed")) assert.match(error.facts.message, /fail-snapshot requested|not being executed|Not all required tasks/);
      if (isFlinkError(error, "refused")) assert.deepEqual(error.facts.refusals.map(({ rule }) => rule), ["job-not-running"]);
      subject.controls.off();
      await bench.eyes.untilRuns(subject.jobId);
      await until("a restart from the checkpoint", async () => (await bench.eyes.restored(subject.jobId)).count > 0);
      const record = await bench.test.app.savepoints.stop(subject.ref, { ...bench.request(subject), drain: false }, patience());
      await bench.assertContinues(subject, record);
    });

    it("that waits for its first checkpoint is warned about, too", async () => {
      // From 2.3 on the first one begins at once; it may take its time.
      const subject = await bench.startSteered((controls) => controls.slow(60_000), "--checkpoint-interval", "1 h");
      assert.deepEqual((await bench.test.app.savepoints.readiness(subject.ref, "trigger", patience().signal)).warnings, [{ warning: "restart-from-scratch", checkpointing: true, startedFrom: null }]);
    });

    it("fails in the savepoint of a stop: it was not stopped, and the record says that it runs on", async () => {
      // No periodic checkpoint: from 2.3 on the first one begins at once, and might be the one to fail.
      const subject = await bench.startJob();
      subject.controls.on("fail-snapshot");
      const error = await rejected(bench.test.app.savepoints.stop(subject.ref, { ...bench.request(subject), drain: false }, patience()), "stop-failed");
      assert.match(error.facts.message, /fail-snapshot requested/);
      const record = await bench.onlyRecordOf(subject);
      assert.deepEqual([record.state, record.jobRestarted, record.stop?.job], ["failed", true, "running-on"]);
      subject.controls.off();
      await bench.eyes.untilRuns(subject.jobId);
      assert.deepEqual(savepointFolders(subject.savepoints), []);
    });

    it("takes longer than the checkpoint timeout: a savepoint expires and leaves it alone, a stop expires and restarts it", async () => {
      const subject = await bench.startJob("--conf", "execution.checkpointing.timeout=1 s");
      subject.controls.slow(2_000);
      const saving = await rejected(bench.test.app.savepoints.trigger(subject.ref, bench.request(subject), patience()), "savepoint-failed");
      assert.match(saving.facts.message, /expired before completing/);
      assert.equal(saving.facts.jobRestarted, false);
      const stopping = await rejected(bench.test.app.savepoints.stop(subject.ref, { ...bench.request(subject), drain: false }, patience()), "stop-failed");
      assert.match(stopping.facts.message, /expired before completing|Stop-with-savepoint failed/);
      subject.controls.off();
      await bench.eyes.untilRuns(subject.jobId);
      assert.deepEqual((await bench.recordsOf(subject)).map(({ state, stop, jobRestarted }) => [state, stop?.job ?? "no stop", jobRestarted]).sort(), [["failed", "no stop", false], ["failed", "running-on", true]]);
      assert.deepEqual(savepointFolders(subject.savepoints).filter(({ hasMetadata }) => hasMetadata), []);
    });

    it("fails while committing during a stop: the savepoint is complete, is offered, and a job restored from it goes on exactly", async () => {
      const subject = await bench.startJob();
      subject.controls.on("fail-commit");
      const error = await rejected(bench.test.app.savepoints.stop(subject.ref, { ...bench.request(subject), drain: false }, patience()), "stopped-uncleanly");
      assert.equal(await bench.eyes.state(subject.jobId), "FAILED");
      const record = await bench.onlyRecordOf(subject);
      assert.equal(error.facts.path, record.path);
      assert.deepEqual([record.state, record.stop?.job], ["completed", "failed"]);
      await bench.assertOneSavepoint(subject, record);
      assert.deepEqual((await bench.test.app.restores.readiness(bench.proxy.url, record.path, patience().signal)).warnings, [{ warning: "uncommitted", jobState: "FAILED" }]);
      subject.controls.off();
      await bench.assertContinues(subject, record);
    });

    it("fails while committing in a stop-then-restore: the plan waits, and continues from the complete savepoint when asked", async () => {
      const subject = await bench.startJob();
      subject.controls.on("fail-commit");
      await rejected(bench.test.app.restores.stopThenRestore(subject.ref, bench.request(subject), await bench.restoreOf(subject, null), patience()), "stopped-uncleanly");
      const [plan, ...others] = (await bench.test.app.restores.planned()).filter(({ jobName }) => jobName === subject.name);
      assert.ok(plan !== undefined && others.length === 0);
      subject.controls.off();
      const restored = await bench.test.app.restores.continue(plan.id, patience());
      assert.equal((await bench.eyes.restored(restored.id)).path, (await bench.onlyRecordOf(subject)).path);
      await bench.test.app.savepoints.stop({ cluster: bench.proxy.url, jobId: restored.id }, { ...own, drain: false }, patience());
      assert.ok(await checkExactlyOnce(subject.out) > 0);
    });

    it("stops although its savepoint takes long, and a second stop or savepoint is refused meanwhile, from another window too", async () => {
      const subject = await bench.startJob();
      subject.controls.slow(2_500);
      const otherWindow = openApp({ ledgerFolder: path.join(bench.scratch, "ledger"), clusters: [bench.proxy.url] });
      const stopping = bench.test.app.savepoints.stop(subject.ref, { ...bench.request(subject), drain: false }, patience());
      await until("the stop to be under way", async () => (await bench.eyes.savepoints(subject.jobId)).some(({ status }) => status === "IN_PROGRESS"));
      for (const window of [bench.test, otherWindow]) {
        for (const second of [() => window.app.savepoints.stop(subject.ref, { ...bench.request(subject), drain: false }, patience()), () => window.app.savepoints.trigger(subject.ref, bench.request(subject), patience())]) {
          const { facts } = await rejected(second(), "refused");
          assert.deepEqual(facts.refusals.map((refusal) => (refusal.rule === "operation-running" ? refusal.what : refusal.rule)), ["stop"]);
        }
      }
      const record = await stopping;
      otherWindow.dispose();
      subject.controls.off();
      await bench.assertOneSavepoint(subject, record);
      assert.equal(await bench.eyes.state(subject.jobId), "FINISHED");
      await bench.assertContinues(subject, record);
    });

    it("is stopped once when two windows stop it in the same moment", async () => {
      const subject = await bench.startJob();
      subject.controls.slow(500);
      const otherWindow = openApp({ ledgerFolder: path.join(bench.scratch, "ledger"), clusters: [bench.proxy.url] });
      const outcomes = await Promise.allSettled([bench.test, otherWindow].map((window) => window.app.savepoints.stop(subject.ref, { ...bench.request(subject), drain: false }, patience())));
      otherWindow.dispose();
      assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
      const lost = outcomes.find((outcome) => outcome.status === "rejected");
      assert.ok(isFlinkError(lost?.reason, "refused"));
      assert.equal(await bench.eyes.state(subject.jobId), "FINISHED");
      assert.equal(bench.proxy.sent("POST", new RegExp(`/jobs/${subject.jobId}/stop$`)).length, 1);
      const completed = (await bench.recordsOf(subject)).filter(({ state }) => state === "completed");
      assert.equal(completed.length, 1);
      assert.equal(savepointFolders(subject.savepoints).length, 1);
    });

    it("is not stopped again while somebody else stops it", async () => {
      const subject = await bench.startJob();
      subject.controls.slow(1_500);
      await bench.eyes.rest("POST", `/jobs/${subject.jobId}/stop`, { targetDirectory: path.join(bench.scratch, "others") });
      await until("the stop of others", async () => (await bench.eyes.savepoints(subject.jobId)).some(({ status }) => status === "IN_PROGRESS"));
      const { facts } = await rejected(bench.test.app.savepoints.stop(subject.ref, { ...bench.request(subject), drain: false }, patience()), "refused");
      assert.equal(facts.refusals[0]?.rule, "operation-running");
      await bench.eyes.untilState(subject.jobId, "FINISHED");
      assert.equal(savepointFolders(path.join(bench.scratch, "others")).length, 1);
    });

    it("whose tasks are still waiting is saved as soon as they run, instead of sending what Flink refuses", async () => {
      const others = await Promise.all(Array.from({ length: 7 }, () => bench.startJob()));
      const subject = await startWaiting();
      const saving = bench.test.app.savepoints.trigger(subject.ref, bench.request(subject), patience());
      await sleep(700);
      assert.equal(bench.proxy.sent("POST", new RegExp(`/jobs/${subject.jobId}/savepoints$`)).length, 0);
      await bench.eyes.cancel((others[0] as Subject).jobId);
      await bench.assertOneSavepoint(subject, await saving);
    });

    /** A job of two tasks where one slot is free. */
    const startWaiting = async (): Promise<Subject> => {
      const subject = await bench.startJob();
      await bench.eyes.cancel(subject.jobId);
      const jobId = await bench.eyes.run({ name: subject.name, args: subject.args.slice(2), parallelism: 2 }, false);
      await bench.eyes.untilState(jobId, "RUNNING");
      return { ...subject, jobId, ref: { cluster: bench.proxy.url, jobId } };
    };

    it("goes on being followed when the person stops waiting, and the outcome is still recorded", async () => {
      const subject = await bench.startJob();
      subject.controls.slow(1_000);
      const run = patience();
      const waiting = bench.test.app.savepoints.trigger(subject.ref, bench.request(subject), run);
      waiting.catch(() => undefined);
      await until("the savepoint to be under way", async () => (await bench.eyes.savepoints(subject.jobId)).length > 0);
      run.abort();
      await assert.rejects(waiting, { name: "AbortError" });
      await until("the outcome", async () => (await bench.recordsOf(subject))[0]?.checkpointId !== null);
      await bench.assertOneSavepoint(subject, await bench.onlyRecordOf(subject));
    });
  });
}
