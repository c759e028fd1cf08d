import type { Row } from "./row";

/** Where a tree's nodes come from. Fetching never rejects: what went wrong is a node of its own. */
export interface TreeSource<N> {
  children(parent: N | undefined): Promise<readonly N[]>;
  render(node: N): Row;
}

/** One row as VS Code knows it: the same object for the same id as long as the row is there. Menu commands get it and read `ref`. */
export interface Element<N> {
  readonly id: string;
  readonly parent: Element<N> | undefined;
  node: N;
  /** As it was last given out. */
  row: Row;
  get ref(): object | null;
  /** Undefined until asked for the first time. */
  children: readonly Element<N>[] | undefined;
  /** True while its children are shown. */
  open: boolean;
}

/**
 * What the view shows, kept apart from VS Code: it knows which rows were given out, fetches only below open rows, and tells exactly which rows
 * differ now. The whole tree is told to change only when the list at the root did; rows keep their identity, so nothing collapses.
 */
export class Tree<N extends { readonly id: string }> {
  readonly #source: TreeSource<N>;
  readonly #changed: (changed: readonly Element<N>[] | "root") => void;
  #roots: readonly Element<N>[] | undefined;
  #asked: Promise<void> = Promise.resolve();

  constructor(source: TreeSource<N>, changed: (changed: readonly Element<N>[] | "root") => void) {
    this.#source = source;
    this.#changed = changed;
  }

  /** The children to show below a row, or the roots. Fetches the first time; later they are what `update` found. */
  async children(parent?: Element<N>): Promise<readonly Element<N>[]> {
    if (parent) parent.open = true;
    const known = parent ? parent.children : this.#roots;
    if (known !== undefined) return known;
    const nodes = await this.#source.children(parent?.node);
    return this.#adopt(parent, nodes).list;
  }

  /** Tells that a row was opened or closed. What it showed when it was closed may be old, so opening looks again. */
  setOpen(element: Element<N>, open: boolean): void {
    const again = open && !element.open && element.children !== undefined;
    element.open = open;
    // What goes wrong shows at the next drawing, which tells.
    if (again) this.update(element.id).catch(() => undefined);
  }

  /** Fetches a row and what is open below it again (or everything), and tells what differs. Calls run one after another. */
  update(id?: string): Promise<void> {
    const run = this.#asked.then(() => this.#update(id));
    this.#asked = run.catch(() => undefined);
    return run;
  }

  /** Renders again what is open, without fetching: only time has passed. */
  rerender(): void {
    const changed: Element<N>[] = [];
    for (const element of this.shown()) if (this.#renderAgain(element)) changed.push(element);
    this.#tell(changed);
  }

  /** The rows that are given out and not inside a closed one. */
  *shown(below: readonly Element<N>[] = this.#roots ?? []): Iterable<Element<N>> {
    for (const element of below) {
      yield element;
      if (element.open && element.children) yield* this.shown(element.children);
    }
  }

  /** A row that was given out, open or not. */
  find(id: string): Element<N> | undefined {
    const search = (list: readonly Element<N>[]): Element<N> | undefined => {
      for (const element of list) {
        const found = element.id === id ? element : search(element.children ?? []);
        if (found) return found;
      }
      return undefined;
    };
    return search(this.#roots ?? []);
  }

  async #update(id: string | undefined): Promise<void> {
    const changed: Element<N>[] = [];
    if (id === undefined) {
      if (await this.#below(undefined, changed)) this.#changed("root");
      else this.#tell(changed);
      return;
    }
    const from = this.find(id);
    if (from === undefined) return;
    // A row is made of what its list was fetched with, so the list it stands in is fetched too, without what is below the others.
    const { list, listChanged } = this.#adopt(from.parent, await this.#source.children(from.parent?.node));
    for (const element of list) if (this.#renderAgain(element)) changed.push(element);
    if (list.includes(from) && (await this.#below(from, changed))) changed.push(from);
    if (listChanged && from.parent === undefined) this.#changed("root");
    else this.#tell(listChanged && from.parent ? [from.parent, ...changed] : changed);
  }

  /** Returns whether the list itself changed: something came, went or moved. */
  async #below(parent: Element<N> | undefined, changed: Element<N>[]): Promise<boolean> {
    if ((parent ? parent.children : this.#roots) === undefined) return false;
    const nodes = await this.#source.children(parent?.node);
    const { list, listChanged } = this.#adopt(parent, nodes);
    for (const element of list) {
      if (this.#renderAgain(element)) changed.push(element);
      if (element.open && (await this.#below(element, changed))) changed.push(element);
    }
    return listChanged;
  }

  #adopt(parent: Element<N> | undefined, nodes: readonly N[]): { readonly list: readonly Element<N>[]; readonly listChanged: boolean } {
    const before = (parent ? parent.children : this.#roots) ?? [];
    const known = new Map(before.map((element) => [element.id, element]));
    const list = nodes.map((node) => {
      const had = known.get(node.id);
      if (had) had.node = node;
      return had ?? this.#element(node, parent);
    });
    if (parent) parent.children = list;
    else this.#roots = list;
    return { list, listChanged: list.length !== before.length || list.some((element, index) => element !== before[index]) };
  }

  #element(node: N, parent: Element<N> | undefined): Element<N> {
    const row = this.#source.render(node);
    return {
      id: node.id, parent, node, row, children: undefined, open: false,
      get ref() {
        return this.row.ref;
      },
    };
  }

  #renderAgain(element: Element<N>): boolean {
    const row = this.#source.render(element.node);
    if (JSON.stringify(row) === JSON.stringify(element.row)) return false;
    element.row = row;
    return true;
  }

  /** A row that is told to change is drawn again with all below it, so only the topmost are told. */
  #tell(changed: readonly Element<N>[]): void {
    const all = new Set(changed);
    const inside = (element: Element<N>): boolean => element.parent !== undefined && (all.has(element.parent) || inside(element.parent));
    const topmost = [...all].filter((element) => !inside(element));
    if (topmost.length > 0) this.#changed(topmost);
  }
}
