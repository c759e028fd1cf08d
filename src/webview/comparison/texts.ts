import { differenceName } from "../../core/comparison/differenceOrder";
import type { DifferenceRow } from "../../core/comparison/protocol";
import type { OperatorChange } from "../../core/metadata/compare";
import { sizeText } from "../../core/wording";

/** A difference with its sign: `+1.2 GB`, `−512 B`; `0` for none. */
export function deltaText(bytes: number): string {
  return bytes === 0 ? "0" : `${bytes > 0 ? "+" : "−"}${sizeText(Math.abs(bytes))}`;
}

/** A difference of counts with its sign; `0` for none. */
export function countDelta(count: number): string {
  return count === 0 ? "0" : `${count > 0 ? "+" : "−"}${Math.abs(count).toLocaleString("en")}`;
}

/** A number on both sides: once where it is the same, else `2 → 4`. */
export function pairText(left: number | null, right: number | null): string {
  const text = (value: number): string => value.toLocaleString("en");
  if (left === null || right === null) return text(left ?? right ?? 0);
  return left === right ? text(left) : `${text(left)} → ${text(right)}`;
}

const words: Readonly<Record<OperatorChange, string>> = {
  id: "id", uid: "uid", name: "name", size: "size", parallelism: "parallelism", maxParallelism: "max parallelism", subtasks: "subtasks", fullyFinished: "finished", states: "states",
};

/** What has changed, in words; size only where nothing else has, since nearly every state grows. */
export function changeText({ change, changes }: Pick<DifferenceRow, "change" | "changes">): string {
  if (change !== "changed") return change === "same" ? "unchanged" : change;
  const shape = changes.filter((one) => one !== "size");
  return (shape.length > 0 ? shape : changes).map((one) => words[one]).join(", ");
}

/** The sign before it, so that no colour is needed. */
export const changeSigns: Readonly<Record<DifferenceRow["change"], string>> = { added: "+", removed: "−", changed: "≠", same: "=" };

/** States that differ: `1 added, 2 changed`. */
export function statesText(states: DifferenceRow["states"]): string {
  if (states === null) return "";
  return (["added", "removed", "changed"] as const).filter((what) => states[what] > 0).map((what) => `${states[what]} ${what}`).join(", ");
}

/** What an operator is called, with what it was called before where that differs. */
export function nameParts(row: DifferenceRow): { readonly label: string; readonly before: string | null; readonly second: string | null } {
  const { left, right } = row;
  const label = differenceName(row);
  const before = left !== null && right !== null && left.name !== right.name && left.name !== null ? left.name : null;
  const side = right ?? left;
  return { label, before, second: side?.uid !== undefined && side.uid !== null && side.uid !== label ? side.uid : null };
}
