import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { loadSyntax } from "../../src/clients/syntax/treeSitter";
import type { Finding, TextEdit } from "../../src/core/lint/finding";
import { fixAll, fixOf, keepStateFix, takenUids, uidsIn, type LintFix } from "../../src/core/lint/fixes";
import { LintWorkspace } from "../../src/core/lint/lintWorkspace";
import type { OperatorEntry } from "../../src/core/metadata/metadata";
import { operatorIdOf } from "../../src/core/metadata/operatorId";
import { inMemory } from "../../src/core/metadata/randomAccess";
import { scanMetadata } from "../../src/core/metadata/scan";
import { cacheFolder, checkExactlyOnce, startFlink, until, type TestFlink } from "../rig/flink";
import { countEntries } from "../unit/flinkFacts";
import { onDisk, scratchFolder } from "./support/disk";
import { Eyes } from "./support/eyes";

/** The last 1.x, where both kinds of sources and sinks are. */
const version = "1.20.5";
const run = promisify(execFile);
const root = process.cwd();
const scratch = scratchFolder("lint-fixes");
const lib = path.join(cacheFolder, version, "lib");
const flinkJars = readdirSync(lib).map((jar) => path.join(lib, jar));
const java = (tool: string): string => (process.env["JAVA_HOME"] === undefined ? tool : path.join(process.env["JAVA_HOME"], "bin", tool));

describe("the uids that quick fixes set in the Java fixtures of the lint", () => {
  const folder = path.join(root, "test", "fixtures", "lint", "java");
  const sources = path.join(scratch, "fixtures");
  const classPath = [path.join(scratch, "classes"), ...flinkJars].join(path.delimiter);
  const texts = new Map(readdirSync(folder).map((name) => [name, readFileSync(path.join(folder, name), "utf8")]));
  /** Jobs with uids missing. The lines are those with state in Flink that are no findings, or have no fix. */
  const jobs: Readonly<Record<string, readonly string[]>> = { KeyedOperators: [], Windows: [], Connected: [], Sinks: [], Sources: ["readTextFile", "fromSequence"] };
  const fixed = new Map<string, Fixed>();

  before(async () => {
    for (const job of Object.keys(jobs)) fixed.set(job, await fixedFile(`${job}.java`, texts));
    mkdirSync(sources);
    for (const [name, text] of texts) writeFileSync(path.join(sources, name), fixed.get(path.basename(name, ".java"))?.text ?? text);
  });

  it("leave nothing for the lint to find", async () => {
    for (const [job, { text, uids }] of fixed) {
      assert.ok(uids.length > 0, job);
      assert.deepEqual(missing(await lint(`${job}.java`, new Map([...texts, [`${job}.java`, text]]))), [], job);
    }
  });

  it("compile", async () => {
    const audit = ["UidAudit.java", path.join("flink1", "SourceRecording.java")].map((file) => path.join(root, "test", "jobs", "lintaudit", file));
    await run(java("javac"), ["-nowarn", "-cp", classPath, "-d", path.join(scratch, "classes"), ...audit, ...[...texts.keys()].map((name) => path.join(sources, name))]);
  });

  for (const [job, without] of Object.entries(jobs)) {
    it(`${job}: are those of the operators that were found, in Flink's graph, and no operator with state is left without`, async () => {
      const { text, uids } = fixed.get(job) ?? { text: "", uids: [] };
      const { stdout } = await run(java("java"), ["-cp", classPath, "org.apache.flink.streaming.api.environment.UidAudit", `jobs.${job}`, "x"]);
      const stateful = stdout.split("\n").flatMap((row) => {
        const [, file, line, uid] = /^(\w+)\.java:(\d+) stateful (\S+)$/.exec(row) ?? [];
        return file === job && uid !== undefined ? [{ line: Number(line), uid }] : [];
      });
      for (const { uid, offset } of uids) assert.deepEqual(stateful.filter((operator) => operator.uid === uid), [{ line: lineOf(text, offset), uid }]);
      const left = stateful.filter(({ uid }) => uid === "-").map(({ line }) => text.split("\n")[line - 1] ?? "");
      assert.deepEqual(left.filter((code) => !without.some((word) => code.includes(word))), []);
    });
  }
});

