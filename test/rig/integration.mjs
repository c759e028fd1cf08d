// Runs the suite in dist/test/integration inside a real extension host, through @vscode/test-electron: in a downloaded desktop VS Code of
// the oldest supported version where the download host answers, else in the web workbench. RIG_HOST=web or desktop forces one.
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { downloadAndUnzipVSCode, runTests, SilentReporter } from "@vscode/test-electron";
import { provide } from "./machine.mjs";
import { cache, repository } from "./setup.mjs";

const probeLimitMs = 5000;
const hostLimitMs = 10 * 60_000;

/** Runs the suite with the given environment and returns its exit code; the counts stand in the file named by RIG_COUNTS. */
export async function runInHost(env) {
  const oldest = JSON.parse(readFileSync(path.join(repository, "package.json"), "utf8")).engines.vscode.replace(/^\D+/, "");
  const desktop = process.env.RIG_HOST === "web" ? undefined : await desktopVsCode(oldest);
  if (desktop !== undefined) {
    console.log(`in the desktop VS Code ${oldest}`);
    const code = await runOn(desktop, env, { screen: true });
    if (existsSync(env.RIG_COUNTS)) return code;
    if (process.env.RIG_HOST === "desktop") throw new Error("the suite did not begin in the desktop VS Code");
    console.log("The suite did not begin in the desktop VS Code.");
  }
  console.log("in the web workbench");
  return runOn(path.join(repository, "test", "rig", "launcher.cjs"), env, { screen: false });
}

/** The downloaded VS Code, or undefined with a line that says why not. A version that was downloaded before needs no network. */
async function desktopVsCode(version) {
  try {
    const cachePath = path.join(cache, "desktop");
    const platform = { linux: { x64: "linux-x64", arm64: "linux-arm64" }[process.arch], darwin: process.arch === "arm64" ? "darwin-arm64" : "darwin" }[process.platform];
    if (!existsSync(path.join(cachePath, `vscode-${platform}-${version}`, "is-complete"))) {
      const answer = await fetch(`https://update.code.visualstudio.com/${version}/${platform}/stable`, { method: "HEAD", signal: AbortSignal.timeout(probeLimitMs) });
      if (!answer.ok) throw new Error(`the download host answers ${answer.status}`);
    }
    if (process.platform === "linux") await provide(["screen", "desktopLibraries"]);
    return await downloadAndUnzipVSCode({ version, cachePath, reporter: new SilentReporter() });
  } catch (error) {
    if (process.env.RIG_HOST === "desktop") throw error;
    console.log(`No desktop VS Code ${version} (${error.cause?.code ?? error.message}).`);
    return undefined;
  }
}

async function runOn(executable, env, { screen }) {
  const temporary = mkdtempSync(path.join(tmpdir(), "flink-savepoints-integration-"));
  const display = screen ? await openScreen() : undefined;
  const workspace = path.join(temporary, "workspace");
  const clean = () => {
    display?.close();
    rmSync(temporary, { recursive: true, force: true });
  };
  // test-electron survives Ctrl-C; the launcher ends when we are gone.
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]]) process.once(signal, () => process.exit(code));
  process.once("exit", clean);
  cpSync(path.join(repository, "test", "rig", "workspace"), workspace, { recursive: true });
  try {
    return await runTests({
      vscodeExecutablePath: executable,
      extensionDevelopmentPath: repository,
      extensionTestsPath: path.join(repository, "dist", "test", "integration", "index.js"),
      extensionTestsEnv: { ...env, RIG_HOST_TIMEOUT_MS: String(hostLimitMs), ...(display === undefined ? {} : { DISPLAY: display.name }) },
      launchArgs: [workspace, `--user-data-dir=${path.join(temporary, "user")}`, `--extensions-dir=${path.join(temporary, "extensions")}`, "--disable-extensions", "--no-sandbox"],
    });
  } catch (error) {
    // A failed suite is told by its counts; anything else deserves words.
    console.log(String(error.message ?? error));
    return 1;
  } finally {
    clean();
  }
}

/** A virtual screen for a machine that has none. */
async function openScreen() {
  if (process.platform !== "linux" || process.env.DISPLAY) return undefined;
  const child = spawn("Xvfb", ["-displayfd", "1", "-screen", "0", "1400x900x24", "-nolisten", "tcp"], { stdio: ["ignore", "pipe", "ignore"] });
  const close = () => child.kill();
  process.once("exit", close);
  const name = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`Xvfb ended with ${code}`)));
    child.stdout.once("data", (data) => resolve(`:${String(data).trim()}`));
  });
  return { name, close };
}
