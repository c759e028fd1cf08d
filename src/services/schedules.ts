import { DisposableStore, type Disposable } from "../core/base/disposable";
import { Emitter } from "../core/base/event";
import { schedulesInForce, type LeftOut } from "../core/lifecycle/inForce";
import type { Clock, Log } from "../core/ports";
import { readCron } from "../core/schedule/cron";
import { firstOf } from "../core/schedule/cronRuns";
import { cronMeaning } from "../core/schedule/cronText";
import type { ScheduleState, TickOutcome } from "../core/schedule/scheduleState";
import type { ScheduleInForce } from "../core/schedule/tick";
import type { ClusterService } from "./clusters";
import type { LifecycleFiles } from "./lifecycleFiles";
import type { ScheduleAgreements } from "./scheduleAgreements";
import type { Scheduler } from "./scheduler";

/** A schedule as it stands now. */
export interface ScheduleView {
  readonly inForce: ScheduleInForce;
  /** The expression in words. */
  readonly meaning: string;
  /** When it runs next, epoch milliseconds; null while it is paused or waits. */
  readonly nextMs: number | null;
  /** How its newest run ended. */
  readonly last: TickOutcome | null;
  /** True when this process runs it, and not another of this user. */
  readonly runsHere: boolean;
  /** True for one of a shared file that nobody agreed to here as it is now: it does not run. */
  readonly waits: boolean;
}

/** Schedules of the files, of clusters that are known here, passed on to the scheduler. */
export class Schedules implements Disposable {
  readonly #files: LifecycleFiles;
  readonly #scheduler: Scheduler;
  readonly #clusters: ClusterService;
  readonly #clock: Clock;
  readonly #changed: Emitter<undefined>;
  readonly #held = new DisposableStore();
  readonly #agreements: ScheduleAgreements | undefined;
  #schedules: readonly ScheduleInForce[] = [];
  #waiting: readonly ScheduleInForce[] = [];
  #leftOut: readonly LeftOut[] = [];

  /** Fires when a schedule came, went, or got on. */
  readonly onDidChange;

  /** Without `agreements` every schedule runs: the files were named by whoever started this process. */
  constructor(files: LifecycleFiles, scheduler: Scheduler, clusters: ClusterService, clock: Clock, log: Log, agreements?: ScheduleAgreements) {
    this.#agreements = agreements;
    this.#files = files;
    this.#scheduler = scheduler;
    this.#clusters = clusters;
    this.#clock = clock;
    this.#changed = this.#held.add(new Emitter<undefined>((error) => log.error("a listener to schedules", error)));
    this.onDidChange = this.#changed.event;
    this.#held.add(files.onDidChange(() => this.#apply()));
    this.#held.add(clusters.onDidChange(({ cluster }) => cluster === null && this.#apply()));
    if (agreements !== undefined) this.#held.add(agreements.onDidChange(() => this.#apply()));
    this.#held.add(scheduler.onDidChange(() => this.#changed.fire(undefined)));
    this.#apply();
  }

  get schedules(): readonly ScheduleInForce[] {
    return this.#schedules;
  }

  /** Those that run only once somebody agrees to them here. One of them may have a twin of the user's own, which runs until then. */
  get waiting(): readonly ScheduleInForce[] {
    return this.#waiting;
  }

  /** Valid entries that do not count here, and why. */
  get leftOut(): readonly LeftOut[] {
    return this.#leftOut;
  }

  /** The schedules of a job, by its name. */
  ofJob(cluster: string, jobName: string): Promise<ScheduleView[]> {
    return this.views(this.#schedules.filter((inForce) => inForce.cluster === cluster && inForce.schedule.job === jobName));
  }

  views(schedules: readonly ScheduleInForce[] = this.#schedules): Promise<ScheduleView[]> {
    return Promise.all(schedules.map(async (inForce) => this.#view(inForce, await this.#scheduler.state(inForce.key))));
  }

  dispose(): void {
    this.#held.dispose();
  }

  #view(inForce: ScheduleInForce, state: ScheduleState | undefined): ScheduleView {
    const { cron } = readCron(inForce.schedule.cron);
    const waits = this.#waiting.includes(inForce);
    const [nextMs] = inForce.schedule.enabled && !waits ? firstOf(1, this.#scheduler.runs(inForce, state, this.#clock.now())) : [];
    return { inForce, meaning: cron === undefined ? "" : cronMeaning(cron), nextMs: nextMs ?? null, last: state?.outcomes.at(-1) ?? null, runsHere: this.#scheduler.runsHere(inForce.key), waits };
  }

  #apply(): void {
    const known = this.#clusters.list().filter(({ removed }) => !removed).map(({ profile }) => profile);
    const { schedules, waiting, leftOut } = schedulesInForce(this.#files.files(), known, (each) => this.#agreements?.isAgreed(each) !== false);
    this.#leftOut = leftOut;
    if (JSON.stringify([schedules, waiting]) === JSON.stringify([this.#schedules, this.#waiting])) return;
    this.#schedules = schedules;
    this.#waiting = waiting;
    this.#scheduler.setSchedules(schedules.filter((each) => !waiting.includes(each)));
    this.#changed.fire(undefined);
  }
}
