import type { Anchor, AnchoredPlace } from "./anchors";
import { statefulFunctions } from "./flinkNames";
import type { Call, ClassModel, Expr, FileModel, FunctionModel, Lambda, TypeName } from "./model";

/**
 * What an expression is, as far as it is proven. `stream` takes operators but is none itself; `op` is what an operator's call
 * returns, and `sink` likewise. `windowed` to `pattern` await the call that makes the operator. `other` is proven to be something else than
 * a stream, `unknown` is not proven to be anything.
 */
export type Kind =
  | "env" | "stream" | "op" | "keyed" | "windowed" | "connected" | "broadcast" | "sink" | "joined" | "interval" | "pattern" | "partitions" | "transformation" | "table"
  | "env2" | "stream2" | "keyed2" | "connected2"
  | "object" | "class" | "closure" | "text" | "number" | "null" | "other" | "unknown";

/** A place in a file. */
export interface Place {
  readonly file: FileModel;
  readonly start: number;
  readonly end: number;
}

/** A class of the workspace, with its file and the classes around it. */
export interface KnownClass {
  readonly cls: ClassModel;
  readonly file: FileModel;
  readonly outer: KnownClass | undefined;
  /** Of the body that declares it; absent for one that stands in no body. */
  readonly anchor?: Anchor;
}

/** Whether an operator keeps state, and what proves it. */
export interface StateProof {
  readonly state: "yes" | "no" | "unknown";
  /** Completes "it keeps …". */
  readonly what: string;
  readonly at: Place | undefined;
}

/** A call that makes an operator, as values hold it. One object for each place, however often it is reached, for as long as its body stands. */
export class Site {
  readonly place: AnchoredPlace;
  readonly call: Call;
  readonly #factsOf: (site: Site) => SiteFacts;

  constructor(place: AnchoredPlace, call: Call, factsOf: (site: Site) => SiteFacts) {
    this.place = place;
    this.call = call;
    this.#factsOf = factsOf;
  }

  /** What the unit at hand learns of it (`units.ts`). */
  get facts(): SiteFacts {
    return this.#factsOf(this);
  }
}

/** What is learnt of an operator. */
export interface SiteFacts {
  readonly place: AnchoredPlace;
  readonly call: Call;
  /** Whether the call itself was reached, and not only what it returns. */
  reached: boolean;
  /** The rule that speaks when it keeps state and has no uid. */
  rule: "missing-uid" | "sink-needs-uid" | "legacy-file-source" | "queryable-state" | "pyflink-keyed-reduce";
  proof: StateProof;
  keyedAt: Place | undefined;
  /** Uids set on it, by place. */
  readonly uids: Map<string, UidCall>;
  hasUid: boolean;
  /** Passed to code that may set a uid and can't be seen. */
  escaped: boolean;
  /** A syntax error is near. */
  broken: boolean;
  /** What was followed by itself when it was reached: functions, and classes for what their bodies hold. */
  readonly roots: Set<object>;
  /** Functions that return it. */
  readonly returnedBy: Set<KnownFunction>;
  owner: KnownFunction | undefined;
  /** The name given by `.name(…)` or with the source. */
  givenName: string | undefined;
  /** The first name given by `.name(…)`. */
  namedLater: string | undefined;
  /** The class of its function. */
  functionName: string | undefined;
  /** The variable that holds it. */
  variable: string | undefined;
  /** Behind its last configuration call, in the body it stands in. */
  tailTo: number;
  /** How that call is written. */
  tail: Call;
  takesHash: boolean;
  /** In Flink 1.x Java can't set a uid on what `apply` of a join returns. */
  joinApply: boolean;
}

/** A call of `uid` or one of its kin. */
export interface UidCall {
  readonly place: AnchoredPlace;
  readonly argument: Place | undefined;
  readonly value: TextValue | undefined;
  readonly isHash: boolean;
  readonly isNull: boolean;
  /** Choices around it: `[choice, branch]`. */
  readonly path: readonly (readonly [string, number])[];
  /** Calls through which it was reached. */
  readonly stack: string;
  readonly owner: KnownFunction | undefined;
  /** The function that was looked at by itself when it was reached. */
  readonly root: KnownFunction["fun"] | undefined;
  /** Start of the chain of calls it stands in, and its body. */
  readonly chain: string;
  /** From the dot to the closing parenthesis. */
  readonly removable: Place;
}

/** A text or a number, as far as it is known. */
export interface TextValue {
  /** The text when it is a constant. */
  readonly value: string | undefined;
  /** Made from a random number or the time. */
  readonly varies: boolean;
  /** Where it becomes so. */
  readonly variesAt: Place | undefined;
}

/** A function of the workspace. */
export interface KnownFunction {
  readonly fun: FunctionModel;
  readonly file: FileModel;
  readonly owner: KnownClass | undefined;
}

/** A lambda with the variables around it. */
export interface Closure {
  readonly lambda: Lambda;
  readonly frame: Frame;
  /** The unit that followed its body last. */
  calledIn: number | undefined;
}

/** An object that is put together by calls from a static one: `KafkaSink.builder().setX(…).build()`. */
export interface Made {
  readonly root: string;
  readonly calls: readonly { readonly name: string; readonly args: readonly Value[] }[];
}

