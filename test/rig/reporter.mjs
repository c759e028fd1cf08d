// Reporter for node:test: a line for each test, what failed in full, and true counts, in all and by file, into the file named by RIG_COUNTS.
// A file that registers no test, a skipped test and a test marked as to do count as failed: each would be a hole that looks like a pass.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";

export default async function* report(events) {
  let passed = 0, failed = 0, depth = 0, file;
  const files = {};
  for await (const { type, data } of events) {
    if (type === "test:stdout" || type === "test:stderr") yield data.message;
    if (type === "test:diagnostic" && data.file !== undefined) yield `${data.message}\n`;
    if (type !== "test:pass" && type !== "test:fail") continue;
    // Children are reported before the one that holds them, which is no test itself.
    const holds = data.nesting < depth;
    depth = data.nesting;
    const error = data.details?.error;
    if (data.details?.type === "suite" && error === undefined) continue;
    if (error?.failureType === "subtestsFailed" || (holds && error === undefined)) continue;
    if (data.file !== file) yield `${path.basename(file = data.file ?? "")}\n`;
    const counts = files[path.basename(data.file ?? "").replace(/\.\w+$/, "")] ??= { passed: 0, failed: 0 };
    const wholeFile = data.name === data.file;
    const problem = data.skip !== undefined && data.skip !== false ? "is skipped"
      : data.todo !== undefined && data.todo !== false ? "is marked as to do"
      : wholeFile && type === "test:pass" ? "registers no test"
      : type === "test:fail" ? text(error) : undefined;
    const name = wholeFile ? path.basename(data.name) : data.name;
    const took = `${Math.round(data.details?.duration_ms ?? 0)} ms`;
    if (problem === undefined) {
      passed++;
      counts.passed++;
      yield `ok      ${name}  ${took}\n`;
    } else {
      failed++;
      counts.failed++;
      yield `FAILED  ${name}  ${took}\n${problem.split("\n").map((line) => `        ${line}`).join("\n")}\n`;
    }
  }
  if (process.env.RIG_COUNTS) writeFileSync(process.env.RIG_COUNTS, JSON.stringify({ passed, failed, files, ended: true }));
  else yield `${passed} passed, ${failed} failed\n`;
}

/** The test's own error with its causes, not the runner's wrapping. */
function text(error) {
  let at = error?.failureType === "testCodeFailure" || error?.failureType === "hookFailed" ? error.cause ?? error : error;
  const parts = [];
  for (let depth = 0; at !== undefined && at !== null && depth < 5; depth++, at = at.cause) {
    parts.push(at instanceof Error || typeof at?.stack === "string" ? at.stack : String(at?.message ?? at));
  }
  return stripVTControlCharacters(parts.join("\ncaused by ")) || "failed";
}
