import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { openLocalFile } from "../../src/clients/localFiles";
import { openLocalMetadata } from "../../src/clients/localMetadata";
import { FileTables } from "../../src/core/paimon/fileTables";
import { localWarehouse, writeWhole } from "../../src/clients/paimon/localWarehouse";
import { isAbort } from "../../src/core/base/async";
import { FlinkError, isFlinkError } from "../../src/core/errors";
import type { RestoreRecord, RollbackRecord, SavepointRecord } from "../../src/core/ledger/record";
import type { Liveness, ProcessIdentity } from "../../src/core/ports";
import type { PaimonAction, TableAddress } from "../../src/core/paimon/actions";
import type { RollbackPlan } from "../../src/core/paimon/rollback/plan";
import type { SentStatement, StatementStanding } from "../../src/core/paimon/actions";
import { RollbackService, type RollbackTables } from "../../src/services/rollbacks";
import { endWorld, JumpingClock, openWindow, twoClusters, watchedRun, type Window } from "./fakes";
import { savepointRecord } from "./ledgerSamples";
import { paimonSet, type PaimonSet } from "./paimonSets";
import { refusals, rejected } from "./rejected";
import { jobId } from "./samples";

let set: PaimonSet;
let { clock, flink, other, world } = twoClusters();
let savepoint: string;
/** What Paimon was asked for, as `table: action`. */
let asked: string[];
/** Stands in for what Paimon does, before it does it. */
let fault: (action: PaimonAction, table: string) => "nothing" | undefined | Promise<"nothing" | undefined>;
/** What a SQL Gateway says of a statement that it was sent. */
let standing: StatementStanding;
/** Whether Paimon's processes live. */
let jvm: Liveness;
/** The disk is full. */
let unwritable: boolean;
/** The warehouse's disk is not there, or only a SQL Gateway reaches it. */
let isAway: boolean;
let isAskedOnly: boolean;

beforeEach(() => {
  set = paimonSet("rolled-back");
  // After what the tables hold.
  ({ clock, flink, other, world } = twoClusters(new JumpingClock(Date.UTC(2027, 0, 1))));
  asked = [];
  fault = () => undefined;
  jvm = "dead";
  unwritable = false;
  isAway = isAskedOnly = false;
  standing = { state: "running" };
  savepoint = path.join(set.savepoints, set.pairs.find((pair) => pair.checkpointId === 6 && pair.savepoint.includes("62dc41"))?.savepoint ?? "");
  world.disk.put(savepointRecord("s6", { cluster: { name: "local", url: flink.url }, job: { id: jobId, name: "ingest" }, state: "completed", path: savepoint, checkpointId: 6 }));
});

afterEach(() => {
  endWorld(world);
  set.remove();
});

const homeOf = (table: TableAddress): string => path.join(set.warehouse, `${table.database}.db`, table.table);

/** Paimon, as far as a rollback's files go. */
async function act(address: TableAddress, action: PaimonAction): Promise<void> {
  asked.push(`${address.table}: ${action.kind}`);
  if ((await fault(action, address.table)) === "nothing") return;
  const home = homeOf(address);
  switch (action.kind) {
    case "create-tag": case "replace-tag": return copyFileSync(path.join(home, "snapshot", `snapshot-${action.snapshotId}`), path.join(home, "tag", `tag-${action.tag}`));
    case "create-branch": {
      const branch = path.join(home, "branch", `branch-${action.branch}`);
      const tag = path.join(home, "tag", `tag-${action.tag}`);
      for (const folder of ["tag", "snapshot", "schema"]) mkdirSync(path.join(branch, folder), { recursive: true });
      copyFileSync(tag, path.join(branch, "tag", `tag-${action.tag}`));
      copyFileSync(tag, path.join(branch, "snapshot", `snapshot-${(JSON.parse(readFileSync(tag, "utf8")) as { id: number }).id}`));
      return copyFileSync(path.join(home, "schema", "schema-0"), path.join(branch, "schema", "schema-0"));
    }
    case "delete-branch": return rmSync(path.join(home, "branch", `branch-${action.branch}`), { recursive: true });
    case "roll-back": {
      const text = readFileSync(path.join(home, "tag", `tag-${action.tag}`), "utf8");
      const { id } = JSON.parse(text) as { id: number };
      writeFileSync(path.join(home, "snapshot", "LATEST"), String(id));
      for (const name of readdirSync(path.join(home, "snapshot"))) if (/^snapshot-\d+$/.test(name) && Number(name.slice(9)) > id) rmSync(path.join(home, "snapshot", name));
      if (!existsSync(path.join(home, "snapshot", `snapshot-${id}`))) writeFileSync(path.join(home, "snapshot", `snapshot-${id}`), text.replace(/,\s*"tag(?:CreateTime|TimeRetained)"\s*:\s*(?:\[[^\]]*\]|[^,}]+)/g, ""));
      return dropLaterTags(home, id);
    }
    case "delete-tag": case "rename-tag": return assert.fail(action.kind);
  }
}

function dropLaterTags(home: string, id: number): void {
  for (const name of readdirSync(path.join(home, "tag"))) {
    const file = path.join(home, "tag", name);
    if (name.startsWith("tag-") && !name.endsWith("_SUCCESS") && name !== "tag-success-file" && (JSON.parse(readFileSync(file, "utf8")) as { id: number }).id > id) rmSync(file);
  }
}

/** The same warehouse under another path, by a symbolic link. */
const linked = "file:/linked/warehouse";

