import type { Call, Expr, Span } from "./model";
import { isFlink, joined, type Value } from "./values";

/** Types whose objects hold a fixed number of things, each of its own kind; `()` is Scala's, as a type and written out. */
const tupleTypes = /^(?:Tuple\d*|Pair|Triple|\w+Pair|\w+Triple|Entry|SimpleEntry|SimpleImmutableEntry|IndexedValue|\(\))$/;
/** Functions and classes that hold what they are given, one like the other. */
const collectionMakers = /^(?:(?:mutable|array|hash|linked|linkedHash|sorted|tree)?(?:List|Set|Map|Array|Sequence)Of(?:NotNull)?|(?:array|list|set|map|sequence)(?:Of|OfNotNull)|(?:Indexed)?Seq|List|Array|Vector|Set|Map|Iterable|Traversable|ListBuffer|ArrayBuffer|LazyList|ListMap|HashMap|Option|Some|Right|Left|Success|Try)$/;
/** What picks the part of a tuple: `_1`, `f0`, `component1`, `first`, `getLeft`. */
const pickers = [
  /^(?:_1|f0|component1|first|left|getLeft|getFirst|key|getKey|getValue0|index)$/, /^(?:_2|f1|component2|second|right|getRight|getSecond|value|getValue|getValue1)$/, /^(?:_3|f2|component3|third|getThird|getValue2)$/,
  /^(?:_4|f3|component4)$/, /^(?:_5|f4|component5)$/,
] as const;

/** Whether objects of a type hold things each of their own kind. */
export function isTuple(typeName: string): boolean {
  return tupleTypes.test(typeName);
}

/** Whether a call of that name, or an object of that class, holds what it is given. */
export function isCollection(name: string): boolean {
  return collectionMakers.test(name);
}

/** A tuple of some values. */
export function tupleOf(parts: readonly Value[]): Value {
  return { kind: "object", sites: [], parts };
}

/** A collection of some values; an entry of a map counts as its value. */
export function collectionOf(values: readonly Value[]): Value {
  const held = values.map((value) => value.parts?.at(-1) ?? value.element ?? value);
  const flink = held.filter((value) => isFlink(value));
  return { kind: "object", sites: [], type: { name: "Collection", written: "Collection", args: [] }, ...(flink.length > 0 ? { element: flink.reduce(joined) } : {}) };
}

/** The part of a tuple that a call picks; undefined when it picks none. */
export function partOf({ parts }: Value, name: string): Value | undefined {
  const at = parts === undefined ? -1 : pickers.findIndex((picker) => picker.test(name));
  return parts?.[at];
}

/** The place among a class's parameters that `_2` or `component2` means; undefined for another name. */
export function componentAt(name: string): number | undefined {
  const at = /^(?:_|component)([1-9])$/.exec(name)?.[1];
  return at === undefined ? undefined : Number(at) - 1;
}

/** Gives names to the parts of a value: `val (a, b) = value`; with `ofEach`, to those of each thing in it. */
export function unpacked(span: Span, whole: string, names: readonly (Span & { readonly name: string })[], value: Expr | undefined, ofEach = false): Expr[] {
  const held: Expr = { kind: "let", ...span, name: whole, type: undefined, value, element: ofEach, changes: false };
  return [held, ...namesOfParts(span, whole, names)];
}

/** Names for the parts of what has the name `whole`. */
export function namesOfParts(span: Span, whole: string, names: readonly (Span & { readonly name: string })[]): Expr[] {
  return names.map((name, at): Expr => {
    const part: Call = { kind: "call", ...span, receiver: { kind: "name", ...span, name: whole }, name: `_${at + 1}`, nameSpan: name, args: [], typeArgs: [], bare: true, infix: false };
    return { kind: "let", ...name, type: undefined, value: part, element: false, changes: false };
  });
}
