import type { Metadata, OperatorEntry } from "./metadata";
import { operatorIdOf } from "./operatorId";
import type { Serializer } from "./states/serializer";
import { typeText } from "./states/typeText";
import type { OperatorStateEntry } from "./states/stateTable";

/** One of two snapshots. `states` gives the states of an operator by its position, or undefined where they were not read. */
export interface ComparedSide {
  readonly metadata: Metadata;
  readonly states?: (row: number) => readonly OperatorStateEntry[] | undefined;
}

/** What differs between two snapshots, from the left (older) to the right (newer). */
export interface Comparison {
  /** Those of the right in its order, each removed one behind the operator that it followed on the left. */
  readonly operators: readonly OperatorDifference[];
  readonly counts: Readonly<Record<OperatorDifference["change"], number>>;
  /** Sum of `OperatorState.getStateSize`, right minus left. */
  readonly deltaBytes: bigint;
  /** One of them broke off, or has more than `maxComparedOperators`, so that operators may seem added or removed that are not. */
  readonly incomplete: boolean;
}

/** Operators of each side that are compared; no job has as many. */
const maxComparedOperators = 50_000;

/** What may differ in an operator that both have. */
export type OperatorChange = "id" | "uid" | "name" | "size" | "parallelism" | "maxParallelism" | "subtasks" | "fullyFinished" | "states";

/** An operator of either snapshot. */
export interface OperatorDifference {
  readonly change: "added" | "removed" | "changed" | "same";
  readonly left: OperatorEntry | null;
  readonly right: OperatorEntry | null;
  /** By what the two were found to be one operator: the id; the uid where ids differ; the name, unique on both sides, where uid and id changed. */
  readonly matchedBy: "id" | "uid" | "name" | null;
  readonly changes: readonly OperatorChange[];
  readonly deltaBytes: bigint;
  /** Null when the states of one side were not read; only those that differ. */
  readonly states: readonly StateDifference[] | null;
}

/** A state that differs, or is on one side only. */
export interface StateDifference {
  readonly name: string;
  readonly change: "added" | "removed" | "changed";
  readonly left: OperatorStateEntry | null;
  readonly right: OperatorStateEntry | null;
  /** Such as `VALUE` to `MAP`. */
  readonly kindChanged: boolean;
  /** Serializers that differ, `KEY` being that of all keyed state; brief texts of types, null where there is none. */
  readonly serializers: readonly { readonly key: string; readonly left: string | null; readonly right: string | null }[];
}

/** Compares two snapshots. Names and uids are only known from metadata version 5 on, so that before it an operator with a new id is one removed and one added. */
export function compareSnapshots(left: ComparedSide, right: ComparedSide): Comparison {
  const pairs = matched(operatorsOf(left), operatorsOf(right));
  const named = { left: left.metadata.version >= 5, right: right.metadata.version >= 5 };
  const operators = pairs.map(({ left: one, right: other, by }) => difference(one, other, by, named, { left, right }));
  const counts = { added: 0, removed: 0, changed: 0, same: 0 };
  for (const { change } of operators) counts[change]++;
  return { operators, counts, deltaBytes: right.metadata.totals.stateBytes - left.metadata.totals.stateBytes, incomplete: [left, right].some(({ metadata }) => !metadata.whole || metadata.operators.count > maxComparedOperators) };
}

function operatorsOf({ metadata: { operators } }: ComparedSide): OperatorEntry[] {
  return Array.from({ length: Math.min(operators.count, maxComparedOperators) }, (_, row) => operators.get(row));
}

interface Pair {
  readonly left: OperatorEntry | null;
  readonly right: OperatorEntry | null;
  readonly by: OperatorDifference["matchedBy"];
}

