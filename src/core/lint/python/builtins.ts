import type { EvaluatedCall } from "./flinkCalls";
import { join, options, text, unknownValue, type Scope, type TextValue, type Value } from "./values";

/** Python's own functions that are known by name. */
export const builtins: ReadonlySet<string> = new Set([
  "print", "len", "str", "repr", "isinstance", "issubclass", "type", "id", "hash", "list", "tuple", "set", "dict", "sorted", "reversed", "enumerate", "zip", "range", "map", "filter", "any", "all", "min", "max", "sum", "iter", "next",
  "hasattr", "getattr", "setattr", "vars", "dir", "format", "open", "super", "int", "float", "bool", "callable", "Exception", "ValueError", "RuntimeError", "object",
]);

type ListValue = Value & { readonly t: "list" };

/** What a method of a list or a dictionary gives, and does to it. */
export function onList(list: ListValue, method: string, args: readonly Value[]): Value {
  if (method === "append" || method === "add" || method === "insert") {
    const added = args.at(-1);
    if (added !== undefined) list.items.push(added);
    list.ordered = false;
    return { t: "none" };
  }
  if (method === "extend") {
    for (const added of args) list.items.push(...(added.t === "list" ? added.items : [added]));
    list.ordered = false;
    return { t: "none" };
  }
  if (method === "items") return { t: "list", items: [{ t: "list", items: [text(), elementOf(list)], keys: undefined, ordered: true }], keys: undefined, ordered: false };
  if (method === "keys") return { t: "list", items: [text()], keys: undefined, ordered: false };
  if (method === "values") return { t: "list", items: list.items, keys: undefined, ordered: false };
  const key = args[0];
  if (method === "get" && list.keys !== undefined && key?.t === "text" && key.value !== undefined) return list.items[list.keys.lastIndexOf(key.value)] ?? elementOf(list);
  return method === "get" || method === "pop" ? elementOf(list) : unknownValue;
}

/** What one of Python's own functions gives. */
export function builtin(name: string, made: EvaluatedCall): Value {
  const [first] = made.args;
  switch (name) {
    case "str":
    case "repr":
    case "format":
    case "int":
      return first?.t === "text" && name === "str" ? first : mixTexts(made.args);
    case "list":
    case "tuple":
    case "set":
    case "sorted":
    case "reversed":
    case "iter":
      return first?.t === "list" ? { ...first, items: [...first.items] } : first ?? { t: "list", items: [], keys: undefined, ordered: true };
    case "dict":
      return { t: "list", items: [...made.named.values()], keys: [...made.named.keys()], ordered: true };
    case "enumerate":
      return { t: "list", items: [{ t: "list", items: [text(undefined, undefined, true), elementOf(first ?? unknownValue)], keys: undefined, ordered: true }], keys: undefined, ordered: false };
    case "range":
      return { t: "list", items: [first?.t === "unknown" && made.call.args.every(({ value }) => value.k === "number") ? unknownValue : text(undefined, undefined, true)], keys: undefined, ordered: false };
    case "zip":
      return { t: "list", items: [{ t: "list", items: made.args.map(elementOf), keys: undefined, ordered: true }], keys: undefined, ordered: false };
    case "next":
      return elementOf(first ?? unknownValue);
    default:
      return unknownValue;
  }
}

/** Names that mean an environment of streams where PyFlink is imported. */
export function isEnvName(name: string): boolean {
  return /^(?:s|stream|exec|flink|execution|streaming|f_s)?_?env(?:ironment)?$/i.test(name);
}

/** The module a scope is in. */
export function rootOf(scope: Scope): Scope {
  return scope.outer === undefined ? scope : rootOf(scope.outer);
}

/** The variables after several ways that meet again. */
export function mergeScopes(all: readonly Map<string, Value>[]): Map<string, Value> {
  const [first, ...others] = all;
  if (first === undefined || others.length === 0) return first ?? new Map<string, Value>();
  const merged = new Map<string, Value>(first);
  for (const other of others) {
    for (const [name, value] of other) {
      const before = merged.get(name);
      if (before !== value) merged.set(name, before === undefined ? value : join([before, value]));
    }
  }
  return merged;
}

/** What a loop over the value gives. */
export function elementOf(value: Value): Value {
  if (value.t === "list") return value.items.length === 0 ? unknownValue : join(value.items);
  return value.t === "text" ? text() : unknownValue;
}

/** A text that others went into. */
export function mixTexts(values: readonly Value[]): TextValue {
  const texts = values.flatMap((value) => options(value)).filter((value) => value.t === "text");
  return text(undefined, texts.find(({ changes }) => changes !== undefined)?.changes, texts.some(({ counter }) => counter));
}

/** `i += 1`: a number that is counted up. */
export function counterOr(old: Value): Value {
  return old.t === "unknown" ? text(undefined, undefined, true) : old;
}

/** The last word of a dotted name. */
export function lastOf(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}
