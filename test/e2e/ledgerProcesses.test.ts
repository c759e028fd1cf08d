import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { openLedger } from "../../src/clients/ledgerFiles";
import { systemClock } from "../../src/core/base/async";
import { keptLog } from "../unit/ledgerSamples";
import { storm, writerFile } from "./support/ledgerStorm";

test("three processes that write a thousand records each, and are killed at random, lose and double nothing", async (t) => {
  t.diagnostic(await storm({ recordsEach: 1000, shared: 2, publish: "link", kills: 15, everyMs: 300 }));
});

test("a disk that is full in the middle of a write leaves nothing half-written", async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), "ledger-full-"));
  t.after(() => rm(folder, { recursive: true }));
  // A limit on the size of files acts like a disk that fills up: the beginning is written, the rest refused. (What a block is differs by shell.)
  const { stdout } = await promisify(execFile)("sh", ["-c", 'ulimit -f 1; exec "$@"', "sh", process.execPath, writerFile, folder, "link", "a", "1", "3", "1"]);
  const lines = stdout.trim().split("\n");
  assert.equal(lines.at(-1), "refused ledger-unwritable EFBIG");
  const created = lines.filter((line) => line.startsWith("created ")).map((line) => line.slice("created ".length));
  assert.deepEqual(await readdir(path.join(folder, "drafts")), []);
  const ledger = openLedger({ folder, log: keptLog(), clock: systemClock });
  assert.deepEqual((await ledger.all()).map((record) => record.id).sort(), created.sort());
  assert.deepEqual(ledger.damaged(), []);
});
