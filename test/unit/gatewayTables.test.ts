import assert from "node:assert/strict";
import { test } from "node:test";
import { GatewayTables } from "../../src/clients/paimon/gatewayTables";
import type { StatementResult } from "../../src/clients/paimon/sqlGateway";
import { FlinkError, isFlinkError } from "../../src/core/errors";
import { changedFilesStatement, tagsStatement } from "../../src/core/paimon/catalogStatements";
import type { WarehouseProblem } from "../../src/core/paimon/warehouse";
import { reachOf } from "../../src/core/paimon/catalogReach";
import { JumpingClock } from "./fakes";

const clock = new JumpingClock();

/** Tables of a gateway that answers as told. */
function tables(answer: (statement: string) => StatementResult): { readonly asked: GatewayTables; readonly sent: string[] } {
  const sent: string[] = [];
  const run = (statement: string): Promise<StatementResult> => {
    sent.push(statement);
    return Promise.resolve().then(() => answer(statement));
  };
  const gateway = { run: (statement: string, _signal: AbortSignal, watch?: { sent?: (at: never) => Promise<void> }) => Promise.resolve(watch?.sent?.(undefined as never)).then(() => run(statement)) };
  return { asked: new GatewayTables({ gateway, catalog: "p", url: "http://g:8083", warehouse: "lake", clock }), sent };
}

const names = (...all: readonly string[]): StatementResult => ({ columns: ["name"], rows: all.map((name) => [name]), jobId: null });

test("a writer is looked for in a few hundred tables by some statements, however many can't be read, and not again for a while", async () => {
  const { asked, sent } = tables((statement) => {
    if (statement.startsWith("USE")) return names();
    if (statement === "SHOW DATABASES") return names("d");
    if (statement.startsWith("SHOW TABLES")) return names(...Array.from({ length: 1_000 }, (_, at) => `t${String(at).padStart(4, "0")}`));
    if (statement.includes("t0001$snapshots")) throw new FlinkError("statement-failed", { url: "u", message: "it is damaged", exception: "E" });
    return { columns: ["table_name", "newest"], rows: statement.includes("t0002$snapshots") ? [["d.t0002", 5], ["d.t0003", null]] : [], jobId: null };
  });
  const all = await asked.all([]);
  const users = new Set(["it's one"]);
  const found: string[] = [];
  for (const table of all) if (await asked.mayBeOf(table, users, "savepoint-1")) found.push(table.name);
  assert.deepEqual(found, ["d.t0002"]);
  const searches = sent.filter((statement) => statement.includes("commit_user IN ('it''s one')")).length;
  assert.ok(searches > 10 && searches <= 16, String(searches));
  assert.equal(sent.length, searches + 3);
});

test("a table holds none of files whose names can be no data file's, and is not asked for them", async () => {
  const { asked, sent } = tables((statement) => (statement.startsWith("USE") ? names() : names("data-00aa-1.orc")));
  const table = { name: "d.t", objectName: "t", folder: "d.t", home: "d.t" };
  assert.deepEqual([await asked.holds(table, new Set()), await asked.holds(table, new Set(["manifest.x", ".*"])), sent], [false, false, []]);
  assert.equal(await asked.holds(table, new Set(["00aa", ".*"])), true);
  assert.match(sent.at(-1) ?? "", /REGEXP\(file_path, '00aa'\)/);
});

test("tags and snapshots that are not understood, or are too many to be asked for, are problems of their table and not nothing", async () => {
  const table = { name: "d.t", objectName: "t", folder: "d.t", home: "d.t" };
  const { asked } = tables((statement) => statement.includes("$tags")
    ? { columns: ["tag_name", "snapshot_id", "committed", "total"], rows: [["savepoint-1", 1, 5, 2], ["savepoint-2", "odd", 5, 2]], jobId: null }
    : { columns: ["snapshot_id", "commit_user", "commit_identifier", "committed", "total"], rows: [[7, "u", "1", 5, 12_000]], jobId: null });
  const problems: WarehouseProblem[] = [];
  const { told, snapshots } = await asked.contents(table, problems);
  assert.deepEqual([told.map(({ name }) => name), snapshots.map(({ id }) => id)], [["savepoint-1"], [7]]);
  assert.deepEqual(problems, [
    { path: "d.t$tags", problem: { code: "unreadable", reason: "1 of its rows is not as Paimon has them" } },
    { path: "d.t$snapshots", problem: { code: "unreadable", reason: "it has 11999 more rows than the 10000 that are asked for" } },
  ]);
  assert.equal((await asked.tags(table, 5)).problems.length, 1);
});

test("names in statements are quoted, whatever is in them", () => {
  const table = { name: "d.o`dd'$x", objectName: "o`dd'$x", folder: "", home: "" };
  assert.match(tagsStatement("p", table, { most: 5, name: "it's" }), /FROM `p`\.`d`\.`o``dd'\$x\$tags` AS t .* WHERE t\.tag_name = 'it''s' .* LIMIT 5$/);
  assert.doesNotMatch(changedFilesStatement("p", table, 1), /EXCEPT/);
  assert.equal(changedFilesStatement("p", table, 7).match(/'scan\.snapshot-id' = '6'/g)?.length, 2);
});

test("a warehouse is read from its files where they are here and lie where they must, else through its gateway", async () => {
  const look = (isFolder: boolean | undefined) => ({ look: () => Promise.resolve(isFolder === undefined ? undefined : { isFolder, modifiedMs: 0, stamp: "" }) });
  const gateway = { path: "file:/w", sqlGateway: "http://g:8083", catalogOptions: {} };
  const wayOf = (folder: boolean | undefined, profile: Partial<typeof gateway> & { readonly catalogOptions?: Readonly<Record<string, string>> }) => reachOf(look(folder), { ...gateway, ...profile }).then(({ way }) => way);
  assert.equal(await wayOf(true, {}), "files");
  assert.equal(await wayOf(true, { catalogOptions: { metastore: "jdbc" } }), "files");
  assert.equal(await wayOf(true, { catalogOptions: { metastore: "hive" } }), "gateway");
  assert.equal(await wayOf(undefined, {}), "gateway");
  assert.equal(await wayOf(undefined, { path: "s3://lake/w" }), "gateway");
  await assert.rejects(reachOf(look(true), { path: "s3://lake/w", catalogOptions: {} }), (error) => isFlinkError(error, "warehouse-unreachable") && error.facts.reason === "elsewhere");
  assert.equal((await reachOf(look(true), { path: "file:/w", catalogOptions: { metastore: "hive" } })).way, "files");
});
