import { stat } from "node:fs/promises";
import { metadataFileAt, openLocalFile, openRegularFile } from "../../src/clients/localFiles";
import { localWarehouse } from "../../src/clients/paimon/localWarehouse";
import { localPath } from "../../src/core/model/location";
import { CachedWarehouse } from "../../src/core/paimon/cachedWarehouse";
import { readPairs, type PairsApi } from "../../src/core/paimon/savepointPairs";
import type { Thread } from "../../src/core/ports";
import { serve, type Port } from "../../src/core/rpc";

/** The thread's work in this process: the bundled thread is tried by the UI tests. */
export function pairingInProcess(reader = new CachedWarehouse(localWarehouse)): () => Thread {
  return () => {
    const ends: ((message: unknown) => void)[][] = [[], []];
    const port = (own: number): Port => ({ post: (message) => queueMicrotask(() => ends[1 - own]?.forEach((listener) => listener(structuredClone(message)))), onMessage: (listener) => {
      ends[own]?.push(listener);
      return { dispose: () => undefined };
    } });
    serve<PairsApi>(port(1), {
      pairs: async (query, signal) => {
        const file = await metadataFileAt(localPath(query.savepoint) ?? "");
        const metadata = await openRegularFile(file);
        try {
          return await readPairs(reader, metadata, { ...query, completedMs: query.completedMs ?? (await stat(file)).mtimeMs }, openLocalFile, signal);
        } finally {
          await metadata.close();
        }
      },
    }, (error) => ({ code: "unexpected", sentence: error instanceof Error ? error.message : String(error) }));
    return { port: port(0), gone: new Promise(() => undefined), end: () => undefined };
  };
}
