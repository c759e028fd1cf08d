import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { systemClock } from "../../../src/core/base/async";
import type { TagEntry } from "../../../src/cli/tags";
import { tableAddress, type PaimonAction } from "../../../src/core/paimon/actions";
import { checkpointIdOf, type TestPaimon } from "../../rig/paimon";
import { runProgram } from "../../unit/program";
import type { RollbackBench } from "./rollbackBench";
import { patience } from "./testApp";

/** Between checkpoints of a job that takes none by itself within a test, milliseconds. */
export const rarely = 3_600_000;

/** Jobs whose checkpoints come when they are asked for, so that numbers are known; and what the program says of what they left. */
export interface PairScenes {
  readonly paimon: TestPaimon;
  /** Starts the job into a database of its own; `rate` numbers a second. */
  start(database: string, args?: Readonly<Record<string, string | number | boolean>>, savepoint?: string): Promise<string>;
  /** Takes checkpoints until so many more are complete, each with rows in it. */
  checkpoint(jobId: string, count?: number): Promise<void>;
  /** A savepoint with rows in it, which is committed by the next checkpoint. */
  savepoint(jobId: string): Promise<string>;
  /** A savepoint, and the checkpoint after it; resolves when the tag is in these tables. */
  tagged(jobId: string, ...tables: readonly string[]): Promise<string>;
  /** Rolls a table back, makes a tag and the like, as a person would. */
  act(table: string, action: PaimonAction): Promise<void>;
  /** Drops a table as its catalog does. */
  drop(table: string): Promise<void>;
  entries(...savepoints: readonly string[]): Promise<readonly TagEntry[]>;
}

/** Scenes on a bench. */
export function pairScenes(bench: RollbackBench): PairScenes {
  const { paimon } = bench;
  const { flink, warehouse } = paimon;
  // At a thousand numbers a second some come between any two checkpoints.
  const rows = (): Promise<void> => systemClock.sleep(300);
  const scenes: PairScenes = {
    paimon,
    start: (database, args = {}, savepoint = undefined) => paimon.runJob({ database, name: database, interval: rarely, rate: 1_000, ...args }, savepoint === undefined ? {} : { savepointPath: savepoint }),
    async checkpoint(jobId, count = 1) {
      for (let left = count; left > 0; left--) {
        await rows();
        const done = paimon.checkpoints(jobId, 1);
        await flink.rest("POST", `/jobs/${jobId}/checkpoints`, {});
        await done;
      }
    },
    async savepoint(jobId) {
      await rows();
      return paimon.savepoint(jobId);
    },
    async tagged(jobId, ...tables) {
      const savepoint = await scenes.savepoint(jobId);
      await scenes.checkpoint(jobId);
      await paimon.tagged(savepoint, ...tables);
      return savepoint;
    },
    async act(table, action) {
      await (await bench.app.app.paimonTables()).actions(warehouse).act(tableAddress(table), action, patience());
    },
    drop: (table) => rm(path.join(warehouse, table.replace(".", ".db/")), { recursive: true }),
    async entries(...savepoints) {
      const { out, err } = await runProgram(["tags", warehouse, "--json", "--savepoints", ...savepoints]);
      assert.notEqual(out, "", err);
      return JSON.parse(out) as TagEntry[];
    },
  };
  return scenes;
}

/** What the program says of a savepoint in a table: grade, and the tag or `–`; several of them are joined by `+`. */
export function said(entries: readonly TagEntry[], savepoint: string, table: string): string {
  return entries.filter((entry) => entry.savepoint === savepoint && entry.table === table).map(({ grade, tag }) => `${grade} ${tag ?? "–"}`).sort().join(" + ");
}

/** The name that Paimon gives to the tag of a savepoint. */
export async function tagNameOf(savepoint: string): Promise<string> {
  return `savepoint-${await checkpointIdOf(savepoint)}`;
}

/** Copies the file of a tag under another name, as *Create Tag* of the same snapshot does; quicker than a JVM. */
export async function copyTag(warehouse: string, table: string, from: string, to: string): Promise<void> {
  const folder = path.join(warehouse, table.replace(".", ".db/"), "tag");
  await writeFile(path.join(folder, `tag-${to}`), await readFile(path.join(folder, `tag-${from}`)));
}
