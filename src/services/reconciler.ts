import { isAbort } from "../core/base/async";
import { DisposableStore, type Disposable } from "../core/base/disposable";
import { isOpen, type LedgerRecord, type RestoreRecord, type SavepointRecord } from "../core/ledger/record";
import type { Liveness, ProcessIdentity } from "../core/ports";
import type { DisposalService } from "./disposals";
import type { RestoreService } from "./restores";
import type { SavepointWorld } from "./savepoints";
import { mayBeAtWork } from "./takeover";

/**
 * After a restart, takes over what a dead process left open and finds out how it ended (safety rule 6). Only asks and follows; the one request
 * it could make, sending again, it never makes. A record has one follower: taking over is a compare-and-swap of its owner.
 */
export class Reconciler implements Disposable {
  readonly #world: SavepointWorld;
  readonly #restores: RestoreService;
  readonly #disposals: DisposalService;
  /** Whether the process that wrote a record is still at work on it. */
  readonly #liveness: (owner: ProcessIdentity) => Liveness;
  readonly #store = new DisposableStore();
  readonly #life = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  #reconciling: Promise<unknown> = Promise.resolve();

  constructor(world: SavepointWorld, restores: RestoreService, disposals: DisposalService, liveness: (owner: ProcessIdentity) => Liveness) {
    this.#world = world;
    this.#restores = restores;
    this.#disposals = disposals;
    this.#liveness = liveness;
  }

  /** Looks now, whenever a cluster comes back, and every half minute while anything is open elsewhere. */
  start(): void {
    this.#store.add(this.#world.clusters.onDidComeOnline(() => void this.reconcile().catch((error: unknown) => this.#world.log.warn("reconciling the ledger", error))));
    void this.#lookRepeatedly();
  }

  dispose(): void {
    this.#life.abort();
    this.#store.dispose();
  }

  /** Takes over every open record whose process is gone. Resolves to how many are open, when each has been taken over, not when each has ended. */
  reconcile(): Promise<number> {
    const mine = this.#reconciling.then(() => this.#reconcile());
    this.#reconciling = mine.catch(() => undefined);
    return mine;
  }

  async #reconcile(): Promise<number> {
    const { ledger, log } = this.#world;
    const known = new Set(this.#world.clusters.list().filter(({ removed }) => !removed).map(({ profile }) => profile.url));
    let open = 0;
    const records = await ledger.all();
    await this.#dropForsaken(records);
    for (const record of records) {
      if ((record.kind !== "savepoint" && record.kind !== "restore") || !isOpen(record)) continue;
      open++;
      if (this.#running.has(record.id) || !known.has(record.cluster.url) || this.#life.signal.aborted) continue;
      try {
        if (await this.#takeOver(record)) this.#resume(record);
      } catch (error) {
        log.warn(`taking over ${record.id}`, error);
      }
    }
    return open;
  }

  /** Drops starts after a rollback whose process died before it had written that rollback down: nobody goes on with them, and they would keep their savepoint for ever. */
  async #dropForsaken(records: readonly LedgerRecord[]): Promise<void> {
    // A record that can't be read may be the rollback's.
    if (this.#world.ledger.damaged().length > 0) return;
    const named = new Set(records.flatMap((record) => (record.kind === "rollback" ? (record.restoreId ?? []) : [])));
    for (const record of records) {
      if (record.kind !== "restore" || record.state !== "planned" || record.afterStop !== null || named.has(record.id)) continue;
      const liveness = this.#liveness(record.owner);
      if (liveness === "self" || mayBeAtWork(liveness, this.#world.clock.now() - (record.trail.at(-1)?.atMs ?? 0))) continue;
      await this.#restores.drop(record.id).catch((error: unknown) => this.#world.log.warn(`dropping ${record.id}`, error));
    }
  }

  /** Resolves when everything taken over so far has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  async #lookRepeatedly(): Promise<void> {
    const { clock, log } = this.#world;
    try {
      for (;;) {
        let open = 0;
        try {
          open = await this.reconcile();
        } catch (error) {
          log.warn("reconciling the ledger", error);
        }
        await clock.sleep(open > 0 ? 30_000 : 300_000, this.#life.signal);
      }
    } catch (error) {
      if (!isAbort(error)) throw error;
    }
  }

  /** True when this process may follow the record: it was the owner's who is gone (or on another machine), and nobody else was faster. */
  async #takeOver(record: SavepointRecord | RestoreRecord): Promise<boolean> {
    const { ledger, self } = this.#world;
    const disposal = record.kind === "savepoint" && record.disposal?.state === "requested" ? record.disposal : null;
    const owner = disposal?.owner ?? record.owner;
    const liveness = this.#liveness(owner);
    if (liveness === "self") return !this.#world.follower.isHeld(record.id);
    if (mayBeAtWork(liveness, this.#world.clock.now() - (record.trail.at(-1)?.atMs ?? 0))) return false;
    const taken = disposal !== null
      ? await ledger.update<SavepointRecord>(record.id, "taken over after a restart", (now) => (now.disposal?.state === "requested" && now.disposal.owner.instance === owner.instance ? { ...now, disposal: { ...now.disposal, owner: self } } : now))
      : record.kind === "savepoint"
        ? await ledger.update<SavepointRecord>(record.id, "taken over after a restart", (now) => (now.owner.instance === owner.instance ? { ...now, owner: self } : now))
        : await ledger.update<RestoreRecord>(record.id, "taken over after a restart", (now) => (now.owner.instance === owner.instance ? { ...now, owner: self } : now));
    const now = taken.kind === "savepoint" && taken.disposal?.state === "requested" ? taken.disposal.owner : taken.owner;
    return now.instance === self.instance;
  }

  #resume(record: SavepointRecord | RestoreRecord): void {
    const { follower, log } = this.#world;
    const work: Promise<unknown> =
      record.kind === "restore" ? (record.state === "running" ? this.#restores.starts.watchUntilSafe(record.id) : this.#restores.starts.follow(record.id))
      : record.disposal?.state === "requested" ? this.#disposals.follow(record.id)
      : follower.follow(record.id);
    const watched = work.then(() => undefined, (error: unknown) => {
      if (!isAbort(error)) log.info(`${record.id} has ended`, error);
    }).finally(() => this.#running.delete(record.id));
    this.#running.set(record.id, watched);
  }
}
