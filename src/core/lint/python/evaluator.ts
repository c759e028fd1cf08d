import { annotationValue } from "./annotations";
import { builtin, counterOr, elementOf, isEnvName, mergeScopes, mixTexts, onList, rootOf } from "./builtins";
import { Classes } from "./classes";
import { FlinkCalls, splitArguments, type EvaluatedCall } from "./flinkCalls";
import type { Block, CallExpr, Chunk, Expr, PythonFacts, Statement } from "./model";
import type { Files } from "./modules";
import { Names } from "./names";
import { differsFromRunToRun, streamClasses } from "./pyflink";
import { placeOf, type Frame, type Run } from "./run";
import { join, operatorsIn, options, text, unknownValue, type ClassValue, type FunctionValue, type InstanceValue, type Scope, type Value } from "./values";

const callDepthLimit = 14;
/** Calls on unknown things that never set a uid on what they are given. */
const harmlessMethods = /^(?:from_data_stream|from_changelog_stream|create_temporary_view|append|extend|insert|add|put|union|connect|join|info|debug|warning|warn|error|exception|critical|print|write|format|get|pop|keys|values|items|execute|from_datastream|assertEqual|assertIsNotNone|assertTrue|assertIsInstance)$/;

/** Follows values through the Python of a workspace, from one entry file on: modules are run once, functions at each call. */
export class Evaluator {
  readonly #files: Files;
  readonly #run: Run;
  readonly #flink: FlinkCalls;
  readonly #names: Names;
  readonly #classes = new Classes((scope, name) => this.#names.lookUp(scope, name), (value, name) => this.#attribute(value, name, undefined));
  readonly #modules = new Map<string, { readonly scope: Scope }>();
  readonly #stack: unknown[] = [];
  /** Functions that were called. */
  readonly reached = new Set<unknown>();

