import type { Disposable } from "../../core/base/disposable";
import { Emitter } from "../../core/base/event";
import type { Log } from "../../core/ports";
import type { JobPlans } from "./explorerRows";
import type { Schedules, ScheduleView } from "../../services/schedules";

/** The cleanup rules of a job in words, and what they wait for; null when there are none. */
export type CleanupOf = (cluster: string, jobName: string) => Promise<Pick<JobPlans, "waiting"> & { readonly rules: string } | null>;

/** The schedules of jobs for whoever shows jobs; none until a file of schedules is there and its services are loaded. */
export class ScheduleRows implements Disposable {
  readonly #changed: Emitter<undefined>;
  #schedules: Schedules | undefined;
  #cleanupOf: CleanupOf | undefined;

  /** Fires when a schedule came, went, or got on. */
  readonly onDidChange;

  constructor(log: Log) {
    this.#changed = new Emitter((error) => log.error("a listener to schedules", error));
    this.onDidChange = this.#changed.event;
  }

  /** From now on these are shown. */
  show(schedules: Schedules, cleanupOf: CleanupOf): void {
    this.#schedules = schedules;
    this.#cleanupOf = cleanupOf;
    schedules.onDidChange(() => this.#changed.fire(undefined));
    this.#changed.fire(undefined);
  }

  async ofJob(cluster: string, jobName: string): Promise<readonly ScheduleView[]> {
    return (await this.#schedules?.ofJob(cluster, jobName)) ?? [];
  }

  /** A summary of both for a job, by its name; undefined when neither is set for it. */
  async plansOf(cluster: string, jobName: string): Promise<JobPlans | undefined> {
    const [schedules, cleanup] = await Promise.all([this.ofJob(cluster, jobName), this.#cleanupOf?.(cluster, jobName)]);
    return schedules.length === 0 && (cleanup ?? null) === null ? undefined : { schedules, rules: cleanup?.rules ?? null, waiting: cleanup?.waiting ?? null };
  }

  dispose(): void {
    this.#changed.dispose();
  }
}
