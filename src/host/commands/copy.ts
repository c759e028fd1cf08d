import * as vscode from "vscode";
import { cliHindrance, cliLine, type CliTarget, type CliVerb } from "../../core/cli";
import type { CheckpointRef, SavepointRef } from "../../core/contributions";
import { FlinkError } from "../../core/errors";
import { isUsable, type RestoreRecord, type SavepointRecord } from "../../core/ledger/record";
import type { JobRef } from "../../core/model/job";
import { parseFlinkVersion } from "../../core/model/version";
import { oneLine } from "../../core/rowText";
import { savepointName } from "../../core/wording";
import { askSavepoint, jobSummary, pickJob, savepointChoices } from "./pick";
import { recordOf, refuse } from "./refuse";
import { askInSteps } from "./steps";
import type { CommandWorld } from "./world";

/** *Copy Path* of a savepoint or checkpoint. */
export async function copyPath(world: CommandWorld, target?: SavepointRef | CheckpointRef): Promise<void> {
  if (target !== undefined && "path" in target) return copyText("path", target.path);
  const record = await askSavepoint(world, target, "Copy Path", { placeholder: "Which savepoint's path?", can: (row) => row.path !== null });
  if (record === undefined) return;
  if (record.path === null) return refuse(world, "There is no path to copy.", [{ rule: "not-completed", state: record.state }]);
  await copyText("path", record.path);
}

/** *Copy Trigger Id*: what the REST API and Flink's logs call the operation. */
export async function copyTriggerId(world: CommandWorld, target?: SavepointRef): Promise<void> {
  const record = await askSavepoint(world, target, "Copy Trigger Id", { placeholder: "Which savepoint's trigger id?", can: (row) => row.record !== null && row.origin !== "found" });
  if (record === undefined) return;
  if (record.origin === "found") return world.notify.refused(`${savepointName(record)} was found in the job's history, which does not say its trigger id.`);
  await copyText("trigger id", record.id);
}

/** *Copy as JSON*: the ledger's record, as it is. */
export async function copyJson(world: CommandWorld, target?: SavepointRef): Promise<void> {
  const record = await askSavepoint(world, target, "Copy as JSON", { placeholder: "Which savepoint's record?", can: () => true });
  if (record !== undefined) await copyText("record", JSON.stringify(record, undefined, 2));
}

/** *Copy as CLI Command*: the `bin/flink` line that does what a verb would, for the cluster's version. Asks which when several fit. */
export async function copyCli(world: CommandWorld, target?: SavepointRef | CheckpointRef | JobRef): Promise<void> {
  const subject = await askSubject(world, target);
  if (subject === undefined) return;
  const lines = await subject.lines();
  if (typeof lines === "string") return world.notify.refused(lines);
  const [only, second] = lines;
  const chosen = second === undefined ? only?.line : await askInSteps(`Copy as CLI Command: ${subject.name}`, 1, (ask) => ask.choose({
    placeholder: "Which command?", choices: lines.map(({ verb, line }) => ({ label: verb, detail: line, value: line })),
  }));
  if (chosen !== undefined) await copyText("command", chosen);
}

/** Puts a text on the clipboard and says so where it is in nobody's way. Throws `location-invalid` for what a terminal would take for keys: a path is Flink's word. */
export async function copyText(what: string, text: string): Promise<void> {
  if (/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(text)) throw new FlinkError("location-invalid", { location: text, fault: "unreadable" });
  await vscode.env.clipboard.writeText(text);
  vscode.window.setStatusBarMessage(`$(copy) Copied the ${what}`, 3000);
}

/** The name of the jar in a restore line: the one that started the job last, else one to be filled in. */
async function jarOf(world: CommandWorld, jobName: string): Promise<string> {
  const starts = (await world.ledger.all()).filter((record): record is RestoreRecord => record.kind === "restore" && record.jobName === jobName);
  const last = starts.sort((a, b) => b.requestedAtMs - a.requestedAtMs)[0];
  return last?.jar.file ?? last?.jar.name ?? "job.jar";
}

interface Line {
  readonly verb: string;
  readonly line: string;
}

interface CliSubject {
  readonly name: string;
  /** The lines that fit, or why there is none. */
  lines(): Promise<readonly Line[] | string>;
}

