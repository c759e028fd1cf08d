// npm start: sets up, builds, and opens a real VS Code on a sample workspace with a real Flink: the desktop one when `code` is on the PATH,
// else the web workbench, which --web and --unattended ask for. Everything after setting up is test/rig/start.ts.
import { existsSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { onPath } from "./machine.mjs";
import { packageExtension } from "./package.mjs";
import { step } from "./processes.mjs";
import { build, buildJobs, cache, fail, repository, scratch, setUp } from "./setup.mjs";

try {
  const unattended = process.argv.includes("--unattended");
  const code = unattended || process.argv.includes("--web") ? undefined : onPath("code");
  const paths = await setUp({ workbench: code === undefined, java: true });
  await step("build", build);
  await step("jobs and Flink's jars", () => buildJobs(paths.java));
  // The tour is made with the package, installed as a user installs it.
  if (unattended) process.env.RIG_VSIX = await step("package", async () => (await packageExtension(path.join(scratch, "package"))).file);
  const bundle = path.join(repository, "dist", "test", "rig", "start.mjs");
  if (!existsSync(bundle)) throw new Error(`the build left no ${path.relative(repository, bundle)}: is test/rig/start.ts there?`);
  const workbench = code === undefined ? { RIG_WORKBENCH_NODE: paths.node, RIG_WORKBENCH_SERVER: paths.server, RIG_CHROME: paths.chrome } : { RIG_CODE: code };
  Object.assign(process.env, { RIG_DIR: scratch, RIG_CACHE: cache, JAVA_HOME: paths.java, ...workbench });
  await import(pathToFileURL(bundle).href);
} catch (error) {
  fail(error);
}
