import type { Evaluator } from "./evaluator";
import {
  asyncWaits, configuration, envSettings, fileSources, flinkPackages, intervalStages, joinStages, memorySources, patternOperators, patternSettings, rewiring, rolling, stateless, statelessSinks, statelessSources,
  windowing, windowOperators, windowSettings, withState,
} from "./flinkNames";
import { declaresStates, functionNeeds, functionState, sinkState, type Where } from "./functionState";
import type { Call, TypeName } from "./model";
import { placeOf, type Operators } from "./operators";
import { isFlink, other, unknown, type Frame, type StateProof, type Value } from "./values";

const never: StateProof = { state: "no", what: "", at: undefined };
const always = (what: string): StateProof => ({ state: "yes", what, at: undefined });

type On = (call: Call, args: readonly Value[], receiver: Value) => Value | undefined;

/** What a call on one of Flink's values returns, with the operator it makes; undefined when it is no call of Flink's. */
export function flinkCall(evaluator: Evaluator, receiver: Value, call: Call, args: readonly Value[], frame: Frame): Value | undefined {
  const make = (kind: "op" | "sink", proof: StateProof, facts: Parameters<Operators["site"]>[3] = {}): Value => ({ kind, sites: [evaluator.operators.site(call, frame, proof, { keyedAt: receiver.keyedAt, ...facts })] });
  const byFunction = (where: Where): Value => make("op", functionState(args[0], where, evaluator.index), { functionValue: args[0] });
  const { name } = call;
  const onAnyStream: On = () => {
    if (name === "keyBy" || name === "keyingBy") return { kind: "keyed", sites: [], keyedAt: placeOf(call, frame) };
    if (name === "broadcast") return args.length === 0 ? { kind: "stream", sites: [] } : { kind: "broadcast", sites: [] };
    if (name === "iterate" && args[0]?.closure !== undefined) evaluator.invoke(args[0].closure, [{ kind: "stream", sites: [] }]);
    if (rewiring.has(name)) return { kind: "stream", sites: [] };
    if (stateless.has(name)) return make("op", never);
    if (name === "windowAll" || name === "timeWindowAll" || name === "countWindowAll") return { kind: "windowed", sites: [] };
    if (name === "connect") return connected(receiver, args);
    if (name === "join" || name === "coGroup") return { kind: "joined", sites: [] };
    if (name === "addSink") return make("sink", functionState(args[0], receiver.kind === "keyed" ? "keyed" : "plain", evaluator.index), { functionValue: args[0] });
    if (name === "sinkTo") return sinkTo(evaluator, call, args, frame, receiver);
    if (statelessSinks.has(name)) return make("sink", never);
    if (name === "transform") return make("op", functionState(args.at(-1), "plain", evaluator.index));
    if (name === "fullWindowPartition") return { kind: "partitions", sites: [], ...(receiver.kind === "keyed" ? { left: "keyed" as const } : {}) };
    if (name === "map" || name === "flatMap" || name === "filter") return byFunction(receiver.kind === "keyed" ? "keyed" : "plain");
    if (withState.has(name)) return make("op", always("a value for each key"));
    if (name === "mapWith" || name === "flatMapWith" || name === "filterWith") return make("op", never);
    if (name === "getTransformation" || name === "transformation") return { kind: "transformation", sites: receiver.sites };
    if (name === "javaStream" || name === "getJavaStream") return receiver;
    if (name === "toTable" || name === "executeAndCollect" || name === "collectAsync") return unknown;
    if (name === "print" || name === "foreach") return make("sink", never);
    return undefined;
  };
  switch (receiver.kind) {
    case "env":
      return onEnvironment(evaluator, call, args, frame, make);
    case "op":
    case "sink":
    case "stream":
      if (configuration.has(name)) return withName(receiver, name, args);
      return name === "process" ? processed(evaluator, args, make) : keyedMethod(call, make) ?? onAnyStream(call, args, receiver);
    case "keyed":
      if (name === "process") return make("op", always("keyed state and timers"), { functionValue: args[0] });
      if (rolling.has(name) || name === "aggregate") return make("op", always("a value for each key"));
      if (windowing.has(name)) return { kind: "windowed", sites: [], keyedAt: receiver.keyedAt };
      if (name === "intervalJoin") return { kind: "interval", sites: [], keyedAt: receiver.keyedAt };
      if (name === "asQueryableState") return { ...other, sites: [evaluator.operators.site(call, frame, always("queryable state"), { rule: "queryable-state", keyedAt: receiver.keyedAt })] };
      if (configuration.has(name)) return receiver;
      return onAnyStream(call, args, receiver);
    case "windowed":
      if (windowSettings.has(name)) return receiver;
      if (windowOperators.has(name)) return make("op", always("the contents of its windows and their timers"), { functionValue: args.at(-1) });
      return undefined;
    case "joined":
      if (name === "apply" || name === "with" || name === "projecting") return make("op", always("the elements of both streams"), { joinApply: name === "apply" });
      return joinStages.has(name) ? receiver : undefined;
    case "interval":
      if (intervalStages.has(name)) return receiver;
      return name === "process" ? make("op", always("the elements of both streams and their timers"), { functionValue: args[0] }) : undefined;
    case "pattern":
      if (patternSettings.has(name)) return receiver;
      return patternOperators.has(name) ? make("op", always("partial matches")) : undefined;
    case "connected":
      return onConnected(evaluator, receiver, call, args, make);
    case "partitions":
      if (name === "mapPartition" || name === "reduce" || name === "aggregate") return receiver.left === "keyed" ? make("op", always("the elements of its partition")) : make("op", never);
      return name === "sortPartition" ? make("op", never) : undefined;
    case "transformation":
      return name === "setUid" ? receiver : configuration.has(name) ? receiver : unknown;
    case "broadcast":
      return configuration.has(name) ? receiver : undefined;
    case "table":
      if (/^to(?:DataStream|AppendStream|RetractStream|ChangelogStream)$/.test(name)) return { kind: "stream", sites: [] };
      return /^(?:executeSql|sqlUpdate|execute|create\w*View|registerDataStream|from\w*Stream|explain\w*|getConfig)$/.test(name) ? (name.startsWith("from") ? { kind: "table", sites: [] } : unknown) : { kind: "table", sites: [] };
    case "env2":
    case "stream2":
    case "keyed2":
    case "connected2":
      return onVersion2(evaluator, receiver, call, args, make);
    default:
      return undefined;
  }
}

