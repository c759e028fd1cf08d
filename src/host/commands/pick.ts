import type { SavepointRow } from "../../core/rows";
import { savepointRows } from "../../core/rows";
import { mapLimit } from "../../core/base/async";
import type { SavepointRef } from "../../core/contributions";
import type { LedgerRecord, SavepointRecord } from "../../core/ledger/record";
import { isTerminal, type JobRef, type JobSummary } from "../../core/model/job";
import { jobText, joinText, oneLine, savepointText, savepointTitle, shortReason, stateWord } from "../../core/rowText";
import { countText } from "../../core/wording";
import type { ClusterView } from "../../services/clusters";
import { recordOf } from "./refuse";
import { askInSteps, type Choice, type Steps } from "./steps";
import type { CommandWorld } from "./world";

/** Verbs on a job that ask for one when they are not told. */
export type JobVerb = "trigger" | "stop" | "cancel" | "copy" | "schedule";

const jobQuestions: Record<JobVerb, string> = {
  trigger: "Which job gets a savepoint?", stop: "Which job is stopped?", cancel: "Which job is cancelled without a savepoint?", copy: "Which job is the command for?", schedule: "Which job gets a schedule? It is followed by its name.",
};
const notNow: Record<JobVerb, string> = { trigger: "can't be saved now", stop: "can't be stopped now", cancel: "can't be cancelled", copy: "ended", schedule: "ended" };

/**
 * Asks for a cluster: those that answer first. One that does not is in the list with the reason, and asking it again is what choosing it does.
 * A single cluster is not asked about. Resolves to undefined, and says so, when there is none.
 */
export async function pickCluster(ask: Steps, world: CommandWorld, placeholder: string, first?: string): Promise<string | undefined> {
  await ask.wait("Looking at the clusters", (signal) => lookAtClusters(world, signal));
  const views = world.clusters.list().filter((view) => !view.removed);
  if (views.length === 0) return noCluster(world);
  const [only, second] = views;
  if (only !== undefined && second === undefined) return only.profile.url;
  const rank = (view: ClusterView): number => (view.reach.state !== "online" ? 2 : view.profile.url === first ? 0 : 1);
  const choices = views.map((view): Choice<string> => ({ label: `$(server) ${oneLine(view.profile.name, 80)}`, description: clusterText(view), value: view.profile.url }));
  return ask.choose({ placeholder, choices: order(choices, views, rank) });
}

/**
 * Asks for a job: those that can do the verb first, the others below with their state; those answer with the refusal when chosen. Resolves to
 * undefined, and says so, when no job is known.
 */
export async function pickJob(ask: Steps, world: CommandWorld, verb: JobVerb): Promise<JobRef | undefined> {
  await ask.wait("Looking for jobs", (signal) => lookAtClusters(world, signal));
  const views = world.clusters.list().filter((view) => !view.removed);
  if (views.length === 0) return noCluster(world);
  const several = views.length > 1;
  const now = world.clock.now();
  const fit: Choice<JobRef>[] = [];
  const unfit: Choice<JobRef>[] = [];
  for (const view of views) {
    const seen = view.reach.state === "online";
    for (const row of await world.jobs.rows(view.profile.url)) {
      if (row.state === "gone") continue;
      const can = seen && (verb === "trigger" || verb === "stop" ? row.state === "RUNNING" && !row.operations.some((operation) => operation.what === "stop") : !isTerminal(row.state));
      const choice: Choice<JobRef> = {
        label: `${can ? "$(play)" : "$(circle-slash)"} ${oneLine(row.name, 100)}`, value: { cluster: row.cluster, jobId: row.jobId },
        description: joinText(!can && verb !== "copy" && !seen && "its cluster does not answer", jobText(row, now, seen)),
        ...(can ? (several ? { group: oneLine(view.profile.name, 80) } : {}) : { group: notNow[verb] }),
      };
      (can ? fit : unfit).push(choice);
    }
  }
  if (fit.length + unfit.length === 0) {
    const offline = views.filter((view) => view.reach.state === "offline");
    const silent = offline.map((view) => `${view.profile.name} does not answer (${view.reach.state === "offline" ? shortReason(view.reach.error) : ""}).`);
    world.notify.refused(["No job is known on any cluster.", ...silent].join(" "), offline[0] ? [{ title: "Try Again", command: "flinkSavepoints.reconnect", args: [{ cluster: offline[0].profile.url }] }] : []);
    return undefined;
  }
  return ask.choose({ placeholder: jobQuestions[verb], choices: [...fit, ...unfit] });
}

/** What a savepoint is asked for. */
export interface SavepointQuestion {
  readonly placeholder: string;
  /** Heading of those that can't do the verb; they answer with the refusal when chosen. Undefined leaves them out. */
  readonly unfit?: string;
  can(row: SavepointRow): boolean;
  /** The cluster whose savepoints come first. */
  readonly cluster?: string;
  /** Where the newest is what one would least want to choose. */
  readonly oldestFirst?: boolean;
}

