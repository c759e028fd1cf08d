import { purgeText } from "../../core/cleanup/cleanupText";
import { cliLine } from "../../core/cli";
import type { CheckpointRef, ClusterRef, SavepointRef } from "../../core/contributions";
import { isFlinkError } from "../../core/errors";
import { explain, explainWarning } from "../../core/explain";
import { isUsable, jobOf, type SavepointRecord } from "../../core/ledger/record";
import type { JobRef, JobSummary } from "../../core/model/job";
import { checkpointOwner, placeKey, requireLocation, shortJobId } from "../../core/model/location";
import { atLeast, parseFlinkVersion } from "../../core/model/version";
import type { ClaimMode, Run } from "../../core/ports";
import { joinText, namedOperators, oneLine, stateList, stateWord } from "../../core/rowText";
import { countText, savepointName, shortId, spanText } from "../../core/wording";
import type { RestoreRequest } from "../../services/restores";
import type { Readiness, SavepointRequest } from "../../services/savepoints";
import { copyText } from "./copy";
import { cancelDropsStart, cancelKeepsPlan, orError, runningText, waitFor } from "./outcomes";
import { clusterName, jobSummary, pickCluster, savepointChoices } from "./pick";
import { askClaimMode, askProgram, programText, type Program } from "./programSteps";
import { recordOf, refuse, whyUnusable } from "./refuse";
import { leaveStart } from "./restorePlans";
import { askDirectory, locationRemark } from "./savepointSteps";
import { askInSteps, typeName, waitBefore, type Steps } from "./steps";
import type { CommandWorld } from "./world";

/** What a job is restored from. */
interface Source {
  readonly path: string;
  readonly recordId: string | null;
  readonly checkpointId: number | null;
  /** The job that took it. Null when nobody knows whose it is. */
  readonly jobId: string | null;
  readonly jobName: string | null;
  readonly cluster: string | null;
  readonly flinkVersion: string | null;
}

/** What becomes of a job of the same name that still runs (A-27). */
type Way =
  | { readonly way: "alone" }
  /** Leave those that run, and start one more. */
  | { readonly way: "beside"; readonly running: readonly JobSummary[] }
  /** Stop it with a savepoint, and restore from that new one. */
  | { readonly way: "go-on"; readonly job: JobRef; readonly stop: SavepointRequest }
  /** Stop it with a savepoint, and restore from the chosen one: the new one is the way back. */
  | { readonly way: "go-back"; readonly job: JobRef; readonly stop: SavepointRequest };

interface Plan {
  readonly source: Source;
  readonly cluster: string;
  readonly ready: Readiness;
  /** Absent when it is refused. */
  readonly go?: { readonly way: Way; readonly program: Program; readonly claimMode: ClaimMode; readonly dropState: boolean };
}

