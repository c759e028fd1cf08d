import { after, before, describe, it } from "node:test";
import { startFlink, type TestFlink } from "../../rig/flink";
import { scratchFolder } from "./disk";
import { seeded } from "../../unit/seeded";
import { killAll, plan, report } from "./killSuite";

/** Kills the services' process that many times on one Flink, four at a time. `KILL_SEED` chooses the same moments again. */
export function describeKills(version: string, port: number, count: number): void {
  describe(`the process that runs the services is killed, on Flink ${version}`, () => {
    let flink: TestFlink;
    before(async () => {
      flink = await startFlink(version, { port, extraConfig: { "web.refresh-interval": "100" } });
    });
    after(() => flink?.stop());

    it(`at ${count} moments of trigger, stop, restore and dispose: nothing is lost, nothing doubled, and each outcome is found`, async (t) => {
      const seed = Number(process.env["KILL_SEED"] ?? Date.now() % 1_000_000);
      t.diagnostic(`seed ${seed}`);
      const outcomes = await killAll(flink, plan(count, seeded(seed)), scratchFolder("kills"), 4);
      for (const line of report(outcomes).split("\n")) t.diagnostic(line);
    });
  });
}
