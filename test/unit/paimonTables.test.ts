import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { HttpRequest } from "../../src/clients/http";
import { PaimonTables } from "../../src/clients/paimon/paimonTables";
import { systemClock } from "../../src/core/base/async";
import { secretKey, secretReference, type WarehouseProfile } from "../../src/core/model/warehouse";
import { isOpenSecret, shownOptions } from "../../src/core/paimon/actions";
import { watchedRun } from "./fakes";
import { rejected } from "./rejected";

const log = { trace: () => undefined, debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const lake: WarehouseProfile = { name: "lake", path: "s3://lake/w", catalog: "paimon", catalogOptions: { "s3.endpoint": "https://minio:9000", "s3.secret-key": secretReference }, jars: [], sqlGateway: "http://gateway:8083" };
const keyOf = (profile: WarehouseProfile): string => secretKey(profile, "s3.secret-key", isOpenSecret);

describe("the tables of warehouses", () => {
  let warehouses: WarehouseProfile[];
  let kept: Map<string, string>;
  let sent: string[];
  let tables: PaimonTables;

  beforeEach(() => {
    warehouses = [lake];
    kept = new Map([[keyOf(lake), "wJal'rX"]]);
    sent = [];
    const answer = ({ method, url, json }: HttpRequest): object => {
      sent.push(`${method} ${new URL(url).pathname} ${(json as { statement?: string } | undefined)?.statement ?? ""}`.trim());
      return url.endsWith("/v1/info") ? { version: "2.0.2" } : url.endsWith("/sessions") ? { sessionHandle: "s" } : method === "POST" ? { operationHandle: "o" } : { resultType: "EOS" };
    };
    const send = (request: HttpRequest) => Promise.resolve({ url: request.url, status: 200, contentType: "application/json", body: Buffer.from(JSON.stringify(answer(request))) });
    tables = new PaimonTables({
      warehouses: () => warehouses, javaHome: () => "", mavenRepository: () => "", listsFolder: "", cacheFolder: "", homeFolder: "", env: {}, mavenHttp: { send }, http: { send },
      vault: { get: (key) => Promise.resolve(kept.get(key)) }, clock: systemClock, log,
    });
  });
  afterEach(() => tables.closeSessions("all"));
  const act = () => tables.actions(lake.path).act({ database: "d", table: "t" }, { kind: "delete-tag", tag: "a" }, watchedRun());

  test("rule 10: what the settings leave to the secret storage is read when a session begins", async () => {
    await act();
    assert.ok(sent.includes("POST /v1/sessions/s/statements CREATE CATALOG `paimon` WITH ('type' = 'paimon', 'warehouse' = 's3://lake/w', 's3.endpoint' = 'https://minio:9000', 's3.secret-key' = 'wJal''rX')"), sent.join("\n"));
    assert.ok(!JSON.stringify(shownOptions(lake.catalogOptions)).includes(secretReference));
  });

  test("rule 10: it is told to no other gateway and no other storage, and nothing is sent where it is missing", async () => {
    const others = [{ ...lake, sqlGateway: "http://elsewhere:8083" }, { ...lake, catalogOptions: { ...lake.catalogOptions, "s3.endpoint": "https://elsewhere" } }, { ...lake, catalogOptions: { ...lake.catalogOptions, "s3.path.style.access": "true" } }];
    for (const other of others) {
      warehouses = [other];
      assert.deepEqual((await rejected(act(), "catalog-secret-missing")).facts, { warehouse: lake.path, name: "lake", options: ["s3.secret-key"] });
    }
    assert.ok(!sent.some((line) => line.includes("statements")));
    // Moving a second one out of the settings does not lose the first.
    assert.equal(keyOf({ ...lake, catalogOptions: { ...lake.catalogOptions, "s3.access-key": "AKIA" } }), keyOf({ ...lake, catalogOptions: { ...lake.catalogOptions, "s3.access-key": secretReference } }));
  });

  test("a warehouse that can't be read now is told of, with the reason", async () => {
    warehouses = [lake, { name: "mount", path: "file:/no/such/mount", catalog: "paimon", catalogOptions: {}, jars: [] }];
    const { found, away } = await tables.warehouses();
    assert.deepEqual([found.map(({ location, files }) => [location, files]), away], [[[lake.path, undefined]], [{ location: "file:/no/such/mount", reason: "missing" }]]);
  });

  test("a warehouse that is removed or changed leaves no session at its gateway", async () => {
    await act();
    await tables.closeSessions("unused");
    assert.ok(!sent.includes("DELETE /v1/sessions/s"));
    warehouses = [];
    await tables.closeSessions("unused");
    assert.ok(sent.includes("DELETE /v1/sessions/s"));
  });
});

test("options that only name a provider, a class or a file of keys are no secrets in the settings", () => {
  for (const [key, value] of [["token.provider", "dlf"], ["fs.s3a.aws.credentials.provider", "com.x.Y"], ["dlf.token-path", "/etc/token"], ["s3.endpoint", "http://minio"], ["uri", "jdbc:mysql://h/db"], ["s3.secret-key", secretReference], ["s3.secret-key", ""]] as const) assert.ok(!isOpenSecret(key, value), key);
  for (const [key, value] of [["s3.secret-key", "x"], ["s3.access-key", "x"], ["token", "x"], ["jdbc.password", "x"], ["uri", "jdbc:mysql://h/db?user=u&password=p"], ["dlf.access-key-secret", "x"], ["fs.azure.account.key.x.blob.core.windows.net", "k"]] as const) assert.ok(isOpenSecret(key, value), key);
});
