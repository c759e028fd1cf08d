import type { RuleId } from "./rules";

/** A comment that silences rules: on its own line and the next one that is no comment, or in the whole file. No rules = all. */
export interface Suppression {
  /** Lines it covers, from 0; absent for the whole file. */
  readonly lines: readonly number[] | undefined;
  readonly rules: readonly string[];
  readonly reason: string;
}

const comment = /(?:\/\/|#|--|\/\*|\*)\s*flink-lint:\s*ignore(-file)?\b\s*(?:\[([^\]]*)\])?\s*(.*?)\s*(?:\*\/)?$/;

/** The suppressions in a text: `// flink-lint: ignore[missing-uid] reason`, `# flink-lint: ignore-file[missing-uid] reason`. */
export function suppressionsOf(text: string): readonly Suppression[] {
  if (!text.includes("flink-lint:")) return [];
  const lines = text.split("\n");
  return lines.flatMap((line, at) => {
    const match = comment.exec(line.trimEnd());
    if (match === null) return [];
    const [, wholeFile, rules = "", reason = ""] = match;
    let next = at + 1;
    while (next < lines.length && /^\s*(?:(?:\/\/|#|--|\*|\/\*).*)?$/.test(lines[next] ?? "")) next++;
    return [{ lines: wholeFile === undefined ? [at, next] : undefined, rules: rules.split(",").map((rule) => rule.trim()).filter((rule) => rule !== ""), reason }];
  });
}

/** Whether a finding on one of these lines (from 0) is suppressed. */
export function isSuppressed(suppressions: readonly Suppression[], rule: RuleId, lines: readonly number[]): boolean {
  return suppressions.some((entry) => (entry.rules.length === 0 || entry.rules.includes(rule)) && (entry.lines === undefined || lines.some((line) => entry.lines?.includes(line))));
}

/** The comment that silences a rule in a file of this name, up to its reason. */
export function suppressionComment(rule: RuleId, path: string): string {
  const mark = /\.(?:java|kts?|scala|sc)$/.test(path) ? "//" : /\.(?:sql|fql)$/.test(path) ? "--" : "#";
  return `${mark} flink-lint: ignore[${rule}] `;
}
