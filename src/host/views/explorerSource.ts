import type { FlinkError } from "../../core/errors";
import { isFlinkError } from "../../core/errors";
import type { Ledger } from "../../core/ledger/store";
import { liesAside, type RestoreRecord } from "../../core/ledger/record";
import { isTerminal, type JobRef } from "../../core/model/job";
import type { PairedJob } from "../../core/paimon/pairText";
import type { Clock, Log } from "../../core/ports";
import type { JobRow, SavepointRow } from "../../core/rows";
import type { ClusterService, ClusterView } from "../../services/clusters";
import type { JobService } from "../../services/jobs";
import type { RestoreService } from "../../services/restores";
import type { SavepointService } from "../../services/savepoints";
import type { OtherPins } from "../../services/otherPins";
import type { PairService } from "../../services/pairs";
import type { WarehouseService } from "../../services/warehouses";
import type { ScheduleRows } from "./scheduleRows";
import { checkpointNodes, failureNode, nodeId, type ExplorerNode } from "./explorerRows";
import { paimonPage, PaimonSource } from "./paimonSource";

/** Rows of a list that are shown at first, and added by *Show more*. */
const pageSize = { jobs: 200, savepoints: 50 } as const;

/** At most this many clusters are open at first: each open one is asked all the time. */
const openAtFirst = 3;

/** Where rows come from. */
export interface SourceWorld {
  readonly clusters: ClusterService;
  readonly jobs: JobService;
  readonly savepoints: SavepointService;
  readonly restores: RestoreService;
  readonly warehouses: WarehouseService;
  readonly pairs: PairService;
  readonly otherPins: OtherPins;
  readonly ledger: Ledger;
  readonly schedules: Pick<ScheduleRows, "plansOf">;
  readonly clock: Clock;
  readonly log: Log;
}

/** The nodes below each node. Asks the services only, which answer from what they know; never rejects. */
export class ExplorerSource {
  readonly #world: SourceWorld;
  /** Lists that gateways tell come later. */
  readonly paimon: PaimonSource;
  /** Rows to show of a list that was lengthened. */
  readonly #lengths = new Map<string, number>();
  /** Whether a cluster is open at first; asked once, since a row that changes its mind would move under the reader. */
  readonly #openAtFirst = new Map<string, boolean>();

  constructor(world: SourceWorld) {
    this.#world = world;
    this.paimon = new PaimonSource(world, (listId) => this.#lengths.get(listId) ?? paimonPage);
  }

  showMore(listId: string): void {
    const step = listId.startsWith("paimon ") ? paimonPage : listId.endsWith(" savepoints") ? pageSize.savepoints : pageSize.jobs;
    this.#lengths.set(listId, (this.#lengths.get(listId) ?? step) + step);
  }

  async children(parent: ExplorerNode | undefined): Promise<readonly ExplorerNode[]> {
    try {
      switch (parent?.kind) {
        case undefined: return this.#roots();
        case "cluster": return await this.#belowCluster(parent.view);
        case "job": return await this.#belowJob(parent.row, parent.seen);
        case "savepoints": return this.#withLooks(parent.job, this.#page(parent.id, "savepoints", parent.rows.map((row) => ({ kind: "savepoint", id: nodeId.savepoint(parent.job, row.id), row, expectedMs: parent.expectedMs, pairs: [], pinnedBy: [] }))));
        case "savepoint": return parent.pairs;
        case "checkpoints": return checkpointNodes(parent.id, parent.job, parent.stats);
        case "paimon": case "warehouse": case "database": case "table": case "snapshots": case "branches": return await this.paimon.children(parent);
        default: return [];
      }
    } catch (error) {
      this.#world.log.error(`the rows below ${parent?.id ?? "the root"}`, error);
      const id = `${parent?.id ?? ""} failure`.trim();
      if (isFlinkError(error)) return [failureNode(id, error, parent === undefined ? "" : (nodeId.path(parent.id)[0] ?? ""))];
      return [{ kind: "message", id, text: "These rows can't be shown; the log has the reason.", detail: "Click: Show Log.", tone: "warning", click: { command: "flinkSavepoints.showLog", title: "Show Log", args: [] } }];
    }
  }

  #roots(): ExplorerNode[] {
    const list = this.#world.clusters.list();
    const known = list.filter(({ removed }) => !removed).length;
    const open = (view: ClusterView): boolean => {
      const { url } = view.profile;
      const decided = this.#openAtFirst.get(url) ?? (!view.removed && known <= openAtFirst);
      this.#openAtFirst.set(url, decided);
      return decided;
    };
    return [
      ...list.map((view): ExplorerNode => ({ kind: "cluster", id: nodeId.cluster(view.profile.url), view, open: open(view) })),
      ...this.paimon.root(),
      ...this.#world.ledger.damaged().map(({ file, reason }): ExplorerNode => ({ kind: "damaged", id: `damaged:${file}`, file, reason })),
    ];
  }

