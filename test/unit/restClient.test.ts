import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { parseFlinkDuration, readConfiguration } from "../../src/clients/flink/configuration";
import { createFlinkClient } from "../../src/clients/flink/restClient";
import { allTasksRun } from "../../src/core/model/job";
import { capabilitiesOf, parseFlinkVersion } from "../../src/core/model/version";
import type { ClusterClient } from "../../src/core/ports";
import { client, serve, steady, type SeenRequest } from "./httpServers";
import { rejected } from "./rejected";

const job = "a".repeat(32);
const trigger = `${"b".repeat(31)}1`;
const failed = "d".repeat(32);
const unknown = "0".repeat(32);
const jar = "11111111-2222-3333-4444-555555555555_job.jar";

/** Which recorded reply answers which request; everything else is an unknown route. */
const routes: Record<string, string> = {
  "GET /config": "config",
  "GET /jobmanager/config": "jobmanager-config",
  "GET /jobs/overview": "jobs-overview",
  [`GET /jobs/${job}`]: "job",
  [`GET /jobs/${job}/status`]: "job-status",
  [`GET /jobs/${unknown}`]: "job-unknown",
  [`GET /jobs/${unknown}/status`]: "job-status-unknown",
  [`GET /jobs/${failed}`]: "job-init-failed",
  [`GET /jobs/${job}/checkpoints`]: "checkpoints",
  [`GET /jobs/${failed}/checkpoints`]: "checkpoints-restored",
  [`GET /jobs/${unknown}/checkpoints`]: "checkpoints-unknown",
  [`GET /jobs/${job}/checkpoints/config`]: "checkpoints-config",
  [`GET /jobs/${failed}/checkpoints/config`]: "checkpoints-config-off",
  [`GET /jobs/${job}/exceptions?maxExceptions=1`]: "exceptions-none",
  [`GET /jobs/${failed}/exceptions?maxExceptions=1`]: "exceptions-init-failed",
  [`GET /jobs/${unknown}/exceptions?maxExceptions=1`]: "job-unknown",
  [`POST /jobs/${job}/savepoints`]: "trigger",
  [`POST /jobs/${job}/stop`]: "trigger",
  [`GET /jobs/${job}/savepoints/${trigger}`]: "savepoint-completed",
  [`GET /jobs/${job}/savepoints/1`]: "savepoint-in-progress",
  [`GET /jobs/${job}/savepoints/2`]: "savepoint-unwritable",
  [`GET /jobs/${job}/savepoints/3`]: "savepoint-forgotten",
  [`GET /jobs/${job}/savepoints/4`]: "stop-commit-failed",
  [`PATCH /jobs/${job}?mode=cancel`]: "cancel-failed-job",
  [`PATCH /jobs/${unknown}?mode=cancel`]: "cancel-unknown",
  "POST /savepoint-disposal": "dispose",
  "GET /savepoint-disposal/1": "disposal-completed",
  "GET /savepoint-disposal/2": "disposal-failed",
  "GET /savepoint-disposal/3": "disposal-forgotten",
  "GET /jars": "jars",
  "POST /jars/upload": "upload",
  [`POST /jars/${jar}/run`]: "run",
  "POST /jars/nope.jar/run": "run-unknown-jar",
  [`DELETE /jars/${jar}`]: "jar-deleted",
  "DELETE /jars/nope.jar": "jar-missing",
};

