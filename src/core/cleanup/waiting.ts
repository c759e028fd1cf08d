import type { CleanupRecord } from "../ledger/record";
import { clockText } from "../explain";
import { oneLine } from "../rowText";
import { countText, spanText, timeText } from "../wording";
import { spareText } from "./cleanupText";
import { isVictim, type CleanupPlan, type Spare } from "./plan";

/** Savepoints that rules would take and that wait, all for the same: what for, since when, how many, and why in a sentence or two. */
export type CleanupWaiting = NonNullable<NonNullable<NonNullable<CleanupRecord["lastRun"]>["waiting"]>>;

/** Why savepoints stay that rules which act by themselves would take, and that nothing of their own spares; undefined when none does. */
export function waitingIn(plan: CleanupPlan, held: "not-agreed" | "pause" | null): Omit<CleanupWaiting, "sinceMs"> | undefined {
  if (held !== null) {
    const count = plan.rows.filter(isVictim).length;
    const why = held === "pause" ? `No scheduled savepoint was taken for ${spanText(plan.pauseMs ?? 0)}, longer than the age rule allows.` : "Nobody here has seen what its rules do.";
    return count === 0 ? undefined : { for: held, count, why };
  }
  const waiting = plan.rows.filter(({ hits, spares }) => hits.length > 0 && spares.length > 0 && spares.every(isCommon));
  // What is common is so for each of them.
  const spare = waiting[0]?.spares.find(isCommon);
  return spare === undefined ? undefined : { for: spare.spare === "clock-differs" && spare.aheadMs === null ? "clock-unknown" : spare.spare, count: waiting.length, why: whyText(spare) };
}

/** A reason that keeps everything where it is, whatever a savepoint is. */
type Common = Extract<Spare, { readonly spare: "clock-differs" | "ledger-unread" | "cluster-unchecked" }>;

function isCommon(spare: Spare): spare is Common {
  return spare.spare === "clock-differs" || spare.spare === "ledger-unread" || spare.spare === "cluster-unchecked";
}

function whyText(spare: Common): string {
  switch (spare.spare) {
    case "cluster-unchecked": return `Whether jobs on ${oneLine(spare.cluster, 60)} need them could not be checked (${spare.reason}).`;
    case "clock-differs": return spare.aheadMs === null ? spareText(spare) : `${clockText(spare.aheadMs)}, so nobody knows how old they are.`;
    case "ledger-unread": return `The ledger's file ${oneLine(spare.file, 120)} can't be read, and may say that a job needs them.`;
  }
}

/** What shows the savepoints, and how a sentence ends that says what lets them go then: of rules that nobody agreed to here, and after a pause. */
interface CleanupWords {
  readonly preview: string;
  readonly notAgreed: string;
  readonly pause: string;
}

const ofEditor = { notAgreed: ", and let the rules act there", pause: "; after that they can go" };
const ofProgram: CleanupWords = { preview: "cleanup preview", notAgreed: ", then cleanup agree", pause: ", then cleanup run --seen MARK" };

/** What lets them go, as a sentence. */
function remedyText({ for: reason }: Pick<CleanupWaiting, "for">, { preview, notAgreed, pause }: CleanupWords): string {
  switch (reason) {
    case "not-agreed": return `Look at them with ${preview}${notAgreed}.`;
    case "pause": return `Look at them with ${preview}${pause}.`;
    case "clock-differs": return `They go after the next scheduled savepoint once both clocks agree; ${preview} shows which.`;
    case "clock-unknown": return `They go after the next scheduled savepoint of a job there; ${preview} shows which.`;
    case "cluster-unchecked": return `They go after the next scheduled savepoint once that cluster answers; ${preview} shows which.`;
    case "ledger-unread": return `They go once that file is mended, or taken out of the ledger's folder; ${preview} shows which.`;
  }
}

/** All of it, for a tooltip, a message or a line of a log. `preview`: what the editor's is called there; `program`: it is the program that tells. */
export function waitingText(waiting: CleanupWaiting, where: { readonly preview: string } | "program"): string {
  const words = where === "program" ? ofProgram : { ...ofEditor, ...where };
  return `${countText(waiting.count, "savepoint")} that cleanup would take ${waiting.count === 1 ? "has" : "have"} been waiting since ${timeText(waiting.sinceMs)}. ${waiting.why} ${remedyText(waiting, words)}`;
}
