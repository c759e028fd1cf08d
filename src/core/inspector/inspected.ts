import { decodeSubtasks } from "../metadata/decode";
import type { Subtask } from "../metadata/handles";
import type { Metadata } from "../metadata/metadata";
import type { Problem } from "../metadata/problem";
import type { RandomAccess } from "../metadata/randomAccess";
import { scanMetadata } from "../metadata/scan";
import { selfContainment } from "../metadata/selfContained";
import type { OpenFile } from "../ports";
import type { Handlers } from "../rpc";
import { FileSearch, type LookAtFile } from "./fileSearch";
import { handleRows } from "./handleRows";
import { snapshotHead, wireProblem } from "./head";
import { KeyGroupSums } from "./keyGroups";
import { OperatorRows } from "./operatorRows";
import type { HandleRow, Head, InspectionApi, PageOf } from "./protocol";
import { headReport, operatorReport, problemReport, selfContainedReport, verdictText } from "./report";
import { kindShares, operatorShares, subtaskShares } from "./shares";
import { readStates } from "./stateRows";

/** The bytes of one `_metadata`, where they lie, and how to look for the files beside it. */
export interface InspectionSource {
  readonly location: string;
  readonly modifiedAtMs: number;
  readonly bytes: RandomAccess;
  readonly look: LookAtFile;
  readonly openFile: OpenFile;
  /** Milliseconds of any epoch, for measuring. */
  now(): number;
}

/** What one reading found. */
interface Reading {
  readonly source: InspectionSource;
  readonly head: Head;
  readonly metadata: Metadata | undefined;
  readonly rows: OperatorRows | undefined;
  readonly problems: readonly Problem[];
}

/** Subtasks decoded for one answer; more would hold the thread up. */
const mostSubtasks = 20_000;
const subtasksAtOnce = 256;

/** Answers the inspector's questions about one file: the table is kept, handles are decoded anew for each page. */
export class Inspected {
  readonly #openSource: () => Promise<InspectionSource>;
  #reading: Promise<Reading> | undefined;
  #files: FileSearch | undefined;
  #lastHandles: { readonly key: string; readonly rows: readonly HandleRow[]; readonly problems: readonly Problem[] } | undefined;

  /** `open` is called with the first question, and again after it failed. */
  constructor(open: () => Promise<InspectionSource>) {
    this.#openSource = open;
  }

  /** An answer to every question; questions about the content of a file that could not be read have empty answers. */
  readonly handlers: Handlers<InspectionApi> = {
    open: async () => (await this.#opened()).head,
    operators: async (query) => (await this.#opened()).rows?.page(query) ?? { total: 0, from: 0, rows: [], selectedAt: null },
    operator: async ({ row }) => {
      const { metadata, rows } = await this.#opened();
      const operator = rows?.get(row);
      if (metadata === undefined || operator === undefined) return null;
      const { offset, lengthBytes, chainLength, hasCoordinatorState } = metadata.operators.get(row);
      return { operator, offset, lengthBytes, chainLength, hasCoordinatorState };
    },
    subtasks: async ({ row, from, limit }) => {
      const { metadata, rows } = await this.#opened();
      if (metadata === undefined || rows?.get(row) === undefined) return { total: 0, from, rows: [] };
      const page = metadata.operators.subtasks(row, from, limit);
      return { total: rows.get(row)?.subtasks ?? 0, from, rows: page.map(({ index, finished, sizeBytes, offset }, i) => ({ at: from + i, index, finished, sizeBytes, offset })) };
    },
    handles: (page, signal) => this.#handles(page, signal),
    shares: async ({ row, kind, limit }, signal) => {
      const { source, metadata, rows } = await this.#opened();
      const operator = row === null ? undefined : rows?.get(row);
      if (metadata === undefined || rows === undefined) return { totalBytes: 0, tiles: [], others: null };
      if (operator === undefined) return operatorShares(rows.all, limit);
      const { subtasks } = await subtasksOf(source, metadata, operator.row, signal);
      return kind === null ? kindShares(operator, subtasks, limit) : subtaskShares(operator, subtasks.map((subtask, at) => ({ at, subtask })), kind, limit);
    },
    keyGroups: async ({ row, bars }, signal) => {
      const { source, metadata, rows } = await this.#opened();
      const operator = rows?.get(row);
      const sums = new KeyGroupSums(operator?.maxParallelism ?? 0);
      if (metadata === undefined || operator === undefined) return { ...sums.shares(bars), problems: [] };
      const { subtasks, problems } = await subtasksOf(source, metadata, row, signal);
      for (const subtask of subtasks) sums.add(subtask);
      return { ...sums.shares(bars), problems: problems.map(wireProblem) };
    },
    states: async (params, signal) => {
      const { source, metadata, rows } = await this.#opened();
      if (metadata === undefined || rows?.get(params.row) === undefined) return { states: [], notes: [], readBytes: 0 };
      const { states, notes, readBytes } = await readStates(source.bytes, metadata, { folder: source.location, open: source.openFile }, params, signal);
      return { states, notes, readBytes };
    },
    selfContained: async (_params, signal) => {
      const { source, metadata, problems } = await this.#opened();
      if (metadata === undefined) return null;
      const found = await selfContainment(source.bytes, { metadata, problems }, source.location, { signal });
      return { report: selfContainedReport(found), text: verdictText(found) };
    },
    json: ({ row }, signal) => this.#json(row, signal),
    files: async ({ restart }, signal) => {
      const { source, metadata } = await this.#opened();
      if (metadata === undefined) return { total: 0, looked: 0, missing: 0, short: 0, elsewhere: 0, unsafe: 0, examples: [], complete: false, done: true };
      if (restart || this.#files === undefined) this.#files = new FileSearch(source.bytes, metadata, source.location, source.look);
      return this.#files.lookOn(source.now, signal);
    },
  };

  /** One reading, whoever asks; one that failed is tried again. */
  #opened(): Promise<Reading> {
    this.#reading ??= this.#open().catch((error: unknown) => {
      this.#reading = undefined;
      throw error;
    });
    return this.#reading;
  }

