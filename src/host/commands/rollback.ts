import * as vscode from "vscode";
import { cliLine, shellQuote } from "../../core/cli";
import type { SavepointRef } from "../../core/contributions";
import { isFlinkError, type Refusal } from "../../core/errors";
import { explain, explainRefusal } from "../../core/explain";
import { isUsable, jobOf, type RestoreRecord, type RollbackRecord, type SavepointRecord } from "../../core/ledger/record";
import { parseFlinkVersion } from "../../core/model/version";
import { movedOn, type RollbackPlan } from "../../core/paimon/rollback/plan";
import { progressText, standingLines } from "../../core/paimon/rollback/standing";
import { remarksOf, runbookText, targetText, victimLines, victimsText, type RunbookWay } from "../../core/paimon/rollback/rollbackText";
import { joinText, oneLine } from "../../core/rowText";
import { countText, savepointName, sizeText, spanText } from "../../core/wording";
import type { RestoreRequest } from "../../services/restores";
import { littleFreeBytes, type RollbackCheck } from "../../services/rollbacks";
import { waitFor } from "./outcomes";
import { askSavepoint, clusterName, pickCluster, savepointChoices } from "./pick";
import { askClaimMode, askProgram, programText } from "./programSteps";
import type { Step } from "../platform/notify";
import { recordOf, refuse, whyUnusable } from "./refuse";
import { askInSteps, typeName, waitBefore, type Steps } from "./steps";
import type { CommandWorld } from "./world";

/** Lines of victims that a dialog shows; the runbook has them all. */
const mostLines = 16;
/** Said of a rollback that is left while it goes on. */
const cancelKeepsRollback = "(Cancel leaves it where it is, to be continued)";

interface Chosen {
  readonly record: SavepointRecord;
  readonly check: RollbackCheck;
  readonly wantsRunbook?: true;
  /** Absent when it is refused, or when only the runbook is wanted. */
  readonly go?: { readonly safetyCopy: boolean; readonly restore: RestoreRequest | null; readonly what: string };
}

/**
 * *Roll Back and Restore*: takes all Paimon tables of a job back to what belongs to a savepoint, then starts the job from it (P-10…P-12, P-15).
 * Nothing is changed before the job's name is typed.
 */
export async function rollback(world: CommandWorld, target?: SavepointRef): Promise<void> {
  if (world.warehouses.list().length === 0) return world.notify.refused("A rollback needs a Paimon warehouse, and none is configured yet.", [{ title: "Add Warehouse…", command: "flinkSavepoints.addWarehouse" }]);
  const given = target === undefined ? undefined : await recordOf(world, target.recordId, "rolled back to");
  if (given !== undefined && !isUsable(given)) return refuse(world, `One can't go back to ${savepointName(given)} of ${oneLine(given.job.name, 80)}.`, [whyUnusable(given)], { job: jobOf(given) });
  const chosen = await askInSteps("Roll Back and Restore", null, (ask) => askRollback(ask, world, given));
  if (chosen === undefined) return;
  const { record, check, go } = chosen;
  const { plan } = check;
  const name = oneLine(record.job.name, 80);
  const point = savepointName(record);
  if (chosen.wantsRunbook === true) return openRunbookOf(world, record, check);
  if (check.refusals.length > 0) {
    const pairs: Step = { title: "Show Pairs", command: "flinkSavepoints.showPairs", args: [{ recordId: record.id }] };
    const runbook: readonly Step[] = plan.tables.length === 0 ? [] : [{ title: "Open Runbook", command: "flinkSavepoints.openRunbook", args: [{ recordId: record.id }] }];
    // The first is the one that Enter takes.
    const steps = check.refusals.some(({ rule }) => rule === "files-elsewhere") ? [...runbook, pairs] : [pairs, ...runbook];
    return sayWhatForbids(world, `The tables of ${name} can't be rolled back to ${point}.`, check.refusals, [...refusalSteps(check.refusals), ...steps]);
  }
  if (go === undefined) return;

  if (!(await confirmVictims(world, record, check, go))) return;
  if ((await typeName(`Roll back ${countText(plan.tables.length, "table")} of ${name}`, record.job.name, `${goesText(plan)}${go.safetyCopy ? "; a branch of each table keeps them" : " for good"}.`)) === undefined) return;
  const rollbacks = await world.rollbacks();
  await follow(world, name, (run) => rollbacks.begin(plan, { safetyCopy: go.safetyCopy, restore: go.restore, unchecked: check.unchecked.map(({ cluster }) => cluster) }, run));
}

