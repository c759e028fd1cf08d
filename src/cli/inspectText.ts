import { boundText, verdictText } from "../core/inspector/report";
import type { OperatorEntry } from "../core/metadata/metadata";
import type { Problem } from "../core/metadata/problem";
import { problemText } from "../core/metadata/problemText";
import { typeText } from "../core/metadata/states/typeText";
import { StateTable, type OperatorStateEntry } from "../core/metadata/states/stateTable";
import { readersOf, releasesOf } from "../core/metadata/tags";
import type { Metadata } from "../core/metadata/metadata";
import { countText, numberText, sizeText } from "../core/wording";
import type { Inspection, WriteInspection } from "./inspect";
import { printable } from "./printable";
import { tableLines } from "./table";

/** Operators that are listed; a terminal has no use for more. */
const mostRows = 1000;
const mostStateProblems = 100;

/** Writes an inspection for people: first the answer, then the operators, largest first, then states and problems. */
export const writeInspectionText: WriteInspection = async (inspection, terminal) => {
  const { snapshot: { metadata, problems, problemCount }, readings } = inspection;
  const lines = headLines(inspection);
  const rows = largestFirst(metadata);
  lines.push("", ...operatorLines(metadata, rows));
  const found: Problem[] = [];
  if (readings !== undefined) {
    const table = new StateTable();
    let readBytes = 0;
    let count = 0;
    for await (const reading of readings) {
      table.add(reading);
      readBytes += reading.readBytes;
      count += reading.problems.length;
      if (found.length < mostStateProblems) found.push(...reading.problems.map((problem) => ({ ...problem, path: [`operators[${reading.row}] ${reading.operatorId} subtask ${reading.subtask} ${reading.role}`, problem.path].filter((text) => text !== "").join(" ") })));
    }
    for (const row of rows) lines.push(...stateLines(metadata.operators.get(row), table.of(row)));
    if (table.isCut) lines.push("", "There are more states than are listed.");
    lines.push("", `${sizeText(readBytes)} read for the states.`, ...problemLines(found.slice(0, mostStateProblems), count, " in the states"));
  }
  lines.push(...problemLines(problems, problemCount));
  for (let at = 0; at < lines.length; at += 500) await terminal.write(`${lines.slice(at, at + 500).join("\n")}\n`);
  return { stateProblems: found.length > 0 };
};

/** The kind, the format with the releases that know it, sizes and counts, and whether the folder can be moved. */
function headLines({ snapshot: { file, metadata }, selfContained }: Inspection): string[] {
  const { totals } = metadata;
  const finished = totals.fullyFinishedOperators === 0 ? "" : ` (${numberText(totals.fullyFinishedOperators)} finished)`;
  const facts = [
    `${sizeText(Number(totals.stateBytes))} of state`,
    countText(totals.operators, "operator") + finished,
    countText(totals.subtasks, "subtask"),
    totals.distinctFiles === 0 ? "no files besides the metadata" : `${countText(totals.distinctFiles, "file")} (${sizeText(Number(totals.distinctFileBytes))})`,
    ...(totals.inlineBytes > 0 ? [`${sizeText(totals.inlineBytes)} inside the metadata`] : []),
  ];
  return [
    titleOf(metadata),
    `${printable(file)} · ${sizeText(metadata.sizeBytes)}${metadata.whole ? "" : " · broke off"}`,
    facts.join(" · "),
    verdictText(selfContained),
    ...selfContained.findings.map((finding) => `  ${boundText(finding)} ${printable(finding.example, 200)}`),
    ...(metadata.masterStates.length === 0 ? [] : [`Master states: ${metadata.masterStates.slice(0, 20).map(({ name, dataBytes }) => `${printable(name, 80)} (${sizeText(dataBytes)})`).join(", ")}${metadata.masterStates.length > 20 ? ", …" : ""}`]),
  ];
}

/** `#1042 · canonical savepoint · format 6 (written by Flink 2.1 to 2.3, read from 2.1 on)`. */
export function titleOf({ checkpointId, kind, version, layout, properties }: Metadata): string {
  const written = releasesOf(version, layout);
  const readers = readersOf(version);
  const by = written === undefined ? "" : `written by Flink ${written.from}${written.to === written.from ? "" : ` to ${written.to}`}`;
  const read = readers === undefined ? "" : readers.to === null ? `, read from ${readers.from} on` : `, read up to ${readers.to}`;
  const type = properties?.snapshotType.name;
  return [`#${checkpointId}`, kind, ...(type === undefined || type === "Savepoint" || type === "Checkpoint" ? [] : [printable(type, 80)]), `format ${version}${by === "" ? "" : ` (${by}${read})`}`].join(" · ");
}

