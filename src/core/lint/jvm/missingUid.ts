import type { Finding, FixData } from "../finding";
import { findingAt, relatedAt } from "./findings";
import { namesFor } from "./fixNames";
import type { SiteFacts } from "./values";

/** The finding for an operator that keeps state and has no uid; `inBatch` when its job runs in batch mode, which takes no savepoints. */
export function missingUid(site: SiteFacts, text: string, version: "1" | "2" | undefined, inBatch: boolean): Finding {
  const related = [...relatedAt(site.keyedAt, "The stream becomes keyed here."), ...relatedAt(site.proof.at, "The state is declared here.")];
  const named = site.givenName === undefined ? "" : ` Its name, ${site.givenName}, is not used to find it.`;
  const { language } = site.place.file;
  switch (site.rule) {
    case "legacy-file-source":
      return findingAt(site.rule, site.place, `\`${site.call.name}\` makes two operators that keep ${site.proof.what}, and a uid reaches only one of them. Use FileSource with fromSource and a uid.`, related);
    case "queryable-state":
      return findingAt(site.rule, site.place, `\`${site.call.name}\` keeps state and can have no uid: after a change of the job its state is lost. Keep the state in a KeyedProcessFunction instead.`, related);
    case "sink-needs-uid":
      return findingAt(site.rule, site.place, "Flink refuses to submit this job: a FileSink that compacts sets uids of its own, so the sink needs one too.", related, fixOf(site, text));
    default: {
      const how = site.joinApply && language === "java" && version !== "2" ? " In Flink 1.x `apply` returns a DataStream, which takes none: use `with` in its place." : "";
      const lost = inBatch ? "in batch mode nothing is lost, but once the job runs as a stream, its state is not found again when the job changes" : "when the job changes, its state is not found again";
      return findingAt("missing-uid", site.place, `\`${site.call.name}\` keeps ${site.proof.what}, but has no uid: ${lost}.${named}${how}`, related, site.joinApply && language === "java" && version !== "2" ? joinFix(site, text) : fixOf(site, text));
    }
  }
}

/** Where the uid goes: on a line of its own where the chain is written so. */
function fixOf(site: SiteFacts, text: string): FixData {
  const { tail } = site;
  const start = site.place.anchor.base + tail.start;
  const dot = text.lastIndexOf(".", site.place.anchor.base + tail.nameSpan.start);
  // Not the whole line, nor the whole text: either may be long, and findings many.
  const ownLine = dot > start ? /\r?\n[^\S\r\n]*$/.exec(text.slice(Math.max(0, dot - 400), dot)) : null;
  const before = tail.infix ? " uid " : `${ownLine?.[0] ?? ""}.uid(`;
  return { kind: "insert-uid", insertAt: site.place.anchor.base + site.tailTo, before, after: tail.infix ? "" : ")", names: namesFor(site), keepState: site.takesHash };
}

function joinFix(site: SiteFacts, text: string): FixData {
  const fix = fixOf(site, text);
  const [name] = namesFor(site);
  if (fix.kind !== "insert-uid" || name === undefined) return fix;
  return { kind: "edits", title: "Replace apply by with, and add a uid", edits: [{ start: site.place.start, end: site.place.end, text: "with" }, { start: fix.insertAt, end: fix.insertAt, text: `${fix.before}"${name}"${fix.after}` }] };
}
