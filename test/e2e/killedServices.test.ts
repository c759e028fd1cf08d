import { after, before, describe, it } from "node:test";
import { startFlink, type TestFlink } from "../rig/flink";
import { scratchFolder } from "./support/disk";
import { killAll, plan, report, seeded } from "./support/killSuite";

describe("the process that runs the services is killed", () => {
  let flink: TestFlink;
  before(async () => {
    flink = await startFlink("1.20.5", { port: 19670, extraConfig: { "web.refresh-interval": "100" } });
  });
  after(() => flink?.stop());

  it("at 50 moments of trigger, stop, restore and dispose: nothing is lost, nothing doubled, and each outcome is found", async (t) => {
    const seed = Number(process.env["KILL_SEED"] ?? Date.now() % 1_000_000);
    t.diagnostic(`seed ${seed}; KILL_SEED=${seed} chooses the same moments again`);
    const outcomes = await killAll(flink, plan(50, seeded(seed)), scratchFolder("kills"), 4);
    for (const line of report(outcomes).split("\n")) t.diagnostic(line);
  });
});
