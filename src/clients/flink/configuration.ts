import type { StateParameter } from "../../core/model/checkpoint";
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

/** The job's coordinator in Flink's own words: field of `CheckpointConfigInfo`, the option it comes from (`CheckpointingOptions`, `StateBackendOptions`). */
const ofJob = [
  ["interval", "execution.checkpointing.interval"], ["timeout", "execution.checkpointing.timeout"], ["min_pause", "execution.checkpointing.min-pause"], ["mode", "execution.checkpointing.mode"],
  ["max_concurrent", "execution.checkpointing.max-concurrent-checkpoints"], ["tolerable_failed_checkpoints", "execution.checkpointing.tolerable-failed-checkpoints"],
  ["unaligned_checkpoints", "execution.checkpointing.unaligned.enabled"], ["aligned_checkpoint_timeout", "execution.checkpointing.aligned-checkpoint-timeout"],
  ["state_backend", "state.backend.type"], ["checkpoint_storage", "execution.checkpointing.storage"], ["state_changelog_enabled", "state.changelog.enabled"],
] as const;
const inMs: ReadonlySet<string> = new Set(["interval", "timeout", "min_pause", "aligned_checkpoint_timeout"]);

/** Parameters of state and checkpoints: first what the job's coordinator says, then what the cluster's configuration has beside that. */
export function toStateParameters(job: { readonly [field: string]: unknown } | undefined, cluster: readonly { key: string; value?: string | null | undefined }[]): StateParameter[] {
  const told = job === undefined ? [] : ofJob.flatMap(([field, key]): StateParameter[] => {
    const value = job[field];
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return [];
    // Long.MAX_VALUE, rounded by JSON.parse, is how Flink writes "off".
    return [{ key, value: typeof value === "number" && inMs.has(field) ? (value > Number.MAX_SAFE_INTEGER ? "off" : `${value} ms`) : String(value), setBy: "job" }];
  });
  const keys = new Set(told.map(({ key }) => key));
  // Nothing else of the configuration is taken: it may hold what is nobody's business.
  const rest = cluster.filter(({ key }) => /^(state\.|execution\.checkpointing\.|execution\.state-recovery\.|table\.exec\.state\.ttl$)/.test(key) && !keys.has(key));
  return [...told, ...rest.map(({ key, value }): StateParameter => ({ key, value: unquote(value ?? ""), setBy: "cluster" })).sort((a, b) => a.key.localeCompare(b.key))];
}
