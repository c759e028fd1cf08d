import type { Finding } from "../finding";
import type { Edited, LanguageAnalyser, SourceFile, Workspace } from "../language";
import { isTestPath } from "../paths";
import { isSuppressed, suppressionsOf } from "../suppression";
import type { SyntaxTree } from "../syntax";
import { budgetPerCaller, Evaluator } from "./evaluator";
import { isSilenced } from "./findings";
import { kindOfType, memorySources } from "./flinkNames";
import { flinkMajorOf } from "./flinkVersion";
import { readJava } from "./javaReader";
import { readKotlin } from "./kotlinReader";
import { missingUid } from "./missingUid";
import type { FileModel, TypeName } from "./model";
import { readScala } from "./scalaReader";
import { lineStartsOf, TreeReader } from "./treeReader";
import { takenOver } from "./sameShape";
import { uidFindings } from "./uidRules";
import { KeptUnits } from "./units";
import type { SiteFacts } from "./values";
import { WorkspaceIndex } from "./workspaceIndex";

/** Callers of a helper that are looked at, at most. */
const callerLimit = 40;

/** Begins a body by its indentation, or ends one by name, as Scala 3 can. */
const indentedBody = /^[ \t]*(?:\w+ )*(?:object|class|trait|enum|given|extension)\b[^\n{]*:[ \t]*\r?$|\bthen[ \t]*\r?$|^[ \t]*end \w+[ \t]*\r?$/m;

/** Files of Java. */
export const java: LanguageAnalyser<FileModel> = analyserOf("java", /\.java$/);
/** Kotlin, scripts included. */
export const kotlin: LanguageAnalyser<FileModel> = analyserOf("kotlin", /\.kts?$/);
/** Scala 2 and 3. */
export const scala: LanguageAnalyser<FileModel> = analyserOf("scala", /\.(?:scala|sc)$/);

function analyserOf(language: FileModel["language"], name: RegExp): LanguageAnalyser<FileModel> {
  return {
    language,
    family: "jvm",
    grammar: language,
    owns: (path) => name.test(path) && !/\.gradle\.kts$/.test(path),
    // A class between a function and Flink may name Flink nowhere.
    matters: (text) => /flink/i.test(text) || /\b(?:extends|with|:)\s+[\w.]*(?:Function|Process\w*|Source|Sink|Job\w*|App\w*|Pipeline\w*|Base\w*|Abstract\w*)\b/.test(text),
    ...(language === "scala" ? { masked: withoutDollars, repaired: withoutIndents } : {}),
    read: (file, tree, edited) => read(language, file, tree, edited),
    findings: (file, facts, workspace) => findings(file, facts, workspace),
  };
}

/** The grammar of Scala knows neither `$"column"` nor `$("column")`, which Flink's Table API has. */
function withoutDollars(text: string): string {
  return /\$["(]/.test(text) ? text.replace(/(?<![\w"$])\$(?=["(])/g, " ") : text;
}

/**
 * The grammar of Scala takes a member that stands further left than the first one of its body for the end of that body. Braces end bodies, so spaces
 * that begin a line may as well end the line before; not where indentation does, as in Scala 3.
 */
function withoutIndents(text: string): string | undefined {
  return indentedBody.test(text) ? undefined : withoutDollars(text).replace(/(\r?\n)([ \t]+)/g, "$2$1");
}

function read(language: FileModel["language"], file: SourceFile, tree: SyntaxTree | undefined, edited: Edited<FileModel> | undefined): FileModel {
  const lineStarts = lineStartsOf(file.text);
  const nothing: FileModel = {
    path: file.path, language, packageName: "", imports: new Map(), wildcards: [], classes: [], functions: [], fields: [], initial: [], lineStarts, called: new Set(), suppressions: [], nodes: undefined,
  };
  if (tree === undefined) return nothing;
  const reader = new TreeReader(file.text, tree.rootNode, edited?.before, language === "scala");
  const declared = (language === "java" ? readJava : language === "kotlin" ? readKotlin : readScala)(reader, tree.rootNode);
  const now = { ...nothing, ...declared, called: reader.called, suppressions: suppressionsOf(file.text), nodes: edited === undefined ? undefined : reader.nodes };
  return edited?.before === undefined ? now : takenOver(edited.before.facts, now);
}

/** What is known of a workspace, from one question to the next. */
interface Known {
  readonly index: WorkspaceIndex;
  revision: number;
  /** Of files that are open in an editor. */
  readonly units: WeakMap<FileModel, KeptUnits>;
}

const known = new WeakMap<Workspace<FileModel>, Known>();

function knownOf(workspace: Workspace<FileModel>): Known {
  let found = known.get(workspace);
  if (found === undefined) known.set(workspace, (found = { index: new WorkspaceIndex(), revision: -1, units: new WeakMap() }));
  if (found.revision !== workspace.revision) found.index.update(workspace.files);
  found.revision = workspace.revision;
  return found;
}

/** What is kept of a file that is open, to follow only what an edit changes. */
function keptUnits(file: FileModel, { units }: Known): KeptUnits | undefined {
  if (file.nodes === undefined) return undefined;
  let kept = units.get(file);
  if (kept === undefined) units.set(file, (kept = new KeptUnits()));
  return kept;
}

function findings(source: SourceFile, file: FileModel, workspace: Workspace<FileModel>): readonly Finding[] {
  if (isTestPath(file.path)) return [];
  const all = knownOf(workspace);
  const { index } = all;
  if (!index.importsFlink(file) && !/flink/i.test(source.text)) return [];
  const evaluator = new Evaluator(index, keptUnits(file, all));
  evaluator.file(file);
  // Who calls the functions of this file may set the uid, or pass what keeps the state.
  const open = evaluator.operators.evaluation.operators.filter((site) => site.place.file === file && !site.hasUid && (site.returnedBy.size > 0 || (site.proof.state === "unknown" && takesArguments(site))));
  const names = new Set(open.flatMap((site) => [...[...site.returnedBy].map(({ fun }) => fun.name), ...(site.owner === undefined ? [] : [site.owner.fun.name])]));
  for (const caller of new Set([...classFilesAbove(open, file, index), ...callersOf(names, file, index)])) evaluator.file(caller, budgetPerCaller);
  evaluator.keep();

  const version = flinkMajorOf(file.path, workspace.buildFiles);
  const { evaluation } = evaluator.operators;
  const missing = evaluation.operators.filter(({ place }) => place.file === file).flatMap((site) => {
    if (site.proof.state !== "yes" || site.hasUid || site.escaped || site.broken || isSilenced(site, file.suppressions)) return [];
    if (!callersKnown(site, evaluator)) return [];
    const inBatch = evaluator.operators.inBatch(site);
    const finding = missingUid(site, source.text, version, inBatch);
    if (inBatch && finding.rule !== "sink-needs-uid") return finding.rule === "missing-uid" ? [{ ...finding, severity: "info" as const }] : [];
    return [evaluation.autoUidsDisabled !== undefined && finding.rule === "missing-uid" ? { ...finding, severity: "error" as const } : finding];
  });
  const others = uidFindings(file, evaluation).filter(({ rule, range }) => !isSuppressed(file.suppressions, rule, [range.start.line]));
  return [...missing, ...others].sort((a, b) => a.range.start.offset - b.range.start.offset || a.rule.localeCompare(b.rule));
}

/** Whether callers may pass what decides: `main` gets words only, and sources in memory are what they are. */
function takesArguments({ owner, call }: SiteFacts): boolean {
  return owner !== undefined && owner.fun.params.length > 0 && owner.fun.name !== "main" && !memorySources.has(call.name);
}

/** Files of the classes above those whose methods return one of the operators: they may call what is overridden. */
function classFilesAbove(sites: readonly SiteFacts[], file: FileModel, index: WorkspaceIndex): readonly FileModel[] {
  const owners = sites.flatMap(({ returnedBy }) => [...returnedBy].flatMap(({ owner }) => owner ?? []));
  return owners.flatMap((owner) => index.hierarchy(owner).classes.map((above) => above.file)).filter((above) => above !== file);
}

/** Files outside of tests in which one of the names is called, not more than the limit: thousands may call something of a common name. */
function callersOf(names: ReadonlySet<string>, file: FileModel, index: WorkspaceIndex): ReadonlySet<FileModel> {
  const callers = new Set<FileModel>();
  for (const name of names) {
    for (const caller of index.callers(name)) {
      if (callers.size >= callerLimit) return callers;
      if (caller !== file && !isTestPath(caller.path)) callers.add(caller);
    }
  }
  return callers;
}

/** An operator that is returned may get its uid from a caller that is not in the workspace, unless its type takes none. */
function callersKnown(site: SiteFacts, evaluator: Evaluator): boolean {
  return [...site.returnedBy].every(({ fun, file }) => {
    // An extension that nobody in the workspace calls is a library's.
    return evaluator.operators.isCalled(fun) || fun.name === "main" || (fun.receiver === undefined && takesNoUid(fun.returns, file, evaluator));
  });
}

function takesNoUid(type: TypeName | undefined, file: FileModel, { index }: Evaluator): boolean {
  if (type === undefined) return false;
  if (/^(?:void|Unit|Any|AnyRef|Object|Boolean|JobExecutionResult|JobClient)$/.test(type.name)) return true;
  const kind = kindOfType[type.name];
  return file.language !== "scala" && kind !== undefined && kind !== "op" && kind !== "sink" && index.isFlinkType(type, file);
}
