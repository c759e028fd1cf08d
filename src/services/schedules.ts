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
import type { Scheduler } from "./scheduler";

/** A schedule as it stands now. */
export interface ScheduleView {
  readonly inForce: ScheduleInForce;
  /** The expression in words. */
  readonly meaning: string;
  /** When it runs next, epoch milliseconds; null while it is paused. */
  readonly nextMs: number | null;
  /** How its newest run ended. */
  readonly last: TickOutcome | null;
  /** True when this process runs it, and not another of this user. */
  readonly runsHere: boolean;
}

/** Schedules of the files, of clusters that are known here, passed on to the scheduler. */
export class Schedules implements Disposable {
  readonly #files: LifecycleFiles;
  readonly #scheduler: Scheduler;
  readonly #clusters: ClusterService;
  readonly #clock: Clock;
  readonly #changed: Emitter<undefined>;
  readonly #held = new DisposableStore();
  #schedules: readonly ScheduleInForce[] = [];
  #leftOut: readonly LeftOut[] = [];

  /** Fires when a schedule came, went, or got on. */
  readonly onDidChange;

  constructor(files: LifecycleFiles, scheduler: Scheduler, clusters: ClusterService, clock: Clock, log: Log) {
    this.#files = files;
    this.#scheduler = scheduler;
    this.#clusters = clusters;
    this.#clock = clock;
    this.#changed = this.#held.add(new Emitter<undefined>((error) => log.error("a listener to schedules", error)));
    this.onDidChange = this.#changed.event;
    this.#held.add(files.onDidChange(() => this.#apply()));
    this.#held.add(clusters.onDidChange(({ cluster }) => cluster === null && this.#apply()));
    this.#held.add(scheduler.onDidChange(() => this.#changed.fire(undefined)));
    this.#apply();
  }

  get schedules(): readonly ScheduleInForce[] {
    return this.#schedules;
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
    const [nextMs] = inForce.schedule.enabled ? firstOf(1, this.#scheduler.runs(inForce, state, this.#clock.now())) : [];
    return { inForce, meaning: cron === undefined ? "" : cronMeaning(cron), nextMs: nextMs ?? null, last: state?.outcomes.at(-1) ?? null, runsHere: this.#scheduler.runsHere(inForce.key) };
  }

  #apply(): void {
    const known = this.#clusters.list().filter(({ removed }) => !removed).map(({ profile }) => profile);
    const { schedules, leftOut } = schedulesInForce(this.#files.files(), known);
    this.#leftOut = leftOut;
    if (JSON.stringify(schedules) === JSON.stringify(this.#schedules)) return;
    this.#schedules = schedules;
    this.#scheduler.setSchedules(schedules);
    this.#changed.fire(undefined);
  }
}
