import { sideReport, diffReport } from "../inspector/report";
import { wireProblem } from "../inspector/head";
import { compareSnapshots, type Comparison, type OperatorDifference } from "../metadata/compare";
import type { Metadata, OperatorEntry } from "../metadata/metadata";
import { sizeKinds, type SizeKind } from "../metadata/scanIndex";
import type { OperatorStateEntry } from "../metadata/states/stateTable";
import { typeText } from "../metadata/states/typeText";
import { releasesOf } from "../metadata/tags";
import type { Handlers } from "../rpc";
import { differenceOrder } from "./differenceOrder";
import { kindText, type LoadedSnapshot, type StatesRead } from "./loadedSnapshot";
import type { ComparisonApi, ComparisonHead, DifferenceDetail, DifferenceRow, SideFacts, SideHead, SideOperator, StateLine, StateSide } from "./protocol";

/** A comparison as it is looked at: from the left or, swapped, from the right. */
interface View {
  readonly comparison: Comparison;
  readonly rows: readonly DifferenceRow[];
}

/** Answers the questions about two snapshots. Each side is read with the first question that needs it, and again after that failed. */
export class Compared {
  readonly #load: { readonly left: () => Promise<LoadedSnapshot>; readonly right: () => Promise<LoadedSnapshot> };
  readonly #sides: { left?: Promise<LoadedSnapshot>; right?: Promise<LoadedSnapshot> } = {};
  #states: { readonly left: StatesRead; readonly right: StatesRead } | undefined;
  #views = new Map<boolean, View>();
  #order: { readonly key: string; readonly at: readonly number[] } = { key: "", at: [] };

  constructor(left: () => Promise<LoadedSnapshot>, right: () => Promise<LoadedSnapshot>) {
    this.#load = { left, right };
  }

