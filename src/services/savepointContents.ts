import { isUsable, type SavepointRecord } from "../core/ledger/record";
import type { Ledger } from "../core/ledger/store";
import { operatorIdOf } from "../core/metadata/operatorId";
import type { InspectionService, OperatorState } from "./inspection";

/** Jobs whose newest savepoint is looked into, at most. */
const jobLimit = 8;
/** Savepoints that are asked for one operator, at most. */
const savepointLimit = 20;

/** The operators of a savepoint. */
export interface OperatorsOf {
  readonly record: SavepointRecord;
  /** Largest first. */
  readonly operators: readonly OperatorState[];
}

/** Those of the operators that none of these uids explains. Before 2.0 Flink did not write down which uid an operator has, so that its id must tell. */
export function unexplained(found: readonly OperatorsOf[], uids: Iterable<string>): readonly OperatorsOf[] {
  const known = new Set([...uids].map(operatorIdOf));
  return found.map(({ record, operators }) => ({ record, operators: operators.filter(({ id }) => !known.has(id)) })).filter(({ operators }) => operators.length > 0);
}

/** What the ledger's savepoints hold, as far as they can be read from here; each is read once. */
export class SavepointContents {
  readonly #ledger: Pick<Ledger, "all">;
  readonly #inspection: Pick<InspectionService, "stateIn">;
  readonly #read = new Map<string, Promise<readonly OperatorState[] | undefined>>();

  constructor(ledger: Pick<Ledger, "all">, inspection: Pick<InspectionService, "stateIn">) {
    this.#ledger = ledger;
    this.#inspection = inspection;
  }

  /** The newest savepoint of each job, newest first, with those of its operators that have state and, as far as it says, no uid. Savepoints without such operators are left out. */
  async list(): Promise<readonly OperatorsOf[]> {
    const newest = new Map<string, SavepointRecord>();
    for (const record of await this.#usable()) {
      const job = `${record.cluster.url} ${record.job.name}`;
      if (!newest.has(job)) newest.set(job, record);
    }
    const found: OperatorsOf[] = [];
    for (const record of [...newest.values()].slice(0, jobLimit)) {
      const operators = (await this.#operatorsOf(record))?.filter(({ uid }) => uid === null) ?? [];
      if (operators.length > 0) found.push({ record, operators });
    }
    return found;
  }

  /** The newest savepoints that hold state of the operator with this id, newest first, with its size. */
  async holding(id: string): Promise<readonly { readonly record: SavepointRecord; readonly sizeBytes: number }[]> {
    const found: { readonly record: SavepointRecord; readonly sizeBytes: number }[] = [];
    for (const record of (await this.#usable()).slice(0, savepointLimit)) {
      const held = (await this.#operatorsOf(record))?.find((operator) => operator.id === id);
      if (held !== undefined) found.push({ record, sizeBytes: held.sizeBytes });
    }
    return found;
  }

  /** Newest first. */
  async #usable(): Promise<SavepointRecord[]> {
    const records = (await this.#ledger.all()).filter((record): record is SavepointRecord => record.kind === "savepoint" && isUsable(record) && !record.forgotten);
    return records.sort((a, b) => (b.endedAtMs ?? b.requestedAtMs) - (a.endedAtMs ?? a.requestedAtMs));
  }

  #operatorsOf({ path }: SavepointRecord): Promise<readonly OperatorState[] | undefined> {
    if (path === null) return Promise.resolve(undefined);
    let read = this.#read.get(path);
    if (read === undefined) {
      read = this.#inspection.stateIn(path, AbortSignal.timeout(10_000)).catch(() => undefined);
      this.#read.set(path, read);
      // What could not be read now may be there later.
      void read.then((operators) => operators ?? this.#read.delete(path));
    }
    return read;
  }
}
