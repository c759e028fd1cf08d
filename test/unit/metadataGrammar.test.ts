import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";
import type * as oniguruma from "vscode-oniguruma";
import type * as textmate from "vscode-textmate";

// Both are CommonJS, which names its exports only when it is run.
const load = createRequire(path.join(process.cwd(), "package.json"));
const { Registry, INITIAL, parseRawGrammar } = load("vscode-textmate") as typeof textmate;
const { loadWASM, OnigScanner, OnigString } = load("vscode-oniguruma") as typeof oniguruma;

const file = path.join(process.cwd(), "syntaxes", "flink-savepoint.tmLanguage.json");

async function grammar(): Promise<textmate.IGrammar> {
  await loadWASM({ data: readFileSync(load.resolve("vscode-oniguruma/release/onig.wasm")) });
  const registry = new Registry({
    onigLib: Promise.resolve({ createOnigScanner: (patterns) => new OnigScanner(patterns), createOnigString: (text) => new OnigString(text) }),
    loadGrammar: () => Promise.resolve(parseRawGrammar(readFileSync(file, "utf8"), file)),
  });
  const found = await registry.loadGrammar("source.flink-savepoint");
  assert.ok(found);
  return found;
}

/** What each word of a line is: `[text, last scope without the language]`, words without a scope left out. */
function scopesOf(tokens: textmate.IGrammar, line: string): (readonly [string, string])[] {
  return tokens.tokenizeLine(line, INITIAL).tokens.flatMap(({ startIndex, endIndex, scopes }) => {
    const scope = (scopes.at(-1) ?? "").replace(/\.?flink-savepoint$/, "");
    return scope === "source" || scope.startsWith("punctuation") ? [] : [[line.slice(startIndex, endIndex), scope] as const];
  });
}

test("the grammar tells sections, facts, names, ids, sizes, types, places, problems and remarks apart", async () => {
  const tokens = await grammar();
  const id = "e7beec23fd9f6ed5e1b8395129d43728";
  const property = "variable.other.property";
  const number = "constant.numeric";
  const lines: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
    ["snapshot", [["snapshot", "keyword.control"]]],
    ["problems 3", [["problems", "keyword.control"], ["3", number]]],
    ['operator "Source: a \\" b"', [["operator", "keyword.control"], ['"Source: a \\" b"', "entity.name.function.operator"]]],
    [`operator ${id}`, [["operator", "keyword.control"], [id, "entity.name.function.operator"]]],
    ["  kind              native savepoint", [["kind", property], ["native savepoint", "entity.name.type.kind"]]],
    ['  uid               "keyed"', [["uid", property], ['"keyed"', "string.quoted.double"]]],
    [`  id                ${id}`, [["id", property], [id, "variable.other.constant.id"]]],
    ["  max parallelism   1,024", [["max parallelism", property], ["1,024", number]]],
    ["  size              5,524 B (5.4 kB), keyed", [["size", property], ["5,524", number], ["B", "keyword.other.unit"], ["5.4", number], ["kB", "keyword.other.unit"]]],
    ["    output channels 16 B", [["output channels", property], ["16", number], ["B", "keyword.other.unit"]]],
    ["  files             3 below s3://bucket/a/shared", [["files", property], ["3", number], ["s3://bucket/a/shared", "string.unquoted.location"]]],
    ["  key               com.acme.Key", [["key", property], ["com.acme.Key", "entity.name.type.class"]]],
    ['  state "a": map<string, POJO com.acme.Seen {id: long}>, TTL', [
      ["state", "keyword.other.state"], ['"a"', "string.quoted.double"], ["map", "storage.type"], ["string", "support.type.primitive"], ["POJO", "storage.type"],
      ["com.acme.Seen", "entity.name.type.class"], ["id", property], ["long", "support.type.primitive"], ["TTL", "storage.type"],
    ]],
    ["  error             The file ends here.", [["error", "invalid.illegal.problem"], ["The file ends here.", "markup.problem"]]],
    ["  # 3 more states left out.", [["  # 3 more states left out.", "comment.line.number-sign"]]],
  ];
  for (const [line, expected] of lines) assert.deepEqual(scopesOf(tokens, line), expected, line);
});
