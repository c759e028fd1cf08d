import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { gatewayActions, gatewayOf, type SqlGateway } from "../../src/clients/paimon/sqlGateway";
import { systemClock } from "../../src/core/base/async";
import { isFlinkError } from "../../src/core/errors";
import type { RollbackRecord } from "../../src/core/ledger/record";
import type { SentStatement } from "../../src/core/paimon/actions";
import { plainHttp, until } from "../rig/flink";
import { gatewayAlone, paimonFlinks, type TestGateway } from "../rig/paimon";
import { paimonSet, type PaimonSet } from "../unit/paimonSets";
import type { RollbackTask } from "./rollback.process";
import { hangOn } from "./support/hangingPaimon";
import { logInto, openApp, patience, type TestAppOptions } from "./support/testApp";

describe(`a SQL Gateway of Flink ${paimonFlinks[1]}`, () => {
  let folder: string;
  let server: TestGateway;
  let set: PaimonSet;
  let one: SqlGateway;
  let lines: string[];
  const http = plainHttp();

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "sql-gateway-"));
    server = await gatewayAlone(paimonFlinks[1], path.join(folder, "gateway"), { "sql-gateway.session.idle-timeout": "8 s", "sql-gateway.session.check-interval": "500 ms" });
  });
  after(async () => {
    await server?.kill();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    set = paimonSet("rolled-back");
    lines = [];
    one = gatewayOf({ name: "w", path: set.warehouse, catalog: "paimon", catalogOptions: {}, jars: [], sqlGateway: server.url }, { http, clock: systemClock, log: logInto((line) => lines.push(line)) });
  });
  afterEach(async () => {
    await one.close();
    assert.equal((await server.sessions()).size, 0, "no session is left open");
    set.remove();
  });

  const catalogs = async (): Promise<unknown> => (await one.run("SHOW CATALOGS", patience().signal)).rows.flat();
  const openSession = async (): Promise<string> => [...(await server.sessions())].at(-1) ?? assert.fail("no session is open");
  const tag = (name: string): string => path.join(set.warehouse, "d.db", "app", "tag", `tag-${name}`);
  const tags = (): string[] => readdirSync(path.dirname(tag(""))).map((name) => name.slice(4)).sort();

  test("a session that the gateway closed for idleness, that somebody closed there, or that went with the gateway is opened again by the next statement without a word", async () => {
    const known = ["default_catalog", "paimon"];
    assert.deepEqual(await catalogs(), known);
    const idle = await openSession();
    await until(`the end of session ${idle}`, async () => !(await server.sessions()).has(idle));
    assert.deepEqual(await catalogs(), known);
    await fetch(`${server.url}/v1/sessions/${await openSession()}`, { method: "DELETE" });
    assert.deepEqual(await catalogs(), known);
    await server.kill();
    await assert.rejects(one.run("SHOW CATALOGS", patience().signal), (error) => isFlinkError(error, "cluster-unreachable"));
    // From here on sessions last.
    await server.start({ "sql-gateway.session.idle-timeout": "10 min" });
    assert.deepEqual(await catalogs(), known);
    assert.doesNotMatch(lines.join("\n"), /^(warn|error)/m);
  });

  test("a query that does not end is given up with whoever waits for it: the gateway forgets it, and its session is good for the next", async () => {
    await one.run("CREATE TEMPORARY TABLE slow (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1')", patience().signal);
    const leave = new AbortController();
    let sent: SentStatement | undefined;
    const query = one.run("SELECT * FROM slow", leave.signal, { sent: (at) => Promise.resolve(void (sent = at)) });
    query.catch(() => undefined);
    await until("the query to run", async () => sent !== undefined && sent.operation !== null && (await fetch(`${server.url}/v1/sessions/${sent.session}/operations/${sent.operation}/status`).then((answer) => answer.text())).includes("FINISHED"));
    leave.abort();
    await assert.rejects(query, (error) => (error as Error).name === "AbortError");
    await until("the operation to be forgotten", async () => (await one.standingOf(sent ?? assert.fail(), patience().signal)).state === "ended");
    assert.deepEqual(await catalogs(), ["default_catalog", "paimon"]);
  });

  test("P-25: tags are made, renamed and deleted, whatever their names are; a quote in one begins no statement of its own", async () => {
    const acts = gatewayActions(one, { catalog: "paimon", url: server.url, path: "/w" });
    const table = { database: "d", table: "app" };
    const before = tags();
    await acts.act(table, { kind: "create-tag", tag: "vör-日本", snapshotId: 3, retainedMs: 90 * 60_000 }, patience());
    assert.match(readFileSync(tag("vör-日本"), "utf8"), /"tagTimeRetained" : 5400/);
    await acts.act(table, { kind: "rename-tag", tag: "vör-日本", newName: "kept" }, patience());
    assert.deepEqual(tags(), [...before, "kept"].sort());
    // Such as others may have made.
    for (const odd of ["o'clock", "x'); DROP TABLE paimon.d.app; --", "a`b", "\\'; --", "ünï \"x\"", "$1 ${2}"]) {
      copyFileSync(tag("kept"), tag(odd));
      await acts.act(table, { kind: "delete-tag", tag: odd }, patience());
      assert.deepEqual(tags(), [...before, "kept"].sort(), odd);
    }
    await assert.rejects(acts.act(table, { kind: "roll-back", tag: "it's not there" }, patience()), (error) => isFlinkError(error, "paimon-action-failed") && /Tag 'it's not there' doesn't exist/.test(error.facts.message));
  });

  test("P-12: a rollback that hangs at the gateway while its window is killed is not sent a second time, and goes on once it has ended; when the gateway was killed with it, a person decides", async () => {
    const hanging = ["app", "pk"].map((table) => hangOn(path.join(set.warehouse, "d.db", table, "schema")));
    const options: TestAppOptions = { ledgerFolder: path.join(await mkdtemp(path.join(folder, "ledger-")), "ledger"), clusters: [], warehouse: { path: set.warehouse, jars: [], sqlGateway: server.url } };
    const savepoint = path.join(set.savepoints, set.pairs.find((pair) => pair.checkpointId === 6 && pair.savepoint.includes("62dc41"))?.savepoint ?? "");
    const window = spawn(process.execPath, ["--enable-source-maps", "dist/test/e2e/rollback.process.mjs", JSON.stringify({ options, savepoint, restore: null } satisfies RollbackTask)], { stdio: ["pipe", "pipe", "inherit"] });
    const { app, dispose } = openApp(options);
    const rollbacks = await app.rollbacks();
    const record = async (): Promise<RollbackRecord | undefined> => (await app.ledger.all()).find((each): each is RollbackRecord => each.kind === "rollback");
    try {
      await until("the statement to be sent", async () => ((await record())?.tables[0]?.statement?.operation ?? null) !== null);
      window.kill("SIGKILL");
      await until("the window to be gone", () => Promise.resolve(window.signalCode !== null));
      const id = (await record())?.id ?? "";
      const refused = (rule: string) => (error: unknown): boolean => isFlinkError(error, "refused") && error.facts.refusals[0]?.rule === rule;
      await assert.rejects(rollbacks.continue(id, patience()), refused("action-running"));
      await assert.rejects(rollbacks.continue(id, patience(), [], true), refused("action-running"));
      await assert.rejects(rollbacks.drop(id), refused("action-running"));
      assert.deepEqual(await rollbacks.doubts(id, patience().signal), []);
      hanging[0]?.release();
      const first = (await record())?.tables[0]?.statement as SentStatement;
      await until("the first statement to end", async () => (await one.standingOf(first, patience().signal)).state === "ended");
      // It goes on behind it, and hangs at the second table, with which the gateway dies.
      const going = rollbacks.continue(id, patience());
      going.catch(() => undefined);
      await until("the second statement to be sent", async () => ((await record())?.tables[1]?.statement?.operation ?? null) !== null);
      assert.equal((await record())?.tables[0]?.state, "rolled-back");
      await server.kill();
      hanging[1]?.release();
      await server.start();
      await assert.rejects(going, (error) => isFlinkError(error, "paimon-action-lost"));
      await assert.rejects(rollbacks.continue(id, patience()), refused("statement-unknown"));
      const [doubt, second] = await rollbacks.doubts(id, patience().signal);
      assert.deepEqual([doubt?.refusal.rule === "statement-unknown" && doubt.refusal.reason, second], ["session-gone", undefined]);
      assert.match(doubt?.difference ?? "", /its newest snapshot is \d+, not \d+/);
      const done = await rollbacks.continue(id, patience(), [], true);
      assert.deepEqual([done.state, done.tables.map(({ state, statement }) => [state, statement])], ["done", [["rolled-back", null], ["rolled-back", null]]]);
    } finally {
      window.kill("SIGKILL");
      for (const each of hanging) each.release();
      dispose();
    }
    await until("its session to be closed", async () => (await server.sessions()).size === 0);
  });
});
