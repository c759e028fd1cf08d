import { cpus, loadavg } from "node:os";

/** Figures of a benchmark with their goals; printed as a table, and the process fails when a goal was missed. */
export class Figures {
  readonly #rows: { readonly what: string; readonly figure: string; readonly goal: string; readonly kept: boolean }[] = [];

  /** Notes a figure; `goal` says what it has to be, in words, and `kept` whether it is. */
  add(what: string, figure: string, goal?: { readonly text: string; readonly kept: boolean }): void {
    this.#rows.push({ what, figure, goal: goal?.text ?? "", kept: goal?.kept ?? true });
  }

  /** Prints the table in Markdown, and how busy the machine was: figures of time mean nothing without. */
  print(title: string): void {
    const busy = loadavg().slice(0, 2).map((load) => load.toFixed(1)).join(" and ");
    console.log(`\n${title} (${cpus().length} processors ${cpus()[0]?.model ?? ""}, load ${busy} in the last minute and five)\n\n| what | measured | goal |\n|---|---|---|`);
    for (const { what, figure, goal, kept } of this.#rows) console.log(`| ${what} | ${figure} | ${goal}${kept ? "" : " **missed**"} |`);
    console.log("");
    if (this.#rows.some(({ kept }) => !kept)) process.exitCode = 1;
  }
}

/** The middle of some numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** `12.3 ms`. */
export function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}
