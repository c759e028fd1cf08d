import { builtins, isEnvName } from "./builtins";
import type { Statement } from "./model";
import { moduleFile, type Files } from "./modules";
import type { Scope, Value } from "./values";

/** What names mean is asked of those who run the code: the variables of a module of the workspace, an attribute of a value, an environment nobody made. */
export interface Runner {
  scopeOf(path: string): Scope;
  attribute(value: Value, name: string): Value;
  newEnv(scope: Scope): Value;
}

/** Finds what a name means in a scope, and what an import gives names to. */
export class Names {
  readonly #files: Files;
  readonly #runner: Runner;
  readonly #guessed = new Map<Scope, Value>();

  constructor(files: Files, runner: Runner) {
    this.#files = files;
    this.#runner = runner;
  }

  /** Gives names of a scope to what is imported. */
  import(statement: Statement & { s: "import" }, scope: Scope): void {
    const { module } = statement;
    for (const { name, as } of statement.names) {
      if (module === undefined) {
        const root = as === name ? name.split(".")[0] ?? name : name;
        scope.vars.set(as === name ? root : as, this.module(scope.path, root));
        continue;
      }
      const from = this.module(scope.path, module);
      if (name === "*") {
        if (from.t === "foreign") scope.wildcards.push(from.path);
        else if (from.t === "module") for (const [key, value] of this.#runner.scopeOf(from.path).vars) scope.vars.set(key, value);
        continue;
      }
      const value = from.t === "foreign" ? ({ t: "foreign", path: `${from.path}.${name}` } as const) : this.#runner.attribute(from, name);
      const inner = value.t === "unknown" ? this.module(scope.path, module.endsWith(".") ? `${module}${name}` : `${module}.${name}`) : value;
      scope.vars.set(as, inner);
    }
  }

  /** A module as a file names it: one of the workspace, or one from elsewhere. */
  module(from: string, name: string): Value {
    const path = name.startsWith("pyflink") ? undefined : moduleFile(this.#files, from, name);
    return path !== undefined && (path !== from || name.startsWith(".")) ? { t: "module", path, name } : { t: "foreign", path: name };
  }

  /** What a name is in a scope. */
  lookUp(scope: Scope, name: string): Value {
    for (let at: Scope | undefined = scope; at !== undefined; at = at.outer) {
      const value = at.vars.get(name);
      if (value !== undefined) return value;
      if (at.outer === undefined) {
        const wildcard = at.wildcards.find((path) => path.startsWith("pyflink"));
        if (wildcard !== undefined && /^[A-Z]/.test(name)) return { t: "foreign", path: `${wildcard}.${name}` };
        if (at.importsFlink && isEnvName(name)) return this.guessedEnv(at);
      }
    }
    return builtins.has(name) ? { t: "foreign", path: `builtins.${name}` } : { t: "unknown", name };
  }

  /** `env` in a file that imports PyFlink. One for each module. */
  guessedEnv(scope: Scope): Value {
    const before = this.#guessed.get(scope);
    if (before !== undefined) return before;
    const env = this.#runner.newEnv(scope);
    this.#guessed.set(scope, env);
    return env;
  }
}
