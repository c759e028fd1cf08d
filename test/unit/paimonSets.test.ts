import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, describe, test } from "node:test";
import { paimonSet, paimonSetNames } from "./paimonSets";
import { runProgram } from "./program";

interface Entry {
  readonly table: string;
  readonly tag: string | null;
  readonly savepoint: string | null;
  readonly grade: string;
  readonly reasons: readonly string[];
}

const tagsOf = async (warehouse: string, savepoints: string): Promise<{ readonly entries: readonly Entry[]; readonly code: number | null; readonly err: string }> => {
  const { code, out, err } = await runProgram(["tags", warehouse, "--savepoints", savepoints, "--json"]);
  return { entries: JSON.parse(out) as Entry[], code, err };
};

for (const name of paimonSetNames) {
  test(`P-9: of what a real Flink wrote every savepoint gets its grade, and nothing wrong is proven: ${name}`, async () => {
    const set = paimonSet(name);
    after(() => set.remove());
    const { entries } = await tagsOf(set.warehouse, set.savepoints);
    // A savepoint has as many pairs in a table as sinks of its job write it, and as many entries as tags keep them.
    const gradesOf = (pairs: readonly { readonly table: string; readonly savepoint: string | null; readonly grade: string }[]): string[] => [...new Set(pairs.flatMap(({ table, savepoint, grade }) => (savepoint === null ? [] : [`${table} ${path.basename(savepoint)} ${grade}`])))].sort();
    assert.deepEqual(gradesOf(entries), gradesOf(set.pairs));
    const proven = new Set(set.pairs.filter(({ grade }) => grade === "exact").map(({ savepoint, table }) => `${table} ${path.join(set.savepoints, savepoint)}`));
    assert.deepEqual(entries.filter((entry) => entry.grade === "exact" && !proven.has(`${entry.table} ${entry.savepoint}`)), []);
    for (const { reasons } of entries) assert.ok(reasons.length > 0);
  });
}

test("a savepoint that was copied has the same pairs, and a branch made of a tag is not taken for the table", async () => {
  const set = paimonSet("rolled-back");
  after(() => set.remove());
  const exact = set.pairs.find(({ grade, table }) => grade === "exact" && table === "d.app");
  assert.ok(exact);
  const home = path.join(set.warehouse, "d.db", "app");
  const branch = path.join(home, "branch", "branch-copy");
  for (const folder of ["snapshot", "tag", "schema"]) mkdirSync(path.join(branch, folder), { recursive: true });
  const tag = readFileSync(path.join(home, "tag", `tag-savepoint-${exact.checkpointId}`));
  writeFileSync(path.join(branch, "tag", `tag-savepoint-${exact.checkpointId}`), tag);
  writeFileSync(path.join(branch, "snapshot", "snapshot-6"), tag);
  const { entries } = await tagsOf(set.warehouse, set.savepoints);
  assert.deepEqual(entries.filter(({ table, savepoint }) => table === "d.app$branch_copy" && savepoint !== null), []);
  assert.equal(entries.find(({ table, tag: named, savepoint }) => table === "d.app" && named === `savepoint-${exact.checkpointId}` && savepoint !== null)?.grade, "exact");
});

test("savepoints and tables are found wherever they lie: deep down, behind links, by their file; twice named, they are there once", async () => {
  const set = paimonSet("rolled-back");
  after(() => set.remove());
  const folder = path.dirname(set.savepoints);
  const deep = path.join(folder, "backup", "2026", "11", "29 of 30%", "cluster-é", "orders", "a", "b");
  mkdirSync(deep, { recursive: true });
  const [name = "", link = ""] = readdirSync(set.savepoints);
  renameSync(path.join(set.savepoints, name), path.join(deep, name));
  renameSync(path.join(set.savepoints, link), path.join(folder, "elsewhere"));
  symlinkSync(path.join(folder, "elsewhere"), path.join(set.savepoints, link));
  symlinkSync(folder, path.join(deep, "up"));
  renameSync(path.join(set.warehouse, "d.db", "app"), path.join(folder, "app"));
  symlinkSync(path.join(folder, "app"), path.join(set.warehouse, "d.db", "app"));
  const run = async (...places: string[]): Promise<string[]> => {
    const { out, err } = await runProgram(["tags", "warehouse/", "--json", "--savepoints", ...places], { cwd: folder });
    assert.notEqual(out, "", err);
    return (JSON.parse(out) as Entry[]).filter(({ savepoint }) => savepoint !== null).map(({ table, savepoint, grade }) => `${table} ${path.basename(savepoint ?? "")} ${grade}`).sort();
  };
  const grades = set.pairs.map(({ savepoint, table, grade }) => `${table} ${savepoint} ${grade}`);
  const found = await run("savepoints", "backup");
  assert.deepEqual(grades.filter((line) => !found.includes(line)), []);
  assert.deepEqual(await run("savepoints/", `file:${set.savepoints}`, "./backup/../savepoints", path.join(deep, name, "_metadata"), "backup/2026"), found);
});

describe("what is wrong with a warehouse is told, and nothing of it is changed", () => {
  const set = paimonSet("rolled-back");
  after(() => set.remove());
  const home = path.join(set.warehouse, "d.db", "app");
  const tag = (name: string): string => path.join(home, "tag", `tag-${name}`);
  const sample = readFileSync(tag("savepoint-15"), "utf8");

  test("damaged, newer and foreign files beside good ones", async () => {
    writeFileSync(tag("cut"), sample.slice(0, 200));
    writeFileSync(tag("newer"), sample.replace(/"version" : 3/, '"version" : 4'));
    writeFileSync(tag("fields"), sample.replace(/"version" : 3/, '"version" : 3, "unheardOf" : { "a" : [ 1 ] }'));
    writeFileSync(tag("binary"), Buffer.from([0, 159, 255, 3]));
    const { entries, code, err } = await tagsOf(set.warehouse, set.savepoints);
    assert.equal(code, 1);
    assert.match(err, /tag-cut is not valid JSON\./);
    assert.match(err, /tag-newer has format version 4, which a newer Paimon than 2\.0 wrote\./);
    assert.match(err, /tag-binary is not valid JSON\./);
    assert.equal(entries.find(({ tag: named }) => named === "fields")?.grade, "exact");
    assert.equal(readFileSync(tag("cut"), "utf8"), sample.slice(0, 200));
    for (const name of ["cut", "newer", "fields", "binary"]) rmSync(tag(name));
  });

  test("a path that is a file, one that is missing, one without permission", async () => {
    const file = path.join(set.warehouse, "file");
    writeFileSync(file, "");
    assert.match((await runProgram(["tags", file])).err, /file-unreadable: .*can't be read/);
    assert.match((await runProgram(["tags", `${file}-none`])).err, /file-unreadable/);
    if (process.getuid?.() === 0) return;
    chmodSync(set.warehouse, 0);
    assert.match((await runProgram(["tags", set.warehouse])).err, /file-unreadable: .*EACCES/);
    chmodSync(set.warehouse, 0o755);
  });
});
