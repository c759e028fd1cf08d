import { FlinkError } from "../core/errors";
import type { LedgerRecord } from "../core/ledger/record";
import type { Ledger } from "../core/ledger/store";

/** A record that must be there. Throws `ledger-record-damaged` when it is gone, or of another kind. */
export async function readRecord<K extends LedgerRecord["kind"]>(ledger: Pick<Ledger, "get">, kind: K, id: string): Promise<Extract<LedgerRecord, { readonly kind: K }>> {
  const record = await ledger.get(id);
  if (record?.kind !== kind) throw new FlinkError("ledger-record-damaged", { file: id, reason: "the record vanished" });
  return record as Extract<LedgerRecord, { readonly kind: K }>;
}
