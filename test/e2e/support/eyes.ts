import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { TestFlink } from "../../rig/flink";

/** A savepoint as Flink lists it in a job's history. */
export interface SeenSavepoint {
  readonly id: number;
  readonly status: string;
  readonly type: string;
  readonly format: string | null;
  readonly path: string | null;
  readonly sizeBytes: number;
}

/** What to start a job with, past our own services. */
export interface JobToRun {
  readonly name: string;
  readonly args?: readonly string[];
  readonly parallelism?: number;
  readonly savepointPath?: string;
}

interface WireCheckpoint {
  readonly id: number;
  readonly status: string;
  readonly is_savepoint: boolean;
  readonly checkpoint_type: string;
  readonly savepointFormat?: string | null;
  readonly external_path?: string | null;
  readonly state_size: number;
}

/** Flink asked directly, without any code of ours in between: the tests' second opinion. */
export class Eyes {
  readonly #flink: TestFlink;

  constructor(flink: TestFlink) {
    this.#flink = flink;
  }

  /** Any call of the REST API, whatever its status. */
  async rest<T>(method: string, route: string, body?: object): Promise<{ status: number; body: T; text: string }> {
    const content = body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
    const answer = await fetch(`${this.#flink.url}${route}`, { method, redirect: "manual", signal: AbortSignal.timeout(60_000), ...content });
    const text = await answer.text();
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      parsed = undefined;
    }
    return { status: answer.status, body: parsed as T, text };
  }

  /** Starts the test job, and waits until all its tasks run unless told not to. */
  async run(job: JobToRun, wait = true): Promise<string> {
    const jobId = randomBytes(16).toString("hex");
    const programArgsList = ["--job-name", job.name, ...(job.args ?? [])];
    const { status, text } = await this.rest("POST", `/jars/${await this.#flink.upload()}/run`, { jobId, programArgsList, ...(job.parallelism === undefined ? {} : { parallelism: job.parallelism }), ...(job.savepointPath === undefined ? {} : { savepointPath: job.savepointPath }) });
    if (status !== 200) throw new Error(`run: ${status} ${text}`);
    if (wait) await this.untilRuns(jobId);
    return jobId;
  }

  async untilRuns(jobId: string, limitMs = 60_000): Promise<void> {
    await until(`all tasks of ${jobId} to run`, async () => {
      const { body } = await this.rest<{ state: string; vertices: { parallelism: number; tasks: Record<string, number> }[] }>("GET", `/jobs/${jobId}`);
      return body.state === "RUNNING" && body.vertices.length > 0 && body.vertices.every(({ parallelism, tasks }) => (tasks["RUNNING"] ?? 0) + (tasks["FINISHED"] ?? 0) >= parallelism);
    }, limitMs);
  }

  /** The job's state, or undefined when Flink does not know the job. Read uncached where Flink can (1.16). */
  async state(jobId: string): Promise<string | undefined> {
    const { status, body, text } = await this.rest<{ status?: string; state?: string }>("GET", `/jobs/${jobId}/status`);
    if (status === 200) return body.status;
    if (/FlinkJobNotFound/.test(text)) return undefined;
    const details = await this.rest<{ state?: string }>("GET", `/jobs/${jobId}`);
    return details.body.state;
  }

  async untilState(jobId: string, ...states: readonly string[]): Promise<string> {
    return until(`${jobId} to be ${states.join(" or ")}`, async () => {
      const state = await this.state(jobId);
      return state !== undefined && states.includes(state) ? state : undefined;
    });
  }

  /** All jobs of a name, with their states. */
  async jobsNamed(name: string): Promise<{ jobId: string; state: string }[]> {
    const { body } = await this.rest<{ jobs: { jid: string; name: string; state: string }[] }>("GET", "/jobs/overview");
    return body.jobs.filter((job) => job.name === name).map((job) => ({ jobId: job.jid, state: job.state }));
  }

  /** Savepoints in the job's history, oldest first; stops (SYNC_SAVEPOINT) included. */
  async savepoints(jobId: string): Promise<SeenSavepoint[]> {
    const { body } = await this.rest<{ history?: WireCheckpoint[] }>("GET", `/jobs/${jobId}/checkpoints`);
    return (body.history ?? []).filter((entry) => entry.is_savepoint).reverse().map((entry) => ({ id: entry.id, status: entry.status, type: entry.checkpoint_type, format: entry.savepointFormat ?? null, path: entry.external_path ?? null, sizeBytes: entry.state_size }));
  }

  /** What the job was restored from, how often anything was, and its newest completed checkpoint. */
  async restored(jobId: string): Promise<{ count: number; path: string | null; isSavepoint: boolean; checkpointId: number | null; completedId: number | null; completed: number }> {
    const { body } = await this.rest<{ counts: { restored: number; completed: number }; latest: { completed: { id: number } | null; restored: { id: number; external_path: string | null; is_savepoint: boolean } | null } }>("GET", `/jobs/${jobId}/checkpoints`);
    const { restored, completed } = body.latest;
    return { count: body.counts.restored, path: restored?.external_path ?? null, isSavepoint: restored?.is_savepoint ?? false, checkpointId: restored?.id ?? null, completedId: completed?.id ?? null, completed: body.counts.completed };
  }

  /** Waits until the job has completed a periodic checkpoint. */
  async untilCheckpointed(jobId: string): Promise<number> {
    return until(`a checkpoint of ${jobId}`, async () => (await this.restored(jobId)).completedId ?? undefined);
  }

  /** Takes a savepoint as somebody else would, and returns its path. */
  async savepointByOthers(jobId: string, directory?: string): Promise<string> {
    const { body } = await this.rest<{ "request-id": string }>("POST", `/jobs/${jobId}/savepoints`, directory === undefined ? {} : { "target-directory": directory });
    return until("the savepoint of others", async () => (await this.rest<{ operation: { location?: string } | null }>("GET", `/jobs/${jobId}/savepoints/${body["request-id"]}`)).body.operation?.location);
  }

  /** Ends the job, and waits until it has ended. A job that has ended or is unknown is left alone. */
  async cancel(jobId: string): Promise<void> {
    await this.rest("PATCH", `/jobs/${jobId}?mode=cancel`);
    await until(`${jobId} to end`, async () => /^(CANCELED|FAILED|FINISHED|undefined)$/.test(String(await this.state(jobId))));
  }

  /** Ends every job that still runs. */
  async cancelAll(): Promise<void> {
    const { body } = await this.rest<{ jobs: { id: string; status: string }[] }>("GET", "/jobs");
    await Promise.all(body.jobs.filter(({ status }) => !/^(CANCELED|FAILED|FINISHED)$/.test(status)).map(({ id }) => this.cancel(id)));
  }
}

/** Asks again and again until the answer is neither undefined nor false; a probe that throws is asked again. Throws after `limitMs`. */
export async function until<T>(what: string, probe: () => Promise<T | undefined | false>, limitMs = 60_000, everyMs = 50): Promise<T> {
  const limit = Date.now() + limitMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > limit) throw new Error(`waited ${limitMs / 1000} s for ${what}`, { cause: last });
    await sleep(everyMs);
  }
}
