import { isTestPath } from "../paths";
import { connectors, kindOfType } from "./flinkNames";
import type { ClassModel, FileModel, FunctionModel, TypeName } from "./model";
import type { KnownClass, KnownFunction, Value } from "./values";

/** Methods that stand in for one, and classes below one, that are followed, at most. */
const overridingLimit = 8;
const classLimit = 60;

/** Finds the classes and functions of a workspace by the names a file has for them. It follows the files as they change. */
export class WorkspaceIndex {
  readonly #files = new Map<string, FileModel>();
  readonly #classes = new Map<string, KnownClass[]>();
  readonly #extensions = new Map<string, KnownFunction[]>();
  readonly #topLevel = new Map<string, KnownFunction[]>();
  readonly #callers = new Map<string, Set<FileModel>>();
  /** Classes by the names they have for what they extend. */
  readonly #below = new Map<string, KnownClass[]>();
  /** How many functions and classes of a name build streams. */
  readonly #builders = new Map<string, number>();
  /** What each file was counted with. */
  readonly #counted = new Map<FileModel, { readonly builders: readonly string[]; readonly called: ReadonlySet<string> }>();
  readonly #flink = new WeakMap<FileModel, boolean>();

  /** What is known of values by the types they are declared with, until a file changes. */
  values = new WeakMap<TypeName, Value>();
  #hierarchies = new Map<ClassModel, Hierarchy>();
  #overriding = new Map<FunctionModel, readonly KnownFunction[]>();
  /** Grows when anything may have another answer than before but `callers` and `mattersAlone`; what bodies hold does not count. */
  shapes = 0;

