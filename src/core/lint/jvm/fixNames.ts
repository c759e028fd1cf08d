import type { SiteFacts } from "./values";

/** Names for an operator's uid, best first: from its name, its variable, the class of its function, its method. */
export function namesFor(site: SiteFacts): readonly string[] {
  const suffix = /^(?:fromSource|addSource|fromSequence|fromData|fromElements|fromCollection|readTextFile|readFile)$/.test(site.call.name) ? "source" : /^(?:sinkTo|addSink|toSink)$/.test(site.call.name) ? "sink" : undefined;
  const words = [site.givenName, site.variable, site.functionName, site.call.name].filter((word) => word !== undefined).map(slug).filter((word) => word !== "" && !dull.has(word));
  const full = words.map((word) => (suffix === undefined || word.endsWith(suffix) ? word : `${word}-${suffix}`));
  return [...new Set(full.length === 0 ? [slug(site.call.name) || "operator"] : full)];
}

/** Variables that say nothing of what they hold. */
const dull = new Set(["stream", "data-stream", "ds", "s", "op", "operator", "result", "single-output-stream-operator", "x", "env", "source-stream"]);

/** `EnrichOrders` and `Enrich orders` become `enrich-orders`. */
export function slug(text: string): string {
  return text.replace(/([a-z0-9])([A-Z])/g, "$1-$2").replace(/[^A-Za-z0-9]+/g, "-").replace(/^-+|-+$/g, "").toLowerCase().slice(0, 60);
}
