import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { rejected } from "../../unit/rejected";
import { savepointFolders } from "./disk";
import { type FaultBench, own } from "./faultBench";
import { makeFull, makeUnwritable } from "./smallDisk";
import { openApp, patience } from "./testApp";

/** Savepoint and ledger directories that cannot be written, are full, or must never be sent. */
export function describeDirectories(bench: FaultBench): void {
  describe("a directory", () => {
    for (const kind of ["below a file", "that may not be written"] as const) {
      it(`${kind}: Flink's reason is shown, and the job is untouched`, async () => {
        const subject = await bench.startJob();
        const folder = path.join(bench.scratch, `dir-${bench.jobs}`);
        let undo = (): void => undefined;
        if (kind === "below a file") writeFileSync(folder, "");
        else undo = makeUnwritable(folder);
        try {
          const error = await rejected(bench.test.app.savepoints.trigger(subject.ref, { ...own, directory: path.join(folder, "inner") }, patience()), "savepoint-failed");
          assert.match(error.facts.message, /Failed to create savepoint directory|Could not (create|complete)|Read-only|Permission|mkdir|Not a directory|exists/i);
          assert.equal(error.facts.jobRestarted, false);
          const stop = await rejected(bench.test.app.savepoints.stop(subject.ref, { ...own, directory: path.join(folder, "inner"), drain: false }, patience()), "stop-failed");
          assert.equal(stop.facts.jobState, "running on");
        } finally {
          undo();
        }
        assert.equal(await bench.eyes.state(subject.jobId), "RUNNING");
        assert.deepEqual((await bench.recordsOf(subject)).map(({ state, stop }) => [state, stop?.job ?? null]).sort(), [["failed", null], ["failed", "running-on"]]);
      });
    }

    it("on a full disk: the reason is shown, the job goes on from its last checkpoint, and nothing that looks like a savepoint is left", async () => {
      const subject = await bench.startJob("--checkpoint-interval", "300 ms", "--state-bytes", "5000");
      await bench.eyes.untilCheckpointed(subject.jobId);
      const undo = makeFull(subject.savepoints, bench.flink.folder);
      try {
        const error = await rejected(bench.test.app.savepoints.trigger(subject.ref, bench.request(subject), patience()), "savepoint-failed");
        assert.match(error.facts.message, /No space left on device|File too large|Could not flush/);
        assert.deepEqual(savepointFolders(subject.savepoints).filter(({ hasMetadata }) => hasMetadata), []);
      } finally {
        undo();
      }
      await bench.eyes.untilRuns(subject.jobId);
      await bench.assertContinues(subject, await bench.test.app.savepoints.stop(subject.ref, { ...bench.request(subject), drain: false }, patience()));
    });

    it("that is blank, relative or unreadable is never sent", async () => {
      const subject = await bench.startJob();
      const posts = (): number => bench.proxy.sent("POST", /./).length;
      const before = posts();
      for (const [directory, fault] of [["", "empty"], ["   ", "empty"], ["savepoints", "relative"], ["./x", "relative"], ["file:x", "relative"], ["/a\nb", "unreadable"]] as const) {
        assert.equal((await rejected(bench.test.app.savepoints.trigger(subject.ref, { ...own, directory }, patience()), "location-invalid")).facts.fault, fault);
        await rejected(bench.test.app.savepoints.stop(subject.ref, { ...own, directory, drain: false }, patience()), "location-invalid");
      }
      for (const location of ["", " ", "relative/savepoint-1"]) {
        await rejected(bench.restoreOf(subject, { path: location, id: "none", checkpointId: null }).then((wanted) => bench.test.app.restores.start(wanted, patience())), "location-invalid");
      }
      assert.equal(posts(), before);
      assert.deepEqual(await bench.recordsOf(subject), []);
      assert.equal(await bench.eyes.state(subject.jobId), "RUNNING");
    });

    it("for the ledger that cannot be written: nothing is sent to Flink", async () => {
      const subject = await bench.startJob();
      const folder = path.join(bench.scratch, "ledger-of-another");
      const undo = makeUnwritable(folder);
      const window = openApp({ ledgerFolder: folder, clusters: [bench.proxy.url] });
      await rejected(window.app.savepoints.trigger(subject.ref, bench.request(subject), patience()), "ledger-unwritable");
      await rejected(window.app.savepoints.stop(subject.ref, { ...bench.request(subject), drain: false }, patience()), "ledger-unwritable");
      await rejected(bench.restoreOf(subject, null).then((wanted) => window.app.restores.start(wanted, patience())), "ledger-unwritable");
      window.dispose();
      undo();
      assert.deepEqual(bench.proxy.sent("POST", new RegExp(subject.jobId)), []);
      assert.deepEqual(savepointFolders(subject.savepoints), []);
      assert.deepEqual((await bench.eyes.jobsNamed(subject.name)).length, 1);
    });
  });
}
