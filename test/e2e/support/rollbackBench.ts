import assert from "node:assert/strict";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { openLocalFile, openRegularFile, metadataFileAt } from "../../../src/clients/localFiles";
import { FileTables } from "../../../src/core/paimon/fileTables";
import { localWarehouse } from "../../../src/clients/paimon/localWarehouse";
import { readBoard, type Board, type BoardPair, type BoardSavepoint } from "../../../src/core/paimon/board";
import type { RollbackRecord } from "../../../src/core/ledger/record";
import type { RestoreRequest } from "../../../src/services/restores";
import type { RollbackCheck } from "../../../src/services/rollbacks";
import { stat } from "node:fs/promises";
import { paimonJars } from "../../rig/flink";
import { startPaimon, type PaimonJobArguments, type TestPaimon } from "../../rig/paimon";
import { openApp, patience, type TestApp, type TestAppOptions } from "./testApp";

/** The two tables that the job writes: the first has a primary key. */
export const bothTables = ["sales.orders", "sales.events"] as const;

/** Between checkpoints of the jobs that are rolled back, milliseconds. */
export const everyMs = 500;

/** A Flink with Paimon, and the services as one window has them. */
export interface RollbackBench {
  readonly paimon: TestPaimon;
  readonly app: TestApp;
  readonly options: TestAppOptions;
  check(savepoint: string): Promise<RollbackCheck>;
  /** The start that follows a rollback: the same job, from the savepoint. */
  restoreOf(savepoint: string, args?: PaimonJobArguments): RestoreRequest;
  /** Checks, and rolls back all tables to a savepoint; then starts the job again, unless told not to. */
  rollBack(savepoint: string, how?: { readonly safetyCopy?: boolean; readonly restore?: RestoreRequest | null }): Promise<RollbackRecord>;
  /** How the tables of a savepoint are paired. */
  pairs(...savepoints: readonly string[]): Promise<Board>;
  pairOf(board: Board, savepoint: string, table: string): BoardPair;
  stop(): Promise<void>;
}

/** Opens the bench; `way`: what acts on the tables; `bundle`: another Paimon than that Flink's own. */
export async function openBench(version: string, way: "command" | "gateway" = "command", bundle?: string): Promise<RollbackBench> {
  const paimon = await startPaimon(version, bundle);
  const folder = await mkdtemp(path.join(tmpdir(), "rollback-"));
  const sqlGateway = way === "gateway" ? { sqlGateway: await paimon.gateway() } : {};
  const options: TestAppOptions = { ledgerFolder: path.join(folder, "ledger"), clusters: [paimon.flink.url], warehouse: { path: paimon.warehouse, jars: await paimonJars(version, bundle), ...sqlGateway } };
  const app = openApp(options);
  const bench: RollbackBench = {
    paimon, app, options,
    check: async (savepoint) => (await app.app.rollbacks()).check({ path: savepoint, recordId: null, jobName: "orders" }, patience()),
    restoreOf: (savepoint, args = {}) => ({
      cluster: paimon.flink.url, jobName: "orders", savepoint: { path: savepoint, recordId: null, checkpointId: null }, jar: { file: paimon.jobJar, name: "paimon-job.jar" },
      programArgs: Object.entries({ warehouse: paimon.warehouse, interval: everyMs, ...args }).flatMap(([key, value]) => [`--${key}`, String(value)]), claimMode: "NO_CLAIM", allowNonRestoredState: false,
    }),
    async rollBack(savepoint, { safetyCopy = false, restore = bench.restoreOf(savepoint) } = {}) {
      const { plan, refusals } = await bench.check(savepoint);
      assert.deepEqual(refusals, []);
      return (await app.app.rollbacks()).begin(plan, { safetyCopy, restore, unchecked: [] }, patience());
    },
    pairs: (...savepoints) => readBoard(new FileTables(localWarehouse, paimon.warehouse), opened(savepoints), openLocalFile),
    pairOf(board, savepoint, table) {
      const pair = board.pairs.find((each) => each.savepoint === savepoint && each.table?.name === table);
      return pair ?? assert.fail(`${savepoint} has no pair in ${table}`);
    },
    async stop() {
      app.dispose();
      await paimon.stop();
    },
  };
  return bench;
}

async function* opened(savepoints: readonly string[]): AsyncGenerator<BoardSavepoint> {
  for (const folder of savepoints) {
    const file = await metadataFileAt(folder);
    const metadata = await openRegularFile(file);
    try {
      yield { path: folder, metadata, completedMs: (await stat(file)).mtimeMs };
    } finally {
      await metadata.close();
    }
  }
}
