import { operatorDifferenceReport, sideReport } from "../core/inspector/report";
import type { WriteDiff } from "./diffText";

/** Writes `DiffReport` (docs/schema/diff.schema.json), one operator on a line. */
export const writeDiffJson: WriteDiff = async ({ left, right, comparison }, terminal) => {
  const { operators, counts, deltaBytes, incomplete } = comparison;
  const head = { left: sideReport(left.file, left.metadata, left.problems), right: sideReport(right.file, right.metadata, right.problems), counts, deltaBytes: String(deltaBytes), incomplete };
  await terminal.write(`${JSON.stringify(head).slice(0, -1)},\n"operators":[`);
  for (let at = 0; at < operators.length; at += 100) {
    terminal.signal.throwIfAborted();
    await terminal.write(operators.slice(at, at + 100).map((operator, i) => `${at + i === 0 ? "" : ","}\n${JSON.stringify(operatorDifferenceReport(operator))}`).join(""));
  }
  await terminal.write("\n]}\n");
};
