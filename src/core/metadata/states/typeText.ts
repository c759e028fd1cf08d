import type { Serializer } from "./serializer";

/**
 * A serializer as a person would write its type: `long`, `map<string, list<long>>`, `Kryo com.acme.Old`. `full` says all that is known, such as
 * `POJO com.acme.Seen {id: long, name: string}`, in up to 500 characters; `brief` fits a row: `POJO com.acme.Seen (2 fields)`, no constants or
 * schemas, at most eight elements, four deep. Equal serializers have equal texts; what Flink may change between versions (snapshot versions) is
 * left out.
 */
export function typeText(serializer: Serializer, detail: "brief" | "full"): string {
  const text = textAt(serializer, detail === "full", 0);
  return text.length > mostCharacters ? `${text.slice(0, mostCharacters - 1)}…` : text;
}

const mostCharacters = 500;
/** Deep enough for any type that a person wrote; what is deeper is one `…`. */
const maxDepth = { brief: 4, full: 12 } as const;
const briefElements = 8;

const plain: Readonly<Record<string, string | undefined>> = {
  BooleanSerializer: "boolean", ByteSerializer: "byte", ShortSerializer: "short", IntSerializer: "int", LongSerializer: "long", FloatSerializer: "float", DoubleSerializer: "double", CharSerializer: "char",
  StringSerializer: "string", VoidSerializer: "void", VoidNamespaceSerializer: "void", UnitSerializer: "unit", NullSerializer: "null", BigIntSerializer: "bigint", BigDecSerializer: "bigdecimal",
  DateSerializer: "date", SqlDateSerializer: "sql date", SqlTimeSerializer: "sql time", SqlTimestampSerializer: "sql timestamp", InstantSerializer: "instant", LocalDateSerializer: "local date",
  LocalTimeSerializer: "local time", LocalDateTimeSerializer: "local date time", BytePrimitiveArraySerializer: "bytes", StringArraySerializer: "string[]", StringDataSerializer: "sql string",
  TimeWindow: "time window", GlobalWindow: "global window", CountWindow: "count window", JavaSerializer: "java object", RawValueDataSerializer: "raw",
  BooleanPrimitiveArraySerializer: "boolean[]", ShortPrimitiveArraySerializer: "short[]", IntPrimitiveArraySerializer: "int[]", LongPrimitiveArraySerializer: "long[]",
  FloatPrimitiveArraySerializer: "float[]", DoublePrimitiveArraySerializer: "double[]", CharPrimitiveArraySerializer: "char[]",
};

const generic: Readonly<Record<string, string>> = {
  ListSerializer: "list", ArrayListSerializer: "list", LinkedListSerializer: "list", SetSerializer: "set", MapSerializer: "map", SortedMapSerializer: "sorted map", JavaEitherSerializer: "either", EitherSerializer: "either",
  ScalaEitherSerializer: "either", ScalaOptionSerializer: "option", ScalaTrySerializer: "try", TimerSerializer: "timer", NullableSerializer: "nullable", RowSerializer: "row", GenericArraySerializer: "array",
  TraversableSerializer: "traversable",
};

const sqlTypes: Readonly<Record<string, string>> = { RowDataSerializer: "sql row", ArrayDataSerializer: "sql array", MapDataSerializer: "sql map" };

const named: Readonly<Record<string, string>> = {
  KryoSerializer: "Kryo", AvroSerializer: "Avro", ValueSerializer: "Value", WritableSerializer: "Writable", CopyableValueSerializer: "Value", EnumSerializer: "enum", ScalaEnumSerializer: "enum", EnumValueSerializer: "enum",
  PojoSerializer: "POJO", ScalaCaseClassSerializer: "case class", Tuple2CaseClassSerializer: "case class", TupleSerializer: "tuple",
};

function textAt(serializer: Serializer, full: boolean, depth: number): string {
  const { name, facts, nested, opaqueBytes, className } = serializer;
  if (depth > (full ? maxDepth.full : maxDepth.brief)) return "…";
  const at = (index: number): string => {
    const one = nested[index];
    return one === undefined ? "?" : textAt(one, full, depth + 1);
  };
  const listed = (texts: readonly string[]): string => (full || texts.length <= briefElements ? texts.join(", ") : `${texts.slice(0, briefElements).join(", ")}, …`);
  const inner = (): string => listed((full ? nested : nested.slice(0, briefElements + 1)).map((_, index) => at(index)));
  const known = plain[name];
  if (known !== undefined) return known;
  // The time of the last access, then the value.
  if (name === "TtlStateFactory") return `TTL<${at(1)}>`;
  if (name === "TtlAwareSerializer") return facts["ttl"] === true && nested[0]?.name !== "TtlStateFactory" ? `TTL<${at(0)}>` : at(0);
  const wrapper = generic[name];
  if (wrapper !== undefined) return `${wrapper}<${inner()}>`;
  const types = facts["types"];
  const sql = sqlTypes[name];
  if (sql !== undefined) return Array.isArray(types) ? `${sql}<${listed(types)}>` : sql;
  const word = named[name];
  const ofClass = facts["class"];
  if (name === "TupleSerializer") return `tuple<${inner()}>`;
  if (word !== undefined && typeof ofClass === "string") {
    const { fields, constants } = facts;
    if (name === "PojoSerializer" && !full) return `${word} ${ofClass} (${nested.length === 1 ? "1 field" : `${nested.length} fields`})`;
    if (name === "PojoSerializer" && Array.isArray(fields)) return `${word} ${ofClass} {${fields.map((field, index) => `${field}: ${at(index)}`).join(", ")}}`;
    if (Array.isArray(constants) && full) return `${word} ${ofClass} (${constants.join(", ")})`;
    return nested.length > 0 ? `${word} ${ofClass}<${inner()}>` : [word, ofClass, full ? avroFields(facts["schema"]) : ""].filter((part) => part !== "").join(" ");
  }
  // A class that is not Flink's is named in full; of Flink's own the last part says enough.
  const own = className.slice(className.lastIndexOf(".") + 1).replace(/(\$.*)?(Snapshot)?$/, "");
  return `${name === "" ? className : own}${nested.length > 0 ? `<${inner()}>` : ""}${opaqueBytes === null ? "" : " (its own serializer)"}`;
}

/** The fields of an Avro record, which change when the schema does. */
function avroFields(schema: unknown): string {
  if (typeof schema !== "string" || schema === "") return "";
  try {
    const parsed = JSON.parse(schema) as { readonly fields?: readonly { readonly name?: unknown; readonly type?: unknown }[] };
    const fields = parsed.fields;
    return Array.isArray(fields) ? `{${fields.map(({ name, type }: { name?: unknown; type?: unknown }) => `${String(name)}: ${typeof type === "string" ? type : JSON.stringify(type)}`).join(", ")}}` : "";
  } catch {
    return "(schema unreadable)";
  }
}
