import assert from "node:assert/strict";
import { mkdirSync, watch } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { mapLimit } from "../../../src/core/base/async";
import { isOpen, type LedgerRecord, type RestoreRecord, type SavepointRecord } from "../../../src/core/ledger/record";
import type { RestoreRequest } from "../../../src/services/restores";
import type { TestFlink } from "../../rig/flink";
import type { Told, Verb } from "../services.process";
import { Controls, onDisk, savepointFolders } from "./disk";
import { Eyes } from "./eyes";
import { FaultyProxy, type Fate, type Passing } from "./faultyProxy";
import { ServicesProcess } from "./servicesProcess";
import { openApp, type TestApp } from "./testApp";

/** The verbs in whose midst a process is killed. */
export type KilledVerb = "trigger" | "stop" | "restore" | "upload and restore" | "stop-then-restore" | "dispose";

/**
 * When it is killed. `any moment`: after a random part of the verb's usual duration. The others are seen from outside: `record`, a file
 * appears in the ledger's folder; `sending`, its request is complete on the wire, and Flink never gets it; `on its way`, the same, and
 * Flink gets it up to a second later; `answered`, Flink has answered and the sender does not know; `answer received`, it has just got that.
 */
export type Moment = "any moment" | "record" | "sending" | "on its way" | "answered" | "answer received";

export interface Kill {
  readonly verb: KilledVerb;
  readonly moment: Moment;
  /** Number between 0 and 1 that stands for all that is left to chance. */
  readonly chance: number;
  /** Two windows reconcile at once; the first of them is killed, too, when `also` says so. */
  readonly reconcilers: "one" | "two" | "one killed, then one";
}

/** What a kill led to, in words for the report. */
export interface Outcome {
  readonly kill: Kill;
  readonly ledger: string;
  readonly tookMs: number;
}

const small = ["--window", "false", "--broadcast", "false"];
const patienceMs = { receiveGraceMs: 1_500, programGraceMs: 2_500 };

/** Which request of a verb is the one that acts. */
const acting: Record<KilledVerb, (passing: Passing) => boolean> = {
  "trigger": ({ method, route }) => method === "POST" && route.endsWith("/savepoints"),
  "stop": ({ method, route }) => method === "POST" && route.endsWith("/stop"),
  "restore": ({ method, route }) => method === "POST" && route.endsWith("/run"),
  "upload and restore": ({ method, route }) => method === "POST" && /\/jars\/(upload|.*\/run)$/.test(route),
  "stop-then-restore": ({ method, route }) => method === "POST" && /\/(stop|run)$/.test(route),
  "dispose": ({ method, route }) => method === "POST" && route.endsWith("/savepoint-disposal"),
};

/** Kills spread over verbs and moments: each verb in turn, half of them at any moment. `random` gives numbers in [0, 1). */
export function plan(count: number, random: () => number): Kill[] {
  const verbs: KilledVerb[] = ["trigger", "stop", "restore", "dispose", "stop-then-restore", "trigger", "stop", "upload and restore", "restore", "dispose"];
  const marked: Moment[] = ["record", "sending", "on its way", "answered", "answer received"];
  return Array.from({ length: count }, (_, at) => ({
    verb: verbs[at % verbs.length] as KilledVerb,
    moment: at % 2 === Math.floor(at / verbs.length) % 2 ? "any moment" : (marked[Math.floor(random() * marked.length)] as Moment),
    chance: random(),
    reconcilers: at % 5 === 4 ? "two" : at % 7 === 6 ? "one killed, then one" : "one",
  }));
}

/**
 * Does every kill on one long-lived Flink, `lanes` of them at a time, each with a job, a directory, a ledger and a way to Flink of its own;
 * after each a fresh process reconciles, and ledger, Flink and disk must tell the same story. Throws all the stories that do not fit.
 */
