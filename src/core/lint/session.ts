import type { TextEdit } from "./finding";
import { LintWorkspace } from "./lintWorkspace";
import type { LintedFile } from "./protocol";
import type { Skip } from "./language";
import type { Syntax } from "./syntax";

/** The files of a workspace as an editor sees them: some open and edited, the rest as they lie on disk. A file the analysis fails on has no findings. */
export class LintSession {
  readonly #workspace: LintWorkspace;
  readonly #texts = new Map<string, string>();
  readonly #skips = new Map<string, Skip>();
  readonly #left = new Set<string>();
  readonly #failed: (path: string, error: unknown) => void;

  constructor(syntax: Syntax, failed: (path: string, error: unknown) => void) {
    this.#workspace = new LintWorkspace(syntax);
    this.#failed = failed;
  }

  /** Paths of all files that are in, sorted. */
  get paths(): readonly string[] {
    return this.#workspace.paths;
  }

  /** How many files of the disk are left out, since there is no room for what they tell of others. */
  get left(): number {
    return this.#left.size;
  }

  /** Every uid that a file sets by name, each once. */
  get uids(): readonly string[] {
    return this.#workspace.uids();
  }

  isOpen(path: string): boolean {
    return this.#texts.has(path);
  }

  /** Opens a document, or replaces its text. */
  open(path: string, text: string): LintedFile {
    this.#left.delete(path);
    this.#texts.set(path, text);
    this.#take(path, () => this.#workspace.open(path, text));
    return this.findings(path);
  }

  /** Edits an open document. Throws `RangeError` when it is not open, or an edit lies outside of it. */
  edit(path: string, edits: readonly TextEdit[]): LintedFile {
    const before = this.#texts.get(path);
    if (before === undefined) throw new RangeError(`${path} is not open.`);
    let text = before;
    for (const { start, end, text: inserted } of edits) {
      if (start < 0 || end < start || end > text.length) throw new RangeError(`The edit ${start}–${end} lies outside of ${path}, which has ${text.length} characters.`);
      text = text.slice(0, start) + inserted + text.slice(end);
    }
    // One that was left out, or did not matter, has no tree that could be edited.
    if (!this.#workspace.isKept(path)) return this.open(path, text);
    this.#texts.set(path, text);
    this.#take(path, () => this.#workspace.edit(path, edits));
    return this.findings(path);
  }

  /** Closes a document and takes it out. */
  close(path: string): void {
    this.#texts.delete(path);
    this.remove(path);
  }

  /**
   * Puts a file of the disk in; one that is open stays as it is. Of the others no text is kept. `known` is as `LintWorkspace.put` takes it; `keep` makes of
   * the facts what is kept, undefined when there is no room: then the file is left out.
   */
  put(path: string, text: string, known?: unknown, keep: (facts: unknown) => unknown = (facts) => facts): void {
    if (this.isOpen(path)) return;
    this.#left.delete(path);
    this.#take(path, () => {
      const skip = this.#workspace.put(path, text, known);
      const facts = this.#workspace.facts(path);
      if (facts === undefined) return skip;
      const kept = keep(facts);
      if (kept !== undefined) this.#workspace.settle(path, kept);
      else {
        this.#workspace.remove(path);
        this.#left.add(path);
      }
      return skip;
    });
  }

  /** Whether a file is in, so that it can have findings. */
  has(path: string): boolean {
    return this.#workspace.isKept(path);
  }

  /** Takes a file of the disk out; one that is open stays. */
  remove(path: string): void {
    if (this.isOpen(path)) return;
    this.#skips.delete(path);
    this.#left.delete(path);
    this.#workspace.remove(path);
  }

  /** What is wrong in a file. For one of the disk its text is needed, as it was put in. */
  findings(path: string, text?: string): LintedFile {
    try {
      return { path, findings: this.#workspace.findings(path, text), skip: this.#skips.get(path) ?? null };
    } catch (error) {
      this.#failed(path, error);
      return { path, findings: [], skip: null };
    }
  }

  #take(path: string, take: () => Skip | undefined): void {
    this.#skips.delete(path);
    try {
      const skip = take();
      if (skip !== undefined) this.#skips.set(path, skip);
    } catch (error) {
      this.#workspace.remove(path);
      this.#failed(path, error);
    }
  }
}