/** *Continue Rollback*: goes on where it was. */
export async function continueRollback(world: CommandWorld, target?: { readonly rollbackId: string }): Promise<void> {
  const record = await askUnfinished(world, "unfinished", target, "Which rollback goes on?");
  if (record === undefined) return;
  const rollbacks = await world.rollbacks();
  const name = oneLine(record.jobName, 80);
  const doubts = await waitBefore(`Rollback of ${name}`, "Asking the SQL Gateway", (run) => rollbacks.doubts(record.id, run.signal));
  if (doubts === undefined) return;
  if (doubts.length > 0) {
    const detail = doubts.flatMap(({ refusal, table, difference }) => [explainRefusal(refusal), difference === null ? `${table} is at its tag now.` : `${table} now: ${difference}`, ""]);
    if (!(await world.notify.confirm({ title: `Go on with the rollback of ${name}?`, detail: [...detail, "Look at the gateway first. If it was restarted since, nothing of before runs there any more."].join("\n"), button: "Continue All the Same" }))) return;
  }
  await follow(world, name, (run) => rollbacks.continue(record.id, run, [], doubts.length > 0).catch(async (error: unknown) => {
    const [refusal, ...more] = isFlinkError(error, "refused") ? error.facts.refusals : [];
    if (refusal?.rule !== "clusters-silent" || more.length > 0) throw error;
    if (!(await world.notify.confirm({ title: `Go on with the rollback of ${name} all the same?`, detail: silentText(refusal.clusters), button: "Go On" }))) throw error;
    return rollbacks.continue(record.id, run, refusal.clusters, doubts.length > 0);
  }));
}

/** *Drop Rollback*: what is done stays done, and is said. */
export async function dropRollback(world: CommandWorld, target?: { readonly rollbackId: string }): Promise<void> {
  const record = await askUnfinished(world, "droppable", target, "Which rollback is given up?");
  if (record === undefined) return;
  const name = oneLine(record.jobName, 80);
  const touched = record.tables.some(({ state }) => state !== "planned");
  const detail = [...standingLines(record), "", touched ? `What is rolled back stays so. While only some tables are, a restore of ${name} from any savepoint loses rows or gets them twice.` : "Nothing was changed."].join("\n");
  if (!(await world.notify.confirm({ title: `Give up the rollback of ${name}?`, detail, button: "Give Up" }))) return;
  await (await world.rollbacks()).drop(record.id);
}

/** *Open Runbook*: the rollback to a savepoint as a page of commands, for those who may not click. */
export async function openRunbook(world: CommandWorld, target?: SavepointRef): Promise<void> {
  if (world.warehouses.list().length === 0) return world.notify.refused("A runbook needs a Paimon warehouse, and none is configured yet.", [{ title: "Add Warehouse…", command: "flinkSavepoints.addWarehouse" }]);
  const record = await askSavepoint(world, target, "Open Runbook", { placeholder: "Back to which savepoint?", can: (row) => row.record !== null && isUsable(row.record) });
  if (record === undefined) return;
  const check = await waitBefore(`Runbook of ${savepointName(record)}`, "Reading the tables", (run) => checkOf(world, record, run.signal));
  if (check === undefined) return;
  if (check.plan.tables.length === 0) return refuse(world, `There is no runbook for ${savepointName(record)}.`, check.refusals, {}, refusalSteps(check.refusals));
  await openRunbookOf(world, record, check);
}

/** Tells of rollbacks that an earlier window left, once. */
export async function tellUnfinished(world: CommandWorld): Promise<void> {
  for (const record of await (await world.rollbacks()).unfinished()) {
    if (record.state === "planned") continue;
    const args: [{ rollbackId: string }] = [{ rollbackId: record.id }];
    world.notify.refused(`The rollback of ${oneLine(record.jobName, 80)} is not finished: ${progressText(record)}.`, [{ title: "Continue Rollback", command: "flinkSavepoints.continueRollback", args }, { title: "Give Up…", command: "flinkSavepoints.dropRollback", args }]);
  }
}

