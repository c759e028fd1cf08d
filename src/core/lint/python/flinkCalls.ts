import type { Argument, CallExpr } from "./model";
import { configurationCalls, statefulFunctions, statefulLegacySinks, statefulLegacySources, statefulSinks, statelessSinks, stepsOf, windowAssigner, type Step } from "./pyflink";
import { configure, makeOperator, placeOf, streamOf, type Frame, type Run } from "./run";
import { options, unknownValue, type ClassValue, type EnvValue, type Operator, type Place, type StreamValue, type Value, type Verdict } from "./values";

/** What the calls of Flink's API need of the evaluator. */
export interface ClassLookup {
  /** Names of the PyFlink classes a class extends, over any number of steps. */
  flinkBases(cls: ClassValue): readonly string[];
  /** Where the class, or one it extends, asks for keyed state; `unseen` when one of its bases is not seen. */
  stateOf(cls: ClassValue): { readonly at: Place | undefined; readonly asks: boolean; readonly unseen: boolean };
}

/** A call with its arguments evaluated. */
export interface EvaluatedCall {
  readonly call: CallExpr;
  readonly frame: Frame;
  readonly args: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
}

/** What becomes of streams and environments when something is called on them. Undefined where the call is not one of Flink's. */
export class FlinkCalls {
  readonly #run: Run;
  readonly #lookup: ClassLookup;

  constructor(run: Run, lookup: ClassLookup) {
    this.#run = run;
    this.#lookup = lookup;
  }

  newEnv(frame: Frame, at: Place | undefined): EnvValue {
    const env: EnvValue = { t: "env", graph: { checkpointing: false, maxParallelism: false, loops: frame.loops }, keyedAt: undefined, batch: false };
    this.#run.environments.push({ env, at, entry: this.#run.entry });
    return env;
  }

