import { lastWord } from "./expressionReader";
import type { PythonFacts } from "./model";

/** The files of a workspace, to find modules in. */
export type Files = ReadonlyMap<string, PythonFacts>;

/**
 * The file of a module as a file imports it, or undefined. A dotted name is looked for in the folder of the importing file and in those
 * above it, also below a folder `src`; a name with leading dots counts from the importing file's package.
 */
export function moduleFile(files: Files, from: string, module: string): string | undefined {
  const dots = /^\.*/.exec(module)?.[0].length ?? 0;
  const rest = module.slice(dots).split(".").filter((part) => part !== "");
  let folder = parentOf(from);
  if (dots > 0) {
    for (let up = 1; up < dots; up++) folder = parentOf(folder);
    return fileIn(files, folder, rest);
  }
  for (;;) {
    const found = fileIn(files, folder, rest) ?? fileIn(files, joined(folder, "src"), rest);
    if (found !== undefined) return found;
    if (folder === "") return anywhere(files, rest);
    folder = parentOf(folder);
  }
}

/** The only file of the workspace whose path ends as the module is called; none when there are several. */
function anywhere(files: Files, parts: readonly string[]): string | undefined {
  if (parts.length < 2) return undefined;
  const ends = [`/${parts.join("/")}.py`, `/${parts.join("/")}/__init__.py`];
  const candidates = (indexOf(files).byName.get(parts.at(-1) ?? "") ?? []).filter((path) => ends.some((end) => path.endsWith(end)));
  return candidates.length === 1 ? candidates[0] : undefined;
}

function fileIn(files: Files, folder: string, parts: readonly string[]): string | undefined {
  const path = parts.reduce(joined, folder);
  return [`${path}.py`, joined(path, "__init__.py")].find((candidate) => files.has(candidate));
}

function parentOf(path: string): string {
  const at = path.lastIndexOf("/");
  return at === -1 ? "" : path.slice(0, at);
}

function joined(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

interface Index {
  /** In the order of the files. */
  readonly facts: PythonFacts[];
  /** Places among `facts` of those that import a module, in order, by the name of the module. */
  readonly importers: Map<string, number[]>;
  /** How many files call something, by its name. */
  readonly callers: Map<string, number>;
  /** Paths by the name of their module. */
  readonly byName: Map<string, string[]>;
}

const indexes = new WeakMap<Files, Index>();

/** The files that may import the file, told by the name of its module; at most `limit`. */
export function importersOf(files: Files, path: string, limit: number): readonly PythonFacts[] {
  const { facts, importers } = indexOf(files);
  return (importers.get(moduleName(path)) ?? []).flatMap((at) => facts[at] ?? []).filter((one) => one.path !== path).slice(0, limit);
}

/** Whether any file calls a function or method of that name. */
export function isCalledSomewhere(files: Files, name: string): boolean {
  return (indexOf(files).callers.get(name) ?? 0) > 0;
}

function moduleName(path: string): string {
  return lastWord(path.replace(/\/__init__\.py$/, "").replace(/\.pyi?$/, "").replace(/\//g, "."));
}

/** Made anew only when a file came or went; of one that changed, what it imports and calls is looked at again. */
function indexOf(files: Files): Index {
  const known = indexes.get(files);
  if (known?.facts.length === files.size) {
    const changed: { readonly at: number; readonly now: PythonFacts }[] = [];
    let at = 0;
    let samePaths = true;
    for (const now of files.values()) {
      const before = known.facts[at];
      if (before !== now) {
        changed.push({ at, now });
        if (before?.path !== now.path) samePaths = false;
      }
      at++;
    }
    if (samePaths) {
      for (const { at: place, now } of changed) replace(known, place, now);
      return known;
    }
  }
  const index: Index = { facts: [], importers: new Map(), callers: new Map(), byName: new Map() };
  for (const facts of files.values()) {
    const at = index.facts.push(facts) - 1;
    const name = moduleName(facts.path);
    const paths = index.byName.get(name);
    if (paths === undefined) index.byName.set(name, [facts.path]);
    else paths.push(facts.path);
    for (const module of facts.importedModules) importsAt(index, module, at);
    for (const called of facts.calledNames) index.callers.set(called, (index.callers.get(called) ?? 0) + 1);
  }
  indexes.set(files, index);
  return index;
}

/** Takes in what a file became. */
function replace(index: Index, at: number, now: PythonFacts): void {
  const before = index.facts[at];
  index.facts[at] = now;
  if (before === undefined) return;
  const { importers, callers } = index;
  for (const module of before.importedModules) if (!now.importedModules.includes(module)) importers.set(module, (importers.get(module) ?? []).filter((one) => one !== at));
  for (const module of now.importedModules) if (!before.importedModules.includes(module)) importsAt(index, module, at);
  for (const name of before.calledNames) if (!now.calledNames.has(name)) callers.set(name, (callers.get(name) ?? 1) - 1);
  for (const name of now.calledNames) if (!before.calledNames.has(name)) callers.set(name, (callers.get(name) ?? 0) + 1);
}

function importsAt({ importers }: Index, module: string, at: number): void {
  const all = importers.get(module);
  if (all === undefined) importers.set(module, [at]);
  else if ((all.at(-1) ?? -1) < at) all.push(at);
  else all.splice(all.findIndex((one) => one > at), 0, at);
}
