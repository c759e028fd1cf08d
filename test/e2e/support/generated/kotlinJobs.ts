import { each, eachStep, javaImports, jvmImports, lower, type Plan, spaced, type Step, tail } from "./jobPlan";

const kotlinTypes = { text: "String?", long: "Long", double: "Double", flag: "Boolean" } as const;
const initial = { text: "null", long: "0L", double: "0.0", flag: "false" } as const;

/** Jobs as functions in Kotlin. */
export function kotlinFile(plans: readonly Plan[]): string {
  return `package ${plans[0]?.packageName ?? "jobs"}

${[...jvmImports, ...javaImports].sort().map((name) => `import ${name}\n`).join("")}import java.time.Duration
import java.util.concurrent.TimeUnit
${each(plans, kotlinJob)}`;
}

function kotlinJob(plan: Plan, at: number): string {
  const { record, key } = plan;
  const { body, stream } = eachStep(plan.steps, lower, (step, index, from, next) => {
    const out = `    val ${next} = `;
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

