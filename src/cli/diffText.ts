import type { Comparison, OperatorDifference, StateDifference } from "../core/metadata/compare";
import { countText, sizeText } from "../core/wording";
import type { Terminal } from "./command";
import { labelOf, problemLines, titleOf } from "./inspectText";
import { printable } from "./printable";
import type { Snapshot } from "./snapshot";
import { tableLines } from "./table";

/** Two snapshots and what differs. */
export interface Difference {
  readonly left: Snapshot;
  readonly right: Snapshot;
  readonly comparison: Comparison;
}

/** How it is written. */
export type WriteDiff = (difference: Difference, terminal: Terminal) => Promise<void>;

const mostRows = 2000;
const signs = { added: "+", removed: "-", changed: "~", same: " " } as const;

/** Writes a comparison for people: both sides, the sum, then the operators that differ. */
export const writeDiffText: WriteDiff = async ({ left, right, comparison }, terminal) => {
  const { operators, counts, deltaBytes, incomplete } = comparison;
  const side = (letter: string, { file, metadata }: Snapshot): string[] => [`${letter}  ${titleOf(metadata)} · ${sizeText(Number(metadata.totals.stateBytes))} · ${countText(metadata.totals.operators, "operator")}`, `   ${printable(file)}`];
  const differing = operators.filter(({ change }) => change !== "same");
  const lines = [
    ...side("A", left), ...side("B", right),
    `${deltaText(deltaBytes)} · ${counts.added} added · ${counts.removed} removed · ${counts.changed} changed · ${counts.same} the same`,
    ...(incomplete ? ["One of them was not read whole, so operators may seem added or removed that are not."] : []),
  ];
  if (differing.length > 0) {
    const shown = differing.slice(0, mostRows);
    const cells = shown.map((one): string[] => {
      const operator = one.right ?? one.left;
      return [signs[one.change], operator === null ? "" : labelOf(operator), operator?.id ?? "", one.deltaBytes === 0n ? "" : deltaText(one.deltaBytes), changeText(one)];
    });
    const heads = ["", "OPERATOR", "ID", "Δ STATE", "CHANGES"].map((title) => ({ title, align: title === "Δ STATE" ? "right" : "left" }) as const);
    const [head = "", ...rows] = tableLines(heads, cells);
    lines.push("", head, ...rows.flatMap((row, i) => [row, ...(shown[i]?.states ?? []).map(stateLine)]));
    if (differing.length > mostRows) lines.push(`… and ${countText(differing.length - mostRows, "more operator")}; --json lists all.`);
  }
  lines.push(...problemLines(left.problems, left.problemCount, " in A"), ...problemLines(right.problems, right.problemCount, " in B"));
  await terminal.write(`${lines.join("\n")}\n`);
};

function changeText({ change, left, right, changes, matchedBy }: OperatorDifference): string {
  if (left === null || right === null) return `${change}, ${sizeText(Number((left ?? right)?.sizeBytes ?? 0n))}`;
  const texts = changes.filter((one) => one !== "size").map((one) => {
    switch (one) {
      case "id": return `id was ${left.id}${matchedBy === "name" ? ", matched by its name" : ""}`;
      case "uid": return `uid ${quoted(left.uid)} → ${quoted(right.uid)}`;
      case "name": return `name ${quoted(left.name)} → ${quoted(right.name)}`;
      case "parallelism": return `parallelism ${left.parallelism} → ${right.parallelism}`;
      case "maxParallelism": return `max parallelism ${left.maxParallelism} → ${right.maxParallelism}`;
      case "subtasks": return `subtasks ${left.subtaskCount} → ${right.subtaskCount}`;
      case "fullyFinished": return right.fullyFinished ? "finished" : "no longer finished";
      case "states": return "states";
    }
  });
  return texts.length === 0 ? "size" : texts.join(", ");
}

function stateLine({ name, change, left, right, kindChanged, serializers }: StateDifference): string {
  const kind = (entry: StateDifference["left"]): string => (entry === null ? "" : `${entry.kind.toLowerCase().replaceAll("_", " ")}${entry.ttl ? ", TTL" : ""}`);
  const texts = [
    ...(change === "changed" ? [] : [`${change}, ${kind(left ?? right)}`]),
    ...(kindChanged ? [`${kind(left)} → ${kind(right)}`] : []),
    ...serializers.map(({ key, left: before, right: after }) => `${key.toLowerCase().replaceAll("_", " ")} ${before ?? "none"} → ${after ?? "none"}`),
  ];
  return `     ${signs[change]} state ${printable(name, 60)}: ${printable(texts.join("; "), 300)}`;
}

function deltaText(bytes: bigint): string {
  return bytes === 0n ? "no change in size" : `${bytes > 0n ? "+" : "−"}${sizeText(Math.abs(Number(bytes)))}`;
}

function quoted(text: string | null): string {
  return text === null ? "none" : `“${printable(text, 60)}”`;
}