/** *Restore*: from a row, the ledger or a path; onto a cluster; with a program (C-22…C-30, A-26, A-27). Nothing is started before the last question. */
export async function restore(world: CommandWorld, target?: SavepointRef | CheckpointRef | ClusterRef): Promise<void> {
  const given = target === undefined || !("path" in target || "recordId" in target) ? undefined : await sourceOf(world, target);
  if (given === "refused") return;
  const clusterGiven = target !== undefined && "cluster" in target && !("path" in target) ? target.cluster : undefined;
  const plan = await askInSteps("Restore", 6, (ask) => askPlan(ask, world, given, clusterGiven));
  if (plan === undefined) return;
  const { source, cluster, ready, go } = plan;
  const name = oneLine(source.jobName ?? savepointName(source), 80);
  if (go === undefined) {
    const copy = source.recordId === null ? [] : [{ title: "Copy as CLI Command", command: "flinkSavepoints.copyCli" as const, args: [{ recordId: source.recordId }] as [SavepointRef] }];
    return refuse(world, `No job can be restored from ${savepointName(source)} on ${clusterName(world, cluster)}.`, ready.refusals, {}, ready.refusals.some(({ rule }) => rule === "cluster-reads-only") ? copy : []);
  }
  if (!(await confirmWarnings(world, plan, go, name))) return;
  const jobName = source.jobName ?? go.program.jar.name;
  if (go.dropState && !(await confirmDrop(world, source, name, jobName))) return;

  const { way } = go;
  const savepoint = way.way === "go-on" ? null : { path: source.path, recordId: source.recordId, checkpointId: source.checkpointId };
  const request: RestoreRequest = { cluster, jobName, savepoint, ...go.program, claimMode: go.claimMode, allowNonRestoredState: go.dropState };
  const sinceMs = world.clock.now();
  const started = await waitFor(world, way.way === "alone" || way.way === "beside" ? `Restore of ${name} ${cancelDropsStart}` : `Restart of ${name} ${cancelKeepsPlan}`, (run) => orError(
    way.way === "go-on" || way.way === "go-back" ? world.restores.stopThenRestore(way.job, way.stop, request, run) : world.restores.start(request, run), "stopped-uncleanly"));
  if (started === undefined) return leaveStart(world, cluster, sinceMs);
  if (!isFlinkError(started)) return world.notify.done(runningText(started), [{ title: "Open in Web UI", command: "flinkSavepoints.openWebUi", args: [{ cluster, jobId: started.id }] }]);
  const planned = (await world.restores.planned()).find((record) => record.cluster.url === cluster && record.requestedAtMs >= sinceMs);
  world.notify.refused(explain(started).message, planned ? [{ title: "Continue Restore", command: "flinkSavepoints.continueRestore", args: [{ restoreId: planned.id }] }, { title: "Drop Plan", command: "flinkSavepoints.dropRestore", args: [{ restoreId: planned.id }] }] : []);
}

async function askPlan(ask: Steps, world: CommandWorld, given: Source | undefined, clusterGiven: string | undefined): Promise<Plan | undefined> {
  const source = given ?? (await askSource(ask, world, clusterGiven));
  if (source === "refused") return undefined;
  const cluster = clusterGiven ?? (await pickCluster(ask, world, "On which cluster?", source.cluster ?? undefined));
  if (cluster === undefined) return undefined;
  const name = oneLine(source.jobName ?? savepointName(source), 80);
  ask.title = `Restore ${name} from ${savepointName(source)} on ${clusterName(world, cluster)}`;
  const ready = await ask.wait("Looking at the cluster", async (signal) => {
    const found = await world.restores.readiness(cluster, source.path, signal);
    await world.clusters.refresh(cluster, signal);
    return found;
  });
  if (ready.refusals.length > 0) return { source, cluster, ready };
  const running = source.jobName === null ? [] : world.restores.runningJobsNamed(cluster, source.jobName);
  const way = await askWay(ask, world, source, cluster, running, ready);
  if (way.way === "go-on") ask.title = `Restore ${name} from a new savepoint on ${clusterName(world, cluster)}`;
  ask.expect(5);
  const program = await askProgram(ask, world, cluster, source.jobName);
  ask.expect(2);
  const claimMode = await askClaimMode(ask, ready.info);
  const from = way.way === "go-on" ? "the new savepoint" : savepointName(source);
  const what = joinText(programText(program), { NO_CLAIM: way.way === "go-on" ? "the new savepoint stays yours" : "the savepoint stays yours", CLAIM: "Flink takes the savepoint over", LEGACY: "legacy mode" }[claimMode]);
  const line = cliLine({ url: cluster, version: ready.info.version }, {
    verb: "restore", jar: "file" in program.jar ? program.jar.file : program.jar.name, programArgs: program.programArgs, savepointPath: source.path, claimMode,
    ...(program.entryClass === undefined ? {} : { entryClass: program.entryClass }), ...(program.parallelism === undefined ? {} : { parallelism: program.parallelism }),
  });
  const dropState = await ask.choose({
    placeholder: "All is set. Enter starts it.",
    choices: [
      { label: `$(debug-restart) ${way.way === "go-on" || way.way === "go-back" ? `Stop ${name}, then restore it from ${from}` : `Restore ${name} from ${from}`}`, description: clusterName(world, cluster), detail: what, value: false },
      { label: `$(warning) ${way.way === "go-on" || way.way === "go-back" ? "Stop and restore" : "Restore"}, and drop state that has no operator any more…`, description: "allowNonRestoredState", detail: "Only where stateful operators were removed on purpose; otherwise Flink refuses.", value: true },
    ],
    // The new savepoint of a stop has no path yet that a line could name.
    ...(way.way === "go-on" ? {} : { tool: { icon: "terminal", tooltip: "Copy as CLI Command", press: () => copyText("command", line) } }),
  });
  return { source, cluster, ready, go: { way, program, claimMode, dropState } };
}

