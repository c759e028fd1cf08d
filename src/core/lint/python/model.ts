/**
 * What is kept of a Python file: its statements and expressions as plain data, as far as a stream's way through them goes. Offsets count
 * from the start of the chunk a node is in, so that a chunk is the same data wherever an edit elsewhere moves it.
 */

/** Offsets in UTF-16 units from the start of the chunk. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** An argument of a call; `name` of one given by name, `spread` for `*args` and `**kwargs`. */
export interface Argument {
  /** The keyword; undefined for a positional one. */
  readonly name: string | undefined;
  /** Written with `*` or `**`. */
  readonly spread: boolean;
  readonly value: Expr;
}

/** A call; `at` is the name called, `argsAt` the parentheses with what they hold. */
export interface CallExpr extends Span {
  readonly k: "call";
  readonly callee: Expr;
  readonly args: readonly Argument[];
  /** The method name, or the last word of the callee. */
  readonly at: Span;
  /** The arguments with their parentheses. */
  readonly argsAt: Span;
}

/** A string; `value` is absent when it is put together from `parts`. */
export interface TextExpr extends Span {
  readonly k: "text";
  /** The text itself; undefined when something is put into it (then `parts`). */
  readonly value: string | undefined;
  readonly parts: readonly Expr[];
}

/** A lambda. */
export interface LambdaExpr extends Span {
  readonly k: "lambda";
  readonly params: readonly Param[];
  readonly body: Expr;
}

/** An expression, as far as the rules ask. */
export type Expr =
  | { readonly k: "name"; readonly id: string }
  | { readonly k: "attr"; readonly of: Expr; readonly name: string }
  | CallExpr
  | TextExpr
  | LambdaExpr
  | { readonly k: "none" }
  | { readonly k: "number"; readonly value: string }
  | { readonly k: "bool"; readonly value: boolean }
  /** One of these; which one is not known. */
  | { readonly k: "either"; readonly of: readonly Expr[]; readonly tests: readonly Expr[] }
  | { readonly k: "list"; readonly items: readonly Expr[] }
  | { readonly k: "dict"; readonly keys: readonly (Expr | undefined)[]; readonly values: readonly Expr[] }
  | { readonly k: "index"; readonly of: Expr; readonly at: Expr }
  | { readonly k: "each"; readonly loops: readonly { readonly target: Expr; readonly over: Expr }[]; readonly body: Expr }
  | { readonly k: "walrus"; readonly id: string; readonly value: Expr }
  /** Anything put together from parts: arithmetic, comparisons. */
  | { readonly k: "mix"; readonly of: readonly Expr[] }
  /** Nothing can be told of it: too deep, or broken. */
  | { readonly k: "unknown" };

/** A parameter; `spread` is `*` or `**` before its name, else empty. */
export interface Param {
  readonly name: string;
  readonly annotation: string | undefined;
  readonly initial: Expr | undefined;
  readonly spread: "" | "*" | "**";
}

/** A function; `body` is absent when nothing in it can matter. */
export interface FunctionModel {
  readonly s: "function";
  readonly name: string;
  readonly params: readonly Param[];
  readonly returns: string | undefined;
  readonly decorators: readonly string[];
  /** Undefined when nothing in it can matter. */
  readonly body: Block | undefined;
}

/** A class with its members in order. */
export interface ClassModel {
  readonly s: "class";
  readonly name: string;
  /** As written, without type arguments. */
  readonly bases: readonly string[];
  readonly members: readonly Chunk[];
  /** Whether its text asks for keyed state or names a descriptor. */
  readonly asksForState: boolean;
  /** Where it does so first, from the start of the chunk. */
  readonly stateAt: Span | undefined;
  readonly descriptors: readonly Descriptor[];
}

/** `ValueStateDescriptor("name", type)`. */
export interface Descriptor {
  readonly kind: string;
  /** Undefined when it is no plain string; then `expression` is what stands there. */
  readonly name: string | undefined;
  readonly expression: string;
  /** The other arguments, without blanks. */
  readonly type: string;
  readonly at: Span;
  readonly nameAt: Span;
}

/** A name that is imported, and what it is called here. */
export interface ImportedName {
  readonly name: string;
  readonly as: string;
}

/** A statement; a function and a class are statements too. */
export type Statement =
  | FunctionModel
  | ClassModel
  /** `broken` when the statement holds a syntax error, or stands beside one. */
  | { readonly s: "expr"; readonly value: Expr; readonly broken: boolean }
  | { readonly s: "assign"; readonly targets: readonly Expr[]; readonly value: Expr | undefined; readonly annotation: string | undefined; readonly changes: boolean; readonly broken: boolean }
  | { readonly s: "return"; readonly value: Expr | undefined; readonly broken: boolean }
  /** Leaves the block: `raise`, `continue`, `break`, `sys.exit()`. */
  | { readonly s: "leave" }
  /** One of the branches; `exhaustive` when there is always one (an `else`). */
  | { readonly s: "branches"; readonly tests: readonly Expr[]; readonly of: readonly Block[]; readonly exhaustive: boolean; readonly start: number }
  | { readonly s: "loop"; readonly target: Expr | undefined; readonly over: Expr | undefined; readonly body: Block }
  | { readonly s: "with"; readonly items: readonly { readonly value: Expr; readonly target: Expr | undefined }[]; readonly body: Block }
  /** Blocks that follow each other: `try` and `finally`. */
  | { readonly s: "blocks"; readonly of: readonly Block[] }
  /** `module` as written, with its leading dots; undefined for `import module as alias`, then the names are modules. */
  | { readonly s: "import"; readonly module: string | undefined; readonly names: readonly ImportedName[] };

/** Statements in their order. */
export type Block = readonly Statement[];

/** A statement of a module or of a class body, taken over from edit to edit while these leave it alone. */
export interface Chunk {
  /** From the start of the enclosing chunk, or of the file. */
  readonly start: number;
  /** Stands in or beside a syntax error. */
  readonly broken: boolean;
  readonly statement: Statement;
}

/** A string given to a setting by its key, such as `set_string("pipeline.auto-generate-uids", "false")`. */
export interface SettingCall {
  readonly key: string;
  readonly value: string;
  readonly at: Span;
}

/** What `read` makes of a Python file. */
export interface PythonFacts {
  readonly path: string;
  readonly chunks: readonly Chunk[];
  /** Imports PyFlink itself. */
  readonly importsFlink: boolean;
  /** Last words of the modules it imports from; finds those who import a file. */
  readonly importedModules: readonly string[];
  /** Names of functions and methods it calls. */
  readonly calledNames: ReadonlySet<string>;
  readonly tooDeep: boolean;
}
