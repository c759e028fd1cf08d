import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import path from "node:path";
import { after, describe, it } from "node:test";
import { atLeast, capabilitiesOf, parseFlinkVersion, type FlinkVersion } from "../../src/core/model/version";
import type { SavepointRecord } from "../../src/core/ledger/record";
import type { ClaimMode } from "../../src/core/ports";
import type { SavepointRequest } from "../../src/services/savepoints";
import { checkExactlyOnce, rootFolder, startFlink, type TestFlink } from "../rig/flink";
import { Controls, onDisk, savepointFolders, scratchFolder } from "./support/disk";
import { Eyes, until } from "./support/eyes";
import { FaultyProxy } from "./support/faultyProxy";
import { ServicesProcess } from "./support/servicesProcess";
import { openApp, patience, type TestApp } from "./support/testApp";

/** What is done on each release, in this order: the columns of the table. */
const steps = ["start", "connect", "canonical", "native", "stop", "NO_CLAIM", "CLAIM", "LEGACY", "stop → restore", "dispose", "cancel", "killed → reconciled"] as const;
type Step = (typeof steps)[number];

interface Measured {
  readonly version: string;
  readonly took: Map<Step, number | "not offered" | "failed">;
  readonly notes: string[];
}

const root = await rootFolder();
const versions = readdirSync(path.join(root, "media", "flink")).map((file) => file.replace(/\.json$/, "")).map((text) => parseFlinkVersion(text)).filter((version) => version !== undefined)
  .sort((a, b) => a.major - b.major || a.minor - b.minor);
const table: Measured[] = [];

describe("the main job on every minor release of Flink", () => {
  after(() => writeFileSync(path.join(root, "docs", "compatibility.md"), document(table)));
  for (const [at, version] of versions.entries()) describe(`Flink ${version.text}`, () => onRelease(version, 19600 + at * 10));
});

