import { isOpen, type RestoreRecord } from "../../core/ledger/record";
import { systemClock } from "../../core/base/async";
import { isFlinkError, type FlinkError } from "../../core/errors";
import { joinText, oneLine } from "../../core/rowText";
import { ageText, countText } from "../../core/wording";
import { cancelKeepsPlan, orError, runningText, tellEnd, tellRestore, waitFor } from "./outcomes";
import { askArguments } from "./programSteps";
import { askInSteps } from "./steps";
import type { CommandWorld } from "./world";

/** How long a start that was dropped while its jar was uploaded takes to say so. */
const dropTakesMs = 1_500;

/** *Continue Restore*: goes on with a stop-then-restore at the step where it was (A-27). */
export async function continueRestore(world: CommandWorld, target?: { readonly restoreId: string }): Promise<void> {
  const plan = await askPlan(world, target, "Which restore goes on?");
  if (plan === undefined) return;
  const sinceMs = plan.requestedAtMs;
  const go = (programArgs?: readonly string[]): Promise<RestoreRecord | FlinkError<"plan-arguments-lost"> | undefined> =>
    waitFor(world, `Restart of ${oneLine(plan.jobName, 80)} ${cancelKeepsPlan}`, (run) => orError(world.restores.continue(plan.id, run, programArgs), "plan-arguments-lost"));
  let started = await go();
  if (isFlinkError(started)) {
    const programArgs = await askInSteps(`Continue the restore of ${oneLine(plan.jobName, 80)}`, 1, (ask) => askArguments(ask, `Its ${countText(plan.argumentCount, "argument")} may be secret and ${plan.argumentCount === 1 ? "was" : "were"} not kept. Give them again, quoted as in a shell.`));
    if (programArgs === undefined) return;
    started = await go(programArgs);
  }
  if (isFlinkError(started)) throw started;
  if (started === undefined) return leaveStart(world, plan.cluster.url, sinceMs, plan.id);
  world.notify.done(runningText(started), [{ title: "Open in Web UI", command: "flinkSavepoints.openWebUi", args: [{ cluster: started.cluster.url, jobId: started.id }] }]);
}

/** *Drop Planned Restore*: the savepoint that its stop wrote stays. */
export async function dropRestore(world: CommandWorld, target?: { readonly restoreId: string }): Promise<void> {
  const plan = await askPlan(world, target, "Which planned restore is dropped?");
  if (plan === undefined) return;
  const name = oneLine(plan.jobName, 80);
  const sure = await world.notify.confirm({ title: `Drop the planned restore of ${name}?`, detail: "The job is not started again by this plan. The savepoint that its stop writes stays in the list, and a restore can begin from it any time.", button: "Drop Plan" });
  if (sure) await world.restores.drop(plan.id);
}

/** Says what goes on after a person stopped waiting for a start, and tells its end when it comes. */
export async function leaveStart(world: CommandWorld, cluster: string, sinceMs: number, restoreId?: string): Promise<void> {
  const read = async (): Promise<RestoreRecord | undefined> => {
    const mine = (await world.ledger.all()).filter((record): record is RestoreRecord => record.kind === "restore" && record.cluster.url === cluster && (restoreId === undefined ? record.requestedAtMs >= sinceMs : record.id === restoreId));
    return mine.sort((a, b) => b.requestedAtMs - a.requestedAtMs)[0];
  };
  const until = world.clock.now() + dropTakesMs;
  let record = await read();
  while (record?.state === "requested" && world.clock.now() < until) {
    await systemClock.sleep(100);
    record = await read();
  }
  if (record?.state === "dropped" && record.afterStop !== null) {
    return world.notify.refused(`${oneLine(record.jobName, 80)} is stopped and was not started again. The savepoint of the stop is in the list.`, [{ title: "Restore…", command: "flinkSavepoints.restore", args: [{ recordId: record.afterStop }] }]);
  }
  if (record === undefined || record.state === "dropped") return world.notify.done("Nothing was started.");
  const open = record;
  if (open.state === "planned") {
    const stop = open.afterStop === null ? undefined : await world.jobs.record(open.afterStop);
    const stopping = stop !== undefined && isOpen(stop);
    world.notify.refused(`${stopping ? `Flink goes on stopping ${oneLine(open.jobName, 80)}; its` : `The`} restore waits until it is continued.`, [{ title: "Continue Restore", command: "flinkSavepoints.continueRestore", args: [{ restoreId: open.id }] }]);
    if (!stopping) return;
    const listening = world.savepoints.onDidSettle((ended) => {
      if (ended.id !== stop.id) return;
      listening.dispose();
      tellEnd(world, ended);
    });
    return;
  }
  if (open.state !== "requested" && open.state !== "submitted") return tellRestore(world, open);
  world.notify.done("Flink has the program; the job will appear in the list.");
  const listening = world.restores.starts.onDidSettle((settled) => {
    if (settled.id !== open.id) return;
    listening.dispose();
    tellRestore(world, settled);
  });
}

async function askPlan(world: CommandWorld, target: { readonly restoreId: string } | undefined, placeholder: string): Promise<RestoreRecord | undefined> {
  const plans = await world.restores.planned();
  const now = world.clock.now();
  if (target !== undefined) {
    const plan = plans.find((record) => record.id === target.restoreId);
    if (plan === undefined) world.notify.refused("This restore has begun or was dropped; the list shows which.");
    return plan;
  }
  if (plans.length === 0) {
    world.notify.refused("No restore waits to be continued.");
    return undefined;
  }
  return askInSteps("Planned Restores", 1, (ask) => ask.choose({
    placeholder, choices: plans.map((plan) => ({ label: oneLine(plan.jobName, 80), description: joinText(oneLine(plan.cluster.name, 60), `planned ${ageText(plan.requestedAtMs, now)}`, plan.jar.name), value: plan })),
  }));
}
