import type { ByteReader } from "./byteReader";

/** A value of a Java object stream, as far as the grammar alone tells it. No class is ever looked for. */
export type JavaValue =
  | { readonly type: "null" }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "number"; readonly value: number | bigint }
  | { readonly type: "boolean"; readonly value: boolean }
  | { readonly type: "enum"; readonly className: string; readonly constant: string }
  | { readonly type: "class"; readonly className: string }
  /** `elements` of arrays of objects only. */
  | { readonly type: "array"; readonly className: string; readonly length: number; readonly elements: readonly JavaValue[] }
  /** `classNames` leads from the class to its top-most serializable super class; `written` are the objects that a class wrote by itself. */
  | { readonly type: "object"; readonly className: string; readonly classNames: readonly string[]; readonly fields: ReadonlyMap<string, JavaValue>; readonly written: readonly JavaValue[] };

/** One object out of a Java object stream. */
export interface JavaObject {
  readonly value: JavaValue;
  /** Names of all classes described in the stream, in its order. */
  readonly classNames: readonly string[];
}

interface ClassDescriptor {
  readonly name: string;
  readonly flags: number;
  readonly fields: readonly { readonly type: string; readonly name: string }[];
  readonly superClass: ClassDescriptor | undefined;
}

type Handle = { readonly kind: "class"; readonly descriptor: ClassDescriptor } | { readonly kind: "value"; readonly value: JavaValue };

const flagWriteMethod = 1;
const flagSerializable = 2;
const flagExternalizable = 4;
const flagBlockData = 8;

/** Reads a Java object stream with one object (`ObjectOutputStream`, protocol version 5); it is self-delimiting. Throws `ProblemError`. */
export function readJavaObject(reader: ByteReader, maxDepth: number): JavaObject {
  const magic = reader.u16("magic");
  const version = reader.u16("version");
  if (magic !== 0xaced || version !== 5) reader.fail("java-stream", "magic", { reason: "no Java object stream" });
  const stream = new JavaStream(reader, maxDepth);
  const value = stream.content(0);
  return { value, classNames: stream.classNames };
}

/** The grammar of the Object Serialization Stream Protocol. It goes at most `maxDepth` objects deep. */
class JavaStream {
  readonly classNames: string[] = [];
  readonly #reader: ByteReader;
  readonly #maxDepth: number;
  readonly #handles: Handle[] = [];

  constructor(reader: ByteReader, maxDepth: number) {
    this.#reader = reader;
    this.#maxDepth = maxDepth;
  }

  content(depth: number): JavaValue {
    const reader = this.#reader;
    if (depth > this.#maxDepth) reader.fail("limit", "object", { limit: "depth", value: this.#maxDepth });
    const tag = reader.u8("tag");
    switch (tag) {
      case 0x70:
        return { type: "null" };
      case 0x71: {
        const handle = this.#reference();
        return handle.kind === "value" ? handle.value : { type: "class", className: handle.descriptor.name };
      }
      case 0x72:
      case 0x7d: {
        const descriptor = this.#descriptorOf(tag, depth);
        return { type: "class", className: descriptor?.name ?? "" };
      }
      case 0x73: {
        const descriptor = this.#descriptor(depth + 1) ?? this.#broken("an object without a class");
        const fields = new Map<string, JavaValue>();
        const written: JavaValue[] = [];
        const chain: ClassDescriptor[] = [];
        for (let at: ClassDescriptor | undefined = descriptor; at !== undefined; at = at.superClass) chain.push(at);
        const value: JavaValue = { type: "object", className: descriptor.name, classNames: chain.map(({ name }) => name), fields, written };
        this.#handles.push({ kind: "value", value });
        for (const one of chain.reverse()) this.#classData(one, fields, written, depth);
        return value;
      }
      case 0x74:
        return this.#text(reader.utf("string"));
      case 0x7c: {
        const at = reader.at;
        const length = reader.i64("length");
        if (length < 0n || length > BigInt(reader.leftBytes)) reader.failAt("count-impossible", at, "length", { count: Number(length), leftBytes: reader.leftBytes });
        reader.skip(Number(length), "string");
        return this.#text("");
      }
      case 0x75: {
        const descriptor = this.#descriptor(depth + 1) ?? this.#broken("an array without a class");
        const elementType = descriptor.name[1] ?? "";
        const length = reader.count(sizeOf(elementType), "length");
        const elements: JavaValue[] = [];
        const value: JavaValue = { type: "array", className: descriptor.name, length, elements };
        this.#handles.push({ kind: "value", value });
        const holdsObjects = elementType === "L" || elementType === "[";
        for (let i = 0; i < length; i++) {
          const element = this.#field(elementType, depth);
          if (holdsObjects) elements.push(element);
        }
        return value;
      }
      case 0x76: {
        const descriptor = this.#descriptor(depth + 1);
        const value: JavaValue = { type: "class", className: descriptor?.name ?? "" };
        this.#handles.push({ kind: "value", value });
        return value;
      }
      case 0x7e: {
        const descriptor = this.#descriptor(depth + 1) ?? this.#broken("an enum without a class");
        const index = this.#handles.length;
        const placeholder: JavaValue = { type: "enum", className: descriptor.name, constant: "" };
        this.#handles.push({ kind: "value", value: placeholder });
        const constant = this.content(depth + 1);
        const value: JavaValue = { type: "enum", className: descriptor.name, constant: constant.type === "string" ? constant.value : this.#broken("an enum without a name") };
        this.#handles[index] = { kind: "value", value };
        return value;
      }
      default:
        return reader.failAt("java-stream", reader.at - 1, "tag", { reason: `unknown content 0x${tag.toString(16).padStart(2, "0")}` });
    }
  }

  #text(value: string): JavaValue {
    const text: JavaValue = { type: "string", value };
    this.#handles.push({ kind: "value", value: text });
    return text;
  }

  #classData(descriptor: ClassDescriptor, fields: Map<string, JavaValue>, written: JavaValue[], depth: number): void {
    if ((descriptor.flags & flagSerializable) !== 0) {
      for (const { type, name } of descriptor.fields) fields.set(name, this.#field(type, depth));
      if ((descriptor.flags & flagWriteMethod) !== 0) this.#annotation(depth, written);
    } else if ((descriptor.flags & flagExternalizable) !== 0) {
      if ((descriptor.flags & flagBlockData) === 0) this.#broken("an Externalizable of protocol version 1");
      this.#annotation(depth, written);
    }
  }

  #field(type: string, depth: number): JavaValue {
    const reader = this.#reader;
    switch (type) {
      case "B": return { type: "number", value: (reader.u8("value") << 24) >> 24 };
      case "C": return { type: "number", value: reader.u16("value") };
      case "S": return { type: "number", value: reader.i16("value") };
      case "I": return { type: "number", value: reader.i32("value") };
      case "F": reader.skip(4, "value"); return { type: "number", value: NaN };
      case "J": return { type: "number", value: reader.i64("value") };
      case "D": reader.skip(8, "value"); return { type: "number", value: NaN };
      case "Z": return { type: "boolean", value: reader.bool("value") };
      case "L":
      case "[": return this.content(depth + 1);
      default: return this.#broken("a field of no type");
    }
  }

