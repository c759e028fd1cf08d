import { streamClasses } from "./pyflink";
import { join, options, type ClassValue, type EnvValue, type InstanceValue, type Value } from "./values";

/**
 * What an annotation says a value is; undefined when it says nothing of use. `lookup` finds the names in it, so that a `DataStream` of
 * another library is not taken for Flink's.
 */
export function annotationValue(written: string, lookup: (name: string) => Value, instanceOf: (cls: ClassValue) => InstanceValue, newEnv: () => EnvValue): Value | undefined {
  const source = written.replace(/["'\s]/g, "").slice(0, 300);
  const optional = /^(?:typing\.)?Optional\[(.*)\]$/.exec(source) ?? /^(?:typing\.)?(?:Union)\[(.*)\]$/.exec(source);
  const alternatives = splitTop(optional?.[1] ?? source, optional === null ? "|" : ",").filter((one) => one !== "None");
  if (alternatives.length > 1) {
    const values = alternatives.flatMap((one) => annotationValue(one, lookup, instanceOf, newEnv) ?? []);
    return values.length === 0 ? undefined : join(values);
  }
  const [only = ""] = alternatives;
  const generic = /^([\w.]+)\[(.*)\]$/.exec(only);
  const name = generic?.[1] ?? only;
  const last = name.slice(name.lastIndexOf(".") + 1);
  if (/^(?:[Ll]ist|Sequence|Iterable|[Tt]uple|Collection)$/.test(last) && generic?.[2] !== undefined) {
    const items = splitTop(generic[2], ",").filter((one) => one !== "...").map((one) => annotationValue(one, lookup, instanceOf, newEnv) ?? { t: "unknown", name: undefined } as const);
    return items.some((item) => item.t !== "unknown") ? { t: "list", items, keys: undefined, ordered: /^[Tt]uple$/.test(last) } : undefined;
  }
  if (/^[Dd]ict$|^Mapping$/.test(last) && generic?.[2] !== undefined) {
    const item = annotationValue(splitTop(generic[2], ",")[1] ?? "", lookup, instanceOf, newEnv);
    return item === undefined ? undefined : { t: "list", items: [item], keys: [undefined], ordered: false };
  }
  if (!/^[\w.]+$/.test(name)) return undefined;
  const [first = "", ...rest] = name.split(".");
  const found = options(lookup(first))[0];
  const path = found?.t === "foreign" ? [found.path, ...rest].join(".") : found?.t === "unknown" && found.name === last ? `pyflink.${last}` : "";
  if (found?.t === "class") return instanceOf(found);
  if (!path.startsWith("pyflink.")) return undefined;
  const kind = streamClasses[last];
  if (kind !== undefined) return { t: "stream", kind, op: undefined, env: undefined, because: undefined, made: kind === "keyed" ? "KeyedStream" : "" };
  if (last === "StreamExecutionEnvironment") return newEnv();
  if (/TableEnvironment$/.test(last)) return { t: "tableEnv" };
  if (last === "Table") return { t: "table" };
  return /^[A-Z]/.test(last) ? { t: "object", of: last, calls: new Map(), at: undefined } : undefined;
}

/** Splits at a character outside of brackets. */
function splitTop(text: string, at: "," | "|"): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < text.length; index++) {
    const char = text.charAt(index);
    if (char === "[" || char === "(") depth++;
    else if (char === "]" || char === ")") depth--;
    else if (char === at && depth === 0) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  return [...parts, text.slice(start)];
}
