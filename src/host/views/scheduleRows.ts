import type { Disposable } from "../../core/base/disposable";
import { Emitter } from "../../core/base/event";
import type { Log } from "../../core/ports";
import type { JobPlans } from "./explorerRows";
import type { Schedules, ScheduleView } from "../../services/schedules";

/** The schedules of jobs for whoever shows jobs; none until a file of schedules is there and its services are loaded. */
export class ScheduleRows implements Disposable {
  readonly #changed: Emitter<undefined>;
  #schedules: Schedules | undefined;
  #rulesText: ((cluster: string, jobName: string) => string | null) | undefined;

  /** Fires when a schedule came, went, or got on. */
  readonly onDidChange;

  constructor(log: Log) {
    this.#changed = new Emitter((error) => log.error("a listener to schedules", error));
    this.onDidChange = this.#changed.event;
  }

  /** From now on these are shown. */
  show(schedules: Schedules, rulesText: (cluster: string, jobName: string) => string | null): void {
    this.#schedules = schedules;
    this.#rulesText = rulesText;
    schedules.onDidChange(() => this.#changed.fire(undefined));
    this.#changed.fire(undefined);
  }

  async ofJob(cluster: string, jobName: string): Promise<readonly ScheduleView[]> {
    return (await this.#schedules?.ofJob(cluster, jobName)) ?? [];
  }

  /** A summary of both for a job, by its name; undefined when neither is set for it. */
  async plansOf(cluster: string, jobName: string): Promise<JobPlans | undefined> {
    const schedules = await this.ofJob(cluster, jobName);
    const rules = this.#rulesText?.(cluster, jobName) ?? null;
    return schedules.length === 0 && rules === null ? undefined : { schedules, rules };
  }

  dispose(): void {
    this.#changed.dispose();
  }
}
