import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { findFiles, readText } from "../../src/clients/lintFiles";
import { loadSyntax } from "../../src/clients/syntax/treeSitter";
import { isLintable, LintWorkspace } from "../../src/core/lint/lintWorkspace";
import { isTestPath } from "../../src/core/lint/paths";
import { report, severityOf } from "../../src/core/lint/report";
import { runProgram } from "./program";

const syntax = await loadSyntax(path.join(process.cwd(), "dist"));
const folder = mkdtempSync(path.join(tmpdir(), "flink-savepoints-lint-"));
after(() => rmSync(folder, { recursive: true, force: true }));

for (const [name, file] of [["java", "WithUid.java"], ["kotlin", "Jobs.kt"], ["scala", "Jobs.scala"], ["scala", "Tables.scala"], ["scala", "Dedented.scala"]] as const) {
  test(`${file}: typed letter by letter at many places, it has the findings of the file read at once`, () => {
    const text = readFileSync(path.join(process.cwd(), "test", "fixtures", "lint", name, file), "utf8");
    const edited = new LintWorkspace(syntax);
    edited.open(file, text);
    for (let at = 40; at < text.length; at += Math.ceil(text.length / 25)) {
      edited.edit(file, [{ start: at, end: at + 1, text: "" }]);
      edited.findings(file);
      edited.edit(file, [{ start: at, end: at, text: text.slice(at, at + 1) }]);
      const fresh = new LintWorkspace(syntax);
      fresh.put(file, text);
      assert.deepEqual(edited.findings(file), fresh.findings(file), `after an edit at ${at}`);
    }
    edited.dispose();
  });
}

test("lines above move the findings, and a uid that is typed ends one", () => {
  const workspace = new LintWorkspace(syntax);
  const text = readFileSync(path.join(process.cwd(), "test", "fixtures", "lint", "java", "Sources.java"), "utf8");
  workspace.open("Sources.java", text);
  const [before] = workspace.findings("Sources.java");
  assert.ok(before !== undefined);
  workspace.edit("Sources.java", [{ start: text.indexOf("import "), end: text.indexOf("import "), text: "\n\n" }]);
  const [moved] = workspace.findings("Sources.java");
  assert.equal(moved?.range.start.line, before.range.start.line + 2);
  assert.ok(moved?.fix?.kind === "insert-uid");
  workspace.edit("Sources.java", [{ start: moved.fix.insertAt, end: moved.fix.insertAt, text: `${moved.fix.before}"${moved.fix.names[0] ?? ""}"${moved.fix.after}` }]);
  assert.ok(workspace.findings("Sources.java").every(({ range }) => range.start.line !== moved.range.start.line));
});

test("uids of every file that was read are known, as they stand after edits", () => {
  const workspace = new LintWorkspace(syntax);
  const job = (uid: string): string => `import org.apache.flink.streaming.api.datastream.DataStream;\nclass Job { void run(DataStream<String> s) { s.keyBy(x -> x).reduce((a, b) -> b).uid("${uid}").print(); } }`;
  workspace.open("A.java", job("first"));
  workspace.put("B.java", job("second"));
  workspace.put("job.py", "from pyflink.datastream import DataStream\ndef run(s: DataStream):\n    s.key_by(f).process(P()).uid('third')\n");
  assert.deepEqual(workspace.uids(), ["first", "second", "third"]);
  workspace.edit("A.java", [{ start: job("first").indexOf("first"), end: job("first").indexOf("first") + 5, text: "last" }]);
  assert.deepEqual(workspace.uids(), ["last", "second", "third"]);
  workspace.dispose();
});

test("tests are told by their folder and by their name", () => {
  for (const path of ["src/test/java/a/Job.java", "app/src/it/scala/Job.scala", "jobs/OrdersTest.java", "jobs/OrdersITCase.kt", "tests/test_orders.py"]) assert.ok(isTestPath(path), path);
  for (const path of ["src/main/java/a/Testing.java", "app/src/main/scala/Contest.scala", "jobs/Latest.java", "jobs/Orders.kt", "jobs/testing.py"]) assert.ok(!isTestPath(path), path);
});

test("a file that names Flink only after an edit is looked at from then on", () => {
  const workspace = new LintWorkspace(syntax);
  workspace.open("Job.java", "class Job { void run(StreamExecutionEnvironment env) { env.fromSource(a, b, \"c\").print(); } }");
  assert.deepEqual(workspace.findings("Job.java"), []);
  workspace.edit("Job.java", [{ start: 0, end: 0, text: "import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;\n" }]);
  assert.deepEqual(workspace.findings("Job.java").map(({ rule }) => rule), ["missing-uid"]);
});

