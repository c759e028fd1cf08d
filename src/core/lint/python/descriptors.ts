import type { Descriptor } from "./model";

/** Asks for keyed state or names a descriptor. */
const stateWords = /\.\s*get_(?:state|list_state|map_state|reducing_state|aggregating_state)\s*\(|\b(?:Value|List|Map|Reducing|Aggregating)StateDescriptor\s*\(/;
const descriptorCall = /\b((?:Value|List|Map|Reducing|Aggregating)StateDescriptor)\s*\(/g;

/** Where the masked text of a class first asks for keyed state, as an offset into it; undefined when it does not. */
export function stateUse(masked: string): { readonly start: number; readonly end: number } | undefined {
  const match = stateWords.exec(masked);
  return match === null ? undefined : { start: match.index, end: match.index + match[0].length };
}

/** The state descriptors made in the masked text of a class; offsets are into it. */
export function descriptorsIn(masked: string): readonly Descriptor[] {
  const found: Descriptor[] = [];
  for (const match of masked.matchAll(descriptorCall)) {
    const open = match.index + match[0].length;
    const args = argumentsFrom(masked, open);
    const first = args[0];
    if (first === undefined) continue;
    const named = /^\s*name\s*=\s*/.exec(first.text)?.[0].length ?? 0;
    const text = first.text.slice(named);
    const lead = text.length - text.trimStart().length;
    const literal = /^(["'])([^"'\\\n]*)\1$/.exec(text.trim());
    found.push({
      kind: match[1] ?? "",
      name: literal?.[2],
      expression: text.trim(),
      type: args.slice(1).map((arg) => arg.text.replace(/\s+/g, "")).join(","),
      at: { start: match.index, end: match.index + (match[1]?.length ?? 0) },
      nameAt: { start: first.start + named + lead, end: first.start + named + lead + text.trim().length },
    });
  }
  return found;
}

/** The arguments of a call whose parenthesis was opened just before `from`; none when they go on for too long. */
function argumentsFrom(text: string, from: number): { readonly start: number; readonly text: string }[] {
  const args: { start: number; text: string }[] = [];
  const limit = Math.min(text.length, from + 2_000);
  let depth = 0;
  let start = from;
  for (let at = from; at < limit; at++) {
    const char = text.charAt(at);
    if (char === "'" || char === "\"") {
      for (at++; at < limit && text[at] !== char && text[at] !== "\n"; at++) if (text[at] === "\\") at++;
    } else if ("([{".includes(char)) depth++;
    else if (")]}".includes(char) && depth > 0) depth--;
    else if (char === "," && depth === 0) {
      args.push({ start, text: text.slice(start, at) });
      start = at + 1;
    } else if (char === ")") {
      if (text.slice(start, at).trim() !== "") args.push({ start, text: text.slice(start, at) });
      return args;
    }
  }
  return [];
}
