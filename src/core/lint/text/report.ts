import type { Finding, FixData } from "../finding";
import { LineTable } from "../lineTable";
import { ruleOf, type RuleId } from "../rules";
import { isSuppressed, suppressionsOf } from "../suppression";

/** What a rule says of a place in a text that has no syntax tree; offsets count from its start. */
export interface TextReport {
  readonly rule: RuleId;
  readonly start: number;
  readonly end: number;
  readonly message: string;
  readonly related?: { readonly start: number; readonly end: number; readonly text: string };
  readonly fix?: FixData;
}

/** The findings of reports, without those a comment suppresses, sorted by place. */
export function findingsOf(path: string, text: string, reports: readonly TextReport[]): readonly Finding[] {
  if (reports.length === 0) return [];
  const lines = new LineTable(text);
  const suppressions = suppressionsOf(text);
  return [...new Map(reports.map((report) => [`${report.rule}:${report.start}`, report])).values()]
    .filter(({ rule, start }) => !isSuppressed(suppressions, rule, [lines.position(start).line]))
    .map((report): Finding => {
      const { severity } = ruleOf(report.rule);
      const { related, fix } = report;
      return {
        rule: report.rule, severity: severity === "off" ? "hint" : severity, range: lines.range(report), message: report.message,
        related: related === undefined ? [] : [{ path, range: lines.range(related), text: related.text }], ...(fix === undefined ? {} : { fix }),
      };
    })
    .sort((one, other) => one.range.start.offset - other.range.start.offset || one.rule.localeCompare(other.rule));
}