async function askRollback(ask: Steps, world: CommandWorld, given: SavepointRecord | undefined): Promise<Chosen | undefined> {
  const record = given ?? (await askRecord(ask, world));
  if (record === undefined) return undefined;
  const name = oneLine(record.job.name, 80);
  ask.title = `Go back to ${savepointName(record)} of ${name}`;
  const check = await ask.wait("Reading the savepoint and the tables", (signal) => checkOf(world, record, signal));
  const { plan } = check;
  if (plan.tables.length === 0) return { record, check };
  const now = world.clock.now();
  const moved = movedOn(plan);
  const next = await ask.choose<"go" | "refused" | "runbook">({
    placeholder: check.refusals.length > 0 ? "It can't be done as things are; see why." : moved.length === 0 ? "No table has moved on since: a restore needs no rollback." : `${countText(plan.tables.length, "table")} of ${name}; each goes back to what the savepoint saw.`,
    choices: [
      check.refusals.length > 0
        ? { label: "$(circle-slash) Say what forbids it", description: countText(check.refusals.length, "reason"), value: "refused" }
        : { label: `$(arrow-right) ${moved.length === 0 ? "Go on all the same" : "Go on"}`, description: moved.length === 0 ? "each table is at its tag" : `${countText(moved.length, "table")} moved on since`, value: "go" },
      { label: "$(list-ordered) Open a runbook instead", description: "the same as commands", value: "runbook" },
      ...plan.tables.map((table) => ({
        label: `$(${table.snapshots.length === 0 ? "check" : "discard"}) ${oneLine(table.table.name, 80)}`, description: oneLine(targetText(table, now), 120), group: "tables",
        detail: oneLine(joinText(victimsText(table) ?? "nothing is deleted", table.consumers.length > 0 && "readers must be reset", table.isBrokenOff && "a rollback broke off earlier"), 300), value: check.refusals.length > 0 ? "refused" as const : "go" as const,
      })),
      ...check.refusals.map((refusal) => ({ label: `$(error) ${oneLine(explainRefusal(refusal), 160)}`, group: "in the way", value: "refused" as const })),
    ],
  });
  if (next === "runbook") return { record, check, wantsRunbook: true };
  if (next === "refused") return { record, check };
  const safetyCopy = await ask.choose({
    placeholder: "Keep the tables as they are now?",
    choices: [
      { label: "$(git-branch) Keep each in a branch", description: "recommended", detail: "What is discarded can still be read there, until the branch is deleted.", value: true },
      { label: "$(trash) Keep nothing", description: `${goesText(plan)} for good`, value: false },
    ],
  });
  const starts = await ask.choose({
    placeholder: `And then start ${name} from ${savepointName(record)}?`,
    choices: [
      { label: "$(debug-restart) Start it from a jar", description: "after every table is at its tag", value: true },
      { label: "$(circle-slash) Only roll back", description: "a SQL job, or one that is started elsewhere", detail: "You start it from the savepoint yourself, before anything else writes to the tables.", value: false },
    ],
  });
  if (!starts) return { record, check, go: { safetyCopy, restore: null, what: "The job is not started: do that from the savepoint, before anything else writes." } };
  const cluster = await pickCluster(ask, world, "On which cluster?", record.cluster.url);
  if (cluster === undefined) return undefined;
  const ready = await ask.wait("Looking at the cluster", (signal) => world.restores.readiness(cluster, record.path, signal));
  if (ready.refusals.length > 0) return { record, check: { ...check, refusals: ready.refusals } };
  const program = await askProgram(ask, world, cluster, record.job.name);
  const claimMode = await askClaimMode(ask, ready.info);
  const restore: RestoreRequest = { cluster, jobName: record.job.name, savepoint: { path: record.path ?? "", recordId: record.id, checkpointId: record.checkpointId }, ...program, claimMode, allowNonRestoredState: false };
  return { record, check, go: { safetyCopy, restore, what: `Then ${name} is started from ${savepointName(record)} on ${clusterName(world, cluster)} (${programText(program)}).` } };
}

async function askRecord(ask: Steps, world: CommandWorld): Promise<SavepointRecord | undefined> {
  const records = await ask.wait("Reading the ledger", () => world.ledger.all());
  const choices = savepointChoices(world, records, { placeholder: "", unfit: "one can't go back to it", can: (row) => row.record !== null && isUsable(row.record) });
  if (choices.length > 0) return ask.choose({ placeholder: "Back to which savepoint?", choices });
  world.notify.refused("No savepoint is known to go back to.", [{ title: "Trigger Savepoint…", command: "flinkSavepoints.trigger" }]);
  return undefined;
}

