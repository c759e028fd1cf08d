import type { Finding } from "./finding";
import { ruleOf, rules, type RuleId, type Severity } from "./rules";

/** The ways the command line writes its findings. */
export type ReportFormat = "text" | "json" | "sarif" | "github";

/** A finding with its file and the severity that counts. */
export interface Reported {
  /** Relative to the working directory, absolute outside of it, separated by `/`. */
  readonly file: string;
  readonly finding: Finding;
  readonly severity: Exclude<Severity, "off">;
}

/** Findings as one text, without a line break at its end. Lines and columns count from 1 (columns in UTF-16 units). */
export function report(format: ReportFormat, findings: readonly Reported[]): string {
  switch (format) {
    case "text":
      return findings.flatMap(({ file, finding, severity }) => [
        `${placeText(file, finding.range)}: ${severity}: ${finding.message} [${finding.rule}]`,
        ...(twoPlaces.has(finding.rule) ? finding.related : []).map(({ path, range, text }) => `    ${placeText(path, range)}: ${text}`),
      ]).join("\n");
    case "json":
      return JSON.stringify(findings.map(({ file, finding, severity }) => ({ file, line: finding.range.start.line + 1, column: finding.range.start.character + 1, rule: finding.rule, severity, message: finding.message })), null, 2);
    case "github":
      return findings.map(({ file, finding, severity }) => `::${commandOf(severity)} file=${escapedProperty(file)},line=${finding.range.start.line + 1},col=${finding.range.start.character + 1},title=${escapedProperty(finding.rule)}::${escapedData(finding.message)}`).join("\n");
    case "sarif":
      return JSON.stringify(sarifOf(findings), null, 2);
  }
}

/** Rules whose finding is only understood with the other place. */
const twoPlaces: ReadonlySet<RuleId> = new Set(["duplicate-uid", "lost-uid", "state-name-duplicate", "conflicting-keys", "nondeterministic-uid"]);

function placeText(file: string, { start }: Finding["range"]): string {
  return `${file}:${start.line + 1}:${start.character + 1}`;
}

/** A workflow command of GitHub Actions. */
function commandOf(severity: Severity): string {
  return severity === "error" || severity === "warning" ? severity : "notice";
}

function escapedData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapedProperty(text: string): string {
  return escapedData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

/** SARIF 2.1.0. */
function sarifOf(findings: readonly Reported[]): object {
  const used = [...new Set(findings.map(({ finding }) => finding.rule))].sort();
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [{
      tool: { driver: { name: "flink-savepoints", rules: used.map((id) => ({ id, shortDescription: { text: rules[id].title }, defaultConfiguration: { level: levelOf(ruleOf(id).severity) } })) } },
      columnKind: "utf16CodeUnits",
      results: findings.map(({ file, finding, severity }) => ({
        ruleId: finding.rule, ruleIndex: used.indexOf(finding.rule), level: levelOf(severity), message: { text: finding.message },
        locations: [locationOf(file, finding.range)],
        ...(finding.related.length === 0 ? {} : { relatedLocations: finding.related.map((place) => ({ ...locationOf(place.path, place.range), message: { text: place.text } })) }),
      })),
    }],
  };
}

function levelOf(severity: Severity): string {
  return severity === "error" || severity === "warning" ? severity : severity === "off" ? "none" : "note";
}

function locationOf(file: string, { start, end }: Finding["range"]): object {
  return { physicalLocation: { artifactLocation: { uri: `${file.startsWith("/") ? "file://" : ""}${file.split("/").map(encodeURIComponent).join("/")}` }, region: { startLine: start.line + 1, startColumn: start.character + 1, endLine: end.line + 1, endColumn: end.character + 1 } } };
}

/** The severity of a finding after the settings; undefined when its rule is off. */
export function severityOf(finding: Finding, set: ReadonlyMap<RuleId, Severity>): Exclude<Severity, "off"> | undefined {
  const severity = set.get(finding.rule) ?? (ruleOf(finding.rule).severity === "off" ? "off" : finding.severity);
  return severity === "off" ? undefined : severity;
}
