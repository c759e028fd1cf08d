import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { rootFolder, sqlJars } from "../rig/flink";
import { backendReleases, java } from "../rig/metadataPeer";
import { inWorkbench } from "../rig/page";
import { wideMetadata } from "../unit/wideMetadata";
import { Figures, median } from "./support/figures";
import { clickToRows } from "./support/inspectorPage";

/** From a click on a `_metadata` of 10 MB to its operators on the screen, beside SQL's `savepoint_metadata` on the same file, in turn. */
const rounds = 3;
const operators = 1_000;

const root = await rootFolder();
const extensionsFrom = process.env["RIG_VSIX"];
if (extensionsFrom === undefined) throw new Error('RIG_VSIX is not set: start this through "npm run bench"');
const workspace = mkdtempSync(path.join(tmpdir(), "flink-savepoints-inspector-bench-"));
const folders = Array.from({ length: rounds }, (_, at) => `savepoint-${at + 1}`);
let sizeBytes = 0;
for (const [at, folder] of folders.entries()) {
  const bytes = wideMetadata({ operators, subtasks: 12, files: 10, checkpointId: at + 1 });
  sizeBytes = bytes.length;
  mkdirSync(path.join(workspace, folder));
  writeFileSync(path.join(workspace, folder, "_metadata"), bytes);
}
const newest = backendReleases[1];
const classes = [path.join(root, "dist", "sql-peer.jar"), ...(await sqlJars(newest))].join(path.delimiter);
const [clicks, first, later]: [number[], number[], number[]] = [[], [], []];
try {
  await inWorkbench({ extensionsFrom, workspace, settings: {}, name: "bench-inspector" }, async (page) => {
    await page.openView("Explorer");
    for (const folder of folders) {
      clicks.push(await clickToRows(page, folder));
      const answer = JSON.parse((await java([classes, "sqlpeer.SqlPeer", path.join(workspace, folder), "3"], "2g")).stdout.trim().split("\n").at(-1) ?? "") as { rows: number; ms: number[] };
      if (answer.rows !== operators) throw new Error(`SQL finds ${answer.rows} operators, not ${operators}.`);
      first.push(answer.ms[0] ?? NaN);
      later.push(...answer.ms.slice(1));
    }
  });
} finally {
  rmSync(workspace, { recursive: true, force: true });
}

const [ours, once, again] = [clicks, first, later].map(median) as [number, number, number];
const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
const figures = new Figures();
figures.add(`click to first operators on the screen, ${(sizeBytes / 1e6).toFixed(1)} MB, middle of ${rounds}`, seconds(ours));
figures.add("· the first in a window, and the fastest", `${seconds(clicks[0] ?? NaN)}, ${seconds(Math.min(...clicks))}`);
figures.add("SQL's `savepoint_metadata`, first query of a process", `${seconds(once)}, ${(once / ours).toFixed(1)}×`, { text: "≥ 10×", kept: once >= 10 * ours });
figures.add("· later queries of the same process", `${seconds(again)}, ${(again / ours).toFixed(1)}×`);
figures.print(`The inspector beside SQL on Flink ${newest}`);
