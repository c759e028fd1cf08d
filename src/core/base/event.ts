import type { Disposable } from "./disposable";

/** Subscribes a listener; shaped like VS Code's `Event`. */
export type Event<T> = (listener: (value: T) => void) => Disposable;

/**
 * Calls its listeners in order; a listener that throws does not keep the others from being called. What it throws goes to `onError`, or, when
 * none is given, to whoever fires.
 */
export class Emitter<T> implements Disposable {
  readonly #listeners = new Set<(value: T) => void>();

  readonly #onError: ((error: unknown) => void) | undefined;

  constructor(onError?: (error: unknown) => void) {
    this.#onError = onError;
  }

  readonly event: Event<T> = (listener) => {
    const own = (value: T): void => listener(value);
    this.#listeners.add(own);
    return { dispose: () => void this.#listeners.delete(own) };
  };

  fire(value: T): void {
    const thrown: unknown[] = [];
    for (const listener of [...this.#listeners]) {
      try {
        listener(value);
      } catch (error) {
        if (this.#onError) this.#onError(error);
        else thrown.push(error);
      }
    }
    if (thrown.length > 0) throw thrown[0];
  }

  dispose(): void {
    this.#listeners.clear();
  }
}
