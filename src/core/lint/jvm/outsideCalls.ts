import type { Evaluator } from "./evaluator";
import { tupleOf } from "./holders";
import type { Call } from "./model";
import { concatenated, isHarmless, letEscape, takesStreams } from "./valueFlow";
import { isFlink, joined, union, unknown, type Frame, type Value } from "./values";

/** A call on something that is not known: a collection, a library, a type that is not found. */
export function outsideCall(evaluator: Evaluator, receiver: Value, call: Call, args: readonly Value[], frame: Frame): Value {
  const { name } = call;
  const inherited = { kind: "unknown", sites: receiver.sites } as const;
  if (receiver.kind === "text" || receiver.text !== undefined) {
    const inner = receiver.text ?? { value: undefined, varies: false, variesAt: undefined };
    if (name === "toString" || name === "trim" || name === "stripMargin" || name === "trimIndent" || name === "intern") return { kind: "text", sites: [], text: inner };
    const varies = inner.varies || args.some(({ text }) => text?.varies === true);
    return { kind: "text", sites: [], text: { value: undefined, varies, variesAt: inner.variesAt ?? args.find(({ text }) => text?.varies === true)?.text?.variesAt } };
  }
  if (receiver.constant !== undefined && (name === "name" || name === "toString")) return { kind: "text", sites: [], text: { value: receiver.constant, varies: false, variesAt: undefined } };
  if (["add", "addAll", "put", "append", "push", "offer", "addFirst", "addLast", "set", "putIfAbsent"].includes(name) && call.receiver?.kind === "name") {
    const added = args.filter((arg) => isFlink(arg)).reduce<Value | undefined>((all, arg) => (all === undefined ? arg : joined(all, arg)), receiver.element);
    if (added !== undefined) evaluator.assign(call.receiver, { ...receiver, element: added }, frame);
    return unknown;
  }
  if (receiver.element !== undefined) {
    let result: Value = inherited;
    for (const arg of args) {
      if (arg.closure !== undefined) result = evaluator.invoke(arg.closure, arg.closure.lambda.params.length > 1 ? [receiver.element, receiver.element] : [receiver.element]);
      else if (arg.fun !== undefined) result = evaluator.call(arg.fun, [receiver.element], undefined, call, frame);
    }
    if (name === "withIndex") return { kind: "object", sites: [], element: tupleOf([unknown, receiver.element]) };
    if (name === "zipWithIndex") return { kind: "object", sites: [], element: tupleOf([receiver.element, unknown]) };
    if (/^(map|flatMap|mapNotNull|mapIndexed)$/.test(name)) return { ...inherited, kind: "object", element: result };
    if (/^(?:orElse|orElseGet|getOrElse|ifEmpty|recover)$/.test(name) && isFlink(result)) return joined(receiver.element, result);
    if (/^(reduce|fold|reduceLeft|reduceOption|foldLeft)$/.test(name)) return isFlink(result) ? result : receiver.element;
    if (/^(get|getOrElse|head|last|first|apply|orElse|orElseThrow|iterator|next|remove|getFirst|getLast|poll|peek|find|single|getValue|value|headOption|toSeq|toList|stream|values|filter|asScala|asJava|sorted|iterator|entrySet|tail|drop|take|getOrDefault|getOrNull|getOrPut|elementAt|\w+OrNull|component\d|subList|asSequence|toMap|reversed|asList|toMutableList|entries|sequence|parallelStream)$/.test(name)) {
      return /^(iterator|toSeq|toList|stream|values|filter|asScala|asJava|sorted|entrySet|tail|drop|take|headOption|find|subList|asSequence|toMap|reversed|asList|toMutableList|entries|sequence|parallelStream)$/.test(name) ? receiver : receiver.element;
    }
    return result;
  }
  const inner = args.map((arg) => (arg.closure !== undefined && !evaluator.isCalled(arg.closure) ? evaluator.invoke(arg.closure, []) : arg));
  const varies = inner.some(({ text }) => text?.varies === true);
  if (!isHarmless(receiver, name, frame) && !takesStreams(receiver, frame)) letEscape(args);
  // What a lambda makes may come back: `list.map(topic -> env.fromSource(…))`.
  const made = inner.filter((value, at) => args[at]?.closure !== undefined && value !== args[at]).reduce<Value | undefined>((all, value) => (all === undefined ? value : joined(all, value)), undefined);
  if (made !== undefined && isFlink(made) && name === "fold") return made;
  if (made !== undefined && isFlink(made)) return { kind: "object", sites: union(receiver.sites, []), element: made };
  return varies ? { kind: "text", sites: [], text: concatenated([receiver, ...inner]) } : inherited;
}

/** Kotlin's and Scala's calls that hand the receiver to a lambda; undefined for any other. */
export function scopeFunction(evaluator: Evaluator, receiver: Value, call: Call, args: readonly Value[]): Value | undefined {
  const closure = args.length === 1 ? args[0]?.closure : undefined;
  if (closure === undefined) return undefined;
  switch (call.name) {
    case "also":
    case "tap":
    case "onEach":
      evaluator.invoke(closure, [receiver]);
      return receiver;
    case "apply":
      // A window's `apply { key, window, values, out -> … }` takes several.
      if (closure.frame.file.language !== "kotlin" || closure.lambda.params.length > 1) return undefined;
      evaluator.invoke(closure, [receiver], receiver);
      return receiver;
    case "let":
    case "pipe":
      return evaluator.invoke(closure, [receiver]);
    case "run":
      return closure.frame.file.language === "kotlin" ? evaluator.invoke(closure, [receiver], receiver) : undefined;
    default:
      return undefined;
  }
}