type Make = (kind: "op" | "sink", proof: StateProof, facts?: Parameters<Operators["site"]>[3]) => Value;

function onEnvironment(evaluator: Evaluator, call: Call, args: readonly Value[], frame: Frame, make: Make): Value | undefined {
  const { name } = call;
  if (name === "fromSource") return make("op", always("its position in the source"), { givenName: args.find(({ kind }) => kind === "text")?.text?.value, functionValue: args[0] });
  if (name === "addSource") return make("op", functionState(args[0], "plain", evaluator.index), { functionValue: args[0], givenName: args[1]?.text?.value });
  if (memorySources.has(name)) return make("op", { state: "unknown", what: "", at: undefined });
  if (statelessSources.has(name)) return make("op", never);
  if (fileSources.has(name)) return make("op", always("its position in the files"), { rule: "legacy-file-source" });
  if (name === "disableAutoGeneratedUIDs") evaluator.operators.disableAutoUids(placeOf(call, frame));
  if (name === "setRuntimeMode") evaluator.operators.setRuntimeMode(args[0]?.made?.root === "RuntimeExecutionMode" && args[0].made.calls[0]?.name === "BATCH");
  if (envSettings.has(name)) return { kind: "env", sites: [] };
  if (name === "getConfig" || name === "config") return { kind: "object", sites: [], made: { root: "ExecutionConfig", calls: [] } };
  if (name === "getJavaEnv" || name === "javaEnv" || name === "getWrappedStreamExecutionEnvironment") return { kind: "env", sites: [] };
  return /^(?:execute|executeAsync|get\w+|registerJobListener|registerType\w*|register\w+|configure|addDefaultKryoSerializer|setRestartStrategy|addOperator|clean|createInput|is\w+|set\w+|close)$/.test(name) ? unknown : undefined;
}

function withName(receiver: Value, name: string, args: readonly Value[]): Value {
  if (name === "name" || name === "withName") {
    for (const { facts } of receiver.sites) {
      facts.namedLater ??= args[0]?.text?.value;
      facts.givenName ??= facts.namedLater;
    }
  }
  return receiver;
}

/** `process` on a stream that is not proven to be keyed: the class of the function may prove it. */
function processed(evaluator: Evaluator, args: readonly Value[], make: Make): Value {
  const needs = functionNeeds(args[0], evaluator.index);
  if (needs !== undefined && needs !== "broadcast") return make("op", always(keptBy[needs]), { functionValue: args[0] });
  return make("op", functionState(args[0], "plain", evaluator.index), { functionValue: args[0] });
}

