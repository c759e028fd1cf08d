import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { scheduleStateSchema, type ScheduleState } from "../../../src/core/schedule/scheduleState";
import { scheduleKey } from "../../../src/core/schedule/tick";
import { scheduleSchema } from "../../../src/core/lifecycle/lifecycleFile";
import { openScheduleStates } from "../../../src/clients/scheduleFiles";
import { quietLog, type TestFlink } from "../../rig/flink";
import type { Shared } from "../schedules.process";
import { savepointFolders } from "./disk";
import { Eyes, until } from "./eyes";
import { openApp } from "./testApp";

const bundle = fileURLToPath(new URL("./schedules.process.mjs", import.meta.url));
const jobName = "scheduled";

/** How a storm went. */
export interface StormReport {
  readonly ticks: number;
  readonly kills: number;
  /** Of the kills, those between a run's record and its request. */
  readonly unsent: number;
  readonly sleeps: number;
  /** Runs whose savepoint needed a further attempt, since its process died before it was sent. */
  readonly again: number;
  /** How late the requests were, milliseconds, ascending. */
  readonly lateMs: readonly number[];
}

/**
 * Three processes share a schedule whose runs are `everyMs` apart; again and again the one that runs it is killed, at any moment or between
 * the record of a run and its request, or stopped and continued after another took over. Each run must have exactly one savepoint: in the ledger, at Flink and on disk.
 */
export async function stormSchedules(flink: TestFlink, folder: string, { ticks, everyMs, random }: { readonly ticks: number; readonly everyMs: number; readonly random: () => number }): Promise<StormReport> {
  const eyes = new Eyes(flink);
  const directory = `${folder}/savepoints`;
  mkdirSync(directory, { recursive: true });
  await eyes.run({ name: jobName, args: ["--window", "false", "--broadcast", "false"] });
  const schedule = scheduleSchema.parse({ name: "storm", cluster: flink.url, job: jobName, cron: "* * * * *", directory, retries: 5 });
  // Nothing is missed by processes that have not started yet.
  const firstMs = Date.now() + 12_000;
  const lastMs = firstMs + (ticks - 1) * everyMs;
  const shared: Shared = { folder, cluster: flink.url, text: JSON.stringify({ schedules: [schedule] }), firstMs, everyMs, ticks };
  const window = openApp({ ledgerFolder: `${folder}/ledger`, clusters: [flink.url] });
  const states = openScheduleStates(`${folder}/schedules`, quietLog);
  const processes = [new Runner(shared), new Runner(shared), new Runner(shared)];
  let kills = 0;
  let unsent = 0;
  let sleeps = 0;
  try {
    while (Date.now() < lastMs) {
      await sleep(everyMs * (0.6 + random() * 2));
      const at = processes.findIndex(({ leads }) => leads);
      const leader = processes[at];
      if (leader === undefined) continue;
      const chance = random();
      if (chance < 0.25) {
        leader.dieUnsent();
        await until("the one that runs it to die at the next run", () => Promise.resolve(leader.over || Date.now() > lastMs), 30_000);
        if (leader.over) {
          kills++;
          unsent++;
          processes[at] = new Runner(shared);
        }
      } else if (chance < 0.8) {
        kills++;
        await leader.end();
        await sleep(random() * 500);
        processes[at] = new Runner(shared);
      } else {
        sleeps++;
        leader.stop();
        await until("another to take over from one that sleeps", () => Promise.resolve(processes.some((each) => each !== leader && each.leads)), 20_000);
        await sleep(random() * 2_000);
        leader.wake();
      }
    }
    const key = scheduleKey(flink.url, schedule);
    const state = await until("every run to have ended", async (): Promise<ScheduleState | undefined> => {
      const now = await states.get(key);
      return now !== undefined && now.open.length === 0 && now.decidedUpToMs >= lastMs ? scheduleStateSchema.parse(now) : undefined;
    }, 90_000, 500);
    const records = (await window.savepoints()).filter(({ origin }) => origin === "scheduled");
    const wrong: string[] = [];
    for (let at = 0; at < ticks; at++) {
      const tickAtMs = firstMs + at * everyMs;
      const ofTick = records.filter((record) => record.schedule?.tickAtMs === tickAtMs);
      if (ofTick.filter((record) => record.state === "completed").length !== 1) wrong.push(`run ${at}: ${JSON.stringify(ofTick.map((record) => [record.schedule?.attempt, record.state, record.failure?.message, record.trail]))}; ${JSON.stringify(state.outcomes.filter((outcome) => outcome.tickAtMs === tickAtMs))}`);
    }
    assert.deepEqual(wrong, []);
    const folders = savepointFolders(directory);
    assert.equal(folders.filter(({ hasMetadata }) => hasMetadata).length, ticks, "savepoints on disk");
    assert.deepEqual(folders.filter(({ hasMetadata }) => !hasMetadata), []);
    const taken = records.filter((record) => record.state === "completed");
    assert.equal(new Set(taken.map(({ path }) => path)).size, ticks);
    return {
      ticks, kills, unsent, sleeps, again: taken.filter((record) => (record.schedule?.attempt ?? 0) > 0).length,
      lateMs: taken.map((record) => record.requestedAtMs - (record.schedule?.tickAtMs ?? 0)).sort((a, b) => a - b),
    };
  } finally {
    for (const each of processes) await each.end();
    window.dispose();
    for (const { jobId } of await eyes.jobsNamed(jobName)) await eyes.cancel(jobId);
  }
}

/** One of the processes. */
class Runner {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  leads = false;
  over = false;

  constructor(shared: Shared) {
    this.#child = spawn(process.execPath, ["--enable-source-maps", bundle, JSON.stringify(shared)], { stdio: ["pipe", "pipe", "inherit"] });
    const kill = (): void => void this.#child.kill("SIGKILL");
    process.once("exit", kill);
    if (this.#child.stdout) createInterface({ input: this.#child.stdout }).on("line", (line) => (this.leads = line === "leads"));
    this.#ended = new Promise((resolve) => this.#child.once("close", () => {
      process.off("exit", kill);
      this.leads = false;
      this.over = true;
      resolve();
    }));
  }

  /** SIGSTOP: as a machine that was suspended, or an editor that hangs. */
  stop(): void {
    this.#child.kill("SIGSTOP");
    this.leads = false;
  }

  wake(): void {
    this.#child.kill("SIGCONT");
  }

  /** It kills itself at the next run, between the record and the request. */
  dieUnsent(): void {
    this.#child.stdin?.write("die unsent\n");
  }

  /** SIGKILL, and waits until it is gone. */
  async end(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}
