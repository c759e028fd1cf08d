import { findNodeAtLocation, getNodeValue, parseTree, printParseErrorCode, type Node, type ParseError } from "jsonc-parser";
import type * as z from "zod";
import { cronFields, withoutQuestionMarks, type CronFault } from "../schedule/cron";
import { issueText } from "../zodIssue";
import { cleanupSchema, lifecycleFileSchema, scheduleSchema, type CleanupSection, type Schedule } from "./lifecycleFile";

/** A stretch of the file's text, in UTF-16 units. */
export interface Place {
  readonly offset: number;
  readonly length: number;
}

/** Something that is wrong in the file. */
export interface LifecycleProblem extends Place {
  /** Where in the file's structure, such as `schedules[0].cron`; empty for the file itself. */
  readonly at: string;
  /** One sentence or more, with full stop. */
  readonly message: string;
  /** True for what the JSON Schema says too, and thus the editor by itself. */
  readonly bySchema: boolean;
  /** A text that mends it when put at a place. */
  readonly fix?: Place & { readonly text: string; readonly title: string };
}

/** A valid schedule and where it stands. */
export interface PlacedSchedule extends Place {
  readonly schedule: Schedule;
  /** Its index in the list. */
  readonly index: number;
  /** The text of its cron expression, quotes excluded. */
  readonly cron: Place;
}

/** What a file holds. An entry with a problem is left out, the others count; rules for cleaning up count only without one. */
export interface LifecycleFile {
  readonly schedules: readonly PlacedSchedule[];
  readonly cleanup: CleanupSection | undefined;
  readonly problems: readonly LifecycleProblem[];
}

/** A file longer than this is not read, UTF-16 units. */
const longestText = 1_000_000;

/** Reads the text of a `flink-savepoints.json`. Never throws: what is wrong is in `problems`. */
export function readLifecycleFile(text: string): LifecycleFile {
  const whole = (message: string): LifecycleFile => ({ schedules: [], cleanup: undefined, problems: [{ offset: 0, length: 1, at: "", message, bySchema: false }] });
  if (text.length > longestText) return whole("The file is longer than a million characters and is not read.");
  const errors: ParseError[] = [];
  let root: Node | undefined;
  try {
    root = parseTree(text, errors, { allowTrailingComma: true });
  } catch {
    return whole("The file is nested too deeply.");
  }
  if (text.trim() === "" || (root === undefined && errors.length === 0)) return { schedules: [], cleanup: undefined, problems: [] };
  // A text cut short could lack the line that switches an entry off, so nothing of it counts.
  const [broken] = errors;
  if (root === undefined || broken !== undefined) {
    const what = broken === undefined ? "" : `: ${phrase(printParseErrorCode(broken.error))}`;
    return { schedules: [], cleanup: undefined, problems: [{ offset: broken?.offset ?? 0, length: Math.max(1, broken?.length ?? 1), at: "", message: `This is no JSON${what}. Until it is mended, nothing of this file counts.`, bySchema: true }] };
  }
  return new Reader(root).read();
}

class Reader {
  readonly #root: Node;
  readonly #problems: LifecycleProblem[] = [];

  constructor(root: Node) {
    this.#root = root;
  }

