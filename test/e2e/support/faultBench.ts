import assert from "node:assert/strict";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { SavepointRecord } from "../../../src/core/ledger/record";
import type { RestoreRequest } from "../../../src/services/restores";
import type { SavepointRequest } from "../../../src/services/savepoints";
import { checkExactlyOnce, startFlink, type TestFlink } from "../../rig/flink";
import type { Verb } from "../services.process";
import { Controls, onDisk, savepointFolders, scratchFolder } from "./disk";
import { Eyes } from "./eyes";
import { FaultyProxy } from "./faultyProxy";
import { ServicesProcess } from "./servicesProcess";
import { openApp, patience, type TestApp } from "./testApp";

/** A savepoint as the cluster would take it by itself. */
export const own: SavepointRequest = { directory: null, format: "canonical", description: "" };
/** One chain of three tasks. */
export const small = ["--window", "false", "--broadcast", "false"];
/** Crashes are noticed within seconds. */
const quick = { "web.refresh-interval": "100", "heartbeat.interval": "500", "heartbeat.timeout": "4000" };

/** A job under test, with what belongs to it. */
export interface Subject {
  readonly name: string;
  readonly jobId: string;
  readonly ref: { readonly cluster: string; readonly jobId: string };
  readonly out: string;
  /** Program arguments, its name included. */
  readonly args: readonly string[];
  readonly controls: Controls;
  readonly savepoints: string;
}

/** A real Flink, the services, and between them a proxy that breaks what it is told to; with the questions that all fault tests ask. */
export class FaultBench {
  readonly #version: string;
  readonly #port: number;
  readonly #configuration: Readonly<Record<string, string>>;
  flink!: TestFlink;
  eyes!: Eyes;
  proxy!: FaultyProxy;
  test!: TestApp;
  scratch!: string;
  /** Jobs started so far. */
  jobs = 0;

  constructor(version: string, port: number, configuration: Readonly<Record<string, string>> = {}) {
    this.#version = version;
    this.#port = port;
    this.#configuration = configuration;
  }

  /** Starts everything; before the first test. */
  async open(): Promise<void> {
    this.scratch = scratchFolder("faults");
    this.flink = await startFlink(this.#version, { port: this.#port, extraConfig: { ...quick, ...this.#configuration } });
    this.eyes = new Eyes(this.flink);
    this.proxy = await FaultyProxy.open(this.flink.url);
    this.test = openApp({ ledgerFolder: path.join(this.scratch, "ledger"), clusters: [this.proxy.url] });
  }

  /** No faults and no jobs any more; after each test. */
  async calm(): Promise<void> {
    this.proxy.calm();
    await this.eyes.cancelAll();
  }

  /** Ends what `open` has started, as far as it came. */
  async close(): Promise<void> {
    (this.test as TestApp | undefined)?.dispose();
    (this.proxy as FaultyProxy | undefined)?.close();
    await (this.flink as TestFlink | undefined)?.stop();
  }

  /** A job of its own for a test, with its own control files, output and savepoint directory. */
  startJob(...args: string[]): Promise<Subject> {
    return this.startSteered(() => undefined, ...args);
  }

  /** The same, with control files that are there from the start. */
  async startSteered(steer: (controls: Controls) => void, ...args: string[]): Promise<Subject> {
    const name = `job-${++this.jobs}`;
    const folder = path.join(this.scratch, name);
    const controls = new Controls(path.join(folder, "control"));
    controls.make();
    steer(controls);
    const out = path.join(folder, "out");
    const all = [...small, "--out", out, "--control", controls.folder, "--restart-delay", "200 ms", ...args];
    const jobId = await this.eyes.run({ name, args: all });
    return { name, jobId, ref: { cluster: this.proxy.url, jobId }, out, args: ["--job-name", name, ...all], controls, savepoints: path.join(folder, "savepoints") };
  }

  /** A savepoint into the job's own directory. */
  request(subject: Subject): SavepointRequest {
    return { ...own, directory: subject.savepoints };
  }

  async restoreOf(subject: Subject, savepoint: Pick<SavepointRecord, "path" | "id" | "checkpointId"> | null, more: Partial<RestoreRequest> = {}): Promise<RestoreRequest> {
    return {
      cluster: this.proxy.url, jobName: subject.name, savepoint: savepoint && { path: savepoint.path ?? "", recordId: savepoint.id, checkpointId: savepoint.checkpointId },
      jar: { id: await this.flink.upload(), name: "test-job.jar" }, programArgs: subject.args, claimMode: "NO_CLAIM", allowNonRestoredState: false, ...more,
    };
  }

  async recordsOf(subject: Subject): Promise<readonly SavepointRecord[]> {
    return (await this.test.savepoints()).filter((record) => record.job.id === subject.jobId);
  }

  async onlyRecordOf(subject: Subject): Promise<SavepointRecord> {
    const records = await this.recordsOf(subject);
    assert.equal(records.length, 1);
    return records[0] as SavepointRecord;
  }

  /** The services in a process of their own, which sees `hiding` empty. */
  inProcess(what: Verb, hiding: string): ServicesProcess {
    return new ServicesProcess({ options: { ledgerFolder: path.join(this.scratch, "ledger"), clusters: [this.proxy.url] }, cluster: this.proxy.url, what }, hiding);
  }

  /** One savepoint in the record, in Flink's history and on the disk, and they are the same. */
  async assertOneSavepoint(subject: Subject, record: SavepointRecord): Promise<void> {
    assert.equal(record.state, "completed");
    assert.deepEqual(savepointFolders(subject.savepoints), [{ path: onDisk(record.path ?? ""), hasMetadata: true }]);
    assert.deepEqual((await this.eyes.savepoints(subject.jobId)).filter(({ status }) => status === "COMPLETED").map((seen) => seen.path), [record.path]);
    assert.deepEqual((await this.recordsOf(subject)).map(({ id }) => id), [record.id]);
  }

  /** The savepoint starts a job that goes on where the old one was: stops it and counts what came out. */
  async assertContinues(subject: Subject, savepoint: SavepointRecord): Promise<void> {
    const restored = await this.test.app.restores.start(await this.restoreOf(subject, savepoint), patience());
    await sleep(300);
    const stopped = await this.test.app.savepoints.stop({ cluster: this.proxy.url, jobId: restored.id }, { ...own, drain: false }, patience());
    assert.equal(stopped.stop?.job, "stopped");
    assert.ok(await checkExactlyOnce(subject.out) > 0);
  }

  /** After everything: no record is open, every savepoint on the disk has a record, and nothing was logged as an error. */
  async assertTidy(): Promise<void> {
    assert.deepEqual(await this.test.app.jobs.operations(), []);
    const records = await this.test.savepoints();
    const known = new Set(records.flatMap((record) => (record.path === null ? [] : [onDisk(record.path)])));
    const unknown = new Set(records.filter(({ state }) => state === "unknown").map(({ directory }) => directory));
    for (let at = 1; at <= this.jobs; at++) {
      const complete = savepointFolders(path.join(this.scratch, `job-${at}`, "savepoints")).filter(({ hasMetadata }) => hasMetadata);
      for (const folder of complete) assert.ok(known.has(folder.path) || unknown.has(path.dirname(folder.path)), folder.path);
    }
    assert.deepEqual(this.test.app.ledger.damaged(), []);
    assert.deepEqual(this.test.lines.filter((line) => line.startsWith("error")), []);
  }
}
