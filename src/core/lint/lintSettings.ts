import type { Settings } from "../settings";
import type { Finding } from "./finding";
import { matcherOf } from "./globs";
import { severityOf } from "./report";
import { isRuleId, type RuleId, type Severity } from "./rules";

/** How the settings choose: which files are linted, and how loud a finding is. */
export interface LintChoice {
  readonly enabled: boolean;
  /** Whether a path is left out; it is relative to its folder of the workspace. */
  excludes(path: string): boolean;
  /** Undefined when the rule is off. */
  severityOf(finding: Finding): Exclude<Severity, "off"> | undefined;
}

/** Reads the choice out of the settings; rules that do not exist are left out. */
export function lintChoiceOf(settings: Pick<Settings, "lint.enable" | "lint.exclude" | "lint.rules">): LintChoice {
  const set = new Map<RuleId, Severity>();
  for (const [rule, severity] of Object.entries(settings["lint.rules"])) if (isRuleId(rule)) set.set(rule, severity === "information" ? "info" : severity);
  return { enabled: settings["lint.enable"], excludes: matcherOf(settings["lint.exclude"]), severityOf: (finding) => severityOf(finding, set) };
}
