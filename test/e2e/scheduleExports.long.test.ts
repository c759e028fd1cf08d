import { test } from "node:test";
import { schedulePeers } from "../rig/schedulePeers";
import { assertSameButAtChanges, compareWithQuartz } from "./support/quartzSuite";

test("10,000 random expressions over sixty days, and 300 over five years, run by Quartz's own CronExpression when they run here, but in hours when clocks change", async (context) => {
  const { quartz } = await schedulePeers();
  let runs = 0;
  let different = 0;
  const compare = async (asked: Parameters<typeof compareWithQuartz>[1]): Promise<void> => {
    const compared = await compareWithQuartz(quartz, asked);
    assertSameButAtChanges(compared);
    runs += compared.runs;
    different += compared.differences.length;
  };
  for (let batch = 0; batch < 20; batch++) await compare({ count: 500, seed: batch, days: 60, starts: ["2027-02-20", "2027-09-20", "2027-05-20"], atMost: 3_000 });
  for (let batch = 0; batch < 10; batch++) await compare({ count: 30, seed: 1_000 + batch, days: 5 * 365, starts: ["2027-01-01"], atMost: 40_000 });
  context.diagnostic(`${runs} runs compared; ${different} expressions differ in an hour when clocks change`);
});
