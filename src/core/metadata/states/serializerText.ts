import type { Serializer } from "./serializer";

/** A serializer in a few words, such as `string`, `map of string to long`, `POJO com.acme.Seen (4 fields)`, `Avro com.acme.Order`. */
export function serializerText(serializer: Serializer, depthLeft = 4): string {
  const { name, facts, nested } = serializer;
  const of = (at: number): string => {
    const one = nested[at];
    return one === undefined ? "?" : depthLeft === 0 ? "…" : serializerText(one, depthLeft - 1);
  };
  const all = (): string => `${nested.slice(0, 8).map((_, at) => of(at)).join(", ")}${nested.length > 8 ? ", …" : ""}`;
  const known = plainNames[name];
  if (known !== undefined) return known;
  const own = typeof facts["class"] === "string" ? facts["class"] : "";
  switch (name) {
    case "PojoSerializer": return `POJO ${own} (${nested.length === 1 ? "1 field" : `${nested.length} fields`})`;
    case "KryoSerializer": return `Kryo ${own}`;
    case "AvroSerializer": return `Avro ${own === "" ? "record" : own}`;
    case "EnumSerializer":
    case "ScalaEnumSerializer":
    case "EnumValueSerializer": return `enum ${own}`;
    case "ListSerializer":
    case "ArrayListSerializer":
    case "LinkedListSerializer":
    case "TraversableSerializer": return `list of ${of(0)}`;
    case "SetSerializer": return `set of ${of(0)}`;
    case "GenericArraySerializer": return `array of ${of(0)}`;
    case "MapSerializer":
    case "SortedMapSerializer": return `map of ${of(0)} to ${of(1)}`;
    case "TupleSerializer": return `tuple (${all()})`;
    case "ScalaCaseClassSerializer":
    case "Tuple2CaseClassSerializer": return `case class ${own} (${all()})`;
    case "RowSerializer": return `row (${all()})`;
    case "RowDataSerializer": return Array.isArray(facts["types"]) ? `SQL row (${facts["types"].slice(0, 8).join(", ")}${facts["types"].length > 8 ? ", …" : ""})` : "SQL row";
    case "NullableSerializer": return `nullable ${of(0)}`;
    case "TtlStateFactory": return `${of(1)} with TTL`;
    case "TtlAwareSerializer": return facts["ttl"] === true && nested[0]?.name !== "TtlStateFactory" ? `${of(0)} with TTL` : of(0);
    case "TimerSerializer": return `timer of ${of(0)}`;
    case "JavaEitherSerializer":
    case "ScalaEitherSerializer":
    case "EitherSerializer": return `either ${all().replaceAll(", ", " or ")}`;
    case "ScalaOptionSerializer": return `optional ${of(0)}`;
  }
  const simple = name !== "" ? name.replace(/Serializer$/, "") : serializer.className.slice(serializer.className.lastIndexOf(".") + 1);
  return nested.length === 0 ? (own === "" ? simple : `${simple} ${own}`) : `${simple} (${all()})`;
}

const plainNames: Readonly<Record<string, string | undefined>> = {
  BooleanSerializer: "boolean", ByteSerializer: "byte", ShortSerializer: "short", IntSerializer: "int", LongSerializer: "long", FloatSerializer: "float", DoubleSerializer: "double", CharSerializer: "char",
  StringSerializer: "string", BigIntSerializer: "big integer", BigDecSerializer: "big decimal", DateSerializer: "date", SqlDateSerializer: "SQL date", SqlTimeSerializer: "SQL time", SqlTimestampSerializer: "SQL timestamp",
  InstantSerializer: "instant", LocalDateSerializer: "local date", LocalTimeSerializer: "local time", LocalDateTimeSerializer: "local date and time", BytePrimitiveArraySerializer: "bytes",
  VoidNamespaceSerializer: "none", VoidSerializer: "void", TimeWindow: "time window", CountWindow: "count window", GlobalWindow: "global window", StringDataSerializer: "SQL string",
};
