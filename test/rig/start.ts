import { spawn } from "node:child_process";
import * as fs from "node:fs/promises";
import path from "node:path";
import { localFlinkVersions } from "../../src/core/settings";
import { startFlink, rootFolder, type TestFlink } from "./flink";
import { openPage } from "./page";
import { tour } from "./tour";
import { startWorkbench } from "./workbench";

/** What `npm start` does once everything is installed and built: a Flink with the sample job, and a VS Code that shows it. */
const unattended = process.argv.includes("--unattended");
const root = await rootFolder();
const scratch = path.join(root, ".rig");
const version = localFlinkVersions[0];
const ends: (() => Promise<void>)[] = [];
let ending: Promise<void> | undefined;
const end = (): Promise<void> => (ending ??= (async () => {
  for (const last of ends.reverse()) await last().catch((error: unknown) => console.error(error));
})());
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void end().then(() => process.exit(unattended ? 130 : 0)));

try {
  await (unattended ? runUnattended() : openForPerson());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  if (error instanceof Error && error.cause !== undefined) console.error(error.cause);
  process.exitCode = 1;
} finally {
  await end();
}
process.exit();

async function runUnattended(): Promise<void> {
  const startedMs = Date.now();
  const { flink, workspace } = await demo(20_000 + Math.floor(Math.random() * 10_000));
  const vsix = process.env["RIG_VSIX"];
  if (vsix === undefined) throw new Error("RIG_VSIX is not set: start this through npm start -- --unattended");
  const workbench = await startWorkbench({ extensionsFrom: vsix, workspace, settings: settingsFor(flink) });
  ends.push(() => workbench.stop());
  const page = await openPage(workbench, { name: "tour" });
  ends.push(() => page.close());
  await tour(page, flink, (line) => console.log(line));
  console.log(`The tour is over, every step passed: ${Math.round((Date.now() - startedMs) / 1000)} s. Pictures: ${path.join(".rig", "pictures", "tour")}`);
}

async function openForPerson(): Promise<void> {
  const { flink, workspace } = await demo(8081);
  console.log(`Flink ${flink.version} runs at ${flink.url} with the job Orders.`);
  const code = process.env["RIG_CODE"];
  if (code !== undefined && code !== "") {
    const user = path.join(scratch, "code");
    await fs.mkdir(path.join(user, "User"), { recursive: true });
    await fs.writeFile(path.join(user, "User", "settings.json"), JSON.stringify({ ...settingsFor(flink), "security.workspace.trust.enabled": false, "workbench.startupEditor": "none" }, null, 2));
    const window = spawn(code, ["--wait", "--new-window", `--extensionDevelopmentPath=${root}`, `--user-data-dir=${user}`, workspace], { stdio: "inherit" });
    console.log("VS Code opens with the extension. Close its window, or press Ctrl-C, to end all of it.");
    await new Promise<void>((resolve, reject) => window.once("exit", () => resolve()).once("error", reject));
    return;
  }
  const workbench = await startWorkbench({ extensionsFrom: root, workspace, settings: settingsFor(flink) });
  ends.push(() => workbench.stop());
  console.log(`VS Code is at ${workbench.url}`);
  console.log("Open it in a browser and choose Flink Savepoints in the activity bar. Ctrl-C ends all of it.");
  await new Promise<never>(() => undefined);
}

/** A Flink with the sample job running, and a copy of the sample workspace. */
async function demo(port: number): Promise<{ flink: TestFlink; workspace: string }> {
  const flink = await startFlink(version, { port });
  ends.push(() => flink.stop());
  const jar = await flink.upload(path.join(root, "dist", "sample-job.jar"));
  const { jobid } = await flink.rest<{ jobid: string }>("POST", `/jars/${jar}/run`, { programArgsList: ["--checkpoint-interval", "5 s"] });
  await flink.waitUntilRunning(jobid);
  const workspace = path.join(scratch, "workspace");
  await fs.rm(workspace, { recursive: true, force: true });
  await fs.cp(path.join(root, "test", "rig", "workspace"), workspace, { recursive: true });
  return { flink, workspace };
}

function settingsFor(flink: TestFlink): Record<string, unknown> {
  return { "flinkSavepoints.clusters": [{ name: "sandbox", url: flink.url }] };
}
