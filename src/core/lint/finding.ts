import type { RuleId, Severity } from "./rules";

/** A place in a text: `line` and `character` count from 0, in UTF-16 units, as VS Code does; `offset` counts UTF-16 units from the start of the text. */
export interface Position {
  readonly line: number;
  readonly character: number;
  readonly offset: number;
}

/** A stretch of a text; `end` is the first place behind it. */
export interface TextRange {
  readonly start: Position;
  readonly end: Position;
}

/** Another place that explains a finding, such as where the stream became keyed. */
export interface RelatedPlace {
  /** Path as in `SourceFile.path`. */
  readonly path: string;
  readonly range: TextRange;
  /** A short sentence, such as "The stream becomes keyed here." */
  readonly text: string;
}

/** A replacement of `[start, end)` (offsets) by `text`; an insertion has `start === end`. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What a quick fix of a finding needs. All offsets are of the text that was analysed. */
export type FixData =
  /**
   * Insert `.uid("…")`: `insertAt` is the offset behind the operator's last configuration call; `before` and `after` stand around the quoted name
   * (`\n    .uid(` and `)`). `names` are candidates for the name, best first, already slugs; the first that is free in the job is taken.
   * `keepState` tells whether `setUidHash` can follow (not on `sinkTo`, where Flink throws).
   */
  | { readonly kind: "insert-uid"; readonly insertAt: number; readonly before: string; readonly after: string; readonly names: readonly string[]; readonly keepState: boolean }
  /** Replace the argument at `[start, end)` by a quoted name. */
  | { readonly kind: "replace-uid"; readonly start: number; readonly end: number; readonly names: readonly string[] }
  /** A ready edit with a title, such as "Remove the uid that is overwritten". */
  | { readonly kind: "edits"; readonly title: string; readonly edits: readonly TextEdit[] };

/** One thing a rule found. `severity` is the rule's default; settings and `--rule` change it later. */
export interface Finding {
  readonly rule: RuleId;
  readonly severity: Exclude<Severity, "off">;
  /** The method name of the offending call where there is one, else the offending word. */
  readonly range: TextRange;
  /** One or two sentences, ready to be shown. */
  readonly message: string;
  readonly related: readonly RelatedPlace[];
  readonly fix?: FixData;
}
