import assert from "node:assert/strict";
import { test } from "node:test";
import { splitProgramArgs } from "../../src/core/programArgs";

test("a line is split into arguments as a shell does it, and nothing is expanded", () => {
  const cases: [string, string[]][] = [
    ["", []],
    ["   ", []],
    ["--a 1  --b\t2", ["--a", "1", "--b", "2"]],
    ["--interval '2 s' --name \"my job\"", ["--interval", "2 s", "--name", "my job"]],
    ["--x=\"a b\"c", ["--x=a bc"]],
    ["'' \"\"", ["", ""]],
    ["a\\ b \\\"c \\\\", ["a b", "\"c", "\\"]],
    ["\"a\\\"b\\\\c\\d\"", ["a\"b\\c\\d"]],
    ["'it''s' 'a\\b'", ["its", "a\\b"]],
    ["$HOME * ~ `x` #y", ["$HOME", "*", "~", "`x`", "#y"]],
    ["ä “quoted”", ["ä", "“quoted”"]],
  ];
  for (const [line, words] of cases) assert.deepEqual(splitProgramArgs(line), words, line);
});

test("an open quote or a lone backslash at the end is not split yet", () => {
  for (const line of ["'", "a \"b", "\"a'", "x\\"]) assert.equal(splitProgramArgs(line), undefined, line);
});

test("an argument as long as a setting can be does not take long to split", () => {
  const line = `${"--key 'a b' ".repeat(50_000)}`;
  const began = performance.now();
  assert.equal(splitProgramArgs(line)?.length, 100_000);
  assert.ok(performance.now() - began < 10_000);
});
