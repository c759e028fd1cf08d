import type { ByteReader } from "../byteReader";
import { readJavaObject, type JavaValue } from "../javaStream";
import { ProblemError } from "../problem";
import { shortNameOf, type Serializer } from "./serializer";

/**
 * A serializer that was written as a Java object (`JavaSerializer` of Flink up to 1.7): `i32 1; i32 n; bytes(n)`. Its class and the serializers
 * in its fields are told by the stream alone.
 */
export function readJavaSerializer(reader: ByteReader, maxDepth: number): Serializer {
  reader.i32("version");
  const part = reader.part(reader.count(1, "length"), "serializer");
  return serializerOf(part, maxDepth);
}

/** The same without the frame (Flink 1.2, and timers before 1.4.1). */
export function readBareJavaSerializer(reader: ByteReader, maxDepth: number): Serializer {
  return serializerOfValue(readJavaObject(reader, maxDepth).value, maxDepth, { nodes: maxNodes }) ?? unknown("");
}

function serializerOf(part: ByteReader, maxDepth: number): Serializer {
  const opaqueBytes = part.leftBytes;
  try {
    return serializerOfValue(readJavaObject(part, maxDepth).value, maxDepth, { nodes: maxNodes }) ?? unknown("", opaqueBytes);
  } catch (error) {
    if (error instanceof ProblemError) return unknown("", opaqueBytes);
    throw error;
  }
}

function unknown(className: string, opaqueBytes: number | null = null): Serializer {
  return { className, name: "", version: null, outerVersion: null, facts: {}, nested: [], opaqueBytes };
}

/** Objects refer to each other, even in circles, so what is made of them is bounded by their number too. */
const maxNodes = 10_000;

function serializerOfValue(value: JavaValue, depthLeft: number, left: { nodes: number }): Serializer | undefined {
  if (value.type !== "object" || depthLeft < 0 || left.nodes <= 0 || !isSerializer(value)) return undefined;
  left.nodes--;
  const nested: Serializer[] = [];
  const facts: Record<string, string> = {};
  for (const [name, field] of value.fields) {
    const elements = field.type === "array" ? field.elements : [field];
    for (const element of elements) {
      const one = serializerOfValue(element, depthLeft - 1, left);
      // A serializer may keep copies of itself; only those it was built from count.
      if (one !== undefined && !/^(original|cached|duplicate)/.test(name)) nested.push(one);
    }
    if (field.type === "class" && /^(tupleClass|type|clazz|typeClass|componentClass)$/.test(name)) facts["class"] = field.className;
  }
  // A class of the user's, often an anonymous one, is known by the class of Flink that it extends.
  const name = value.classNames.map(shortNameOf).find((short) => short !== "") ?? "";
  return { className: value.className, name, version: null, outerVersion: null, facts, nested, opaqueBytes: null };
}

function isSerializer(value: JavaValue & { readonly type: "object" }): boolean {
  return value.classNames.some((name) => /Serializer$|\$Serializer$|\.TypeSerializer$/.test(name));
}