/** A server that answers as the Flink of this version did, behind a path prefix, and a client for it. */
async function recorded(t: TestContext, version: string): Promise<{ flink: ClusterClient; seen: SeenRequest[] }> {
  // Taken apart as text: JSON.parse would round Long.MAX_VALUE before it reaches the client.
  const text = readFileSync(path.join("test", "unit", "fixtures", `replies-${version}.json`), "utf8");
  const replies = JSON.parse(text.replaceAll("9223372036854775807", '"Long.MAX_VALUE"')) as Record<string, { status: number; body: unknown }>;
  const server = await serve(t, ({ method, url }, response) => {
    const name = routes[`${method} ${url.replace("/gateway/flink", "")}`];
    const reply = url.startsWith("/gateway/flink/") && name !== undefined ? replies[name] : replies[method === "GET" ? "unknown-get" : "unknown-post"];
    response.writeHead(reply?.status ?? 500, { "content-type": "application/json; charset=UTF-8" }).end(JSON.stringify(reply?.body).replaceAll('"Long.MAX_VALUE"', "9223372036854775807"));
  });
  return { flink: createFlinkClient(client(t), { name: "test", url: `${server.origin}/gateway/flink` }), seen: server.seen };
}

for (const version of ["1.15.4", "1.20.5", "2.3.0"]) {
  const parsed = parseFlinkVersion(version) ?? assert.fail();
  const capabilities = capabilitiesOf(parsed);

  test(`Flink ${version}: connecting learns version, kind and directories`, async (t) => {
    const { flink } = await recorded(t, version);
    assert.deepEqual(await flink.connect(steady), {
      version: parsed, capabilities, kind: "session", savepointDirectory: "file:///flink/savepoints", checkpointDirectory: "file:///flink/checkpoints",
      triggerResultsKeptMs: version === "1.15.4" ? 5_000 : 300_000, cancelAllowed: true,
    });
  });

  test(`Flink ${version}: jobs and their states`, async (t) => {
    const { flink, seen } = await recorded(t, version);
    await flink.connect(steady);
    const jobs = await flink.jobs(steady);
    assert.deepEqual(new Set(jobs.map((summary) => summary.state)), new Set(["RUNNING", "FAILED"]));
    const running = jobs.find((summary) => summary.state === "RUNNING") ?? assert.fail();
    assert.equal(running.endTimeMs, null);
    assert.deepEqual(running.tasks, { total: 9, running: 9 });
    assert.ok(running.startTimeMs > 1_700_000_000_000);
    assert.ok((jobs.find((summary) => summary.jobId === failed)?.endTimeMs ?? 0) > 1_700_000_000_000);

    const details = await flink.job(job, steady);
    assert.deepEqual([details.jobId, details.name, details.state, details.maxParallelism], [job, "test job", "RUNNING", -1]);
    assert.ok(allTasksRun(details) && details.nowMs > details.startTimeMs);
    assert.deepEqual(details.vertices.map((vertex) => vertex.parallelism), [2, 1, 2, 2, 2]);
    assert.deepEqual((await flink.job(failed, steady)).vertices, []);
    assert.deepEqual((await rejected(flink.job(unknown, steady), "job-not-found")).facts, { jobId: unknown });

    seen.length = 0;
    assert.equal(await flink.jobState(job, steady), "RUNNING");
    assert.equal(await flink.jobState(unknown, steady), undefined);
    const status = capabilities.jobStatusEndpoint ? "/status" : "";
    assert.deepEqual(seen.map((request) => request.url), [`/gateway/flink/jobs/${job}${status}`, `/gateway/flink/jobs/${unknown}${status}`]);
  });

  test(`Flink ${version}: a client that never connected finds out by itself how to ask for a state`, async (t) => {
    const { flink, seen } = await recorded(t, version);
    assert.equal(await flink.jobState(job, steady), "RUNNING");
    assert.equal(await flink.jobState(unknown, steady), undefined);
    assert.equal(seen.length, version === "1.15.4" ? 3 : 2);
  });

  test(`Flink ${version}: checkpoints, their configuration and failures`, async (t) => {
    const { flink } = await recorded(t, version);
    const overview = (await flink.checkpoints(job, steady)) ?? assert.fail();
    assert.ok(overview.counts.completed >= 5 && overview.counts.failed >= 2 && overview.history.length <= 10);
    const { savepoint, completed, restored } = overview.latest;
    assert.equal(savepoint?.kind, "savepoint");
    assert.equal(savepoint?.status, "completed");
    assert.equal(savepoint?.format, version === "1.15.4" ? null : "native");
    assert.match(savepoint?.path ?? "", /^file:\/flink\/savepoints\/savepoint-/);
    assert.deepEqual(savepoint?.subtasks, { acknowledged: 9, total: 9 });
    assert.ok((savepoint?.durationMs ?? 0) > 300 && (savepoint?.sizeBytes ?? 0) > 10_000);
    assert.equal(completed?.kind, "checkpoint");
    assert.equal(completed?.format, null);
    assert.equal(restored, null);
    assert.ok(overview.history.some((entry) => entry.kind === "savepoint" && entry.status === "failed" && /IO-problem detected/.test(entry.failure ?? "") && entry.path === null));
    assert.ok(overview.history.some((entry) => entry.discarded));
    const source = (await flink.checkpoints(failed, steady))?.latest.restored;
    assert.ok(source?.isSavepoint === true && source.path === savepoint?.path && source.checkpointId === savepoint?.checkpointId);
    await rejected(flink.checkpoints(unknown, steady), "job-not-found");

    assert.deepEqual(await flink.checkpointConfig(job, steady), { intervalMs: 1_000, timeoutMs: 600_000, keptOnCancel: true });
    assert.equal((await flink.checkpointConfig(failed, steady))?.intervalMs, null);

    assert.equal(await flink.latestFailure(job, steady), undefined);
    assert.equal(await flink.latestFailure(unknown, steady), undefined);
    const failure = (await flink.latestFailure(failed, steady)) ?? assert.fail();
    assert.equal(failure.exception, "java.lang.IllegalStateException");
    assert.match(failure.message, /^Failed to rollback to checkpoint\/savepoint/);
    assert.ok(failure.atMs > 1_700_000_000_000);
  });

  test(`Flink ${version}: savepoints and stops are asked for in the two spellings Flink has for them`, async (t) => {
    const { flink, seen } = await recorded(t, version);
    await flink.triggerSavepoint(job, { triggerId: trigger, format: "native" }, steady);
    await flink.triggerSavepoint(job, { triggerId: trigger, directory: "s3://b/sp", format: "canonical" }, steady);
    await flink.stopWithSavepoint(job, { triggerId: trigger, format: "canonical", drain: false }, steady);
    await flink.stopWithSavepoint(job, { triggerId: trigger, directory: "/sp", format: "native", drain: true }, steady);
    assert.deepEqual(seen.map((request) => [request.url.split("/").at(-1), JSON.parse(request.body.toString())]), [
      ["savepoints", { formatType: "NATIVE", triggerId: trigger }],
      ["savepoints", { "target-directory": "s3://b/sp", "formatType": "CANONICAL", "triggerId": trigger }],
      ["stop", { drain: false, formatType: "CANONICAL", triggerId: trigger }],
      ["stop", { targetDirectory: "/sp", drain: true, formatType: "NATIVE", triggerId: trigger }],
    ]);
  });

  test(`Flink ${version}: what became of a savepoint, a stop and a disposal`, async (t) => {
    const { flink, seen } = await recorded(t, version);
    assert.deepEqual(await flink.savepointStatus(job, "1", steady), { state: "in-progress" });
    const completed = await flink.savepointStatus(job, trigger, steady);
    assert.ok(completed.state === "completed" && /^file:\/flink\/savepoints\/savepoint-[0-9a-f]{6}-[0-9a-f]{12}$/.test(completed.path));
    const unwritable = await flink.savepointStatus(job, "2", steady);
    assert.ok(unwritable.state === "failed" && unwritable.failure.message === "Failed to create savepoint directory at file:/proc/nope");
    assert.deepEqual(await flink.savepointStatus(job, "3", steady), { state: "forgotten" });
    const unclean = await flink.savepointStatus(job, "4", steady);
    assert.ok(unclean.state === "failed" && /created at: (.+?), but the corresponding job/.test(unclean.failure.message));

    assert.equal(await flink.dispose("file:/flink/savepoints/savepoint-1", steady), "f".repeat(32));
    assert.deepEqual(JSON.parse(seen.at(-1)?.body.toString() ?? ""), { "savepoint-path": "file:/flink/savepoints/savepoint-1" });
    assert.deepEqual(await flink.disposalStatus("1", steady), { state: "completed" });
    const undisposed = await flink.disposalStatus("2", steady);
    assert.ok(undisposed.state === "failed" && /^Cannot find checkpoint or savepoint/.test(undisposed.failure.message));
    assert.deepEqual(await flink.disposalStatus("3", steady), { state: "forgotten" });

    const late = await rejected(flink.cancelJob(job, steady), "flink-failed");
    assert.equal(late.facts.status, 409);
    await rejected(flink.cancelJob(unknown, steady), "job-not-found");
  });

  test(`Flink ${version}: a job is run with the fields this version knows`, async (t) => {
    const { flink, seen } = await recorded(t, version);
    const request = { jobId: job, entryClass: "", programArgs: ["--a", "b c"], parallelism: 3, claimMode: "NO_CLAIM" } as const;
    await flink.runJar(jar, request, capabilities, steady);
    await flink.runJar(jar, { ...request, entryClass: "a.B", programArgs: [], savepointPath: "file:/sp/savepoint-1" }, capabilities, steady);
    await flink.runJar(jar, { jobId: job, savepointPath: "file:/sp/savepoint-1", claimMode: "CLAIM", allowNonRestoredState: true }, capabilities, steady);
    const mode = version === "1.15.4" ? "restoreMode" : "claimMode";
    assert.deepEqual(seen.map((sent) => JSON.parse(sent.body.toString()) as unknown), [
      { jobId: job, programArgsList: ["--a", "b c"], parallelism: 3 },
      { jobId: job, entryClass: "a.B", parallelism: 3, savepointPath: "file:/sp/savepoint-1", allowNonRestoredState: false, [mode]: "NO_CLAIM" },
      { jobId: job, savepointPath: "file:/sp/savepoint-1", allowNonRestoredState: true, [mode]: "CLAIM" },
    ]);
    const missing = await rejected(flink.runJar("nope.jar", { jobId: job }, capabilities, steady), "flink-failed");
    assert.deepEqual([missing.facts.status, missing.facts.message], [500, "Jar file /flink/tmp/flink-web-upload/nope.jar does not exist"]);
    assert.equal((await rejected(flink.runJar(jar, { jobId: unknown }, capabilities, steady), "answer-lost")).facts.reason, "another id came back");

    const [listed] = await flink.jars(steady);
    assert.deepEqual([listed?.jarId, listed?.name, listed?.entryClasses], [jar, "job.jar", ["acme.TestJob"]]);
    await flink.deleteJar(jar, steady);
    await flink.deleteJar("nope.jar", steady);
  });
}

