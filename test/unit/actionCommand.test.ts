import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { actionCommand } from "../../src/clients/paimon/actionCommand";
import { isAlive, thisProcess } from "../../src/clients/processIdentity";
import { argumentFile } from "../../src/core/localFlink/java";
import type { PaimonActions } from "../../src/core/paimon/actions";
import type { ProcessIdentity } from "../../src/core/ports";
import { watchedRun } from "./fakes";
import { rejected } from "./rejected";

let folder: string;
/** Made by what is run in Java's place. */
let mark: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "action-"));
  mark = path.join(folder, "ran");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const table = { database: "d", table: "t" };
const quiet = { trace: () => undefined, debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function running(script: string, catalogOptions: Record<string, string> = {}, env: NodeJS.ProcessEnv = process.env): PaimonActions {
  const java = path.join(folder, "java with blanks");
  writeFileSync(java, `#!/bin/sh\n${script}\n`);
  chmodSync(java, 0o755);
  return actionCommand({ warehouse: () => Promise.resolve({ path: "/w", catalogOptions }), java: () => Promise.resolve(java), jars: () => Promise.resolve(["/a.jar"]), env, log: quiet });
}

describe("Paimon's action command", { skip: process.platform === "win32" }, () => {
  test("P-12: does nothing before it is written down that it runs, and is told by its pid until it ends", async () => {
    let seen: ProcessIdentity | undefined;
    await running(`(echo $$ "$@"; cat) > '${mark}'`).act(table, { kind: "delete-tag", tag: "it's $HOME" }, watchedRun(), async (identity) => {
      seen = identity;
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.ok(!existsSync(mark));
      assert.equal(isAlive(identity, thisProcess()), "alive");
    });
    assert.match(readFileSync(mark, "utf8"), new RegExp(`^${seen?.pid ?? 0} .* @/dev/stdin\n[^]*"delete_tag"\n[^]*"it's \\$HOME"\n`));
    assert.equal(seen === undefined ? "" : isAlive(seen, thisProcess()), "dead");
  });

  test("rule 10: keys and passwords among the catalog's options are not in what it is called with, and come to it whole", async () => {
    const odd = "a b\tc\n\"d\" 'e' \\ $f `g` ü # END\nEND\n*";
    await running(`echo "$@" > '${mark}'; tr '\\0' '\\n' < /proc/$$/environ >> '${mark}'; cat > '${mark}.read'`, { "s3.secret-key": "wJalrX", odd: odd + "x".repeat(200_000) }, { ...process.env, args: "of somebody's shell" }).act(table, { kind: "roll-back", tag: "a" }, watchedRun());
    assert.doesNotMatch(readFileSync(mark, "utf8"), /wJalrX|rollback_to/);
    const read = readFileSync(`${mark}.read`, "utf8");
    assert.ok(read.includes("\"s3.secret-key=wJalrX\"\n") && read.includes(argumentFile([`odd=${odd}${"x".repeat(200_000)}`])));
  });

  test("rule 10: the environment makes Java start itself anew with nothing in the open, and has it read names whole", async () => {
    await running(`echo "$LD_LIBRARY_PATH $LC_ALL" > '${mark}'`, {}, { PATH: process.env["PATH"], LD_LIBRARY_PATH: "/opt/jdk/lib/server:/opt/hadoop/lib/native", LANG: "C" }).act(table, { kind: "roll-back", tag: "a" }, watchedRun());
    assert.equal(readFileSync(mark, "utf8"), "/opt/hadoop/lib/native C.UTF-8\n");
  });

  test("never runs when that can't be written down", async () => {
    await assert.rejects(running(`echo > '${mark}'`).act(table, { kind: "roll-back", tag: "a" }, watchedRun(), () => Promise.reject(new Error("the disk is full"))), /the disk is full/);
    assert.ok(!existsSync(mark));
  });

  test("says with which words Paimon failed, and that Java is missing when it is", async () => {
    const { facts } = await rejected(running("echo 'Exception in thread \"main\" java.lang.IllegalArgumentException: no such tag' >&2; exit 1").act(table, { kind: "roll-back", tag: "a" }, watchedRun()), "paimon-action-failed");
    assert.match(facts.message, /no such tag/);
    const missing = actionCommand({ warehouse: () => Promise.resolve({ path: "/w", catalogOptions: {} }), java: () => Promise.resolve(path.join(folder, "none")), jars: () => Promise.resolve([]), env: process.env, log: quiet });
    await rejected(missing.act(table, { kind: "roll-back", tag: "a" }, watchedRun()), "local-flink-java-missing");
  });
});
