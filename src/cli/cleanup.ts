import { lineAndColumn } from "../core/lifecycle/lineAndColumn";
import { lifecycleFileName } from "../core/lifecycle/fileName";
import { readLifecycleFile } from "../core/lifecycle/readLifecycleFile";
import { readArguments } from "./arguments";
import { UsageError, type Command, type Terminal } from "./command";
import { filesNamed, headlessLists, headlessOptions, headlessValues, textOf, type HeadlessOptions } from "./lifecycleArguments";
import { printable } from "./printable";

const verbs = ["preview", "agree", "withdraw", "run", "undo", "pin", "unpin"] as const;
/** Verbs about what is named, not about files of rules. */
const namedOnly: readonly string[] = ["undo", "pin", "unpin"] satisfies CleanupVerb[];

/** A verb of `cleanup`. */
export type CleanupVerb = (typeof verbs)[number];

/** What `cleanup` was asked for. */
export interface CleanupAsked extends HeadlessOptions {
  readonly verb: CleanupVerb;
  readonly files: readonly string[];
  /** Ids of ledger records for `undo`; paths of savepoints for `pin` and `unpin`. */
  readonly named: readonly string[];
  /** Names of jobs; all that have rules when there is none. */
  readonly jobs: readonly string[];
  /** Mark of the preview that somebody saw after a pause. */
  readonly seen: string | undefined;
  readonly json: boolean;
}

/**
 * `cleanup preview`, `agree`, `withdraw`, `run`, `undo`, `pin` and `unpin`: what the editor's cleanup does, by the same rules, guards and agreements. Exit code 0; 1 when
 * something could not be done, or waits for a person.
 */
export const cleanup: Command = {
  usage: "preview|agree|withdraw|run [FILE…] [--job NAME…] [--seen MARK] [--state DIR] [--credentials FILE] [--cluster NAME=ADDRESS…] [--warehouse DIR…] [--json], or: undo ID… [--state DIR] [--json], or: pin|unpin PATH… [--state DIR] [--json]",
  about: `Shows what the cleanup rules of ${lifecycleFileName} would remove and why, lets them act, removes what was agreed to, puts back, or pins.`,
  async run(args, terminal) {
    const asked = askedFor(args, terminal);
    let faults = 0;
    for (const file of asked.files) {
      const text = await textOf(file);
      const { problems } = readLifecycleFile(text);
      faults += problems.length;
      for (const { offset, message } of problems) terminal.err(printable(`${file}:${lineAndColumn(text, offset)}: ${message}`));
    }
    const code = await (await import("./cleanupRun")).runCleanup(asked, terminal);
    return faults > 0 ? Math.max(1, code) : code;
  },
};

function askedFor(args: readonly string[], { workingFolder }: Terminal): CleanupAsked {
  const { flags: { json }, values, lists, rest: [first, ...rest] } = readArguments(args, { flags: ["json"], values: ["seen", ...headlessValues], lists: ["job", ...headlessLists] });
  const verb = verbs.find((each) => each === first);
  if (verb === undefined) throw new UsageError(first === undefined ? "preview, agree, withdraw, run, undo, pin or unpin is missing." : `There is preview, agree, withdraw, run, undo, pin and unpin, and no ${first}.`);
  if (values.seen !== undefined && verb !== "run") throw new UsageError("--seen belongs to run.");
  const isNamed = namedOnly.includes(verb);
  if (isNamed && rest.length === 0) throw new UsageError(verb === "undo" ? "The id of what is to be put back is missing; cleanup preview tells it." : `The path of the savepoint to ${verb} is missing.`);
  return { verb, files: isNamed ? [] : filesNamed(rest, workingFolder), named: isNamed ? rest : [], jobs: lists.job, seen: values.seen, json, ...headlessOptions(values, lists, workingFolder) };
}