/** The choices of a savepoint from the ledger: usable ones grouped by job, the job with the newest first; then those that can't do the verb. */
export function savepointChoices(world: CommandWorld, records: readonly LedgerRecord[], question: SavepointQuestion): Choice<SavepointRecord>[] {
  const now = world.clock.now();
  const jobs = new Map<string, SavepointRecord>();
  for (const record of records) if (record.kind === "savepoint" && !jobs.has(record.job.id)) jobs.set(record.job.id, record);
  const rows = [...jobs.keys()].flatMap((jobId) => savepointRows(jobId, records, undefined)).sort((a, b) => (question.oldestFirst === true ? a.startedAtMs - b.startedAtMs : b.startedAtMs - a.startedAtMs));
  const clusters = new Set(rows.map((row) => row.record?.cluster.url));
  const fit: Choice<SavepointRecord>[] = [];
  const unfit: Choice<SavepointRecord>[] = [];
  for (const row of rows) {
    const { record } = row;
    if (record === null) continue;
    const can = question.can(row);
    if (!can && question.unfit === undefined) continue;
    const job = joinText(oneLine(record.job.name, 80), clusters.size > 1 && oneLine(record.cluster.name, 60));
    const text = savepointText(row, now);
    (can ? fit : unfit).push({
      label: `${can ? "$(save)" : "$(circle-slash)"} ${savepointTitle(row)}`, value: record,
      description: can ? text : joinText(job, row.state === "completed" && row.pinned ? "pinned" : null, text), group: can ? job : question.unfit ?? "",
    });
  }
  const first = (choice: Choice<SavepointRecord>): boolean => choice.value.cluster.url === question.cluster;
  return question.cluster === undefined ? [...fit, ...unfit] : [...fit.filter(first), ...fit.filter((choice) => !first(choice)), ...unfit];
}

/** Asks for a savepoint of the ledger. Resolves to undefined, and says so, when there is none for the verb. */
async function pickSavepoint(ask: Steps, world: CommandWorld, question: SavepointQuestion): Promise<SavepointRecord | undefined> {
  const records = await ask.wait("Reading the ledger", () => world.ledger.all());
  const choices = savepointChoices(world, records, question);
  if (choices.length > 0) return ask.choose({ placeholder: question.placeholder, choices });
  world.notify.refused("No savepoint fits. Savepoints that are taken here, or found in a job's history, are listed.", [{ title: "Trigger Savepoint…", command: "flinkSavepoints.trigger" }]);
  return undefined;
}

/** Asks for a savepoint unless the verb was aimed at one. */
export async function askSavepoint(world: CommandWorld, target: SavepointRef | undefined, title: string, question: SavepointQuestion): Promise<SavepointRecord | undefined> {
  if (target !== undefined) return recordOf(world, target.recordId, "used");
  return askInSteps(title, 1, (ask) => pickSavepoint(ask, world, question));
}

/** What a cluster is called, else its address; on one line. */
export function clusterName(world: CommandWorld, cluster: string): string {
  return oneLine(world.clusters.get(cluster)?.profile.name ?? cluster, 60);
}

/** What the cluster last said of a job, if it is listed there. */
export function jobSummary(world: CommandWorld, job: JobRef): JobSummary | undefined {
  return world.clusters.get(job.cluster)?.jobs.find((summary) => summary.jobId === job.jobId);
}

/** Asks every cluster for its jobs that may answer; those known to be down are left to their own schedule. */
async function lookAtClusters(world: CommandWorld, signal: AbortSignal): Promise<void> {
  const awake = world.clusters.list().filter((view) => !view.removed && view.reach.state !== "offline");
  await mapLimit(awake, 8, (view) => world.clusters.refresh(view.profile.url, signal));
}

function noCluster(world: CommandWorld): undefined {
  world.notify.refused("No Flink cluster is known yet.", [{ title: "Add Cluster…", command: "flinkSavepoints.addCluster" }, { title: "Start Local Flink", command: "flinkSavepoints.startLocalFlink" }]);
}

function clusterText(view: ClusterView): string {
  const { reach } = view;
  if (reach.state === "offline") return shortReason(reach.error);
  if (reach.state !== "online") return "not asked yet";
  const running = view.jobs.filter((job) => job.state === "RUNNING").length;
  return joinText(`Flink ${reach.info.version.text}`, reach.info.kind === "session" ? null : `${reach.info.kind}, starts no jobs`, running === 0 ? stateText(view.jobs) : countText(running, "running job"));
}

function stateText(jobs: readonly JobSummary[]): string {
  const [newest] = jobs;
  return newest === undefined ? "no jobs" : jobs.length === 1 ? `1 job, ${stateWord(newest.state)}` : `${countText(jobs.length, "job")}, none runs`;
}

/** The choices in the order of their views' rank; equal ones stay in theirs. */
function order<T>(choices: readonly Choice<T>[], views: readonly ClusterView[], rank: (view: ClusterView) => number): Choice<T>[] {
  return choices.map((choice, at) => ({ choice, rank: rank(views[at] as ClusterView) })).sort((a, b) => a.rank - b.rank).map(({ choice }) => choice);
}