  /** Takes in what changed since the last time. A file that is the same object has at most other bodies. */
  update(files: ReadonlyMap<string, FileModel>): void {
    const gone = [...this.#files].filter(([path, file]) => files.get(path) !== file);
    const come = [...files].filter(([path, file]) => this.#files.get(path) !== file);
    for (const [file, { called }] of this.#counted) if (file.called !== called) this.#recount(file);
    if (gone.length === 0 && come.length === 0) return;
    this.shapes++;
    this.#hierarchies = new Map();
    this.#overriding = new Map();
    this.values = new WeakMap();
    for (const [path, file] of gone) this.#remove(path, file);
    for (const [path, file] of come) this.#put(path, file);
  }

  #put(path: string, file: FileModel): void {
    this.#files.set(path, file);
    this.#recount(file);
    for (const cls of file.classes) this.#add({ cls, file, outer: undefined });
    for (const fun of file.functions) {
      push(this.#topLevel, fun.name, { fun, file, owner: undefined });
      if (fun.receiver !== undefined) push(this.#extensions, fun.name, { fun, file, owner: undefined });
    }
  }

  #remove(path: string, file: FileModel): void {
    this.#files.delete(path);
    this.#uncount(file, new Set());
    const drop = <T extends { readonly file: FileModel }>(map: Map<string, T[]>, name: string): void => {
      const rest = (map.get(name) ?? []).filter((entry) => entry.file !== file);
      if (rest.length === 0) map.delete(name);
      else map.set(name, rest);
    };
    for (const { cls } of classesOf(file)) {
      drop(this.#classes, cls.name);
      for (const type of cls.supers) drop(this.#below, unaliased(type, file).name);
      for (const fun of cls.functions) if (fun.receiver !== undefined || hasImplicitParam(file, cls)) drop(this.#extensions, fun.name);
    }
    for (const { name } of file.functions) {
      drop(this.#topLevel, name);
      drop(this.#extensions, name);
    }
  }

  /** Counts what the bodies of a file call and build. */
  #recount(file: FileModel): void {
    this.#uncount(file, file.called);
    const builders = buildersIn(file);
    for (const name of builders) this.#builders.set(name, (this.#builders.get(name) ?? 0) + 1);
    for (const name of file.called) {
      const callers = this.#callers.get(name);
      if (callers === undefined) this.#callers.set(name, new Set([file]));
      else callers.add(file);
    }
    this.#counted.set(file, { builders, called: file.called });
  }

  #uncount(file: FileModel, still: ReadonlySet<string>): void {
    const before = this.#counted.get(file);
    if (before === undefined) return;
    this.#counted.delete(file);
    for (const name of before.builders) this.#builders.set(name, (this.#builders.get(name) ?? 0) - 1);
    for (const name of before.called) if (!still.has(name)) this.#callers.get(name)?.delete(file);
  }

  /** Whether anything can come of following a function by itself, and not only where it is called: it builds streams, or hands something to what does. */
  mattersAlone({ builds, calls }: FunctionModel): boolean {
    return builds || calls.some((name) => (this.#builders.get(name) ?? 0) > 0);
  }

  #add(known: KnownClass): void {
    push(this.#classes, known.cls.name, known);
    for (const type of known.cls.supers) push(this.#below, unaliased(type, known.file).name, known);
    const implicit = hasImplicitParam(known.file, known.cls);
    for (const fun of known.cls.functions) if (fun.receiver !== undefined || implicit) push(this.#extensions, fun.name, { fun, file: known.file, owner: known });
    for (const cls of known.cls.classes) this.#add({ cls, file: known.file, outer: known });
  }

  /** The class a file means by a name, or undefined when it is not in the workspace, or nobody knows which one is meant. */
  classOf(type: TypeName | undefined, from: FileModel, inside: KnownClass | undefined): KnownClass | undefined {
    if (type === undefined || type.name === "") return undefined;
    const imported = from.imports.get(type.name);
    const simple = imported?.slice(imported.lastIndexOf(".") + 1) ?? type.name;
    const all = this.#classes.get(simple);
    if (all === undefined) return undefined;
    for (let outer = inside; outer !== undefined; outer = outer.outer) {
      const nested = all.filter((known) => known.outer?.cls === outer?.cls);
      if (nested[0] !== undefined) return nested[0];
    }
    const full = imported ?? (type.written.includes(".") ? type.written : undefined);
    if (full !== undefined) {
      const named = all.filter((known) => nameOf(known) === full || nameOf(known).endsWith(`.${full}`) || (imported === undefined && type.written.endsWith(`${known.outer?.cls.name ?? ""}.${simple}`)));
      return nearest(named, from) ?? (imported === undefined ? undefined : flinkName(full) ? undefined : nearest(all.filter((known) => full.endsWith(`.${known.cls.name}`) && known.file.packageName !== "" && full.startsWith(known.file.packageName)), from));
    }
    const here = all.filter((known) => known.file === from);
    if (here[0] !== undefined) return here[0];
    const beside = all.filter((known) => known.outer === undefined && known.file.packageName === from.packageName);
    const found = nearest(beside, from);
    if (found !== undefined) return found;
    const wild = all.filter((known) => from.wildcards.some((prefix) => nameOf(known) === `${prefix}.${simple}` || nameOf(known).endsWith(`.${prefix}.${simple}`)));
    return nearest(wild, from);
  }

  /** The class and everything above it that is in the workspace, itself first; and the names above that are not. */
  hierarchy(known: KnownClass): Hierarchy {
    let found = this.#hierarchies.get(known.cls);
    if (found === undefined) this.#hierarchies.set(known.cls, (found = this.#hierarchyOf(known)));
    return found;
  }

  #hierarchyOf(known: KnownClass): Hierarchy {
    const classes: KnownClass[] = [known];
    const outside: { type: TypeName; file: FileModel }[] = [];
    for (let at = 0; at < classes.length && classes.length < 100; at++) {
      const current = classes[at];
      if (current === undefined) break;
      for (const type of current.cls.supers) {
        const above = this.classOf(type, current.file, current);
        if (above === undefined || above.cls === current.cls) outside.push({ type: unaliased(type, current.file), file: current.file });
        else if (!classes.some(({ cls }) => cls === above.cls)) classes.push(above);
      }
    }
    return { classes, outside };
  }

  /** A method of the class or of those above it. */
  method(known: KnownClass, name: string, count: number): KnownFunction | undefined {
    for (const owner of this.hierarchy(known).classes) {
      const fun = best(methodsOf(owner.cls).get(name) ?? [], count);
      if (fun !== undefined) return { fun, file: owner.file, owner };
    }
    return undefined;
  }

  /** Methods with a body that stand in for a method in classes below its own; none when they are too many to follow. */
  overriding({ fun, owner }: KnownFunction): readonly KnownFunction[] {
    if (owner === undefined || fun.name === "<init>" || fun.receiver !== undefined) return [];
    let found = this.#overriding.get(fun);
    if (found === undefined) this.#overriding.set(fun, (found = this.#overridingIn(owner, fun)));
    return found;
  }

  #overridingIn(top: KnownClass, { name, params }: FunctionModel): readonly KnownFunction[] {
    const classes: KnownClass[] = [top];
    const found: KnownFunction[] = [];
    for (let at = 0; at < classes.length; at++) {
      const above = classes[at];
      for (const below of (above === undefined ? undefined : this.#below.get(above.cls.name)) ?? []) {
        if (isTestPath(below.file.path) || classes.some(({ cls }) => cls === below.cls) || !below.cls.supers.some((type) => this.classOf(type, below.file, below)?.cls === above?.cls)) continue;
        classes.push(below);
        const fun = methodsOf(below.cls).get(name)?.find((candidate) => candidate.params.length === params.length && candidate.hasBody);
        if (fun !== undefined) found.push({ fun, file: below.file, owner: below });
        if (found.length > overridingLimit || classes.length > classLimit) return [];
      }
    }
    return found;
  }

  /** An extension function of a name that fits a value of a kind: of several one for that kind, else one for any stream. */
  extension(name: string, from: FileModel, kind: Value["kind"]): KnownFunction | undefined {
    const all = this.#extensions.get(name) ?? [];
    const extending = (wanted: Value["kind"]): readonly KnownFunction[] => all.filter((known) => extendedKind(known) === wanted);
    const fitting = all.length === 1 ? all : [extending(kind), extending("stream")].find(({ length }) => length > 0);
    return nearest(fitting ?? all, from);
  }

  /** A function outside of classes. */
  topLevel(name: string, from: FileModel, count: number): KnownFunction | undefined {
    const imported = from.imports.get(name);
    const simple = imported?.slice(imported.lastIndexOf(".") + 1) ?? name;
    const fits = (this.#topLevel.get(simple) ?? []).filter(({ file, fun }) => fun.receiver === undefined && (file === from || file.packageName === from.packageName || imported === `${file.packageName}.${simple}` || from.wildcards.includes(file.packageName)));
    const found = nearest(fits, from);
    if (found === undefined) return undefined;
    const fun = best(found.file.functions.filter((candidate) => candidate.name === simple && candidate.receiver === undefined), count) ?? found.fun;
    return { ...found, fun };
  }

  /** Files in which something of that name is called. */
  callers(name: string): readonly FileModel[] {
    return [...(this.#callers.get(name) ?? [])];
  }

  /** Whether a class name of that file is Flink's: imported from it by name, or by a wildcard, or written in full. */
  isFlinkType(type: TypeName, file: FileModel): boolean {
    if (type.written.includes(".")) return flinkName(type.written) || (file.imports.has(type.written.split(".")[0] ?? "") && flinkName(file.imports.get(type.written.split(".")[0] ?? "") ?? ""));
    const imported = file.imports.get(type.name);
    if (imported !== undefined) return flinkName(imported);
    return this.#classes.get(type.name) === undefined ? file.wildcards.some(flinkName) || (file.language !== "java" && flinkName(file.packageName)) || flinkName(file.packageName) : this.classOf(type, file, undefined) === undefined && file.wildcards.some(flinkName);
  }

  /** Whether the file imports Flink at all. */
  importsFlink(file: FileModel): boolean {
    let known = this.#flink.get(file);
    if (known === undefined) this.#flink.set(file, (known = [...file.imports.values(), ...file.wildcards, file.packageName].some(flinkName)));
    return known;
  }
}

/** A type by its own name, where the file imports it by another (`{DataStream => JavaStream}`). */
export function unaliased(type: TypeName, file: FileModel): TypeName {
  const full = type.written.includes(".") ? undefined : file.imports.get(type.name);
  if (full === undefined || full.endsWith(`.${type.name}`)) return type;
  const name = full.slice(full.lastIndexOf(".") + 1);
  return flinkName(full) || connectors.has(name) ? { name, written: full, args: type.args } : type;
}

/** Whether a class of Scala has a stream as its one parameter, as implicit classes have: its methods are called on streams. */
function hasImplicitParam({ language }: FileModel, { params }: ClassModel): boolean {
  const [param] = params;
  return language === "scala" && params.length === 1 && param?.type !== undefined && kindOfType[param.type.name] !== undefined;
}

/** What an extension function is called on, or a method of an implicit class. */
function extendedKind({ fun, owner }: KnownFunction): Value["kind"] | undefined {
  const type = fun.receiver?.type ?? owner?.cls.params[0]?.type;
  return type === undefined ? undefined : kindOfType[type.name];
}

interface Hierarchy {
  readonly classes: readonly KnownClass[];
  readonly outside: readonly { readonly type: TypeName; readonly file: FileModel }[];
}

const methods = new WeakMap<ClassModel, Map<string, FunctionModel[]>>();

function methodsOf(cls: ClassModel): ReadonlyMap<string, readonly FunctionModel[]> {
  let table = methods.get(cls);
  if (table === undefined) {
    methods.set(cls, (table = new Map()));
    for (const fun of cls.functions) if (fun.receiver === undefined) push(table, fun.name, fun);
  }
  return table;
}

/** Whether a full name is one of Flink's or of its Scala APIs. */
export function flinkName(name: string): boolean {
  return /(?:^|\.)(?:flink|flinkx|pyflink)(?:\.|$)/.test(name) && /^(?:org\.apache\.flink|org\.apache\.flinkx|org\.flinkextended|io\.findify\.flink|_root_\.org\.apache\.flink)/.test(name);
}

/** Names of the functions and classes of a file that build streams, each as often as it does. */
function buildersIn(file: FileModel): string[] {
  const names = file.functions.filter(({ builds }) => builds).map(({ name }) => name);
  for (const { cls } of classesOf(file)) {
    const builders = cls.functions.filter(({ builds }) => builds);
    for (const { name } of builders) names.push(name);
    if (builders.length > 0 || cls.initial.some(({ builds }) => builds)) names.push(cls.name);
  }
  return names;
}

/** Package, outer classes and name. */
export function nameOf(known: KnownClass): string {
  const above = known.outer === undefined ? known.file.packageName : nameOf(known.outer);
  return above === "" ? known.cls.name : `${above}.${known.cls.name}`;
}

/** Of several things of one name the one whose file is closest in the tree of folders; none when two are equally close. */
function nearest<T extends { readonly file: FileModel }>(candidates: readonly T[], from: FileModel): T | undefined {
  if (candidates.length <= 1) return candidates[0];
  let best: T | undefined;
  let most = -1;
  for (const candidate of candidates) {
    const common = commonParts(candidate.file.path, from.path);
    if (common > most) {
      most = common;
      best = candidate;
    }
  }
  return best;
}

/** How many folders of two paths are the same, from the first on; one more when the paths are. */
function commonParts(a: string, b: string): number {
  let count = 0;
  let at = 0;
  while (at < a.length && a.charCodeAt(at) === b.charCodeAt(at)) if (a.charCodeAt(at++) === slash) count++;
  return at === a.length && at === b.length ? count + 1 : count;
}

const slash = 47;

/** Of overloads the one with that many parameters, else the only one. */
export function best(functions: readonly FunctionModel[], count: number): FunctionModel | undefined {
  return functions.find(({ params, hasBody }) => params.length === count && hasBody) ?? functions.find(({ params }) => params.length === count) ?? functions.find(({ params }) => params.filter(({ initial }) => initial === undefined).length <= count && count <= params.length) ?? (functions.length === 1 ? functions[0] : undefined);
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** Every class of a file, the nested ones too. */
export function classesOf(file: FileModel): KnownClass[] {
  const found: KnownClass[] = [];
  const visit = (cls: ClassModel, outer: KnownClass | undefined): void => {
    const known = { cls, file, outer };
    found.push(known);
    for (const inner of cls.classes) visit(inner, known);
  };
  for (const cls of file.classes) visit(cls, undefined);
  return found;
}
