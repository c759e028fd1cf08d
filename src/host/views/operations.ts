import { DisposableStore, type Disposable } from "../../core/base/disposable";
import { Emitter } from "../../core/base/event";
import type { Ledger } from "../../core/ledger/store";
import type { Log } from "../../core/ports";
import type { Operation } from "../../core/ledger/queries";
import type { JobService } from "../../services/jobs";

/** What is under way on all clusters, kept current by the ledger. */
export class Operations implements Disposable {
  readonly #jobs: JobService;
  readonly #log: Log;
  readonly #changed = new Emitter<undefined>();
  readonly #held = new DisposableStore();
  #list: readonly Operation[] = [];

  /** Fires when an operation began or ended. */
  readonly onDidChange = this.#changed.event;

  constructor(jobs: JobService, ledger: Ledger, log: Log) {
    this.#jobs = jobs;
    this.#log = log;
    this.#held.add(ledger.onDidChange(() => void this.look()));
    this.#held.add(this.#changed);
  }

  /** As of the last look, oldest first. */
  get list(): readonly Operation[] {
    return this.#list;
  }

  /** Reads the ledger. The first look is left to the caller, since activation reads nothing. */
  async look(): Promise<void> {
    try {
      const list = await this.#jobs.operations();
      const same = JSON.stringify(list) === JSON.stringify(this.#list);
      this.#list = list;
      if (!same) this.#changed.fire(undefined);
    } catch (error) {
      this.#log.warn("looking for running operations", error);
    }
  }

  dispose(): void {
    this.#held.dispose();
  }
}
