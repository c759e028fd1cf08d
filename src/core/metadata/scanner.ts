import { FileSet } from "./fileSet";
import type { MetadataLimits } from "./limits";
import { decodeModifiedUtf8, isModifiedUtf8 } from "./modifiedUtf8";
import { ProblemError, type Problem, type ProblemCode, type ProblemFacts } from "./problem";
import { flagCoordinator, flagFullyFinished, flagWhole, ScanIndex } from "./scanIndex";
import { tags, type Layout } from "./tags";

// Sizes are summed by kind, in the order of `sizeKinds`.
const kindManagedOperator = 1;
const kindRawOperator = 2;
const kindManagedKeyed = 3;
const kindRawKeyed = 4;
const kindInputChannel = 5;
const kindOutputChannel = 6;
const kindLegacy = 7;
const kindCount = 8;

// What the machine does next. The order has no meaning.
const opHead = 1;
const opScope = 2;
const opMasters = 3;
const opOperators = 4;
const opCoordinator = 5;
const opSubtasks = 6;
const opOperatorEnd = 7;
const opSubtaskEnd = 8;
const opSubtaskKind = 9;
const opOperatorHandle = 10;
const opOperatorHandleFlagged = 11;
const opOperatorHandles = 12;
const opOperatorStates = 13;
const opSegmentStateTail = 14;
const opKeyed = 15;
const opKeyedList = 16;
const opStream = 17;
const opStreamNotCounted = 18;
const opStreams = 19;
const opFiles = 20;
const opUtf = 21;
const opChanges = 22;
const opChangelogParts = 23;
const opChangelogFilesTail = 24;
const opChangelogTail = 25;
const opChannels = 26;
const opMergedOffsets = 27;
const opReference = 28;
const opChannelTail = 29;

const countUnread = -1;
const magic = 0x4960672d;
const masterMagic = 0xc96b1696 | 0;
const two32 = 4_294_967_296;

/** Thrown to say that the window ends inside a field; never leaves this file. */
const needMore = new Error("need more");

/** A hook's state in the metadata (`MasterState`); its bytes are opaque. */
export interface MasterStateEntry {
  readonly name: string;
  readonly version: number;
  /** Where its bytes are in the file. */
  readonly dataOffset: number;
  readonly dataBytes: number;
}

/**
 * Reads the structure of `_metadata` once, window by window: checks it, sums sizes as Flink counts them, and notes where operators and
 * subtasks are. It makes no objects of handles and passes over inlined state. The grammar is a machine with a stack of its own, so nesting in
 * the file costs a few numbers and never the call stack; a field that crosses the window's end is simply read again in the next window.
 */
export class Scanner {
  readonly index = new ScanIndex();
  readonly masterStates: MasterStateEntry[] = [];
  readonly problems: Problem[] = [];
  /** Handles seen, by tag; 18 to 21 are input and output channels and their merged forms, 22 a stream handle with tag 3. */
  readonly handleCounts = new Float64Array(24);
  problemCount = 0;
  version = 0;
  /** Undefined until it was read. */
  checkpointId: bigint | undefined;
  distinctFiles = 0;
  unknownSizes = 0;
  subtasksWithState = 0;
  finishedSubtasks = 0;
  operatorCount = 0;
  operatorsRead = false;

  readonly #limits: MetadataLimits;
  readonly #fileBytes: number;
  readonly #layout: Layout;
  readonly #files = new FileSet();
  readonly #ids = new FileSet();
  #bytes: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  /** Offset of the window in the file, its length, and the position in it (which a skip may put beyond its end). */
  #base = 0;
  #end = 0;
  #at = 0;
  /** Where the step began, to which it returns when the window ends. */
  #atom = 0;

  // The stack: what to do, elements of a list and how many are done, a number for the step, whether the frame is part of the path, and its name.
  readonly #ops: Int32Array;
  readonly #counts: Int32Array;
  readonly #dones: Int32Array;
  readonly #notes: Int32Array;
  readonly #opens: Uint8Array;
  readonly #labels: string[] = [];
  #top = -1;

  #hashLow = 0;
  #hashHigh = 0;
  /** Upper and lower halves of the sums of the current operator, by kind. */
  readonly #high = new Float64Array(kindCount);
  readonly #low = new Float64Array(kindCount);
  #kind = 0;
  #subtaskHigh = 0;
  #subtaskLow = 0;
  #subtaskHasState = false;
  #inlineBytes = 0;
  #distinctHigh = 0;
  #distinctLow = 0;
  #parallelism = 0;
  #maxParallelism = 0;
  #flags = 0;
  /** Subtasks seen of the current operator. */
  #seen = new Uint8Array(0);

  constructor(fileBytes: number, limits: MetadataLimits, layout: Layout) {
    this.#fileBytes = fileBytes;
    this.#limits = limits;
    this.#layout = layout;
    const frames = limits.depth * 8 + 64;
    this.#ops = new Int32Array(frames);
    this.#counts = new Int32Array(frames);
    this.#dones = new Int32Array(frames);
    this.#notes = new Int32Array(frames);
    this.#opens = new Uint8Array(frames);
    this.#push(opHead, "");
  }