function onRelease(version: FlinkVersion, port: number): void {
  const can = capabilitiesOf(version);
  const measured: Measured = { version: version.text, took: new Map(), notes: [] };
  table.push(measured);
  const scratch = scratchFolder(`matrix-${version.text}`);
  const out = path.join(scratch, "out");
  const savepoints = path.join(scratch, "savepoints");
  const own: SavepointRequest = { directory: savepoints, format: "canonical", description: "" };
  const control = new Controls(path.join(scratch, "control"));
  const args = ["--out", out, "--checkpoint-interval", "300 ms", "--window", "false", "--broadcast", "false"];
  let flink: TestFlink;
  let eyes: Eyes;
  let test: TestApp;
  let jobId: string;
  let stopped: SavepointRecord;
  const taken: SavepointRecord[] = [];

  const job = (id: string): { cluster: string; jobId: string } => ({ cluster: flink.url, jobId: id });
  const measure = async <T>(step: Step, work: () => Promise<T>): Promise<T> => {
    measured.took.set(step, "failed");
    const startMs = Date.now();
    const value = await work();
    measured.took.set(step, Date.now() - startMs);
    return value;
  };
  /** Restores with this mode, sees that the job goes on from the savepoint, and stops it again for the next. */
  const restore = (claimMode: ClaimMode): void => {
    it(`restores with ${claimMode}`, async () => {
      const restored = await measure(claimMode, async () => test.app.restores.start({
        cluster: flink.url, jobName: "matrix", savepoint: { path: stopped.path ?? "", recordId: stopped.id, checkpointId: stopped.checkpointId }, jar: { id: await flink.upload(), name: "test-job.jar" },
        programArgs: ["--job-name", "matrix", ...args], parallelism: 2, claimMode, allowNonRestoredState: false,
      }, patience()));
      const seen = await eyes.restored(restored.id);
      assert.deepEqual([seen.count, seen.path, seen.isSavepoint], [1, stopped.path, claimMode !== "CLAIM"]);
      await until("the start to be safe", async () => (await test.restore(restored.id)).state === "safe");
      const source = onDisk(stopped.path ?? "");
      if (claimMode === "CLAIM") await until("Flink to delete what it owns", async () => !savepointFolders(savepoints).some((folder) => folder.path === source));
      else assert.ok(savepointFolders(savepoints).some((folder) => folder.path === source && folder.hasMetadata));
      jobId = restored.id;
      stopped = await test.app.savepoints.stop(job(jobId), { ...own, drain: false }, patience());
      assert.ok(await checkExactlyOnce(out) > 0);
    });
  };

  it("starts", async () => {
    flink = await measure("start", () => startFlink(version.text, { port, extraConfig: { "web.refresh-interval": "100" } }));
    eyes = new Eyes(flink);
    test = openApp({ ledgerFolder: path.join(scratch, "ledger"), clusters: [flink.url] });
    jobId = await eyes.run({ name: "matrix", args });
  });
  after(async () => {
    test?.dispose();
    await flink?.stop();
  });

  it("is recognised", async () => {
    const info = await measure("connect", () => test.app.clusters.info(flink.url, patience().signal));
    assert.equal(info.version.text, version.text);
    assert.equal(info.kind, "session");
    assert.equal(onDisk(info.savepointDirectory ?? ""), flink.savepointDir);
    assert.equal(onDisk(info.checkpointDirectory ?? ""), flink.checkpointDir);
  });

  it("takes unknown fields as our capability table says, and has the routes that it says", async () => {
    const { status } = await eyes.rest("POST", `/jobs/${"0".repeat(32)}/savepoints`, { "target-directory": savepoints, "no-such-field": 1 });
    const strict = !atLeast(version, 1, 20);
    assert.equal(status, strict ? 400 : 202);
    if (strict) measured.notes.push("refuses unknown request fields");
    assert.equal((await eyes.rest("GET", `/jobs/${jobId}/status`)).status, can.jobStatusEndpoint ? 200 : 404);
    const { text } = await eyes.rest("POST", `/jars/${await flink.upload()}/run`, { [can.claimModeField]: "NO_SUCH_MODE" });
    assert.match(text, /NO_SUCH_MODE/, "the claim mode goes by the name in our table");
    if (can.claimModeField === "restoreMode") measured.notes.push("claim mode sent as restoreMode");
    if (!can.jobStatusEndpoint) measured.notes.push("job state up to 3 s old");
  });

  for (const format of ["canonical", "native"] as const) {
    it(`takes a ${format} savepoint`, async () => {
      const record = await measure(format, () => test.app.savepoints.trigger(job(jobId), { ...own, format }, patience()));
      taken.push(record);
      const seen = (await eyes.savepoints(jobId)).at(-1);
      assert.deepEqual([seen?.path, seen?.id, seen?.type], [record.path, record.checkpointId, "SAVEPOINT"]);
      if (seen?.format === null) {
        if (format === "native") measured.notes.push("does not list a savepoint's format");
      } else assert.equal(seen?.format, format.toUpperCase());
      assert.ok(savepointFolders(savepoints).some((folder) => folder.path === onDisk(record.path ?? "") && folder.hasMetadata));
    });
  }

  it("finds what others took", async () => {
    const location = await eyes.savepointByOthers(jobId, savepoints);
    await test.app.clusters.refresh(flink.url, patience().signal);
    await until("the found savepoint", async () => {
      await test.app.jobs.observe(job(jobId), patience().signal);
      return (await test.app.jobs.savepoints(job(jobId))).some(({ path: found, origin }) => found === location && origin === "found");
    });
  });

  it("stops with a savepoint", async () => {
    stopped = await measure("stop", () => test.app.savepoints.stop(job(jobId), { ...own, drain: false }, patience()));
    assert.equal(stopped.stop?.job, "stopped");
    assert.equal(await eyes.state(jobId), "FINISHED");
  });

  restore("NO_CLAIM");
  restore("CLAIM");
  if (can.legacyClaimMode) restore("LEGACY");
  else {
    measured.took.set("LEGACY", "not offered");
    it("is not offered LEGACY", async () => {
      assert.equal((await test.app.clusters.info(flink.url, patience().signal)).capabilities.legacyClaimMode, false);
    });
  }

  it("stops and restores as one plan", async () => {
    jobId = await eyes.run({ name: "matrix", args, savepointPath: stopped.path ?? "" });
    const restored = await measure("stop → restore", async () => test.app.restores.stopThenRestore(job(jobId), own, {
      cluster: flink.url, jobName: "matrix", savepoint: null, jar: { file: flink.jarPath, name: "test-job.jar" }, programArgs: ["--job-name", "matrix", ...args], claimMode: "NO_CLAIM", allowNonRestoredState: false,
    }, patience()));
    assert.equal(await eyes.state(jobId), "FINISHED");
    assert.deepEqual((await eyes.jobsNamed("matrix")).filter(({ state }) => state === "RUNNING"), [{ jobId: restored.id, state: "RUNNING" }]);
    jobId = restored.id;
  });

  it("disposes of a savepoint", async () => {
    const [first] = taken;
    assert.ok(first !== undefined);
    const before = savepointFolders(savepoints);
    const disposed = await measure("dispose", () => test.app.disposals.dispose(first.id, { typedJobName: null }, patience()));
    assert.equal(disposed.disposal?.state, "disposed");
    assert.deepEqual(savepointFolders(savepoints), before.filter((folder) => folder.path !== onDisk(first.path ?? "")));
  });

  it("cancels without a savepoint", async () => {
    assert.equal(await measure("cancel", () => test.app.jobs.cancel(job(jobId), patience())), "CANCELED");
    assert.ok(await checkExactlyOnce(out) > 0);
  });

  it("tells a fresh process how a savepoint ended whose process was killed", async () => {
    control.make();
    const killed = await eyes.run({ name: "killed", args: ["--control", control.folder, ...args.slice(2)] });
    control.slow(700);
    const proxy = await FaultyProxy.open(flink.url);
    const options = { ledgerFolder: path.join(scratch, "ledger"), clusters: [proxy.url] };
    const child = new ServicesProcess({ options, cluster: proxy.url, what: { verb: "trigger", jobId: killed, request: { ...own, directory: path.join(scratch, "killed") } } });
    const dead = new Promise<void>((resolve) => {
      proxy.fate = ({ method, route }) => (method === "POST" && route.endsWith("/savepoints") ? { answered: () => { child.kill(); resolve(); }, answer: "cut" } : undefined);
    });
    await dead;
    await child.end();
    const fresh = new ServicesProcess({ options, cluster: proxy.url, what: { verb: "reconcile" } });
    const told = await measure("killed → reconciled", () => fresh.outcome());
    await fresh.end();
    proxy.close();
    assert.equal(told.at, "done");
    const records = (await test.savepoints()).filter((record) => record.job.id === killed);
    assert.deepEqual(records.map(({ state, path: location }) => [state, onDisk(location ?? "")]), [["completed", savepointFolders(path.join(scratch, "killed"))[0]?.path]]);
    assert.equal((await eyes.savepoints(killed)).length, 1);
    await eyes.cancel(killed);
  });
}

