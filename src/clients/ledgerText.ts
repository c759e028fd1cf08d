import * as z from "zod";
import { FlinkError } from "../core/errors";
import { type LedgerRecord, ledgerRecordSchema, recordVersion } from "../core/ledger/record";

/** What a record's file says. `newer` was written by a newer version of the extension and is nobody's mistake. */
export type ReadRecord =
  | { readonly kind: "record"; readonly record: LedgerRecord }
  | { readonly kind: "newer" | "damaged"; readonly reason: string };

/** What every version of the format has in common. */
const versioned = z.lazy(() => z.object({ version: z.number().int(), kind: z.string().regex(/^[a-z-]{1,40}$/).optional().catch(undefined) }));

/** Another kind is a newer version's. */
const knownKinds: Readonly<Record<LedgerRecord["kind"], true>> = { savepoint: true, restore: true, pair: true, cleanup: true, agreement: true, rollback: true };

/** Reads the text of a record's file; `id` is what the file's name promises. Records are frozen, since readers share them. */
export function parseRecord(id: string, text: string): ReadRecord {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: "damaged", reason: text.trim() === "" ? "empty" : "not JSON" };
  }
  const head = versioned.safeParse(json);
  if (head.success && head.data.version > recordVersion) return { kind: "newer", reason: `written by a newer version (format ${head.data.version})` };
  if (head.success && head.data.kind !== undefined && !Object.hasOwn(knownKinds, head.data.kind)) return { kind: "newer", reason: `written by a newer version (kind ${head.data.kind})` };
  const parsed = ledgerRecordSchema.safeParse(json);
  if (!parsed.success) return { kind: "damaged", reason: problemOf(parsed.error) };
  if (parsed.data.id !== id) return { kind: "damaged", reason: "the record's id is not that of its file" };
  return { kind: "record", record: freeze(keepUnknown(json, parsed.data, leftOut)) };
}

/**
 * A record as it is written: checked against the schema and laid out for people, with what was unknown when it was read. A field that neither the schema
 * has nor the file had is not written. Throws `ledger-record-damaged` when it is none.
 */
export function formatRecord(record: LedgerRecord, file: string): { readonly text: string; readonly record: LedgerRecord } {
  const parsed = ledgerRecordSchema.safeParse(record);
  if (!parsed.success) throw new FlinkError("ledger-record-damaged", { file, reason: problemOf(parsed.error) });
  const checked = keepUnknown(record, parsed.data, (kept) => kept[unknownFields]);
  return { text: `${jsonOf(checked, file)}\n`, record: freeze(checked) };
}

/** What was read may nest deeper than can be written: `JSON.stringify` and we ourselves descend into it. */
function jsonOf(record: LedgerRecord, file: string): string {
  try {
    return JSON.stringify(withUnknown(record), null, 2);
  } catch (error) {
    if (error instanceof RangeError) throw new FlinkError("ledger-record-damaged", { file, reason: "its fields nest too deep" }, { cause: error });
    throw error;
  }
}

/** Entries of a trail that are kept: the first tell where a record came from, the last what became of it. */
const [keptFirst, keptLast] = [20, 79];

/** Adds to a record's trail; in place of the middle of a long one stands how many entries were left out. */
export function withTrail<R extends LedgerRecord>(record: R, atMs: number, event: string): R {
  const trail = [...record.trail, { atMs, event }];
  if (trail.length <= keptFirst + 1 + keptLast) return { ...record, trail };
  const left = trail.slice(keptFirst, -keptLast);
  const count = left.reduce((sum, entry) => sum + Number(/^\((\d+) more\)$/.exec(entry.event)?.[1] ?? 1), 0);
  return { ...record, trail: [...trail.slice(0, keptFirst), { atMs: left.at(-1)?.atMs ?? atMs, event: `(${count} more)` }, ...trail.slice(-keptLast)] };
}

/**
 * Where an object of a record keeps the fields that a newer version wrote and this one does not know. A symbol, so that they go along when a record is copied
 * with changes, while nothing here can read them by a name, and no page, log or copied JSON shows them.
 */
const unknownFields = Symbol("fields of a newer version");
type Fields = Readonly<Record<string, unknown>> & { readonly [unknownFields]?: Readonly<Record<string, unknown>> };

/** Fields of a file's object that the schema left out. */
function leftOut(read: Fields, checked: Fields): Fields[typeof unknownFields] {
  const names = Object.keys(read).filter((name) => !Object.hasOwn(checked, name));
  return names.length === 0 ? undefined : Object.fromEntries(names.map((name) => [name, read[name]]));
}

/** Gives each object in `checked`, which the schema made of `source`, what is to be kept of the object it was made of. */
function keepUnknown<T>(source: unknown, checked: T, unknownOf: typeof leftOut): T {
  if (!isFields(source) || !isFields(checked)) return checked;
  const unknown = Array.isArray(source) ? undefined : unknownOf(source, checked);
  for (const name of Object.keys(checked)) keepUnknown(source[name], checked[name], unknownOf);
  return unknown === undefined ? checked : Object.assign(checked, { [unknownFields]: unknown });
}

/** A record with what was kept of a newer version's fields, as it goes to a file. */
function withUnknown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withUnknown);
  if (!isFields(value)) return value;
  return { ...Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withUnknown(each)])), ...value[unknownFields] };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function problemOf(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue === undefined ? "not a record" : `not a record: ${issue.path.map(String).join(".") || "the whole"}: ${issue.message}`;
}

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(freeze);
  }
  return value;
}
