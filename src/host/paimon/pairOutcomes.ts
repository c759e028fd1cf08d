import type { Disposable } from "../../core/base/disposable";
import { jobOf } from "../../core/ledger/record";
import { oneLine } from "../../core/rowText";
import { savepointName } from "../../core/wording";
import type { PairsSettled, PairWatch, TagsMissing } from "../../services/pairWatch";
import type { CommandWorld } from "../commands/world";
import type { Step } from "../platform/notify";

/** Says when a savepoint's tags will not come, and what can be done; that they came is seen on the row (P-5, P-6). */
export function tellPairs(world: CommandWorld, watch: PairWatch): Disposable {
  return watch.onDidSettle(({ record, missing, taggable }) => {
    if (missing.length === 0) return;
    const steps: Step[] = missing.some(({ why }) => why === "no-checkpoints") ? [{ title: "Trigger Checkpoint", command: "flinkSavepoints.triggerCheckpoint", args: [jobOf(record)] }] : [];
    if (taggable.length > 0) steps.push({ title: "Tag Now…", command: "flinkSavepoints.pinPair", args: [{ recordId: record.id }] });
    if (missing.some(({ why }) => why === "auto-tag-off")) steps.push({ title: "Copy Fix", command: "flinkSavepoints.copyAutoTag", args: [{ recordId: record.id }] });
    world.notify.refused(`${savepointName(record)} of ${oneLine(record.job.name, 80)}: ${missingText(missing)}`, [...steps, { title: "Show Pairs", command: "flinkSavepoints.showPairs", args: [{ recordId: record.id }] }]);
  });
}

/** One sentence for each cause, with its tables. */
export function missingText(missing: PairsSettled["missing"]): string {
  return missing.map(({ why, tables }) => sentences[why](tables.slice(0, 5).map((table) => oneLine(table, 80)).join(", "))).join(" ");
}

const sentences: Readonly<Record<TagsMissing, (tables: string) => string>> = {
  "job-ended": (tables) => `no tag comes in ${tables}, since the job ended before its next checkpoint. A restore from this savepoint commits what is open, and tags it.`,
  "no-checkpoints": (tables) => `no tag comes in ${tables} by itself, since the job takes no checkpoints.`,
  "drained": (tables) => `Paimon makes no tag in ${tables} for a drained job; a tag of your own keeps the last state.`,
  "auto-tag-off": (tables) => `no tag comes in ${tables}, since sink.savepoint.auto-tag is off. The state expires, after an hour by default, unless it is tagged by hand.`,
  "not-tagged": (tables) => `nothing tagged its state in ${tables}. It expires, after an hour by default, unless it is tagged by hand.`,
  "unproven": (tables) => `what belongs to it in ${tables} can't be proven.`,
};
