import { openLocalFile } from "../clients/localFiles";
import { compareSnapshots, type ComparedSide } from "../core/metadata/compare";
import { savepointStates } from "../core/metadata/states/savepointStates";
import { StateTable } from "../core/metadata/states/stateTable";
import { readArguments } from "./arguments";
import { UsageError, type Command, type Terminal } from "./command";
import { readSnapshot, type Snapshot } from "./snapshot";

/** Of each operator the headers of so many subtasks are read: all of them nearly always have the same states. */
const subtasksPerOperator = 4;
const mostStateBytes = 1 << 30;

/** `diff`: what differs between two savepoints or checkpoints. Exit code 0: both read whole, 1: with problems, 2: one is not readable. */
export const diff: Command = {
  usage: "A B [--json]",
  about: "Compares two savepoints or checkpoints: operators, sizes, parallelism, states and their serializers.",
  async run(args, terminal) {
    const { flags, rest } = readArguments(args, { flags: ["json"] });
    const [a, b] = rest;
    if (a === undefined || b === undefined || rest.length > 2) throw new UsageError("Name two savepoints.");
    const left = await readSnapshot(a, terminal);
    if (left === undefined) return 2;
    try {
      const right = await readSnapshot(b, terminal);
      if (right === undefined) return 2;
      try {
        const comparison = compareSnapshots(await sideOf(left, terminal), await sideOf(right, terminal));
        const write = flags.json ? (await import("./diffJson")).writeDiffJson : (await import("./diffText")).writeDiffText;
        await write({ left, right, comparison }, terminal);
        return left.problems.length + right.problems.length > 0 ? 1 : 0;
      } finally {
        await right.input.close();
      }
    } finally {
      await left.input.close();
    }
  },
};

/** The states of operators all of whose streams could be read. */
async function sideOf({ input, metadata, folder }: Snapshot, { signal }: Terminal): Promise<ComparedSide> {
  const table = new StateTable();
  const failed = new Set<number>();
  let unreadFrom = Infinity;
  for await (const reading of savepointStates(input, metadata, { folder, open: openLocalFile }, { signal, subtasksPerOperator, countUpToBytes: 0, readBytes: mostStateBytes })) {
    table.add(reading);
    if (reading.problems.length > 0) failed.add(reading.row);
    if (reading.problems.some(({ facts }) => "limit" in facts && facts.limit === "readBytes")) unreadFrom = reading.row;
  }
  return { metadata, states: (row) => (failed.has(row) || row >= unreadFrom || table.isCut ? undefined : table.of(row)) };
}
