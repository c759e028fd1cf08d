import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { createHttp, type Http } from "../../src/clients/http";
import { gatewayActions, gatewayOf } from "../../src/clients/paimon/sqlGateway";
import { systemClock } from "../../src/core/base/async";
import { isFlinkError } from "../../src/core/errors";
import { explain, type Explanation } from "../../src/core/explain";
import type { WarehouseProfile } from "../../src/core/model/warehouse";
import type { PaimonAction } from "../../src/core/paimon/actions";
import { plainHttp } from "../rig/flink";
import { gatewayAlone, paimonFlinks, type TestGateway } from "../rig/paimon";
import { serve, testIdentities, type Answer } from "../unit/httpServers";
import { paimonSet, type PaimonSet } from "../unit/paimonSets";
import { FaultyProxy } from "./support/faultyProxy";
import { logInto, patience } from "./support/testApp";

const table = { database: "d", table: "app" };
const log = logInto(() => undefined);

describe("what is said of a SQL Gateway that can't do what it is asked", () => {
  let folder: string;
  let server: TestGateway;
  let set: PaimonSet;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "gateway-faults-"));
    server = await gatewayAlone(paimonFlinks[1], path.join(folder, "gateway"), { "sql-gateway.session.max-num": "2" });
    set = paimonSet("rolled-back");
  });
  after(async () => {
    await server?.kill();
    set?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const profileOf = (change: Partial<WarehouseProfile>): WarehouseProfile & { readonly sqlGateway: string } => ({ name: "lake", path: set.warehouse, catalog: "paimon", catalogOptions: {}, jars: [], ...change, sqlGateway: change.sqlGateway ?? server.url });
  /** What a person reads when an action fails; a session of its own is opened for it and closed. */
  const said = async (change: Partial<WarehouseProfile>, action: PaimonAction = { kind: "roll-back", tag: "none" }, { of = table, http = plainHttp(log) }: { readonly of?: typeof table; readonly http?: Http } = {}): Promise<Explanation> => {
    const profile = profileOf(change);
    const gateway = gatewayOf(profile, { http, clock: systemClock, log });
    try {
      await gatewayActions(gateway, { catalog: "paimon", url: profile.sqlGateway, path: profile.path }).act(of, action, patience());
    } catch (error) {
      if (!isFlinkError(error)) throw error;
      const explanation = explain(error);
      assert.doesNotMatch(explanation.message, /\b(?:java|org)\.[a-z]|\bat \w+\.|\n|Exception|\/v1\//, "neither classes, stacks nor routes");
      return explanation;
    } finally {
      await gateway.close();
      http.dispose();
    }
    return assert.fail("it succeeded");
  };

  test("P-25: what is wrong with a table, a tag or a snapshot is told in Paimon's words, with where the gateway looked", async () => {
    assert.equal((await said({})).message, "Paimon could not roll back to the tag none of d.app: Tag 'none' doesn't exist.");
    assert.equal((await said({}, { kind: "create-tag", tag: "a", snapshotId: 999, retainedMs: null })).message, "Paimon could not create the tag a of snapshot 999 of d.app: Cannot create tag because given snapshot #999 doesn't exist.");
    assert.equal((await said({}, undefined, { of: { database: "d", table: "gone" } })).message,
      `Paimon could not roll back to the tag none of d.gone: Table d.gone does not exist in ${set.warehouse}, as the SQL Gateway at ${server.url} sees it. It may be on another machine, where the path is another.`);
  });

  test("a catalog that the gateway can't open is told as that, with what to change, and not as a rollback that failed", async () => {
    await writeFile(path.join(folder, "file"), "");
    const wrong: readonly (readonly [change: Partial<WarehouseProfile>, why: RegExp])[] = [
      [{ path: path.join(folder, "file") }, /The path '\/.*\/file' should be a directory\. Nothing/],
      [{ path: "s3://bucket/lake" }, /it can't read s3: addresses\. Put Paimon's jar for that storage \(paimon-s3\) into its lib folder and restart it\./],
      [{ path: "hdfs://localhost:1/lake" }, /its metastore or storage does not answer \(.*Connection refused.*\)\. Check/],
      [{ catalogOptions: { metastore: "hive", uri: "thrift://localhost:1" } }, /it lacks the jars of Hive's metastore\./],
      [{ catalogOptions: { metastore: "jdbc" } }, /catalogOptions lacks uri, the address of its metastore\./],
      [{ catalogOptions: { "metastore": "jdbc", "uri": "jdbc:mysql://localhost:1/x", "jdbc.user": "me", "jdbc.password": "hunter2" } }, /No suitable driver found for jdbc:mysql:\/\/localhost:1\/x\. Put the database's JDBC driver into/],
      [{ path: "w", catalogOptions: { "metastore": "rest", "uri": "http://localhost:1", "token.provider": "bear", "token": "t0ken" } }, /its metastore or storage does not answer \(.*Connection refused/],
      [{ catalogOptions: { metastore: "glue" } }, /its Paimon knows no metastore glue \(it knows filesystem, jdbc, rest, hive\)\. Correct metastore in catalogOptions\./],
      [{ catalogOptions: { type: "paimn" } }, /it knows no catalog of the type paimn\. Correct type in catalogOptions\./],
    ];
    for (const [change, why] of wrong) {
      const { message, action } = await said(change);
      assert.ok(message.startsWith(`The SQL Gateway at ${server.url} can't open the catalog of the warehouse lake: `), message);
      assert.match(message, why);
      assert.match(message, /\. Nothing was done\.$/);
      assert.doesNotMatch(message, /hunter2|t0ken/);
      assert.equal(action?.title, "Edit Warehouses");
    }
  });

  test("a gateway whose sessions are all in use says so", async () => {
    const others = [1, 2].map(() => gatewayOf(profileOf({}), { http: plainHttp(log), clock: systemClock, log }));
    try {
      for (const each of others) await each.run("SHOW CATALOGS", patience().signal);
      assert.equal((await said({})).message, `All 2 sessions of the SQL Gateway at ${server.url} are in use (sql-gateway.session.max-num). Close one that nobody needs, or raise that number; unused ones end by themselves. Nothing was done.`);
    } finally {
      for (const each of others) await each.close();
    }
  });

  test("what stands before a gateway is told from the gateway, and nothing was done", async () => {
    const proxy = await FaultyProxy.open(server.url);
    const { url } = proxy;
    try {
      const through = { sqlGateway: url };
      proxy.fate = () => ({ answer: 429 });
      assert.deepEqual(await said(through), { message: `The SQL Gateway at ${url} takes no more requests for the moment (429). Wait a little before you try again.`, action: { title: "Try Again", command: "retry" } });
      proxy.fate = () => ({ answer: 503 });
      assert.match((await said(through)).message, /^A proxy answered for the SQL Gateway at \S+ \(503.*\): what is behind it is down, or starting\. Check that it runs\.$/);
      proxy.fate = () => ({ answer: 401 });
      assert.deepEqual(await said(through), { message: `The SQL Gateway at ${url} did not accept our credentials (401). Set the user and password, token or certificate for it.`, action: { title: "Set Credentials", command: "flinkSavepoints.setCredentials" } });
      proxy.fate = ({ method }) => (method === "POST" ? { forward: false } : undefined);
      assert.match((await said(through)).message, /^No usable answer came from the SQL Gateway at \S+ \(.+\)\. Nothing was changed\.$/);
    } finally {
      proxy.close();
    }
    assert.equal((await said({ sqlGateway: url })).message, `Could not reach the SQL Gateway at ${url}: connection refused. Check that it runs and that its address is right.`);
  });

  test("a page, a redirect and an unknown authority are told, and a token goes to no other address", async (t) => {
    const { caFile, server: identity } = testIdentities();
    const page = await serve(t, (_, response) => void response.writeHead(200, { "content-type": "text/html" }).end("<html><title>Sign in</title></html>"));
    assert.equal((await said({ sqlGateway: page.origin })).message, `The SQL Gateway at ${page.origin} answered with the page “Sign in” (200). Check the address and its path; a proxy or login page may stand in between.`);

    const other = await serve(t, (_, response) => response.end("{}"));
    const away = await serve(t, (request, response) => void response.writeHead(307, { location: `${other.origin}${request.url}` }).end());
    const credentials = { get: (origin: string) => Promise.resolve(origin === away.origin ? [{ kind: "bearer" as const, token: "t0ken" }] : []) };
    const http = createHttp({ credentials, requestTimeoutMs: () => 20_000, log, readCa: () => Promise.resolve("") });
    assert.deepEqual(await said({ sqlGateway: away.origin }, undefined, { http }), { message: `The SQL Gateway at ${away.origin} sent us on to ${other.origin}, and we do not follow with credentials or changes. Use the final address as the warehouse's sqlGateway.`, action: { title: "Edit Warehouses", command: "flinkSavepoints.editWarehouses" } });
    assert.deepEqual([away.seen[0]?.headers.authorization, other.seen.length], ["Bearer t0ken", 0]);

    const relay: Answer = (request, response) => void fetch(`${server.url}${request.url}`, { method: request.method, ...(request.method === "POST" ? { body: new Uint8Array(request.body), headers: { "content-type": "application/json" } } : {}) })
      .then(async (answer) => response.writeHead(answer.status, { "content-type": "application/json" }).end(Buffer.from(await answer.arrayBuffer())), () => response.destroy());
    const secure = await serve(t, relay, identity);
    const unknown = await said({ sqlGateway: secure.origin });
    assert.match(unknown.message, new RegExp(`^No secure connection to the SQL Gateway at ${secure.origin}: its certificate comes from an authority that is not trusted here\\. Name the authority's PEM file as caFile of its warehouse\\.$`));
    // Named, it is spoken to like any other.
    assert.match((await said({ sqlGateway: secure.origin, caFile })).message, /Tag 'none' doesn't exist\.$/);
  });
});
