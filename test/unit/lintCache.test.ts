import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { digestOf } from "../../src/clients/lintCache/digest";
import { decodeFacts, FactsEncoder } from "../../src/clients/lintCache/factsCodec";
import { cacheFolder, LintCache, type LintRun } from "../../src/clients/lintCache/lintCache";
import { findFiles, readText } from "../../src/clients/lintFiles";
import { loadSyntax } from "../../src/clients/syntax/treeSitter";
import { isLintable, LintWorkspace } from "../../src/core/lint/lintWorkspace";
import { report, severityOf } from "../../src/core/lint/report";
import type { KeptFile, LintFile } from "../../src/core/lint/shareProtocol";
import { fixtures, workspaceOf } from "./lintFixtures";
import { runProgram } from "./program";
import { seeded } from "./seeded";

const scratch = mkdtempSync(path.join(tmpdir(), "flink-savepoints-lint-cache-"));
after(() => rmSync(scratch, { recursive: true, force: true }));
const syntax = await loadSyntax(path.resolve("dist"));
const build = readFileSync(path.resolve("dist", "worker", "lint.build"), "utf8");
const signal = new AbortController().signal;

/** Files of which others say what is wrong in them: what a function keeps, whether a caller sets the uid, which release it is. */
const project: Readonly<Record<string, string>> = {
  "pom.xml": "<project><properties><flink.version>1.20.0</flink.version></properties></project>",
  "src/main/java/a/Job.java": "package a;\nimport org.apache.flink.streaming.api.datastream.*;\nclass Job {\n  void run(KeyedStream<String, String> keyed) {\n    keyed.map(new Counting()).print();\n    Steps.deduplicated(keyed).print();\n  }\n}\n",
  "src/main/java/a/Counting.java": "package a;\nimport org.apache.flink.api.common.functions.RichMapFunction;\nclass Counting extends RichMapFunction<String, String> {\n  public String map(String x) { getRuntimeContext().getState(count); return x; }\n}\n",
  "src/main/java/a/Steps.java": "package a;\nimport org.apache.flink.streaming.api.datastream.*;\nclass Steps {\n  static SingleOutputStreamOperator<String> deduplicated(KeyedStream<String, String> keyed) {\n    return keyed.reduce((one, other) -> one);\n  }\n}\n",
  "src/main/kotlin/a/Jobs.kt": "package a\nimport org.apache.flink.streaming.api.datastream.DataStream\nfun latest(words: DataStream<String>) = words.keyBy { it }.map(Counting())\nfun run(words: DataStream<String>) { latest(words).uid(\"latest\").print() }\n",
  "jobs/steps.py": "from pyflink.datastream import DataStream, KeyedProcessFunction\nclass Count(KeyedProcessFunction):\n    def process_element(self, value, ctx):\n        self.get_runtime_context().get_state(self.count)\ndef counted(stream: DataStream):\n    return stream.key_by(lambda x: x).process(Count())\n",
  "jobs/job.py": "from pyflink.datastream import StreamExecutionEnvironment\nfrom steps import counted\nenv = StreamExecutionEnvironment.get_execution_environment()\ncounted(env.from_collection([1])).print()\nenv.execute()\n",
};

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
}

/** What the program must say of a folder: its files read anew, in this process. */
async function expectedOf(folder: string): Promise<string> {
  const { files } = await findFiles(folder, isLintable);
  const named = files.map((file) => ({ file, name: path.relative(folder, file).split(path.sep).join("/") })).sort((a, b) => (a.name < b.name ? -1 : 1));
  const workspace = new LintWorkspace(syntax);
  for (const { file, name } of named) workspace.put(name, await readText(file));
  const reported = named.flatMap(({ name }) => workspace.findings(name).flatMap((finding) => {
    const severity = severityOf(finding, new Map());
    return severity === undefined ? [] : [{ file: name, finding, severity }];
  }));
  workspace.dispose();
  return report("json", reported);
}

async function lint(folder: string, cache: string): Promise<string> {
  const { out, err } = await runProgram(["lint", ".", "--format", "json"], { cwd: folder, cache });
  assert.equal(err, "");
  return out.trim();
}

/** Files of the cache, by their ends. */
function kept(cache: string, end = ""): readonly string[] {
  return readdirSync(path.join(cache, "lint")).filter((name) => name.endsWith(end)).map((name) => path.join(cache, "lint", name));
}

