import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { localWarehouse } from "../../src/clients/paimon/localWarehouse";
import { GatewayTables } from "../../src/clients/paimon/gatewayTables";
import { pairingInProcess } from "../../src/clients/paimon/pairingThread";
import { gatewayOf, type SqlGateway } from "../../src/clients/paimon/sqlGateway";
import type { HttpRequest } from "../../src/clients/http";
import { systemClock } from "../../src/core/base/async";
import { isFlinkError } from "../../src/core/errors";
import { FileTables } from "../../src/core/paimon/fileTables";
import type { WarehouseProfile } from "../../src/core/model/warehouse";
import type { TagRow } from "../../src/core/paimon/tableSource";
import { PairService } from "../../src/services/pairs";
import { WarehouseService } from "../../src/services/warehouses";
import { plainHttp, quietLog } from "../rig/flink";
import { LedgerDisk } from "../unit/fakes";
import { paimonSet, type PaimonSet } from "../unit/paimonSets";
import { jdbcCatalog, type JdbcCatalog } from "./support/jdbcCatalog";
import { openApp, patience } from "./support/testApp";

const signal = (): AbortSignal => AbortSignal.timeout(120_000);

describe("a catalog in a database, whose files only the SQL Gateway reaches", () => {
  let set: PaimonSet;
  let lake: JdbcCatalog;
  let sent: string[];
  const opened: SqlGateway[] = [];

  /** Tables as the window has them, with every statement that is sent noted. */
  function tablesOf(profile: WarehouseProfile & { readonly sqlGateway: string }): GatewayTables {
    const http = plainHttp();
    const gateway = gatewayOf(profile, {
      http: { send: (request: HttpRequest, until?: AbortSignal) => {
        const statement = (request.json as { readonly statement?: string } | undefined)?.statement;
        if (statement !== undefined) sent.push(statement);
        return http.send(request, until as AbortSignal);
      } }, clock: systemClock, log: quietLog,
    });
    opened.push(gateway);
    return new GatewayTables({ gateway, catalog: profile.catalog, url: profile.sqlGateway, warehouse: profile.name, clock: systemClock });
  }

  before(async () => {
    sent = [];
    set = paimonSet("rolled-back");
    lake = await jdbcCatalog(await mkdtemp(path.join(tmpdir(), "jdbc-catalog-")));
    await lake.adopt(set.warehouse, "d", ["app", "pk", "re", "re2"]);
    await lake.register("many", Array.from({ length: 1_000 }, (_, at) => `t${String(at).padStart(4, "0")}`), "many");
  });
  // Each holds the catalog's database, which has room for one that writes.
  afterEach(() => Promise.all(opened.splice(0).map((gateway) => gateway.close())).then(() => undefined));
  after(async () => {
    await lake?.stop();
    set?.remove();
  });

  test("P-25: its tables, tags and snapshots are what the files say, but for whose commit a tag keeps whose snapshot has expired", async () => {
    const files = new FileTables(localWarehouse, path.join(set.warehouse));
    const asked = tablesOf(lake.profile);
    // As when it has expired; its tag keeps it.
    rmSync(path.join(lake.files, "d.db", "app", "snapshot", "snapshot-1"));
    const table = await asked.table("d.app", signal()) ?? assert.fail();
    const same = await files.table("d.app") ?? assert.fail();
    assert.deepEqual((await asked.databases(signal())).items, ["d", "default"]);
    assert.deepEqual((await asked.tables("d", 3, signal())).items.map(({ table: { name } }) => name), ["d.app", "d.pk", "d.re"]);
    assert.equal(await asked.table("d.none", signal()), undefined);
    const plain = (row: TagRow) => ({ name: row.name, content: row.content });
    const tags = await asked.tags(table, 2, signal());
    assert.deepEqual([tags.items.map(plain), tags.more], [(await files.tags(same, 2)).items.map(plain), 1]);
    const snapshots = await asked.snapshots(table, 4, signal());
    assert.deepEqual([snapshots.items.map(({ content }) => content), snapshots.more], [(await files.snapshots(same, 4)).items.map(({ content }) => content), 10]);
    assert.deepEqual(await asked.options(table, [], signal()), await files.options(same, []));
    assert.deepEqual(await asked.fields(table, 0, signal()), await files.fields(same, 0));
    const newest = snapshots.items[0]?.content ?? assert.fail();
    assert.deepEqual(await asked.changedFiles(table, newest, signal()), await files.changedFiles(same, newest));
    assert.match(await asked.text(table, { tag: "savepoint-6" }, signal()) ?? "", /"commitIdentifier": "6"/);
    assert.equal(await asked.text(table, { tag: "it's none" }, signal()), undefined);
  });

  test("a database of 1,000 tables is shown by as many statements as of one: names cost one, and only what is opened is asked for", async () => {
    const asked = tablesOf({ ...lake.profile, catalogOptions: { ...lake.profile.catalogOptions, "catalog-key": "many" } });
    sent = [];
    assert.deepEqual((await asked.databases(signal())).items, ["default", "many"]);
    const first = await asked.tables("many", 50, signal());
    assert.deepEqual([first.items.length, first.more, first.items[0]?.tags], [50, 950, null]);
    assert.equal((await asked.tables("many", 100, signal())).items.at(-1)?.table.name, "many.t0099");
    // These have no files, which only opening one tells.
    for (let time = 0; time < 2; time++) await assert.rejects(asked.tags(first.items[0]?.table ?? assert.fail(), 50, signal()), (error) => isFlinkError(error, "catalog-unreadable"));
    assert.deepEqual(sent.map((statement) => statement.replace(/^(\S+ \S+).*$/s, "$1")), ["CREATE CATALOG", "USE CATALOG", "SHOW DATABASES", "SHOW TABLES", "SELECT t.tag_name,", "SELECT t.tag_name,"]);
  });

  test("what can't be asked is named: a tag that is damaged, a catalog that can't be opened, a gateway that is gone; what is left is given up at the gateway", async () => {
    const asked = tablesOf(lake.profile);
    const table = await asked.table("d.re", signal()) ?? assert.fail();
    const file = path.join(lake.files, "d.db", "re", "tag", "tag-savepoint-77");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, "{");
    const refused = (at: string, reason: RegExp) => (error: unknown): boolean => isFlinkError(error, "catalog-unreadable") && error.facts.at === at && reason.test(error.facts.reason);
    await assert.rejects(asked.tags(table, 50, signal()), refused("table", /./));
    const problems: unknown[] = [];
    assert.equal((await asked.contents(table, problems as never, signal())).snapshots.length, 8);
    assert.equal(problems.length, 1);
    writeFileSync(file, text);
    assert.equal((await asked.tags(table, 50, signal())).items.length, 2);
    await assert.rejects(tablesOf({ ...lake.profile, catalogOptions: { ...lake.profile.catalogOptions, uri: "jdbc:none:x" } }).databases(signal()), refused("catalog", /No suitable driver|jdbc:none/));
    await assert.rejects(tablesOf({ ...lake.profile, sqlGateway: "http://localhost:9" }).databases(signal()), (error) => isFlinkError(error, "cluster-unreachable"));
    const leave = new AbortController();
    const waiting = asked.snapshots(table, 7, leave.signal);
    leave.abort();
    await assert.rejects(waiting, (error) => (error as Error).name === "AbortError");
    assert.equal((await asked.snapshots(table, 7, signal())).items.length, 7);
  });

  test("P-9: pairs are never better proven than by files, and the same where the gateway can tell; a rollback is refused, with its runbook", async () => {
    const { app, dispose } = openApp({ ledgerFolder: path.join(await mkdtemp(path.join(tmpdir(), "jdbc-ledger-")), "ledger"), clusters: [], warehouse: { ...lake.profile } });
    try {
      const tables = await app.paimonTables();
      const profile = { ...lake.profile, name: "test" };
      const warehouses = new WarehouseService(localWarehouse, (asked) => Promise.resolve(tables.askedTables(asked)));
      warehouses.setProfiles([profile]);
      const pairs = new PairService(pairingInProcess(), warehouses, new LedgerDisk(systemClock).open(), systemClock, quietLog);
      const gradesOf = async (savepoint: string): Promise<readonly string[]> => ((await pairs.pairsOf({ path: path.join(set.savepoints, savepoint), recordId: null, completedMs: null }, 0, signal()))?.pairs ?? []).map(({ place, pairing }) => `${place?.table ?? ""} ${pairing.grade}`).sort();
      assert.deepEqual(await gradesOf("savepoint-d157aa-b841d804ca69"), ["d.app exact", "d.pk exact"]);
      // Nothing was written just before it, so by files it is its time that proves it; a gateway's times are those of its zone.
      assert.deepEqual(await gradesOf("savepoint-62dc41-afb3771a701c"), ["d.app none", "d.pk none"]);
      assert.deepEqual(await gradesOf("savepoint-62dc41-a658988ed431"), ["d.app changed", "d.pk none"]);
      pairs.dispose();
      const savepoint = path.join(set.savepoints, "savepoint-d157aa-b841d804ca69");
      const check = await (await app.rollbacks()).check({ path: savepoint, recordId: null, jobName: "ingest" }, patience());
      assert.deepEqual(check.refusals.map(({ rule }) => rule), ["files-elsewhere"]);
      assert.deepEqual(check.plan.tables.map(({ table, tag }) => [table.name, tag.name]), [["d.app", "savepoint-15"], ["d.pk", "savepoint-15"]]);
      await assert.rejects((await app.rollbacks()).begin(check.plan, { safetyCopy: false, restore: null, unchecked: [] }, patience()), (error) => isFlinkError(error, "refused"));
      await app.closeSessions("all");
    } finally {
      dispose();
    }
  });
});
