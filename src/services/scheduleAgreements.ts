import type { Disposable } from "../core/base/disposable";
import { Emitter } from "../core/base/event";
import { recordVersion, type AgreementRecord } from "../core/ledger/record";
import type { Ledger } from "../core/ledger/store";
import type { Clock, Log, ProcessIdentity } from "../core/ports";
import { agreementRecordId, agreementText, changesSince } from "../core/schedule/agreement";
import type { ScheduleInForce } from "../core/schedule/tick";

/** At most so many versions of one schedule stay agreed to, the newest: a branch that is checked out again asks nothing. */
const mostTexts = 20;

/**
 * Which schedules of shared files somebody on this machine agreed to, each as it said then. A commit that is pulled is nobody's agreement: it could have every
 * teammate's editor take savepoints into a directory of its author's choosing.
 */
export class ScheduleAgreements implements Disposable {
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #self: ProcessIdentity;
  readonly #changed: Emitter<undefined>;
  readonly #watching: Disposable;
  #agreed: ReadonlyMap<string, readonly string[]> = new Map();

  /** Fires when somebody agreed, in any window. */
  readonly onDidChange;

  constructor({ ledger, clock, log, self }: { readonly ledger: Ledger; readonly clock: Clock; readonly log: Log; readonly self: ProcessIdentity }) {
    this.#ledger = ledger;
    this.#clock = clock;
    this.#self = self;
    this.#changed = new Emitter((error) => log.error("a listener to agreements", error));
    this.onDidChange = this.#changed.event;
    this.#watching = ledger.onDidChange(() => void this.read().catch((error: unknown) => log.warn("reading agreements", error)));
  }

  /** Reads the ledger; before that nothing counts as agreed to. */
  async read(): Promise<void> {
    const agreed = new Map((await this.#ledger.all()).flatMap((record) => (record.kind === "agreement" ? [[record.id, record.agreed.map(({ text }) => text)] as const] : [])));
    const isSame = JSON.stringify([...agreed]) === JSON.stringify([...this.#agreed]);
    this.#agreed = agreed;
    if (!isSame) this.#changed.fire(undefined);
  }

  isAgreed(inForce: ScheduleInForce): boolean {
    return this.#agreed.get(agreementRecordId(inForce.key))?.includes(agreementText(inForce)) === true;
  }

  /** What it says otherwise than what was agreed to last, a line for each property; null when nobody ever agreed to it. */
  changes(inForce: ScheduleInForce): readonly string[] | null {
    const text = this.#agreed.get(agreementRecordId(inForce.key))?.at(-1);
    return text === undefined ? null : changesSince(text, inForce);
  }

  /** Lets a schedule run as it is, on this machine. */
  async agree(inForce: ScheduleInForce): Promise<void> {
    const { key, cluster, schedule } = inForce;
    const agreed = { text: agreementText(inForce), atMs: this.#clock.now() };
    const id = agreementRecordId(key);
    const created = await this.#ledger.create({ kind: "agreement", version: recordVersion, id, cluster: { name: schedule.cluster, url: cluster }, jobName: schedule.job, scheduleName: schedule.name, agreed: [agreed], owner: this.#self, trail: [{ atMs: agreed.atMs, event: "agreed to" }] });
    if (!created) await this.#ledger.update<AgreementRecord>(id, "agreed to as it is now", (record) => ({ ...record, agreed: [...record.agreed.filter(({ text }) => text !== agreed.text), agreed].slice(-mostTexts) }));
    await this.read();
  }

  dispose(): void {
    this.#watching.dispose();
    this.#changed.dispose();
  }
}
