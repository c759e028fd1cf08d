import { ByteReader } from "./byteReader";
import type { ChannelHandle, DistributionMode, KeyedHandle, KeyGroupOffsets, KeyGroupRange, NamedStream, OperatorHandle, StreamHandle, Subtask } from "./handles";
import { defaultLimits, type MetadataLimits } from "./limits";
import type { Metadata, SubtaskEntry } from "./metadata";
import { ProblemError, type Problem } from "./problem";
import type { RandomAccess } from "./randomAccess";
import { tags, type Layout } from "./tags";

/** Which subtasks of an operator, by their position in the file. */
export interface SubtaskPage {
  readonly row: number;
  readonly from?: number;
  readonly limit?: number;
}

/** A page of subtasks; ends early with a problem where the bytes are no longer those that were scanned, or beyond a limit. */
export interface SubtaskResult {
  readonly subtasks: readonly Subtask[];
  readonly problems: readonly Problem[];
}

/** Decodes the handles of some subtasks from their bytes, which are read again from the file. Throws what reading throws, and the signal's reason. */
export async function decodeSubtasks(input: RandomAccess, metadata: Metadata, page: SubtaskPage, options: { limits?: Partial<MetadataLimits>; signal?: AbortSignal } = {}): Promise<SubtaskResult> {
  const limits = { ...defaultLimits, ...options.limits };
  const entries = metadata.operators.subtasks(page.row, page.from, page.limit);
  const operator = metadata.operators.get(page.row);
  const subtasks: Subtask[] = [];
  const end = operator.offset + operator.lengthBytes;
  try {
    for (const group of groupsOf(entries, limits)) {
      options.signal?.throwIfAborted();
      const bytes = await input.read(group.offset, group.lengthBytes, options.signal);
      for (const entry of group.entries) {
        const from = entry.offset - group.offset;
        const decoder = new Decoder(new ByteReader(bytes, group.offset, from, from + entry.lengthBytes), metadata.version, metadata.layout, limits);
        // The last subtask of an operator that the file breaks off in is not whole either.
        if (!operator.whole && entry.offset + entry.lengthBytes === end) break;
        subtasks.push(decoder.subtask(entry.index));
      }
    }
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return { subtasks, problems: [error.problem(`operators[${page.row}].subtasks[${(page.from ?? 0) + subtasks.length}]`)] };
  }
  return { subtasks, problems: [] };
}

/** Decodes the state handle of an operator's coordinator: null, or bytes inside the metadata. Throws what reading throws. */
export async function decodeCoordinator(input: RandomAccess, metadata: Metadata, row: number, signal?: AbortSignal): Promise<{ readonly handle: StreamHandle | null; readonly problems: readonly Problem[] }> {
  const operator = metadata.operators.get(row);
  if (!operator.hasCoordinatorState) return { handle: null, problems: [] };
  // Three texts of at most 64 kB and some numbers; the state itself is not read.
  const headBytes = Math.min(operator.lengthBytes, 3 * 65_537 + 64);
  const reader = new ByteReader(await input.read(operator.offset, headBytes, signal), operator.offset);
  try {
    if (metadata.version >= 5) {
      reader.utf("name");
      reader.utf("uid");
    }
    reader.skip(24, "id");
    if (reader.u8("tag") !== tags.bytes) reader.fail("changed", "coordinatorState.tag", {});
    const name = reader.utf("coordinatorState.name");
    const sizeBytes = BigInt(reader.i32("coordinatorState.length"));
    return { handle: { type: "bytes", name, dataOffset: reader.offset, sizeBytes }, problems: [] };
  } catch (error) {
    if (error instanceof ProblemError) return { handle: null, problems: [error.problem(`operators[${row}]`)] };
    throw error;
  }
}

interface Group {
  readonly offset: number;
  lengthBytes: number;
  readonly entries: SubtaskEntry[];
}

/** Neighbours that are read together, up to a window. */
function groupsOf(entries: readonly SubtaskEntry[], limits: MetadataLimits): Group[] {
  const groups: Group[] = [];
  for (const entry of entries) {
    if (entry.lengthBytes > limits.subtaskBytes) throw new ProblemError("limit", entry.offset, "", { limit: "subtaskBytes", value: limits.subtaskBytes });
    const last = groups.at(-1);
    if (last !== undefined && last.offset + last.lengthBytes === entry.offset && last.lengthBytes + entry.lengthBytes <= limits.windowBytes) {
      last.entries.push(entry);
      last.lengthBytes += entry.lengthBytes;
    } else groups.push({ offset: entry.offset, lengthBytes: entry.lengthBytes, entries: [entry] });
  }
  return groups;
}

