import type { LintedFile } from "./protocol";

/** A file to be linted at once: `path` is that of `SourceFile`, `file` where it lies on disk. One that is not `wanted` is read only for what it tells of others. */
export interface LintFile {
  readonly path: string;
  readonly file: string;
  readonly wanted: boolean;
}

/** The facts of a file as an earlier run wrote them; they hold for the bytes of this digest and this path only. */
export interface KnownFacts {
  readonly digest: string;
  readonly facts: Uint8Array<ArrayBuffer>;
}

/** What came of a file; `failure` is why it could not be read, or be looked at. One that is not wanted has no findings. */
export interface SharedFile extends LintedFile {
  readonly failure: { readonly reason: string; readonly inAnalysis: boolean } | null;
}

/** The same with what the next run can begin with: the digest of the file's bytes, null when they could not be read, and facts, where there are any. */
export interface KeptFile extends SharedFile {
  readonly digest: string | null;
  readonly facts: Uint8Array<ArrayBuffer> | null;
}

/** What is asked of a thread that lints its share of many files; the others tell it what they read through its ports. */
export interface LintShareApi {
  /** `known` has what earlier runs read, by path; `keep` asks for digests and facts. */
  lint(params: { readonly files: readonly LintFile[]; readonly known: ReadonlyMap<string, KnownFacts>; readonly keep: boolean }): readonly KeptFile[];
}

/** What such threads tell each other: facts of a file, a build file's text, or null for having read everything. */
export type ShareMessage = readonly ({ readonly path: string; readonly facts: Uint8Array<ArrayBuffer> } | { readonly path: string; readonly text: string })[] | null;
