import type { ByteReader } from "../byteReader";
import { readJavaObject } from "../javaStream";
import { ProblemError } from "../problem";
import { readJavaSerializer } from "./javaSerializers";
import { logicalTypeText } from "./logicalTypes";
import { shortNameOf, type Serializer, type SerializerFacts, type SubclassSerializer } from "./serializer";

const compositeMagic = 911_108;
const nestedMagic = 1_333_245;
const optionalMapMagic = 0x4f2c69a3d70n;
/** Stands for a version where a snapshot of Flink 1.6 was taken over (`BackwardsCompatibleSerializerSnapshot`). */
const legacyVersion = 0x7a53c4f0;

/** A snapshot class that is in no catalogue and follows no shape: how long its body is must be found out. */
export class UnknownSnapshot extends Error {
  readonly className: string;
  readonly leftBytes: number;

  constructor(className: string, leftBytes: number) {
    super(className);
    this.name = "UnknownSnapshot";
    this.className = className;
    this.leftBytes = leftBytes;
  }
}

interface Body {
  readonly facts?: SerializerFacts;
  readonly nested?: readonly Serializer[];
  readonly outerVersion?: number;
  readonly subclasses?: NonNullable<Serializer["subclasses"]>;
}

type ReadBody = (reader: ByteReader, version: number, snapshots: SnapshotReader, depth: number) => Body;

/** Reads serializer snapshots (`TypeSerializerSnapshot`), which have no lengths: each class must be known, or its body's length guessed by the caller. */
export class SnapshotReader {
  readonly opaqueClasses: string[] = [];
  readonly #maxDepth: number;
  /** Assumed lengths of unknown bodies, in the order in which they come. */
  readonly #assumed: readonly number[];

  constructor(maxDepth: number, assumed: readonly number[] = []) {
    this.#maxDepth = maxDepth;
    this.#assumed = assumed;
  }

  /** Lengths are being tried, so what follows must be beyond doubt. */
  get isGuessing(): boolean {
    return this.#assumed.length > 0;
  }

  get maxDepth(): number {
    return this.#maxDepth;
  }

  /** A snapshot with its proxy's version before it. */
  proxied(reader: ByteReader): Serializer {
    const proxyVersion = reader.i32("proxyVersion");
    if (proxyVersion !== 2) reader.fail("value-invalid", "proxyVersion", { value: proxyVersion });
    return this.snapshot(reader, 0);
  }