/** What an operator keeps by what its function needs. */
const keptBy: Readonly<Record<NonNullable<ReturnType<typeof functionNeeds>>, string>> = {
  keyed: "keyed state and timers", broadcast: "broadcast state", windows: "the contents of its windows and their timers", interval: "the elements of both streams and their timers",
};

/** Only a keyed or windowed stream has these, so a stream that has them is one, whatever its variable is declared as. */
function keyedMethod({ name }: Call, make: Make): Value | undefined {
  if (name === "timeWindow" || name === "countWindow" || name === "window") return { kind: "windowed", sites: [] };
  if (name === "intervalJoin") return { kind: "interval", sites: [] };
  return rolling.has(name) ? make("op", always("a value for each key")) : undefined;
}

function connected(receiver: Value, args: readonly Value[]): Value {
  const [side] = args;
  const left = receiver.kind === "keyed" ? "keyed" : receiver.kind === "op" ? "plain" : undefined;
  const right = side?.kind === "broadcast" ? "broadcast" : side?.kind === "keyed" ? "keyed" : side?.kind === "op" ? "plain" : undefined;
  return { kind: "connected", sites: [], left, right, keyedAt: receiver.keyedAt };
}

function onConnected(evaluator: Evaluator, receiver: Value, call: Call, args: readonly Value[], make: Make): Value | undefined {
  const { name } = call;
  if (name === "keyBy" || name === "keyingBy") return { ...receiver, left: "keyed", right: "keyed" };
  const both = receiver.left === "keyed" && receiver.right === "keyed";
  if (name === "process") {
    const needs = functionNeeds(args[0], evaluator.index);
    if (receiver.right === "broadcast" || needs === "broadcast") return make("op", always("broadcast state"), { functionValue: args[0] });
    if (both || needs === "keyed") return make("op", always("keyed state and timers"), { functionValue: args[0] });
    return make("op", functionState(args[0], "plain", evaluator.index), { functionValue: args[0] });
  }
  if (name === "map" || name === "flatMap") return make("op", functionState(args[0], both ? "keyed" : "plain", evaluator.index), { functionValue: args[0] });
  return name === "transform" ? make("op", functionState(args.at(-1), "plain", evaluator.index)) : undefined;
}

function sinkTo(evaluator: Evaluator, call: Call, args: readonly Value[], frame: Frame, receiver: Value): Value {
  const sink = args[0];
  const compacts = sink?.made?.root === "FileSink" && sink.made.calls.some(({ name, args: given }) => name === "enableCompact" && given[0]?.kind !== "null");
  const site = evaluator.operators.site(call, frame, sinkState(sink, evaluator.index), { takesHash: false, functionValue: sink, keyedAt: receiver.keyedAt, ...(compacts ? { rule: "sink-needs-uid" as const } : {}) });
  return { kind: "sink", sites: [site] };
}

function onVersion2(evaluator: Evaluator, receiver: Value, call: Call, args: readonly Value[], make: Make): Value | undefined {
  const stream: Value = { kind: "stream2", sites: [] };
  const typed = (value: Value): Value => ({ ...stream, sites: value.sites });
  switch (call.name) {
    case "fromSource":
      return receiver.kind === "env2" ? typed(make("op", always("its position in the source"), { givenName: args[1]?.text?.value })) : undefined;
    case "keyBy":
      return { kind: "keyed2", sites: [] };
    case "process":
      return typed(make("op", declaresStates(args[0]), { functionValue: args[0] }));
    case "connectAndProcess":
      return typed(make("op", declaresStates(args[1]), { functionValue: args[1] }));
    case "toSink":
      return typed(make("sink", sinkState(args[0]?.made?.root === "DataStreamV2SinkUtils" ? args[0].made.calls[0]?.args[0] : args[0], evaluator.index), { takesHash: false }));
    case "global":
    case "shuffle":
    case "broadcast":
      return stream;
    default:
      return configuration.has(call.name) ? receiver : unknown;
  }
}

