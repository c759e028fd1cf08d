import assert from "node:assert/strict";
import { cp, readdir, rename } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { isFlinkError } from "../../src/core/errors";
import { paimonFlinks } from "../rig/paimon";
import { runProgram } from "../unit/program";
import { pairScenes, said, tagNameOf, type PairScenes } from "./support/pairScenes";
import type { TagEntry } from "../../src/cli/tags";
import { openBench, type RollbackBench } from "./support/rollbackBench";
import { patience } from "./support/testApp";

/** Tables of every layout that Paimon has, all with columns that the job writes. */
const layouts: Readonly<Record<string, { readonly key?: string; readonly by?: string; readonly options: Readonly<Record<string, string>> }>> = {
  partitioned: { key: "id, v", by: "v", options: { "bucket": "2" } },
  dynamical: { key: "id", options: { "bucket": "-1" } },
  postponed: { key: "id", options: { "bucket": "-2" } },
  unaware: { by: "v", options: { "bucket": "-1" } },
  bucketed: { options: { "bucket": "2", "bucket-key": "id" } },
  looking: { key: "id", options: { "bucket": "1", "changelog-producer": "lookup" } },
  compacting: { key: "id", options: { "bucket": "1", "changelog-producer": "full-compaction", "full-compaction.delta-commits": "2" } },
  aggregating: { key: "id", options: { "bucket": "1", "merge-engine": "aggregation", "fields.v.aggregate-function": "last_value" } },
  vectors: { key: "id", options: { "bucket": "1", "deletion-vectors.enabled": "true" } },
  writeonly: { key: "id", options: { "bucket": "1", "write-only": "true" } },
  expiring: { key: "id", options: { "bucket": "1", "snapshot.num-retained.min": "1", "snapshot.num-retained.max": "2", "snapshot.time-retained": "1 s" } },
  kept: { options: { "bucket": "-1", "tag.default-time-retained": "1 h" } },
  orced: { key: "id", options: { "bucket": "1", "file.format": "orc", "manifest.format": "orc" } },
};

