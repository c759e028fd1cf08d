import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { revisionName } from "../../src/clients/ledgerNames";
import { formatRecord } from "../../src/clients/ledgerText";
import { localFlinkVersions } from "../../src/core/settings";
import { rootFolder, startFlink } from "../rig/flink";
import { openPage, type WorkbenchPage } from "../rig/page";
import { rigFromEnvironment, startBrowser } from "../rig/server";
import { startWorkbench } from "../rig/workbench";
import { savepointRecord } from "../unit/ledgerSamples";
import { Amplifier } from "./support/amplifier";
import { Figures, ms } from "./support/figures";
import { type Fluidity, watchFrames } from "./support/frames";
import { ProbedHome } from "./support/probe";

/** The explorer with 1,000 jobs and 10,000 savepoints: what it asks of the cluster and how fluid it stays, beside Flink's own web UI in the same run. */
const jobs = 1_000;
const savepoints = 10_000;
/** One job has a long list of its own; the others share the rest. */
const ofFirst = 1_009;
const lookMs = Number(process.env["BENCH_SECONDS"] ?? 60) * 1_000;
const vsix = process.env["RIG_VSIX"];
if (vsix === undefined) throw new Error('RIG_VSIX is not set: start this through "npm run bench"');

const root = await rootFolder();
const figures = new Figures();
const flink = await startFlink(localFlinkVersions[0]);
try {
  const jar = await flink.upload(path.join(root, "dist", "sample-job.jar"));
  const { jobid } = await flink.rest<{ jobid: string }>("POST", `/jars/${jar}/run`, { programArgsList: ["--checkpoint-interval", "2 s"] });
  await flink.waitUntilRunning(jobid);
  const [forUs, forFlinksUi] = [await Amplifier.open(flink.url, jobid, jobs), await Amplifier.open(flink.url, jobid, jobs)];
  try {
    const home = new ProbedHome(root);
    fillLedger(home.folder, forUs.url);
    const ours = await lookAtOurs(home, forUs);
    const theirs = await lookAtTheirs(forFlinksUi);
    const forTime = lookMs === 60_000 ? "a minute" : `${lookMs / 1_000} s`;
    for (const [what, our, their] of [["jobs", ours.jobs, theirs.jobs], ["one job opened", ours.job, theirs.job]] as const) {
      const [a, b] = [sum(our.requests), sum(their.requests)];
      figures.add(`${what}: our requests in ${forTime}`, String(a), { text: `≤ ${b}, as Flink's web UI`, kept: a <= b });
      figures.add("· which", routes(our.requests));
      figures.add(`· those of Flink's web UI (${their.page})`, routes(their.requests));
    }
    figures.print("Requests, 1,000 jobs and 10,000 savepoints");
  } finally {
    forUs.close();
    forFlinksUi.close();
  }
} finally {
  await flink.stop();
}

interface Look {
  readonly requests: ReadonlyMap<string, number>;
  readonly page: string;
}

