import type { Disposable } from "../core/base/disposable";
import { FlinkError } from "../core/errors";
import { explain } from "../core/explain";
import type { Clock, Log, Thread } from "../core/ports";
import { connect, type Client, type WireError } from "../core/rpc";

/** After so long without a question the thread and what it has read are let go; the next question reads again. */
const idleMs = 120_000;

/**
 * Questions to a thread of their own, so that one that runs out of memory takes no other with it and disposing frees everything. The thread is
 * started by the first question, and again by the first one after it ended.
 */
export class ThreadSession<Api extends { readonly [K in keyof Api]: (params: never) => unknown }> implements Disposable {
  /** What the thread reads, in sentences. */
  readonly location: string;
  readonly #start: () => Thread;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #answer: ((port: Thread["port"]) => Disposable) | undefined;
  #running: { readonly thread: Thread; readonly client: Client<Api, Record<never, never>> } | undefined;
  #open = 0;
  #rest: AbortController | undefined;

  /** `answer` serves what the thread asks back. */
  constructor(location: string, start: () => Thread, clock: Clock, log: Log, answer?: (port: Thread["port"]) => Disposable) {
    this.location = location;
    this.#start = start;
    this.#clock = clock;
    this.#log = log;
    this.#answer = answer;
  }

  /** Asks the thread. Rejects with `RemoteError`: its own errors, or `inspection-ended`; and with the signal's reason. */
  async ask<K extends keyof Api & string>(method: K, params: Parameters<Api[K]>[0], signal?: AbortSignal): Promise<ReturnType<Api[K]>> {
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

  #client(): Client<Api, Record<never, never>> {
    if (this.#running !== undefined) return this.#running.client;
    const thread = this.#start();
    const client = connect<Api>(thread.port);
    const answering = this.#answer?.(thread.port);
    const running = { thread, client };
    this.#running = running;
    void thread.gone.then((end) => {
      if (this.#running === running) this.#running = undefined;
      answering?.dispose();
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
