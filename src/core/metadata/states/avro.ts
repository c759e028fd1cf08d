import type { ByteReader } from "../byteReader";

type Schema = string | readonly Schema[] | { readonly type: Schema; readonly name?: string; readonly namespace?: string; readonly fields?: readonly { readonly type: Schema }[]; readonly items?: Schema; readonly values?: Schema; readonly size?: number };

/** Passes over values of Flink's own Avro encoding (`DataOutputEncoder`): fixed-size numbers and lengths, plain variable-length block counts. */
export function avroSkipper(schemaText: string): ((reader: ByteReader, depthLeft: number) => void) | undefined {
  let schema: Schema;
  try {
    schema = JSON.parse(schemaText) as Schema;
  } catch {
    return undefined;
  }
  const named = new Map<string, Schema>();
  collect(schema, named, 64);
  return (reader, depthLeft) => skip(reader, schema, named, depthLeft);
}

function collect(schema: Schema, named: Map<string, Schema>, depthLeft: number): void {
  if (typeof schema !== "object" || schema === null || depthLeft < 0) return;
  if (Array.isArray(schema)) {
    for (const one of schema as readonly Schema[]) collect(one, named, depthLeft - 1);
    return;
  }
  const one = schema as Exclude<Schema, string | readonly Schema[]>;
  if (one.name !== undefined) {
    named.set(one.name, one);
    if (one.namespace !== undefined) named.set(`${one.namespace}.${one.name}`, one);
  }
  for (const child of [one.type, one.items, one.values, ...(Array.isArray(one.fields) ? (one.fields as readonly ({ readonly type?: Schema } | null)[]).map((field) => field?.type) : [])]) {
    if (child !== undefined && typeof child === "object") collect(child, named, depthLeft - 1);
  }
}

function skip(reader: ByteReader, schema: Schema, named: ReadonlyMap<string, Schema>, depthLeft: number): void {
  if (depthLeft < 0) reader.fail("limit", "avro", { limit: "depth", value: 0 });
  if (typeof schema === "string") return skipNamed(reader, schema, named, depthLeft);
  if (Array.isArray(schema)) {
    const branch = reader.i32("union");
    const chosen = (schema as readonly Schema[])[branch] ?? reader.fail("value-invalid", "union", { value: branch });
    return skip(reader, chosen, named, depthLeft - 1);
  }
  if (typeof schema !== "object" || schema === null) reader.fail("value-invalid", "avro", { value: 0 });
  const one = schema as Exclude<Schema, string | readonly Schema[]>;
  switch (one.type) {
    case "record":
    case "error":
      for (const field of Array.isArray(one.fields) ? (one.fields as readonly ({ readonly type?: Schema } | null)[]) : []) skip(reader, field?.type ?? "", named, depthLeft - 1);
      return;
    case "enum":
      reader.skip(4, "enum");
      return;
    case "fixed":
      reader.skip(typeof one.size === "number" ? one.size : 0, "fixed");
      return;
    case "array":
    case "map":
      for (let count = varLong(reader); count !== 0; count = varLong(reader)) {
        if (count > reader.leftBytes) reader.fail("count-impossible", "block", { count, leftBytes: reader.leftBytes });
        for (let i = 0; i < count; i++) {
          const before = reader.at;
          if (one.type === "map") skipNamed(reader, "string", named, depthLeft - 1);
          skip(reader, one.items ?? one.values ?? "null", named, depthLeft - 1);
          // Where one takes no bytes, none does.
          if (reader.at === before) break;
        }
      }
      return;
    default:
      return skip(reader, one.type, named, depthLeft - 1);
  }
}

function skipNamed(reader: ByteReader, name: string, named: ReadonlyMap<string, Schema>, depthLeft: number): void {
  switch (name) {
    case "null": return;
    case "boolean": reader.skip(1, name); return;
    case "int":
    case "float": reader.skip(4, name); return;
    case "long":
    case "double": reader.skip(8, name); return;
    case "bytes":
    case "string": reader.skip(reader.count(1, name), name); return;
    default: {
      const found = named.get(name) ?? reader.fail("value-invalid", "avro", { value: 0 });
      skip(reader, found, named, depthLeft - 1);
    }
  }
}

function varLong(reader: ByteReader): number {
  let value = 0;
  for (let shift = 0; shift < 49; shift += 7) {
    const byte = reader.u8("count");
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  return reader.fail("value-invalid", "count", { value });
}
