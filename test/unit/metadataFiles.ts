import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import * as fs from "node:fs/promises";
import path from "node:path";
import { decodeCoordinator, decodeSubtasks } from "../../src/core/metadata/decode";
import type { ChannelHandle, KeyedHandle, KeyGroupOffsets, OperatorHandle, StreamHandle, Subtask } from "../../src/core/metadata/handles";
import type { Metadata } from "../../src/core/metadata/metadata";
import type { CheckpointProperties } from "../../src/core/metadata/properties";
import type { RandomAccess } from "../../src/core/metadata/randomAccess";

/** A snapshot's folder with what is known to be in it: `expected.json`, and `expected-states.json` for its state files. */
export interface SnapshotFolder {
  readonly name: string;
  readonly folder: string;
}

const own = path.join(process.cwd(), "test", "fixtures", "metadata");

/** A larger collection of snapshots beside the repository, or wherever METADATA_CORPUS says; undefined when there is none. */
export const corpusFolder = [process.env["METADATA_CORPUS"] ?? "", path.join(process.cwd(), "..", "shared", "corpus", "metadata")].find((folder) => folder !== "" && existsSync(folder));

/** The project's own snapshots, and those of the collection. */
export function snapshotFolders(roots: readonly string[] = [own, ...(corpusFolder === undefined ? [] : [corpusFolder])]): SnapshotFolder[] {
  return roots.flatMap((root) => (existsSync(root) ? readdirSync(root, { recursive: true }).map(String) : []).filter((file) => path.basename(file) === "_metadata").sort()
    .map((file) => ({ name: path.dirname(file).replaceAll(path.sep, "/"), folder: path.join(root, path.dirname(file)) })));
}

/** The folders of the project's own snapshots only. */
export function ownSnapshotFolders(): SnapshotFolder[] {
  return snapshotFolders([own]);
}

/** The project's snapshots of every state backend, with all kinds of state and serializers. */
export function stateSnapshotFolders(): SnapshotFolder[] {
  return snapshotFolders([path.join(process.cwd(), "test", "fixtures", "metadataStates")]);
}

/** A file as random access, opened anew for each read: for tests of what is read, not how fast. */
export async function fileAccess(file: string): Promise<RandomAccess> {
  const { size } = await fs.stat(file);
  return {
    sizeBytes: size,
    async read(offset, length) {
      const handle = await fs.open(file);
      try {
        const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, offset);
        return buffer.subarray(0, bytesRead);
      } finally {
        await handle.close();
      }
    },
  };
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Everything in a metadata as plain data in the shape of `expected.json`; 64-bit numbers as numbers where they fit. */
export async function plainMetadata(input: RandomAccess, metadata: Metadata, file: string): Promise<unknown> {
  const bytes = await input.read(0, input.sizeBytes);
  const plain = new Plain(bytes, metadata.version);
  const operators = [];
  for (const operator of metadata.operators) {
    const { subtasks, problems } = await decodeSubtasks(input, metadata, { row: operator.row });
    if (problems.length > 0) throw new Error(JSON.stringify(problems));
    const { handle: coordinator } = await decodeCoordinator(input, metadata, operator.row);
    const uidMatches = metadata.operators.uidMatches(operator.row);
    const modern = metadata.version >= 3;
    operators.push({
      name: operator.name,
      uid: operator.uid,
      id: operator.id,
      parallelism: operator.parallelism,
      maxParallelism: operator.maxParallelism,
      ...(uidMatches === undefined ? {} : { uidMatchesId: uidMatches }),
      ...(modern ? {} : { chainLength: operator.chainLength }),
      coordinatorState: coordinator === null ? null : plain.stream(coordinator),
      coordinatorStateSize: number(operator.sizes.coordinator),
      fullyFinished: operator.fullyFinished,
      subtasks: subtasks.map((subtask) => plain.subtask(subtask)),
    });
    const total = subtasks.reduce((sum, subtask) => sum + subtask.sizeBytes, operator.sizes.coordinator);
    if (total !== operator.sizeBytes) throw new Error(`The scan counts ${operator.sizeBytes} bytes in operator ${operator.row}, its handles ${total}.`);
  }
  const { totals } = metadata;
  return {
    file,
    fileSize: input.sizeBytes,
    magic: "4960672d",
    version: metadata.version,
    checkpointId: number(metadata.checkpointId),
    checkpointProperties: metadata.properties === undefined || metadata.properties === null ? null : plainProperties(metadata.properties),
    masterStates: metadata.masterStates.map(({ name, version, dataOffset, dataBytes }) => ({ name, version, size: dataBytes, sha256: sha256(bytes.subarray(dataOffset, dataOffset + dataBytes)) })),
    operators,
    trailingBytes: metadata.trailingBytes,
    handleKinds: Object.fromEntries([...metadata.handleCounts].sort(([left], [right]) => (left < right ? -1 : 1))),
    kind: metadata.kind,
    totals: {
      operators: totals.operators,
      fullyFinishedOperators: totals.fullyFinishedOperators,
      subtasks: totals.subtasks,
      finishedSubtasks: totals.finishedSubtasks,
      subtasksWithState: totals.subtasksWithState,
      coordinatorStates: totals.coordinators,
      coordinatorBytes: number(totals.sizes.coordinator),
      masterStates: metadata.masterStates.length,
      managedOperatorBytes: number(totals.sizes.managedOperator),
      rawOperatorBytes: number(totals.sizes.rawOperator),
      managedKeyedBytes: number(totals.sizes.managedKeyed),
      rawKeyedBytes: number(totals.sizes.rawKeyed),
      inputChannelBytes: number(totals.sizes.inputChannel),
      outputChannelBytes: number(totals.sizes.outputChannel),
      legacyBytes: number(totals.sizes.legacy),
      stateBytes: number(totals.stateBytes),
      distinctFiles: totals.distinctFiles,
      distinctFileBytes: number(totals.distinctFileBytes),
      inlineBytes: totals.inlineBytes,
    },
  };
}

