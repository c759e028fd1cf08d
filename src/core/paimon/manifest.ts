import { ByteReader } from "../metadata/byteReader";
import { unsnappyBlock } from "../metadata/states/snappy";
import type { PaimonSnapshot } from "./snapshot";
import { Unpacker } from "./zstd";
import type { PaimonTable, WarehouseReader } from "./warehouse";

const manifestLimitBytes = 64 << 20;

/**
 * The data files that a snapshot's commit changed, by the part of their names that is unique (`<uuid>-<n>`), from its delta manifest list and the
 * manifests it names. Undefined when they can't be read: gone, or compressed in a way we do not know.
 */
export async function deltaFiles(reader: WarehouseReader, table: PaimonTable, snapshot: PaimonSnapshot, signal?: AbortSignal): Promise<ReadonlySet<string> | undefined> {
  const manifests = snapshot.deltaManifestList === null ? undefined : await manifestsOf(reader, table, snapshot.deltaManifestList, signal);
  if (manifests === undefined) return undefined;
  const files = new Set<string>();
  for (const name of manifests) {
    const manifest = await blocksOf(reader, `${table.folder}/manifest/${name}`, signal);
    if (manifest === undefined) return undefined;
    for (const file of fileNamesIn(manifest)) files.add(file);
  }
  return files;
}

/** The manifests that a list of manifests names; undefined when the list can't be read. */
export async function manifestsOf(reader: WarehouseReader, table: PaimonTable, manifestList: string, signal?: AbortSignal): Promise<ReadonlySet<string> | undefined> {
  const list = isFileName(manifestList) ? await blocksOf(reader, `${table.folder}/manifest/${manifestList}`, signal) : undefined;
  return list === undefined ? undefined : new Set(latin1(list).match(/manifest-[0-9a-f-]{36}-\d+/g));
}

/** The unique parts of names of data files in some bytes: committables and manifests hold them in plain text. Changelog and index files stand in other manifests. */
export function fileNamesIn(bytes: Uint8Array): Set<string> {
  const names = new Set<string>();
  for (const [, uuid, number] of latin1(bytes).matchAll(/(?<!manifest-|manifest-list-|changelog-|index-)([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})-(\d+)/g)) names.add(`${uuid ?? ""}-${number ?? ""}`);
  return names;
}

/** The blocks of an Avro container file, uncompressed, one after the other; names in them can be found without the schema. */
async function blocksOf(reader: WarehouseReader, file: string, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
  try {
    const bytes = await reader.read(file, manifestLimitBytes, signal);
    return bytes === undefined ? undefined : avroBlocks(bytes);
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

function avroBlocks(bytes: Uint8Array): Uint8Array | undefined {
  const reader = new ByteReader(bytes, 0);
  if (latin1(bytes.subarray(0, 4)) !== "Obj\u0001") return undefined;
  reader.skip(4, "magic");
  let codec = "null";
  for (let count = long(reader); count !== 0; count = long(reader)) {
    if (count < 0) long(reader);
    for (let entry = Math.abs(count); entry > 0; entry--) {
      const key = latin1(piece(reader, bytes));
      const value = piece(reader, bytes);
      if (key === "avro.codec") codec = latin1(value);
    }
  }
  reader.skip(16, "sync");
  const unpacker = new Unpacker(manifestLimitBytes);
  const parts: Uint8Array[] = [];
  let total = 0;
  while (reader.leftBytes > 0) {
    long(reader);
    const block = piece(reader, bytes);
    // Before 0.9 Paimon left it to Avro's default, snappy, which has a checksum behind each block.
    const part = codec === "zstandard" ? unpacker.unpack(block) : codec === "snappy" ? unsnappyBlock(block.subarray(0, -4), 0, manifestLimitBytes - total) : codec === "null" ? block : undefined;
    if (part === undefined || (total += part.length) > manifestLimitBytes) return undefined;
    parts.push(part);
    reader.skip(16, "sync");
  }
  const all = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function piece(reader: ByteReader, bytes: Uint8Array): Uint8Array {
  const length = long(reader);
  const start = reader.at;
  reader.skip(length, "bytes");
  return bytes.subarray(start, start + length);
}

/** Avro's zigzag number of variable length. */
function long(reader: ByteReader): number {
  let value = 0;
  for (let shift = 0; shift < 49; shift += 7) {
    const byte = reader.u8("long");
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
  return reader.fail("value-invalid", "long", { value });
}

const isFileName = (name: string): boolean => /^[A-Za-z0-9._-]+$/.test(name) && !name.startsWith(".");

function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
