import { isFlinkError } from "../../core/errors";
import { cliLine } from "../../core/cli";
import { explainRefusal, explainWarning } from "../../core/explain";
import type { Warning } from "../../core/guards";
import type { SavepointRef } from "../../core/contributions";
import type { JobRef } from "../../core/model/job";
import { joinText, oneLine } from "../../core/rowText";
import { ageText, durationText, savepointName, sizeText } from "../../core/wording";
import type { Readiness, SavepointRequest } from "../../services/savepoints";
import { copyText } from "./copy";
import { cancelOnlyStopsWaiting, completedText, leaveToFlink, nextVerbs, orError, waitFor } from "./outcomes";
import { askSavepoint, clusterName, pickJob } from "./pick";
import { refuse } from "./refuse";
import { askDescription, askDirectory, askFormat, descriptionRemark, locationRemark } from "./savepointSteps";
import { askInSteps, type Steps } from "./steps";
import type { CommandWorld } from "./world";

/** *Trigger Savepoint*: directory, format and description, then one savepoint, waited for as long as the person likes (C-6…C-8, A-5, A-7). */
export async function trigger(world: CommandWorld, target?: JobRef): Promise<void> {
  const plan = await askInSteps("Trigger Savepoint", target ? 3 : 4, async (ask) => {
    const subject = await askSubject(ask, world, "trigger", target);
    if (subject === undefined || subject.ready.refusals.length > 0) return subject && { ...subject, request: undefined };
    ask.title = `Savepoint of ${oneLine(subject.ready.jobName, 80)}`;
    return { ...subject, request: await askRequest(ask, world, subject, undefined) };
  });
  if (plan === undefined) return;
  const { job, ready, request } = plan;
  const name = oneLine(ready.jobName, 80);
  if (request === undefined) return refuse(world, `${name} can't be saved now.`, ready.refusals);
  if (ready.warnings.length > 0) {
    const isPaimon = ready.warnings.some(({ warning }) => warning === "paimon-later");
    const answer = await chooseKnowing(world, `Take a savepoint of ${name}?`, ready.warnings, [takeSavepoint, ...(isPaimon ? [stopInstead] : [])]);
    if (answer === stopInstead) return stop(world, job);
    if (answer !== takeSavepoint) return;
  }

  const sinceMs = world.clock.now();
  const record = await waitFor(world, `Savepoint of ${name} ${cancelOnlyStopsWaiting}`, async (run) => {
    const usualMs = await world.savepoints.expectedMs(job);
    if (usualMs !== null) run.report({ message: `usually ${durationText(usualMs)}` });
    return orError(world.savepoints.trigger(job, request, run), "outcome-unknown");
  });
  if (record === undefined || isFlinkError(record)) return leaveToFlink(world, job, sinceMs);
  world.notify.done(completedText(record), nextVerbs(record.id));
}

/** Asks with all that should be known before; where statements would mend something, they can be copied, and it asks again. */
async function chooseKnowing(world: CommandWorld, title: string, warnings: readonly Warning[], buttons: readonly [string, ...string[]]): Promise<string | undefined> {
  const untagged = warnings.flatMap((warning) => (warning.warning === "paimon-untagged" ? warning.places : []));
  for (;;) {
    const answer = await world.notify.choose({ title, detail: warnings.map(explainWarning).join("\n\n"), buttons: [...buttons, ...(untagged.length === 0 ? [] : [copyFix])] });
    if (answer !== copyFix) return answer;
    const { autoTagStatements } = await import("./tags");
    await copyText("statement", autoTagStatements(world, untagged));
  }
}

const copyFix = "Copy Fix";
const takeSavepoint = "Take Savepoint";
const stopInstead = "Stop with Savepoint…";

