import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { mayBeLinted, mayMatter } from "../../src/core/lint/fileNames";
import { globExpression, matcherOf } from "../../src/core/lint/globs";
import { analysers } from "../../src/core/lint/analysers";
import { isLintable } from "../../src/core/lint/lintWorkspace";
import { lintChoiceOf } from "../../src/core/lint/lintSettings";
import type { Finding } from "../../src/core/lint/finding";
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