test("no empty, relative or unreadable location ever leaves, in any call", async (t) => {
  const { flink, seen } = await recorded(t, "2.3.0");
  const capabilities = capabilitiesOf({ major: 2, minor: 3, text: "2.3.0" });
  for (const location of ["", "  ", "rel/dir", "C:\\sp", "file:/a\nb"]) {
    await rejected(flink.triggerSavepoint(job, { triggerId: trigger, format: "native", directory: location }, steady), "location-invalid");
    await rejected(flink.stopWithSavepoint(job, { triggerId: trigger, format: "native", drain: false, directory: location }, steady), "location-invalid");
    await rejected(flink.dispose(location, steady), "location-invalid");
    await rejected(flink.runJar(jar, { jobId: job, savepointPath: location }, capabilities, steady), "location-invalid");
  }
  assert.equal(seen.length, 0);
});

test("other kinds of cluster are recognised by what they say of themselves", async (t) => {
  const connect = async (config: object, settings: { status: number; body: unknown }): Promise<unknown> => {
    const server = await serve(t, ({ url }, response) => {
      const reply = url === "/config" ? { status: 200, body: config } : settings;
      response.writeHead(reply.status, { "content-type": "application/json" }).end(JSON.stringify(reply.body));
    });
    return createFlinkClient(client(t), { name: "test", url: server.origin }).connect(steady);
  };
  const noFile = { status: 404, body: { errors: ["File not found."] } };
  const none = { savepointDirectory: null, checkpointDirectory: null, triggerResultsKeptMs: 300_000 };
  const at = (text: string) => ({ version: parseFlinkVersion(text) ?? assert.fail(), capabilities: capabilitiesOf(parseFlinkVersion(text) ?? assert.fail()) });
  // A HistoryServer of 1.20.5, and one of 1.15, which does not name itself.
  assert.deepEqual(await connect({ "flink-version": "1.20.5", "features": { "web-submit": false, "web-cancel": false, "web-history": true, "web-rescale": false } }, noFile), { ...at("1.20.5"), kind: "history", ...none, cancelAllowed: false });
  assert.deepEqual(await connect({ "flink-version": "1.15.4", "features": { "web-submit": false, "web-cancel": false } }, noFile), { ...at("1.15.4"), kind: "history", ...none, cancelAllowed: false });
  // An application's JobManager of a vendor's build, whose owner hides a value.
  const settings = [
    { key: "state.savepoints.dir", value: "s3://old/sp" }, { key: "execution.checkpointing.savepoint-dir", value: "******" }, { key: "savepoints.state.backend.fs.dir", value: "s3://oldest" },
    { key: "state.checkpoints.dir", value: "'s3://b/cp'" }, { key: "rest.async.store-duration", value: "1 h" },
  ];
  assert.deepEqual(await connect({ "flink-version": "1.18.1-stream1", "features": { "web-submit": false, "web-cancel": true } }, { status: 200, body: settings }), {
    ...at("1.18.1-stream1"), kind: "application", savepointDirectory: "s3://old/sp", checkpointDirectory: "s3://b/cp", triggerResultsKeptMs: 3_600_000, cancelAllowed: true,
  });
  // A proxy that keeps the configuration to itself; and a Flink so old that it has no features.
  assert.deepEqual(await connect({ "flink-version": "2.0-SNAPSHOT", "features": { "web-submit": true } }, { status: 403, body: {} }), { ...at("2.0-SNAPSHOT"), kind: "session", ...none, cancelAllowed: true });
  assert.deepEqual(await connect({ "flink-version": "1.8.0" }, noFile), { ...at("1.8.0"), kind: "session", ...none, cancelAllowed: true });
  await rejected(connect({ hello: "world" }, noFile), "not-flink");
  await rejected(connect({ "flink-version": "<unknown>" }, noFile), "unexpected-reply");
});

