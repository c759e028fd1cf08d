import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { isOpen, type LedgerRecord, type RestoreRecord, type SavepointRecord } from "../../../src/core/ledger/record";
import { localFlinkVersions } from "../../../src/core/settings";
import { Controls, onDisk, savepointFolders, scratchFolder } from "../../e2e/support/disk";
import { Eyes } from "../../e2e/support/eyes";
import { FaultyProxy, type Fate } from "../../e2e/support/faultyProxy";
import { rootFolder, startFlink, until, type TestFlink } from "../../rig/flink";
import { openPage, type WorkbenchPage } from "../../rig/page";
import { startWorkbench, type Workbench } from "../../rig/workbench";
import { Scene } from "./scene";
import { Verbs } from "./verbs";

/** A running job of the test, steered by files. */
export interface HostJob {
  readonly name: string;
  readonly jobId: string;
  readonly args: readonly string[];
  readonly out: string;
  readonly controls: Controls;
  /** Savepoints that it should have completed by now. */
  taken: number;
}

/** Falls within five minutes after which VS Code starts the host by itself; at the next one it asks (`ExtensionHostCrashTracker`). */
const fallsBeforeItAsks = 2;

/** A window with the installed extension, a real Flink, a proxy between them, and the means to kill the extension host at a given moment. */
export class KilledHost {
  readonly #name: string;
  #scratch!: string;
  #workbench!: Workbench;
  #falls = 0;
  readonly jobs = new Map<string, HostJob>();
  flink!: TestFlink;
  eyes!: Eyes;
  proxy!: FaultyProxy;
  page!: WorkbenchPage;
  verbs!: Verbs;
  scene!: Scene;

  constructor(name: string) {
    this.#name = name;
  }

