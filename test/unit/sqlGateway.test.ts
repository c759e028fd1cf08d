import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { HttpRequest } from "../../src/clients/http";
import { gatewayActions, gatewayOf, type SqlGateway } from "../../src/clients/paimon/sqlGateway";
import { isAbort, systemClock } from "../../src/core/base/async";
import { FlinkError } from "../../src/core/errors";
import { JumpingClock, watchedRun } from "./fakes";
import { rejected } from "./rejected";

const log = { trace: () => undefined, debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const table = { database: "d", table: "t" };

/** A gateway whose statements end as told; a session is opened as by a real one. */
function gateway(statement: (text: string) => { readonly status: number; readonly body: string; readonly contentType: string }, routes: string[] = []): SqlGateway {
  const json = (value: object): { status: number; body: string; contentType: string } => ({ status: 200, body: JSON.stringify(value), contentType: "application/json" });
  const answer = ({ method, url, json: sent }: HttpRequest): ReturnType<typeof json> => {
    routes.push(`${method} ${new URL(url).pathname}`);
    if (url.endsWith("/v1/info")) return json({ version: "1.20.5" });
    if (url.endsWith("/sessions")) return json({ sessionHandle: "s" });
    if (method === "POST" && url.endsWith("/statements")) return statement((sent as { statement: string }).statement);
    return json({ resultType: "EOS" });
  };
  const warehouse = { name: "w", path: "/w", catalog: "paimon", catalogOptions: { "s3.secret-key": "wJalrX" }, jars: [], sqlGateway: "http://gateway:8083" };
  return gatewayOf(warehouse, { clock: systemClock, log, http: { send: (request) => Promise.resolve({ url: request.url, ...answer(request) }).then(({ body, ...rest }) => ({ ...rest, body: Buffer.from(body) })) } });
}

test("a proxy's page in place of the answer to a statement leaves open whether it was done, since the gateway may be at it", async () => {
  const one = gateway((text) => (text.startsWith("CALL") ? { status: 504, body: "<html>Gateway Time-out</html>", contentType: "text/html" } : { status: 200, body: "{\"operationHandle\":\"o\"}", contentType: "application/json" }));
  await rejected(gatewayActions(one, { catalog: "paimon", url: "http://gateway:8083", path: "/w" }).act(table, { kind: "roll-back", tag: "a" }, watchedRun()), "paimon-action-lost");
  await one.close();
});

test("nothing is sent to a gateway before it is written down that it is at work", async () => {
  const sent: string[] = [];
  const one = gateway((text) => {
    sent.push(text);
    return { status: 200, body: "{\"operationHandle\":\"o\"}", contentType: "application/json" };
  });
  const act = gatewayActions(one, { catalog: "paimon", url: "http://gateway:8083", path: "/w" });
  await assert.rejects(act.act(table, { kind: "roll-back", tag: "a" }, watchedRun(), () => Promise.reject(new Error("the disk is full"))), /the disk is full/);
  const rolled = (): number => sent.filter((text) => text.includes("rollback_to")).length;
  assert.equal(rolled(), 0);
  const told: unknown[] = [];
  await act.act(table, { kind: "roll-back", tag: "a" }, watchedRun(), (process, statement) => {
    told.push([process.host, process.pid, statement, rolled()]);
    return told.length === 1 ? Promise.resolve() : Promise.reject(new Error("the disk is full"));
  });
  // Its handles too, so that it can be asked for by another window; once it was sent a full disk is no reason to leave it alone.
  assert.deepEqual(told, [["http://gateway:8083", 0, { session: "s", operation: null }, 0], ["http://gateway:8083", 0, { session: "s", operation: "o" }, 1]]);
  await one.close();
});

test("a proxy's page before the statement was sent is told as it is: nothing was done", async () => {
  const one = gateway(() => ({ status: 504, body: "<html>Gateway Time-out</html>", contentType: "text/html" }));
  await rejected(gatewayActions(one, { catalog: "paimon", url: "http://gateway:8083", path: "/w" }).act(table, { kind: "roll-back", tag: "a" }, watchedRun()), "not-flink");
  await one.close();
});

/** A failure as a gateway tells it. */
const trace = (text: string): object => ({ errors: ["Internal server error.", `<Exception on server side:\norg.apache.flink.table.gateway.api.utils.SqlGatewayException: ${text}\n\tat x.Y.z(Y.java:1)\n>`] });

describe("a statement that the gateway has taken", () => {
  const unreachable = new FlinkError("cluster-unreachable", { url: "http://gateway:8083", reason: "ECONNREFUSED" });
  /** A gateway whose results answer in turn as told, then with the end; `calls` counts the statements that it took. */
  const answering = (clock: JumpingClock, ...results: readonly (FlinkError | { readonly status: number; readonly body: object })[]): { readonly one: SqlGateway; calls(): number } => {
    const left = [...results];
    let calls = 0;
    const send = ({ method, url, json }: HttpRequest) => {
      const text = (json as { statement?: string } | undefined)?.statement ?? "";
      if (text.startsWith("CALL")) calls++;
      const next = url.includes("/operations/call/result/") ? left.shift() : undefined;
      if (next instanceof FlinkError) return Promise.reject(next);
      const body = next?.body ?? (url.endsWith("/v1/info") ? { version: "2.0.2" } : url.endsWith("/sessions") ? { sessionHandle: "s" } : method === "POST" ? { operationHandle: text.startsWith("CALL") ? "call" : "o" } : { resultType: "EOS" });
      return Promise.resolve({ url, status: next?.status ?? 200, contentType: "application/json", body: Buffer.from(JSON.stringify(body)) });
    };
    return { one: gatewayOf({ name: "w", path: "/w", catalog: "paimon", catalogOptions: {}, jars: [], sqlGateway: "http://gateway:8083" }, { clock, log, http: { send } }), calls: () => calls };
  };
  const rollBack = (one: SqlGateway) => gatewayActions(one, { catalog: "paimon", url: "http://gateway:8083", path: "/w" }).act(table, { kind: "roll-back", tag: "a" }, watchedRun());
  let clock: JumpingClock;
  beforeEach(() => (clock = new JumpingClock()));
  afterEach(() => clock.stop());

  test("is waited for through a gap in the connection", async () => {
    const { one, calls } = answering(clock, unreachable, new FlinkError("no-answer", { url: "u", afterMs: 1 }), { status: 502, body: {} }, unreachable);
    await rollBack(one);
    assert.equal(calls(), 1);
    await one.close();
  });

  test("P-12: may be at work still whatever ends the asking, and is not called ended", async () => {
    const endless = Array.from({ length: 1_000 }, () => unreachable);
    for (const results of [endless, [new FlinkError("unauthorized", { url: "u", status: 401 })], [new FlinkError("redirected", { url: "u", status: 302, target: "https://login" })], [{ status: 404, body: {} }]]) {
      const { one, calls } = answering(clock, ...results);
      await rejected(rollBack(one), "paimon-action-lost");
      assert.equal(calls(), 1);
      await one.close();
    }
  });

  test("P-12: is not sent a second time when its session is forgotten meanwhile", async () => {
    const { one, calls } = answering(clock, { status: 500, body: trace("Session 's' does not exist.") });
    const { facts } = await rejected(rollBack(one), "paimon-action-lost");
    assert.match(facts.reason, /no longer knows the session/);
    assert.equal(calls(), 1);
    await one.close();
  });
});

test("how a statement of an earlier window stands is told as far as the gateway knows, and what it does not know is never taken for an end", async () => {
  const signal = new AbortController().signal;
  const answering = (status: number, body: object | string) => gatewayOf({ name: "w", path: "/w", catalog: "p", catalogOptions: {}, jars: [], sqlGateway: "http://g:1" }, { clock: systemClock, log, http: { send: (request) => Promise.resolve({ url: request.url, status, contentType: "application/json", body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)) }) } });
  const at = { session: "s", operation: "o" };
  for (const status of ["INITIALIZED", "PENDING", "RUNNING"]) assert.deepEqual(await answering(200, { status }).standingOf(at, signal), { state: "running" });
  for (const status of ["FINISHED", "ERROR", "CANCELED", "CLOSED", "TIMEOUT"]) assert.deepEqual(await answering(200, { status }).standingOf(at, signal), { state: "ended", how: status });
  assert.deepEqual(await answering(500, trace("Can not find the submitted operation in the OperationManager with the OperationHandle: o.")).standingOf(at, signal), { state: "ended", how: "CLOSED" });
  assert.deepEqual(await answering(500, trace("Session 's' does not exist.")).standingOf(at, signal), { state: "unknown", reason: "session-gone" });
  assert.deepEqual(await answering(200, { properties: {} }).standingOf({ session: "s", operation: null }, signal), { state: "unknown", reason: "handle-lost" });
  for (const [status, body] of [[200, { status: "PAUSED" }], [200, {}], [200, "<html>"], [404, { errors: ["Not found"] }], [503, "busy"], [500, trace("Out of memory")]] as const) {
    const standing = await answering(status, body).standingOf(at, signal);
    assert.ok(standing.state === "unknown" && typeof standing.reason === "object" && standing.reason.message.length > 5, JSON.stringify([status, body, standing]));
  }
  const silent = gatewayOf({ name: "w", path: "/w", catalog: "p", catalogOptions: {}, jars: [], sqlGateway: "http://g:1" }, { clock: systemClock, log, http: { send: ({ url }) => Promise.reject(new FlinkError("no-answer", { url, afterMs: 30_000 })) } });
  // Not "nothing was changed", which is true of the question alone.
  assert.deepEqual(await silent.standingOf(at, signal), { state: "unknown", reason: { message: "no answer in 30 s" } });
});