async function lookAtOurs(home: ProbedHome, amplifier: Amplifier): Promise<{ readonly jobs: Look; readonly job: Look }> {
  const workbench = await startWorkbench({
    extensionsFrom: vsix ?? "", workspace: path.join(root, "test", "rig", "workspace"), keepUserData: home.folder,
    settings: { "flinkSavepoints.clusters": [{ name: "thousand", url: amplifier.url }] },
  });
  const fluid = new Figures();
  const note = (what: string, seen: Fluidity, fromMs: number): void => {
    const block = home.longestBlockMs(fromMs, Date.now());
    fluid.add(what, [`slowest frame ${ms(seen.slowestFrameMs)}`, `longest task of the page ${seen.longestTaskMs === 0 ? "< 50 ms" : ms(seen.longestTaskMs)}`, `of the extension host ${block === undefined ? "unknown" : ms(block)}`].join(", "));
  };
  try {
    const page = await openPage(workbench, { name: "bench-explorer" });
    try {
      const frames = await watchFrames(page.page);
      let fromMs = Date.now();
      await page.openView();
      await page.row(/^thousand/);
      await page.row(/^pipeline/, 60_000);
      note("opening the view until its jobs stand", await frames(), fromMs);
      await sleep(5_000);
      await frames();

      const listed = await minute(amplifier, "the tree", (endMs) => scrollUntil(page, endMs, lookMs / 3));
      note("the list of jobs, a third of the time scrolling", await frames(), listed.fromMs);

      fromMs = Date.now();
      await scrollTo(page, new RegExp(`^${Amplifier.jobName(1)}`), -1_000);
      await page.expand(new RegExp(`^${Amplifier.jobName(1)}`));
      await page.row(/^Savepoints/);
      await page.row(/^#10000/, 60_000);
      note("opening a job with 1,009 savepoints", await frames(), fromMs);
      fromMs = Date.now();
      for (let step = 0; step < 4; step++) {
        // The row before it stands until the list has been drawn again.
        const more = new RegExp(`^Show 50 more, ${ofFirst - 50 * (step + 1)} older`);
        await scrollTo(page, more, 300);
        await (await page.row(more, 60_000)).click();
        await sleep(1_500);
      }
      note("“Show 50 more” four times", await frames(), fromMs);

      const opened = await minute(amplifier, "the tree", (endMs) => scrollUntil(page, endMs, lookMs / 3));
      note("with the job open, a third of the time scrolling", await frames(), opened.fromMs);
      await page.picture("at the end");
      return { jobs: listed, job: opened };
    } finally {
      fluid.print("Fluidity, 1,000 jobs and 10,000 savepoints");
      await page.close();
    }
  } finally {
    await workbench.stop();
  }
}

async function lookAtTheirs(amplifier: Amplifier): Promise<{ readonly jobs: Look; readonly job: Look }> {
  const browser = await startBrowser(rigFromEnvironment());
  const fluid = new Figures();
  try {
    const page = await (await browser.newContext({ viewport: { width: 1400, height: 900 } })).newPage();
    const look = async (route: string, what: string, shows: string): Promise<Look> => {
      await page.goto(`${amplifier.url}/#${route}`);
      await page.getByText(shows).first().waitFor({ timeout: 60_000 });
      await sleep(5_000);
      const frames = await watchFrames(page);
      const seen = await minute(amplifier, what, (endMs) => scrollPage(page, endMs, lookMs / 3));
      const { slowestFrameMs, longestTaskMs } = await frames();
      fluid.add(`${what}, a third of the time scrolling`, `slowest frame ${ms(slowestFrameMs)}, longest task of the page ${longestTaskMs === 0 ? "< 50 ms" : ms(longestTaskMs)}`);
      return seen;
    };
    const listed = await look("/job/running", "its running jobs", Amplifier.jobName(1));
    const opened = await look(`/job/running/${Amplifier.jobId(1)}/checkpoints`, "a job's checkpoints", "Checkpoint Counts");
    fluid.print("Flink's own web UI in the same run");
    return { jobs: listed, job: opened };
  } finally {
    await browser.close();
  }
}

/** Counts what arrives for a while in which `body` does something, lookMs long. */
async function minute(amplifier: Amplifier, page: string, body: (endMs: number) => Promise<void>): Promise<Look & { readonly fromMs: number }> {
  const fromMs = Date.now();
  await body(fromMs + lookMs);
  await sleep(Math.max(0, fromMs + lookMs - Date.now()));
  const requests = amplifier.requests(fromMs, fromMs + lookMs);
  console.log(`${page}: ${sum(requests)} requests in ${lookMs / 1_000} s: ${routes(requests)}`);
  return { requests, page, fromMs };
}

/** Turns the wheel over the tree, down and up again, for `forMs`. */
async function scrollUntil(page: WorkbenchPage, endMs: number, forMs: number): Promise<void> {
  const box = await page.page.locator(".part.sidebar").boundingBox();
  if (box === null) throw new Error("the side bar is hidden");
  await page.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await scrollPage(page.page, endMs, forMs);
}

/** Turns the wheel until a row is on the screen; slowly, since a busy page draws late and the row would be passed by. */
async function scrollTo(page: WorkbenchPage, row: RegExp, step: number): Promise<void> {
  for (let turn = 0; turn < 100 && !(await page.treeItem(row).isVisible()); turn++) {
    await page.page.mouse.wheel(0, step);
    await sleep(500);
  }
}

async function scrollPage(page: Page, endMs: number, forMs: number): Promise<void> {
  const stopMs = Math.min(endMs, Date.now() + forMs);
  for (let step = 0; Date.now() < stopMs; step++) {
    await page.mouse.wheel(0, step % 40 < 20 ? 400 : -400);
    await sleep(50);
  }
}

/** Writes the records as the ledger's files are. */
function fillLedger(home: string, cluster: string): void {
  const folder = path.join(home, "user", "User", "globalStorage", "flink-savepoints.flink-savepoints", "ledger");
  mkdirSync(folder, { recursive: true });
  const nowMs = Date.now();
  for (let at = 0; at < savepoints; at++) {
    const job = at < ofFirst ? 1 : 2 + ((at - ofFirst) % (jobs - 1));
    const id = `bench${at.toString(16).padStart(27, "0")}`;
    const startMs = nowMs - (at + 1) * 60_000;
    const record = savepointRecord(id, {
      cluster: { name: "thousand", url: cluster }, job: { id: Amplifier.jobId(job), name: Amplifier.jobName(job) }, state: "completed",
      requestedAtMs: startMs, sentAtMs: startMs, endedAtMs: startMs + 2_000, durationMs: 2_000, checkpointId: savepoints - at, sizeBytes: 1_000_000 + at,
      path: `file:/tmp/bench-savepoints/savepoint-${at}`, trail: [{ atMs: startMs, event: "requested" }, { atMs: startMs + 2_000, event: "completed" }],
    });
    const name = revisionName(id, 1);
    writeFileSync(path.join(folder, name), formatRecord(record, name).text);
  }
}

function sum(requests: ReadonlyMap<string, number>): number {
  return [...requests.values()].reduce((all, count) => all + count, 0);
}

function routes(requests: ReadonlyMap<string, number>): string {
  return [...requests].sort((a, b) => b[1] - a[1]).map(([route, count]) => `${count} × ${route}`).join(", ");
}
