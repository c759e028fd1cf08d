import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { isOpen, type SavepointRecord } from "../../../src/core/ledger/record";
import { onDisk, savepointFolders } from "../../e2e/support/disk";
import { checkExactlyOnce, until } from "../../rig/flink";
import { KilledHost, row } from "./killedHost";

/** The moments, in the order in which they build on each other: 7 needs 5, 8 needs 6, and 9 needs 2. */
export const everyMoment = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] as const;
/** One of the moments. */
export type Moment = (typeof everyMoment)[number];

const jobOf: { readonly [M in Moment]: string } = { 1: "orders", 2: "orders", 3: "orders", 4: "orders", 5: "first", 6: "second", 7: "first", 8: "second", 9: "orders", 10: "third" };

/**
 * The extension host is killed with SIGKILL at some of ten moments of the verbs, done by hand in the window. The host that comes after it must find
 * out how each ended; Flink and the disk are asked whether anything is lost or doubled, and the proxy whether anything was sent twice.
 */
export function describeKilledHost(moments: readonly Moment[], name: string): void {
  describe(`the extension host is killed in the middle, at ${moments.length} moments`, () => {
    const host = new KilledHost(name);
    before(() => host.open([...new Set(moments.map((moment) => jobOf[moment]))]));
    after(() => host.close());

    let failed: string | undefined;
    const part = (name: string, body: () => Promise<void>): void => void it(name, async (context) => {
      assert.equal(failed, undefined, "an earlier part failed");
      try {
        await host.ready();
        await body();
      } catch (error) {
        failed = name;
        await host.page.picture(`failed ${name}`).catch(() => undefined);
        context.diagnostic(`The extension's log ends with:\n${host.scene.log().slice(-4_000)}`);
        throw error;
      }
    });
    for (const moment of moments) part(`${moment} ${parts[moment].name}`, () => parts[moment].body(host));

    part("nothing is left open, and each job's results came out exactly once", async () => {
      const open = (await host.scene.ledger.all()).filter((record) => isOpen(record) && !(record.kind === "restore" && record.state === "running"));
      assert.deepEqual(open, []);
      for (const job of host.jobs.values()) assert.ok(await checkExactlyOnce(job.out) > 0);
      await host.page.picture("the end");
    });
  });
}

interface Part {
  readonly name: string;
  readonly body: (host: KilledHost) => Promise<void>;
}

