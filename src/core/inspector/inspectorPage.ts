import * as z from "zod";
import type { PairGrade } from "../paimon/pairing";
import { inspectionParams, type InspectionApi } from "./protocol";

/** What the page asks its editor: everything about the file, and what only VS Code can do. */
export interface InspectorPageApi extends InspectionApi {
  /** What is known of the savepoint beside its file. */
  facts(params: Record<never, never>): SavepointFacts;
  /** What of Paimon's tables belongs to the savepoint; null when it has no sink of Paimon, or that can't be told. */
  pairs(params: Record<never, never>): PairsSeen | null;
  /** Copies the report of everything, or of one operator. */
  copyJson(params: { readonly row: number | null }): null;
  copy(params: { readonly what: string; readonly text: string }): null;
  /** Shows a local file, or the metadata itself, where files are shown. */
  reveal(params: { readonly path: string | null }): null;
  run(params: { readonly action: InspectorAction }): null;
}

/** Checks of the parameters that come from the page, by method. */
export const pageParams = {
  ...inspectionParams,
  facts: z.object({}),
  pairs: z.object({}),
  copyJson: z.object({ row: z.int().min(0).nullable() }),
  copy: z.object({ what: z.string().max(40), text: z.string().max(1_000_000) }),
  reveal: z.object({ path: z.string().max(10_000).nullable() }),
  run: z.object({ action: z.enum(["restore", "openWith", "showPairs", "addWarehouse"]) }),
} satisfies { readonly [K in keyof InspectorPageApi]: z.ZodType };

/** A command that the page's buttons run. */
export type InspectorAction = "restore" | "openWith" | "showPairs" | "addWarehouse";

/** A savepoint's pairs, as the page shows them. */
export interface PairsSeen {
  readonly rows: readonly { readonly title: string; readonly grade: PairGrade; readonly text: string; readonly reasons: readonly string[] }[];
  /** What there is to do about them. */
  readonly action: "showPairs" | "addWarehouse" | null;
}

/** What the editor tells its page. */
export interface InspectorPageEvents {
  /** The file is another, or gone; what was read before is let go. */
  changed: { readonly reason: "replaced" | "deleted" };
  /** The ledger knows something else of the savepoint. */
  facts: SavepointFacts;
}

/** What the ledger, or else the path, tells of a savepoint. */
export interface SavepointFacts {
  readonly job: { readonly id: string | null; readonly name: string | null; readonly cluster: string | null };
  /** When it was taken, as the ledger knows it. */
  readonly takenAtMs: number | null;
  readonly description: string;
  readonly origin: string | null;
  readonly pinned: boolean;
  /** What can be done with it. */
  readonly actions: readonly InspectorAction[];
}
