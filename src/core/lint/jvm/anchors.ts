import type { Expr, FileModel } from "./model";

/** What the offsets of a body count from: it moves as edits before the body move it, and is another one once the body itself is read anew. */
export interface Anchor {
  /** Offset in the file. */
  base: number;
  /** No other anchor has it. */
  readonly id: number;
}

const anchors = new WeakMap<Expr, Anchor>();
let last = 0;

/** Of what stands in no body. */
export const nowhere: Anchor = { base: 0, id: 0 };

/** The anchor of a body that stands at that offset now. */
export function anchorOf(body: Expr | undefined, base: number): Anchor {
  let anchor = body === undefined ? undefined : anchors.get(body);
  if (anchor === undefined) {
    anchor = { base, id: ++last };
    if (body !== undefined) anchors.set(body, anchor);
  }
  anchor.base = base;
  return anchor;
}

/** A stretch of a body, wherever that stands by now. */
export class AnchoredPlace {
  readonly file: FileModel;
  readonly anchor: Anchor;
  readonly #from: number;
  readonly #to: number;

  constructor(file: FileModel, anchor: Anchor, from: number, to: number) {
    this.file = file;
    this.anchor = anchor;
    this.#from = from;
    this.#to = to;
  }

  get start(): number {
    return this.anchor.base + this.#from;
  }

  get end(): number {
    return this.anchor.base + this.#to;
  }

  /** The same for the same start in the same body, and no other has it. */
  get key(): string {
    return `${this.anchor.id}:${this.#from}`;
  }
}
