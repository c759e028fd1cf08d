#!/usr/bin/env node
// Stand-in for the `code` executable, for @vscode/test-electron: the web workbench in a headless browser. Runs the suite that
// --extensionTestsPath names inside the extension host, prints what it prints, and ends with its exit code.
"use strict";
const { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const path = require("node:path");
const { fileURLToPath, pathToFileURL } = require("node:url");
const { format } = require("node:util");

const limitMs = Number(process.env.RIG_HOST_TIMEOUT_MS ?? 10 * 60_000);
const startLimitMs = 90_000;
const temporary = mkdtempSync(path.join(tmpdir(), "flink-savepoints-host-"));
/** What was said before the suite began; told only when it never does. */
const held = [];
let server, browser, suite = false, complaints = 0, finishing = false;

async function finish(code, reason) {
  if (finishing) return;
  finishing = true;
  if (!suite && code !== 0) for (const line of held) console.error(line);
  if (reason !== undefined) console.error(reason);
  setTimeout(() => leave(code), 8000);
  await Promise.allSettled([browser?.close(), server?.stop()]);
  leave(code);
}

function leave(code) {
  rmSync(temporary, { recursive: true, force: true });
  process.exit(code);
}

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]]) process.on(signal, () => void finish(code));
const parent = process.ppid;
setInterval(() => process.ppid === parent || void finish(1), 500).unref();
process.on("uncaughtException", (error) => void finish(1, error));
process.on("unhandledRejection", (error) => void finish(1, error));

/** The options of the `code` executable that have a meaning here. User data and extensions are always thrown away. */
function read(args) {
  const options = { development: [], tests: undefined, folder: undefined };
  for (const arg of args) {
    const [, name, value] = /^--([\w-]+)(?:=(.*))?$/s.exec(arg) ?? [];
    if (name === undefined) options.folder = path.resolve(arg);
    else if (name === "extensionDevelopmentPath") options.development.push(path.resolve(value));
    else if (name === "extensionTestsPath") options.tests = path.resolve(value);
    else if (name === "folder-uri") options.folder = fileURLToPath(value);
  }
  return options;
}

async function main() {
  const { rigFromEnvironment, repositoryOf, startBrowser, startServer } = await import(pathToFileURL(path.join(__dirname, "..", "..", "dist", "test", "rig", "server.mjs")).href);
  const options = read(process.argv.slice(2));
  if (options.tests === undefined) throw new Error(`launcher.cjs runs suites only: --extensionTestsPath is missing in ${repositoryOf(__dirname)}`);
  const rig = rigFromEnvironment();
  const settings = path.join(temporary, "user", "User", "settings.json");
  mkdirSync(path.dirname(settings), { recursive: true });
  writeFileSync(settings, JSON.stringify({ "chat.disableAIFeatures": true, "workbench.startupEditor": "none", "files.autoSave": "off", "git.openRepositoryInParentFolders": "never", "extensions.autoCheckUpdates": false }));

  setTimeout(() => void finish(124, `the suite did not end within ${limitMs / 1000} s`), limitMs).unref();
  [server, browser] = await Promise.all([
    startServer(rig, { userDataDir: path.join(temporary, "user"), extensionsDir: path.join(temporary, "extensions"), serverDataDir: path.join(temporary, "server"), removeAfter: temporary, testDriver: true }),
    startBrowser(rig),
  ]);
  browser.on("disconnected", () => void finish(1, "the browser ended before the suite"));
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  page.on("crash", () => void finish(1, "the page crashed"));
  // The workbench calls these two functions of its window: for what an extension host prints, and when the suite has ended.
  await page.exposeFunction("codeAutomationLog", (type, args) => {
    if (finishing || args.length === 0) return;
    const line = format(...args);
    const complaint = options.development.some((folder) => line.startsWith(`[${idOf(folder)}]:`));
    if (complaint) complaints++;
    suite ||= /^\d+ tests?$/.test(line);
    if (!suite && !complaint) held.push(line);
    else if (!isNoise(line)) (type === "error" || type === "warn" ? process.stderr : process.stdout).write(`${line}\n`);
  });
  await page.exposeFunction("codeAutomationExit", (code) => void finish(code || Math.min(1, complaints), complaints > 0 ? "The editor complains about the manifest, see above." : undefined));

  const remote = (file) => `vscode-remote://127.0.0.1:${server.port}${file}`;
  const payload = options.development.map((folder) => ["extensionDevelopmentPath", remote(folder)]);
  payload.push(["extensionTestsPath", remote(options.tests)]);
  await page.goto(server.url({ payload: JSON.stringify(payload), ...(options.folder === undefined ? { ew: "true" } : { folder: options.folder }) }), { timeout: startLimitMs });
  await page.waitForSelector(".monaco-workbench", { timeout: startLimitMs });
}

function idOf(folder) {
  const { publisher, name } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  return `${publisher}.${name}`;
}

/** What the workbench says about itself while a suite runs. */
function isNoise(line) {
  return /^(\[(ChatModelSelection|AgentHost|AccountPolicyGate|Service Worker|reconnection|remote-connection)|%c|Canceled: Canceled|Creat|Timed out waiting for authentication|(Ignoring fetching|Updating) additional builtin)/.test(line);
}

main().catch((error) => finish(1, error));
