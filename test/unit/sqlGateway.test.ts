import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpRequest } from "../../src/clients/http";
import { gatewayActions, gatewayOf, type SqlGateway } from "../../src/clients/paimon/sqlGateway";
import { systemClock } from "../../src/core/base/async";
import { watchedRun } from "./fakes";
import { rejected } from "./rejected";

const log = { trace: () => undefined, debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const table = { database: "d", table: "t" };

/** A gateway whose statements end as told; a session is opened as by a real one. */
function gateway(statement: (text: string) => { readonly status: number; readonly body: string; readonly contentType: string }): SqlGateway {
  const json = (value: object): { status: number; body: string; contentType: string } => ({ status: 200, body: JSON.stringify(value), contentType: "application/json" });
  const answer = ({ method, url, json: sent }: HttpRequest): ReturnType<typeof json> => {
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

test("a gateway's failure that repeats the catalog's options is told without their secrets", async () => {
  const one = gateway(() => ({ status: 500, body: JSON.stringify({ errors: ["org.apache.flink.table.api.ValidationException: Could not execute CREATE CATALOG: (properties: [{s3.secret-key=wJalrX}])"] }), contentType: "application/json" }));
  const { facts } = await rejected(gatewayActions(one, { catalog: "paimon", url: "http://gateway:8083" }).act(table, { kind: "roll-back", tag: "a" }, watchedRun()), "paimon-action-failed");
  assert.match(facts.message, /CREATE CATALOG/);
  assert.doesNotMatch(facts.message, /wJalrX/);
  await one.close();
});
