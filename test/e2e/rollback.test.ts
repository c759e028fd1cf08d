import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { movedOn } from "../../src/core/paimon/rollback/plan";
import { paimonFlinks } from "../rig/paimon";
import { bothTables, openBench, type RollbackBench } from "./support/rollbackBench";

for (const [at, version] of paimonFlinks.entries()) {
  const way = at === 0 ? "command" : "gateway";
  describe(`Flink ${version}, through ${way === "command" ? "Paimon's action command" : "a SQL Gateway"}`, () => {
    let bench: RollbackBench;
    before(async () => {
      bench = await openBench(version, way);
    });
    after(() => bench?.stop());

    test("P-10: a job goes on from an older savepoint with nothing lost and nothing doubled in either table", async () => {
      const { paimon } = bench;
      const first = await paimon.runJob();
      await paimon.checkpoints(first, 2);
      const savepoint = await paimon.savepoint(first);
      await paimon.checkpoints(first, 3);
      await paimon.cancel(first);
      const { plan, refusals } = await bench.check(savepoint);
      assert.deepEqual(refusals, []);
      assert.deepEqual(plan.tables.map(({ table, pairing, tag }) => [table.name, pairing.grade, tag.isNew]), [["sales.events", "exact", false], ["sales.orders", "exact", false]]);
      assert.deepEqual(movedOn(plan).map(({ table }) => table.name), ["sales.events", "sales.orders"]);
      const done = await bench.rollBack(savepoint, { safetyCopy: true });
      assert.equal(done.state, "done");
      const rows = await bench.stopAndCount(done.restoreId ?? "");
      assert.ok(rows > 0);
      // The copy still reads what was discarded.
      const [copy] = await paimon.read(`${bothTables[0]}$branch_${done.safetyName ?? ""}`);
      assert.ok(copy !== undefined && copy.rows > 0);
    });
  });
}