function matched(left: readonly OperatorEntry[], right: readonly OperatorEntry[]): Pair[] {
  const partners = new Map<OperatorEntry, { readonly left: OperatorEntry; readonly by: NonNullable<Pair["by"]> }>();
  const taken = new Set<OperatorEntry>();
  const match = (by: NonNullable<Pair["by"]>, keyOfLeft: (operator: OperatorEntry) => string | null, keyOfRight = keyOfLeft): void => {
    const free = uniqueBy(left.filter((operator) => !taken.has(operator)), keyOfLeft);
    for (const [key, other] of uniqueBy(right.filter((operator) => !partners.has(operator)), keyOfRight)) {
      const one = free.get(key);
      if (one === undefined || one === null || other === null) continue;
      partners.set(other, { left: one, by });
      taken.add(one);
    }
  };
  match("id", ({ id }) => id);
  match("uid", ({ uid }) => uid);
  // A uid that was given to an operator whose id, or one that was renamed by its hash, is all that the other side has.
  match("uid", ({ uid }) => (uid === null ? null : operatorIdOf(uid)), ({ id }) => id);
  match("uid", ({ id }) => id, ({ uid }) => (uid === null ? null : operatorIdOf(uid)));
  match("name", ({ name }) => name);

  const followers = new Map<OperatorEntry | null, OperatorEntry[]>();
  let before: OperatorEntry | null = null;
  for (const operator of left) {
    if (taken.has(operator)) before = operator;
    else if (followers.has(before)) followers.get(before)?.push(operator);
    else followers.set(before, [operator]);
  }
  const removed = (after: OperatorEntry | null): Pair[] => (followers.get(after) ?? []).map((operator) => ({ left: operator, right: null, by: null }));
  return [...removed(null), ...right.flatMap((operator): Pair[] => {
    const partner = partners.get(operator);
    return partner === undefined ? [{ left: null, right: operator, by: null }] : [{ left: partner.left, right: operator, by: partner.by }, ...removed(partner.left)];
  })];
}

/** By key; null for a key that several have. */
function uniqueBy(operators: readonly OperatorEntry[], keyOf: (operator: OperatorEntry) => string | null): Map<string, OperatorEntry | null> {
  const found = new Map<string, OperatorEntry | null>();
  for (const operator of operators) {
    const key = keyOf(operator);
    if (key !== null) found.set(key, found.has(key) ? null : operator);
  }
  return found;
}

interface Sides<T> {
  readonly left: T;
  readonly right: T;
}

function difference(left: OperatorEntry | null, right: OperatorEntry | null, matchedBy: Pair["by"], named: Sides<boolean>, sides: Sides<ComparedSide>): OperatorDifference {
  const deltaBytes = (right?.sizeBytes ?? 0n) - (left?.sizeBytes ?? 0n);
  if (left === null || right === null) return { change: left === null ? "added" : "removed", left, right, matchedBy, changes: [], deltaBytes, states: null };
  const bothNamed = named.left && named.right;
  const states = stateDifferences(sides.left.states?.(left.row), sides.right.states?.(right.row));
  const found: readonly (readonly [OperatorChange, boolean])[] = [
    ["id", left.id !== right.id],
    ["uid", bothNamed && left.uid !== right.uid],
    ["name", bothNamed && left.name !== right.name],
    ["size", deltaBytes !== 0n],
    ["parallelism", left.parallelism !== right.parallelism],
    ["maxParallelism", left.maxParallelism !== right.maxParallelism],
    // Subtasks without state may be left out of the file, so their number means nothing where the parallelism differs.
    ["subtasks", left.subtaskCount !== right.subtaskCount && left.parallelism === right.parallelism],
    ["fullyFinished", left.fullyFinished !== right.fullyFinished],
    ["states", states !== null && states.length > 0],
  ];
  const changes = found.filter(([, differs]) => differs).map(([change]) => change);
  return { change: changes.length === 0 ? "same" : "changed", left, right, matchedBy, changes, deltaBytes, states };
}

