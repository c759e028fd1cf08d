import * as vscode from "vscode";
import type { FileRef, SnapshotPair, SnapshotRef } from "../../core/contributions";
import { isUsable, type LedgerRecord, type SavepointRecord } from "../../core/ledger/record";
import type { JobRef } from "../../core/model/job";
import { checkpointOwner, folderName, localPath, normaliseLocation } from "../../core/model/location";
import { checkpointText, oneLine } from "../../core/rowText";
import { savepointName } from "../../core/wording";
import { jobSummary, savepointChoices } from "./pick";
import { recordOf, refuse } from "./refuse";
import { askInSteps, type Choice, type Steps } from "./steps";
import type { CommandWorld } from "./world";

/** Something with a `_metadata` that can be read from here, as titles and questions call it. */
export interface Snapshot {
  /** `#1042`, or the folder's name where the number is not known. */
  readonly name: string;
  /** Null where nothing says whose it is. */
  readonly jobName: string | null;
  readonly jobId: string | null;
  /** The folder, normalised; on a local disk. */
  readonly location: string;
  /** When it was asked for, epoch milliseconds; null where nobody knows. */
  readonly takenAtMs: number | null;
}

/** Two snapshots, the older one first where that is known. */
export interface Snapshots {
  readonly left: Snapshot;
  readonly right: Snapshot;
}

/** The snapshot a command is about: the one it was aimed at, else asks. Undefined, and said, when it can't be read from here. */
export async function askSnapshot(world: CommandWorld, target: SnapshotRef | undefined, title: string): Promise<Snapshot | undefined> {
  const chosen = target ?? (await askInSteps(title, 1, (ask) => pickSnapshot(ask, world, "Which savepoint?")));
  return chosen === undefined ? undefined : snapshotOf(world, await fromDisk(chosen, title));
}

/** The two that a command compares: what it was aimed at, and for what is missing it asks. */
export async function askSnapshots(world: CommandWorld, target: SnapshotPair | SnapshotRef | undefined, title: string): Promise<Snapshots | undefined> {
  if (target !== undefined && "left" in target) return inOrder(await snapshotOf(world, target.left), () => snapshotOf(world, target.right));
  if (target !== undefined) {
    const first = await snapshotOf(world, target);
    if (first === undefined) return undefined;
    const name = first.jobName === null ? first.name : `${first.name} of ${first.jobName}`;
    const other = await askInSteps(`${title}: ${name}`, 1, (ask) => pickSnapshot(ask, world, "What is it compared with?", first));
    return other === undefined ? undefined : inOrder(first, async () => snapshotOf(world, await fromDisk(other, title)));
  }
  const both = await askInSteps(title, 2, async (ask) => {
    const one = await pickSnapshot(ask, world, "Which savepoint is compared?");
    const first = one === "file" ? undefined : await ask.wait("Looking for it", () => snapshotOf(world, one));
    return { one, other: await pickSnapshot(ask, world, "What is it compared with?", first) };
  });
  if (both === undefined) return undefined;
  return inOrder(await snapshotOf(world, await fromDisk(both.one, title)), async () => snapshotOf(world, await fromDisk(both.other, title)));
}

/** Both names in one title, the job once when it is the same: `#1017 ↔ #1042 · orders`. */
export function titleOf({ left, right }: Snapshots): string {
  if (left.jobName === right.jobName) return [`${left.name} ↔ ${right.name}`, ...(left.jobName === null ? [] : [left.jobName])].join(" · ");
  return [left, right].map(({ name, jobName }) => (jobName === null ? name : `${name} ${jobName}`)).join(" ↔ ");
}

async function inOrder(first: Snapshot | undefined, next: () => Promise<Snapshot | undefined>): Promise<Snapshots | undefined> {
  const second = first === undefined ? undefined : await next();
  if (first === undefined || second === undefined) return undefined;
  return first.takenAtMs !== null && second.takenAtMs !== null && second.takenAtMs < first.takenAtMs ? { left: second, right: first } : { left: first, right: second };
}

type Chosen = SnapshotRef | "file";

