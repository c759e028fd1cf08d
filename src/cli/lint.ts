import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder, LintCache } from "../clients/lintCache/lintCache";
import { findFiles, projectOf } from "../clients/lintFiles";
import { FlinkError } from "../core/errors";
import { isBuildFile, mayMatter } from "../core/lint/fileNames";
import { report, severityOf, type Reported, type ReportFormat } from "../core/lint/report";
import { isRuleId, severities, type RuleId, type Severity } from "../core/lint/rules";
import { UsageError, type Command } from "./command";
import { lintInThreads } from "./lintThreads";
import { printable } from "./printable";

/** `lint PATH…`: what is wrong with the uids of Flink jobs. 0 = nothing, 1 = findings at or above the level, 2 = something could not be read. */
export const lint: Command = {
  usage: "PATH… [--format text|json|sarif|github] [--fail-on error|warning|info|hint] [--rule ID=SEVERITY]… [--no-cache]",
  about: "Finds stateful operators without a uid, and other ways to lose state, in Java, Kotlin, Scala, Python, SQL and configuration.",
  async run(args, terminal) {
    const options = optionsOf(args);
    const nameOf = (file: string): string => {
      const inside = path.relative(terminal.workingFolder, file);
      return (inside.startsWith("..") ? file : inside).split(path.sep).join("/");
    };
    const wanted = new Set<string>();
    let unreadable = false;
    const complain = (file: string, reason: string): void => {
      unreadable = true;
      terminal.err(printable(`file-unreadable: ${file} can't be read (${reason}).`));
    };
    for (const root of options.paths) {
      const found = await findFiles(path.resolve(terminal.workingFolder, root), mayMatter);
      for (const { path: file, reason } of found.unreadable) complain(nameOf(file), reason);
      for (const file of found.files) wanted.add(file);
      if (found.files.length + found.unreadable.length === 0) terminal.err(printable(`warning: There is nothing to look at in ${root}: no code, script, configuration or SQL.`));
    }
    // The classes and callers of the rest of a project say what a function keeps, and whether a helper's operator gets its uid.
    const others = await around(options.paths.map((root) => path.resolve(terminal.workingFolder, root)));
    terminal.signal.throwIfAborted();
    const files = [...new Set([...wanted, ...others])].map((file) => ({ path: nameOf(file), file, wanted: wanted.has(file) }));
    const linted = await lintInThreads(files.sort(byPath), options.cache ? await cacheOf(options.paths, terminal.workingFolder) : undefined, terminal.signal);
    const reported: Reported[] = [];
    for (const { path: file, findings, skip, failure } of [...linted.files].sort(byPath)) {
      if (failure?.inAnalysis === true) {
        unreadable = true;
        terminal.err(printable(`failed: ${file} could not be looked at (${failure.reason}).`));
      } else if (failure !== null || skip !== null) complain(file, failure?.reason ?? skips[skip ?? "not-text"]);
      for (const finding of findings) {
        const severity = severityOf(finding, options.severities);
        if (severity !== undefined) reported.push({ file, finding, severity });
      }
    }
    const text = report(options.format, reported);
    if (text !== "") terminal.out(options.format === "text" || options.format === "github" ? text.split("\n").map((line) => printable(line)).join("\n") : text);
    await linted.keep();
    if (unreadable) return 2;
    return reported.some(({ severity }) => severities.indexOf(severity) <= severities.indexOf(options.failOn)) ? 1 : 0;
  },
};

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

/** What earlier runs with these paths left, of this build. Undefined when nothing is to be kept. */
async function cacheOf(roots: readonly string[], workingFolder: string): Promise<LintCache | undefined> {
  const folder = cacheFolder(process.env);
  const build = await readFile(path.join(path.dirname(fileURLToPath(import.meta.url)), "worker", "lint.build"), "utf8").catch(() => undefined);
  return folder === undefined || build === undefined ? undefined : new LintCache(folder, { workingFolder, roots, build });
}

/** Larger projects are not read for the sake of a few files. */
const contextLimit = 3_000;

/** The other files of the projects that the paths are parts of. */
async function around(roots: readonly string[]): Promise<readonly string[]> {
  const projects = new Set<string>();
  for (const root of roots) {
    const project = await projectOf(path.dirname(root), isBuildFile);
    if (project !== undefined && !roots.includes(project)) projects.add(project);
  }
  const found = await Promise.all([...projects].sort().map((project) => findFiles(project, mayMatter)));
  const files = [...new Set(found.flatMap((each) => each.files))];
  return files.length > contextLimit ? [] : files;
}

const skips = { "too-large": "it is too large", "too-slow": "it takes too long", "too-deep": "it is nested too deeply", "not-text": "it is no text" } as const;

interface Options {
  readonly paths: readonly string[];
  readonly format: ReportFormat;
  readonly failOn: Severity;
  readonly severities: ReadonlyMap<RuleId, Severity>;
  readonly cache: boolean;
}

function optionsOf(args: readonly string[]): Options {
  const paths: string[] = [];
  const set = new Map<RuleId, Severity>();
  let format: ReportFormat = "text";
  let failOn: Severity = "warning";
  let cache = true;
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === "--") {
      paths.push(...rest.splice(0));
      continue;
    }
    if (arg === "--no-cache") {
      cache = false;
      continue;
    }
    const [, option, given] = /^(--[a-z-]+)(?:=(.*))?$/s.exec(arg) ?? [];
    if (option === undefined) {
      if (arg.startsWith("-")) throw new UsageError(`There is no option ${arg}.`);
      paths.push(arg);
      continue;
    }
    const value = given ?? rest.shift();
    if (value === undefined) throw new UsageError(`${option} needs a value.`);
    if (option === "--format") {
      if (value !== "text" && value !== "json" && value !== "sarif" && value !== "github") throw new UsageError(`--format takes text, json, sarif or github, not ${value}.`);
      format = value;
    } else if (option === "--fail-on") {
      if (!isSeverity(value) || value === "off") throw new UsageError(`--fail-on takes ${levels}, not ${value}.`);
      failOn = value;
    } else if (option === "--rule") {
      const [id = "", severity] = value.split("=");
      if (!isRuleId(id)) throw new UsageError(`There is no rule ${id}.`);
      if (severity === undefined || !isSeverity(severity)) throw new UsageError(`--rule ${id}= takes ${levels} or off${severity === undefined ? "" : `, not ${severity}`}.`);
      set.set(id, severity);
    } else throw new UsageError(`There is no option ${option}.`);
  }
  if (paths.includes("")) throw new FlinkError("file-unreadable", { path: "“”", reason: "it names no file" });
  if (paths.length === 0) throw new UsageError("Name at least one file or folder.");
  return { paths, format, failOn, severities: set, cache };
}

/** Severities as usage errors name them, without `off`. */
const levels = severities.filter((severity) => severity !== "off").join(", ");

function isSeverity(word: string): word is Severity {
  return (severities as readonly string[]).includes(word);
}
