import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { isFlinkError } from "../../src/core/errors";
import { tableAddress } from "../../src/core/paimon/actions";
import { movedOn } from "../../src/core/paimon/rollback/plan";
import { paimonFlinks } from "../rig/paimon";
import { bothTables, everyMs, openBench, type RollbackBench } from "./support/rollbackBench";
import { faultyWarehouse, saidBy, type FaultyWarehouse } from "./support/rollbackFaults";
import { assertExact, killAt, runPastSavepoint } from "./support/rollbackRounds";
import { crowd } from "./support/smallDisk";
import { patience } from "./support/testApp";

for (const version of paimonFlinks) {
  describe(`Paimon of Flink ${version}, on a disk that is full`, () => {
    let one: FaultyWarehouse;
    beforeEach(async () => {
      one = await faultyWarehouse(version);
    });
    afterEach(() => one?.close());

    test("nothing is rolled back before the copy that was wanted is whole, wherever the disk was full; with room it is made anew, and the rollback is done", async () => {
      const snapshots = (): number => readdirSync(one.at("app", "snapshot")).length;
      const before = snapshots();
      const disk = crowd(one.at("app"));
      try {
        // There is no room for the tag; for its file, which is there and empty; then for the branch's tag, snapshot and schema, to each of which the last try leaves its page.
        for (const pages of [0, 0, 1, 1, 1]) {
          disk.leave(pages);
          const isOpen = (await one.rollbacks.unfinished()).length > 0;
          assert.match(await saidBy(isOpen ? one.continue() : one.begin({ safetyCopy: true })), /^Paimon could not (create|make) the (tag|branch) .*No space left on device/s, `with ${pages} pages`);
          assert.deepEqual([snapshots(), (await one.open()).tables.map(({ state }) => state)], [before, ["planned", "planned"]]);
        }
        disk.leave(64);
        const done = await one.continue();
        await one.assertBack(done);
        for (const table of ["app", "pk"] as const) assert.deepEqual(["tag", "snapshot", "schema"].map((folder) => readdirSync(one.at(table, "branch", `branch-${done.safetyName ?? ""}`, folder)).length), [1, 1, 1]);
      } finally {
        disk.undo();
      }
    });

    test("a rollback needs no room: it is done on a full disk, and what is deleted is what was named", async () => {
      const disk = crowd(one.at("app"));
      try {
        disk.leave(0);
        await one.assertBack(await one.begin());
      } finally {
        disk.undo();
      }
    });
  });

  describe(`Flink ${version}`, () => {
    let bench: RollbackBench;
    let job = "";
    before(async () => {
      bench = await openBench(version);
      job = await bench.paimon.runJob({ interval: everyMs });
      await bench.paimon.checkpoints(job, 2);
    });
    after(() => bench?.stop());

    for (const step of ["rolled-back rolled-back rolled-back", "restoring rolled-back rolled-back"] as const) {
      test(`P-11: a job that somebody starts by hand after “${step}” is not started a second time; once it has written, only a new rollback leads back, and to the same`, async () => {
        const { paimon, app } = bench;
        const savepoint = await runPastSavepoint(bench, job);
        await killAt(bench, savepoint, step);
        await app.app.reconciler.reconcile();
        const rollbacks = await app.app.rollbacks();
        const [open] = await rollbacks.unfinished();
        const restore = await app.restore(open?.restoreId ?? "");
        // Killed after it was sent, it is the rollback's own job that runs.
        const byHand = (restore.sentAtMs ?? null) === null ? await paimon.runJob({ interval: everyMs }, { savepointPath: savepoint }) : undefined;
        if (byHand === undefined) {
          job = (await rollbacks.continue(open?.id ?? "", patience())).restoreId ?? "";
        } else {
          await assert.rejects(rollbacks.continue(open?.id ?? "", patience()), (error) => isFlinkError(error, "refused") && error.facts.refusals.every(({ rule }) => rule === "writer-running"));
          await paimon.checkpoints(byHand, 2);
          await paimon.cancel(byHand);
          await assert.rejects(rollbacks.continue(open?.id ?? "", patience()), (error) => isFlinkError(error, "rollback-unverified"));
          assert.deepEqual((await app.restores()).filter(({ id, sentAtMs }) => id === open?.restoreId && (sentAtMs ?? null) !== null), []);
          await rollbacks.drop(open?.id ?? "");
          job = (await bench.rollBack(savepoint)).restoreId ?? "";
        }
        await paimon.checkpoints(job, 1);
        await assertExact(bench);
      });
    }

    test("rule 5: restored after one table only was rolled back, rows of the other are doubled without a word; it is told before", async () => {
      const { paimon } = bench;
      const savepoint = await runPastSavepoint(bench, job);
      const orders = (await bench.check(savepoint)).plan.tables.find(({ table }) => table.name === "sales.orders");
      await (await bench.app.app.paimonTables()).actions(paimon.warehouse).act(tableAddress("sales.orders"), { kind: "roll-back", tag: orders?.tag.name ?? "" }, patience());
      assert.deepEqual(movedOn((await bench.check(savepoint)).plan).map(({ table }) => table.name), ["sales.events"]);
      const restored = await paimon.runJob({ interval: everyMs }, { savepointPath: savepoint });
      await paimon.checkpoints(restored, 2);
      await paimon.cancel(restored);
      const [, events] = await paimon.read(...bothTables);
      assert.ok(events !== undefined && events.rows > events.different, `events were doubled: ${JSON.stringify(events)}`);
    });
  });
}