  readonly handlers: Handlers<ComparisonApi> = {
    open: async ({ swapped }) => this.#head(swapped),
    states: async () => this.#readStates(),
    rows: async ({ swapped, from, limit, selected, ...query }) => {
      const view = await this.#view(swapped);
      if (view === undefined) return { total: 0, from, rows: [], selectedAt: null };
      const key = `${swapped} ${this.#states !== undefined} ${JSON.stringify(query)}`;
      if (this.#order.key !== key) this.#order = { key, at: differenceOrder(view.rows, query) };
      const { at } = this.#order;
      const selectedAt = selected === null ? -1 : at.indexOf(selected);
      return { total: at.length, from, selectedAt: selectedAt < 0 ? null : selectedAt, rows: at.slice(from, from + limit).flatMap((one) => view.rows[one] ?? []) };
    },
    row: async ({ swapped, at }) => this.#detail(swapped, at),
    json: async ({ swapped }) => {
      const [view, left, right] = [await this.#view(swapped), await this.#side("left"), await this.#side("right")];
      const of = ({ folder, scan: { metadata, problems } }: LoadedSnapshot): ReturnType<typeof sideReport> | null => (metadata === undefined ? null : sideReport(folder, metadata, problems));
      const [one, other] = swapped ? [of(right), of(left)] : [of(left), of(right)];
      return view === undefined || one === null || other === null ? "null" : JSON.stringify(diffReport(one, other, view.comparison), undefined, 2);
    },
    text: async ({ side, order }, signal) => (await this.#side(side)).text({ order }, signal),
  };

  #side(side: "left" | "right"): Promise<LoadedSnapshot> {
    const load = this.#load[side];
    const loading = (this.#sides[side] ??= load());
    return loading.catch((error: unknown) => {
      delete this.#sides[side];
      throw error;
    });
  }

  /** Undefined when one side has no head. */
  async #view(swapped: boolean): Promise<View | undefined> {
    const known = this.#views.get(swapped);
    if (known !== undefined) return known;
    const [left, right] = [await this.#side("left"), await this.#side("right")];
    const [one, other] = [left.scan.metadata, right.scan.metadata];
    if (one === undefined || other === undefined) return undefined;
    const straight = this.#views.get(false)?.comparison ?? compareSnapshots(left.side(one, this.#states?.left), right.side(other, this.#states?.right));
    const comparison = swapped ? turned(straight) : straight;
    const view = { comparison, rows: comparison.operators.map(rowOf) };
    this.#views.set(swapped, view);
    return view;
  }

  async #head(swapped: boolean): Promise<ComparisonHead> {
    const sides = [sideHead(await this.#side("left")), sideHead(await this.#side("right"))] as const;
    const [left, right] = swapped ? [sides[1], sides[0]] : sides;
    const view = await this.#view(swapped);
    const mostBytes = view === undefined ? 0 : view.rows.reduce((most, { deltaBytes }) => Math.max(most, Math.abs(deltaBytes)), 0);
    return { left, right, counts: view?.comparison.counts ?? null, deltaBytes: Number(view?.comparison.deltaBytes ?? 0n), mostBytes, incomplete: view?.comparison.incomplete ?? true };
  }

  async #readStates(): Promise<{ unread: number; notes: readonly string[] }> {
    const [left, right] = [await this.#side("left"), await this.#side("right")];
    const states = { left: await left.states(), right: await right.states() };
    if (this.#states === undefined) {
      this.#states = states;
      this.#views = new Map();
    }
    const notes = new Set([states.left, states.right].flatMap(({ unread }) => [...unread.values()].flatMap((set) => [...set])));
    return { unread: states.left.unread.size + states.right.unread.size, notes: [...notes] };
  }

  async #detail(swapped: boolean, at: number): Promise<DifferenceDetail | null> {
    const view = await this.#view(swapped);
    const row = view?.rows[at];
    const difference = view?.comparison.operators[at];
    if (row === undefined || difference === undefined) return null;
    const { left, right } = difference;
    const [one, other] = swapped ? [this.#states?.right, this.#states?.left] : [this.#states?.left, this.#states?.right];
    const bytes = (operator: OperatorEntry | null, kind: SizeKind): number => Number(operator?.sizes[kind] ?? 0n);
    return {
      row,
      sizes: sizeKinds.map((kind) => ({ kind, leftBytes: bytes(left, kind), rightBytes: bytes(right, kind) })).filter(({ leftBytes, rightBytes }) => leftBytes !== 0 || rightBytes !== 0),
      states: one === undefined || other === undefined ? null : stateLines(left === null ? [] : one.table.of(left.row), right === null ? [] : other.table.of(right.row), difference),
      notes: [...new Set([...(left === null ? [] : (one?.unread.get(left.row) ?? [])), ...(right === null ? [] : (other?.unread.get(right.row) ?? []))])],
    };
  }
}

/** The same comparison from the other side, each operator at its place. */
function turned({ operators, counts, deltaBytes, incomplete }: Comparison): Comparison {
  const other = { added: "removed", removed: "added", changed: "changed", same: "same" } as const;
  return {
    operators: operators.map((one): OperatorDifference => ({
      ...one, change: other[one.change], left: one.right, right: one.left, deltaBytes: -one.deltaBytes,
      states: one.states?.map((state) => ({
        ...state, change: other[state.change] as typeof state.change, left: state.right, right: state.left, serializers: state.serializers.map(({ key, left, right }) => ({ key, left: right, right: left })),
      })) ?? null,
    })),
    counts: { ...counts, added: counts.removed, removed: counts.added }, deltaBytes: -deltaBytes, incomplete,
  };
}

function sideHead({ folder, scan: { metadata, problems, problemCount } }: LoadedSnapshot): SideHead {
  return { location: folder, snapshot: metadata === undefined ? null : factsOf(metadata), problems: problems.map(wireProblem), problemCount };
}

function factsOf({ checkpointId, kind, version, layout, whole, totals }: Metadata): SideFacts {
  return {
    checkpointId: String(checkpointId), kind, version, writers: releasesOf(version, layout) ?? null, whole, operators: totals.operators, subtasks: totals.subtasks, stateBytes: Number(totals.stateBytes),
    sizes: Object.fromEntries(sizeKinds.map((size) => [size, Number(totals.sizes[size])])) as Record<SizeKind, number>,
    files: totals.distinctFiles, fileBytes: Number(totals.distinctFileBytes), inlineBytes: totals.inlineBytes,
  };
}

function rowOf({ change, left, right, matchedBy, changes, deltaBytes, states }: OperatorDifference, at: number): DifferenceRow {
  const count = (what: string): number => states?.filter((state) => state.change === what).length ?? 0;
  return { at, change, left: sideOf(left), right: sideOf(right), matchedBy, changes, deltaBytes: Number(deltaBytes), states: states === null ? null : { added: count("added"), removed: count("removed"), changed: count("changed") } };
}

function sideOf(operator: OperatorEntry | null): SideOperator | null {
  if (operator === null) return null;
  const { id, name, uid, parallelism, maxParallelism, subtaskCount, fullyFinished, sizeBytes } = operator;
  return { id, name, uid, parallelism, maxParallelism, subtasks: subtaskCount, finished: fullyFinished, sizeBytes: Number(sizeBytes) };
}

function stateLines(left: readonly OperatorStateEntry[], right: readonly OperatorStateEntry[], { states }: OperatorDifference): StateLine[] {
  const keyOf = ({ role, name }: OperatorStateEntry): string => `${role === "managedOperatorState"} ${name}`;
  const [before, after] = [new Map(left.map((entry) => [keyOf(entry), entry])), new Map(right.map((entry) => [keyOf(entry), entry]))];
  const lines = [...new Set([...before.keys(), ...after.keys()])].map((key): StateLine => {
    const [one, other] = [before.get(key), after.get(key)];
    const change = one === undefined ? "added" : other === undefined ? "removed" : states?.some((state) => state.left === one || state.right === one || state.left === other || (state.name === one.name && state.change === "changed")) === true ? "changed" : "same";
    return { name: (one ?? other)?.name ?? "", change, left: stateSide(one), right: stateSide(other) };
  });
  return lines.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function stateSide(entry: OperatorStateEntry | undefined): StateSide | null {
  if (entry === undefined) return null;
  const { kind, ttl, keySerializer, serializers } = entry;
  const all = [["key", keySerializer], ["namespace", serializers["NAMESPACE_SERIALIZER"]], ["map key", serializers["USER_KEY_SERIALIZER"]], ["value", serializers["VALUE_SERIALIZER"]]] as const;
  const types = all.flatMap(([of, serializer]) => (serializer === undefined || serializer === null ? [] : [{ of, text: typeText(serializer, "full") }]));
  return { kind: `${kindText(kind)}${ttl ? ", TTL" : ""}`, types: types.filter(({ of, text }) => of !== "namespace" || text !== "void") };
}
