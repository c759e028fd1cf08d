import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { loadSyntax } from "../../src/clients/syntax/treeSitter";
import { startThread } from "../../src/clients/workerThread";
import type { LintApi, LintedFile } from "../../src/core/lint/protocol";
import { LintSession } from "../../src/core/lint/session";
import { connect } from "../../src/core/rpc";
import { rootFolder } from "../rig/flink";
import { Figures, median, ms } from "../ui/support/figures";
import { generatedJob, generatedPath, languages, type Language } from "./support/generatedJobs";

/**
 * The lint on generated jobs: the program on 1,000 files beside `ast-grep` with patterns of the same calls, in turn; a keystroke in a file of
 * 5,000 lines; and the memory of a thread that knows a workspace of 5,000 files. Fails when a goal is missed. `BENCH_FILES` takes another number than 1,000.
 */
const root = await rootFolder();
const all = Object.keys(languages) as readonly Language[];
const folder = mkdtempSync(path.join(tmpdir(), "lint-bench-"));
try {
  await program(Number(process.env["BENCH_FILES"] ?? 1000));
  await program(40, false);
  await keystrokes();
  await memory(5000);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

interface Cost {
  readonly clockMs: number;
  readonly processorMs: number;
}

/**
 * Cold: nothing kept, the cache off, and the first run of each reads files the system has not read yet. Keeping: the same with an empty cache, which it
 * fills. Warm: again, with nothing changed since. Edited: again, with a line more in one file.
 */
async function program(count: number, withGoals = true): Promise<void> {
  const jobs = path.join(folder, `jobs-${count}`);
  const cache = path.join(folder, "cache");
  const lines = write(jobs, count);
  const rules = all.map(patternsOf).join("\n---\n");
  const astGrep = path.join(path.dirname(createRequire(import.meta.url).resolve("@ast-grep/cli/package.json")), process.platform === "win32" ? "ast-grep.exe" : "ast-grep");
  const lint = (use: string): Promise<Cost> => cost(process.execPath, [path.join(root, "dist", "flink-savepoints.mjs"), "lint", ".", "--format", "json"], jobs, { FLINK_SAVEPOINTS_CACHE: use });
  const ours: Record<"cold" | "keeping" | "warm" | "edited", Cost[]> = { cold: [], keeping: [], warm: [], edited: [] };
  const theirs: Cost[] = [];
  // In turn, so that what else the machine does hits both.
  for (let run = 0; run < 4; run++) {
    rmSync(cache, { recursive: true, force: true });
    ours.cold.push(await lint("off"));
    theirs.push(await cost(astGrep, ["scan", "--inline-rules", rules, "--json=compact", "."], jobs));
    ours.keeping.push(await lint(cache));
    ours.warm.push(await lint(cache));
    const edited = path.join(jobs, pathOf(run));
    writeFileSync(edited, `${readFileSync(edited, "utf8")}\n`);
    ours.edited.push(await lint(cache));
  }
  const figures = new Figures();
  const least = (costs: readonly Cost[], of: keyof Cost): number => Math.min(...costs.map((each) => each[of]));
  const row = (what: string, our: readonly Cost[], of: keyof Cost, goal: boolean, their: readonly Cost[] = theirs): void => {
    const times = least(our, of) / least(their, of);
    figures.add(what, `${ms(least(our, of))}, ast-grep ${ms(least(their, of))}: ${times.toFixed(1)}×`, ...(goal && withGoals ? [{ text: "≤ 2×", kept: times <= 2 }] : []));
  };
  row("the first run, cold, by the clock", ours.cold.slice(0, 1), "clockMs", false, theirs.slice(0, 1));
  row("cold: nothing kept, the fastest of four, by the clock", ours.cold, "clockMs", true);
  row("· time on the processors", ours.cold, "processorMs", false);
  row("keeping: the same with an empty cache, by the clock", ours.keeping, "clockMs", false);
  row("· time on the processors", ours.keeping, "processorMs", false);
  row("warm: a second run of unchanged files, by the clock", ours.warm, "clockMs", true);
  row("· time on the processors", ours.warm, "processorMs", false);
  row("edited: one file has changed since, by the clock", ours.edited, "clockMs", true);
  row("· time on the processors", ours.edited, "processorMs", false);
  figures.add("in a thread that knows the files, all of them again", ms(await again(count)));
  figures.print(`Lint: the program on ${count} jobs, ${lines.toLocaleString("en")} lines`);
}

/** Everything looked at once more by a session that has read it, as an editor's thread has. */
async function again(count: number): Promise<number> {
  const session = new LintSession(await loadSyntax(path.join(root, "dist")), (file, error) => console.log(file, error));
  for (let seed = 0; seed < count; seed++) session.put(pathOf(seed), textOf(seed));
  const start = performance.now();
  for (let seed = 0; seed < count; seed++) session.findings(pathOf(seed), textOf(seed));
  return performance.now() - start;
}

async function keystrokes(): Promise<void> {
  const figures = new Figures();
  for (const language of all) {
    let jobs = 1;
    while (generatedJob(language, 3, jobs).split("\n").length < 5000) jobs++;
    const text = generatedJob(language, 3, jobs);
    const file = generatedPath(language, 3);
    const spots = [...text.matchAll(language === "python" ? /key_by/g : /keyBy/g)].map(({ index }) => index);
    const edits = Array.from({ length: 150 }, (_, at) => spots[(at * 7) % spots.length] ?? 0).flatMap((at) => [{ start: at, end: at, text: "x" }, { start: at, end: at + 1, text: "" }]);

    const thread = startThread(path.join(root, "dist", "worker", "lint.js"), { grammars: path.join(root, "dist") }, { heapMb: 1024 });
    const client = connect<LintApi>(thread.port);
    await client.call("open", { path: file, text });
    const clock: number[] = [];
    const before = threadMs();
    for (const edit of edits) {
      const start = performance.now();
      const answer: LintedFile = await client.call("edit", { path: file, edits: [edit] });
      clock.push(performance.now() - start);
      if (answer.findings.length === 0) throw new Error(`${file} has no findings any more`);
    }
    const host = (threadMs() - before) / edits.length;
    thread.end();

    const session = new LintSession(await loadSyntax(path.join(root, "dist"), [language]), (path, error) => console.log(path, error));
    session.open(file, text);
    const processor = edits.map((edit) => {
      const start = process.cpuUsage();
      session.edit(file, [edit]);
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1000;
    });
    const middle = median(processor.slice(processor.length / 3));
    figures.add(`${language}, ${text.split("\n").length} lines, median of ${edits.length}: on the processor`, ms(middle), { text: "< 16 ms", kept: middle < 16 });
    figures.add(`${language}: from the host and back, by the clock`, ms(median(clock)));
    figures.add(`${language}: of it on the host's thread, on the processor`, ms(host), { text: "0: < 1 ms to send and receive", kept: host < 1 });
  }
  figures.print("Lint: a keystroke in a large file");
}

/** A window on a workspace, and another one after it: what each takes to know the files, and at most while all of them are linted. */
async function memory(count: number): Promise<void> {
  const workspace = path.join(folder, "workspace");
  const lines = write(workspace, count);
  const figures = new Figures();
  for (const [what, parsing] of [["the first window", count], ["a second one, all known from the first", 0]] as const) {
    const emptyBytes = process.memoryUsage().rss;
    const thread = startThread(path.join(root, "dist", "worker", "lint.js"), { grammars: path.join(root, "dist"), cache: path.join(folder, "window") }, { heapMb: 1024 });
    const client = connect<LintApi>(thread.port);
    const start = performance.now();
    const { files, parsed } = await client.call("index", { folders: [{ prefix: "0/", folder: workspace }] });
    const tookMs = performance.now() - start;
    const bytes = process.memoryUsage().rss - emptyBytes;
    if (files !== count || parsed !== parsing) throw new Error(`${files} files were read, ${parsed} of them parsed, instead of ${count} and ${parsing}`);
    let peak = bytes;
    const paths = await client.call("paths", {});
    for (let at = 0; at < paths.length; at += 50) {
      await client.call("findings", { paths: paths.slice(at, at + 50) });
      peak = Math.max(peak, process.memoryUsage().rss - emptyBytes);
    }
    thread.end();
    await thread.gone;
    figures.add(`${what}: memory once it knows the files`, `${(bytes / 1e6).toFixed(0)} MB`, { text: "< 400 MB", kept: bytes < 400e6 });
    figures.add("· time to read them all", ms(tookMs));
    figures.add("· the most memory while all are linted", `${(peak / 1e6).toFixed(0)} MB`, { text: "< 1,024 MB, where it is ended", kept: peak < 1024e6 });
  }
  figures.print(`Lint: a workspace of ${count} files, ${lines.toLocaleString("en")} lines, all of them jobs`);
}

function languageOf(seed: number): Language {
  return all[seed % all.length] ?? "java";
}

function pathOf(seed: number): string {
  return generatedPath(languageOf(seed), seed);
}

function textOf(seed: number): string {
  return generatedJob(languageOf(seed), seed);
}

/** Writes as many jobs and says how many lines they have. */
function write(into: string, count: number): number {
  let lines = 0;
  for (let seed = 0; seed < count; seed++) {
    const file = path.join(into, pathOf(seed));
    const text = textOf(seed);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    lines += text.split("\n").length;
  }
  return lines;
}

/** Calls that make operators with state and have no `uid` around them: what a pattern can say of the rule. */
function patternsOf(language: Language): string {
  const calls = language === "python" ? ["process", "from_source", "sink_to", "aggregate", "reduce", "flat_map"] : ["process", "fromSource", "sinkTo", "aggregate", "reduce", "flatMap", "unorderedWait"];
  return `id: missing-uid-${language}\nlanguage: ${language}\nrule:\n  any:\n${calls.map((call) => `    - pattern: $S.${call}($$$)\n`).join("")}  not:\n    inside: { stopBy: end, pattern: $X.uid($$$) }`;
}

/** Runs a program to its end, with what it and its threads took. Both end with 1 when they found something. */
async function cost(file: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): Promise<Cost> {
  const before = childrenMs();
  const start = performance.now();
  const found = await new Promise<number>((resolve, reject) => {
    execFile(file, args, { cwd, maxBuffer: 1 << 28, env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      if (error !== null && error.code !== 1) reject(new Error(`${file}: ${stderr}`));
      else resolve((JSON.parse(stdout) as unknown[]).length);
    });
  });
  const clockMs = performance.now() - start;
  if (found === 0) throw new Error(`${file} found nothing`);
  return { clockMs, processorMs: childrenMs() - before };
}

/** Processor time of all processes we started and waited for (Linux, in steps of 10 ms). */
function childrenMs(): number {
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

/** Processor time of this thread, other work that held it up left out (Linux). */
function threadMs(): number {
  return Number(readFileSync("/proc/thread-self/schedstat", "utf8").split(" ")[0]) / 1e6;
}
