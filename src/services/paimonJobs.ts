import { isAbort } from "../core/base/async";
import type { Warning } from "../core/guards";
import { isUsable, jobOf, type SavepointRecord } from "../core/ledger/record";
import type { Ledger } from "../core/ledger/store";
import { isSameJob, type JobRef } from "../core/model/job";
import { newestUsable } from "../core/ledger/queries";
import { committedTables, type PaimonSink, type PaimonSinks } from "../core/paimon/sinks";
import { pairTitle } from "../core/paimon/pairText";
import type { Log } from "../core/ports";
import type { ClusterService } from "./clusters";
import { pairedPlace, type KnownPairs, type PairedPlace, type PairService } from "./pairs";
import type { WarehouseService } from "./warehouses";

/** Pairs that were looked at within this time are new enough for a question. */
const freshMs = 30_000;

/** Which Paimon tables a job writes, as far as that can be seen; never a guess. */
export class PaimonJobs {
  readonly #clusters: ClusterService;
  readonly #ledger: Ledger;
  readonly #pairs: PairService;
  readonly #warehouses: WarehouseService;
  readonly #log: Log;

  constructor(clusters: ClusterService, ledger: Ledger, pairs: PairService, warehouses: WarehouseService, log: Log) {
    this.#clusters = clusters;
    this.#ledger = ledger;
    this.#pairs = pairs;
    this.#warehouses = warehouses;
    this.#log = log;
  }

