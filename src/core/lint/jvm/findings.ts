import type { Finding, FixData, Position, RelatedPlace, TextRange } from "../finding";
import { ruleOf, type RuleId } from "../rules";
import { isSuppressed, type Suppression } from "../suppression";
import type { FileModel } from "./model";
import type { Place, SiteFacts } from "./values";

/** The place as editors count. */
export function positionAt(file: Pick<FileModel, "lineStarts">, offset: number): Position {
  const { lineStarts } = file;
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low, character: offset - (lineStarts[low] ?? 0), offset };
}

/** The range of a place, as editors count. */
export function rangeOf(place: Place): TextRange {
  return { start: positionAt(place.file, place.start), end: positionAt(place.file, place.end) };
}

/** A finding of a rule at a place. */
export function findingAt(rule: RuleId, place: Place, message: string, related: readonly RelatedPlace[] = [], fix?: FixData): Finding {
  const { severity } = ruleOf(rule);
  return { rule, severity: severity === "off" ? "hint" : severity, range: rangeOf(place), message, related, ...(fix === undefined ? {} : { fix }) };
}

/** A place that explains a finding, as the list that findings take; empty when there is none. */
export function relatedAt(place: Place | undefined, text: string): RelatedPlace[] {
  return place === undefined ? [] : [{ path: place.file.path, range: rangeOf(place), text }];
}

/** Whether a comment or an annotation around the site silences the rule. */
export function isSilenced(site: SiteFacts, suppressions: readonly Suppression[]): boolean {
  const annotated = [...(site.owner?.fun.suppressed ?? [])];
  for (let owner = site.owner?.owner; owner !== undefined; owner = owner.outer) annotated.push(...owner.cls.suppressed);
  const lines = [site.place.start, site.place.anchor.base + site.call.start, site.place.anchor.base + site.tailTo].map((offset) => positionAt(site.place.file, offset).line);
  return annotated.includes(site.rule) || annotated.includes("all") || isSuppressed(suppressions, site.rule, lines);
}
