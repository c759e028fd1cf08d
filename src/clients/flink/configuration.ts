import type { ClusterInfo } from "../../core/model/cluster";

const defaultStoreMs = 5 * 60_000;
const savepointKeys = ["execution.checkpointing.savepoint-dir", "state.savepoints.dir", "savepoints.state.backend.fs.dir"];
const checkpointKeys = ["execution.checkpointing.dir", "state.checkpoints.dir", "state.backend.fs.checkpointdir"];

/**
 * What a JobManager's configuration says about savepoints. Its keys are as the owner wrote them, so each option is looked up by its names
 * from newest to oldest, the order in which Flink prefers them (`CheckpointingOptions`, `RestOptions.ASYNC_OPERATION_STORE_DURATION`).
 */
export function readConfiguration(entries: readonly { key: string; value?: string | null | undefined }[]): Pick<ClusterInfo, "savepointDirectory" | "checkpointDirectory" | "triggerResultsKeptMs"> {
  const values = new Map(entries.map(({ key, value }) => [key, unquote(value ?? "")]));
  const first = (keys: readonly string[]): string | null => keys.map((key) => values.get(key)).find((value) => value !== undefined && value !== "" && !/^\*+$/.test(value)) ?? null;
  const kept = first(["rest.async.store-duration"]);
  return {
    savepointDirectory: first(savepointKeys),
    checkpointDirectory: first(checkpointKeys),
    triggerResultsKeptMs: kept === null ? defaultStoreMs : (parseFlinkDuration(kept) ?? defaultStoreMs),
  };
}

/** Milliseconds of a Flink duration (`TimeUtils.parseDuration`): `5 min`, `10s`, `300000` (milliseconds), `PT5M`. Undefined for anything else. */
export function parseFlinkDuration(text: string): number | undefined {
  const value = text.trim().toLowerCase();
  const plain = /^(\d+)\s*([a-zµ]*)$/.exec(value);
  if (plain !== null) {
    const unit = unitMs(plain[2] ?? "");
    return unit === undefined ? undefined : Math.floor(Number(plain[1]) * unit);
  }
  const iso = /^p(?:(\d+)d)?(?:t(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?)?$/.exec(value);
  if (iso === null || value === "p" || value.endsWith("t")) return undefined;
  const [days, hours, minutes, seconds] = iso.slice(1).map((part) => Number(part ?? 0)) as [number, number, number, number];
  return Math.floor((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000);
}

function unitMs(unit: string): number | undefined {
  switch (unit) {
    case "": case "ms": case "milli": case "millis": case "millisecond": case "milliseconds": return 1;
    case "s": case "sec": case "secs": case "second": case "seconds": return 1000;
    case "m": case "min": case "minute": case "minutes": return 60_000;
    case "h": case "hour": case "hours": return 3_600_000;
    case "d": case "day": case "days": return 86_400_000;
    case "µs": case "micro": case "micros": case "microsecond": case "microseconds": return 1e-3;
    case "ns": case "nano": case "nanos": case "nanosecond": case "nanoseconds": return 1e-6;
    default: return undefined;
  }
}

function unquote(value: string): string {
  return value.trim().replace(/^(["'])(.*)\1$/, "$2");
}
