import { after, afterEach, before, describe, it } from "node:test";
import { FaultBench } from "./faultBench";
import { describeConnections } from "./faultsOfConnections";
import { describeJobManagerCrash, describeTaskManagerCrash } from "./faultsOfCrashes";
import { describeDirectories } from "./faultsOfDirectories";
import { describeDisposals } from "./faultsOfDisposals";
import { describeForgetting } from "./faultsOfForgetting";
import { describeJobs } from "./faultsOfJobs";
import { describeRestores } from "./faultsOfRestores";

/**
 * Faults on a real Flink of one version. After each of them nothing may be lost, nothing doubled, and the outcome must have been found:
 * what the ledger says is compared with Flink's own account and with what lies on the disk.
 */
export function describeFaults(version: string, port: number): void {
  describe(`faults on Flink ${version}`, () => {
    const bench = new FaultBench(version, port);
    before(() => bench.open());
    afterEach(() => bench.calm());
    after(() => bench.close());

    // What becomes of a stop in it is known after a minute only: the others run meanwhile.
    const aftermath = describeJobManagerCrash(bench);
    describeConnections(bench);
    describeJobs(bench);
    describeDirectories(bench);
    describeRestores(bench);
    describeDisposals(bench);
    describeTaskManagerCrash(bench);
    aftermath();
    it("leaves no record open and no savepoint on the disk without its one record", () => bench.assertTidy());
  });

  describe(`a Flink ${version} that forgets within a second and has no savepoint directory`, () => {
    const bench = new FaultBench(version, port + 10, { "execution.checkpointing.savepoint-dir": "", "state.savepoints.dir": "", "rest.async.store-duration": "1 s" });
    before(() => bench.open());
    afterEach(() => bench.calm());
    after(() => bench.close());
    describeForgetting(bench);
  });
}
