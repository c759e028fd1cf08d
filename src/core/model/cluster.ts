import type { Capabilities, FlinkVersion } from "./version";

/** A cluster as a person configured it. `url` is the normalised base address and the cluster's key everywhere. */
export interface ClusterProfile {
  readonly name: string;
  /** `http(s)://host[:port][/prefix]`, no trailing slash, no user info; see `normaliseClusterUrl`. */
  readonly url: string;
  /** Path of a PEM file with the authorities to trust for this cluster, instead of the system's. */
  readonly caFile?: string;
  /** True for the cluster that *Start Local Flink* runs; it is in no setting. */
  readonly local?: boolean;
}

/** What a cluster is, learned when connecting (`GET /config`, `GET /jobmanager/config`). */
export interface ClusterInfo {
  readonly version: FlinkVersion;
  readonly capabilities: Capabilities;
  /** `session` takes jars; `application` runs one program and takes none; `history` is a HistoryServer and only reads. */
  readonly kind: "session" | "application" | "history";
  /** The JobManager's configured savepoint directory, or null when there is none (C-37). */
  readonly savepointDirectory: string | null;
  /** The JobManager's configured checkpoint directory, or null. */
  readonly checkpointDirectory: string | null;
  /** `rest.async.store-duration` in milliseconds: how long Flink remembers a trigger's result after it ended. 0 = for ever. */
  readonly triggerResultsKeptMs: number;
  /** False when the cluster's owner switched the cancel buttons off (`web.cancel.enable`); we honour it. */
  readonly cancelAllowed: boolean;
}

/** Lower-case scheme and host, default port dropped, no trailing slash, query or fragment. Returns undefined for what is no http(s) address or carries user info. */
export function normaliseClusterUrl(text: string): string | undefined {
  let url: URL;
  try {
    url = new URL(text.trim());
  } catch {
    return undefined;
  }
  if ((url.protocol !== "http:" && url.protocol !== "https:") || url.username !== "" || url.password !== "" || url.hostname === "") return undefined;
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}