async function askSubject(world: CommandWorld, target: SavepointRef | CheckpointRef | JobRef | undefined): Promise<CliSubject | undefined> {
  if (target === undefined) {
    return askInSteps("Copy as CLI Command", 1, async (ask): Promise<CliSubject | undefined> => {
      const saved = savepointChoices(world, await ask.wait("Reading the ledger", () => world.ledger.all()), { placeholder: "", can: (row) => row.record !== null && isUsable(row.record) });
      const what = saved.length === 0 ? "job" : await ask.choose({
        placeholder: "A command for what?",
        choices: [{ label: "A job", description: "take a savepoint, stop or cancel", value: "job" }, { label: "A savepoint", description: "restore from it or dispose of it", value: "savepoint" }],
      });
      ask.expect(1);
      if (what === "savepoint") return ofSavepoint(world, await ask.choose({ placeholder: "Which savepoint is the command for?", choices: saved }));
      const job = await pickJob(ask, world, "copy");
      return job && ofJob(world, job);
    });
  }
  if ("recordId" in target) return ofSavepoint(world, await recordOf(world, target.recordId, "used"));
  return "path" in target ? ofCheckpoint(world, target) : ofJob(world, target);
}

function ofJob(world: CommandWorld, job: JobRef): CliSubject {
  const name = oneLine(jobSummary(world, job)?.name ?? job.jobId, 80);
  return {
    name,
    lines: async () => {
      const cli = await targetOf(world, job.cluster, null);
      const info = await world.progress.inView((run) => world.clusters.info(job.cluster, run.signal));
      if (info.kind === "history") return "This is a history server: there is nothing that a command could change.";
      const recent = (await world.jobs.recentDirectories(job.cluster))[0];
      const directory = info.savepointDirectory !== null ? {} : { directory: recent ?? "DIRECTORY" };
      return linesFor(cli, [
        ["Trigger savepoint", { verb: "trigger", jobId: job.jobId, format: "canonical", ...directory }],
        ["Stop with savepoint", { verb: "stop", jobId: job.jobId, format: "canonical", drain: false, ...directory }],
        ["Cancel without savepoint", { verb: "cancel", jobId: job.jobId }],
      ]);
    },
  };
}

function ofSavepoint(world: CommandWorld, record: SavepointRecord): CliSubject {
  const { path } = record;
  return {
    name: `${savepointName(record)} of ${oneLine(record.job.name, 80)}`,
    lines: async () => {
      if (path === null || !isUsable(record)) return `No command does anything with ${savepointName(record)} of ${oneLine(record.job.name, 80)}: it is ${record.disposal?.state === "disposed" ? "disposed of" : record.state}.`;
      const cli = await targetOf(world, record.cluster.url, record.flinkVersion);
      return linesFor(cli, [
        ["Restore", { verb: "restore", jar: await jarOf(world, record.job.name), savepointPath: path, claimMode: "NO_CLAIM" }],
        ["Dispose", { verb: "dispose", path }],
      ]);
    },
  };
}

function ofCheckpoint(world: CommandWorld, checkpoint: CheckpointRef): CliSubject {
  const job = jobSummary(world, checkpoint)?.name ?? checkpoint.jobId;
  return {
    name: `checkpoint #${checkpoint.checkpointId}`,
    lines: async () => linesFor(await targetOf(world, checkpoint.cluster, null), [["Restore", { verb: "restore", jar: await jarOf(world, job), savepointPath: checkpoint.path, claimMode: "NO_CLAIM" }]]),
  };
}

function linesFor(cli: CliTarget, actions: readonly (readonly [string, CliVerb])[]): readonly Line[] | string {
  return cliHindrance(cli) ?? actions.map(([verb, action]) => ({ verb, line: cliLine(cli, action) }));
}

/** The cluster with its version; for one that is gone or down, the version that wrote the savepoint. */
async function targetOf(world: CommandWorld, cluster: string, written: string | null): Promise<CliTarget> {
  const reach = world.clusters.get(cluster)?.reach;
  const version = reach?.state === "online" ? reach.info.version : written === null ? undefined : parseFlinkVersion(written);
  if (version !== undefined) return { url: cluster, version };
  return { url: cluster, version: (await world.progress.inView((run) => world.clusters.info(cluster, run.signal))).version };
}
