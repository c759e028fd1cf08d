import { workerData } from "node:worker_threads";
import { openLocalFile } from "../clients/localFiles";
import { openLocalMetadata } from "../clients/localMetadata";
import { starterPort } from "../clients/workerThread";
import { Compared } from "../core/comparison/compared";
import { LoadedSnapshot } from "../core/comparison/loadedSnapshot";
import type { ComparisonApi } from "../core/comparison/protocol";
import { FlinkError, isFlinkError } from "../core/errors";
import { explain } from "../core/explain";
import { localPath } from "../core/model/location";
import { serve, type WireError } from "../core/rpc";

/** The thread that compares two savepoints, and writes one down as text; their locations are the start data. */
const { left, right } = workerData as { readonly left: string; readonly right: string };

serve<ComparisonApi>(starterPort(), new Compared(() => load(left), () => load(right)).handlers, wireError);

/** The file stays open as long as the thread lives: it ends with the document. */
async function load(folder: string): Promise<LoadedSnapshot> {
  if (localPath(folder) === undefined) throw new FlinkError("metadata-elsewhere", { location: folder });
  const input = await openLocalMetadata(folder);
  if (input === undefined) throw new FlinkError("metadata-missing", { location: folder, reason: "ENOENT" });
  return LoadedSnapshot.load({ input, folder, open: openLocalFile });
}

function wireError(error: unknown): WireError {
  if (isFlinkError(error)) return { code: error.code, sentence: explain(error).message };
  return { code: "unexpected", sentence: error instanceof Error ? error.message : String(error) };
}
