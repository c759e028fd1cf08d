import { stat } from "node:fs/promises";
import { metadataFileAt, openLocalFile, openRegularFile } from "../clients/localFiles";
import { localWarehouse } from "../clients/paimon/localWarehouse";
import { starterPort } from "../clients/workerThread";
import { FlinkError, isFlinkError } from "../core/errors";
import { explain } from "../core/explain";
import { localPath } from "../core/model/location";
import { CachedWarehouse } from "../core/paimon/cachedWarehouse";
import { readPairs, type PairsApi } from "../core/paimon/savepointPairs";
import { serve, type WireError } from "../core/rpc";

/** The thread that pairs savepoints with tags: large tables and metadata take time. What it has read it keeps until it ends. */
const reader = new CachedWarehouse(localWarehouse);

serve<PairsApi>(starterPort(), {
  pairs: async (query, signal) => {
    const place = localPath(query.savepoint);
    if (place === undefined) throw new FlinkError("metadata-elsewhere", { location: query.savepoint });
    const file = await metadataFileAt(place);
    const metadata = await openRegularFile(file);
    try {
      return await readPairs(reader, metadata, { ...query, completedMs: query.completedMs ?? (await stat(file)).mtimeMs }, openLocalFile, signal);
    } finally {
      await metadata.close();
    }
  },
}, wireError);

function wireError(error: unknown): WireError {
  if (isFlinkError(error)) return { code: error.code, sentence: explain(error).message };
  return { code: "unexpected", sentence: error instanceof Error ? error.message : String(error) };
}