  async #belowCluster({ profile: { url } }: ClusterView): Promise<ExplorerNode[]> {
    const { clusters, jobs, restores, ledger } = this.#world;
    const [rows, planned] = await Promise.all([jobs.rows(url), restores.planned()]);
    const view = clusters.get(url);
    if (view === undefined) return [];
    const { reach } = view;
    const nodes: ExplorerNode[] = [];
    if (reach.state === "offline" && !view.removed) nodes.push(failureNode(`${url} failure`, reach.error, url));
    for (const record of planned) if (record.cluster.url === url) nodes.push({ kind: "planned", id: `${url} planned-${record.id}`, record, stopped: await isStopped(record, ledger) });
    const plans = await Promise.all(rows.map(async (row) => {
      const found = await this.#world.schedules.plansOf(url, row.name);
      return found !== undefined && (await this.#carriesSchedules(row)) ? { plans: found } : {};
    }));
    nodes.push(...this.#page(url, "jobs", rows.map((row, at) => ({ kind: "job", id: nodeId.job(row), row, seen: reach.state === "online", asked: jobs.observation(row)?.overview !== undefined, ...plans[at] }))));
    if (nodes.length > 0) return nodes;
    if (reach.state === "online") return [quiet(`${url} empty`, "No jobs", reach.info.kind === "session" ? "Start one from a savepoint with Restore, or without state." : "")];
    return view.removed ? [] : [{ kind: "message", id: `${url} busy`, text: "Asking for its jobs", detail: "", tone: "busy", click: null }];
  }

  async #belowJob(row: JobRow, seen: boolean): Promise<ExplorerNode[]> {
    const { jobs, savepoints } = this.#world;
    const job: JobRef = { cluster: row.cluster, jobId: row.jobId };
    const rows = await jobs.savepoints(job);
    const writing = rows.some(({ state }) => state === "running");
    const observation = jobs.observation(job);
    const restored = jobs.restoredFrom(job);
    const nodes: ExplorerNode[] = [];
    const error: FlinkError | null = seen && row.state !== "gone" ? (observation?.error ?? null) : null;
    if (error !== null) nodes.push(failureNode(`${nodeId.job(job)} failure`, error, row.cluster));
    if (restored !== null) nodes.push({ kind: "restored", id: `${nodeId.job(job)} restored`, from: restored });
    if (await this.#carriesSchedules(row)) {
      const { schedules = [], waiting = null } = (await this.#world.schedules.plansOf(row.cluster, row.name)) ?? {};
      for (const view of schedules) nodes.push({ kind: "schedule", id: nodeId.schedule(job, view.inForce.key), view, waiting });
    }
    nodes.push({ kind: "savepoints", id: nodeId.savepoints(job), job, rows, expectedMs: writing ? await savepoints.expectedMs(job) : null });
    if (row.state !== "gone" || observation !== undefined) nodes.push({ kind: "checkpoints", id: nodeId.checkpoints(job), job, stats: jobs.checkpoints(job), config: observation?.config, asked: observation !== undefined || !seen });
    return nodes;
  }

  /** With the pairs of those in sight, and the marks of pins beside them. */
  #withLooks(job: JobRef, nodes: readonly ExplorerNode[]): ExplorerNode[] {
    const { otherPins } = this.#world;
    const paired = pairedJob(this.#world, job);
    const placeOf = ({ record, state }: SavepointRow): string | null => (record === null || state !== "completed" || liesAside(record) ? null : record.path);
    otherPins.keepCurrent(nodes.flatMap((node) => (node.kind === "savepoint" ? (placeOf(node.row) ?? []) : [])));
    return nodes.map((node) => (node.kind === "savepoint" ? { ...node, pairs: this.paimon.pairNodes(node.id, node.row.record, paired), pinnedBy: otherPins.known(placeOf(node.row) ?? "") } : node));
  }

  /** A schedule is of a name: of several jobs that have it, those show it that go on, else the newest. */
  async #carriesSchedules(row: JobRow): Promise<boolean> {
    const goesOn = ({ state }: JobRow): boolean => state !== "gone" && !isTerminal(state);
    if (goesOn(row)) return true;
    const namesakes = (await this.#world.jobs.rows(row.cluster)).filter(({ name }) => name === row.name);
    return !namesakes.some((other) => goesOn(other) || (other.startTimeMs ?? 0) > (row.startTimeMs ?? 0));
  }

  #page(listId: string, noun: keyof typeof pageSize, nodes: readonly ExplorerNode[]): ExplorerNode[] {
    const length = this.#lengths.get(listId) ?? pageSize[noun];
    if (nodes.length <= length) return [...nodes];
    return [...nodes.slice(0, length), { kind: "more", id: `${listId} more`, listId, step: pageSize[noun], left: nodes.length - length, noun: "older" }];
  }
}

/** What is known of a job whose savepoints are paired. */
export function pairedJob({ clusters, jobs }: Pick<SourceWorld, "clusters" | "jobs">, job: JobRef): PairedJob {
  const view = clusters.get(job.cluster);
  const state = view?.reach.state === "online" ? (view.jobs.find(({ jobId }) => jobId === job.jobId)?.state ?? "gone") : null;
  return { intervalMs: jobs.observation(job)?.config?.intervalMs ?? null, runs: state === null ? null : state !== "gone" && !isTerminal(state) };
}

/** Whether the stop that a planned restore waits for has ended with its savepoint. */
async function isStopped(record: RestoreRecord, ledger: Ledger): Promise<boolean> {
  if (record.savepoint !== null) return true;
  const stop = record.afterStop === null ? undefined : await ledger.get(record.afterStop);
  return stop?.kind === "savepoint" && stop.state === "completed" && stop.stop?.job !== "pending";
}

function quiet(id: string, text: string, detail: string): ExplorerNode {
  return { kind: "message", id, text, detail, tone: "quiet", click: null };
}
