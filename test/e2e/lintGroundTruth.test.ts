import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { after, describe, it } from "node:test";
import { promisify } from "node:util";
import { loadSyntax } from "../../src/clients/syntax/treeSitter";
import { LintWorkspace } from "../../src/core/lint/lintWorkspace";

const run = promisify(execFile);
const fixtures = path.join(process.cwd(), "test", "fixtures", "lint", "java");
const audit = path.join(process.cwd(), "test", "jobs", "lintaudit");
const java = (tool: string): string => (process.env["JAVA_HOME"] === undefined ? tool : path.join(process.env["JAVA_HOME"], "bin", tool));
const files = readdirSync(fixtures).sort();
/** Those of Flink 1.x; what else differs between both lies beside the audit. */
const only1 = files.filter((file) => readFileSync(path.join(fixtures, file), "utf8").includes("Flink 1.x"));

/** Jobs whose graph is compared. The lines are those of operators with state in Flink that are no findings, and the other way round, each for a reason. */
const jobs: Readonly<Record<string, { readonly more?: readonly number[]; readonly less?: readonly number[] }>> = {
  Alternatives: {},
  KeyedOperators: {},
  Windows: {},
  Connected: {},
  Ends: {},
  // A sequence held in memory keeps its position, but nobody needs it back.
  Sources: { more: [line("Sources.java", "fromSequence")] },
  Sinks: {},
  // Not called, so not in the graph.
  WithUid: { less: [line("WithUid.java", "words.keyBy(word -> word).process(new Functions.PerKey()); // expect", "closed(")] },
  UidRules: {},
  NotFlink: {},
};

const { default: newest, enum: known } = (JSON.parse(readFileSync("package.json", "utf8")) as { contributes: { configuration: { properties: Record<string, { default: string; enum: string[] }> } } }).contributes.configuration.properties["flinkSavepoints.localFlink.version"] ?? { default: "", enum: [] };
const last1 = known.find((version) => version.startsWith("1.")) ?? "";

for (const { version, skipped } of [{ version: last1, skipped: [] as string[] }, { version: newest, skipped: only1 }]) {
  describe(`the Java fixtures of the lint on Flink ${version}`, () => {
    const classes = mkdtempSync(path.join(tmpdir(), "flink-savepoints-lint-"));
    const lib = path.join(homedir(), ".cache", "flink-savepoints", version, "lib");
    const classPath = [classes, ...readdirSync(lib).map((jar) => path.join(lib, jar))].join(path.delimiter);
    const own = path.join(audit, version.startsWith("1.") ? "flink1" : "flink2");
    const sources = files.filter((file) => !skipped.includes(file)).map((file) => path.join(fixtures, file));
    after(() => rmSync(classes, { recursive: true, force: true }));

    it("compile", async () => {
      await run(java("javac"), ["-nowarn", "-cp", classPath, "-d", classes, path.join(audit, "UidAudit.java"), ...readdirSync(own).map((file) => path.join(own, file)), ...sources]);
    });

    for (const [job, { more = [], less = [] }] of Object.entries(jobs).filter(([name]) => !skipped.includes(`${name}.java`))) {
      it(`${job}: every operator that Flink says is stateful and has no uid is found, and no other is`, async () => {
        const { stdout } = await run(java("java"), ["-cp", classPath, "org.apache.flink.streaming.api.environment.UidAudit", `jobs.${job}`, "x"]);
        const real = stdout.split("\n").flatMap((text) => /^(\w+)\.java:(\d+) stateful -$/.exec(text)?.slice(1, 3) ?? []).filter((_, at) => at % 2 === 1).map(Number);
        assert.deepEqual(unique(await found(`${job}.java`)), unique([...real.filter((at) => !more.includes(at)), ...less]));
      });
    }
  });
}

async function found(file: string): Promise<number[]> {
  const workspace = new LintWorkspace(await loadSyntax(path.join(process.cwd(), "dist"), ["java"]));
  for (const name of files) workspace.put(name, readFileSync(path.join(fixtures, name), "utf8"));
  return workspace.findings(file).filter(({ rule }) => rule === "missing-uid" || rule === "legacy-file-source").map(({ range }) => range.start.line + 1);
}

function unique(lines: readonly number[]): number[] {
  return [...new Set(lines)].sort((a, b) => a - b);
}

/** The line, from 1, of the first text that holds the words, behind the one that holds `behind`. */
function line(file: string, words: string, behind = ""): number {
  const lines = readFileSync(path.join(fixtures, file), "utf8").split("\n");
  const from = lines.findLastIndex((text) => text.includes(behind) && behind !== "");
  return lines.findIndex((text, at) => at > from && text.includes(words)) + 1;
}
