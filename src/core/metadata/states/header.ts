import type { ByteReader } from "../byteReader";
import { ProblemError } from "../problem";
import { resilientList, SnapshotReader, UnknownSnapshot } from "./catalogue";
import { readBareJavaSerializer, readJavaSerializer } from "./javaSerializers";
import { hasTtl, type Serializer, type StateDescription, type StateHeader, type StateType } from "./serializer";

/** Attempts at the lengths of bodies that nobody knows, and bytes read in all of them. */
const maxAttempts = 20_000;
const maxAttemptBytes = 16 << 20;

const stateTypes: readonly StateType[] = ["KEY_VALUE", "OPERATOR", "BROADCAST", "PRIORITY_QUEUE", "KEY_VALUE_V2"];
const descriptorTypes = ["UNKNOWN", "VALUE", "LIST", "REDUCING", "FOLDING", "AGGREGATING", "MAP"];
const serializerKeys: ReadonlySet<string> = new Set(["KEY_SERIALIZER", "NAMESPACE_SERIALIZER", "VALUE_SERIALIZER", "USER_KEY_SERIALIZER"]);
const modes = ["SPLIT_DISTRIBUTE", "UNION", "BROADCAST"];

/**
 * Reads the header of a keyed state file (`KeyedBackendSerializationProxy`, versions 1 to 6). `mayEnd` tells whether it may end at a position,
 * by which the lengths of users' snapshots are found; without it the first reading that makes sense counts. Throws `ProblemError`.
 */
export function readKeyedHeader(reader: ByteReader, maxDepth: number, mayEnd?: (endOffset: number) => boolean): StateHeader {
  return solve(reader, maxDepth, keyedHeader, mayEnd);
}

/** Reads the header of an operator state file (`OperatorBackendSerializationProxy`, versions 1 to 6); as `readKeyedHeader`. */
export function readOperatorHeader(reader: ByteReader, maxDepth: number, mayEnd?: (endOffset: number) => boolean): StateHeader {
  return solve(reader, maxDepth, operatorHeader, mayEnd);
}

/** One state's description as a changelog has it: the version of its form is part of it. */
export function readStateMetaInfo(reader: ByteReader, maxDepth: number): StateDescription {
  const version = reader.i32("metaInfoVersion");
  if (version < 6 || version > 8) reader.fail("value-invalid", "metaInfoVersion", { value: version });
  return metaInfo(reader, new SnapshotReader(maxDepth), 0);
}

type ReadHeader = (reader: ByteReader, snapshots: SnapshotReader) => Omit<StateHeader, "opaqueClasses" | "endOffset">;

/** Reads with ever other lengths for unknown bodies until all of it fits. */
function solve(reader: ByteReader, maxDepth: number, read: ReadHeader, mayEnd: ((endOffset: number) => boolean) | undefined): StateHeader {
  const start = reader.at;
  /** Lengths assumed for unknown bodies; the last one is counted up, and taken away when it can't grow. */
  const assumed: number[] = [];
  const mosts: number[] = [];
  let firstFailure: unknown;
  let bytes = 0;
  for (let attempt = 0; attempt < maxAttempts && bytes < maxAttemptBytes; attempt++) {
    reader.seek(start);
    const snapshots = new SnapshotReader(maxDepth, assumed);
    try {
      const header = read(reader, snapshots);
      if (assumed.length === 0 || (mayEnd?.(reader.at) ?? true)) return { ...header, endOffset: reader.at, opaqueClasses: snapshots.opaqueClasses };
    } catch (error) {
      if (error instanceof UnknownSnapshot) {
        firstFailure ??= new ProblemError("properties-unexpected", reader.offset, "serializer", { className: error.className });
        if (assumed.length < 64) {
          assumed.push(0);
          mosts.push(error.leftBytes);
          continue;
        }
      } else if (!(error instanceof ProblemError)) throw error;
      firstFailure ??= error;
      if (assumed.length === 0) throw error;
    }
    bytes += reader.at - start;
    while (assumed.length > 0 && (assumed.at(-1) ?? 0) >= (mosts.at(-1) ?? 0)) {
      assumed.pop();
      mosts.pop();
    }
    if (assumed.length === 0) break;
    assumed[assumed.length - 1] = (assumed.at(-1) ?? 0) + 1;
  }
  throw firstFailure ?? new ProblemError("limit", reader.offset, "serializer", { limit: "attempts", value: maxAttempts });
}

const keyedHeader: ReadHeader = (reader, snapshots) => {
  const { maxDepth } = snapshots;
  const version = headerVersion(reader);
  const compressed = version >= 4 ? flag(reader, "compressed") : false;
  const keySerializer = version >= 6 ? snapshots.proxied(reader) : version >= 3 ? (resilientList(reader, maxDepth)[0] ?? null) : readJavaSerializer(reader, maxDepth);
  const count = reader.i16("states");
  if (count < 0) reader.fail("count-impossible", "states", { count, leftBytes: reader.leftBytes });
  const states: StateDescription[] = [];
  for (let id = 0; id < count; id++) states.push(version >= 6 ? metaInfo(reader, snapshots, id) : version === 5 ? metaInfo16(reader, maxDepth, id) : keyedDescriptor(reader, maxDepth, id, version));
  return { version, compressed, keySerializer, states };
};

