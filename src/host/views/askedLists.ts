import { isAbort } from "../../core/base/async";
import type { Disposable } from "../../core/base/disposable";
import { Emitter } from "../../core/base/event";
import { FlinkError, isFlinkError } from "../../core/errors";
import type { Part } from "../../core/paimon/tableSource";
import type { Clock, Log } from "../../core/ports";

/** A list that is asked for and takes seconds, as it is known. */
export interface AskedList<T> {
  /** Undefined until it was told for the first time. */
  readonly part: Part<T> | undefined;
  readonly failure: FlinkError | undefined;
  /** True while it is being asked for. */
  readonly isAsking: boolean;
}

/** A row that stays open is asked for again after so long, milliseconds: each answer is a job of somebody's cluster. */
const keptMs = 10 * 60_000;

interface Known {
  readonly asked: AskedList<unknown>;
  readonly most: number;
  readonly atMs: number;
  readonly leave: AbortController;
}

/**
 * Lists that a SQL Gateway tells. The tree draws one row after another, so none of them waits: what is known is shown at once, and the row is drawn again when
 * the answer is there. What nobody looks at any more is given up.
 */
export class AskedLists implements Disposable {
  readonly #known = new Map<string, Known>();
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #changed: Emitter<string>;

  /** Fires with the id of a row whose list is another. */
  readonly onDidChange;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
    this.#changed = new Emitter((error) => log.error("a listener to lists of a gateway", error));
    this.onDidChange = this.#changed.event;
  }

  /** The list of a row, as far as it is known; asks for it if that is not lately. `most`: how many of it are wanted. */
  of<T>(id: string, most: number, ask: (signal: AbortSignal) => Promise<Part<T>>): AskedList<T> {
    const known = this.#known.get(id);
    const isDue = known === undefined || known.most !== most || (!known.asked.isAsking && this.#clock.now() - known.atMs >= keptMs);
    if (!isDue) return known.asked as AskedList<T>;
    known?.leave.abort();
    const leave = new AbortController();
    const asked: AskedList<T> = { part: known?.asked.part as Part<T> | undefined, failure: undefined, isAsking: true };
    this.#known.set(id, { asked, most, atMs: this.#clock.now(), leave });
    const settle = (part: Part<T> | undefined, failure: FlinkError | undefined): void => {
      if (this.#known.get(id)?.leave !== leave) return;
      this.#known.set(id, { asked: { part, failure, isAsking: false }, most, atMs: this.#clock.now(), leave });
      this.#changed.fire(id);
    };
    ask(leave.signal).then((part) => settle(part, undefined), (error: unknown) => {
      if (leave.signal.aborted || isAbort(error)) return;
      if (!isFlinkError(error)) this.#log.error(`asking for ${id}`, error);
      settle(undefined, isFlinkError(error) ? error : new FlinkError("unexpected-reply", { url: "", detail: error instanceof Error ? error.message : String(error) }));
    });
    return asked;
  }

  /** Gives up what is asked for rows that are not open any more; when they are opened again they ask again. */
  keep(isOpen: (id: string) => boolean): void {
    for (const [id, { asked, leave }] of this.#known) {
      if (!asked.isAsking || isOpen(id)) continue;
      leave.abort();
      this.#known.delete(id);
    }
  }

  /** Has every list asked for anew when it is looked at next; what is known is shown until then. */
  forget(): void {
    for (const [id, known] of this.#known) if (!known.asked.isAsking) this.#known.set(id, { ...known, atMs: -Infinity });
  }

  dispose(): void {
    for (const { leave } of this.#known.values()) leave.abort();
    this.#known.clear();
    this.#changed.dispose();
  }
}
