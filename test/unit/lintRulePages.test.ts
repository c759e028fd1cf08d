import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, describe, test } from "node:test";
import { loadSyntax } from "../../src/clients/syntax/treeSitter";
import { LintWorkspace } from "../../src/core/lint/lintWorkspace";
import { ruleOf, rules, type LanguageId, type RuleId } from "../../src/core/lint/rules";

const folder = path.resolve("docs/rules");
const ids = Object.keys(rules) as RuleId[];
const page = (id: RuleId): string => readFileSync(path.join(folder, `${id}.md`), "utf8");
const titles: Readonly<Record<LanguageId, string>> = { java: "Java", kotlin: "Kotlin", scala: "Scala", python: "Python", shell: "Shell", config: "Configuration", sql: "SQL" };
const fileNames: Readonly<Record<LanguageId, string>> = { java: "Job.java", kotlin: "job.kt", scala: "Job.scala", python: "job.py", shell: "job.sh", config: "flink-conf.yaml", sql: "job.sql" };

test("every rule has its page, and every page its rule", () => {
  assert.deepEqual(readdirSync(folder).sort(), ids.map((id) => `${id}.md`).sort());
});

test("a page begins with its rule's title and id, says why, and how to suppress it", () => {
  for (const id of ids) {
    const text = page(id);
    assert.ok(text.startsWith(`# ${ruleOf(id).title}\n\n\`${id}\` · `), id);
    for (const part of ["## Why\n", "## Suppress\n", "## Severity\n", `flink-lint: ignore[${id}]`]) assert.ok(text.includes(part), `${id}: ${part}`);
  }
});

test("a page has an example for each language of its rule, and for no other", () => {
  for (const id of ids) {
    const shown = Array.from(page(id).matchAll(/^## (.+)$/gm), (match) => match[1]).filter((title) => Object.values(titles).includes(title ?? ""));
    assert.deepEqual(shown, ruleOf(id).languages.map((language) => titles[language]), id);
  }
});

describe("what a page shows as reported is reported by that rule alone, and what it shows as clean is clean", async () => {
  const workspace = new LintWorkspace(await loadSyntax(path.resolve("dist")));
  after(() => workspace.dispose());
  for (const id of ids) {
    test(id, () => {
      for (const language of ruleOf(id).languages) {
        const [, section = ""] = page(id).split(`\n## ${titles[language]}\n`);
        const examples = Array.from(section.matchAll(/^(Reported|Clean):\n\n```\w+\n([\s\S]*?)\n```$/gm)).slice(0, 2);
        assert.deepEqual(examples.map(([, kind]) => kind), ["Reported", "Clean"], `${id} in ${language}`);
        for (const [, kind, text = ""] of examples) {
          workspace.put(fileNames[language], `${text}\n`);
          const found = [...new Set(workspace.findings(fileNames[language]).map(({ rule }) => rule))];
          workspace.remove(fileNames[language]);
          assert.deepEqual(found, kind === "Reported" ? [id] : [], `${id} in ${language}, ${kind ?? ""}`);
        }
      }
    });
  }
});