function another(options: Parameters<typeof openWindow>[1] & { readonly location?: string } = {}, actor?: ProcessIdentity, sent: readonly SentStatement[] = []): { readonly window: Window; readonly rollbacks: RollbackService } {
  const window = openWindow(world, options);
  const tables: RollbackTables = {
    warehouses: () => {
      const location = options.location ?? set.warehouse;
      if (isAway) return Promise.resolve({ found: [], away: [{ location, reason: "missing" }] });
      return Promise.resolve({ found: [{ location, tables: new FileTables(localWarehouse, set.warehouse), ...(isAskedOnly ? {} : { files: { folder: set.warehouse, reader: localWarehouse } }) }], away: [] });
    },
    actions: () => ({ way: "command", act: async (address, action, _run, started) => {
      const process = actor ?? { host: window.self.host, pid: 4711, instance: "jvm" };
      if (sent.length === 0) await started?.(process);
      for (const statement of sent) await started?.(process, statement);
      await act(address, action);
    } }),
    statementAt: (gateway, { session, operation }) => {
      asked.push(`${gateway} ${session} ${operation ?? "?"}`);
      return Promise.resolve(standing);
    },
    write: (file, text) => (unwritable ? Promise.reject(Object.assign(new Error("no space left on device"), { code: "ENOSPC" })) : writeWhole(file, text)), openMetadata: openLocalMetadata, openFile: openLocalFile,
    writtenMs: () => Promise.resolve(undefined), freeBytes: () => Promise.resolve(undefined),
  };
  return { window, rollbacks: new RollbackService(window.shared, window.restores, tables, { real: (place) => Promise.resolve(place === linked ? set.warehouse : place) }, (owner) => (owner.instance === "jvm" ? jvm : window.liveness(owner))) };
}

async function planOf({ rollbacks }: ReturnType<typeof another>): Promise<RollbackPlan> {
  const { plan, refusals: found } = await rollbacks.check({ path: savepoint, recordId: "s6", jobName: "ingest" }, watchedRun());
  assert.deepEqual(found, []);
  return plan;
}

const tablesOnly = { safetyCopy: false, restore: null, unchecked: [] };
const records = async ({ window }: ReturnType<typeof another>): Promise<RollbackRecord[]> => (await window.ledger.all()).filter((record): record is RollbackRecord => record.kind === "rollback");
const done = (): string[] => asked.filter((line) => line.endsWith("roll-back"));

