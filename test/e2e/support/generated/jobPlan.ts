interface Draw {
  /** Of 0 to `below`, without it. */
  number(below: number): number;
  of<T>(choices: readonly T[]): T;
  chance(percent: number): boolean;
}

/** A step of a job; `uid` is absent where it was forgotten. */
export interface Step {
  readonly kind: "map" | "filter" | "process" | "window" | "dedupe" | "enrich" | "async" | "reduce" | "join";
  readonly name: string;
  readonly uid: string | undefined;
  readonly named: boolean;
  readonly className: string;
}

/** What a job is made of, whatever language it is written in. */
export interface Plan {
  readonly packageName: string;
  readonly topic: string;
  readonly record: string;
  readonly fields: readonly { readonly name: string; readonly type: "text" | "long" | "double" | "flag" }[];
  readonly key: string;
  readonly steps: readonly Step[];
  readonly sourceUid: string | undefined;
  readonly sinkUid: string | undefined;
  readonly sink: "kafka" | "file" | "print";
  readonly plain: readonly string[];
}

const things = ["Order", "Payment", "Click", "Sensor", "Trade", "Session", "Shipment", "Invoice", "Ticket", "Login", "Device", "Quote", "Refund", "Meter", "Booking", "Review", "Transfer", "Alert", "Basket", "Voucher"];
const verbs = ["Enrich", "Count", "Detect", "Score", "Route", "Merge", "Track", "Rank", "Clean", "Limit", "Match", "Price", "Group", "Audit", "Sample", "Convert", "Validate", "Summarize"];
const qualities = ["Daily", "Late", "Open", "Fraud", "Regional", "Recent", "Large", "Failed", "Returning", "Hourly", "Pending", "Duplicate", "Suspicious", "Active"];
const fieldNames = ["customerId", "amount", "currency", "country", "createdAt", "updatedAt", "status", "channel", "quantity", "price", "latitude", "longitude", "temperature", "score", "category", "merchant", "voltage", "retries", "verified", "sessionId", "page", "referrer", "tax", "discount"];

/** The name of a job's file, and of its class where there is one. */
export function fileNameOf(seed: number): string {
  const draw = drawFrom(seed + 17);
  return `${draw.of(verbs)}${draw.of(qualities)}${draw.of(things)}s${seed}`;
}

/** Numbers that follow from a seed. */
export function drawFrom(seed: number): Draw {
  let state = (seed * 2_654_435_761) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const number = (below: number): number => Math.floor(next() * below);
  return { number, of: (choices) => choices[number(choices.length)] as (typeof choices)[number], chance: (percent) => number(100) < percent };
}

/** Draws a job. */
export function planOf(draw: Draw, seed: number, suffix: string): Plan {
  const record = `${draw.of(things)}${draw.of(["Event", "Record", "Message", "Fact"])}${suffix}`;
  const names = new Set<string>();
  for (let left = 5 + draw.number(12); left > 0; left--) names.add(draw.of(fieldNames));
  const fields = [...names].map((name) => ({ name, type: draw.of(["text", "text", "long", "double", "flag"] as const) }));
  const steps = Array.from({ length: 3 + draw.number(6) }, (_, at): Step => {
    const kind = draw.of(["map", "filter", "process", "process", "window", "dedupe", "enrich", "async", "reduce", "join"] as const);
    const className = `${draw.of(verbs)}${draw.of(qualities)}${draw.of(things)}s${suffix}${at}`;
    return { kind, className, name: spaced(className), named: draw.chance(60), uid: draw.chance(70) ? dashed(className) : undefined };
  });
  return {
    packageName: `com.acme.m${seed % 12}`, topic: dashed(record), record, fields, key: fields[0]?.name ?? "id", steps,
    sourceUid: draw.chance(75) ? `${dashed(record)}-source` : undefined, sinkUid: draw.chance(75) ? `${dashed(record)}-sink` : undefined, sink: draw.of(["kafka", "kafka", "file", "print"]),
    plain: Array.from({ length: 2 + draw.number(5) }, (_, at) => `${draw.of(verbs).toLowerCase()}${draw.of(things)}${at}`),
  };
}

/** `EnrichOrder` as `Enrich Order`. */
export const spaced = (word: string): string => word.replace(/([a-z])([A-Z0-9])/g, "$1 $2");
/** `EnrichOrder` as `enrich-order`. */
export const dashed = (word: string): string => spaced(word).toLowerCase().replaceAll(" ", "-");
/** `EnrichOrder` as `enrich_order`. */
export const snake = (word: string): string => dashed(word).replaceAll("-", "_");
/** With its first letter in upper case. */
export const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
/** With its first letter in lower case. */
export const lower = (word: string): string => word.charAt(0).toLowerCase() + word.slice(1);

/** A piece of code for each thing. */
export function each<T>(items: readonly T[], write: (item: T, at: number) => string): string {
  return items.map(write).join("");
}

/** A piece of code for each step, and the variable that holds the stream after the last. `from` is that before the step, `next` the one that it makes, called after its class. */
export function eachStep(steps: readonly Step[], called: (className: string) => string, write: (step: Step, index: number, from: string, next: string) => string): { readonly body: string; readonly stream: string } {
  const streams = ["events", ...steps.map(({ className }) => called(className))];
  return { body: each(steps, (step, at) => write(step, at, streams[at] ?? "", streams[at + 1] ?? "")), stream: streams.at(-1) ?? "" };
}

/** `.uid("x").name("y")`, each on a line of its own. */
export function tail({ uid, named, name }: Pick<Step, "uid" | "named" | "name">, indent: string): string {
  return `${uid === undefined ? "" : `\n${indent}.uid("${uid}")`}${named ? `\n${indent}.name("${name}")` : ""}`;
}

/** Classes of Flink that jobs of the JVM name. */
export const jvmImports = [
  "org.apache.flink.api.common.eventtime.WatermarkStrategy", "org.apache.flink.api.common.functions.AggregateFunction", "org.apache.flink.api.common.functions.RichFlatMapFunction", "org.apache.flink.api.common.serialization.SimpleStringEncoder",
  "org.apache.flink.api.common.state.MapState", "org.apache.flink.api.common.state.MapStateDescriptor", "org.apache.flink.api.common.state.ValueState", "org.apache.flink.api.common.state.ValueStateDescriptor", "org.apache.flink.configuration.Configuration",
  "org.apache.flink.connector.base.DeliveryGuarantee", "org.apache.flink.connector.file.sink.FileSink", "org.apache.flink.connector.kafka.sink.KafkaSink", "org.apache.flink.connector.kafka.source.KafkaSource",
  "org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer", "org.apache.flink.core.fs.Path", "org.apache.flink.streaming.api.functions.KeyedProcessFunction", "org.apache.flink.streaming.api.functions.async.RichAsyncFunction",
  "org.apache.flink.streaming.api.functions.co.BroadcastProcessFunction", "org.apache.flink.streaming.api.functions.co.ProcessJoinFunction", "org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows", "org.apache.flink.streaming.api.windowing.time.Time", "org.apache.flink.util.Collector",
];
/** And those that jobs in Java and Kotlin name beside them. */
export const javaImports = ["org.apache.flink.streaming.api.datastream.AsyncDataStream", "org.apache.flink.streaming.api.datastream.DataStream", "org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator", "org.apache.flink.streaming.api.environment.StreamExecutionEnvironment"];
