/** The smallest test runner that fits inside an extension host: tests run one after another and no failure is lost. */
import { writeFileSync } from "node:fs";

type Body = () => void | Promise<void>;

interface Test {
  readonly name: string;
  readonly body: Body;
  readonly timeoutMs: number;
}

const tests: Test[] = [];

/** Registers a test; it fails when it throws, rejects, or takes longer than its time. */
export function test(name: string, body: Body, timeoutMs = 20_000): void {
  tests.push({ name, body, timeoutMs });
}

/**
 * Runs every registered test and rejects when one failed or none was registered. The counts go to the file named by `RIG_COUNTS`, for the
 * ring's closing line; without it, the closing line is printed here.
 */
export async function runAll(print: (line: string) => void): Promise<void> {
  let passed = 0;
  const failed: string[] = [];
  save({ passed, failed: 0, ended: false });
  print(`${tests.length} test${tests.length === 1 ? "" : "s"}`);
  if (tests.length === 0) {
    print("FAILED  no test was registered");
    failed.push("no test was registered");
  }
  for (const test of tests) {
    const start = Date.now();
    try {
      await inTime(test);
      passed++;
      print(`ok      ${test.name}  ${Date.now() - start} ms`);
    } catch (error) {
      failed.push(test.name);
      print(`FAILED  ${test.name}  ${Date.now() - start} ms\n${indent(error instanceof Error ? error.stack ?? error.message : String(error))}`);
    }
    save({ passed, failed: failed.length, ended: false });
  }
  save({ passed, failed: failed.length, ended: true });
  if (process.env["RIG_COUNTS"] === undefined) print(`${passed} passed, ${failed.length} failed`);
  if (failed.length > 0) throw new Error(`failed: ${failed.join(", ")}`);
}

async function inTime(test: Test): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`did not end within ${test.timeoutMs} ms`)), test.timeoutMs);
  });
  try {
    await Promise.race([Promise.resolve().then(test.body), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** `ended` false tells a host that died from a suite that came to its end. */
function save(counts: { readonly passed: number; readonly failed: number; readonly ended: boolean }): void {
  const file = process.env["RIG_COUNTS"];
  if (file !== undefined) writeFileSync(file, JSON.stringify(counts));
}

function indent(text: string): string {
  return text.split("\n").map((line) => `        ${line}`).join("\n");
}
