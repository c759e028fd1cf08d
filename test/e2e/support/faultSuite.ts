import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { explain } from "../../../src/core/explain";
import { isFlinkError, type ErrorFacts } from "../../../src/core/errors";
import type { SavepointRecord } from "../../../src/core/ledger/record";
import type { RestoreRequest } from "../../../src/services/restores";
import type { SavepointRequest } from "../../../src/services/savepoints";
import { checkExactlyOnce, startFlink, type TestFlink } from "../../rig/flink";
import type { Told, Verb } from "../services.process";
import { Controls, onDisk, savepointFolders, scratchFolder } from "./disk";
import { Eyes, until } from "./eyes";
import { FaultyProxy, type Fate, type Passing } from "./faultyProxy";
import { ServicesProcess } from "./servicesProcess";
import { makeFull, makeUnwritable } from "./smallDisk";
import { openApp, patience, type TestApp } from "./testApp";
import { rejected } from "../../unit/rejected";

const own: SavepointRequest = { directory: null, format: "canonical", description: "" };
const small = ["--window", "false", "--broadcast", "false"];
/** Crashes are noticed within seconds. */
const quick = { "web.refresh-interval": "100", "heartbeat.interval": "500", "heartbeat.timeout": "4000" };

/**
 * Faults on a real Flink of one version. After each of them nothing may be lost, nothing doubled, and the outcome must have been found:
 * what the ledger says is compared with Flink's own account and with what lies on the disk.
 */
