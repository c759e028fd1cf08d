import type { Metadata } from "../metadata/metadata";
import { operatorIdOf } from "../metadata/operatorId";
import { sizeKinds, type SizeKind } from "../metadata/scanIndex";
import type { OperatorColumn, OperatorPage, OperatorQuery, OperatorRow } from "./protocol";
import { channelBytes, rawBytes } from "./sizes";
import { automaticFilter, otherIdFilter } from "./filters";

/** The operator table in any order and filter. An order is kept until another is asked for, so that scrolling costs nothing. */
export class OperatorRows {
  readonly #metadata: Metadata;
  readonly #rows: readonly OperatorRow[];
  #key = "";
  #order: readonly number[] = [];

  constructor(metadata: Metadata) {
    this.#metadata = metadata;
    const total = Number(metadata.totals.stateBytes);
    this.#rows = Array.from({ length: metadata.operators.count }, (_, row) => this.#row(row, total));
  }

  get all(): readonly OperatorRow[] {
    return this.#rows;
  }

  get(row: number): OperatorRow | undefined {
    return this.#rows[row];
  }

  page(query: OperatorQuery): OperatorPage {
    const order = this.#ordered(query);
    const selectedAt = query.selected === null ? -1 : order.indexOf(query.selected);
    return {
      total: order.length, from: query.from, selectedAt: selectedAt < 0 ? null : selectedAt,
      rows: order.slice(query.from, query.from + query.limit).flatMap((row) => this.#rows[row] ?? []),
    };
  }

  #ordered({ sort, filter }: OperatorQuery): readonly number[] {
    const key = `${sort.by} ${sort.descending} ${filter}`;
    if (key === this.#key) return this.#order;
    const fits = matcher(filter);
    const rows = this.#rows.filter(fits);
    const { value, text } = columns[sort.by];
    const sign = sort.descending ? -1 : 1;
    rows.sort((a, b) => sign * (text === undefined ? value(a) - value(b) : compare(text(a), text(b))) || a.row - b.row);
    this.#key = key;
    return (this.#order = rows.map(({ row }) => row));
  }

  #row(row: number, total: number): OperatorRow {
    const { operators } = this.#metadata;
    const entry = operators.get(row);
    const sizes = Object.fromEntries(sizeKinds.map((kind) => [kind, Number(entry.sizes[kind])])) as Record<SizeKind, number>;
    const sizeBytes = Number(entry.sizeBytes);
    return {
      row, id: entry.id, name: entry.name, uid: entry.uid, uidMatches: operators.uidMatches(row) ?? null, parallelism: entry.parallelism, maxParallelism: entry.maxParallelism,
      subtasks: entry.subtaskCount, finished: entry.fullyFinished, sizes, sizeBytes, share: total > 0 ? Math.max(0, sizeBytes / total) : 0,
      skew: skewOf(operators.subtaskSizes(row), entry.parallelism), whole: entry.whole,
    };
  }
}

/** Largest against the mean of all `parallelism` subtasks, those without state included; null when there is no state. */
export function skewOf(sizes: Float64Array, parallelism: number): number | null {
  let largest = 0;
  let sum = 0;
  for (const size of sizes) {
    if (size > largest) largest = size;
    sum += Math.max(0, size);
  }
  const count = Math.max(parallelism, sizes.length);
  return sum > 0 && count > 0 ? largest / (sum / count) : null;
}

interface Column {
  value(row: OperatorRow): number;
  text?(row: OperatorRow): string;
}

const columns: Readonly<Record<OperatorColumn, Column>> = {
  position: { value: ({ row }) => row },
  name: { value: ({ row }) => row, text: ({ uid, name, id }) => name ?? uid ?? `\uffff${id}` },
  parallelism: { value: ({ parallelism }) => parallelism },
  maxParallelism: { value: ({ maxParallelism }) => maxParallelism },
  subtasks: { value: ({ subtasks }) => subtasks },
  managedKeyed: { value: ({ sizes }) => sizes.managedKeyed },
  managedOperator: { value: ({ sizes }) => sizes.managedOperator },
  raw: { value: rawBytes },
  channels: { value: channelBytes },
  coordinator: { value: ({ sizes }) => sizes.coordinator },
  size: { value: ({ sizeBytes }) => sizeBytes },
  skew: { value: ({ skew }) => skew ?? -1 },
};

/** State that no uid stands behind, in a format that has uids. */
export function isAutomatic({ uid, sizeBytes, subtasks }: Pick<OperatorRow, "uid" | "sizeBytes" | "subtasks">): boolean {
  return uid === null && (sizeBytes > 0 || subtasks > 0);
}

function matcher(filter: string): (row: OperatorRow) => boolean {
  const text = filter.trim();
  if (text === "") return () => true;
  const words = text.toLowerCase().split(/\s+/);
  const id = operatorIdOf(text);
  if (text === automaticFilter) return isAutomatic;
  if (text === otherIdFilter) return ({ uidMatches }) => uidMatches === false;
  return (row) => {
    const own = `${row.name ?? ""}\n${row.uid ?? ""}\n${row.id}`.toLowerCase();
    return row.id === id || words.every((word) => own.includes(word));
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
