import { alwaysStateful, checkpointed, keyedFunctions, statefulFunctions, statefulSinkInterfaces, statefulSinks, statefulSourceBuilders, statelessFunctions, statelessSinkClasses, windowFunctions } from "./flinkNames";
import type { ClassModel, FileModel } from "./model";
import type { KnownClass, Place, StateProof, Value } from "./values";
import type { WorkspaceIndex } from "./workspaceIndex";

const no: StateProof = { state: "no", what: "", at: undefined };
const unproven: StateProof = { state: "unknown", what: "", at: undefined };

/** Where the state of a function lives: with keys, or in the operator only. */
export type Where = "keyed" | "plain";

/** Whether a function makes its operator stateful, by its class. */
export function functionState(value: Value | undefined, where: Where, index: WorkspaceIndex): StateProof {
  if (value === undefined) return unproven;
  if (value.kind === "closure") return no;
  if (value.either !== undefined) return eitherState(value.either.map((one) => functionState(one, where, index)));
  if (value.kind !== "object") return unproven;
  const root = value.made?.root;
  if (root !== undefined) {
    if (root === "JdbcSink" && value.made?.calls.some(({ name }) => name === "exactlyOnceSink") === true) return yes("the transactions it has prepared");
    if (statefulFunctions.has(root) || statefulSourceBuilders.has(root)) return yes(whatOf(root));
    return statelessFunctions.has(root) ? no : unproven;
  }
  if (value.cls !== undefined) return classState(value.cls, where, index);
  const name = value.type?.name ?? "";
  if (statefulFunctions.has(name)) return yes(whatOf(name));
  return statelessFunctions.has(name) ? no : unproven;
}

function classState(known: KnownClass, where: Where, index: WorkspaceIndex): StateProof {
  const { classes, outside } = index.hierarchy(known);
  const above = outside.map(({ type }) => type.name);
  const declared = classes.find(({ cls }) => cls.features.stateAt !== undefined);
  const at = declared === undefined ? undefined : placeOfState(declared);
  if (above.some((name) => alwaysStateful.has(name))) return yes("operator state", at);
  if (above.some((name) => checkpointed.has(name))) {
    if (above.includes("ListCheckpointed") || classes.some(({ cls }) => cls.features.operatorState)) return yes("operator state", at);
    if (classes.every(({ cls }) => !cls.features.keyedState && !cls.features.operatorState) && classes.some(({ cls }) => cls.features.emptyInitialize)) return no;
    return yes("operator state", at);
  }
  if (where === "keyed" && classes.some(({ cls }) => cls.features.keyedState) && above.some((name) => /^Rich|ProcessFunction$/.test(name))) return yes("keyed state", at);
  const allKnown = outside.every(({ type, file }) => index.isFlinkType(type, file) || type.name === "Serializable" || type.written.startsWith("java."));
  return allKnown ? no : unproven;
}

/** One of several, as the configuration has it: with state when one of them has, since that one loses it. */
function eitherState(states: readonly StateProof[]): StateProof {
  return states.find(({ state }) => state === "yes") ?? (states.every(({ state }) => state === "no") ? no : unproven);
}

/** Whether a sink for `sinkTo` keeps state, by its class. */
export function sinkState(value: Value | undefined, index: WorkspaceIndex): StateProof {
  if (value?.either !== undefined) return eitherState(value.either.map((one) => sinkState(one, index)));
  if (value?.kind !== "object") return unproven;
  const root = value.made?.root ?? (value.cls === undefined ? value.type?.name : undefined);
  if (root !== undefined) {
    if (statefulSinks.has(root)) return yes(root === "KafkaSink" ? "its transactions" : root === "FileSink" ? "its open files" : "what it has not yet written");
    return statelessSinkClasses.has(root) ? no : unproven;
  }
  if (value.cls === undefined) return unproven;
  const { classes, outside } = index.hierarchy(value.cls);
  if (outside.some(({ type }) => statefulSinkInterfaces.has(type.name) || statefulSinks.has(type.name))) return yes("what it has not yet written", undefined);
  if (classes.some(({ cls }) => cls.functions.some(({ name }) => name === "createCommitter" || name === "restoreWriter"))) return yes("what it has not yet committed", undefined);
  return outside.every(({ type, file }) => index.isFlinkType(type, file)) && outside.some(({ type }) => type.name === "Sink") ? no : unproven;
}

/** Whether the value is a function that only a keyed stream takes, or a broadcast one, or windows, or an interval join: then the stream is what the function needs. */
export function functionNeeds(value: Value | undefined, index: WorkspaceIndex): "keyed" | "broadcast" | "windows" | "interval" | undefined {
  if (value?.kind !== "object") return undefined;
  const names = value.cls === undefined ? [value.type?.name ?? ""] : [...index.hierarchy(value.cls).outside.map(({ type }) => type.name)];
  if (names.some((name) => keyedFunctions.has(name))) return names.some((name) => name === "KeyedBroadcastProcessFunction") ? "broadcast" : "keyed";
  if (names.some((name) => windowFunctions.has(name))) return "windows";
  if (names.includes("ProcessJoinFunction")) return "interval";
  return names.includes("BroadcastProcessFunction") ? "broadcast" : undefined;
}

/** Whether a `ProcessFunction` of DataStream V2 declares states. */
export function declaresStates(value: Value | undefined): StateProof {
  if (value?.kind === "closure") return no;
  if (value?.cls === undefined) return unproven;
  return value.cls.cls.functions.some(({ name }) => name === "usesStates") ? yes("the state it declares", undefined) : no;
}

function placeOfState({ cls, file }: KnownClass): Place | undefined {
  const { stateAt } = cls.features;
  if (stateAt === undefined || cls.base === -1) return undefined;
  return new PlaceOfState(file, cls);
}

function whatOf(name: string): string {
  return /Consumer|Source/.test(name) ? "its position in the source" : "what it has not yet committed";
}

function yes(what: string, at?: Place): StateProof {
  return { state: "yes", what, at };
}

/** Where a class declares its state, wherever the class stands by now. */
class PlaceOfState implements Place {
  readonly file: FileModel;
  readonly #cls: ClassModel;

  constructor(file: FileModel, cls: ClassModel) {
    this.file = file;
    this.#cls = cls;
  }

  get start(): number {
    const { base, span, features } = this.#cls;
    return base + span.start + (features.stateAt ?? 0);
  }

  get end(): number {
    return this.start + 1;
  }
}