test("a wrong path prefix and a page behind it are told apart from Flink", async (t) => {
  const server = await serve(t, (_, response) => response.writeHead(404, { "content-type": "application/json" }).end('{"errors":["Unable to load requested file /nope/config."]}'));
  await rejected(createFlinkClient(client(t), { name: "test", url: `${server.origin}/nope` }).connect(steady), "no-such-route");
});

test("a history server knows no trigger, keeps no status, and says of unknown jobs that there is no file", async (t) => {
  const server = await serve(t, ({ url }, response) => {
    const off = url.startsWith(`/jobs/${job}/checkpoints`);
    if (url === "/config") return response.end('{"flink-version":"2.2.1","features":{"web-history":true}}');
    response.writeHead(off ? 200 : 404, { "content-type": "application/json" });
    return response.end(off ? '{"errors":["Checkpointing has not been enabled."]}' : '{"errors":["File not found."]}');
  });
  const flink = createFlinkClient(client(t), { name: "test", url: server.origin });
  await flink.connect(steady);
  assert.equal(await flink.checkpoints(job, steady), undefined);
  assert.equal(await flink.jobState(unknown, steady), undefined);
  assert.ok(server.seen.every((request) => !request.url.endsWith("/status")));
  await rejected(flink.job(unknown, steady), "job-not-found");
  assert.equal((await rejected(flink.savepointStatus(job, trigger, steady), "flink-failed")).facts.status, 404);
});

