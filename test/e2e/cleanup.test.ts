import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { setImmediate as immediately, setTimeout as sleep } from "node:timers/promises";
import { asideFolder, asidePlace } from "../../src/core/cleanup/aside";
import { isVictim, shownVictims } from "../../src/core/cleanup/plan";
import type { CleanupRules } from "../../src/core/cleanup/rules";
import type { SavepointRecord } from "../../src/core/ledger/record";
import { startFlink, type TestFlink } from "../rig/flink";
import { seeded } from "../unit/seeded";
import { onDisk, savepointFolders, scratchFolder } from "./support/disk";
import { Eyes } from "./support/eyes";
import { ServicesProcess } from "./support/servicesProcess";
import { cleanupOf, openApp, patience, type TestApp } from "./support/testApp";

const small = ["--window", "false", "--broadcast", "false"];
const rules = (changes: Partial<CleanupRules> = {}): CleanupRules => ({ keep: 2, maxAgeMs: null, undoMs: 3_600_000, ...changes });

describe("cleanup on Flink 2.3.0", () => {
  let flink: TestFlink;
  let eyes: Eyes;
  let test: TestApp;
  let scratch: string;

  before(async () => {
    scratch = scratchFolder("cleanup");
    flink = await startFlink("2.3.0", { extraConfig: { "web.refresh-interval": "100" } });
    eyes = new Eyes(flink);
    test = openApp({ ledgerFolder: path.join(scratch, "ledger"), clusters: [flink.url] });
  });
  after(async () => {
    test?.dispose();
    await flink?.stop();
  });

  /** Takes a savepoint as a schedule does, into a directory of its own. */
  async function take(jobId: string, directory: string, format: "canonical" | "native" = "canonical", origin: SavepointRecord["origin"] = "scheduled"): Promise<SavepointRecord> {
    const { id } = await test.app.savepoints.trigger({ cluster: flink.url, jobId }, { directory, format, description: "" }, patience());
    return test.app.ledger.update<SavepointRecord>(id, "as a schedule takes it", (record) => ({ ...record, origin }));
  }

  it("does what the preview said: victims lie aside whole, survivors are untouched, one is put back and restored from, and the rest is disposed of by Flink", async () => {
    const directory = path.join(scratch, "preview");
    const jobName = "previewed";
    const jobId = await eyes.run({ name: jobName, args: small });
    const taken: SavepointRecord[] = [];
    for (const [format, origin] of [["canonical", "scheduled"], ["native", "scheduled"], ["canonical", "scheduled"], ["native", "scheduled"], ["canonical", "manual"], ["canonical", "scheduled"], ["canonical", "scheduled"]] as const) taken.push(await take(jobId, directory, format, origin));
    const [first, second, pinned, source, byHand, ...newest] = taken as [SavepointRecord, SavepointRecord, SavepointRecord, SavepointRecord, SavepointRecord, ...SavepointRecord[]];
    await test.app.savepoints.pin(pinned.id, true);
    // Somebody else starts a job from one of them.
    await eyes.run({ name: "of another", args: small, savepointPath: source.path ?? "" });
    const before = new Map(taken.map((record) => [record.id, contentOf(onDisk(record.path ?? ""))]));

    const cleanup = await cleanupOf(test.app, rules());
    const job = { cluster: flink.url, jobName };
    const preview = await cleanup.preview(job, patience());
    const spared = preview.plan.rows.filter((row) => !isVictim(row)).map(({ record, spares }) => [record.id, spares.map((spare) => (spare.spare === "refused" ? spare.refusals[0]?.rule : spare.spare)).join()]);
    assert.deepEqual(preview.plan.rows.filter(isVictim).map(({ record, removal }) => [record.id, removal]), [[second.id, "aside"], [first.id, "aside"]]);
    assert.deepEqual(new Map(spared as [string, string][]), new Map([...newest.map(({ id }): [string, string] => [id, "within-rules"]), [byHand.id, "not-scheduled"], [source.id, "restore-source"], [pinned.id, "pinned"]]));

    const outcome = await cleanup.run(job, shownVictims(preview.plan), patience());
    assert.deepEqual([outcome.removed, outcome.failed], [[first.id, second.id], []]);
    for (const record of taken) {
      const place = [first.id, second.id].includes(record.id) ? asidePlace(record.path ?? "") : (record.path ?? "");
      assert.deepEqual(contentOf(onDisk(place)), before.get(record.id), `${record.id} is whole`);
    }
    assert.equal(savepointFolders(directory).length, 5);
    assert.deepEqual(readdirSync(path.join(directory, asideFolder)).length, 2);

    const back = await cleanup.undo(second.id);
    assert.deepEqual(contentOf(onDisk(second.path ?? "")), before.get(second.id));
    const restored = await test.app.restores.start({
      cluster: flink.url, jobName: "from what was put back", savepoint: { path: back.path ?? "", recordId: back.id, checkpointId: back.checkpointId }, jar: { id: await flink.upload(), name: "job.jar" },
      programArgs: ["--job-name", "from what was put back", ...small], claimMode: "NO_CLAIM", allowNonRestoredState: false,
    }, patience());
    assert.equal(await eyes.state(restored.id), "RUNNING");

    await test.app.ledger.update<SavepointRecord>(first.id, "an hour later", (record) => (record.cleanup?.aside ? { ...record, cleanup: { ...record.cleanup, aside: { ...record.cleanup.aside, untilMs: 0 } } } : record));
    await cleanup.removeDue();
    assert.equal((await test.savepoint(first.id)).disposal?.state, "disposed");
    assert.equal(existsSync(path.join(directory, asideFolder)), false, "Flink deleted the folder where it lay, and nothing is left");
    assert.equal(savepointFolders(directory).length, 6);
    cleanup.dispose();
  });

  it("killed -9 in the middle, by a move or by a disposal, leaves each savepoint in one place, and the next run ends what the preview said and no more", async () => {
    const random = seeded(20_261_129);
    const job = { cluster: flink.url, jobName: "killed" };
    const jobId = await eyes.run({ name: job.jobName, args: small });
    const interrupted = new Set<string>();
    for (let round = 0; round < 8; round++) {
      const chosen = rules({ undoMs: round % 2 === 0 ? 3_600_000 : 0 });
      const directory = path.join(scratch, `killed-${round}`);
      const taken: SavepointRecord[] = [];
      for (let count = 0; count < 6; count++) taken.push(await take(jobId, directory));
      const cleanup = await cleanupOf(test.app, chosen);
      const { plan } = await cleanup.preview(job, patience());
      const mine = plan.rows.filter(({ record }) => taken.some(({ id }) => id === record.id));
      const going = mine.filter(isVictim).map(({ record }) => record);
      assert.equal(going.length, 4);
      const shown = shownVictims({ ...plan, rows: mine });

      const process = new ServicesProcess({ options: { ledgerFolder: path.join(scratch, "ledger"), clusters: [flink.url] }, cluster: flink.url, what: { verb: "cleanup", job, rules: chosen, shown } });
      await process.begins();
      // Moves are over in a moment: killed as soon as so many are seen. Disposals wait for Flink: killed after a while.
      const gone = Math.floor(random() * 4);
      const untilMs = Date.now() + (chosen.undoMs === 0 ? 40 + random() * 500 : 20_000);
      while (Date.now() < untilMs && !process.over && !(chosen.undoMs > 0 && gone > 0 && movedInto(directory) >= gone)) await (chosen.undoMs > 0 ? immediately() : sleep(5));
      const over = process.over;
      await process.end();

      const reconciling = new ServicesProcess({ options: { ledgerFolder: path.join(scratch, "ledger"), clusters: [flink.url] }, cluster: flink.url, what: { verb: "reconcile" } });
      await reconciling.outcome();
      await reconciling.end();
      await cleanup.settleLeftovers();
      const afterKill = await Promise.all(going.map(({ id }) => test.savepoint(id)));
      for (const record of afterKill) {
        const [there, aside] = [existsSync(onDisk(record.path ?? "")), existsSync(onDisk(asidePlace(record.path ?? "")))];
        const told = record.disposal?.state === "disposed" ? "gone" : record.cleanup?.aside?.state === "aside" ? "aside" : "there";
        assert.equal(told, there ? "there" : aside ? "aside" : "gone", `round ${round}: the ledger says ${told}`);
        assert.ok(!(there && aside));
      }
      interrupted.add(`${chosen.undoMs === 0 ? "disposing" : "moving"}: ${over ? "over" : `${afterKill.filter((record) => !existsSync(onDisk(record.path ?? ""))).length} of 4`}`);

      await cleanup.run(job, shown, patience());
      // What the kill left as a failed disposal has changed since the preview, and is in the list of failures.
      for (const { id } of (await cleanup.state(job)).failed) await cleanup.retry(id, patience());
      assert.deepEqual(savepointFolders(directory).map(({ path: folder }) => folder).sort(), taken.slice(4).map((record) => onDisk(record.path ?? "")).sort(), `round ${round}: those that were to stay`);
      assert.equal(movedInto(directory), chosen.undoMs === 0 ? 0 : 4);
      cleanup.dispose();
      // Out of the way of the next round.
      for (const record of taken.slice(4)) await test.app.savepoints.forget(record.id);
    }
    console.log(`killed: ${[...interrupted].sort().join(", ")}`);
  });
});

function movedInto(directory: string): number {
  const folder = path.join(directory, asideFolder);
  return existsSync(folder) ? readdirSync(folder).length : 0;
}

/** The files of a folder with their digests. */
function contentOf(folder: string): Record<string, string> {
  return Object.fromEntries(readdirSync(folder).sort().map((name) => [name, createHash("sha256").update(readFileSync(path.join(folder, name))).digest("hex")]));
}
