import { isUsable, type SavepointRecord } from "../core/ledger/record";
import type { Ledger } from "../core/ledger/store";
import { operatorIdOf } from "../core/metadata/operatorId";
import type { InspectionService, OperatorState } from "./inspection";

/** Jobs whose newest savepoint is looked into, at most. */
const jobLimit = 8;

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
export class OldOperators {
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
    const records = (await this.#ledger.all()).filter((record): record is SavepointRecord => record.kind === "savepoint" && isUsable(record) && !record.forgotten);
    for (const record of records.sort((a, b) => (b.endedAtMs ?? b.requestedAtMs) - (a.endedAtMs ?? a.requestedAtMs))) {
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
