import type { Serializer } from "./serializer";

/**
 * A serializer in full, as a person would write its type: `long`, `map<string, list<long>>`, `POJO com.acme.Seen {id: long, name: string}`,
 * `Kryo com.acme.Old`. Beyond `limit` characters it ends in `…`. Equal serializers have equal texts; what Flink may change between
 * versions (snapshot versions) is left out.
 */
export function fullTypeText(serializer: Serializer, limit = 500): string {
  const text = textAt(serializer, 0);
  return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}

const plain: Readonly<Record<string, string>> = {
  BooleanSerializer: "boolean", ByteSerializer: "byte", ShortSerializer: "short", IntSerializer: "int", LongSerializer: "long", FloatSerializer: "float", DoubleSerializer: "double", CharSerializer: "char",
  StringSerializer: "string", VoidSerializer: "void", VoidNamespaceSerializer: "void", UnitSerializer: "unit", NullSerializer: "null", BigIntSerializer: "bigint", BigDecSerializer: "bigdecimal",
  DateSerializer: "date", SqlDateSerializer: "sql date", SqlTimeSerializer: "sql time", SqlTimestampSerializer: "sql timestamp", InstantSerializer: "instant", LocalDateSerializer: "local date",
  LocalTimeSerializer: "local time", LocalDateTimeSerializer: "local date time", BytePrimitiveArraySerializer: "bytes", StringArraySerializer: "string[]", StringDataSerializer: "string",
  TimeWindow: "time window", GlobalWindow: "global window", CountWindow: "count window", JavaSerializer: "java object", RawValueDataSerializer: "raw",
  BooleanPrimitiveArraySerializer: "boolean[]", ShortPrimitiveArraySerializer: "short[]", IntPrimitiveArraySerializer: "int[]", LongPrimitiveArraySerializer: "long[]",
  FloatPrimitiveArraySerializer: "float[]", DoublePrimitiveArraySerializer: "double[]", CharPrimitiveArraySerializer: "char[]",
};

const generic: Readonly<Record<string, string>> = {
  ListSerializer: "list", ArrayListSerializer: "list", LinkedListSerializer: "list", SetSerializer: "set", MapSerializer: "map", SortedMapSerializer: "sorted map", JavaEitherSerializer: "either", EitherSerializer: "either",
  ScalaEitherSerializer: "either", ScalaOptionSerializer: "option", ScalaTrySerializer: "try", TimerSerializer: "timer", NullableSerializer: "nullable", RowSerializer: "row", GenericArraySerializer: "array",
  TraversableSerializer: "traversable",
};

const named: Readonly<Record<string, string>> = {
  KryoSerializer: "Kryo", AvroSerializer: "Avro", ValueSerializer: "Value", WritableSerializer: "Writable", CopyableValueSerializer: "Value", EnumSerializer: "enum", ScalaEnumSerializer: "enum", EnumValueSerializer: "enum",
  PojoSerializer: "POJO", ScalaCaseClassSerializer: "case class", Tuple2CaseClassSerializer: "case class", TupleSerializer: "tuple",
};

/** Deep enough for any type that a person wrote; what is deeper is one `…`. */
const maxDepth = 12;

function textAt(serializer: Serializer, depth: number): string {
  const { name, facts, nested, opaqueBytes, className } = serializer;
  if (depth > maxDepth) return "…";
  const inner = (): string[] => nested.map((one) => textAt(one, depth + 1));
  const known = plain[name];
  if (known !== undefined) return known;
  // The time of the last access, then the value.
  if (name === "TtlStateFactory" || name === "TtlAwareSerializer") return name === "TtlAwareSerializer" ? inner().join(", ") : `TTL<${inner().slice(1).join(", ")}>`;
  const wrapper = generic[name];
  if (wrapper !== undefined) return `${wrapper}<${inner().join(", ")}>`;
  const types = facts["types"];
  if (name === "RowDataSerializer" || name === "ArrayDataSerializer" || name === "MapDataSerializer") return `${name === "RowDataSerializer" ? "row" : name === "ArrayDataSerializer" ? "array" : "map"}<${Array.isArray(types) ? types.join(", ") : ""}>`;
  const word = named[name];
  const ofClass = facts["class"];
  if (word !== undefined && typeof ofClass === "string") {
    const fields = facts["fields"];
    const body = inner();
    if (name === "PojoSerializer" && Array.isArray(fields)) return `${word} ${ofClass} {${fields.map((field: string, at) => `${field}: ${body[at] ?? "?"}`).join(", ")}}`;
    const constants = facts["constants"];
    if (Array.isArray(constants)) return `${word} ${ofClass} (${constants.join(", ")})`;
    if (name === "TupleSerializer") return `tuple<${body.join(", ")}>`;
    return body.length > 0 ? `${word} ${ofClass}<${body.join(", ")}>` : [word, ofClass, avroName(facts["schema"])].filter((part) => part !== "").join(" ");
  }
  // A class that is not Flink's is named in full; of Flink's own the last part says enough.
  const own = className.slice(className.lastIndexOf(".") + 1).replace(/(\$.*)?(Snapshot)?$/, "");
  const label = name === "" ? className : own;
  return `${label}${nested.length > 0 ? `<${inner().join(", ")}>` : ""}${opaqueBytes === null ? "" : ` (its own serializer)`}`;
}

/** How many fields an Avro record has, which changes when the schema does. */
function avroName(schema: unknown): string {
  if (typeof schema !== "string" || schema === "") return "";
  try {
    const parsed = JSON.parse(schema) as { readonly fields?: readonly { readonly name?: unknown; readonly type?: unknown }[] };
    const fields = parsed.fields;
    return Array.isArray(fields) ? `{${fields.map(({ name, type }: { name?: unknown; type?: unknown }) => `${String(name)}: ${typeof type === "string" ? type : JSON.stringify(type)}`).join(", ")}}` : "";
  } catch {
    return "(schema unreadable)";
  }
}
