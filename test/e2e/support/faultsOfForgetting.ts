import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { it } from "node:test";
import { rejected } from "../../unit/rejected";
import { Controls, onDisk, savepointFolders } from "./disk";
import { type FaultBench, own, small } from "./faultBench";
import { patience } from "./testApp";

/** A Flink that forgets results within a second, and has no savepoint directory of its own. */
export function describeForgetting(bench: FaultBench): void {
  const directory = (name: string): string => path.join(bench.scratch, name);
  /** Nobody can ask for trigger results until this much later. */
  const blindFor = (ms: number): void => {
    let since: number | undefined;
    bench.proxy.fate = ({ method, route }) => {
      if (method === "POST") since ??= Date.now();
      return method === "GET" && /\/savepoints\//.test(route) && Date.now() - (since ?? Date.now()) < ms ? { forward: false } : undefined;
    };
  };

  it("C-37: refuses a savepoint without a directory, and sends nothing", async () => {
    const jobId = await bench.eyes.run({ name: "no-directory", args: small });
    const ref = { cluster: bench.proxy.url, jobId };
    for (const ask of [() => bench.test.app.savepoints.trigger(ref, own, patience()), () => bench.test.app.savepoints.stop(ref, { ...own, drain: false }, patience())]) {
      assert.deepEqual((await rejected(ask(), "refused")).facts.refusals, [{ rule: "no-directory" }]);
    }
    assert.deepEqual(bench.proxy.sent("POST", /./), []);
    assert.equal((await bench.test.app.clusters.info(bench.proxy.url, patience().signal)).savepointDirectory, null);
  });

  for (const verb of ["trigger", "stop"] as const) {
    it(`finds in the job's history how a ${verb} ended whose result expired before we looked`, async () => {
      const jobId = await bench.eyes.run({ name: `expired-${verb}`, args: small });
      const wanted = { ...own, directory: directory(`expired-${verb}`) };
      blindFor(2_500);
      const record = verb === "trigger"
        ? await bench.test.app.savepoints.trigger({ cluster: bench.proxy.url, jobId }, wanted, patience())
        : await bench.test.app.savepoints.stop({ cluster: bench.proxy.url, jobId }, { ...wanted, drain: false }, patience());
      assert.equal(record.state, "completed");
      assert.deepEqual(savepointFolders(directory(`expired-${verb}`)), [{ path: onDisk(record.path ?? ""), hasMetadata: true }]);
      assert.match(record.trail.map(({ event }) => event).join("\n"), /the job's history shows it/);
      assert.equal(await bench.eyes.state(jobId), verb === "stop" ? "FINISHED" : "RUNNING");
      if (verb === "stop") assert.equal(record.stop?.job, "stopped");
    });
  }

  it("never sends again what may have expired: a lost answer and a second of silence still make one savepoint", async () => {
    const jobId = await bench.eyes.run({ name: "expired-lost", args: small });
    let since: number | undefined;
    bench.proxy.fate = ({ method, route }) => {
      if (method === "POST" && /savepoints$/.test(route)) {
        since ??= Date.now();
        return { answer: "cut" };
      }
      return method === "GET" && /\/savepoints\//.test(route) && Date.now() - (since ?? Date.now()) < 2_500 ? { forward: false } : undefined;
    };
    const record = await bench.test.app.savepoints.trigger({ cluster: bench.proxy.url, jobId }, { ...own, directory: directory("expired-lost") }, patience());
    assert.deepEqual(savepointFolders(directory("expired-lost")), [{ path: onDisk(record.path ?? ""), hasMetadata: true }]);
    assert.equal(bench.proxy.sent("POST", new RegExp(`${jobId}/savepoints$`)).length, 1);
    assert.equal((await bench.eyes.savepoints(jobId)).length, 1);
  });

  it("learns from the files how a disposal ended whose result expired before we looked", async () => {
    const jobId = await bench.eyes.run({ name: "expired-disposal", args: small });
    const wanted = { ...own, directory: directory("expired-disposal") };
    const first = await bench.test.app.savepoints.trigger({ cluster: bench.proxy.url, jobId }, wanted, patience());
    await bench.test.app.savepoints.trigger({ cluster: bench.proxy.url, jobId }, wanted, patience());
    let since: number | undefined;
    bench.proxy.fate = ({ method, route }) => {
      if (!/savepoint-disposal/.test(route)) return undefined;
      if (method === "POST") since ??= Date.now();
      return method === "GET" && Date.now() - (since ?? Date.now()) < 2_000 ? { forward: false } : undefined;
    };
    assert.equal((await bench.test.app.disposals.dispose(first.id, { typedJobName: null }, patience())).disposal?.state, "disposed");
    assert.equal(savepointFolders(directory("expired-disposal")).length, 1);
  });

  it("forgets nothing that takes longer than its results are kept", async () => {
    const control = new Controls(directory("control"));
    mkdirSync(control.folder);
    const jobId = await bench.eyes.run({ name: "slow", args: [...small, "--control", control.folder] });
    control.slow(4_000);
    const record = await bench.test.app.savepoints.trigger({ cluster: bench.proxy.url, jobId }, { ...own, directory: directory("slow") }, patience());
    assert.deepEqual(savepointFolders(directory("slow")), [{ path: onDisk(record.path ?? ""), hasMetadata: true }]);
    assert.ok((record.durationMs ?? 0) >= 4_000);
  });
}
