import * as z from "zod";
import type { SnapshotKind } from "../metadata/metadata";
import type { ProblemCode } from "../metadata/problem";
import type { SizeKind } from "../metadata/scanIndex";
import type { SelfContainedReport } from "./report";

/**
 * What the inspector asks about one `_metadata`. The thread that holds the parsed table answers; the host passes the page's questions on.
 * Sizes are numbers for people, exact below 2^53; −1 bytes is a size that nobody knew.
 */
export interface InspectionApi {
  /** Reads the file, or what is already read. */
  open(params: Record<never, never>): Head;
  /** A page of the operator table. */
  operators(params: OperatorQuery): OperatorPage;
  /** One operator by its position in the file; null when there is none. */
  operator(params: { readonly row: number }): OperatorDetail | null;
  subtasks(params: PageOf): SubtaskPage;
  /** Handles of one subtask, by its position among the operator's. */
  handles(params: PageOf & { readonly subtask: number }): HandlePage;
  /** Sizes for the treemap: of the operators, or of what is in one of them. */
  shares(params: SharesQuery): Shares;
  keyGroups(params: { readonly row: number; readonly bars: number }): KeyGroupShares;
  /** States of an operator with their serializers, from the headers of its state files; with `count` small and large files are read whole. */
  states(params: { readonly row: number; readonly count: boolean }): StatesOf;
  /** Whether the folder can be moved or copied alone, and why not. */
  selfContained(params: Record<never, never>): { readonly report: SelfContainedReport; readonly text: string } | null;
  /** What `flink-savepoints inspect --json` writes, as text: of everything, or of one operator with its states. */
  json(params: { readonly row: number | null }): string;
  /** Looks for the next files on disk, for a fraction of a second. */
  files(params: { readonly restart: boolean }): FilesSeen;
}

/** Checks of the parameters that come from a page, by method. */
export const inspectionParams = {
  open: z.object({}),
  operators: z.object({
    sort: z.object({ by: z.enum(["position", "name", "parallelism", "maxParallelism", "subtasks", "managedKeyed", "managedOperator", "raw", "channels", "coordinator", "size", "skew"]), descending: z.boolean() }),
    filter: z.string().max(1000), from: z.int().min(0), limit: z.int().min(0).max(1000), selected: z.int().min(0).nullable(),
  }),
  operator: z.object({ row: z.int().min(0) }),
  subtasks: z.object({ row: z.int().min(0), from: z.int().min(0), limit: z.int().min(0).max(1000) }),
  handles: z.object({ row: z.int().min(0), subtask: z.int().min(0), from: z.int().min(0), limit: z.int().min(0).max(1000) }),
  shares: z.object({ row: z.int().min(0).nullable(), kind: z.string().max(40).nullable(), limit: z.int().min(1).max(1000) }),
  keyGroups: z.object({ row: z.int().min(0), bars: z.int().min(1).max(4096) }),
  states: z.object({ row: z.int().min(0), count: z.boolean() }),
  selfContained: z.object({}),
  json: z.object({ row: z.int().min(0).nullable() }),
  files: z.object({ restart: z.boolean() }),
} satisfies { readonly [K in keyof InspectionApi]: z.ZodType };

/** A sort, a filter (words of name, uid or id; a whole uid is also found by its hash) and a window of the operator table. */
export type OperatorQuery = z.infer<typeof inspectionParams.operators>;

/** A column that can be sorted by. */
export type OperatorColumn = OperatorQuery["sort"]["by"];

/** A window of a list below an operator. */
export interface PageOf {
  readonly row: number;
  readonly from: number;
  readonly limit: number;
}

/** First the answer: what it is, how big, and what is wrong with it. */
export interface Head {
  readonly file: { readonly location: string; readonly sizeBytes: number; readonly modifiedAtMs: number };
  /** Null when not even the head could be read; `problems` say why. */
  readonly snapshot: SnapshotHead | null;
  readonly problems: readonly WireProblem[];
  /** All, listed or not. */
  readonly problemCount: number;
}

/** What is in the file, without its operators. */
export interface SnapshotHead {
  readonly version: number;
  /** Flink releases that write this form, such as `2.1` and `2.3`. */
  readonly writers: { readonly from: string; readonly to: string } | null;
  readonly readers: { readonly from: string; readonly to: string | null } | null;
  readonly checkpointId: string;
  readonly kind: SnapshotKind;
  /** Flink's own name of the type, such as `Suspend Savepoint`; null before version 4. */
  readonly typeName: string | null;
  readonly unclaimed: boolean;
  readonly whole: boolean;
  /** False when the file breaks off inside the last operator of the table. */
  readonly lastIsWhole: boolean;
  readonly masterStates: readonly { readonly name: string; readonly sizeBytes: number }[];
  /** Operators in the table. */
  readonly operators: number;
  /** Operators that the file announces. */
  readonly announced: number;
  /** Operators with an id that no uid stands behind; null where the format has no uids (before Flink 2.0). */
  readonly automatic: number | null;
  /** Operators whose uid in the file does not hash to their id. */
  readonly uidDiffers: number;
  readonly finished: number;
  readonly subtasks: number;
  readonly stateBytes: number;
  readonly sizes: Readonly<Record<SizeKind, number>>;
  readonly files: number;
  readonly fileBytes: number;
  readonly inlineBytes: number;
  readonly unknownSizes: number;
  readonly handleCounts: readonly (readonly [string, number])[];
}

