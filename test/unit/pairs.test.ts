import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { localWarehouse } from "../../src/clients/paimon/localWarehouse";
import { systemClock } from "../../src/core/base/async";
import type { PairRecord } from "../../src/core/ledger/record";
import type { Ledger } from "../../src/core/ledger/store";
import type { WarehouseProfile } from "../../src/core/model/warehouse";
import { pairsFlag, pairRowText } from "../../src/core/paimon/pairText";
import { pairRecordId, withRemembered } from "../../src/core/paimon/remembered";
import { optionDurationMs } from "../../src/core/paimon/savepointPairs";
import type { Log } from "../../src/core/ports";
import { PairService } from "../../src/services/pairs";
import { WarehouseService } from "../../src/services/warehouses";
import { LedgerDisk } from "./fakes";
import { pairingInProcess } from "../../src/clients/paimon/pairingThread";
import { paimonSet } from "./paimonSets";

const quietLog: Log = { trace: () => undefined, debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const set = paimonSet("rolled-back");
after(() => set.remove());
const warehouse = `file:${set.warehouse}`;

const lake: WarehouseProfile = { name: "lake", path: warehouse, catalog: "paimon", catalogOptions: {}, jars: [] };

function service(profiles: readonly WarehouseProfile[] = [lake]): { readonly pairs: PairService; readonly ledger: Ledger; readonly warehouses: WarehouseService } {
  const ledger = new LedgerDisk(systemClock).open();
  const warehouses = new WarehouseService(localWarehouse);
  warehouses.setProfiles(profiles);
  const pairs = new PairService(pairingInProcess(), warehouses, ledger, systemClock, quietLog);
  after(() => pairs.dispose());
  return { ledger, pairs, warehouses };
}

const folderOf = (grade: string): string => `file:${path.join(set.savepoints, set.pairs.find((pair) => pair.grade === grade && pair.table === "d.app")?.savepoint ?? "")}`;
const grades = async (pairs: PairService, savepoint: string): Promise<Record<string, string>> =>
  Object.fromEntries((await pairs.pairsOf({ path: savepoint, recordId: null, completedMs: null }, 0))?.pairs.map(({ place, pairing }) => [place?.table ?? "", pairing.grade]) ?? []);

test("P-10: a savepoint is paired with every table that its job writes, and each pair is remembered when it is first proven", async () => {
  const { pairs, ledger } = service();
  const proven = folderOf("exact");
  assert.deepEqual(await grades(pairs, proven), { "d.pk": "exact", "d.app": "exact" });
  const records = (await ledger.all()).filter((record): record is PairRecord => record.kind === "pair");
  assert.deepEqual(records.map(({ table, tags, savepoint }) => [table, tags[0], savepoint.path]).sort(), [["d.app", `savepoint-${records[0]?.savepoint.checkpointId}`, proven], ["d.pk", `savepoint-${records[0]?.savepoint.checkpointId}`, proven]]);
  // What is not proven is not remembered.
  assert.deepEqual(await grades(pairs, folderOf("changed")), { "d.pk": "changed", "d.app": "changed" });
  assert.equal((await ledger.all()).length, 2);
  const known = pairs.known(proven)?.pairs[0];
  assert.ok(known);
  assert.match(pairRowText(known, known.snapshotExpiresMs ?? 0), /^tag savepoint-\d+ · proven$/);
  assert.equal(pairsFlag(pairs.known(proven)?.pairs ?? []), "2 tables paired");
  assert.equal(pairsFlag(pairs.known(folderOf("changed"))?.pairs ?? []), "2 tables without a pair");
});

test("a pair that is another than the remembered one is told as changed, for ever", async () => {
  const { pairs, ledger } = service();
  const proven = folderOf("exact");
  await grades(pairs, proven);
  const id = pairRecordId(proven, warehouse, "d.app");
  const record = await ledger.get(id);
  assert.ok(record?.kind === "pair");
  // As a rollback and a restore leave it: the same tag and numbers, committed at another time.
  const file = path.join(set.warehouse, "d.db", "app", "tag", `tag-savepoint-${record.savepoint.checkpointId}`);
  const before = readFileSync(file, "utf8");
  const snapshot = path.join(set.warehouse, "d.db", "app", "snapshot", `snapshot-${record.snapshot.id}`);
  for (const each of [file, snapshot]) writeFileSync(each, before.replace(String(record.snapshot.timeMs), String(record.snapshot.timeMs + 90_000)));
  assert.equal((await grades(pairs, proven))["d.app"], "changed");
  for (const each of [file, snapshot]) writeFileSync(each, before);
  assert.equal((await grades(pairs, proven))["d.app"], "exact");
});

test("a pair that was remembered is the savepoint's by whichever path that is reached: a link, a plain path, a slash at its end", async () => {
  const { pairs, ledger } = service();
  const proven = folderOf("exact").slice("file:".length);
  const link = path.join(set.savepoints, "..", "by-a-link");
  symlinkSync(set.savepoints, link);
  const spellings = [path.join(link, path.basename(proven)), proven, `file://${proven}/`];
  for (const spelling of spellings) assert.equal((await grades(pairs, spelling))["d.app"], "exact");
  assert.equal((await ledger.all()).length, 2, "one record for each table");
  const file = path.join(set.warehouse, "d.db", "app", "tag", `tag-savepoint-${(await ledger.all()).map((record) => (record.kind === "pair" ? record.savepoint.checkpointId : ""))[0] ?? ""}`);
  const [before, timeMs = ""] = [readFileSync(file, "utf8"), /"timeMillis" : (\d+)/.exec(readFileSync(file, "utf8"))?.[1]];
  const snapshot = path.join(set.warehouse, "d.db", "app", "snapshot", `snapshot-${/"id" : (\d+)/.exec(before)?.[1] ?? ""}`);
  for (const each of [file, snapshot]) writeFileSync(each, before.replace(timeMs, String(Number(timeMs) + 90_000)));
  for (const spelling of spellings) assert.equal((await grades(pairs, spelling))["d.app"], "changed", spelling);
  for (const each of [file, snapshot]) writeFileSync(each, before);
});

test("what was proven while its base could be seen stays proven when the base has expired", () => {
  const snapshot = { id: 4, schemaId: 0, commitUser: "u", commitIdentifier: 7n, commitKind: "APPEND", timeMs: 5, totalRecordCount: 1, deltaManifestList: null, uuid: null };
  const record = { kind: "pair", version: 1, id: "pair-x", savepoint: { path: "file:/s", recordId: null, checkpointId: "7" }, warehouse, table: "d.t", snapshot: { id: 4, commitUser: "u", commitIdentifier: "7", timeMs: 5, totalRecordCount: 1, uuid: null }, tags: ["savepoint-7"], seenAtMs: 9, trail: [] } satisfies PairRecord;
  const tag = { name: "savepoint-7", snapshot, retainedMs: null };
  const doubted = { grade: "changed", snapshot, tags: [tag], decoy: null, reasons: [{ code: "base-unseen", lateMs: 9_000 }, { code: "files-match", files: 2 }] } as const;
  assert.equal(withRemembered(doubted, record).grade, "exact");
  assert.deepEqual(withRemembered(doubted, record).reasons.map(({ code }) => code), ["remembered", "files-match"]);
  assert.equal(withRemembered(doubted, { ...record, snapshot: { ...record.snapshot, timeMs: 600_000 } }).grade, "changed");
  assert.equal(withRemembered(doubted, undefined).grade, "changed");
  assert.equal(withRemembered({ ...doubted, tags: [] }, record).grade, "unprotected");
});

test("a savepoint that can't be read, and one without Paimon, say so and harm nothing", async () => {
  const { pairs } = service();
  assert.equal(await pairs.pairsOf({ path: "file:/nowhere/savepoint-1", recordId: null, completedMs: null }, 0), undefined);
  assert.match(pairs.failure("file:/nowhere/savepoint-1") ?? "", /./);
  assert.equal(await pairs.pairsOf({ path: "s3://bucket/savepoint-1", recordId: null, completedMs: null }, 0), undefined);
  const plain = `file:${path.resolve("test/fixtures/metadata/2.3.0/canonical")}`;
  assert.deepEqual((await pairs.pairsOf({ path: plain, recordId: null, completedMs: null }, 0))?.pairs, []);
});

test("a look that was under way when a warehouse was added says nothing of the new one, and is not taken for fresh", async () => {
  const { pairs, warehouses } = service([]);
  const place = { path: folderOf("exact"), recordId: null, completedMs: null };
  const looking = pairs.pairsOf(place, 600_000);
  await new Promise((resolve) => setImmediate(resolve));
  warehouses.setProfiles([lake]);
  await looking;
  assert.deepEqual((await pairs.pairsOf(place, 600_000))?.pairs.map((pair) => pair.place?.table).sort(), ["d.app", "d.pk"]);
});

test("whoever stops waiting leaves nothing behind, and a listener that throws keeps nobody from looking", async () => {
  const { pairs } = service();
  pairs.onDidChange(() => {
    throw new Error("a row that can't be drawn");
  });
  const place = { path: folderOf("exact"), recordId: null, completedMs: null };
  await assert.rejects(pairs.pairsOf(place, 0, AbortSignal.abort()), { name: "AbortError" });
  const patient = new AbortController();
  for (let look = 0; look < 3; look++) assert.equal((await pairs.pairsOf(place, 0, patient.signal))?.pairs.length, 2);
  assert.equal(getEventListeners(patient.signal, "abort").length, 0);
});

test("what somebody waits for is looked at before what only keeps rows current", async () => {
  const { pairs } = service();
  const order: string[] = [];
  pairs.onDidChange((savepoint) => order.push(path.basename(savepoint)));
  const ask = (name: string, wanted: "now" | "later") => pairs.pairsOf({ path: `file:/nowhere/${name}`, recordId: null, completedMs: null }, 600_000, undefined, wanted);
  const rows = Array.from({ length: 9 }, (_, at) => ask(`row-${at}`, "later"));
  // One that is asked for twice is looked at once, as soon as anybody waits for it.
  await Promise.all([ask("dispose", "now"), ask("row-7", "now")]);
  assert.deepEqual(order, ["row-0", "dispose", "row-7"]);
  await Promise.all(rows);
  assert.equal(order.length, 10);
});

test("durations are read as Paimon reads them", () => {
  assert.deepEqual(["1 h", "30 min", "12 s", "1d", "500", "2 Hours", "7 days", "x", "1 fortnight", undefined].map(optionDurationMs), [3_600_000, 1_800_000, 12_000, 86_400_000, 500, 7_200_000, 604_800_000, undefined, undefined, undefined]);
});
