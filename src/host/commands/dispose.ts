import type { SavepointRef } from "../../core/contributions";
import type { TypingReason } from "../../core/guards";
import { isBeingCleanedUp, isUsable, jobOf, type SavepointRecord } from "../../core/ledger/record";
import { pairTitle } from "../../core/paimon/pairText";
import { pairedPlace } from "../../services/pairs";
import { joinText, oneLine } from "../../core/rowText";
import { ageText, savepointName, shortId, sizeText } from "../../core/wording";
import type { DisposalCheck } from "../../services/disposals";
import { cancelOnlyStopsWaiting, waitFor } from "./outcomes";
import { askSavepoint } from "./pick";
import { refuse } from "./refuse";
import { typeName, waitBefore } from "./steps";
import type { CommandWorld } from "./world";

/** *Dispose*: deletes a savepoint's files through Flink, after asking every job that could need them (C-31…C-34; safety rule 1). */
export async function dispose(world: CommandWorld, target?: SavepointRef): Promise<void> {
  const record = await askSavepoint(world, target, "Dispose", { placeholder: "Which savepoint is disposed of?", unfit: "can't be disposed of now", oldestFirst: true, can: (row) => row.record !== null && isUsable(row.record) && !row.pinned && row.claimedBy === null });
  if (record === undefined) return;
  const subject = `${savepointName(record)} of ${oneLine(record.job.name, 80)}`;
  const check = await waitBefore(`Dispose ${subject}`, "Checking who needs it", (run) => world.disposals.check(record.id, run));
  if (check === undefined) return;
  if (check.refusals.length > 0) return refuse(world, `${subject} can't be disposed of yet.`, check.refusals, { recordId: record.id });
  const tags = await pairedTags(world, record);
  if (!(await world.notify.confirm({ title: `Dispose savepoint ${subject}?`, detail: [detailOf(world, check), ...tags].join("\n\n"), button: "Dispose" }))) return;
  let typedJobName: string | null = null;
  if (check.typing !== null) {
    const typed = await typeName(`Dispose savepoint ${subject}`, record.job.name, whyTyped(check.typing, record.job.name));
    if (typed === undefined) return;
    typedJobName = typed;
  }
  const disposed = await waitFor(world, `Disposing ${subject} ${cancelOnlyStopsWaiting}`, (run) => world.disposals.dispose(record.id, { typedJobName, unreachable: check.unreachable }, run));
  if (disposed !== undefined) return;
  const after = await world.jobs.record(record.id);
  const disposal = after?.disposal ?? null;
  world.notify.done(disposal === null ? "Nothing was sent to Flink." : disposal.state === "disposed" ? `${subject} is disposed of.` : "Flink goes on disposing of it; its row shows how that ends.");
}

/** *Forget*: takes a savepoint off the list and touches no file. */
export async function forget(world: CommandWorld, target?: SavepointRef): Promise<void> {
  const record = await askSavepoint(world, target, "Forget", { placeholder: "Which savepoint is forgotten?", can: (row) => row.record !== null && row.state !== "requested" && row.state !== "running" && row.state !== "disposing" });
  if (record === undefined) return;
  if (isBeingCleanedUp(record)) return refuse(world, `${savepointName(record)} of ${oneLine(record.job.name, 80)} can't be forgotten: cleanup would delete its files all the same.`, [{ rule: "moved-aside" }], { job: jobOf(record) });
  const there = isUsable(record) && record.path !== null;
  const detail = there
    ? `It leaves the list. Its files${record.sizeBytes === null ? "" : `, ${sizeText(record.sizeBytes)},`} stay at ${record.path ?? ""}; to restore from it later, its path is needed.`
    : "It leaves the list. No file is touched.";
  if (await world.notify.confirm({ title: `Forget ${savepointName(record)} of ${oneLine(record.job.name, 80)}?`, detail, button: "Forget" })) await world.savepoints.forget(record.id);
}

/** Paimon and Flink know nothing of each other: the tags that pair with a savepoint stay behind, and keep their files. */
async function pairedTags(world: CommandWorld, record: SavepointRecord): Promise<string[]> {
  const place = pairedPlace(record);
  const found = place === undefined ? undefined : await world.pairs.pairsOf(place, 30_000, AbortSignal.timeout(10_000)).catch(() => undefined);
  if (found === undefined && world.pairs.isUsed) return ["Whether Paimon tags pair with it could not be looked up; those that do would stay."];
  const kept = (found?.pairs ?? []).filter(({ pairing }) => pairing.grade === "exact").map((pair) => `${pair.pairing.tags.map(({ name }) => oneLine(name, 60)).join(", ")} of ${pairTitle(pair)}`);
  if (kept.length === 0) return [];
  return [`It pairs with ${kept.length === 1 ? "the Paimon tag" : "the Paimon tags"} ${kept.join("; ")}. ${kept.length === 1 ? "That stays, keeps its files, and is" : "Those stay, keep their files, and are"} of no use for a restore any more; delete ${kept.length === 1 ? "it" : "them"} when nothing else needs ${kept.length === 1 ? "it" : "them"}.`];
}

/** What goes, what it was, who came from it, and what could not be asked. */
function detailOf(world: CommandWorld, check: DisposalCheck): string {
  const { record, restored, unreachable, unread } = check;
  const described = record.description === "" ? null : `“${oneLine(record.description, 200)}”`;
  const origin = { manual: "taken by hand", stop: "taken by a stop", scheduled: "taken by a schedule", upgrade: "taken for an upgrade", found: "found in the job's history" }[record.origin];
  const what = `${record.sizeBytes === null ? "The savepoint" : sizeText(record.sizeBytes)} at ${record.path ?? ""} ${record.sizeBytes === null ? "is" : "are"} deleted.`;
  const was = joinText(described, `${origin} ${ageText(record.requestedAtMs, world.clock.now())}`).replace(" · ", ", ");
  const from = restored.length === 0 ? "No job is known to have started from it." : `${restored.map((job) => `${oneLine(job.name, 60)} (${shortId(job.jobId)})`).join(", ")} started from it and no longer ${restored.length === 1 ? "needs" : "need"} it.`;
  const blind = unreachable.length === 0 ? null : `${unreachable.map((name) => oneLine(name, 60)).join(", ")} could not be asked whether a job there needs it.`;
  const unknown = unread.length === 0 ? null : `${unread.join(", ")} can't be read, and may say who needs it.`;
  return [`${what} ${capital(was)}.`, [from, blind, unknown].filter((part) => part !== null).join(" "), "This cannot be undone."].join("\n\n");
}

function whyTyped(reason: TypingReason, jobName: string): string {
  return reason === "restored-elsewhere" ? "A running job was started from it elsewhere, and may need it when it fails over." : `It is the only completed savepoint of ${oneLine(jobName, 80)}.`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