const modes: readonly DistributionMode[] = ["SPLIT_DISTRIBUTE", "UNION", "BROADCAST"];

/** The grammar of one subtask, as `Scanner` has checked it; what does not fit means that the file has changed since. */
class Decoder {
  readonly #reader: ByteReader;
  readonly #version: number;
  readonly #layout: Layout;
  readonly #limits: MetadataLimits;
  #handles = 0;

  constructor(reader: ByteReader, version: number, layout: Layout, limits: MetadataLimits) {
    this.#reader = reader;
    this.#version = version;
    this.#layout = layout;
    this.#limits = limits;
  }

  subtask(index: number): Subtask {
    const reader = this.#reader;
    const version = this.#version;
    const number = reader.i32("index");
    if ((number < 0 && version >= 3 ? -1 - number : number) !== index && version >= 3) reader.fail("changed", "index", {});
    if (number < 0 && version >= 3) {
      return { index, finished: true, legacy: [], managedOperator: [], rawOperator: [], managedKeyed: null, rawKeyed: null, inputChannels: [], outputChannels: [], referenceCheckpointId: null, sizeBytes: 0n };
    }
    if (version < 3) reader.skip(8, "duration");
    const legacy = version < 3 ? this.#list(1, "legacyOperatorState", () => this.#streamOrNull(0)) : [];
    const managedOperator = this.#operatorHandles("managedOperatorState");
    const rawOperator = this.#operatorHandles("rawOperatorState");
    const managedKeyed = this.#keyed(0);
    const rawKeyed = this.#keyed(0);
    const inputChannels = version >= 3 ? this.#list(17, "inputChannelState", () => this.#channel()) : [];
    const outputChannels = version >= 3 ? this.#list(17, "outputChannelState", () => this.#channel()) : [];
    const referenceCheckpointId = version >= 7 && reader.bool("reference") ? reader.i64("reference") : null;
    if (reader.leftBytes !== 0) reader.fail("changed", "", {});
    const all = [...legacy, ...managedOperator, ...rawOperator, managedKeyed, rawKeyed, ...inputChannels, ...outputChannels];
    return { index, finished: false, legacy, managedOperator, rawOperator, managedKeyed, rawKeyed, inputChannels, outputChannels, referenceCheckpointId, sizeBytes: sum(all) };
  }

