/** Something that holds a resource until it is disposed; shaped like VS Code's. */
export interface Disposable {
  dispose(): void;
}

/** Disposes what it holds, newest first. What arrives after disposal is disposed at once, so nothing leaks in a race. */
export class DisposableStore implements Disposable {
  readonly #held: Disposable[] = [];
  #disposed = false;

  add<T extends Disposable>(item: T): T {
    if (this.#disposed) item.dispose();
    else this.#held.push(item);
    return item;
  }

  dispose(): void {
    this.#disposed = true;
    for (const item of this.#held.splice(0).reverse()) item.dispose();
  }
}
