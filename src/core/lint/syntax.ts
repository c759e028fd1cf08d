import type { TextEdit } from "./finding";

/**
 * A node of a syntax tree, as much of it as an analyser needs, so that core needs no parser. It dies with its tree: nothing that outlives the
 * analysis of a file may hold one.
 */
export interface SyntaxNode {
  /** The same for the same node, and no other of the tree has it. */
  readonly id: number;
  readonly type: string;
  readonly isNamed: boolean;
  readonly isError: boolean;
  readonly hasError: boolean;
  /** UTF-16 units from the start of the text. */
  readonly startIndex: number;
  readonly endIndex: number;
  /** UTF-16 units from the start of its line. */
  readonly column: number;
  readonly children: readonly SyntaxNode[];
  readonly namedChildren: readonly SyntaxNode[];
  childForFieldName(name: string): SyntaxNode | null;
}

/** A parsed text. Whoever parsed it frees it. */
export interface SyntaxTree {
  readonly rootNode: SyntaxNode;
}

/** The grammars that are shipped. */
export type GrammarName = "java" | "kotlin" | "scala" | "python";

/** What an edit left alone: every node that ends before `before`, and every one that starts behind `behind`, which was `by` characters further up. Offsets are of the new text. */
export interface Unchanged {
  readonly before: number;
  readonly behind: number;
  readonly by: number;
}

/** A document that is parsed again after each edit, as fast as its change is small. */
export interface SyntaxDocument {
  readonly tree: SyntaxTree;
  readonly text: string;
  /** Applies the edits one after the other, each to the text its predecessor left. The tree is a new one afterwards. Throws `SyntaxTimeout` as `Syntax.parse` does. */
  edit(edits: readonly TextEdit[]): Unchanged;
  /** Frees the tree. */
  dispose(): void;
}

/** The parser, already loaded. */
export interface Syntax {
  /** Parses and hands the tree to `use`, then frees it. Throws `SyntaxTimeout` when parsing takes longer than the limit. */
  parse<T>(grammar: GrammarName, text: string, use: (tree: SyntaxTree) => T): T;
  /** Opens a document for edits. Throws `SyntaxTimeout` likewise. */
  open(grammar: GrammarName, text: string): SyntaxDocument;
}

/** Parsing took longer than its limit. */
export class SyntaxTimeout extends Error {}
