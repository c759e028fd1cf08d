import { manifestsOf } from "../manifest";
import { parseLossless, type PaimonSnapshot, type PaimonTag } from "../snapshot";
import { jsonLimitBytes, snapshotFile, snapshotsOf, tagFile, tagsOf, type PaimonTable, type WarehouseProblem, type WarehouseReader } from "../warehouse";

/** A reader of a table that notes where it got to, by its file in `consumer/`. */
export interface PaimonConsumer {
  readonly id: string;
  /** The snapshot that it reads next. */
  readonly nextSnapshot: number;
}

/** A table as it stands, as far as a rollback goes. */
export interface TableFacts {
  readonly table: PaimonTable;
  readonly tags: readonly PaimonTag[];
  /** Those whose files are there, by id. */
  readonly snapshots: readonly PaimonSnapshot[];
  /** What the pointers `snapshot/LATEST` and `EARLIEST` say; null where there is none. */
  readonly pointers: { readonly latest: number | null; readonly earliest: number | null };
  readonly consumers: readonly PaimonConsumer[];
  /** Branches of the table by name. */
  readonly branches: readonly string[];
  /** Id of the newest schema, or null. */
  readonly schemaId: number | null;
  /** What could not be read. */
  readonly problems: readonly WarehouseProblem[];
}

const pointerLimitBytes = 64;

/** Reads a table as it stands. Only the signal's reason is thrown: what can't be read is in `problems`. */
export async function tableFacts(reader: WarehouseReader, table: PaimonTable, signal?: AbortSignal): Promise<TableFacts> {
  const problems: WarehouseProblem[] = [];
  const [tags, snapshots] = await Promise.all([tagsOf(reader, table, problems, signal), snapshotsOf(reader, table, problems, signal)]);
  const pointer = async (name: string): Promise<number | null> => {
    const text = await textOf(reader, `${table.home}/snapshot/${name}`, pointerLimitBytes, problems, signal);
    return text !== undefined && /^\d{1,15}$/.test(text.trim()) ? Number(text.trim()) : null;
  };
  const [latest, earliest] = await Promise.all([pointer("LATEST"), pointer("EARLIEST")]);
  const consumers: PaimonConsumer[] = [];
  for (const name of await namesIn(reader, `${table.home}/consumer`, problems, signal)) {
    if (!name.startsWith("consumer-")) continue;
    const next = parseLossless((await textOf(reader, `${table.home}/consumer/${name}`, jsonLimitBytes, problems, signal)) ?? "")?.["nextSnapshot"];
    if (typeof next === "number") consumers.push({ id: name.slice("consumer-".length), nextSnapshot: next });
  }
  const branches = (await namesIn(reader, `${table.folder}/branch`, problems, signal)).filter((name) => name.startsWith("branch-")).map((name) => name.slice("branch-".length));
  const schemas = (await namesIn(reader, `${table.home}/schema`, problems, signal)).flatMap((name) => /^schema-(\d+)$/.exec(name)?.[1] ?? []).map(Number);
  return { table, tags, snapshots, pointers: { latest, earliest }, consumers, branches, schemaId: schemas.length === 0 ? null : Math.max(...schemas), problems };
}

/**
 * The snapshot that Paimon takes for the newest (`SnapshotManager.latestSnapshotId`): what `LATEST` says unless a later file is there, else the
 * largest. Its file may be missing: then a rollback broke off, and Paimon can't read the table. Null for a table without any.
 */
export function latestOf({ snapshots, pointers }: Pick<TableFacts, "snapshots" | "pointers">): number | null {
  const { latest } = pointers;
  if (latest !== null && latest > 0 && !snapshots.some(({ id }) => id === latest + 1)) return latest;
  return snapshots[snapshots.length - 1]?.id ?? null;
}

/** True when Paimon takes a snapshot for the newest whose file is gone: what a rollback leaves that broke off before its end. */
export function isBrokenOff(facts: Pick<TableFacts, "snapshots" | "pointers">): boolean {
  const latest = latestOf(facts);
  return latest !== null && !facts.snapshots.some(({ id }) => id === latest);
}

/**
 * The first file that a tag needs and that is gone or can't be read, below the table's folder; undefined when all are there: its lists of manifests
 * and the manifests that they name. The data files themselves are not looked for.
 */
export async function missingFileOf(reader: WarehouseReader, table: PaimonTable, tag: { readonly tag: string } | { readonly snapshotId: number }, signal?: AbortSignal): Promise<string | undefined> {
  const file = "tag" in tag ? tagFile(table, tag.tag) : snapshotFile(table, tag.snapshotId);
  const json = parseLossless((await textOf(reader, file, jsonLimitBytes, [], signal)) ?? "");
  if (json === undefined) return file.slice(table.folder.length + 1);
  for (const field of ["baseManifestList", "deltaManifestList"]) {
    const list = json[field];
    if (typeof list !== "string") continue;
    const manifests = await manifestsOf(reader, table, list, signal);
    if (manifests === undefined) return `manifest/${list}`;
    for (const manifest of manifests) if ((await reader.look(`${table.folder}/manifest/${manifest}`)) === undefined) return `manifest/${manifest}`;
  }
  const index = json["indexManifest"];
  return typeof index === "string" && (await reader.look(`${table.folder}/manifest/${index}`)) === undefined ? `manifest/${index}` : undefined;
}

/** The text of a tag's file as a snapshot's: without the two fields that only tags have (`Tag.trimToSnapshot`). Undefined when it can't be read. */
export async function snapshotTextOf(reader: WarehouseReader, table: PaimonTable, tag: string, signal?: AbortSignal): Promise<string | undefined> {
  const text = await textOf(reader, tagFile(table, tag), jsonLimitBytes, [], signal);
  if (text === undefined || parseLossless(text) === undefined) return undefined;
  // By the text, so that 64-bit numbers and fields of later releases stay as they are.
  const trimmed = text.replace(/\s*"(?:tagCreateTime|tagTimeRetained)"\s*:\s*(?:\[[^\]]*\]|"[^"]*"|[^,}\]\s]+)(?:\s*,)?/g, "").replace(/,(\s*\})\s*$/, "$1");
  return parseLossless(trimmed) === undefined ? undefined : trimmed;
}

async function textOf(reader: WarehouseReader, file: string, limitBytes: number, problems: WarehouseProblem[], signal: AbortSignal | undefined): Promise<string | undefined> {
  try {
    const bytes = await reader.read(file, limitBytes, signal);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  } catch (error) {
    signal?.throwIfAborted();
    problems.push({ path: file, problem: { code: "unreadable", reason: error instanceof Error ? error.message : String(error) } });
    return undefined;
  }
}

async function namesIn(reader: WarehouseReader, folder: string, problems: WarehouseProblem[], signal: AbortSignal | undefined): Promise<readonly string[]> {
  try {
    return ((await reader.list(folder, signal)) ?? []).map(({ name }) => name);
  } catch (error) {
    signal?.throwIfAborted();
    problems.push({ path: folder, problem: { code: "unreadable", reason: error instanceof Error ? error.message : String(error) } });
    return [];
  }
}
