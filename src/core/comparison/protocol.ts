import * as z from "zod";
import type { SnapshotHead, WireProblem } from "../inspector/protocol";
import type { OperatorChange, OperatorDifference } from "../metadata/compare";
import type { SizeKind } from "../metadata/scanIndex";

/**
 * What is asked about two snapshots. The thread that holds both answers; the host passes the page's questions on. `swapped` looks from the
 * right to the left. Sizes are numbers for people, exact below 2^53.
 */
export interface ComparisonApi {
  /** Reads the metadata of both, or what is already read. */
  open(params: SwapParams): ComparisonHead;
  /** Reads the states of both once; answers that follow know them. */
  states(params: Record<never, never>): StatesSeen;
  rows(params: DifferenceQuery): DifferencePage;
  /** One operator by its place in the comparison; null when there is none. */
  row(params: RowParams): DifferenceDetail | null;
  /** The report of the command line as JSON text. */
  json(params: SwapParams): string;
  /** One of the two as text, see `metadataText`. */
  text(params: { readonly side: "left" | "right"; readonly order: "name" | "id" }): string;
}

/** Checks of the parameters that come from a page, by method. */
export const comparisonParams = {
  open: z.object({ swapped: z.boolean() }),
  states: z.object({}),
  rows: z.object({
    swapped: z.boolean(), changesOnly: z.boolean(), filter: z.string().max(1000), from: z.int().min(0), limit: z.int().min(0).max(1000), selected: z.int().min(0).nullable(),
    sort: z.object({ by: z.enum(["change", "name", "left", "right", "delta", "parallelism", "maxParallelism", "states"]), descending: z.boolean() }),
  }),
  row: z.object({ swapped: z.boolean(), at: z.int().min(0) }),
  json: z.object({ swapped: z.boolean() }),
};

type SwapParams = z.infer<typeof comparisonParams.open>;
type RowParams = z.infer<typeof comparisonParams.row>;

/** A sort, a filter (words of names, uids and ids) and a window of the table of operators. */
export type DifferenceQuery = z.infer<typeof comparisonParams.rows>;

/** A column that can be sorted by. */
export type DifferenceColumn = DifferenceQuery["sort"]["by"];

/** One of the two. */
export interface SideHead {
  readonly location: string;
  /** Null when not even the head could be read. */
  readonly snapshot: SideFacts | null;
  readonly problems: readonly WireProblem[];
  readonly problemCount: number;
}

/** What is in one of the two, without its operators. */
export type SideFacts = Pick<SnapshotHead, "checkpointId" | "kind" | "version" | "writers" | "whole" | "operators" | "subtasks" | "stateBytes" | "sizes" | "files" | "fileBytes" | "inlineBytes">;

/** Both, and what differs in all. */
export interface ComparisonHead {
  readonly left: SideHead;
  readonly right: SideHead;
  /** Null when one of the two could not be read at all. */
  readonly counts: Readonly<Record<OperatorDifference["change"], number>> | null;
  readonly deltaBytes: number;
  /** Largest change of one operator, for bars. */
  readonly mostBytes: number;
  /** Operators may seem added or removed that are not. */
  readonly incomplete: boolean;
}

/** How far states are known. */
export interface StatesSeen {
  /** Operators of both sides together whose states could not all be read. */
  readonly unread: number;
  /** Why, in sentences. */
  readonly notes: readonly string[];
}

/** An operator on one side. */
export interface SideOperator {
  readonly id: string;
  readonly name: string | null;
  readonly uid: string | null;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly subtasks: number;
  readonly finished: boolean;
  readonly sizeBytes: number;
}

/** A line of the table. */
export interface DifferenceRow {
  /** Place in the comparison, the same whatever the order and side. */
  readonly at: number;
  readonly change: OperatorDifference["change"];
  readonly left: SideOperator | null;
  readonly right: SideOperator | null;
  readonly matchedBy: OperatorDifference["matchedBy"];
  readonly changes: readonly OperatorChange[];
  readonly deltaBytes: number;
  /** Null while states are not read, or where they can't be. */
  readonly states: { readonly added: number; readonly removed: number; readonly changed: number } | null;
}

/** A window of the sorted and filtered table. */
export interface DifferencePage {
  readonly total: number;
  readonly from: number;
  readonly rows: readonly DifferenceRow[];
  /** Where the selected operator stands in this order, null when it is filtered out. */
  readonly selectedAt: number | null;
}

/** More of one operator. */
export interface DifferenceDetail {
  readonly row: DifferenceRow;
  /** Parts of its state that either side has. */
  readonly sizes: readonly { readonly kind: SizeKind; readonly leftBytes: number; readonly rightBytes: number }[];
  /** By name; null when the states of neither side could be read. */
  readonly states: readonly StateLine[] | null;
  readonly notes: readonly string[];
}

/** A state on both sides. */
export interface StateLine {
  readonly name: string;
  readonly change: "added" | "removed" | "changed" | "same";
  readonly left: StateSide | null;
  readonly right: StateSide | null;
}

/** A state on one side: its kind (`map`, `timers` …) and its types in full, by what they are of. */
export interface StateSide {
  readonly kind: string;
  readonly types: readonly { readonly of: "key" | "namespace" | "map key" | "value"; readonly text: string }[];
}
