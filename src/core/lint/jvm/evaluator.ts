import { anchorOf, nowhere, type Anchor } from "./anchors";
import { configuration, connectors, kindOfType, looks, uidCalls, varying, varyingTypes } from "./flinkNames";
import { flinkCall, looksLikeFlink, staticFlinkCall } from "./flinkCalls";
import { collectionOf, componentAt, isCollection, isTuple, partOf, tupleOf } from "./holders";
import type { Call, Expr, FieldModel, FileModel, FunctionModel, New, TypeName } from "./model";
import { Operators, placeOf } from "./operators";
import { outsideCall, scopeFunction } from "./outsideCalls";
import { concatenated, isTypeParameter, letEscape, manyOf, merged, narrowed, refined, setsUp, standardClass, typeOnly } from "./valueFlow";
import { Fields, type KeptUnits, type Unit } from "./units";
import { isFlink, joined, other, union, unknown, withHeld, type Closure, type Frame, type KnownClass, type KnownFunction, type Site, type Value } from "./values";
import { best, classesOf, flinkName, unaliased, type WorkspaceIndex } from "./workspaceIndex";

/** Calls within calls that are followed. */
const inlineLimit = 7;
const depthLimit = 900;
/** Expressions that are looked at for one file, enough for 5 MB of jobs in a second or two; beyond it, nothing more is proven. */
const budgetPerFile = 2_000_000;
/** The same for a file that only calls what is asked about. */
export const budgetPerCaller = 400_000;

/** Follows the values of streams through the functions of a file and those they call. */
export class Evaluator {
  readonly index: WorkspaceIndex;
  readonly operators: Operators;
  readonly #where: Operators["where"];
  readonly #fields: Fields;
  readonly #kept: KeptUnits | undefined;
  /** Units of this time, as `KeptUnits` has them. */
  readonly #units: Map<object, Unit>[] = [];
  /** Bodies the unit at hand asked for. */
  #bodies: Map<FunctionModel | FieldModel, Expr | undefined> | undefined;
  #depth = 0;
  #budget = budgetPerFile;
  /** Whether the branch at hand has returned. */
  #returned = false;

  /** `kept` are the units of the last time, if any were kept; they are replaced by `keep`. */
  constructor(index: WorkspaceIndex, kept?: KeptUnits) {
    this.index = index;
    this.operators = new Operators(kept?.handles);
    this.#where = this.operators.where;
    this.#kept = kept;
    this.#fields = new Fields(kept !== undefined);
  }

