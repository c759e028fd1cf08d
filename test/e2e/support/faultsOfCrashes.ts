import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { rejected } from "../../unit/rejected";
import type { Told } from "../services.process";
import { onDisk, savepointFolders } from "./disk";
import { until } from "./eyes";
import type { FaultBench, Subject } from "./faultBench";
import type { ServicesProcess } from "./servicesProcess";
import { patience } from "./testApp";

/** A crash of the JobManager, which forgets everything. Returns what looks at the end at the stop that it cut off. */
export function describeJobManagerCrash(bench: FaultBench): () => void {
  const outcomes = new Map<Subject, Promise<unknown>>();
  let stopping: Subject;
  describe("a crash of the JobManager, which forgets everything", () => {
    let saving: Subject;
    let written: Subject;
    let unseen: Subject;
    let elsewhere: ServicesProcess;
    let folder: string | undefined;
    before(async () => {
      saving = await bench.startJob();
      written = await bench.startJob();
      stopping = await bench.startJob();
      unseen = await bench.startJob();
      const underWay = (subject: Subject, work: Promise<unknown>): Promise<unknown> => {
        work.catch(() => undefined);
        outcomes.set(subject, work);
        return until(`the savepoint of ${subject.name}`, async () => (await bench.eyes.savepoints(subject.jobId)).length > 0);
      };
      saving.controls.slow(20_000);
      stopping.controls.slow(20_000);
      await underWay(saving, bench.test.app.savepoints.trigger(saving.ref, bench.request(saving), patience()));
      await underWay(stopping, bench.test.app.savepoints.stop(stopping.ref, { ...bench.request(stopping), drain: false }, patience()));
      // Nobody gets to hear how these two end.
      bench.proxy.fate = ({ method, route }) => (method === "GET" && [written, unseen].some(({ jobId }) => route.startsWith(`/jobs/${jobId}/savepoints/`)) ? { forward: false } : undefined);
      await underWay(written, bench.test.app.savepoints.trigger(written.ref, bench.request(written), patience()));
      mkdirSync(unseen.savepoints);
      elsewhere = bench.inProcess({ verb: "trigger", jobId: unseen.jobId, request: bench.request(unseen) }, unseen.savepoints);
      await underWay(unseen, elsewhere.outcome());
      for (const { jobId } of [written, unseen]) await until("a complete savepoint", async () => (await bench.eyes.savepoints(jobId)).some(({ status }) => status === "COMPLETED"));
      folder = savepointFolders(written.savepoints)[0]?.path;
      await bench.flink.killJobManager();
      await bench.flink.startJobManager();
      bench.proxy.calm();
      // The TaskManager would register again only after it has missed the heartbeats of the dead one.
      await bench.flink.killTaskManager();
      await bench.flink.startTaskManager();
    });

    after(() => elsewhere.end());

    it("during a savepoint: no savepoint was written, and the record says so", async () => {
      const error = await rejected(outcomes.get(saving), "savepoint-failed");
      assert.match(error.facts.message, /JobManager was lost/);
      assert.equal((await bench.onlyRecordOf(saving)).state, "failed");
      assert.deepEqual(savepointFolders(saving.savepoints).filter(({ hasMetadata }) => hasMetadata), []);
    });

    it("after the savepoint was written and before we looked: the outcome is unknown, the folder is shown, and can be adopted", async () => {
      const error = await rejected(outcomes.get(written), "outcome-unknown");
      assert.equal(error.facts.lookIn, written.savepoints);
      const record = await bench.onlyRecordOf(written);
      assert.equal(record.state, "unknown");
      assert.deepEqual(record.candidates.map(onDisk), [folder]);
      assert.deepEqual((await bench.test.app.savepoints.candidates(record.id)).map(({ location }) => onDisk(location)), [folder]);
      await bench.test.app.savepoints.adopt(record.id, record.candidates[0] ?? "");
      await bench.assertContinues(written, await bench.test.savepoint(record.id));
    });

    it("seen from a machine that does not see the JobManager's files: the outcome is unknown, and is not taken for a failure", async () => {
      const told = await outcomes.get(unseen) as Told;
      assert.equal(told.at === "failed" && told.code, "outcome-unknown");
      assert.equal((await bench.onlyRecordOf(unseen)).state, "unknown");
      assert.equal(savepointFolders(unseen.savepoints)[0]?.hasMetadata, true);
    });
  });

  // A job that is gone may come back with its JobManager, and is waited for: a minute.
  return () => {
    it("a crash of the JobManager during a stop, long ago: the record has ended, and no savepoint is made up", async () => {
      await rejected(outcomes.get(stopping), "stop-failed");
      const record = await bench.onlyRecordOf(stopping);
      assert.deepEqual([record.state, record.stop?.job, record.path], ["failed", "unknown", null]);
    });
  };
}

/** Crashes of the TaskManager: the job goes on from its last checkpoint. */
export function describeTaskManagerCrash(bench: FaultBench): void {
  describe("a crash", () => {
    it("of the TaskManager during a savepoint fails it, and the job goes on from its last checkpoint", async () => {
      const subject = await bench.startJob("--checkpoint-interval", "300 ms");
      await bench.eyes.untilCheckpointed(subject.jobId);
      subject.controls.slow(4_000);
      const saving = bench.test.app.savepoints.trigger(subject.ref, bench.request(subject), patience());
      saving.catch(() => undefined);
      await until("the savepoint to be under way", async () => (await bench.eyes.savepoints(subject.jobId)).length > 0);
      await bench.flink.killTaskManager();
      subject.controls.off();
      await bench.flink.startTaskManager();
      const error = await rejected(saving, "savepoint-failed");
      assert.equal(error.facts.jobRestarted, true);
      assert.doesNotMatch(error.facts.message, /^Checkpoint Coordinator is suspending/);
      await bench.eyes.untilRuns(subject.jobId);
      assert.deepEqual(savepointFolders(subject.savepoints), []);
      await bench.assertContinues(subject, await bench.test.app.savepoints.stop(subject.ref, { ...bench.request(subject), drain: false }, patience()));
    });

    it("of the TaskManager during a stop leaves the job running on", async () => {
      const subject = await bench.startJob("--checkpoint-interval", "300 ms");
      await bench.eyes.untilCheckpointed(subject.jobId);
      subject.controls.slow(4_000);
      const stopping = bench.test.app.savepoints.stop(subject.ref, { ...bench.request(subject), drain: false }, patience());
      stopping.catch(() => undefined);
      await until("the stop to be under way", async () => (await bench.eyes.savepoints(subject.jobId)).length > 0);
      await bench.flink.killTaskManager();
      subject.controls.off();
      await bench.flink.startTaskManager();
      await rejected(stopping, "stop-failed");
      await bench.eyes.untilRuns(subject.jobId);
      assert.equal((await bench.onlyRecordOf(subject)).stop?.job, "running-on");
    });
  });
}