for (const version of paimonFlinks) {
  describe(`P-9: which tags belong to which savepoints, on Flink ${version}`, () => {
    let bench: RollbackBench;
    let scenes: PairScenes;
    const name = (savepoint: string): Promise<string> => tagNameOf(savepoint);
    before(async () => {
      bench = await openBench(version, "gateway");
      scenes = pairScenes(bench);
    });
    after(() => bench?.stop());

    test("tables of every layout", async () => {
      const gateway = (await bench.app.app.paimonTables()).gateway(bench.paimon.warehouse);
      assert.ok(gateway);
      const sql = (statement: string): Promise<unknown> => gateway.run(statement, patience().signal).catch((error: unknown) => assert.fail(`${statement}: ${isFlinkError(error, "statement-failed") ? error.facts.message : String(error)}`));
      await sql("CREATE DATABASE IF NOT EXISTS paimon.layouts");
      for (const [table, { key, by, options }] of Object.entries(layouts)) {
        const all = { "write-buffer-size": "4 mb", "page-size": "32 kb", "sink.savepoint.auto-tag": "true", ...options };
        await sql(`CREATE TABLE paimon.layouts.${table} (id BIGINT, v STRING${key === undefined ? "" : `, PRIMARY KEY (${key}) NOT ENFORCED`})${by === undefined ? "" : ` PARTITIONED BY (${by})`} WITH (${Object.entries(all).map(([option, value]) => `'${option}' = '${value}'`).join(", ")})`);
      }
      const names = Object.keys(layouts);
      const found: string[] = [];
      for (const tables of [names.slice(0, 5), names.slice(5, 10), names.slice(10)]) {
        const job = await scenes.start("layouts", { tables: tables.join(","), name: `layouts ${tables[0] ?? ""}` });
        await scenes.checkpoint(job, 2);
        const triggered = await scenes.savepoint(job);
        await scenes.checkpoint(job, 3);
        const stopped = await bench.paimon.savepoint(job, "stop");
        const entries = await scenes.entries(triggered, stopped);
        for (const table of tables) found.push(`${table}: ${said(entries, triggered, `layouts.${table}`)}, ${said(entries, stopped, `layouts.${table}`)}`.replaceAll(await name(triggered), "TRIGGERED").replaceAll(await name(stopped), "STOPPED"));
      }
      assert.deepEqual(found, names.map((table) => `${table}: exact TRIGGERED, exact STOPPED`));
    });

    test("rolled back and restored: the numbers come again, and only the new ones are theirs", async () => {
      const tables = ["back.orders", "back.events"] as const;
      const first = await scenes.start("back");
      await scenes.checkpoint(first);
      const base = await scenes.tagged(first, ...tables);
      await scenes.checkpoint(first);
      const old = await scenes.tagged(first, ...tables);
      await bench.paimon.cancel(first);
      for (const table of tables) await scenes.act(table, { kind: "roll-back", tag: await name(base) });
      const second = await scenes.start("back", {}, base);
      await scenes.checkpoint(second, 2);
      const again = await scenes.tagged(second, ...tables);
      await bench.paimon.cancel(second);
      assert.equal(await name(again), await name(old));
      const entries = await scenes.entries(base, old, again);
      for (const table of tables) assert.deepEqual([said(entries, base, table), said(entries, old, table).split(" ")[0] === "exact", said(entries, again, table)], [`exact ${await name(base)}`, false, `exact ${await name(again)}`]);
    });

    test("rolled back too far, and restored: what is committed again on the wrong base is not proven", async () => {
      const tables = ["far.orders", "far.events"] as const;
      const first = await scenes.start("far");
      await scenes.checkpoint(first);
      const base = await scenes.tagged(first, ...tables);
      await scenes.checkpoint(first, 2);
      const late = await scenes.tagged(first, ...tables);
      await bench.paimon.cancel(first);
      for (const table of tables) await scenes.act(table, { kind: "roll-back", tag: await name(base) });
      const second = await scenes.start("far", {}, late);
      await bench.paimon.tagged(late, ...tables);
      await bench.paimon.flink.waitUntilRunning(second);
      await scenes.checkpoint(second, 2);
      await bench.paimon.cancel(second);
      const entries = await scenes.entries(base, late);
      for (const table of tables) assert.deepEqual([said(entries, base, table), said(entries, late, table)], [`exact ${await name(base)}`, `changed ${await name(late)}`]);
    });

    test("a chain of stops and restores, one of them of a savepoint whose tags never came", async () => {
      const tables = ["chain.orders", "chain.events"] as const;
      let job = await scenes.start("chain");
      await scenes.checkpoint(job);
      const all: string[] = [];
      for (let link = 0; link < 3; link++) {
        all.push(await bench.paimon.savepoint(job, "stop"));
        job = await scenes.start("chain", {}, all.at(-1));
        await scenes.checkpoint(job);
      }
      const open = await scenes.savepoint(job);
      await bench.paimon.cancel(job);
      const before = await scenes.entries(...all, open);
      for (const table of tables) assert.equal(said(before, open, table), "waiting –");
      job = await scenes.start("chain", {}, open);
      await bench.paimon.tagged(open, ...tables);
      await bench.paimon.flink.waitUntilRunning(job);
      await scenes.checkpoint(job, 2);
      all.push(open, await bench.paimon.savepoint(job, "stop"));
      const entries = await scenes.entries(...all);
      for (const table of tables) for (const savepoint of all) assert.equal(said(entries, savepoint, table), `exact ${await name(savepoint)}`, table);

      // Moved elsewhere, without the times of its files.
      const elsewhere = path.join(bench.paimon.flink.folder, "elsewhere");
      await cp(bench.paimon.warehouse, path.join(elsewhere, "warehouse"), { recursive: true });
      for (const savepoint of all) await cp(savepoint, path.join(elsewhere, "savepoints", path.basename(savepoint)), { recursive: true });
      const { out } = await runProgram(["tags", path.join(elsewhere, "warehouse"), "--json", "--savepoints", path.join(elsewhere, "savepoints")]);
      const moved = (JSON.parse(out) as TagEntry[]).filter(({ table }) => table.startsWith("chain."));
      for (const table of tables) for (const savepoint of all) assert.equal(said(moved, path.join(elsewhere, "savepoints", path.basename(savepoint)), table), `exact ${await name(savepoint)}`, table);
    });

    test("two jobs that write one table, whose numbers are the same", async () => {
      const [one, two] = [await scenes.start("shared", { name: "one", tables: "events" }), await scenes.start("shared", { name: "two", tables: "events" })];
      await scenes.checkpoint(one);
      await scenes.checkpoint(two);
      const first = await scenes.tagged(one, "shared.events");
      const second = await scenes.savepoint(two);
      await scenes.checkpoint(two);
      await scenes.checkpoint(one);
      const third = await scenes.tagged(two, "shared.events");
      await bench.paimon.cancel(one);
      await bench.paimon.cancel(two);
      assert.equal(await name(first), await name(second));
      const entries = await scenes.entries(first, second, third);
      assert.deepEqual([first, second, third].map((savepoint) => said(entries, savepoint, "shared.events")), [`exact ${await name(first)}`, "foreign –", `exact ${await name(third)}`]);
    });

    test("a table that was renamed, and another that has its name now; a branch of a tag", async () => {
      const job = await scenes.start("named", { tables: "orders" });
      await scenes.checkpoint(job);
      const old = await scenes.tagged(job, "named.orders");
      await bench.paimon.cancel(job);
      await scenes.act("named.orders", { kind: "create-branch", branch: "copy", tag: await name(old) });
      const folder = path.join(bench.paimon.warehouse, "named.db");
      await rename(path.join(folder, "orders"), path.join(folder, "former"));
      const next = await scenes.start("named", { tables: "orders" });
      await scenes.checkpoint(next);
      const fresh = await scenes.tagged(next, "named.orders");
      await bench.paimon.cancel(next);
      assert.equal(await name(fresh), await name(old));
      const entries = await scenes.entries(old, fresh);
      assert.equal(said(entries, fresh, "named.orders"), `exact ${await name(fresh)}`);
      assert.equal(said(entries, old, "named.former"), `exact ${await name(old)}`);
      assert.deepEqual((await readdir(path.join(folder, "former", "branch"))), ["branch-copy"]);
      assert.deepEqual(entries.filter(({ table, savepoint }) => savepoint !== null && (table.includes("$branch") || (table === "named.orders" && savepoint === old) || (table === "named.former" && savepoint === fresh))), []);
    });
  });
}
