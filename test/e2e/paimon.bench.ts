import * as fs from "node:fs/promises";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { gatewayOf } from "../../src/clients/paimon/sqlGateway";
import { mapLimit, systemClock } from "../../src/core/base/async";
import type { WarehouseProfile } from "../../src/core/model/warehouse";
import { CachedWarehouse } from "../../src/core/paimon/cachedWarehouse";
import { WarehouseService } from "../../src/services/warehouses";
import { plainHttp, quietLog } from "../rig/flink";
import { startPaimon } from "../rig/paimon";
import { CountingWarehouse } from "../unit/countingWarehouse";
import { Figures, median, ms } from "../ui/support/figures";

/**
 * Listing a warehouse of 1,000 tables with 100 tags each, as the tree does it, beside the same through a SQL Gateway of a real Flink with Paimon in the
 * same run; and the longest time that the listing holds up its thread. The gateway's `$tags` is a Flink job for each table, so only some are asked for.
 * `BENCH_TABLES` and `BENCH_TAGS` make it smaller.
 */
const tables = Number(process.env["BENCH_TABLES"] ?? 1_000);
const tags = Number(process.env["BENCH_TAGS"] ?? 100);
const asked = 5;

const paimon = await startPaimon("1.20.5");
try {
  await makeTables(path.join(paimon.warehouse, "bench.db"));
  const profile: WarehouseProfile & { readonly sqlGateway: string } = { name: "bench", path: `file:${paimon.warehouse}`, catalog: "paimon", catalogOptions: {}, jars: [], sqlGateway: await paimon.gateway() };
  const figures = new Figures();
  const stopWatching = watchThread();

  const counting = new CountingWarehouse();
  const service = new WarehouseService(new CachedWarehouse(counting));
  service.setProfiles([profile]);
  const timed = async <T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly ms: number; readonly reads: string }> => {
    const before = { files: counting.files, folders: counting.folders };
    const begun = performance.now();
    const value = await work();
    return { value, ms: performance.now() - begun, reads: `${(counting.files - before.files).toLocaleString("en")} files and ${(counting.folders - before.folders).toLocaleString("en")} folders read` };
  };
  const first = await timed(() => service.tables(profile, "bench", 50));
  figures.add(`the first 50 of ${tables.toLocaleString("en")} tables`, `${ms(first.ms)}, ${first.reads}`);
  const [table] = first.value.items;
  if (table === undefined) throw new Error("no table was listed");
  const filesBefore = counting.files;
  const opened = await timed(() => service.tags(profile.path, table.table, 50));
  figures.add(`opening one of them: the first 50 of ${tags} tags`, `${ms(opened.ms)}, ${opened.reads}`, { text: "50 files, as many as rows", kept: counting.files - filesBefore === Math.min(50, tags) });
  const again = await timed(() => service.tags(profile.path, table.table, 50));
  figures.add("the same again", `${ms(again.ms)}, ${again.reads}`, { text: "nothing read", kept: again.reads.startsWith("0 files and 0 folders") });
  const everything = await timed(async () => {
    const all = await service.tables(profile, "bench", tables);
    for (const each of all.items) await service.tags(profile.path, each.table, tags);
    return all.items.length;
  });
  figures.add(`every tag of every table (${(tables * tags).toLocaleString("en")})`, `${ms(everything.ms)}, ${everything.reads}`);
  figures.add("longest that the thread was held up", ms(stopWatching()), { text: "", kept: true });

  const gateway = gatewayOf(profile, { http: plainHttp(), clock: systemClock, log: quietLog });
  const signal = AbortSignal.timeout(600_000);
  const ask = async (statement: string): Promise<{ readonly rows: number; readonly ms: number }> => {
    const begun = performance.now();
    const { rows } = await gateway.run(statement, signal);
    return { rows: rows.length, ms: performance.now() - begun };
  };
  await gateway.run("SET 'execution.runtime-mode' = 'batch'", signal);
  const shown = await ask("SHOW TABLES IN `paimon`.`bench`");
  if (shown.rows !== tables) throw new Error(`the gateway lists ${shown.rows} tables`);
  figures.add("SQL Gateway: SHOW TABLES", ms(shown.ms), { text: "slower than our first rows", kept: shown.ms > first.ms });
  const times: number[] = [];
  for (let at = 0; at < asked; at++) {
    const found = await ask(`SELECT * FROM \`paimon\`.\`bench\`.\`t${String(at).padStart(4, "0")}$tags\``);
    if (found.rows !== tags) throw new Error(`the gateway finds ${found.rows} tags`);
    times.push(found.ms);
  }
  figures.add(`SQL Gateway: the tags of one table, middle of ${asked}`, ms(median(times)), { text: "slower than opening one", kept: median(times) > opened.ms });
  await gateway.close();
  figures.print(`A warehouse of ${tables.toLocaleString("en")} tables with ${tags} tags each`);
} finally {
  await paimon.stop();
}

/** As Paimon 1.3 writes them; nothing reads the data that they speak of. */
async function makeTables(database: string): Promise<void> {
  const schema = JSON.stringify({ version: 3, id: 0, fields: [{ id: 0, name: "id", type: "BIGINT" }, { id: 1, name: "v", type: "STRING" }], highestFieldId: 1, partitionKeys: [], primaryKeys: [], options: { bucket: "-1" }, timeMillis: 1_700_000_000_000 });
  const snapshot = (id: number): string => JSON.stringify({ version: 3, id, schemaId: 0, baseManifestList: `manifest-list-${id}-0`, deltaManifestList: `manifest-list-${id}-1`, changelogManifestList: null, commitUser: "5c0d7f1e-0000-4000-8000-000000000000", commitIdentifier: id, commitKind: "APPEND", timeMillis: 1_700_000_000_000 + id * 1_000, logOffsets: {}, totalRecordCount: id * 10, deltaRecordCount: 10, changelogRecordCount: 0, watermark: -1 }, null, 2);
  const texts = Array.from({ length: tags + 1 }, (_, id) => snapshot(id + 1));
  await mapLimit(Array.from({ length: tables }, (_, at) => at), 8, async (at) => {
    const home = path.join(database, `t${String(at).padStart(4, "0")}`);
    for (const part of ["schema", "snapshot", "tag"]) await fs.mkdir(path.join(home, part), { recursive: true });
    await fs.writeFile(path.join(home, "schema", "schema-0"), schema);
    await fs.writeFile(path.join(home, "snapshot", `snapshot-${tags + 1}`), texts[tags] ?? "");
    await fs.writeFile(path.join(home, "snapshot", "LATEST"), String(tags + 1));
    await fs.writeFile(path.join(home, "snapshot", "EARLIEST"), String(tags + 1));
    for (let id = 1; id <= tags; id++) await fs.writeFile(path.join(home, "tag", `tag-savepoint-${id}`), texts[id - 1] ?? "");
  });
}

/** Longest time between two turns of this thread's loop until the returned function is called, milliseconds. */
function watchThread(): () => number {
  let longest = 0;
  let last = performance.now();
  let goesOn = true;
  const turn = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (goesOn) setImmediate(turn);
  };
  setImmediate(turn);
  return () => {
    goesOn = false;
    return longest;
  };
}
