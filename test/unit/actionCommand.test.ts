import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { actionCommand } from "../../src/clients/paimon/actionCommand";
import { isAlive, thisProcess } from "../../src/clients/processIdentity";
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

function running(script: string): PaimonActions {
  const java = path.join(folder, "java with blanks");
  writeFileSync(java, `#!/bin/sh\n${script}\n`);
  chmodSync(java, 0o755);
  return actionCommand({ warehouse: { path: "/w", catalogOptions: {} }, java: () => Promise.resolve(java), jars: () => Promise.resolve(["/a.jar"]), env: process.env, log: quiet });
}

describe("Paimon's action command", { skip: process.platform === "win32" }, () => {
  test("P-12: does nothing before it is written down that it runs, and is told by its pid until it ends", async () => {
    let seen: ProcessIdentity | undefined;
    await running(`echo $$ "$@" > '${mark}'`).act(table, { kind: "delete-tag", tag: "it's $HOME" }, watchedRun(), async (identity) => {
      seen = identity;
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.ok(!existsSync(mark));
      assert.equal(isAlive(identity, thisProcess()), "alive");
    });
    assert.match(readFileSync(mark, "utf8"), new RegExp(`^${seen?.pid ?? 0} .* delete_tag .* it's \\$HOME`));
    assert.equal(seen === undefined ? "" : isAlive(seen, thisProcess()), "dead");
  });

  test("never runs when that can't be written down", async () => {
    await assert.rejects(running(`echo > '${mark}'`).act(table, { kind: "roll-back", tag: "a" }, watchedRun(), () => Promise.reject(new Error("the disk is full"))), /the disk is full/);
    assert.ok(!existsSync(mark));
  });

  test("says with which words Paimon failed, and that Java is missing when it is", async () => {
    const { facts } = await rejected(running("echo 'Exception in thread \"main\" java.lang.IllegalArgumentException: no such tag' >&2; exit 1").act(table, { kind: "roll-back", tag: "a" }, watchedRun()), "paimon-action-failed");
    assert.match(facts.message, /no such tag/);
    const missing = actionCommand({ warehouse: { path: "/w", catalogOptions: {} }, java: () => Promise.resolve(path.join(folder, "none")), jars: () => Promise.resolve([]), env: process.env, log: quiet });
    await rejected(missing.act(table, { kind: "roll-back", tag: "a" }, watchedRun()), "local-flink-java-missing");
  });
});
