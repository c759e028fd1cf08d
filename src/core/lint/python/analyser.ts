import type { Finding } from "../finding";
import type { LanguageAnalyser, SourceFile, Workspace } from "../language";
import { isTestPath } from "../paths";
import { isSuppressed, suppressionsOf } from "../suppression";
import { Evaluator } from "./evaluator";
import { LineTable } from "../lineTable";
import { findingOf, type Report } from "./findings";
import { jobReports } from "./jobRules";
import type { PythonFacts } from "./model";
import { missingUidReports } from "./missingUid";
import { importersOf, type Files } from "./modules";
import { readPython } from "./reader";
import { Run } from "./run";
import { stateReports } from "./stateRules";
import { uidReports } from "./uidRules";
import type { ClassValue, Scope } from "./values";

/** Files that use a file and are looked at for how they do, at most. */
const importerLimit = 20;

/** PyFlink's DataStream API. Notebooks are not read; pipelines of the Table API have nothing a uid could be given to. */
export const python: LanguageAnalyser<PythonFacts> = {
  language: "python",
  family: "python",
  grammar: "python",
  owns: (path) => /\.pyi?$/.test(path),
  // A file may reach Flink through another one, by names only Flink has.
  matters: (text) => /pyflink|\b(?:key_by|from_source|sink_to|add_source|get_execution_environment)\b|\buid\b/i.test(text) || onlyPassesOn(text),
  read: (file, tree, edited) =>
    tree === undefined ? { path: file.path, chunks: [], importsFlink: false, importedModules: [], calledNames: new Set(), tooDeep: false } : readPython(file, tree.rootNode, edited),
  findings,
};

function findings(file: SourceFile, facts: PythonFacts, workspace: Workspace<PythonFacts>): readonly Finding[] {
  if (facts.tooDeep || isTestPath(file.path) || !mayBuild(file.text)) return [];
  const run = follow(facts, file.text.length, workspace.files);
  const lines = new LineTable(file.text);
  const suppressions = suppressionsOf(file.text);
  const reports: readonly Report[] = [...missingUidReports(file, run, workspace.files), ...uidReports(file.path, run), ...stateReports(facts), ...jobReports(file, run)];
  return reports
    .filter(({ rule, at, around }) => !isSuppressed(suppressions, rule, [at.start, ...(around ?? [])].map((offset) => lines.position(offset).line)))
    .map((report) => findingOf(report, file.path, lines))
    .sort((one, other) => one.range.start.offset - other.range.start.offset || one.rule.localeCompare(other.rule));
}

/** A file such as `__init__.py` that only imports what others import from it. */
function onlyPassesOn(text: string): boolean {
  return text.length < 4_000 && /^from\s+[\w.]+\s+import\b/m.test(text) && !/^\s*(?:def|class|for|while|with)\b/m.test(text);
}

/** Whether the text has anything the rules look at. */
function mayBuild(text: string): boolean {
  return /_source\b|\bkey_by\b|_sink\b|\bsink_to\b|\.process\b|\bwindow|\buid|StateDescriptor|read_text_file|AsyncDataStream|\.apply\b|Kafka|paimon|uids?\b|claim-mode|restore-mode/i.test(text);
}

/** Runs a file, then those that import it, then what none of them called. */
function follow(facts: PythonFacts, length: number, files: Files): Run {
  const run = new Run(length);
  const reached = new Set<unknown>();
  const entry = (start: PythonFacts, complete: boolean): { readonly evaluator: Evaluator; readonly scope: Scope } => {
    run.entry++;
    const evaluator = new Evaluator(files, run);
    const scope = evaluator.module(start, true);
    if (complete) rest(evaluator, scope, reached);
    for (const model of evaluator.reached) reached.add(model);
    return { evaluator, scope };
  };
  const own = entry(facts, false);
  for (const importer of importersOf(files, facts.path, importerLimit)) if (!run.exhausted) entry(importer, true);
  rest(own.evaluator, own.scope, reached, run);
  return run;
}

/** Calls each function that was not called so far, as unseen callers would. Each is a job of its own. */
function rest(evaluator: Evaluator, scope: Scope, reached: ReadonlySet<unknown>, run?: Run): void {
  const done = (model: unknown): boolean => reached.has(model) || evaluator.reached.has(model);
  for (const value of scope.vars.values()) {
    if (run?.exhausted === true) return;
    if (value.t === "function" && value.scope === scope && !done(value.model)) {
      if (run !== undefined) run.entry++;
      evaluator.enter(value);
    } else if (value.t === "class" && value.scope === scope) enterClass(evaluator, value, done, run);
  }
}

function enterClass(evaluator: Evaluator, cls: ClassValue, done: (model: unknown) => boolean, run: Run | undefined): void {
  if (evaluator.flinkBases(cls).some((base) => /Function$|Selector$|Assigner$|Schema$/.test(base))) return;
  const methods = [...cls.attributes.values()].filter((value) => value.t === "function");
  if (methods.every((method) => done(method.model))) return;
  if (run !== undefined) run.entry++;
  const self = evaluator.instanceOf(cls);
  // Those that were called on another object run too: what they put into the fields, the others take out.
  const called = new Set(methods.filter((method) => evaluator.reached.has(method.model)));
  for (const method of methods) if (called.has(method) || !evaluator.reached.has(method.model)) evaluator.enter({ ...method, self });
}
