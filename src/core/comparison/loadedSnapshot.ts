import type { OpenFile } from "../ports";
import type { ComparedSide } from "../metadata/compare";
import { filePlaceOf } from "../metadata/filePlace";
import type { Metadata } from "../metadata/metadata";
import type { RandomAccess } from "../metadata/randomAccess";
import { scanMetadata, type ScanResult } from "../metadata/scan";
import { savepointStates, type StateReading } from "../metadata/states/savepointStates";
import { StateTable, type OperatorStateEntry } from "../metadata/states/stateTable";
import { numberText } from "../wording";
import { typeText } from "../metadata/states/typeText";
import { streamsOf, subtaskPages, withWindow } from "../metadata/streams";
import { metadataText, placeText, type OperatorDetails, type StateText, type TextOptions } from "../metadata/text";

/** Where a snapshot is read from. */
export interface SnapshotSource {
  readonly input: RandomAccess;
  /** The folder of the metadata, a location. */
  readonly folder: string;
  readonly open: OpenFile;
}

/** Subtasks of an operator whose state files are looked into: all of them register the same states. */
const subtasksForStates = 4;
/** Subtasks of an operator whose files are counted. */
const subtasksForPlaces = 256;
/** Bytes read of all state files together, of which only headers are read. */
const headerBytes = 512 << 20;

/** A snapshot as it is compared and written down: its metadata, and on demand the states that its state files name. */
export class LoadedSnapshot {
  readonly scan: ScanResult;
  readonly folder: string;
  readonly #source: SnapshotSource;
  #states: Promise<StatesRead> | undefined;

  constructor(source: SnapshotSource, scan: ScanResult) {
    this.#source = source;
    this.folder = source.folder;
    this.scan = scan;
  }

  /** Reads the metadata. Rejects with what reading throws and with the signal's reason. */
  static async load(source: SnapshotSource, signal?: AbortSignal): Promise<LoadedSnapshot> {
    return new LoadedSnapshot(source, await scanMetadata(source.input, signal === undefined ? {} : { signal }));
  }

  /** The states of all operators, read once. */
  async states(): Promise<StatesRead> {
    const { metadata } = this.scan;
    return metadata === undefined ? noStates : (this.#states ??= readStates(this.#source, metadata));
  }

  /** One of two that are compared; without states unless they are given. */
  side(metadata: Metadata, states?: StatesRead): ComparedSide {
    return states === undefined ? { metadata } : { metadata, states: (row) => (states.unread.has(row) ? undefined : states.table.of(row)) };
  }

  /** Its text, see `metadataText`. */
  async text(options: Omit<TextOptions, "details"> = {}, signal?: AbortSignal): Promise<string> {
    const { metadata } = this.scan;
    const states = await this.states();
    const source = { ...this.#source, input: withWindow(this.#source.input) };
    return metadataText({ ...this.scan, details: async (row) => (metadata === undefined ? undefined : detailsOf(source, metadata, row, states, signal)) }, options);
  }
}

/** States by operator, and what kept them from being read. */
export interface StatesRead {
  readonly table: StateTable;
  /** Sentences by the operator's position: not all of its states are known. */
  readonly unread: ReadonlyMap<number, ReadonlySet<string>>;
}

const noStates: StatesRead = { table: new StateTable(), unread: new Map() };

async function readStates({ input, folder, open }: SnapshotSource, metadata: Metadata): Promise<StatesRead> {
  const table = new StateTable();
  const unread = new Map<number, Set<string>>();
  for await (const reading of savepointStates(input, metadata, { folder, open }, { subtasksPerOperator: subtasksForStates, countUpToBytes: 0, readBytes: headerBytes })) {
    table.add(reading);
    const note = noteOf(reading);
    if (note !== undefined) unread.set(reading.row, (unread.get(reading.row) ?? new Set()).add(note));
  }
  return { table, unread };
}

/** The same words for the same fault: a path would be another in each snapshot. */
function noteOf({ problems, role, timers }: StateReading): string | undefined {
  const codes = new Set(problems.filter(({ severity }) => severity === "error").map(({ code }) => code));
  if (codes.size === 0 || (role === "rawKeyedState" && timers === null && !codes.has("file-missing"))) return undefined;
  if (codes.has("limit")) return "Reading stopped at a limit, so not all states are named.";
  return codes.has("file-missing") || codes.has("file-elsewhere") || codes.has("path-unsafe") ? "A state file is not where it can be read from here, so its states are not named." : "A state file can't be read, so its states are not named.";
}

async function detailsOf({ input, folder }: SnapshotSource, metadata: Metadata, row: number, { table, unread }: StatesRead, signal: AbortSignal | undefined): Promise<OperatorDetails> {
  const files = new Map<string, Set<string>>();
  const named = new Map<string, string>();
  let inside = 0;
  const notes = new Set(unread.get(row));
  for await (const { subtasks, problems } of subtaskPages(input, metadata, row, { subtasks: subtasksForPlaces, ...(signal === undefined ? {} : { signal }) })) {
    if (problems.length > 0) notes.add("Not all subtasks can be read.");
    for (const subtask of subtasks) {
      for (const { handle } of streamsOf(subtask)) {
        if (handle.type === "bytes") inside++;
        if (!("path" in handle)) continue;
        const { relation, location } = filePlaceOf(folder, handle);
        const place = relation === "inside" ? "beside the metadata" : relation === "unsafe" ? "at a path that leads out of the folder" : `below ${placeText(location)}`;
        files.set(place, (files.get(place) ?? new Set()).add(handle.path));
      }
      for (const handle of subtask.managedOperator) for (const { name, mode } of handle?.states ?? []) named.set(name, mode);
    }
  }
  const total = metadata.operators.get(row).subtaskCount;
  if (total > subtasksForPlaces) notes.add(`Files of the first ${subtasksForPlaces} of ${numberText(total)} subtasks.`);
  const entries = table.of(row);
  const states = entries.map(stateText);
  for (const [name, mode] of named) if (!entries.some((entry) => entry.role === "managedOperatorState" && entry.name === name)) states.push({ name, kind: kindText(mode), serializer: null, namespace: null, ttl: false });
  const key = entries.find(({ keySerializer }) => keySerializer !== null)?.keySerializer ?? null;
  return {
    key: key === null ? null : typeText(key, "full"), states,
    places: [...(inside > 0 ? [{ place: "inside the metadata", files: inside }] : []), ...[...files].map(([place, paths]) => ({ place, files: paths.size }))], notes: [...notes],
  };
}

function stateText({ name, kind, ttl, serializers }: OperatorStateEntry): StateText {
  const { VALUE_SERIALIZER: value, USER_KEY_SERIALIZER: userKey, NAMESPACE_SERIALIZER: namespace } = serializers;
  const inNamespace = namespace === undefined ? null : typeText(namespace, "full");
  const type = value === undefined ? null : userKey === undefined ? typeText(value, "full") : `map<${typeText(userKey, "full")}, ${typeText(value, "full")}>`;
  return { name, kind: kindText(kind), serializer: type, namespace: inNamespace === "void" ? null : inNamespace, ttl };
}

/** The kind of a state in small letters, as types are. */
export function kindText(kind: string): string {
  return kindWords[kind] ?? kind.toLowerCase().replaceAll("_", " ");
}

const kindWords: Readonly<Record<string, string>> = { SPLIT_DISTRIBUTE: "list", UNION: "union list", KEY_VALUE: "keyed", KEY_VALUE_V2: "keyed", UNKNOWN: "keyed" };