  /** Starts everything, with jobs of these names; before the first test. */
  async open(jobs: readonly string[]): Promise<void> {
    const root = await rootFolder();
    this.#scratch = scratchFolder("killed-host");
    this.flink = await startFlink(localFlinkVersions[0], { extraConfig: { "web.refresh-interval": "200", "web.checkpoints.history": "500" } });
    this.eyes = new Eyes(this.flink);
    this.proxy = await FaultyProxy.open(this.flink.url);
    await Promise.all(jobs.map((name) => this.#start(name)));
    for (const job of this.jobs.values()) await this.eyes.untilCheckpointed(job.jobId);
    const workspace = path.join(this.#scratch, "workspace");
    mkdirSync(workspace);
    const settings = { "flinkSavepoints.refresh.intervalSeconds": 1, "flinkSavepoints.clusters": [{ name: "sandbox", url: this.proxy.url }] };
    this.#workbench = await startWorkbench({ extensionsFrom: process.env["RIG_VSIX"] ?? root, workspace, settings });
    this.scene = new Scene(this.#workbench);
    this.page = await openPage(this.#workbench, { name: this.#name });
    this.verbs = new Verbs(this.page);
    await this.page.openView();
    await this.page.widenSideBar(620);
    for (const job of this.jobs.values()) await this.page.expand(row(job));
  }

  /** Ends what `open` has started, as far as it came. */
  async close(): Promise<void> {
    await (this.page as WorkbenchPage | undefined)?.close();
    await (this.#workbench as Workbench | undefined)?.stop();
    (this.proxy as FaultyProxy | undefined)?.close();
    await (this.flink as TestFlink | undefined)?.stop();
  }

  job(name: string): HostJob {
    const job = this.jobs.get(name);
    assert.ok(job, `no job ${name} was started`);
    return job;
  }

  /** Before each moment: a window that VS Code would next ask about its host is loaded anew, since such a question can be missed. */
  async ready(): Promise<void> {
    if (this.#falls < fallsBeforeItAsks) return;
    this.#falls = 0;
    await this.page.reload();
    await this.page.openView();
    await this.page.row(/^sandbox, Flink cluster, Flink/, 60_000);
  }

  /** Kills the host, and waits until the next one, which VS Code starts by itself, shows the tree. */
  async kill(): Promise<void> {
    const gone = await this.#workbench.killExtensionHost();
    assert.ok(gone.length > 0, "no extension host was running");
    this.#falls++;
    this.proxy.calm();
    await until("the next extension host", () => Promise.resolve(this.#workbench.extensionHostPids().some((pid) => !gone.includes(pid))), 90_000);
    await this.page.row(/^sandbox, Flink cluster, Flink/, 90_000);
  }

  /** Kills the host at the moment when its request has left it whole; `fate` says what becomes of the request. */
  killedAt(method: string, route: RegExp, fate: "Flink never gets it" | "Flink gets it" | "Flink has answered"): Promise<void> {
    return new Promise((resolve, reject) => {
      let struck = false;
      const strike = (): void => {
        struck = true;
        this.kill().then(resolve, reject);
      };
      this.proxy.fate = (request): Fate | undefined => {
        if (struck || request.method !== method || !route.test(request.route)) return undefined;
        if (fate === "Flink has answered") return { answered: strike };
        strike();
        return fate === "Flink gets it" ? undefined : { forward: false };
      };
    });
  }

  /** How many requests with this route were sent while `work` ran. */
  async sent(route: RegExp, work: () => Promise<void>): Promise<number> {
    const before = this.proxy.sent("POST", route).length;
    await work();
    return this.proxy.sent("POST", route).length - before;
  }

  /** A record once its operation has ended, by the ledger's files. */
  async settled<R extends LedgerRecord>(id: string): Promise<R> {
    await until(`the outcome of ${id}`, async () => {
      const record = await this.scene.ledger.get(id);
      return record !== undefined && (!isOpen(record) || (record.kind === "restore" && record.state === "running"));
    }, 120_000);
    return (await this.scene.ledger.get(id)) as R;
  }

  /** The job's newest savepoint in the ledger. */
  async newest(job: HostJob): Promise<SavepointRecord> {
    const [record] = await this.scene.savepoints(job.jobId);
    assert.ok(record, `no record of ${job.name}`);
    return record;
  }

  /** Waits until Flink is writing a savepoint of the job and the ledger knows that it was accepted. */
  async untilWriting(job: HostJob): Promise<void> {
    await until(`a savepoint of ${job.name} that is being written`, async () => (await this.eyes.savepoints(job.jobId)).some(({ status }) => status === "IN_PROGRESS"));
    await until(`the record of ${job.name} to say so`, async () => (await this.newest(job)).state === "running");
  }

  /** Each savepoint that Flink completed is on the disk and in the ledger, once, and none is anywhere else. */
  async nothingLostOrDoubled(job: HostJob): Promise<void> {
    const inFlink = (await this.eyes.savepoints(job.jobId)).filter((savepoint) => savepoint.status === "COMPLETED").map((savepoint) => onDisk(savepoint.path ?? "")).sort();
    const onTheDisk = savepointFolders(this.flink.savepointDir).filter((folder) => path.basename(folder.path).startsWith(`savepoint-${job.jobId.slice(0, 6)}`)).map((folder) => folder.path);
    const inLedger = (await this.scene.savepoints(job.jobId)).filter((record) => record.state === "completed" && record.disposal === null).map((record) => onDisk(record.path ?? "")).sort();
    assert.equal(inFlink.length, job.taken, `${job.name}: savepoints in Flink`);
    assert.deepEqual(onTheDisk, inFlink, `${job.name}: the disk`);
    assert.deepEqual(inLedger, inFlink, `${job.name}: the ledger`);
  }

  /** The record of the restore of a job, which ended well; one job of the name runs, and Flink says that it came from the savepoint. */
  async restoredOnce(job: HostJob, savepoint: SavepointRecord): Promise<void> {
    const [record, ...more] = (await this.scene.records("restore")).filter((restore) => restore.jobName === job.name);
    assert.ok(record && more.length === 0, `${job.name}: one record of its restore`);
    assert.match((await this.settled<RestoreRecord>(record.id)).state, /^(running|safe)$/);
    await this.page.row(new RegExp(`^${job.name}, job, (running|starting)`));
    const running = (await this.eyes.jobsNamed(job.name)).filter(({ state }) => state === "RUNNING");
    assert.equal(running.length, 1, `${job.name} runs once`);
    const { count, path: from } = await this.eyes.restored(running[0]?.jobId ?? "");
    assert.deepEqual([count, onDisk(from ?? "")], [1, onDisk(savepoint.path ?? "")]);
  }

  async #start(name: string): Promise<void> {
    const control = path.join(this.#scratch, `control-${name}`);
    mkdirSync(control, { recursive: true });
    const out = path.join(this.#scratch, `out-${name}`);
    const args = ["--window", "false", "--broadcast", "false", "--checkpoint-interval", "1500ms", "--restart-delay", "200ms", "--control", control, "--out", out];
    const jobId = await this.eyes.run({ name, args });
    this.jobs.set(name, { name, jobId, args: ["--job-name", name, ...args], out, controls: new Controls(control), taken: 0 });
  }
}

/** The row of a job that was started first; a restored one has the same name and stands elsewhere. */
export function row({ name }: { readonly name: string }): RegExp {
  return new RegExp(`^${name}, job`);
}
