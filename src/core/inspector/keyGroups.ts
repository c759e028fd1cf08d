import type { KeyedHandle, Subtask } from "../metadata/handles";
import type { KeyGroupShares } from "./protocol";

/**
 * Bytes of managed keyed state over an operator's key groups. A stream of key groups tells exactly; of database files only the whole range of a
 * subtask is known, so their bytes are spread over it evenly.
 */
export class KeyGroupSums {
  readonly #sums: Float64Array;
  #exact = false;
  #spread = false;

  constructor(maxParallelism: number) {
    this.#sums = new Float64Array(Math.max(0, Math.min(maxParallelism, 1 << 15)));
  }

  add({ managedKeyed }: Subtask): void {
    if (managedKeyed !== null) this.#add(managedKeyed);
  }

  /** The sums in at most so many bars. */
  shares(bars: number): Omit<KeyGroupShares, "problems"> {
    const groups = this.#sums.length;
    const groupsPerBar = Math.max(1, Math.ceil(groups / bars));
    const heights = Array.from({ length: Math.ceil(groups / groupsPerBar) }, (_, bar) => sum(this.#sums.subarray(bar * groupsPerBar, (bar + 1) * groupsPerBar)));
    const total = sum(this.#sums);
    const largest = this.#sums.reduce((most, bytes) => Math.max(most, bytes), 0);
    return {
      from: this.#spread ? "subtask" : this.#exact ? "exact" : "none", maxParallelism: groups, bars: heights, groupsPerBar,
      skew: total > 0 ? largest / (total / groups) : null, empty: this.#sums.reduce((count, bytes) => count + (bytes === 0 ? 1 : 0), 0),
    };
  }

  #add(handle: KeyedHandle): void {
    if (handle.type === "changelog") {
      for (const inner of [...handle.materialized, ...handle.nonMaterialized]) this.#add(inner);
      return;
    }
    const size = Number(handle.sizeBytes);
    if (handle.type !== "keyGroups" || size < 0) return this.#spreadOver(handle.keyGroups.first, handle.keyGroups.count, Math.max(0, size));
    this.#exact = true;
    // Offsets of groups that hold something, in the order of their places; 0 and -1 stand for none.
    const { first, offsets } = handle.keyGroups;
    const starts = [...offsets].map((offset, i) => ({ group: first + i, offset: Number(offset) })).filter(({ offset }) => offset > 0).sort((a, b) => a.offset - b.offset);
    starts.forEach(({ group, offset }, i) => {
      const bytes = Math.max(0, (starts[i + 1]?.offset ?? size) - offset);
      if (group >= 0 && group < this.#sums.length) this.#sums[group] = (this.#sums[group] ?? 0) + bytes;
    });
  }

  #spreadOver(first: number, count: number, bytes: number): void {
    if (bytes > 0) this.#spread = true;
    const end = Math.min(first + count, this.#sums.length);
    for (let group = Math.max(0, first); group < end; group++) this.#sums[group] = (this.#sums[group] ?? 0) + bytes / count;
  }
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
