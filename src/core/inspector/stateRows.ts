import type { Metadata } from "../metadata/metadata";
import { problemText } from "../metadata/problemText";
import type { RandomAccess } from "../metadata/randomAccess";
import { savepointStates } from "../metadata/states/savepointStates";
import { typeText } from "../metadata/states/typeText";
import { StateTable, type OperatorStateEntry } from "../metadata/states/stateTable";
import type { OpenFile } from "../ports";
import { countText } from "../wording";
import type { StateRow, StatesOf } from "./protocol";

/** Subtasks that are looked at for names and serializers; all of an operator's nearly always have the same. */
const subtasksSeen = 16;
const mostReadBytes = 2 ** 31;

/** States of one operator, and the table they are in for a report. Throws the signal's reason and what reading the metadata throws. */
export async function readStates(bytes: RandomAccess, metadata: Metadata, source: { readonly folder: string; readonly open: OpenFile }, params: { readonly row: number; readonly count: boolean }, signal: AbortSignal): Promise<StatesOf & { readonly entries: readonly OperatorStateEntry[] }> {
  const { row, count } = params;
  const { subtaskCount } = metadata.operators.get(row);
  const table = new StateTable();
  const hindrances = new Map<string, number>();
  let readBytes = 0;
  const options = { signal, rows: [row], readBytes: mostReadBytes, ...(count ? { countUpToBytes: Infinity } : { countUpToBytes: 0, subtasksPerOperator: subtasksSeen }) };
  for await (const reading of savepointStates(bytes, metadata, source, options)) {
    table.add(reading);
    readBytes += reading.readBytes;
    for (const problem of reading.problems) {
      const text = problem.code === "file-missing" ? "State files are missing, so their states are not named." : problem.code === "file-elsewhere" ? "State files are not reachable from here, so their states are not named." : problemText(problem);
      hindrances.set(text, (hindrances.get(text) ?? 0) + 1);
    }
    for (const { state, className } of reading.stoppedAt) hindrances.set(`${state === "" ? "Timers" : state} can't be counted: only the user's class ${className} knows how long its values are.`, 1);
  }
  const notes = [...hindrances].slice(0, 8).map(([text, times]) => (times === 1 ? text : `${text} (${times} times)`));
  if (!count && subtaskCount > subtasksSeen) notes.push(`From ${subtasksSeen} of ${countText(subtaskCount, "subtask")}.`);
  const entries = table.of(row);
  return { states: entries.map((entry) => stateRow(entry, count)), notes, readBytes, entries };
}

const kindNames: Readonly<Record<string, string>> = {
  VALUE: "value", LIST: "list", MAP: "map", REDUCING: "reducing", AGGREGATING: "aggregating", FOLDING: "folding", TIMERS: "timers", SPLIT_DISTRIBUTE: "list, split", UNION: "list, union", BROADCAST: "broadcast",
};

function stateRow({ name, kind, ttl, keySerializer, serializers, entries, subtasks }: OperatorStateEntry, counted: boolean): StateRow {
  const text = (serializer: string): string => (serializers[serializer] === undefined ? "" : typeText(serializers[serializer], "brief"));
  const namespace = text("NAMESPACE_SERIALIZER");
  const userKey = text("USER_KEY_SERIALIZER");
  const value = text("VALUE_SERIALIZER");
  return {
    name, kind: `${kindNames[kind] ?? kind.toLowerCase()}${ttl ? ", TTL" : ""}`, key: keySerializer === null ? text("KEY_SERIALIZER") : typeText(keySerializer, "brief"),
    namespace: namespace === "void" ? "" : namespace, value: userKey === "" ? value : `map<${userKey}, ${value}>`, entries: counted ? entries : null, subtasks,
  };
}
