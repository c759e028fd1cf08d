import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { localWarehouse } from "../../../src/clients/paimon/localWarehouse";
import { isFlinkError } from "../../../src/core/errors";
import { explain } from "../../../src/core/explain";
import type { RollbackRecord } from "../../../src/core/ledger/record";
import { tableAddress, type PaimonAction } from "../../../src/core/paimon/actions";
import { tableFacts } from "../../../src/core/paimon/rollback/facts";
import { differenceFrom, type RollbackPlan } from "../../../src/core/paimon/rollback/plan";
import type { RollbackOptions, RollbackService } from "../../../src/services/rollbacks";
import { paimonJars } from "../../rig/flink";
import { paimonSet } from "../../unit/paimonSets";
import { openApp, patience, type TestApp, type TestAppOptions } from "./testApp";

/** A warehouse that a real job wrote, with its savepoint, rolled back by Paimon's own command; no Flink runs. */
export interface FaultyWarehouse {
  readonly warehouse: string;
  readonly savepoint: string;
  /** With `linked`: the same ledger, and the warehouse under another path. */
  optionsOf(linked?: boolean): TestAppOptions;
  readonly app: TestApp;
  readonly rollbacks: RollbackService;
  /** The folder of a table, or of something in it. */
  at(table: "app" | "pk", ...names: readonly string[]): string;
  act(table: "app" | "pk", action: PaimonAction): Promise<void>;
  plan(): Promise<RollbackPlan>;
  begin(options?: Partial<RollbackOptions>): Promise<RollbackRecord>;
  continue(): Promise<RollbackRecord>;
  open(): Promise<RollbackRecord>;
  /** Every table is at its tag, by its files. */
  assertBack(record: RollbackRecord): Promise<void>;
  close(): Promise<void>;
}

/** Opens one with the Paimon of a Flink release. */
export async function faultyWarehouse(version: string): Promise<FaultyWarehouse> {
  const set = paimonSet("rolled-back");
  const folder = await mkdtemp(path.join(tmpdir(), "rollback-faults-"));
  const link = path.join(folder, "link");
  symlinkSync(set.warehouse, link);
  const jars = await paimonJars(version);
  const optionsOf = (linked = false): TestAppOptions => ({ ledgerFolder: path.join(folder, "ledger"), clusters: [], warehouse: { path: linked ? link : `file:${set.warehouse}`, jars } });
  const app = openApp(optionsOf());
  const rollbacks = await app.app.rollbacks();
  const savepoint = path.join(set.savepoints, set.pairs.find((pair) => pair.checkpointId === 6 && pair.savepoint.includes("62dc41"))?.savepoint ?? "");
  const one: FaultyWarehouse = {
    warehouse: set.warehouse, savepoint, optionsOf, app, rollbacks,
    at: (table, ...names) => path.join(set.warehouse, "d.db", table, ...names),
    act: async (table, action) => (await app.app.paimonTables()).actions(`file:${set.warehouse}`).act(tableAddress(`d.${table}`), action, patience()),
    async plan() {
      const { plan, refusals } = await rollbacks.check({ path: savepoint, recordId: null, jobName: "ingest" }, patience());
      assert.deepEqual(refusals, []);
      return plan;
    },
    begin: async (options = {}) => rollbacks.begin(await one.plan(), { safetyCopy: false, restore: null, unchecked: [], ...options }, patience()),
    continue: async () => rollbacks.continue((await one.open()).id, patience()),
    async open() {
      const [open, ...others] = await rollbacks.unfinished();
      assert.deepEqual(others, []);
      return open ?? assert.fail("no rollback is open");
    },
    async assertBack(record) {
      assert.deepEqual([record.state, record.tables.map(({ state, process }) => [state, process])], ["done", record.tables.map(() => ["rolled-back", null])]);
      for (const { table, target } of record.tables) {
        const home = path.join(set.warehouse, "d.db", tableAddress(table).table);
        assert.equal(differenceFrom(target, await tableFacts(localWarehouse, { name: table, objectName: table, folder: home, home })), undefined);
      }
    },
    async close() {
      app.dispose();
      set.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return one;
}

/** The sentence that the work ends with. */
export async function saidBy(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (isFlinkError(error)) return explain(error).message;
    throw error;
  }
  return assert.fail("it did not fail");
}