  /** Follows everything in the file. */
  file(file: FileModel, budget = budgetPerFile): void {
    this.#budget = budget;
    for (let round = 0; round < 2; round++) {
      this.#unit(round, file, file, () => file.fields.forEach((field) => this.#fileField(file, field)));
      for (const fun of file.initial) this.#alone(round, { fun, file, owner: undefined }, file);
      for (const fun of file.functions) this.#alone(round, { fun, file, owner: undefined }, fun);
      for (const known of classesOf(file)) {
        const { cls } = known;
        this.#unit(round, cls, cls, () => cls.fields.forEach((field) => this.field(known, field.name)));
        for (const fun of cls.initial) this.#alone(round, { fun, file, owner: known }, cls);
        for (const fun of cls.functions) this.#alone(round, { fun, file, owner: known }, fun);
      }
      // A second look is needed only where a method reads what a later one writes into a field.
      if (!this.#fields.haveSites) break;
    }
  }

  /** Keeps the units for the next time. */
  keep(): void {
    if (this.#kept !== undefined) Object.assign(this.#kept, { units: this.#units, shapes: this.index.shapes });
  }

  /** Follows a unit, or takes what it brought to light the last time. */
  #unit(round: number, of: object, root: object, follow: () => void): void {
    const before = this.#kept?.shapes === this.index.shapes ? this.#kept.units[round]?.get(of) : undefined;
    if (before !== undefined && before.cost <= this.#budget && [...before.bodies].every(([holder, body]) => bodyOf(holder) === body) && this.#fields.areAsRead(before.reads)) {
      this.#budget -= before.cost;
      this.#fields.write(before.writes);
      this.#took(round, of, before);
      return;
    }
    this.operators.begin();
    this.#fields.begin();
    const bodies = this.#kept === undefined ? undefined : new Map<FunctionModel | FieldModel, Expr | undefined>();
    this.#bodies = bodies;
    this.#returned = false;
    const budget = this.#budget;
    this.#where.root = root;
    follow();
    this.#where.root = undefined;
    const trace = this.operators.end();
    const { used } = this.#fields;
    // What ended with the budget may go on the next time.
    if (bodies === undefined || used === undefined || this.#budget < 0) this.operators.take(trace, false);
    else this.#took(round, of, { trace, ...used, bodies, cost: budget - this.#budget });
  }

  #took(round: number, of: object, unit: Unit): void {
    (this.#units[round] ??= new Map<object, Unit>()).set(of, unit);
    this.operators.take(unit.trace, true);
  }

  /** Follows a function as a caller that is not seen would call it. */
  #alone(round: number, known: KnownFunction, root: object): void {
    if (known.fun.body === undefined || !this.index.mattersAlone(known.fun)) return;
    this.#unit(round, known.fun, root, () => {
      const value = this.#inline(known, [], undefined, true);
      if (known.fun.name === "" || known.fun.name === "<init>") return;
      for (const held of withHeld(value)) if (held === value || held.kind !== "stream" || known.file.language === "scala") for (const site of held.sites) site.facts.returnedBy.add(known);
    });
  }

  // ---- functions -------------------------------------------------------------------------------------------------------------------------

  /** The value a call of the function has; as a root, its parameters are what their types say. */
  #inline(known: KnownFunction, args: readonly Value[], self: Value | undefined, isRoot = false): Value {
    const { fun, file, owner } = known;
    const declared = this.ofType(fun.returns, file, owner);
    this.#bodies?.set(fun, fun.body);
    if (fun.body === undefined || this.#where.stack.length >= inlineLimit || this.#where.stack.includes(fun)) {
      // Whoever implements it gets what its parameters say: a DataStream of Java or Kotlin takes no uid.
      if (!fun.hasBody) letEscape(args.filter((_, at) => file.language === "scala" || this.ofType(fun.params[at]?.type, file, owner).kind !== "stream"));
      return declared;
    }
    const frame: Frame = { vars: new Map(), parent: undefined, file, anchor: anchorIn(fun, fun.body, owner), owner, fun: known, implicit: fun.receiver === undefined ? self : (self ?? this.ofType(fun.receiver.type, file, owner)), returns: [] };
    fun.params.forEach((param, at) => {
      const type = this.ofType(param.type, file, owner);
      const given = param.many === true ? manyOf(args.slice(at)) : args[at];
      const value = given ?? (param.initial === undefined || isRoot ? undefined : this.evaluate(param.initial, frame));
      frame.vars.set(param.name, refined(value, type));
    });
    if (fun.receiver !== undefined && fun.receiver.name !== "this") frame.vars.set(fun.receiver.name, frame.implicit ?? unknown);
    return this.#run(fun, frame, declared);
  }

  #run(fun: FunctionModel, frame: Frame, declared: Value): Value {
    if (fun.body === undefined) return declared;
    const path = this.#where.path;
    if (this.#where.stack.length === 0) this.#where.path = [];
    this.#where.stack.push(fun);
    try {
      const last = this.evaluate(fun.body, frame);
      if (this.#where.stack.length === 1) for (const value of frame.vars.values()) this.settle(value);
      const unit = fun.returns?.name === "Unit" || fun.returns?.name === "void";
      const values = fun.body.kind === "block" && frame.file.language !== "scala" ? frame.returns : [...frame.returns, last];
      if (unit) return { ...other, sites: [] };
      const value = refined(values.length === 0 ? undefined : values.reduce(joined), declared);
      return isFlink(value) ? value : narrowed(value, declared, frame.file);
    } finally {
      this.#where.stack.pop();
      this.#where.path = path;
    }
  }

  /** The value a lambda has when it is called. */
  invoke(closure: Closure, args: readonly Value[], implicit?: Value): Value {
    closure.calledIn = this.operators.unit;
    const { lambda, frame: outer } = closure;
    if (this.#depth > depthLimit) return unknown;
    const frame: Frame = { vars: new Map(), parent: outer, file: outer.file, anchor: outer.anchor, owner: outer.owner, fun: outer.fun, implicit: implicit ?? outer.implicit, returns: [] };
    lambda.params.forEach((param, at) => frame.vars.set(param.name, refined(args[at], this.ofType(param.type, outer.file, outer.owner))));
    const last = this.evaluate(lambda.body, frame);
    const isExpression = lambda.body.kind !== "block" || outer.file.language !== "java";
    return [...frame.returns, ...(isExpression ? [last] : [])].reduce(joined, unknown);
  }

  /** Calls a function of the workspace from a place. */
  call(known: KnownFunction, args: readonly Value[], self: Value | undefined, call: Call, frame: Frame): Value {
    this.operators.calls(known.fun);
    this.#where.callStack.push(`${frame.anchor.id}:${call.start}:${call.end}`);
    try {
      const value = this.#dispatched(known, args, self);
      args.forEach((arg, at) => this.#happens(arg, known, at));
      return call.typeArgs.length === 1 && isTypeParameter(value, known) ? this.ofType(call.typeArgs[0], frame.file, frame.owner) : value;
    } finally {
      this.#where.callStack.pop();
    }
  }

  /** The value of a call that may mean the method itself or one that stands in for it in a class below. */
  #dispatched(known: KnownFunction, args: readonly Value[], self: Value | undefined): Value {
    const overriding = this.#where.stack.length >= inlineLimit ? [] : this.index.overriding(known);
    if (overriding.length === 0) return this.#inline(known, args, self);
    // Which of them it is, is not known, so a uid that several calls reach is no duplicate.
    const { path } = this.#where;
    this.#where.path = [...path, ["overriding", -1]];
    const values = overriding.map((one) => {
      this.operators.calls(one.fun);
      return this.#inline(one, args, self);
    });
    if (known.fun.hasBody) values.push(this.#inline(known, args, self));
    this.#where.path = path;
    const declared = this.ofType(known.fun.returns, known.file, known.owner);
    return narrowed(refined(values.reduce(joined), declared), declared, known.file);
  }

  /** A lambda that a function was given and only keeps happens later, with what its type says; who then gets what it returns is not seen. */
  #happens({ closure }: Value, { fun, file, owner }: KnownFunction, at: number): void {
    if (closure === undefined || this.isCalled(closure)) return;
    const type = fun.params[at]?.type;
    letEscape([this.invoke(closure, type?.name === "=>" ? type.args.slice(0, -1).map((arg) => this.ofType(arg, file, owner)) : [])]);
  }

  // ---- names -----------------------------------------------------------------------------------------------------------------------------

  /** What is known of a value by its declared type. A type stands in one place, so it is looked up once. */
  ofType(type: TypeName | undefined, file: FileModel, inside: KnownClass | undefined): Value {
    if (type === undefined) return unknown;
    let value = this.index.values.get(type);
    if (value === undefined) this.index.values.set(type, (value = this.#ofType(type, file, inside)));
    return value;
  }

  #ofType(written: TypeName, file: FileModel, inside: KnownClass | undefined): Value {
    const type = unaliased(written, file);
    const kind = kindOfType[type.name];
    if (kind !== undefined && this.index.isFlinkType(type, file)) {
      if (type.name === "ExecutionEnvironment") return /datastream\.api/.test(file.imports.get(type.name) ?? file.wildcards.join(" ")) ? { kind: "env2", sites: [] } : other;
      return { kind, sites: [], ...(type.name === "BroadcastConnectedStream" ? { right: "broadcast" as const } : {}) };
    }
    if (type.name === "String" || type.name === "CharSequence") return { kind: "text", sites: [], text: { value: undefined, varies: false, variesAt: undefined } };
    const cls = this.index.classOf(type, file, inside);
    if (cls === undefined && isTuple(type.name)) {
      const parts = type.args.map((arg) => this.ofType(arg, file, inside));
      return { kind: "object", sites: [], type, ...(parts.some((part) => isFlink(part)) ? { parts } : {}) };
    }
    const last = type.args.at(-1);
    const element = last === undefined || type.name === "=>" ? undefined : this.ofType(last, file, inside);
    const holds = element !== undefined && (isFlink(element) || element.parts !== undefined || (element.cls === undefined && connectors.has(element.type?.name ?? "")));
    return { kind: "object", sites: [], type, cls, ...(holds ? { element } : {}) };
  }

  #lookUp(name: string, frame: Frame): Value | undefined {
    for (let at: Frame | undefined = frame; at !== undefined; at = at.parent) {
      const value = at.vars.get(name);
      if (value !== undefined) return value;
    }
    for (let owner = frame.owner; owner !== undefined; owner = owner.outer) {
      const value = this.field(owner, name);
      if (value !== undefined) return value;
    }
    const field = frame.file.fields.find((candidate) => candidate.name === name);
    if (field !== undefined) return this.#fileField(frame.file, field);
    return this.#importedField(name, frame);
  }

  /** A constant that is imported by name: a static import of Java, a member of an object, a value outside of classes. */
  #importedField(name: string, frame: Frame): Value | undefined {
    const full = frame.file.imports.get(name);
    const owners = full === undefined ? frame.file.wildcards : [full.slice(0, full.lastIndexOf("."))];
    const member = full === undefined ? name : full.slice(full.lastIndexOf(".") + 1);
    for (const owner of owners) {
      const simple = owner.slice(owner.lastIndexOf(".") + 1);
      const known = /^[A-Z]/.test(simple) ? this.index.classOf({ name: simple, written: owner, args: [] }, frame.file, undefined) : undefined;
      const value = known === undefined ? undefined : this.field(known, member);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  #fileField(file: FileModel, field: FieldModel): Value {
    return this.#stored(file, field, { vars: new Map(), parent: undefined, file, anchor: anchorIn(field, field.value, undefined), owner: undefined, fun: undefined, implicit: undefined, returns: [] });
  }

  /** A field of the class or one above it; undefined when there is none of that name. */
  field(known: KnownClass, name: string): Value | undefined {
    for (const owner of this.index.hierarchy(known).classes) {
      const field = owner.cls.fields.find((candidate) => candidate.name === name);
      if (field !== undefined) return this.#stored(owner.cls, field, this.#classFrame(owner, field));
      const param = owner.cls.params.find((candidate) => candidate.name === name);
      if (param !== undefined) return this.#fields.get(owner.cls, name) ?? this.ofType(param.type, owner.file, owner);
      const constant = owner.cls.constants.find((candidate) => candidate.name === name);
      if (constant !== undefined) return { kind: "object", sites: [], type: { name: owner.cls.name, written: owner.cls.name, args: [] }, cls: owner, constant: name };
    }
    return undefined;
  }

  #classFrame(owner: KnownClass, field: FieldModel): Frame {
    return { vars: new Map(), parent: undefined, file: owner.file, anchor: anchorIn(field, field.value, owner), owner, fun: undefined, implicit: undefined, returns: [] };
  }

  #stored(holder: object, field: FieldModel, frame: Frame): Value {
    const fields = this.#fields;
    const known = fields.get(holder, field.name);
    if (known !== undefined) return known;
    this.#bodies?.set(field, field.value);
    const declared = this.ofType(field.type, frame.file, frame.owner);
    fields.set(holder, field.name, declared);
    const initial = field.value === undefined || this.#where.stack.length >= inlineLimit ? undefined : this.evaluate(field.value, frame);
    const value = refined(initial === undefined ? undefined : [...frame.returns, initial].reduce(joined), declared);
    const assigned = fields.get(holder, field.name);
    const held = assigned === undefined || assigned === declared ? value : joined(value, assigned);
    fields.set(holder, field.name, held);
    for (const site of value.sites) site.facts.variable ??= field.name;
    return held;
  }

  /** Stores into a variable of the frame, or into a field. */
  assign(target: Expr, value: Value, frame: Frame): void {
    if (target.kind === "call" && target.bare && target.receiver !== undefined) {
      const on = this.evaluate(target.receiver, frame);
      const owner = target.receiver.kind === "this" ? frame.owner : on.cls;
      if (owner !== undefined) this.#assignField(owner, target.name, value);
      return;
    }
    if (target.kind === "call" && target.name === "get" && target.receiver?.kind === "name" && isFlink(value)) {
      const before = this.evaluate(target.receiver, frame);
      this.assign(target.receiver, { ...before, element: before.element === undefined ? value : joined(before.element, value) }, frame);
      return;
    }
    if (target.kind !== "name") return;
    for (const site of value.sites) site.facts.variable ??= target.name;
    for (let at: Frame | undefined = frame; at !== undefined; at = at.parent) {
      const before = at.vars.get(target.name);
      if (before !== undefined) {
        at.vars.set(target.name, refined(value, typeOnly(before)));
        return;
      }
    }
    if (frame.owner !== undefined && this.#assignField(frame.owner, target.name, value)) return;
    const field = frame.file.fields.find(({ name }) => name === target.name);
    if (field !== undefined) this.#fields.set(frame.file, field.name, joined(this.#fileField(frame.file, field), value));
  }

  #assignField(inside: KnownClass, name: string, value: Value): boolean {
    for (let outer: KnownClass | undefined = inside; outer !== undefined; outer = outer.outer) {
      for (const owner of this.index.hierarchy(outer).classes) {
        if (!owner.cls.fields.some((field) => field.name === name) && !owner.cls.params.some((param) => param.name === name)) continue;
        const before = this.field(owner, name) ?? unknown;
        const after = before.kind === "object" && before.made === undefined && before.constant === undefined && value.kind === "object" ? value : joined(before, value);
        this.#fields.set(owner.cls, name, isFlink(before) && !isFlink(value) ? before : after);
        for (const site of value.sites) site.facts.variable ??= name;
        return true;
      }
    }
    return false;
  }

  // ---- expressions -----------------------------------------------------------------------------------------------------------------------

  evaluate(expr: Expr, frame: Frame): Value {
    if (this.#depth > depthLimit || --this.#budget < 0) return unknown;
    this.#depth++;
    try {
      return this.#evaluate(expr, frame);
    } finally {
      this.#depth--;
    }
  }

  #evaluate(expr: Expr, frame: Frame): Value {
    switch (expr.kind) {
      case "name":
        return this.#lookUp(expr.name, frame) ?? this.#className({ name: expr.name, written: expr.name, args: [] }, frame) ?? (frame.file.language === "java" ? unknown : this.#bareCall(expr.name, expr, frame));
      case "this":
        return frame.implicit ?? (frame.owner === undefined ? unknown : { kind: "object", sites: [], cls: frame.owner });
      case "call":
        return this.#call(expr, frame);
      case "new":
        return this.#new(expr, frame);
      case "lambda":
        return { kind: "closure", sites: [], closure: { lambda: expr, frame, calledIn: undefined } };
      case "methodRef": {
        const known = frame.owner === undefined || (expr.object !== undefined && expr.object.kind !== "this" && !(expr.object.kind === "name" && expr.object.name === frame.owner.cls.name)) ? undefined : this.index.method(frame.owner, expr.name, 1);
        return { kind: "closure", sites: [], ...(known === undefined ? {} : { fun: known }) };
      }
      case "text": {
        const parts = expr.parts.map((part) => this.evaluate(part, frame));
        return { kind: "text", sites: [], text: expr.value === undefined ? concatenated(parts) : { value: expr.value, varies: false, variesAt: undefined } };
      }
      case "number":
        return { kind: "number", sites: [], text: { value: expr.value, varies: false, variesAt: undefined } };
      case "null":
        return { kind: "null", sites: [] };
      case "binary":
        return this.#binary(expr, frame);
      case "choice":
        return this.#choice(expr, frame);
      case "cast": {
        const value = this.evaluate(expr.value, frame);
        const type = this.ofType(expr.type, frame.file, frame.owner);
        return isFlink(type) && !(type.kind === "op" || type.kind === "stream") ? { ...type, sites: value.sites } : isFlink(value) ? (type.kind === "op" ? { ...value, kind: "op" } : value) : { ...refined(value, type), sites: value.sites };
      }
      case "block": {
        let last: Value = unknown;
        for (const statement of expr.body) last = this.evaluate(statement, frame);
        return last;
      }
      case "let":
        return this.#let(expr, frame);
      case "assign": {
        const value = this.evaluate(expr.value, frame);
        this.assign(expr.target, value, frame);
        return value;
      }
      case "return": {
        const value = expr.value === undefined ? unknown : this.evaluate(expr.value, frame);
        frame.returns.push(value);
        this.#returned = true;
        return { kind: "null", sites: [] };
      }
      case "function":
        frame.vars.set(`${expr.fun.name}()`, { kind: "closure", sites: [], fun: { fun: expr.fun, file: frame.file, owner: frame.owner }, closure: { lambda: { kind: "lambda", start: expr.start, end: expr.end, params: expr.fun.params, body: expr.fun.body ?? { kind: "other", start: expr.start, end: expr.end, parts: [] } }, frame, calledIn: undefined } });
        if (expr.fun.body !== undefined) this.#closureAsRoot(frame.vars.get(`${expr.fun.name}()`)?.closure);
        return unknown;
      case "class":
        this.#localClass({ cls: expr.cls, file: frame.file, outer: frame.owner, anchor: frame.anchor }, frame);
        return unknown;
      case "other":
        for (const part of expr.parts) this.settle(this.evaluate(part, frame));
        return unknown;
      case "broken":
        this.#where.broken++;
        try {
          if (expr.value !== undefined) this.evaluate(expr.value, frame);
        } finally {
          this.#where.broken--;
        }
        return unknown;
    }
  }

  /** Whether the unit at hand has followed the body of a lambda. */
  isCalled({ calledIn }: Closure): boolean {
    return calledIn === this.operators.unit;
  }

  #closureAsRoot(closure: Closure | undefined): void {
    if (closure !== undefined && !this.isCalled(closure)) this.invoke(closure, []);
  }

  /** A lambda whose caller is not seen happens all the same. */
  settle(value: Value): void {
    if (value.closure !== undefined && !this.isCalled(value.closure)) this.invoke(value.closure, []);
  }

  #localClass(known: KnownClass, frame: Frame): void {
    frame.vars.set(`class ${known.cls.name}`, { kind: "class", sites: [], cls: known, type: { name: known.cls.name, written: known.cls.name, args: [] } });
  }

  #let(expr: Expr & { kind: "let" }, frame: Frame): Value {
    const declared = this.ofType(expr.type, frame.file, frame.owner);
    const value = expr.value === undefined ? undefined : this.evaluate(expr.value, frame);
    if (expr.element) {
      const element = value?.element ?? (value !== undefined && !isFlink(value) ? { ...unknown, sites: value.sites } : undefined);
      frame.vars.set(expr.name, refined(element, declared));
      return unknown;
    }
    const bound = narrowed(refined(value, declared), declared, frame.file);
    for (const site of bound.sites) site.facts.variable ??= expr.name;
    frame.vars.set(expr.name, bound);
    return unknown;
  }

  #choice(expr: Expr & { kind: "choice" }, frame: Frame): Value {
    const id = `${frame.anchor.id}:${expr.start}:${this.#where.callStack.join("/")}`;
    const path = this.#where.path;
    const before = frame.vars;
    const after: Map<string, Value>[] = expr.loop ? [before] : [];
    let value: Value | undefined;
    const returnedBefore = this.#returned;
    let anyReturned = false;
    expr.branches.forEach((branch, at) => {
      frame.vars = new Map(before);
      this.#where.path = expr.loop ? path : [...path, [id, at]];
      this.#returned = false;
      const branchValue = this.evaluate(branch, frame);
      anyReturned ||= this.#returned;
      value = value === undefined ? branchValue : joined(value, branchValue);
      if (!this.#returned || expr.loop) after.push(frame.vars);
    });
    this.#where.path = anyReturned && !expr.loop ? [...path, [id, -1]] : path;
    this.#returned = returnedBefore;
    frame.vars = merged(before, after.length === 0 ? [before] : after);
    return expr.loop ? unknown : (value ?? unknown);
  }

  #binary(expr: Expr & { kind: "binary" }, frame: Frame): Value {
    const parts = expr.parts.map((part) => this.evaluate(part, frame));
    for (const part of parts) this.settle(part);
    if (expr.operator === "+" && parts.some(({ kind }) => kind === "text")) return { kind: "text", sites: [], text: concatenated(parts) };
    if (expr.operator === "+=" && expr.parts[0] !== undefined) {
      const [left, right] = parts;
      if (left !== undefined && right !== undefined && right.sites.length > 0) this.assign(expr.parts[0], { ...left, element: left.element === undefined ? right : joined(left.element, right) }, frame);
    }
    return { kind: parts.some(({ text }) => text?.varies === true) ? "text" : "unknown", sites: [], ...(parts.some(({ text }) => text?.varies === true) ? { text: concatenated(parts) } : {}) };
  }

  #new(expr: New, frame: Frame): Value {
    const args = expr.args.map((arg) => this.evaluate(arg, frame));
    if (expr.body !== undefined) {
      const cls: KnownClass = { cls: expr.body, file: frame.file, outer: frame.owner, anchor: frame.anchor };
      // Streams may be built in the methods of an anonymous class, but hardly ever in those of a function.
      if (!/Function$/.test(expr.type.name)) for (const fun of expr.body.functions) if (fun.body !== undefined) this.#anonymous(fun, cls, frame);
      return { kind: "object", sites: [], type: expr.type, cls };
    }
    return this.construct(expr.type, args, frame);
  }

  #anonymous(fun: FunctionModel, owner: KnownClass, frame: Frame): void {
    const inner: Frame = { vars: new Map(), parent: frame, file: frame.file, anchor: frame.anchor, owner, fun: frame.fun, implicit: undefined, returns: [] };
    for (const param of fun.params) inner.vars.set(param.name, this.ofType(param.type, frame.file, owner));
    if (fun.body === undefined) return;
    // Who calls it is not seen.
    letEscape([this.evaluate(fun.body, inner), ...inner.returns]);
  }

  /** An object of a class; what its constructor stores is kept. */
  construct(written: TypeName, args: readonly Value[], frame: Frame): Value {
    const type = unaliased(written, frame.file);
    for (const arg of args) this.settle(arg);
    if (varyingTypes.has(type.name)) return { kind: "object", sites: [], type, text: { value: undefined, varies: true, variesAt: undefined } };
    const local = this.#local(type.name, frame);
    const cls = local ?? this.index.classOf(type, frame.file, frame.owner);
    if (cls === undefined) {
      const flink = kindOfType[type.name] !== undefined || this.index.isFlinkType(type, frame.file) || flinkName(frame.file.imports.get(type.name) ?? "");
      if (isTuple(type.name) && args.length > 1) return tupleOf(args);
      if (isCollection(type.name)) return collectionOf(args);
      if (!flink) letEscape(args);
      if (kindOfType[type.name] !== undefined && this.index.isFlinkType(type, frame.file)) return { kind: kindOfType[type.name] ?? "unknown", sites: args[0]?.sites ?? [] };
      return { kind: "object", sites: [], type };
    }
    // A wrapper of streams that knows of uids sets them on what it holds.
    if (this.index.hierarchy(cls).classes.some((known) => known.cls.functions.some((fun) => /uid/i.test(fun.name)))) letEscape(args);
    cls.cls.params.forEach((param, at) => {
      const value = args[at];
      if (value !== undefined) this.#fields.set(cls.cls, param.name, this.#boundParam(cls, param.name, refined(value, this.ofType(param.type, cls.file, cls))));
    });
    const init = best(cls.cls.functions.filter(({ name }) => name === "<init>"), args.length);
    if (init !== undefined) this.#bodies?.set(init, init.body);
    if (init?.body !== undefined) this.#inline({ fun: init, file: cls.file, owner: cls }, args, undefined);
    // What wraps an operator stands for it, but for one that is held as a DataStream of Java or Kotlin: that takes no uid.
    const wraps = (arg: Value): boolean => isFlink(arg) && (arg.kind !== "stream" || frame.file.language === "scala");
    return { kind: "object", sites: args.reduce<readonly Site[]>((all, arg) => (wraps(arg) ? union(all, arg.sites) : all), []), type, cls };
  }

  #boundParam(cls: KnownClass, name: string, value: Value): Value {
    const before = this.#fields.get(cls.cls, name);
    return before === undefined ? value : joined(before, value);
  }

  #local(name: string, frame: Frame): KnownClass | undefined {
    for (let at: Frame | undefined = frame; at !== undefined; at = at.parent) {
      const value = at.vars.get(`class ${name}`);
      if (value !== undefined) return value.cls;
    }
    return undefined;
  }

  #className(written: TypeName, frame: Frame): Value | undefined {
    if (!/^[A-Z]/.test(written.name)) return undefined;
    const type = unaliased(written, frame.file);
    return { kind: "class", sites: [], type, cls: this.#local(type.name, frame) ?? this.index.classOf(type, frame.file, frame.owner) };
  }

  // ---- calls -----------------------------------------------------------------------------------------------------------------------------

  #call(call: Call, frame: Frame): Value {
    if (call.receiver === undefined) return this.#ownCall(call, frame);
    const receiver = this.evaluate(call.receiver, frame);
    const args = call.args.map((arg) => this.evaluate(arg, frame));
    if (receiver.kind === "unknown" && varying.test(`${standardClass(call.receiver) ?? ""}.${call.name}`)) return { kind: "text", sites: [], text: { value: undefined, varies: true, variesAt: placeOf(call, frame) } };
    return this.on(receiver, call, args, frame);
  }

  /** A call on a value. */
  on(receiver: Value, call: Call, args: readonly Value[], frame: Frame): Value {
    const scoped = scopeFunction(this, receiver, call, args);
    if (scoped !== undefined) return scoped;
    const { name } = call;
    if (name === "asInstanceOf" && call.typeArgs[0] !== undefined) {
      const type = this.ofType(call.typeArgs[0], frame.file, frame.owner);
      return isFlink(type) && !isFlink(receiver) ? { ...type, sites: receiver.sites } : receiver;
    }
    if (receiver.kind === "class") return this.#staticCall(receiver, call, args, frame);
    if (call.infix && name === "to" && args.length === 1) return tupleOf([receiver, ...args]);
    const part = args.length === 0 ? partOf(receiver, name) : undefined;
    if (part !== undefined) return part;
    // What a lambda made came back: `choice.fold(a => env.addSource(a), b => env.fromSource(b)).uid("x")`.
    if (receiver.element !== undefined && isFlink(receiver.element) && configuration.has(name)) return this.on(receiver.element, call, args, frame);
    if (uidCalls.has(name) && (receiver.sites.length > 0 || isFlink(receiver)) && args.length === 1) return this.operators.uid(receiver, call, args, frame);
    if (isFlink(receiver)) {
      const result = flinkCall(this, receiver, call, args, frame);
      if (result !== undefined) {
        this.operators.configured(receiver, call, frame);
        return result;
      }
      // An entry of a map of streams stands for its stream, and so does what may be one.
      if ((args.length === 0 && /^(?:getValue|value|component2|_2)$/.test(name)) || /^(?:get|orElse|orElseThrow|orElseGet|getOrElse|orNull)$/.test(name)) return receiver;
      if (args.length === 0 && /^(?:getKey|key|component1|_1)$/.test(name)) return unknown;
      const extension = this.index.extension(name, frame.file, receiver.kind);
      if (extension !== undefined) return this.#extension(extension, receiver, args, call, frame);
      if (looks.has(name) || receiver.kind === "table") return unknown;
      for (const site of receiver.sites) site.facts.escaped = true;
      for (const arg of args) this.settle(arg);
      letEscape(args);
      // `setUidWithName("x")` and the like: nobody knows what comes back, most often the operator.
      return { kind: "unknown", sites: receiver.sites };
    }
    if (receiver.cls !== undefined) {
      const known = this.index.method(receiver.cls, name, args.length);
      if (known !== undefined) return this.call(known, args, undefined, call, frame);
      if (call.bare || args.length === 0) {
        const at = componentAt(name);
        const component = at === undefined ? undefined : receiver.cls.cls.params[at]?.name;
        const field = this.field(receiver.cls, component ?? name) ?? (/^get[A-Z]/.test(name) ? this.field(receiver.cls, name.charAt(3).toLowerCase() + name.slice(4)) : undefined);
        if (field !== undefined) return receiver.constant === undefined ? field : this.#enumField(receiver, name, field);
      }
    }
    if (receiver.closure !== undefined && (name === "apply" || name === "accept" || name === "invoke" || name === "get" || name === "call")) return this.invoke(receiver.closure, args);
    if (receiver.fun !== undefined) return this.call(receiver.fun, args, undefined, call, frame);
    if (setsUp(receiver, call, this.index, frame.file)) return receiver;
    // A builder of Flink's is no stream, whatever its methods are called; what a class of others makes may be one.
    const guess = receiver.made !== undefined && flinkName(frame.file.imports.get(receiver.made.root) ?? "") ? undefined : looksLikeFlink(this, receiver, call, args, frame);
    if (guess !== undefined) return guess;
    if (receiver.made !== undefined && receiver.element === undefined) return this.#makes(receiver, call, args, frame);
    return outsideCall(this, receiver, call, args, frame);
  }

  /** A call without a receiver. */
  #ownCall(call: Call, frame: Frame): Value {
    const { name } = call;
    if (name === "with" && call.args.length === 2 && frame.file.language === "kotlin") {
      const [subject, body] = call.args.map((arg) => this.evaluate(arg, frame));
      if (subject !== undefined && body?.closure !== undefined) return this.invoke(body.closure, [subject], subject);
    }
    const args = call.args.map((arg) => this.evaluate(arg, frame));
    return this.#ownCallWith(call, args, frame);
  }

  #bareCall(name: string, expr: Expr, frame: Frame): Value {
    let call = bareCalls.get(expr);
    if (call === undefined) bareCalls.set(expr, (call = { kind: "call", start: expr.start, end: expr.end, receiver: undefined, name, nameSpan: expr, args: [], typeArgs: [], bare: true, infix: false }));
    return this.#ownCallWith(call, [], frame);
  }

  #ownCallWith(call: Call, args: readonly Value[], frame: Frame): Value {
    const { name } = call;
    for (let at: Frame | undefined = frame; at !== undefined; at = at.parent) {
      const local = at.vars.get(`${name}()`) ?? (args.length > 0 || !call.bare ? at.vars.get(name) : undefined);
      if (local?.closure !== undefined) return this.invoke(local.closure, args);
      if (local?.fun !== undefined) return this.call(local.fun, args, undefined, call, frame);
      if (local?.type?.name === "=>") return outsideCall(this, local, call, args, frame);
    }
    // A lambda on a text inside of an extension of a stream sees both.
    const receivers = new Set<Value>();
    for (let at: Frame | undefined = frame; at !== undefined; at = at.parent) if (at.implicit !== undefined && isFlink(at.implicit)) receivers.add(at.implicit);
    for (const implicit of receivers) {
      if (uidCalls.has(name) && args.length === 1) return this.operators.uid(implicit, call, args, frame);
      const inside = flinkCall(this, implicit, call, args, frame);
      if (inside !== undefined && isFlink(inside)) return inside;
    }
    for (let owner = frame.owner; owner !== undefined; owner = owner.outer) {
      const known = this.index.method(owner, name, args.length);
      if (known !== undefined) return this.call(known, args, undefined, call, frame);
    }
    const known = this.index.topLevel(name, frame.file, args.length) ?? this.#importedFunction(name, args.length, frame);
    if (known !== undefined) return this.call(known, args, undefined, call, frame);
    if (/^[A-Z]/.test(name)) {
      const constructed = this.#className({ name, written: name, args: call.typeArgs }, frame);
      if (constructed?.cls?.cls.kind === "object") {
        const apply = this.index.method(constructed.cls, "apply", args.length);
        if (apply !== undefined) return this.call(apply, args, undefined, call, frame);
      }
      return this.construct({ name, written: name, args: call.typeArgs }, args, frame);
    }
    if (name === "getExecutionEnvironment") return this.operators.environment(call, frame);
    if (call.bare) return unknown;
    if (name === "lazy" || name === "run" || name === "runBlocking") {
      const closure = args.at(-1)?.closure;
      if (closure !== undefined) return this.invoke(closure, []);
    }
    if (name === "locally" && args[0] !== undefined) return args[0];
    return isCollection(name) ? collectionOf(args) : outsideCall(this, unknown, call, args, frame);
  }

  #importedFunction(name: string, count: number, frame: Frame): KnownFunction | undefined {
    const full = frame.file.imports.get(name);
    const owners = full === undefined ? frame.file.wildcards : [full.slice(0, full.lastIndexOf("."))];
    for (const owner of owners) {
      const simple = owner.slice(owner.lastIndexOf(".") + 1);
      if (!/^[A-Z]/.test(simple)) continue;
      const cls = this.index.classOf({ name: simple, written: owner, args: [] }, frame.file, undefined);
      const known = cls === undefined ? undefined : this.index.method(cls, name, count);
      if (known !== undefined) return known;
    }
    return undefined;
  }

  #extension(known: KnownFunction, receiver: Value, args: readonly Value[], call: Call, frame: Frame): Value {
    if (known.fun.receiver !== undefined) return this.call(known, args, receiver, call, frame);
    // An implicit class: its one parameter is the stream.
    const param = known.owner?.cls.params[0];
    if (known.owner === undefined || param === undefined) return unknown;
    const { cls } = known.owner;
    const before = this.#fields.get(cls, param.name);
    this.#fields.set(cls, param.name, receiver);
    try {
      return this.call(known, args, undefined, call, frame);
    } finally {
      this.#fields.set(cls, param.name, before);
    }
  }

  #staticCall(receiver: Value, call: Call, args: readonly Value[], frame: Frame): Value {
    const typeName = receiver.type?.name ?? "";
    const { name } = call;
    if (receiver.cls !== undefined) {
      const known = this.index.method(receiver.cls, name, args.length);
      if (known !== undefined && !call.bare) return this.call(known, args, undefined, call, frame);
      const field = call.bare ? this.field(receiver.cls, name) : undefined;
      if (field !== undefined) return field;
      const nested = call.bare ? receiver.cls.cls.classes.find((cls) => cls.name === name) : undefined;
      if (nested !== undefined) return { kind: "class", sites: [], cls: { cls: nested, file: receiver.cls.file, outer: receiver.cls }, type: { name, written: name, args: [] } };
      if (known !== undefined) return this.call(known, args, undefined, call, frame);
      if (receiver.cls.cls.kind === "enum" && (name === "valueOf" || name === "values")) return unknown;
    }
    if (varying.test(`${typeName}.${name}`)) return { kind: "text", sites: [], text: { value: undefined, varies: true, variesAt: placeOf(call, frame) } };
    const flink = receiver.type === undefined ? undefined : staticFlinkCall(this, receiver.type, call, args, frame);
    if (flink !== undefined) return flink;
    if (receiver.cls !== undefined) return outsideCall(this, unknown, call, args, frame);
    if (call.bare && /^[A-Z][a-z]/.test(name)) return this.#className({ name, written: `${typeName}.${name}`, args: [] }, frame) ?? unknown;
    for (const arg of args) this.settle(arg);
    if (args.length > 1 && /^(?:of|apply|create|entry)$/.test(name) && (isTuple(typeName) || name === "entry")) return tupleOf(args);
    const full = frame.file.imports.get(typeName) ?? "";
    if (!flinkName(full) && !/^(java|javax|scala|kotlin)\.|^org\.apache\./.test(full) && full !== "" && !/^(List|Arrays|Optional|Objects|Stream|Collections|Seq|Option|Some|Map|Set|Array|System|String|Try|Either)$/.test(typeName)) letEscape(args);
    const varies = args.find(({ text }) => text?.varies === true)?.text;
    if (typeName === "String") return { kind: "text", sites: [], text: varies ?? (name === "valueOf" && args.length === 1 ? (args[0]?.text ?? { value: undefined, varies: false, variesAt: undefined }) : { value: undefined, varies: false, variesAt: undefined }) };
    if (varies !== undefined) return { kind: "text", sites: [], text: { ...varies, value: undefined } };
    const element = args.find((arg) => isFlink(arg));
    if (element !== undefined && /^(of|asList|singletonList|apply|ofNullable|empty)$/.test(name)) return { kind: "object", sites: [], element: args.filter((arg) => isFlink(arg)).reduce(joined) };
    return this.#makes({ kind: "object", sites: [], type: { name: typeName, written: typeName, args: [] }, made: { root: typeName, calls: [] } }, call, args, frame);
  }

  #makes(receiver: Value, call: Call, args: readonly Value[], frame: Frame): Value {
    const made = receiver.made;
    if (made === undefined) return unknown;
    for (const arg of args) this.settle(arg);
    if (made.root === "FlinkSink" || made.root === "IcebergSink" || made.root === "KafkaSink" || made.root === "KafkaSource" || made.root === "FileSink" || made.root === "DynamicIcebergSink") {
      const place = placeOf(call, frame);
      this.operators.makes({ root: made.root, name: call.name, place, value: { ...receiver, made: { root: made.root, calls: [...made.calls, { name: call.name, args }] } } });
    }
    // Builders hold streams without naming them.
    return { kind: "object", sites: receiver.sites, ...(receiver.type === undefined ? {} : { type: receiver.type }), made: { root: made.root, calls: made.calls.length > 60 ? made.calls : [...made.calls, { name: call.name, args }] } };
  }

  #enumField(receiver: Value, name: string, field: Value): Value {
    const cls = receiver.cls?.cls;
    const constant = cls?.constants.find((candidate) => candidate.name === receiver.constant);
    const wanted = /^get[A-Z]/.test(name) ? name.charAt(3).toLowerCase() + name.slice(4) : name;
    const params = (cls?.params.length ?? 0) > 0 ? cls?.params : cls?.functions.find((fun) => fun.name === "<init>")?.params;
    const at = params?.findIndex((param) => param.name === wanted) ?? -1;
    const arg = constant?.args[at === -1 ? 0 : at];
    return arg?.kind === "text" ? { kind: "text", sites: [], text: { value: arg.value, varies: false, variesAt: undefined } } : field;
  }
}

/** Calls that are written as a name only. */
const bareCalls = new WeakMap<Expr, Call>();

/** What the offsets in a body count from; one that stands in another body counts with that. */
function anchorIn({ base }: { readonly base: number }, body: Expr | undefined, owner: KnownClass | undefined): Anchor {
  return base === -1 ? (owner?.anchor ?? nowhere) : anchorOf(body, base);
}

function bodyOf(holder: FunctionModel | FieldModel): Expr | undefined {
  return "params" in holder ? holder.body : holder.value;
}
