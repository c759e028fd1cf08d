import assert from "node:assert/strict";
import path from "node:path";
import { after, test } from "node:test";
import { localWarehouse } from "../../src/clients/paimon/localWarehouse";
import { systemClock } from "../../src/core/base/async";
import { explainWarning } from "../../src/core/explain";
import type { Log } from "../../src/core/ports";
import { committedTables } from "../../src/core/paimon/sinks";
import type { ClusterService } from "../../src/services/clusters";
import { PaimonJobs } from "../../src/services/paimonJobs";
import { PairService } from "../../src/services/pairs";
import { WarehouseService } from "../../src/services/warehouses";
import { LedgerDisk } from "./fakes";
import { savepointRecord } from "./ledgerSamples";
import { pairingInProcess } from "../../src/clients/paimon/pairingThread";
import { paimonSet } from "./paimonSets";

const log: Log = { trace: () => undefined, debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const job = { cluster: "http://flink:8081", jobId: "ab12cd34ab12cd34ab12cd34ab12cd34" };
const set = paimonSet("rolled-back");
after(() => set.remove());
const locationOf = (grade: string): string => `file:${path.join(set.savepoints, set.pairs.find((pair) => pair.grade === grade && pair.table === "d.app")?.savepoint ?? "")}`;
const signal = new AbortController().signal;

/** A job with these vertices, undefined for a cluster that does not answer; `savepoint` is its newest. */
function jobs(vertices: readonly string[] | undefined, savepoint?: string): PaimonJobs {
  const disk = new LedgerDisk(systemClock);
  if (savepoint !== undefined) disk.put(savepointRecord("s", { cluster: { name: "c", url: job.cluster }, job: { id: job.jobId, name: "ingest" }, state: "completed", path: savepoint, checkpointId: 6 }));
  const ledger = disk.open();
  const warehouses = new WarehouseService(localWarehouse);
  warehouses.setProfiles([{ name: "lake", path: `file:${set.warehouse}`, catalog: "paimon", catalogOptions: {}, jars: [] }]);
  const clusters = { client: () => ({ job: () => (vertices === undefined ? Promise.reject(new Error("down")) : Promise.resolve({ vertices: vertices.map((name) => ({ name })) })) }) } as unknown as ClusterService;
  const pairs = new PairService(pairingInProcess(), warehouses, ledger, systemClock, log);
  after(() => pairs.dispose());
  return new PaimonJobs(clusters, ledger, pairs, warehouses, log);
}

/** As a real Flink names the vertices of a job that writes two tables. */
const real = ["Source: src[1]", "Source: src[4] -> (Writer : pk, Map -> Writer : app)", "Global Committer : app -> end: Writer", "Global Committer : pk -> end: Writer"];

test("the tables that a job writes are told by its graph, and by nothing that only looks like it", () => {
  assert.deepEqual(committedTables(real), ["app", "pk"]);
  assert.deepEqual(committedTables(["Source: Global Committer of orders", "Sink: Committer", "Writer : t", "my Global Committers : x"]), []);
});

test("P-4, P-5, P-7: before a savepoint of such a job it is told when it is committed, and where nothing tags it", async () => {
  assert.deepEqual(await jobs(real).warnings(job, "trigger", 60_000, signal), [{ warning: "paimon-later", tables: ["app", "pk"], intervalMs: 60_000, tagged: true }]);
  assert.deepEqual(await jobs(real).warnings(job, "stop", 60_000, signal), []);
  const [later] = await jobs(real).warnings(job, "trigger", null, signal);
  assert.ok(later);
  assert.match(explainWarning(later), /takes none by itself/);
  // Not seen in the graph, and by no savepoint: nothing is said.
  assert.deepEqual(await jobs(["Source: a -> Map", "Sink: print"], locationOf("exact")).warnings(job, "trigger", 60_000, signal), []);
  assert.deepEqual(await jobs(undefined).warnings(job, "trigger", 60_000, signal), []);
  // A graph that can't be asked: the job's own last savepoint tells.
  assert.deepEqual(await jobs(undefined, locationOf("exact")).warnings(job, "trigger", 60_000, signal), [{ warning: "paimon-later", tables: ["d.pk", "d.app"], intervalMs: 60_000, tagged: true }]);
  assert.deepEqual(await jobs(["Global Committer : elsewhere -> end: Writer"]).sinksOf(job, signal), { seenIn: "graph", sinks: [{ table: "elsewhere", autoTag: "unknown", places: [] }] });
});

test("before a job is drained it is told that its tables get no tag, and nothing of a job without Paimon", async () => {
  const [drained] = await jobs(real).drainWarnings(job, signal);
  assert.deepEqual(drained, { warning: "paimon-drain", tables: ["app", "pk"] });
  assert.deepEqual(await jobs(["Source: a -> Map", "Sink: print"]).drainWarnings(job, signal), []);
});

test("P-1: before a restore it is told which tables went on since, and which can't be proven", async () => {
  const place = (grade: string) => ({ path: locationOf(grade), recordId: null, completedMs: null });
  assert.deepEqual(await jobs(real).restoreWarnings(place("exact"), signal), [{ warning: "paimon-restore", moved: ["d.pk", "d.app"], unproven: [], ready: [] }]);
  assert.deepEqual(await jobs(real).restoreWarnings(place("changed"), signal), [{ warning: "paimon-restore", moved: [], unproven: ["d.pk", "d.app"], ready: [] }]);
  assert.deepEqual(await jobs(real).restoreWarnings({ path: `file:${path.resolve("test/fixtures/metadata/2.3.0/canonical")}`, recordId: null, completedMs: null }, signal), []);
  assert.deepEqual(await jobs(real).restoreWarnings({ path: "s3://bucket/savepoint-1", recordId: null, completedMs: null }, signal), []);
});

test("P-6: before a cancel it is told which savepoint has no tag yet", async () => {
  const found = await jobs(real, locationOf("waiting")).waiting(job, signal);
  assert.deepEqual(found.map(({ tables }) => tables), [["d.pk", "d.app"]]);
  assert.deepEqual(await jobs(real, locationOf("exact")).waiting(job, signal), []);
});
