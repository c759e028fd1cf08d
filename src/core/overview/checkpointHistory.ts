import type { CheckpointStats } from "../model/checkpoint";

/** At most so many checkpoints of a job are kept. */
const mostCheckpoints = 1_000;

/**
 * The checkpoints of a job that were seen: Flink tells the last ten entries only, and none once the JobManager restarted. In memory: it is what a page
 * saw while it was open.
 */
export class CheckpointHistory {
  readonly #seen = new Map<number, CheckpointStats>();

  /** Takes what Flink tells now. Of one that was being written when it was seen last, and is not told any more, nothing is known. */
  see(told: readonly CheckpointStats[]): void {
    const now = new Set(told.map(({ checkpointId }) => checkpointId));
    for (const [id, { status }] of this.#seen) if (status === "in-progress" && !now.has(id)) this.#seen.delete(id);
    for (const stats of told) this.#seen.set(stats.checkpointId, stats);
    const ids = [...this.#seen.keys()].sort((a, b) => a - b);
    for (const id of ids.slice(0, Math.max(0, ids.length - mostCheckpoints))) this.#seen.delete(id);
  }

  /** Newest first. */
  all(): readonly CheckpointStats[] {
    return [...this.#seen.values()].sort((a, b) => b.checkpointId - a.checkpointId);
  }
}
