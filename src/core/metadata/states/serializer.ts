/** What a snapshot tells of a serializer besides its class: a POJO's or tuple's class, an enum's constants, an Avro schema, SQL types … */
export type SerializerFacts = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** A serializer, as far as its snapshot or its Java object tells without the user's classes. */
export interface Serializer {
  /** Full name: of the snapshot class from Flink 1.7 on, before that of the serializer itself. */
  readonly className: string;
  /** Short name without "Snapshot" that the catalogue knows it by; empty for classes outside Flink. */
  readonly name: string;
  /** Of the snapshot; null where only a Java object was written. */
  readonly version: number | null;
  /** Of a composite's own part, else null. */
  readonly outerVersion: number | null;
  readonly facts: SerializerFacts;
  /** Serializers of elements, fields, keys and values. */
  readonly nested: readonly Serializer[];
  /** POJO only: registered and other subclasses by class name. */
  readonly subclasses?: { readonly registered: readonly SubclassSerializer[]; readonly other: readonly SubclassSerializer[] };
  /** Bytes of a body that nobody without the user's class can read, else null. */
  readonly opaqueBytes: number | null;
}

/** A subclass that a POJO serializer has met; its serializer may be unknown. */
export interface SubclassSerializer {
  readonly className: string;
  readonly serializer: Serializer | null;
}

/** One state as a state file's header describes it (`StateMetaInfoSnapshot`). */
export interface StateDescription {
  /** Position in the header, which entries refer to; broadcast states follow list states. */
  readonly id: number;
  readonly name: string;
  readonly type: StateType;
  /** Such as `KEYED_STATE_TYPE` and `OPERATOR_STATE_DISTRIBUTION_MODE`. */
  readonly options: Readonly<Record<string, string>>;
  /** Such as `NAMESPACE_SERIALIZER` and `VALUE_SERIALIZER`. */
  readonly serializers: Readonly<Record<string, Serializer>>;
  /** Its values carry the time of their last access. */
  readonly ttl: boolean;
}

/** `StateMetaInfoSnapshot.BackendStateType`. */
export type StateType = "KEY_VALUE" | "OPERATOR" | "BROADCAST" | "PRIORITY_QUEUE" | "KEY_VALUE_V2";

/** The beginning of a state file. */
export interface StateHeader {
  /** Of the format: 1 to 6. */
  readonly version: number;
  /** Snappy. */
  readonly compressed: boolean;
  /** Null in operator state. */
  readonly keySerializer: Serializer | null;
  readonly states: readonly StateDescription[];
  /** Where data starts. */
  readonly endOffset: number;
  /** Snapshot classes of users whose bodies were passed over. */
  readonly opaqueClasses: readonly string[];
}

/** True when a serializer, or one in it, adds the time of the last access. */
export function hasTtl(serializer: Serializer): boolean {
  return serializer.name === "TtlStateFactory" || serializer.nested.some(hasTtl);
}

/**
 * The name that the catalogue knows a class of Flink by, for a serializer and its snapshot alike: `LongSerializer` for
 * `…LongSerializer$LongSerializerSnapshot`, `TupleSerializer` for `…TupleSerializerSnapshot`. Empty for classes outside Flink.
 */
export function shortNameOf(className: string): string {
  if (!className.startsWith("org.apache.flink.") || className.startsWith("org.apache.flink.test.")) return "";
  const simple = className.slice(className.lastIndexOf(".") + 1);
  const first = simple.split("$")[0] ?? "";
  return first.replace(/(ConfigSnapshot|Snapshot|SnapshotV2)$/, "");
}
