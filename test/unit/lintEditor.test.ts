import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { mayBeLinted, mayMatter } from "../../src/core/lint/fileNames";
import { globExpression, matcherOf } from "../../src/core/lint/globs";
import { analysers } from "../../src/core/lint/analysers";
import { isLintable } from "../../src/core/lint/lintWorkspace";
import { lintChoiceOf } from "../../src/core/lint/lintSettings";
import type { Finding } from "../../src/core/lint/finding";
import { fixAll, fixOf, keepStateFix, suppressionOf, takenUids, uidsIn } from "../../src/core/lint/fixes";
import { isSuppressed, suppressionsOf } from "../../src/core/lint/suppression";
import { literalUids } from "../../src/core/lint/literalUids";
import { rules } from "../../src/core/lint/rules";

const names = [
  "0/src/Job.java", "a.kt", "a.kts", "b/build.gradle.kts", "x.scala", "x.sc", "job.py", "job.pyi", "run.sh", "a.bash", "a.zsh", "a.ksh", "a.mk", "flink-conf.yaml", "a.yml", "q.sql", "q.fql", "Dockerfile", "d/Dockerfile.dev", "my.Dockerfile",
  "my.dockerfile", "Containerfile", "Makefile", "Jenkinsfile", "justfile", "pom.xml", "build.gradle", "gradle.properties", "libs.versions.toml", "build.sbt", "project/Dependencies.scala", "build.sc", "README.md", "a.txt", "a.javax", "pom.xml.bak", "Job.class", "config.json", "notebook.ipynb",
];

test("the names by which documents are linted are those that the analysers take", () => {
  for (const name of names) {
    assert.equal(mayBeLinted(name), analysers.some((analyser) => analyser.owns(name)), name);
    assert.equal(mayMatter(name), isLintable(name), name);
  }
});

test("patterns of files mean what they mean in VS Code's settings", () => {
  const takes = (glob: string, path: string): boolean => globExpression(glob).test(path);
  for (const [glob, path] of [["**/generated/**", "a/generated/B.java"], ["**/generated", "generated/B.java"], ["examples", "examples/a/B.java"], ["*.sql", "q/a.sql"], ["src/*.java", "src/A.java"], ["**/*.{java,kt}", "a/b/C.kt"], ["./src/", "src/A.java"], ["a[0-9].py", "a7.py"], ["a?.py", "ab.py"], ["a+b.py", "a+b.py"]] as const) assert.ok(takes(glob, path), `${glob} takes ${path}`);
  for (const [glob, path] of [["src/*.java", "src/a/A.java"], ["examples", "my-examples/A.java"], ["*.sql", "a.sqlx"], ["a[!0-9].py", "a7.py"], ["a?.py", "a/.py"], ["a+b.py", "aab.py"], ["{a,b", "a"]] as const) assert.ok(!takes(glob, path), `${glob} leaves ${path}`);
  assert.equal(matcherOf([])("a"), false);
  assert.equal(matcherOf(["", "  "])("a"), false);
  assert.equal(matcherOf(["[z-a]", "*.py"])("a.py"), true);
});

test("settings make a rule louder, quieter or silent, and name only rules that exist", () => {
  const finding: Finding = { rule: "missing-uid", severity: "warning", range: { start: { line: 0, character: 0, offset: 0 }, end: { line: 0, character: 1, offset: 1 } }, message: "", related: [] };
  const loudness = (set: Record<string, "error" | "warning" | "information" | "hint" | "off">): unknown => lintChoiceOf({ "lint.enable": true, "lint.exclude": [], "lint.rules": set }).severityOf(finding);
  assert.equal(loudness({}), "warning");
  assert.equal(loudness({ "missing-uid": "information" }), "info");
  assert.equal(loudness({ "missing-uid": "off" }), undefined);
  assert.equal(loudness({ "no-such-rule": "error" }), "warning");
});

test("package.json lists every rule with its severity", () => {
  const { contributes } = JSON.parse(readFileSync("package.json", "utf8")) as { contributes: { configuration: { properties: Record<string, { properties?: Record<string, { default: string; description: string; enum: string[] }> }> } } };
  const listed = contributes.configuration.properties["flinkSavepoints.lint.rules"]?.properties ?? {};
  assert.deepEqual(
    Object.fromEntries(Object.entries(listed).map(([rule, { default: severity, description }]) => [rule, [severity, description]])),
    Object.fromEntries(Object.entries(rules).map(([rule, { severity, title }]) => [rule, [severity === "info" ? "information" : severity, `${title}.`]])),
  );
});

