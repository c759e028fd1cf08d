import { isAbort } from "../core/base/async";
import type { Metadata } from "../core/metadata/metadata";
import type { Problem } from "../core/metadata/problem";
import type { RandomAccess } from "../core/metadata/randomAccess";
import { scanMetadata } from "../core/metadata/scan";
import { selfContainment } from "../core/metadata/selfContained";
import { savepointStates } from "../core/metadata/states/savepointStates";
import type { Log, OpenFile, OpenMetadata } from "../core/ports";

/** Read of state files for the names of states, at most. */
const mostHeaderBytes = 16 * 2 ** 20;

/** An operator of a savepoint that holds state: what a restore maps, or drops (0.3, C-23). */
export interface OperatorState {
  /** 32 hex digits. */
  readonly id: string;
  /** Written by Flink 2.0 and newer, where the job names them. */
  readonly name: string | null;
  readonly uid: string | null;
  /** `OperatorState.getStateSize`, coordinator included. */
  readonly sizeBytes: number;
}

/** An operator with the names of its states, where these could be read. */
export interface NamedOperatorState extends OperatorState {
  readonly states: readonly string[] | undefined;
}

/** Looks into savepoints without Flink. */
export class InspectionService {
  readonly #open: OpenMetadata;
  readonly #openFile: OpenFile;
  readonly #log: Log;

  /** `openFile` opens a savepoint's state files. */
  constructor(open: OpenMetadata, openFile: OpenFile, log: Log) {
    this.#open = open;
    this.#openFile = openFile;
    this.#log = log;
  }

  /** The version of a savepoint's metadata, whatever it is; undefined when there is none that can be read from here. */
  async formatOf(location: string): Promise<number | undefined> {
    const source = await this.#open(location);
    if (source === undefined) return undefined;
    try {
      const head = await source.read(0, Math.min(8, source.sizeBytes));
      return head.length < 8 ? 0 : new DataView(head.buffer, head.byteOffset, 8).getInt32(4);
    } catch (error) {
      this.#log.warn(`reading the metadata of ${location}`, error);
      return undefined;
    } finally {
      await source.close();
    }
  }

  /** Whether a savepoint is whole, and its folder can be moved and still be used and disposed of (C-16…18). False also when that can't be seen from here. */
  async isRelocatable(location: string, signal: AbortSignal): Promise<boolean> {
    const verdict = await this.#scanned(location, signal, async (source, metadata, problems) => (metadata.whole ? (await selfContainment(source, { metadata, problems }, location, { signal })).verdict : undefined));
    return verdict === "relocatable";
  }

  /** The operators of a savepoint that hold state, largest first; undefined when its metadata can't be read whole from here. */
  async stateIn(location: string, signal: AbortSignal): Promise<readonly OperatorState[] | undefined> {
    return this.#scanned(location, signal, (_source, metadata) => stateOf(metadata));
  }

  /** As `stateIn`, and of the `most` largest operators the names of their states, as `stateNames`, for which no more than `namesTimeoutMs` are spent. */
  async namedStateIn(location: string, most: number, namesTimeoutMs: number, signal: AbortSignal): Promise<readonly NamedOperatorState[] | undefined> {
    return this.#scanned(location, signal, async (source, metadata) => {
      const state = stateOf(metadata);
      if (state === undefined) return undefined;
      const ids = new Set(state.slice(0, most).map(({ id }) => id));
      const names = await this.#namesIn(source, metadata, location, ids, AbortSignal.any([signal, AbortSignal.timeout(namesTimeoutMs)]));
      signal.throwIfAborted();
      return state.map((operator) => ({ ...operator, states: names.get(operator.id) }));
    });
  }

  /**
   * The names of the states of some operators (by id), from the headers of one subtask's files; timers are left out. What the signal cuts off,
   * or can't be read from here, is absent: names only help a person to tell operators apart.
   */
  async stateNames(location: string, ids: ReadonlySet<string>, signal: AbortSignal): Promise<ReadonlyMap<string, readonly string[]>> {
    const names = await this.#scanned(location, signal, (source, metadata) => this.#namesIn(source, metadata, location, ids, signal)).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    return names ?? new Map<string, readonly string[]>();
  }

  /** What `use` makes of a savepoint's metadata, as far as that can be read; undefined when it can't be read at all, or reading on fails. Rejects as the signal says. */
  async #scanned<T>(location: string, signal: AbortSignal, use: (source: RandomAccess, metadata: Metadata, problems: readonly Problem[]) => T | Promise<T>): Promise<T | undefined> {
    const source = await this.#open(location);
    if (source === undefined) return undefined;
    try {
      const { metadata, problems } = await scanMetadata(source, { signal });
      return metadata === undefined ? undefined : await use(source, metadata, problems);
    } catch (error) {
      if (isAbort(error)) throw error;
      this.#log.warn(`reading the metadata of ${location}`, error);
      return undefined;
    } finally {
      await source.close();
    }
  }

  async #namesIn(source: RandomAccess, metadata: Metadata, location: string, ids: ReadonlySet<string>, signal: AbortSignal): Promise<ReadonlyMap<string, readonly string[]>> {
    const names = new Map<string, string[]>();
    const rows = [...metadata.operators].flatMap(({ id }, row) => (ids.has(id) ? [row] : []));
    const folder = location.replace(/\/_metadata$/, "");
    try {
      for await (const { operatorId, states } of savepointStates(source, metadata, { folder, open: this.#openFile }, { signal, rows, subtasksPerOperator: 1, countUpToBytes: 0, readBytes: mostHeaderBytes })) {
        const known = names.get(operatorId) ?? [];
        names.set(operatorId, [...new Set([...known, ...states.filter(({ type }) => type !== "PRIORITY_QUEUE").map(({ name }) => name)])]);
      }
    } catch (error) {
      if (!signal.aborted) this.#log.warn(`reading the states of ${location}`, error);
    }
    return names;
  }
}

function stateOf(metadata: Metadata): OperatorState[] | undefined {
  if (!metadata.whole) return undefined;
  const held = [...metadata.operators].filter((operator) => operator.sizeBytes > 0n || operator.hasCoordinatorState);
  return held.map(({ id, name, uid, sizeBytes }) => ({ id, name, uid, sizeBytes: Number(sizeBytes) })).sort((a, b) => b.sizeBytes - a.sizeBytes);
}
