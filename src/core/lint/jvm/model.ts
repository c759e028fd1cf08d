import type { Suppression } from "../suppression";

/**
 * What the three JVM languages have in common, as far as a stream's way through a program goes. A front end (`javaReader`, `kotlinReader`,
 * `scalaReader`) makes it from a syntax tree, `evaluator` follows the values. It is plain data without nodes, so it outlives the tree.
 */

/** A type as it is written, erased of its package: `DataStream<String>` has the name `DataStream` and one argument. A function type is `=>` with its parameters and its result. */
export interface TypeName {
  readonly name: string;
  /** With the package or outer class when it was written so. */
  readonly written: string;
  readonly args: readonly TypeName[];
}

/** Offsets in UTF-16 units, counted from the start of the enclosing member, so that a body is the same data wherever it moves. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A call, also one written without parentheses or as an infix. */
export interface Call extends Span {
  readonly kind: "call";
  readonly receiver: Expr | undefined;
  readonly name: string;
  readonly nameSpan: Span;
  readonly args: readonly Expr[];
  readonly typeArgs: readonly TypeName[];
  /** Written without an argument list, as a field would be. */
  readonly bare: boolean;
  /** How the call is written, for insertions behind it: `.name(…)` or an infix. */
  readonly infix: boolean;
}

/** `new X(…)`, also with a body of its own. */
export interface New extends Span {
  readonly kind: "new";
  readonly type: TypeName;
  readonly args: readonly Expr[];
  /** The body of an anonymous class. */
  readonly body: ClassModel | undefined;
}

/** A function without a name. `body` is an expression or a block. */
export interface Lambda extends Span {
  readonly kind: "lambda";
  readonly params: readonly Param[];
  readonly body: Expr;
}

/** An expression or a statement; the difference matters to none of the rules. */
export type Expr =
  | Call
  | New
  | Lambda
  | (Span & { readonly kind: "name"; readonly name: string })
  | (Span & { readonly kind: "this" })
  | (Span & { readonly kind: "methodRef"; readonly object: Expr | undefined; readonly name: string })
  /** A text; `value` is absent when it is put together from `parts`. */
  | (Span & { readonly kind: "text"; readonly value: string | undefined; readonly parts: readonly Expr[] })
  | (Span & { readonly kind: "null" })
  | (Span & { readonly kind: "number"; readonly value: string })
  | (Span & { readonly kind: "binary"; readonly operator: string; readonly parts: readonly Expr[] })
  /** One of several; a loop may run not at all. */
  | (Span & { readonly kind: "choice"; readonly branches: readonly Expr[]; readonly loop: boolean })
  | (Span & { readonly kind: "cast"; readonly type: TypeName; readonly value: Expr })
  | (Span & { readonly kind: "block"; readonly body: readonly Expr[] })
  | (Span & { readonly kind: "let"; readonly name: string; readonly type: TypeName | undefined; readonly value: Expr | undefined; readonly element: boolean; readonly changes: boolean })
  | (Span & { readonly kind: "assign"; readonly target: Expr; readonly value: Expr })
  | (Span & { readonly kind: "return"; readonly value: Expr | undefined })
  | (Span & { readonly kind: "function"; readonly fun: FunctionModel })
  | (Span & { readonly kind: "class"; readonly cls: ClassModel })
  /** Anything else: its parts happen, its value is unknown. */
  | (Span & { readonly kind: "other"; readonly parts: readonly Expr[] })
  /** Holds a syntax error, so nothing about it is certain. */
  | (Span & { readonly kind: "broken"; readonly value: Expr | undefined });

/** A parameter; `initial` is what it is when no argument is given. */
export interface Param {
  readonly name: string;
  readonly type: TypeName | undefined;
  readonly initial: Expr | undefined;
  /** Takes any number of arguments; the type is an array's. */
  readonly many?: true;
}

/** A function, a constructor (`<init>`), or an initialiser (no name). */
export interface FunctionModel {
  readonly name: string;
  readonly params: readonly Param[];
  /** The receiver of an extension function. */
  readonly receiver: Param | undefined;
  readonly returns: TypeName | undefined;
  /** Absent when there is none, or when nothing in it can matter. */
  readonly body: Expr | undefined;
  /** Whether there is a body, read or not. */
  readonly hasBody: boolean;
  /** Left out of it because it runs for each record. */
  readonly skimmed: boolean;
  /** Its body has words that only code around streams has. */
  readonly builds: boolean;
  /** Names that its body calls; empty when the body was not read. */
  readonly calls: readonly string[];
  /** Where offsets of the body count from, in the file; -1 inside of another body, which has the same. */
  base: number;
  readonly span: Span;
  /** Rules an annotation suppresses here. */
  readonly suppressed: readonly string[];
}

/** A field, a property, or a value outside of classes. */
export interface FieldModel {
  readonly name: string;
  readonly type: TypeName | undefined;
  readonly value: Expr | undefined;
  base: number;
}

/** A class, an object, an interface, an enum, or the body of an anonymous class (no name). */
export interface ClassModel {
  readonly name: string;
  readonly kind: "class" | "object" | "interface" | "enum" | "anonymous";
  readonly supers: readonly TypeName[];
  /** Parameters of the primary constructor, which are fields too. */
  readonly params: readonly Param[];
  readonly fields: readonly FieldModel[];
  readonly functions: readonly FunctionModel[];
  /** Statements of initialisers and of the class body. */
  readonly initial: readonly FunctionModel[];
  readonly classes: readonly ClassModel[];
  readonly constants: readonly { readonly name: string; readonly args: readonly Expr[] }[];
  readonly features: ClassFeatures;
  readonly suppressed: readonly string[];
  base: number;
  readonly span: Span;
}

/** What the text of a class tells of the state it keeps. */
export interface ClassFeatures {
  /** Asks for keyed state or holds a descriptor. */
  readonly keyedState: boolean;
  /** Asks for operator state. */
  readonly operatorState: boolean;
  /** `initializeState` has nothing in it. */
  readonly emptyInitialize: boolean;
  /** Offset of the state's declaration, from the start of the class. */
  readonly stateAt: number | undefined;
}

/** Members and classes by the offset of their first character, for taking over what an edit leaves alone. */
export interface ReadNodes {
  readonly members: ReadonlyMap<number, FunctionModel>;
  /** `inside` are the members and classes of each, by their offset from its start. */
  readonly classes: ReadonlyMap<number, { readonly cls: ClassModel; readonly inside: readonly number[] }>;
}

/** A file as the analysis keeps it. */
export interface FileModel {
  readonly path: string;
  readonly language: "java" | "kotlin" | "scala";
  readonly packageName: string;
  /** Simple name to full name. */
  readonly imports: ReadonlyMap<string, string>;
  /** Packages or classes of which everything is imported. */
  readonly wildcards: readonly string[];
  readonly classes: readonly ClassModel[];
  readonly functions: readonly FunctionModel[];
  readonly fields: readonly FieldModel[];
  readonly initial: readonly FunctionModel[];
  /** Offset of each line's first character. */
  readonly lineStarts: readonly number[];
  /** Names that are called anywhere in the file, for finding callers. */
  readonly called: ReadonlySet<string>;
  readonly suppressions: readonly Suppression[];
  /** Absent for a file that is not open in an editor. */
  readonly nodes: ReadNodes | undefined;
}
