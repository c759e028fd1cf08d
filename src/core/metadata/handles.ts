/** Where bytes of state are: inside the metadata, in a file, or in a part of one. Sizes are −1 where the writer did not know them. */
export type StreamHandle =
  /** Inside the metadata; `name` is only a label. `dataOffset` is where the bytes are in it. */
  | { readonly type: "bytes"; readonly name: string; readonly dataOffset: number; readonly sizeBytes: bigint }
  /** An absolute URI, as the writer saw it. */
  | { readonly type: "file"; readonly path: string; readonly sizeBytes: bigint }
  /** Below the folder that the metadata is read from; not to be followed when it leads out of it. */
  | { readonly type: "relativeFile"; readonly path: string; readonly sizeBytes: bigint }
  /** A part of a file that several states share (file merging, Flink 1.20 on). */
  | { readonly type: "segment"; readonly path: string; readonly startOffset: bigint; readonly sizeBytes: bigint; readonly scope: "EXCLUSIVE" | "SHARED"; readonly logicalFileId: string }
  | { readonly type: "emptySegment"; readonly sizeBytes: bigint }
  /** A key-groups handle where a stream handle stands (tag 3), which the grammar allows and no Flink writes. */
  | { readonly type: "keyGroups"; readonly keyGroups: KeyGroupOffsets; readonly delegate: StreamHandle; readonly sizeBytes: bigint };

/** Key groups `first` to `first + count - 1`. */
export interface KeyGroupRange {
  readonly first: number;
  readonly count: number;
}

/** Where each key group starts in the state stream: 0 stands for none in canonical state, -1 in raw state. */
export interface KeyGroupOffsets extends KeyGroupRange {
  readonly offsets: BigInt64Array;
}

/** A file of an incremental snapshot and its name in the database. */
export interface NamedStream {
  readonly localPath: string;
  readonly handle: StreamHandle;
}

/** Keyed state of one subtask. `sizeBytes` is Flink's `getStateSize`. */
export type KeyedHandle =
  /** Key groups in one stream; `savepoint` for the canonical format (tag 7), an id from Flink 1.15 on. */
  | { readonly type: "keyGroups"; readonly tag: number; readonly savepoint: boolean; readonly keyGroups: KeyGroupOffsets; readonly delegate: StreamHandle; readonly stateHandleId: string | null; readonly sizeBytes: bigint }
  /** Files of a RocksDB or ForSt database. */
  | {
      readonly type: "incremental";
      readonly tag: number;
      readonly checkpointId: bigint;
      readonly backendId: string;
      readonly keyGroups: KeyGroupRange;
      /** Null before Flink 1.15. */
      readonly checkpointedBytes: bigint | null;
      readonly metaHandle: StreamHandle;
      readonly shared: readonly NamedStream[];
      readonly private: readonly NamedStream[];
      readonly stateHandleId: string | null;
      readonly sizeBytes: bigint;
    }
  | {
      readonly type: "changelog";
      readonly tag: number;
      readonly keyGroups: KeyGroupRange;
      /** This and what follows is null in Flink 1.14's layout, the checkpoint id also in 1.15's. */
      readonly checkpointedBytes: bigint | null;
      readonly materialized: readonly KeyedHandle[];
      readonly nonMaterialized: readonly KeyedHandle[];
      readonly materializationId: bigint | null;
      readonly checkpointId: bigint | null;
      readonly stateHandleId: string | null;
      readonly sizeBytes: bigint;
    }
  | {
      readonly type: "changelogBytes";
      readonly tag: number;
      readonly keyGroups: KeyGroupRange;
      readonly from: bigint;
      readonly to: bigint;
      /** Key group -1 stands for metadata. */
      readonly changes: readonly { readonly keyGroup: number; readonly dataOffset: number; readonly lengthBytes: number }[];
      readonly stateHandleId: string | null;
      readonly sizeBytes: bigint;
    }
  | {
      readonly type: "changelogFiles";
      readonly tag: number;
      readonly keyGroups: KeyGroupRange;
      readonly parts: readonly { readonly offset: bigint; readonly handle: StreamHandle }[];
      readonly checkpointedBytes: bigint | null;
      readonly stateHandleId: string | null;
      /** Null before Flink 1.16. */
      readonly storageIdentifier: string | null;
      readonly sizeBytes: bigint;
    };

/** How the elements of an operator state are given out again (`OperatorStateHandle.Mode`). */
export type DistributionMode = "SPLIT_DISTRIBUTE" | "UNION" | "BROADCAST";

/** Operator state of one subtask; its names are in the metadata. */
export interface OperatorHandle {
  readonly tag: number;
  readonly states: readonly { readonly name: string; readonly mode: DistributionMode; readonly offsets: BigInt64Array }[];
  readonly delegate: StreamHandle;
  /** Of merged files (tag 17), else null. */
  readonly directories: { readonly taskOwned: string; readonly shared: string; readonly empty: boolean } | null;
  readonly sizeBytes: bigint;
}

/** Buffers in flight of an unaligned checkpoint. `gate`/`channel` of an input are `partition`/`subpartition` of an output. */
export type ChannelHandle =
  /** `subtaskIndex` is null in Flink 1.11's layout. */
  | { readonly type: "channel"; readonly subtaskIndex: number | null; readonly gate: number; readonly channel: number; readonly offsets: BigInt64Array; readonly sizeBytes: bigint; readonly delegate: StreamHandle }
  /** All channels of a subtask that share a file (metadata version 6 on); null where the channels' list is garbage, which Flink notices late. */
  | {
      readonly type: "merged";
      readonly subtaskIndex: number;
      readonly sizeBytes: bigint;
      readonly delegate: StreamHandle;
      readonly channels: readonly { readonly gate: number; readonly channel: number; readonly sizeBytes: bigint; readonly offsets: BigInt64Array }[] | null;
    };

/** A subtask with all its handles (`OperatorSubtaskState`). Chained operators of version 1 have a list entry each, otherwise there is at most one. */
export interface Subtask {
  readonly index: number;
  readonly finished: boolean;
  readonly legacy: readonly (StreamHandle | null)[];
  readonly managedOperator: readonly (OperatorHandle | null)[];
  readonly rawOperator: readonly (OperatorHandle | null)[];
  readonly managedKeyed: KeyedHandle | null;
  readonly rawKeyed: KeyedHandle | null;
  readonly inputChannels: readonly ChannelHandle[];
  readonly outputChannels: readonly ChannelHandle[];
  /** Checkpoint that a reused state comes from (version 7), else null. */
  readonly referenceCheckpointId: bigint | null;
  /** `OperatorSubtaskState.getStateSize`. */
  readonly sizeBytes: bigint;
}
