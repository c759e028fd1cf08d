import * as z from "zod";
import type { SavepointFormat } from "../../core/model/checkpoint";
import type { Capabilities } from "../../core/model/version";
import type { RunJarRequest } from "../../core/ports";
import type { HttpRequest } from "../http";

/** A REST call as data. Schemas are loose, and take null for absent, since every Flink release adds fields and writes "nothing" its own way. */
export interface Endpoint<P, R> {
  readonly method: HttpRequest["method"];
  /** Path below the cluster's base address, query included. */
  path(params: P): string;
  /** Absent fields are left out; `null` and `""` are never sent. */
  body?(params: P): object;
  readonly reply: z.ZodType<R>;
  readonly headTimeout?: "none";
}

interface SavepointParams {
  readonly jobId: string;
  readonly triggerId: string;
  readonly directory?: string;
  readonly format: SavepointFormat;
}

const text = z.string();
const whole = z.number();
const maybeText = z.string().nullish();
const maybeWhole = z.number().nullish();
const enc = encodeURIComponent;

const jobState = z.lazy(() => z.enum([
  "INITIALIZING", "CREATED", "RUNNING", "FAILING", "FAILED", "CANCELLING", "CANCELED", "FINISHED", "RESTARTING", "SUSPENDED", "RECONCILING",
]));
const nothing = z.lazy(() => z.looseObject({}));
const requestId = z.lazy(() => z.looseObject({ "request-id": text }));
const failureCause = z.lazy(() => z.looseObject({ "class": maybeText, "stack-trace": maybeText }));

const checkpoint = z.lazy(() => z.looseObject({
  id: whole,
  status: z.enum(["IN_PROGRESS", "COMPLETED", "FAILED"]),
  is_savepoint: z.boolean().nullish(),
  checkpoint_type: maybeText,
  savepointFormat: maybeText,
  trigger_timestamp: whole,
  end_to_end_duration: maybeWhole,
  state_size: maybeWhole,
  num_subtasks: maybeWhole,
  num_acknowledged_subtasks: maybeWhole,
  external_path: maybeText,
  discarded: z.boolean().nullish(),
  failure_message: maybeText,
}));

/** One statistics object of `GET /jobs/:id/checkpoints` (`CheckpointStatistics`). */
export type WireCheckpoint = z.infer<typeof checkpoint>;

const asynchronous = <T extends z.ZodType>(operation: T) =>
  z.looseObject({ status: z.looseObject({ id: z.enum(["IN_PROGRESS", "COMPLETED"]) }), operation: operation.nullish() });

/** `GET /config` (`DashboardConfiguration`). Everything is optional, so that another program's JSON is told apart by the missing version. */
export const configuration: Endpoint<void, { "flink-version"?: string | null | undefined; features?: Record<string, unknown> | null | undefined }> = {
  method: "GET", path: () => "/config",
  reply: z.lazy(() => z.looseObject({ "flink-version": maybeText, "features": z.looseObject({}).nullish() })),
};

/** `GET /jobmanager/config` (`ClusterConfigurationInfo`): keys as their owner wrote them. */
export const jobManagerConfiguration = endpoint<void>()({
  method: "GET", path: () => "/jobmanager/config",
  reply: z.lazy(() => z.array(z.looseObject({ key: text, value: maybeText }))),
});

/** `GET /jobs/overview` (`MultipleJobsDetails`). */
export const jobsOverview = endpoint<void>()({
  method: "GET", path: () => "/jobs/overview",
  reply: z.lazy(() => z.looseObject({
    jobs: z.array(z.looseObject({
      "jid": text, "name": text, "state": jobState, "start-time": whole, "end-time": maybeWhole,
      "tasks": z.looseObject({ total: maybeWhole, running: maybeWhole }).nullish(),
    })),
  })),
});

/** `GET /jobs/:id` (`JobDetailsInfo`). */
export const jobDetails = endpoint<{ jobId: string }>()({
  method: "GET", path: ({ jobId }) => `/jobs/${enc(jobId)}`,
  reply: z.lazy(() => z.looseObject({
    "jid": text, "name": text, "state": jobState, "start-time": whole, "now": whole, "maxParallelism": maybeWhole,
    "vertices": z.array(z.looseObject({ id: text, name: text, parallelism: whole, status: maybeText, tasks: z.record(text, whole).nullish() })).nullish(),
  })),
});