  onEnv(env: EnvValue, method: string, made: EvaluatedCall): Value | undefined {
    const { call, frame, args, named } = made;
    switch (method) {
      case "from_source": {
        const label = textOf(args[2] ?? named.get("source_name"));
        return streamOf(makeOperator(this.#run, call, frame, method, { verdict: "stateful", reason: "its position", env, label }), "operator");
      }
      case "add_source": {
        const verdict = this.#byClass(args[0] ?? named.get("source_func"), statefulLegacySources, new Set());
        const label = textOf(args[1] ?? named.get("source_name"));
        return streamOf(makeOperator(this.#run, call, frame, method, { verdict, reason: "its position", env, label }), "operator");
      }
      case "from_collection":
        return streamOf(makeOperator(this.#run, call, frame, method, { verdict: "stateless", env }), "operator");
      case "read_text_file":
        this.#run.fileSources.set(`${frame.scope.path}:${frame.base + call.at.start}`, placeOf(frame, call.at));
        return streamOf(makeOperator(this.#run, call, frame, method, { verdict: "stateless", env }), "operator");
      case "create_input":
        if (options(args[0] ?? unknownValue).some((input) => input.t === "object" && /^(?:Avro|Csv|Text|File)\w*InputFormat$/.test(input.of))) this.#run.fileSources.set(`${frame.scope.path}:${frame.base + call.at.start}`, placeOf(frame, call.at));
        return streamOf(makeOperator(this.#run, call, frame, method, { verdict: "stateless", env }), "operator");
      case "execute":
      case "execute_async":
        env.graph = { checkpointing: env.graph.checkpointing, maxParallelism: env.graph.maxParallelism, loops: frame.loops };
        return unknownValue;
      case "get_config":
        return { t: "object", of: "ExecutionConfig", calls: new Map(), at: undefined };
      case "get_checkpoint_config":
        env.graph.checkpointing = true;
        return { t: "object", of: "CheckpointConfig", calls: new Map(), at: undefined };
      case "enable_checkpointing":
        env.graph.checkpointing = true;
        return env;
      case "set_runtime_mode":
        env.batch = args[0]?.t === "foreign" && args[0].path.endsWith("RuntimeExecutionMode.BATCH") && frame.turns.length === 0;
        return env;
      case "set_max_parallelism":
        env.graph.maxParallelism = true;
        return env;
      default:
        return /^(?:set|enable|disable|add|register|configure)/.test(method) ? env : unknownValue;
    }
  }

  /** Undefined when a stream of this kind has no such method. */
  onStream(stream: StreamValue, method: string, made: EvaluatedCall): Value | undefined {
    const { call, frame, args, named } = made;
    if (configurationCalls.has(method)) {
      if (method === "uid" || method === "set_uid_hash") this.#placed(stream, method, made);
      configure(stream, call, frame, method, args);
      return stream;
    }
    if (method === "get_execution_environment") return stream.env ?? this.newEnv(frame, undefined);
    const step: Step | undefined = stepsOf[stream.kind][method];
    if (step === undefined) return undefined;
    const at = placeOf(frame, call.at);
    if (step.state !== undefined) return this.#operator(stream, method, step, made);
    if (stream.kind === "windowed" && step.to === "windowed") return stream;
    if (method === "broadcast" && args.length + named.size > 0) return { ...stream, t: "stream", kind: "broadcast", op: undefined, because: at, made: "broadcast(…)" };
    if (method === "connect") return this.#connect(stream, args[0] ?? named.get("ds"), at);
    if (step.to === "keyed" || step.to === "keyed-connected") this.#keyed(stream.env, at);
    return { t: "stream", kind: step.to, op: undefined, env: stream.env, because: at, made: method };
  }

  /** A call on something unknown that is Flink's all the same: by a name only Flink has, or by its argument. */
  onUnknown(method: string, made: EvaluatedCall): Value | undefined {
    const { call, frame, args, named } = made;
    const plain: StreamValue = { t: "stream", kind: "plain", op: undefined, env: undefined, because: undefined, made: "" };
    switch (method) {
      case "from_source":
        return args.length + named.size >= 3 ? this.onEnv(this.newEnv(frame, undefined), method, made) : undefined;
      case "add_source":
        return this.#byClass(args[0], statefulLegacySources, new Set()) === "stateful" ? this.onEnv(this.newEnv(frame, undefined), method, made) : undefined;
      case "key_by":
      case "window_all":
      case "assign_timestamps_and_watermarks":
      case "sink_to":
      case "add_sink":
        return this.onStream(plain, method, made);
      case "to_data_stream":
      case "to_append_stream":
      case "to_retract_stream":
      case "to_changelog_stream":
        return { ...plain, made: method };
      case "window":
      case "count_window": {
        const isFlink = options(args[0] ?? unknownValue).some((value) => value.t === "object" && windowAssigner.test(value.of));
        return isFlink ? { ...plain, kind: "windowed", because: placeOf(frame, call.at), made: method } : undefined;
      }
      case "process":
      case "apply":
      case "aggregate": {
        const reason = this.#provenByFunction(args[0] ?? named.get("func") ?? named.get("window_function"));
        if (reason === undefined) return undefined;
        return streamOf(makeOperator(this.#run, call, frame, method, { verdict: "stateful", reason, env: undefined, hint: nameOf(args[0]) }), "operator");
      }
      default:
        return undefined;
    }
  }

  /** `AsyncDataStream.unordered_wait(stream, …)`. */
  asyncWait(made: EvaluatedCall, method: string): Value {
    const stream = made.args[0] ?? made.named.get("data_stream");
    const env = options(stream ?? unknownValue).flatMap((value) => (value.t === "stream" && value.env !== undefined ? [value.env] : []))[0];
    return streamOf(makeOperator(this.#run, made.call, made.frame, method, { verdict: "stateful", reason: "the requests under way", env, hint: nameOf(made.args[1]) }), "operator");
  }

  #operator(stream: StreamValue, method: string, step: Step, made: EvaluatedCall): Value {
    const { call, frame, args, named } = made;
    const function_ = args[0] ?? named.get("func") ?? named.get("process_function") ?? named.get("window_function") ?? named.get("reduce_function") ?? named.get("aggregate_function");
    let verdict: Verdict = step.state === "always" ? "stateful" : "stateless";
    let reason = step.reason;
    let { because } = stream;
    let becauseText = because === undefined ? "" : { keyed: "The stream becomes keyed here.", windowed: "The window is made here.", "keyed-connected": "The streams become keyed here.", "broadcast-connected": "The broadcast stream is connected here." }[String(stream.kind)] ?? "";
    if (step.state === "function") {
      const proof = this.#byFunction(function_, stream.kind === "keyed" || stream.kind === "keyed-connected");
      ({ verdict } = proof);
      reason = proof.reason;
      if (proof.at !== undefined) {
        because = proof.at;
        becauseText = "The state is declared here.";
      }
    } else if (step.state === "sink") {
      verdict = this.#byClass(args[0] ?? named.get("sink"), statefulSinks, statelessSinks);
      reason = "what is not yet committed";
    } else if (step.state === "legacy-sink") {
      verdict = this.#byClass(args[0] ?? named.get("sink_func"), statefulLegacySinks, statelessSinks);
      reason = "what is not yet committed";
    }
    const merged = step.python === true && stream.kind === "operator" && stream.op !== undefined && pythonMethods.has(stream.op.method);
    const op: Operator = makeOperator(this.#run, call, frame, method, { verdict, reason, because, becauseText, env: stream.env, merged, isSink: method === "sink_to", hint: nameOf(function_) });
    if (step.to === "sink") this.#run.sinks.push({ op, sink: args[0] ?? named.get("sink") });
    return streamOf(op, step.to === "sink" ? "sink" : "operator");
  }

  #connect(stream: StreamValue, other: Value | undefined, at: Place): Value {
    const others = options(other ?? unknownValue).filter((value) => value.t === "stream");
    const kind = others.some(({ kind }) => kind === "broadcast") ? "broadcast-connected" : stream.kind === "keyed" && others.some(({ kind }) => kind === "keyed") ? "keyed-connected" : "connected";
    return { t: "stream", kind, op: undefined, env: stream.env, because: at, made: "connect" };
  }

  #keyed(env: EnvValue | undefined, at: Place): void {
    if (env !== undefined) env.keyedAt ??= at;
  }

  #placed(stream: StreamValue, method: string, made: EvaluatedCall): void {
    const is = stream.kind === "operator" || stream.kind === "sink" || (stream.kind === "plain" && stream.made === "");
    if (is || stream.made === "get_side_output" || /^to_/.test(stream.made)) return;
    const at = placeOf(made.frame, made.call.at);
    this.#run.misplaced.set(`${at.path}:${at.start}`, { at, kind: stream.made === "" ? stream.kind : stream.made, text: method });
  }

  /** Whether a function given to an operator keeps state: a class that asks for keyed state, where there is a key. */
  #byFunction(value: Value | undefined, keyed: boolean): { readonly verdict: Verdict; readonly reason: string; readonly at: Place | undefined } {
    const proven = this.#provenByFunction(value);
    if (proven !== undefined) return { verdict: "stateful", reason: proven, at: undefined };
    if (!keyed || value === undefined) return { verdict: "stateless", reason: "", at: undefined };
    let verdict: Verdict = "stateless";
    for (const one of options(value)) {
      if (one.t === "instance") {
        const state = this.#lookup.stateOf(one.of);
        if (state.asks) return { verdict: "stateful", reason: `the keyed state of ${one.of.model.name}`, at: state.at };
        if (state.unseen) verdict = "maybe";
      } else if (one.t === "unknown" && one.name !== undefined) verdict = "maybe";
      else if (one.t === "foreign" && !one.path.startsWith("builtins.")) verdict = "maybe";
    }
    return { verdict, reason: "state", at: undefined };
  }

  #provenByFunction(value: Value | undefined): string | undefined {
    for (const one of options(value ?? unknownValue)) {
      if (one.t !== "instance") continue;
      for (const base of this.#lookup.flinkBases(one.of)) if (statefulFunctions[base] !== undefined) return statefulFunctions[base];
    }
    return undefined;
  }

  #byClass(value: Value | undefined, stateful: ReadonlySet<string>, stateless: ReadonlySet<string>): Verdict {
    const names = options(value ?? unknownValue).flatMap((one) => (one.t === "object" ? [one.of] : one.t === "instance" ? [...this.#lookup.flinkBases(one.of)] : []));
    if (names.some((name) => stateful.has(name))) return "stateful";
    return names.length > 0 && names.every((name) => stateless.has(name)) ? "stateless" : "maybe";
  }
}

/** Operators that run in Python, and so are merged with their like. */
const pythonMethods: ReadonlySet<string> = new Set(["map", "flat_map", "filter", "process", "reduce", "aggregate", "apply", "sum", "min", "max", "min_by", "max_by"]);

/** The arguments by position and by name. */
export function splitArguments(args: readonly Argument[], evaluate: (argument: Argument) => Value): { readonly args: readonly Value[]; readonly named: ReadonlyMap<string, Value> } {
  const positional: Value[] = [];
  const named = new Map<string, Value>();
  for (const argument of args) {
    const value = evaluate(argument);
    if (argument.name !== undefined) named.set(argument.name, value);
    else if (!argument.spread) positional.push(value);
    else if (value.t === "list" && value.ordered && value.keys === undefined) positional.push(...value.items);
  }
  return { args: positional, named };
}

function textOf(value: Value | undefined): string | undefined {
  return value?.t === "text" ? value.value : undefined;
}

function nameOf(value: Value | undefined): string | undefined {
  return value?.t === "instance" ? value.of.model.name : undefined;
}