  constructor(files: Files, run: Run) {
    this.#files = files;
    this.#run = run;
    this.#flink = new FlinkCalls(run, this.#classes);
    this.#names = new Names(files, {
      scopeOf: (path) => this.#scopeOf(path), attribute: (value, name) => this.#attribute(value, name, undefined), newEnv: (scope) => this.#flink.newEnv(this.#frame(scope, 0, undefined), undefined),
    });
  }

  /** Runs a module; as the main program its `if __name__ == "__main__"` too. */
  module(facts: PythonFacts, asMain: boolean): Scope {
    const before = this.#modules.get(facts.path);
    if (before !== undefined) return before.scope;
    const scope: Scope = { vars: new Map(), outer: undefined, path: facts.path, importsFlink: facts.importsFlink, wildcards: [] };
    this.#modules.set(facts.path, { scope });
    scope.vars.set("__name__", text(asMain ? "__main__" : facts.path));
    const frame = this.#frame(scope, 0, undefined);
    this.#chunks(facts.chunks, 0, frame);
    return scope;
  }

  /** Calls a function as a caller that is not seen would. */
  enter(fn: FunctionValue): void {
    const result = this.#call(fn, [], new Map(), undefined, true);
    for (const op of operatorsIn(result)) op.returnedBy = fn.model.name;
  }

  /** Names of the PyFlink classes a class extends, over any number of steps. */
  flinkBases(cls: ClassValue): readonly string[] {
    return this.#classes.flinkBases(cls);
  }

  /** An object of a class, made as a caller that is not seen would. */
  instanceOf(cls: ClassValue): InstanceValue {
    const before = this.#canonical.get(cls);
    if (before !== undefined) return before;
    const instance: InstanceValue = { t: "instance", of: cls, fields: new Map(), env: undefined };
    this.#canonical.set(cls, instance);
    const init = this.#classes.member(cls, "__init__");
    if (init?.t === "function") this.#call({ ...init, self: instance }, [], new Map(), undefined, true);
    return instance;
  }

  readonly #canonical = new Map<ClassValue, InstanceValue>();

  #frame(scope: Scope, base: number, self: Value | undefined, from?: Frame): Frame {
    return { scope, base, self, returns: [], turns: from?.turns ?? [], loops: from?.loops ?? [], broken: false, id: this.#run.nextId() };
  }

  #chunks(chunks: readonly Chunk[], base: number, frame: Frame): void {
    for (const chunk of chunks) {
      const inner: Frame = { ...frame, base: base + chunk.start };
      if (this.#statement(chunk.statement, inner) && chunk.statement.s === "leave") break;
      frame.turns = inner.turns;
    }
  }

  /** Runs statements; true when the block is certainly left early. */
  #block(block: Block, frame: Frame): boolean {
    for (const statement of block) if (this.#statement(statement, frame)) return true;
    return false;
  }

  #statement(statement: Statement, frame: Frame): boolean {
    if (!this.#run.step()) return false;
    switch (statement.s) {
      case "expr":
        this.#broken(frame, statement.broken, () => this.#eval(statement.value, frame));
        return false;
      case "assign":
        this.#broken(frame, statement.broken, () => this.#assign(statement, frame));
        return false;
      case "return":
        this.#broken(frame, statement.broken, () => {
          if (statement.value !== undefined) frame.returns.push(this.#eval(statement.value, frame));
        });
        return true;
      case "leave":
        return true;
      case "branches":
        return this.#branches(statement, frame);
      case "loop":
        this.#loop(statement, frame);
        return false;
      case "with":
        for (const item of statement.items) {
          const value = this.#eval(item.value, frame);
          if (item.target !== undefined) this.#bind(item.target, value, frame, false);
        }
        return this.#block(statement.body, frame);
      case "blocks":
        return statement.of.some((block) => this.#block(block, frame));
      case "function":
        frame.scope.vars.set(statement.name, { t: "function", model: statement, scope: frame.scope, base: frame.base, owner: undefined, self: undefined });
        return false;
      case "class":
        frame.scope.vars.set(statement.name, this.#class(statement, frame));
        return false;
      case "import":
        this.#names.import(statement, frame.scope);
        return false;
    }
  }

  #broken(frame: Frame, broken: boolean, run: () => void): void {
    const before = frame.broken;
    frame.broken ||= broken;
    run();
    frame.broken = before;
  }

  #class(model: Statement & { s: "class" }, frame: Frame): ClassValue {
    const scope: Scope = { vars: new Map(), outer: frame.scope, path: frame.scope.path, importsFlink: frame.scope.importsFlink, wildcards: [] };
    const cls: ClassValue = { t: "class", model, scope: frame.scope, base: frame.base, attributes: scope.vars, annotations: new Map() };
    const inner: Frame = { ...this.#frame(scope, frame.base, undefined, frame) };
    for (const member of model.members) {
      const { statement } = member;
      if (statement.s === "assign" && statement.annotation !== undefined && statement.targets[0]?.k === "name") cls.annotations.set(statement.targets[0].id, statement.annotation);
      this.#statement(statement, { ...inner, base: frame.base + member.start });
    }
    for (const [name, value] of scope.vars) if (value.t === "function") scope.vars.set(name, { ...value, scope: frame.scope, owner: cls });
    return cls;
  }

  #branches(statement: Statement & { s: "branches" }, frame: Frame): boolean {
    for (const test of statement.tests) this.#eval(test, frame);
    const only = this.#mainGuard(statement, frame);
    if (only !== undefined) return only ? this.#block(statement.of[0] ?? [], frame) : false;
    const at = `${frame.scope.path}:${frame.base + statement.start}:${frame.id}`;
    const before = frame.scope.vars;
    const { turns } = frame;
    const after: Map<string, Value>[] = statement.exhaustive ? [] : [before];
    let anyLeft = false;
    statement.of.forEach((block, way) => {
      frame.scope.vars = new Map(before);
      frame.turns = [...turns, { at, way }];
      if (this.#block(block, frame)) anyLeft = true;
      else after.push(frame.scope.vars);
    });
    frame.turns = anyLeft ? [...turns, { at, way: -1 }] : turns;
    frame.scope.vars = after.length === 0 ? before : mergeScopes(after);
    return after.length === 0;
  }

  /** Whether `if __name__ == "__main__"` is entered; undefined for any other `if`. */
  #mainGuard(statement: Statement & { s: "branches" }, frame: Frame): boolean | undefined {
    const test = statement.tests[0];
    if (test?.k !== "mix" || statement.of.length !== 1 || !test.of.some((part) => part.k === "name" && part.id === "__name__")) return undefined;
    const name = this.#names.lookUp(frame.scope, "__name__");
    return name.t === "text" && name.value === "__main__";
  }

  #loop(statement: Statement & { s: "loop" }, frame: Frame): void {
    const over = statement.over === undefined ? unknownValue : this.#eval(statement.over, frame);
    const before = frame.scope.vars;
    const { loops, turns } = frame;
    const certain = over.t === "list" && over.items.length > 1 && over.ordered;
    if (statement.target !== undefined) this.#bind(statement.target, elementOf(over), frame, false);
    const leaves = statement.body.some(({ s }) => s === "leave" || s === "return");
    if (!leaves && statement.target !== undefined) frame.loops = [...loops, { id: this.#run.nextId(), sure: certain }];
    frame.scope.vars = new Map(frame.scope.vars);
    this.#block(statement.body, frame);
    frame.loops = loops;
    frame.turns = turns;
    frame.scope.vars = mergeScopes([before, frame.scope.vars]);
  }

  #assign(statement: Statement & { s: "assign" }, frame: Frame): void {
    const annotated = statement.annotation === undefined ? undefined : annotationValue(statement.annotation, (name) => this.#names.lookUp(frame.scope, name), (cls) => this.instanceOf(cls), () => this.#flink.newEnv(frame, undefined));
    const value = statement.value === undefined ? annotated ?? unknownValue : this.#eval(statement.value, frame);
    const known = value.t === "unknown" || value.t === "none" ? annotated ?? value : value;
    for (const target of statement.targets) {
      if (statement.changes && target.k === "name") {
        const old = this.#names.lookUp(frame.scope, target.id);
        this.#bind(target, old.t === "list" && known.t === "list" ? { ...old, items: [...old.items, ...known.items], ordered: false } : old.t === "text" || known.t === "text" ? mixTexts([old, known]) : counterOr(old), frame, false);
      } else this.#bind(target, known, frame, true);
    }
  }

  #bind(target: Expr, value: Value, frame: Frame, names: boolean): void {
    if (target.k === "name") {
      frame.scope.vars.set(target.id, value);
      if (names) this.#named(value, target.id);
    } else if (target.k === "attr") {
      if (names) this.#named(value, target.name);
      for (const object of options(this.#eval(target.of, frame))) {
        if (object.t === "instance") object.fields.set(target.name, frame.turns.length > 0 && object.fields.has(target.name) ? join([object.fields.get(target.name) ?? value, value]) : value);
        else if (object.t === "class") object.attributes.set(target.name, value);
      }
    } else if (target.k === "list") {
      const items = value.t === "list" && value.ordered && value.keys === undefined && value.items.length === target.items.length ? value.items : undefined;
      target.items.forEach((item, index) => this.#bind(item, items?.[index] ?? (value.t === "list" && !value.ordered ? elementOf(value) : unknownValue), frame, names));
    } else if (target.k === "index") {
      const list = this.#eval(target.of, frame);
      if (list.t === "list") {
        const at = this.#eval(target.at, frame);
        list.items.push(value);
        list.keys?.push(at.t === "text" ? at.value : undefined);
      }
    }
  }

  #named(value: Value, name: string): void {
    for (const op of operatorsIn(value)) {
      op.names.add(name);
      if (!op.hints.includes(name)) op.hints.push(name);
    }
  }

  #scopeOf(path: string): Scope {
    const facts = this.#files.get(path);
    return facts === undefined ? { vars: new Map(), outer: undefined, path, importsFlink: false, wildcards: [] } : this.module(facts, false);
  }

  #eval(expr: Expr, frame: Frame): Value {
    if (!this.#run.step()) return unknownValue;
    switch (expr.k) {
      case "name":
        return this.#names.lookUp(frame.scope, expr.id);
      case "attr":
        return this.#attribute(this.#eval(expr.of, frame), expr.name, frame);
      case "call":
        return this.#callExpr(expr, frame);
      case "text":
        return expr.parts.length === 0 ? text(expr.value) : mixTexts(expr.parts.map((part) => this.#eval(part, frame)));
      case "none":
        return { t: "none" };
      case "lambda":
        return { t: "lambda", expr, scope: frame.scope, base: frame.base };
      case "either":
        for (const test of expr.tests) this.#eval(test, frame);
        return join(expr.of.map((one) => this.#eval(one, frame)));
      case "list":
        return { t: "list", items: expr.items.map((item) => this.#eval(item, frame)), keys: undefined, ordered: true };
      case "dict":
        return {
          t: "list", ordered: true,
          keys: expr.keys.map((key) => (key?.k === "text" ? key.value : undefined)),
          items: expr.values.map((value) => this.#eval(value, frame)),
        };
      case "index": {
        const of = this.#eval(expr.of, frame);
        const at = this.#eval(expr.at, frame);
        if (of.t === "list") {
          const index = of.keys === undefined ? (expr.at.k === "number" && of.ordered ? Number(expr.at.value) : -1) : at.t === "text" && at.value !== undefined ? of.keys.lastIndexOf(at.value) : -1;
          return of.items[index] ?? elementOf(of);
        }
        return of.t === "text" ? { ...of, value: undefined } : unknownValue;
      }
      case "each": {
        const inner: Frame = { ...frame, scope: { ...frame.scope, vars: new Map(), outer: frame.scope } };
        for (const { target, over } of expr.loops) this.#bind(target, elementOf(this.#eval(over, inner)), inner, false);
        inner.loops = [...frame.loops, { id: this.#run.nextId(), sure: false }];
        return { t: "list", items: [this.#eval(expr.body, inner)], keys: undefined, ordered: false };
      }
      case "walrus": {
        const value = this.#eval(expr.value, frame);
        frame.scope.vars.set(expr.id, value);
        return value;
      }
      case "mix": {
        const values = expr.of.map((part) => this.#eval(part, frame));
        return values.some((value) => value.t === "text") ? mixTexts(values) : unknownValue;
      }
      case "number":
      case "bool":
      case "unknown":
        return unknownValue;
    }
  }

  #attribute(value: Value, name: string, frame: Frame | undefined): Value {
    switch (value.t) {
      case "union":
        return join(value.of.map((one) => this.#attribute(one, name, frame)));
      case "foreign":
        return { t: "foreign", path: `${value.path}.${name}` };
      case "module": {
        const found = this.#scopeOf(value.path).vars.get(name);
        if (found !== undefined) return found;
        const inner = this.#names.module(value.path, value.path.endsWith("__init__.py") ? `.${name}` : `${value.name}.${name}`);
        return inner.t === "module" ? inner : { t: "unknown", name };
      }
      case "class":
        return this.#classes.member(value, name) ?? { t: "unknown", name };
      case "instance":
        return this.#field(value, name, frame);
      case "text":
        return value;
      default:
        return { t: "unknown", name };
    }
  }

  #field(instance: InstanceValue, name: string, frame: Frame | undefined): Value {
    const field = instance.fields.get(name);
    if (field !== undefined) return field;
    const member = this.#classes.member(instance.of, name);
    if (member?.t === "function") {
      const bound: FunctionValue = { ...member, self: instance };
      return member.model.decorators.some((one) => /^(?:cached_property|property|functools\.cached_property)$/.test(one)) ? this.#call(bound, [], new Map(), frame, false) : bound;
    }
    if (member !== undefined) return member;
    const annotation = this.#classes.annotation(instance.of, name);
    if (annotation !== undefined && frame !== undefined) {
      const value = annotationValue(annotation, (word) => this.#names.lookUp(instance.of.scope, word), (cls) => this.instanceOf(cls), () => this.#flink.newEnv(frame, undefined));
      if (value !== undefined) {
        instance.fields.set(name, value);
        return value;
      }
    }
    if (instance.of.scope.importsFlink && isEnvName(name.replace(/^_+/, ""))) {
      const env = this.#names.guessedEnv(instance.of.scope);
      instance.fields.set(name, env);
      return env;
    }
    return { t: "unknown", name };
  }

  #callExpr(call: CallExpr, frame: Frame): Value {
    const { callee } = call;
    if (callee.k === "attr") {
      const receiver = this.#isSuper(callee.of) ? this.#superOf(frame) : this.#eval(callee.of, frame);
      const split = splitArguments(call.args, ({ value }) => this.#eval(value, frame));
      const made: EvaluatedCall = { call, frame, ...split };
      const results = options(receiver).filter((one, _index, all) => one.t !== "unknown" || all.length === 1).map((one) => this.#method(one, callee.name, made));
      return join(results);
    }
    const target = this.#eval(callee, frame);
    const split = splitArguments(call.args, ({ value }) => this.#eval(value, frame));
    const name = callee.k === "name" ? callee.id : "";
    return this.#invoke(target, name, { call, frame, ...split });
  }

  #isSuper(expr: Expr): boolean {
    return expr.k === "call" && expr.callee.k === "name" && expr.callee.id === "super";
  }

  /** `super()`: the object itself, seen as its base class. */
  #superOf(frame: Frame): Value {
    const { self } = frame;
    const owner = frame.scope.vars.get("__class__");
    if (self?.t !== "instance" || owner?.t !== "class") return unknownValue;
    const base = this.#classes.bases(owner).find((one) => one.t === "class");
    return base?.t === "class" ? { t: "instance", of: base, fields: self.fields, env: self.env } : unknownValue;
  }

  #method(receiver: Value, method: string, made: EvaluatedCall): Value {
    switch (receiver.t) {
      case "env":
        return this.#flink.onEnv(receiver, method, made) ?? unknownValue;
      case "stream": {
        const result = this.#flink.onStream(receiver, method, made);
        if (result !== undefined) return result;
        if (/uid/i.test(method)) this.#maySet([receiver], "likely");
        return unknownValue;
      }
      case "tableEnv":
        return /^to_\w*stream$/.test(method) ? { t: "stream", kind: "plain", op: undefined, env: undefined, because: undefined, made: method } : { t: "table" };
      case "table":
        return receiver;
      case "foreign":
      case "module":
      case "class":
        return this.#invoke(this.#attribute(receiver, method, made.frame), method, made);
      case "instance":
        return this.#onInstance(receiver, method, made);
      case "object": {
        const args = [...made.args, ...made.named.values()];
        const at = placeOf(made.frame, made.call.at);
        this.#run.builderCalls.set(`${at.path}:${at.start}`, { of: receiver.of, method, args: made.args, named: made.named, saysFalse: made.call.args.some(({ value }) => value.k === "bool" && !value.value), at });
        if (method === "disable_auto_generated_uids") this.#run.uidsOff.push(at);
        return { t: "object", of: receiver.of, calls: new Map([...receiver.calls, [method, args]]), at: receiver.at };
      }
      case "list":
        return onList(receiver, method, made.args);
      case "text":
        return { ...mixTexts([receiver, ...made.args]), value: undefined };
      default:
        return this.#onUnknown(receiver, method, made);
    }
  }

  #onInstance(instance: InstanceValue, method: string, made: EvaluatedCall): Value {
    const member = this.#field(instance, method, made.frame);
    if (member.t !== "unknown") return this.#invoke(member, method, made);
    const bases = this.#classes.flinkBases(instance.of);
    if (bases.includes("StreamExecutionEnvironment")) {
      instance.env ??= this.#flink.newEnv(made.frame, undefined);
      return this.#flink.onEnv(instance.env, method, made) ?? unknownValue;
    }
    return this.#onUnknown(member, method, made);
  }

  #onUnknown(receiver: Value, method: string, made: EvaluatedCall): Value {
    if (/uid/i.test(method) && receiver.t === "unknown" && receiver.name !== undefined) this.#run.uidNames.add(receiver.name);
    if (method === "get_execution_environment" && receiver.t === "unknown" && receiver.name === "StreamExecutionEnvironment") return this.#flink.newEnv(made.frame, placeOf(made.frame, made.call.at));
    if (made.frame.scope.importsFlink || made.args.some((value) => value.t === "stream")) {
      const result = made.frame.scope.importsFlink ? this.#flink.onUnknown(method, made) : undefined;
      if (result !== undefined) return result;
    }
    if (!harmlessMethods.test(method)) this.#handOver(method, made);
    return unknownValue;
  }

  #invoke(target: Value, name: string, made: EvaluatedCall): Value {
    switch (target.t) {
      case "union": {
        // In a loop over several functions each may be called once.
        const { loops } = made.frame;
        made.frame.loops = [];
        const value = join(target.of.map((one) => this.#invoke(one, name, made)));
        made.frame.loops = loops;
        return value;
      }
      case "function":
        return this.#call(target, made.args, made.named, made.frame, false);
      case "lambda":
        return this.#lambda(target, made);
      case "class":
        return this.#construct(target, made);
      case "foreign":
        return this.#foreign(target.path, name, made);
      case "instance": {
        const call = this.#classes.member(target.of, "__call__");
        return call?.t === "function" ? this.#call({ ...call, self: target }, made.args, made.named, made.frame, false) : unknownValue;
      }
      default: {
        if (/uid/i.test(name)) this.#maySet(made.args, "likely");
        else this.#handOver(name, made);
        return unknownValue;
      }
    }
  }

  #lambda(target: Value & { t: "lambda" }, made: EvaluatedCall): Value {
    if (this.#stack.length > callDepthLimit) return unknownValue;
    const vars = new Map<string, Value>();
    target.expr.params.forEach((param, index) => vars.set(param.name, made.args[index] ?? made.named.get(param.name) ?? { t: "unknown", name: param.name }));
    const frame = this.#frame({ vars, outer: target.scope, path: target.scope.path, importsFlink: target.scope.importsFlink, wildcards: [] }, target.base, made.frame.self, made.frame);
    this.#stack.push(target.expr);
    const result = this.#eval(target.expr.body, frame);
    this.#stack.pop();
    return result;
  }

  #construct(cls: ClassValue, made: EvaluatedCall): Value {
    const flink = this.#classes.flinkBases(cls);
    const instance: InstanceValue = { t: "instance", of: cls, fields: new Map(), env: undefined };
    const init = this.#classes.member(cls, "__init__");
    if (init?.t === "function") this.#call({ ...init, self: instance }, made.args, made.named, made.frame, false);
    else if (flink.length === 0) {
      [...cls.annotations.keys()].forEach((name, index) => {
        const value = made.named.get(name) ?? made.args[index];
        if (value !== undefined) instance.fields.set(name, value);
      });
    }
    return instance;
  }

  /** A call of something from outside the workspace. */
  #foreign(path: string, name: string, made: EvaluatedCall): Value {
    const { frame, args } = made;
    if (differsFromRunToRun(path)) return text(undefined, `${path.replace(/^builtins\./, "")}()`);
    if (path.startsWith("builtins.")) {
      const name = path.slice("builtins.".length);
      const [object, attribute] = args;
      if (name === "getattr" && object !== undefined && attribute?.t === "text" && attribute.value !== undefined) return this.#attribute(object, attribute.value, frame);
      return builtin(name, made);
    }
    if (path.startsWith("pyflink.")) {
      const [, owner = "", method = ""] = /(?:^|\.)([A-Z]\w*)(?:\.(\w+))?$/.exec(path) ?? [];
      const at = placeOf(frame, made.call.at);
      if (owner === "StreamExecutionEnvironment") return this.#flink.newEnv(frame, at);
      if (owner === "AsyncDataStream") return this.#flink.asyncWait(made, method);
      if (/^(?:Stream|Batch)?TableEnvironment$/.test(owner)) return { t: "tableEnv" };
      const kind = method === "" ? streamClasses[owner] : undefined;
      if (kind !== undefined) return { t: "stream", kind, op: undefined, env: undefined, because: undefined, made: kind === "keyed" ? owner : "" };
      if (owner !== "") return { t: "object", of: owner, calls: new Map([[method, [...args, ...made.named.values()]]]), at };
      return unknownValue;
    }
    if (/(?:^|\.)(?:logging|logger|log|typing|functools|itertools|copy|json|os|sys|argparse|pathlib|collections|dataclasses|abc|pprint)(?:\.|$)/.test(path)) return unknownValue;
    if (/uid/i.test(name)) this.#maySet(args, "likely");
    else if (!harmlessMethods.test(name)) this.#handOver(name, made);
    return unknownValue;
  }

  /** Operators that go into code that is not seen. */
  #handOver(_name: string, made: EvaluatedCall): void {
    const values = [...made.args, ...made.named.values()];
    const withId = values.some((value) => value.t === "text") || [...made.named.keys()].some((key) => /uid|_id$|^id$/i.test(key));
    this.#maySet(values, withId ? "likely" : "unknown");
  }

  #maySet(values: readonly Value[], how: "likely" | "unknown"): void {
    for (const value of values) for (const op of operatorsIn(value)) if (op.escaped !== "likely") op.escaped = how;
  }

  #call(fn: FunctionValue, args: readonly Value[], named: ReadonlyMap<string, Value>, from: Frame | undefined, asEntry: boolean): Value {
    const { model } = fn;
    const fromAnnotation = (): Value | undefined =>
      model.returns === undefined ? undefined : annotationValue(model.returns, (name) => this.#names.lookUp(fn.scope, name), (cls) => this.instanceOf(cls), () => this.#flink.newEnv(from ?? this.#frame(fn.scope, fn.base, undefined), undefined));
    if (model.body === undefined || this.#stack.includes(model) || this.#stack.length > callDepthLimit || !this.#run.step()) {
      if (model.body !== undefined && !asEntry) this.#maySet([...args, ...named.values()], "unknown");
      return fromAnnotation() ?? unknownValue;
    }
    this.reached.add(model);
    const scope: Scope = { vars: new Map(), outer: fn.scope, path: fn.scope.path, importsFlink: fn.scope.importsFlink, wildcards: [] };
    const isStatic = model.decorators.includes("staticmethod");
    const isClass = model.decorators.includes("classmethod");
    const self: Value | undefined = fn.owner === undefined || isStatic ? undefined : isClass ? fn.owner : fn.self;
    const frame = this.#frame(scope, fn.base, self, from);
    if (fn.owner !== undefined) scope.vars.set("__class__", fn.owner);
    const params = self === undefined ? model.params : model.params.slice(1);
    const first = model.params[0];
    if (self !== undefined && first !== undefined) scope.vars.set(first.name, self);
    this.#stack.push(model);
    params.forEach((param, index) => {
      if (param.spread === "*") scope.vars.set(param.name, { t: "list", items: args.slice(index), keys: undefined, ordered: true });
      else if (param.spread === "**") scope.vars.set(param.name, { t: "list", items: [...named.values()], keys: [...named.keys()], ordered: true });
      else scope.vars.set(param.name, this.#argument(param, named.get(param.name) ?? args[index], frame, fn));
    });
    this.#block(model.body, frame);
    this.#stack.pop();
    const result = frame.returns.length === 0 ? undefined : join(frame.returns);
    return result === undefined || result.t === "unknown" ? fromAnnotation() ?? result ?? unknownValue : result;
  }

  #argument(param: { readonly name: string; readonly annotation: string | undefined; readonly initial: Expr | undefined }, given: Value | undefined, frame: Frame, fn: FunctionValue): Value {
    if (given !== undefined && given.t !== "unknown") return given;
    const annotated = param.annotation === undefined ? undefined : annotationValue(param.annotation, (name) => this.#names.lookUp(fn.scope, name), (cls) => this.instanceOf(cls), () => this.#flink.newEnv(frame, undefined));
    if (annotated !== undefined) return annotated;
    if (fn.scope.importsFlink && isEnvName(param.name)) return this.#names.guessedEnv(rootOf(fn.scope));
    if (given === undefined && param.initial !== undefined && param.initial.k !== "none") return this.#eval(param.initial, { ...frame, scope: fn.scope });
    return given ?? { t: "unknown", name: param.name };
  }
}
