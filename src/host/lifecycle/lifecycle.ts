import * as vscode from "vscode";
import type { Disposable } from "../../core/base/disposable";
import { DisposableStore } from "../../core/base/disposable";
import { rulesText } from "../../core/cleanup/cleanupText";
import { cleanupRecordId } from "../../core/cleanup/rules";
import type { ScheduleRef } from "../../core/contributions";
import type { CleanupRecord, LedgerRecord, SavepointRecord } from "../../core/ledger/record";
import type { Ledger } from "../../core/ledger/store";
import type { Clock, Log } from "../../core/ports";
import { oneLine } from "../../core/rowText";
import { agreementText } from "../../core/schedule/agreement";
import { LifecycleFiles } from "../../services/lifecycleFiles";
import { Schedules } from "../../services/schedules";
import type { ClusterService } from "../../services/clusters";
import type { ScheduleAgreements } from "../../services/scheduleAgreements";
import type { Scheduler } from "../../services/scheduler";
import type { Notify } from "../platform/notify";
import type { ScheduleRows } from "../views/scheduleRows";
import { registerFileLanguage } from "./fileLanguage";
import { rulesIn } from "./rulesIn";
import type { LifecycleSources } from "./sources";

/** What schedules and cleanup rules need of the window. */
export interface LifecycleWorld {
  readonly sources: LifecycleSources;
  readonly scheduler: Scheduler;
  readonly agreements: ScheduleAgreements;
  /** What shows schedules below jobs. */
  readonly rows: ScheduleRows;
  readonly clusters: ClusterService;
  readonly ledger: Pick<Ledger, "all">;
  readonly notify: Notify;
  readonly log: Log;
  readonly clock: Clock;
  /** Called after each scheduled savepoint that completed in this window. */
  afterSavepoint(record: SavepointRecord): void;
}

/** Schedules and cleanup rules of this window: reads their files, runs what is this window's to run, and looks after the files in editors. */
export class Lifecycle implements Disposable {
  readonly files: LifecycleFiles;
  readonly schedules: Schedules;
  readonly sources: LifecycleSources;
  readonly agreements: ScheduleAgreements;
  readonly #held = new DisposableStore();
  readonly #told = new Set<string>();

  private constructor(world: LifecycleWorld) {
    const { sources, scheduler, agreements, clusters, notify, log, clock } = world;
    this.sources = sources;
    this.agreements = agreements;
    this.files = this.#held.add(new LifecycleFiles(log));
    this.schedules = this.#held.add(new Schedules(this.files, scheduler, clusters, clock, log, agreements));
    this.#held.add(registerFileLanguage(this, clock));
    this.#held.add(sources.onDidChange(() => void this.read().catch((error: unknown) => log.error("reading schedules", error))));
    this.#held.add(this.files.onDidChange(() => this.#tellProblems(notify)));
    this.#held.add(this.schedules.onDidChange(() => this.#tellWaiting(notify)));
    this.#held.add(scheduler.onDidTake((record) => world.afterSavepoint(record)));
    this.#held.add(scheduler.onDidGiveUp(({ inForce, why, tickAtMs }) => notify.background(`${inForce.key} ${tickAtMs}`, {
      message: `Schedule ${oneLine(inForce.schedule.name, 80)} of ${oneLine(inForce.schedule.job, 80)} took no savepoint. ${why} Further failures are told by the row only, until one succeeds.`,
    })));
  }

  /** Reads the files; resolves when what they say counts. */
  static async open(world: LifecycleWorld): Promise<Lifecycle> {
    await world.agreements.read();
    const lifecycle = new Lifecycle(world);
    await lifecycle.read();
    const find = rulesIn(lifecycle.files, world.clusters);
    const cleanups = cleanupRecordsOf(world.ledger);
    world.rows.show(lifecycle.schedules, async (cluster, jobName) => {
      const { rules, enabled } = find(cluster, jobName);
      if (rules === null) return null;
      const record = enabled ? (await cleanups()).get(cleanupRecordId(cluster, jobName)) : undefined;
      return { rules: `${rulesText(rules)}${enabled ? "" : ", switched off"}`, waiting: record?.lastRun?.waiting ?? null };
    });
    return lifecycle;
  }

  async read(): Promise<void> {
    this.files.set(await this.sources.read());
  }

  /** What is wrong in a file that nobody looks at would go unseen. Once for each file. */
  #tellProblems(notify: Notify): void {
    for (const { path, file } of this.files.files()) {
      const [first] = file.problems;
      if (first === undefined || vscode.window.visibleTextEditors.some(({ document }) => document.uri.fsPath === path || document.uri.toString() === path)) continue;
      const more = file.problems.length - 1;
      notify.background(`problems of ${path}`, { message: `${path}: ${first.message}${more > 0 ? ` And ${more} more.` : ""} What is wrong does not count.`, action: { title: "Open Schedules", command: "flinkSavepoints.openSchedules" } });
    }
  }

  /** Once for each schedule as it says now, those that came together in one message. */
  #tellWaiting(notify: Notify): void {
    const fresh = this.schedules.waiting.filter((each) => !this.#told.has(agreementText(each)));
    for (const each of fresh) this.#told.add(agreementText(each));
    const [first] = fresh;
    if (first === undefined) return;
    const what = fresh.length > 1 ? `${fresh.length} schedules of ${first.file}` : `Schedule ${oneLine(first.schedule.name, 80)} of ${oneLine(first.schedule.job, 80)}`;
    notify.done(`${what} ${fresh.length > 1 ? "wait" : "waits"} for your agreement, and ${fresh.length > 1 ? "run" : "runs"} here only with it.`, [
      { title: "Agree to Schedule…", command: "flinkSavepoints.agreeSchedule", ...(fresh.length > 1 ? {} : { args: [{ scheduleKey: first.key }] as [ScheduleRef] }) },
      { title: "Open Schedules", command: "flinkSavepoints.openSchedules", args: [{ scheduleKey: first.key }] },
    ]);
  }

  dispose(): void {
    this.#held.dispose();
  }
}

/** Records of cleanups by their ids, gathered once for all rows of a drawing: the ledger gives the same list until it changes. */
function cleanupRecordsOf(ledger: Pick<Ledger, "all">): () => Promise<ReadonlyMap<string, CleanupRecord>> {
  let records: readonly LedgerRecord[] = [];
  let cleanups: ReadonlyMap<string, CleanupRecord> = new Map();
  return async () => {
    const all = await ledger.all();
    if (all !== records) cleanups = new Map(all.flatMap((record) => (record.kind === "cleanup" ? [[record.id, record] as const] : [])));
    records = all;
    return cleanups;
  };
}
