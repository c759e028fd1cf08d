import { connectors, kindOfType } from "./flinkNames";
import type { Call, Expr, FileModel } from "./model";
import { isFlink, joined, union, unknown, withHeld, type Frame, type KnownFunction, type Value } from "./values";
import type { WorkspaceIndex } from "./workspaceIndex";

/** What a value is, given what its type says: a proof beats a declaration, a declaration beats nothing. */
export function refined(value: Value | undefined, declared: Value): Value {
  if (value === undefined) return declared;
  if (value.kind === "unknown" || value.kind === "null") return declared.kind === "unknown" ? value : { ...declared, sites: union(value.sites, declared.sites), ...(value.element === undefined ? {} : { element: value.element }), ...(value.either === undefined || declared.cls !== undefined ? {} : { either: value.either }) };
  if (isFlink(declared) && !isFlink(value)) return { ...declared, sites: union(value.sites, declared.sites) };
  if (value.kind === "object" && declared.kind === "object") {
    if (declared.parts !== undefined) return value.parts === undefined ? { ...declared, sites: union(value.sites, declared.sites) } : { ...value, parts: value.parts.map((part, at) => refined(part, declared.parts?.[at] ?? unknown)) };
    if (value.parts !== undefined) return value;
    // Whatever made it: what it is declared as is what it is.
    if (value.made !== undefined && declared.cls === undefined && declared.type !== undefined && connectors.has(declared.type.name) && !connectors.has(value.made.root)) return { ...declared, sites: union(value.sites, declared.sites) };
    if (value.made !== undefined || value.cls !== undefined || value.constant !== undefined || value.text !== undefined) return value.element === undefined && declared.element !== undefined ? { ...value, element: declared.element } : value;
    // A class that is known by name only says no more than the declared one, unless that is an interface.
    return value.type === undefined ? { ...declared, ...(value.element === undefined ? {} : { element: value.element }) } : { ...value, ...(value.element === undefined && declared.element !== undefined ? { element: declared.element } : {}) };
  }
  return value;
}

/** Whether nothing is known of a function's result but that it is what the caller names between the angle brackets. */
export function isTypeParameter(value: Value, { fun }: KnownFunction): boolean {
  return (value.kind === "unknown" || (value.kind === "object" && value.cls === undefined)) && value.sites.length === 0 && fun.returns !== undefined && /^[A-Z]$/.test(fun.returns.name);
}

/** In Java and Kotlin what is declared as a DataStream takes no uid, so whoever it is passed to sets none. */
export function narrowed(value: Value, declared: Value, file: FileModel): Value {
  if (file.language === "scala") return value;
  if (declared.kind === "stream") return value.kind === "op" ? { ...value, kind: "stream" } : value;
  if (declared.element !== undefined && value.element !== undefined) return { ...value, element: narrowed(value.element, declared.element, file) };
  return declared.parts !== undefined && value.parts !== undefined ? { ...value, parts: value.parts.map((part, at) => narrowed(part, declared.parts?.[at] ?? unknown, file)) } : value;
}

/** The one value that several arguments are to a parameter that takes any number of them. */
export function manyOf(args: readonly Value[]): Value | undefined {
  const [first] = args;
  if (first === undefined || (args.length === 1 && (first.element !== undefined || !isFlink(first)))) return first;
  return { kind: "object", sites: [], element: args.reduce(joined) };
}

/** Whether a call sets something of a connector's object and returns that: `new FlinkKafkaConsumer<>(…).setStartFromEarliest()`. */
export function setsUp({ kind, type, cls, made, constant }: Value, { name, bare }: Call, index: WorkspaceIndex, file: FileModel): boolean {
  if (kind !== "object" || type === undefined || made !== undefined || constant !== undefined || (bare && file.language !== "scala") || !/^(?:set|with|assign|ignore|disable|enable)[A-Z]/.test(name)) return false;
  return cls === undefined ? connectors.has(type.name) || index.isFlinkType(type, file) : index.hierarchy(cls).outside.some((above) => connectors.has(above.type.name));
}

/** What remains of a variable when another value is stored: its type. */
export function typeOnly(value: Value): Value {
  return isFlink(value) ? { kind: value.kind === "op" ? "stream" : value.kind, sites: [] } : unknown;
}

/** The variables after branches that meet again. */
export function merged(before: ReadonlyMap<string, Value>, branches: readonly ReadonlyMap<string, Value>[]): Map<string, Value> {
  const result = new Map(before);
  const names = new Set(branches.flatMap((vars) => [...vars].filter(([name, value]) => before.get(name) !== value).map(([name]) => name)));
  for (const name of names) {
    const values = branches.flatMap((vars) => vars.get(name) ?? []);
    if (values.length > 0) result.set(name, values.reduce(joined));
  }
  return result;
}

/** Simple name of a class of the language's own library that is written with its package, `java.util.UUID`; undefined for any other expression. */
export function standardClass(expr: Expr): string | undefined {
  if (expr.kind !== "call" || !expr.bare || !/^[A-Z]/.test(expr.name)) return undefined;
  let outermost = expr.receiver;
  while (outermost?.kind === "call" && outermost.bare) outermost = outermost.receiver;
  return outermost?.kind === "name" && /^(?:java|kotlin|scala)$/.test(outermost.name) ? expr.name : undefined;
}

/** A longer text is nobody's uid, and texts that double fill the memory. */
const longestText = 10_000;

/** A text put together of others: a constant where all of them are, varying where one is. */
export function concatenated(parts: readonly Value[]): NonNullable<Value["text"]> {
  const varying = parts.find(({ text }) => text?.varies === true)?.text;
  const plain = parts.every(({ text, kind }) => (kind === "text" || kind === "number") && text?.value !== undefined);
  const isShort = parts.reduce((length, { text }) => length + (text?.value?.length ?? 0), 0) <= longestText;
  return { value: plain && isShort ? parts.map(({ text }) => text?.value).join("") : undefined, varies: varying !== undefined, variesAt: varying?.variesAt };
}

/** Operators that are passed to code which can't be seen may get their uid there; a DataStream of Java or Kotlin has no way to. */
export function letEscape(args: readonly Value[]): void {
  for (const { kind, sites } of args.flatMap(withHeld)) {
    for (const site of sites) if (kind !== "stream" || site.place.file.language === "scala") site.facts.escaped = true;
  }
}

/** A function or a functional interface that takes DataStreams, as its type says. */
export function takesStreams(receiver: Value, frame: Frame): boolean {
  return frame.file.language !== "scala" && receiver.type?.args.some(({ name }) => kindOfType[name] === "stream") === true;
}

/** Whether a call is known to set no uid on what it is given. */
export function isHarmless(receiver: Value, name: string, frame: Frame): boolean {
  const type = receiver.type;
  if (type !== undefined) {
    const full = frame.file.imports.get(type.name) ?? type.written;
    if (/^(java|javax|scala|kotlin)\.|^org\.apache\.|^org\.slf4j/.test(full) || /^(List|Map|Set|Seq|Array|Optional|Option|Iterable|Collection)$/.test(type.name)) return true;
  }
  return /^(addInput|println|print|printf|info|debug|warn|error|equals|hashCode|requireNonNull|checkNotNull|require|assert\w*)$/.test(name);
}
