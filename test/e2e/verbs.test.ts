import assert from "node:assert/strict";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { isFlinkError } from "../../src/core/errors";
import type { SavepointRecord } from "../../src/core/ledger/record";
import { atLeast } from "../../src/core/model/version";
import type { ClaimMode } from "../../src/core/ports";
import type { RestoreRequest } from "../../src/services/restores";
import type { SavepointRequest } from "../../src/services/savepoints";
import { checkExactlyOnce, startFlink, type TestFlink } from "../rig/flink";
import { drainedTimers, onDisk, savepointFolders, scratchFolder } from "./support/disk";
import { Eyes, until } from "./support/eyes";
import { openApp, patience, type TestApp } from "./support/testApp";

const own: SavepointRequest = { directory: null, format: "canonical", description: "" };
/** One chain of three tasks, a few hundred records a second. */
const small = ["--window", "false", "--broadcast", "false"];

for (const version of ["1.20.5", "2.3.0"]) {
  describe(`the verbs on Flink ${version}`, () => {
    let flink: TestFlink;
    let eyes: Eyes;
    let test: TestApp;
    let scratch: string;

    before(async () => {
      scratch = scratchFolder("verbs");
      flink = await startFlink(version, { extraConfig: { "web.refresh-interval": "100" } });
      eyes = new Eyes(flink);
      test = openApp({ ledgerFolder: path.join(scratch, "ledger"), clusters: [flink.url] });
    });
    after(async () => {
      test?.dispose();
      await flink?.stop();
    });

    const job = (jobId: string): { cluster: string; jobId: string } => ({ cluster: flink.url, jobId });
    const startJob = (name: string, ...args: string[]): Promise<string> => eyes.run({ name, args: [...small, ...args] });
    const restoreOf = async (jobName: string, savepoint: SavepointRecord | null, more: Partial<RestoreRequest> = {}): Promise<RestoreRequest> => ({
      cluster: flink.url, jobName, savepoint: savepoint && { path: savepoint.path ?? "", recordId: savepoint.id, checkpointId: savepoint.checkpointId },
      jar: { id: await flink.upload(), name: "job.jar" }, programArgs: ["--job-name", jobName, ...small], claimMode: "NO_CLAIM", allowNonRestoredState: false, ...more,
    });

    it("connects and learns version, kind and directories", async () => {
      const info = await test.app.clusters.info(flink.url, patience().signal);
      assert.equal(info.version.text, version);
      assert.equal(info.kind, "session");
      assert.equal(onDisk(info.savepointDirectory ?? ""), flink.savepointDir);
      assert.equal(onDisk(info.checkpointDirectory ?? ""), flink.checkpointDir);
      await test.app.clusters.refresh(flink.url, patience().signal);
      assert.equal(test.app.clusters.get(flink.url)?.reach.state, "online");
    });

    it("C-6: takes a canonical savepoint into the cluster's own directory and keeps all there is to know about it", async () => {
      const jobId = await startJob("canonical");
      const run = patience();
      const record = await test.app.savepoints.trigger(job(jobId), { ...own, description: "  before the release " }, run);

      const folder = onDisk(record.path ?? "");
      assert.deepEqual(savepointFolders(flink.savepointDir).filter(({ path: found }) => found === folder), [{ path: folder, hasMetadata: true }]);
      const seen = await eyes.savepoints(jobId);
      assert.deepEqual(seen, [{ id: record.checkpointId, status: "COMPLETED", type: "SAVEPOINT", format: "CANONICAL", path: record.path, sizeBytes: record.sizeBytes }]);
      assert.equal(record.state, "completed");
      assert.equal(record.description, "before the release");
      assert.equal(record.flinkVersion, version);
      assert.equal(record.job.name, "canonical");
      assert.equal(record.workspace?.branch, "main");
      assert.equal(record.origin, "manual");
      assert.ok((record.durationMs ?? 0) > 0 && (record.sizeBytes ?? 0) > 0);
      assert.equal(await eyes.state(jobId), "RUNNING");
      // Flink itself knows it under the id that was written down before the call.
      const { body } = await eyes.rest<{ operation: { location: string } }>("GET", `/jobs/${jobId}/savepoints/${record.id}`);
      assert.equal(body.operation.location, record.path);

      const otherWindow = openApp({ ledgerFolder: path.join(scratch, "ledger"), clusters: [flink.url] });
      assert.deepEqual(await otherWindow.savepoint(record.id), record);
      otherWindow.dispose();
      await eyes.cancel(jobId);
    });

    it("C-7: takes a native savepoint into a typed directory, whatever its name holds", async () => {
      const jobId = await startJob("native");
      const directory = path.join(scratch, "täglich, 100% #1", "deeper");
      const record = await test.app.savepoints.trigger(job(jobId), { directory, format: "native", description: "" }, patience());
      assert.equal(path.dirname(onDisk(record.path ?? "")), directory);
      assert.deepEqual(savepointFolders(directory).map(({ hasMetadata }) => hasMetadata), [true]);
      assert.equal((await eyes.savepoints(jobId))[0]?.format, "NATIVE");
      assert.equal(record.checkpointId, (await eyes.savepoints(jobId))[0]?.id);
      assert.deepEqual((await test.app.jobs.recentDirectories(flink.url))[0], directory);
      await eyes.cancel(jobId);
    });

    it("C-10: stops a job with a savepoint, and a restore goes on exactly where it stopped", async () => {
      const out = path.join(scratch, "out-stop");
      const args = ["--out", out, "--checkpoint-interval", "300 ms"];
      const jobId = await startJob("stop", ...args);
      await eyes.untilCheckpointed(jobId);
      const stopped = await test.app.savepoints.stop(job(jobId), { ...own, drain: false }, patience());
      assert.equal(await eyes.state(jobId), "FINISHED");
      assert.deepEqual(stopped.stop, { drain: false, job: "stopped" });
      assert.equal(stopped.origin, "stop");
      assert.deepEqual((await eyes.savepoints(jobId)).map(({ type, path: location }) => [type, location]), [["SYNC_SAVEPOINT", stopped.path]]);

      const restored = await test.app.restores.start(await restoreOf("stop", stopped, { programArgs: ["--job-name", "stop", ...small, ...args] }), patience());
      assert.equal(restored.state, "running");
      const seen = await eyes.restored(restored.id);
      assert.deepEqual([seen.count, seen.path, seen.isSavepoint, seen.checkpointId], [1, stopped.path, true, stopped.checkpointId]);
      await eyes.untilCheckpointed(restored.id);
      await test.app.savepoints.stop(job(restored.id), { ...own, drain: false }, patience());
      assert.ok(await checkExactlyOnce(out) > 0);
      assert.equal(drainedTimers(out), 0);
    });

    it("C-13: drains when asked, so that timers fire, and warns before such a savepoint is restored", async () => {
      const out = path.join(scratch, "out-drain");
      const jobId = await startJob("drain", "--out", out, "--keys", "10");
      const stopped = await test.app.savepoints.stop(job(jobId), { ...own, drain: true }, patience());
      assert.equal(await eyes.state(jobId), "FINISHED");
      assert.ok(drainedTimers(out) > 0);
      const { warnings } = await test.app.restores.readiness(flink.url, stopped.path, patience().signal);
      assert.deepEqual(warnings, [{ warning: "drained" }]);
    });

    const modes: ClaimMode[] = ["NO_CLAIM", "CLAIM", ...(version.startsWith("1.") ? ["LEGACY" as const] : [])];
    for (const claimMode of modes) {
      it(`C-25: restores with claim mode ${claimMode} onto a jar uploaded from disk, and the savepoint's files fare as that mode says`, async () => {
        const name = `claim-${claimMode}`;
        const directory = path.join(scratch, name);
        const jobId = await startJob(name);
        const stopped = await test.app.savepoints.stop(job(jobId), { ...own, directory, drain: false }, patience());
        const jarsBefore = (await eyes.rest<{ files: unknown[] }>("GET", "/jars")).body.files.length;
        const run = patience();
        const restored = await test.app.restores.start(await restoreOf(name, stopped, { claimMode, jar: { file: flink.jarPath, name: path.basename(flink.jarPath) }, programArgs: ["--job-name", name, ...small, "--checkpoint-interval", "300 ms"] }), run);
        assert.equal((await eyes.rest<{ files: unknown[] }>("GET", "/jars")).body.files.length, jarsBefore + 1);
        assert.ok(run.steps.some(({ percent }) => percent === 100));
        assert.deepEqual((await eyes.jobsNamed(name)).filter(({ state }) => state === "RUNNING"), [{ jobId: restored.id, state: "RUNNING" }]);
        const seen = await eyes.restored(restored.id);
        assert.deepEqual([seen.count, seen.path, seen.isSavepoint], [1, stopped.path, claimMode !== "CLAIM"]);

        await until("the start to be safe", async () => (await test.restore(restored.id)).state === "safe");
        assert.ok(((await eyes.restored(restored.id)).completedId ?? 0) > (stopped.checkpointId ?? Infinity));
        if (claimMode === "CLAIM") await until("Flink to delete the claimed savepoint", async () => savepointFolders(directory).length === 0);
        else assert.deepEqual(savepointFolders(directory), [{ path: onDisk(stopped.path ?? ""), hasMetadata: true }]);
        const refusals = (await test.app.disposals.check(stopped.id, patience())).refusals.map(({ rule }) => rule);
        assert.deepEqual(refusals, { NO_CLAIM: [], CLAIM: ["claimed"], LEGACY: ["restore-source"] }[claimMode]);
        await eyes.cancel(restored.id);
      });
    }

    it("offers LEGACY below 2.0 only", async () => {
      const { version: read, capabilities } = await test.app.clusters.info(flink.url, patience().signal);
      assert.equal(capabilities.legacyClaimMode, !atLeast(read, 2, 0));
      assert.equal(capabilities.legacyClaimMode, modes.includes("LEGACY"));
    });

    it("C-24, A-26: restores another job from it, with another parallelism and entry class, and passes arguments through", async () => {
      const jobId = await startJob("parallel");
      const stopped = await test.app.savepoints.stop(job(jobId), { ...own, drain: false }, patience());
      const restored = await test.app.restores.start(await restoreOf("another", stopped, { parallelism: 2, entryClass: readMainClass(await eyes.rest("GET", "/jars")) }), patience());
      const { body } = await eyes.rest<{ vertices: { name: string; parallelism: number }[] }>("GET", `/jobs/${restored.id}`);
      assert.ok(body.vertices.every(({ parallelism }) => parallelism === 2));
      assert.equal(restored.jobName, "another");
      assert.equal((await eyes.restored(restored.id)).path, stopped.path);
      assert.ok(!JSON.stringify(restored).includes("--job-name"), "arguments may hold secrets and are not kept");
      await eyes.cancel(restored.id);
    });

    it("C-23: drops state that no operator wants only with allowNonRestoredState", async () => {
      const jobId = await eyes.run({ name: "unmapped", args: ["--broadcast", "false"] });
      const stopped = await test.app.savepoints.stop(job(jobId), { ...own, drain: false }, patience());
      await assert.rejects(restoreOf("unmapped", stopped).then((request) => test.app.restores.start(request, patience())), (error) => isFlinkError(error, "restore-failed") && /Cannot map checkpoint\/savepoint state/.test(error.facts.message));
      const restored = await test.app.restores.start(await restoreOf("unmapped", stopped, { allowNonRestoredState: true }), patience());
      assert.equal((await eyes.restored(restored.id)).count, 1);
      assert.equal(restored.allowNonRestoredState, true);
      await eyes.cancel(restored.id);
    });

    it("A-28: starts a job without state", async () => {
      const started = await test.app.restores.start(await restoreOf("fresh", null), patience());
      assert.equal(started.state, "running");
      assert.equal(started.savepoint, null);
      assert.equal((await eyes.restored(started.id)).count, 0);
      assert.match(started.trail.at(-1)?.event ?? "", /started without state/);
      await eyes.cancel(started.id);
    });

    it("A-27: stops a job and starts it again from that savepoint as one plan", async () => {
      const out = path.join(scratch, "out-plan");
      const args = ["--job-name", "plan", ...small, "--out", out, "--checkpoint-interval", "300 ms"];
      const jobId = await eyes.run({ name: "plan", args });
      const restored = await test.app.restores.stopThenRestore(job(jobId), own, await restoreOf("plan", null, { programArgs: args }), patience());
      assert.equal(await eyes.state(jobId), "FINISHED");
      assert.deepEqual((await eyes.jobsNamed("plan")).filter(({ state }) => state === "RUNNING"), [{ jobId: restored.id, state: "RUNNING" }]);
      const stop = await test.savepoint(restored.afterStop ?? "");
      assert.equal((await eyes.restored(restored.id)).path, stop.path);
      assert.deepEqual(restored.savepoint, { path: stop.path, recordId: stop.id, checkpointId: stop.checkpointId });
      assert.ok(!JSON.stringify(restored).includes("--job-name"));
      assert.deepEqual(await test.app.restores.planned(), []);
      await eyes.untilCheckpointed(restored.id);
      await test.app.savepoints.stop(job(restored.id), { ...own, drain: false }, patience());
      assert.ok(await checkExactlyOnce(out) > 0);
    });

    it("C-31: disposes of one savepoint and of nothing else, and says so only when it is gone", async () => {
      const directory = path.join(scratch, "dispose");
      const jobId = await startJob("dispose");
      const first = await test.app.savepoints.trigger(job(jobId), { ...own, directory }, patience());
      const second = await test.app.savepoints.trigger(job(jobId), { ...own, directory }, patience());
      const check = await test.app.disposals.check(first.id, patience());
      assert.deepEqual([check.refusals, check.typing, check.unreachable, check.restored], [[], null, [], []]);
      const disposed = await test.app.disposals.dispose(first.id, { typedJobName: null }, patience());
      assert.equal(disposed.disposal?.state, "disposed");
      assert.deepEqual(savepointFolders(directory), [{ path: onDisk(second.path ?? ""), hasMetadata: true }]);
      assert.equal(disposed.path, first.path, "the record is kept");
      assert.equal((await test.savepoint(second.id)).disposal, null);
      await eyes.cancel(jobId);
    });

    it("pins, describes and forgets without touching a file", async () => {
      const directory = path.join(scratch, "keep");
      const jobId = await startJob("keep");
      const record = await test.app.savepoints.trigger(job(jobId), { ...own, directory }, patience());
      await test.app.savepoints.pin(record.id, true);
      await test.app.savepoints.describe(record.id, "the good one");
      assert.equal((await test.savepoint(record.id)).pinned, true);
      assert.deepEqual((await test.app.disposals.check(record.id, patience())).refusals, [{ rule: "pinned" }]);
      await test.app.savepoints.pin(record.id, false);
      await test.app.savepoints.forget(record.id);
      const kept = await test.savepoint(record.id);
      assert.deepEqual([kept.pinned, kept.description, kept.forgotten], [false, "the good one", true]);
      assert.deepEqual(await test.app.jobs.savepoints(job(jobId)), []);
      assert.deepEqual(savepointFolders(directory).map(({ hasMetadata }) => hasMetadata), [true]);
      await eyes.cancel(jobId);
    });

    it("finds savepoints that others took, and keeps them when the job has gone", async () => {
      const directory = path.join(scratch, "others");
      const jobId = await startJob("others");
      const location = await eyes.savepointByOthers(jobId, directory);
      await test.app.clusters.refresh(flink.url, patience().signal);
      await until("the found savepoint", async () => {
        await test.app.jobs.observe(job(jobId), patience().signal);
        return (await test.app.jobs.savepoints(job(jobId))).length === 1;
      });
      const [row] = await test.app.jobs.savepoints(job(jobId));
      assert.equal(row?.origin, "found");
      assert.equal(row?.path, location);
      assert.equal(row?.record?.job.name, "others");
      assert.equal(row?.id, `found-${jobId}-${(await eyes.savepoints(jobId))[0]?.id}`);
      await eyes.cancel(jobId);
      const restored = await test.app.restores.start(await restoreOf("others", row?.record ?? null), patience());
      assert.equal((await eyes.restored(restored.id)).path, location);
      await eyes.cancel(restored.id);
    });

    it("cancels without a savepoint, and only then is the job CANCELED", async () => {
      const jobId = await startJob("cancel");
      assert.deepEqual(await test.app.jobs.cancelRefusals(job(jobId), patience().signal), []);
      assert.equal(await test.app.jobs.cancel(job(jobId), patience()), "CANCELED");
      assert.equal(await eyes.state(jobId), "CANCELED");
      assert.deepEqual(await test.app.jobs.cancelRefusals(job(jobId), patience().signal), [{ rule: "job-not-running", state: "CANCELED" }]);
      await assert.rejects(test.app.savepoints.trigger(job(jobId), own, patience()), (error) => isFlinkError(error, "refused"));
    });

    it("leaves no operation open and no savepoint without its one record", async () => {
      assert.deepEqual(await test.app.jobs.operations(), []);
      const paths = (await test.savepoints()).filter((record) => record.disposal?.state !== "disposed").flatMap((record) => (record.path === null ? [] : [onDisk(record.path)]));
      assert.equal(new Set(paths).size, paths.length);
      for (const folder of savepointFolders(flink.savepointDir)) assert.ok(paths.includes(folder.path), folder.path);
      assert.deepEqual(test.app.ledger.damaged(), []);
      assert.deepEqual(test.lines.filter((line) => line.startsWith("error")), []);
    });
  });
}

function readMainClass({ body }: { body: unknown }): string {
  return (body as { files: { entry: { name: string }[] }[] }).files[0]?.entry[0]?.name ?? "";
}
