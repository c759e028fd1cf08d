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
  readonly facts: readonly PythonFacts[];
  readonly importers: ReadonlyMap<string, readonly PythonFacts[]>;
  readonly callers: ReadonlySet<string>;
  /** Paths by the name of their module. */
  readonly byName: ReadonlyMap<string, readonly string[]>;
}

const indexes = new WeakMap<Files, Index>();

/** The files that may import the file, told by the name of its module; at most `limit`. */
export function importersOf(files: Files, path: string, limit: number): readonly PythonFacts[] {
  const name = moduleName(path);
  return (indexOf(files).importers.get(name) ?? []).filter((facts) => facts.path !== path).slice(0, limit);
}

/** Whether any file calls a function or method of that name. */
export function isCalledSomewhere(files: Files, name: string): boolean {
  return indexOf(files).callers.has(name);
}

function moduleName(path: string): string {
  return lastWord(path.replace(/\/__init__\.py$/, "").replace(/\.pyi?$/, "").replace(/\//g, "."));
}

/** Made anew only when a file came, went or changed. */
function indexOf(files: Files): Index {
  const before = indexes.get(files);
  if (before !== undefined && before.facts.length === files.size) {
    let at = 0;
    let same = true;
    for (const facts of files.values()) if (before.facts[at++] !== facts) same = false;
    if (same) return before;
  }
  const importers = new Map<string, PythonFacts[]>();
  const callers = new Set<string>();
  const byName = new Map<string, string[]>();
  const add = <T>(map: Map<string, T[]>, name: string, value: T): void => {
    const list = map.get(name);
    if (list === undefined) map.set(name, [value]);
    else list.push(value);
  };
  for (const facts of files.values()) {
    add(byName, moduleName(facts.path), facts.path);
    for (const name of facts.importedModules) add(importers, name, facts);
    for (const name of facts.calledNames) callers.add(name);
  }
  const index: Index = { facts: [...files.values()], importers, callers, byName };
  indexes.set(files, index);
  return index;
}