export async function killAll(flink: TestFlink, kills: readonly Kill[], folder: string, lanes: number): Promise<Outcome[]> {
  const wrong: string[] = [];
  const usualMs = new Map<KilledVerb, number>();
  await mapLimit(Object.keys(acting) as KilledVerb[], lanes, (verb) => inRound(flink, verb, path.join(folder, `calm-${verb.replaceAll(" ", "-")}`), async (round) => {
    usualMs.set(verb, await round.doOnce());
    assert.match(await round.reconcileAndJudge("one"), /^(completed|running|safe|disposed)/);
  }).catch((error: unknown) => wrong.push(`${verb} without harm: ${String(error)}`)));

  const outcomes: Outcome[] = [];
  await mapLimit(kills.map((kill, at) => ({ kill, at })), lanes, ({ kill, at }) => inRound(flink, kill.verb, path.join(folder, `kill-${at}`), async (round) => {
    const startMs = Date.now();
    await round.killOnce(kill, usualMs.get(kill.verb) ?? 1_000);
    const ledger = await round.reconcileAndJudge(kill.reconcilers);
    outcomes.push({ kill, ledger, tookMs: Date.now() - startMs });
  }).catch((error: unknown) => wrong.push(`kill ${at}: ${kill.verb}, ${kill.moment} (${kill.chance.toFixed(3)}), ${kill.reconcilers} reconciling: ${String(error)}`)));
  if (wrong.length > 0) throw new Error(`${wrong.length} of ${kills.length} went wrong\n${wrong.join("\n\n")}`);
  return outcomes;
}