function largestFirst({ operators }: Metadata): number[] {
  const sizes = new Float64Array(operators.count);
  for (const operator of operators) sizes[operator.row] = Number(operator.sizeBytes);
  return Array.from(sizes.keys()).sort((a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0) || a - b);
}

function operatorLines(metadata: Metadata, rows: number[]): string[] {
  const { operators, totals } = metadata;
  if (operators.count === 0) return ["It has no operators."];
  const more = rows.length - mostRows;
  rows.length = Math.min(rows.length, mostRows);
  const total = Number(totals.stateBytes);
  const cells = rows.map((row) => {
    const operator = operators.get(row);
    const { sizes, sizeBytes } = operator;
    const size = (bytes: bigint): string => (bytes === 0n ? "" : sizeText(Number(bytes)));
    const share = total > 0 && sizeBytes > 0n ? `${((Number(sizeBytes) / total) * 100).toFixed(1)} %` : "";
    const remarks = [...(operator.fullyFinished ? ["finished"] : []), ...(operator.whole ? [] : ["broke off"]), ...(operators.uidMatches(row) === false ? ["id is not the uid's"] : [])];
    return [
      labelOf(operator), operator.id, sizeText(Number(sizeBytes)), share, `${operator.parallelism}/${operator.maxParallelism}`, operator.fullyFinished ? "" : numberText(operator.subtaskCount),
      size(sizes.managedKeyed + sizes.rawKeyed), size(sizes.managedOperator + sizes.rawOperator), size(sizes.inputChannel + sizes.outputChannel), size(sizes.coordinator), size(sizes.legacy), remarks.join(", "),
    ];
  });
  const right = ["STATE", "SHARE", "PAR/MAX", "SUBTASKS", "KEYED", "OPERATOR STATE", "CHANNELS", "COORDINATOR", "LEGACY"];
  const heads = ["OPERATOR", "ID", ...right, "REMARK"].map((title) => ({ title, align: right.includes(title) ? "right" : "left" }) as const);
  return [...tableLines(heads, cells), ...(more > 0 ? [`… and ${numberText(more)} more, none of them larger; --json lists all.`] : [])];
}

/** The name, and the uid where it tells more. */
export function labelOf({ name, uid }: Pick<OperatorEntry, "name" | "uid">): string {
  if (name === null || uid === null || name === uid) return printable(name ?? uid ?? "", 48);
  return `${printable(name, 32)} (${printable(uid, 32)})`;
}

function stateLines(operator: OperatorEntry, states: readonly OperatorStateEntry[]): string[] {
  if (states.length === 0) return [];
  const label = labelOf(operator);
  const title = (text: string): { title: string; align: "left" } => ({ title: text, align: "left" });
  const cells = states.map(({ name, kind, ttl, keySerializer, serializers, entries, subtasks, role }) => {
    const key = keySerializer ?? serializers["KEY_SERIALIZER"];
    const value = serializers["VALUE_SERIALIZER"];
    const namespace = serializers["NAMESPACE_SERIALIZER"];
    const window = namespace === undefined || namespace.name === "VoidNamespaceSerializer" ? "" : printable(typeText(namespace, "brief"), 60);
    const kindText = `${kind.toLowerCase().replaceAll("_", " ")}${ttl ? ", TTL" : ""}${role === "rawKeyedState" ? ", raw" : ""}`;
    return [printable(name, 60), kindText, key === undefined ? "" : printable(typeText(key, "brief"), 60), window, value === undefined ? "" : printable(typeText(value, "brief"), 120), entries === null ? "" : numberText(entries), numberText(subtasks)];
  });
  const heads = [title("STATE"), title("KIND"), title("KEY"), title("NAMESPACE"), title("VALUE"), { title: "ENTRIES", align: "right" } as const, { title: "SUBTASKS", align: "right" } as const];
  return ["", label === "" ? operator.id : `${label} · ${operator.id}`, ...tableLines(heads, cells, "  ")];
}

/** Problems with their places. */
export function problemLines(problems: readonly Problem[], count: number, where = ""): string[] {
  if (count === 0) return [];
  const each = problems.flatMap((problem) => [
    `  ${problem.severity} at byte ${numberText(problem.offset)}${problem.path === "" ? "" : ` in ${printable(problem.path, 300)}`}`,
    `    ${problem.code}: ${printable(problemText(problem), 600)}`,
  ]);
  const left = count - problems.length;
  return ["", countText(count, "problem") + where, ...each, ...(left > 0 ? [`  … and ${numberText(left)} more.`] : [])];
}
