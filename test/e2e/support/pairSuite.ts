import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import type { SavepointRecord } from "../../../src/core/ledger/record";
import { runProgram } from "../../unit/program";
import { onDisk } from "./disk";
import { copyTag, pairScenes, said, tagNameOf, type PairScenes } from "./pairScenes";
import { openBench, type RollbackBench } from "./rollbackBench";
import { patience } from "./testApp";

interface One {
  readonly id: string;
  readonly reasons: readonly string[];
}

/** Scenes of pairs on a Flink with its own Paimon, or with another. Each has databases and jobs of its own, and mostly waits. */
export const describePairs = (version: string, bundle?: string): unknown => describe(`P-9: which tags belong to which savepoints, on Flink ${version}${bundle === undefined ? "" : ` with Paimon ${bundle}`}`, { concurrency: 2 }, () => {
  let bench: RollbackBench;
  let scenes: PairScenes;
  before(async () => {
    bench = await openBench(version, "command", bundle);
    scenes = pairScenes(bench);
  });
  after(() => bench?.stop());

  test("a savepoint by trigger and one by stop are proven in both tables; one that is not committed waits; one of a job that has no tags is unprotected", async () => {
    const job = await scenes.start("duo");
    await scenes.checkpoint(job);
    const triggered = await scenes.tagged(job, "duo.orders", "duo.events");
    const stopped = await scenes.paimon.savepoint(job, "stop");
    const plain = await scenes.start("plain", { autoTag: false });
    await scenes.checkpoint(plain);
    const untagged = await scenes.savepoint(plain);
    await scenes.checkpoint(plain);
    const waiting = await scenes.savepoint(plain);
    await scenes.paimon.cancel(plain);
    const found = await scenes.entries(triggered, stopped, untagged, waiting);
    for (const kind of ["orders", "events"]) {
      for (const savepoint of [triggered, stopped]) assert.equal(said(found, savepoint, `duo.${kind}`), `exact ${await tagNameOf(savepoint)}`);
      assert.equal(said(found, untagged, `plain.${kind}`), "unprotected –");
      assert.equal(said(found, waiting, `plain.${kind}`), "waiting –");
    }
  });

  test("decoys are never proven: a tag of the same name by another job, a table that was made anew, an id that was given out again, tags made by hand, a tag that was deleted", async () => {
    const tables = ["decoys.orders", "decoys.events"] as const;
    const first = await scenes.start("decoys");
    await scenes.checkpoint(first);
    const early = await scenes.tagged(first, ...tables);
    await scenes.checkpoint(first);
    const late = await scenes.tagged(first, ...tables);
    const kept = await tagNameOf(late);
    await scenes.paimon.cancel(first);

    // Another job, whose numbers begin anew: its savepoint of the same number finds the name taken.
    const other = await scenes.start("decoys", { name: "decoys" });
    await scenes.checkpoint(other);
    const twin = await scenes.savepoint(other);
    await scenes.checkpoint(other);
    assert.equal(await tagNameOf(twin), await tagNameOf(early));
    await scenes.paimon.cancel(other);

    // By hand: another name for the right snapshot, the right name on the wrong one, and one that was deleted.
    await copyTag(scenes.paimon.warehouse, "decoys.orders", kept, "before-release");
    const mine = await tagNameOf(early);
    await rm(path.join(scenes.paimon.warehouse, "decoys.db", "events", "tag", `tag-${mine}`));
    await copyTag(scenes.paimon.warehouse, "decoys.events", kept, mine);
    await copyTag(scenes.paimon.warehouse, "decoys.events", kept, "savepoint-99");

    const found = await scenes.entries(early, late, twin);
    assert.equal(said(found, early, "decoys.orders"), `exact ${mine}`);
    assert.equal(said(found, twin, "decoys.orders"), "foreign –");
    assert.equal(said(found, late, "decoys.orders"), `exact before-release + exact ${kept}`);
    assert.equal(said(found, early, "decoys.events"), "foreign –");
    assert.equal(said(found, twin, "decoys.events"), "foreign –");
    // The name says one savepoint and the content another: it is the content's.
    assert.equal(said(found, late, "decoys.events"), [kept, mine, "savepoint-99"].sort().map((tag) => `exact ${tag}`).join(" + "));

    // The table is dropped, and a job without state makes it anew.
    for (const table of tables) await scenes.drop(table);
    const anew = await scenes.start("decoys");
    await scenes.checkpoint(anew);
    const again = await scenes.tagged(anew, ...tables);
    await scenes.paimon.cancel(anew);
    const later = await scenes.entries(early, late, again);
    // Before Paimon 1.0 sinks have no uids, so that nothing in a savepoint names its table.
    const isNamed = bundle?.startsWith("0.") !== true;
    for (const table of tables) {
      assert.equal(said(later, again, table), `exact ${mine}`);
      assert.equal(said(later, early, table), isNamed ? "foreign –" : "");
      assert.equal(said(later, late, table), isNamed ? "none –" : "");
    }
  });

  test("A-30: cleanup --warehouse spares a savepoint whose snapshot a tag keeps that somebody made, and takes it once that tag is gone", async () => {
    const job = await scenes.start("kept");
    await scenes.checkpoint(job);
    const { savepoints, ledger } = bench.app.app;
    const taken: SavepointRecord[] = [];
    while (taken.length < 3) {
      const { id, path: place } = await savepoints.trigger({ cluster: scenes.paimon.flink.url, jobId: job }, { directory: path.join(scenes.paimon.flink.folder, "scheduled"), format: "canonical", description: "" }, patience());
      await scenes.checkpoint(job);
      await scenes.paimon.tagged(onDisk(place ?? ""), "kept.orders", "kept.events");
      taken.push(await ledger.update<SavepointRecord>(id, "as a schedule takes them", (record) => ({ ...record, origin: "scheduled" })));
    }
    const [needed, other, newest] = taken as [SavepointRecord, SavepointRecord, SavepointRecord];
    await copyTag(scenes.paimon.warehouse, "kept.orders", `savepoint-${needed.checkpointId ?? ""}`, "before-release");
    const file = path.join(scenes.paimon.flink.folder, "flink-savepoints.json");
    await writeFile(file, JSON.stringify({ cleanup: { enabled: true, jobs: [{ job: needed.job.name, cluster: scenes.paimon.flink.url, keep: 1 }] } }));
    const cleanup = async (verb: string): Promise<{ victims: One[]; survivors: One[]; removed: string[]; failed: unknown[] }> => {
      const { out, err } = await runProgram(["cleanup", verb, file, "--state", path.dirname(bench.options.ledgerFolder), "--warehouse", scenes.paimon.warehouse, "--json"], { limitMs: 120_000 });
      const [told] = (JSON.parse(out) as { jobs: { victims: One[]; survivors: One[]; removed: string[]; failed: unknown[] }[] }).jobs;
      return told ?? assert.fail(`${out}${err}`);
    };
    const why = (rows: readonly One[]): [string, ...string[]][] => rows.map(({ id, reasons }) => [id, ...reasons]);

    const preview = await cleanup("preview");
    assert.deepEqual(why(preview.victims), [[other.id, "beyond the newest 1"]]);
    assert.deepEqual(why(preview.survivors), [[newest.id, "Within the rules."], [needed.id, "Belongs to tag before-release of kept.orders, which somebody keeps."]]);
    await cleanup("agree");
    const first = await cleanup("run");
    assert.deepEqual([first.removed, first.failed, existsSync(onDisk(needed.path ?? "")), existsSync(onDisk(other.path ?? ""))], [[other.id], [], true, false]);

    await rm(path.join(scenes.paimon.warehouse, "kept.db", "orders", "tag", "tag-before-release"));
    const second = await cleanup("run");
    assert.deepEqual([second.removed, second.failed, existsSync(onDisk(needed.path ?? "")), existsSync(onDisk(newest.path ?? ""))], [[needed.id], [], false, true]);
    await scenes.paimon.cancel(job);
  });

  test("two lives of one job with the same numbers: files tell them apart", async () => {
    const tables = ["lives.orders", "lives.events"] as const;
    const first = await scenes.start("lives");
    await scenes.checkpoint(first);
    const base = await scenes.tagged(first, ...tables);
    const old = await scenes.tagged(first, ...tables);
    await scenes.paimon.cancel(first);
    // Restored without a rollback: commit user and numbers come again, and the name is taken.
    const second = await scenes.start("lives", {}, base);
    await scenes.checkpoint(second);
    const twin = await scenes.savepoint(second);
    await scenes.checkpoint(second);
    await scenes.paimon.cancel(second);
    assert.equal(await tagNameOf(twin), await tagNameOf(old));
    const found = await scenes.entries(base, old, twin);
    for (const table of tables) {
      assert.equal(said(found, base, table), `exact ${await tagNameOf(base)}`);
      assert.equal(said(found, old, table), `exact ${await tagNameOf(old)}`);
      assert.equal(said(found, twin, table), "unprotected –");
    }
  });

  test("an idle sink is the same as its last commit, a drained one has no tag, and a savepoint of a job without Paimon has nothing", async () => {
    const slow = await scenes.start("idle", { rate: 0.001 });
    await scenes.checkpoint(slow, 4);
    const idle = await scenes.savepoint(slow);
    await scenes.checkpoint(slow);
    await scenes.paimon.cancel(slow);
    const drain = await scenes.start("drained");
    await scenes.checkpoint(drain);
    const drained = (await scenes.paimon.flink.savepoint(drain, "stop", { drain: true })).replace(/^file:(\/\/)?/, "");
    const strange = await scenes.paimon.flink.runTestJob();
    await scenes.paimon.flink.waitUntilRunning(strange);
    const without = (await scenes.paimon.flink.savepoint(strange)).replace(/^file:(\/\/)?/, "");
    await scenes.paimon.cancel(strange);
    const found = await scenes.entries(idle, drained, without);
    for (const kind of ["orders", "events"]) {
      assert.equal(said(found, idle, `idle.${kind}`), "idle –");
      assert.equal(said(found, drained, `drained.${kind}`), "drained –");
    }
    assert.deepEqual(found.filter(({ savepoint }) => savepoint === without), []);
  });
});
