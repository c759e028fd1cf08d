import { stat } from "node:fs/promises";
import { metadataFileAt, openLocalFile, openRegularFile } from "../clients/localFiles";
import { localWarehouse } from "../clients/paimon/localWarehouse";
import { explainRefusal } from "../core/explain";
import { scanMetadata } from "../core/metadata/scan";
import { parseFlinkVersion, type FlinkVersion } from "../core/model/version";
import { defaultCatalog } from "../core/model/warehouse";
import { FileTables } from "../core/paimon/fileTables";
import { paimonCommitters } from "../core/paimon/committers";
import { pairReasonText } from "../core/paimon/pairText";
import { movedOn, planRollback, stepsFor, type OtherSavepoint, type RollbackPlan } from "../core/paimon/rollback/plan";
import { shellQuote } from "../core/cli";
import { actionLine, remarksOf, runbookText, type RunbookWay } from "../core/paimon/rollback/rollbackText";
import { savepointName } from "../core/wording";
import { systemClock } from "../core/base/async";
import { readArguments } from "./arguments";
import { UsageError, type Command, type Terminal } from "./command";
import { printable } from "./printable";
import { pathArgument, warehouseArgument } from "./pathArgument";
import { savepointsIn, withoutFolders } from "./savepointFolders";

/**
 * `rollback WAREHOUSE SAVEPOINT --plan`: the rollback of all tables that a savepoint's job writes, as a runbook; changes nothing. Exit code 1 when
 * something forbids it.
 */
export const rollback: Command = {
  usage: "WAREHOUSE SAVEPOINT --plan [--sql FLINK_VERSION] [--savepoints DIR…] [--json]",
  about: "Prints how to take a job's Paimon tables back to a savepoint: what is deleted, the commands, what to look at. Changes nothing.",
  async run(args, terminal) {
    const { before, folders } = withoutFolders(args);
    const { flags, values, rest } = readArguments(before, { flags: ["plan", "json"], values: ["sql"] });
    const [warehouse, savepoint, ...more] = rest;
    if (warehouse === undefined) throw new UsageError("The warehouse is missing.");
    if (savepoint === undefined) throw new UsageError("The savepoint is missing.");
    if (more.length > 0) throw new UsageError(`There is one warehouse and one savepoint; ${more.join(" ")} is too much.`);
    if (!flags.plan) throw new UsageError("--plan is missing: this program only prints what to do.");
    const sql = values.sql === undefined ? undefined : parseFlinkVersion(values.sql);
    if (values.sql !== undefined && sql === undefined) throw new UsageError(`--sql takes a Flink version such as 1.20, not ${values.sql}.`);
    const plan = await planOf(await warehouseArgument(warehouse, terminal.workingFolder), pathArgument(savepoint, terminal.workingFolder), folders.map((folder) => pathArgument(folder, terminal.workingFolder)), terminal);
    const way = wayTo(sql);
    if (flags.json) terminal.out(JSON.stringify(reported(plan, way), null, 2));
    else if (plan.tables.length > 0) await terminal.write(`${runbookText(plan, plan.refusals, `flink run -s ${shellQuote(plan.savepoint.path)} job.jar`, way, systemClock.now()).split("\n").map((line) => printable(line)).join("\n")}\n`);
    for (const refusal of plan.refusals) terminal.err(`problem: ${printable(explainRefusal(refusal))}`);
    return plan.refusals.length > 0 ? 1 : 0;
  },
};

async function planOf(warehouse: string, savepoint: string, folders: readonly string[], terminal: Terminal): Promise<RollbackPlan> {
  const file = await metadataFileAt(savepoint);
  const { mtimeMs } = await stat(file);
  const metadata = await openRegularFile(file);
  try {
    return await planRollback({
      savepoint: { path: savepoint, recordId: null, jobName: null, completedMs: mtimeMs }, metadata, open: openLocalFile,
      warehouses: [{ location: warehouse, tables: new FileTables(localWarehouse, warehouse), files: { folder: warehouse, reader: localWarehouse } }], away: [],
      others: (numbers) => others(numbers, savepoint, folders, terminal),
    }, terminal.signal);
  } finally {
    await metadata.close();
  }
}

/** The given savepoints with one of these numbers. */
async function others(numbers: ReadonlySet<bigint>, savepoint: string, folders: readonly string[], terminal: Terminal): Promise<OtherSavepoint[]> {
  const found: OtherSavepoint[] = [];
  const problems: string[] = [];
  for await (const { path, metadata } of savepointsIn(folders, problems, terminal)) {
    const scanned = path === savepoint ? undefined : (await scanMetadata(metadata, { signal: terminal.signal })).metadata;
    if (scanned === undefined || !numbers.has(scanned.checkpointId)) continue;
    const committers = await paimonCommitters(metadata, scanned, { folder: path, open: openLocalFile }, terminal.signal);
    found.push({ name: `${savepointName({ checkpointId: Number(scanned.checkpointId), path })} (${path})`, checkpointId: scanned.checkpointId, commitUsers: committers.flatMap(({ commitUser }) => commitUser ?? []) });
  }
  for (const problem of problems) terminal.err(`problem: ${printable(problem)}`);
  return found;
}

function wayTo(sql: FlinkVersion | undefined): RunbookWay {
  return { sql, profile: (path) => ({ path, catalog: defaultCatalog, catalogOptions: {} }) };
}

function reported(plan: RollbackPlan, way: RunbookWay): object {
  return {
    savepoint: plan.savepoint.path,
    checkpointId: plan.savepoint.checkpointId,
    movedOn: movedOn(plan).map(({ table }) => table.name),
    tables: plan.tables.map((table) => ({
      table: table.table.name, grade: table.pairing.grade, reasons: table.pairing.reasons.map(pairReasonText), tag: table.tag.isNew ? null : table.tag.name,
      snapshotId: table.target.id, commitUser: table.target.commitUser, commitIdentifier: String(table.target.commitIdentifier), newestSnapshotId: table.latestId,
      deletes: { snapshots: table.snapshots.map(({ id }) => id), tags: table.tags },
      remarks: remarksOf(table), commands: stepsFor(table, null).map((action) => actionLine(table, action, way) ?? null),
    })),
    refusals: plan.refusals.map(explainRefusal),
  };
}
