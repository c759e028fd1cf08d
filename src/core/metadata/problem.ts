/** What each finding in `_metadata` or a state file knows. Facts are data for sentences, never sentences. */
export interface ProblemFacts {
  /** The first bytes are no magic number; `hint` tells what the file looks like instead. `start` is hex. */
  "not-metadata": { start: string; hint: "empty" | "short" | "swapped" | "java" | "zip" | "gzip" | "none" };
  /** A version that no Flink up to 2.3 writes, or 0 (Flink 1.1). */
  "version-unknown": { version: number };
  /** The file ends inside a field. */
  "truncated": { missingBytes: number };
  /** A count or length that is negative or cannot fit into what is left of the file. */
  "count-impossible": { count: number; leftBytes: number };
  /** A tag byte that stands for no handle; nothing after it can be read. */
  "tag-unknown": { tag: number };
  /** A handle that may not stand here, such as null where state must be. */
  "handle-misplaced": { tag: number };
  /** Malformed modified UTF-8. */
  "text-malformed": Record<never, never>;
  /** A number out of its range, such as an enum's ordinal. */
  "value-invalid": { value: number };
  /** Bytes of a framed part are left over or missing. */
  "length-mismatch": { expected: number; actual: number };
  /** A bound of ours was reached; `limit` is its name in `MetadataLimits`. */
  "limit": { limit: string; value: number };
  /** The Java object stream is broken or holds something else than expected. */
  "java-stream": { reason: string };
  /** The checkpoint properties are of another class. */
  "properties-unexpected": { className: string };
  /** Bytes after the end, which Flink ignores. */
  "trailing-bytes": { bytes: number };
  /** Sizes add up to more than 64 bits hold. Flink's sums wrap around then, and so do ours, which are to be the same. */
  "sizes-wrapped": Record<never, never>;
  /** A relative path that would leave the snapshot's folder; never to be followed. */
  "path-unsafe": { path: string };
  /** The subtask's index is not below the parallelism. */
  "subtask-out-of-range": { index: number; parallelism: number };
  "subtask-repeated": { index: number };
  /** Key groups beyond the max parallelism, or negative. */
  "key-groups-out-of-range": { first: number; count: number; maxParallelism: number };
  /** Parallelism and max parallelism that Flink refuses. */
  "parallelism-invalid": { parallelism: number; maxParallelism: number };
  /** Two operators have the same id. */
  "operator-repeated": { id: string };
  /** The bytes changed between two reads. */
  "changed": Record<never, never>;
  /** A file that the metadata names is not where it should be. */
  "file-missing": { path: string };
  /** A file that the metadata names lies outside the snapshot's folder, where it is not opened. */
  "file-elsewhere": { path: string };
  /** A file that the metadata names is there and can't be read. */
  "file-unreadable": { path: string; reason: string };
  /** A file is shorter than the metadata says. */
  "file-too-short": { path: string; expected: number; actual: number };
}

/** The stable name of a finding; `ProblemFacts` says what each one carries, `problemText.ts` what is said of it. */
export type ProblemCode = keyof ProblemFacts;

/** One finding. An error ended the reading there; a warning is something that Flink accepts or never writes. */
export interface Problem<C extends ProblemCode = ProblemCode> {
  readonly code: C;
  readonly severity: "error" | "warning";
  /** Byte offset in the file of the field at fault. */
  readonly offset: number;
  /** The field, such as `operators[3].subtasks[0].managedKeyedState.sharedState[12].path`. */
  readonly path: string;
  readonly facts: ProblemFacts[C];
}

/** Thrown inside the readers and turned into a `Problem` at their border; callers of the readers never see it. */
export class ProblemError<C extends ProblemCode = ProblemCode> extends Error {
  readonly code: C;
  readonly offset: number;
  readonly field: string;
  readonly facts: ProblemFacts[C];

  constructor(code: C, offset: number, field: string, facts: ProblemFacts[C]) {
    super(code);
    this.name = "ProblemError";
    this.code = code;
    this.offset = offset;
    this.field = field;
    this.facts = facts;
  }

  /** As a finding of severity error, at `path` followed by the field. */
  problem(path = ""): Problem {
    return { code: this.code, severity: "error", offset: this.offset, path: path === "" || this.field === "" ? path + this.field : `${path}.${this.field}`, facts: this.facts };
  }
}
