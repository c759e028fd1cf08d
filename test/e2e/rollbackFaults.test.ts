import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, test } from "node:test";
import { until } from "../rig/flink";
import { paimonFlinks } from "../rig/paimon";
import type { RollbackTask } from "./rollback.process";
import { hangOn } from "./support/hangingPaimon";
import { faultyWarehouse, saidBy, type FaultyWarehouse } from "./support/rollbackFaults";
import { freeze } from "./support/smallDisk";
import { patience } from "./support/testApp";

describe("a rollback through Paimon's action command, in a warehouse that fails", () => {
  let one: FaultyWarehouse;
  beforeEach(async () => {
    one = await faultyWarehouse(paimonFlinks[0]);
  });
  afterEach(() => one?.close());

  test("P-12: on a read-only disk it says so and is not done, also where Paimon says that it is; once it can be written it comes to its end", async () => {
    // As an earlier rollback leaves it that broke off, of a snapshot that had expired: every snapshot is gone.
    for (const name of readdirSync(one.at("app", "snapshot"))) if (name.startsWith("snapshot-")) rmSync(one.at("app", "snapshot", name));
    writeFileSync(one.at("app", "snapshot", "LATEST"), "6");
    let thaw = freeze(one.at("app"));
    try {
      assert.match(await saidBy(one.begin()), /\/app\/snapshot\/snapshot-6 can't be written \(EROFS\), and Paimon can't read d\.app before it is\./);
      assert.deepEqual((await one.open()).tables.map(({ state }) => state), ["failed", "planned"]);
      thaw();
      thaw = freeze(one.at("app", "tag"));
      assert.match(await saidBy(one.continue()), /^The table d\.app is not what its tag savepoint-6 is after the rollback: the later tag savepoint-\d+ is still there\. Nothing is restored from it\./);
      assert.deepEqual((await one.open()).tables.map(({ state }) => state), ["failed", "planned"]);
      thaw();
      thaw = freeze(one.at("pk"));
      assert.match(await saidBy(one.continue()), /^Paimon could not roll back to the tag savepoint-6 of d\.pk: .*LATEST \(Read-only file system\)/);
      assert.deepEqual((await one.open()).tables.map(({ state }) => state), ["rolled-back", "failed"]);
    } finally {
      thaw();
    }
    await one.assertBack(await one.continue());
  });

  test("P-11: a tag that is deleted between the preview and the typed name, or made again of another snapshot, is named, and no table is touched; begun anew it is done", async () => {
    const plan = await one.plan();
    const begin = (): Promise<unknown> => one.rollbacks.begin(plan, { safetyCopy: true, restore: null, unchecked: [] }, patience());
    await one.act("pk", { kind: "delete-tag", tag: "savepoint-6" });
    assert.match(await saidBy(begin()), /Since the preview the tag savepoint-6 of d\.pk has gone: it was deleted, or its time was over\. Give this rollback up, and begin anew/);
    const tag = one.at("pk", "tag", "tag-savepoint-6");
    copyFileSync(one.at("pk", "snapshot", "snapshot-7"), tag);
    assert.match(await saidBy(one.continue()), /Since the preview the tag savepoint-6 of d\.pk was made anew, and is of another state now\. Give this rollback up, and begin anew\./);
    assert.deepEqual((await one.open()).tables.map(({ state }) => state), ["planned", "planned"]);
    assert.deepEqual(["app", "pk"].map((table) => existsSync(one.at(table as "app", "branch"))), [false, false]);
    await one.rollbacks.drop((await one.open()).id);
    rmSync(tag);
    assert.deepEqual((await one.plan()).tables.map(({ tag: { isNew } }) => isNew), [false, true]);
    await one.assertBack(await one.begin());
  });

  test("P-12: two windows that have the warehouse under two paths never roll it back at once; when Paimon's JVM is killed, the other goes on", async () => {
    const hanging = hangOn(one.at("app", "schema"));
    const window = spawn(process.execPath, ["--enable-source-maps", "dist/test/e2e/rollback.process.mjs", JSON.stringify({ options: one.optionsOf(true), savepoint: one.savepoint, restore: null } satisfies RollbackTask)], { stdio: ["pipe", "pipe", "inherit"] });
    const ended = new Promise((resolve) => window.once("exit", resolve));
    let said = "";
    window.stdout.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")));
    try {
      const plan = await one.plan();
      await until("Paimon to be at it", async () => (await one.rollbacks.unfinished())[0]?.tables[0]?.process?.pid !== undefined);
      const { id, tables } = await one.open();
      assert.match(await saidBy(one.rollbacks.begin(plan, { safetyCopy: false, restore: null, unchecked: [] }, patience())), /A rollback of its job's tables is not finished: 0 of 2 are rolled back\./);
      assert.match(await saidBy(one.rollbacks.continue(id, patience())), /A rollback of it has been under way for/);
      assert.match(await saidBy(one.rollbacks.drop(id)), /A rollback of it has been under way for/);
      process.kill(tables[0]?.process?.pid ?? 0, "SIGKILL");
      await until("the window to say so", () => Promise.resolve(said.includes("failed")));
      assert.match(said, /failed paimon-action-lost .*the JVM was ended by SIGKILL/);
      window.kill("SIGKILL");
      await ended;
      hanging.release();
      assert.deepEqual((await one.open()).tables.map(({ state }) => state), ["failed", "planned"]);
      // By a window that has it under the first path.
      await one.assertBack(await one.continue());
    } finally {
      window.kill("SIGKILL");
      hanging.release();
    }
  });
});
