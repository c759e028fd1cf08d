import { stat } from "node:fs/promises";
import { FlinkError, isFlinkError } from "../../core/errors";
import { explain } from "../../core/explain";
import { localPath } from "../../core/model/location";
import { CachedWarehouse } from "../../core/paimon/cachedWarehouse";
import { tablesAskedBack, type AskedBack } from "../../core/paimon/askedBack";
import { FileTables } from "../../core/paimon/fileTables";
import { readPairs, type PairsApi } from "../../core/paimon/savepointPairs";
import type { Thread } from "../../core/ports";
import { connect, serve, type Port, type WireError } from "../../core/rpc";
import { metadataFileAt, openLocalFile, openRegularFile } from "../localFiles";
import { localStorageLook } from "../localStorageLook";
import { localWarehouse } from "./localWarehouse";

/** Answers which tags belong to a savepoint, over a port, and asks back about tables that it can't reach. What was read is kept until the port goes. */
export function servePairing(port: Port, reader = new CachedWarehouse(localWarehouse)): void {
  const back = connect<AskedBack>(port);
  serve<PairsApi>(port, {
    pairs: async (query, signal) => {
      const place = localPath(query.savepoint);
      if (place === undefined) throw new FlinkError("metadata-elsewhere", { location: query.savepoint });
      const file = await metadataFileAt(place);
      const metadata = await openRegularFile(file);
      try {
        const catalogs = query.warehouses.map(({ path, folder }) => ({ path, tables: folder === null ? tablesAskedBack(back, path) : new FileTables(reader, folder) }));
        const pairs = await readPairs(catalogs, metadata, { ...query, completedMs: query.completedMs ?? (await stat(file)).mtimeMs }, openLocalFile, signal);
        return { ...pairs, realPath: await localStorageLook.real(query.known) };
      } finally {
        await metadata.close();
      }
    },
  }, wireError);
}

/** The same without a thread, for a program that shows nothing meanwhile. */
export function pairingInProcess(reader = new CachedWarehouse(localWarehouse)): () => Thread {
  return () => {
    const ends: ((message: unknown) => void)[][] = [[], []];
    const port = (own: number): Port => ({ post: (message) => queueMicrotask(() => ends[1 - own]?.forEach((listener) => listener(structuredClone(message)))), onMessage: (listener) => {
      ends[own]?.push(listener);
      return { dispose: () => undefined };
    } });
    servePairing(port(1), reader);
    return { port: port(0), gone: new Promise(() => undefined), end: () => undefined };
  };
}

function wireError(error: unknown): WireError {
  if (isFlinkError(error)) return { code: error.code, sentence: explain(error).message };
  return { code: "unexpected", sentence: error instanceof Error ? error.message : String(error) };
}
