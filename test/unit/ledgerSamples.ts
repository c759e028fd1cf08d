import type { SavepointRecord } from "../../src/core/ledger/record";
import type { Log } from "../../src/core/ports";

/** A savepoint record as it is written before the call to Flink. */
export function savepointRecord(id: string, changes: Partial<SavepointRecord> = {}): SavepointRecord {
  return {
    kind: "savepoint", version: 1, id,
    cluster: { name: "local", url: "http://localhost:8081" },
    job: { id: "ab12cd34ab12cd34ab12cd34ab12cd34", name: "Word count" },
    origin: "manual", format: "canonical", description: "before the upgrade", directory: "file:/tmp/savepoints", flinkVersion: "1.20.1",
    state: "requested", requestedAtMs: 1_700_000_000_000, sentAtMs: 1_700_000_000_000, endedAtMs: null,
    checkpointId: null, path: null, sizeBytes: null, durationMs: null, failure: null, stop: null, jobRestarted: false,
    pinned: false, forgotten: false, disposal: null, candidates: [], workspace: null,
    owner: { host: "here", pid: 1, instance: "0-0-0-0-0" },
    trail: [{ atMs: 1_700_000_000_000, event: "requested" }],
    ...changes,
  };
}

/** A log that keeps its lines, each with its level in front. */
export function keptLog(): Log & { readonly lines: readonly string[] } {
  const lines: string[] = [];
  const keep = (level: string) => (message: string | Error): void => void lines.push(`${level} ${String(message)}`);
  return { lines, trace: keep("trace"), debug: keep("debug"), info: keep("info"), warn: keep("warn"), error: keep("error") };
}
