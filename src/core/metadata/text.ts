import { countText, sizeText } from "../wording";
import type { Metadata, OperatorEntry } from "./metadata";
import { problemText } from "./problemText";
import type { ScanResult } from "./scan";
import { sizeKinds, type SizeKind } from "./scanIndex";
import { readersOf, releasesOf } from "./tags";

/** A state of an operator, in words. */
export interface StateText {
  readonly name: string;
  /** `value`, `map`, `timers`, `union list` … */
  readonly kind: string;
  /** Of the values; null where the state's file was not read. */
  readonly serializer: string | null;
  /** Null for the void namespace. */
  readonly namespace: string | null;
  readonly ttl: boolean;
}

/** What an operator's handles and state files tell. */
export interface OperatorDetails {
  /** Type of the key, null without keyed state. */
  readonly key: string | null;
  readonly states: readonly StateText[];
  /** Where the state is, such as `beside the metadata` or `below s3://bucket/x`, with how many files are there. */
  readonly places: readonly { readonly place: string; readonly files: number }[];
  /** What could not be read, in sentences. */
  readonly notes: readonly string[];
}

/** Bounds of a text: an editor shows a few megabytes with colours and folding. What is left out is said in it. */
export interface TextLimits {
  readonly characters: number;
  readonly statesPerOperator: number;
  readonly placesPerOperator: number;
}

/** Enough for 10,000 operators. */
const defaultTextLimits: TextLimits = { characters: 12_000_000, statesPerOperator: 500, placesPerOperator: 8 };

/** How a text is made. */
export interface TextOptions {
  readonly limits?: Partial<TextLimits>;
  /** `id` where the text is compared with one of a format without names (before Flink 2.0). */
  readonly order?: "name" | "id";
}

/** Where a text comes from: a scan, and a look into one operator, which may find nothing. */
export interface TextSource extends ScanResult {
  details(row: number): Promise<OperatorDetails | undefined>;
}

/**
 * A `_metadata` as text, for reading and for comparing line by line. The same content gives the same text: operators come by name, uid and id,
 * and names of files, which Flink makes anew each time, are left out. Every fact has its line, so that a change is one line. Bounded by
 * the limits. Rejects with what `details` throws.
 */
export async function metadataText(source: TextSource, options: TextOptions = {}): Promise<string> {
  const bounds = { ...defaultTextLimits, ...options.limits };
  const { metadata } = source;
  const head = [...(metadata === undefined ? [] : snapshotLines(metadata)), ...problemLines(source), ...masterLines(metadata)];
  const start = head.join("\n").trimStart();
  if (metadata === undefined) return `${start}\n`;
  const parts = [start];
  let characters = start.length;
  const rows = orderOf(metadata, options.order ?? "name");
  for (const [at, row] of rows.entries()) {
    const lines = operatorLines(metadata, row, await source.details(row), bounds).join("\n");
    characters += lines.length + 2;
    if (characters > bounds.characters) {
      parts.push(`# ${countText(rows.length - at, "operator")} left out: this text ends at ${sizeText(bounds.characters)}.`);
      break;
    }
    parts.push(lines);
  }
  return `${parts.join("\n\n")}\n`;
}

