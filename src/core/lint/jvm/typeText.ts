import type { TypeName } from "./model";

/** Reads a type as it is written in Java, Kotlin or Scala. Nested deeper than 20 levels, the arguments are dropped. Never throws. */
export function typeOf(text: string): TypeName | undefined {
  const words = text.replace(/@\w+(\([^)]*\))?/g, " ").match(/=>|->|[A-Za-z_$][\w$.]*|[<>[\](),?*&]/g);
  if (words === null) return undefined;
  // Scala's `=> T` is evaluated when it is used, and is a T there.
  const reader = { words, at: words[0] === "=>" ? 1 : 0 };
  return typeAt(reader, 0);
}

interface Words {
  readonly words: readonly string[];
  at: number;
}

/** The type of a parameter that takes any number of the type. */
export function arrayOf(type: TypeName | undefined): { readonly type: TypeName; readonly many: true } {
  return { type: { name: "Array", written: "Array", args: type === undefined ? [] : [type] }, many: true };
}

function typeAt(reader: Words, depth: number): TypeName | undefined {
  const first = singleAt(reader, depth);
  const next = reader.words[reader.at];
  if (next === "=>" || next === "->") {
    reader.at++;
    const result = typeAt(reader, depth + 1);
    const params = first === undefined ? [] : first.name === "()" ? first.args : [first];
    return { name: "=>", written: "=>", args: [...params, ...(result === undefined ? [] : [result])] };
  }
  return first;
}

function singleAt(reader: Words, depth: number): TypeName | undefined {
  const { words } = reader;
  while (["?", "*", "&", "final", "extends", "super", "in", "out", "suspend", "in", "_"].includes(words[reader.at] ?? "")) reader.at++;
  const word = words[reader.at];
  if (word === undefined) return undefined;
  if (word === "(") {
    reader.at++;
    const args = listAt(reader, ")", depth);
    return args.length === 1 && words[reader.at] !== "=>" && words[reader.at] !== "->" ? args[0] : { name: "()", written: "()", args };
  }
  if (!/^[A-Za-z_$]/.test(word)) return undefined;
  reader.at++;
  const open = words[reader.at];
  let args: TypeName[] = [];
  if (open === "<" || (open === "[" && words[reader.at + 1] !== "]")) {
    reader.at++;
    args = listAt(reader, open === "<" ? ">" : "]", depth);
  }
  while (words[reader.at] === "[" && words[reader.at + 1] === "]") {
    reader.at += 2;
    return { name: "Array", written: "Array", args: [{ name: lastOf(word), written: word, args }] };
  }
  if (words[reader.at] === "?") reader.at++;
  return { name: lastOf(word), written: word, args };
}

function listAt(reader: Words, close: string, depth: number): TypeName[] {
  const args: TypeName[] = [];
  while (reader.at < reader.words.length) {
    const word = reader.words[reader.at];
    if (word === close) {
      reader.at++;
      return args;
    }
    if (word === "," || depth > 20) {
      reader.at++;
      continue;
    }
    const before = reader.at;
    const arg = typeAt(reader, depth + 1);
    if (arg !== undefined) args.push(arg);
    if (reader.at === before) reader.at++;
  }
  return args;
}

function lastOf(word: string): string {
  return word.slice(word.lastIndexOf(".") + 1);
}