const at = (offset: number, line = 0): Finding["range"] => ({ start: { line, character: 0, offset }, end: { line, character: 1, offset: offset + 1 } });
const missing = (insertAt: number, names: readonly string[], before = ".uid(", keepState = true): Finding => ({ rule: "missing-uid", severity: "warning", range: at(insertAt), message: "", related: [], fix: { kind: "insert-uid", insertAt, before, after: ")", names, keepState } });
const applied = (text: string, edits: readonly { start: number; end: number; text: string }[]): string => [...edits].sort((a, b) => b.start - a.start).reduce((before, { start, end, text: inserted }) => before.slice(0, start) + inserted + before.slice(end), text);

test("a uid gets the first name that is free in the file and in the other files of the workspace", () => {
  const text = 'a.process(f); b.uid("dedupe");';
  const fix = (names: readonly string[], others: readonly string[] = []): string | undefined => fixOf(missing(12, names), text, "A.java", takenUids(text, others.flatMap(uidsIn)))?.title;
  assert.equal(fix(["totals"]), 'Set uid "totals"');
  assert.equal(fix(["dedupe", "totals", "process"]), 'Set uid "totals"');
  assert.equal(fix(["dedupe", "process"]), 'Set uid "dedupe-2"');
  assert.equal(fix(["dedupe"]), 'Set uid "dedupe-2"');
  assert.equal(fix(["totals"], ['x.uid("totals").name("process")']), 'Set uid "totals-2"');
  assert.equal(applied(text, fixOf(missing(12, ["totals"]), text, "A.java", new Set())?.edits ?? []), 'a.process(f).uid("totals"); b.uid("dedupe");');
});

test("in Python a uid has the quotes that the file uses", () => {
  const one = "ds.process(F()).name('Totals')";
  assert.equal(applied(one, fixOf(missing(one.length, ["totals"]), one, "job.py", new Set())?.edits ?? []), `${one}.uid('totals')`);
  const two = 'ds.process(F()).name("Totals")';
  assert.equal(applied(two, fixOf(missing(two.length, ["totals"]), two, "job.py", new Set())?.edits ?? []), `${two}.uid("totals")`);
});

test("the hash of the old operator follows the uid in the style of the chain, and only where Flink takes one", () => {
  const hash = "0123456789abcdef0123456789abcdef";
  const text = "a\n    .process(f);";
  assert.equal(applied(text, keepStateFix(missing(17, ["f"], "\n    .uid("), text, "A.java", new Set(), hash)?.edits ?? []), `a\n    .process(f)\n    .uid("f")\n    .setUidHash("${hash}");`);
  assert.equal(keepStateFix(missing(16, ["f"], ".uid(", false), text, "A.java", new Set(), hash), undefined);
  assert.equal(keepStateFix(missing(16, ["f"]), text, "a.py", new Set(), hash), undefined);
  assert.equal(keepStateFix(missing(16, ["f"], " uid "), text, "a.scala", new Set(), hash), undefined);
});

test("all uids of a file are set at once, none twice, and a single one is no matter for that", () => {
  const text = "a.process(f); b.process(f);";
  const findings = [missing(12, ["f"]), missing(26, ["f"]), missing(26, ["f"])];
  const fix = fixAll(findings, text, "A.java", new Set());
  assert.equal(fix?.title, "Set uids for all 2 operators in this file");
  assert.equal(applied(text, fix.edits), 'a.process(f).uid("f"); b.process(f).uid("f-2");');
  assert.equal(fixAll(findings.slice(0, 1), text, "A.java", new Set()), undefined);
});

test("the comment that silences a finding is one that the analysis takes, also where lines are joined", () => {
  for (const [path, text, line] of [["A.java", "x\n    .process(f)", 1], ["a.py", "ds = a \\\n    .key_by(k) \\\n    .process(F())", 2], ["a.sql", "INSERT", 0], ["run.sh", "flink \\\n  cancel -s", 1]] as const) {
    const finding: Finding = { ...missing(0, []), range: at(0, line) };
    const place = suppressionOf(finding, text, path);
    const lines = text.split("\n");
    lines.splice(place.line, 0, `${place.indent}${place.comment}because`);
    assert.ok(isSuppressed(suppressionsOf(lines.join("\n")), "missing-uid", [place.line + 1]), path);
    assert.equal(place.line, path === "A.java" ? 1 : 0);
  }
});

test("a uid that is written out is known with its place; one that is put together, or in a comment, is not", () => {
  const text = ['a.uid("dedupe").name("x")', "b.uid('totals')", 'c.withUid( "join" );', 'd uid "scala"', '// e.uid("old")', '# f.uid("old")', 'g.uid(prefix + "h")', 'i.uid("j" + n)', 'k.uid(f"l{m}")', 'n.uid("$o")', 'p.setUidHash("00")', 'q.uid("")', 'r.uid(s"t")'].join("\n");
  const found = literalUids(text);
  assert.deepEqual(found.map(({ uid }) => uid), ["dedupe", "totals", "join", "scala"]);
  for (const { uid, start, end } of found) assert.equal(text.slice(start, end), uid);
});
