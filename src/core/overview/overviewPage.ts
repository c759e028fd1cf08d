import * as z from "zod";
import type { TaskCheckpointStats } from "../model/checkpoint";
import type { Overview } from "./overview";
import type { CheckpointTasks } from "./taskHistory";
import type { CleanupRow } from "../cleanup/plan";
import type { CleanupRules } from "../cleanup/rules";
import type { SavepointRecord } from "../ledger/record";

/** What the page of a job asks its host. */
export interface OverviewPageApi {
  /** What the panel is about, to be opened again after a reload. */
  about(params: Record<string, never>): AboutJob;
  /** Everything that is shown; later changes are told by `changed`. */
  overview(params: Record<string, never>): Overview;
  /** What each operator did for one checkpoint; null once Flink has forgotten it. */
  tasks(params: { readonly checkpointId: number }): readonly TaskCheckpointStats[] | null;
  /** What each operator did for the checkpoints that Flink still tells apart, and for those that were asked for before; oldest first. */
  taskHistory(params: Record<string, never>): readonly CheckpointTasks[];
  /** What the rules would do now; asks every cluster. */
  cleanup(params: Record<string, never>): CleanupView;
  /** Runs what the preview with this mark showed; resolves to what came of it, as a sentence. */
  runCleanup(params: { readonly mark: number }): string;
  /** Lets the rules of the preview with this mark act by themselves, or no longer. */
  switchCleanup(params: { readonly mark: number; readonly on: boolean }): CleanupView;
  undo(params: { readonly recordId: string }): string;
  retry(params: { readonly recordId: string }): string;
  /** Runs a verb on the job, or on a row of the history. */
  run(params: { readonly action: OverviewAction; readonly key: string | null }): null;
  copy(params: { readonly what: string; readonly text: string }): null;
}

/** What the host tells the page. */
export interface OverviewPageEvents {
  changed: Overview;
  /** Another tab was asked for. */
  show: { readonly tab: OverviewTab };
}

/** The parts of the page. */
export type OverviewTab = "overview" | "cleanup";

/** Verbs of the page's buttons: on the job, then on a row. */
export const overviewActions = ["trigger", "stop", "restoreAny", "showPairs", "openWebUi", "newSchedule", "openSchedules", "restore", "inspect", "compare", "pin", "unpin", "editDescription", "dispose", "copyPath", "revealRow"] as const;

/** A verb of the page. */
export type OverviewAction = (typeof overviewActions)[number];

/** Parameters come from a page that another version may have left open. */
export const overviewPageParams = {
  tasks: z.object({ checkpointId: z.int().min(0) }),
  runCleanup: z.object({ mark: z.int() }),
  switchCleanup: z.object({ mark: z.int(), on: z.boolean() }),
  undo: z.object({ recordId: z.string().max(200) }),
  retry: z.object({ recordId: z.string().max(200) }),
  run: z.object({ action: z.enum(overviewActions), key: z.string().max(400).nullable() }),
  copy: z.object({ what: z.string().max(100), text: z.string().max(100_000) }),
} as const;

/** What a panel is about, as it is kept over a reload. */
export const aboutJobSchema = z.object({ job: z.object({ cluster: z.string(), jobId: z.string() }), jobName: z.string(), tab: z.enum(["overview", "cleanup"]) });

/** A job that is shown. */
export type AboutJob = z.infer<typeof aboutJobSchema>;

/** The preview of cleanup, and how it stands. */
export interface CleanupView {
  /** Names this preview: only what it showed may go. */
  readonly mark: number;
  readonly rules: CleanupRules | null;
  /** Where the rules are written, or null when there are none. */
  readonly source: string | null;
  /** Switched on in the file. */
  readonly isEnabled: boolean;
  /** Switched on here after a preview of these very rules. */
  readonly isAgreed: boolean;
  readonly atMs: number;
  readonly rows: readonly CleanupRow[];
  readonly pauseMs: number | null;
  readonly lastRun: string | null;
  readonly aside: readonly SavepointRecord[];
  readonly failed: readonly SavepointRecord[];
  readonly removed: readonly SavepointRecord[];
}