function number(value: bigint): number | string {
  return value >= -9_007_199_254_740_991n && value <= 9_007_199_254_740_991n ? Number(value) : String(value);
}

function plainProperties({ snapshotType: type, ...flags }: CheckpointProperties): unknown {
  const { kind, ...rest } = type;
  return { ...flags, checkpointType: { class: kind === "savepoint" ? "SavepointType" : "CheckpointType", ...rest } };
}

class Plain {
  readonly #bytes: Uint8Array;
  readonly #version: number;

  constructor(bytes: Uint8Array, version: number) {
    this.#bytes = bytes;
    this.#version = version;
  }

  subtask(subtask: Subtask): unknown {
    const { index, finished } = subtask;
    if (finished) return { index, finished };
    const operator = (handles: readonly (OperatorHandle | null)[]): unknown[] => handles.map((handle) => (handle === null ? null : this.operator(handle)));
    const keyed = { managedKeyedState: this.keyed(subtask.managedKeyed), rawKeyedState: this.keyed(subtask.rawKeyed) };
    const legacy = subtask.legacy.map((handle) => (handle === null ? null : this.stream(handle)));
    if (this.#version === 1) {
      return { index, finished, legacyOperatorState: legacy, managedOperatorStateChain: operator(subtask.managedOperator), rawOperatorStateChain: operator(subtask.rawOperator), ...keyed };
    }
    return {
      index,
      finished,
      ...(this.#version === 2 ? { duration: -1 } : {}),
      ...(legacy.length > 0 ? { legacyOperatorState: legacy[0] } : {}),
      managedOperatorState: operator(subtask.managedOperator)[0] ?? null,
      rawOperatorState: operator(subtask.rawOperator)[0] ?? null,
      ...keyed,
      ...(this.#version < 3 ? {} : { inputChannelState: subtask.inputChannels.map((handle) => this.channel(handle, "input")), resultSubpartitionState: subtask.outputChannels.map((handle) => this.channel(handle, "output")) }),
    };
  }

  operator(handle: OperatorHandle): unknown {
    const states = handle.states.map(({ name, mode, offsets }) => ({ name, mode, partitions: offsets.length, offsetsSha256: offsetsHash(offsets) }));
    const { directories: own } = handle;
    const more = own === null ? {} : { taskOwnedDirectory: own.taskOwned, sharedDirectory: own.shared, empty: own.empty };
    return { type: own === null ? "partitionable" : "segmentPartitionable", tag: handle.tag, states, ...more, delegate: this.stream(handle.delegate) };
  }

  keyed(handle: KeyedHandle | null): unknown {
    if (handle === null) return null;
    const { first, count } = handle.keyGroups;
    const range = { tag: handle.tag, keyGroupRange: [first, first + count - 1], keyGroups: count };
    switch (handle.type) {
      case "keyGroups": {
        const id = handle.stateHandleId === null ? {} : { stateHandleId: handle.stateHandleId };
        return { type: handle.savepoint ? "savepointKeyGroups" : "keyGroups", ...range, ...offsetFacts(handle.keyGroups), delegate: this.stream(handle.delegate), ...id };
      }
      case "incremental": {
        const list = (files: typeof handle.shared): unknown[] => files.map((file) => ({ localPath: file.localPath, handle: this.stream(file.handle) }));
        const more = handle.checkpointedBytes === null ? {} : { checkpointedSize: number(handle.checkpointedBytes), stateHandleId: handle.stateHandleId };
        return { type: "incremental", ...range, checkpointId: number(handle.checkpointId), backendId: handle.backendId, metaHandle: this.stream(handle.metaHandle), sharedState: list(handle.shared), privateState: list(handle.private), ...more };
      }
      case "changelog":
        return {
          type: "changelog", ...range, checkpointedSize: number(handle.checkpointedBytes ?? 0n), materialized: handle.materialized.map((one) => this.keyed(one)), nonMaterialized: handle.nonMaterialized.map((one) => this.keyed(one)),
          materializationId: number(handle.materializationId ?? 0n), checkpointId: number(handle.checkpointId ?? 0n), stateHandleId: handle.stateHandleId,
        };
      case "changelogBytes":
        return {
          type: "changelogBytes", ...range, from: number(handle.from), to: number(handle.to), changes: handle.changes.length, metadataChanges: handle.changes.filter((change) => change.keyGroup === -1).length,
          size: number(handle.sizeBytes), stateHandleId: handle.stateHandleId,
        };
      case "changelogFiles":
        return {
          type: "changelogFiles", ...range, parts: handle.parts.map((part) => ({ offset: number(part.offset), handle: this.stream(part.handle) })), size: number(handle.sizeBytes),
          checkpointedSize: number(handle.checkpointedBytes ?? 0n), stateHandleId: handle.stateHandleId, storageIdentifier: handle.storageIdentifier,
        };
    }
  }

  channel(handle: ChannelHandle, direction: "input" | "output"): unknown {
    if (handle.type === "merged") return { type: direction === "input" ? "mergedInputChannel" : "mergedOutputChannel", size: number(handle.sizeBytes), channels: handle.channels?.length };
    const names = direction === "input" ? { gate: handle.gate, channel: handle.channel } : { partition: handle.gate, subpartition: handle.channel };
    return { type: `${direction}Channel`, subtaskIndex: handle.subtaskIndex, ...names, offsets: handle.offsets.length, offsetsSha256: offsetsHash(handle.offsets), size: number(handle.sizeBytes), delegate: this.stream(handle.delegate) };
  }

  stream(handle: StreamHandle): unknown {
    switch (handle.type) {
      case "bytes": {
        const size = Number(handle.sizeBytes);
        return { type: "bytes", name: handle.name, size, sha256: sha256(this.#bytes.subarray(handle.dataOffset, handle.dataOffset + size)) };
      }
      case "segment":
        return { type: "segment", path: handle.path, offset: number(handle.startOffset), size: number(handle.sizeBytes), scope: handle.scope, logicalFileId: handle.logicalFileId };
      case "emptySegment":
        return { type: "emptySegment" };
      case "keyGroups":
        return { type: "keyGroups", delegate: this.stream(handle.delegate) };
      case "file":
      case "relativeFile":
        return { type: handle.type, path: handle.path, size: number(handle.sizeBytes) };
    }
  }
}

function offsetFacts({ offsets }: KeyGroupOffsets): object {
  return { keyGroupsWithOffset: offsets.reduce((count, offset) => count + (offset > 0n ? 1 : 0), 0), offsetsSha256: offsetsHash(offsets) };
}

function offsetsHash(offsets: BigInt64Array): string {
  const bytes = new DataView(new ArrayBuffer(offsets.length * 8));
  offsets.forEach((offset, i) => bytes.setBigInt64(i * 8, offset));
  return sha256(new Uint8Array(bytes.buffer));
}
