import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFlinkVersion, type FlinkVersion } from "../../src/core/model/version";
import { actionArguments, callStatement, createCatalogStatement, hideSecrets, nameFault, readTagStatement, retentionText, shownOptions, tableAddress, type PaimonAction } from "../../src/core/paimon/actions";

const version = (text: string): FlinkVersion => parseFlinkVersion(text) ?? assert.fail(text);
const table = { database: "sales", table: "orders" };
const day = 24 * 3_600_000;
const actions: readonly PaimonAction[] = [
  { kind: "create-tag", tag: "a", snapshotId: 5, retainedMs: 7 * day },
  { kind: "create-tag", tag: "a", snapshotId: 5, retainedMs: null },
  { kind: "delete-tag", tag: "o'b" },
  { kind: "rename-tag", tag: "a", newName: "b" },
  { kind: "roll-back", tag: "savepoint-12" },
  { kind: "create-branch", branch: "before", tag: "a" },
];

test("P-25: statements name their arguments from Flink 1.19 on, give them by place in 1.18, and do not exist before", () => {
  assert.deepEqual(actions.map((action) => callStatement("paimon", table, action, version("1.20.5"))), [
    "CALL `paimon`.sys.create_tag(`table` => 'sales.orders', tag => 'a', snapshot_id => CAST(5 AS BIGINT), time_retained => '7 d')",
    "CALL `paimon`.sys.create_tag(`table` => 'sales.orders', tag => 'a', snapshot_id => CAST(5 AS BIGINT))",
    "CALL `paimon`.sys.delete_tag(`table` => 'sales.orders', tag => 'o''b')",
    "CALL `paimon`.sys.rename_tag(`table` => 'sales.orders', tagName => 'a', targetTagName => 'b')",
    "CALL `paimon`.sys.rollback_to(`table` => 'sales.orders', tag => 'savepoint-12')",
    "CALL `paimon`.sys.create_branch('sales.orders', 'before', 'a')",
  ]);
  assert.deepEqual(actions.map((action) => callStatement("paimon", table, action, version("1.18.1"))), [
    "CALL `paimon`.sys.create_tag('sales.orders', 'a', 5, '7 d')",
    "CALL `paimon`.sys.create_tag('sales.orders', 'a', 5)",
    "CALL `paimon`.sys.delete_tag('sales.orders', 'o''b')",
    "CALL `paimon`.sys.rename_tag('sales.orders', 'a', 'b')",
    "CALL `paimon`.sys.rollback_to('sales.orders', 'savepoint-12')",
    "CALL `paimon`.sys.create_branch('sales.orders', 'before', 'a')",
  ]);
  assert.deepEqual(actions.map((action) => callStatement("paimon", table, action, version("1.17.2"))), actions.map(() => undefined));
});

test("P-16: nothing that acts on a table, whatever it is asked, calls rollback_to_as_latest", () => {
  for (const action of actions) {
    assert.ok(!JSON.stringify(actionArguments({ path: "/w", catalogOptions: {} }, table, action)).includes("as_latest"));
    for (const flink of ["1.18.1", "2.3.0"]) assert.ok(callStatement("c", table, action, version(flink))?.includes("as_latest") === false);
  }
});

test("the flags of the action command name warehouse, table and the catalog's further options", () => {
  const warehouse = { path: "file:///w h", catalogOptions: { "type": "paimon", "metastore": "hive", "uri": "thrift://h:9083" } };
  assert.deepEqual(actionArguments(warehouse, table, { kind: "roll-back", tag: "savepoint-12" }), [
    "rollback_to", "--warehouse", "file:///w h", "--database", "sales", "--table", "orders", "--version", "savepoint-12", "--catalog_conf", "metastore=hive", "--catalog_conf", "uri=thrift://h:9083",
  ]);
});

test("a tag is read by its name, quotes in names doubled", () => {
  assert.equal(readTagStatement("paimon", { database: "sales", table: "a`b" }, "o'c"), "SELECT * FROM `paimon`.`sales`.`a``b` /*+ OPTIONS('scan.tag-name' = 'o''c') */");
});

test("a catalog is made known with its warehouse and its own options, quotes in them doubled", () => {
  assert.equal(createCatalogStatement({ path: "/it's", catalog: "a`b", catalogOptions: { metastore: "hive" } }), "CREATE CATALOG `a``b` WITH ('type' = 'paimon', 'warehouse' = '/it''s', 'metastore' = 'hive')");
});

test("keys and passwords among a catalog's options are shown and logged as stars, however they are written", () => {
  const options = { "metastore": "hive", "s3.endpoint": "http://minio:9000", "s3.access-key": "AKIA123", "s3.secret-key": "wJalr'X", "fs.oss.accessKeySecret": "oss1", "jdbc.password": "hunter2", "uri": "jdbc:mysql://h/db?user=me&password=p4ss", "token": "t0ken" };
  const shown = JSON.stringify(shownOptions(options));
  for (const secret of ["AKIA123", "wJalr'X", "oss1", "hunter2", "p4ss", "t0ken"]) {
    assert.ok(!shown.includes(secret), shown);
    assert.ok(!hideSecrets(`Could not execute CREATE CATALOG: ... '${secret}' ...`, options).includes(secret), secret);
  }
  assert.match(shown, /"hive".*minio:9000.*jdbc:mysql:\/\/h\/db\?user=me&password=\*+"/);
  assert.equal(hideSecrets("Table sales.orders does not exist", { token: "" }), "Table sales.orders does not exist");
});

test("names that Paimon would not list, split or take for a snapshot are refused", () => {
  for (const name of ["savepoint-12", "fsp-3c9af1b2-12", "vor_dem_umbau.2", "ü"]) assert.equal(nameFault(name), undefined, name);
  for (const name of ["", " ", "a b", "a/b", "a\\b", "a,b", "12", "-x", ".x", "a'b", "t$branch_x", "a\u0000", "x".repeat(201)]) assert.notEqual(nameFault(name), undefined, JSON.stringify(name));
});

test("retention is said in the largest unit that is exact", () => {
  assert.deepEqual([7 * day, day + 3_600_000, 90 * 60_000, 1_500, 0].map(retentionText), ["7 d", "25 h", "90 min", "1 s", "1 s"]);
});

test("a table's address is cut at the first dot, since only a table's name may have one", () => {
  assert.deepEqual(tableAddress("sales.o.x$branch_b"), { database: "sales", table: "o.x$branch_b" });
});
