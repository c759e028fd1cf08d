import { capital, each, eachStep, javaImports, jvmImports, lower, type Plan, spaced, type Step, tail } from "./jobPlan";

const javaTypes = { text: "String", long: "long", double: "double", flag: "boolean" } as const;

/** Jobs as a class in Java. */
export function javaFile(plans: readonly Plan[], name: string): string {
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
  const { body, stream } = eachStep(plan.steps, lower, (step, index, from, next) => {
    const out = `    SingleOutputStreamOperator<${record}> ${next} = `;
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