async function checkOf(world: CommandWorld, record: SavepointRecord, signal: AbortSignal): Promise<RollbackCheck> {
  return (await world.rollbacks()).check({ path: record.path ?? "", recordId: record.id, jobName: record.job.name }, { signal, report: () => undefined });
}

/** The preview: what goes, by name, and what else to know. */
async function confirmVictims(world: CommandWorld, record: SavepointRecord, check: RollbackCheck, { what, safetyCopy }: NonNullable<Chosen["go"]>): Promise<boolean> {
  const { plan } = check;
  const name = oneLine(record.job.name, 80);
  const lines = victimLines(plan);
  const detail = [
    ...(lines.length === 0 ? ["Nothing is deleted."] : [safetyCopy ? "Deleted, and kept in a branch of each table:" : "Deleted for good:", ...lines.slice(0, mostLines).map((line) => `• ${oneLine(line, 160)}`), ...(lines.length > mostLines ? [`• and ${lines.length - mostLines} more, all in the runbook`] : [])]),
    "",
    ...remarksOf(...plan.tables).map((remark) => oneLine(remark, 2_000)),
    ...(check.unchecked.length === 0 ? [] : [silentText(check.unchecked.map(({ cluster }) => cluster))]),
    ...(check.freeBytes !== null && check.freeBytes < littleFreeBytes ? [`Only ${sizeText(check.freeBytes)} are free where the tables lie.`] : []),
    what,
  ].join("\n");
  const answer = await world.notify.choose({ title: `Roll back ${countText(plan.tables.length, "table")} of ${name} to ${savepointName(record)}?`, detail, buttons: ["Roll Back…", "Open Runbook"] });
  if (answer === "Open Runbook") await openRunbookOf(world, record, check);
  return answer === "Roll Back…";
}

function silentText(clusters: readonly string[]): string {
  return `Whether jobs on ${clusters.map((cluster) => oneLine(cluster, 60)).join(", ")} write to these tables is not known: no answer. The tables are watched for ${spanText(3_000)} before the first is touched.`;
}

/** `5 snapshots and 2 tags go`. */
function goesText(plan: RollbackPlan): string {
  const count = (of: "snapshots" | "tags", noun: string): string[] => {
    const sum = plan.tables.reduce((total, table) => total + table[of].length, 0);
    return sum === 0 ? [] : [countText(sum, noun)];
  };
  const parts = [...count("snapshots", "snapshot"), ...count("tags", "tag")];
  return parts.length === 0 ? "Nothing goes" : `${parts.join(" and ")} go`;
}

/** Each reason on a line of its own. In a question, since a notification would stay when it is no longer true. */
async function sayWhatForbids(world: CommandWorld, title: string, refusals: readonly Refusal[], steps: readonly Step[]): Promise<void> {
  const [first, ...more] = steps.slice(0, 3).map((step) => step.title) as [string, ...string[]];
  const detail = refusals.map(explainRefusal).join("\n\n");
  const answer = await world.notify.choose({ title, detail, buttons: [first, ...more], close: "Close" });
  const step = steps.find((each) => each.title === answer);
  if (step !== undefined) await vscode.commands.executeCommand(step.command, ...(step.args ?? []));
}

