import { parseArgs } from "node:util";
import { UsageError } from "./command";

/** What a command was given. */
export interface Arguments<Flag extends string, Value extends string, List extends string = never> {
  readonly flags: Readonly<Record<Flag, boolean>>;
  readonly values: Readonly<Record<Value, string | undefined>>;
  /** Of options that may be given more than once. */
  readonly lists: Readonly<Record<List, readonly string[]>>;
  /** What is no option; after `--` nothing is. */
  readonly rest: readonly string[];
}

/** Takes options (`--json`) and options with a value (`--limit-bytes 5`, `--limit-bytes=5`) from arguments. Throws `UsageError` for any other option. */
export function readArguments<Flag extends string, Value extends string = never, List extends string = never>(args: readonly string[], known: { readonly flags: readonly Flag[]; readonly values?: readonly Value[]; readonly lists?: readonly List[] }): Arguments<Flag, Value, List> {
  const kind = (type: "boolean" | "string", multiple = false) => (name: string): [string, { type: "boolean" | "string"; multiple: boolean }] => [name, { type, multiple }];
  const options = Object.fromEntries([...known.flags.map(kind("boolean")), ...(known.values ?? []).map(kind("string")), ...(known.lists ?? []).map(kind("string", true))]);
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
    return {
      flags: Object.fromEntries(known.flags.map((name) => [name, values[name] === true])) as Record<Flag, boolean>,
      values: Object.fromEntries((known.values ?? []).map((name) => [name, values[name]])) as Record<Value, string | undefined>,
      lists: Object.fromEntries((known.lists ?? []).map((name) => [name, values[name] ?? []])) as unknown as Record<List, readonly string[]>,
      rest: positionals,
    };
  } catch (error) {
    throw new UsageError(`${(error instanceof Error ? error.message : String(error)).split(/\. |\.?\n/)[0]?.replace(/\.$/, "")}.`);
  }
}

/** A whole number from 1 on; undefined when the option was not given. Throws `UsageError`. */
export function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = /^\d{1,16}$/.test(text) ? Number(text) : 0;
  if (number < 1 || !Number.isSafeInteger(number)) throw new UsageError(`--${option} takes a whole number from 1 on, not ${text}.`);
  return number;
}
