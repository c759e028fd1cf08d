import { explainRefusal } from "../explain";
import { oneLine } from "../rowText";
import { placeKey } from "../model/location";
import { countText, savepointName, shortId, sizeText, spanText } from "../wording";
import { freedBytes, isVictim, type CleanupPlan, type Hit, type Spare } from "./plan";
import type { CleanupRules } from "./rules";

/** The rule that takes a savepoint, in a few words for a table: `older than 30 d`. */
export function hitText(hit: Hit): string {
  return hit.rule === "keep" ? `beyond the newest ${hit.keep}` : `older than ${spanText(hit.maxAgeMs)}`;
}

/** Why a savepoint stays, as a sentence or two. */
export function spareText(spare: Spare): string {
  switch (spare.spare) {
    case "within-rules": return "Within the rules.";
    case "not-scheduled": return spare.origin === "found" ? "Found in the job's history: its origin is not known, so rules leave it alone." : `${originWords[spare.origin]}: rules touch only what a schedule took.`;
    case "forgotten": return "Forgotten here, its files kept on purpose.";
    case "last-completed": return "The newest savepoint that the job can go back to.";
    case "restore-source": return `${oneLine(spare.by.name, 60)} (${shortId(spare.by.jobId)}) was restored from it and still runs.`;
    case "tag-needed": return `Belongs to ${spare.tags.map((tag) => oneLine(tag, 80)).join(", ")}, which somebody keeps.`;
    case "cluster-unchecked": return `Whether jobs on ${oneLine(spare.cluster, 60)} need it could not be checked (${spare.reason}).`;
    case "clock-differs": return explainRefusal({ rule: "clock-differs", aheadMs: spare.aheadMs });
    case "ledger-unread": return explainRefusal({ rule: "ledger-unread", file: spare.file });
    case "refused": return spare.refusals.map((refusal) => (refusal.rule === "pinned" ? "It is pinned." : explainRefusal(refusal))).join(" ");
    case "no-undo": return `The rules ask for a time to undo, and its folder can't be moved aside (${spare.reason}). With undo "0" it is deleted at once.`;
    case "changed": return "It changed since the preview.";
  }
}

const originWords = { manual: "Taken by hand", stop: "Taken by a stop", upgrade: "Taken for an upgrade", scheduled: "Taken by a schedule", found: "Found in the job's history" } as const;

/** The rules in words: `keeps the newest 10, at most 30 d old`. */
export function rulesText({ keep, maxAgeMs }: Pick<CleanupRules, "keep" | "maxAgeMs">): string {
  if (keep === null) return maxAgeMs === null ? "keeps all" : `keeps those of the last ${spanText(maxAgeMs)}`;
  return maxAgeMs === null ? `keeps the newest ${keep}` : `keeps the newest ${keep}, none older than ${spanText(maxAgeMs)}`;
}

/** At most so many savepoints are named in a sentence. */
const mostNamed = 10;

/**
 * What rules that act by themselves would take from a job that ran no more and is about to be restored, once it runs and its next scheduled savepoint is complete
 * (A-31); undefined when nothing. What it is restored from is not among it: a running job was started from it.
 */
export function purgeText(plan: CleanupPlan, source: string): string | undefined {
  const going = plan.rows.filter((row) => isVictim(row) && (row.record.path === null || placeKey(row.record.path) !== placeKey(source)));
  if (going.length === 0) return undefined;
  const names = going.slice(0, mostNamed).map(({ record }) => savepointName(record)).join(", ");
  const newestMs = Math.max(...plan.rows.filter(({ record }) => record.origin === "scheduled").map(({ record }) => record.requestedAtMs));
  const { maxAgeMs } = plan.rules;
  const pause = maxAgeMs !== null && plan.atMs - newestMs > maxAgeMs ? " Since it has paused for longer than they allow, they wait until you have looked at their preview." : "";
  return `Its cleanup rules (${rulesText(plan.rules)}) take ${countText(going.length, "savepoint")} of it once it runs and its next scheduled savepoint is complete: ${names}${going.length > mostNamed ? ` and ${going.length - mostNamed} more` : ""}. What it is restored from stays.${pause}`;
}

/** What a plan comes to: `3 savepoints go · 1.2 GB`. */
export function planText(plan: CleanupPlan): string {
  const going = plan.rows.filter(isVictim).length;
  return going === 0 ? "Nothing goes" : `${countText(going, "savepoint")} ${going === 1 ? "goes" : "go"} · ${sizeText(freedBytes(plan.rows))}`;
}