/** As the program asks its cache. */
async function runOf(folder: string, over: Partial<LintRun> = {}): Promise<{ readonly run: LintRun; readonly files: readonly LintFile[] }> {
  const { files } = await findFiles(folder, isLintable);
  const named = files.map((file) => ({ path: path.relative(folder, file).split(path.sep).join("/"), file, wanted: true })).sort((a, b) => (a.path < b.path ? -1 : 1));
  return { run: { workingFolder: folder, roots: ["."], build, ...over }, files: named };
}

describe("what runs of the lint keep for the next ones", () => {
  test("after random edits of files that say what others keep, a run with a cache finds what one without finds", async () => {
    const folder = path.join(scratch, "edited");
    const cache = path.join(scratch, "edited-cache");
    write(folder, project);
    // More than a thread takes alone.
    for (let copy = 0; copy < 2; copy++) for (const language of ["java", "kotlin", "scala", "python"]) cpSync(path.join(fixtures, language), path.join(folder, `copy${copy}`, language), { recursive: true });
    const random = seeded(11);
    const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
    const names = Object.keys(project);
    const edits: readonly ((text: string) => string)[] = [
      (text) => text.split("\n").filter((_, at, all) => at !== Math.floor(random() * all.length)).join("\n"),
      (text) => text.replace("getState", "getMetricGroup").replace("get_state", "get_metrics_group"),
      (text) => text.replace("one, other) -> one)", "one, other) -> one).uid(\"newest\")").replace("Count())", "Count()).uid('count')"),
      (text) => text.replace(".uid(\"latest\")", ""),
      (text) => text.replace("1.20.0", "2.1.0"),
      (text) => `\n${text}`,
    ];
    for (let round = 0; round < 9; round++) {
      const expected = await expectedOf(folder);
      assert.equal(await lint(folder, cache), expected, `round ${round}`);
      const name = pick(names);
      const file = path.join(folder, name);
      if (round % 5 === 4) rmSync(file, { force: true });
      else write(folder, { [name]: round % 3 === 2 ? (project[name] ?? "") : pick(edits)(readIfThere(file) ?? project[name] ?? "") });
    }
    assert.equal(kept(cache, ".findings").length, 1);
    assert.equal(kept(cache, ".facts").length, 1);
  });

  test("a second run of unchanged files tells what was kept; a changed byte, a new file or a file that is gone ends that", async () => {
    const folder = path.join(scratch, "same");
    const cache = path.join(scratch, "same-cache");
    write(folder, project);
    const found = await lint(folder, cache);
    const { run, files } = await runOf(folder);
    assert.ok((JSON.parse(found) as unknown[]).length >= 3);
    const before = await new LintCache(cache, run).findings(files, signal);
    assert.deepEqual(before?.map((each) => each.path).sort(), files.map((each) => each.path));
    assert.equal((await new LintCache(cache, run).known()).size, 6);
    assert.equal(await lint(folder, cache), found);
    assert.equal(await new LintCache(cache, run).findings(files.slice(1), signal), undefined);
    assert.equal(await new LintCache(cache, run).findings(files.map((each, at) => (at === 0 ? { ...each, wanted: false } : each)), signal), undefined);
    writeFileSync(path.join(folder, "jobs/job.py"), `${project["jobs/job.py"] ?? ""} `);
    assert.equal(await new LintCache(cache, run).findings(files, signal), undefined);
    rmSync(path.join(folder, "jobs/job.py"));
    assert.equal(await new LintCache(cache, run).findings(files, signal), undefined);
  });

  test("what another build, another version of Node or a run elsewhere kept is not taken, not even under the name of ours", async () => {
    const folder = path.join(scratch, "builds");
    const cache = path.join(scratch, "builds-cache");
    write(folder, project);
    await lint(folder, cache);
    const { run, files } = await runOf(folder);
    for (const other of [{ ...run, build: "another" }, { ...run, workingFolder: path.join(folder, "jobs") }]) {
      assert.equal(await new LintCache(cache, other).findings(files, signal), undefined);
      assert.equal((await new LintCache(cache, other).known()).size, 0);
    }
    const theirs = path.join(scratch, "theirs-cache");
    const old = new LintCache(theirs, { ...run, build: "another" });
    await old.keep(files, files.map((each) => ({ path: each.path, findings: [], skip: null, failure: null, digest: digestOf([readFileSync(each.file)]), facts: new FactsEncoder().encode({ path: each.path, classes: [], functions: [] }) })));
    for (const end of [".findings", ".facts"]) {
      const [ours, their] = [kept(cache, end)[0], kept(theirs, end)[0]];
      assert.ok(ours !== undefined && their !== undefined);
      writeFileSync(ours, readFileSync(their));
    }
    assert.equal(await lint(folder, cache), await expectedOf(folder));
  });

  test("a damaged file of the cache is none: cut, with a byte changed, empty, a folder", async () => {
    const folder = path.join(scratch, "damaged");
    const cache = path.join(scratch, "damaged-cache");
    write(folder, project);
    const found = await lint(folder, cache);
    const random = seeded(5);
    const damages: readonly ((file: string) => void)[] = [
      (file) => writeFileSync(file, readFileSync(file).subarray(0, Math.floor(statSync(file).size * random()))),
      (file) => {
        const bytes = readFileSync(file);
        const at = Math.floor(bytes.length * random());
        bytes[at] = (bytes[at] ?? 0) ^ 4;
        writeFileSync(file, bytes);
      },
      (file) => writeFileSync(file, ""),
      (file) => {
        rmSync(file);
        mkdirSync(file);
      },
    ];
    for (const damage of damages) {
      for (const file of kept(cache)) damage(file);
      const { run, files } = await runOf(folder);
      assert.equal(await new LintCache(cache, run).findings(files, signal), undefined);
      assert.equal((await new LintCache(cache, run).known()).size, 0);
      assert.equal(await lint(folder, cache), found);
      // A folder in the way of a file stays in the way.
      for (const file of kept(cache)) if (statSync(file).isDirectory()) rmSync(file, { recursive: true });
    }
  });

  test("facts that somebody put there reach neither another path nor a prototype; what is no facts is read anew", async () => {
    const folder = path.join(scratch, "hostile");
    const cache = path.join(scratch, "hostile-cache");
    write(folder, project);
    const { run, files } = await runOf(folder);
    const encoder = new FactsEncoder();
    const forged = [encoder.encode({ path: "../elsewhere.java", classes: [], functions: [] }), encoder.encode(JSON.parse("{\"__proto__\": {\"path\": \"x\"}}")), Uint8Array.of(255, 255, 255, 255, 255, 255, 255), encoder.encode(7)];
    // A file that was not read keeps the findings from being taken.
    const results = files.map((each, at): KeptFile => ({ path: each.path, findings: [], skip: at === 0 ? "too-slow" : null, failure: null, digest: digestOf([readFileSync(each.file)]), facts: forged[at % forged.length] ?? null }));
    await new LintCache(cache, run).keep(files, results);
    assert.equal((await new LintCache(cache, run).known()).size, files.length);
    assert.equal(await lint(folder, cache), await expectedOf(folder));
  });

  test("several processes share a cache: each finds all, and what is left can be read", async () => {
    const folder = path.join(scratch, "shared");
    const cache = path.join(scratch, "shared-cache");
    write(folder, project);
    const expected = await expectedOf(folder);
    assert.deepEqual(await Promise.all([1, 2, 3].map(() => lint(folder, cache))), [expected, expected, expected]);
    assert.deepEqual(kept(cache, ".tmp"), []);
    const { run, files } = await runOf(folder);
    assert.ok(await new LintCache(cache, run).findings(files, signal) !== undefined);
  });

  test("nothing is kept with --no-cache, nor where the folder can't be made, and findings are the same", async () => {
    const folder = path.join(scratch, "without");
    const cache = path.join(scratch, "without-cache");
    write(folder, project);
    const expected = await expectedOf(folder);
    assert.equal((await runProgram(["lint", ".", "--format", "json", "--no-cache"], { cwd: folder, cache })).out.trim(), expected);
    assert.throws(() => statSync(cache));
    assert.equal(await lint(folder, path.join(folder, "pom.xml")), expected);
  });

  test("what was not used for long goes, and what is not the cache's stays", async () => {
    const folder = path.join(scratch, "tidied");
    const cache = path.join(scratch, "tidied-cache");
    write(folder, project);
    mkdirSync(path.join(cache, "lint"), { recursive: true });
    const long = new Date(Date.now() - 61 * 24 * 3_600_000);
    const plant = (name: string, at: Date): void => {
      writeFileSync(path.join(cache, "lint", name), name);
      utimesSync(path.join(cache, "lint", name), at, at);
    };
    plant(`${"a".repeat(32)}.facts`, long);
    plant(`${"b".repeat(32)}.findings`, new Date());
    plant(`${"c".repeat(32)}.facts.${"0".repeat(16)}.tmp`, long);
    plant("notes.txt", long);
    await lint(folder, cache);
    const names = kept(cache).map((file) => path.basename(file));
    assert.ok(names.includes("notes.txt") && names.includes(`${"b".repeat(32)}.findings`));
    assert.equal(names.filter((name) => /^[ac]{32}/.test(name)).length, 0);
  });

  test("the cache lies where the system keeps such things, where FLINK_SAVEPOINTS_CACHE says, or nowhere", () => {
    assert.equal(cacheFolder({ FLINK_SAVEPOINTS_CACHE: "off" }), undefined);
    assert.equal(cacheFolder({ FLINK_SAVEPOINTS_CACHE: "/var/cache/lint" }), "/var/cache/lint");
    assert.equal(cacheFolder({ XDG_CACHE_HOME: "/caches" }, "linux"), "/caches/flink-savepoints");
    assert.match(cacheFolder({ XDG_CACHE_HOME: "relative" }, "linux") ?? "", /\.cache\/flink-savepoints$/);
    assert.match(cacheFolder({}, "darwin") ?? "", /Library\/Caches\/flink-savepoints$/);
  });
});

