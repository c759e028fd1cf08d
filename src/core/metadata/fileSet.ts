/**
 * Tells files apart by a 64-bit hash of their paths, in 8 bytes each instead of a string. The seed is drawn anew each time, so that nobody
 * can prepare paths that collide; by chance, ten million files share a hash with a probability of one in 300,000.
 */
export class FileSet {
  readonly seed: number;
  #slots = new Uint32Array(128);
  #size = 0;

  constructor() {
    this.seed = Math.floor(Math.random() * 2 ** 32);
  }

  get size(): number {
    return this.#size;
  }

  /** False when the hash was there already. */
  add(low: number, high: number): boolean {
    // 0, 0 marks a free slot.
    const a = low | 0 || 0x6b43a9b5;
    const b = high | 0;
    if (!put(this.#slots, a, b)) return false;
    this.#size++;
    if (this.#size * 3 > this.#slots.length) this.#grow();
    return true;
  }

  #grow(): void {
    const before = this.#slots;
    // Putting all in anew takes time; while the table is small (1 MB) it is done half as often.
    const after = new Uint32Array(before.length * (before.length < 1 << 18 ? 4 : 2));
    for (let at = 0; at < before.length; at += 2) if (before[at] !== 0) put(after, (before[at] ?? 0) | 0, (before[at + 1] ?? 0) | 0);
    this.#slots = after;
  }
}

function put(slots: Uint32Array, a: number, b: number): boolean {
  const mask = slots.length - 2;
  for (let at = (a ^ (b << 3)) << 1 & mask; ; at = at + 2 & mask) {
    const there = slots[at] ?? 0;
    if (there === 0) {
      slots[at] = a;
      slots[at + 1] = b;
      return true;
    }
    if ((there | 0) === a && ((slots[at + 1] ?? 0) | 0) === b) return false;
  }
}
