import type { StreamKind } from "./values";

/** What PyFlink's API does, for the analysis (pyflink/datastream/data_stream.py). */

/** Calls that return what they are called on, with the same operator. */
export const configurationCalls: ReadonlySet<string> = new Set([
  "name", "uid", "set_uid_hash", "set_parallelism", "set_max_parallelism", "force_non_parallel", "set_buffer_timeout", "start_new_chain", "disable_chaining", "slot_sharing_group", "set_description",
]);

/** What a call on a stream of a kind gives. `state`: always, by the function's class, or never; absent for what is no operator. */
export interface Step {
  readonly to: StreamKind;
  readonly state?: "always" | "function" | "sink" | "legacy-sink" | "never";
  readonly reason?: string;
  /** Runs in Python and may be merged with its neighbours. */
  readonly python?: boolean;
}

const window = "the contents of its windows";
const steps = {
  map: { to: "operator", state: "never", python: true },
  flat_map: { to: "operator", state: "never", python: true },
  filter: { to: "operator", state: "never", python: true },
  process: { to: "operator", state: "function", python: true },
  project: { to: "operator", state: "never" },
  assign_timestamps_and_watermarks: { to: "operator", state: "never", python: true },
  partition_custom: { to: "operator", state: "never" },
  key_by: { to: "keyed" },
  window_all: { to: "windowed" },
  // Only a keyed stream has these, so a stream that has them is one.
  window: { to: "windowed" },
  count_window: { to: "windowed" },
  union: { to: "plain" },
  shuffle: { to: "plain" },
  rescale: { to: "plain" },
  rebalance: { to: "plain" },
  forward: { to: "plain" },
  get_side_output: { to: "plain" },
  cache: { to: "cached" },
  connect: { to: "connected" },
  broadcast: { to: "plain" },
  print: { to: "sink", state: "never" },
  add_sink: { to: "sink", state: "legacy-sink" },
  sink_to: { to: "sink", state: "sink" },
} as const satisfies Readonly<Record<string, Step>>;

const rolling: Step = { to: "operator", state: "always", reason: "the value so far of each key", python: true };
const rollings = { reduce: rolling, sum: rolling, min: rolling, max: rolling, min_by: rolling, max_by: rolling };
const keyed: Readonly<Record<string, Step>> = {
  ...steps,
  map: { to: "operator", state: "function", python: true },
  flat_map: { to: "operator", state: "function", python: true },
  filter: { to: "operator", state: "function", python: true },
  process: { to: "operator", state: "always", reason: "state and timers", python: true },
  ...rollings,
  count_window_all: { to: "windowed" },
};
const ofWindow: Step = { to: "operator", state: "always", reason: window, python: true };
const windowed: Readonly<Record<string, Step>> = {
  trigger: { to: "windowed" }, evictor: { to: "windowed" }, allowed_lateness: { to: "windowed" }, side_output_late_data: { to: "windowed" },
  reduce: ofWindow, aggregate: ofWindow, apply: ofWindow, process: ofWindow, sum: ofWindow, min: ofWindow, max: ofWindow, min_by: ofWindow, max_by: ofWindow,
};
const connected: Readonly<Record<string, Step>> = {
  key_by: { to: "keyed-connected" },
  map: { to: "operator", state: "never", python: true },
  flat_map: { to: "operator", state: "never", python: true },
  process: { to: "operator", state: "function", python: true },
};
const keyedConnected: Readonly<Record<string, Step>> = {
  key_by: { to: "keyed-connected" },
  map: { to: "operator", state: "function", python: true },
  flat_map: { to: "operator", state: "function", python: true },
  process: { to: "operator", state: "always", reason: "state and timers", python: true },
};

/** The calls there are on each kind of stream. */
export const stepsOf: Readonly<Record<StreamKind, Readonly<Record<string, Step>>>> = {
  operator: steps, plain: { ...steps, ...rollings }, cached: steps, keyed, windowed, connected, "keyed-connected": keyedConnected, broadcast: {},
  "broadcast-connected": { process: { to: "operator", state: "always", reason: "the broadcast state", python: true } },
  sink: {},
};

/** Function classes that keep state wherever they are passed: with keyed timers, broadcast state or window contents. */
export const statefulFunctions: Readonly<Record<string, string>> = {
  KeyedProcessFunction: "state and timers",
  KeyedCoProcessFunction: "state and timers",
  BroadcastProcessFunction: "the broadcast state",
  KeyedBroadcastProcessFunction: "the broadcast state",
  ProcessWindowFunction: window,
  ProcessAllWindowFunction: window,
  WindowFunction: window,
  AllWindowFunction: window,
};

/** Sinks of `sink_to` that keep the state of their writer or committer. */
export const statefulSinks: ReadonlySet<string> = new Set(["KafkaSink", "KafkaSinkBuilder", "FileSink", "KinesisStreamsSink", "KinesisStreamsSinkBuilder", "KinesisFirehoseSink", "KinesisFirehoseSinkBuilder", "PulsarSink", "PulsarSinkBuilder"]);
/** Sinks of either kind that keep none; those of `add_sink` only flush. */
export const statelessSinks: ReadonlySet<string> = new Set(["Elasticsearch6SinkBuilder", "Elasticsearch7SinkBuilder", "Elasticsearch8SinkBuilder", "ElasticsearchSink", "JdbcSink", "RMQSink", "CassandraSink", "PrintSink", "DiscardingSink"]);
/** Sinks of `add_sink` that keep state: two-phase committers. */
export const statefulLegacySinks: ReadonlySet<string> = new Set(["FlinkKafkaProducer", "FlinkKafkaProducer011", "FlinkKafkaProducerBase", "StreamingFileSink"]);
/** Sources of `add_source` that keep their position. */
export const statefulLegacySources: ReadonlySet<string> = new Set(["FlinkKafkaConsumer", "FlinkKafkaConsumer011", "FlinkKafkaConsumer010", "FlinkKafkaConsumerBase", "FlinkKinesisConsumer", "RMQSource"]);

/** Window assigners: an argument that proves `window` to be Flink's. */
export const windowAssigner = /(?:Windows|WindowAssigner)$/;

/** Flink's classes that are streams or environments, for annotations. */
export const streamClasses: Readonly<Record<string, StreamKind>> = {
  DataStream: "plain", KeyedStream: "keyed", WindowedStream: "windowed", AllWindowedStream: "windowed", ConnectedStreams: "connected", BroadcastStream: "broadcast", BroadcastConnectedStream: "broadcast-connected",
  DataStreamSink: "sink", CachedDataStream: "cached", SingleOutputStreamOperator: "plain", DataStreamSource: "plain",
};

/** Whose result differs from run to run: by their full names. */
export function differsFromRunToRun(path: string): boolean {
  return /^(?:uuid\.uuid[14]|time\.(?:time|time_ns|monotonic|monotonic_ns|perf_counter|strftime|ctime)|random\..+|secrets\..+|os\.(?:getpid|urandom)|datetime\.(?:datetime\.|date\.)?(?:now|utcnow|today)|builtins\.(?:id|hash)|numpy\.random\..+|tempfile\..+)$/.test(path);
}
