import type { Finding } from "./finding";
import type { LanguageId } from "./rules";
import type { GrammarName, SyntaxTree, Unchanged } from "./syntax";

/** A file to be analysed. */
export interface SourceFile {
  /** Separated by `/`; relative or absolute, but the same kind for all files of a workspace. */
  readonly path: string;
  readonly text: string;
}

/** Why a file was not analysed. It has no findings then. */
export type Skip = "too-large" | "too-slow" | "too-deep" | "not-text";

/** What the analyser of a language sees of the other files of the workspace. */
export interface Workspace<Facts> {
  /** The facts of all files of the family, the file's own included, by path. */
  readonly files: ReadonlyMap<string, Facts>;
  /** Grows with every change of `files`, so that an index can be kept until then. One `Workspace` object lives as long as its family's files. */
  readonly revision: number;
  /** A build or configuration file by path, such as `pom.xml`; of interest are the Flink version and options. */
  readonly buildFiles: ReadonlyMap<string, string>;
}

/** A file that is being edited: its facts before the edit and what of them is as it was; `before` is undefined when it was just opened. */
export interface Edited<Facts> {
  readonly before: { readonly facts: Facts; readonly unchanged: Unchanged } | undefined;
}

/**
 * The analysis of one language in two steps, so that each file is parsed once. First `read` makes facts of every file: plain data
 * without nodes, all that is needed later, small, since those of the whole workspace are kept. Then `findings` looks at one file with the
 * facts of all. Both are pure, never throw, and take time that grows no faster than the text.
 */
export interface LanguageAnalyser<Facts> {
  readonly language: LanguageId;
  /** Analysers of one family see the facts of each other's files, as Java, Kotlin and Scala do, and share their type. */
  readonly family: string;
  /** The grammar `read` needs; undefined when it needs no tree. */
  readonly grammar?: GrammarName;
  /** Whether the path is one of this language's (`.java`, `flink-conf.yaml`). */
  owns(path: string): boolean;
  /** Whether the text can matter at all, told without parsing; a text that can't is not read. */
  matters(text: string): boolean;
  /** The text as its grammar understands it, of the same length, where that has gaps. */
  masked?(text: string): string;
  /** Another form of a text in whose tree are errors, of the same length and with each token in its place, that the grammar may take better; undefined where none is known. */
  repaired?(text: string): string | undefined;
  /** Facts of a file; `edited` is given for one that is open in an editor, so that later edits cost as little as they change. */
  read(file: SourceFile, tree: SyntaxTree | undefined, edited?: Edited<Facts>): Facts;
  /** All findings of the file, unfiltered by severity settings, but without those suppressed by comments; sorted by position. */
  findings(file: SourceFile, facts: Facts, workspace: Workspace<Facts>): readonly Finding[];
}
