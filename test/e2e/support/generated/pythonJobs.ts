import { each, eachStep, type Plan, snake, spaced, type Step } from "./jobPlan";

/** Jobs as functions in Python. */
export function pythonFile(plans: readonly Plan[]): string {
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
  const { body, stream } = eachStep(plan.steps, snake, (step, index, from, next) => {
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
