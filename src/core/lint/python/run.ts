import type { CallExpr, Span } from "./model";
import type { EnvValue, Loop, Operator, Place, Scope, StreamValue, Turn, UidCall, Value, Verdict } from "./values";

/** Steps that are followed for one file: so many, more in a longer one, and never more than the last; what is then unknown stays unreported. */
const steps = { least: 150_000, perCharacter: 1 / 8, most: 750_000 } as const;

/** Where the analysis stands: in which function, on which way, in which loops. */
export interface Frame {
  readonly scope: Scope;
  readonly base: number;
  readonly self: Value | undefined;
  readonly returns: Value[];
  turns: readonly Turn[];
  loops: readonly Loop[];
  broken: boolean;
  readonly id: number;
}

/** A uid given to something that can have none. */
export interface MisplacedUid {
  readonly at: Place;
  readonly kind: string;
  readonly text: string;
}

/** A call on an object of PyFlink, such as `set_group_id` on a builder. */
export interface BuilderCall {
  readonly of: string;
  readonly method: string;
  readonly args: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
  /** Whether an argument is written `False`. */
  readonly saysFalse: boolean;
  readonly at: Place;
}

/** What the analysis of a file and of those that use it brings to light. */
export class Run {
  readonly operators = new Map<string, Operator[]>();
  readonly misplaced = new Map<string, MisplacedUid>();
  readonly builderCalls = new Map<string, BuilderCall>();
  readonly fileSources = new Map<string, Place>();
  /** Keyed operators by the environment they belong to, for max parallelism. */
  readonly environments: { readonly env: EnvValue; readonly at: Place | undefined; readonly entry: number }[] = [];
  readonly sinks: { readonly op: Operator; readonly sink: Value | undefined }[] = [];
  readonly uidsOff: Place[] = [];
  /** `.uid(…)` on something unknown of this name: whatever has that name may have got it. */
  readonly uidNames = new Set<string>();
  entry = 0;
  readonly #stepLimit: number;
  #steps = 0;
  #ids = 0;

  /** For a file of that many characters. */
  constructor(length: number) {
    this.#stepLimit = Math.min(steps.most, steps.least + length * steps.perCharacter);
  }

  get exhausted(): boolean {
    return this.#steps > this.#stepLimit;
  }

  step(): boolean {
    return ++this.#steps <= this.#stepLimit;
  }

  nextId(): number {
    return ++this.#ids;
  }

  addOperator(op: Operator): void {
    const key = `${op.at.path}:${op.at.start}`;
    const others = this.operators.get(key);
    if (others === undefined) this.operators.set(key, [op]);
    else others.push(op);
  }
}

/** The place of a span of the code a frame runs. */
export function placeOf(frame: Frame, span: Span): Place {
  return { path: frame.scope.path, start: frame.base + span.start, end: frame.base + span.end };
}

/** What a new operator is made from. */
export interface OperatorParts {
  readonly verdict: Verdict;
  readonly reason?: string | undefined;
  readonly because?: Place | undefined;
  readonly becauseText?: string | undefined;
  readonly env: EnvValue | undefined;
  readonly merged?: boolean;
  readonly isSink?: boolean;
  readonly label?: string | undefined;
  readonly hint?: string | undefined;
}

/** Makes the operator of a call and notes it. */
export function makeOperator(run: Run, call: CallExpr, frame: Frame, method: string, parts: OperatorParts): Operator {
  const op: Operator = {
    at: placeOf(frame, call.at), call: placeOf(frame, call), method, verdict: parts.verdict, reason: parts.reason ?? "", because: parts.because, becauseText: parts.becauseText ?? "",
    env: parts.env, graph: parts.env?.graph, entry: run.entry, turns: frame.turns, loops: frame.loops, uids: [], merged: parts.merged ?? false, isSink: parts.isSink ?? false,
    label: parts.label, configuredTo: frame.base + call.end, hints: parts.hint === undefined ? [] : [parts.hint], escaped: "", returnedBy: undefined, broken: frame.broken || run.exhausted, names: new Set(),
  };
  run.addOperator(op);
  return op;
}

/** A stream of an operator. */
export function streamOf(op: Operator, kind: "operator" | "sink"): StreamValue {
  return { t: "stream", kind, op, env: op.env, because: undefined, made: op.method };
}

/** Notes a configuration call on the operator of a stream. */
export function configure(stream: StreamValue, call: CallExpr, frame: Frame, method: string, args: readonly Value[]): void {
  const op = stream.op;
  if (op === undefined) return;
  const end = frame.base + call.end;
  // Only a call of the same chain moves the end; one on another line is a statement of its own.
  if (frame.scope.path === op.call.path && frame.base + call.start === op.call.start) op.configuredTo = Math.max(op.configuredTo, end);
  if (method === "name" && args[0]?.t === "text" && args[0].value !== undefined) op.label = args[0].value;
  if (method === "uid" || method === "set_uid_hash") {
    const at = placeOf(frame, call.at);
    const uid: UidCall = { call: method, at, args: placeOf(frame, call.argsAt), value: args[0], turns: frame.turns, whole: { path: at.path, start: at.start, end } };
    op.uids.push(uid);
  }
}
