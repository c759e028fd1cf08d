import { analysers } from "./analysers";
import { isBuildFile } from "./fileNames";
import type { Finding, TextEdit } from "./finding";
import { uidsIn } from "./fixes";
import type { LanguageAnalyser, Skip, SourceFile } from "./language";
import { SyntaxTimeout, type GrammarName, type Syntax, type SyntaxDocument, type SyntaxNode, type Unchanged } from "./syntax";

/** A text longer than this is left out, in UTF-16 units. */
const textLimit = 8_000_000;
/** In an open text, another form of it is tried from this much on that the parser can make nothing of, in UTF-16 units. */
const repairFrom = 200;

interface Entry {
  readonly analyser: LanguageAnalyser<unknown>;
  /** Without a text where only facts are kept. */
  source: Pick<SourceFile, "path"> & Partial<SourceFile>;
  facts: unknown;
  document: SyntaxDocument | undefined;
  /** How the document's text is made of the file's. */
  mask: Mask;
  /** Whether that is another form of it than its grammar takes first. */
  repaired: boolean;
  skip: Skip | undefined;
  /** Uids that it sets by name, once they were asked for. */
  uids?: readonly string[];
}

type Mask = (text: string) => string;

interface Family {
  readonly files: Map<string, unknown>;
  revision: number;
  readonly buildFiles: ReadonlyMap<string, string>;
}

/** Whether the lint has anything to do with a path. */
export function isLintable(path: string): boolean {
  return isBuildFile(path) || analysers.some((analyser) => analyser.owns(path));
}

/** The grammars that files of these paths need. */
export function grammarsFor(paths: readonly string[]): readonly GrammarName[] {
  return [...new Set(paths.flatMap((path) => analyserOf(path)?.grammar ?? []))];
}

/** The family of the analyser that owns a path, undefined for none: files tell nothing of those of another family. */
export function familyOf(path: string): string | undefined {
  return analyserOf(path)?.family;
}

/**
 * The files of a workspace and what the lint knows of them. A file is put in with its text; one that is open in an editor is edited, which
 * parses and reads only what changed. Findings are computed when they are asked for. Memory: facts of every file that matters, trees and texts of
 * open documents, and texts of the other files until they are settled.
 */
export class LintWorkspace {
  readonly #syntax: Syntax;
  readonly #entries = new Map<string, Entry>();
  readonly #buildFiles = new Map<string, string>();
  readonly #families = new Map<string, Family>();

  constructor(syntax: Syntax) {
    this.#syntax = syntax;
  }