test("a gateway's failure that repeats the catalog's options is told without their secrets", async () => {
  const one = gateway(() => ({ status: 500, body: JSON.stringify({ errors: ["org.apache.flink.table.api.ValidationException: Could not execute CREATE CATALOG: (properties: [{s3.secret-key=wJalrX}])"] }), contentType: "application/json" }));
  const { facts } = await rejected(gatewayActions(one, { catalog: "paimon", url: "http://gateway:8083", path: "/w" }).act(table, { kind: "roll-back", tag: "a" }, watchedRun()), "statement-failed");
  assert.equal(facts.catalogOf, "w");
  assert.match(facts.message, /CREATE CATALOG/);
  assert.doesNotMatch(facts.message, /wJalrX/);
  await one.close();
});

/** A gateway whose `CALL` ends when it is told to, or when it was given up, unless that is `deaf`; notes the routes that it was asked for. */
function hanging(clock: JumpingClock, deaf?: "cancel" | "statement"): { readonly one: SqlGateway; readonly asked: string[]; finish(): void } {
  const asked: string[] = [];
  let state = "RUNNING";
  const answer = ({ method, url, json: sent }: HttpRequest): object => {
    asked.push(`${method} ${new URL(url).pathname}`);
    if (url.endsWith("/v1/info")) return { version: "2.0.2" };
    if (deaf === "statement" && (sent as { statement?: string } | undefined)?.statement?.startsWith("CALL") === true) throw Object.assign(new Error("aborted"), { name: "AbortError" });
    if (url.endsWith("/sessions")) return { sessionHandle: "s" };
    if (url.endsWith("/statements")) return { operationHandle: (sent as { statement: string }).statement.startsWith("CALL") ? "call" : "other" };
    if (deaf === "cancel" && url.endsWith("/cancel")) return { nothing: "that it says" };
    if (url.endsWith("/cancel")) state = "CANCELED";
    if (url.endsWith("/cancel") || url.endsWith("/status")) return { status: state };
    return { resultType: url.includes("/operations/call/") && state === "RUNNING" ? "NOT_READY" : "EOS" };
  };
  const warehouse = { name: "w", path: "/w", catalog: "paimon", catalogOptions: {}, jars: [], sqlGateway: "http://gateway:8083" };
  const one = gatewayOf(warehouse, { clock, log, http: { send: async (request) => Promise.resolve({ url: request.url, status: deaf === "cancel" && request.url.endsWith("/cancel") ? 500 : 200, contentType: "application/json", body: Buffer.from(JSON.stringify(answer(request))) }) } });
  return { one, asked, finish: () => (state = "FINISHED") };
}

