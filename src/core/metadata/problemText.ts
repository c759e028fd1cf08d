import { numberText } from "../wording";
import type { Problem, ProblemCode, ProblemFacts } from "./problem";

/** A finding as a sentence, without its place. */
export function problemText<C extends ProblemCode>(problem: Problem<C>): string {
  return sentences[problem.code](problem.facts);
}

const bytes = (count: number): string => (count === 1 ? "1 byte" : `${numberText(count)} bytes`);

const hints: Readonly<Record<ProblemFacts["not-metadata"]["hint"], string>> = {
  empty: "the file is empty",
  short: "it is shorter than 8 bytes",
  swapped: "its bytes are in the wrong order",
  java: "it looks like a Java object stream",
  zip: "it looks like a ZIP or JAR file",
  gzip: "it looks like a gzip file",
  none: "it does not begin with Flink's mark",
};

const sentences: { readonly [C in ProblemCode]: (facts: ProblemFacts[C]) => string } = {
  "not-metadata": ({ hint }) => `This is no Flink metadata: ${hints[hint]}.`,
  "version-unknown": ({ version }) => (version === 0 ? "Format version 0 is Flink 1.1's, which can't be read." : `Format version ${version} is not known; a newer Flink may have written it.`),
  "truncated": ({ missingBytes }) => `The file ends here, ${bytes(missingBytes)} short of this field's end.`,
  "count-impossible": ({ count, leftBytes }) => `A count of ${numberText(count)} can't be right with ${bytes(leftBytes)} left.`,
  "tag-unknown": ({ tag }) => `No Flink up to 2.3 writes a handle of kind ${tag}, so nothing after it can be read.`,
  "handle-misplaced": ({ tag }) => `A handle of kind ${tag} can't stand here.`,
  "text-malformed": () => "This text is not valid modified UTF-8.",
  "value-invalid": ({ value }) => `The value ${value} is not valid here.`,
  "length-mismatch": ({ expected, actual }) => `This part should be ${bytes(expected)} long and is ${bytes(actual)}.`,
  "limit": ({ limit, value }) => `Reading stopped at a limit: ${limit} = ${numberText(value)}.`,
  "java-stream": ({ reason }) => `The Java object is broken: ${reason}.`,
  "properties-unexpected": ({ className }) => `Something of class ${className === "" ? "unknown" : className} is where it was not expected.`,
  "trailing-bytes": ({ bytes: count }) => `${bytes(count)} follow the end; Flink ignores them.`,
  "sizes-wrapped": () => "The sizes of handles add up to more than 64 bits hold. The sum has wrapped around, as it does in Flink, and says nothing.",
  "path-unsafe": ({ path }) => `The relative path ${path} leads out of the snapshot's folder and is not followed.`,
  "subtask-out-of-range": ({ index, parallelism }) => `Subtask ${index} is beyond the parallelism ${parallelism}.`,
  "subtask-repeated": ({ index }) => `Subtask ${index} comes twice.`,
  "key-groups-out-of-range": ({ first, count, maxParallelism }) => `Key groups ${first} to ${first + count - 1} don't fit the max parallelism ${maxParallelism}.`,
  "parallelism-invalid": ({ parallelism, maxParallelism }) => `Flink refuses the parallelism ${parallelism} with the max parallelism ${maxParallelism}.`,
  "operator-repeated": ({ id }) => `Operator ${id} comes twice.`,
  "file-missing": ({ path }) => `The file ${path} is not there.`,
  "file-elsewhere": ({ path }) => `The file ${path} lies outside the snapshot's folder and was not opened.`,
  "file-unreadable": ({ path, reason }) => `The file ${path} can't be read (${reason}).`,
  "file-too-short": ({ path, expected, actual }) => `The file ${path} should have ${bytes(expected)} and has ${bytes(actual)}.`,
  "changed": () => "The file has changed since it was first read.",
};