/** Savepoints that can be read, itself left out: those of `beside`'s job first, that job's checkpoints, those of jobs of its name, others, and any file. */
async function pickSnapshot(ask: Steps, world: CommandWorld, placeholder: string, beside?: Snapshot): Promise<Chosen> {
  const records = await ask.wait("Reading the ledger", () => world.ledger.all());
  const isOther = (path: string): boolean => beside === undefined || normaliseLocation(path) !== beside.location;
  const saved = savepointChoices(world, records, { placeholder, can: (row) => row.record !== null && isUsable(row.record) && row.path !== null && isOther(row.path) });
  // A job that was restored has another id and, as a rule, its name.
  const rank = ({ value: { job } }: Choice<SavepointRecord>): number => (beside === undefined ? 2 : job.id === beside.jobId ? 0 : oneLine(job.name, 80) === beside.jobName ? 1 : 2);
  const ref = ({ value, ...choice }: Choice<SavepointRecord>): Choice<Chosen> => ({ ...choice, value: { recordId: value.id } });
  const file: Choice<Chosen> = { label: "$(folder-opened) Choose a file…", description: "a _metadata on this machine", value: "file", group: "elsewhere" };
  return ask.choose<Chosen>({ placeholder, choices: [...saved.filter((choice) => rank(choice) === 0).map(ref), ...checkpointChoices(world, records, beside, isOther), ...saved.filter((choice) => rank(choice) > 0).sort((a, b) => rank(a) - rank(b)).map(ref), file] });
}

function checkpointChoices(world: CommandWorld, records: readonly LedgerRecord[], beside: Snapshot | undefined, isOther: (path: string) => boolean): Choice<Chosen>[] {
  const jobId = beside?.jobId ?? null;
  if (jobId === null) return [];
  const cluster = records.find((record): record is SavepointRecord => record.kind === "savepoint" && record.job.id === jobId)?.cluster.url ?? world.clusters.list().find(({ jobs }) => jobs.some((job) => job.jobId === jobId))?.profile.url;
  if (cluster === undefined) return [];
  const job: JobRef = { cluster, jobId };
  return world.jobs.checkpoints(job).flatMap((stats): Choice<Chosen>[] => {
    const { path, checkpointId, status, discarded } = stats;
    if (path === null || status !== "completed" || discarded || !isOther(path)) return [];
    return [{ label: `$(history) #${checkpointId}`, description: checkpointText(stats, world.clock.now()), value: { ...job, path, checkpointId }, group: "checkpoints of the job" }];
  });
}

/** Has a file chosen where that was asked for. */
async function fromDisk(chosen: Chosen, title: string): Promise<SnapshotRef | undefined> {
  if (chosen !== "file") return chosen;
  const [file] = (await vscode.window.showOpenDialog({ title, openLabel: "Choose", canSelectMany: false })) ?? [];
  return file;
}

/** What a reference stands for; undefined, and said, for what can't be read from here. */
async function snapshotOf(world: CommandWorld, ref: SnapshotRef | undefined): Promise<Snapshot | undefined> {
  if (ref === undefined) return undefined;
  if ("recordId" in ref) {
    const record = await recordOf(world, ref.recordId, "compared");
    if (record.path === null) return void refuse(world, `${savepointName(record)} has nothing to read.`, [{ rule: "not-completed", state: record.state }]);
    return readable(world, ofRecord(record), record.path, record.id);
  }
  if ("path" in ref) {
    const jobName = jobSummary(world, ref)?.name ?? null;
    return readable(world, { name: `#${ref.checkpointId}`, jobName: jobName === null ? null : oneLine(jobName, 80), jobId: ref.jobId, location: normaliseLocation(ref.path), takenAtMs: null }, ref.path, null);
  }
  const location = locationOf(ref);
  const record = (await world.ledger.all()).find((one): one is SavepointRecord => one.kind === "savepoint" && one.path !== null && normaliseLocation(one.path) === location);
  return readable(world, record === undefined ? { name: oneLine(folderName(location), 80), jobName: null, jobId: checkpointOwner(location) ?? null, location, takenAtMs: null } : ofRecord(record), location, record?.id ?? null);
}

function ofRecord(record: SavepointRecord): Snapshot {
  return { name: oneLine(savepointName(record), 80), jobName: oneLine(record.job.name, 80), jobId: record.job.id, location: normaliseLocation(record.path ?? ""), takenAtMs: record.requestedAtMs };
}

/** A file's folder as a location. */
function locationOf({ scheme, fsPath }: FileRef): string {
  return scheme === "file" ? normaliseLocation(fsPath.replace(/[\\/]_metadata$/, "")) : `${scheme}:${fsPath}`;
}

/** Lets through what is there. What lies elsewhere can at least be copied. */
async function readable(world: CommandWorld, snapshot: Snapshot, path: string, recordId: string | null): Promise<Snapshot | undefined> {
  const place = localPath(snapshot.location);
  const refused = (message: string): undefined =>
    world.notify.refused(message, [{ title: "Copy Path", command: "flinkSavepoints.copyPath", args: [recordId === null ? { cluster: "", jobId: "", path, checkpointId: 0 } : { recordId }] }]) as undefined;
  if (place === undefined) return refused(`${path} is not reachable from here yet: only savepoints on local disks can be read.`);
  const there = await (await world.inspection()).formatOf(snapshot.location);
  return there === undefined ? refused(`There is no _metadata at ${path} that can be read on this machine.`) : snapshot;
}