test("a statement that never ends is told of, and one that only makes or deletes a tag is given up in the end, and by whoever waits", async () => {
  const clock = new JumpingClock();
  const { one, asked } = hanging(clock);
  const said: string[] = [];
  const run = { signal: new AbortController().signal, report: ({ message }: { message?: string }) => void said.push(message ?? "") };
  const { facts } = await rejected(gatewayActions(one, { catalog: "paimon", url: "http://gateway:8083", path: "/w" }).act(table, { kind: "delete-tag", tag: "a" }, run), "paimon-action-lost");
  assert.match(facts.reason, /gave no answer for 10 min and was told to give it up/);
  assert.match(said[0] ?? "", /^d\.t: the SQL Gateway has been at it for 1\d s$/);
  assert.ok(asked.includes("POST /v1/sessions/s/operations/call/cancel") && asked.includes("GET /v1/sessions/s/operations/call/status"));
  await one.close();
  clock.stop();
});

for (const [deaf, what] of [[undefined, "says that it has ended"], ["cancel", "does not react"], ["statement", "had no time to tell its handle"]] as const) {
  test(`P-12: a statement that is given up by whoever waits counts as ended only when the gateway says so: it ${what}`, async () => {
    const clock = new JumpingClock();
    const { one } = hanging(clock, deaf);
    const leave = new AbortController();
    const work = gatewayActions(one, { catalog: "paimon", url: "http://gateway:8083", path: "/w" }).act(table, { kind: "create-tag", tag: "a", snapshotId: 3, retainedMs: null }, { signal: leave.signal, report: () => leave.abort() });
    if (deaf === undefined) await assert.rejects(work, (error) => isAbort(error));
    else assert.match((await rejected(work, "paimon-action-lost")).facts.reason, /does not say that it has ended/);
    await one.close();
    clock.stop();
  });
}

