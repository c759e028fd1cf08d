import path from "node:path";
import { FlinkError, isFlinkError } from "../../core/errors";
import type { ClusterInfo, ClusterProfile } from "../../core/model/cluster";
import type { JobDetails, JobState } from "../../core/model/job";
import { requireLocation } from "../../core/model/location";
import { capabilitiesOf, parseFlinkVersion } from "../../core/model/version";
import type { ClusterClient, Run } from "../../core/ports";
import { sizeText } from "../../core/wording";
import type { Http, StreamedBody } from "../http";
import { readAnswer } from "./answers";
import { readConfiguration, toStateParameters } from "./configuration";
import * as endpoints from "./endpoints";
import type { Endpoint } from "./endpoints";
import { failureOfCause, failureOfTrace } from "./failures";
import { jarUpload } from "./jarFile";
import { fileNotFound, positive, saysJobUnknown, toPath, toStats } from "./replies";

/** `ClusterClient` over the REST API of Flink 1.15 to 2.3 (RuntimeRestAPIVersion V1), history servers included. */
export function createFlinkClient(http: Http, profile: ClusterProfile): ClusterClient {
  return new RestClient(http, profile);
}

class RestClient implements ClusterClient {
  readonly #http: Http;
  readonly #profile: ClusterProfile;
  /** Undefined until connected or found out: does this Flink have `/jobs/:id/status`? */
  #statusRoute: boolean | undefined;

  constructor(http: Http, profile: ClusterProfile) {
    this.#http = http;
    this.#profile = profile;
  }

  async connect(signal: AbortSignal): Promise<ClusterInfo> {
    const config = await this.#call(endpoints.configuration, undefined, signal);
    const url = `${this.#profile.url}/config`;
    const text = config["flink-version"] ?? undefined;
    if (text === undefined) throw new FlinkError("not-flink", { url, status: 200, contentType: "application/json", title: null });
    const version = parseFlinkVersion(text);
    if (version === undefined) throw new FlinkError("unexpected-reply", { url, detail: `flink-version: ${text.slice(0, 40)}` });
    const settings = await this.#jobManagerSettings(signal);
    const features = config.features ?? {};
    const readOnly = features["web-submit"] === false;
    // Below 1.16 a HistoryServer does not say what it is; but it has no JobManager whose configuration it could show.
    const history = features["web-history"] === true || (readOnly && settings === "none");
    const capabilities = capabilitiesOf(version);
    this.#statusRoute = capabilities.jobStatusEndpoint && !history;
    return {
      version,
      capabilities,
      kind: history ? "history" : readOnly ? "application" : "session",
      ...readConfiguration(settings === "none" ? [] : settings),
      cancelAllowed: features["web-cancel"] !== false,
    };
  }

  async jobs(signal: AbortSignal): ReturnType<ClusterClient["jobs"]> {
    const { jobs } = await this.#call(endpoints.jobsOverview, undefined, signal);
    return jobs.map((job) => ({
      jobId: job.jid,
      name: job.name,
      state: job.state,
      startTimeMs: job["start-time"],
      endTimeMs: positive(job["end-time"]),
      tasks: { total: job.tasks?.total ?? 0, running: job.tasks?.running ?? 0 },
    }));
  }

  async job(jobId: string, signal: AbortSignal): Promise<JobDetails> {
    const job = await this.#callJob(endpoints.jobDetails, { jobId }, signal);
    return {
      jobId: job.jid,
      name: job.name,
      state: job.state,
      startTimeMs: job["start-time"],
      nowMs: job.now,
      maxParallelism: job.maxParallelism ?? -1,
      vertices: (job.vertices ?? []).map((vertex) => ({
        id: vertex.id,
        name: vertex.name,
        parallelism: vertex.parallelism,
        ready: vertex.tasks ? (vertex.tasks["RUNNING"] ?? 0) + (vertex.tasks["FINISHED"] ?? 0) >= vertex.parallelism : vertex.status === "RUNNING" || vertex.status === "FINISHED",
      })),
    };
  }