describe(`the quick fix that keeps the state, on Flink ${version}`, () => {
  const file = "CountingJob.java";
  const original = readFileSync(path.join(root, "test", "jobs", "keepstate", file), "utf8");
  const out = path.join(scratch, "out");
  const lines = (): string[] => (existsSync(path.join(out, "counts")) ? readFileSync(path.join(out, "counts"), "utf8").trimEnd().split("\n") : []);
  let flink: TestFlink;
  let eyes: Eyes;
  let first: string;
  let second: string;
  let old: { readonly source: string; readonly counts: string };
  let kept: Fixed;

  before(async () => {
    mkdirSync(out);
    flink = await startFlink(version, { extraConfig: { "web.refresh-interval": "100" } });
    eyes = new Eyes(flink);
  });
  after(() => flink?.stop());

  /** Runs a text of the job from a savepoint, every state of which must find its operator; resolves to the job's id. */
  const start = async (name: string, text: string, savepointPath?: string): Promise<string> =>
    flink.runTestJob({ out: path.join(out, "counts") }, { jar: await jarOf(name, file, text), ...(savepointPath === undefined ? {} : { savepointPath, allowNonRestoredState: false }) });
  /** Lets a job write on for a while and stops it; resolves to the savepoint. All that is written then is in the savepoint, and nothing else. */
  const stopped = async (jobId: string): Promise<string> => {
    await flink.waitUntilRunning(jobId);
    const before = lines().length;
    await until("more counts", async () => lines().length >= before + 100);
    const savepoint = onDisk(await flink.savepoint(jobId, "stop"));
    await flink.waitForState(jobId, "FINISHED");
    return savepoint;
  };
  const idsOfVertices = async (jobId: string): Promise<string[]> => (await flink.rest<{ vertices: { id: string }[] }>("GET", `/jobs/${jobId}`)).vertices.map(({ id }) => id);
  /** Counts and numbers of all runs so far go on without gaps or repetitions, and the savepoint holds them all. */
  const holdsEverything = async (savepoint: string): Promise<void> => {
    const written = await checkExactlyOnce(out);
    assert.deepEqual(lines().map((line) => Number(line.split(" ")[2])), Array.from({ length: written }, (_, number) => number));
    const { counts, stopped } = await countEntries(savepoint);
    assert.deepEqual([counts.get("count"), counts.get("seen"), stopped], [10, written, []]);
  };
  /** Runs a text of the job from the first savepoint, which Flink must refuse for the state of these operators, or one of them. */
  const refused = async (name: string, text: string, ids: readonly string[]): Promise<void> => {
    const programArgsList = ["--out", path.join(out, "counts")];
    const jar = await flink.upload(await jarOf(name, file, text));
    const answer = await eyes.rest("POST", `/jars/${jar}/run`, { programArgsList, savepointPath: first, allowNonRestoredState: false });
    assert.equal(answer.status, 400, answer.text);
    const [, id = answer.text] = /Cannot map checkpoint\/savepoint state for operator (\w+) to the new program/.exec(answer.text) ?? [];
    assert.ok(ids.includes(id), id);
  };

  it("a job without uids leaves a savepoint with automatic ids", async () => {
    const jobId = await start("automatic", original);
    first = await stopped(jobId);
    const operators = await operatorsIn(first);
    const [source, ...otherSources] = operators.filter(({ hasCoordinatorState }) => hasCoordinatorState);
    const [counts, ...others] = operators.filter(({ hasCoordinatorState }) => !hasCoordinatorState);
    assert.ok(source !== undefined && counts !== undefined);
    assert.deepEqual([...otherSources, ...others], []);
    old = { source: source.id, counts: counts.id };
    // Both head a chain, whose vertex Flink gives the same id.
    assert.deepEqual(await idsOfVertices(jobId), [old.source, old.counts]);
    await holdsEverything(first);
  });

  it("with uids alone Flink refuses that savepoint", async () => {
    await refused("uidAlone", (await fixedFile(file, new Map([[file, original]]))).text, [old.source, old.counts]);
  });

  it("with the fix the job goes on with its state, and its next savepoint has it under the new uids", async () => {
    kept = await keepStateOf(file, original, [old.source, old.counts]);
    assert.deepEqual(kept.uids.map(({ uid }) => uid), ["numbers-source", "count-per-key"]);
    assert.match(kept.text, new RegExp(`\\.uid\\("count-per-key"\\)\\s*\\.setUidHash\\("${old.counts}"\\)`));
    assert.deepEqual(missing(await lint(file, new Map([[file, kept.text]]))), []);

    const jobId = await start("kept", kept.text, first);
    second = await stopped(jobId);
    assert.equal(onDisk((await eyes.restored(jobId)).path ?? ""), first);
    assert.deepEqual((await operatorsIn(second)).map(({ id }) => id).sort(), [operatorIdOf("numbers-source"), operatorIdOf("count-per-key")].sort());
    await holdsEverything(second);
  });

  it("from that savepoint on the uid is enough, as the lint says of the hash that is left", async () => {
    const left = (await lint(file, new Map([[file, kept.text]]))).filter(({ rule }) => rule === "uid-hash-left");
    assert.deepEqual(left.map(({ range }) => range.start.line + 1), kept.text.split("\n").flatMap((code, at) => (code.includes("setUidHash") ? [at + 1] : [])));
    const text = kept.text.replace(/\s*\.setUidHash\("\w+"\)/g, "");
    assert.deepEqual(await lint(file, new Map([[file, text]])), []);

    const jobId = await start("uids", text, second);
    const third = await stopped(jobId);
    assert.deepEqual((await operatorsIn(third)).map(({ id }) => id).sort(), [operatorIdOf("numbers-source"), operatorIdOf("count-per-key")].sort());
    await holdsEverything(third);
  });

  it("a fix of the source alone changes the automatic id behind it, and Flink refuses the savepoint rather than losing state", async () => {
    await refused("sourceAlone", (await keepStateOf(file, original, [old.source])).text, [old.counts]);
  });
});

