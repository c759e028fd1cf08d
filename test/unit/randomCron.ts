import { cronFields, cronRanges, readCron, type Cron } from "../../src/core/schedule/cron";

/** A valid expression, of every construct that there is. `random` gives numbers in [0, 1). */
export function randomCron(random: () => number): Cron {
  const up = (to: number): number => Math.floor(random() * to);
  for (;;) {
    const text = cronFields.map((field) => {
      const { min, max, names } = cronRanges[field];
      const value = (): number => min + up(max - min + 1);
      const named = (number: number): string => (names.length > 0 && random() < 0.3 ? (names[number - min] ?? "") : String(number));
      if (random() < (field === "minute" ? 0.1 : 0.5)) return "*";
      return Array.from({ length: 1 + up(3) }, () => {
        const [low = min, high = max] = [value(), value()].sort((a, b) => a - b);
        return [named(low), `${named(low)}-${named(high)}`, `${low}/${1 + up(max - min)}`, `*/${1 + up(max - min)}`, `${low}-${high}/${1 + up(max - min)}`][up(5)] ?? "";
      }).join(",");
    }).join(" ");
    const { cron } = readCron(text);
    if (cron !== undefined) return cron;
  }
}