/** How long a question waits for the names of states, which are only a help. */
const namesTimeoutMs = 5_000;

/** Names the state at stake before any of it may be dropped, then has the job's name typed (C-23; safety rule 3). */
async function confirmDrop(world: CommandWorld, source: Source, name: string, jobName: string): Promise<boolean> {
  const read = await waitBefore(`Restore ${name} and drop state`, `Reading what ${savepointName(source)} holds`, async ({ signal }) => ({
    state: await (await world.inspection()).namedStateIn(source.path, namedOperators, namesTimeoutMs, signal),
  }));
  if (read === undefined) return false;
  const { state } = read;
  const what = state === undefined
    ? `What state ${savepointName(source)} holds can't be read from here, so what would be dropped can't be listed.`
    : `${savepointName(source)} holds state of ${countText(state.length, "operator")}:\n${stateList(state)}`;
  const detail = `${what}\n\nThe state of every operator that the program no longer has is dropped without trace; that of all others is kept. The savepoint itself stays as it is.`;
  if (!(await world.notify.confirm({ title: `Restore ${name} and drop state that has no operator any more?`, detail, button: "Drop State…" }))) return false;
  return (await typeName(`Restore ${name} and drop state`, jobName, "State of operators that are gone is dropped without trace.")) !== undefined;
}

/** Asks for a savepoint of the ledger, or a path. */
async function askSource(ask: Steps, world: CommandWorld, cluster: string | undefined): Promise<Source | "refused"> {
  const records = await ask.wait("Reading the ledger", () => world.ledger.all());
  const choices = savepointChoices(world, records, { placeholder: "", unfit: "can't be restored", can: (row) => row.record !== null && isUsable(row.record) && row.claimedBy === null, ...(cluster === undefined ? {} : { cluster }) });
  const chosen = choices.length === 0 ? { typed: "" } : await ask.choose<{ id: string } | { typed: string }>({
    placeholder: "Restore from which savepoint?", choices: choices.map((choice) => ({ ...choice, value: { id: choice.value.id } })),
    typed: (text) => ({ label: text === "" || locationRemark(text) ? "$(edit) Another path…" : `$(edit) ${text}`, description: "a savepoint, or a retained checkpoint", value: { typed: text } }),
  });
  if ("id" in chosen) {
    const record = records.find((candidate) => candidate.id === chosen.id);
    return record?.kind === "savepoint" ? usableSource(world, record) : ask.back();
  }
  const path = chosen.typed !== "" && locationRemark(chosen.typed) === undefined ? chosen.typed : await ask.enter({
    prompt: "Path of a savepoint, or of a retained checkpoint; its folder or its _metadata.", placeholder: "such as: s3://bucket/savepoints/savepoint-1a2b3c-…", initial: chosen.typed, check: locationRemark,
  });
  return { path, recordId: null, checkpointId: null, cluster: cluster ?? null, flinkVersion: null, jobId: null, jobName: jobNameOf(world, records, path) };
}

/** The source of a row. Tells why when it can't be one. */
async function sourceOf(world: CommandWorld, target: SavepointRef | CheckpointRef): Promise<Source | "refused"> {
  if ("path" in target) {
    requireLocation(target.path);
    return { path: target.path, recordId: null, checkpointId: target.checkpointId, jobId: target.jobId, jobName: jobSummary(world, target)?.name ?? null, cluster: target.cluster, flinkVersion: null };
  }
  return usableSource(world, await recordOf(world, target.recordId, "restored from"));
}

