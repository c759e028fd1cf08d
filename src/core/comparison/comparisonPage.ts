import * as z from "zod";
import { comparisonParams, type ComparisonApi } from "./protocol";

/** What the page that compares asks its panel: everything about the two, and what only VS Code can do. */
export interface ComparisonPageApi extends Omit<ComparisonApi, "text"> {
  /** What the two are called. */
  names(params: Record<never, never>): ComparedNames;
  /** Copies the report that `json` gives. */
  copyJson(params: { readonly swapped: boolean }): null;
  copy(params: { readonly what: string; readonly text: string }): null;
  run(params: { readonly action: ComparisonAction; readonly swapped: boolean }): null;
}

/** Checks of the parameters that come from the page, by method. */
export const comparisonPageParams = {
  ...comparisonParams,
  names: z.object({}),
  copyJson: z.object({ swapped: z.boolean() }),
  copy: z.object({ what: z.string().max(40), text: z.string().max(1_000_000) }),
  run: z.object({ action: z.enum(["asText", "inspectLeft", "inspectRight"]), swapped: z.boolean() }),
} satisfies { readonly [K in keyof ComparisonPageApi]: z.ZodType };

/** What the page's buttons open: both as text, or one side, as it is seen, in the inspector. */
export type ComparisonAction = z.infer<typeof comparisonPageParams.run>["action"];

/** A snapshot that is compared, in what the page keeps so that the panel can be opened anew after a reload. */
const comparedSchema = z.object({
  name: z.string().max(1000), jobName: z.string().max(1000).nullable(), jobId: z.string().max(100).nullable(), location: z.string().max(10_000), takenAtMs: z.number().nullable(),
});

/** Both, as the panel was opened. */
export const comparedNamesSchema = z.object({ left: comparedSchema, right: comparedSchema });

/** Which two snapshots a panel compares, as its page keeps them over a reload of the window. */
export type ComparedNames = z.infer<typeof comparedNamesSchema>;
