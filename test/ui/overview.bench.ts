import { readFileSync } from "node:fs";
import path from "node:path";
import type { Page } from "playwright-core";
import type { CheckpointStats } from "../../src/core/model/checkpoint";
import { overviewOf } from "../../src/core/overview/overview";
import { localFlinkVersions } from "../../src/core/settings";
import { rootFolder, startFlink } from "../rig/flink";
import { rigFromEnvironment, startBrowser } from "../rig/server";
import { savepointRecord } from "../unit/ledgerSamples";
import { clusterUrl, jobId, jobName, overview as statistics, stats } from "../unit/samples";
import { Figures, median, ms } from "./support/figures";

/** The page of a job with 1,000 checkpoints and 200 savepoints, from its data to its paint, beside the list of ten that Flink's own web UI paints, in one browser. */
const rounds = 15;
const root = await rootFolder();
const figures = new Figures();
const nowMs = Date.now();

const checkpoints = Array.from({ length: 1_000 }, (_, at): CheckpointStats => stats(5_000 - at, {
  kind: "checkpoint", format: null, path: `file:/cp/${jobId}/chk-${5_000 - at}`, triggeredAtMs: nowMs - at * 60_000, durationMs: 900 + (at * 37) % 400, sizeBytes: 4e9 + (at * 7_919) % 5e8, ...(at % 97 === 0 ? { status: "failed" as const, failure: "Checkpoint expired before completing." } : {}),
}));
const records = Array.from({ length: 200 }, (_, at) => savepointRecord(`s${at}`, {
  cluster: { name: "prod", url: clusterUrl }, job: { id: jobId, name: jobName }, origin: at % 9 === 0 ? "manual" : "scheduled", state: "completed", path: `s3://state/savepoint-ab12cd-${String(at).padStart(12, "0")}`, checkpointId: 5_000 - at * 5, sizeBytes: 4e9 + at * 1e6, durationMs: 60_000 + at * 100, requestedAtMs: nowMs - at * 3_600_000, endedAtMs: nowMs - at * 3_600_000 + 60_000,
}));
const madeAt = performance.now();
const view = overviewOf({
  row: { cluster: clusterUrl, jobId, name: jobName, state: "RUNNING", startTimeMs: nowMs - 1e8, endTimeMs: null, tasks: null, operations: [], latestSavepoint: null, restoredFrom: null }, clusterName: "prod", flinkVersion: "2.3.0",
  records, statistics: statistics(checkpoints.slice(0, 10)), config: { intervalMs: 60_000, timeoutMs: 600_000 }, checkpoints, error: null, expectedMs: 60_000, parameters: [], schedules: [], cleanup: null, hasPairs: true, nowMs,
});
const makingMs = performance.now() - madeAt;
const tasks = Array.from({ length: 8 }, (_, at) => ({ vertexId: `v${at}`, name: `operator ${at}`, sizeBytes: 1e9 / (at + 1), durationMs: 900, subtasks: { acknowledged: 4, total: 4 } }));

const browser = await startBrowser(rigFromEnvironment());
try {
  const ours: Painted[] = [];
  for (let round = 0; round < rounds; round++) {
    const page = await (await browser.newContext({ viewport: { width: 1400, height: 900 } })).newPage();
    ours.push(await paintOurs(page));
    await page.context().close();
  }
  const theirs = await paintTheirs();
  const [first, whole] = [ours.map(({ firstMs }) => firstMs), ours.map(({ clockMs }) => clockMs)];
  figures.add("1,000 checkpoints and 200 savepoints: data to paint of the way back, the last ones and the history, by the clock, median", ms(median(first)), { text: "< 100 ms", kept: median(first) < 100 });
  figures.add("· fastest and slowest", `${ms(Math.min(...first))}, ${ms(Math.max(...first))}`);
  figures.add("· data to paint of the charts, too, median", ms(median(whole)), { text: "< 100 ms", kept: median(whole) < 100 });
  figures.add("· fastest and slowest", `${ms(Math.min(...whole))}, ${ms(Math.max(...whole))}`);
  figures.add("· of it the page's time on the processor, median", ms(median(ours.map(({ processorMs }) => processorMs))));
  figures.add("· making the data of them, in the extension host", ms(makingMs));
  figures.add("Flink's web UI: its list of ten, click to paint, median", ms(median(theirs)));
  figures.print("The page of a job");
} finally {
  await browser.close();
}

interface Painted {
  /** Until the rows are on the screen. */
  readonly firstMs: number;
  /** Until the charts are, too. */
  readonly clockMs: number;
  /** Of the page's main thread. */
  readonly processorMs: number;
}