describe("facts as bytes", () => {
  test("facts of every fixture come back as they were", async () => {
    const encoder = new FactsEncoder();
    for (const language of ["java", "kotlin", "scala", "python", "java-parsed"]) {
      const { workspace, files } = await workspaceOf(path.join(fixtures, language));
      for (const file of files) {
        const facts = workspace.facts(file);
        if (facts !== undefined) assert.deepEqual(plain(decodeFacts(encoder.encode(facts))), plain(facts), file);
      }
      workspace.dispose();
    }
  });

  test("whatever plain data goes in comes out", () => {
    const random = seeded(3);
    const number = (below: number): number => Math.floor(random() * below);
    const leaves = [undefined, null, true, false, 0, 1, -1, 127, 128, -300, 0.5, Number.NaN, -0, 2 ** 40, -(2 ** 31), 2 ** 52, "", "a", "größer", "流れ", "a".repeat(300)];
    const data = (depth: number): unknown => {
      const many = <T>(make: () => T): T[] => Array.from({ length: number(5) }, make);
      switch (depth === 0 ? 0 : number(6)) {
        case 1: return many(() => data(depth - 1));
        case 2: return new Map(many(() => [leaves[number(leaves.length)], data(depth - 1)]));
        case 3: return new Set(many(() => leaves[number(leaves.length)]));
        case 4: return Object.fromEntries(many(() => [`key${number(6)}`, data(depth - 1)]));
        case 5: return { name: "body of", body: data(depth - 1), base: number(1000) };
        default: return leaves[number(leaves.length)];
      }
    };
    const encoder = new FactsEncoder();
    for (let round = 0; round < 500; round++) {
      const value = data(5);
      assert.deepStrictEqual(plain(decodeFacts(encoder.encode(value))), plain(value));
    }
  });

  test("bytes that are cut or changed are refused or are other data, and neither hang nor fill the memory", () => {
    const random = seeded(9);
    const bytes = new FactsEncoder().encode({ path: "a", called: new Set(["b", "c"]), imports: new Map([["d", "e"]]), functions: [{ name: "f", body: { parts: [1, "two", null, 3.5] }, base: 4 }] });
    for (let round = 0; round < 3_000; round++) {
      const damaged = bytes.slice(0, round % 2 === 0 ? bytes.length : Math.floor(random() * bytes.length));
      for (let flips = 1 + (round % 3); flips > 0 && damaged.length > 0; flips--) damaged[Math.floor(random() * damaged.length)] = Math.floor(random() * 256);
      try {
        plain(decodeFacts(damaged));
      } catch (error) {
        assert.ok(error instanceof Error, String(error));
      }
    }
  });
});

/** The same with every body made. */
function plain(value: unknown): unknown {
  return structuredClone(value);
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