function usableSource(world: CommandWorld, record: SavepointRecord): Source | "refused" {
  if (isUsable(record) && record.path !== null) return { path: record.path, recordId: record.id, checkpointId: record.checkpointId, jobId: record.job.id, jobName: record.job.name, cluster: record.cluster.url, flinkVersion: record.flinkVersion };
  refuse(world, `Nothing can be restored from ${savepointName(record)} of ${oneLine(record.job.name, 80)}.`, [whyUnusable(record)], { job: jobOf(record) });
  return "refused";
}

/** Whose savepoint lies at a path: the ledger's word, else the job whose id its folder's name begins with (C-15). */
function jobNameOf(world: CommandWorld, records: Awaited<ReturnType<CommandWorld["ledger"]["all"]>>, path: string): string | null {
  const place = placeKey(path);
  const short = shortJobId(path);
  for (const record of records) if (record.kind === "savepoint" && record.path !== null && placeKey(record.path) === place) return record.job.name;
  if (short === undefined) return null;
  for (const record of records) if (record.kind === "savepoint" && record.job.id.startsWith(short)) return record.job.name;
  return world.clusters.list().flatMap(({ jobs }) => jobs).find(({ jobId }) => jobId.startsWith(short))?.name ?? null;
}

async function askWay(ask: Steps, world: CommandWorld, source: Source, cluster: string, all: readonly JobSummary[], ready: Readiness): Promise<Way> {
  const running = all.length > 1 ? await askWhichRuns(ask, world, source, cluster, all) : all[0];
  if (running === undefined) return all.length === 0 ? { way: "alone" } : { way: "beside", running: all };
  const name = oneLine(running.name, 80);
  const from = savepointName(source);
  const chosen = await ask.choose<Way["way"]>({
    placeholder: `${name} still runs on ${clusterName(world, cluster)}.`,
    choices: [
      { label: "Stop it, and go on from where it stops", description: "nothing is lost", detail: "A new savepoint is taken as it stops, and it starts again from that one.", value: "go-on" },
      // Flink deletes a job's checkpoints when it stops.
      ...(checkpointOwner(source.path) === running.jobId ? [] : [{ label: `Stop it, and go back to ${from}`, description: `what it did since ${from} is undone`, detail: "It is stopped with a savepoint all the same: that one is the way back.", value: "go-back" as const }]),
      { label: `Leave it running, and start a second one from ${from}`, description: "a fork", detail: "Both read and write the same data: give the second its own sinks and groups.", value: "beside" },
    ],
  });
  if (chosen === "beside" || chosen === "alone") return { way: "beside", running: all };
  const recent = await ask.wait("Reading the ledger", () => world.jobs.recentDirectories(cluster));
  const directory = ready.info.savepointDirectory !== null ? null : await askDirectory(ask, { cluster, clusterName: clusterName(world, cluster), info: ready.info, recent });
  return { way: chosen, job: { cluster, jobId: running.jobId }, stop: { directory, format: "canonical", description: chosen === "go-on" ? "for a restart" : `before going back to ${from}` } };
}

/** Which of several running jobs of one name is meant; undefined when all of them are left running. The one that took the savepoint comes first. */
async function askWhichRuns(ask: Steps, world: CommandWorld, source: Source, cluster: string, all: readonly JobSummary[]): Promise<JobSummary | undefined> {
  const short = shortJobId(source.path);
  const took = (job: JobSummary): boolean => job.jobId === source.jobId || (source.jobId === null && short !== undefined && job.jobId.startsWith(short));
  const now = world.clock.now();
  const chosen = await ask.choose<JobSummary | "none">({
    placeholder: `${all.length} jobs called ${oneLine(all[0]?.name ?? "", 80)} run on ${clusterName(world, cluster)}. Which one is this about?`,
    choices: [
      ...[...all].sort((a, b) => Number(took(b)) - Number(took(a))).map((job) => ({ label: `$(play) ${oneLine(job.name, 80)} (${shortId(job.jobId)})`, description: joinText(`${stateWord(job.state)} ${spanText(now - job.startTimeMs)}`, took(job) && "took this savepoint"), value: job })),
      { label: `Leave them running, and start another one from ${savepointName(source)}`, description: "a fork", detail: "All read and write the same data: give the new one its own sinks and groups.", value: "none" as const },
    ],
  });
  return chosen === "none" ? undefined : chosen;
}

