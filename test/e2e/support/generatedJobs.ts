/**
 * Jobs as people write them, in the four languages the lint follows, for benchmarks: each is drawn anew from a seed, so that no two are alike. A job
 * has a source or two, functions with and without state, windows, joins, broadcast streams and sinks, part of them with uids, and around them
 * what every job has: settings, records, small functions that have nothing to do with streams.
 */

/** A language of generated jobs, with the ending of its files. */
export const languages = { java: "java", kotlin: "kt", scala: "scala", python: "py" } as const;
export type Language = keyof typeof languages;

interface Draw {
  /** Of 0 to `below`, without it. */
  number(below: number): number;
  of<T>(choices: readonly T[]): T;
  chance(percent: number): boolean;
}

/** A step of a job; `uid` is absent where it was forgotten. */
interface Step {
  readonly kind: "map" | "filter" | "process" | "window" | "dedupe" | "enrich" | "async" | "reduce" | "join";
  readonly name: string;
  readonly uid: string | undefined;
  readonly named: boolean;
  readonly className: string;
}

interface Plan {
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

/** The text of a job of about 150 to 300 lines. `count` makes several in one file, as the longest files of real projects do. */
export function generatedJob(language: Language, seed: number, count = 1): string {
  const plans = Array.from({ length: count }, (_, at) => planOf(drawFrom(seed * 7919 + at * 104_729 + 1), seed, count === 1 ? "" : String(at)));
  return { java: javaFile, kotlin: kotlinFile, scala: scalaFile, python: pythonFile }[language](plans, fileNameOf(seed));
}

/** The path of a generated job in a project of several modules, as tools of its language have it. */
export function generatedPath(language: Language, seed: number): string {
  const module = `module-${seed % 12}`;
  const file = `${fileNameOf(seed)}.${languages[language]}`;
  return language === "python" ? `${module}/jobs/${snake(fileNameOf(seed))}.py` : `${module}/src/main/${language}/com/acme/m${seed % 12}/${file}`;
}

function fileNameOf(seed: number): string {
  const draw = drawFrom(seed + 17);
  return `${draw.of(verbs)}${draw.of(qualities)}${draw.of(things)}s${seed}`;
}

function drawFrom(seed: number): Draw {
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

function planOf(draw: Draw, seed: number, suffix: string): Plan {
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

const spaced = (word: string): string => word.replace(/([a-z])([A-Z0-9])/g, "$1 $2");
const dashed = (word: string): string => spaced(word).toLowerCase().replaceAll(" ", "-");
const snake = (word: string): string => dashed(word).replaceAll("-", "_");
const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** A piece of code for each thing. */
function each<T>(items: readonly T[], write: (item: T, at: number) => string): string {
  return items.map(write).join("");
}

/** `.uid("x").name("y")`, each on a line of its own. */
function tail({ uid, named, name }: Pick<Step, "uid" | "named" | "name">, indent: string): string {
  return `${uid === undefined ? "" : `\n${indent}.uid("${uid}")`}${named ? `\n${indent}.name("${name}")` : ""}`;
}

// ---- Java ----------------------------------------------------------------------------------------------------------------------------------

const jvmImports = [
  "org.apache.flink.api.common.eventtime.WatermarkStrategy", "org.apache.flink.api.common.functions.AggregateFunction", "org.apache.flink.api.common.functions.RichFlatMapFunction", "org.apache.flink.api.common.serialization.SimpleStringEncoder",
  "org.apache.flink.api.common.state.MapState", "org.apache.flink.api.common.state.MapStateDescriptor", "org.apache.flink.api.common.state.ValueState", "org.apache.flink.api.common.state.ValueStateDescriptor", "org.apache.flink.configuration.Configuration",
  "org.apache.flink.connector.base.DeliveryGuarantee", "org.apache.flink.connector.file.sink.FileSink", "org.apache.flink.connector.kafka.sink.KafkaSink", "org.apache.flink.connector.kafka.source.KafkaSource",
  "org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer", "org.apache.flink.core.fs.Path", "org.apache.flink.streaming.api.functions.KeyedProcessFunction", "org.apache.flink.streaming.api.functions.async.RichAsyncFunction",
  "org.apache.flink.streaming.api.functions.co.BroadcastProcessFunction", "org.apache.flink.streaming.api.functions.co.ProcessJoinFunction", "org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows", "org.apache.flink.streaming.api.windowing.time.Time", "org.apache.flink.util.Collector",
];
const javaImports = ["org.apache.flink.streaming.api.datastream.AsyncDataStream", "org.apache.flink.streaming.api.datastream.DataStream", "org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator", "org.apache.flink.streaming.api.environment.StreamExecutionEnvironment"];
const javaTypes = { text: "String", long: "long", double: "double", flag: "boolean" } as const;

function javaFile(plans: readonly Plan[], name: string): string {
  const [first] = plans;
  return `package ${first?.packageName ?? "jobs"};

${[...jvmImports, ...javaImports].sort().map((name) => `import ${name};\n`).join("")}
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Reads what happened, and writes what follows of it. */
public class ${name} {
${each(plans, javaJob)}}
`;
}

function javaJob(plan: Plan, at: number): string {
  const { record, key } = plan;
  let stream = "events";
  const body = each(plan.steps, (step, index) => {
    const next = `${lower(step.className)}`;
    const [from, out] = [stream, `    SingleOutputStreamOperator<${record}> ${next} = `];
    stream = next;
    const end = `${tail(step, "        ")};\n`;
    switch (step.kind) {
      case "map": return `${out}${from}.map(value -> clean(value))${end}`;
      case "filter": return `${out}${from}\n        .filter(value -> value.get${capital(key)}() != null)${end}`;
      case "process": return `${out}${from}\n        .keyBy(${record}::get${capital(key)})\n        .process(new ${step.className}(${60 + index}))${end}`;
      case "window": return `${out}${from}.keyBy(value -> value.get${capital(key)}())\n        .window(TumblingEventTimeWindows.of(Time.minutes(${index + 1})))\n        .allowedLateness(Time.seconds(${index * 5}))\n        .aggregate(new ${step.className}())${end}`;
      case "dedupe": return `${out}${from}.keyBy(value -> value.get${capital(key)}()).flatMap(new ${step.className}())${end}`;
      case "enrich": return `    MapStateDescriptor<String, String> rules${at}x${index} = new MapStateDescriptor<>("rules", String.class, String.class);\n${out}${from}\n        .connect(env.fromElements("a", "b").broadcast(rules${at}x${index}))\n        .process(new ${step.className}(rules${at}x${index}))${end}`;
      case "async": return `${out}AsyncDataStream.unorderedWait(${from}, new ${step.className}(), ${index + 5}, TimeUnit.SECONDS, 100)${end}`;
      case "reduce": return `${out}${from}\n        .keyBy(value -> value.get${capital(key)}())\n        .reduce((left, right) -> newer(left, right))${end}`;
      case "join": return `${out}${from}\n        .keyBy(${record}::get${capital(key)})\n        .intervalJoin(events.keyBy(${record}::get${capital(key)}))\n        .between(Time.seconds(-${index + 1}), Time.seconds(${index + 1}))\n        .process(new ${step.className}())${end}`;
    }
  });
  return `
  public static void ${at === 0 ? "main(String[] args)" : `run${at}(String[] args)`} throws Exception {
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
    env.enableCheckpointing(60_000);
    env.getConfig().setAutoWatermarkInterval(200);
    Map<String, String> settings${at} = settings${at}(args);
    KafkaSource<${record}> source = KafkaSource.<${record}>builder()
        .setBootstrapServers(settings${at}.getOrDefault("brokers", "localhost:9092"))
        .setTopics("${plan.topic}")
        .setGroupId("${plan.topic}-job")
        .setStartingOffsets(OffsetsInitializer.earliest())
        .setValueOnlyDeserializer(new ${record}Schema())
        .build();
    DataStream<${record}> events = env
        .fromSource(source, WatermarkStrategy.<${record}>forBoundedOutOfOrderness(Duration.ofSeconds(5)), "${spaced(record)}s")${tail({ uid: plan.sourceUid, named: false, name: "" }, "        ")};
${body}${javaSink(plan, stream)}
    env.execute("${spaced(record)}s");
  }

  private static Map<String, String> settings${at}(String[] args) {
    Map<String, String> settings = new HashMap<>();
    for (int i = 0; i + 1 < args.length; i += 2) {
      String key = args[i].startsWith("--") ? args[i].substring(2) : args[i];
      if (settings.containsKey(key)) {
        throw new IllegalArgumentException("Given twice: " + key);
      }
      settings.put(key, args[i + 1]);
    }
    return settings;
  }

  private static ${record} clean(${record} value) {
${each(plan.fields.filter(({ type }) => type === "text"), ({ name }) => `    if (value.get${capital(name)}() != null) {\n      value.set${capital(name)}(value.get${capital(name)}().trim());\n    }\n`)}    return value;
  }

  private static ${record} newer(${record} left, ${record} right) {
    return left.hashCode() > right.hashCode() ? left : right;
  }
${each(plan.plain, (name, index) => `
  private static double ${name}x${at}(double[] values) {
    double total = 0;
    for (int i = ${index}; i < values.length; i++) {
      if (Double.isNaN(values[i])) {
        continue;
      }
      total += values[i] * ${index + 1}.5;
    }
    return values.length == 0 ? 0 : total / values.length;
  }
`)}${each(plan.steps, (step) => javaFunction(step, plan))}
  public static class ${record} {
${each(plan.fields, ({ name, type }) => `    private ${javaTypes[type]} ${name};\n`)}
    public ${record}() {}
${each(plan.fields, ({ name, type }) => `
    public ${javaTypes[type]} get${capital(name)}() {
      return ${name};
    }

    public void set${capital(name)}(${javaTypes[type]} ${name}) {
      this.${name} = ${name};
    }
`)}  }
`;
}

function javaSink({ sink, topic, sinkUid, record }: Plan, stream: string): string {
  const end = `${tail({ uid: sinkUid, named: true, name: `Write ${record}s` }, "        ")};`;
  if (sink === "print") return `    ${stream}.print()${end}`;
  if (sink === "file") return `    ${stream}.map(String::valueOf).sinkTo(FileSink.forRowFormat(new Path("/data/${topic}"), new SimpleStringEncoder<String>("UTF-8")).build())${end}`;
  return `    KafkaSink<${record}> sink = KafkaSink.<${record}>builder()
        .setBootstrapServers("localhost:9092")
        .setRecordSerializer(new ${record}Schema())
        .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
        .setTransactionalIdPrefix("${topic}")
        .build();
    ${stream}.sinkTo(sink)${end}`;
}

function javaFunction({ kind, className }: Step, { record, key, fields }: Plan): string {
  const number = fields.find(({ type }) => type === "double" || type === "long")?.name;
  const amount = number === undefined ? "1" : `value.get${capital(number)}()`;
  switch (kind) {
    case "process": return `
  public static class ${className} extends KeyedProcessFunction<String, ${record}, ${record}> {
    private final long timeoutSeconds;
    private transient ValueState<Double> total;
    private transient MapState<String, Long> seen;

    ${className}(long timeoutSeconds) {
      this.timeoutSeconds = timeoutSeconds;
    }

    @Override
    public void open(Configuration parameters) {
      total = getRuntimeContext().getState(new ValueStateDescriptor<>("total", Double.class));
      seen = getRuntimeContext().getMapState(new MapStateDescriptor<>("seen", String.class, Long.class));
    }

    @Override
    public void processElement(${record} value, Context context, Collector<${record}> out) throws Exception {
      Double before = total.value();
      double now = (before == null ? 0 : before) + ${amount};
      if (seen.contains(value.get${capital(key)}().toString())) {
        return;
      }
      seen.put(value.get${capital(key)}().toString(), context.timestamp());
      total.update(now);
      context.timerService().registerEventTimeTimer(context.timestamp() + timeoutSeconds * 1000);
      if (now > 100) {
        out.collect(value);
      }
    }

    @Override
    public void onTimer(long timestamp, OnTimerContext context, Collector<${record}> out) throws Exception {
      total.clear();
      seen.clear();
    }
  }
`;
    case "window": return `
  public static class ${className} implements AggregateFunction<${record}, ${record}, ${record}> {
    @Override
    public ${record} createAccumulator() {
      return new ${record}();
    }

    @Override
    public ${record} add(${record} value, ${record} accumulator) {
      return newer(value, accumulator);
    }

    @Override
    public ${record} getResult(${record} accumulator) {
      return accumulator;
    }

    @Override
    public ${record} merge(${record} left, ${record} right) {
      return newer(left, right);
    }
  }
`;
    case "dedupe": return `
  public static class ${className} extends RichFlatMapFunction<${record}, ${record}> {
    private transient ValueState<Boolean> seen;

    @Override
    public void open(Configuration parameters) {
      seen = getRuntimeContext().getState(new ValueStateDescriptor<>("seen", Boolean.class));
    }

    @Override
    public void flatMap(${record} value, Collector<${record}> out) throws Exception {
      if (seen.value() == null) {
        seen.update(true);
        out.collect(value);
      }
    }
  }
`;
    case "enrich": return `
  public static class ${className} extends BroadcastProcessFunction<${record}, String, ${record}> {
    private final MapStateDescriptor<String, String> rules;

    ${className}(MapStateDescriptor<String, String> rules) {
      this.rules = rules;
    }

    @Override
    public void processElement(${record} value, ReadOnlyContext context, Collector<${record}> out) throws Exception {
      if (context.getBroadcastState(rules).contains("all")) {
        out.collect(value);
      }
    }

    @Override
    public void processBroadcastElement(String rule, Context context, Collector<${record}> out) throws Exception {
      context.getBroadcastState(rules).put(rule, rule);
    }
  }
`;
    case "async": return `
  public static class ${className} extends RichAsyncFunction<${record}, ${record}> {
    private transient Map<String, String> cache;

    @Override
    public void open(Configuration parameters) {
      cache = new HashMap<>();
    }

    @Override
    public void asyncInvoke(${record} value, org.apache.flink.streaming.api.functions.async.ResultFuture<${record}> result) {
      cache.computeIfAbsent(String.valueOf(value), found -> found);
      result.complete(java.util.List.of(value));
    }
  }
`;
    case "join": return `
  public static class ${className} extends ProcessJoinFunction<${record}, ${record}, ${record}> {
    @Override
    public void processElement(${record} left, ${record} right, Context context, Collector<${record}> out) {
      out.collect(newer(left, right));
    }
  }
`;
    default: return "";
  }
}

const lower = (word: string): string => word.charAt(0).toLowerCase() + word.slice(1);

// ---- Kotlin --------------------------------------------------------------------------------------------------------------------------------

const kotlinTypes = { text: "String?", long: "Long", double: "Double", flag: "Boolean" } as const;
const initial = { text: "null", long: "0L", double: "0.0", flag: "false" } as const;

function kotlinFile(plans: readonly Plan[]): string {
  return `package ${plans[0]?.packageName ?? "jobs"}

${[...jvmImports, ...javaImports].sort().map((name) => `import ${name}\n`).join("")}import java.time.Duration
import java.util.concurrent.TimeUnit
${each(plans, kotlinJob)}`;
}

function kotlinJob(plan: Plan, at: number): string {
  const { record, key } = plan;
  let stream = "events";
  const body = each(plan.steps, (step, index) => {
    const next = lower(step.className);
    const [from, out] = [stream, `    val ${next} = `];
    stream = next;
    const end = `${tail(step, "        ")}\n`;
    switch (step.kind) {
      case "map": return `${out}${from}.map { clean(it) }${end}`;
      case "filter": return `${out}${from}\n        .filter { it.${key} != null }${end}`;
      case "process": return `${out}${from}\n        .keyBy { it.${key}.toString() }\n        .process(${step.className}(${60 + index}))${end}`;
      case "window": return `${out}${from}.keyBy { it.${key}.toString() }\n        .window(TumblingEventTimeWindows.of(Time.minutes(${index + 1})))\n        .allowedLateness(Time.seconds(${index * 5}))\n        .aggregate(${step.className}())${end}`;
      case "dedupe": return `${out}${from}.keyBy { it.${key}.toString() }.flatMap(${step.className}())${end}`;
      case "enrich": return `    val rules${at}x${index} = MapStateDescriptor("rules", String::class.java, String::class.java)\n${out}${from}\n        .connect(env.fromElements("a", "b").broadcast(rules${at}x${index}))\n        .process(${step.className}(rules${at}x${index}))${end}`;
      case "async": return `${out}AsyncDataStream.unorderedWait(${from}, ${step.className}(), ${index + 5}L, TimeUnit.SECONDS, 100)${end}`;
      case "reduce": return `${out}${from}\n        .keyBy { it.${key}.toString() }\n        .reduce { left, right -> newer(left, right) }${end}`;
      case "join": return `${out}${from}\n        .keyBy { it.${key}.toString() }\n        .intervalJoin(events.keyBy { it.${key}.toString() })\n        .between(Time.seconds(-${index + 1}), Time.seconds(${index + 1}))\n        .process(${step.className}())${end}`;
    }
  });
  return `
fun ${at === 0 ? "main" : `run${at}`}(args: Array<String>) {
    val env = StreamExecutionEnvironment.getExecutionEnvironment()
    env.enableCheckpointing(60_000)
    val settings = settings${at}(args)
    val source = KafkaSource.builder<${record}>()
        .setBootstrapServers(settings["brokers"] ?: "localhost:9092")
        .setTopics("${plan.topic}")
        .setGroupId("${plan.topic}-job")
        .setStartingOffsets(OffsetsInitializer.earliest())
        .setValueOnlyDeserializer(${record}Schema())
        .build()
    val events: DataStream<${record}> = env
        .fromSource(source, WatermarkStrategy.forBoundedOutOfOrderness(Duration.ofSeconds(5)), "${spaced(record)}s")${tail({ uid: plan.sourceUid, named: false, name: "" }, "        ")}
${body}${kotlinSink(plan, stream)}
    env.execute("${spaced(record)}s")
}

private fun settings${at}(args: Array<String>): Map<String, String> {
    val settings = mutableMapOf<String, String>()
    for (pair in args.toList().chunked(2)) {
        val (name, value) = pair
        require(name !in settings) { "Given twice: $name" }
        settings[name.removePrefix("--")] = value
    }
    return settings
}

private fun clean(value: ${record}): ${record} {
${each(plan.fields.filter(({ type }) => type === "text"), ({ name }) => `    value.${name} = value.${name}?.trim()\n`)}    return value
}

private fun newer(left: ${record}, right: ${record}): ${record} = if (left.hashCode() > right.hashCode()) left else right
${each(plan.plain, (name, index) => `
private fun ${name}x${at}(values: DoubleArray): Double {
    var total = 0.0
    for (value in values.drop(${index})) {
        if (value.isNaN()) continue
        total += value * ${index + 1}.5
    }
    return if (values.isEmpty()) 0.0 else total / values.size
}
`)}${each(plan.steps, (step) => kotlinFunction(step, plan))}
data class ${record}(
${each(plan.fields, ({ name, type }) => `    var ${name}: ${kotlinTypes[type]} = ${initial[type]},\n`)})
`;
}

function kotlinSink({ sink, topic, sinkUid, record }: Plan, stream: string): string {
  const end = tail({ uid: sinkUid, named: true, name: `Write ${record}s` }, "        ");
  if (sink === "print") return `    ${stream}.print()${end}`;
  if (sink === "file") return `    ${stream}.map { it.toString() }.sinkTo(FileSink.forRowFormat(Path("/data/${topic}"), SimpleStringEncoder<String>("UTF-8")).build())${end}`;
  return `    val sink = KafkaSink.builder<${record}>()
        .setBootstrapServers("localhost:9092")
        .setRecordSerializer(${record}Schema())
        .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
        .setTransactionalIdPrefix("${topic}")
        .build()
    ${stream}.sinkTo(sink)${end}`;
}

function kotlinFunction({ kind, className }: Step, { record, key }: Plan): string {
  switch (kind) {
    case "process": return `
class ${className}(private val timeoutSeconds: Long) : KeyedProcessFunction<String, ${record}, ${record}>() {
    private lateinit var total: ValueState<Double>
    private lateinit var seen: MapState<String, Long>

    override fun open(parameters: Configuration) {
        total = runtimeContext.getState(ValueStateDescriptor("total", Double::class.java))
        seen = runtimeContext.getMapState(MapStateDescriptor("seen", String::class.java, Long::class.java))
    }

    override fun processElement(value: ${record}, context: Context, out: Collector<${record}>) {
        val now = (total.value() ?: 0.0) + 1
        if (seen.contains(value.${key}.toString())) return
        seen.put(value.${key}.toString(), context.timestamp())
        total.update(now)
        context.timerService().registerEventTimeTimer(context.timestamp() + timeoutSeconds * 1000)
        when {
            now > 100 -> out.collect(value)
            now < 0 -> total.clear()
        }
    }

    override fun onTimer(timestamp: Long, context: OnTimerContext, out: Collector<${record}>) {
        total.clear()
        seen.clear()
    }
}
`;
    case "window": return `
class ${className} : AggregateFunction<${record}, ${record}, ${record}> {
    override fun createAccumulator() = ${record}()

    override fun add(value: ${record}, accumulator: ${record}) = newer(value, accumulator)

    override fun getResult(accumulator: ${record}) = accumulator

    override fun merge(left: ${record}, right: ${record}) = newer(left, right)
}
`;
    case "dedupe": return `
class ${className} : RichFlatMapFunction<${record}, ${record}>() {
    @Transient
    private lateinit var seen: ValueState<Boolean>

    override fun open(parameters: Configuration) {
        seen = runtimeContext.getState(ValueStateDescriptor("seen", Boolean::class.java))
    }

    override fun flatMap(value: ${record}, out: Collector<${record}>) {
        if (seen.value() == null) {
            seen.update(true)
            out.collect(value)
        }
    }
}
`;
    case "enrich": return `
class ${className}(private val rules: MapStateDescriptor<String, String>) : BroadcastProcessFunction<${record}, String, ${record}>() {
    override fun processElement(value: ${record}, context: ReadOnlyContext, out: Collector<${record}>) {
        if (context.getBroadcastState(rules).contains("all")) out.collect(value)
    }

    override fun processBroadcastElement(rule: String, context: Context, out: Collector<${record}>) {
        context.getBroadcastState(rules).put(rule, rule)
    }
}
`;
    case "async": return `
class ${className} : RichAsyncFunction<${record}, ${record}>() {
    private val cache = mutableMapOf<String, String>()

    override fun asyncInvoke(value: ${record}, result: org.apache.flink.streaming.api.functions.async.ResultFuture<${record}>) {
        cache.computeIfAbsent(value.toString()) { it }
        result.complete(listOf(value))
    }
}
`;
    case "join": return `
class ${className} : ProcessJoinFunction<${record}, ${record}, ${record}>() {
    override fun processElement(left: ${record}, right: ${record}, context: Context, out: Collector<${record}>) {
        out.collect(newer(left, right))
    }
}
`;
    default: return "";
  }
}

// ---- Scala ---------------------------------------------------------------------------------------------------------------------------------

const scalaTypes = { text: "String", long: "Long", double: "Double", flag: "Boolean" } as const;

function scalaFile(plans: readonly Plan[], name: string): string {
  return `package ${plans[0]?.packageName ?? "jobs"}

${[...jvmImports].sort().map((name) => `import ${name}\n`).join("")}import org.apache.flink.streaming.api.scala._
import java.time.Duration
import java.util.concurrent.TimeUnit
import scala.collection.mutable

object ${name} {
${each(plans, scalaJob)}}
`;
}

function scalaJob(plan: Plan, at: number): string {
  const { record, key } = plan;
  let stream = "events";
  const body = each(plan.steps, (step, index) => {
    const next = lower(step.className);
    const [from, out] = [stream, `    val ${next} = `];
    stream = next;
    const end = `${tail(step, "      ")}\n`;
    switch (step.kind) {
      case "map": return `${out}${from}.map(value => clean(value))${end}`;
      case "filter": return `${out}${from}\n      .filter(_.${key} != null)${end}`;
      case "process": return `${out}${from}\n      .keyBy(_.${key}.toString)\n      .process(new ${step.className}(${60 + index}))${end}`;
      case "window": return `${out}${from}.keyBy(_.${key}.toString)\n      .window(TumblingEventTimeWindows.of(Time.minutes(${index + 1})))\n      .allowedLateness(Time.seconds(${index * 5}))\n      .aggregate(new ${step.className})${end}`;
      case "dedupe": return `${out}${from}.keyBy(_.${key}.toString).flatMap(new ${step.className})${end}`;
      case "enrich": return `    val rules${at}x${index} = new MapStateDescriptor("rules", classOf[String], classOf[String])\n${out}${from}\n      .connect(env.fromElements("a", "b").broadcast(rules${at}x${index}))\n      .process(new ${step.className}(rules${at}x${index}))${end}`;
      case "async": return `${out}AsyncDataStream.unorderedWait(${from}, new ${step.className}, ${index + 5}, TimeUnit.SECONDS, 100)${end}`;
      case "reduce": return `${out}${from}\n      .keyBy(_.${key}.toString)\n      .reduce((left, right) => newer(left, right))${end}`;
      case "join": return `${out}${from}\n      .keyBy(_.${key}.toString)\n      .intervalJoin(events.keyBy(_.${key}.toString))\n      .between(Time.seconds(-${index + 1}), Time.seconds(${index + 1}))\n      .process(new ${step.className})${end}`;
    }
  });
  return `
  case class ${record}(${plan.fields.map(({ name, type }) => `${name}: ${scalaTypes[type]}`).join(", ")})

  def ${at === 0 ? "main" : `run${at}`}(args: Array[String]): Unit = {
    val env = StreamExecutionEnvironment.getExecutionEnvironment
    env.enableCheckpointing(60000)
    val settings = settings${at}(args)
    val source = KafkaSource.builder[${record}]()
      .setBootstrapServers(settings.getOrElse("brokers", "localhost:9092"))
      .setTopics("${plan.topic}")
      .setGroupId("${plan.topic}-job")
      .setStartingOffsets(OffsetsInitializer.earliest())
      .setValueOnlyDeserializer(new ${record}Schema)
      .build()
    val events: DataStream[${record}] = env
      .fromSource(source, WatermarkStrategy.forBoundedOutOfOrderness[${record}](Duration.ofSeconds(5)), "${spaced(record)}s")${tail({ uid: plan.sourceUid, named: false, name: "" }, "      ")}
${body}${scalaSink(plan, stream)}
    env.execute("${spaced(record)}s")
  }

  private def settings${at}(args: Array[String]): Map[String, String] = {
    val settings = mutable.Map.empty[String, String]
    args.grouped(2).foreach {
      case Array(name, value) if !settings.contains(name) => settings += name.stripPrefix("--") -> value
      case other => throw new IllegalArgumentException(s"Given twice: \${other.mkString(" ")}")
    }
    settings.toMap
  }

  private def clean(value: ${record}): ${record} = value.copy(
${plan.fields.filter(({ type }) => type === "text").map(({ name }) => `    ${name} = Option(value.${name}).map(_.trim).orNull`).join(",\n")}
  )

  private def newer(left: ${record}, right: ${record}): ${record} = if (left.hashCode > right.hashCode) left else right
${each(plan.plain, (name, index) => `
  private def ${name}x${at}(values: Seq[Double]): Double = {
    val there = values.drop(${index}).filterNot(_.isNaN)
    there match {
      case Nil => 0.0
      case some => some.map(_ * ${index + 1}.5).sum / some.size
    }
  }
`)}${each(plan.steps, (step) => scalaFunction(step, plan))}`;
}

function scalaSink({ sink, topic, sinkUid, record }: Plan, stream: string): string {
  const end = tail({ uid: sinkUid, named: true, name: `Write ${record}s` }, "      ");
  if (sink === "print") return `    ${stream}.print()${end}`;
  if (sink === "file") return `    ${stream}.map(_.toString).sinkTo(FileSink.forRowFormat(new Path("/data/${topic}"), new SimpleStringEncoder[String]("UTF-8")).build())${end}`;
  return `    val sink = KafkaSink.builder[${record}]()
      .setBootstrapServers("localhost:9092")
      .setRecordSerializer(new ${record}Schema)
      .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
      .setTransactionalIdPrefix("${topic}")
      .build()
    ${stream}.sinkTo(sink)${end}`;
}

function scalaFunction({ kind, className }: Step, { record, key }: Plan): string {
  switch (kind) {
    case "process": return `
  class ${className}(timeoutSeconds: Long) extends KeyedProcessFunction[String, ${record}, ${record}] {
    private var total: ValueState[Double] = _
    private lazy val seen: MapState[String, Long] = getRuntimeContext.getMapState(new MapStateDescriptor("seen", classOf[String], classOf[Long]))

    override def open(parameters: Configuration): Unit = {
      total = getRuntimeContext.getState(new ValueStateDescriptor("total", classOf[Double]))
    }

    override def processElement(value: ${record}, context: KeyedProcessFunction[String, ${record}, ${record}]#Context, out: Collector[${record}]): Unit = {
      val now = total.value() + 1
      if (!seen.contains(value.${key}.toString)) {
        seen.put(value.${key}.toString, context.timestamp())
        total.update(now)
        context.timerService().registerEventTimeTimer(context.timestamp() + timeoutSeconds * 1000)
        now match {
          case large if large > 100 => out.collect(value)
          case _ => ()
        }
      }
    }

    override def onTimer(timestamp: Long, context: KeyedProcessFunction[String, ${record}, ${record}]#OnTimerContext, out: Collector[${record}]): Unit = {
      total.clear()
      seen.clear()
    }
  }
`;
    case "window": return `
  class ${className} extends AggregateFunction[${record}, Seq[${record}], ${record}] {
    override def createAccumulator(): Seq[${record}] = Seq.empty

    override def add(value: ${record}, accumulator: Seq[${record}]): Seq[${record}] = accumulator :+ value

    override def getResult(accumulator: Seq[${record}]): ${record} = accumulator.reduce(newer)

    override def merge(left: Seq[${record}], right: Seq[${record}]): Seq[${record}] = left ++ right
  }
`;
    case "dedupe": return `
  class ${className} extends RichFlatMapFunction[${record}, ${record}] {
    private lazy val seen = getRuntimeContext.getState(new ValueStateDescriptor("seen", classOf[Boolean]))

    override def flatMap(value: ${record}, out: Collector[${record}]): Unit = {
      if (!seen.value()) {
        seen.update(true)
        out.collect(value)
      }
    }
  }
`;
    case "enrich": return `
  class ${className}(rules: MapStateDescriptor[String, String]) extends BroadcastProcessFunction[${record}, String, ${record}] {
    override def processElement(value: ${record}, context: BroadcastProcessFunction[${record}, String, ${record}]#ReadOnlyContext, out: Collector[${record}]): Unit = {
      if (context.getBroadcastState(rules).contains("all")) out.collect(value)
    }

    override def processBroadcastElement(rule: String, context: BroadcastProcessFunction[${record}, String, ${record}]#Context, out: Collector[${record}]): Unit =
      context.getBroadcastState(rules).put(rule, rule)
  }
`;
    case "async": return `
  class ${className} extends RichAsyncFunction[${record}, ${record}] {
    private val cache = mutable.Map.empty[String, String]

    override def asyncInvoke(value: ${record}, result: ResultFuture[${record}]): Unit = {
      cache.getOrElseUpdate(value.toString, value.toString)
      result.complete(Seq(value))
    }
  }
`;
    case "join": return `
  class ${className} extends ProcessJoinFunction[${record}, ${record}, ${record}] {
    override def processElement(left: ${record}, right: ${record}, context: ProcessJoinFunction[${record}, ${record}, ${record}]#Context, out: Collector[${record}]): Unit = {
      out.collect(newer(left, right))
    }
  }
`;
    default: return "";
  }
}

// ---- Python --------------------------------------------------------------------------------------------------------------------------------

function pythonFile(plans: readonly Plan[]): string {
  return `import argparse
import json
import logging
from dataclasses import dataclass

from pyflink.common import Duration, Time, Types, WatermarkStrategy
from pyflink.common.serialization import SimpleStringSchema
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.file_system import FileSink
from pyflink.datastream.connectors.kafka import DeliveryGuarantee, KafkaOffsetsInitializer, KafkaSink, KafkaSource
from pyflink.datastream.functions import AggregateFunction, BroadcastProcessFunction, FlatMapFunction, KeyedProcessFunction, RuntimeContext
from pyflink.datastream.state import MapStateDescriptor, ValueStateDescriptor
from pyflink.datastream.window import TumblingEventTimeWindows

logger = logging.getLogger(__name__)
${each(plans, pythonJob)}

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    main()
`;
}

function pythonJob(plan: Plan, at: number): string {
  const { record } = plan;
  const key = snake(plan.key);
  let stream = "events";
  const body = each(plan.steps, (step, index) => {
    const next = snake(step.className);
    const from = stream;
    stream = next;
    const end = `${step.uid === undefined ? "" : ` \\\n        .uid("${step.uid}")`}${step.named ? ` \\\n        .name("${step.name}")` : ""}\n`;
    const out = `    ${next} = `;
    switch (step.kind) {
      case "map":
      case "async": return `${out}${from}.map(clean_${at})${end}`;
      case "filter": return `${out}${from}.filter(lambda value: value.${key} is not None)${end}`;
      case "process": return `${out}${from} \\\n        .key_by(lambda value: value.${key}) \\\n        .process(${step.className}(${60 + index}))${end}`;
      case "window": return `${out}${from} \\\n        .key_by(lambda value: value.${key}) \\\n        .window(TumblingEventTimeWindows.of(Time.minutes(${index + 1}))) \\\n        .aggregate(${step.className}())${end}`;
      case "dedupe": return `${out}${from}.key_by(lambda value: value.${key}).flat_map(${step.className}())${end}`;
      case "enrich": return `    rules_${at}_${index} = MapStateDescriptor("rules", Types.STRING(), Types.STRING())\n${out}${from}.connect(env.from_collection(["a", "b"]).broadcast(rules_${at}_${index})) \\\n        .process(${step.className}(rules_${at}_${index}))${end}`;
      case "reduce": return `${out}${from}.key_by(lambda value: value.${key}) \\\n        .count_window(${index + 2}).reduce(lambda left, right: newer_${at}(left, right))${end}`;
      case "join": return `${out}${from}.union(events.filter(lambda value: value is not None))\n`;
    }
  });
  return `

@dataclass
class ${record}:
${each(plan.fields, ({ name, type }) => `    ${snake(name)}: ${{ text: "str", long: "int", double: "float", flag: "bool" }[type]} = None\n`)}

def clean_${at}(value: ${record}) -> ${record}:
${each(plan.fields.filter(({ type }) => type === "text"), ({ name }) => `    if value.${snake(name)} is not None:\n        value.${snake(name)} = value.${snake(name)}.strip()\n`)}    return value


def newer_${at}(left: ${record}, right: ${record}) -> ${record}:
    return left if hash(str(left)) > hash(str(right)) else right
${each(plan.plain, (name, index) => `

def ${snake(name)}_${at}(values):
    total = 0.0
    for value in values[${index}:]:
        if value != value:
            continue
        total += value * ${index + 1}.5
    return total / len(values) if values else 0.0
`)}${each(plan.steps, (step) => pythonFunction(step, plan))}

def settings_${at}():
    parser = argparse.ArgumentParser(description="${spaced(record)}s")
    parser.add_argument("--brokers", default="localhost:9092")
    parser.add_argument("--topic", default="${plan.topic}")
    known, rest = parser.parse_known_args()
    if rest:
        logger.warning("not understood: %s", json.dumps(rest))
    return known


def ${at === 0 ? "main" : `run_${at}`}():
    env = StreamExecutionEnvironment.get_execution_environment()
    env.enable_checkpointing(60000)
    settings = settings_${at}()
    source = KafkaSource.builder() \\
        .set_bootstrap_servers(settings.brokers) \\
        .set_topics(settings.topic) \\
        .set_group_id("${plan.topic}-job") \\
        .set_starting_offsets(KafkaOffsetsInitializer.earliest()) \\
        .set_value_only_deserializer(SimpleStringSchema()) \\
        .build()
    strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_seconds(5))
    events = env.from_source(source, strategy, "${spaced(record)}s")${plan.sourceUid === undefined ? "" : `.uid("${plan.sourceUid}")`}
${body}${pythonSink(plan, stream)}
    env.execute("${spaced(record)}s")
`;
}

function pythonSink({ sink, topic, sinkUid, record }: Plan, stream: string): string {
  const end = `.name("Write ${record}s")${sinkUid === undefined ? "" : `.uid("${sinkUid}")`}`;
  if (sink === "print") return `    ${stream}.print()${end}`;
  if (sink === "file") return `    ${stream}.map(str, output_type=Types.STRING()).sink_to(FileSink.for_row_format("/data/${topic}", None).build())${end}`;
  return `    sink = KafkaSink.builder() \\
        .set_bootstrap_servers(settings.brokers) \\
        .set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE) \\
        .set_transactional_id_prefix("${topic}") \\
        .build()
    ${stream}.sink_to(sink)${end}`;
}

function pythonFunction({ kind, className }: Step, { key: name, record }: Plan): string {
  const key = snake(name);
  switch (kind) {
    case "process": return `

class ${className}(KeyedProcessFunction):

    def __init__(self, timeout_seconds):
        self.timeout_seconds = timeout_seconds
        self.total = None
        self.seen = None

    def open(self, runtime_context: RuntimeContext):
        self.total = runtime_context.get_state(ValueStateDescriptor("total", Types.DOUBLE()))
        self.seen = runtime_context.get_map_state(MapStateDescriptor("seen", Types.STRING(), Types.LONG()))

    def process_element(self, value, ctx: "KeyedProcessFunction.Context"):
        now = (self.total.value() or 0.0) + 1
        if self.seen.contains(str(value.${key})):
            return
        self.seen.put(str(value.${key}), ctx.timestamp())
        self.total.update(now)
        ctx.timer_service().register_event_time_timer(ctx.timestamp() + self.timeout_seconds * 1000)
        if now > 100:
            yield value

    def on_timer(self, timestamp, ctx: "KeyedProcessFunction.OnTimerContext"):
        self.total.clear()
        self.seen.clear()
`;
    case "window": return `

class ${className}(AggregateFunction):

    def create_accumulator(self):
        return ${record}()

    def add(self, value, accumulator):
        return value if accumulator is None else accumulator

    def get_result(self, accumulator):
        return accumulator

    def merge(self, left, right):
        return left or right
`;
    case "dedupe": return `

class ${className}(FlatMapFunction):

    def __init__(self):
        self.seen = None

    def open(self, runtime_context: RuntimeContext):
        self.seen = runtime_context.get_state(ValueStateDescriptor("seen", Types.BOOLEAN()))

    def flat_map(self, value):
        if self.seen.value() is None:
            self.seen.update(True)
            yield value
`;
    case "enrich": return `

class ${className}(BroadcastProcessFunction):

    def __init__(self, rules):
        self.rules = rules

    def process_element(self, value, ctx):
        if ctx.get_broadcast_state(self.rules).contains("all"):
            yield value

    def process_broadcast_element(self, rule, ctx):
        ctx.get_broadcast_state(self.rules).put(rule, rule)
`;
    default: return "";
  }
}
