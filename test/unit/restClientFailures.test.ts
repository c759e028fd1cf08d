import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { failureOfCause, failureOfErrors, failureOfTrace, type FailureCause } from "../../src/clients/flink/failures";
import { createFlinkClient } from "../../src/clients/flink/restClient";
import type { ErrorCode } from "../../src/core/errors";
import { client, serve, steady, type Answer } from "./httpServers";
import { rejected } from "./rejected";

interface Recorded {
  readonly status: number;
  readonly body: { errors?: string[]; operation?: { "failure-cause"?: FailureCause }; exceptionHistory?: { entries: { stacktrace: string }[] } };
}

const recorded = (version: string): Record<string, Recorded> =>
  JSON.parse(readFileSync(path.join("test", "unit", "fixtures", `replies-${version}.json`), "utf8")) as Record<string, Recorded>;

const savepoint = /savepoint-[0-9a-f]{6}-[0-9a-f]{12}/;

/** What each refusal and failure of a real Flink says in the end: exception, message. */
const expected: Record<string, [exception: RegExp, message: RegExp]> = {
  "savepoint-forgotten": [/\.RestHandlerException$/, /^There is no savepoint operation with triggerId=c{32} for job a{32}\.$/],
  "savepoint-bad-scheme": [/^org\.apache\.flink\.core\.fs\.UnsupportedFileSystemSchemeException$/, /^Could not find a file system implementation for scheme 's3'\. The scheme is directly supported/],
  "savepoint-unwritable": [/^java\.io\.IOException$/, /^Failed to create savepoint directory at file:\/proc\/nope$/],
  "savepoint-unknown-job": [/\.FlinkJobNotFoundException$/, /^Could not find Flink job \(0{32}\)$/],
  "trigger-bad-id": [/^java\.lang\.NumberFormatException$/, /^For input string: "xy" under radix 16$/],
  "stop-commit-failed": [/\.StopWithSavepointStoppingException$/, /^A savepoint has been created at: file:\/flink\/savepoints\/savepoint-[0-9a-f-]+, but the corresponding job a{32} failed during stopping\./],
  "exceptions-failed": [/\.StopWithSavepointStoppingException$/, /^A savepoint has been created at: file:/],
  "cancel-failed-job": [/\.RestHandlerException$/, /^Job cancellation failed because the job has already reached another terminal state \(FAILED\)\.$/],
  "run-cannot-map": [/^java\.lang\.IllegalStateException$/, /^Failed to rollback to checkpoint\/savepoint file:\S+ Cannot map checkpoint\/savepoint state for operator [0-9a-f]{32} to the new program, .* --allowNonRestoredState option on the CLI\.$/],
  "exceptions-init-failed": [/^java\.lang\.IllegalStateException$/, /^Failed to rollback to checkpoint\/savepoint/],
  "run-duplicate": [/\.Duplicate(Job|Application)SubmissionException$/, /^(Job|Application) has already been submitted\.$/],
  "run-missing-savepoint": [/^java\.io\.FileNotFoundException$/, /^Cannot find checkpoint or savepoint file\/directory '\/flink\/savepoint-0{6}-0{12}' on file system 'file'\.$/],
  "run-parent-directory": [/^java\.io\.FileNotFoundException$/, /^Cannot find meta data file '_metadata' in directory 'file:\/flink\/savepoints'\./],
  "run-truncated-metadata": [/^java\.io\.EOFException$/, /^EOFException$/],
  "run-no-execute": [/\.RestHandlerException$/, /^No jobs included in application\.$/],
  "run-unknown-jar": [/\.RestHandlerException$/, /^Jar file \/flink\/tmp\/flink-web-upload\/nope\.jar does not exist$/],
  "run-bad-class": [/^java\.lang\.ClassNotFoundException$/, /^ClassNotFoundException: a\.B$/],
  "disposal-failed": [/^java\.io\.FileNotFoundException$/, savepoint],
  "unknown-get": [/^$/, /^Unable to load requested file \/nope\.$/],
  "unknown-post": [/^$/, /^Not found: \/nope$/],
};

for (const version of ["1.15.4", "1.20.5", "2.3.0"]) {
  test(`the failures of Flink ${version} end in their deepest cause`, () => {
    const replies = recorded(version);
    for (const [name, [exception, message]] of Object.entries(expected)) {
      const { body } = replies[name] ?? assert.fail(name);
      const cause = body.operation?.["failure-cause"];
      const trace = body.exceptionHistory?.entries[0]?.stacktrace ?? "";
      const failure = body.errors ? failureOfErrors(body.errors) : cause ? failureOfCause(cause) : failureOfTrace(trace);
      assert.match(failure.exception, exception, name);
      assert.match(failure.message, message, name);
      assert.doesNotMatch(failure.trace, /<Exception on server side|End of exception/, name);
    }
  });
}

