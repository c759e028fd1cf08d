import { FlinkError } from "../core/errors";
import type { LedgerRecord } from "../core/ledger/record";
import type { Ledger } from "../core/ledger/store";
import type { Liveness } from "../core/ports";

/** A record that must be there. Throws `ledger-record-damaged` when it is gone, or of another kind. */
export async function readRecord<K extends LedgerRecord["kind"]>(ledger: Pick<Ledger, "get">, kind: K, id: string): Promise<Extract<LedgerRecord, { readonly kind: K }>> {
  const record = await ledger.get(id);
  if (record?.kind !== kind) throw new FlinkError("ledger-record-damaged", { file: id, reason: "the record vanished" });
  return record as Extract<LedgerRecord, { readonly kind: K }>;
}

/** How long a process of another machine must have been silent before what it left open is taken over: it can't be seen, and may still be at work. */
const otherHostPatienceMs = 10 * 60_000;

/** Whether another process may still be at work on what it last wrote down `silentMs` ago. */
export function mayBeAtWork(liveness: Liveness, silentMs: number, patienceMs = otherHostPatienceMs): boolean {
  return liveness === "alive" || (liveness === "other-host" && silentMs < patienceMs);
}
