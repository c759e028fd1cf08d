import { cliLine } from "../../core/cli";
import type { ClusterRef } from "../../core/contributions";
import { explainWarning } from "../../core/explain";
import type { LedgerRecord, RestoreRecord, SavepointRecord } from "../../core/ledger/record";
import { oneLine } from "../../core/rowText";
import { claimedPlaces, newestUsable } from "../../core/ledger/queries";
import { ageText, countText, savepointName } from "../../core/wording";
import type { RestoreRequest } from "../../services/restores";
import { copyText } from "./copy";
import { cancelDropsStart, runningText, waitFor } from "./outcomes";
import { clusterName, pickCluster } from "./pick";
import { askProgram, programText, type Program } from "./programSteps";
import { refuse } from "./refuse";
import { restore } from "./restore";
import { leaveStart } from "./restorePlans";
import { askInSteps, typeName } from "./steps";
import type { CommandWorld } from "./world";

const restoreInstead = "Restore…";
const startEmpty = "Start without State";

/** *Start Job without State*: its own verb, never a fallback of a restore. Where savepoints of that job are known, its name must be typed. */
export async function startWithoutState(world: CommandWorld, target?: ClusterRef): Promise<void> {
  const plan = await askInSteps("Start Job without State", 5, async (ask) => {
    const cluster = target?.cluster ?? (await pickCluster(ask, world, "On which cluster?"));
    if (cluster === undefined) return undefined;
    const name = clusterName(world, cluster);
    ask.title = `Start a job without state on ${name}`;
    const ready = await ask.wait("Looking at the cluster", async (signal) => {
      const found = await world.restores.readiness(cluster, null, signal);
      await world.clusters.refresh(cluster, signal);
      return found;
    });
    if (ready.refusals.length > 0) return { cluster, name, ready, program: undefined };
    ask.expect(4);
    const program = await askProgram(ask, world, cluster, null);
    ask.expect(1);
    const line = cliLine({ url: cluster, version: ready.info.version }, {
      verb: "restore", jar: "file" in program.jar ? program.jar.file : program.jar.name, programArgs: program.programArgs,
      ...(program.entryClass === undefined ? {} : { entryClass: program.entryClass }), ...(program.parallelism === undefined ? {} : { parallelism: program.parallelism }),
    });
    await ask.choose({
      placeholder: "All is set. Nothing is restored.",
      choices: [{ label: "$(play) Start without state", description: name, detail: programText(program), value: true }],
      tool: { icon: "terminal", tooltip: "Copy as CLI Command", press: () => copyText("command", line) },
    });
    return { cluster, name, ready, program };
  });
  if (plan === undefined) return;
  const { cluster, program, ready } = plan;
  if (program === undefined) return refuse(world, `No job can be started on ${plan.name}.`, ready.refusals);

  const records = await world.ledger.all();
  const jobName = jobNameOfJar(records, cluster, program);
  if (!(await confirmEmpty(world, cluster, program, jobName, records))) return;
  const request: RestoreRequest = { cluster, jobName: jobName ?? program.jar.name, savepoint: null, ...program, claimMode: "NO_CLAIM", allowNonRestoredState: false };
  const sinceMs = world.clock.now();
  const started = await waitFor(world, `Start of ${oneLine(request.jobName, 80)} ${cancelDropsStart}`, (run) => world.restores.start(request, run));
  if (started === undefined) return leaveStart(world, cluster, sinceMs);
  world.notify.done(runningText(started), [{ title: "Open in Web UI", command: "flinkSavepoints.openWebUi", args: [{ cluster, jobId: started.id }] }]);
}

async function confirmEmpty(world: CommandWorld, cluster: string, program: Program, jobName: string | null, records: readonly LedgerRecord[]): Promise<boolean> {
  const jar = oneLine(program.jar.name, 80);
  const claimed = claimedPlaces(records);
  const usable = records.filter((record): record is SavepointRecord => record.kind === "savepoint" && record.cluster.url === cluster && newestUsable([record], claimed) !== null);
  const own = usable.filter((record) => record.job.name === jobName).sort((a, b) => b.requestedAtMs - a.requestedAtMs);
  const sentences = ["Nothing is restored: the job begins with empty state, and its sources begin where the program says."];
  const running = jobName === null ? undefined : world.restores.runningJobsNamed(cluster, jobName)[0];
  if (running) sentences.push(explainWarning({ warning: "job-runs", job: { jobId: running.jobId, name: running.name } }));
  const [newest] = own;
  if (newest && jobName !== null) sentences.push(`${countText(own.length, "savepoint")} of ${oneLine(jobName, 80)} ${own.length === 1 ? "is" : "are"} known, the last ${savepointName(newest)}, ${ageText(newest.requestedAtMs, world.clock.now())}. Restore goes on from there.`);
  else if (usable.length > 0) sentences.push(`Savepoints are known of ${[...new Set(usable.map((record) => oneLine(record.job.name, 60)))].slice(0, 5).join(", ")}. If this is one of them, Restore goes on from there.`);
  const answer = await world.notify.choose({ title: `Start ${jobName === null ? jar : oneLine(jobName, 80)} without state?`, detail: sentences.join("\n\n"), buttons: usable.length > 0 ? [restoreInstead, startEmpty] : [startEmpty] });
  if (answer === restoreInstead) {
    await restore(world, newest ? { recordId: newest.id } : { cluster });
    return false;
  }
  if (answer !== startEmpty) return false;
  return newest === undefined || jobName === null || (await typeName(`Start ${oneLine(jobName, 80)} without state`, jobName, "Its savepoints are not used.")) !== undefined;
}

/** The job that this jar started last on the cluster, as far as we know. */
function jobNameOfJar(records: readonly LedgerRecord[], cluster: string, program: Program): string | null {
  const starts = records.filter((record): record is RestoreRecord => record.kind === "restore" && record.cluster.url === cluster && record.jar.name === program.jar.name && (record.state === "running" || record.state === "safe"));
  return starts.sort((a, b) => b.requestedAtMs - a.requestedAtMs)[0]?.jobName ?? null;
}