/** *Stop with Savepoint*: as trigger, then the job ends. Drain is off, and a question of its own when chosen (C-10, C-13, A-6). */
export async function stop(world: CommandWorld, target?: JobRef): Promise<void> {
  const plan = await askInSteps("Stop with Savepoint", target ? 4 : 5, async (ask) => {
    const subject = await askSubject(ask, world, "stop", target);
    if (subject === undefined || subject.ready.refusals.length > 0) return subject && { ...subject, request: undefined };
    ask.title = `Stop ${oneLine(subject.ready.jobName, 80)} with a savepoint`;
    return { ...subject, request: await askStop(ask, world, subject) };
  });
  if (plan === undefined) return;
  const { job, ready, request } = plan;
  const name = oneLine(ready.jobName, 80);
  if (request === undefined) return refuse(world, `${name} can't be stopped now.`, ready.refusals);
  if (ready.warnings.length > 0 && (await chooseKnowing(world, `Stop ${name} with a savepoint?`, ready.warnings, ["Stop"])) !== "Stop") return;
  if (request.drain && !(await confirmDrain(world, job, name))) return;

  const sinceMs = world.clock.now();
  const outcome = await waitFor(world, `Stopping ${name} with a savepoint ${cancelOnlyStopsWaiting}`, (run) => orError(world.savepoints.stop(job, request, run), "stopped-uncleanly", "outcome-unknown"));
  if (outcome === undefined || isFlinkError(outcome)) return leaveToFlink(world, job, sinceMs);
  world.notify.done(completedText(outcome), nextVerbs(outcome.id));
}

/** *Pin* keeps a savepoint from being disposed of, and *Unpin* no longer does. The row shows it; said is what it does not show: that other programs can't know of it, where they might, and that another's pin stays. */
export async function pin(world: CommandWorld, target: SavepointRef | undefined, pinned: boolean): Promise<void> {
  const record = await askSavepoint(world, target, pinned ? "Pin" : "Unpin", {
    placeholder: pinned ? "Which savepoint is pinned?" : "Which savepoint is unpinned?", can: (row) => row.pinned !== pinned && row.state === "completed",
  });
  if (record === undefined) return;
  const others = pinned || record.path === null ? [] : await world.otherPins.look(record.path);
  if (!record.pinned && others.length > 0) return world.notify.refused(`${savepointName(record)} is not pinned here. ${explainOthers(others)}`);
  if (record.pinned === pinned) return;
  const unmarked = await world.savepoints.pin(record.id, pinned);
  if (unmarked !== null && unmarked !== "elsewhere") world.notify.done(`${savepointName(record)} is pinned here. Rules of schedule run, or in another's VS Code, do not know of it, since nothing can be written beside it (${unmarked}).`);
  if (others.length > 0) world.notify.done(`${savepointName(record)} is not pinned here any more, and still kept. ${explainOthers(others)}`);
}

function explainOthers(files: readonly string[]): string {
  return files.map((file) => explainRefusal({ rule: "pinned-beside", file })).join(" ");
}

/** *Edit Description*. */
export async function editDescription(world: CommandWorld, target?: SavepointRef): Promise<void> {
  const record = await askSavepoint(world, target, "Edit Description", { placeholder: "Which savepoint is described?", can: () => true });
  if (record === undefined) return;
  const text = await askInSteps(`Description of ${savepointName(record)} of ${oneLine(record.job.name, 80)}`, 1, (ask) => ask.enter({
    prompt: "What is it for? Empty removes it.", placeholder: "such as: before v2", initial: record.description,
    check: descriptionRemark,
  }));
  if (text !== undefined && text !== record.description) await world.savepoints.describe(record.id, text);
}