describe("a rollback", () => {
  test("takes all tables back, and is over", async () => {
    const one = another();
    const record = await one.rollbacks.begin(await planOf(one), { ...tablesOnly, safetyCopy: true }, watchedRun());
    assert.deepEqual([record.state, record.tables.map(({ state }) => state)], ["done", ["rolled-back", "rolled-back"]]);
    assert.deepEqual(asked, ["app: create-tag", "app: create-branch", "app: roll-back", "pk: create-tag", "pk: create-branch", "pk: roll-back"]);
  });

  test("whose warehouse is away is told so: it is in the settings, and can't be read now", async () => {
    const one = another();
    const plan = await planOf(one);
    isAway = true;
    assert.deepEqual((await rejected(one.rollbacks.begin(plan, tablesOnly, watchedRun()), "warehouse-unreachable")).facts, { warehouse: set.warehouse, reason: "missing" });
    const { refusals: found } = await one.rollbacks.check({ path: savepoint, recordId: "s6", jobName: "ingest" }, watchedRun());
    assert.deepEqual(found.map((refusal) => refusal.rule === "table-unknown" && refusal.away), [[{ warehouse: set.warehouse, reason: "missing" }], [{ warehouse: set.warehouse, reason: "missing" }]]);
    isAway = false;
    isAskedOnly = true;
    assert.deepEqual(await refusals(another().rollbacks.begin(plan, tablesOnly, watchedRun())), ["files-elsewhere"]);
    assert.deepEqual(asked, []);
  });

  test("P-11: is refused while a job is only starting: which tables it writes can't be seen yet", async () => {
    const one = another();
    const plan = await planOf(one);
    flink.addJob(jobId, { state: "INITIALIZING", ready: false, checkpointing: false });
    assert.deepEqual(await refusals(one.rollbacks.begin(plan, tablesOnly, watchedRun())), ["writers-unchecked"]);
    assert.deepEqual((await one.rollbacks.check({ path: savepoint, recordId: "s6", jobName: "ingest" }, watchedRun())).refusals.map(({ rule }) => rule), ["writers-unchecked"]);
    assert.deepEqual(asked, []);
  });

  test("P-11: a job that ends while it is asked hides no other that writes", async () => {
    const one = another();
    const plan = await planOf(one);
    flink.addJob("c".repeat(32));
    flink.addJob(jobId, { vertices: ["Writer : app -> Global Committer : app"] });
    flink.fault = (call) => (call.name === "job" && call.about === "c".repeat(32) ? { before: new FlinkError("job-not-found", { jobId: "c".repeat(32) }) } : undefined);
    assert.deepEqual(await refusals(one.rollbacks.begin(plan, tablesOnly, watchedRun())), ["writer-running"]);
  });

  test("P-11: a job that is proven to write tables of the same names in another database does not stand in the way", async () => {
    const one = another();
    const plan = await planOf(one);
    const writer = "c".repeat(32);
    const runs = (...vertices: string[]): unknown => flink.addJob(writer, { vertices });
    runs("Writer : app -> Global Committer : app");
    const check = async (): Promise<readonly string[]> => (await one.rollbacks.check({ path: savepoint, recordId: "s6", jobName: "ingest" }, watchedRun())).refusals.map(({ rule }) => rule);
    assert.deepEqual(await check(), ["writer-running"]);
    world.disk.put(savepointRecord("theirs", { cluster: { name: "local", url: flink.url }, job: { id: writer, name: "dev" }, state: "completed", path: "file:/sp/savepoint-cccccc-000000000001", checkpointId: 4 }));
    const proves = (id: string, table: string): void => world.disk.put({ kind: "pair", version: 1, id, savepoint: { path: "file:/sp/savepoint-cccccc-000000000001", recordId: "theirs", checkpointId: "4" }, warehouse: set.warehouse, table, snapshot: { id: 4, commitUser: "u", commitIdentifier: "4", timeMs: 5, totalRecordCount: 1, uuid: null }, tags: ["savepoint-4"], seenAtMs: 9, trail: [] });
    proves("pair-1", "dev.app");
    assert.deepEqual(await check(), []);
    // A second sink of that name is not accounted for, nor is a compaction.
    runs("Writer : app -> Global Committer : app", "Writer : app -> Global Committer : app");
    assert.deepEqual(await check(), ["writer-running"]);
    proves("pair-2", "test.app");
    assert.deepEqual(await check(), []);
    proves("pair-3", "d.app");
    assert.deepEqual(await check(), ["writer-running"]);
    runs("Compact Worker: app");
    assert.deepEqual(await check(), ["writer-running"]);
    assert.deepEqual(await refusals(one.rollbacks.begin(plan, tablesOnly, watchedRun())), ["writer-running"]);
  });

  test("P-11: is refused when the savepoint's own cluster stopped answering since it was planned: its job may come back with it", async () => {
    const one = another();
    const plan = await planOf(one);
    flink.down = true;
    assert.deepEqual(await refusals(one.rollbacks.begin(plan, tablesOnly, watchedRun())), ["writers-unchecked"]);
    assert.deepEqual(asked, []);
  });

  test("P-11: is refused when another cluster stopped answering since the person was told which ones do not", async () => {
    const one = another();
    const { plan, unchecked } = await one.rollbacks.check({ path: savepoint, recordId: "s6", jobName: "ingest" }, watchedRun());
    assert.deepEqual(unchecked, []);
    other.down = true;
    assert.deepEqual(await refusals(one.rollbacks.begin(plan, tablesOnly, watchedRun())), ["clusters-silent"]);
    const [left] = await one.rollbacks.unfinished();
    assert.deepEqual(await refusals(one.rollbacks.continue(left?.id ?? "", watchedRun())), ["clusters-silent"]);
    assert.deepEqual(asked, []);
    // Told again, and agreed to.
    assert.equal((await one.rollbacks.continue(left?.id ?? "", watchedRun(), ["staging"])).state, "done");
  });

  test("rolls nothing back when the copy that was wanted is not there, whatever Paimon says", async () => {
    const one = another();
    fault = (action) => (action.kind === "create-branch" ? "nothing" : undefined);
    const { facts } = await rejected(one.rollbacks.begin(await planOf(one), { ...tablesOnly, safetyCopy: true }, watchedRun()), "paimon-action-failed");
    assert.match(facts.what, /^create the branch /);
    assert.deepEqual(done(), []);
  });

  test("goes on after Paimon broke off behind the snapshots: the copy that is there already is not made again", async () => {
    const one = another();
    let breaks = true;
    fault = (action, table) => {
      if (action.kind !== "roll-back" || table !== "app" || !breaks) return undefined;
      breaks = false;
      // Later snapshots are gone, and of the tags the newest, which is our copy's.
      const home = homeOf({ database: "d", table });
      const { id } = JSON.parse(readFileSync(path.join(home, "tag", `tag-${action.tag}`), "utf8")) as { id: number };
      writeFileSync(path.join(home, "snapshot", "LATEST"), String(id));
      for (const name of readdirSync(path.join(home, "snapshot"))) if (/^snapshot-\d+$/.test(name) && Number(name.slice(9)) > id) rmSync(path.join(home, "snapshot", name));
      if (!existsSync(path.join(home, "snapshot", `snapshot-${id}`))) copyFileSync(path.join(home, "tag", `tag-${action.tag}`), path.join(home, "snapshot", `snapshot-${id}`));
      for (const name of readdirSync(path.join(home, "tag"))) if (name.includes("-before-")) rmSync(path.join(home, "tag", name));
      throw new FlinkError("paimon-action-failed", { table: "d.app", what: "roll back", message: "Java heap space", exception: "java.lang.OutOfMemoryError" });
    };
    await rejected(one.rollbacks.begin(await planOf(one), { ...tablesOnly, safetyCopy: true }, watchedRun()), "paimon-action-failed");
    const [left] = await one.rollbacks.unfinished();
    assert.deepEqual(left?.tables.map(({ state }) => state), ["failed", "planned"]);
    assert.equal((await one.rollbacks.continue(left?.id ?? "", watchedRun())).state, "done");
  });

  test("P-15: names every savepoint that loses its pair: those on a storage that can't be read from here, by what is remembered of them or by their number, and those that can be put back", async () => {
    const one = another();
    const tagsOf = async (): Promise<readonly string[]> => {
      const { plan } = await one.rollbacks.check({ path: savepoint, recordId: "s6", jobName: "ingest" }, watchedRun());
      return [...new Set(plan.tables.flatMap(({ tags }) => tags.flatMap(({ savepoints }) => savepoints)))].sort();
    };
    const before = (await planOf(one)).tables.flatMap(({ tags }) => tags);
    assert.ok(before.length > 0 && before.every(({ savepoints }) => savepoints.length === 0));
    const number = Number(/\d+$/.exec(before.find(({ name }) => /^savepoint-\d+$/.test(name))?.name ?? "")?.[0]);
    const far = (id: string, changes: Parameters<typeof savepointRecord>[1] = {}): void => world.disk.put(savepointRecord(id, { cluster: { name: "local", url: flink.url }, job: { id: jobId, name: "ingest" }, state: "completed", path: `s3://b/savepoint-ab12cd-${id.padStart(12, "0")}`, checkpointId: number, ...changes }));
    far("1");
    far("2", { job: { id: "e".repeat(32), name: "another job" } });
    assert.deepEqual(await tagsOf(), [`#${number} of ingest (could not be read)`]);
    far("1", { state: "failed" });
    const own = set.pairs.find((pair) => pair.checkpointId === number && pair.savepoint.includes("62dc41"))?.savepoint;
    const aside = path.join(set.savepoints, own ?? "");
    far("3", { path: "/elsewhere/savepoint-62dc41-000000000003", cleanup: { hits: [], triedAtMs: 0, attempts: 1, failure: null, aside: { path: aside, state: "aside", sinceMs: 0, untilMs: 1, owner: one.window.self } } });
    assert.deepEqual(await tagsOf(), [`#${number} of ingest`]);
  });

  test("is not gone on with over what was written since it failed", async () => {
    const one = another();
    fault = (action) => {
      if (action.kind !== "roll-back") return undefined;
      throw new FlinkError("paimon-action-failed", { table: "d.app", what: "roll back", message: "no", exception: "" });
    };
    await rejected(one.rollbacks.begin(await planOf(one), tablesOnly, watchedRun()), "paimon-action-failed");
    fault = () => undefined;
    const [left] = await one.rollbacks.unfinished();
    // A week of work by a job that somebody started in spite of it.
    const home = path.join(set.warehouse, "d.db", "app", "snapshot");
    const latest = Number(readFileSync(path.join(home, "LATEST"), "utf8"));
    const json = JSON.parse(readFileSync(path.join(home, `snapshot-${latest}`), "utf8")) as object;
    writeFileSync(path.join(home, `snapshot-${latest + 1}`), JSON.stringify({ ...json, id: latest + 1, timeMillis: clock.now() + 1 }));
    writeFileSync(path.join(home, "LATEST"), String(latest + 1));
    asked.length = 0;
    assert.deepEqual(await refusals(one.rollbacks.continue(left?.id ?? "", watchedRun())), ["table-moves"]);
    assert.deepEqual(asked, []);
  });

  test("deletes no tag that nobody saw in the preview: one that was made before it began, or before it is gone on with", async () => {
    const one = another();
    const plan = await planOf(one);
    const home = path.join(set.warehouse, "d.db", "app");
    const latest = readFileSync(path.join(home, "snapshot", "LATEST"), "utf8");
    const tagged = path.join(home, "tag", "tag-audit-2026");
    copyFileSync(path.join(home, "snapshot", `snapshot-${latest}`), tagged);
    assert.deepEqual(await refusals(one.rollbacks.begin(plan, { ...tablesOnly, safetyCopy: true }, watchedRun())), ["tags-appeared"]);
    assert.deepEqual(asked, []);
    rmSync(tagged);

    // Broke off after the copies, say by a power cut; the tag is made days later.
    const [left] = await one.rollbacks.unfinished();
    fault = (action, table) => {
      if (action.kind === "create-branch" && table === "app") copyFileSync(path.join(home, "snapshot", `snapshot-${latest}`), tagged);
      return undefined;
    };
    assert.deepEqual(await refusals(one.rollbacks.continue(left?.id ?? "", watchedRun())), ["tags-appeared"]);
    assert.equal(existsSync(tagged), true);
    fault = () => undefined;
    assert.deepEqual(await refusals(one.rollbacks.continue(left?.id ?? "", watchedRun())), ["tags-appeared"]);
    rmSync(tagged);
    assert.equal((await one.rollbacks.continue(left?.id ?? "", watchedRun())).state, "done");
  });

  test("is refused when the newest snapshot has the number that was seen, and is another: the table was rolled back and written to meanwhile", async () => {
    const one = another();
    const plan = await planOf(one);
    const home = path.join(set.warehouse, "d.db", "app", "snapshot");
    const file = path.join(home, `snapshot-${readFileSync(path.join(home, "LATEST"), "utf8")}`);
    const json = JSON.parse(readFileSync(file, "utf8")) as { timeMillis: number };
    writeFileSync(file, JSON.stringify({ ...json, timeMillis: json.timeMillis + 60_000 }));
    assert.deepEqual(await refusals(one.rollbacks.begin(plan, tablesOnly, watchedRun())), ["table-moves"]);
    assert.deepEqual(asked, []);
  });

  test("touches no table when its savepoint is gone, or on its way out: there would be nothing to start from", async () => {
    const one = another();
    const plan = await planOf(one);
    const [s6] = world.disk.savepoints();
    const change = (changes: Partial<SavepointRecord>): void => world.disk.put({ ...s6!, ...changes });
    const owner = one.window.self;
    change({ disposal: { state: "disposed", requestedAtMs: 0, requestId: null, endedAtMs: 1, message: null, owner } });
    assert.deepEqual(await refusals(one.rollbacks.begin(plan, tablesOnly, watchedRun())), ["already-disposed"]);
    const [left] = await one.rollbacks.unfinished();
    change({ cleanup: { hits: [], triedAtMs: 0, attempts: 1, failure: null, aside: { path: "/aside", state: "aside", sinceMs: 0, untilMs: 1, owner } } });
    assert.deepEqual(await refusals(one.rollbacks.continue(left?.id ?? "", watchedRun())), ["moved-aside"]);
    change({});
    rmSync(path.join(savepoint, "_metadata"));
    await rejected(one.rollbacks.continue(left?.id ?? "", watchedRun()), "metadata-missing");
    assert.deepEqual(asked, []);
  });

  test("two windows that begin at the same moment: at most one touches the tables", async () => {
    const [one, two] = [another(), another()];
    const plans = [await planOf(one), await planOf(two)] as const;
    const ends = await Promise.allSettled([one.rollbacks.begin(plans[0], tablesOnly, watchedRun()), two.rollbacks.begin(plans[1], tablesOnly, watchedRun())]);
    assert.ok(ends.filter(({ status }) => status === "fulfilled").length <= 1);
    assert.ok(new Set(done()).size === done().length, done().join(", "));
    for (const { state, tables } of await records(one)) assert.ok(state === "done" || tables.every((table) => table.state === "planned"), state);
  });

  test("is not given up by another window while it is at work, nor gone on with from another machine that can't see it", async () => {
    const [one, two, far] = [another(), another(), another({ host: "there" })];
    const plan = await planOf(one);
    let given: unknown;
    let taken: unknown;
    fault = async (action) => {
      if (action.kind !== "roll-back" || given !== undefined) return undefined;
      const [record] = await records(one);
      given = await refusals(two.rollbacks.drop(record?.id ?? ""));
      taken = await refusals(far.rollbacks.continue(record?.id ?? "", watchedRun()));
      return undefined;
    };
    const record = await one.rollbacks.begin(plan, tablesOnly, watchedRun());
    assert.deepEqual([given, taken, record.state], [["operation-running"], ["operation-running"], "done"]);
  });

  test("P-12: one whose job did not start is given up from any window, and asks for nothing more", async () => {
    const [one, two] = [another(), another()];
    const { id } = await one.rollbacks.begin(await planOf(one), tablesOnly, watchedRun());
    await one.window.ledger.update<RollbackRecord>(id, "the job did not start", (open) => ({ ...open, state: "rolled-back" }));
    assert.deepEqual(await two.rollbacks.unfinished(), []);
    assert.deepEqual((await two.rollbacks.droppable()).map((record) => record.id), [id]);
    assert.equal((await two.rollbacks.drop(id)).state, "dropped");
    assert.deepEqual(await one.rollbacks.droppable(), []);
  });

  test("P-12: is neither gone on with nor given up while a process of Paimon lives that an earlier window began", async () => {
    const one = another();
    fault = (action) => (action.kind === "roll-back" ? new Promise<undefined>(() => undefined) : undefined);
    void one.rollbacks.begin(await planOf(one), tablesOnly, watchedRun()).catch(() => undefined);
    while (done().length === 0) await new Promise((resolve) => setImmediate(resolve));
    one.window.dispose();
    const two = another();
    const [left] = await two.rollbacks.unfinished();
    assert.deepEqual(left?.tables.map(({ state, process }) => [state, process?.pid]), [["rolling", 4711], ["planned", undefined]]);
    jvm = "alive";
    assert.deepEqual(await refusals(two.rollbacks.continue(left?.id ?? "", watchedRun())), ["action-running"]);
    assert.deepEqual(await refusals(two.rollbacks.drop(left?.id ?? "")), ["action-running"]);
    assert.equal(done().length, 1);
    jvm = "dead";
    fault = () => undefined;
    const record = await two.rollbacks.continue(left?.id ?? "", watchedRun());
    assert.deepEqual([record.state, record.tables.map(({ process }) => process)], ["done", [null, null]]);
  });

  test("P-12: is not gone on with while a SQL Gateway may be at a statement that an earlier window sent, or whose answer was lost", async () => {
    const gateway = { host: "http://gateway:8083", pid: 0, instance: "gateway" };
    const one = another({}, gateway);
    fault = (action) => (action.kind === "roll-back" ? new Promise<undefined>(() => undefined) : undefined);
    void one.rollbacks.begin(await planOf(one), tablesOnly, watchedRun()).catch(() => undefined);
    while (done().length === 0) await new Promise((resolve) => setImmediate(resolve));
    one.window.dispose();
    const two = another({}, gateway);
    const [left] = await two.rollbacks.unfinished();
    assert.deepEqual(await refusals(two.rollbacks.continue(left?.id ?? "", watchedRun())), ["action-running"]);
    await clock.sleep(30_000);
    fault = (action) => {
      if (action.kind !== "roll-back") return undefined;
      throw new FlinkError("paimon-action-lost", { table: "d.app", what: "roll back", reason: "the SQL Gateway's answer was lost" });
    };
    await rejected(two.rollbacks.continue(left?.id ?? "", watchedRun()), "paimon-action-lost");
    assert.deepEqual(await refusals(two.rollbacks.continue(left?.id ?? "", watchedRun())), ["action-running"], "also here, where it was sent");
    await clock.sleep(30_000);
    fault = (action) => {
      if (action.kind !== "roll-back") return undefined;
      throw new FlinkError("paimon-action-failed", { table: "d.app", what: "roll back", message: "no", exception: "" });
    };
    await rejected(two.rollbacks.continue(left?.id ?? "", watchedRun()), "paimon-action-failed");
    fault = () => undefined;
    assert.equal((await two.rollbacks.continue(left?.id ?? "", watchedRun())).state, "done", "a failure that it told leaves nothing at work");
  });

  test("P-12: a start that its window had not sent when it died is sent by the one that goes on, whether or not what was left has been looked at", async () => {
    for (const looksFirst of [false, true]) {
      const [one, two] = [another(), another()];
      const { id: rollbackId } = await one.rollbacks.begin(await planOf(one), tablesOnly, watchedRun());
      const restoreId = await one.window.restores.planAfterRollback({ cluster: flink.url, jobName: "ingest", savepoint: { path: savepoint, recordId: "s6", checkpointId: 6 }, jar: { id: "a.jar", name: "a.jar" }, programArgs: ["--secret"], claimMode: "NO_CLAIM", allowNonRestoredState: false }, watchedRun());
      await one.window.ledger.update<RestoreRecord>(restoreId, "its tables are rolled back", (open) => ({ ...open, state: "requested" }));
      await one.window.ledger.update<RollbackRecord>(rollbackId, "starts ingest", (open) => ({ ...open, restoreId, state: "restoring", endedAtMs: null }));
      one.window.dispose();
      if (looksFirst) {
        await two.window.reconciler.reconcile();
        await two.window.reconciler.settled();
      }
      flink.program = { checkpointEveryMs: 1_000 };
      assert.equal((await two.rollbacks.continue(rollbackId, watchedRun())).state, "done");
      assert.deepEqual(flink.calls.filter(({ name, about }) => name === "runJar" && about === restoreId).length, 1);
      assert.equal(world.vault.kept.size, 0);
      flink.jobs.clear();
    }
  });

  describe("P-12: of which a SQL Gateway was sent a statement that hangs for longer than anybody waits", () => {
    const gateway = { host: "http://gateway:8083", pid: 0, instance: "gateway" };
    const sent = [{ session: "s", operation: null }, { session: "s", operation: "o" }];
    const begunAndKilled = async (handles: readonly SentStatement[]): Promise<{ two: ReturnType<typeof another>; id: string }> => {
      const one = another({}, gateway, handles);
      fault = (action) => (action.kind === "roll-back" ? new Promise<undefined>(() => undefined) : undefined);
      void one.rollbacks.begin(await planOf(one), tablesOnly, watchedRun()).catch(() => undefined);
      while (done().length === 0) await new Promise((resolve) => setImmediate(resolve));
      one.window.dispose();
      fault = () => undefined;
      await clock.sleep(60 * 60_000);
      const two = another({}, gateway, handles);
      return { two, id: (await two.rollbacks.unfinished())[0]?.id ?? "" };
    };

    test("the gateway is asked how it stands, and while it runs nothing is sent and nothing given up", async () => {
      const { two, id } = await begunAndKilled(sent);
      for (const act of [() => two.rollbacks.continue(id, watchedRun()), () => two.rollbacks.continue(id, watchedRun(), [], true), () => two.rollbacks.drop(id)]) assert.deepEqual(await refusals(act()), ["action-running"]);
      assert.deepEqual([done().length, asked.includes("http://gateway:8083 s o"), await two.rollbacks.doubts(id, watchedRun().signal)], [1, true, []]);
      standing = { state: "ended", how: "ERROR" };
      assert.equal((await two.rollbacks.continue(id, watchedRun())).state, "done");
    });

    for (const [handles, reason] of [[sent, "session-gone"], [sent.slice(0, 1), "handle-lost"]] as const) {
      test(`a person decides when that can't be told (${reason}), and sees how the table stands`, async () => {
        const { two, id } = await begunAndKilled(handles);
        standing = { state: "unknown", reason };
        assert.deepEqual(await refusals(two.rollbacks.continue(id, watchedRun())), ["statement-unknown"]);
        const [doubt] = await two.rollbacks.doubts(id, watchedRun().signal);
        assert.deepEqual([doubt?.refusal, doubt?.table], [{ rule: "statement-unknown", table: "d.app", gateway: "http://gateway:8083", reason }, "d.app"]);
        assert.match(doubt?.difference ?? "", /snapshot/);
        assert.equal(done().length, 1);
        const record = await two.rollbacks.continue(id, watchedRun(), [], true);
        assert.deepEqual([record.state, record.trail.some(({ event }) => /not known/.test(event)), record.tables.map(({ process, statement }) => [process, statement])], ["done", true, [[null, null], [null, null]]]);
      });
    }

    test("nobody decides while the window that sent it lives", async () => {
      const one = another({}, gateway, sent);
      fault = (action) => (action.kind === "roll-back" ? new Promise<undefined>(() => undefined) : undefined);
      void one.rollbacks.begin(await planOf(one), tablesOnly, watchedRun()).catch(() => undefined);
      while (done().length === 0) await new Promise((resolve) => setImmediate(resolve));
      const two = another({}, gateway, sent);
      standing = { state: "unknown", reason: "session-gone" };
      const [open] = await two.rollbacks.unfinished();
      assert.deepEqual(await refusals(two.rollbacks.continue(open?.id ?? "", watchedRun(), [], true)), ["operation-running"]);
    });
  });

  const snapshotOf = (table: string): string => path.join(homeOf({ database: "d", table }), "snapshot");
  const latestOf = (table: string): number => Number(readFileSync(path.join(snapshotOf(table), "LATEST"), "utf8"));
  const write = (table: string, text?: string): void => {
    const latest = latestOf(table);
    const json = JSON.parse(readFileSync(path.join(snapshotOf(table), `snapshot-${latest}`), "utf8")) as object;
    writeFileSync(path.join(snapshotOf(table), `snapshot-${latest + 1}`), text ?? JSON.stringify({ ...json, id: latest + 1, timeMillis: clock.now() + 1 }));
    if (text === undefined) writeFileSync(path.join(snapshotOf(table), "LATEST"), String(latest + 1));
  };
  const full = (what: string): never => {
    throw new FlinkError("paimon-action-failed", { table: "d.app", what, message: "No space left on device", exception: "java.io.IOException" });
  };
  const restoreOf = (): Parameters<Window["restores"]["planAfterRollback"]>[0] => ({ cluster: flink.url, jobName: "ingest", savepoint: { path: savepoint, recordId: "s6", checkpointId: 6 }, jar: { id: "a.jar", name: "a.jar" }, programArgs: ["--secret"], claimMode: "NO_CLAIM", allowNonRestoredState: false });
  const starts = (): number => flink.calls.filter(({ name }) => name === "runJar").length;

  for (const [what, meanwhile, ends] of [
    ["a table was written to", () => write("pk"), async (work: Promise<unknown>) => (await rejected(work, "rollback-unverified")).facts.difference.replace(/\d+/g, "N")],
    ["a job was started that writes, and has not committed", () => void flink.addJob(jobId, { vertices: ["Writer : app -> Global Committer : app"] }), async (work: Promise<unknown>) => (await refusals(work)).join()],
  ] as const) {
    test(`rule 5: the job is not started where, after its window died just before that, ${what}`, async () => {
      const [one, two] = [another(), another()];
      const restoreId = await one.window.restores.planAfterRollback(restoreOf(), watchedRun());
      const { id } = await one.rollbacks.begin(await planOf(one), tablesOnly, watchedRun());
      await one.window.ledger.update<RollbackRecord>(id, "starts ingest", (open) => ({ ...open, restoreId, state: "restoring", endedAtMs: null }));
      one.window.dispose();
      await clock.sleep(24 * 60 * 60_000);
      meanwhile();
      assert.match(await ends(two.rollbacks.continue(id, watchedRun())), /^(its newest snapshot is N, not N|writer-running)$/);
      const [left] = await two.rollbacks.unfinished();
      assert.deepEqual([starts(), left?.state, (await two.window.ledger.get(restoreId) as RestoreRecord).state], [0, "rolled-back", "planned"]);
    });
  }

  test("rule 5: a job that begins to write while tables are rolled back keeps the start from being made, though nothing of it is committed yet", async () => {
    const one = another();
    fault = (action, table) => {
      if (action.kind === "roll-back" && table === "pk") flink.addJob("c".repeat(32), { vertices: ["Writer : app -> Global Committer : app"] });
      return undefined;
    };
    assert.deepEqual(await refusals(one.rollbacks.begin(await planOf(one), { ...tablesOnly, restore: restoreOf() }, watchedRun())), ["writer-running"]);
    const [left] = await one.rollbacks.unfinished();
    assert.deepEqual([starts(), left?.state, left?.tables.map(({ state }) => state)], [0, "rolling", ["rolled-back", "rolled-back"]]);
    flink.jobs.clear();
    flink.program = { checkpointEveryMs: 1_000 };
    assert.equal((await one.rollbacks.continue(left?.id ?? "", watchedRun())).state, "done");
  });

  for (const [what, happens] of [["is cancelled", (run: ReturnType<typeof watchedRun>) => run.abort()], ["fails", () => undefined]] as const) {
    test(`P-12: a start whose upload ${what} is still to be made: the rollback that goes on makes it, after another look at the tables`, async () => {
      const one = another();
      const run = watchedRun();
      flink.fault = (call) => {
        if (call.name !== "uploadJar") return undefined;
        happens(run);
        return { before: new FlinkError("cluster-unreachable", { url: flink.url, reason: "ECONNREFUSED" }) };
      };
      const begun = one.rollbacks.begin(await planOf(one), { ...tablesOnly, restore: { ...restoreOf(), jar: { file: "/jobs/a.jar", name: "a.jar" } } }, run);
      await assert.rejects(begun, (error) => isAbort(error) || isFlinkError(error, "cluster-unreachable"));
      flink.fault = () => undefined;
      const [left] = await one.rollbacks.unfinished();
      const state = async (): Promise<string | undefined> => ((await one.window.ledger.get(left?.restoreId ?? "")) as RestoreRecord | undefined)?.state;
      // What was left goes on to its next step, and whoever comes before joins it.
      while ((await state()) === "requested" || (await records(one))[0]?.state === "restoring") await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual([await state(), starts(), world.vault.kept.size], ["planned", 0, 1]);
      flink.program = { checkpointEveryMs: 1_000 };
      assert.equal((await one.rollbacks.continue(left?.id ?? "", watchedRun())).state, "done");
      assert.deepEqual([starts(), world.vault.kept.size], [1, 0]);
    });
  }

  test("rule 5: what is written to the second table while the first is rolled back is not deleted with what was seen", async () => {
    const one = another();
    fault = (action, table) => {
      if (action.kind === "roll-back" && table === "app") write("pk");
      return undefined;
    };
    const plan = await planOf(one);
    assert.deepEqual(await refusals(one.rollbacks.begin(plan, tablesOnly, watchedRun())), ["table-moves"]);
    assert.deepEqual(done(), ["app: roll-back"]);
  });

  test("P-11: no table is touched when the tag of one of them has gone since the preview, or keeps another state under its name", async () => {
    const one = another();
    const plan = await planOf(one);
    const tag = path.join(homeOf({ database: "d", table: "pk" }), "tag", `tag-${plan.tables[1]?.tag.name ?? ""}`);
    const text = readFileSync(tag, "utf8");
    rmSync(tag);
    const gone = await rejected(one.rollbacks.begin(plan, { ...tablesOnly, safetyCopy: true }, watchedRun()), "refused");
    assert.deepEqual(gone.facts.refusals, [{ rule: "target-changed", table: "d.pk", target: { tag: plan.tables[1]?.tag.name }, wasRemade: false }]);
    const [left] = await one.rollbacks.unfinished();
    copyFileSync(path.join(snapshotOf("pk"), `snapshot-${latestOf("pk")}`), tag);
    const remade = await rejected(one.rollbacks.continue(left?.id ?? "", watchedRun()), "refused");
    assert.deepEqual(remade.facts.refusals.map((refusal) => refusal.rule === "target-changed" && refusal.wasRemade), [true]);
    assert.deepEqual(asked, []);
    writeFileSync(tag, text);
    assert.equal((await one.rollbacks.continue(left?.id ?? "", watchedRun())).state, "done");
  });

  for (const takes of ["continue", "drop"] as const) {
    test(`does nothing more once another window, which took this one for dead, chose to ${takes} it`, async () => {
      const [one, two] = [another(), another()];
      let wakes = (): void => undefined;
      fault = (action) => (action.kind === "create-branch" ? new Promise<undefined>((resolve) => (wakes = () => resolve(undefined))) : undefined);
      const begun = one.rollbacks.begin(await planOf(one), { ...tablesOnly, safetyCopy: true }, watchedRun());
      begun.catch(() => undefined);
      while (!asked.includes("app: create-branch")) await new Promise((resolve) => setImmediate(resolve));
      // A machine that sleeps.
      world.alive.delete(one.window.self.instance);
      fault = () => undefined;
      const [left] = await two.rollbacks.unfinished();
      const { state } = takes === "drop" ? await two.rollbacks.drop(left?.id ?? "") : await two.rollbacks.continue(left?.id ?? "", watchedRun());
      assert.equal(state, takes === "drop" ? "dropped" : "done");
      const before = asked.length;
      wakes();
      await rejected(begun, "refused", "paimon-action-failed");
      assert.deepEqual([asked.length, (await records(two)).map((record) => record.state)], [before, [state]]);
    });
  }

  test("rule 5: while its tables are rolled back in part, a job is restored from none of its savepoints, until that is given up", async () => {
    const one = another();
    fault = (action, table) => (action.kind === "roll-back" && table === "pk" ? full("roll back") : undefined);
    await rejected(one.rollbacks.begin(await planOf(one), tablesOnly, watchedRun()), "paimon-action-failed");
    const place = "file:/sp/savepoint-62dc41-00000000000f";
    world.disk.put(savepointRecord("s15", { cluster: { name: "local", url: flink.url }, job: { id: jobId, name: "ingest" }, state: "completed", path: place, checkpointId: 15 }));
    world.disk.put(savepointRecord("other", { cluster: { name: "local", url: flink.url }, job: { id: "d".repeat(32), name: "another" }, state: "completed", path: "file:/sp/savepoint-dddddd-00000000000f", checkpointId: 15 }));
    flink.program = { checkpointEveryMs: 1_000 };
    const from = (path: string): Promise<unknown> => one.window.restores.start({ ...restoreOf(), savepoint: { path, recordId: null, checkpointId: null } }, watchedRun());
    assert.deepEqual(await refusals(from(place)), ["rollback-unfinished"]);
    await from("file:/sp/savepoint-dddddd-00000000000f");
    const [left] = await one.rollbacks.unfinished();
    flink.jobs.clear();
    await one.rollbacks.drop(left?.id ?? "");
    await from(place);
  });

  test("two windows that have one warehouse under two paths: the second rolls nothing back while the first is at it", async () => {
    const [one, two] = [another(), another({ location: linked })];
    const plans = [await planOf(one), await planOf(two)] as const;
    fault = (action) => (action.kind === "roll-back" ? new Promise<undefined>(() => undefined) : undefined);
    void one.rollbacks.begin(plans[0], tablesOnly, watchedRun()).catch(() => undefined);
    while (done().length === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(await refusals(two.rollbacks.begin(plans[1], tablesOnly, watchedRun())), ["rollback-unfinished"]);
    assert.equal(done().length, 1);
  });

  test("P-11: a job that is proven to write the tables under another path of the warehouse is a writer", async () => {
    const one = another();
    const plan = await planOf(one);
    const writer = "c".repeat(32);
    flink.addJob(writer, { vertices: ["Writer : app -> Global Committer : app"] });
    world.disk.put(savepointRecord("theirs", { cluster: { name: "local", url: flink.url }, job: { id: writer, name: "dev" }, state: "completed", path: "file:/sp/savepoint-cccccc-000000000001", checkpointId: 4 }));
    world.disk.put({ kind: "pair", version: 1, id: "pair-1", savepoint: { path: "file:/sp/savepoint-cccccc-000000000001", recordId: "theirs", checkpointId: "4" }, warehouse: linked, table: "d.app", snapshot: { id: 4, commitUser: "u", commitIdentifier: "4", timeMs: 5, totalRecordCount: 1, uuid: null }, tags: ["savepoint-4"], seenAtMs: 9, trail: [] });
    assert.deepEqual(await refusals(one.rollbacks.begin(plan, tablesOnly, watchedRun())), ["writer-running"]);
    assert.deepEqual(asked, []);
  });

  test("a copy that a full disk left by half is no copy: it is made anew before anything is rolled back", async () => {
    const one = another();
    const plan = await planOf(one);
    const home = homeOf({ database: "d", table: "app" });
    fault = (action, table) => {
      if (table === "app" && action.kind === "create-tag") {
        writeFileSync(path.join(home, "tag", `tag-${action.tag}`), "");
        full("create the tag");
      }
      if (table === "app" && action.kind === "create-branch") {
        mkdirSync(path.join(home, "branch", `branch-${action.branch}`, "tag"), { recursive: true });
        copyFileSync(path.join(home, "tag", `tag-${action.tag}`), path.join(home, "branch", `branch-${action.branch}`, "tag", `tag-${action.tag}`));
        full("create the branch");
      }
      return undefined;
    };
    await rejected(one.rollbacks.begin(plan, { ...tablesOnly, safetyCopy: true }, watchedRun()), "paimon-action-failed");
    const [left] = await one.rollbacks.unfinished();
    assert.deepEqual(left?.tables.map(({ state, process }) => [state, process]), [["planned", null], ["planned", null]]);
    await rejected(one.rollbacks.continue(left?.id ?? "", watchedRun()), "paimon-action-failed");
    fault = () => undefined;
    assert.equal((await one.rollbacks.continue(left?.id ?? "", watchedRun())).state, "done");
    assert.deepEqual(asked.filter((line) => line.startsWith("app")), ["app: create-tag", "app: replace-tag", "app: create-branch", "app: delete-branch", "app: create-branch", "app: roll-back"]);
    const branch = path.join(home, "branch", `branch-${left?.safetyName ?? ""}`);
    assert.deepEqual(["tag", "snapshot", "schema"].map((folder) => readdirSync(path.join(branch, folder)).length), [1, 1, 1]);
  });

  test("a table is at its tag only when nothing of it that may be later is unreadable", async () => {
    const one = another();
    fault = async (action, table) => {
      if (action.kind !== "roll-back" || table !== "pk") return undefined;
      fault = () => undefined;
      await act({ database: "d", table }, action);
      write("pk", "half a snap");
      return "nothing";
    };
    const { facts } = await rejected(one.rollbacks.begin(await planOf(one), { ...tablesOnly, restore: restoreOf() }, watchedRun()), "rollback-unverified");
    assert.match(facts.difference, /snapshot-\d+ can't be read/);
    assert.equal(starts(), 0);
  });

  test("a broken-off table whose pointers can't be mended is named with the file and why, and is mended once they can", async () => {
    const one = another();
    fault = (action, table) => {
      if (action.kind !== "roll-back" || table !== "app") return undefined;
      for (const name of readdirSync(snapshotOf(table))) if (name.startsWith("snapshot-")) rmSync(path.join(snapshotOf(table), name));
      writeFileSync(path.join(snapshotOf(table), "LATEST"), "6");
      return full("roll back");
    };
    await rejected(one.rollbacks.begin(await planOf(one), tablesOnly, watchedRun()), "paimon-action-failed");
    const [left] = await one.rollbacks.unfinished();
    fault = () => undefined;
    unwritable = true;
    const { facts } = await rejected(one.rollbacks.continue(left?.id ?? "", watchedRun()), "table-unwritable");
    assert.deepEqual(facts, { table: "d.app", file: path.join(snapshotOf("app"), "snapshot-6"), reason: "ENOSPC" });
    unwritable = false;
    assert.equal((await one.rollbacks.continue(left?.id ?? "", watchedRun())).state, "done");
  });

  for (const [when, isSo] of [["while it starts", () => starts() === 1], ["before its first checkpoint", (steps: readonly string[]) => steps.some((message) => message.startsWith("Waiting for the first checkpoint"))]] as const) {
    test(`waits for no job whose record is lost ${when}: it ends, and says that nobody can tell`, async () => {
      const one = another();
      flink.program = {};
      const run = watchedRun();
      const begun = one.rollbacks.begin(await planOf(one), { ...tablesOnly, restore: restoreOf() }, run);
      begun.catch(() => undefined);
      while (!isSo(run.steps)) await new Promise((resolve) => setImmediate(resolve));
      world.disk.remove((await records(one))[0]?.restoreId ?? "");
      const { facts } = await rejected(begun, "outcome-unknown");
      assert.deepEqual(facts, { what: "start", jobName: "ingest", lookIn: null });
      const [left] = await one.rollbacks.droppable();
      assert.equal((await one.rollbacks.drop(left?.id ?? "")).state, "dropped");
    });
  }

  test("is left at once when Paimon never answers, and is not begun a second time beside it", async () => {
    const one = another();
    let release = (): void => undefined;
    fault = (action) => (action.kind === "roll-back" ? new Promise<undefined>((resolve) => (release = () => resolve(undefined))) : undefined);
    const run = watchedRun();
    const begun = one.rollbacks.begin(await planOf(one), tablesOnly, run);
    const left = begun.then(() => "ended", (error: unknown) => (isAbort(error) ? "left" : String(error)));
    while (done().length === 0) await new Promise((resolve) => setImmediate(resolve));
    run.abort();
    assert.equal(await left, "left");
    const [record] = await records(one);
    const again = watchedRun();
    const joined = one.rollbacks.continue(record?.id ?? "", again).then(() => "ended", (error: unknown) => (isAbort(error) ? "left" : String(error)));
    again.abort();
    assert.equal(await joined, "left");
    assert.equal(done().length, 1);
    release();
  });
});