  async jobState(jobId: string, signal: AbortSignal): Promise<JobState | undefined> {
    try {
      if (this.#statusRoute !== false) {
        try {
          const { status } = await this.#callJob(endpoints.jobStatus, { jobId }, signal);
          this.#statusRoute = true;
          return status;
        } catch (error) {
          if (!isFlinkError(error, "no-such-route")) throw error;
          this.#statusRoute = false;
        }
      }
      return (await this.#callJob(endpoints.jobDetails, { jobId }, signal)).state;
    } catch (error) {
      if (isFlinkError(error, "job-not-found")) return undefined;
      throw error;
    }
  }

  async checkpoints(jobId: string, signal: AbortSignal): ReturnType<ClusterClient["checkpoints"]> {
    const found = await this.#unlessOff(this.#callJob(endpoints.checkpoints, { jobId }, signal));
    if (found === undefined) return undefined;
    const { counts, latest, history } = found;
    return {
      counts: { restored: counts.restored ?? 0, completed: counts.completed ?? 0, failed: counts.failed ?? 0, inProgress: counts.in_progress ?? 0 },
      latest: {
        completed: latest.completed ? toStats(latest.completed) : null,
        savepoint: latest.savepoint ? toStats(latest.savepoint) : null,
        failed: latest.failed ? toStats(latest.failed) : null,
        restored: latest.restored
          ? {
              checkpointId: latest.restored.id,
              restoredAtMs: latest.restored.restore_timestamp,
              isSavepoint: latest.restored.is_savepoint === true,
              path: toPath(latest.restored.external_path),
            }
          : null,
      },
      history: history.map(toStats),
    };
  }

  async checkpointConfig(jobId: string, signal: AbortSignal): ReturnType<ClusterClient["checkpointConfig"]> {
    const found = await this.#unlessOff(this.#callJob(endpoints.checkpointConfiguration, { jobId }, signal));
    // Long.MAX_VALUE, rounded by JSON.parse, is how Flink writes "off".
    return found && {
      intervalMs: found.interval > Number.MAX_SAFE_INTEGER ? null : found.interval,
      timeoutMs: found.timeout,
      ...(found.externalization ? { keptOnCancel: found.externalization.enabled && !found.externalization.delete_on_cancellation } : {}),
    };
  }

  async checkpointTasks(jobId: string, checkpointId: number, signal: AbortSignal): ReturnType<ClusterClient["checkpointTasks"]> {
    const [details, { vertices }] = await Promise.all([
      this.#callJob(endpoints.checkpointDetails, { jobId, checkpointId }, signal).catch((error: unknown) => {
        if (isFlinkError(error, "flink-failed") && error.facts.status === 404) return undefined;
        throw error;
      }),
      this.job(jobId, signal),
    ]);
    const names = new Map(vertices.map(({ id, name }) => [id, name]));
    return details && Object.entries(details.tasks ?? {}).map(([vertexId, task]) => ({
      vertexId, name: names.get(vertexId) ?? null, sizeBytes: task.state_size ?? 0, durationMs: positive(task.end_to_end_duration),
      subtasks: { acknowledged: task.num_acknowledged_subtasks ?? 0, total: task.num_subtasks ?? 0 },
    }));
  }

  async stateParameters(jobId: string, signal: AbortSignal): ReturnType<ClusterClient["stateParameters"]> {
    const [job, cluster] = await Promise.all([this.#unlessOff(this.#callJob(endpoints.checkpointConfiguration, { jobId }, signal)), this.#call(endpoints.jobManagerConfiguration, undefined, signal)]);
    return toStateParameters(job, cluster);
  }

  async latestFailure(jobId: string, signal: AbortSignal): ReturnType<ClusterClient["latestFailure"]> {
    let found;
    try {
      found = await this.#callJob(endpoints.exceptions, { jobId }, signal);
    } catch (error) {
      if (isFlinkError(error, "job-not-found")) return undefined;
      throw error;
    }
    const newest = found.exceptionHistory?.entries[0];
    if (newest !== undefined) return { ...failureOfTrace(newest.stacktrace ?? newest.exceptionName ?? ""), atMs: newest.timestamp };
    // While a job of 1.15 waits for its restart, the history lags behind.
    const root = found["root-exception"];
    return root ? { ...failureOfTrace(root), atMs: found.timestamp ?? 0 } : undefined;
  }

  async triggerSavepoint(jobId: string, request: Parameters<ClusterClient["triggerSavepoint"]>[1], signal: AbortSignal): Promise<void> {
    requireLocation(request.directory);
    const reply = await this.#callJob(endpoints.triggerSavepoint, { ...request, jobId }, signal);
    this.#expectId(reply["request-id"], request.triggerId, `/jobs/${jobId}/savepoints`);
  }

  async triggerCheckpoint(jobId: string, signal: AbortSignal): Promise<void> {
    await this.#callJob(endpoints.triggerCheckpoint, { jobId }, signal);
  }

  async stopWithSavepoint(jobId: string, request: Parameters<ClusterClient["stopWithSavepoint"]>[1], signal: AbortSignal): Promise<void> {
    requireLocation(request.directory);
    const reply = await this.#callJob(endpoints.stopWithSavepoint, { ...request, jobId }, signal);
    this.#expectId(reply["request-id"], request.triggerId, `/jobs/${jobId}/stop`);
  }

  async savepointStatus(jobId: string, triggerId: string, signal: AbortSignal): ReturnType<ClusterClient["savepointStatus"]> {
    const found = await this.#unlessForgotten(this.#call(endpoints.savepointStatus, { jobId, triggerId }, signal));
    if (found === undefined) return { state: "forgotten" };
    if (found.status.id === "IN_PROGRESS") return { state: "in-progress" };
    const cause = found.operation?.["failure-cause"];
    if (cause) return { state: "failed", failure: failureOfCause(cause) };
    const location = found.operation?.location;
    if (location) return { state: "completed", path: location };
    throw new FlinkError("unexpected-reply", { url: `${this.#profile.url}${endpoints.savepointStatus.path({ jobId, triggerId })}`, detail: "operation: neither location nor failure-cause" });
  }

  async cancelJob(jobId: string, signal: AbortSignal): Promise<void> {
    await this.#callJob(endpoints.cancelJob, { jobId }, signal);
  }

  async dispose(savepointPath: string, signal: AbortSignal): Promise<string> {
    requireLocation(savepointPath);
    return (await this.#call(endpoints.disposeSavepoint, { path: savepointPath }, signal))["request-id"];
  }

  async disposalStatus(requestId: string, signal: AbortSignal): ReturnType<ClusterClient["disposalStatus"]> {
    const found = await this.#unlessForgotten(this.#call(endpoints.disposalStatus, { requestId }, signal));
    if (found === undefined) return { state: "forgotten" };
    if (found.status.id === "IN_PROGRESS") return { state: "in-progress" };
    const cause = found.operation?.["failure-cause"];
    return cause ? { state: "failed", failure: failureOfCause(cause) } : { state: "completed" };
  }

  async jars(signal: AbortSignal): ReturnType<ClusterClient["jars"]> {
    const { files } = await this.#call(endpoints.jars, undefined, signal);
    return files.map((file) => ({ jarId: file.id, name: file.name, uploadedAtMs: file.uploaded, entryClasses: (file.entry ?? []).map((entry) => entry.name) }));
  }

  async uploadJar(file: string, run: Run): Promise<string> {
    let shownPercent = -1;
    const body = await jarUpload(file, (sentBytes, totalBytes) => {
      const percent = Math.floor((sentBytes / totalBytes) * 100);
      if (percent === shownPercent) return;
      shownPercent = percent;
      run.report({ message: `Uploading ${path.basename(file)} (${sizeText(totalBytes)})`, percent });
    });
    const { filename } = await this.#call(endpoints.uploadJar, undefined, run.signal, body);
    // The JobManager may run on Windows.
    return filename.split(/[/\\]/).at(-1) ?? filename;
  }

  async deleteJar(jarId: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#call(endpoints.deleteJar, { jarId }, signal);
    } catch (error) {
      // It was gone before: what was asked for is so (`JarDeleteHandler`).
      if (isFlinkError(error, "flink-failed") && error.facts.status === 400 && /does not exist in/.test(error.facts.message)) return;
      throw error;
    }
  }

  async runJar(jarId: string, request: Parameters<ClusterClient["runJar"]>[1], capabilities: Parameters<ClusterClient["runJar"]>[2], signal: AbortSignal): Promise<void> {
    requireLocation(request.savepointPath);
    const { jobid } = await this.#call(endpoints.runJar, { jarId, request, capabilities }, signal);
    this.#expectId(jobid, request.jobId, `/jars/${jarId}/run`);
  }

  async #call<P, R>(endpoint: Endpoint<P, R>, params: P, signal: AbortSignal, stream?: StreamedBody): Promise<R> {
    const { caFile, url } = this.#profile;
    const json = endpoint.body?.(params);
    const answer = await this.#http.send({
      method: endpoint.method,
      url: `${url}${endpoint.path(params)}`,
      ...(caFile === undefined ? {} : { caFile }),
      ...(json === undefined ? {} : { json }),
      ...(stream === undefined ? {} : { stream }),
      ...(endpoint.headTimeout === undefined ? {} : { headTimeout: endpoint.headTimeout }),
    }, signal);
    return readAnswer(answer, endpoint.reply, endpoint.method !== "GET");
  }

  /** A call about one job: Flink's ways of saying that it does not know it become `job-not-found`. */
  async #callJob<P extends { jobId: string }, R>(endpoint: Endpoint<P, R>, params: P, signal: AbortSignal): Promise<R> {
    try {
      return await this.#call(endpoint, params, signal);
    } catch (error) {
      if (isFlinkError(error, "flink-failed") && saysJobUnknown(error.facts)) throw new FlinkError("job-not-found", { jobId: params.jobId }, { cause: error });
      throw error;
    }
  }

  /** Undefined for a job without checkpoint coordinator. */
  async #unlessOff<R>(call: Promise<R>): Promise<R | undefined> {
    try {
      return await call;
    } catch (error) {
      if (isFlinkError(error, "flink-failed") && /^Checkpointing (has not been enabled|is not enabled)/.test(error.facts.message)) return undefined;
      throw error;
    }
  }

  /** Undefined when Flink does not know the id of an asynchronous operation. */
  async #unlessForgotten<R>(call: Promise<R>): Promise<R | undefined> {
    try {
      return await call;
    } catch (error) {
      if (isFlinkError(error, "flink-failed") && error.facts.status === 404 && error.facts.message !== fileNotFound) return undefined;
      throw error;
    }
  }

  /** The JobManager's configuration; `none` where there is none (history server) or a proxy keeps it to itself. */
  async #jobManagerSettings(signal: AbortSignal): Promise<readonly { key: string; value?: string | null | undefined }[] | "none"> {
    try {
      return await this.#call(endpoints.jobManagerConfiguration, undefined, signal);
    } catch (error) {
      if (isFlinkError(error, "no-such-route") || (isFlinkError(error, "flink-failed") && error.facts.status === 404)) return "none";
      if (isFlinkError(error, "unauthorized")) return [];
      throw error;
    }
  }

  /** Flink answers with the id that we chose. Another one means that what was started is not what we shall look for. */
  #expectId(actual: string, expected: string, route: string): void {
    if (actual.toLowerCase() !== expected.toLowerCase()) throw new FlinkError("answer-lost", { url: `${this.#profile.url}${route}`, reason: "another id came back", acted: true });
  }
}
