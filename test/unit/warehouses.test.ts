import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { localWarehouse } from "../../src/clients/paimon/localWarehouse";
import { isFlinkError } from "../../src/core/errors";
import type { WarehouseProfile } from "../../src/core/model/warehouse";
import { CachedWarehouse } from "../../src/core/paimon/cachedWarehouse";
import type { WarehouseReader } from "../../src/core/paimon/warehouse";
import { WarehouseService } from "../../src/services/warehouses";
import { CountingWarehouse } from "./countingWarehouse";

const folder = mkdtempSync(path.join(tmpdir(), "warehouse-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const profile: WarehouseProfile = { name: "w", path: `file:${folder}`, catalog: "paimon", catalogOptions: {}, jars: [] };

const json = (id: number, more = ""): string => `{ "version" : 3, "id" : ${id}, "schemaId" : 0, "commitUser" : "u", "commitIdentifier" : ${id}, "commitKind" : "APPEND", "timeMillis" : ${1_700_000_000_000 + id}, "totalRecordCount" : ${id}${more} }`;

function makeTable(name: string, tags: readonly string[], snapshots: number): string {
  const home = path.join(folder, "sales.db", name);
  for (const part of ["schema", "snapshot", "tag"]) mkdirSync(path.join(home, part), { recursive: true });
  writeFileSync(path.join(home, "schema", "schema-0"), '{ "id" : 0, "options" : { } }');
  for (let id = 1; id <= snapshots; id++) writeFileSync(path.join(home, "snapshot", `snapshot-${id}`), json(id));
  tags.forEach((tag, at) => writeFileSync(path.join(home, "tag", `tag-${tag}`), json(at + 1)));
  return home;
}

test("a list reads what is shown of it, and what changed since; savepoints' tags come first, the newest at the top", async () => {
  for (let table = 0; table < 120; table++) makeTable(`t${String(table).padStart(3, "0")}`, Array.from({ length: 60 }, (_, tag) => `savepoint-${tag + 1}`), 2);
  const counting = new CountingWarehouse();
  const service = new WarehouseService(new CachedWarehouse(counting));
  service.setProfiles([profile]);
  const tables = await service.tables(profile, "sales", 50);
  assert.deepEqual([tables.items.length, tables.more], [50, 70]);
  assert.equal(counting.files, 0);
  const [first] = tables.items;
  assert.ok(first);
  assert.deepEqual([first.savepointTags, first.snapshots], [60, 2]);
  const tags = await service.tags(profile.path, first.table, 50);
  assert.deepEqual([tags.items.length, tags.more, tags.items[0]?.name, counting.files], [50, 10, "savepoint-60", 50]);
  await service.tags(profile.path, first.table, 50);
  assert.equal(counting.files, 50);
  // An id is used again after a rollback, with other content.
  const file = tags.items[0]?.file ?? "";
  writeFileSync(file, json(999));
  const again = await service.tags(profile.path, first.table, 50);
  assert.equal(again.items[0]?.content?.snapshot.id, 999);
  assert.equal(counting.files, 51);
});

test("of a table of 10,000 tags only those that are shown are read, and broken files are named on their rows", async () => {
  const home = makeTable("big", Array.from({ length: 10_000 }, (_, tag) => `savepoint-${tag + 1}`), 1);
  writeFileSync(path.join(home, "tag", "tag-savepoint-10000"), "{");
  mkdirSync(path.join(home, "tag", "tag-success-file"));
  const counting = new CountingWarehouse();
  const service = new WarehouseService(new CachedWarehouse(counting));
  service.setProfiles([profile]);
  const table = await service.table({ warehouse: profile.path, table: "sales.big" });
  assert.ok(table);
  const tags = await service.tags(profile.path, table, 50);
  assert.deepEqual([tags.items.length, tags.more], [50, 9_950]);
  assert.equal(tags.items[0]?.content, undefined);
  assert.deepEqual(tags.items[0]?.problem?.problem, { code: "not-json" });
  assert.equal(tags.items[1]?.content?.snapshot.id, 9_999);
  assert.ok(counting.files <= 52, `${counting.files} files were read`);
});

test("what is no warehouse says so", async () => {
  const service = new WarehouseService(localWarehouse);
  writeFileSync(path.join(folder, "file"), "");
  const reasonOf = async (location: string): Promise<string> => service.databases({ ...profile, path: location }).then(() => "", (error: unknown) => (isFlinkError(error, "warehouse-unreachable") ? error.facts.reason : String(error)));
  assert.deepEqual([await reasonOf("s3://bucket/w"), await reasonOf(`file:${folder}/none`), await reasonOf(`file:${folder}/file`), await reasonOf(`file:${folder}`)], ["elsewhere", "missing", "file", ""]);
  const denied: WarehouseReader = { ...localWarehouse, look: () => Promise.reject(new Error("permission denied")) };
  await assert.rejects(new WarehouseService(denied).databases(profile), (error) => isFlinkError(error, "warehouse-unreachable") && error.facts.reason === "permission denied");
  service.setProfiles([profile]);
  for (const table of ["sales.none", "..", "sales.", "sales/x.t", "../x.t", "a.$branch_b"]) assert.equal(await service.table({ warehouse: profile.path, table }), undefined, table);
  assert.equal(await service.textOf({ warehouse: profile.path, table: "sales.t000", tag: "../schema/schema-0" }), undefined);
});
