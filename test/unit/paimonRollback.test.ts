import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { main } from "../../src/cli/main";
import { openLocalFile, openRegularFile } from "../../src/clients/localFiles";
import { localWarehouse, writeWhole } from "../../src/clients/paimon/localWarehouse";
import { rollbackName } from "../../src/core/paimon/ourNames";
import { isBrokenOff, latestOf, missingFileOf, snapshotTextOf, tableFacts } from "../../src/core/paimon/rollback/facts";
import { differenceFrom, movedOn, planRollback, stepsFor, writtenBy, type OtherSavepoint, type RollbackPlan, type TableRollback } from "../../src/core/paimon/rollback/plan";
import { lossesOf, remarksOf, runbookText, victimLines } from "../../src/core/paimon/rollback/rollbackText";
import { FileTables } from "../../src/core/paimon/fileTables";
import { comparedTags, schemaFields } from "../../src/core/paimon/tagText";
import { parseFlinkVersion } from "../../src/core/model/version";
import { readTag } from "../../src/core/paimon/snapshot";
import type { PaimonTable } from "../../src/core/paimon/warehouse";
import { paimonSet, type PaimonSet } from "./paimonSets";

const nobody = (_ids: ReadonlySet<bigint>): Promise<readonly OtherSavepoint[]> => Promise.resolve([]);
const tableIn = (warehouse: string, name: string): PaimonTable => {
  const folder = path.join(warehouse, "d.db", name);
  return { name: `d.${name}`, objectName: name, folder, home: folder, hasBranches: false } as PaimonTable;
};