/** A finding with its place. */
export interface WireProblem {
  readonly code: ProblemCode;
  readonly severity: "error" | "warning";
  readonly offset: number;
  readonly path: string;
  readonly text: string;
}

/** A line of the operator table. */
export interface OperatorRow {
  /** Position in the file. */
  readonly row: number;
  readonly id: string;
  readonly name: string | null;
  readonly uid: string | null;
  /** Whether the uid hashes to the id; null when there is none. */
  readonly uidMatches: boolean | null;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly subtasks: number;
  readonly finished: boolean;
  readonly sizes: Readonly<Record<SizeKind, number>>;
  readonly sizeBytes: number;
  /** Part of the whole state, 0 to 1. */
  readonly share: number;
  /** Largest subtask against the mean of all that may hold state (parallelism); null without state. */
  readonly skew: number | null;
  readonly whole: boolean;
}

/** A window of the sorted and filtered table. */
export interface OperatorPage {
  /** Rows that the filter lets through. */
  readonly total: number;
  readonly from: number;
  readonly rows: readonly OperatorRow[];
  /** Where the selected operator stands in this order, null when it is filtered out. */
  readonly selectedAt: number | null;
}

/** More of one operator. */
export interface OperatorDetail {
  readonly operator: OperatorRow;
  readonly offset: number;
  readonly lengthBytes: number;
  readonly chainLength: number;
  readonly hasCoordinatorState: boolean;
}

/** A subtask without its handles. */
export interface SubtaskRow {
  /** Position among the operator's subtasks. */
  readonly at: number;
  readonly index: number;
  readonly finished: boolean;
  readonly sizeBytes: number;
  readonly offset: number;
}

/** A window of an operator's subtasks, in the order of the file; `total` is all of them, `from` the position of the first row. */
export interface SubtaskPage {
  readonly total: number;
  readonly from: number;
  readonly rows: readonly SubtaskRow[];
}

/** Where some state of a subtask is. */
export interface HandleRow {
  /** Such as `managed keyed` or `input channel`. */
  readonly part: string;
  /** Such as `key groups, canonical` or `incremental, shared`. */
  readonly form: string;
  /** State names, key groups, channel; empty where there is nothing to say. */
  readonly detail: string;
  /** Path or URI; null for bytes inside the metadata. */
  readonly path: string | null;
  /** Below the savepoint's folder. */
  readonly relative: boolean;
  readonly sizeBytes: number;
}

/** A window of a subtask's handles, in the order of the file; `problems` are those of reading these handles. */
export interface HandlePage {
  readonly total: number;
  readonly from: number;
  readonly rows: readonly HandleRow[];
  readonly problems: readonly WireProblem[];
}

/** What the treemap is of: everything, an operator, or one kind of state in it. */
export interface SharesQuery {
  readonly row: number | null;
  readonly kind: string | null;
  /** Tiles at most; the smaller ones are summed up in one. */
  readonly limit: number;
}

/** Tiles of the treemap, largest first. */
export interface Shares {
  readonly totalBytes: number;
  readonly tiles: readonly ShareTile[];
  /** The rest, too small to be shown. */
  readonly others: { readonly count: number; readonly sizeBytes: number } | null;
}

/** An area of the treemap: an operator, a kind of its state, or one of its subtasks. */
export interface ShareTile {
  readonly label: string;
  readonly sizeBytes: number;
  /** What to ask for to look into it; null for a leaf. */
  readonly into: { readonly row: number; readonly kind: string | null } | null;
  /** The operator that it belongs to. */
  readonly row: number;
  /** The subtask that it is, by position; null for more than one. */
  readonly subtask: number | null;
}

/** Bytes of keyed state over the key groups of an operator. */
export interface KeyGroupShares {
  /** `exact`: from the offsets in the metadata. `subtask`: spread evenly over the subtask's range, since its files hold all of it. */
  readonly from: "exact" | "subtask" | "none";
  readonly maxParallelism: number;
  /** Bytes per bar; each stands for as many key groups, the last one for what is left. */
  readonly bars: readonly number[];
  readonly groupsPerBar: number;
  /** Largest key group (or range) against the mean. */
  readonly skew: number | null;
  readonly empty: number;
  readonly problems: readonly WireProblem[];
}

/** States of an operator, over the subtasks that were looked at. */
export interface StatesOf {
  readonly states: readonly StateRow[];
  /** What kept some from being read, and how many of the subtasks were looked at. */
  readonly notes: readonly string[];
  readonly readBytes: number;
}

/** A state that an operator registered, joined over its subtasks; serializers as text. */
export interface StateRow {
  readonly name: string;
  /** Such as `value`, `map, TTL`, `timers` or `broadcast`. */
  readonly kind: string;
  readonly key: string;
  readonly namespace: string;
  readonly value: string;
  /** Null when not counted, or the format has none. */
  readonly entries: number | null;
  readonly subtasks: number;
}

/** Files that the metadata names, as far as they have been looked for. */
export interface FilesSeen {
  readonly total: number;
  readonly looked: number;
  readonly missing: number;
  /** Smaller than the metadata says. */
  readonly short: number;
  /** On a storage that can't be reached from here. */
  readonly elsewhere: number;
  /** Paths that are not followed, see problem `path-unsafe`. */
  readonly unsafe: number;
  readonly examples: readonly { readonly path: string; readonly what: "missing" | "short" | "unsafe" }[];
  /** False when there are more files than are looked for, or some handles could not be read. */
  readonly complete: boolean;
  readonly done: boolean;
}