test("suppressed exceptions and their causes are not the cause", () => {
  const failure = failureOfTrace("a.b.OuterException: outer\n\tat a.b.C.d(C.java:1)\n\tSuppressed: a.b.CloseException: while closing\n\t\tat a.b.C.e(C.java:2)\n\tCaused by: a.b.InnerException: of the suppressed\n\t\t... 3 more\nCaused by: java.io.IOException: disk\nfull\n\t... 5 more");
  assert.deepEqual([failure.exception, failure.message], ["java.io.IOException", "disk full"]);
});

test("a cause that was serialized shows the exception it was", () => {
  const failure = failureOfTrace("java.util.concurrent.CompletionException: org.apache.flink.util.SerializedThrowable: java.lang.IllegalStateException: no state\n\tat a.B.c(B.java:1)");
  assert.deepEqual([failure.exception, failure.message], ["java.lang.IllegalStateException", "no state"]);
});

test("texts without a class, empty ones and very long ones stay readable", () => {
  assert.deepEqual(failureOfErrors(["Service temporarily unavailable."]), { exception: "", message: "Service temporarily unavailable.", trace: "Service temporarily unavailable." });
  assert.deepEqual(failureOfErrors([]), { exception: "", message: "", trace: "" });
  assert.deepEqual(failureOfCause({ class: "java.io.EOFException" }), { exception: "java.io.EOFException", message: "EOFException", trace: "java.io.EOFException" });
  const long = failureOfTrace(`a.B.FirstException: first\n${"\tat a.b.C.d(C.java:1)\n".repeat(100_000)}Caused by: a.b.LastException: ${"word ".repeat(10_000)}`);
  assert.equal(long.exception, "a.b.LastException");
  assert.ok(long.message.length <= 600 && long.message.endsWith("…"));
  assert.ok(long.trace.length < 40_000);
  assert.match(long.trace, /^a\.B\.FirstException: first/);
});

const html = { "content-type": "text/html; charset=utf-8" };
const json = { "content-type": "application/json; charset=UTF-8" };
const page = (status: number, title: string): Answer => (_, response) => response.writeHead(status, html).end(`<!DOCTYPE html>\n<html><head><TITLE lang="en">\n  ${title}\n</title></head><body></body></html>`);
const errors = (status: number, ...texts: readonly string[]): Answer => (_, response) => response.writeHead(status, json).end(JSON.stringify({ errors: texts }));
const raw = (status: number, headers: Record<string, string>, body: string): Answer => (_, response) => response.writeHead(status, headers).end(body);

