import assert from "node:assert/strict";
import { copyFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, describe, test } from "node:test";
import { localWarehouse } from "../../src/clients/paimon/localWarehouse";
import { systemClock } from "../../src/core/base/async";
import type { SavepointRecord } from "../../src/core/ledger/record";
import { keptTags } from "../../src/services/keptTags";
import { PairService } from "../../src/services/pairs";
import { WarehouseService } from "../../src/services/warehouses";
import { LedgerDisk } from "./fakes";
import { keptLog, savepointRecord } from "./ledgerSamples";
import { paimonSet, type PaimonSet } from "./paimonSets";
import { pairingInProcess } from "../../src/clients/paimon/pairingThread";

/** Asks of a warehouse as a window that has just been opened does. */
async function kept(set: PaimonSet, records: readonly SavepointRecord[], warehouses = [set.warehouse]): Promise<Record<string, readonly string[]>> {
  const service = new WarehouseService(localWarehouse);
  service.setProfiles(warehouses.map((folder) => ({ name: path.basename(folder), path: `file:${folder}`, catalog: "paimon", catalogOptions: {}, jars: [] })));
  const pairs = new PairService(pairingInProcess(), service, new LedgerDisk(systemClock).open(), systemClock, keptLog());
  try {
    return Object.fromEntries(await keptTags(pairs, service)(records, new AbortController().signal));
  } finally {
    pairs.dispose();
  }
}

const recordsOf = (set: PaimonSet): SavepointRecord[] => [...new Map(set.pairs.map(({ savepoint, checkpointId }) => [savepoint, checkpointId]))].map(([savepoint, checkpointId]) =>
  savepointRecord(savepoint, { state: "completed", origin: "scheduled", path: `file:${path.join(set.savepoints, savepoint)}`, checkpointId, endedAtMs: null }));

for (const name of ["rolled-back", "compressed-expired"] as const) {
  describe(`in a warehouse that a real Flink wrote, ${name},`, () => {
    const set = paimonSet(name);
    after(() => set.remove());
    const tagFolder = path.join(set.warehouse, "d.db", "app", "tag");
    const proven = set.pairs.filter(({ grade, table }) => grade === "exact" && table === "d.app");

    test("the tags that Paimon makes by itself keep no savepoint", async () => {
      assert.ok(proven.length > 0);
      assert.deepEqual(await kept(set, recordsOf(set)), {});
    });

    for (const pair of proven) {
      test(`a tag of one's own beside savepoint-${pair.checkpointId} keeps that savepoint, and no other`, async () => {
        const own = path.join(tagFolder, "tag-before-audit");
        copyFileSync(path.join(tagFolder, `tag-savepoint-${pair.checkpointId}`), own);
        try {
          assert.deepEqual(await kept(set, recordsOf(set)), { [pair.savepoint]: ["tag before-audit of d.app"] });
          assert.deepEqual(await kept(set, recordsOf(set), []), {}, "no warehouse is set: there is nothing to pair with");
        } finally {
          rmSync(own);
        }
      });
    }

    test("where the record does not know the number of the savepoint every tag of it counts as kept", async () => {
      const [pair] = proven;
      assert.ok(pair);
      const found = recordsOf(set).filter(({ id }) => id === pair.savepoint).map((record) => ({ ...record, checkpointId: null }));
      assert.deepEqual((await kept(set, found))[pair.savepoint]?.toSorted(), ["d.app", "d.pk"].map((table) => `tag savepoint-${pair.checkpointId} of ${table}`));
    });
  });
}

test("a savepoint whose tags nobody can look up stays: its file is gone, damaged, or on a storage that can't be read from here", async () => {
  const set = paimonSet("rolled-back");
  after(() => set.remove());
  const [gone, remote] = recordsOf(set);
  assert.ok(gone?.path && remote);
  for (const file of readdirSync(gone.path.slice("file:".length))) rmSync(path.join(gone.path.slice("file:".length), file), { recursive: true });
  const found = await kept(set, [gone, { ...remote, path: "s3://bucket/savepoint-d157aa-b841d804ca69" }, savepointRecord("failed", { state: "failed" })]);
  assert.deepEqual(Object.keys(found).sort(), [gone.id, remote.id].sort());
  for (const tags of Object.values(found)) assert.match(tags.join(), /^tags that could not be read \(.+\)$/);
});

test("where a tag of its table can't be read nobody knows whose it is, so the savepoint stays", async () => {
  const set = paimonSet("rolled-back");
  after(() => set.remove());
  const proven = set.pairs.find(({ grade, table }) => grade === "exact" && table === "d.app");
  const records = recordsOf(set).filter(({ id }) => id === proven?.savepoint);
  assert.deepEqual(await kept(set, records), {});
  const damaged = path.join(set.warehouse, "d.db", "app", "tag", "tag-before-audit");
  writeFileSync(damaged, "{");
  assert.deepEqual(await kept(set, records), { [records[0]?.id ?? ""]: [`tags that could not be read (${damaged})`] });
});

test("what a job wrote into a warehouse that is away is not known, so its savepoint stays; what was found in another is", async () => {
  const set = paimonSet("rolled-back");
  after(() => set.remove());
  const proven = set.pairs.find(({ grade }) => grade === "exact");
  const records = recordsOf(set).filter(({ id }) => id === proven?.savepoint);
  const away = path.join(set.warehouse, "..", "away");
  assert.deepEqual(Object.values(await kept(set, records, [away])), [["tags that could not be read (not everything in the warehouse away can be read from here)"]]);
  assert.deepEqual(await kept(set, records, [set.warehouse, away]), {});
});