  /** A snapshot: class, version, body. */
  snapshot(reader: ByteReader, depth: number): Serializer {
    if (depth > this.#maxDepth) reader.fail("limit", "serializer", { limit: "depth", value: this.#maxDepth });
    const className = reader.utf("snapshotClass");
    if (!(this.isGuessing ? /^[\w$]+([.$][\w$]+)+$/ : /^[\w$.]+$/).test(className)) reader.fail("value-invalid", "snapshotClass", { value: className.length });
    const version = reader.i32("snapshotVersion");
    const name = shortNameOf(className);
    const base = { className, name, version, outerVersion: null, facts: {}, nested: [], opaqueBytes: null };
    if (version === legacyVersion) return { ...base, ...this.#legacy(reader, className, depth) };
    const read = bodies[name];
    if (read !== undefined) return { ...base, ...read(reader, version, this, depth + 1) };
    return { ...base, ...this.#byShape(reader, className, depth) };
  }

  /** A list of nested snapshots (`NestedSerializersSnapshotDelegate`). */
  nested(reader: ByteReader, depth: number): readonly Serializer[] {
    expect(reader, nestedMagic, "nestedMagic");
    expect(reader, 1, "nestedVersion");
    const count = reader.count(6, "nested");
    const nested: Serializer[] = [];
    for (let i = 0; i < count; i++) nested.push(this.snapshot(reader, depth));
    return nested;
  }

  /** A map whose keys and values may be missing (`LinkedOptionalMapSerializer`); each is framed. */
  optionalMap<T>(reader: ByteReader, value: (part: ByteReader) => T): { readonly key: string; readonly value: T | null }[] {
    if (reader.i64("optionalMapMagic") !== optionalMapMagic) reader.fail("value-invalid", "optionalMapMagic", { value: 0 });
    const count = reader.count(4, "entries");
    const entries = [];
    for (let i = 0; i < count; i++) {
      const key = reader.utf("key");
      if (reader.bool("hasKey")) reader.skip(reader.count(1, "keyLength"), "key");
      entries.push({ key, value: reader.bool("hasValue") ? value(reader.part(reader.count(1, "valueLength"), "value")) : null });
    }
    return entries;
  }

  /** A snapshot alone in its frame, whose body needs no length then. */
  framed(part: ByteReader, depth: number): Serializer {
    const start = part.at;
    try {
      const serializer = this.snapshot(part, depth);
      if (part.leftBytes === 0) return serializer;
    } catch (error) {
      if (!(error instanceof ProblemError) && !(error instanceof UnknownSnapshot)) throw error;
    }
    part.seek(start);
    const className = part.utf("snapshotClass");
    const version = part.i32("snapshotVersion");
    return { className, name: shortNameOf(className), version, outerVersion: null, facts: {}, nested: [], opaqueBytes: part.leftBytes };
  }

  #byShape(reader: ByteReader, className: string, depth: number): Body & { readonly opaqueBytes?: number } {
    const at = reader.at;
    if (reader.leftBytes >= 8 && reader.i32("shape") === compositeMagic) {
      const outerVersion = reader.i32("outerVersion");
      const start = reader.at;
      // The composite's own part ends where the nested ones begin.
      for (let from = start; from + 8 <= start + reader.leftBytes; from++) {
        if (peekI32(reader, from) !== nestedMagic || peekI32(reader, from + 4) !== 1) continue;
        reader.seek(from);
        return { outerVersion, nested: this.nested(reader, depth + 1), facts: {} };
      }
    }
    reader.seek(at);
    return { opaqueBytes: this.#pass(reader, className) };
  }

  #pass(reader: ByteReader, className: string): number {
    const length = this.#assumed[this.opaqueClasses.length];
    if (length === undefined) throw new UnknownSnapshot(className, reader.leftBytes);
    this.opaqueClasses.push(className);
    reader.skip(length, "snapshot");
    return length;
  }

  /** A snapshot of Flink 1.6 inside one of 1.7: the serializer as a Java object, then the old snapshot's own body. */
  #legacy(reader: ByteReader, className: string, depth: number): Body & { readonly name: string } {
    const { className: serializerClass, name, facts, nested } = readJavaSerializer(reader, this.#maxDepth);
    const configVersion = reader.i32("configVersion");
    const short = className.slice(className.lastIndexOf(".") + 1);
    const body = { name, facts: { ...facts, serializerClass, configVersion }, nested };
    if (short === "ParameterlessTypeSerializerConfig") reader.utf("format");
    else if (/^(TupleSerializer|ScalaOptionSerializer|ScalaTrySerializer|TraversableSerializer|EitherSerializer|CollectionSerializer|MapSerializer|TimerSerializer|TtlSerializer|GenericArraySerializer)/.test(short)) {
      resilientList(reader, this.#maxDepth, depth);
      if (/^(TupleSerializer|GenericArraySerializer)/.test(short)) readJavaObject(reader, this.#maxDepth);
    } else if (short === "EnumValueSerializer$ScalaEnumSerializerConfigSnapshot") return { ...body, facts: { ...body.facts, ...enumBody(true)(reader, configVersion, this, depth).facts } };
    // Values follow the serializer's own class, whatever its old snapshot held.
    else this.#pass(reader, className);
    return body;
  }
}

/**
 * Serializers with their old snapshots, framed as a whole (`TypeSerializerSerializationUtil`, Flink 1.3 to 1.7): the offsets of each, then the bytes.
 */
export function resilientList(reader: ByteReader, maxDepth: number, depth = 0): readonly Serializer[] {
  if (depth > maxDepth) reader.fail("limit", "serializer", { limit: "depth", value: maxDepth });
  const count = reader.count(8, "serializers");
  const offsets: number[] = [];
  for (let i = 0; i < count; i++) {
    offsets.push(reader.i32("serializerOffset"));
    reader.skip(4, "configOffset");
  }
  const total = reader.count(1, "length");
  const start = reader.at;
  const part = reader.part(total, "serializers");
  return offsets.map((offset) => {
    if (offset < 0 || offset > total) reader.fail("value-invalid", "serializerOffset", { value: offset });
    part.seek(start + offset);
    return readJavaSerializer(part, maxDepth);
  });
}

/** Value of `StringSerializer`: the length plus one, then one variable-length number per UTF-16 unit; null for 0. */
export function readStringValue(reader: ByteReader): string | null {
  const length = readVarInt(reader) - 1;
  if (length < 0) return null;
  if (length > reader.leftBytes) reader.fail("count-impossible", "string", { count: length, leftBytes: reader.leftBytes });
  let text = "";
  for (let i = 0; i < length; i++) text += String.fromCharCode(readVarInt(reader));
  return text;
}

/** Seven bits per byte, low first, at most five bytes. */
export function readVarInt(reader: ByteReader): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = reader.u8("varint");
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  return reader.fail("value-invalid", "varint", { value });
}

function expect(reader: ByteReader, wanted: number, field: string): void {
  const at = reader.at;
  const value = reader.i32(field);
  if (value !== wanted) reader.failAt("value-invalid", at, field, { value });
}

function peekI32(reader: ByteReader, at: number): number {
  const back = reader.at;
  reader.seek(at);
  const value = reader.i32("peek");
  reader.seek(back);
  return value;
}

/** Version 3 has no body, version 2 the serializer's class (`SimpleTypeSerializerSnapshot`). */
const simple: ReadBody = (reader, version) => {
  if (version === 2) return { facts: { serializerClass: reader.utf("serializerClass") } };
  if (version !== 3) reader.fail("value-invalid", "snapshotVersion", { value: version });
  return {};
};

/** Something of its own, then the nested ones (`CompositeTypeSerializerSnapshot`). */
function composite(outer?: (reader: ByteReader, outerVersion: number, maxDepth: number) => SerializerFacts): ReadBody {
  return (reader, version, snapshots, depth) => {
    let outerVersion = version;
    if (version >= 3) {
      expect(reader, compositeMagic, "compositeMagic");
      outerVersion = reader.i32("outerVersion");
    }
    const facts = outer?.(reader, outerVersion, snapshots.maxDepth) ?? {};
    return { facts, outerVersion, nested: snapshots.nested(reader, depth) };
  };
}

const javaText = (reader: ByteReader, maxDepth: number): string => logicalTypeText(readJavaObject(reader, maxDepth).value);
const classOf = composite((reader) => ({ class: reader.utf("class") }));
const generic: ReadBody = (reader) => ({ facts: { class: reader.utf("class") } });

const pojo: ReadBody = (reader, _version, snapshots, depth) => {
  const className = reader.utf("class");
  const snapshot = (part: ByteReader): Serializer => snapshots.framed(part, depth);
  const fields = snapshots.optionalMap(reader, snapshot);
  const subclasses = (): SubclassSerializer[] => snapshots.optionalMap(reader, snapshot).map(({ key, value }) => ({ className: key, serializer: value }));
  const known = fields.filter((field): field is { key: string; value: Serializer } => field.value !== null);
  return {
    facts: { class: className, fields: fields.map(({ key }) => key) },
    nested: known.length === fields.length ? known.map(({ value }) => value) : reader.fail("value-invalid", "fields", { value: fields.length }),
    subclasses: { registered: subclasses(), other: subclasses() },
  };
};

const kryo: ReadBody = (reader, _version, snapshots) => {
  const className = reader.utf("class");
  const ignore = (): null => null;
  const registrations = snapshots.optionalMap(reader, ignore).length;
  snapshots.optionalMap(reader, ignore);
  snapshots.optionalMap(reader, ignore);
  return { facts: { class: className, registrations } };
};

const enumBody = (withIds: boolean): ReadBody => (reader) => {
  const className = reader.utf("class");
  const count = reader.count(2, "constants");
  const constants: string[] = [];
  for (let i = 0; i < count; i++) {
    constants.push(reader.utf("constant"));
    if (withIds) reader.i32("id");
  }
  return { facts: { class: className, constants } };
};

const avro: ReadBody = (reader, version) => {
  if (version === 1) return { facts: { schema: reader.utf("schema") } };
  if (version === 2) return { facts: { class: reader.utf("class"), schema: reader.utf("schema") } };
  return { facts: { class: readStringValue(reader) ?? "", schema: readStringValue(reader) ?? "" } };
};

const javaObjects = (count: number): ReadBody => (reader, _version, snapshots) => {
  const types = [];
  for (let i = 0; i < count; i++) types.push(javaText(reader, snapshots.maxDepth));
  return { facts: { types } };
};

const rowData: ReadBody = (reader, _version, snapshots, depth) => {
  const count = reader.count(5, "types");
  const types = [];
  for (let i = 0; i < count; i++) types.push(javaText(reader, snapshots.maxDepth));
  return { facts: { types }, nested: snapshots.nested(reader, depth) };
};

const simples = [
  "BooleanSerializer", "ByteSerializer", "ShortSerializer", "IntSerializer", "LongSerializer", "FloatSerializer", "DoubleSerializer", "CharSerializer", "StringSerializer",
  "BooleanValueSerializer", "ByteValueSerializer", "ShortValueSerializer", "IntValueSerializer", "LongValueSerializer", "FloatValueSerializer", "DoubleValueSerializer", "CharValueSerializer",
  "StringValueSerializer", "NullValueSerializer", "VoidSerializer", "VoidNamespaceSerializer", "UnitSerializer", "NullSerializer", "GlobalWindow", "TimeWindow", "CountWindow", "BigIntSerializer",
  "BigDecSerializer", "DateSerializer", "SqlDateSerializer", "SqlTimeSerializer", "SqlTimestampSerializer", "InstantSerializer", "LocalDateSerializer", "LocalTimeSerializer", "LocalDateTimeSerializer",
  "BooleanPrimitiveArraySerializer", "BytePrimitiveArraySerializer", "ShortPrimitiveArraySerializer", "IntPrimitiveArraySerializer", "LongPrimitiveArraySerializer", "FloatPrimitiveArraySerializer",
  "DoublePrimitiveArraySerializer", "CharPrimitiveArraySerializer", "StringArraySerializer", "JavaSerializer", "StringDataSerializer", "DeweyNumber", "EventId",
] as const;

const plainComposite = composite();

const bodies: Readonly<Record<string, ReadBody | undefined>> = Object.assign(Object.create(null) as object, {
  ...Object.fromEntries(simples.map((name) => [name, simple])),
  ...Object.fromEntries(["ListSerializer", "ArrayListSerializer", "SetSerializer", "MapSerializer", "JavaEitherSerializer", "EitherSerializer", "ScalaEitherSerializer", "ScalaOptionSerializer", "ScalaTrySerializer",
    "TtlStateFactory", "TimerSerializer", "RawValueDataSerializer", "StreamElementSerializer", "NodeId", "SharedBufferEdge", "SharedBufferNodeSerializer", "LockableTypeSerializer", "SharedBufferNode",
    "WindowKeySerializer"].map((name) => [name, plainComposite])),
  TupleSerializer: classOf,
  ScalaCaseClassSerializer: classOf,
  Tuple2CaseClassSerializer: classOf,
  GenericArraySerializer: classOf,
  TraversableSerializer: composite((reader) => ({ code: reader.utf("code") })),
  NullableSerializer: composite((reader) => ({ padding: reader.i32("padding") })),
  RowSerializer: composite((reader, outerVersion) => ({ supportsRowKind: outerVersion >= 4 ? reader.bool("rowKind") : outerVersion === 3 })),
  NFAStateSerializer: composite((reader, outerVersion): SerializerFacts => (outerVersion >= 2 ? { supportsPreviousTimestamp: reader.bool("previousTimestamp") } : {})),
  ExternalSerializer: composite((reader, _outerVersion, maxDepth) => ({ dataType: javaText(reader, maxDepth), internalInput: reader.bool("internalInput") })),
  LinkedListSerializer: composite((reader, outerVersion) => ({ nullMask: outerVersion >= 3 ? reader.bool("nullMask") : true })),
  SortedMapSerializer: ((reader, _version, snapshots, depth) => {
    readJavaObject(reader, snapshots.maxDepth);
    return { nested: snapshots.nested(reader, depth) };
  }) satisfies ReadBody,
  TtlAwareSerializer: ((reader, _version, snapshots, depth) => ({ facts: { ttl: reader.bool("ttl") }, nested: [snapshots.snapshot(reader, depth)] })) satisfies ReadBody,
  PojoSerializer: pojo,
  KryoSerializer: kryo,
  EnumSerializer: enumBody(false),
  ScalaEnumSerializer: enumBody(true),
  EnumValueSerializer: enumBody(true),
  AvroSerializer: avro,
  ValueSerializer: generic,
  WritableSerializer: generic,
  CopyableValueSerializer: generic,
  RowDataSerializer: rowData,
  BinaryRowDataSerializer: ((reader) => ({ facts: { fields: reader.i32("fields") } })) satisfies ReadBody,
  ArrayDataSerializer: javaObjects(2),
  MapDataSerializer: javaObjects(4),
  DecimalDataSerializer: ((reader) => ({ facts: { precision: reader.i32("precision"), scale: reader.i32("scale") } })) satisfies ReadBody,
  TimestampDataSerializer: ((reader) => ({ facts: { precision: reader.i32("precision") } })) satisfies ReadBody,
});
