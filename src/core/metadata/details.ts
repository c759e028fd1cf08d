import type { OpenMetadata } from "../ports";
import { decodeSubtasks } from "./decode";
import type { ChannelHandle, KeyedHandle, OperatorHandle, StreamHandle, Subtask } from "./handles";
import type { Metadata } from "./metadata";
import type { RandomAccess } from "./randomAccess";
import { modeKindText, fullTypeText, stateKindText } from "./states/typeText";
import type { StateDescription, StateHeader } from "./states/serializer";
import { readChangelogFile, readChanges, readIncrementalStates, readKeyedStates, readOperatorStates, readRawKeyedStates } from "./states/stateFile";
import { placeText, type OperatorDetails, type StateText } from "./text";

/** Where an operator's handles are read from, and its state files opened. */
export interface DetailSource {
  readonly input: RandomAccess;
  readonly metadata: Metadata;
  /** The folder of the metadata, which relative paths start from. */
  readonly folder: string;
  readonly open: OpenMetadata;
  readonly signal?: AbortSignal;
}

/** Subtasks of an operator that are looked at, and their bytes in the metadata: all of an ordinary job's. */
const subtaskLimit = 256;
const subtaskBytesLimit = 32 << 20;
/** Raw state and changelogs have no header: they are read whole up to this size. */
const wholeFileBytes = 1 << 20;

/**
 * Looks into an operator: where its state files are, and which states the headers of some of them name (those of its first and of its largest
 * subtask; all subtasks of an operator register the same). Rejects with the signal's reason and with what reading the metadata throws; a state
 * file that can't be read is a note.
 */
export async function operatorDetails(source: DetailSource, row: number): Promise<OperatorDetails> {
  const { input, metadata, signal } = source;
  const entries = metadata.operators.subtasks(row, 0, subtaskLimit);
  let lengthBytes = 0;
  const limit = entries.findIndex((entry) => (lengthBytes += entry.lengthBytes) > subtaskBytesLimit);
  const seen = limit < 0 ? entries.length : Math.max(1, limit);
  const { subtasks, problems } = await decodeSubtasks(input, metadata, { row, from: 0, limit: seen }, signal === undefined ? {} : { signal });
  const total = metadata.operators.get(row).subtaskCount;
  const found = new States(source);
  for (const subtask of sampleOf(subtasks)) await found.look(subtask);
  for (const { managedOperator } of subtasks) for (const handle of managedOperator) found.addNames(handle);
  const notes = [...found.notes, ...(problems.length > 0 ? ["The subtasks can't be read to their end."] : []), ...(seen < total ? [`Files and states of the first ${seen.toLocaleString("en")} of ${total.toLocaleString("en")} subtasks.`] : [])];
  return { key: found.key, states: found.states(), places: placesOf(subtasks), notes };
}

/** Every stream of a subtask, with the bytes inside the metadata. */
export function* streamsOf(subtask: Subtask): Generator<StreamHandle> {
  for (const handle of subtask.legacy) if (handle !== null) yield handle;
  for (const handle of [...subtask.managedOperator, ...subtask.rawOperator]) if (handle !== null) yield handle.delegate;
  for (const keyed of [subtask.managedKeyed, subtask.rawKeyed]) yield* keyedStreams(keyed);
  for (const channel of [...subtask.inputChannels, ...subtask.outputChannels] as ChannelHandle[]) yield channel.delegate;
}

function* keyedStreams(root: KeyedHandle | null): Generator<StreamHandle> {
  for (const handle of flat(root)) {
    if (handle.type === "keyGroups") yield handle.delegate;
    else if (handle.type === "incremental") yield* [handle.metaHandle, ...handle.shared.map((one) => one.handle), ...handle.private.map((one) => one.handle)];
    else if (handle.type === "changelogFiles") yield* handle.parts.map((part) => part.handle);
  }
}

/** The parts of a changelog one by one, deepest last; any other handle alone. */
function flat(root: KeyedHandle | null): KeyedHandle[] {
  const parts: KeyedHandle[] = [];
  const left = root === null ? [] : [root];
  for (let handle = left.pop(); handle !== undefined; handle = left.pop()) {
    if (handle.type === "changelog") left.push(...handle.nonMaterialized.toReversed(), ...handle.materialized.toReversed());
    else parts.push(handle);
  }
  return parts;
}

/** The first subtask with state and the largest. */
function sampleOf(subtasks: readonly Subtask[]): Set<Subtask> {
  const filled = subtasks.filter(({ sizeBytes }) => sizeBytes !== 0n);
  const [first] = filled;
  return new Set(first === undefined ? [] : [first, filled.reduce((most, subtask) => (subtask.sizeBytes > most.sizeBytes ? subtask : most), first)]);
}

function placesOf(subtasks: readonly Subtask[]): OperatorDetails["places"] {
  const files = new Map<string, Set<string>>();
  let inside = 0;
  for (const subtask of subtasks) {
    for (const stream of streamsOf(subtask)) {
      const handle = stream.type === "keyGroups" ? stream.delegate : stream;
      if (handle.type === "bytes") inside++;
      if (!("path" in handle)) continue;
      const place = handle.type === "relativeFile" ? "relative" : `below ${placeText(handle.path)}`;
      files.set(place, (files.get(place) ?? new Set()).add(handle.path));
    }
  }
  return [...(inside > 0 ? [{ place: "inside the metadata", files: inside }] : []), ...[...files].map(([place, paths]) => ({ place, files: paths.size }))];
}