/** Each answer, what it means to a call that only reads, and to one that acts. */
const answers: [name: string, answer: Answer, read: [ErrorCode, object], act: [ErrorCode, object]][] = [
  ["a login page with status 200", page(200, "Sign in &amp; go on"),
    ["not-flink", { status: 200, contentType: "text/html", title: "Sign in & go on" }], ["answer-lost", { reason: "unreadable reply" }]],
  ["a proxy's 404 page", page(404, "404 Not Found"),
    ["not-flink", { status: 404, contentType: "text/html", title: "404 Not Found" }], ["not-flink", { status: 404, contentType: "text/html", title: "404 Not Found" }]],
  ["a gateway that cannot reach Flink", page(502, "502 Bad Gateway"),
    ["cluster-unreachable", { reason: "HTTP 502" }], ["answer-lost", { reason: "HTTP 502" }]],
  ["a gateway that gave up waiting", page(504, "504 Gateway Time-out"),
    ["cluster-unreachable", { reason: "HTTP 504" }], ["answer-lost", { reason: "HTTP 504" }]],
  ["a program's own error page", page(500, "Oops"),
    ["not-flink", { status: 500, contentType: "text/html", title: "Oops" }], ["answer-lost", { reason: "HTTP 500" }]],
  ["Kubernetes' API server", raw(503, json, '{"kind":"Status","status":"Failure","message":"no endpoints available for service \\"flink-rest\\"","code":503}'),
    ["cluster-unreachable", { reason: "HTTP 503" }], ["answer-lost", { reason: "HTTP 503" }]],
  ["nothing at all", raw(200, {}, ""),
    ["not-flink", { status: 200, contentType: "", title: null }], ["answer-lost", { reason: "unreadable reply" }]],
  ["text", raw(400, { "content-type": "text/plain" }, "what?"),
    ["not-flink", { status: 400, contentType: "text/plain", title: null }], ["not-flink", { status: 400, contentType: "text/plain", title: null }]],
  ["JSON that was cut", raw(200, json, '{"jobs":[{"jid":'),
    ["unexpected-reply", { detail: "not valid JSON" }], ["answer-lost", { reason: "unreadable reply" }]],
  ["a leader election", errors(503, "Service temporarily unavailable due to an ongoing leader election. Please refresh."),
    ["no-leader", {}], ["no-leader", {}]],
  ["an unknown route of the web UI", errors(404, "Unable to load requested file /jobs/overview."), ["no-such-route", {}], ["no-such-route", {}]],
  ["an unknown route of the router", errors(404, "Not found: /savepoint-disposal"), ["no-such-route", {}], ["no-such-route", {}]],
  ["uploads that are switched off", errors(400, "POST request not allowed"), ["no-such-route", {}], ["no-such-route", {}]],
  ["an RPC inside Flink that timed out",
    errors(500, "Internal server error.", "<Exception on server side:\njava.util.concurrent.CompletionException: akka.pattern.AskTimeoutException: Ask timed out\n\tat a.B.c(B.java:1)\nCaused by: akka.pattern.AskTimeoutException: Ask timed out on [Actor[x]] after [10000 ms].\n\t... 3 more\n\nEnd of exception on server side>"),
    ["flink-failed", { status: 500, exception: "akka.pattern.AskTimeoutException", message: "Ask timed out on [Actor[x]] after [10000 ms]." }],
    ["answer-lost", { reason: "akka.pattern.AskTimeoutException" }]],
  ["a refusal in Flink's words", errors(400, "org.apache.flink.runtime.rest.handler.RestHandlerException: Field savepoint-path must not be omitted or be null.\n\tat a.B.c(B.java:1)\n"),
    ["flink-failed", { status: 400, message: "Field savepoint-path must not be omitted or be null." }],
    ["flink-failed", { status: 400, message: "Field savepoint-path must not be omitted or be null." }]],
];

for (const [name, answer, read, act] of answers) {
  test(`${name}, to a read and to an act`, async (t) => {
    const server = await serve(t, answer);
    const flink = createFlinkClient(client(t), { name: "test", url: server.origin });
    for (const [call, route, [code, facts]] of [[() => flink.jobs(steady), "/jobs/overview", read], [() => flink.dispose("file:/x/savepoint-1", steady), "/savepoint-disposal", act]] as const) {
      const error = await rejected(call(), code);
      assert.equal((error.facts as { url: string }).url, `${server.origin}${route}`);
      for (const [key, value] of Object.entries(facts)) assert.deepEqual((error.facts as Record<string, unknown>)[key], value, key);
    }
  });
}

test("JSON of another shape is an unexpected reply that names the place and not the value", async (t) => {
  const server = await serve(t, raw(200, json, JSON.stringify({ jobs: [{ "jid": "1", "name": "n", "state": "secret-state", "start-time": "soon" }] })));
  const error = await rejected(createFlinkClient(client(t), { name: "test", url: server.origin }).jobs(steady), "unexpected-reply");
  assert.match(error.facts.detail, /^jobs\.0\.state: .*; jobs\.0\.start-time: /);
  assert.doesNotMatch(error.facts.detail, /secret|soon/);
});

test("a success that does not name what it started may have started it", async (t) => {
  const server = await serve(t, raw(202, json, "{}"));
  const flink = createFlinkClient(client(t), { name: "test", url: server.origin });
  const error = await rejected(flink.triggerSavepoint("a".repeat(32), { triggerId: "b".repeat(32), format: "canonical" }, steady), "answer-lost");
  assert.match(error.facts.reason, /^unexpected reply: request-id: /);
  const other = await serve(t, raw(202, json, JSON.stringify({ "request-id": "c".repeat(32) })));
  const elsewhere = createFlinkClient(client(t), { name: "test", url: other.origin });
  assert.equal((await rejected(elsewhere.stopWithSavepoint("a".repeat(32), { triggerId: "b".repeat(32), format: "canonical", drain: false }, steady), "answer-lost")).facts.reason, "another id came back");
});

test("a 10 MB page with a hostile head gives its title quickly", async (t) => {
  const server = await serve(t, raw(200, html, `${"<title".repeat(1_000)}>Proxy\u0007 status</title>${"<title ".repeat(1_500_000)}`));
  const startedMs = Date.now();
  const error = await rejected(createFlinkClient(client(t), { name: "test", url: server.origin }).connect(steady), "not-flink");
  assert.equal(error.facts.title, "Proxy status");
  assert.ok(Date.now() - startedMs < 20_000);
});
