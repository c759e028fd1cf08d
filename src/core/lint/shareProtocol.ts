import type { LintedFile } from "./protocol";

/** A file to be linted at once: `path` is that of `SourceFile`, `file` where it lies on disk. One that is not `wanted` is read only for what it tells of others. */
export interface LintFile {
  readonly path: string;
  readonly file: string;
  readonly wanted: boolean;
}

/** What came of a file that is wanted; `failure` is why it could not be read, or be looked at. */
export interface SharedFile extends LintedFile {
  readonly failure: { readonly reason: string; readonly inAnalysis: boolean } | null;
}

/** What is asked of a thread that lints its share of many files; the others tell it what they read through its ports. */
export interface LintShareApi {
  lint(params: { readonly files: readonly LintFile[] }): readonly SharedFile[];
}

/** What such threads tell each other: facts of a file, a build file's text, or null for having read everything. */
export type ShareMessage = readonly ({ readonly path: string; readonly facts: unknown } | { readonly path: string; readonly text: string })[] | null;