function stateDifferences(left: readonly OperatorStateEntry[] | undefined, right: readonly OperatorStateEntry[] | undefined): StateDifference[] | null {
  if (left === undefined || right === undefined) return null;
  const keyOf = ({ role, name }: OperatorStateEntry): string => `${role === "managedOperatorState" ? "operator" : "keyed"} ${name}`;
  const before = new Map(left.map((state) => [keyOf(state), state]));
  const after = new Map(right.map((state) => [keyOf(state), state]));
  const differences: StateDifference[] = [];
  for (const [key, one] of before) {
    const other = after.get(key);
    if (other === undefined) differences.push({ name: one.name, change: "removed", left: one, right: null, kindChanged: false, serializers: [] });
    else {
      const kindChanged = one.kind !== other.kind || one.ttl !== other.ttl;
      const serializers = serializerDifferences(one, other);
      if (kindChanged || serializers.length > 0) differences.push({ name: one.name, change: "changed", left: one, right: other, kindChanged, serializers });
    }
  }
  for (const [key, other] of after) if (!before.has(key)) differences.push({ name: other.name, change: "added", left: null, right: other, kindChanged: false, serializers: [] });
  return differences;
}

function serializerDifferences(left: OperatorStateEntry, right: OperatorStateEntry): StateDifference["serializers"] {
  const keys = new Set([...Object.keys(left.serializers), ...Object.keys(right.serializers)]);
  const pairs: [string, Serializer | null, Serializer | null][] = [...keys].sort().map((key) => [key.replace(/_SERIALIZER$/, ""), left.serializers[key] ?? null, right.serializers[key] ?? null]);
  if (left.keySerializer !== null || right.keySerializer !== null) pairs.unshift(["KEY", left.keySerializer, right.keySerializer]);
  return pairs.filter(([, one, other]) => signature(one) !== signature(other)).map(([key, one, other]) => ({ key, ...differingTexts(one, other) }));
}

/** Both in words; where those are the same, the first part in which they differ, such as `field tags: Kryo java.util.List`. */
function differingTexts(left: Serializer | null, right: Serializer | null): { readonly left: string | null; readonly right: string | null } {
  const texts = { left: left === null ? null : typeText(left, "brief"), right: right === null ? null : typeText(right, "brief") };
  if (left === null || right === null || texts.left !== texts.right) return texts;
  const fieldsOf = ({ facts, nested }: Serializer): readonly string[] => (Array.isArray(facts["fields"]) && facts["fields"].length === nested.length ? facts["fields"] : []);
  const before = fieldsOf(left);
  const after = fieldsOf(right);
  const gone = before.find((field) => !after.includes(field));
  const added = after.find((field) => !before.includes(field));
  if (gone !== undefined || added !== undefined) return { left: `${texts.left} with ${gone ?? `no ${added}`}`, right: `${texts.right} with ${added ?? `no ${gone}`}` };
  for (const [at, one] of left.nested.entries()) {
    const field = before[at];
    const other = right.nested[field === undefined ? at : after.indexOf(field)];
    if (other === undefined || signature(one) === signature(other)) continue;
    const inner = differingTexts(one, other);
    const prefix = field === undefined ? "" : `field ${field}: `;
    return { left: `${prefix}${inner.left}`, right: `${prefix}${inner.right}` };
  }
  const fact = Object.keys({ ...left.facts, ...right.facts }).find((key) => !aboutWriting.has(key) && JSON.stringify(left.facts[key]) !== JSON.stringify(right.facts[key]));
  if (fact === undefined) return texts;
  const textOf = ({ facts }: Serializer): string => `${texts.left}, ${fact} ${JSON.stringify(facts[fact] ?? null).slice(0, 200)}`;
  return { left: textOf(left), right: textOf(right) };
}

/** What must be equal for two serializers to count as the same: what they are and what is in them, not how their snapshots were written. */
function signature(serializer: Serializer | null): string {
  if (serializer === null) return "";
  const { className, name, facts, nested } = serializer;
  const own = Object.entries(facts).filter(([key]) => !aboutWriting.has(key));
  return JSON.stringify([name === "" ? className : name, own, nested.map(signature)]);
}

/** Facts of how a snapshot was written. */
const aboutWriting: ReadonlySet<string> = new Set(["serializerClass", "configVersion", "registrations", "padding"]);