  /** Paths of all files that are in, sorted. */
  get paths(): readonly string[] {
    return [...this.#entries.keys()].sort();
  }

  /**
   * Puts a file in, or replaces it. Resolves to why it was left out, or undefined. `known` are its facts where they are known already: what `facts`
   * told of the same text under the same path, in this build.
   */
  put(path: string, text: string, known?: unknown): Skip | undefined {
    if (isBuildFile(path)) this.#buildFiles.set(path, text);
    const analyser = analyserOf(path);
    if (analyser === undefined) return undefined;
    const before = this.#entries.get(path);
    if (before?.facts !== undefined && before.document === undefined && before.skip === undefined && before.source.text === text) return undefined;
    this.remove(path);
    const source = { path, text };
    const entry: Entry = { analyser, source, facts: undefined, document: undefined, mask: asItIs, repaired: false, skip: skipOf(text) };
    if (entry.skip !== undefined) {
      this.#entries.set(path, { ...entry, source: { path, text: "" } });
      return entry.skip;
    }
    if (!analyser.matters(text)) return undefined;
    this.#entries.set(path, entry);
    try {
      const { grammar } = analyser;
      entry.facts = known !== undefined ? known : grammar === undefined ? analyser.read(source, undefined) : this.#read(grammar, analyser, source);
      this.#keep(path, entry);
    } catch (error) {
      if (!(error instanceof SyntaxTimeout)) throw error;
      entry.skip = "too-slow";
    }
    return entry.skip;
  }

  /** What was read of a file, undefined for one that was left out; as `adopt` takes it, also in another thread. */
  facts(path: string): unknown {
    const entry = this.#entries.get(path);
    return entry?.skip === undefined ? entry?.facts : undefined;
  }

  /** Lets go of the text of a file that was put in; from now on findings are told of it with its text. `facts` are what was read of it, in the form they are kept in. */
  settle(path: string, facts: unknown): void {
    const entry = this.#entries.get(path);
    if (entry === undefined || entry.document !== undefined || entry.skip !== undefined) return;
    entry.uids = entry.source.text === undefined ? [] : uidsIn(entry.source.text);
    entry.source = { path };
    if (entry.facts === facts) return;
    entry.facts = facts;
    this.#keep(path, entry);
  }

  /** Takes in what another workspace read of a file, for what it tells of others; it has no findings here. */
  adopt(path: string, facts: unknown): void {
    const analyser = analyserOf(path);
    if (analyser === undefined) return;
    const family = this.#familyOf(analyser);
    family.files.set(path, facts);
    family.revision++;
  }

  /** Takes in a build file that another workspace read, for the release of Flink it tells; it has no findings here. */
  adoptBuildFile(path: string, text: string): void {
    this.#buildFiles.set(path, text);
  }

  /** Puts the files in the order of their paths, since the first of several that fit equally well counts. */
  sort(): void {
    for (const family of this.#families.values()) {
      const sorted = [...family.files].sort(([a], [b]) => (a < b ? -1 : 1));
      family.files.clear();
      for (const [path, facts] of sorted) family.files.set(path, facts);
      family.revision++;
    }
  }

  /** Opens a file for edits: its text is kept, and its tree where it matters. Resolves as `put` does. */
  open(path: string, text: string): Skip | undefined {
    const analyser = analyserOf(path);
    if (analyser?.grammar === undefined || skipOf(text) !== undefined || !analyser.matters(text)) {
      const skip = this.put(path, text);
      // One that does not matter may come to matter by an edit.
      if (analyser !== undefined && !this.#entries.has(path)) this.#entries.set(path, { analyser, source: { path, text }, facts: undefined, document: undefined, mask: asItIs, repaired: false, skip: undefined });
      return skip;
    }
    this.remove(path);
    const source = { path, text };
    const entry: Entry = { analyser, source, facts: undefined, document: undefined, mask: maskOf(analyser), repaired: false, skip: undefined };
    this.#entries.set(path, entry);
    try {
      entry.document = this.#syntax.open(analyser.grammar, entry.mask(text));
      entry.document = this.#repaired(analyser.grammar, entry, entry.document, text);
      entry.facts = analyser.read(source, entry.document.tree, { before: undefined });
      this.#keep(path, entry);
    } catch (error) {
      if (!(error instanceof SyntaxTimeout)) throw error;
      entry.skip = "too-slow";
    }
    return entry.skip;
  }

  /** Whether a file is in and was read, so that it can be edited. */
  isKept(path: string): boolean {
    const entry = this.#entries.get(path);
    return entry !== undefined && entry.skip === undefined;
  }

  /** Applies edits to an open file, one after the other, each to the text its predecessor left. Resolves as `put` does. */
  edit(path: string, edits: readonly TextEdit[]): Skip | undefined {
    const entry = this.#entries.get(path);
    const text = edits.reduce((before, { start, end, text: inserted }) => before.slice(0, start) + inserted + before.slice(end), entry?.source.text ?? "");
    if (entry?.document === undefined || !entry.analyser.matters(text)) return this.open(path, text);
    const { analyser, document, mask } = entry;
    let unchanged: Unchanged;
    try {
      unchanged = document.edit(edits.map((edit) => ({ ...edit, text: mask(edit.text) })));
    } catch (error) {
      if (!(error instanceof SyntaxTimeout)) throw error;
      return this.open(path, text);
    }
    // What is masked may depend on what stands beside the edit.
    if (document.text !== mask(text)) return this.open(path, text);
    // What is half typed spoils less than a body that was lost.
    if (analyser.repaired !== undefined && !entry.repaired && errorsIn(document.tree.rootNode) > repairFrom) return this.open(path, text);
    const source = { path, text };
    const next: Entry = { analyser, source, document, mask, repaired: entry.repaired, skip: entry.skip, facts: analyser.read(source, document.tree, { before: { facts: entry.facts, unchanged } }) };
    this.#entries.set(path, next);
    this.#keep(path, next);
    return undefined;
  }

  /** Takes a file out, or ends its edits, and frees its tree. */
  remove(path: string): void {
    const entry = this.#entries.get(path);
    entry?.document?.dispose();
    this.#entries.delete(path);
    const family = entry === undefined ? undefined : this.#familyOf(entry.analyser);
    if (family?.files.delete(path) === true) family.revision++;
  }

  /** What is wrong in a file, sorted by place; nothing for one that is not in, or was left out. `settled` is the text of one that was settled. */
  findings(path: string, settled?: string): readonly Finding[] {
    const entry = this.#entries.get(path);
    const text = entry?.source.text ?? settled;
    if (entry === undefined || entry.skip !== undefined || entry.facts === undefined || text === undefined) return [];
    return entry.analyser.findings({ path, text }, entry.facts, this.#familyOf(entry.analyser));
  }

  /** Every uid that a file sets by name, each once. */
  uids(): readonly string[] {
    return [...new Set([...this.#entries.values()].flatMap((entry) => entry.uids ??= uidsIn(entry.source.text ?? "")))];
  }

  /** Frees every tree. */
  dispose(): void {
    for (const { document } of this.#entries.values()) document?.dispose();
    this.#entries.clear();
  }

  /** Facts of a text; where its tree has errors, of the form of it that has fewer. */
  #read(grammar: GrammarName, analyser: LanguageAnalyser<unknown>, source: SourceFile): unknown {
    const first = this.#syntax.parse(grammar, maskOf(analyser)(source.text), (tree) => ({ facts: analyser.read(source, tree), errors: analyser.repaired === undefined ? 0 : errorsIn(tree.rootNode) }));
    const repaired = first.errors === 0 ? undefined : analyser.repaired?.(source.text);
    return repaired === undefined ? first.facts : this.#syntax.parse(grammar, repaired, (tree) => (errorsIn(tree.rootNode) < first.errors ? analyser.read(source, tree) : first.facts));
  }

  /** An open text in the form that has fewer errors. */
  #repaired(grammar: GrammarName, entry: Entry, document: SyntaxDocument, text: string): SyntaxDocument {
    const { analyser } = entry;
    const errors = analyser.repaired === undefined ? 0 : errorsIn(document.tree.rootNode);
    const repaired = errors === 0 ? undefined : analyser.repaired?.(text);
    if (repaired === undefined) return document;
    const other = this.#syntax.open(grammar, repaired);
    const better = errorsIn(other.tree.rootNode) < errors;
    (better ? document : other).dispose();
    if (!better) return document;
    // Once it can't be had in that form, it is opened anew.
    entry.mask = (edited) => analyser.repaired?.(edited) ?? "";
    entry.repaired = true;
    return other;
  }

  #keep(path: string, { analyser, facts }: Entry): void {
    const family = this.#familyOf(analyser);
    family.files.set(path, facts);
    family.revision++;
  }

  #familyOf({ family }: LanguageAnalyser<unknown>): Family {
    let known = this.#families.get(family);
    if (known === undefined) this.#families.set(family, (known = { files: new Map(), revision: 0, buildFiles: this.#buildFiles }));
    return known;
  }
}

function analyserOf(path: string): LanguageAnalyser<unknown> | undefined {
  return (analysers as readonly unknown[] as readonly LanguageAnalyser<unknown>[]).find((analyser) => analyser.owns(path));
}

function maskOf(analyser: LanguageAnalyser<unknown>): Mask {
  return (text) => analyser.masked?.(text) ?? text;
}

function asItIs(text: string): string {
  return text;
}

/** How much of the text the parser could make nothing of, in UTF-16 units; what is missing counts as one. */
function errorsIn(root: SyntaxNode): number {
  let sum = 0;
  const nodes = [root];
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    if (!node.hasError) continue;
    if (node.isError) {
      sum += Math.max(1, node.endIndex - node.startIndex);
      continue;
    }
    const before = nodes.length;
    for (const child of node.children) if (child.hasError) nodes.push(child);
    if (nodes.length === before) sum++;
  }
  return sum;
}

function skipOf(text: string): Skip | undefined {
  if (text.length > textLimit) return "too-large";
  return text.slice(0, 4096).includes("\0") ? "not-text" : undefined;
}
