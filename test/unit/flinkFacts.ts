import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import * as fs from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { decodeCoordinator, decodeSubtasks } from "../../src/core/metadata/decode";
import type { ChannelHandle, KeyedHandle, NamedStream, OperatorHandle, StreamHandle, Subtask } from "../../src/core/metadata/handles";
import type { CheckpointProperties } from "../../src/core/metadata/properties";
import { inMemory, type RandomAccess } from "../../src/core/metadata/randomAccess";
import { scanMetadata } from "../../src/core/metadata/scan";
import type { Serializer, StateDescription, StateHeader } from "../../src/core/metadata/states/serializer";
import { readChangelogFile, readChanges, readIncrementalStates, readKeyedStates, readOperatorStates, type ChangelogStates } from "../../src/core/metadata/states/stateFile";
import { fileAccess } from "./metadataFiles";

/** Plain data, for comparing by `assert.deepEqual`. */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain };

/**
 * What our reader finds in a snapshot, state files included, in the shape that `peer.Peer` (test/jobs/peer) prints for Flink's own. Rejects when
 * our reader finds a problem.
 */
export async function ourFacts(folder: string): Promise<Plain> {
  const file = await fs.readFile(path.join(folder, "_metadata"));
  const input = inMemory(file);
  const { metadata, problems } = await scanMetadata(input);
  if (metadata?.whole !== true || problems.length > 0) throw new Error(`${folder}: ${JSON.stringify(problems)}`);
  const reading = new Reading(folder, file);
  const operators: Plain[] = [];
  for (const operator of metadata.operators) {
    const { subtasks, problems: found } = await decodeSubtasks(input, metadata, { row: operator.row });
    if (found.length > 0) throw new Error(`${folder}: ${JSON.stringify(found)}`);
    const { handle } = await decodeCoordinator(input, metadata, operator.row);
    const facts = [];
    for (const subtask of [...subtasks].sort((left, right) => left.index - right.index)) facts.push(await reading.subtask(subtask));
    operators.push({
      id: operator.id, name: operator.name, uid: operator.uid, parallelism: operator.parallelism, maxParallelism: operator.maxParallelism, fullyFinished: operator.fullyFinished,
      coordinator: handle === null ? null : reading.stream(handle), size: String(operator.sizeBytes), subtasks: facts,
    });
  }
  return {
    checkpointId: String(metadata.checkpointId),
    properties: metadata.properties === undefined || metadata.properties === null ? null : propertiesOf(metadata.properties),
    masterStates: metadata.masterStates.map(({ name, version, dataOffset, dataBytes }) => ({ name, version, size: dataBytes, sha256: sha256(file.subarray(dataOffset, dataOffset + dataBytes)) })),
    operators,
  };
}

const invented: ReadonlySet<string> = new Set(["stateHandleId", "checkpointedSize", "checkpointId", "materializationId", "storage"]);

/** Entries of all key-group states of a snapshot by state, and the classes that counting stopped at. */
export async function countEntries(folder: string): Promise<{ readonly counts: ReadonlyMap<string, number>; readonly stopped: readonly string[] }> {
  const file = await fs.readFile(path.join(folder, "_metadata"));
  const { metadata } = await scanMetadata(inMemory(file));
  if (metadata === undefined) throw new Error(folder);
  const reading = new Reading(folder, file);
  const counts = new Map<string, number>();
  const stopped: string[] = [];
  for (const operator of metadata.operators) {
    for (const { managedKeyed } of (await decodeSubtasks(inMemory(file), metadata, { row: operator.row })).subtasks) {
      if (managedKeyed?.type !== "keyGroups") continue;
      const { entries, stoppedAt, problems } = await readKeyedStates(await reading.open(managedKeyed.delegate), managedKeyed.keyGroups, { entries: true });
      if (problems.length > 0) throw new Error(`${folder}: ${JSON.stringify(problems)}`);
      for (const [state, { total }] of entries) counts.set(state, (counts.get(state) ?? 0) + total);
      for (const { className } of stoppedAt) stopped.push(className);
    }
  }
  return { counts, stopped };
}

/** What Flink found, without what it makes up where the file has it not. */
export function withoutInventions(ours: Plain, flinks: Plain): Plain {
  if (Array.isArray(ours) && Array.isArray(flinks)) return (flinks as Plain[]).map((one, i) => withoutInventions((ours as Plain[])[i] ?? null, one));
  if (!isObject(ours) || !isObject(flinks)) return flinks;
  return Object.fromEntries(Object.entries(flinks).map(([key, value]) => [key, invented.has(key) && ours[key] === null ? null : withoutInventions(ours[key] ?? null, value)]));
}

