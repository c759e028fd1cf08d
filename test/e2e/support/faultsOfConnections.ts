import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { rejected } from "../../unit/rejected";
import { onDisk, savepointFolders } from "./disk";
import type { FaultBench } from "./faultBench";
import type { Fate, Passing } from "./faultyProxy";
import { patience } from "./testApp";

/** Connections that break at every point of a request: one operation each, with its outcome. */
export function describeConnections(bench: FaultBench): void {
  describe("a connection that breaks", () => {
    const breaks: { name: string; fate: (times: number) => Fate | undefined; posts: number }[] = [
      { name: "after Flink answered", fate: (times) => (times === 1 ? { answer: "cut" } : undefined), posts: 1 },
      { name: "before Flink got the request", fate: (times) => (times === 1 ? { forward: false } : undefined), posts: 2 },
      { name: "while the request is on its way, which arrives after we asked for it", fate: (times) => (times === 1 ? { lateMs: 1_200 } : undefined), posts: 2 },
      { name: "in a gateway that answers 502", fate: (times) => (times === 1 ? { answer: 502 } : undefined), posts: 1 },
      { name: "in a gateway that answers 504", fate: (times) => (times === 1 ? { answer: 504 } : undefined), posts: 1 },
    ];
    const on = (method: string, route: RegExp, fate: (times: number) => Fate | undefined): void => {
      let times = 0;
      bench.proxy.fate = (passing: Passing) => (passing.method === method && route.test(passing.route) ? fate(++times) : undefined);
    };
    for (const { name, fate, posts } of breaks) {
      it(`${name} leaves one savepoint, with its outcome`, async () => {
        const subject = await bench.startJob();
        subject.controls.slow(300);
        on("POST", /\/savepoints$/, fate);
        const record = await bench.test.app.savepoints.trigger(subject.ref, bench.request(subject), patience());
        await bench.assertOneSavepoint(subject, record);
        const sent = bench.proxy.sent("POST", new RegExp(`/jobs/${subject.jobId}/savepoints$`));
        assert.equal(sent.length, posts);
        assert.equal(new Set(sent.map(({ body }) => (JSON.parse(body) as { triggerId: string }).triggerId)).size, 1);
        assert.equal(await bench.eyes.state(subject.jobId), "RUNNING");
      });
      it(`${name} stops a job once`, async () => {
        const subject = await bench.startJob();
        subject.controls.slow(300);
        on("POST", /\/stop$/, fate);
        const record = await bench.test.app.savepoints.stop(subject.ref, { ...bench.request(subject), drain: false }, patience());
        await bench.assertOneSavepoint(subject, record);
        assert.equal(record.stop?.job, "stopped");
        assert.equal(await bench.eyes.state(subject.jobId), "FINISHED");
        bench.proxy.calm();
        await bench.assertContinues(subject, record);
      });
    }

    it("after Flink answered a start, finds the job that was started, and starts no other", async () => {
      const subject = await bench.startJob();
      const stopped = await bench.test.app.savepoints.stop(subject.ref, { ...bench.request(subject), drain: false }, patience());
      on("POST", /\/run$/, () => ({ answer: "cut" }));
      const restored = await bench.test.app.restores.start(await bench.restoreOf(subject, stopped), patience());
      assert.equal(restored.state, "running");
      assert.deepEqual((await bench.eyes.jobsNamed(subject.name)).filter(({ state }) => state === "RUNNING"), [{ jobId: restored.id, state: "RUNNING" }]);
      assert.equal((await bench.eyes.restored(restored.id)).path, stopped.path);
      assert.equal(bench.proxy.sent("POST", /\/run$/).filter(({ body }) => body.includes(restored.id)).length, 1);
    });

    it("before Flink got a start, says that the outcome is not known, and starts nothing on a guess", async () => {
      const subject = await bench.startJob();
      const stopped = await bench.test.app.savepoints.stop(subject.ref, { ...bench.request(subject), drain: false }, patience());
      on("POST", /\/run$/, () => ({ forward: false }));
      const error = await rejected(bench.test.app.restores.start(await bench.restoreOf(subject, stopped), patience()), "outcome-unknown");
      assert.equal(error.facts.what, "start");
      assert.deepEqual((await bench.eyes.jobsNamed(subject.name)).filter(({ state }) => state === "RUNNING"), []);
      const restore = (await bench.test.restores()).find((record) => record.savepoint?.recordId === stopped.id);
      assert.equal(restore?.state, "unknown");
      // Nobody holds the savepoint, and the person may start again.
      bench.proxy.calm();
      await bench.assertContinues(subject, stopped);
    });

    it("during an upload starts nothing, and says so at once", async () => {
      const subject = await bench.startJob();
      const stopped = await bench.test.app.savepoints.stop(subject.ref, { ...bench.request(subject), drain: false }, patience());
      on("POST", /\/jars\/upload$/, () => ({ answer: "cut" }));
      await rejected(bench.test.app.restores.start(await bench.restoreOf(subject, stopped, { jar: { file: bench.flink.jarPath, name: "test-job.jar" } }), patience()), "cluster-unreachable");
      const restore = (await bench.test.restores()).find((record) => record.savepoint?.recordId === stopped.id);
      assert.equal(restore?.state, "failed");
      assert.match(restore?.failure?.message ?? "", /connection reset/);
      assert.deepEqual(bench.proxy.sent("POST", /\/run$/).filter(({ body }) => body.includes(restore?.id ?? "-")), []);
    });

    it("while a savepoint is followed changes nothing of its outcome", async () => {
      const subject = await bench.startJob();
      subject.controls.slow(1_000);
      let times = 0;
      const sent = (): boolean => bench.proxy.sent("POST", new RegExp(subject.jobId)).length > 0;
      bench.proxy.fate = ({ method, route }) => (method === "GET" && route.includes(subject.jobId) && sent() && ++times < 5 ? (times % 2 === 0 ? { forward: false } : { answer: 503 }) : undefined);
      await bench.assertOneSavepoint(subject, await bench.test.app.savepoints.trigger(subject.ref, bench.request(subject), patience()));
    });

    it("after Flink answered a disposal, reads the outcome from the files", async () => {
      const subject = await bench.startJob();
      const first = await bench.test.app.savepoints.trigger(subject.ref, bench.request(subject), patience());
      const second = await bench.test.app.savepoints.trigger(subject.ref, bench.request(subject), patience());
      on("POST", /\/savepoint-disposal$/, () => ({ answer: "cut" }));
      const disposed = await bench.test.app.disposals.dispose(first.id, { typedJobName: null }, patience());
      assert.equal(disposed.disposal?.state, "disposed");
      assert.deepEqual(savepointFolders(subject.savepoints).map(({ path: folder }) => folder), [onDisk(second.path ?? "")]);
    });

    it("before Flink got a disposal, reports that the files are still there", async () => {
      const subject = await bench.startJob();
      const first = await bench.test.app.savepoints.trigger(subject.ref, bench.request(subject), patience());
      await bench.test.app.savepoints.trigger(subject.ref, bench.request(subject), patience());
      on("POST", /\/savepoint-disposal$/, () => ({ forward: false }));
      const error = await rejected(bench.test.app.disposals.dispose(first.id, { typedJobName: null }, patience()), "disposal-failed");
      assert.equal(error.facts.gone, "there");
      assert.equal(savepointFolders(subject.savepoints).length, 2);
      bench.proxy.calm();
      assert.equal((await bench.test.app.disposals.dispose(first.id, { typedJobName: null }, patience())).disposal?.state, "disposed");
    });

    it("after Flink answered a cancel, waits for the job's end all the same", async () => {
      const subject = await bench.startJob();
      on("PATCH", /mode=cancel/, () => ({ answer: "cut" }));
      assert.equal(await bench.test.app.jobs.cancel(subject.ref, patience()), "CANCELED");
    });
  });
}