test("whatever a file holds, it takes bounded time and ends without a warning out of a mistake", () => {
  const head = "import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;\nclass Job { void run(StreamExecutionEnvironment env) {";
  const workspace = new LintWorkspace(syntax);
  const texts: Record<string, string> = {
    "Deep.java": `${head} int x = ${"(".repeat(5000)}1${")".repeat(5000)}; } }`,
    "Blocks.java": `${head} ${"if (a) {".repeat(2000)} env.fromSource(a, b, "c"); ${"}".repeat(2000)} } }`,
    "Chain.java": `${head} env.fromSource(a, b, "c")${".map(x -> x)".repeat(2000)}.print(); } }`,
    "Classes.java": `import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;\n${"class A { ".repeat(5000)}${"}".repeat(5000)}`,
    "Objects.scala": `import org.apache.flink.streaming.api.scala._\n${"object A { ".repeat(1000)}${"}".repeat(1000)}`,
    "Open.java": `${head} env.fromSource(a, b, "c`,
    "Empty.java": "",
    "Noise.java": `${head}${")(}{][;".repeat(500)}`,
    "Deep.scala": `import org.apache.flink.streaming.api.scala._\nobject D { val x = ${"List(".repeat(1000)}1${")".repeat(1000)} }`,
    "Deep.kt": `import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment\nfun m() { ${"run { ".repeat(1000)}1${"}".repeat(1000)} }`,
  };
  for (const [file, text] of Object.entries(texts)) {
    workspace.put(file, text);
    assert.deepEqual(workspace.findings(file), [], file);
  }
  assert.equal(workspace.put("Binary.java", "import org.apache.flink;\0\u0001"), "not-text");
  assert.equal(workspace.put("Large.java", " ".repeat(8_000_001)), "too-large");
});

test("files are found in folders but for what tools make, and read whatever their encoding", async () => {
  const text = "import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;\n// \u00e9\nclass Job { void run(StreamExecutionEnvironment env) { env.fromSource(a, b, \"c\").print(); } }\n";
  writeFileSync(path.join(folder, "Utf8.java"), text);
  writeFileSync(path.join(folder, "Latin1.java"), Buffer.from(text, "latin1"));
  writeFileSync(path.join(folder, "Utf16.java"), Buffer.from(`\ufeff${text}`, "utf16le"));
  writeFileSync(path.join(folder, "note.txt"), text);
  const { files, unreadable } = await findFiles(folder, isLintable);
  assert.deepEqual(unreadable, []);
  const workspace = new LintWorkspace(syntax);
  for (const file of files) workspace.put(path.basename(file), await readText(file));
  assert.deepEqual(workspace.paths, ["Latin1.java", "Utf16.java", "Utf8.java"]);
  for (const file of workspace.paths) assert.deepEqual(workspace.findings(file).map(({ range }) => [range.start.line, range.start.character]), [[2, 59]], file);
  const gone = await findFiles(path.join(folder, "gone"), isLintable);
  assert.equal(gone.unreadable.length, 1);
});

test("the four formats say the same", () => {
  const workspace = new LintWorkspace(syntax);
  workspace.put("a/Job.java", "import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;\nclass Job { void run(StreamExecutionEnvironment env) { env.fromSource(a, b, \"c\").print(); } }");
  const findings = workspace.findings("a/Job.java").map((finding) => ({ file: "a/Job.java", finding, severity: severityOf(finding, new Map()) ?? "hint" }));
  assert.match(report("text", findings), /^a\/Job\.java:2:60: warning: `fromSource` keeps .* \[missing-uid\]$/);
  assert.match(report("github", findings), /^::warning file=a\/Job\.java,line=2,col=60,title=missing-uid::/);
  const [json] = JSON.parse(report("json", findings)) as Record<string, unknown>[];
  assert.deepEqual({ ...json, message: "" }, { file: "a/Job.java", line: 2, column: 60, rule: "missing-uid", severity: "warning", message: "" });
  const sarif = JSON.parse(report("sarif", findings)) as { runs: { results: { ruleId: string }[] }[] };
  assert.equal(sarif.runs[0]?.results[0]?.ruleId, "missing-uid");
});

test("as text, a uid that is set twice says where it is set first; as SARIF, a file outside of the working folder has an address", () => {
  const workspace = new LintWorkspace(syntax);
  const file = "/elsewhere/Job.java";
  workspace.put(file, "import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;\nclass Job { void run(StreamExecutionEnvironment env) {\nenv.fromElements(1).map(x -> x).uid(\"a\").print();\nenv.fromElements(1).map(x -> x).uid(\"a\").print(); } }");
  const findings = workspace.findings(file).filter(({ rule }) => rule === "duplicate-uid").map((finding) => ({ file, finding, severity: "error" as const }));
  assert.match(report("text", findings), /^\/elsewhere\/Job\.java:4:\d+: error: The uid a is set on another operator too.*\[duplicate-uid\]\n {4}\/elsewhere\/Job\.java:3:\d+: It is set here first\.$/);
  assert.match(report("sarif", findings), /"uri": "file:\/\/\/elsewhere\/Job\.java"/);
});

test("a file that is named alone is looked at with the rest of its project", async () => {
  const sources = path.join(folder, "project", "src");
  mkdirSync(sources, { recursive: true });
  writeFileSync(path.join(folder, "project", "pom.xml"), "<project/>");
  writeFileSync(path.join(sources, "Job.java"), [
    "package jobs;", "import org.apache.flink.streaming.api.datastream.*;",
    "class Job { void run(KeyedStream<String, String> keyed) { keyed.map(new Counting()).print(); } }",
  ].join("\n"));
  writeFileSync(path.join(sources, "Counting.java"), [
    "package jobs;", "import org.apache.flink.api.common.functions.RichMapFunction;",
    "class Counting extends RichMapFunction<String, String> { public String map(String x) { getRuntimeContext().getState(count); return x; } }",
  ].join("\n"));
  const { out, code } = await runProgram(["lint", "Job.java", "--format", "json"], { cwd: sources });
  assert.deepEqual((JSON.parse(out) as { file: string; line: number }[]).map(({ file, line }) => `${file}:${line}`), ["Job.java:3"]);
  assert.equal(code, 1);
});
