import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it as nodeIt } from "node:test";
import { isOpen, type LedgerRecord, type SavepointRecord } from "../../src/core/ledger/record";
import { localFlinkVersions } from "../../src/core/settings";
import { Controls, onDisk, savepointFolders, scratchFolder } from "../e2e/support/disk";
import { Eyes } from "../e2e/support/eyes";
import { FaultyProxy, type Fate } from "../e2e/support/faultyProxy";
import { checkExactlyOnce, rootFolder, startFlink, until, type TestFlink } from "../rig/flink";
import { openPage, type WorkbenchPage } from "../rig/page";
import { startWorkbench, type Workbench } from "../rig/workbench";
import { Scene } from "./support/scene";
import { Verbs } from "./support/verbs";

interface Job {
  readonly name: string;
  readonly jobId: string;
  readonly args: readonly string[];
  readonly out: string;
  readonly controls: Controls;
}

/**
 * The extension host is killed with SIGKILL at ten moments of the verbs, done by hand in the window. The host that comes after it must find out
 * how each ended; Flink and the disk are asked whether anything is lost or doubled, and the proxy whether anything was sent twice.
 */
describe("the extension host is killed in the middle", () => {
  let scratch: string;
  let flink: TestFlink;
  let eyes: Eyes;
  let proxy: FaultyProxy;
  let workbench: Workbench;
  let page: WorkbenchPage;
  let verbs: Verbs;
  let scene: Scene;
  let orders: Job, first: Job, second: Job, third: Job;

  before(async () => {
    const root = await rootFolder();
    scratch = scratchFolder("killed-host");
    flink = await startFlink(localFlinkVersions[0], { port: 19_730, extraConfig: { "web.refresh-interval": "200", "web.checkpoints.history": "500" } });
    eyes = new Eyes(flink);
    proxy = await FaultyProxy.open(flink.url);
    [orders, first, second, third] = await Promise.all([start("orders"), start("first"), start("second"), start("third")]);
    for (const job of [orders, first, second, third]) await eyes.untilCheckpointed(job.jobId);
    const workspace = path.join(scratch, "workspace");
    mkdirSync(workspace);
    const settings = { "flinkSavepoints.refresh.intervalSeconds": 1, "flinkSavepoints.clusters": [{ name: "sandbox", url: proxy.url }] };
    workbench = await startWorkbench({ extensionsFrom: process.env["RIG_VSIX"] ?? root, workspace, settings });
    scene = new Scene(workbench);
    page = await openPage(workbench, { name: "killedHost" });
    verbs = new Verbs(page);
    await page.openView();
    await page.widenSideBar(620);
    for (const job of [orders, first, second, third]) await page.expand(row(job));
  });
  after(async () => {
    await page?.close();
    await workbench?.stop();
    proxy?.close();
    await flink?.stop();
  });

  const row = ({ name }: Job): RegExp => new RegExp(`^${name}, job`);
  const start = async (name: string): Promise<Job> => {
    const control = path.join(scratch, `control-${name}`);
    mkdirSync(control, { recursive: true });
    const out = path.join(scratch, `out-${name}`);
    const args = ["--window", "false", "--broadcast", "false", "--checkpoint-interval", "1500ms", "--restart-delay", "200ms", "--control", control, "--out", out];
    const jobId = await eyes.run({ name, args });
    return { name, jobId, args: ["--job-name", name, ...args], out, controls: new Controls(control) };
  };

  /** Kills the host, and waits for the next one to show the tree. VS Code starts it by itself; after the third fall it asks. */
  const killHost = async (): Promise<void> => {
    const [gone] = await workbench.killExtensionHost();
    assert.ok(gone !== undefined, "no extension host was running");
    proxy.calm();
    const restart = page.page.locator(".notification-toast").filter({ hasText: "xtension host terminated unexpectedly" }).getByRole("button", { name: /Restart/ });
    const killedAtMs = Date.now();
    let reloaded = false;
    await until("the next extension host", async () => {
      if (workbench.extensionHostPids().some((pid) => pid !== gone)) return true;
      if (await restart.count() > 0) await restart.click();
      else if (!reloaded && Date.now() - killedAtMs > 15_000) {
        // Its question is gone from the screen: a person reloads the window.
        reloaded = true;
        await page.reload();
        await page.openView();
      }
      return false;
    }, 90_000);
    await page.row(/^sandbox, Flink cluster, Flink/, 60_000);
  };
  /** Kills the host at the moment when its request has left it whole; `fate` says what becomes of the request. */
  const killedAt = (method: string, route: RegExp, fate: "Flink never gets it" | "Flink gets it" | "Flink has answered"): Promise<void> => new Promise((resolve, reject) => {
    let struck = false;
    const strike = (): void => {
      struck = true;
      killHost().then(resolve, reject);
    };
    proxy.fate = (request): Fate | undefined => {
      if (struck || request.method !== method || !route.test(request.route)) return undefined;
      if (fate === "Flink has answered") return { answered: strike };
      strike();
      return fate === "Flink gets it" ? undefined : { forward: false };
    };
  });
  const settled = async <R extends LedgerRecord>(id: string): Promise<R> => {
    await until(`the outcome of ${id}`, async () => {
      const record = await scene.ledger.get(id);
      return record !== undefined && (!isOpen(record) || (record.kind === "restore" && record.state === "running"));
    });
    return (await scene.ledger.get(id)) as R;
  };
  const newest = async (job: Job): Promise<SavepointRecord> => {
    const [record] = await scene.savepoints(job.jobId);
    assert.ok(record, `no record of ${job.name}`);
    return record;
  };
  const titled = ({ checkpointId }: SavepointRecord): RegExp => new RegExp(`^#${checkpointId ?? "?"},? `);
  /** Each savepoint that Flink completed is on the disk and in the ledger, once, and none is anywhere else. */
  const nothingLostOrDoubled = async (job: Job, count: number): Promise<void> => {
    const inFlink = (await eyes.savepoints(job.jobId)).filter((savepoint) => savepoint.status === "COMPLETED").map((savepoint) => onDisk(savepoint.path ?? "")).sort();
    const onTheDisk = savepointFolders(flink.savepointDir).filter((folder) => path.basename(folder.path).startsWith(`savepoint-${job.jobId.slice(0, 6)}`)).map((folder) => folder.path);
    const inLedger = (await scene.savepoints(job.jobId)).filter((record) => record.state === "completed" && record.disposal === null).map((record) => onDisk(record.path ?? "")).sort();
    assert.equal(inFlink.length, count, `${job.name}: savepoints in Flink`);
    assert.deepEqual(onTheDisk, inFlink, `${job.name}: the disk`);
    assert.deepEqual(inLedger, inFlink, `${job.name}: the ledger`);
  };
  const sent = (route: RegExp): number => proxy.sent("POST", route).length;

  let failed: string | undefined;
  const it = (name: string, body: () => Promise<void>): void => void nodeIt(name, async (context) => {
    assert.equal(failed, undefined, "an earlier part failed");
    try {
      await body();
    } catch (error) {
      failed = name;
      await page.picture(`failed ${name}`).catch(() => undefined);
      context.diagnostic(`The extension's log ends with:\n${scene.log().slice(-4_000)}`);
      throw error;
    }
  });

  it("1 trigger: the request has left, and Flink never gets it", async () => {
    const killed = killedAt("POST", /\/savepoints$/, "Flink never gets it");
    await verbs.trigger(row(orders), "one");
    await killed;
    const record = await newest(orders);
    assert.match(record.state, /^(requested|failed)$/);
    assert.equal((await settled<SavepointRecord>(record.id)).state, "failed");
    await page.expand(row(orders));
    await page.row(/failed one, savepoint, failed/);
    assert.equal(sent(/\/savepoints$/), 1);
    await nothingLostOrDoubled(orders, 0);
  });

  it("2 trigger: the request has left, and Flink gets it", async () => {
    const killed = killedAt("POST", /\/savepoints$/, "Flink gets it");
    await verbs.trigger(row(orders), "two");
    await killed;
    const record = await settled<SavepointRecord>((await newest(orders)).id);
    assert.equal(record.state, "completed");
    await page.expand(row(orders));
    await page.row(/^#\d+ two, savepoint, completed/);
    assert.equal(sent(/\/savepoints$/), 2);
    await nothingLostOrDoubled(orders, 1);
  });

  it("3 trigger: the savepoint is being written", async () => {
    orders.controls.slow(4_000);
    await verbs.trigger(row(orders), "three");
    await page.row(/^savepoint three, savepoint, running, writing 0:0[1-9]/);
    await killHost();
    await page.expand(row(orders));
    await page.row(/^savepoint three, savepoint, running, writing/);
    await page.statusBar(/Savepoint of orders/);
    await page.picture("3 found again");
    orders.controls.off();
    assert.equal((await settled<SavepointRecord>((await newest(orders)).id)).state, "completed");
    await page.row(/^#\d+ three, savepoint, completed/);
    await nothingLostOrDoubled(orders, 2);
  });

  it("4 trigger: the savepoint is complete, and nobody has heard of it", async () => {
    const before = savepointFolders(flink.savepointDir).length;
    let asked = false;
    proxy.fate = ({ method, route }) => {
      asked ||= method === "POST" && /\/savepoints$/.test(route);
      return asked && method === "GET" && /\/savepoints\/|\/checkpoints/.test(route) ? { forward: false } : undefined;
    };
    await verbs.trigger(row(orders), "four");
    await until("the savepoint on the disk", () => Promise.resolve(savepointFolders(flink.savepointDir).filter((folder) => folder.hasMetadata).length === before + 1));
    await killHost();
    assert.equal((await settled<SavepointRecord>((await newest(orders)).id)).state, "completed");
    await page.expand(row(orders));
    await page.row(/^#\d+ four, savepoint, completed/);
    assert.equal(sent(/\/savepoints$/), 4);
    await nothingLostOrDoubled(orders, 3);
  });

  it("5 stop: the request has left, and Flink gets it", async () => {
    const killed = killedAt("POST", /\/stop$/, "Flink gets it");
    await verbs.stop(row(first));
    await killed;
    const record = await settled<SavepointRecord>((await newest(first)).id);
    assert.deepEqual([record.state, record.stop?.job], ["completed", "stopped"]);
    await page.row(/^first, job, finished with savepoint/);
    assert.equal(await eyes.state(first.jobId), "FINISHED");
    assert.equal(sent(/\/stop$/), 1);
    await nothingLostOrDoubled(first, 1);
  });

  it("6 stop: the savepoint is being written, and a second stop is refused by the next host", async () => {
    second.controls.slow(6_000);
    await verbs.stop(row(second));
    await until("the stop in Flink", async () => (await eyes.savepoints(second.jobId)).some((savepoint) => savepoint.status === "IN_PROGRESS"));
    await killHost();
    await page.row(/^second, job, stopping with savepoint/);
    await page.inlineAction(row(second), /Stop with Savepoint/);
    await page.toast(/second can't be stopped now\. A stop with savepoint has been under way for \d+ s/);
    await page.picture("6 second stop refused");
    second.controls.off();
    const record = await settled<SavepointRecord>((await newest(second)).id);
    assert.deepEqual([record.state, record.stop?.job], ["completed", "stopped"]);
    assert.equal(await eyes.state(second.jobId), "FINISHED");
    assert.equal(sent(/\/stop$/), 2);
    await nothingLostOrDoubled(second, 1);
  });

  it("7 restore: the request has left, and Flink gets it", async () => {
    await page.expand(row(first));
    const killed = killedAt("POST", /\/run$/, "Flink gets it");
    await verbs.restore(titled(await newest(first)), { args: words(first.args) });
    await killed;
    const [record] = (await scene.records("restore")).filter((restore) => restore.jobName === "first");
    assert.ok(record);
    assert.match((await settled<typeof record>(record.id)).state, /^(running|safe)$/);
    await page.row(/^first, job, running/);
    assert.equal(sent(/\/run$/), 1);
    await restoredOnce(first, await newest(first));
  });

  it("8 restore: Flink has answered, and the answer is still on its way", async () => {
    await page.expand(row(second));
    const killed = killedAt("POST", /\/run$/, "Flink has answered");
    await verbs.restore(titled(await newest(second)), { args: words(second.args) });
    await killed;
    const [record] = (await scene.records("restore")).filter((restore) => restore.jobName === "second");
    assert.ok(record);
    assert.match((await settled<typeof record>(record.id)).state, /^(running|safe)$/);
    await page.row(/^second, job, running/);
    assert.equal(sent(/\/run$/), 2);
    await restoredOnce(second, await newest(second));
  });

  it("9 dispose: the request has left, and Flink gets it", async () => {
    await page.expand(row(orders));
    const two = (await scene.savepoints(orders.jobId)).find((record) => record.description === "two");
    assert.ok(two?.path);
    const killed = killedAt("POST", /\/savepoint-disposal$/, "Flink gets it");
    await page.contextMenu(/^#\d+ two, savepoint/, /Dispose/);
    await page.modal();
    await page.answer("Dispose");
    await killed;
    assert.equal((await settled<SavepointRecord>(two.id)).disposal?.state, "disposed");
    assert.ok(!existsSync(onDisk(two.path)));
    await page.expand(row(orders));
    await page.row(/^#\d+ two, savepoint, disposed/);
    assert.equal(sent(/\/savepoint-disposal$/), 1);
    assert.deepEqual((await scene.savepoints(orders.jobId)).filter((record) => record.state === "completed" && record.disposal === null).map((record) => existsSync(onDisk(record.path ?? ""))), [true, true], "the others are there");
  });

  it("10 stop, then restore: the stop is being written; the plan is offered, continues, and no record is lost or counted twice", async () => {
    await page.expand(row(third));
    await verbs.trigger(row(third), "before");
    await page.row(/^#\d+ before, savepoint, completed/);
    third.controls.slow(5_000);
    await verbs.restore(/^#\d+ before, savepoint/, { way: "Stop it, and go on from where it stops", args: words(third.args) });
    await until("the stop in Flink", async () => (await eyes.savepoints(third.jobId)).some((savepoint) => savepoint.status === "IN_PROGRESS"));
    await killHost();
    await page.row(/^restore of third, planned/);
    third.controls.off();
    const stop = await settled<SavepointRecord>((await newest(third)).id);
    assert.deepEqual([stop.state, stop.stop?.job], ["completed", "stopped"]);
    assert.equal(sent(/\/run$/), 2, "nothing is started before a person says so");
    await page.row(/^restore of third, planned, stopped with its savepoint/);
    await page.picture("10 planned restore");
    await page.inlineAction(/^restore of third/, /Continue Restore/);
    await page.toast(/third runs, restored from #\d+/, 60_000);
    await page.rowGone(/^restore of third/);
    assert.deepEqual([sent(/\/stop$/), sent(/\/run$/)], [3, 3]);
    await nothingLostOrDoubled(third, 2);
    await restoredOnce(third, stop);
    for (const job of [first, second, third]) assert.ok(await checkExactlyOnce(job.out) > 0);
  });

  it("nothing is left open", async () => {
    const open = (await scene.ledger.all()).filter((record) => isOpen(record) && !(record.kind === "restore" && record.state === "running"));
    assert.deepEqual(open, []);
    await page.picture("the end");
  });

  /** One job of the name runs, and Flink says that it came from the savepoint. */
  async function restoredOnce(job: Job, savepoint: SavepointRecord): Promise<void> {
    const running = (await eyes.jobsNamed(job.name)).filter(({ state }) => state === "RUNNING");
    assert.equal(running.length, 1, `${job.name} runs once`);
    const { count, path: from } = await eyes.restored(running[0]?.jobId ?? "");
    assert.deepEqual([count, onDisk(from ?? "")], [1, onDisk(savepoint.path ?? "")]);
  }
});

/** Arguments as one types them. */
function words(args: readonly string[]): string {
  return args.join(" ");
}