function isObject(value: Plain): value is { readonly [key: string]: Plain } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function propertiesOf({ snapshotType: type, ...flags }: CheckpointProperties): Plain {
  const own: Record<string, Plain> = type.kind === "savepoint" ? { format: type.formatType, action: type.postCheckpointAction } : { sharing: type.sharingFilesStrategy };
  return { name: type.name, savepoint: type.kind === "savepoint", ...flags, ...own };
}

class Reading {
  readonly #folder: string;
  readonly #file: Buffer;

  constructor(folder: string, file: Buffer) {
    this.#folder = folder;
    this.#file = file;
  }

  async subtask(subtask: Subtask): Promise<Plain> {
    const { index, finished } = subtask;
    if (finished) return { index, finished };
    const states: Plain[] = [];
    if (subtask.managedKeyed !== null) await this.#addKeyed(states, subtask.managedKeyed);
    const known = <T>(list: readonly (T | null)[]): T[] => list.filter((one) => one !== null);
    for (const handle of known(subtask.managedOperator)) {
      if (handle.delegate.type === "emptySegment") continue;
      const { header, problems } = await readOperatorStates(await this.open(handle.delegate), handle);
      states.push({ of: "operator", ...headerOf(header, problems) });
    }
    return {
      index, finished, size: String(subtask.sizeBytes),
      managedOperator: known(subtask.managedOperator).map((handle) => this.#operator(handle)),
      rawOperator: known(subtask.rawOperator).map((handle) => this.#operator(handle)),
      managedKeyed: known([subtask.managedKeyed]).map((handle) => this.#keyed(handle)),
      rawKeyed: known([subtask.rawKeyed]).map((handle) => this.#keyed(handle)),
      input: subtask.inputChannels.map((handle) => this.#channel(handle)),
      output: subtask.outputChannels.map((handle) => this.#channel(handle)),
      states,
    };
  }

  stream(handle: StreamHandle): Plain {
    const size = String(handle.sizeBytes);
    switch (handle.type) {
      case "bytes":
        return { type: "bytes", name: handle.name, size, sha256: sha256(this.#bytes(handle.dataOffset, Number(handle.sizeBytes))) };
      case "file":
      case "relativeFile":
        return { type: handle.type, path: handle.path, size };
      case "segment":
        return { type: "segment", path: handle.path, start: String(handle.startOffset), size, scope: handle.scope, logicalFileId: handle.logicalFileId };
      case "emptySegment":
        return { type: "emptySegment" };
      case "keyGroups":
        return { type: "keyGroups", delegate: this.stream(handle.delegate) };
    }
  }

  #operator({ states, delegate, directories, sizeBytes }: OperatorHandle): Plain {
    return {
      states: [...states].sort((left, right) => (left.name < right.name ? -1 : 1)).map(({ name, mode, offsets }) => ({ name, mode, offsets: offsets.length, sha256: hashOf(offsets) })),
      directories: directories === null ? null : { taskOwned: directories.taskOwned, shared: directories.shared },
      delegate: this.stream(delegate),
      size: String(sizeBytes),
    };
  }

  #keyed(handle: KeyedHandle): Plain {
    const own = { keyGroups: [handle.keyGroups.first, handle.keyGroups.count], stateHandleId: handle.stateHandleId, size: String(handle.sizeBytes) };
    const text = (value: bigint | null): string | null => (value === null ? null : String(value));
    const named = (files: readonly NamedStream[]): Plain => files.map(({ localPath, handle: stream }) => ({ name: localPath, handle: this.stream(stream) }));
    switch (handle.type) {
      case "keyGroups":
        return { type: "keyGroups", savepoint: handle.savepoint, ...own, sha256: hashOf(handle.keyGroups.offsets), delegate: this.stream(handle.delegate) };
      case "incremental":
        return {
          type: "incremental", ...own, checkpointId: text(handle.checkpointId), backendId: handle.backendId, meta: this.stream(handle.metaHandle), shared: named(handle.shared), private: named(handle.private),
          checkpointedSize: text(handle.checkpointedBytes),
        };
      case "changelog":
        return {
          type: "changelog", ...own, materialized: handle.materialized.map((one) => this.#keyed(one)), nonMaterialized: handle.nonMaterialized.map((one) => this.#keyed(one)),
          materializationId: text(handle.materializationId), checkpointId: text(handle.checkpointId), checkpointedSize: text(handle.checkpointedBytes),
        };
      case "changelogBytes":
        return { type: "changelogBytes", ...own, from: text(handle.from), to: text(handle.to), changes: handle.changes.map(({ keyGroup, dataOffset, lengthBytes }) => [keyGroup, sha256(this.#bytes(dataOffset, lengthBytes))]) };
      case "changelogFiles":
        return {
          type: "changelogFiles", ...own, parts: handle.parts.map(({ offset, handle: stream }) => ({ offset: String(offset), handle: this.stream(stream) })), storage: handle.storageIdentifier,
          checkpointedSize: text(handle.checkpointedBytes),
        };
    }
  }

  #channel(handle: ChannelHandle): Plain {
    const one = (subtask: number | null, { gate, channel, offsets, sizeBytes }: { gate: number; channel: number; offsets: BigInt64Array; sizeBytes: bigint }): Record<string, Plain> =>
      ({ type: "channel", subtask, gate, channel, offsets: offsets.length, sha256: hashOf(offsets), size: String(sizeBytes) });
    if (handle.type === "channel") return { ...one(handle.subtaskIndex, handle), delegate: this.stream(handle.delegate) };
    const channels = [...(handle.channels ?? [])].sort((left, right) => left.gate - right.gate || left.channel - right.channel);
    return { type: "merged", subtask: handle.subtaskIndex, size: String(handle.sizeBytes), channels: channels.map((channel) => one(handle.subtaskIndex, channel)), delegate: this.stream(handle.delegate) };
  }

  async #addKeyed(states: Plain[], handle: KeyedHandle): Promise<void> {
    switch (handle.type) {
      case "keyGroups": {
        const { header, problems } = await readKeyedStates(await this.open(handle.delegate), handle.keyGroups);
        states.push(keyedHeader(header, problems));
        return;
      }
      case "incremental": {
        const { header, problems } = await readIncrementalStates(await this.open(handle.metaHandle));
        states.push(keyedHeader(header, problems));
        return;
      }
      case "changelog":
        for (const one of [...handle.materialized, ...handle.nonMaterialized]) await this.#addKeyed(states, one);
        return;
      case "changelogBytes":
        states.push(changesOf(readChanges(handle.changes.map(({ dataOffset, lengthBytes }) => ({ bytes: this.#bytes(dataOffset, lengthBytes), offset: dataOffset })))));
        return;
      case "changelogFiles":
        for (const { offset, handle: stream } of handle.parts) states.push(changesOf(await readChangelogFile(await this.open(stream), offset)));
    }
  }

  async open(handle: StreamHandle): Promise<RandomAccess> {
    switch (handle.type) {
      case "bytes":
        return inMemory(this.#bytes(handle.dataOffset, Number(handle.sizeBytes)));
      case "relativeFile":
        return fileAccess(path.join(this.#folder, handle.path));
      case "file":
        return fileAccess(this.#found(handle.path));
      case "segment": {
        const whole = await fileAccess(this.#found(handle.path));
        const start = Number(handle.startOffset);
        return { sizeBytes: Number(handle.sizeBytes), read: (offset, length, signal) => whole.read(start + offset, length, signal) };
      }
      default:
        throw new Error(handle.type);
    }
  }

  /** Where the file was written, or beside the metadata when the snapshot has been moved. */
  #found(uri: string): string {
    const written = fileURLToPath(uri.replace(/^file:\/*/, "file:///"));
    return existsSync(written) ? written : path.join(this.#folder, path.basename(written));
  }

  #bytes(offset: number, length: number): Buffer {
    return this.#file.subarray(offset, offset + length);
  }
}

function keyedHeader(header: StateHeader | undefined, problems: readonly unknown[]): Plain {
  if (header === undefined) throw new Error(JSON.stringify(problems));
  return { of: "keyed", ...headerOf(header, problems), compressed: header.compressed, key: header.keySerializer === null ? null : serializerOf(header.keySerializer) };
}

function headerOf(header: StateHeader | undefined, problems: readonly unknown[]): Record<string, Plain> {
  if (header === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
  return { version: header.version, states: header.states.map(stateOf), end: header.endOffset };
}

function changesOf({ states, operations, problems }: ChangelogStates): Plain {
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return { of: "changes", states: states.map(stateOf), operations: Object.fromEntries([...operations].flatMap(([id, counts]) => [...counts].map(([name, count]) => [`${id} ${name}`, count]))) };
}

function stateOf({ name, type, options, serializers }: StateDescription): Plain {
  return { name, type, options, serializers: Object.fromEntries(Object.entries(serializers).map(([key, serializer]) => [key, serializerOf(serializer)])) };
}

function serializerOf({ className, name, nested, facts, subclasses }: Serializer): Plain {
  const own: Record<string, Plain> = name === "PojoSerializer" ? { fields: facts["fields"] ?? null, of: facts["class"] ?? null, subclasses: (subclasses?.other ?? []).map((one) => one.className) }
    : name === "TtlAwareSerializer" ? { ttl: facts["ttl"] ?? null }
    : name === "AvroSerializer" ? { schema: facts["schema"] ?? null }
    : name === "EnumSerializer" ? { constants: facts["constants"] ?? null }
    : {};
  return { class: className, nested: nested.map(serializerOf), ...own };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function hashOf(offsets: BigInt64Array): string {
  const bytes = new DataView(new ArrayBuffer(offsets.length * 8));
  offsets.forEach((offset, i) => bytes.setBigInt64(i * 8, offset));
  return sha256(new Uint8Array(bytes.buffer));
}