  /** Where the next window must start. */
  get offset(): number {
    return this.#base + this.#at;
  }

  /** Bytes in distinct files (segments by segment), without those of unknown size. */
  get distinctFileBytes(): bigint {
    return BigInt.asIntN(64, (BigInt(this.#distinctHigh) << 32n) + BigInt(this.#distinctLow));
  }

  /** State inside the metadata, coordinators' not counted. */
  get inlineBytes(): number {
    return this.#inlineBytes;
  }

  /** Reads on in a window that starts at `offset`. True when the structure was read to its end; throws `ProblemError` when it can't go on. */
  run(window: Uint8Array, base: number): boolean {
    this.#bytes = window;
    this.#view = new DataView(window.buffer, window.byteOffset, window.byteLength);
    this.#base = base;
    this.#end = window.length;
    this.#at = 0;
    let warnings = 0;
    let count = 0;
    try {
      while (this.#top >= 0) {
        this.#atom = this.#at;
        warnings = this.problems.length;
        count = this.problemCount;
        this.#step();
      }
      return true;
    } catch (error) {
      if (error !== needMore) throw error;
      // The step will be taken again, and find the same again.
      this.#at = this.#atom;
      this.problems.length = warnings;
      this.problemCount = count;
      return false;
    }
  }

  /** Takes what is known of an operator that the file breaks off in; to be called once, after an error. */
  close(): void {
    const { index } = this;
    if (index.subtaskOffsets.length > index.subtaskSizes.length) this.#endSubtask();
    if (index.operatorOffsets.length > index.operatorEnds.length) this.#endOperator(Math.min(this.#base + this.#atom, this.#fileBytes));
  }

  #step(): void {
    const top = this.#top;
    const op = this.#ops[top] ?? opScope;
    switch (op) {
      case opHead: return this.#head();
      case opScope: return this.#pop();
      case opMasters: return this.#masters();
      case opOperators: return this.#operators();
      case opCoordinator: return this.#coordinator();
      case opSubtasks: return this.#subtasks();
      case opOperatorEnd: this.#flags |= flagWhole; this.#endOperator(this.#base + this.#at); return this.#pop();
      case opSubtaskEnd: this.#endSubtask(); return this.#pop();
      case opSubtaskKind: this.#kind = this.#notes[top] ?? 0; return this.#pop();
      case opOperatorHandle:
      case opOperatorHandleFlagged: return this.#operatorHandle(op === opOperatorHandleFlagged);
      case opOperatorHandles: return this.#operatorHandles();
      case opOperatorStates: return this.#operatorStates();
      case opSegmentStateTail: return this.#segmentStateTail();
      case opKeyed: return this.#keyed();
      case opKeyedList: return this.#keyedList();
      case opStream:
      case opStreamNotCounted: return this.#streamStep(op);
      case opStreams: return this.#streams();
      case opFiles: return this.#fileList();
      case opUtf: this.#text(""); return this.#pop();
      case opChanges: return this.#changes();
      case opChangelogParts: return this.#changelogParts();
      case opChangelogFilesTail: return this.#changelogFilesTail();
      case opChangelogTail: return this.#changelogTail();
      case opChannels: return this.#channels();
      case opChannelTail: return this.#channelTail();
      case opMergedOffsets: this.#skip(this.#length("offsets")); return this.#pop();
      case opReference: this.#reference(); return this.#pop();
    }
  }

  // ---- the file

  #head(): void {
    if (this.#fileBytes < 8) this.#failAt("not-metadata", 0, "magic", { start: this.#startHex(), hint: this.#fileBytes === 0 ? "empty" : "short" });
    this.#need(8, "magic");
    const found = this.#view.getInt32(this.#at);
    if (found !== magic) {
      const first = found >>> 0;
      const hint = first === 0x2d676049 ? "swapped" : first >>> 16 === 0xaced ? "java" : first >>> 16 === 0x504b ? "zip" : first >>> 16 === 0x1f8b ? "gzip" : "none";
      this.#failAt("not-metadata", this.#at, "magic", { start: this.#startHex(), hint });
    }
    const version = this.#view.getInt32(this.#at + 4);
    this.version = version;
    if (version < 1 || version > 7) this.#failAt("version-unknown", this.#at + 4, "version", { version });
    this.#at += 8;
    this.#need(8, "checkpointId");
    this.checkpointId = this.#view.getBigInt64(this.#at);
    if (this.checkpointId < 0n) this.#warn("value-invalid", this.#at, "checkpointId", { value: Number(this.checkpointId) });
    this.#at += 8;
    this.#pop();
    this.#push(opOperators, "operators", countUnread);
    if (version >= 2) this.#push(opMasters, "masterStates", countUnread);
  }

  #startHex(): string {
    let hex = "";
    for (let at = 0; at < Math.min(8, this.#end); at++) hex += (this.#bytes[at] ?? 0).toString(16).padStart(2, "0");
    return hex;
  }

  #masters(): void {
    if (!this.#counted(18)) return;
    const done = this.#dones[this.#top] ?? 0;
    if (done === this.#counts[this.#top]) return this.#pop();
    if (done >= this.#limits.masterStates) this.#failAt("limit", this.#at, "", { limit: "masterStates", value: this.#limits.masterStates });
    const start = this.#at;
    const found = this.#i32("magic");
    if (found !== masterMagic) this.#failAt("value-invalid", start, "magic", { value: found });
    const length = this.#length("length");
    const from = this.#at;
    const version = this.#i32("version");
    const name = this.#string("name");
    const dataBytes = this.#length("bytes");
    const used = this.#at - from + dataBytes;
    if (used !== length) this.#failAt("length-mismatch", start, "length", { expected: length, actual: used });
    this.masterStates.push({ name, version, dataOffset: this.#base + this.#at, dataBytes });
    this.#skip(dataBytes);
    this.#dones[this.#top] = done + 1;
  }

  // ---- operators

  #operators(): void {
    const { version } = this;
    if (!this.#counted(version < 3 ? 32 : version < 5 ? 29 : 33)) return;
    const top = this.#top;
    const done = this.#dones[top] ?? 0;
    this.operatorCount = this.#counts[top] ?? 0;
    if (done === this.operatorCount) {
      this.operatorsRead = true;
      return this.#pop();
    }
    if (done >= this.#limits.operators) this.#failAt("limit", this.#at, "", { limit: "operators", value: this.#limits.operators });
    const start = this.#at;
    const name = version >= 5 ? this.#string("name") : "";
    const uid = version >= 5 ? this.#string("uid") : "";
    const idAt = this.#at;
    this.#need(16, "id");
    this.#at += 16;
    const parallelism = this.#i32("parallelism");
    const maxParallelism = this.#i32("maxParallelism");
    const chainLength = version < 3 ? this.#i32("chainLength") : 1;
    const { index } = this;
    this.#noteId(idAt);
    if (parallelism < 0 || parallelism > maxParallelism || maxParallelism > 32_768) this.#warn("parallelism-invalid", idAt + 16, "parallelism", { parallelism, maxParallelism });
    index.operatorOffsets.push(this.#base + start);
    for (let at = idAt; at < idAt + 16; at++) index.operatorIds.push(this.#bytes[at] ?? 0);
    index.parallelisms.push(parallelism);
    index.maxParallelisms.push(maxParallelism);
    index.chainLengths.push(chainLength);
    index.firstSubtasks.push(index.subtaskOffsets.length);
    index.names.push(name);
    index.uids.push(uid);
    this.#parallelism = parallelism;
    this.#maxParallelism = maxParallelism;
    const mostSubtasks = Math.min(Math.max(parallelism, 0), 32_768);
    if (mostSubtasks > this.#seen.length) this.#seen = new Uint8Array(mostSubtasks);
    else this.#seen.fill(0, 0, mostSubtasks);
    this.#flags = 0;
    this.#high.fill(0);
    this.#low.fill(0);
    this.#kind = 0;
    this.#dones[top] = done + 1;
    this.#push(opOperatorEnd, "");
    this.#push(opSubtasks, "subtasks", countUnread);
    if (version >= 3) this.#push(opCoordinator, "coordinatorState");
  }

  #noteId(at: number): void {
    const view = this.#view;
    const a = view.getInt32(at) ^ Math.imul(view.getInt32(at + 8), 0x9e3779b1);
    const b = view.getInt32(at + 4) ^ Math.imul(view.getInt32(at + 12), 0x85ebca6b);
    if (this.#ids.add(a, b)) return;
    let id = "";
    for (let i = at; i < at + 16; i++) id += (this.#bytes[i] ?? 0).toString(16).padStart(2, "0");
    this.#warn("operator-repeated", at, "id", { id });
  }

  #coordinator(): void {
    this.#need(1, "tag");
    const tag = this.#bytes[this.#at] ?? 0;
    if (tag !== tags.null && tag !== tags.bytes) this.#failAt(tag > 17 ? "tag-unknown" : "handle-misplaced", this.#at, "tag", { tag });
    const inlineBefore = this.#inlineBytes;
    if (tag === tags.null) this.#at++;
    else {
      this.#streamAtom(true);
      this.#inlineBytes = inlineBefore;
      this.#flags |= flagCoordinator;
    }
    this.#pop();
  }

  #endOperator(end: number): void {
    const { index } = this;
    index.operatorEnds.push(end);
    index.operatorFlags.push(this.#flags);
    for (let kind = 0; kind < kindCount; kind++) {
      const low = this.#low[kind] ?? 0;
      const carry = Math.floor(low / two32);
      index.sizesHigh.push(((this.#high[kind] ?? 0) + carry) | 0);
      index.sizesLow.push(low - carry * two32);
    }
  }

  // ---- subtasks

  #subtasks(): void {
    const top = this.#top;
    const { version } = this;
    if (this.#counts[top] === countUnread) {
      const at = this.#at;
      const count = this.#i32("count");
      if (count < 0 && version >= 3) {
        if (count !== -1) this.#warn("value-invalid", at, "count", { value: count });
        if ((this.#flags & flagCoordinator) !== 0) this.#failAt("value-invalid", at, "count", { value: count });
        this.#flags |= flagFullyFinished;
        return this.#pop();
      }
      this.#at = at;
      this.#counted(version >= 3 ? 4 : 26);
      return;
    }
    const done = this.#dones[top] ?? 0;
    if (done === this.#counts[top]) return this.#pop();
    const { index } = this;
    if (index.subtaskOffsets.length >= this.#limits.subtasks) this.#failAt("limit", this.#at, "", { limit: "subtasks", value: this.#limits.subtasks });
    const start = this.#at;
    const number = this.#i32("index");
    const finished = number < 0 && version >= 3;
    if (version < 3) {
      this.#need(8, "duration");
      this.#at += 8;
    }
    const real = finished ? -1 - number : number;
    if (real < 0 || real >= this.#parallelism) this.#warn("subtask-out-of-range", start, "index", { index: real, parallelism: this.#parallelism });
    else if (real < 32_768) {
      if (this.#seen[real] === 1) this.#warn("subtask-repeated", start, "index", { index: real });
      this.#seen[real] = 1;
    }
    index.subtaskOffsets.push(this.#base + start);
    index.subtaskIndexes.push(number);
    this.#dones[top] = done + 1;
    if (finished) {
      this.finishedSubtasks++;
      index.subtaskSizes.push(0);
      return;
    }
    this.#subtaskHigh = 0;
    this.#subtaskLow = 0;
    this.#subtaskHasState = false;
    this.#push(opSubtaskEnd, "");
    if (version >= 7) this.#push(opReference, "reference");
    if (version >= 3) {
      const view = this.#view;
      const at = this.#at;
      if (at + 18 <= this.#end && view.getInt32(at) === 0 && view.getInt32(at + 4) === 0 && view.getInt32(at + 8) === 0 && view.getInt32(at + 12) === 0 && view.getUint16(at + 16) === 0) {
        this.#at = at + 18;
        return;
      }
      this.#pushKind(opChannels, "outputChannelState", kindOutputChannel);
      this.#pushKind(opChannels, "inputChannelState", kindInputChannel);
    }
    this.#pushKind(opKeyed, "rawKeyedState", kindRawKeyed);
    this.#pushKind(opKeyed, "managedKeyedState", kindManagedKeyed);
    const operatorHandle = version === 1 ? opOperatorHandles : opOperatorHandleFlagged;
    this.#pushKind(operatorHandle, "rawOperatorState", kindRawOperator);
    this.#pushKind(operatorHandle, "managedOperatorState", kindManagedOperator);
    if (version < 3) this.#pushKind(opStreams, "legacyOperatorState", kindLegacy);
  }

  /** The step, and before it the change to its kind of size. */
  #pushKind(op: number, label: string, kind: number): void {
    this.#push(op, label, op === opChannels || op === opStreams || op === opOperatorHandles ? countUnread : 0, op === opChannels ? kind : 0);
    this.#push(opSubtaskKind, "", 0, kind);
  }

  #endSubtask(): void {
    this.index.subtaskSizes.push(this.#subtaskHigh * two32 + this.#subtaskLow);
    if (this.#subtaskHasState) this.subtasksWithState++;
  }

  #reference(): void {
    this.#need(1, "marker");
    const marker = this.#bytes[this.#at++];
    if (marker === 0) return;
    this.#need(8, "checkpointId");
    this.#at += 8;
  }

  /** State of the `Checkpointed` interface: one per chained operator (version 1), none or one (version 2). */
  #streams(): void {
    if (!this.#counted(1)) return;
    const done = this.#dones[this.#top] ?? 0;
    if (done === this.#counts[this.#top]) return this.#pop();
    this.#need(1, "tag");
    this.#dones[this.#top] = done + 1;
    if (this.#bytes[this.#at] === tags.null) this.#at++;
    else this.#push(opStream, "handle");
  }

  // ---- operator state

  #operatorHandles(): void {
    if (!this.#counted(1)) return;
    const done = this.#dones[this.#top] ?? 0;
    if (done === this.#counts[this.#top]) return this.#pop();
    this.#dones[this.#top] = done + 1;
    this.#push(opOperatorHandle, "handle");
  }

  #operatorHandle(flagged: boolean): void {
    if (flagged) {
      const at = this.#at;
      const flag = this.#i32("flag");
      if (flag === 0) return this.#pop();
      if (flag !== 1) this.#failAt("value-invalid", at, "flag", { value: flag });
    }
    this.#need(1, "tag");
    const tag = this.#bytes[this.#at] ?? 0;
    if (tag !== tags.null && tag !== tags.partitionable && tag !== tags.segmentPartitionable) this.#failAt(tag > 17 ? "tag-unknown" : "handle-misplaced", this.#at, "tag", { tag });
    this.#at++;
    if (tag === tags.null) return this.#pop();
    this.#countHandle(tag);
    this.#scope();
    this.#push(tag === tags.partitionable ? opStream : opSegmentStateTail, tag === tags.partitionable ? "delegate" : "");
    this.#push(opOperatorStates, "states", countUnread);
  }

  #operatorStates(): void {
    if (!this.#counted(7)) return;
    const count = this.#counts[this.#top] ?? 0;
    for (;;) {
      const done = this.#dones[this.#top] ?? 0;
      if (done === count) return this.#pop();
      this.#atom = this.#at;
      this.#text("name");
      this.#need(1, "mode");
      const mode = this.#bytes[this.#at] ?? 0;
      if (mode > 2) this.#failAt("value-invalid", this.#at, "mode", { value: mode });
      this.#at++;
      this.#skip(this.#count(8, "offsets") * 8);
      this.#dones[this.#top] = done + 1;
    }
  }

  #segmentStateTail(): void {
    this.#text("taskOwnedDirectory");
    this.#text("sharedDirectory");
    this.#need(2, "empty");
    const tag = this.#bytes[this.#at + 1] ?? 0;
    if (tag !== tags.segment && tag !== tags.emptySegment) this.#failAt(tag > 17 ? "tag-unknown" : "handle-misplaced", this.#at + 1, "delegate.tag", { tag });
    this.#at++;
    this.#replace(opStream, "delegate");
  }

  // ---- keyed state

  #keyed(): void {
    this.#need(1, "tag");
    const start = this.#at;
    const tag = this.#bytes[start] ?? 0;
    const depth = this.#notes[this.#top] ?? 0;
    this.#at++;
    switch (tag) {
      case tags.null: return this.#pop();
      case tags.keyGroups:
      case tags.savepointKeyGroups:
      case tags.keyGroupsV2: {
        const groups = this.#keyGroups(8);
        this.#startKeyed(tag);
        this.#skip(groups * 8);
        if (tag === tags.keyGroupsV2) this.#push(opUtf, "stateHandleId");
        return this.#push(opStream, "delegate");
      }
      case tags.incremental:
      case tags.incrementalV2: {
        this.#need(8, "checkpointId");
        this.#at += 8;
        this.#text("backendId");
        this.#keyGroups(0);
        if (tag === tags.incrementalV2) {
          this.#need(8, "checkpointedSize");
          this.#at += 8;
        }
        this.#startKeyed(tag);
        if (tag === tags.incrementalV2) this.#push(opUtf, "stateHandleId");
        this.#push(opFiles, "privateState", countUnread);
        this.#push(opFiles, "sharedState", countUnread);
        return this.#push(opStream, "metaHandle");
      }
      case tags.changelog:
      case tags.changelogV2: {
        if (depth >= this.#limits.depth) this.#failAt("limit", start, "", { limit: "depth", value: this.#limits.depth });
        this.#keyGroups(0);
        const old = tag === tags.changelog && this.#layout === "1.14";
        if (!old) {
          this.#need(8, "checkpointedSize");
          this.#at += 8;
        }
        this.#startKeyed(tag);
        if (!old) this.#push(opChangelogTail, "", 0, tag);
        this.#push(opKeyedList, "nonMaterialized", countUnread, -1);
        return this.#push(opKeyedList, "materialized", countUnread, depth + 1);
      }
      case tags.changelogBytes: {
        this.#keyGroups(0);
        this.#need(16, "from");
        this.#at += 16;
        this.#startKeyed(tag);
        if (this.#layout !== "1.14") this.#push(opUtf, "stateHandleId");
        return this.#push(opChanges, "changes", countUnread);
      }
      case tags.changelogFiles:
      case tags.changelogFilesV2:
        this.#keyGroups(0);
        this.#startKeyed(tag);
        this.#push(opChangelogFilesTail, "", 0, tag);
        return this.#push(opChangelogParts, "parts", countUnread);
      default:
        return this.#failAt(tag > 17 ? "tag-unknown" : "handle-misplaced", start, "tag", { tag });
    }
  }

  #startKeyed(tag: number): void {
    this.#countHandle(tag);
    this.#scope();
  }

  /** A range of key groups; returns how many, which with offsets must fit into what is left. */
  #keyGroups(elementBytes: number): number {
    const start = this.#at;
    const first = this.#i32("keyGroupRange");
    const count = elementBytes > 0 ? this.#count(elementBytes, "keyGroupRange") : this.#i32("keyGroupRange");
    if (first < 0 || count < 0 || (count > 0 && first + count > this.#maxParallelism)) {
      this.#warn("key-groups-out-of-range", start, "keyGroupRange", { first, count, maxParallelism: this.#maxParallelism });
    }
    return count;
  }

  #keyedList(): void {
    if (!this.#counted(1)) return;
    const top = this.#top;
    const done = this.#dones[top] ?? 0;
    if (done === this.#counts[top]) return this.#pop();
    const depth = this.#notes[top] ?? 0;
    if (depth < 0) {
      this.#need(1, "tag");
      const tag = this.#bytes[this.#at] ?? 0;
      if (tag !== tags.null && tag !== tags.changelogBytes && tag !== tags.changelogFiles && tag !== tags.changelogFilesV2) {
        this.#failAt(tag > 17 ? "tag-unknown" : "handle-misplaced", this.#at, "tag", { tag });
      }
    }
    this.#dones[top] = done + 1;
    this.#push(opKeyed, "handle", 0, Math.max(depth, 0));
  }

  #fileList(): void {
    if (!this.#counted(3)) return;
    const top = this.#top;
    const count = this.#counts[top] ?? 0;
    for (let done = this.#dones[top] ?? 0; done < count; ) {
      this.#atom = this.#at;
      this.#text("localPath");
      const whole = this.#streamAtom(true);
      this.#dones[top] = ++done;
      if (!whole) return this.#push(opStream, "handle", 0, 1);
    }
    this.#atom = this.#at;
    this.#pop();
  }

  #changes(): void {
    if (!this.#counted(8)) return;
    const top = this.#top;
    const count = this.#counts[top] ?? 0;
    for (let done = this.#dones[top] ?? 0; done < count; ) {
      this.#atom = this.#at;
      this.#i32("keyGroup");
      const length = this.#length("length");
      this.#add(0, length);
      this.#skip(length);
      this.#dones[top] = ++done;
    }
    this.#pop();
  }

  #changelogParts(): void {
    if (!this.#counted(9)) return;
    const top = this.#top;
    const count = this.#counts[top] ?? 0;
    for (let done = this.#dones[top] ?? 0; done < count; ) {
      this.#atom = this.#at;
      this.#need(8, "offset");
      this.#at += 8;
      const whole = this.#streamAtom(false);
      this.#dones[top] = ++done;
      if (!whole) return this.#push(opStreamNotCounted, "handle", 0, 1);
    }
    this.#pop();
  }

  #changelogFilesTail(): void {
    const old = this.#notes[this.#top] === tags.changelogFiles && this.#layout === "1.14";
    this.#need(8, "size");
    const at = this.#at;
    this.#at += 8;
    if (!old) {
      this.#need(8, "checkpointedSize");
      this.#at += 8;
      this.#text("stateHandleId");
    }
    if (this.#notes[this.#top] === tags.changelogFilesV2) this.#text("storageIdentifier");
    this.#add(this.#view.getInt32(at), this.#view.getUint32(at + 4));
    this.#pop();
  }

  #changelogTail(): void {
    const numbers = this.#notes[this.#top] === tags.changelogV2 ? 16 : 8;
    this.#need(numbers, "materializationId");
    this.#at += numbers;
    this.#text("stateHandleId");
    this.#pop();
  }

  // ---- channel state

  #channels(): void {
    const tagged = this.version >= 6;
    if (!this.#counted(tagged ? 18 : this.#layout === "1.11" ? 21 : 25)) return;
    const top = this.#top;
    const done = this.#dones[top] ?? 0;
    if (done === this.#counts[top]) return this.#pop();
    const input = this.#notes[top] === kindInputChannel;
    const start = this.#at;
    let kind = input ? 1 : 2;
    if (tagged) {
      this.#need(1, "tag");
      kind = this.#bytes[this.#at++] ?? 0;
      if (kind < 1 || kind > 4) this.#failAt("tag-unknown", start, "tag", { tag: kind });
      if ((kind & 1) !== (input ? 1 : 0)) this.#failAt("handle-misplaced", start, "tag", { tag: kind });
    }
    if (kind > 2) {
      this.#i32("subtaskIndex");
      this.#need(8, "size");
      const at = this.#at;
      this.#at += 8;
      this.#dones[top] = done + 1;
      this.#countHandle(17 + kind);
      this.#add(this.#view.getInt32(at), this.#view.getUint32(at + 4));
      this.#push(opMergedOffsets, "");
      return this.#push(opStreamNotCounted, "delegate");
    }
    const numbers = this.#layout === "1.11" ? 8 : 12;
    this.#need(numbers, "channel");
    this.#at += numbers;
    const skipped = this.#count(8, "offsets") * 8;
    this.#dones[top] = done + 1;
    this.#countHandle(17 + kind);
    this.#skip(skipped);
    this.#push(opChannelTail, "");
  }

  #channelTail(): void {
    this.#need(8, "size");
    const at = this.#at;
    this.#at += 8;
    this.#add(this.#view.getInt32(at), this.#view.getUint32(at + 4));
    this.#replace(opStreamNotCounted, "delegate");
  }

  // ---- stream handles

  #streamStep(op: number): void {
    const top = this.#top;
    const depth = this.#notes[top] ?? 0;
    if (depth > this.#limits.depth) this.#failAt("limit", this.#at, "", { limit: "depth", value: this.#limits.depth });
    if (this.#streamAtom(op === opStream)) this.#pop();
    else this.#notes[top] = depth + 1;
  }

  /** One handle from its tag on. False when it only led to another one (tag 3), which then follows. It may put the position beyond the window. */
  #streamAtom(counted: boolean): boolean {
    this.#need(1, "tag");
    const start = this.#at;
    const tag = this.#bytes[start] ?? 0;
    this.#at = start + 1;
    switch (tag) {
      case tags.bytes: {
        this.#text("name");
        const length = this.#length("length");
        this.#skip(length);
        this.#inlineBytes += length;
        if (counted) this.#add(0, length);
        break;
      }
      case tags.file: {
        this.#need(8, "size");
        const at = this.#at;
        this.#at += 8;
        this.#path(0);
        this.#noteFile(at, counted);
        break;
      }
      case tags.relativeFile: {
        const pathAt = this.#at;
        this.#path(1);
        this.#need(8, "size");
        const at = this.#at;
        this.#at += 8;
        this.#checkRelative(pathAt, at);
        this.#noteFile(at, counted);
        break;
      }
      case tags.segment:
        this.#segment(counted);
        break;
      case tags.emptySegment:
        break;
      case tags.keyGroups: {
        const groups = this.#keyGroups(8);
        this.#countHandle(22);
        this.#skip(groups * 8);
        return false;
      }
      default:
        this.#failAt(tag > 17 ? "tag-unknown" : "handle-misplaced", start, "tag", { tag });
    }
    this.#countHandle(tag);
    return true;
  }

  #noteFile(sizeAt: number, counted: boolean): void {
    const high = this.#view.getInt32(sizeAt);
    const low = this.#view.getUint32(sizeAt + 4);
    if (high < 0) this.unknownSizes++;
    if (this.#files.add(this.#hashLow, this.#hashHigh)) this.#distinct(true, high, low);
    if (counted) this.#add(high, low);
  }

  #segment(counted: boolean): void {
    const at = this.#at;
    this.#need(20, "scope");
    const scope = this.#view.getInt32(at + 16);
    if (scope !== 0 && scope !== 1) this.#failAt("value-invalid", at + 16, "scope", { value: scope });
    this.#at += 20;
    this.#path(0);
    this.#text("logicalFileId");
    const high = this.#view.getInt32(at + 8);
    const low = this.#view.getUint32(at + 12);
    const fileIsNew = this.#files.add(this.#hashLow, this.#hashHigh);
    // The same segment again has the same start and size.
    for (let i = at; i < at + 16; i += 4) this.#mix(this.#view.getInt32(i), this.#view.getInt32(i) ^ 0x5bd1e995);
    if (this.#files.add(this.#hashLow, this.#hashHigh)) this.#distinct(fileIsNew, high, low);
    if (counted) this.#add(high, low);
  }

  #distinct(fileIsNew: boolean, high: number, low: number): void {
    if (this.#files.size > this.#limits.distinctFiles) this.#failAt("limit", this.#at, "", { limit: "distinctFiles", value: this.#limits.distinctFiles });
    if (fileIsNew) this.distinctFiles++;
    if (high < 0) return;
    this.#distinctHigh += high;
    this.#distinctLow += low;
  }

  /** A relative path is a bare name in practice; anything that could lead elsewhere is told. */
  #checkRelative(start: number, end: number): void {
    const bytes = this.#bytes;
    for (let at = start + 2; at < end; at++) {
      const byte = bytes[at] ?? 0;
      if (byte !== 0x2f && byte !== 0x5c && byte !== 0x3a) continue;
      return this.#checkSlashes(start, end);
    }
    if (end - start === 2 || (end - start === 4 && bytes[start + 2] === 0x2e && bytes[start + 3] === 0x2e)) this.#checkSlashes(start, end);
  }

  #checkSlashes(start: number, end: number): void {
    const path = decodeModifiedUtf8(this.#bytes, start + 2, end) ?? "";
    if (!/^[\\/]|^[A-Za-z][A-Za-z0-9+.-]*:|(^|[\\/])\.\.([\\/]|$)|^$/.test(path)) return;
    this.#warn("path-unsafe", start, "path", { path: path.length > 200 ? `${path.slice(0, 200)}…` : path });
  }

  // ---- sums

  #countHandle(slot: number): void {
    this.#subtaskHasState = true;
    this.handleCounts[slot] = (this.handleCounts[slot] ?? 0) + 1;
  }

  #add(high: number, low: number): void {
    const kind = this.#kind;
    this.#high[kind] = (this.#high[kind] ?? 0) + high;
    this.#low[kind] = (this.#low[kind] ?? 0) + low;
    this.#subtaskHigh += high;
    this.#subtaskLow += low;
  }

  // ---- fields

  #need(length: number, field: string): void {
    if (this.#at + length > this.#end) this.#miss(length, field);
  }

  #miss(length: number, field: string): never {
    const missingBytes = this.#base + this.#at + length - this.#fileBytes;
    if (missingBytes <= 0) throw needMore;
    return this.#failAt("truncated", this.#at, field, { missingBytes });
  }

  #i32(field: string): number {
    this.#need(4, field);
    const value = this.#view.getInt32(this.#at);
    this.#at += 4;
    return value;
  }

  /** A count of elements; `elementBytes` is the least that one takes. */
  #count(elementBytes: number, field: string): number {
    const at = this.#at;
    const count = this.#i32(field);
    const leftBytes = this.#fileBytes - this.#base - this.#at;
    if (count < 0 || count * elementBytes > leftBytes) this.#failAt("count-impossible", at, field, { count, leftBytes });
    return count;
  }

  /** A length of bytes that are all there. */
  #length(field: string): number {
    return this.#count(1, field);
  }

  /** Reads the count of the list on top when that is still to be done. False when this step is over with it. */
  #counted(elementBytes: number): boolean {
    const top = this.#top;
    if (this.#counts[top] !== countUnread) return true;
    this.#counts[top] = this.#count(elementBytes, "count");
    this.#opens[top] = 1;
    return false;
  }

  /** Passes over bytes that `#count` or `#length` has checked; the last thing of a step. */
  #skip(length: number): void {
    this.#at += length;
  }

  /** A text that is only checked. */
  #text(field: string): void {
    this.#need(2, field);
    const start = this.#at;
    const length = this.#view.getUint16(start);
    this.#need(length + 2, field);
    const view = this.#view;
    const last = start + 2 + length;
    let any = 0;
    let at = start + 2;
    for (; at + 4 <= last; at += 4) any |= view.getInt32(at, true);
    for (; at < last; at++) any |= view.getInt8(at);
    if ((any & 0x80808080) !== 0 && !isModifiedUtf8(this.#bytes, start + 2, last)) this.#failAt("text-malformed", start, field, {});
    this.#at = last;
  }

  #string(field: string): string {
    this.#need(2, field);
    const start = this.#at;
    const length = this.#view.getUint16(start);
    this.#need(length + 2, field);
    this.#at = start + 2 + length;
    return decodeModifiedUtf8(this.#bytes, start + 2, this.#at) ?? this.#failAt("text-malformed", start, field, {});
  }

  /** A path, checked and hashed. */
  #path(salt: number): void {
    this.#need(2, "path");
    const start = this.#at;
    const length = this.#view.getUint16(start);
    this.#need(length + 2, "path");
    const view = this.#view;
    const last = start + 2 + length;
    let a = this.#files.seed ^ salt;
    let b = length;
    let any = 0;
    let at = start + 2;
    for (; at + 8 <= last; at += 8) {
      const left = view.getInt32(at, true);
      const right = view.getInt32(at + 4, true);
      any |= left | right;
      a = (Math.imul(a ^ left, 0x85ebca6b) + b) | 0;
      b = Math.imul(b ^ right, 0xc2b2ae35) ^ ((a << 15) | (a >>> 17));
    }
    for (; at < last; at++) {
      const byte = view.getInt8(at);
      any |= byte;
      a = (Math.imul(a ^ byte, 0x85ebca6b) + b) | 0;
      b = Math.imul(b ^ byte, 0xc2b2ae35) ^ ((a << 15) | (a >>> 17));
    }
    if ((any & 0x80808080) !== 0 && !isModifiedUtf8(this.#bytes, start + 2, last)) this.#failAt("text-malformed", start, "path", {});
    this.#hashLow = a;
    this.#hashHigh = b;
    this.#mix(0x2545f491, 0x4f6cdd1d);
    this.#at = last;
  }

  #mix(left: number, right: number): void {
    let a = (Math.imul(this.#hashLow ^ left, 0x9e3779b1) + this.#hashHigh) | 0;
    a ^= a >>> 15;
    const b = Math.imul(this.#hashHigh ^ right, 0xc2b2ae35) ^ ((a << 13) | (a >>> 19));
    this.#hashLow = a;
    this.#hashHigh = b ^ (b >>> 16);
  }

  // ---- the stack

  #push(op: number, label: string, count = 0, note = 0): void {
    const top = ++this.#top;
    if (top >= this.#ops.length) this.#failAt("limit", this.#at, "", { limit: "depth", value: this.#limits.depth });
    this.#ops[top] = op;
    this.#counts[top] = count;
    this.#dones[top] = 0;
    this.#notes[top] = note;
    this.#opens[top] = 0;
    this.#labels[top] = label;
  }

  #pop(): void {
    this.#top--;
  }

  #replace(op: number, label: string): void {
    this.#pop();
    this.#push(op, label);
  }

  /** The frame stays below its parts, for the path. */
  #scope(): void {
    this.#ops[this.#top] = opScope;
    this.#opens[this.#top] = 1;
  }

  // ---- findings

  #warn<C extends ProblemCode>(code: C, at: number, field: string, facts: ProblemFacts[C]): void {
    this.problemCount++;
    if (this.problems.length < this.#limits.problems) this.problems.push({ code, severity: "warning", offset: this.#base + at, path: this.#where(field), facts });
  }

  #failAt<C extends ProblemCode>(code: C, at: number, field: string, facts: ProblemFacts[C]): never {
    throw new ProblemError(code, this.#base + at, this.#where(field), facts);
  }

  /** The path of a field, from the stack: the parts that are under way, and the field. */
  #where(field: string): string {
    const parts: string[] = [];
    for (let i = 0; i <= this.#top; i++) {
      const isTop = i === this.#top;
      const label = this.#labels[i] ?? "";
      if ((!isTop && this.#opens[i] !== 1) || label === "") continue;
      const isList = this.#opens[i] === 1 && this.#ops[i] !== opScope;
      parts.push(isList ? `${label}[${(this.#dones[i] ?? 0) - (isTop ? 0 : 1)}]` : label);
    }
    if (field !== "") parts.push(field);
    return parts.join(".");
  }
}
