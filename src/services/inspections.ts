import type { Disposable } from "../core/base/disposable";
import { FlinkError } from "../core/errors";
import { explain } from "../core/explain";
import type { InspectionApi } from "../core/inspector/protocol";
import type { Clock, Log, StartInspection, Thread } from "../core/ports";
import { connect, type Client, type WireError } from "../core/rpc";

/** After so long without a question the thread and what it has read are let go; the next question reads again. */
const idleMs = 120_000;

/**
 * One savepoint under inspection. It has a thread of its own, so that one that runs out of memory takes no other with it and closing the
 * document frees everything; the thread is started by the first question, and again by the first one after it ended.
 */
export class Inspection implements Disposable {
  readonly location: string;
  readonly #start: StartInspection;
  readonly #clock: Clock;
  readonly #log: Log;
  #running: { readonly thread: Thread; readonly client: Client<InspectionApi, Record<never, never>> } | undefined;
  #open = 0;
  #rest: AbortController | undefined;

  constructor(location: string, start: StartInspection, clock: Clock, log: Log) {
    this.location = location;
    this.#start = start;
    this.#clock = clock;
    this.#log = log;
  }

  /** Asks the thread. Rejects with `RemoteError`: its own errors, or `inspection-ended`; and with the signal's reason. */
  async ask<K extends keyof InspectionApi>(method: K, params: Parameters<InspectionApi[K]>[0], signal?: AbortSignal): Promise<ReturnType<InspectionApi[K]>> {
    this.#open++;
    this.#rest?.abort();
    try {
      return await this.#client().call(method, params, signal);
    } finally {
      this.#open--;
      if (this.#open === 0 && this.#running !== undefined) this.#restLater();
    }
  }

  /** Lets go of what was read: the file is another now. */
  forget(): void {
    this.#rest?.abort();
    const { thread, client } = this.#running ?? {};
    this.#running = undefined;
    client?.dispose();
    thread?.end();
  }

  dispose(): void {
    this.forget();
  }

  #client(): Client<InspectionApi, Record<never, never>> {
    if (this.#running !== undefined) return this.#running.client;
    const thread = this.#start(this.location);
    const client = connect<InspectionApi>(thread.port);
    const running = { thread, client };
    this.#running = running;
    void thread.gone.then((end) => {
      if (this.#running === running) this.#running = undefined;
      if (end.how === "ended") return client.dispose();
      this.#log.error(`inspecting ${this.location}: the thread ended`, end.error);
      client.dispose(this.#endedBy(end.how));
    });
    return client;
  }

  #endedBy(reason: "memory" | "crash"): WireError {
    return { code: "inspection-ended", sentence: explain(new FlinkError("inspection-ended", { location: this.location, reason })).message };
  }

  #restLater(): void {
    const rest = new AbortController();
    this.#rest = rest;
    this.#clock.sleep(idleMs, rest.signal).then(() => this.forget(), () => undefined);
  }
}