test("a job without checkpoint coordinator has neither checkpoints nor their configuration", async (t) => {
  const server = await serve(t, ({ url }, response) => {
    const text = url.endsWith("/config") ? `Checkpointing is not enabled for this job (${job}).` : "Checkpointing has not been enabled.";
    response.writeHead(404, { "content-type": "application/json" }).end(JSON.stringify({ errors: [`org.apache.flink.runtime.rest.handler.RestHandlerException: ${text}\n\tat a.B.c(B.java:1)\n`] }));
  });
  const flink = createFlinkClient(client(t), { name: "test", url: server.origin });
  assert.equal(await flink.checkpoints(job, steady), undefined);
  assert.equal(await flink.checkpointConfig(job, steady), undefined);
});

test("while a job of 1.15 waits for its restart the root exception speaks, and checkpoints in memory have no location", async (t) => {
  const entry = { className: "completed", id: 3, status: "COMPLETED", is_savepoint: false, trigger_timestamp: 5, end_to_end_duration: -1, state_size: 7, num_subtasks: 2, num_acknowledged_subtasks: 0, checkpoint_type: "SYNC_SAVEPOINT", external_path: "<checkpoint-not-externally-addressable>", p99: "NaN" };
  const server = await serve(t, ({ url }, response) => {
    const reply = url.includes("exceptions")
      ? { "root-exception": "java.lang.RuntimeException: outer\n\tat a.B.c(B.java:1)\nCaused by: java.io.IOException: disk full\n\t... 3 more", "timestamp": 42, "exceptionHistory": { entries: [], truncated: false } }
      : { counts: {}, latest: {}, history: [entry] };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(reply));
  });
  const flink = createFlinkClient(client(t), { name: "test", url: server.origin });
  const failure = await flink.latestFailure(job, steady);
  assert.deepEqual([failure?.exception, failure?.message, failure?.atMs], ["java.io.IOException", "disk full", 42]);
  assert.deepEqual((await flink.checkpoints(job, steady))?.history, [{
    checkpointId: 3, kind: "stop-savepoint", status: "completed", format: null, triggeredAtMs: 5, durationMs: null, sizeBytes: 7,
    subtasks: { acknowledged: 0, total: 2 }, path: null, discarded: false, failure: null,
  }]);
});

test("durations as Flink writes them", () => {
  const cases: [string, number | undefined][] = [
    ["5 min", 300_000], ["300000", 300_000], ["300000 ms", 300_000], ["PT5M", 300_000], ["pt1h30m", 5_400_000], ["P1DT2S", 86_402_000], ["PT0.5S", 500],
    ["10 s", 10_000], ["10s", 10_000], ["1 h", 3_600_000], ["2 d", 172_800_000], ["2days", 172_800_000], ["0", 0], ["1500 µs", 1], ["5 weeks", undefined], ["", undefined], ["P", undefined], ["PT", undefined], ["-1", undefined],
  ];
  for (const [text, ms] of cases) assert.equal(parseFlinkDuration(text), ms, text);
  assert.equal(readConfiguration([{ key: "rest.async.store-duration", value: "0" }]).triggerResultsKeptMs, 0);
  assert.equal(readConfiguration([{ key: "rest.async.store-duration", value: "soon" }]).triggerResultsKeptMs, 300_000);
});
