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
  return { kind: "record", record: freeze(parsed.data) };
}

/** A record as it is written: checked against the schema and laid out for people. Throws `ledger-record-damaged` when it is none. */
export function formatRecord(record: LedgerRecord, file: string): { readonly text: string; readonly record: LedgerRecord } {
  const parsed = ledgerRecordSchema.safeParse(record);
  if (!parsed.success) throw new FlinkError("ledger-record-damaged", { file, reason: problemOf(parsed.error) });
  return { text: `${JSON.stringify(parsed.data, null, 2)}\n`, record: freeze(parsed.data) };
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
