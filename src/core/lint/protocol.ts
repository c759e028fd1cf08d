import type { Finding, TextEdit } from "./finding";
import type { Skip } from "./language";

/** A folder of the workspace: files below `folder` (absolute, of the file system) have workspace paths below `prefix`, which ends in `/`. */
export interface LintFolder {
  readonly prefix: string;
  readonly folder: string;
}

/** What is wrong in a file; `skip` tells why it was not looked at, null when it was. */
export interface LintedFile {
  readonly path: string;
  readonly findings: readonly Finding[];
  readonly skip: Skip | null;
}

/**
 * What the editor asks of the thread that lints. Paths are those of `SourceFile`. A document that is open is what the editor says it is; every
 * other file is what lies on disk.
 */
export interface LintApi {
  /** Opens a document, or replaces its text. */
  open(params: { readonly path: string; readonly text: string }): LintedFile;
  /** Edits an open document, each edit on the text that its predecessor left. Rejects when it is not open. */
  edit(params: { readonly path: string; readonly edits: readonly TextEdit[] }): LintedFile;
  /** Closes a document: what lies on disk counts again, where it is in a folder that was indexed. */
  close(params: { readonly path: string }): null;
  /** Looks at files again, since others changed. */
  findings(params: { readonly paths: readonly string[] }): readonly LintedFile[];
  /**
   * Reads every file of the folders, for what files tell of each other, and forgets what is gone. May be cancelled; what was read stays. `parsed` are those
   * of which nothing was known from earlier, `left` those that are left out because what is known of the others takes all the room there is.
   */
  index(params: { readonly folders: readonly LintFolder[] }): { readonly files: number; readonly unreadable: number; readonly parsed: number; readonly left: number };
  /** Files that were made, changed or deleted on disk. */
  changed(params: { readonly paths: readonly string[] }): null;
  /** Every uid that a file sets by name, as far as files were read, each once. */
  uids(params: Record<never, never>): readonly string[];
  /** Every file that was read and can have findings, sorted. */
  paths(params: Record<never, never>): readonly string[];
}

/** What the thread tells unasked. */
export interface LintEvents {
  indexing: { readonly done: number; readonly total: number };
  /** A file that the analysis failed on, for the log. */
  failed: { readonly path: string; readonly reason: string };
}