/** Shows how it goes, and tells its end with the next verbs. */
async function follow(world: CommandWorld, name: string, work: (run: Parameters<Parameters<typeof waitFor>[2]>[0]) => Promise<RollbackRecord>): Promise<void> {
  const sinceMs = world.clock.now();
  let failed: unknown;
  const record = await waitFor(world, `Rollback of ${name} ${cancelKeepsRollback}`, (run) => work(run).catch((error: unknown) => {
    if (!isFlinkError(error)) throw error;
    failed = error;
    return undefined;
  }));
  if (record !== undefined) {
    const jobId = record.restoreId;
    if (record.state === "done" && jobId !== null) {
      const restore = (await world.ledger.get(jobId)) as RestoreRecord | undefined;
      return world.notify.done(`${name} runs from ${savepointName(record.savepoint)}, its ${countText(record.tables.length, "table")} rolled back, and has completed a checkpoint.`, restore === undefined ? [] : [{ title: "Open in Web UI", command: "flinkSavepoints.openWebUi", args: [{ cluster: restore.cluster.url, jobId }] }]);
    }
    return world.notify.done(`${name}: ${progressText(record)} to ${savepointName(record.savepoint)}. Start it from there before anything else writes to them.`, record.savepoint.recordId === null ? [] : [{ title: "Restore…", command: "flinkSavepoints.restore", args: [{ recordId: record.savepoint.recordId }] }]);
  }
  const left = (await (await world.rollbacks()).unfinished()).find((each) => each.requestedAtMs >= sinceMs - 1 || oneLine(each.jobName, 80) === name);
  const why = isFlinkError(failed) ? explain(failed).message : "The rollback was left.";
  if (left === undefined) return world.notify.refused(why);
  const args = [{ rollbackId: left.id }] as [{ rollbackId: string }];
  world.notify.refused(`${why} ${progressText(left)}.`, [{ title: "Continue Rollback", command: "flinkSavepoints.continueRollback", args }, { title: "Give Up…", command: "flinkSavepoints.dropRollback", args }]);
}

async function askUnfinished(world: CommandWorld, which: "unfinished" | "droppable", target: { readonly rollbackId: string } | undefined, placeholder: string): Promise<RollbackRecord | undefined> {
  const open = await (await world.rollbacks())[which]();
  const meant = target === undefined ? undefined : open.find(({ id }) => id === target.rollbackId);
  if (meant !== undefined) return meant;
  if (open.length === 0) {
    world.notify.refused(which === "unfinished" ? "No rollback waits to be continued." : "No rollback waits to be given up.");
    return undefined;
  }
  return askInSteps(placeholder, 1, (ask) => ask.choose({ placeholder, choices: open.map((record) => ({ label: `$(history) ${oneLine(record.jobName, 80)} to ${savepointName(record.savepoint)}`, description: progressText(record), detail: oneLine(standingLines(record).join("; "), 300), value: record })) }));
}

async function openRunbookOf(world: CommandWorld, record: SavepointRecord, check: RollbackCheck): Promise<void> {
  const content = runbookText(check.plan, check.refusals, await restoreLineOf(world, record), await wayOf(world, check.plan), world.clock.now());
  await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ language: "markdown", content }), { preview: false });
}

/** As statements where the first warehouse has a gateway that answers, else as commands. */
async function wayOf(world: CommandWorld, plan: RollbackPlan): Promise<RunbookWay> {
  const [first] = plan.tables;
  const gateway = first === undefined ? undefined : (await world.paimonTables()).gateway(first.warehouse);
  const sql = gateway === undefined ? undefined : await gateway.version(AbortSignal.timeout(5_000)).catch(() => undefined);
  return { sql, profile: (warehouse) => world.warehouses.profile(warehouse) };
}

async function restoreLineOf(world: CommandWorld, record: SavepointRecord): Promise<string> {
  const reach = world.clusters.get(record.cluster.url)?.reach;
  const version = reach?.state === "online" ? reach.info.version : parseFlinkVersion(record.flinkVersion);
  const last = (await world.ledger.all()).filter((each): each is RestoreRecord => each.kind === "restore" && each.jobName === record.job.name).sort((a, b) => b.requestedAtMs - a.requestedAtMs)[0];
  return version === undefined ? `flink run -s ${shellQuote(record.path ?? "")} job.jar` : cliLine({ url: record.cluster.url, version }, { verb: "restore", jar: last?.jar.file ?? last?.jar.name ?? "job.jar", savepointPath: record.path ?? "", claimMode: "NO_CLAIM" });
}

function refusalSteps(refusals: readonly Refusal[]): readonly Step[] {
  const unknown = refusals.find((refusal) => refusal.rule === "table-unknown");
  if (unknown !== undefined && unknown.away.length > 0) return [{ title: "Edit Warehouses", command: "flinkSavepoints.editWarehouses" }];
  if (unknown !== undefined) return [{ title: "Add Warehouse…", command: "flinkSavepoints.addWarehouse" }];
  if (refusals.some(({ rule }) => rule === "table-twice")) return [{ title: "Edit Warehouses", command: "flinkSavepoints.editWarehouses" }];
  const writer = refusals.find((refusal) => refusal.rule === "writer-running");
  return writer === undefined ? [] : [{ title: "Stop with Savepoint…", command: "flinkSavepoints.stop" }];
}
