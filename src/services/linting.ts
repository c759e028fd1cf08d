import type { Disposable } from "../core/base/disposable";
import { Emitter } from "../core/base/event";
import { FlinkError } from "../core/errors";
import { explain } from "../core/explain";
import type { LintApi, LintEvents } from "../core/lint/protocol";
import type { Clock, Log, Thread } from "../core/ports";
import { connect, type Client } from "../core/rpc";

/** Memory of the parsers is never given back, so a thread that has read so many texts is replaced when it has nothing to do. */
const textsPerThread = 4_000;
/** An end within this time of an earlier one is the second of the same trouble. */
const sameTroubleMs = 10 * 60_000;
/** A document takes milliseconds; a thread that does not answer for so long never will. */
const silenceMs = 60_000;

/** One life of the thread: what was opened in it is forgotten with it. */
export interface LintThread {
  /** Rejects with `RemoteError`, code `closed` when the thread has ended, and with the signal's reason. */
  ask<K extends keyof LintApi & string>(method: K, params: Parameters<LintApi[K]>[0], signal?: AbortSignal): Promise<ReturnType<LintApi[K]>>;
}

interface Life extends LintThread {
  readonly thread: Thread;
  readonly client: Client<LintApi, LintEvents>;
  texts: number;
  open: number;
}

/** The thread that lints: started when it is first asked for, again after a crash, and no more when it crashes again soon after. */
export class LintService implements Disposable {
  readonly #start: () => Thread;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #ended = new Emitter<undefined>();
  readonly #indexing = new Emitter<LintEvents["indexing"]>();
  #life: Life | undefined;
  #troubleAtMs: number | undefined;
  #rests: FlinkError<"lint-ended"> | undefined;

  /** Fires when the thread ended on its own and may be asked for again. */
  readonly onDidEnd = this.#ended.event;
  readonly onIndexing = this.#indexing.event;

  constructor(start: () => Thread, clock: Clock, log: Log) {
    this.#start = start;
    this.#clock = clock;
    this.#log = log;
  }

  /** The thread that runs, or a new one, which knows nothing yet. Throws `lint-ended` once it crashed twice. */
  thread(): LintThread {
    if (this.#rests !== undefined) throw this.#rests;
    if (this.#life !== undefined && this.#life.open === 0 && this.#life.texts >= textsPerThread) this.stop();
    return this.#life ??= this.#begin();
  }

  /** Ends the thread, and forgets earlier crashes; it is started when it is asked for again. */
  stop(): void {
    this.#rests = undefined;
    this.#troubleAtMs = undefined;
    const life = this.#life;
    this.#life = undefined;
    life?.client.dispose();
    life?.thread.end();
  }

  dispose(): void {
    this.stop();
    this.#ended.dispose();
    this.#indexing.dispose();
  }

  #begin(): Life {
    const thread = this.#start();
    const client = connect<LintApi, LintEvents>(thread.port);
    client.on("indexing", (state) => this.#indexing.fire(state));
    client.on("failed", ({ path, reason }) => this.#log.error(`linting ${path}`, reason));
    const life: Life = { thread, client, texts: 0, open: 0, ask: (method, params, signal) => this.#ask(life, method, params, signal) };
    void thread.gone.then((end) => {
      if (end.how !== "ended") this.#lost(life, end.how, end.error);
    });
    return life;
  }

  async #ask<K extends keyof LintApi & string>(life: Life, method: K, params: Parameters<LintApi[K]>[0], signal?: AbortSignal): Promise<ReturnType<LintApi[K]>> {
    life.open++;
    if (method === "open" || method === "edit") life.texts++;
    const answered = new AbortController();
    if (method !== "index") {
      this.#clock.sleep(silenceMs, answered.signal).then(() => {
        this.#lost(life, "silence", new Error(`no answer to ${method} within ${silenceMs} ms`));
        life.thread.end();
      }, () => undefined);
    }
    try {
      return await life.client.call(method, params, signal);
    } finally {
      life.open--;
      answered.abort();
    }
  }

  #lost(life: Life, how: "memory" | "crash" | "silence", error: unknown): void {
    if (this.#life !== life) return;
    this.#life = undefined;
    this.#log.error(`the lint's thread ended (${how})`, error);
    const now = this.#clock.now();
    if (this.#troubleAtMs !== undefined && now - this.#troubleAtMs < sameTroubleMs) {
      this.#rests = new FlinkError("lint-ended", { reason: how });
      this.#log.error(explain(this.#rests).message);
    }
    this.#troubleAtMs = now;
    life.client.dispose();
    if (this.#rests === undefined) this.#ended.fire(undefined);
  }
}
