import type { OpenFile } from "../ports";
import { ByteReader } from "../metadata/byteReader";
import { filePlaceOf } from "../metadata/filePlace";
import type { OperatorHandle } from "../metadata/handles";
import type { Metadata } from "../metadata/metadata";
import { ProblemError } from "../metadata/problem";
import type { RandomAccess } from "../metadata/randomAccess";
import { readStringValue } from "../metadata/states/catalogue";
import { unsnappy } from "../metadata/states/snappy";
import { readOperatorStates } from "../metadata/states/stateFile";
import { innermost, subtaskPages } from "../metadata/streams";
import { fileNamesIn } from "./manifest";

/** The committer of a Paimon sink, as a savepoint holds its state (`CommitterOperator`). */
export interface PaimonCommitter {
  readonly operatorId: string;
  /** `Global Committer : table` where the metadata has names (Flink 2.0 on). */
  readonly operatorName: string | null;
  /** Table without its database, from the operator's name. */
  readonly objectName: string | null;
  /** Null when the state can't be read from here; `unread` says why. */
  readonly commitUser: string | null;
  /** Checkpoints whose files are written and not yet committed: normally the savepoint's own, none when the sink was idle. */
  readonly pending: readonly bigint[];
  /** Unique parts of the names of those data files, by checkpoint: what it wrote, and what its compactions read, which earlier commits wrote. */
  readonly files: ReadonlyMap<bigint, ReadonlySet<string>>;
  /** `sink.savepoint.auto-tag` was on. */
  readonly autoTag: boolean;
  readonly unread: "missing" | "malformed" | null;
}

const rawStates = "streaming_committer_raw_states";
const tagStates = "streaming_committer_for_tags_states";
const userState = "commit_user_state";
const stateLimitBytes = 64 << 20;

/** The Paimon committers in a snapshot. `source` is where the metadata was read from, for state in files beside it. Throws what reading the metadata throws. */
export async function paimonCommitters(input: RandomAccess, metadata: Metadata, source: { readonly folder: string; readonly open: OpenFile }, signal?: AbortSignal): Promise<readonly PaimonCommitter[]> {
  const committers: PaimonCommitter[] = [];
  for (const { row, id, name, sizes } of metadata.operators) {
    if (sizes.managedOperator === 0n) continue;
    for await (const { subtasks } of subtaskPages(input, metadata, row, signal === undefined ? {} : { signal })) {
      for (const { managedOperator } of subtasks) {
        for (const handle of managedOperator) {
          if (handle?.states.some((state) => state.name === rawStates) !== true) continue;
          const objectName = /(?:^|: )Global Committer ?: ?(\S+)$/.exec(name ?? "")?.[1] ?? null;
          committers.push({ operatorId: id, operatorName: name, objectName, autoTag: handle.states.some((state) => state.name === tagStates), ...(await readCommitter(input, handle, source, signal)) });
        }
      }
    }
  }
  return committers;
}

type Read = Pick<PaimonCommitter, "commitUser" | "pending" | "files" | "unread">;

const unread = (why: NonNullable<PaimonCommitter["unread"]>): Read => ({ commitUser: null, pending: [], files: new Map(), unread: why });

async function readCommitter(input: RandomAccess, handle: OperatorHandle, source: { readonly folder: string; readonly open: OpenFile }, signal: AbortSignal | undefined): Promise<Read> {
  const bytes = await bytesOf(input, handle, source, signal);
  if (bytes === undefined) return unread("missing");
  try {
    const { header } = await readOperatorStates({ sizeBytes: bytes.length, read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)) }, handle);
    const isCompressed = header?.compressed === true;
    const users = elementsOf(bytes, handle, userState, isCompressed).map((element) => readStringValue(new ByteReader(element, 0)));
    const raw = elementsOf(bytes, handle, rawStates, isCompressed);
    const files = new Map(raw.map((element) => [identifierOf(element), fileNamesIn(element)] as const));
    return { commitUser: users[0] ?? null, pending: raw.map(identifierOf), files, unread: (users[0] ?? null) === null ? "malformed" : null };
  } catch (error) {
    if (error instanceof ProblemError || error instanceof RangeError) return unread("malformed");
    throw error;
  }
}

/** A committable: length, version, length of the payload, then the payload, which starts with the identifier in every version. */
function identifierOf(element: Uint8Array): bigint {
  return new DataView(element.buffer, element.byteOffset, element.byteLength).getBigInt64(12);
}

/** The elements of a list state; each ends where any next one of the stream begins. In a compressed stream each starts a chunk (`CompressibleFSDataOutputStream.getPos`). */
function elementsOf(bytes: Uint8Array, handle: OperatorHandle, name: string, isCompressed: boolean): Uint8Array[] {
  const starts = [...new Set(handle.states.flatMap(({ offsets }) => [...offsets].map(Number)))].sort((a, b) => a - b);
  const own = handle.states.find((state) => state.name === name)?.offsets ?? [];
  return [...own].map((offset) => {
    const start = Number(offset);
    const element = bytes.subarray(start, starts.find((next) => next > start) ?? bytes.length);
    return isCompressed ? unsnappy(element, start, stateLimitBytes, true).bytes : element;
  });
}

async function bytesOf(input: RandomAccess, handle: OperatorHandle, source: { readonly folder: string; readonly open: OpenFile }, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
  const stream = innermost(handle.delegate);
  if (stream.type === "emptySegment" || Number(stream.sizeBytes) > stateLimitBytes) return undefined;
  if (stream.type === "bytes") return input.read(stream.dataOffset, Number(stream.sizeBytes), signal);
  const { candidates, within } = filePlaceOf(source.folder, stream);
  for (const candidate of candidates) {
    const opened = await source.open(candidate, within);
    if (opened === undefined) continue;
    try {
      const start = stream.type === "segment" ? Number(stream.startOffset) : 0;
      const length = stream.type === "segment" ? Number(stream.sizeBytes) : opened.sizeBytes;
      return start >= 0 && length >= 0 && length <= stateLimitBytes && start + length <= opened.sizeBytes ? await opened.read(start, length, signal) : undefined;
    } finally {
      await opened.close();
    }
  }
  return undefined;
}
