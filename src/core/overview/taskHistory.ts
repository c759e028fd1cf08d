import type { CheckpointStats, TaskCheckpointStats } from "../model/checkpoint";

/** What each operator did for one checkpoint. */
export interface CheckpointTasks {
  readonly checkpointId: number;
  /** Epoch milliseconds. */
  readonly atMs: number;
  readonly tasks: readonly TaskCheckpointStats[];
}

/** One operator over time, oldest checkpoint first. */
export interface OperatorSeries {
  readonly vertexId: string;
  readonly name: string | null;
  readonly points: readonly { readonly checkpointId: number; readonly atMs: number; readonly sizeBytes: number; readonly durationMs: number | null }[];
}

/** At most so many checkpoints are kept with their operators. */
const mostCheckpoints = 200;

/**
 * What the operators of a job did for its checkpoints, as far as it was asked: Flink tells it of those in its history only, the last ten unless
 * configured otherwise. Each is asked for once, and kept while the page of the job is open.
 */
export class TaskHistory {
  readonly #known = new Map<number, CheckpointTasks | null>();

  /** Complete ones that were not asked for yet. */
  missing(told: readonly CheckpointStats[]): readonly CheckpointStats[] {
    return told.filter(({ checkpointId, status }) => status === "completed" && !this.#known.has(checkpointId));
  }

  /** `tasks` is undefined when Flink has forgotten them. */
  add({ checkpointId, triggeredAtMs }: CheckpointStats, tasks: readonly TaskCheckpointStats[] | undefined): void {
    this.#known.set(checkpointId, tasks === undefined ? null : { checkpointId, atMs: triggeredAtMs, tasks });
    const ids = [...this.#known.keys()].sort((a, b) => a - b);
    for (const id of ids.slice(0, Math.max(0, ids.length - mostCheckpoints))) this.#known.delete(id);
  }

  /** Oldest first. */
  all(): readonly CheckpointTasks[] {
    return [...this.#known.values()].filter((each) => each !== null).sort((a, b) => a.checkpointId - b.checkpointId);
  }
}

/** The operators of some checkpoints, the one that is largest in the newest first. */
export function operatorSeries(history: readonly CheckpointTasks[]): OperatorSeries[] {
  const found = new Map<string, { name: string | null; points: OperatorSeries["points"][number][] }>();
  for (const { checkpointId, atMs, tasks } of history) {
    for (const { vertexId, name, sizeBytes, durationMs } of tasks) {
      const series = found.get(vertexId) ?? { name, points: [] };
      series.name = name ?? series.name;
      series.points.push({ checkpointId, atMs, sizeBytes, durationMs });
      found.set(vertexId, series);
    }
  }
  const size = ({ points }: OperatorSeries): number => points.at(-1)?.sizeBytes ?? 0;
  return [...found].map(([vertexId, series]) => ({ vertexId, ...series })).sort((a, b) => size(b) - size(a));
}
