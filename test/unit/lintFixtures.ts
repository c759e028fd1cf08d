import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { loadSyntax } from "../../src/clients/syntax/treeSitter";
import type { Finding } from "../../src/core/lint/finding";
import { isLintable, LintWorkspace } from "../../src/core/lint/lintWorkspace";

/** The folder of the lint's fixtures. */
export const fixtures = path.resolve("test/fixtures/lint");

/** A workspace with every file below a folder, by paths relative to it. */
export async function workspaceOf(folder: string): Promise<{ readonly workspace: LintWorkspace; readonly files: readonly string[] }> {
  const workspace = new LintWorkspace(await loadSyntax(path.resolve("dist")));
  const files = readdirSync(folder, { recursive: true }).map(String).map((file) => file.split(path.sep).join("/")).filter(isLintable).sort();
  for (const file of files) workspace.put(file, readFileSync(path.join(folder, file), "utf8"));
  return { workspace, files };
}

/** `line: rule`, lines from 1, sorted: what was found. */
export function foundIn(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ rule, range }) => `${range.start.line + 1}: ${rule}`).sort();
}

/** The same for what a text says should be found: `expect: rule, rule` in a comment on the line, or `expect +2: rule` for one further down. */
export function expectedIn(text: string): readonly string[] {
  return text.split("\n").flatMap((line, at) =>
    Array.from(line.matchAll(/\bexpect(?: \+(\d+))?: ([\w, -]+)/g)).flatMap(([, further = "0", rules = ""]) => rules.trim().split(/,\s*/).map((rule) => `${at + 1 + Number(further)}: ${rule}`)),
  ).sort();
}