async function inRound(flink: TestFlink, verb: KilledVerb, folder: string, work: (round: Round) => Promise<void>): Promise<void> {
  const round = await Round.open(flink, verb, folder);
  try {
    await work(round);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${await round.story()}`, { cause: error });
  } finally {
    await round.close();
  }
}

/** One verb on a job of its own. */
class Round {
  readonly #flink: TestFlink;
  readonly #eyes: Eyes;
  readonly #verb: KilledVerb;
  readonly #folder: string;
  readonly #proxy: FaultyProxy;
  readonly #controls: Controls;
  readonly #name: string;
  /** The parent's own view of the ledger; it never acts. */
  readonly #window: TestApp;
  readonly #processes: ServicesProcess[] = [];
  #jobId = "";
  #task: Verb | undefined;
  /** Savepoints that were there before the verb and must stay, and the one that is to be disposed of or restored from. */
  #before: readonly string[] = [];
  #subject: string | undefined;

  private constructor(flink: TestFlink, verb: KilledVerb, folder: string, proxy: FaultyProxy) {
    this.#flink = flink;
    this.#eyes = new Eyes(flink);
    this.#verb = verb;
    this.#folder = folder;
    this.#proxy = proxy;
    this.#name = path.basename(folder);
    for (const part of ["control", "ledger", "savepoints"]) mkdirSync(path.join(folder, part), { recursive: true });
    this.#controls = new Controls(path.join(folder, "control"));
    this.#window = openApp({ ledgerFolder: this.#ledger, clusters: [proxy.url], ...patienceMs });
  }

  static async open(flink: TestFlink, verb: KilledVerb, folder: string): Promise<Round> {
    const round = new Round(flink, verb, folder, await FaultyProxy.open(flink.url));
    await round.#prepare();
    return round;
  }

  async doOnce(): Promise<number> {
    const child = this.#start(this.#task as Verb);
    await child.begins();
    const startMs = Date.now();
    const told = await ended(child);
    assert.equal(told.at, "done", JSON.stringify(told));
    return Date.now() - startMs;
  }

  /** Starts the verb and kills its process at the moment named; the process is alive until then, done or not. */
  async killOnce({ moment, chance }: Kill, usualMs: number): Promise<void> {
    if (this.#verb !== "dispose") this.#controls.slow(Math.floor(chance * 400));
    let struck: () => void = () => undefined;
    const strike = new Promise<void>((resolve) => (struck = resolve));
    const acts = acting[this.#verb];
    // Of a verb with two acting requests the second is struck as often as the first.
    let skip = (this.#verb === "stop-then-restore" || this.#verb === "upload and restore") && chance > 0.5 ? 1 : 0;
    const child = this.#start(this.#task as Verb);
    const kill = (): void => {
      child.kill();
      struck();
    };
    if (moment !== "any moment" && moment !== "record") {
      this.#proxy.fate = (passing): Fate | undefined => {
        if (!acts(passing) || skip-- > 0) return undefined;
        this.#proxy.calm();
        if (moment === "answered") return { answered: kill, answer: "cut" };
        if (moment === "answer received") return { relayed: kill };
        kill();
        return moment === "sending" ? { forward: false } : { lateMs: chance * 1_000 };
      };
    }
    const watching = moment === "record" ? watch(this.#ledger, (_, file) => void (file?.endsWith(".json") === true && --records === 0 && kill())) : undefined;
    let records = 1 + Math.floor(chance * 4);
    await child.begins();
    // Whatever the mark, it ends: a verb may not come that far.
    await Promise.race([strike, sleep(moment === "any moment" ? chance * (usualMs * 1.5 + 50) : usualMs * 2 + 3_000)]);
    await child.end();
    watching?.close();
    this.#proxy.calm();
  }

  /** A fresh process takes over. Returns in words what the ledger then says; throws when that is not what Flink and the disk say. */
  async reconcileAndJudge(reconcilers: Kill["reconcilers"]): Promise<string> {
    if (reconcilers === "one killed, then one") {
      const first = this.#start({ verb: "reconcile" });
      await first.begins();
      await sleep(Math.random() * 1_500);
      await first.end();
    }
    await Promise.all((reconcilers === "two" ? [1, 2] : [1]).map(async () => {
      const process = this.#start({ verb: "reconcile" });
      const told = await ended(process);
      assert.equal(told.at, "done", JSON.stringify(told));
    }));
    const interim = await this.#judge();
    if (!interim.includes("planned")) return interim;
    // Somebody finds the plan and goes on with it.
    const process = this.#start({ verb: "continue" });
    const told = await ended(process);
    return `${interim} → ${told.at === "failed" ? told.code : "continued"}: ${await this.#judge()}`;
  }

  /** Records and requests, for whoever reads a failure. */
  async story(): Promise<string> {
    const records = await this.#window.app.ledger.all();
    const posts = this.#proxy.seen.filter(({ method }) => method !== "GET").map(({ method, route, status }) => `${method} ${route} ${status ?? "no answer"}`);
    const folders = savepointFolders(this.#savepoints).map(({ path: folder, hasMetadata }) => `${folder}${hasMetadata ? "" : " without _metadata"}`);
    return [...records.map((record) => `${record.kind} ${record.id} ${stateOf(record)}: ${record.trail.map(({ event }) => event).join("; ")}`), ...posts, ...folders, JSON.stringify(await this.#eyes.jobsNamed(this.#name))].join("\n");
  }

  async close(): Promise<void> {
    for (const process of this.#processes) await process.end();
    this.#controls.off();
    this.#window.dispose();
    this.#proxy.close();
    for (const { jobId } of await this.#eyes.jobsNamed(this.#name)) await this.#eyes.cancel(jobId);
  }

  get #ledger(): string {
    return path.join(this.#folder, "ledger");
  }

  get #savepoints(): string {
    return path.join(this.#folder, "savepoints");
  }

  #start(what: Verb): ServicesProcess {
    const process = new ServicesProcess({ options: { ledgerFolder: this.#ledger, clusters: [this.#proxy.url], ...patienceMs }, cluster: this.#proxy.url, what });
    this.#processes.push(process);
    return process;
  }

  async #prepare(): Promise<void> {
    const args = [...small, "--control", this.#controls.folder];
    this.#jobId = await this.#eyes.run({ name: this.#name, args });
    const request = { directory: this.#savepoints, format: "canonical", description: "" } as const;
    const restore = async (savepoint: string | null): Promise<RestoreRequest> => ({
      cluster: this.#proxy.url, jobName: this.#name, savepoint: savepoint === null ? null : { path: savepoint, recordId: null, checkpointId: null }, programArgs: ["--job-name", this.#name, ...args],
      jar: this.#verb === "upload and restore" ? { file: this.#flink.jarPath, name: "test-job.jar" } : { id: await this.#flink.upload(), name: "test-job.jar" }, claimMode: "NO_CLAIM", allowNonRestoredState: false,
    });
    switch (this.#verb) {
      case "trigger":
        this.#task = { verb: "trigger", jobId: this.#jobId, request };
        break;
      case "stop":
        this.#task = { verb: "stop", jobId: this.#jobId, request: { ...request, drain: false } };
        break;
      case "stop-then-restore":
        this.#task = { verb: "stop-then-restore", jobId: this.#jobId, stop: request, request: await restore(null) };
        break;
      case "restore":
      case "upload and restore":
        this.#subject = await this.#eyes.savepointByOthers(this.#jobId, this.#savepoints);
        await this.#eyes.cancel(this.#jobId);
        this.#task = { verb: "restore", request: await restore(this.#subject) };
        break;
      case "dispose": {
        const job = { cluster: this.#proxy.url, jobId: this.#jobId };
        const quiet = { signal: new AbortController().signal, report: () => undefined };
        const subject = await this.#window.app.savepoints.trigger(job, request, quiet);
        await this.#window.app.savepoints.trigger(job, request, quiet);
        this.#subject = subject.path ?? "";
        this.#task = { verb: "dispose", recordId: subject.id, typedJobName: null };
        break;
      }
    }
    this.#before = savepointFolders(this.#savepoints).map(({ path: folder }) => folder);
  }

  /** Compares ledger, Flink and disk; each sentence of the promise is one assertion. */
  async #judge(): Promise<string> {
    // As a tree does that shows the job: finds what others took, and what was left unsaid of ours.
    const { app } = this.#window;
    await app.clusters.refresh(this.#proxy.url, new AbortController().signal);
    await app.jobs.observe({ cluster: this.#proxy.url, jobId: this.#jobId }, new AbortController().signal);
    const records = await this.#window.app.ledger.all();
    const savepoints = records.filter((record): record is SavepointRecord => record.kind === "savepoint");
    const restores = records.filter((record): record is RestoreRecord => record.kind === "restore");
    assert.deepEqual(this.#window.app.ledger.damaged(), []);
    for (const record of records) assert.ok(!isOpen(record) || (record.kind === "restore" && record.state === "running"), `${record.kind} ${stateOf(record)} is left open`);

    const folders = savepointFolders(this.#savepoints);
    const written = folders.filter(({ hasMetadata }) => hasMetadata).map(({ path: folder }) => folder);
    const known = savepoints.flatMap((record) => (record.state === "completed" && record.disposal?.state !== "disposed" ? [onDisk(record.path ?? "")] : []));
    assert.equal(new Set(known).size, known.length, "two records of one savepoint");
    assert.deepEqual(known.sort(), written.sort(), "each savepoint on the disk has its one record, and each record its savepoint");

    const jobs = await this.#eyes.jobsNamed(this.#name);
    const alive = jobs.filter(({ state }) => !/^(FINISHED|FAILED|CANCELED)$/.test(state));
    assert.ok(alive.length <= 1, `the job is doubled: ${JSON.stringify(jobs)}`);
    switch (this.#verb) {
      case "trigger": case "stop": return this.#judgeSavepoint(savepoints, alive.length);
      case "restore": case "upload and restore": return this.#judgeRestore(restores, alive);
      case "stop-then-restore": return `${await this.#judgeSavepoint(savepoints, restores.some(({ state }) => state === "running" || state === "safe") ? 0 : alive.length)}, ${restores[0]?.state === "planned" ? "planned" : restores.length === 0 ? "no plan" : await this.#judgeRestore(restores, alive)}`;
      case "dispose": return this.#judgeDisposal(savepoints, written);
    }
  }

  async #judgeSavepoint(records: readonly SavepointRecord[], alive: number): Promise<string> {
    assert.ok(records.length <= 1, "one verb, one record");
    const [record] = records;
    assert.notEqual(record?.origin, "found", "nothing of it was written down before it was sent");
    const seen = await this.#eyes.savepoints(this.#jobId);
    assert.ok(seen.length <= 1, `Flink took ${seen.length} savepoints`);
    const { count } = await this.#eyes.restored(this.#jobId);
    assert.equal(count, 0, "the job was restarted");
    if (record === undefined) {
      assert.deepEqual(seen, [], "Flink took a savepoint that nothing was written down of");
      return "no record";
    }
    if (seen[0]?.status === "COMPLETED") assert.deepEqual([record.state, record.path, record.checkpointId], ["completed", seen[0].path, seen[0].id]);
    else assert.equal(record.state, "failed", `${record.state}, while Flink knows: ${JSON.stringify(seen)}`);
    if (record.stop === null) {
      assert.equal(alive, 1, "a savepoint leaves the job running");
      return record.state;
    }
    const state = await this.#eyes.state(this.#jobId);
    assert.equal(record.stop.job, state === "FINISHED" ? "stopped" : "running-on", `the job is ${state}`);
    assert.equal(record.state === "completed", state === "FINISHED");
    return `${record.state}, job ${record.stop.job}`;
  }

  async #judgeRestore(records: readonly RestoreRecord[], alive: readonly { readonly jobId: string }[]): Promise<string> {
    assert.ok(records.length <= 1, "one verb, one record");
    const [record] = records;
    const mine = alive.filter(({ jobId }) => jobId !== this.#jobId);
    if (record === undefined) {
      assert.deepEqual(mine, [], "a job was started that nothing was written down of");
      return "no record";
    }
    if (mine.length === 0) {
      assert.equal(await this.#eyes.state(record.id), undefined, "Flink knows the job");
      assert.match(record.state, record.jar.id === null ? /^(failed|dropped)$/ : /^(unknown|failed|dropped)$/);
      return record.state;
    }
    assert.deepEqual(mine.map(({ jobId }) => jobId), [record.id]);
    assert.match(record.state, /^(running|safe)$/, `${record.state}, while the job runs`);
    const { path: source, count } = await this.#eyes.restored(record.id);
    assert.deepEqual([source, count], [record.savepoint?.path ?? null, 1]);
    return record.state;
  }

  #judgeDisposal(records: readonly SavepointRecord[], written: readonly string[]): string {
    const subject = onDisk(this.#subject ?? "");
    const others = this.#before.filter((folder) => folder !== subject);
    assert.deepEqual(written.filter((folder) => folder !== subject), others, "disposed of what nobody asked for");
    const record = records.find(({ path: location }) => location !== null && onDisk(location) === subject);
    const state = record?.disposal?.state ?? "not begun";
    assert.equal(savepointFolders(this.#savepoints).some(({ path: folder }) => folder === subject), state !== "disposed", `the ledger says ${state}`);
    assert.match(state, /^(disposed|failed|not begun)$/);
    return state;
  }
}

/** What came of a process's verb; the process is gone then. Nothing here takes a minute. */
async function ended(process: ServicesProcess): Promise<Told> {
  const late = new AbortController();
  const told = await Promise.race([process.outcome(), sleep(60_000, undefined, { signal: late.signal }).catch(() => undefined)]);
  late.abort();
  await process.end();
  if (told === undefined) throw new Error("the process found no end in a minute");
  return told;
}

/** The kills and what came of them, one line for each kind. */
export function report(outcomes: readonly Outcome[]): string {
  const kinds = new Map<string, Map<string, number>>();
  for (const { kill, ledger } of outcomes) {
    const kind = `${kill.verb}, ${kill.moment}`;
    const counts = kinds.get(kind) ?? new Map<string, number>();
    counts.set(ledger, (counts.get(ledger) ?? 0) + 1);
    kinds.set(kind, counts);
  }
  return [...kinds].sort(([a], [b]) => a.localeCompare(b)).map(([kind, counts]) => `${kind}: ${[...counts].map(([what, count]) => `${count} ${what}`).join("; ")}`).join("\n");
}

function stateOf(record: LedgerRecord): string {
  return "state" in record ? record.state : "";
}