/** What is known of an expression. `sites` are the operators it may stand for. */
export interface Value {
  readonly kind: Kind;
  readonly sites: readonly Site[];
  readonly type?: TypeName | undefined;
  readonly cls?: KnownClass | undefined;
  readonly closure?: Closure | undefined;
  readonly fun?: KnownFunction | undefined;
  readonly text?: TextValue | undefined;
  readonly made?: Made | undefined;
  /** What a collection holds. */
  readonly element?: Value | undefined;
  /** What a tuple holds, in its order. */
  readonly parts?: readonly Value[] | undefined;
  /** Sides of connected streams; absent = not known. */
  readonly left?: "keyed" | "plain" | undefined;
  readonly right?: "keyed" | "plain" | "broadcast" | undefined;
  readonly keyedAt?: Place | undefined;
  readonly constant?: string | undefined;
  /** What else it may be: branches that make objects of different classes. */
  readonly either?: readonly Value[] | undefined;
}

/** Variables of a function that is being followed. */
export interface Frame {
  vars: Map<string, Value>;
  readonly parent: Frame | undefined;
  readonly file: FileModel;
  readonly anchor: Anchor;
  readonly owner: KnownClass | undefined;
  readonly fun: KnownFunction | undefined;
  /** Receivers of `apply { … }`, `run`, `with`, extension functions. */
  readonly implicit: Value | undefined;
  readonly returns: Value[];
}

/** Not proven to be anything. */
export const unknown: Value = { kind: "unknown", sites: [] };
/** Proven to be something else than a stream. */
export const other: Value = { kind: "other", sites: [] };

const streams: ReadonlySet<Kind> = new Set(["stream", "op", "keyed", "sink"]);

/** Whether a value is proven to be Flink's. */
export function isFlink(value: Value): boolean {
  return !["object", "class", "closure", "text", "number", "null", "other", "unknown"].includes(value.kind);
}

/** What holds for both of two values. A value that is not known says nothing. */
export function joined(a: Value, b: Value): Value {
  if (a.either !== undefined || b.either !== undefined) return oneOf(a, b);
  if (a === b || b.kind === "unknown" || b.kind === "null") return withSites(a, b.sites);
  if (a.kind === "unknown" || a.kind === "null") return withSites(b, a.sites);
  const sites = union(a.sites, b.sites);
  const element = a.element === undefined ? b.element : b.element === undefined ? a.element : joined(a.element, b.element);
  if (a.kind === b.kind) {
    if (a.parts !== undefined && b.parts?.length === a.parts.length) return { ...a, sites, parts: a.parts.map((part, at) => joined(part, b.parts?.[at] ?? unknown)) };
    if (a.kind === "connected") return { ...a, sites, left: a.left === b.left ? a.left : undefined, right: a.right === b.right ? a.right : undefined };
    if (a.kind === "text") return { kind: "text", sites, text: { value: a.text?.value === b.text?.value ? a.text?.value : undefined, varies: a.text?.varies === true || b.text?.varies === true, variesAt: a.text?.variesAt ?? b.text?.variesAt } };
    if (a.kind === "object" && saysNothing(a)) return { ...b, sites, element };
    if (a.kind === "object" && saysNothing(b)) return { ...a, sites, element };
    if (a.kind === "object" && (a.type?.name !== b.type?.name || a.made?.root !== b.made?.root)) return oneOf(a, b);
    return { ...a, sites, element };
  }
  if (streams.has(a.kind) && streams.has(b.kind)) return { kind: "stream", sites };
  return { kind: "unknown", sites, element };
}

/** Objects of different classes: what all of them are is not known, what one of them keeps is. */
function oneOf(a: Value, b: Value): Value {
  const either = [a, b].flatMap((value) => value.either ?? (value.kind === "object" ? [value] : []));
  const element = a.element === undefined ? b.element : b.element === undefined ? a.element : joined(a.element, b.element);
  return { kind: "unknown", sites: union(a.sites, b.sites), element, either: [...new Set(either)].slice(0, 8) };
}

/** A function or a connector of which only Flink's interface is known. */
function saysNothing({ cls, made, constant, text, type }: Value): boolean {
  return cls === undefined && made === undefined && constant === undefined && text === undefined && type !== undefined && /^(?:Source|Sink|\w*(?:Source|Sink|Process|Map|Filter)Function)$/.test(type.name) && !statefulFunctions.has(type.name);
}

function withSites(value: Value, sites: readonly Site[]): Value {
  return sites.length === 0 ? value : { ...value, sites: union(value.sites, sites) };
}

/** The value itself, and what it holds. */
export function withHeld(value: Value): readonly Value[] {
  return value.element === undefined && value.parts === undefined ? [value] : [value, ...[...(value.element === undefined ? [] : [value.element]), ...(value.parts ?? [])].flatMap(withHeld)];
}

/** The elements of both, each once. */
export function union<T>(a: readonly T[], b: readonly T[]): readonly T[] {
  return b.length === 0 ? a : a.length === 0 ? b : [...new Set([...a, ...b])];
}

/** The expression below casts and blocks of one. */
export function bare(expr: Expr | undefined): Expr | undefined {
  let at = expr;
  while (at !== undefined) {
    if (at.kind === "cast") at = at.value;
    else if (at.kind === "broken") at = at.value;
    else return at;
  }
  return at;
}
