/** The five fields in their order. */
export const cronFields = ["minute", "hour", "day-of-month", "month", "day-of-week"] as const;

/** The name of a field, as messages give it. */
export type CronFieldName = (typeof cronFields)[number];

/** One field: what was written, and what it stands for. */
export interface CronField {
  readonly text: string;
  /** Ascending, without repeats; days of the week are 1 = Monday … 7 = Sunday. */
  readonly values: readonly number[];
  /** False for `*`, which in a day field means "leave it to the other one". */
  readonly restricted: boolean;
}

/** A valid expression. */
export type Cron = { readonly text: string } & { readonly [F in CronFieldName]: CronField };

/** What can be wrong with an expression; facts for `cronFaultText`. `part` is the piece of the field at fault. */
export type CronFault =
  | { readonly field: "expression"; readonly code: "field-count"; readonly count: number }
  | { readonly field: "expression"; readonly code: "macro"; readonly part: string }
  | { readonly field: CronFieldName; readonly code: "question-mark" }
  | { readonly field: CronFieldName; readonly code: "special"; readonly part: string }
  | { readonly field: CronFieldName; readonly code: "unreadable" | "star-in-list"; readonly part: string }
  | { readonly field: CronFieldName; readonly code: "out-of-range"; readonly value: number; readonly min: number; readonly max: number }
  | { readonly field: CronFieldName; readonly code: "backwards"; readonly part: string; readonly min: number; readonly max: number }
  | { readonly field: CronFieldName; readonly code: "step"; readonly step: number; readonly max: number }
  | { readonly field: "day-of-month"; readonly code: "never"; readonly day: number };

/** Either the expression or everything that is wrong with it, in the order of the fields. */
export type CronReading = { readonly cron: Cron; readonly faults: readonly [] } | { readonly cron: undefined; readonly faults: readonly CronFault[] };

/** What a field may hold. */
export const cronRanges: { readonly [F in CronFieldName]: { readonly min: number; readonly max: number; readonly names: readonly string[] } } = {
  "minute": { min: 0, max: 59, names: [] },
  "hour": { min: 0, max: 23, names: [] },
  "day-of-month": { min: 1, max: 31, names: [] },
  "month": { min: 1, max: 12, names: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"] },
  "day-of-week": { min: 1, max: 7, names: ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"] },
};

/**
 * Reads an expression of five fields, `minute hour day-of-month month day-of-week` (A-12…19): `*`, lists, ranges and steps in each field, names
 * of months and days in any case, Monday = 1. `N/S` starts at N and goes on to the field's end; `* /S`, without the blank, means the same from
 * the field's start and counts as a restriction. No `?`, `L`, `W`, `#`, seconds, years or macros.
 */
export function readCron(text: string): CronReading {
  const parts = text.trim().split(/\s+/).filter((part) => part !== "");
  if (parts[0]?.startsWith("@") === true) return failed([{ field: "expression", code: "macro", part: parts[0] }]);
  if (parts.length !== cronFields.length) return failed([{ field: "expression", code: "field-count", count: parts.length }]);
  const faults: CronFault[] = [];
  const fields = {} as Record<CronFieldName, CronField>;
  cronFields.forEach((name, at) => {
    const part = parts[at] ?? "";
    const read = readField(name, part);
    if (Array.isArray(read)) fields[name] = { text: part, values: read, restricted: part !== "*" };
    else faults.push(read as CronFault);
  });
  if (faults.length > 0) return failed(faults);
  const cron = { text: parts.join(" "), ...fields };
  const never = neverComes(cron);
  return never === undefined ? { cron, faults: [] } : failed([never]);
}

/** The same expression with every `?` as `*` (the quick fix of A-16), or undefined when there is none. */
export function withoutQuestionMarks(text: string): string | undefined {
  const parts = text.trim().split(/\s+/);
  return parts.includes("?") ? parts.map((part) => (part === "?" ? "*" : part)).join(" ") : undefined;
}

const failed = (faults: readonly CronFault[]): CronReading => ({ cron: undefined, faults });

function readField(field: CronFieldName, text: string): number[] | CronFault {
  const { min, max } = cronRanges[field];
  if (text.includes("?")) return { field, code: "question-mark" };
  if (text === "*") return upTo(min, max, 1);
  const values = new Set<number>();
  for (const part of text.split(",")) {
    if (part === "*") return { field, code: "star-in-list", part: text };
    const read = readPart(field, part);
    if (!Array.isArray(read)) return read as CronFault;
    for (const value of read) values.add(value);
  }
  return [...values].sort((a, b) => a - b);
}

function readPart(field: CronFieldName, part: string): number[] | CronFault {
  const { min, max } = cronRanges[field];
  const match = /^(?:(\*)|([A-Za-z]+|\d{1,9})(?:-([A-Za-z]+|\d{1,9}))?)(?:\/(\d{1,9}))?$/.exec(part);
  if (match === null) return /[LW#]/i.test(part.replace(/[A-Z]{3,}/gi, "")) ? { field, code: "special", part } : { field, code: "unreadable", part };
  const [, star, from, to, by] = match;
  const first = star === undefined ? valueOf(field, from ?? "") : min;
  const last = to !== undefined ? valueOf(field, to) : by !== undefined || star !== undefined ? max : first;
  for (const value of [first, last]) {
    if (value === undefined) return /^(L|W|LW)$/i.test(from ?? "") ? { field, code: "special", part } : { field, code: "unreadable", part };
    if (value < min || value > max) return { field, code: "out-of-range", value, min, max };
  }
  const step = by === undefined ? 1 : Number(by);
  if (by !== undefined && (step < 1 || step > max - min)) return { field, code: "step", step, max: max - min };
  if ((last ?? 0) < (first ?? 0)) return { field, code: "backwards", part, min, max };
  return upTo(first ?? 0, last ?? 0, step);
}

/** A number or a name; undefined for a word that is neither. */
function valueOf(field: CronFieldName, text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const { min, names } = cronRanges[field];
  const at = names.indexOf(text.toUpperCase());
  return at < 0 ? undefined : at + min;
}

function upTo(first: number, last: number, step: number): number[] {
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, at) => first + at * step);
}

/** A day that none of the months has, such as 30 February, and no day of the week beside it. */
function neverComes(cron: Cron): CronFault | undefined {
  if (cron["day-of-week"].restricted) return undefined;
  const day = cron["day-of-month"].values[0] ?? 1;
  const longest = Math.max(...cron.month.values.map((month) => [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 31));
  return day > longest ? { field: "day-of-month", code: "never", day } : undefined;
}