const parts: { readonly [M in Moment]: Part } = {
  1: { name: "trigger: the request has left, and Flink never gets it", body: async (host) => {
    const { page, verbs } = host;
    const orders = host.job("orders");
    assert.equal(await host.sent(/\/savepoints$/, async () => {
      const killed = host.killedAt("POST", /\/savepoints$/, "Flink never gets it");
      await verbs.trigger(row(orders), "one");
      await killed;
      assert.equal((await host.settled<SavepointRecord>((await host.newest(orders)).id)).state, "failed");
      await page.expand(row(orders));
      await page.row(/failed one, savepoint, failed/);
    }), 1);
    await host.nothingLostOrDoubled(orders);
  } },

  2: { name: "trigger: the request has left, and Flink gets it", body: async (host) => {
    const { page, verbs } = host;
    const orders = host.job("orders");
    assert.equal(await host.sent(/\/savepoints$/, async () => {
      const killed = host.killedAt("POST", /\/savepoints$/, "Flink gets it");
      await verbs.trigger(row(orders), "two");
      await killed;
      assert.equal((await host.settled<SavepointRecord>((await host.newest(orders)).id)).state, "completed");
      await page.expand(row(orders));
      await page.row(/^#\d+ two, savepoint, completed/);
    }), 1);
    orders.taken++;
    await host.nothingLostOrDoubled(orders);
  } },

  3: { name: "trigger: the savepoint is being written", body: async (host) => {
    const { page, verbs } = host;
    const orders = host.job("orders");
    orders.controls.on("hold-snapshot");
    await verbs.trigger(row(orders), "three");
    await host.untilWriting(orders);
    await host.kill();
    await page.expand(row(orders));
    await page.row(/^savepoint three, savepoint, running, writing/);
    await page.statusBar(/Savepoint of orders/);
    await page.picture("3 found again");
    orders.controls.off();
    assert.equal((await host.settled<SavepointRecord>((await host.newest(orders)).id)).state, "completed");
    await page.row(/^#\d+ three, savepoint, completed/);
    orders.taken++;
    await host.nothingLostOrDoubled(orders);
  } },

  4: { name: "trigger: the savepoint is complete, and nobody has heard of it", body: async (host) => {
    const { page, verbs, proxy, flink } = host;
    const orders = host.job("orders");
    const complete = (): number => savepointFolders(flink.savepointDir).filter((folder) => folder.hasMetadata).length;
    const before = complete();
    let asked = false;
    proxy.fate = ({ method, route }) => {
      asked ||= method === "POST" && /\/savepoints$/.test(route);
      return asked && method === "GET" && /\/savepoints\/|\/checkpoints/.test(route) ? { forward: false } : undefined;
    };
    assert.equal(await host.sent(/\/savepoints$/, async () => {
      await verbs.trigger(row(orders), "four");
      await until("the savepoint on the disk", () => Promise.resolve(complete() === before + 1));
      await host.kill();
      assert.equal((await host.settled<SavepointRecord>((await host.newest(orders)).id)).state, "completed");
      await page.expand(row(orders));
      await page.row(/^#\d+ four, savepoint, completed/);
    }), 1);
    orders.taken++;
    await host.nothingLostOrDoubled(orders);
  } },

  5: { name: "stop: the request has left, and Flink gets it", body: async (host) => {
    const { page, verbs } = host;
    const first = host.job("first");
    assert.equal(await host.sent(/\/stop$/, async () => {
      const killed = host.killedAt("POST", /\/stop$/, "Flink gets it");
      await verbs.stop(row(first));
      await killed;
      const record = await host.settled<SavepointRecord>((await host.newest(first)).id);
      assert.deepEqual([record.state, record.stop?.job], ["completed", "stopped"]);
      await page.row(/^first, job, finished with savepoint/);
      assert.equal(await host.eyes.state(first.jobId), "FINISHED");
    }), 1);
    first.taken++;
    await host.nothingLostOrDoubled(first);
  } },

  6: { name: "stop: the savepoint is being written, and a second stop is refused by the next host", body: async (host) => {
    const { page, verbs } = host;
    const second = host.job("second");
    second.controls.on("hold-snapshot");
    assert.equal(await host.sent(/\/stop$/, async () => {
      await verbs.stop(row(second));
      await host.untilWriting(second);
      await host.kill();
      await page.row(/^second, job, stopping with savepoint/);
      await page.inlineAction(row(second), /Stop with Savepoint/, page.notification(/second can't be stopped now\. A stop with savepoint has been under way for \d+/));
      await page.picture("6 second stop refused");
      second.controls.off();
      const record = await host.settled<SavepointRecord>((await host.newest(second)).id);
      assert.deepEqual([record.state, record.stop?.job], ["completed", "stopped"]);
      assert.equal(await host.eyes.state(second.jobId), "FINISHED");
    }), 1);
    second.taken++;
    await host.nothingLostOrDoubled(second);
  } },

  7: { name: "restore: the request has left, and Flink gets it", body: (host) => killedRestore(host, "first", "Flink gets it") },
  8: { name: "restore: Flink has answered, and the answer is still on its way", body: (host) => killedRestore(host, "second", "Flink has answered") },

  9: { name: "dispose: the request has left, and Flink gets it", body: async (host) => {
    const { page, scene } = host;
    const orders = host.job("orders");
    await page.expand(row(orders));
    const two = (await scene.savepoints(orders.jobId)).find((record) => record.description === "two");
    assert.ok(two?.path);
    assert.equal(await host.sent(/\/savepoint-disposal$/, async () => {
      const killed = host.killedAt("POST", /\/savepoint-disposal$/, "Flink gets it");
      await page.contextMenu(/^#\d+ two, savepoint/, /Dispose/, page.dialog);
      await page.answer("Dispose");
      await killed;
      assert.equal((await host.settled<SavepointRecord>(two.id)).disposal?.state, "disposed");
      assert.ok(!existsSync(onDisk(two.path ?? "")));
      await page.expand(row(orders));
      await page.row(/^#\d+ two, savepoint, disposed/);
    }), 1);
    const others = (await scene.savepoints(orders.jobId)).filter((record) => record.state === "completed" && record.disposal === null);
    assert.equal(others.length, orders.taken - 1);
    for (const { path } of others) assert.ok(existsSync(onDisk(path ?? "")), "the others are there");
  } },

  10: { name: "stop, then restore: the stop is being written; the plan is offered, continues, and no record is lost or counted twice", body: async (host) => {
    const { page, verbs } = host;
    const third = host.job("third");
    await page.expand(row(third));
    await verbs.trigger(row(third), "before");
    await page.row(/^#\d+ before, savepoint, completed/);
    third.taken++;
    third.controls.on("hold-snapshot");
    assert.equal(await host.sent(/\/run$/, async () => {
      await verbs.restore(/^#\d+ before, savepoint/, { way: "Stop it, and go on from where it stops", args: third.args.join(" ") });
      await host.untilWriting(third);
      await host.kill();
      await page.row(/^restore of third, planned/);
      third.controls.off();
      const stop = await host.settled<SavepointRecord>((await host.newest(third)).id);
      assert.deepEqual([stop.state, stop.stop?.job], ["completed", "stopped"]);
      await page.row(/^restore of third, planned, stopped with its savepoint/);
      await page.picture("10 planned restore");
    }), 0, "nothing is started before a person says so");
    third.taken++;
    assert.equal(await host.sent(/\/(stop|run)$/, async () => {
      await page.inlineAction(/^restore of third/, /Continue Restore/, page.notification(/third runs, restored from #\d+/));
      await page.rowGone(/^restore of third/);
    }), 1);
    await host.nothingLostOrDoubled(third);
    await host.restoredOnce(third, await host.newest(third));
  } },
};

async function killedRestore(host: KilledHost, name: string, fate: "Flink gets it" | "Flink has answered"): Promise<void> {
  const job = host.job(name);
  const from = await host.newest(job);
  await host.page.expand(row(job));
  assert.equal(await host.sent(/\/run$/, async () => {
    const killed = host.killedAt("POST", /\/run$/, fate);
    await host.verbs.restore(new RegExp(`^#${from.checkpointId ?? "?"},? `), { args: job.args.join(" ") });
    await killed;
    await host.restoredOnce(job, from);
  }), 1);
}