  /** Contents and blocks of data up to the end mark. */
  #annotation(depth: number, written?: JavaValue[]): void {
    const reader = this.#reader;
    for (;;) {
      const at = reader.at;
      const tag = reader.u8("annotation");
      if (tag === 0x78) return;
      if (tag === 0x77) reader.skip(reader.u8("length"), "block");
      else if (tag === 0x7a) reader.skip(reader.count(1, "length"), "block");
      else {
        reader.seek(at);
        const value = this.content(depth + 1);
        written?.push(value);
      }
    }
  }

  #descriptor(depth: number): ClassDescriptor | undefined {
    return this.#descriptorOf(this.#reader.u8("class"), depth);
  }

  #descriptorOf(tag: number, depth: number): ClassDescriptor | undefined {
    const reader = this.#reader;
    if (depth > this.#maxDepth) reader.fail("limit", "class", { limit: "depth", value: this.#maxDepth });
    if (tag === 0x70) return undefined;
    if (tag === 0x71) {
      const handle = this.#reference();
      return handle.kind === "class" ? handle.descriptor : this.#broken("a reference to no class");
    }
    if (tag === 0x7d) {
      const index = this.#handles.push({ kind: "class", descriptor: { name: "proxy", flags: flagSerializable, fields: [], superClass: undefined } }) - 1;
      const count = reader.count(2, "interfaces");
      for (let i = 0; i < count; i++) reader.utf("interface");
      this.#annotation(depth);
      const descriptor = { name: "proxy", flags: flagSerializable, fields: [], superClass: this.#descriptor(depth + 1) };
      this.#handles[index] = { kind: "class", descriptor };
      return descriptor;
    }
    if (tag !== 0x72) return this.#broken("no class where one must be");
    const name = reader.utf("className");
    reader.skip(8, "serialVersionUID");
    this.classNames.push(name);
    const index = this.#handles.push({ kind: "class", descriptor: { name, flags: 0, fields: [], superClass: undefined } }) - 1;
    const flags = reader.u8("flags");
    const count = reader.u16("fields");
    const fields: { type: string; name: string }[] = [];
    for (let i = 0; i < count; i++) {
      const type = String.fromCharCode(reader.u8("fieldType"));
      fields.push({ type, name: reader.utf("fieldName") });
      if (type === "L" || type === "[") this.content(depth + 1);
    }
    this.#annotation(depth);
    const descriptor = { name, flags, fields, superClass: this.#descriptor(depth + 1) };
    this.#handles[index] = { kind: "class", descriptor };
    return descriptor;
  }

  #reference(): Handle {
    const at = this.#reader.at;
    const index = this.#reader.i32("reference") - 0x7e0000;
    return this.#handles[index] ?? this.#reader.failAt("java-stream", at, "reference", { reason: "a reference to nothing" });
  }

  #broken(reason: string): never {
    return this.#reader.fail("java-stream", "object", { reason });
  }
}

function sizeOf(type: string): number {
  return { B: 1, Z: 1, C: 2, S: 2, I: 4, F: 4, J: 8, D: 8 }[type] ?? 1;
}
