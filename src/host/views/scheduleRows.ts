import type { Disposable } from "../../core/base/disposable";
import { Emitter } from "../../core/base/event";
import type { Log } from "../../core/ports";
import type { Schedules, ScheduleView } from "../../services/schedules";

/** The schedules of jobs for whoever shows jobs; none until a file of schedules is there and its services are loaded. */
export class ScheduleRows implements Disposable {
  readonly #changed: Emitter<undefined>;
  #schedules: Schedules | undefined;

  /** Fires when a schedule came, went, or got on. */
  readonly onDidChange;

  constructor(log: Log) {
    this.#changed = new Emitter((error) => log.error("a listener to schedules", error));
    this.onDidChange = this.#changed.event;
  }

  /** From now on these are shown. */
  show(schedules: Schedules): void {
    this.#schedules = schedules;
    schedules.onDidChange(() => this.#changed.fire(undefined));
    this.#changed.fire(undefined);
  }

  async ofJob(cluster: string, jobName: string): Promise<readonly ScheduleView[]> {
    return (await this.#schedules?.ofJob(cluster, jobName)) ?? [];
  }

  dispose(): void {
    this.#changed.dispose();
  }
}
