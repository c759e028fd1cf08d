import { isMap, isScalar, isSeq, parseAllDocuments, type Node } from "yaml";
import type { Setting } from "./keys";

/** Keys under which a deployment holds Flink's settings: of the Kubernetes operator, of config maps, of container environments. */
const containers: ReadonlySet<string> = new Set(["flinkConfiguration", "flink-conf.yaml", "config.yaml", "FLINK_PROPERTIES", "flink_properties", "flinkProperties"]);
/** Keys no other program has: proof that a file is Flink's. */
const flinkKeys = /^(?:jobmanager\.|taskmanager\.|parallelism\.default$|execution\.checkpointing\.|high-availability\.type$|kubernetes\.cluster-id$)/;
const depthLimit = 40;

/** Groups of settings that count together: one of a configuration file, one of each deployment in a YAML file. */
export function yamlSettings(path: string, text: string): readonly (readonly Setting[])[] {
  const name = path.slice(path.lastIndexOf("/") + 1);
  // Flink reads this file line by line, whatever YAML would make of it.
  if (/^flink-conf\.ya?ml$/.test(name)) return [flatSettings(text, 0)];
  const groups: Setting[][] = [];
  for (const document of parseAllDocuments(text, { uniqueKeys: false, strict: false, logLevel: "silent", keepSourceTokens: false })) {
    if (!("contents" in document) || document.errors.length > 0) continue;
    const root = document.contents as Node | null;
    const own = settingsOf(root, "", text);
    if (/^config\.ya?ml$/.test(name) && own.some(({ key }) => flinkKeys.test(key))) groups.push(own);
    else groups.push(...containersIn(root, text, 0));
  }
  return groups;
}

/** Lines of `key: value`, as Flink 1.x reads them; `from` is where they begin in the file. */
export function flatSettings(text: string, from: number): Setting[] {
  const found: Setting[] = [];
  for (const match of text.matchAll(/^([ \t]*)([\w.-]+):[ \t]+(.+?)[ \t\r]*$/gm)) {
    const value = (match[3] ?? "").replace(/\s+#.*$/, "");
    const start = from + match.index + (match[1]?.length ?? 0);
    found.push({ key: match[2] ?? "", value: value.replace(/^(["'])(.*)\1$/, "$2"), start, end: start + (match[2]?.length ?? 0) });
  }
  return found;
}

/** All leaves below a node, with their keys joined by dots. */
function settingsOf(node: unknown, prefix: string, text: string, depth = 0): Setting[] {
  if (depth > depthLimit || !isMap(node)) return [];
  return node.items.flatMap((pair): Setting[] => {
    if (!isScalar(pair.key) || !pair.key.range) return [];
    const key = prefix === "" ? String(pair.key.value) : `${prefix}.${String(pair.key.value)}`;
    if (isMap(pair.value)) return settingsOf(pair.value, key, text, depth + 1);
    const [start, end] = pair.key.range;
    return isScalar(pair.value) ? [{ key, value: String(pair.value.value), start, end }] : [];
  });
}

function containersIn(node: unknown, text: string, depth: number): Setting[][] {
  if (depth > depthLimit) return [];
  if (isSeq(node)) return node.items.flatMap((item) => [...environmentItem(item, text), ...containersIn(item, text, depth + 1)]);
  if (!isMap(node)) return [];
  return node.items.flatMap((pair): Setting[][] => {
    const key = isScalar(pair.key) ? String(pair.key.value) : "";
    if (!containers.has(key)) return containersIn(pair.value, text, depth + 1);
    if (isMap(pair.value)) return [settingsOf(pair.value, "", text)];
    return isScalar(pair.value) && pair.value.range ? [inside(text, pair.value.range[0], pair.value.range[1])] : [];
  });
}

/** `- name: FLINK_PROPERTIES` with a `value`, or `- FLINK_PROPERTIES=…` with lines below. */
function environmentItem(item: unknown, text: string): Setting[][] {
  if (isScalar(item) && typeof item.value === "string" && item.range && /^\s*FLINK_PROPERTIES=/.test(item.value)) return [inside(text, item.range[0], item.range[1])];
  if (!isMap(item)) return [];
  const value = item.get("value", true);
  return item.get("name") === "FLINK_PROPERTIES" && isScalar(value) && value.range ? [inside(text, value.range[0], value.range[1])] : [];
}

/** Settings in a text inside of a YAML file; nested ones are put together by their indentation. */
function inside(text: string, start: number, end: number): Setting[] {
  const stack: { readonly indent: number; readonly key: string }[] = [];
  const found: Setting[] = [];
  const body = text.slice(start, end);
  for (const match of body.matchAll(/^([ \t]*)(?:-[ \t]+)?([\w.-]+):(?:[ \t]+(.+?))?[ \t\r]*$/gm)) {
    const indent = match[1]?.length ?? 0;
    while ((stack.at(-1)?.indent ?? -1) >= indent) stack.pop();
    const key = [...stack.map((outer) => outer.key), match[2] ?? ""].join(".");
    const at = start + match.index + match[0].indexOf(match[2] ?? "");
    if (match[3] === undefined) stack.push({ indent, key: match[2] ?? "" });
    else found.push({ key, value: match[3].replace(/\s+#.*$/, "").replace(/^(["'])(.*)\1$/, "$2"), start: at, end: at + (match[2]?.length ?? 0) });
  }
  return found;
}
