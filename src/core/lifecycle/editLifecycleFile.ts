import { applyEdits, modify, type JSONPath } from "jsonc-parser";
import type * as z from "zod";
import { readLifecycleFile } from "./readLifecycleFile";
import type { scheduleSchema } from "./lifecycleFile";

/** A schedule as a person writes it: what has its default may be left out. */
export type WrittenSchedule = z.input<typeof scheduleSchema>;

/** What a new file begins with. */
export const emptyLifecycleFile = "{\n  \"schedules\": []\n}\n";

/**
 * The text with a schedule added at the end of the list, or with that at an index changed; comments and order stay. A property that is undefined
 * goes. The text must be JSON, see `isEditable`.
 */
export function withSchedule(text: string, index: number | undefined, schedule: { readonly [K in keyof WrittenSchedule]?: WrittenSchedule[K] | undefined }): string {
  if (index === undefined) {
    const written = Object.fromEntries(Object.entries(schedule).filter(([, value]) => value !== undefined));
    return edited(text.trim() === "" ? emptyLifecycleFile : text, ["schedules", -1], written, true);
  }
  return Object.entries(schedule).reduce((now, [property, value]) => edited(now, ["schedules", index, property], value), text);
}

/** False for a text that is no JSON, where nobody knows what an edit would do. */
export function isEditable(text: string): boolean {
  return !readLifecycleFile(text).problems.some(({ at }) => at === "" || at === "schedules");
}

function edited(text: string, path: JSONPath, value: unknown, isArrayInsertion = false): string {
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const indent = /\n([ \t]+)\S/.exec(text)?.[1] ?? "  ";
  return applyEdits(text, modify(text, path, value, { isArrayInsertion, formattingOptions: { insertSpaces: !indent.startsWith("\t"), tabSize: indent.startsWith("\t") ? 2 : indent.length, eol } }));
}