/** `GET /jobs/:id/status` (`JobStatusInfo`), from 1.16 on. */
export const jobStatus = endpoint<{ jobId: string }>()({
  method: "GET", path: ({ jobId }) => `/jobs/${enc(jobId)}/status`,
  reply: z.lazy(() => z.looseObject({ status: jobState })),
});

/** `GET /jobs/:id/checkpoints` (`CheckpointingStatistics`). */
export const checkpoints = endpoint<{ jobId: string }>()({
  method: "GET", path: ({ jobId }) => `/jobs/${enc(jobId)}/checkpoints`,
  reply: z.lazy(() => z.looseObject({
    counts: z.looseObject({ restored: maybeWhole, completed: maybeWhole, failed: maybeWhole, in_progress: maybeWhole }),
    latest: z.looseObject({
      completed: checkpoint.nullish(), savepoint: checkpoint.nullish(), failed: checkpoint.nullish(),
      restored: z.looseObject({ id: whole, restore_timestamp: whole, is_savepoint: z.boolean().nullish(), external_path: maybeText }).nullish(),
    }),
    history: z.array(checkpoint),
  })),
});

/** `GET /jobs/:id/checkpoints/config` (`CheckpointConfigInfo`). */
export const checkpointConfiguration = endpoint<{ jobId: string }>()({
  method: "GET", path: ({ jobId }) => `/jobs/${enc(jobId)}/checkpoints/config`,
  reply: z.lazy(() => z.looseObject({
    interval: whole, timeout: whole,
    externalization: z.looseObject({ enabled: z.boolean(), delete_on_cancellation: z.boolean() }).nullish(),
    mode: maybeText, min_pause: maybeWhole, max_concurrent: maybeWhole, state_backend: maybeText, checkpoint_storage: maybeText, unaligned_checkpoints: z.boolean().nullish(),
    tolerable_failed_checkpoints: maybeWhole, aligned_checkpoint_timeout: maybeWhole, state_changelog_enabled: z.boolean().nullish(),
  })),
});

/** `GET /jobs/:id/checkpoints/details/:checkpointid` (`CheckpointStatistics` with its tasks). */
export const checkpointDetails = endpoint<{ jobId: string; checkpointId: number }>()({
  method: "GET", path: ({ jobId, checkpointId }) => `/jobs/${enc(jobId)}/checkpoints/details/${checkpointId}`,
  reply: z.lazy(() => z.looseObject({
    tasks: z.record(text, z.looseObject({ id: maybeWhole, state_size: maybeWhole, end_to_end_duration: maybeWhole, num_subtasks: maybeWhole, num_acknowledged_subtasks: maybeWhole })).nullish(),
  })),
});

/** `GET /jobs/:id/exceptions` (`JobExceptionsInfoWithHistory`): `root-exception` up to 1.20, the history from 1.13 on. */
export const exceptions = endpoint<{ jobId: string }>()({
  method: "GET", path: ({ jobId }) => `/jobs/${enc(jobId)}/exceptions?maxExceptions=1`,
  reply: z.lazy(() => z.looseObject({
    "root-exception": maybeText, "timestamp": maybeWhole,
    "exceptionHistory": z.looseObject({
      entries: z.array(z.looseObject({ exceptionName: maybeText, stacktrace: maybeText, timestamp: whole })),
    }).nullish(),
  })),
});

/** `POST /jobs/:id/savepoints` (`SavepointTriggerRequestBody`): here the directory is spelled `target-directory`. */
export const triggerSavepoint = endpoint<SavepointParams>()({
  method: "POST", path: ({ jobId }) => `/jobs/${enc(jobId)}/savepoints`,
  body: ({ directory, format, triggerId }) => ({ ...given("target-directory", directory), formatType: format.toUpperCase(), triggerId }),
  reply: requestId,
});

/** `POST /jobs/:id/checkpoints` (`CheckpointTriggerRequestBody`, 1.17 on). */
export const triggerCheckpoint = endpoint<{ jobId: string }>()({
  method: "POST", path: ({ jobId }) => `/jobs/${enc(jobId)}/checkpoints`, body: () => ({ checkpointType: "CONFIGURED" }), reply: requestId,
});

