import { after, before, describe, it } from "node:test";
import { startFlink, type TestFlink } from "../../rig/flink";
import { seeded } from "../../unit/seeded";
import { scratchFolder } from "./disk";
import { stormSchedules } from "./scheduleStorm";

/** Kills and stops the process that runs a schedule, that many runs long. `STORM_SEED` chooses the same moments again. */
export function describeStorm(version: string, port: number, ticks: number): void {
  describe(`three processes share a schedule, on Flink ${version}`, () => {
    let flink: TestFlink;
    before(async () => {
      flink = await startFlink(version, { port, extraConfig: { "web.refresh-interval": "100" } });
    });
    after(() => flink?.stop());

    it(`and the one that runs it is killed or stopped again and again: each of ${ticks} runs takes exactly one savepoint (A-21, rule 6)`, async (t) => {
      const seed = Number(process.env["STORM_SEED"] ?? Date.now() % 1_000_000);
      t.diagnostic(`seed ${seed}`);
      const { kills, unsent, sleeps, again, lateMs } = await stormSchedules(flink, scratchFolder("storm"), { ticks, everyMs: 3_000, random: seeded(seed) });
      t.diagnostic(`${ticks} runs, ${kills} kills (${unsent} between record and request), ${sleeps} stops; ${again} savepoints taken at a further attempt; late by ${lateMs[Math.floor(lateMs.length / 2)]} ms in the middle, ${lateMs.at(-1)} ms at most`);
    });
  });
}
