// Reporter for node:test: a line for each test, what failed in full, and true counts, in all and by file, into the file named by RIG_COUNTS.
// The counts of a file hold the tests that a module registers for it, while files run one at a time; side by side nothing tells whose they are.
// A file that registers no test, a skipped test and a test marked as to do count as failed: each would be a hole that looks like a pass.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";

export default async function* report(events) {
  let passed = 0, failed = 0, depth = 0, file;
  const files = {};
  const running = new Set();
  for await (const { type, data } of events) {
    if (type === "test:dequeue" && data.name === data.file) running.add(data.file);
    if (type === "test:complete" && data.name === data.file) running.delete(data.file);
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
    const wholeFile = data.name === data.file;
    const [of = ""] = wholeFile || running.size !== 1 ? [data.file] : running;
    const counts = files[path.basename(of).replace(/\.\w+$/, "")] ??= { passed: 0, failed: 0 };
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
