import type { Finding, FixData, RelatedPlace } from "../finding";
import type { LineTable } from "../lineTable";
import { ruleOf, type RuleId, type Severity } from "../rules";
import type { Operator, Place } from "./values";

/** What a rule says of a place, still in offsets. */
export interface Report {
  readonly rule: RuleId;
  readonly severity?: Exclude<Severity, "off">;
  readonly at: { readonly start: number; readonly end: number };
  readonly message: string;
  readonly related?: readonly { readonly at: Place | undefined; readonly text: string }[];
  readonly fix?: FixData | undefined;
  /** Further places whose lines a suppression may stand on. */
  readonly around?: readonly number[];
}

/** The finding of a report. Related places in other files are left out, since their lines are not known here. */
export function findingOf(report: Report, path: string, lines: LineTable): Finding {
  const { severity } = ruleOf(report.rule);
  const related: RelatedPlace[] = (report.related ?? []).flatMap(({ at, text }) => (at?.path === path ? [{ path, range: lines.range(at), text }] : []));
  return {
    rule: report.rule, severity: report.severity ?? (severity === "off" ? "hint" : severity), range: lines.range(report.at), message: report.message, related,
    ...(report.fix === undefined ? {} : { fix: report.fix }),
  };
}

/** Where a uid goes behind an operator's last configuration call, in the style of its chain: on a line of its own, with `\` where the others have one. */
export function insertUid(text: string, op: Operator): FixData {
  const insertAt = op.configuredTo;
  const chain = text.slice(op.call.start, insertAt);
  const dot = text.lastIndexOf(".", op.at.start);
  const lineStart = text.lastIndexOf("\n", dot) + 1;
  const newLine = text[lineStart - 2] === "\r" ? "\r\n" : "\n";
  const lead = text.slice(lineStart, dot);
  const ownLine = dot > op.call.start && chain.includes("\n") && lead.trim() === "";
  // Not the whole text before it: findings may be many.
  const backslash = ownLine && /\\\s*\n\s*$/.test(text.slice(Math.max(0, lineStart - 400), dot));
  const before = ownLine ? `${backslash ? " \\" : ""}${newLine}${lead}.uid(` : ".uid(";
  return { kind: "insert-uid", insertAt, before, after: ")", names: namesFor(op), keepState: !op.isSink };
}

/** Names for an operator's uid, best first: from its name, the class of its function, its variable, its method. */
export function namesFor(op: Operator): readonly string[] {
  const suffix = op.method === "from_source" || op.method === "add_source" ? "source" : op.method === "sink_to" || op.method === "add_sink" ? "sink" : undefined;
  const words = [op.label, ...[...op.hints].reverse(), op.method].filter((word) => word !== undefined).map(slug).filter((word) => word !== "" && !dull.has(word));
  const full = words.map((word) => (suffix === undefined || word.endsWith(suffix) ? word : `${word}-${suffix}`));
  return full.length === 0 ? [slug(op.method)] : [...new Set(full)];
}

/** Variables that say nothing of what they hold. */
const dull = new Set(["stream", "data-stream", "ds", "s", "op", "operator", "result", "x", "env"]);

/** `EnrichOrders`, `Enrich orders` and `enrich_orders` become `enrich-orders`. */
function slug(text: string): string {
  return text.replace(/([a-z0-9])([A-Z])/g, "$1-$2").replace(/[^A-Za-z0-9]+/g, "-").replace(/^-+|-+$/g, "").toLowerCase().slice(0, 60);
}
