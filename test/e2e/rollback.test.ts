import assert from "node:assert/strict";
import { readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { isFlinkError } from "../../src/core/errors";
import { differenceFrom, movedOn } from "../../src/core/paimon/rollback/plan";
import { tableFacts } from "../../src/core/paimon/rollback/facts";
import { localWarehouse } from "../../src/clients/paimon/localWarehouse";
import { tableAddress } from "../../src/core/paimon/actions";
import { paimonFlinks } from "../rig/paimon";
import { bothTables, everyMs, openBench, type RollbackBench } from "./support/rollbackBench";
import { assertExact, killedRound, round, runPastSavepoint, steps } from "./support/rollbackRounds";
import { freeze } from "./support/smallDisk";
import { patience } from "./support/testApp";

for (const [at, version] of paimonFlinks.entries()) {
  const way = at === 0 ? "command" : "gateway";
  describe(`Flink ${version}, through ${way === "command" ? "Paimon's action command" : "a SQL Gateway"}`, () => {
    let bench: RollbackBench;
    let job = "";
    before(async () => {
      bench = await openBench(version, way);
      job = await bench.paimon.runJob({ interval: everyMs });
    });
    after(() => bench?.stop());

    test("P-10, P-12: a job goes on from an older savepoint with nothing lost and nothing doubled in either table; what was discarded is kept where that is wanted", async () => {
      const { paimon } = bench;
      await paimon.checkpoints(job, 2);
      const savepoint = await paimon.savepoint(job);
      await paimon.tagged(savepoint, ...bothTables);
      await paimon.checkpoints(job, 2);
      await paimon.cancel(job);
      const { plan, refusals } = await bench.check(savepoint);
      assert.deepEqual(refusals, []);
      assert.deepEqual(plan.tables.map(({ table, pairing, tag }) => [table.name, pairing.grade, tag.isNew]), [["sales.events", "exact", false], ["sales.orders", "exact", false]]);
      assert.deepEqual(movedOn(plan).map(({ table }) => table.name), ["sales.events", "sales.orders"]);
      const done = await bench.rollBack(savepoint, { safetyCopy: true });
      assert.equal(done.state, "done");
      job = done.restoreId ?? "";
      await paimon.checkpoints(job, 1);
      assert.ok((await assertExact(bench)) > 0);
      const [copy] = await paimon.read(`${bothTables[0]}$branch_${done.safetyName ?? ""}`);
      assert.ok(copy !== undefined && copy.rows > 0 && copy.rows === copy.different);
    });

    test("P-10: so it does from a random moment", async () => {
      job = await round(bench, job);
    });

    test("P-11: it is refused while the job runs, and nothing is changed", async () => {
      const savepoint = await bench.paimon.savepoint(job);
      await bench.paimon.tagged(savepoint, ...bothTables);
      const { plan, refusals } = await bench.check(savepoint);
      assert.deepEqual([...new Set(refusals.map(({ rule }) => rule))], ["writer-running"]);
      const rollbacks = await bench.app.app.rollbacks();
      await assert.rejects(rollbacks.begin(plan, { safetyCopy: false, restore: null, unchecked: [] }, patience()), (error) => isFlinkError(error, "refused") && error.facts.refusals[0]?.rule === "writer-running");
      // Where no cluster tells of a writer, the tables do.
      bench.app.app.clusters.setProfiles([]);
      await assert.rejects(rollbacks.begin(plan, { safetyCopy: false, restore: null, unchecked: [] }, patience()), (error) => isFlinkError(error, "refused") && error.facts.refusals[0]?.rule === "table-moves");
      bench.app.app.clusters.setProfiles([{ name: "test", url: bench.paimon.flink.url }]);
      for (const open of await rollbacks.unfinished()) await rollbacks.drop(open.id);
      await assertExact(bench);
    });

    test("P-12: killed in the middle of it, another process goes on and comes to the same", async () => {
      job = await killedRound(bench, job, steps[at === 0 ? 1 : 3]);
    });

    test("a rollback that Paimon left half done is recognised, mended and brought to its end", async () => {
      const { paimon } = bench;
      const savepoint = await runPastSavepoint(bench, job);
      const { plan } = await bench.check(savepoint);
      for (const [index, { table, target, snapshots }] of plan.tables.entries()) {
        // As after its first steps: the pointer is set and later snapshots are deleted, in one table not all of them; the tag's own had expired.
        const folder = path.join(table.home, "snapshot");
        await writeFile(path.join(folder, "LATEST"), String(target.id));
        for (const { id } of index === 0 ? snapshots : snapshots.slice(1)) await rm(path.join(folder, `snapshot-${id}`));
        for (const name of await readdir(folder)) if (/^snapshot-\d+$/.test(name) && Number(name.slice(9)) <= target.id) await rm(path.join(folder, name));
      }
      assert.deepEqual((await bench.check(savepoint)).plan.tables.map(({ isBrokenOff }) => isBrokenOff), [true, plan.tables[1]?.snapshots[0]?.id !== (plan.tables[1]?.target.id ?? 0) + 1]);
      const done = await bench.rollBack(savepoint);
      assert.equal(done.state, "done");
      job = done.restoreId ?? "";
      await paimon.checkpoints(job, 1);
      await assertExact(bench);
    });

    test("P-12: a table that could not be rolled back keeps the job from being started, and says why", async () => {
      const savepoint = await runPastSavepoint(bench, job);
      const rollbacks = await bench.app.app.rollbacks();
      const { plan } = await bench.check(savepoint);
      const [first, second] = plan.tables;
      const thaw = freeze(path.join(second?.table.home ?? "", "snapshot"));
      try {
        await assert.rejects(rollbacks.begin(plan, { safetyCopy: false, restore: bench.restoreOf(savepoint), unchecked: [] }, patience()), (error) => isFlinkError(error, "paimon-action-failed") && error.facts.message.includes("Read-only file system"));
      } finally {
        thaw();
      }
      const [open] = await rollbacks.unfinished();
      assert.deepEqual(open?.tables.map(({ state }) => state), ["rolled-back", "failed"]);
      // And a restore past it is refused.
      await assert.rejects(bench.app.app.restores.start(bench.restoreOf(savepoint), patience()), (error) => isFlinkError(error, "refused") && error.facts.refusals[0]?.rule === "rollback-unfinished");
      assert.equal(differenceFrom({ ...first?.target, commitIdentifier: String(first?.target.commitIdentifier) } as never, await tableFacts(localWarehouse, first?.table as never)), undefined);
      job = (await rollbacks.continue(open?.id ?? "", patience())).restoreId ?? "";
      await bench.paimon.checkpoints(job, 1);
      await assertExact(bench);
    });

    if (at === 0) {
      test("P-6: a savepoint whose tags never came, since its job ended first, needs no rollback: the restore commits what it holds", async () => {
        const { paimon } = bench;
        const savepoint = await paimon.savepoint(job);
        await paimon.cancel(job);
        const done = await bench.rollBack(savepoint);
        assert.equal(done.state, "done");
        job = done.restoreId ?? "";
        await paimon.checkpoints(job, 1);
        await assertExact(bench);
      });

      test("rule 5: without a rollback, or with one table only, rows are doubled without a word; both are told before", async () => {
        const { paimon } = bench;
        const savepoint = await runPastSavepoint(bench, job);
        const restored = async (): Promise<string> => {
          const id = await paimon.runJob({ interval: everyMs }, { savepointPath: savepoint });
          await paimon.checkpoints(id, 2);
          await paimon.cancel(id);
          return id;
        };
        assert.deepEqual(movedOn((await bench.check(savepoint)).plan).map(({ table }) => table.name), ["sales.events", "sales.orders"]);
        // One table only, by hand: the other is still told of.
        const { plan } = await bench.check(savepoint);
        const orders = plan.tables.find(({ table }) => table.name === "sales.orders");
        await (await bench.app.app.paimonTables()).actions(paimon.warehouse).act(tableAddress("sales.orders"), { kind: "roll-back", tag: orders?.tag.name ?? "" }, patience());
        assert.deepEqual(movedOn((await bench.check(savepoint)).plan).map(({ table }) => table.name), ["sales.events"]);
        await restored();
        const [, events] = await paimon.read(...bothTables);
        assert.ok(events !== undefined && events.rows > events.different, `events were doubled: ${JSON.stringify(events)}`);
      });
    }
  });
}
