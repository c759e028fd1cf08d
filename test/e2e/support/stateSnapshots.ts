import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { BackendRelease } from "../../rig/metadataPeer";
import { rootFolder, startFlink, until, type TestFlink } from "../../rig/flink";

/** A snapshot that real Flink has taken of the state job. */
export interface TakenSnapshot {
  /** Such as "rocksdb checkpoint 3". */
  readonly name: string;
  readonly job: string;
  readonly kind: "canonical savepoint" | "native savepoint" | "checkpoint";
  /** Holds `_metadata`. */
  readonly folder: string;
}

/** Every key of the state job has its entries. */
export const keys = 6;

/** All run at once, on a machine with perhaps two cores. */
const patienceMs = 120_000;

/** Two of the operator that ends at once, one of that which ends in part. */
const finishedTasks = 3;

interface Run {
  readonly name: string;
  readonly savepoints: readonly ("CANONICAL" | "NATIVE")[];
  /** Waits for so many. */
  readonly checkpoints: number;
  readonly conf: readonly string[];
  readonly args?: Readonly<Record<string, number>>;
}

const heap = "state.backend.type=hashmap";
const rocksdb = "state.backend.type=rocksdb";
const changelog = ["state.changelog.enabled=true", "state.changelog.periodic-materialize.interval=3 s"];
const fewChanges = { "source-sleep-us": 200_000 };
const slowKeys = { "source-sleep-us": 0, "keyed-sleep-us": 2000 };

/** What is run at the same time on one Flink. */
const runs: readonly Run[] = [
  { name: "heap", savepoints: ["CANONICAL", "NATIVE"], checkpoints: 1, conf: [heap] },
  { name: "rocksdb", savepoints: ["CANONICAL", "NATIVE"], checkpoints: 3, conf: [rocksdb, "execution.checkpointing.incremental=true"] },
  { name: "rocksdb-full", savepoints: [], checkpoints: 1, conf: [rocksdb, "execution.checkpointing.incremental=false"] },
  { name: "unaligned", savepoints: [], checkpoints: 1, conf: [heap, "execution.checkpointing.unaligned.enabled=true", "execution.checkpointing.snapshot-compression=true"], args: slowKeys },
  { name: "changelog-heap", savepoints: ["CANONICAL"], checkpoints: 3, conf: [heap, ...changelog], args: fewChanges },
  { name: "changelog-rocksdb", savepoints: [], checkpoints: 3, conf: [rocksdb, "execution.checkpointing.incremental=true", ...changelog], args: fewChanges },
  { name: "merged", savepoints: [], checkpoints: 1, conf: [heap, "execution.checkpointing.file-merging.enabled=true", "execution.checkpointing.file-merging.across-checkpoint-boundary=true"] },
  { name: "forst", savepoints: ["NATIVE"], checkpoints: 2, conf: ["state.backend.type=forst", "execution.checkpointing.incremental=true"] },
];

/**
 * Runs the state job on every state backend of a release, takes snapshots of all kinds, cancels the jobs and resolves to what lies on disk. The
 * 1.x release keeps changelogs in the metadata, the newest one in files. `use` gets the snapshots before Flink's folder is removed. `jobs` are the names of those to run, all by default.
 */