/** Text of strangers in quotes on one line; control and direction characters are escaped, the end beyond `limit` is cut. */
export function quoted(text: string, limit = 300): string {
  const cut = text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
  return JSON.stringify(cut).replace(/[\u007f-\u009f\p{Cf}\u2028\u2029]/gu, (character) => [...Array(character.length).keys()].map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`).join(""));
}

/** The directory of a state file as it stays the same from one snapshot of a job to the next: numbers of checkpoints and names that Flink makes up are `*`. */
export function placeText(path: string): string {
  const directory = path.replace(/\/[^/]*$/, "");
  const same = directory.replace(/\/chk-\d+(?=\/|$)/g, "/chk-*").replace(/\/savepoint-[0-9a-f]+-[0-9a-f]+(?=\/|$)/g, "/savepoint-*");
  // A TaskManager that merges files names its folder after its own id, which each start makes anew (`FileMergingSnapshotManagerBase`).
  return same.replace(/(\/job_[0-9a-f]{32}_tm_)[^/]+(?=\/|$)/g, "$1*");
}

/** The column in which values begin. */
const keyWidth = 18;
const line = (key: string, value: string): string => `  ${key.padEnd(keyWidth - 1)} ${value}`;
/** One formatter: `toLocaleString` makes one each time. */
const numbers = new Intl.NumberFormat("en");
const bytes = (size: bigint | number): string => {
  const exact = `${numbers.format(size)} B`;
  return Number(size) < 1024 ? exact : `${exact} (${sizeText(Number(size))})`;
};

const kindNames: Readonly<Record<SizeKind, string>> = {
  coordinator: "coordinator", managedOperator: "operator", rawOperator: "raw operator", managedKeyed: "keyed", rawKeyed: "raw keyed",
  inputChannel: "input channels", outputChannel: "output channels", legacy: "legacy",
};

function snapshotLines({ version, layout, checkpointId, kind, properties, totals, whole, trailingBytes, operators }: Metadata): string[] {
  const written = releasesOf(version, layout);
  const readable = readersOf(version);
  const releases = written === undefined ? "" : ` (written by Flink ${written.from === written.to ? written.from : `${written.from} to ${written.to}`})`;
  return [
    "snapshot",
    line("kind", kind),
    line("format", `${version}${releases}`),
    ...(readable === undefined ? [] : [line("readable by", `Flink ${readable.from}${readable.to === null ? " and newer" : ` to ${readable.to}`}`)]),
    line("checkpoint", String(checkpointId)),
    ...(properties === undefined || properties === null ? [] : [line("taken as", `${quoted(properties.snapshotType.name)}${properties.unclaimed ? ", unclaimed" : ""}`)]),
    line("operators", [count(totals.operators), ...some(totals.fullyFinishedOperators, "fully finished")].join(", ") + (whole ? "" : `, of which ${count(operators.count)} could be read`)),
    line("subtasks", [count(totals.subtasks), `${count(totals.subtasksWithState)} with state`, ...some(totals.finishedSubtasks, "finished")].join(", ")),
    ...sizeLines("state", totals.stateBytes, totals.sizes),
    line("files", `${count(totals.distinctFiles)}, ${bytes(totals.distinctFileBytes)}`),
    line("inside", bytes(totals.inlineBytes)),
    ...(totals.unknownSizes > 0 ? [line("unknown sizes", count(totals.unknownSizes))] : []),
    ...(trailingBytes > 0 ? [line("after the end", bytes(trailingBytes))] : []),
    ...(whole ? [] : ["  # The file breaks off: this is its head only."]),
  ];
}

function problemLines({ problems, problemCount }: ScanResult): string[] {
  if (problemCount === 0) return [];
  const listed = problems.map((problem) => `  ${problem.severity.padEnd(keyWidth - 1)} ${problemText(problem)} At byte ${count(problem.offset)}${problem.path === "" ? "" : `, ${problem.path}`}.`);
  return ["", `problems ${count(problemCount)}`, ...listed, ...(problemCount > problems.length ? [`  # ${count(problemCount - problems.length)} more left out.`] : [])];
}

function masterLines(metadata: Metadata | undefined): string[] {
  if (metadata === undefined || metadata.masterStates.length === 0) return [];
  const sorted = [...metadata.masterStates].sort((a, b) => order(a.name, b.name));
  return ["", `master states ${count(sorted.length)}`, ...sorted.slice(0, 1000).map(({ name, version, dataBytes }) => `  ${quoted(name)} version ${version}, ${bytes(dataBytes)}`), ...more(sorted.length - 1000, "master state")];
}

/** Rows by name, uid and id, those without a name after the others; or by id. */
function orderOf({ operators }: Metadata, by: "name" | "id"): number[] {
  const keys = [...operators].map(({ row, name, uid, id }) => (by === "id" ? { row, name: null, uid: null, id } : { row, name, uid, id }));
  const nullable = (a: string | null, b: string | null): number => (a === null || b === null ? Number(a === null) - Number(b === null) : order(a, b));
  return keys.sort((a, b) => nullable(a.name, b.name) || nullable(a.uid, b.uid) || order(a.id, b.id)).map(({ row }) => row);
}

function operatorLines(metadata: Metadata, row: number, details: OperatorDetails | undefined, bounds: TextLimits): string[] {
  const operator = metadata.operators.get(row);
  const { name, uid, id, parallelism, maxParallelism, chainLength, fullyFinished, sizes, sizeBytes, whole } = operator;
  return [
    `operator ${name === null ? (uid === null ? id : quoted(uid)) : quoted(name)}`,
    ...(uid === null ? [] : [line("uid", quoted(uid))]),
    line("id", `${id}${metadata.operators.uidMatches(row) === false ? " (not the uid's: set by uid hash)" : ""}`),
    line("parallelism", count(parallelism)),
    line("max parallelism", count(maxParallelism)),
    ...(chainLength > 1 ? [line("chain", countText(chainLength, "operator"))] : []),
    ...(fullyFinished ? [line("finished", "fully")] : []),
    ...sizeLines("size", sizeBytes, sizes),
    ...subtaskLines(metadata, operator),
    ...(details === undefined ? [] : detailLines(details, bounds)),
    ...(whole ? [] : ["  # The file breaks off in this operator."]),
  ];
}

/** A sum, and its parts below it when there is more than one. */
function sizeLines(key: string, sum: bigint, sizes: Readonly<Record<SizeKind, bigint>>): string[] {
  const parts = sizeKinds.filter((kind) => sizes[kind] !== 0n);
  const [only, second] = parts;
  if (only !== undefined && second === undefined) return [line(key, `${bytes(sum)}, ${kindNames[only]}`)];
  return [line(key, bytes(sum)), ...parts.map((kind) => `    ${kindNames[kind].padEnd(keyWidth - 3)} ${bytes(sizes[kind])}`)];
}

/** All subtasks in one line: how many hold state, and from how much to how much. */
function subtaskLines({ operators }: Metadata, { row, subtaskCount }: OperatorEntry): string[] {
  if (subtaskCount === 0) return [];
  const sizes = operators.subtaskSizes(row).filter((size) => size !== 0);
  let finished = 0;
  const page = 10_000;
  for (let from = 0; from < subtaskCount; from += page) for (const subtask of operators.subtasks(row, from, page)) finished += Number(subtask.finished);
  const least = sizes.reduce((a, b) => Math.min(a, b), Infinity);
  const most = sizes.reduce((a, b) => Math.max(a, b), -Infinity);
  const spread = sizes.length < 2 ? [] : least === most ? [`${bytes(least)} each`] : [`from ${bytes(least)} to ${bytes(most)}`];
  return [line("subtasks", [sizes.length === 0 ? "none with state" : `${count(sizes.length)} with state`, ...some(finished, "finished"), ...spread].join(", "))];
}

function detailLines({ key, states, places, notes }: OperatorDetails, bounds: TextLimits): string[] {
  const sorted = [...states].sort((a, b) => order(a.name, b.name) || order(a.kind, b.kind));
  const somewhere = [...places].sort((a, b) => order(a.place, b.place));
  return [
    ...somewhere.slice(0, bounds.placesPerOperator).map(({ place, files }) => line("files", `${count(files)} ${place}`)),
    ...more(somewhere.length - bounds.placesPerOperator, "place"),
    ...(key === null ? [] : [line("key", key)]),
    ...sorted.slice(0, bounds.statesPerOperator).map(stateLine),
    ...more(sorted.length - bounds.statesPerOperator, "state"),
    ...notes.map((note) => `  # ${note}`),
  ];
}

function stateLine({ name, kind, serializer, namespace, ttl }: StateText): string {
  const type = serializer === null ? kind : serializer.startsWith(`${kind}<`) ? serializer : `${kind} ${serializer}`;
  const extra = [...(namespace === null ? [] : [`namespace ${namespace}`]), ...(ttl && !(serializer ?? "").includes("TTL<") ? ["TTL"] : [])];
  return `  state ${quoted(name)}: ${[type, ...extra].join(", ")}`;
}

function more(left: number, noun: string): string[] {
  return left > 0 ? [`  # ${countText(left, `more ${noun}`)} left out.`] : [];
}

function some(number: number, what: string): string[] {
  return number > 0 ? [`${count(number)} ${what}`] : [];
}

function count(number: number): string {
  return numbers.format(number);
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
