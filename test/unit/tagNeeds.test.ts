import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, beforeEach, describe, test } from "node:test";
import { pairingInProcess } from "../../src/clients/paimon/pairingThread";
import { localWarehouse } from "../../src/clients/paimon/localWarehouse";
import { systemClock } from "../../src/core/base/async";
import type { SavepointRecord } from "../../src/core/ledger/record";
import { readTag, type PaimonSnapshot } from "../../src/core/paimon/snapshot";
import { PairService } from "../../src/services/pairs";
import { whoNeedsTag } from "../../src/services/tagNeeds";
import { WarehouseService } from "../../src/services/warehouses";
import { LedgerDisk } from "./fakes";
import { keptLog, savepointRecord } from "./ledgerSamples";
import { paimonSet } from "./paimonSets";

describe("who needs a tag of a warehouse that a real Flink wrote", () => {
  const set = paimonSet("rolled-back");
  after(() => set.remove());
  const pair = set.pairs.find(({ grade, table }) => grade === "exact" && table === "d.app")!;
  const tag = { warehouse: `file:${set.warehouse}`, table: "d.app", tag: `savepoint-${pair.checkpointId}` };
  const read = readTag(tag.tag, readFileSync(path.join(set.warehouse, "d.db", "app", "tag", `tag-${tag.tag}`), "utf8"));
  assert.ok(!("code" in read));
  const here = `file:${path.join(set.savepoints, pair.savepoint)}`;
  let disk: LedgerDisk;

  beforeEach(() => {
    disk = new LedgerDisk(systemClock);
    put("s", here);
  });

  function put(id: string, place: string, changes: Partial<SavepointRecord> = {}): void {
    disk.put(savepointRecord(id, { state: "completed", path: place, checkpointId: pair.checkpointId, endedAtMs: null, ...changes }));
  }
  async function needs(snapshot: PaimonSnapshot | undefined = (read as { snapshot: PaimonSnapshot }).snapshot): Promise<{ pairs: string[]; unread: string[] }> {
    const warehouses = new WarehouseService(localWarehouse);
    warehouses.setProfiles([{ name: "w", path: tag.warehouse, catalog: "paimon", catalogOptions: {}, jars: [] }]);
    const pairs = new PairService(pairingInProcess(), warehouses, disk.open(), systemClock, keptLog());
    try {
      const found = await whoNeedsTag(pairs, disk.open(), tag, snapshot, new AbortController().signal);
      return { pairs: found.pairs.map(({ id }) => id), unread: found.unread.map(({ id }) => id) };
    } finally {
      pairs.dispose();
    }
  }

  test("is found by reading the savepoint, and remembered", async () => {
    assert.deepEqual(await needs(), { pairs: ["s"], unread: [] });
    assert.deepEqual(await needs(undefined), { pairs: ["s"], unread: [] }, "also when the tag can't be read");
  });

  test("may be a savepoint of its number that can't be read from here; one of another number is not", async () => {
    put("far", "s3://bucket/savepoint-ab12cd-000000000001");
    put("gone", "file:/no/such/savepoint-ab12cd-000000000002");
    put("other", "s3://bucket/savepoint-ab12cd-000000000003", { checkpointId: pair.checkpointId + 1 });
    assert.deepEqual(await needs(), { pairs: ["s"], unread: ["far", "gone"] });
  });

  test("may be a savepoint of its number in whose table a tag can't be read", async () => {
    const home = path.join(set.warehouse, "d.db", "app");
    const files = [path.join(home, "tag", `tag-${tag.tag}`), path.join(home, "snapshot", `snapshot-${(read as { snapshot: PaimonSnapshot }).snapshot.id}`)];
    const texts = files.map((file) => readFileSync(file, "utf8"));
    files.forEach((file) => writeFileSync(file, "{"));
    try {
      assert.deepEqual(await needs(undefined), { pairs: [], unread: ["s"] });
    } finally {
      files.forEach((file, at) => writeFileSync(file, texts[at] ?? ""));
    }
  });

  test("is one, too, that cleanup moved aside and that can be put back", async () => {
    await needs();
    const owner = { host: "here", pid: 1, instance: "x" };
    const aside = { hits: [], triedAtMs: 0, attempts: 1, failure: null, aside: { path: "file:/aside/savepoint-1", state: "aside" as const, sinceMs: 0, untilMs: 1, owner } };
    put("s", here, { cleanup: aside });
    assert.deepEqual(await needs(), { pairs: ["s"], unread: [] });
    put("never-seen", "file:/sp/savepoint-ab12cd-000000000009", { cleanup: aside });
    assert.deepEqual(await needs(), { pairs: ["s"], unread: ["never-seen"] });
  });
});
