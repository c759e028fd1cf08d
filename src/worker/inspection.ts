import { stat } from "node:fs/promises";
import path from "node:path";
import { workerData } from "node:worker_threads";
import { openLocalFile } from "../clients/localFiles";
import { openLocalMetadata } from "../clients/localMetadata";
import { starterPort } from "../clients/workerThread";
import { FlinkError, isFlinkError } from "../core/errors";
import { explain } from "../core/explain";
import { Inspected, type InspectionSource } from "../core/inspector/inspected";
import type { InspectionApi } from "../core/inspector/protocol";
import { localPath } from "../core/model/location";
import { serve, type WireError } from "../core/rpc";

/** The thread that reads one savepoint; its location is the start data. */
const { location } = workerData as { readonly location: string };

serve<InspectionApi>(starterPort(), new Inspected(open).handlers, wireError);

async function open(): Promise<InspectionSource> {
  const place = localPath(location);
  if (place === undefined) throw new FlinkError("metadata-elsewhere", { location });
  const modifiedAtMs = await modified(place);
  const bytes = await openLocalMetadata(location);
  if (bytes === undefined) throw new FlinkError("metadata-missing", { location, reason: "EACCES" });
  return { location, modifiedAtMs, bytes, openFile: openLocalFile, look: (file) => stat(file).then(({ size }) => size, () => undefined), now: () => performance.now() };
}

async function modified(place: string): Promise<number> {
  try {
    const there = await stat(place);
    return (there.isDirectory() ? await stat(path.join(place, "_metadata")) : there).mtimeMs;
  } catch (error) {
    throw new FlinkError("metadata-missing", { location, reason: (error as NodeJS.ErrnoException).code ?? String(error) }, { cause: error });
  }
}

function wireError(error: unknown): WireError {
  if (isFlinkError(error)) return { code: error.code, sentence: explain(error).message };
  return { code: "unexpected", sentence: error instanceof Error ? error.message : String(error) };
}
