import { javaFile } from "./generated/javaJobs";
import { drawFrom, fileNameOf, planOf, snake } from "./generated/jobPlan";
import { kotlinFile } from "./generated/kotlinJobs";
import { pythonFile } from "./generated/pythonJobs";
import { scalaFile } from "./generated/scalaJobs";

/**
 * Jobs as people write them, in the four languages the lint follows, for benchmarks: each is drawn anew from a seed, so that no two are alike. A job
 * has a source or two, functions with and without state, windows, joins, broadcast streams and sinks, part of them with uids, and around them
 * what every job has: settings, records, small functions that have nothing to do with streams.
 */

/** A language of generated jobs, with the ending of its files. */
export const languages = { java: "java", kotlin: "kt", scala: "scala", python: "py" } as const;
export type Language = keyof typeof languages;

/** The text of a job of about 150 to 300 lines. `count` makes several in one file, as the longest files of real projects do. */
export function generatedJob(language: Language, seed: number, count = 1): string {
  const plans = Array.from({ length: count }, (_, at) => planOf(drawFrom(seed * 7919 + at * 104_729 + 1), seed, count === 1 ? "" : String(at)));
  return { java: javaFile, kotlin: kotlinFile, scala: scalaFile, python: pythonFile }[language](plans, fileNameOf(seed));
}

/** The path of a generated job in a project of several modules, as tools of its language have it. */
export function generatedPath(language: Language, seed: number): string {
  const module = `module-${seed % 12}`;
  const file = `${fileNameOf(seed)}.${languages[language]}`;
  return language === "python" ? `${module}/jobs/${snake(fileNameOf(seed))}.py` : `${module}/src/main/${language}/com/acme/m${seed % 12}/${file}`;
}
