import assert from "node:assert/strict";
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { createInterface } from "node:readline";
import path from "node:path";
import type { Readable, Writable } from "node:stream";
import { systemClock } from "../../../src/core/base/async";
import { isFlinkError } from "../../../src/core/errors";
import type { RollbackTask } from "../rollback.process";
import { bothTables, everyMs, type RollbackBench } from "./rollbackBench";
import { patience } from "./testApp";

/** Steps of a rollback as its process tells them: the whole's state, then that of each table. */
export const steps = [
  "planned planned planned", "rolling rolling planned", "rolling rolled-back planned", "rolling rolled-back rolling", "rolling rolled-back rolled-back", "rolled-back rolled-back rolled-back", "restoring rolled-back rolled-back",
] as const;

/** Takes a savepoint of a running job at a random moment, runs past it, and ends the job. Resolves to the savepoint. */
export async function runPastSavepoint({ paimon }: RollbackBench, jobId: string, tables: readonly string[] = bothTables): Promise<string> {
  await systemClock.sleep(Math.random() * 2 * everyMs);
  const savepoint = await paimon.savepoint(jobId);
  await paimon.tagged(savepoint, ...tables);
  await paimon.checkpoints(jobId, 2 + Math.floor(Math.random() * 2));
  await paimon.cancel(jobId);
  return savepoint;
}

/** Both tables hold 1, 2, 3 … to the same number, each once. It holds at any moment, since both are read at a commit. */
export async function assertExact({ paimon }: RollbackBench): Promise<number> {
  const found = await paimon.read(...bothTables);
  for (const table of found) assert.deepEqual(table, { rows: table.largest, different: table.largest, smallest: 1, largest: table.largest });
  return Math.min(...found.map(({ rows }) => rows));
}

/** One round: past a savepoint, back to it, and on. Resolves to the job that runs then. */
export async function round(bench: RollbackBench, jobId: string): Promise<string> {
  const savepoint = await runPastSavepoint(bench, jobId);
  const done = await bench.rollBack(savepoint);
  assert.equal(done.state, "done");
  await bench.paimon.checkpoints(done.restoreId ?? "", 1);
  assert.ok((await assertExact(bench)) > 0);
  return done.restoreId ?? "";
}

/** One round whose process is killed when it has written down `step`, and which another goes on with. */
export async function killedRound(bench: RollbackBench, jobId: string, step: (typeof steps)[number]): Promise<string> {
  const savepoint = await runPastSavepoint(bench, jobId);
  await killAt(bench, savepoint, step);
  const rollbacks = await bench.app.app.rollbacks();
  const [open, ...others] = await rollbacks.unfinished();
  assert.deepEqual(others, []);
  const done = await retry((despite) => rollbacks.continue(open?.id ?? "", patience(), [], despite));
  assert.equal(done.state, "done", JSON.stringify(done));
  await bench.paimon.checkpoints(done.restoreId ?? "", 1);
  assert.ok((await assertExact(bench)) > 0);
  return done.restoreId ?? "";
}

/** One round whose process is killed at any moment, whatever it is at, and which another goes on with, or begins. */
export async function killedAnywhere(bench: RollbackBench, jobId: string): Promise<string> {
  const savepoint = await runPastSavepoint(bench, jobId);
  const afterMs = 500 + Math.random() * 9_000;
  const child = rollingBack(bench, savepoint);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.stdout.resume();
  await Promise.race([ended, systemClock.sleep(afterMs)]);
  child.kill("SIGKILL");
  await ended;
  const { ledger, reconciler } = bench.app.app;
  await reconciler.reconcile();
  const record = (await ledger.all()).find((each) => each.kind === "rollback" && each.savepoint.path === savepoint && each.endedAtMs === null) ?? (await ledger.all()).find((each) => each.kind === "rollback" && each.savepoint.path === savepoint);
  const rollbacks = await bench.app.app.rollbacks();
  const done = record === undefined ? await bench.rollBack(savepoint) : record.kind === "rollback" && record.state === "done" ? record : await retry((despite) => rollbacks.continue(record.id, patience(), [], despite));
  assert.ok(done.kind === "rollback" && done.state === "done", `killed after ${Math.round(afterMs)} ms: ${JSON.stringify(done)}`);
  await bench.paimon.checkpoints(done.restoreId ?? "", 1);
  assert.ok((await assertExact(bench)) > 0);
  return done.restoreId ?? "";
}

/**
 * Again while Paimon's process of the window that was killed still acts: nothing is done beside it. Killed between a statement and its handle, nobody can tell;
 * then it is as a person does it, who looks and goes on a while later.
 */
async function retry<T>(work: (despite: boolean) => Promise<T>): Promise<T> {
  let despite = false;
  for (let left = 240; ; left--) {
    try {
      return await work(despite);
    } catch (error) {
      const rule = isFlinkError(error, "refused") ? error.facts.refusals[0]?.rule : undefined;
      if (left === 0 || (rule !== "action-running" && rule !== "statement-unknown")) throw error;
      await systemClock.sleep(rule === "statement-unknown" ? 5_000 : 250);
      despite ||= rule === "statement-unknown";
    }
  }
}

function rollingBack(bench: RollbackBench, savepoint: string): ChildProcessByStdio<Writable, Readable, null> {
  const task: RollbackTask = { options: bench.options, savepoint, restore: bench.restoreOf(savepoint) };
  return spawn(process.execPath, ["--enable-source-maps", path.join("dist", "test", "e2e", "rollback.process.mjs"), JSON.stringify(task)], { stdio: ["pipe", "pipe", "inherit"] });
}

/** Has a process roll back, and kills it at a step. */
export async function killAt(bench: RollbackBench, savepoint: string, step: (typeof steps)[number]): Promise<void> {
  const child = rollingBack(bench, savepoint);
  const seen: string[] = [];
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      seen.push(line);
      assert.ok(!line.startsWith("failed"), line);
      if (line === step) return;
    }
    assert.fail(`${step} never came: ${seen.join("; ")}`);
  } finally {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }
}
