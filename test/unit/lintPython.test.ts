import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, describe, test } from "node:test";
import { loadSyntax } from "../../src/clients/syntax/treeSitter";
import type { Finding, FixData } from "../../src/core/lint/finding";
import { LintWorkspace } from "../../src/core/lint/lintWorkspace";
import { fixtures, foundIn, workspaceOf } from "./lintFixtures";

const syntax = await loadSyntax(path.resolve("dist"), ["python"]);
const head = "from pyflink.datastream import DataStream, StreamExecutionEnvironment\nfrom pyflink.datastream.functions import KeyedProcessFunction\n\n\nclass Count(KeyedProcessFunction):\n    pass\n\n\ndef build(env: StreamExecutionEnvironment, orders: DataStream):\n";

function lint(text: string): readonly Finding[] {
  const workspace = new LintWorkspace(syntax);
  workspace.put("job.py", text);
  const findings = workspace.findings("job.py");
  workspace.dispose();
  return findings;
}

function applied(text: string, fix: FixData | undefined): string {
  assert.ok(fix !== undefined);
  if (fix.kind === "edits") return [...fix.edits].reverse().reduce((before, { start, end, text: inserted }) => before.slice(0, start) + inserted + before.slice(end), text);
  const quoted = `"${fix.names[0] ?? ""}"`;
  return fix.kind === "insert-uid" ? text.slice(0, fix.insertAt) + fix.before + quoted + fix.after + text.slice(fix.insertAt) : text.slice(0, fix.start) + quoted + text.slice(fix.end);
}

describe("a uid is inserted behind the operator, in the style of its chain", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["    orders.key_by(f).process(Count()).print()", "    orders.key_by(f).process(Count()).uid(\"count\").print()"],
    ["    totals = orders.key_by(f).process(Count()).set_parallelism(2)", "    totals = orders.key_by(f).process(Count()).set_parallelism(2).uid(\"totals\")"],
    ["    orders.key_by(f).process(Count()).name(\"Count orders\")", "    orders.key_by(f).process(Count()).name(\"Count orders\").uid(\"count-orders\")"],
    ["    (\n        orders.key_by(f)\n        .process(Count())  # counts\n        .print()\n    )", "    (\n        orders.key_by(f)\n        .process(Count())\n        .uid(\"count\")  # counts\n        .print()\n    )"],
    ["    orders.key_by(f) \\\n        .process(Count()) \\\n        .print()", "    orders.key_by(f) \\\n        .process(Count()) \\\n        .uid(\"count\") \\\n        .print()"],
    ["    env.from_source(\n        source,\n        watermarks,\n        \"Kafka orders\",\n    ).print()", "    env.from_source(\n        source,\n        watermarks,\n        \"Kafka orders\",\n    ).uid(\"kafka-orders-source\").print()"],
  ];
  for (const [code, wanted] of cases) {
    test(wanted.trim().split("\n")[0] ?? "", () => {
      const [finding] = lint(`${head}${code}\n`).filter(({ rule }) => rule === "missing-uid");
      const fixed = applied(`${head}${code}\n`, finding?.fix);
      assert.equal(fixed, `${head}${wanted}\n`);
      assert.deepEqual(foundIn(lint(fixed)), []);
    });
  }
});

test("a finding stands at the method's name, and tells where the stream became keyed", () => {
  const [finding] = lint(`${head}    orders.key_by(f).process(Count())\n`);
  assert.deepEqual(finding?.range.start, { line: 9, character: 21, offset: head.length + 21 });
  assert.deepEqual(finding.related.map(({ range, text }) => [range.start.character, text]), [[11, "The stream becomes keyed here."]]);
});

