import type { ByteReader } from "../byteReader";
import { readJavaObject } from "../javaStream";
import { avroSkipper } from "./avro";
import { readVarInt } from "./catalogue";
import type { Serializer } from "./serializer";

/** A value that nobody can pass over without the user's classes; `className` says whose. */
export class NotWalkable extends Error {
  readonly className: string;

  constructor(className: string) {
    super(className);
    this.name = "NotWalkable";
    this.className = className;
  }
}

type Skip = (reader: ByteReader, serializer: Serializer, depthLeft: number) => void;

/** Passes over one value of a serializer. Throws `NotWalkable`, or `ProblemError` where the bytes do not fit. */
export function skipValue(reader: ByteReader, serializer: Serializer, depthLeft = 64): void {
  if (depthLeft < 0) reader.fail("limit", "value", { limit: "depth", value: 64 });
  const skip = serializer.opaqueBytes === null ? skips[serializer.name] : undefined;
  if (skip === undefined) fail(serializer);
  skip(reader, serializer, depthLeft);
}

const fixed = (bytes: number): Skip => (reader) => void reader.skip(bytes, "value");
const framed: Skip = (reader) => void reader.skip(reader.count(1, "length"), "value");

function one(serializer: Serializer, at: number): Serializer {
  return serializer.nested[at] ?? fail(serializer);
}

function fail(serializer: Serializer): never {
  const own = serializer.facts["serializerClass"];
  throw new NotWalkable(typeof own === "string" ? own : serializer.className);
}

/** A count, then elements of at least so many bytes. Where one takes no bytes, none does, and there is nothing to pass over. */
function repeat(reader: ByteReader, elementBytes: number, element: () => void): void {
  const count = reader.count(elementBytes, "count");
  for (let i = 0; i < count; i++) {
    const before = reader.at;
    element();
    if (reader.at === before) return;
  }
}

const string: Skip = (reader) => {
  const length = readVarInt(reader) - 1;
  if (length > reader.leftBytes) reader.fail("count-impossible", "string", { count: length, leftBytes: reader.leftBytes });
  for (let i = 0; i < length; i++) readVarInt(reader);
};

const bigInteger = (reader: ByteReader): boolean => {
  const length = reader.i32("bigInteger");
  if (length >= 4) reader.skip(length - 4, "bigInteger");
  return length !== 0;
};

const each: Skip = (reader, serializer, depthLeft) => {
  for (const nested of serializer.nested) skipValue(reader, nested, depthLeft - 1);
};

const list = (flagged: boolean, nullFlag = true): Skip => (reader, serializer, depthLeft) => {
  const element = one(serializer, 0);
  repeat(reader, flagged ? 1 : 0, () => {
    if (!flagged || reader.bool("flag") !== nullFlag) skipValue(reader, element, depthLeft - 1);
  });
};

const map: Skip = (reader, serializer, depthLeft) => {
  const key = one(serializer, 0);
  const value = one(serializer, 1);
  repeat(reader, 1, () => {
    skipValue(reader, key, depthLeft - 1);
    if (!reader.bool("isNull")) skipValue(reader, value, depthLeft - 1);
  });
};

const either: Skip = (reader, serializer, depthLeft) => skipValue(reader, one(serializer, reader.bool("isLeft") ? 0 : 1), depthLeft - 1);

