/** A table's snapshot as `snapshot/snapshot-<id>` tells it, or as a tag keeps it (`org.apache.paimon.Snapshot`). */
export interface PaimonSnapshot {
  readonly id: number;
  readonly schemaId: number;
  readonly commitUser: string;
  /** Streaming writers: the checkpoint's id; batch and the end of input: 2^63 − 1. */
  readonly commitIdentifier: bigint;
  /** APPEND, COMPACT, OVERWRITE, ANALYZE, or what a later Paimon adds. */
  readonly commitKind: string;
  /** Epoch milliseconds. */
  readonly timeMs: number;
  /** Rows as they are stored, not merged; null in old files. */
  readonly totalRecordCount: number | null;
  /** Name in `manifest/` of what this commit changed. */
  readonly deltaManifestList: string | null;
  /** From Paimon 2.0 on. */
  readonly uuid: string | null;
}

/** A tag: the snapshot that it keeps, and how long. */
export interface PaimonTag {
  readonly name: string;
  readonly snapshot: PaimonSnapshot;
  /** Milliseconds that it is kept from its creation on; null: for ever. */
  readonly retainedMs: number | null;
}

/** The identifier that batch jobs and the end of a bounded input commit under (`Long.MAX_VALUE`). */
export const endOfInput = 9_223_372_036_854_775_807n;

/** Why a snapshot's or tag's file can't be used: `format` for a version newer than any Paimon up to 2.0 writes. */
export type SnapshotFault = { readonly code: "not-json" } | { readonly code: "format"; readonly version: number } | { readonly code: "field"; readonly field: string };

const newestFormat = 3;

/** Reads the JSON of a snapshot or tag; fields of later Paimon releases are ignored. */
export function readSnapshot(text: string): PaimonSnapshot | SnapshotFault {
  const json = parseLossless(text);
  if (json === undefined) return { code: "not-json" };
  const version = integer(json["version"]) ?? 1;
  if (version > newestFormat) return { code: "format", version };
  const id = integer(json["id"]);
  if (id === undefined || id < 1) return { code: "field", field: "id" };
  const commitIdentifier = big(json["commitIdentifier"]);
  if (commitIdentifier === undefined) return { code: "field", field: "commitIdentifier" };
  const timeMs = integer(json["timeMillis"]);
  if (timeMs === undefined) return { code: "field", field: "timeMillis" };
  const { commitUser, commitKind, deltaManifestList, uuid } = json;
  if (typeof commitUser !== "string") return { code: "field", field: "commitUser" };
  return {
    id, commitUser, commitIdentifier, timeMs,
    schemaId: integer(json["schemaId"]) ?? 0,
    commitKind: typeof commitKind === "string" ? commitKind : "",
    totalRecordCount: integer(json["totalRecordCount"]) ?? null,
    deltaManifestList: typeof deltaManifestList === "string" ? deltaManifestList : null,
    uuid: typeof uuid === "string" ? uuid : null,
  };
}

/** Reads the file of a tag, which is a snapshot's and sometimes how long it is kept (`Tag`): seconds as a number, or an ISO duration. */
export function readTag(name: string, text: string): PaimonTag | SnapshotFault {
  const snapshot = readSnapshot(text);
  if ("code" in snapshot) return snapshot;
  return { name, snapshot, retainedMs: readRetention(parseLossless(text)?.["tagTimeRetained"]) };
}

/** An object of a JSON text whose whole numbers of 16 digits and more are kept as texts, since they may not fit a double; undefined when it is none. */
export function parseLossless(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    // Neither a quote without its end nor a long number may be tried from each of its characters on.
    const kept = text.replace(/"(?:[^"\\]|\\[^])*"?|-?\d[\d.eE+-]*/g, (piece) => (/^-?\d{16,}$/.test(piece) ? `"${piece}"` : piece));
    const value: unknown = JSON.parse(kept);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

function big(value: unknown): bigint | undefined {
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  return typeof value === "string" && /^-?\d{1,19}$/.test(value) ? BigInt(value) : undefined;
}

function integer(value: unknown): number | undefined {
  const whole = big(value);
  return whole === undefined || whole > BigInt(Number.MAX_SAFE_INTEGER) || whole < BigInt(Number.MIN_SAFE_INTEGER) ? undefined : Number(whole);
}

/** How long a tag is kept, milliseconds: seconds as a number or text, or an ISO duration; null for ever. */
export function readRetention(value: unknown): number | null {
  if (typeof value === "number") return value * 1000;
  if (typeof value !== "string") return null;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000;
  const [, days = "0", hours = "0", minutes = "0", seconds = "0"] = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(value) ?? [];
  return /^P.*\d/.test(value) ? (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000 : null;
}