  /** The Paimon sinks of a running job; undefined when none is seen. What can't be asked or read says nothing. Rejects with the signal's reason only. */
  async sinksOf(job: JobRef, signal: AbortSignal): Promise<PaimonSinks | undefined> {
    const names = await this.#asked(() => this.#clusters.client(job.cluster).job(job.jobId, signal).then(({ vertices }) => committedTables(vertices.map(({ name }) => name))), signal);
    if (names?.length === 0) return undefined;
    const last = await this.#asked(() => this.#lastPairs(job, signal), signal);
    if (names !== undefined) {
      const sinks: PaimonSink[] = [];
      for (const name of names) {
        const own = pairsOfSink(last, name);
        const tables = (await this.#asked(() => this.#warehouses.tablesCalled(name, signal), signal)) ?? [];
        const said = new Set(tables.map(({ autoTag }) => (autoTag ? "table-on" as const : "table-off" as const)));
        const proven = own.flatMap(({ place }) => place ?? []);
        sinks.push({ table: name, autoTag: autoTagIn(own) ?? (said.size === 1 ? [...said][0] : undefined) ?? "unknown", places: proven.length > 0 ? proven : tables.map(({ warehouse, table }) => ({ warehouse, table })) });
      }
      return { seenIn: "graph", sinks };
    }
    const pairs = last?.pairs ?? [];
    return pairs.length === 0 ? undefined : { seenIn: "savepoint", sinks: pairs.map(({ place, sink }) => ({ table: place?.table ?? sink.objectName ?? sink.operatorId.slice(0, 6), autoTag: sink.autoTag ? "on" : "off", places: place === null ? [] : [place] })) };
  }

  /** What to know before a savepoint or a stop of a running job (P-2…P-7). */
  async warnings(job: JobRef, verb: "trigger" | "stop", intervalMs: number | null, signal: AbortSignal): Promise<Warning[]> {
    const found = await this.sinksOf(job, signal);
    if (found === undefined) return [];
    const warnings: Warning[] = [];
    const off = (autoTag: PaimonSink["autoTag"]): PaimonSink[] => found.sinks.filter((sink) => sink.autoTag === autoTag);
    if (verb === "trigger") warnings.push({ warning: "paimon-later", tables: found.sinks.map(({ table }) => table), intervalMs, tagged: !found.sinks.every(({ autoTag }) => autoTag === "off" || autoTag === "table-off") });
    for (const [by, sinks] of [["job", off("off")], ["table", off("table-off")]] as const) if (sinks.length > 0) warnings.push({ warning: "paimon-untagged", tables: sinks.map(({ table }) => table), by, places: sinks.flatMap(({ places }) => places) });
    return warnings;
  }

  /** What to know before the input of a running job is ended for good: its savepoint gets no tag. */
  async drainWarnings(job: JobRef, signal: AbortSignal): Promise<Warning[]> {
    const found = await this.sinksOf(job, signal);
    return found === undefined ? [] : [{ warning: "paimon-drain", tables: found.sinks.map(({ table }) => table) }];
  }

  /** What to know before a restore from a savepoint (P-1, P-20); nothing when it holds no sink of Paimon, or can't be read from here. */
  async restoreWarnings(place: PairedPlace, signal: AbortSignal): Promise<Warning[]> {
    const found = await this.#asked(() => this.#pairs.pairsOf(place, 0, signal), signal);
    if (found === undefined || found.pairs.length === 0) return [];
    const by = { moved: [] as string[], unproven: [] as string[], ready: [] as string[] };
    for (const pair of found.pairs) {
      const { grade, snapshot } = pair.pairing;
      const isProven = snapshot !== null && (grade === "exact" || grade === "unprotected" || grade === "idle" || grade === "drained" || grade === "foreign" || grade === "waiting");
      by[!isProven ? "unproven" : pair.latestSnapshotId !== null && pair.latestSnapshotId > snapshot.id ? "moved" : "ready"].push(pairTitle(pair));
    }
    return [{ warning: "paimon-restore", ...by }];
  }

  /** Pairs of a savepoint that wait for the job's next checkpoint (P-6): what a cancel gives up, by savepoint. */
  async waiting(job: JobRef, signal: AbortSignal): Promise<readonly { readonly savepoint: SavepointRecord; readonly tables: readonly string[] }[]> {
    const mine = (await this.#ledger.all()).filter((record): record is SavepointRecord => record.kind === "savepoint" && isSameJob(jobOf(record), job) && isUsable(record) && !record.forgotten);
    mine.sort((a, b) => b.requestedAtMs - a.requestedAtMs);
    const found: { readonly savepoint: SavepointRecord; readonly tables: readonly string[] }[] = [];
    // An older one has seen checkpoints since.
    for (const savepoint of mine.slice(0, 3)) {
      const place = pairedPlace(savepoint);
      const pairs = place === undefined ? undefined : await this.#asked(() => this.#pairs.pairsOf(place, 0, signal), signal);
      const tables = (pairs?.pairs ?? []).filter(({ pairing }) => pairing.grade === "waiting").map(pairTitle);
      if (tables.length > 0) found.push({ savepoint, tables });
    }
    return found;
  }

  /** Pairs of the job's newest savepoint; undefined when there is none that can be read. */
  async #lastPairs(job: JobRef, signal: AbortSignal): Promise<KnownPairs | undefined> {
    const mine = (await this.#ledger.all()).filter((record): record is SavepointRecord => record.kind === "savepoint" && isSameJob(jobOf(record), job));
    const newest = newestUsable(mine, new Set());
    const place = newest === null ? undefined : pairedPlace(newest);
    return place === undefined ? undefined : this.#pairs.pairsOf(place, freshMs, signal);
  }

  async #asked<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted || isAbort(error)) throw error;
      this.#log.debug("looking for Paimon sinks", error);
      return undefined;
    }
  }
}

function pairsOfSink(last: KnownPairs | undefined, name: string): KnownPairs["pairs"] {
  return (last?.pairs ?? []).filter(({ place, sink }) => sink.objectName === name || place?.table.endsWith(`.${name}`) === true);
}

function autoTagIn(own: KnownPairs["pairs"]): PaimonSink["autoTag"] | undefined {
  return own.length === 0 ? undefined : own.every(({ sink }) => sink.autoTag) ? "on" : "off";
}
