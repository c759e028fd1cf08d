import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import type { SavepointRecord } from "../../../src/core/ledger/record";
import { savepointRecord } from "../../unit/ledgerSamples";
import type { PaimonSet } from "../../unit/paimonSets";

/** Records of a set's savepoints that have pairs, as found on a cluster that is gone: the jobs 62dc41 and d157aa are one, `ingest`, which was restored. */
export function foundSavepoints(set: Pick<PaimonSet, "savepoints" | "pairs">): readonly SavepointRecord[] {
  return readdirSync(set.savepoints).flatMap((folder) => {
    const { checkpointId } = set.pairs.find(({ savepoint }) => savepoint === folder) ?? {};
    if (checkpointId === undefined) return [];
    const { mtimeMs } = statSync(path.join(set.savepoints, folder, "_metadata"));
    const job = /-(62dc41|d157aa)-/.test(folder) ? { id: "62dc41".padEnd(32, "0"), name: "ingest" } : { id: folder.slice(10, 16).padEnd(32, "0"), name: "other" };
    return [savepointRecord(`found-${folder}`, { cluster: { name: "orders-prod", url: "http://127.0.0.1:9" }, job, origin: "found", description: "", state: "completed", path: `file:${path.join(set.savepoints, folder)}`, checkpointId, requestedAtMs: mtimeMs - 300, sentAtMs: mtimeMs - 300, endedAtMs: mtimeMs, sizeBytes: 33_000, durationMs: 300 })];
  });
}