export function describeFaults(version: string, port: number): void {
  describe(`faults on Flink ${version}`, () => {
    let flink: TestFlink;
    let eyes: Eyes;
    let proxy: FaultyProxy;
    let test: TestApp;
    let scratch: string;
    let jobs = 0;

    before(async () => {
      scratch = scratchFolder("faults");
      flink = await startFlink(version, { port, extraConfig: quick });
      eyes = new Eyes(flink);
      proxy = await FaultyProxy.open(flink.url);
      test = openApp({ ledgerFolder: path.join(scratch, "ledger"), clusters: [proxy.url] });
    });
    afterEach(async () => {
      proxy.calm();
      await eyes.cancelAll();
    });
    after(async () => {
      test?.dispose();
      proxy?.close();
      await flink?.stop();
    });

    /** A job of its own for each test, with its own control files, output and savepoint directory. */
    const startJob = (...args: string[]): Promise<Subject> => startSteered(() => undefined, ...args);
    const startSteered = async (steer: (controls: Controls) => void, ...args: string[]): Promise<Subject> => {
      const name = `job-${++jobs}`;
      const folder = path.join(scratch, name);
      const controls = new Controls(path.join(folder, "control"));
      controls.make();
      steer(controls);
      const out = path.join(folder, "out");
      const all = [...small, "--out", out, "--control", controls.folder, "--restart-delay", "200 ms", ...args];
      const jobId = await eyes.run({ name, args: all });
      return { name, jobId, ref: { cluster: proxy.url, jobId }, out, args: ["--job-name", name, ...all], controls, savepoints: path.join(folder, "savepoints") };
    };
    const request = (subject: Subject): SavepointRequest => ({ ...own, directory: subject.savepoints });
    const restoreOf = async (subject: Subject, savepoint: Pick<SavepointRecord, "path" | "id" | "checkpointId"> | null, more: Partial<RestoreRequest> = {}): Promise<RestoreRequest> => ({
      cluster: proxy.url, jobName: subject.name, savepoint: savepoint && { path: savepoint.path ?? "", recordId: savepoint.id, checkpointId: savepoint.checkpointId },
      jar: { id: await flink.upload(), name: "test-job.jar" }, programArgs: subject.args, claimMode: "NO_CLAIM", allowNonRestoredState: false, ...more,
    });
    const recordsOf = async (subject: Subject): Promise<readonly SavepointRecord[]> => (await test.savepoints()).filter((record) => record.job.id === subject.jobId);
    const onlyRecordOf = async (subject: Subject): Promise<SavepointRecord> => {
      const records = await recordsOf(subject);
      assert.equal(records.length, 1);
      return records[0] as SavepointRecord;
    };

    /** The services in a process of their own, which sees `hiding` empty. */
    const inProcess = (what: Verb, hiding: string): ServicesProcess => new ServicesProcess({ options: { ledgerFolder: path.join(scratch, "ledger"), clusters: [proxy.url] }, cluster: proxy.url, what }, hiding);

    /** One savepoint in the record, in Flink's history and on the disk, and they are the same. */
    const assertOneSavepoint = async (subject: Subject, record: SavepointRecord): Promise<void> => {
      assert.equal(record.state, "completed");
      assert.deepEqual(savepointFolders(subject.savepoints), [{ path: onDisk(record.path ?? ""), hasMetadata: true }]);
      assert.deepEqual((await eyes.savepoints(subject.jobId)).filter(({ status }) => status === "COMPLETED").map((seen) => seen.path), [record.path]);
      assert.deepEqual((await recordsOf(subject)).map(({ id }) => id), [record.id]);
    };
    /** The savepoint starts a job that goes on where the old one was: stops it and counts what came out. */
    const assertContinues = async (subject: Subject, savepoint: SavepointRecord): Promise<void> => {
      const restored = await test.app.restores.start(await restoreOf(subject, savepoint), patience());
      await sleep(300);
      const stopped = await test.app.savepoints.stop({ cluster: proxy.url, jobId: restored.id }, { ...own, drain: false }, patience());
      assert.equal(stopped.stop?.job, "stopped");
      assert.ok(await checkExactlyOnce(subject.out) > 0);
    };

    const outcomes = new Map<Subject, Promise<unknown>>();
    let stopping: Subject;
    describe("a crash of the JobManager, which forgets everything", () => {
      let saving: Subject;
      let written: Subject;
      let unseen: Subject;
      let elsewhere: ServicesProcess;
      let folder: string | undefined;
      before(async () => {
        saving = await startJob();
        written = await startJob();
        stopping = await startJob();
        unseen = await startJob();
        const underWay = (subject: Subject, work: Promise<unknown>): Promise<unknown> => {
          work.catch(() => undefined);
          outcomes.set(subject, work);
          return until(`the savepoint of ${subject.name}`, async () => (await eyes.savepoints(subject.jobId)).length > 0);
        };
        saving.controls.slow(20_000);
        stopping.controls.slow(20_000);
        await underWay(saving, test.app.savepoints.trigger(saving.ref, request(saving), patience()));
        await underWay(stopping, test.app.savepoints.stop(stopping.ref, { ...request(stopping), drain: false }, patience()));
        // Nobody gets to hear how these two end.
        proxy.fate = ({ method, route }) => (method === "GET" && [written, unseen].some(({ jobId }) => route.startsWith(`/jobs/${jobId}/savepoints/`)) ? { forward: false } : undefined);
        await underWay(written, test.app.savepoints.trigger(written.ref, request(written), patience()));
        mkdirSync(unseen.savepoints);
        elsewhere = inProcess({ verb: "trigger", jobId: unseen.jobId, request: request(unseen) }, unseen.savepoints);
        await underWay(unseen, elsewhere.outcome());
        for (const { jobId } of [written, unseen]) await until("a complete savepoint", async () => (await eyes.savepoints(jobId)).some(({ status }) => status === "COMPLETED"));
        folder = savepointFolders(written.savepoints)[0]?.path;
        await flink.killJobManager();
        await flink.startJobManager();
        proxy.calm();
        // The TaskManager would register again only after it has missed the heartbeats of the dead one.
        await flink.killTaskManager();
        await flink.startTaskManager();
      });

      after(() => elsewhere.end());

      it("during a savepoint: no savepoint was written, and the record says so", async () => {
        const error = await rejected(outcomes.get(saving), "savepoint-failed");
        assert.match(error.facts.message, /JobManager was lost/);
        assert.equal((await onlyRecordOf(saving)).state, "failed");
        assert.deepEqual(savepointFolders(saving.savepoints).filter(({ hasMetadata }) => hasMetadata), []);
      });

      it("after the savepoint was written and before we looked: the outcome is unknown, the folder is shown, and can be adopted", async () => {
        const error = await rejected(outcomes.get(written), "outcome-unknown");
        assert.equal(error.facts.lookIn, written.savepoints);
        const record = await onlyRecordOf(written);
        assert.equal(record.state, "unknown");
        assert.deepEqual(record.candidates.map(onDisk), [folder]);
        assert.deepEqual((await test.app.savepoints.candidates(record.id)).map(({ location }) => onDisk(location)), [folder]);
        await test.app.savepoints.adopt(record.id, record.candidates[0] ?? "");
        await assertContinues(written, await test.savepoint(record.id));
      });

      it("seen from a machine that does not see the JobManager's files: the outcome is unknown, and is not taken for a failure", async () => {
        const told = await outcomes.get(unseen) as Told;
        assert.equal(told.at === "failed" && told.code, "outcome-unknown");
        assert.equal((await onlyRecordOf(unseen)).state, "unknown");
        assert.equal(savepointFolders(unseen.savepoints)[0]?.hasMetadata, true);
      });
    });

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
        proxy.fate = (passing: Passing) => (passing.method === method && route.test(passing.route) ? fate(++times) : undefined);
      };
      for (const { name, fate, posts } of breaks) {
        it(`${name} leaves one savepoint, with its outcome`, async () => {
          const subject = await startJob();
          subject.controls.slow(300);
          on("POST", /\/savepoints$/, fate);
          const record = await test.app.savepoints.trigger(subject.ref, request(subject), patience());
          await assertOneSavepoint(subject, record);
          const sent = proxy.sent("POST", new RegExp(`/jobs/${subject.jobId}/savepoints$`));
          assert.equal(sent.length, posts);
          assert.equal(new Set(sent.map(({ body }) => (JSON.parse(body) as { triggerId: string }).triggerId)).size, 1);
          assert.equal(await eyes.state(subject.jobId), "RUNNING");
        });
        it(`${name} stops a job once`, async () => {
          const subject = await startJob();
          subject.controls.slow(300);
          on("POST", /\/stop$/, fate);
          const record = await test.app.savepoints.stop(subject.ref, { ...request(subject), drain: false }, patience());
          await assertOneSavepoint(subject, record);
          assert.equal(record.stop?.job, "stopped");
          assert.equal(await eyes.state(subject.jobId), "FINISHED");
          proxy.calm();
          await assertContinues(subject, record);
        });
      }

      it("after Flink answered a start, finds the job that was started, and starts no other", async () => {
        const subject = await startJob();
        const stopped = await test.app.savepoints.stop(subject.ref, { ...request(subject), drain: false }, patience());
        on("POST", /\/run$/, () => ({ answer: "cut" }));
        const restored = await test.app.restores.start(await restoreOf(subject, stopped), patience());
        assert.equal(restored.state, "running");
        assert.deepEqual((await eyes.jobsNamed(subject.name)).filter(({ state }) => state === "RUNNING"), [{ jobId: restored.id, state: "RUNNING" }]);
        assert.equal((await eyes.restored(restored.id)).path, stopped.path);
        assert.equal(proxy.sent("POST", /\/run$/).filter(({ body }) => body.includes(restored.id)).length, 1);
      });

      it("before Flink got a start, says that the outcome is not known, and starts nothing on a guess", async () => {
        const subject = await startJob();
        const stopped = await test.app.savepoints.stop(subject.ref, { ...request(subject), drain: false }, patience());
        on("POST", /\/run$/, () => ({ forward: false }));
        const error = await rejected(test.app.restores.start(await restoreOf(subject, stopped), patience()), "outcome-unknown");
        assert.equal(error.facts.what, "start");
        assert.deepEqual((await eyes.jobsNamed(subject.name)).filter(({ state }) => state === "RUNNING"), []);
        const restore = (await test.restores()).find((record) => record.savepoint?.recordId === stopped.id);
        assert.equal(restore?.state, "unknown");
        // Nobody holds the savepoint, and the person may start again.
        proxy.calm();
        await assertContinues(subject, stopped);
      });

      it("during an upload starts nothing, and says so at once", async () => {
        const subject = await startJob();
        const stopped = await test.app.savepoints.stop(subject.ref, { ...request(subject), drain: false }, patience());
        on("POST", /\/jars\/upload$/, () => ({ answer: "cut" }));
        await rejected(test.app.restores.start(await restoreOf(subject, stopped, { jar: { file: flink.jarPath, name: "test-job.jar" } }), patience()), "cluster-unreachable");
        const restore = (await test.restores()).find((record) => record.savepoint?.recordId === stopped.id);
        assert.equal(restore?.state, "failed");
        assert.match(restore?.failure?.message ?? "", /connection reset/);
        assert.deepEqual(proxy.sent("POST", /\/run$/).filter(({ body }) => body.includes(restore?.id ?? "-")), []);
      });

      it("while a savepoint is followed changes nothing of its outcome", async () => {
        const subject = await startJob();
        subject.controls.slow(1_000);
        let times = 0;
        const sent = (): boolean => proxy.sent("POST", new RegExp(subject.jobId)).length > 0;
        proxy.fate = ({ method, route }) => (method === "GET" && route.includes(subject.jobId) && sent() && ++times < 5 ? (times % 2 === 0 ? { forward: false } : { answer: 503 }) : undefined);
        await assertOneSavepoint(subject, await test.app.savepoints.trigger(subject.ref, request(subject), patience()));
      });

      it("after Flink answered a disposal, reads the outcome from the files", async () => {
        const subject = await startJob();
        const first = await test.app.savepoints.trigger(subject.ref, request(subject), patience());
        const second = await test.app.savepoints.trigger(subject.ref, request(subject), patience());
        on("POST", /\/savepoint-disposal$/, () => ({ answer: "cut" }));
        const disposed = await test.app.disposals.dispose(first.id, { typedJobName: null }, patience());
        assert.equal(disposed.disposal?.state, "disposed");
        assert.deepEqual(savepointFolders(subject.savepoints).map(({ path: folder }) => folder), [onDisk(second.path ?? "")]);
      });

      it("before Flink got a disposal, reports that the files are still there", async () => {
        const subject = await startJob();
        const first = await test.app.savepoints.trigger(subject.ref, request(subject), patience());
        await test.app.savepoints.trigger(subject.ref, request(subject), patience());
        on("POST", /\/savepoint-disposal$/, () => ({ forward: false }));
        const error = await rejected(test.app.disposals.dispose(first.id, { typedJobName: null }, patience()), "disposal-failed");
        assert.equal(error.facts.gone, "there");
        assert.equal(savepointFolders(subject.savepoints).length, 2);
        proxy.calm();
        assert.equal((await test.app.disposals.dispose(first.id, { typedJobName: null }, patience())).disposal?.state, "disposed");
      });

      it("after Flink answered a cancel, waits for the job's end all the same", async () => {
        const subject = await startJob();
        on("PATCH", /mode=cancel/, () => ({ answer: "cut" }));
        assert.equal(await test.app.jobs.cancel(subject.ref, patience()), "CANCELED");
      });
    });

    describe("the job", () => {
      it("without checkpoints fails in a savepoint: the warning came before, Flink's real reason after, and nothing is left on the disk", async () => {
        const subject = await startJob();
        assert.deepEqual((await test.app.savepoints.readiness(subject.ref, "trigger", patience().signal)).warnings, [{ warning: "restart-from-scratch", checkpointing: false, startedFrom: null }]);
        subject.controls.on("fail-snapshot");
        const error = await rejected(test.app.savepoints.trigger(subject.ref, request(subject), patience()), "savepoint-failed");
        assert.match(error.facts.message, /fail-snapshot requested/);
        assert.equal(error.facts.jobRestarted, true);
        assert.match(explain(error).message, /restarted the job/);
        assert.equal((await onlyRecordOf(subject)).jobRestarted, true);
        assert.deepEqual(savepointFolders(subject.savepoints), []);
        subject.controls.off();
        await eyes.untilRuns(subject.jobId);
        assert.equal((await eyes.restored(subject.jobId)).count, 0, "as warned, it began from scratch");
      });

      it("with a completed checkpoint fails in a savepoint: no warning, and it goes on from the checkpoint", async () => {
        const subject = await startJob("--checkpoint-interval", "500 ms", "--conf", "execution.checkpointing.tolerable-failed-checkpoints=0");
        await eyes.untilCheckpointed(subject.jobId);
        assert.deepEqual((await test.app.savepoints.readiness(subject.ref, "trigger", patience().signal)).warnings, []);
        subject.controls.on("fail-snapshot");
        // A periodic checkpoint may fail first; then the job restarts just as it is asked for a savepoint, which is refused.
        const error = await rejected(test.app.savepoints.trigger(subject.ref, request(subject), patience()), "savepoint-failed", "refused");
        if (isFlinkError(error, "savepoint-failed")) assert.match(error.facts.message, /fail-snapshot requested|not being executed|Not all required tasks/);
        if (isFlinkError(error, "refused")) assert.deepEqual(error.facts.refusals.map(({ rule }) => rule), ["job-not-running"]);
        subject.controls.off();
        await eyes.untilRuns(subject.jobId);
        await until("a restart from the checkpoint", async () => (await eyes.restored(subject.jobId)).count > 0);
        const record = await test.app.savepoints.stop(subject.ref, { ...request(subject), drain: false }, patience());
        await assertContinues(subject, record);
      });

      it("that waits for its first checkpoint is warned about, too", async () => {
        // From 2.3 on the first one begins at once; it may take its time.
        const subject = await startSteered((controls) => controls.slow(60_000), "--checkpoint-interval", "1 h");
        assert.deepEqual((await test.app.savepoints.readiness(subject.ref, "trigger", patience().signal)).warnings, [{ warning: "restart-from-scratch", checkpointing: true, startedFrom: null }]);
      });

      it("fails in the savepoint of a stop: it was not stopped, and the record says that it runs on", async () => {
        const subject = await startJob("--checkpoint-interval", "10 min");
        subject.controls.on("fail-snapshot");
        const error = await rejected(test.app.savepoints.stop(subject.ref, { ...request(subject), drain: false }, patience()), "stop-failed");
        assert.match(error.facts.message, /fail-snapshot requested/);
        const record = await onlyRecordOf(subject);
        assert.deepEqual([record.state, record.jobRestarted, record.stop?.job], ["failed", true, "running-on"]);
        subject.controls.off();
        await eyes.untilRuns(subject.jobId);
        assert.deepEqual(savepointFolders(subject.savepoints), []);
      });

      it("takes longer than the checkpoint timeout: a savepoint expires and leaves it alone, a stop expires and restarts it", async () => {
        const subject = await startJob("--conf", "execution.checkpointing.timeout=1 s");
        subject.controls.slow(2_000);
        const saving = await rejected(test.app.savepoints.trigger(subject.ref, request(subject), patience()), "savepoint-failed");
        assert.match(saving.facts.message, /expired before completing/);
        assert.equal(saving.facts.jobRestarted, false);
        const stopping = await rejected(test.app.savepoints.stop(subject.ref, { ...request(subject), drain: false }, patience()), "stop-failed");
        assert.match(stopping.facts.message, /expired before completing|Stop-with-savepoint failed/);
        subject.controls.off();
        await eyes.untilRuns(subject.jobId);
        assert.deepEqual((await recordsOf(subject)).map(({ state, stop, jobRestarted }) => [state, stop?.job ?? "no stop", jobRestarted]).sort(), [["failed", "no stop", false], ["failed", "running-on", true]]);
        assert.deepEqual(savepointFolders(subject.savepoints).filter(({ hasMetadata }) => hasMetadata), []);
      });

      it("fails while committing during a stop: the savepoint is complete, is offered, and a job restored from it goes on exactly", async () => {
        const subject = await startJob();
        subject.controls.on("fail-commit");
        const error = await rejected(test.app.savepoints.stop(subject.ref, { ...request(subject), drain: false }, patience()), "stopped-uncleanly");
        assert.equal(await eyes.state(subject.jobId), "FAILED");
        const record = await onlyRecordOf(subject);
        assert.equal(error.facts.path, record.path);
        assert.deepEqual([record.state, record.stop?.job], ["completed", "failed"]);
        await assertOneSavepoint(subject, record);
        assert.deepEqual((await test.app.restores.readiness(proxy.url, record.path, patience().signal)).warnings, [{ warning: "uncommitted", jobState: "FAILED" }]);
        subject.controls.off();
        await assertContinues(subject, record);
      });

      it("fails while committing in a stop-then-restore: the plan waits, and continues from the complete savepoint when asked", async () => {
        const subject = await startJob();
        subject.controls.on("fail-commit");
        await rejected(test.app.restores.stopThenRestore(subject.ref, request(subject), await restoreOf(subject, null), patience()), "stopped-uncleanly");
        const [plan, ...others] = (await test.app.restores.planned()).filter(({ jobName }) => jobName === subject.name);
        assert.ok(plan !== undefined && others.length === 0);
        subject.controls.off();
        const restored = await test.app.restores.continue(plan.id, patience());
        assert.equal((await eyes.restored(restored.id)).path, (await onlyRecordOf(subject)).path);
        await test.app.savepoints.stop({ cluster: proxy.url, jobId: restored.id }, { ...own, drain: false }, patience());
        assert.ok(await checkExactlyOnce(subject.out) > 0);
      });

      it("stops although its savepoint takes long, and a second stop or savepoint is refused meanwhile, from another window too", async () => {
        const subject = await startJob();
        subject.controls.slow(2_500);
        const otherWindow = openApp({ ledgerFolder: path.join(scratch, "ledger"), clusters: [proxy.url] });
        const stopping = test.app.savepoints.stop(subject.ref, { ...request(subject), drain: false }, patience());
        await until("the stop to be under way", async () => (await eyes.savepoints(subject.jobId)).some(({ status }) => status === "IN_PROGRESS"));
        for (const window of [test, otherWindow]) {
          for (const second of [() => window.app.savepoints.stop(subject.ref, { ...request(subject), drain: false }, patience()), () => window.app.savepoints.trigger(subject.ref, request(subject), patience())]) {
            const { facts } = await rejected(second(), "refused");
            assert.deepEqual(facts.refusals.map((refusal) => (refusal.rule === "operation-running" ? refusal.what : refusal.rule)), ["stop"]);
          }
        }
        const record = await stopping;
        otherWindow.dispose();
        subject.controls.off();
        await assertOneSavepoint(subject, record);
        assert.equal(await eyes.state(subject.jobId), "FINISHED");
        await assertContinues(subject, record);
      });

      it("is stopped once when two windows stop it in the same moment", async () => {
        const subject = await startJob();
        subject.controls.slow(500);
        const otherWindow = openApp({ ledgerFolder: path.join(scratch, "ledger"), clusters: [proxy.url] });
        const outcomes = await Promise.allSettled([test, otherWindow].map((window) => window.app.savepoints.stop(subject.ref, { ...request(subject), drain: false }, patience())));
        otherWindow.dispose();
        assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
        const lost = outcomes.find((outcome) => outcome.status === "rejected");
        assert.ok(isFlinkError(lost?.reason, "refused"));
        assert.equal(await eyes.state(subject.jobId), "FINISHED");
        assert.equal(proxy.sent("POST", new RegExp(`/jobs/${subject.jobId}/stop$`)).length, 1);
        const completed = (await recordsOf(subject)).filter(({ state }) => state === "completed");
        assert.equal(completed.length, 1);
        assert.equal(savepointFolders(subject.savepoints).length, 1);
      });

      it("is not stopped again while somebody else stops it", async () => {
        const subject = await startJob();
        subject.controls.slow(1_500);
        await eyes.rest("POST", `/jobs/${subject.jobId}/stop`, { targetDirectory: path.join(scratch, "others") });
        await until("the stop of others", async () => (await eyes.savepoints(subject.jobId)).some(({ status }) => status === "IN_PROGRESS"));
        const { facts } = await rejected(test.app.savepoints.stop(subject.ref, { ...request(subject), drain: false }, patience()), "refused");
        assert.equal(facts.refusals[0]?.rule, "operation-running");
        await eyes.untilState(subject.jobId, "FINISHED");
        assert.equal(savepointFolders(path.join(scratch, "others")).length, 1);
      });

      it("whose tasks are still waiting is saved as soon as they run, instead of sending what Flink refuses", async () => {
        const others = await Promise.all(Array.from({ length: 7 }, () => startJob()));
        const subject = await startWaiting();
        const saving = test.app.savepoints.trigger(subject.ref, request(subject), patience());
        await sleep(700);
        assert.equal(proxy.sent("POST", new RegExp(`/jobs/${subject.jobId}/savepoints$`)).length, 0);
        await eyes.cancel((others[0] as Subject).jobId);
        await assertOneSavepoint(subject, await saving);
      });

      /** A job of two tasks where one slot is free. */
      const startWaiting = async (): Promise<Subject> => {
        const subject = await startJob();
        await eyes.cancel(subject.jobId);
        const jobId = await eyes.run({ name: subject.name, args: subject.args.slice(2), parallelism: 2 }, false);
        await eyes.untilState(jobId, "RUNNING");
        return { ...subject, jobId, ref: { cluster: proxy.url, jobId } };
      };

      it("goes on being followed when the person stops waiting, and the outcome is still recorded", async () => {
        const subject = await startJob();
        subject.controls.slow(1_000);
        const run = patience();
        const waiting = test.app.savepoints.trigger(subject.ref, request(subject), run);
        waiting.catch(() => undefined);
        await until("the savepoint to be under way", async () => (await eyes.savepoints(subject.jobId)).length > 0);
        run.abort();
        await assert.rejects(waiting, { name: "AbortError" });
        await until("the outcome", async () => (await recordsOf(subject))[0]?.checkpointId !== null);
        await assertOneSavepoint(subject, await onlyRecordOf(subject));
      });
    });

    describe("a directory", () => {
      for (const kind of ["below a file", "that may not be written"] as const) {
        it(`${kind}: Flink's reason is shown, and the job is untouched`, async () => {
          const subject = await startJob();
          const folder = path.join(scratch, `dir-${jobs}`);
          let undo = (): void => undefined;
          if (kind === "below a file") writeFileSync(folder, "");
          else undo = makeUnwritable(folder);
          try {
            const error = await rejected(test.app.savepoints.trigger(subject.ref, { ...own, directory: path.join(folder, "inner") }, patience()), "savepoint-failed");
            assert.match(error.facts.message, /Failed to create savepoint directory|Could not (create|complete)|Read-only|Permission|mkdir|Not a directory|exists/i);
            assert.equal(error.facts.jobRestarted, false);
            const stop = await rejected(test.app.savepoints.stop(subject.ref, { ...own, directory: path.join(folder, "inner"), drain: false }, patience()), "stop-failed");
            assert.equal(stop.facts.jobState, "running on");
          } finally {
            undo();
          }
          assert.equal(await eyes.state(subject.jobId), "RUNNING");
          assert.deepEqual((await recordsOf(subject)).map(({ state, stop }) => [state, stop?.job ?? null]).sort(), [["failed", null], ["failed", "running-on"]]);
        });
      }

      it("on a full disk: the reason is shown, the job goes on from its last checkpoint, and nothing that looks like a savepoint is left", async () => {
        const subject = await startJob("--checkpoint-interval", "300 ms", "--state-bytes", "5000");
        await eyes.untilCheckpointed(subject.jobId);
        const undo = makeFull(subject.savepoints, flink.folder);
        try {
          const error = await rejected(test.app.savepoints.trigger(subject.ref, request(subject), patience()), "savepoint-failed");
          assert.match(error.facts.message, /No space left on device|File too large|Could not flush/);
          assert.deepEqual(savepointFolders(subject.savepoints).filter(({ hasMetadata }) => hasMetadata), []);
        } finally {
          undo();
        }
        await eyes.untilRuns(subject.jobId);
        await assertContinues(subject, await test.app.savepoints.stop(subject.ref, { ...request(subject), drain: false }, patience()));
      });

      it("that is blank, relative or unreadable is never sent", async () => {
        const subject = await startJob();
        const posts = (): number => proxy.sent("POST", /./).length;
        const before = posts();
        for (const [directory, fault] of [["", "empty"], ["   ", "empty"], ["savepoints", "relative"], ["./x", "relative"], ["file:x", "relative"], ["/a\nb", "unreadable"]] as const) {
          assert.equal((await rejected(test.app.savepoints.trigger(subject.ref, { ...own, directory }, patience()), "location-invalid")).facts.fault, fault);
          await rejected(test.app.savepoints.stop(subject.ref, { ...own, directory, drain: false }, patience()), "location-invalid");
        }
        for (const location of ["", " ", "relative/savepoint-1"]) {
          await rejected(restoreOf(subject, { path: location, id: "none", checkpointId: null }).then((wanted) => test.app.restores.start(wanted, patience())), "location-invalid");
        }
        assert.equal(posts(), before);
        assert.deepEqual(await recordsOf(subject), []);
        assert.equal(await eyes.state(subject.jobId), "RUNNING");
      });

      it("for the ledger that cannot be written: nothing is sent to Flink", async () => {
        const subject = await startJob();
        const folder = path.join(scratch, "ledger-of-another");
        const undo = makeUnwritable(folder);
        const window = openApp({ ledgerFolder: folder, clusters: [proxy.url] });
        await rejected(window.app.savepoints.trigger(subject.ref, request(subject), patience()), "ledger-unwritable");
        await rejected(window.app.savepoints.stop(subject.ref, { ...request(subject), drain: false }, patience()), "ledger-unwritable");
        await rejected(restoreOf(subject, null).then((wanted) => window.app.restores.start(wanted, patience())), "ledger-unwritable");
        window.dispose();
        undo();
        assert.deepEqual(proxy.sent("POST", new RegExp(subject.jobId)), []);
        assert.deepEqual(savepointFolders(subject.savepoints), []);
        assert.deepEqual((await eyes.jobsNamed(subject.name)).length, 1);
      });
    });

    describe("a restore", () => {
      let subject: Subject;
      let stopped: SavepointRecord;
      before(async () => {
        subject = await startJob("--max-parallelism", "4");
        stopped = await test.app.savepoints.stop(subject.ref, { ...request(subject), drain: false }, patience());
      });

      /** The start fails with this reason, in the error and in the ledger, and no job runs. */
      const fails = async (more: Partial<RestoreRequest>, reason: RegExp, location = stopped.path): Promise<void> => {
        const error = await rejected(restoreOf(subject, { ...stopped, path: location }, more).then((wanted) => test.app.restores.start(wanted, patience())), "restore-failed");
        assert.match(error.facts.message, reason);
        assert.doesNotMatch(explain(error).message, /\b(400|500)\b/);
        const record = (await test.restores()).filter(({ jobName }) => jobName === subject.name).sort((a, b) => a.requestedAtMs - b.requestedAtMs).at(-1);
        assert.equal(record?.state, "failed");
        assert.match(record?.failure?.message ?? "", reason);
        assert.deepEqual((await eyes.jobsNamed(subject.name)).filter(({ state }) => !/FAILED|FINISHED|CANCELED/.test(state)), []);
        assert.equal(savepointFolders(subject.savepoints).length, 1);
      };

      it("onto a jar without a main class fails with Flink's words", async () => {
        await fails({ jar: { file: path.join(path.dirname(flink.jarPath), "no-main.jar"), name: "no-main.jar" } }, /Main-Class|main class|entry point/i);
      });
      it("onto an entry class that is not there fails with its name", async () => {
        await fails({ entryClass: "orders.Missing" }, /orders\.Missing/);
      });
      it("onto a program that runs no job fails with Flink's words", async () => {
        await fails({ programArgs: [...subject.args, "--no-execute", "true"] }, /No jobs included in application/);
      });
      it("onto a jar that is no longer on the cluster fails", async () => {
        await fails({ jar: { id: "0b8b0cb1_gone.jar", name: "gone.jar" } }, /does not exist|gone\.jar/);
      });
      it("from a path where nothing is fails", async () => {
        await fails({}, /Cannot find checkpoint or savepoint file\/directory/, path.join(scratch, "nowhere", "savepoint-000000-000000000000"));
      });
      it("from a folder without _metadata fails", async () => {
        mkdirSync(path.join(scratch, "empty", "savepoint-000000-000000000000"), { recursive: true });
        await fails({}, /_metadata/, path.join(scratch, "empty", "savepoint-000000-000000000000"));
      });
      it("from a corrupt _metadata fails", async () => {
        const folder = path.join(scratch, "corrupt", "savepoint-000000-000000000000");
        mkdirSync(folder, { recursive: true });
        writeFileSync(path.join(folder, "_metadata"), "this is no savepoint at all");
        await fails({}, /Unexpected magic number|EOFException|magic/, folder);
      });
      it("with a parallelism above the savepoint's max parallelism fails with both numbers", async () => {
        const { args } = subject;
        await fails({ parallelism: 6, programArgs: args.filter((_, at) => args[at] !== "--max-parallelism" && args[at - 1] !== "--max-parallelism") }, /maximum parallelism|max parallelism/i);
      });
      it("whose tasks fail again and again is reported as failed, with the job's own reason", async () => {
        subject.controls.on("fail-restore");
        try {
          const error = await rejected(test.app.restores.start(await restoreOf(subject, stopped), patience()), "restore-failed");
          assert.match(error.facts.message, /fail-restore requested/);
        } finally {
          subject.controls.off();
        }
      });
      it("of the same savepoint works after all of these", async () => {
        await assertContinues(subject, stopped);
      });
    });

    describe("a disposal", () => {
      const refusedFor = async (record: SavepointRecord, typedJobName: string | null = null): Promise<string[]> => {
        const { facts } = await rejected(test.app.disposals.dispose(record.id, { typedJobName }, patience()), "refused");
        assert.ok(savepointFolders(path.dirname(onDisk(record.path ?? ""))).some((folder) => folder.path === onDisk(record.path ?? "") && folder.hasMetadata), "the files are still there");
        assert.equal((await test.savepoint(record.id)).disposal, null);
        return facts.refusals.map(({ rule }) => rule);
      };
      /** Two savepoints, so that neither is the only one. */
      const two = async (subject: Subject): Promise<[SavepointRecord, SavepointRecord]> => [await test.app.savepoints.trigger(subject.ref, request(subject), patience()), await test.app.savepoints.trigger(subject.ref, request(subject), patience())];

      it("is refused for a pinned one, and for the only completed one unless its job's name is typed", async () => {
        const subject = await startJob();
        const record = await test.app.savepoints.trigger(subject.ref, request(subject), patience());
        await test.app.savepoints.pin(record.id, true);
        assert.deepEqual(await refusedFor(record, subject.name), ["pinned"]);
        await test.app.savepoints.pin(record.id, false);
        assert.deepEqual(await refusedFor(record), ["only-completed"]);
        assert.deepEqual(await refusedFor(record, "another name"), ["only-completed"]);
        assert.equal((await test.app.disposals.dispose(record.id, { typedJobName: subject.name }, patience())).disposal?.state, "disposed");
        assert.deepEqual(savepointFolders(subject.savepoints), []);
      });

      it("is refused for the savepoint a running job was restored from by others, whatever their claim mode", async () => {
        const subject = await startJob();
        const [first] = await two(subject);
        await eyes.cancel(subject.jobId);
        await eyes.run({ name: subject.name, args: subject.args.slice(2), savepointPath: first.path ?? "" });
        assert.deepEqual(await refusedFor(first, subject.name), ["restore-source"]);
      });

      it("C-26: is refused after a NO_CLAIM restore until the job has completed a checkpoint of its own", async () => {
        const subject = await startJob("--checkpoint-interval", "1 s");
        const [first] = await two(subject);
        await eyes.cancel(subject.jobId);
        subject.controls.slow(1_500);
        const restored = await test.app.restores.start(await restoreOf(subject, first), patience());
        assert.deepEqual(await refusedFor(first), ["no-claim-not-safe"]);
        subject.controls.off();
        await until("the start to be safe", async () => (await test.restore(restored.id)).state === "safe");
        assert.equal((await test.app.disposals.dispose(first.id, { typedJobName: null }, patience())).disposal?.state, "disposed");
        // The next failover does without it.
        subject.controls.on("fail-process");
        await eyes.untilState(restored.id, "RESTARTING");
        subject.controls.off();
        await eyes.untilRuns(restored.id);
      });

      it("C-27: is refused for a claimed one, and so is a second restore from it", async () => {
        const subject = await startJob();
        const [first] = await two(subject);
        await eyes.cancel(subject.jobId);
        const restored = await test.app.restores.start(await restoreOf(subject, first, { claimMode: "CLAIM" }), patience());
        assert.deepEqual(await refusedFor(first), ["claimed"]);
        await eyes.cancel(restored.id);
        assert.deepEqual(await refusedFor(first), ["claimed"], "its checkpoints may live in it");
        const { facts } = await rejected(restoreOf(subject, first).then((wanted) => test.app.restores.start(wanted, patience())), "refused");
        assert.deepEqual(facts.refusals.map(({ rule }) => rule), ["claimed"]);
      });

      it("of a folder with a foreign file in it fails, tells what is left, and the row no longer counts as a savepoint", async () => {
        const subject = await startJob();
        const [first, second] = await two(subject);
        writeFileSync(path.join(onDisk(first.path ?? ""), "notes.txt"), "mine");
        const error = await rejected(test.app.disposals.dispose(first.id, { typedJobName: null }, patience()), "disposal-failed");
        assert.equal(error.facts.gone, "partly");
        assert.deepEqual(readdirSync(onDisk(first.path ?? "")), ["notes.txt"]);
        assert.deepEqual(await refusedFor(second), ["only-completed"], "what lost its _metadata is no savepoint to fall back on");
      });

      it("of a folder that somebody removed ends as disposed, because it is seen to be gone", async () => {
        const subject = await startJob();
        const [first] = await two(subject);
        rmSync(onDisk(first.path ?? ""), { recursive: true });
        assert.equal((await test.app.disposals.dispose(first.id, { typedJobName: null }, patience())).disposal?.state, "disposed");
        assert.equal(savepointFolders(subject.savepoints).length, 1);
        const { facts } = await rejected(test.app.disposals.dispose(first.id, { typedJobName: null }, patience()), "refused");
        assert.deepEqual(facts.refusals, [{ rule: "already-disposed" }]);
      });

      it("asked for twice in the same moment is done once", async () => {
        const subject = await startJob();
        const [first, second] = await two(subject);
        const outcomes = await Promise.allSettled([1, 2].map(() => test.app.disposals.dispose(first.id, { typedJobName: null }, patience())));
        assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
        assert.equal(proxy.sent("POST", /disposal/).filter(({ body }) => body.includes(path.basename(first.path ?? "-"))).length, 1);
        assert.deepEqual(savepointFolders(subject.savepoints).map(({ path: folder }) => folder), [onDisk(second.path ?? "")]);
      });
    });

    it("a machine that does not see the JobManager's files takes nothing for disposed because it sees nothing", async () => {
      const subject = await startJob();
      const first = await test.app.savepoints.trigger(subject.ref, request(subject), patience());
      await test.app.savepoints.trigger(subject.ref, request(subject), patience());
      proxy.fate = ({ method, route }) => (method === "POST" && /disposal$/.test(route) ? { forward: false } : undefined);
      const elsewhere = inProcess({ verb: "dispose", recordId: first.id, typedJobName: null }, subject.savepoints);
      const told = await elsewhere.outcome();
      await elsewhere.end();
      assert.deepEqual(told.at === "failed" && [told.code, (told.facts as ErrorFacts["disposal-failed"]).gone], ["disposal-failed", "unknown"]);
      assert.equal((await test.savepoint(first.id)).disposal?.state, "unknown");
      assert.equal(savepointFolders(subject.savepoints).length, 2);
    });

    describe("a crash", () => {
      it("of the TaskManager during a savepoint fails it, and the job goes on from its last checkpoint", async () => {
        const subject = await startJob("--checkpoint-interval", "300 ms");
        await eyes.untilCheckpointed(subject.jobId);
        subject.controls.slow(4_000);
        const saving = test.app.savepoints.trigger(subject.ref, request(subject), patience());
        saving.catch(() => undefined);
        await until("the savepoint to be under way", async () => (await eyes.savepoints(subject.jobId)).length > 0);
        await flink.killTaskManager();
        subject.controls.off();
        await flink.startTaskManager();
        const error = await rejected(saving, "savepoint-failed");
        assert.equal(error.facts.jobRestarted, true);
        assert.doesNotMatch(error.facts.message, /^Checkpoint Coordinator is suspending/);
        await eyes.untilRuns(subject.jobId);
        assert.deepEqual(savepointFolders(subject.savepoints), []);
        await assertContinues(subject, await test.app.savepoints.stop(subject.ref, { ...request(subject), drain: false }, patience()));
      });

      it("of the TaskManager during a stop leaves the job running on", async () => {
        const subject = await startJob("--checkpoint-interval", "300 ms");
        await eyes.untilCheckpointed(subject.jobId);
        subject.controls.slow(4_000);
        const stopping = test.app.savepoints.stop(subject.ref, { ...request(subject), drain: false }, patience());
        stopping.catch(() => undefined);
        await until("the stop to be under way", async () => (await eyes.savepoints(subject.jobId)).length > 0);
        await flink.killTaskManager();
        subject.controls.off();
        await flink.startTaskManager();
        await rejected(stopping, "stop-failed");
        await eyes.untilRuns(subject.jobId);
        assert.equal((await onlyRecordOf(subject)).stop?.job, "running-on");
      });
    });

    // A job that is gone may come back with its JobManager, and is waited for: a minute, while all the others ran.
    it("a crash of the JobManager during a stop, long ago: the record has ended, and no savepoint is made up", async () => {
      await rejected(outcomes.get(stopping), "stop-failed");
      const record = await onlyRecordOf(stopping);
      assert.deepEqual([record.state, record.stop?.job, record.path], ["failed", "unknown", null]);
    });

    it("leaves no record open and no savepoint on the disk without its one record", async () => {
      assert.deepEqual(await test.app.jobs.operations(), []);
      const known = new Set((await test.savepoints()).flatMap((record) => (record.path === null ? [] : [onDisk(record.path)])));
      const unknown = new Set((await test.savepoints()).filter(({ state }) => state === "unknown").map(({ directory }) => directory));
      for (let at = 1; at <= jobs; at++) {
        const complete = savepointFolders(path.join(scratch, `job-${at}`, "savepoints")).filter(({ hasMetadata }) => hasMetadata);
        for (const folder of complete) assert.ok(known.has(folder.path) || unknown.has(path.dirname(folder.path)), folder.path);
      }
      assert.deepEqual(test.app.ledger.damaged(), []);
      assert.deepEqual(test.lines.filter((line) => line.startsWith("error")), []);
    });
  });

  describe(`a Flink ${version} that forgets within a second and has no savepoint directory`, () => {
    let flink: TestFlink;
    let eyes: Eyes;
    let proxy: FaultyProxy;
    let test: TestApp;
    let scratch: string;

    before(async () => {
      scratch = scratchFolder("forgets");
      const none = { "execution.checkpointing.savepoint-dir": "", "state.savepoints.dir": "" };
      flink = await startFlink(version, { port: port + 10, extraConfig: { ...quick, ...none, "rest.async.store-duration": "1 s" } });
      eyes = new Eyes(flink);
      proxy = await FaultyProxy.open(flink.url);
      test = openApp({ ledgerFolder: path.join(scratch, "ledger"), clusters: [proxy.url] });
    });
    afterEach(async () => {
      proxy.calm();
      await eyes.cancelAll();
    });
    after(async () => {
      test?.dispose();
      proxy?.close();
      await flink?.stop();
    });
    const directory = (name: string): string => path.join(scratch, name);
    /** Nobody can ask for trigger results until this much later. */
    const blindFor = (ms: number): void => {
      let since: number | undefined;
      proxy.fate = ({ method, route }) => {
        if (method === "POST") since ??= Date.now();
        return method === "GET" && /\/savepoints\//.test(route) && Date.now() - (since ?? Date.now()) < ms ? { forward: false } : undefined;
      };
    };

    it("C-37: refuses a savepoint without a directory, and sends nothing", async () => {
      const jobId = await eyes.run({ name: "no-directory", args: small });
      const ref = { cluster: proxy.url, jobId };
      for (const ask of [() => test.app.savepoints.trigger(ref, own, patience()), () => test.app.savepoints.stop(ref, { ...own, drain: false }, patience())]) {
        assert.deepEqual((await rejected(ask(), "refused")).facts.refusals, [{ rule: "no-directory" }]);
      }
      assert.deepEqual(proxy.sent("POST", /./), []);
      assert.equal((await test.app.clusters.info(proxy.url, patience().signal)).savepointDirectory, null);
    });

    for (const verb of ["trigger", "stop"] as const) {
      it(`finds in the job's history how a ${verb} ended whose result expired before we looked`, async () => {
        const jobId = await eyes.run({ name: `expired-${verb}`, args: small });
        const wanted = { ...own, directory: directory(`expired-${verb}`) };
        blindFor(2_500);
        const record = verb === "trigger"
          ? await test.app.savepoints.trigger({ cluster: proxy.url, jobId }, wanted, patience())
          : await test.app.savepoints.stop({ cluster: proxy.url, jobId }, { ...wanted, drain: false }, patience());
        assert.equal(record.state, "completed");
        assert.deepEqual(savepointFolders(directory(`expired-${verb}`)), [{ path: onDisk(record.path ?? ""), hasMetadata: true }]);
        assert.match(record.trail.map(({ event }) => event).join("\n"), /the job's history shows it/);
        assert.equal(await eyes.state(jobId), verb === "stop" ? "FINISHED" : "RUNNING");
        if (verb === "stop") assert.equal(record.stop?.job, "stopped");
      });
    }

    it("never sends again what may have expired: a lost answer and a second of silence still make one savepoint", async () => {
      const jobId = await eyes.run({ name: "expired-lost", args: small });
      let since: number | undefined;
      proxy.fate = ({ method, route }) => {
        if (method === "POST" && /savepoints$/.test(route)) {
          since ??= Date.now();
          return { answer: "cut" };
        }
        return method === "GET" && /\/savepoints\//.test(route) && Date.now() - (since ?? Date.now()) < 2_500 ? { forward: false } : undefined;
      };
      const record = await test.app.savepoints.trigger({ cluster: proxy.url, jobId }, { ...own, directory: directory("expired-lost") }, patience());
      assert.deepEqual(savepointFolders(directory("expired-lost")), [{ path: onDisk(record.path ?? ""), hasMetadata: true }]);
      assert.equal(proxy.sent("POST", new RegExp(`${jobId}/savepoints$`)).length, 1);
      assert.equal((await eyes.savepoints(jobId)).length, 1);
    });

    it("learns from the files how a disposal ended whose result expired before we looked", async () => {
      const jobId = await eyes.run({ name: "expired-disposal", args: small });
      const wanted = { ...own, directory: directory("expired-disposal") };
      const first = await test.app.savepoints.trigger({ cluster: proxy.url, jobId }, wanted, patience());
      await test.app.savepoints.trigger({ cluster: proxy.url, jobId }, wanted, patience());
      let since: number | undefined;
      proxy.fate = ({ method, route }) => {
        if (!/savepoint-disposal/.test(route)) return undefined;
        if (method === "POST") since ??= Date.now();
        return method === "GET" && Date.now() - (since ?? Date.now()) < 2_000 ? { forward: false } : undefined;
      };
      assert.equal((await test.app.disposals.dispose(first.id, { typedJobName: null }, patience())).disposal?.state, "disposed");
      assert.equal(savepointFolders(directory("expired-disposal")).length, 1);
    });

    it("forgets nothing that takes longer than its results are kept", async () => {
      const control = new Controls(directory("control"));
      mkdirSync(control.folder);
      const jobId = await eyes.run({ name: "slow", args: [...small, "--control", control.folder] });
      control.slow(4_000);
      const record = await test.app.savepoints.trigger({ cluster: proxy.url, jobId }, { ...own, directory: directory("slow") }, patience());
      assert.deepEqual(savepointFolders(directory("slow")), [{ path: onDisk(record.path ?? ""), hasMetadata: true }]);
      assert.ok((record.durationMs ?? 0) >= 4_000);
    });
  });
}

/** A job under test, with what belongs to it. */
interface Subject {
  readonly name: string;
  readonly jobId: string;
  readonly ref: { readonly cluster: string; readonly jobId: string };
  readonly out: string;
  /** Program arguments, its name included. */
  readonly args: readonly string[];
  readonly controls: Controls;
  readonly savepoints: string;
}