/** Calls on classes: what makes an environment, and the operators that are made by a static method. */
export function staticFlinkCall(evaluator: Evaluator, type: TypeName, call: Call, args: readonly Value[], frame: Frame): Value | undefined {
  const { name } = call;
  const typeName = type.name;
  const full = frame.file.imports.get(typeName) ?? type.written;
  const flink = evaluator.index.isFlinkType(type, frame.file);
  if (typeName === "StreamExecutionEnvironment" || typeName === "LocalStreamEnvironment") {
    if (/^(?:getExecutionEnvironment|createLocalEnvironment\w*|createRemoteEnvironment|apply|createStreamExecutionEnvironment)$/.test(name)) return evaluator.operators.environment(call, frame);
  }
  if (!flink && !flinkPackages.test(full)) return undefined;
  if (typeName === "ExecutionEnvironment") return /datastream\.api/.test(full) ? { kind: "env2", sites: [] } : other;
  if (/TableEnvironment$|^StreamTableEnvironment/.test(typeName)) return { kind: "table", sites: [] };
  if (typeName === "AsyncDataStream" && asyncWaits.has(name)) return { kind: "op", sites: [evaluator.operators.site(call, frame, always("its waiting elements"), { functionValue: args[1] })] };
  if (typeName === "CEP" && name === "pattern") return { kind: "pattern", sites: [], keyedAt: args[0]?.keyedAt };
  if (typeName === "DataStreamUtils") return name === "reinterpretAsKeyedStream" ? { kind: "keyed", sites: [], keyedAt: placeOf(call, frame) } : unknown;
  return undefined;
}

/** A call on something unknown whose name and arguments only Flink has. */
export function looksLikeFlink(evaluator: Evaluator, receiver: Value, call: Call, args: readonly Value[], frame: Frame): Value | undefined {
  const { index } = evaluator;
  if (!index.importsFlink(frame.file) || receiver.kind === "other" || receiver.kind === "text" || receiver.kind === "class" || receiver.cls !== undefined || call.bare) return undefined;
  const outsider = receiver.type !== undefined && /^(java|javax|scala|kotlin|org\.apache\.spark|org\.apache\.kafka|org\.apache\.beam)\b/.test(frame.file.imports.get(receiver.type.name) ?? "");
  if (outsider) return undefined;
  const make = (kind: "op" | "sink", proof: StateProof, facts: Parameters<Operators["site"]>[3] = {}): Value => ({ kind, sites: [evaluator.operators.site(call, frame, proof, facts)] });
  const [first] = args;
  switch (call.name) {
    case "keyBy":
      return args.length > 0 ? { kind: "keyed", sites: [], keyedAt: placeOf(call, frame) } : undefined;
    case "fromSource":
      return args.length >= 2 ? onEnvironment(evaluator, call, args, frame, make) : undefined;
    case "assignTimestampsAndWatermarks":
    case "assignAscendingTimestamps":
      return make("op", never);
    case "addSource":
      return first !== undefined && functionState(first, "plain", index).state === "yes" ? onEnvironment(evaluator, call, args, frame, make) : { kind: "op", sites: [] };
    case "addSink":
      return make("sink", functionState(first, "plain", index), { functionValue: first });
    case "sinkTo":
      return sinkTo(evaluator, call, args, frame, receiver);
    case "window":
    case "windowAll":
      return isAssigner(first) ? { kind: "windowed", sites: [] } : undefined;
    case "timeWindow":
    case "timeWindowAll":
      return first?.made?.root === "Time" ? { kind: "windowed", sites: [] } : undefined;
    case "process": {
      const needs = functionNeeds(first, index);
      return needs === undefined ? undefined : make("op", always(keptBy[needs]), { functionValue: first });
    }
    case "apply":
      return functionNeeds(first, index) === "windows" ? make("op", always(keptBy.windows), { functionValue: first }) : undefined;
    case "connect":
      return first?.kind === "broadcast" || first?.kind === "keyed" ? { kind: "connected", sites: [], left: undefined, right: first.kind } : first !== undefined && isFlink(first) ? { kind: "connected", sites: [] } : undefined;
    case "intervalJoin":
      return { kind: "interval", sites: [] };
    case "broadcast":
      return first?.type?.name === "MapStateDescriptor" ? { kind: "broadcast", sites: [] } : undefined;
    case "union":
      return first !== undefined && (first.kind === "stream" || first.kind === "op") ? { kind: "stream", sites: [] } : undefined;
    case "getSideOutput":
      return { kind: "stream", sites: [] };
    default:
      return undefined;
  }
}

function isAssigner(value: Value | undefined): boolean {
  return /Windows$/.test(value?.made?.root ?? value?.type?.name ?? "");
}