describe("a rollback's plan", () => {
  let set: PaimonSet;
  before(() => {
    set = paimonSet("rolled-back");
  });
  after(() => set.remove());

  async function plan(checkpointId: number, job = "", others = nobody, warehouses: readonly string[] = [set.warehouse]): Promise<RollbackPlan> {
    const { savepoint } = set.pairs.find((pair) => pair.checkpointId === checkpointId && pair.savepoint.includes(job)) ?? assert.fail(String(checkpointId));
    const folder = path.join(set.savepoints, savepoint);
    const file = path.join(folder, "_metadata");
    const metadata = await openRegularFile(file);
    try {
      return await planRollback({ savepoint: { path: folder, recordId: null, jobName: "ingest", completedMs: statSync(file).mtimeMs }, metadata, open: openLocalFile, warehouses: warehouses.map((folder) => ({ location: folder, tables: new FileTables(localWarehouse, folder), files: { folder, reader: localWarehouse } })), away: [], others });
    } finally {
      await metadata.close();
    }
  }

  test("P-10: has every table that the savepoint's job writes, each at the tag that is proven", async () => {
    const { tables, refusals } = await plan(6, "62dc41");
    assert.deepEqual(refusals, []);
    assert.deepEqual(tables.map(({ table, tag, target }) => [table.name, tag, target.commitIdentifier]), [["d.app", { name: "savepoint-6", isNew: false }, 6n], ["d.pk", { name: "savepoint-6", isNew: false }, 6n]]);
    assert.deepEqual(movedOn({ tables }).map(({ table }) => table.name), ["d.app", "d.pk"]);
  });

  test("a savepoint whose files are not committed yet, in tables that stand where it left them, needs no rollback", async () => {
    const { tables, refusals } = await plan(19);
    assert.deepEqual(refusals, []);
    assert.deepEqual([tables.map(({ pairing }) => pairing.grade), movedOn({ tables }), victimLines({ tables })], [["waiting", "waiting"], [], []]);
  });

  test("is refused where two sinks write one table: each commits by itself, and no snapshot holds what both had written", async () => {
    const twice = paimonSet("paimon-0.8");
    try {
      const { savepoint } = twice.pairs.find(({ table }) => table === "twice.app") ?? assert.fail();
      const folder = path.join(twice.savepoints, savepoint);
      const refusals = async (): Promise<readonly string[]> => {
        const metadata = await openRegularFile(path.join(folder, "_metadata"));
        try {
          return (await planRollback({ savepoint: { path: folder, recordId: null, jobName: "twice", completedMs: statSync(path.join(folder, "_metadata")).mtimeMs }, metadata, open: openLocalFile, warehouses: [{ location: twice.warehouse, tables: new FileTables(localWarehouse, twice.warehouse), files: { folder: twice.warehouse, reader: localWarehouse } }], away: [], others: nobody })).refusals.map(({ rule }) => rule);
        } finally {
          await metadata.close();
        }
      };
      assert.deepEqual(await refusals(), ["pair-unproven"], "the tag is of one of the two");
      rmSync(path.join(twice.warehouse, "twice.db", "app", "tag"), { recursive: true });
      assert.deepEqual(await refusals(), ["two-sinks"]);
    } finally {
      twice.remove();
    }
  });

  test("P-9: refuses what is not proven: a pair that changed, one that can't be told", async () => {
    for (const [checkpointId, grade] of [[11, "changed"], [14, "none"]] as const) {
      const { tables, refusals } = await plan(checkpointId);
      assert.deepEqual(tables, []);
      assert.deepEqual(refusals.map((refusal) => refusal.rule === "pair-unproven" && [refusal.grade, ...refusal.tables]), [[grade, "d.app", "d.pk"]]);
    }
  });

  test("P-15: names every snapshot and tag that would go, with the savepoint that loses its pair", async () => {
    const tables15 = [...new Set((await plan(15)).tables.map(({ target }) => target.commitUser))];
    const named = await plan(6, "62dc41", (ids) => Promise.resolve(ids.has(15n) ? [{ name: "#15 of ingest", checkpointId: 15n, commitUsers: tables15 }] : []));
    for (const { table, target, tags, snapshots } of named.tables) {
      const left = readdirSync(path.join(table.folder, "tag")).filter((name) => name.startsWith("tag-") && !name.endsWith("_SUCCESS"));
      assert.ok(tags.length > 0 && tags.length < left.length && snapshots.every(({ id }) => id > target.id));
      assert.deepEqual(tags.find(({ name }) => name === "savepoint-15")?.savepoints, ["#15 of ingest"]);
    }
    const lines = victimLines(named);
    for (const { table, tags, snapshots } of named.tables) {
      for (const { name } of tags) assert.ok(lines.some((line) => line.startsWith(`${table.name}: tag ${name} of snapshot `)), name);
      const told = lines.flatMap((line) => {
        const [, from = "", to = from] = new RegExp(`^${table.name}: snapshots? (\\d+)(?: to (\\d+))?`).exec(line) ?? [];
        return from === "" ? [] : Array.from({ length: Number(to) - Number(from) + 1 }, (_, at) => Number(from) + at);
      });
      assert.deepEqual(told, snapshots.map(({ id }) => id));
    }
    assert.equal(named.tables.length, 2);
  });

  test("what is to know of several tables alike is said once, with their names", async () => {
    const { tables } = await plan(6, "62dc41");
    const [first, second] = tables.map((table) => ({ ...table, branches: ["audit"] }));
    assert.deepEqual(remarksOf(first!, second!), ["Branches of d.app, d.pk stay as they are (audit)."]);
    const named = Array.from({ length: 7 }, (_, at) => ({ ...first!, branches: [], strangers: ["other"], table: { ...first!.table, name: `d.$&${at}` } }));
    assert.deepEqual(remarksOf(...named), ["Others wrote to d.$&0, d.$&1, d.$&2, d.$&3, d.$&4, d.$&5, d.$&6 since (commit user other): what they wrote is deleted too."]);
    assert.deepEqual(remarksOf(first!, { ...second!, branches: ["dev"], isBrokenOff: true }), [
      "Branches of d.app stay as they are (audit).", "A rollback of d.pk broke off earlier, and Paimon can't read what it left: the pointers are mended first.", "Branches of d.pk stay as they are (dev).",
    ]);
  });

  test("a tag whose files are gone or damaged is refused, and nothing is changed", async () => {
    const table = tableIn(set.warehouse, "app");
    const json = JSON.parse(readFileSync(path.join(table.folder, "tag", "tag-savepoint-6"), "utf8")) as { baseManifestList: string };
    const list = path.join(table.folder, "manifest", json.baseManifestList);
    const kept = readFileSync(list);
    writeFileSync(list, kept.subarray(0, 40));
    assert.equal(await missingFileOf(localWarehouse, table, { tag: "savepoint-6" }), `manifest/${json.baseManifestList}`);
    rmSync(list);
    assert.deepEqual((await plan(6, "62dc41")).refusals.map(({ rule }) => rule), ["tag-damaged"]);
    writeFileSync(list, kept);
    assert.equal(await missingFileOf(localWarehouse, table, { tag: "savepoint-6" }), undefined);
  });

  test("rule 5: a sink whose table is in no warehouse is refused, whatever becomes of the others", async () => {
    const { savepoint } = set.pairs.find(({ checkpointId }) => checkpointId === 15) ?? assert.fail();
    const metadata = await openRegularFile(path.join(set.savepoints, savepoint, "_metadata"));
    const { tables, refusals } = await planRollback({ savepoint: { path: path.join(set.savepoints, savepoint), recordId: null, jobName: null, completedMs: 0 }, metadata, open: openLocalFile, warehouses: [], away: [], others: nobody });
    await metadata.close();
    assert.deepEqual([tables, refusals.map(({ rule }) => rule)], [[], ["table-unknown", "table-unknown"]]);
  });

  test("rule 5: tables that are in two warehouses, as after a copy, are not rolled back on a guess; both are named", async () => {
    const copy = path.join(set.warehouse, "..", "copy");
    cpSync(set.warehouse, copy, { recursive: true, preserveTimestamps: true });
    const { tables, refusals } = await plan(15, "d157aa", nobody, [set.warehouse, copy]);
    assert.deepEqual(tables, []);
    assert.deepEqual(refusals, [{ rule: "table-twice", tables: ["d.app", "d.pk"], warehouses: [set.warehouse, copy] }]);
    // Made before the savepoint, the copy has earlier commits of the job only: the files tell.
    for (const table of ["app", "pk"]) {
      const home = path.join(copy, "d.db", table);
      for (const file of readdirSync(path.join(home, "tag"))) rmSync(path.join(home, "tag", file));
      for (const file of readdirSync(path.join(home, "snapshot"))) {
        const snapshot = path.join(home, "snapshot", file);
        if (/^snapshot-/.test(file) && (JSON.parse(readFileSync(snapshot, "utf8")) as { commitIdentifier: number }).commitIdentifier === 15) rmSync(snapshot);
      }
    }
    const one = await plan(15, "d157aa", nobody, [copy, set.warehouse]);
    assert.deepEqual([one.refusals, one.tables.map(({ warehouse, table }) => [warehouse, table.name])], [[], [[set.warehouse, "d.app"], [set.warehouse, "d.pk"]]]);
    rmSync(copy, { recursive: true });
  });

  test("a runbook has the commands in their order, as command or as statement, and what must be so before the next", async () => {
    const found = await plan(6, "62dc41");
    const profile = (warehouse: string) => ({ path: warehouse, catalog: "paimon", catalogOptions: {} });
    const shell = runbookText(found, [], "flink run -s x job.jar", { sql: undefined, profile }, Date.now());
    const inOrder = (text: string, ...parts: readonly string[]): void => void parts.reduce((from, part) => {
      const at = text.indexOf(part, from);
      assert.ok(at >= 0, `${part} is missing behind ${from}`);
      return at;
    }, 0);
    inOrder(shell, "1. Stop everything", "2. Tables", "What is deleted", "3. Roll back", "create_branch", "rollback_to --warehouse", "--table app --version savepoint-6", "--table pk --version savepoint-6", "4. See that it is so", "5. Restore", "flink run -s x job.jar");
    const [keeps = "", rolls = ""] = shell.slice(shell.indexOf("3. Roll back")).split("The rollback itself:");
    assert.ok(keeps.includes("Only if the tables are to be kept") && keeps.includes("create_branch") && !keeps.includes("rollback_to") && !rolls.includes("create_branch"));
    const sql = runbookText(found, [], "flink run -s x job.jar", { sql: parseFlinkVersion("1.20.5"), profile }, Date.now());
    inOrder(sql, "CREATE CATALOG `paimon`", "CALL `paimon`.sys.rollback_to(`table` => 'd.app', tag => 'savepoint-6');");
    assert.ok(!/undefined|null|NaN/.test(shell + sql));
  });

  test("a runbook and its lines hold no secret of the settings, and a name with a line break in it is no command", async () => {
    const found = await plan(6, "62dc41");
    const profile = (warehouse: string) => ({ path: warehouse, catalog: "paimon", catalogOptions: { "s3.secret-key": "wJalrX", "uri": "jdbc:mysql://h/db?user=it's&password=p4ss" } });
    const evil = { ...found, tables: found.tables.map((table) => ({ ...table, table: { ...table.table, name: `${table.table.name}\ntouch pwned` } })) };
    for (const sql of [undefined, parseFlinkVersion("1.20.5")]) {
      const text = runbookText(evil, [], "flink run", { sql, profile }, Date.now());
      assert.ok(!/wJalrX|p4ss/.test(text) && text.includes("s3.secret-key"), text);
      // What is to be filled in is named, and in a shell filled in as it is.
      if (sql !== undefined) assert.match(text, /^-- \*{6} stands for a secret of the warehouse: s3\.secret-key, uri\./m);
      else {
        assert.match(text, /read -rs S3_SECRET_KEY; read -rs URI$/m);
        const line = text.split("\n").find((each) => each.startsWith("java ")) ?? "";
        const args = execFileSync("sh", ["-c", line.replace(/^java -cp "\$PAIMON_JARS" \S+/, "printf '%s\\n'")], { env: { S3_SECRET_KEY: "a b'\"$c", URI: "p4ss" } }).toString();
        assert.match(args, /^s3\.secret-key=a b'"\$c\n--catalog_conf\nuri=jdbc:mysql:\/\/h\/db\?user=it's&password=p4ss$/m);
      }
      assert.doesNotMatch(text, /^touch pwned/m);
    }
  });

  test("rule 5: a runbook of a plan that lacks a table says so, and has no commands for the others", async () => {
    const found = await plan(6, "62dc41");
    const part: RollbackPlan = { ...found, tables: found.tables.slice(0, 1), refusals: [{ rule: "pair-unproven", tables: ["d.pk"], grade: "waiting" }] };
    const text = runbookText(part, part.refusals, "flink run", { sql: undefined, profile: (location) => ({ path: location, catalog: "paimon", catalogOptions: {} }) }, Date.now());
    assert.match(text, /What forbids it now/);
    assert.match(text, /d\.app/);
    assert.doesNotMatch(text, /rollback_to|flink run/);
  });

  test("P-25: the program prints the plan, tells by its exit code whether something forbids it, and changes nothing", async () => {
    const run = async (...args: readonly string[]): Promise<{ code: number; out: string; err: string }> => {
      let [out, err] = ["", ""];
      const code = await main(["rollback", ...args], { out: (text) => (out += `${text}\n`), write: (text) => Promise.resolve(void (out += text)), err: (text) => (err += `${text}\n`), signal: new AbortController().signal, workingFolder: "/" });
      return { code, out, err };
    };
    const at = (checkpointId: number): string => path.join(set.savepoints, set.pairs.find((pair) => pair.checkpointId === checkpointId)?.savepoint ?? "");
    const before = readdirSync(set.warehouse, { recursive: true }).map(String).sort();
    const good = await run(set.warehouse, at(6), "--plan", "--savepoints", set.savepoints);
    assert.equal(good.code, 0, good.err);
    assert.match(good.out, /tag savepoint-15 of snapshot \d+, pair of #15 \(/);
    const bad = await run(set.warehouse, at(11), "--plan", "--json");
    assert.deepEqual([bad.code, (JSON.parse(bad.out) as { tables: unknown[] }).tables], [1, []]);
    assert.match(bad.err, /problem: What of d\.app, d\.pk belongs to the savepoint is not sure/);
    assert.equal((await run(set.warehouse, at(6))).code, 2);
    assert.equal((await run(set.warehouse, at(6), "--plan", "--sql", "x")).code, 2);
    assert.match((await run(set.warehouse, at(6), "--plan", "--sql", "1.18")).out, /sys\.rollback_to\('d\.app', 'savepoint-6'\)/);
    assert.deepEqual(readdirSync(set.warehouse, { recursive: true }).map(String).sort(), before);
  });
});

describe("a table that a rollback left half done", () => {
  let folder: string;
  let table: PaimonTable;
  before(() => {
    const set = paimonSet("rolled-back");
    folder = mkdtempSync(path.join(tmpdir(), "half-"));
    cpSync(set.warehouse, folder, { recursive: true });
    set.remove();
    table = tableIn(folder, "app");
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test("is recognised by its pointer to a snapshot that is gone", async () => {
    const whole = await tableFacts(localWarehouse, table);
    assert.equal(isBrokenOff(whole), false);
    assert.equal(latestOf(whole), whole.snapshots.at(-1)?.id);
    writeFileSync(path.join(table.home, "snapshot", "LATEST"), "100000");
    const broken = await tableFacts(localWarehouse, table);
    assert.equal(latestOf(broken), 100_000);
    assert.equal(isBrokenOff(broken), true);
    // A pointer that lags behind is none: the next file is there.
    writeFileSync(path.join(table.home, "snapshot", "LATEST"), String((whole.snapshots.at(-2)?.id ?? 0)));
    assert.equal(latestOf(await tableFacts(localWarehouse, table)), whole.snapshots.at(-1)?.id);
  });

  test("gets the tag's snapshot back, without what only a tag has, and with its numbers as they were", async () => {
    mkdirSync(path.join(table.home, "tag"), { recursive: true });
    const json = '{\n  "version" : 3,\n  "id" : 7,\n  "commitUser" : "u",\n  "commitIdentifier" : 9223372036854775807,\n  "timeMillis" : 5,\n  "later" : { "a" : [ 1, 2 ] },\n  "tagCreateTime" : [ 2026, 1, 2, 3, 4 ],\n  "tagTimeRetained" : 604800.000000000\n}';
    writeFileSync(path.join(table.home, "tag", "tag-kept"), json);
    const text = await snapshotTextOf(localWarehouse, table, "kept");
    assert.equal(text, '{\n  "version" : 3,\n  "id" : 7,\n  "commitUser" : "u",\n  "commitIdentifier" : 9223372036854775807,\n  "timeMillis" : 5,\n  "later" : { "a" : [ 1, 2 ] }\n}');
    await writeWhole(path.join(table.home, "snapshot", "snapshot-7"), text ?? "");
    assert.equal(existsSync(path.join(table.home, "snapshot", "snapshot-7")), true);
    assert.equal(readdirSync(path.join(table.home, "snapshot")).some((name) => name.endsWith(".tmp")), false);
    rmSync(path.join(table.home, "tag", "tag-kept"));
  });

  test("is not taken for done while its newest snapshot is another, or a later tag is left", async () => {
    const facts = await tableFacts(localWarehouse, table);
    const newest = facts.snapshots.at(-1) ?? assert.fail();
    const expected = { id: newest.id, commitUser: newest.commitUser, commitIdentifier: String(newest.commitIdentifier), timeMs: newest.timeMs };
    assert.equal(differenceFrom(expected, facts), undefined);
    assert.match(differenceFrom({ ...expected, id: expected.id - 1 }, facts) ?? "", /its newest snapshot is/);
    assert.match(differenceFrom({ ...expected, timeMs: 1 }, facts) ?? "", /another one of that number/);
    assert.match(differenceFrom(expected, { ...facts, tags: [{ name: "later", retainedMs: null, snapshot: { ...newest, id: newest.id + 1 } }] }) ?? "", /the later tag later/);
  });
});

test("writers are told by their operators' names, compaction and chains included", () => {
  assert.deepEqual(writtenBy("Source: numbers -> (Writer : orders, Writer(write-only) : events)"), ["orders", "events"]);
  assert.deepEqual(writtenBy("Global Committer : t$branch_b -> end: Writer"), ["t$branch_b"]);
  assert.deepEqual(writtenBy("Compact Worker: m2"), ["m2"]);
  assert.deepEqual(writtenBy("Source: orders -> Filter"), []);
});

test("a copy is made before the rollback, and the tag that is missing before it too", () => {
  const steps = stepsFor({ tag: { name: "fsp-1", isNew: true }, target: { id: 3 }, latestId: 9 }, "before");
  assert.deepEqual(steps.map(({ kind }) => kind), ["create-tag", "create-branch", "create-tag", "roll-back"]);
  assert.equal(rollbackName("/s/savepoint-3c9af1-0a0b0c0d0e0f", 12), "fsp-3c9af1-12");
});

test("a savepoint that loses its pair is named once, with the tables that it loses it in", () => {
  const losing = (name: string, ...savepoints: readonly string[]) => ({ table: { name }, tags: [{ name: "savepoint-7", snapshotId: 9, savepoints }] }) as unknown as TableRollback;
  assert.deepEqual(lossesOf([losing("sales.events", "#7 of orders"), losing("sales.orders", "#7 of orders", "#8 of orders"), losing("sales.none")]), [
    "One can't go back to #7 of orders afterwards: the tag that is its pair goes in sales.events, sales.orders.",
    "One can't go back to #8 of orders afterwards: the tag that is its pair goes in sales.orders.",
  ]);
});

test("two tags are compared by what they keep and by their columns", () => {
  const tag = (name: string, id: number, rows: number) => {
    const read = readTag(name, JSON.stringify({ version: 3, id, schemaId: id, commitUser: "u", commitIdentifier: id, timeMillis: 1_000 * id, totalRecordCount: rows }));
    return "code" in read ? assert.fail() : read;
  };
  const fields = (...columns: readonly (readonly [string, string])[]) => schemaFields(columns.map(([name, type], id) => ({ id, name, type })));
  const page = comparedTags("d.t", { tag: tag("b", 5, 80), fields: fields(["id", "BIGINT"], ["v", "STRING"]) }, { tag: tag("a", 2, 50), fields: fields(["id", "INT"], ["old", "STRING"]) }, 10_000);
  assert.match(page, /# d\.t: a and b/);
  assert.match(page, /3 commits between them, \+30 rows/);
  for (const line of ["- id was INT and is BIGINT", "- added v STRING", "- dropped old STRING"]) assert.ok(page.includes(line), line);
});