/** `POST /jobs/:id/stop` (`StopWithSavepointRequestBody`): here the directory is spelled `targetDirectory`. */
export const stopWithSavepoint = endpoint<SavepointParams & { drain: boolean }>()({
  method: "POST", path: ({ jobId }) => `/jobs/${enc(jobId)}/stop`,
  body: ({ directory, format, triggerId, drain }) => ({ ...given("targetDirectory", directory), drain, formatType: format.toUpperCase(), triggerId }),
  reply: requestId,
});

/** `GET /jobs/:id/savepoints/:triggerid` (`SavepointInfo`), for savepoints and stops. */
export const savepointStatus = endpoint<{ jobId: string; triggerId: string }>()({
  method: "GET", path: ({ jobId, triggerId }) => `/jobs/${enc(jobId)}/savepoints/${enc(triggerId)}`,
  reply: asynchronous(z.looseObject({ "location": maybeText, "failure-cause": failureCause.nullish() })),
});

/** `PATCH /jobs/:id?mode=cancel` (`JobCancellationHandler`). */
export const cancelJob = endpoint<{ jobId: string }>()({
  method: "PATCH", path: ({ jobId }) => `/jobs/${enc(jobId)}?mode=cancel`, reply: nothing,
});

/** `POST /savepoint-disposal` (`SavepointDisposalRequest`). */
export const disposeSavepoint = endpoint<{ path: string }>()({
  method: "POST", path: () => "/savepoint-disposal", body: ({ path }) => ({ "savepoint-path": path }), reply: requestId,
});

/** `GET /savepoint-disposal/:triggerid`. */
export const disposalStatus = endpoint<{ requestId: string }>()({
  method: "GET", path: (params) => `/savepoint-disposal/${enc(params.requestId)}`,
  reply: asynchronous(z.looseObject({ "failure-cause": failureCause.nullish() })),
});

/** `GET /jars` (`JarListInfo`). */
export const jars = endpoint<void>()({
  method: "GET", path: () => "/jars",
  reply: z.lazy(() => z.looseObject({
    files: z.array(z.looseObject({ id: text, name: text, uploaded: whole, entry: z.array(z.looseObject({ name: text })).nullish() })),
  })),
});

/** `POST /jars/upload` (`JarUploadResponseBody`); the body is a stream. */
export const uploadJar = endpoint<void>()({ method: "POST", path: () => "/jars/upload", reply: z.lazy(() => z.looseObject({ filename: text })) });

/** `DELETE /jars/:id`. */
export const deleteJar = endpoint<{ jarId: string }>()({ method: "DELETE", path: ({ jarId }) => `/jars/${enc(jarId)}`, reply: nothing });

/** `POST /jars/:id/run` (`JarRunRequestBody`). It answers when the program's `main` returned, so it may take as long as it likes. */
export const runJar = endpoint<{ jarId: string; request: RunJarRequest; capabilities: Capabilities }>()({
  method: "POST", path: ({ jarId }) => `/jars/${enc(jarId)}/run`,
  body: ({ request, capabilities: { claimModeField } }) => ({
    jobId: request.jobId,
    ...given("entryClass", request.entryClass),
    ...(request.programArgs === undefined || request.programArgs.length === 0 ? {} : { programArgsList: request.programArgs }),
    ...(request.parallelism === undefined ? {} : { parallelism: request.parallelism }),
    ...(request.savepointPath === undefined ? {} : {
      savepointPath: request.savepointPath,
      allowNonRestoredState: request.allowNonRestoredState === true,
      ...(request.claimMode === undefined || claimModeField === "none" ? {} : { [claimModeField]: request.claimMode }),
    }),
  }),
  reply: z.lazy(() => z.looseObject({ jobid: text })),
  headTimeout: "none",
});

function endpoint<P>() {
  return <R>(call: Endpoint<P, R>): Endpoint<P, R> => call;
}

/** A field that is sent only when it says something. */
function given(field: string, value: string | undefined): object {
  return value === undefined || value === "" ? {} : { [field]: value };
}
