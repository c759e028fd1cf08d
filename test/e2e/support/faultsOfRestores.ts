import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { before, describe, it } from "node:test";
import { explain } from "../../../src/core/explain";
import type { SavepointRecord } from "../../../src/core/ledger/record";
import type { RestoreRequest } from "../../../src/services/restores";
import { rejected } from "../../unit/rejected";
import { savepointFolders } from "./disk";
import type { FaultBench, Subject } from "./faultBench";
import { patience } from "./testApp";

/** Starts that Flink refuses, or that fail later: its reason is what is shown. */
export function describeRestores(bench: FaultBench): void {
  describe("a restore", () => {
    let subject: Subject;
    let stopped: SavepointRecord;
    before(async () => {
      subject = await bench.startJob("--max-parallelism", "4");
      stopped = await bench.test.app.savepoints.stop(subject.ref, { ...bench.request(subject), drain: false }, patience());
    });

    /** The start fails with this reason, in the error and in the ledger, and no job runs. */
    const fails = async (more: Partial<RestoreRequest>, reason: RegExp, location = stopped.path): Promise<void> => {
      const error = await rejected(bench.restoreOf(subject, { ...stopped, path: location }, more).then((wanted) => bench.test.app.restores.start(wanted, patience())), "restore-failed");
      assert.match(error.facts.message, reason);
      assert.doesNotMatch(explain(error).message, /\b(400|500)\b/);
      const record = (await bench.test.restores()).filter(({ jobName }) => jobName === subject.name).sort((a, b) => a.requestedAtMs - b.requestedAtMs).at(-1);
      assert.equal(record?.state, "failed");
      assert.match(record?.failure?.message ?? "", reason);
      assert.deepEqual((await bench.eyes.jobsNamed(subject.name)).filter(({ state }) => !/FAILED|FINISHED|CANCELED/.test(state)), []);
      assert.equal(savepointFolders(subject.savepoints).length, 1);
    };

    it("onto a jar without a main class fails with Flink's words", async () => {
      await fails({ jar: { file: path.join(path.dirname(bench.flink.jarPath), "no-main.jar"), name: "no-main.jar" } }, /Main-Class|main class|entry point/i);
    });
    it("onto an entry class that is not there fails with its name", async () => {
      await fails({ entryClass: "orders.Missing" }, /orders\.Missing/);
    });
    it("onto a program that runs no job fails with Flink's words", async () => {
      await fails({ programArgs: [...subject.args, "--no-execute", "true"] }, /No jobs included in application/);
    });
    it("onto a jar that is no longer on the cluster fails", async () => {
      await fails({ jar: { id: "0b8b0cb1_gone.jar", name: "gone.jar" } }, /does not exist|gone\.jar/);
    });
    it("from a path where nothing is fails", async () => {
      await fails({}, /Cannot find checkpoint or savepoint file\/directory/, path.join(bench.scratch, "nowhere", "savepoint-000000-000000000000"));
    });
    it("from a folder without _metadata fails", async () => {
      mkdirSync(path.join(bench.scratch, "empty", "savepoint-000000-000000000000"), { recursive: true });
      await fails({}, /_metadata/, path.join(bench.scratch, "empty", "savepoint-000000-000000000000"));
    });
    it("from a corrupt _metadata fails", async () => {
      const folder = path.join(bench.scratch, "corrupt", "savepoint-000000-000000000000");
      mkdirSync(folder, { recursive: true });
      writeFileSync(path.join(folder, "_metadata"), "this is no savepoint at all");
      await fails({}, /Unexpected magic number|EOFException|magic/, folder);
    });
    it("with a parallelism above the savepoint's max parallelism fails with both numbers", async () => {
      const { args } = subject;
      await fails({ parallelism: 6, programArgs: args.filter((_, at) => args[at] !== "--max-parallelism" && args[at - 1] !== "--max-parallelism") }, /maximum parallelism|max parallelism/i);
    });
    it("whose tasks fail again and again is reported as failed, with the job's own reason", async () => {
      subject.controls.on("fail-restore");
      try {
        const error = await rejected(bench.test.app.restores.start(await bench.restoreOf(subject, stopped), patience()), "restore-failed");
        assert.match(error.facts.message, /fail-restore requested/);
      } finally {
        subject.controls.off();
      }
    });
    it("of the same savepoint works after all of these", async () => {
      await bench.assertContinues(subject, stopped);
    });
  });
}