/** What rules that act by themselves would take once the job goes on (A-31): a sentence, or none. */
async function purgeBy(world: CommandWorld, cluster: string, jobName: string, source: string, run: Run): Promise<readonly string[]> {
  if (!(await world.lifecycle()).files.files().some(({ file }) => file.cleanup?.enabled === true)) return [];
  const cleanup = await world.cleanup();
  const { set, isAgreed } = await cleanup.state({ cluster, jobName });
  if (!set.enabled || !isAgreed) return [];
  try {
    return [purgeText((await cleanup.preview({ cluster, jobName }, run)).plan, source)].filter((text) => text !== undefined);
  } catch (error) {
    if (!isFlinkError(error)) throw error;
    return [`What its cleanup rules would take could not be looked up. ${explain(error).message}`];
  }
}

/** One modal for all that should be known, and none when there is nothing. */
async function confirmWarnings(world: CommandWorld, { source, cluster, ready }: Plan, go: NonNullable<Plan["go"]>, name: string): Promise<boolean> {
  const sentences = go.way.way === "go-on" ? [] : ready.warnings.map(explainWarning);
  if (go.way.way === "beside") sentences.unshift(...go.way.running.map(({ jobId, name: called }) => explainWarning({ warning: "job-runs", job: { jobId, name: called } })));
  // The same job on another cluster: a restore here makes a second one of it.
  const { jobName } = source;
  const elsewhere = world.clusters.list().filter(({ profile }) => jobName !== null && profile.url !== cluster && world.restores.runningJobsNamed(profile.url, jobName).length > 0);
  if (elsewhere.length > 0 && go.way.way !== "go-on") sentences.unshift(`A job of this name runs on ${elsewhere.map(({ profile }) => oneLine(profile.name, 60)).join(", ")}; if it is the same one, both would read and write the same data.`);
  if (go.way.way === "go-back") sentences.unshift(`${name} is stopped first. What it did since ${savepointName(source)} is undone in its state, not in what it has already written elsewhere.`);
  if (go.claimMode === "CLAIM") sentences.push("Flink will delete the savepoint once newer checkpoints replace it. Do not start another job from it.");
  if (go.claimMode === "LEGACY") sentences.push("LEGACY is deprecated: the job may need the savepoint's files for as long as it lives.");
  const written = source.flinkVersion === null ? undefined : parseFlinkVersion(source.flinkVersion);
  if (written !== undefined && !atLeast(ready.info.version, written.major, written.minor)) sentences.push(`It was taken on Flink ${written.text}; Flink ${ready.info.version.text} may not be able to read it, since savepoints only move forward.`);
  if (go.way.way === "alone" && jobName !== null) {
    const purge = await waitBefore(`Restore ${name}`, "Looking at its cleanup rules", (run) => purgeBy(world, cluster, jobName, source.path, run));
    if (purge === undefined) return false;
    sentences.push(...purge);
  }
  if (go.way.way !== "go-on") {
    const paimon = await waitBefore(`Restore ${name}`, "Looking at its Paimon tables", (run) => world.paimonJobs.restoreWarnings({ path: source.path, recordId: source.recordId, completedMs: null }, run.signal));
    if (paimon === undefined) return false;
    sentences.push(...paimon.map(explainWarning));
  }
  if (sentences.length === 0) return true;
  return world.notify.confirm({ title: `Restore ${name} from ${go.way.way === "go-on" ? "a new savepoint" : savepointName(source)}?`, detail: sentences.join("\n\n"), button: go.way.way === "go-back" ? "Stop and Restore" : "Restore" });
}
