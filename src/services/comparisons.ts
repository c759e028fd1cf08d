import type { ComparisonApi } from "../core/comparison/protocol";
import type { Clock, Log, Thread } from "../core/ports";
import { ThreadSession } from "./threadSession";

/** Where two snapshots lie. */
export interface ComparedLocations {
  readonly left: string;
  readonly right: string;
}

/** Starts the thread that compares two snapshots. Does not wait for it. */
export type StartComparison = (locations: ComparedLocations) => Thread;

/** Two savepoints that are compared; also the way to the text of one. */
export class ComparisonService {
  readonly #start: StartComparison;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(start: StartComparison, clock: Clock, log: Log) {
    this.#start = start;
    this.#clock = clock;
    this.#log = log;
  }

  /** Begins to compare, on a thread of its own. Whoever asked disposes of it. */
  compare(locations: ComparedLocations): ThreadSession<ComparisonApi> {
    const { left, right } = locations;
    return new ThreadSession(left === right ? left : `${left} and ${right}`, () => this.#start(locations), this.#clock, this.#log);
  }

  /** A savepoint as text, see `metadataText`. Rejects as `ThreadSession.ask` does. */
  async textOf(location: string, order: "name" | "id", signal: AbortSignal): Promise<string> {
    const session = this.compare({ left: location, right: location });
    try {
      return await session.ask("text", { side: "left", order }, signal);
    } finally {
      session.dispose();
    }
  }
}