  read(): LifecycleFile {
    const value: unknown = getNodeValue(this.#root);
    // The frame only: entries are looked at one by one.
    const frame = lifecycleFileSchema.safeParse(isObject(value) ? { ...value, schedules: Array.isArray(value["schedules"]) ? [] : value["schedules"], cleanup: undefined } : value);
    if (!frame.success) this.#note(frame.error.issues, []);
    const schedules = this.#schedules(isObject(value) && Array.isArray(value["schedules"]) ? value["schedules"] : []);
    const cleanup = isObject(value) && value["cleanup"] !== undefined ? this.#cleanup(value["cleanup"]) : undefined;
    return { schedules, cleanup, problems: this.#problems.sort((a, b) => a.offset - b.offset) };
  }

  #schedules(entries: readonly unknown[]): PlacedSchedule[] {
    const found: PlacedSchedule[] = [];
    const seen = new Set<string>();
    for (const [index, entry] of entries.entries()) {
      const path = ["schedules", index];
      const checked = scheduleSchema.safeParse(entry);
      const node = findNodeAtLocation(this.#root, path);
      if (node === undefined) continue;
      if (!checked.success) {
        this.#note(checked.error.issues, path);
        continue;
      }
      const schedule = checked.data;
      const key = JSON.stringify([schedule.cluster, schedule.job, schedule.name]);
      if (seen.has(key)) {
        this.#add([...path, "name"], `Another schedule of ${schedule.job} has this name too; this one does not count.`);
        continue;
      }
      seen.add(key);
      const cron = findNodeAtLocation(this.#root, [...path, "cron"]) ?? node;
      found.push({ schedule, index, offset: node.offset, length: node.length, cron: { offset: cron.offset + 1, length: cron.length - 2 } });
    }
    return found;
  }

  #cleanup(value: unknown): CleanupSection | undefined {
    const checked = cleanupSchema.safeParse(value);
    if (!checked.success) {
      this.#note(checked.error.issues, ["cleanup"]);
      return undefined;
    }
    const seen = new Set<string>();
    for (const [index, { job, cluster }] of checked.data.jobs.entries()) {
      const key = JSON.stringify([job, cluster]);
      if (seen.has(key)) {
        this.#add(["cleanup", "jobs", index], `${job} has rules above already.`);
        return undefined;
      }
      seen.add(key);
    }
    return checked.data;
  }

  #note(issues: readonly z.core.$ZodIssue[], path: readonly (string | number)[]): void {
    for (const issue of issues) {
      const at = [...path, ...issue.path.map((part) => (typeof part === "number" ? part : String(part)))];
      if (issue.code === "invalid_union") this.#note(closest(issue.errors), at);
      else if (issue.code === "unrecognized_keys") for (const key of issue.keys) this.#add([...at, key], `${key} is not known here.`, { onKey: true, bySchema: true });
      else if (issue.code === "custom" && isCron(issue.params?.["cron"])) this.#addCron(at, issue.params["cron"], issue.message);
      else {
        const message = issueText(issue);
        this.#add(at, /^[a-z]/.test(message) ? `${String(at.at(-1) ?? "The file")} ${message}.` : message, { bySchema: issue.code !== "custom" });
      }
    }
  }

  #add(path: readonly (string | number)[], message: string, { onKey = false, bySchema = false } = {}): void {
    this.#problems.push({ ...this.#placeOf(path, onKey), at: pathText(path), message, bySchema });
  }

  /** On the field at fault, and with `*` for each `?` as its mend. */
  #addCron(path: readonly (string | number)[], fault: CronFault, message: string): void {
    const node = findNodeAtLocation(this.#root, [...path]);
    const value: unknown = node?.value;
    // With an escape in it the text is not where it seems.
    if (node === undefined || typeof value !== "string" || node.length !== value.length + 2) return this.#add(path, message);
    const start = node.offset + 1;
    const field = fault.field === "expression" ? undefined : [...value.matchAll(/\S+/g)][cronFields.indexOf(fault.field)];
    const place = field === undefined ? { offset: node.offset, length: node.length } : { offset: start + field.index, length: field[0].length };
    const mended = fault.code === "question-mark" ? withoutQuestionMarks(value) : undefined;
    this.#problems.push({ ...place, at: pathText(path), message, bySchema: false, ...(mended === undefined ? {} : { fix: { offset: start, length: value.length, text: mended, title: "Write * for ?" } }) });
  }

  #placeOf(path: readonly (string | number)[], onKey: boolean): Place {
    for (let length = path.length; length >= 0; length--) {
      const node = length === 0 ? this.#root : findNodeAtLocation(this.#root, path.slice(0, length));
      if (node === undefined) continue;
      // What is missing is missing from the whole object: its first character stands for it.
      if (length < path.length) return { offset: node.offset, length: 1 };
      const key = onKey && node.parent?.type === "property" ? node.parent.children?.[0] : undefined;
      return { offset: (key ?? node).offset, length: (key ?? node).length };
    }
    return { offset: this.#root.offset, length: 1 };
  }
}

/** Of the forms that a value may have, what is wrong with the one that it is most like. */
function closest(forms: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] {
  const distance = (issues: readonly z.core.$ZodIssue[]): number => issues.reduce((sum, issue) => sum + (issue.code === "unrecognized_keys" ? issue.keys.length : 1), 0);
  return [...forms].sort((a, b) => distance(a) - distance(b))[0] ?? [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCron(value: unknown): value is CronFault {
  return isObject(value) && "field" in value;
}

function pathText(path: readonly (string | number)[]): string {
  return path.map((part, at) => (typeof part === "number" ? `[${part}]` : at === 0 ? part : `.${part}`)).join("");
}

/** `CommaExpected` as `comma expected`. */
function phrase(code: string): string {
  return code.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter}`).toLowerCase();
}