/** Gathers states from headers. */
class States {
  key: string | null = null;
  readonly notes = new Set<string>();
  readonly #source: DetailSource;
  readonly #found = new Map<string, StateText>();

  constructor(source: DetailSource) {
    this.#source = source;
  }

  states(): StateText[] {
    return [...this.#found.values()];
  }

  async look({ managedKeyed, rawKeyed, managedOperator }: Subtask): Promise<void> {
    for (const handle of flat(managedKeyed)) await this.#keyed(handle);
    if (rawKeyed?.type === "keyGroups" && rawKeyed.sizeBytes <= BigInt(wholeFileBytes)) {
      await this.#reading(rawKeyed.delegate, async (file) => {
        const { timers } = await readRawKeyedStates(file, rawKeyed.keyGroups);
        for (const name of timers?.services.keys() ?? []) this.#add({ name, kind: "timers", serializer: null, namespace: null, ttl: false });
      });
    }
    for (const handle of managedOperator) {
      if (handle === null || handle.states.length === 0) continue;
      await this.#reading(handle.delegate, async (file) => this.#header((await readOperatorStates(file, handle)).header));
    }
  }

  /** Names of operator states are in the metadata itself, whether or not a header could be read. */
  addNames(handle: OperatorHandle | null): void {
    const known = new Set([...this.#found.values()].map(({ name }) => name));
    for (const { name, mode } of handle?.states ?? []) if (!known.has(name)) this.#add({ name, kind: modeKindText(mode), serializer: null, namespace: null, ttl: false });
  }

  async #keyed(handle: KeyedHandle): Promise<void> {
    const { input, signal } = this.#source;
    if (handle.type === "keyGroups") return this.#reading(handle.delegate, async (file) => this.#header((await readKeyedStates(file, handle.keyGroups)).header));
    if (handle.type === "incremental") return this.#reading(handle.metaHandle, async (file) => this.#header((await readIncrementalStates(file)).header));
    if (handle.type === "changelogFiles") {
      for (const part of handle.parts) await this.#reading(part.handle, async (file) => this.#add(...(await readChangelogFile(file, part.offset, { limits: { stateBytes: wholeFileBytes } })).states.map(stateText)));
    } else if (handle.type === "changelogBytes" && handle.sizeBytes <= BigInt(wholeFileBytes)) {
      const changes = [];
      for (const { dataOffset, lengthBytes } of handle.changes) changes.push({ offset: dataOffset, bytes: await input.read(dataOffset, lengthBytes, signal) });
      this.#add(...readChanges(changes).states.map(stateText));
    }
  }

  #header(header: StateHeader | undefined): void {
    if (header === undefined) return void this.notes.add("A state file can't be read, so its states are not named.");
    if (header.keySerializer !== null) this.key ??= fullTypeText(header.keySerializer);
    this.#add(...header.states.map(stateText));
  }

  #add(...states: readonly StateText[]): void {
    for (const state of states) {
      const id = `${state.kind} ${state.name}`;
      if (!this.#found.has(id)) this.#found.set(id, state);
    }
  }

  /** Opens a stream, reads, closes it. A file that is not there or on another storage is a note. */
  async #reading(handle: StreamHandle, read: (file: RandomAccess) => Promise<void>): Promise<void> {
    const { input, folder, open, signal } = this.#source;
    signal?.throwIfAborted();
    if (handle.type === "emptySegment") return;
    if (handle.type === "keyGroups") return this.#reading(handle.delegate, read);
    if (handle.type === "bytes") return read(partOf(input, BigInt(handle.dataOffset), handle.sizeBytes));
    const location = handle.type !== "relativeFile" ? handle.path : isSafe(handle.path) ? `${folder}/${handle.path}` : undefined;
    const file = location === undefined ? undefined : await open(location);
    if (file === undefined) return void this.notes.add("A state file can't be reached from here, so its states are not named.");
    try {
      await read(handle.type === "segment" ? partOf(file, handle.startOffset, handle.sizeBytes) : file);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof Error)) throw error;
      this.notes.add("A state file can't be read, so its states are not named.");
    } finally {
      await file.close();
    }
  }
}

/** A part of a file, no longer than the file is. */
function partOf(file: RandomAccess, start: bigint, size: bigint): RandomAccess {
  const from = Math.min(Number(start < 0n ? 0n : start), file.sizeBytes);
  return { sizeBytes: Math.max(0, Math.min(Number(size), file.sizeBytes - from)), read: (offset, length, signal) => file.read(from + offset, length, signal) };
}

/** A relative path that stays in its folder. */
function isSafe(path: string): boolean {
  return !path.startsWith("/") && !path.split(/[\\/]/).includes("..");
}

function stateText(state: StateDescription): StateText {
  const value = state.serializers["VALUE_SERIALIZER"];
  const userKey = state.serializers["USER_KEY_SERIALIZER"];
  const namespace = state.serializers["NAMESPACE_SERIALIZER"];
  const inNamespace = namespace === undefined ? null : fullTypeText(namespace);
  const type = value === undefined ? null : userKey === undefined ? fullTypeText(value) : `map<${fullTypeText(userKey)}, ${fullTypeText(value)}>`;
  return { name: state.name, kind: stateKindText(state), serializer: type, namespace: inNamespace === "void" ? null : inNamespace, ttl: state.ttl };
}