  #operatorHandles(field: string): readonly (OperatorHandle | null)[] {
    const reader = this.#reader;
    if (this.#version === 1) return this.#list(1, field, () => this.#operatorHandle());
    return reader.i32(field) === 0 ? [] : [this.#operatorHandle()];
  }

  #operatorHandle(): OperatorHandle | null {
    const reader = this.#reader;
    const tag = this.#tag();
    if (tag === tags.null) return null;
    if (tag !== tags.partitionable && tag !== tags.segmentPartitionable) reader.fail("handle-misplaced", "tag", { tag });
    const states = this.#list(7, "states", () => {
      const name = reader.utf("name");
      const mode = reader.u8("mode");
      return { name, mode: modes[mode] ?? reader.fail("value-invalid", "mode", { value: mode }), offsets: this.#offsets(reader.count(8, "offsets")) };
    });
    const directories = tag === tags.partitionable ? null : { taskOwned: reader.utf("taskOwnedDirectory"), shared: reader.utf("sharedDirectory"), empty: reader.bool("empty") };
    const delegate = this.#stream(0);
    return { tag, states, delegate, directories, sizeBytes: delegate.sizeBytes };
  }

  #keyed(depth: number): KeyedHandle | null {
    const reader = this.#reader;
    if (depth > this.#limits.depth) reader.fail("limit", "", { limit: "depth", value: this.#limits.depth });
    const tag = this.#tag();
    const old = this.#layout === "1.14";
    switch (tag) {
      case tags.null:
        return null;
      case tags.keyGroups:
      case tags.savepointKeyGroups:
      case tags.keyGroupsV2: {
        const keyGroups = this.#keyGroupOffsets();
        const delegate = this.#stream(0);
        const stateHandleId = tag === tags.keyGroupsV2 ? reader.utf("stateHandleId") : null;
        return { type: "keyGroups", tag, savepoint: tag === tags.savepointKeyGroups, keyGroups, delegate, stateHandleId, sizeBytes: delegate.sizeBytes };
      }
      case tags.incremental:
      case tags.incrementalV2: {
        const checkpointId = reader.i64("checkpointId");
        const backendId = reader.utf("backendId");
        const keyGroups = this.#range();
        const checkpointedBytes = tag === tags.incrementalV2 ? reader.i64("checkpointedSize") : null;
        const metaHandle = this.#stream(0);
        const shared = this.#list(3, "sharedState", () => this.#namedStream());
        const own = this.#list(3, "privateState", () => this.#namedStream());
        const stateHandleId = tag === tags.incrementalV2 ? reader.utf("stateHandleId") : null;
        const sizeBytes = sum([metaHandle, ...shared.map(({ handle }) => handle), ...own.map(({ handle }) => handle)]);
        return { type: "incremental", tag, checkpointId, backendId, keyGroups, checkpointedBytes, metaHandle, shared, private: own, stateHandleId, sizeBytes };
      }
      case tags.changelog:
      case tags.changelogV2: {
        const keyGroups = this.#range();
        const short = old && tag === tags.changelog;
        const checkpointedBytes = short ? null : reader.i64("checkpointedSize");
        const materialized = this.#list(1, "materialized", () => this.#keyed(depth + 1)).filter((handle) => handle !== null);
        const nonMaterialized = this.#list(1, "nonMaterialized", () => this.#keyed(depth + 1)).filter((handle) => handle !== null);
        const materializationId = short ? null : reader.i64("materializationId");
        const checkpointId = tag === tags.changelogV2 ? reader.i64("checkpointId") : null;
        const stateHandleId = short ? null : reader.utf("stateHandleId");
        return { type: "changelog", tag, keyGroups, checkpointedBytes, materialized, nonMaterialized, materializationId, checkpointId, stateHandleId, sizeBytes: sum([...materialized, ...nonMaterialized]) };
      }
      case tags.changelogBytes: {
        const keyGroups = this.#range();
        const from = reader.i64("from");
        const to = reader.i64("to");
        let bytes = 0;
        const changes = this.#list(8, "changes", () => {
          const keyGroup = reader.i32("keyGroup");
          const lengthBytes = reader.count(1, "length");
          bytes += lengthBytes;
          const dataOffset = reader.offset;
          reader.skip(lengthBytes, "change");
          return { keyGroup, dataOffset, lengthBytes };
        });
        return { type: "changelogBytes", tag, keyGroups, from, to, changes, stateHandleId: old ? null : reader.utf("stateHandleId"), sizeBytes: BigInt(bytes) };
      }
      case tags.changelogFiles:
      case tags.changelogFilesV2: {
        const keyGroups = this.#range();
        const parts = this.#list(9, "parts", () => ({ offset: reader.i64("offset"), handle: this.#stream(0) }));
        const short = old && tag === tags.changelogFiles;
        const sizeBytes = reader.i64("size");
        const checkpointedBytes = short ? null : reader.i64("checkpointedSize");
        const stateHandleId = short ? null : reader.utf("stateHandleId");
        const storageIdentifier = tag === tags.changelogFilesV2 ? reader.utf("storageIdentifier") : null;
        return { type: "changelogFiles", tag, keyGroups, parts, checkpointedBytes, stateHandleId, storageIdentifier, sizeBytes };
      }
      default:
        return reader.fail("handle-misplaced", "tag", { tag });
    }
  }

  #namedStream(): NamedStream {
    return { localPath: this.#reader.utf("localPath"), handle: this.#stream(0) };
  }

  #channel(): ChannelHandle {
    const reader = this.#reader;
    if (this.#version >= 6 && this.#tag() > 2) {
      const subtaskIndex = reader.i32("subtaskIndex");
      const sizeBytes = reader.i64("size");
      const delegate = this.#stream(0);
      const length = reader.count(1, "offsets");
      return { type: "merged", subtaskIndex, sizeBytes, delegate, channels: this.#mergedChannels(reader.part(length, "offsets")) };
    }
    const subtaskIndex = this.#layout === "1.11" ? null : reader.i32("subtaskIndex");
    const gate = reader.i32("gate");
    const channel = reader.i32("channel");
    const offsets = this.#offsets(reader.count(8, "offsets"));
    const sizeBytes = reader.i64("size");
    return { type: "channel", subtaskIndex, gate, channel, offsets, sizeBytes, delegate: this.#stream(0) };
  }

  #mergedChannels(reader: ByteReader): (ChannelHandle & { type: "merged" })["channels"] {
    try {
      const channels = [];
      const count = reader.count(20, "channels");
      for (let i = 0; i < count; i++) {
        const gate = reader.i32("gate");
        const channel = reader.i32("channel");
        const sizeBytes = reader.i64("size");
        channels.push({ gate, channel, sizeBytes, offsets: offsetsOf(reader, reader.count(8, "offsets")) });
      }
      return reader.leftBytes === 0 ? channels : null;
    } catch (error) {
      if (error instanceof ProblemError) return null;
      throw error;
    }
  }

  #stream(depth: number): StreamHandle {
    const at = this.#reader.at;
    return this.#streamOrNull(depth) ?? this.#reader.failAt("handle-misplaced", at, "tag", { tag: 0 });
  }

  #streamOrNull(depth: number): StreamHandle | null {
    const reader = this.#reader;
    if (depth > this.#limits.depth) reader.fail("limit", "", { limit: "depth", value: this.#limits.depth });
    const tag = this.#tag();
    switch (tag) {
      case tags.null:
        return null;
      case tags.bytes: {
        const name = reader.utf("name");
        const length = reader.count(1, "length");
        const dataOffset = reader.offset;
        reader.skip(length, "bytes");
        return { type: "bytes", name, dataOffset, sizeBytes: BigInt(length) };
      }
      case tags.file: {
        const sizeBytes = reader.i64("size");
        return { type: "file", path: reader.utf("path"), sizeBytes };
      }
      case tags.relativeFile:
        return { type: "relativeFile", path: reader.utf("path"), sizeBytes: reader.i64("size") };
      case tags.segment: {
        const startOffset = reader.i64("start");
        const sizeBytes = reader.i64("size");
        const scope = reader.i32("scope") === 0 ? "EXCLUSIVE" : "SHARED";
        return { type: "segment", path: reader.utf("path"), startOffset, sizeBytes, scope, logicalFileId: reader.utf("logicalFileId") };
      }
      case tags.emptySegment:
        return { type: "emptySegment", sizeBytes: 0n };
      case tags.keyGroups: {
        const keyGroups = this.#keyGroupOffsets();
        const delegate = this.#stream(depth + 1);
        return { type: "keyGroups", keyGroups, delegate, sizeBytes: delegate.sizeBytes };
      }
      default:
        return reader.fail("handle-misplaced", "tag", { tag });
    }
  }

  #range(): KeyGroupRange {
    return { first: this.#reader.i32("keyGroupRange"), count: this.#reader.i32("keyGroupRange") };
  }

  #keyGroupOffsets(): KeyGroupOffsets {
    const first = this.#reader.i32("keyGroupRange");
    const count = this.#reader.count(8, "keyGroupRange");
    return { first, count, offsets: this.#offsets(count) };
  }

  #offsets(count: number): BigInt64Array {
    return offsetsOf(this.#reader, count);
  }

  #tag(): number {
    if (++this.#handles > this.#limits.subtaskHandles) this.#reader.fail("limit", "", { limit: "subtaskHandles", value: this.#limits.subtaskHandles });
    return this.#reader.u8("tag");
  }

  #list<T>(elementBytes: number, field: string, element: () => T): T[] {
    const count = this.#reader.i32(field);
    // Flink takes a negative count of channels for none, the scan does not let it pass.
    if (count < 0 || count * elementBytes > this.#reader.leftBytes) this.#reader.fail("changed", field, {});
    const list: T[] = [];
    for (let i = 0; i < count; i++) list.push(element());
    return list;
  }
}

function offsetsOf(reader: ByteReader, count: number): BigInt64Array {
  const offsets = new BigInt64Array(count);
  for (let i = 0; i < count; i++) offsets[i] = reader.i64("offset");
  return offsets;
}

function sum(handles: readonly ({ readonly sizeBytes: bigint } | null)[]): bigint {
  return BigInt.asIntN(64, handles.reduce((total, handle) => total + (handle?.sizeBytes ?? 0n), 0n));
}
