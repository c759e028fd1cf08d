import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { until, type TestFlink } from "./flink";
import type { WorkbenchPage } from "./page";

interface JobOfOverview {
  readonly jid: string;
  readonly name: string;
  readonly state: string;
  readonly "start-time": number;
}

interface Checkpoints {
  readonly counts: { readonly restored: number; readonly completed: number };
  readonly latest: { readonly savepoint: { readonly id: number; readonly external_path: string } | null; readonly restored: { readonly id: number; readonly external_path: string } | null; readonly completed: { readonly id: number } | null };
}

/**
 * The product's main job, in a workbench with the installed extension and a Flink that runs the job Orders: looks at the tree, takes a savepoint,
 * stops the job with one, restores from it, and disposes of the first. After each step Flink itself is asked, and what it answered is said.
 */
export async function tour(page: WorkbenchPage, flink: TestFlink, say: (line: string) => void): Promise<void> {
  const jobs = async (): Promise<readonly JobOfOverview[]> => (await flink.rest<{ jobs: JobOfOverview[] }>("GET", "/jobs/overview")).jobs;
  const checkpoints = (jobId: string): Promise<Checkpoints> => flink.rest("GET", `/jobs/${jobId}/checkpoints`);
  const folders = async (): Promise<string[]> => (existsSync(flink.savepointDir) ? (await readdir(flink.savepointDir)).filter((name) => name.startsWith("savepoint-")) : []);
  /** Answers each question of a verb with Enter, once it is there: titles end in `(2/5)`. */
  const enterAll = async (title: string, questions: number, before: (question: number) => Promise<void> = () => Promise.resolve()): Promise<void> => {
    for (let question = 1; question <= questions; question++) {
      await page.picker(new RegExp(`${title}.*\\(${question}/\\d+\\)`));
      await before(question);
      await page.page.waitForTimeout(300);
      await page.page.keyboard.press("Enter");
    }
  };

  const first = (await jobs()).find((job) => job.state === "RUNNING");
  assert.ok(first, "no job runs");
  await page.openView();
  await page.expand(/^sandbox/);
  await page.expand(/^Orders/);
  await page.row(/^Savepoints/);
  await page.picture("1-tree");
  say(`1  tree      shows sandbox › Orders; Flink lists ${first.jid} ${first.name} ${first.state}`);

  await page.inlineAction(/^Orders/, /Trigger Savepoint/, page.question(/Savepoint of Orders/));
  await page.picture("2-trigger-directory");
  await enterAll("Savepoint of Orders", 3);
  await page.toast(/Savepoint #\d+ of Orders/);
  await page.picture("2-trigger-done");
  await until("the savepoint in Flink's statistics", async () => (await checkpoints(first.jid)).latest.savepoint !== null);
  const taken = (await checkpoints(first.jid)).latest.savepoint;
  assert.ok(taken);
  assert.deepEqual(await folders(), [path.basename(taken.external_path)]);
  await page.expand(/^Savepoints/);
  await page.row(new RegExp(`^#${taken.id}`));
  say(`2  trigger   Flink completed #${taken.id} at ${taken.external_path}`);

  await page.inlineAction(/^Orders/, /Stop with Savepoint/, page.question(/Stop Orders/));
  await enterAll("Stop Orders", 4);
  await page.toast(/Orders is stopped/, 60_000);
  await page.picture("3-stopped");
  const stopped = (await jobs()).find((job) => job.jid === first.jid);
  assert.equal(stopped?.state, "FINISHED");
  const last = (await checkpoints(first.jid)).latest.savepoint;
  assert.ok(last && last.id > taken.id);
  say(`3  stop      Flink says ${stopped.state}; its last savepoint is #${last.id} at ${last.external_path}`);

  await page.inlineAction(new RegExp(`^#${last.id}`), /Restore/, page.question(/Restore Orders/));
  await page.picture("4-restore-jar");
  await enterAll("Restore Orders", 5, async (question) => {
    if (question === 5) await page.picture("4-restore-summary");
  });
  await page.toast(/Orders runs, restored from/, 60_000);
  await page.picture("4-restored");
  const second = (await jobs()).find((job) => job.state === "RUNNING");
  assert.ok(second && second.jid !== first.jid);
  const { counts, latest } = await checkpoints(second.jid);
  assert.equal(counts.restored, 1);
  assert.equal(latest.restored?.external_path, last.external_path);
  say(`4  restore   Flink runs ${second.jid}, restored from #${latest.restored.id} at ${latest.restored.external_path}`);

  await page.contextMenu(new RegExp(`^#${taken.id}`), /Dispose/, page.dialog);
  const question = await page.modal();
  await page.picture("5-dispose-question");
  assert.match(question, new RegExp(`Dispose savepoint #${taken.id} of Orders`));
  await page.answer("Dispose");
  await page.row(new RegExp(`^#${taken.id}.*disposed`), 60_000);
  await page.picture("5-disposed");
  assert.deepEqual(await folders(), [path.basename(last.external_path)], "exactly the other savepoint is left");
  say(`5  dispose   Flink deleted ${taken.external_path}; ${path.basename(last.external_path)} is still there`);
}
