import { isAbort } from "../../core/base/async";
import { DisposableStore, type Disposable } from "../../core/base/disposable";
import { FlinkError, isFlinkError, type ErrorCode } from "../../core/errors";
import { explain } from "../../core/explain";
import { isOpen, type RestoreRecord, type SavepointRecord } from "../../core/ledger/record";
import type { JobRef } from "../../core/model/job";
import type { Run } from "../../core/ports";
import { joinText, oneLine } from "../../core/rowText";
import { durationText, savepointName, sizeText } from "../../core/wording";
import { outcomeError, uncleanStop } from "../../services/savepoints";
import type { Step } from "../platform/notify";
import type { CommandWorld } from "./world";

/** Said behind a title whose *Cancel* ends our waiting and nothing else. */
export const cancelOnlyStopsWaiting = "(Cancel only ends the waiting)";
/** Of a start: once Flink has the program, only the waiting ends. */
export const cancelDropsStart = "(Cancel drops it until Flink has the program)";
/** Of a stop and a start in one. */
export const cancelKeepsPlan = "(Cancel leaves it where it is, to be continued)";

/**
 * Runs work that Flink goes on with by itself under a notification. Resolves to undefined when the person stopped waiting, and only once the
 * work has let go, so that what it wrote down by then is final.
 */
export async function waitFor<T>(world: CommandWorld, title: string, work: (run: Run) => Promise<T>): Promise<T | undefined> {
  let letGo: Promise<unknown> = Promise.resolve();
  try {
    return await world.progress.inNotification(title, (run) => {
      const outcome = work(run);
      letGo = outcome.then(() => undefined, () => undefined);
      return outcome;
    });
  } catch (error) {
    if (!isAbort(error)) throw error;
    await letGo;
    return undefined;
  }
}

/** The result, or the error when it is one that the verb goes on from; every other error is thrown. */
export async function orError<T, C extends ErrorCode>(work: Promise<T>, ...codes: readonly C[]): Promise<T | { [K in C]: FlinkError<K> }[C]> {
  try {
    return await work;
  } catch (error) {
    if (isFlinkError(error, ...codes)) return error;
    throw error;
  }
}

/**
 * After a person stopped waiting for a savepoint or a stop: says what goes on, and tells its end when it comes. One that has ended is told at
 * once, with the verbs that its end calls for.
 */
export async function leaveToFlink(world: CommandWorld, job: JobRef, sinceMs: number): Promise<void> {
  const mine = (await world.ledger.all()).find((record): record is SavepointRecord => record.kind === "savepoint" && record.cluster.url === job.cluster && record.job.id === job.jobId && record.origin !== "found" && record.requestedAtMs >= sinceMs);
  if (mine === undefined) return world.notify.done("Nothing was sent to Flink.");
  if (!isOpen(mine)) return tellSavepoint(world, mine);
  world.notify.done(mine.stop === null ? "Flink finishes the savepoint; it will appear in the list." : `Flink goes on stopping ${oneLine(mine.job.name, 80)} with a savepoint; its row shows how it ends.`, [{ title: "Show Operations", command: "flinkSavepoints.showOperations" }]);
  const listening = world.savepoints.onDidSettle((record) => {
    if (record.id !== mine.id) return;
    listening.dispose();
    tellEnd(world, record);
  });
}

/** One toast for a savepoint or stop that ended while nobody waited; a restore that waits for that stop is what it offers next. */
export function tellEnd(world: CommandWorld, record: SavepointRecord): void {
  const tell = async (): Promise<void> => {
    const plan = (await world.restores.planned()).find((planned) => planned.afterStop === record.id);
    if (plan === undefined || record.state !== "completed") return tellSavepoint(world, record);
    const target = { restoreId: plan.id };
    world.notify.refused(`${completedText(record)}. Its restore waits to be continued.`, [{ title: "Continue Restore", command: "flinkSavepoints.continueRestore", args: [target] }, { title: "Drop Plan", command: "flinkSavepoints.dropRestore", args: [target] }]);
  };
  tell().catch((error: unknown) => world.log.warn("telling how an operation ended", error));
}

/** Tells of savepoints, stops and starts that were begun before this window opened and end while it is open. */
export function tellEndsOfEarlier(world: CommandWorld): Disposable {
  const store = new DisposableStore();
  const openedMs = world.clock.now();
  store.add(world.savepoints.onDidSettle((record) => {
    // Nobody waits for a scheduled one: its row says how it went, and the scheduler when it was given up.
    if (record.requestedAtMs < openedMs && record.origin !== "scheduled") tellEnd(world, record);
  }));
  store.add(world.restores.starts.onDidSettle((record) => {
    if (record.requestedAtMs < openedMs) tellRestore(world, record);
  }));
  return store;
}

/** One toast for a savepoint or stop that has ended, whichever way. */
function tellSavepoint(world: CommandWorld, record: SavepointRecord): void {
  const name = oneLine(record.job.name, 80);
  const shown = { ...record, job: { ...record.job, name } };
  const unclean = uncleanStop(shown);
  if (unclean !== undefined) return world.notify.refused(explain(unclean).message, nextVerbs(record.id));
  if (record.state === "completed") return world.notify.done(completedText(record), nextVerbs(record.id));
  const explanation = explain(outcomeError(shown));
  if (record.state === "unknown") return world.notify.refused(explanation.message, [{ title: "Adopt…", command: "flinkSavepoints.adopt", args: [{ recordId: record.id }] }]);
  world.notify.failure(explanation);
}

/** One toast for a start that has ended. */
export function tellRestore(world: CommandWorld, record: RestoreRecord): void {
  const name = oneLine(record.jobName, 80);
  switch (record.state) {
    case "running": case "safe":
      return world.notify.done(runningText(record), [{ title: "Open in Web UI", command: "flinkSavepoints.openWebUi", args: [{ cluster: record.cluster.url, jobId: record.id }] }]);
    case "failed":
      return world.notify.failure(explain(new FlinkError("restore-failed", { savepoint: record.savepoint?.path ?? null, ...(record.failure ?? { message: "Flink gives no reason", exception: "" }) })));
    case "unknown":
      return world.notify.refused(explain(new FlinkError("outcome-unknown", { what: "start", jobName: name, lookIn: null })).message);
    default:
      return undefined;
  }
}

/** `Savepoint #1043 of orders · 4.2 GB · 1:18`, or the same of a stop. */
export function completedText(record: SavepointRecord): string {
  const what = `Savepoint ${savepointName(record)} of ${oneLine(record.job.name, 80)}`;
  const numbers = [record.sizeBytes === null ? null : sizeText(record.sizeBytes), record.durationMs === null ? null : durationText(record.durationMs)];
  if (record.stop === null) return joinText(what, ...numbers);
  return joinText(record.stop.job === "stopped" ? `${oneLine(record.job.name, 80)} is stopped` : what, record.stop.job === "stopped" ? `savepoint ${savepointName(record)}` : null, ...numbers);
}

/** `orders runs from #1042`. */
export function runningText(record: RestoreRecord): string {
  const name = oneLine(record.jobName, 80);
  return record.savepoint === null ? `${name} runs, started without state` : `${name} runs, restored from ${savepointName(record.savepoint)}`;
}

/** The two next verbs of a completed savepoint. */
export function nextVerbs(recordId: string): readonly Step[] {
  return [{ title: "Copy Path", command: "flinkSavepoints.copyPath", args: [{ recordId }] }, { title: "Restore…", command: "flinkSavepoints.restore", args: [{ recordId }] }];
}