const operatorHeader: ReadHeader = (reader, snapshots) => {
  const { maxDepth } = snapshots;
  const version = headerVersion(reader);
  const compressed = version >= 6 ? flag(reader, "compressed") : false;
  const states: StateDescription[] = [];
  for (const type of version >= 3 ? (["OPERATOR", "BROADCAST"] as const) : (["OPERATOR"] as const)) {
    const count = reader.i16("states");
    if (count < 0) reader.fail("count-impossible", "states", { count, leftBytes: reader.leftBytes });
    for (let i = 0; i < count; i++) {
      const id = states.length;
      states.push(version >= 5 ? metaInfo(reader, snapshots, id) : version === 4 ? metaInfo16(reader, maxDepth, id) : operatorDescriptor(reader, maxDepth, { id, type, version }));
    }
  }
  // The count again, which later releases do not read.
  if (version <= 2) reader.skip(4, "states");
  return { version, compressed, keySerializer: null, states };
};

function headerVersion(reader: ByteReader): number {
  const version = reader.i32("version");
  return version >= 1 && version <= 6 ? version : reader.failAt("version-unknown", reader.at - 4, "version", { version });
}

function flag(reader: ByteReader, field: string): boolean {
  const value = reader.u8(field);
  return value > 1 ? reader.failAt("value-invalid", reader.at - 1, field, { value }) : value === 1;
}

function metaInfo(reader: ByteReader, snapshots: SnapshotReader, id: number): StateDescription {
  const { name, type, options } = metaInfoHead(reader);
  const count = reader.count(12, "serializers");
  const serializers: [string, Serializer][] = [];
  for (let i = 0; i < count; i++) {
    const key = reader.utf("serializerKey");
    if (snapshots.isGuessing && !serializerKeys.has(key)) reader.fail("value-invalid", "serializerKey", { value: i });
    serializers.push([key, snapshots.proxied(reader)]);
  }
  return description(id, name, type, options, Object.fromEntries(serializers));
}

function metaInfo16(reader: ByteReader, maxDepth: number, id: number): StateDescription {
  const { name, type, options } = metaInfoHead(reader);
  const count = reader.count(2, "serializers");
  const keys: string[] = [];
  for (let i = 0; i < count; i++) keys.push(reader.utf("serializerKey"));
  const list = resilientList(reader, maxDepth);
  return description(id, name, type, options, Object.fromEntries(keys.flatMap((key, i) => (list[i] === undefined ? [] : [[key, list[i]]]))));
}

function metaInfoHead(reader: ByteReader): { name: string; type: StateType; options: Record<string, string> } {
  const name = reader.utf("name");
  const ordinal = reader.i32("type");
  const type = stateTypes[ordinal] ?? reader.failAt("value-invalid", reader.at - 4, "type", { value: ordinal });
  const count = reader.count(4, "options");
  const options: [string, string][] = [];
  for (let i = 0; i < count; i++) options.push([reader.utf("optionKey"), reader.utf("optionValue")]);
  return { name, type, options: Object.fromEntries(options) };
}

function keyedDescriptor(reader: ByteReader, maxDepth: number, id: number, version: number): StateDescription {
  const ordinal = reader.i32("descriptorType");
  const type = descriptorTypes[ordinal] ?? reader.failAt("value-invalid", reader.at - 4, "descriptorType", { value: ordinal });
  const name = reader.utf("name");
  const [namespace, value] = version >= 3 ? resilientList(reader, maxDepth) : [readJavaSerializer(reader, maxDepth), readJavaSerializer(reader, maxDepth)];
  if (namespace === undefined || value === undefined) reader.fail("value-invalid", "serializers", { value: 0 });
  return description(id, name, "KEY_VALUE", { KEYED_STATE_TYPE: type }, { NAMESPACE_SERIALIZER: namespace, VALUE_SERIALIZER: value });
}

function operatorDescriptor(reader: ByteReader, maxDepth: number, { id, type, version }: { id: number; type: "OPERATOR" | "BROADCAST"; version: number }): StateDescription {
  const name = reader.utf("name");
  const ordinal = reader.u8("mode");
  const mode = modes[ordinal] ?? reader.failAt("value-invalid", reader.at - 1, "mode", { value: ordinal });
  const list = version >= 2 ? resilientList(reader, maxDepth) : [readBareJavaSerializer(reader, maxDepth)];
  const [first, second] = list;
  if (first === undefined) reader.fail("value-invalid", "serializers", { value: 0 });
  const serializers: Record<string, Serializer> = second === undefined ? { VALUE_SERIALIZER: first } : { KEY_SERIALIZER: first, VALUE_SERIALIZER: second };
  return description(id, name, type, { OPERATOR_STATE_DISTRIBUTION_MODE: mode }, serializers);
}

function description(id: number, name: string, type: StateType, options: Record<string, string>, serializers: Record<string, Serializer>): StateDescription {
  return { id, name, type, options, serializers, ttl: Object.values(serializers).some(hasTtl) };
}
