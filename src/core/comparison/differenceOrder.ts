import type { DifferenceColumn, DifferenceQuery, DifferenceRow } from "./protocol";

/** The places of the rows that a query lets through, in its order. */
export function differenceOrder(rows: readonly DifferenceRow[], { sort, filter, changesOnly }: Pick<DifferenceQuery, "sort" | "filter" | "changesOnly">): readonly number[] {
  const words = filter.trim().toLowerCase().split(/\s+/).filter((word) => word !== "");
  const fits = rows.filter((row) => (!changesOnly || row.change !== "same") && words.every((word) => textOf(row).includes(word)));
  const sign = sort.descending ? -1 : 1;
  const compare = comparers[sort.by];
  return [...fits].sort((a, b) => sign * compare(a, b) || Math.abs(b.deltaBytes) - Math.abs(a.deltaBytes) || a.at - b.at).map(({ at }) => at);
}

/** What an operator is called: its name, else its uid, else its id; that of the right side where it changed. */
export function differenceName({ left, right }: Pick<DifferenceRow, "left" | "right">): string {
  return right?.name ?? left?.name ?? right?.uid ?? left?.uid ?? right?.id ?? left?.id ?? "";
}

/** How much a row says: an operator that is gone or new, then changed in its shape, then in its states, then in size only. */
export function weightOf({ change, changes, states }: DifferenceRow): number {
  if (change === "added" || change === "removed") return 4;
  if (changes.some((one) => one !== "size" && one !== "states")) return 3;
  if (states !== null && states.added + states.removed + states.changed > 0) return 2;
  return changes.length > 0 ? 1 : 0;
}

function textOf(row: DifferenceRow): string {
  return [row.left, row.right].flatMap((side) => (side === null ? [] : [side.name ?? "", side.uid ?? "", side.id])).join("\n").toLowerCase();
}

type Compare = (a: DifferenceRow, b: DifferenceRow) => number;

const by = (value: (row: DifferenceRow) => number): Compare => (a, b) => value(a) - value(b);

const comparers: Readonly<Record<DifferenceColumn, Compare>> = {
  change: by(weightOf),
  name: (a, b) => {
    const [one, other] = [differenceName(a).toLowerCase(), differenceName(b).toLowerCase()];
    return one < other ? -1 : one > other ? 1 : 0;
  },
  left: by(({ left }) => left?.sizeBytes ?? -1),
  right: by(({ right }) => right?.sizeBytes ?? -1),
  delta: by(({ deltaBytes }) => deltaBytes),
  parallelism: by(({ left, right }) => (right ?? left)?.parallelism ?? 0),
  maxParallelism: by(({ left, right }) => (right ?? left)?.maxParallelism ?? 0),
  states: by(({ states }) => (states === null ? -1 : states.added + states.removed + states.changed)),
};