/** *Adopt*: names the folder that an operation of unknown outcome wrote. Nobody but the person knows, so nothing is chosen for them. */
export async function adopt(world: CommandWorld, target?: SavepointRef): Promise<void> {
  const record = await askSavepoint(world, target, "Adopt", { placeholder: "Which operation's savepoint was found?", can: (row) => row.state === "unknown" });
  if (record === undefined) return;
  if (record.state !== "unknown") return refuse(world, "Only a savepoint whose outcome is unknown is adopted.", [{ rule: "not-completed", state: record.state }]);
  const location = await askInSteps(`Adopt a savepoint of ${oneLine(record.job.name, 80)}`, 1, async (ask) => {
    const folders = await ask.wait("Looking into the directory", () => world.savepoints.candidates(record.id));
    const now = world.clock.now();
    const seen = folders.map((folder) => ({ label: `$(folder) ${folder.location}`, description: joinText(`complete, written ${ageText(folder.modifiedAtMs, now)}`, sizeText(folder.sizeBytes)), value: folder.location }));
    const named = record.candidates.filter((path) => !folders.some((folder) => folder.location === path)).map((path) => ({ label: `$(folder) ${path}`, description: "in the job's history at that time", value: path }));
    const choices = [...seen, ...named];
    const chosen = choices.length === 0 ? "" : await ask.choose({
      placeholder: choices.length === 1 ? "One complete savepoint of this job was written there at that time: most likely it is this one." : "Which of these is it?",
      choices: [...choices, { label: "$(edit) Another path…", value: "" }],
    });
    if (chosen !== "") return chosen;
    ask.expect(1);
    return ask.enter({ prompt: choices.length === 0 ? "No folder can be seen from here that fits. Where does the savepoint lie?" : "Where does the savepoint lie?", placeholder: "such as: s3://bucket/savepoints/savepoint-1a2b3c-…", check: locationRemark });
  });
  if (location !== undefined) await world.savepoints.adopt(record.id, location);
}

/** Where, how and what for. The last question offers the same as a CLI line. */
async function askRequest(ask: Steps, world: CommandWorld, { job, ready }: Subject, stop: { readonly drain: boolean } | undefined): Promise<SavepointRequest> {
  const recent = await ask.wait("Reading the ledger", () => world.jobs.recentDirectories(job.cluster));
  const directory = await askDirectory(ask, { cluster: job.cluster, clusterName: clusterName(world, job.cluster), info: ready.info, recent });
  const format = await askFormat(ask);
  const line = cliLine({ url: job.cluster, version: ready.info.version }, {
    ...(stop === undefined ? { verb: "trigger" } : { verb: "stop", drain: stop.drain }), jobId: job.jobId, format, ...(directory === null ? {} : { directory }),
  });
  const description = await askDescription(ask, stop === undefined ? "takes the savepoint" : `stops ${oneLine(ready.jobName, 60)} with a savepoint`, { icon: "terminal", tooltip: "Copy as CLI Command", press: () => copyText("command", line) });
  return { directory, format, description };
}

interface Subject {
  readonly job: JobRef;
  readonly ready: Readiness;
}

async function askSubject(ask: Steps, world: CommandWorld, verb: "trigger" | "stop", target: JobRef | undefined): Promise<Subject | undefined> {
  const job = target ?? (await pickJob(ask, world, verb));
  if (job === undefined) return undefined;
  const ready = await ask.wait("Looking at the job", async (signal) => {
    const found = await world.savepoints.readiness(job, verb, signal);
    if (found.refusals.length > 0) return found;
    const paimon = await world.paimonJobs.warnings(job, verb, world.jobs.observation(job)?.config?.intervalMs ?? null, signal);
    return { ...found, warnings: [...found.warnings, ...paimon] };
  });
  return { job, ready };
}

async function askStop(ask: Steps, world: CommandWorld, subject: Subject): Promise<SavepointRequest & { drain: boolean }> {
  const drain = await ask.choose({
    placeholder: "How does the job end?",
    choices: [
      { label: "Stop", description: "the job can go on from the savepoint later", detail: "The savepoint is written, then the job finishes. Nothing is lost.", value: false },
      { label: "Drain, then stop", description: "only for a job that ends for good", detail: "First fires all open windows and timers; restoring from it gives wrong results.", value: true },
    ],
  });
  return { ...(await askRequest(ask, world, subject, { drain })), drain };
}

async function confirmDrain(world: CommandWorld, job: JobRef, name: string): Promise<boolean> {
  const paimon = await world.paimonJobs.drainWarnings(job, AbortSignal.timeout(10_000)).catch(() => []);
  return world.notify.confirm({
    title: `Drain ${name} before it stops?`,
    detail: [
      "Flink sends the end-of-time watermark: every open window and event-time timer fires now, with what it has. A job restored from this savepoint would give wrong results. Drain only a job that ends for good.",
      ...paimon.map(explainWarning),
    ].join("\n\n"),
    button: "Drain and Stop",
  });
}
