import { suppressionComment } from "./suppression";
import type { Finding, FixData, TextEdit } from "./finding";

/** A change that ends a finding, with what a person reads. */
export interface LintFix {
  readonly title: string;
  /** Of the text that was analysed; none overlaps another. */
  readonly edits: readonly TextEdit[];
  /** The uid it sets, where it sets one. */
  readonly uid?: string;
}

type InsertUid = Extract<FixData, { kind: "insert-uid" }>;

/** Names that a new uid must not have: every text in quotes of the file, and the uids set elsewhere in the workspace, any of which may run in the same job. */
export function takenUids(text: string, elsewhere: Iterable<string> = []): Set<string> {
  const taken = new Set<string>(elsewhere);
  for (const [, , content = ""] of text.matchAll(/(["'])((?:\\.|(?!\1)[^\\\n])*)\1/g)) taken.add(content);
  return taken;
}

/** The uids that a text sets by name. */
export function uidsIn(text: string): readonly string[] {
  return [...text.matchAll(/\buid(?:Prefix)?\s*\(?\s*["']([^"'\n]+)["']/g)].map(([, uid = ""]) => uid);
}

/** The change a finding asks for, under a name that is free; undefined when there is none. */
export function fixOf({ fix }: Finding, text: string, path: string, taken: ReadonlySet<string>): LintFix | undefined {
  if (fix === undefined) return undefined;
  if (fix.kind === "edits") return { title: fix.title, edits: fix.edits };
  const uid = freeName(fix.names, taken);
  const quoted = quotedName(uid, text, path);
  if (fix.kind === "replace-uid") return { title: `Change the uid to "${uid}"`, edits: [{ start: fix.start, end: fix.end, text: quoted }], uid };
  return { title: `Set ${isPrefix(fix) ? "uid prefix" : "uid"} "${uid}"`, edits: [insertion(fix, quoted)], uid };
}

/** Sets the uid and, for one restore, the hash under which a savepoint holds the operator's state: Flink looks for that hash first (`StateAssignmentOperation`), and writes under the uid's; undefined where no hash can follow. */
export function keepStateFix(finding: Finding, text: string, path: string, taken: ReadonlySet<string>, operatorId: string): LintFix | undefined {
  const { fix } = finding;
  if (!keepsState(finding, path) || fix?.kind !== "insert-uid") return undefined;
  const uid = freeName(fix.names, taken);
  const set = insertion(fix, quotedName(uid, text, path));
  // The hash stands as the uid does: on a line of its own, where the uid has one.
  const again = fix.before.replace(/uid\($/, "setUidHash(");
  return { title: `Set uid "${uid}" and keep its state`, edits: [{ ...set, text: `${set.text}${again}"${operatorId}")` }], uid };
}

/** Whether a uid hash can follow the uid: not in Python, and not on sinks. */
export function keepsState({ fix, rule }: Finding, path: string): boolean {
  return rule === "missing-uid" && fix?.kind === "insert-uid" && fix.keepState && fix.before.endsWith(".uid(") && fix.after === ")" && !/\.pyi?$/.test(path);
}

/** Sets every uid that is missing in a file, each under a name of its own; undefined when fewer than two are. */
export function fixAll(findings: readonly Finding[], text: string, path: string, taken: ReadonlySet<string>): LintFix | undefined {
  const names = new Set(taken);
  const edits = new Map<number, TextEdit>();
  for (const finding of findings) {
    const { fix } = finding;
    if (fix?.kind !== "insert-uid" || isPrefix(fix) || edits.has(fix.insertAt)) continue;
    const made = fixOf(finding, text, path, names);
    const [edit] = made?.edits ?? [];
    if (made?.uid === undefined || edit === undefined) continue;
    names.add(made.uid);
    edits.set(fix.insertAt, edit);
  }
  return edits.size < 2 ? undefined : { title: `Set uids for all ${edits.size} operators in this file`, edits: [...edits.values()] };
}

/** Where the comment goes that silences a finding, and the comment up to its reason: a line above the finding's, or above the first of lines that `\` joins. */
export function suppressionOf(finding: Finding, text: string, path: string): { readonly line: number; readonly indent: string; readonly comment: string } {
  const lines = text.split(/\r?\n/);
  let { line } = finding.range.start;
  while (line > 0 && (lines[line - 1] ?? "").endsWith("\\")) line--;
  return { line, indent: /^\s*/.exec(lines[line] ?? "")?.[0] ?? "", comment: suppressionComment(finding.rule, path) };
}

function freeName(names: readonly string[], taken: ReadonlySet<string>): string {
  // The last candidate is the method's name, which says less than another one with a number.
  const free = names.slice(0, Math.max(1, names.length - 1)).find((name) => !taken.has(name));
  if (free !== undefined) return free;
  const [first = "operator"] = names;
  for (let count = 2; ; count++) if (!taken.has(`${first}-${count}`)) return `${first}-${count}`;
}

/** In Python with the quotes that the file uses more. */
function quotedName(name: string, text: string, path: string): string {
  const single = /\.pyi?$/.test(path) && (text.match(/'/g)?.length ?? 0) > (text.match(/"/g)?.length ?? 0);
  return single ? `'${name}'` : `"${name}"`;
}

function insertion({ insertAt, before, after }: InsertUid, quoted: string): TextEdit {
  return { start: insertAt, end: insertAt, text: before + quoted + after };
}

function isPrefix({ before }: InsertUid): boolean {
  return /uidPrefix\($/.test(before);
}
