import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { PublishWay } from "../../../src/clients/atomicFile";
import { openLedger } from "../../../src/clients/ledgerFiles";
import { systemClock } from "../../../src/core/base/async";
import type { SavepointRecord } from "../../../src/core/ledger/record";
import { keptLog } from "../../unit/ledgerSamples";

/** The process that writes, as bundled. */
export const writerFile = fileURLToPath(new URL("./ledgerWriter.process.mjs", import.meta.url));

/** What each of the processes is to write. */
interface Work {
  readonly recordsEach: number;
  /** Records that all of them change. */
  readonly shared: number;
  readonly publish: PublishWay;
}

/** What the processes of a storm said was written. */
interface Acknowledged {
  readonly created: Set<string>;
  readonly tokens: Map<string, string[]>;
}

/**
 * Three processes write the same ledger, their own records and shared ones, and are killed or stopped for a while at random moments, each
 * restarted where it was. Afterwards everything acknowledged has to be there once, and nothing broken or left over.
 * Resolves to a line that says what happened.
 */
export async function storm(options: Work & { readonly kills: number; readonly everyMs: number }): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "ledger-storm-"));
  const said: Acknowledged = { created: new Set(), tokens: new Map() };
  const writers = ["a", "b", "c"].map((name) => new Writer(folder, name, options, said));
  try {
    const startMs = Date.now();
    const anyWriter = (): Writer | undefined => writers[Math.floor(Math.random() * writers.length)];
    let [kills, pauses] = [0, 0];
    let running = true;
    const killing = (async () => {
      while (running && kills < options.kills) {
        await systemClock.sleep(Math.random() * 2 * options.everyMs);
        if (anyWriter()?.kill() === true) kills++;
      }
    })();
    const pausing = (async () => {
      while (running) {
        await systemClock.sleep(Math.random() * 100);
        if ((await anyWriter()?.pause(5 + Math.random() * 100)) === true) pauses++;
      }
    })();
    await Promise.all(writers.map((writer) => writer.finished())).finally(() => (running = false));
    await Promise.all([killing, pausing]);
    const tookMs = Date.now() - startMs;
    await check(folder, said, options);
    const writes = said.created.size + [...said.tokens.values()].flat().length;
    return `${writes} acknowledged writes by three processes, ${kills} kills, ${pauses} pauses, ${tookMs} ms`;
  } finally {
    for (const writer of writers) writer.end();
    await rm(folder, { recursive: true, force: true });
  }
}

/** One process that is started again until it has done all its work. */
class Writer {
  readonly #start: (life: number, done: ReadonlySet<string>) => ChildProcess;
  readonly #name: string;
  readonly #said: Acknowledged;
  #child: ChildProcess | undefined;
  #isEnded = false;

  constructor(folder: string, name: string, work: Work, said: Acknowledged) {
    this.#name = name;
    this.#said = said;
    const amounts = [String(work.recordsEach), String(work.shared)];
    this.#start = (life, done) => spawn(process.execPath, [writerFile, folder, work.publish, name, String(life), ...amounts, ...done], { stdio: ["ignore", "pipe", "pipe"] });
  }

  async finished(): Promise<void> {
    const done = new Set<string>();
    for (let life = 1; ; life++) {
      const child = this.#start(life, done);
      this.#child = child;
      let errors = "";
      child.stderr?.on("data", (data: Buffer) => (errors += data.toString()));
      assert.ok(child.stdout);
      createInterface({ input: child.stdout }).on("line", (line) => this.#note(line, done));
      const [code, signal] = (await once(child, "close")) as [number | null, string | null];
      this.#child = undefined;
      if (code === 0 || this.#isEnded) return;
      assert.equal(signal, "SIGKILL", `writer ${this.#name} ended with ${String(code)}: ${errors}`);
    }
  }

  /** Kills the process for good. */
  end(): void {
    this.#isEnded = true;
    this.kill();
  }

  kill(): boolean {
    return this.#child?.kill("SIGKILL") ?? false;
  }

  /** Stops the process where it stands: between any two of its steps others run on. */
  async pause(ms: number): Promise<boolean> {
    const child = this.#child;
    if (child?.kill("SIGSTOP") !== true) return false;
    await systemClock.sleep(ms);
    child.kill("SIGCONT");
    return true;
  }

  #note(line: string, done: Set<string>): void {
    const [what, subject = "", token = ""] = line.split(" ");
    if (what === "created") this.#said.created.add(subject);
    else if (what === "token") this.#said.tokens.set(subject, [...(this.#said.tokens.get(subject) ?? []), token]);
    else if (what === "done") done.add(subject);
    else assert.fail(`writer ${this.#name} said ${line}`);
  }
}

async function check(folder: string, said: Acknowledged, work: Work): Promise<void> {
  const log = keptLog();
  const ledger = openLedger({ folder, log, clock: systemClock });
  const records = new Map((await ledger.all()).map((record) => [record.id, record as SavepointRecord]));
  assert.deepEqual(ledger.damaged(), []);
  assert.deepEqual(log.lines.filter((line) => !line.startsWith("debug")), []);
  assert.equal(records.size, 3 * work.recordsEach + work.shared);
  for (const id of said.created) assert.ok(records.has(id), `${id} was acknowledged and is lost`);
  for (const [id, tokens] of said.tokens) {
    const kept = records.get(id)?.candidates ?? [];
    assert.equal(new Set(kept).size, kept.length, `${id} has a change twice`);
    for (const token of tokens) assert.ok(kept.includes(token), `${token} of ${id} was acknowledged and is lost`);
  }
  assert.deepEqual(await readdir(path.join(folder, "drafts")), []);
  const files = (await readdir(folder)).filter((name) => name.endsWith(".json"));
  assert.equal(files.length, records.size, "older revisions are cleaned up");
}