/** The whole of docs/compatibility.md. */
function document(rows: readonly Measured[]): string {
  const cell = (took: number | string | undefined): string => (took === undefined ? "–" : typeof took === "number" ? String(took) : took);
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const failed = rows.filter(({ took }) => steps.some((step) => took.get(step) === undefined || took.get(step) === "failed"));
  return `# Compatibility

Measured by \`npm run test:matrix\`, which writes this page: on ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus().length} cores (${cpus()[0]?.model.trim() ?? "unknown"}, load average ${(loadavg()[1] ?? 0).toFixed(0)} from other work too), a JobManager and a TaskManager on the same machine, a job of three tasks with a few kilobytes of state.

Each figure is one call of the verb, in milliseconds, until its outcome was in the ledger. After each verb Flink's own account and the disk were compared with the ledger, and the job's exactly-once output had neither a gap nor a repetition. ${failed.length === 0 ? "Everything passed on every release." : `Not everything passed on ${failed.map(({ version }) => version).join(", ")}.`}

${line(["Flink", ...steps, "notes"])}
${line(["---", ...steps.map(() => "---:"), "---"])}
${rows.map(({ version, took, notes }) => line([version, ...steps.map((step) => cell(took.get(step))), notes.join("; ")])).join("\n")}

- *start*: a local Flink, to its first slot; the jars come from the cache, or else are fetched first. *canonical*, *native*: trigger a savepoint. *NO_CLAIM*, *CLAIM*, *LEGACY*: restore with that claim mode, with another parallelism, onto a jar on the cluster, until all tasks run. *stop → restore*: both as one plan, the jar uploaded from disk. *killed → reconciled*: the process that had asked for a savepoint was killed before it got Flink's answer; a fresh process, its start included, found out how the savepoint ended.
- Below 1.15 savepoints have no client-chosen trigger id, so nothing could be asked for without the risk of asking twice: such clusters are shown and refused with that reason.
- From 2.0 on Flink has no LEGACY claim mode.
`;
}
