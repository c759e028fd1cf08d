import type { Event } from "../base/event";
import type { LedgerRecord } from "./record";

/** A file in the ledger's folder that is no readable record. It is kept, set aside and named. */
export interface DamagedRecord {
  /** Where the file lies now. */
  readonly file: string;
  readonly reason: string;
}

/**
 * The ledger: every savepoint and start of a job, and what else is to outlive a window (`LedgerRecord`), durable and shared by all windows and processes of this user.
 * A write resolves only when it would survive a power cut. Nothing is ever deleted.
 */
export interface Ledger {
  /** All readable records, as of now; other processes' writes included. */
  all(): Promise<readonly LedgerRecord[]>;
  get(id: string): Promise<LedgerRecord | undefined>;
  /** Writes a new record. Resolves to false, and writes nothing, when the id exists. Throws `ledger-unwritable`. */
  create(record: LedgerRecord): Promise<boolean>;
  /**
   * Changes a record by compare-and-swap: `change` gets the newest version and is called again when another process was faster.
   * It returns the changed record, or the same object for "nothing to do". `event` is added to the trail. Throws `ledger-unwritable`.
   */
  update<R extends LedgerRecord>(id: string, event: string, change: (record: R) => R): Promise<R>;
  /** Files that could not be read, with the reason. */
  damaged(): readonly DamagedRecord[];
  /** Fires with the ids that changed, by this process or (seen on the next read) by another. */
  readonly onDidChange: Event<readonly string[]>;
}