/** The bundle of the page, fed as its host feeds it, once its waiting line is on the screen; from the message with the data until the frames after the rows, and after the charts, are drawn. */
async function paintOurs(page: Page): Promise<Painted> {
  const tools = await page.context().newCDPSession(page);
  await tools.send("Performance.enable", { timeDomain: "threadTicks" });
  const spentMs = async (): Promise<number> => 1_000 * ((await tools.send("Performance.getMetrics")).metrics.find(({ name }) => name === "TaskDuration")?.value ?? NaN);
  const file = (name: string): string => readFileSync(path.join(root, "dist", "webview", "overview", name), "utf8");
  await page.setContent(`<!DOCTYPE html><html><head><style>:root{--vscode-foreground:#333;--vscode-editor-background:#fff;--vscode-font-size:13px;--vscode-font-family:sans-serif;--vscode-charts-blue:#06c;--vscode-charts-purple:#60a}${file("style.css")}</style></head><body><div id="page"></div></body></html>`);
  await page.evaluate(({ overview, parts }) => {
    const answers: Record<string, unknown> = { about: { job: { cluster: "c", jobId: "j" }, jobName: "j", tab: "overview" }, overview, tasks: parts };
    Object.assign(window, {
      acquireVsCodeApi: () => ({
        getState: () => undefined, setState: () => undefined,
        postMessage: ({ id, method }: { id: number; method: string }) => {
          const reply = (): void => void window.dispatchEvent(new MessageEvent("message", { data: { kind: "reply", id, value: answers[method] ?? null } }));
          if (method === "overview") Object.assign(window, { reply });
          else setTimeout(reply, 0);
        },
      }),
    });
  }, { overview: view, parts: tasks });
  await page.addScriptTag({ content: file("main.js") });
  await page.waitForFunction(() => "reply" in window);
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  const beforeMs = await spentMs();
  const painted = await page.evaluate(() => new Promise<{ firstMs: number; clockMs: number }>((resolve) => {
    const fromMs = performance.now();
    let firstMs = NaN;
    (window as unknown as { reply(): void }).reply();
    const look = (): void => {
      const hasRows = document.querySelectorAll("[role=grid] .rows [role=row]").length > 0;
      const hasCharts = document.querySelectorAll("svg path.series").length >= 2;
      // What is in the page in this frame is on the screen when the next one begins.
      if (hasRows && Number.isNaN(firstMs)) {
        firstMs = 0;
        requestAnimationFrame(() => (firstMs = performance.now() - fromMs));
      }
      if (hasRows && hasCharts) requestAnimationFrame(() => resolve({ firstMs, clockMs: performance.now() - fromMs }));
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }));
  return { ...painted, processorMs: (await spentMs()) - beforeMs };
}

/** A click on *History* in the checkpoints of a job in Flink's web UI, its data there already, until its rows are on the screen. */
async function paintTheirs(): Promise<number[]> {
  const flink = await startFlink(localFlinkVersions[0]);
  try {
    const jar = await flink.upload(path.join(root, "dist", "sample-job.jar"));
    const { jobid } = await flink.rest<{ jobid: string }>("POST", `/jars/${jar}/run`, { programArgsList: ["--checkpoint-interval", "1 s"] });
    await flink.waitUntilRunning(jobid);
    await new Promise((resolve) => setTimeout(resolve, 12_000));
    const page = await (await browser.newContext({ viewport: { width: 1400, height: 900 } })).newPage();
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      await page.goto(`${flink.url}/#/job/running/${jobid}/checkpoints`);
      await page.reload();
      await page.getByText("Checkpoint Counts").first().waitFor({ timeout: 60_000 });
      const tab = page.getByRole("tab", { name: "History" });
      await tab.waitFor();
      await page.evaluate(() => {
        window.addEventListener("mousedown", () => {
          const fromMs = performance.now();
          const look = (): void => {
            if (document.querySelectorAll(".ant-tabs-tabpane-active tbody tr.ant-table-row, .ant-tabs-tabpane-active tbody tr").length < 3) return void requestAnimationFrame(look);
            requestAnimationFrame(() => Object.assign(window, { tookMs: performance.now() - fromMs }));
          };
          requestAnimationFrame(look);
        }, { once: true, capture: true });
      });
      await tab.click();
      times.push(await (await page.waitForFunction(() => (window as unknown as { tookMs?: number }).tookMs, undefined, { timeout: 30_000 })).jsonValue() ?? NaN);
    }
    return times;
  } finally {
    await flink.stop();
  }
}
