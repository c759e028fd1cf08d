import path from "node:path";
import { test } from "node:test";
import { localFlinkVersions } from "../../src/core/settings";
import { rootFolder, startFlink } from "../rig/flink";
import { inWorkbench } from "../rig/page";
import { tour } from "../rig/tour";
import { lightTheme } from "../rig/workbench";

test("the main job is done by hand in the installed extension: look, trigger, stop, restore, dispose, in the light theme", async (context) => {
  const root = await rootFolder();
  const flink = await startFlink(localFlinkVersions[0]);
  context.after(() => flink.stop());
  const jar = await flink.upload(path.join(root, "dist", "sample-job.jar"));
  const { jobid } = await flink.rest<{ jobid: string }>("POST", `/jars/${jar}/run`, { programArgsList: ["--checkpoint-interval", "2 s"] });
  await flink.waitUntilRunning(jobid);
  const settings = { ...lightTheme, "flinkSavepoints.clusters": [{ name: "sandbox", url: flink.url }] };
  await inWorkbench({ extensionsFrom: process.env["RIG_VSIX"] ?? root, workspace: path.join(root, "test", "rig", "workspace"), settings, name: "tour-light" }, (page) => tour(page, flink, (line) => context.diagnostic(line)));
});
