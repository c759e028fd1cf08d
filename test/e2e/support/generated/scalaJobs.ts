import { each, eachStep, jvmImports, lower, type Plan, spaced, type Step, tail } from "./jobPlan";

const scalaTypes = { text: "String", long: "Long", double: "Double", flag: "Boolean" } as const;

/** Jobs as an object in Scala. */
export function scalaFile(plans: readonly Plan[], name: string): string {
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
  const { body, stream } = eachStep(plan.steps, lower, (step, index, from, next) => {
    const out = `    val ${next} = `;
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