  async #open(): Promise<Reading> {
    const source = await this.#openSource();
    const { location, modifiedAtMs, bytes } = source;
    const { metadata, problems, problemCount } = await scanMetadata(bytes);
    const rows = metadata === undefined ? undefined : new OperatorRows(metadata);
    const snapshot = metadata === undefined || rows === undefined ? null : snapshotHead(metadata, rows);
    const file = { location, sizeBytes: bytes.sizeBytes, modifiedAtMs };
    return { source, metadata, rows, problems, head: { file, snapshot, problems: problems.map(wireProblem), problemCount } };
  }

  async #json(row: number | null, signal: AbortSignal): Promise<string> {
    const { source, metadata, problems, head } = await this.#opened();
    if (metadata === undefined) return JSON.stringify({ path: `${source.location}/_metadata`, problems: problems.map(problemReport), problemCount: head.problemCount }, undefined, 2);
    const { operators } = metadata;
    if (row === null) {
      const contained = await selfContainment(source.bytes, { metadata, problems }, source.location, { signal });
      const all = [...operators].map((operator) => operatorReport(operators, operator));
      return JSON.stringify({ ...headReport(`${source.location}/_metadata`, metadata, contained), operators: all, problems: problems.map(problemReport), problemCount: head.problemCount }, undefined, 2);
    }
    const { entries } = await readStates(source.bytes, metadata, { folder: source.location, open: source.openFile }, { row, count: false }, signal);
    return JSON.stringify(operatorReport(operators, operators.get(row), entries), undefined, 2);
  }

  async #handles({ row, subtask, from, limit }: PageOf & { readonly subtask: number }, signal: AbortSignal): ReturnType<Handlers<InspectionApi>["handles"]> {
    const key = `${row} ${subtask}`;
    if (this.#lastHandles?.key !== key) {
      const { source, metadata, rows } = await this.#opened();
      if (metadata === undefined || rows?.get(row) === undefined) return { total: 0, from, rows: [], problems: [] };
      const decoded = await decodeSubtasks(source.bytes, metadata, { row, from: subtask, limit: 1 }, { signal });
      this.#lastHandles = { key, rows: decoded.subtasks.flatMap((one) => [...handleRows(one)]), problems: decoded.problems };
    }
    const { rows, problems } = this.#lastHandles;
    return { total: rows.length, from, rows: rows.slice(from, from + limit), problems: problems.map(wireProblem) };
  }
}

async function subtasksOf({ bytes }: InspectionSource, metadata: Metadata, row: number, signal: AbortSignal): Promise<{ readonly subtasks: readonly Subtask[]; readonly problems: readonly Problem[] }> {
  const all: Subtask[] = [];
  for (let from = 0; from < mostSubtasks; from += subtasksAtOnce) {
    const { subtasks, problems } = await decodeSubtasks(bytes, metadata, { row, from, limit: subtasksAtOnce }, { signal });
    all.push(...subtasks);
    if (problems.length > 0) return { subtasks: all, problems };
    if (subtasks.length < subtasksAtOnce) break;
  }
  return { subtasks: all, problems: [] };
}
