import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import path from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { createFlinkClient } from "../../src/clients/flink/restClient";
import type { ClusterInfo } from "../../src/core/model/cluster";
import { allTasksRun } from "../../src/core/model/job";
import { atLeast } from "../../src/core/model/version";
import type { ClusterClient, Credential, OperationStatus, RunJarRequest } from "../../src/core/ports";
import { startFlink, until, unwatched, type TestFlink } from "../rig/flink";
import { client, steady, testIdentities } from "../unit/httpServers";
import { rejected } from "../unit/rejected";

const newId = (): string => randomBytes(16).toString("hex");
const onDisk = (location: string): string => location.replace(/^file:\/*/, "/");
const basic: Credential = { kind: "basic", user: "operator", password: "sesame" };

for (const version of ["1.20.5", "2.3.0"]) {
  describe(`the REST client on Flink ${version}`, () => {
    let flink: TestFlink;
    let rest: ClusterClient;
    let info: ClusterInfo;
    let jarId: string;
    const control = (): string => path.join(flink.folder, "control");

    before(async () => {
      flink = await startFlink(version, { extraConfig: { "web.refresh-interval": "100", "rest.async.store-duration": "3 s" } });
      rest = createFlinkClient(client({ after }), { name: "test", url: flink.url });
      info = await rest.connect(steady);
      jarId = await rest.uploadJar(flink.jarPath, unwatched());
    });
    after(() => flink?.stop());

    const start = async (more: Partial<RunJarRequest> = {}, args: readonly string[] = []): Promise<string> => {
      const jobId = newId();
      const programArgs = ["--window", "false", "--broadcast", "false", "--checkpoint-interval", "1 s", "--control", control(), ...args];
      await rest.runJar(jarId, { jobId, programArgs, parallelism: 2, ...more }, info.capabilities, steady);
      await until(`all tasks of ${jobId} to run`, async () => allTasksRun(await rest.job(jobId, steady)));
      return jobId;
    };
    const outcome = async (jobId: string, triggerId: string): Promise<OperationStatus> => {
      let status: OperationStatus = { state: "in-progress" };
      await until("the savepoint", async () => (status = await rest.savepointStatus(jobId, triggerId, steady)).state !== "in-progress");
      return status;
    };
    const savepoint = async (jobId: string, directory?: string): Promise<string> => {
      const triggerId = newId();
      await rest.triggerSavepoint(jobId, { triggerId, format: "canonical", ...(directory === undefined ? {} : { directory }) }, steady);
      const status = await outcome(jobId, triggerId);
      return status.state === "completed" ? status.path : assert.fail(JSON.stringify(status));
    };

    it("learns what the cluster is", () => {
      assert.deepEqual([info.version.text, info.kind, info.cancelAllowed, info.triggerResultsKeptMs], [version, "session", true, 3_000]);
      assert.equal(onDisk(info.savepointDirectory ?? ""), flink.savepointDir);
      assert.equal(onDisk(info.checkpointDirectory ?? ""), flink.checkpointDir);
    });

    it("lists the jar it uploaded, under a name that Flink can keep, and deletes it twice without complaint", async () => {
      const named = path.join(flink.folder, "mein Jöb (2).jar");
      cpSync(flink.jarPath, named);
      const id = await rest.uploadJar(named, unwatched());
      const listed = (await rest.jars(steady)).find((jar) => jar.jarId === id) ?? assert.fail();
      assert.equal(listed.name, "mein_J_b__2_.jar");
      assert.equal(listed.entryClasses.length, 1);
      await rest.deleteJar(id, steady);
      await rest.deleteJar(id, steady);
      assert.ok(!(await rest.jars(steady)).some((jar) => jar.jarId === id));
    });

    it("takes one savepoint for one trigger id, however often it is asked, and forgets it in time", async () => {
      const jobId = await start();
      const [triggerId, first, second] = [newId(), path.join(flink.folder, "first"), path.join(flink.folder, "second")];
      await rest.triggerSavepoint(jobId, { triggerId, format: "native", directory: first }, steady);
      await rest.triggerSavepoint(jobId, { triggerId, format: "native", directory: second }, steady);
      await rest.stopWithSavepoint(jobId, { triggerId, format: "native", directory: second, drain: false }, steady);
      const status = await outcome(jobId, triggerId);
      assert.ok(status.state === "completed" && onDisk(status.path).startsWith(`${first}/savepoint-${jobId.slice(0, 6)}-`));
      assert.ok(existsSync(path.join(onDisk(status.path), "_metadata")) && !existsSync(second));

      await until("it to appear in the history", async () => (await rest.checkpoints(jobId, steady))?.latest.savepoint?.status === "completed");
      const seen = (await rest.checkpoints(jobId, steady))?.latest.savepoint ?? assert.fail();
      assert.deepEqual([seen.kind, seen.format, seen.path, seen.discarded, seen.failure], ["savepoint", atLeast(info.version, 1, 17) ? "native" : null, status.path, false, null]);
      assert.ok(seen.sizeBytes > 0 && seen.subtasks.total > 0 && seen.subtasks.acknowledged === seen.subtasks.total && seen.checkpointId > 0);
      const config = await rest.checkpointConfig(jobId, steady);
      assert.deepEqual([config?.intervalMs, config?.timeoutMs], [1_000, 600_000]);
      assert.equal(await rest.jobState(jobId, steady), "RUNNING");
      await until("Flink to forget", async () => (await rest.savepointStatus(jobId, triggerId, steady)).state === "forgotten");
      await rest.cancelJob(jobId, steady);
      await until("the cancellation", async () => (await rest.jobState(jobId, steady)) === "CANCELED");
    });

    it("triggers a checkpoint of a job that would take none for an hour", async () => {
      const jobId = await start({}, ["--checkpoint-interval", "1 h"]);
      const latest = async (): Promise<number> => (await rest.checkpoints(jobId, steady))?.latest.completed?.checkpointId ?? 0;
      assert.equal((await rest.checkpointConfig(jobId, steady))?.intervalMs, 3_600_000);
      // Since 2.3 the first checkpoint follows the start at once (`CheckpointCoordinator.initialTriggeringDelay`); before, it came at a random moment of the first interval.
      if (atLeast(info.version, 2, 3)) await until("the first checkpoint", async () => await latest() > 0);
      const before = await latest();
      await rest.triggerCheckpoint(jobId, steady);
      await until("the checkpoint", async () => await latest() > before);
      await rest.cancelJob(jobId, steady);
    });

    it("says in Flink's words why a savepoint failed, and who does not know the job", async () => {
      const jobId = await start();
      const triggerId = newId();
      await rest.triggerSavepoint(jobId, { triggerId, format: "canonical", directory: "file:///proc/nowhere" }, steady);
      const status = await outcome(jobId, triggerId);
      assert.ok(status.state === "failed");
      assert.deepEqual([status.failure.exception, status.failure.message], ["java.io.IOException", "Failed to create savepoint directory at file:/proc/nowhere"]);
      await rest.cancelJob(jobId, steady);

      const [unknown, lost] = [newId(), newId()];
      await rest.triggerSavepoint(unknown, { triggerId: lost, format: "canonical" }, steady);
      const nobody = await outcome(unknown, lost);
      assert.ok(nobody.state === "failed" && nobody.failure.exception.endsWith("FlinkJobNotFoundException"));
      assert.equal(await rest.jobState(unknown, steady), undefined);
      assert.equal(await rest.latestFailure(unknown, steady), undefined);
      for (const call of [() => rest.job(unknown, steady), () => rest.checkpoints(unknown, steady), () => rest.checkpointConfig(unknown, steady), () => rest.cancelJob(unknown, steady)]) {
        assert.deepEqual((await rejected(call(), "job-not-found")).facts, { jobId: unknown });
      }
    });

    it("stops with a savepoint, restores from it with the claim mode's own field, and is told what a second cancel is", async () => {
      const jobId = await start();
      const triggerId = newId();
      await rest.stopWithSavepoint(jobId, { triggerId, format: "canonical", drain: false }, steady);
      const status = await outcome(jobId, triggerId);
      assert.ok(status.state === "completed");
      await until("the job to finish", async () => (await rest.jobState(jobId, steady)) === "FINISHED");
      const late = await rejected(rest.cancelJob(jobId, steady), "flink-failed");
      assert.deepEqual([late.facts.status, late.facts.message], [409, "Job cancellation failed because the job has already reached another terminal state (FINISHED)."]);

      const restored = await start({ savepointPath: status.path, claimMode: "NO_CLAIM", parallelism: 3 });
      const source = (await rest.checkpoints(restored, steady))?.latest.restored;
      assert.ok(source?.isSavepoint === true && source.path === status.path);
      await rest.cancelJob(restored, steady);
      const claimed = await start({ savepointPath: status.path, claimMode: "CLAIM" });
      assert.equal((await rest.checkpoints(claimed, steady))?.latest.restored?.isSavepoint, false);
      await until("Flink to delete what was claimed", async () => !existsSync(onDisk(status.path)));
      await rest.cancelJob(claimed, steady);
    });

    it("shows the deepest cause of each way in which a start can fail", async () => {
      const jobId = await start();
      const location = await savepoint(jobId);
      await rest.cancelJob(jobId, steady);
      const cut = path.join(flink.folder, "cut");
      mkdirSync(cut, { recursive: true });
      writeFileSync(path.join(cut, "_metadata"), "");
      const failures: [Partial<RunJarRequest>, number, RegExp][] = [
        [{ savepointPath: "file:/nowhere/savepoint-000000-000000000000" }, 400, /^Cannot find checkpoint or savepoint file\/directory/],
        [{ savepointPath: path.dirname(location) }, 400, /^Cannot find meta data file '_metadata' in directory/],
        [{ savepointPath: cut }, 400, /^EOFException$/],
        [{ savepointPath: location, programArgs: ["--uid-prefix", "other", "--control", control()] }, 400, /^Failed to rollback to checkpoint\/savepoint .* Cannot map checkpoint\/savepoint state for operator/],
        [{ jobId, programArgs: ["--control", control()] }, 400, /has already been submitted\.$/],
        [{ entryClass: "no.such.Program" }, 500, /^ClassNotFoundException: no\.such\.Program$/],
      ];
      for (const [request, status, message] of failures) {
        const id = request.jobId ?? newId();
        const { facts } = await rejected(rest.runJar(jarId, { ...request, jobId: id }, info.capabilities, steady), "flink-failed");
        assert.equal(facts.status, status);
        assert.match(facts.message, message);
        if (/rollback/.test(facts.message)) assert.match((await rest.latestFailure(id, steady))?.message ?? "", message);
      }
      assert.match((await rejected(rest.runJar("none.jar", { jobId: newId() }, info.capabilities, steady), "flink-failed")).facts.message, /^Jar file .*none\.jar does not exist$/);
    });

    it("disposes, and says why it could not", async () => {
      const jobId = await start();
      const location = await savepoint(jobId);
      await rest.cancelJob(jobId, steady);
      const settle = async (id: string): ReturnType<ClusterClient["disposalStatus"]> => {
        let status: Awaited<ReturnType<ClusterClient["disposalStatus"]>> = { state: "in-progress" };
        await until("the disposal", async () => (status = await rest.disposalStatus(id, steady)).state !== "in-progress");
        return status;
      };
      assert.deepEqual(await settle(await rest.dispose(location, steady)), { state: "completed" });
      assert.ok(!existsSync(onDisk(location)));
      const again = await settle(await rest.dispose(location, steady));
      assert.ok(again.state === "failed" && again.failure.exception === "java.io.FileNotFoundException");
      assert.deepEqual(await rest.disposalStatus(newId(), steady), { state: "forgotten" });
    });

    it("does all of it through a front that asks for TLS, a certificate, a password and a path prefix", async (t) => {
      const front = await startFront(t, flink.url);
      const identity = testIdentities();
      const profile = { name: "front", url: `${front}/gateway/flink`, caFile: identity.caFile };
      const behind = createFlinkClient(client(t, { credentials: (origin) => (origin === front ? [basic, identity.client] : []) }), profile);
      assert.deepEqual(await behind.connect(steady), info);
      const id = await behind.uploadJar(flink.jarPath, unwatched());
      const jobId = newId();
      await behind.runJar(id, { jobId, programArgs: ["--window", "false", "--control", control()] }, info.capabilities, steady);
      assert.ok((await behind.jobs(steady)).some((job) => job.jobId === jobId));
      await behind.cancelJob(jobId, steady);
      await behind.deleteJar(id, steady);

      const nobody = createFlinkClient(client(t, { credentials: () => [identity.client] }), profile);
      assert.equal((await rejected(nobody.connect(steady), "unauthorized")).facts.status, 401);
      await rejected(nobody.dispose("file:/flink/savepoint-1", steady), "unauthorized");
      await rejected(createFlinkClient(client(t, { credentials: () => [basic] }), profile).connect(steady), "tls-failed");
      await rejected(createFlinkClient(client(t), { name: "front", url: front.replace("https:", "http:") }).connect(steady), "cluster-unreachable");
    });

    it("tells a JobManager that is gone from one that has restarted and forgotten", async () => {
      const jobId = await start();
      const triggerId = newId();
      await rest.triggerSavepoint(jobId, { triggerId, format: "canonical" }, steady);
      await flink.killJobManager();
      // While the system takes a killed process apart, its port may still accept and reset.
      await until("its port to close", async () => (await rejected(rest.savepointStatus(jobId, triggerId, steady), "cluster-unreachable")).facts.reason === "ECONNREFUSED");
      assert.equal((await rejected(rest.cancelJob(jobId, steady), "cluster-unreachable")).facts.reason, "ECONNREFUSED");
      await flink.startJobManager();
      assert.deepEqual(await rest.savepointStatus(jobId, triggerId, steady), { state: "forgotten" });
      assert.equal(await rest.jobState(jobId, steady), undefined);
    });
  });
}

/** A reverse proxy as companies put in front of Flink. */
async function startFront(t: TestContext, target: string): Promise<string> {
  const { caPem, server: identity } = testIdentities();
  const expected = `Basic ${Buffer.from("operator:sesame").toString("base64")}`;
  const front = https.createServer({ ...identity, ca: caPem, requestCert: true, rejectUnauthorized: true }, (incoming, response) => {
    if (incoming.headers.authorization !== expected) return void response.writeHead(401, { "content-type": "text/html", "www-authenticate": "Basic" }).end("<html><title>401</title></html>");
    const route = /^\/gateway\/flink(\/.*)$/.exec(incoming.url ?? "")?.[1];
    if (route === undefined) return void response.writeHead(404).end("<html></html>");
    const headers = { ...incoming.headers };
    delete headers.authorization;
    delete headers.connection;
    const onwards = http.request(`${target}${route}`, { method: incoming.method ?? "GET", headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onwards.on("error", () => response.destroy());
    incoming.pipe(onwards);
  });
  await new Promise<void>((resolve) => front.listen(0, "localhost", resolve));
  t.after(() => {
    front.closeAllConnections();
    front.close();
  });
  const address = front.address();
  return `https://localhost:${typeof address === "object" ? address?.port : 0}`;
}