test("a session is not closed under a statement that runs in it, which the gateway would end with it, but after", async () => {
  const clock = new JumpingClock();
  const { one, asked, finish } = hanging(clock);
  const closed = (): boolean => asked.includes("DELETE /v1/sessions/s");
  const run = {
    signal: new AbortController().signal,
    report: () => {
      void one.close().then(() => {
        assert.ok(!closed());
        finish();
      });
    },
  };
  await gatewayActions(one, { catalog: "paimon", url: "http://gateway:8083", path: "/w" }).act(table, { kind: "roll-back", tag: "a" }, run);
  for (let turn = 0; turn < 20 && !closed(); turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(closed());
  clock.stop();
});

test("a rollback that was sent is not taken back, however long it takes and whoever stops waiting", async () => {
  const clock = new JumpingClock();
  const { one, asked, finish } = hanging(clock);
  const leave = new AbortController();
  const run = {
    signal: leave.signal,
    report: ({ message }: { message?: string }) => {
      leave.abort();
      if (message?.endsWith("20 min") === true) finish();
    },
  };
  await gatewayActions(one, { catalog: "paimon", url: "http://gateway:8083", path: "/w" }).act(table, { kind: "roll-back", tag: "a" }, run);
  assert.ok(leave.signal.aborted && !asked.some((route) => route.endsWith("/cancel")));
  await one.close();
  clock.stop();
});

test("a session whose catalog can't be made is closed again, and the next statement begins anew", async () => {
  const routes: string[] = [];
  const one = gateway(() => ({ status: 500, body: JSON.stringify({ errors: ["no such warehouse"] }), contentType: "application/json" }), routes);
  for (let attempt = 0; attempt < 2; attempt++) await rejected(one.run("SHOW TABLES", new AbortController().signal), "statement-failed");
  assert.deepEqual(routes.filter((route) => /^(POST|DELETE) \/v1\/sessions(\/s)?$/.test(route)), ["POST /v1/sessions", "DELETE /v1/sessions/s", "POST /v1/sessions", "DELETE /v1/sessions/s"]);
  await one.close();
});
