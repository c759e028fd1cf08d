import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpRequest } from "../../src/clients/http";
import { gatewayActions, gatewayOf, type SqlGateway } from "../../src/clients/paimon/sqlGateway";
import { systemClock } from "../../src/core/base/async";
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
  await rejected(gatewayActions(one, { catalog: "paimon", url: "http://gateway:8083" }).act(table, { kind: "roll-back", tag: "a" }, watchedRun()), "paimon-action-lost");
  await one.close();
});

test("nothing is sent to a gateway before it is written down that it is at work", async () => {
  const sent: string[] = [];
  const one = gateway((text) => {
    sent.push(text);
    return { status: 200, body: "{\"operationHandle\":\"o\"}", contentType: "application/json" };
  });
  const act = gatewayActions(one, { catalog: "paimon", url: "http://gateway:8083" });
  await assert.rejects(act.act(table, { kind: "roll-back", tag: "a" }, watchedRun(), () => Promise.reject(new Error("the disk is full"))), /the disk is full/);
  assert.deepEqual(sent, []);
  await act.act(table, { kind: "roll-back", tag: "a" }, watchedRun(), (process) => {
    assert.deepEqual([process.host, process.pid, sent], ["http://gateway:8083", 0, []]);
    return Promise.resolve();
  });
  assert.match(sent.at(-1) ?? "", /rollback_to/);
  await one.close();
});

test("a gateway's failure that repeats the catalog's options is told without their secrets", async () => {
  const one = gateway(() => ({ status: 500, body: JSON.stringify({ errors: ["org.apache.flink.table.api.ValidationException: Could not execute CREATE CATALOG: (properties: [{s3.secret-key=wJalrX}])"] }), contentType: "application/json" }));
  const { facts } = await rejected(gatewayActions(one, { catalog: "paimon", url: "http://gateway:8083" }).act(table, { kind: "roll-back", tag: "a" }, watchedRun()), "paimon-action-failed");
  assert.match(facts.message, /CREATE CATALOG/);
  assert.doesNotMatch(facts.message, /wJalrX/);
  await one.close();
});

/** A gateway whose `CALL` ends when it is told to, or when it was given up; notes the routes that it was asked for. */
function hanging(clock: JumpingClock): { readonly one: SqlGateway; readonly asked: string[]; finish(): void } {
  const asked: string[] = [];
  let state = "RUNNING";
  const answer = ({ method, url, json: sent }: HttpRequest): object => {
    asked.push(`${method} ${new URL(url).pathname}`);
    if (url.endsWith("/v1/info")) return { version: "2.0.2" };
    if (url.endsWith("/sessions")) return { sessionHandle: "s" };
    if (url.endsWith("/statements")) return { operationHandle: (sent as { statement: string }).statement.startsWith("CALL") ? "call" : "other" };
    if (url.endsWith("/cancel")) state = "CANCELED";
    if (url.endsWith("/cancel") || url.endsWith("/status")) return { status: state };
    return { resultType: url.includes("/operations/call/") && state === "RUNNING" ? "NOT_READY" : "EOS" };
  };
  const warehouse = { name: "w", path: "/w", catalog: "paimon", catalogOptions: {}, jars: [], sqlGateway: "http://gateway:8083" };
  const one = gatewayOf(warehouse, { clock, log, http: { send: (request) => Promise.resolve({ url: request.url, status: 200, contentType: "application/json", body: Buffer.from(JSON.stringify(answer(request))) }) } });
  return { one, asked, finish: () => (state = "FINISHED") };
}

test("a statement that never ends is told of, and one that only makes or deletes a tag is given up in the end, and by whoever waits", async () => {
  const clock = new JumpingClock();
  const { one, asked } = hanging(clock);
  const said: string[] = [];
  const run = { signal: new AbortController().signal, report: ({ message }: { message?: string }) => void said.push(message ?? "") };
  const { facts } = await rejected(gatewayActions(one, { catalog: "paimon", url: "http://gateway:8083" }).act(table, { kind: "delete-tag", tag: "a" }, run), "paimon-action-lost");
  assert.match(facts.reason, /gave no answer for 10 min and was told to give it up/);
  assert.match(said[0] ?? "", /^d\.t: the SQL Gateway has been at it for 1\d s$/);
  assert.ok(asked.includes("POST /v1/sessions/s/operations/call/cancel") && asked.includes("GET /v1/sessions/s/operations/call/status"));
  await one.close();
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
  await gatewayActions(one, { catalog: "paimon", url: "http://gateway:8083" }).act(table, { kind: "roll-back", tag: "a" }, run);
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
