import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { movedOn } from "../../src/core/paimon/rollback/plan";
import { tableAddress } from "../../src/core/paimon/actions";
import { paimonFlinks } from "../rig/paimon";
import { bothTables, everyMs, openBench, type RollbackBench } from "./support/rollbackBench";
import { killedAnywhere, killedRound, round, runPastSavepoint, steps } from "./support/rollbackRounds";
import { patience } from "./support/testApp";

for (const version of paimonFlinks) {
  describe(`Flink ${version}`, () => {
    let bench: RollbackBench;
    let job = "";
    before(async () => {
      bench = await openBench(version);
      job = await bench.paimon.runJob({ interval: everyMs });
      await bench.paimon.checkpoints(job, 2);
    });
    after(() => bench?.stop());

    for (let at = 1; at <= 10; at++) {
      test(`P-10: nothing is lost and nothing doubled from a random moment, ${at} of 10`, async () => {
        job = await round(bench, job);
      });
    }

    for (const step of steps) {
      test(`P-12: killed when it has written down “${step}”, another process goes on and comes to the same`, async () => {
        job = await killedRound(bench, job, step);
      });
    }

    for (let at = 1; at <= 5; at++) {
      test(`P-12: killed at any moment, another process goes on and comes to the same, ${at} of 5`, async () => {
        job = await killedAnywhere(bench, job);
      });
    }

    test("rule 5: rolled back while the job runs, which is refused, rows are lost without a word", async () => {
      const { paimon } = bench;
      const savepoint = await paimon.savepoint(job);
      await paimon.checkpoints(job, 3);
      const { plan, refusals } = await bench.check(savepoint);
      assert.deepEqual([...new Set(refusals.map(({ rule }) => rule))], ["writer-running"]);
      const events = plan.tables.find(({ table }) => table.name === "sales.events");
      await (await bench.app.app.paimonTables()).actions(paimon.warehouse).act(tableAddress("sales.events"), { kind: "roll-back", tag: events?.tag.name ?? "" }, patience());
      await paimon.checkpoints(job, 2);
      const [, after] = await paimon.read(...bothTables);
      assert.ok(after !== undefined && after.rows < after.largest, `rows are missing: ${JSON.stringify(after)}`);
      await paimon.cancel(job);
    });

    test("rule 5: restored without a rollback, rows are doubled without a word; it is told before", async () => {
      const { paimon } = bench;
      job = await paimon.runJob({ database: "again", interval: everyMs });
      await paimon.checkpoints(job, 2);
      const savepoint = await runPastSavepoint(bench, job, ["again.orders", "again.events"]);
      assert.deepEqual(movedOn((await bench.check(savepoint)).plan).map(({ table }) => table.name), ["again.events", "again.orders"]);
      const restored = await paimon.runJob({ database: "again", interval: everyMs }, { savepointPath: savepoint });
      await paimon.checkpoints(restored, 2);
      await paimon.cancel(restored);
      const [events] = await paimon.read("again.events");
      assert.ok(events !== undefined && events.rows > events.different, `events were doubled: ${JSON.stringify(events)}`);
    });
  });
}