/** A text after its fixes; `offset` is where the operator's method name is now. */
interface Fixed {
  readonly text: string;
  readonly uids: readonly { readonly uid: string; readonly offset: number }[];
}

/** All uids of a file set: those that go together in one step, then each that is left. */
async function fixedFile(file: string, texts: ReadonlyMap<string, string>): Promise<Fixed> {
  const others = [...texts].flatMap(([name, text]) => (name === file ? [] : uidsIn(text)));
  const taken = (text: string): Set<string> => takenUids(text, others);
  let fixed: Fixed = { text: texts.get(file) ?? "", uids: [] };
  for (;;) {
    const { text } = fixed;
    const [next, ...more] = missing(await lint(file, new Map([...texts, [file, text]])));
    if (next === undefined) return fixed;
    const all = fixAll([next, ...more], text, file, taken(text));
    fixed = applied(fixed, [next, ...more], all ?? fixOf(next, text, file, taken(text)));
  }
}

/** The uids of a file set one after the other, each with the id that its operator had; as many as there are ids. */
async function keepStateOf(file: string, original: string, ids: readonly string[]): Promise<Fixed> {
  let fixed: Fixed = { text: original, uids: [] };
  for (const id of ids) {
    const [next] = missing(await lint(file, new Map([[file, fixed.text]])));
    assert.ok(next !== undefined);
    fixed = applied(fixed, [next], keepStateFix(next, fixed.text, file, takenUids(fixed.text), id));
  }
  return fixed;
}

function applied({ text, uids }: Fixed, findings: readonly Finding[], fix: LintFix | undefined): Fixed {
  assert.ok(fix !== undefined, text);
  const edits = [...fix.edits].sort((a, b) => a.start - b.start);
  const moved = (offset: number): number => edits.reduce((sum, { start, end, text: inserted }) => (end <= offset ? sum + inserted.length - (end - start) : sum), offset);
  const set = edits.flatMap((edit) => {
    const uid = /\.uid\("([^"]+)"\)/.exec(edit.text)?.[1];
    const finding = findings.find(({ fix }) => fix?.kind === "insert-uid" ? fix.insertAt === edit.start : fix?.kind === "edits" && fix.edits.some(({ start }) => start === edit.start));
    return uid === undefined || finding === undefined ? [] : [{ uid, offset: moved(finding.range.start.offset) }];
  });
  assert.ok(set.length > 0, fix.title);
  return { text: replaced(text, edits), uids: [...uids.map(({ uid, offset }) => ({ uid, offset: moved(offset) })), ...set] };
}

/** Edits of one text, in the order of their places. */
function replaced(text: string, edits: readonly TextEdit[]): string {
  return edits.reduceRight((before, { start, end, text: inserted }) => before.slice(0, start) + inserted + before.slice(end), text);
}

async function lint(file: string, texts: ReadonlyMap<string, string>): Promise<readonly Finding[]> {
  const workspace = new LintWorkspace(await syntax);
  for (const [name, text] of texts) workspace.put(name, text);
  return workspace.findings(file);
}
const syntax = loadSyntax(path.join(root, "dist"), ["java"]);

function missing(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ rule }) => rule === "missing-uid");
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** Compiles a job of one file into a jar. */
async function jarOf(name: string, file: string, text: string): Promise<string> {
  const folder = path.join(scratch, name);
  mkdirSync(folder);
  writeFileSync(path.join(folder, file), text);
  await run(java("javac"), ["-nowarn", "-cp", flinkJars.join(path.delimiter), "-d", path.join(folder, "classes"), path.join(folder, file)]);
  const jar = path.join(scratch, `${name}.jar`);
  await run(java("jar"), ["--create", "--file", jar, "--main-class", `keepstate.${path.basename(file, ".java")}`, "-C", path.join(folder, "classes"), "."]);
  rmSync(folder, { recursive: true });
  return jar;
}

/** The operators of a savepoint that hold state. */
async function operatorsIn(savepoint: string): Promise<OperatorEntry[]> {
  const { metadata } = await scanMetadata(inMemory(await fs.readFile(path.join(savepoint, "_metadata"))));
  assert.ok(metadata?.whole === true);
  return [...metadata.operators].filter(({ sizeBytes, hasCoordinatorState }) => sizeBytes > 0n || hasCoordinatorState);
}
