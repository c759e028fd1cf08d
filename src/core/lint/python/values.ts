import type { ClassModel, FunctionModel, LambdaExpr } from "./model";

/** A stretch of a file, in offsets from its start. */
export interface Place {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

/** Which way was taken at a branch; two places of one graph exclude each other when they took different ways at the same one. */
export interface Turn {
  readonly at: string;
  readonly way: number;
}

/** A loop around a place; `sure` when it certainly runs more than once. */
export interface Loop {
  readonly id: number;
  readonly sure: boolean;
}

/** The operators between two `execute()` of one environment: what is submitted together. */
export interface Graph {
  checkpointing: boolean;
  maxParallelism: boolean;
  readonly loops: readonly Loop[];
}

/** What `StreamExecutionEnvironment` is to the analysis. */
export interface EnvValue {
  readonly t: "env";
  graph: Graph;
  /** Where the first of its streams becomes keyed. */
  keyedAt: Place | undefined;
  /** Runs in batch mode in any case, which knows no savepoints. */
  batch: boolean;
}

/** What a stream is, as PyFlink has it. `plain` is a stream that is no operator (`union`, `rebalance`), `cached` throws on `uid`. */
export type StreamKind = "operator" | "plain" | "keyed" | "cached" | "windowed" | "connected" | "keyed-connected" | "broadcast" | "broadcast-connected" | "sink";

/** A stream, or a stage on the way to one. */
export interface StreamValue {
  readonly t: "stream";
  readonly kind: StreamKind;
  /** What `uid` and `name` configure. */
  readonly op: Operator | undefined;
  readonly env: EnvValue | undefined;
  /** Where the stream became keyed, windowed or met a broadcast stream. */
  readonly because: Place | undefined;
  /** How it came to be, for a message. */
  readonly made: string;
}

/** A call of `uid` or `set_uid_hash`. */
export interface UidCall {
  readonly call: "uid" | "set_uid_hash" | "other";
  readonly at: Place;
  readonly args: Place;
  readonly value: Value | undefined;
  readonly turns: readonly Turn[];
  /** The dot before the call and its end, so that it can be removed. */
  readonly whole: Place;
}

/** Whether an operator keeps state; `maybe` where that can't be seen. */
export type Verdict = "stateful" | "maybe" | "stateless";

/** One run past a call that makes an operator. The same call has several when its function is called several times. */
export interface Operator {
  readonly at: Place;
  /** Where the whole call, with its receiver, begins and ends. */
  readonly call: Place;
  readonly method: string;
  readonly verdict: Verdict;
  /** What it keeps, such as "the contents of its windows". */
  readonly reason: string;
  readonly because: Place | undefined;
  readonly becauseText: string;
  readonly env: EnvValue | undefined;
  readonly graph: Graph | undefined;
  readonly entry: number;
  readonly turns: readonly Turn[];
  readonly loops: readonly Loop[];
  readonly uids: UidCall[];
  /** Runs in Python behind another such operator, so Flink merges them (`PythonOperatorChainingOptimizer`) and forgets this one's uid. */
  readonly merged: boolean;
  readonly isSink: boolean;
  /** The operator name, by `name()` or as the source's. */
  label: string | undefined;
  /** Where the last configuration call ends. */
  configuredTo: number;
  /** A variable or a function class to name it after. */
  readonly hints: string[];
  /** Went into code that is not seen and might set a uid: with an id beside it (`likely`), or without. */
  escaped: "" | "unknown" | "likely";
  /** The function that returned it to a caller that is not seen. */
  returnedBy: string | undefined;
  /** Stands in or beside a syntax error. */
  readonly broken: boolean;
  /** Names of variables and fields it was given to. */
  readonly names: Set<string>;
}

/** A function with its surroundings. */
export interface FunctionValue {
  readonly t: "function";
  readonly model: FunctionModel;
  readonly scope: Scope;
  readonly base: number;
  readonly owner: ClassValue | undefined;
  readonly self: Value | undefined;
}

/** A class of the workspace. `attributes` are its methods and values, `annotations` the types of its attributes as written. */
export interface ClassValue {
  readonly t: "class";
  readonly model: ClassModel;
  readonly scope: Scope;
  readonly base: number;
  readonly attributes: Map<string, Value>;
  readonly annotations: Map<string, string>;
}

/** An object of a class of the workspace. */
export interface InstanceValue {
  readonly t: "instance";
  readonly of: ClassValue;
  readonly fields: Map<string, Value>;
  /** As an environment, when the class extends Flink's. */
  env: EnvValue | undefined;
}

/** An object of a PyFlink class, or its builder: what was called on it on the way. */
export interface ObjectValue {
  readonly t: "object";
  readonly of: string;
  readonly calls: ReadonlyMap<string, readonly Value[]>;
  readonly at: Place | undefined;
}

/** A text; `value` where it is known. `changes` says what makes it differ from run to run, `counter` that it counts the passes of a loop. */
export interface TextValue {
  readonly t: "text";
  readonly value: string | undefined;
  readonly changes: string | undefined;
  readonly counter: boolean;
}

/** What is known of an expression. */
export type Value =
  | { readonly t: "unknown"; readonly name: string | undefined }
  | { readonly t: "none" }
  | EnvValue
  | StreamValue
  | { readonly t: "tableEnv" }
  | { readonly t: "table" }
  /** Something imported from elsewhere, by its full dotted name. */
  | { readonly t: "foreign"; readonly path: string }
  | { readonly t: "module"; readonly path: string; readonly name: string }
  | FunctionValue
  | { readonly t: "lambda"; readonly expr: LambdaExpr; readonly scope: Scope; readonly base: number }
  | ClassValue
  | InstanceValue
  | ObjectValue
  | TextValue
  /** `keys` for a dictionary. A list that was appended to knows its items, not their places. */
  | { readonly t: "list"; readonly items: Value[]; readonly keys: (string | undefined)[] | undefined; ordered: boolean }
  | { readonly t: "union"; readonly of: readonly Value[] };

/** Variables of a function, a class body or a module. */
export interface Scope {
  vars: Map<string, Value>;
  readonly outer: Scope | undefined;
  readonly path: string;
  readonly importsFlink: boolean;
  readonly wildcards: string[];
}

/** Not proven to be anything. */
export const unknownValue: Value = { t: "unknown", name: undefined };
const unionLimit = 8;

/** One value that stands for both. */
export function join(values: readonly Value[]): Value {
  const all: Value[] = [];
  for (const value of values) for (const one of value.t === "union" ? value.of : [value]) if (!all.includes(one) && !all.some((other) => same(other, one))) all.push(one);
  const known = all.filter((one) => one.t !== "unknown");
  const kept = known.length === 0 ? all.slice(0, 1) : [...known, ...all.filter((one) => one.t === "unknown").slice(0, 1)];
  if (kept.length === 0) return unknownValue;
  const only = kept[0];
  return kept.length === 1 && only !== undefined ? only : { t: "union", of: kept.slice(0, unionLimit) };
}

/** The single values a value may be. */
export function options(value: Value): readonly Value[] {
  return value.t === "union" ? value.of : [value];
}

/** The streams and environments in a value, those in lists and fields of one level too. */
export function operatorsIn(value: Value, depth = 0): Operator[] {
  if (depth > 2) return [];
  switch (value.t) {
    case "stream":
      return value.op === undefined ? [] : [value.op];
    case "union":
      return value.of.flatMap((one) => operatorsIn(one, depth + 1));
    case "list":
      return value.items.flatMap((one) => operatorsIn(one, depth + 1));
    default:
      return [];
  }
}

/** A text that says nothing but that it is one. */
export function text(value?: string, changes?: string, counter = false): TextValue {
  return { t: "text", value, changes, counter };
}

function same(one: Value, other: Value): boolean {
  if (one.t === "text" && other.t === "text") return one.value === other.value && one.changes === other.changes && one.counter === other.counter;
  if (one.t === "foreign" && other.t === "foreign") return one.path === other.path;
  if (one.t === "stream" && other.t === "stream") return one.kind === other.kind && one.op === other.op && one.env === other.env;
  return one.t === other.t && (one.t === "none" || one.t === "table" || one.t === "tableEnv");
}