export async function withSnapshots<T>(version: BackendRelease, use: (snapshots: readonly TakenSnapshot[]) => Promise<T>, jobs?: ReadonlySet<string>): Promise<T> {
  const changes = await fs.mkdtemp(path.join(tmpdir(), "changelog-"));
  const storage = version.startsWith("1.") ? { "state.changelog.storage": "memory" } : { "state.changelog.storage": "filesystem", "dstl.dfs.base-path": `file://${changes}` };
  const flink = await startFlink(version, { backends: true, extraConfig: {
    "taskmanager.numberOfTaskSlots": "16", "taskmanager.memory.task.heap.size": "512m", "taskmanager.memory.managed.size": "128m", "taskmanager.memory.jvm-metaspace.size": "256m",
    // Buffers in flight, and files for all but the smallest state, by the new name and the one before 2.0.
    "taskmanager.memory.segment-size": "4kb", "execution.checkpointing.data-inline-threshold": "800b", "state.storage.fs.memory-threshold": "800b",
    "execution.checkpointing.num-retained": "10", "state.backend.rocksdb.memory.managed": "false", "state.backend.forst.memory.managed": "false", ...storage,
  } });
  try {
    const jar = path.join(await rootFolder(), "dist", "state-job.jar");
    const all = runs.filter(({ name }) => (name !== "forst" || !version.startsWith("1.")) && (jobs?.has(name) ?? true));
    const started: { readonly run: Run; readonly id: string }[] = [];
    await flink.upload(jar);
    for (const run of all) started.push({ run, id: await flink.runTestJob({ "job-name": run.name, "source-sleep-us": 20_000, keys, ...run.args, conf: ["execution.checkpointing.interval=2 s", ...run.conf] }, { jar }) });
    const taken = await Promise.all(started.map(({ run, id }) => snapshotsOf(flink, run, id).catch(async (error: unknown) => {
      const said = (await historyOf(flink, id).catch(() => [])).map(({ id: number, status, failure_message: message = "" }) => `${number} ${status} ${message}`);
      throw new Error(`${run.name} did not go as planned: ${error instanceof Error ? error.message.slice(0, 1000) : String(error)} Checkpoints: ${said.join("; ")}`, { cause: error });
    })));
    return await use(taken.flat());
  } finally {
    await flink.stop();
    await fs.rm(changes, { recursive: true, force: true });
  }
}

async function snapshotsOf(flink: TestFlink, run: Run, id: string): Promise<TakenSnapshot[]> {
  await flink.waitUntilRunning(id, patienceMs);
  // A savepoint fails when a task ends while it is begun.
  await until(`the end of what is finite in ${run.name}`, async () => {
    const { vertices } = await flink.rest<{ vertices: readonly { tasks: Readonly<Record<string, number>> }[] }>("GET", `/jobs/${id}`);
    return vertices.reduce((sum, { tasks }) => sum + (tasks["FINISHED"] ?? 0), 0) >= finishedTasks;
  }, patienceMs);
  // What is told is up to a second old, so a checkpoint that began before may come to light only now.
  const endedMs = Date.now();
  let found: readonly Checkpoint[] = [];
  await until(`${run.checkpoints} checkpoints of ${run.name}`, async () => {
    found = (await historyOf(flink, id)).filter(({ trigger_timestamp: beganMs, status, is_savepoint: isSavepoint }) => beganMs > endedMs && status === "COMPLETED" && !isSavepoint);
    return found.length >= run.checkpoints;
  }, patienceMs);
  const taken: TakenSnapshot[] = [];
  for (const format of run.savepoints) {
    const location = await flink.savepoint(id, "savepoints", { formatType: format });
    taken.push({ name: `${run.name} ${format.toLowerCase()}`, job: run.name, kind: `${format.toLowerCase() as "canonical" | "native"} savepoint`, folder: fileURLToPath(location.replace(/^file:\/*/, "file:///")) });
  }
  await flink.rest("PATCH", `/jobs/${id}`);
  await flink.waitForState(id, "CANCELED");
  for (const [i, { external_path: location }] of found.slice(-run.checkpoints).entries()) {
    taken.push({ name: `${run.name} checkpoint ${i + 1}`, job: run.name, kind: "checkpoint", folder: fileURLToPath(location.replace(/^file:\/*/, "file:///")) });
  }
  return taken;
}

interface Checkpoint {
  readonly id: number;
  readonly status: string;
  /** Milliseconds since 1970, by the JobManager's clock, which is ours. */
  readonly trigger_timestamp: number;
  readonly is_savepoint: boolean;
  readonly external_path: string;
  readonly failure_message?: string;
}

async function historyOf(flink: TestFlink, id: string): Promise<readonly Checkpoint[]> {
  const { history } = await flink.rest<{ history: readonly Checkpoint[] }>("GET", `/jobs/${id}/checkpoints`);
  return [...history].sort((left, right) => left.id - right.id);
}