test("the names of uids that change, repeat or are empty are replaced by one that does not", () => {
  for (const uid of ["\"\"", "f\"{uuid.uuid4()}\""]) {
    const text = `import uuid\n${head}    orders.key_by(f).process(Count()).uid(${uid})\n`;
    assert.ok(applied(text, lint(text)[0]?.fix).endsWith(".uid(\"count\")\n"));
  }
  const twice = `${head}    orders.key_by(f).process(Count()).uid("a").uid("b")\n`;
  assert.ok(applied(twice, lint(twice)[0]?.fix).endsWith(".process(Count()).uid(\"b\")\n"));
});

test("half-typed code is not warned about, and the code around it still is", () => {
  assert.deepEqual(foundIn(lint(`${head}    orders.key_by(f).process(Count()).\n`)), []);
  assert.deepEqual(foundIn(lint(`${head}    orders.key_by(f).process(Count()).uid(\n`)), []);
  assert.deepEqual(foundIn(lint(`${head}    orders.key_by(f).process(Count())\n\n\ndef other(:\n    pass\n`)), ["10: missing-uid"]);
});

test("an edited file is found to have the same as one read anew", () => {
  const text = readFileSync(path.join(fixtures, "python", "keyed.py"), "utf8");
  const edited = new LintWorkspace(syntax);
  edited.open("keyed.py", text);
  let now = text;
  for (const [word, instead] of [["Count(KeyedProcessFunction)", "Count( KeyedProcessFunction)"], ["keyed.sum(1)", "\n\nkeyed.sum(1).uid(\"sum\")"], ["def twice(value):", "def twice(value, more=1):"]] as const) {
    const start = now.indexOf(word);
    edited.edit("keyed.py", [{ start, end: start + word.length, text: instead }]);
    now = now.replace(word, instead);
    const anew = new LintWorkspace(syntax);
    anew.put("keyed.py", now);
    assert.deepEqual(edited.findings("keyed.py"), anew.findings("keyed.py"));
    anew.dispose();
  }
  edited.dispose();
});

test("any piece of any fixture is read without a throw", async () => {
  const { workspace, files } = await workspaceOf(path.join(fixtures, "python"));
  workspace.dispose();
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
  for (const file of files) {
    const text = readFileSync(path.join(fixtures, "python", file), "utf8");
    for (let round = 0; round < 6; round++) {
      const from = random(text.length + 1);
      lint(text.slice(0, from) + text.slice(from + random(200)));
    }
  }
});

test("deeply nested, endless and recursive code ends", () => {
  const nested = `${head}    x = ${"(".repeat(3_000)}orders${")".repeat(3_000)}\n`;
  const chained = `${head}    orders${".map(f)".repeat(5_000)}.key_by(f).process(Count())\n`;
  const recursive = `${head}    a(orders)\n\n\ndef a(s: DataStream):\n    return b(s.map(f)), b(s)\n\n\ndef b(s):\n    return a(s), a(s.key_by(f)), c(s), c(s)\n\n\ndef c(s):\n    return d(s), d(s), d(s)\n\n\ndef d(s):\n    return a(s), b(s), c(s)\n`;
  const fan = `${head}    f0(orders)\n${Array.from({ length: 14 }, (_, at) => `\n\ndef f${at}(s):\n${`    f${at + 1}(s)\n`.repeat(8)}`).join("")}\n\ndef f14(s):\n    s.key_by(f).process(Count())\n`;
  for (const text of [nested, chained, recursive, fan]) {
    const from = performance.now();
    lint(text);
    assert.ok(performance.now() - from < 40_000, text.slice(head.length, head.length + 20));
  }
});

after(() => undefined);

test("the last of thousands of functions in one file is looked at as the first is", () => {
  const calm = "    x = 1\n".repeat(20);
  const text = `${head}    pass\n\n${Array.from({ length: 3000 }, (_, at) => `def job${at}(orders: DataStream):\n${calm}    orders.key_by(f).process(Count())\n`).join("")}`;
  const missing = lint(text).filter(({ rule }) => rule === "missing-uid");
  assert.equal(missing.length, 3000);
});
