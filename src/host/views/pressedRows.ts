/** For how long a pressed row waits for its verb, which comes with it. */
const patienceMs = 5_000;

/**
 * Which row a key was pressed on. VS Code tells an extension of the selection only, while arrow keys move the focus alone; and by the time that the extension
 * is asked, the focus may be on another row. So a keybinding has VS Code itself toggle the row with the focus in the selection, twice, before it runs the verb:
 * the selection is what it was, and here the same row is seen to change in it twice.
 */
export class PressedRows<E extends { readonly id: string }> {
  readonly #nowMs: () => number;
  #selection: readonly E[] = [];
  #toggled: E | undefined;
  #pressed: { readonly row: E; readonly atMs: number }[] = [];

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** To be told of every change of the selection, in its order. */
  selected(selection: readonly E[]): void {
    const before = new Set(this.#selection.map(({ id }) => id));
    const after = new Set(selection.map(({ id }) => id));
    const [row, another] = [...selection.filter(({ id }) => !before.has(id)), ...this.#selection.filter(({ id }) => !after.has(id))];
    this.#selection = selection;
    if (row === undefined) return;
    const isPressed = another === undefined && row.id === this.#toggled?.id;
    if (isPressed) this.#pressed.push({ row, atMs: this.#nowMs() });
    this.#toggled = isPressed || another !== undefined ? undefined : row;
  }

  /** The row that the key of the verb which runs now was pressed on; undefined when there was none, or more than one it can be: then the verb has to ask. */
  take(): E | undefined {
    const sinceMs = this.#nowMs() - patienceMs;
    const [pressed, another] = this.#pressed.filter(({ atMs }) => atMs >= sinceMs);
    this.#pressed = [];
    return another === undefined ? pressed?.row : undefined;
  }
}
