import { isAbort, mapLimit } from "../core/base/async";
import type { TableRef } from "../core/contributions";
import { isFlinkError, type Refusal } from "../core/errors";
import type { LedgerRecord } from "../core/ledger/record";
import { isTerminal } from "../core/model/job";
import { placeKey } from "../core/model/location";
import type { StorageLook } from "../core/ports";
import { tableAddress } from "../core/paimon/actions";
import { writtenBy } from "../core/paimon/rollback/plan";
import { oneLine, shortReason } from "../core/rowText";
import { unlessUnknown } from "./following";
import type { SavepointWorld } from "./savepoints";

/** What is known of writers to tables that are to be rolled back. */
export interface TableWriters {
  /** Jobs that write to them, or may. */
  readonly refusals: readonly Refusal[];
  /** Clusters that do not answer. */
  readonly unchecked: readonly { readonly cluster: string; readonly reason: string }[];
}

/**
 * Jobs that run and write to one of the tables, by the names of their operators (P-11, rule 5). These lack the database: a job whose savepoints are proven to belong
 * to tables of that name elsewhere is none of them. `own`: the cluster that must answer.
 */
export async function writersOf({ clusters, ledger }: Pick<SavepointWorld, "clusters" | "ledger">, look: Pick<StorageLook, "real">, tables: readonly TableRef[], own: string | null, signal: AbortSignal): Promise<TableWriters> {
  const followed = async (of: readonly TableRef[]): Promise<readonly FollowedTable[]> => Promise.all(of.map(async ({ warehouse, table }) => ({ table, place: placeKey(await look.real(warehouse)) })));
  const ours = await followed(tables);
  const refusals: Refusal[] = [];
  const unchecked: { cluster: string; reason: string }[] = [];
  const records = await ledger.all();
  await mapLimit(clusters.list(), 4, async ({ profile }) => {
    try {
      const client = clusters.client(profile.url);
      const running = (await client.jobs(signal)).filter(({ state }) => !isTerminal(state));
      for (const { jobId, name } of running) {
        const job = await unlessUnknown(client.job(jobId, signal));
        if (job === undefined) continue;
        // A job that only starts has no graph yet, and may write to any of them in a moment.
        if (job.vertices.length === 0) refusals.push({ rule: "writers-unchecked", cluster: profile.name, reason: `${oneLine(name, 80)} is only starting` });
        const operators = job.vertices.map((vertex) => vertex.name);
        const written = new Set(operators.flatMap(writtenBy));
        const proven = distinct(await followed(provenPlaces(records, profile.url, jobId)));
        const theirs = ours.filter((table) => written.has(objectOf(table.table)) && !writesElsewhere(table, operators, proven));
        if (theirs.length > 0) refusals.push({ rule: "writer-running", table: theirs.map(({ table }) => table).join(" and "), by: { jobId, name } });
      }
    } catch (error) {
      if (isAbort(error)) throw error;
      const reason = isFlinkError(error) ? shortReason(error) : String(error);
      if (profile.url === own) refusals.push({ rule: "writers-unchecked", cluster: profile.name, reason });
      else unchecked.push({ cluster: profile.name, reason });
    }
  });
  return { refusals, unchecked };
}

const objectOf = (table: string): string => tableAddress(table).table;

/** The tables that savepoints of this very job were proven to belong to; which ones it writes can't change while it runs. */
function provenPlaces(records: readonly LedgerRecord[], cluster: string, jobId: string): readonly TableRef[] {
  const mine = new Set(records.flatMap((record) => (record.kind === "savepoint" && record.cluster.url === cluster && record.job.id === jobId ? [record.id] : [])));
  return records.flatMap((record) => (record.kind === "pair" && record.savepoint.recordId !== null && mine.has(record.savepoint.recordId) ? [{ warehouse: record.warehouse, table: record.table }] : []));
}

/** A table with its warehouse by a key: one folder that has two paths is one warehouse. */
interface FollowedTable {
  readonly table: string;
  readonly place: string;
}

function distinct(tables: readonly FollowedTable[]): readonly FollowedTable[] {
  return tables.filter((one, at) => tables.findIndex((other) => other.place === one.place && other.table === one.table) === at);
}

/** Whether each committer of the table's name is accounted for by another table of that name. What compacts has no savepoint that tells. */
function writesElsewhere(table: FollowedTable, operators: readonly string[], proven: readonly FollowedTable[]): boolean {
  const name = objectOf(table.table);
  const alike = proven.filter((place) => objectOf(place.table) === name);
  const committers = operators.flatMap((operator) => [...operator.matchAll(/Global Committer ?: ?([^\s,)\]]+)/g)]).filter(([, committed]) => committed === name).length;
  return committers > 0 && alike.length >= committers && !alike.some((each) => each.place === table.place && each.table === table.table);
}
