import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/**
 * A warehouse that a real Flink with Paimon wrote, and the savepoints beside it, without data files. In both a table was rolled back too far and its job
 * restored from a later savepoint, a job was cancelled before its savepoint's tag came, a table was dropped and made anew, a tag was made by hand and a
 * job was drained. In `compressed-expired` state is compressed, and the snapshots that told of the wrong rollback have expired. The two of Paimon 0.8 and 1.4 have
 * a job that was rolled back and went through the same numbers again, two sinks into one table, two jobs into one table, branches, and renamed tables; their data files are empty.
 */
export interface PaimonSet {
  /** Folder of the warehouse. */
  readonly warehouse: string;
  readonly savepoints: string;
  readonly pairs: readonly { readonly savepoint: string; readonly checkpointId: number; readonly table: string; readonly grade: string }[];
  remove(): void;
}

/** Sets of `test/fixtures/paimon`. */
export const paimonSetNames = ["rolled-back", "compressed-expired", "paimon-0.8", "paimon-1.4"] as const;
type PaimonSetName = (typeof paimonSetNames)[number];

/** Unpacks a set into a folder of its own; the times of its files tell when savepoints were complete. */
export function paimonSet(name: PaimonSetName): PaimonSet {
  const folder = mkdtempSync(path.join(tmpdir(), "paimon-"));
  execFileSync("tar", ["-xzpf", path.resolve("test/fixtures/paimon", `${name}.tar.gz`), "-C", folder]);
  const { pairs } = JSON.parse(readFileSync(path.resolve("test/fixtures/paimon", `${name}.json`), "utf8")) as Pick<PaimonSet, "pairs">;
  return { warehouse: path.join(folder, "warehouse"), savepoints: path.join(folder, "savepoints"), pairs, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