const row: Skip = (reader, serializer, depthLeft) => {
  const kindBits = serializer.facts["supportsRowKind"] === true ? 2 : 0;
  const mask = reader.slice(Math.ceil((serializer.nested.length + kindBits) / 8), "mask");
  serializer.nested.forEach((field, i) => {
    const bit = i + kindBits;
    if (((mask[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) === 0) skipValue(reader, field, depthLeft - 1);
  });
};

const pojo: Skip = (reader, serializer, depthLeft) => {
  const flags = reader.u8("flags");
  if ((flags & 1) !== 0) return;
  let subclass: Serializer | null | undefined;
  if ((flags & 4) !== 0) {
    const className = reader.utf("subclass");
    subclass = serializer.subclasses?.other.find((other) => other.className === className)?.serializer;
    if (subclass === null || subclass === undefined) throw new NotWalkable(className);
  } else if ((flags & 8) !== 0) {
    subclass = serializer.subclasses?.registered[reader.u8("subclass")]?.serializer ?? fail(serializer);
  } else if ((flags & 2) === 0) reader.fail("value-invalid", "flags", { value: flags });
  if (subclass !== undefined && subclass !== null) return skipValue(reader, subclass, depthLeft - 1);
  for (const field of serializer.nested) if (!reader.bool("isNull")) skipValue(reader, field, depthLeft - 1);
};

const nullable: Skip = (reader, serializer, depthLeft) => {
  const padding = serializer.facts["padding"];
  if (!reader.bool("isNull")) skipValue(reader, one(serializer, 0), depthLeft - 1);
  else if (typeof padding === "number") reader.skip(padding, "padding");
};

/** Schemas are parsed once. */
const avroSkips = new WeakMap<Serializer, ReturnType<typeof avroSkipper>>();

const avro: Skip = (reader, serializer, depthLeft) => {
  if (!avroSkips.has(serializer)) {
    const schema = serializer.facts["schema"];
    avroSkips.set(serializer, typeof schema === "string" ? avroSkipper(schema) : undefined);
  }
  (avroSkips.get(serializer) ?? fail(serializer))(reader, depthLeft);
};

/** A record with or without its time, a watermark, a latency marker or a status. */
const streamElement: Skip = (reader, serializer, depthLeft) => {
  const tag = reader.u8("tag");
  const head = [8, 0, 8, 28, 4][tag] ?? fail(serializer);
  reader.skip(head, "element");
  if (tag < 2) skipValue(reader, one(serializer, 0), depthLeft - 1);
};

const numbers: Readonly<Record<string, number>> = { Boolean: 1, Byte: 1, Short: 2, Int: 4, Long: 8, Float: 4, Double: 8, Char: 2 };

const skips: Readonly<Record<string, Skip | undefined>> = Object.assign(Object.create(null) as object, {
  ...Object.fromEntries(Object.entries(numbers).flatMap(([name, bytes]) => [
    [`${name}Serializer`, fixed(bytes)],
    [`${name}ValueSerializer`, fixed(bytes)],
    [`${name}PrimitiveArraySerializer`, ((reader) => void reader.skip(reader.count(bytes, "length") * bytes, "value")) satisfies Skip],
  ])),
  StringSerializer: string,
  StringValueSerializer: string,
  VoidSerializer: fixed(1),
  GlobalWindow: fixed(1),
  UnitSerializer: fixed(1),
  NullSerializer: fixed(1),
  VoidNamespaceSerializer: fixed(1),
  NullValueSerializer: fixed(0),
  TimeWindow: fixed(16),
  CountWindow: fixed(8),
  BigIntSerializer: ((reader) => void bigInteger(reader)) satisfies Skip,
  BigDecSerializer: ((reader) => void (bigInteger(reader) && reader.skip(4, "scale"))) satisfies Skip,
  DateSerializer: fixed(8),
  SqlDateSerializer: fixed(8),
  SqlTimeSerializer: fixed(8),
  SqlTimestampSerializer: fixed(12),
  InstantSerializer: fixed(12),
  LocalDateSerializer: fixed(6),
  LocalTimeSerializer: fixed(7),
  LocalDateTimeSerializer: fixed(13),
  StringArraySerializer: ((reader, serializer, depthLeft) => repeat(reader, 1, () => string(reader, serializer, depthLeft))) satisfies Skip,
  JavaSerializer: ((reader) => void readJavaObject(reader, 64)) satisfies Skip,
  ListSerializer: list(false),
  ArrayListSerializer: list(false),
  SetSerializer: list(true),
  MapSerializer: map,
  SortedMapSerializer: map,
  TupleSerializer: each,
  ScalaCaseClassSerializer: each,
  CaseClassSerializer: each,
  Tuple2CaseClassSerializer: each,
  TtlStateFactory: each,
  // The time of the timer comes before its key and namespace.
  TimerSerializer: ((reader, serializer, depthLeft) => {
    reader.skip(8, "timestamp");
    each(reader, serializer, depthLeft);
  }) satisfies Skip,
  TtlAwareSerializer: each,
  RowSerializer: row,
  PojoSerializer: pojo,
  JavaEitherSerializer: either,
  EitherSerializer: either,
  ScalaEitherSerializer: either,
  ScalaOptionSerializer: ((reader, serializer, depthLeft) => {
    if (reader.bool("isSome")) skipValue(reader, one(serializer, 0), depthLeft - 1);
  }) satisfies Skip,
  OptionSerializer: ((reader, serializer, depthLeft) => {
    if (reader.bool("isSome")) skipValue(reader, one(serializer, 0), depthLeft - 1);
  }) satisfies Skip,
  ScalaTrySerializer: ((reader, serializer, depthLeft) => skipValue(reader, one(serializer, reader.bool("isSuccess") ? 0 : 1), depthLeft - 1)) satisfies Skip,
  TrySerializer: ((reader, serializer, depthLeft) => skipValue(reader, one(serializer, reader.bool("isSuccess") ? 0 : 1), depthLeft - 1)) satisfies Skip,
  TraversableSerializer: list(true, false),
  GenericArraySerializer: list(true, false),
  NullableSerializer: nullable,
  EnumSerializer: fixed(4),
  ScalaEnumSerializer: fixed(4),
  EnumValueSerializer: fixed(4),
  AvroSerializer: avro,
  RowDataSerializer: framed,
  BinaryRowDataSerializer: framed,
  ArrayDataSerializer: framed,
  MapDataSerializer: framed,
  StringDataSerializer: framed,
  RawValueDataSerializer: framed,
  DecimalDataSerializer: ((reader, serializer) => {
    const precision = serializer.facts["precision"];
    reader.skip(typeof precision === "number" && precision <= 18 ? 8 : reader.count(1, "length"), "value");
  }) satisfies Skip,
  TimestampDataSerializer: ((reader, serializer) => {
    const precision = serializer.facts["precision"];
    reader.skip(typeof precision === "number" && precision <= 3 ? 8 : 12, "value");
  }) satisfies Skip,
  ExternalSerializer: each,
  StreamElementSerializer: streamElement,
});
