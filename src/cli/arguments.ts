import { parseArgs } from "node:util";
import { UsageError } from "./command";

/** What a command was given. */
export interface Arguments<Flag extends string, Value extends string> {
  readonly flags: Readonly<Record<Flag, boolean>>;
  readonly values: Readonly<Record<Value, string | undefined>>;
  /** What is no option; after `--` nothing is. */
  readonly rest: readonly string[];
}

/** Takes options (`--json`) and options with a value (`--limit-bytes 5`, `--limit-bytes=5`) from arguments. Throws `UsageError` for any other option. */
export function readArguments<Flag extends string, Value extends string = never>(args: readonly string[], known: { readonly flags: readonly Flag[]; readonly values?: readonly Value[] }): Arguments<Flag, Value> {
  const kind = (type: "boolean" | "string") => (name: string): [string, { type: "boolean" | "string" }] => [name, { type }];
  const options = Object.fromEntries([...known.flags.map(kind("boolean")), ...(known.values ?? []).map(kind("string"))]);
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
    return {
      flags: Object.fromEntries(known.flags.map((name) => [name, values[name] === true])) as Record<Flag, boolean>,
      values: Object.fromEntries((known.values ?? []).map((name) => [name, values[name]])) as Record<Value, string | undefined>,
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
